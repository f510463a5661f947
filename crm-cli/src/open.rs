//! Opens what a command works on: the settings and the database.

use std::sync::OnceLock;

use clap::ArgMatches;
use crm_core::access::PasswordCost;
use crm_core::value::Instant;
use crm_core::{Crm, Environment, SystemEnvironment};
use crm_store_postgres::{PostgresOptions, PostgresStore, without_password};
use crm_store_sqlite::{Durability, SqliteOptions, SqliteStore};
use uuid::Uuid;

use crate::acting::Acting;
use crate::config::{Origin, Settings};
use crate::error::{Done, Failure};
use crate::logins::signing_keys;
use crate::output::{Format, Out};

/// The clock and the source of ids. `CRM_NOW` sets the clock, for tests and for reproducible output.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    fixed: Option<Instant>,
}

impl Clock {
    /// The machine's clock, or the one that `CRM_NOW` sets.
    pub(crate) fn from_environment() -> Result<Self, Failure> {
        let fixed = std::env::var("CRM_NOW").ok().filter(|text| !text.is_empty());
        let fixed = fixed.map(|text| text.parse()).transpose();
        Ok(Self { fixed: fixed.map_err(|reason| Failure::invalid("CRM_NOW", &reason))? })
    }
}

impl Environment for Clock {
    fn now(&self) -> Instant {
        self.fixed.unwrap_or_else(|| SystemEnvironment.now())
    }

    fn new_id(&self) -> Uuid {
        SystemEnvironment.new_id()
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        SystemEnvironment.fill_random(bytes);
    }
}

/// A database of either kind.
#[derive(Clone)]
pub(crate) enum Database {
    /// One file.
    Sqlite(SqliteStore),
    /// A server.
    Postgres(PostgresStore),
}

/// Whether an address names a PostgreSQL server, so that a runtime is needed.
pub(crate) fn is_server(address: &str) -> bool {
    address.starts_with("postgres://") || address.starts_with("postgresql://")
}

/// The path of a file address.
pub(crate) fn file_of(address: &str) -> &str {
    let path = address.strip_prefix("sqlite:").unwrap_or(address);
    if path.len() == address.len() { path } else { path.strip_prefix("//").unwrap_or(path) }
}

/// Takes `schema=NAME` out of the parameters of a server's address: in which schema the tables are.
fn schema_of(address: &str) -> (String, Option<&str>) {
    let Some((base, parameters)) = address.split_once('?') else { return (address.to_owned(), None) };
    let schema = parameters.split('&').find_map(|parameter| parameter.strip_prefix("schema="));
    let others: Vec<&str> = parameters.split('&').filter(|parameter| !parameter.starts_with("schema=")).collect();
    let query = if others.is_empty() { String::new() } else { format!("?{}", others.join("&")) };
    (format!("{base}{query}"), schema)
}

/// Warns of a password in an address on the command line.
pub(crate) fn warn_of_password(out: Out, address: &str) {
    if without_password(address) != address {
        out.warn(
            "Whoever lists the processes of this machine, or reads the shell's history, sees the password in this \
             address. Leave it out and set PGPASSWORD, or put it into ~/.pgpass.",
        );
    }
}

/// Opens a database. One that is not there is made only when asked for.
pub(crate) async fn open(address: &str, create: bool, durability: Durability) -> Result<Database, Failure> {
    if is_server(address) {
        // A command does one thing after the other.
        let (address, schema) = schema_of(address);
        let mut options = PostgresOptions::new().max_connections(2).create(create);
        if let Some(schema) = schema {
            options = options.schema(schema);
        }
        return Ok(Database::Postgres(PostgresStore::connect(&address, options).await?));
    }
    if let Some((scheme, _)) = address.split_once("://").filter(|(scheme, _)| *scheme != "sqlite") {
        return Err(Failure::usage(format!("There is no database of the kind {scheme}"))
            .field("database")
            .hint("Give a path, sqlite:PATH or postgres://…"));
    }
    if address.starts_with("postgres:") || address.starts_with("postgresql:") {
        return Err(Failure::usage("The address of a server begins with postgres://").field("database"));
    }
    let path = std::path::Path::new(file_of(address));
    if create && let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)
            .map_err(|error| Failure::failed(format!("Cannot create the folder {}: {error}", folder.display())))?;
    }
    let options = SqliteOptions { create, durability, readers: 1, ..SqliteOptions::default() };
    Ok(Database::Sqlite(SqliteStore::open(address, options)?))
}

impl Database {
    /// A book on it.
    pub(crate) fn crm(&self, clock: Clock) -> Crm {
        match self {
            Self::Sqlite(store) => Crm::new(store.clone(), clock),
            Self::Postgres(store) => Crm::new(store.clone(), clock),
        }
    }

