//! Reads and change-sets on one connection: the same for the store, a feed's view and a host's transaction.

use std::collections::HashMap;
use std::fmt::Write as _;

use crm_core::audit::{self, AuditEntry, Link};
use crm_core::entity::{Entity as _, Table, Tenancy};
use crm_core::row::{Row, Value};
use crm_core::store::{Aggregate, Applied, Change, ChangeSet, Counter, Guard, Scope, Select, StoreError};
use crm_sql::{Dialect, Statement, write_sqlite as write};
use rusqlite::{Connection, OptionalExtension as _};
use uuid::Uuid;

use crate::bind::{Bound, bind_all};
use crate::decode;
use crate::error::{map, map_any};
use crate::purge;

pub(crate) fn fetch(
    connection: &Connection,
    scope: Scope,
    table: &'static Table,
    ids: &[Uuid],
) -> Result<Vec<Row>, StoreError> {
    let statement = crm_sql::fetch(Dialect::Sqlite, scope, table, ids)?;
    read(connection, table, &statement, |row| decode::table_row(table, row))
}

pub(crate) fn select(connection: &Connection, scope: Scope, query: &Select) -> Result<Vec<Row>, StoreError> {
    let statement = crm_sql::select(Dialect::Sqlite, scope, query)?;
    read(connection, query.table, &statement, |row| decode::table_row(query.table, row))
}

/// Answers the queries from one snapshot.
pub(crate) fn aggregate(
    connection: &Connection,
    scope: Scope,
    queries: &[Aggregate],
) -> Result<Vec<Vec<Row>>, StoreError> {
    if queries.len() < 2 || !connection.is_autocommit() {
        return queries.iter().map(|query| figures(connection, scope, query)).collect();
    }
    let snapshot = connection.unchecked_transaction().map_err(map_any)?;
    queries.iter().map(|query| figures(&snapshot, scope, query)).collect()
}

fn figures(connection: &Connection, scope: Scope, query: &Aggregate) -> Result<Vec<Row>, StoreError> {
    let statement = crm_sql::aggregate(Dialect::Sqlite, scope, query)?;
    let kinds = crm_sql::output_kinds(query);
    read(connection, query.table, &statement, |row| decode::figures(query.table, &kinds, row))
}

fn read(
    connection: &Connection,
    table: &'static Table,
    statement: &Statement,
    decode: impl Fn(&rusqlite::Row<'_>) -> Result<Row, StoreError>,
) -> Result<Vec<Row>, StoreError> {
    let failed = |error| map(table, error);
    let mut prepared = connection.prepare_cached(&statement.sql).map_err(failed)?;
    bind_all(&mut prepared, &statement.binds).map_err(failed)?;
    let mut rows = prepared.raw_query();
    let mut decoded = Vec::new();
    while let Some(row) = rows.next().map_err(failed)? {
        decoded.push(decode(row)?);
    }
    Ok(decoded)
}

/// Rows whose words are still to be fed to the index for full-text search, by the organization's key and table. It is
/// fed once per transaction, since each savepoint makes it write what it has gathered.
#[derive(Default)]
pub(crate) struct Unfed(HashMap<(i64, &'static str), (&'static Table, Vec<Uuid>)>);

impl Unfed {
    fn add(&mut self, key: i64, table: &'static Table, id: Uuid) {
        self.0.entry((key, table.name)).or_insert_with(|| (table, Vec::new())).1.push(id);
    }

    /// Takes over the rows of a change-set that was not refused.
    pub(crate) fn merge(&mut self, other: Self) {
        for (at, (table, ids)) in other.0 {
            self.0.entry(at).or_insert_with(|| (table, Vec::new())).1.extend(ids);
        }
    }

    /// Feeds the index.
    pub(crate) fn feed(self, connection: &Connection) -> Result<(), StoreError> {
        for ((key, _), (table, ids)) in self.0 {
            let failed = |error| map(table, error);
            let mut statement = connection.prepare_cached(&write::feed_search(table)).map_err(failed)?;
            statement.execute((key, hexadecimal(&ids))).map_err(failed)?;
        }
        Ok(())
    }
}

/// A JSON array of ids, as the statements for the index take it.
fn hexadecimal(ids: &[Uuid]) -> String {
    let mut text = String::with_capacity(ids.len() * 35 + 2);
    for id in ids {
        text.push(if text.is_empty() { '[' } else { ',' });
        let _ = write!(text, "\"{}\"", id.as_simple());
    }
    if text.is_empty() {
        text.push('[');
    }
    text.push(']');
    text
}

/// Applies a change-set without its feed, within the transaction that is open. What it adds to `unfed` is to be fed
/// before the transaction ends.
pub(crate) fn apply(
    connection: &Connection,
    scope: Scope,
    changes: &mut ChangeSet,
    unfed: &mut Unfed,
) -> Result<Applied, StoreError> {
    let executor = Executor { connection, scope };
    for guard in &changes.guards {
        executor.guard(guard)?;
    }
    let counters = changes.counters.iter().map(|counter| executor.count(counter)).collect::<Result<Vec<_>, _>>()?;
    changes.resolve(&counters)?;
    executor.write(&changes.changes, unfed)?;
    executor.forget(changes)?;
    let mut entries = audit::entries(changes);
    if !entries.is_empty() {
        let last = executor.last_link()?;
        audit::seal(last, &mut entries);
        executor.insert_entries(&entries)?;
    }
    let sealed = match changes.seal {
        Some(seal) => executor.seal(seal.limit)?,
        None => 0,
    };
    Ok(Applied { counters, rows: changes.changes.len() as u64, sealed })
}

struct Executor<'a> {
    connection: &'a Connection,
    scope: Scope,
}

