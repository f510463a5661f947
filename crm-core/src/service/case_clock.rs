//! The clock of cases: it stops when something is missing, goes on when that came in, and may be given more days.

use async_trait::async_trait;

use super::case_event::CaseEventKind;
use super::case_work::{Step, Work, pauses, stops};
use super::deadline::{Pause, Unit};
use super::{Case, ServiceError};
use crate::access::Grant;
use crate::context::Context;
use crate::crm::{Command, Session};
use crate::entity::Stored;
use crate::error::CrmError;
use crate::id::Id;
use crate::store::ChangeSet;
use crate::value::{Date, Notes, ValueError};

/// Tells the contact that something is missing: the clock stops, and the case has no due date while it stands.
#[derive(Clone, Debug)]
pub struct PauseCase {
    /// Which case.
    pub id: Id<Case>,
    /// What is missing.
    pub missing: Notes<10000>,
}

#[async_trait]
impl Command for PauseCase {
    type Root = Case;
    const VERB: &'static str = "pause";

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
        let status = work.step("paused", context)?;
        work.require_running()?;
        work.require_in_time()?;
        let after = Case { status, due_on: None, paused_since: Some(work.today), ..work.before.value.clone() };
        Ok(work.write(after, Step::said(CaseEventKind::IncompleteNotice, &self.missing), context, changes))
    }
}

/// Says that what was missing came in: the clock goes on, with the days that were left.
#[derive(Clone, Debug)]
pub struct CompleteCase {
    /// Which case.
    pub id: Id<Case>,
    /// What came in.
    pub text: Option<Notes<10000>>,
}

#[async_trait]
impl Command for CompleteCase {
    type Root = Case;
    const VERB: &'static str = "complete";

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
        let status = work.step("completed", context)?;
        if work.before.paused_since.is_none() {
            return Err(ServiceError::NotPaused(work.before.label()).into());
        }
        let due_on = work.resumed_due_on(session).await?;
        let after = Case { status, due_on, paused_since: None, ..work.before.value.clone() };
        let step = Step { text: self.text.clone(), ..Step::new(CaseEventKind::Completed) };
        Ok(work.write(after, step, context, changes))
    }
}

/// How far the due date of a case moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExtendBy {
    /// By so many days of the rule's unit, above zero.
    Days(u32),
    /// To this civil date, a day on which a term of the rule can end.
    To(Date),
}

/// Gives a case more time. The contact is to be told before the due date, so afterwards it is refused; and so is what
/// is beyond the rule's largest extension.
#[derive(Clone, Debug)]
pub struct ExtendCase {
    /// Which case.
    pub id: Id<Case>,
    /// How far.
    pub by: ExtendBy,
    /// Why.
    pub reason: Notes<10000>,
}

#[async_trait]
impl Command for ExtendCase {
    type Root = Case;
    const VERB: &'static str = "extend";

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
        let status = work.step("extended", context)?;
        work.require_running()?;
        work.require_in_time()?;
        let days = work.extension(self.by)?;
        let largest = i64::from(work.rule()?.largest_extension_days());
        let extension_days = work.before.extension_days.saturating_add(days);
        if extension_days > largest {
            let (case, had) = (work.before.label(), work.before.extension_days);
            return Err(ServiceError::BeyondExtension { case, asked: days, largest, had }.into());
        }
        let steps = stops(session, &[work.before.id]).await?;
        let due_on = work.due_on(&pauses(&steps, work.before.counted_at), extension_days)?;
        if let ExtendBy::To(date) = self.by
            && due_on != Some(date)
        {
            let when = "no term of the rule can end on this day";
            return Err(CrmError::invalid("to", ValueError::NotAllowed { when }));
        }
        let after = Case { status, extension_days, due_on, ..work.before.value.clone() };
        let step = Step { days: Some(days), ..Step::said(CaseEventKind::Extended, &self.reason) };
        Ok(work.write(after, step, context, changes))
    }
}

impl Work {
    /// Refuses what must be done by the due date.
    fn require_in_time(&self) -> Result<(), ServiceError> {
        match self.before.due_on {
            Some(due_on) if self.today > due_on => Err(ServiceError::Late { case: self.before.label(), due_on }),
            _ => Ok(()),
        }
    }

    /// How many days an extension adds.
    fn extension(&self, by: ExtendBy) -> Result<i64, CrmError> {
        let rule = self.rule()?;
        let not_positive = |field| CrmError::invalid(field, ValueError::NotPositive);
        match (by, self.before.due_on) {
            (ExtendBy::Days(0), _) => Err(not_positive("days")),
            (ExtendBy::Days(days), _) => Ok(i64::from(days)),
            (ExtendBy::To(date), Some(due_on)) if date > due_on => match rule.unit {
                Unit::Business => {
                    let days = self.calendar.business_days_between(due_on, date);
                    Ok(days.map_err(ServiceError::from)?)
                }
                Unit::Calendar => Ok((date - due_on).num_days()),
            },
            (ExtendBy::To(got), Some(due_on)) => {
                Err(CrmError::invalid("to", ValueError::Before { earliest: due_on, got }))
            }
            (ExtendBy::To(_), None) => Err(ServiceError::NoRule(self.before.label()).into()),
        }
    }

    /// The due date when the clock goes on today.
    pub(super) async fn resumed_due_on(&self, session: &Session<'_>) -> Result<Option<Date>, CrmError> {
        let steps = stops(session, &[self.before.id]).await?;
        let mut pauses: Vec<Pause> = pauses(&steps, self.before.counted_at);
        if let Some(last) = pauses.last_mut() {
            last.to.get_or_insert(self.today);
        }
        self.due_on(&pauses, self.before.extension_days)
    }
}
