//! Time zones: which civil day an instant falls on, and where a civil day begins.
//!
//! "Today" and the borders of a month belong to the organization, never to the server and never to
//! UTC.
//!
//! ```
//! use crm_core::value::{Instant, Zone, parse_date};
//!
//! let bogota: Zone = "America/Bogota".parse()?;
//! let late: Instant = "2026-02-01T04:59:59Z".parse()?;
//! assert_eq!(bogota.date_at(late), parse_date("2026-01-31")?);
//! assert_eq!(bogota.start_of(parse_date("2026-02-01")?).to_string(), "2026-02-01T05:00:00.000000Z");
//! # Ok::<(), crm_core::value::ValueError>(())
//! ```

use std::{
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    str::FromStr,
};

use chrono::{DateTime, Datelike, MappedLocalTime, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeDelta, TimeZone};
use chrono_tz::Tz;

use crate::value::{Instant, ValueError, error::excerpt, serde_as_string};

/// A time zone of the IANA database, by its exact name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Zone(Tz);

impl Zone {
    /// Coordinated universal time.
    pub const UTC: Self = Self(Tz::UTC);

    /// The IANA name, such as `America/Bogota`.
    pub fn name(&self) -> &'static str {
        self.0.name()
    }

    /// The civil date in this zone at an instant.
    pub fn date_at(&self, instant: Instant) -> NaiveDate {
        self.local_at(instant).date()
    }

    /// What the clocks of this zone show at an instant.
    pub fn local_at(&self, instant: Instant) -> NaiveDateTime {
        self.local(instant.datetime().naive_utc())
    }

    /// The first instant whose civil date in this zone is `date`.
    ///
    /// Where a change of the clocks skips midnight, that is the change itself; where midnight comes
    /// twice, the first of the two; where the whole day was skipped (Apia, 2011-12-30), the
    /// start of the next one. Days outside [`Instant`]'s range give its nearest end.
    pub fn start_of(&self, date: NaiveDate) -> Instant {
        self.first(date.and_time(NaiveTime::MIN))
    }

    /// The first instant at which the clocks of this zone show `minute` minutes after midnight on `date`.
    ///
    /// From 1440 minutes on, the start of the next day. Times that the clocks skip or show twice are
    /// treated as in [`start_of`](Self::start_of).
    pub fn at_minute(&self, date: NaiveDate, minute: u16) -> Instant {
        match NaiveTime::from_num_seconds_from_midnight_opt(u32::from(minute) * 60, 0) {
            Some(time) => self.first(date.and_time(time)),
            None => self.start_of(date.succ_opt().unwrap_or(date)),
        }
    }

    /// The first instant at which the clocks show a local time.
    fn first(self, local: NaiveDateTime) -> Instant {
        let utc = match self.0.from_local_datetime(&local) {
            MappedLocalTime::Single(time) | MappedLocalTime::Ambiguous(time, _) => time.naive_utc(),
            MappedLocalTime::None => self.after_gap(local),
        };
        Instant::clamped(utc.and_utc().timestamp_micros())
    }

    /// The starts of every month from that of `first` to that of `last`, both included, in order.
    ///
    /// These are the borders for grouping by month: *n* borders enclose *n - 1* whole months, so
    /// pass a day in the month after the last one wanted. Empty when `last` lies in a month
    /// before `first`.
    pub fn month_starts(&self, first: NaiveDate, last: NaiveDate) -> Vec<Instant> {
        let number = |date: NaiveDate| date.year() * 12 + date.month0().cast_signed();
        (number(first)..=number(last))
            .filter_map(|month| {
                NaiveDate::from_ymd_opt(month.div_euclid(12), month.rem_euclid(12).cast_unsigned() + 1, 1)
            })
            .map(|start| self.start_of(start))
            .collect()
    }

    /// The local time at a time in UTC.
    fn local(self, utc: NaiveDateTime) -> NaiveDateTime {
        utc.checked_add_offset(self.0.offset_from_utc_datetime(&utc).fix()).unwrap_or(utc)
    }

    /// The first time in UTC at which the local time is not before `skipped`, a local time that
    /// never was.
    ///
    /// The jump lies between the times at which the clocks of the day before and of the day after
    /// would show `skipped`; offsets stay within a day and a bit, and bisection needs no more
    /// than the predicate "not yet there".
    fn after_gap(self, skipped: NaiveDateTime) -> NaiveDateTime {
        let shift =
            |hours| skipped.checked_add_signed(TimeDelta::hours(hours)).unwrap_or(skipped).and_utc().timestamp();
        let (mut before, mut after) = (shift(-30), shift(30));
        let at = |second| DateTime::from_timestamp(second, 0).map_or(skipped, |time| time.naive_utc());
        while after - before > 1 {
            let middle = before.midpoint(after);
            if self.local(at(middle)) < skipped {
                before = middle;
            } else {
                after = middle;
            }
        }
        at(after)
    }
}

impl PartialOrd for Zone {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Zone {
    fn cmp(&self, other: &Self) -> Ordering {
        self.name().cmp(other.name())
    }
}

impl Hash for Zone {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name().hash(state);
    }
}

impl FromStr for Zone {
    type Err = ValueError;

