//! Rows of the database to rows of core.
//!
//! Values are read from their binary form by the kind that the table's description gives, and what does not fit is
//! reported with table, column and id: the driver's own conversions panic on an infinite date.

use chrono::NaiveDate;
use crm_core::entity::{Kind, Table};
use crm_core::row::{Row, Value};
use crm_core::store::StoreError;
use crm_core::value::Instant;
use sqlx::Row as _;
use sqlx::ValueRef as _;
use sqlx::postgres::{PgRow, PgValueFormat};
use uuid::Uuid;

use crate::bind::{EPOCH_DAY, EPOCH_MICROS};

/// What a chain's last link is read as: its number and hash.
pub(crate) const LINK: [Kind; 2] = [Kind::Int, Kind::Bytes];

/// The row of a table.
pub(crate) fn table_row(table: &'static Table, row: &PgRow) -> Result<Row, StoreError> {
    let mut values = Vec::with_capacity(table.columns.len());
    for (at, column) in table.columns.iter().enumerate() {
        let value =
            match bytes(row, at).and_then(|bytes| bytes.map_or(Ok(Value::Null), |bytes| value(column.kind, bytes))) {
                Ok(Value::Null) if !column.nullable => Err("absent".to_owned()),
                other => other,
            };
        let id = || values.first().and_then(Value::as_id);
        let value =
            value.map_err(|reason| StoreError::Corrupt { table: table.name, column: column.name, id: id(), reason })?;
        values.push(value);
    }
    Ok(values)
}

/// The bytes of a column, if it is not absent.
fn bytes(row: &PgRow, at: usize) -> Result<Option<&[u8]>, String> {
    let raw = row.try_get_raw(at).map_err(|error| error.to_string())?;
    if raw.is_null() {
        return Ok(None);
    }
    if raw.format() != PgValueFormat::Binary {
        return Err("not in binary form".to_owned());
    }
    raw.as_bytes().map(Some).map_err(|error| error.to_string())
}

fn sized<const N: usize>(bytes: &[u8]) -> Result<[u8; N], String> {
    bytes.try_into().map_err(|_| format!("{} bytes instead of {N}", bytes.len()))
}

/// Reads a value of this kind.
fn value(kind: Kind, bytes: &[u8]) -> Result<Value, String> {
    Ok(match kind {
        Kind::Id => Value::Id(Uuid::from_bytes(sized(bytes)?)),
        Kind::Bool => Value::Bool(sized::<1>(bytes)? != [0]),
        Kind::Int | Kind::Money | Kind::Decimal => Value::Int(i64::from_be_bytes(sized(bytes)?)),
        Kind::Text | Kind::Enum(_) | Kind::Json => {
            Value::Text(std::str::from_utf8(bytes).map_err(|error| error.to_string())?.to_owned())
        }
        Kind::Date => {
            let days = i32::from_be_bytes(sized(bytes)?);
            let date = days.checked_add(EPOCH_DAY).and_then(NaiveDate::from_num_days_from_ce_opt);
            Value::Date(date.ok_or_else(|| format!("a date {days} days after 2000"))?)
        }
        Kind::Instant => {
            let micros = i64::from_be_bytes(sized(bytes)?).saturating_add(EPOCH_MICROS);
            Value::Instant(Instant::from_micros(micros).map_err(|error| error.to_string())?)
        }
        Kind::Bytes => Value::Bytes(bytes.to_vec()),
    })
}

/// The only row of an aggregate without groups, or the row of a group.
pub(crate) fn output_row(table: &'static Table, kinds: &[Kind], row: &PgRow) -> Result<Row, StoreError> {
    kinds
        .iter()
        .enumerate()
        .map(|(at, kind)| bytes(row, at)?.map_or(Ok(Value::Null), |bytes| value(*kind, bytes)))
        .collect::<Result<Row, String>>()
        .map_err(|reason| unreadable(table, reason))
}

