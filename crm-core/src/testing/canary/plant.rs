//! Writes a canary into every flagged column of every table, by the table's description.

use uuid::Uuid;

use super::needles::{MARKER, NUMBER};
use crate::access::{Organization, User};
use crate::audit::AuditEntry;
use crate::entity::{Entity as _, Flags, Kind, Shape, Table, Tenancy};
use crate::error::CrmError;
use crate::people::Contact;
use crate::row::{Row, Value};
use crate::schema::TABLES;
use crate::store::{Change, ChangeSet, Expr, Filter, Query, Scope, Select, StoreError};
use crate::{Crm, Session};

/// A position that no other row has.
const FAR: i64 = 9_000;

/// What was planted.
pub(super) struct Planted {
    pub(super) session: Session<'static>,
    /// Rows with canaries, by table.
    pub(super) rows: Vec<(&'static Table, Row)>,
    /// What the store said about writing them twice.
    pub(super) refusals: Vec<StoreError>,
    text: String,
}

impl Planted {
    /// A text that holds a canary.
    pub(super) fn text(&self) -> &str {
        &self.text
    }
}

/// Copies a row of every table with flagged columns, with canaries in them; then changes, finds and repeats the copies.
pub(super) async fn everywhere(crm: &Crm) -> Result<Planted, CrmError> {
    let session = crm.session(&"theirs".parse()?, &"owner@theirs.example".parse()?).await?;
    let mut planted = Planted { session, rows: Vec::new(), refusals: Vec::new(), text: format!("a {MARKER} sings") };
    let session = planted.session.clone();
    for table in TABLES.iter().copied().filter(|table| **table != *AuditEntry::TABLE) {
        let flagged = |flags| table.columns.iter().any(|column| column.flags.contains(flags));
        if !flagged(Flags::SECRET) && !flagged(Flags::PERSONAL) {
            continue;
        }
        let scope = if table.tenancy == Tenancy::Global { Scope::SYSTEM } else { session.scope() };
        let like = row_like(crm, &session, table, scope).await?;
        let row = with_canaries(table, &like, session.context().new_id());
        write(crm, scope, &session, Change::Insert { table, row: row.clone() }).await?;
        // The same once more: unique columns are refused, and the database says by which values.
        let again = Change::Insert { table, row: with_canaries(table, &like, session.context().new_id()) };
        planted.refusals.extend(write(crm, scope, &session, again).await.err());
        if table.shape != Shape::Entry {
            let mut after = row.clone();
            after[table.version_position().unwrap_or_default()] = Value::Int(table.version(&row) + 1);
            write(crm, scope, &session, Change::Update { table, before: row.clone(), after }).await?;
        }
        planted.rows.push((table, row));
    }
    let found = session.list(&Query::new(Filter::<Contact>::search(MARKER))).await?;
    assert!(!found.items.is_empty(), "the canary is not found by the search");
    session.verify(None).await?;
    Ok(planted)
}

/// A row of a table; the refresh token of a login when there is none.
async fn row_like(crm: &Crm, session: &Session<'_>, table: &'static Table, scope: Scope) -> Result<Row, CrmError> {
    let first = Select::new(table, Expr::True).limited(1);
    if crm.store().select(scope, &first).await?.is_empty() {
        crm.set_password(&session.user().email, &"a fine horse battery".into()).await?;
        let login = crate::access::Login {
            organization: session.organization().slug.clone(),
            name: session.user().email.to_string(),
            password: "a fine horse battery".into(),
            source: None,
        };
        crm.login(&login).await?;
    }
    let row = crm.store().select(scope, &first).await?.into_iter().next();
    Ok(row.unwrap_or_else(|| panic!("there is no {} to copy", table.entity)))
}

async fn write(crm: &Crm, scope: Scope, session: &Session<'_>, change: Change) -> Result<(), StoreError> {
    let mut changes = ChangeSet::new(session.context().stamp("test"));
    changes.changes.push(change);
    crm.store().apply(scope, changes).await.map(drop)
}

/// A copy of a row with canaries in all flagged columns, and nothing else that must not repeat.
fn with_canaries(table: &'static Table, like: &[Value], id: Uuid) -> Row {
    let mut row = like.to_vec();
    row[0] = Value::Id(id);
    // A derived key is that of the column it is named after.
    let unique: Vec<&str> =
        table.uniques.iter().flat_map(|unique| unique.columns).map(|name| name.trim_end_matches("_key")).collect();
    for (at, column) in table.columns.iter().enumerate().skip(1) {
        let flagged = column.flags.contains(Flags::SECRET) || column.flags.contains(Flags::PERSONAL);
        if column.flags.contains(Flags::DERIVED) || !(flagged || unique.contains(&column.name)) {
            continue;
        }
        if !flagged && column.nullable {
            row[at] = Value::Null;
            continue;
        }
        if let (false, Kind::Int) = (flagged, column.kind) {
            row[at] = Value::Int(FAR);
            continue;
        }
        for canary in canaries(table, column.name, column.kind) {
            let before = std::mem::replace(&mut row[at], canary);
            if let Ok(derived) = (table.rederive)(row.clone()) {
                row = derived;
                break;
            }
            row[at] = before;
        }
    }
    row
}

/// Canaries of a kind, one of which a column takes.
fn canaries(table: &Table, column: &str, kind: Kind) -> Vec<Value> {
    let entity = table.entity;
    match kind {
        Kind::Text if *table == *Organization::TABLE => Vec::new(),
        Kind::Text if column.ends_with("hash") => vec![Value::Text(format!("$argon2id$v=19$m=8,t=1,p=1${MARKER}"))],
        Kind::Text if column.contains("email") => vec![Value::Text(format!("{MARKER}.{entity}@example.com"))],
        Kind::Text if column.contains("phone") => vec![Value::Text(NUMBER.to_owned())],
        Kind::Text if *table == *User::TABLE => vec![Value::Text(format!("{MARKER}.{column}"))],
        Kind::Text => vec![Value::Text(format!("{MARKER} {column}"))],
        Kind::Json => vec![Value::Text(format!("{{\"note\":\"{MARKER} {entity}\"}}"))],
        Kind::Bytes => vec![Value::Bytes(format!("{MARKER} {entity} {column}").into_bytes())],
        _ => Vec::new(),
    }
}
