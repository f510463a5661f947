//! The audit: what was done, derived from change-sets and chained so that tampering shows.
//!
//! Nobody writes entries: [`entries`] derives them inside a store's `apply`, in the same transaction.
//! Each entry carries the changed fields (secret and derived columns never), a hash of them, and a digest
//! of the whole row afterwards. Sealing gives an entry its sequence number and
//! `hash = SHA-256(hash of the previous entry, its own contents)`, one chain per organization. The contents
//! go in by their hash, so that erasing the personal values of an entry leaves the chain whole. Hashes of few
//! words could be guessed, so each begins with a salt of the entry, which goes with the contents.
//!
//! What is promised: SQLite and the memory store seal within the transaction. On PostgreSQL one chain head
//! per organization would make all its writers queue, so entries are sealed in batches shortly after;
//! until then an entry is written all or nothing with its change, and one that is removed is missed by verification alone,
//! which demands an entry for each version of a record and the digest of the row that is there: a record that is removed
//! together with all its unsealed entries leaves no trace.

mod users;
mod verify;

use std::collections::HashMap;

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

pub use users::verify_users;
pub use verify::{Finding, Head, Verification, verify};

use crate::context::{Actor, Seed};
use crate::encode::{write_text, write_value};
use crate::entity::{Entity as _, Flags, Stored, Table};
use crate::id::Id;
use crate::row::{Row, Value};
use crate::store::{Change, ChangeSet, Seal, Stamp};
use crate::value::{Document, Instant, ValueError};

/// How many bytes a salt has.
const SALT: usize = 16;

/// The command after which the contents of a record's earlier entries may be gone.
pub(crate) const ERASING: &str = "contact.erase";

/// Where an erasing entry says from which version on the entries before it may be gone; without it, all may.
pub(crate) const FORGOTTEN_SINCE: &str = "forgotten_since";

crate::choice! {
    /// What kind of actor did something.
    pub enum ActorKind {
        /// A member.
        User = "user",
        /// The program itself.
        System = "system",
        /// An API key.
        Key = "key",
    }
}

crate::choice! {
    /// What happened to a record.
    pub enum Action {
        /// It was created.
        Insert = "insert",
        /// It was changed.
        Update = "update",
        /// It was deleted.
        Delete = "delete",
    }
}

crate::entity! {
    /// One change of one record, as the audit keeps it.
    pub struct AuditEntry: "audit_entry" in "crm_audit_entry" as Entry, Organization, unaudited {
        /// Counts the organization's sealed entries, from 1.
        pub seq: Option<i64> [SERVER_OWNED],
        /// When it happened.
        pub at: Instant [SERVER_OWNED],
        /// What kind of actor did it.
        pub actor_kind: ActorKind [SERVER_OWNED],
        /// Who did it; the system has no id.
        pub actor_id: Option<Uuid> [SERVER_OWNED],
        /// The command that did it.
        pub command: String [SERVER_OWNED],
        /// What kind of record it happened to.
        pub entity: String [SERVER_OWNED],
        /// Which record.
        pub record_id: Uuid [SERVER_OWNED],
        /// What happened.
        pub action: Action [SERVER_OWNED],
        /// The record's version afterwards, or before it was deleted.
        pub record_version: i64 [SERVER_OWNED],
        /// The values of an insert or delete, or old and new values of an update; absent once erased.
        pub changes: Option<Document> [SERVER_OWNED PERSONAL],
        /// SHA-256 of the salt and `changes` as it was written.
        pub changes_hash: Vec<u8> [SERVER_OWNED],
        /// SHA-256 of the salt and the record's row afterwards, or before it was deleted.
        pub digest: Vec<u8> [SERVER_OWNED],
        /// Chains the entry to the one before it, once sealed.
        pub hash: Option<Vec<u8>> [SERVER_OWNED],
        /// What the hashes of the contents begin with, so that they cannot be guessed; absent once erased, and in entries
        /// older than it.
        pub salt: Option<Vec<u8>> [SERVER_OWNED PERSONAL],
    }
    columns AuditEntryColumns;
    derived { }
    unique { "crm_audit_entry_seq": [seq] }
    index { "crm_audit_entry_record": [record_id, at, id] }
}

