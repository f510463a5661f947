//! Tables, indexes and foreign keys from descriptions: what migrations are written from and schemas checked against.

use std::fmt::Write as _;

use crm_core::access::{Membership, Organization, User};
use crm_core::entity::{Column, Entity as _, Kind, Table, Tenancy};

use crate::render::{Dialect, quote};

/// The table of organizations, whose `key` column every tenant row's `org` points to.
const ORGANIZATIONS: &str = "crm_organization";
/// The audit outlives its organization and also keeps what happens above organizations, under key 0.
pub(crate) const AUDIT: &str = "crm_audit_entry";

/// The name of each table's policy on PostgreSQL.
pub const FENCE: &str = "crm_fence";

/// The text that creates a table with its keys and checks. SQLite's has the foreign keys, since they cannot be added
/// later; PostgreSQL's come from [`foreign_keys`]. Indexes come from [`indexes`] on both, PostgreSQL's uniques are
/// constraints of the table.
pub fn create_table(dialect: Dialect, table: &'static Table) -> String {
    let mut lines = Vec::new();
    let tenant = table.tenancy == Tenancy::Organization;
    let searchable = table.search_position().is_some();
    if dialect == Dialect::Sqlite && searchable {
        lines.push("rid INTEGER PRIMARY KEY".to_owned());
    }
    if tenant {
        lines.push(format!("org {} NOT NULL", organization_column(dialect)));
    }
    for column in table.columns {
        lines.push(column_text(dialect, column));
    }
    let key = if tenant { "org, \"id\"" } else { "\"id\"" };
    if dialect == Dialect::Sqlite && searchable {
        lines.push(format!("UNIQUE ({key})"));
    } else if dialect == Dialect::Sqlite {
        lines.push(format!("PRIMARY KEY ({key})"));
    } else {
        lines.push(format!("CONSTRAINT {}_pkey PRIMARY KEY ({key})", table.name));
    }
    match dialect {
        Dialect::Sqlite => lines.extend(references(table).into_iter().map(|reference| reference.clause())),
        Dialect::Postgres => lines.extend(
            table
                .uniques
                .iter()
                .map(|unique| format!("CONSTRAINT {} UNIQUE ({})", unique.name, index_columns(table, unique.columns))),
        ),
    }
    let options = match dialect {
        Dialect::Sqlite if searchable => " STRICT",
        Dialect::Sqlite => " STRICT, WITHOUT ROWID",
        Dialect::Postgres => "",
    };
    format!("CREATE TABLE {} (\n    {}\n){options};\n", table.name, lines.join(",\n    "))
}

fn column_text(dialect: Dialect, column: &Column) -> String {
    let name = quote(column.name);
    let mut text = format!("{name} {}", column_type(dialect, column.kind));
    if !column.nullable {
        text.push_str(" NOT NULL");
    }
    match column.kind {
        Kind::Enum(names) => {
            let names: Vec<String> = names.iter().map(|name| format!("'{}'", name.replace('\'', "''"))).collect();
            let _ = write!(text, " CHECK ({name} IN ({}))", names.join(", "));
        }
        Kind::Bool if dialect == Dialect::Sqlite => {
            let _ = write!(text, " CHECK ({name} IN (0, 1))");
        }
        _ => {}
    }
    text
}

/// The type of the `org` column.
pub const fn organization_column(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => "INTEGER",
        Dialect::Postgres => "BIGINT",
    }
}

/// How a kind is stored.
pub const fn column_type(dialect: Dialect, kind: Kind) -> &'static str {
    match (dialect, kind) {
        (Dialect::Sqlite, Kind::Id | Kind::Bytes) => "BLOB",
        (Dialect::Sqlite, Kind::Text | Kind::Enum(_) | Kind::Json) | (Dialect::Postgres, Kind::Json) => "TEXT",
        (Dialect::Sqlite, _) => "INTEGER",
        (Dialect::Postgres, Kind::Id) => "UUID",
        (Dialect::Postgres, Kind::Bool) => "BOOLEAN",
        (Dialect::Postgres, Kind::Int | Kind::Money | Kind::Decimal) => "BIGINT",
        (Dialect::Postgres, Kind::Text | Kind::Enum(_)) => "TEXT COLLATE \"C\"",
        (Dialect::Postgres, Kind::Date) => "DATE",
        (Dialect::Postgres, Kind::Instant) => "TIMESTAMPTZ",
        (Dialect::Postgres, Kind::Bytes) => "BYTEA",
    }
}

/// Whether a table's `org` column points to the table of organizations.
pub fn references_organization(table: &Table) -> bool {
    table.tenancy == Tenancy::Organization && table.name != AUDIT
}

struct Reference {
    name: String,
    columns: String,
    target: &'static str,
    targets: &'static str,
}

impl Reference {
    fn clause(&self) -> String {
        format!("FOREIGN KEY ({}) REFERENCES {} ({})", self.columns, self.target, self.targets)
    }
}

