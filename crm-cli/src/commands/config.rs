//! `crm config`: remembers defaults.

use clap::{Arg, ArgMatches, Command};
use crm_store_postgres::without_password;
use serde::Serialize;

use super::verb;
use crate::args::{flag, given, group, text};
use crate::config::{Config, KEYS, key};
use crate::error::{Done, Failure};
use crate::open::{App, warn_of_password};
use crate::output::Format;

pub(super) fn command() -> Command {
    let keys: Vec<String> = KEYS.iter().map(|key| format!("  {:<9} {} ({})", key.name, key.doc, key.env)).collect();
    let name = || Arg::new("key").value_name("KEY").required(true).help("The setting");
    group("config", "Remembers defaults of the global options")
        .after_help(format!("Settings:\n{}", keys.join("\n")))
        .subcommand(
            Command::new("set")
                .about("Remembers a setting")
                .arg(name())
                .arg(Arg::new("value").value_name("VALUE").required(true).help("Its value")),
        )
        .subcommand(Command::new("get").about("Prints the value in use").arg(name()))
        .subcommand(
            Command::new("list")
                .about("Lists the settings in use")
                .arg(flag("show_origin", "Tells where each one comes from")),
        )
        .subcommand(Command::new("unset").about("Forgets a setting").arg(name()))
}

/// A setting as it is listed.
#[derive(Serialize)]
struct Line {
    key: &'static str,
    value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<String>,
}

pub(super) fn run(app: &App, args: &ArgMatches) -> Done {
    let (verb, args) = verb(args)?;
    let name = text(args, "key").unwrap_or_default();
    match verb {
        "set" => change(app, name, text(args, "value")),
        "unset" => change(app, name, None),
        "get" => {
            let key = key(name)?;
            let value = app.settings.get(key.name);
            let value = value.ok_or_else(|| Failure::not_found(format!("The setting {} has no value", key.name)))?;
            app.out.data(&match app.out.format {
                Format::Json | Format::Ndjson => format!("{}\n", serde_json::Value::from(value)),
                _ => format!("{value}\n"),
            })
        }
        _ => list(app, given(args, "show_origin")),
    }
}

fn change(app: &App, name: &str, value: Option<&str>) -> Done {
    let mut config = Config::load(app.settings.config.path().to_owned())?;
    config.set(name, value)?;
    if let ("database", Some(address)) = (name, value) {
        warn_of_password(app.out, address);
    }
    config.save()?;
    let done = if value.is_some() { "Remembered" } else { "Forgot" };
    app.out.note(&format!("{done} {name} in {}.", config.path().display()));
    Ok(())
}

fn list(app: &App, origins: bool) -> Done {
    let lines: Vec<Line> = KEYS
        .iter()
        .map(|key| Line {
            key: key.name,
            value: app.settings.get(key.name).map(without_password),
            origin: origins.then(|| app.origin(key.name)),
        })
        .collect();
    let header: &[&str] = if origins { &["key", "value", "origin"] } else { &["key", "value"] };
    crate::output::items(app.out, &lines, header, &[], |line| {
        let mut cells = vec![line.key.to_owned(), line.value.clone().unwrap_or_default()];
        cells.extend(line.origin.clone());
        cells
    })
}
