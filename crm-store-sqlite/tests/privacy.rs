//! No byte of an erased contact is left in the file, its log or its index.

#![allow(clippy::unwrap_used, reason = "these are tests")]

use std::path::Path;
use std::time::Duration;

use crm_core::Crm;
use crm_core::testing::privacy::{after_race, erase, found_in, intrude, plant};
use crm_core::testing::{self, TestEnvironment};
use crm_store_sqlite::{SqliteOptions, SqliteStore};
use tempfile::TempDir;

fn store() -> (TempDir, SqliteStore) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("crm.db");
    let options = SqliteOptions { busy_timeout: Duration::from_millis(200), ..SqliteOptions::default() };
    let store = SqliteStore::open(path.to_str().unwrap(), options).unwrap();
    (directory, store)
}

/// The canaries in each file of the directory, by the file's name.
fn left(directory: &Path, canaries: &[String]) -> Vec<(String, Vec<String>)> {
    let files = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let searched = files.map(|path| (path.display().to_string(), found_in(&std::fs::read(path).unwrap(), canaries)));
    searched.filter(|(_, found)| !found.is_empty()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_byte_of_an_erased_contact_is_left_in_the_files() {
    let (directory, store) = store();
    let planted = plant(&testing::crm(store.clone(), 1), "acme").await.unwrap();
    // What a host or its administrator may do: the planner then keeps samples of values.
    let host = rusqlite::Connection::open(directory.path().join("crm.db")).unwrap();
    host.execute_batch("ANALYZE").unwrap();
    drop(host);
    store.checkpoint().await.unwrap();
    let before = left(directory.path(), &planted.canaries);
    assert_eq!(before.iter().map(|(_, found)| found.len()).max(), Some(planted.canaries.len()), "all are found before");

    assert!(erase(&planted).await.unwrap(), "purged");
    assert_eq!(left(directory.path(), &planted.canaries), [], "while the store is open");
    assert_eq!(store.integrity_check().await.unwrap(), Vec::<String>::new());
    store.close().await.unwrap();
    assert_eq!(left(directory.path(), &planted.canaries), [], "once it is closed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_in_the_way_leaves_the_purge_to_later() {
    let (directory, store) = store();
    let planted = plant(&testing::crm(store.clone(), 1), "acme").await.unwrap();
    let reader = rusqlite::Connection::open(directory.path().join("crm.db")).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM crm_contact").unwrap();
    reader.query_row("SELECT count(*) FROM crm_contact", [], |row| row.get::<_, i64>(0)).unwrap();
    assert!(!erase(&planted).await.unwrap(), "the reader still sees the contact");
    assert_ne!(left(directory.path(), &planted.canaries), []);
    assert!(!planted.session.purge().await.unwrap());
    reader.execute_batch("COMMIT").unwrap();
    assert!(planted.session.purge().await.unwrap());
    assert_eq!(left(directory.path(), &planted.canaries), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_personal_comes_back_in_a_race_with_an_erasure() {
    let (_directory, store) = store();
    let crm = testing::with_logins(Crm::new(store, TestEnvironment::new(1)));
    for round in 0..8 {
        let planted = plant(&crm, &format!("race-{round}")).await.unwrap();
        let words: Vec<String> = (0..5).map(|step| format!("intruder{round}x{step}")).collect();
        let others = words.iter().cloned().enumerate().map(|(step, word)| {
            let planted = planted.clone();
            tokio::spawn(async move {
                for again in 0..20 {
                    if !intrude(&planted, step, &format!("{word} {again}")).await.unwrap() {
                        break;
                    }
                }
            })
        });
        let others: Vec<_> = others.collect();
        planted.session.erase_contact(planted.contact).await.unwrap();
        for other in others {
            other.await.unwrap();
        }
        after_race(&planted, &words).await.unwrap();
    }
}
