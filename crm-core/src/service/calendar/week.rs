//! The weekly pattern of an office: when it is open on each day.

use std::fmt::{self, Write as _};
use std::str::FromStr;

use chrono::{Datelike as _, Weekday};

use crate::entity::{Field, Kind, Locale};
use crate::row::Value;
use crate::value::{Date, ValueError, serde_as_string};

/// Minutes of a day.
const DAY: u16 = 24 * 60;
const EXPECTED: &str = "opening hours such as \"mon-thu 08:00-12:00 13:00-17:00; fri 08:00-12:00\"";
const NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Part of a day during which the office is open, in minutes after midnight of the local clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Interval {
    /// The minute at which it opens.
    from: u16,
    /// The minute at which it closes, at most 1440 (midnight).
    to: u16,
}

impl Interval {
    /// Makes an interval of at least a minute within one day.
    pub fn new(from: u16, to: u16) -> Result<Self, ValueError> {
        if from < to && to <= DAY { Ok(Self { from, to }) } else { Err(ValueError::syntax(EXPECTED, &span(from, to))) }
    }

    /// The minute at which it opens.
    pub fn from(self) -> u16 {
        self.from
    }

    /// The minute at which it closes, at most 1440 (midnight).
    pub fn to(self) -> u16 {
        self.to
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&span(self.from, self.to))
    }
}

fn span(from: u16, to: u16) -> String {
    format!("{:02}:{:02}-{:02}:{:02}", from / 60, from % 60, to / 60, to % 60)
}

/// When an office is open on each day of the week; a day without intervals is not a business day.
///
/// Its written form names days or ranges of days with their intervals, separated by semicolons.
///
/// ```
/// use crm_core::service::calendar::Week;
///
/// let week: Week = "Mon-Fri 08:00-12:00 13:00-17:00; Sat 08:00-12:00".parse()?;
/// assert_eq!(week.to_string(), "mon-fri 08:00-12:00 13:00-17:00; sat 08:00-12:00");
/// assert!("mon 12:00-08:00".parse::<Week>().is_err());
/// # Ok::<(), crm_core::value::ValueError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Week([Vec<Interval>; 7]);

impl Week {
    /// Makes a pattern from the intervals of Monday to Sunday.
    ///
    /// Those of a day must follow each other without overlapping, and one day at least must have some.
    pub fn new(days: [Vec<Interval>; 7]) -> Result<Self, ValueError> {
        if days.iter().all(Vec::is_empty) {
            return Err(ValueError::Blank);
        }
        for day in &days {
            if !day.is_sorted_by(|earlier, later| earlier.to <= later.from) {
                let text: Vec<_> = day.iter().map(ToString::to_string).collect();
                return Err(ValueError::syntax(EXPECTED, &text.join(" ")));
            }
        }
        Ok(Self(days))
    }

    /// Monday to Friday from 8:00 to 17:00.
    pub fn standard() -> Self {
        let open = vec![Interval { from: 8 * 60, to: 17 * 60 }];
        Self(std::array::from_fn(|day| if day < 5 { open.clone() } else { Vec::new() }))
    }

    /// When the office is open on this day of the week, in order.
    pub fn intervals(&self, day: Weekday) -> &[Interval] {
        &self.0[day.num_days_from_monday() as usize]
    }

    /// Whether the office opens on this day of the week.
    pub fn is_open(&self, day: Weekday) -> bool {
        !self.intervals(day).is_empty()
    }

    /// The minute after which what arrives on `date` counts for the next business day.
    ///
    /// A day that the pattern closes but a decree or the organization makes a working day has the hours of
    /// the last day before it that is open: a working Saturday those of Friday.
    pub(super) fn closes(&self, date: Date) -> u16 {
        let mut day = date.weekday();
        for _ in 0..7 {
            if let Some(last) = self.intervals(day).last() {
                return last.to;
            }
            day = day.pred();
        }
        DAY
    }
}

impl fmt::Display for Week {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        let mut day = 0;
        while day < 7 {
            let same = self.0[day..].iter().take_while(|intervals| **intervals == self.0[day]).count();
            if !self.0[day].is_empty() {
                text.push_str(if text.is_empty() { "" } else { "; " });
                text.push_str(NAMES[day]);
                if same > 1 {
                    write!(text, "-{}", NAMES[day + same - 1])?;
                }
                for interval in &self.0[day] {
                    write!(text, " {interval}")?;
                }
            }
            day += same;
        }
        f.pad(&text)
    }
}

