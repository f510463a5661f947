//! What the library writes in each of its transactions, read from the tables, to be written again by bare statements.

use rusqlite::types::Value as Bare;
use rusqlite::{Connection, params_from_iter};
use sqlx::{AssertSqlSafe, PgConnection, Row as _};
use uuid::Uuid;

use crate::pg::{self, Cell};
use crate::postgres::{SEALED, quoted};
use crate::{Outcome, bare};

/// Rows of one table, with the names of their columns.
pub(crate) struct Copied<V> {
    pub(crate) table: &'static str,
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Vec<V>>,
}

/// One statement of a transaction.
pub(crate) enum Change<V> {
    /// A number is taken from the series of invoices.
    Count,
    /// New rows, in one statement.
    Insert(Copied<V>),
    /// Columns of the row with the id.
    Update { table: &'static str, id: V, columns: Vec<String>, values: Vec<V> },
}

/// A database from which rows are read as they are.
pub(crate) trait Tables {
    type Value: Clone + PartialEq;

    /// All columns of the rows that meet a condition.
    fn rows(&mut self, table: &'static str, which: &str) -> Outcome<Copied<Self::Value>>;
    /// An id as it is written in a condition.
    fn id(id: Uuid) -> String;
    /// The value of an id.
    fn value(id: Uuid) -> Self::Value;
}

/// The columns in which a row differs from what it was.
pub(crate) fn update<V: Clone + PartialEq>(id: V, before: &Copied<V>, after: &Copied<V>) -> Change<V> {
    let both = before.rows[0].iter().zip(&after.rows[0]).zip(&after.columns);
    let changed =
        both.filter(|((before, after), _)| before != after).map(|((_, after), name)| (name.clone(), after.clone()));
    let (columns, values) = changed.unzip();
    Change::Update { table: after.table, id, columns, values }
}

impl Tables for Connection {
    type Value = Bare;

    fn rows(&mut self, table: &'static str, which: &str) -> Outcome<Copied<Bare>> {
        let bare::Read { columns, rows } = bare::read(self, table, which)?;
        Ok(Copied { table, columns, rows })
    }

    fn id(id: Uuid) -> String {
        format!("x'{}'", id.simple())
    }

    fn value(id: Uuid) -> Bare {
        Bare::Blob(id.as_bytes().to_vec())
    }
}

/// The number of the organization's series of invoices goes up by one.
pub(crate) const COUNT: &str = "UPDATE crm_number_series SET next = next + 1 WHERE org = 1 AND kind = 'invoice'";

/// A statement with its values.
pub(crate) struct Statement<V> {
    text: String,
    values: Vec<V>,
}

/// The text of a change, with numbered places after so many others, and its values.
fn statement<V: Clone>(change: &Change<V>, mark: char, taken: usize) -> Statement<V> {
    match change {
        Change::Count => Statement { text: COUNT.to_owned(), values: Vec::new() },
        Change::Insert(Copied { table, columns, rows }) => {
            let mut place = taken;
            let mut places = || {
                let row = columns.iter().map(|_| {
                    place += 1;
                    format!("{mark}{place}")
                });
                format!("({})", row.collect::<Vec<_>>().join(", "))
            };
            let all = rows.iter().map(|_| places()).collect::<Vec<_>>().join(", ");
            let text = format!("INSERT INTO {table} ({}) VALUES {all}", quoted(columns));
            Statement { text, values: rows.concat() }
        }
        Change::Update { table, id, columns, values } => {
            let sets = columns.iter().zip(taken + 1..).map(|(name, place)| format!("\"{name}\" = {mark}{place}"));
            let sets = sets.collect::<Vec<_>>().join(", ");
            let last = taken + columns.len() + 1;
            let text = format!("UPDATE {table} SET {sets} WHERE org = 1 AND id = {mark}{last}");
            Statement { text, values: [values.as_slice(), std::slice::from_ref(id)].concat() }
        }
    }
}

/// As SQLite is told.
pub(crate) fn for_sqlite(changes: &[Change<Bare>]) -> Vec<Statement<Bare>> {
    changes.iter().map(|change| statement(change, '?', 0)).collect()
}

/// Writes one transaction.
pub(crate) fn write(connection: &Connection, statements: &[Statement<Bare>]) -> Outcome {
    connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    for statement in statements {
        connection.prepare_cached(&statement.text)?.execute(params_from_iter(&statement.values))?;
    }
    connection.prepare_cached("COMMIT")?.execute([])?;
    Ok(())
}

/// A connection to PostgreSQL from which rows are read.
pub(crate) struct Reader<'a> {
    pub(crate) runtime: &'a tokio::runtime::Runtime,
    pub(crate) connection: PgConnection,
}

impl Tables for Reader<'_> {
    type Value = Cell;

    fn rows(&mut self, table: &'static str, which: &str) -> Outcome<Copied<Cell>> {
        self.runtime.block_on(async {
            // What the sealer fills in later is its work.
            let but = if table == "crm_audit_entry" { SEALED } else { &[] };
            let columns = pg::columns(&mut self.connection, table, but).await?;
            let text = format!("SELECT {} FROM {table} WHERE {which}", quoted(&columns));
            let rows = sqlx::query(AssertSqlSafe(text)).fetch_all(&mut self.connection).await?;
            Ok(Copied { table, columns, rows: rows.iter().map(Cell::all).collect::<Outcome<_>>()? })
        })
    }

    fn id(id: Uuid) -> String {
        format!("'{id}'")
    }

    fn value(id: Uuid) -> Cell {
        Cell::Id(Some(id))
    }
}

/// As PostgreSQL is told: all in one statement, and whether a number is taken before.
pub(crate) fn for_postgres(changes: &[Change<Cell>]) -> (bool, Statement<Cell>) {
    let counts = changes.iter().any(|change| matches!(change, Change::Count));
    let (mut parts, mut values) = (Vec::new(), Vec::new());
    for change in changes.iter().filter(|change| !matches!(change, Change::Count)) {
        let mut one = statement(change, '$', values.len());
        parts.push(one.text);
        values.append(&mut one.values);
    }
    let last = parts.pop().unwrap_or_default();
    let parts: Vec<_> = parts.iter().enumerate().map(|(place, part)| format!("w{place} AS ({part})")).collect();
    let with = if parts.is_empty() { String::new() } else { format!("WITH {} ", parts.join(", ")) };
    (counts, Statement { text: format!("{with}{last}"), values })
}

/// Writes one transaction: a number is taken in the round trip that begins it; without a number it is one statement.
pub(crate) async fn write_postgres(
    connection: &mut PgConnection,
    (counts, statement): &(bool, Statement<Cell>),
) -> Outcome {
    if *counts {
        let text = format!("BEGIN; {COUNT} RETURNING next");
        let rows = sqlx::raw_sql(AssertSqlSafe(text)).fetch_all(&mut *connection).await?;
        rows.first().ok_or("there is no series")?.try_get::<i64, _>(0)?;
    }
    let arguments = Cell::arguments(&statement.values)?;
    sqlx::query_with(AssertSqlSafe(statement.text.clone()), arguments).execute(&mut *connection).await?;
    if *counts {
        pg::say(connection, "COMMIT").await?;
    }
    Ok(())
}
