//! No secret and nothing personal is logged or printed, on PostgreSQL.

mod common;

use crm_core::testing::canary;

use crate::common::Database;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_and_nothing_personal_is_logged_or_printed() {
    let mut databases = Vec::new();
    let fresh = async || {
        databases.push(Database::new());
        databases[databases.len() - 1].store().await
    };
    canary::check(fresh, true).await.unwrap();
}
