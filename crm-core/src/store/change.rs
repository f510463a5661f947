//! Change-sets: everything one command writes, applied all or nothing.

use std::collections::HashMap;

use async_trait::async_trait;
use uuid::Uuid;

use super::{Store, StoreError};
use crate::context::{Actor, Context, Seed};
use crate::encode::encode_row;
use crate::entity::{Entity, Flags, Stored, Table};
use crate::id::Id;
use crate::row::{Deferred, Row, Value};
use crate::value::{Instant, is_storable};

/// Who did what, when: the same for every change of the set, and part of each audit entry.
#[derive(Clone, Debug)]
pub struct Stamp {
    /// Names the change-set; the ids of its audit entries count up from it.
    pub id: Uuid,
    /// Who.
    pub actor: Actor,
    /// The command's name, such as `contact.create`.
    pub command: &'static str,
    /// When.
    pub at: Instant,
    /// What the salts of the audit entries come of.
    pub seed: Seed,
}

/// One change of one row. Secrets are not printed.
#[derive(Clone)]
pub enum Change {
    /// A new row.
    Insert {
        /// Of which table.
        table: &'static Table,
        /// The row.
        row: Row,
    },
    /// A row as it was read, and as it is to be. The store checks that the stored version is still
    /// the one that was read.
    Update {
        /// Of which table.
        table: &'static Table,
        /// As it was read.
        before: Row,
        /// As it is to be.
        after: Row,
    },
    /// The row goes. The store checks its version.
    Delete {
        /// Of which table.
        table: &'static Table,
        /// As it was read.
        before: Row,
    },
}

impl std::fmt::Debug for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = match self {
            Self::Insert { .. } => "Insert",
            Self::Update { .. } => "Update",
            Self::Delete { .. } => "Delete",
        };
        let mut out = f.debug_struct(name);
        out.field("table", &self.table().name);
        let rows = match self {
            Self::Update { before, .. } => vec![("before", before), ("after", self.row())],
            _ => vec![("row", self.row())],
        };
        for (name, row) in rows {
            let shown = |(column, value): (&crate::entity::Column, &Value)| {
                (!column.flags.contains(Flags::SECRET)).then(|| value.clone())
            };
            out.field(name, &self.table().columns.iter().zip(row).filter_map(shown).collect::<Row>());
        }
        out.finish()
    }
}

impl Change {
    /// The table.
    pub const fn table(&self) -> &'static Table {
        match self {
            Self::Insert { table, .. } | Self::Update { table, .. } | Self::Delete { table, .. } => table,
        }
    }

    /// The row as it is after the change, or was before it goes.
    pub const fn row(&self) -> &Row {
        match self {
            Self::Insert { row, .. } => row,
            Self::Update { after, .. } => after,
            Self::Delete { before, .. } => before,
        }
    }

    const fn row_mut(&mut self) -> &mut Row {
        match self {
            Self::Insert { row, .. } => row,
            Self::Update { after, .. } => after,
            Self::Delete { before, .. } => before,
        }
    }

    /// Computes the derived columns anew, when another has changed.
    fn rederive(&mut self) -> Result<(), StoreError> {
        let row = (self.table().rederive)(self.row().clone())?;
        *self.row_mut() = row;
        Ok(())
    }

    /// The record's id.
    pub fn id(&self) -> Uuid {
        self.table().id(self.row())
    }
}

/// A record that must still be at this version when the change-set is applied, although the change-set
/// does not write it.
#[derive(Clone, Debug)]
pub struct Guard {
    /// Of which table.
    pub table: &'static Table,
    /// Which record.
    pub id: Uuid,
    /// At which version.
    pub version: i64,
}

impl Guard {
    /// Demands the version of a record that was read.
    pub fn of<E: Entity>(basis: &Stored<E>) -> Self {
        Self { table: E::TABLE, id: basis.id.uuid(), version: basis.version }
    }
}

/// Adds to a counter column, within bounds, without a version check: counters that many writers want
/// cost them no retries. The value that it had before is given out.
#[derive(Clone, Debug)]
pub struct Counter {
    /// Of which table.
    pub table: &'static Table,
    /// Which record.
    pub id: Uuid,
    /// The column's position.
    pub column: usize,
    /// How much is added.
    pub by: i64,
    /// The largest value that the column may have afterwards.
    pub max: i64,
}

