//! No byte of an erased contact is left in the file, its log or its index.

#![allow(clippy::unwrap_used, reason = "these are tests")]

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use crm_core::access::Role;
use crm_core::billing::{Allocate, RecordPayment};
use crm_core::entity::Table;
use crm_core::people::{Contact, ContactKind};
use crm_core::row::Row;
use crm_core::store::{Aggregate, Applied, ChangeSet, Scope, Select, Store, StoreError};
use crm_core::testing::privacy::{after_race, erase, found_in, intrude, plant};
use crm_core::testing::{self, TestEnvironment};
use crm_core::value::Money;
use crm_core::{Crm, CrmError, Edit};
use crm_store_sqlite::{SqliteOptions, SqliteStore};
use tempfile::TempDir;
use uuid::Uuid;

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
    assert!(planted.session.is_purge_due().await.unwrap());
    reader.execute_batch("COMMIT").unwrap();
    assert!(planted.session.purge().await.unwrap());
    assert!(!planted.session.is_purge_due().await.unwrap());
    assert_eq!(left(directory.path(), &planted.canaries), []);
}

/// A store of a process that ends before it has purged anything.
struct Ending(SqliteStore);

#[async_trait]
impl Store for Ending {
    async fn fetch(&self, scope: Scope, table: &'static Table, ids: &[Uuid]) -> Result<Vec<Row>, StoreError> {
        self.0.fetch(scope, table, ids).await
    }

    async fn select(&self, scope: Scope, query: &Select) -> Result<Vec<Row>, StoreError> {
        self.0.select(scope, query).await
    }

    async fn aggregate(&self, scope: Scope, queries: &[Aggregate]) -> Result<Vec<Vec<Row>>, StoreError> {
        self.0.aggregate(scope, queries).await
    }

    async fn apply(&self, scope: Scope, changes: ChangeSet) -> Result<Applied, StoreError> {
        self.0.apply(scope, changes).await
    }

    async fn purge(&self) -> Result<bool, StoreError> {
        Err(StoreError::Unavailable("the process has ended".into()))
    }

    async fn is_purge_due(&self) -> Result<bool, StoreError> {
        self.0.is_purge_due().await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_erasure_that_was_not_followed_by_its_purge_is_told() {
    let (directory, store) = store();
    let planted = plant(&testing::crm(Ending(store.clone()), 1), "acme").await.unwrap();
    assert!(!planted.session.is_purge_due().await.unwrap());
    // An erasure that is refused leaves no note.
    let columns = Contact::COLUMNS;
    let eva = Edit::new().set(columns.kind, ContactKind::Person).set(columns.given_name, "Eva".parse().ok());
    let contact = planted.session.create(eva).await.unwrap().id;
    let (method, reference, notes, external_id) = (None, None, None, None);
    let (amount, received_on) = (Money::new(100, "USD".parse().unwrap()), None);
    let allocate = Allocate::To(Vec::new());
    let advance = RecordPayment { contact, amount, received_on, method, reference, notes, external_id, allocate };
    planted.session.run(&advance).await.unwrap();
    planted.session.erase_contact(contact).await.unwrap_err();
    assert!(!planted.session.is_purge_due().await.unwrap());
    assert!(!erase(&planted).await.unwrap(), "not purged");
    store.close().await.unwrap();
    drop(planted.session);

    // The next process finds out.
    let path = directory.path().join("crm.db");
    let store = SqliteStore::open(path.to_str().unwrap(), SqliteOptions::default()).unwrap();
    assert_ne!(left(directory.path(), &planted.canaries), []);
    let crm = Crm::new(store.clone(), TestEnvironment::new(2));
    let session = crm.session(&"acme".parse().unwrap(), &"owner@acme.example".parse().unwrap()).await.unwrap();
    assert!(session.is_purge_due().await.unwrap());
    let member = testing::member(&crm, &session, Role::Manager).await.unwrap();
    assert!(matches!(member.is_purge_due().await, Err(CrmError::Forbidden { .. })));
    assert!(session.purge().await.unwrap());
    assert!(!session.is_purge_due().await.unwrap());
    assert_eq!(left(directory.path(), &planted.canaries), []);
    assert_eq!(session.verify(None).await.unwrap().problems, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_personal_comes_back_in_a_race_with_an_erasure() {
    let (_directory, store) = store();
    let crm = testing::with_logins(Crm::new(store, TestEnvironment::new(1)));
    let (mut written, mut refused) = (0, 0);
    for round in 0..40 {
        // Somebody was there before the erasure, and somebody after it.
        if round >= 8 && written > 0 && refused > 0 {
            break;
        }
        let planted = plant(&crm, &format!("race-{round}")).await.unwrap();
        let words: Vec<String> = (0..5).map(|step| format!("intruder{round}x{step}")).collect();
        let others = words.iter().cloned().enumerate().map(|(step, word)| {
            let planted = planted.clone();
            tokio::spawn(async move {
                for again in 0..20 {
                    if !intrude(&planted, step, &format!("{word} {again}")).await.unwrap() {
                        return (again, true);
                    }
                }
                (20, false)
            })
        });
        let others: Vec<_> = others.collect();
        planted.session.erase_contact(planted.contact).await.unwrap();
        for other in others {
            let (wrote, was_refused) = other.await.unwrap();
            written += wrote;
            refused += u32::from(was_refused);
        }
        after_race(&planted, &words).await.unwrap();
    }
    assert!(written > 0 && refused > 0, "{written} written before the erasures, {refused} refused after them");
}
