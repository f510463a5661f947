//! The reports of sales against the table of cases, on the memory store.

use std::collections::BTreeSet;

use crm_core::store::MemoryStore;
use crm_core::{block_on, testing};

#[test]
fn reports_give_the_figures_of_the_table() {
    let names = block_on(testing::cases::check(&testing::crm(MemoryStore::new(), 1))).unwrap();
    assert!(names.len() >= 40, "{} cases", names.len());
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "names tell cases apart");
}
