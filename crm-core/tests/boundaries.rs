//! Roles and organizations, on the memory store.

use std::collections::BTreeSet;

use crm_core::access::policy::MEMBERS_ONLY;
use crm_core::store::MemoryStore;
use crm_core::testing::boundaries::{Credentials, cells};
use crm_core::testing::logins::World;
use crm_core::{block_on, testing};

#[test]
fn every_operation_by_every_role_is_as_reviewed() {
    let table = block_on(testing::boundaries::roles(&testing::crm(MemoryStore::new(), 1))).unwrap();
    insta::assert_snapshot!("roles", table);
}

#[test]
fn another_organizations_ids_are_as_good_as_random_ones() {
    block_on(testing::boundaries::foreign(&testing::crm(MemoryStore::new(), 1))).unwrap();
}

#[test]
fn every_operation_asks_for_its_scope_as_reviewed() {
    let table = block_on(testing::boundaries::scopes(&testing::crm(MemoryStore::new(), 1))).unwrap();
    insta::assert_snapshot!("scopes", table);
}

#[test]
fn every_cell_is_as_reviewed() {
    let store = MemoryStore::new();
    let world = World::new(store.clone());
    let table = block_on(cells(&world, Some(&store), Credentials::All, (0, 1))).unwrap();
    // Where a key has a cell of its own, refused by a rule, nothing but members may do it.
    let refused = |line: &&str| line.contains(" key=r") && !line.contains(" ended ");
    let refused = table.lines().filter(refused).filter_map(|line| line.split('#').next());
    // A key ends itself, and no other, as this one.
    let refused: BTreeSet<&str> = refused.filter(|operation| *operation != "api_key.revoke").collect();
    assert_eq!(refused, MEMBERS_ONLY.iter().copied().collect());
    insta::assert_snapshot!("cells", table);
}
