//! The smaller statements of PostgreSQL's writes: counters, look-ups and the sealing of the audit; and several reads as
//! one.

use std::fmt::Write as _;

use crm_core::audit::AuditEntry;
use crm_core::entity::{Entity as _, Kind, Table, Tenancy};
use crm_core::row::Row;
use crm_core::store::{Counter, Forgotten, Scope};
use uuid::Uuid;

use super::{Expected, Param, Write, Writer};
use crate::render::quote;

/// The statement that finds one of the expected records that is not there at its version.
pub fn unmatched(scope: Scope, expected: &Expected) -> Write<'static> {
    let table = expected.table;
    let mut writer = Writer::new(scope);
    let ids = writer.bind(Param::Ids(expected.ids.clone()));
    let versions = writer.bind(Param::Ints(expected.versions.clone()));
    let key = writer.keyed(table, "u.id").join(" AND ");
    let differs = if expected.versions.is_empty() { "t.\"id\" IS NULL" } else { "t.\"version\" IS DISTINCT FROM u.v" };
    let sql = format!(
        "SELECT u.id FROM UNNEST(${ids}::uuid[], ${versions}::bigint[]) AS u(id, v) LEFT JOIN {} AS t ON {key} WHERE \
         {differs} LIMIT 1",
        table.name
    );
    Write { sql, params: writer.params, expected: Vec::new() }
}

/// The text that advances a counter within its bound, giving what it was before. It has no parameters, so that it can go
/// in one round trip with the text that begins its transaction. What stands in it are whole numbers and a UUID, and
/// nothing that anyone typed.
pub fn advance(scope: Scope, counter: &Counter) -> String {
    let table = counter.table;
    let column = quote(table.columns[counter.column].name);
    let org = match table.tenancy {
        Tenancy::Organization => format!("org = {} AND ", scope.key()),
        Tenancy::Global => String::new(),
    };
    // The bound is compared without an addition that could pass 64 bits.
    let bound = i128::from(counter.max) - i128::from(counter.by);
    format!(
        "UPDATE {} SET {column} = {column} + ({}) WHERE {org}\"id\" = '{}'::uuid AND {column} <= ({bound}) RETURNING \
         {column} - ({})",
        table.name, counter.by, counter.id, counter.by
    )
}

/// The statement that tells whether a record is there.
pub fn exists(scope: Scope, table: &'static Table, id: Uuid) -> Write<'static> {
    let mut writer = Writer::new(scope);
    let ids = writer.bind(Param::Ids(vec![id]));
    let key = writer.keyed(table, &format!("ANY(${ids}::uuid[])")).join(" AND ");
    Write { sql: format!("SELECT 1 FROM {} AS t WHERE {key}", table.name), params: writer.params, expected: Vec::new() }
}

/// The last link of an organization's chain: its number and hash.
pub fn last_link(scope: Scope) -> Write<'static> {
    let sql = format!(
        "SELECT \"seq\", \"hash\" FROM {} WHERE org = $1 AND \"seq\" IS NOT NULL ORDER BY \"seq\" DESC LIMIT 1",
        AuditEntry::TABLE.name
    );
    Write { sql, params: vec![Param::Org(scope.key())], expected: Vec::new() }
}

/// The oldest entries that are not sealed, without their changed fields, which the chain knows by their hash.
pub fn unsealed(scope: Scope, limit: u32) -> Write<'static> {
    let table = AuditEntry::TABLE;
    let changes = AuditEntry::COLUMNS.changes.index();
    let columns: Vec<String> = table
        .columns
        .iter()
        .enumerate()
        .map(|(at, column)| if at == changes { "NULL::text".to_owned() } else { quote(column.name) })
        .collect();
    let sql = format!(
        "SELECT {} FROM {} WHERE org = $1 AND \"seq\" IS NULL ORDER BY \"id\" LIMIT $2",
        columns.join(", "),
        table.name
    );
    Write { sql, params: vec![Param::Org(scope.key()), Param::Int(i64::from(limit))], expected: Vec::new() }
}

/// The statement that takes the contents and salts out of the entries of records from versions on, but for those that the change-set
/// itself has written: their ids count up from its own.
pub fn forget(scope: Scope, forgotten: &[Forgotten], changes: Uuid, entries: usize) -> Write<'static> {
    let last = Uuid::from_u128(changes.as_u128().wrapping_add(entries.max(1) as u128 - 1));
    let records = Param::Ids(forgotten.iter().map(|of| of.id).collect());
    let versions = Param::Ints(forgotten.iter().map(|of| of.since).collect());
    let params = vec![Param::Org(scope.key()), records, Param::Ids(vec![changes, last]), versions];
    let sql = format!(
        "UPDATE {} AS t SET \"changes\" = NULL, \"salt\" = NULL FROM UNNEST($2::uuid[], $4::bigint[]) AS f(id, since) \
         WHERE t.org = $1 AND t.\"record_id\" = f.id AND t.\"record_version\" >= f.since \
         AND t.\"changes\" IS NOT NULL AND NOT t.\"id\" BETWEEN ($3::uuid[])[1] AND ($3::uuid[])[2]",
        AuditEntry::TABLE.name
    );
    Write { sql, params, expected: Vec::new() }
}

/// The statement that gives sealed entries their numbers and hashes.
pub fn seal(scope: Scope, entries: &[Row]) -> Write<'_> {
    let columns = AuditEntry::COLUMNS;
    let column = |position: usize| entries.iter().map(|row| &row[position]).collect();
    let params = vec![
        Param::Org(scope.key()),
        Param::Many(Kind::Id, column(0)),
        Param::Many(Kind::Int, column(columns.seq.index())),
        Param::Many(Kind::Bytes, column(columns.hash.index())),
    ];
    let sql = format!(
        "UPDATE {} AS t SET \"seq\" = u.seq, \"hash\" = u.hash FROM UNNEST($2::uuid[], $3::bigint[], $4::bytea[]) AS \
         u(id, seq, hash) WHERE t.org = $1 AND t.\"id\" = u.id AND t.\"seq\" IS NULL",
        AuditEntry::TABLE.name
    );
    Write { sql, params, expected: Vec::new() }
}

/// Puts several queries into one statement of one row, so that they see the same snapshot and cost one round trip:
/// each column holds one query's rows as an array of records.
pub fn together(queries: &[crate::Statement]) -> crate::Statement {
    let mut binds = Vec::new();
    let columns: Vec<String> = queries
        .iter()
        .map(|query| {
            let text = format!("(SELECT array_agg(ROW(s.*)) FROM ({}) AS s)", shifted(&query.sql, binds.len()));
            binds.extend(query.binds.iter().cloned());
            text
        })
        .collect();
    crate::Statement { sql: format!("SELECT {}", columns.join(",\n")), binds }
}

/// Adds to the number of every placeholder. No other `$` stands in our texts.
fn shifted(sql: &str, by: usize) -> String {
    let mut parts = sql.split('$');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        let number = part[..digits].parse::<usize>().unwrap_or_default();
        let _ = write!(text, "${}{}", number + by, &part[digits..]);
    }
    text
}
