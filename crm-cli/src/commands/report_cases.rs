//! `crm report cases`: R9, how many cases came in, how long the answers took, and which wait for one.

use std::fmt::Write as _;

use clap::{ArgMatches, Command};
use crm_core::Session;
use crm_core::report::{AnswerTimes, CaseReport, CaseReportOptions, Waiting};
use crm_core::value::Decimal6;

use super::report::machine;
use crate::args::{date, option, value};
use crate::error::Failure;
use crate::output::{Format, Out};

pub(super) fn command() -> Command {
    Command::new("cases")
        .about("How many cases came in, how long the answers took in business days, and which wait for one")
        .arg(option("as_of", "DATE", "As of which day [default: today]"))
        .arg(option("from", "DATE", "Counts and answer times: only cases that came in on this day or later"))
        .arg(option("to", "DATE", "Counts and answer times: only cases that came in on this day or earlier"))
        .arg(
            option("days", "N", "For how many days after the report's day a case is due soon")
                .value_parser(clap::value_parser!(u32))
                .default_value("5"),
        )
        .arg(option("zone", "ZONE", "Whose days [default: the organization's zone]"))
        .after_help("Example: crm report cases --from 2026-01-01 --to 2026-03-31 --days 7")
}

/// The report in the form asked for.
pub(super) async fn run(out: Out, session: &Session<'_>, args: &ArgMatches) -> Result<String, Failure> {
    let options = CaseReportOptions {
        days: args.get_one::<u32>("days").copied().unwrap_or_default(),
        as_of: date(args, "as_of")?,
        from: date(args, "from")?,
        to: date(args, "to")?,
        zone: value(args, "zone")?,
    };
    let report = session.case_report(&options).await?;
    if let Some(text) = machine(out, &report)? {
        return Ok(text);
    }
    if out.format == Format::Csv { csv(out, &report) } else { Ok(people(out, &report)) }
}

const ANSWERS: [&str; 5] = ["answered", "late", "mean_days", "median_days", "p90_days"];
const WAITING: [&str; 7] = ["open", "overdue", "due_today", "due_soon", "due_later", "paused", "undated"];

/// The figures of answers in the order of [`ANSWERS`], the mean and the median as given.
fn answers(times: &AnswerTimes, number: impl Fn(Option<Decimal6>) -> String) -> [String; 5] {
    let p90 = times.p90_days.map_or_else(String::new, |days| days.to_string());
    [times.answered.to_string(), times.late.to_string(), number(times.mean_days), number(times.median_days), p90]
}

/// The figures of waiting cases in the order of [`WAITING`].
fn waiting(waiting: &Waiting) -> [String; 7] {
    let Waiting { open, overdue, due_today, due_soon, due_later, paused, undated } = *waiting;
    [open, overdue, due_today, due_soon, due_later, paused, undated].map(|cases| cases.to_string())
}

/// Every figure in a row of its own, exact: the section, the group within it, the figure's name, its value.
fn csv(out: Out, report: &CaseReport) -> Result<String, Failure> {
    let mut csv = out.csv(["section", "group", "figure", "value"])?;
    let mut counted = |section: &str, group: &str, cases: i64| csv.row([section, group, "cases", &cases.to_string()]);
    counted("all", "", report.cases)?;
    for row in &report.by_kind {
        counted("kind", row.kind.as_str(), row.cases)?;
    }
    for row in &report.by_status {
        counted("status", row.status.as_str(), row.cases)?;
    }
    for row in &report.by_channel {
        counted("channel", row.channel.as_str(), row.cases)?;
    }
    for row in &report.by_month {
        counted("month", &row.month.format("%Y-%m").to_string(), row.cases)?;
    }
    let mut figures = |section: &str, group: &str, names: &[&str], values: &[String]| {
        names.iter().zip(values).try_for_each(|(name, value)| csv.row([section, group, name, value]))
    };
    let exact = |number: Option<Decimal6>| number.map_or_else(String::new, |number| number.to_string());
    figures("answers", "", &ANSWERS, &answers(&report.answers, exact))?;
    for row in &report.answers_by_kind {
        figures("answers", row.kind.as_str(), &ANSWERS, &answers(&row.times, exact))?;
    }
    figures("waiting", "", &WAITING, &waiting(&report.waiting))?;
    for row in &report.waiting_by_silence {
        figures("waiting_by_silence", row.silence.as_str(), &WAITING, &waiting(&row.waiting))?;
    }
    for row in &report.waiting_by_assignee {
        let assignee = row.assignee_id.map_or_else(String::new, |id| id.to_string());
        figures("waiting_by_assignee", &assignee, &WAITING, &waiting(&row.waiting))?;
    }
    csv.take()
}

