-- Version 7: privacy. Columns that are added stand at the end of their tables; the schema test compares.

-- The salts of the audit's hashes, so that contents that were erased cannot be guessed by them.
ALTER TABLE crm_audit_entry ADD COLUMN "salt" BYTEA;

-- When a contact was erased.
ALTER TABLE crm_contact ADD COLUMN "erased_at" TIMESTAMPTZ;

-- Whether an admin gave a user their password.
ALTER TABLE crm_user ADD COLUMN "password_given" BOOLEAN NOT NULL DEFAULT false;

-- Which record a command gave back, so that its results are found when the record is erased.
ALTER TABLE crm_idempotency ADD COLUMN "record_id" UUID;
CREATE INDEX crm_idempotency_record ON crm_idempotency (org, "record_id");
