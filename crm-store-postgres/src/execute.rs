//! Statements run on one connection: reads, and change-sets within or without a transaction.

use crm_core::audit;
use crm_core::entity::Table;
use crm_core::row::Row;
use crm_core::store::{Aggregate, ChangeSet, Counter, Scope, Select, StoreError};
use crm_sql::write_postgres::{self, Expected, Write};
use crm_sql::{Dialect, Statement, output_kinds, scoped};
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, PgTransaction};
use uuid::Uuid;

use crate::error::{self, Misuse, Phase, mapped, refused};
use crate::{bind, decode};

/// The one place where text becomes a statement. All of it comes from `crm-sql`, which writes identifiers from table
/// descriptions only and values never, or stands in this crate.
const fn text(sql: String) -> AssertSqlSafe<String> {
    AssertSqlSafe(sql)
}

/// Runs a prepared statement to its end: only then is what it wrote committed, and only then are all errors in.
async fn run(connection: &mut PgConnection, sql: String, arguments: PgArguments) -> Result<Vec<PgRow>, sqlx::Error> {
    sqlx::query_with(text(sql), arguments).fetch_all(connection).await
}

/// Begins a transaction with this text; dropping it queues its end.
pub(crate) async fn begun(connection: &mut PgConnection, sql: String) -> Result<PgTransaction<'_>, sqlx::Error> {
    connection.begin_with(text(sql)).await
}

/// Runs statements without parameters in one round trip.
pub(crate) async fn simple(connection: &mut PgConnection, sql: impl Into<String>) -> Result<Vec<PgRow>, sqlx::Error> {
    sqlx::raw_sql(text(sql.into())).fetch_all(connection).await
}

async fn query(connection: &mut PgConnection, statement: Statement) -> Result<Vec<PgRow>, StoreError> {
    let arguments = bind::read(&statement.binds).map_err(StoreError::Backend)?;
    run(connection, statement.sql, arguments).await.map_err(|error| mapped(error, Phase::Open))
}

pub(crate) async fn write(connection: &mut PgConnection, write: &Write<'_>) -> Result<Vec<PgRow>, sqlx::Error> {
    let arguments = bind::written(&write.params).map_err(sqlx::Error::Encode)?;
    run(connection, write.sql.clone(), arguments).await
}

pub(crate) async fn fetch(
    connection: &mut PgConnection,
    scope: Scope,
    table: &'static Table,
    ids: &[Uuid],
) -> Result<Vec<Row>, StoreError> {
    let statement = crm_sql::fetch(Dialect::Postgres, scope, table, ids)?;
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    query(connection, statement).await?.iter().map(|row| decode::table_row(table, row)).collect()
}

pub(crate) async fn select(
    connection: &mut PgConnection,
    scope: Scope,
    select: &Select,
) -> Result<Vec<Row>, StoreError> {
    let statement = crm_sql::select(Dialect::Postgres, scope, select)?;
    query(connection, statement).await?.iter().map(|row| decode::table_row(select.table, row)).collect()
}

/// The answers to all queries, from one statement and so from one snapshot.
pub(crate) async fn aggregate(
    connection: &mut PgConnection,
    scope: Scope,
    queries: &[Aggregate],
) -> Result<Vec<Vec<Row>>, StoreError> {
    let mut statements = queries
        .iter()
        .map(|query| crm_sql::aggregate(Dialect::Postgres, scope, query))
        .collect::<Result<Vec<_>, _>>()?;
    match queries {
        [] => Ok(Vec::new()),
        [one] => {
            let kinds = output_kinds(one);
            let rows = query(connection, statements.remove(0)).await?;
            let rows: Result<_, _> = rows.iter().map(|row| decode::output_row(one.table, &kinds, row)).collect();
            Ok(vec![rows?])
        }
        _ => {
            let rows = query(connection, write_postgres::together(&statements)).await?;
            let row = rows.first().ok_or_else(|| refused(Misuse::Answer))?;
            let answer = |(at, one): (usize, &Aggregate)| decode::output_rows(one.table, &output_kinds(one), row, at);
            queries.iter().enumerate().map(answer).collect()
        }
    }
}

