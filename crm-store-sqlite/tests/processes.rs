//! Several processes on one file. The test program calls itself.

#![allow(clippy::unwrap_used, reason = "these are tests")]

mod common;

use std::process::{Child, Command, Stdio};

use common::{World, products};
use crm_core::Crm;
use crm_core::audit;
use crm_core::billing::Product;
use crm_core::store::{Query, Store as _, StoreExt as _};
use crm_core::testing::TestEnvironment;
use crm_store_sqlite::{SqliteOptions, SqliteStore};

/// Where the file is, in a child process.
const PATH: &str = "CRM_TEST_PATH";
/// Which child process it is.
const NUMBER: &str = "CRM_TEST_NUMBER";

fn child(test: &str, path: &str, number: u32) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(PATH, path)
        .env(NUMBER, number.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn succeed(children: Vec<Child>) {
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"), "the child ran no test");
    }
}

#[test]
fn migrations_six_processes_open_one_new_file_at_once() {
    for _ in 0..5 {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("crm.db");
        succeed((0..6).map(|number| child("opener", path.to_str().unwrap(), number)).collect());
        let steps: i64 = rusqlite::Connection::open(&path)
            .unwrap()
            .query_row("SELECT count(*) FROM crm_migration", [], |row| row.get(0))
            .unwrap();
        assert_eq!(steps, crm_core::schema::VERSION);
    }
}

#[test]
fn opener() {
    let Ok(path) = std::env::var(PATH) else { return };
    let store = SqliteStore::open(&path, SqliteOptions::default()).unwrap();
    assert_eq!(crm_core::block_on(store.schema_version()).unwrap(), crm_core::schema::VERSION);
}

#[tokio::test]
async fn begin_immediate_three_processes_write_at_the_same_time() {
    let world = World::new().await;
    succeed((0..3).map(|number| child("writer", &world.path(), number + 10)).collect());
    assert_eq!(world.store.count(world.scope, &Query::<Product>::all()).await.unwrap(), 3 * 100 + 3 * 600);
    assert_eq!(audit::verify(&world.store, world.scope, None).await.unwrap().problems, 0);
    assert!(world.store.integrity_check().await.unwrap().is_empty());
}

#[tokio::test]
async fn writer() {
    let Ok(path) = std::env::var(PATH) else { return };
    let number = std::env::var(NUMBER).unwrap().parse().unwrap();
    let store = SqliteStore::open(&path, SqliteOptions::default()).unwrap();
    let crm = Crm::new(store.clone(), TestEnvironment::new(number));
    let session = crm.session(&"acme".parse().unwrap(), &"owner@acme.example".parse().unwrap()).await.unwrap();
    for price in 0..100 {
        store.apply(session.scope(), products(&session, &[price]).0).await.unwrap();
    }
    let prices: Vec<i64> = (0..600).collect();
    store.apply(session.scope(), products(&session, &prices).0).await.unwrap();
}
