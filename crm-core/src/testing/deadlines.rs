//! Dated situations with the due dates that were worked out independently of the engine.

use crate::service::calendar::{BUILT_IN, BuiltIn, BusinessCalendar, Override, Week};
use crate::service::deadline::{DeadlineRule, Extension, Pause, Silence, rule};
use crate::value::{Date, Instant, Zone, parse_date};

/// What arrives when, what stops the clock, and when the answer is due.
#[derive(Clone, Debug)]
pub struct DatedCase {
    /// Where it stands: the file and the line.
    pub place: String,
    /// When it arrives.
    pub received_at: Instant,
    /// The zone of the calendar.
    pub zone: Zone,
    /// The country whose holidays count.
    pub base: Option<&'static BuiltIn>,
    /// The opening hours.
    pub week: Week,
    /// What the office changed.
    pub overrides: Vec<Override>,
    /// The rule: a built-in one, or one made for the case.
    pub rule: DeadlineRule,
    /// The notices and completions.
    pub pauses: Vec<Pause>,
    /// By how many days the term is extended.
    pub extension_days: u32,
    /// When the answer is due; none if a notice is not completed.
    pub due_on: Option<Date>,
    /// What is special about it, or the counting.
    pub situation: String,
}

impl DatedCase {
    /// The calendar of the case.
    pub fn calendar(&self) -> BusinessCalendar {
        let code = self.base.map_or("office", |base| base.code);
        BusinessCalendar::new(code, self.base, self.zone, self.week.clone(), &self.overrides, 0)
    }
}

/// Every case of both files.
///
/// # Panics
/// If a line cannot be read.
pub fn dated_cases() -> Vec<DatedCase> {
    let files = [
        ("deadlines.tsv", include_str!("../../tests/data/calendars/deadlines.tsv")),
        ("deadlines-by-hand.tsv", include_str!("../../tests/data/calendars/deadlines-by-hand.tsv")),
    ];
    let lines = files.iter().flat_map(|(file, text)| {
        let numbered = text.lines().enumerate().filter(|(_, line)| !line.starts_with('#'));
        numbered.map(move |(at, line)| (format!("{file}:{}", at + 1), line))
    });
    lines.map(|(place, line)| read(&place, line).unwrap_or_else(|| panic!("{place} cannot be read: {line}"))).collect()
}

fn read(place: &str, line: &str) -> Option<DatedCase> {
    let cells: Vec<&str> = line.split('\t').collect();
    let [received_at, zone, calendar, week, overrides, rule, pauses, extension, due_on, situation] = cells[..] else {
        return None;
    };
    Some(DatedCase {
        place: place.to_owned(),
        received_at: received_at.parse().ok()?,
        zone: zone.parse().ok()?,
        base: match calendar {
            "-" => None,
            code => Some(BUILT_IN.iter().find(|base| base.code == code)?),
        },
        week: week.parse().ok()?,
        overrides: list(overrides, change)?,
        rule: rule_of(rule)?,
        pauses: list(pauses, pause)?,
        extension_days: extension.parse().ok()?,
        due_on: match due_on {
            "-" => None,
            date => Some(parse_date(date).ok()?),
        },
        situation: situation.to_owned(),
    })
}

/// Reads what commas separate; `-` is nothing.
fn list<T>(text: &str, item: fn(&str) -> Option<T>) -> Option<Vec<T>> {
    if text == "-" { Some(Vec::new()) } else { text.split(',').map(item).collect() }
}

/// Reads `2026-03-30 holiday`.
fn change(text: &str) -> Option<Override> {
    let (date, kind) = text.split_once(' ')?;
    Some(Override { date: parse_date(date).ok()?, kind: kind.parse().ok()?, name: "set by the office".to_owned() })
}

/// Reads `2026-03-30/2026-04-06` or, not completed, `2026-03-30/`.
fn pause(text: &str) -> Option<Pause> {
    let (from, to) = text.split_once('/')?;
    let to = if to.is_empty() { None } else { Some(parse_date(to).ok()?) };
    Some(Pause { from: parse_date(from).ok()?, to })
}

/// The built-in rule of a code, or one made of `unit:days:start`.
fn rule_of(text: &str) -> Option<DeadlineRule> {
    if let Some(rule) = rule(text) {
        return Some(rule.clone());
    }
    let mut parts = text.split(':');
    let (unit, days, start) = (parts.next()?, parts.next()?, parts.next()?);
    Some(DeadlineRule {
        code: text.to_owned().into(),
        base_days: days.parse().ok()?,
        unit: unit.parse().ok()?,
        start: start.parse().ok()?,
        largest_extension: Extension::None,
        silence: Silence::None,
        valid_from: Date::from_ymd_opt(2015, 1, 1)?,
        source: "the office's own".into(),
        notes: "".into(),
        ..rule("CO-GENERAL")?.clone()
    })
}
