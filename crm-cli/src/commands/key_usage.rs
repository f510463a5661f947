//! What API keys did and may still do, verbs of `crm key`: usage, quotas and the log of requests.

use clap::{Arg, ArgMatches, Command};
use crm_core::access::{ApiKey, ApiRequest, KeyUsageLine, SetQuota};
use crm_core::entity::{Entity as _, Stored};
use crm_core::{Id, Session};

use crm_core::store::{Direction, Filter};
use crm_core::value::{Date, Instant, ValueError, Zone};
use serde::Serialize;

use super::key;
use crate::args::{self, option, text};
use crate::error::{Done, Failure};
use crate::open::App;
use crate::{output, records};

pub(super) fn commands() -> Vec<Command> {
    let of = || key::argument().required(false);
    vec![
        Command::new("usage")
            .about("Tells how often keys did what they have a quota for; today in UTC unless it is said otherwise")
            .long_about(
                "Tells how often keys did what they have a quota for; today in UTC unless it is said otherwise.\n\n\
                 For today there is a line for every quota of every key that works, used or not; for other days, for what \
                 was used. What has no quota is not counted. A quota begins anew at midnight UTC.",
            )
            .arg(of())
            .arg(option("from", "DATE", "The first day, in UTC [default: today, or --to]"))
            .arg(option("to", "DATE", "The last day, in UTC [default: today]")),
        Command::new("quota")
            .about("Sets how often a key may do something in one UTC day")
            .arg(key::argument().required(true))
            .arg(
                Arg::new("operation")
                    .value_name("OPERATION")
                    .required(true)
                    .help("What, as contact.create; see `crm key scopes`"),
            )
            .arg(Arg::new("per_day").value_name("N").required(true).help("How often, or `none` for without limit")),
        args::listing(Command::new("log"), ApiRequest::TABLE)
            .about("Lists what keys asked for and what came of it, the latest first")
            .arg(of()),
    ]
}

pub(super) async fn run(app: &App, session: &Session<'_>, verb: &str, args: &ArgMatches) -> Done {
    match verb {
        "usage" => usage(app, session, args).await,
        "quota" => {
            let key = key::of(session, args).await?.id;
            let operation = text(args, "operation").unwrap_or_default().to_owned();
            let per_day = per_day(text(args, "per_day").unwrap_or_default())?;
            let may = per_day.map_or_else(|| "without limit".to_owned(), |number| format!("{number} times a day"));
            let changed = session.run(&SetQuota { key, operation: operation.clone(), per_day }).await?;
            app.out.note(&format!("The key {} may do {operation} {may}.", changed.alias));
            key::show(app, session, &changed).await
        }
        _ => log(app, session, args).await,
    }
}

/// How often in one day; none for without limit.
pub(super) fn per_day(text: &str) -> Result<Option<i64>, Failure> {
    let wrong = || Failure::invalid("quota", &ValueError::syntax("a number of times a day, or none", text));
    match text.trim() {
        "none" => Ok(None),
        number => number.parse().map(Some).map_err(|_| wrong()),
    }
}

/// How often a key did one thing in one day, with its present quota.
#[derive(Serialize)]
struct Line {
    day: Date,
    key: String,
    operation: String,
    used: i64,
    per_day: Option<i64>,
    resets_at: Instant,
    key_id: Id<ApiKey>,
}

async fn usage(app: &App, session: &Session<'_>, args: &ArgMatches) -> Done {
    let today = Zone::UTC.date_at(session.context().now());
    let to = args::date(args, "to")?;
    let from = args::date(args, "from")?.or(to).unwrap_or(today);
    let to = to.unwrap_or(today);
    let key = match text(args, "key") {
        Some(text) => Some(session.find::<ApiKey>(text).await?),
        None => None,
    };
    let used = session.key_usage(key.as_ref().map(|key| key.id), from, to).await?;
    let line = |used: KeyUsageLine| {
        let KeyUsageLine { day, key_id, alias, operation, used, per_day, resets_at } = used;
        Line { day, key: alias, operation, used, per_day, resets_at, key_id }
    };
    let lines: Vec<Line> = used.into_iter().map(line).collect();
    if lines.is_empty() {
        app.out.note(&nothing(key.as_ref(), from, to, today, session.context().now()));
    }
    let header = ["day", "key", "operation", "used", "per_day", "resets_at"];
    output::items(app.out, &lines, &header, &[3, 4], |line| {
        vec![
            line.day.to_string(),
            line.key.clone(),
            line.operation.clone(),
            line.used.to_string(),
            line.per_day.map(|number| number.to_string()).unwrap_or_default(),
            line.resets_at.to_string(),
        ]
    })
}

/// What it means that there is no line.
fn nothing(key: Option<&Stored<ApiKey>>, from: Date, to: Date, today: Date, now: Instant) -> String {
    let none = "Only what has a quota is counted (`crm key quota`)";
    match key {
        _ if !(from..=to).contains(&today) => format!("Nothing was counted from {from} to {to}. {none}."),
        Some(key) if !key.is_valid_at(now) => format!("The key {} does not work any more.", key.alias),
        Some(key) => format!("The key {} has no quota: it works without limit. {none}.", key.alias),
        None => format!("No key that works has a quota. {none}."),
    }
}

async fn log(app: &App, session: &Session<'_>, args: &ArgMatches) -> Done {
    let among = match text(args, "key") {
        Some(text) => ApiRequest::COLUMNS.key_id.eq(&session.find::<ApiKey>(text).await?.id),
        None => Filter::all(),
    };
    let mut query = records::query(session, args, among).await?;
    if text(args, "sort").is_none() {
        query = query.order(ApiRequest::COLUMNS.at.index(), Direction::Descending);
    }
    records::pages::<ApiRequest>(app, session, query, args).await
}
