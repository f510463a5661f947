//! Connections that break, servers that end them, and transactions that fail on the way.

#![allow(clippy::unwrap_used, reason = "these are tests")]

mod common;
#[path = "common/line.rs"]
mod line;

use std::time::Duration;

use async_trait::async_trait;
use common::{Database, World, contact, contacts, url};
use crm_core::entity::Entity as _;
use crm_core::people::Contact;
use crm_core::store::{Abort, ChangeSet, Expr, Feed, Select, Store, StoreError, StoreExt as _};
use crm_store_postgres::{PostgresOptions, PostgresStore};
use line::Line;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unknown_outcome_is_told_apart_from_failure() {
    let database = Database::new();
    let line = Line::new(&url()).await;
    let options = database.options().acquire_timeout(Duration::from_secs(5));
    let store = PostgresStore::connect(&line.url(&url()), options).await.unwrap();
    let mut world = World::new(&store, 1).await;
    // The statement's text is prepared before, so that the lost answer is that of the commit itself.
    world.contact(&store, "before").await;
    let (changes, _) = world.one(contact("lost answer"));
    line.cut();
    let unknown = store.apply(world.scope, changes).await;
    assert!(matches!(unknown, Err(StoreError::OutcomeUnknown(_))), "{unknown:?}");
    // It had in fact been written: a failed commit is no rolled-back commit.
    let written = "SELECT count(*) FROM crm_contact WHERE given_name LIKE 'lost%'";
    database.until(written, |written| written == 1).await;
    // Nothing could be sent at all: nothing was written, and a later try may succeed.
    let (changes, _) = world.one(contact("never sent"));
    let unavailable = store.apply(world.scope, changes).await;
    assert!(matches!(unavailable, Err(StoreError::Unavailable(_))), "{unavailable:?}");
    let unread = store.select(world.scope, &Select::new(Contact::TABLE, Expr::True)).await;
    assert!(matches!(unread, Err(StoreError::Unavailable(_))), "{unread:?}");
    line.mend();
    assert_eq!(contacts(&store, world.scope).await, 2);
    world.contact(&store, "after").await;
    assert_eq!(contacts(&store, world.scope).await, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_gets_over_connections_that_the_server_ended() {
    let database = Database::new();
    let store = PostgresStore::connect(&url(), database.options().application_name(&database.schema)).await.unwrap();
    let mut world = World::new(&store, 1).await;
    let first = world.contact(&store, "first").await;
    let end = format!(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = '{}'",
        database.schema
    );
    assert!(database.number(&end).await >= 1);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(store.get(world.scope, first.id).await.unwrap().is_some());
    assert!(database.number(&end).await >= 1);
    // One that has waited is tested before something is written with it.
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    world.contact(&store, "second").await;
    assert_eq!(contacts(&store, world.scope).await, 2);
}

/// Waits between chunks for longer than the server lets a transaction idle.
struct Slow(World, u32);

#[async_trait]
impl Feed for Slow {
    async fn next(&mut self, _: &dyn Store) -> Result<Option<ChangeSet>, Abort> {
        tokio::time::sleep(Duration::from_millis(u64::from(self.1))).await;
        self.1 *= 20;
        Ok((self.1 < 100_000).then(|| self.0.one(contact("slow")).0))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_feed_that_stalls_is_ended_and_leaves_nothing() {
    let database = Database::new();
    let options = database.options().idle_in_transaction(Duration::from_millis(300));
    let store = PostgresStore::connect(&url(), options).await.unwrap();
    let mut world = World::new(&store, 1).await;
    let changes = ChangeSet::streamed(world.context.stamp("test"), Box::new(Slow(world.clone(), 2)));
    let ended = store.apply(world.scope, changes).await;
    assert!(matches!(ended, Err(StoreError::Unavailable(_))), "{ended:?}");
    assert_eq!(contacts(&store, world.scope).await, 0);
}

/// Goes on although the database had failed.
struct Heedless(World);

#[async_trait]
impl Feed for Heedless {
    async fn next(&mut self, view: &dyn Store) -> Result<Option<ChangeSet>, Abort> {
        // A zero character is more than the database can hold, whatever core lets through.
        let nul = Expr::Contains(Contact::COLUMNS.name_key.operand(), "\0".to_owned());
        assert!(view.select(self.0.scope, &Select::new(Contact::TABLE, nul)).await.is_err());
        Ok(None)
    }
}

#[tokio::test]
async fn a_failed_transaction_is_never_taken_for_a_committed_one() {
    let database = Database::new();
    let store = database.store().await;
    let mut world = World::new(&store, 1).await;
    let (mut changes, _) = world.one(contact("lost"));
    changes.feed = Some(Box::new(Heedless(world.clone())));
    let refused = store.apply(world.scope, changes).await;
    assert!(matches!(refused, Err(StoreError::Backend(_))), "{refused:?}");
    assert_eq!(contacts(&store, world.scope).await, 0);
}

#[tokio::test]
async fn a_pool_without_a_free_connection_is_unavailable_after_its_time() {
    let database = Database::new();
    let options = database.options().max_connections(1).acquire_timeout(Duration::from_millis(100));
    let store = PostgresStore::connect(&url(), options).await.unwrap();
    let mut world = World::new(&store, 1).await;
    let changes = ChangeSet::streamed(world.context.stamp("test"), Box::new(Slow(world.clone(), 400)));
    let (scope, other) = (world.scope, store.clone());
    let feed = tokio::spawn(async move { other.apply(scope, changes).await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    let refused = store.select(scope, &Select::new(Contact::TABLE, Expr::True)).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    feed.abort();
    let nowhere = PostgresStore::connect("postgres://crm@127.0.0.1:1/none", PostgresOptions::new()).await;
    assert!(matches!(nowhere, Err(StoreError::Unavailable(_))));
}
