//! What the commands on cases share: a case at work, with what its dates are computed by.

use super::calendar::BusinessCalendar;
use super::case_event::{CaseEvent, CaseEventKind};
use super::case_rule::rule_of;
use super::deadline::{DeadlineRule, Pause, due_by_kept};
use super::own_calendar::calendar_of;
use super::{Case, CaseStatus, ServiceError};
use crate::access::Grant;
use crate::context::Context;
use crate::crm::Session;
use crate::entity::{Entity as _, Stored};
use crate::error::CrmError;
use crate::id::Id;
use crate::store::{ChangeSet, Direction, Order, Select, StoreExt as _};
use crate::value::{Date, Instant, Notes, ValueError};

/// A case at work.
pub(super) struct Work {
    pub(super) before: Stored<Case>,
    pub(super) calendar: BusinessCalendar,
    /// The rule of its due date, if it has one.
    pub(super) rule: Option<DeadlineRule>,
    /// When the step happens: now, or right after its last step if the clock went back since.
    pub(super) at: Instant,
    /// The civil date of that, in the zone of its calendar.
    pub(super) today: Date,
}

/// What a step of a case tells besides what follows from the case.
pub(super) struct Step {
    pub(super) kind: CaseEventKind,
    pub(super) text: Option<Notes<10000>>,
    pub(super) days: Option<i64>,
}

impl Step {
    /// A step that tells nothing else.
    pub(super) const fn new(kind: CaseEventKind) -> Self {
        Self { kind, text: None, days: None }
    }

    /// A step with what was said.
    pub(super) fn said(kind: CaseEventKind, text: &Notes<10000>) -> Self {
        Self { text: Some(text.clone()), ..Self::new(kind) }
    }
}

impl Work {
    /// The case with this id, within a grant.
    pub(super) async fn load(
        session: &Session<'_>,
        grant: Grant,
        id: Id<Case>,
        context: &Context,
    ) -> Result<Self, CrmError> {
        let before = session.load(grant, id).await?;
        let at = after_last(session, id, context.now()).await?;
        Self::of(session, before, at).await
    }

    /// A case with what its dates are computed by.
    pub(super) async fn of(session: &Session<'_>, before: Stored<Case>, at: Instant) -> Result<Self, CrmError> {
        let calendar = calendar_of(session, before.calendar_id).await?.business()?;
        let rule = rule_of(session, &before).await?;
        let today = calendar.zone().date_at(at);
        Ok(Self { before, calendar, rule, at, today })
    }

    /// The rule of its due date.
    ///
    /// # Errors
    /// [`ServiceError::NoRule`] when it has none.
    pub(super) fn rule(&self) -> Result<&DeadlineRule, ServiceError> {
        self.rule.as_ref().ok_or_else(|| ServiceError::NoRule(self.before.label()))
    }

    /// The status after an event.
    ///
    /// # Errors
    /// When there is no such move, or the role may not make it.
    pub(super) fn step(&self, event: &'static str, context: &Context) -> Result<CaseStatus, CrmError> {
        self.before.after(event, context)
    }

    /// Refuses what cannot be done while the clock stands.
    pub(super) fn require_running(&self) -> Result<(), ServiceError> {
        match self.before.paused_since {
            Some(since) => Err(ServiceError::Paused { case: self.before.label(), since }),
            None => Ok(()),
        }
    }

    /// The due date with these pauses and so many days of extension; none without a rule or while the clock stands.
    pub(super) fn due_on(&self, pauses: &[Pause], extension_days: i64) -> Result<Option<Date>, CrmError> {
        due_on(self.rule.as_ref(), &self.calendar, self.before.counted_at, pauses, extension_days)
    }

    /// Adds the case as it is to be and the step that led there to a change-set.
    pub(super) fn write(
        &self,
        after: Case,
        step: Step,
        context: &mut Context,
        changes: &mut ChangeSet,
    ) -> Stored<Case> {
        if after == self.before.value {
            // The step rests on the case, even if it changes nothing in it.
            changes.require_unchanged(&self.before);
        }
        let after = changes.update(context, &self.before, after);
        let from_due_on = self.before.due_on;
        note(&after, from_due_on, (self.at, self.today), step, context, changes);
        after
    }
}

