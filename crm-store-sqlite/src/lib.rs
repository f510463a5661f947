//! Keeps the CRM engine's records in one SQLite file.
//!
//! ```
//! use crm_store_sqlite::{SqliteOptions, SqliteStore};
//!
//! let directory = tempfile::tempdir()?;
//! let path = directory.path().join("crm.db");
//! let store = SqliteStore::open(&path.to_string_lossy(), SqliteOptions::default())?;
//! assert_eq!(crm_core::block_on(store.schema_version())?, crm_core::schema::VERSION);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Short reads and small change-sets are executed on the spot, in the caller's task, since a hop to another thread costs
//! ten times what they do; reports, exports and imports go to a thread of their own where there is a tokio runtime.
//! Change-sets that come at the same time are committed together.

#[cfg(test)]
extern crate self as crm_store_sqlite;

mod bind;
mod blocking;
#[cfg(test)]
#[path = "../tests/common/mod.rs"]
mod common;
mod decode;
mod error;
mod execute;
mod host;
mod migrate;
mod options;
mod pool;
mod purge;
mod view;
mod write;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use crm_core::entity::Table;
use crm_core::row::Row;
use crm_core::store::{Aggregate, Applied, ChangeSet, Scope, Select, Store, StoreError};
use sqlx::sqlite::SqliteConnection;
use uuid::Uuid;

pub use crate::error::SqliteError;
pub use crate::host::Within;
pub use crate::options::{Durability, SqliteOptions};

use crate::blocking::blocking;
use crate::error::{backend, map_any};
use crate::pool::{Readers, Role};
use crate::write::Writer;

/// Up to how many rows are read on the spot.
const SHORT: u32 = 200;

/// The records in one SQLite file. Cheap to clone; clones share the file's connections.
#[derive(Clone)]
pub struct SqliteStore {
    readers: Arc<Readers>,
    writer: Arc<Writer>,
}

impl std::fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteStore").finish_non_exhaustive()
    }
}

impl SqliteStore {
    /// Opens the file at this path or `sqlite:` address and brings its schema up to date. It may be opened by several
    /// processes at once, and share its file with tables of a host program. A file that is made here can be opened by its
    /// owner alone, and so can what SQLite keeps beside it.
    ///
    /// # Errors
    /// [`StoreError::Schema`] when a newer program has made the file or it has no tables and none are to be made, [`StoreError::Backend`] with a [`SqliteError`]
    /// when it cannot be opened.
    pub fn open(path_or_url: &str, options: SqliteOptions) -> Result<Self, StoreError> {
        pool::require_version()?;
        let path = path_of(path_or_url)?;
        // Each connection reads the whole schema, which is most of what a short command costs: a file that is as it
        // should be gets one for writing when something is written.
        let reader = pool::connect(&path, &options, Role::Reader).ok().filter(migrate::is_current);
        let mut writer = None;
        if reader.is_none() {
            let connection = writer.insert(pool::connect(&path, &options, Role::Writer)?);
            migrate::migrate(connection, options.busy_timeout, options.create)?;
        }
        let writer = Arc::new(Writer::new(path.clone(), options.clone(), writer));
        Ok(Self { readers: Arc::new(Readers::new(path, options, reader)), writer })
    }

