//! Civil dates: a day in a calendar, without a time and without a zone.
//!
//! ```
//! use crm_core::value::parse_date;
//!
//! assert_eq!(parse_date("2026-02-28")?.to_string(), "2026-02-28");
//! assert!(parse_date("2026-02-29").is_err());
//! assert!(parse_date("28/02/2026").is_err());
//! # Ok::<(), crm_core::value::ValueError>(())
//! ```

use crate::value::ValueError;

/// A civil date. Which instant it begins at depends on a [`Zone`](crate::value::Zone).
pub type Date = chrono::NaiveDate;

/// The last civil date: that of the year 9999, the last that every database and language here can hold.
pub const LAST_DATE: Date = Date::from_ymd_opt(9999, 12, 31).expect("a date");

/// Whether every database and language here can hold the date: the years 1 to 9999.
pub(crate) fn is_storable(date: Date) -> bool {
    use chrono::Datelike as _;
    (1..=9999).contains(&date.year())
}

const EXPECTED: &str = "a date such as 2026-01-31";

/// Reads `YYYY-MM-DD` of a year from 1 to 9999, and nothing else.
///
/// Surrounding white space is ignored. Other orders are refused rather than guessed: 01/02 is two
/// different days.
pub fn parse_date(s: &str) -> Result<Date, ValueError> {
    let text = s.trim();
    ymd(text.as_bytes()).ok_or_else(|| match text {
        "" => ValueError::Blank,
        _ => ValueError::syntax(EXPECTED, text),
    })
}

/// Reads exactly ten bytes `YYYY-MM-DD`.
pub(crate) fn ymd(bytes: &[u8]) -> Option<Date> {
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let year = i32::try_from(digits(&bytes[..4])?).ok()?;
    if year == 0 {
        return None;
    }
    Date::from_ymd_opt(year, digits(&bytes[5..7])?, digits(&bytes[8..])?)
}

/// Reads a short run of ASCII digits.
pub(crate) fn digits(bytes: &[u8]) -> Option<u32> {
    bytes.iter().try_fold(0_u32, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + u32::from(byte - b'0')))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_the_one_form_is_read() {
        for bad in [
            "",
            "2026-1-31",
            "2026-01-32",
            "20260131",
            "0000-01-01",
            "2026-01-31T00:00:00Z",
            "+2026-01-31",
            "２０２６-01-31",
            "10000-01-01",
            "-001-01-01",
        ] {
            assert!(parse_date(bad).is_err(), "{bad}");
        }
        assert_eq!(parse_date(" 0001-01-01 ").map(|d| d.to_string()), Ok("0001-01-01".to_owned()));
        assert_eq!(parse_date("9999-12-31").map(|d| d.to_string()), Ok("9999-12-31".to_owned()));
        assert_eq!(parse_date("  "), Err(ValueError::Blank));
    }

    proptest! {
        #[test]
        fn dates_round_trip(days in 1..3_652_059_i32) {
            let date = Date::from_num_days_from_ce_opt(days).unwrap();
            prop_assert_eq!(parse_date(&date.to_string()), Ok(date));
        }
    }
}
