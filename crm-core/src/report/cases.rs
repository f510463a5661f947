//! R9: cases by kind, status, channel and month; how long answers took; what is due and what is late.

use std::collections::BTreeMap;

use chrono::Days;
use serde::Serialize;

use super::{between, end_of, period, plus, ratio};
use crate::access::User;
use crate::crm::Session;
use crate::entity::{Entity as _, Field, Stored};
use crate::error::CrmError;
use crate::id::Id;
use crate::row::Value;
use crate::service::deadline::Silence;
use crate::service::{Case, CaseChannel, CaseKind, CaseStatus};
use crate::store::{Aggregate, Bucket, Cmp, Expr, Group, Measure, Scope, Totals};
use crate::value::{Date, Decimal6, Zone};

/// What the report covers.
#[derive(Clone, Copy, Debug)]
pub struct CaseReportOptions {
    /// How many civil days after the report's day a case is due soon.
    pub days: u32,
    /// The report's day; today otherwise.
    pub as_of: Option<Date>,
    /// Of counts and answer times: only cases that came in on this civil day or later.
    pub from: Option<Date>,
    /// Of counts and answer times: only cases that came in on this civil day or earlier.
    pub to: Option<Date>,
    /// The zone of these days; the organization's otherwise.
    pub zone: Option<Zone>,
}

impl Default for CaseReportOptions {
    /// All cases, due soon within 5 days.
    fn default() -> Self {
        Self { days: 5, as_of: None, from: None, to: None, zone: None }
    }
}

/// R9: the cases that came in by a day, those answered by then, and those that waited for an answer then. Status,
/// assignee, due date and pauses are as they are now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CaseReport {
    /// The report's day.
    pub as_of: Date,
    /// The last civil day on which a case is due soon.
    pub soon_until: Date,
    /// How many came in.
    pub cases: i64,
    /// How many of each kind, those without a case too.
    pub by_kind: Vec<CaseKindRow>,
    /// How many in each status, those without a case too.
    pub by_status: Vec<CaseStatusRow>,
    /// How many by each channel, those without a case too.
    pub by_channel: Vec<CaseChannelRow>,
    /// How many in each month that had any, in the zone of the organization's calendar at that time.
    pub by_month: Vec<CaseMonthRow>,
    /// How long the first answers took.
    pub answers: AnswerTimes,
    /// The same for each kind, those without an answer too.
    pub answers_by_kind: Vec<AnswerTimesRow>,
    /// The cases that waited for an answer.
    pub waiting: Waiting,
    /// The same by what silence means in law.
    pub waiting_by_silence: Vec<SilenceRow>,
    /// The same by who works on them, by name; those of nobody last.
    pub waiting_by_assignee: Vec<AssigneeRow>,
}

/// The cases of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct CaseKindRow {
    /// The kind.
    pub kind: CaseKind,
    /// How many.
    pub cases: i64,
}

/// The cases in one status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct CaseStatusRow {
    /// The status.
    pub status: CaseStatus,
    /// How many.
    pub cases: i64,
}

/// The cases that came in by one channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct CaseChannelRow {
    /// The channel.
    pub channel: CaseChannel,
    /// How many.
    pub cases: i64,
}

/// The cases that came in in one month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct CaseMonthRow {
    /// The month's first day.
    pub month: Date,
    /// How many.
    pub cases: i64,
}

/// How long first answers took, in business days of the case's calendar without those on which its clock stood.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AnswerTimes {
    /// How many cases were answered.
    pub answered: i64,
    /// How many of them were late, be it in the answer to an appeal.
    pub late: i64,
    /// The mean, rounded half away from zero to six places; absent without an answer.
    pub mean_days: Option<Decimal6>,
    /// The median: the middle one, or the mean of the two middle ones.
    pub median_days: Option<Decimal6>,
    /// The 90th percentile: the smallest number of days within which nine answers of ten came (nearest rank).
    pub p90_days: Option<i64>,
}

/// How long the first answers to cases of one kind took.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct AnswerTimesRow {
    /// The kind.
    pub kind: CaseKind,
    /// How long.
    #[serde(flatten)]
    pub times: AnswerTimes,
}

