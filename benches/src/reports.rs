//! Reports over a million invoices: the library, hand-written SQL on the same database, pandas.

use std::cell::RefCell;
use std::hint::black_box;

use chrono::{Days, NaiveDate};
use crm_core::Session;
use crm_core::report::{AgeingOptions, SummaryOptions};
use crm_store_sqlite::Durability;
use tokio::runtime::Runtime;

use crate::hand::{Database, Postgres};
use crate::ledger::{self, AS_OF};
use crate::rounds::{Goal, Workload, per_unit};
use crate::{Options, Outcome, book, peers, pg, sums};

/// A report, by name.
const REPORTS: [&str; 3] = ["summary", "per contact", "ageing"];

/// Where the invoices are.
struct Place<'a> {
    on: &'a str,
    /// As pandas is told.
    url: String,
    schema: &'a str,
}

pub(crate) fn run(options: &Options) -> Outcome {
    let count = options.rows(1_000_000);
    let runtime = book::runtime()?;
    let path = ledger::sqlite(count)?;
    let session = runtime.block_on(book::session(book::open(&path, Durability::Full)?))?;
    let place = Place { on: "SQLite", url: format!("sqlite:///{}", path.display()), schema: "" };
    // Reports read with a connection of 8 MiB, ours like the library's.
    measured(options, &place, &runtime, &session, book::connect(&path, None)?)?;
    let url = match std::env::var("CRM_TEST_POSTGRES_URL") {
        Ok(url) if !url.is_empty() => url,
        _ => {
            eprintln!("reports: without PostgreSQL, since CRM_TEST_POSTGRES_URL is not set");
            return Ok(());
        }
    };
    runtime.block_on(ledger::postgres(&url, count))?;
    let session = runtime.block_on(async { book::session(pg::open(&url).await?).await })?;
    let connection = runtime.block_on(pg::connect(&url))?;
    let place = Place { on: "PostgreSQL", url, schema: pg::SCHEMA };
    measured(options, &place, &runtime, &session, Postgres { runtime: &runtime, connection })
}

fn measured<D: Database>(
    options: &Options,
    place: &Place<'_>,
    runtime: &Runtime,
    session: &Session<'_>,
    mut database: D,
) -> Outcome {
    let python = peers::python();
    for name in REPORTS {
        check(name, AS_OF, runtime, session, &mut database)?;
        // As of a day in the middle, what came later counts too.
        if name != "per contact" {
            check(name, AS_OF - Days::new(200), runtime, session, &mut database)?;
        }
        let database = RefCell::new(&mut database);
        let title = format!("reports: {name} over {} invoices, {}", options.rows(1_000_000), place.on);
        let mut workload = Workload::new(title, "report");
        let hand =
            workload.competitor("hand-written SQL", || per_unit(1, || by_hand(name, &mut **database.borrow_mut())));
        let library = workload.competitor("library", || per_unit(1, || runtime.block_on(by_library(name, session))));
        workload.goal(library, hand, Goal::AtMost(1.25));
        if let Some(python) = &python {
            let arguments = [&place.url, place.schema, name];
            let peer = workload.competitor("pandas", move || peers::seconds(python, "reports.py", &arguments));
            workload.goal(library, peer, Goal::AtLeast(8.0));
        }
        workload.run(options.rounds(5))?;
    }
    Ok(())
}

/// The ageing that the library is asked for.
const fn aged(day: NaiveDate) -> AgeingOptions {
    AgeingOptions { as_of: Some(day), per_contact: false, restated: false }
}

/// The summary that the library is asked for.
const fn summed(day: NaiveDate, per_contact: bool) -> SummaryOptions {
    SummaryOptions { as_of: Some(day), include_void: false, per_contact, restated: false }
}

async fn by_library(name: &str, session: &Session<'_>) -> Outcome {
    if name == "ageing" {
        black_box(session.ageing(&aged(AS_OF)).await?);
    } else {
        black_box(session.summary(&summed(AS_OF, name == "per contact")).await?);
    }
    Ok(())
}

fn by_hand(name: &str, database: &mut impl Database) -> Outcome {
    match name {
        "ageing" => drop(black_box(sums::ageing(AS_OF, database)?)),
        "summary" => drop(black_box(sums::summary(AS_OF, database)?)),
        _ => drop(black_box(sums::per_contact(AS_OF, database)?)),
    }
    Ok(())
}

/// Both say the same of a day.
fn check(
    name: &str,
    day: NaiveDate,
    runtime: &Runtime,
    session: &Session<'_>,
    database: &mut impl Database,
) -> Outcome {
    match name {
        "ageing" => {
            let library = runtime.block_on(session.ageing(&aged(day)))?;
            sums::same(name, &sums::of_ageing(&library), &sums::ageing(day, database)?)
        }
        "summary" => {
            let library = runtime.block_on(session.summary(&summed(day, false)))?;
            sums::same(name, &(library.contacts, sums::of_summary(&library)), &sums::summary(day, database)?)
        }
        _ => {
            let library = runtime.block_on(session.summary(&summed(day, true)))?;
            sums::same(name, &sums::of_contacts(library), &sums::per_contact(day, database)?)
        }
    }
}
