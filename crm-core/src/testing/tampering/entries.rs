//! What is done to the entries of the audit.
#![expect(clippy::unnecessary_wraps, reason = "each kind of tampering is a function of one type")]

use uuid::Uuid;

use super::draw::{altered, flipped as flip, random_id};
use super::{Book, Step, index, set};
use crate::access::User;
use crate::audit::{self, AuditEntry, Link};
use crate::entity::Entity as _;
use crate::row::{Row, Value};
use crate::testing::script::Dice;

type Steps = Option<Vec<Step>>;

const COLUMNS: crate::audit::AuditEntryColumns = AuditEntry::COLUMNS;

fn seq(row: &Row) -> i64 {
    row[COLUMNS.seq.index()].as_int().unwrap_or_default()
}

fn hash(row: &Row) -> Vec<u8> {
    match &row[COLUMNS.hash.index()] {
        Value::Bytes(hash) => hash.clone(),
        _ => Vec::new(),
    }
}

/// Sets the contents of an entry.
fn contents(org: i64, row: &Row, of: &Row) -> [Step; 2] {
    [COLUMNS.changes.index(), COLUMNS.changes_hash.index()].map(|column| set(org, row, column, of[column].clone()))
}

/// Any one column, the id included.
pub(super) fn changed(book: &Book, dice: &mut Dice) -> Steps {
    let (org, entries) = book.chain(dice);
    let row = &entries[index(dice, entries.len())];
    let column = index(dice, row.len());
    let value = altered(dice, &AuditEntry::TABLE.columns[column], &row[column])?;
    Some(vec![set(org, row, column, value)])
}

pub(super) fn flipped(book: &Book, dice: &mut Dice) -> Steps {
    let (org, entries) = book.chain(dice);
    let row = &entries[index(dice, entries.len())];
    let columns = [COLUMNS.hash.index(), COLUMNS.digest.index(), COLUMNS.changes_hash.index()];
    let column = *dice.pick(&columns)?;
    let Value::Bytes(bytes) = &row[column] else { return None };
    Some(vec![set(org, row, column, Value::Bytes(flip(dice, bytes)))])
}

/// Two different entries of one chain.
fn two<'a>(entries: &'a [Row], dice: &mut Dice) -> Option<(&'a Row, &'a Row)> {
    let (one, other) = (&entries[index(dice, entries.len())], &entries[index(dice, entries.len())]);
    (one != other).then_some((one, other))
}

pub(super) fn swapped(book: &Book, dice: &mut Dice) -> Steps {
    let (org, entries) = book.chain(dice);
    let (one, other) = two(entries, dice)?;
    let column = COLUMNS.seq.index();
    let mut steps = vec![set(org, one, column, Value::Null)];
    steps.push(set(org, other, column, Value::Int(seq(one))));
    steps.push(set(org, one, column, Value::Int(seq(other))));
    // With the hashes of their places, or with their own.
    if dice.once_in(2) {
        steps.push(set(org, one, COLUMNS.hash.index(), Value::Bytes(hash(other))));
        steps.push(set(org, other, COLUMNS.hash.index(), Value::Bytes(hash(one))));
    }
    Some(steps)
}

pub(super) fn contents_swapped(book: &Book, dice: &mut Dice) -> Steps {
    let (org, entries) = book.chain(dice);
    let (one, other) = two(entries, dice)?;
    let differ = one[COLUMNS.changes_hash.index()] != other[COLUMNS.changes_hash.index()];
    differ.then(|| contents(org, one, other).into_iter().chain(contents(org, other, one)).collect())
}

pub(super) fn delete(org: i64, row: &Row) -> Step {
    Step::Delete { table: AuditEntry::TABLE, org: Some(org), id: AuditEntry::TABLE.id(row) }
}

/// Any entry but the last; see [`cut`].
pub(super) fn deleted(book: &Book, dice: &mut Dice) -> Steps {
    let (org, entries) = book.chain(dice);
    Some(vec![delete(org, &entries[index(dice, entries.len() - 1)])])
}

pub(super) fn cut(book: &Book, dice: &mut Dice) -> Steps {
    let (org, entries) = book.chain(dice);
    let left = entries.len() - 1 - index(dice, entries.len().min(20));
    Some(entries[left..].iter().map(|row| delete(org, row)).collect())
}

/// A copy of an entry under another id at the end of the chain, with a digest of nothing.
fn forged(dice: &mut Dice, entries: &[Row], of: &Row) -> Option<Row> {
    let mut row = of.clone();
    // Before the entry that it is a copy of, or after it.
    row[0] = Value::Id(Uuid::from_u128(of[0].as_id()?.as_u128() ^ u128::from(dice.roll(u64::MAX))));
    row[COLUMNS.seq.index()] = Value::Int(seq(entries.last()?) + 1);
    row[COLUMNS.digest.index()] = Value::Bytes(vec![7; 32]);
    Some(row)
}

