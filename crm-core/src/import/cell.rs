//! How cells are read.

use std::borrow::Cow;

use chrono::Datelike as _;
use chrono::format::{Item, StrftimeItems};

use super::mapping::Sheet;
use crate::entity::Kind;
use crate::value::{Date, ValueError, parse_date};

/// Whether the text is a format of dates.
pub(super) fn is_date_format(format: &str) -> bool {
    !format.is_empty() && !StrftimeItems::new(format).any(|item| matches!(item, Item::Error))
}

/// Reads a date in the mapping's formats; without any, `2026-01-31` with or without a time of midnight. Of several
/// formats all that fit must read the same day.
pub(super) fn date(text: &str, formats: &[String]) -> Result<Date, ValueError> {
    if !formats.is_empty() {
        let mut read = formats.iter().filter_map(|format| formatted(text, format));
        let first = read.next().ok_or_else(|| ValueError::syntax("a date in the mapping's format", text))?;
        let alike = read.all(|other| other == first);
        let ambiguous = || ValueError::syntax("a date that the mapping's formats read alike", text);
        return if alike { Ok(first) } else { Err(ambiguous()) };
    }
    match text.split_at_checked(10) {
        Some((day, time)) if is_midnight(time) => parse_date(day),
        _ => parse_date(text),
    }
}

/// Reads a date in one format.
fn formatted(text: &str, format: &str) -> Option<Date> {
    let date = Date::parse_from_str(text, format).ok()?;
    // The range is that of every other date, but `%Y` would take 16 for the year 16.
    parse_date(&date.to_string()).ok().filter(|date| date.year() >= 100)
}

fn is_midnight(time: &str) -> bool {
    let Some(time) = time.strip_prefix([' ', 'T']) else { return false };
    let time = time.strip_suffix('Z').unwrap_or(time);
    let (whole, fraction) = time.split_once('.').unwrap_or((time, "0"));
    matches!(whole, "00:00" | "00:00:00") && !fraction.is_empty() && fraction.bytes().all(|byte| byte == b'0')
}

/// A cell as the values' own readers want it: dates and decimals in their plain form.
pub(super) fn plain<'a>(text: &'a str, kind: Kind, sheet: &Sheet) -> Result<Cow<'a, str>, ValueError> {
    match kind {
        Kind::Date => date(text, &sheet.date_format).map(|date| Cow::Owned(date.to_string())),
        Kind::Decimal | Kind::Money => Ok(decimal(text, sheet)),
        _ => Ok(Cow::Borrowed(text)),
    }
}

/// A decimal with a point, if the mapping says that it is written with a comma.
pub(super) fn decimal<'a>(text: &'a str, sheet: &Sheet) -> Cow<'a, str> {
    // A point besides would be a separator of thousands, and those are not guessed at.
    if sheet.decimal_comma && !text.contains('.') {
        Cow::Owned(text.replacen(',', ".", 1))
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, formats: &[&str]) -> Option<String> {
        let formats: Vec<String> = formats.iter().map(|format| (*format).to_owned()).collect();
        date(text, &formats).ok().map(|date| date.to_string())
    }

    #[test]
    fn midnight_is_a_date_and_noon_is_not() {
        for text in ["2026-01-31", "2026-01-31 00:00:00", "2026-01-31T00:00:00.000Z", "2026-01-31 00:00"] {
            assert_eq!(read(text, &[]).as_deref(), Some("2026-01-31"), "{text}");
        }
        for text in ["2026-01-31 12:00:00", "2026-01-31x", "31/01/2026", "é026-01-311", "2026-01-31 00:00:00."] {
            assert_eq!(read(text, &[]), None, "{text}");
        }
        assert_eq!(read("31/01/2026", &["%d/%m/%Y"]).as_deref(), Some("2026-01-31"));
        assert_eq!(read("2026-01-31 17:30:00", &["%Y-%m-%d %H:%M:%S"]).as_deref(), Some("2026-01-31"));
        assert_eq!(read("31/01/2026 x", &["%d/%m/%Y"]), None);
        assert!(!is_date_format("%Q") && !is_date_format("") && is_date_format("%d.%m.%Y"));
    }

    #[test]
    fn formats_that_fit_must_agree() {
        let both = ["%d-%m-%y", "%Y-%m-%d"];
        assert_eq!(read("20-10-16", &both).as_deref(), Some("2016-10-20"));
        assert_eq!(read("2016-10-20", &both).as_deref(), Some("2016-10-20"));
        assert_eq!(read("20/10/16", &both), None);
        // A year of two digits is none of four.
        assert_eq!(read("20-10-16", &["%d-%m-%y", "%d-%m-%Y"]).as_deref(), Some("2016-10-20"));
        assert_eq!(read("20-10-16", &["%d-%m-%Y"]), None);
        let either = ["%d-%m-%y", "%m-%d-%y"];
        assert_eq!(read("20-10-16", &either).as_deref(), Some("2016-10-20"));
        assert_eq!(read("01-01-17", &either).as_deref(), Some("2017-01-01"));
        assert_eq!(read("01-02-17", &either), None);
        let ambiguous = date("01-02-17", &either.map(str::to_owned)).unwrap_err();
        assert!(ambiguous.to_string().contains("formats read alike"), "{ambiguous}");
    }
}
