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

use crate::error::{Misuse, Phase, mapped, refused};
use crate::execute::{self, Failure, Transaction, Written, simple};
use crate::fence::{self, Fence, Host, Known};
use crate::seal::{self, Sealer};

/// A store within a transaction of the host program, on the host's own connection; see
/// [`PostgresStore::within`](crate::PostgresStore::within).
///
/// Each change-set is applied within a savepoint, so that a refused one leaves the host's work usable; without a
/// transaction of the host's, each is one by itself. What it writes
/// is there once the host commits; the host rolls back if it cancels a call or a `fetch` or `select` fails. The connection
/// must have a `search_path` that leads to the store's tables.
///
/// On a connection that row-level security holds, each call sets `crm.org` for itself, within a savepoint, and leaves it
/// as the host had it: several organizations can be worked on in one transaction, and none stays set for the host's own
/// statements. Such a read that fails is undone.
pub struct Within<'a> {
    host: Mutex<Host<'a>>,
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
    fn new(connection: &'a mut PgConnection, known: Known, sealer: Option<Arc<Sealer>>) -> Self {
        let host = Mutex::new(Host { connection, known });
        Self { host, sealer, failed: AtomicBool::new(false), entries: AtomicU64::new(0) }
    }

    /// On a connection of the host's, whose role may be another than the store's.
    pub(crate) fn of_host(connection: &'a mut PgConnection, sealer: Arc<Sealer>) -> Self {
        Self::new(connection, Known::Nothing, Some(sealer))
    }

    /// In the store's own transaction for this organization.
    pub(crate) fn of_store(connection: &'a mut PgConnection, fence: Fence, scope: Scope) -> Self {
        let known = match fence {
            Fence::Absent => Known::Absent,
            Fence::Present => Known::Set(Some(scope.key())),
        };
        Self::new(connection, known, None)
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
        let mut host = self.host.lock().await;
        let beyond = if host.known.is_fenced() { fence::beyond(scope, changes) } else { Vec::new() };
        if !beyond.is_empty() {
            simple(host.connection, fence::set_beyond(&beyond)).await.map_err(Failure::Sql)?;
        }
        let written = execute::apply(host.connection, scope, changes, Transaction::Open).await?;
        if !beyond.is_empty() {
            // After a failure the setting is undone with the rest.
            simple(host.connection, fence::set_beyond(&[])).await.map_err(Failure::Sql)?;
        }
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
}

/// Reads on a host's connection, behind its fence if there is one.
macro_rules! read {
    ($within:expr, $scope:expr, $connection:ident => $read:expr) => {{
        let mut host = $within.host.lock().await;
        $within.watched(host.ask().await.map_err(open))?;
        if host.known.differs($scope) {
            let opened = $within.watched(host.open("crm_read", $scope).await.map_err(open))?;
            let $connection = &mut *host.connection;
            let result = $read.await;
            // A failure is undone with the setting.
            $within.watched(host.undo(opened).await.map_err(open))?;
            result
        } else {
            let $connection = &mut *host.connection;
            $within.watched($read.await)
        }
    }};
}

fn open(error: sqlx::Error) -> StoreError {
    mapped(error, Phase::Open)
}

#[async_trait]
impl Store for Within<'_> {
    async fn fetch(&self, scope: Scope, table: &'static Table, ids: &[Uuid]) -> Result<Vec<Row>, StoreError> {
        read!(self, scope, connection => execute::fetch(connection, scope, table, ids))
    }

    async fn select(&self, scope: Scope, query: &Select) -> Result<Vec<Row>, StoreError> {
        read!(self, scope, connection => execute::select(connection, scope, query))
    }

    async fn aggregate(&self, scope: Scope, queries: &[Aggregate]) -> Result<Vec<Vec<Row>>, StoreError> {
        // A sum may overflow, which is an answer like any other and must not spoil the transaction.
        let mut host = self.host.lock().await;
        let opened = self.watched(host.open("crm_read", scope).await.map_err(open))?;
        let answers = execute::aggregate(host.connection, scope, queries).await;
        self.watched(host.undo(opened).await.map_err(open))?;
        answers
    }

    async fn apply(&self, scope: Scope, changes: ChangeSet) -> Result<Applied, StoreError> {
        execute::check_scope(scope, &changes)?;
        let seal = changes.seal;
        let before = self.entries();
        let opened = self.watched(self.host.lock().await.open("crm", scope).await.map_err(open))?;
        let written = match self.write_all(scope, changes).await {
            Ok(written) => written,
            Err(failure) => {
                let mut host = self.host.lock().await;
                self.watched(host.undo(opened).await.map_err(open))?;
                // Whatever had failed is undone.
                self.failed.store(false, Ordering::Release);
                self.entries.store(before, Ordering::Release);
                if !(failure.asks() && host.known.differs(scope)) {
                    return Err(failure.settle(host.connection, scope, Phase::Open).await);
                }
                let opened = self.watched(host.open("crm_read", scope).await.map_err(open))?;
                let error = failure.settle(host.connection, scope, Phase::Open).await;
                self.watched(host.undo(opened).await.map_err(open))?;
                return Err(error);
            }
        };
        let mut host = self.host.lock().await;
        let sealed = match seal {
            Some(seal) => self.watched(seal::seal_within(host.connection, scope, seal.limit).await)?,
            None => 0,
        };
        let phase = if opened.is_transaction() { Phase::Commit } else { Phase::Open };
        self.watched(host.keep(opened).await.map_err(|error| mapped(error, phase)))?;
        drop(host);
        if let Some(sealer) = &self.sealer {
            // If the host rolls back, there will be nothing to seal.
            sealer.wrote(scope, self.entries() - before);
        }
        Ok(Applied { counters: written.counters, rows: written.rows, sealed })
    }
}
