//! `crm audit`: what was done, by whom, and whether it is as it was written.

use std::collections::HashMap;

use clap::{Arg, ArgMatches, Command};
use crm_core::access::{ApiKey, User};
use crm_core::audit::{AuditEntry, Finding, Head, verify};
use crm_core::entity::{Entity as _, Stored};
use crm_core::store::{Direction, Filter, Page, Query, Select, StoreExt as _};
use crm_core::{CrmError, Session};
use serde::Serialize;
use uuid::Uuid;

use super::verb;
use crate::acting::How;
use crate::args::{self, flag, given, group, option, text};
use crate::error::{Done, Failure};
use crate::open::App;
use crate::output::{self, Format, List, Record, View};
use crate::records;

const EXAMPLE: &str = "crm audit verify --head 17:5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9";

pub(super) fn command() -> Command {
    let group = group("audit", "Tells what was done, by whom, and whether the records are as they were written")
        .subcommand(args::listing(Command::new("list").about("Lists the changes, the latest first"), AuditEntry::TABLE))
        .subcommand(
            Command::new("show")
                .about("Shows one change")
                .arg(Arg::new("ref").value_name("SEQ").required(true).help("The entry's sequence number or id")),
        )
        .subcommand(
            Command::new("verify")
                .about("Checks the chain of entries, and every record against its last entry")
                .long_about(
                    "Checks the chain of entries, and every record against its last entry.\n\n\
                     It prints the head of the chain, with `-o id` alone; kept elsewhere and given with --head, it proves \
                     later that nothing before it was cut off or rewritten. The exit code is 1 when something is found.\n\n\
                     Not checked is what is not audited: logins, the use of quotas, the log of API keys' requests, results \
                     kept for idempotency keys; nor indexes and triggers of the database itself.",
                )
                .arg(flag(
                    "users",
                    "Checks the users as well, who stand above organizations: it reads every organization of the book",
                ))
                .arg(flag("books", "Checks the books as well: every sum of invoices, payments and credit notes"))
                .arg(option("head", "SEQ:HASH", "A head that was printed before; the chain must go through it")),
        );
    args::examples(group, &[("verify", EXAMPLE)])
}

pub(super) async fn run(app: &App, args: &ArgMatches) -> Done {
    let (verb, args) = verb(args)?;
    let session = app.session().await?;
    match verb {
        "list" => list(app, &session, args).await,
        "show" => show(app, &session, args).await,
        _ => check(app, &session, args).await,
    }
}

fn record(entry: &Stored<AuditEntry>) -> Record {
    Record { row: entry.to_row(), title: entry.seq.map_or_else(|| entry.id.to_string(), |seq| seq.to_string()) }
}

/// The names of the members and keys that acted.
async fn actors(session: &Session<'_>, entries: &[Stored<AuditEntry>]) -> Result<HashMap<Uuid, String>, Failure> {
    let mut ids: Vec<Uuid> = entries.iter().filter_map(|entry| entry.actor_id).collect();
    ids.sort_unstable();
    ids.dedup();
    let names: Vec<_> = ids.into_iter().flat_map(|id| [(User::TABLE, id), (ApiKey::TABLE, id)]).collect();
    records::labels(session, &names).await
}

async fn list(app: &App, session: &Session<'_>, args: &ArgMatches) -> Done {
    session.authorize(AuditEntry::TABLE.entity, "read").await?;
    let mut query: Query<AuditEntry> = records::query(session, args, Filter::all()).await?;
    if text(args, "sort").is_none() {
        query = query.order(0, Direction::Descending);
    }
    let usual = ["seq", "at", "actor_id", "command", "entity", "action", "record_id"];
    let mut view = records::view(app, AuditEntry::TABLE, &usual, args)?;
    let all = given(args, "all") && app.out.format != Format::Table;
    let mut next = None;
    let mut first = true;
    let mut gathered = String::new();
    while first || (all && next.is_some()) {
        let page: Page<AuditEntry> = {
            let mut query = query.clone();
            if !first {
                query = query.after(next.take());
            }
            let select = query.to_select().map_err(|reason| CrmError::invalid("after", reason))?;
            session.store().page(session.scope(), &select).await?
        };
        if app.out.format == Format::Table {
            view.labels = actors(session, &page.items).await?;
        }
        let records: Vec<Record> = page.items.iter().map(record).collect();
        if all && app.out.format == Format::Json {
            let lines: Vec<String> = records.iter().map(|record| view.json(record, &[], None)).collect();
            if !gathered.is_empty() && !lines.is_empty() {
                gathered.push_str(",\n");
            }
            gathered.push_str(&lines.join(",\n"));
        } else {
            let mut list = List::new(app.out, &view);
            list.page(&records)?;
            list.end()?;
        }
        next = page.next;
        first = false;
    }
    if all && app.out.format == Format::Json {
        app.out.data(&if gathered.is_empty() { "[]\n".to_owned() } else { format!("[\n{gathered}\n]\n") })?;
    }
    records::note_next(app, next.as_ref());
    Ok(())
}

