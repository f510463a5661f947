//! The conformance suite on the memory store, as value, `Box` and `Arc`.

use std::sync::Arc;

use crm_core::block_on;
use crm_core::store::{MemoryStore, Store, conformance};

#[test]
fn the_memory_store_conforms() {
    block_on(conformance::suite(&MemoryStore::new()));
}

#[test]
fn boxed_and_shared_it_conforms_as_well() {
    let boxed: Box<dyn Store> = Box::new(MemoryStore::new());
    block_on(conformance::suite(&boxed));
    let shared: Arc<dyn Store> = Arc::new(MemoryStore::new());
    block_on(conformance::suite(&shared));
}
