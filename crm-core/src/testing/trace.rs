//! Writes down what the processes of a test run log, and which secret and personal values they handle, so that the
//! values can be looked for in the logs of the whole suite.
//!
//! `CRM_TEST_LOG` names a folder; without it nothing is recorded. Each process, the programs that tests start
//! included, writes a file of its own there: records that end with U+0000, each told once, whose first letter says what
//! it holds.
//!
//! | letter | what |
//! |---|---|
//! | `T` | which test |
//! | `L` | what was logged |
//! | `E` | what a program wrote to its standard error |
//! | `S`, `P` | a secret or personal value in one of its printed forms: its column, U+0001, the value |

use std::collections::HashSet;
use std::fs::File;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{ErrorKind, Write as _};
use std::path::Path;
use std::sync::{Mutex, OnceLock, PoisonError};

use super::canary::{Recorder, SHORTEST, in_row, is_wordless};
use crate::audit::AuditEntry;
use crate::entity::Entity as _;
use crate::row::Row;
use crate::store::ChangeSet;

/// Names the folder.
pub const VARIABLE: &str = "CRM_TEST_LOG";

/// How much of a value is looked for: its beginning.
const LONGEST: usize = 64;

/// The file of this process, and the hashes of the records in it.
struct Records {
    file: Option<File>,
    told: HashSet<u64>,
}

impl Records {
    fn tell(&mut self, letter: &str, parts: &[&str]) {
        let mut hasher = DefaultHasher::new();
        (letter, parts).hash(&mut hasher);
        if let (Some(file), true) = (&mut self.file, self.told.insert(hasher.finish())) {
            // At once and whole: the process may be killed by its test.
            let record = format!("{letter}{}\0", parts.concat().replace('\0', " "));
            file.write_all(record.as_bytes()).expect("CRM_TEST_LOG names a folder that can be written to");
        }
    }
}

fn records() -> Option<&'static Mutex<Records>> {
    static RECORDS: OnceLock<Option<Mutex<Records>>> = OnceLock::new();
    let open = || {
        let folder = std::env::var_os(VARIABLE)?;
        let mut records = Records { file: Some(create(Path::new(&folder))), told: HashSet::new() };
        records.tell("T", &[&test()]);
        Some(Mutex::new(records))
    };
    RECORDS.get_or_init(open).as_ref()
}

/// A new file for this process; ids of processes come again.
fn create(folder: &Path) -> File {
    let process = std::process::id();
    for number in 0_u32.. {
        match File::create_new(folder.join(format!("{process}-{number}"))) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            file => return file.expect("CRM_TEST_LOG names a folder that can be written to"),
        }
    }
    unreachable!("a folder does not hold so many files")
}

/// The test, as nextest calls it, or the program.
fn test() -> String {
    let names = ["NEXTEST_BINARY_ID", "NEXTEST_TEST_NAME"].map(std::env::var);
    if let [Ok(binary), Ok(test)] = names {
        return format!("{binary} {test}");
    }
    let program = std::env::current_exe().ok();
    program.and_then(|path| Some(path.file_stem()?.to_string_lossy().into_owned())).unwrap_or_default()
}

fn tell(letter: &str, parts: &[&str]) {
    if let Some(records) = records() {
        records.lock().unwrap_or_else(PoisonError::into_inner).tell(letter, parts);
    }
}

/// Begins to record, if it is asked for: from here on everything that is logged, at every level.
///
/// # Panics
/// When the folder cannot be written to, or something else listens to what is logged.
pub fn start() {
    if records().is_some() {
        Recorder::install();
    }
}

/// Ends the records of this process.
pub(super) fn end() {
    if let Some(records) = records() {
        records.lock().unwrap_or_else(PoisonError::into_inner).file = None;
    }
}

/// Records what was logged.
pub(super) fn logged(line: &str) {
    tell("L", &[line]);
}

/// Records what a program wrote to its standard error.
pub fn complained(text: &str) {
    tell("E", &[text]);
}

/// Records a secret that the program was given or made up.
pub(crate) fn secret(text: &str) {
    if records().is_some() && text.len() >= SHORTEST {
        start();
        tell("S", &["secret", ".", "text", "\u{1}", beginning(text)]);
    }
}

/// Records the secret and personal values that a change-set writes, with its entries of the audit.
pub(crate) fn written(changes: &ChangeSet, entries: &[Row]) {
    if records().is_none() {
        return;
    }
    start();
    let changed = changes.changes.iter().map(|change| (change.table(), change.row()));
    for (table, row) in changed.chain(entries.iter().map(|entry| (AuditEntry::TABLE, entry))) {
        for (column, secret, form) in in_row(table, row).filter(|(column, ..)| !is_wordless(table, column)) {
            let letter = if secret { "S" } else { "P" };
            tell(letter, &[table.entity, ".", column.name, "\u{1}", beginning(&form)]);
        }
    }
}

fn beginning(text: &str) -> &str {
    &text[..text.floor_char_boundary(LONGEST)]
}
