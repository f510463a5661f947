-- Schema version 1. Never edited once released; later versions have files of their own.
--
-- Tables, columns and indexes are those of the descriptions in crm-core, and a test holds them equal. Uniques are
-- checked at the end of each statement, since one statement writes a whole change-set, in which one record may take a
-- value that another gives up. The key of an organization is not, since references point to it.

-- Fails the statement that a change-set is written with when a query of it did not find as many rows as it must.
CREATE FUNCTION crm_expect(actual BIGINT, expected BIGINT, what TEXT) RETURNS BOOLEAN LANGUAGE plpgsql AS $$
BEGIN
    IF actual IS DISTINCT FROM expected THEN
        RAISE EXCEPTION USING ERRCODE = 'CRM01', MESSAGE = what;
    END IF;
    RETURN TRUE;
END
$$;

CREATE TABLE crm_organization (
    "id" UUID NOT NULL,
    "key" BIGINT NOT NULL,
    "slug" TEXT COLLATE "C" NOT NULL,
    "name" TEXT COLLATE "C" NOT NULL,
    "default_currency" TEXT COLLATE "C" NOT NULL,
    "time_zone" TEXT COLLATE "C" NOT NULL,
    "default_region" TEXT COLLATE "C",
    "payment_days" BIGINT NOT NULL,
    "unique_emails" BOOLEAN NOT NULL,
    "unique_phones" BOOLEAN NOT NULL,
    "legal_name" TEXT COLLATE "C",
    "tax_number" TEXT COLLATE "C",
    "address" TEXT COLLATE "C",
    "email" TEXT COLLATE "C",
    "phone" TEXT COLLATE "C",
    "website" TEXT COLLATE "C",
    "document_footer" TEXT COLLATE "C",
    "version" BIGINT NOT NULL,
    "created_at" TIMESTAMPTZ NOT NULL,
    "created_by" UUID,
    "updated_at" TIMESTAMPTZ NOT NULL,
    CONSTRAINT crm_organization_pkey PRIMARY KEY ("id"),
    CONSTRAINT crm_organization_key UNIQUE ("key"),
    CONSTRAINT crm_organization_slug UNIQUE ("slug") DEFERRABLE
);

CREATE TABLE crm_user (
    "id" UUID NOT NULL,
    "email" TEXT COLLATE "C" NOT NULL,
    "username" TEXT COLLATE "C",
    "full_name" TEXT COLLATE "C" NOT NULL,
    "active" BOOLEAN NOT NULL,
    "password_hash" TEXT COLLATE "C",
    "password_changed_at" TIMESTAMPTZ,
    "epoch" BIGINT NOT NULL,
    "memberships" BIGINT NOT NULL,
    "email_key" TEXT COLLATE "C" NOT NULL,
    "username_key" TEXT COLLATE "C",
    "version" BIGINT NOT NULL,
    "created_at" TIMESTAMPTZ NOT NULL,
    "created_by" UUID,
    "updated_at" TIMESTAMPTZ NOT NULL,
    CONSTRAINT crm_user_pkey PRIMARY KEY ("id"),
    CONSTRAINT crm_user_email_key UNIQUE ("email_key") DEFERRABLE,
    CONSTRAINT crm_user_username_key UNIQUE ("username_key") DEFERRABLE
);

CREATE TABLE crm_membership (
    org BIGINT NOT NULL,
    "id" UUID NOT NULL,
    "user_id" UUID NOT NULL,
    "role" TEXT COLLATE "C" NOT NULL CHECK ("role" IN ('owner', 'admin', 'manager', 'member', 'viewer')),
    "version" BIGINT NOT NULL,
    "created_at" TIMESTAMPTZ NOT NULL,
    "created_by" UUID,
    "updated_at" TIMESTAMPTZ NOT NULL,
    CONSTRAINT crm_membership_pkey PRIMARY KEY (org, "id"),
    CONSTRAINT crm_membership_user_id UNIQUE (org, "user_id") DEFERRABLE
);