/// The rows that stand as an array of records in a column.
pub(crate) fn output_rows(
    table: &'static Table,
    kinds: &[Kind],
    row: &PgRow,
    at: usize,
) -> Result<Vec<Row>, StoreError> {
    let Some(bytes) = bytes(row, at).map_err(|reason| unreadable(table, reason))? else { return Ok(Vec::new()) };
    records(kinds, bytes).map_err(|reason| unreadable(table, reason))
}

fn unreadable(table: &'static Table, reason: String) -> StoreError {
    StoreError::Corrupt { table: table.name, column: "?", id: None, reason }
}

/// Takes from the front of bytes.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], String> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or("an answer that ends early")?;
        self.0 = rest;
        Ok(taken)
    }

    fn number(&mut self) -> Result<i32, String> {
        Ok(i32::from_be_bytes(sized(self.take(4)?)?))
    }

    /// A value with its length before it, -1 for an absent one.
    fn sized(&mut self) -> Result<Option<&'a [u8]>, String> {
        match usize::try_from(self.number()?) {
            Ok(length) => self.take(length).map(Some),
            Err(_) => Ok(None),
        }
    }
}

/// Reads an array of records: dimensions, a flag, a type, then per dimension its size and first index, then the
/// records, each with its number of columns and for each a type and the value.
fn records(kinds: &[Kind], bytes: &[u8]) -> Result<Vec<Row>, String> {
    let mut reader = Reader(bytes);
    let dimensions = reader.number()?;
    reader.take(8)?;
    if dimensions == 0 {
        return Ok(Vec::new());
    }
    let count = usize::try_from(reader.number()?).map_err(|_| "an array of negative size")?;
    reader.take(4)?;
    let mut rows = Vec::with_capacity(count.min(100_000));
    for _ in 0..count {
        let mut record = Reader(reader.sized()?.ok_or("an absent record")?);
        let columns = usize::try_from(record.number()?).map_err(|_| "a record of negative size")?;
        if columns < kinds.len() {
            return Err(format!("{columns} columns instead of {}", kinds.len()));
        }
        let mut row = Vec::with_capacity(kinds.len());
        for kind in kinds {
            record.take(4)?;
            row.push(record.sized()?.map_or(Ok(Value::Null), |bytes| value(*kind, bytes))?);
        }
        rows.push(row);
    }
    Ok(rows)
}

/// An id in the first column.
pub(crate) fn id(row: &PgRow) -> Option<Uuid> {
    bytes(row, 0).ok().flatten().and_then(|bytes| Uuid::from_slice(bytes).ok())
}

/// A column of an answer in text form.
pub(crate) fn text(row: &PgRow, at: usize) -> Option<String> {
    Some(row.try_get_raw(at).ok()?.as_str().ok()?.to_owned())
}

/// A truth value in the first column of an answer in text form.
pub(crate) fn text_truth(row: &PgRow) -> bool {
    text(row, 0).is_some_and(|text| text == "t")
}

/// A whole number in the first column of an answer in text form.
pub(crate) fn text_number(row: &PgRow) -> Option<i64> {
    text(row, 0)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_do_not_fit_are_errors_and_never_panics() {
        assert!(value(Kind::Id, &[0; 15]).is_err());
        assert!(value(Kind::Int, &[0; 4]).is_err());
        assert!(value(Kind::Text, &[0xff]).is_err());
        for days in [i32::MAX, i32::MIN] {
            assert!(value(Kind::Date, &days.to_be_bytes()).is_err());
        }
        for micros in [i64::MAX, i64::MIN] {
            assert!(value(Kind::Instant, &micros.to_be_bytes()).is_err());
        }
        assert_eq!(value(Kind::Date, &0_i32.to_be_bytes()), Ok(Value::Date("2000-01-01".parse().unwrap())));
        for bytes in [&[][..], &[0; 11], &[0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 8, 201, 255, 255, 255, 255, 0, 0, 0, 1]] {
            assert!(records(&[Kind::Int], bytes).is_err());
        }
        assert_eq!(records(&[Kind::Int], &[0; 12]), Ok(Vec::new()));
    }
}
