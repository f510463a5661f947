//! A program that brings its own store: here one that counts the calls of another. Whoever writes a real one
//! runs `crm_core::store::conformance` against it.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use crm_core::access::Organization;
use crm_core::billing::Product;
use crm_core::entity::Table;
use crm_core::store::{Aggregate, Applied, ChangeSet, MemoryStore, Scope, Select, Store, StoreError};
use crm_core::value::{Decimal6, Text};
use crm_core::{Crm, CrmError, Edit, NewOrganization, Row, SystemEnvironment, block_on};
use uuid::Uuid;

#[derive(Clone, Default)]
struct Counting {
    inner: MemoryStore,
    reads: Arc<AtomicU32>,
    writes: Arc<AtomicU32>,
}

#[async_trait]
impl Store for Counting {
    async fn fetch(&self, scope: Scope, table: &'static Table, ids: &[Uuid]) -> Result<Vec<Row>, StoreError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.inner.fetch(scope, table, ids).await
    }

    async fn select(&self, scope: Scope, query: &Select) -> Result<Vec<Row>, StoreError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.inner.select(scope, query).await
    }

    async fn aggregate(&self, scope: Scope, queries: &[Aggregate]) -> Result<Vec<Vec<Row>>, StoreError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.inner.aggregate(scope, queries).await
    }

    async fn apply(&self, scope: Scope, changes: ChangeSet) -> Result<Applied, StoreError> {
        self.writes.fetch_add(1, Ordering::Relaxed);
        self.inner.apply(scope, changes).await
    }

    async fn purge(&self) -> Result<bool, StoreError> {
        self.inner.purge().await
    }

    async fn is_purge_due(&self) -> Result<bool, StoreError> {
        self.inner.is_purge_due().await
    }
}

fn main() -> Result<(), CrmError> {
    block_on(async {
        let store = Counting::default();
        let crm = Crm::new(store.clone(), SystemEnvironment);
        crm.create_organization(&NewOrganization {
            organization: Organization::new("lab".parse()?, "Lab".parse()?, "CHF".parse()?, "Europe/Zurich".parse()?),
            owner_email: "io@lab.example".parse()?,
            owner_name: "Io".parse()?,
            invoice_prefix: String::new(),
        })
        .await?;
        let lab = crm.session(&"lab".parse()?, &"io@lab.example".parse()?).await?;
        let columns = Product::COLUMNS;
        let name: Text<255> = "Hour".parse()?;
        let hour = Edit::new().set(columns.name, name).set(columns.unit_price, Decimal6::parse("180")?);
        let hour = lab.create(hour).await?;
        println!("{} costs {} {}", hour.name, hour.unit_price, hour.currency);
        println!("{} writes", store.writes.load(Ordering::Relaxed));
        Ok(())
    })
}
