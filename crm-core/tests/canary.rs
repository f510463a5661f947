//! No secret and nothing personal is logged or printed, on the memory store.

use std::sync::Arc;

use crm_core::block_on;
use crm_core::store::MemoryStore;
use crm_core::testing::canary;

#[test]
fn no_secret_and_nothing_personal_is_logged_or_printed() {
    block_on(canary::check(async || Arc::new(MemoryStore::new()), false)).unwrap();
}
