//! What a role needs to work with the store and not to own it.

use crm_core::access::{Organization, User};
use crm_core::audit::AuditEntry;
use crm_core::entity::Entity as _;
use crm_core::schema::TABLES;
use crm_core::store::StoreError;
use sqlx::{PgConnection, Row as _};

use crate::decode;
use crate::error::{Phase, mapped};
use crate::execute::simple;

/// Why a role was granted nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GrantError {
    /// The server has no role of this name.
    #[error("the server has no role {0:?}")]
    NoRole(String),
    /// Row-level security would not hold the role: it is the owner of the tables, a superuser or one that bypasses it,
    /// or may become one of them, as before PostgreSQL 16 any may that has CREATEROLE.
    #[error("the role {0:?} is, or may become, the tables' owner, a superuser or one that bypasses row-level security")]
    Privileged(String),
    /// The store's own role does not own the tables.
    #[error("only the owner of the tables can grant what is needed to work with them")]
    NotOwner,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is known of a role, by name: itself and the tables' schema as they stand in statements, whether nothing would
/// hold it, and whether the one who asks owns the tables.
const ROLE: &str = "SELECT quote_ident(r.rolname), quote_ident(n.nspname), \
    EXISTS (SELECT FROM pg_roles f WHERE (f.rolsuper OR f.rolbypassrls OR f.oid = c.relowner \
    OR f.rolcreaterole AND current_setting('server_version_num')::int < 160000) \
    AND pg_has_role(r.oid, f.oid, 'MEMBER')), pg_has_role(c.relowner, 'USAGE') \
    FROM pg_roles r, pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
    WHERE r.rolname = $1 AND c.oid = to_regclass('crm_contact')";

/// The roles that [`grant`] has served, and the tables' schema.
const SERVED: &str = "SELECT quote_ident(r.rolname), quote_ident(n.nspname) FROM pg_proc p \
    JOIN pg_namespace n ON n.oid = p.pronamespace, aclexplode(p.proacl) AS a JOIN pg_roles r ON r.oid = a.grantee \
    WHERE p.oid = to_regprocedure('crm_current_org()') AND a.grantee <> p.proowner";

/// Columns of the audit that change after an entry was written: what sealing fills in, and what erasing a person
/// empties.
const AUDIT_CHANGES: &[&str] = &["seq", "hash", "changes", "salt"];

fn open(error: sqlx::Error) -> StoreError {
    mapped(error, Phase::Open)
}

/// Grants a role what the store needs, and takes from it what else it may do with the tables.
pub(crate) async fn grant(connection: &mut PgConnection, role: &str) -> Result<(), GrantError> {
    let known = sqlx::query(ROLE).bind(role).fetch_optional(&mut *connection).await.map_err(open)?;
    let Some(known) = known else { return Err(GrantError::NoRole(role.to_owned())) };
    let truth = |at| known.try_get::<bool, _>(at).map_err(open);
    if truth(2)? {
        return Err(GrantError::Privileged(role.to_owned()));
    }
    if !truth(3)? {
        return Err(GrantError::NotOwner);
    }
    let name = |at| known.try_get::<String, _>(at).map_err(open);
    simple(connection, text(&name(0)?, &name(1)?)).await.map_err(open)?;
    Ok(())
}

/// Grants the roles that were served before what a migration has added.
pub(crate) async fn renew(connection: &mut PgConnection) -> Result<(), StoreError> {
    for row in simple(connection, SERVED).await.map_err(open)? {
        if let (Some(role), Some(schema)) = (decode::text(&row, 0), decode::text(&row, 1)) {
            simple(connection, text(&role, &schema)).await.map_err(open)?;
        }
    }
    Ok(())
}

/// The statements, one transaction; both names are quoted where they must be. Users and organizations are never deleted.
fn text(role: &str, schema: &str) -> String {
    let audit = AuditEntry::TABLE;
    let columns = audit.columns.iter().map(|column| column.name).filter(|name| AUDIT_CHANGES.contains(name));
    let columns: Vec<String> = columns.map(crm_sql::quote).collect();
    let lasting = [User::TABLE.name, Organization::TABLE.name];
    let tables = TABLES.iter().filter(|table| ***table != *audit).map(|table| table.name);
    let tables: Vec<&str> = tables.filter(|name| !lasting.contains(name)).collect();
    let (audit, columns, tables, lasting) = (audit.name, columns.join(", "), tables.join(", "), lasting.join(", "));
    format!(
        "BEGIN; REVOKE ALL ON {tables}, {lasting}, {audit}, crm_migration FROM {role}; \
         GRANT USAGE ON SCHEMA {schema} TO {role}; \
         GRANT SELECT, INSERT, UPDATE, DELETE ON {tables} TO {role}; \
         GRANT SELECT, INSERT, UPDATE ON {lasting} TO {role}; \
         GRANT SELECT, INSERT, UPDATE ({columns}) ON {audit} TO {role}; \
         GRANT SELECT ON crm_migration TO {role}; \
         GRANT EXECUTE ON FUNCTION crm_current_org(), crm_beyond(), crm_expect(BIGINT, BIGINT, TEXT) TO {role}; COMMIT"
    )
}

#[cfg(test)]
mod tests {
    use sqlx::{AssertSqlSafe, Connection as _};

    use super::*;
    use crate::{PostgresOptions, PostgresStore};

    /// What a later migration adds, here taken away before, is granted again to roles that were served, and to no other.
    #[tokio::test]
    async fn roles_that_were_served_get_what_a_migration_adds() -> Result<(), Box<dyn std::error::Error>> {
        let url = std::env::var("CRM_TEST_POSTGRES_URL").expect("the address of a PostgreSQL for tests");
        let name = format!("crm_test_renew_{}", std::process::id());
        let mut admin = PgConnection::connect(&url).await?;
        simple(&mut admin, format!("CREATE ROLE {name}; CREATE ROLE {name}_other")).await?;
        let store = PostgresStore::connect(&url, PostgresOptions::new().schema(&name)).await?;
        store.grant(&name).await?;
        simple(&mut admin, format!("SET search_path TO {name}; REVOKE ALL ON crm_contact FROM {name}")).await?;
        renew(&mut admin).await?;
        let may = |role: String, right: &str| format!("SELECT has_table_privilege('{role}', 'crm_contact', '{right}')");
        let mut found = Vec::new();
        for text in [may(name.clone(), "DELETE"), may(name.clone(), "TRUNCATE"), may(format!("{name}_other"), "SELECT")]
        {
            found.push(sqlx::query_scalar::<_, bool>(AssertSqlSafe(text)).fetch_one(&mut admin).await?);
        }
        let end = format!("DROP SCHEMA {name} CASCADE; DROP ROLE {name}, {name}_other");
        simple(&mut admin, end).await?;
        assert_eq!(found, [true, false, false]);
        Ok(())
    }
}
