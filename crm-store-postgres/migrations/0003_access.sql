-- Schema version 3: access. Never edited once released. As in the first one, tables, columns and indexes are those of
-- the descriptions in crm-core, and uniques are checked at the end of each statement.

-- Users.

CREATE TABLE crm_login_throttle (
    "id" UUID NOT NULL,
    "key" BYTEA NOT NULL,
    "failures" BIGINT NOT NULL,
    "since" TIMESTAMPTZ NOT NULL,
    "not_before" TIMESTAMPTZ,
    "known" BOOLEAN NOT NULL,
    "expires_at" TIMESTAMPTZ NOT NULL,
    "version" BIGINT NOT NULL,
    "created_at" TIMESTAMPTZ NOT NULL,
    "created_by" UUID,
    "updated_at" TIMESTAMPTZ NOT NULL,
    CONSTRAINT crm_login_throttle_pkey PRIMARY KEY ("id"),
    CONSTRAINT crm_login_throttle_key UNIQUE ("key") DEFERRABLE
);
CREATE INDEX crm_login_throttle_expires_at ON crm_login_throttle ("expires_at");

CREATE TABLE crm_login_session (
    "id" UUID NOT NULL,
    "user_id" UUID NOT NULL,
    "organization_id" UUID NOT NULL,
    "epoch" BIGINT NOT NULL,
    "generation" BIGINT NOT NULL,
    "rotated_at" TIMESTAMPTZ NOT NULL,
    "ends_at" TIMESTAMPTZ NOT NULL,
    "revoked_at" TIMESTAMPTZ,
    "version" BIGINT NOT NULL,
    "created_at" TIMESTAMPTZ NOT NULL,
    "created_by" UUID,
    "updated_at" TIMESTAMPTZ NOT NULL,
    CONSTRAINT crm_login_session_pkey PRIMARY KEY ("id")
);
CREATE INDEX crm_login_session_user_id ON crm_login_session ("user_id", "ends_at");
CREATE INDEX crm_login_session_organization_id_ref ON crm_login_session ("organization_id");

CREATE TABLE crm_refresh_token (
    "id" UUID NOT NULL,
    "hash" BYTEA NOT NULL,
    "session_id" UUID NOT NULL,
    "generation" BIGINT NOT NULL,
    "expires_at" TIMESTAMPTZ NOT NULL,
    CONSTRAINT crm_refresh_token_pkey PRIMARY KEY ("id"),
    CONSTRAINT crm_refresh_token_hash UNIQUE ("hash") DEFERRABLE
);
CREATE INDEX crm_refresh_token_session_id ON crm_refresh_token ("session_id");

ALTER TABLE crm_login_session ADD CONSTRAINT crm_login_session_user_id_fkey FOREIGN KEY ("user_id") REFERENCES crm_user ("id");
ALTER TABLE crm_login_session ADD CONSTRAINT crm_login_session_organization_id_fkey FOREIGN KEY ("organization_id") REFERENCES crm_organization ("id");
ALTER TABLE crm_refresh_token ADD CONSTRAINT crm_refresh_token_session_id_fkey FOREIGN KEY ("session_id") REFERENCES crm_login_session ("id");
