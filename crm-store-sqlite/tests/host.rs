//! Reads and writes within a host program's own transactions.

#![allow(clippy::unwrap_used, reason = "these are tests")]

mod common;

use common::{World, product, products};
use crm_core::audit;
use crm_core::billing::Product;
use crm_core::store::{ChangeSet, Query, Store as _, StoreError, StoreExt as _};
use crm_store_sqlite::SqliteStore;
use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection as _, Executor as _};

async fn host(world: &World) -> SqliteConnection {
    let mut host = SqliteConnection::connect(&format!("sqlite:{}", world.path())).await.unwrap();
    host.execute("CREATE TABLE IF NOT EXISTS orders (id INTEGER PRIMARY KEY)").await.unwrap();
    host
}

async fn count(world: &World) -> i64 {
    world.store.count(world.scope, &Query::<Product>::all()).await.unwrap()
}

#[tokio::test]
async fn what_is_written_is_seen_inside_and_gone_after_the_hosts_rollback() {
    let world = World::new().await;
    let mut host = host(&world).await;
    for keep in [false, true] {
        let mut transaction = host.begin_with("BEGIN IMMEDIATE").await.unwrap();
        transaction.execute("INSERT INTO orders DEFAULT VALUES").await.unwrap();
        {
            let within = SqliteStore::within(&mut transaction).await.unwrap();
            within.apply(world.scope, world.products(&[1, 2]).0).await.unwrap();
            assert_eq!(within.count(world.scope, &Query::<Product>::all()).await.unwrap(), 2);
        }
        assert_eq!(count(&world).await, 0);
        if keep {
            transaction.commit().await.unwrap();
        } else {
            transaction.rollback().await.unwrap();
        }
        assert_eq!(count(&world).await, if keep { 2 } else { 0 });
    }
    assert_eq!(audit::verify(&world.store, world.scope, None).await.unwrap().problems, 0);
}

#[tokio::test]
async fn a_refused_change_set_leaves_the_hosts_work_usable() {
    let world = World::new().await;
    let mut host = host(&world).await;
    let mut transaction = host.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let (first, made) = world.products(&[1]);
    SqliteStore::apply_in(&mut transaction, world.scope, first).await.unwrap();
    let (mut second, _) = world.products(&[2]);
    second.insert_as(&world.session.context(), made[0].id, product(3));
    let refused = SqliteStore::apply_in(&mut transaction, world.scope, second).await;
    assert!(matches!(refused, Err(StoreError::Duplicate { .. })), "{refused:?}");
    transaction.execute("INSERT INTO orders DEFAULT VALUES").await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(count(&world).await, 1);
}

#[tokio::test]
async fn outside_a_transaction_each_change_set_is_one() {
    let world = World::new().await;
    let mut host = host(&world).await;
    SqliteStore::apply_in(&mut host, world.scope, products(&world.session, &[1]).0).await.unwrap();
    assert_eq!(count(&world).await, 1);
    let empty = ChangeSet::new(world.session.context().stamp("test"));
    assert_eq!(SqliteStore::apply_in(&mut host, world.scope, empty).await.unwrap().rows, 0);
}

#[tokio::test]
async fn a_session_works_within_the_hosts_transaction() {
    let world = World::new().await;
    let mut host = host(&world).await;
    let mut transaction = host.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let within = SqliteStore::within(&mut transaction).await.unwrap();
    let session = world.session.on(&within);
    let columns = Product::COLUMNS;
    let edit = crm_core::Edit::new()
        .set(columns.name, product(1).name)
        .set(columns.kind, product(1).kind)
        .set(columns.unit_price, product(1).unit_price)
        .set(columns.currency, product(1).currency);
    let made = session.create::<Product>(edit).await.unwrap();
    assert_eq!(session.get(made.id).await.unwrap(), made);
    drop(session);
    drop(within);
    transaction.rollback().await.unwrap();
    assert_eq!(count(&world).await, 0);
}

#[tokio::test]
async fn a_database_without_the_schema_is_refused() {
    let mut host = SqliteConnection::connect("sqlite::memory:").await.unwrap();
    let refused = SqliteStore::within(&mut host).await.err();
    assert!(matches!(refused, Some(StoreError::Schema { found: 0, .. })), "{refused:?}");
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let world = World::new().await;
    let newer = "INSERT INTO crm_migration VALUES (999, 'later', x'00', 0)";
    world.stranger().execute_batch(newer).unwrap();
    let refused = SqliteStore::open(&world.path(), crm_store_sqlite::SqliteOptions::default()).err();
    assert!(matches!(refused, Some(StoreError::Schema { found: 999, .. })), "{refused:?}");
}
