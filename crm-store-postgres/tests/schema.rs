//! The migrated database is what the descriptions in core say, and nothing else.

#![allow(clippy::unwrap_used, reason = "these are tests")]

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::Database;
use crm_core::entity::{Kind, Table, Tenancy};
use crm_core::schema::TABLES;
use sqlx::{AssertSqlSafe, PgConnection, Row as _};

async fn texts(connection: &mut PgConnection, sql: &str) -> Vec<Vec<String>> {
    let rows = sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_all(connection).await.unwrap();
    rows.iter()
        .map(|row| (0..row.len()).map(|at| row.get::<Option<String>, _>(at).unwrap_or_default()).collect())
        .collect()
}

/// The functions that the migrations make.
const FUNCTIONS: &[&str] = &["crm_expect", "crm_current_org", "crm_beyond"];

const fn type_of(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Id => ("uuid", ""),
        Kind::Bool => ("bool", ""),
        Kind::Int | Kind::Money | Kind::Decimal => ("int8", ""),
        Kind::Text | Kind::Enum(_) => ("text", "C"),
        Kind::Json => ("text", "default"),
        Kind::Date => ("date", ""),
        Kind::Instant => ("timestamptz", ""),
        Kind::Bytes => ("bytea", ""),
    }
}

fn columns_wanted(table: &'static Table) -> Vec<Vec<String>> {
    let line = |name: &str, kind: Kind, nullable: bool| {
        let (type_name, collation) = type_of(kind);
        [name, type_name, collation, if nullable { "null" } else { "not null" }].map(str::to_owned).to_vec()
    };
    let org = (table.tenancy == Tenancy::Organization).then(|| line("org", Kind::Int, false));
    org.into_iter().chain(table.columns.iter().map(|column| line(column.name, column.kind, column.nullable))).collect()
}

/// The columns of a key as the catalogue writes them.
fn key(table: &Table, columns: &[&str]) -> String {
    let org = (table.tenancy == Tenancy::Organization).then_some("org");
    let columns: Vec<&str> = org.into_iter().chain(columns.iter().copied()).collect();
    columns.join(", ")
}

fn constraints_wanted(table: &'static Table) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    all.insert(format!("{}_pkey", table.name), format!("PRIMARY KEY ({})", key(table, &["id"])));
    for unique in table.uniques {
        let when = if unique.name == "crm_organization_key" { "" } else { " DEFERRABLE" };
        all.insert(unique.name.to_owned(), format!("UNIQUE ({}){when}", key(table, unique.columns)));
    }
    if table.tenancy == Tenancy::Organization && table.name != "crm_audit_entry" {
        all.insert(format!("{}_org_fkey", table.name), "FOREIGN KEY (org) REFERENCES crm_organization(key)".to_owned());
    }
    for column in table.columns {
        if let Some(target) = column.target() {
            let name = column.name;
            let text = match target.tenancy {
                Tenancy::Organization => format!("FOREIGN KEY (org, {name}) REFERENCES {}(org, id)", target.name),
                Tenancy::Global => format!("FOREIGN KEY ({name}) REFERENCES {}(id)", target.name),
            };
            all.insert(format!("{}_{name}_fkey", table.name), text);
        }
        if let Kind::Enum(names) = column.kind {
            let name = column.name;
            let names: Vec<String> = names.iter().map(|name| format!("'{name}'::text")).collect();
            let text = match &*names {
                [one] => format!("CHECK (({name} = {one}))"),
                _ => format!("CHECK (({name} = ANY (ARRAY[{}])))", names.join(", ")),
            };
            all.insert(format!("{}_{name}_check", table.name), text);
        }
    }
    all
}

