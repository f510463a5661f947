//! How a store connects.

use std::str::FromStr as _;
use std::time::Duration;

use crm_core::store::StoreError;
use sqlx::ConnectOptions as _;
use sqlx::postgres::PgConnectOptions;

use crate::error::{Misuse, refused};

/// How a [`PostgresStore`](crate::PostgresStore) connects; the defaults suit a server program.
///
/// ```
/// use crm_store_postgres::PostgresOptions;
/// let options = PostgresOptions::new().max_connections(20).schema("crm");
/// ```
#[derive(Clone, Debug)]
pub struct PostgresOptions {
    pub(crate) max_connections: u32,
    pub(crate) acquire_timeout: Duration,
    pub(crate) idle_in_transaction: Duration,
    pub(crate) schema: Option<String>,
    pub(crate) migrate: bool,
    pub(crate) create: bool,
    pub(crate) seal_after: Duration,
    statement_cache: usize,
    application_name: String,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self {
            max_connections: 10,
            acquire_timeout: Duration::from_secs(30),
            idle_in_transaction: Duration::from_mins(1),
            schema: None,
            migrate: true,
            create: true,
            seal_after: Duration::from_secs(1),
            statement_cache: 500,
            application_name: "crm".to_owned(),
        }
    }
}

impl PostgresOptions {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many connections there are at most, at least one. 10 unless set.
    #[must_use]
    pub fn max_connections(mut self, count: u32) -> Self {
        self.max_connections = count.max(1);
        self
    }

    /// How long a call waits for a connection before it fails as unavailable. 30 seconds unless set.
    #[must_use]
    pub fn acquire_timeout(mut self, timeout: Duration) -> Self {
        self.acquire_timeout = timeout;
        self
    }

    /// After which time the server ends a transaction in which nothing happens, as when a feed waits for its source;
    /// 0 for never. A minute unless set.
    #[must_use]
    pub fn idle_in_transaction(mut self, timeout: Duration) -> Self {
        self.idle_in_transaction = timeout;
        self
    }

    /// Keeps the tables in this schema of the database, which is created if need be. Unless set, they are in the
    /// schema that the connection's `search_path` names first.
    #[must_use]
    pub fn schema(mut self, name: impl Into<String>) -> Self {
        self.schema = Some(name.into());
        self
    }

    /// Whether connecting brings the schema up to date; otherwise an old one is refused with
    /// [`StoreError::Schema`]. True unless set.
    #[must_use]
    pub fn migrate(mut self, migrate: bool) -> Self {
        self.migrate = migrate;
        self
    }

    /// Whether connecting makes the tables in a database that has none; otherwise it is refused with
    /// [`StoreError::Schema`]. True unless set.
    #[must_use]
    pub fn create(mut self, create: bool) -> Self {
        self.create = create;
        self
    }

    /// How soon after it was written an entry of the audit is sealed. A second unless set; many entries are sealed
    /// sooner.
    #[must_use]
    pub fn seal_after(mut self, delay: Duration) -> Self {
        self.seal_after = delay;
        self
    }

    /// How many prepared statements each connection keeps. 500 unless set.
    #[must_use]
    pub fn statement_cache(mut self, count: usize) -> Self {
        self.statement_cache = count;
        self
    }

    /// The name by which the server lists the connections. `crm` unless set.
    #[must_use]
    pub fn application_name(mut self, name: impl Into<String>) -> Self {
        self.application_name = name.into();
        self
    }

    /// The driver's options for this address.
    pub(crate) fn connect_options(&self, url: &str) -> Result<PgConnectOptions, StoreError> {
        let mut settings =
            vec![("idle_in_transaction_session_timeout", self.idle_in_transaction.as_millis().to_string())];
        if let Some(schema) = &self.schema {
            if !is_plain(schema) {
                return Err(refused(Misuse::SchemaName(schema.clone())));
            }
            settings.push(("search_path", schema.clone()));
        }
        let options = PgConnectOptions::from_str(url).map_err(|error| refused(Misuse::Address(error)))?;
        Ok(options
            .application_name(&self.application_name)
            .statement_cache_capacity(self.statement_cache)
            .options(settings)
            .disable_statement_logging())
    }
}

/// Whether a name needs no quotes in any setting or statement.
fn is_plain(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_lowercase() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        && name.len() <= 63
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_schema_names_are_taken() {
        for good in ["crm", "_x1", "a_b"] {
            assert!(is_plain(good), "{good}");
        }
        for bad in ["", "1a", "A", "a b", "a;b", "a\"b", "é", &"x".repeat(64)] {
            assert!(!is_plain(bad), "{bad}");
        }
        let refused = PostgresOptions::new().schema("x; drop").connect_options("postgres://localhost/x");
        assert!(matches!(refused, Err(StoreError::Backend(_))));
        assert!(PostgresOptions::new().connect_options("nonsense").is_err());
    }
}
