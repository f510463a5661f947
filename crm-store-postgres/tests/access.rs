//! Who gets through to what, and that organizations do not interfere, on PostgreSQL.

mod common;

use crm_core::testing::boundaries::{Credentials, Isolation, cells_beside, isolation, kept, rounds};
use crm_core::testing::logins::World;

use crate::common::Database;

/// Every sixtieth call by those who open a session by name; with `CRM_TEST_CELLS` every call, and with
/// `CRM_TEST_CELLS=all` by every credential.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cells_are_as_on_the_memory_store() {
    let (credentials, every) = match std::env::var("CRM_TEST_CELLS").as_deref() {
        Ok("all") => (Credentials::All, 1),
        Ok(_) => (Credentials::Users, 1),
        Err(_) => (Credentials::Users, 60),
    };
    for first in 0..3 {
        let calls = (first * every / 3, every);
        let database = Database::new();
        let here = World::new(database.store().await);
        let [here, model] = cells_beside(&here, credentials, calls).await.unwrap();
        assert_eq!(here, model);
        if every == 1 {
            break;
        }
    }
}

/// Every fifth call, others after each event; with `CRM_TEST_CELLS` every call.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_revoked_or_changed_counts_on_the_next_call() {
    let every = if std::env::var_os("CRM_TEST_CELLS").is_some() { 1 } else { 5 };
    let database = Database::new();
    let told = kept(&World::new(database.store().await), every).await.unwrap();
    assert!(told.refused > 2_000 / every, "{told:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::print_stdout, reason = "the figures of a long run")]
async fn an_organization_cannot_tell_whether_there_is_another() {
    let mut found = Isolation::default();
    for seed in rounds() {
        let (shared, alone) = (Database::new(), Database::new());
        let (shared, alone) = (shared.store().await, alone.store().await);
        found.add(isolation(shared.clone(), alone.clone(), seed).await.unwrap());
        shared.close().await.unwrap();
        alone.close().await.unwrap();
    }
    println!("{found:?}");
    found.require();
}