fn references(table: &'static Table) -> Vec<Reference> {
    let mut all = Vec::new();
    if references_organization(table) {
        let name = format!("{}_org_fkey", table.name);
        all.push(Reference { name, columns: "org".to_owned(), target: ORGANIZATIONS, targets: "\"key\"" });
    }
    for column in table.columns {
        let Some(target) = column.target() else { continue };
        let name = format!("{}_{}_fkey", table.name, column.name);
        all.push(match target.tenancy {
            Tenancy::Organization => Reference {
                name,
                columns: format!("org, {}", quote(column.name)),
                target: target.name,
                targets: "org, \"id\"",
            },
            Tenancy::Global => Reference { name, columns: quote(column.name), target: target.name, targets: "\"id\"" },
        });
    }
    all
}

/// The texts that add a table's foreign keys on PostgreSQL, once all tables are there; none on SQLite, which has them
/// in [`create_table`].
pub fn foreign_keys(dialect: Dialect, table: &'static Table) -> String {
    if dialect == Dialect::Sqlite {
        return String::new();
    }
    references(table).iter().fold(String::new(), |mut text, reference| {
        let _ = writeln!(text, "ALTER TABLE {} ADD CONSTRAINT {} {};", table.name, reference.name, reference.clause());
        text
    })
}

fn index_columns(table: &Table, columns: &[&str]) -> String {
    let org = (table.tenancy == Tenancy::Organization).then(|| "org".to_owned());
    let columns: Vec<String> = org.into_iter().chain(columns.iter().map(|column| quote(column))).collect();
    columns.join(", ")
}

/// The indexes on references that no described index leads with, by name and column.
fn reference_indexes(table: &'static Table) -> impl Iterator<Item = (String, &'static str)> {
    let led = |name: &str| table.uniques.iter().chain(table.indexes).any(|index| index.columns[0] == name);
    let references = table.columns.iter().filter(move |column| column.references.is_some() && !led(column.name));
    references.map(|column| (format!("{}_{}_ref", table.name, column.name), column.name))
}

/// Keeps absent values out of an index: they conflict with nothing and nothing looks for them there, and most rows
/// lack most of what may be absent.
fn present(table: &Table, columns: &[&str]) -> String {
    let nullable =
        columns.iter().filter(|name| table.columns.iter().any(|column| column.name == **name && column.nullable));
    let conditions: Vec<String> = nullable.map(|name| format!("{} IS NOT NULL", quote(name))).collect();
    if conditions.is_empty() { String::new() } else { format!(" WHERE {}", conditions.join(" AND ")) }
}

/// The texts that create a table's indexes, the one for full-text search included. Each reference has an index that
/// leads with it, for the check when its target is deleted.
pub fn indexes(dialect: Dialect, table: &'static Table) -> String {
    let mut text = String::new();
    if dialect == Dialect::Sqlite {
        // SQLite checks the newest index first; the one that is described first is to be told of first.
        for unique in table.uniques.iter().rev() {
            let columns = index_columns(table, unique.columns);
            let present = present(table, unique.columns);
            let _ = writeln!(text, "CREATE UNIQUE INDEX {} ON {} ({columns}){present};", unique.name, table.name);
        }
    }
    for index in table.indexes {
        let columns = index_columns(table, index.columns);
        let _ = writeln!(text, "CREATE INDEX {} ON {} ({columns});", index.name, table.name);
    }
    for (name, column) in reference_indexes(table) {
        let present = if dialect == Dialect::Sqlite { present(table, &[column]) } else { String::new() };
        let _ = writeln!(text, "CREATE INDEX {name} ON {} ({}){present};", table.name, index_columns(table, &[column]));
    }
    if table.search_position().is_some() {
        let index = search_table(table);
        let _ = match dialect {
            Dialect::Sqlite => writeln!(
                text,
                "CREATE VIRTUAL TABLE {index} USING fts5(org, search, content='', contentless_delete=1, \
                 tokenize='ascii', prefix='2 3');"
            ),
            Dialect::Postgres => {
                writeln!(text, "CREATE INDEX {index} ON {} USING GIN (({}));", table.name, search_vector(table, ""))
            }
        };
    }
    text
}

/// The texts that keep a table's rows, on PostgreSQL, from statements outside the organization that `crm.org` names,
/// whoever sends them but superusers; none on SQLite, which has no roles. `crm_current_org` and `crm_beyond` are functions
/// that the migrations make.
pub fn row_security(dialect: Dialect, table: &'static Table) -> String {
    let condition = match (dialect, table.tenancy) {
        (Dialect::Sqlite, _) => return String::new(),
        (Dialect::Postgres, Tenancy::Organization) => "org = crm_current_org()".to_owned(),
        (Dialect::Postgres, Tenancy::Global) => above(table),
    };
    let name = table.name;
    format!(
        "ALTER TABLE {name} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;\n\
         CREATE POLICY {FENCE} ON {name} USING ({condition}) WITH CHECK ({condition});\n"
    )
}