CREATE TABLE crm_idempotency (
    org BIGINT NOT NULL,
    "id" UUID NOT NULL,
    "key" TEXT COLLATE "C" NOT NULL,
    "body_hash" BYTEA NOT NULL,
    "at" TIMESTAMPTZ NOT NULL,
    "result" TEXT NOT NULL,
    CONSTRAINT crm_idempotency_pkey PRIMARY KEY (org, "id"),
    CONSTRAINT crm_idempotency_key UNIQUE (org, "key") DEFERRABLE
);

CREATE TABLE crm_audit_entry (
    org BIGINT NOT NULL,
    "id" UUID NOT NULL,
    "seq" BIGINT,
    "at" TIMESTAMPTZ NOT NULL,
    "actor_kind" TEXT COLLATE "C" NOT NULL CHECK ("actor_kind" IN ('user', 'system', 'key')),
    "actor_id" UUID,
    "command" TEXT COLLATE "C" NOT NULL,
    "entity" TEXT COLLATE "C" NOT NULL,
    "record_id" UUID NOT NULL,
    "action" TEXT COLLATE "C" NOT NULL CHECK ("action" IN ('insert', 'update', 'delete')),
    "record_version" BIGINT NOT NULL,
    "changes" TEXT,
    "changes_hash" BYTEA NOT NULL,
    "digest" BYTEA NOT NULL,
    "hash" BYTEA,
    CONSTRAINT crm_audit_entry_pkey PRIMARY KEY (org, "id"),
    CONSTRAINT crm_audit_entry_seq UNIQUE (org, "seq") DEFERRABLE
);
CREATE INDEX crm_audit_entry_record ON crm_audit_entry (org, "record_id");

CREATE TABLE crm_number_series (
    org BIGINT NOT NULL,
    "id" UUID NOT NULL,
    "kind" TEXT COLLATE "C" NOT NULL CHECK ("kind" IN ('invoice', 'credit_note', 'contact', 'case')),
    "prefix" TEXT COLLATE "C",
    "digits" BIGINT NOT NULL,
    "reset" TEXT COLLATE "C" NOT NULL CHECK ("reset" IN ('never', 'year')),
    "start" BIGINT NOT NULL,
    "start_year" BIGINT,
    "first" BIGINT,
    "last" BIGINT,
    "valid_from" DATE,
    "valid_until" DATE,
    "warn_percent" BIGINT,
    "authorisation" TEXT COLLATE "C",
    "next" BIGINT NOT NULL,
    "version" BIGINT NOT NULL,
    "created_at" TIMESTAMPTZ NOT NULL,
    "created_by" UUID,
    "updated_at" TIMESTAMPTZ NOT NULL,
    CONSTRAINT crm_number_series_pkey PRIMARY KEY (org, "id"),
    CONSTRAINT crm_number_series_kind UNIQUE (org, "kind") DEFERRABLE
);

