//! Business calendars: the holidays of five countries against their oracle, and counting in them.
#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike as _, Weekday};
use crm_core::service::calendar::{
    BUILT_IN, BuiltIn, BusinessCalendar, CalendarError, DayKind, FIRST_YEAR, LAST_YEAR, Override, OverrideKind,
    ReceiptTime, Week, built_in, easter,
};
use crm_core::value::{Date, Instant, Zone, parse_date};
use proptest::prelude::*;

const ORACLE: &str = include_str!("data/calendars/holidays.tsv");

/// Days on which a built-in calendar differs from the oracle on purpose: country, date, and the law that says so.
const DIFFERENCES: &[(&str, &str, &str)] = &[];

fn day(text: &str) -> Date {
    parse_date(text).unwrap()
}

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

fn zone(name: &str) -> Zone {
    name.parse().unwrap()
}

fn colombia() -> BusinessCalendar {
    BusinessCalendar::standard(built_in("CO").unwrap(), zone("America/Bogota"))
}

/// Every day whose holidays are known.
fn every_day() -> impl Iterator<Item = Date> {
    let first = Date::from_ymd_opt(FIRST_YEAR, 1, 1).unwrap();
    first.iter_days().take_while(|date| date.year() <= LAST_YEAR)
}

/// What a day of a country is: the names of its holidays, or a working day by decree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Day {
    holidays: BTreeSet<String>,
    working: bool,
}

fn names(text: &str) -> BTreeSet<String> {
    let plain = |name: &str| match name.split_once(" (") {
        // The oracle says where a day was moved from.
        Some(("Выходной", _)) => "Выходной день".to_owned(),
        Some((name, "observado)" | "выходной)")) => name.to_owned(),
        _ => name.to_owned(),
    };
    text.split("; ").map(plain).collect()
}

fn oracle(code: &str) -> BTreeMap<Date, Day> {
    let mut days: BTreeMap<Date, Day> = BTreeMap::new();
    for line in ORACLE.lines().filter(|line| !line.starts_with('#')) {
        let cells: Vec<_> = line.split('\t').collect();
        let [country, date, kind, name] = cells[..] else { panic!("{line}") };
        if country == code {
            let entry = days.entry(day(date)).or_default();
            match kind {
                "holiday" => entry.holidays = names(name),
                "working" => entry.working = true,
                other => panic!("{other}"),
            }
        }
    }
    days
}

fn ours(country: &BuiltIn) -> BTreeMap<Date, Day> {
    let mut days: BTreeMap<Date, Day> = BTreeMap::new();
    for holiday in BuiltIn::YEARS.flat_map(|year| country.holidays(year)) {
        days.entry(holiday.date).or_default().holidays = names(&holiday.name);
    }
    for date in country.working_days() {
        days.entry(date).or_default().working = true;
    }
    days
}

#[test]
fn every_day_of_five_countries_is_the_oracle_s() {
    assert_eq!(BUILT_IN.len(), 5);
    let mut differences = Vec::new();
    for country in BUILT_IN {
        let (oracle, ours) = (oracle(country.code), ours(country));
        assert!(oracle.len() > 180, "{}", country.code);
        for date in every_day() {
            let (theirs, mine) = (oracle.get(&date), ours.get(&date));
            if theirs != mine {
                differences.push((country.code, date, theirs.cloned(), mine.cloned()));
            }
        }
        assert!(oracle.keys().chain(ours.keys()).all(|date| BuiltIn::YEARS.contains(&date.year())));
    }
    let found: Vec<_> = differences.iter().map(|(code, date, ..)| (*code, *date)).collect();
    let explained: Vec<_> = DIFFERENCES.iter().map(|(code, date, _)| (*code, day(date))).collect();
    assert_eq!(found, explained, "{differences:#?}");
}

#[test]
fn a_calendar_s_days_are_the_oracle_s_and_the_week_s() {
    for country in BUILT_IN {
        let oracle = oracle(country.code);
        let calendar = BusinessCalendar::standard(country, Zone::UTC);
        for date in every_day() {
            let special = oracle.get(&date).cloned().unwrap_or_default();
            let weekend = matches!(date.weekday(), Weekday::Sat | Weekday::Sun);
            let is_holiday = !special.holidays.is_empty();
            assert_eq!(calendar.is_business_day(date), Ok(special.working || !weekend && !is_holiday), "{date}");
            match calendar.day(date).unwrap() {
                DayKind::Business => assert!(special.working || !weekend && !is_holiday, "{date}"),
                DayKind::Weekend => assert!(weekend && !is_holiday, "{date}"),
                DayKind::Holiday(name) => assert_eq!(names(&name), special.holidays, "{date}"),
            }
        }
    }
}

