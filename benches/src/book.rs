//! Databases to work on.

use std::fs;
use std::path::{Path, PathBuf};

use crm_core::access::Organization;
use crm_core::people::Contact;
use crm_core::store::Store;
use crm_core::{Crm, NewOrganization, Session, SystemEnvironment};
use crm_store_sqlite::{Durability, SqliteOptions, SqliteStore};
use rusqlite::Connection;
use tokio::runtime::Runtime;

use crate::Outcome;
use crate::contacts::fields;

/// The organization of all benchmarks.
pub(crate) const SLUG: &str = "acme";
/// Its owner.
pub(crate) const OWNER: &str = "ana@acme.example";

/// A runtime as a host program has one.
pub(crate) fn runtime() -> Outcome<Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}

/// Creates the organization.
pub(crate) async fn create(crm: &Crm) -> Outcome {
    let mut organization =
        Organization::new(SLUG.parse()?, "Acme".parse()?, "USD".parse()?, "America/New_York".parse()?);
    organization.default_region = Some("US".parse()?);
    let owner_email = OWNER.parse()?;
    let new = NewOrganization {
        organization,
        owner_email,
        owner_name: "Ana Owner".parse()?,
        invoice_prefix: "INV-".to_owned(),
    };
    crm.create_organization(&new).await?;
    Ok(())
}

/// The owner at work on a store.
pub(crate) async fn session(store: impl Store + 'static) -> Outcome<Session<'static>> {
    Ok(Crm::new(store, SystemEnvironment).session(&SLUG.parse()?, &OWNER.parse()?).await?)
}

/// A folder with databases, deleted in the end.
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    /// Made where `CRM_BENCH_DIR` says, or in the system's folder for temporary files. It should be on a disk: what waits
    /// for the disk is part of what is measured.
    pub(crate) fn new() -> Outcome<Self> {
        Ok(Self(tempfile::Builder::new().prefix("crm-bench-").tempdir_in(base())?))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A file with nothing but the organization.
    pub(crate) fn template(&self) -> Outcome<PathBuf> {
        let path = self.path("template.db");
        let store = open(&path, Durability::Full)?;
        crm_core::block_on(async {
            create(&Crm::new(store.clone(), SystemEnvironment)).await?;
            store.checkpoint().await?;
            Ok::<(), Box<dyn std::error::Error + Send + Sync>>(store.close().await?)
        })?;
        Ok(path)
    }

    /// A fresh copy of a file that is closed.
    pub(crate) fn copy(&self, of: &Path, name: &str) -> Outcome<PathBuf> {
        let path = self.path(name);
        remove(&path);
        fs::copy(of, &path)?;
        // What the copy left to be written must not be waited for by whoever commits first.
        fs::File::open(&path)?.sync_all()?;
        Ok(path)
    }
}

fn base() -> PathBuf {
    std::env::var_os("CRM_BENCH_DIR").map_or_else(std::env::temp_dir, PathBuf::from)
}

/// Deletes a database with what belongs to it.
pub(crate) fn remove(path: &Path) {
    for suffix in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        let _ = fs::remove_file(name);
    }
}

/// Opens a store.
pub(crate) fn open(path: &Path, durability: Durability) -> Outcome<SqliteStore> {
    let options = SqliteOptions { durability, ..SqliteOptions::default() };
    Ok(SqliteStore::open(&path.to_string_lossy(), options)?)
}

/// A bare connection with the settings of the store's own, for writing or for reading.
pub(crate) fn connect(path: &Path, durability: Option<Durability>) -> Outcome<Connection> {
    let connection = Connection::open(path)?;
    connection.set_prepared_statement_cache_capacity(256);
    let pragmas = match durability {
        Some(durability) => {
            let synchronous = if durability == Durability::Full { "FULL" } else { "NORMAL" };
            format!(
                "PRAGMA synchronous = {synchronous}; PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY; PRAGMA foreign_keys = ON"
            )
        }
        None => "PRAGMA cache_size = -8192; PRAGMA query_only = ON".to_owned(),
    };
    connection.execute_batch(&pragmas)?;
    Ok(connection)
}

/// A file that is made once and kept for later runs, named by its content and the schema.
pub(crate) fn kept(name: &str, make: impl FnOnce(&Path) -> Outcome) -> Outcome<PathBuf> {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    include_str!("../../crm-store-sqlite/migrations/0001_initial.sql").hash(&mut hasher);
    include_str!("../../crm-store-sqlite/migrations/0002_sales.sql").hash(&mut hasher);
    include_str!("../../crm-store-sqlite/migrations/0003_billing.sql").hash(&mut hasher);
    include_str!("../../crm-store-sqlite/migrations/0004_cases.sql").hash(&mut hasher);
    include_str!("../../crm-store-sqlite/migrations/0005_access.sql").hash(&mut hasher);
    include_str!("../../crm-store-sqlite/migrations/0006_row_security.sql").hash(&mut hasher);
    include_str!("contacts.rs").hash(&mut hasher);
    include_str!("ledger.rs").hash(&mut hasher);
    include_str!("deals.rs").hash(&mut hasher);
    include_str!("petitions.rs").hash(&mut hasher);
    let folder = base().join("crm-bench-kept");
    fs::create_dir_all(&folder)?;
    let path = folder.join(format!("{name}-{:016x}.db", hasher.finish()));
    if !path.exists() {
        eprintln!("making {} (once)", path.display());
        let unfinished = path.with_extension("unfinished");
        remove(&unfinished);
        make(&unfinished)?;
        fs::rename(&unfinished, &path)?;
    }
    Ok(path)
}

/// A file with so many contacts, made by the library.
pub(crate) fn with_contacts(count: usize) -> Outcome<PathBuf> {
    kept(&format!("contacts-{count}"), |path| {
        runtime()?.block_on(async {
            let store = open(path, Durability::Normal)?;
            create(&Crm::new(store.clone(), SystemEnvironment)).await?;
            let session = session(store.clone()).await?;
            for first in (0..count).step_by(20_000) {
                let fields = fields(first..count.min(first + 20_000));
                let edits = fields.iter().map(|fields| fields.parsed(&session)).collect::<Outcome<Vec<_>>>()?;
                session.create_many::<Contact>(&edits).await?;
            }
            store.checkpoint().await?;
            store.close().await?;
            Ok(())
        })
    })
}
