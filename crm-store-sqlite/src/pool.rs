//! Connections: one that writes, several that read.

use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use crm_core::store::StoreError;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::error::{SqliteError, backend, map_any};
use crate::options::SqliteOptions;

/// The oldest SQLite that does not lose committed pages when a commit races a checkpoint.
const OLDEST: i32 = 3_051_003;
/// The memory for pages of the connection that writes, in KiB.
pub(crate) const CACHE: u32 = 16_384;
/// The same during a large change-set. It is taken as it is needed, and given back.
pub(crate) const LARGE_CACHE: u32 = 57_344;
/// How many prepared statements a connection keeps.
const STATEMENTS: usize = 256;
/// How many connections reports and exports have to themselves, so that short reads never wait for a long one.
const LONG_READERS: usize = 2;

/// What a connection is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Writer,
    Reader,
}

/// Refuses a SQLite that can lose data.
pub(crate) fn require_version() -> Result<(), StoreError> {
    if rusqlite::version_number() < OLDEST {
        return Err(backend(SqliteError::OldSqlite { found: rusqlite::version() }));
    }
    Ok(())
}

/// Opens a connection and sets it up.
pub(crate) fn connect(path: &Path, options: &SqliteOptions, role: Role) -> Result<Connection, StoreError> {
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    if options.create && role == Role::Writer {
        flags |= OpenFlags::SQLITE_OPEN_CREATE;
        create(path).map_err(|reason| backend(SqliteError::NotMade { path: path.display().to_string(), reason }))?;
    }
    let connection = Connection::open_with_flags(path, flags).map_err(|error| {
        if path.exists() { map_any(error) } else { backend(SqliteError::Missing { path: path.display().to_string() }) }
    })?;
    set_up(&connection, options, role).map_err(map_any)?;
    Ok(connection)
}

/// Makes an empty file that only its owner may open, as SQLite then makes the ones beside it; one that is there already
/// stays as it is.
fn create(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

fn set_up(connection: &Connection, options: &SqliteOptions, role: Role) -> rusqlite::Result<()> {
    connection.busy_timeout(options.busy_timeout)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, true)?;
    // Sorting in memory makes reports several times slower, and the writer's small sorts a little faster.
    let pragmas = match role {
        Role::Writer => format!(
            "PRAGMA synchronous = {}; PRAGMA cache_size = -{CACHE}; PRAGMA temp_store = MEMORY; \
             PRAGMA journal_size_limit = 67108864;",
            options.durability.pragma()
        ),
        Role::Reader => "PRAGMA cache_size = -8192; PRAGMA query_only = ON;".to_owned(),
    };
    connection.execute_batch(&pragmas)
}

/// Sets how much memory a connection may keep pages in, in KiB.
pub(crate) fn keep_pages(connection: &Connection, kibibytes: u32) -> Result<(), StoreError> {
    connection.execute_batch(&format!("PRAGMA cache_size = -{kibibytes}")).map_err(map_any)
}

/// The connections that read, opened when they are first wanted.
pub(crate) struct Readers {
    path: PathBuf,
    options: SqliteOptions,
    short: Vec<Mutex<Option<Connection>>>,
    long: Vec<Mutex<Option<Connection>>>,
    turn: AtomicUsize,
}

impl Readers {
    /// With the first of them, if there is one already.
    pub(crate) fn new(path: PathBuf, options: SqliteOptions, first: Option<Connection>) -> Self {
        let pool = |size: usize| (0..size).map(|_| Mutex::new(None)).collect::<Vec<_>>();
        let mut short = pool(options.readers.max(1));
        short[0] = Mutex::new(first);
        Self { short, long: pool(LONG_READERS), path, options, turn: AtomicUsize::new(0) }
    }

    /// Reads with a connection for short reads.
    pub(crate) fn short<T>(&self, read: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.with(&self.short, read)
    }

    /// Reads with a connection for reports and exports.
    pub(crate) fn long<T>(&self, read: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.with(&self.long, read)
    }

