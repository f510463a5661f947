//! The one connection that writes, and the change-sets that wait for it.
//!
//! Whoever finds the connection free leads: it takes all that waits, its own change-set among it, and commits it as one
//! group with a savepoint for each change-set, so that writers that come at the same time share one wait for the disk.
//! Whoever finds it taken only waits for an answer. A leader looks at the queue again after it has let go of the
//! connection, and whoever queues tries the connection after queueing; one of the two always sees the other.

use std::any::Any;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

use crm_core::store::{Applied, ChangeSet, Scope, Store as _, StoreError};
use rusqlite::Connection;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::blocking::{block_on, blocking};
use crate::error::{SqliteError, backend, is_busy, map_any, map_commit};
use crate::execute::{self, Unfed};
use crate::options::SqliteOptions;
use crate::pool::{self, Role};
use crate::view::View;

/// From how many rows on a change-set goes to a thread where it may take its time.
const LARGE: usize = 500;
/// How many change-sets are committed together at most.
const GROUP: usize = 256;
/// How many groups a caller commits for others before a thread of its own takes over.
const GROUPS: usize = 4;
/// How long a caller waits for another process on the spot; a thread waits for the rest.
const SHORT: Duration = Duration::from_millis(2);

type Answer = Result<Applied, StoreError>;

/// A change-set that waits.
struct Job {
    scope: Scope,
    changes: ChangeSet,
    answer: oneshot::Sender<Answer>,
}

/// The connection that writes.
pub(crate) struct Writer {
    path: PathBuf,
    options: SqliteOptions,
    connection: Mutex<Option<Connection>>,
    closed: AtomicBool,
    queue: Mutex<VecDeque<Job>>,
    /// How many large change-sets wait for the connection; nobody else leads meanwhile.
    large: AtomicUsize,
}

/// How a leader may spend its time.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In the middle of somebody's task.
    Inline,
    /// On a thread of its own.
    Thread,
}

/// Leads when it goes: a caller who goes away has queued a change-set all the same.
struct Lead<'a>(&'a Arc<Writer>);

impl Drop for Lead<'_> {
    fn drop(&mut self) {
        self.0.lead(Place::Inline);
    }
}

impl Writer {
    /// For a file that is as it should be; without a connection one is opened when something is to be written.
    pub(crate) const fn new(path: PathBuf, options: SqliteOptions, connection: Option<Connection>) -> Self {
        Self {
            path,
            options,
            connection: Mutex::new(connection),
            closed: AtomicBool::new(false),
            queue: Mutex::new(VecDeque::new()),
            large: AtomicUsize::new(0),
        }
    }

