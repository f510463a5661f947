//! `crm lead`: who might become a customer, and how leads become deals.

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgMatches, Command};
use crm_core::Session;
use crm_core::entity::{Entity as _, Stored};
use crm_core::people::Contact;
use crm_core::sales::{AssignLead, Conversion, ConvertLead, Deal, DealPlan, Lead, LeadStatus, MoveLead};
use serde::Serialize;
use uuid::Uuid;

use super::{pipeline, verb};
use crate::args::{self, examples, flag, given, group, option, text, texts};
use crate::error::{Done, Failure};
use crate::nouns::Noun as _;
use crate::open::App;
use crate::output::{self, Record, View};
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
        .subcommand(convert_command());
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

fn convert_command() -> Command {
    let reference = records::reference_arg::<Lead>().num_args(1..);
    let command = Command::new("convert")
        .about("Makes a deal of a lead, or links it to a deal, and closes it; several leads one by one")
        .arg(reference)
        .arg(flag("plan", "Only shows what would be done"))
        .arg(option("deal", "REF", "The deal to link it to, instead of a new one"))
        .arg(args::idempotency().conflicts_with("plan"));
    pipeline::way(args::settable_but(command, Deal::TABLE, "contact_id"))
}

pub(super) async fn run(app: &App, args: &ArgMatches) -> Done {
    let (verb, args) = verb(args)?;
    if !matches!(verb, "assign" | "move" | "convert") {
        return records::run::<Lead>(app, verb, args).await;
    }
    let session = app.session().await?;
    if verb == "convert" {
        return convert(app, &session, args).await;
    }
    let lead = records::find::<Lead>(&session, records::reference(args)).await?;
    if verb == "move" {
        let command = MoveLead { id: lead.id, status: args::required(args, "status")? };
        return records::change(app, &session, &lead, &command, "Moved").await;
    }
    let assignee = match text(args, "member") {
        Some(email) => Some(crm_core::Id::new(records::resolve(&session, "user", email).await?)),
        None => None,
    };
    records::change(app, &session, &lead, &AssignLead { id: lead.id, assignee }, "Assigned").await
}

/// What came of a lead.
#[derive(Serialize)]
struct Outcome<'a> {
    /// The lead as the command line names it.
    reference: &'a str,
    lead: Option<String>,
    deal: Option<String>,
    error: Option<Refused>,
}

/// Why a lead was not converted.
#[derive(Serialize)]
struct Refused {
    code: &'static str,
    message: String,
}

async fn convert(app: &App, session: &Session<'_>, args: &ArgMatches) -> Done {
    let (leads, key) = (texts(args, "ref"), args::idempotency_of(args)?);
    let several = leads.len() > 1;
    if several && (key.is_some() || text(args, "deal").is_some()) {
        return Err(Failure::usage("A key or a deal is for one lead alone").hint("Convert the leads one by one"));
    }
    let mut command = ConvertLead::new(crm_core::Id::new(Uuid::nil()));
    command.edit = records::edit_of(session, args).await?;
    (command.pipeline, command.stage) = pipeline::beginning(session, args).await?;
    if let Some(deal) = text(args, "deal") {
        if !command.edit.is_empty() || command.pipeline.is_some() || command.stage.is_some() {
            return Err(Failure::usage("A deal that is there is linked as it is")
                .field("deal")
                .hint("Change it with `crm deal edit` and `crm deal stage`"));
        }
        command.deal = Some(records::find::<Deal>(session, deal).await?.id);
    }
    if given(args, "plan") {
        return plan(app, session, command, &leads).await;
    }
    let mut outcomes = Vec::with_capacity(leads.len());
    for reference in leads {
        let converted = match records::find::<Lead>(session, reference).await {
            Ok(found) => {
                command.lead = found.id;
                session.run_with_key(&command, key.as_ref()).await.map_err(Failure::from)
            }
            Err(failure) => Err(failure),
        };
        outcomes.push(match converted {
            Ok(lead) => {
                let deal = lead.deal_id.map(|id| id.to_string());
                Outcome { reference, lead: Some(lead.id.to_string()), deal, error: None }
            }
            Err(failure) if !several => return Err(failure),
            Err(Failure { code, message, .. }) => {
                Outcome { reference, lead: None, deal: None, error: Some(Refused { code, message }) }
            }
        });
    }
    let failed = outcomes.iter().filter(|outcome| outcome.error.is_some()).count();
    let all = outcomes.len();
    app.out.note(&match outcomes.as_slice() {
        [one] => format!("Converted lead {}.", one.reference),
        _ => format!("Converted {} of {all} leads.", all - failed),
    });
    output::items(app.out, &outcomes, &["deal", "reference", "error"], &[], |outcome| {
        let error = outcome.error.as_ref().map(|error| error.message.clone());
        vec![outcome.deal.clone().unwrap_or_default(), outcome.reference.to_owned(), error.unwrap_or_default()]
    })?;
    match failed {
        0 => Ok(()),
        _ => Err(Failure::refused(format!("{failed} of {all} leads were not converted"))),
    }
}

