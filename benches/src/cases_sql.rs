//! Cases as a careful hand reads and counts them, on both databases, and the figures, which must be the library's.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use crm_core::report::{AnswerTimes, CaseReport, Waiting};
use crm_core::value::{Instant, LAST_DATE};
use crm_core::{Value, value};
use uuid::Uuid;

use crate::Outcome;
use crate::hand::{Cells, Database, bare_row};

/// Figures by what they are of.
pub(crate) type Sums = BTreeMap<String, [i64; 7]>;

bare_row!(
    /// A case, with all its columns.
    BareCase, CASE: {
        id: Option<Uuid> = id, number: Option<String> = text, kind: Option<String> = text, topic: Option<String> = text,
        channel: Option<String> = text, subject: Option<String> = text, description: Option<String> = text,
        contact_id: Option<Uuid> = id, account_number: Option<String> = text, assignee_id: Option<Uuid> = id,
        priority: Option<String> = text, status: Option<String> = text, received_at: Option<i64> = instant,
        received_on: Option<i64> = date, received_month: Option<i64> = date, counted_at: Option<i64> = instant,
        calendar_id: Option<Uuid> = id, calendar_version: Option<String> = text, rule_code: Option<String> = text,
        rule_version: Option<String> = text, rule_id: Option<Uuid> = id, base_days: Option<i64> = int,
        extension_days: Option<i64> = int, due_on: Option<i64> = date, paused_since: Option<i64> = date,
        silence: Option<String> = text, answer: Option<String> = text, answered_on: Option<i64> = date,
        first_answered_on: Option<i64> = date, answer_days: Option<i64> = int,
        answered_late: Option<bool> = answer, notified_on: Option<i64> = date,
        closed_on: Option<i64> = date, external_id: Option<String> = text, open_until: Option<i64> = date,
        version: Option<i64> = int, created_at: Option<i64> = instant, created_by: Option<Uuid> = id,
        updated_at: Option<i64> = instant,
    }
);

fn due(from: NaiveDate, to: NaiveDate) -> [Value; 3] {
    [LAST_DATE, from, to].map(Value::Date)
}

/// The first page of the open cases that are due on these days.
pub(crate) fn page<D: Database>(from: NaiveDate, to: NaiveDate, database: &mut D) -> Outcome<Vec<BareCase>> {
    static TEXT: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    let text = TEXT.get_or_init(|| {
        format!(
            "SELECT {} FROM crm_case WHERE org = 1 AND open_until = ?1 AND due_on BETWEEN ?2 AND ?3 \
             ORDER BY due_on, id LIMIT 50",
            CASE.join(", ")
        )
    });
    database.ask(text, &due(from, to), |row| BareCase::read(row))
}

/// How many there are.
pub(crate) fn count<D: Database>(from: NaiveDate, to: NaiveDate, database: &mut D) -> Outcome<i64> {
    let text = "SELECT count(*) FROM crm_case WHERE org = 1 AND open_until = ?1 AND due_on BETWEEN ?2 AND ?3";
    Ok(database.ask(text, &due(from, to), |row| row.number(0))?.into_iter().sum())
}

/// By all that is counted, in the order of the index.
const COUNTED: &str = "\
    SELECT received_month, kind, status, channel, count(*) FROM crm_case WHERE org = 1 AND received_at < ?1 \
    GROUP BY received_month, kind, status, channel";

/// How many first answers took so many days.
const ANSWERED: &str = "\
    SELECT kind, answer_days, count(*), count(*) FILTER (WHERE answered_late = TRUE) FROM crm_case \
    WHERE org = 1 AND answer_days IS NOT NULL AND first_answered_on <= ?2 AND received_at < ?1 GROUP BY kind, answer_days";

/// What waits: all, overdue, due today, soon, later, paused, without a date.
const WAITING: &str = "\
    SELECT silence, assignee_id, count(*), count(*) FILTER (WHERE due_on < ?2), count(*) FILTER (WHERE due_on = ?2), \
    count(*) FILTER (WHERE due_on > ?2 AND due_on <= ?3), count(*) FILTER (WHERE due_on > ?3), \
    count(*) FILTER (WHERE paused_since IS NOT NULL), \
    count(*) FILTER (WHERE due_on IS NULL AND paused_since IS NULL) \
    FROM crm_case WHERE org = 1 AND open_until > ?2 AND received_at < ?1 GROUP BY silence, assignee_id";

