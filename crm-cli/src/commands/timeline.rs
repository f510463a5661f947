//! `crm timeline`: everything that happened to a record, newest first.

use std::collections::HashMap;
use std::fmt::Write as _;

use clap::{ArgMatches, Command};
use crm_core::Session;
use crm_core::access::User;
use crm_core::activity::{Happening, LARGEST_TIMELINE, TimelineItem, TimelineOptions};
use crm_core::entity::{Entity as _, Table};
use crm_core::sales::Stage;
use crm_core::service::CaseEventKind;
use uuid::Uuid;

use crate::args::{option, text};
use crate::error::{Done, Failure};
use crate::open::App;
use crate::output::{self, Format};
use crate::{records, subject};

pub(super) fn command() -> Command {
    Command::new("timeline")
        .about("Shows interactions, tasks, steps and changes of a record, newest first")
        .after_help("Example: crm timeline deal:'Big order' --limit 20")
        .arg(subject::argument().required(true))
        .arg(
            option("limit", "N", "At most so many")
                .value_parser(clap::value_parser!(u32).range(1..=i64::from(LARGEST_TIMELINE)))
                .default_value("50"),
        )
        .arg(option("after", "CURSOR", "Goes on after the page that gave this cursor"))
}

pub(super) async fn run(app: &App, args: &ArgMatches) -> Done {
    let session = app.session().await?;
    let subject = subject::find(&session, text(args, "record").unwrap_or_default()).await?;
    let after = text(args, "after").map(str::parse).transpose();
    let options = TimelineOptions {
        after: after.map_err(|reason| Failure::invalid("after", &reason))?,
        limit: args.get_one::<u32>("limit").copied().unwrap_or(crm_core::store::PAGE),
    };
    let page = session.timeline(subject, &options).await?;
    let labels = labels(&session, &page.items).await?;
    let people = app.out.format == Format::Table;
    let header: &[&str] = if people { &["at", "by", "kind", "what"] } else { &["id", "at", "by", "kind", "what"] };
    let cells = |item: &TimelineItem| {
        let by = actor(&item.what).map_or_else(|| "system".to_owned(), |id| name(&labels, id));
        let at = if people { output::moment(item.at) } else { item.at.to_string() };
        let mut cells = vec![at, by, item.what.kind().to_string(), what(&item.what, &labels)];
        if !people {
            cells.insert(0, id(&item.what).to_string());
        }
        cells
    };
    output::rows(app.out, &page.items, header, &[], |item| Ok(item.to_json()), cells)?;
    records::note_next(app, page.next.as_ref());
    Ok(())
}

/// The record or change that an item tells of.
fn id(what: &Happening) -> Uuid {
    match what {
        Happening::Interaction(interaction) => interaction.id.uuid(),
        Happening::Task(task) => task.id.uuid(),
        Happening::StageChange(step) => step.id.uuid(),
        Happening::CaseEvent(event) => event.id.uuid(),
        Happening::Change(change) => change.id.uuid(),
        _ => Uuid::nil(),
    }
}

/// Who did it.
fn actor(what: &Happening) -> Option<Uuid> {
    match what {
        Happening::Interaction(interaction) => Some(interaction.author_id.uuid()),
        Happening::Task(task) => task.created_by,
        Happening::StageChange(step) => step.by_id,
        Happening::CaseEvent(event) => event.by_id,
        Happening::Change(change) => change.actor_id.map(crm_core::Id::uuid),
        _ => None,
    }
}

/// What happened, in a few words.
fn what(what: &Happening, labels: &HashMap<Uuid, String>) -> String {
    match what {
        Happening::Interaction(interaction) => format!("{}: {}", interaction.kind, interaction.notes),
        Happening::Task(task) => match (task.due_on, task.due_at) {
            (Some(due), _) => format!("{}: {}, due {due}", task.status, task.title),
            (None, Some(due)) => format!("{}: {}, due {}", task.status, task.title, output::moment(due)),
            (None, None) => format!("{}: {}", task.status, task.title),
        },
        Happening::StageChange(step) => {
            let to = name(labels, step.to_stage_id.uuid());
            let stage = match step.from_stage_id.filter(|from| *from != step.to_stage_id) {
                Some(from) => format!("{} to {to}", name(labels, from.uuid())),
                None => format!("in {to}"),
            };
            match step.from_status.filter(|from| *from != step.to_status) {
                Some(from) => format!("{stage}, {from} to {}", step.to_status),
                None => format!("{stage}, {}", step.to_status),
            }
        }
        Happening::CaseEvent(event) => {
            let mut said = event.kind.to_string().replace('_', " ");
            if let (CaseEventKind::Assigned, Some(assignee)) = (event.kind, event.assignee_id) {
                let _ = write!(said, " to {}", name(labels, assignee.uuid()));
            }
            if let Some(text) = &event.text {
                let _ = write!(said, ": {text}");
            }
            match event.to_due_on.filter(|_| event.from_due_on != event.to_due_on) {
                Some(due) => format!("{said}, due {due}"),
                None => said,
            }
        }
        // A new record sets many fields, which say little.
        Happening::Change(change)
            if change.fields.is_empty() || change.fields.iter().any(|name| name == "created_at") =>
        {
            change.command.clone()
        }
        Happening::Change(change) => format!("{}: {}", change.command, change.fields.join(", ")),
        _ => String::new(),
    }
}

fn name(labels: &HashMap<Uuid, String>, id: Uuid) -> String {
    labels.get(&id).cloned().unwrap_or_else(|| id.to_string())
}

/// The names of the people and stages that items tell of.
async fn labels(session: &Session<'_>, items: &[TimelineItem]) -> Result<HashMap<Uuid, String>, Failure> {
    let mut named: Vec<(&'static Table, Uuid)> = Vec::new();
    for item in items {
        named.extend(actor(&item.what).map(|id| (User::TABLE, id)));
        match &item.what {
            Happening::StageChange(step) => {
                let stages = step.from_stage_id.into_iter().chain([step.to_stage_id]);
                named.extend(stages.map(|id| (Stage::TABLE, id.uuid())));
            }
            Happening::CaseEvent(event) => {
                named.extend(event.assignee_id.map(|id| (User::TABLE, id.uuid())));
            }
            _ => {}
        }
    }
    named.sort_unstable_by_key(|(_, id)| *id);
    named.dedup_by_key(|(_, id)| *id);
    records::labels(session, &named).await
}
