//! Values as SQLite takes them.

use crm_core::row::Value;
use crm_sql::Bind;
use rusqlite::types::{ToSql, ToSqlOutput, Value as Owned, ValueRef};

/// A value for a placeholder. What SQLite gets follows from the value alone.
pub(crate) struct Bound<'a>(pub(crate) &'a Value);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self.0 {
            Value::Null => ToSqlOutput::Borrowed(ValueRef::Null),
            Value::Bool(truth) => integer(i64::from(*truth)),
            Value::Int(number) => integer(*number),
            Value::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Value::Date(date) => integer(i64::from(crm_core::value::days_of(*date))),
            Value::Instant(instant) => integer(instant.micros()),
            Value::Id(id) => ToSqlOutput::Borrowed(ValueRef::Blob(id.as_bytes())),
            Value::Bytes(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
            Value::Deferred(_) => {
                return Err(rusqlite::Error::ToSqlConversionFailure("a deferred value was not resolved".into()));
            }
        })
    }
}

const fn integer(number: i64) -> ToSqlOutput<'static> {
    ToSqlOutput::Owned(Owned::Integer(number))
}

/// Binds all values of a statement.
pub(crate) fn bind_all(statement: &mut rusqlite::Statement<'_>, binds: &[Bind]) -> rusqlite::Result<()> {
    for (index, bind) in binds.iter().enumerate() {
        let place = index + 1;
        match bind {
            Bind::One(_, value) => statement.raw_bind_parameter(place, Bound(value))?,
            Bind::Org(number) | Bind::Int(number) => statement.raw_bind_parameter(place, number)?,
            Bind::Text(text) => statement.raw_bind_parameter(place, text)?,
            Bind::Many(..) => {
                let error = "SQLite has no arrays; lists are written out for it";
                return Err(rusqlite::Error::ToSqlConversionFailure(error.into()));
            }
        }
    }
    Ok(())
}