/// Indexes that no constraint brings along.
fn indexes_wanted(table: &'static Table) -> BTreeMap<String, String> {
    let mut all: BTreeMap<String, String> = table
        .indexes
        .iter()
        .map(|index| (index.name.to_owned(), format!("USING btree ({})", key(table, index.columns))))
        .collect();
    for column in table.columns.iter().filter(|column| column.references.is_some()) {
        let leads = |index: &crm_core::entity::Index| index.columns.first() == Some(&column.name);
        if !table.uniques.iter().chain(table.indexes).any(leads) {
            all.insert(
                format!("{}_{}_ref", table.name, column.name),
                format!("USING btree ({})", key(table, &[column.name])),
            );
        }
    }
    if table.search_position().is_some() {
        let org = if table.tenancy == Tenancy::Organization { "(org)::text" } else { "'0'::text" };
        let words = format!(
            "USING gin (array_to_tsvector(array_remove(string_to_array(((('@'::text || {org}) || ' '::text) || search), ' '::text), ''::text)))"
        );
        all.insert(format!("{}_search", table.name), words);
    }
    if table.name == "crm_audit_entry" {
        all.insert("crm_audit_entry_unsealed".to_owned(), "USING btree (org, id) WHERE (seq IS NULL)".to_owned());
    }
    all
}

fn sorted(mut lines: Vec<Vec<String>>) -> Vec<Vec<String>> {
    lines.sort();
    lines
}

/// Names and definitions; the catalogue quotes some names and others not.
fn pairs(rows: Vec<Vec<String>>) -> BTreeMap<String, String> {
    rows.into_iter().map(|row| (row[0].clone(), row[1].replace('"', ""))).collect()
}

#[tokio::test]
async fn every_description_matches_the_database() {
    let database = Database::new();
    database.store().await;
    let mut host = database.host().await;
    for table in TABLES.iter().copied() {
        let class = format!("'{}.{}'::regclass", database.schema, table.name);
        let columns = texts(
            &mut host,
            &format!(
                "SELECT a.attname::text, t.typname::text, c.collname::text, CASE WHEN a.attnotnull THEN 'not null' ELSE 'null' END \
                 FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_collation c ON c.oid = a.attcollation \
                 WHERE a.attrelid = {class} AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum"
            ),
        )
        .await;
        // Columns that a later migration added stand at the end.
        assert_eq!(sorted(columns), sorted(columns_wanted(table)), "{}", table.name);
        let constraints = texts(
            &mut host,
            &format!("SELECT conname::text, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = {class}"),
        )
        .await;
        assert_eq!(pairs(constraints), constraints_wanted(table), "{}", table.name);
        let indexes = texts(
            &mut host,
            &format!(
                "SELECT i.relname::text, substring(pg_get_indexdef(x.indexrelid) from 'USING .*') FROM pg_index x \
                 JOIN pg_class i ON i.oid = x.indexrelid WHERE x.indrelid = {class} \
                 AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conindid = x.indexrelid AND c.conrelid = x.indrelid)"
            ),
        )
        .await;
        assert_eq!(pairs(indexes), indexes_wanted(table), "{}", table.name);
    }
}

/// What the server says of a table's policy.
fn condition(table: &Table) -> &'static str {
    match table.name {
        "crm_organization" => "((crm_current_org() = 0) OR (key = crm_current_org()))",
        "crm_user" => {
            "((crm_current_org() = 0) OR (EXISTS ( SELECT FROM crm_membership m \
             WHERE ((m.org = crm_current_org()) AND (m.user_id = crm_user.id)))) \
             OR (id = ANY (( SELECT crm_beyond() AS crm_beyond)::uuid[])))"
        }
        "crm_login_session" => {
            "((crm_current_org() = 0) OR (EXISTS ( SELECT FROM crm_organization o \
             WHERE ((o.key = crm_current_org()) AND (o.id = crm_login_session.organization_id)))) \
             OR (id = ANY (( SELECT crm_beyond() AS crm_beyond)::uuid[])))"
        }
        "crm_login_throttle" | "crm_refresh_token" => {
            "((crm_current_org() = 0) OR (id = ANY (( SELECT crm_beyond() AS crm_beyond)::uuid[])))"
        }
        name => {
            assert_eq!(table.tenancy, Tenancy::Organization, "{name}");
            "(org = crm_current_org())"
        }
    }
}

