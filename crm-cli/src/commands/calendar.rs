//! `crm calendar`: which days count for the deadlines of cases.

use chrono::Datelike as _;
use clap::{Arg, ArgMatches, Command};
use crm_core::entity::{Entity as _, Stored};
use crm_core::service::calendar::{BusinessCalendar, CalendarError, DayKind, FIRST_YEAR, LAST_YEAR, OverrideKind};
use crm_core::service::{Calendar, CalendarDay, ClearDay, ServiceError, SetCalendar, SetDay};
use crm_core::value::{Date, Instant};
use crm_core::{CrmError, Session};
use serde::Serialize;

use super::verb;
use crate::args::{self, examples, flag, group, option, text};
use crate::error::{Done, Failure};
use crate::open::App;
use crate::output::{self, Format, Out};
use crate::records;

pub(super) fn command() -> Command {
    let day = || Arg::new("date").value_name("DATE").required(true).help("The day, as 2026-01-31");
    let years = clap::value_parser!(i32).range(i64::from(FIRST_YEAR)..=i64::from(LAST_YEAR));
    let set = Command::new("set").about("Changes the calendar; open cases keep the state by which they were opened");
    let list = args::listing(Command::new("list").about("Lists the states of the calendar"), Calendar::TABLE);
    let group = group("calendar", "Works on the business calendar by which the deadlines of cases are counted")
        .subcommand(
            Command::new("show")
                .about("Shows the calendar, or the holidays of a year with the days that were set")
                .arg(Arg::new("year").value_name("YEAR").value_parser(years).help("Of which year")),
        )
        .subcommand(
            Command::new("check")
                .about("Tells what a day is, and on which day counts what comes in then")
                .arg(Arg::new("date").value_name("DATE").required(true).help("The day, or an instant with its zone")),
        )
        .subcommand(args::settable(set, Calendar::TABLE))
        .subcommand(
            Command::new("add-day")
                .about("Makes a day a holiday, or a working day")
                .arg(day())
                .arg(option("name", "TEXT", "Why").required(true))
                .arg(flag("working", "It is a working day, whatever the week and the country say")),
        )
        .subcommand(
            Command::new("remove-day").about("Lets a day be what the week and the public holidays make it").arg(day()),
        )
        .subcommand(list);
    examples(
        group,
        &[
            ("show", "crm calendar show 2026"),
            ("check", "crm calendar check 2026-04-02"),
            ("set", "crm calendar set --base CO --zone America/Bogota --week 'mon-fri 08:00-12:00 13:00-17:00'"),
            ("add-day", "crm calendar add-day 2026-12-24 --name 'The office is closed'"),
            ("remove-day", "crm calendar remove-day 2026-12-24"),
            ("list", "crm calendar list --sort -revision"),
        ],
    )
}

pub(super) async fn run(app: &App, args: &ArgMatches) -> Done {
    let (verb, args) = verb(args)?;
    if verb == "list" {
        return records::list::<Calendar>(app, args).await;
    }
    let session = app.session().await?;
    let date = || args::date(args, "date").map(Option::unwrap_or_default);
    match verb {
        "set" => {
            let edit = records::edit_of(&session, args).await?;
            set(app, &session, &SetCalendar(edit)).await
        }
        "add-day" => {
            let kind = if args::given(args, "working") { OverrideKind::Working } else { OverrideKind::Holiday };
            set(app, &session, &SetDay(CalendarDay { on: date()?, kind, name: args::required(args, "name")? })).await
        }
        "remove-day" => set(app, &session, &ClearDay(date()?)).await,
        "check" => check(app.out, &session.calendar().await?.business()?, text(args, "date").unwrap_or_default()),
        _ => {
            let calendar = session.calendar().await?;
            match args.get_one::<i32>("year") {
                Some(year) => holidays(app.out, &calendar, *year),
                None => records::print(app, &session, &calendar, &[], "").await,
            }
        }
    }
}

/// Changes the calendar, and tells which state came of it.
async fn set<C: crm_core::Command<Root = Calendar>>(app: &App, session: &Session<'_>, command: &C) -> Done {
    let before = session.calendar().await.ok();
    let after = session.run(command).await?;
    let same = before.is_some_and(|before| before.id == after.id);
    records::written(app, session, &after, if same { "Left as it was:" } else { "Changed" }).await
}

