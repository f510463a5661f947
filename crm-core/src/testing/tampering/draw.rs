//! What is done to records, and the list of all that is done.
#![expect(clippy::unnecessary_wraps, reason = "each kind of tampering is a function of one type")]

use uuid::Uuid;

use super::{Book, Records, Step, entries, index};
use crate::access::User;
use crate::entity::{Column, Entity as _, Flags, Kind, Table};
use crate::row::{Row, Value};
use crate::testing::script::Dice;
use crate::value::Instant;

type Draw = fn(&Book, &mut Dice) -> Option<Vec<Step>>;

/// A kind of tampering, and what draws one.
pub(super) type Entry = (&'static str, Draw);

/// Every kind of tampering.
pub(super) const KINDS: &[Entry] = &[
    ("a column of an entry changed", entries::changed),
    ("a byte of a hash flipped", entries::flipped),
    ("two entries swapped", entries::swapped),
    ("the contents of two entries swapped", entries::contents_swapped),
    ("an entry deleted", entries::deleted),
    ("the tail deleted", entries::cut),
    ("an entry forged at the end", entries::appended),
    ("an entry forged with a right hash", |book, dice| entries::appended_with_hash(book, dice, |_| true)),
    ("an entry about a user forged with a right hash", |book, dice| {
        entries::appended_with_hash(book, dice, entries::of_user)
    }),
    ("an entry forged in the middle", entries::put_between),
    ("entries renumbered", entries::renumbered),
    ("an entry moved to the other organization", entries::moved),
    ("the chain written anew from a changed entry", entries::written_anew),
    ("a column of a record changed", |book, dice| change(book, dice, Flags::NONE)),
    ("a derived column changed", |book, dice| change(book, dice, Flags::DERIVED)),
    ("a secret column changed", |book, dice| change(book, dice, Flags::SECRET)),
    ("a record deleted", deleted),
    ("a record inserted", |book, dice| inserted(book, dice, |_| true)),
    ("an older record restored", older),
    ("the last changes undone", undone),
    ("a user's version raised", |book, dice| raised(book, dice, User::TABLE.version_position()?)),
    ("a user's memberships raised", |book, dice| raised(book, dice, User::COLUMNS.memberships.index())),
    ("a user inserted", |book, dice| inserted(book, dice, |table| *table == *User::TABLE)),
];

/// Changes one column of one record that has this flag; without one, of those that are neither derived nor counters.
/// Counters are outside the audit; those of numbers are checked by the books.
fn change(book: &Book, dice: &mut Dice, flag: Flags) -> Option<Vec<Step>> {
    let of = book.records(dice, |table| table.columns.iter().any(|column| column.flags.contains(flag)));
    let columns: Vec<usize> = (1..of.table.columns.len())
        .filter(|at| {
            let column = &of.table.columns[*at];
            if flag == Flags::NONE {
                !column.flags.contains(Flags::DERIVED) && !column.flags.contains(Flags::COUNTER)
            } else {
                column.flags.contains(flag)
            }
        })
        .collect();
    if columns.is_empty() {
        return None;
    }
    let column = columns[index(dice, columns.len())];
    let row = &of.rows[index(dice, of.rows.len())];
    let value = other_value(book, dice, of, column, row)?;
    Some(vec![Step::Set { table: of.table, org: of.org, id: of.table.id(row), column, value }])
}

/// Another value for a column: of another row if it refers to one, else near the one that it has.
fn other_value(book: &Book, dice: &mut Dice, of: &Records, column: usize, row: &Row) -> Option<Value> {
    let description = &of.table.columns[column];
    if let Some(target) = description.target() {
        let targets =
            book.rows.iter().find(|rows| rows.table == target && (rows.org == of.org || rows.org.is_none()))?;
        let value = Value::Id(target.id(targets.rows.get(index(dice, targets.rows.len().max(1)))?));
        return (value != row[column]).then_some(value);
    }
    altered(dice, description, &row[column])
}

/// A value of the same column that differs from this one.
pub(super) fn altered(dice: &mut Dice, column: &Column, value: &Value) -> Option<Value> {
    if column.nullable && !value.is_null() && dice.once_in(6) {
        return Some(Value::Null);
    }
    let new = match (value, column.kind) {
        (Value::Bool(truth), _) => Value::Bool(!truth),
        (Value::Int(number), _) => Value::Int(number.checked_add(1 + i64::try_from(dice.roll(100)).ok()?)?),
        (Value::Text(_) | Value::Null, Kind::Enum(words)) => Value::Text((*dice.pick(words)?).to_owned()),
        (Value::Text(text), _) => Value::Text(another_letter(dice, text)),
        (Value::Date(date), _) => Value::Date(date.succ_opt()?),
        (Value::Instant(at), _) => Value::Instant(Instant::from_micros(at.micros() + 1).ok()?),
        (Value::Id(_), _) | (Value::Null, Kind::Id) => Value::Id(random_id(dice)),
        (Value::Bytes(bytes), _) => Value::Bytes(flipped(dice, bytes)),
        (Value::Null, Kind::Bool) => Value::Bool(true),
        (Value::Null, Kind::Int | Kind::Money | Kind::Decimal) => Value::Int(1),
        (Value::Null, Kind::Text) => Value::Text("x".to_owned()),
        (Value::Null, Kind::Json) => Value::Text("{}".to_owned()),
        (Value::Null, Kind::Date) => Value::Date(crate::value::Date::default()),
        (Value::Null, Kind::Instant) => Value::Instant(Instant::EPOCH),
        (Value::Null, Kind::Bytes) => Value::Bytes(vec![1]),
        (Value::Deferred(_), _) => return None,
    };
    (new != *value).then_some(new)
}

/// The same text with one letter or digit replaced, or one more when it has none.
fn another_letter(dice: &mut Dice, text: &str) -> String {
    let places: Vec<usize> =
        text.bytes().enumerate().filter(|(_, b)| b.is_ascii_alphanumeric()).map(|(at, _)| at).collect();
    let Some(at) = dice.pick(&places).copied() else { return format!("{text}x") };
    let new = if text.as_bytes()[at] == b'1' { '2' } else { '1' };
    format!("{}{new}{}", &text[..at], &text[at + 1..])
}

/// The same bytes with one bit flipped.
pub(super) fn flipped(dice: &mut Dice, bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    if !bytes.is_empty() {
        let at = index(dice, bytes.len());
        bytes[at] ^= 1 << dice.roll(8);
    }
    bytes
}

pub(super) fn random_id(dice: &mut Dice) -> Uuid {
    Uuid::from_u128(u128::from(dice.roll(u64::MAX)) << 64 | u128::from(dice.roll(u64::MAX)))
}

fn deleted(book: &Book, dice: &mut Dice) -> Option<Vec<Step>> {
    let of = book.records(dice, |_| true);
    let row = &of.rows[index(dice, of.rows.len())];
    Some(vec![Step::Delete { table: of.table, org: of.org, id: of.table.id(row) }])
}

/// A copy of a record under another id; what is unique in it is altered or left out.
fn inserted(book: &Book, dice: &mut Dice, which: impl Fn(&Table) -> bool) -> Option<Vec<Step>> {
    let of = book.records(dice, which);
    let mut row = of.rows[index(dice, of.rows.len())].clone();
    row[0] = Value::Id(random_id(dice));
    for name in of.table.uniques.iter().flat_map(|unique| unique.columns) {
        let at = of.table.expect_position(name);
        let column = &of.table.columns[at];
        row[at] = if column.nullable { Value::Null } else { altered(dice, column, &row[at])? };
    }
    Some(vec![Step::Insert { table: of.table, org: of.org, row }])
}

/// A user with one column raised: to a version that another chain could know, or to another number of memberships.
fn raised(book: &Book, dice: &mut Dice, column: usize) -> Option<Vec<Step>> {
    let of = book.records(dice, |table| *table == *User::TABLE);
    let row = &of.rows[index(dice, of.rows.len())];
    let value = Value::Int(row[column].as_int()? + 1);
    Some(vec![Step::Set { table: of.table, org: None, id: of.table.id(row), column, value }])
}

/// A record as it was before its last change, its version included.
fn older(book: &Book, dice: &mut Dice) -> Option<Vec<Step>> {
    let (table, org, row) = dice.pick(&book.older)?;
    Some(whole(table, *org, row).collect())
}

/// The last changes of an organization and their entries, as if they had not been made.
fn undone(book: &Book, dice: &mut Dice) -> Option<Vec<Step>> {
    let (org, entries) = book.chain(dice);
    let older: Vec<_> = book.older.iter().filter(|(_, of, _)| *of == org).rev().collect();
    let count = 1 + index(dice, older.len());
    let records = older[..count].iter().flat_map(|(table, _, row)| whole(table, org, row));
    Some(records.chain(entries.iter().rev().take(count).map(|row| entries::delete(org, row))).collect())
}

/// Sets a record to a row.
fn whole(table: &'static Table, org: i64, row: &Row) -> impl Iterator<Item = Step> {
    (1..row.len()).map(move |column| Step::Set {
        table,
        org: Some(org),
        id: table.id(row),
        column,
        value: row[column].clone(),
    })
}
