//! Business calendars: which days count, where, and until what time of the day.
//!
//! A [`BusinessCalendar`] is a weekly pattern in a time zone, the public holidays of a country, and what an
//! organization changed in them. Holidays come from [rules](HolidayRule) with their years and sources, known
//! for the years [`FIRST_YEAR`] to [`LAST_YEAR`]; a date outside them is an error, never a day without
//! holidays.
//!
//! ```
//! use crm_core::service::calendar::{BusinessCalendar, DayKind, built_in};
//! use crm_core::value::parse_date;
//!
//! let colombia = built_in("CO").expect("is built in");
//! let calendar = BusinessCalendar::standard(colombia, "America/Bogota".parse()?);
//! let monday = parse_date("2026-01-12")?;
//! assert_eq!(calendar.day(monday)?, DayKind::Holiday("Día de los Reyes Magos".into()));
//! assert_eq!(calendar.add_business_days(parse_date("2026-01-09")?, 1)?, parse_date("2026-01-13")?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod brazil;
mod business;
mod colombia;
mod rule;
mod russia;
mod spain;
mod venezuela;
mod week;

pub use business::{BusinessCalendar, DayKind, Override, OverrideKind, Receipt, ReceiptTime};
pub use rule::{BuiltIn, Holiday, HolidayRule, On, easter};
pub use week::{Interval, Week};

use crate::value::Date;

/// The first year whose holidays are known.
pub const FIRST_YEAR: i32 = 2015;
/// The last year whose holidays are known.
pub const LAST_YEAR: i32 = 2035;

/// The countries whose national holidays are built in.
pub static BUILT_IN: &[BuiltIn] =
    &[brazil::BRAZIL, colombia::COLOMBIA, russia::RUSSIA, spain::SPAIN, venezuela::VENEZUELA];

/// The built-in holidays of a country, by its ISO 3166 code.
pub fn built_in(code: &str) -> Option<&'static BuiltIn> {
    BUILT_IN.iter().find(|country| country.code == code)
}

/// Why a calendar gives no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CalendarError {
    /// The answer lies in or depends on a year whose holidays are not known.
    #[error("{date} is outside the years {FIRST_YEAR} to {LAST_YEAR} that the calendar {calendar} knows")]
    Years {
        /// The calendar's code.
        calendar: String,
        /// The day asked about, or the first one that is not known.
        date: Date,
    },
}
