//! What a deadline rule consists of.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use crate::entity::{Field, Kind, Locale};
use crate::row::Value;
use crate::value::{Date, ValueError, serde_as_string};

crate::choice! {
    /// What somebody asks for, as far as laws give it a deadline of its own.
    pub enum Topic {
        /// Anything that no other topic covers.
        General = "general",
        /// Documents or information.
        Information = "information",
        /// An authority's opinion on a matter in its charge.
        Consultation = "consultation",
        /// A public utility's service: petitions, complaints and appeals of its users.
        Utilities = "utilities",
        /// What data about a person are kept.
        DataConsultation = "data_consultation",
        /// That data about a person be corrected, updated or deleted.
        DataClaim = "data_claim",
    }
}

crate::choice! {
    /// Which days a rule counts.
    pub enum Unit {
        /// Business days of the calendar.
        Business = "business",
        /// Every day; a last day without business moves to the next business day.
        Calendar = "calendar",
    }
}

crate::choice! {
    /// Which day can be the first that counts.
    pub enum Start {
        /// The first business day after the day of receipt.
        NextBusinessDay = "next_business_day",
        /// The day after the day of receipt.
        NextDay = "next_day",
        /// The day of receipt itself.
        SameDay = "same_day",
    }
}

crate::choice! {
    /// What it means when no answer is given in time.
    pub enum Silence {
        /// Nothing by itself.
        None = "none",
        /// What was asked for counts as granted.
        Positive = "positive",
        /// What was asked for counts as refused.
        Negative = "negative",
    }
}

/// How far a deadline may be extended, in the unit of its rule.
///
/// Written `none`, a number of days such as `5`, or a factor such as `x2`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Extension {
    /// Not at all.
    None,
    /// By at most so many days.
    Days(u32),
    /// Until the whole is at most so many times the base.
    TimesBase(u32),
}

impl fmt::Display for Extension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.pad("none"),
            Self::Days(days) => f.pad(&days.to_string()),
            Self::TimesBase(factor) => f.pad(&format!("x{factor}")),
        }
    }
}

impl FromStr for Extension {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let text = text.trim();
        let digits = text.strip_prefix('x').unwrap_or(text);
        let number = || digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse::<u32>().ok()).flatten();
        match (text, number()) {
            ("", _) => Err(ValueError::Blank),
            ("none", _) => Ok(Self::None),
            (_, Some(factor)) if text.starts_with('x') && factor > 0 => Ok(Self::TimesBase(factor)),
            (_, Some(days)) if !text.starts_with('x') && days > 0 => Ok(Self::Days(days)),
            _ => Err(ValueError::syntax("\"none\", a number of days such as 5, or a factor such as x2", text)),
        }
    }
}

impl Field for Extension {
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

serde_as_string!(Extension, "\"none\", a number of days such as \"5\", or a factor such as \"x2\"");

/// How long there is to answer. Information about a law, not legal advice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeadlineRule {
    /// Its name, unique among the rules in use.
    pub code: Cow<'static, str>,
    /// Changes whenever a field does.
    pub version: Cow<'static, str>,
    /// Whose law it is: an ISO 3166 code.
    pub jurisdiction: Cow<'static, str>,
    /// Which body of rules it belongs to, such as `petition` or `public_utilities`.
    pub regime: Cow<'static, str>,
    /// What it is for.
    pub topic: Topic,
    /// How many days there are, without an extension.
    pub base_days: u32,
    /// Which days count.
    pub unit: Unit,
    /// Which day can be the first.
    pub start: Start,
    /// How far it may be extended.
    pub largest_extension: Extension,
    /// What it means when no answer is given in time.
    pub silence: Silence,
    /// The first day of receipt that it governs.
    pub valid_from: Date,
    /// The last day of receipt that it governs; none while it is in force.
    pub valid_until: Option<Date>,
    /// Where it is written.
    pub source: Cow<'static, str>,
    /// What else to know.
    pub notes: Cow<'static, str>,
}

impl DeadlineRule {
    /// Whether it governs what is received on a day.
    pub fn is_in_force(&self, on: Date) -> bool {
        self.valid_from <= on && self.valid_until.is_none_or(|until| on <= until)
    }

    /// The most days by which it may be extended, in its unit.
    pub fn largest_extension_days(&self) -> u32 {
        match self.largest_extension {
            Extension::None => 0,
            Extension::Days(days) => days,
            Extension::TimesBase(factor) => self.base_days.saturating_mul(factor.saturating_sub(1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_are_read_and_written_alike() {
        for (text, extension) in [("none", Extension::None), ("5", Extension::Days(5)), ("x2", Extension::TimesBase(2))]
        {
            assert_eq!(text.parse(), Ok(extension));
            assert_eq!(extension.to_string(), text);
        }
        for bad in ["0", "x0", "x", "-1", "+5", "2x", "5 days", "4294967296"] {
            assert!(matches!(bad.parse::<Extension>(), Err(ValueError::Syntax { .. })), "{bad}");
        }
        assert_eq!(" ".parse::<Extension>(), Err(ValueError::Blank));
    }
}
