//! Legal deadlines: how many days there are to answer, and on which day they end.
//!
//! A [`DeadlineRule`] is data: so many days of a unit, how they begin, how far they may be extended, what silence
//! means, and where that is written. [`due`] counts them in a business calendar and explains every day.
//!
//! ```
//! use crm_core::service::calendar::{BusinessCalendar, built_in};
//! use crm_core::service::deadline::{Topic, due, rule_for};
//! use crm_core::value::parse_date;
//!
//! let calendar = BusinessCalendar::standard(built_in("CO").expect("is built in"), "America/Bogota".parse()?);
//! let rule = rule_for("CO", Topic::Information, parse_date("2026-03-27")?).expect("is built in");
//! // Friday before Holy Week, after the office closed.
//! let deadline = due(rule, &calendar, "2026-03-27T20:15:00-05:00".parse()?, &[], 0)?;
//! assert_eq!(deadline.due_on, Some(parse_date("2026-04-15")?));
//! assert!(deadline.explanation.to_string().contains("2026-04-02  Jueves Santo"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod colombia;
mod engine;
mod explanation;
mod rule;

pub use colombia::RULES;
pub(crate) use engine::due_by_kept;
pub use engine::{Deadline, DeadlineError, Pause, business_days_taken, due};
pub use explanation::{CalendarUsed, CountedDay, DISCLAIMER, Explanation, Skip, SkippedDay};
pub use rule::{DeadlineRule, Extension, Silence, Start, Topic, Unit};

use crate::value::Date;

/// The built-in rule with this code.
pub fn rule(code: &str) -> Option<&'static DeadlineRule> {
    RULES.iter().find(|rule| rule.code == code)
}

/// The built-in rule of a jurisdiction for a topic in force on a day; of several the one that came last.
pub fn rule_for(jurisdiction: &str, topic: Topic, on: Date) -> Option<&'static DeadlineRule> {
    let fits = |rule: &&DeadlineRule| rule.jurisdiction == jurisdiction && rule.topic == topic && rule.is_in_force(on);
    RULES.iter().filter(fits).max_by_key(|rule| rule.valid_from)
}
