//! Imports on the memory store; other stores run the same suite.

use crm_core::store::MemoryStore;
use crm_core::{block_on, testing};

#[test]
fn the_memory_store_imports() {
    block_on(crm_core::import::testing::suite(&testing::crm(MemoryStore::new(), 4_000)));
}
