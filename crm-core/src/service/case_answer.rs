//! How cases end: answered, notified, closed; and how they begin again: reopened, appealed.

use async_trait::async_trait;

use super::case_event::CaseEventKind;
use super::case_work::{Step, Work, due_on, pauses, stops};
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
        after.answered_on.get_or_insert(work.today);
        if after.first_answered_on.is_none() {
            after.first_answered_on = Some(work.today);
            after.answered_late = after.due_on.map(|due_on| work.today > due_on);
            after.answer_days = Some(work.days_taken(session).await?);
        }
        Ok(work.write(after, Step::said(CaseEventKind::Answered, &self.text), context, changes))
    }
}

impl Work {
    /// The business days from the receipt until today, those left out on which the clock stood.
    async fn days_taken(&self, session: &Session<'_>) -> Result<i64, CrmError> {
        let days = |from, to| self.calendar.business_days_between(from, to).map_err(ServiceError::from);
        let mut taken = days(self.before.received_on, self.today)?;
        let steps = stops(session, &[self.before.id]).await?;
        for pause in pauses(&steps, self.before.received_at) {
            // What is not counted begins on the day after the notice, and not before the count does.
            let from = pause.from.max(self.before.received_on);
            taken -= days(from, pause.to.unwrap_or(self.today).max(from))?;
        }
        Ok(taken.max(0))
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
        let after =
            Case { status, answered_on: None, notified_on: None, closed_on: None, ..work.before.value.clone() };
        Ok(work.write(after, Step::said(CaseEventKind::Reopened, &self.reason), context, changes))
    }
}

/// Opens a case again because the contact appeals against the answer: a new term of the same rule begins now.
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
        let counted_at = context.now();
        let due_on = due_on(work.rule.as_ref(), &work.calendar, counted_at, &[], 0)?;
        let after = Case {
            status,
            counted_at,
            due_on,
            extension_days: 0,
            answered_on: None,
            notified_on: None,
            closed_on: None,
            ..work.before.value.clone()
        };
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
