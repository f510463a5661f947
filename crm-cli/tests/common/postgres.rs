//! A schema of its own for each test, in the database that `CRM_TEST_POSTGRES_URL` names.

#![allow(dead_code, reason = "not every test program uses everything")]
#![allow(clippy::unwrap_used, reason = "these are tests")]

use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

/// A schema that is dropped at the test's end.
pub(crate) struct Schema {
    server: String,
    name: String,
}

impl Schema {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let server = std::env::var("CRM_TEST_POSTGRES_URL").expect(
            "these tests need a PostgreSQL database: run them with `cargo xtask test`, which starts one, or set \
             CRM_TEST_POSTGRES_URL to the address of one that they may fill",
        );
        let started = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_micros();
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        Self { server, name: format!("crm_cli_{started}_{}_{count}", std::process::id()) }
    }

    /// The address that leads to it.
    pub(crate) fn url(&self) -> String {
        self.at(&self.server)
    }

    fn at(&self, server: &str) -> String {
        let sign = if server.contains('?') { '&' } else { '?' };
        format!("{server}{sign}schema={}", self.name)
    }

    /// A role of the server, which is dropped with the schema, and the address as which it connects.
    pub(crate) fn role(&self) -> (String, String) {
        let role = format!("{}_role", self.name);
        self.run(format!("CREATE ROLE {role} LOGIN PASSWORD '{role}'")).unwrap();
        let (scheme, rest) = self.server.split_once("://").unwrap();
        let rest = rest.split_once('@').map_or(rest, |(_, rest)| rest);
        let url = self.at(&format!("{scheme}://{role}:{role}@{rest}"));
        (role, url)
    }

    fn run(&self, sql: String) -> Result<(), sqlx::Error> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let mut connection = PgConnection::connect(&self.server).await?;
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.map(drop)
        })
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        let _ = self.run(format!("SET lock_timeout = '10s'; DROP SCHEMA IF EXISTS {} CASCADE", self.name));
        // There is one only in a test that asked for it.
        let _ = self.run(format!("DROP ROLE {}_role", self.name));
    }
}
