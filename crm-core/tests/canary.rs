//! No secret and nothing personal is logged or printed, on the memory store; and what the processes of the tests log and
//! keep is recorded.

use std::process::Command;
use std::sync::Arc;

use crm_core::block_on;
use crm_core::store::MemoryStore;
use crm_core::testing::{self, canary, trace};

#[test]
fn no_secret_and_nothing_personal_is_logged_or_printed() {
    block_on(canary::check(async || Arc::new(MemoryStore::new()), false)).unwrap();
}

/// What the next test looks at.
#[test]
fn a_password_is_kept() {
    let crm = testing::crm(MemoryStore::new(), 1);
    block_on(async {
        let session = testing::organization(&crm, "acme").await.unwrap();
        let owner = session.user().email.clone();
        crm.set_password(&owner, &"a recorded password".into()).await.unwrap();
    });
    log::debug!("it was kept");
}

#[test]
fn what_a_process_logs_and_keeps_is_recorded() {
    let folder = std::env::temp_dir().join(format!("crm-trace-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let mut process = Command::new(std::env::current_exe().unwrap());
    process.args(["--exact", "a_password_is_kept"]).env(trace::VARIABLE, &folder);
    assert!(process.output().unwrap().status.success());
    let files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path()).collect();
    let records = std::fs::read_to_string(&files[0]).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(files.len(), 1);
    let records: Vec<&str> = records.split_terminator('\0').collect();
    assert!(records[0].starts_with('T'), "{records:?}");
    for begun in [
        "Lcanary it was kept",
        "Puser.email\u{1}owner@acme.example",
        "Ssecret.text\u{1}a recorded password",
        "Suser.password_hash\u{1}$argon2id$",
    ] {
        assert!(records.iter().any(|record| record.starts_with(begun)), "{begun} is not in {records:?}");
    }
}
