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

CREATE TABLE crm_credit_note (
    org INTEGER NOT NULL,
    "id" BLOB NOT NULL,
    "number" TEXT,
    "invoice_id" BLOB NOT NULL,
    "contact_id" BLOB NOT NULL,
    "currency" TEXT NOT NULL,
    "issued_on" INTEGER NOT NULL,
    "reason" TEXT NOT NULL,
    "subtotal" INTEGER NOT NULL,
    "tax" INTEGER NOT NULL,
    "total" INTEGER NOT NULL,
    "refund" INTEGER NOT NULL,
    "credit" INTEGER NOT NULL,
    "offset" INTEGER NOT NULL,
    "unapplied" INTEGER NOT NULL,
    "refunded" INTEGER NOT NULL,
    "buyer" TEXT,
    "notes" TEXT,
    "external_id" TEXT,
    "version" INTEGER NOT NULL,
    "created_at" INTEGER NOT NULL,
    "created_by" BLOB,
    "updated_at" INTEGER NOT NULL,
    PRIMARY KEY (org, "id"),
    FOREIGN KEY (org) REFERENCES crm_organization ("key"),
    FOREIGN KEY (org, "invoice_id") REFERENCES crm_invoice (org, "id"),
    FOREIGN KEY (org, "contact_id") REFERENCES crm_contact (org, "id")
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX crm_credit_note_external_id ON crm_credit_note (org, "external_id") WHERE "external_id" IS NOT NULL;
CREATE UNIQUE INDEX crm_credit_note_number ON crm_credit_note (org, "number") WHERE "number" IS NOT NULL;
CREATE INDEX crm_credit_note_invoice_id ON crm_credit_note (org, "invoice_id");
CREATE INDEX crm_credit_note_contact ON crm_credit_note (org, "contact_id", "currency", "issued_on", "total", "unapplied");
CREATE INDEX crm_credit_note_totals ON crm_credit_note (org, "currency", "issued_on", "unapplied");

CREATE TABLE crm_credit_note_line (
    org INTEGER NOT NULL,
    "id" BLOB NOT NULL,
    "credit_note_id" BLOB NOT NULL,
    "position" INTEGER NOT NULL,
    "invoice_line_id" BLOB,
    "product_id" BLOB,
    "description" TEXT NOT NULL,
    "quantity" INTEGER NOT NULL,
    "unit_price" INTEGER NOT NULL,
    "discount_percent" INTEGER,
    "discount" INTEGER NOT NULL,
    "tax_percent" INTEGER NOT NULL,
    "currency" TEXT NOT NULL,
    "net" INTEGER NOT NULL,
    "tax" INTEGER NOT NULL,
    PRIMARY KEY (org, "id"),
    FOREIGN KEY (org) REFERENCES crm_organization ("key"),
    FOREIGN KEY (org, "credit_note_id") REFERENCES crm_credit_note (org, "id"),
    FOREIGN KEY (org, "invoice_line_id") REFERENCES crm_invoice_line (org, "id"),
    FOREIGN KEY (org, "product_id") REFERENCES crm_product (org, "id")
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX crm_credit_note_line_position ON crm_credit_note_line (org, "credit_note_id", "position");
CREATE INDEX crm_credit_note_line_product_id ON crm_credit_note_line (org, "product_id");
CREATE INDEX crm_credit_note_line_invoice_line_id ON crm_credit_note_line (org, "invoice_line_id");

CREATE TABLE crm_refund (
    org INTEGER NOT NULL,
    "id" BLOB NOT NULL,
    "contact_id" BLOB NOT NULL,
    "currency" TEXT NOT NULL,
    "amount" INTEGER NOT NULL,
    "refunded_on" INTEGER NOT NULL,
    "method" TEXT CHECK ("method" IN ('cash', 'card', 'transfer', 'direct_debit', 'check', 'other')),
    "reference" TEXT,
    "notes" TEXT,
    "payment_id" BLOB,
    "credit_note_id" BLOB,
    "external_id" TEXT,
    "version" INTEGER NOT NULL,
    "created_at" INTEGER NOT NULL,
    "created_by" BLOB,
    "updated_at" INTEGER NOT NULL,
    PRIMARY KEY (org, "id"),
    FOREIGN KEY (org) REFERENCES crm_organization ("key"),
    FOREIGN KEY (org, "contact_id") REFERENCES crm_contact (org, "id"),
    FOREIGN KEY (org, "payment_id") REFERENCES crm_payment (org, "id"),
    FOREIGN KEY (org, "credit_note_id") REFERENCES crm_credit_note (org, "id")
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX crm_refund_external_id ON crm_refund (org, "external_id") WHERE "external_id" IS NOT NULL;
CREATE INDEX crm_refund_contact ON crm_refund (org, "contact_id", "currency", "refunded_on", "amount");
CREATE INDEX crm_refund_refunded_on ON crm_refund (org, "refunded_on", "currency", "contact_id", "amount");
CREATE INDEX crm_refund_payment_id ON crm_refund (org, "payment_id");
CREATE INDEX crm_refund_credit_note_id ON crm_refund (org, "credit_note_id");

ANALYZE sqlite_schema;
INSERT INTO sqlite_stat1 VALUES ('crm_credit_note', 'crm_credit_note', '1000000 100000 1');
INSERT INTO sqlite_stat1 VALUES ('crm_credit_note', 'crm_credit_note_number', '1000000 100000 1');
INSERT INTO sqlite_stat1 VALUES ('crm_credit_note', 'crm_credit_note_external_id', '1000000 100000 1');
INSERT INTO sqlite_stat1 VALUES ('crm_credit_note', 'crm_credit_note_invoice_id', '1000000 100000 10');
INSERT INTO sqlite_stat1 VALUES ('crm_credit_note', 'crm_credit_note_contact', '1000000 100000 10 3 1 1 1');
INSERT INTO sqlite_stat1 VALUES ('crm_credit_note', 'crm_credit_note_totals', '1000000 100000 33333 33 1');
INSERT INTO sqlite_stat1 VALUES ('crm_credit_note_line', 'crm_credit_note_line', '1000000 100000 1');
INSERT INTO sqlite_stat1 VALUES ('crm_credit_note_line', 'crm_credit_note_line_position', '1000000 100000 10 1');
INSERT INTO sqlite_stat1 VALUES ('crm_credit_note_line', 'crm_credit_note_line_product_id', '1000000 100000 10');
INSERT INTO sqlite_stat1 VALUES ('crm_credit_note_line', 'crm_credit_note_line_invoice_line_id', '1000000 100000 10');
INSERT INTO sqlite_stat1 VALUES ('crm_refund', 'crm_refund', '1000000 100000 1');
INSERT INTO sqlite_stat1 VALUES ('crm_refund', 'crm_refund_external_id', '1000000 100000 1');
INSERT INTO sqlite_stat1 VALUES ('crm_refund', 'crm_refund_contact', '1000000 100000 10 3 1 1');
INSERT INTO sqlite_stat1 VALUES ('crm_refund', 'crm_refund_refunded_on', '1000000 100000 100 33 1 1');
INSERT INTO sqlite_stat1 VALUES ('crm_refund', 'crm_refund_payment_id', '1000000 100000 10');
INSERT INTO sqlite_stat1 VALUES ('crm_refund', 'crm_refund_credit_note_id', '1000000 100000 10');
INSERT INTO sqlite_stat1 VALUES ('crm_series_year', 'crm_series_year', '1000000 100000 1');
INSERT INTO sqlite_stat1 VALUES ('crm_series_year', 'crm_series_year_year', '1000000 100000 10 1');
ANALYZE sqlite_schema;
