//! A file with one organization.

#![allow(dead_code, reason = "each test program uses a part")]
#![allow(clippy::unwrap_used, reason = "these are tests")]

use crm_core::billing::{Product, ProductKind};
use crm_core::context::Context;
use crm_core::entity::Stored;
use crm_core::store::{ChangeSet, Scope};
use crm_core::testing::{self, TestEnvironment};
use crm_core::value::Decimal6;
use crm_core::{Crm, Session};
use crm_store_sqlite::{SqliteOptions, SqliteStore};
use tempfile::TempDir;

pub(crate) struct World {
    pub(crate) directory: TempDir,
    pub(crate) store: SqliteStore,
    pub(crate) session: Session<'static>,
    pub(crate) scope: Scope,
}

impl World {
    pub(crate) async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("crm.db");
        let store = SqliteStore::open(path.to_str().unwrap(), SqliteOptions::default()).unwrap();
        let crm = Crm::new(store.clone(), TestEnvironment::new(1));
        let session = testing::organization(&crm, "acme").await.unwrap();
        let scope = session.scope();
        Self { directory, store, session, scope }
    }

    pub(crate) fn path(&self) -> String {
        self.directory.path().join("crm.db").to_str().unwrap().to_owned()
    }

    /// Another connection to the same file, as a stranger would open it.
    pub(crate) fn stranger(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.path()).unwrap()
    }

    /// A change-set that creates these products.
    pub(crate) fn products(&self, prices: &[i64]) -> (ChangeSet, Vec<Stored<Product>>) {
        products(&self.session, prices)
    }
}

pub(crate) fn products(session: &Session<'_>, prices: &[i64]) -> (ChangeSet, Vec<Stored<Product>>) {
    let mut context = session.context();
    let mut changes = ChangeSet::new(context.stamp("test"));
    let made = prices.iter().map(|price| changes.insert(&mut context, product(*price))).collect();
    (changes, made)
}

pub(crate) fn product(price: i64) -> Product {
    Product {
        name: format!("Product {price}").parse().unwrap(),
        sku: None,
        kind: ProductKind::Service,
        unit_price: Decimal6::from_micros(price),
        currency: "USD".parse().unwrap(),
        tax_percent: Decimal6::from_micros(0),
        description: None,
        external_id: None,
    }
}

/// A change-set that changes a product's price.
pub(crate) fn reprice(context: &mut Context, before: &Stored<Product>, price: i64) -> ChangeSet {
    let mut changes = ChangeSet::new(context.stamp("test"));
    let value = Product { unit_price: Decimal6::from_micros(price), ..before.value.clone() };
    changes.update(context, before, value);
    changes
}
