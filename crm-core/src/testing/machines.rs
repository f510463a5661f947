//! Every state, event and role of the machines of invoices, sales, tasks and cases, tried on records: what the tables say is what happens.

mod billing;

use crate::access::{Rights, Role, policy};
use crate::activity::{CancelTask, CompleteTask, ReopenTask, TASK, Task, TaskStatus};
use crate::billing::InvoiceStatus;
use crate::entity::{Minor, Stored};
use crate::error::{CrmError, ErrorCode};
use crate::id::Id;
use crate::people::{Contact, ContactKind};
use crate::sales::{
    ConvertLead, CreateDeal, DEAL, DEAL_STAGE, Deal, DealStatus, LEAD, Lead, LeadStatus, LoseDeal, MoveDeal, MoveLead,
    ReopenDeal, Stage, StartDeal, WinDeal,
};
use crate::service::deadline::{Extension, Topic};
use crate::service::{
    AnswerCase, AppealCase, AssignCase, CASE, Case, CaseKind, CaseRule, CaseStatus, CloseCase, CompleteCase, ExtendBy,
    ExtendCase, NotifyCase, OpenCase, PauseCase, ReopenCase, TransferCase,
};
use crate::status::Machine;
use crate::store::Query;
use crate::value::{Notes, Text};
use crate::{Crm, Edit, Session};

/// Tries them all on a book.
///
/// # Errors
/// When the records cannot be made.
///
/// # Panics
/// When something happens that the tables do not say.
pub async fn every_move(crm: &Crm) -> Result<(), CrmError> {
    let owner = super::organization(crm, "machines").await?;
    let columns = Contact::COLUMNS;
    let eva = Edit::new().set(columns.kind, ContactKind::Person).set(columns.given_name, "Eva".parse().ok());
    let contact = owner.create(eva).await?.id;
    owner.create(case_rule()?).await?;
    let stages = owner.list(&Query::<Stage>::all().ascending(Stage::COLUMNS.position)).await?.items;
    for role in Role::ALL {
        let session = match role {
            Role::Owner => owner.clone(),
            other => super::member(crm, &owner, *other).await?,
        };
        for from in LeadStatus::ALL {
            for event in LeadStatus::NAMES.iter().chain(&["converted"]) {
                lead(&owner, &session, contact, *from, event).await?;
            }
        }
        for from in InvoiceStatus::ALL {
            for event in billing::EVENTS {
                billing::invoice(&owner, &session, contact, *from, event).await?;
            }
        }
        for from in TaskStatus::ALL {
            for event in ["completed", "cancelled", "reopened"] {
                task(&owner, &session, *from, event).await?;
            }
        }
        for from in CaseStatus::ALL {
            for event in CASE_EVENTS {
                case(&owner, &session, *from, event).await?;
            }
        }
        for from in DealStatus::ALL {
            for event in ["started", "won", "lost", "reopened"] {
                deal(&owner, &session, *from, event).await?;
            }
            for event in ["moved forward", "moved back"] {
                stage(&owner, &session, *from, event, &stages).await?;
            }
        }
    }
    Ok(())
}

/// What a machine says of an event, for a command that a role may give at all.
fn said(
    machine: &Machine,
    command: &str,
    from: &'static str,
    event: &'static str,
    role: Role,
) -> Result<(), ErrorCode> {
    let (entity, verb) = command.split_once('.').unwrap_or_default();
    let allowed = policy::authorize(Rights::of(role), entity, verb);
    allowed.and_then(|_| machine.step("it", from, event, Rights::of(role))).map(drop).map_err(|error| error.code())
}

fn compare<T>(about: &str, told: Result<(), ErrorCode>, got: &Result<T, CrmError>) {
    let got = got.as_ref().map(drop).map_err(CrmError::code);
    assert!(told == got, "{about}: the table says {told:?}, the command {got:?}");
}

async fn lead(
    owner: &Session<'_>,
    session: &Session<'_>,
    contact: Id<Contact>,
    from: LeadStatus,
    event: &'static str,
) -> Result<(), CrmError> {
    let role = session.role();
    let columns = Lead::COLUMNS;
    let edit = Edit::new().set(columns.contact_id, contact).set(columns.assignee_id, Some(session.user().id));
    let lead = owner.create(edit).await?;
    let lead = owner.run(&MoveLead { id: lead.id, status: from }).await?;
    let (command, got) = match event.parse() {
        Ok(status) => ("lead.move", session.run(&MoveLead { id: lead.id, status }).await),
        Err(_) => ("lead.convert", session.run(&ConvertLead::new(lead.id)).await),
    };
    let about = format!("lead {from} {event} by {role}");
    // A lead's own status is no move.
    let told = match said(&LEAD, command, from.as_str(), event, role) {
        Err(ErrorCode::Rule) if from.as_str() == event => Ok(()),
        told => told,
    };
    compare(&about, told, &got);
    let to = LEAD.find(from.as_str(), event).filter(|_| got.is_ok()).map_or(from.as_str(), |step| step.to);
    assert!(owner.get(lead.id).await?.status.as_str() == to, "{about} leads to {to}");
    Ok(())
}

