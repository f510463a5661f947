-- Schema version 3: the money side. Never edited once released. As in the first one, tables, columns and indexes are
-- those of the descriptions in crm-core, and uniques are checked at the end of each statement.

CREATE TABLE crm_series_year (
    org BIGINT NOT NULL,
    "id" UUID NOT NULL,
    "series_id" UUID NOT NULL,
    "year" BIGINT NOT NULL,
    "next" BIGINT NOT NULL,
    CONSTRAINT crm_series_year_pkey PRIMARY KEY (org, "id"),
    CONSTRAINT crm_series_year_year UNIQUE (org, "series_id", "year") DEFERRABLE
);

ALTER TABLE crm_series_year ADD CONSTRAINT crm_series_year_org_fkey FOREIGN KEY (org) REFERENCES crm_organization ("key");
ALTER TABLE crm_series_year ADD CONSTRAINT crm_series_year_series_id_fkey FOREIGN KEY (org, "series_id") REFERENCES crm_number_series (org, "id");