/// Why a change-set was not written.
pub(crate) enum Failure {
    Store(StoreError),
    Sql(sqlx::Error),
    /// One of these records was not at its version.
    Unmatched(Expected),
    /// Others were in the way of this record's change.
    Contention(&'static Table, Uuid),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Failure {
    fn of_counter(error: sqlx::Error, counter: &Counter) -> Self {
        if error::is_contention(&error) { Self::Contention(counter.table, counter.id) } else { Self::Sql(error) }
    }

    /// Whether [`settle`](Self::settle) asks the database.
    pub(crate) fn asks(&self) -> bool {
        matches!(self, Self::Unmatched(expected) if expected.ids.len() != 1)
    }

    /// The error of the contract, once what had been written is undone. Which of many records was the one that had
    /// changed, another query finds out.
    pub(crate) async fn settle(self, connection: &mut PgConnection, scope: Scope, phase: Phase) -> StoreError {
        match self {
            Self::Store(error) => error,
            Self::Sql(error) => mapped(error, phase),
            Self::Contention(table, id) => StoreError::Conflict { table: table.name, id },
            Self::Unmatched(expected) => {
                let found = match *expected.ids {
                    [id] => Some(id),
                    _ => write(connection, &write_postgres::unmatched(scope, &expected))
                        .await
                        .ok()
                        .and_then(|rows| decode::id(rows.first()?)),
                };
                let id = found.or_else(|| expected.ids.first().copied()).unwrap_or_default();
                StoreError::Conflict { table: expected.table.name, id }
            }
        }
    }
}

/// What was written.
#[derive(Default)]
pub(crate) struct Written {
    /// What the counters had before.
    pub(crate) counters: Vec<i64>,
    /// How many rows.
    pub(crate) rows: u64,
    /// How many entries of the audit.
    pub(crate) entries: u64,
}

/// In which transaction a change-set is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transaction<'a> {
    /// In the one that the connection is in.
    Open,
    /// In one that this text begins; the caller ends it.
    Begin(&'a str),
    /// In none: its one statement commits itself.
    None,
}

/// Whether a change-set takes more than one statement, and with it a transaction.
pub(crate) fn needs_transaction(changes: &ChangeSet) -> bool {
    let kept_apart = !changes.counters.is_empty() || !changes.forgotten.is_empty();
    changes.feed.is_some() || kept_apart || write_postgres::slices(&changes.changes).len() > 1
}

/// Refuses tenant tables in the system scope.
pub(crate) fn check_scope(scope: Scope, changes: &ChangeSet) -> Result<(), StoreError> {
    if scope.is_system() {
        changes.changes.iter().try_for_each(|change| scoped(scope, change.table()))?;
        changes.guards.iter().try_for_each(|guard| scoped(scope, guard.table))?;
        changes.counters.iter().try_for_each(|counter| scoped(scope, counter.table))?;
    }
    Ok(())
}

/// Writes a change-set, its feed excepted, in one statement if it can be.
pub(crate) async fn apply(
    connection: &mut PgConnection,
    scope: Scope,
    changes: &mut ChangeSet,
    mut transaction: Transaction<'_>,
) -> Result<Written, Failure> {
    let mut written = Written::default();
    if let Transaction::Begin(begin) = transaction
        && changes.counters.is_empty()
    {
        simple(connection, begin).await.map_err(Failure::Sql)?;
    }
    for counter in &changes.counters {
        let value = advance(connection, scope, counter, transaction).await?;
        transaction = Transaction::Open;
        written.counters.push(value);
    }
    changes.resolve(&written.counters)?;
    let entries = audit::entries(changes);
    written.rows = changes.changes.len() as u64;
    written.entries = entries.len() as u64;
    let mut slices = write_postgres::slices(&changes.changes);
    if slices.is_empty() && !(changes.guards.is_empty() && entries.is_empty()) {
        slices.push(0..0);
    }
    let mut rest = entries.as_slice();
    let mut guards = changes.guards.as_slice();
    for range in slices {
        let slice = &changes.changes[range.clone()];
        let audited = slice.iter().filter(|change| change.table().audited).count();
        // The last one also has the entries of what is forgotten and not written.
        let (entries, later) =
            if range.end == changes.changes.len() { (rest, &[][..]) } else { rest.split_at(audited) };
        rest = later;
        let statement = write_postgres::write(scope, guards, slice, entries);
        // Later slices may write what the guards name.
        guards = &[];
        if let Err(error) = write(connection, &statement).await {
            return Err(if let Some(expected) = error::unmatched(&error).and_then(|check| statement.expected(check)) {
                Failure::Unmatched(expected.clone())
            } else if error::is_contention(&error)
                && let Some(change) = slice.first()
            {
                Failure::Contention(change.table(), change.id())
            } else {
                Failure::Sql(error)
            });
        }
    }
    if !changes.forgotten.is_empty() {
        // After the records: whoever was changing one of them is through with it now, or will be refused.
        let statement = write_postgres::forget(scope, &changes.forgotten, changes.stamp.id, entries.len());
        write(connection, &statement).await.map_err(Failure::Sql)?;
    }
    Ok(written)
}

/// Advances a counter, beginning the transaction in the same round trip.
async fn advance(
    connection: &mut PgConnection,
    scope: Scope,
    counter: &Counter,
    transaction: Transaction<'_>,
) -> Result<i64, Failure> {
    let mut sql = write_postgres::advance(scope, counter);
    if let Transaction::Begin(begin) = transaction {
        sql = format!("{begin}; {sql}");
    }
    let rows = simple(connection, sql).await.map_err(|error| Failure::of_counter(error, counter))?;
    if let Some(row) = rows.first() {
        return decode::text_number(row).ok_or_else(|| refused(Misuse::Answer).into());
    }
    let known = write_postgres::exists(scope, counter.table, counter.id);
    let table = counter.table;
    Err(Failure::Store(if write(connection, &known).await.map_err(Failure::Sql)?.is_empty() {
        StoreError::Conflict { table: table.name, id: counter.id }
    } else {
        StoreError::Limit { table: table.name, column: table.columns[counter.column].name, id: counter.id }
    }))
}