    fn from_str(s: &str) -> Result<Self, ValueError> {
        match s.trim() {
            "" => Err(ValueError::Blank),
            name => name.parse().map(Self).map_err(|_| ValueError::UnknownZone(excerpt(name))),
        }
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

serde_as_string!(Zone, "an IANA time zone such as \"America/Bogota\"");

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::value::parse_date;

    fn zone(name: &str) -> Zone {
        name.parse().unwrap()
    }

    fn start(name: &str, date: &str) -> String {
        zone(name).start_of(parse_date(date).unwrap()).to_string()
    }

    #[test]
    fn skipped_midnights_begin_at_the_change() {
        assert_eq!(start("America/Sao_Paulo", "2018-11-04"), "2018-11-04T03:00:00.000000Z");
        assert_eq!(start("America/Sao_Paulo", "2018-11-05"), "2018-11-05T02:00:00.000000Z");
        assert_eq!(start("Asia/Beirut", "2024-03-31"), "2024-03-30T22:00:00.000000Z");
        assert_eq!(start("Africa/Cairo", "2024-04-26"), "2024-04-25T22:00:00.000000Z");
        assert_eq!(start("America/Santiago", "2025-09-07"), "2025-09-07T04:00:00.000000Z");
    }

    #[test]
    fn doubled_midnights_begin_at_the_first() {
        assert_eq!(start("America/Havana", "2024-11-03"), "2024-11-03T04:00:00.000000Z");
        assert_eq!(start("Asia/Beirut", "2024-10-27"), "2024-10-26T22:00:00.000000Z");
        // The clocks went from 00:01 back to 23:01: the first of the two midnights counts.
        assert_eq!(start("America/St_Johns", "2006-10-29"), "2006-10-29T02:30:00.000000Z");
    }

    #[test]
    fn a_minute_of_the_day_is_that_of_the_clocks() {
        let at = |name: &str, date: &str, minute| zone(name).at_minute(parse_date(date).unwrap(), minute).to_string();
        assert_eq!(at("America/Bogota", "2026-03-27", 17 * 60), "2026-03-27T22:00:00.000000Z");
        assert_eq!(at("Europe/Madrid", "2026-07-01", 14 * 60 + 30), "2026-07-01T12:30:00.000000Z");
        assert_eq!(at("Europe/Madrid", "2026-03-29", 150), "2026-03-29T01:00:00.000000Z", "skipped: the change itself");
        assert_eq!(at("Europe/Madrid", "2026-10-25", 150), "2026-10-25T00:30:00.000000Z", "shown twice: the first");
        assert_eq!(at("America/Bogota", "2026-12-31", 1440), "2027-01-01T05:00:00.000000Z");
    }

    #[test]
    fn a_day_that_never_was_begins_with_the_next() {
        assert_eq!(start("Pacific/Apia", "2011-12-30"), "2011-12-30T10:00:00.000000Z");
        assert_eq!(start("Pacific/Apia", "2011-12-31"), "2011-12-30T10:00:00.000000Z");
        assert_eq!(start("Pacific/Kwajalein", "1993-08-21"), start("Pacific/Kwajalein", "1993-08-22"));
    }

    #[test]
    fn today_is_the_zone_s_and_month_borders_are_too() {
        let instant: Instant = "2026-01-01T03:30:00Z".parse().unwrap();
        assert_eq!(zone("America/Caracas").date_at(instant).to_string(), "2025-12-31");
        assert_eq!(zone("Asia/Tokyo").date_at(instant).to_string(), "2026-01-01");
        let day = |text| parse_date(text).unwrap();
        let starts = zone("Europe/Madrid").month_starts(day("2025-12-31"), day("2026-04-01"));
        let starts: Vec<_> = starts.iter().map(ToString::to_string).collect();
        assert_eq!(
            starts,
            [
                "2025-11-30T23:00:00.000000Z",
                "2025-12-31T23:00:00.000000Z",
                "2026-01-31T23:00:00.000000Z",
                "2026-02-28T23:00:00.000000Z",
                "2026-03-31T22:00:00.000000Z"
            ]
        );
        assert!(zone("UTC").month_starts(day("2026-02-01"), day("2026-01-31")).is_empty());
        assert_eq!(zone("UTC").month_starts(day("2026-02-28"), day("2026-02-01")).len(), 1);
    }

    #[test]
    fn the_ends_of_the_calendar_do_not_panic() {
        for name in ["Pacific/Kiritimati", "Pacific/Pago_Pago", "UTC"] {
            for date in
                [NaiveDate::MIN, NaiveDate::MAX, parse_date("0001-01-01").unwrap(), parse_date("9999-12-31").unwrap()]
            {
                zone(name).start_of(date);
            }
            zone(name).date_at(Instant::MIN);
            zone(name).date_at(Instant::MAX);
        }
    }

    #[test]
    fn names_are_exact() {
        assert_eq!(zone(" Europe/Madrid ").name(), "Europe/Madrid");
        for bad in ["europe/madrid", "Madrid", "UTC+1", "+01:00", "Local"] {
            assert!(matches!(bad.parse::<Zone>(), Err(ValueError::UnknownZone(_))), "{bad}");
        }
        assert_eq!("".parse::<Zone>(), Err(ValueError::Blank));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn a_day_begins_where_its_date_begins(index in 0..chrono_tz::TZ_VARIANTS.len(), days in 693_600..766_000_i32) {
            let zone = Zone(chrono_tz::TZ_VARIANTS[index]);
            let date = NaiveDate::from_num_days_from_ce_opt(days).unwrap();
            let start = zone.start_of(date);
            prop_assert!(zone.date_at(start) >= date, "{} {}", zone, date);
            let before = start.checked_add_micros(-1).unwrap();
            prop_assert!(zone.date_at(before) < date, "{} {}", zone, date);
            prop_assert_eq!(zone.name().parse::<Zone>(), Ok(zone));
        }
    }
}
