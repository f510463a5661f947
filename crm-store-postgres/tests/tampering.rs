//! What is done to a database behind the program's back is found.
#![expect(clippy::unwrap_used, reason = "these are tests")]

mod common;

use std::fmt::Write as _;

use crm_core::entity::Table;
use crm_core::row::Value;
use crm_core::testing;
use crm_core::testing::script::Dice;
use crm_core::testing::tampering::{Book, By, Step, Tally, Tampering};
use crm_store_postgres::PostgresStore;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::common::Database;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn literal(value: &Value) -> String {
    match value {
        Value::Null | Value::Deferred(_) => "NULL".to_owned(),
        Value::Bool(truth) => truth.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Text(text) => format!("'{}'", text.replace('\'', "''")),
        Value::Date(date) => format!("'{date}'"),
        Value::Instant(at) => format!("'{at}'"),
        Value::Id(id) => format!("'{id}'"),
        Value::Bytes(bytes) => format!("'\\x{}'", hex(bytes)),
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

/// What a statement did. None when a constraint or a type refuses its value: any other error is the test's own.
fn allowed<T>(done: Result<T, sqlx::Error>, sql: &str) -> Option<T> {
    // Class 22: data exceptions, such as an instant that the type cannot hold. Class 23: integrity constraints.
    let refused = |error: &sqlx::Error| {
        let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
        code.is_some_and(|code| code.starts_with("22") || code.starts_with("23"))
    };
    match done {
        Err(error) if refused(&error) => None,
        done => Some(done.unwrap_or_else(|error| panic!("{error} in {sql}"))),
    }
}

/// A database with a book in it.
struct Original {
    _database: Database,
    store: PostgresStore,
    host: PgConnection,
    book: Book,
}

impl Original {
    async fn new() -> Self {
        let database = Database::new();
        let store = database.store().await;
        let book = Book::new(&testing::crm(store.clone(), 1), 1).await.unwrap();
        assert!(book.entries() > 300, "{}", book.entries());
        Self { host: database.silent_host().await, _database: database, store, book }
    }

    /// By what a tampering is found, before it is rolled back. None when the database refuses it.
    async fn found(&mut self, tampering: &Tampering) -> Option<Option<By>> {
        let mut transaction = self.host.begin().await.unwrap();
        for step in &tampering.steps {
            let sql = sql(step);
            let done = allowed(sqlx::query(AssertSqlSafe(sql.as_str())).execute(&mut *transaction).await, &sql)?;
            assert_eq!(done.rows_affected(), 1, "{tampering:?}");
        }
        let by = self.book.found(&self.store.within(&mut transaction)).await.unwrap();
        transaction.rollback().await.unwrap();
        Some(by)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_tampering_is_found() {
    let mut original = Original::new().await;
    let (mut dice, mut tally) = (Dice::new(1), Tally::default());
    while let Some(tampering) = tally.next(&original.book, &mut dice) {
        let went = original.found(&tampering).await;
        tally.note(tampering, went);
    }
    tally.check();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn contents_that_are_gone_without_an_erasure_are_found_and_an_untouched_book_is_right() {
    let mut original = Original::new().await;
    let mut dice = Dice::new(2);
    let nothing = Tampering { kind: "nothing", steps: Vec::new() };
    assert_eq!(original.found(&nothing).await, Some(None));
    for _ in 0..10 {
        let tampering = original.book.blanked(&mut dice);
        assert_eq!(original.found(&tampering).await, Some(Some(By::Audit)));
    }
}
