//! `crm case`: petitions, complaints and claims, with due dates that explain themselves.

use std::io::{IsTerminal as _, Read as _};

use clap::{Arg, ArgMatches, Command};
use crm_core::activity::{Interaction, InteractionKind};
use crm_core::entity::{Entity as _, Stored};
use crm_core::service::{
    AnswerCase, AppealCase, AssignCase, Case, CaseEvent, CloseCase, CompleteCase, ExtendBy, ExtendCase, NotifyCase,
    OpenCase, PauseCase, Recomputed, ReopenCase, TransferCase,
};
use crm_core::store::{LARGEST_PAGE, Query};
use crm_core::value::{Date, Notes, ValueError};
use crm_core::{Create, Edit, Id, Session};

use super::import::unreadable;
use super::verb;
use crate::args::{self, examples, flag, given, group, option, text};
use crate::error::{Done, Failure};
use crate::nouns::Noun as _;
use crate::open::App;
use crate::output::{self, Format, Record, View};
use crate::records::{self, record};

pub(super) fn command() -> Command {
    let on =
        |name: &'static str, about: &'static str| Command::new(name).about(about).arg(records::reference_arg::<Case>());
    let said = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).value_name(value).required(true).help(help)
    };
    let history = args::listing(on("history", "Lists the events of a case, the first one first"), CaseEvent::TABLE);
    let member = Arg::new("member").value_name("EMAIL").required_unless_present("nobody").help("To whom");
    let open = Command::new("open").about("Opens a case: it gets its number, its rule and its due date");
    let open = args::settable(open, Case::TABLE)
        .arg(option("assignee", "EMAIL", "The member who works on it from the beginning"))
        .arg(args::idempotency());
    let edit = on("edit", "Changes a case that is not closed; an empty value clears a field");
    let edit = args::settable_but(edit, Case::TABLE, "topic").mut_arg("received_at", |arg| arg.hide(true));
    let group = group("case", "Works on cases: petitions, complaints and claims with explained due dates")
        .subcommand(open)
        .subcommand(records::list_command::<Case>())
        .subcommand(on("show", "Shows a case with its events"))
        .subcommand(edit)
        .subcommand(
            on("assign", "Gives a case to a member, or to nobody")
                .arg(member)
                .arg(flag("nobody", "Nobody works on it").conflicts_with("member")),
        )
        .subcommand(on("transfer", "Passes a case on to another office; its due date stays").arg(said(
            "text",
            "OFFICE",
            "To which office, and why",
        )))
        .subcommand(on("note", "Writes a note about a case").arg(said(
            "text",
            "NOTE",
            "The note, in 5 to 10,000 characters",
        )))
        .subcommand(on("pause", "Tells the contact that something is missing: the clock stops").arg(said(
            "text",
            "MISSING",
            "What is missing",
        )))
        .subcommand(
            on("complete", "Says that what was missing came in: the clock goes on")
                .arg(Arg::new("text").value_name("TEXT").help("What came in")),
        )
        .subcommand(
            on("extend", "Gives a case more time: until its due date, within its rule, with a reason")
                .arg(
                    option("days", "N", "By so many days of its rule")
                        .value_parser(clap::value_parser!(u32))
                        .required_unless_present("to"),
                )
                .arg(option("to", "DATE", "To this day").conflicts_with("days"))
                .arg(option("reason", "TEXT", "Why").required(true)),
        )
        .subcommand(
            on("answer", "Answers a case, or answers it further")
                .arg(Arg::new("text").value_name("TEXT").required_unless_present("file").help("The answer"))
                .arg(
                    option("file", "FILE", "Takes the answer from a file; - is standard input")
                        .value_hint(clap::ValueHint::FilePath)
                        .conflicts_with("text"),
                ),
        )
        .subcommand(on("notify", "Says that the contact was told of the answer").arg(said(
            "text",
            "PROOF",
            "How that is proved: a receipt, a guide number, a message's id",
        )))
        .subcommand(
            on("reopen", "Opens a case again that was answered or closed; its due date stands")
                .arg(said("text", "REASON", "Why")),
        )
        .subcommand(on("appeal", "Opens a case again because the contact appeals: a new term begins").arg(said(
            "text",
            "GROUNDS",
            "What the contact says",
        )))
        .subcommand(on("close", "Closes a case").arg(option("reason", "TEXT", "Why; required if it has no answer")))
        .subcommand(on("explain", "Tells why a case is due when it is, day by day"))
        .subcommand(history)
        .subcommand(
            Command::new("recompute")
                .about("Shows which open cases are due on another day by the calendar as it is now, or by a rule that they lacked")
                .arg(flag("apply", "Gives them that day, all or none; the other cases take the calendar as it is now as well")),
        );
    examples(group, EXAMPLES)
}

