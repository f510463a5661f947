//! Change-sets within the host program's own transaction.

#![allow(clippy::unwrap_used, reason = "these are tests")]

mod common;

use common::{Database, World, contact, execute};
use crm_core::Crm;
use crm_core::people::{Contact, ContactKind};
use crm_core::store::{Expr, Select, Store, StoreError, StoreExt as _};
use crm_core::testing::{self, TestEnvironment};
use crm_core::{Edit, entity::Entity as _};
use sqlx::Connection as _;

const CONTACTS: &str = "SELECT count(*) FROM crm_contact";

#[tokio::test]
async fn what_is_written_is_seen_inside_and_gone_after_the_hosts_rollback() {
    let database = Database::new();
    let store = database.store().await;
    let mut world = World::new(&store, 1).await;
    let mut host = database.host().await;
    let mut transaction = host.begin().await.unwrap();
    let (changes, written) = world.one(contact("inside"));
    let within = store.within(&mut transaction);
    assert_eq!(within.apply(world.scope, changes).await.unwrap().rows, 1);
    assert!(within.get(world.scope, written.id).await.unwrap().is_some());
    assert!(store.get(world.scope, written.id).await.unwrap().is_none());
    drop(within);
    transaction.rollback().await.unwrap();
    assert_eq!(database.number(CONTACTS).await, 0);
}

#[tokio::test]
async fn a_refused_change_set_leaves_the_hosts_work_usable() {
    let database = Database::new();
    let store = database.store().await;
    let mut world = World::new(&store, 1).await;
    let mut host = database.host().await;
    let mut transaction = host.begin().await.unwrap();
    execute(&mut transaction, "CREATE TABLE host_work (x int); INSERT INTO host_work VALUES (1)").await;
    let numbered = || Contact { account_number: Some("1".parse().unwrap()), ..contact("n") };
    let (changes, first) = world.one(numbered());
    store.apply_in(&mut transaction, world.scope, changes).await.unwrap();
    let (changes, _) = world.one(numbered());
    let refused = store.apply_in(&mut transaction, world.scope, changes).await;
    assert!(matches!(refused, Err(StoreError::Duplicate { .. })), "{refused:?}");
    let mut stale = world.changes();
    stale.delete(&crm_core::entity::Stored { version: 7, ..first.clone() });
    let refused = store.apply_in(&mut transaction, world.scope, stale).await;
    assert!(matches!(refused, Err(StoreError::Conflict { id, .. }) if id == first.id.uuid()), "{refused:?}");
    transaction.commit().await.unwrap();
    assert_eq!(database.number(CONTACTS).await, 1);
    assert_eq!(database.number("SELECT count(*) FROM host_work").await, 1);
}

#[tokio::test]
async fn outside_a_transaction_each_change_set_is_one() {
    let database = Database::new();
    let store = database.store().await;
    let mut world = World::new(&store, 1).await;
    let mut host = database.host().await;
    let numbered = || Contact { account_number: Some("1".parse().unwrap()), ..contact("n") };
    let (changes, _) = world.one(numbered());
    store.apply_in(&mut host, world.scope, changes).await.unwrap();
    let (changes, _) = world.one(numbered());
    let refused = store.apply_in(&mut host, world.scope, changes).await;
    assert!(matches!(refused, Err(StoreError::Duplicate { .. })), "{refused:?}");
    assert_eq!(common::contacts(&store.within(&mut host), world.scope).await, 1);
    assert_eq!(database.number(CONTACTS).await, 1);
}

#[tokio::test]
async fn a_session_works_within_the_hosts_transaction() {
    let database = Database::new();
    let store = database.store().await;
    let crm = Crm::new(store.clone(), TestEnvironment::new(1));
    let session = testing::organization(&crm, "acme").await.unwrap();
    let mut host = database.host().await;
    let mut transaction = host.begin().await.unwrap();
    {
        let within = store.within(&mut transaction);
        let inside = session.on(&within);
        let columns = Contact::COLUMNS;
        let edit =
            Edit::new().set(columns.kind, ContactKind::Person).set(columns.given_name, Some("Eva".parse().unwrap()));
        let eva = inside.create::<Contact>(edit).await.unwrap();
        assert!(session.get::<Contact>(eva.id).await.is_err());
        assert!(inside.get::<Contact>(eva.id).await.is_ok());
    }
    transaction.commit().await.unwrap();
    assert_eq!(database.number(CONTACTS).await, 1);
    // What was written there is sealed like everything else.
    store.close().await.unwrap();
    assert_eq!(database.number("SELECT count(*) FROM crm_audit_entry WHERE seq IS NULL AND org > 0").await, 0);
}

#[tokio::test]
async fn a_database_without_the_schema_is_refused() {
    let database = Database::new();
    let other = Database::new();
    let store = database.store().await;
    let mut host = other.host().await;
    let within = store.within(&mut host);
    let query = Select::new(Contact::TABLE, Expr::True);
    let refused = within.select(crm_core::store::Scope::for_tests(1), &query).await;
    assert!(matches!(refused, Err(StoreError::Schema { found: 0, known: crm_core::schema::VERSION })), "{refused:?}");
}
