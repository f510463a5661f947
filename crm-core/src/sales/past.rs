//! Deals that come from elsewhere with a past of their own: where they stand, and the history that tells of it.

use super::deal::{BACK, DEAL_STAGE, Deal, DealStatus, FORWARD};
use super::{Stage, StageChange};
use crate::access::policy;
use crate::context::Context;
use crate::crud::{self, Edit, Rules as _};
use crate::entity::{Entity as _, Stored};
use crate::error::{CrmError, Invalid};
use crate::id::Id;
use crate::store::ChangeSet;
use crate::value::{Date, Instant, Text, ValueError, Zone};

/// When something happened.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Moment {
    /// On a civil day; its first instant counts.
    Day(Date),
    /// At an instant.
    At(Instant),
}

impl Moment {
    fn instant(self, zone: Zone) -> Instant {
        match self {
            Self::Day(day) => zone.start_of(day),
            Self::At(instant) => instant,
        }
    }

    /// Whether an instant is this one, or of this day.
    pub(crate) fn is(self, instant: Instant, zone: Zone) -> bool {
        match self {
            Self::Day(day) => zone.date_at(instant) == day,
            Self::At(at) => at == instant,
        }
    }
}

/// Where a deal from elsewhere stands, and since when.
///
/// What is refused is named by the deal's fields.
pub(crate) struct Standing<'a> {
    /// Its stage.
    pub(crate) stage: &'a Stored<Stage>,
    /// Its status: of a new deal `new` if it is absent, otherwise as it is.
    pub(crate) status: Option<DealStatus>,
    /// When it began: now if it is absent.
    pub(crate) opened: Option<Moment>,
    /// When it was won or lost: now if it is absent.
    pub(crate) closed: Option<Moment>,
    /// Why it was lost; only of lost deals.
    pub(crate) lost_reason: Option<Text<500>>,
}