/// The due date of a term; none without a rule or while the clock stands.
pub(super) fn due_on(
    rule: Option<&DeadlineRule>,
    calendar: &BusinessCalendar,
    counted_at: Instant,
    pauses: &[Pause],
    extension_days: i64,
) -> Result<Option<Date>, CrmError> {
    let Some(rule) = rule else { return Ok(None) };
    let extension = u32::try_from(extension_days).map_err(|_| CrmError::invalid("days", ValueError::Overflow))?;
    Ok(due_by_kept(rule, calendar, counted_at, pauses, extension).map_err(ServiceError::from)?.due_on)
}

/// Now, or the instant after the last step of a case if that is later: the order of the steps is that of the commands,
/// even if the clock goes back between them.
pub(super) async fn after_last(session: &Session<'_>, case: Id<Case>, now: Instant) -> Result<Instant, CrmError> {
    let columns = CaseEvent::COLUMNS;
    let latest = Order { column: columns.at.index(), direction: Direction::Descending };
    let query = Select::new(CaseEvent::TABLE, columns.case_id.eq(&case).into()).ordered(&[latest]);
    let last: Option<Stored<CaseEvent>> = session.store().first(session.scope(), query).await?;
    Ok(match last {
        Some(last) => now.max(Instant::from_micros(last.at.micros().saturating_add(1))?),
        None => now,
    })
}

/// Adds a step of a case, with its instant and civil date, to a change-set.
pub(super) fn note(
    case: &Stored<Case>,
    from_due_on: Option<Date>,
    (at, on): (Instant, Date),
    step: Step,
    context: &mut Context,
    changes: &mut ChangeSet,
) {
    let event = CaseEvent {
        case_id: case.id,
        kind: step.kind,
        at,
        on,
        by_id: context.actor().id(),
        text: step.text,
        from_due_on,
        to_due_on: case.due_on,
        assignee_id: case.assignee_id,
        days: step.days,
    };
    changes.insert(context, event);
}

/// The steps of cases at which the clock stopped or went on, oldest first.
pub(super) async fn stops(session: &Session<'_>, cases: &[Id<Case>]) -> Result<Vec<Stored<CaseEvent>>, CrmError> {
    let columns = CaseEvent::COLUMNS;
    let kinds = [CaseEventKind::IncompleteNotice, CaseEventKind::Completed, CaseEventKind::Closed];
    let filter = columns.case_id.is_in(cases) & columns.kind.is_in(&kinds);
    let order = Order { column: columns.at.index(), direction: Direction::Ascending };
    let query = Select::new(CaseEvent::TABLE, filter.into()).ordered(&[order]);
    Ok(session.store().all(session.scope(), &query).await?)
}

/// The times for which the clock of a case stood since an instant, from the steps of it in order.
pub(super) fn pauses<'a>(steps: impl IntoIterator<Item = &'a Stored<CaseEvent>>, since: Instant) -> Vec<Pause> {
    ended_pauses(steps, since).into_iter().map(|(pause, _)| pause).collect()
}

/// The same with what ended each of them.
pub(super) fn ended_pauses<'a>(
    steps: impl IntoIterator<Item = &'a Stored<CaseEvent>>,
    since: Instant,
) -> Vec<(Pause, Option<CaseEventKind>)> {
    let mut pauses: Vec<(Pause, Option<CaseEventKind>)> = Vec::new();
    for step in steps.into_iter().filter(|step| step.at >= since) {
        match (step.kind, pauses.last_mut()) {
            (CaseEventKind::IncompleteNotice, _) => pauses.push((Pause { from: step.on, to: None }, None)),
            (kind, Some((last, end))) if last.to.is_none() => (last.to, *end) = (Some(step.on), Some(kind)),
            _ => {}
        }
    }
    pauses
}
