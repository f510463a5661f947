//! The business calendar of an organization, as a series of states.
//!
//! A state is never changed: whatever is set makes the next one. A case keeps the state by which its dates were
//! computed, so that they can be computed and explained again at any time.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::ServiceError;
use super::calendar::{BusinessCalendar, Override, OverrideKind, Week, built_in};
use super::deadline::Topic;
use crate::access::{Grant, Organization};
use crate::context::Context;
use crate::crm::{Command, Session};
use crate::crud::{self, Edit, Rules};
use crate::entity::{Entity as _, Stored};
use crate::error::{CrmError, Invalid};
use crate::id::Id;
use crate::store::{ChangeSet, Select, StoreError, StoreExt as _};
use crate::value::{Country, Date, Document, Text, ValueError, Zone};

crate::entity! {
    /// A state of the organization's business calendar. The current one is the one with the largest revision.
    pub struct Calendar: "calendar" in "crm_calendar" as Record, Organization {
        /// Counts the states, from 1.
        pub revision: i64 [SERVER_OWNED],
        /// Whether it is the current state.
        pub is_current: bool [SERVER_OWNED],
        /// What the organization calls its calendar.
        pub code: Text<64>,
        /// The country whose public holidays apply: BR, CO, ES, RU or VE. Its deadline rules apply too, which are built in
        /// for CO only; without one there are none but the organization's own.
        pub base: Option<Country>,
        /// The zone of its days and hours.
        pub zone: Zone,
        /// When the office is open.
        pub week: Week,
        /// What new cases are about in law unless they say so.
        pub topic: Topic,
        /// The days that differ from the week and the public holidays, a JSON array in order: `on`, `kind` and `name`.
        pub days: Document [SERVER_OWNED],
    }
    columns CalendarColumns;
    derived {
        /// 1 for the current state, otherwise absent.
        current_key: Option<i64> = |calendar: &Calendar| calendar.is_current.then_some(1),
    }
    unique {
        "crm_calendar_revision": [revision],
        "crm_calendar_current_key": [current_key],
    }
    index { }
}

/// A day that differs, as it stands in the column `days`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalendarDay {
    /// The civil date.
    pub on: Date,
    /// What it is.
    pub kind: OverrideKind,
    /// Why.
    pub name: Text<100>,
}

/// How many days may differ.
const MOST_DAYS: usize = 2_000;

impl Calendar {
    /// The days that differ from the week and the public holidays, in order.
    ///
    /// # Errors
    /// When the stored text is no such list.
    pub fn overrides(&self) -> Result<Vec<CalendarDay>, ValueError> {
        serde_json::from_str(self.days.as_str()).map_err(|_| ValueError::syntax("days", self.days.as_str()))
    }

    /// With these days that differ.
    fn with_days(self, days: &[CalendarDay]) -> Self {
        Self { days: Document::new(&serde_json::json!(days)), ..self }
    }

    /// The calendar that an organization begins with: the holidays of its region where they are known, its zone, and a
    /// week from Monday to Friday.
    fn first(organization: &Organization) -> Result<Self, ValueError> {
        let region = organization.default_region.map(|region| region.to_string());
        let base = region.filter(|code| built_in(code).is_some()).and_then(|code| code.parse().ok());
        let days = Document::new(&serde_json::json!([]));
        let (zone, week, topic) = (organization.time_zone, Week::standard(), Topic::General);
        Ok(Self {
            revision: 1,
            is_current: true,
            code: organization.slug.as_str().parse()?,
            base,
            zone,
            week,
            topic,
            days,
        })
    }
}

impl Stored<Calendar> {
    /// The calendar by which days are counted.
    ///
    /// # Errors
    /// When the stored days cannot be read.
    pub fn business(&self) -> Result<BusinessCalendar, CrmError> {
        let corrupt = |reason: ValueError| StoreError::Corrupt {
            table: Calendar::TABLE.name,
            column: "days",
            id: Some(self.id.uuid()),
            reason: reason.to_string(),
        };
        let days = self.overrides().map_err(corrupt)?;
        let days = days.into_iter().map(|day| Override { date: day.on, kind: day.kind, name: day.name.to_string() });
        let days: Vec<Override> = days.collect();
        let base = self.base.and_then(|base| built_in(base.code()));
        Ok(BusinessCalendar::new(&*self.code, base, self.zone, self.week.clone(), &days, self.revision))
    }
}

impl Rules for Calendar {
    fn defaults(context: &Context) -> Edit<Self> {
        let columns = Self::COLUMNS;
        let Ok(first) = Self::first(context.organization()) else { return Edit::new() };
        Edit::new()
            .set(columns.revision, first.revision)
            .set(columns.is_current, first.is_current)
            .set(columns.code, first.code)
            .set(columns.base, first.base)
            .set(columns.zone, first.zone)
            .set(columns.week, first.week)
            .set(columns.topic, first.topic)
            .set(columns.days, first.days)
    }

