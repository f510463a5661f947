//! Sales: a member's deals, a long timeline, and the reports of a million steps; the library and hand-written SQL.

use std::cell::{Cell, RefCell};
use std::hint::black_box;

use crm_core::activity::TimelineOptions;
use crm_core::people::Contact;
use crm_core::sales::{Deal, StageChange};
use crm_core::store::{Cursor, Query, Store};
use crm_core::{Crm, Id, Session, SystemEnvironment};
use crm_store_sqlite::Durability;
use rusqlite::Connection;
use tokio::runtime::Runtime;
use uuid::Uuid;

use crate::hand::{Database, Postgres};
use crate::rounds::{Goal, Workload, per_unit};
use crate::sales_reads::{self as by_hand, Place, of_timeline, told};
use crate::sales_sql::{self, REPORTS};
use crate::{Options, Outcome, book, deals, pg, sums};

/// Pages of deals read per turn.
const PAGES: usize = 200;
/// Pages of the timeline read per turn.
const TIMELINES: usize = 100;
/// After how many items the deep page of the timeline comes.
const DEEP: u32 = 9_000;

/// A database with so many deals, and the ways to it.
struct Book<'a, D> {
    runtime: &'a Runtime,
    count: usize,
    database: RefCell<D>,
    owner: Session<'static>,
    /// Sessions of the members, with the ids of their users.
    members: Vec<(Uuid, Session<'static>)>,
}

impl<'a, D: Database> Book<'a, D> {
    fn open(runtime: &'a Runtime, count: usize, store: impl Store + Clone + 'static, database: D) -> Outcome<Self> {
        runtime.block_on(async {
            let owner = book::session(store.clone()).await?;
            let crm = Crm::new(store, SystemEnvironment);
            let mut members = Vec::new();
            for number in 0..deals::MEMBERS {
                let session = crm.session(&book::SLUG.parse()?, &deals::member(number).parse()?).await?;
                members.push((session.user().id.uuid(), session));
            }
            Ok(Self { runtime, count, database: RefCell::new(database), owner, members })
        })
    }
}

pub(crate) fn run(options: &Options) -> Outcome {
    // Three deals have about ten steps.
    let count = options.rows(300_000);
    let counts = [count.div_ceil(30), count.div_ceil(3), count];
    let runtime = book::runtime()?;
    let open = |count| -> Outcome<Book<'_, Connection>> {
        let path = deals::sqlite(count)?;
        // Reports read with a connection of 8 MiB, ours like the library's.
        Book::open(&runtime, count, book::open(&path, Durability::Full)?, book::connect(&path, None)?)
    };
    measured(options, "SQLite", &open(counts[0])?, &open(counts[1])?, &open(counts[2])?)?;
    let url = match std::env::var("CRM_TEST_POSTGRES_URL") {
        Ok(url) if !url.is_empty() => url,
        _ => {
            eprintln!("sales: without PostgreSQL, since CRM_TEST_POSTGRES_URL is not set");
            return Ok(());
        }
    };
    let open = |place: usize| -> Outcome<Book<'_, Postgres<'_>>> {
        let (count, schema) = (counts[place], [pg::TENTH, pg::THIRD, pg::SCHEMA][place]);
        runtime.block_on(deals::postgres(&url, schema, count))?;
        let store = runtime.block_on(pg::open_in(&url, schema))?;
        let connection = runtime.block_on(pg::connect_to(&url, schema))?;
        Book::open(&runtime, count, store, Postgres { runtime: &runtime, connection })
    };
    measured(options, "PostgreSQL", &open(0)?, &open(1)?, &open(2)?)
}

fn measured<D: Database>(
    options: &Options,
    on: &str,
    tenth: &Book<'_, D>,
    whole: &Book<'_, D>,
    large: &Book<'_, D>,
) -> Outcome {
    list(options, on, tenth, whole)?;
    timeline(options, on, large)?;
    reports(options, on, large)
}

fn list<D: Database>(options: &Options, on: &str, tenth: &Book<'_, D>, whole: &Book<'_, D>) -> Outcome {
    let columns = Deal::COLUMNS;
    let query = Query::new(columns.is_open.eq(&true)).descending(columns.amount);
    for (member, session) in &whole.members {
        let page = whole.runtime.block_on(session.list(&query))?;
        let library: Vec<Uuid> = page.items.iter().map(|deal| deal.id.uuid()).collect();
        let hand = by_hand::deals(*member, &mut *whole.database.borrow_mut())?;
        sums::same("list", &library, &hand.iter().filter_map(|deal| deal.id).collect())?;
        if library.len() != 50 {
            return Err(format!("a page of {}", library.len()).into());
        }
    }
    let turn = Cell::new(0);
    let next = || {
        turn.set(turn.get() + 1);
        turn.get() % deals::MEMBERS
    };
    let listed = |book: &Book<'_, D>| {
        per_unit(PAGES, || {
            book.runtime.block_on(async {
                for _ in 0..PAGES {
                    black_box(book.members[next()].1.list(&query).await?);
                }
                Ok(())
            })
        })
    };
    let title = format!("sales: a member's open deals by amount, a page of 50, {} deals, {on}", whole.count);
    let mut workload = Workload::new(title, "page");
    let hand = workload.competitor("hand-written SQL", || {
        per_unit(PAGES, || {
            let mut database = whole.database.borrow_mut();
            (0..PAGES).try_for_each(|_| {
                by_hand::deals(whole.members[next()].0, &mut *database).map(|page| drop(black_box(page)))
            })
        })
    });
    let small = workload.competitor(format!("library, {} deals", tenth.count), || listed(tenth));
    let library = workload.competitor("library", || listed(whole));
    workload.goal(library, hand, Goal::AtMost(1.25));
    workload.goal(library, small, Goal::AtMost(1.5));
    workload.run(options.rounds(9))
}

