//! One contact, pages of fifty, and a page far down.

use std::cell::Cell;
use std::hint::black_box;

use crm_core::people::Contact;
use crm_core::store::{Cursor, Query};
use crm_core::{Id, Session, Value};
use crm_store_sqlite::Durability;
use rusqlite::{Connection, Row};
use uuid::Uuid;

use crate::book;
use crate::contacts::mix;
use crate::rounds::{Goal, Workload, per_unit};
use crate::{Options, Outcome};

/// Records read per turn.
const GETS: usize = 5_000;
/// Pages read per turn.
const PAGES: usize = 400;

/// Declares a struct of a row's columns, and how it is read by a careful hand.
macro_rules! bare_row {
    ($name:ident { $($field:ident: $type:ty),* $(,)? }) => {
        /// A row, with its columns as plain values.
        #[expect(dead_code, reason = "they are only read from the database")]
        struct $name { $($field: $type),* }

        impl $name {
            const COLUMNS: &'static [&'static str] = &[$(stringify!($field)),*];

            fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
                let mut at = 0..;
                let mut next = || at.next().unwrap_or(0_usize);
                Ok(Self { $($field: row.get(next())?),* })
            }
        }
    };
}
bare_row!(BareContact {
    id: [u8; 16], kind: String, given_name: Option<String>, family_name: Option<String>, company_name: Option<String>,
    company_id: Option<[u8; 16]>, email: Option<String>, phone: Option<String>, phone_raw: Option<String>,
    address_line: Option<String>, city: Option<String>, region: Option<String>, postal_code: Option<String>,
    country: Option<String>, tax_scheme: Option<String>, tax_number: Option<String>, account_number: Option<String>,
    stratum: Option<i64>, payment_days: Option<i64>, code: Option<String>, external_id: Option<String>, instagram: Option<String>,
    owner_id: Option<[u8; 16]>, source: Option<String>, notes: Option<String>, custom: Option<String>,
    email_claim: Option<String>, phone_claim: Option<String>, name_key: String, email_key: Option<String>,
    search: String, version: i64, created_at: i64, created_by: Option<[u8; 16]>, updated_at: i64,
    archived_at: Option<i64>,
});

fn bare_get(connection: &Connection, id: Uuid) -> Outcome<BareContact> {
    let text = texts();
    let mut statement = connection.prepare_cached(&text.get)?;
    Ok(statement.query_row((1, id.as_bytes()), BareContact::read)?)
}

fn bare_page(connection: &Connection, after: Uuid) -> Outcome<Vec<BareContact>> {
    let text = texts();
    let mut statement = connection.prepare_cached(&text.page)?;
    let rows = statement.query_map((1, after.as_bytes()), BareContact::read)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// What the bare reads send.
struct Texts {
    get: String,
    page: String,
}

fn texts() -> &'static Texts {
    static TEXTS: std::sync::OnceLock<Texts> = std::sync::OnceLock::new();
    TEXTS.get_or_init(|| {
        let columns = BareContact::COLUMNS.join(", ");
        Texts {
            get: format!("SELECT {columns} FROM crm_contact WHERE org = ?1 AND id = ?2"),
            page: format!(
                "SELECT {columns} FROM crm_contact WHERE org = ?1 AND id > ?2 AND archived_at IS NULL ORDER BY id LIMIT 50"
            ),
        }
    })
}

/// The cursor of the list in the order of creation, after this contact.
fn cursor(query: &Query<Contact>, after: Uuid) -> Outcome<Cursor> {
    Ok(Cursor::new(&query.to_select()?, &[Value::Id(after)]))
}

async fn page(session: &Session<'_>, query: &Query<Contact>) -> Outcome {
    let page = session.list(query).await?;
    if page.items.len() != 50 {
        return Err(format!("a page of {}", page.items.len()).into());
    }
    black_box(page);
    Ok(())
}

