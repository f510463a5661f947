//! Seals the audit's entries shortly after they were written.
//!
//! A chain's head is one per organization, and sealing within each change-set would make all its writers queue for it.
//! So entries are written with their change, without number and hash, and sealed in batches by whichever process gets
//! the organization's lock. What is promised: an entry is there if and only if its change is; it is sealed within about
//! [`seal_after`](crate::PostgresOptions::seal_after), sooner when many wait, and by any later writer of the
//! organization if this process ends before. Until then, that somebody with access to the database removed it would not
//! show.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use crm_core::audit::{self, AuditEntry, Link};
use crm_core::entity::Entity as _;
use crm_core::row::Value;
use crm_core::store::{Scope, StoreError};
use crm_sql::write_postgres;
use sqlx::PgConnection;

use crate::decode;
use crate::error::{Phase, mapped};
use crate::execute::{simple, write};
use crate::fence::Fence;
use crate::pool::Pool;

/// How many entries make sealing worth while at once.
const MANY: u64 = 256;
/// How many are sealed in one transaction.
const BATCH: u32 = 5_000;

/// What waits to be sealed.
pub(crate) struct Sealer {
    pool: Arc<Pool>,
    fence: Fence,
    delay: Duration,
    pending: Mutex<HashMap<Scope, Pending>>,
}

#[derive(Default)]
struct Pending {
    /// How many entries this process has written since it last sealed.
    entries: u64,
    /// Whether a task waits for the delay.
    timed: bool,
    /// Whether a task seals.
    sealing: bool,
}

/// How to get an organization's lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lock {
    /// Wait for whoever has it.
    Wait,
    /// Leave it to whoever has it.
    Try,
}

impl Sealer {
    pub(crate) fn new(pool: Arc<Pool>, fence: Fence, delay: Duration) -> Arc<Self> {
        Arc::new(Self { pool, fence, delay, pending: Mutex::default() })
    }

    fn with<T>(&self, scope: Scope, act: impl FnOnce(&mut Pending) -> T) -> T {
        act(self.pending.lock().unwrap_or_else(PoisonError::into_inner).entry(scope).or_default())
    }

    /// Says that entries were written; somebody will seal them.
    pub(crate) fn wrote(self: &Arc<Self>, scope: Scope, entries: u64) {
        let (seal, time) = self.with(scope, |pending| {
            pending.entries += entries;
            if pending.entries == 0 {
                return (false, false);
            }
            let seal = pending.entries >= MANY && !pending.sealing;
            pending.sealing |= seal;
            let time = !seal && !pending.sealing && !pending.timed;
            pending.timed |= time;
            (seal, time)
        });
        // The tasks let go of a store that is dropped.
        if seal {
            tokio::spawn(Self::background(Arc::downgrade(self), scope));
        } else if time {
            tokio::spawn(Self::later(Arc::downgrade(self), scope, self.delay));
        }
    }

    async fn later(sealer: Weak<Self>, scope: Scope, delay: Duration) {
        tokio::time::sleep(delay).await;
        let Some(strong) = sealer.upgrade() else { return };
        let seal = strong.with(scope, |pending| {
            pending.timed = false;
            let seal = pending.entries > 0 && !pending.sealing;
            pending.sealing |= seal;
            seal
        });
        drop(strong);
        if seal {
            Self::background(sealer, scope).await;
        }
    }

    /// Seals until less than a batch waits. A failure is left to the next writer: nothing is lost by it.
    async fn background(sealer: Weak<Self>, scope: Scope) {
        let Some(sealer) = sealer.upgrade() else { return };
        loop {
            let before = sealer.with(scope, |pending| std::mem::take(&mut pending.entries));
            let done = sealer.batch(scope, Lock::Try, BATCH).await;
            let again = sealer.with(scope, |pending| {
                if done.is_err() {
                    pending.entries += before;
                }
                let again = matches!(done, Ok(Some(sealed)) if sealed == u64::from(BATCH) || pending.entries >= MANY);
                pending.sealing = again;
                again
            });
            if !again {
                break;
            }
        }
        // Whoever had the lock, or wrote meanwhile, may have left some.
        sealer.wrote(scope, 0);
    }

