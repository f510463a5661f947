//! SQL text from core's queries and table descriptions, for SQLite and PostgreSQL.
//!
//! Pure: no driver, no connection, nothing asynchronous. A [`Statement`] is text with numbered placeholders and the
//! values for them. Identifiers come only from [`Table`](crm_core::entity::Table) constants; values are only bound,
//! never written into the text, so that the text depends on a query's shape alone and caches of prepared statements
//! hit.
//!
//! ```
//! use crm_core::entity::Entity;
//! use crm_core::people::Contact;
//! use crm_core::store::{Expr, Scope, Select, StoreError};
//! use crm_sql::Dialect;
//!
//! let query = Select::new(Contact::TABLE, Expr::True);
//! let refused = crm_sql::select(Dialect::Sqlite, Scope::SYSTEM, &query);
//! assert!(matches!(refused, Err(StoreError::Scope { .. })));
//! ```

mod aggregate;
mod ddl;
mod render;
mod select;
pub mod write_postgres;
pub mod write_sqlite;

pub use aggregate::{aggregate, output_kinds};
pub use ddl::{
    FENCE, column_type, create_schema, create_table, foreign_keys, indexes, organization_column,
    references_organization, row_security, search_table, search_vector, statistics,
};
pub use render::{Bind, Dialect, Statement, quote, scoped};
pub use select::{fetch, select};