/// A record whose past the audit is to forget: stores take the contents and salts out of its entries that came
/// before the change-set, from a version on.
#[derive(Clone, Debug)]
pub struct Forgotten {
    /// Of which table.
    pub table: &'static Table,
    /// Which record.
    pub id: Uuid,
    /// The version of the first entry that is forgotten; 0 for all.
    pub since: i64,
    /// The version at which it was deleted, if it is not there any more; otherwise the change-set writes the record.
    pub deleted_at: Option<i64>,
}

/// Asks for entries of the audit that are not yet sealed to be sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seal {
    /// How many at most.
    pub limit: u32,
}

/// Gives a streamed change-set its chunks.
///
/// The chunks are applied one after the other in one transaction: an import of any size is all or
/// nothing, in bounded memory.
#[async_trait]
pub trait Feed: Send {
    /// The next chunk, or `None` to commit. The view is the store within the transaction: it sees the
    /// chunks that came before.
    async fn next(&mut self, view: &dyn Store) -> Result<Option<ChangeSet>, Abort>;
}

/// Why a feed stops its change-set; nothing of it is written.
#[derive(Debug)]
pub enum Abort {
    /// It was asked to, as in a dry run; the store answers [`StoreError::Aborted`].
    Withdrawn,
    /// The store failed.
    Store(StoreError),
}

impl From<StoreError> for Abort {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Everything that one command writes. Applied all or nothing.
pub struct ChangeSet {
    /// Who, what, when.
    pub stamp: Stamp,
    /// What must not have changed.
    pub guards: Vec<Guard>,
    /// What is counted.
    pub counters: Vec<Counter>,
    /// What is written, in this order: a row that is referred to comes before the row that refers
    /// to it. A record is changed at most once.
    pub changes: Vec<Change>,
    /// Whose past is to be forgotten, in the same transaction.
    pub forgotten: Vec<Forgotten>,
    /// The records above organizations that it touches though they are not the organization's own: neither members nor
    /// logins to it. Where the database keeps organizations apart by itself, it lets the change-set at these alone.
    pub beyond: Vec<Uuid>,
    /// Whether entries of the audit are to be sealed as well.
    pub seal: Option<Seal>,
    /// Further chunks.
    pub feed: Option<Box<dyn Feed>>,
    /// Where a record's change stands in `changes`.
    positions: HashMap<(&'static str, Uuid), usize>,
}

impl std::fmt::Debug for ChangeSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChangeSet")
            .field("stamp", &self.stamp)
            .field("guards", &self.guards)
            .field("counters", &self.counters)
            .field("changes", &self.changes)
            .field("feed", &self.feed.is_some())
            .finish_non_exhaustive()
    }
}

/// What a store says of an applied change-set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// What each counter had before, in order.
    pub counters: Vec<i64>,
    /// How many rows were written, chunks included.
    pub rows: u64,
    /// How many entries of the audit were sealed because the change-set asked for it.
    pub sealed: u64,
}

/// A record as it is when it is created now.
pub(crate) fn fresh<E: Entity>(context: &Context, id: Id<E>, value: E) -> Stored<E> {
    Stored {
        id,
        version: 1,
        created_at: context.now(),
        created_by: context.actor().user().map(Id::uuid),
        updated_at: context.now(),
        archived_at: None,
        value,
    }
}

impl ChangeSet {
    /// An empty change-set with this stamp.
    pub fn new(stamp: Stamp) -> Self {
        Self {
            stamp,
            guards: Vec::new(),
            counters: Vec::new(),
            changes: Vec::new(),
            forgotten: Vec::new(),
            beyond: Vec::new(),
            seal: None,
            feed: None,
            positions: HashMap::new(),
        }
    }

    /// A change-set that is given in chunks.
    pub fn streamed(stamp: Stamp, feed: Box<dyn Feed>) -> Self {
        Self { feed: Some(feed), ..Self::new(stamp) }
    }

    /// Whether there is nothing to write, count, forget or seal.
    pub fn is_empty(&self) -> bool {
        let idle = self.seal.is_none() && self.feed.is_none();
        self.changes.is_empty() && self.counters.is_empty() && self.forgotten.is_empty() && idle
    }

    /// Adds a new record, created now by the context's actor.
    pub fn insert<E: Entity>(&mut self, context: &mut Context, value: E) -> Stored<E> {
        let id = Id::new(context.new_id());
        self.insert_as(context, id, value)
    }

