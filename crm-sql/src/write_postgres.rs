//! Statements that write, for PostgreSQL: a whole change-set in one.
//!
//! A round trip costs more than the work, so guards, changes and audit entries go as data-modifying `WITH` queries of
//! one statement, each run of changes of one kind and table as one of them, its rows given as one array per column.
//! Each query waits for the one before it, so that they run in the order of the change-set, and checks how many rows
//! that one found: `crm_expect`, a function that the migrations make, fails the statement when a record is not at the
//! version that was read. The text depends on the tables and columns that are written, and on whether a run has one
//! row or more, not on how many.

mod extras;
mod runs;

use std::collections::HashSet;
use std::fmt::Write as _;

use crm_core::audit::AuditEntry;
use crm_core::entity::{Entity as _, Flags, Kind, Table, Tenancy};
use crm_core::row::{Row, Value};
use crm_core::store::{Change, Guard, Scope};
use uuid::Uuid;

pub use extras::{advance, exists, forget, last_link, seal, together, unmatched, unsealed};
pub use runs::{SLICE, slices};

use crate::render::quote;
use runs::{Run, Verb, home, verb};

/// A value for a placeholder, borrowed from the change-set.
#[derive(Clone, Debug, PartialEq)]
pub enum Param<'a> {
    /// The organization's key.
    Org(i64),
    /// One value of a column's kind.
    One(Kind, &'a Value),
    /// An array of values of a column's kind.
    Many(Kind, Vec<&'a Value>),
    /// An array of ids.
    Ids(Vec<Uuid>),
    /// An array of 64-bit integers.
    Ints(Vec<i64>),
    /// A 64-bit integer.
    Int(i64),
}

/// Records that a statement expects at these versions.
#[derive(Clone, Debug, PartialEq)]
pub struct Expected {
    /// Of which table.
    pub table: &'static Table,
    /// Which records.
    pub ids: Vec<Uuid>,
    /// At which versions; empty for a table whose rows have none.
    pub versions: Vec<i64>,
}

/// Text with placeholders, the values for them, and what `crm_expect` checks by name.
#[derive(Debug)]
pub struct Write<'a> {
    /// The text.
    pub sql: String,
    /// The values.
    pub params: Vec<Param<'a>>,
    expected: Vec<(String, Expected)>,
}

impl Write<'_> {
    /// What the check with this name expected; the name is the message of the error that `crm_expect` raises.
    pub fn expected(&self, check: &str) -> Option<&Expected> {
        self.expected.iter().find(|(name, _)| name == check).map(|(_, expected)| expected)
    }
}

/// The statement that checks the guards and writes the changes, a slice of [`slices`], with their audit entries.
///
/// Guards on records that the same changes write are left out where they say the same, since PostgreSQL would not
/// find a row that its own statement has changed.
pub fn write<'a>(scope: Scope, guards: &[Guard], changes: &'a [Change], audit: &'a [Row]) -> Write<'a> {
    let mut runs: Vec<Run<'a>> = Vec::new();
    let mut keys: Vec<(Verb, &'static Table)> = Vec::new();
    for change in changes {
        let at = home(&keys, change).unwrap_or_else(|| {
            keys.push((verb(change), change.table()));
            runs.push(Run { verb: verb(change), table: change.table(), changes: Vec::new() });
            runs.len() - 1
        });
        runs[at].changes.push(change);
    }
    let mut writer = Writer::new(scope);
    writer.guards(guards, changes);
    for run in &mut runs {
        // Everyone locks rows in the same order.
        if run.verb != Verb::Insert {
            run.changes.sort_by_key(|change| change.id());
        }
        writer.run(run);
    }
    writer.finish(audit)
}

/// The name of the type to which a placeholder is cast.
const fn cast(kind: Kind) -> &'static str {
    match kind {
        Kind::Id => "uuid",
        Kind::Bool => "boolean",
        Kind::Int | Kind::Money | Kind::Decimal => "bigint",
        Kind::Text | Kind::Enum(_) | Kind::Json => "text",
        Kind::Date => "date",
        Kind::Instant => "timestamptz",
        Kind::Bytes => "bytea",
    }
}

/// What a query of the statement says of itself to the next.
struct Step {
    name: String,
    /// How many rows it must find.
    expects: Option<String>,
}

struct Writer<'a> {
    scope: Scope,
    params: Vec<Param<'a>>,
    org: Option<usize>,
    queries: Vec<String>,
    last: Option<Step>,
    expected: Vec<(String, Expected)>,
}

/// Rows as a statement sees them: placeholders for one row, an alias over arrays for more.
struct Source {
    /// What stands for each column.
    columns: Vec<String>,
    /// The item of the `FROM` clause, for more than one row.
    from: Option<String>,
    /// How many rows there are.
    count: String,
}

impl<'a> Writer<'a> {
    const fn new(scope: Scope) -> Self {
        Self { scope, params: Vec::new(), org: None, queries: Vec::new(), last: None, expected: Vec::new() }
    }

    fn bind(&mut self, param: Param<'a>) -> usize {
        self.params.push(param);
        self.params.len()
    }

