-- Schema version 4: cases. Never edited once released. As in the first one, tables, columns and indexes are those of the
-- descriptions in crm-core, and uniques are checked at the end of each statement.

CREATE TABLE crm_calendar (
    org BIGINT NOT NULL,
    "id" UUID NOT NULL,
    "revision" BIGINT NOT NULL,
    "is_current" BOOLEAN NOT NULL,
    "code" TEXT COLLATE "C" NOT NULL,
    "base" TEXT COLLATE "C",
    "zone" TEXT COLLATE "C" NOT NULL,
    "week" TEXT COLLATE "C" NOT NULL,
    "topic" TEXT COLLATE "C" NOT NULL CHECK ("topic" IN ('general', 'information', 'consultation', 'utilities', 'data_consultation', 'data_claim')),
    "days" TEXT NOT NULL,
    "current_key" BIGINT,
    "version" BIGINT NOT NULL,
    "created_at" TIMESTAMPTZ NOT NULL,
    "created_by" UUID,
    "updated_at" TIMESTAMPTZ NOT NULL,
    CONSTRAINT crm_calendar_pkey PRIMARY KEY (org, "id"),
    CONSTRAINT crm_calendar_revision UNIQUE (org, "revision") DEFERRABLE,
    CONSTRAINT crm_calendar_current_key UNIQUE (org, "current_key") DEFERRABLE
);

CREATE TABLE crm_case_rule (
    org BIGINT NOT NULL,
    "id" UUID NOT NULL,
    "code" TEXT COLLATE "C" NOT NULL,
    "rule_version" TEXT COLLATE "C" NOT NULL,
    "topic" TEXT COLLATE "C" NOT NULL CHECK ("topic" IN ('general', 'information', 'consultation', 'utilities', 'data_consultation', 'data_claim')),
    "jurisdiction" TEXT COLLATE "C",
    "regime" TEXT COLLATE "C",
    "base_days" BIGINT NOT NULL,
    "unit" TEXT COLLATE "C" NOT NULL CHECK ("unit" IN ('business', 'calendar')),
    "start" TEXT COLLATE "C" NOT NULL CHECK ("start" IN ('next_business_day', 'next_day', 'same_day')),
    "largest_extension" TEXT COLLATE "C" NOT NULL,
    "silence" TEXT COLLATE "C" NOT NULL CHECK ("silence" IN ('none', 'positive', 'negative')),
    "valid_from" DATE NOT NULL,
    "valid_until" DATE,
    "source" TEXT COLLATE "C" NOT NULL,
    "notes" TEXT COLLATE "C",
    "version" BIGINT NOT NULL,
    "created_at" TIMESTAMPTZ NOT NULL,
    "created_by" UUID,
    "updated_at" TIMESTAMPTZ NOT NULL,
    CONSTRAINT crm_case_rule_pkey PRIMARY KEY (org, "id"),
    CONSTRAINT crm_case_rule_code UNIQUE (org, "code", "rule_version") DEFERRABLE
);
CREATE INDEX crm_case_rule_topic ON crm_case_rule (org, "topic", "valid_from");

