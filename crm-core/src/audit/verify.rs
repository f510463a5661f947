//! Checks the audit: the chain, the entries, and the records against their last entries.

use std::collections::hash_map::Entry::{Occupied, Vacant};
use std::collections::{BTreeSet, HashMap};
use std::ops::RangeInclusive;

use uuid::Uuid;

use super::{Action, AuditEntry, ERASING, FORGOTTEN_SINCE, Link, changes_hash, digest, link_hash};
use crate::access::{Organization, User};
use crate::entity::{Entity as _, Stored, Table, Tenancy};
use crate::row::{Row, Value};
use crate::schema::TABLES;
use crate::store::{Aggregate, Direction, Expr, Measure, Operand, Order, Scope, Select, Store, StoreError, Totals};

/// How many entries or records are read at a time.
pub(super) const PAGE: u32 = 1_000;
/// How many findings are kept; more are only counted.
const KEPT: usize = 100;

/// The chain's end, to be kept elsewhere: a later [`verify`] given it finds a cut tail.
pub type Head = Link;

/// Something that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The kind of record, or `audit_entry`.
    pub entity: &'static str,
    /// The record or entry, if it can be told.
    pub id: Option<Uuid>,
    /// The entry's sequence number, for entries.
    pub seq: Option<i64>,
    /// What is wrong.
    pub problem: String,
}

/// What a verification found.
#[derive(Clone, Debug, Default)]
pub struct Verification {
    /// The chain's end.
    pub head: Head,
    /// How many entries were checked.
    pub entries: u64,
    /// How many entries are not sealed yet, so that only their contents could be checked.
    pub unsealed: u64,
    /// How many records were compared with their last entries.
    pub records: u64,
    /// How many problems were found.
    pub problems: u64,
    /// The first problems.
    pub findings: Vec<Finding>,
}

impl Verification {
    pub(super) fn find(
        &mut self,
        entity: &'static str,
        id: Option<Uuid>,
        seq: Option<i64>,
        problem: impl Into<String>,
    ) {
        self.problems += 1;
        if self.findings.len() < KEPT {
            self.findings.push(Finding { entity, id, seq, problem: problem.into() });
        }
    }
}

/// Checks an organization's audit: every hash of the chain, every entry's contents, every record against
/// its last entry and its derived columns against the others, that one entry tells of each of its versions, and that no
/// record is gone without an entry that deletes it. With an anchored head, that the chain goes through it. The organization itself is compared
/// with its last entry as well; its users only while no other chain knows a later version, which
/// [`verify_users`](super::verify_users) looks up.
///
/// # Errors
/// Only when the store fails; what is wrong with the data is among the findings.
pub async fn verify(store: &dyn Store, scope: Scope, anchor: Option<&Head>) -> Result<Verification, StoreError> {
    let mut report = Verification::default();
    chain(store, scope, anchor, &mut report).await?;
    unsealed(store, scope, &mut report).await?;
    for table in TABLES.iter().copied().filter(|table| table.audited) {
        if table.tenancy == Tenancy::Global {
            above(store, scope, table, &mut report).await?;
            continue;
        }
        let (records_before, problems_before) = (report.records, report.problems);
        let mut query = Select::new(table, Expr::True).limited(PAGE);
        loop {
            let rows = store.select(scope, &query).await?;
            let Some(last) = rows.last() else { break };
            query.after = Some(query.place(last));
            records(store, scope, table, rows, &mut report).await?;
        }
        // As many as were created and not deleted, and each with its entry: then none is gone.
        let there = i64::try_from(report.records - records_before).unwrap_or(i64::MAX);
        if problems_before != report.problems || there != expected(store, scope, table).await? {
            gone(store, scope, table, &mut report).await?;
        }
    }
    Ok(report)
}

/// The entries about a kind of record.
fn about(table: &Table) -> Expr {
    AuditEntry::COLUMNS.entity.eq(&table.entity.to_owned()).into()
}

/// How many records of a table there should be, by the entries that create and delete them.
async fn expected(store: &dyn Store, scope: Scope, table: &'static Table) -> Result<i64, StoreError> {
    let columns = AuditEntry::COLUMNS;
    let count = Aggregate::new(AuditEntry::TABLE, about(table))
        .measure_where(Measure::Count, columns.action.eq(&Action::Insert))
        .measure_where(Measure::Count, columns.action.eq(&Action::Delete));
    let answers = store.aggregate(scope, std::slice::from_ref(&count)).await?;
    let number = |at| answers.first().and_then(|rows| Some(Totals::new(&count, rows.first()?).number(at))).unwrap_or(0);
    Ok(number(0) - number(1))
}

