-- Version 7: privacy. Columns that are added stand at the end of their tables; the schema test compares.

-- The salts of the audit's hashes, so that contents that were erased cannot be guessed by them.
ALTER TABLE crm_audit_entry ADD COLUMN "salt" BLOB;

-- When a contact was erased.
ALTER TABLE crm_contact ADD COLUMN "erased_at" INTEGER;

-- Whether an admin gave a user their password.
ALTER TABLE crm_user ADD COLUMN "password_given" INTEGER NOT NULL DEFAULT 0 CHECK ("password_given" IN (0, 1));

-- Which record a command gave back, so that its results are found when the record is erased.
ALTER TABLE crm_idempotency ADD COLUMN "record_id" BLOB;
CREATE INDEX crm_idempotency_record ON crm_idempotency (org, "record_id");

ANALYZE sqlite_schema;
INSERT INTO sqlite_stat1 VALUES ('crm_idempotency', 'crm_idempotency_record', '1000000 100000 1');
ANALYZE sqlite_schema;
