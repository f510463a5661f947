//! Tasks: what is to be done, by whom, until when.

use async_trait::async_trait;

use super::subject::further_subjects;
use crate::access::{Grant, User};
use crate::billing::Invoice;
use crate::context::Context;
use crate::crm::{Command, Session};
use crate::crud::{Edit, Rules, column_is};
use crate::entity::{Entity as _, Stored};
use crate::error::{CrmError, Invalid};
use crate::id::Id;
use crate::people::Contact;
use crate::row::Value;
use crate::sales::{Deal, Lead};
use crate::service::Case;
use crate::status::{Machine, Move};
use crate::store::{ChangeSet, Expr, Filter};
use crate::value::{Date, Instant, Notes, Text, ValueError};

crate::choice! {
    /// Where a task stands. `overdue` is computed for a moment, never stored.
    pub enum TaskStatus {
        /// To be done.
        Open = "open",
        /// Done.
        Done = "done",
        /// Not to be done any more.
        Cancelled = "cancelled",
    }
}

const fn step(
    from: TaskStatus,
    event: &'static str,
    to: TaskStatus,
    operation: &'static str,
    effect: &'static str,
) -> Move {
    Move::new(from.as_str(), event, to.as_str(), operation, effect)
}

/// What can happen to a task. What leads where it stands already changes nothing.
pub static TASK: Machine = Machine {
    name: "task",
    states: TaskStatus::NAMES,
    moves: &[
        step(TaskStatus::Open, "completed", TaskStatus::Done, "task.complete", "the instant is kept"),
        step(TaskStatus::Open, "cancelled", TaskStatus::Cancelled, "task.cancel", ""),
        step(TaskStatus::Done, "reopened", TaskStatus::Open, "task.reopen", "it was not done"),
        step(TaskStatus::Cancelled, "reopened", TaskStatus::Open, "task.reopen", ""),
    ],
};

crate::entity! {
    /// Something to be done.
    pub struct Task: "task" in "crm_task" as Record, Organization {
        /// What is to be done, in one line.
        pub title: Text<200> [PERSONAL],
        /// The contact that it is about.
        pub contact_id: Option<Id<Contact>> => Contact,
        /// The lead that it is about.
        pub lead_id: Option<Id<Lead>> => Lead,
        /// The deal that it is about.
        pub deal_id: Option<Id<Deal>> => Deal,
        /// The invoice that it is about.
        pub invoice_id: Option<Id<Invoice>> => Invoice,
        /// The case that it is about.
        pub case_id: Option<Id<Case>> => Case,
        /// What else is to be known.
        pub description: Option<Notes<10000>> [PERSONAL],
        /// The civil date by whose end it is to be done.
        pub due_on: Option<Date>,
        /// The instant by which it is to be done, in place of a date.
        pub due_at: Option<Instant>,
        /// Who is to do it.
        pub assignee_id: Id<User> => User,
        /// Where it stands.
        pub status: TaskStatus [SERVER_OWNED],
        /// When it was done, if it is.
        pub done_at: Option<Instant> [SERVER_OWNED],
    }
    columns TaskColumns;
    derived { }
    unique { }
    index {
        "crm_task_contact": [contact_id, created_at, id],
        "crm_task_lead": [lead_id, created_at, id],
        "crm_task_deal": [deal_id, created_at, id],
        "crm_task_invoice": [invoice_id, created_at, id],
        "crm_task_case": [case_id, created_at, id],
        "crm_task_assignee": [assignee_id, status, due_on, id],
        "crm_task_created_by": [created_by],
        "crm_task_status": [status, due_on, id],
    }
}

impl Task {
    /// The open tasks that are late at this instant, on this civil date in the organization's zone.
    pub fn overdue(now: Instant, today: Date) -> Filter<Self> {
        let columns = Self::COLUMNS;
        let late = columns.due_on.lt(&Some(today)) | columns.due_at.lt(&Some(now));
        columns.status.eq(&TaskStatus::Open) & late
    }

