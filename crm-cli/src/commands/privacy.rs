//! `crm privacy`: what is stored about a person, given out and erased.

use std::io::IsTerminal as _;
use std::path::Path;

use clap::{ArgMatches, Command, ValueHint};
use crm_core::people::Contact;
use crm_core::privacy::Erased;
use crm_core::{Id, Session};
use serde::Serialize;

use super::verb;
use crate::args::{self, examples, flag, given, group, option, text};
use crate::error::{Done, Failure};
use crate::open::{App, is_server};
use crate::output::{self, Format};
use crate::{private, records};

const EXAMPLES: &[(&str, &str)] = &[
    ("export", "crm privacy export eva@example.com --to eva.json"),
    ("erase", "crm privacy erase eva@example.com --yes"),
    ("purge", "crm privacy purge"),
    ("purge-requests", "crm privacy purge-requests --before 2026-01-01"),
];

pub(super) fn command() -> Command {
    let on = |name: &'static str, about: &'static str| {
        Command::new(name).about(about).arg(records::reference_arg::<Contact>())
    };
    let group = group("privacy", "Gives out, or erases, what is stored about a contact")
        .subcommand(
            on("export", "Writes all that is stored about a contact, as JSON")
                .long_about(
                    "Writes all that is stored about a contact, as JSON: the contact, every record about it, and what the \
                     audit tells of them. Passwords and keys are never in it.",
                )
                .arg(
                    option("to", "FILE", "Writes a file that only its owner may open, instead of standard output")
                        .value_hint(ValueHint::FilePath),
                ),
        )
        .subcommand(
            on("erase", "Erases a contact: for good, and everywhere")
                .long_about(
                    "Erases a contact: for good, and everywhere.\n\n\
                     What is personal goes out of the contact, of all records about it, of the audit and of the files; the \
                     contact stays, archived and without a name. Issued invoices, credit notes and payments are kept as \
                     the law requires. It is refused while invoices are to be paid, credit is not spent or cases are not \
                     closed. The audit still verifies afterwards.\n\n\
                     Invitations and logged requests of API keys are found by any e-mail address that the contact has or \
                     had, requests also by its full name where it stands alone, unless another contact has it now. What \
                     is asked later under the name is logged again: see purge-requests. A record that was moved to \
                     somebody else stays theirs, with its past. What is written about the contact in others' notes stays.\n\n\
                     It is refused, too, while an invitation to the contact stands that is not yours to withdraw.\n\n\
                     Exports, backups and, on PostgreSQL, the server's own files and log are out of its reach.",
                )
                .arg(flag("yes", "Does not ask; needed where nobody can be asked")),
        )
        .subcommand(
            Command::new("purge")
                .about("Leaves nothing in the files of what was erased; writes a SQLite file anew")
                .long_about(
                    "Leaves nothing in the files of what was erased; writes a SQLite file anew.\n\n\
                     PostgreSQL cleans its tables (VACUUM) of what nobody reads any more and uses their room again; what \
                     is in its files until then is its administrator's.\n\n\
                     What was only deleted is still told by the audit: `crm privacy erase ID` erases a deleted contact.\n\n\
                     An erasure does this itself, unless somebody was reading an older state of the book meanwhile or, on \
                     PostgreSQL, the tables belong to another role: then their owner runs it. A SQLite file notes an \
                     erasure until it is purged, also when the process ended in between: `crm audit verify` tells.",
                ),
        )
        .subcommand(
            Command::new("purge-requests")
                .about("Deletes the log of API keys' requests from before a day")
                .arg(option("before", "DATE", "The first day that is kept").required(true)),
        );
    examples(group, EXAMPLES)
}

