//! The one error of this module: why a value was refused.
//!
//! ```
//! use crm_core::value::{Slug, ValueError};
//!
//! let error = "a".parse::<Slug>().unwrap_err();
//! assert_eq!(error, ValueError::TooShort { min: 2, got: 1 });
//! assert_eq!(error.to_string(), "has 1 character, at least 2 are needed");
//! assert_eq!(error.code(), "too_short");
//! ```

use std::fmt;

use crate::value::{Currency, Date};

/// Longest excerpt of a refused input that an error repeats, in characters.
const EXCERPT: usize = 60;

/// Why a value was refused.
///
/// The messages read on their own and after a field name (`email: must not be blank`).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValueError {
    /// The value is required, and only white space was given.
    #[error("must not be blank")]
    Blank,
    /// The text is longer than its field allows; both counts are characters.
    #[error("has {got} characters, at most {max} are allowed")]
    TooLong {
        /// Most characters allowed.
        max: usize,
        /// Characters given.
        got: usize,
    },
    /// The text is shorter than its field needs; both counts are characters.
    #[error("has {got} character{s}, at least {min} are needed", s = if *got == 1 { "" } else { "s" })]
    TooShort {
        /// Fewest characters allowed.
        min: usize,
        /// Characters given.
        got: usize,
    },
    /// The text contains U+0000 or another control character.
    #[error("contains a control character")]
    Control,
    /// The text does not have the form of the value.
    #[error("expected {expected}, got {got:?}")]
    Syntax {
        /// The form, for people, with an example where that helps.
        expected: &'static str,
        /// The refused input, shortened.
        got: String,
    },
    /// A tax number does not pass its check-digit rule.
    #[error("the check digits of this {scheme} are wrong")]
    CheckDigits {
        /// The rule, as people call it, such as `CPF`.
        scheme: &'static str,
    },
    /// No such ISO 4217 code, or one that cannot be invoiced in, such as `XAU`.
    #[error("unknown currency {0:?}, expected an ISO 4217 code such as EUR")]
    UnknownCurrency(String),
    /// The currency has been replaced.
    #[error("the currency {code} was withdrawn on {on}")]
    WithdrawnCurrency {
        /// The ISO 4217 code.
        code: String,
        /// First day on which it was no longer legal tender.
        on: Date,
    },
    /// More decimal places than the currency or the field has. Never rounded away silently.
    #[error("has {got} decimal place{s}, at most {allowed} are allowed", s = if *got == 1 { "" } else { "s" })]
    TooManyDecimals {
        /// Decimal places allowed.
        allowed: u32,
        /// Decimal places given, without trailing zeros.
        got: u32,
    },
    /// The result does not fit its type or exceeds the largest amount.
    #[error("the number is too large")]
    Overflow,
    /// Amounts of two currencies cannot be added.
    #[error("amounts in {left} and {right} cannot be combined")]
    CurrencyMismatch {
        /// Currency of the first amount.
        left: Currency,
        /// Currency of the second amount.
        right: Currency,
    },
    /// Something was to be divided by weights that are all zero or missing.
    #[error("at least one weight above zero is needed")]
    NoWeights,
    /// Neither a country code nor a known country name.
    #[error("unknown country {0:?}, expected an ISO 3166 code such as CO or an English name")]
    UnknownCountry(String),
    /// Not a name in the IANA time zone database.
    #[error("unknown time zone {0:?}, expected an IANA name such as America/Bogota")]
    UnknownZone(String),
    /// Not a phone number that exists in any numbering plan.
    #[error("{got:?} is not a valid phone number{}", Region(.region))]
    PhoneInvalid {
        /// The refused input, shortened.
        got: String,
        /// Code of the default region that was tried, if any.
        region: Option<String>,
    },
    /// A number in national format without a region to read it in.
    #[error("{got:?} has no country code and no default region is set, expected a form such as +57 321 1234567")]
    PhoneRegion {
        /// The refused input, shortened.
        got: String,
    },
    /// Outside the allowed range; both bounds are included in it.
    #[error("must be between {min} and {max}")]
    OutOfRange {
        /// Smallest value allowed.
        min: String,
        /// Largest value allowed.
        max: String,
    },
    /// Not one of a fixed set of words.
    #[error("unknown value {got:?}, expected one of {allowed}")]
    UnknownValue {
        /// The refused input, shortened.
        got: String,
        /// The words allowed, separated by commas.
        allowed: String,
    },
    /// Only rules write the field.
    #[error("cannot be set")]
    ReadOnly,
    /// The field may not have a value, or not this one, in the circumstances.
    #[error("is not allowed when {when}")]
    NotAllowed {
        /// The circumstances.
        when: &'static str,
    },
    /// The value names a record that is not there, or that the actor may not see.
    #[error("there is no {entity} {reference}")]
    NotThere {
        /// The kind of record.
        entity: &'static str,
        /// How it was named.
        reference: String,
    },
    /// Another record has the value, which only one may have.
    #[error("{got:?} is taken by {entity} {by}")]
    Taken {
        /// The kind of record.
        entity: &'static str,
        /// The id of the other record.
        by: String,
        /// The value, shortened.
        got: String,
    },
    /// A stated result contradicts the computed one.
    #[error("is stated as {stated}, but comes to {computed}")]
    NotEqual {
        /// As stated.
        stated: String,
        /// As computed.
        computed: String,
    },
    /// Less than zero.
    #[error("must not be negative")]
    Negative,
    /// Zero or less.
    #[error("must be more than zero")]
    NotPositive,
    /// A civil date is too early.
    #[error("{got} is before {earliest}")]
    Before {
        /// The first day allowed.
        earliest: Date,
        /// The day given.
        got: Date,
    },
    /// A civil date is too late.
    #[error("{got} is after {latest}")]
    After {
        /// The last day allowed.
        latest: Date,
        /// The day given.
        got: Date,
    },
    /// The same value stands twice where it may stand once.
    #[error("{got:?} was given before, in line {line}")]
    Repeated {
        /// The value, shortened.
        got: String,
        /// The line that had it first.
        line: u64,
    },
}