/// Cases that wait for an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// How many wait.
    pub open: i64,
    /// How many of them are past their due date.
    pub overdue: i64,
    /// How many are due on the report's day.
    pub due_today: i64,
    /// How many are due on the days after it, as far as was asked.
    pub due_soon: i64,
    /// How many are due later.
    pub due_later: i64,
    /// How many have a clock that stands, and so no due date.
    pub paused: i64,
    /// How many have no rule, and so no due date.
    pub undated: i64,
}

/// Cases that wait, by what silence means in law.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct SilenceRow {
    /// What it means.
    pub silence: Silence,
    /// How many.
    #[serde(flatten)]
    pub waiting: Waiting,
}

/// Cases that wait, by who works on them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AssigneeRow {
    /// The member; absent for the cases of nobody.
    pub assignee_id: Option<Id<User>>,
    /// The member's name.
    pub assignee: Option<String>,
    /// How many.
    #[serde(flatten)]
    pub waiting: Waiting,
}

impl Waiting {
    fn add(&mut self, other: Self) -> Result<(), CrmError> {
        for (sum, more) in [
            (&mut self.open, other.open),
            (&mut self.overdue, other.overdue),
            (&mut self.due_today, other.due_today),
            (&mut self.due_soon, other.due_soon),
            (&mut self.due_later, other.due_later),
            (&mut self.paused, other.paused),
            (&mut self.undated, other.undated),
        ] {
            plus(sum, more)?;
        }
        Ok(())
    }
}

/// How many answers took so many days, in order of the days; of them, how many were late.
type Histogram = BTreeMap<i64, (i64, i64)>;

impl AnswerTimes {
    /// The figures of a histogram.
    fn of(histogram: &Histogram) -> Result<Self, CrmError> {
        let (mut answered, mut late, mut sum) = (0, 0, 0);
        for (days, (answers, of_them_late)) in histogram {
            plus(&mut answered, *answers)?;
            plus(&mut late, *of_them_late)?;
            plus(&mut sum, days.saturating_mul(*answers))?;
        }
        // The days of the answer with this number, from 1, in order of the days.
        let ranked = |rank: i64| {
            let mut seen = 0;
            histogram.iter().find_map(|(days, (answers, _))| {
                seen += answers;
                (seen >= rank).then_some(*days)
            })
        };
        let (lower, upper) = ((answered + 1) / 2, answered / 2 + 1);
        let middle = ranked(lower).zip(ranked(upper)).filter(|_| answered > 0);
        Ok(Self {
            answered,
            late,
            mean_days: ratio(sum, answered),
            median_days: middle.and_then(|(lower, upper)| ratio(lower.saturating_add(upper), 2)),
            p90_days: ranked(answered.saturating_mul(9).saturating_add(9) / 10).filter(|_| answered > 0),
        })
    }
}

/// Reads a group's value.
fn read<T: Field>(value: &Value, column: &'static str) -> Result<T, CrmError> {
    super::read(value, Case::TABLE, column)
}

