//! One test for each trap of SQLite that was met before, named after it.

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::{World, product, products, reprice};
use crm_core::audit;
use crm_core::billing::{NumberSeries, Product};
use crm_core::entity::Entity as _;
use crm_core::row::Value;
use crm_core::store::{
    Abort, Aggregate, ChangeSet, Expr, Feed, Filter, Measure, Operand, Query, Store, StoreError, StoreExt as _,
};
use crm_store_sqlite::{SqliteOptions, SqliteStore};
use sqlx::Connection as _;
use sqlx::sqlite::SqliteConnection;

#[tokio::test]
async fn version_both_drivers_link_a_sqlite_that_loses_no_pages() {
    assert!(rusqlite::version_number() >= 3_051_003, "{}", rusqlite::version());
    let mut host = SqliteConnection::connect("sqlite::memory:").await.unwrap();
    let version: String = sqlx::query_scalar("SELECT sqlite_version()").fetch_one(&mut host).await.unwrap();
    assert_eq!(version, rusqlite::version());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn begin_immediate_read_modify_writes_of_two_openers_conflict_but_are_never_busy() {
    let world = World::new().await;
    let other = SqliteStore::open(&world.path(), SqliteOptions::default()).unwrap();
    let (changes, made) = world.products(&[0]);
    world.store.apply(world.scope, changes).await.unwrap();
    let id = made[0].id;
    let mut tasks = Vec::new();
    for task in 0..8 {
        let store = if task % 2 == 0 { world.store.clone() } else { other.clone() };
        let (mut context, scope) = (world.session.context(), world.scope);
        tasks.push(tokio::spawn(async move {
            let mut done = 0;
            while done < 25 {
                let before = store.get::<Product>(scope, id).await.unwrap().unwrap();
                let changes = reprice(&mut context, &before, before.unit_price.micros() + 1);
                match store.apply(scope, changes).await {
                    Ok(_) => done += 1,
                    Err(error) => assert!(error.is_conflict(), "{error:?}"),
                }
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    let after = world.store.get::<Product>(world.scope, id).await.unwrap().unwrap();
    assert_eq!(after.unit_price.micros(), 200);
    assert_eq!(after.version, 201);
}

#[tokio::test]
async fn strict_tables_refuse_what_is_not_of_their_types_and_the_rest_is_corrupt() {
    let world = World::new().await;
    let (changes, made) = world.products(&[1, 2]);
    world.store.apply(world.scope, changes).await.unwrap();
    let stranger = world.stranger();
    assert!(stranger.execute("UPDATE crm_product SET version = 'two'", []).is_err());
    assert!(stranger.execute("UPDATE crm_product SET kind = 'nonsense'", []).is_err());
    assert!(stranger.execute("UPDATE crm_product SET name = NULL", []).is_err());
    let id = made[1].id.uuid();
    stranger.execute("UPDATE crm_product SET created_by = x'00' WHERE id = ?1", [id.as_bytes()]).unwrap();
    let found = world.store.fetch(world.scope, Product::TABLE, &[id]).await;
    assert!(
        matches!(&found, Err(StoreError::Corrupt { table: "crm_product", column: "created_by", id: Some(at), .. }) if *at == id),
        "{found:?}"
    );
    assert!(world.store.fetch(world.scope, Product::TABLE, &[made[0].id.uuid()]).await.is_ok());
}

#[tokio::test]
async fn no_page_checksums_an_altered_value_passes_the_integrity_check_and_fails_the_audit() {
    let world = World::new().await;
    let (changes, _) = world.products(&[1, 2]);
    world.store.apply(world.scope, changes).await.unwrap();
    assert_eq!(audit::verify(&world.store, world.scope, None).await.unwrap().problems, 0);
    world.stranger().execute("UPDATE crm_product SET unit_price = 3 WHERE unit_price = 2", []).unwrap();
    assert!(world.store.integrity_check().await.unwrap().is_empty());
    assert_eq!(audit::verify(&world.store, world.scope, None).await.unwrap().problems, 1);
}

#[tokio::test]
async fn lock_handle_taken_again_and_again_does_not_hang() {
    let world = World::new().await;
    let (changes, made) = world.products(&[7]);
    world.store.apply(world.scope, changes).await.unwrap();
    let mut host = SqliteConnection::connect(&format!("sqlite:{}", world.path())).await.unwrap();
    let rounds = async {
        for _ in 0..5_000 {
            let within = SqliteStore::within(&mut host).await.unwrap();
            assert_eq!(within.fetch(world.scope, Product::TABLE, &[made[0].id.uuid()]).await.unwrap().len(), 1);
        }
    };
    tokio::time::timeout(Duration::from_mins(2), rounds).await.expect("5,000 rounds take a few seconds");
}

#[tokio::test]
async fn sum_over_64_bits_is_an_overflow() {
    let world = World::new().await;
    let (changes, _) = world.products(&[i64::MAX, 1]);
    world.store.apply(world.scope, changes).await.unwrap();
    let price = Operand::Column(Product::COLUMNS.unit_price.index());
    let query = Aggregate::new(Product::TABLE, Expr::True).measure(Measure::Sum(price.clone()));
    let sum = world.store.aggregate(world.scope, std::slice::from_ref(&query)).await;
    assert!(matches!(sum, Err(StoreError::Overflow)), "{sum:?}");
    let difference =
        Operand::Difference(Box::new(Operand::Column(Product::COLUMNS.tax_percent.index())), Box::new(price));
    let query = Aggregate::new(Product::TABLE, Expr::True).measure(Measure::Min(difference));
    let least = world.store.aggregate(world.scope, &[query]).await.unwrap();
    assert_eq!(least, vec![vec![vec![Value::Int(-i64::MAX)]]]);
}

#[tokio::test]
async fn a_quota_admits_exactly_so_many() {
    let world = World::new().await;
    let series = Query::<NumberSeries>::all().limit(1).to_select().unwrap();
    let series = world.store.first::<NumberSeries>(world.scope, series).await.unwrap().unwrap();
    let column = NumberSeries::COLUMNS.next.index();
    let mut admitted = 0;
    for _ in 0..50 {
        let mut changes = ChangeSet::new(world.session.context().stamp("test"));
        changes.count(series.id, column, 1, series.next + 35);
        match world.store.apply(world.scope, changes).await {
            Ok(applied) => {
                assert_eq!(applied.counters, vec![series.next + admitted]);
                admitted += 1;
            }
            Err(error) => assert!(matches!(error, StoreError::Limit { column: "next", .. }), "{error:?}"),
        }
    }
    assert_eq!(admitted, 35);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn group_commit_loses_no_change_set_and_refuses_only_the_wrong_ones() {
    let world = Arc::new(World::new().await);
    let (changes, taken) = world.products(&[0]);
    world.store.apply(world.scope, changes).await.unwrap();
    let taken = taken[0].clone();
    let mut tasks = Vec::new();
    for number in 0..64 {
        let (world, taken) = (Arc::clone(&world), taken.clone());
        tasks.push(tokio::spawn(async move {
            for round in 0..20 {
                let (mut changes, _) = products(&world.session, &[number * 1000 + round]);
                let wrong = (number + round) % 5 == 0;
                if wrong {
                    // The first change is fine, the second is not: both must be taken back.
                    let context = world.session.context();
                    changes.insert_as(&context, taken.id, product(1));
                }
                match world.store.apply(world.scope, changes).await {
                    Ok(_) => assert!(!wrong),
                    Err(StoreError::Duplicate { table: "crm_product", columns }) => {
                        assert!(wrong);
                        assert_eq!(columns, ["id"]);
                    }
                    Err(error) => panic!("{error:?}"),
                }
            }
        }));
    }
    for task in tasks {
        tokio::time::timeout(Duration::from_mins(2), task).await.expect("nobody waits for ever").unwrap();
    }
    let count = world.store.count(world.scope, &Query::<Product>::all()).await.unwrap();
    assert_eq!(count, 64 * 20 * 4 / 5 + 1);
    let found = Query::new(Filter::<Product>::search("product")).limit(10_000);
    assert_eq!(world.store.count(world.scope, &found).await.unwrap(), count);
    assert_eq!(audit::verify(&world.store, world.scope, None).await.unwrap().problems, 0);
}

#[tokio::test]
async fn the_integrity_check_of_a_connection_that_searched_before_does_not_find_corruption() {
    let world = World::new().await;
    let found = Query::new(Filter::<Product>::search("product"));
    for round in 0..30 {
        for price in 0..10 {
            world.store.apply(world.scope, world.products(&[price]).0).await.unwrap();
        }
        assert_eq!(world.store.count(world.scope, &found).await.unwrap(), (round + 1) * 10);
        for price in 0..7 {
            let (changes, made) = world.products(&[price]);
            world.store.apply(world.scope, changes).await.unwrap();
            let mut changes = ChangeSet::new(world.session.context().stamp("test"));
            changes.delete(&made[0]);
            world.store.apply(world.scope, changes).await.unwrap();
        }
        assert_eq!(world.store.integrity_check().await.unwrap(), Vec::<String>::new());
    }
}

/// Gives chunks of products, and does at the end as it was told.
struct Chunks {
    session: crm_core::Session<'static>,
    scope: crm_core::store::Scope,
    left: i64,
    end: fn() -> Result<Option<ChangeSet>, Abort>,
}

#[async_trait::async_trait]
impl Feed for Chunks {
    async fn next(&mut self, view: &dyn Store) -> Result<Option<ChangeSet>, Abort> {
        if self.left == 0 {
            return (self.end)();
        }
        // The view sees the chunks that came before.
        let seen = view.count(self.scope, &Query::<Product>::all()).await?;
        assert_eq!(seen % 100, 0);
        self.left -= 1;
        let prices: Vec<i64> = (0..100).map(|price| self.left * 100 + price).collect();
        Ok(Some(products(&self.session, &prices).0))
    }
}

fn streamed(world: &World, end: fn() -> Result<Option<ChangeSet>, Abort>) -> ChangeSet {
    let session = world.session.clone();
    let stamp = world.session.context().stamp("test.import");
    ChangeSet::streamed(stamp, Box::new(Chunks { session, scope: world.scope, left: 10, end }))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_streamed_change_set_is_all_or_nothing() {
    let world = World::new().await;
    let withdrawn = world.store.apply(world.scope, streamed(&world, || Err(Abort::Withdrawn))).await;
    assert!(matches!(withdrawn, Err(StoreError::Aborted)), "{withdrawn:?}");
    let failed = world.store.apply(world.scope, streamed(&world, || Err(Abort::Store(StoreError::Overflow)))).await;
    assert!(matches!(failed, Err(StoreError::Overflow)), "{failed:?}");
    let panicked = world.store.apply(world.scope, streamed(&world, || panic!("on purpose"))).await;
    assert!(matches!(panicked, Err(StoreError::Backend(_))), "{panicked:?}");
    assert_eq!(world.store.count(world.scope, &Query::<Product>::all()).await.unwrap(), 0);
    let applied = world.store.apply(world.scope, streamed(&world, || Ok(None))).await.unwrap();
    assert_eq!(applied.rows, 1000);
    assert_eq!(world.store.count(world.scope, &Query::<Product>::all()).await.unwrap(), 1000);
    assert_eq!(audit::verify(&world.store, world.scope, None).await.unwrap().problems, 0);
}
