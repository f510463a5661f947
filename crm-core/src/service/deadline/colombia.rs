//! The built-in rules: Colombia's, from its public laws.
//!
//! Days "of a term in laws and official acts" are business days unless the law says otherwise (Law 4 of 1913,
//! article 62); they run from the day after the receipt. What arrives electronically after hours is filed on the next
//! business day (Law 1437 of 2011, article 54). An incomplete petition's term starts again on the day after it
//! is completed (Law 1755 of 2015, article 17). None of this is legal advice.

use std::borrow::Cow;

use super::rule::{DeadlineRule, Extension, Silence, Start, Topic, Unit};
use crate::value::Date;

/// Every built-in rule. Information about laws, not legal advice.
pub static RULES: &[DeadlineRule] = &[
    Law {
        code: "CO-GENERAL",
        silence: Silence::Negative,
        notes: "An extension is announced with its reasons before the term ends. Silence counts as a refusal three \
                months after the receipt (Law 1437 of 2011, article 83).",
        ..PETITION
    }
    .rule(),
    Law {
        code: "CO-INFORMATION",
        topic: Topic::Information,
        days: 10,
        silence: Silence::Positive,
        notes: "An extension is announced with its reasons before the term ends. On silence the request counts as \
                granted, and copies are due within three days.",
        ..PETITION
    }
    .rule(),
    Law {
        code: "CO-CONSULTATION",
        topic: Topic::Consultation,
        days: 30,
        notes: "An extension is announced with its reasons before the term ends.",
        ..PETITION
    }
    .rule(),
    Law { code: "CO-GENERAL-2020", silence: Silence::Negative, ..EMERGENCY }.rule(),
    Law { code: "CO-INFORMATION-2020", topic: Topic::Information, days: 20, silence: Silence::Positive, ..EMERGENCY }
        .rule(),
    Law { code: "CO-CONSULTATION-2020", topic: Topic::Consultation, days: 35, ..EMERGENCY }.rule(),
    Law {
        code: "CO-UTILITIES",
        regime: "public_utilities",
        topic: Topic::Utilities,
        days: 15,
        extension: Extension::None,
        silence: Silence::Positive,
        from: (1994, 7, 11),
        until: None,
        source: "Law 142 of 1994, article 158; Decree 2150 of 1995, article 123",
        notes: "On silence the request counts as granted, unless the user caused the delay or evidence had to be \
                taken; the company recognizes it within 72 hours after the term.",
    }
    .rule(),
    Law {
        code: "CO-DATA-CONSULTATION",
        topic: Topic::DataConsultation,
        days: 10,
        extension: Extension::Days(5),
        source: "Law 1581 of 2012, article 14",
        ..PERSONAL_DATA
    }
    .rule(),
    Law {
        code: "CO-DATA-CLAIM",
        topic: Topic::DataClaim,
        days: 15,
        extension: Extension::Days(8),
        source: "Law 1581 of 2012, article 15",
        notes: "The reasons for the delay and the new date are announced before the first term ends. An incomplete \
                claim is returned for completion within five days, and counts as withdrawn after two months.",
        ..PERSONAL_DATA
    }
    .rule(),
];

/// The right of petition, extended to at most double the initial term (article 14, paragraph).
const PETITION: Law = Law {
    code: "",
    regime: "petition",
    topic: Topic::General,
    days: 15,
    extension: Extension::TimesBase(2),
    silence: Silence::None,
    from: (2015, 6, 30),
    until: None,
    source: "Law 1437 of 2011, article 14, as replaced by Law 1755 of 2015",
    notes: "",
};

/// The longer terms of the health emergency, until Law 2207 of 2022 repealed them.
const EMERGENCY: Law = Law {
    days: 30,
    from: (2020, 3, 28),
    until: Some((2022, 5, 17)),
    source: "Legislative Decree 491 of 2020, article 5, repealed by Law 2207 of 2022",
    notes: "Not for petitions that protect other fundamental rights. The decree also governed petitions that were under \
            way on 2020-03-28; this rule does not.",
    ..PETITION
};

/// The protection of personal data.
const PERSONAL_DATA: Law = Law {
    regime: "personal_data",
    from: (2012, 10, 18),
    notes: "The reasons for the delay and the new date are announced before the first term ends.",
    ..PETITION
};

/// What distinguishes one rule from the others.
#[derive(Clone, Copy)]
struct Law {
    code: &'static str,
    regime: &'static str,
    topic: Topic,
    days: u32,
    extension: Extension,
    silence: Silence,
    from: (i32, u32, u32),
    until: Option<(i32, u32, u32)>,
    source: &'static str,
    notes: &'static str,
}

impl Law {
    const fn rule(self) -> DeadlineRule {
        DeadlineRule {
            code: Cow::Borrowed(self.code),
            version: Cow::Borrowed("1"),
            jurisdiction: Cow::Borrowed("CO"),
            regime: Cow::Borrowed(self.regime),
            topic: self.topic,
            base_days: self.days,
            unit: Unit::Business,
            start: Start::NextBusinessDay,
            largest_extension: self.extension,
            silence: self.silence,
            valid_from: day(self.from),
            valid_until: match self.until {
                Some(until) => Some(day(until)),
                None => None,
            },
            source: Cow::Borrowed(self.source),
            notes: Cow::Borrowed(self.notes),
        }
    }
}

const fn day((year, month, day): (i32, u32, u32)) -> Date {
    Date::from_ymd_opt(year, month, day).expect("a date")
}
