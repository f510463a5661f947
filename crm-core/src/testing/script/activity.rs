//! The steps of the play that concern tasks, interactions and timelines.

use std::fmt::Write as _;

use super::{Dice, Made, NAMES, date, list_step, pairs, told};
use crate::activity::{
    CancelTask, CompleteTask, InteractionKind, ReopenTask, Subject, Task, TaskStatus, TimelineOptions,
};
use crate::crm::Session;
use crate::crud::Edit;
use crate::store::Query;

/// One of the records that were made.
fn subject(dice: &mut Dice, made: &Made) -> Option<Subject> {
    match dice.roll(7) {
        6 => dice.pick(&made.cases.cases).copied().map(Subject::from),
        0 => dice.pick(&made.invoices).copied().map(Subject::from),
        1 => dice.pick(&made.sales.leads).copied().map(Subject::from),
        2 | 3 => dice.pick(&made.sales.deals).copied().map(Subject::from),
        _ => dice.pick(&made.contacts).copied().map(Subject::from),
    }
}

fn task(dice: &mut Dice, made: &Made) -> Edit<Task> {
    let mut fields = vec![("title", dice.pick(NAMES).copied().unwrap_or_default().to_owned())];
    if dice.once_in(2) {
        fields.push(("due_on", date(dice).to_string()));
    }
    if dice.once_in(4) {
        fields.push(("due_at", format!("{}T22:30:00-04:00", date(dice))));
    }
    pairs(&fields).about(subject(dice, made))
}

pub(super) async fn task_step(session: &Session<'_>, dice: &mut Dice, made: &mut Made) -> String {
    let known = dice.pick(&made.tasks).copied();
    let (verb, result) = match (dice.roll(8), known) {
        (0, Some(id)) => ("complete", session.run(&CompleteTask(id)).await),
        (1, Some(id)) => ("cancel", session.run(&CancelTask(id)).await),
        (2, Some(id)) => ("reopen", session.run(&ReopenTask(id)).await),
        (3, Some(id)) => ("update", session.update(id, task(dice, made)).await),
        (4, Some(id)) => ("delete", session.delete(id).await),
        (5, _) => return list_step(session, dice, made, tasks).await,
        _ => ("create", session.create(task(dice, made)).await),
    };
    let (line, task) = told(result);
    if verb == "create" {
        made.tasks.extend(task.map(|task| task.id));
    }
    format!("task.{verb} {line}")
}

fn tasks(dice: &mut Dice) -> Query<Task> {
    let columns = Task::COLUMNS;
    let status = *dice.pick(TaskStatus::ALL).unwrap_or(&TaskStatus::Open);
    let day = date(dice);
    let filter = match dice.roll(3) {
        0 => Task::overdue(crate::value::Zone::UTC.start_of(day), day),
        1 => columns.status.eq(&status),
        _ => !columns.contact_id.is_null(),
    };
    let query = Query::new(filter).limit(u32::try_from(dice.roll(6) + 1).unwrap_or(1));
    if dice.once_in(2) { query.ascending(columns.due_on) } else { query.descending(columns.due_at) }
}

pub(super) async fn interaction_step(session: &Session<'_>, dice: &mut Dice, made: &Made) -> String {
    let kind = dice.pick(InteractionKind::ALL).map_or("change", |kind| kind.as_str());
    let mut fields = vec![("kind", kind.to_owned())];
    if dice.once_in(3) {
        // Often the same instant, so that timelines have ties; at times in the future.
        fields.push(("occurred_at", format!("2026-06-{}T10:00:00Z", 12 + dice.roll(4))));
    }
    if !dice.once_in(6) {
        fields.push(("notes", format!("{} said so", dice.pick(NAMES).copied().unwrap_or_default())));
    }
    let edit = pairs(&fields).about(subject(dice, made));
    format!("interaction.create {}", told::<crate::activity::Interaction>(session.create(edit).await).0)
}

pub(super) async fn timeline_step(session: &Session<'_>, dice: &mut Dice, made: &mut Made) -> String {
    let Some(subject) = subject(dice, made) else { return String::new() };
    let limit = u32::try_from(dice.roll(6) + 1).unwrap_or(1);
    // Another list's or timeline's cursor is refused.
    let after = if dice.once_in(6) { dice.pick(&made.cursors).cloned() } else { None };
    let mut options = TimelineOptions { after, limit };
    let mut out = format!("timeline of {subject}");
    for _ in 0..4 {
        match session.timeline(subject, &options).await {
            Ok(page) => {
                page.items.iter().for_each(|item| {
                    let _ = write!(out, " {}", item.to_json());
                });
                let Some(next) = page.next else { break };
                made.cursors.push(next.clone());
                options.after = Some(next);
                out.push_str(" |");
            }
            Err(error) => return format!("{out} {}: {error}", error.code().as_str()),
        }
    }
    out
}
