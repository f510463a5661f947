//! What stands before a number: text with places for parts of the document's date.

use std::fmt::Write as _;

use chrono::Datelike as _;

use crate::value::{Date, ValueError};

/// The form of a prefix, for people.
const EXPECTED: &str = "text with {year}, {month} or {date} in it";

/// A part of a prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part<'a> {
    /// Text as it stands.
    Text(&'a str),
    /// The year, four digits.
    Year,
    /// The month, two digits.
    Month,
    /// The day as `YYYYMMDD`.
    Date,
}

impl Part<'_> {
    /// How many digits it becomes; nothing for text.
    const fn digits(self) -> Option<usize> {
        match self {
            Self::Text(_) => None,
            Self::Year => Some(4),
            Self::Month => Some(2),
            Self::Date => Some(8),
        }
    }
}

/// A prefix that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Prefix<'a> {
    parts: Vec<Part<'a>>,
}

impl<'a> Prefix<'a> {
    /// Reads a prefix.
    ///
    /// # Errors
    /// [`ValueError::Syntax`] for a brace that belongs to no known place.
    pub(super) fn parse(text: &'a str) -> Result<Self, ValueError> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, place) = rest.split_at(at);
            if !before.is_empty() {
                parts.push(Part::Text(before));
            }
            let known = [("{year}", Part::Year), ("{month}", Part::Month), ("{date}", Part::Date)];
            let found = known.into_iter().find_map(|(name, part)| Some((part, place.strip_prefix(name)?)));
            let (part, after) = found.ok_or_else(|| ValueError::syntax(EXPECTED, text))?;
            parts.push(part);
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest));
        }
        Ok(Self { parts })
    }

    /// Whether every text tells its year.
    pub(super) fn has_year(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Year | Part::Date))
    }

    /// How many characters every text has.
    pub(super) fn length(&self) -> usize {
        let length = |part: &Part<'_>| match part {
            Part::Text(text) => text.chars().count(),
            part => part.digits().unwrap_or(0),
        };
        self.parts.iter().map(length).sum()
    }

    /// The text on a day.
    pub(super) fn on(&self, day: Date) -> String {
        let mut out = String::new();
        for part in &self.parts {
            let written = match part {
                Part::Text(text) => out.write_str(text),
                Part::Year => write!(out, "{:04}", day.year()),
                Part::Month => write!(out, "{:02}", day.month()),
                Part::Date => write!(out, "{:04}{:02}{:02}", day.year(), day.month(), day.day()),
            };
            written.expect("a string takes any text");
        }
        out
    }

    /// What follows the prefix in a number, and the year that the prefix tells, if the number begins with it.
    pub(super) fn strip<'n>(&self, number: &'n str) -> Option<(Option<i64>, &'n str)> {
        let (mut rest, mut year) = (number, None);
        for part in &self.parts {
            let Some(digits) = part.digits() else {
                let Part::Text(text) = part else { return None };
                rest = rest.strip_prefix(text)?;
                continue;
            };
            let (found, after) = rest.split_at_checked(digits)?;
            if !found.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            if *part != Part::Month {
                year = found[..4].parse().ok();
            }
            rest = after;
        }
        Some((year, rest))
    }

    /// The text before the first digit of every number. Numbers with different ones are never the same.
    fn head(&self) -> String {
        let mut head = String::new();
        for part in &self.parts {
            let Part::Text(text) = part else { break };
            let at = text.find(|letter: char| letter.is_ascii_digit());
            head.push_str(&text[..at.unwrap_or(text.len())]);
            if at.is_some() {
                break;
            }
        }
        head
    }

    /// Whether its numbers end in digits of the number alone.
    fn ends_in_text(&self) -> bool {
        match self.parts.last() {
            Some(Part::Text(text)) => !text.ends_with(|letter: char| letter.is_ascii_digit()),
            Some(_) => false,
            None => true,
        }
    }

    /// Whether no number under this prefix can be one that was given under the other. `counts_on`: all numbers
    /// given now are larger than those given before.
    pub(super) fn repeats_none_of(&self, before: &Self, counts_on: bool) -> bool {
        self == before || self.head() != before.head() || (counts_on && before.ends_in_text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::parse_date;

    fn prefix(text: &str) -> Prefix<'_> {
        Prefix::parse(text).unwrap()
    }

    #[test]
    fn places_are_filled_from_the_day() {
        let day = parse_date("0987-03-09").unwrap();
        assert_eq!(prefix("INV-").on(day), "INV-");
        assert_eq!(prefix("{date}/").on(day), "09870309/");
        let both = prefix("A{year}-{month}-");
        assert_eq!(both.on(day), "A0987-03-");
        assert_eq!(both.length(), 9);
        assert!(both.has_year() && prefix("{date}").has_year() && !prefix("{month}").has_year());
        for bad in ["{", "}", "{day}", "{Year}", "{year", "a}b", "{{year}}"] {
            assert!(Prefix::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_number_is_taken_apart() {
        let invoice = prefix("F{year}-{month}-");
        assert_eq!(invoice.strip("F2026-03-0007"), Some((Some(2026), "0007")));
        assert_eq!(prefix("{date}-").strip("20260309-1"), Some((Some(2026), "1")));
        assert_eq!(prefix("").strip("7"), Some((None, "7")));
        for bad in ["F2026-03", "F202x-03-7", "G2026-03-7", "F2026-ñ-7", "F20"] {
            assert_eq!(invoice.strip(bad), None, "{bad}");
        }
    }

    #[test]
    fn prefixes_that_could_repeat_a_number_are_told() {
        let repeats = |before, after, counts_on| !prefix(after).repeats_none_of(&prefix(before), counts_on);
        // A15 was the fifth under A1 and will be the fifteenth under A.
        assert!(repeats("A1", "A", true));
        assert!(!repeats("A", "A1", true));
        assert!(!repeats("INV-", "FV-", false));
        assert!(repeats("INV-{year}-", "INV-{year}/", false));
        assert!(!repeats("INV-{year}-", "INV-{year}/", true));
        assert!(repeats("A{year}", "A{month}", true));
    }
}