CREATE TABLE crm_case (
    org BIGINT NOT NULL,
    "id" UUID NOT NULL,
    "number" TEXT COLLATE "C",
    "kind" TEXT COLLATE "C" NOT NULL CHECK ("kind" IN ('petition', 'complaint', 'claim', 'suggestion', 'report')),
    "topic" TEXT COLLATE "C" NOT NULL CHECK ("topic" IN ('general', 'information', 'consultation', 'utilities', 'data_consultation', 'data_claim')),
    "channel" TEXT COLLATE "C" NOT NULL CHECK ("channel" IN ('web', 'email', 'phone', 'in_person', 'letter', 'whatsapp', 'other')),
    "subject" TEXT COLLATE "C" NOT NULL,
    "description" TEXT COLLATE "C" NOT NULL,
    "contact_id" UUID NOT NULL,
    "account_number" TEXT COLLATE "C",
    "assignee_id" UUID,
    "priority" TEXT COLLATE "C" NOT NULL CHECK ("priority" IN ('low', 'normal', 'high', 'urgent')),
    "status" TEXT COLLATE "C" NOT NULL CHECK ("status" IN ('received', 'in_progress', 'answered', 'closed')),
    "received_at" TIMESTAMPTZ NOT NULL,
    "received_on" DATE NOT NULL,
    "received_month" DATE NOT NULL,
    "counted_at" TIMESTAMPTZ NOT NULL,
    "calendar_id" UUID NOT NULL,
    "calendar_version" TEXT COLLATE "C" NOT NULL,
    "rule_code" TEXT COLLATE "C",
    "rule_version" TEXT COLLATE "C",
    "rule_id" UUID,
    "base_days" BIGINT,
    "extension_days" BIGINT NOT NULL,
    "due_on" DATE,
    "paused_since" DATE,
    "silence" TEXT COLLATE "C" NOT NULL CHECK ("silence" IN ('none', 'positive', 'negative')),
    "answer" TEXT COLLATE "C",
    "answered_on" DATE,
    "first_answered_on" DATE,
    "answer_days" BIGINT,
    "answered_late" BOOLEAN,
    "notified_on" DATE,
    "closed_on" DATE,
    "external_id" TEXT COLLATE "C",
    "open_until" DATE NOT NULL,
    "version" BIGINT NOT NULL,
    "created_at" TIMESTAMPTZ NOT NULL,
    "created_by" UUID,
    "updated_at" TIMESTAMPTZ NOT NULL,
    CONSTRAINT crm_case_pkey PRIMARY KEY (org, "id"),
    CONSTRAINT crm_case_number UNIQUE (org, "number") DEFERRABLE,
    CONSTRAINT crm_case_external_id UNIQUE (org, "external_id") DEFERRABLE
);
CREATE INDEX crm_case_contact ON crm_case (org, "contact_id", "received_at", "id");
CREATE INDEX crm_case_due ON crm_case (org, "open_until", "due_on", "id", "silence", "assignee_id", "paused_since", "received_at");
CREATE INDEX crm_case_assignee ON crm_case (org, "assignee_id", "open_until", "due_on", "id", "silence", "paused_since", "received_at");
CREATE INDEX crm_case_created_by ON crm_case (org, "created_by");
CREATE INDEX crm_case_totals ON crm_case (org, "received_month", "kind", "status", "channel", "received_at");
CREATE INDEX crm_case_answered ON crm_case (org, "kind", "answer_days", "answered_late", "first_answered_on", "received_at");
CREATE INDEX crm_case_calendar_id_ref ON crm_case (org, "calendar_id");
CREATE INDEX crm_case_rule_id_ref ON crm_case (org, "rule_id");

CREATE TABLE crm_case_event (
    org BIGINT NOT NULL,
    "id" UUID NOT NULL,
    "case_id" UUID NOT NULL,
    "kind" TEXT COLLATE "C" NOT NULL CHECK ("kind" IN ('received', 'assigned', 'incomplete_notice', 'completed', 'transferred', 'extended', 'answered', 'notified', 'reopened', 'appealed', 'closed', 'recomputed')),
    "at" TIMESTAMPTZ NOT NULL,
    "on" DATE NOT NULL,
    "by_id" UUID,
    "text" TEXT COLLATE "C",
    "from_due_on" DATE,
    "to_due_on" DATE,
    "assignee_id" UUID,
    "days" BIGINT,
    CONSTRAINT crm_case_event_pkey PRIMARY KEY (org, "id")
);
CREATE INDEX crm_case_event_case_id ON crm_case_event (org, "case_id", "at", "id");

ALTER TABLE crm_calendar ADD CONSTRAINT crm_calendar_org_fkey FOREIGN KEY (org) REFERENCES crm_organization ("key");
ALTER TABLE crm_case_rule ADD CONSTRAINT crm_case_rule_org_fkey FOREIGN KEY (org) REFERENCES crm_organization ("key");
ALTER TABLE crm_case ADD CONSTRAINT crm_case_org_fkey FOREIGN KEY (org) REFERENCES crm_organization ("key");
ALTER TABLE crm_case ADD CONSTRAINT crm_case_contact_id_fkey FOREIGN KEY (org, "contact_id") REFERENCES crm_contact (org, "id");
ALTER TABLE crm_case ADD CONSTRAINT crm_case_assignee_id_fkey FOREIGN KEY ("assignee_id") REFERENCES crm_user ("id");
ALTER TABLE crm_case ADD CONSTRAINT crm_case_calendar_id_fkey FOREIGN KEY (org, "calendar_id") REFERENCES crm_calendar (org, "id");
ALTER TABLE crm_case ADD CONSTRAINT crm_case_rule_id_fkey FOREIGN KEY (org, "rule_id") REFERENCES crm_case_rule (org, "id");
ALTER TABLE crm_case_event ADD CONSTRAINT crm_case_event_org_fkey FOREIGN KEY (org) REFERENCES crm_organization ("key");
ALTER TABLE crm_case_event ADD CONSTRAINT crm_case_event_case_id_fkey FOREIGN KEY (org, "case_id") REFERENCES crm_case (org, "id");
ALTER TABLE crm_task ADD CONSTRAINT crm_task_case_id_fkey FOREIGN KEY (org, "case_id") REFERENCES crm_case (org, "id");
ALTER TABLE crm_interaction ADD CONSTRAINT crm_interaction_case_id_fkey FOREIGN KEY (org, "case_id") REFERENCES crm_case (org, "id");
