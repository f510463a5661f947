-- Version 2: sales. As in the first one, tables, keys and indexes follow the descriptions in crm-core, and the schema
-- test compares the two.

-- Sales.

CREATE TABLE crm_pipeline (
    org INTEGER NOT NULL,
    "id" BLOB NOT NULL,
    "name" TEXT NOT NULL,
    "is_default" INTEGER NOT NULL CHECK ("is_default" IN (0, 1)),
    "revision" INTEGER NOT NULL,
    "name_key" TEXT NOT NULL,
    "default_key" INTEGER,
    "version" INTEGER NOT NULL,
    "created_at" INTEGER NOT NULL,
    "created_by" BLOB,
    "updated_at" INTEGER NOT NULL,
    PRIMARY KEY (org, "id"),
    FOREIGN KEY (org) REFERENCES crm_organization ("key")
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX crm_pipeline_default_key ON crm_pipeline (org, "default_key") WHERE "default_key" IS NOT NULL;
CREATE UNIQUE INDEX crm_pipeline_name_key ON crm_pipeline (org, "name_key");

CREATE TABLE crm_stage (
    org INTEGER NOT NULL,
    "id" BLOB NOT NULL,
    "pipeline_id" BLOB NOT NULL,
    "name" TEXT NOT NULL,
    "position" INTEGER NOT NULL,
    "probability" INTEGER NOT NULL,
    "name_key" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "created_at" INTEGER NOT NULL,
    "created_by" BLOB,
    "updated_at" INTEGER NOT NULL,
    PRIMARY KEY (org, "id"),
    FOREIGN KEY (org) REFERENCES crm_organization ("key"),
    FOREIGN KEY (org, "pipeline_id") REFERENCES crm_pipeline (org, "id")
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX crm_stage_name_key ON crm_stage (org, "pipeline_id", "name_key");
CREATE INDEX crm_stage_position ON crm_stage (org, "pipeline_id", "position");

CREATE TABLE crm_lead (
    org INTEGER NOT NULL,
    "id" BLOB NOT NULL,
    "contact_id" BLOB NOT NULL,
    "channel" TEXT NOT NULL CHECK ("channel" IN ('web', 'whatsapp', 'instagram', 'email', 'phone', 'referral', 'manual')),
    "status" TEXT NOT NULL CHECK ("status" IN ('new', 'contacted', 'quoted', 'closed', 'discarded')),
    "assignee_id" BLOB,
    "admin_notes" TEXT,
    "sales_notes" TEXT,
    "deal_id" BLOB,
    "external_id" TEXT,
    "version" INTEGER NOT NULL,
    "created_at" INTEGER NOT NULL,
    "created_by" BLOB,
    "updated_at" INTEGER NOT NULL,
    "archived_at" INTEGER,
    PRIMARY KEY (org, "id"),
    FOREIGN KEY (org) REFERENCES crm_organization ("key"),
    FOREIGN KEY (org, "contact_id") REFERENCES crm_contact (org, "id"),
    FOREIGN KEY ("assignee_id") REFERENCES crm_user ("id")
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX crm_lead_external_id ON crm_lead (org, "external_id") WHERE "external_id" IS NOT NULL;
CREATE INDEX crm_lead_contact_id ON crm_lead (org, "contact_id");
CREATE INDEX crm_lead_assignee_id ON crm_lead (org, "assignee_id", "status");
CREATE INDEX crm_lead_created_by ON crm_lead (org, "created_by");
CREATE INDEX crm_lead_status ON crm_lead (org, "status", "channel", "created_at", "archived_at");
CREATE INDEX crm_lead_created_at ON crm_lead (org, "created_at", "id");

CREATE TABLE crm_deal (
    org INTEGER NOT NULL,
    "id" BLOB NOT NULL,
    "title" TEXT NOT NULL,
    "contact_id" BLOB,
    "owner_id" BLOB NOT NULL,
    "currency" TEXT NOT NULL,
    "amount" INTEGER NOT NULL,
    "pipeline_id" BLOB NOT NULL,
    "stage_id" BLOB NOT NULL,
    "status" TEXT NOT NULL CHECK ("status" IN ('new', 'in_progress', 'won', 'lost')),
    "expected_close_on" INTEGER,
    "opened_at" INTEGER NOT NULL,
    "closed_at" INTEGER,
    "lost_reason" TEXT,
    "product_id" BLOB,
    "lead_id" BLOB,
    "stage_entered_at" INTEGER NOT NULL,
    "external_id" TEXT,
    "title_key" TEXT NOT NULL,
    "is_open" INTEGER NOT NULL CHECK ("is_open" IN (0, 1)),
    "version" INTEGER NOT NULL,
    "created_at" INTEGER NOT NULL,
    "created_by" BLOB,
    "updated_at" INTEGER NOT NULL,
    "archived_at" INTEGER,
    PRIMARY KEY (org, "id"),
    FOREIGN KEY (org) REFERENCES crm_organization ("key"),
    FOREIGN KEY (org, "contact_id") REFERENCES crm_contact (org, "id"),
    FOREIGN KEY ("owner_id") REFERENCES crm_user ("id"),
    FOREIGN KEY (org, "pipeline_id") REFERENCES crm_pipeline (org, "id"),
    FOREIGN KEY (org, "stage_id") REFERENCES crm_stage (org, "id"),
    FOREIGN KEY (org, "product_id") REFERENCES crm_product (org, "id"),
    FOREIGN KEY (org, "lead_id") REFERENCES crm_lead (org, "id")
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX crm_deal_lead_id ON crm_deal (org, "lead_id") WHERE "lead_id" IS NOT NULL;
CREATE UNIQUE INDEX crm_deal_external_id ON crm_deal (org, "external_id") WHERE "external_id" IS NOT NULL;
CREATE INDEX crm_deal_owner_id ON crm_deal (org, "owner_id", "is_open", "amount", "id");
CREATE INDEX crm_deal_amount ON crm_deal (org, "is_open", "amount", "id");
CREATE INDEX crm_deal_contact_id ON crm_deal (org, "contact_id");
CREATE INDEX crm_deal_stage ON crm_deal (org, "stage_id", "is_open", "currency", "expected_close_on", "amount", "stage_entered_at", "archived_at");
CREATE INDEX crm_deal_totals ON crm_deal (org, "currency", "status", "opened_at", "amount", "archived_at");
CREATE INDEX crm_deal_closed ON crm_deal (org, "pipeline_id", "status", "closed_at", "opened_at", "id");
CREATE INDEX crm_deal_pipeline_id ON crm_deal (org, "pipeline_id", "id", "status", "closed_at", "opened_at");
CREATE INDEX crm_deal_product_id_ref ON crm_deal (org, "product_id") WHERE "product_id" IS NOT NULL;

CREATE TABLE crm_stage_change (
    org INTEGER NOT NULL,
    "id" BLOB NOT NULL,
    "deal_id" BLOB NOT NULL,
    "pipeline_id" BLOB NOT NULL,
    "from_stage_id" BLOB,
    "to_stage_id" BLOB NOT NULL,
    "from_status" TEXT CHECK ("from_status" IN ('new', 'in_progress', 'won', 'lost')),
    "to_status" TEXT NOT NULL CHECK ("to_status" IN ('new', 'in_progress', 'won', 'lost')),
    "entered_at" INTEGER,
    "at" INTEGER NOT NULL,
    "by_id" BLOB,
    "imported" INTEGER NOT NULL CHECK ("imported" IN (0, 1)),
    "visit_seconds" INTEGER,
    PRIMARY KEY (org, "id"),
    FOREIGN KEY (org) REFERENCES crm_organization ("key"),
    FOREIGN KEY (org, "deal_id") REFERENCES crm_deal (org, "id"),
    FOREIGN KEY (org, "pipeline_id") REFERENCES crm_pipeline (org, "id"),
    FOREIGN KEY (org, "from_stage_id") REFERENCES crm_stage (org, "id"),
    FOREIGN KEY (org, "to_stage_id") REFERENCES crm_stage (org, "id")
) STRICT, WITHOUT ROWID;
CREATE INDEX crm_stage_change_deal_id ON crm_stage_change (org, "deal_id", "at", "id", "to_stage_id", "to_status");
CREATE INDEX crm_stage_change_left ON crm_stage_change (org, "from_stage_id", "at", "visit_seconds");
CREATE INDEX crm_stage_change_pipeline_id_ref ON crm_stage_change (org, "pipeline_id");
CREATE INDEX crm_stage_change_to_stage_id_ref ON crm_stage_change (org, "to_stage_id");

CREATE TABLE crm_tag (
    org INTEGER NOT NULL,
    "id" BLOB NOT NULL,
    "name" TEXT NOT NULL,
    "name_key" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "created_at" INTEGER NOT NULL,
    "created_by" BLOB,
    "updated_at" INTEGER NOT NULL,
    PRIMARY KEY (org, "id"),
    FOREIGN KEY (org) REFERENCES crm_organization ("key")
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX crm_tag_name_key ON crm_tag (org, "name_key");

CREATE TABLE crm_tagging (
    org INTEGER NOT NULL,
    "id" BLOB NOT NULL,
    "tag_id" BLOB NOT NULL,
    "contact_id" BLOB,
    "lead_id" BLOB,
    "deal_id" BLOB,
    "version" INTEGER NOT NULL,
    "created_at" INTEGER NOT NULL,
    "created_by" BLOB,
    "updated_at" INTEGER NOT NULL,
    PRIMARY KEY (org, "id"),
    FOREIGN KEY (org) REFERENCES crm_organization ("key"),
    FOREIGN KEY (org, "tag_id") REFERENCES crm_tag (org, "id"),
    FOREIGN KEY (org, "contact_id") REFERENCES crm_contact (org, "id"),
    FOREIGN KEY (org, "lead_id") REFERENCES crm_lead (org, "id"),
    FOREIGN KEY (org, "deal_id") REFERENCES crm_deal (org, "id")
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX crm_tagging_deal_id ON crm_tagging (org, "deal_id", "tag_id") WHERE "deal_id" IS NOT NULL;
CREATE UNIQUE INDEX crm_tagging_lead_id ON crm_tagging (org, "lead_id", "tag_id") WHERE "lead_id" IS NOT NULL;
CREATE UNIQUE INDEX crm_tagging_contact_id ON crm_tagging (org, "contact_id", "tag_id") WHERE "contact_id" IS NOT NULL;
CREATE INDEX crm_tagging_tag_id ON crm_tagging (org, "tag_id", "contact_id", "lead_id", "deal_id");

-- There are few pipelines and stages, and many deals in each.
ANALYZE sqlite_schema;
INSERT INTO sqlite_stat1 VALUES ('crm_pipeline', 'crm_pipeline', '1000000 100000 1');
INSERT INTO sqlite_stat1 VALUES ('crm_pipeline', 'crm_pipeline_name_key', '1000000 100000 1');
INSERT INTO sqlite_stat1 VALUES ('crm_pipeline', 'crm_pipeline_default_key', '1000000 100000 1');
INSERT INTO sqlite_stat1 VALUES ('crm_stage', 'crm_stage', '1000000 100000 1');
INSERT INTO sqlite_stat1 VALUES ('crm_stage', 'crm_stage_name_key', '1000000 100000 10 1');
INSERT INTO sqlite_stat1 VALUES ('crm_stage', 'crm_stage_position', '1000000 100000 10 1');
INSERT INTO sqlite_stat1 VALUES ('crm_lead', 'crm_lead', '1000000 100000 1');
INSERT INTO sqlite_stat1 VALUES ('crm_lead', 'crm_lead_external_id', '1000000 100000 1');
INSERT INTO sqlite_stat1 VALUES ('crm_lead', 'crm_lead_contact_id', '1000000 100000 10');
INSERT INTO sqlite_stat1 VALUES ('crm_lead', 'crm_lead_assignee_id', '1000000 100000 1000 200');
INSERT INTO sqlite_stat1 VALUES ('crm_lead', 'crm_lead_created_by', '1000000 100000 10');
INSERT INTO sqlite_stat1 VALUES ('crm_lead', 'crm_lead_status', '1000000 100000 20000 2857 1 1');
INSERT INTO sqlite_stat1 VALUES ('crm_lead', 'crm_lead_created_at', '1000000 100000 20 1');
INSERT INTO sqlite_stat1 VALUES ('crm_deal', 'crm_deal', '1000000 100000 1');
INSERT INTO sqlite_stat1 VALUES ('crm_deal', 'crm_deal_external_id', '1000000 100000 1');
INSERT INTO sqlite_stat1 VALUES ('crm_deal', 'crm_deal_lead_id', '1000000 100000 1');
INSERT INTO sqlite_stat1 VALUES ('crm_deal', 'crm_deal_owner_id', '1000000 100000 1000 500 1 1');
INSERT INTO sqlite_stat1 VALUES ('crm_deal', 'crm_deal_amount', '1000000 100000 50000 10 1');
INSERT INTO sqlite_stat1 VALUES ('crm_deal', 'crm_deal_contact_id', '1000000 100000 10');
INSERT INTO sqlite_stat1 VALUES ('crm_deal', 'crm_deal_stage', '1000000 100000 10000 5000 1666 2 1 1 1');
INSERT INTO sqlite_stat1 VALUES ('crm_deal', 'crm_deal_totals', '1000000 100000 33333 8333 1 1 1');
INSERT INTO sqlite_stat1 VALUES ('crm_deal', 'crm_deal_closed', '1000000 100000 50000 12500 2 1 1');
INSERT INTO sqlite_stat1 VALUES ('crm_deal', 'crm_deal_pipeline_id', '1000000 100000 50000 1 1 1 1');
INSERT INTO sqlite_stat1 VALUES ('crm_deal', 'crm_deal_product_id_ref', '1000000 100000 10');
INSERT INTO sqlite_stat1 VALUES ('crm_stage_change', 'crm_stage_change', '1000000 100000 1');
INSERT INTO sqlite_stat1 VALUES ('crm_stage_change', 'crm_stage_change_deal_id', '1000000 100000 10 1 1 1 1');
INSERT INTO sqlite_stat1 VALUES ('crm_stage_change', 'crm_stage_change_left', '1000000 100000 10000 2 1');
INSERT INTO sqlite_stat1 VALUES ('crm_stage_change', 'crm_stage_change_pipeline_id_ref', '1000000 100000 50000');
INSERT INTO sqlite_stat1 VALUES ('crm_stage_change', 'crm_stage_change_to_stage_id_ref', '1000000 100000 10000');
INSERT INTO sqlite_stat1 VALUES ('crm_tag', 'crm_tag', '1000000 100000 1');
INSERT INTO sqlite_stat1 VALUES ('crm_tag', 'crm_tag_name_key', '1000000 100000 1');
INSERT INTO sqlite_stat1 VALUES ('crm_tagging', 'crm_tagging', '1000000 100000 1');
INSERT INTO sqlite_stat1 VALUES ('crm_tagging', 'crm_tagging_contact_id', '1000000 100000 10 1');
INSERT INTO sqlite_stat1 VALUES ('crm_tagging', 'crm_tagging_lead_id', '1000000 100000 10 1');
INSERT INTO sqlite_stat1 VALUES ('crm_tagging', 'crm_tagging_deal_id', '1000000 100000 10 1');
INSERT INTO sqlite_stat1 VALUES ('crm_tagging', 'crm_tagging_tag_id', '1000000 100000 10 1 1 1');
ANALYZE sqlite_schema;

-- Activity: tasks, interactions, and the timelines of records, of which the audit of a record is a part.

CREATE TABLE crm_task (
    org INTEGER NOT NULL,
    "id" BLOB NOT NULL,
    "title" TEXT NOT NULL,
    "contact_id" BLOB,
    "lead_id" BLOB,
    "deal_id" BLOB,
    "invoice_id" BLOB,
    "case_id" BLOB,
    "description" TEXT,
    "due_on" INTEGER,
    "due_at" INTEGER,
    "assignee_id" BLOB NOT NULL,
    "status" TEXT NOT NULL CHECK ("status" IN ('open', 'done', 'cancelled')),
    "done_at" INTEGER,
    "version" INTEGER NOT NULL,
    "created_at" INTEGER NOT NULL,
    "created_by" BLOB,
    "updated_at" INTEGER NOT NULL,
    PRIMARY KEY (org, "id"),
    FOREIGN KEY (org) REFERENCES crm_organization ("key"),
    FOREIGN KEY (org, "contact_id") REFERENCES crm_contact (org, "id"),
    FOREIGN KEY (org, "lead_id") REFERENCES crm_lead (org, "id"),
    FOREIGN KEY (org, "deal_id") REFERENCES crm_deal (org, "id"),
    FOREIGN KEY (org, "invoice_id") REFERENCES crm_invoice (org, "id"),
    FOREIGN KEY (org, "case_id") REFERENCES crm_case (org, "id"),
    FOREIGN KEY ("assignee_id") REFERENCES crm_user ("id")
) STRICT, WITHOUT ROWID;
CREATE INDEX crm_task_contact ON crm_task (org, "contact_id", "created_at", "id");
CREATE INDEX crm_task_lead ON crm_task (org, "lead_id", "created_at", "id");
CREATE INDEX crm_task_deal ON crm_task (org, "deal_id", "created_at", "id");
CREATE INDEX crm_task_invoice ON crm_task (org, "invoice_id", "created_at", "id");
CREATE INDEX crm_task_case ON crm_task (org, "case_id", "created_at", "id");
CREATE INDEX crm_task_assignee ON crm_task (org, "assignee_id", "status", "due_on", "id");
CREATE INDEX crm_task_created_by ON crm_task (org, "created_by");
CREATE INDEX crm_task_status ON crm_task (org, "status", "due_on", "id");

CREATE TABLE crm_interaction (
    org INTEGER NOT NULL,
    "id" BLOB NOT NULL,
    "contact_id" BLOB,
    "lead_id" BLOB,
    "deal_id" BLOB,
    "invoice_id" BLOB,
    "case_id" BLOB,
    "kind" TEXT NOT NULL CHECK ("kind" IN ('call', 'email', 'meeting', 'message', 'visit', 'note', 'comment')),
    "occurred_at" INTEGER NOT NULL,
    "notes" TEXT NOT NULL,
    "author_id" BLOB NOT NULL,
    PRIMARY KEY (org, "id"),
    FOREIGN KEY (org) REFERENCES crm_organization ("key"),
    FOREIGN KEY (org, "contact_id") REFERENCES crm_contact (org, "id"),
    FOREIGN KEY (org, "lead_id") REFERENCES crm_lead (org, "id"),
    FOREIGN KEY (org, "deal_id") REFERENCES crm_deal (org, "id"),
    FOREIGN KEY (org, "invoice_id") REFERENCES crm_invoice (org, "id"),
    FOREIGN KEY (org, "case_id") REFERENCES crm_case (org, "id"),
    FOREIGN KEY ("author_id") REFERENCES crm_user ("id")
) STRICT, WITHOUT ROWID;
CREATE INDEX crm_interaction_contact ON crm_interaction (org, "contact_id", "occurred_at", "id");
CREATE INDEX crm_interaction_lead ON crm_interaction (org, "lead_id", "occurred_at", "id");
CREATE INDEX crm_interaction_deal ON crm_interaction (org, "deal_id", "occurred_at", "id");
CREATE INDEX crm_interaction_invoice ON crm_interaction (org, "invoice_id", "occurred_at", "id");
CREATE INDEX crm_interaction_case ON crm_interaction (org, "case_id", "occurred_at", "id");
CREATE INDEX crm_interaction_author ON crm_interaction (org, "author_id", "occurred_at", "id");

DROP INDEX crm_audit_entry_record;
CREATE INDEX crm_audit_entry_record ON crm_audit_entry (org, "record_id", "at", "id");

ANALYZE sqlite_schema;
INSERT INTO sqlite_stat1 VALUES ('crm_audit_entry', 'crm_audit_entry_record', '1000000 100000 10 1 1');
INSERT INTO sqlite_stat1 VALUES ('crm_task', 'crm_task', '1000000 100000 1');
INSERT INTO sqlite_stat1 VALUES ('crm_task', 'crm_task_contact', '1000000 100000 10 1 1');
INSERT INTO sqlite_stat1 VALUES ('crm_task', 'crm_task_lead', '1000000 100000 10 1 1');
INSERT INTO sqlite_stat1 VALUES ('crm_task', 'crm_task_deal', '1000000 100000 10 1 1');
INSERT INTO sqlite_stat1 VALUES ('crm_task', 'crm_task_invoice', '1000000 100000 10 1 1');
INSERT INTO sqlite_stat1 VALUES ('crm_task', 'crm_task_assignee', '1000000 100000 1000 333 1 1');
INSERT INTO sqlite_stat1 VALUES ('crm_task', 'crm_task_created_by', '1000000 100000 10');
INSERT INTO sqlite_stat1 VALUES ('crm_task', 'crm_task_status', '1000000 100000 33333 33 1');
INSERT INTO sqlite_stat1 VALUES ('crm_interaction', 'crm_interaction', '1000000 100000 1');
INSERT INTO sqlite_stat1 VALUES ('crm_interaction', 'crm_interaction_contact', '1000000 100000 10 1 1');
INSERT INTO sqlite_stat1 VALUES ('crm_interaction', 'crm_interaction_lead', '1000000 100000 10 1 1');
INSERT INTO sqlite_stat1 VALUES ('crm_interaction', 'crm_interaction_deal', '1000000 100000 10 1 1');
INSERT INTO sqlite_stat1 VALUES ('crm_interaction', 'crm_interaction_invoice', '1000000 100000 10 1 1');
INSERT INTO sqlite_stat1 VALUES ('crm_interaction', 'crm_interaction_author', '1000000 100000 1000 1 1');
ANALYZE sqlite_schema;
