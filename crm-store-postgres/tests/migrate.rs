//! Migrations: at once, once, and never of what another program has made.

#![allow(clippy::unwrap_used, reason = "these are tests")]

mod common;

use std::process::{Child, Command};

use common::{Database, execute, url};
use crm_core::schema::VERSION;
use crm_core::store::StoreError;
use crm_store_postgres::{PostgresOptions, PostgresStore};

const SCHEMA: &str = "CRM_TEST_SCHEMA";

/// Runs one test of this program in a process of its own.
fn child(test: &str, schema: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--quiet"])
        .env(SCHEMA, schema)
        .spawn()
        .unwrap()
}

#[test]
fn six_processes_open_one_new_database_at_once() {
    let database = Database::new();
    let children: Vec<Child> = (0..6).map(|_| child("opener", &database.schema)).collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    assert_eq!(runtime.block_on(database.number("SELECT count(*) FROM crm_migration")), VERSION);
}

/// What each of the processes does; without its orders it has nothing to do.
#[tokio::test]
async fn opener() {
    let Ok(schema) = std::env::var(SCHEMA) else { return };
    let store = PostgresStore::connect(&url(), PostgresOptions::new().schema(schema)).await.unwrap();
    assert_eq!(store.schema_version().await.unwrap(), VERSION);
}

#[tokio::test]
async fn an_old_schema_is_refused_when_it_may_not_be_changed() {
    let database = Database::new();
    let refused = PostgresStore::connect(&url(), database.options().migrate(false)).await;
    assert!(matches!(refused, Err(StoreError::Schema { found: 0, known: VERSION })), "{refused:?}");
    database.store().await;
    PostgresStore::connect(&url(), database.options().migrate(false)).await.unwrap();
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let database = Database::new();
    let store = database.store().await;
    let mut host = database.host().await;
    execute(&mut host, "INSERT INTO crm_migration (version, name, sha256) VALUES (3, 'later', 'x')").await;
    let refused = PostgresStore::connect(&url(), database.options()).await;
    assert!(matches!(refused, Err(StoreError::Schema { found: 3, known: VERSION })), "{refused:?}");
    assert!(matches!(store.schema_version().await, Err(StoreError::Schema { found: 3, known: VERSION })));
}

#[tokio::test]
async fn a_schema_made_from_another_text_is_refused() {
    let database = Database::new();
    database.store().await;
    let mut host = database.host().await;
    execute(&mut host, "UPDATE crm_migration SET sha256 = 'x'").await;
    let refused = PostgresStore::connect(&url(), database.options()).await;
    assert!(matches!(refused, Err(StoreError::Corrupt { table: "crm_migration", .. })), "{refused:?}");
}

#[tokio::test]
async fn a_migration_that_fails_leaves_nothing() {
    let database = Database::new();
    let mut host = common::Database::host(&database).await;
    // A table of the host's stands where one of ours is to be.
    execute(&mut host, &format!("CREATE SCHEMA {0}; CREATE TABLE crm_payment (x int)", database.schema)).await;
    let refused = PostgresStore::connect(&url(), database.options()).await;
    assert!(matches!(refused, Err(StoreError::Backend(_))), "{refused:?}");
    let tables = format!("SELECT count(*) FROM pg_tables WHERE schemaname = '{}'", database.schema);
    // The host's table and the list of migrations, which is empty.
    assert_eq!(database.number(&tables).await, 2);
    assert_eq!(database.number("SELECT count(*) FROM crm_migration").await, 0);
    execute(&mut host, "DROP TABLE crm_payment").await;
    database.store().await;
}
