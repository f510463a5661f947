//! What the database says, as the errors of the storage contract.

use crm_core::entity::Table;
use crm_core::schema::{TABLES, VERSION};
use crm_core::store::StoreError;
use sqlx::postgres::PgDatabaseError;

/// How far a unit of work had come when an error came up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Nothing of it can have been committed.
    Open,
    /// The commit was under way.
    Commit,
}

/// A use that no database is needed to refuse.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Misuse {
    #[error("{0:?} is no schema name of a-z, 0-9 and _, at most 63 of them")]
    SchemaName(String),
    #[error("the address of the database cannot be read")]
    Address(#[source] sqlx::Error),
    #[error("the connection names no schema that exists")]
    NoSchema,
    #[error("a chunk of a feed has a feed of its own")]
    NestedFeed,
    #[error("a feed went on after the database had failed")]
    FeedWentOn,
    #[error("the answer of the database cannot be read")]
    Answer,
    #[error("the unit of work stopped: {0}")]
    Stopped(String),
    #[error("no connection became free within the time limit")]
    Busy,
    #[error("the server did not answer within the time limit")]
    Silent,
    #[error("the store is closed")]
    Closed,
}

/// The store's role has not been granted what it needs to work with the tables; their owner grants it with
/// [`grant`](crate::PostgresStore::grant). It is what a [`StoreError::Backend`] holds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the role {role} was not granted what it needs to work with the tables")]
pub struct NotGranted {
    /// The role.
    pub role: String,
}

/// The error of a misuse.
pub(crate) fn refused(misuse: Misuse) -> StoreError {
    StoreError::Backend(Box::new(misuse))
}

/// The SQLSTATE that `crm_expect` raises, with the name of the check as the message.
pub(crate) const UNMATCHED: &str = "CRM01";

/// The server's own error, if it is one.
fn server(error: &sqlx::Error) -> Option<&PgDatabaseError> {
    error.as_database_error().and_then(|error| error.try_downcast_ref())
}

/// The name of the check that failed, if that is what happened.
pub(crate) fn unmatched(error: &sqlx::Error) -> Option<&str> {
    server(error).filter(|error| error.code() == UNMATCHED).map(PgDatabaseError::message)
}

/// Whether other transactions were in the way, so that deciding again may succeed.
pub(crate) fn is_contention(error: &sqlx::Error) -> bool {
    server(error).is_some_and(|error| matches!(error.code(), "40001" | "40P01"))
}

/// Whether a table is not there.
pub(crate) fn is_undefined_table(error: &sqlx::Error) -> bool {
    server(error).is_some_and(|error| error.code() == "42P01")
}

/// Whether the role may not do what it asked for.
pub(crate) fn is_denied(error: &sqlx::Error) -> bool {
    server(error).is_some_and(|error| error.code() == "42501")
}

/// Whether a savepoint was asked for outside a transaction.
pub(crate) fn is_outside(error: &sqlx::Error) -> bool {
    server(error).is_some_and(|error| error.code() == "25P01")
}

/// Whether the connection is of no more use.
pub(crate) fn is_broken(error: &sqlx::Error) -> bool {
    match server(error) {
        // The administrator or a time limit ended the session.
        Some(error) => {
            matches!(error.code(), "57P01" | "57P02" | "57P05" | "25P03" | "25P04") || error.code().starts_with("08")
        }
        None => !matches!(error, sqlx::Error::Encode(_) | sqlx::Error::RowNotFound),
    }
}

/// The error of the contract.
pub(crate) fn mapped(error: sqlx::Error, phase: Phase) -> StoreError {
    if is_broken(&error) {
        return match phase {
            Phase::Open => StoreError::Unavailable(Box::new(error)),
            Phase::Commit => StoreError::OutcomeUnknown(Box::new(error)),
        };
    }
    let Some(said) = server(&error) else { return StoreError::Backend(Box::new(error)) };
    match said.code() {
        "23505" => match said.constraint().and_then(unique) {
            Some((table, columns)) => StoreError::Duplicate { table: table.name, columns },
            None => StoreError::Backend(Box::new(error)),
        },
        "23503" => match first_named(said.message()).or_else(|| said.table().and_then(table)) {
            Some(table) => StoreError::Referenced { table: table.name },
            None => StoreError::Backend(Box::new(error)),
        },
        "22003" => StoreError::Overflow,
        "53100" => StoreError::StorageFull,
        "42P01" => StoreError::Schema { found: 0, known: VERSION },
        // The server is starting, stopping, has no connection left, or ran into one of its limits of time.
        "57P03" | "57014" | "55P03" | "53300" | "53200" | "25006" => StoreError::Unavailable(Box::new(error)),
        "XX001" | "XX002" => match said.table().and_then(table) {
            Some(table) => {
                StoreError::Corrupt { table: table.name, column: "?", id: None, reason: said.message().to_owned() }
            }
            None => StoreError::Backend(Box::new(error)),
        },
        _ => StoreError::Backend(Box::new(error)),
    }
}

/// The table with this name.
fn table(name: &str) -> Option<&'static Table> {
    TABLES.iter().copied().find(|table| table.name == name)
}

/// The table that a message names first. Of a foreign key, whose error belongs to the table that has it, that is the
/// table whose change was refused, in whatever language the server speaks.
fn first_named(message: &str) -> Option<&'static Table> {
    message.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').find_map(table)
}

/// The table and columns that a constraint holds unique.
fn unique(constraint: &str) -> Option<(&'static Table, Vec<&'static str>)> {
    if let Some(table) = constraint.strip_suffix("_pkey").and_then(table) {
        return Some((table, vec!["id"]));
    }
    TABLES.iter().copied().find_map(|table| {
        let unique = table.uniques.iter().find(|unique| unique.name == constraint)?;
        Some((table, unique.columns.to_vec()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constraints_are_told_by_their_columns() {
        let (table, columns) = unique("crm_organization_slug").unwrap();
        assert_eq!((table.name, columns), ("crm_organization", vec!["slug"]));
        let (table, columns) = unique("crm_contact_pkey").unwrap();
        assert_eq!((table.name, columns), ("crm_contact", vec!["id"]));
        assert!(unique("nonsense_pkey").is_none());
        assert!(unique("nonsense").is_none());
    }

    #[test]
    fn the_refused_table_is_the_first_that_is_named() {
        let text = "update or delete on table \"crm_contact\" violates foreign key constraint \
                    \"crm_invoice_contact_id_fkey\" on table \"crm_invoice\"";
        assert_eq!(first_named(text).unwrap().name, "crm_contact");
        assert!(first_named("nothing of ours").is_none());
    }

    #[test]
    fn a_broken_connection_is_unknown_only_while_committing() {
        let broken = || sqlx::Error::Io(std::io::Error::other("gone"));
        assert!(matches!(mapped(broken(), Phase::Open), StoreError::Unavailable(_)));
        assert!(matches!(mapped(broken(), Phase::Commit), StoreError::OutcomeUnknown(_)));
    }
}
