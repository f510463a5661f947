//! A member's deals and a contact's timeline as a careful hand reads them, on both databases.

use std::fmt::Write as _;

use crm_core::Value;
use crm_core::activity::{Happening, Timeline};
use crm_core::value::Instant;
use uuid::Uuid;

use crate::Outcome;
use crate::hand::{Database, bare_row};

bare_row!(
    /// A deal, with all its columns.
    BareDeal, DEAL: {
        id: Option<Uuid> = id, title: Option<String> = text, contact_id: Option<Uuid> = id, owner_id: Option<Uuid> = id,
        currency: Option<String> = text, amount: Option<i64> = int, pipeline_id: Option<Uuid> = id,
        stage_id: Option<Uuid> = id, status: Option<String> = text, expected_close_on: Option<i64> = date,
        opened_at: Option<i64> = instant, closed_at: Option<i64> = instant, lost_reason: Option<String> = text,
        product_id: Option<Uuid> = id, lead_id: Option<Uuid> = id, stage_entered_at: Option<i64> = instant,
        external_id: Option<String> = text, title_key: Option<String> = text, is_open: bool = truth,
        version: Option<i64> = int, created_at: Option<i64> = instant, created_by: Option<Uuid> = id,
        updated_at: Option<i64> = instant, archived_at: Option<i64> = instant,
    }
);

/// The first page of a member's open deals, the largest first.
pub(crate) fn deals<D: Database>(owner: Uuid, database: &mut D) -> Outcome<Vec<BareDeal>> {
    static TEXT: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    let text = TEXT.get_or_init(|| {
        format!(
            "SELECT {} FROM crm_deal WHERE org = 1 AND owner_id = ?1 AND is_open = TRUE AND archived_at IS NULL \
             ORDER BY amount DESC, id DESC LIMIT 50",
            DEAL.join(", ")
        )
    });
    database.ask(text, &[Value::Id(owner)], |row| BareDeal::read(row))
}

bare_row!(
    /// An interaction, a task or an audit entry.
    BareItem, ITEM: {
        at: Option<i64> = instant, source: i64 = number, id: Option<Uuid> = id, contact_id: Option<Uuid> = id,
        lead_id: Option<Uuid> = id, deal_id: Option<Uuid> = id, invoice_id: Option<Uuid> = id, word: Option<String> = text,
        told: Option<String> = text, person: Option<Uuid> = id, more: Option<String> = text, due_on: Option<i64> = date,
        due_at: Option<i64> = instant, done_at: Option<i64> = instant, version: Option<i64> = int,
        created_by: Option<Uuid> = id, updated_at: Option<i64> = instant,
    }
);

/// Where a page begins: after the item of this instant, source and id.
pub(crate) type Place = (Instant, i64, Uuid);

/// The sources, which each give one page: the source's number, columns, table, condition and instant.
const SOURCES: [(i64, &str, &str, &str, &str); 3] = [
    (
        0,
        "occurred_at AS at, CAST(0 AS BIGINT) AS source, id, contact_id, lead_id, deal_id, invoice_id, kind AS word, \
         notes AS told, author_id AS person, CAST(NULL AS TEXT) AS more, CAST(NULL AS DATE) AS due_on, \
         CAST(NULL AS TIMESTAMPTZ) AS due_at, CAST(NULL AS TIMESTAMPTZ) AS done_at, CAST(NULL AS BIGINT) AS version, \
         CAST(NULL AS UUID) AS created_by, CAST(NULL AS TIMESTAMPTZ) AS updated_at",
        "crm_interaction",
        "contact_id",
        "occurred_at",
    ),
    (
        1,
        "created_at AS at, CAST(1 AS BIGINT) AS source, id, contact_id, lead_id, deal_id, invoice_id, status AS word, \
         title AS told, assignee_id AS person, description AS more, due_on, due_at, done_at, version, created_by, \
         updated_at",
        "crm_task",
        "contact_id",
        "created_at",
    ),
    (
        3,
        "at, CAST(3 AS BIGINT) AS source, id, record_id AS contact_id, CAST(NULL AS UUID) AS lead_id, \
         CAST(NULL AS UUID) AS deal_id, CAST(NULL AS UUID) AS invoice_id, entity AS word, command AS told, \
         actor_id AS person, changes AS more, CAST(NULL AS DATE) AS due_on, CAST(NULL AS TIMESTAMPTZ) AS due_at, \
         CAST(NULL AS TIMESTAMPTZ) AS done_at, CAST(NULL AS BIGINT) AS version, CAST(NULL AS UUID) AS created_by, \
         CAST(NULL AS TIMESTAMPTZ) AS updated_at",
        "crm_audit_entry",
        "record_id",
        "at",
    ),
];