    fn org(&mut self) -> usize {
        if let Some(org) = self.org {
            return org;
        }
        let org = self.bind(Param::Org(self.scope.key()));
        *self.org.insert(org)
    }

    /// The conditions that a row of the table is this one.
    fn keyed(&mut self, table: &Table, id: &str) -> Vec<String> {
        let mut conditions = Vec::with_capacity(4);
        if table.tenancy == Tenancy::Organization {
            conditions.push(format!("t.org = ${}::bigint", self.org()));
        }
        conditions.push(format!("t.\"id\" = {id}"));
        conditions
    }

    /// Binds the columns of one row or of many.
    fn source(&mut self, columns: Vec<(Kind, Vec<&'a Value>)>) -> Source {
        if columns.first().is_none_or(|(_, values)| values.len() == 1) {
            let columns = columns
                .into_iter()
                .filter_map(|(kind, values)| {
                    let value = values.into_iter().next()?;
                    Some(format!("${}::{}", self.bind(Param::One(kind, value)), cast(kind)))
                })
                .collect();
            return Source { columns, from: None, count: "1".to_owned() };
        }
        let first = self.params.len() + 1;
        let arrays: Vec<String> = columns
            .into_iter()
            .map(|(kind, values)| format!("${}::{}[]", self.bind(Param::Many(kind, values)), cast(kind)))
            .collect();
        let names: Vec<String> = (0..arrays.len()).map(|at| format!("c{at}")).collect();
        Source {
            columns: names.iter().map(|name| format!("u.{name}")).collect(),
            from: Some(format!("UNNEST({}) AS u({})", arrays.join(", "), names.join(", "))),
            count: format!("cardinality(${first})"),
        }
    }

    /// The condition that makes a query wait for the one before it and checks what that one found.
    fn after(&self) -> Option<String> {
        let Step { name, expects } = self.last.as_ref()?;
        Some(match expects {
            // Of exactly these types, so that no other function of that name fits better.
            Some(count) => format!("(SELECT crm_expect(count(*), {count}::bigint, '{name}'::text) FROM {name})"),
            None => format!("(SELECT count(*) FROM {name}) >= 0"),
        })
    }

    fn step(&mut self, name: String, query: &str, expects: Option<(String, Expected)>) {
        self.queries.push(format!("{name} AS ({query})"));
        let (count, expected) = expects.unzip();
        if let Some(expected) = expected {
            self.expected.push((name.clone(), expected));
        }
        self.last = Some(Step { name, expects: count });
    }

    fn guards(&mut self, guards: &[Guard], changes: &[Change]) {
        if guards.is_empty() {
            return;
        }
        let written: HashSet<(&str, Uuid, i64)> = changes
            .iter()
            .filter_map(|change| match change {
                Change::Insert { .. } => None,
                Change::Update { table, before, .. } | Change::Delete { table, before } => {
                    Some((table.name, table.id(before), table.version(before)))
                }
            })
            .collect();
        let mut tables: Vec<Expected> = Vec::new();
        for Guard { table, id, version } in guards {
            if written.contains(&(table.name, *id, *version)) {
                continue;
            }
            let at = tables.iter().position(|known| known.table == *table).unwrap_or_else(|| {
                tables.push(Expected { table, ids: Vec::new(), versions: Vec::new() });
                tables.len() - 1
            });
            tables[at].ids.push(*id);
            tables[at].versions.push(*version);
        }
        for mut expected in tables {
            let table = expected.table;
            if table.version_position().is_none() {
                expected.versions.clear();
            }
            let ids = self.bind(Param::Ids(expected.ids.clone()));
            let mut conditions = self.keyed(table, "u.id");
            let mut arrays = format!("${ids}::uuid[]");
            let mut names = "id".to_owned();
            if !expected.versions.is_empty() {
                let _ = write!(arrays, ", ${}::bigint[]", self.bind(Param::Ints(expected.versions.clone())));
                names.push_str(", v");
                conditions.push("t.\"version\" = u.v".to_owned());
            }
            conditions.extend(self.after());
            let query = format!(
                "SELECT 1 FROM {} AS t, UNNEST({arrays}) AS u({names}) WHERE {} FOR SHARE OF t",
                table.name,
                conditions.join(" AND ")
            );
            self.step(format!("g{}", self.queries.len()), &query, Some((format!("cardinality(${ids})"), expected)));
        }
    }

    fn run(&mut self, run: &Run<'a>) {
        let name = format!("w{}", self.queries.len());
        match run.verb {
            Verb::Insert => {
                let rows: Vec<&'a Row> = run.changes.iter().map(|change| change.row()).collect();
                let query = self.insert(run.table, &rows, &[]);
                self.step(name, &format!("{query} RETURNING 1"), None);
            }
            Verb::Update => {
                let (query, expects) = self.update(run);
                self.step(name, &query, Some(expects));
            }
            Verb::Delete => {
                let (query, expects) = self.delete(run);
                self.step(name, &query, Some(expects));
            }
        }
    }

    /// Inserts rows, the columns at these positions left absent.
    fn insert(&mut self, table: &'static Table, rows: &[&'a Row], absent: &[usize]) -> String {
        let positions = || (0..table.columns.len()).filter(|position| !absent.contains(position));
        let mut names: Vec<String> = positions().map(|position| quote(table.columns[position].name)).collect();
        let columns = positions()
            .map(|position| (table.columns[position].kind, rows.iter().map(|row| &row[position]).collect()))
            .collect();
        let mut source = self.source(columns);
        if table.tenancy == Tenancy::Organization {
            names.insert(0, "org".to_owned());
            source.columns.insert(0, format!("${}::bigint", self.org()));
        }
        let mut query =
            format!("INSERT INTO {} ({}) SELECT {}", table.name, names.join(", "), source.columns.join(", "));
        if let Some(from) = source.from {
            let _ = write!(query, " FROM {from}");
        }
        if let Some(after) = self.after() {
            let _ = write!(query, " WHERE {after}");
        }
        query
    }

