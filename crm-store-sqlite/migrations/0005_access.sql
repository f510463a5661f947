-- Version 5: access. As in the first one, tables, keys and indexes follow the descriptions in crm-core, and the schema
-- test compares the two.

-- Users.

CREATE TABLE crm_login_throttle (
    "id" BLOB NOT NULL,
    "key" BLOB NOT NULL,
    "failures" INTEGER NOT NULL,
    "since" INTEGER NOT NULL,
    "not_before" INTEGER,
    "known" INTEGER NOT NULL CHECK ("known" IN (0, 1)),
    "expires_at" INTEGER NOT NULL,
    "version" INTEGER NOT NULL,
    "created_at" INTEGER NOT NULL,
    "created_by" BLOB,
    "updated_at" INTEGER NOT NULL,
    PRIMARY KEY ("id")
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX crm_login_throttle_key ON crm_login_throttle ("key");
CREATE INDEX crm_login_throttle_expires_at ON crm_login_throttle ("expires_at");

CREATE TABLE crm_login_session (
    "id" BLOB NOT NULL,
    "user_id" BLOB NOT NULL,
    "organization_id" BLOB NOT NULL,
    "epoch" INTEGER NOT NULL,
    "generation" INTEGER NOT NULL,
    "rotated_at" INTEGER NOT NULL,
    "ends_at" INTEGER NOT NULL,
    "revoked_at" INTEGER,
    "version" INTEGER NOT NULL,
    "created_at" INTEGER NOT NULL,
    "created_by" BLOB,
    "updated_at" INTEGER NOT NULL,
    PRIMARY KEY ("id"),
    FOREIGN KEY ("user_id") REFERENCES crm_user ("id"),
    FOREIGN KEY ("organization_id") REFERENCES crm_organization ("id")
) STRICT, WITHOUT ROWID;
CREATE INDEX crm_login_session_user_id ON crm_login_session ("user_id", "ends_at");
CREATE INDEX crm_login_session_organization_id_ref ON crm_login_session ("organization_id");

CREATE TABLE crm_refresh_token (
    "id" BLOB NOT NULL,
    "hash" BLOB NOT NULL,
    "session_id" BLOB NOT NULL,
    "generation" INTEGER NOT NULL,
    "expires_at" INTEGER NOT NULL,
    PRIMARY KEY ("id"),
    FOREIGN KEY ("session_id") REFERENCES crm_login_session ("id")
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX crm_refresh_token_hash ON crm_refresh_token ("hash");
CREATE INDEX crm_refresh_token_session_id ON crm_refresh_token ("session_id");

ANALYZE sqlite_schema;
INSERT INTO sqlite_stat1 VALUES ('crm_login_throttle', 'crm_login_throttle', '1000000 1');
INSERT INTO sqlite_stat1 VALUES ('crm_login_throttle', 'crm_login_throttle_key', '1000000 1');
INSERT INTO sqlite_stat1 VALUES ('crm_login_throttle', 'crm_login_throttle_expires_at', '1000000 200');
INSERT INTO sqlite_stat1 VALUES ('crm_login_session', 'crm_login_session', '1000000 1');
INSERT INTO sqlite_stat1 VALUES ('crm_login_session', 'crm_login_session_user_id', '1000000 10 2');
INSERT INTO sqlite_stat1 VALUES ('crm_login_session', 'crm_login_session_organization_id_ref', '1000000 10000');
INSERT INTO sqlite_stat1 VALUES ('crm_refresh_token', 'crm_refresh_token', '1000000 1');
INSERT INTO sqlite_stat1 VALUES ('crm_refresh_token', 'crm_refresh_token_hash', '1000000 1');
INSERT INTO sqlite_stat1 VALUES ('crm_refresh_token', 'crm_refresh_token_session_id', '1000000 100');
ANALYZE sqlite_schema;

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
