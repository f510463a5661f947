//! Reports over a million invoices: the library, hand-written SQL on the same file, pandas.

use std::hint::black_box;

use crm_core::Session;
use crm_core::report::{AgeingOptions, SummaryOptions};
use crm_store_sqlite::Durability;
use rusqlite::{Connection, Row};

use crate::ledger::{self, AS_OF, days};
use crate::rounds::{Goal, Workload, per_unit};
use crate::sums::{self, ByCurrency, ContactRow, Figures};
use crate::{Options, Outcome, book, peers, reports_pg};

/// A report, by name, with the ways to it.
pub(crate) const REPORTS: [&str; 3] = ["summary", "per contact", "ageing"];

pub(crate) fn run(options: &Options) -> Outcome {
    let count = options.rows(1_000_000);
    let runtime = book::runtime()?;
    let path = ledger::sqlite(count)?;
    let store = book::open(&path, Durability::Full)?;
    let session = runtime.block_on(book::session(store))?;
    // Reports read with a connection of 8 MiB, ours like the library's.
    let connection = book::connect(&path, None)?;
    let python = peers::python();

    for name in REPORTS {
        check(name, &runtime, &session, &connection)?;
        let mut workload = Workload::new(format!("reports: {name} over {count} invoices, SQLite"), "report");
        let hand = workload.competitor("hand-written SQL", || per_unit(1, || by_hand(name, &connection)));
        let library = workload.competitor("library", || per_unit(1, || runtime.block_on(by_library(name, &session))));
        workload.goal(library, hand, Goal::AtMost(1.25));
        if let Some(python) = &python {
            let url = format!("sqlite:///{}", path.display());
            let peer = workload.competitor("pandas", move || peers::seconds(python, "reports.py", &[&url, "", name]));
            workload.goal(library, peer, Goal::AtLeast(8.0));
        }
        workload.run(options.rounds(5))?;
    }
    match std::env::var("CRM_TEST_POSTGRES_URL") {
        Ok(url) if !url.is_empty() => reports_pg::run(options, &url, python.as_deref(), &runtime),
        _ => {
            eprintln!("reports: without PostgreSQL, since CRM_TEST_POSTGRES_URL is not set");
            Ok(())
        }
    }
}

/// The ageing that the library is asked for.
pub(crate) const AGEING: AgeingOptions = AgeingOptions { as_of: Some(AS_OF), per_contact: false, restated: false };

/// What the library is asked.
pub(crate) const fn asked(per_contact: bool) -> SummaryOptions {
    SummaryOptions { as_of: Some(AS_OF), include_void: false, per_contact, restated: false }
}

pub(crate) async fn by_library(name: &str, session: &Session<'_>) -> Outcome {
    if name == "ageing" {
        black_box(session.ageing(&AGEING).await?);
    } else {
        black_box(session.summary(&asked(name == "per contact")).await?);
    }
    Ok(())
}

fn by_hand(name: &str, connection: &Connection) -> Outcome {
    match name {
        "ageing" => drop(black_box(ageing(connection)?)),
        "summary" => drop(black_box(summary(connection)?)),
        _ => drop(black_box(per_contact(connection)?)),
    }
    Ok(())
}

fn check(name: &str, runtime: &tokio::runtime::Runtime, session: &Session<'_>, connection: &Connection) -> Outcome {
    match name {
        "ageing" => {
            let library = runtime.block_on(session.ageing(&AGEING))?;
            sums::same(name, &sums::of_ageing(&library), &ageing(connection)?)
        }
        "summary" => {
            let library = runtime.block_on(session.summary(&asked(false)))?;
            sums::same(name, &(library.contacts, sums::of_summary(&library)), &summary(connection)?)
        }
        _ => {
            let library = runtime.block_on(session.summary(&asked(true)))?;
            sums::same(name, &sums::of_contacts(library), &per_contact(connection)?)
        }
    }
}