pub(super) async fn run(app: &App, args: &ArgMatches) -> Done {
    let (verb, args) = verb(args)?;
    let session = app.session().await?;
    match verb {
        "export" => export(app, &session, args).await,
        "erase" => erase(app, &session, args).await,
        "purge" => {
            if session.purge().await? {
                app.out.note(if is_server(app.settings.database()) {
                    "The server has cleaned the tables; its files, log and backups are its administrator's."
                } else {
                    "Nothing of what was erased is left in the files."
                });
                return Ok(());
            }
            Err(still_there(app))
        }
        _ => {
            let before = args::date(args, "before")?;
            let before = before.ok_or_else(|| Failure::usage("No day was given").field("before"))?;
            let requests = session.purge_requests(before).await?;
            app.out.note(&format!("Deleted the requests from before {before}: {requests}."));
            output::items(app.out, &[Purged { requests }], &["requests"], &[0], |purged| {
                vec![purged.requests.to_string()]
            })
        }
    }
}

/// How many requests were deleted.
#[derive(Serialize)]
struct Purged {
    requests: u64,
}

/// Somebody has kept the store from cleaning its files, or the tables are another role's.
fn still_there(app: &App) -> Failure {
    if is_server(app.settings.database()) {
        return Failure::failed("The server's tables belong to another role, so that they still hold what was erased")
            .hint("Have the owner of the tables run `crm privacy purge`");
    }
    Failure::from(crm_core::CrmError::from(crm_core::store::StoreError::Unavailable(
        "somebody reads an older state of the book, so that its files still hold what was erased".into(),
    )))
    .hint("Run `crm privacy purge` once nobody else has the book open")
}

/// The contact that is named; by its id one that was deleted, too.
async fn contact_of(session: &Session<'_>, reference: &str) -> Result<Id<Contact>, Failure> {
    match reference.parse() {
        Ok(id) => Ok(id),
        Err(_) => Ok(records::find::<Contact>(session, reference).await?.id),
    }
}

async fn export(app: &App, session: &Session<'_>, args: &ArgMatches) -> Done {
    let contact = contact_of(session, records::reference(args)).await?;
    let export = session.export_contact(contact).await?;
    let text_of = format!("{}\n", output::pretty(&export)?);
    let Some(file) = text(args, "to") else { return app.out.data(&text_of) };
    private::write(Path::new(file), &text_of)?;
    app.out.note(&format!("Wrote {file}."));
    Ok(())
}

/// One line of what became of the records.
#[derive(Serialize)]
struct Line {
    entity: &'static str,
    outcome: &'static str,
    records: u64,
    reason: &'static str,
}

async fn erase(app: &App, session: &Session<'_>, args: &ArgMatches) -> Done {
    let reference = records::reference(args);
    let contact = contact_of(session, reference).await?;
    if !given(args, "yes") && !std::io::stdin().is_terminal() {
        return Err(Failure::usage("There is nobody to ask whether to erase for good").hint("Give --yes").field("yes"));
    }
    records::confirm(args, &format!("Erase {reference} for good?"))?;
    let done = session.erase_contact(contact).await?;
    if !done.purged {
        app.out.warn(if is_server(app.settings.database()) {
            "The server's tables still hold what was erased, since they belong to another role. Have their owner run `crm \
             privacy purge`."
        } else {
            "The book's files still hold what was erased, since somebody reads an older state of it. Run `crm privacy \
             purge` once nobody else has it open."
        });
    }
    match app.out.format {
        Format::Json => app.out.data(&format!("{}\n", output::pretty(&done)?)),
        Format::Ndjson => app.out.data(&format!("{}\n", output::json(&done)?)),
        Format::Id => app.out.data(&format!("{contact}\n")),
        Format::Table | Format::Csv => {
            app.out.note(&format!("Erased the contact {contact}."));
            let lines = lines(&done);
            output::items(app.out, &lines, &["entity", "outcome", "records", "reason"], &[2], |line| {
                vec![line.entity.to_owned(), line.outcome.to_owned(), line.records.to_string(), line.reason.to_owned()]
            })
        }
    }
}

fn lines(done: &Erased) -> Vec<Line> {
    let erased =
        done.erased.iter().map(|(entity, records)| Line { entity, outcome: "erased", records: *records, reason: "" });
    let kept = done.kept.iter().map(|kept| Line {
        entity: kept.entity,
        outcome: "kept",
        records: kept.records,
        reason: kept.reason,
    });
    erased.chain(kept).collect()
}
