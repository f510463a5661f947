-- Version 3: access. As in the first one, tables, keys and indexes follow the descriptions in crm-core, and the schema
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
