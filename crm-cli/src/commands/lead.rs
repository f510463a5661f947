//! `crm lead`: who might become a customer.

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgMatches, Command};
use crm_core::Id;
use crm_core::sales::{AssignLead, Lead, LeadStatus, MoveLead};

use super::{lead_convert, verb};
use crate::args::{self, examples, flag, group, text};
use crate::error::Done;
use crate::open::App;
use crate::records;

pub(super) fn command() -> Command {
    let on =
        |name: &'static str, about: &'static str| Command::new(name).about(about).arg(records::reference_arg::<Lead>());
    let statuses = PossibleValuesParser::new(LeadStatus::NAMES);
    let status = Arg::new("status").value_name("STATUS").required(true).value_parser(statuses).help("Its new status");
    let member = Arg::new("member").value_name("EMAIL").required_unless_present("nobody").help("To whom");
    let group = group("lead", "Works on leads: who might become a customer")
        .subcommands(records::commands::<Lead>())
        .subcommand(
            on("assign", "Gives a lead to a member, or to nobody")
                .arg(member)
                .arg(flag("nobody", "Nobody works on it").conflicts_with("member")),
        )
        .subcommand(on("move", "Moves a lead to another status").arg(status))
        .subcommand(lead_convert::command());
    examples(
        group,
        &[
            ("add", "crm lead add --contact eva@example.com --channel web"),
            ("list", "crm lead list --where 'status = new and assignee is null' --tag fair"),
            ("show", "crm lead show L-77"),
            ("edit", "crm lead edit L-77 --sales-notes 'Wants an offer'"),
            ("assign", "crm lead assign L-77 luis@example.com"),
            ("move", "crm lead move L-77 contacted"),
            ("convert", "crm lead convert L-77 --amount 1200 --stage proposal"),
            ("archive", "crm lead archive L-77"),
            ("restore", "crm lead restore L-77"),
            ("delete", "crm lead delete L-77 --yes"),
        ],
    )
}

pub(super) async fn run(app: &App, args: &ArgMatches) -> Done {
    let (verb, args) = verb(args)?;
    if !matches!(verb, "assign" | "move" | "convert") {
        return records::run::<Lead>(app, verb, args).await;
    }
    let session = app.session().await?;
    if verb == "convert" {
        return lead_convert::run(app, &session, args).await;
    }
    let lead = records::find::<Lead>(&session, records::reference(args)).await?;
    if verb == "move" {
        let command = MoveLead { id: lead.id, status: args::required(args, "status")? };
        return records::change(app, &session, &lead, &command, "Moved").await;
    }
    let assignee = match text(args, "member") {
        Some(email) => Some(Id::new(records::resolve(&session, "user", email).await?)),
        None => None,
    };
    records::change(app, &session, &lead, &AssignLead { id: lead.id, assignee }, "Assigned").await
}
