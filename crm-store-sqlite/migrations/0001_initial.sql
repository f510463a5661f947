-- The first schema. Tables, keys and indexes follow the descriptions in crm-core
-- (`cargo run -p crm-sql --example schema`); the schema test compares the two.
-- Instants are microseconds and dates days since 1970-01-01, amounts minor units, decimals millionths.
-- `org` is the organization's key; tables with full-text search have a row number, `rid`, for their index.

CREATE TABLE crm_organization (
    "id" BLOB NOT NULL,
    "key" INTEGER NOT NULL,
    "slug" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "default_currency" TEXT NOT NULL,
    "time_zone" TEXT NOT NULL,
    "default_region" TEXT,
    "payment_days" INTEGER NOT NULL,
    "unique_emails" INTEGER NOT NULL CHECK ("unique_emails" IN (0, 1)),
    "unique_phones" INTEGER NOT NULL CHECK ("unique_phones" IN (0, 1)),
    "legal_name" TEXT,
    "tax_number" TEXT,
    "address" TEXT,
    "email" TEXT,
    "phone" TEXT,
    "website" TEXT,
    "document_footer" TEXT,
    "version" INTEGER NOT NULL,
    "created_at" INTEGER NOT NULL,
    "created_by" BLOB,
    "updated_at" INTEGER NOT NULL,
    PRIMARY KEY ("id")
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX crm_organization_slug ON crm_organization ("slug");
CREATE UNIQUE INDEX crm_organization_key ON crm_organization ("key");

CREATE TABLE crm_user (
    "id" BLOB NOT NULL,
    "email" TEXT NOT NULL,
    "username" TEXT,
    "full_name" TEXT NOT NULL,
    "active" INTEGER NOT NULL CHECK ("active" IN (0, 1)),
    "password_hash" TEXT,
    "password_changed_at" INTEGER,
    "epoch" INTEGER NOT NULL,
    "memberships" INTEGER NOT NULL,
    "email_key" TEXT NOT NULL,
    "username_key" TEXT,
    "version" INTEGER NOT NULL,
    "created_at" INTEGER NOT NULL,
    "created_by" BLOB,
    "updated_at" INTEGER NOT NULL,
    PRIMARY KEY ("id")
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX crm_user_username_key ON crm_user ("username_key") WHERE "username_key" IS NOT NULL;
CREATE UNIQUE INDEX crm_user_email_key ON crm_user ("email_key");

CREATE TABLE crm_membership (
    org INTEGER NOT NULL,
    "id" BLOB NOT NULL,
    "user_id" BLOB NOT NULL,
    "role" TEXT NOT NULL CHECK ("role" IN ('owner', 'admin', 'manager', 'member', 'viewer')),
    "version" INTEGER NOT NULL,
    "created_at" INTEGER NOT NULL,
    "created_by" BLOB,
    "updated_at" INTEGER NOT NULL,
    PRIMARY KEY (org, "id"),
    FOREIGN KEY (org) REFERENCES crm_organization ("key"),
    FOREIGN KEY ("user_id") REFERENCES crm_user ("id")
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX crm_membership_user_id ON crm_membership (org, "user_id");

CREATE TABLE crm_idempotency (
    org INTEGER NOT NULL,
    "id" BLOB NOT NULL,
    "key" TEXT NOT NULL,
    "body_hash" BLOB NOT NULL,
    "at" INTEGER NOT NULL,
    "result" TEXT NOT NULL,
    PRIMARY KEY (org, "id"),
    FOREIGN KEY (org) REFERENCES crm_organization ("key")
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX crm_idempotency_key ON crm_idempotency (org, "key");

CREATE TABLE crm_audit_entry (
    org INTEGER NOT NULL,
    "id" BLOB NOT NULL,
    "seq" INTEGER,
    "at" INTEGER NOT NULL,
    "actor_kind" TEXT NOT NULL CHECK ("actor_kind" IN ('user', 'system', 'key')),
    "actor_id" BLOB,
    "command" TEXT NOT NULL,
    "entity" TEXT NOT NULL,
    "record_id" BLOB NOT NULL,
    "action" TEXT NOT NULL CHECK ("action" IN ('insert', 'update', 'delete')),
    "record_version" INTEGER NOT NULL,
    "changes" TEXT,
    "changes_hash" BLOB NOT NULL,
    "digest" BLOB NOT NULL,
    "hash" BLOB,
    PRIMARY KEY (org, "id")
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX crm_audit_entry_seq ON crm_audit_entry (org, "seq") WHERE "seq" IS NOT NULL;
CREATE INDEX crm_audit_entry_record ON crm_audit_entry (org, "record_id");

CREATE TABLE crm_number_series (
    org INTEGER NOT NULL,
    "id" BLOB NOT NULL,
    "kind" TEXT NOT NULL CHECK ("kind" IN ('invoice', 'credit_note', 'contact', 'case')),
    "prefix" TEXT,
    "digits" INTEGER NOT NULL,
    "reset" TEXT NOT NULL CHECK ("reset" IN ('never', 'year')),
    "start" INTEGER NOT NULL,
    "start_year" INTEGER,
    "first" INTEGER,
    "last" INTEGER,
    "valid_from" INTEGER,
    "valid_until" INTEGER,
    "warn_percent" INTEGER,
    "authorisation" TEXT,
    "next" INTEGER NOT NULL,
    "version" INTEGER NOT NULL,
    "created_at" INTEGER NOT NULL,
    "created_by" BLOB,
    "updated_at" INTEGER NOT NULL,
    PRIMARY KEY (org, "id"),
    FOREIGN KEY (org) REFERENCES crm_organization ("key")
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX crm_number_series_kind ON crm_number_series (org, "kind");

CREATE TABLE crm_contact (
    rid INTEGER PRIMARY KEY,
    org INTEGER NOT NULL,
    "id" BLOB NOT NULL,
    "kind" TEXT NOT NULL CHECK ("kind" IN ('person', 'company')),
    "given_name" TEXT,
    "family_name" TEXT,
    "company_name" TEXT,
    "company_id" BLOB,
    "email" TEXT,
    "phone" TEXT,
    "phone_raw" TEXT,
    "address_line" TEXT,
    "city" TEXT,
    "region" TEXT,
    "postal_code" TEXT,
    "country" TEXT,
    "tax_scheme" TEXT,
    "tax_number" TEXT,
    "account_number" TEXT,
    "stratum" INTEGER,
    "payment_days" INTEGER,
    "code" TEXT,
    "external_id" TEXT,
    "instagram" TEXT,
    "owner_id" BLOB,
    "source" TEXT CHECK ("source" IN ('web', 'whatsapp', 'instagram', 'email', 'phone', 'referral', 'manual')),
    "notes" TEXT,
    "custom" TEXT,
    "email_claim" TEXT,
    "phone_claim" TEXT,
    "name_key" TEXT NOT NULL,
    "email_key" TEXT,
    "search" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "created_at" INTEGER NOT NULL,
    "created_by" BLOB,
    "updated_at" INTEGER NOT NULL,
    "archived_at" INTEGER,
    UNIQUE (org, "id"),
    FOREIGN KEY (org) REFERENCES crm_organization ("key"),
    FOREIGN KEY (org, "company_id") REFERENCES crm_contact (org, "id"),
    FOREIGN KEY ("owner_id") REFERENCES crm_user ("id")
) STRICT;
CREATE UNIQUE INDEX crm_contact_phone_claim ON crm_contact (org, "phone_claim") WHERE "phone_claim" IS NOT NULL;
CREATE UNIQUE INDEX crm_contact_email_claim ON crm_contact (org, "email_claim") WHERE "email_claim" IS NOT NULL;
CREATE UNIQUE INDEX crm_contact_tax_number ON crm_contact (org, "tax_scheme", "tax_number") WHERE "tax_scheme" IS NOT NULL AND "tax_number" IS NOT NULL;
CREATE UNIQUE INDEX crm_contact_external_id ON crm_contact (org, "external_id") WHERE "external_id" IS NOT NULL;
CREATE UNIQUE INDEX crm_contact_code ON crm_contact (org, "code") WHERE "code" IS NOT NULL;
CREATE UNIQUE INDEX crm_contact_account_number ON crm_contact (org, "account_number") WHERE "account_number" IS NOT NULL;
CREATE INDEX crm_contact_company_id ON crm_contact (org, "company_id");
CREATE INDEX crm_contact_owner_id ON crm_contact (org, "owner_id");
CREATE INDEX crm_contact_name_key ON crm_contact (org, "name_key", "id");
CREATE INDEX crm_contact_email_key ON crm_contact (org, "email_key");
CREATE VIRTUAL TABLE crm_contact_search USING fts5(org, search, content='', contentless_delete=1, tokenize='ascii', prefix='2 3');

CREATE TABLE crm_product (
    rid INTEGER PRIMARY KEY,
    org INTEGER NOT NULL,
    "id" BLOB NOT NULL,
    "name" TEXT NOT NULL,
    "sku" TEXT,
    "kind" TEXT NOT NULL CHECK ("kind" IN ('product', 'service')),
    "unit_price" INTEGER NOT NULL,
    "currency" TEXT NOT NULL,
    "tax_percent" INTEGER NOT NULL,
    "description" TEXT,
    "external_id" TEXT,
    "name_key" TEXT NOT NULL,
    "search" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "created_at" INTEGER NOT NULL,
    "created_by" BLOB,
    "updated_at" INTEGER NOT NULL,
    "archived_at" INTEGER,
    UNIQUE (org, "id"),
    FOREIGN KEY (org) REFERENCES crm_organization ("key")
) STRICT;
CREATE UNIQUE INDEX crm_product_external_id ON crm_product (org, "external_id") WHERE "external_id" IS NOT NULL;
CREATE UNIQUE INDEX crm_product_sku ON crm_product (org, "sku") WHERE "sku" IS NOT NULL;
CREATE INDEX crm_product_name_key ON crm_product (org, "name_key", "id");
CREATE VIRTUAL TABLE crm_product_search USING fts5(org, search, content='', contentless_delete=1, tokenize='ascii', prefix='2 3');

CREATE TABLE crm_invoice (
    org INTEGER NOT NULL,
    "id" BLOB NOT NULL,
    "number" TEXT,
    "contact_id" BLOB NOT NULL,
    "currency" TEXT NOT NULL,
    "status" TEXT NOT NULL CHECK ("status" IN ('draft', 'open', 'paid', 'void', 'uncollectible')),
    "issued_on" INTEGER,
    "due_on" INTEGER,
    "subtotal" INTEGER NOT NULL,
    "tax" INTEGER NOT NULL,
    "total" INTEGER NOT NULL,
    "paid" INTEGER NOT NULL,
    "offset" INTEGER NOT NULL,
    "credited" INTEGER NOT NULL,
    "applied_on" INTEGER,
    "written_off_on" INTEGER,
    "voided_on" INTEGER,
    "reopened_on" INTEGER,
    "settled_on" INTEGER,
    "buyer" TEXT,
    "notes" TEXT,
    "external_id" TEXT,
    "balance" INTEGER NOT NULL,
    "open_until" INTEGER NOT NULL,
    "version" INTEGER NOT NULL,
    "created_at" INTEGER NOT NULL,
    "created_by" BLOB,
    "updated_at" INTEGER NOT NULL,
    PRIMARY KEY (org, "id"),
    FOREIGN KEY (org) REFERENCES crm_organization ("key"),
    FOREIGN KEY (org, "contact_id") REFERENCES crm_contact (org, "id")
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX crm_invoice_external_id ON crm_invoice (org, "external_id") WHERE "external_id" IS NOT NULL;
CREATE UNIQUE INDEX crm_invoice_number ON crm_invoice (org, "number") WHERE "number" IS NOT NULL;
CREATE INDEX crm_invoice_contact ON crm_invoice (org, "contact_id", "currency", "status", "issued_on", "settled_on", "due_on", "total", "paid", "balance", "voided_on");
CREATE INDEX crm_invoice_totals ON crm_invoice (org, "currency", "status", "issued_on", "settled_on", "due_on", "total", "paid", "balance", "voided_on");
CREATE INDEX crm_invoice_open ON crm_invoice (org, "open_until", "currency", "contact_id", "due_on", "issued_on", "balance");

CREATE TABLE crm_invoice_line (
    org INTEGER NOT NULL,
    "id" BLOB NOT NULL,
    "invoice_id" BLOB NOT NULL,
    "position" INTEGER NOT NULL,
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
    FOREIGN KEY (org, "invoice_id") REFERENCES crm_invoice (org, "id"),
    FOREIGN KEY (org, "product_id") REFERENCES crm_product (org, "id")
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX crm_invoice_line_position ON crm_invoice_line (org, "invoice_id", "position");
CREATE INDEX crm_invoice_line_product_id ON crm_invoice_line (org, "product_id");

CREATE TABLE crm_payment (
    org INTEGER NOT NULL,
    "id" BLOB NOT NULL,
    "contact_id" BLOB NOT NULL,
    "currency" TEXT NOT NULL,
    "amount" INTEGER NOT NULL,
    "unapplied" INTEGER NOT NULL,
    "refunded" INTEGER NOT NULL,
    "received_on" INTEGER NOT NULL,
    "reversed_on" INTEGER,
    "reversal_reason" TEXT,
    "method" TEXT CHECK ("method" IN ('cash', 'card', 'transfer', 'direct_debit', 'check', 'other')),
    "reference" TEXT,
    "notes" TEXT,
    "external_id" TEXT,
    "version" INTEGER NOT NULL,
    "created_at" INTEGER NOT NULL,
    "created_by" BLOB,
    "updated_at" INTEGER NOT NULL,
    PRIMARY KEY (org, "id"),
    FOREIGN KEY (org) REFERENCES crm_organization ("key"),
    FOREIGN KEY (org, "contact_id") REFERENCES crm_contact (org, "id")
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX crm_payment_external_id ON crm_payment (org, "external_id") WHERE "external_id" IS NOT NULL;
CREATE INDEX crm_payment_contact ON crm_payment (org, "contact_id", "currency", "received_on", "amount", "unapplied", "reversed_on");
CREATE INDEX crm_payment_totals ON crm_payment (org, "currency", "received_on", "amount", "unapplied", "reversed_on");

CREATE TABLE crm_allocation (
    org INTEGER NOT NULL,
    "id" BLOB NOT NULL,
    "payment_id" BLOB,
    "credit_note_id" BLOB,
    "invoice_id" BLOB NOT NULL,
    "contact_id" BLOB NOT NULL,
    "currency" TEXT NOT NULL,
    "source" TEXT NOT NULL CHECK ("source" IN ('payment', 'credit', 'offset')),
    "amount" INTEGER NOT NULL,
    "applied_on" INTEGER NOT NULL,
    "restated_on" INTEGER NOT NULL,
    "undoes" BLOB,
    "written_off" INTEGER NOT NULL CHECK ("written_off" IN (0, 1)),
    PRIMARY KEY (org, "id"),
    FOREIGN KEY (org) REFERENCES crm_organization ("key"),
    FOREIGN KEY (org, "payment_id") REFERENCES crm_payment (org, "id"),
    FOREIGN KEY (org, "credit_note_id") REFERENCES crm_credit_note (org, "id"),
    FOREIGN KEY (org, "invoice_id") REFERENCES crm_invoice (org, "id"),
    FOREIGN KEY (org, "contact_id") REFERENCES crm_contact (org, "id"),
    FOREIGN KEY (org, "undoes") REFERENCES crm_allocation (org, "id")
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX crm_allocation_undoes ON crm_allocation (org, "undoes") WHERE "undoes" IS NOT NULL;
CREATE INDEX crm_allocation_payment_id ON crm_allocation (org, "payment_id");
CREATE INDEX crm_allocation_credit_note_id ON crm_allocation (org, "credit_note_id");
CREATE INDEX crm_allocation_invoice_id ON crm_allocation (org, "invoice_id");
CREATE INDEX crm_allocation_contact_id ON crm_allocation (org, "contact_id");
CREATE INDEX crm_allocation_applied_on ON crm_allocation (org, "applied_on");

ANALYZE sqlite_schema;
INSERT INTO sqlite_stat1 VALUES ('crm_organization', 'crm_organization', '1000000 1');
INSERT INTO sqlite_stat1 VALUES ('crm_organization', 'crm_organization_key', '1000000 1');
INSERT INTO sqlite_stat1 VALUES ('crm_organization', 'crm_organization_slug', '1000000 1');
INSERT INTO sqlite_stat1 VALUES ('crm_user', 'crm_user', '1000000 1');
INSERT INTO sqlite_stat1 VALUES ('crm_user', 'crm_user_email_key', '1000000 1');
INSERT INTO sqlite_stat1 VALUES ('crm_user', 'crm_user_username_key', '1000000 1');
INSERT INTO sqlite_stat1 VALUES ('crm_membership', 'crm_membership', '1000000 100000 1');
INSERT INTO sqlite_stat1 VALUES ('crm_membership', 'crm_membership_user_id', '1000000 100000 1');
INSERT INTO sqlite_stat1 VALUES ('crm_idempotency', 'crm_idempotency', '1000000 100000 1');
INSERT INTO sqlite_stat1 VALUES ('crm_idempotency', 'crm_idempotency_key', '1000000 100000 1');
INSERT INTO sqlite_stat1 VALUES ('crm_audit_entry', 'crm_audit_entry', '1000000 100000 1');
INSERT INTO sqlite_stat1 VALUES ('crm_audit_entry', 'crm_audit_entry_seq', '1000000 100000 1');
INSERT INTO sqlite_stat1 VALUES ('crm_audit_entry', 'crm_audit_entry_record', '1000000 100000 10');
INSERT INTO sqlite_stat1 VALUES ('crm_number_series', 'crm_number_series', '1000000 100000 1');
INSERT INTO sqlite_stat1 VALUES ('crm_number_series', 'crm_number_series_kind', '1000000 100000 1');
INSERT INTO sqlite_stat1 VALUES ('crm_contact', 'sqlite_autoindex_crm_contact_1', '1000000 100000 1');
INSERT INTO sqlite_stat1 VALUES ('crm_contact', 'crm_contact_account_number', '1000000 100000 1');
INSERT INTO sqlite_stat1 VALUES ('crm_contact', 'crm_contact_code', '1000000 100000 1');
INSERT INTO sqlite_stat1 VALUES ('crm_contact', 'crm_contact_external_id', '1000000 100000 1');
INSERT INTO sqlite_stat1 VALUES ('crm_contact', 'crm_contact_tax_number', '1000000 100000 2 1');
INSERT INTO sqlite_stat1 VALUES ('crm_contact', 'crm_contact_email_claim', '1000000 100000 1');
INSERT INTO sqlite_stat1 VALUES ('crm_contact', 'crm_contact_phone_claim', '1000000 100000 1');
INSERT INTO sqlite_stat1 VALUES ('crm_contact', 'crm_contact_company_id', '1000000 100000 10');
INSERT INTO sqlite_stat1 VALUES ('crm_contact', 'crm_contact_owner_id', '1000000 100000 1000');
INSERT INTO sqlite_stat1 VALUES ('crm_contact', 'crm_contact_name_key', '1000000 100000 2 1');
INSERT INTO sqlite_stat1 VALUES ('crm_contact', 'crm_contact_email_key', '1000000 100000 2');
INSERT INTO sqlite_stat1 VALUES ('crm_product', 'sqlite_autoindex_crm_product_1', '1000000 100000 1');
INSERT INTO sqlite_stat1 VALUES ('crm_product', 'crm_product_sku', '1000000 100000 1');
INSERT INTO sqlite_stat1 VALUES ('crm_product', 'crm_product_external_id', '1000000 100000 1');
INSERT INTO sqlite_stat1 VALUES ('crm_product', 'crm_product_name_key', '1000000 100000 2 1');
INSERT INTO sqlite_stat1 VALUES ('crm_invoice', 'crm_invoice', '1000000 100000 1');
INSERT INTO sqlite_stat1 VALUES ('crm_invoice', 'crm_invoice_number', '1000000 100000 1');
INSERT INTO sqlite_stat1 VALUES ('crm_invoice', 'crm_invoice_external_id', '1000000 100000 1');
INSERT INTO sqlite_stat1 VALUES ('crm_invoice', 'crm_invoice_contact', '1000000 100000 10 3 1 1 1 1 1 1 1 1');
INSERT INTO sqlite_stat1 VALUES ('crm_invoice', 'crm_invoice_totals', '1000000 100000 33333 6666 6 1 1 1 1 1 1');
INSERT INTO sqlite_stat1 VALUES ('crm_invoice', 'crm_invoice_open', '1000000 100000 100 33 1 1 1 1');
INSERT INTO sqlite_stat1 VALUES ('crm_invoice_line', 'crm_invoice_line', '1000000 100000 1');
INSERT INTO sqlite_stat1 VALUES ('crm_invoice_line', 'crm_invoice_line_position', '1000000 100000 10 1');
INSERT INTO sqlite_stat1 VALUES ('crm_invoice_line', 'crm_invoice_line_product_id', '1000000 100000 10');
INSERT INTO sqlite_stat1 VALUES ('crm_payment', 'crm_payment', '1000000 100000 1');
INSERT INTO sqlite_stat1 VALUES ('crm_payment', 'crm_payment_external_id', '1000000 100000 1');
INSERT INTO sqlite_stat1 VALUES ('crm_payment', 'crm_payment_contact', '1000000 100000 10 3 1 1 1 1');
INSERT INTO sqlite_stat1 VALUES ('crm_payment', 'crm_payment_totals', '1000000 100000 33333 33 1 1 1');
INSERT INTO sqlite_stat1 VALUES ('crm_allocation', 'crm_allocation', '1000000 100000 1');
INSERT INTO sqlite_stat1 VALUES ('crm_allocation', 'crm_allocation_payment_id', '1000000 100000 10');
INSERT INTO sqlite_stat1 VALUES ('crm_allocation', 'crm_allocation_undoes', '1000000 100000 1');
INSERT INTO sqlite_stat1 VALUES ('crm_allocation', 'crm_allocation_credit_note_id', '1000000 100000 10');
INSERT INTO sqlite_stat1 VALUES ('crm_allocation', 'crm_allocation_invoice_id', '1000000 100000 10');
INSERT INTO sqlite_stat1 VALUES ('crm_allocation', 'crm_allocation_contact_id', '1000000 100000 10');
INSERT INTO sqlite_stat1 VALUES ('crm_allocation', 'crm_allocation_applied_on', '1000000 100000 100');
ANALYZE sqlite_schema;
