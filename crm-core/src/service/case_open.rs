//! How cases come in and who works on them: opened, assigned, transferred.

use async_trait::async_trait;

use super::case::first_of_month;
use super::case_event::CaseEventKind;
use super::case_rule::{Found, rule_for};
use super::case_work::{Step, Work, due_on, note};
use super::deadline::{Silence, Topic};
use super::own_calendar::current_calendar;
use super::{AnswerCase, Case, CaseStatus, ServiceError};
use crate::access::{Grant, Membership, Rights, User, policy};
use crate::billing::{BillingError, DocumentKind, Numbering};
use crate::context::Context;
use crate::crm::{Command, Session};
use crate::crud::{self, Edit};
use crate::entity::{Entity as _, Field as _, Stored};
use crate::error::CrmError;
use crate::id::Id;
use crate::people::Contact;
use crate::store::{ChangeSet, Select, StoreExt as _};
use crate::value::{Instant, Notes, Text, ValueError};

/// Opens a case: it gets its number, its rule and its due date.
#[derive(Clone, Debug, Default)]
pub struct OpenCase {
    /// Its fields; `kind`, `subject`, `description` and `contact_id` are required.
    pub edit: Edit<Case>,
    /// Who works on it from the beginning.
    pub assignee: Option<Id<User>>,
}

impl OpenCase {
    /// A case with these fields, on which nobody works yet.
    pub const fn new(edit: Edit<Case>) -> Self {
        Self { edit, assignee: None }
    }
}

#[async_trait]
impl Command for OpenCase {
    type Root = Case;
    const VERB: &'static str = "open";

    fn body(&self) -> String {
        format!("{}\n{:?}", self.edit.encode(), self.assignee)
    }

    async fn decide(
        &self,
        session: &Session<'_>,
        grant: Grant,
        context: &mut Context,
        changes: &mut ChangeSet,
    ) -> Result<Stored<Case>, CrmError> {
        let columns = Case::COLUMNS;
        let (state, calendar) = current_calendar(session).await?;
        let given = |column: usize| self.edit.value(column).cloned();
        let topic = given(columns.topic.index()).map_or(Ok(state.topic), Topic::load)?;
        let received_at = given(columns.received_at.index()).map_or(Ok(context.now()), Instant::load)?;
        let today = calendar.zone().date_at(context.now());
        let arrived_on = calendar.zone().date_at(received_at);
        let received_on = calendar.received_on(received_at).map_err(ServiceError::from)?;
        let rule = rule_for(session, state.base, topic, received_on).await?;
        let due_on = due_on(rule.as_ref().map(|rule| &rule.rule), &calendar, received_at, &[], 0)?;
        let status = if self.assignee.is_some() { CaseStatus::InProgress } else { CaseStatus::Received };
        let base = Edit::new()
            .set(columns.topic, topic)
            .set(columns.status, status)
            .set(columns.assignee_id, self.assignee)
            .set(columns.received_on, received_on)
            .set(columns.received_month, first_of_month(arrived_on))
            .set(columns.counted_at, received_at)
            .set(columns.calendar_id, state.id)
            .set(columns.calendar_version, calendar.version().parse::<Text<100>>()?)
            .set(columns.silence, Silence::None)
            .set(columns.due_on, due_on);
        let mut case = crud::create_on(self.edit.clone(), base, context)?;
        Found::keep(rule.as_ref(), &mut case)?;
        let assignee = Edit::new().set(columns.assignee_id, self.assignee);
        let references = crud::references(&self.edit).chain(crud::references(&assignee));
        session.check_references(references, Case::TABLE).await?;
        require_worker(session, self.assignee).await?;
        if case.account_number.is_none() {
            let contact: Option<Stored<Contact>> = session.store().get(session.scope(), case.contact_id).await?;
            case.account_number = contact.and_then(|contact| contact.value.account_number);
        }
        let case = changes.insert(context, case);
        session.require_own(grant, &case)?;
        let series = Numbering::of(session, DocumentKind::Case).await?;
        let series = series.ok_or(BillingError::NoSeries(DocumentKind::Case))?;
        series.take(context, changes, std::iter::once(case.id), columns.number.index(), today)?;
        let now = context.now();
        note(&case, None, (now, arrived_on), Step::new(CaseEventKind::Received), context, changes);
        if case.assignee_id.is_some() {
            note(&case, case.due_on, (now, today), Step::new(CaseEventKind::Assigned), context, changes);
        }
        Ok(case)
    }
}

/// Gives a case to an active member whose role may work on cases, or to nobody.
#[derive(Clone, Debug)]
pub struct AssignCase {
    /// Which case.
    pub id: Id<Case>,
    /// To whom.
    pub assignee: Option<Id<User>>,
}

#[async_trait]
impl Command for AssignCase {
    type Root = Case;
    const VERB: &'static str = "assign";

    fn body(&self) -> String {
        format!("{self:?}")
    }

    async fn decide(
        &self,
        session: &Session<'_>,
        grant: Grant,
        context: &mut Context,
        changes: &mut ChangeSet,
    ) -> Result<Stored<Case>, CrmError> {
        let work = Work::load(session, grant, self.id, context).await?;
        let status = work.step("assigned", context)?;
        if work.before.assignee_id == self.assignee {
            return Ok(work.before);
        }
        let edit = Edit::new().set(Case::COLUMNS.assignee_id, self.assignee);
        session.check_references(crud::references(&edit), Case::TABLE).await?;
        require_worker(session, self.assignee).await?;
        let status = if self.assignee.is_some() { status } else { work.before.status };
        let after = Case { assignee_id: self.assignee, status, ..work.before.value.clone() };
        let after = work.write(after, Step::new(CaseEventKind::Assigned), context, changes);
        session.require_own(grant, &after)?;
        Ok(after)
    }
}

/// Refuses a member whose role may not work on cases.
async fn require_worker(session: &Session<'_>, assignee: Option<Id<User>>) -> Result<(), CrmError> {
    let Some(assignee) = assignee else { return Ok(()) };
    let query = Select::new(Membership::TABLE, Membership::COLUMNS.user_id.eq(&assignee).into());
    let member: Option<Stored<Membership>> = session.store().first(session.scope(), query).await?;
    let may_work = |role| policy::authorize(Rights::of(role), Case::TABLE.entity, AnswerCase::VERB).is_ok();
    if member.is_some_and(|member| !may_work(member.role)) {
        let when = "the role of this member may not work on cases";
        return Err(CrmError::invalid("assignee_id", ValueError::NotAllowed { when }));
    }
    Ok(())
}

/// Passes a case on to another office, which is told in words. Who works on it here and its due date stay.
#[derive(Clone, Debug)]
pub struct TransferCase {
    /// Which case.
    pub id: Id<Case>,
    /// To whom, and why.
    pub to: Notes<10000>,
}

#[async_trait]
impl Command for TransferCase {
    type Root = Case;
    const VERB: &'static str = "transfer";

    fn body(&self) -> String {
        format!("{self:?}")
    }

    async fn decide(
        &self,
        session: &Session<'_>,
        grant: Grant,
        context: &mut Context,
        changes: &mut ChangeSet,
    ) -> Result<Stored<Case>, CrmError> {
        let work = Work::load(session, grant, self.id, context).await?;
        let after = Case { status: work.step("transferred", context)?, ..work.before.value.clone() };
        Ok(work.write(after, Step::said(CaseEventKind::Transferred, &self.to), context, changes))
    }
}
