//! The calendar of an office, and counting in it.

use std::borrow::Cow;

use chrono::Datelike as _;
use serde::{Serialize, Serializer, ser::SerializeMap as _};

use super::{BuiltIn, CalendarError, FIRST_YEAR, Holiday, LAST_YEAR, Week};
use crate::value::{Date, Instant, Zone};

crate::choice! {
    /// What an organization makes of a day.
    pub enum OverrideKind {
        /// It does not count.
        Holiday = "holiday",
        /// It counts, whatever the week and the country say.
        Working = "working",
    }
}

/// A day that an organization sets apart from its country's calendar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// The day.
    pub date: Date,
    /// What it is made.
    pub kind: OverrideKind,
    /// Why, as explanations show it; a holiday's name.
    pub name: String,
}

/// What a day is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DayKind {
    /// It counts.
    Business,
    /// The week has no hours on it.
    Weekend,
    /// A holiday of this name, be it on a weekend or not.
    Holiday(Cow<'static, str>),
}

impl Serialize for DayKind {
    /// A map with `kind` (business, weekend or holiday) and, of a holiday, `name`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self {
            Self::Business => map.serialize_entry("kind", "business")?,
            Self::Weekend => map.serialize_entry("kind", "weekend")?,
            Self::Holiday(name) => {
                map.serialize_entry("kind", "holiday")?;
                map.serialize_entry("name", name)?;
            }
        }
        map.end()
    }
}

crate::choice! {
    /// Why something that was received counts on the day it does.
    pub enum ReceiptTime {
        /// It came on a business day before the office closed.
        InTime = "in_time",
        /// It came on a business day after the office had closed, and counts on the next one.
        AfterHours = "after_hours",
        /// It came on a day without business, and counts on the next business day.
        DayOff = "day_off",
    }
}

/// The civil day on which something that was received counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Receipt {
    /// The civil day of the arrival in the calendar's zone.
    pub arrived_on: Date,
    /// The business day on which it counts as received.
    pub received_on: Date,
    /// Why that day.
    pub time: ReceiptTime,
}

/// The business days of an office, from [`FIRST_YEAR`] to [`LAST_YEAR`].
///
/// Every day is classified once, when the calendar is made; counting is then a search in a sorted list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BusinessCalendar {
    code: String,
    version: String,
    zone: Zone,
    week: Week,
    /// In order, one for each day.
    holidays: Vec<Holiday>,
    /// In order.
    business: Vec<Date>,
}

impl BusinessCalendar {
    /// Makes a calendar of an organization.
    ///
    /// Without `base` it has no holidays but those of `overrides`, whose last entry for a day counts.
    /// `revision` goes up with every change of the week or the overrides and makes the version, such as `CO 2026.1+3`,
    /// together with that of the base.
    pub fn new(
        code: impl Into<String>,
        base: Option<&'static BuiltIn>,
        zone: Zone,
        week: Week,
        overrides: &[Override],
        revision: i64,
    ) -> Self {
        let mut holidays: Vec<Holiday> =
            base.into_iter().flat_map(|base| BuiltIn::YEARS.flat_map(|year| base.holidays(year))).collect();
        let mut working: Vec<Date> = base.into_iter().flat_map(BuiltIn::working_days).collect();
        for change in overrides {
            holidays.retain(|holiday| holiday.date != change.date);
            working.retain(|date| *date != change.date);
            match change.kind {
                OverrideKind::Holiday => {
                    holidays.push(Holiday { date: change.date, name: change.name.clone().into() });
                }
                OverrideKind::Working => working.push(change.date),
            }
        }
        holidays.sort();
        working.sort_unstable();
        let is_holiday = |date: &Date| holidays.binary_search_by_key(date, |holiday| holiday.date).is_ok();
        let counts = |date: &Date| match working.binary_search(date) {
            Ok(_) => true,
            Err(_) => week.is_open(date.weekday()) && !is_holiday(date),
        };
        let first = Date::from_ymd_opt(FIRST_YEAR, 1, 1);
        let known = first.into_iter().flat_map(|first| first.iter_days()).take_while(|date| date.year() <= LAST_YEAR);
        let business = known.filter(counts).collect();
        let version = match (base, revision) {
            (Some(base), 0) => format!("{} {}", base.code, base.version),
            (Some(base), revision) => format!("{} {}+{revision}", base.code, base.version),
            (None, revision) => format!("+{revision}"),
        };
        Self { code: code.into(), version, zone, week, holidays, business }
    }