    /// Grants a role of the server what programs need to work with the tables.
    pub(crate) async fn grant(&self, role: &str) -> Done {
        match self {
            Self::Sqlite(_) => Err(Failure::usage("A file has no roles").field("grant_to")),
            Self::Postgres(store) => Ok(store.grant(role).await?),
        }
    }

    /// Finishes what it still does in the background.
    pub(crate) async fn close(&self) -> Done {
        match self {
            // Its connections end with the process; nothing is left to do.
            Self::Sqlite(_) => {}
            Self::Postgres(store) => store.close().await?,
        }
        Ok(())
    }
}

/// What every command has at hand.
pub(crate) struct App {
    /// The settings.
    pub(crate) settings: Settings,
    /// How it speaks.
    pub(crate) out: Out,
    /// The clock.
    pub(crate) clock: Clock,
    /// Whether an API key is to be read from standard input.
    pub(crate) key_stdin: bool,
    /// Who acts, once that is known.
    pub(crate) acting: OnceLock<Acting>,
    opened: OnceLock<Database>,
}

impl App {
    /// Gathers the settings.
    pub(crate) fn new(matches: &ArgMatches) -> Result<Self, Failure> {
        let settings = Settings::gather(matches)?;
        let format = match settings.get("output").unwrap_or_default() {
            "json" => Format::Json,
            "ndjson" => Format::Ndjson,
            "csv" => Format::Csv,
            "id" => Format::Id,
            _ => Format::Table,
        };
        match settings.get("color").unwrap_or_default() {
            "always" => anstream::ColorChoice::Always.write_global(),
            "never" => anstream::ColorChoice::Never.write_global(),
            _ => {}
        }
        let out = Out {
            format,
            quiet: matches.get_flag("quiet"),
            verbose: matches.get_flag("verbose"),
            excel_safe: matches.get_flag("excel_safe"),
        };
        if let (Some(address), Some(Origin::Flag(_))) = (settings.get("database"), settings.origin("database")) {
            warn_of_password(out, address);
        }
        let clock = Clock::from_environment()?;
        let key_stdin = matches.get_flag("key_stdin");
        Ok(Self { settings, out, clock, key_stdin, acting: OnceLock::new(), opened: OnceLock::new() })
    }

    /// The database that the settings name.
    pub(crate) async fn database(&self, create: bool) -> Result<Database, Failure> {
        let address = self.settings.database();
        if self.out.verbose {
            crate::output::say(&format!("The database is {}.", without_password(address)));
        }
        let database = open(address, create, Durability::Full).await?;
        Ok(self.opened.get_or_init(|| database).clone())
    }

    /// A book on the database, whose users can sign in; the present key that signs tokens may be replaced.
    pub(crate) async fn crm_with_logins(&self, replace_key: bool) -> Result<Crm, Failure> {
        let database = self.database(false).await?;
        let keys = signing_keys(self.clock, replace_key)?;
        Ok(database.crm(self.clock).with_logins(keys, PasswordCost::default()))
    }

    /// Where a setting comes from, for people.
    pub(crate) fn origin(&self, name: &str) -> String {
        self.settings.origin(name).unwrap_or(&Origin::Default).to_string()
    }

    /// Finishes what the database still does in the background.
    pub(crate) async fn close(&self) -> Done {
        match self.opened.get() {
            Some(database) => database.close().await,
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_is_taken_out_of_the_address() {
        assert_eq!(schema_of("postgres://h/d?schema=a"), ("postgres://h/d".to_owned(), Some("a")));
        assert_eq!(schema_of("postgres://h/d?x=1&schema=a&y=2"), ("postgres://h/d?x=1&y=2".to_owned(), Some("a")));
        assert_eq!(schema_of("postgres://h/d?x=1"), ("postgres://h/d?x=1".to_owned(), None));
        assert_eq!(schema_of("postgres://h/d"), ("postgres://h/d".to_owned(), None));
    }

    #[test]
    fn addresses_are_told_apart() {
        for (address, server, file) in [
            ("postgres://localhost/crm", true, None),
            ("postgresql:///crm?host=/tmp", true, None),
            ("sqlite:acme.db", false, Some("acme.db")),
            ("sqlite:///tmp/acme.db", false, Some("/tmp/acme.db")),
            ("/tmp/a//b.db", false, Some("/tmp/a//b.db")),
        ] {
            assert_eq!(is_server(address), server, "{address}");
            if let Some(file) = file {
                assert_eq!(file_of(address), file);
            }
        }
    }
}
