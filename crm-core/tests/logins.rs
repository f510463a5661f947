//! Signing in, on the memory store.
#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::pin::Pin;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use crm_core::access::{Login, PasswordCost, Secret, TokenKeys};
use crm_core::entity::Table;
use crm_core::store::{Aggregate, Applied, ChangeSet, MemoryStore, Scope, Select, Store, StoreError};
use crm_core::testing::logins::{PASSWORD, World, double_refresh, suite};
use crm_core::testing::{self, TestEnvironment};
use crm_core::{Crm, CrmError, Row, block_on};
use uuid::Uuid;

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

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A store in which something else happens before a login is written.
#[derive(Clone)]
struct Meanwhile(MemoryStore, Arc<Mutex<Option<Work>>>);

#[async_trait]
impl Store for Meanwhile {
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
        let work = if changes.stamp.command == "user.login" { self.1.lock().unwrap().take() } else { None };
        if let Some(work) = work {
            work.await;
        }
        self.0.apply(scope, changes).await
    }
}

/// A login with a password whose hash is to be made anew, while something else happens.
fn login_while(work: impl FnOnce(Crm, Login) -> Work) -> Result<(), CrmError> {
    let store = MemoryStore::new();
    let racing = Meanwhile(store.clone(), Arc::default());
    // The same book at a higher cost.
    let cheap = testing::crm(store.clone(), 7);
    let owner = block_on(testing::organization(&cheap, "acme")).unwrap();
    block_on(cheap.set_password(&owner.user().email, &PASSWORD.into())).unwrap();
    let keys = || TokenKeys::new("https://crm.example", "crm", "k1", b"3f0c9a7e5b1d48c2a6e4907bd5f2813c").unwrap();
    let dear = |store: Arc<dyn Store>, seed| {
        Crm::new(store, TestEnvironment::new(seed)).with_logins(keys(), PasswordCost::default())
    };
    let login = Login {
        organization: "acme".parse().unwrap(),
        name: owner.user().email.to_string(),
        password: PASSWORD.into(),
        source: None,
    };
    *racing.1.lock().unwrap() = Some(work(dear(Arc::new(store), 8), login.clone()));
    block_on(dear(Arc::new(racing), 9).login(&login)).map(drop)
}

#[test]
fn of_two_logins_that_hash_a_password_anew_neither_is_refused() {
    let answer = login_while(|crm, login| {
        Box::pin(async move {
            crm.login(&login).await.unwrap();
        })
    });
    assert!(answer.is_ok(), "{answer:?}");
}

#[test]
fn a_password_that_is_changed_meanwhile_is_refused() {
    let answer = login_while(|crm, login| {
        Box::pin(async move {
            crm.set_password(&login.name.parse().unwrap(), &"another battery".into()).await.unwrap();
        })
    });
    assert!(matches!(answer, Err(CrmError::LoginRefused)), "{answer:?}");
}
