-- Version 3: the money side. As in the first one, tables, keys and indexes follow the descriptions in crm-core, and the
-- schema test compares the two.

CREATE TABLE crm_series_year (
    org INTEGER NOT NULL,
    "id" BLOB NOT NULL,
    "series_id" BLOB NOT NULL,
    "year" INTEGER NOT NULL,
    "next" INTEGER NOT NULL,
    PRIMARY KEY (org, "id"),
    FOREIGN KEY (org) REFERENCES crm_organization ("key"),
    FOREIGN KEY (org, "series_id") REFERENCES crm_number_series (org, "id")
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX crm_series_year_year ON crm_series_year (org, "series_id", "year");

ANALYZE sqlite_schema;
INSERT INTO sqlite_stat1 VALUES ('crm_series_year', 'crm_series_year', '1000000 100000 1');
INSERT INTO sqlite_stat1 VALUES ('crm_series_year', 'crm_series_year_year', '1000000 100000 10 1');
ANALYZE sqlite_schema;
