//! Points in time: UTC, microseconds.
//!
//! Both databases keep microseconds, so anything finer is cut off when an instant is made and never
//! afterwards.
//!
//! ```
//! use crm_core::value::Instant;
//!
//! let nine: Instant = "2026-01-31T10:00:00.1234567+01:00".parse()?;
//! assert_eq!(nine.to_string(), "2026-01-31T09:00:00.123456Z");
//! assert!("2026-01-31T10:00:00".parse::<Instant>().is_err(), "the offset is missing");
//! # Ok::<(), crm_core::value::ValueError>(())
//! ```

use std::{fmt, str::FromStr};

use chrono::{DateTime, Datelike, NaiveDate, Utc};

use crate::value::{
    ValueError,
    date::{digits, ymd},
    serde_as_string,
};

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;
/// Day number of 1970-01-01 counted from day 1 = 0001-01-01.
const EPOCH_DAY: i64 = 719_163;
const EXPECTED: &str = "a time with an offset such as 2026-01-31T09:00:00Z";

/// A point in time: microseconds since 1970-01-01T00:00:00Z, in the years 1 to 9999.
///
/// Its written form always has 27 characters, so text order is time order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(i64);

impl Instant {
    /// 0001-01-01T00:00:00.000000Z.
    pub const MIN: Self = Self((1 - EPOCH_DAY) * DAY);
    /// 1970-01-01T00:00:00.000000Z.
    pub const EPOCH: Self = Self(0);
    /// 9999-12-31T23:59:59.999999Z.
    pub const MAX: Self = Self((3_652_059 - EPOCH_DAY + 1) * DAY - 1);

    /// Makes an instant from microseconds since 1970, or [`ValueError::OutOfRange`].
    pub fn from_micros(micros: i64) -> Result<Self, ValueError> {
        if (Self::MIN.0..=Self::MAX.0).contains(&micros) {
            Ok(Self(micros))
        } else {
            Err(ValueError::out_of_range(Self::MIN, Self::MAX))
        }
    }

    /// Makes an instant from microseconds since 1970, moved into the range if need be.
    pub(crate) fn clamped(micros: i64) -> Self {
        Self(micros.clamp(Self::MIN.0, Self::MAX.0))
    }

    /// Makes an instant from a chrono time; what is finer than a microsecond is cut off.
    pub fn from_datetime(time: DateTime<Utc>) -> Result<Self, ValueError> {
        Self::from_micros(time.timestamp_micros())
    }

    /// Microseconds since 1970-01-01T00:00:00Z; negative before.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// The same point as a chrono time.
    #[expect(clippy::missing_panics_doc, reason = "the range of this type is within chrono's")]
    pub fn datetime(self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0).expect("the years 1 to 9999 are within chrono's range")
    }

    /// This instant moved by microseconds, or [`ValueError::OutOfRange`].
    pub fn checked_add_micros(self, micros: i64) -> Result<Self, ValueError> {
        Self::from_micros(self.0.saturating_add(micros))
    }
}

impl FromStr for Instant {
    type Err = ValueError;

    /// Reads RFC 3339 with any offset. A time without an offset is refused: whose time would it be?
    fn from_str(s: &str) -> Result<Self, ValueError> {
        let text = s.trim();
        if text.is_empty() {
            return Err(ValueError::Blank);
        }
        let micros = rfc3339(text.as_bytes()).ok_or_else(|| ValueError::syntax(EXPECTED, text))?;
        Self::from_micros(micros)
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(std::str::from_utf8(&written(*self)).expect("only ASCII was written"))
    }
}

serde_as_string!(Instant, "an RFC 3339 time in a string, such as \"2026-01-31T09:00:00Z\"");

/// Days from 1970-01-01 to a civil date; negative before. This is how a date enters hashes and
/// indexes.
pub fn days_of(date: NaiveDate) -> i32 {
    date.num_days_from_ce() - 719_163
}

/// Writes `YYYY-MM-DDTHH:MM:SS.ffffffZ` without chrono's format machinery, which takes ten times as
/// long.
fn written(instant: Instant) -> [u8; 27] {
    let mut out = *b"0000-00-00T00:00:00.000000Z";
    let (year, month, day) = civil(instant.0.div_euclid(DAY));
    let micros = instant.0.rem_euclid(DAY);
    let second = micros / SECOND;
    for (end, width, value) in [
        (4, 4, year),
        (7, 2, month),
        (10, 2, day),
        (13, 2, second / 3600),
        (16, 2, second / 60 % 60),
        (19, 2, second % 60),
        (26, 6, micros % SECOND),
    ] {
        let mut rest = value;
        for place in 1..=width {
            out[end - place] = b'0' + u8::try_from(rest % 10).expect("a digit is below ten");
            rest /= 10;
        }
    }
    out
}

