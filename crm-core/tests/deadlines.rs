//! Deadlines: dated situations against due dates worked out elsewhere, what always holds, and explanations.
#![expect(clippy::unwrap_used, reason = "these are tests")]

use chrono::Days;
use crm_core::service::calendar::{BUILT_IN, BusinessCalendar, CalendarError, DayKind, Week, built_in};
use crm_core::service::deadline::{
    Deadline, DeadlineError, DeadlineRule, Extension, Pause, RULES, Skip, Start, Topic, Unit, business_days_taken, due,
    rule, rule_for,
};
use crm_core::testing::deadlines::{DatedCase, dated_cases};
use crm_core::value::{Date, Instant, parse_date};
use proptest::prelude::*;

fn day(text: &str) -> Date {
    parse_date(text).unwrap()
}

fn colombia() -> BusinessCalendar {
    BusinessCalendar::standard(built_in("CO").unwrap(), "America/Bogota".parse().unwrap())
}

fn solve(case: &DatedCase) -> Deadline {
    let calendar = case.calendar();
    due(&case.rule, &calendar, case.received_at, &case.pauses, case.extension_days)
        .unwrap_or_else(|error| panic!("{}: {error}", case.place))
}

#[test]
fn dated_cases_are_due_when_they_were_worked_out_to_be() {
    let cases = dated_cases();
    let by_hand = cases.iter().filter(|case| case.place.starts_with("deadlines-by-hand")).count();
    assert!(cases.len() >= 500 && by_hand >= 30, "{} and {by_hand}", cases.len());
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|case| {
            let deadline = solve(case);
            let (expected, got) = (case.due_on, deadline.due_on);
            let text = || {
                format!(
                    "{}: {}: expected {expected:?}, got {got:?}\n{}",
                    case.place, case.situation, deadline.explanation
                )
            };
            (expected != got).then(text)
        })
        .collect();
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n\n"));
}

#[test]
fn dated_cases_cover_every_rule_country_and_shape() {
    let cases = dated_cases();
    for rule in RULES {
        assert!(cases.iter().any(|case| case.rule.code == rule.code), "{}", rule.code);
    }
    for country in BUILT_IN {
        assert!(cases.iter().any(|case| case.base.is_some_and(|base| base.code == country.code)), "{}", country.code);
    }
    for start in Start::ALL {
        assert!(cases.iter().any(|case| case.rule.start == *start && case.rule.unit == Unit::Calendar), "{start}");
    }
    let mut zones: Vec<_> = cases.iter().map(|case| case.zone).collect();
    zones.sort();
    zones.dedup();
    assert!(zones.len() >= 5);
}

#[test]
fn an_explanation_accounts_for_every_day() {
    for case in dated_cases() {
        let Deadline { due_on, explanation } = solve(&case);
        let place = &case.place;
        let counted: Vec<_> = explanation.counted.iter().map(|day| day.date).collect();
        let numbers: Vec<_> = explanation.counted.iter().map(|day| day.n as usize).collect();
        assert_eq!(numbers, (1..=counted.len()).collect::<Vec<_>>(), "{place}");
        assert_eq!(explanation.counted_from, counted.first().copied(), "{place}");
        let mut days: Vec<_> = explanation.skipped.iter().map(|day| day.date).chain(counted.iter().copied()).collect();
        days.sort_unstable();
        let from = explanation.receipt.received_on;
        let first = if case.rule.start == Start::SameDay { from } else { from + Days::new(1) };
        assert_eq!(days, first.iter_days().take(days.len()).collect::<Vec<_>>(), "{place}: every day once");
        if let Some(due_on) = due_on {
            assert_eq!(counted.len(), (case.rule.base_days + case.extension_days) as usize, "{place}");
            let last = explanation.moved_from.unwrap_or(due_on);
            assert_eq!(counted.last(), Some(&last), "{place}");
            assert!(explanation.calendar.code == case.calendar().code());
            assert_eq!(case.calendar().is_business_day(due_on), Ok(true), "{place}");
        } else {
            assert!(case.pauses.iter().any(|pause| pause.to.is_none()), "{place}");
        }
    }
}

#[test]
fn explanations_read_well() {
    let calendar = colombia();
    let rule = rule("CO-INFORMATION").unwrap();
    let pauses = [Pause { from: day("2026-04-08"), to: Some(day("2026-04-13")) }];
    let received = "2026-03-27T20:15:00-05:00".parse().unwrap();
    let extended = due(rule, &calendar, received, &pauses, 2).unwrap();
    insta::assert_snapshot!("explanation_text", extended.explanation.to_string());
    let calendar_days = DeadlineRule { unit: Unit::Calendar, base_days: 4, ..rule.clone() };
    let short = due(&calendar_days, &calendar, "2026-03-30T10:00:00-05:00".parse().unwrap(), &[], 0).unwrap();
    insta::assert_snapshot!("explanation_moved", short.explanation.to_string());
    let open = [Pause { from: day("2026-03-31"), to: None }];
    let paused = due(&calendar_days, &calendar, "2026-03-28T10:00:00-05:00".parse().unwrap(), &open, 0).unwrap();
    insta::assert_snapshot!("explanation_paused", paused.explanation.to_string());
    insta::assert_json_snapshot!("explanation_json", short);
    assert!(extended.explanation.to_string().contains("not legal advice"));
}