CREATE TABLE crm_contact (
    org BIGINT NOT NULL,
    "id" UUID NOT NULL,
    "kind" TEXT COLLATE "C" NOT NULL CHECK ("kind" IN ('person', 'company')),
    "given_name" TEXT COLLATE "C",
    "family_name" TEXT COLLATE "C",
    "company_name" TEXT COLLATE "C",
    "company_id" UUID,
    "email" TEXT COLLATE "C",
    "phone" TEXT COLLATE "C",
    "phone_raw" TEXT COLLATE "C",
    "address_line" TEXT COLLATE "C",
    "city" TEXT COLLATE "C",
    "region" TEXT COLLATE "C",
    "postal_code" TEXT COLLATE "C",
    "country" TEXT COLLATE "C",
    "tax_scheme" TEXT COLLATE "C",
    "tax_number" TEXT COLLATE "C",
    "account_number" TEXT COLLATE "C",
    "stratum" BIGINT,
    "payment_days" BIGINT,
    "code" TEXT COLLATE "C",
    "external_id" TEXT COLLATE "C",
    "instagram" TEXT COLLATE "C",
    "owner_id" UUID,
    "source" TEXT COLLATE "C" CHECK ("source" IN ('web', 'whatsapp', 'instagram', 'email', 'phone', 'referral', 'manual')),
    "notes" TEXT COLLATE "C",
    "custom" TEXT,
    "email_claim" TEXT COLLATE "C",
    "phone_claim" TEXT COLLATE "C",
    "name_key" TEXT COLLATE "C" NOT NULL,
    "email_key" TEXT COLLATE "C",
    "search" TEXT COLLATE "C" NOT NULL,
    "version" BIGINT NOT NULL,
    "created_at" TIMESTAMPTZ NOT NULL,
    "created_by" UUID,
    "updated_at" TIMESTAMPTZ NOT NULL,
    "archived_at" TIMESTAMPTZ,
    CONSTRAINT crm_contact_pkey PRIMARY KEY (org, "id"),
    CONSTRAINT crm_contact_account_number UNIQUE (org, "account_number") DEFERRABLE,
    CONSTRAINT crm_contact_code UNIQUE (org, "code") DEFERRABLE,
    CONSTRAINT crm_contact_external_id UNIQUE (org, "external_id") DEFERRABLE,
    CONSTRAINT crm_contact_tax_number UNIQUE (org, "tax_scheme", "tax_number") DEFERRABLE,
    CONSTRAINT crm_contact_email_claim UNIQUE (org, "email_claim") DEFERRABLE,
    CONSTRAINT crm_contact_phone_claim UNIQUE (org, "phone_claim") DEFERRABLE
);
CREATE INDEX crm_contact_company_id ON crm_contact (org, "company_id");
CREATE INDEX crm_contact_owner_id ON crm_contact (org, "owner_id");
CREATE INDEX crm_contact_name_key ON crm_contact (org, "name_key", "id");
CREATE INDEX crm_contact_email_key ON crm_contact (org, "email_key");
CREATE INDEX crm_contact_search ON crm_contact USING GIN ((array_to_tsvector(array_remove(string_to_array('@' || org::TEXT || ' ' || "search", ' '), ''))));

CREATE TABLE crm_product (
    org BIGINT NOT NULL,
    "id" UUID NOT NULL,
    "name" TEXT COLLATE "C" NOT NULL,
    "sku" TEXT COLLATE "C",
    "kind" TEXT COLLATE "C" NOT NULL CHECK ("kind" IN ('product', 'service')),
    "unit_price" BIGINT NOT NULL,
    "currency" TEXT COLLATE "C" NOT NULL,
    "tax_percent" BIGINT NOT NULL,
    "description" TEXT COLLATE "C",
    "external_id" TEXT COLLATE "C",
    "name_key" TEXT COLLATE "C" NOT NULL,
    "search" TEXT COLLATE "C" NOT NULL,
    "version" BIGINT NOT NULL,
    "created_at" TIMESTAMPTZ NOT NULL,
    "created_by" UUID,
    "updated_at" TIMESTAMPTZ NOT NULL,
    "archived_at" TIMESTAMPTZ,
    CONSTRAINT crm_product_pkey PRIMARY KEY (org, "id"),
    CONSTRAINT crm_product_sku UNIQUE (org, "sku") DEFERRABLE,
    CONSTRAINT crm_product_external_id UNIQUE (org, "external_id") DEFERRABLE
);
CREATE INDEX crm_product_name_key ON crm_product (org, "name_key", "id");
CREATE INDEX crm_product_search ON crm_product USING GIN ((array_to_tsvector(array_remove(string_to_array('@' || org::TEXT || ' ' || "search", ' '), ''))));

