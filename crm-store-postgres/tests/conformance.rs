//! What every store must do, and random work that must come out word for word as on the memory store.

#![allow(clippy::unwrap_used, reason = "these are tests")]

mod common;

use std::sync::Arc;

use common::Database;
use crm_core::Crm;
use crm_core::store::{MemoryStore, Store, conformance};
use crm_core::testing::{TestEnvironment, due_dates, machines, script};
use sqlx::Connection as _;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_suite_passes_as_value() {
    let database = Database::new();
    let store = database.store().await;
    conformance::suite(&store).await;
    store.close().await.unwrap();
}

#[tokio::test]
async fn the_suite_passes_as_box_on_one_thread() {
    let database = Database::new();
    let store: Box<dyn Store> = Box::new(database.store().await);
    conformance::suite(&store).await;
}

#[tokio::test]
async fn the_suite_passes_as_arc() {
    let database = Database::new();
    let store: Arc<dyn Store> = Arc::new(database.store().await);
    conformance::suite(&store).await;
}

#[tokio::test]
async fn the_suite_passes_within_a_hosts_transaction() {
    let database = Database::new();
    let store = database.store().await;
    let mut host = database.host().await;
    let mut transaction = host.begin().await.unwrap();
    {
        let within = store.within(&mut transaction);
        conformance::suite(&within).await;
    }
    transaction.commit().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_work_comes_out_as_on_the_memory_store() {
    for seed in 0..4 {
        let database = Database::new();
        let crm = |store: Arc<dyn Store>| Crm::new(store, TestEnvironment::new(1));
        let expected = script::play(&crm(Arc::new(MemoryStore::new())), seed, 225).await.unwrap();
        let found = script::play(&crm(Arc::new(database.store().await)), seed, 225).await.unwrap();
        for (expected, found) in expected.lines().zip(found.lines()) {
            assert_eq!(expected, found, "seed {seed}");
        }
        assert_eq!(expected.len(), found.len(), "seed {seed}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_state_event_and_role_does_what_the_machines_say() {
    let database = Database::new();
    let store = database.store().await;
    machines::every_move(&Crm::new(store, TestEnvironment::new(1))).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dated_situations_played_through_cases_are_due_when_they_were_worked_out_to_be() {
    let database = Database::new();
    let store = database.store().await;
    let played = due_dates::check(&Crm::new(store, TestEnvironment::new(1))).await.unwrap();
    assert!(played >= 500, "{played}");
}
