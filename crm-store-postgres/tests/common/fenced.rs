//! Roles of a test's own: one that owns the schema, one that only works with it; row-level security holds both.

#![allow(dead_code, reason = "not every test program uses everything")]
#![allow(clippy::unwrap_used, reason = "these are tests")]

use crm_store_postgres::{PostgresOptions, PostgresStore};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::common::{Database, execute, url};

/// A schema whose owner is no superuser, with a role that was granted what it needs.
pub(crate) struct Fenced {
    pub(crate) database: Database,
    pub(crate) owner: String,
    pub(crate) role: String,
    _roles: Roles,
}

impl Fenced {
    /// The schema with its tables.
    pub(crate) async fn new() -> Self {
        let this = Self::empty().await;
        let owner = this.owner_store().await;
        owner.grant(&this.role).await.unwrap();
        owner.close().await.unwrap();
        this
    }

    /// The schema without tables, and the roles.
    pub(crate) async fn empty() -> Self {
        let database = Database::new();
        let (owner, role) = (format!("{}_owner", database.schema), format!("{}_role", database.schema));
        let mut host = database.host().await;
        for role in [&owner, &role] {
            execute(&mut host, &format!("CREATE ROLE {role} LOGIN PASSWORD '{role}' NOSUPERUSER NOBYPASSRLS")).await;
        }
        execute(&mut host, &format!("CREATE SCHEMA {} AUTHORIZATION {owner}", database.schema)).await;
        let roles = Roles(vec![owner.clone(), role.clone()]);
        Self { database, owner, role, _roles: roles }
    }

    /// The address for a role.
    pub(crate) fn url(role: &str) -> String {
        let url = url();
        let (scheme, rest) = url.split_once("://").unwrap();
        let rest = rest.split_once('@').map_or(rest, |(_, rest)| rest);
        format!("{scheme}://{role}:{role}@{rest}")
    }

    pub(crate) fn options(&self) -> PostgresOptions {
        self.database.options()
    }

    pub(crate) async fn owner_store(&self) -> PostgresStore {
        PostgresStore::connect(&Self::url(&self.owner), self.options()).await.unwrap()
    }

    pub(crate) async fn store(&self) -> PostgresStore {
        self.store_with(self.options()).await
    }

    pub(crate) async fn store_with(&self, options: PostgresOptions) -> PostgresStore {
        PostgresStore::connect(&Self::url(&self.role), options).await.unwrap()
    }

    /// A plain connection of the role.
    pub(crate) async fn host(&self) -> PgConnection {
        self.host_of(&self.role).await
    }

    /// A plain connection of one of the roles.
    pub(crate) async fn host_of(&self, role: &str) -> PgConnection {
        let mut connection = PgConnection::connect(&Self::url(role)).await.unwrap();
        execute(&mut connection, &format!("SET search_path TO {}", self.database.schema)).await;
        connection
    }
}

/// Dropped after the schema, since what it grants holds them.
struct Roles(Vec<String>);

impl Drop for Roles {
    fn drop(&mut self) {
        let sql: Vec<String> = self.0.iter().map(|role| format!("DROP OWNED BY {role}; DROP ROLE {role}")).collect();
        let sql = sql.join("; ");
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                if let Ok(mut connection) = PgConnection::connect(&url()).await {
                    let _ = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await;
                }
            });
        });
        let _ = dropped.join();
    }
}
