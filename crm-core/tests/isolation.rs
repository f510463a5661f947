//! Organizations do not interfere, on the memory store; and where a store leaks, random calls find it.

use async_trait::async_trait;
use crm_core::access::KeyUsage;
use crm_core::entity::{Entity as _, Table};
use crm_core::people::Contact;
use crm_core::store::{Aggregate, Applied, ChangeSet, Expr, MemoryStore, Scope, Select, Store, StoreError};
use crm_core::testing::boundaries::{Isolation, isolation, rounds};
use crm_core::{Id, Row, block_on};
use uuid::Uuid;

#[test]
#[expect(clippy::print_stdout, reason = "the figures of a long run")]
fn an_organization_cannot_tell_whether_there_is_another() {
    let mut found = Isolation::default();
    for seed in rounds() {
        found.add(block_on(isolation(MemoryStore::new(), MemoryStore::new(), seed)).unwrap());
    }
    println!("{found:?}");
    found.require();
}

/// A store that in one of its methods does not keep the second organization from others.
#[derive(Clone)]
struct Leaky(MemoryStore, &'static str);

const THEIRS: Scope = Scope::for_tests(2);

#[async_trait]
impl Store for Leaky {
    async fn fetch(&self, scope: Scope, table: &'static Table, ids: &[Uuid]) -> Result<Vec<Row>, StoreError> {
        let found = self.0.fetch(scope, table, ids).await?;
        if self.1 == "fetch" && found.is_empty() { self.0.fetch(THEIRS, table, ids).await } else { Ok(found) }
    }

    async fn select(&self, scope: Scope, query: &Select) -> Result<Vec<Row>, StoreError> {
        let found = self.0.select(scope, query).await?;
        let leaks = self.1 == "select" && found.is_empty() && !scope.is_system();
        if leaks { self.0.select(THEIRS, query).await } else { Ok(found) }
    }

    /// Counts the contacts of both where contacts are counted.
    async fn aggregate(&self, scope: Scope, queries: &[Aggregate]) -> Result<Vec<Vec<Row>>, StoreError> {
        let leaks = self.1 == "aggregate" && queries.iter().any(|query| *query.table == *Contact::TABLE);
        self.0.aggregate(if leaks { THEIRS } else { scope }, queries).await
    }

    /// Counts a use of another organization's key where a counter goes up.
    async fn apply(&self, scope: Scope, changes: ChangeSet) -> Result<Applied, StoreError> {
        let stamp = (!changes.counters.is_empty() && scope != THEIRS).then(|| changes.stamp.clone());
        let applied = self.0.apply(scope, changes).await?;
        if let Some(stamp) = stamp.filter(|_| self.1 == "apply") {
            let usage = self.0.select(THEIRS, &Select::new(KeyUsage::TABLE, Expr::True)).await?;
            let mut theirs = ChangeSet::new(stamp);
            for row in &usage {
                let id = Id::<KeyUsage>::new(KeyUsage::TABLE.id(row));
                theirs.count(id, KeyUsage::COLUMNS.used.index(), 1, i64::MAX);
            }
            self.0.apply(THEIRS, theirs).await?;
        }
        Ok(applied)
    }
}

#[test]
fn a_leak_in_any_method_of_a_store_is_found() {
    for method in ["fetch", "select", "aggregate", "apply"] {
        let leaky = || Leaky(MemoryStore::new(), method);
        let found = (0..10).find_map(|seed| block_on(isolation(leaky(), leaky(), seed)).unwrap().leaks.pop());
        assert!(found.is_some(), "a leak in {method} is not found");
    }
}
