-- Schema version 2: sales, tasks, interactions, timelines.

-- Tasks, interactions, and the timelines of records, which the audit of a record is a part of.

CREATE TABLE crm_task (
    org INTEGER NOT NULL,
    "id" BLOB NOT NULL,
    "title" TEXT NOT NULL,
    "contact_id" BLOB,
    "invoice_id" BLOB,
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
    FOREIGN KEY (org, "invoice_id") REFERENCES crm_invoice (org, "id"),
    FOREIGN KEY ("assignee_id") REFERENCES crm_user ("id")
) STRICT, WITHOUT ROWID;
CREATE INDEX crm_task_contact ON crm_task (org, "contact_id", "created_at", "id");
CREATE INDEX crm_task_invoice ON crm_task (org, "invoice_id", "created_at", "id");
CREATE INDEX crm_task_assignee ON crm_task (org, "assignee_id", "status", "due_on", "id");
CREATE INDEX crm_task_status ON crm_task (org, "status", "due_on", "id");

CREATE TABLE crm_interaction (
    org INTEGER NOT NULL,
    "id" BLOB NOT NULL,
    "contact_id" BLOB,
    "invoice_id" BLOB,
    "kind" TEXT NOT NULL CHECK ("kind" IN ('call', 'email', 'meeting', 'message', 'visit', 'note', 'comment')),
    "occurred_at" INTEGER NOT NULL,
    "notes" TEXT NOT NULL,
    "author_id" BLOB NOT NULL,
    PRIMARY KEY (org, "id"),
    FOREIGN KEY (org) REFERENCES crm_organization ("key"),
    FOREIGN KEY (org, "contact_id") REFERENCES crm_contact (org, "id"),
    FOREIGN KEY (org, "invoice_id") REFERENCES crm_invoice (org, "id"),
    FOREIGN KEY ("author_id") REFERENCES crm_user ("id")
) STRICT, WITHOUT ROWID;
CREATE INDEX crm_interaction_contact ON crm_interaction (org, "contact_id", "occurred_at", "id");
CREATE INDEX crm_interaction_invoice ON crm_interaction (org, "invoice_id", "occurred_at", "id");
CREATE INDEX crm_interaction_author ON crm_interaction (org, "author_id", "occurred_at", "id");

DROP INDEX crm_audit_entry_record;
CREATE INDEX crm_audit_entry_record ON crm_audit_entry (org, "record_id", "at", "id");

ANALYZE sqlite_schema;
INSERT INTO sqlite_stat1 VALUES ('crm_audit_entry', 'crm_audit_entry_record', '1000000 100000 10 1 1');
INSERT INTO sqlite_stat1 VALUES ('crm_task', 'crm_task', '1000000 100000 1');
INSERT INTO sqlite_stat1 VALUES ('crm_task', 'crm_task_contact', '1000000 100000 10 1 1');
INSERT INTO sqlite_stat1 VALUES ('crm_task', 'crm_task_invoice', '1000000 100000 10 1 1');
INSERT INTO sqlite_stat1 VALUES ('crm_task', 'crm_task_assignee', '1000000 100000 1000 333 1 1');
INSERT INTO sqlite_stat1 VALUES ('crm_task', 'crm_task_status', '1000000 100000 33333 33 1');
INSERT INTO sqlite_stat1 VALUES ('crm_interaction', 'crm_interaction', '1000000 100000 1');
INSERT INTO sqlite_stat1 VALUES ('crm_interaction', 'crm_interaction_contact', '1000000 100000 10 1 1');
INSERT INTO sqlite_stat1 VALUES ('crm_interaction', 'crm_interaction_invoice', '1000000 100000 10 1 1');
INSERT INTO sqlite_stat1 VALUES ('crm_interaction', 'crm_interaction_author', '1000000 100000 1000 1 1');
ANALYZE sqlite_schema;