/// R9 as of a day, with what is due soon until another; `until` is the first instant after the day.
pub(crate) fn report<D: Database>(day: NaiveDate, soon: NaiveDate, until: Instant, database: &mut D) -> Outcome<Sums> {
    let word =
        |row: &D::Row<'_>, at| Ok::<_, Box<dyn std::error::Error + Send + Sync>>(row.text(at)?.unwrap_or_default());
    let [until, day, soon] = [Value::Instant(until), Value::Date(day), Value::Date(soon)];
    let mut sums = Sums::new();
    database.begin()?;
    let read = |row: &D::Row<'_>| Ok((row.date(0)?, [word(row, 1)?, word(row, 2)?, word(row, 3)?], row.number(4)?));
    for (month, [kind, status, channel], cases) in database.ask(COUNTED, std::slice::from_ref(&until), read)? {
        let month = month.unwrap_or_default();
        let names = ["cases".to_owned(), format!("in {month}"), kind, format!("now {status}"), format!("by {channel}")];
        for name in names {
            sums.entry(name).or_default()[0] += cases;
        }
    }
    let mut histograms: BTreeMap<String, BTreeMap<i64, (i64, i64)>> = BTreeMap::new();
    let read = |row: &D::Row<'_>| Ok((word(row, 0)?, [row.number(1)?, row.number(2)?, row.number(3)?]));
    for (kind, [days, answers, late]) in database.ask(ANSWERED, &[until.clone(), day.clone()], read)? {
        for name in [format!("{kind} answered"), "answered".to_owned()] {
            let sum = histograms.entry(name).or_default().entry(days).or_default();
            *sum = (sum.0 + answers, sum.1 + late);
        }
    }
    sums.extend(histograms.into_iter().map(|(name, histogram)| (name, times(&histogram))));
    let mut waiting: BTreeMap<(String, Option<Uuid>), [i64; 7]> = BTreeMap::new();
    let read = |row: &D::Row<'_>| {
        let mut numbers = [0; 7];
        for (number, at) in numbers.iter_mut().zip(2..) {
            *number = row.number(at)?;
        }
        Ok(((word(row, 0)?, row.id(1)?), numbers))
    };
    waiting.extend(database.ask(WAITING, &[until, day, soon], read)?);
    let mut names: BTreeMap<Option<Uuid>, String> = BTreeMap::from([(None, "nobody".to_owned())]);
    for (_, assignee) in waiting.keys() {
        if let (Some(id), false) = (assignee, names.contains_key(assignee)) {
            let text = "SELECT full_name FROM crm_user WHERE id = ?1";
            let name = database.ask(text, &[Value::Id(*id)], |row| word(row, 0))?;
            names.insert(*assignee, name.into_iter().collect());
        }
    }
    database.end()?;
    for ((silence, assignee), numbers) in &waiting {
        let name = names.get(assignee).cloned().unwrap_or_default();
        for name in ["waiting".to_owned(), format!("silence {silence}"), format!("of {name}")] {
            sums.entry(name).or_default().iter_mut().zip(numbers).for_each(|(sum, number)| *sum += number);
        }
    }
    Ok(sums)
}

/// Answered, late, the mean and the median in millionths of a day, and the 90th percentile.
fn times(histogram: &BTreeMap<i64, (i64, i64)>) -> [i64; 7] {
    let answered: i64 = histogram.values().map(|(answers, _)| answers).sum();
    let late = histogram.values().map(|(_, late)| late).sum();
    let sum: i64 = histogram.iter().map(|(days, (answers, _))| days * answers).sum();
    let ranked = |rank: i64| {
        let mut seen = 0;
        let found = histogram.iter().find(|(_, (answers, _))| {
            seen += answers;
            seen >= rank
        });
        found.map_or(0, |(days, _)| *days)
    };
    let mean = (sum * 2_000_000 + answered) / (2 * answered);
    let median = (ranked((answered + 1) / 2) + ranked(answered / 2 + 1)) * 500_000;
    [answered, late, mean, median, ranked((answered * 9 + 9) / 10), 0, 0]
}

/// The library's figures, to be compared.
pub(crate) fn of_report(report: &CaseReport) -> Sums {
    let one = |name: String, cases: i64| (name, [cases, 0, 0, 0, 0, 0, 0]);
    let times = |times: &AnswerTimes| {
        let micros = |days: Option<value::Decimal6>| days.map_or(0, value::Decimal6::micros);
        let p90 = times.p90_days.unwrap_or(0);
        [times.answered, times.late, micros(times.mean_days), micros(times.median_days), p90, 0, 0]
    };
    let waits = |w: &Waiting| [w.open, w.overdue, w.due_today, w.due_soon, w.due_later, w.paused, w.undated];
    let mut sums = Sums::from([
        one("cases".to_owned(), report.cases),
        ("answered".to_owned(), times(&report.answers)),
        ("waiting".to_owned(), waits(&report.waiting)),
    ]);
    sums.extend(report.by_kind.iter().map(|row| one(row.kind.to_string(), row.cases)));
    sums.extend(report.by_status.iter().map(|row| one(format!("now {}", row.status), row.cases)));
    sums.extend(report.by_channel.iter().map(|row| one(format!("by {}", row.channel), row.cases)));
    sums.extend(report.by_month.iter().map(|row| one(format!("in {}", crate::ledger::days(row.month)), row.cases)));
    sums.extend(report.answers_by_kind.iter().map(|row| (format!("{} answered", row.kind), times(&row.times))));
    sums.extend(report.waiting_by_silence.iter().map(|row| (format!("silence {}", row.silence), waits(&row.waiting))));
    sums.extend(report.waiting_by_assignee.iter().map(|row| {
        let name = row.assignee.clone().unwrap_or_else(|| "nobody".to_owned());
        (format!("of {name}"), waits(&row.waiting))
    }));
    sums.retain(|_, numbers| numbers.iter().any(|number| *number != 0));
    sums
}
