//! What row-level security costs: the library for a role that it holds, for one that it does not, and statements written
//! by hand in a transaction as the library's.

use std::hint::black_box;
use std::time::{Duration, Instant};

use crm_core::people::Contact;
use crm_core::store::{Cursor, Query};
use crm_core::{Id, Session, Value};
use crm_store_postgres::{PostgresOptions, PostgresStore};
use sqlx::{AssertSqlSafe, PgConnection};
use tokio::runtime::Runtime;
use uuid::Uuid;

use crate::contacts::{fields, mix};
use crate::pg::{self, Cell};
use crate::rounds::{Goal, Workload, each, per_unit};
use crate::{Options, Outcome, book, postgres};

/// The role that is held.
const ROLE: &str = "crm_bench_role";
/// How a hand begins.
const BEGIN: &str = "BEGIN; SET LOCAL crm.org = '1'";
/// Records read per turn.
const GETS: usize = 1_000;
/// Pages read per turn.
const PAGES: usize = 200;
/// Contacts of one change-set.
const BULK: usize = 1_000;
/// Change-sets per turn.
const SETS: usize = 5;

pub(crate) fn run(options: &Options) -> Outcome {
    let Some(url) = std::env::var("CRM_TEST_POSTGRES_URL").ok().filter(|url| !url.is_empty()) else {
        eprintln!("fence: left out, since CRM_TEST_POSTGRES_URL is not set");
        return Ok(());
    };
    let runtime = book::runtime()?;
    let measured = measure(options, &runtime, &url);
    runtime.block_on(async { drop_role(&mut pg::connect(&url).await?).await })?;
    measured
}

async fn drop_role(connection: &mut PgConnection) -> Outcome {
    let known: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)")
        .bind(ROLE)
        .fetch_one(&mut *connection)
        .await?;
    if known {
        pg::say(connection, &format!("DROP OWNED BY {ROLE}; DROP ROLE {ROLE}")).await?;
    }
    Ok(())
}

/// The address for the role.
fn held_url(url: &str) -> Outcome<String> {
    let (scheme, rest) = url.split_once("://").ok_or("an address without a scheme")?;
    let rest = rest.split_once('@').map_or(rest, |(_, rest)| rest);
    Ok(format!("{scheme}://{ROLE}:{ROLE}@{rest}"))
}

/// The store as this address, which leaves sealing for later, so that it is in nobody's way.
async fn open(url: &str) -> Outcome<PostgresStore> {
    let options = PostgresOptions::new().schema(pg::SCHEMA).seal_after(Duration::from_hours(1));
    Ok(PostgresStore::connect(url, options).await?)
}

fn measure(options: &Options, runtime: &Runtime, url: &str) -> Outcome {
    let held = held_url(url)?;
    let count = options.rows(20_000).max(2_000);
    let singles = fields(0..500);
    let (statement, rows) = postgres::by_hand(runtime, url, &singles)?;
    runtime.block_on(async {
        let mut connection = pg::connect(url).await?;
        drop_role(&mut connection).await?;
        pg::say(&mut connection, &format!("CREATE ROLE {ROLE} LOGIN PASSWORD '{ROLE}'")).await?;
        postgres::empty(&mut connection).await?;
        let store = open(url).await?;
        store.grant(ROLE).await?;
        postgres::create_all(&book::session(store.clone()).await?, &fields(0..count)).await?;
        store.close().await?;
        pg::say(&mut connection, "ANALYZE").await
    })?;
    reads(options, runtime, url, &held)?;
    single(options, runtime, [url, &held], &statement, &rows)?;
    bulk(options, runtime, url, &held)
}

/// A statement in a transaction of its own, as a hand sends it.
async fn alone(connection: &mut PgConnection, text: &str, cells: &[Cell]) -> Outcome<Vec<Vec<Cell>>> {
    let arguments = Cell::arguments(cells)?;
    pg::say(connection, BEGIN).await?;
    let rows = sqlx::query_with(AssertSqlSafe(text.to_owned()), arguments).fetch_all(&mut *connection).await?;
    pg::say(connection, "COMMIT").await?;
    rows.iter().map(Cell::all).collect()
}

async fn get(session: &Session<'_>, id: Uuid) -> Outcome {
    black_box(session.get::<Contact>(Id::new(id)).await?);
    Ok(())
}

async fn page(session: &Session<'_>, after: Uuid) -> Outcome {
    let query = Query::<Contact>::all();
    let cursor = Cursor::new(&query.to_select()?, &[Value::Id(after)]);
    let page = session.list(&query.after(Some(cursor))).await?;
    if page.items.len() != 50 {
        return Err(format!("a page of {}", page.items.len()).into());
    }
    black_box(page);
    Ok(())
}

