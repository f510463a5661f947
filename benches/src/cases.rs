//! Cases: those due this week, and R9, over a million; the library and hand-written SQL.

use std::cell::RefCell;
use std::hint::black_box;

use chrono::{Days, NaiveDate};
use crm_core::Session;
use crm_core::report::CaseReportOptions;
use crm_core::service::Case;
use crm_core::store::Query;
use crm_store_sqlite::Durability;
use tokio::runtime::Runtime;
use uuid::Uuid;

use crate::hand::{Database, Postgres};
use crate::ledger::AS_OF;
use crate::rounds::{Goal, Workload, per_unit};
use crate::{Options, Outcome, book, cases_sql as by_hand, petitions, pg, sums};

/// Pages read per turn.
const PAGES: usize = 200;
/// Counts per turn.
const COUNTS: usize = 20;
/// The last day of the week that is asked for.
const WEEK_ENDS: NaiveDate = NaiveDate::from_ymd_opt(2026, 11, 7).expect("a date");
/// How many days after the report's day a case is due soon.
const SOON: u32 = 5;

pub(crate) fn run(options: &Options) -> Outcome {
    let count = options.rows(1_000_000);
    let runtime = book::runtime()?;
    let path = petitions::sqlite(count)?;
    let session = runtime.block_on(book::session(book::open(&path, Durability::Full)?))?;
    // Reports read with a connection of 8 MiB, ours like the library's.
    measured(options, "SQLite", &runtime, &session, book::connect(&path, None)?)?;
    let url = match std::env::var("CRM_TEST_POSTGRES_URL") {
        Ok(url) if !url.is_empty() => url,
        _ => {
            eprintln!("cases: without PostgreSQL, since CRM_TEST_POSTGRES_URL is not set");
            return Ok(());
        }
    };
    runtime.block_on(petitions::postgres(&url, count))?;
    let session = runtime.block_on(async { book::session(pg::open(&url).await?).await })?;
    let connection = runtime.block_on(pg::connect(&url))?;
    measured(options, "PostgreSQL", &runtime, &session, Postgres { runtime: &runtime, connection })
}

fn measured<D: Database>(
    options: &Options,
    on: &str,
    runtime: &Runtime,
    session: &Session<'_>,
    database: D,
) -> Outcome {
    let count = options.rows(1_000_000);
    let database = RefCell::new(database);
    let query = Query::new(Case::due(AS_OF, WEEK_ENDS)).ascending(Case::COLUMNS.due_on);

    let found = runtime.block_on(session.list(&query))?;
    let library: Vec<Uuid> = found.items.iter().map(|case| case.id.uuid()).collect();
    let hand = by_hand::page(AS_OF, WEEK_ENDS, &mut *database.borrow_mut())?;
    sums::same("due this week", &library, &hand.iter().filter_map(|case| case.id).collect())?;
    let title = format!("cases: due this week, the first page of {} of {count}, {on}", library.len());
    let mut workload = Workload::new(title, "page");
    let hand = workload.competitor("hand-written SQL", || {
        per_unit(PAGES, || {
            let mut database = database.borrow_mut();
            (0..PAGES)
                .try_for_each(|_| by_hand::page(AS_OF, WEEK_ENDS, &mut *database).map(|page| drop(black_box(page))))
        })
    });
    let library = workload.competitor("library", || {
        per_unit(PAGES, || {
            runtime.block_on(async {
                for _ in 0..PAGES {
                    black_box(session.list(&query).await?);
                }
                Ok(())
            })
        })
    });
    workload.goal(library, hand, Goal::AtMost(1.25));
    workload.run(options.rounds(9))?;

    let due = runtime.block_on(session.count(&query))?;
    sums::same("how many are due this week", &due, &by_hand::count(AS_OF, WEEK_ENDS, &mut *database.borrow_mut())?)?;
    let mut workload = Workload::new(format!("cases: how many are due this week, {due} of {count}, {on}"), "count");
    let hand = workload.competitor("hand-written SQL", || {
        per_unit(COUNTS, || {
            let mut database = database.borrow_mut();
            for _ in 0..COUNTS {
                black_box(by_hand::count(AS_OF, WEEK_ENDS, &mut *database)?);
            }
            Ok(())
        })
    });
    let library = workload.competitor("library", || {
        per_unit(COUNTS, || {
            runtime.block_on(async {
                for _ in 0..COUNTS {
                    black_box(session.count(&query).await?);
                }
                Ok(())
            })
        })
    });
    workload.goal(library, hand, Goal::AtMost(1.25));
    workload.run(options.rounds(9))?;
    report(options, on, runtime, session, &database)
}

fn report<D: Database>(
    options: &Options,
    on: &str,
    runtime: &Runtime,
    session: &Session<'_>,
    database: &RefCell<D>,
) -> Outcome {
    let zone = session.organization().time_zone;
    let by_hand = |day: NaiveDate| {
        let until = zone.start_of(day + Days::new(1));
        by_hand::report(day, day + Days::new(SOON.into()), until, &mut *database.borrow_mut())
    };
    let asked = |day| CaseReportOptions { days: SOON, as_of: Some(day), ..CaseReportOptions::default() };
    // As of a day in the middle as well.
    for day in [AS_OF, AS_OF - Days::new(200)] {
        let library = runtime.block_on(session.case_report(&asked(day)))?;
        sums::same("the report", &crate::cases_sql::of_report(&library), &by_hand(day)?)?;
    }
    let title = format!("cases: R9 over {} cases, {on}", options.rows(1_000_000));
    let mut workload = Workload::new(title, "report");
    let hand = workload.competitor("hand-written SQL", || {
        per_unit(1, || {
            black_box(by_hand(AS_OF)?);
            Ok(())
        })
    });
    let library = workload.competitor("library", || {
        per_unit(1, || {
            black_box(runtime.block_on(session.case_report(&asked(AS_OF)))?);
            Ok(())
        })
    });
    workload.goal(library, hand, Goal::AtMost(1.25));
    workload.run(options.rounds(5))
}
