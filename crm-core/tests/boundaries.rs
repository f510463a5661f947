//! Roles and organizations, on the memory store.

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
    insta::assert_snapshot!("cells", table);
}

#[test]
fn an_organization_cannot_tell_whether_there_is_another() {
    let mut found = Isolation::default();
    for seed in isolation_rounds() {
        let more = block_on(isolation(MemoryStore::new(), MemoryStore::new(), seed, ISOLATION_CALLS)).unwrap();
        found.add(more);
    }
    println!("{found:?}");
    assert!(found.leaks.is_empty(), "{}", found.leaks.join("\n"));
    // Calls that are all refused, or that name nothing of the other organization, would show nothing.
    assert!(found.answered * 4 > found.calls && found.refused * 4 > found.calls, "{found:?}");
    assert!(found.foreign * 2 > found.calls, "{found:?}");
}

/// Gives away rows of the second organization to whoever asks for the first one's, in one of the store's methods.
#[derive(Clone)]
struct Leaky(MemoryStore, &'static str);

const THEIRS: Scope = Scope::for_tests(2);

#[async_trait]
impl Store for Leaky {
    async fn fetch(&self, scope: Scope, table: &'static Table, ids: &[Uuid]) -> Result<Vec<Row>, StoreError> {
        let mut found = self.0.fetch(scope, table, ids).await?;
        if self.1 == "fetch" && found.is_empty() {
            found = self.0.fetch(THEIRS, table, ids).await?;
        }
        Ok(found)
    }

    async fn select(&self, scope: Scope, query: &Select) -> Result<Vec<Row>, StoreError> {
        let mut found = self.0.select(scope, query).await?;
        if self.1 == "select" && found.is_empty() {
            found = self.0.select(THEIRS, query).await?;
        }
        Ok(found)
    }

    async fn aggregate(&self, scope: Scope, queries: &[Aggregate]) -> Result<Vec<Vec<Row>>, StoreError> {
        // One look in a hundred, and of the other organization's only how many there are.
        let leaks = self.1 == "aggregate" && queries.iter().any(|query| *query.table == *Deal::TABLE);
        self.0.aggregate(if leaks { THEIRS } else { scope }, queries).await
    }

    async fn apply(&self, scope: Scope, changes: ChangeSet) -> Result<Applied, StoreError> {
        let theirs = ChangeSet { guards: Vec::new(), ..changes.clone_without_feed() };
        let applied = self.0.apply(scope, changes).await;
        if self.1 == "apply" && matches!(applied, Err(StoreError::Conflict { .. })) {
            return self.0.apply(THEIRS, theirs).await;
        }
        applied
    }
}
