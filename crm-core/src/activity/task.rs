//! Tasks: what is to be done, by whom, until when.

use async_trait::async_trait;

use super::subject::further_subjects;
use super::ActivityError;
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

crate::choice! {
    /// What happens to a task.
    pub enum TaskEvent {
        /// It is done.
        Complete = "completed",
        /// It is not to be done any more.
        Cancel = "cancelled",
        /// It is to be done again.
        Reopen = "reopened",
    }
}

/// Every move that the machine allows: from, by, to. An event that leads where the task stands already changes nothing.
pub const TASK_MOVES: &[(TaskStatus, TaskEvent, TaskStatus)] = &[
    (TaskStatus::Open, TaskEvent::Complete, TaskStatus::Done),
    (TaskStatus::Open, TaskEvent::Cancel, TaskStatus::Cancelled),
    (TaskStatus::Open, TaskEvent::Reopen, TaskStatus::Open),
    (TaskStatus::Done, TaskEvent::Complete, TaskStatus::Done),
    (TaskStatus::Done, TaskEvent::Reopen, TaskStatus::Open),
    (TaskStatus::Cancelled, TaskEvent::Cancel, TaskStatus::Cancelled),
    (TaskStatus::Cancelled, TaskEvent::Reopen, TaskStatus::Open),
];

crate::entity! {
    /// Something to be done.
    pub struct Task: "task" in "crm_task" as Record, Organization {
        /// What is to be done, in one line.
        pub title: Text<200>,
        /// The contact that it is about.
        pub contact_id: Option<Id<Contact>> => Contact,
        /// The invoice that it is about.
        pub invoice_id: Option<Id<Invoice>> => Invoice,
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
        "crm_task_invoice": [invoice_id, created_at, id],
        "crm_task_assignee": [assignee_id, status, due_on, id],
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

impl Stored<Task> {
    /// The status after an event.
    ///
    /// # Errors
    /// [`ActivityError::Status`] when the machine does not allow it.
    pub fn after(&self, event: TaskEvent) -> Result<TaskStatus, ActivityError> {
        let allowed = TASK_MOVES.iter().find(|(from, by, _)| *from == self.status && *by == event);
        let refused = || ActivityError::Status { task: self.id.to_string(), status: self.status, event };
        allowed.map(|(_, _, to)| *to).ok_or_else(refused)
    }

    /// The task after an event: the rule.
    fn moved(
        &self,
        event: TaskEvent,
        context: &Context,
        changes: &mut ChangeSet,
    ) -> Result<Stored<Task>, ActivityError> {
        let status = self.after(event)?;
        let done_at = (status == TaskStatus::Done).then(|| self.done_at.unwrap_or_else(|| context.now()));
        Ok(changes.update(context, self, Task { status, done_at, ..self.value.clone() }))
    }
}

impl Rules for Task {
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
    ($($(#[$meta:meta])* $name:ident, $verb:literal, $event:expr;)*) => {$(
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
                Ok(before.moved($event, context, changes)?)
            }
        }
    )*};
}
events! {
    /// Says that a task is done.
    CompleteTask, "complete", TaskEvent::Complete;
    /// Says that a task is not to be done any more.
    CancelTask, "cancel", TaskEvent::Cancel;
    /// Says that a task is to be done after all, or again.
    ReopenTask, "reopen", TaskEvent::Reopen;
}
