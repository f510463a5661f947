//! Values as SQLite gives them, checked against what the column holds.

use chrono::Datelike as _;
use crm_core::entity::{Kind, Table};
use crm_core::row::{Row, Value};
use crm_core::store::StoreError;
use crm_core::value::{Date, Instant};
use rusqlite::types::ValueRef;
use uuid::Uuid;

/// Days from the first of January of the year 1 to 1970-01-01, plus one: how chrono counts the latter.
const EPOCH_DAY: i64 = 719_163;

/// Reads the rows of a table.
pub(crate) fn table_row(table: &'static Table, row: &rusqlite::Row<'_>) -> Result<Row, StoreError> {
    let mut values = Vec::with_capacity(table.columns.len());
    for (index, column) in table.columns.iter().enumerate() {
        let stored = row.get_ref(index).map_err(|error| crate::error::map(table, error))?;
        match value(column.kind, stored) {
            Ok(Value::Null) if !column.nullable => {
                return Err(corrupt(table, column.name, &values, "nothing, though the column must have a value"));
            }
            Ok(value) => values.push(value),
            Err(reason) => return Err(corrupt(table, column.name, &values, &reason)),
        }
    }
    Ok(values)
}

fn corrupt(table: &'static Table, column: &'static str, values: &[Value], reason: &str) -> StoreError {
    let id = values.first().and_then(Value::as_id);
    StoreError::Corrupt { table: table.name, column, id, reason: reason.to_owned() }
}

/// Reads a row of figures. A number that SQLite made a fraction of did not fit 64 bits.
pub(crate) fn figures(table: &'static Table, kinds: &[Kind], row: &rusqlite::Row<'_>) -> Result<Row, StoreError> {
    kinds
        .iter()
        .enumerate()
        .map(|(index, kind)| match row.get_ref(index).map_err(|error| crate::error::map(table, error))? {
            ValueRef::Real(_) => Err(StoreError::Overflow),
            stored => value(*kind, stored).map_err(|reason| StoreError::Corrupt {
                table: table.name,
                column: "?",
                id: None,
                reason,
            }),
        })
        .collect()
}

fn value(kind: Kind, stored: ValueRef<'_>) -> Result<Value, String> {
    Ok(match (kind, stored) {
        (_, ValueRef::Null) => Value::Null,
        (Kind::Bool, ValueRef::Integer(0)) => Value::Bool(false),
        (Kind::Bool, ValueRef::Integer(1)) => Value::Bool(true),
        (Kind::Int | Kind::Money | Kind::Decimal, ValueRef::Integer(number)) => Value::Int(number),
        (Kind::Text | Kind::Json, ValueRef::Text(bytes)) => text(bytes)?,
        (Kind::Enum(names), ValueRef::Text(bytes)) => {
            if !names.iter().any(|name| name.as_bytes() == bytes) {
                return Err(format!("{:?}, which is not one of {}", String::from_utf8_lossy(bytes), names.join(", ")));
            }
            text(bytes)?
        }
        (Kind::Date, ValueRef::Integer(days)) => days
            .checked_add(EPOCH_DAY)
            .and_then(|days| i32::try_from(days).ok())
            .and_then(Date::from_num_days_from_ce_opt)
            .filter(|date| (1..=9999).contains(&date.year()))
            .map(Value::Date)
            .ok_or_else(|| format!("day {days}, which is out of range"))?,
        (Kind::Instant, ValueRef::Integer(micros)) => {
            Value::Instant(Instant::from_micros(micros).map_err(|error| error.to_string())?)
        }
        (Kind::Id, ValueRef::Blob(bytes)) => {
            Value::Id(Uuid::from_slice(bytes).map_err(|_| format!("{} bytes instead of 16", bytes.len()))?)
        }
        (Kind::Bytes, ValueRef::Blob(bytes)) => Value::Bytes(bytes.to_vec()),
        (_, other) => return Err(format!("{} where {kind:?} belongs", other.data_type())),
    })
}

fn text(bytes: &[u8]) -> Result<Value, String> {
    std::str::from_utf8(bytes).map(|text| Value::Text(text.to_owned())).map_err(|error| error.to_string())
}
