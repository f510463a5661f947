-- Schema version 2: sales. Never edited once released. As in the first one, tables, columns and indexes are those of
-- the descriptions in crm-core, and uniques are checked at the end of each statement.

-- Sales.

CREATE TABLE crm_pipeline (
    org BIGINT NOT NULL,
    "id" UUID NOT NULL,
    "name" TEXT COLLATE "C" NOT NULL,
    "is_default" BOOLEAN NOT NULL,
    "revision" BIGINT NOT NULL,
    "name_key" TEXT COLLATE "C" NOT NULL,
    "default_key" BIGINT,
    "version" BIGINT NOT NULL,
    "created_at" TIMESTAMPTZ NOT NULL,
    "created_by" UUID,
    "updated_at" TIMESTAMPTZ NOT NULL,
    CONSTRAINT crm_pipeline_pkey PRIMARY KEY (org, "id"),
    CONSTRAINT crm_pipeline_name_key UNIQUE (org, "name_key") DEFERRABLE,
    CONSTRAINT crm_pipeline_default_key UNIQUE (org, "default_key") DEFERRABLE
);

CREATE TABLE crm_stage (
    org BIGINT NOT NULL,
    "id" UUID NOT NULL,
    "pipeline_id" UUID NOT NULL,
    "name" TEXT COLLATE "C" NOT NULL,
    "position" BIGINT NOT NULL,
    "probability" BIGINT NOT NULL,
    "name_key" TEXT COLLATE "C" NOT NULL,
    "version" BIGINT NOT NULL,
    "created_at" TIMESTAMPTZ NOT NULL,
    "created_by" UUID,
    "updated_at" TIMESTAMPTZ NOT NULL,
    CONSTRAINT crm_stage_pkey PRIMARY KEY (org, "id"),
    CONSTRAINT crm_stage_name_key UNIQUE (org, "pipeline_id", "name_key") DEFERRABLE
);
CREATE INDEX crm_stage_position ON crm_stage (org, "pipeline_id", "position");

CREATE TABLE crm_lead (
    org BIGINT NOT NULL,
    "id" UUID NOT NULL,
    "contact_id" UUID NOT NULL,
    "channel" TEXT COLLATE "C" NOT NULL CHECK ("channel" IN ('web', 'whatsapp', 'instagram', 'email', 'phone', 'referral', 'manual')),
    "status" TEXT COLLATE "C" NOT NULL CHECK ("status" IN ('new', 'contacted', 'quoted', 'closed', 'discarded')),
    "assignee_id" UUID,
    "admin_notes" TEXT COLLATE "C",
    "sales_notes" TEXT COLLATE "C",
    "deal_id" UUID,
    "external_id" TEXT COLLATE "C",
    "version" BIGINT NOT NULL,
    "created_at" TIMESTAMPTZ NOT NULL,
    "created_by" UUID,
    "updated_at" TIMESTAMPTZ NOT NULL,
    "archived_at" TIMESTAMPTZ,
    CONSTRAINT crm_lead_pkey PRIMARY KEY (org, "id"),
    CONSTRAINT crm_lead_external_id UNIQUE (org, "external_id") DEFERRABLE
);
CREATE INDEX crm_lead_contact_id ON crm_lead (org, "contact_id");
CREATE INDEX crm_lead_assignee_id ON crm_lead (org, "assignee_id", "status");
CREATE INDEX crm_lead_created_by ON crm_lead (org, "created_by");
CREATE INDEX crm_lead_status ON crm_lead (org, "status", "channel", "created_at", "archived_at");
CREATE INDEX crm_lead_created_at ON crm_lead (org, "created_at", "id");

