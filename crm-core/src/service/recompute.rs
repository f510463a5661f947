//! What a changed calendar means for open cases: shown first, then applied.

use std::collections::HashMap;

use serde::Serialize;

use super::calendar::BusinessCalendar;
use super::case_event::{CaseEvent, CaseEventKind};
use super::case_rule::rule_of;
use super::case_work::{Step, after_last, due_on, note, pauses, stops};
use super::own_calendar::current_calendar;
use super::{Calendar, Case};
use crate::crm::Session;
use crate::entity::{Entity as _, Stored};
use crate::error::CrmError;
use crate::id::Id;
use crate::store::{ChangeSet, Query, StoreError, StoreExt as _};
use crate::value::{Date, Text};

/// How many cases are looked at in one go.
const PAGE: u32 = 1_000;
/// How often it is decided again before it is given up.
const TRIES: u32 = 20;

/// What the calendar as it is now makes of open cases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Recomputed {
    /// The version of the calendar.
    pub calendar_version: String,
    /// How many open cases keep another state of the calendar.
    pub cases: i64,
    /// Those whose due date is another one by it, in the order of their ids.
    pub moved: Vec<MovedCase>,
    /// Whether that was written.
    pub applied: bool,
}

/// A case whose due date is another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MovedCase {
    /// Which case.
    pub case_id: Id<Case>,
    /// Its number.
    pub number: Option<Text<50>>,
    /// The version of the calendar that it keeps.
    pub calendar_version: Text<100>,
    /// Its due date by that.
    pub from_due_on: Option<Date>,
    /// Its due date by the calendar as it is now.
    pub to_due_on: Option<Date>,
}

impl Session<'_> {
    /// Computes the due dates of all open cases by the calendar as it is now, each by the rule that it keeps, and gives
    /// the cases whose date is another one. They are changed only if `apply` is set, all or none; the other cases keep
    /// their state of the calendar.
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
            let acting = self.acting();
            let (operation, _) = self.authorize(Case::TABLE.entity, "recompute")?;
            let (state, calendar) = current_calendar(self).await?;
            let (cases, found) = self.moved_cases(&state, &calendar).await?;
            let moved = found.iter().map(|(before, after)| MovedCase {
                case_id: before.id,
                number: before.number.clone(),
                calendar_version: before.calendar_version.clone(),
                from_due_on: before.due_on,
                to_due_on: after.due_on,
            });
            let moved: Vec<MovedCase> = moved.collect();
            let calendar_version = calendar.version().to_owned();
            if !apply || moved.is_empty() {
                return Ok(Recomputed { calendar_version, cases, moved, applied: false });
            }
            let mut context = self.context();
            let mut changes = ChangeSet::new(context.stamp(operation));
            self.guard(&acting, &mut changes);
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
                Err(error) => self.refused_for_good(error, "").await?,
            }
        }
        Err(CrmError::Conflict { entity: Case::TABLE.entity, reference: String::new() })
    }

    /// How many open cases keep another state of the calendar, and those whose due date is another one by this state,
    /// as they are and as they would be.
    async fn moved_cases(
        &self,
        state: &Stored<Calendar>,
        calendar: &BusinessCalendar,
    ) -> Result<(i64, Vec<(Stored<Case>, Case)>), CrmError> {
        let columns = Case::COLUMNS;
        let stale = Case::open() & columns.calendar_id.ne(&state.id) & !columns.rule_code.is_null();
        let version: Text<100> = calendar.version().parse()?;
        let mut query = Query::new(stale).limit(PAGE);
        let (mut looked_at, mut moved) = (0, Vec::new());
        loop {
            let page = self.store().page::<Case>(self.scope(), &query.to_select()?).await?;
            let ids: Vec<_> = page.items.iter().map(|case| case.id).collect();
            let mut steps: HashMap<Id<Case>, Vec<Stored<CaseEvent>>> = HashMap::new();
            for step in stops(self, &ids).await? {
                steps.entry(step.case_id).or_default().push(step);
            }
            for case in page.items {
                looked_at += 1;
                let rule = rule_of(self, &case).await?;
                let pauses = pauses(steps.get(&case.id).into_iter().flatten(), case.counted_at);
                let due_on = due_on(rule.as_ref(), calendar, case.counted_at, &pauses, case.extension_days)?;
                if due_on != case.due_on {
                    let received_on = calendar.received_on(case.received_at).map_err(super::ServiceError::from)?;
                    let (calendar_id, calendar_version) = (state.id, version.clone());
                    let after = Case { received_on, calendar_id, calendar_version, due_on, ..case.value.clone() };
                    moved.push((case, after));
                }
            }
            match page.next {
                Some(next) => query = query.after(Some(next)),
                None => return Ok((looked_at, moved)),
            }
        }
    }
}
