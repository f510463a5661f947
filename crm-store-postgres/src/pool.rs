//! The connections of a store.
//!
//! A connection goes back only when its unit of work has ended cleanly, by [`Lease::give_back`]. A lease that is dropped
//! on the way, because its caller was cancelled or failed, closes its connection, so that no later caller finds it in a
//! transaction that nobody will commit: with the driver's own pool, 300 cancelled begins made 6 later writes vanish.
//! Nor does the driver's pool spare the round trip with which it tests each connection that comes back.

use std::collections::VecDeque;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crm_core::store::StoreError;
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection as _, PgConnection};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::error::{Misuse, Phase, mapped};

/// After how long without use a connection is tested before it is given out. One that was lost in a shorter time is
/// found out by its next user.
const TRUSTED: Duration = Duration::from_secs(1);
/// How long a test may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// After how long without use a connection is closed.
const IDLE: Duration = Duration::from_mins(10);

/// The connections of a store.
pub(crate) struct Pool {
    options: PgConnectOptions,
    acquire_timeout: Duration,
    permits: Arc<Semaphore>,
    idle: Mutex<VecDeque<Idle>>,
    closed: AtomicBool,
}

struct Idle {
    connection: PgConnection,
    since: Instant,
}

impl Pool {
    pub(crate) fn new(options: PgConnectOptions, max: u32, acquire_timeout: Duration) -> Arc<Self> {
        Arc::new(Self {
            options,
            acquire_timeout,
            permits: Arc::new(Semaphore::new(max as usize)),
            idle: Mutex::default(),
            closed: AtomicBool::new(false),
        })
    }

    /// A connection, waited for within the time limit.
    pub(crate) async fn acquire(self: &Arc<Self>) -> Result<Lease, StoreError> {
        let unavailable = |misuse: Misuse| StoreError::Unavailable(Box::new(misuse));
        if self.closed.load(Ordering::Acquire) {
            return Err(unavailable(Misuse::Closed));
        }
        let permit = timeout(self.acquire_timeout, Arc::clone(&self.permits).acquire_owned())
            .await
            .map_err(|_| unavailable(Misuse::Busy))?
            .map_err(|_| unavailable(Misuse::Closed))?;
        let connection = match self.ready().await {
            Some(connection) => connection,
            None => match timeout(self.acquire_timeout, PgConnection::connect_with(&self.options)).await {
                Ok(connected) => connected.map_err(|error| match error {
                    // What the server refuses for good is told apart from what may pass.
                    sqlx::Error::Database(_) => mapped(error, Phase::Open),
                    error => StoreError::Unavailable(Box::new(error)),
                })?,
                Err(_) => return Err(unavailable(Misuse::Silent)),
            },
        };
        Ok(Lease { connection: Some(connection), pool: Arc::clone(self), _permit: permit })
    }

    /// A connection that was used before and still answers.
    async fn ready(&self) -> Option<PgConnection> {
        loop {
            let Idle { mut connection, since } = self.lock().pop_back()?;
            if since.elapsed() < TRUSTED {
                return Some(connection);
            }
            if since.elapsed() < IDLE && matches!(timeout(PATIENCE, connection.ping()).await, Ok(Ok(()))) {
                return Some(connection);
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Drops the connections that wait: one was found broken, so the others probably are.
    pub(crate) fn distrust(&self) {
        self.lock().clear();
    }

    /// Closes the connections that wait and lets no more be taken.
    pub(crate) async fn close(&self) {
        self.closed.store(true, Ordering::Release);
        let waiting: Vec<Idle> = self.lock().drain(..).collect();
        for Idle { connection, .. } in waiting {
            // The server notices by itself when the farewell does not arrive.
            let _ = timeout(PATIENCE, connection.close()).await;
        }
    }
}

/// A connection on loan.
pub(crate) struct Lease {
    connection: Option<PgConnection>,
    pool: Arc<Pool>,
    _permit: OwnedSemaphorePermit,
}

impl Lease {
    /// Returns the connection, which must be outside a transaction and without an answer outstanding.
    pub(crate) fn give_back(mut self) {
        if let Some(connection) = self.connection.take()
            && !self.pool.closed.load(Ordering::Acquire)
        {
            let mut idle = self.pool.lock();
            idle.push_back(Idle { connection, since: Instant::now() });
            // The oldest is at the front; those that nobody needed for long are closed.
            while idle.front().is_some_and(|oldest| oldest.since.elapsed() > IDLE) {
                idle.pop_front();
            }
        }
    }

    /// Closes the connection, and those that wait.
    pub(crate) fn discard(self) {
        self.pool.distrust();
    }
}

impl Deref for Lease {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        self.connection.as_ref().expect("a lease has its connection until it is given back")
    }
}

impl DerefMut for Lease {
    fn deref_mut(&mut self) -> &mut PgConnection {
        self.connection.as_mut().expect("a lease has its connection until it is given back")
    }
}