/// Year, month and day of a day number counted from 1970-01-01.
///
/// The proleptic Gregorian calendar in 400-year eras that begin on 1 March, so that the leap day
/// comes last.
fn civil(days_from_1970: i64) -> (i64, i64, i64) {
    let days = days_from_1970 + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

/// Reads RFC 3339 as microseconds since 1970. Digits finer than microseconds are cut off.
fn rfc3339(text: &[u8]) -> Option<i64> {
    let (date, rest) = text.split_at_checked(10)?;
    let date = ymd(date)?;
    let (time, rest) = rest.split_at_checked(9)?;
    if !matches!(time[0], b'T' | b't' | b' ') || time[3] != b':' || time[6] != b':' {
        return None;
    }
    let [hour, minute, second] = [digits(&time[1..3])?, digits(&time[4..6])?, digits(&time[7..9])?];
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let (fraction, rest) = match rest.split_first()? {
        (b'.', rest) => {
            let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let kept = digits(&rest[..count.min(6)]).filter(|_| count > 0)?;
            (kept * 10_u32.pow(6 - u32::try_from(count.min(6)).ok()?), &rest[count..])
        }
        _ => (0, rest),
    };
    let offset = match *rest {
        [b'Z' | b'z'] => 0,
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (digits(&[h1, h2])?, digits(&[m1, m2])?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            let minutes = i64::from(hours * 60 + minutes);
            if sign == b'+' { minutes } else { -minutes }
        }
        _ => return None,
    };
    let seconds = i64::from(hour * 3600 + minute * 60 + second) - offset * 60;
    Some(i64::from(days_of(date)) * DAY + seconds * SECOND + i64::from(fraction))
}

#[cfg(test)]
mod tests {
    use chrono::SecondsFormat;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_range_is_the_years_1_to_9999() {
        assert_eq!(Instant::MIN.to_string(), "0001-01-01T00:00:00.000000Z");
        assert_eq!(Instant::EPOCH.to_string(), "1970-01-01T00:00:00.000000Z");
        assert_eq!(Instant::MAX.to_string(), "9999-12-31T23:59:59.999999Z");
        for micros in [i64::MIN, i64::MAX, Instant::MIN.0 - 1, Instant::MAX.0 + 1] {
            assert!(matches!(Instant::from_micros(micros), Err(ValueError::OutOfRange { .. })));
        }
        assert!(matches!("0001-01-01T00:00:00+00:01".parse::<Instant>(), Err(ValueError::OutOfRange { .. })));
        assert!(matches!("9999-12-31T23:59:59-00:01".parse::<Instant>(), Err(ValueError::OutOfRange { .. })));
        assert!(Instant::from_datetime(DateTime::<Utc>::MAX_UTC).is_err());
        assert!(Instant::MAX.checked_add_micros(1).is_err());
    }

    #[test]
    fn any_offset_is_read_and_none_is_refused() {
        let nine: Instant = "2026-01-31T09:00:00Z".parse().unwrap();
        for same in [
            "2026-01-31 09:00:00z",
            "2026-01-31t04:00:00-05:00",
            "2026-01-31T14:45:00.000+05:45",
            "2026-01-31T09:00:00.0000009Z",
        ] {
            assert_eq!(same.parse(), Ok(nine), "{same}");
        }
        for bad in [
            "2026-01-31",
            "2026-01-31T09:00:00",
            "2026-01-31T09:00Z",
            "2026-02-29T09:00:00Z",
            "2026-01-31T24:00:00Z",
            "2026-01-31T09:60:00Z",
            "2026-01-31T09:00:60Z",
            "2026-01-31T09:00:00.Z",
            "2026-01-31T09:00:00+0500",
            "2026-01-31T09:00:00+24:00",
            "2026-01-31T09:00:00Z!",
            "2026-01-31T09:00:00é",
            "yesterday",
        ] {
            assert!(matches!(bad.parse::<Instant>(), Err(ValueError::Syntax { .. })), "{bad}");
        }
    }

    #[test]
    fn finer_than_a_microsecond_is_cut_off_before_1970_too() {
        let time = DateTime::from_timestamp(-1, 999_999_999).unwrap();
        assert_eq!(Instant::from_datetime(time).unwrap().micros(), -1);
        assert_eq!("1969-12-31T23:59:59.999999999Z".parse::<Instant>().unwrap().micros(), -1);
    }

    #[test]
    fn days_are_counted_from_1970() {
        assert_eq!(days_of(NaiveDate::from_ymd_opt(1970, 1, 1).unwrap()), 0);
        assert_eq!(days_of(NaiveDate::from_ymd_opt(2000, 3, 1).unwrap()), 11_017);
    }

    proptest! {
        #[test]
        fn text_round_trips_and_agrees_with_chrono(micros in Instant::MIN.0..=Instant::MAX.0) {
            let instant = Instant::from_micros(micros).unwrap();
            let text = instant.to_string();
            prop_assert_eq!(text.parse(), Ok(instant));
            prop_assert_eq!(&text, &instant.datetime().to_rfc3339_opts(SecondsFormat::Micros, true));
            prop_assert_eq!(Instant::from_datetime(instant.datetime()), Ok(instant));
        }

        #[test]
        fn text_order_is_time_order(a in Instant::MIN.0..=Instant::MAX.0, b in Instant::MIN.0..=Instant::MAX.0) {
            prop_assert_eq!(a.cmp(&b), Instant(a).to_string().cmp(&Instant(b).to_string()));
        }

        #[test]
        fn every_offset_means_the_same_instant(micros in -62_000_000_000_000_000..253_000_000_000_000_000_i64, minutes in -1439..1440_i32) {
            let instant = Instant::from_micros(micros).unwrap();
            let there = instant.datetime().with_timezone(&chrono::FixedOffset::east_opt(minutes * 60).unwrap());
            prop_assert_eq!(there.to_rfc3339_opts(SecondsFormat::Micros, false).parse(), Ok(instant));
        }
    }
}
