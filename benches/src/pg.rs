//! PostgreSQL without the library.

use std::str::FromStr as _;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use crm_core::{Crm, SystemEnvironment};
use crm_store_postgres::{PostgresOptions, PostgresStore};
use futures_util::TryStreamExt as _;
use sqlx::postgres::{PgArguments, PgConnectOptions, PgRow};
use sqlx::{Arguments as _, AssertSqlSafe, Column as _, ConnectOptions as _, PgConnection, Row as _, TypeInfo as _};
use uuid::Uuid;

use crate::{Outcome, book};

/// Where the benchmarks work; whatever is there goes.
pub(crate) const SCHEMA: &str = "crm_bench";

/// Where a tenth of something is.
pub(crate) const TENTH: &str = "crm_bench_tenth";
/// Where a third of it is.
pub(crate) const THIRD: &str = "crm_bench_third";

/// A connection whose names are looked up in the schema.
pub(crate) async fn connect(url: &str) -> Outcome<PgConnection> {
    connect_to(url, SCHEMA).await
}

/// A connection whose names are looked up in this schema.
pub(crate) async fn connect_to(url: &str, schema: &str) -> Outcome<PgConnection> {
    let options = PgConnectOptions::from_str(url)?.options([("search_path", schema)]);
    Ok(options.connect().await?)
}

/// Runs statements without parameters.
pub(crate) async fn say(connection: &mut PgConnection, text: &str) -> Outcome {
    sqlx::raw_sql(AssertSqlSafe(text.to_owned())).execute(connection).await?;
    Ok(())
}

/// The store in an empty schema, with nothing but the organization.
pub(crate) async fn fresh(url: &str) -> Outcome<PostgresStore> {
    fresh_in(url, SCHEMA).await
}

/// The store in this schema, emptied, with nothing but the organization.
pub(crate) async fn fresh_in(url: &str, schema: &str) -> Outcome<PostgresStore> {
    let mut connection = PgConnectOptions::from_str(url)?.connect().await?;
    say(&mut connection, &format!("DROP SCHEMA IF EXISTS {schema} CASCADE")).await?;
    let store = open_in(url, schema).await?;
    book::create(&Crm::new(store.clone(), SystemEnvironment)).await?;
    Ok(store)
}

/// The store in the schema as it is.
pub(crate) async fn open(url: &str) -> Outcome<PostgresStore> {
    open_sealing(url, Duration::from_secs(1)).await
}

/// The store in this schema as it is.
pub(crate) async fn open_in(url: &str, schema: &str) -> Outcome<PostgresStore> {
    Ok(PostgresStore::connect(url, PostgresOptions::new().schema(schema)).await?)
}

/// The store in the schema as it is, sealing so late.
pub(crate) async fn open_sealing(url: &str, after: Duration) -> Outcome<PostgresStore> {
    Ok(PostgresStore::connect(url, PostgresOptions::new().schema(SCHEMA).seal_after(after)).await?)
}

/// What `COPY` gives out.
pub(crate) async fn copy_out(connection: &mut PgConnection, what: &str) -> Outcome<Vec<u8>> {
    let text = format!("COPY {what} TO STDOUT");
    let mut parts = connection.copy_out_raw(&text).await?;
    let mut all = Vec::new();
    while let Some(part) = parts.try_next().await? {
        all.extend_from_slice(&part);
    }
    Ok(all)
}

/// Gives `COPY` what it gave out.
pub(crate) async fn copy_in(connection: &mut PgConnection, table: &str, lines: &[u8]) -> Outcome {
    let mut copy = connection.copy_in_raw(&format!("COPY {table} FROM STDIN")).await?;
    for part in lines.chunks(1 << 20) {
        copy.send(part).await?;
    }
    copy.finish().await?;
    Ok(())
}

/// The columns of a table, but for some.
pub(crate) async fn columns(connection: &mut PgConnection, table: &str, but: &[&str]) -> Outcome<Vec<String>> {
    let text = "SELECT column_name::text FROM information_schema.columns \
                WHERE table_schema = $1 AND table_name = $2 ORDER BY ordinal_position";
    let rows = sqlx::query(text).bind(SCHEMA).bind(table).fetch_all(connection).await?;
    let names = rows.iter().map(|row| row.try_get::<String, _>(0)).collect::<Result<Vec<_>, _>>()?;
    Ok(names.into_iter().filter(|name| !but.contains(&name.as_str())).collect())
}

/// A value with its type.
#[derive(Clone, PartialEq)]
pub(crate) enum Cell {
    Bool(Option<bool>),
    Date(Option<NaiveDate>),
    Text(Option<String>),
    Int(Option<i64>),
    Id(Option<Uuid>),
    Instant(Option<DateTime<Utc>>),
    Bytes(Option<Vec<u8>>),
}

impl Cell {
    /// All values of a row.
    pub(crate) fn all(row: &PgRow) -> Outcome<Vec<Self>> {
        let columns = row.columns().iter().enumerate();
        columns
            .map(|(at, column)| {
                Ok(match column.type_info().name() {
                    "BOOL" => Self::Bool(row.try_get(at)?),
                    "DATE" => Self::Date(row.try_get(at)?),
                    "TEXT" => Self::Text(row.try_get(at)?),
                    "INT8" => Self::Int(row.try_get(at)?),
                    "UUID" => Self::Id(row.try_get(at)?),
                    "TIMESTAMPTZ" => Self::Instant(row.try_get(at)?),
                    "BYTEA" => Self::Bytes(row.try_get(at)?),
                    other => return Err(format!("a column of type {other}").into()),
                })
            })
            .collect()
    }

    fn bind(&self, to: &mut PgArguments) -> Outcome {
        match self {
            Self::Bool(truth) => to.add(truth),
            Self::Date(date) => to.add(date),
            Self::Text(text) => to.add(text),
            Self::Int(number) => to.add(number),
            Self::Id(id) => to.add(id),
            Self::Instant(instant) => to.add(instant),
            Self::Bytes(bytes) => to.add(bytes),
        }
    }

    /// Arguments for a statement.
    pub(crate) fn arguments<'a>(cells: impl IntoIterator<Item = &'a Self>) -> Outcome<PgArguments> {
        let mut arguments = PgArguments::default();
        cells.into_iter().try_for_each(|cell| cell.bind(&mut arguments))?;
        Ok(arguments)
    }
}