    /// Adds a new record under an id that was drawn before.
    pub fn insert_as<E: Entity>(&mut self, context: &Context, id: Id<E>, value: E) -> Stored<E> {
        let stored = fresh(context, id, value);
        self.insert_row(id, stored.to_row());
        stored
    }

    /// Adds a new record before all other changes, so that of two refusals it is this record's that is told.
    pub(crate) fn insert_first<E: Entity>(&mut self, context: &mut Context, value: E) {
        let id = Id::new(context.new_id());
        let stored = fresh(context, id, value);
        self.positions.values_mut().for_each(|position| *position += 1);
        self.positions.insert((E::TABLE.name, id.uuid()), 0);
        self.changes.insert(0, Change::Insert { table: E::TABLE, row: stored.to_row() });
    }

    /// Adds a new record as the row that it was made of before.
    pub(crate) fn insert_row<E: Entity>(&mut self, id: Id<E>, row: Row) {
        self.positions.insert((E::TABLE.name, id.uuid()), self.changes.len());
        self.changes.push(Change::Insert { table: E::TABLE, row });
    }

    /// Takes back what was inserted and counted since there were so many changes and counters. Only for
    /// inserts: a change of a record that stood there before is not taken back.
    pub(crate) fn rewind(&mut self, changes: usize, counters: usize) {
        self.changes.truncate(changes);
        self.counters.truncate(counters);
        self.positions.retain(|_, position| *position < changes);
    }

    /// Changes a record to the new value. A value that is equal writes nothing and gives the record
    /// back as it was.
    pub fn update<E: Entity>(&mut self, context: &Context, before: &Stored<E>, value: E) -> Stored<E> {
        let archived_at = before.archived_at;
        self.replace(context, before, value, archived_at)
    }

    /// Archives or restores a record.
    pub fn set_archived<E: Entity>(&mut self, context: &Context, before: &Stored<E>, archived: bool) -> Stored<E> {
        let archived_at = archived.then(|| before.archived_at.unwrap_or_else(|| context.now()));
        self.replace(context, before, before.value.clone(), archived_at)
    }

    fn replace<E: Entity>(
        &mut self,
        context: &Context,
        before: &Stored<E>,
        value: E,
        archived_at: Option<Instant>,
    ) -> Stored<E> {
        if before.archived_at == archived_at && before.has(&value) {
            return before.clone();
        }
        let key = (E::TABLE.name, before.id.uuid());
        let known = self.positions.get(&key).copied();
        // A record that this change-set already writes keeps the version that it gets there.
        let version = before.version + i64::from(known.is_none());
        let after = Stored { version, updated_at: context.now(), archived_at, value, ..before.clone() };
        if let Some(position) = known {
            *self.changes[position].row_mut() = after.to_row();
        } else {
            self.positions.insert(key, self.changes.len());
            self.changes.push(Change::Update { table: E::TABLE, before: before.to_row(), after: after.to_row() });
        }
        after
    }

    /// Gives a record its next version and changes nothing else: whoever rests on it has to read again.
    pub(crate) fn touch<E: Entity>(&mut self, context: &Context, before: &Stored<E>) {
        let after = Stored { version: before.version + 1, updated_at: context.now(), ..before.clone() };
        self.rewrite(E::TABLE, before.to_row(), after.to_row());
    }

    /// Changes a row of any table to this one.
    pub(crate) fn rewrite(&mut self, table: &'static Table, before: Row, after: Row) {
        self.positions.insert((table.name, table.id(&before)), self.changes.len());
        self.changes.push(Change::Update { table, before, after });
    }

    /// Deletes a record.
    pub fn delete<E: Entity>(&mut self, before: &Stored<E>) {
        self.changes.push(Change::Delete { table: E::TABLE, before: before.to_row() });
    }

    /// Demands that a record on which the decision rests is unchanged. Records that are updated or
    /// deleted are checked anyway.
    pub fn require_unchanged<E: Entity>(&mut self, basis: &Stored<E>) {
        self.guards.push(Guard::of(basis));
    }

    /// Says that the change-set touches a record above organizations that is not the organization's own.
    pub fn reach_beyond<E: Entity>(&mut self, record: &Stored<E>) {
        self.beyond.push(record.id.uuid());
    }