CREATE TABLE crm_deal (
    org BIGINT NOT NULL,
    "id" UUID NOT NULL,
    "title" TEXT COLLATE "C" NOT NULL,
    "contact_id" UUID,
    "owner_id" UUID NOT NULL,
    "currency" TEXT COLLATE "C" NOT NULL,
    "amount" BIGINT NOT NULL,
    "pipeline_id" UUID NOT NULL,
    "stage_id" UUID NOT NULL,
    "status" TEXT COLLATE "C" NOT NULL CHECK ("status" IN ('new', 'in_progress', 'won', 'lost')),
    "expected_close_on" DATE,
    "opened_at" TIMESTAMPTZ NOT NULL,
    "closed_at" TIMESTAMPTZ,
    "lost_reason" TEXT COLLATE "C",
    "product_id" UUID,
    "lead_id" UUID,
    "stage_entered_at" TIMESTAMPTZ NOT NULL,
    "external_id" TEXT COLLATE "C",
    "title_key" TEXT COLLATE "C" NOT NULL,
    "is_open" BOOLEAN NOT NULL,
    "version" BIGINT NOT NULL,
    "created_at" TIMESTAMPTZ NOT NULL,
    "created_by" UUID,
    "updated_at" TIMESTAMPTZ NOT NULL,
    "archived_at" TIMESTAMPTZ,
    CONSTRAINT crm_deal_pkey PRIMARY KEY (org, "id"),
    CONSTRAINT crm_deal_external_id UNIQUE (org, "external_id") DEFERRABLE,
    CONSTRAINT crm_deal_lead_id UNIQUE (org, "lead_id") DEFERRABLE
);
CREATE INDEX crm_deal_owner_id ON crm_deal (org, "owner_id", "is_open", "amount", "id");
CREATE INDEX crm_deal_amount ON crm_deal (org, "is_open", "amount", "id");
CREATE INDEX crm_deal_contact_id ON crm_deal (org, "contact_id");
CREATE INDEX crm_deal_stage ON crm_deal (org, "stage_id", "is_open", "currency", "expected_close_on", "amount", "stage_entered_at", "archived_at");
CREATE INDEX crm_deal_totals ON crm_deal (org, "currency", "status", "opened_at", "amount", "archived_at");
CREATE INDEX crm_deal_closed ON crm_deal (org, "pipeline_id", "status", "closed_at", "opened_at", "id");
CREATE INDEX crm_deal_pipeline_id ON crm_deal (org, "pipeline_id", "id", "status", "closed_at", "opened_at");
CREATE INDEX crm_deal_product_id_ref ON crm_deal (org, "product_id");

CREATE TABLE crm_stage_change (
    org BIGINT NOT NULL,
    "id" UUID NOT NULL,
    "deal_id" UUID NOT NULL,
    "pipeline_id" UUID NOT NULL,
    "from_stage_id" UUID,
    "to_stage_id" UUID NOT NULL,
    "from_status" TEXT COLLATE "C" CHECK ("from_status" IN ('new', 'in_progress', 'won', 'lost')),
    "to_status" TEXT COLLATE "C" NOT NULL CHECK ("to_status" IN ('new', 'in_progress', 'won', 'lost')),
    "entered_at" TIMESTAMPTZ,
    "at" TIMESTAMPTZ NOT NULL,
    "by_id" UUID,
    "imported" BOOLEAN NOT NULL,
    "visit_seconds" BIGINT,
    CONSTRAINT crm_stage_change_pkey PRIMARY KEY (org, "id")
);
CREATE INDEX crm_stage_change_deal_id ON crm_stage_change (org, "deal_id", "at", "id", "to_stage_id", "to_status");
CREATE INDEX crm_stage_change_left ON crm_stage_change (org, "from_stage_id", "at", "visit_seconds");
CREATE INDEX crm_stage_change_pipeline_id_ref ON crm_stage_change (org, "pipeline_id");
CREATE INDEX crm_stage_change_to_stage_id_ref ON crm_stage_change (org, "to_stage_id");

CREATE TABLE crm_tag (
    org BIGINT NOT NULL,
    "id" UUID NOT NULL,
    "name" TEXT COLLATE "C" NOT NULL,
    "name_key" TEXT COLLATE "C" NOT NULL,
    "version" BIGINT NOT NULL,
    "created_at" TIMESTAMPTZ NOT NULL,
    "created_by" UUID,
    "updated_at" TIMESTAMPTZ NOT NULL,
    CONSTRAINT crm_tag_pkey PRIMARY KEY (org, "id"),
    CONSTRAINT crm_tag_name_key UNIQUE (org, "name_key") DEFERRABLE
);

CREATE TABLE crm_tagging (
    org BIGINT NOT NULL,
    "id" UUID NOT NULL,
    "tag_id" UUID NOT NULL,
    "contact_id" UUID,
    "lead_id" UUID,
    "deal_id" UUID,
    "version" BIGINT NOT NULL,
    "created_at" TIMESTAMPTZ NOT NULL,
    "created_by" UUID,
    "updated_at" TIMESTAMPTZ NOT NULL,
    CONSTRAINT crm_tagging_pkey PRIMARY KEY (org, "id"),
    CONSTRAINT crm_tagging_contact_id UNIQUE (org, "contact_id", "tag_id") DEFERRABLE,
    CONSTRAINT crm_tagging_lead_id UNIQUE (org, "lead_id", "tag_id") DEFERRABLE,
    CONSTRAINT crm_tagging_deal_id UNIQUE (org, "deal_id", "tag_id") DEFERRABLE
);
CREATE INDEX crm_tagging_tag_id ON crm_tagging (org, "tag_id", "contact_id", "lead_id", "deal_id");

