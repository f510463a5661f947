//! The storage contract.
//!
//! A store keeps rows of the tables that core describes. It knows no entity and no rule: it fetches,
//! selects, aggregates, and applies change-sets, each call within one [`Scope`]. Whoever writes a
//! store of their own runs the conformance suite (`conformance`, feature `testing`) against it;
//! [`MemoryStore`] is the model it is held to.

mod aggregate;
mod change;
#[cfg(feature = "testing")]
pub mod conformance;
mod cursor;
mod error;
mod expr;
mod ext;
mod memory;
mod select;

use std::sync::Arc;

use async_trait::async_trait;
use uuid::Uuid;

pub use aggregate::{Aggregate, Bucket, Group, Measure, Measured, Totals};
pub(crate) use change::fresh;
pub use change::{Abort, Applied, Change, ChangeSet, Counter, Feed, Forgotten, Guard, Seal, Stamp};
pub use cursor::Cursor;
pub use error::StoreError;
pub use expr::{Cmp, Expr, Filter, Operand, Share};
pub use ext::{Page, StoreExt};
pub use memory::MemoryStore;
pub use select::{Direction, LARGEST_PAGE, Order, PAGE, Query, Select};

use crate::entity::Table;
use crate::row::Row;

/// Whose rows a call may touch: one organization's, or the few global tables'.
///
/// Only a [`Session`](crate::Session) makes one, from an organization it has verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Scope(i64);

impl Scope {
    /// The global tables alone.
    pub const SYSTEM: Self = Self(0);

    /// The organization with this key, which is positive.
    pub(crate) const fn organization(key: i64) -> Self {
        Self(key)
    }

    /// The organization with this key, for tests of a store.
    #[cfg(feature = "testing")]
    pub const fn for_tests(key: i64) -> Self {
        Self(key)
    }

    /// The key that stands in the `org` column; 0 is no organization.
    pub const fn key(self) -> i64 {
        self.0
    }

    /// Whether this is the scope of the global tables alone.
    pub const fn is_system(self) -> bool {
        self.0 == 0
    }
}

/// Keeps rows. Object-safe; names no entity: four methods for rows, two for what is left of them in files.
///
/// Contract, held by the conformance suite:
/// - Rows come back in the order of the table's columns, with the variants that the kinds ask for.
/// - A call in an organization's scope sees that organization's rows of tenant tables and all rows of
///   global tables. A call in the system scope on a tenant table is refused with
///   [`StoreError::Scope`].
/// - `apply` is all or nothing. It checks the guards, advances the counters, resolves deferred
///   values, writes the changes, and writes the audit entries that
///   [`audit::entries`](crate::audit::entries) derives from them, in one transaction.
/// - No call panics on any input that core can express.
#[async_trait]
pub trait Store: Send + Sync {
    /// The rows with these ids, in any order; ids that are not there are left out.
    async fn fetch(&self, scope: Scope, table: &'static Table, ids: &[Uuid]) -> Result<Vec<Row>, StoreError>;

    /// The rows that the query asks for, in its order.
    async fn select(&self, scope: Scope, query: &Select) -> Result<Vec<Row>, StoreError>;

    /// The answers to the queries, in order, all read from the same snapshot: one row per group, the
    /// group's values, then the measures' values.
    async fn aggregate(&self, scope: Scope, queries: &[Aggregate]) -> Result<Vec<Vec<Row>>, StoreError>;

    /// Applies the change-set, all or nothing.
    async fn apply(&self, scope: Scope, changes: ChangeSet) -> Result<Applied, StoreError>;

    /// Leaves nothing in the store's files of what was erased, deleted or overwritten before; where the files are a
    /// server's, has the server clean its tables of what nobody reads any more. False where it is not done: while others
    /// read an older state of a file, within a transaction, and where the store may not, as a role that does not own the
    /// tables. A store that says nothing of it has not done it.
    async fn purge(&self) -> Result<bool, StoreError> {
        Ok(false)
    }

    /// Whether an erasure still waits for its purge. A store notes that in the erasure's transaction, so that a process that
    /// ends between the two hides nothing; one whose files others look after knows of none.
    async fn is_purge_due(&self) -> Result<bool, StoreError> {
        Ok(false)
    }
}

/// Passes every call on, for pointers to stores.
macro_rules! forward {
    ($($pointer:ty),*) => {$(
        #[async_trait]
        impl<S: Store + ?Sized> Store for $pointer {
            async fn fetch(&self, scope: Scope, table: &'static Table, ids: &[Uuid]) -> Result<Vec<Row>, StoreError> {
                (**self).fetch(scope, table, ids).await
            }
            async fn select(&self, scope: Scope, query: &Select) -> Result<Vec<Row>, StoreError> {
                (**self).select(scope, query).await
            }
            async fn aggregate(&self, scope: Scope, queries: &[Aggregate]) -> Result<Vec<Vec<Row>>, StoreError> {
                (**self).aggregate(scope, queries).await
            }
            async fn apply(&self, scope: Scope, changes: ChangeSet) -> Result<Applied, StoreError> {
                (**self).apply(scope, changes).await
            }
            async fn purge(&self) -> Result<bool, StoreError> {
                (**self).purge().await
            }
            async fn is_purge_due(&self) -> Result<bool, StoreError> {
                (**self).is_purge_due().await
            }
        }
    )*};
}
forward!(Box<S>, Arc<S>, &S);
