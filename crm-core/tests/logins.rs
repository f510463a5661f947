//! Signing in, on the memory store.

use crm_core::access::Secret;
use crm_core::store::MemoryStore;
use crm_core::testing::logins::{World, double_refresh, suite};
use crm_core::{Crm, block_on};

#[test]
fn signing_in_lets_in_whom_it_should_for_as_long_as_it_should() {
    block_on(suite(MemoryStore::new())).unwrap();
}

#[test]
fn of_two_refreshes_at_once_one_begins_the_next_generation() {
    let both = |crm: Crm, token: Secret| async move {
        std::thread::scope(|scope| {
            let refresh = || block_on(crm.refresh(&token));
            [scope.spawn(refresh), scope.spawn(refresh)].map(|thread| thread.join().unwrap())
        })
    };
    block_on(double_refresh(&World::new(MemoryStore::new()), 1_000, both)).unwrap();
}