fn numbers<const N: usize>(row: &Row<'_>, first: usize) -> rusqlite::Result<[i64; N]> {
    let mut numbers = [0; N];
    for (at, number) in numbers.iter_mut().enumerate() {
        *number = row.get(first + at)?;
    }
    Ok(numbers)
}

fn summary(connection: &Connection) -> Outcome<(i64, ByCurrency)> {
    let snapshot = connection.unchecked_transaction()?;
    let day = days(AS_OF);
    let mut sums = ByCurrency::new();
    let contacts = snapshot.prepare_cached(sums::CONTACTS)?.query_row([], |row| row.get(0))?;
    let mut statement = snapshot.prepare_cached(sums::BY_STATUS)?;
    let mut rows = statement.query([day])?;
    while let Some(row) = rows.next()? {
        let status: String = row.get(1)?;
        sums::add_status(sums.entry(row.get(0)?).or_default(), &status, numbers(row, 2)?);
    }
    let mut statement = snapshot.prepare_cached(sums::LATER)?;
    let mut rows = statement.query([day])?;
    while let Some(row) = rows.next()? {
        sums::add_later(sums.entry(row.get(0)?).or_default(), row.get(1)?, row.get(2)?);
    }
    for text in [sums::CREDIT, sums::LATER_CREDIT] {
        let mut statement = snapshot.prepare_cached(text)?;
        let mut rows = statement.query([day])?;
        while let Some(row) = rows.next()? {
            sums.entry(row.get(0)?).or_default()[7] += row.get::<_, i64>(1)?;
        }
    }
    Ok((contacts, sums))
}

/// Nothing is allocated after the day here; the library asks for that too, and finds it in an index at once.
fn per_contact(connection: &Connection) -> Outcome<Vec<ContactRow>> {
    let snapshot = connection.unchecked_transaction()?;
    let day = days(AS_OF);
    let mut credits = std::collections::HashMap::new();
    let mut statement = snapshot.prepare_cached(sums::CREDIT_PER_CONTACT)?;
    let mut rows = statement.query([day])?;
    while let Some(row) = rows.next()? {
        credits.insert((row.get::<_, [u8; 16]>(0)?, row.get::<_, String>(1)?), row.get::<_, i64>(2)?);
    }
    let mut statement = snapshot.prepare_cached(sums::PER_CONTACT)?;
    let rows = statement.query_map([day], |row| {
        let (given, family): (Option<String>, Option<String>) = (row.get(0)?, row.get(1)?);
        let contact = match (given, family) {
            (Some(given), Some(family)) => format!("{given} {family}"),
            (Some(name), None) | (None, Some(name)) => name,
            (None, None) => row.get::<_, Option<String>>(2)?.unwrap_or_default(),
        };
        let mut figures: Figures = [0; 8];
        figures[..7].copy_from_slice(&numbers::<7>(row, 6)?);
        Ok(ContactRow { contact, email: row.get(3)?, id: row.get(4)?, currency: row.get(5)?, figures })
    })?;
    let mut all = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    for row in &mut all {
        if !credits.is_empty()
            && let Some(credit) = credits.remove(&(row.id, row.currency.clone()))
        {
            row.figures[7] = credit;
        }
    }
    Ok(all)
}

fn ageing(connection: &Connection) -> Outcome<ByCurrency> {
    let snapshot = connection.unchecked_transaction()?;
    let day = days(AS_OF);
    let mut sums = ByCurrency::new();
    for text in [sums::AGEING, sums::LATER_AGEING] {
        let mut statement = snapshot.prepare_cached(text)?;
        let mut rows = statement.query([day, day - 30, day - 60, day - 90])?;
        while let Some(row) = rows.next()? {
            let figures = sums.entry(row.get(0)?).or_default();
            figures.iter_mut().zip(numbers::<5>(row, 1)?).for_each(|(sum, number)| *sum += number);
        }
    }
    Ok(sums)
}
