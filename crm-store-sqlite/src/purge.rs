//! Leaves nothing in the file of what was deleted or overwritten.
//!
//! SQLite marks what is deleted as free and writes changed pages to the log first, the index for full-text search keeps
//! the terms of rows that are gone until its parts are merged, and the planner's samples are copies of values. So the
//! index is merged, the samples are deleted, the file is written anew, and the log is emptied.

use crm_core::schema::TABLES;
use crm_core::store::StoreError;
use crm_sql::write_sqlite::merge_search;
use rusqlite::Connection;

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

fn rewrite(connection: &Connection) -> rusqlite::Result<bool> {
    for table in TABLES.iter().filter(|table| table.search_position().is_some()) {
        connection.execute(&merge_search(table), [])?;
    }
    let sampled = "SELECT count(*) FROM sqlite_schema WHERE name = 'sqlite_stat4'";
    if connection.query_row(sampled, [], |row| row.get::<_, i64>(0))? > 0 {
        connection.execute("DELETE FROM sqlite_stat4", [])?;
    }
    connection.execute_batch("VACUUM")?;
    let busy: bool = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    Ok(!busy)
}
