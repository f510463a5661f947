-- Version 4: cases. As in the first one, tables, keys and indexes follow the descriptions in crm-core, and the schema
-- test compares the two.

CREATE TABLE crm_calendar (
    org INTEGER NOT NULL,
    "id" BLOB NOT NULL,
    "revision" INTEGER NOT NULL,
    "is_current" INTEGER NOT NULL CHECK ("is_current" IN (0, 1)),
    "code" TEXT NOT NULL,
    "base" TEXT,
    "zone" TEXT NOT NULL,
    "week" TEXT NOT NULL,
    "topic" TEXT NOT NULL CHECK ("topic" IN ('general', 'information', 'consultation', 'utilities', 'data_consultation', 'data_claim')),
    "days" TEXT NOT NULL,
    "current_key" INTEGER,
    "version" INTEGER NOT NULL,
    "created_at" INTEGER NOT NULL,
    "created_by" BLOB,
    "updated_at" INTEGER NOT NULL,
    PRIMARY KEY (org, "id"),
    FOREIGN KEY (org) REFERENCES crm_organization ("key")
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX crm_calendar_current_key ON crm_calendar (org, "current_key") WHERE "current_key" IS NOT NULL;
CREATE UNIQUE INDEX crm_calendar_revision ON crm_calendar (org, "revision");

CREATE TABLE crm_case_rule (
    org INTEGER NOT NULL,
    "id" BLOB NOT NULL,
    "code" TEXT NOT NULL,
    "rule_version" TEXT NOT NULL,
    "topic" TEXT NOT NULL CHECK ("topic" IN ('general', 'information', 'consultation', 'utilities', 'data_consultation', 'data_claim')),
    "jurisdiction" TEXT,
    "regime" TEXT,
    "base_days" INTEGER NOT NULL,
    "unit" TEXT NOT NULL CHECK ("unit" IN ('business', 'calendar')),
    "start" TEXT NOT NULL CHECK ("start" IN ('next_business_day', 'next_day', 'same_day')),
    "largest_extension" TEXT NOT NULL,
    "silence" TEXT NOT NULL CHECK ("silence" IN ('none', 'positive', 'negative')),
    "valid_from" INTEGER NOT NULL,
    "valid_until" INTEGER,
    "source" TEXT NOT NULL,
    "notes" TEXT,
    "version" INTEGER NOT NULL,
    "created_at" INTEGER NOT NULL,
    "created_by" BLOB,
    "updated_at" INTEGER NOT NULL,
    PRIMARY KEY (org, "id"),
    FOREIGN KEY (org) REFERENCES crm_organization ("key")
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX crm_case_rule_code ON crm_case_rule (org, "code", "rule_version");
CREATE INDEX crm_case_rule_topic ON crm_case_rule (org, "topic", "valid_from");

CREATE TABLE crm_case (
    org INTEGER NOT NULL,
    "id" BLOB NOT NULL,
    "number" TEXT,
    "kind" TEXT NOT NULL CHECK ("kind" IN ('petition', 'complaint', 'claim', 'suggestion', 'report')),
    "topic" TEXT NOT NULL CHECK ("topic" IN ('general', 'information', 'consultation', 'utilities', 'data_consultation', 'data_claim')),
    "channel" TEXT NOT NULL CHECK ("channel" IN ('web', 'email', 'phone', 'in_person', 'letter', 'whatsapp', 'other')),
    "subject" TEXT NOT NULL,
    "description" TEXT NOT NULL,
    "contact_id" BLOB NOT NULL,
    "account_number" TEXT,
    "assignee_id" BLOB,
    "priority" TEXT NOT NULL CHECK ("priority" IN ('low', 'normal', 'high', 'urgent')),
    "status" TEXT NOT NULL CHECK ("status" IN ('received', 'in_progress', 'answered', 'closed')),
    "received_at" INTEGER NOT NULL,
    "received_on" INTEGER NOT NULL,
    "received_month" INTEGER NOT NULL,
    "counted_at" INTEGER NOT NULL,
    "calendar_id" BLOB NOT NULL,
    "calendar_version" TEXT NOT NULL,
    "rule_code" TEXT,
    "rule_version" TEXT,
    "rule_id" BLOB,
    "base_days" INTEGER,
    "extension_days" INTEGER NOT NULL,
    "due_on" INTEGER,
    "paused_since" INTEGER,
    "silence" TEXT NOT NULL CHECK ("silence" IN ('none', 'positive', 'negative')),
    "answer" TEXT,
    "answered_on" INTEGER,
    "first_answered_on" INTEGER,
    "answer_days" INTEGER,
    "answered_late" INTEGER CHECK ("answered_late" IN (0, 1)),
    "notified_on" INTEGER,
    "closed_on" INTEGER,
    "external_id" TEXT,
    "open_until" INTEGER NOT NULL,
    "version" INTEGER NOT NULL,
    "created_at" INTEGER NOT NULL,
    "created_by" BLOB,
    "updated_at" INTEGER NOT NULL,
    PRIMARY KEY (org, "id"),
    FOREIGN KEY (org) REFERENCES crm_organization ("key"),
    FOREIGN KEY (org, "contact_id") REFERENCES crm_contact (org, "id"),
    FOREIGN KEY ("assignee_id") REFERENCES crm_user ("id"),
    FOREIGN KEY (org, "calendar_id") REFERENCES crm_calendar (org, "id"),
    FOREIGN KEY (org, "rule_id") REFERENCES crm_case_rule (org, "id")
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX crm_case_external_id ON crm_case (org, "external_id") WHERE "external_id" IS NOT NULL;
CREATE UNIQUE INDEX crm_case_number ON crm_case (org, "number") WHERE "number" IS NOT NULL;
CREATE INDEX crm_case_contact ON crm_case (org, "contact_id", "received_at", "id");
CREATE INDEX crm_case_due ON crm_case (org, "open_until", "due_on", "id", "silence", "assignee_id", "paused_since", "received_at");
CREATE INDEX crm_case_assignee ON crm_case (org, "assignee_id", "open_until", "due_on", "id", "silence", "paused_since", "received_at");
CREATE INDEX crm_case_created_by ON crm_case (org, "created_by");
CREATE INDEX crm_case_totals ON crm_case (org, "received_month", "kind", "status", "channel", "received_at");
CREATE INDEX crm_case_answered ON crm_case (org, "kind", "answer_days", "answered_late", "first_answered_on", "received_at");
CREATE INDEX crm_case_calendar_id_ref ON crm_case (org, "calendar_id");
CREATE INDEX crm_case_rule_id_ref ON crm_case (org, "rule_id") WHERE "rule_id" IS NOT NULL;

CREATE TABLE crm_case_event (
    org INTEGER NOT NULL,
    "id" BLOB NOT NULL,
    "case_id" BLOB NOT NULL,
    "kind" TEXT NOT NULL CHECK ("kind" IN ('received', 'assigned', 'incomplete_notice', 'completed', 'transferred', 'extended', 'answered', 'notified', 'reopened', 'appealed', 'closed', 'recomputed')),
    "at" INTEGER NOT NULL,
    "on" INTEGER NOT NULL,
    "by_id" BLOB,
    "text" TEXT,
    "from_due_on" INTEGER,
    "to_due_on" INTEGER,
    "assignee_id" BLOB,
    "days" INTEGER,
    PRIMARY KEY (org, "id"),
    FOREIGN KEY (org) REFERENCES crm_organization ("key"),
    FOREIGN KEY (org, "case_id") REFERENCES crm_case (org, "id")
) STRICT, WITHOUT ROWID;
CREATE INDEX crm_case_event_case_id ON crm_case_event (org, "case_id", "at", "id");

ANALYZE sqlite_schema;
INSERT INTO sqlite_stat1 VALUES ('crm_calendar', 'crm_calendar', '1000000 100000 1');
INSERT INTO sqlite_stat1 VALUES ('crm_calendar', 'crm_calendar_revision', '1000000 100000 1');
INSERT INTO sqlite_stat1 VALUES ('crm_calendar', 'crm_calendar_current_key', '1000000 100000 1');
INSERT INTO sqlite_stat1 VALUES ('crm_case_rule', 'crm_case_rule', '1000000 100000 1');
INSERT INTO sqlite_stat1 VALUES ('crm_case_rule', 'crm_case_rule_code', '1000000 100000 2 1');
INSERT INTO sqlite_stat1 VALUES ('crm_case_rule', 'crm_case_rule_topic', '1000000 100000 16666 16');
INSERT INTO sqlite_stat1 VALUES ('crm_case', 'crm_case', '1000000 100000 1');
INSERT INTO sqlite_stat1 VALUES ('crm_case', 'crm_case_number', '1000000 100000 1');
INSERT INTO sqlite_stat1 VALUES ('crm_case', 'crm_case_external_id', '1000000 100000 1');
INSERT INTO sqlite_stat1 VALUES ('crm_case', 'crm_case_contact', '1000000 100000 10 1 1');
INSERT INTO sqlite_stat1 VALUES ('crm_case', 'crm_case_due', '1000000 100000 100 1 1 1 1 1 1');
INSERT INTO sqlite_stat1 VALUES ('crm_case', 'crm_case_assignee', '1000000 100000 1000 1 1 1 1 1 1');
INSERT INTO sqlite_stat1 VALUES ('crm_case', 'crm_case_created_by', '1000000 100000 10');
INSERT INTO sqlite_stat1 VALUES ('crm_case', 'crm_case_totals', '1000000 100000 100 20 5 1 1');
INSERT INTO sqlite_stat1 VALUES ('crm_case', 'crm_case_answered', '1000000 100000 20000 4 2 1 1');
INSERT INTO sqlite_stat1 VALUES ('crm_case', 'crm_case_calendar_id_ref', '1000000 100000 10000');
INSERT INTO sqlite_stat1 VALUES ('crm_case', 'crm_case_rule_id_ref', '1000000 100000 10');
INSERT INTO sqlite_stat1 VALUES ('crm_case_event', 'crm_case_event', '1000000 100000 1');
INSERT INTO sqlite_stat1 VALUES ('crm_case_event', 'crm_case_event_case_id', '1000000 100000 10 1 1');
INSERT INTO sqlite_stat1 VALUES ('crm_task', 'crm_task_case', '1000000 100000 10 1 1');
INSERT INTO sqlite_stat1 VALUES ('crm_interaction', 'crm_interaction_case', '1000000 100000 10 1 1');
ANALYZE sqlite_schema;