impl Standing<'_> {
    /// The deal that an edit makes of nothing.
    ///
    /// # Errors
    /// [`CrmError::Invalid`] with every field that is missing or refused.
    pub(crate) fn create(&self, edit: Edit<Deal>, context: &Context) -> Result<Deal, CrmError> {
        let zone = context.organization().time_zone;
        let status = self.status.unwrap_or(DealStatus::New);
        let mut refused = self.dates(status, context);
        if self.closed.is_some() && self.opened.is_none() {
            refused.push(Invalid::new("opened_at", ValueError::Blank));
        }
        let opened_at = self.opened.map_or_else(|| context.now(), |opened| opened.instant(zone));
        let closed_at = self.closed.map(|closed| closed.instant(zone));
        if refused.is_empty() && closed_at.is_some_and(|closed_at| closed_at < opened_at) {
            refused.push(Invalid::new("closed_at", ValueError::NotAllowed { when: "the deal began later" }));
        }
        let columns = Deal::COLUMNS;
        let reason = self.lost_reason.clone().filter(|_| status == DealStatus::Lost);
        let base = Edit::new()
            .set(columns.pipeline_id, self.stage.pipeline_id)
            .set(columns.stage_id, self.stage.id)
            .set(columns.status, status)
            .set(columns.opened_at, opened_at)
            .set(columns.stage_entered_at, opened_at)
            .set(columns.closed_at, closed_at)
            .set(columns.lost_reason, reason);
        both(refused, crud::create_on(edit, base, context))
    }

    /// What becomes of a deal that is there, in the stage `from`. A closed one stays as it was closed.
    ///
    /// # Errors
    /// [`CrmError::Invalid`] with every field that is refused.
    pub(crate) fn change(
        &self,
        before: &Stored<Deal>,
        from: &Stored<Stage>,
        edit: &Edit<Deal>,
        context: &Context,
    ) -> Result<Deal, CrmError> {
        let zone = context.organization().time_zone;
        let changed = crud::change(before, edit, context);
        let status = self.status.unwrap_or(before.status);
        if !before.status.is_open() {
            return both(self.differences(before, status, zone), changed);
        }
        let mut refused = self.dates(status, context);
        let mut refuse = |field: &str, when| refused.push(Invalid::new(field, ValueError::NotAllowed { when }));
        if status == DealStatus::New && before.status != DealStatus::New {
            refuse("status", "the deal is in progress");
        }
        let moved = self.stage.id != before.stage_id;
        if moved && self.status == Some(DealStatus::New) {
            refuse("status", "the deal moves to another stage");
        }
        let event = if self.stage.position > from.position { FORWARD } else { BACK };
        if moved && DEAL_STAGE.step(&before.title, "open", event, context.rights()).is_err() {
            refuse("stage", "the role may not move deals back");
        }
        let at = self.closed.map_or_else(|| context.now(), |closed| closed.instant(zone));
        if self.closed.is_some() && at < before.stage_entered_at {
            refuse("closed_at", "the visit of the deal's stage began later");
        }
        let mut after = both(refused, changed)?;
        if moved {
            after.stage_id = self.stage.id;
            after.stage_entered_at = at;
        }
        after.status = if moved && status == DealStatus::New { DealStatus::InProgress } else { status };
        after.closed_at = Some(at).filter(|_| !status.is_open());
        after.lost_reason.clone_from(&self.lost_reason);
        after.check(Some(&before.value), context).map_err(CrmError::Invalid)?;
        Ok(after)
    }

    /// Dates that the role may not give, that lie ahead, or that an open deal does not have.
    fn dates(&self, status: DealStatus, context: &Context) -> Vec<Invalid> {
        let zone = context.organization().time_zone;
        let past = policy::authorize(context.rights(), Deal::TABLE.entity, "import_past").is_ok();
        let mut refused = Vec::new();
        for (field, moment) in [("opened_at", self.opened), ("closed_at", self.closed)] {
            let Some(moment) = moment else { continue };
            let when = match moment {
                _ if !past => "the role may not import history",
                _ if moment.instant(zone) > context.now() => "it lies ahead",
                _ if field == "closed_at" && status.is_open() => "the deal is open",
                _ => continue,
            };
            refused.push(Invalid::new(field, ValueError::NotAllowed { when }));
        }
        refused
    }

    /// Where a closed deal is said to stand otherwise.
    fn differences(&self, before: &Deal, status: DealStatus, zone: Zone) -> Vec<Invalid> {
        let mut refused = Vec::new();
        let mut unless = |same: bool, field: &str| {
            if !same {
                refused.push(Invalid::new(field, ValueError::NotAllowed { when: "the deal is closed otherwise" }));
            }
        };
        unless(status == before.status, "status");
        unless(self.stage.id == before.stage_id, "stage");
        let closed_at = before.closed_at;
        unless(self.closed.is_none_or(|closed| closed_at.is_some_and(|at| closed.is(at, zone))), "closed_at");
        let lost = before.status == DealStatus::Lost;
        unless(!lost || self.lost_reason.is_none() || self.lost_reason == before.lost_reason, "lost_reason");
        refused
    }
}

/// What was made, unless something is refused besides.
fn both(mut refused: Vec<Invalid>, made: Result<Deal, CrmError>) -> Result<Deal, CrmError> {
    match made {
        Ok(deal) if refused.is_empty() => Ok(deal),
        Ok(_) => Err(CrmError::Invalid(refused)),
        Err(CrmError::Invalid(more)) => {
            refused.extend(more);
            Err(CrmError::Invalid(refused))
        }
        Err(error) => Err(error),
    }
}

/// Adds the steps from a deal as it was, if it was there, to what it is, marked as imported.
///
/// A deal that was won or lost was in progress before; one that is won or lost in another stage came there first.
pub(crate) fn write_history(
    before: Option<&Deal>,
    id: Id<Deal>,
    after: &Deal,
    context: &mut Context,
    changes: &mut ChangeSet,
) {
    let by = context.actor().user().map(Id::uuid);
    let mut step = |before: Option<&Deal>, after: &Deal, at: Instant| {
        let step = StageChange { imported: true, ..StageChange::between(before, id, after, at, by) };
        changes.insert(context, step);
    };
    let status = if after.status == DealStatus::New { DealStatus::New } else { DealStatus::InProgress };
    let open = Deal { status, closed_at: None, lost_reason: None, ..after.clone() };
    let visited = match before {
        Some(before) if before.stage_id == after.stage_id => before,
        _ => {
            step(before, &open, after.stage_entered_at);
            &open
        }
    };
    if let (true, Some(closed_at)) = (visited.status.is_open(), after.closed_at) {
        step(Some(visited), after, closed_at);
    }
}