const EXAMPLES: &[(&str, &str)] = &[
    (
        "open",
        "crm case open --kind claim --topic utilities --channel web --contact eva@example.com --subject 'The bill of \
         March' --description 'It counts water that I did not use.'",
    ),
    ("list", "crm case list --where 'open and due_on <= 2026-06-19' --sort due_on"),
    ("show", "crm case show PQR-20260615-0001"),
    ("edit", "crm case edit PQR-20260615-0001 --priority high"),
    ("assign", "crm case assign PQR-20260615-0001 luis@example.com"),
    ("transfer", "crm case transfer PQR-20260615-0001 'Public Works: the street is theirs'"),
    ("note", "crm case note PQR-20260615-0001 'She called again'"),
    ("pause", "crm case pause PQR-20260615-0001 'A photo of the meter'"),
    ("complete", "crm case complete PQR-20260615-0001 'The photo came by e-mail'"),
    ("extend", "crm case extend PQR-20260615-0001 --days 5 --reason 'The laboratory needs longer'"),
    ("answer", "crm case answer PQR-20260615-0001 'The bill is corrected.'"),
    ("notify", "crm case notify PQR-20260615-0001 'Guide 700123'"),
    ("reopen", "crm case reopen PQR-20260615-0001 'The wrong bill was corrected'"),
    ("appeal", "crm case appeal PQR-20260615-0001 'April is wrong too'"),
    ("close", "crm case close PQR-20260615-0001"),
    ("explain", "crm case explain PQR-20260615-0001"),
    ("history", "crm case history PQR-20260615-0001 -o csv"),
    ("recompute", "crm case recompute --apply"),
];

pub(super) async fn run(app: &App, args: &ArgMatches) -> Done {
    let (verb, args) = verb(args)?;
    if matches!(verb, "list" | "edit") {
        return records::run::<Case>(app, verb, args).await;
    }
    let session = app.session().await?;
    match verb {
        "open" => return open(app, &session, args).await,
        "recompute" => return recomputed(app, &session.recompute_cases(given(args, "apply")).await?),
        _ => {}
    }
    let case = records::find::<Case>(&session, records::reference(args)).await?;
    let id = case.id;
    let said = |name| args::required::<Notes<10000>>(args, name);
    match verb {
        "assign" => {
            let assignee = member(&session, text(args, "member")).await?;
            records::change(app, &session, &case, &AssignCase { id, assignee }, "Assigned").await
        }
        "transfer" => {
            // Passed on twice, it stands as it did, and yet something happened.
            let after = session.run(&TransferCase { id, to: said("text")? }).await?;
            records::written(app, &session, &after, "Transferred").await
        }
        "note" => note(app, &session, &case, said("text")?).await,
        "pause" => {
            let command = PauseCase { id, missing: said("text")? };
            records::change(app, &session, &case, &command, "Paused").await
        }
        "complete" => {
            let command = CompleteCase { id, text: args::value(args, "text")? };
            dated(app, &session, &session.run(&command).await?, "Completed").await
        }
        "extend" => {
            let command = ExtendCase { id, by: by(args)?, reason: said("reason")? };
            dated(app, &session, &session.run(&command).await?, "Extended").await
        }
        "answer" => {
            let after = session.run(&AnswerCase { id, text: answer(args)? }).await?;
            records::written(app, &session, &after, "Answered").await
        }
        "notify" => {
            let after = session.run(&NotifyCase { id, proof: said("text")? }).await?;
            records::written(app, &session, &after, "Notified the contact of").await
        }
        "reopen" => {
            let command = ReopenCase { id, reason: said("text")? };
            records::change(app, &session, &case, &command, "Reopened").await
        }
        "appeal" => {
            let command = AppealCase { id, grounds: said("text")? };
            records::change(app, &session, &case, &command, "Opened the appeal of").await
        }
        "close" => {
            let command = CloseCase { id, reason: args::value(args, "reason")? };
            records::change(app, &session, &case, &command, "Closed").await
        }
        "explain" => explain(app, &session, &case).await,
        "history" => {
            let columns = CaseEvent::COLUMNS;
            let query = records::query(&session, args, columns.case_id.eq(&id)).await?;
            let query = if text(args, "sort").is_none() { query.ascending(columns.at) } else { query };
            records::pages(app, &session, query, args).await
        }
        _ => show(app, &session, &case).await,
    }
}

