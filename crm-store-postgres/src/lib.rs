//! Keeps the CRM engine's records in a PostgreSQL database.
//!
//! ```no_run
//! use crm_store_postgres::{PostgresOptions, PostgresStore};
//!
//! # async fn example() -> Result<(), crm_core::store::StoreError> {
//! let store = PostgresStore::connect("postgres://crm@localhost/crm", PostgresOptions::default()).await?;
//! assert_eq!(store.schema_version().await?, crm_core::schema::VERSION);
//! store.close().await
//! # }
//! ```
//!
//! A round trip costs more than what the server does in it, so a read is one statement, and so is a change-set without
//! counters: guards, changes and audit entries in one, committed by itself, and what does not fit fails as a whole. A
//! change-set with counters, of very many rows or with a feed takes a transaction. Change-sets run in tasks of their
//! own, so that one whose caller is cancelled is still written whole or not at all; a read that is cancelled costs its
//! connection. When a connection breaks while a change-set is being committed, the answer is
//! [`StoreError::OutcomeUnknown`].
//!
//! Entries of the audit are written with their changes and sealed in batches shortly after, within
//! [`seal_after`](PostgresOptions::seal_after) or sooner when many wait; [`close`](PostgresStore::close) seals what this
//! process wrote. An entry that is not sealed yet could be removed by somebody with access to the database without a
//! trace.
//!
//! Every table has row-level security, a second fence behind the organization that each statement names: a statement
//! sees and writes rows of the organization that the setting `crm.org` holds, and none without it; of users, logins and
//! the like its members', its own, and single ones that `crm.beyond` names, such as somebody who joins. Superusers and roles
//! with BYPASSRLS are not held by it; the owner of the tables and every other role is, best one that
//! [`grant`](PostgresStore::grant) made fit. For such a role each unit of work is a transaction that begins with
//! `SET LOCAL crm.org`, which costs a read one more round trip and a change-set two. Which of both a role is, a store
//! asks when it connects. For a role that is held, the server does not use the index of full-text search, whose operator
//! it does not trust with rows of others: a search reads all of the organization's records, some 30 ms for 20,000.
//!
//! Calls need a tokio runtime with time and I/O enabled.

mod address;
mod bind;
mod crowd;
mod decode;
mod error;
mod execute;
mod fence;
mod grant;
mod host;
mod migrate;
mod options;
mod pool;
mod seal;

use std::sync::Arc;

use async_trait::async_trait;
use crm_core::entity::{Flags, Table};
use crm_core::row::Row;
use crm_core::schema::TABLES;
use crm_core::store::{Aggregate, Applied, ChangeSet, Scope, Select, Store, StoreError};
use sqlx::PgConnection;
use uuid::Uuid;

pub use crate::address::without_password;
pub use crate::error::NotGranted;
pub use crate::grant::GrantError;
pub use crate::host::Within;
pub use crate::options::PostgresOptions;

use crate::crowd::Crowd;
use crate::error::{Misuse, Phase, mapped};
use crate::execute::{Failure, Transaction, Written, simple};
use crate::fence::Fence;
use crate::pool::{Lease, Pool};
use crate::seal::Sealer;

/// Reads an organization's rows on a connection; one that had been lost while it waited is replaced once.
macro_rules! read {
    ($store:expr, $scope:expr, $connection:ident => $read:expr) => {{
        let mut replaced = false;
        loop {
            let mut lease = $store.0.pool.acquire().await?;
            let result = match $store.0.fence.open(&mut lease, $scope).await {
                Ok(mut $connection) => $read.await,
                Err(error) => Err(mapped(error, Phase::Open)),
            };
            if is_sound(&result) {
                if fence::sent(&mut lease).await {
                    lease.give_back();
                }
                break result;
            }
            let lost = matches!(result, Err(StoreError::Unavailable(_)));
            if lost {
                lease.discard();
            }
            if replaced || !lost {
                break result;
            }
            replaced = true;
        }
    }};
}

/// The records in one schema of a PostgreSQL database. Cheap to clone; clones share the connections.
#[derive(Clone)]
pub struct PostgresStore(Arc<Inner>);

struct Inner {
    pool: Arc<Pool>,
    fence: Fence,
    crowd: Crowd,
    sealer: Arc<Sealer>,
}

impl std::fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresStore").finish_non_exhaustive()
    }
}

impl PostgresStore {
    /// Connects to the database at this address, `postgres://user:password@host:port/database`, and brings its schema
    /// up to date unless the options forbid it. Any number of processes may do so at once.
    ///
    /// # Errors
    /// [`StoreError::Schema`] when a newer program has made the schema, the options forbid to bring an older one up to
    /// date or the role does not own it, [`StoreError::Unavailable`] when the server cannot be reached,
    /// [`StoreError::Backend`] with [`NotGranted`] when the role may not use the tables.
    pub async fn connect(url: &str, options: PostgresOptions) -> Result<Self, StoreError> {
        let pool = Pool::new(options.connect_options(url)?, options.max_connections, options.acquire_timeout);
        let mut lease = pool.acquire().await?;
        let fence = migrate::migrate(&mut lease, &options).await?;
        lease.give_back();
        let sealer = Sealer::new(Arc::clone(&pool), fence, options.seal_after);
        Ok(Self(Arc::new(Inner { pool, fence, crowd: Crowd::default(), sealer })))
    }

