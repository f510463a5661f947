//! Who gets through to what, and that organizations do not interfere, on SQLite.
#![expect(clippy::unwrap_used, reason = "these are tests")]

use crm_core::block_on;
use crm_core::testing::boundaries::{Credentials, Isolation, cells_beside, isolation, kept, rounds};
use crm_core::testing::logins::World;
use crm_store_sqlite::{Durability, SqliteOptions, SqliteStore};
use tempfile::TempDir;

fn store(folder: &TempDir, name: &str) -> SqliteStore {
    let options = SqliteOptions { durability: Durability::Normal, ..SqliteOptions::default() };
    SqliteStore::open(folder.path().join(name).to_str().unwrap(), options).unwrap()
}

/// Every thirtieth call by those who open a session by name; with `CRM_TEST_CELLS` every call, and with
/// `CRM_TEST_CELLS=all` by every credential.
#[test]
fn cells_are_as_on_the_memory_store() {
    let (credentials, every) = match std::env::var("CRM_TEST_CELLS").as_deref() {
        Ok("all") => (Credentials::All, 1),
        Ok(_) => (Credentials::Users, 1),
        Err(_) => (Credentials::Users, 30),
    };
    for first in 0..3 {
        let calls = (first * every / 3, every);
        let folder = tempfile::tempdir().unwrap();
        let here = World::new(store(&folder, "cells.db"));
        let [here, model] = block_on(cells_beside(&here, credentials, calls)).unwrap();
        assert_eq!(here, model);
        if every == 1 {
            break;
        }
    }
}

#[test]
fn what_is_revoked_or_changed_counts_on_the_next_call() {
    let folder = tempfile::tempdir().unwrap();
    let told = block_on(kept(&World::new(store(&folder, "kept.db")), 1)).unwrap();
    assert!(told.refused > 2_000, "{told:?}");
}

#[test]
#[expect(clippy::print_stdout, reason = "the figures of a long run")]
fn an_organization_cannot_tell_whether_there_is_another() {
    let mut found = Isolation::default();
    for seed in rounds() {
        let folder = tempfile::tempdir().unwrap();
        found.add(block_on(isolation(store(&folder, "shared.db"), store(&folder, "alone.db"), seed)).unwrap());
    }
    println!("{found:?}");
    found.require();
}