    /// Takes the next value of a counter column, below or at `max`, and gives the counter's index
    /// for [`Deferred::Numbered`].
    pub fn count<E: Entity>(&mut self, id: Id<E>, column: usize, by: i64, max: i64) -> usize {
        self.counters.push(Counter { table: E::TABLE, id: id.uuid(), column, by, max });
        self.counters.len() - 1
    }

    /// Moves the counters of a record that this change-set changes to where the change has them.
    pub(crate) fn move_counters<E: Entity>(&mut self, before: &Stored<E>, after: &Stored<E>) {
        let rows = before.to_row().into_iter().zip(after.to_row());
        for (at, (column, values)) in E::TABLE.columns.iter().zip(rows).enumerate() {
            if let (true, (Value::Int(from), Value::Int(to))) = (column.flags.contains(Flags::COUNTER), values)
                && from != to
            {
                self.count(before.id, at, to - from, i64::MAX);
            }
        }
    }

    /// Puts a deferred value into a column of a record that this change-set writes.
    ///
    /// # Panics
    /// When the change-set does not write the record.
    pub fn defer<E: Entity>(&mut self, id: Id<E>, column: usize, deferred: Deferred) {
        let position = self.position::<E>(id).expect("only records that the change-set writes are deferred");
        self.changes[position].row_mut()[column] = Value::Deferred(Box::new(deferred));
    }

    /// Puts a value into a column of a record that this change-set writes.
    ///
    /// # Panics
    /// When the change-set does not write the record, or the value is none of the column's kind.
    pub(crate) fn put<E: Entity>(&mut self, id: Id<E>, column: usize, value: Value) {
        let position = self.position::<E>(id).expect("only records that the change-set writes get values");
        let change = &mut self.changes[position];
        change.row_mut()[column] = value;
        change.rederive().expect("a row that was made of a record reads as one");
    }

    /// The row of a record as this change-set writes it, if it does and the record is not deleted.
    pub(crate) fn written(&self, table: &Table, id: Uuid) -> Option<&Row> {
        self.positions.get(&(table.name, id)).map(|position| self.changes[*position].row())
    }

    /// Where the change of this record stands, if the change-set writes it.
    pub fn position<E: Entity>(&self, id: Id<E>) -> Option<usize> {
        self.positions.get(&(E::TABLE.name, id.uuid())).copied()
    }

    /// Puts the deferred values in, once the counters are known, and checks that every value can be held. Called by
    /// stores.
    ///
    /// # Errors
    /// [`StoreError::OutOfRange`] for a date outside the years 1 to 9999, [`StoreError::Corrupt`] when a deferred value
    /// names a counter or change that is not there.
    pub fn resolve(&mut self, counters: &[i64]) -> Result<(), StoreError> {
        for change in &self.changes {
            let outside = |value: &Value| matches!(value, Value::Date(date) if !is_storable(*date));
            if let Some(column) = change.row().iter().position(outside) {
                let table = change.table();
                return Err(StoreError::OutOfRange { table: table.name, column: table.columns[column].name });
            }
        }
        // Numbers first: a whole row that is encoded may hold one.
        for pass in [false, true] {
            for index in 0..self.changes.len() {
                let mut numbered = false;
                for column in 0..self.changes[index].row().len() {
                    let Value::Deferred(deferred) = &self.changes[index].row()[column] else { continue };
                    let value = match &**deferred {
                        Deferred::Numbered { .. } => {
                            numbered = true;
                            deferred.number(counters).ok_or_else(|| self.misplaced(index, column))?
                        }
                        Deferred::RowOf { .. } if !pass => continue,
                        Deferred::RowOf { change } => {
                            let missing = || self.misplaced(index, column);
                            let change = self.changes.get(*change).ok_or_else(missing)?;
                            encode_row(change.table(), change.row())
                        }
                    };
                    self.changes[index].row_mut()[column] = Value::Text(value);
                }
                if numbered {
                    // A number has words by which its record is found.
                    self.changes[index].rederive()?;
                }
            }
        }
        Ok(())
    }

    fn misplaced(&self, index: usize, column: usize) -> StoreError {
        let change = &self.changes[index];
        StoreError::Corrupt {
            table: change.table().name,
            column: change.table().columns[column].name,
            id: Some(change.id()),
            reason: "a deferred value refers to nothing".to_owned(),
        }
    }
}