async fn open(app: &App, session: &Session<'_>, args: &ArgMatches) -> Done {
    let assignee = member(session, text(args, "assignee")).await?;
    let command = OpenCase { edit: records::edit_of(session, args).await?, assignee };
    let opened = session.run_with_key(&command, args::idempotency_of(args)?.as_ref()).await?;
    dated(app, session, &opened, "Opened").await
}

/// Tells when a case is due, or why it is not, and shows it.
async fn dated(app: &App, session: &Session<'_>, case: &Stored<Case>, done: &str) -> Done {
    let label = case.label();
    if let Some(due_on) = case.due_on {
        app.out.note(&format!("{done} case {label}; it is due on {due_on}."));
    } else {
        let built_in = match session.calendar().await.ok().and_then(|calendar| calendar.base) {
            Some(country) => format!("and none is built in for {country}"),
            None => "and its calendar names no country whose rules are built in".to_owned(),
        };
        app.out.note(&format!(
            "{done} case {label}. It has no due date: the organization has no deadline rule for the topic {}, \
             {built_in}. Add one with `crm deadline-rule add`; `crm case recompute --apply` gives it to the case.",
            case.topic
        ));
    }
    records::print(app, session, case, &[], "").await
}

/// The member with this address, if one is given.
async fn member(session: &Session<'_>, email: Option<&str>) -> Result<Option<Id<crm_core::access::User>>, Failure> {
    Ok(match email {
        Some(email) => Some(Id::new(records::resolve(session, "user", email).await?)),
        None => None,
    })
}

fn by(args: &ArgMatches) -> Result<ExtendBy, Failure> {
    let to: Option<Date> = args::date(args, "to")?;
    let days = || args.get_one::<u32>("days").copied().unwrap_or_default();
    Ok(to.map_or_else(|| ExtendBy::Days(days()), ExtendBy::To))
}

/// The answer as it was given: on the command line, in a file, or on standard input.
fn answer(args: &ArgMatches) -> Result<Notes<10000>, Failure> {
    let Some(path) = text(args, "file") else { return args::required(args, "text") };
    let mut said = String::new();
    if path == "-" {
        if std::io::stdin().is_terminal() {
            return Err(Failure::usage("Nothing is piped into standard input").hint("Give a file, or pipe one in"));
        }
        std::io::stdin().read_to_string(&mut said)?;
    } else {
        said = std::fs::read_to_string(path).map_err(|error| unreadable(path, &error))?;
    }
    said.parse().map_err(|reason: ValueError| Failure::invalid("file", &reason))
}

/// A note is an interaction: it stands in the timeline of the case.
async fn note(app: &App, session: &Session<'_>, case: &Stored<Case>, notes: Notes<10000>) -> Done {
    let columns = Interaction::COLUMNS;
    let edit =
        Edit::new().set(columns.kind, InteractionKind::Note).set(columns.notes, notes).about(Some(case.id.into()));
    let noted = session.run(&Create(edit)).await?;
    app.out.note(&format!("Wrote a note about case {}.", case.label()));
    records::print(app, session, &noted, &[], "").await
}

