//! The handle of an open database: its store, its runtime, its end.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use async_trait::async_trait;
use crm_core::access::Organization;
use crm_core::crm::NewOrganization;
use crm_core::entity::{Entity as _, Stored, Table};
use crm_core::store::{Aggregate, Applied, ChangeSet, Scope, Select, Store, StoreError};
use crm_core::value::ValueError;
use crm_core::{Crm, CrmError, ErrorCode, Row, SystemEnvironment};
use crm_store_postgres::{GrantError, PostgresOptions, PostgresStore, without_password};
use crm_store_sqlite::{Durability, SqliteOptions, SqliteStore};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use tokio::runtime::Runtime;
use uuid::Uuid;

use crate::error::{Outcome, exception, invalid, raised};
use crate::logins::TokenKeys;
use crate::record::Record;
use crate::session::Session;

/// Where the records are kept.
enum Backend {
    Sqlite(SqliteStore),
    Postgres(PostgresStore),
}

impl Backend {
    fn store(&self) -> &dyn Store {
        match self {
            Self::Sqlite(store) => store,
            Self::Postgres(store) => store,
        }
    }

    async fn close(&self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(store) => store.close().await,
            Self::Postgres(store) => store.close().await,
        }
    }
}

/// The store of an open database, until it is closed. Every session holds this and not the store, so that closing ends
/// them all.
pub(crate) struct Gate {
    backend: RwLock<Option<Arc<Backend>>>,
    /// The process that opened it: connections do not survive a fork.
    process: u32,
}

#[derive(Debug)]
struct Closed;

impl std::fmt::Display for Closed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("it was closed")
    }
}

impl std::error::Error for Closed {}

impl Gate {
    fn new(backend: Backend) -> Arc<Self> {
        Arc::new(Self { backend: RwLock::new(Some(Arc::new(backend))), process: std::process::id() })
    }

    fn open(&self) -> Result<Arc<Backend>, StoreError> {
        let backend = self.backend.read().unwrap_or_else(PoisonError::into_inner);
        backend.clone().ok_or_else(|| StoreError::Unavailable(Box::new(Closed)))
    }