impl crate::crud::Rules for AuditEntry {}

impl crate::Session<'_> {
    /// Seals what is not sealed yet and verifies the organization's audit, against an anchored head if one is
    /// given.
    ///
    /// # Errors
    /// When the role may not, or the store fails; what is wrong with the data is among the findings.
    pub async fn verify(&self, anchor: Option<&Head>) -> Result<Verification, crate::CrmError> {
        self.refresh().await?;
        let (operation, _) = self.granted(AuditEntry::TABLE.entity, "verify")?;
        let mut seal = ChangeSet::new(self.context().stamp(operation));
        seal.seal = Some(Seal { limit: u32::MAX });
        self.store().apply(self.scope(), seal).await?;
        Ok(verify(self.store(), self.scope(), anchor).await?)
    }
}

/// The entries of a change-set whose deferred values are resolved, unsealed. Called by stores.
pub fn entries(changes: &ChangeSet) -> Vec<Row> {
    let mut text = String::with_capacity(512);
    let forgotten: HashMap<Uuid, i64> = changes.forgotten.iter().map(|of| (of.id, of.since)).collect();
    let mut rows: Vec<Row> = changes
        .changes
        .iter()
        .filter(|change| change.table().audited)
        .enumerate()
        .map(|(index, change)| {
            let (table, row) = (change.table(), change.row());
            text.clear();
            write_changes(&mut text, change, forgotten.get(&change.id()).copied());
            let action = match change {
                Change::Insert { .. } => Action::Insert,
                Change::Update { .. } => Action::Update,
                Change::Delete { .. } => Action::Delete,
            };
            let about = About { table, id: table.id(row), version: table.version(row), action, row };
            entry(&changes.stamp, index, &about, &text).to_row()
        })
        .collect();
    // A record that was deleted before is changed no more; the entry accounts for the contents that go.
    for forgotten in &changes.forgotten {
        let Some(version) = forgotten.deleted_at else { continue };
        let about = About { table: forgotten.table, id: forgotten.id, version, action: Action::Update, row: &[] };
        text.clear();
        text.push('{');
        write_since(&mut text, forgotten.since);
        text.push('}');
        rows.push(entry(&changes.stamp, rows.len(), &about, &text).to_row());
    }
    #[cfg(feature = "testing")]
    crate::testing::trace::written(changes, &rows);
    rows
}

/// What an entry is about.
struct About<'a> {
    table: &'static Table,
    id: Uuid,
    version: i64,
    action: Action,
    row: &'a [Value],
}

/// The salt of a change-set's entry: from none of them can another be told.
fn salt(seed: &Seed, index: usize) -> [u8; SALT] {
    let mut hash = Sha256::new();
    hash.update(seed.bytes());
    hash.update((index as u64).to_le_bytes());
    let mut salt = [0; SALT];
    salt.copy_from_slice(&hash.finalize()[..SALT]);
    salt
}

/// SHA-256 of the salt, if there is one, and an entry's contents.
fn changes_hash(salt: Option<&[u8]>, changes: &str) -> Vec<u8> {
    let mut hash = Sha256::new();
    hash.update(salt.unwrap_or_default());
    hash.update(changes);
    hash.finalize().to_vec()
}

fn entry(stamp: &Stamp, index: usize, about: &About<'_>, changes: &str) -> Stored<AuditEntry> {
    let About { table, id, version, action, row } = *about;
    let salt = salt(&stamp.seed, index);
    Stored {
        id: Id::new(Uuid::from_u128(stamp.id.as_u128().wrapping_add(index as u128))),
        version: 1,
        created_at: stamp.at,
        created_by: None,
        updated_at: stamp.at,
        archived_at: None,
        value: AuditEntry {
            seq: None,
            at: stamp.at,
            actor_kind: match stamp.actor {
                Actor::User(_) => ActorKind::User,
                Actor::Key { .. } => ActorKind::Key,
                Actor::System => ActorKind::System,
            },
            actor_id: stamp.actor.id(),
            command: stamp.command.to_owned(),
            entity: table.entity.to_owned(),
            record_id: id,
            action,
            record_version: version,
            changes_hash: changes_hash(Some(&salt), changes),
            changes: Some(Document::from_canonical(changes.to_owned())),
            digest: digest(table, row, Some(&salt)),
            hash: None,
            salt: Some(salt.to_vec()),
        },
    }
}

