-- Schema version 5: access. Never edited once released. As in the first one, tables, columns and indexes are those of
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

-- API keys and invitations.

CREATE TABLE crm_api_key (
    org BIGINT NOT NULL,
    "id" UUID NOT NULL,
    "alias" TEXT COLLATE "C" NOT NULL,
    "prefix" TEXT COLLATE "C" NOT NULL,
    "hash" BYTEA,
    "user_id" UUID NOT NULL,
    "role" TEXT COLLATE "C" NOT NULL CHECK ("role" IN ('owner', 'admin', 'manager', 'member', 'viewer')),
    "scopes" TEXT COLLATE "C" NOT NULL,
    "expires_at" TIMESTAMPTZ,
    "revoked_at" TIMESTAMPTZ,
    "quota_revision" BIGINT NOT NULL,
    "last_used_micros" BIGINT NOT NULL,
    "alias_key" TEXT COLLATE "C",
    "version" BIGINT NOT NULL,
    "created_at" TIMESTAMPTZ NOT NULL,
    "created_by" UUID,
    "updated_at" TIMESTAMPTZ NOT NULL,
    CONSTRAINT crm_api_key_pkey PRIMARY KEY (org, "id"),
    CONSTRAINT crm_api_key_alias UNIQUE (org, "alias_key") DEFERRABLE,
    CONSTRAINT crm_api_key_prefix UNIQUE (org, "prefix") DEFERRABLE
);
CREATE INDEX crm_api_key_user ON crm_api_key (org, "user_id");

CREATE TABLE crm_key_quota (
    org BIGINT NOT NULL,
    "id" UUID NOT NULL,
    "key_id" UUID NOT NULL,
    "operation" TEXT COLLATE "C" NOT NULL,
    "per_day" BIGINT NOT NULL,
    "version" BIGINT NOT NULL,
    "created_at" TIMESTAMPTZ NOT NULL,
    "created_by" UUID,
    "updated_at" TIMESTAMPTZ NOT NULL,
    CONSTRAINT crm_key_quota_pkey PRIMARY KEY (org, "id"),
    CONSTRAINT crm_key_quota_operation UNIQUE (org, "key_id", "operation") DEFERRABLE
);

CREATE TABLE crm_key_usage (
    org BIGINT NOT NULL,
    "id" UUID NOT NULL,
    "key_id" UUID NOT NULL,
    "operation" TEXT COLLATE "C" NOT NULL,
    "day" DATE NOT NULL,
    "used" BIGINT NOT NULL,
    CONSTRAINT crm_key_usage_pkey PRIMARY KEY (org, "id"),
    CONSTRAINT crm_key_usage_day UNIQUE (org, "key_id", "operation", "day") DEFERRABLE
);
CREATE INDEX crm_key_usage_on ON crm_key_usage (org, "day", "id");

CREATE TABLE crm_api_request (
    org BIGINT NOT NULL,
    "id" UUID NOT NULL,
    "key_id" UUID NOT NULL,
    "at" TIMESTAMPTZ NOT NULL,
    "operation" TEXT COLLATE "C" NOT NULL,
    "name" TEXT COLLATE "C",
    "email" TEXT COLLATE "C",
    "application_id" TEXT COLLATE "C",
    "outcome" TEXT COLLATE "C" NOT NULL,
    CONSTRAINT crm_api_request_pkey PRIMARY KEY (org, "id")
);
CREATE INDEX crm_api_request_at ON crm_api_request (org, "at", "id");
CREATE INDEX crm_api_request_key ON crm_api_request (org, "key_id", "at", "id");

CREATE TABLE crm_invitation (
    org BIGINT NOT NULL,
    "id" UUID NOT NULL,
    "email" TEXT COLLATE "C" NOT NULL,
    "role" TEXT COLLATE "C" NOT NULL CHECK ("role" IN ('owner', 'admin', 'manager', 'member', 'viewer')),
    "prefix" TEXT COLLATE "C" NOT NULL,
    "hash" BYTEA,
    "invited_by" UUID NOT NULL,
    "expires_at" TIMESTAMPTZ NOT NULL,
    "ended" TEXT COLLATE "C" CHECK ("ended" IN ('accepted', 'declined', 'withdrawn')),
    "ended_at" TIMESTAMPTZ,
    "email_key" TEXT COLLATE "C",
    "version" BIGINT NOT NULL,
    "created_at" TIMESTAMPTZ NOT NULL,
    "created_by" UUID,
    "updated_at" TIMESTAMPTZ NOT NULL,
    CONSTRAINT crm_invitation_pkey PRIMARY KEY (org, "id"),
    CONSTRAINT crm_invitation_email UNIQUE (org, "email_key") DEFERRABLE,
    CONSTRAINT crm_invitation_prefix UNIQUE (org, "prefix") DEFERRABLE
);
CREATE INDEX crm_invitation_invited_by_ref ON crm_invitation (org, "invited_by");

ALTER TABLE crm_api_key ADD CONSTRAINT crm_api_key_org_fkey FOREIGN KEY (org) REFERENCES crm_organization ("key");
ALTER TABLE crm_api_key ADD CONSTRAINT crm_api_key_user_id_fkey FOREIGN KEY ("user_id") REFERENCES crm_user ("id");
ALTER TABLE crm_key_quota ADD CONSTRAINT crm_key_quota_org_fkey FOREIGN KEY (org) REFERENCES crm_organization ("key");
ALTER TABLE crm_key_quota ADD CONSTRAINT crm_key_quota_key_id_fkey FOREIGN KEY (org, "key_id") REFERENCES crm_api_key (org, "id");
ALTER TABLE crm_key_usage ADD CONSTRAINT crm_key_usage_org_fkey FOREIGN KEY (org) REFERENCES crm_organization ("key");
ALTER TABLE crm_key_usage ADD CONSTRAINT crm_key_usage_key_id_fkey FOREIGN KEY (org, "key_id") REFERENCES crm_api_key (org, "id");
ALTER TABLE crm_api_request ADD CONSTRAINT crm_api_request_org_fkey FOREIGN KEY (org) REFERENCES crm_organization ("key");
ALTER TABLE crm_api_request ADD CONSTRAINT crm_api_request_key_id_fkey FOREIGN KEY (org, "key_id") REFERENCES crm_api_key (org, "id");
ALTER TABLE crm_invitation ADD CONSTRAINT crm_invitation_org_fkey FOREIGN KEY (org) REFERENCES crm_organization ("key");
ALTER TABLE crm_invitation ADD CONSTRAINT crm_invitation_invited_by_fkey FOREIGN KEY ("invited_by") REFERENCES crm_user ("id");