    fn closed(&self) -> bool {
        self.backend.read().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    fn forked(&self) -> bool {
        std::process::id() != self.process
    }

    fn take(&self) -> Option<Arc<Backend>> {
        self.backend.write().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        // In a forked child the connections are the parent's: ending them here would end them there.
        if self.forked() {
            std::mem::forget(self.take());
        }
    }
}

#[async_trait]
impl Store for Gate {
    async fn fetch(&self, scope: Scope, table: &'static Table, ids: &[Uuid]) -> Result<Vec<Row>, StoreError> {
        self.open()?.store().fetch(scope, table, ids).await
    }
    async fn select(&self, scope: Scope, query: &Select) -> Result<Vec<Row>, StoreError> {
        self.open()?.store().select(scope, query).await
    }
    async fn aggregate(&self, scope: Scope, queries: &[Aggregate]) -> Result<Vec<Vec<Row>>, StoreError> {
        self.open()?.store().aggregate(scope, queries).await
    }
    async fn apply(&self, scope: Scope, changes: ChangeSet) -> Result<Applied, StoreError> {
        self.open()?.store().apply(scope, changes).await
    }
    async fn purge(&self) -> Result<bool, StoreError> {
        self.open()?.store().purge().await
    }
    async fn is_purge_due(&self) -> Result<bool, StoreError> {
        self.open()?.store().is_purge_due().await
    }
}

/// The runtime of this process, for databases that are reached over a network. It does not survive a fork, so a child
/// gets its own.
fn runtime(py: Python<'_>) -> PyResult<Arc<Runtime>> {
    static RUNTIME: Mutex<Option<(u32, Arc<Runtime>)>> = Mutex::new(None);
    let process = std::process::id();
    let mut kept = RUNTIME.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((owner, runtime)) = &*kept
        && *owner == process
    {
        return Ok(Arc::clone(runtime));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = Arc::new(runtime.map_err(|error| {
        let message = format!("no threads could be started: {error}");
        exception(py, ErrorCode::Failure, &message, None, Vec::new(), None)
    })?);
    // The threads of the parent's runtime are not here to be joined.
    std::mem::forget(kept.replace((process, Arc::clone(&runtime))));
    Ok(runtime)
}

/// Whether an address leads to a PostgreSQL server.
fn is_postgres(url: &str) -> bool {
    url.starts_with("postgres://") || url.starts_with("postgresql://")
}

/// Why a role was granted nothing.
fn not_granted(error: GrantError) -> CrmError {
    let reason = match error {
        GrantError::Store(error) => return error.into(),
        GrantError::NoRole(role) => ValueError::NotThere { entity: "role", reference: role },
        GrantError::NotOwner => ValueError::NotAllowed { when: "somebody else than the tables' owner grants" },
        _ => ValueError::NotAllowed { when: "row-level security would not hold the role" },
    };
    CrmError::invalid("role", reason)
}

/// How calls are carried out.
#[derive(Clone)]
enum Executor {
    /// On the caller's thread: SQLite reads and writes inline.
    Inline,
    /// On the runtime's threads.
    Threads(Arc<Runtime>),
}

/// What a database and its sessions share.
pub(crate) struct Shared {
    pub(crate) gate: Arc<Gate>,
    executor: Executor,
}

impl Shared {
    /// Carries out a call while other Python threads run.
    pub(crate) fn run<T: Send>(&self, py: Python<'_>, call: impl Future<Output = Outcome<T>> + Send) -> PyResult<T> {
        self.usable(py)?;
        carry_out(py, &self.executor, call)
    }

    fn usable(&self, py: Python<'_>) -> PyResult<()> {
        let refuse = |message, hint| Err(exception(py, ErrorCode::Unavailable, message, None, Vec::new(), Some(hint)));
        if self.gate.forked() {
            return refuse(
                "the database was opened by another process",
                "open it again after a fork, or start processes with the method \"spawn\"",
            );
        }
        if self.gate.closed() {
            return refuse("the database is closed", "call crm_py.open again, and use it inside its with block");
        }
        Ok(())
    }
}

fn carry_out<T: Send>(
    py: Python<'_>,
    executor: &Executor,
    call: impl Future<Output = Outcome<T>> + Send,
) -> PyResult<T> {
    let outcome = py.detach(|| {
        catch_unwind(AssertUnwindSafe(|| match executor {
            Executor::Inline => crm_core::block_on(call),
            Executor::Threads(runtime) => runtime.block_on(call),
        }))
    });
    match outcome {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(raised(py, &error)),
        Err(panic) => Err(panicked(py, &*panic)),
    }
}

/// A defect of the engine, as an exception that programs can catch.
fn panicked(py: Python<'_>, panic: &(dyn Any + Send)) -> PyErr {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
    let message = format!("the engine failed: {text}");
    exception(py, ErrorCode::Failure, &message, None, Vec::new(), Some("this is a defect of crm_py; please report it"))
}

/// An open database.
#[pyclass(frozen, module = "crm_py._crm_py")]
pub(crate) struct Database {
    shared: Arc<Shared>,
    crm: Crm,
    /// What was opened, without a password.
    #[pyo3(get)]
    url: String,
}

impl Database {
    pub(crate) const fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    pub(crate) const fn crm(&self) -> &Crm {
        &self.crm
    }
}

#[pymethods]
impl Database {
    /// Opens a database: `sqlite:PATH`, a path, or `postgres://...`.
    #[new]
    #[pyo3(signature = (url, *, create = true, durability = "full", schema = None, migrate = true, max_connections = None, token_keys = None))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords")]
    fn new(
        py: Python<'_>,
        url: &str,
        create: bool,
        durability: &str,
        schema: Option<String>,
        migrate: bool,
        max_connections: Option<u32>,
        token_keys: Option<&Bound<'_, TokenKeys>>,
    ) -> PyResult<Self> {
        let (backend, executor) = if is_postgres(url) {
            let mut options = PostgresOptions::new().migrate(migrate).application_name("crm_py");
            if let Some(schema) = schema {
                options = options.schema(schema);
            }
            if let Some(count) = max_connections {
                options = options.max_connections(count);
            }
            let executor = Executor::Threads(runtime(py)?);
            let connect = async { Ok(PostgresStore::connect(url, options).await?) };
            (Backend::Postgres(carry_out(py, &executor, connect)?), executor)
        } else {
            if schema.is_some() || max_connections.is_some() {
                return Err(PyTypeError::new_err("schema and max_connections are for PostgreSQL"));
            }
            let durability = match durability {
                "full" => Durability::Full,
                "normal" => Durability::Normal,
                other => {
                    let reason = ValueError::unknown_value(other, &["full", "normal"]);
                    return Err(invalid(py, "durability", reason));
                }
            };
            let options = SqliteOptions { durability, create, ..SqliteOptions::default() };
            let open = async { Ok(SqliteStore::open(url, options)?) };
            (Backend::Sqlite(carry_out(py, &Executor::Inline, open)?), Executor::Inline)
        };
        let gate = Gate::new(backend);
        let mut crm = Crm::new(Arc::clone(&gate), SystemEnvironment);
        if let Some(keys) = token_keys {
            crm = keys.get().equip(crm);
        }
        Ok(Self { shared: Arc::new(Shared { gate, executor }), crm, url: without_password(url) })
    }

    /// Whether it is closed.
    #[getter]
    fn closed(&self) -> bool {
        self.shared.gate.closed()
    }

    /// Whether it was opened by another process, before a fork.
    #[getter]
    fn forked(&self) -> bool {
        self.shared.gate.forked()
    }

    /// Closes it; calls that are under way end first. Closing again does nothing.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        let Some(backend) = self.shared.gate.take() else { return Ok(()) };
        if self.shared.gate.forked() {
            std::mem::forget(backend);
            return Ok(());
        }
        carry_out(py, &self.shared.executor, async {
            backend.close().await?;
            drop(backend);
            Ok(())
        })
    }

    /// Grants a role of the server what programs need to work with the tables.
    fn grant(&self, py: Python<'_>, role: &str) -> PyResult<()> {
        self.shared.run(py, async {
            match &*self.shared.gate.open()? {
                Backend::Postgres(store) => store.grant(role).await.map_err(not_granted),
                Backend::Sqlite(_) => Err(CrmError::invalid("role", ValueError::NotAllowed { when: "it is a file" })),
            }
        })
    }

    /// Creates an organization with its first owner.
    #[pyo3(signature = (slug, *, name, currency, time_zone, owner_email, owner_name, invoice_prefix = "INV-", region = None, payment_days = None, unique_emails = None, unique_phones = None))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords")]
    fn create_organization(
        &self,
        py: Python<'_>,
        slug: &str,
        name: &str,
        currency: &str,
        time_zone: &str,
        owner_email: &str,
        owner_name: &str,
        invoice_prefix: &str,
        region: Option<&str>,
        payment_days: Option<i64>,
        unique_emails: Option<bool>,
        unique_phones: Option<bool>,
    ) -> PyResult<Py<PyAny>> {
        let mut organization = Organization::new(
            slug.parse().map_err(|reason| invalid(py, "slug", reason))?,
            name.parse().map_err(|reason| invalid(py, "name", reason))?,
            currency.parse().map_err(|reason| invalid(py, "currency", reason))?,
            time_zone.parse().map_err(|reason| invalid(py, "time_zone", reason))?,
        );
        if let Some(region) = region {
            organization.default_region = Some(region.parse().map_err(|reason| invalid(py, "region", reason))?);
        }
        organization.payment_days = payment_days.unwrap_or(organization.payment_days);
        organization.unique_emails = unique_emails.unwrap_or(organization.unique_emails);
        organization.unique_phones = unique_phones.unwrap_or(organization.unique_phones);
        let new = NewOrganization {
            organization,
            owner_email: owner_email.parse().map_err(|reason| invalid(py, "owner_email", reason))?,
            owner_name: owner_name.parse().map_err(|reason| invalid(py, "owner_name", reason))?,
            invoice_prefix: invoice_prefix.to_owned(),
        };
        let row = self.shared.run(py, async { Ok(self.crm.create_organization(&new).await?.to_row()) })?;
        Record::wrap(py, Organization::TABLE, row)
    }

    /// The organizations, by slug.
    fn organizations(&self, py: Python<'_>) -> PyResult<Vec<Py<PyAny>>> {
        let rows =
            self.shared.run(py, async { Ok(self.crm.organizations().await?.iter().map(Stored::to_row).collect()) })?;
        Record::wrap_all(py, Organization::TABLE, rows)
    }

    /// Checks the users, who stand above organizations.
    fn verify_users<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let found = self.shared.run(py, async { self.crm.verify_users().await })?;
        crate::report::verification(py, &found)
    }

    /// Opens an organization for a member.
    fn session(&self, py: Python<'_>, slug: &str, acting_as: &str) -> PyResult<Session> {
        let slug = slug.parse().map_err(|reason| invalid(py, "slug", reason))?;
        let email = acting_as.parse().map_err(|reason| invalid(py, "acting_as", reason))?;
        let session = self.shared.run(py, async { self.crm.session(&slug, &email).await })?;
        Ok(Session::new(Arc::clone(&self.shared), session, None))
    }

    fn __repr__(&self) -> String {
        let state = if self.closed() { "closed" } else { "open" };
        format!("<{state} database {}>", self.url)
    }
}
