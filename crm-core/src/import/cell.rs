//! How cells are read.

use std::borrow::Cow;

use chrono::format::{Item, StrftimeItems};

use super::mapping::Sheet;
use crate::entity::Kind;
use crate::value::{Date, ValueError, parse_date};

/// Whether the text is a format of dates.
pub(super) fn is_date_format(format: &str) -> bool {
    !format.is_empty() && !StrftimeItems::new(format).any(|item| matches!(item, Item::Error))
}

/// Reads a date in the mapping's format; without one, `2026-01-31` with or without a time of midnight.
pub(super) fn date(text: &str, format: Option<&str>) -> Result<Date, ValueError> {
    if let Some(format) = format {
        // The range is that of every other date.
        let read = Date::parse_from_str(text, format).ok().and_then(|date| parse_date(&date.to_string()).ok());
        return read.ok_or_else(|| ValueError::syntax("a date in the mapping's format", text));
    }
    match text.split_at_checked(10) {
        Some((day, time)) if is_midnight(time) => parse_date(day),
        _ => parse_date(text),
    }
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
        Kind::Date => date(text, sheet.date_format.as_deref()).map(|date| Cow::Owned(date.to_string())),
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

    #[test]
    fn midnight_is_a_date_and_noon_is_not() {
        let day = Date::from_ymd_opt(2026, 1, 31).unwrap();
        for text in ["2026-01-31", "2026-01-31 00:00:00", "2026-01-31T00:00:00.000Z", "2026-01-31 00:00"] {
            assert_eq!(date(text, None), Ok(day), "{text}");
        }
        for text in ["2026-01-31 12:00:00", "2026-01-31x", "31/01/2026", "é026-01-311", "2026-01-31 00:00:00."] {
            assert!(date(text, None).is_err(), "{text}");
        }
        assert_eq!(date("31/01/2026", Some("%d/%m/%Y")), Ok(day));
        assert_eq!(date("2026-01-31 17:30:00", Some("%Y-%m-%d %H:%M:%S")), Ok(day));
        assert!(date("31/01/2026 x", Some("%d/%m/%Y")).is_err());
        assert!(!is_date_format("%Q") && !is_date_format("") && is_date_format("%d.%m.%Y"));
    }
}
