//! Imports on the memory store; other stores run the same suite.

use crm_core::store::MemoryStore;

#[test]
fn the_memory_store_imports() {
    crm_core::block_on(crm_core::import::testing::suite(&crm_core::testing::crm(MemoryStore::new(), 4_000)));
}