impl Session<'_> {
    /// R9: how many cases came in, how long the answers took, and which wait for one.
    ///
    /// # Errors
    /// When the role may not see it; [`CrmError::Invalid`] when the period ends before it begins.
    pub async fn case_report(&self, options: &CaseReportOptions) -> Result<CaseReport, CrmError> {
        let visible = self.reported_on::<Case>("cases").await?;
        let zone = self.zone(options.zone);
        let (from, until) = period(options.from, options.to, zone)?;
        let as_of = self.day(options.as_of, zone);
        let over = end_of(as_of, zone);
        let tomorrow = as_of.checked_add_days(Days::new(1)).unwrap_or(Date::MAX);
        let soon_until = as_of.checked_add_days(Days::new(options.days.into())).unwrap_or(Date::MAX);
        let later = soon_until.checked_add_days(Days::new(1)).unwrap_or(Date::MAX);

        let columns = Case::COLUMNS;
        let came = columns.received_at.operand();
        let until = until.map_or(over, |until| until.min(over));
        let covered = between(&came, from, Some(until)).and(visible.clone());
        let counted = Aggregate::new(Case::TABLE, covered.clone())
            .by(Group::Value(columns.received_month.operand()))
            .by(Group::Value(columns.kind.operand()))
            .by(Group::Value(columns.status.operand()))
            .by(Group::Value(columns.channel.operand()))
            .measure(Measure::Count);
        let answered = columns.first_answered_on.le(&Some(as_of)) & !columns.answer_days.is_null();
        let answered = Aggregate::new(Case::TABLE, answered.into_expr().and(covered))
            .by(Group::Value(columns.kind.operand()))
            .by(Group::Value(columns.answer_days.operand()))
            .measure(Measure::Count)
            .measure_where(Measure::Count, columns.answered_late.eq(&Some(true)));
        let open = Expr::Compare(columns.open_until.operand(), Cmp::Gt, Value::Date(as_of));
        let bounds = [as_of, tomorrow, later].map(Value::Date).to_vec();
        let waiting = Aggregate::new(Case::TABLE, open.and(between(&came, None, Some(over))).and(visible))
            .by(Group::Buckets(columns.due_on.operand(), Bucket { bounds }))
            .by(Group::Value(columns.silence.operand()))
            .by(Group::Value(columns.assignee_id.operand()))
            .measure(Measure::Count)
            .measure_where(Measure::Count, !columns.paused_since.is_null());
        let queries = [counted, answered, waiting];
        let answers = self.store().aggregate(self.scope(), &queries).await?;
        let rows = |query: usize| answers[query].iter().map(move |row| (query, row));
        let totals = |(query, row)| Totals::new(&queries[query], row);

        let mut counts = Counts::default();
        for totals in rows(0).map(totals) {
            counts.add(&totals)?;
        }
        let mut histograms: BTreeMap<CaseKind, Histogram> = BTreeMap::new();
        let mut all = Histogram::new();
        for totals in rows(1).map(totals) {
            let kind = read::<CaseKind>(totals.group(0), "kind")?;
            let days = read::<i64>(totals.group(1), "answer_days")?;
            for histogram in [histograms.entry(kind).or_default(), &mut all] {
                let (answers, late) = histogram.entry(days).or_default();
                plus(answers, totals.number(0))?;
                plus(late, totals.number(1))?;
            }
        }
        let mut waiting = Waiting::default();
        let mut by_silence: BTreeMap<Silence, Waiting> = BTreeMap::new();
        let mut by_assignee: BTreeMap<Option<Id<User>>, Waiting> = BTreeMap::new();
        for totals in rows(2).map(totals) {
            let found = Waiting::of(&totals);
            waiting.add(found)?;
            by_silence.entry(read(totals.group(1), "silence")?).or_default().add(found)?;
            by_assignee.entry(read(totals.group(2), "assignee_id")?).or_default().add(found)?;
        }
        let kinds = CaseKind::ALL.iter().copied();
        let times = |kind| AnswerTimes::of(histograms.get(&kind).unwrap_or(&Histogram::new()));
        let answers_by_kind = kinds.map(|kind| Ok(AnswerTimesRow { kind, times: times(kind)? }));
        let silences = Silence::ALL.iter().copied();
        let found = |silence| by_silence.get(&silence).copied().unwrap_or_default();
        Ok(CaseReport {
            as_of,
            soon_until,
            cases: counts.cases,
            by_kind: counts.by_kind(),
            by_status: counts.by_status(),
            by_channel: counts.by_channel(),
            by_month: counts.by_month(),
            answers: AnswerTimes::of(&all)?,
            answers_by_kind: answers_by_kind.collect::<Result<_, CrmError>>()?,
            waiting,
            waiting_by_silence: silences.map(|silence| SilenceRow { silence, waiting: found(silence) }).collect(),
            waiting_by_assignee: self.assignees(by_assignee).await?,
        })
    }

    /// The rows of assignees, by name.
    async fn assignees(&self, found: BTreeMap<Option<Id<User>>, Waiting>) -> Result<Vec<AssigneeRow>, CrmError> {
        let ids: Vec<_> = found.keys().flatten().map(|id| id.uuid()).collect();
        let mut names = BTreeMap::new();
        for row in self.store().fetch(Scope::SYSTEM, User::TABLE, &ids).await? {
            let user = Stored::<User>::from_row(row)?;
            names.insert(user.id, user.full_name.to_string());
        }
        let mut rows: Vec<AssigneeRow> = found
            .into_iter()
            .map(|(assignee_id, waiting)| {
                let assignee = assignee_id.and_then(|id| names.get(&id).cloned());
                AssigneeRow { assignee_id, assignee, waiting }
            })
            .collect();
        rows.sort_by(|left, right| {
            let key = |row: &AssigneeRow| (row.assignee_id.is_none(), row.assignee.clone(), row.assignee_id);
            key(left).cmp(&key(right))
        });
        Ok(rows)
    }
}

