//! The reports on PostgreSQL.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hint::black_box;

use crm_core::Session;
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, PgConnection, Row as _};
use uuid::Uuid;

use crate::ledger::{self, AS_OF, COPIES};
use crate::reports::{AGEING, REPORTS, asked, by_library};
use crate::rounds::{Goal, Workload, per_unit};
use crate::sums::{self, ByCurrency, ContactRow, Figures};
use crate::{Options, Outcome, book, peers, pg};

pub(crate) fn run(options: &Options, url: &str, python: Option<&str>, runtime: &tokio::runtime::Runtime) -> Outcome {
    let count = options.rows(1_000_000);
    runtime.block_on(fill(url, count))?;
    let session = runtime.block_on(async { book::session(pg::open(url).await?).await })?;
    let connection = RefCell::new(runtime.block_on(pg::connect(url))?);
    for name in REPORTS {
        runtime.block_on(check(name, &session, &mut connection.borrow_mut()))?;
        let mut workload = Workload::new(format!("reports: {name} over {count} invoices, PostgreSQL"), "report");
        let hand = workload.competitor("hand-written SQL", || {
            per_unit(1, || runtime.block_on(by_hand(name, &mut connection.borrow_mut())))
        });
        let library = workload.competitor("library", || per_unit(1, || runtime.block_on(by_library(name, &session))));
        workload.goal(library, hand, Goal::AtMost(1.25));
        if let Some(python) = python {
            let peer = workload.competitor("pandas", || peers::seconds(python, "reports.py", &[url, pg::SCHEMA, name]));
            workload.goal(library, peer, Goal::AtLeast(8.0));
        }
        workload.run(options.rounds(5))?;
    }
    Ok(())
}

/// The same book as on SQLite.
async fn fill(url: &str, count: usize) -> Outcome {
    eprintln!("filling PostgreSQL");
    let store = pg::fresh(url).await?;
    ledger::contacts(&book::session(store.clone()).await?).await?;
    store.close().await?;
    let mut connection = pg::connect(url).await?;
    let rows = sqlx::query("SELECT id FROM crm_contact WHERE org = 1 ORDER BY id").fetch_all(&mut connection).await?;
    let contacts = rows.iter().map(|row| row.try_get(0)).collect::<Result<Vec<Uuid>, _>>()?;
    for first in (0..count).step_by(50_000) {
        let mut lines = [String::new(), String::new(), String::new()];
        for number in first..count.min(first + 50_000) {
            ledger::copy_lines(number, count, &contacts, &mut lines);
        }
        for (table, lines) in COPIES.iter().zip(&lines) {
            pg::copy_in(&mut connection, table, lines.as_bytes()).await?;
        }
    }
    pg::say(&mut connection, "VACUUM ANALYZE crm_contact, crm_invoice, crm_payment, crm_allocation").await
}

async fn by_hand(name: &str, connection: &mut PgConnection) -> Outcome {
    match name {
        "ageing" => drop(black_box(ageing(connection).await?)),
        "summary" => drop(black_box(summary(connection).await?)),
        _ => drop(black_box(per_contact(connection).await?)),
    }
    Ok(())
}

async fn check(name: &str, session: &Session<'_>, connection: &mut PgConnection) -> Outcome {
    match name {
        "ageing" => {
            let library = session.ageing(&AGEING).await?;
            sums::same(name, &sums::of_ageing(&library), &ageing(connection).await?)
        }
        "summary" => {
            let library = session.summary(&asked(false)).await?;
            sums::same(name, &(library.contacts, sums::of_summary(&library)), &summary(connection).await?)
        }
        _ => {
            let library = session.summary(&asked(true)).await?;
            sums::same(name, &sums::of_contacts(library), &per_contact(connection).await?)
        }
    }
}

/// The rows of a statement that takes the day, and for the ageing those 30, 60 and 90 days before.
async fn rows(connection: &mut PgConnection, text: &str) -> Outcome<Vec<PgRow>> {
    let mut query = sqlx::query(AssertSqlSafe(sums::postgres(text)));
    let wanted = (1..=4).filter(|place| text.contains(&format!("?{place}")));
    for place in wanted {
        query = query.bind(AS_OF - chrono::Days::new(30 * (place - 1)));
    }
    Ok(query.fetch_all(connection).await?)
}

fn numbers<const N: usize>(row: &PgRow, first: usize) -> Outcome<[i64; N]> {
    let mut numbers = [0; N];
    for (at, number) in numbers.iter_mut().enumerate() {
        *number = row.try_get(first + at)?;
    }
    Ok(numbers)
}

async fn summary(connection: &mut PgConnection) -> Outcome<(i64, ByCurrency)> {
    let mut sums = ByCurrency::new();
    pg::say(connection, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    let contacts = rows(connection, sums::CONTACTS).await?[0].try_get(0)?;
    for row in rows(connection, sums::BY_STATUS).await? {
        sums::add_status(sums.entry(row.try_get(0)?).or_default(), row.try_get(1)?, numbers(&row, 2)?);
    }
    for row in rows(connection, sums::LATER).await? {
        sums::add_later(sums.entry(row.try_get(0)?).or_default(), row.try_get(1)?, row.try_get(2)?);
    }
    for text in [sums::CREDIT, sums::LATER_CREDIT] {
        for row in rows(connection, text).await? {
            sums.entry(row.try_get(0)?).or_default()[7] += row.try_get::<i64, _>(1)?;
        }
    }
    pg::say(connection, "COMMIT").await?;
    Ok((contacts, sums))
}

async fn per_contact(connection: &mut PgConnection) -> Outcome<Vec<ContactRow>> {
    pg::say(connection, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    let mut credits = HashMap::new();
    for row in rows(connection, sums::CREDIT_PER_CONTACT).await? {
        credits.insert((row.try_get::<Uuid, _>(0)?, row.try_get::<String, _>(1)?), row.try_get::<i64, _>(2)?);
    }
    let rows = rows(connection, sums::PER_CONTACT).await?;
    pg::say(connection, "COMMIT").await?;
    rows.iter()
        .map(|row| {
            let (given, family): (Option<String>, Option<String>) = (row.try_get(0)?, row.try_get(1)?);
            let contact = match (given, family) {
                (Some(given), Some(family)) => format!("{given} {family}"),
                (Some(name), None) | (None, Some(name)) => name,
                (None, None) => row.try_get::<Option<String>, _>(2)?.unwrap_or_default(),
            };
            let mut figures: Figures = [0; 8];
            figures[..7].copy_from_slice(&numbers::<7>(row, 6)?);
            let (id, currency): (Uuid, String) = (row.try_get(4)?, row.try_get(5)?);
            figures[7] = credits.get(&(id, currency.clone())).copied().unwrap_or(0);
            Ok(ContactRow { contact, email: row.try_get(3)?, id: *id.as_bytes(), currency, figures })
        })
        .collect()
}

async fn ageing(connection: &mut PgConnection) -> Outcome<ByCurrency> {
    let mut sums = ByCurrency::new();
    pg::say(connection, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    for text in [sums::AGEING, sums::LATER_AGEING] {
        for row in rows(connection, text).await? {
            let figures = sums.entry(row.try_get(0)?).or_default();
            figures.iter_mut().zip(numbers::<5>(&row, 1)?).for_each(|(sum, number)| *sum += number);
        }
    }
    pg::say(connection, "COMMIT").await?;
    Ok(sums)
}