fn reads(options: &Options, runtime: &Runtime, url: &str, held: &str) -> Outcome {
    let (free, fenced, mut connection, ids, names) = runtime.block_on(async {
        let mut connection = pg::connect(url).await?;
        let names = pg::columns(&mut connection, "crm_contact", &[]).await?;
        let ids: Vec<Uuid> =
            sqlx::query_scalar("SELECT id FROM crm_contact ORDER BY id").fetch_all(&mut connection).await?;
        let (free, fenced) = (book::session(open(url).await?).await?, book::session(open(held).await?).await?);
        Outcome::Ok((free, fenced, pg::connect(held).await?, ids, postgres::quoted(&names)))
    })?;
    // None near the end, so that a whole page comes after each.
    let spread = ids.len() - 60;
    let ids: Vec<Uuid> =
        (0..GETS as u64).map(|at| Ok(ids[usize::try_from(mix(at) % spread as u64)?])).collect::<Outcome<_>>()?;
    let by_id = format!("SELECT {names} FROM crm_contact WHERE org = 1 AND id = $1");
    let after = format!(
        "SELECT {names} FROM crm_contact WHERE org = 1 AND id > $1 AND archived_at IS NULL ORDER BY id LIMIT 50"
    );
    for (title, unit, text, size) in
        [("get by id", "call", &by_id, GETS), ("a page of 50 anywhere", "page", &after, PAGES)]
    {
        let one = size == GETS;
        let library = |session: &Session<'static>| {
            per_unit(size, || {
                runtime.block_on(async {
                    for id in &ids[..size] {
                        if one { get(session, *id).await? } else { page(session, *id).await? }
                    }
                    Ok(())
                })
            })
        };
        let mut workload = Workload::new(format!("fence: {title}, PostgreSQL"), unit);
        let floor = workload.competitor("by hand, in a transaction", || {
            per_unit(size, || {
                runtime.block_on(async {
                    for id in &ids[..size] {
                        black_box(alone(&mut connection, text, &[Cell::Id(Some(*id))]).await?);
                    }
                    Ok(())
                })
            })
        });
        let without = workload.competitor("library, not held", || library(&free));
        let with = workload.competitor("library, held", || library(&fenced));
        workload.goal(with, floor, Goal::AtLeast(0.8));
        workload.goal(with, without, Goal::AtMost(3.0));
        workload.run(options.rounds(7))?;
    }
    Ok(())
}

fn single(options: &Options, runtime: &Runtime, urls: [&str; 2], statement: &str, rows: &[Vec<Cell>]) -> Outcome {
    let (count, [url, held]) = (rows.len(), urls);
    let fields = fields(0..count);
    let mut workload = Workload::new("fence: one contact per transaction, PostgreSQL, synchronous_commit on", "call");
    let floor = workload.competitor("by hand, in a transaction", || {
        runtime.block_on(async {
            postgres::empty(&mut pg::connect(url).await?).await?;
            let mut connection = pg::connect(held).await?;
            let begun = Instant::now();
            for row in rows {
                alone(&mut connection, statement, row).await?;
            }
            Ok(each(begun.elapsed(), count))
        })
    });
    let library = |of: &str| {
        runtime.block_on(async {
            postgres::empty(&mut pg::connect(url).await?).await?;
            let store = open(of).await?;
            let session = book::session(store.clone()).await?;
            let begun = Instant::now();
            postgres::one_by_one(&session, &fields).await?;
            let took = each(begun.elapsed(), count);
            store.close().await?;
            Outcome::Ok(took)
        })
    };
    let without = workload.competitor("library, not held", || library(url));
    let with = workload.competitor("library, held", || library(held));
    workload.goal(with, floor, Goal::AtLeast(0.6));
    workload.goal(with, without, Goal::AtMost(3.0));
    workload.run(options.rounds(5))
}

/// Change-sets of a thousand. `COPY` cannot write to tables with row-level security; a hand gives the rows as JSON.
fn bulk(options: &Options, runtime: &Runtime, url: &str, held: &str) -> Outcome {
    let fields = fields(0..SETS * BULK);
    let rows = runtime.block_on(async {
        let mut connection = pg::connect(url).await?;
        postgres::empty(&mut connection).await?;
        let store = open(url).await?;
        postgres::create_all(&book::session(store.clone()).await?, &fields).await?;
        let mut rows = Vec::with_capacity(SETS);
        for at in 0..SETS {
            let mut texts = Vec::with_capacity(2);
            for (table, which) in [("crm_contact", "TRUE"), ("crm_audit_entry", "entity = 'contact'")] {
                let text = format!(
                    "SELECT json_agg(r)::text FROM (SELECT * FROM {table} WHERE {which} ORDER BY id LIMIT {BULK} OFFSET {}) AS r",
                    at * BULK
                );
                let text: String = sqlx::query_scalar(AssertSqlSafe(text)).fetch_one(&mut connection).await?;
                texts.push(Cell::Text(Some(text)));
            }
            rows.push(texts);
        }
        store.close().await?;
        Outcome::Ok(rows)
    })?;
    let statement = "WITH c AS (INSERT INTO crm_contact SELECT r.* FROM json_populate_recordset(NULL::crm_contact, $1::json) AS r) \
                     INSERT INTO crm_audit_entry SELECT r.* FROM json_populate_recordset(NULL::crm_audit_entry, $2::json) AS r";
    let mut workload = Workload::new(format!("fence: change-sets of {BULK} contacts, PostgreSQL"), "row");
    let floor = workload.competitor("by hand, in a transaction", || {
        runtime.block_on(async {
            postgres::empty(&mut pg::connect(url).await?).await?;
            let mut connection = pg::connect(held).await?;
            let begun = Instant::now();
            for row in &rows {
                alone(&mut connection, statement, row).await?;
            }
            Ok(each(begun.elapsed(), fields.len()))
        })
    });
    let library = |of: &str| {
        runtime.block_on(async {
            postgres::empty(&mut pg::connect(url).await?).await?;
            let store = open(of).await?;
            let session = book::session(store.clone()).await?;
            let begun = Instant::now();
            for fields in fields.chunks(BULK) {
                postgres::create_all(&session, fields).await?;
            }
            let took = each(begun.elapsed(), fields.len());
            store.close().await?;
            Outcome::Ok(took)
        })
    };
    let without = workload.competitor("library, not held", || library(url));
    let with = workload.competitor("library, held", || library(held));
    workload.goal(with, floor, Goal::AtLeast(0.5));
    workload.goal(with, without, Goal::AtMost(1.5));
    workload.run(options.rounds(5))
}