    /// The connection, opened if need be.
    fn opened<'a>(&self, slot: &'a mut Option<Connection>) -> Result<&'a mut Connection, StoreError> {
        if slot.is_none() {
            if self.closed.load(Ordering::SeqCst) {
                return Err(backend(SqliteError::Closed));
            }
            *slot = Some(pool::connect(&self.path, &self.options, Role::Writer)?);
        }
        slot.as_mut().ok_or_else(|| backend(SqliteError::Closed))
    }

    /// Applies a change-set.
    pub(crate) async fn apply(self: &Arc<Self>, scope: Scope, changes: ChangeSet) -> Answer {
        if changes.feed.is_some() || changes.changes.len() > LARGE {
            let writer = Arc::clone(self);
            return blocking(move || writer.apply_large(scope, changes)).await;
        }
        let (answer, mut answered) = oneshot::channel();
        self.queue().push_back(Job { scope, changes, answer });
        if Handle::try_current().is_ok() {
            let lead = Lead(self);
            // Whoever is about to write on this thread comes first and shares the commit. Without this, tasks that
            // share one thread would commit one by one.
            tokio::task::yield_now().await;
            if let Ok(answer) = answered.try_recv() {
                // Somebody else has led; what was queued since then has a leader of its own.
                std::mem::forget(lead);
                return answer;
            }
            drop(lead);
        } else {
            self.lead(Place::Thread);
        }
        answered.await.unwrap_or_else(|_| Err(backend(SqliteError::Closed)))
    }

    fn apply_large(self: &Arc<Self>, scope: Scope, changes: ChangeSet) -> Answer {
        self.exclusively(|connection| {
            // Pages that a large change-set comes back to again and again, those of its indexes, should not go to the
            // disk in between.
            pool::keep_pages(connection, pool::LARGE_CACHE)?;
            let answer = catch_unwind(AssertUnwindSafe(|| block_on(View::new(&mut *connection).apply(scope, changes))))
                .unwrap_or_else(|panic| Err(panicked(panic.as_ref())));
            // The answer stands, whatever becomes of the memory.
            let _ = pool::keep_pages(connection, pool::CACHE);
            answer
        })
    }

    /// Works with the connection once it is free, before all that waits, and then commits what waits.
    pub(crate) fn exclusively<T>(
        self: &Arc<Self>,
        work: impl FnOnce(&mut Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let done = self.opened(&mut self.lock()).and_then(work);
        self.lead(Place::Thread);
        done
    }

    /// Commits groups as long as there is something to commit and the connection is free.
    fn lead(self: &Arc<Self>, place: Place) {
        let mut groups = 0;
        while self.large.load(Ordering::SeqCst) == 0 && !self.queue().is_empty() {
            let Some(mut slot) = self.try_lock() else { return };
            let led = self.commit_group(&mut slot, place);
            drop(slot);
            groups += 1;
            if place == Place::Inline && (!led || groups >= GROUPS) && !self.queue().is_empty() {
                self.hand_over();
                return;
            }
        }
    }

    fn hand_over(self: &Arc<Self>) {
        let writer = Arc::clone(self);
        match Handle::try_current() {
            Ok(handle) => drop(handle.spawn_blocking(move || writer.lead(Place::Thread))),
            Err(_) => writer.lead(Place::Thread),
        }
    }

    /// Commits one group and answers it. Says whether it did: not where another process is in the way and the wait
    /// would be too long here.
    fn commit_group(&self, slot: &mut Option<Connection>, place: Place) -> bool {
        let connection = match self.opened(slot) {
            Ok(connection) => connection,
            Err(error) => {
                for job in self.queue().drain(..) {
                    let closed = self.closed.load(Ordering::SeqCst);
                    let answer = if closed { backend(SqliteError::Closed) } else { again(&error) };
                    let _ = job.answer.send(Err(answer));
                }
                return true;
            }
        };
        let begun = self.begin(connection, place);
        if place == Place::Inline && begun.as_ref().is_err_and(is_busy) {
            return false;
        }
        let mut jobs: Vec<Job> = {
            let mut queue = self.queue();
            let count = queue.len().min(GROUP);
            queue.drain(..count).collect()
        };
        let answers = match begun {
            Ok(()) => catch_unwind(AssertUnwindSafe(|| run(connection, &mut jobs))).unwrap_or_else(|panic| {
                roll_back(connection);
                jobs.iter().map(|_| Err(panicked(panic.as_ref()))).collect()
            }),
            Err(error) => {
                let error = map_any(error);
                jobs.iter().map(|_| Err(again(&error))).collect()
            }
        };
        for (job, answer) in jobs.into_iter().zip(answers) {
            // Whoever no longer waits for the answer has still had its change-set applied.
            let _ = job.answer.send(answer);
        }
        true
    }

    fn begin(&self, connection: &Connection, place: Place) -> rusqlite::Result<()> {
        let begin_immediate =
            |connection: &Connection| connection.prepare_cached("BEGIN IMMEDIATE")?.execute([]).map(drop);
        if place == Place::Thread {
            return begin_immediate(connection);
        }
        connection.busy_timeout(SHORT.min(self.options.busy_timeout))?;
        let begun = begin_immediate(connection);
        connection.busy_timeout(self.options.busy_timeout)?;
        begun
    }

    fn queue(&self) -> MutexGuard<'_, VecDeque<Job>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the connection. Nobody begins to lead meanwhile; whoever calls this leads afterwards.
    fn lock(&self) -> MutexGuard<'_, Option<Connection>> {
        self.large.fetch_add(1, Ordering::SeqCst);
        let slot = self.connection.lock().unwrap_or_else(|poisoned| self.recovered(poisoned));
        self.large.fetch_sub(1, Ordering::SeqCst);
        slot
    }

    fn try_lock(&self) -> Option<MutexGuard<'_, Option<Connection>>> {
        match self.connection.try_lock() {
            Ok(slot) => Some(slot),
            Err(TryLockError::WouldBlock) => None,
            Err(TryLockError::Poisoned(poisoned)) => Some(self.recovered(poisoned)),
        }
    }

    /// After a panic, what was open is rolled back.
    fn recovered<'a>(
        &self,
        poisoned: PoisonError<MutexGuard<'a, Option<Connection>>>,
    ) -> MutexGuard<'a, Option<Connection>> {
        self.connection.clear_poison();
        let slot = poisoned.into_inner();
        if let Some(connection) = slot.as_ref() {
            roll_back(connection);
        }
        slot
    }

    /// Closes the connection; later change-sets are refused.
    pub(crate) fn close(self: &Arc<Self>) -> Result<(), StoreError> {
        self.closed.store(true, Ordering::SeqCst);
        let connection = self.lock().take();
        self.lead(Place::Thread);
        connection.map_or(Ok(()), |connection| connection.close().map_err(|(_, error)| map_any(error)))
    }
}