/// Where the records are of which an organization's chain tells: what stands above organizations is there also when the
/// organization has nothing to do with it any more, such as a member who left.
const fn place(scope: Scope, table: &Table) -> Scope {
    match table.tenancy {
        Tenancy::Organization => scope,
        Tenancy::Global => Scope::SYSTEM,
    }
}

/// Finds the records that were created and are not there, although nothing deletes them.
pub(super) async fn gone(
    store: &dyn Store,
    scope: Scope,
    table: &'static Table,
    report: &mut Verification,
) -> Result<(), StoreError> {
    let columns = AuditEntry::COLUMNS;
    let created = about(table).and(columns.action.eq(&Action::Insert).into());
    let mut query = Select::new(AuditEntry::TABLE, created).limited(PAGE);
    loop {
        let entries = store.select(scope, &query).await?;
        let Some(last) = entries.last() else { return Ok(()) };
        query.after = Some(query.place(last));
        let mut missing: BTreeSet<Uuid> =
            entries.iter().filter_map(|entry| entry[columns.record_id.index()].as_id()).collect();
        let ids: Vec<Uuid> = missing.iter().copied().collect();
        for row in store.fetch(place(scope, table), table, &ids).await? {
            missing.remove(&table.id(&row));
        }
        let ids = missing.iter().copied().map(Value::Id).collect();
        let deleted = Expr::In(Operand::Column(columns.record_id.index()), ids)
            .and(about(table))
            .and(columns.action.eq(&Action::Delete).into());
        for entry in store.select(scope, &Select::new(AuditEntry::TABLE, deleted)).await? {
            entry[columns.record_id.index()].as_id().map(|id| missing.remove(&id));
        }
        for id in missing {
            report.find(table.entity, Some(id), None, "the record is gone, and no entry deletes it");
        }
    }
}

/// Compares the records of a table above organizations that the chain tells of, and the organization itself.
async fn above(
    store: &dyn Store,
    scope: Scope,
    table: &'static Table,
    report: &mut Verification,
) -> Result<(), StoreError> {
    let mut query = Select::new(AuditEntry::TABLE, about(table)).limited(PAGE);
    let mut known = BTreeSet::new();
    if *table == *Organization::TABLE {
        let own = Select::new(table, Organization::COLUMNS.key.eq(&scope.key()).into());
        known.extend(store.select(scope, &own).await?.iter().map(|row| table.id(row)));
    }
    loop {
        let entries = store.select(scope, &query).await?;
        let Some(last) = entries.last() else { break };
        query.after = Some(query.place(last));
        known.extend(entries.iter().filter_map(|entry| entry[AuditEntry::COLUMNS.record_id.index()].as_id()));
    }
    for ids in known.into_iter().collect::<Vec<_>>().chunks(PAGE as usize) {
        let rows = store.fetch(place(scope, table), table, ids).await?;
        records(store, scope, table, rows, report).await?;
    }
    gone(store, scope, table, report).await
}

pub(super) async fn chain(
    store: &dyn Store,
    scope: Scope,
    anchor: Option<&Head>,
    report: &mut Verification,
) -> Result<(), StoreError> {
    let columns = AuditEntry::COLUMNS;
    let sealed = (!columns.seq.is_null()).into_expr();
    let order = Order { column: columns.seq.index(), direction: Direction::Ascending };
    let mut query = Select::new(AuditEntry::TABLE, sealed).ordered(&[order]).limited(PAGE);
    loop {
        let rows = store.select(scope, &query).await?;
        let Some(last) = rows.last() else { break };
        query.after = Some(query.place(last));
        let mut emptied = Vec::new();
        for row in rows {
            report.entries += 1;
            let id = row[0].as_id();
            let seq = row[columns.seq.index()].as_int().unwrap_or(0);
            let expected = report.head.seq + 1;
            if seq != expected {
                let problem = format!("entries {expected} to {} are missing", seq - 1);
                report.find(AuditEntry::TABLE.entity, id, Some(seq), problem);
            }
            let hash = match &row[columns.hash.index()] {
                Value::Bytes(hash) => hash.clone(),
                _ => Vec::new(),
            };
            if hash != link_hash(&report.head.hash, seq, &row) {
                report.find(AuditEntry::TABLE.entity, id, Some(seq), "the entry or one before it was changed");
            }
            emptied.extend(contents(&row, seq, report));
            report.head = Link { seq, hash };
            if let Some(anchor) = anchor
                && anchor.seq == seq
                && anchor.hash != report.head.hash
            {
                report.find(AuditEntry::TABLE.entity, id, Some(seq), "the chain does not go through the anchored head");
            }
        }
        accounted(store, scope, &emptied, report).await?;
    }
    if let Some(anchor) = anchor
        && anchor.seq > report.head.seq
    {
        let problem = format!("the chain ends at {}, before the anchored head {}", report.head.seq, anchor.seq);
        report.find(AuditEntry::TABLE.entity, None, None, problem);
    }
    Ok(())
}