#[test]
fn the_built_in_rules_are_the_reviewed_ones() {
    insta::assert_json_snapshot!("built_in_rules", RULES);
    let mut codes: Vec<_> = RULES.iter().map(|rule| &rule.code).collect();
    codes.sort();
    codes.dedup();
    assert_eq!(codes.len(), RULES.len());
}

#[test]
fn the_rule_in_force_on_the_day_is_found() {
    let code = |topic, on: &str| rule_for("CO", topic, day(on)).map(|rule| rule.code.as_ref());
    assert_eq!(code(Topic::General, "2015-06-29"), None);
    assert_eq!(code(Topic::General, "2015-06-30"), Some("CO-GENERAL"));
    assert_eq!(code(Topic::General, "2020-03-27"), Some("CO-GENERAL"));
    assert_eq!(code(Topic::General, "2020-03-28"), Some("CO-GENERAL-2020"));
    assert_eq!(code(Topic::Consultation, "2022-05-17"), Some("CO-CONSULTATION-2020"));
    assert_eq!(code(Topic::Consultation, "2022-05-18"), Some("CO-CONSULTATION"));
    assert_eq!(code(Topic::Utilities, "2021-01-01"), Some("CO-UTILITIES"));
    assert!(rule_for("ES", Topic::General, day("2026-01-01")).is_none());
    assert!(rule("CO-NONE").is_none());
}

#[test]
fn what_the_law_does_not_allow_is_refused() {
    let calendar = colombia();
    let solve = |code: &str, received: &str, pauses: &[Pause], extension| {
        due(rule(code).unwrap(), &calendar, format!("{received}T10:00:00-05:00").parse().unwrap(), pauses, extension)
            .map(|deadline| deadline.due_on)
            .unwrap_err()
    };
    for (code, most) in [
        ("CO-GENERAL", 15),
        ("CO-CONSULTATION", 30),
        ("CO-UTILITIES", 0),
        ("CO-DATA-CONSULTATION", 5),
        ("CO-DATA-CLAIM", 8),
    ] {
        assert_eq!(rule(code).unwrap().largest_extension_days(), most);
        let refused = DeadlineError::Extension { rule: code.into(), asked: most + 1, largest: most };
        assert_eq!(solve(code, "2026-03-10", &[], most + 1), refused);
    }
    let early = DeadlineError::NotInForce { rule: "CO-GENERAL".into(), on: day("2015-06-26") };
    assert_eq!(solve("CO-GENERAL", "2015-06-26", &[], 0), early);
    let late = DeadlineError::NotInForce { rule: "CO-GENERAL-2020".into(), on: day("2022-05-18") };
    assert_eq!(solve("CO-GENERAL-2020", "2022-05-18", &[], 0), late);
    let backward = [Pause { from: day("2026-03-12"), to: Some(day("2026-03-11")) }];
    let refused = DeadlineError::Pause { from: day("2026-03-12"), to: day("2026-03-11") };
    assert_eq!(solve("CO-GENERAL", "2026-03-10", &backward, 0), refused);
    let beyond = CalendarError::Years { calendar: "CO".into(), date: day("2036-01-01") };
    assert_eq!(solve("CO-GENERAL", "2035-12-20", &[], 0), DeadlineError::Calendar(beyond));
}

#[test]
fn an_answer_took_the_business_days_without_pauses() {
    let calendar = colombia();
    let pauses = [
        Pause { from: day("2026-04-08"), to: Some(day("2026-04-13")) },
        Pause { from: day("2026-04-10"), to: Some(day("2026-04-14")) },
    ];
    let taken = |received: &str, answered: &str, pauses: &[Pause]| {
        business_days_taken(&calendar, day(received), day(answered), pauses).unwrap()
    };
    assert_eq!(taken("2026-04-01", "2026-04-07", &[]), 2, "Holy Week does not count");
    assert_eq!(taken("2026-04-01", "2026-04-15", &[]), 8);
    assert_eq!(taken("2026-04-01", "2026-04-15", &pauses), 4, "9, 10, 13 and 14 April are paused");
    assert_eq!(taken("2026-04-01", "2026-04-15", &[Pause { from: day("2026-04-08"), to: None }]), 3);
    assert_eq!(taken("2026-04-01", "2026-04-01", &[]), 0);
    assert_eq!(taken("2026-04-06", "2026-04-04", &[]), 0, "answered at the weekend, before it counted as received");
    assert!(business_days_taken(&calendar, day("2026-04-01"), day("2036-01-01"), &[]).is_err());
}

