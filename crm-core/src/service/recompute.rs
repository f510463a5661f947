//! What a changed calendar, or a rule that came later, means for open cases: shown first, then applied.

use std::collections::HashMap;

use serde::Serialize;

use super::calendar::BusinessCalendar;
use super::case_event::{CaseEvent, CaseEventKind};
use super::case_rule::{Found, rule_for, rule_of};
use super::case_work::{Step, after_last, due_on, note, pauses, stops};
use super::deadline::Pause;
use super::own_calendar::current_calendar;
use super::{Calendar, Case, ServiceError};
use crate::crm::Session;
use crate::entity::{Entity as _, Stored};
use crate::error::CrmError;
use crate::id::Id;
use crate::store::{ChangeSet, Query, StoreError, StoreExt as _};
use crate::value::{Date, Text, ValueError};

/// How many cases are looked at in one go.
const PAGE: u32 = 1_000;
/// How often it is decided again before it is given up.
const TRIES: u32 = 20;

/// What the calendar as it is now makes of open cases, and rules of those that have none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Recomputed {
    /// The version of the calendar.
    pub calendar_version: String,
    /// How many open cases keep another state of the calendar, or have no rule and could get one.
    pub cases: i64,
    /// Those whose due date is another one, and those whose clock stands, in the order of their ids.
    pub moved: Vec<MovedCase>,
    /// Whether that was written.
    pub applied: bool,
}

/// A case whose due date is another one, or follows its completion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MovedCase {
    /// Which case.
    pub case_id: Id<Case>,
    /// Its number.
    pub number: Option<Text<50>>,
    /// The version of the calendar that it keeps.
    pub calendar_version: Text<100>,
    /// The civil date since which its clock stands; its due date follows the completion then.
    pub paused_since: Option<Date>,
    /// Its due date by that; none if it has no rule, or its clock stands.
    pub from_due_on: Option<Date>,
    /// Its due date by the calendar as it is now, and by the rule that it gets if it has none.
    pub to_due_on: Option<Date>,
}

impl Session<'_> {
    /// Computes the due dates of all open cases by the calendar as it is now, each by the rule that it keeps, and gives
    /// the cases whose date is another one, and those whose clock stands. A case without a rule gets the one that
    /// governs its receipt, or else the one in force today, if there is one. Cases are changed only if `apply` is set,
    /// all or none; then those whose date stays take the calendar as well.
    ///
    /// # Errors
    /// When the role may not do it; [`CrmError::Conflict`] when others kept being faster.
    pub async fn recompute_cases(&self, apply: bool) -> Result<Recomputed, CrmError> {
        let outcome = self.recompute(apply).await;
        if !outcome.as_ref().is_ok_and(|recomputed| recomputed.applied) {
            self.log_apart(Case::TABLE.entity, "recompute", outcome.as_ref().err()).await;
        }
        outcome
    }

    async fn recompute(&self, apply: bool) -> Result<Recomputed, CrmError> {
        for _ in 0..TRIES {
            self.require_current().await?;
            let acting = self.acting();
            let (operation, _) = self.granted_to(&acting, Case::TABLE.entity, "recompute")?;
            let (state, calendar) = current_calendar(self).await?;
            let found = self.stale_cases(&state, &calendar).await?;
            let cases = i64::try_from(found.len()).map_err(|_| CrmError::invalid("cases", ValueError::Overflow))?;
            let moves = |(before, after): &&(Stored<Case>, Case)| {
                before.due_on != after.due_on || (after.paused_since.is_some() && after.rule_code.is_some())
            };
            let moved = found.iter().filter(moves).map(|(before, after)| MovedCase {
                case_id: before.id,
                number: before.number.clone(),
                calendar_version: before.calendar_version.clone(),
                paused_since: before.paused_since,
                from_due_on: before.due_on,
                to_due_on: after.due_on,
            });
            let moved: Vec<MovedCase> = moved.collect();
            let calendar_version = calendar.version().to_owned();
            if !apply || found.is_empty() {
                return Ok(Recomputed { calendar_version, cases, moved, applied: false });
            }
            let mut context = self.context();
            let mut changes = ChangeSet::new(context.stamp(operation));
            acting.guard(&mut changes);
            changes.require_unchanged(&state);
            let now = context.now();
            for (before, after) in found {
                let after = changes.update(&context, &before, after);
                let step = Step::new(CaseEventKind::Recomputed);
                let at = after_last(self, before.id, now).await?;
                let on = calendar.zone().date_at(at);
                note(&after, before.due_on, (at, on), step, &mut context, &mut changes);
            }
            self.charge(&mut context, &mut changes, false).await?;
            self.log(&mut context, &mut changes);
            match self.store().apply(self.scope(), changes).await {
                Ok(_) => return Ok(Recomputed { calendar_version, cases, moved, applied: true }),
                Err(StoreError::Conflict { .. }) => self.refresh().await?,
                Err(error) => self.refused_for_good(error, "", &acting).await?,
            }
        }
        Err(CrmError::Conflict { entity: Case::TABLE.entity, reference: String::new() })
    }

    /// The open cases that keep another state of the calendar, or have no rule and could get one, as they are and as
    /// they would be.
    async fn stale_cases(
        &self,
        state: &Stored<Calendar>,
        calendar: &BusinessCalendar,
    ) -> Result<Vec<(Stored<Case>, Case)>, CrmError> {
        let columns = Case::COLUMNS;
        let stale = Case::open() & (columns.calendar_id.ne(&state.id) | columns.rule_code.is_null());
        let mut query = Query::new(stale).limit(PAGE);
        let mut found = Vec::new();
        loop {
            let page = self.store().page::<Case>(self.scope(), &query.to_select()?).await?;
            let ids: Vec<_> = page.items.iter().map(|case| case.id).collect();
            let mut steps: HashMap<Id<Case>, Vec<Stored<CaseEvent>>> = HashMap::new();
            for step in stops(self, &ids).await? {
                steps.entry(step.case_id).or_default().push(step);
            }
            for case in page.items {
                let pauses = pauses(steps.get(&case.id).into_iter().flatten(), case.counted_at);
                let after = self.by_now(&case, state, calendar, &pauses).await?;
                if after != case.value {
                    found.push((case, after));
                }
            }
            match page.next {
                Some(next) => query = query.after(Some(next)),
                None => return Ok(found),
            }
        }
    }

    /// A case as this state of the calendar makes it, with a rule if there is one for it.
    async fn by_now(
        &self,
        case: &Stored<Case>,
        state: &Stored<Calendar>,
        calendar: &BusinessCalendar,
        pauses: &[Pause],
    ) -> Result<Case, CrmError> {
        let mut after = case.value.clone();
        let mut rule = rule_of(self, case).await?;
        if rule.is_none() {
            let counted_on = calendar.received_on(case.counted_at).map_err(ServiceError::from)?;
            let today = calendar.zone().date_at(self.context().now());
            let mut found = rule_for(self, state.base, case.topic, counted_on).await?;
            if found.is_none() {
                found = rule_for(self, state.base, case.topic, today).await?;
            }
            Found::keep(found.as_ref(), &mut after)?;
            rule = found.map(|found| found.rule);
        }
        after.received_on = calendar.received_on(case.received_at).map_err(ServiceError::from)?;
        after.calendar_id = state.id;
        after.calendar_version = calendar.version().parse()?;
        let due_on = due_on(rule.as_ref(), calendar, case.counted_at, pauses, case.extension_days)?;
        after.due_on = due_on.filter(|_| case.paused_since.is_none());
        Ok(after)
    }
}
