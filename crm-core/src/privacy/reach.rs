//! What is stored about a contact: the contact, and all records that refer to it or to one that does.
//!
//! A record that names a contact of its own is about that one alone, whatever else it refers to; the people who work at a
//! company are contacts of their own.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::LazyLock;

use serde_json::Value as Json;
use uuid::Uuid;

use crate::audit::{Action, AuditEntry};
use crate::crm::Session;
use crate::entity::{Entity as _, Stored, Table, Tenancy};
use crate::error::CrmError;
use crate::id::Id;
use crate::people::Contact;
use crate::row::{Row, Value};
use crate::schema::{self, TABLES};
use crate::store::{Expr, Operand, Select, StoreExt as _};

/// How many rows are read at a time.
pub(super) const PAGE: u32 = 1_000;
/// How many ids or keys one query names at most.
pub(super) const IDS: usize = 500;

/// A table whose records can be about a contact.
pub(crate) struct Reached {
    pub(crate) table: &'static Table,
    /// The column that names the contact itself, if the table has one.
    pub(crate) contact: Option<usize>,
    /// The columns that refer to other reached tables, with those tables.
    pub(crate) parents: Vec<(usize, &'static Table)>,
}

/// The tables whose records can be about a contact, parents before what refers to them; the contacts themselves excepted.
pub(crate) fn reached_tables() -> &'static [Reached] {
    static REACHED: LazyLock<Vec<Reached>> = LazyLock::new(follow_references);
    &REACHED
}

fn follow_references() -> Vec<Reached> {
    let mut all: Vec<Reached> = Vec::new();
    let tables = TABLES.iter().filter(|table| table.tenancy == Tenancy::Organization && ***table != *Contact::TABLE);
    for table in tables {
        let (mut contact, mut parents) = (None, Vec::new());
        for (at, column) in table.columns.iter().enumerate() {
            match column.target() {
                Some(target) if *target == *Contact::TABLE => contact = Some(at),
                Some(target) if all.iter().any(|reached| reached.table == target) => parents.push((at, target)),
                _ => {}
            }
        }
        if contact.is_some() || !parents.is_empty() {
            all.push(Reached { table, contact, parents });
        }
    }
    all
}

/// The records of one table that are about a contact.
pub(crate) struct Group {
    pub(crate) table: &'static Table,
    /// By id; whether the law wants the record kept as it is.
    pub(crate) rows: BTreeMap<Uuid, (Row, bool)>,
}

/// A record about a contact that was deleted.
pub(crate) struct Deleted {
    pub(crate) table: &'static Table,
    pub(crate) id: Uuid,
    pub(crate) version: i64,
}

/// Everything about a contact, deleted or not.
pub(crate) struct Reach {
    pub(crate) id: Id<Contact>,
    /// The contact; absent once it is deleted.
    pub(crate) contact: Option<Stored<Contact>>,
    /// What the entry that deleted the contact still tells of it.
    pub(crate) told: Option<Json>,
    pub(crate) groups: Vec<Group>,
    pub(crate) deleted: Vec<Deleted>,
}

impl Reach {
    /// The ids of all records, the contact's first.
    pub(crate) fn ids(&self) -> Vec<Uuid> {
        let there = self.groups.iter().flat_map(|group| group.rows.keys().copied());
        std::iter::once(self.id.uuid()).chain(there).chain(self.deleted.iter().map(|gone| gone.id)).collect()
    }

    /// The records of an entity.
    pub(crate) fn records<E: crate::entity::Entity>(&self) -> impl Iterator<Item = Result<Stored<E>, CrmError>> + '_ {
        let groups = self.groups.iter().filter(|group| *group.table == *E::TABLE);
        groups.flat_map(|group| group.rows.values()).map(|(row, _)| Ok(Stored::from_row(row.clone())?))
    }
}

/// The record was deleted: what its last entry knows of it.
struct Gone {
    reached: usize,
    id: Uuid,
    version: i64,
    contact: Option<Uuid>,
    parents: Vec<Uuid>,
}

/// A condition that a column holds one of the ids.
fn one_of(column: usize, ids: &[Uuid]) -> Expr {
    Expr::In(Operand::Column(column), ids.iter().copied().map(Value::Id).collect())
}

