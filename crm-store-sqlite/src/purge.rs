//! Leaves nothing in the file of what was deleted or overwritten.
//!
//! SQLite marks what is deleted as free and writes changed pages to the log first, the index for full-text search keeps
//! the terms of rows that are gone until its parts are merged, and the planner's samples are copies of values. So the
//! index is merged, the samples are deleted, the file is written anew, and the log is emptied.
//!
//! An erasure notes in its own transaction that this is due, and the purge takes the note back at its end: what ends
//! between the two leaves the note.

use crm_core::schema::TABLES;
use crm_core::store::StoreError;
use crm_sql::write_sqlite::merge_search;
use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::error::{is_busy, map_any};
use crate::pool::Readers;
use crate::write::Writer;

/// Purges the file. False while others, of this process or another one, still read an older state or write.
pub(crate) fn purge(readers: &Readers, writer: &std::sync::Arc<Writer>) -> Result<bool, StoreError> {
    // Connections that have nothing to do may stand in the way of the log's end all the same.
    readers.close();
    writer.exclusively(|connection| match rewrite(connection) {
        Ok(emptied) => Ok(emptied),
        Err(error) if is_busy(&error) => Ok(false),
        Err(error) => Err(map_any(error)),
    })
}

/// Notes, in the transaction of an erasure, that a purge is due. The table is there only until then: it is no part of the
/// schema, and a host's own marks in the file's header are left alone.
pub(crate) fn note_due(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS crm_purge_due (number INTEGER PRIMARY KEY) STRICT; \
         INSERT INTO crm_purge_due DEFAULT VALUES",
    )
}

/// Whether an erasure still waits for its purge.
pub(crate) fn is_due(connection: &Connection) -> rusqlite::Result<bool> {
    let there = "SELECT count(*) FROM sqlite_schema WHERE name = 'crm_purge_due'";
    connection.query_row(there, [], |row| row.get::<_, i64>(0)).map(|count| count > 0)
}

/// The last erasure that the next purge is for.
fn last_due(connection: &Connection) -> rusqlite::Result<Option<i64>> {
    if !is_due(connection)? {
        return Ok(None);
    }
    connection.query_row("SELECT max(number) FROM crm_purge_due", [], |row| row.get(0))
}

/// Takes back the note of erasures up to this one; another process may have carried out more meanwhile.
fn settle(connection: &Connection, last: i64) -> rusqlite::Result<()> {
    let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    if is_due(&transaction)? {
        transaction.execute("DELETE FROM crm_purge_due WHERE number <= ?1", [last])?;
        if last_due(&transaction)?.is_none() {
            transaction.execute_batch("DROP TABLE crm_purge_due")?;
        }
    }
    transaction.commit()
}

fn rewrite(connection: &Connection) -> rusqlite::Result<bool> {
    let due = last_due(connection)?;
    for table in TABLES.iter().filter(|table| table.search_position().is_some()) {
        connection.execute(&merge_search(table), [])?;
    }
    let sampled = "SELECT count(*) FROM sqlite_schema WHERE name = 'sqlite_stat4'";
    if connection.query_row(sampled, [], |row| row.get::<_, i64>(0))? > 0 {
        connection.execute("DELETE FROM sqlite_stat4", [])?;
    }
    connection.execute_batch("VACUUM")?;
    let busy: bool = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    if let Some(last) = due.filter(|_| !busy) {
        settle(connection, last)?;
    }
    Ok(!busy)
}
