//! Reads and writes within a transaction of the host program.

use std::ops::Deref;

use async_trait::async_trait;
use crm_core::entity::Table;
use crm_core::row::Row;
use crm_core::store::{Aggregate, Applied, ChangeSet, Scope, Select, Store, StoreError};
use rusqlite::Connection;
use sqlx::Connection as _;
use sqlx::sqlite::{LockedSqliteHandle, SqliteConnection};
use uuid::Uuid;

use crate::error::{SqliteError, backend, map_any};
use crate::migrate::require_current;
use crate::pool::require_version;
use crate::view::View;

/// A store within a transaction of the host program, on the host's own connection.
///
/// Each change-set is applied within a savepoint, so that a refused one leaves the host's work usable. What it writes
/// is there once the host commits. The host should begin its transaction with `BEGIN IMMEDIATE`: one that begins
/// with a read and writes later fails at once when another connection has written in between.
pub struct Within<'a>(View<Borrowed<'a>>);

/// The host's connection as this crate uses it. The fields are dropped in their order, the statements before the lock
/// on the connection that they belong to.
struct Borrowed<'a> {
    connection: Connection,
    _lock: LockedSqliteHandle<'a>,
}

impl Deref for Borrowed<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

impl<'a> Within<'a> {
    /// Takes the host's connection until it is dropped.
    ///
    /// # Errors
    /// When the connection's database has another schema than this program knows, none included, or does not check
    /// foreign keys.
    pub(crate) async fn new(host: &'a mut SqliteConnection) -> Result<Self, StoreError> {
        require_version()?;
        // Taking and releasing the lock again and again, with no statement in between, can hang sqlx's worker.
        host.ping().await.map_err(|error| StoreError::Unavailable(Box::new(error)))?;
        let mut lock = host.lock_handle().await.map_err(|error| StoreError::Unavailable(Box::new(error)))?;
        let connection = borrow(&mut lock)?;
        require_current(&connection)?;
        let checked: bool = connection.query_row("PRAGMA foreign_keys", [], |row| row.get(0)).map_err(map_any)?;
        if !checked {
            return Err(backend(SqliteError::ForeignKeys));
        }
        Ok(Self(View::new(Borrowed { connection, _lock: lock })))
    }
}

#[expect(unsafe_code, reason = "the only way to a connection that the host opened")]
fn borrow(lock: &mut LockedSqliteHandle<'_>) -> Result<Connection, StoreError> {
    // SAFETY: the handle is valid and nobody else uses it while the lock is held, and the connection made from it is
    // dropped before the lock (see `Borrowed`) and never closes the handle.
    unsafe { Connection::from_handle(lock.as_raw_handle().as_ptr()) }.map_err(map_any)
}

#[async_trait]
impl Store for Within<'_> {
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

    async fn is_purge_due(&self) -> Result<bool, StoreError> {
        self.0.is_purge_due().await
    }
}
