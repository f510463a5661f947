//! Signing in, on PostgreSQL.

mod common;

use crm_core::Crm;
use crm_core::access::Secret;
use crm_core::testing::logins::{World, double_refresh, suite};

use crate::common::Database;

/// How many refreshes are made twice at once; `CRM_TEST_ROUNDS` makes more.
fn rounds() -> u32 {
    std::env::var("CRM_TEST_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(1_000)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signing_in_lets_in_whom_it_should_for_as_long_as_it_should() {
    let database = Database::new();
    suite(database.store().await).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_refreshes_at_once_one_begins_the_next_generation() {
    let database = Database::new();
    let both = |crm: Crm, token: Secret| async move {
        let refresh = |crm: Crm, token: Secret| tokio::spawn(async move { crm.refresh(&token).await });
        let (left, right) = (refresh(crm.clone(), token.clone()), refresh(crm, token));
        [left.await.unwrap(), right.await.unwrap()]
    };
    double_refresh(&World::new(database.store().await), rounds(), both).await.unwrap();
}