CREATE TABLE crm_invoice (
    org BIGINT NOT NULL,
    "id" UUID NOT NULL,
    "number" TEXT COLLATE "C",
    "contact_id" UUID NOT NULL,
    "currency" TEXT COLLATE "C" NOT NULL,
    "status" TEXT COLLATE "C" NOT NULL CHECK ("status" IN ('draft', 'open', 'paid', 'void', 'uncollectible')),
    "issued_on" DATE,
    "due_on" DATE,
    "subtotal" BIGINT NOT NULL,
    "tax" BIGINT NOT NULL,
    "total" BIGINT NOT NULL,
    "paid" BIGINT NOT NULL,
    "offset" BIGINT NOT NULL,
    "credited" BIGINT NOT NULL,
    "applied_on" DATE,
    "written_off_on" DATE,
    "voided_on" DATE,
    "reopened_on" DATE,
    "settled_on" DATE,
    "buyer" TEXT,
    "notes" TEXT COLLATE "C",
    "external_id" TEXT COLLATE "C",
    "balance" BIGINT NOT NULL,
    "open_until" DATE NOT NULL,
    "version" BIGINT NOT NULL,
    "created_at" TIMESTAMPTZ NOT NULL,
    "created_by" UUID,
    "updated_at" TIMESTAMPTZ NOT NULL,
    CONSTRAINT crm_invoice_pkey PRIMARY KEY (org, "id"),
    CONSTRAINT crm_invoice_number UNIQUE (org, "number") DEFERRABLE,
    CONSTRAINT crm_invoice_external_id UNIQUE (org, "external_id") DEFERRABLE
);
CREATE INDEX crm_invoice_contact ON crm_invoice (org, "contact_id", "currency", "status", "issued_on", "settled_on", "due_on", "total", "paid", "balance", "voided_on");
CREATE INDEX crm_invoice_totals ON crm_invoice (org, "currency", "status", "issued_on", "settled_on", "due_on", "total", "paid", "balance", "voided_on");
CREATE INDEX crm_invoice_open ON crm_invoice (org, "open_until", "currency", "contact_id", "due_on", "issued_on", "balance");

CREATE TABLE crm_invoice_line (
    org BIGINT NOT NULL,
    "id" UUID NOT NULL,
    "invoice_id" UUID NOT NULL,
    "position" BIGINT NOT NULL,
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
    CONSTRAINT crm_invoice_line_pkey PRIMARY KEY (org, "id"),
    CONSTRAINT crm_invoice_line_position UNIQUE (org, "invoice_id", "position") DEFERRABLE
);
CREATE INDEX crm_invoice_line_product_id ON crm_invoice_line (org, "product_id");

CREATE TABLE crm_payment (
    org BIGINT NOT NULL,
    "id" UUID NOT NULL,
    "contact_id" UUID NOT NULL,
    "currency" TEXT COLLATE "C" NOT NULL,
    "amount" BIGINT NOT NULL,
    "unapplied" BIGINT NOT NULL,
    "refunded" BIGINT NOT NULL,
    "received_on" DATE NOT NULL,
    "reversed_on" DATE,
    "reversal_reason" TEXT COLLATE "C",
    "method" TEXT COLLATE "C" CHECK ("method" IN ('cash', 'card', 'transfer', 'direct_debit', 'check', 'other')),
    "reference" TEXT COLLATE "C",
    "notes" TEXT COLLATE "C",
    "external_id" TEXT COLLATE "C",
    "version" BIGINT NOT NULL,
    "created_at" TIMESTAMPTZ NOT NULL,
    "created_by" UUID,
    "updated_at" TIMESTAMPTZ NOT NULL,
    CONSTRAINT crm_payment_pkey PRIMARY KEY (org, "id"),
    CONSTRAINT crm_payment_external_id UNIQUE (org, "external_id") DEFERRABLE
);
CREATE INDEX crm_payment_contact ON crm_payment (org, "contact_id", "currency", "received_on", "amount", "unapplied", "reversed_on");
CREATE INDEX crm_payment_totals ON crm_payment (org, "currency", "received_on", "amount", "unapplied", "reversed_on");

CREATE TABLE crm_allocation (
    org BIGINT NOT NULL,
    "id" UUID NOT NULL,
    "payment_id" UUID,
    "credit_note_id" UUID,
    "invoice_id" UUID NOT NULL,
    "contact_id" UUID NOT NULL,
    "currency" TEXT COLLATE "C" NOT NULL,
    "source" TEXT COLLATE "C" NOT NULL CHECK ("source" IN ('payment', 'credit', 'offset')),
    "amount" BIGINT NOT NULL,
    "applied_on" DATE NOT NULL,
    "restated_on" DATE NOT NULL,
    "undoes" UUID,
    "written_off" BOOLEAN NOT NULL,
    CONSTRAINT crm_allocation_pkey PRIMARY KEY (org, "id"),
    CONSTRAINT crm_allocation_undoes UNIQUE (org, "undoes") DEFERRABLE
);
CREATE INDEX crm_allocation_payment_id ON crm_allocation (org, "payment_id");
CREATE INDEX crm_allocation_credit_note_id ON crm_allocation (org, "credit_note_id");
CREATE INDEX crm_allocation_invoice_id ON crm_allocation (org, "invoice_id");
CREATE INDEX crm_allocation_contact_id ON crm_allocation (org, "contact_id");
CREATE INDEX crm_allocation_applied_on ON crm_allocation (org, "applied_on");

