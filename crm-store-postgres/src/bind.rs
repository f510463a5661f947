//! Values to parameters, in PostgreSQL's binary form.
//!
//! Arrays are written from borrowed values, without a copy in between.

use chrono::Datelike as _;
use crm_core::entity::Kind;
use crm_core::row::Value;
use crm_sql::Bind;
use crm_sql::write_postgres::Param;
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgArgumentBuffer, PgArguments, PgTypeInfo};
use sqlx::{Arguments as _, Encode, Postgres, Type};

/// 2000-01-01, from which PostgreSQL counts days, as a day of the common era.
pub(crate) const EPOCH_DAY: i32 = 730_120;
/// 2000-01-01, from which PostgreSQL counts microseconds, in microseconds since 1970.
pub(crate) const EPOCH_MICROS: i64 = 946_684_800_000_000;

/// A value that does not fit the column it is for.
#[derive(Debug, thiserror::Error)]
#[error("a value of the wrong kind for {0:?}: {1:?}")]
struct Misfit(Kind, Value);

/// The identifiers of the type for a kind, and of arrays of it.
const fn oids(kind: Kind) -> (u32, u32) {
    match kind {
        Kind::Id => (2950, 2951),
        Kind::Bool => (16, 1000),
        Kind::Int | Kind::Money | Kind::Decimal => (20, 1016),
        Kind::Text | Kind::Enum(_) | Kind::Json => (25, 1009),
        Kind::Date => (1082, 1182),
        Kind::Instant => (1184, 1185),
        Kind::Bytes => (17, 1001),
    }
}

/// Appends a value; false if it is absent.
fn write(out: &mut Vec<u8>, kind: Kind, value: &Value) -> Result<bool, BoxDynError> {
    match (kind, value) {
        (_, Value::Null) => return Ok(false),
        (Kind::Id, Value::Id(id)) => out.extend_from_slice(id.as_bytes()),
        (Kind::Bool, Value::Bool(truth)) => out.push(u8::from(*truth)),
        (Kind::Int | Kind::Money | Kind::Decimal, Value::Int(number)) => out.extend_from_slice(&number.to_be_bytes()),
        (Kind::Text | Kind::Enum(_) | Kind::Json, Value::Text(text)) => out.extend_from_slice(text.as_bytes()),
        (Kind::Date, Value::Date(date)) => {
            out.extend_from_slice(&(date.num_days_from_ce() - EPOCH_DAY).to_be_bytes());
        }
        (Kind::Instant, Value::Instant(instant)) => {
            out.extend_from_slice(&(instant.micros() - EPOCH_MICROS).to_be_bytes());
        }
        (Kind::Bytes, Value::Bytes(bytes)) => out.extend_from_slice(bytes),
        (kind, value) => return Err(Box::new(Misfit(kind, value.clone()))),
    }
    Ok(true)
}

/// One value.
struct One<'a>(Kind, &'a Value);

impl Type<Postgres> for One<'_> {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(Oid(oids(Kind::Text).0))
    }
}

impl Encode<'_, Postgres> for One<'_> {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        Ok(if write(buffer, self.0, self.1)? { IsNull::No } else { IsNull::Yes })
    }

    fn produces(&self) -> Option<PgTypeInfo> {
        Some(PgTypeInfo::with_oid(Oid(oids(self.0).0)))
    }
}

/// An array of values.
struct Many<'a>(Kind, &'a [&'a Value]);

impl Type<Postgres> for Many<'_> {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(Oid(oids(Kind::Text).1))
    }
}

impl Encode<'_, Postgres> for Many<'_> {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        let Self(kind, values) = self;
        let absent = values.iter().any(|value| value.is_null());
        // One dimension; whether values are absent; the type of the elements; their number; the first index.
        buffer.extend_from_slice(&1_i32.to_be_bytes());
        buffer.extend_from_slice(&i32::from(absent).to_be_bytes());
        buffer.extend_from_slice(&oids(*kind).0.to_be_bytes());
        buffer.extend_from_slice(&i32::try_from(values.len())?.to_be_bytes());
        buffer.extend_from_slice(&1_i32.to_be_bytes());
        for value in *values {
            let start = buffer.len();
            buffer.extend_from_slice(&[0; 4]);
            let there = write(buffer, *kind, value)?;
            let length = if there { i32::try_from(buffer.len() - start - 4)? } else { -1 };
            buffer[start..start + 4].copy_from_slice(&length.to_be_bytes());
        }
        Ok(IsNull::No)
    }

    fn produces(&self) -> Option<PgTypeInfo> {
        Some(PgTypeInfo::with_oid(Oid(oids(self.0).1)))
    }
}

/// The parameters of a statement that reads.
pub(crate) fn read(binds: &[Bind]) -> Result<PgArguments, BoxDynError> {
    let mut arguments = PgArguments::default();
    for bind in binds {
        match bind {
            Bind::One(kind, value) => arguments.add(One(*kind, value))?,
            Bind::Many(kind, values) => arguments.add(Many(*kind, &values.iter().collect::<Vec<_>>()))?,
            Bind::Org(number) | Bind::Int(number) => arguments.add(*number)?,
            Bind::Text(text) => arguments.add(text.as_str())?,
        }
    }
    Ok(arguments)
}

/// The parameters of a statement that writes.
pub(crate) fn written(params: &[Param<'_>]) -> Result<PgArguments, BoxDynError> {
    let mut arguments = PgArguments::default();
    for param in params {
        match param {
            Param::Org(number) | Param::Int(number) => arguments.add(*number)?,
            Param::One(kind, value) => arguments.add(One(*kind, value))?,
            Param::Many(kind, values) => arguments.add(Many(*kind, values))?,
            Param::Ids(ids) => arguments.add(ids)?,
            Param::Ints(numbers) => arguments.add(numbers)?,
        }
    }
    Ok(arguments)
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::*;

    #[test]
    fn epochs_are_the_first_of_january_2000() {
        assert_eq!(NaiveDate::from_ymd_opt(2000, 1, 1).unwrap().num_days_from_ce(), EPOCH_DAY);
        let instant = "2000-01-01T00:00:00Z".parse::<crm_core::value::Instant>().unwrap();
        assert_eq!(instant.micros(), EPOCH_MICROS);
    }

    #[test]
    fn a_value_of_another_kind_is_an_error() {
        assert!(read(&[Bind::One(Kind::Int, Value::Text("x".into()))]).is_err());
        assert!(read(&[Bind::Many(Kind::Date, vec![Value::Int(1)])]).is_err());
        assert!(read(&[Bind::One(Kind::Int, Value::Null), Bind::Many(Kind::Id, Vec::new())]).is_ok());
    }
}