/// What would come of a lead.
struct Planned {
    lead: Stored<Lead>,
    conversion: Conversion,
    /// The new deal as far as it is known, with the columns that are.
    deal: Option<(View, Record)>,
}

async fn plan(app: &App, session: &Session<'_>, mut command: ConvertLead, leads: &[&str]) -> Done {
    let mut plans = Vec::with_capacity(leads.len());
    for lead in leads {
        let lead = records::find::<Lead>(session, lead).await?;
        command.lead = lead.id;
        let conversion = session.plan_conversion(&command).await?;
        let deal = match &conversion.deal {
            DealPlan::Create(edit) => Some(new_deal(session, edit)?),
            DealPlan::Link(_) => None,
        };
        plans.push(Planned { lead, conversion, deal });
    }
    let mut named = Vec::new();
    for Planned { conversion, deal, .. } in &plans {
        named.extend(conversion.company.iter().chain([&conversion.contact]).map(|id| (Contact::TABLE, id.uuid())));
        named.extend(conversion.duplicates.iter().map(|id| (Deal::TABLE, id.uuid())));
        if let DealPlan::Link(id) = conversion.deal {
            named.push((Deal::TABLE, id.uuid()));
        }
        if let Some((view, record)) = deal {
            named.extend(view.references(std::slice::from_ref(record)));
        }
    }
    let labels = records::labels(session, &named).await?;
    let name = |id: Uuid| labels.get(&id).cloned().unwrap_or_else(|| id.to_string());
    let header = ["lead", "contact", "company", "deal", "missing", "possible_duplicates"];
    let cells = |planned: &Planned| {
        let Planned { lead, conversion, deal } = planned;
        let deal = match (deal, &conversion.deal) {
            (Some((view, record)), _) => {
                let view = View { labels: labels.clone(), ..view.clone() };
                let fields = view.columns.iter().map(|(name, shown)| {
                    let name = name.strip_suffix("_id").filter(|rest| *rest != "external").unwrap_or(name);
                    format!("{} {}", name.replace('_', " "), view.human(record, *shown))
                });
                format!("create: {}", fields.collect::<Vec<_>>().join(", "))
            }
            (None, DealPlan::Link(id)) => format!("link to {}", name(id.uuid())),
            (None, DealPlan::Create(_)) => "create".to_owned(),
        };
        let duplicates: Vec<String> =
            conversion.duplicates.iter().map(|id| format!("{} ({id})", name(id.uuid()))).collect();
        vec![
            Lead::title(lead),
            name(conversion.contact.uuid()),
            conversion.company.map(|id| name(id.uuid())).unwrap_or_default(),
            deal,
            conversion.missing.join(", "),
            duplicates.join(", "),
        ]
    };
    output::rows(app.out, &plans, &header, &[], json, cells)
}

/// The deal that an edit would make, with the columns that it sets.
fn new_deal(session: &Session<'_>, edit: &crm_core::Edit<Deal>) -> Result<(View, Record), Failure> {
    let table = Deal::TABLE;
    let mut row = vec![crm_core::Value::Null; table.columns.len()];
    let currency = table.expect_position("currency");
    row[currency] = crm_core::Value::Text(session.locale().currency.to_string());
    for (column, value) in edit.values() {
        row[*column] = value.clone();
    }
    let given = edit.values().iter().filter(|(_, value)| !value.is_null());
    let mut set: Vec<usize> = given.map(|(column, _)| *column).collect();
    set.sort_unstable();
    let view = View::of(table, set.iter().map(|column| table.columns[*column].name))?;
    Ok((view, Record { row, title: String::new() }))
}

fn json(planned: &Planned) -> Result<String, Failure> {
    let Conversion { contact, company, deal, missing, duplicates } = &planned.conversion;
    let link = match deal {
        DealPlan::Link(id) => Some(id),
        DealPlan::Create(_) => None,
    };
    let create = planned.deal.as_ref().map(|(view, record)| view.json(record, &[], None));
    let create = create.unwrap_or_else(|| "null".to_owned());
    Ok(format!(
        r#"{{"lead":{},"contact":{},"company":{},"create":{create},"link":{},"missing":{},"duplicates":{}}}"#,
        output::json(&planned.lead.id)?,
        output::json(contact)?,
        output::json(company)?,
        output::json(&link)?,
        output::json(missing)?,
        output::json(duplicates)?,
    ))
}
