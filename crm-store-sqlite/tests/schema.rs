//! The migrated file has exactly what the descriptions ask for.

#![allow(clippy::unwrap_used, reason = "these are tests")]

use std::collections::{BTreeMap, BTreeSet};

use crm_core::entity::{Table, Tenancy};
use crm_core::schema::TABLES;
use crm_sql::{Dialect, column_type, references_organization, search_table};
use crm_store_sqlite::{SqliteOptions, SqliteStore};
use rusqlite::Connection;

fn migrated() -> (tempfile::TempDir, Connection) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("crm.db");
    SqliteStore::open(path.to_str().unwrap(), SqliteOptions::default()).unwrap();
    let connection = Connection::open(path).unwrap();
    (directory, connection)
}

fn texts(connection: &Connection, query: &str) -> Vec<Vec<String>> {
    let mut statement = connection.prepare(query).unwrap();
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| {
        (0..columns)
            .map(|at| {
                Ok(match row.get_ref(at)? {
                    rusqlite::types::ValueRef::Null => "null".to_owned(),
                    rusqlite::types::ValueRef::Integer(number) => number.to_string(),
                    other => other.as_str()?.to_owned(),
                })
            })
            .collect()
    });
    rows.unwrap().collect::<Result<_, _>>().unwrap()
}

fn sorted<T: Ord>(mut lines: Vec<T>) -> Vec<T> {
    lines.sort();
    lines
}

/// The columns, keys and checks of a statement that creates a table, in no order.
fn definitions(text: &str) -> Vec<String> {
    let (mut depth, mut parts) = (0, vec![String::new()]);
    for character in text.chars() {
        depth += match character {
            '(' => 1,
            ')' => -1,
            _ => 0,
        };
        if character == ',' && depth == 1 {
            parts.push(String::new());
        } else if let Some(part) = parts.last_mut() {
            part.push(character);
        }
    }
    sorted(parts.iter().map(|part| part.split_whitespace().collect::<Vec<_>>().join(" ")).collect())
}

/// Name, type, not null, place in the primary key.
fn columns_wanted(table: &'static Table) -> Vec<Vec<String>> {
    let searchable = table.search_position().is_some();
    let tenant = table.tenancy == Tenancy::Organization;
    let column = |name: &str, kind: &str, not_null: bool, key: usize| {
        vec![name.to_owned(), kind.to_owned(), u8::from(not_null).to_string(), key.to_string()]
    };
    let mut all = Vec::new();
    if searchable {
        all.push(column("rid", "INTEGER", false, 1));
    }
    if tenant {
        all.push(column("org", "INTEGER", true, usize::from(!searchable)));
    }
    for (position, described) in table.columns.iter().enumerate() {
        let key = if position > 0 || searchable { 0 } else { 1 + usize::from(tenant) };
        let kind = column_type(Dialect::Sqlite, described.kind);
        all.push(column(described.name, kind, !described.nullable, key));
    }
    all
}

/// Unique or not, and the columns, by name.
fn indexes_wanted(table: &'static Table) -> BTreeMap<String, (bool, Vec<String>)> {
    let org = (table.tenancy == Tenancy::Organization).then_some("org");
    let columns = |columns: &[&str]| org.iter().chain(columns).map(ToString::to_string).collect::<Vec<_>>();
    let mut all = BTreeMap::new();
    for (unique, index) in
        table.uniques.iter().map(|index| (true, index)).chain(table.indexes.iter().map(|index| (false, index)))
    {
        all.insert(index.name.to_owned(), (unique, columns(index.columns)));
    }
    for column in table.columns.iter().filter(|column| column.target().is_some()) {
        if !all.values().any(|(_, columns)| columns[usize::from(org.is_some())] == column.name) {
            all.insert(format!("{}_{}_ref", table.name, column.name), (false, columns(&[column.name])));
        }
    }
    all
}

/// The column, the target table and column; composite keys as several.
fn references_wanted(table: &'static Table) -> BTreeSet<Vec<String>> {
    let mut all = BTreeSet::new();
    if references_organization(table) {
        all.insert(vec!["org>key".to_owned(), "crm_organization".to_owned()]);
    }
    for column in table.columns {
        let Some(target) = column.target() else { continue };
        let pair = match target.tenancy {
            Tenancy::Organization => format!("org>org,{}>id", column.name),
            Tenancy::Global => format!("{}>id", column.name),
        };
        all.insert(vec![pair, target.name.to_owned()]);
    }
    all
}

#[test]
fn every_description_matches_the_file() {
    let (_directory, connection) = migrated();
    for table in TABLES.iter().copied() {
        let name = table.name;
        let found = texts(&connection, &format!("SELECT name, type, \"notnull\", pk FROM pragma_table_info('{name}')"));
        // Columns that a later migration added stand at the end.
        assert_eq!(sorted(found), sorted(columns_wanted(table)), "{name}");

        let strict = texts(&connection, &format!("SELECT strict, wr FROM pragma_table_list('{name}')"));
        let without_rowid = table.search_position().is_none();
        assert_eq!(strict, [["1".to_owned(), u8::from(without_rowid).to_string()]], "{name}");

        let mut found = BTreeMap::new();
        let listed = format!("SELECT name, \"unique\" FROM pragma_index_list('{name}') WHERE origin = 'c'");
        for index in texts(&connection, &listed) {
            let columns = texts(&connection, &format!("SELECT name FROM pragma_index_info('{}')", index[0]));
            found.insert(
                index[0].clone(),
                (index[1] == "1", columns.into_iter().map(|row| row.concat()).collect::<Vec<_>>()),
            );
        }
        assert_eq!(found, indexes_wanted(table), "{name}");

        let found: BTreeSet<Vec<String>> = texts(
            &connection,
            &format!(
                "SELECT group_concat(\"from\" || '>' || \"to\" ORDER BY seq), \"table\" \
                 FROM pragma_foreign_key_list('{name}') GROUP BY id"
            ),
        )
        .into_iter()
        .collect();
        assert_eq!(found, references_wanted(table), "{name}");
    }
}

#[test]
fn nothing_stands_in_the_file_that_no_description_asks_for() {
    let (_directory, connection) = migrated();
    let mut wanted: BTreeSet<String> = TABLES.iter().map(|table| table.name.to_owned()).collect();
    wanted.extend(TABLES.iter().filter(|table| table.search_position().is_some()).map(|table| search_table(table)));
    wanted.insert("crm_migration".to_owned());
    let listed = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type <> 'shadow' \
                  AND name NOT LIKE 'sqlite%'";
    let found: BTreeSet<String> = texts(&connection, listed).into_iter().map(|row| row.concat()).collect();
    assert_eq!(found, wanted);
}

#[test]
fn checks_stand_as_the_descriptions_ask() {
    let (_directory, connection) = migrated();
    for table in TABLES {
        let stored: String = connection
            .query_row("SELECT sql FROM sqlite_schema WHERE name = ?1", [table.name], |row| row.get(0))
            .unwrap();
        // What a column that was added later had in the rows that were there.
        let stored = stored.replace(" DEFAULT 0", "");
        let wanted = crm_sql::create_table(Dialect::Sqlite, table);
        assert_eq!(definitions(&format!("{stored};\n")), definitions(&wanted), "{}", table.name);
    }
}
