//! What else keeps traces of a contact: the audit's entries from when a record came to be about it, and the results of
//! idempotency keys.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde_json::{Map, Value as Json};
use uuid::Uuid;

use super::reach::{PAGE, Reach, Reached, reached_tables};
use crate::access::Idempotency;
use crate::audit::{Action, AuditEntry};
use crate::crm::Session;
use crate::encode::encode_row;
use crate::entity::{Entity as _, Stored, Table};
use crate::error::CrmError;
use crate::row::Row;
use crate::store::{ChangeSet, Expr, Forgotten, Select};

/// The values of a row by the names of their columns, as the audit tells them.
pub(super) fn fields(table: &Table, row: &Row) -> Map<String, Json> {
    serde_json::from_str(&encode_row(table, row)).unwrap_or_default()
}

/// What a record was before each of its entries, the latest first, with the entry's version. What the audit has forgotten
/// is as it is known from later.
pub(super) fn states(
    now: Map<String, Json>,
    entries: &[Stored<AuditEntry>],
) -> impl Iterator<Item = (i64, Map<String, Json>)> + '_ {
    entries.iter().scan(now, |then, entry| {
        let changes = entry.changes.as_ref().and_then(|changes| changes.json().ok());
        match (entry.action, changes) {
            (Action::Delete, Some(Json::Object(told))) => *then = told,
            (Action::Update, Some(Json::Object(told))) => {
                let before = |(name, values): (String, Json)| Some((name, values.as_array()?.first()?.clone()));
                then.extend(told.into_iter().filter_map(before));
            }
            _ => {}
        }
        Some((entry.record_version, then.clone()))
    })
}

fn id_of(json: Option<&Json>) -> Option<Uuid> {
    json.and_then(Json::as_str).and_then(|text| Uuid::parse_str(text).ok())
}

/// The version since which a record is about the contact or nobody, by its entries, the latest first; 0 since its beginning.
fn since(
    reached: &Reached,
    now: Map<String, Json>,
    entries: &[Stored<AuditEntry>],
    about: &HashSet<Uuid>,
    contact: Uuid,
) -> i64 {
    let is_anothers = |then: &Map<String, Json>| {
        let id_at = |at: usize| id_of(then.get(reached.table.columns[at].name));
        if let Some(own) = reached.contact.and_then(id_at) {
            return own != contact;
        }
        let mut parents = reached.parents.iter().filter_map(|(at, _)| id_at(*at)).peekable();
        // What was about nobody yet went with it when it came to be about the contact.
        parents.peek().is_some() && !parents.any(|id| about.contains(&id))
    };
    states(now, entries).find(|(_, then)| is_anothers(then)).map_or(0, |(version, _)| version)
}

impl Session<'_> {
    /// Finds for each record since which version it is about the contact or nobody: what the audit tells of it from before that is
    /// not the contact's.
    pub(super) async fn look_back(&self, reach: &Reach, forgotten: &mut [Forgotten]) -> Result<(), CrmError> {
        let about: HashSet<Uuid> = reach.ids().into_iter().collect();
        let ids: Vec<Uuid> =
            forgotten.iter().filter(|of| of.table.version_position().is_some()).map(|of| of.id).collect();
        let entries = self.entries_of(&ids).await?;
        for of in forgotten {
            let reached = reached_tables().iter().find(|reached| reached.table == of.table);
            let (Some(reached), Some(entries)) = (reached, entries.get(&of.id)) else { continue };
            let row = reach.groups.iter().find_map(|group| group.rows.get(&of.id));
            let now = row.map(|(row, _)| fields(of.table, row)).unwrap_or_default();
            of.since = since(reached, now, entries, &about, reach.id.uuid());
        }
        Ok(())
    }

    /// The audit's entries about these records, of each the latest first.
    pub(super) async fn entries_of(&self, ids: &[Uuid]) -> Result<BTreeMap<Uuid, Vec<Stored<AuditEntry>>>, CrmError> {
        let mut found: BTreeMap<Uuid, Vec<Stored<AuditEntry>>> = BTreeMap::new();
        for row in self.naming(AuditEntry::TABLE, AuditEntry::COLUMNS.record_id.index(), ids).await? {
            let entry = Stored::<AuditEntry>::from_row(row)?;
            found.entry(entry.record_id).or_default().push(entry);
        }
        for entries in found.values_mut() {
            // A record is deleted at the version that it had.
            entries.sort_by_key(|entry| std::cmp::Reverse((entry.record_version, entry.action == Action::Delete)));
        }
        Ok(found)
    }

    /// Empties what idempotency keys have kept of these records: whoever sends a command again under such a key is refused.
    pub(super) async fn forget_results(&self, ids: &[Uuid], changes: &mut ChangeSet) -> Result<(), CrmError> {
        for before in self.results_of(ids).await? {
            let kept = Stored::<Idempotency>::from_row(before.clone())?;
            if !kept.is_forgotten() {
                let after = Stored { value: kept.value.clone().forgotten(&**self.environment()), ..kept };
                changes.rewrite(Idempotency::TABLE, before, after.to_row());
            }
        }
        Ok(())
    }

    /// The rows of a table that fulfil a condition and are wanted, in the order of their ids.
    pub(super) async fn filtered(
        &self,
        table: &'static Table,
        filter: Expr,
        wanted: impl Fn(&Row) -> bool,
    ) -> Result<Vec<Row>, CrmError> {
        let mut query = Select::new(table, filter).limited(PAGE);
        let mut found = Vec::new();
        loop {
            let page = self.store().select(self.scope(), &query).await?;
            let Some(last) = page.last() else { return Ok(found) };
            query.after = Some(query.place(last));
            found.extend(page.into_iter().filter(&wanted));
        }
    }

    /// What idempotency keys have kept of these records.
    async fn results_of(&self, ids: &[Uuid]) -> Result<Vec<Row>, CrmError> {
        let columns = Idempotency::COLUMNS;
        let mut found = self.naming(Idempotency::TABLE, columns.record_id.index(), ids).await?;
        let ids: BTreeSet<Uuid> = ids.iter().copied().collect();
        // Results that are older than the column name their records themselves.
        let names_one = |row: &Row| {
            let result = row[columns.result.index()].as_text().and_then(|text| serde_json::from_str(text).ok());
            id_of(result.as_ref().and_then(|result: &Json| result.get("id"))).is_some_and(|id| ids.contains(&id))
        };
        found.extend(self.filtered(Idempotency::TABLE, columns.record_id.is_null().into(), names_one).await?);
        Ok(found)
    }
}
