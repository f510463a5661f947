-- Version 3: the money side. As in the first one, tables, keys and indexes follow the descriptions in crm-core, and the
-- schema test compares the two.

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

CREATE TABLE crm_credit_note (
    org BIGINT NOT NULL,
    "id" UUID NOT NULL,
    "number" TEXT COLLATE "C",
    "invoice_id" UUID NOT NULL,
    "contact_id" UUID NOT NULL,
    "currency" TEXT COLLATE "C" NOT NULL,
    "issued_on" DATE NOT NULL,
    "reason" TEXT COLLATE "C" NOT NULL,
    "subtotal" BIGINT NOT NULL,
    "tax" BIGINT NOT NULL,
    "total" BIGINT NOT NULL,
    "refund" BIGINT NOT NULL,
    "credit" BIGINT NOT NULL,
    "offset" BIGINT NOT NULL,
    "unapplied" BIGINT NOT NULL,
    "refunded" BIGINT NOT NULL,
    "buyer" TEXT,
    "notes" TEXT COLLATE "C",
    "external_id" TEXT COLLATE "C",
    "version" BIGINT NOT NULL,
    "created_at" TIMESTAMPTZ NOT NULL,
    "created_by" UUID,
    "updated_at" TIMESTAMPTZ NOT NULL,
    CONSTRAINT crm_credit_note_pkey PRIMARY KEY (org, "id"),
    CONSTRAINT crm_credit_note_number UNIQUE (org, "number") DEFERRABLE,
    CONSTRAINT crm_credit_note_external_id UNIQUE (org, "external_id") DEFERRABLE
);
CREATE INDEX crm_credit_note_invoice_id ON crm_credit_note (org, "invoice_id");
CREATE INDEX crm_credit_note_contact ON crm_credit_note (org, "contact_id", "currency", "issued_on", "total", "unapplied");
CREATE INDEX crm_credit_note_totals ON crm_credit_note (org, "currency", "issued_on", "unapplied");

CREATE TABLE crm_credit_note_line (
    org BIGINT NOT NULL,
    "id" UUID NOT NULL,
    "credit_note_id" UUID NOT NULL,
    "position" BIGINT NOT NULL,
    "invoice_line_id" UUID,
    "product_id" UUID,
    "description" TEXT COLLATE "C" NOT NULL,
    "quantity" BIGINT NOT NULL,
    "unit_price" BIGINT NOT NULL,
    "discount_percent" BIGINT,
    "discount" BIGINT NOT NULL,
    "tax_percent" BIGINT NOT NULL,
    "currency" TEXT COLLATE "C" NOT NULL,
    "net" BIGINT NOT NULL,
    "tax" BIGINT NOT NULL,
    CONSTRAINT crm_credit_note_line_pkey PRIMARY KEY (org, "id"),
    CONSTRAINT crm_credit_note_line_position UNIQUE (org, "credit_note_id", "position") DEFERRABLE
);
CREATE INDEX crm_credit_note_line_product_id ON crm_credit_note_line (org, "product_id");
CREATE INDEX crm_credit_note_line_invoice_line_id ON crm_credit_note_line (org, "invoice_line_id");

CREATE TABLE crm_refund (
    org BIGINT NOT NULL,
    "id" UUID NOT NULL,
    "contact_id" UUID NOT NULL,
    "currency" TEXT COLLATE "C" NOT NULL,
    "amount" BIGINT NOT NULL,
    "refunded_on" DATE NOT NULL,
    "method" TEXT COLLATE "C" CHECK ("method" IN ('cash', 'card', 'transfer', 'direct_debit', 'check', 'other')),
    "reference" TEXT COLLATE "C",
    "notes" TEXT COLLATE "C",
    "payment_id" UUID,
    "credit_note_id" UUID,
    "external_id" TEXT COLLATE "C",
    "version" BIGINT NOT NULL,
    "created_at" TIMESTAMPTZ NOT NULL,
    "created_by" UUID,
    "updated_at" TIMESTAMPTZ NOT NULL,
    CONSTRAINT crm_refund_pkey PRIMARY KEY (org, "id"),
    CONSTRAINT crm_refund_external_id UNIQUE (org, "external_id") DEFERRABLE
);
CREATE INDEX crm_refund_contact ON crm_refund (org, "contact_id", "currency", "refunded_on", "amount");
CREATE INDEX crm_refund_refunded_on ON crm_refund (org, "refunded_on", "currency", "contact_id", "amount");
CREATE INDEX crm_refund_payment_id ON crm_refund (org, "payment_id");
CREATE INDEX crm_refund_credit_note_id ON crm_refund (org, "credit_note_id");

ALTER TABLE crm_credit_note ADD CONSTRAINT crm_credit_note_org_fkey FOREIGN KEY (org) REFERENCES crm_organization ("key");
ALTER TABLE crm_credit_note ADD CONSTRAINT crm_credit_note_invoice_id_fkey FOREIGN KEY (org, "invoice_id") REFERENCES crm_invoice (org, "id");
ALTER TABLE crm_credit_note ADD CONSTRAINT crm_credit_note_contact_id_fkey FOREIGN KEY (org, "contact_id") REFERENCES crm_contact (org, "id");
ALTER TABLE crm_credit_note_line ADD CONSTRAINT crm_credit_note_line_org_fkey FOREIGN KEY (org) REFERENCES crm_organization ("key");
ALTER TABLE crm_credit_note_line ADD CONSTRAINT crm_credit_note_line_credit_note_id_fkey FOREIGN KEY (org, "credit_note_id") REFERENCES crm_credit_note (org, "id");
ALTER TABLE crm_credit_note_line ADD CONSTRAINT crm_credit_note_line_invoice_line_id_fkey FOREIGN KEY (org, "invoice_line_id") REFERENCES crm_invoice_line (org, "id");
ALTER TABLE crm_credit_note_line ADD CONSTRAINT crm_credit_note_line_product_id_fkey FOREIGN KEY (org, "product_id") REFERENCES crm_product (org, "id");
ALTER TABLE crm_allocation ADD CONSTRAINT crm_allocation_credit_note_id_fkey FOREIGN KEY (org, "credit_note_id") REFERENCES crm_credit_note (org, "id");
ALTER TABLE crm_refund ADD CONSTRAINT crm_refund_org_fkey FOREIGN KEY (org) REFERENCES crm_organization ("key");
ALTER TABLE crm_refund ADD CONSTRAINT crm_refund_contact_id_fkey FOREIGN KEY (org, "contact_id") REFERENCES crm_contact (org, "id");
ALTER TABLE crm_refund ADD CONSTRAINT crm_refund_payment_id_fkey FOREIGN KEY (org, "payment_id") REFERENCES crm_payment (org, "id");
ALTER TABLE crm_refund ADD CONSTRAINT crm_refund_credit_note_id_fkey FOREIGN KEY (org, "credit_note_id") REFERENCES crm_credit_note (org, "id");