    /// A store within a transaction on the host program's connection, whose `search_path` must lead to this store's
    /// tables. Its role need not be the store's: whether row-level security holds it is asked of the connection itself.
    ///
    /// A host that gives up waiting for a call rolls its transaction back, or at least to a savepoint of its own from
    /// before: until then `crm.org` may still name the call's organization, and the host's own statements see its rows.
    pub fn within<'a>(&self, host: &'a mut PgConnection) -> Within<'a> {
        Within::of_host(host, Arc::clone(&self.0.sealer))
    }

    /// Applies one change-set within a transaction on the host program's connection.
    ///
    /// # Errors
    /// As [`Store::apply`] says; the host's transaction stays usable.
    pub async fn apply_in(
        &self,
        host: &mut PgConnection,
        scope: Scope,
        changes: ChangeSet,
    ) -> Result<Applied, StoreError> {
        self.within(host).apply(scope, changes).await
    }

    /// Grants an existing role what an application needs that works with these tables and does not own them, and nothing
    /// more of them: it can read and write every table, but of the audit only add entries and fill in what sealing and
    /// erasure do; it can neither truncate nor change a table. The server's row-level security then holds all that it
    /// says to one organization at a time. Only the owner of the tables can grant; a later migration grants what it
    /// adds by itself.
    ///
    /// # Errors
    /// [`GrantError::NoRole`] for a name that the server does not know, [`GrantError::Privileged`] for a role that nothing would hold,
    /// [`GrantError::NotOwner`] when this store does not own the tables.
    pub async fn grant(&self, role: &str) -> Result<(), GrantError> {
        // After a failure the connection is closed.
        let mut lease = self.0.pool.acquire().await?;
        grant::grant(&mut lease, role).await?;
        lease.give_back();
        Ok(())
    }

    /// Whether row-level security held this store's role when it connected. A program that wants the second fence can
    /// refuse to work without it.
    pub fn is_fenced(&self) -> bool {
        self.0.fence == Fence::Present
    }

    /// The version of the database's schema.
    pub async fn schema_version(&self) -> Result<i64, StoreError> {
        read!(self, Scope::SYSTEM, connection => migrate::version(&mut connection))
    }

    /// Seals the audit's entries that this process wrote and closes the connections; later calls are refused.
    pub async fn close(&self) -> Result<(), StoreError> {
        let sealed = self.0.sealer.finish().await;
        self.0.pool.close().await;
        sealed
    }
}

/// Whether the connection may be used again after this answer.
const fn is_sound<T>(result: &Result<T, StoreError>) -> bool {
    !matches!(result, Err(StoreError::Unavailable(_) | StoreError::OutcomeUnknown(_) | StoreError::Backend(_)))
}

impl Inner {
    async fn apply(&self, scope: Scope, changes: ChangeSet) -> Result<Applied, StoreError> {
        execute::check_scope(scope, &changes)?;
        let seal = changes.seal;
        let only_seal = is_only_seal(&changes);
        let written = if only_seal {
            Written::default()
        } else {
            let mut lease = self.pool.acquire().await?;
            let result = self.write(&mut lease, scope, changes).await;
            if is_sound(&result) {
                lease.give_back();
            } else if matches!(result, Err(StoreError::Unavailable(_) | StoreError::OutcomeUnknown(_))) {
                lease.discard();
            }
            result?
        };
        self.sealer.wrote(scope, written.entries);
        let sealed = match seal {
            Some(seal) if only_seal => self.sealer.seal(scope, seal.limit).await?,
            // What was written is committed, whatever becomes of the sealing.
            Some(seal) => self.sealer.seal(scope, seal.limit).await.unwrap_or(0),
            None => 0,
        };
        Ok(Applied { counters: written.counters, rows: written.rows, sealed })
    }

    /// Lets the server reuse the room of what was deleted and take its statistics, which hold samples of values, anew; of
    /// the tables that hold anything personal. Of a table without a row it takes none, and keeps the last. That is all that a role without rights of its own can do: what remains in
    /// the server's files until it is overwritten, in its log and in backups is its administrator's. False when the tables
    /// are another role's: the server would skip them, and say so to nobody.
    async fn purge(&self) -> Result<bool, StoreError> {
        let personal = |table: &&&Table| table.columns.iter().any(|column| column.flags.contains(Flags::PERSONAL));
        let names: Vec<String> =
            TABLES.iter().filter(personal).map(|table| format!("'{}'::regclass", table.name)).collect();
        let others = format!(
            "SELECT count(*) FROM pg_class WHERE oid IN ({}) AND NOT pg_has_role(relowner, 'USAGE')",
            names.join(", ")
        );
        let mut lease = self.pool.acquire().await?;
        let answer = execute::simple(&mut lease, others).await.map_err(|error| mapped(error, Phase::Open))?;
        lease.give_back();
        if answer.first().and_then(decode::text_number) != Some(0) {
            return Ok(false);
        }
        for table in TABLES.iter().filter(personal) {
            let mut lease = self.pool.acquire().await?;
            let text = format!("VACUUM (ANALYZE) {}", table.name);
            execute::simple(&mut lease, text).await.map_err(|error| mapped(error, Phase::Open))?;
            lease.give_back();
        }
        Ok(true)
    }
}

