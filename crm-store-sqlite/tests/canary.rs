//! No secret and nothing personal is logged or printed, on SQLite.

use crm_core::block_on;
use crm_core::testing::canary;
use crm_store_sqlite::{Durability, SqliteOptions, SqliteStore};

#[test]
fn no_secret_and_nothing_personal_is_logged_or_printed() {
    let folder = tempfile::tempdir().unwrap();
    let mut opened = 0;
    let fresh = async || {
        opened += 1;
        let options = SqliteOptions { durability: Durability::Normal, ..SqliteOptions::default() };
        SqliteStore::open(folder.path().join(format!("{opened}.db")).to_str().unwrap(), options).unwrap()
    };
    block_on(canary::check(fresh, false)).unwrap();
}