impl FromStr for Week {
    type Err = ValueError;

    /// Reads what `Display` writes, in any case. A day may be named once.
    fn from_str(text: &str) -> Result<Self, ValueError> {
        if text.trim().is_empty() {
            return Err(ValueError::Blank);
        }
        let refused = || ValueError::syntax(EXPECTED, text.trim());
        let mut days: [Vec<Interval>; 7] = Default::default();
        for part in text.split(';') {
            let mut words = part.split_ascii_whitespace();
            let (first, last) = day_range(words.next().ok_or_else(refused)?).ok_or_else(refused)?;
            let intervals = words.map(interval).collect::<Option<Vec<_>>>().ok_or_else(refused)?;
            if intervals.is_empty() || days[first..=last].iter().any(|day| !day.is_empty()) {
                return Err(refused());
            }
            days[first..=last].fill(intervals);
        }
        Self::new(days)
    }
}

/// Reads `mon` or `mon-fri`: the positions of the first and the last day.
fn day_range(text: &str) -> Option<(usize, usize)> {
    let position = |name: &str| NAMES.iter().position(|known| known.eq_ignore_ascii_case(name));
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    Some((position(first)?, position(last)?)).filter(|(first, last)| first <= last)
}

/// Reads `08:00-12:00`.
fn interval(text: &str) -> Option<Interval> {
    let (from, to) = text.split_once('-')?;
    Interval::new(minute(from)?, minute(to)?).ok()
}

/// Reads `08:00`; `24:00` is the end of the day.
fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let number = |part: &str| {
        (part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit())).then(|| part.parse::<u16>().ok())?
    };
    let (hour, minute) = (number(hour)?, number(minute)?);
    (minute < 60 && hour * 60 + minute <= DAY).then_some(hour * 60 + minute)
}

impl Field for Week {
    const KIND: Kind = Kind::Text;
    fn store(&self) -> Value {
        Value::Text(self.to_string())
    }
    fn load(value: Value) -> Result<Self, ValueError> {
        String::load(value)?.parse()
    }
    fn parse(text: &str, _: &Locale) -> Result<Self, ValueError> {
        text.parse()
    }
}

serde_as_string!(Week, "opening hours such as \"mon-fri 08:00-12:00 13:00-17:00\"");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_read_and_written_alike() {
        for text in [
            "mon-fri 08:00-17:00",
            "mon-thu 07:30-12:00 14:00-18:00; fri 08:00-12:00",
            "mon 00:00-24:00; wed 09:00-10:00; sat-sun 10:00-11:00",
        ] {
            assert_eq!(text.parse::<Week>().map(|week| week.to_string()), Ok(text.to_owned()));
        }
        assert_eq!(Week::standard().to_string(), "mon-fri 08:00-17:00");
        let merged: Week = " TUE 08:00-12:00 ;mon 08:00-12:00".parse().unwrap();
        assert_eq!(merged.to_string(), "mon-tue 08:00-12:00");
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for bad in [
            "mon",
            "mon-fri",
            "fri-mon 08:00-12:00",
            "lun 08:00-12:00",
            "mon 8:00-12:00",
            "mon 08:00-12:60",
            "mon 08:00-24:01",
            "mon 12:00-12:00",
            "mon 08:00-12:00 11:59-13:00",
            "mon 13:00-17:00 08:00-12:00",
            "mon 08:00-12:00; mon-tue 13:00-17:00",
            "mon 08:00-12:00;",
            "mon 08:00–12:00",
        ] {
            assert!(matches!(bad.parse::<Week>(), Err(ValueError::Syntax { .. })), "{bad}");
        }
        assert_eq!("  ".parse::<Week>(), Err(ValueError::Blank));
        assert_eq!(Week::new(Default::default()), Err(ValueError::Blank));
        assert!(Interval::new(600, 600).is_err());
        assert!(Interval::new(0, 1441).is_err());
    }

    #[test]
    fn a_working_saturday_has_the_hours_of_friday() {
        let week: Week = "mon-thu 08:00-17:00; fri 08:00-16:00".parse().unwrap();
        let close = |text: &str| week.closes(crate::value::parse_date(text).unwrap());
        assert_eq!(close("2026-03-26"), 17 * 60);
        assert_eq!(close("2026-03-27"), 16 * 60);
        assert_eq!(close("2026-03-28"), 16 * 60);
        assert_eq!(close("2026-03-29"), 16 * 60);
    }
}