    /// A store within a transaction on the host program's connection, which must be to a file that has been opened with
    /// [`open`](Self::open) before.
    ///
    /// # Errors
    /// [`StoreError::Schema`] when the connection's database has another schema than this program knows, none included.
    pub async fn within(host: &mut SqliteConnection) -> Result<Within<'_>, StoreError> {
        Within::new(host).await
    }

    /// Applies one change-set within a transaction on the host program's connection.
    ///
    /// # Errors
    /// As [`within`](Self::within) and [`Store::apply`] say.
    pub async fn apply_in(
        host: &mut SqliteConnection,
        scope: Scope,
        changes: ChangeSet,
    ) -> Result<Applied, StoreError> {
        Self::within(host).await?.apply(scope, changes).await
    }

    /// The version of the file's schema.
    #[expect(clippy::unused_async, reason = "the same face as that of the store for PostgreSQL")]
    pub async fn schema_version(&self) -> Result<i64, StoreError> {
        self.readers.short(migrate::version)
    }

    /// What SQLite finds wrong with the file and its references; nothing if it is whole. It sees damaged pages, not
    /// altered values: those show in the audit.
    pub async fn integrity_check(&self) -> Result<Vec<String>, StoreError> {
        let readers = Arc::clone(&self.readers);
        blocking(move || {
            // A connection that has searched before checks the full-text index as it was then, and finds it corrupt.
            let connection = readers.fresh()?;
            check(&connection).map_err(map_any)
        })
        .await
    }

    /// Writes what stands in the write-ahead log into the file itself, as before a copy of the file.
    pub async fn checkpoint(&self) -> Result<(), StoreError> {
        let writer = Arc::clone(&self.writer);
        blocking(move || {
            writer.exclusively(|connection| {
                let busy: bool =
                    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0)).map_err(map_any)?;
                if busy {
                    return Err(StoreError::Unavailable("another connection still reads or writes".into()));
                }
                Ok(())
            })
        })
        .await
    }

    /// Closes the file: later change-sets are refused. Dropping the store closes it too.
    pub async fn close(&self) -> Result<(), StoreError> {
        let (readers, writer) = (Arc::clone(&self.readers), Arc::clone(&self.writer));
        blocking(move || {
            readers.close();
            writer.close()
        })
        .await
    }
}

fn check(connection: &rusqlite::Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare("PRAGMA integrity_check")?;
    let lines = statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()?;
    let mut found: Vec<String> = lines.into_iter().filter(|line| line != "ok").collect();
    let mut statement = connection.prepare("PRAGMA foreign_key_check")?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(2)?)))?;
    for row in rows {
        let (table, target) = row?;
        found.push(format!("a row of {table} refers to one of {target} that is not there"));
    }
    Ok(found)
}

/// The path of a `sqlite:` address, or of a plain path.
fn path_of(path_or_url: &str) -> Result<PathBuf, StoreError> {
    let path = match path_or_url.strip_prefix("sqlite:") {
        Some(rest) => rest.strip_prefix("//").unwrap_or(rest),
        None => path_or_url,
    };
    // Each connection would have a database of its own in memory, and an option would be silently ignored.
    if path.is_empty() || path.starts_with(':') || (path != path_or_url && path.contains('?')) {
        return Err(backend(SqliteError::Address { url: path_or_url.to_owned() }));
    }
    Ok(Path::new(path).to_path_buf())
}

#[async_trait]
impl Store for SqliteStore {
    async fn fetch(&self, scope: Scope, table: &'static Table, ids: &[Uuid]) -> Result<Vec<Row>, StoreError> {
        if u32::try_from(ids.len()).is_ok_and(|count| count <= SHORT) {
            return self.readers.short(|connection| execute::fetch(connection, scope, table, ids));
        }
        let (readers, ids) = (Arc::clone(&self.readers), ids.to_vec());
        blocking(move || readers.long(|connection| execute::fetch(connection, scope, table, &ids))).await
    }

    async fn select(&self, scope: Scope, query: &Select) -> Result<Vec<Row>, StoreError> {
        if query.limit.is_some_and(|limit| limit <= SHORT) {
            return self.readers.short(|connection| execute::select(connection, scope, query));
        }
        let (readers, query) = (Arc::clone(&self.readers), query.clone());
        blocking(move || readers.long(|connection| execute::select(connection, scope, &query))).await
    }

    async fn aggregate(&self, scope: Scope, queries: &[Aggregate]) -> Result<Vec<Vec<Row>>, StoreError> {
        let (readers, queries) = (Arc::clone(&self.readers), queries.to_vec());
        blocking(move || readers.long(|connection| execute::aggregate(connection, scope, &queries))).await
    }

    async fn apply(&self, scope: Scope, changes: ChangeSet) -> Result<Applied, StoreError> {
        self.writer.apply(scope, changes).await
    }

    async fn purge(&self) -> Result<bool, StoreError> {
        let (readers, writer) = (Arc::clone(&self.readers), Arc::clone(&self.writer));
        blocking(move || purge::purge(&readers, &writer)).await
    }

    async fn is_purge_due(&self) -> Result<bool, StoreError> {
        self.readers.short(|connection| purge::is_due(connection).map_err(map_any))
    }
}