async fn task(
    owner: &Session<'_>,
    session: &Session<'_>,
    from: TaskStatus,
    event: &'static str,
) -> Result<(), CrmError> {
    let role = session.role();
    let columns = Task::COLUMNS;
    let title: Text<200> = "Call".parse()?;
    let edit = Edit::new().set(columns.title, title).set(columns.assignee_id, session.user().id);
    let id = owner.create(edit).await?.id;
    match from {
        TaskStatus::Open => {}
        TaskStatus::Done => drop(owner.run(&CompleteTask(id)).await?),
        TaskStatus::Cancelled => drop(owner.run(&CancelTask(id)).await?),
    }
    let (command, leads_to, got) = match event {
        "completed" => ("task.complete", TaskStatus::Done, session.run(&CompleteTask(id)).await),
        "cancelled" => ("task.cancel", TaskStatus::Cancelled, session.run(&CancelTask(id)).await),
        _ => ("task.reopen", TaskStatus::Open, session.run(&ReopenTask(id)).await),
    };
    let about = format!("task {from} {event} by {role}");
    // What leads to a task's own status is no move.
    let told = match said(&TASK, command, from.as_str(), event, role) {
        Err(ErrorCode::Rule) if from == leads_to => Ok(()),
        told => told,
    };
    compare(&about, told, &got);
    let to = TASK.find(from.as_str(), event).filter(|_| got.is_ok()).map_or(from.as_str(), |step| step.to);
    assert!(owner.get(id).await?.status.as_str() == to, "{about} leads to {to}");
    Ok(())
}

/// A deal of the session's member in a status and a stage.
async fn prepared(
    owner: &Session<'_>,
    session: &Session<'_>,
    status: DealStatus,
    stage: Option<Id<Stage>>,
) -> Result<Stored<Deal>, CrmError> {
    let columns = Deal::COLUMNS;
    let title: Text<200> = "Big".parse()?;
    let edit = Edit::new().set(columns.title, title).set(columns.amount, Minor(1));
    let edit = edit.set(columns.owner_id, session.user().id);
    let deal = owner.run(&CreateDeal { stage, ..CreateDeal::new(edit) }).await?;
    Ok(match status {
        DealStatus::New => deal,
        DealStatus::InProgress => owner.run(&StartDeal(deal.id)).await?,
        DealStatus::Won => owner.run(&WinDeal(deal.id)).await?,
        DealStatus::Lost => owner.run(&LoseDeal { id: deal.id, reason: "no".parse()? }).await?,
    })
}

async fn deal(
    owner: &Session<'_>,
    session: &Session<'_>,
    from: DealStatus,
    event: &'static str,
) -> Result<(), CrmError> {
    let role = session.role();
    let id = prepared(owner, session, from, None).await?.id;
    let (command, got) = match event {
        "started" => ("deal.start", session.run(&StartDeal(id)).await),
        "won" => ("deal.win", session.run(&WinDeal(id)).await),
        "lost" => ("deal.lose", session.run(&LoseDeal { id, reason: "no".parse()? }).await),
        _ => ("deal.reopen", session.run(&ReopenDeal(id)).await),
    };
    let about = format!("deal {from} {event} by {role}");
    compare(&about, said(&DEAL, command, from.as_str(), event, role), &got);
    let to = DEAL.find(from.as_str(), event).filter(|_| got.is_ok()).map_or(from.as_str(), |step| step.to);
    assert!(owner.get(id).await?.status.as_str() == to, "{about} leads to {to}");
    Ok(())
}

async fn stage(
    owner: &Session<'_>,
    session: &Session<'_>,
    status: DealStatus,
    event: &'static str,
    stages: &[Stored<Stage>],
) -> Result<(), CrmError> {
    let role = session.role();
    let to = if event == "moved back" { stages.first() } else { stages.last() };
    let deal = prepared(owner, session, status, stages.get(1).map(|stage| stage.id)).await?;
    let target = to.map_or(deal.stage_id, |stage| stage.id);
    let got = session.run(&MoveDeal { id: deal.id, stage: target }).await;
    let about = format!("deal {status} {event} by {role}");
    let state = if status.is_open() { "open" } else { "closed" };
    compare(&about, said(&DEAL_STAGE, "deal.move", state, event, role), &got);
    let there = if got.is_ok() { target } else { deal.stage_id };
    assert!(owner.get(deal.id).await?.stage_id == there, "{about} leads to another stage");
    Ok(())
}