ALTER TABLE crm_pipeline ADD CONSTRAINT crm_pipeline_org_fkey FOREIGN KEY (org) REFERENCES crm_organization ("key");
ALTER TABLE crm_stage ADD CONSTRAINT crm_stage_org_fkey FOREIGN KEY (org) REFERENCES crm_organization ("key");
ALTER TABLE crm_stage ADD CONSTRAINT crm_stage_pipeline_id_fkey FOREIGN KEY (org, "pipeline_id") REFERENCES crm_pipeline (org, "id");
ALTER TABLE crm_lead ADD CONSTRAINT crm_lead_org_fkey FOREIGN KEY (org) REFERENCES crm_organization ("key");
ALTER TABLE crm_lead ADD CONSTRAINT crm_lead_contact_id_fkey FOREIGN KEY (org, "contact_id") REFERENCES crm_contact (org, "id");
ALTER TABLE crm_lead ADD CONSTRAINT crm_lead_assignee_id_fkey FOREIGN KEY ("assignee_id") REFERENCES crm_user ("id");
ALTER TABLE crm_deal ADD CONSTRAINT crm_deal_org_fkey FOREIGN KEY (org) REFERENCES crm_organization ("key");
ALTER TABLE crm_deal ADD CONSTRAINT crm_deal_contact_id_fkey FOREIGN KEY (org, "contact_id") REFERENCES crm_contact (org, "id");
ALTER TABLE crm_deal ADD CONSTRAINT crm_deal_owner_id_fkey FOREIGN KEY ("owner_id") REFERENCES crm_user ("id");
ALTER TABLE crm_deal ADD CONSTRAINT crm_deal_pipeline_id_fkey FOREIGN KEY (org, "pipeline_id") REFERENCES crm_pipeline (org, "id");
ALTER TABLE crm_deal ADD CONSTRAINT crm_deal_stage_id_fkey FOREIGN KEY (org, "stage_id") REFERENCES crm_stage (org, "id");
ALTER TABLE crm_deal ADD CONSTRAINT crm_deal_product_id_fkey FOREIGN KEY (org, "product_id") REFERENCES crm_product (org, "id");
ALTER TABLE crm_deal ADD CONSTRAINT crm_deal_lead_id_fkey FOREIGN KEY (org, "lead_id") REFERENCES crm_lead (org, "id");
ALTER TABLE crm_stage_change ADD CONSTRAINT crm_stage_change_org_fkey FOREIGN KEY (org) REFERENCES crm_organization ("key");
ALTER TABLE crm_stage_change ADD CONSTRAINT crm_stage_change_deal_id_fkey FOREIGN KEY (org, "deal_id") REFERENCES crm_deal (org, "id");
ALTER TABLE crm_stage_change ADD CONSTRAINT crm_stage_change_pipeline_id_fkey FOREIGN KEY (org, "pipeline_id") REFERENCES crm_pipeline (org, "id");
ALTER TABLE crm_stage_change ADD CONSTRAINT crm_stage_change_from_stage_id_fkey FOREIGN KEY (org, "from_stage_id") REFERENCES crm_stage (org, "id");
ALTER TABLE crm_stage_change ADD CONSTRAINT crm_stage_change_to_stage_id_fkey FOREIGN KEY (org, "to_stage_id") REFERENCES crm_stage (org, "id");
ALTER TABLE crm_tag ADD CONSTRAINT crm_tag_org_fkey FOREIGN KEY (org) REFERENCES crm_organization ("key");
ALTER TABLE crm_tagging ADD CONSTRAINT crm_tagging_org_fkey FOREIGN KEY (org) REFERENCES crm_organization ("key");
ALTER TABLE crm_tagging ADD CONSTRAINT crm_tagging_tag_id_fkey FOREIGN KEY (org, "tag_id") REFERENCES crm_tag (org, "id");
ALTER TABLE crm_tagging ADD CONSTRAINT crm_tagging_contact_id_fkey FOREIGN KEY (org, "contact_id") REFERENCES crm_contact (org, "id");
ALTER TABLE crm_tagging ADD CONSTRAINT crm_tagging_lead_id_fkey FOREIGN KEY (org, "lead_id") REFERENCES crm_lead (org, "id");
ALTER TABLE crm_tagging ADD CONSTRAINT crm_tagging_deal_id_fkey FOREIGN KEY (org, "deal_id") REFERENCES crm_deal (org, "id");

-- Activity: tasks, interactions, and the timelines of records, of which the audit of a record is a part.