async fn show(app: &App, session: &Session<'_>, args: &ArgMatches) -> Done {
    session.authorize(AuditEntry::TABLE.entity, "read").await?;
    let reference = records::reference(args);
    let filter = match (reference.parse::<i64>(), reference.parse()) {
        (Ok(seq), _) => AuditEntry::COLUMNS.seq.eq(&Some(seq)),
        (_, Ok(id)) => AuditEntry::COLUMNS.id.eq(&id),
        _ => return Err(Failure::usage(format!("{reference} is no sequence number and no id"))),
    };
    let found =
        session.store().first::<AuditEntry>(session.scope(), Select::new(AuditEntry::TABLE, filter.into())).await?;
    let missing = || CrmError::NotFound { entity: AuditEntry::TABLE.entity, reference: reference.to_owned() };
    let entry = found.ok_or_else(missing)?;
    let mut view = View::full(AuditEntry::TABLE);
    if app.out.format == Format::Table {
        view.labels = actors(session, std::slice::from_ref(&entry)).await?;
    }
    output::one(app.out, &view, &record(&entry), &[], "")
}

/// A verification for machines.
#[derive(Serialize)]
struct Checked {
    ok: bool,
    head: String,
    entries: u64,
    unsealed: u64,
    records: u64,
    problems: u64,
    purge_due: bool,
    findings: Vec<Problem>,
}

#[derive(Serialize)]
struct Problem {
    entity: &'static str,
    id: Option<String>,
    seq: Option<i64>,
    #[serde(rename = "problem")]
    what: String,
}

async fn check(app: &App, session: &Session<'_>, args: &ArgMatches) -> Done {
    session.authorize(AuditEntry::TABLE.entity, "verify").await?;
    let head: Option<Head> = args::value(args, "head")?;
    let found = verify(session.store(), session.scope(), head.as_ref()).await?;
    let problem = |finding: &Finding| Problem {
        entity: finding.entity,
        id: finding.id.map(|id| id.to_string()),
        seq: finding.seq,
        what: finding.problem.clone(),
    };
    let mut findings: Vec<Problem> = found.findings.iter().map(problem).collect();
    let mut problems = found.problems;
    if given(args, "users") {
        if !matches!(app.acting().await?.how, How::Named(_)) {
            let message = "Users stand above organizations: a key or a login to one does not verify them.";
            return Err(Failure::nobody(message, "Whoever holds the book does, with --as EMAIL"));
        }
        let users = app.database(false).await?.crm(app.clock).verify_users().await?;
        problems += users.problems;
        findings.extend(users.findings.iter().map(problem));
    }
    if given(args, "books") {
        for finding in session.verify_books().await? {
            problems += 1;
            let id = Some(finding.id.to_string());
            findings.push(Problem { entity: finding.entity, id, seq: None, what: finding.problem });
        }
    }
    let checked = Checked {
        ok: problems == 0,
        head: found.head.to_string(),
        entries: found.entries,
        unsealed: found.unsealed,
        records: found.records,
        problems,
        purge_due: session.is_purge_due().await?,
        findings,
    };
    app.out.data(&match app.out.format {
        Format::Json => format!("{}\n", output::pretty(&checked)?),
        Format::Ndjson => format!("{}\n", output::json(&checked)?),
        Format::Id => format!("{}\n", checked.head),
        Format::Csv => {
            let mut csv = app.out.csv(["entity", "id", "seq", "problem"])?;
            for problem in &checked.findings {
                let (id, seq) = (problem.id.clone().unwrap_or_default(), problem.seq.map(|seq| seq.to_string()));
                csv.row([problem.entity, &id, seq.as_deref().unwrap_or_default(), &problem.what])?;
            }
            csv.take()?
        }
        Format::Table => output::Out::fields(&[
            ("Entries", checked.entries.to_string()),
            ("Not sealed yet", checked.unsealed.to_string()),
            ("Records", checked.records.to_string()),
            ("Problems", checked.problems.to_string()),
            ("Head", checked.head.clone()),
        ]),
    })?;
    if checked.purge_due {
        app.out.warn("An erasure was not followed by its purge: the files may still hold what was erased. Run `crm privacy purge`.");
    }
    if checked.ok {
        return Ok(());
    }
    for problem in &checked.findings {
        let place = match (problem.seq, &problem.id) {
            (Some(seq), _) => format!(" {seq}"),
            (None, Some(id)) => format!(" {id}"),
            (None, None) => String::new(),
        };
        app.out.problem(&format!("{}{place}: {}.", problem.entity, problem.what));
    }
    Err(Failure::failed(format!("The audit has {} problems", checked.problems))
        .hint("Compare with a backup: the data was changed without this program, or is damaged"))
}
