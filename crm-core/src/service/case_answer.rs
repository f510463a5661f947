//! How cases end: answered, notified, closed; and how they begin again: reopened, appealed.

use async_trait::async_trait;

use super::case_event::CaseEventKind;
use super::case_rule::{Found, rule_for};
use super::case_work::{Step, Work, due_on, pauses, stops};
use super::deadline::business_days_taken;
use super::own_calendar::current_calendar;
use super::{Case, ServiceError};
use crate::access::Grant;
use crate::context::Context;
use crate::crm::{Command, Session};
use crate::entity::Stored;
use crate::error::CrmError;
use crate::id::Id;
use crate::store::ChangeSet;
use crate::value::{Notes, ValueError};

/// Answers a case, or answers it further.
#[derive(Clone, Debug)]
pub struct AnswerCase {
    /// Which case.
    pub id: Id<Case>,
    /// The answer.
    pub text: Notes<10000>,
}

#[async_trait]
impl Command for AnswerCase {
    type Root = Case;
    const VERB: &'static str = "answer";

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
        let status = work.step("answered", context)?;
        work.require_running()?;
        let mut after = Case { status, answer: Some(self.text.clone()), ..work.before.value.clone() };
        if after.answered_on.is_none() {
            after.answered_on = Some(work.today);
            let late = after.due_on.map(|due_on| work.today > due_on);
            after.answered_late = after.answered_late.max(late);
        }
        if after.first_answered_on.is_none() {
            after.first_answered_on = Some(work.today);
            after.answer_days = Some(work.days_taken(session).await?);
        }
        Ok(work.write(after, Step::said(CaseEventKind::Answered, &self.text), context, changes))
    }
}

impl Work {
    /// The business days from the receipt until today, those left out on which the clock stood.
    async fn days_taken(&self, session: &Session<'_>) -> Result<i64, CrmError> {
        let steps = stops(session, &[self.before.id]).await?;
        let pauses = pauses(&steps, self.before.received_at);
        let days = business_days_taken(&self.calendar, self.before.received_on, self.today, &pauses);
        Ok(days.map_err(ServiceError::from)?)
    }
}

/// Says that the contact was told of the answer.
#[derive(Clone, Debug)]
pub struct NotifyCase {
    /// Which case.
    pub id: Id<Case>,
    /// How that is proved: a receipt, a guide number, a message's id.
    pub proof: Notes<10000>,
}

#[async_trait]
impl Command for NotifyCase {
    type Root = Case;
    const VERB: &'static str = "notify";

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
        let status = work.step("notified", context)?;
        let after = Case { status, notified_on: Some(work.today), ..work.before.value.clone() };
        Ok(work.write(after, Step::said(CaseEventKind::Notified, &self.proof), context, changes))
    }
}

/// Opens a case again that was answered or closed, because that was wrong. The date of the answer is cleared and the
/// history kept; the due date stands as it was, so that nobody gains time by it.
#[derive(Clone, Debug)]
pub struct ReopenCase {
    /// Which case.
    pub id: Id<Case>,
    /// Why.
    pub reason: Notes<10000>,
}

#[async_trait]
impl Command for ReopenCase {
    type Root = Case;
    const VERB: &'static str = "reopen";

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
        let status = work.step("reopened", context)?;
        let after = Case { status, answered_on: None, notified_on: None, closed_on: None, ..work.before.value.clone() };
        Ok(work.write(after, Step::said(CaseEventKind::Reopened, &self.reason), context, changes))
    }
}

/// Opens a case again because the contact appeals against the answer: a new term begins now, by the rule and the
/// calendar that are in force now.
///
/// So it is in Colombia's Law 142 of 1994, art. 158, which gives petitions, complaints and appeals the same term. Where
/// an appeal has another term, it is a case of its own, with a topic of its own.
#[derive(Clone, Debug)]
pub struct AppealCase {
    /// Which case.
    pub id: Id<Case>,
    /// What the contact says.
    pub grounds: Notes<10000>,
}

#[async_trait]
impl Command for AppealCase {
    type Root = Case;
    const VERB: &'static str = "appeal";

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
        let status = work.step("appealed", context)?;
        let counted_at = work.at;
        let (state, calendar) = current_calendar(session).await?;
        let received_on = calendar.received_on(counted_at).map_err(ServiceError::from)?;
        let found = rule_for(session, state.base, work.before.topic, received_on).await?;
        let due_on = due_on(found.as_ref().map(|found| &found.rule), &calendar, counted_at, &[], 0)?;
        let mut after = Case {
            status,
            counted_at,
            calendar_id: state.id,
            calendar_version: calendar.version().parse()?,
            due_on,
            extension_days: 0,
            answered_on: None,
            notified_on: None,
            closed_on: None,
            ..work.before.value.clone()
        };
        Found::keep(found.as_ref(), &mut after)?;
        Ok(work.write(after, Step::said(CaseEventKind::Appealed, &self.grounds), context, changes))
    }
}

/// Closes a case.
#[derive(Clone, Debug)]
pub struct CloseCase {
    /// Which case.
    pub id: Id<Case>,
    /// Why; required if it has no answer.
    pub reason: Option<Notes<10000>>,
}

#[async_trait]
impl Command for CloseCase {
    type Root = Case;
    const VERB: &'static str = "close";

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
        let status = work.step("closed", context)?;
        if work.before.status.is_open() && self.reason.is_none() {
            return Err(CrmError::invalid("reason", ValueError::Blank));
        }
        // The clock stands no longer: what is opened again has the days that were left.
        let due_on = match work.before.paused_since {
            Some(_) => work.resumed_due_on(session).await?,
            None => work.before.due_on,
        };
        let closed_on = Some(work.today);
        let after = Case { status, due_on, paused_since: None, closed_on, ..work.before.value.clone() };
        let step = Step { text: self.reason.clone(), ..Step::new(CaseEventKind::Closed) };
        Ok(work.write(after, step, context, changes))
    }
}