/// Applies the jobs in the open transaction and commits it.
fn run(connection: &Connection, jobs: &mut [Job]) -> Vec<Answer> {
    let alone = jobs.len() == 1;
    let mut unfed = Unfed::default();
    let mut answers: Vec<Answer> = Vec::with_capacity(jobs.len());
    for job in jobs {
        let answer = run_one(connection, job, alone, &mut unfed);
        let lost = answer.is_err() && connection.is_autocommit();
        answers.push(answer);
        if lost {
            break;
        }
    }
    if answers.iter().all(Result::is_err) || connection.is_autocommit() {
        roll_back(connection);
        refuse(&mut answers, &StoreError::Unavailable(Box::new(SqliteError::Group)));
    } else if let Err(error) = unfed.feed(connection).and_then(|()| commit(connection)) {
        roll_back(connection);
        refuse(&mut answers, &error);
    }
    answers
}

fn run_one(connection: &Connection, job: &mut Job, alone: bool, unfed: &mut Unfed) -> Answer {
    let mut own = Unfed::default();
    let say = |text: &str| connection.prepare_cached(text)?.execute([]).map(drop);
    if !alone {
        say("SAVEPOINT crm").map_err(map_any)?;
    }
    let answer = execute::apply(connection, job.scope, &mut job.changes, &mut own);
    if !alone && !connection.is_autocommit() {
        if answer.is_err() {
            say("ROLLBACK TO crm").map_err(map_any)?;
        }
        say("RELEASE crm").map_err(map_any)?;
    }
    if answer.is_ok() {
        unfed.merge(own);
    }
    answer
}

fn commit(connection: &Connection) -> Result<(), StoreError> {
    let committed = connection.prepare_cached("COMMIT").and_then(|mut statement| statement.execute([]));
    committed.map(drop).map_err(map_commit)
}

fn roll_back(connection: &Connection) {
    if !connection.is_autocommit() {
        let _ = connection.execute_batch("ROLLBACK");
    }
}

/// Makes the error the answer to all that would have been written.
fn refuse(answers: &mut [Answer], error: &StoreError) {
    for answer in answers.iter_mut().filter(|answer| answer.is_ok()) {
        *answer = Err(again(error));
    }
}

/// The same error for another caller.
fn again(error: &StoreError) -> StoreError {
    match error {
        StoreError::StorageFull => StoreError::StorageFull,
        StoreError::OutcomeUnknown(source) => StoreError::OutcomeUnknown(source.to_string().into()),
        StoreError::Unavailable(source) => StoreError::Unavailable(source.to_string().into()),
        StoreError::Backend(source) => StoreError::Backend(source.to_string().into()),
        other => StoreError::Backend(other.to_string().into()),
    }
}

fn panicked(panic: &(dyn Any + Send)) -> StoreError {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "?".to_owned());
    backend(SqliteError::Panic(text))
}

#[cfg(test)]
mod tests {
    use crm_core::audit;
    use crm_core::store::{Store as _, StoreError};

    use crate::common::World;

    #[tokio::test]
    async fn a_full_disk_refuses_and_the_store_goes_on() {
        let world = World::new().await;
        let limit = |pages: i64| {
            let limited = |connection: &mut rusqlite::Connection| {
                let text = format!("PRAGMA max_page_count = {pages}");
                connection.query_row(&text, [], |row| row.get::<_, i64>(0)).map_err(crate::error::map_any)
            };
            world.store.writer.exclusively(limited).unwrap()
        };
        let pages: i64 = world.stranger().query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
        limit(pages + 20);
        let prices: Vec<i64> = (0..400).collect();
        let refused = world.store.apply(world.scope, world.products(&prices).0).await;
        assert!(matches!(refused, Err(StoreError::StorageFull)), "{refused:?}");
        limit(1_000_000);
        world.store.apply(world.scope, world.products(&prices).0).await.unwrap();
        assert_eq!(audit::verify(&world.store, world.scope, None).await.unwrap().problems, 0);
    }
}