/// Every event of the machine of cases.
const CASE_EVENTS: [&str; 10] = [
    "assigned",
    "transferred",
    "paused",
    "completed",
    "extended",
    "answered",
    "notified",
    "reopened",
    "appealed",
    "closed",
];

/// A rule that can be extended.
fn case_rule() -> Result<Edit<CaseRule>, CrmError> {
    let columns = CaseRule::COLUMNS;
    let (code, version): (Text<60>, Text<60>) = ("MACHINES".parse()?, "1".parse()?);
    let source: Text<500> = "A promise".parse()?;
    Ok(Edit::new()
        .set(columns.code, code)
        .set(columns.rule_version, version)
        .set(columns.topic, Topic::General)
        .set(columns.base_days, 10)
        .set(columns.largest_extension, Extension::Days(5))
        .set(columns.source, source))
}

async fn case(
    owner: &Session<'_>,
    session: &Session<'_>,
    from: CaseStatus,
    event: &'static str,
) -> Result<(), CrmError> {
    let role = session.role();
    let columns = Contact::COLUMNS;
    let eva = Edit::new().set(columns.kind, ContactKind::Person).set(columns.given_name, "Eva".parse().ok());
    let contact = owner.create(eva.set(columns.owner_id, Some(session.user().id))).await?.id;
    let columns = Case::COLUMNS;
    let (subject, description): (Text<100>, Notes<10000>) = ("A leak".parse()?, "Water in the street.".parse()?);
    let edit = Edit::new()
        .set(columns.kind, CaseKind::Report)
        .set(columns.subject, subject)
        .set(columns.description, description)
        .set(columns.contact_id, contact);
    let words = || "So it is.".parse::<Notes<10000>>();
    // A received case is nobody's: members see it only if they opened it themselves.
    // Viewers are given no cases.
    let worker = if role == Role::Viewer { owner } else { session };
    let assignee = (from != CaseStatus::Received).then_some(worker.user().id);
    let opener = if from == CaseStatus::Received && role != Role::Viewer { session } else { owner };
    let id = opener.run(&OpenCase { edit, assignee }).await?.id;
    match from {
        CaseStatus::Received | CaseStatus::InProgress => {}
        CaseStatus::Answered => drop(owner.run(&AnswerCase { id, text: words()? }).await?),
        CaseStatus::Closed => drop(owner.run(&CloseCase { id, reason: Some(words()?) }).await?),
    }
    if event == "completed" && from == CaseStatus::InProgress {
        owner.run(&PauseCase { id, missing: words()? }).await?;
    }
    let (command, got) = match event {
        "assigned" => {
            let assignee = Some(owner.user().id);
            ("case.assign", session.run(&AssignCase { id, assignee }).await)
        }
        "transferred" => ("case.transfer", session.run(&TransferCase { id, to: words()? }).await),
        "paused" => ("case.pause", session.run(&PauseCase { id, missing: words()? }).await),
        "completed" => ("case.complete", session.run(&CompleteCase { id, text: None }).await),
        "extended" => ("case.extend", session.run(&ExtendCase { id, by: ExtendBy::Days(1), reason: words()? }).await),
        "answered" => ("case.answer", session.run(&AnswerCase { id, text: words()? }).await),
        "notified" => ("case.notify", session.run(&NotifyCase { id, proof: words()? }).await),
        "reopened" => ("case.reopen", session.run(&ReopenCase { id, reason: words()? }).await),
        "appealed" => ("case.appeal", session.run(&AppealCase { id, grounds: words()? }).await),
        _ => ("case.close", session.run(&CloseCase { id, reason: Some(words()?) }).await),
    };
    let about = format!("case {from} {event} by {role}");
    let told = match said(&CASE, command, from.as_str(), event, role) {
        // Members keep what they opened; what they give away that they did not open is refused.
        Ok(()) if event == "assigned" && role == Role::Member && from != CaseStatus::Received => {
            Err(ErrorCode::Forbidden)
        }
        told => told,
    };
    compare(&about, told, &got);
    let to = CASE.find(from.as_str(), event).filter(|_| got.is_ok()).map_or(from.as_str(), |step| step.to);
    assert!(owner.get(id).await?.status.as_str() == to, "{about} leads to {to}");
    Ok(())
}
