//! Statements written by hand, on both databases.

use chrono::{DateTime, NaiveDate, Utc};
use crm_core::Value;
use rusqlite::Connection;
use rusqlite::types::Value as Bare;
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, PgConnection, Row as _};
use tokio::runtime::Runtime;
use uuid::Uuid;

use crate::ledger::days;
use crate::{Outcome, pg};

/// A row of an answer.
pub(crate) trait Cells {
    fn int(&self, at: usize) -> Outcome<Option<i64>>;
    fn text(&self, at: usize) -> Outcome<Option<String>>;
    fn id(&self, at: usize) -> Outcome<Option<Uuid>>;
    fn answer(&self, at: usize) -> Outcome<Option<bool>>;
    /// Days since 1970-01-01.
    fn date(&self, at: usize) -> Outcome<Option<i64>>;
    /// Microseconds since 1970.
    fn instant(&self, at: usize) -> Outcome<Option<i64>>;

    fn number(&self, at: usize) -> Outcome<i64> {
        Ok(self.int(at)?.unwrap_or(0))
    }

    fn truth(&self, at: usize) -> Outcome<bool> {
        Ok(self.answer(at)?.unwrap_or(false))
    }
}

/// Where statements are sent. Placeholders are `?1`, `?2`.
pub(crate) trait Database {
    type Row<'r>: Cells;

    /// Sends a statement and reads each row of the answer.
    fn ask<T>(
        &mut self,
        text: &str,
        values: &[Value],
        read: impl FnMut(&Self::Row<'_>) -> Outcome<T>,
    ) -> Outcome<Vec<T>>;
    /// Begins to read in one snapshot.
    fn begin(&mut self) -> Outcome;
    /// Is done with the snapshot.
    fn end(&mut self) -> Outcome;
    /// The whole seconds between two instants, in the database's words.
    fn seconds(from: &str, to: &str) -> String;
}

impl Cells for rusqlite::Row<'_> {
    fn int(&self, at: usize) -> Outcome<Option<i64>> {
        Ok(self.get(at)?)
    }

    fn text(&self, at: usize) -> Outcome<Option<String>> {
        Ok(self.get(at)?)
    }

    fn id(&self, at: usize) -> Outcome<Option<Uuid>> {
        Ok(self.get::<_, Option<[u8; 16]>>(at)?.map(Uuid::from_bytes))
    }

    fn answer(&self, at: usize) -> Outcome<Option<bool>> {
        Ok(self.get(at)?)
    }

    fn date(&self, at: usize) -> Outcome<Option<i64>> {
        self.int(at)
    }

    fn instant(&self, at: usize) -> Outcome<Option<i64>> {
        self.int(at)
    }
}

impl Database for Connection {
    type Row<'r> = rusqlite::Row<'r>;

    fn ask<T>(
        &mut self,
        text: &str,
        values: &[Value],
        mut read: impl FnMut(&Self::Row<'_>) -> Outcome<T>,
    ) -> Outcome<Vec<T>> {
        let mut statement = self.prepare_cached(text)?;
        let mut rows = statement.query(rusqlite::params_from_iter(values.iter().map(bare)))?;
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            all.push(read(row)?);
        }
        Ok(all)
    }

    fn begin(&mut self) -> Outcome {
        Ok(self.execute_batch("BEGIN")?)
    }

    fn end(&mut self) -> Outcome {
        Ok(self.execute_batch("COMMIT")?)
    }

    fn seconds(from: &str, to: &str) -> String {
        format!("({to} - {from}) / 1000000")
    }
}

/// As SQLite's tables hold it.
pub(crate) fn bare(value: &Value) -> Bare {
    match value {
        Value::Null | Value::Deferred(_) => Bare::Null,
        Value::Bool(truth) => Bare::Integer(i64::from(*truth)),
        Value::Int(number) => Bare::Integer(*number),
        Value::Text(text) => Bare::Text(text.clone()),
        Value::Date(date) => Bare::Integer(days(*date)),
        Value::Instant(at) => Bare::Integer(at.micros()),
        Value::Id(id) => Bare::Blob(id.as_bytes().to_vec()),
        Value::Bytes(bytes) => Bare::Blob(bytes.clone()),
    }
}

/// A connection to PostgreSQL, waited for.
pub(crate) struct Postgres<'a> {
    pub(crate) runtime: &'a Runtime,
    pub(crate) connection: PgConnection,
}

impl Cells for PgRow {
    fn int(&self, at: usize) -> Outcome<Option<i64>> {
        Ok(self.try_get(at)?)
    }

    fn text(&self, at: usize) -> Outcome<Option<String>> {
        Ok(self.try_get(at)?)
    }

    fn id(&self, at: usize) -> Outcome<Option<Uuid>> {
        Ok(self.try_get(at)?)
    }

    fn answer(&self, at: usize) -> Outcome<Option<bool>> {
        Ok(self.try_get(at)?)
    }

    fn date(&self, at: usize) -> Outcome<Option<i64>> {
        Ok(self.try_get::<Option<NaiveDate>, _>(at)?.map(days))
    }

    fn instant(&self, at: usize) -> Outcome<Option<i64>> {
        Ok(self.try_get::<Option<DateTime<Utc>>, _>(at)?.map(|at| at.timestamp_micros()))
    }
}

impl Database for Postgres<'_> {
    type Row<'r> = PgRow;

    fn ask<T>(
        &mut self,
        text: &str,
        values: &[Value],
        read: impl FnMut(&Self::Row<'_>) -> Outcome<T>,
    ) -> Outcome<Vec<T>> {
        let mut query = sqlx::query(AssertSqlSafe(crate::sums::postgres(text)));
        for value in values {
            query = match value {
                Value::Int(number) => query.bind(*number),
                Value::Text(text) => query.bind(text.clone()),
                Value::Date(date) => query.bind(*date),
                Value::Instant(at) => query.bind(at.datetime()),
                Value::Id(id) => query.bind(*id),
                other => return Err(format!("{other:?} is not bound by hand").into()),
            };
        }
        let rows = self.runtime.block_on(query.fetch_all(&mut self.connection))?;
        rows.iter().map(read).collect()
    }

    fn begin(&mut self) -> Outcome {
        let text = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        self.runtime.block_on(pg::say(&mut self.connection, text))
    }

    fn end(&mut self) -> Outcome {
        self.runtime.block_on(pg::say(&mut self.connection, "COMMIT"))
    }

    fn seconds(from: &str, to: &str) -> String {
        format!("CAST(trunc(EXTRACT(EPOCH FROM {to} - {from})) AS BIGINT)")
    }
}

/// Declares a struct of a row's columns, and how it is read.
macro_rules! bare_row {
    ($(#[$meta:meta])* $name:ident, $columns:ident: { $($field:ident: $type:ty = $read:ident),* $(,)? }) => {
        $(#[$meta])*
        #[expect(dead_code, reason = "some are only read from the database")]
        pub(crate) struct $name { $(pub(crate) $field: $type),* }

        /// The names of the columns.
        pub(crate) const $columns: &[&str] = &[$(stringify!($field)),*];

        impl $name {
            pub(crate) fn read(row: &impl $crate::hand::Cells) -> $crate::Outcome<Self> {
                let mut at = 0..;
                let mut next = || at.next().unwrap_or(0_usize);
                Ok(Self { $($field: row.$read(next())?),* })
            }
        }
    };
}
pub(crate) use bare_row;
