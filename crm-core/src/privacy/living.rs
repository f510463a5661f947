//! Nothing personal is written about a contact that was erased.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::PrivacyError;
use super::reach::{Reached, reached_tables};
use crate::audit::ERASING;
use crate::billing::Allocation;
use crate::crm::Session;
use crate::entity::{Entity, Flags, Stored, Table};
use crate::error::CrmError;
use crate::id::Id;
use crate::people::Contact;
use crate::row::{Row, Value};
use crate::sales::StageChange;
use crate::store::{Change, ChangeSet, Guard};

/// What is written about erased contacts all the same, and says nothing of a person: what a bank did is a fact, and a deal
/// may end.
const ALWAYS: [&str; 2] = [Allocation::TABLE.name, StageChange::TABLE.name];

/// Whether changes may be written while the contacts that they are about are being erased.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meanwhile {
    /// They are decided again then.
    No,
    /// As in an import, which others would otherwise stop by changing any contact; a second erasure finds what came in.
    Yes,
}

/// Refuses a contact that was erased, before its fields are judged.
pub(crate) fn require_unerased<E: Entity>(record: &Stored<E>) -> Result<(), PrivacyError> {
    let erased = *E::TABLE == *Contact::TABLE && !record.to_row()[Contact::COLUMNS.erased_at.index()].is_null();
    if erased { Err(PrivacyError::Erased(Id::new(record.id.uuid()))) } else { Ok(()) }
}

/// The contacts that changes are about, and the records by which they are found.
#[derive(Default)]
struct About {
    contacts: BTreeSet<Uuid>,
    records: BTreeMap<&'static str, (&'static Table, BTreeSet<Uuid>)>,
}

impl About {
    /// Goes from a row to what it refers to.
    fn climb(&mut self, reached: &Reached, row: &Row) {
        if let Some(contact) = reached.contact.and_then(|at| row[at].as_id()) {
            self.contacts.insert(contact);
            return;
        }
        for (at, parent) in &reached.parents {
            if let Some(id) = row[*at].as_id() {
                self.records.entry(parent.name).or_insert_with(|| (parent, BTreeSet::new())).1.insert(id);
            }
        }
    }
}

/// Whether an update says anything new of a person, or of another one.
fn says(reached: &Reached, before: &Row, after: &Row) -> bool {
    let columns = reached.table.columns.iter().zip(before.iter().zip(after)).enumerate();
    columns.into_iter().any(|(at, (column, (before, after)))| {
        let refers = reached.contact == Some(at) || reached.parents.iter().any(|(parent, _)| *parent == at);
        before != after && !after.is_null() && (refers || column.flags.contains(Flags::PERSONAL))
    })
}

impl Session<'_> {
    /// Refuses changes of contacts that were erased and of what is about them, and demands that the contacts are not being
    /// erased meanwhile. What idempotency keys have kept of contacts that are deleted goes with them.
    ///
    /// # Errors
    /// [`PrivacyError::Erased`].
    pub(crate) async fn require_living(&self, changes: &mut ChangeSet, meanwhile: Meanwhile) -> Result<(), CrmError> {
        if changes.stamp.command == ERASING {
            return Ok(());
        }
        let erased_at = Contact::COLUMNS.erased_at.index();
        let refused = |id: Uuid| CrmError::from(PrivacyError::Erased(Id::new(id)));
        let tables = reached_tables();
        let (mut about, mut deleted) = (About::default(), Vec::new());
        for change in &changes.changes {
            match change {
                Change::Update { table, before, .. } if **table == *Contact::TABLE => {
                    if !before[erased_at].is_null() {
                        return Err(refused(table.id(before)));
                    }
                }
                Change::Insert { table, row } if !ALWAYS.contains(&table.name) => {
                    let reached = tables.iter().find(|reached| reached.table == *table);
                    if let Some(reached) = reached {
                        about.climb(reached, row);
                    }
                }
                Change::Update { table, before, after } => {
                    let reached = tables.iter().find(|reached| reached.table == *table);
                    if let Some(reached) = reached.filter(|reached| says(reached, before, after)) {
                        about.climb(reached, after);
                    }
                }
                Change::Delete { table, before } if **table == *Contact::TABLE => deleted.push(table.id(before)),
                Change::Insert { .. } | Change::Delete { .. } => {}
            }
        }
        if !deleted.is_empty() {
            self.forget_results(&deleted, changes).await?;
        }
        while let Some((_, (table, ids))) = about.records.pop_first() {
            let Some(reached) = tables.iter().find(|reached| reached.table == table) else { continue };
            let mut elsewhere = Vec::new();
            for id in ids {
                match changes.written(table, id).cloned() {
                    Some(row) => about.climb(reached, &row),
                    None => elsewhere.push(id),
                }
            }
            if !elsewhere.is_empty() {
                let rows = self.store().fetch(self.scope(), table, &elsewhere).await?;
                for row in &rows {
                    about.climb(reached, row);
                }
            }
        }
        // Contacts that the changes write themselves were looked at above.
        let contacts: Vec<Uuid> =
            about.contacts.into_iter().filter(|id| changes.written(Contact::TABLE, *id).is_none()).collect();
        if contacts.is_empty() {
            return Ok(());
        }
        for row in self.store().fetch(self.scope(), Contact::TABLE, &contacts).await? {
            let (id, version) = (Contact::TABLE.id(&row), Contact::TABLE.version(&row));
            if row[erased_at] != Value::Null {
                return Err(refused(id));
            }
            if meanwhile == Meanwhile::No {
                changes.guards.push(Guard { table: Contact::TABLE, id, version });
            }
        }
        Ok(())
    }
}