    fn check(&mut self, _: Option<&Self>, _: &Context) -> Result<(), Vec<Invalid>> {
        if let Some(base) = self.base
            && built_in(base.code()).is_none()
        {
            let known: Vec<&str> = super::calendar::BUILT_IN.iter().map(|country| country.code).collect();
            return Err(vec![Invalid::new("base", ValueError::unknown_value(base.code(), &known))]);
        }
        Ok(())
    }
}

/// Adds the calendar that every organization begins with.
pub(crate) fn first_calendar(context: &mut Context, changes: &mut ChangeSet) -> Result<(), CrmError> {
    let calendar = Calendar::first(context.organization())?;
    changes.insert(context, calendar);
    Ok(())
}

impl Session<'_> {
    /// The organization's calendar as it is now.
    ///
    /// # Errors
    /// [`ServiceError::NoCalendar`] when it has none.
    pub async fn calendar(&self) -> Result<Stored<Calendar>, CrmError> {
        self.visible::<Calendar>("read").await?;
        current(self).await?.ok_or_else(|| ServiceError::NoCalendar.into())
    }
}

async fn current(session: &Session<'_>) -> Result<Option<Stored<Calendar>>, CrmError> {
    let query = Select::new(Calendar::TABLE, Calendar::COLUMNS.current_key.eq(&Some(1)).into());
    Ok(session.store().first(session.scope(), query).await?)
}

/// The current state with the date-computing half of it.
pub(super) async fn current_calendar(session: &Session<'_>) -> Result<(Stored<Calendar>, BusinessCalendar), CrmError> {
    let calendar = current(session).await?.ok_or(ServiceError::NoCalendar)?;
    let business = calendar.business()?;
    Ok((calendar, business))
}

/// The state with this id.
pub(super) async fn calendar_of(session: &Session<'_>, id: Id<Calendar>) -> Result<Stored<Calendar>, CrmError> {
    let not_found = || CrmError::NotFound { entity: Calendar::TABLE.entity, reference: id.to_string() };
    session.store().get(session.scope(), id).await?.ok_or_else(not_found)
}

/// The state that follows another one; that one again if nothing differs.
fn follow(
    before: &Stored<Calendar>,
    after: Calendar,
    context: &mut Context,
    changes: &mut ChangeSet,
) -> Stored<Calendar> {
    if after == before.value {
        return before.clone();
    }
    // First the one that was: there is never a second current one.
    changes.update(context, before, Calendar { is_current: false, ..before.value.clone() });
    changes.insert(context, Calendar { revision: before.revision + 1, ..after })
}

/// Changes the calendar's country, zone, week or topic: a new state follows. Open cases keep theirs.
#[derive(Clone, Debug, Default)]
pub struct SetCalendar(pub Edit<Calendar>);

#[async_trait]
impl Command for SetCalendar {
    type Root = Calendar;
    const VERB: &'static str = "set";

    fn body(&self) -> String {
        self.0.encode()
    }

    async fn decide(
        &self,
        session: &Session<'_>,
        _: Grant,
        context: &mut Context,
        changes: &mut ChangeSet,
    ) -> Result<Stored<Calendar>, CrmError> {
        let Some(before) = current(session).await? else {
            return Ok(changes.insert(context, crud::create(&self.0, context)?));
        };
        let after = crud::change(&before, &self.0, context)?;
        Ok(follow(&before, after, context, changes))
    }
}

/// Makes one day a holiday or a working day, whatever it was: a new state follows. Open cases keep theirs.
#[derive(Clone, Debug)]
pub struct SetDay(pub CalendarDay);

#[async_trait]
impl Command for SetDay {
    type Root = Calendar;
    const VERB: &'static str = "set_day";

    fn body(&self) -> String {
        format!("{self:?}")
    }

    async fn decide(
        &self,
        session: &Session<'_>,
        _: Grant,
        context: &mut Context,
        changes: &mut ChangeSet,
    ) -> Result<Stored<Calendar>, CrmError> {
        let (before, _) = current_calendar(session).await?;
        let mut days = before.overrides()?;
        match days.binary_search_by_key(&self.0.on, |day| day.on) {
            Ok(at) => days[at] = self.0.clone(),
            Err(at) => days.insert(at, self.0.clone()),
        }
        if days.len() > MOST_DAYS {
            return Err(CrmError::invalid("on", ValueError::out_of_range(0, MOST_DAYS)));
        }
        Ok(follow(&before, before.value.clone().with_days(&days), context, changes))
    }
}

/// Lets one day be what the week and the public holidays make it: a new state follows. Open cases keep theirs.
#[derive(Clone, Debug)]
pub struct ClearDay(pub Date);

#[async_trait]
impl Command for ClearDay {
    type Root = Calendar;
    const VERB: &'static str = "clear_day";

    fn body(&self) -> String {
        self.0.to_string()
    }

    async fn decide(
        &self,
        session: &Session<'_>,
        _: Grant,
        context: &mut Context,
        changes: &mut ChangeSet,
    ) -> Result<Stored<Calendar>, CrmError> {
        let (before, _) = current_calendar(session).await?;
        let mut days = before.overrides()?;
        days.retain(|day| day.on != self.0);
        Ok(follow(&before, before.value.clone().with_days(&days), context, changes))
    }
}
