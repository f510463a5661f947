//! The traps that PostgreSQL and its driver set, each shown to be avoided.

#![allow(clippy::unwrap_used, reason = "these are tests")]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use common::{Database, World, contact, contacts, execute, url};
use crm_core::billing::{DocumentKind, NumberSeries};
use crm_core::entity::{Entity as _, Stored};
use crm_core::people::Contact;
use crm_core::row::Deferred;
use crm_core::store::{ChangeSet, Expr, Query, Select, Store, StoreError, StoreExt as _};
use crm_store_postgres::PostgresStore;

fn renamed(world: &mut World, before: &Stored<Contact>, name: &str) -> ChangeSet {
    let mut changes = world.changes();
    changes.update(&world.context, before, Contact { given_name: Some(name.parse().unwrap()), ..before.value.clone() });
    changes
}

async fn series(store: &dyn Store, world: &mut World) -> Stored<NumberSeries> {
    let mut changes = world.changes();
    let series = changes.insert(&mut world.context, NumberSeries::new(DocumentKind::Contact, "C-", 6).unwrap());
    store.apply(world.scope, changes).await.unwrap();
    series
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancellation_300_cancelled_change_sets_swallow_no_later_one() {
    let database = Database::new();
    let options = database.options().max_connections(3).application_name(&database.schema);
    let store = PostgresStore::connect(&url(), options).await.unwrap();
    let mut world = World::new(&store, 1).await;
    let series = series(&store, &mut world).await;
    for round in 0..300_u64 {
        let (mut changes, written) = world.one(contact("cancelled"));
        if round % 2 == 0 {
            let counter = changes.count(series.id, NumberSeries::COLUMNS.next.index(), 1, i64::MAX);
            let prefix = "C-".to_owned();
            let deferred = Deferred::Numbered { counter, offset: 0, prefix, digits: 6 };
            changes.defer(written.id, Contact::COLUMNS.code.index(), deferred);
        }
        let apply = store.apply(world.scope, changes);
        let everything = Select::new(Contact::TABLE, Expr::True);
        let read = store.select(world.scope, &everything);
        let patience = Duration::from_micros(20 * (round % 60));
        let _ = tokio::time::timeout(patience, apply).await;
        let _ = tokio::time::timeout(patience, read).await;
    }
    for _ in 0..20 {
        world.contact(&store, "kept").await;
    }
    // Another connection sees what was really committed.
    let kept = database.number("SELECT count(*) FROM crm_contact WHERE given_name = 'kept'").await;
    assert_eq!(kept, 20);
    // What was cancelled was still written whole or not at all: the numbers have no gap.
    database.until_idle().await;
    let numbered = database.number("SELECT count(*) FROM crm_contact WHERE code IS NOT NULL").await;
    let next = database.number("SELECT next FROM crm_number_series").await;
    assert_eq!(numbered, next - 1);
    let entries = database.number("SELECT count(*) FROM crm_audit_entry WHERE entity = 'contact'").await;
    assert_eq!(entries, database.number("SELECT count(*) FROM crm_contact").await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn read_committed_read_modify_writes_of_eight_tasks_lose_nothing() {
    let database = Database::new();
    let store = database.store().await;
    let mut world = World::new(&store, 1).await;
    let first = world.contact(&store, "0").await;
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let (store, mut world) = (store.clone(), world.clone());
            tokio::spawn(async move {
                let mut conflicts = 0;
                for _ in 0..20 {
                    loop {
                        let before = store.get(world.scope, first.id).await.unwrap().unwrap();
                        let next = before.given_name.as_deref().unwrap().parse::<u32>().unwrap() + 1;
                        let changes = renamed(&mut world, &before, &next.to_string());
                        match store.apply(world.scope, changes).await {
                            Ok(_) => break,
                            Err(StoreError::Conflict { table: "crm_contact", id }) => {
                                assert_eq!(id, first.id.uuid());
                                conflicts += 1;
                            }
                            Err(error) => panic!("{error:?}"),
                        }
                    }
                }
                conflicts
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let last = store.get(world.scope, first.id).await.unwrap().unwrap();
    assert_eq!((last.given_name.as_deref(), last.version), (Some("160"), 161));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn read_committed_a_quota_admits_exactly_so_many() {
    let database = Database::new();
    let store = database.store().await;
    let mut world = World::new(&store, 1).await;
    let series = series(&store, &mut world).await;
    let admitted = Arc::new(AtomicU64::new(0));
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let (store, mut world, admitted, id) = (store.clone(), world.clone(), Arc::clone(&admitted), series.id);
            tokio::spawn(async move {
                for _ in 0..10 {
                    let (mut changes, _) = world.one(contact("quota"));
                    changes.count(id, NumberSeries::COLUMNS.next.index(), 1, 36);
                    match store.apply(world.scope, changes).await {
                        Ok(_) => {
                            admitted.fetch_add(1, Ordering::Relaxed);
                        }
                        Err(StoreError::Limit { table: "crm_number_series", column: "next", .. }) => {}
                        Err(error) => panic!("{error:?}"),
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(admitted.load(Ordering::Relaxed), 35);
    assert_eq!(contacts(&store, world.scope).await, 35);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn read_committed_guards_hold_against_writers_at_the_same_time() {
    let database = Database::new();
    let store = database.store().await;
    let mut world = World::new(&store, 1).await;
    let left = world.contact(&store, "left").await;
    let right = world.contact(&store, "right").await;
    // Each may be changed only while the other is as it was: at most one of two change-sets gets through.
    for round in 0..40 {
        let left = store.get(world.scope, left.id).await.unwrap().unwrap();
        let right = store.get(world.scope, right.id).await.unwrap().unwrap();
        let mut one = renamed(&mut world, &left, &format!("left {round}"));
        one.require_unchanged(&right);
        let mut other = renamed(&mut world, &right, &format!("right {round}"));
        other.require_unchanged(&left);
        let (one, other) = tokio::join!(store.apply(world.scope, one), store.apply(world.scope, other));
        let written = u32::from(one.is_ok()) + u32::from(other.is_ok());
        assert!(written <= 1, "write skew in round {round}");
        for result in [one, other] {
            assert!(result.as_ref().is_ok() || result.as_ref().is_err_and(StoreError::is_conflict), "{result:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn numbering_leaves_no_gap() {
    let database = Database::new();
    let store = database.store().await;
    let mut world = World::new(&store, 1).await;
    let series = series(&store, &mut world).await;
    let tasks: Vec<_> = (0..6)
        .map(|task| {
            let (store, mut world, id) = (store.clone(), world.clone(), series.id);
            tokio::spawn(async move {
                for round in 0..15 {
                    // Every third is refused after it took its number.
                    let refused = round % 3 == 2;
                    let account = if refused { "same".to_owned() } else { format!("{task}-{round}") };
                    let (mut changes, written) =
                        world.one(Contact { account_number: Some(account.parse().unwrap()), ..contact("n") });
                    let counter = changes.count(id, NumberSeries::COLUMNS.next.index(), 1, i64::MAX);
                    let deferred = Deferred::Numbered { counter, offset: 0, prefix: String::new(), digits: 1 };
                    changes.defer(written.id, Contact::COLUMNS.code.index(), deferred);
                    let _ = store.apply(world.scope, changes).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let rows = database.number("SELECT count(*) FROM crm_contact").await;
    assert_eq!(rows, 61);
    assert_eq!(database.number("SELECT max(code::bigint) FROM crm_contact").await, rows);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deadlocks_are_conflicts() {
    let database = Database::new();
    let store = PostgresStore::connect(&url(), database.options().application_name(&database.schema)).await.unwrap();
    let mut world = World::new(&store, 1).await;
    let one = world.contact(&store, "one").await;
    let two = world.contact(&store, "two").await;
    let mut host = database.host().await;
    execute(
        &mut host,
        &format!("BEGIN; SET deadlock_timeout = '10s'; SELECT 1 FROM crm_contact WHERE id = '{}' FOR UPDATE", two.id),
    )
    .await;
    let mut changes = renamed(&mut world, &one, "1");
    changes.update(&world.context, &two, Contact { family_name: Some("2".parse().unwrap()), ..two.value.clone() });
    let (store, scope) = (store.clone(), world.scope);
    let apply = tokio::spawn(async move { store.apply(scope, changes).await });
    let waiting =
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = current_schema() AND wait_event_type = 'Lock'";
    database.until(waiting, |waiting| waiting == 1).await;
    // Now each waits for the other, and the server ends the one that notices first.
    let locked = format!("SELECT 1 FROM crm_contact WHERE id = '{}' FOR UPDATE", one.id);
    execute(&mut host, &locked).await;
    let refused = apply.await.unwrap();
    assert!(matches!(refused, Err(StoreError::Conflict { table: "crm_contact", .. })), "{refused:?}");
}

#[tokio::test]
async fn a_value_given_up_and_taken_in_one_change_set_is_no_duplicate() {
    let database = Database::new();
    let store = database.store().await;
    let mut world = World::new(&store, 1).await;
    let numbered = |number: &str| Contact { account_number: Some(number.parse().unwrap()), ..contact("n") };
    let (changes, one) = world.one(numbered("A"));
    store.apply(world.scope, changes).await.unwrap();
    let (changes, two) = world.one(numbered("B"));
    store.apply(world.scope, changes).await.unwrap();
    // Two records swap their numbers, whichever is written first.
    let mut changes = world.changes();
    changes.update(&world.context, &one, numbered("B"));
    changes.update(&world.context, &two, numbered("A"));
    store.apply(world.scope, changes).await.unwrap();
    // One goes, and another takes its number in the same statement.
    let one = store.get(world.scope, one.id).await.unwrap().unwrap();
    let mut changes = world.changes();
    changes.delete(&one);
    changes.insert(&mut world.context, numbered("B"));
    store.apply(world.scope, changes).await.unwrap();
    let (changes, _) = world.one(numbered("A"));
    let refused = store.apply(world.scope, changes).await;
    assert!(
        matches!(&refused, Err(StoreError::Duplicate { table: "crm_contact", columns }) if *columns == ["account_number"]),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_conflict_among_many_names_the_record() {
    let database = Database::new();
    let store = database.store().await;
    let mut world = World::new(&store, 1).await;
    let mut before = Vec::new();
    for name in ["a", "b", "c", "d"] {
        before.push(world.contact(&store, name).await);
    }
    let changes = renamed(&mut world, &before[2], "changed");
    store.apply(world.scope, changes).await.unwrap();
    let mut changes = world.changes();
    for contact in &before {
        let value = Contact { family_name: Some("x".parse().unwrap()), ..contact.value.clone() };
        changes.update(&world.context, contact, value);
    }
    let refused = store.apply(world.scope, changes).await;
    assert!(matches!(refused, Err(StoreError::Conflict { id, .. }) if id == before[2].id.uuid()), "{refused:?}");
    let (mut changes, _) = world.one(contact("guarded"));
    for contact in &before {
        changes.require_unchanged(contact);
    }
    let refused = store.apply(world.scope, changes).await;
    assert!(matches!(refused, Err(StoreError::Conflict { id, .. }) if id == before[2].id.uuid()), "{refused:?}");
    assert_eq!(contacts(&store, world.scope).await, 4);
}

#[tokio::test]
async fn corrupt_values_are_told_by_table_column_and_id() {
    let database = Database::new();
    let store = database.store().await;
    let mut world = World::new(&store, 1).await;
    let contact = world.contact(&store, "x").await;
    let mut host = database.host().await;
    for value in ["'infinity'", "'-infinity'"] {
        execute(&mut host, &format!("UPDATE crm_contact SET created_at = {value}")).await;
        let corrupt = store.get(world.scope, contact.id).await;
        assert!(
            matches!(&corrupt, Err(StoreError::Corrupt { table: "crm_contact", column: "created_at", id: Some(id), .. }) if *id == contact.id.uuid()),
            "{corrupt:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn entries_are_sealed_by_themselves_and_when_asked() {
    let database = Database::new();
    let store =
        PostgresStore::connect(&url(), database.options().seal_after(Duration::from_millis(100))).await.unwrap();
    let mut world = World::new(&store, 1).await;
    for _ in 0..3 {
        world.contact(&store, "soon").await;
    }
    let open = "SELECT count(*) FROM crm_audit_entry WHERE org = 1 AND seq IS NULL";
    database.until(open, |open| open == 0).await;
    // Many at once, from several stores, make one chain.
    let tasks: Vec<_> = (0..4)
        .map(|task| {
            let (mut world, options) = (world.clone(), database.options());
            tokio::spawn(async move {
                let store = PostgresStore::connect(&url(), options).await.unwrap();
                for _ in 0..20 {
                    let mut changes = world.changes();
                    (0..10 + task).for_each(|_| drop(changes.insert(&mut world.context, contact("many"))));
                    store.apply(world.scope, changes).await.unwrap();
                }
                store.close().await.unwrap();
                let closed = store.select(world.scope, &Select::new(Contact::TABLE, Expr::True)).await;
                assert!(matches!(closed, Err(StoreError::Unavailable(_))));
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    // The organization itself is the first entry.
    let report = crm_core::audit::verify(&store, world.scope, None).await.unwrap();
    assert_eq!((report.problems, report.unsealed, report.entries), (0, 0, 1 + 3 + 20 * (10 + 11 + 12 + 13)));
    world.contact(&store, "asked").await;
    let mut ask = world.changes();
    ask.seal = Some(crm_core::store::Seal { limit: 10 });
    assert_eq!(store.apply(world.scope, ask).await.unwrap().sealed, 1);
}

/// The server goes on with one plan for a prepared statement if that seems no dearer than a plan for the values.
#[tokio::test]
async fn a_page_is_not_planned_anew_each_time() {
    let database = Database::new();
    let store = database.store().await;
    let world = World::new(&store, 1).await;
    let mut host = database.host().await;
    let fill = "INSERT INTO crm_contact (org, id, kind, name_key, search, version, created_at, updated_at) \
                SELECT 1, gen_random_uuid(), 'person', 'n' || i, 'n' || i, 1, now(), now() \
                FROM generate_series(1, 5000) AS i; ANALYZE crm_contact";
    execute(&mut host, fill).await;
    let mut query = Query::<Contact>::all().limit(51).to_select().unwrap();
    for _ in 0..12 {
        let rows = store.within(&mut host).select(world.scope, &query).await.unwrap();
        assert_eq!(rows.len(), 51);
        query.after = rows.last().map(|row| query.place(row));
    }
    let plans =
        "SELECT sum(generic_plans)::bigint FROM pg_prepared_statements WHERE statement LIKE '%FROM crm_contact%LIMIT%'";
    let plans: i64 = sqlx::query_scalar(plans).fetch_one(&mut host).await.unwrap();
    assert!(plans >= 5, "{plans}");
}
