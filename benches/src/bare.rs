//! The floor on SQLite: the rows that the library wrote, written again by a plain loop, with nothing to be
//! computed.

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use crate::Outcome;
use crate::postgres::quoted;

/// The columns and rows of one table.
pub(crate) struct Rows {
    pub(crate) insert: String,
    pub(crate) rows: Vec<Vec<Value>>,
}

/// What the library wrote for new contacts, in the order in which it did.
pub(crate) struct Written {
    pub(crate) contacts: Rows,
    pub(crate) audit: Rows,
}

impl Written {
    /// Reads it from the file that the library wrote.
    pub(crate) fn read(connection: &Connection) -> Outcome<Self> {
        Ok(Self {
            contacts: rows(connection, "crm_contact", "TRUE ORDER BY rid")?,
            audit: rows(connection, "crm_audit_entry", "entity = 'contact' ORDER BY seq")?,
        })
    }
}

/// Rows as they are, with the names of their columns.
pub(crate) struct Read {
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Vec<Value>>,
}

/// The rows of a table that meet a condition. The row number is left out: SQLite gives it, as it does for the library.
pub(crate) fn read(connection: &Connection, table: &str, which: &str) -> Outcome<Read> {
    let mut statement =
        connection.prepare_cached("SELECT name FROM pragma_table_info(?1) WHERE name <> 'rid' ORDER BY cid")?;
    let columns: Vec<String> =
        statement.query_map([table], |row| row.get::<_, String>(0))?.collect::<rusqlite::Result<_>>()?;
    let mut statement = connection.prepare(&format!("SELECT {} FROM {table} WHERE {which}", quoted(&columns)))?;
    let rows = statement
        .query_map([], |row| (0..columns.len()).map(|at| row.get(at)).collect::<rusqlite::Result<Vec<Value>>>())?
        .collect::<rusqlite::Result<_>>()?;
    Ok(Read { columns, rows })
}

fn rows(connection: &Connection, table: &str, which: &str) -> Outcome<Rows> {
    let Read { columns, rows } = read(connection, table, which)?;
    let places = vec!["?"; columns.len()].join(", ");
    Ok(Rows { insert: format!("INSERT INTO {table} ({}) VALUES ({places})", quoted(&columns)), rows })
}

/// Feeds the index for full-text search with the contacts after a row number.
pub(crate) const FEED: &str = "INSERT INTO crm_contact_search (rowid, org, search) \
                               SELECT rid, 'o' || org, search FROM crm_contact WHERE rid > ?1";

/// Writes everything in one transaction, feeding the index every thousand rows.
pub(crate) fn bulk(connection: &mut Connection, written: &Written) -> Outcome {
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    {
        let mut contact = transaction.prepare(&written.contacts.insert)?;
        let mut audit = transaction.prepare(&written.audit.insert)?;
        let mut feed = transaction.prepare(FEED)?;
        let mut fed = 0_i64;
        let both = written.contacts.rows.chunks(1_000).zip(written.audit.rows.chunks(1_000));
        for (contacts, entries) in both {
            for row in contacts {
                contact.execute(params_from_iter(row))?;
            }
            let last = transaction.last_insert_rowid();
            feed.execute([fed])?;
            fed = last;
            for row in entries {
                audit.execute(params_from_iter(row))?;
            }
        }
    }
    transaction.commit()?;
    Ok(())
}

/// Writes one contact in a transaction of its own.
pub(crate) fn one(connection: &Connection, written: &Written, at: usize) -> rusqlite::Result<()> {
    connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    connection.prepare_cached(&written.contacts.insert)?.execute(params_from_iter(&written.contacts.rows[at]))?;
    let rid = connection.last_insert_rowid();
    connection.prepare_cached(&written.audit.insert)?.execute(params_from_iter(&written.audit.rows[at]))?;
    connection.prepare_cached(FEED)?.execute([rid - 1])?;
    connection.prepare_cached("COMMIT")?.execute([])?;
    Ok(())
}