#[test]
fn easter_is_right_at_its_ends() {
    for date in ["1818-03-22", "1943-04-25", "1961-04-02", "2000-04-23", "2038-04-25", "2076-04-19", "2285-03-22"] {
        assert_eq!(easter(day(date).year()), day(date));
    }
}

#[test]
fn counting_skips_what_has_no_business() {
    let calendar = colombia();
    assert_eq!(calendar.add_business_days(day("2026-04-01"), 1), Ok(day("2026-04-06")));
    assert_eq!(calendar.add_business_days(day("2026-04-04"), 0), Ok(day("2026-04-04")));
    assert_eq!(calendar.next_business_day(day("2026-12-31")), Ok(day("2027-01-04")));
    assert_eq!(calendar.on_or_after(day("2026-04-02")), Ok(day("2026-04-06")));
    assert_eq!(calendar.on_or_after(day("2026-04-06")), Ok(day("2026-04-06")));
    assert_eq!(calendar.business_days_between(day("2026-04-01"), day("2026-04-07")), Ok(2));
    assert_eq!(calendar.business_days_between(day("2026-04-07"), day("2026-04-01")), Ok(-2));
    assert_eq!(calendar.business_days_between(day("2026-04-03"), day("2026-04-05")), Ok(0));
    let easter: Vec<_> = calendar.holidays(day("2026-04-01"), day("2026-05-01")).map(|day| &*day.name).collect();
    assert_eq!(easter, ["Jueves Santo", "Viernes Santo", "Día del Trabajo"]);
}

#[test]
fn years_without_holidays_are_refused() {
    let calendar = colombia();
    let refused = |date: &str| CalendarError::Years { calendar: "CO".into(), date: day(date) };
    for date in ["2014-12-31", "2036-01-01"] {
        assert_eq!(calendar.day(day(date)), Err(refused(date)));
        assert_eq!(calendar.is_business_day(day(date)), Err(refused(date)));
        assert_eq!(calendar.add_business_days(day(date), 1), Err(refused(date)));
        assert_eq!(calendar.business_days_between(day("2026-01-01"), day(date)), Err(refused(date)));
    }
    assert_eq!(calendar.add_business_days(day("2035-12-28"), 1), Ok(day("2035-12-31")));
    assert_eq!(calendar.add_business_days(day("2035-12-28"), 2), Err(refused("2036-01-01")));
    assert_eq!(calendar.add_business_days(day("2026-01-02"), u32::MAX), Err(refused("2036-01-01")));
    assert_eq!(calendar.received_on(at("2035-12-31T17:00:01-05:00")), Err(refused("2036-01-01")));
    assert_eq!(calendar.received_on(at("2014-12-31T12:00:00-05:00")), Err(refused("2014-12-31")));
    assert!(built_in("CO").unwrap().holidays(2036).is_empty());
    assert_eq!(
        refused("2036-01-01").to_string(),
        "2036-01-01 is outside the years 2015 to 2035 that the calendar CO knows"
    );
}

#[test]
fn what_arrives_late_counts_on_the_next_business_day() {
    let week: Week = "mon-thu 08:00-12:00 14:00-18:00; fri 07:00-12:00 13:00-15:30".parse().unwrap();
    let base = built_in("CO");
    let calendar = BusinessCalendar::new("office", base, zone("America/Bogota"), week, &[], 0);
    for (received, counts, why) in [
        ("2026-10-08T00:00:00", "2026-10-08", ReceiptTime::InTime),
        ("2026-10-08T13:00:00", "2026-10-08", ReceiptTime::InTime),
        ("2026-10-08T18:00:00", "2026-10-08", ReceiptTime::InTime),
        ("2026-10-08T18:00:00.000001", "2026-10-09", ReceiptTime::AfterHours),
        ("2026-10-09T15:30:00", "2026-10-09", ReceiptTime::InTime),
        ("2026-10-09T15:30:01", "2026-10-13", ReceiptTime::AfterHours),
        ("2026-10-10T10:00:00", "2026-10-13", ReceiptTime::DayOff),
        ("2026-10-12T10:00:00", "2026-10-13", ReceiptTime::DayOff),
    ] {
        let receipt = calendar.receipt(at(&format!("{received}-05:00"))).unwrap();
        assert_eq!((receipt.received_on, receipt.time), (day(counts), why), "{received}");
        assert_eq!(receipt.arrived_on.to_string(), received[..10]);
    }
}

#[test]
fn an_office_that_closes_in_the_hour_that_comes_twice_closes_once() {
    // São Paulo's clocks went from midnight back to 23:00 on 17 February 2018.
    let week: Week = "mon-sun 08:00-23:30".parse().unwrap();
    let calendar = BusinessCalendar::new("office", None, zone("America/Sao_Paulo"), week, &[], 0);
    let received = |text: &str| calendar.received_on(at(text)).unwrap();
    assert_eq!(received("2018-02-17T23:30:00-02:00"), day("2018-02-17"));
    assert_eq!(received("2018-02-17T23:45:00-02:00"), day("2018-02-18"));
    assert_eq!(received("2018-02-17T23:10:00-03:00"), day("2018-02-18"), "later, though the clock shows less");
}

