//! `crm doctor`: whether everything is as it should be.

use clap::Command;
use crm_core::access::Organization;
use crm_core::schema;
use crm_core::store::Store as _;
use crm_store_postgres::without_password;
use serde::Serialize;

use crate::config::KEYS;
use crate::error::{Done, Failure};
use crate::logins::Logins;
use crate::open::{App, Database};
use crate::output::{self, Format};

pub(super) fn command() -> Command {
    Command::new("doctor").about("Checks the program, its settings and the database; fails when something is found")
}

/// One thing that was looked at.
#[derive(Serialize)]
struct Check {
    #[serde(rename = "check")]
    name: String,
    ok: bool,
    value: String,
}

pub(super) async fn run(app: &App) -> Done {
    let mut checks = Vec::new();
    let mut add = |check: &str, ok: bool, value: String| checks.push(Check { name: check.to_owned(), ok, value });
    add("version", true, format!("crm {}", env!("CARGO_PKG_VERSION")));
    add("sqlite", true, rusqlite::version().to_owned());
    for key in KEYS {
        let value = app.settings.get(key.name).map_or_else(|| "not set".to_owned(), without_password);
        add(key.name, true, format!("{value} ({})", app.origin(key.name)));
    }
    match Logins::load() {
        Ok(logins) => add("logins", true, logins.count().to_string()),
        Err(failure) => add("logins", false, failure.message),
    }
    match app.database(false).await {
        Err(failure) => add("opens", false, failure.message),
        Ok(database) => {
            add("opens", true, "yes".to_owned());
            let (version, problems) = match &database {
                Database::Sqlite(store) => (store.schema_version().await, store.integrity_check().await),
                Database::Postgres(store) => (store.schema_version().await, Ok(Vec::new())),
            };
            match version {
                Ok(version) => add(
                    "schema",
                    version == schema::VERSION,
                    format!("{version}, this program knows {}", schema::VERSION),
                ),
                Err(error) => add("schema", false, error.to_string()),
            }
            match problems {
                Ok(problems) if problems.is_empty() => add("integrity", true, "whole".to_owned()),
                Ok(problems) => problems.into_iter().for_each(|problem| add("integrity", false, problem)),
                Err(error) => add("integrity", false, error.to_string()),
            }
            match &database {
                Database::Sqlite(store) => match store.is_purge_due().await {
                    Ok(false) => add("erased", true, "nothing left in the file".to_owned()),
                    Ok(true) => add("erased", false, "still in the file until `crm privacy purge` is run".to_owned()),
                    Err(error) => add("erased", false, error.to_string()),
                },
                Database::Postgres(store) if store.is_fenced() => {
                    add("row security", true, "holds this role to one organization at a time".to_owned());
                }
                Database::Postgres(_) => add(
                    "row security",
                    true,
                    "does not hold this role: a superuser, one that bypasses it, or tables without it; see `crm init --help`".to_owned(),
                ),
            }
            match app.acting().await {
                Ok(acting) => {
                    let (email, slug) = (&acting.session.user().email, acting.session.organization().slug.clone());
                    add("acts", true, format!("{email} in {slug}"));
                }
                Err(failure) => add("acts", !app.is_somebody_named(), failure.message),
            }
            let crm = database.crm(app.clock);
            let organizations = crm.organizations().await?;
            add("organizations", true, organizations.len().to_string());
            if let Some(slug) = app.settings.get("org") {
                match organizations.iter().find(|organization| organization.slug.as_str() == slug) {
                    Some(organization) => add("today", true, today(app, organization)),
                    None => add("today", false, format!("there is no organization {slug}")),
                }
            }
        }
    }
    let found = checks.iter().filter(|check| !check.ok).count();
    match app.out.format {
        Format::Table => {
            let fields: Vec<(&str, String)> = checks
                .iter()
                .map(|check| (check.name.as_str(), format!("{}{}", if check.ok { "" } else { "WRONG: " }, check.value)))
                .collect();
            app.out.data(&output::Out::fields(&fields))?;
        }
        _ => output::items(app.out, &checks, &["check", "ok", "value"], &[], |check| {
            vec![check.name.clone(), check.ok.to_string(), check.value.clone()]
        })?,
    }
    match found {
        0 => Ok(()),
        1 => Err(Failure::failed("One check found something wrong")),
        many => Err(Failure::failed(format!("{many} checks found something wrong"))),
    }
}

/// The day and the zone in which it is told.
fn today(app: &App, organization: &Organization) -> String {
    let now = crm_core::Environment::now(&app.clock);
    let zone = organization.time_zone;
    format!("{} in {}", zone.date_at(now), zone.name())
}
