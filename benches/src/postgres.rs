//! PostgreSQL: 100,000 contacts against `COPY`, one contact against one statement written by hand.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use crm_core::Session;
use crm_core::people::Contact;
use sqlx::{AssertSqlSafe, PgConnection};
use tokio::runtime::Runtime;

use crate::contacts::{Fields, fields};
use crate::pg::{self, Cell};
use crate::rounds::{Goal, Workload, each, shown};
use crate::{Options, Outcome, book};

/// What PostgreSQL's sealer fills in later.
pub(crate) const SEALED: &[&str] = &["seq", "hash"];

pub(crate) fn run(options: &Options) -> Outcome {
    let Some(url) = std::env::var("CRM_TEST_POSTGRES_URL").ok().filter(|url| !url.is_empty()) else {
        eprintln!("postgres: left out, since CRM_TEST_POSTGRES_URL is not set");
        return Ok(());
    };
    let runtime = book::runtime()?;
    bulk(options, &runtime, &url)?;
    single(options, &runtime, &url)
}

/// Empties the tables that are filled.
pub(crate) async fn empty(connection: &mut PgConnection) -> Outcome {
    pg::say(connection, "TRUNCATE crm_contact, crm_audit_entry CASCADE").await?;
    // Nobody's turn pays for what the one before left to be written.
    if pg::say(connection, "CHECKPOINT").await.is_err() {
        eprintln!("not allowed to checkpoint: turns may pay for each other's pages");
    }
    Ok(())
}

pub(crate) async fn create_all(session: &Session<'_>, fields: &[Fields]) -> Outcome {
    let edits = fields.iter().map(|fields| fields.parsed(session)).collect::<Outcome<Vec<_>>>()?;
    session.create_many::<Contact>(&edits).await?;
    Ok(())
}

fn bulk(options: &Options, runtime: &Runtime, url: &str) -> Outcome {
    let count = options.rows(100_000);
    let fields = fields(0..count);
    let (contact_names, entry_names, contacts, entries) = runtime.block_on(async {
        let store = pg::fresh(url).await?;
        let session = book::session(store.clone()).await?;
        let mut connection = pg::connect(url).await?;
        create_all(&session, &fields).await?;
        let contact_names = pg::columns(&mut connection, "crm_contact", &[]).await?;
        let entry_names = pg::columns(&mut connection, "crm_audit_entry", SEALED).await?;
        let contacts = copied(&mut connection, "crm_contact", &contact_names, "TRUE").await?;
        let entries = copied(&mut connection, "crm_audit_entry", &entry_names, "entity = 'contact'").await?;
        store.close().await?;
        Outcome::Ok((contact_names, entry_names, contacts, entries))
    })?;

    let sealing = RefCell::new(Vec::new());
    let mut workload = Workload::new(format!("postgres: {count} contacts"), "row");
    let floor = workload.competitor("COPY", || {
        runtime.block_on(async {
            let mut connection = pg::connect(url).await?;
            empty(&mut connection).await?;
            let begun = Instant::now();
            pg::say(&mut connection, "BEGIN").await?;
            let into = format!("crm_contact ({})", quoted(&contact_names));
            pg::copy_in(&mut connection, &into, &contacts).await?;
            let into = format!("crm_audit_entry ({})", quoted(&entry_names));
            pg::copy_in(&mut connection, &into, &entries).await?;
            pg::say(&mut connection, "COMMIT").await?;
            Ok(each(begun.elapsed(), count))
        })
    });
    let library = workload.competitor("library, one change-set", || {
        runtime.block_on(async {
            empty(&mut pg::connect(url).await?).await?;
            let store = pg::open(url).await?;
            let session = book::session(store.clone()).await?;
            let begun = Instant::now();
            create_all(&session, &fields).await?;
            let took = begun.elapsed();
            store.close().await?;
            sealing.borrow_mut().push(begun.elapsed().saturating_sub(took).as_secs_f64());
            Ok(each(took, count))
        })
    });
    workload.goal(library, floor, Goal::AtLeast(0.5));
    workload.run(options.rounds(5))?;
    let mut sealing = sealing.into_inner();
    println!(
        "\nSealing the audit entries that were left when the contacts were written took another {} (median).",
        shown(crate::rounds::median(&mut sealing))
    );
    Ok(())
}

