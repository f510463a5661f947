//! R9 against figures worked out from the cases one by one.
#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::collections::BTreeMap;

use chrono::Days;
use crm_core::entity::Stored;
use crm_core::report::{CaseReportOptions, Waiting};
use crm_core::service::deadline::Silence;
use crm_core::service::{Case, CaseChannel, CaseKind, CaseStatus};
use crm_core::store::{MemoryStore, Query};
use crm_core::value::{Date, Decimal6, parse_date};
use crm_core::{Crm, Session, block_on, testing};

fn number(count: usize) -> i64 {
    count.try_into().unwrap()
}

async fn all(session: &Session<'_>) -> Vec<Stored<Case>> {
    session.list(&Query::<Case>::all().limit(10_000)).await.unwrap().items
}

/// Where a case stands on a day that waits for an answer.
fn waiting<'a>(cases: impl Iterator<Item = &'a Stored<Case>>, day: Date, soon: u64) -> Waiting {
    let mut found = Waiting::default();
    for case in cases {
        found.open += 1;
        match case.due_on {
            Some(due) if due < day => found.overdue += 1,
            Some(due) if due == day => found.due_today += 1,
            Some(due) if due <= day + Days::new(soon) => found.due_soon += 1,
            Some(_) => found.due_later += 1,
            None if case.paused_since.is_some() => found.paused += 1,
            None => found.undated += 1,
        }
    }
    found
}

/// The median as a text, and the 90th percentile, of days in order.
fn middle(days: &[i64]) -> (Option<Decimal6>, Option<i64>) {
    let Some(last) = days.len().checked_sub(1) else { return (None, None) };
    let twice = days[last / 2] + days[days.len() / 2];
    let within = |limit: i64| days.iter().filter(|days| **days <= limit).count() * 10 >= days.len() * 9;
    (Some(Decimal6::from_micros(twice * 500_000)), days.iter().copied().find(|days| within(*days)))
}

async fn check(session: &Session<'_>, options: CaseReportOptions) -> i64 {
    let report = session.case_report(&options).await.unwrap();
    let (zone, day) = (session.organization().time_zone, options.as_of.unwrap());
    let came = |case: &&Stored<Case>| zone.date_at(case.received_at) <= day;
    let cases = all(session).await;
    let covered: Vec<_> = cases
        .iter()
        .filter(came)
        .filter(|case| options.from.is_none_or(|from| from <= zone.date_at(case.received_at)))
        .filter(|case| options.to.is_none_or(|to| zone.date_at(case.received_at) <= to))
        .collect();
    let count = |fits: &dyn Fn(&Stored<Case>) -> bool| covered.iter().filter(|case| fits(case)).count();
    let count = |fits: &dyn Fn(&Stored<Case>) -> bool| number(count(fits));
    assert_eq!(report.cases, number(covered.len()));
    for (row, kind) in report.by_kind.iter().zip(CaseKind::ALL) {
        assert_eq!((row.kind, row.cases), (*kind, count(&|case| case.kind == *kind)));
    }
    for (row, status) in report.by_status.iter().zip(CaseStatus::ALL) {
        assert_eq!((row.status, row.cases), (*status, count(&|case| case.status == *status)));
    }
    for (row, channel) in report.by_channel.iter().zip(CaseChannel::ALL) {
        assert_eq!((row.channel, row.cases), (*channel, count(&|case| case.channel == *channel)));
    }
    let mut months: BTreeMap<Date, i64> = BTreeMap::new();
    for case in &covered {
        *months.entry(case.received_month).or_default() += 1;
    }
    assert_eq!(report.by_month.iter().map(|row| (row.month, row.cases)).collect::<BTreeMap<_, _>>(), months);

    let kinds = CaseKind::ALL.iter().map(|kind| Some(*kind)).chain([None]);
    let told = report.answers_by_kind.iter().map(|row| row.times).chain([report.answers]);
    for (kind, told) in kinds.zip(told) {
        let answered = covered.iter().filter(|case| case.first_answered_on.is_some_and(|on| on <= day));
        let answered: Vec<_> = answered.filter(|case| kind.is_none_or(|kind| case.kind == kind)).collect();
        let mut days: Vec<i64> = answered.iter().map(|case| case.answer_days.unwrap()).collect();
        days.sort_unstable();
        assert_eq!(told.answered, number(days.len()));
        let late = answered.iter().filter(|case| case.answered_late == Some(true)).count();
        assert_eq!(told.late, number(late));
        assert_eq!((told.median_days, told.p90_days), middle(&days), "{days:?}");
        let sum: i64 = days.iter().sum();
        let mean = told.mean_days.map_or(0, Decimal6::micros) * told.answered;
        assert!((mean - sum * 1_000_000).abs() <= told.answered, "{days:?} {:?}", told.mean_days);
    }

    let open = |case: &&Stored<Case>| {
        let ended = case.answered_on.or(case.closed_on).filter(|_| !case.status.is_open());
        ended.is_none_or(|ended| ended > day)
    };
    let soon = u64::from(options.days);
    let open: Vec<_> = cases.iter().filter(came).filter(open).collect();
    assert_eq!(report.waiting, waiting(open.iter().copied(), day, soon));
    for (row, silence) in report.waiting_by_silence.iter().zip(Silence::ALL) {
        let of = open.iter().copied().filter(|case| case.silence == *silence);
        assert_eq!((row.silence, row.waiting), (*silence, waiting(of, day, soon)));
    }
    for row in &report.waiting_by_assignee {
        let of = open.iter().copied().filter(|case| case.assignee_id == row.assignee_id);
        assert_eq!(row.waiting, waiting(of, day, soon));
        assert_eq!(row.assignee.is_some(), row.assignee_id.is_some());
    }
    assert_eq!(report.waiting_by_assignee.iter().map(|row| row.waiting.open).sum::<i64>(), report.waiting.open);
    report.cases + report.answers.answered
}

#[test]
fn reports_agree_with_the_cases_of_random_books() {
    let mut seen = 0;
    for seed in 0..10 {
        let crm = testing::crm(MemoryStore::new(), 1);
        block_on(testing::script::play(&crm, seed, 2_000)).unwrap();
        for email in ["owner@here.example", "member@here.example"] {
            let session = session(&crm, email);
            for (as_of, from, to) in [
                ("2026-06-15", None, None),
                ("2026-06-15", Some("2026-05-10"), Some("2026-06-05")),
                ("2026-05-20", None, None),
            ] {
                let date = |text: &str| parse_date(text).unwrap();
                let (as_of, from, to) = (Some(date(as_of)), from.map(date), to.map(date));
                seen += block_on(check(&session, CaseReportOptions { days: 9, as_of, from, to, zone: None }));
            }
        }
    }
    assert!(seen > 200, "{seen} figures");
}

fn session(crm: &Crm, email: &str) -> Session<'static> {
    block_on(crm.session(&"here".parse().unwrap(), &email.parse().unwrap())).unwrap()
}
