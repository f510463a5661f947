//! What every store must do, and random work that must come out word for word as on the memory store.

#![allow(clippy::unwrap_used, reason = "these are tests")]

use std::sync::Arc;

use crm_core::Crm;
use crm_core::store::{MemoryStore, Store, conformance};
use crm_core::testing::{TestEnvironment, due_dates, machines, script};
use crm_store_sqlite::{SqliteOptions, SqliteStore};
use sqlx::Connection as _;
use sqlx::sqlite::SqliteConnection;
use tempfile::TempDir;

fn store() -> (TempDir, SqliteStore) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("crm.db");
    let store = SqliteStore::open(path.to_str().unwrap(), SqliteOptions::default()).unwrap();
    (directory, store)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_suite_passes_as_value() {
    let (_directory, store) = store();
    conformance::suite(&store).await;
    assert!(store.integrity_check().await.unwrap().is_empty());
}

#[tokio::test]
async fn the_suite_passes_as_box_on_one_thread() {
    let (_directory, store) = store();
    let store: Box<dyn Store> = Box::new(store);
    conformance::suite(&store).await;
}

#[test]
fn the_suite_passes_as_arc_without_a_runtime() {
    let (_directory, store) = store();
    let store: Arc<dyn Store> = Arc::new(store);
    crm_core::block_on(conformance::suite(&store));
}

#[tokio::test]
async fn the_suite_passes_within_a_hosts_transaction() {
    let (directory, store) = store();
    store.close().await.unwrap();
    let address = format!("sqlite:{}", directory.path().join("crm.db").display());
    let mut host = SqliteConnection::connect(&address).await.unwrap();
    let mut transaction = host.begin_with("BEGIN IMMEDIATE").await.unwrap();
    {
        let within = SqliteStore::within(&mut transaction).await.unwrap();
        conformance::suite(&within).await;
    }
    transaction.commit().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_work_comes_out_as_on_the_memory_store() {
    for seed in 0..8 {
        let (_directory, store) = store();
        let sqlite = script::play(&Crm::new(store.clone(), TestEnvironment::new(1)), seed, 450).await.unwrap();
        let memory = script::play(&Crm::new(MemoryStore::new(), TestEnvironment::new(1)), seed, 450).await.unwrap();
        for (number, (left, right)) in sqlite.lines().zip(memory.lines()).enumerate() {
            assert_eq!(left, right, "seed {seed}, line {number}");
        }
        assert_eq!(sqlite.len(), memory.len(), "seed {seed}");
        assert_eq!(store.integrity_check().await.unwrap(), Vec::<String>::new());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_state_event_and_role_does_what_the_machines_say() {
    let (_directory, store) = store();
    machines::every_move(&Crm::new(store, TestEnvironment::new(1))).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dated_situations_played_through_cases_are_due_when_they_were_worked_out_to_be() {
    let (_directory, store) = store();
    let played = due_dates::check(&Crm::new(store, TestEnvironment::new(1))).await.unwrap();
    assert!(played >= 500, "{played}");
}