    /// Whether it is open and late at this instant, on this civil date in the organization's zone.
    pub fn is_overdue(&self, now: Instant, today: Date) -> bool {
        let late = self.due_on.is_some_and(|due| due < today) || self.due_at.is_some_and(|due| due < now);
        self.status == TaskStatus::Open && late
    }
}

/// A task after an event that leads to this status: the rule.
fn moved(
    before: &Stored<Task>,
    event: &'static str,
    to: TaskStatus,
    context: &Context,
    changes: &mut ChangeSet,
) -> Result<Stored<Task>, CrmError> {
    if before.status == to {
        return Ok(before.clone());
    }
    TASK.step(&before.title, before.status.as_str(), event, context.rights())?;
    let done_at = (to == TaskStatus::Done).then(|| context.now());
    Ok(changes.update(context, before, Task { status: to, done_at, ..before.value.clone() }))
}

impl Rules for Task {
    const GENERAL: &'static [&'static str] = &["create", "update", "delete"];
    fn defaults(context: &Context) -> Edit<Self> {
        let edit = Edit::new().set(Self::COLUMNS.status, TaskStatus::Open);
        match context.actor().user() {
            Some(user) => edit.set(Self::COLUMNS.assignee_id, user),
            None => edit,
        }
    }

    fn own(user: Id<User>) -> Expr {
        let user = Value::Id(user.uuid());
        let assigned = column_is(Self::COLUMNS.assignee_id.index(), user.clone());
        Expr::Or(vec![assigned, column_is(Self::TABLE.expect_position("created_by"), user)])
    }

    fn check(&mut self, before: Option<&Self>, context: &Context) -> Result<(), Vec<Invalid>> {
        let mut refused: Vec<Invalid> = further_subjects(self).collect();
        if self.due_on.is_some() && self.due_at.is_some() {
            refused.push(Invalid::new("due_at", ValueError::NotAllowed { when: "due_on is set" }));
        }
        // A date that has passed since it was set stands in the way of no other change.
        let today = context.today();
        let at = self.due_at.map(|due| context.organization().time_zone.date_at(due));
        let dates = [
            ("due_on", self.due_on, before.is_some_and(|before| before.due_on == self.due_on)),
            ("due_at", at, before.is_some_and(|before| before.due_at == self.due_at)),
        ];
        for (field, due, untouched) in dates {
            if let Some(due) = due.filter(|due| *due < today && !untouched) {
                refused.push(Invalid::new(field, ValueError::Before { earliest: today, got: due }));
            }
        }
        if refused.is_empty() { Ok(()) } else { Err(refused) }
    }
}

/// Declares the commands that let something happen to a task.
macro_rules! events {
    ($($(#[$meta:meta])* $name:ident, $verb:literal, $event:literal, $to:expr;)*) => {$(
        $(#[$meta])*
        #[derive(Clone, Debug)]
        pub struct $name(pub Id<Task>);

        #[async_trait]
        impl Command for $name {
            type Root = Task;
            const VERB: &'static str = $verb;

            fn body(&self) -> String {
                self.0.to_string()
            }

            async fn decide(
                &self,
                session: &Session<'_>,
                grant: Grant,
                context: &mut Context,
                changes: &mut ChangeSet,
            ) -> Result<Stored<Task>, CrmError> {
                let before = session.load(grant, self.0).await?;
                moved(&before, $event, $to, context, changes)
            }
        }
    )*};
}
events! {
    /// Says that a task is done.
    CompleteTask, "complete", "completed", TaskStatus::Done;
    /// Says that a task is not to be done any more.
    CancelTask, "cancel", "cancelled", TaskStatus::Cancelled;
    /// Says that a task is to be done after all, or again.
    ReopenTask, "reopen", "reopened", TaskStatus::Open;
}
