//! What is done to a file behind the program's back is found.
#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::fmt::Write as _;
use std::path::Path;

use crm_core::block_on;
use crm_core::entity::Table;
use crm_core::row::Value;
use crm_core::testing;
use crm_core::testing::script::Dice;
use crm_core::testing::tampering::{Book, By, Step, Tally, Tampering};
use crm_core::value::days_of;
use crm_store_sqlite::{Durability, SqliteOptions, SqliteStore};
use rusqlite::{Connection, ErrorCode};
use tempfile::TempDir;

fn open(path: &Path) -> SqliteStore {
    let options = SqliteOptions { durability: Durability::Normal, ..SqliteOptions::default() };
    SqliteStore::open(path.to_str().unwrap(), options).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn literal(value: &Value) -> String {
    match value {
        Value::Null | Value::Deferred(_) => "NULL".to_owned(),
        Value::Bool(truth) => i64::from(*truth).to_string(),
        Value::Int(number) => number.to_string(),
        Value::Text(text) => format!("'{}'", text.replace('\'', "''")),
        Value::Date(date) => days_of(*date).to_string(),
        Value::Instant(at) => at.micros().to_string(),
        Value::Id(id) => format!("x'{}'", hex(id.as_bytes())),
        Value::Bytes(bytes) => format!("x'{}'", hex(bytes)),
    }
}

fn row_of(org: Option<i64>, id: uuid::Uuid) -> String {
    let org = org.map(|org| format!(" AND org = {org}")).unwrap_or_default();
    format!("WHERE id = {}{org}", literal(&Value::Id(id)))
}

fn names(table: &Table) -> String {
    table.columns.iter().map(|column| format!("\"{}\"", column.name)).collect::<Vec<_>>().join(", ")
}

fn sql(step: &Step) -> String {
    match step {
        Step::Set { table, org, id, column, value } => {
            let column = table.columns[*column].name;
            format!("UPDATE {} SET \"{column}\" = {} {}", table.name, literal(value), row_of(*org, *id))
        }
        Step::Delete { table, org, id } => format!("DELETE FROM {} {}", table.name, row_of(*org, *id)),
        Step::Insert { table, org, row } => {
            let values = row.iter().map(literal).collect::<Vec<_>>().join(", ");
            let (name, of) = org.map(|org| ("org, ", format!("{org}, "))).unwrap_or_default();
            format!("INSERT INTO {} ({name}{}) VALUES ({of}{values})", table.name, names(table))
        }
        Step::Move { from, to, id } => format!("UPDATE crm_audit_entry SET org = {to} {}", row_of(Some(*from), *id)),
    }
}

/// What a statement did. None when a constraint refuses it: any other error is the test's own.
fn allowed<T>(done: rusqlite::Result<T>, sql: &str) -> Option<T> {
    match done {
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => None,
        done => Some(done.unwrap_or_else(|error| panic!("{error} in {sql}"))),
    }
}

/// A file with a book in it, at rest.
struct Original {
    folder: TempDir,
    book: Book,
}

impl Original {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder.path().join("book.db"));
        let book = block_on(Book::new(&testing::crm(store.clone(), 1), 1)).unwrap();
        block_on(store.close()).unwrap();
        assert!(book.entries() > 300, "{}", book.entries());
        Self { folder, book }
    }

    /// Tampers with a copy. None when the database refuses it.
    fn tampered(&self, tampering: &Tampering) -> Option<SqliteStore> {
        let copy = self.folder.path().join("copy.db");
        for end in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(self.folder.path().join(format!("copy.db{end}")));
        }
        std::fs::copy(self.folder.path().join("book.db"), &copy).unwrap();
        let mut stranger = Connection::open(&copy).unwrap();
        let transaction = stranger.transaction().unwrap();
        for step in &tampering.steps {
            let sql = sql(step);
            assert_eq!(allowed(transaction.execute(&sql, []), &sql)?, 1, "{tampering:?}");
        }
        allowed(transaction.commit(), "COMMIT")?;
        Some(open(&copy))
    }
}

#[test]
fn every_tampering_is_found() {
    let original = Original::new();
    let (mut dice, mut tally) = (Dice::new(1), Tally::default());
    while let Some(tampering) = tally.next(&original.book, &mut dice) {
        let went = original.tampered(&tampering).map(|store| {
            let by = block_on(original.book.found(&store)).unwrap();
            block_on(store.close()).unwrap();
            by
        });
        tally.note(tampering, went);
    }
    tally.check();
}

#[test]
fn contents_that_are_gone_without_an_erasure_are_found_and_an_untouched_copy_is_right() {
    let original = Original::new();
    let mut dice = Dice::new(2);
    let untouched = original.tampered(&Tampering { kind: "nothing", steps: Vec::new() }).unwrap();
    assert_eq!(block_on(original.book.found(&untouched)).unwrap(), None);
    block_on(untouched.close()).unwrap();
    for _ in 0..10 {
        let store = original.tampered(&original.book.blanked(&mut dice)).unwrap();
        assert_eq!(block_on(original.book.found(&store)).unwrap(), Some(By::Audit));
        block_on(store.close()).unwrap();
    }
}