/// The statement for a page of a contact's timeline.
pub(crate) fn timeline_text(deep: bool) -> String {
    let mut text = format!("SELECT {} FROM (", ITEM.join(", "));
    for (place, (_, columns, table, of, at)) in SOURCES.iter().enumerate() {
        let union = if place == 0 { "" } else { " UNION ALL " };
        let after = if deep { format!(" AND ({at}, id) < (?2, ?{})", place + 3) } else { String::new() };
        let _ = write!(
            text,
            "{union}SELECT * FROM (SELECT {columns} FROM {table} WHERE org = 1 AND {of} = ?1{after} \
             ORDER BY {at} DESC, id DESC LIMIT 50) s{place}"
        );
    }
    text + ") s ORDER BY at DESC, source, id DESC LIMIT 50"
}

/// A page of a contact's timeline: its items, and of the changes the names of the fields.
pub(crate) fn timeline<D: Database>(
    text: &str,
    contact: Uuid,
    after: Option<Place>,
    database: &mut D,
) -> Outcome<Vec<(BareItem, Vec<String>)>> {
    let mut values = vec![Value::Id(contact)];
    if let Some((at, source, id)) = after {
        values.push(Value::Instant(at));
        // Of the items of that instant, those of an earlier source have been shown.
        let bounds = SOURCES.iter().map(|(number, ..)| match number.cmp(&source) {
            std::cmp::Ordering::Less => Uuid::nil(),
            std::cmp::Ordering::Equal => id,
            std::cmp::Ordering::Greater => Uuid::max(),
        });
        values.extend(bounds.map(Value::Id));
    }
    database.ask(text, &values, |row| {
        let item = BareItem::read(row)?;
        let fields = match &item.more {
            Some(changes) if item.source == 3 => {
                let changes = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(changes)?;
                // A claim is told of as the field that it is of.
                let claimed = |name: &str| name.strip_suffix("_claim").is_some_and(|field| changes.contains_key(field));
                changes.keys().filter(|name| !claimed(name)).cloned().collect()
            }
            _ => Vec::new(),
        };
        Ok((item, fields))
    })
}

/// What is compared of an item: its place, a text of it, and the fields of a change.
pub(crate) type Told = (Option<i64>, i64, Option<Uuid>, Option<String>, Vec<String>);

pub(crate) fn told(page: Vec<(BareItem, Vec<String>)>) -> Vec<Told> {
    page.into_iter().map(|(item, fields)| (item.at, item.source, item.id, item.told, fields)).collect()
}

pub(crate) fn of_timeline(page: &Timeline) -> Vec<Told> {
    page.items
        .iter()
        .map(|item| {
            let at = Some(item.at.micros());
            match &item.what {
                Happening::Interaction(of) => (at, 0, Some(of.id.uuid()), Some(of.value.notes.to_string()), Vec::new()),
                Happening::Task(of) => (at, 1, Some(of.id.uuid()), Some(of.value.title.to_string()), Vec::new()),
                Happening::Change(of) => (at, 3, Some(of.id.uuid()), Some(of.command.clone()), of.fields.clone()),
                _ => (at, 2, None, None, Vec::new()),
            }
        })
        .collect()
}
