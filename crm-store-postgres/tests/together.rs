//! The whole library on PostgreSQL: random work as on the memory store, roles and organizations, and races in threads and
//! processes.

mod common;

use std::process::{Command, Stdio};

use crm_core::store::MemoryStore;
use crm_core::testing::quota::{self, QuotaRace};
use crm_core::testing::race::{self, Race};
use crm_core::testing::script::{self, Dice};
use crm_core::testing::{self, boundaries, cases};
use crm_store_postgres::{PostgresOptions, PostgresStore};
use sqlx::Connection as _;

use crate::common::{Database, url};

/// How many seeds of random work are played; `CRM_TEST_SEEDS` plays more.
fn seeds() -> u64 {
    std::env::var("CRM_TEST_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(200)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_work_comes_out_as_on_the_memory_store() {
    for seed in 0..seeds() {
        let database = Database::new();
        let store = database.store().await;
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
async fn roles_get_what_they_get_on_the_memory_store() {
    let database = Database::new();
    let here = boundaries::roles(&testing::crm(database.store().await, 1)).await.unwrap();
    let model = boundaries::roles(&testing::crm(MemoryStore::new(), 1)).await.unwrap();
    assert_eq!(here, model);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_organizations_ids_are_as_good_as_random_ones() {
    let database = Database::new();
    boundaries::foreign(&testing::crm(database.store().await, 1)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn callers_around_a_keys_limit_and_across_midnight_get_exactly_the_limit() {
    let database = Database::new();
    let race = QuotaRace::new(database.store().await, "race").await.unwrap();
    let mut crossed = 0;
    for trial in 0..quota::trials() {
        let limit = race.begin(trial).await.unwrap();
        let shared = race.open().await.unwrap();
        let tasks: Vec<_> = (0..quota::CALLERS)
            .map(|number| {
                let (race, shared) = (race.clone(), shared.clone());
                tokio::spawn(async move { race.call(&shared, number).await })
            })
            .collect();
        let mut calls = Vec::with_capacity(tasks.len());
        for task in tasks {
            calls.push(task.await.unwrap().unwrap());
        }
        race.check(trial, limit, &calls).await.unwrap();
        crossed += u32::from(QuotaRace::days(&calls) > 1);
    }
    assert!(crossed > 0, "no trial crossed midnight");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_are_imported_as_on_the_memory_store() {
    let database = Database::new();
    crm_core::import::testing::suite(&testing::crm(database.store().await, 1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reports_give_the_figures_of_the_table() {
    let database = Database::new();
    cases::check(&testing::crm(database.store().await, 1)).await.unwrap();
}

/// 8 tasks pay one dollar ten times each on an invoice of fifty.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn tasks_pay_an_invoice_exactly() {
    let database = Database::new();
    let race = Race::new(&testing::crm(database.store().await, 1), "race").await.unwrap();
    let invoice = race.invoice(50).await.unwrap().id;
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let race = race.clone();
            tokio::spawn(async move { race.pay(invoice, 10).await })
        })
        .collect();
    let mut accepted = 0;
    for task in tasks {
        accepted += task.await.unwrap().unwrap();
    }
    assert_eq!(accepted, 50);
    race.check_paid(invoice, 50).await.unwrap();
}

/// The same in 8 processes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_pay_an_invoice_exactly() {
    let database = Database::new();
    let race = Race::new(&testing::crm(database.store().await, 1), "race").await.unwrap();
    let invoice = race.invoice(50).await.unwrap().id;
    let workers: Vec<_> = (0..8)
        .map(|number| {
            Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "worker", "--nocapture"])
                .env("CRM_TEST_WORKER", format!("{}|{invoice}|{}", database.schema, number + 2))
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    for worker in workers {
        let output = worker.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    race.check_paid(invoice, 50).await.unwrap();
}

/// What a worker process does; without its orders it has nothing to do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn worker() {
    let Ok(orders) = std::env::var("CRM_TEST_WORKER") else { return };
    let mut orders = orders.split('|');
    let schema = orders.next().unwrap();
    let invoice = orders.next().unwrap().parse().unwrap();
    let seed = orders.next().unwrap().parse().unwrap();
    let store = PostgresStore::connect(&url(), PostgresOptions::new().schema(schema)).await.unwrap();
    let race = Race::join(&testing::crm(store, seed), "race").await.unwrap();
    race.pay(invoice, 10).await.unwrap();
}

/// 8 tasks open the same years at once, and issue the first invoices of each.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn years_are_opened_once() {
    let database = Database::new();
    let race = Race::new(&testing::crm(database.store().await, 1), "race").await.unwrap();
    race.begin_yearly().await.unwrap();
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let race = race.clone();
            tokio::spawn(async move { race.issue_in(1996..2026).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    race.check_years(1996..2026, 8).await.unwrap();
}

/// 16 workers issue 200 invoices each, three of ten in a host's transaction that is rolled back.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn numbers_have_no_gap() {
    let database = Database::new();
    let store = database.store().await;
    let race = Race::new(&testing::crm(store.clone(), 1), "race").await.unwrap();
    let mut tasks = Vec::new();
    for worker in 0..16 {
        let (race, store, mut host) = (race.clone(), store.clone(), database.host().await);
        tasks.push(tokio::spawn(async move {
            let mut dice = Dice::new(worker);
            let mut issued = 0;
            for _ in 0..200 {
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