#[tokio::test]
async fn every_table_is_fenced_for_everybody_and_in_both_directions() {
    let database = Database::new();
    database.store().await;
    let mut host = database.host().await;
    for table in TABLES.iter().copied() {
        let class = format!("'{}.{}'::regclass", database.schema, table.name);
        // Enabled, forced; then of each policy its name, kind, command, roles and both conditions.
        let found = texts(
            &mut host,
            &format!(
                "SELECT c.relrowsecurity::text, c.relforcerowsecurity::text, p.polname::text, p.polpermissive::text, \
                 p.polcmd::text, p.polroles::text, pg_get_expr(p.polqual, c.oid), pg_get_expr(p.polwithcheck, c.oid) \
                 FROM pg_class c LEFT JOIN pg_policy p ON p.polrelid = c.oid WHERE c.oid = {class}"
            ),
        )
        .await;
        let found: Vec<Vec<String>> = found
            .into_iter()
            .map(|row| row.iter().map(|text| text.split_whitespace().collect::<Vec<_>>().join(" ")).collect())
            .collect();
        let condition = condition(table);
        // 0 is everybody.
        let wanted = ["true", "true", crm_sql::FENCE, "true", "*", "{0}", condition, condition];
        assert_eq!(found, [wanted.map(str::to_owned).to_vec()], "{}", table.name);
    }
}

#[tokio::test]
async fn nothing_stands_in_the_schema_that_no_description_asks_for() {
    let database = Database::new();
    database.store().await;
    let mut host = database.host().await;
    let found = texts(
        &mut host,
        &format!(
            "SELECT relname::text FROM pg_class WHERE relnamespace = '{0}'::regnamespace AND relkind NOT IN ('i', 't') \
             UNION ALL SELECT proname::text FROM pg_proc WHERE pronamespace = '{0}'::regnamespace",
            database.schema
        ),
    )
    .await;
    let found: BTreeSet<&str> = found.iter().map(|row| row[0].as_str()).collect();
    let wanted: BTreeSet<&str> =
        TABLES.iter().map(|table| table.name).chain(["crm_migration"]).chain(FUNCTIONS.iter().copied()).collect();
    assert_eq!(found, wanted);
}

#[tokio::test]
async fn what_the_migration_writes_is_what_the_descriptions_render_to() {
    // The two differ only in what the migration's own comments tell.
    let migrations = concat!(
        include_str!("../migrations/0001_initial.sql"),
        include_str!("../migrations/0002_sales.sql"),
        include_str!("../migrations/0003_billing.sql"),
        include_str!("../migrations/0004_cases.sql"),
        include_str!("../migrations/0005_access.sql"),
        include_str!("../migrations/0006_row_security.sql"),
        include_str!("../migrations/0007_privacy.sql"),
        include_str!("../migrations/0008_closer_fence.sql"),
    );
    // Nor do they tell what a column that was added later had in the rows that were there.
    let migrations = migrations.replace(" DEFERRABLE", "").replace(" DEFAULT false", "");
    for table in TABLES.iter().copied() {
        let mut rendered = crm_sql::create_table(crm_sql::Dialect::Postgres, table);
        for line in rendered.clone().lines() {
            let column = line.trim_start().trim_end_matches(',');
            if migrations.contains(&format!("ALTER TABLE {} ADD COLUMN {column};", table.name)) {
                rendered = rendered.replace(&format!("{line}\n"), "");
            }
        }
        assert!(migrations.contains(&rendered), "{}:\n{rendered}", table.name);
        let fence = crm_sql::row_security(crm_sql::Dialect::Postgres, table);
        for line in fence.lines() {
            assert!(migrations.contains(&format!("{line}\n")), "{}:\n{line}", table.name);
        }
    }
}
