//! Signing in, on SQLite.
#![expect(clippy::unwrap_used, reason = "these are tests")]

use crm_core::Crm;
use crm_core::access::Secret;
use crm_core::block_on;
use crm_core::testing::logins::{World, double_refresh, suite};
use crm_store_sqlite::{Durability, SqliteOptions, SqliteStore};
use tempfile::TempDir;

fn store(folder: &TempDir) -> SqliteStore {
    let options = SqliteOptions { durability: Durability::Normal, ..SqliteOptions::default() };
    SqliteStore::open(folder.path().join("logins.db").to_str().unwrap(), options).unwrap()
}

/// How many refreshes are made twice at once; `CRM_TEST_ROUNDS` makes more.
fn rounds() -> u32 {
    std::env::var("CRM_TEST_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(1_000)
}

#[test]
fn signing_in_lets_in_whom_it_should_for_as_long_as_it_should() {
    let folder = tempfile::tempdir().unwrap();
    block_on(suite(store(&folder))).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_refreshes_at_once_one_begins_the_next_generation() {
    let folder = tempfile::tempdir().unwrap();
    let both = |crm: Crm, token: Secret| async move {
        let refresh = |crm: Crm, token: Secret| tokio::spawn(async move { crm.refresh(&token).await });
        let (left, right) = (refresh(crm.clone(), token.clone()), refresh(crm, token));
        [left.await.unwrap(), right.await.unwrap()]
    };
    double_refresh(&World::new(store(&folder)), rounds(), both).await.unwrap();
}