#[test]
fn a_day_says_why_it_does_not_count() {
    let calendar = colombia();
    let received = "2026-04-01T10:00:00-05:00".parse().unwrap();
    let Deadline { explanation, .. } = due(rule("CO-UTILITIES").unwrap(), &calendar, received, &[], 0).unwrap();
    let reason =
        |date: &str| explanation.skipped.iter().find(|skipped| skipped.date == day(date)).map(|day| &day.reason);
    assert_eq!(reason("2026-04-02"), Some(&Skip::Day(DayKind::Holiday("Jueves Santo".into()))));
    assert_eq!(reason("2026-04-05"), Some(&Skip::Day(DayKind::Weekend)));
    assert_eq!(reason("2026-04-06"), None);
}

fn calendars() -> impl Strategy<Value = BusinessCalendar> {
    let zones = ["America/Bogota", "America/Sao_Paulo", "Europe/Madrid", "Asia/Kathmandu", "Pacific/Apia"];
    let weeks = ["mon-fri 08:00-17:00", "mon-thu 08:00-12:00 14:00-18:00; sat 09:00-12:00", "mon-sun 10:00-23:30"];
    (0..BUILT_IN.len(), 0..zones.len(), 0..weeks.len()).prop_map(move |(base, zone, week)| {
        let week: Week = weeks[week].parse().unwrap();
        BusinessCalendar::new("any", Some(&BUILT_IN[base]), zones[zone].parse().unwrap(), week, &[], 0)
    })
}

fn rules() -> impl Strategy<Value = DeadlineRule> {
    let units = proptest::sample::select(Unit::ALL);
    let starts = proptest::sample::select(Start::ALL);
    (1..40_u32, units, starts).prop_map(|(base_days, unit, start)| DeadlineRule {
        code: "any".into(),
        base_days,
        unit,
        start,
        largest_extension: Extension::TimesBase(2),
        valid_from: day("2015-01-01"),
        ..rule("CO-GENERAL").unwrap().clone()
    })
}

/// The first receipt of the properties, in seconds since 1970, and days around it.
const RECEIPT: std::ops::Range<i64> = 1_420_200_000..2_050_000_000;

fn pauses() -> impl Strategy<Value = Vec<(i64, Option<u64>)>> {
    proptest::collection::vec((-10..60_i64, proptest::option::weighted(0.8, 0..30_u64)), 0..4)
}

/// Pauses by their days from that of the receipt, and their lengths.
fn placed(received: Instant, pauses: &[(i64, Option<u64>)]) -> Vec<Pause> {
    let start = received.datetime().date_naive();
    let place = |(offset, length): &(i64, Option<u64>)| {
        let from = start + chrono::TimeDelta::days(*offset);
        Pause { from, to: length.map(|length| from + Days::new(length)) }
    };
    pauses.iter().map(place).collect()
}

fn instant(second: i64) -> Instant {
    Instant::from_micros(second * 1_000_000).unwrap()
}

/// A due date with "not as long as it is paused" after every other.
fn end(rule: &DeadlineRule, calendar: &BusinessCalendar, at: Instant, pauses: &[Pause], extension: u32) -> Date {
    due(rule, calendar, at, pauses, extension).unwrap().due_on.unwrap_or(Date::MAX)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn a_later_receipt_is_never_due_earlier(
        calendar in calendars(), rule in rules(), at in RECEIPT, gap in 0..2_000_000_i64, pauses in pauses(),
    ) {
        let pauses = placed(instant(at), &pauses);
        let first = end(&rule, &calendar, instant(at), &pauses, 0);
        let second = end(&rule, &calendar, instant(at + gap), &pauses, 0);
        prop_assert!(first <= second, "{} and {}", first, second);
    }

    #[test]
    fn a_further_pause_is_never_due_earlier(
        calendar in calendars(), rule in rules(), at in RECEIPT, pauses in pauses(), further in pauses(),
    ) {
        let without = placed(instant(at), &pauses);
        let mut with = placed(instant(at), &further);
        with.extend(&without);
        prop_assert!(end(&rule, &calendar, instant(at), &without, 0) <= end(&rule, &calendar, instant(at), &with, 0));
    }

    #[test]
    fn a_longer_extension_is_never_due_earlier(
        calendar in calendars(), rule in rules(), at in RECEIPT, pauses in pauses(), days in 0..40_u32,
    ) {
        let days = days.min(rule.largest_extension_days());
        let pauses = placed(instant(at), &pauses);
        let plain = end(&rule, &calendar, instant(at), &pauses, 0);
        let extended = end(&rule, &calendar, instant(at), &pauses, days);
        prop_assert!(plain <= extended);
        prop_assert!(days == 0 || rule.unit == Unit::Calendar || plain < extended || plain == Date::MAX);
    }

    #[test]
    fn business_days_end_where_the_calendar_s_arithmetic_does(calendar in calendars(), rule in rules(), at in RECEIPT) {
        let rule = DeadlineRule { unit: Unit::Business, start: Start::NextBusinessDay, ..rule };
        let received_on = calendar.received_on(instant(at)).unwrap();
        let expected = calendar.add_business_days(received_on, rule.base_days).unwrap();
        prop_assert_eq!(end(&rule, &calendar, instant(at), &[], 0), expected);
        prop_assert_eq!(business_days_taken(&calendar, received_on, expected, &[]), Ok(i64::from(rule.base_days)));
    }
}