impl Executor<'_> {
    /// The organization's key of a table's rows; 0 for tables above organizations.
    fn key(&self, table: &'static Table) -> Result<i64, StoreError> {
        crm_sql::scoped(self.scope, table)?;
        Ok(match table.tenancy {
            Tenancy::Organization => self.scope.key(),
            Tenancy::Global => 0,
        })
    }

    /// The version of a row, if the row is there.
    fn version(&self, table: &'static Table, id: Uuid) -> Result<Option<i64>, StoreError> {
        let failed = |error| map(table, error);
        let mut statement = self.connection.prepare_cached(&write::guard(table)).map_err(failed)?;
        statement.query_row((self.key(table)?, id.as_bytes()), |row| row.get(0)).optional().map_err(failed)
    }

    fn guard(&self, guard: &Guard) -> Result<(), StoreError> {
        if self.version(guard.table, guard.id)? == Some(guard.version) {
            Ok(())
        } else {
            Err(StoreError::Conflict { table: guard.table.name, id: guard.id })
        }
    }

    fn count(&self, counter: &Counter) -> Result<i64, StoreError> {
        let table = counter.table;
        let failed = |error| map(table, error);
        let mut statement = self.connection.prepare_cached(&write::counter(table, counter.column)).map_err(failed)?;
        let values = (self.key(table)?, counter.id.as_bytes(), counter.by, counter.max);
        let before = statement.query_row(values, |row| row.get(0)).optional().map_err(failed)?;
        match before {
            Some(before) => Ok(before),
            None if self.version(table, counter.id)?.is_none() => {
                Err(StoreError::Conflict { table: table.name, id: counter.id })
            }
            None => {
                let column = table.columns[counter.column].name;
                Err(StoreError::Limit { table: table.name, column, id: counter.id })
            }
        }
    }

    /// Writes the changes in their order, runs of the same kind and table together.
    fn write(&self, changes: &[Change], unfed: &mut Unfed) -> Result<(), StoreError> {
        for run in
            changes.chunk_by(|a, b| std::mem::discriminant(a) == std::mem::discriminant(b) && a.table() == b.table())
        {
            match run {
                [Change::Insert { table, .. }, ..] => self.insert(table, run, unfed)?,
                [Change::Update { table, .. }, ..] => self.update(table, run, unfed)?,
                [Change::Delete { table, .. }, ..] => self.delete(table, run)?,
                [] => {}
            }
        }
        Ok(())
    }

    fn insert(&self, table: &'static Table, run: &[Change], unfed: &mut Unfed) -> Result<(), StoreError> {
        let key = self.key(table)?;
        let rows: Vec<&Row> = run.iter().map(Change::row).collect();
        self.insert_rows(table, key, &rows)?;
        if table.search_position().is_some() {
            for change in run {
                unfed.add(key, table, change.id());
            }
        }
        Ok(())
    }

    /// Inserts rows, many with one statement: whole groups first, then single ones, so that there are two statements
    /// per table to prepare and keep.
    fn insert_rows(&self, table: &'static Table, key: i64, rows: &[&Row]) -> Result<(), StoreError> {
        let failed = |error| map(table, error);
        let groups = rows.chunks_exact(write::ROWS);
        let single = groups.remainder();
        for (size, groups) in [(write::ROWS, groups), (1, single.chunks_exact(1))] {
            if groups.len() == 0 {
                continue;
            }
            let mut statement = self.connection.prepare_cached(&write::insert(table, size)).map_err(failed)?;
            for group in groups {
                let mut place = 1;
                for row in group {
                    place = bind_row(&mut statement, place, table, key, row).map_err(failed)?;
                }
                statement.raw_execute().map_err(failed)?;
            }
        }
        Ok(())
    }

    fn update(&self, table: &'static Table, run: &[Change], unfed: &mut Unfed) -> Result<(), StoreError> {
        let key = self.key(table)?;
        let failed = |error| map(table, error);
        let search = table.search_position();
        for change in run {
            let Change::Update { before, after, .. } = change else { continue };
            let id = table.id(before);
            let changed = write::updated(table, before, after);
            let mut statement = self.connection.prepare_cached(&write::update(table, &changed)).map_err(failed)?;
            statement.raw_bind_parameter(1, key).map_err(failed)?;
            statement.raw_bind_parameter(2, id.as_bytes()).map_err(failed)?;
            statement.raw_bind_parameter(3, table.version(before)).map_err(failed)?;
            for (index, position) in changed.iter().enumerate() {
                statement.raw_bind_parameter(4 + index, Bound(&after[*position])).map_err(failed)?;
            }
            if statement.raw_execute().map_err(failed)? == 0 {
                return Err(StoreError::Conflict { table: table.name, id });
            }
            if search.is_some_and(|position| before[position] != after[position]) {
                unfed.add(key, table, id);
            }
        }
        Ok(())
    }

    fn delete(&self, table: &'static Table, run: &[Change]) -> Result<(), StoreError> {
        let key = self.key(table)?;
        let failed = |error| map(table, error);
        if table.search_position().is_some() {
            let ids: Vec<Uuid> = run.iter().map(Change::id).collect();
            let mut statement = self.connection.prepare_cached(&write::unfeed_search(table)).map_err(failed)?;
            statement.execute((key, hexadecimal(&ids))).map_err(failed)?;
        }
        let mut statement = self.connection.prepare_cached(&write::delete(table)).map_err(failed)?;
        for change in run {
            let (id, version) = (change.id(), table.version(change.row()));
            if statement.execute((key, id.as_bytes(), version)).map_err(failed)? == 0 {
                return Err(StoreError::Conflict { table: table.name, id });
            }
        }
        Ok(())
    }

    /// The last sealed entry of the organization's audit.
    fn last_link(&self) -> Result<Link, StoreError> {
        let text = "SELECT \"seq\", \"hash\" FROM crm_audit_entry WHERE org = ?1 AND \"seq\" IS NOT NULL \
                    ORDER BY \"seq\" DESC LIMIT 1";
        let mut statement = self.connection.prepare_cached(text).map_err(map_any)?;
        let last = statement
            .query_row([self.scope.key()], |row| Ok(Link { seq: row.get(0)?, hash: row.get(1)? }))
            .optional()
            .map_err(map_any)?;
        Ok(last.unwrap_or_default())
    }

    /// Takes the contents out of the entries of records that the audit is to forget.
    fn forget(&self, changes: &ChangeSet) -> Result<(), StoreError> {
        if changes.forgotten.is_empty() {
            return Ok(());
        }
        let mut statement = self.connection.prepare_cached(&write::forget()).map_err(map_any)?;
        for forgotten in &changes.forgotten {
            statement.execute((self.scope.key(), forgotten.id.as_bytes(), forgotten.since)).map_err(map_any)?;
        }
        purge::note_due(self.connection).map_err(map_any)
    }

    /// Inserts entries of the audit, in the system scope too, where they stand under key 0.
    fn insert_entries(&self, entries: &[Row]) -> Result<(), StoreError> {
        self.insert_rows(AuditEntry::TABLE, self.scope.key(), &entries.iter().collect::<Vec<_>>())
    }

    /// Seals entries that came in unsealed, as from an archive; the store's own are sealed as they are written.
    fn seal(&self, limit: u32) -> Result<u64, StoreError> {
        let table = AuditEntry::TABLE;
        let failed = |error| map(table, error);
        let mut rows = {
            let text = write::unsealed(table);
            let mut statement = self.connection.prepare_cached(&text).map_err(failed)?;
            let mut rows = statement.query((self.scope.key(), limit)).map_err(failed)?;
            let mut decoded = Vec::new();
            while let Some(row) = rows.next().map_err(failed)? {
                decoded.push(decode::table_row(table, row)?);
            }
            decoded
        };
        if rows.is_empty() {
            return Ok(0);
        }
        audit::seal(self.last_link()?, &mut rows);
        let columns = AuditEntry::COLUMNS;
        let text = write::update(table, &[columns.seq.index(), columns.hash.index()]);
        let mut statement = self.connection.prepare_cached(&text).map_err(failed)?;
        for row in &rows {
            let id = table.id(row);
            let (seq, hash) = (Bound(&row[columns.seq.index()]), Bound(&row[columns.hash.index()]));
            statement.execute((self.scope.key(), id.as_bytes(), 1, seq, hash)).map_err(failed)?;
        }
        Ok(rows.len() as u64)
    }
}

/// Binds a row for an insert from this place on, the organization's key first where the table has it, and gives the place
/// after it.
fn bind_row(
    statement: &mut rusqlite::Statement<'_>,
    mut place: usize,
    table: &'static Table,
    key: i64,
    row: &[Value],
) -> rusqlite::Result<usize> {
    if table.tenancy == Tenancy::Organization {
        statement.raw_bind_parameter(place, key)?;
        place += 1;
    }
    for value in row {
        statement.raw_bind_parameter(place, Bound(value))?;
        place += 1;
    }
    Ok(place)
}
