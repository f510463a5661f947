//! A schema of its own for each test, in the database that `CRM_TEST_POSTGRES_URL` names.

#![allow(dead_code, reason = "not every test program uses everything")]
#![allow(clippy::unwrap_used, reason = "these are tests")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crm_core::access::{Organization, Role};
use crm_core::entity::Entity as _;
use crm_core::entity::Stored;
use crm_core::people::{Contact, ContactKind};
use crm_core::store::{Aggregate, ChangeSet, Expr, Measure, Scope, Store};
use crm_core::testing::{TestEnvironment, trace};
use crm_core::value::{Currency, Zone};
use crm_core::{Actor, Context};
use crm_store_postgres::{PostgresOptions, PostgresStore};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection};

/// The address of the server's database.
pub(crate) fn url() -> String {
    std::env::var("CRM_TEST_POSTGRES_URL").expect(
        "these tests need a PostgreSQL database: run them with `cargo xtask test`, which starts one, or set \
         CRM_TEST_POSTGRES_URL to the address of one that they may fill, such as postgres://crm@localhost/crm_test",
    )
}

/// A schema that is dropped at the test's end.
pub(crate) struct Database {
    pub(crate) schema: String,
}

impl Database {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        trace::start();
        let started = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_micros();
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        Self { schema: format!("crm_test_{started}_{}_{count}", std::process::id()) }
    }

    pub(crate) fn options(&self) -> PostgresOptions {
        PostgresOptions::new().schema(&self.schema)
    }

    pub(crate) async fn store(&self) -> PostgresStore {
        PostgresStore::connect(&url(), self.options()).await.unwrap()
    }

    /// A plain connection, as a host program has one.
    pub(crate) async fn host(&self) -> PgConnection {
        self.host_with(url().parse().unwrap()).await
    }

    /// The same, of a host that writes values into its statements and keeps these out of its log.
    pub(crate) async fn silent_host(&self) -> PgConnection {
        self.host_with(url().parse::<PgConnectOptions>().unwrap().disable_statement_logging()).await
    }

    async fn host_with(&self, options: PgConnectOptions) -> PgConnection {
        let mut connection = options.connect().await.unwrap();
        execute(&mut connection, &format!("SET search_path TO {}", self.schema)).await;
        connection
    }

    /// A number that a query gives.
    pub(crate) async fn number(&self, sql: &str) -> i64 {
        let mut host = self.host().await;
        sqlx::query_scalar::<_, i64>(AssertSqlSafe(sql.to_owned())).fetch_one(&mut host).await.unwrap()
    }

    /// Waits until a query gives such a number.
    pub(crate) async fn until(&self, sql: &str, such: impl Fn(i64) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let found = self.number(sql).await;
            if such(found) {
                return;
            }
            assert!(Instant::now() < deadline, "{found} after 30 seconds: {sql}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until no connection that has the schema's name as its application's is in a transaction.
    pub(crate) async fn until_idle(&self) {
        let of = format!("FROM pg_stat_activity WHERE application_name = '{}'", self.schema);
        self.until(&format!("SELECT count(*) {of} AND (state <> 'idle' OR xact_start IS NOT NULL)"), |busy| busy == 0)
            .await;
        assert!(self.number(&format!("SELECT count(*) {of}")).await > 0, "the store has no connection");
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let schema = self.schema.clone();
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                if let Ok(mut connection) = PgConnection::connect(&url()).await {
                    let sql = format!("SET lock_timeout = '10s'; DROP SCHEMA IF EXISTS {schema} CASCADE");
                    let _ = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await;
                }
            });
        });
        let _ = dropped.join();
    }
}

pub(crate) async fn execute(connection: &mut PgConnection, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(connection).await.unwrap();
}

/// An organization in a store, and what is needed to decide something in it.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) scope: Scope,
    pub(crate) context: Context,
}

impl World {
    pub(crate) async fn new(store: &dyn Store, key: i64) -> Self {
        let environment = Arc::new(TestEnvironment::new(u32::try_from(key).unwrap()));
        let organization = Organization {
            key,
            ..Organization::new(
                format!("org-{key}").parse().unwrap(),
                "Test".parse().unwrap(),
                Currency::USD,
                Zone::UTC,
            )
        };
        let mut context = Context::new(environment, Actor::System, Role::Owner, Arc::new(organization.clone()));
        let mut changes = ChangeSet::new(context.stamp("test"));
        changes.insert(&mut context, organization);
        let scope = Scope::for_tests(key);
        store.apply(scope, changes).await.unwrap();
        Self { scope, context }
    }

    pub(crate) fn changes(&mut self) -> ChangeSet {
        ChangeSet::new(self.context.stamp("test"))
    }

    pub(crate) fn one(&mut self, contact: Contact) -> (ChangeSet, Stored<Contact>) {
        let mut changes = self.changes();
        let stored = changes.insert(&mut self.context, contact);
        (changes, stored)
    }

    pub(crate) async fn contact(&mut self, store: &dyn Store, name: &str) -> Stored<Contact> {
        let (changes, stored) = self.one(contact(name));
        store.apply(self.scope, changes).await.unwrap();
        stored
    }
}

pub(crate) fn contact(name: &str) -> Contact {
    Contact {
        kind: ContactKind::Person,
        given_name: Some(name.parse().unwrap()),
        family_name: None,
        company_name: None,
        company_id: None,
        email: None,
        phone: None,
        phone_raw: None,
        address_line: None,
        city: None,
        region: None,
        postal_code: None,
        country: None,
        tax_scheme: None,
        tax_number: None,
        account_number: None,
        stratum: None,
        payment_days: None,
        code: None,
        external_id: None,
        instagram: None,
        owner_id: None,
        source: None,
        notes: None,
        custom: None,
        email_claim: None,
        phone_claim: None,
        erased_at: None,
    }
}

/// How many contacts an organization has.
pub(crate) async fn contacts(store: &dyn Store, scope: Scope) -> i64 {
    let query = Aggregate::new(Contact::TABLE, Expr::True).measure(Measure::Count);
    store.aggregate(scope, &[query]).await.unwrap()[0][0][0].as_int().unwrap()
}
