//! What is stored about a contact, given out and erased, on the memory store.
#![expect(clippy::unwrap_used, reason = "these are tests")]

use crm_core::block_on;
use crm_core::store::MemoryStore;
use crm_core::testing::{self, privacy};

#[test]
fn nothing_is_left_of_an_erased_contact() {
    block_on(async {
        let planted = privacy::plant(&testing::crm(MemoryStore::new(), 1), "acme").await.unwrap();
        assert!(privacy::erase(&planted).await.unwrap());
    });
}
