//! Rates.
use std::time::Instant;
use crm_core::people::*;
use crm_core::store::*;
use crm_core::testing::{self, TestEnvironment};
use crm_core::Crm;
use crm_core::entity::{Entity, Stored};
use crm_store_sqlite::*;
use crm_core::store::Store;
fn contact(n: u64) -> Contact {
    let mut c = Contact::new(ContactKind::Person);
    c.given_name = format!("Given{} ", n % 1000).parse().ok();
    c.family_name = format!("Family{}", n / 7 % 5000).parse().ok();
    c.email = format!("person{}x{n}@example.com", n.wrapping_mul(2654435761) % 100000).parse().ok();
    c
}
#[tokio::main]
async fn main() {
    let dir = tempfile::tempdir_in("/work").unwrap();
    for d in [Durability::Normal, Durability::Full] {
        let path = dir.path().join(format!("{d:?}.db"));
        let store = SqliteStore::open(path.to_str().unwrap(), SqliteOptions { durability: d, ..Default::default() }).unwrap();
        let crm = Crm::new(store.clone(), TestEnvironment::new(1));
        let session = testing::organization(&crm, "acme").await.unwrap();
        let scope = session.scope();
        let mut context = session.context();
        let n = 3000u64;
        let t = Instant::now();
        let mut last = None;
        for i in 0..n {
            let mut ch = ChangeSet::new(context.stamp("t"));
            last = Some(ch.insert(&mut context, contact(i)));
            store.apply(scope, ch).await.unwrap();
        }
        println!("{d:?} single apply: {:.0}/s", n as f64 / t.elapsed().as_secs_f64());
        let t = Instant::now();
        let mut tasks = vec![];
        for k in 0..64u64 {
            let (store, mut context) = (store.clone(), session.context());
            tasks.push(tokio::spawn(async move {
                for i in 0..100u64 {
                    let mut ch = ChangeSet::new(context.stamp("t"));
                    ch.insert(&mut context, contact(1_000_000 + k * 1000 + i));
                    store.apply(scope, ch).await.unwrap();
                }
            }));
        }
        for t in tasks { t.await.unwrap(); }
        println!("{d:?} 64 tasks: {:.0}/s", 6400.0 / t.elapsed().as_secs_f64());
        let id = last.unwrap().id.uuid();
        let t = Instant::now();
        for _ in 0..20000 { store.fetch(scope, Contact::TABLE, &[id]).await.unwrap(); }
        println!("fetch: {:.0}/s", 20000.0 / t.elapsed().as_secs_f64());
        let q = Query::<Contact>::all().limit(50).to_select().unwrap();
        let t = Instant::now();
        for _ in 0..2000 { let r = store.select(scope, &q).await.unwrap(); assert_eq!(r.len(), 50); }
        println!("page of 50: {:.0}/s", 2000.0 / t.elapsed().as_secs_f64());
        let q = Query::new(Filter::<Contact>::search("given12 fam")).limit(50).to_select().unwrap();
        let t = Instant::now();
        for _ in 0..500 { store.select(scope, &q).await.unwrap(); }
        println!("search: {:.0}/s", 500.0 / t.elapsed().as_secs_f64());
        for round in 0..2u64 {
            let mut build = 0.0; let mut apply = 0.0;
            for b in 0..20u64 {
                let t = Instant::now();
                let mut ch = ChangeSet::new(context.stamp("t"));
                for i in 0..1000 { ch.insert(&mut context, contact(10_000_000 * (round + 1) + b * 1000 + i)); }
                build += t.elapsed().as_secs_f64();
                let t = Instant::now();
                store.apply(scope, ch).await.unwrap();
                apply += t.elapsed().as_secs_f64();
            }
            println!("{d:?} bulk x1000: {:.0} rows/s apply, {:.2} us/row building", 20000.0 / apply, build * 50.0);
        }
        let t = Instant::now();
        let all: Vec<Stored<Contact>> = store.all(scope, &Select::new(Contact::TABLE, Expr::True)).await.unwrap();
        println!("read all {}: {:.0}/s", all.len(), all.len() as f64 / t.elapsed().as_secs_f64());
    }
}
