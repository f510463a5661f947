//! What is told of cases, handed over as the arguments of the classes in `crm_py.reports`.

use crm_core::Id;
use crm_core::report::{AnswerTimes, CaseReport, Waiting};
use crm_core::service::calendar::DayKind;
use crm_core::service::deadline::{DeadlineRule, Explanation, Pause, Skip};
use crm_core::service::{CaseRule, Recomputed};
use crm_core::value::Date;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::report::class;
use crate::sales_report::{decimal, tuple};
use crate::value::{instant_object, uuid_object};

/// A deadline rule.
pub(crate) fn rule<'py>(py: Python<'py>, id: Option<Id<CaseRule>>, rule: &DeadlineRule) -> PyResult<Bound<'py, PyAny>> {
    let fields = PyDict::new(py);
    fields.set_item("id", id.map(|id| uuid_object(py, id.uuid())).transpose()?)?;
    for (name, text) in [
        ("code", &*rule.code),
        ("version", &*rule.version),
        ("jurisdiction", &*rule.jurisdiction),
        ("regime", &*rule.regime),
        ("topic", rule.topic.as_str()),
        ("unit", rule.unit.as_str()),
        ("start", rule.start.as_str()),
        ("largest_extension", &rule.largest_extension.to_string()),
        ("silence", rule.silence.as_str()),
        ("source", &*rule.source),
        ("notes", &*rule.notes),
    ] {
        fields.set_item(name, text)?;
    }
    fields.set_item("base_days", rule.base_days)?;
    fields.set_item("largest_extension_days", rule.largest_extension_days())?;
    fields.set_item("valid_from", rule.valid_from)?;
    fields.set_item("valid_until", rule.valid_until)?;
    class(py, "DeadlineRule")?.call((), Some(&fields))
}

/// A kind of day as its name, and a holiday's name.
fn kind_of(kind: &DayKind) -> (&'static str, Option<&str>) {
    match kind {
        DayKind::Business => ("business", None),
        DayKind::Weekend => ("weekend", None),
        DayKind::Holiday(name) => ("holiday", Some(name)),
    }
}

/// What a day is.
pub(crate) fn day<'py>(
    py: Python<'py>,
    date: Date,
    kind: &DayKind,
    counts_on: Date,
    next: Date,
) -> PyResult<Bound<'py, PyAny>> {
    let (kind, name) = kind_of(kind);
    class(py, "CalendarDay")?.call1((date, kind, name, counts_on, next))
}

/// Why a case is due when it is.
pub(crate) fn explanation<'py>(py: Python<'py>, told: &Explanation) -> PyResult<Bound<'py, PyAny>> {
    let (skipped_class, pause_class) = (class(py, "SkippedDay")?, class(py, "Pause")?);
    let calendar = &told.calendar;
    let week = calendar.week.to_string();
    let calendar =
        class(py, "CalendarUsed")?.call1((&calendar.code, &calendar.version, calendar.zone.to_string(), week))?;
    let skipped = tuple(py, &told.skipped, |day| {
        let (kind, name) = match &day.reason {
            Skip::Day(kind) => kind_of(kind),
            Skip::Paused => ("paused", None),
        };
        skipped_class.call1((day.date, kind, name))
    })?;
    let fields = PyDict::new(py);
    fields.set_item("rule", rule(py, None, &told.rule)?)?;
    fields.set_item("calendar", calendar)?;
    fields.set_item("received_at", instant_object(py, told.received_at)?)?;
    let first = told.first_received_at.map(|first| instant_object(py, first)).transpose()?;
    fields.set_item("first_received_at", first)?;
    fields.set_item("arrived_on", told.receipt.arrived_on)?;
    fields.set_item("received_on", told.receipt.received_on)?;
    fields.set_item("receipt", told.receipt.time.as_str())?;
    fields.set_item("counted", PyTuple::new(py, told.counted.iter().map(|day| day.date))?)?;
    fields.set_item("skipped", skipped)?;
    let pauses = |pauses| tuple(py, pauses, |pause: &Pause| pause_class.call1((pause.from, pause.to)));
    fields.set_item("pauses", pauses(&told.pauses)?)?;
    fields.set_item("ended_by_closing", pauses(&told.ended_by_closing)?)?;
    fields.set_item("extension_days", told.extension_days)?;
    fields.set_item("total_days", told.total_days)?;
    fields.set_item("moved_from", told.moved_from)?;
    fields.set_item("due_on", told.due_on)?;
    fields.set_item("disclaimer", told.disclaimer)?;
    fields.set_item("text", told.to_string())?;
    class(py, "Explanation")?.call((), Some(&fields))
}

/// What a changed calendar means for open cases.
pub(crate) fn recomputed<'py>(py: Python<'py>, found: &Recomputed) -> PyResult<Bound<'py, PyAny>> {
    let moved_class = class(py, "MovedCase")?;
    let moved = tuple(py, &found.moved, |case| {
        let (id, number) = (uuid_object(py, case.case_id.uuid())?, case.number.as_deref());
        let dates = (case.paused_since, case.from_due_on, case.to_due_on);
        moved_class.call1((id, number, &*case.calendar_version, dates.0, dates.1, dates.2))
    })?;
    class(py, "Recomputed")?.call1((&found.calendar_version, found.cases, moved, found.applied))
}

/// R9.
pub(crate) fn report<'py>(py: Python<'py>, report: &CaseReport) -> PyResult<Bound<'py, PyAny>> {
    let (count_class, times_class) = (class(py, "CaseCount")?, class(py, "AnswerTimes")?);
    let waiting_class = class(py, "WaitingCases")?;
    let count = |of: &str, cases: i64| count_class.call1((of, cases));
    let times = |kind: Option<&str>, times: &AnswerTimes| {
        let (mean, median) = (decimal(times.mean_days), decimal(times.median_days));
        times_class.call1((kind, times.answered, times.late, mean, median, times.p90_days))
    };
    let waiting = |silence: Option<&str>, id: Option<Bound<'py, PyAny>>, assignee: Option<&str>, cases: &Waiting| {
        let Waiting { open, overdue, due_today, due_soon, due_later, paused, undated } = *cases;
        let arguments = (silence, id, assignee, open, overdue, due_today, due_soon, due_later, paused, undated);
        waiting_class.call1(arguments)
    };
    let month_class = class(py, "CaseMonth")?;
    let by_silence =
        tuple(py, &report.waiting_by_silence, |row| waiting(Some(row.silence.as_str()), None, None, &row.waiting))?;
    let by_assignee = tuple(py, &report.waiting_by_assignee, |row| {
        let id = row.assignee_id.map(|id| uuid_object(py, id.uuid())).transpose()?;
        waiting(None, id, row.assignee.as_deref(), &row.waiting)
    })?;
    class(py, "CaseReport")?.call1((
        report.as_of,
        report.soon_until,
        report.cases,
        tuple(py, &report.by_kind, |row| count(row.kind.as_str(), row.cases))?,
        tuple(py, &report.by_status, |row| count(row.status.as_str(), row.cases))?,
        tuple(py, &report.by_channel, |row| count(row.channel.as_str(), row.cases))?,
        tuple(py, &report.by_month, |row| month_class.call1((row.month, row.cases)))?,
        times(None, &report.answers)?,
        tuple(py, &report.answers_by_kind, |row| times(Some(row.kind.as_str()), &row.times))?,
        waiting(None, None, None, &report.waiting)?,
        by_silence,
        by_assignee,
    ))
}
