//! Why a due date is what it is, day by day.

use std::fmt;

use serde::{Serialize, Serializer};

use super::engine::Pause;
use super::rule::{DeadlineRule, Extension, Silence, Start, Unit};
use crate::service::calendar::{BusinessCalendar, DayKind, Receipt, ReceiptTime, Week};
use crate::value::{Date, Instant, Zone};

/// What every explanation says of itself.
pub const DISCLAIMER: &str = "This is a calculation from public sources and not legal advice.";

/// Everything that makes up a due date. As text, one line for each day or run of days.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The rule, with its version and source.
    pub rule: DeadlineRule,
    /// The calendar, with its version.
    pub calendar: CalendarUsed,
    /// When it arrived; of a term that began with an appeal, when the appeal did.
    pub received_at: Instant,
    /// When the case arrived at first, if the term began with an appeal.
    pub first_received_at: Option<Instant>,
    /// The day on which that counts, and why.
    pub receipt: Receipt,
    /// The first day that counts, if one does.
    pub counted_from: Option<Date>,
    /// The days that count, in order.
    pub counted: Vec<CountedDay>,
    /// The days since the receipt that do not, in order.
    pub skipped: Vec<SkippedDay>,
    /// The pauses, as given.
    pub pauses: Vec<Pause>,
    /// Those of them that ended because the case was closed, and not by a completion.
    pub ended_by_closing: Vec<Pause>,
    /// By how many days of the rule's unit the term was extended.
    pub extension_days: u32,
    /// How many days there are in all.
    pub total_days: u32,
    /// The last day of the count, if it has no business and the due date was moved.
    pub moved_from: Option<Date>,
    /// The last day of the term; none while a pause without an end stands before it.
    pub due_on: Option<Date>,
    /// [`DISCLAIMER`].
    pub disclaimer: &'static str,
}

/// The calendar of an explanation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CalendarUsed {
    /// Its code.
    pub code: String,
    /// Its version.
    pub version: String,
    /// Its zone.
    pub zone: Zone,
    /// Its opening hours.
    pub week: Week,
}

impl CalendarUsed {
    pub(super) fn of(calendar: &BusinessCalendar) -> Self {
        Self {
            code: calendar.code().to_owned(),
            version: calendar.version().to_owned(),
            zone: calendar.zone(),
            week: calendar.week().clone(),
        }
    }
}

/// A day that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct CountedDay {
    /// The day.
    pub date: Date,
    /// Its number in the count, from 1.
    pub n: u32,
}

/// A day that does not count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SkippedDay {
    /// The day.
    pub date: Date,
    /// Why not.
    #[serde(flatten)]
    pub reason: Skip,
}

/// Why a day does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Skip {
    /// It has no business.
    Day(DayKind),
    /// The clock stood still.
    Paused,
}

impl Serialize for Skip {
    /// As [`DayKind`], with the kind `paused`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Day(kind) => kind.serialize(serializer),
            Self::Paused => serializer.collect_map([("kind", "paused")]),
        }
    }
}

impl fmt::Display for Skip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Day(DayKind::Business) => f.write_str("business day"),
            Self::Day(DayKind::Weekend) => f.write_str("weekend"),
            Self::Day(DayKind::Holiday(name)) => f.write_str(name),
            Self::Paused => f.write_str("paused"),
        }
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.heading(f)?;
        let mut skipped = self.skipped.as_slice();
        for day in &self.counted {
            let before = skipped.partition_point(|skipped| skipped.date < day.date);
            runs(f, &skipped[..before])?;
            skipped = &skipped[before..];
            writeln!(f, "  {:>3}  {}", day.n, long(day.date))?;
        }
        runs(f, skipped)?;
        self.ending(f)
    }
}

impl Explanation {
    /// The rule, the calendar, the receipt and what changed the term.
    fn heading(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rule, calendar, receipt, .. } = self;
        let unit = match rule.unit {
            Unit::Business => "business",
            Unit::Calendar => "calendar",
        };
        let start = match rule.start {
            Start::NextBusinessDay => "from the next business day",
            Start::NextDay => "from the next day",
            Start::SameDay => "from the day of receipt",
        };
        writeln!(f, "Rule {} (version {}): {} {unit} days {start}", rule.code, rule.version, rule.base_days)?;
        writeln!(f, "Source: {}", rule.source)?;
        writeln!(f, "Calendar {} (version {}), {}, {}", calendar.code, calendar.version, calendar.zone, calendar.week)?;
        let local = calendar.zone.local_at(self.received_at).format("%H:%M");
        let what = if self.first_received_at.is_some() { "Appealed" } else { "Received" };
        write!(f, "{what} {} at {local}", long(receipt.arrived_on))?;
        match receipt.time {
            ReceiptTime::InTime => writeln!(f)?,
            ReceiptTime::AfterHours => writeln!(f, ", after hours: counts on {}", long(receipt.received_on))?,
            ReceiptTime::DayOff => writeln!(f, ", a day without business: counts on {}", long(receipt.received_on))?,
        }
        if let Some(first) = self.first_received_at {
            let on = long(calendar.zone.date_at(first));
            writeln!(f, "The term began with this appeal; the case was received at first on {on}")?;
        }
        for pause in &self.pauses {
            match pause.to {
                Some(to) if self.ended_by_closing.contains(pause) => {
                    writeln!(f, "Paused after {} until it was closed on {}", long(pause.from), long(to))?;
                }
                Some(to) => writeln!(f, "Paused after {} until {}", long(pause.from), long(to))?,
                None => writeln!(f, "Paused after {}, not yet completed", long(pause.from))?,
            }
        }
        if self.extension_days > 0 {
            writeln!(f, "Extended by {} {unit} days to {}", self.extension_days, self.total_days)?;
        }
        Ok(())
    }

    /// The due date and what goes with it.
    fn ending(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(last) = self.moved_from {
            let source = if self.rule.jurisdiction == "CO" { " (Law 4 of 1913, article 62)" } else { "" };
            writeln!(f, "The last day, {}, has no business and moves to the next that has{source}", long(last))?;
        }
        match self.due_on {
            Some(due_on) => writeln!(f, "Due {}", long(due_on))?,
            None => writeln!(
                f,
                "Paused: {} of {} days are counted, the rest follows the completion",
                self.counted.len(),
                self.total_days
            )?,
        }
        match self.rule.silence {
            Silence::None => {}
            Silence::Positive => writeln!(f, "Without an answer in time, what was asked for counts as granted")?,
            Silence::Negative => writeln!(f, "Without an answer in time, what was asked for counts as refused")?,
        }
        match self.rule.largest_extension {
            Extension::None => writeln!(f, "It cannot be extended")?,
            _ => writeln!(f, "It can be extended by {} days in all", self.rule.largest_extension_days())?,
        }
        if !self.rule.notes.is_empty() {
            writeln!(f, "{}", self.rule.notes)?;
        }
        f.write_str(self.disclaimer)
    }
}

/// Days that do not count, those in a row for the same reason in one line.
fn runs(f: &mut fmt::Formatter<'_>, days: &[SkippedDay]) -> fmt::Result {
    for run in days.chunk_by(|day, next| day.reason == next.reason && day.date.succ_opt() == Some(next.date)) {
        match run {
            [] => {}
            [day] => writeln!(f, "    -  {}  {}", long(day.date), day.reason)?,
            [first, .., last] => writeln!(f, "    -  {} to {}  {}", long(first.date), long(last.date), first.reason)?,
        }
    }
    Ok(())
}

/// `Fri 2026-03-27`.
fn long(date: Date) -> impl fmt::Display {
    date.format("%a %Y-%m-%d")
}