    fn with<T>(
        &self,
        pool: &[Mutex<Option<Connection>>],
        read: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut slot = self.acquire(pool);
        if slot.is_none() {
            *slot = Some(connect(&self.path, &self.options, Role::Reader)?);
        }
        match slot.as_ref() {
            Some(connection) => read(connection),
            None => Err(backend(SqliteError::Closed)),
        }
    }

    fn acquire<'a>(&self, pool: &'a [Mutex<Option<Connection>>]) -> MutexGuard<'a, Option<Connection>> {
        // The first one first: a lone reader always meets warm caches.
        for slot in pool {
            match slot.try_lock() {
                Ok(guard) => return guard,
                Err(TryLockError::Poisoned(poisoned)) => return renewed(slot, poisoned),
                Err(TryLockError::WouldBlock) => {}
            }
        }
        let slot = &pool[self.turn.fetch_add(1, Ordering::Relaxed) % pool.len()];
        slot.lock().unwrap_or_else(|poisoned| renewed(slot, poisoned))
    }

    /// Opens a connection that nobody has read with.
    pub(crate) fn fresh(&self) -> Result<Connection, StoreError> {
        connect(&self.path, &self.options, Role::Reader)
    }

    /// Closes all of them; later reads open new ones.
    pub(crate) fn close(&self) {
        for slot in self.short.iter().chain(&self.long) {
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }
}

/// A connection that saw a panic is not trusted again.
fn renewed<'a>(
    slot: &Mutex<Option<Connection>>,
    poisoned: PoisonError<MutexGuard<'a, Option<Connection>>>,
) -> MutexGuard<'a, Option<Connection>> {
    slot.clear_poison();
    let mut guard = poisoned.into_inner();
    *guard = None;
    guard
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Durability;

    fn pragma(connection: &Connection, name: &str) -> i64 {
        connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn durability_is_full_unless_asked_otherwise_and_only_the_writer_sorts_in_memory() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("crm.db");
        let mut options = SqliteOptions::default();
        let writer = connect(&path, &options, Role::Writer).unwrap();
        let reader = connect(&path, &options, Role::Reader).unwrap();
        assert_eq!(pragma(&writer, "synchronous"), 2);
        assert_eq!(pragma(&writer, "temp_store"), 2);
        assert_eq!(pragma(&reader, "temp_store"), 0);
        assert_eq!(pragma(&writer, "foreign_keys"), 1);
        assert_eq!(pragma(&writer, "busy_timeout"), 5000);
        assert!(reader.execute_batch("CREATE TABLE t (a)").is_err());
        assert!(writer.prepare("SELECT \"no column\"").is_err());
        options.durability = Durability::Normal;
        let writer = connect(&path, &options, Role::Writer).unwrap();
        assert_eq!(pragma(&writer, "synchronous"), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_new_file_is_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt as _;

        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("crm.db");
        let options = SqliteOptions::default();
        let open = || {
            let writer = connect(&path, &options, Role::Writer).unwrap();
            writer
                .execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE IF NOT EXISTS t (a); INSERT INTO t VALUES (1)")
                .unwrap();
            writer
        };
        let modes = || {
            let files = std::fs::read_dir(directory.path()).unwrap().map(|file| file.unwrap().metadata().unwrap());
            files.map(|file| file.permissions().mode() & 0o777).collect::<Vec<_>>()
        };
        let writer = open();
        // The file, what is written ahead, and its index.
        assert_eq!(modes(), [0o600; 3]);
        drop(writer);
        // What its owner makes of it stays.
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o660)).unwrap();
        let _writer = open();
        assert_eq!(modes(), [0o660; 3]);
        let missing = directory.path().join("no/crm.db");
        let refused = connect(&missing, &options, Role::Writer).unwrap_err();
        assert!(format!("{refused:?}").contains("NotMade"), "{refused:?}");
    }

    #[test]
    fn a_file_that_is_not_there_is_only_made_when_asked_for() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("crm.db");
        let options = SqliteOptions { create: false, ..SqliteOptions::default() };
        assert!(connect(&path, &options, Role::Writer).is_err());
        assert!(!path.exists());
    }
}