    /// The columns of the keys and versions of rows as they were read.
    fn read_keys(table: &'static Table, before: &[&'a Row]) -> Vec<(Kind, Vec<&'a Value>)> {
        let mut columns = vec![(Kind::Id, before.iter().map(|row| &row[0]).collect())];
        if let Some(version) = table.version_position() {
            columns.push((Kind::Int, before.iter().map(|row| &row[version]).collect()));
        }
        columns
    }

    fn expects(table: &'static Table, before: &[&'a Row], count: String) -> (String, Expected) {
        let versioned = table.version_position().is_some();
        let ids = before.iter().map(|row| table.id(row)).collect();
        let versions = before.iter().filter(|_| versioned).map(|row| table.version(row)).collect();
        (count, Expected { table, ids, versions })
    }

    /// The conditions on the row that is changed: its key, its version, and that it is its turn.
    fn target(&mut self, table: &'static Table, source: &Source) -> String {
        let mut conditions = self.keyed(table, &source.columns[0]);
        if table.version_position().is_some() {
            conditions.push(format!("t.\"version\" = {}", source.columns[1]));
        }
        conditions.extend(self.after());
        conditions.join(" AND ")
    }

    /// Sets the columns in which a row of the run differs from how it was read: the others are, by the version, still
    /// the same. Columns that counters advance are theirs alone.
    fn update(&mut self, run: &Run<'a>) -> (String, (String, Expected)) {
        let table = run.table;
        let (before, after): (Vec<&'a Row>, Vec<&'a Row>) = run
            .changes
            .iter()
            .filter_map(|change| match change {
                Change::Update { before, after, .. } => Some((before, after)),
                _ => None,
            })
            .unzip();
        let mut set: Vec<usize> = (1..table.columns.len())
            .filter(|at| !table.columns[*at].flags.contains(Flags::COUNTER))
            .filter(|at| before.iter().zip(&after).any(|(before, after)| before[*at] != after[*at]))
            .collect();
        if set.is_empty() {
            set.push(0);
        }
        let mut columns = Self::read_keys(table, &before);
        let first = columns.len();
        columns.extend(set.iter().map(|at| (table.columns[*at].kind, after.iter().map(|row| &row[*at]).collect())));
        let source = self.source(columns);
        let sets: Vec<String> = set
            .iter()
            .zip(&source.columns[first..])
            .map(|(at, value)| format!("{} = {value}", quote(table.columns[*at].name)))
            .collect();
        let from = source.from.as_ref().map(|from| format!(" FROM {from}")).unwrap_or_default();
        let target = self.target(table, &source);
        let query = format!("UPDATE {} AS t SET {}{from} WHERE {target} RETURNING 1", table.name, sets.join(", "));
        (query, Self::expects(table, &before, source.count))
    }

    fn delete(&mut self, run: &Run<'a>) -> (String, (String, Expected)) {
        let table = run.table;
        let before: Vec<&'a Row> = run.changes.iter().map(|change| change.row()).collect();
        let source = self.source(Self::read_keys(table, &before));
        let using = source.from.as_ref().map(|from| format!(" USING {from}")).unwrap_or_default();
        let target = self.target(table, &source);
        let query = format!("DELETE FROM {} AS t{using} WHERE {target} RETURNING 1", table.name);
        (query, Self::expects(table, &before, source.count))
    }

    /// Ends the statement with the audit entries or, where there are none, with the last check.
    fn finish(mut self, audit: &'a [Row]) -> Write<'a> {
        let main = if audit.is_empty() {
            self.after().map_or_else(|| "SELECT 1".to_owned(), |after| format!("SELECT {after}"))
        } else {
            let columns = AuditEntry::COLUMNS;
            let rows: Vec<&'a Row> = audit.iter().collect();
            self.insert(AuditEntry::TABLE, &rows, &[columns.seq.index(), columns.hash.index()])
        };
        let with = if self.queries.is_empty() { String::new() } else { format!("WITH {}\n", self.queries.join(",\n")) };
        Write { sql: format!("{with}{main}"), params: self.params, expected: self.expected }
    }
}