/// Shows a case with its events.
async fn show(app: &App, session: &Session<'_>, case: &Stored<Case>) -> Done {
    let columns = CaseEvent::COLUMNS;
    let events = Query::new(columns.case_id.eq(&case.id)).ascending(columns.at).limit(LARGEST_PAGE);
    let events: Vec<Record> = session.list(&events).await?.items.iter().map(record).collect();
    if app.out.format == Format::Table {
        let mut view = View::of(CaseEvent::TABLE, CaseEvent::LIST.iter().copied())?;
        view.labels = records::labels(session, &view.references(&events)).await?;
        let more = format!("\n{}", view.draw(app.out, &events));
        return records::print(app, session, case, &[], &more).await;
    }
    let view = View::full(CaseEvent::TABLE);
    let events: Vec<String> = events.iter().map(|event| view.json(event, &[], None)).collect();
    records::print(app, session, case, &[("events", format!("[{}]", events.join(",")))], "").await
}

/// Tells why a case is due when it is. In CSV, every day of the count.
async fn explain(app: &App, session: &Session<'_>, case: &Stored<Case>) -> Done {
    let explanation = session.explain_case(case.id).await?;
    let text = match app.out.format {
        Format::Table => format!("Case {}\n{explanation}\n", case.label()),
        Format::Json => format!("{}\n", output::pretty(&explanation)?),
        Format::Ndjson => format!("{}\n", output::json(&explanation)?),
        Format::Id => format!("{}\n", case.id),
        Format::Csv => {
            let counted = explanation.counted.iter().map(|day| (day.date, day.n.to_string(), String::new()));
            let skipped = explanation.skipped.iter().map(|day| (day.date, String::new(), day.reason.to_string()));
            let mut days: Vec<(Date, String, String)> = counted.chain(skipped).collect();
            days.sort_by_key(|(date, ..)| *date);
            let mut csv = app.out.csv(["date", "n", "skipped"])?;
            for (date, n, skipped) in days {
                csv.row([date.to_string().as_str(), &n, &skipped])?;
            }
            csv.take()?
        }
    };
    app.out.data(&text)
}

const HEADER: [&str; 5] = ["number", "calendar_version", "paused_since", "from_due_on", "to_due_on"];

/// Tells which cases are due on another day.
fn recomputed(app: &App, report: &Recomputed) -> Done {
    match app.out.format {
        Format::Json => return app.out.data(&format!("{}\n", output::pretty(report)?)),
        Format::Ndjson => return app.out.data(&format!("{}\n", output::json(report)?)),
        _ => {}
    }
    let waiting = report.moved.iter().filter(|case| case.from_due_on == case.to_due_on).count();
    let mut done = match (report.moved.len().saturating_sub(waiting), report.applied) {
        (0, _) => "no due date changes".to_owned(),
        (moved, true) => format!("{moved} got another due date"),
        (moved, false) => format!("{moved} would get another due date"),
    };
    if waiting > 0 {
        let paused = format!(", {waiting} paused: the date follows the completion");
        done.push_str(&paused);
    }
    if report.cases > 0 && !report.applied {
        done.push_str("; --apply writes it");
    }
    let rest = if report.cases == 1 { "case rests" } else { "cases rest" };
    let (all, version) = (report.cases, &report.calendar_version);
    app.out.note(&format!("{all} open {rest} on an earlier calendar than {version} or on no rule: {done}."));
    let day = |day: Option<Date>| day.map_or_else(String::new, |day| day.to_string());
    output::items(app.out, &report.moved, &HEADER, &[], |case| {
        let number = case.number.as_ref().map_or_else(|| case.case_id.to_string(), ToString::to_string);
        let [paused, from, to] = [case.paused_since, case.from_due_on, case.to_due_on].map(day);
        vec![number, case.calendar_version.to_string(), paused, from, to]
    })
}