/// Whether a column's values stand in entries.
const fn told(flags: Flags) -> bool {
    !flags.contains(Flags::SECRET) && !flags.contains(Flags::DERIVED) && !flags.contains(Flags::COUNTER)
}

/// Writes from which version on entries are forgotten, if not from the first.
fn write_since(out: &mut String, since: i64) {
    if since > 0 {
        write_text(out, FORGOTTEN_SINCE);
        out.push(':');
        out.push_str(&since.to_string());
    }
}

/// Writes the JSON object of changed fields: `{"name":"Ana"}`, or `{"name":["Ana","Eva"]}` for an update. Of a record whose
/// past is forgotten since a version, what personal fields had before stands as `null`.
fn write_changes(out: &mut String, change: &Change, forgotten: Option<i64>) {
    let table = change.table();
    let before = match change {
        Change::Update { before, .. } => Some(before),
        _ => None,
    };
    let version = table.version_position();
    let updated = table.updated_position();
    out.push('{');
    let empty = out.len();
    write_since(out, forgotten.unwrap_or(0));
    for (at, (column, value)) in table.columns.iter().zip(change.row()).enumerate() {
        let old = before.map(|row| &row[at]);
        // The id, the version and the instant stand in the entry itself.
        let elsewhere = at == 0 || Some(at) == version || Some(at) == updated;
        if elsewhere || !told(column.flags) || old.map_or_else(|| value.is_null(), |old| old == value) {
            continue;
        }
        if out.len() > empty {
            out.push(',');
        }
        write_text(out, column.name);
        out.push(':');
        if let Some(old) = old {
            let hidden = forgotten.is_some() && column.flags.contains(Flags::PERSONAL);
            out.push('[');
            write_value(out, column.kind, if hidden { &Value::Null } else { old });
            out.push(',');
            write_value(out, column.kind, value);
            out.push(']');
        } else {
            write_value(out, column.kind, value);
        }
    }
    out.push('}');
}

/// SHA-256 of the salt, if there is one, and a row: of the names and values of its columns, but for counters and derived ones. What a column that is
/// added later starts from, absent, zero or false, is left out, so that a migration leaves digests as they are.
pub fn digest(table: &Table, row: &[Value], salt: Option<&[u8]>) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(512);
    bytes.extend_from_slice(salt.unwrap_or_default());
    for (column, value) in table.columns.iter().zip(row) {
        let initial = match value {
            Value::Null => true,
            // Where absent is another value, zero and false are told apart from it.
            Value::Int(0) | Value::Bool(false) => !column.nullable,
            _ => false,
        };
        if !initial && !column.flags.contains(Flags::COUNTER) && !column.flags.contains(Flags::DERIVED) {
            bytes.extend_from_slice(column.name.as_bytes());
            write_canonical(&mut bytes, value);
        }
    }
    Sha256::digest(&bytes).to_vec()
}

/// Appends a value so that no two lists of values give the same bytes.
fn write_canonical(out: &mut Vec<u8>, value: &Value) {
    let mut sized = |tag: u8, bytes: &[u8]| {
        out.push(tag);
        out.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
        out.extend_from_slice(bytes);
    };
    match value {
        Value::Null | Value::Deferred(_) => out.push(0),
        Value::Bool(truth) => sized(1, &[u8::from(*truth)]),
        Value::Int(number) => sized(2, &number.to_le_bytes()),
        Value::Text(text) => sized(3, text.as_bytes()),
        Value::Date(date) => sized(4, &crate::value::days_of(*date).to_le_bytes()),
        Value::Instant(instant) => sized(5, &instant.micros().to_le_bytes()),
        Value::Id(id) => sized(6, id.as_bytes()),
        Value::Bytes(bytes) => sized(7, bytes),
    }
}

/// The last sealed entry of an organization's chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its sequence number; 0 before the first entry.
    pub seq: i64,
    /// Its hash; 32 zero bytes before the first entry.
    pub hash: Vec<u8>,
}