/// The contact with the long history, and where its deep page begins.
fn far<D: Database>(book: &Book<'_, D>) -> Outcome<(Id<Contact>, Place, Cursor)> {
    book.runtime.block_on(async {
        let first = book.owner.list(&Query::<Contact>::all().limit(1)).await?;
        let contact = first.items.first().ok_or("there is no contact")?.id;
        let mut options = TimelineOptions { after: None, limit: 1_000 };
        for _ in 1..DEEP / 1_000 {
            options.after = book.owner.timeline(contact, &options).await?.next;
        }
        let page = book.owner.timeline(contact, &options).await?;
        let last = of_timeline(&page).pop().ok_or("the timeline is short")?;
        let (at, source, id, ..) = last;
        let at = crm_core::value::Instant::from_micros(at.unwrap_or_default())?;
        Ok((contact, (at, source, id.unwrap_or_default()), page.next.ok_or("the timeline is short")?))
    })
}

fn timeline<D: Database>(options: &Options, on: &str, book: &Book<'_, D>) -> Outcome {
    let (contact, place, cursor) = far(book)?;
    let texts = [by_hand::timeline_text(false), by_hand::timeline_text(true)];
    let names = ["first page".to_owned(), format!("page at {DEEP}")];
    let pages = [(None, None), (Some(place), Some(cursor))];
    let title = format!("sales: a contact's timeline of {} entries, a page of 50, {on}", deals::ENTRIES);
    let mut workload = Workload::new(title, "page");
    for ((name, text), (place, after)) in names.iter().zip(&texts).zip(pages) {
        let asked = TimelineOptions { after, ..TimelineOptions::default() };
        let library = of_timeline(&book.runtime.block_on(book.owner.timeline(contact, &asked))?);
        let bare = by_hand::timeline(text, contact.uuid(), place, &mut *book.database.borrow_mut())?;
        sums::same(name, &library, &told(bare))?;
        if library.len() != 50 {
            return Err(format!("a page of {}", library.len()).into());
        }
        let hand = workload.competitor(format!("hand-written SQL, {name}"), move || {
            per_unit(TIMELINES, || {
                let mut database = book.database.borrow_mut();
                (0..TIMELINES).try_for_each(|_| {
                    by_hand::timeline(text, contact.uuid(), place, &mut *database).map(|page| drop(black_box(page)))
                })
            })
        });
        let library = workload.competitor(format!("library, {name}"), move || {
            per_unit(TIMELINES, || {
                book.runtime.block_on(async {
                    for _ in 0..TIMELINES {
                        black_box(book.owner.timeline(contact, &asked).await?);
                    }
                    Ok(())
                })
            })
        });
        workload.goal(library, hand, Goal::AtMost(1.25));
    }
    workload.run(options.rounds(9))
}

fn reports<D: Database>(options: &Options, on: &str, book: &Book<'_, D>) -> Outcome {
    let zone = book.owner.organization().time_zone;
    let steps = book.runtime.block_on(book.owner.count(&Query::<StageChange>::all()))?;
    for name in REPORTS {
        let library = book.runtime.block_on(sales_sql::library(name, &book.owner))?;
        sums::same(name, &library, &sales_sql::by_hand(name, zone, &mut *book.database.borrow_mut())?)?;
        let title = format!("sales: {name} over {steps} steps of {} deals, {on}", book.count);
        let mut workload = Workload::new(title, "report");
        let hand = workload.competitor("hand-written SQL", || {
            per_unit(1, || {
                black_box(sales_sql::by_hand(name, zone, &mut *book.database.borrow_mut())?);
                Ok(())
            })
        });
        let library = workload.competitor("library", || {
            per_unit(1, || {
                black_box(book.runtime.block_on(sales_sql::library(name, &book.owner))?);
                Ok(())
            })
        });
        workload.goal(library, hand, Goal::AtMost(1.25));
        workload.run(options.rounds(5))?;
    }
    Ok(())
}