/// The condition on rows that stand above organizations: all of them are for what is done there, under key 0. To an
/// organization belong its own row, its members and what refers to itself; further rows only if they are named.
fn above(table: &'static Table) -> String {
    let mut any = vec!["crm_current_org() = 0".to_owned()];
    if *table == *Organization::TABLE {
        any.push("\"key\" = crm_current_org()".to_owned());
        return any.join(" OR ");
    }
    let to_organization = |column: &&Column| column.target().is_some_and(|target| *target == *Organization::TABLE);
    if *table == *User::TABLE {
        let (members, name) = (Membership::TABLE.name, table.name);
        any.push(format!(
            "EXISTS (SELECT FROM {members} AS m WHERE m.org = crm_current_org() AND m.\"user_id\" = {name}.\"id\")"
        ));
    } else if let Some(column) = table.columns.iter().find(to_organization) {
        let (column, name) = (quote(column.name), table.name);
        any.push(format!(
            "EXISTS (SELECT FROM {ORGANIZATIONS} AS o WHERE o.\"key\" = crm_current_org() AND o.\"id\" = {name}.{column})"
        ));
    }
    any.push("\"id\" = ANY ((SELECT crm_beyond())::UUID[])".to_owned());
    any.join(" OR ")
}

/// The name of a table's index for full-text search: a virtual table on SQLite, an index on PostgreSQL.
pub fn search_table(table: &Table) -> String {
    format!("{}_search", table.name)
}

/// PostgreSQL's expression for the words of a row, the organization's key among them as `@key`. The index is on this
/// very expression, without a prefix; a query names its columns with the prefix of its alias, such as `t0.`.
pub fn search_vector(table: &Table, prefix: &str) -> String {
    let org = match table.tenancy {
        Tenancy::Organization => format!("{prefix}org::TEXT"),
        Tenancy::Global => "'0'".to_owned(),
    };
    format!("array_to_tsvector(array_remove(string_to_array('@' || {org} || ' ' || {prefix}\"search\", ' '), ''))")
}

/// The whole schema of these tables, which stand in an order in which each refers only to ones before it or to
/// itself; on PostgreSQL any order does.
pub fn create_schema(dialect: Dialect, tables: &[&'static Table]) -> String {
    let mut text = String::new();
    for table in tables {
        text.push_str(&create_table(dialect, table));
        text.push_str(&indexes(dialect, table));
        text.push('\n');
    }
    for table in tables {
        text.push_str(&foreign_keys(dialect, table));
    }
    for table in tables {
        text.push_str(&row_security(dialect, table));
    }
    if dialect == Dialect::Sqlite {
        text.push_str("ANALYZE sqlite_schema;\n");
        for table in tables {
            text.push_str(&statistics(table));
        }
        text.push_str("ANALYZE sqlite_schema;\n");
    }
    text
}

/// How many rows a table is planned for, and how many of them belong to one organization.
const PLANNED: (u64, u64) = (1_000_000, 100_000);

/// The texts that tell SQLite what a well-filled table looks like. Knowing nothing, it takes an organization to have ten
/// rows and reads all of them rather than sort; knowing a small file of today, it would go on doing so in the
/// large one of tomorrow.
pub fn statistics(table: &'static Table) -> String {
    let tenant = table.tenancy == Tenancy::Organization;
    let first = if tenant { PLANNED.1 } else { PLANNED.0 };
    let line = |index: &str, columns: &[&str], unique: bool| {
        let mut rows = first;
        let mut numbers = vec![PLANNED.0];
        numbers.extend(tenant.then_some(first));
        for (at, name) in columns.iter().enumerate() {
            let column = table.columns.iter().find(|column| column.name == *name);
            rows = (rows / column.map_or(1, distinct)).max(1);
            numbers.push(if unique && at + 1 == columns.len() { 1 } else { rows });
        }
        let numbers: Vec<String> = numbers.iter().map(ToString::to_string).collect();
        format!("INSERT INTO sqlite_stat1 VALUES ('{}', '{index}', '{}');\n", table.name, numbers.join(" "))
    };
    let searchable = table.search_position().is_some();
    let key = if searchable { format!("sqlite_autoindex_{}_1", table.name) } else { table.name.to_owned() };
    let mut text = line(&key, &["id"], true);
    for unique in table.uniques {
        text.push_str(&line(unique.name, unique.columns, true));
    }
    for index in table.indexes {
        text.push_str(&line(index.name, index.columns, false));
    }
    for (name, column) in reference_indexes(table) {
        text.push_str(&line(&name, &[column], false));
    }
    text
}

/// Among how many values a column divides rows, roughly.
fn distinct(column: &Column) -> u64 {
    match column.kind {
        Kind::Bool => 2,
        Kind::Enum(names) => names.len() as u64,
        Kind::Id if column.name == "id" => PLANNED.1,
        // There are few users and the like, and many records of the organization's own.
        Kind::Id if column.target().is_some_and(|target| target.tenancy == Tenancy::Global) => 100,
        Kind::Id => 10_000,
        Kind::Text if column.name == "currency" => 3,
        Kind::Text | Kind::Json | Kind::Bytes => 50_000,
        Kind::Date => 1_000,
        Kind::Int | Kind::Money | Kind::Decimal | Kind::Instant => 5_000,
    }
}