impl ValueError {
    /// Makes a [`ValueError::Syntax`] with a shortened copy of the input.
    pub fn syntax(expected: &'static str, got: &str) -> Self {
        Self::Syntax { expected, got: excerpt(got) }
    }

    /// Makes a [`ValueError::UnknownValue`] with a shortened copy of the input and the words
    /// allowed.
    pub fn unknown_value(got: &str, allowed: &[&str]) -> Self {
        Self::UnknownValue { got: excerpt(got), allowed: allowed.join(", ") }
    }

    /// Makes a [`ValueError::OutOfRange`] from two printable bounds.
    pub fn out_of_range(min: impl fmt::Display, max: impl fmt::Display) -> Self {
        Self::OutOfRange { min: min.to_string(), max: max.to_string() }
    }

    /// A stable word for the kind of refusal, shared by every front end.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Blank => "blank",
            Self::TooLong { .. } => "too_long",
            Self::TooShort { .. } => "too_short",
            Self::Control => "control_character",
            Self::Syntax { .. } => "syntax",
            Self::CheckDigits { .. } => "check_digits",
            Self::UnknownCurrency(_) => "unknown_currency",
            Self::WithdrawnCurrency { .. } => "withdrawn_currency",
            Self::TooManyDecimals { .. } => "too_many_decimals",
            Self::Overflow => "overflow",
            Self::CurrencyMismatch { .. } => "currency_mismatch",
            Self::NoWeights => "no_weights",
            Self::UnknownCountry(_) => "unknown_country",
            Self::UnknownZone(_) => "unknown_zone",
            Self::PhoneInvalid { .. } => "phone_invalid",
            Self::PhoneRegion { .. } => "phone_region",
            Self::OutOfRange { .. } => "out_of_range",
            Self::UnknownValue { .. } => "unknown_value",
            Self::ReadOnly => "read_only",
            Self::NotAllowed { .. } => "not_allowed",
            Self::NotThere { .. } => "not_there",
            Self::Taken { .. } => "taken",
            Self::NotEqual { .. } => "not_equal",
            Self::Negative => "negative",
            Self::NotPositive => "not_positive",
            Self::Before { .. } => "before",
            Self::After { .. } => "after",
            Self::Repeated { .. } => "repeated",
        }
    }
}

/// Shortens a refused input to what an error may repeat.
pub(crate) fn excerpt(got: &str) -> String {
    match got.char_indices().nth(EXCERPT) {
        None => got.to_owned(),
        Some(_) => got.chars().take(EXCERPT - 1).chain(['…']).collect(),
    }
}

/// Prints the region that a phone number was read in, when there was one.
struct Region<'a>(&'a Option<String>);

impl fmt::Display for Region<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_ref().map_or(Ok(()), |region| write!(f, " (read with region {region})"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_lower_case_without_full_stop_and_short() {
        let long = "x".repeat(5000);
        let errors = [
            ValueError::Blank,
            ValueError::TooLong { max: 3, got: 4 },
            ValueError::syntax("a slug", &long),
            ValueError::unknown_value(&long, &["a", "b"]),
            ValueError::out_of_range(1, 6),
            ValueError::PhoneInvalid { got: excerpt(&long), region: Some("CO".into()) },
            ValueError::PhoneInvalid { got: "12".into(), region: None },
        ];
        for error in errors {
            let text = error.to_string();
            assert!(!text.ends_with('.') && text.chars().count() < 200, "{text}");
            assert!(!text.starts_with(char::is_uppercase), "{text}");
        }
    }

    #[test]
    fn excerpts_are_cut_at_characters() {
        assert_eq!(excerpt(&"ñ".repeat(60)).chars().count(), 60);
        let cut = excerpt(&"ñ".repeat(61));
        assert_eq!(cut.chars().count(), 60);
        assert!(cut.ends_with('…'));
    }
}
