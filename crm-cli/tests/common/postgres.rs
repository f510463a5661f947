//! A schema of its own for each test, in the database that `CRM_TEST_POSTGRES_URL` names.

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
        let sign = if self.server.contains('?') { '&' } else { '?' };
        format!("{}{sign}schema={}", self.server, self.name)
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            if let Ok(mut connection) = PgConnection::connect(&self.server).await {
                let sql = format!("SET lock_timeout = '10s'; DROP SCHEMA IF EXISTS {} CASCADE", self.name);
                let _ = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await;
            }
        });
    }
}
