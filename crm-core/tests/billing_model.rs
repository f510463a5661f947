//! Billing on the memory store, against an independent model.
#![expect(clippy::unwrap_used, reason = "these are tests")]

use crm_core::block_on;
use crm_core::store::MemoryStore;
use crm_core::testing::billing::{KINDS, STEPS, Tally, sequence};

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