impl Waiting {
    /// The cases of a group, all in one range of due dates.
    fn of(totals: &Totals<'_>) -> Self {
        let (open, paused) = (totals.number(0), totals.number(1));
        let mut waiting = Self { open, paused, ..Self::default() };
        match totals.group(0).as_int() {
            Some(0) => waiting.overdue = open,
            Some(1) => waiting.due_today = open,
            Some(2) => waiting.due_soon = open,
            Some(_) => waiting.due_later = open,
            None => waiting.undated = open - paused,
        }
        waiting
    }
}

/// The counts of cases, by one group at a time.
#[derive(Default)]
struct Counts {
    cases: i64,
    months: BTreeMap<Date, i64>,
    kinds: BTreeMap<CaseKind, i64>,
    statuses: BTreeMap<CaseStatus, i64>,
    channels: BTreeMap<CaseChannel, i64>,
}

impl Counts {
    fn add(&mut self, totals: &Totals<'_>) -> Result<(), CrmError> {
        let cases = totals.number(0);
        plus(&mut self.cases, cases)?;
        plus(self.months.entry(read(totals.group(0), "received_month")?).or_default(), cases)?;
        plus(self.kinds.entry(read(totals.group(1), "kind")?).or_default(), cases)?;
        plus(self.statuses.entry(read(totals.group(2), "status")?).or_default(), cases)?;
        plus(self.channels.entry(read(totals.group(3), "channel")?).or_default(), cases)
    }

    fn by_kind(&self) -> Vec<CaseKindRow> {
        let row = |kind: &CaseKind| CaseKindRow { kind: *kind, cases: self.kinds.get(kind).copied().unwrap_or(0) };
        CaseKind::ALL.iter().map(row).collect()
    }

    fn by_status(&self) -> Vec<CaseStatusRow> {
        let cases = |status| self.statuses.get(status).copied().unwrap_or(0);
        CaseStatus::ALL.iter().map(|status| CaseStatusRow { status: *status, cases: cases(status) }).collect()
    }

    fn by_channel(&self) -> Vec<CaseChannelRow> {
        let cases = |channel| self.channels.get(channel).copied().unwrap_or(0);
        CaseChannel::ALL.iter().map(|channel| CaseChannelRow { channel: *channel, cases: cases(channel) }).collect()
    }

    fn by_month(&self) -> Vec<CaseMonthRow> {
        self.months.iter().map(|(month, cases)| CaseMonthRow { month: *month, cases: *cases }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(answers: &[(i64, i64)]) -> (Option<String>, Option<String>, Option<i64>) {
        let histogram = answers.iter().map(|(days, answers)| (*days, (*answers, 0))).collect();
        let times = AnswerTimes::of(&histogram).unwrap();
        let text = |number: Option<Decimal6>| number.map(|number| number.to_string());
        (text(times.mean_days), text(times.median_days), times.p90_days)
    }

    #[test]
    fn mean_median_and_percentile_come_from_the_counts() {
        let told = |mean: &str, median: &str, p90| (Some(mean.to_owned()), Some(median.to_owned()), Some(p90));
        assert_eq!(times(&[]), (None, None, None));
        assert_eq!(times(&[(7, 1)]), told("7", "7", 7));
        assert_eq!(times(&[(0, 1), (1, 1)]), told("0.5", "0.5", 1));
        assert_eq!(times(&[(1, 1), (2, 1), (3, 1)]), told("2", "2", 3));
        assert_eq!(times(&[(1, 2), (2, 1)]), told("1.333333", "1", 2));
        // Nine of ten within 4 days, the tenth after 50.
        assert_eq!(times(&[(4, 9), (50, 1)]), told("8.6", "4", 4));
        // Nine of eleven are fewer than nine of ten.
        assert_eq!(times(&[(4, 9), (50, 2)]).2, Some(50));
        assert_eq!(times(&[(1, 5), (6, 5)]), told("3.5", "3.5", 6));
    }
}