/// An entry whose contents are gone.
struct Emptied {
    id: Option<Uuid>,
    seq: i64,
    record: Uuid,
    version: i64,
}

/// Checks an entry's changed fields against their hash; an entry that has none any more is given back.
fn contents(row: &Row, seq: i64, report: &mut Verification) -> Option<Emptied> {
    let columns = AuditEntry::COLUMNS;
    let (id, salt) = (row[0].as_id(), salt(row));
    match (&row[columns.changes.index()], &row[columns.changes_hash.index()]) {
        (Value::Text(changes), Value::Bytes(hash)) if changes_hash(salt, changes) == *hash => None,
        (Value::Null, _) if salt.is_none() => Some(Emptied {
            id,
            seq,
            record: row[columns.record_id.index()].as_id()?,
            version: row[columns.record_version.index()].as_int()?,
        }),
        _ => {
            report.find(AuditEntry::TABLE.entity, id, Some(seq), "the changed fields were altered");
            None
        }
    }
}

fn salt(row: &Row) -> Option<&[u8]> {
    match &row[AuditEntry::COLUMNS.salt.index()] {
        Value::Bytes(salt) => Some(salt),
        _ => None,
    }
}

/// Demands an erasure of the record after each entry whose contents are gone, which says that it reached so far back. Versions tell what came after what: of two
/// members at work at once, the ids and instants of the later entry may be the smaller ones.
async fn accounted(
    store: &dyn Store,
    scope: Scope,
    emptied: &[Emptied],
    report: &mut Verification,
) -> Result<(), StoreError> {
    if emptied.is_empty() {
        return Ok(());
    }
    let columns = AuditEntry::COLUMNS;
    let records: BTreeSet<Uuid> = emptied.iter().map(|entry| entry.record).collect();
    let erasing = Expr::In(columns.record_id.operand(), records.into_iter().map(Value::Id).collect())
        .and(columns.command.eq(&ERASING.to_owned()).into());
    let mut erased: HashMap<Uuid, Vec<RangeInclusive<i64>>> = HashMap::new();
    for row in store.select(scope, &Select::new(AuditEntry::TABLE, erasing)).await? {
        let entry = Stored::<AuditEntry>::from_row(row)?;
        if let Some(changes) = &entry.changes {
            let since = changes.json().ok().and_then(|changes| changes.get(FORGOTTEN_SINCE)?.as_i64()).unwrap_or(0);
            erased.entry(entry.record_id).or_default().push(since..=entry.record_version);
        }
    }
    for entry in emptied {
        let erased = erased.get(&entry.record).into_iter().flatten();
        if !erased.into_iter().any(|versions| versions.contains(&entry.version)) {
            let problem = "the changed fields are gone, and nothing erased them";
            report.find(AuditEntry::TABLE.entity, entry.id, Some(entry.seq), problem);
        }
    }
    Ok(())
}

pub(super) async fn unsealed(store: &dyn Store, scope: Scope, report: &mut Verification) -> Result<(), StoreError> {
    let open = AuditEntry::COLUMNS.seq.is_null().into_expr();
    let mut query = Select::new(AuditEntry::TABLE, open).limited(PAGE);
    loop {
        let rows = store.select(scope, &query).await?;
        let Some(last) = rows.last() else { return Ok(()) };
        query.after = Some(query.place(last));
        let mut emptied = Vec::new();
        for row in rows {
            report.unsealed += 1;
            emptied.extend(contents(&row, 0, report));
        }
        accounted(store, scope, &emptied, report).await?;
    }
}

