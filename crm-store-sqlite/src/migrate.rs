//! Brings a file's schema to the version that this program knows.
//!
//! Each step is one transaction that takes the write lock first and then reads the version again, so that any number of
//! processes may open one new file at once. A file that is up to date is only read.

use std::time::{Duration, Instant};

use crm_core::store::StoreError;
use rusqlite::{Connection, TransactionBehavior};
use sha2::{Digest as _, Sha256};

use crate::error::{SqliteError, backend, is_busy, map_any};

/// One step.
struct Migration {
    version: i64,
    name: &'static str,
    sql: &'static str,
}

/// All steps, in order. They are only ever added to.
const MIGRATIONS: &[Migration] = &[
    Migration { version: 1, name: "initial", sql: include_str!("../migrations/0001_initial.sql") },
    Migration { version: 2, name: "sales", sql: include_str!("../migrations/0002_sales.sql") },
    Migration { version: 3, name: "billing", sql: include_str!("../migrations/0003_billing.sql") },
    Migration { version: 4, name: "cases", sql: include_str!("../migrations/0004_cases.sql") },
    Migration { version: 5, name: "access", sql: include_str!("../migrations/0005_access.sql") },
    Migration { version: 6, name: "row_security", sql: include_str!("../migrations/0006_row_security.sql") },
    Migration { version: 7, name: "privacy", sql: include_str!("../migrations/0007_privacy.sql") },
    Migration { version: 8, name: "closer_fence", sql: include_str!("../migrations/0008_closer_fence.sql") },
];

/// The newest version that this program knows.
pub(crate) const KNOWN: i64 = MIGRATIONS[MIGRATIONS.len() - 1].version;

const TABLE: &str = "CREATE TABLE IF NOT EXISTS crm_migration (version INTEGER PRIMARY KEY, name TEXT NOT NULL, \
                     sha256 BLOB NOT NULL, applied_at INTEGER NOT NULL) STRICT";

/// Migrates a file, unless it has no tables and none are to be made, and switches it to write-ahead logging, waiting for other processes that do the same.
pub(crate) fn migrate(connection: &mut Connection, patience: Duration, create: bool) -> Result<(), StoreError> {
    let deadline = Instant::now() + patience.max(Duration::from_secs(1)) * 2;
    if !create && patiently(deadline, || applied(connection).map_err(Failure::from))?.is_empty() {
        return Err(StoreError::Schema { found: 0, known: KNOWN });
    }
    patiently(deadline, || write_ahead(connection))?;
    loop {
        let applied = patiently(deadline, || applied(connection).map_err(Failure::from))?;
        check(&applied)?;
        let done = applied.last().map_or(0, |(version, _)| *version);
        let Some(next) = MIGRATIONS.iter().find(|migration| migration.version > done) else { return Ok(()) };
        patiently(deadline, || step(connection, next).map_err(Failure::from))?;
    }
}

/// Whether nothing is to be done for a file.
pub(crate) fn is_current(connection: &Connection) -> bool {
    require_current(connection).is_ok()
        && connection
            .query_row("PRAGMA journal_mode", [], |row| row.get::<_, String>(0))
            .is_ok_and(|mode| mode == "wal")
}

/// The version of a file's schema; 0 if it has none.
pub(crate) fn version(connection: &Connection) -> Result<i64, StoreError> {
    let applied = applied(connection).map_err(map_any)?;
    Ok(applied.last().map_or(0, |(version, _)| *version))
}

/// Refuses a connection to a database that is not at the version that this program knows.
pub(crate) fn require_current(connection: &Connection) -> Result<(), StoreError> {
    let applied = applied(connection).map_err(map_any)?;
    check(&applied)?;
    match applied.last() {
        Some((KNOWN, _)) => Ok(()),
        last => Err(StoreError::Schema { found: last.map_or(0, |(version, _)| *version), known: KNOWN }),
    }
}

/// A failure that another process may have caused.
enum Failure {
    Busy(rusqlite::Error),
    Other(StoreError),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        if is_busy(&error) { Self::Busy(error) } else { Self::Other(map_any(error)) }
    }
}

/// Tries again while another process is in the way: a change of the journal mode does not wait by itself.
fn patiently<T>(deadline: Instant, mut attempt: impl FnMut() -> Result<T, Failure>) -> Result<T, StoreError> {
    loop {
        match attempt() {
            Ok(done) => return Ok(done),
            Err(Failure::Busy(_)) if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(5)),
            Err(Failure::Busy(error)) => return Err(map_any(error)),
            Err(Failure::Other(error)) => return Err(error),
        }
    }
}

fn write_ahead(connection: &Connection) -> Result<(), Failure> {
    let mode: String = connection.query_row("PRAGMA journal_mode", [], |row| row.get(0))?;
    if mode == "wal" {
        return Ok(());
    }
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if mode == "wal" { Ok(()) } else { Err(Failure::Other(backend(SqliteError::Journal { mode }))) }
}

/// The steps that a file has been through, with the hashes of their texts.
fn applied(connection: &Connection) -> rusqlite::Result<Vec<(i64, Vec<u8>)>> {
    let mut statement = match connection.prepare("SELECT version, sha256 FROM crm_migration ORDER BY version") {
        Ok(statement) => statement,
        Err(error) if error.to_string().contains("no such table") => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

/// Refuses a newer schema, and one that other texts have made.
fn check(applied: &[(i64, Vec<u8>)]) -> Result<(), StoreError> {
    for (version, hash) in applied {
        let Some(known) = MIGRATIONS.iter().find(|migration| migration.version == *version) else {
            return Err(StoreError::Schema { found: *version, known: KNOWN });
        };
        if Sha256::digest(known.sql).as_slice() != hash.as_slice() {
            return Err(StoreError::Corrupt {
                table: "crm_migration",
                column: "sha256",
                id: None,
                reason: format!("migration {version} was made from another text"),
            });
        }
    }
    Ok(())
}

fn step(connection: &mut Connection, migration: &Migration) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(TABLE)?;
    // Another process may have been faster.
    let done: i64 =
        transaction.query_row("SELECT coalesce(max(version), 0) FROM crm_migration", [], |row| row.get(0))?;
    if done >= migration.version {
        return Ok(());
    }
    transaction.execute_batch(migration.sql)?;
    transaction.execute(
        "INSERT INTO crm_migration (version, name, sha256, applied_at) \
         VALUES (?1, ?2, ?3, CAST(unixepoch('subsec') * 1000000 AS INTEGER))",
        (migration.version, migration.name, Sha256::digest(migration.sql).as_slice()),
    )?;
    transaction.commit()
}