ALTER TABLE crm_membership ADD CONSTRAINT crm_membership_org_fkey FOREIGN KEY (org) REFERENCES crm_organization ("key");
ALTER TABLE crm_membership ADD CONSTRAINT crm_membership_user_id_fkey FOREIGN KEY ("user_id") REFERENCES crm_user ("id");
ALTER TABLE crm_idempotency ADD CONSTRAINT crm_idempotency_org_fkey FOREIGN KEY (org) REFERENCES crm_organization ("key");
ALTER TABLE crm_number_series ADD CONSTRAINT crm_number_series_org_fkey FOREIGN KEY (org) REFERENCES crm_organization ("key");
ALTER TABLE crm_contact ADD CONSTRAINT crm_contact_org_fkey FOREIGN KEY (org) REFERENCES crm_organization ("key");
ALTER TABLE crm_contact ADD CONSTRAINT crm_contact_company_id_fkey FOREIGN KEY (org, "company_id") REFERENCES crm_contact (org, "id");
ALTER TABLE crm_contact ADD CONSTRAINT crm_contact_owner_id_fkey FOREIGN KEY ("owner_id") REFERENCES crm_user ("id");
ALTER TABLE crm_product ADD CONSTRAINT crm_product_org_fkey FOREIGN KEY (org) REFERENCES crm_organization ("key");
ALTER TABLE crm_invoice ADD CONSTRAINT crm_invoice_org_fkey FOREIGN KEY (org) REFERENCES crm_organization ("key");
ALTER TABLE crm_invoice ADD CONSTRAINT crm_invoice_contact_id_fkey FOREIGN KEY (org, "contact_id") REFERENCES crm_contact (org, "id");
ALTER TABLE crm_invoice_line ADD CONSTRAINT crm_invoice_line_org_fkey FOREIGN KEY (org) REFERENCES crm_organization ("key");
ALTER TABLE crm_invoice_line ADD CONSTRAINT crm_invoice_line_invoice_id_fkey FOREIGN KEY (org, "invoice_id") REFERENCES crm_invoice (org, "id");
ALTER TABLE crm_invoice_line ADD CONSTRAINT crm_invoice_line_product_id_fkey FOREIGN KEY (org, "product_id") REFERENCES crm_product (org, "id");
ALTER TABLE crm_payment ADD CONSTRAINT crm_payment_org_fkey FOREIGN KEY (org) REFERENCES crm_organization ("key");
ALTER TABLE crm_payment ADD CONSTRAINT crm_payment_contact_id_fkey FOREIGN KEY (org, "contact_id") REFERENCES crm_contact (org, "id");
ALTER TABLE crm_allocation ADD CONSTRAINT crm_allocation_org_fkey FOREIGN KEY (org) REFERENCES crm_organization ("key");
ALTER TABLE crm_allocation ADD CONSTRAINT crm_allocation_payment_id_fkey FOREIGN KEY (org, "payment_id") REFERENCES crm_payment (org, "id");
ALTER TABLE crm_allocation ADD CONSTRAINT crm_allocation_invoice_id_fkey FOREIGN KEY (org, "invoice_id") REFERENCES crm_invoice (org, "id");
ALTER TABLE crm_allocation ADD CONSTRAINT crm_allocation_contact_id_fkey FOREIGN KEY (org, "contact_id") REFERENCES crm_contact (org, "id");
ALTER TABLE crm_allocation ADD CONSTRAINT crm_allocation_undoes_fkey FOREIGN KEY (org, "undoes") REFERENCES crm_allocation (org, "id");

-- The entries of the audit that wait to be sealed, oldest first.
CREATE INDEX crm_audit_entry_unsealed ON crm_audit_entry (org, "id") WHERE "seq" IS NULL;
