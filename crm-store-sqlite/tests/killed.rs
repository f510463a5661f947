//! A process that is killed at any moment loses nothing that it acknowledged, and leaves nothing half written.
#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::collections::HashSet;
use std::io::{BufRead as _, BufReader, Cursor, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crm_core::import::{Import, ImportKind, Mapping};
use crm_core::people::{Contact, ContactKind};
use crm_core::store::Query;
use crm_core::testing::script::Dice;
use crm_core::{Crm, Edit, Session, SystemEnvironment, block_on, testing};
use crm_store_sqlite::{SqliteOptions, SqliteStore};

/// How many processes are killed in each kind of work.
const KILLS: u64 = 100;
/// How many rows an imported file has: several chunks.
const ROWS: usize = 1_200;

fn open(file: &Path) -> Crm {
    let store = SqliteStore::open(&file.to_string_lossy(), SqliteOptions::default()).unwrap();
    Crm::new(store, SystemEnvironment)
}

fn join(crm: &Crm) -> Session<'static> {
    block_on(crm.session(&"kill".parse().unwrap(), &"owner@kill.example".parse().unwrap())).unwrap()
}

fn person(name: &str) -> Edit<Contact> {
    let columns = Contact::COLUMNS;
    Edit::new().set(columns.kind, ContactKind::Person).set(columns.given_name, Some(name.parse().unwrap()))
}

/// Imports a file of contacts and gives their external ids, which are as long as ids and nobody else's.
fn import(session: &Session<'_>, number: u64) -> Vec<String> {
    let process = std::process::id();
    let ids: Vec<String> = (0..ROWS).map(|row| format!("{process:012}{number:012}{row:012}")).collect();
    let mut file = b"external_id,given_name\n".to_vec();
    for id in &ids {
        writeln!(file, "{id},n{number}").unwrap();
    }
    let mapping = Mapping { constants: [("kind".to_owned(), "person".to_owned())].into(), ..Mapping::default() };
    let import = Import { mapping, ..Import::new(ImportKind::Contacts, Cursor::new(file)) };
    let report = block_on(session.import(import)).unwrap();
    assert!(report.written && report.problems.is_empty());
    ids
}

/// What a worker process does: writes, and says so once it is acknowledged. Without its orders it has nothing to do.
#[test]
fn worker() {
    let Ok(orders) = std::env::var("CRM_TEST_WORKER") else { return };
    let (file, work) = orders.split_once('|').unwrap();
    let session = join(&open(Path::new(file)));
    let mut out = std::io::stdout().lock();
    for number in 0.. {
        let written: Vec<String> = if work == "single" {
            vec![block_on(session.create(person(&format!("n{number}")))).unwrap().id.to_string()]
        } else {
            import(&session, number)
        };
        writeln!(out, "ack {}", written.join(" ")).unwrap();
        out.flush().unwrap();
    }
}

/// What is wrong with the file, given what was acknowledged.
fn faults(file: &Path, acknowledged: &HashSet<String>, work: &str) -> Vec<String> {
    let session = join(&open(file));
    let mut faults = Vec::new();
    let mut found = HashSet::new();
    let mut query = Query::<Contact>::all().limit(10_000);
    loop {
        let page = block_on(session.list(&query)).unwrap();
        let external = page.items.iter().filter_map(|contact| contact.external_id.as_deref());
        found.extend(external.map(str::to_owned));
        found.extend(page.items.iter().map(|contact| contact.id.to_string()));
        let Some(next) = page.next else { break };
        query = query.after(Some(next));
    }
    faults.extend(acknowledged.difference(&found).map(|id| format!("{id} was acknowledged and is lost")));
    if work == "import" && found.len() % (2 * ROWS) != 0 {
        faults.push(format!("{} contacts are no whole number of files", found.len() / 2));
    }
    let verified = block_on(session.verify(None)).unwrap();
    faults.extend(verified.findings.iter().map(|finding| format!("{finding:?}")));
    faults
}

fn kill(work: &str) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kill.db");
    block_on(testing::organization(&open(&file), "kill")).unwrap();
    let mut dice = Dice::new(7);
    let mut acknowledged = HashSet::new();
    for _ in 0..KILLS {
        let mut worker = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "worker", "--nocapture"])
            .env("CRM_TEST_WORKER", format!("{}|{work}", file.display()))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(worker.stdout.take().unwrap()).lines();
        // The clock starts with the first acknowledgement, so that each is killed at work; what it says after that is
        // read once it is dead.
        let mut acknowledge = |line: String| {
            // The test harness of the worker writes lines of its own, and one in front of the first.
            if let Some((_, ids)) = line.split_once("ack ") {
                acknowledged.extend(ids.split(' ').map(str::to_owned));
                return true;
            }
            false
        };
        while said.next().is_some_and(|line| !acknowledge(line.unwrap())) {}
        std::thread::sleep(Duration::from_micros(dice.roll(if work == "single" { 8_000 } else { 200_000 })));
        worker.kill().unwrap();
        worker.wait().unwrap();
        for line in said.map_while(Result::ok) {
            // A line that was cut short was not wholly acknowledged; its ids are checked when they are whole.
            acknowledge(line);
        }
        acknowledged.retain(|id| id.len() == 36);
    }
    assert!(acknowledged.len() as u64 >= KILLS, "hardly anything was written: {}", acknowledged.len());
    assert_eq!(faults(&file, &acknowledged, work), [""; 0]);
}

#[test]
fn a_hundred_kills_during_single_writes_lose_nothing() {
    kill("single");
}

#[test]
fn a_hundred_kills_during_imports_leave_nothing_half_written() {
    kill("import");
}

/// The check above finds what it looks for.
#[test]
fn planted_faults_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kill.db");
    block_on(testing::organization(&open(&file), "kill")).unwrap();
    let session = join(&open(&file));
    let contacts = block_on(session.create_many(&[person("a"), person("b"), person("c")])).unwrap();
    let acknowledged: HashSet<String> = contacts.iter().map(|contact| contact.id.to_string()).collect();
    assert_eq!(faults(&file, &acknowledged, "single"), [""; 0]);
    let raw = rusqlite::Connection::open(&file).unwrap();
    // A write that was lost.
    let id = contacts[0].id.uuid();
    raw.execute("DELETE FROM crm_contact WHERE id = ?1", [id.as_bytes()]).unwrap();
    let found = faults(&file, &acknowledged, "single");
    assert!(found[0].contains("is lost"));
    assert!(found.iter().any(|fault| fault.contains("the record is gone")), "{found:?}");
    // A record without its entry.
    let id = contacts[1].id.uuid();
    raw.execute("DELETE FROM crm_audit_entry WHERE record_id = ?1", [id.as_bytes()]).unwrap();
    assert!(faults(&file, &acknowledged, "single").iter().any(|fault| fault.contains("the record has no entry")));
    // A value that was altered.
    let id = contacts[2].id.uuid();
    raw.execute("UPDATE crm_contact SET given_name = 'd' WHERE id = ?1", [id.as_bytes()]).unwrap();
    assert!(faults(&file, &acknowledged, "single").iter().any(|fault| fault.contains("not as its last entry left it")));
    // A setting and a user, above the organization's own records.
    for text in ["UPDATE crm_organization SET name = 'x'", "UPDATE crm_user SET full_name = 'x'"] {
        let before = faults(&file, &acknowledged, "single").len();
        raw.execute(text, []).unwrap();
        assert_eq!(faults(&file, &acknowledged, "single").len(), before + 1, "{text}");
    }
}
