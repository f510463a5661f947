//! Billing on the memory store, against an independent model.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "these are tests, and say what they did")]

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Barrier};

use async_trait::async_trait;
use crm_core::billing::{Allocate, RecordPayment};
use crm_core::entity::Table;
use crm_core::row::Row;
use crm_core::store::{Aggregate, Applied, ChangeSet, MemoryStore, Scope, Select, Store, StoreError};
use crm_core::testing::billing::{KINDS, STEPS, Tally, sequence};
use crm_core::testing::race::contest::{Contest, RUNNERS};
use crm_core::testing::race::{Race, numbers};
use crm_core::testing::script::Dice;
use crm_core::value::{Currency, Money};
use crm_core::{ErrorCode, block_on, testing};
use uuid::Uuid;

/// How many sequences are played; `CRM_TEST_SEQUENCES` plays more, `CRM_TEST_SEED` begins with another.
fn seeds() -> std::ops::Range<u64> {
    let number = |name: &str| std::env::var(name).ok().map(|number| number.parse().unwrap());
    let first: u64 = number("CRM_TEST_SEED").unwrap_or(0);
    first..first + number("CRM_TEST_SEQUENCES").unwrap_or(300)
}

#[test]
fn random_sequences_come_out_as_in_the_model() {
    let mut tally = Tally::default();
    for seed in seeds() {
        tally.add(&block_on(sequence(MemoryStore::new(), seed, STEPS)));
    }
    println!("{tally:?}");
    assert_eq!(tally.kinds.keys().copied().collect::<Vec<_>>(), KINDS, "every kind of step was accepted");
    assert!(tally.accepted > tally.refused / 2, "{tally:?}");
}

#[test]
fn planted_faults_are_found() {
    let names = block_on(crm_core::testing::billing::planted_faults_are_found());
    assert_eq!(names.iter().collect::<std::collections::BTreeSet<_>>().len(), names.len(), "names tell faults apart");
}

/// How many contests of each kind there are; `CRM_TEST_RACES` runs more.
fn races() -> u64 {
    std::env::var("CRM_TEST_RACES").ok().map_or(20, |count| count.parse().unwrap())
}

#[test]
fn an_invoice_bears_what_it_bears_whoever_is_first() {
    for number in 0..races() {
        for mixed in [false, true] {
            let crm = testing::crm(MemoryStore::new(), 1);
            let contest = block_on(async {
                let race = Race::new(&crm, "race").await.unwrap();
                Contest::new(race, mixed, &mut Dice::new(number)).await.unwrap()
            });
            let accepted: Vec<bool> = std::thread::scope(|scope| {
                let run = |runner| {
                    let contest = &contest;
                    scope.spawn(move || block_on(contest.run(runner)).unwrap())
                };
                let runners: Vec<_> = (0..RUNNERS).map(run).collect();
                runners.into_iter().map(|runner| runner.join().unwrap()).collect()
            });
            block_on(contest.check(&accepted)).unwrap();
        }
    }
}

/// A store in which the next two change-sets are decided before either is applied.
#[derive(Clone)]
struct Together {
    store: MemoryStore,
    waiting: Arc<AtomicU32>,
    barrier: Arc<Barrier>,
}

#[async_trait]
impl Store for Together {
    async fn fetch(&self, scope: Scope, table: &'static Table, ids: &[Uuid]) -> Result<Vec<Row>, StoreError> {
        self.store.fetch(scope, table, ids).await
    }

    async fn select(&self, scope: Scope, query: &Select) -> Result<Vec<Row>, StoreError> {
        self.store.select(scope, query).await
    }

    async fn aggregate(&self, scope: Scope, queries: &[Aggregate]) -> Result<Vec<Vec<Row>>, StoreError> {
        self.store.aggregate(scope, queries).await
    }

    async fn apply(&self, scope: Scope, changes: ChangeSet) -> Result<Applied, StoreError> {
        if self.waiting.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
            self.barrier.wait();
        }
        self.store.apply(scope, changes).await
    }
}

impl Together {
    /// A race on such a store, and what starts it.
    fn race() -> (Race, impl Fn()) {
        let store = Self { store: MemoryStore::new(), waiting: Arc::default(), barrier: Arc::new(Barrier::new(2)) };
        let waiting = Arc::clone(&store.waiting);
        let race = block_on(Race::new(&testing::crm(store, 1), "race")).unwrap();
        (race, move || waiting.store(2, Ordering::SeqCst))
    }
}

/// Does the same twice at the same time.
fn twice<T: Send>(work: impl Fn() -> T + Sync) -> [T; 2] {
    std::thread::scope(|scope| {
        let first = scope.spawn(&work);
        let second = work();
        [first.join().unwrap(), second]
    })
}

/// Both find the year not opened yet, and number 1 free.
#[test]
fn two_who_open_a_year_at_once_get_a_number_each() {
    let (race, start) = Together::race();
    block_on(numbers::by_year(&race)).unwrap();
    start();
    let mut found = twice(|| block_on(race.invoice(1)).unwrap().number.clone().unwrap().to_string());
    found.sort_unstable();
    assert_eq!(found, ["INV-2026-000001", "INV-2026-000002"]);
}

/// Both find neither the key nor the external id.
#[test]
fn one_submission_sent_twice_at_once_is_one_payment() {
    let (race, start) = Together::race();
    let payment = RecordPayment {
        contact: race.contact,
        amount: Money::new(100, Currency::USD),
        received_on: None,
        method: None,
        reference: None,
        notes: None,
        external_id: "bank-1".parse().ok(),
        allocate: Allocate::Nothing,
    };
    let key = "key".parse().unwrap();
    start();
    let [one, other] = twice(|| block_on(race.session.run_with_key(&payment, Some(&key))).unwrap().id);
    assert_eq!(one, other);
    // Under another key, the external id is taken.
    let refused = block_on(race.session.run_with_key(&payment, Some(&"other".parse().unwrap()))).unwrap_err();
    assert_eq!(refused.code(), ErrorCode::Duplicate);
}