/// A day that differs from others of its weekday.
#[derive(Serialize)]
struct Special {
    date: Date,
    kind: OverrideKind,
    name: String,
    /// Whether it was set by the organization.
    own: bool,
}

/// The holidays of a year, and the working days that the organization set.
fn holidays(out: Out, calendar: &Stored<Calendar>, year: i32) -> Done {
    let business = calendar.business()?;
    let own = calendar.overrides().map_err(CrmError::from)?;
    let (first, last) = (Date::from_yo_opt(year, 1), Date::from_ymd_opt(year, 12, 31));
    let holidays = first.zip(last).into_iter().flat_map(|(first, last)| business.holidays(first, last));
    let mut days: Vec<Special> = holidays
        .map(|holiday| Special {
            date: holiday.date,
            kind: OverrideKind::Holiday,
            name: holiday.name.to_string(),
            own: own.iter().any(|day| day.on == holiday.date),
        })
        .collect();
    let working = own.iter().filter(|day| day.kind == OverrideKind::Working && day.on.year() == year);
    days.extend(working.map(|day| Special { date: day.on, kind: day.kind, name: day.name.to_string(), own: true }));
    days.sort_by_key(|day| day.date);
    output::items(out, &days, &["date", "weekday", "kind", "name", "own"], &[], |day| {
        let (weekday, own) = (day.date.format("%a").to_string(), if day.own { "yes" } else { "no" });
        vec![day.date.to_string(), weekday, day.kind.to_string(), day.name.clone(), own.to_owned()]
    })
}

/// What a day is.
#[derive(Serialize)]
struct Checked {
    date: Date,
    #[serde(flatten)]
    kind: DayKind,
    /// The business day on which counts what comes in during the day, or at the instant.
    received_on: Date,
    next_business_day: Date,
    calendar: String,
    calendar_version: String,
}

/// Tells what a day is. Of a day, what comes in during it counts on it if it is a business day; of an instant, only if
/// the office is still open.
fn check(out: Out, calendar: &BusinessCalendar, text: &str) -> Done {
    let failed = |error: CalendarError| Failure::from(CrmError::from(ServiceError::from(error)));
    let instant = (text.trim().len() > "2026-01-31".len()).then(|| text.parse::<Instant>()).transpose();
    let instant = instant.map_err(|reason| Failure::invalid("date", &reason))?;
    let (date, received_on) = if let Some(instant) = instant {
        let receipt = calendar.receipt(instant).map_err(failed)?;
        (receipt.arrived_on, receipt.received_on)
    } else {
        let date = crm_core::value::parse_date(text).map_err(|reason| Failure::invalid("date", &reason))?;
        (date, calendar.on_or_after(date).map_err(failed)?)
    };
    let checked = Checked {
        date,
        kind: calendar.day(date).map_err(failed)?,
        received_on,
        next_business_day: calendar.next_business_day(date).map_err(failed)?,
        calendar: calendar.code().to_owned(),
        calendar_version: calendar.version().to_owned(),
    };
    let kind = match &checked.kind {
        DayKind::Business => "a business day".to_owned(),
        DayKind::Weekend => "no business day by the week".to_owned(),
        DayKind::Holiday(name) => format!("a holiday: {name}"),
    };
    if out.format == Format::Table {
        return out.data(&Out::fields(&[
            ("Day", format!("{}, {kind}", date.format("%a %Y-%m-%d"))),
            ("What comes in counts on", checked.received_on.format("%a %Y-%m-%d").to_string()),
            ("Next business day", checked.next_business_day.format("%a %Y-%m-%d").to_string()),
            ("Calendar", format!("{} (version {})", checked.calendar, checked.calendar_version)),
        ]));
    }
    if out.format == Format::Json {
        return out.data(&format!("{}\n", output::pretty(&checked)?));
    }
    let (kind, name) = match &checked.kind {
        DayKind::Business => ("business", ""),
        DayKind::Weekend => ("weekend", ""),
        DayKind::Holiday(name) => ("holiday", name.as_ref()),
    };
    let header = ["date", "kind", "name", "received_on", "next_business_day", "calendar", "calendar_version"];
    output::items(out, &[&checked], &header, &[], |checked| {
        let days = [checked.date, checked.received_on, checked.next_business_day].map(|day| day.to_string());
        let [date, received_on, next] = days;
        let (code, version) = (checked.calendar.clone(), checked.calendar_version.clone());
        vec![date, kind.to_owned(), name.to_owned(), received_on, next, code, version]
    })
}
