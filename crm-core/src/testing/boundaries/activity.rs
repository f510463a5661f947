//! What the calls of activities need.

use uuid::Uuid;

use crate::access::User;
use crate::activity::{Interaction, InteractionKind, Subject, Task, Timeline, TimelineOptions};
use crate::error::CrmError;
use crate::id::Id;
use crate::people::Contact;
use crate::value::{Notes, Text};
use crate::{Edit, Session};

/// One record of each kind that a call may name.
#[derive(Clone, Debug)]
pub(super) struct Ids {
    pub(super) task: Id<Task>,
    pub(super) interaction: Id<Interaction>,
}

impl Ids {
    /// The same id everywhere.
    pub(super) fn all(id: Uuid) -> Self {
        Self { task: Id::new(id), interaction: Id::new(id) }
    }

    super::mixed!(task, interaction);
}

/// A task of `owner`, and an interaction about the contact.
pub(super) async fn fixtures(session: &Session<'_>, owner: Id<User>, contact: Id<Contact>) -> Result<Ids, CrmError> {
    let assigned = task().about(Some(contact.into())).set(Task::COLUMNS.assignee_id, owner);
    let task = session.create(assigned).await?.id;
    let interaction = session.create(call().about(Some(contact.into()))).await?.id;
    Ok(Ids { task, interaction })
}

/// What is needed for a task.
pub(in crate::testing) fn task() -> Edit<Task> {
    let title: Text<200> = "Call back".parse().expect("a valid title");
    Edit::new().set(Task::COLUMNS.title, title)
}

pub(in crate::testing) fn call() -> Edit<Interaction> {
    let columns = Interaction::COLUMNS;
    let notes: Notes<10000> = "They will think about it".parse().expect("valid notes");
    Edit::new().set(columns.kind, InteractionKind::Call).set(columns.notes, notes)
}

/// Writes a task about a record.
pub(super) async fn give(session: &Session<'_>, subject: impl Into<Subject>) -> Result<(), CrmError> {
    session.create(task().about(Some(subject.into()))).await.map(drop)
}

/// Turns a task of the session's own to another subject.
pub(super) async fn turn_to(session: &Session<'_>, subject: impl Into<Subject>) -> Result<(), CrmError> {
    let task = session.create(task()).await?;
    session.update(task.id, Edit::new().about(Some(subject.into()))).await.map(drop)
}

/// Writes an interaction about a record.
pub(super) async fn log(session: &Session<'_>, subject: impl Into<Subject>) -> Result<(), CrmError> {
    session.create(call().about(Some(subject.into()))).await.map(drop)
}

/// Reads a record's timeline.
pub(super) async fn timeline(session: &Session<'_>, subject: impl Into<Subject> + Send) -> Result<Timeline, CrmError> {
    session.timeline(subject, &TimelineOptions::default()).await
}
