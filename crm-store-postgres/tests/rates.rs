#![allow(clippy::unwrap_used)]
mod common;
use std::time::Instant;
use common::{Database, World, contact, execute};
use crm_core::audit;
use crm_core::entity::{Entity as _, Table};
use crm_core::people::Contact;
use crm_core::row::{Row, Value};
use crm_core::store::{ChangeSet, Store};
use crm_core::audit::AuditEntry;
use sqlx::{AssertSqlSafe, PgConnection};

fn median(mut v: Vec<f64>) -> f64 { v.sort_by(f64::total_cmp); v[v.len() / 2] }

fn text(out: &mut String, org: i64, row: &Row) {
    use std::fmt::Write as _;
    let _ = write!(out, "{org}");
    for value in row {
        out.push('\t');
        let _ = match value {
            Value::Null | Value::Deferred(_) => write!(out, "\\N"),
            Value::Bool(b) => write!(out, "{b}"),
            Value::Int(n) => write!(out, "{n}"),
            Value::Text(t) => write!(out, "{}", t.replace('\\', "\\\\").replace('\t', "\\t").replace('\n', "\\n")),
            Value::Date(d) => write!(out, "{d}"),
            Value::Instant(i) => write!(out, "{i}"),
            Value::Id(i) => write!(out, "{i}"),
            Value::Bytes(b) => { let _ = write!(out, "\\\\x"); for x in b { let _ = write!(out, "{x:02x}"); } Ok(()) }
        };
    }
    out.push('\n');
}

async fn copy(host: &mut PgConnection, table: &Table, org: i64, rows: &[Row]) {
    let names: Vec<String> = table.columns.iter().map(|c| format!("\"{}\"", c.name)).collect();
    let mut copy = host.copy_in_raw(&format!("COPY {} (org, {}) FROM STDIN", table.name, names.join(", "))).await.unwrap();
    let mut out = String::new();
    for chunk in rows.chunks(1000) {
        out.clear();
        chunk.iter().for_each(|row| text(&mut out, org, row));
        copy.send(out.as_bytes()).await.unwrap();
    }
    copy.finish().await.unwrap();
}

fn full(name: &str, n: u32) -> Contact {
    Contact {
        family_name: Some("García Pérez".parse().unwrap()),
        email: Some(format!("user{n}@example.com").parse().unwrap()),
        email_claim: Some(format!("user{n}@example.com")),
        account_number: Some(format!("A{n}").parse().unwrap()),
        ..contact(name)
    }
}

fn set(world: &mut World, from: u32, n: u32) -> ChangeSet {
    let mut changes = world.changes();
    for k in from..from + n { changes.insert(&mut world.context, full("Lucía", k)); }
    changes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rates() {
    for sync in ["on", "off"] {
        let mut ratios = vec![]; let mut ours = vec![]; let mut theirs = vec![];
        let database = Database::new();
        let store = crm_store_postgres::PostgresStore::connect(&format!("{}?options=-c%20synchronous_commit%3D{sync}", common::url()), database.options().seal_after(std::time::Duration::from_secs(600))).await.unwrap();
        let mut world = World::new(&store, 1).await;
        let mut host = database.host().await;
        execute(&mut host, &format!("SET synchronous_commit = {sync}")).await;
        let columns = ["id", "kind", "given_name", "family_name", "email", "account_number", "email_claim", "name_key", "email_key", "search", "version", "created_at", "updated_at"];
        let at: Vec<usize> = columns.iter().map(|c| Contact::TABLE.position(c).unwrap()).collect();
        let a = AuditEntry::TABLE;
        let acols: Vec<usize> = (0..a.columns.len()).filter(|p| !["seq", "hash", "actor_id"].contains(&a.columns[*p].name)).collect();
        let names = |t: &Table, at: &[usize]| at.iter().map(|p| format!("\"{}\"", t.columns[*p].name)).collect::<Vec<_>>().join(", ");
        let holes = |from: usize, n: usize| (from..from + n).map(|i| format!("${i}")).collect::<Vec<_>>().join(", ");
        let sql = format!("WITH c AS (INSERT INTO crm_contact (org, {}) VALUES ($1, {})) INSERT INTO crm_audit_entry (org, {}) VALUES ($1, {})", names(Contact::TABLE, &at), holes(2, at.len()), names(a, &acols), holes(2 + at.len(), acols.len()));
        let n = 400;
        let mut k = 0;
        for round in 0..8 {
            let sets: Vec<_> = (0..n).map(|_| { k += 1; set(&mut world, k, 1) }).collect();
            let hand: Vec<_> = (0..n).map(|_| { k += 1; let c = set(&mut world, k, 1); let e = audit::entries(&c).remove(0); (c.changes[0].row().clone(), e) }).collect();
            let (mut t1, mut t2) = (0.0, 0.0);
            let mut sets = Some(sets);
            for half in 0..2 {
                if (round + half) % 2 == 0 {
                    let t = Instant::now();
                    for c in sets.take().into_iter().flatten() { store.apply(world.scope, c).await.unwrap(); }
                    t1 = t.elapsed().as_secs_f64();
                } else {
                    let t = Instant::now();
                    for (row, e) in &hand {
                        let mut q = sqlx::query(AssertSqlSafe(sql.clone())).bind(1_i64);
                        for v in at.iter().map(|p| &row[*p]).chain(acols.iter().map(|p| &e[*p])) {
                            q = match v { Value::Id(i) => q.bind(*i), Value::Int(i) => q.bind(*i), Value::Text(t) => q.bind(t), Value::Instant(i) => q.bind(i.datetime()), Value::Bytes(b) => q.bind(b), v => panic!("{v:?}") };
                        }
                        q.execute(&mut host).await.unwrap();
                    }
                    t2 = t.elapsed().as_secs_f64();
                }
            }
            if round > 0 { ours.push(f64::from(n) / t1); theirs.push(f64::from(n) / t2); ratios.push(t2 / t1); }
        }
        println!("create one, sync {sync}: ours {:.0}/s, hand CTE {:.0}/s, ratio {:.2} {ratios:.2?}", median(ours), median(theirs), median(ratios.clone()));
    }
    let (mut ours, mut theirs, mut ratios) = (vec![], vec![], vec![]);
    for round in 0..4 {
        let (mut t1, mut t2) = (0.0, 0.0);
        for half in 0..2 {
            let database = Database::new();
            let store = crm_store_postgres::PostgresStore::connect(&common::url(), database.options().seal_after(std::time::Duration::from_secs(600))).await.unwrap();
            let mut world = World::new(&store, 1).await;
            let changes = set(&mut world, 0, 100_000);
            if (round + half) % 2 == 0 {
                let t = Instant::now();
                store.apply(world.scope, changes).await.unwrap();
                t1 = t.elapsed().as_secs_f64();
            } else {
                let mut host = database.host().await;
                let entries = audit::entries(&changes);
                let rows: Vec<Row> = changes.changes.iter().map(|c| c.row().clone()).collect();
                let t = Instant::now();
                execute(&mut host, "BEGIN").await;
                copy(&mut host, Contact::TABLE, 1, &rows).await;
                copy(&mut host, AuditEntry::TABLE, 1, &entries).await;
                execute(&mut host, "COMMIT").await;
                t2 = t.elapsed().as_secs_f64();
            }
        }
        ours.push(1e5 / t1); theirs.push(1e5 / t2); ratios.push(t2 / t1);
    }
    println!("bulk 100k: ours {:.0}/s, COPY {:.0}/s, ratio {:.2} {ratios:.2?}", median(ours), median(theirs), median(ratios.clone()));
}