    /// Seals what waits, up to a limit, waiting for others that seal.
    pub(crate) async fn seal(&self, scope: Scope, limit: u32) -> Result<u64, StoreError> {
        let mut sealed = 0;
        while sealed < u64::from(limit) {
            let batch = limit.saturating_sub(u32::try_from(sealed).unwrap_or(u32::MAX)).min(BATCH);
            let done = self.batch(scope, Lock::Wait, batch).await?.unwrap_or(0);
            sealed += done;
            if done < u64::from(batch) {
                break;
            }
        }
        Ok(sealed)
    }

    /// Seals everything that this process wrote and that is not sealed yet.
    pub(crate) async fn finish(&self) -> Result<(), StoreError> {
        let scopes: Vec<Scope> = {
            let pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
            pending
                .iter()
                .filter(|(_, pending)| pending.entries > 0 || pending.sealing)
                .map(|(scope, _)| *scope)
                .collect()
        };
        for scope in scopes {
            self.seal(scope, u32::MAX).await?;
            self.with(scope, |pending| pending.entries = 0);
        }
        Ok(())
    }

    /// Seals a batch in a transaction of its own; nothing if another process has the lock.
    async fn batch(&self, scope: Scope, lock: Lock, limit: u32) -> Result<Option<u64>, StoreError> {
        let mut lease = self.pool.acquire().await?;
        let locked = simple(&mut lease, format!("{}; {}", self.fence.begin(scope), lock_text(scope, lock)))
            .await
            .map_err(|error| mapped(error, Phase::Open))?;
        let sealed = if lock == Lock::Wait || locked.first().is_some_and(decode::text_truth) {
            Some(seal_open(&mut lease, scope, limit).await?)
        } else {
            None
        };
        // A commit that fails leaves entries unsealed or sealed, and the next one finds out which.
        simple(&mut lease, "COMMIT").await.map_err(|error| mapped(error, Phase::Open))?;
        lease.give_back();
        Ok(sealed)
    }
}

/// The text that takes an organization's lock until the transaction ends. Only a whole number is written into it.
fn lock_text(scope: Scope, lock: Lock) -> String {
    let function = match lock {
        Lock::Wait => "pg_advisory_xact_lock",
        Lock::Try => "pg_try_advisory_xact_lock",
    };
    format!("SELECT {function}(hashtextextended('crm_seal:' || current_schema(), {}))", scope.key())
}

/// Seals within the transaction that the connection is in, waiting for others that seal.
pub(crate) async fn seal_within(connection: &mut PgConnection, scope: Scope, limit: u32) -> Result<u64, StoreError> {
    simple(connection, lock_text(scope, Lock::Wait)).await.map_err(|error| mapped(error, Phase::Open))?;
    let mut sealed = 0;
    while sealed < u64::from(limit) {
        let batch = limit.saturating_sub(u32::try_from(sealed).unwrap_or(u32::MAX)).min(BATCH);
        let done = seal_open(connection, scope, batch).await?;
        sealed += done;
        if done < u64::from(batch) {
            break;
        }
    }
    Ok(sealed)
}

/// Seals a batch under the lock.
async fn seal_open(connection: &mut PgConnection, scope: Scope, limit: u32) -> Result<u64, StoreError> {
    let open = |error| mapped(error, Phase::Open);
    let rows = write(connection, &write_postgres::unsealed(scope, limit)).await.map_err(open)?;
    if rows.is_empty() {
        return Ok(0);
    }
    let mut entries =
        rows.iter().map(|row| decode::table_row(AuditEntry::TABLE, row)).collect::<Result<Vec<_>, _>>()?;
    let last = write(connection, &write_postgres::last_link(scope)).await.map_err(open)?;
    let last = last.first().map(|row| decode::output_row(AuditEntry::TABLE, &decode::LINK, row)).transpose()?;
    let last = match last.as_deref() {
        Some([Value::Int(seq), Value::Bytes(hash)]) => Link { seq: *seq, hash: hash.clone() },
        _ => Link::default(),
    };
    audit::seal(last, &mut entries);
    write(connection, &write_postgres::seal(scope, &entries)).await.map_err(open)?;
    Ok(entries.len() as u64)
}
