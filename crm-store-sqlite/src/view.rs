//! A store within a transaction: what a feed sees, and what a host gets.

use std::ops::Deref;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use crm_core::entity::Table;
use crm_core::row::Row;
use crm_core::store::{Abort, Aggregate, Applied, ChangeSet, Scope, Select, Store, StoreError};
use rusqlite::Connection;
use uuid::Uuid;

use crate::error::{map_any, map_commit};
use crate::execute::{self, Unfed};
use crate::purge;

/// A store over one connection, executing inline.
pub(crate) struct View<C>(Mutex<C>);

impl<C: Deref<Target = Connection> + Send> View<C> {
    pub(crate) const fn new(connection: C) -> Self {
        Self(Mutex::new(connection))
    }

    /// The connection. A panic elsewhere leaves nothing in it that a rollback does not undo.
    fn lock(&self) -> MutexGuard<'_, C> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Applies a change-set and its feed's chunks within the open transaction.
    async fn run(&self, scope: Scope, changes: ChangeSet) -> Result<Applied, StoreError> {
        let mut changes = changes;
        let feed = changes.feed.take();
        let mut applied = self.chunk(scope, &mut changes)?;
        drop(changes);
        let Some(mut feed) = feed else { return Ok(applied) };
        loop {
            let mut chunk = match feed.next(self).await {
                Ok(Some(chunk)) => chunk,
                Ok(None) => return Ok(applied),
                Err(Abort::Withdrawn) => return Err(StoreError::Aborted),
                Err(Abort::Store(error)) => return Err(error),
            };
            let more =
                if chunk.feed.is_some() { self.apply(scope, chunk).await? } else { self.chunk(scope, &mut chunk)? };
            applied.counters.extend(more.counters);
            applied.rows += more.rows;
            applied.sealed += more.sealed;
        }
    }

    fn chunk(&self, scope: Scope, changes: &mut ChangeSet) -> Result<Applied, StoreError> {
        let connection = self.lock();
        let mut unfed = Unfed::default();
        let applied = execute::apply(&connection, scope, changes, &mut unfed)?;
        unfed.feed(&connection)?;
        Ok(applied)
    }
}

#[async_trait]
impl<C: Deref<Target = Connection> + Send> Store for View<C> {
    async fn fetch(&self, scope: Scope, table: &'static Table, ids: &[Uuid]) -> Result<Vec<Row>, StoreError> {
        execute::fetch(&self.lock(), scope, table, ids)
    }

    async fn select(&self, scope: Scope, query: &Select) -> Result<Vec<Row>, StoreError> {
        execute::select(&self.lock(), scope, query)
    }

    async fn aggregate(&self, scope: Scope, queries: &[Aggregate]) -> Result<Vec<Vec<Row>>, StoreError> {
        execute::aggregate(&self.lock(), scope, queries)
    }

    async fn apply(&self, scope: Scope, changes: ChangeSet) -> Result<Applied, StoreError> {
        let unit = Unit::begin(self)?;
        let applied = self.run(scope, changes).await?;
        unit.keep()?;
        Ok(applied)
    }

    async fn is_purge_due(&self) -> Result<bool, StoreError> {
        purge::is_due(&self.lock()).map_err(map_any)
    }
}

/// All of it or nothing: a savepoint within an open transaction, otherwise a transaction of its own. Dropping it takes
/// everything back.
struct Unit<'a, C: Deref<Target = Connection> + Send> {
    view: &'a View<C>,
    outermost: bool,
    open: bool,
}

impl<'a, C: Deref<Target = Connection> + Send> Unit<'a, C> {
    fn begin(view: &'a View<C>) -> Result<Self, StoreError> {
        let connection = view.lock();
        let outermost = connection.is_autocommit();
        connection.execute_batch(if outermost { "BEGIN IMMEDIATE" } else { "SAVEPOINT crm" }).map_err(map_any)?;
        Ok(Self { view, outermost, open: true })
    }

    fn keep(mut self) -> Result<(), StoreError> {
        let connection = self.view.lock();
        if self.outermost {
            connection.execute_batch("COMMIT").map_err(map_commit)?;
        } else {
            connection.execute_batch("RELEASE crm").map_err(map_any)?;
        }
        drop(connection);
        self.open = false;
        Ok(())
    }
}

impl<C: Deref<Target = Connection> + Send> Drop for Unit<'_, C> {
    fn drop(&mut self) {
        let connection = self.view.lock();
        if self.open && !connection.is_autocommit() {
            // Where SQLite has rolled everything back by itself there is no savepoint left, which is just as well.
            let text = if self.outermost { "ROLLBACK" } else { "ROLLBACK TO crm; RELEASE crm" };
            let _ = connection.execute_batch(text);
        }
    }
}
