//! `crm log`: writes down what was said and done.

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgMatches, Command};
use crm_core::activity::{Interaction, InteractionKind};
use crm_core::value::{Instant, Notes};
use crm_core::{Create, Edit};

use crate::args::{self, option, text};
use crate::error::Done;
use crate::open::App;
use crate::{records, subject};

pub(super) fn command() -> Command {
    Command::new("log")
        .about("Writes down a call, a meeting, a note … about a record; it is never changed afterwards")
        .after_help("Example: crm log eva@example.com --kind call 'She wants an offer for 20 machines'")
        .arg(subject::argument().required(true))
        .arg(Arg::new("notes").value_name("NOTES").required(true).help("What was said, in 5 to 10,000 characters"))
        .arg(
            option("kind", "KIND", "How people met")
                .value_parser(PossibleValuesParser::new(InteractionKind::NAMES))
                .default_value("note"),
        )
        .arg(option("occurred_at", "INSTANT", "When it happened, as 2026-01-31T15:00:00Z [default: now]"))
        .arg(args::idempotency())
}

pub(super) async fn run(app: &App, args: &ArgMatches) -> Done {
    let session = app.session().await?;
    let subject = subject::find(&session, text(args, "record").unwrap_or_default()).await?;
    let columns = Interaction::COLUMNS;
    let mut edit = Edit::new()
        .about(Some(subject))
        .set(columns.kind, args::required::<InteractionKind>(args, "kind")?)
        .set(columns.notes, args::required::<Notes<10000>>(args, "notes")?);
    if let Some(at) = args::value::<Instant>(args, "occurred_at")? {
        edit = edit.set(columns.occurred_at, at);
    }
    let logged = session.run_with_key(&Create(edit), args::idempotency_of(args)?.as_ref()).await?;
    app.out.note(&format!("Logged the {}.", logged.kind));
    records::print(app, &session, &logged, &[], "").await
}
