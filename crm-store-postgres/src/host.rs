//! A store within a transaction: the host program's, or the one in which a feed is applied.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use async_trait::async_trait;
use crm_core::entity::Table;
use crm_core::row::Row;
use crm_core::store::{Abort, Aggregate, Applied, ChangeSet, Feed, Scope, Select, Store, StoreError};
use sqlx::PgConnection;
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::error::{self, Misuse, Phase, mapped, refused};
use crate::execute::{self, Failure, Transaction, Written, simple};
use crate::seal::{self, Sealer};

/// A store within a transaction of the host program, on the host's own connection; see
/// [`PostgresStore::within`](crate::PostgresStore::within).
///
/// Each change-set is applied within a savepoint, so that a refused one leaves the host's work usable; without a
/// transaction of the host's, each is one by itself. What it writes
/// is there once the host commits; the host rolls back if it cancels a call or a `fetch` or `select` fails. The connection must have a `search_path`
/// that leads to the store's tables.
pub struct Within<'a> {
    connection: Mutex<&'a mut PgConnection>,
    sealer: Option<Arc<Sealer>>,
    /// Whether a read failed, so that the transaction can only be rolled back.
    failed: AtomicBool,
    /// How many entries of the audit were written.
    entries: AtomicU64,
}

impl std::fmt::Debug for Within<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Within").finish_non_exhaustive()
    }
}

impl<'a> Within<'a> {
    pub(crate) fn new(connection: &'a mut PgConnection, sealer: Option<Arc<Sealer>>) -> Self {
        Self { connection: Mutex::new(connection), sealer, failed: AtomicBool::new(false), entries: AtomicU64::new(0) }
    }

    /// Remembers that a read failed.
    fn watched<T>(&self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        if !matches!(result, Ok(_) | Err(StoreError::Scope { .. })) {
            self.failed.store(true, Ordering::Release);
        }
        result
    }

    /// How many entries of the audit were written.
    pub(crate) fn entries(&self) -> u64 {
        self.entries.load(Ordering::Acquire)
    }

    /// Writes a change-set and its feed's chunks, in the transaction that is open.
    pub(crate) async fn write_all(&self, scope: Scope, mut changes: ChangeSet) -> Result<Written, Failure> {
        let feed = changes.feed.take();
        let mut written = self.write_one(scope, &mut changes).await?;
        if let Some(feed) = feed {
            written.rows += self.write_chunks(scope, feed).await?;
        }
        Ok(written)
    }

    async fn write_one(&self, scope: Scope, changes: &mut ChangeSet) -> Result<Written, Failure> {
        execute::check_scope(scope, changes)?;
        let mut connection = self.connection.lock().await;
        let written = execute::apply(&mut connection, scope, changes, Transaction::Open).await?;
        self.entries.fetch_add(written.entries, Ordering::AcqRel);
        Ok(written)
    }

    async fn write_chunks(&self, scope: Scope, mut feed: Box<dyn Feed>) -> Result<u64, Failure> {
        let mut rows = 0;
        loop {
            let chunk = feed.next(self).await.map_err(|abort| match abort {
                Abort::Withdrawn => StoreError::Aborted,
                Abort::Store(error) => error,
            })?;
            if self.failed.load(Ordering::Acquire) {
                // The server would answer a commit as if it had been one.
                return Err(refused(Misuse::FeedWentOn).into());
            }
            let Some(mut chunk) = chunk else { return Ok(rows) };
            if chunk.feed.is_some() {
                return Err(refused(Misuse::NestedFeed).into());
            }
            rows += self.write_one(scope, &mut chunk).await?.rows;
        }
    }

    async fn say(&self, sql: impl Into<String> + Send) -> Result<(), StoreError> {
        let mut connection = self.connection.lock().await;
        self.watched(simple(&mut connection, sql).await.map(drop).map_err(|error| mapped(error, Phase::Open)))
    }

    /// Opens a savepoint; false if there is no transaction to have one in.
    async fn save(&self, sql: &'static str) -> Result<bool, StoreError> {
        match simple(&mut **self.connection.lock().await, sql).await {
            Ok(_) => Ok(true),
            Err(error) if error::is_outside(&error) => Ok(false),
            Err(error) => self.watched(Err(mapped(error, Phase::Open))),
        }
    }
}

#[async_trait]
impl Store for Within<'_> {
    async fn fetch(&self, scope: Scope, table: &'static Table, ids: &[Uuid]) -> Result<Vec<Row>, StoreError> {
        self.watched(execute::fetch(&mut **self.connection.lock().await, scope, table, ids).await)
    }

    async fn select(&self, scope: Scope, query: &Select) -> Result<Vec<Row>, StoreError> {
        self.watched(execute::select(&mut **self.connection.lock().await, scope, query).await)
    }

    async fn aggregate(&self, scope: Scope, queries: &[Aggregate]) -> Result<Vec<Vec<Row>>, StoreError> {
        // A sum may overflow, which is an answer like any other and must not spoil the transaction.
        let saved = self.save("SAVEPOINT crm_read").await?;
        let answers = execute::aggregate(&mut **self.connection.lock().await, scope, queries).await;
        if saved {
            let undo = if answers.is_ok() { "" } else { "ROLLBACK TO SAVEPOINT crm_read; " };
            self.say(format!("{undo}RELEASE SAVEPOINT crm_read")).await?;
        }
        answers
    }

    async fn apply(&self, scope: Scope, changes: ChangeSet) -> Result<Applied, StoreError> {
        execute::check_scope(scope, &changes)?;
        let seal = changes.seal;
        let before = self.entries();
        let saved = self.save("SAVEPOINT crm").await?;
        if !saved {
            self.say("BEGIN").await?;
        }
        let written = match self.write_all(scope, changes).await {
            Ok(written) => written,
            Err(failure) => {
                let undo = if saved { "ROLLBACK TO SAVEPOINT crm; RELEASE SAVEPOINT crm" } else { "ROLLBACK" };
                self.say(undo).await?;
                // Whatever had failed is undone.
                self.failed.store(false, Ordering::Release);
                self.entries.store(before, Ordering::Release);
                let mut connection = self.connection.lock().await;
                return Err(failure.settle(&mut connection, scope, Phase::Open).await);
            }
        };
        let sealed = match seal {
            Some(seal) => {
                self.watched(seal::seal_within(&mut **self.connection.lock().await, scope, seal.limit).await)?
            }
            None => 0,
        };
        if saved {
            self.say("RELEASE SAVEPOINT crm").await?;
        } else {
            let mut connection = self.connection.lock().await;
            simple(&mut connection, "COMMIT").await.map_err(|error| mapped(error, Phase::Commit))?;
        }
        if let Some(sealer) = &self.sealer {
            // If the host rolls back, there will be nothing to seal.
            sealer.wrote(scope, self.entries() - before);
        }
        Ok(Applied { counters: written.counters, rows: written.rows, sealed, purged: false })
    }
}