    /// A country's calendar as it is built in, with the [standard week](Week::standard).
    pub fn standard(base: &'static BuiltIn, zone: Zone) -> Self {
        Self::new(base.code, Some(base), zone, Week::standard(), &[], 0)
    }

    /// What the organization calls it; the country's code if it is the built-in one.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// The version of the base with the revision of what the organization changed.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The zone whose clocks and dates count.
    pub fn zone(&self) -> Zone {
        self.zone
    }

    /// When the office is open.
    pub fn week(&self) -> &Week {
        &self.week
    }

    /// The holidays from one day to another, both included, in order.
    pub fn holidays(&self, from: Date, to: Date) -> impl Iterator<Item = &Holiday> {
        let first = self.holidays.partition_point(|holiday| holiday.date < from);
        self.holidays[first..].iter().take_while(move |holiday| holiday.date <= to)
    }

    /// What a day is.
    pub fn day(&self, date: Date) -> Result<DayKind, CalendarError> {
        self.known(date)?;
        if self.business.binary_search(&date).is_ok() {
            return Ok(DayKind::Business);
        }
        let holiday = self.holidays.binary_search_by_key(&date, |holiday| holiday.date);
        Ok(holiday.map_or(DayKind::Weekend, |at| DayKind::Holiday(self.holidays[at].name.clone())))
    }

    /// Whether a day counts.
    pub fn is_business_day(&self, date: Date) -> Result<bool, CalendarError> {
        self.known(date)?;
        Ok(self.business.binary_search(&date).is_ok())
    }

    /// The first business day after `date`.
    pub fn next_business_day(&self, date: Date) -> Result<Date, CalendarError> {
        self.add_business_days(date, 1)
    }

    /// `date` itself if it is a business day, else the first one after it.
    pub fn on_or_after(&self, date: Date) -> Result<Date, CalendarError> {
        if self.is_business_day(date)? { Ok(date) } else { self.next_business_day(date) }
    }

    /// The `days`th business day after `date`; `date` itself for 0, whatever it is.
    pub fn add_business_days(&self, date: Date, days: u32) -> Result<Date, CalendarError> {
        self.known(date)?;
        let Some(further) = days.checked_sub(1) else { return Ok(date) };
        let next = self.business.partition_point(|business| *business <= date);
        let found = self.business.get(next.saturating_add(further as usize));
        found.copied().ok_or_else(|| self.unknown(Date::from_ymd_opt(LAST_YEAR + 1, 1, 1).unwrap_or(date)))
    }

    /// How many business days lie after `from`, up to and including `to`; negative if `to` is the earlier one.
    pub fn business_days_between(&self, from: Date, to: Date) -> Result<i64, CalendarError> {
        self.known(from)?;
        self.known(to)?;
        let until = |date: Date| self.business.partition_point(|business| *business <= date).cast_signed();
        Ok((until(to) - until(from)) as i64)
    }

    /// The business days after `from`, up to and including `to`, in order.
    pub(in crate::service) fn business_days(&self, from: Date, to: Date) -> &[Date] {
        let until = |date: Date| self.business.partition_point(|business| *business <= date);
        self.business.get(until(from)..until(to)).unwrap_or_default()
    }

    /// The day on which something that arrived at an instant counts as received.
    ///
    /// What comes on a business day counts on it until the end of its last interval, that moment included;
    /// what comes later, or on a day without business, counts on the next business day.
    pub fn receipt(&self, instant: Instant) -> Result<Receipt, CalendarError> {
        let arrived_on = self.zone.date_at(instant);
        let time = if !self.is_business_day(arrived_on)? {
            ReceiptTime::DayOff
        } else if instant > self.zone.at_minute(arrived_on, self.week.closes(arrived_on)) {
            ReceiptTime::AfterHours
        } else {
            return Ok(Receipt { arrived_on, received_on: arrived_on, time: ReceiptTime::InTime });
        };
        Ok(Receipt { arrived_on, received_on: self.next_business_day(arrived_on)?, time })
    }

    /// The day of [`receipt`](Self::receipt).
    pub fn received_on(&self, instant: Instant) -> Result<Date, CalendarError> {
        Ok(self.receipt(instant)?.received_on)
    }

    fn known(&self, date: Date) -> Result<(), CalendarError> {
        if BuiltIn::YEARS.contains(&date.year()) { Ok(()) } else { Err(self.unknown(date)) }
    }

    fn unknown(&self, date: Date) -> CalendarError {
        CalendarError::Years { calendar: self.code.clone(), date }
    }
}