pub(crate) fn run(options: &Options) -> Outcome {
    let count = options.rows(1_000_000);
    let rounds = options.rounds(7);
    let regime = options.regime();
    let path = book::with_contacts(count)?;
    let runtime = book::runtime()?;
    let session = runtime.block_on(book::session(book::open(&path, Durability::Full)?))?;
    let connection = book::connect(&path, None)?;
    // A spread of contacts, none near the end, so that a whole page comes after each.
    let mut statement = connection.prepare("SELECT id FROM crm_contact WHERE rid = ?1")?;
    let mut id_of = |rid: i64| -> Outcome<Uuid> { Ok(Uuid::from_bytes(statement.query_row([rid], |row| row.get(0))?)) };
    let last = i64::try_from(count)?.saturating_sub(60).max(1);
    let ids: Vec<Uuid> =
        (0..20_000).map(|at| id_of(1 + mix(at).cast_signed().rem_euclid(last))).collect::<Outcome<_>>()?;
    let deep = id_of(last * 9 / 10)?;
    let turn = Cell::new(0);
    // Every turn reads other contacts than the one before it.
    let batch = |size: usize| {
        let first = turn.get();
        turn.set(first + size);
        ids.iter().cycle().skip(first % ids.len()).take(size)
    };

    let mut workload = Workload::new(format!("read: get by id among {count} contacts, SQLite, {regime}"), "call");
    let floor = workload.competitor("rusqlite prepare_cached", || {
        per_unit(GETS, || {
            batch(GETS).try_for_each(|id| bare_get(&connection, *id).map(|contact| drop(black_box(contact))))
        })
    });
    let library = workload.competitor("library", || {
        per_unit(GETS, || {
            runtime.block_on(async {
                for id in batch(GETS) {
                    black_box(session.get::<Contact>(Id::new(*id)).await?);
                }
                Ok(())
            })
        })
    });
    workload.goal(library, floor, Goal::AtLeast(0.5));
    workload.run(rounds)?;

    let mut workload = Workload::new(format!("read: a page of 50 anywhere, SQLite, {regime}"), "page");
    let floor = workload.competitor("rusqlite prepare_cached", || {
        per_unit(PAGES, || {
            batch(PAGES).try_for_each(|id| bare_page(&connection, *id).map(|page| drop(black_box(page))))
        })
    });
    let library = workload.competitor("library", || {
        per_unit(PAGES, || {
            runtime.block_on(async {
                for id in batch(PAGES) {
                    let query = Query::all();
                    let cursor = cursor(&query, *id)?;
                    page(&session, &query.after(Some(cursor))).await?;
                }
                Ok(())
            })
        })
    });
    workload.goal(library, floor, Goal::AtLeast(0.5));
    workload.run(rounds)?;

    let repeated = |query: &Query<Contact>| {
        per_unit(PAGES, || {
            runtime.block_on(async {
                for _ in 0..PAGES {
                    page(&session, query).await?;
                }
                Ok(())
            })
        })
    };
    let all = Query::all();
    let after = all.clone().after(Some(cursor(&all, deep)?));
    let columns = Contact::COLUMNS;
    let by_name = Query::all().ascending(columns.name_key);
    let (name, id): (String, [u8; 16]) = connection.query_row(
        "SELECT name_key, id FROM crm_contact WHERE org = 1 ORDER BY name_key, id LIMIT 1 OFFSET ?1",
        [last * 9 / 10],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let place = [Value::Text(name), Value::Id(Uuid::from_bytes(id))];
    let far_by_name = by_name.clone().after(Some(Cursor::new(&by_name.to_select()?, &place)));
    let mut workload = Workload::new(format!("read: a page of 50 by depth, SQLite, {regime}"), "page");
    let first = workload.competitor("first page", || repeated(&all));
    let far = workload.competitor(format!("page at {}", last * 9 / 10), || repeated(&after));
    workload.goal(far, first, Goal::AtMost(1.2));
    let first = workload.competitor("first page, by name", || repeated(&by_name));
    let far = workload.competitor(format!("page at {}, by name", last * 9 / 10), || repeated(&far_by_name));
    workload.goal(far, first, Goal::AtMost(1.2));
    workload.run(rounds)
}