CREATE TABLE crm_task (
    org BIGINT NOT NULL,
    "id" UUID NOT NULL,
    "title" TEXT COLLATE "C" NOT NULL,
    "contact_id" UUID,
    "lead_id" UUID,
    "deal_id" UUID,
    "invoice_id" UUID,
    "case_id" UUID,
    "description" TEXT COLLATE "C",
    "due_on" DATE,
    "due_at" TIMESTAMPTZ,
    "assignee_id" UUID NOT NULL,
    "status" TEXT COLLATE "C" NOT NULL CHECK ("status" IN ('open', 'done', 'cancelled')),
    "done_at" TIMESTAMPTZ,
    "version" BIGINT NOT NULL,
    "created_at" TIMESTAMPTZ NOT NULL,
    "created_by" UUID,
    "updated_at" TIMESTAMPTZ NOT NULL,
    CONSTRAINT crm_task_pkey PRIMARY KEY (org, "id")
);
CREATE INDEX crm_task_contact ON crm_task (org, "contact_id", "created_at", "id");
CREATE INDEX crm_task_lead ON crm_task (org, "lead_id", "created_at", "id");
CREATE INDEX crm_task_deal ON crm_task (org, "deal_id", "created_at", "id");
CREATE INDEX crm_task_invoice ON crm_task (org, "invoice_id", "created_at", "id");
CREATE INDEX crm_task_case ON crm_task (org, "case_id", "created_at", "id");
CREATE INDEX crm_task_assignee ON crm_task (org, "assignee_id", "status", "due_on", "id");
CREATE INDEX crm_task_created_by ON crm_task (org, "created_by");
CREATE INDEX crm_task_status ON crm_task (org, "status", "due_on", "id");

CREATE TABLE crm_interaction (
    org BIGINT NOT NULL,
    "id" UUID NOT NULL,
    "contact_id" UUID,
    "lead_id" UUID,
    "deal_id" UUID,
    "invoice_id" UUID,
    "case_id" UUID,
    "kind" TEXT COLLATE "C" NOT NULL CHECK ("kind" IN ('call', 'email', 'meeting', 'message', 'visit', 'note', 'comment')),
    "occurred_at" TIMESTAMPTZ NOT NULL,
    "notes" TEXT COLLATE "C" NOT NULL,
    "author_id" UUID NOT NULL,
    CONSTRAINT crm_interaction_pkey PRIMARY KEY (org, "id")
);
CREATE INDEX crm_interaction_contact ON crm_interaction (org, "contact_id", "occurred_at", "id");
CREATE INDEX crm_interaction_lead ON crm_interaction (org, "lead_id", "occurred_at", "id");
CREATE INDEX crm_interaction_deal ON crm_interaction (org, "deal_id", "occurred_at", "id");
CREATE INDEX crm_interaction_invoice ON crm_interaction (org, "invoice_id", "occurred_at", "id");
CREATE INDEX crm_interaction_case ON crm_interaction (org, "case_id", "occurred_at", "id");
CREATE INDEX crm_interaction_author ON crm_interaction (org, "author_id", "occurred_at", "id");

DROP INDEX crm_audit_entry_record;
CREATE INDEX crm_audit_entry_record ON crm_audit_entry (org, "record_id", "at", "id");

ALTER TABLE crm_task ADD CONSTRAINT crm_task_org_fkey FOREIGN KEY (org) REFERENCES crm_organization ("key");
ALTER TABLE crm_task ADD CONSTRAINT crm_task_contact_id_fkey FOREIGN KEY (org, "contact_id") REFERENCES crm_contact (org, "id");
ALTER TABLE crm_task ADD CONSTRAINT crm_task_lead_id_fkey FOREIGN KEY (org, "lead_id") REFERENCES crm_lead (org, "id");
ALTER TABLE crm_task ADD CONSTRAINT crm_task_deal_id_fkey FOREIGN KEY (org, "deal_id") REFERENCES crm_deal (org, "id");
ALTER TABLE crm_task ADD CONSTRAINT crm_task_invoice_id_fkey FOREIGN KEY (org, "invoice_id") REFERENCES crm_invoice (org, "id");
ALTER TABLE crm_task ADD CONSTRAINT crm_task_assignee_id_fkey FOREIGN KEY ("assignee_id") REFERENCES crm_user ("id");
ALTER TABLE crm_interaction ADD CONSTRAINT crm_interaction_org_fkey FOREIGN KEY (org) REFERENCES crm_organization ("key");
ALTER TABLE crm_interaction ADD CONSTRAINT crm_interaction_contact_id_fkey FOREIGN KEY (org, "contact_id") REFERENCES crm_contact (org, "id");
ALTER TABLE crm_interaction ADD CONSTRAINT crm_interaction_lead_id_fkey FOREIGN KEY (org, "lead_id") REFERENCES crm_lead (org, "id");
ALTER TABLE crm_interaction ADD CONSTRAINT crm_interaction_deal_id_fkey FOREIGN KEY (org, "deal_id") REFERENCES crm_deal (org, "id");
ALTER TABLE crm_interaction ADD CONSTRAINT crm_interaction_invoice_id_fkey FOREIGN KEY (org, "invoice_id") REFERENCES crm_invoice (org, "id");
ALTER TABLE crm_interaction ADD CONSTRAINT crm_interaction_author_id_fkey FOREIGN KEY ("author_id") REFERENCES crm_user ("id");