/// What entries tell of a record.
pub(super) struct Told {
    newest: Stored<AuditEntry>,
    /// The version that each entry left it at; of records that are written once, without the erasures.
    versions: Vec<i64>,
}

/// What the entries of some chains tell of records.
pub(super) struct Newest(HashMap<Uuid, Told>);

impl Newest {
    pub(super) fn new() -> Self {
        Self(HashMap::new())
    }

    /// Reads the entries of one chain about these records.
    pub(super) async fn read(
        &mut self,
        store: &dyn Store,
        scope: Scope,
        table: &'static Table,
        ids: &[Value],
    ) -> Result<(), StoreError> {
        let record = AuditEntry::COLUMNS.record_id.operand();
        let query = Select::new(AuditEntry::TABLE, Expr::In(record, ids.to_vec()));
        // Records that are written once have one version: an erasure of theirs comes last.
        let order = |entry: &AuditEntry| (entry.record_version, entry.command == ERASING);
        for entry in store.select(scope, &query).await? {
            let entry = Stored::<AuditEntry>::from_row(entry)?;
            if entry.entity != table.entity {
                continue;
            }
            let version =
                (table.version_position().is_some() || entry.command != ERASING).then_some(entry.record_version);
            match self.0.entry(entry.record_id) {
                Occupied(mut known) => {
                    let told = known.get_mut();
                    told.versions.extend(version);
                    if order(&entry) >= order(&told.newest) {
                        told.newest = entry;
                    }
                }
                Vacant(unknown) => {
                    unknown.insert(Told { versions: Vec::from_iter(version), newest: entry });
                }
            }
        }
        Ok(())
    }

    pub(super) fn of(&self, id: Uuid) -> Option<&Told> {
        self.0.get(&id)
    }
}

/// Compares records with their last entries. A user whom another chain knows at a later version is left to it.
async fn records(
    store: &dyn Store,
    scope: Scope,
    table: &'static Table,
    rows: Vec<Row>,
    report: &mut Verification,
) -> Result<(), StoreError> {
    let ids: Vec<Value> = rows.iter().map(|row| row[0].clone()).collect();
    let mut newest = Newest::new();
    newest.read(store, scope, table, &ids).await?;
    for row in rows {
        let told = newest.of(table.id(&row));
        if *table == *User::TABLE && told.is_some_and(|told| table.version(&row) > told.newest.record_version) {
            report.records += 1;
        } else {
            compare(table, &row, told, report);
        }
        if *table != *User::TABLE {
            complete(table, &row, told, report);
        }
    }
    Ok(())
}

/// Compares a record with its last entry, and its derived columns with the others.
pub(super) fn compare(table: &'static Table, row: &Row, told: Option<&Told>, report: &mut Verification) {
    report.records += 1;
    let id = table.id(row);
    match told.map(|told| &told.newest) {
        None => report.find(table.entity, Some(id), None, "the record has no entry"),
        Some(entry) if entry.action == Action::Delete => {
            report.find(table.entity, Some(id), None, "the record was deleted");
        }
        Some(entry) if entry.digest != digest(table, row, entry.salt.as_deref()) => {
            report.find(table.entity, Some(id), None, "the record is not as its last entry left it");
        }
        Some(_) => match (table.rederive)(row.clone()) {
            Ok(again) if again == *row => {}
            Ok(_) => report.find(table.entity, Some(id), None, "a derived column does not follow from the others"),
            Err(error) => report.find(table.entity, Some(id), None, error.to_string()),
        },
    }
}

/// Demands one entry about each version of a record, of all chains that tell of it.
pub(super) fn complete(table: &'static Table, row: &Row, told: Option<&Told>, report: &mut Verification) {
    let mut versions = told.map_or_else(Vec::new, |told| told.versions.clone());
    versions.sort_unstable();
    if let Some((version, expected)) = versions.into_iter().zip(1..).find(|(version, expected)| version != expected) {
        let entries = if version < expected { "more than one entry tells" } else { "no entry tells" };
        let problem = format!("{entries} of version {}", version.min(expected));
        report.find(table.entity, Some(table.id(row)), None, problem);
    }
}
