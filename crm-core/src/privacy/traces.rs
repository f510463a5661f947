//! What else keeps traces of a contact: the audit's entries from when a record came to be about it, the results of
//! idempotency keys, and what knows the contact by the e-mail address alone: the log of API keys' requests, and
//! invitations.
//!
//! An address that is also a user's makes no difference: who asked or was invited under it is taken to be the contact.
//! The user's account is nobody's contact, stays as it is, and ends by the commands of members and users.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde_json::Value as Json;
use uuid::Uuid;

use super::reach::{Reach, Reached, reached_tables};
use crate::access::{ApiRequest, Idempotency, Invitation};
use crate::audit::{Action, AuditEntry};
use crate::crm::Session;
use crate::entity::{Entity as _, Stored, Table};
use crate::error::CrmError;
use crate::row::Row;
use crate::store::{ChangeSet, Expr, Forgotten, Operand, Select};
use crate::value::Email;

/// How many rows are read at a time.
const PAGE: u32 = 1_000;

/// What a record refers to: the values of the columns that can make it be about a contact.
type Ties = BTreeMap<usize, Option<Uuid>>;

/// The columns of a reached table that can make its records be about a contact.
fn ties(reached: &Reached) -> impl Iterator<Item = usize> {
    reached.contact.into_iter().chain(reached.parents.iter().map(|(at, _)| *at))
}

fn id_of(json: Option<&Json>) -> Option<Uuid> {
    json.and_then(Json::as_str).and_then(|text| Uuid::parse_str(text).ok())
}

/// The version since which a record is about the contact or nobody, by its entries, the latest first; 0 since its beginning.
fn since(reached: &Reached, now: Ties, entries: &[Stored<AuditEntry>], about: &HashSet<Uuid>, contact: Uuid) -> i64 {
    let mut ties_then = now;
    for entry in entries {
        let changes = entry.changes.as_ref().and_then(|changes| changes.json().ok());
        let Some(Json::Object(changes)) = changes else { continue };
        for at in ties(reached) {
            let told = changes.get(reached.table.columns[at].name);
            match (entry.action, told) {
                (Action::Delete, told) => drop(ties_then.insert(at, id_of(told))),
                (Action::Update, Some(Json::Array(values))) => drop(ties_then.insert(at, id_of(values.first()))),
                _ => {}
            }
        }
        let own = reached.contact.and_then(|at| ties_then.get(&at).copied().flatten());
        let is_about =
            own.map_or_else(|| ties_then.values().flatten().any(|id| about.contains(id)), |own| own == contact);
        // What was about nobody yet went with it when it came to be about the contact.
        if !is_about && ties_then.values().any(Option::is_some) {
            return entry.record_version;
        }
    }
    0
}

impl Session<'_> {
    /// Finds for each record since which version it is about the contact or nobody: what the audit tells of it from before that is
    /// not the contact's.
    pub(super) async fn look_back(&self, reach: &Reach, forgotten: &mut [Forgotten]) -> Result<(), CrmError> {
        let about: HashSet<Uuid> = reach.ids().into_iter().collect();
        let ids: Vec<Uuid> =
            forgotten.iter().filter(|of| of.table.version_position().is_some()).map(|of| of.id).collect();
        let mut entries: BTreeMap<Uuid, Vec<Stored<AuditEntry>>> = BTreeMap::new();
        for row in self.naming(AuditEntry::TABLE, AuditEntry::COLUMNS.record_id.index(), &ids).await? {
            let entry = Stored::<AuditEntry>::from_row(row)?;
            entries.entry(entry.record_id).or_default().push(entry);
        }
        for of in forgotten {
            let reached = reached_tables().iter().find(|reached| reached.table == of.table);
            let (Some(reached), Some(mut entries)) = (reached, entries.remove(&of.id)) else { continue };
            // A record is deleted at the version that it had.
            entries.sort_by_key(|entry| std::cmp::Reverse((entry.record_version, entry.action == Action::Delete)));
            let row = reach.groups.iter().find_map(|group| group.rows.get(&of.id)).map(|(row, _)| row);
            let tie = |at: usize| (at, row.and_then(|row| row[at].as_id()));
            of.since = since(reached, ties(reached).map(tie).collect(), &entries, &about, reach.id.uuid());
        }
        Ok(())
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

    /// The logged requests of somebody with this address.
    pub(super) async fn requests_of(&self, email: Option<&str>) -> Result<Vec<Row>, CrmError> {
        self.addressed(ApiRequest::TABLE, ApiRequest::COLUMNS.email.index(), email).await
    }

    /// The invitations of somebody with this address, standing or ended.
    pub(super) async fn invitations_of(&self, email: Option<&str>) -> Result<Vec<Row>, CrmError> {
        self.addressed(Invitation::TABLE, Invitation::COLUMNS.email.index(), email).await
    }

    /// The rows that hold an address in a column, however it is written there.
    async fn addressed(&self, table: &'static Table, column: usize, email: Option<&str>) -> Result<Vec<Row>, CrmError> {
        let Some(email) = email else { return Ok(Vec::new()) };
        let there = Expr::Not(Box::new(Expr::IsNull(Operand::Column(column))));
        let mut query = Select::new(table, there).limited(PAGE);
        let mut found = Vec::new();
        loop {
            let page = self.store().select(self.scope(), &query).await?;
            let Some(last) = page.last() else { return Ok(found) };
            query.after = Some(query.place(last));
            let theirs = |row: &Row| {
                let held = row[column].as_text().and_then(|text| text.parse::<Email>().ok());
                held.is_some_and(|held| held.key() == email)
            };
            found.extend(page.into_iter().filter(theirs));
        }
    }

    /// What idempotency keys have kept of these records.
    async fn results_of(&self, ids: &[Uuid]) -> Result<Vec<Row>, CrmError> {
        let columns = Idempotency::COLUMNS;
        let mut found = self.naming(Idempotency::TABLE, columns.record_id.index(), ids).await?;
        let ids: BTreeSet<Uuid> = ids.iter().copied().collect();
        // Results that are older than the column name their records themselves.
        let mut query = Select::new(Idempotency::TABLE, columns.record_id.is_null().into()).limited(PAGE);
        loop {
            let page = self.store().select(self.scope(), &query).await?;
            let Some(last) = page.last() else { return Ok(found) };
            query.after = Some(query.place(last));
            for row in page {
                let result = row[columns.result.index()].as_text().and_then(|text| serde_json::from_str(text).ok());
                let id = result.as_ref().and_then(|result: &Json| Uuid::parse_str(result.get("id")?.as_str()?).ok());
                if id.is_some_and(|id| ids.contains(&id)) {
                    found.push(row);
                }
            }
        }
    }
}
