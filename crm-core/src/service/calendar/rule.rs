//! Rules from which the holidays of a year are computed.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use chrono::{Datelike as _, Days, Weekday};
use serde::Serialize;

use super::{FIRST_YEAR, LAST_YEAR};
use crate::value::Date;

/// A public holiday.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Holiday {
    /// The day.
    pub date: Date,
    /// Its name, in the language of the country. Two holidays on one day are one, with both names.
    pub name: Cow<'static, str>,
}

/// The national holidays of a country.
#[derive(Debug)]
pub struct BuiltIn {
    /// The ISO 3166 code.
    pub code: &'static str,
    /// Changes whenever a rule does.
    pub version: &'static str,
    /// The rules.
    pub rules: &'static [HolidayRule],
    /// Days that the ordinary week closes and a decree made working days, in order: year, month, day.
    pub working: &'static [(i32, u32, u32)],
}

/// One holiday through the years.
#[derive(Debug)]
pub struct HolidayRule {
    /// Its name, in the language of the country.
    pub name: &'static str,
    /// When it is.
    pub on: On,
    /// The first year.
    pub since: i32,
    /// The last year.
    pub until: i32,
}

/// When a holiday is.
#[derive(Clone, Copy, Debug)]
pub enum On {
    /// Every year on this month and day.
    Fixed(u32, u32),
    /// On this month and day if that is a Monday, else on the next Monday.
    Monday(u32, u32),
    /// So many days after Easter Sunday; before it if negative.
    Easter(i64),
    /// On this month and day, except when that is a Sunday: then the country as a whole has none.
    NotSunday(u32, u32),
    /// On days that a government decreed one by one: year, month, day.
    Days(&'static [(i32, u32, u32)]),
}

impl HolidayRule {
    /// A holiday of every year.
    pub(super) const fn new(name: &'static str, on: On) -> Self {
        Self { name, on, since: FIRST_YEAR, until: LAST_YEAR }
    }

    /// The same holiday, from a year on.
    pub(super) const fn since(self, year: i32) -> Self {
        Self { since: year, ..self }
    }

    /// The days of this holiday in a year.
    fn days(&self, year: i32) -> Vec<Date> {
        if !(self.since..=self.until).contains(&year) {
            return Vec::new();
        }
        let day = |month, day| Date::from_ymd_opt(year, month, day);
        match self.on {
            On::Fixed(month, number) => day(month, number).into_iter().collect(),
            On::Monday(month, number) => day(month, number).map(monday).into_iter().collect(),
            On::NotSunday(month, number) => {
                day(month, number).filter(|date| date.weekday() != Weekday::Sun).into_iter().collect()
            }
            On::Easter(offset) => vec![easter(year) + chrono::TimeDelta::days(offset)],
            On::Days(days) => days
                .iter()
                .filter(|(of, ..)| *of == year)
                .filter_map(|(of, month, number)| Date::from_ymd_opt(*of, *month, *number))
                .collect(),
        }
    }
}

/// The date itself if it is a Monday, else the next one.
fn monday(date: Date) -> Date {
    date + Days::new(u64::from((7 - date.weekday().num_days_from_monday()) % 7))
}

impl BuiltIn {
    /// The years whose holidays are known.
    pub const YEARS: RangeInclusive<i32> = FIRST_YEAR..=LAST_YEAR;

    /// The holidays of a year in order, one for each day; none outside [`BuiltIn::YEARS`].
    pub fn holidays(&self, year: i32) -> Vec<Holiday> {
        if !Self::YEARS.contains(&year) {
            return Vec::new();
        }
        let name_each = |rule: &HolidayRule| {
            let name = rule.name;
            rule.days(year).into_iter().map(move |date| Holiday { date, name: Cow::Borrowed(name) })
        };
        let mut holidays: Vec<Holiday> = self.rules.iter().flat_map(name_each).collect();
        holidays.sort();
        holidays.dedup_by(|later, first| {
            let same = later.date == first.date;
            if same && later.name != first.name {
                first.name = format!("{}; {}", first.name, later.name).into();
            }
            same
        });
        holidays
    }

    /// The days that a decree made working days.
    pub fn working_days(&self) -> impl Iterator<Item = Date> {
        self.working.iter().filter_map(|(year, month, day)| Date::from_ymd_opt(*year, *month, *day))
    }
}

/// Easter Sunday of the western churches.
///
/// The Gregorian computus in whole numbers as given anonymously in Nature 13 (1876), p. 487, and in Meeus,
/// Astronomical Algorithms, chapter 8.
#[expect(clippy::missing_panics_doc, reason = "the computus gives a day of March or April")]
pub fn easter(year: i32) -> Date {
    let golden = year.rem_euclid(19);
    let (century, of_century) = (year.div_euclid(100), year.rem_euclid(100));
    let correction = century - (century + 8).div_euclid(25);
    let epact = (19 * golden + century - century.div_euclid(4) - (correction + 1).div_euclid(3) + 15).rem_euclid(30);
    let weekday = (32 + 2 * century.rem_euclid(4) + 2 * of_century.div_euclid(4) - epact - of_century.rem_euclid(4))
        .rem_euclid(7);
    let late = (golden + 11 * epact + 22 * weekday).div_euclid(451);
    let days = epact + weekday - 7 * late + 114;
    Date::from_ymd_opt(year, (days / 31).unsigned_abs(), (days % 31 + 1).unsigned_abs())
        .expect("a day of March or April")
}