impl Default for Link {
    fn default() -> Self {
        Self { seq: 0, hash: vec![0; 32] }
    }
}

/// Seals entries in this order after the chain's last link, and gives the new last link. Called by stores.
pub fn seal(last: Link, entries: &mut [Row]) -> Link {
    let columns = AuditEntry::COLUMNS;
    entries.iter_mut().fold(last, |last, row| {
        let seq = last.seq + 1;
        let hash = link_hash(&last.hash, seq, row);
        row[columns.seq.index()] = Value::Int(seq);
        row[columns.hash.index()] = Value::Bytes(hash.clone());
        Link { seq, hash }
    })
}

/// `SHA-256(previous hash, seq, every column but seq, changes, hash and salt)`.
fn link_hash(previous: &[u8], seq: i64, row: &[Value]) -> Vec<u8> {
    let columns = AuditEntry::COLUMNS;
    let left_out = [columns.seq.index(), columns.changes.index(), columns.hash.index(), columns.salt.index()];
    let mut bytes = Vec::with_capacity(320);
    bytes.extend_from_slice(previous);
    bytes.extend_from_slice(&seq.to_le_bytes());
    for (at, value) in row.iter().enumerate() {
        if !left_out.contains(&at) {
            write_canonical(&mut bytes, value);
        }
    }
    Sha256::digest(&bytes).to_vec()
}

/// Reads an anchored head, `SEQ:HASH`.
impl std::str::FromStr for Link {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let wrong = || ValueError::syntax("a head as SEQ:HASH", text);
        let (seq, hash) = text.trim().split_once(':').ok_or_else(wrong)?;
        if hash.len() != 64 || !hash.is_ascii() {
            return Err(wrong());
        }
        let bytes = (0..64).step_by(2).map(|at| u8::from_str_radix(&hash[at..at + 2], 16)).collect::<Result<_, _>>();
        Ok(Self { seq: seq.parse().map_err(|_| wrong())?, hash: bytes.map_err(|_| wrong())? })
    }
}

impl std::fmt::Display for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:", self.seq)?;
        self.hash.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sales::{StageChange, Tag};

    #[test]
    fn hashes_of_entries_older_than_their_salts_are_what_they_were() {
        let table = Tag::TABLE;
        let mut row = vec![Value::Null; table.columns.len()];
        row[1] = Value::Text("a".into());
        let mut bytes = b"name\x03".to_vec();
        bytes.extend_from_slice(&1_u64.to_le_bytes());
        bytes.push(b'a');
        assert_eq!(digest(table, &row, None), Sha256::digest(&bytes).to_vec());
        assert_eq!(changes_hash(None, "{}"), Sha256::digest("{}").to_vec());
        let seed = Seed::default();
        assert_ne!(salt(&seed, 0), salt(&seed, 1));
    }

    #[test]
    fn a_digest_tells_values_and_columns_apart_but_not_what_a_new_column_starts_from() {
        let table = StageChange::TABLE;
        let blank = vec![Value::Null; table.columns.len()];
        let with = |name: &str, value: Value| {
            let mut row = blank.clone();
            row[table.columns.iter().position(|column| column.name == name).unwrap()] = value;
            digest(table, &row, None)
        };
        // May be absent: zero is a value.
        assert_ne!(with("visit_seconds", Value::Int(0)), digest(table, &blank, None));
        // May not be absent: false is what a column that is added later starts from.
        assert_eq!(with("imported", Value::Bool(false)), digest(table, &blank, None));
        assert_ne!(with("imported", Value::Bool(true)), digest(table, &blank, None));
        let id = Value::Id(Uuid::from_u128(1));
        assert_ne!(with("from_stage_id", id.clone()), with("to_stage_id", id));
        let tag = vec![Value::Text("a".into()); Tag::TABLE.columns.len()];
        assert_ne!(digest(Tag::TABLE, &tag, None), digest(table, &blank, None));
        assert_ne!(digest(Tag::TABLE, &tag, None), digest(Tag::TABLE, &tag, Some(&[7; SALT])));
    }
}
