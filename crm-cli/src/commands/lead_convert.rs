//! `crm lead convert`: how leads become deals, or would.

use std::collections::HashMap;

use clap::{ArgMatches, Command};
use crm_core::entity::{Entity as _, Stored};
use crm_core::people::Contact;
use crm_core::sales::{Conversion, ConvertLead, Deal, DealPlan, Lead};
use crm_core::{Edit, Id, Session, Value};
use serde_json::json;
use uuid::Uuid;

use super::pipeline;
use crate::args::{self, flag, given, option, text, texts};
use crate::error::{Done, Failure};
use crate::open::App;
use crate::output::{self, Record, View};
use crate::records;

pub(super) fn command() -> Command {
    let command = Command::new("convert")
        .about("Makes a deal of a lead, or links it to a deal, and closes it; several leads one by one")
        .arg(records::reference_arg::<Lead>().num_args(1..))
        .arg(flag("plan", "Only shows what would be done"))
        .arg(option("deal", "REF", "The deal to link it to, instead of a new one"))
        .arg(args::idempotency().conflicts_with("plan"));
    pipeline::way(args::settable_but(command, Deal::TABLE, "contact_id"))
}

/// What came of a lead, which is called as on the command line.
type Outcome<'a, T> = (&'a str, Result<T, Failure>);

pub(super) async fn run(app: &App, session: &Session<'_>, args: &ArgMatches) -> Done {
    let (leads, key) = (texts(args, "ref"), args::idempotency_of(args)?);
    if leads.len() > 1 && (key.is_some() || text(args, "deal").is_some()) {
        return Err(Failure::usage("A key or a deal is for one lead alone").hint("Convert the leads one by one"));
    }
    let command = read(session, args).await?;
    if given(args, "plan") {
        let mut outcomes = Vec::with_capacity(leads.len());
        for lead in leads {
            outcomes.push((lead, plan(session, &command, lead).await));
        }
        return ended(outcomes, async |outcomes| show_plans(app, session, outcomes).await).await;
    }
    let mut outcomes = Vec::with_capacity(leads.len());
    for lead in leads {
        let converted = match records::find::<Lead>(session, lead).await {
            Ok(found) => {
                let command = ConvertLead { lead: found.id, ..command.clone() };
                session.run_with_key(&command, key.as_ref()).await.map_err(Failure::from)
            }
            Err(failure) => Err(failure),
        };
        outcomes.push((lead, converted));
    }
    ended(outcomes, async |outcomes| show_leads(app, outcomes)).await
}

/// The conversion that the command line asks for, of no lead yet.
async fn read(session: &Session<'_>, args: &ArgMatches) -> Result<ConvertLead, Failure> {
    let mut command = ConvertLead::new(Id::new(Uuid::nil()));
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
    Ok(command)
}

