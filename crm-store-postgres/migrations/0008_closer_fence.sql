-- Schema version 8: what stands above organizations is fenced as well. Never edited once released.
--
-- A transaction for an organization sees and writes the organization's own row, the users who are its members and the
-- logins to it; nothing else of these tables, but for single rows that the store names for a single change-set, such as
-- somebody who joins. What is done above organizations has crm.org = 0 and sees all of them.

-- The rows above organizations that the transaction may touch though they are not its organization's own, by id and
-- separated by commas; mostly none.
CREATE FUNCTION crm_beyond() RETURNS UUID[] LANGUAGE sql STABLE PARALLEL SAFE
    RETURN string_to_array(NULLIF(pg_catalog.current_setting('crm.beyond', TRUE), ''), ',')::UUID[];

DROP POLICY crm_fence ON crm_organization;
CREATE POLICY crm_fence ON crm_organization USING (crm_current_org() = 0 OR "key" = crm_current_org()) WITH CHECK (crm_current_org() = 0 OR "key" = crm_current_org());
DROP POLICY crm_fence ON crm_user;
CREATE POLICY crm_fence ON crm_user USING (crm_current_org() = 0 OR EXISTS (SELECT FROM crm_membership AS m WHERE m.org = crm_current_org() AND m."user_id" = crm_user."id") OR "id" = ANY ((SELECT crm_beyond())::UUID[])) WITH CHECK (crm_current_org() = 0 OR EXISTS (SELECT FROM crm_membership AS m WHERE m.org = crm_current_org() AND m."user_id" = crm_user."id") OR "id" = ANY ((SELECT crm_beyond())::UUID[]));
DROP POLICY crm_fence ON crm_login_throttle;
CREATE POLICY crm_fence ON crm_login_throttle USING (crm_current_org() = 0 OR "id" = ANY ((SELECT crm_beyond())::UUID[])) WITH CHECK (crm_current_org() = 0 OR "id" = ANY ((SELECT crm_beyond())::UUID[]));
DROP POLICY crm_fence ON crm_login_session;
CREATE POLICY crm_fence ON crm_login_session USING (crm_current_org() = 0 OR EXISTS (SELECT FROM crm_organization AS o WHERE o."key" = crm_current_org() AND o."id" = crm_login_session."organization_id") OR "id" = ANY ((SELECT crm_beyond())::UUID[])) WITH CHECK (crm_current_org() = 0 OR EXISTS (SELECT FROM crm_organization AS o WHERE o."key" = crm_current_org() AND o."id" = crm_login_session."organization_id") OR "id" = ANY ((SELECT crm_beyond())::UUID[]));
DROP POLICY crm_fence ON crm_refresh_token;
CREATE POLICY crm_fence ON crm_refresh_token USING (crm_current_org() = 0 OR "id" = ANY ((SELECT crm_beyond())::UUID[])) WITH CHECK (crm_current_org() = 0 OR "id" = ANY ((SELECT crm_beyond())::UUID[]));
