//! Counting the days of a rule.

use serde::Serialize;

use super::explanation::{CalendarUsed, CountedDay, DISCLAIMER, Explanation, Skip, SkippedDay};
use super::rule::{DeadlineRule, Start, Unit};
use crate::service::calendar::{BusinessCalendar, CalendarError, DayKind};
use crate::value::{Date, Instant};

/// A time during which the clock stands still, because whoever asked has to complete something.
///
/// The days after the notice, up to and including that of the completion, do not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Pause {
    /// The day of the notice.
    pub from: Date,
    /// The day of the completion; none while it is awaited.
    pub to: Option<Date>,
}

impl Pause {
    fn covers(self, date: Date) -> bool {
        self.from < date && self.to.is_none_or(|to| date <= to)
    }
}

/// When an answer is due, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Deadline {
    /// The last day of the term; none while a pause without an end stands before it.
    pub due_on: Option<Date>,
    /// How it comes about.
    pub explanation: Explanation,
}

/// Why there is no deadline.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeadlineError {
    /// The calendar does not know a day that matters.
    #[error(transparent)]
    Calendar(#[from] CalendarError),
    /// The rule does not govern what was received on this day.
    #[error("rule {rule} is not in force on {on}")]
    NotInForce {
        /// The rule's code.
        rule: String,
        /// The day of receipt.
        on: Date,
    },
    /// The extension is longer than the rule allows.
    #[error("an extension of {asked} days is more than the {largest} that rule {rule} allows")]
    Extension {
        /// The rule's code.
        rule: String,
        /// The days asked for.
        asked: u32,
        /// The most days allowed.
        largest: u32,
    },
    /// A pause ends before it begins.
    #[error("a pause from {from} cannot end on {to}")]
    Pause {
        /// The day of the notice.
        from: Date,
        /// The day of the completion.
        to: Date,
    },
}

/// The last day on which an answer to something received at an instant is in time.
///
/// Days count from the rule's start; those of a pause do not, and the rest continues on the next day that counts.
/// `extension_days` are added in the rule's unit. Days of the calendar are all counted, and a last day without
/// business moves to the next business day (for Colombia's laws: Law 4 of 1913, article 62).
pub fn due(
    rule: &DeadlineRule,
    calendar: &BusinessCalendar,
    received_at: Instant,
    pauses: &[Pause],
    extension_days: u32,
) -> Result<Deadline, DeadlineError> {
    let on = calendar.received_on(received_at)?;
    if !rule.is_in_force(on) {
        return Err(DeadlineError::NotInForce { rule: rule.code.clone().into_owned(), on });
    }
    due_by_kept(rule, calendar, received_at, pauses, extension_days)
}

/// As [`due`], by a rule that a case keeps: it governs the case whether it was in force on the day of receipt or not.
pub(crate) fn due_by_kept(
    rule: &DeadlineRule,
    calendar: &BusinessCalendar,
    received_at: Instant,
    pauses: &[Pause],
    extension_days: u32,
) -> Result<Deadline, DeadlineError> {
    let receipt = calendar.receipt(received_at)?;
    check(rule, pauses, extension_days)?;
    let total_days = rule.base_days.saturating_add(extension_days);
    let mut count = Count { calendar, pauses, counted: Vec::new(), skipped: Vec::new() };
    let last = count.run(rule, receipt.received_on, total_days)?;
    let due_on = match last {
        Some(last) if rule.unit == Unit::Calendar => count.on_or_after(last)?,
        _ => last,
    };
    let explanation = Explanation {
        rule: rule.clone(),
        calendar: CalendarUsed::of(calendar),
        received_at,
        first_received_at: None,
        receipt,
        counted_from: count.counted.first().map(|day| day.date),
        counted: count.counted,
        skipped: count.skipped,
        pauses: pauses.to_vec(),
        ended_by_closing: Vec::new(),
        extension_days,
        total_days,
        moved_from: last.filter(|_| due_on != last),
        due_on,
        disclaimer: DISCLAIMER,
    };
    Ok(Deadline { due_on, explanation })
}

/// The business days that an answer took: those after the day of receipt up to and including that of the
/// answer, without pauses. Zero if it was given on the day of receipt or before it.
pub fn business_days_taken(
    calendar: &BusinessCalendar,
    received_on: Date,
    answered_on: Date,
    pauses: &[Pause],
) -> Result<i64, CalendarError> {
    if calendar.business_days_between(received_on, answered_on)? <= 0 {
        return Ok(0);
    }
    let days = calendar.business_days(received_on, answered_on);
    Ok(days.iter().filter(|date| !pauses.iter().any(|pause| pause.covers(**date))).count().cast_signed() as i64)
}

fn check(rule: &DeadlineRule, pauses: &[Pause], extension_days: u32) -> Result<(), DeadlineError> {
    let largest = rule.largest_extension_days();
    if extension_days > largest {
        return Err(DeadlineError::Extension { rule: rule.code.clone().into_owned(), asked: extension_days, largest });
    }
    for pause in pauses {
        if let Some(to) = pause.to.filter(|to| *to < pause.from) {
            return Err(DeadlineError::Pause { from: pause.from, to });
        }
    }
    Ok(())
}

/// A count under way.
struct Count<'a> {
    calendar: &'a BusinessCalendar,
    pauses: &'a [Pause],
    counted: Vec<CountedDay>,
    skipped: Vec<SkippedDay>,
}

impl Count<'_> {
    /// Counts `total` days after (or from) the day of receipt and gives the last one, if no pause without an end
    /// stands before it.
    fn run(&mut self, rule: &DeadlineRule, received_on: Date, total: u32) -> Result<Option<Date>, CalendarError> {
        let (mut date, earliest) = match rule.start {
            Start::SameDay => (received_on, received_on),
            Start::NextDay => (next(received_on), received_on),
            Start::NextBusinessDay => (next(received_on), self.calendar.next_business_day(received_on)?),
        };
        let mut last = received_on;
        let mut n = 0;
        while n < total {
            let Some(kind) = self.look(date)? else { return Ok(None) };
            match kind {
                Skip::Day(kind) if kind == DayKind::Business || (rule.unit == Unit::Calendar && date >= earliest) => {
                    n += 1;
                    self.counted.push(CountedDay { date, n });
                    last = date;
                }
                reason => self.skipped.push(SkippedDay { date, reason }),
            }
            date = next(date);
        }
        Ok(Some(last))
    }

    /// The day itself if it is a business day, else the next one on which the clock runs.
    fn on_or_after(&mut self, last: Date) -> Result<Option<Date>, CalendarError> {
        if self.calendar.is_business_day(last)? {
            return Ok(Some(last));
        }
        let mut date = next(last);
        loop {
            match self.look(date)? {
                None => return Ok(None),
                Some(Skip::Day(DayKind::Business)) => return Ok(Some(date)),
                Some(reason) => self.skipped.push(SkippedDay { date, reason }),
            }
            date = next(date);
        }
    }

    /// What a day is; none if a pause that has no end covers it.
    fn look(&self, date: Date) -> Result<Option<Skip>, CalendarError> {
        let kind = self.calendar.day(date)?;
        Ok(match self.pauses.iter().find(|pause| pause.covers(date)) {
            None => Some(Skip::Day(kind)),
            Some(pause) => pause.to.map(|_| Skip::Paused),
        })
    }
}

/// The next civil day; the calendar refuses days long before there is none.
fn next(date: Date) -> Date {
    date.succ_opt().unwrap_or(date)
}
