-- Version 5: access. As in the first one, tables, keys and indexes follow the descriptions in crm-core, and the schema
-- test compares the two.

-- API keys and invitations.

CREATE TABLE crm_api_key (
    org INTEGER NOT NULL,
    "id" BLOB NOT NULL,
    "alias" TEXT NOT NULL,
    "prefix" TEXT NOT NULL,
    "hash" BLOB,
    "user_id" BLOB NOT NULL,
    "role" TEXT NOT NULL CHECK ("role" IN ('owner', 'admin', 'manager', 'member', 'viewer')),
    "scopes" TEXT NOT NULL,
    "expires_at" INTEGER,
    "revoked_at" INTEGER,
    "quota_revision" INTEGER NOT NULL,
    "last_used_micros" INTEGER NOT NULL,
    "alias_key" TEXT,
    "version" INTEGER NOT NULL,
    "created_at" INTEGER NOT NULL,
    "created_by" BLOB,
    "updated_at" INTEGER NOT NULL,
    PRIMARY KEY (org, "id"),
    FOREIGN KEY (org) REFERENCES crm_organization ("key"),
    FOREIGN KEY ("user_id") REFERENCES crm_user ("id")
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX crm_api_key_prefix ON crm_api_key (org, "prefix");
CREATE UNIQUE INDEX crm_api_key_alias ON crm_api_key (org, "alias_key") WHERE "alias_key" IS NOT NULL;
CREATE INDEX crm_api_key_user ON crm_api_key (org, "user_id");

CREATE TABLE crm_key_quota (
    org INTEGER NOT NULL,
    "id" BLOB NOT NULL,
    "key_id" BLOB NOT NULL,
    "operation" TEXT NOT NULL,
    "per_day" INTEGER NOT NULL,
    "version" INTEGER NOT NULL,
    "created_at" INTEGER NOT NULL,
    "created_by" BLOB,
    "updated_at" INTEGER NOT NULL,
    PRIMARY KEY (org, "id"),
    FOREIGN KEY (org) REFERENCES crm_organization ("key"),
    FOREIGN KEY (org, "key_id") REFERENCES crm_api_key (org, "id")
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX crm_key_quota_operation ON crm_key_quota (org, "key_id", "operation");

CREATE TABLE crm_key_usage (
    org INTEGER NOT NULL,
    "id" BLOB NOT NULL,
    "key_id" BLOB NOT NULL,
    "operation" TEXT NOT NULL,
    "day" INTEGER NOT NULL,
    "used" INTEGER NOT NULL,
    PRIMARY KEY (org, "id"),
    FOREIGN KEY (org) REFERENCES crm_organization ("key"),
    FOREIGN KEY (org, "key_id") REFERENCES crm_api_key (org, "id")
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX crm_key_usage_day ON crm_key_usage (org, "key_id", "operation", "day");
CREATE INDEX crm_key_usage_on ON crm_key_usage (org, "day", "id");

CREATE TABLE crm_api_request (
    org INTEGER NOT NULL,
    "id" BLOB NOT NULL,
    "key_id" BLOB NOT NULL,
    "at" INTEGER NOT NULL,
    "operation" TEXT NOT NULL,
    "name" TEXT,
    "email" TEXT,
    "application_id" TEXT,
    "outcome" TEXT NOT NULL,
    PRIMARY KEY (org, "id"),
    FOREIGN KEY (org) REFERENCES crm_organization ("key"),
    FOREIGN KEY (org, "key_id") REFERENCES crm_api_key (org, "id")
) STRICT, WITHOUT ROWID;
CREATE INDEX crm_api_request_at ON crm_api_request (org, "at", "id");
CREATE INDEX crm_api_request_key ON crm_api_request (org, "key_id", "at", "id");

CREATE TABLE crm_invitation (
    org INTEGER NOT NULL,
    "id" BLOB NOT NULL,
    "email" TEXT NOT NULL,
    "role" TEXT NOT NULL CHECK ("role" IN ('owner', 'admin', 'manager', 'member', 'viewer')),
    "prefix" TEXT NOT NULL,
    "hash" BLOB,
    "invited_by" BLOB NOT NULL,
    "expires_at" INTEGER NOT NULL,
    "ended" TEXT CHECK ("ended" IN ('accepted', 'declined', 'withdrawn')),
    "ended_at" INTEGER,
    "email_key" TEXT,
    "version" INTEGER NOT NULL,
    "created_at" INTEGER NOT NULL,
    "created_by" BLOB,
    "updated_at" INTEGER NOT NULL,
    PRIMARY KEY (org, "id"),
    FOREIGN KEY (org) REFERENCES crm_organization ("key"),
    FOREIGN KEY ("invited_by") REFERENCES crm_user ("id")
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX crm_invitation_prefix ON crm_invitation (org, "prefix");
CREATE UNIQUE INDEX crm_invitation_email ON crm_invitation (org, "email_key") WHERE "email_key" IS NOT NULL;
CREATE INDEX crm_invitation_invited_by_ref ON crm_invitation (org, "invited_by");

ANALYZE sqlite_schema;
INSERT INTO sqlite_stat1 VALUES ('crm_key_usage', 'crm_key_usage', '1000000 100000 1');
INSERT INTO sqlite_stat1 VALUES ('crm_key_usage', 'crm_key_usage_day', '1000000 100000 1000 500 1');
INSERT INTO sqlite_stat1 VALUES ('crm_key_usage', 'crm_key_usage_on', '1000000 100000 200 1');
INSERT INTO sqlite_stat1 VALUES ('crm_api_request', 'crm_api_request', '1000000 100000 1');
INSERT INTO sqlite_stat1 VALUES ('crm_api_request', 'crm_api_request_at', '1000000 100000 1 1');
INSERT INTO sqlite_stat1 VALUES ('crm_api_request', 'crm_api_request_key', '1000000 100000 1000 1 1');
ANALYZE sqlite_schema;