/// Names as they stand in statements.
pub(crate) fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
}

async fn copied(connection: &mut PgConnection, table: &str, names: &[String], which: &str) -> Outcome<Vec<u8>> {
    pg::copy_out(connection, &format!("(SELECT {} FROM {table} WHERE {which} ORDER BY id)", quoted(names))).await
}

/// The rows of a table, with their types.
async fn cells(connection: &mut PgConnection, table: &str, names: &[String], which: &str) -> Outcome<Vec<Vec<Cell>>> {
    let text = format!("SELECT {} FROM {table} WHERE {which} ORDER BY id", quoted(names));
    let rows = sqlx::query(AssertSqlSafe(text)).fetch_all(connection).await?;
    rows.iter().map(Cell::all).collect()
}

/// The statement by which a careful hand writes a contact with its audit entry, and the values for each of these: what
/// the library writes.
pub(crate) fn by_hand(runtime: &Runtime, url: &str, fields: &[Fields]) -> Outcome<(String, Vec<Vec<Cell>>)> {
    runtime.block_on(async {
        let store = pg::fresh(url).await?;
        let session = book::session(store.clone()).await?;
        one_by_one(&session, fields).await?;
        let mut connection = pg::connect(url).await?;
        let contact = pg::columns(&mut connection, "crm_contact", &[]).await?;
        let entry = pg::columns(&mut connection, "crm_audit_entry", SEALED).await?;
        let mut rows = cells(&mut connection, "crm_contact", &contact, "TRUE").await?;
        let entries = cells(&mut connection, "crm_audit_entry", &entry, "entity = 'contact'").await?;
        rows.iter_mut().zip(entries).for_each(|(row, entry)| row.extend(entry));
        store.close().await?;
        let places = |from: usize, to: usize| (from..=to).map(|at| format!("${at}")).collect::<Vec<_>>().join(", ");
        let statement = format!(
            "WITH c AS (INSERT INTO crm_contact ({}) VALUES ({})) INSERT INTO crm_audit_entry ({}) VALUES ({})",
            quoted(&contact),
            places(1, contact.len()),
            quoted(&entry),
            places(contact.len() + 1, contact.len() + entry.len())
        );
        Ok((statement, rows))
    })
}

fn single(options: &Options, runtime: &Runtime, url: &str) -> Outcome {
    let count = options.rows(1_000).min(2_000);
    let fields = fields(0..count);
    let (statement, rows) = by_hand(runtime, url, &fields)?;

    let mut workload = Workload::new("postgres: one contact per transaction, synchronous_commit on", "call");
    let floor = workload.competitor("one hand-written statement", || {
        runtime.block_on(async {
            let mut connection = pg::connect(url).await?;
            empty(&mut connection).await?;
            let arguments = rows.iter().map(Cell::arguments).collect::<Outcome<Vec<_>>>()?;
            let begun = Instant::now();
            for arguments in arguments {
                sqlx::query_with(AssertSqlSafe(statement.clone()), arguments).execute(&mut connection).await?;
            }
            Ok(each(begun.elapsed(), count))
        })
    });
    // Without the sealer, which works in the background at its own time: the cost of its work is told apart.
    for (name, after) in [("library", Duration::from_hours(1)), ("library, sealing meanwhile", Duration::from_secs(1))]
    {
        let (runtime, fields) = (&runtime, &fields);
        let library = workload.competitor(name, move || {
            runtime.block_on(async {
                empty(&mut pg::connect(url).await?).await?;
                let store = pg::open_sealing(url, after).await?;
                let session = book::session(store.clone()).await?;
                let begun = Instant::now();
                one_by_one(&session, fields).await?;
                let took = each(begun.elapsed(), count);
                store.close().await?;
                Ok(took)
            })
        });
        workload.goal(library, floor, Goal::AtLeast(0.6));
    }
    workload.run(options.rounds(5))
}

pub(crate) async fn one_by_one(session: &Session<'_>, fields: &[Fields]) -> Outcome {
    for fields in fields {
        session.create::<Contact>(fields.parsed(session)?).await?;
    }
    Ok(())
}
