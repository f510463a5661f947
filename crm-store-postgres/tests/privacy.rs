//! No byte of an erased contact is left in what PostgreSQL dumps.

#![allow(clippy::unwrap_used, reason = "these are tests")]

mod common;

use std::path::PathBuf;
use std::process::Command;

use common::{Database, execute};
use crm_core::Crm;
use crm_core::schema::TABLES;
use crm_core::testing::privacy::{after_race, erase, found_in, intrude, plant};
use crm_core::testing::{self, TestEnvironment};

/// The program that dumps, in the path or where Debian's packages have the newest one.
fn pg_dump() -> PathBuf {
    let in_path = std::env::var_os("PATH")
        .and_then(|path| std::env::split_paths(&path).map(|folder| folder.join("pg_dump")).find(|file| file.is_file()));
    let version = |folder: &PathBuf| folder.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok());
    let installed = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let newest = installed.filter_map(|entry| Some(entry.ok()?.path())).max_by_key(version);
    // The one in Debian's path only chooses among these.
    newest.map(|folder| folder.join("bin/pg_dump")).filter(|file| file.is_file()).or(in_path).expect("pg_dump")
}

fn dumped(schema: &str) -> Vec<u8> {
    let output = Command::new(pg_dump()).arg("--schema").arg(schema).arg(common::url()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// The values that the planner's statistics hold as samples. They are no part of a dump.
async fn sampled(database: &Database) -> String {
    let samples = "SELECT coalesce(string_agg(concat_ws(' ', tablename, attname, most_common_vals::text, \
                   histogram_bounds::text, most_common_elems::text), E'\\n'), '') \
                   FROM pg_stats WHERE schemaname = current_schema()";
    sqlx::query_scalar(samples).fetch_one(&mut database.host().await).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_byte_of_an_erased_contact_is_left_in_a_dump() {
    let database = Database::new();
    let planted = plant(&testing::crm(database.store().await, 1), "acme").await.unwrap();
    assert_eq!(found_in(&dumped(&database.schema), &planted.canaries).len(), planted.canaries.len(), "all before");
    // What the server does by itself from time to time, of every table.
    for table in TABLES {
        execute(&mut database.host().await, &format!("ANALYZE {}", table.name)).await;
    }
    let before = found_in(sampled(&database).await.as_bytes(), &planted.canaries);
    assert!(before.len() > planted.canaries.len() / 2, "{} of {}", before.len(), planted.canaries.len());

    assert!(erase(&planted).await.unwrap(), "purged");
    assert_eq!(found_in(&dumped(&database.schema), &planted.canaries), Vec::<String>::new());
    assert_eq!(found_in(sampled(&database).await.as_bytes(), &planted.canaries), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_personal_comes_back_in_a_race_with_an_erasure() {
    let database = Database::new();
    let crm = testing::with_logins(Crm::new(database.store().await, TestEnvironment::new(1)));
    let (mut written, mut refused) = (0, 0);
    for round in 0..40 {
        // Somebody was there before the erasure, and somebody after it.
        if round >= 8 && written > 0 && refused > 0 {
            break;
        }
        let planted = plant(&crm, &format!("race-{round}")).await.unwrap();
        let words: Vec<String> = (0..5).map(|step| format!("intruder{round}x{step}")).collect();
        let others = words.iter().cloned().enumerate().map(|(step, word)| {
            let planted = planted.clone();
            tokio::spawn(async move {
                for again in 0..20 {
                    if !intrude(&planted, step, &format!("{word} {again}")).await.unwrap() {
                        return (again, true);
                    }
                }
                (20, false)
            })
        });
        let others: Vec<_> = others.collect();
        planted.session.erase_contact(planted.contact).await.unwrap();
        for other in others {
            let (wrote, was_refused) = other.await.unwrap();
            written += wrote;
            refused += u32::from(was_refused);
        }
        after_race(&planted, &words).await.unwrap();
    }
    assert!(written > 0 && refused > 0, "{written} written before the erasures, {refused} refused after them");
}
