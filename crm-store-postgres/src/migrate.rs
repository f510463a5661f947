//! Brings a database's schema to the version that this program knows.
//!
//! Each step is one transaction, under a lock that is taken first, after which the version is read again, so that any
//! number of processes may open one new database at once. A schema that is up to date costs one read.

use crm_core::schema;
use crm_core::store::StoreError;
use sha2::{Digest as _, Sha256};
use sqlx::PgConnection;
use sqlx::postgres::PgRow;

use crate::decode;
use crate::error::{Misuse, NotGranted, Phase, is_denied, is_undefined_table, mapped, refused};
use crate::execute::simple;
use crate::fence::Fence;
use crate::grant;
use crate::options::PostgresOptions;

/// One step.
struct Migration {
    version: i64,
    name: &'static str,
    sql: &'static str,
}

/// All steps, in order. They are only ever added to.
const MIGRATIONS: &[Migration] = &[
    Migration { version: 1, name: "initial", sql: include_str!("../migrations/0001_initial.sql") },
    Migration { version: 2, name: "sales", sql: include_str!("../migrations/0002_sales.sql") },
    Migration { version: 3, name: "billing", sql: include_str!("../migrations/0003_billing.sql") },
    Migration { version: 4, name: "cases", sql: include_str!("../migrations/0004_cases.sql") },
    Migration { version: 5, name: "access", sql: include_str!("../migrations/0005_access.sql") },
    Migration { version: 6, name: "row_security", sql: include_str!("../migrations/0006_row_security.sql") },
    Migration { version: 7, name: "privacy", sql: include_str!("../migrations/0007_privacy.sql") },
    Migration { version: 8, name: "closer_fence", sql: include_str!("../migrations/0008_closer_fence.sql") },
];

/// The newest version that this program knows.
pub(crate) const KNOWN: i64 = MIGRATIONS[MIGRATIONS.len() - 1].version;
const _: () = assert!(KNOWN == schema::VERSION, "every database has as many migrations as the schema has versions");

const TABLE: &str = "CREATE TABLE IF NOT EXISTS crm_migration (version BIGINT PRIMARY KEY, name TEXT NOT NULL, \
                     sha256 TEXT NOT NULL, applied_at TIMESTAMPTZ NOT NULL DEFAULT now())";
/// The schema of a name, if the role may not use it.
const HIDDEN: &str = "SELECT oid FROM pg_namespace WHERE NOT has_schema_privilege(oid, 'USAGE') AND nspname =";
/// Held by one process at a time in a database, whichever schema it migrates.
const LOCK: &str = "SELECT pg_advisory_lock(hashtextextended('crm_migrate', 0))";
const UNLOCK: &str = "SELECT pg_advisory_unlock(hashtextextended('crm_migrate', 0))";

/// Checks the schema's version and, if asked to, brings it up to date, making the named schema if need be, and tells
/// whether row-level security fences this connection's role. A failure leaves the lock with the connection, which must be closed.
pub(crate) async fn migrate(connection: &mut PgConnection, options: &PostgresOptions) -> Result<Fence, StoreError> {
    let Found { version: found, fence, owned } = find(connection).await?;
    if found == KNOWN {
        return Ok(fence);
    }
    // Names are not looked up in a schema that the role may not use.
    if found == 0
        && let Some(schema) = &options.schema
        && !run(connection, format!("{HIDDEN} '{schema}'")).await?.is_empty()
    {
        return Err(not_granted(connection).await?);
    }
    if !options.migrate || !owned || (found == 0 && !options.create) {
        return Err(StoreError::Schema { found, known: KNOWN });
    }
    run(connection, LOCK).await?;
    // A schema that is there needs no right to create one.
    if !has_schema(connection).await?
        && let Some(schema) = &options.schema
    {
        run(connection, format!("CREATE SCHEMA IF NOT EXISTS {schema}")).await?;
    }
    if !has_schema(connection).await? {
        return Err(refused(Misuse::NoSchema));
    }
    run(connection, TABLE).await?;
    // Another process may have been faster.
    let found = version(connection).await?;
    for Migration { version, name, sql } in MIGRATIONS.iter().filter(|migration| migration.version > found) {
        let hash = hash(sql);
        run(connection, "BEGIN").await?;
        run(connection, *sql).await?;
        // Nothing in it comes from outside this file.
        run(
            connection,
            format!("INSERT INTO crm_migration (version, name, sha256) VALUES ({version}, '{name}', '{hash}')"),
        )
        .await?;
        run(connection, "COMMIT").await?;
    }
    grant::renew(connection).await?;
    run(connection, UNLOCK).await?;
    Ok(find(connection).await?.fence)
}

/// Whether names are looked up in a schema that exists.
async fn has_schema(connection: &mut PgConnection) -> Result<bool, StoreError> {
    Ok(text(run(connection, "SELECT current_schema()").await?.first(), 0).is_some())
}

/// The error of a role that was not granted what it needs.
async fn not_granted(connection: &mut PgConnection) -> Result<StoreError, StoreError> {
    let role = text(run(connection, "SELECT current_user").await?.first(), 0).unwrap_or_default();
    Ok(StoreError::Backend(Box::new(NotGranted { role })))
}

async fn run(connection: &mut PgConnection, sql: impl Into<String>) -> Result<Vec<PgRow>, StoreError> {
    simple(connection, sql).await.map_err(|error| mapped(error, Phase::Open))
}

fn text(row: Option<&PgRow>, at: usize) -> Option<String> {
    decode::text(row?, at)
}

fn hash(sql: &str) -> String {
    use std::fmt::Write as _;
    Sha256::digest(sql).iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// What a look at the schema finds.
struct Found {
    /// Its version, 0 if there is none.
    version: i64,
    /// Whether its rows are fenced from the one who looks.
    fence: Fence,
    /// Whether the one who looks may change it.
    owned: bool,
}

const FIND: &str = "SELECT m.version, m.sha256, row_security_active(to_regclass('crm_contact')), \
                    pg_has_role(c.relowner, 'USAGE') FROM crm_migration m, pg_class c \
                    WHERE c.oid = to_regclass('crm_migration') ORDER BY m.version";

/// The schema's version, 0 if there is none; a newer one, or one that other texts have made, is refused.
pub(crate) async fn version(connection: &mut PgConnection) -> Result<i64, StoreError> {
    Ok(find(connection).await?.version)
}

async fn find(connection: &mut PgConnection) -> Result<Found, StoreError> {
    let mut found = Found { version: 0, fence: Fence::Absent, owned: true };
    let rows = match simple(connection, FIND).await {
        Ok(rows) => rows,
        Err(error) if is_undefined_table(&error) => return Ok(found),
        Err(error) if is_denied(&error) => return Err(not_granted(connection).await?),
        Err(error) => return Err(mapped(error, Phase::Open)),
    };
    for row in &rows {
        found.version = decode::text_number(row).ok_or_else(|| refused(Misuse::Answer))?;
        let Some(known) = MIGRATIONS.iter().find(|migration| migration.version == found.version) else {
            let newest = rows.last().and_then(decode::text_number).unwrap_or(found.version);
            return Err(StoreError::Schema { found: newest, known: KNOWN });
        };
        if text(Some(row), 1).as_deref() != Some(&hash(known.sql)) {
            return Err(StoreError::Corrupt {
                table: "crm_migration",
                column: "sha256",
                id: None,
                reason: format!("migration {} was made from another text", found.version),
            });
        }
        found.fence = Fence::of(row, 2);
        found.owned = text(Some(row), 3).as_deref() == Some("t");
    }
    Ok(found)
}