/// Shows what came of every lead. One lead that fails fails as everything does; of several, those that failed are
/// counted at the end, with the exit code that they have in common.
async fn ended<'a, T>(outcomes: Vec<Outcome<'a, T>>, show: impl AsyncFnOnce(&[Outcome<'a, T>]) -> Done) -> Done {
    let all = outcomes.len();
    if all > 1 || outcomes.iter().all(|(_, outcome)| outcome.is_ok()) {
        show(&outcomes).await?;
    }
    let mut failures: Vec<Failure> = outcomes.into_iter().filter_map(|(_, outcome)| outcome.err()).collect();
    let message = format!("{} of {all} leads cannot be converted", failures.len());
    match failures.pop() {
        None => Ok(()),
        Some(failure) if all == 1 => Err(failure),
        Some(Failure { code, exit, .. }) if failures.iter().all(|other| other.code == code) => {
            Err(Failure { code, exit, message, ..Failure::default() })
        }
        Some(_) => Err(Failure::failed(message)),
    }
}

/// Why there is no other outcome, for people and for machines.
fn error<T>(outcome: &Result<T, Failure>) -> (String, serde_json::Value) {
    match outcome {
        Ok(_) => (String::new(), serde_json::Value::Null),
        Err(failure) => (failure.message.clone(), json!({ "code": failure.code, "message": failure.message })),
    }
}

fn show_leads(app: &App, outcomes: &[Outcome<'_, Stored<Lead>>]) -> Done {
    let converted = outcomes.iter().filter(|(_, outcome)| outcome.is_ok()).count();
    app.out.note(&match outcomes {
        [(lead, _)] => format!("Converted lead {lead}."),
        _ => format!("Converted {converted} of {} leads.", outcomes.len()),
    });
    let deal = |outcome: &Result<Stored<Lead>, Failure>| outcome.as_ref().ok().and_then(|lead| lead.deal_id);
    let json = |(reference, outcome): &Outcome<'_, Stored<Lead>>| {
        let lead = outcome.as_ref().ok().map(|lead| lead.id);
        Ok(format!(
            r#"{{"reference":{},"lead":{},"deal":{},"error":{}}}"#,
            output::json(reference)?,
            output::json(&lead)?,
            output::json(&deal(outcome))?,
            error(outcome).1
        ))
    };
    output::rows(app.out, outcomes, &["deal", "lead", "error"], &[], json, |(reference, outcome)| {
        let deal = deal(outcome).map(|id| id.to_string()).unwrap_or_default();
        vec![deal, (*reference).to_owned(), error(outcome).0]
    })
}

/// What would come of a lead.
struct Plan {
    lead: Id<Lead>,
    contact: Id<Contact>,
    company: Option<Id<Contact>>,
    deal: PlannedDeal,
    missing: Vec<&'static str>,
    duplicates: Vec<Id<Deal>>,
}

/// The deal that would come of a lead.
enum PlannedDeal {
    /// One that is there.
    Link(Id<Deal>),
    /// A new one, with the columns that are known.
    Create(View, Record),
}

async fn plan(session: &Session<'_>, command: &ConvertLead, reference: &str) -> Result<Plan, Failure> {
    let lead = records::find::<Lead>(session, reference).await?.id;
    let planned = session.plan_conversion(&ConvertLead { lead, ..command.clone() }).await?;
    let Conversion { contact, company, deal, missing, duplicates } = planned;
    let deal = match deal {
        DealPlan::Link(id) => PlannedDeal::Link(id),
        DealPlan::Create(edit) => {
            let (view, record) = new_deal(session, &edit)?;
            PlannedDeal::Create(view, record)
        }
    };
    Ok(Plan { lead, contact, company, deal, missing, duplicates })
}

/// The deal that an edit would make, with the columns that it sets.
fn new_deal(session: &Session<'_>, edit: &Edit<Deal>) -> Result<(View, Record), Failure> {
    let table = Deal::TABLE;
    let mut row = vec![Value::Null; table.columns.len()];
    row[table.expect_position("currency")] = Value::Text(session.locale().currency.to_string());
    let mut columns = Vec::new();
    for (column, value) in edit.values().iter().filter(|(_, value)| !value.is_null()) {
        row[*column] = value.clone();
        columns.push(*column);
    }
    columns.sort_unstable();
    let view = View::of(table, columns.into_iter().map(|column| table.columns[column].name))?;
    Ok((view, Record { row, title: String::new() }))
}

async fn show_plans(app: &App, session: &Session<'_>, outcomes: &[Outcome<'_, Plan>]) -> Done {
    let mut named = Vec::new();
    for plan in outcomes.iter().filter_map(|(_, outcome)| outcome.as_ref().ok()) {
        named.extend(plan.company.iter().chain([&plan.contact]).map(|id| (Contact::TABLE, id.uuid())));
        named.extend(plan.duplicates.iter().map(|id| (Deal::TABLE, id.uuid())));
        match &plan.deal {
            PlannedDeal::Link(id) => named.push((Deal::TABLE, id.uuid())),
            PlannedDeal::Create(view, record) => named.extend(view.references(std::slice::from_ref(record))),
        }
    }
    let labels = records::labels(session, &named).await?;
    let header = ["lead", "contact", "company", "deal", "missing", "possible_duplicates", "error"];
    output::rows(app.out, outcomes, &header, &[], plan_json, |(reference, outcome)| {
        let mut cells = vec![(*reference).to_owned()];
        match outcome {
            Ok(plan) => cells.extend(plan_cells(plan, &labels)),
            Err(_) => cells.resize(6, String::new()),
        }
        cells.push(error(outcome).0);
        cells
    })
}

/// A plan in words: contact, company, deal, what is missing, possible duplicates.
fn plan_cells(plan: &Plan, labels: &HashMap<Uuid, String>) -> [String; 5] {
    let name = |id: Uuid| labels.get(&id).cloned().unwrap_or_else(|| id.to_string());
    let deal = match &plan.deal {
        PlannedDeal::Link(id) => format!("link to {}", name(id.uuid())),
        PlannedDeal::Create(view, record) => {
            let view = View { labels: labels.clone(), ..view.clone() };
            let fields = view.columns.iter().map(|(column, shown)| {
                let column = column.strip_suffix("_id").filter(|rest| *rest != "external").unwrap_or(column);
                format!("{} {}", column.replace('_', " "), view.human(record, *shown))
            });
            format!("create: {}", fields.collect::<Vec<_>>().join(", "))
        }
    };
    let duplicates: Vec<String> = plan.duplicates.iter().map(|id| format!("{} ({id})", name(id.uuid()))).collect();
    let company = plan.company.map(|id| name(id.uuid())).unwrap_or_default();
    [name(plan.contact.uuid()), company, deal, plan.missing.join(", "), duplicates.join(", ")]
}

fn plan_json((reference, outcome): &Outcome<'_, Plan>) -> Result<String, Failure> {
    let mut values =
        ["lead", "contact", "company", "create", "link", "missing", "duplicates"].map(|name| (name, "null".to_owned()));
    if let Ok(Plan { lead, contact, company, deal, missing, duplicates }) = outcome {
        let (create, link) = match deal {
            PlannedDeal::Link(id) => ("null".to_owned(), output::json(id)?),
            PlannedDeal::Create(view, record) => (view.json(record, &[], None), "null".to_owned()),
        };
        let (lead, contact, company) = (output::json(lead)?, output::json(contact)?, output::json(company)?);
        let known = [lead, contact, company, create, link, output::json(missing)?, output::json(duplicates)?];
        values.iter_mut().zip(known).for_each(|((_, value), known)| *value = known);
    }
    let values: String = values.iter().flat_map(|(name, value)| ["\"", name, "\":", value, ","]).collect();
    Ok(format!(r#"{{"reference":{},{values}"error":{}}}"#, output::json(reference)?, error(outcome).1))
}