#[test]
fn an_organization_s_days_go_before_the_country_s() {
    let change = |date: &str, kind, name: &str| Override { date: day(date), kind, name: name.into() };
    let overrides = [
        change("2026-03-31", OverrideKind::Holiday, "Semana Santa"),
        change("2026-04-02", OverrideKind::Working, "inventory"),
        change("2026-04-03", OverrideKind::Holiday, "closed"),
        change("2026-04-04", OverrideKind::Working, "inventory"),
        change("2026-04-07", OverrideKind::Working, "a mistake"),
        change("2026-04-07", OverrideKind::Holiday, "the last one counts"),
    ];
    let bogota = zone("America/Bogota");
    let calendar = BusinessCalendar::new("office", built_in("CO"), bogota, Week::standard(), &overrides, 6);
    let kind = |date: &str| calendar.day(day(date)).unwrap();
    assert_eq!(kind("2026-03-31"), DayKind::Holiday("Semana Santa".into()));
    assert_eq!(kind("2026-04-02"), DayKind::Business);
    assert_eq!(kind("2026-04-03"), DayKind::Holiday("closed".into()));
    assert_eq!(kind("2026-04-04"), DayKind::Business);
    assert_eq!(kind("2026-04-05"), DayKind::Weekend);
    assert_eq!(kind("2026-04-07"), DayKind::Holiday("the last one counts".into()));
    assert_eq!((calendar.code(), calendar.version()), ("office", "CO 2026.1+6"));
    assert_eq!(colombia().version(), "CO 2026.1");
    let own = BusinessCalendar::new("own", None, bogota, Week::standard(), &overrides[..1], 1);
    assert_eq!(own.version(), "+1");
    assert_eq!(own.is_business_day(day("2026-12-25")), Ok(true));
    assert_eq!(own.is_business_day(day("2026-03-31")), Ok(false));
}

fn calendars() -> impl Strategy<Value = BusinessCalendar> {
    let zones = ["America/Bogota", "America/Sao_Paulo", "Europe/Madrid", "Asia/Kathmandu", "Pacific/Apia"];
    let weeks = [
        "mon-fri 08:00-17:00",
        "mon-thu 08:00-12:00 14:00-18:00; fri 07:00-12:00",
        "sun-sun 00:00-24:00",
        "mon-sun 10:00-23:30",
    ];
    let base = proptest::option::of(0..BUILT_IN.len());
    let change = (0..7670_u64, any::<bool>()).prop_map(|(days, working)| Override {
        date: day("2015-01-01") + chrono::Days::new(days),
        kind: if working { OverrideKind::Working } else { OverrideKind::Holiday },
        name: "set".into(),
    });
    let overrides = proptest::collection::vec(change, 0..40);
    (base, 0..zones.len(), 0..weeks.len(), overrides).prop_map(move |(base, zone_at, week, overrides)| {
        let base = base.map(|at| &BUILT_IN[at]);
        BusinessCalendar::new("any", base, zone(zones[zone_at]), weeks[week].parse().unwrap(), &overrides, 1)
    })
}

proptest! {
    #[test]
    fn between_is_the_inverse_of_add(calendar in calendars(), days in 0..7300_u64, n in 0..50_u32) {
        let from = day("2015-01-01") + chrono::Days::new(days);
        let to = calendar.add_business_days(from, n).unwrap();
        prop_assert_eq!(calendar.business_days_between(from, to), Ok(i64::from(n)));
        prop_assert_eq!(calendar.business_days_between(to, from), Ok(-i64::from(n)));
        prop_assert!(n == 0 || calendar.is_business_day(to).unwrap());
        let counted = from.iter_days().skip(1).take_while(|date| *date <= to);
        prop_assert_eq!(counted.filter(|date| calendar.is_business_day(*date).unwrap()).count(), n as usize);
    }

    #[test]
    fn what_arrives_later_never_counts_earlier(
        calendar in calendars(),
        at in 1_420_200_000_i64..2_082_000_000,
        gap in 0..200_000_i64,
    ) {
        let instant = |second: i64| Instant::from_micros(second * 1_000_000).unwrap();
        let (first, second) = (calendar.receipt(instant(at)).unwrap(), calendar.receipt(instant(at + gap)).unwrap());
        prop_assert!(first.received_on <= second.received_on);
        prop_assert!(first.arrived_on <= first.received_on);
        prop_assert!(calendar.is_business_day(first.received_on).unwrap());
    }
}
