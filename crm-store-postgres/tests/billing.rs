//! Billing on PostgreSQL: random sequences against an independent model, contests over one invoice, and numbers without gaps
//! in threads and in processes that are killed.

#![expect(clippy::print_stdout, reason = "these are tests, and say what they did")]

mod common;

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::str::FromStr;
use std::time::Duration;

use crm_core::testing;
use crm_core::testing::billing::{STEPS, Tally, sequence};
use crm_core::testing::race::contest::{Contest, RUNNERS};
use crm_core::testing::race::numbers::{self, Issued, Issuer};
use crm_core::testing::race::{self, Race};
use crm_core::testing::script::Dice;
use crm_store_postgres::{PostgresOptions, PostgresStore};
use sqlx::Connection as _;

use crate::common::{Database, url};

/// A number that the environment gives, or another.
fn number<N: FromStr>(name: &str, otherwise: N) -> N {
    std::env::var(name).ok().and_then(|number| number.parse().ok()).unwrap_or(otherwise)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_sequences_come_out_as_in_the_model() {
    let database = Database::new();
    let store = database.store().await;
    let mut tally = Tally::default();
    for seed in 0..number("CRM_TEST_SEQUENCES", 30) {
        tally.add(&sequence(store.clone(), seed, STEPS).await);
    }
    println!("{tally:?}");
    assert!(tally.accepted > 0 && tally.figures > 0, "{tally:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_invoice_bears_what_it_bears_whoever_is_first() {
    let database = Database::new();
    let crm = testing::crm(database.store().await, 1);
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
    let database = Database::new();
    let store = database.store().await;
    let race = Race::new(&testing::crm(store.clone(), 1), "race").await.unwrap();
    numbers::by_year(&race).await.unwrap();
    let times = number("CRM_TEST_ISSUES", 60);
    let mut workers = Vec::new();
    for worker in 0..16 {
        let (race, store, mut host) = (race.clone(), store.clone(), database.host().await);
        workers.push(tokio::spawn(async move {
            let mut issuer = Issuer::new(race, worker).await.unwrap();
            for _ in 0..times {
                if race::rolls_back(&mut issuer.dice) {
                    let mut transaction = host.begin().await.unwrap();
                    {
                        let view = store.within(&mut transaction);
                        issuer.withdraw(&view).await.unwrap();
                    }
                    transaction.rollback().await.unwrap();
                } else {
                    issuer.keep().await.unwrap();
                }
            }
            issuer.issued
        }));
    }
    let mut issued = Vec::new();
    for worker in workers {
        issued.push(worker.await.unwrap());
    }
    numbers::check(&race, &issued, true).await.unwrap();
}

/// 16 workers of which each gives up waiting, three times in ten, before it has an answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn futures_that_are_dropped_leave_no_gap() {
    let database = Database::new();
    let race = Race::new(&testing::crm(database.store().await, 1), "race").await.unwrap();
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
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_that_are_killed_leave_no_gap() {
    let database = Database::new();
    let race = Race::new(&testing::crm(database.store().await, 1), "race").await.unwrap();
    numbers::by_year(&race).await.unwrap();
    let mut dice = Dice::new(7);
    let mut issued: Vec<Issued> = Vec::new();
    for round in 0..number("CRM_TEST_KILLS", 5) {
        let start = |worker: u32| {
            Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "issuer", "--nocapture"])
                .env("CRM_TEST_ISSUER", format!("{}|{}", database.schema, 2 + 4 * round + worker))
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
    numbers::check(&race, &issued, false).await.unwrap();
}

/// What a process does that is to be killed; without its orders it has nothing to do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn issuer() {
    let Ok(orders) = std::env::var("CRM_TEST_ISSUER") else { return };
    let (schema, seed) = orders.split_once('|').unwrap();
    let seed: u32 = seed.parse().unwrap();
    let store = PostgresStore::connect(&url(), PostgresOptions::new().schema(schema)).await.unwrap();
    let race = Race::join(&testing::crm(store, seed), "race").await.unwrap();
    let mut issuer = Issuer::new(race, seed.into()).await.unwrap();
    println!();
    loop {
        println!("ack {}", issuer.keep().await.unwrap());
    }
}
