-- Schema version 6: row-level security, a second fence behind the conditions and composite keys of the first. Never
-- edited once released.
--
-- A statement sees and writes rows of the organization that the setting crm.org names, and none without it. The store
-- sets it for one transaction at a time. Owners are held to it too (FORCE); superusers and roles with BYPASSRLS never
-- are. A later migration that reads or changes rows must lift FORCE from their tables while it does.

-- The organization that the transaction works for, 0 for none; absent outside the store's transactions. It is plain SQL
-- without settings of its own, so that it becomes a part of each statement and indexes on org serve it.
CREATE FUNCTION crm_current_org() RETURNS BIGINT LANGUAGE sql STABLE PARALLEL SAFE
    RETURN NULLIF(pg_catalog.current_setting('crm.org', TRUE), '')::BIGINT;

ALTER TABLE crm_organization ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY crm_fence ON crm_organization USING (crm_current_org() IS NOT NULL) WITH CHECK (crm_current_org() IS NOT NULL);
ALTER TABLE crm_user ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY crm_fence ON crm_user USING (crm_current_org() IS NOT NULL) WITH CHECK (crm_current_org() IS NOT NULL);
ALTER TABLE crm_membership ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY crm_fence ON crm_membership USING (org = crm_current_org()) WITH CHECK (org = crm_current_org());
ALTER TABLE crm_idempotency ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY crm_fence ON crm_idempotency USING (org = crm_current_org()) WITH CHECK (org = crm_current_org());
ALTER TABLE crm_audit_entry ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY crm_fence ON crm_audit_entry USING (org = crm_current_org()) WITH CHECK (org = crm_current_org());
ALTER TABLE crm_number_series ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY crm_fence ON crm_number_series USING (org = crm_current_org()) WITH CHECK (org = crm_current_org());
ALTER TABLE crm_contact ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY crm_fence ON crm_contact USING (org = crm_current_org()) WITH CHECK (org = crm_current_org());
ALTER TABLE crm_product ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY crm_fence ON crm_product USING (org = crm_current_org()) WITH CHECK (org = crm_current_org());
ALTER TABLE crm_invoice ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY crm_fence ON crm_invoice USING (org = crm_current_org()) WITH CHECK (org = crm_current_org());
ALTER TABLE crm_invoice_line ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY crm_fence ON crm_invoice_line USING (org = crm_current_org()) WITH CHECK (org = crm_current_org());
ALTER TABLE crm_payment ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY crm_fence ON crm_payment USING (org = crm_current_org()) WITH CHECK (org = crm_current_org());
ALTER TABLE crm_credit_note ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY crm_fence ON crm_credit_note USING (org = crm_current_org()) WITH CHECK (org = crm_current_org());
ALTER TABLE crm_credit_note_line ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY crm_fence ON crm_credit_note_line USING (org = crm_current_org()) WITH CHECK (org = crm_current_org());
ALTER TABLE crm_allocation ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY crm_fence ON crm_allocation USING (org = crm_current_org()) WITH CHECK (org = crm_current_org());
ALTER TABLE crm_refund ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY crm_fence ON crm_refund USING (org = crm_current_org()) WITH CHECK (org = crm_current_org());
ALTER TABLE crm_pipeline ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY crm_fence ON crm_pipeline USING (org = crm_current_org()) WITH CHECK (org = crm_current_org());
ALTER TABLE crm_stage ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY crm_fence ON crm_stage USING (org = crm_current_org()) WITH CHECK (org = crm_current_org());
ALTER TABLE crm_lead ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY crm_fence ON crm_lead USING (org = crm_current_org()) WITH CHECK (org = crm_current_org());
ALTER TABLE crm_deal ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY crm_fence ON crm_deal USING (org = crm_current_org()) WITH CHECK (org = crm_current_org());
ALTER TABLE crm_stage_change ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY crm_fence ON crm_stage_change USING (org = crm_current_org()) WITH CHECK (org = crm_current_org());
ALTER TABLE crm_tag ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY crm_fence ON crm_tag USING (org = crm_current_org()) WITH CHECK (org = crm_current_org());
ALTER TABLE crm_tagging ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY crm_fence ON crm_tagging USING (org = crm_current_org()) WITH CHECK (org = crm_current_org());
ALTER TABLE crm_calendar ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY crm_fence ON crm_calendar USING (org = crm_current_org()) WITH CHECK (org = crm_current_org());
ALTER TABLE crm_case_rule ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY crm_fence ON crm_case_rule USING (org = crm_current_org()) WITH CHECK (org = crm_current_org());
ALTER TABLE crm_case ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY crm_fence ON crm_case USING (org = crm_current_org()) WITH CHECK (org = crm_current_org());
ALTER TABLE crm_case_event ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY crm_fence ON crm_case_event USING (org = crm_current_org()) WITH CHECK (org = crm_current_org());
ALTER TABLE crm_task ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY crm_fence ON crm_task USING (org = crm_current_org()) WITH CHECK (org = crm_current_org());
ALTER TABLE crm_interaction ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY crm_fence ON crm_interaction USING (org = crm_current_org()) WITH CHECK (org = crm_current_org());
ALTER TABLE crm_series_year ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY crm_fence ON crm_series_year USING (org = crm_current_org()) WITH CHECK (org = crm_current_org());
ALTER TABLE crm_login_throttle ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY crm_fence ON crm_login_throttle USING (crm_current_org() IS NOT NULL) WITH CHECK (crm_current_org() IS NOT NULL);
ALTER TABLE crm_login_session ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY crm_fence ON crm_login_session USING (crm_current_org() IS NOT NULL) WITH CHECK (crm_current_org() IS NOT NULL);
ALTER TABLE crm_refresh_token ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY crm_fence ON crm_refresh_token USING (crm_current_org() IS NOT NULL) WITH CHECK (crm_current_org() IS NOT NULL);
ALTER TABLE crm_api_key ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY crm_fence ON crm_api_key USING (org = crm_current_org()) WITH CHECK (org = crm_current_org());
ALTER TABLE crm_key_quota ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY crm_fence ON crm_key_quota USING (org = crm_current_org()) WITH CHECK (org = crm_current_org());
ALTER TABLE crm_key_usage ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY crm_fence ON crm_key_usage USING (org = crm_current_org()) WITH CHECK (org = crm_current_org());
ALTER TABLE crm_api_request ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY crm_fence ON crm_api_request USING (org = crm_current_org()) WITH CHECK (org = crm_current_org());
ALTER TABLE crm_invitation ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY crm_fence ON crm_invitation USING (org = crm_current_org()) WITH CHECK (org = crm_current_org());
