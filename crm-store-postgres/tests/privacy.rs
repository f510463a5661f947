//! No byte of an erased contact is left in what PostgreSQL dumps.

#![allow(clippy::unwrap_used, reason = "these are tests")]

mod common;

use std::path::PathBuf;
use std::process::Command;

use common::Database;
use crm_core::Crm;
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_byte_of_an_erased_contact_is_left_in_a_dump() {
    let database = Database::new();
    let planted = plant(&testing::crm(database.store().await, 1), "acme").await.unwrap();
    assert_eq!(found_in(&dumped(&database.schema), &planted.canaries).len(), planted.canaries.len(), "all before");
    assert!(erase(&planted).await.unwrap(), "purged");
    assert_eq!(found_in(&dumped(&database.schema), &planted.canaries), Vec::<String>::new());
    // The samples of the planner's statistics are no part of a dump, but hold values too.
    let samples = "SELECT count(*) FROM pg_stats WHERE schemaname = current_schema() AND \
                   tablename = 'crm_contact' AND most_common_vals::text LIKE '%canary.example%'";
    assert_eq!(database.number(samples).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_personal_comes_back_in_a_race_with_an_erasure() {
    let database = Database::new();
    let crm = testing::with_logins(Crm::new(database.store().await, TestEnvironment::new(1)));
    for round in 0..8 {
        let planted = plant(&crm, &format!("race-{round}")).await.unwrap();
        let words: Vec<String> = (0..5).map(|step| format!("intruder{round}x{step}")).collect();
        let others = words.iter().cloned().enumerate().map(|(step, word)| {
            let planted = planted.clone();
            tokio::spawn(async move {
                for again in 0..20 {
                    if !intrude(&planted, step, &format!("{word} {again}")).await.unwrap() {
                        break;
                    }
                }
            })
        });
        let others: Vec<_> = others.collect();
        planted.session.erase_contact(planted.contact).await.unwrap();
        for other in others {
            other.await.unwrap();
        }
        after_race(&planted, &words).await.unwrap();
    }
}
