//! What a store can answer instead of rows.

use uuid::Uuid;

/// Why a store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A guard or a version check failed: the record changed, or is gone, since it was read.
    #[error("{table} {id} was changed by someone else")]
    Conflict {
        /// The table.
        table: &'static str,
        /// The record.
        id: Uuid,
    },
    /// A unique set of columns holds these values already.
    #[error("{table} has a record with the same {}", columns.join(", "))]
    Duplicate {
        /// The table.
        table: &'static str,
        /// The columns that are unique together; `id` alone is the primary key.
        columns: Vec<&'static str>,
    },
    /// A reference would point to nothing, because a record is still referenced or its target is
    /// not there.
    #[error("{table} is still referenced or refers to a record that is not there")]
    Referenced {
        /// The table whose change was refused.
        table: &'static str,
    },
    /// A counter would leave its bounds.
    #[error("counter {column} of {table} {id} is at its limit")]
    Limit {
        /// The table.
        table: &'static str,
        /// The counter's column.
        column: &'static str,
        /// The record.
        id: Uuid,
    },
    /// A sum does not fit 64 bits.
    #[error("a sum does not fit 64 bits")]
    Overflow,
    /// A tenant table was asked for without an organization.
    #[error("{table} belongs to organizations and was asked for without one")]
    Scope {
        /// The table.
        table: &'static str,
    },
    /// The feed of a streamed change-set stopped it; nothing was written.
    #[error("the change-set was withdrawn")]
    Aborted,
    /// A value is outside what every database can hold: a date outside the years 1 to 9999.
    #[error("{table}.{column} is outside what every database can hold")]
    OutOfRange {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
    },
    /// The database's schema is not the one this program knows.
    #[error(
        "the database has schema version {found}, this program knows versions up to {known}{}",
        if (1..*known).contains(found) { "; its owner must bring it up to date" } else { "" }
    )]
    Schema {
        /// The version of the database.
        found: i64,
        /// The newest version this program knows.
        known: i64,
    },
    /// No space is left to write to.
    #[error("no space is left for the database")]
    StorageFull,
    /// A stored value is not what its column holds.
    #[error("{table}.{column} of {} is corrupt: {reason}", id.map_or_else(|| "?".to_owned(), |id| id.to_string()))]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The record, if it could be told.
        id: Option<Uuid>,
        /// What was found.
        reason: String,
    },
    /// The database could not be reached or was too busy; nothing was written, and a later try may
    /// succeed.
    #[error("the database is unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The connection broke while committing: the change-set may or may not have been written. An
    /// idempotency key makes the same command safe to send again.
    #[error("the outcome is unknown: the connection broke while committing")]
    OutcomeUnknown(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Anything else that the database said.
    #[error("the database failed")]
    Backend(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl StoreError {
    /// Whether deciding again on fresh data may succeed.
    pub const fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict { .. })
    }
}