/// The sections as tables, rows of nothing left out.
fn people(out: Out, report: &CaseReport) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "Cases as of {}: {} came in\n", report.as_of, report.cases);
    let table = |text: &mut String, names: &[&str], rows: &[Vec<String>]| {
        if !rows.is_empty() {
            let _ = writeln!(text, "{}", out.draw(names, &(1..names.len()).collect::<Vec<_>>(), rows));
        }
    };
    let counted = |group: &str, cases: i64| (cases > 0).then(|| vec![group.to_owned(), cases.to_string()]);
    let kinds: Vec<_> = report.by_kind.iter().filter_map(|row| counted(row.kind.as_str(), row.cases)).collect();
    table(&mut text, &["Kind", "Cases"], &kinds);
    let statuses: Vec<_> = report.by_status.iter().filter_map(|row| counted(row.status.as_str(), row.cases)).collect();
    table(&mut text, &["Status", "Cases"], &statuses);
    let channels: Vec<_> =
        report.by_channel.iter().filter_map(|row| counted(row.channel.as_str(), row.cases)).collect();
    table(&mut text, &["Channel", "Cases"], &channels);
    let months = report.by_month.iter().filter_map(|row| counted(&row.month.format("%Y-%m").to_string(), row.cases));
    table(&mut text, &["Month", "Cases"], &months.collect::<Vec<_>>());

    let _ = writeln!(text, "Answers, in business days");
    let short = |number: Option<Decimal6>| number.map_or_else(String::new, tenths);
    let row = |group: &str, times: &AnswerTimes| [vec![group.to_owned()], answers(times, short).to_vec()].concat();
    let answered = report.answers_by_kind.iter().filter(|row| row.times.answered > 0);
    let mut rows: Vec<_> = answered.map(|answered| row(answered.kind.as_str(), &answered.times)).collect();
    rows.push(row("all", &report.answers));
    table(&mut text, &["Kind", "Answered", "Late", "Mean", "Median", "90 %"], &rows);

    let _ = writeln!(text, "Waiting for an answer; soon is until {}", report.soon_until);
    let names = |first| [&[first, "Open", "Overdue", "Today", "Soon", "Later", "Paused", "Undated"][..]].concat();
    let row = |group: &str, cases: &Waiting| [vec![group.to_owned()], waiting(cases).to_vec()].concat();
    let found = report.waiting_by_silence.iter().filter(|row| row.waiting.open > 0);
    let mut rows: Vec<_> = found.map(|found| row(found.silence.as_str(), &found.waiting)).collect();
    rows.push(row("all", &report.waiting));
    table(&mut text, &names("Silence"), &rows);
    let assignees = report.waiting_by_assignee.iter();
    let rows: Vec<_> =
        assignees.map(|found| row(found.assignee.as_deref().unwrap_or("nobody"), &found.waiting)).collect();
    table(&mut text, &names("Assignee"), &rows);
    text.truncate(text.trim_end().len() + 1);
    text
}

/// A number of days with one decimal, rounded half up; days are never negative.
fn tenths(days: Decimal6) -> String {
    let tenths = (days.micros() + 50_000) / 100_000;
    format!("{}.{}", tenths / 10, tenths % 10)
}
