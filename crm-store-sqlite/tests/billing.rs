//! Billing on SQLite: random sequences against an independent model, contests over one invoice, and numbers without gaps in
//! threads and in processes that are killed.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "these are tests, and say what they did")]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::str::FromStr;
use std::time::Duration;

use crm_core::testing::billing::{STEPS, Tally, sequence};
use crm_core::testing::race::contest::{Contest, RUNNERS};
use crm_core::testing::race::numbers::{self, Issued, Issuer};
use crm_core::testing::race::{self, Race};
use crm_core::testing::script::Dice;
use crm_core::{block_on, testing};
use crm_store_sqlite::{Durability, SqliteOptions, SqliteStore};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};

/// A number that the environment gives, or another.
fn number<N: FromStr>(name: &str, otherwise: N) -> N {
    std::env::var(name).ok().and_then(|number| number.parse().ok()).unwrap_or(otherwise)
}

fn open(file: &Path) -> SqliteStore {
    let options = SqliteOptions {
        durability: Durability::Normal,
        busy_timeout: Duration::from_mins(1),
        ..SqliteOptions::default()
    };
    SqliteStore::open(&file.to_string_lossy(), options).unwrap()
}

#[test]
fn random_sequences_come_out_as_in_the_model() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("billing.db"));
    let mut tally = Tally::default();
    for seed in 0..number("CRM_TEST_SEQUENCES", 60) {
        tally.add(&block_on(sequence(store.clone(), seed, STEPS)));
    }
    println!("{tally:?}");
    assert!(tally.accepted > 0 && tally.figures > 0, "{tally:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_invoice_bears_what_it_bears_whoever_is_first() {
    let folder = tempfile::tempdir().unwrap();
    let crm = testing::crm(open(&folder.path().join("races.db")), 1);
    for number in 0..number("CRM_TEST_RACES", 20) {
        for mixed in [false, true] {
            let race = Race::new(&crm, &format!("race-{number}-{mixed}")).await.unwrap();
            let contest = Contest::new(race, mixed, &mut Dice::new(number)).await.unwrap();
            let run = |runner| {
                let contest = contest.clone();
                tokio::spawn(async move { contest.run(runner).await.unwrap() })
            };
            let runners: Vec<_> = (0..RUNNERS).map(run).collect();
            let mut accepted = Vec::new();
            for runner in runners {
                accepted.push(runner.await.unwrap());
            }
            contest.check(&accepted).await.unwrap();
        }
    }
}

/// 16 workers issue invoices of two years and credit notes, three of ten in a host's transaction that is rolled back.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn series_of_two_kinds_and_years_have_no_gap() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("numbers.db");
    let race = Race::new(&testing::crm(open(&file), 1), "race").await.unwrap();
    numbers::by_year(&race).await.unwrap();
    let options = SqliteConnectOptions::new().filename(&file).foreign_keys(true).busy_timeout(Duration::from_mins(1));
    let times = number("CRM_TEST_ISSUES", 60);
    let work = |worker| {
        let (race, options) = (race.clone(), options.clone());
        tokio::spawn(async move {
            let mut issuer = Issuer::new(race, worker).await.unwrap();
            let mut host = options.connect().await.unwrap();
            for _ in 0..times {
                if race::rolls_back(&mut issuer.dice) {
                    let mut transaction = host.begin_with("BEGIN IMMEDIATE").await.unwrap();
                    {
                        let view = SqliteStore::within(&mut transaction).await.unwrap();
                        issuer.withdraw(&view).await.unwrap();
                    }
                    transaction.rollback().await.unwrap();
                } else {
                    issuer.keep().await.unwrap();
                }
            }
            issuer.issued
        })
    };
    let workers: Vec<_> = (0..16).map(work).collect();
    let mut issued = Vec::new();
    for worker in workers {
        issued.push(worker.await.unwrap());
    }
    numbers::check(&race, &issued, true).await.unwrap();
}

/// 16 workers of which each gives up waiting, three times in ten, before it has an answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn futures_that_are_dropped_leave_no_gap() {
    let folder = tempfile::tempdir().unwrap();
    let race = Race::new(&testing::crm(open(&folder.path().join("dropped.db")), 1), "race").await.unwrap();
    numbers::by_year(&race).await.unwrap();
    let times = number("CRM_TEST_ISSUES", 60);
    let work = |worker| {
        let race = race.clone();
        tokio::spawn(async move {
            let mut issuer = Issuer::new(race, worker).await.unwrap();
            for _ in 0..times {
                if race::rolls_back(&mut issuer.dice) {
                    let patience = Duration::from_micros(issuer.dice.roll(3_000));
                    let _ = tokio::time::timeout(patience, issuer.keep()).await;
                } else {
                    issuer.keep().await.unwrap();
                }
            }
            issuer.issued
        })
    };
    let workers: Vec<_> = (0..16).map(work).collect();
    let mut issued = Vec::new();
    for worker in workers {
        issued.push(worker.await.unwrap());
    }
    numbers::check(&race, &issued, false).await.unwrap();
}

/// Processes that issue until they are killed; four at a time.
#[test]
fn processes_that_are_killed_leave_no_gap() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("killed.db");
    let race = block_on(Race::new(&testing::crm(open(&file), 1), "race")).unwrap();
    block_on(numbers::by_year(&race)).unwrap();
    let mut dice = Dice::new(7);
    let mut issued: Vec<Issued> = Vec::new();
    for round in 0..number("CRM_TEST_KILLS", 5) {
        let start = |worker: u32| {
            Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "issuer", "--nocapture"])
                .env("CRM_TEST_ISSUER", format!("{}|{}", file.display(), 2 + 4 * round + worker))
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .unwrap()
        };
        let workers: Vec<_> = (0..4).map(start).collect();
        for mut worker in workers {
            let mut said = BufReader::new(worker.stdout.take().unwrap()).lines();
            let mut known = Issued::new();
            let mut note = |line: String| {
                let prefix =
                    ["INV-2025-", "INV-2026-", "CN-"].into_iter().find(|p| line.ends_with(&format!("ack {p}")));
                prefix.map(|prefix| *known.entry(prefix).or_default() += 1).is_some()
            };
            // The clock starts with the first acknowledgement, so that each is killed at work.
            while said.next().is_some_and(|line| !note(line.unwrap())) {}
            std::thread::sleep(Duration::from_millis(dice.roll(150)));
            worker.kill().unwrap();
            worker.wait().unwrap();
            said.map_while(Result::ok).for_each(|line| {
                note(line);
            });
            issued.push(known);
        }
    }
    block_on(numbers::check(&race, &issued, false)).unwrap();
}

/// What a process does that is to be killed; without its orders it has nothing to do.
#[test]
fn issuer() {
    let Ok(orders) = std::env::var("CRM_TEST_ISSUER") else { return };
    let (file, seed) = orders.split_once('|').unwrap();
    let seed: u32 = seed.parse().unwrap();
    let race = block_on(Race::join(&testing::crm(open(Path::new(file)), seed), "race")).unwrap();
    let mut issuer = block_on(Issuer::new(race, seed.into())).unwrap();
    println!();
    loop {
        println!("ack {}", block_on(issuer.keep()).unwrap());
    }
}
