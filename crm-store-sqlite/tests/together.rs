//! The whole library on SQLite: random work as on the memory store, roles and organizations, and races in threads and
//! processes.
#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::path::Path;
use std::process::{Command, Stdio};

use crm_core::store::MemoryStore;
use crm_core::testing::quota::{self, QuotaRace};
use crm_core::testing::race::{self, Race};
use crm_core::testing::script::{self, Dice};
use crm_core::testing::{self, boundaries, cases};
use crm_store_sqlite::{Durability, SqliteOptions, SqliteStore};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};

/// How many seeds of random work are played; `CRM_TEST_SEEDS` plays more.
fn seeds() -> u64 {
    std::env::var("CRM_TEST_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(200)
}

fn quick() -> SqliteOptions {
    SqliteOptions { durability: Durability::Normal, ..SqliteOptions::default() }
}

fn open(file: &Path) -> SqliteStore {
    SqliteStore::open(&file.to_string_lossy(), quick()).unwrap()
}

#[test]
fn random_work_comes_out_as_on_the_memory_store() {
    for seed in 0..seeds() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder.path().join("play.db"));
        let here = crm_core::block_on(script::play(&testing::crm(store, 1), seed, 200)).unwrap();
        let model = crm_core::block_on(script::play(&testing::crm(MemoryStore::new(), 1), seed, 200)).unwrap();
        if let Some((line, (here, model))) = here.lines().zip(model.lines()).enumerate().find(|(_, (a, b))| a != b) {
            panic!("seed {seed}, line {line}:\n sqlite {here}\n memory {model}");
        }
        assert_eq!(here.len(), model.len(), "seed {seed}");
    }
}

#[test]
fn roles_get_what_they_get_on_the_memory_store() {
    let folder = tempfile::tempdir().unwrap();
    let here = crm_core::block_on(boundaries::roles(&testing::crm(open(&folder.path().join("roles.db")), 1))).unwrap();
    let model = crm_core::block_on(boundaries::roles(&testing::crm(MemoryStore::new(), 1))).unwrap();
    assert_eq!(here, model);
}

#[test]
fn another_organizations_ids_are_as_good_as_random_ones() {
    let folder = tempfile::tempdir().unwrap();
    crm_core::block_on(boundaries::foreign(&testing::crm(open(&folder.path().join("foreign.db")), 1))).unwrap();
}

#[test]
fn callers_around_a_keys_limit_and_across_midnight_get_exactly_the_limit() {
    let trials = quota::trials();
    let mut crossed = 0;
    for first in (0..trials).step_by(32) {
        let folder = tempfile::tempdir().unwrap();
        let race = crm_core::block_on(QuotaRace::new(open(&folder.path().join("quota.db")), "race")).unwrap();
        crossed += quota::threads(&race, first..trials.min(first + 32)).unwrap();
    }
    assert!(crossed > 0, "no trial crossed midnight");
}

#[test]
fn files_are_imported_as_on_the_memory_store() {
    let folder = tempfile::tempdir().unwrap();
    let crm = testing::crm(open(&folder.path().join("import.db")), 1);
    crm_core::block_on(crm_core::import::testing::suite(&crm));
}

#[test]
fn reports_give_the_figures_of_the_table() {
    let folder = tempfile::tempdir().unwrap();
    crm_core::block_on(cases::check(&testing::crm(open(&folder.path().join("cases.db")), 1))).unwrap();
}

/// 8 tasks pay one dollar ten times each on an invoice of fifty.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn tasks_pay_an_invoice_exactly() {
    let folder = tempfile::tempdir().unwrap();
    let race = Race::new(&testing::crm(open(&folder.path().join("race.db")), 1), "race").await.unwrap();
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
#[tokio::test]
async fn processes_pay_an_invoice_exactly() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("race.db");
    let race = Race::new(&testing::crm(open(&file), 1), "race").await.unwrap();
    let invoice = race.invoice(50).await.unwrap().id;
    let workers: Vec<_> = (0..8)
        .map(|number| {
            Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "worker", "--nocapture"])
                .env("CRM_TEST_WORKER", format!("{}|{invoice}|{}", file.display(), number + 2))
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
#[tokio::test]
async fn worker() {
    let Ok(orders) = std::env::var("CRM_TEST_WORKER") else { return };
    let mut orders = orders.split('|');
    let file = orders.next().unwrap();
    let invoice = orders.next().unwrap().parse().unwrap();
    let seed = orders.next().unwrap().parse().unwrap();
    let options = SqliteOptions { busy_timeout: std::time::Duration::from_mins(1), ..quick() };
    let store = SqliteStore::open(file, options).unwrap();
    let race = Race::join(&testing::crm(store, seed), "race").await.unwrap();
    race.pay(invoice, 10).await.unwrap();
}

/// 8 tasks open the same years at once, and issue the first invoices of each.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn years_are_opened_once() {
    let folder = tempfile::tempdir().unwrap();
    let race = Race::new(&testing::crm(open(&folder.path().join("years.db")), 1), "race").await.unwrap();
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
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("race.db");
    let race = Race::new(&testing::crm(open(&file), 1), "race").await.unwrap();
    let options =
        SqliteConnectOptions::new().filename(&file).foreign_keys(true).busy_timeout(std::time::Duration::from_mins(1));
    let tasks: Vec<_> = (0..16)
        .map(|worker| {
            let (race, options) = (race.clone(), options.clone());
            tokio::spawn(async move {
                let mut dice = Dice::new(worker);
                let mut host = options.connect().await.unwrap();
                let mut issued = 0;
                for _ in 0..200 {
                    if race::rolls_back(&mut dice) {
                        let mut transaction = host.begin_with("BEGIN IMMEDIATE").await.unwrap();
                        {
                            let view = SqliteStore::within(&mut transaction).await.unwrap();
                            race::issue_on(&race, &view).await.unwrap();
                        }
                        transaction.rollback().await.unwrap();
                    } else {
                        race.invoice(1).await.unwrap();
                        issued += 1;
                    }
                }
                issued
            })
        })
        .collect();
    let mut issued = 0;
    for task in tasks {
        issued += task.await.unwrap();
    }
    race.check_numbers(issued).await.unwrap();
    let verified = race.session.verify(None).await.unwrap();
    assert_eq!(verified.findings, []);
}
