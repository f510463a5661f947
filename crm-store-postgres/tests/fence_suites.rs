//! What every store must do, done by a role that row-level security holds.

#![allow(clippy::unwrap_used, reason = "these are tests")]

mod common;
#[path = "common/fenced.rs"]
mod fenced;

use std::sync::Arc;
use std::time::Duration;

use crm_core::store::{MemoryStore, conformance};
use crm_core::testing::billing::{STEPS, Tally, sequence};
use crm_core::testing::boundaries::{Credentials, Isolation, cells_beside, isolation, rounds};
use crm_core::testing::logins::World;
use crm_core::testing::race::{self, Race};
use crm_core::testing::script::{self, Dice};
use crm_core::testing::{self, boundaries, cases, logins, machines};
use sqlx::Connection as _;

use crate::common::contacts;
use crate::fenced::Fenced;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_suite_passes_as_value() {
    let fenced = Fenced::new().await;
    let store = fenced.store().await;
    conformance::suite(&store).await;
    store.close().await.unwrap();
}

#[tokio::test]
async fn the_suite_passes_on_one_connection_and_one_thread() {
    let fenced = Fenced::new().await;
    conformance::suite(&fenced.store_with(fenced.options().max_connections(1)).await).await;
}

#[tokio::test]
async fn the_suite_passes_for_an_owner_that_nothing_exempts() {
    let fenced = Fenced::new().await;
    let store = fenced.owner_store().await;
    conformance::suite(&store).await;
    // And it is held by the fence.
    let mut owner = fenced.host_of(&fenced.owner).await;
    let seen: i64 = sqlx::query_scalar("SELECT count(*) FROM crm_contact").fetch_one(&mut owner).await.unwrap();
    assert_eq!(seen, 0);
    assert!(fenced.database.number("SELECT count(*) FROM crm_contact").await > 0);
}

#[tokio::test]
async fn the_suite_passes_within_a_hosts_transaction() {
    let fenced = Fenced::new().await;
    let store = fenced.store().await;
    let mut host = fenced.host().await;
    let mut transaction = host.begin().await.unwrap();
    {
        let within = store.within(&mut transaction);
        conformance::suite(&within).await;
    }
    transaction.commit().await.unwrap();
    assert!(fenced.database.number("SELECT count(*) FROM crm_contact").await > 0);
}

#[tokio::test]
async fn the_suite_passes_on_a_hosts_connection_without_a_transaction() {
    let fenced = Fenced::new().await;
    let store = fenced.store().await;
    let mut host = fenced.host().await;
    conformance::suite(&store.within(&mut host)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_work_comes_out_as_on_the_memory_store() {
    for seed in 0..4 {
        let fenced = Fenced::new().await;
        let store = fenced.store().await;
        let here = script::play(&testing::crm(store.clone(), 1), seed, 300).await.unwrap();
        store.close().await.unwrap();
        let model = script::play(&testing::crm(MemoryStore::new(), 1), seed, 300).await.unwrap();
        if let Some((line, (here, model))) = here.lines().zip(model.lines()).enumerate().find(|(_, (a, b))| a != b) {
            panic!("seed {seed}, line {line}:\n postgres {here}\n memory {model}");
        }
        assert_eq!(here.len(), model.len(), "seed {seed}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_sequences_of_billing_come_out_as_in_the_model() {
    let fenced = Fenced::new().await;
    let store = fenced.store().await;
    let mut tally = Tally::default();
    for seed in 0..6 {
        tally.add(&sequence(store.clone(), seed, STEPS).await);
    }
    assert!(tally.accepted > 0 && tally.figures > 0, "{tally:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_organizations_ids_are_as_good_as_random_ones() {
    let fenced = Fenced::new().await;
    boundaries::foreign(&testing::crm(fenced.store().await, 1)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_organization_cannot_tell_whether_there_is_another() {
    let mut found = Isolation::default();
    for seed in rounds() {
        let (shared, alone) = (Fenced::new().await, Fenced::new().await);
        let (shared, alone) = (shared.store().await, alone.store().await);
        found.add(isolation(shared.clone(), alone.clone(), seed).await.unwrap());
        shared.close().await.unwrap();
        alone.close().await.unwrap();
    }
    found.require();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cells_are_as_on_the_memory_store() {
    let fenced = Fenced::new().await;
    let here = World::new(fenced.store().await);
    let [here, model] = cells_beside(&here, Credentials::Users, (7, 120)).await.unwrap();
    assert_eq!(here, model);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_state_event_and_role_does_what_the_machines_say() {
    let fenced = Fenced::new().await;
    machines::every_move(&testing::crm(fenced.store().await, 1)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_are_imported_as_on_the_memory_store() {
    let fenced = Fenced::new().await;
    crm_core::import::testing::suite(&testing::crm(fenced.store().await, 1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reports_give_the_figures_of_the_table() {
    let fenced = Fenced::new().await;
    cases::check(&testing::crm(fenced.store().await, 1)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signing_in_lets_in_whom_it_should_for_as_long_as_it_should() {
    let fenced = Fenced::new().await;
    logins::suite(fenced.store().await).await.unwrap();
}

/// Every fifth call, others after each event.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_revoked_or_changed_counts_on_the_next_call() {
    let fenced = Fenced::new().await;
    let told = boundaries::kept(&logins::World::new(fenced.store().await), 5).await.unwrap();
    assert!(told.refused > 400, "{told:?}");
}

/// 8 workers issue 40 invoices each, three of ten in a host's transaction that is rolled back.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn numbers_have_no_gap() {
    let fenced = Fenced::new().await;
    let store = fenced.store().await;
    let race = Race::new(&testing::crm(store.clone(), 1), "race").await.unwrap();
    let mut tasks = Vec::new();
    for worker in 0..8 {
        let (race, store, mut host) = (race.clone(), store.clone(), fenced.host().await);
        tasks.push(tokio::spawn(async move {
            let mut dice = Dice::new(worker);
            let mut issued = 0;
            for _ in 0..40 {
                if race::rolls_back(&mut dice) {
                    let mut transaction = host.begin().await.unwrap();
                    {
                        let view = store.within(&mut transaction);
                        race::issue_on(&race, &view).await.unwrap();
                    }
                    transaction.rollback().await.unwrap();
                } else {
                    race.invoice(1).await.unwrap();
                    issued += 1;
                }
            }
            issued
        }));
    }
    let mut issued = 0;
    for task in tasks {
        issued += task.await.unwrap();
    }
    race.check_numbers(issued).await.unwrap();
    assert_eq!(race.session.verify(None).await.unwrap().findings, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn entries_are_sealed_by_themselves_and_when_asked() {
    let fenced = Fenced::new().await;
    let store = fenced.store_with(fenced.options().seal_after(Duration::from_millis(100))).await;
    let mut world = common::World::new(&store, 1).await;
    for _ in 0..300 {
        world.contact(&store, "soon").await;
    }
    let open = "SELECT count(*) FROM crm_audit_entry WHERE seq IS NULL";
    fenced.database.until(open, |open| open == 0).await;
    world.contact(&store, "asked").await;
    let mut ask = world.changes();
    ask.seal = Some(crm_core::store::Seal { limit: 10 });
    assert_eq!(crm_core::store::Store::apply(&store, world.scope, ask).await.unwrap().sealed, 1);
    let report = crm_core::audit::verify(&store, world.scope, None).await.unwrap();
    assert_eq!((report.problems, report.unsealed, report.entries), (0, 0, 302));
    assert_eq!(contacts(&Arc::new(store), world.scope).await, 301);
}