pub(super) fn appended(book: &Book, dice: &mut Dice) -> Steps {
    let (org, entries) = book.chain(dice);
    let of = dice.pick(entries)?;
    let row = forged(dice, entries, of)?;
    Some(vec![Step::Insert { table: AuditEntry::TABLE, org: Some(org), row }])
}

/// About a record that is there: of a version that it had, or of the next one, as which it should be there now.
pub(super) fn appended_with_hash(book: &Book, dice: &mut Dice, which: impl Fn(&Row) -> bool) -> Steps {
    let (org, entries) = book.chain(dice);
    let candidates: Vec<&Row> = entries.iter().filter(|entry| which(entry)).collect();
    let of = *dice.pick(&candidates)?;
    let mut row = forged(dice, entries, of)?;
    let record = row[COLUMNS.record_id.index()].clone();
    let of_record = || entries.iter().filter(|entry| entry[COLUMNS.record_id.index()] == record);
    let version = of_record().filter_map(|entry| entry[COLUMNS.record_version.index()].as_int()).max()?;
    if of_record().any(|entry| entry[COLUMNS.action.index()].as_text() == Some("delete")) {
        return None;
    }
    let versions = u64::try_from(version).ok()? + 1;
    row[COLUMNS.record_version.index()] = Value::Int(1 + i64::try_from(dice.roll(versions)).ok()?);
    let last = entries.last()?;
    let mut rows = [row];
    audit::seal(Link { seq: seq(last), hash: hash(last) }, &mut rows);
    let [row] = rows;
    Some(vec![Step::Insert { table: AuditEntry::TABLE, org: Some(org), row }])
}

/// Whether an entry is about a user, of whom other chains may know more.
pub(super) fn of_user(entry: &Row) -> bool {
    entry[COLUMNS.entity.index()].as_text() == Some(User::TABLE.entity)
}

/// The entries from a place on, each with the number that follows its own; the last one first, as uniqueness demands.
fn shift(org: i64, entries: &[Row], from: usize) -> Vec<Step> {
    let shifted = entries[from..].iter().rev();
    shifted.map(|row| set(org, row, COLUMNS.seq.index(), Value::Int(seq(row) + 1))).collect()
}

pub(super) fn put_between(book: &Book, dice: &mut Dice) -> Steps {
    let (org, entries) = book.chain(dice);
    let place = entries.len() - 1 - index(dice, entries.len().min(20));
    let of = dice.pick(entries)?;
    let mut row = forged(dice, entries, of)?;
    row[COLUMNS.seq.index()] = Value::Int(seq(&entries[place]));
    let mut steps = shift(org, entries, place);
    steps.push(Step::Insert { table: AuditEntry::TABLE, org: Some(org), row });
    Some(steps)
}

pub(super) fn renumbered(book: &Book, dice: &mut Dice) -> Steps {
    let (org, entries) = book.chain(dice);
    Some(shift(org, entries, entries.len() - 1 - index(dice, entries.len().min(20))))
}

/// With the number that it had, or the next one of the other chain.
pub(super) fn moved(book: &Book, dice: &mut Dice) -> Steps {
    let (from, entries) = book.chain(dice);
    let row = &entries[index(dice, entries.len())];
    let to = book.other(from)?;
    let mut steps = Vec::new();
    if dice.once_in(2) {
        let others = book.rows.iter().find(|of| of.table == AuditEntry::TABLE && of.org == Some(to))?;
        steps.push(set(
            from,
            row,
            COLUMNS.seq.index(),
            Value::Int(seq(others.rows.last()?).max(seq(entries.last()?)) + 1),
        ));
    }
    steps.push(Step::Move { from, to, id: AuditEntry::TABLE.id(row) });
    Some(steps)
}

/// Changes who did something, and every hash from there on.
pub(super) fn written_anew(book: &Book, dice: &mut Dice) -> Steps {
    let (org, entries) = book.chain(dice);
    let place = entries.len() - 1 - index(dice, entries.len().min(20));
    let last =
        place.checked_sub(1).map_or_else(Link::default, |at| Link { seq: seq(&entries[at]), hash: hash(&entries[at]) });
    let mut rows = entries[place..].to_vec();
    rows[0][COLUMNS.actor_id.index()] = Value::Id(random_id(dice));
    let mut steps = vec![set(org, &rows[0], COLUMNS.actor_id.index(), rows[0][COLUMNS.actor_id.index()].clone())];
    audit::seal(last, &mut rows);
    steps.extend(rows.iter().map(|row| set(org, row, COLUMNS.hash.index(), row[COLUMNS.hash.index()].clone())));
    Some(steps)
}
