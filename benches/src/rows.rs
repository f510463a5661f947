//! Records put into the tables without the library, as the engine would have written them.

use std::fmt::Write as _;

use crm_core::entity::{Stored, Table};
use crm_core::value::Instant;
use crm_core::{Id, Row, Value};
use rusqlite::Connection;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::hand::bare;
use crate::{Outcome, pg};

/// The new rows of a table.
pub(crate) type Filled<'a> = (&'static Table, &'a [Row]);

/// A record as it was created.
pub(crate) fn stored<E>(id: Uuid, value: E, at: Instant) -> Stored<E> {
    Stored { id: Id::new(id), version: 1, created_at: at, created_by: None, updated_at: at, archived_at: None, value }
}

/// One of these.
pub(crate) fn pick<T: Copy>(of: &[T], random: u64) -> T {
    of[usize::try_from(random % of.len() as u64).unwrap_or(0)]
}

fn names(table: &Table) -> String {
    table.columns.iter().map(|column| format!("\"{}\"", column.name)).collect::<Vec<_>>().join(", ")
}

/// Inserts rows into a SQLite file.
pub(crate) fn insert(connection: &Connection, tables: &[Filled<'_>]) -> Outcome {
    for (table, rows) in tables {
        let places = vec!["?"; table.columns.len()].join(", ");
        let text = format!("INSERT INTO {} (org, {}) VALUES (1, {places})", table.name, names(table));
        let mut statement = connection.prepare_cached(&text)?;
        for row in *rows {
            statement.execute(rusqlite::params_from_iter(row.iter().map(bare)))?;
        }
    }
    Ok(())
}

/// Copies rows into PostgreSQL.
pub(crate) async fn copy(connection: &mut PgConnection, tables: &[Filled<'_>]) -> Outcome {
    for (table, rows) in tables {
        let mut lines = String::new();
        for row in *rows {
            lines.push('1');
            for value in row {
                lines.push('\t');
                line(&mut lines, value);
            }
            lines.push('\n');
        }
        pg::copy_in(connection, &format!("{} (org, {})", table.name, names(table)), lines.as_bytes()).await?;
    }
    Ok(())
}

/// As `COPY` reads it.
fn line(out: &mut String, value: &Value) {
    let _ = match value {
        Value::Null | Value::Deferred(_) => write!(out, "\\N"),
        Value::Bool(truth) => write!(out, "{truth}"),
        Value::Int(number) => write!(out, "{number}"),
        Value::Text(text) => write!(out, "{text}"),
        Value::Date(date) => write!(out, "{date}"),
        Value::Instant(at) => write!(out, "{at}"),
        Value::Id(id) => write!(out, "{id}"),
        Value::Bytes(bytes) => {
            let _ = write!(out, "\\\\x");
            bytes.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
        }
    };
}