impl Session<'_> {
    /// Everything about a contact, read in pages.
    pub(crate) async fn reach(&self, id: Id<Contact>) -> Result<Reach, CrmError> {
        let not_found = || CrmError::NotFound { entity: Contact::TABLE.entity, reference: id.to_string() };
        let contact = self.store().get(self.scope(), id).await?;
        let end = match &contact {
            Some(_) => None,
            None => Some(self.deleting(id).await?.ok_or_else(not_found)?),
        };
        let mut groups: Vec<Group> = Vec::new();
        let tables = reached_tables();
        for reached in tables {
            let mut rows = BTreeMap::new();
            if let Some(column) = reached.contact {
                self.gather(reached.table, one_of(column, &[id.uuid()]), &mut rows).await?;
            }
            for (column, parent) in &reached.parents {
                let ids: Vec<Uuid> = groups
                    .iter()
                    .filter(|group| group.table == *parent)
                    .flat_map(|group| group.rows.keys().copied())
                    .collect();
                for ids in ids.chunks(IDS) {
                    let mut filter = one_of(*column, ids);
                    if let Some(contact) = reached.contact {
                        let nobodys = Expr::IsNull(Operand::Column(contact));
                        filter = filter.and(Expr::Or(vec![nobodys, one_of(contact, &[id.uuid()])]));
                    }
                    self.gather(reached.table, filter, &mut rows).await?;
                }
            }
            groups.push(Group { table: reached.table, rows });
        }
        let mut deleted = self.deleted(id, tables, &groups).await?;
        let told = end.as_ref().and_then(|end| end.changes.as_ref()?.json().ok());
        if let Some(end) = end.filter(|end| end.changes.is_some()) {
            deleted.insert(0, Deleted { table: Contact::TABLE, id: id.uuid(), version: end.record_version });
        }
        Ok(Reach { id, contact, told, groups, deleted })
    }

    /// The entry that deletes a contact.
    async fn deleting(&self, id: Id<Contact>) -> Result<Option<Stored<AuditEntry>>, CrmError> {
        let columns = AuditEntry::COLUMNS;
        let of_contact = columns.record_id.eq(&id.uuid()) & columns.entity.eq(&Contact::TABLE.entity.to_owned());
        let deleting = of_contact & columns.action.eq(&Action::Delete);
        Ok(self.store().first(self.scope(), Select::new(AuditEntry::TABLE, deleting.into())).await?)
    }

    /// Adds the rows that fulfil a condition, each with whether it is retained.
    pub(super) async fn gather(
        &self,
        table: &'static Table,
        filter: Expr,
        rows: &mut BTreeMap<Uuid, (Row, bool)>,
    ) -> Result<(), CrmError> {
        let retained = schema::retained(table);
        let mut query = Select::new(table, filter).limited(PAGE);
        loop {
            let page = self.store().select(self.scope(), &query).await?;
            let Some(last) = page.last() else { return Ok(()) };
            query.after = Some(query.place(last));
            let ids: Vec<Uuid> = page.iter().map(|row| table.id(row)).collect();
            let kept: HashSet<Uuid> = match &retained {
                Expr::False => HashSet::new(),
                Expr::True => ids.iter().copied().collect(),
                retained => {
                    let query = Select::new(table, one_of(0, &ids).and(retained.clone()));
                    self.store().select(self.scope(), &query).await?.iter().map(|row| table.id(row)).collect()
                }
            };
            for (id, row) in ids.into_iter().zip(page) {
                rows.insert(id, (row, kept.contains(&id)));
            }
        }
    }

    /// The records about the contact that were deleted, by the entries that delete them; not the parts of retained ones.
    async fn deleted(
        &self,
        contact: Id<Contact>,
        tables: &[Reached],
        groups: &[Group],
    ) -> Result<Vec<Deleted>, CrmError> {
        let gone = self.gone(tables).await?;
        // What a retained document was before it was binding is retained with it.
        let retained = |id: &Uuid| groups.iter().any(|group| group.rows.get(id).is_some_and(|(_, retained)| *retained));
        let kept = |gone: &Gone| {
            schema::retained(tables[gone.reached].table) != Expr::False && gone.parents.iter().any(retained)
        };
        let mut about: BTreeSet<Uuid> = groups.iter().flat_map(|group| group.rows.keys().copied()).collect();
        let mut found = HashMap::new();
        loop {
            let before = found.len();
            for (at, gone) in gone.iter().enumerate().filter(|(_, gone)| !kept(gone)) {
                let theirs = match gone.contact {
                    Some(theirs) => theirs == contact.uuid(),
                    None => gone.parents.iter().any(|id| about.contains(id)),
                };
                if theirs && found.insert(gone.id, at).is_none() {
                    about.insert(gone.id);
                }
            }
            if found.len() == before {
                break;
            }
        }
        let mut deleted: Vec<Deleted> = found
            .into_values()
            .map(|at| Deleted { table: tables[gone[at].reached].table, id: gone[at].id, version: gone[at].version })
            .collect();
        deleted.sort_by_key(|gone| gone.id);
        Ok(deleted)
    }

    /// Every deleted record of the tables whose contents the audit still knows.
    async fn gone(&self, tables: &[Reached]) -> Result<Vec<Gone>, CrmError> {
        let columns = AuditEntry::COLUMNS;
        let names: Vec<String> = tables.iter().map(|reached| reached.table.entity.to_owned()).collect();
        let deleting = columns.action.eq(&Action::Delete) & columns.entity.is_in(&names) & !columns.changes.is_null();
        let mut query = Select::new(AuditEntry::TABLE, deleting.into()).limited(PAGE);
        let mut all = Vec::new();
        loop {
            let page = self.store().select(self.scope(), &query).await?;
            let Some(last) = page.last() else { return Ok(all) };
            query.after = Some(query.place(last));
            for row in page {
                let entry = Stored::<AuditEntry>::from_row(row)?;
                let changes = entry.changes.as_ref().and_then(|changes| changes.json().ok());
                let known = tables.iter().position(|reached| reached.table.entity == entry.entity);
                let (Some(Json::Object(changes)), Some(reached)) = (changes, known) else { continue };
                let table = tables[reached].table;
                let id_in = |column: usize| {
                    changes.get(table.columns[column].name)?.as_str().and_then(|text| Uuid::parse_str(text).ok())
                };
                all.push(Gone {
                    reached,
                    id: entry.record_id,
                    version: entry.record_version,
                    contact: tables[reached].contact.and_then(id_in),
                    parents: tables[reached].parents.iter().filter_map(|(column, _)| id_in(*column)).collect(),
                });
            }
        }
    }

    /// Every row of a table that names one of these records in a column, in pages.
    pub(super) async fn naming(
        &self,
        table: &'static Table,
        column: usize,
        ids: &[Uuid],
    ) -> Result<Vec<Row>, CrmError> {
        let mut rows = BTreeMap::new();
        for ids in ids.chunks(IDS) {
            self.gather(table, one_of(column, ids), &mut rows).await?;
        }
        Ok(rows.into_values().map(|(row, _)| row).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;
    use crate::entity::{Column, Flags, Kind};

    /// The reviewed list of what is reached from a contact, and of what becomes of it. A new table that refers to a reached
    /// one, or a new column, changes it: decide whether the column is personal.
    #[test]
    fn what_is_reached_from_a_contact_is_as_reviewed() {
        let mut text = String::new();
        let contact = Reached { table: Contact::TABLE, contact: None, parents: Vec::new() };
        for reached in std::iter::once(&contact).chain(reached_tables()) {
            let table = reached.table;
            let by = reached.contact.into_iter().chain(reached.parents.iter().map(|(at, _)| *at));
            let by: Vec<&str> = by.map(|at| table.columns[at].name).collect();
            let _ =
                writeln!(text, "{} by {}", table.entity, if by.is_empty() { "itself".into() } else { by.join(", ") });
            let retained = match schema::retained(table) {
                Expr::False => "none",
                Expr::True => "all",
                _ => "some",
            };
            let _ = writeln!(text, "    retained: {retained}");
            let list = |holds: &dyn Fn(&Column) -> bool| {
                table.columns.iter().filter(|column| holds(column)).map(|c| c.name).collect::<Vec<_>>().join(", ")
            };
            let free = |column: &Column| matches!(column.kind, Kind::Text | Kind::Json | Kind::Bytes);
            let personal = |column: &Column| column.flags.contains(Flags::PERSONAL);
            let derived = |column: &Column| column.flags.contains(Flags::DERIVED);
            let _ = writeln!(text, "    personal: {}", list(&personal));
            let _ = writeln!(text, "    derived: {}", list(&derived));
            let _ = writeln!(text, "    other text: {}", list(&|c| free(c) && !personal(c) && !derived(c)));
        }
        insta::assert_snapshot!("reach", text);
    }

    #[test]
    fn what_is_personal_and_required_is_text() {
        for table in std::iter::once(Contact::TABLE).chain(reached_tables().iter().map(|reached| reached.table)) {
            for column in table.columns.iter().filter(|c| c.flags.contains(Flags::PERSONAL) && !c.nullable) {
                assert_eq!(column.kind, Kind::Text, "{table:?}.{}", column.name);
            }
        }
    }
}
