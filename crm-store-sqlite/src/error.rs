//! What SQLite's errors mean.

use crm_core::entity::Table;
use crm_core::store::StoreError;
use rusqlite::{Error, ErrorCode, ffi};

/// Why a file could not be opened, or a thing that should never happen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SqliteError {
    /// The program was linked with a SQLite that can lose committed pages.
    #[error("SQLite {found} is linked; 3.51.3 or newer is needed, since older ones can lose committed pages")]
    OldSqlite {
        /// The version that is linked.
        found: &'static str,
    },
    /// The address of the database cannot be read.
    #[error("{url:?} is no path and no address of a SQLite file")]
    Address {
        /// What was given.
        url: String,
    },
    /// There is no such file, and it was not to be made.
    #[error("there is no database at {path}")]
    Missing {
        /// Where.
        path: String,
    },
    /// The file could not be made.
    #[error("{path} cannot be made: {reason}")]
    NotMade {
        /// Where.
        path: String,
        /// Why.
        reason: std::io::Error,
    },
    /// The host's connection does not check foreign keys.
    #[error("the connection does not check foreign keys; set PRAGMA foreign_keys = ON before the transaction begins")]
    ForeignKeys,
    /// The file could not be switched to write-ahead logging.
    #[error("the file cannot use write-ahead logging; its journal mode stays {mode:?}")]
    Journal {
        /// The mode that it is in.
        mode: String,
    },
    /// Another change-set of the same group made SQLite roll all of them back.
    #[error("the transaction was rolled back together with another change-set's")]
    Group,
    /// A panic was caught.
    #[error("a panic was caught: {0}")]
    Panic(String),
    /// The program is shutting down.
    #[error("the store is closed or its runtime is shutting down")]
    Closed,
}

/// Wraps an error of this crate.
pub(crate) fn backend(error: SqliteError) -> StoreError {
    StoreError::Backend(Box::new(error))
}

/// Maps an error of a statement on a table.
pub(crate) fn map(table: &'static Table, error: Error) -> StoreError {
    if let Error::SqliteFailure(failure, message) = &error {
        match failure.extended_code {
            ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY => {
                return StoreError::Duplicate { table: table.name, columns: columns(table, message.as_deref()) };
            }
            ffi::SQLITE_CONSTRAINT_FOREIGNKEY => return StoreError::Referenced { table: table.name },
            _ => {}
        }
    }
    map_any(error)
}

/// Maps an error that is about no table.
pub(crate) fn map_any(error: Error) -> StoreError {
    match &error {
        Error::SqliteFailure(failure, message) => match failure.code {
            ErrorCode::DiskFull => StoreError::StorageFull,
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed => {
                StoreError::Unavailable(Box::new(error))
            }
            _ if message.as_deref() == Some("integer overflow") => StoreError::Overflow,
            _ => StoreError::Backend(Box::new(error)),
        },
        _ => StoreError::Backend(Box::new(error)),
    }
}

/// Maps an error of a commit: what the disk did is not known when reading or writing failed.
pub(crate) fn map_commit(error: Error) -> StoreError {
    match &error {
        Error::SqliteFailure(failure, _) if failure.code == ErrorCode::SystemIoFailure => {
            StoreError::OutcomeUnknown(Box::new(error))
        }
        _ => map_any(error),
    }
}

/// Whether another connection is in the way.
pub(crate) fn is_busy(error: &Error) -> bool {
    matches!(
        error,
        Error::SqliteFailure(failure, _)
            if matches!(failure.code, ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}

/// The columns of `UNIQUE constraint failed: t.org, t.a, t.b`, without the organization's key.
fn columns(table: &'static Table, message: Option<&str>) -> Vec<&'static str> {
    let named = message.and_then(|message| message.split_once(": ")).map_or("", |(_, named)| named);
    named
        .split(", ")
        .filter_map(|name| name.split_once('.'))
        .filter_map(|(_, name)| table.columns.iter().find(|column| column.name == name))
        .map(|column| column.name)
        .collect()
}
