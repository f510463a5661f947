//! Statements that write, for SQLite: each changes one row, or feeds the index for full-text search, and is prepared
//! once.
//!
//! All take the organization's key first, 0 for tables above organizations, so that callers bind the same values for
//! every table.

use crm_core::audit::AuditEntry;
use crm_core::entity::{Entity as _, Flags, Table, Tenancy};
use crm_core::row::Value;

use crate::ddl::search_table;
use crate::render::quote;

/// Keeps a statement to the organization's rows.
const fn within(table: &Table) -> &'static str {
    match table.tenancy {
        Tenancy::Organization => "org = ?1",
        Tenancy::Global => "?1 = 0",
    }
}

/// How many rows one statement inserts at most. Fewer, larger statements save little more, and each size is one more
/// statement to keep.
pub const ROWS: usize = 32;

/// Inserts so many rows. Takes, for each row, the organization's key, for tenant tables only, and the columns' values.
pub fn insert(table: &Table, rows: usize) -> String {
    let mut names = String::with_capacity(256);
    let mut places = String::with_capacity(128);
    if table.tenancy == Tenancy::Organization {
        names.push_str("org");
        places.push('?');
    }
    for column in table.columns {
        if !names.is_empty() {
            names.push_str(", ");
            places.push_str(", ");
        }
        names.push('"');
        names.push_str(column.name);
        names.push('"');
        places.push('?');
    }
    let rows = vec![format!("({places})"); rows].join(", ");
    format!("INSERT INTO {} ({names}) VALUES {rows}", table.name)
}

/// The positions of the columns that an update is to set: those that changed, since SQLite rewrites every index that has a
/// column of the statement. Columns that counters advance are outside versions and never among them.
pub fn updated(table: &Table, before: &[Value], after: &[Value]) -> Vec<usize> {
    let changed = before.iter().zip(after).zip(table.columns).enumerate().skip(1);
    changed
        .filter(|(_, ((before, after), column))| before != after && !column.flags.contains(Flags::COUNTER))
        .map(|(position, _)| position)
        .collect()
}

/// Sets columns of a row that is at a version. Takes the organization's key, the id, the version (1 for tables that
/// have none) and the columns' values.
pub fn update(table: &Table, columns: &[usize]) -> String {
    let sets: Vec<String> = columns
        .iter()
        .enumerate()
        .map(|(index, position)| format!("{} = ?{}", quote(table.columns[*position].name), 4 + index))
        .collect();
    // A row always has something to set: an update that changes nothing still checks the version.
    let sets = if sets.is_empty() { "\"id\" = \"id\"".to_owned() } else { sets.join(", ") };
    format!("UPDATE {} SET {sets} WHERE {} AND \"id\" = ?2 AND {} = ?3", table.name, within(table), version(table))
}

/// Deletes a row that is at a version. Takes the organization's key, the id and the version, 1 for tables that have
/// none.
pub fn delete(table: &Table) -> String {
    format!("DELETE FROM {} WHERE {} AND \"id\" = ?2 AND {} = ?3", table.name, within(table), version(table))
}

/// The version of a row, 1 for tables that have none. Takes the organization's key and the id.
pub fn guard(table: &Table) -> String {
    format!("SELECT {} FROM {} WHERE {} AND \"id\" = ?2", version(table), table.name, within(table))
}

const fn version(table: &Table) -> &'static str {
    if table.version_position().is_some() { "\"version\"" } else { "1" }
}

/// Advances a counter within its bound and gives what it was before. Takes the organization's key, the id, the step
/// and the bound; no row comes back when the bound would be passed or the row is not there.
pub fn counter(table: &Table, column: usize) -> String {
    let column = quote(table.columns[column].name);
    // The bound is compared without an addition that could pass 64 bits.
    format!(
        "UPDATE {} SET {column} = {column} + ?3 WHERE {} AND \"id\" = ?2 AND {column} <= ?4 - ?3 \
         RETURNING {column} - ?3",
        table.name,
        within(table)
    )
}

/// Feeds rows to the index for full-text search. Takes the organization's key and the rows' ids, as a JSON array of
/// hexadecimal texts.
pub fn feed_search(table: &Table) -> String {
    format!(
        "INSERT OR REPLACE INTO {} (rowid, org, search) SELECT rid, 'o' || ?1, \"search\" FROM {} \
         WHERE {} AND \"id\" IN (SELECT unhex(value) FROM json_each(?2))",
        search_table(table),
        table.name,
        within(table)
    )
}

/// Takes rows that are still in their table out of the index for full-text search. Takes what [`feed_search`] takes.
pub fn unfeed_search(table: &Table) -> String {
    format!(
        "DELETE FROM {} WHERE rowid IN (SELECT rid FROM {} \
         WHERE {} AND \"id\" IN (SELECT unhex(value) FROM json_each(?2)))",
        search_table(table),
        table.name,
        within(table)
    )
}

/// Takes the contents and salts out of a record's entries from a version on. Takes the organization's key, the record's id
/// and the version.
pub fn forget() -> String {
    let columns = AuditEntry::COLUMNS;
    let name = |position: usize| quote(AuditEntry::TABLE.columns[position].name);
    let (changes, salt) = (name(columns.changes.index()), name(columns.salt.index()));
    let (record, version) = (name(columns.record_id.index()), name(columns.record_version.index()));
    format!(
        "UPDATE {} SET {changes} = NULL, {salt} = NULL \
         WHERE org = ?1 AND {record} = ?2 AND {version} >= ?3 AND {changes} IS NOT NULL",
        AuditEntry::TABLE.name
    )
}

/// Merges the index for full-text search into one part, without what was taken out of it.
pub fn merge_search(table: &Table) -> String {
    let search = search_table(table);
    format!("INSERT INTO {search} ({search}) VALUES ('optimize')")
}

/// Entries of the audit that are not sealed, in the order in which they are to be. Takes the organization's key and
/// how many at most.
pub fn unsealed(table: &Table) -> String {
    let names: Vec<String> = table.columns.iter().map(|column| quote(column.name)).collect();
    format!(
        "SELECT {} FROM {} WHERE org = ?1 AND \"seq\" IS NULL ORDER BY \"id\" LIMIT ?2",
        names.join(", "),
        table.name
    )
}