/// Whether a change-set asks for nothing but sealing, or for nothing at all.
fn is_only_seal(changes: &ChangeSet) -> bool {
    changes.changes.is_empty()
        && changes.forgotten.is_empty()
        && changes.guards.is_empty()
        && changes.counters.is_empty()
        && changes.feed.is_none()
}

impl Inner {
    /// Writes and commits a change-set.
    async fn write(&self, lease: &mut Lease, scope: Scope, mut changes: ChangeSet) -> Result<Written, StoreError> {
        let (fence, queue) = (self.fence, self.crowd.queue(scope));
        if fence == Fence::Absent && queue.is_none() && !execute::needs_transaction(&changes) {
            return match execute::apply(lease, scope, &mut changes, Transaction::None).await {
                Ok(written) => Ok(written),
                Err(failure) => {
                    self.note(scope, &failure);
                    Err(failure.settle(lease, scope, Phase::Commit).await)
                }
            };
        }
        let within = fence.begin_for(scope, &changes);
        let begin = match queue {
            Some(queue) => format!("{within}; {queue}"),
            None => within.clone(),
        };
        // A connection on which any of these fails is closed by the caller, and the server then rolls back.
        let open = |error| mapped(error, Phase::Open);
        let failure = match transact(lease, fence, &begin, scope, changes).await {
            Ok(written) => {
                simple(lease, "COMMIT").await.map_err(|error| mapped(error, Phase::Commit))?;
                return Ok(written);
            }
            Err(failure) => failure,
        };
        self.note(scope, &failure);
        if fence == Fence::Present && failure.asks() {
            simple(lease, format!("ROLLBACK; {within}")).await.map_err(open)?;
            let error = failure.settle(lease, scope, Phase::Open).await;
            simple(lease, "ROLLBACK").await.map_err(open)?;
            return Err(error);
        }
        simple(lease, "ROLLBACK").await.map_err(open)?;
        Err(failure.settle(lease, scope, Phase::Open).await)
    }

    /// Remembers when others were in the way.
    fn note(&self, scope: Scope, failure: &Failure) {
        if let Failure::Contention(..) = failure {
            self.crowd.met(scope);
        }
    }
}

/// Writes a change-set in a transaction that this text begins, and leaves that open.
async fn transact(
    lease: &mut Lease,
    fence: Fence,
    begin: &str,
    scope: Scope,
    mut changes: ChangeSet,
) -> Result<Written, Failure> {
    if changes.feed.is_none() {
        return execute::apply(lease, scope, &mut changes, Transaction::Begin(begin)).await;
    }
    simple(lease, begin).await.map_err(Failure::Sql)?;
    let view = Within::of_store(lease, fence, scope);
    let written = view.write_all(scope, changes).await?;
    Ok(Written { entries: view.entries(), ..written })
}

#[async_trait]
impl Store for PostgresStore {
    async fn fetch(&self, scope: Scope, table: &'static Table, ids: &[Uuid]) -> Result<Vec<Row>, StoreError> {
        read!(self, scope, connection => execute::fetch(&mut connection, scope, table, ids))
    }

    async fn select(&self, scope: Scope, query: &Select) -> Result<Vec<Row>, StoreError> {
        read!(self, scope, connection => execute::select(&mut connection, scope, query))
    }

    async fn aggregate(&self, scope: Scope, queries: &[Aggregate]) -> Result<Vec<Vec<Row>>, StoreError> {
        read!(self, scope, connection => execute::aggregate(&mut connection, scope, queries))
    }

    async fn apply(&self, scope: Scope, changes: ChangeSet) -> Result<Applied, StoreError> {
        let inner = Arc::clone(&self.0);
        match tokio::spawn(async move { inner.apply(scope, changes).await }).await {
            Ok(result) => result,
            Err(stopped) => {
                let misuse = Box::new(Misuse::Stopped(stopped.to_string()));
                // A task that panicked did so before its commit; one that the runtime took down may have been in it.
                Err(if stopped.is_panic() { StoreError::Backend(misuse) } else { StoreError::OutcomeUnknown(misuse) })
            }
        }
    }

    async fn purge(&self) -> Result<bool, StoreError> {
        self.0.purge().await
    }
}
