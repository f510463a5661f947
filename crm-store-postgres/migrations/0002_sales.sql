-- Schema version 2: sales, tasks, interactions, timelines.

-- Tasks, interactions, and the timelines of records, which the audit of a record is a part of.

CREATE TABLE crm_task (
    org BIGINT NOT NULL,
    "id" UUID NOT NULL,
    "title" TEXT COLLATE "C" NOT NULL,
    "contact_id" UUID,
    "invoice_id" UUID,
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
CREATE INDEX crm_task_invoice ON crm_task (org, "invoice_id", "created_at", "id");
CREATE INDEX crm_task_assignee ON crm_task (org, "assignee_id", "status", "due_on", "id");
CREATE INDEX crm_task_status ON crm_task (org, "status", "due_on", "id");

CREATE TABLE crm_interaction (
    org BIGINT NOT NULL,
    "id" UUID NOT NULL,
    "contact_id" UUID,
    "invoice_id" UUID,
    "kind" TEXT COLLATE "C" NOT NULL CHECK ("kind" IN ('call', 'email', 'meeting', 'message', 'visit', 'note', 'comment')),
    "occurred_at" TIMESTAMPTZ NOT NULL,
    "notes" TEXT COLLATE "C" NOT NULL,
    "author_id" UUID NOT NULL,
    CONSTRAINT crm_interaction_pkey PRIMARY KEY (org, "id")
);
CREATE INDEX crm_interaction_contact ON crm_interaction (org, "contact_id", "occurred_at", "id");
CREATE INDEX crm_interaction_invoice ON crm_interaction (org, "invoice_id", "occurred_at", "id");
CREATE INDEX crm_interaction_author ON crm_interaction (org, "author_id", "occurred_at", "id");

DROP INDEX crm_audit_entry_record;
CREATE INDEX crm_audit_entry_record ON crm_audit_entry (org, "record_id", "at", "id");

ALTER TABLE crm_task ADD CONSTRAINT crm_task_org_fkey FOREIGN KEY (org) REFERENCES crm_organization ("key");
ALTER TABLE crm_task ADD CONSTRAINT crm_task_contact_id_fkey FOREIGN KEY (org, "contact_id") REFERENCES crm_contact (org, "id");
ALTER TABLE crm_task ADD CONSTRAINT crm_task_invoice_id_fkey FOREIGN KEY (org, "invoice_id") REFERENCES crm_invoice (org, "id");
ALTER TABLE crm_task ADD CONSTRAINT crm_task_assignee_id_fkey FOREIGN KEY ("assignee_id") REFERENCES crm_user ("id");
ALTER TABLE crm_interaction ADD CONSTRAINT crm_interaction_org_fkey FOREIGN KEY (org) REFERENCES crm_organization ("key");
ALTER TABLE crm_interaction ADD CONSTRAINT crm_interaction_contact_id_fkey FOREIGN KEY (org, "contact_id") REFERENCES crm_contact (org, "id");
ALTER TABLE crm_interaction ADD CONSTRAINT crm_interaction_invoice_id_fkey FOREIGN KEY (org, "invoice_id") REFERENCES crm_invoice (org, "id");
ALTER TABLE crm_interaction ADD CONSTRAINT crm_interaction_author_id_fkey FOREIGN KEY ("author_id") REFERENCES crm_user ("id");
