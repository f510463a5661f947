//! `crm report leads|deals|funnel|forecast|velocity`: the reports of sales.

use std::fmt::Write as _;

use clap::{ArgMatches, Command};
use crm_core::Session;
use crm_core::report::{
    Cohort, CohortOptions, DealFigures, DealTotals, DealTotalsOptions, Forecast, ForecastFigures, ForecastOptions,
    Funnel, FunnelOptions, LeadCounts, LeadCountsOptions, Velocity, VelocityOptions,
};
use crm_core::sales::{Channel, LeadStatus, Pipeline};
use crm_core::value::{Decimal6, Money};

use super::report::machine;
use crate::args::{date, flag, given, option, text, value};
use crate::error::{Failure, sentence};
use crate::output::{Format, Out, amount, bare};
use crate::records;

/// The reports of sales, as commands.
pub(super) fn commands() -> Vec<Command> {
    let zone = |command: Command| command.arg(option("zone", "ZONE", "Whose days [default: the organization's zone]"));
    let as_of = |command: Command| zone(command).arg(option("as_of", "DATE", "As of which day [default: today]"));
    let period = |command: Command, first: &'static str, last: &'static str| {
        zone(command).arg(option("from", "DATE", first)).arg(option("to", "DATE", last))
    };
    let number = |name: &'static str, help: &'static str, default: &'static str| {
        option(name, "N", help).value_parser(clap::value_parser!(u32)).default_value(default)
    };
    let pipeline = |help: &'static str| option("pipeline", "PIPELINE", help);
    let (came, came_by) = ("Only leads that came on this day or later", "Only leads that came on this day or earlier");
    let (began, began_by) =
        ("Only deals that began on this day or later", "Only deals that began on this day or earlier");
    let one = "Of which pipeline [default: the organization's default pipeline]";
    vec![
        period(Command::new("leads").about("How many leads there are, by status and channel"), came, came_by)
            .arg(number("hours", "How many hours back a lead is a recent one", "24"))
            .after_help("Example: crm report leads --hours 48"),
        period(
            Command::new("deals").about("How many deals there are and what they are worth, by status"),
            began,
            began_by,
        )
        .arg(option("as_of", "DATE", "The last day on which a deal is a new one [default: today]"))
        .arg(number("days", "For how many days a deal is a new one", "30"))
        .after_help("Example: crm report deals --days 7 -o csv"),
        as_of(Command::new("funnel").about("Where the deals of a pipeline stand, and how far they came"))
            .arg(pipeline(one))
            .arg(flag("cohort", "How far the deals came that began in a period, and what became of them"))
            .arg(option("from", "DATE", began).requires("cohort"))
            .arg(option("to", "DATE", began_by).requires("cohort"))
            .mut_arg("as_of", |arg| arg.conflicts_with("cohort"))
            .after_help("Example: crm report funnel --cohort --from 2026-01-01 --to 2026-03-31"),
        as_of(Command::new("forecast").about("What open deals are likely to bring, by month of their expected close"))
            .arg(pipeline("Of which pipeline [default: all]"))
            .after_help("Example: crm report forecast --pipeline Sales"),
        period(
            Command::new("velocity").about("How long deals stay in each stage, how many are won, how long that takes"),
            "Only what ended on this day or later",
            "Nothing after this day",
        )
        .arg(pipeline(one))
        .after_help("Example: crm report velocity --from 2026-01-01"),
    ]
}

/// The report in the form asked for; `None` if it is none of these.
pub(super) async fn run(
    out: Out,
    session: &Session<'_>,
    verb: &str,
    args: &ArgMatches,
) -> Result<Option<String>, Failure> {
    let zone = value(args, "zone")?;
    let (from, to, as_of) = (date(args, "from")?, date(args, "to")?, date(args, "as_of")?);
    let pipeline = match text(args, "pipeline") {
        Some(name) => Some(records::find::<Pipeline>(session, name).await?.id),
        None => None,
    };
    Ok(Some(match verb {
        "leads" => {
            let options = LeadCountsOptions { hours: number(args, "hours"), as_of: None, from, to, zone };
            leads(out, &session.lead_counts(&options).await?)?
        }
        "deals" => {
            let options = DealTotalsOptions { days: number(args, "days"), as_of, from, to, zone };
            deals(out, &session.deal_totals(&options).await?)?
        }
        "funnel" if given(args, "cohort") => {
            cohort(out, &session.cohort(&CohortOptions { pipeline, from, to, zone }).await?)?
        }
        "funnel" => funnel(out, &session.funnel(&FunnelOptions { pipeline, as_of, zone }).await?)?,
        "forecast" => forecast(out, &session.forecast(&ForecastOptions { pipeline, as_of, zone }).await?)?,
        "velocity" => {
            let options = VelocityOptions { pipeline, from, to, as_of: None, zone };
            velocity(out, &session.velocity(&options).await?)?
        }
        _ => return Ok(None),
    }))
}

/// The number of an option that has a default.
fn number(args: &ArgMatches, name: &str) -> u32 {
    args.get_one::<u32>(name).copied().unwrap_or_default()
}

/// Writes figures: exact in CSV, rounded and with units for people.
#[derive(Clone, Copy)]
pub(super) struct Form {
    out: Out,
    pub(super) csv: bool,
}

impl Form {
    pub(super) fn new(out: Out) -> Self {
        Self { out, csv: out.format == Format::Csv }
    }

    /// Rows under the names of their columns, of which the first `words` are no numbers.
    pub(super) fn table(self, names: &[&str], words: usize, rows: &[Vec<String>]) -> Result<String, Failure> {
        if self.csv {
            let mut csv = self.out.csv(names.iter().copied())?;
            rows.iter().try_for_each(|row| csv.row(row.iter().map(String::as_str)))?;
            return csv.take();
        }
        let headings: Vec<String> = names.iter().map(|name| sentence(&name.replace('_', " "))).collect();
        let headings: Vec<&str> = headings.iter().map(String::as_str).collect();
        Ok(self.out.draw(&headings, &(words..names.len()).collect::<Vec<_>>(), rows))
    }

    /// A sentence over or under the table.
    pub(super) fn say(self, text: &mut String, sentence: &str) {
        if !self.csv {
            let _ = writeln!(text, "{sentence}");
        }
    }

    pub(super) fn money(self, money: Money) -> String {
        if self.csv { bare(money) } else { amount(money) }
    }

    fn maybe_money(self, money: Option<Money>) -> String {
        money.map_or_else(String::new, |money| self.money(money))
    }

    /// A part of a whole: `0.666667`, or `66.7 %` for people.
    fn part(self, part: Option<Decimal6>) -> String {
        let Some(part) = part else { return String::new() };
        if self.csv {
            return part.to_string();
        }
        let tenths = (part.micros() + 500) / 1_000;
        format!("{}.{} %", tenths / 10, tenths % 10)
    }

    /// Seconds: their number, or the two largest units for people.
    fn time(self, seconds: Option<i64>) -> String {
        let Some(seconds) = seconds else { return String::new() };
        match seconds {
            _ if self.csv => seconds.to_string(),
            86_400.. => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3_600),
            3_600.. => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
            60.. => format!("{} min {} s", seconds / 60, seconds % 60),
            _ => format!("{seconds} s"),
        }
    }
}

/// R4 in the form asked for.
fn leads(out: Out, report: &LeadCounts) -> Result<String, Failure> {
    if let Some(text) = machine(out, report)? {
        return Ok(text);
    }
    let form = Form::new(out);
    if form.csv {
        let rows = report.rows.iter().map(|row| {
            let (status, channel) = (row.status.to_string(), row.channel.to_string());
            vec![status, channel, row.figures.leads.to_string(), row.figures.recent.to_string()]
        });
        return form.table(&["status", "channel", "leads", "recent"], 2, &rows.collect::<Vec<_>>());
    }
    // A channel is a column: people compare the ways by which leads come.
    let mut names = vec!["status"];
    names.extend(Channel::NAMES);
    names.extend(["all", "recent"]);
    let mut rows: Vec<Vec<String>> = LeadStatus::ALL
        .iter()
        .map(|status| {
            let of_status = report.of_status(*status);
            let cells = report.rows.iter().filter(|row| row.status == *status).map(|row| row.figures.leads);
            let numbers = cells.chain([of_status.leads, of_status.recent]).map(|number| number.to_string());
            std::iter::once(status.to_string()).chain(numbers).collect()
        })
        .collect();
    let all = Channel::ALL.iter().map(|channel| report.of_channel(*channel).leads);
    let all = all.chain([report.total.leads, report.total.recent]).map(|number| number.to_string());
    rows.push(std::iter::once("all".to_owned()).chain(all).collect());
    let table = form.table(&names, 1, &rows)?;
    let since = crate::output::moment(report.since);
    Ok(format!("Leads by status and channel; recent are those after {since}\n\n{table}"))
}

/// R5 in the form asked for.
fn deals(out: Out, report: &DealTotals) -> Result<String, Failure> {
    if let Some(text) = machine(out, report)? {
        return Ok(text);
    }
    let form = Form::new(out);
    let cells = |status: String, figures: &DealFigures| {
        vec![
            figures.currency.to_string(),
            status,
            figures.deals.to_string(),
            form.money(figures.amount),
            form.maybe_money(figures.mean),
            figures.new.to_string(),
        ]
    };
    let mut rows = Vec::new();
    for total in &report.totals {
        let of_currency = report.rows.iter().filter(|row| row.figures.currency == total.currency);
        rows.extend(of_currency.map(|row| cells(row.status.to_string(), &row.figures)));
        rows.push(cells("all".to_owned(), total));
    }
    let mut text = String::new();
    form.say(&mut text, &format!("Deals by status; new are those from {} to {}\n", report.since, report.as_of));
    text.push_str(&form.table(&["currency", "status", "deals", "amount", "mean", "new"], 2, &rows)?);
    Ok(text)
}

/// R6 as a snapshot, in the form asked for.
pub(super) fn funnel(out: Out, report: &Funnel) -> Result<String, Failure> {
    if let Some(text) = machine(out, report)? {
        return Ok(text);
    }
    let form = Form::new(out);
    let mut rows: Vec<Vec<String>> = report
        .stages
        .iter()
        .map(|stage| {
            // Each amount with its currency: a stage may have several.
            let amounts = stage.amounts.iter().map(|money| if form.csv { money.to_string() } else { amount(*money) });
            vec![
                stage.stage.clone(),
                stage.open.to_string(),
                amounts.collect::<Vec<_>>().join("; "),
                stage.reached.to_string(),
                form.part(stage.conversion),
            ]
        })
        .collect();
    let (won, conversion) = (report.won.to_string(), form.part(report.won_conversion));
    rows.push(vec!["won".to_owned(), String::new(), String::new(), won, conversion]);
    let mut text = String::new();
    form.say(&mut text, &format!("Funnel of {} as of {}: {} deals\n", report.pipeline, report.as_of, report.deals));
    text.push_str(&form.table(&["stage", "open", "amounts", "reached", "conversion"], 1, &rows)?);
    Ok(text)
}

/// R6 as a cohort, in the form asked for.
fn cohort(out: Out, report: &Cohort) -> Result<String, Failure> {
    if let Some(text) = machine(out, report)? {
        return Ok(text);
    }
    let form = Form::new(out);
    let reached = |stage: &str, deals: i64, part| vec![stage.to_owned(), deals.to_string(), form.part(part)];
    let mut rows: Vec<Vec<String>> =
        report.stages.iter().map(|stage| reached(&stage.stage, stage.reached, stage.conversion)).collect();
    rows.extend(
        [("won", report.won), ("lost", report.lost), ("open", report.open)]
            .map(|(name, deals)| reached(name, deals, None)),
    );
    let mut text = String::new();
    let period = period(report.from, report.to);
    form.say(&mut text, &format!("Deals of {} that began{period}: {}\n", report.pipeline, report.deals));
    text.push_str(&form.table(&["stage", "deals", "conversion"], 1, &rows)?);
    Ok(text)
}

/// Since when and until when.
pub(super) fn period(from: Option<crm_core::value::Date>, to: Option<crm_core::value::Date>) -> String {
    let from = from.map_or_else(String::new, |from| format!(" from {from}"));
    to.map_or_else(|| from.clone(), |to| format!("{from} to {to}"))
}

/// R7 in the form asked for.
fn forecast(out: Out, report: &Forecast) -> Result<String, Failure> {
    if let Some(text) = machine(out, report)? {
        return Ok(text);
    }
    let form = Form::new(out);
    let cells = |close: String, figures: &ForecastFigures, won: Option<(i64, Money)>| {
        vec![
            close,
            figures.currency.to_string(),
            figures.deals.to_string(),
            form.money(figures.amount),
            form.money(figures.weighted),
            figures.unlikely_deals.to_string(),
            form.money(figures.unlikely),
            won.map_or_else(String::new, |(deals, _)| deals.to_string()),
            form.maybe_money(won.map(|(_, money)| money)),
        ]
    };
    let mut rows: Vec<Vec<String>> = report
        .months
        .iter()
        .map(|month| cells(month.month.format("%Y-%m").to_string(), &month.figures, Some((month.won_deals, month.won))))
        .collect();
    for (name, figures) in [("slipped", &report.slipped), ("undated", &report.undated), ("all", &report.totals)] {
        rows.extend(figures.iter().map(|figures| cells(name.to_owned(), figures, None)));
    }
    let names = ["close", "currency", "deals", "amount", "weighted", "unlikely_deals", "unlikely", "won_deals", "won"];
    let mut text = String::new();
    form.say(&mut text, &format!("Forecast as of {}, by month of the expected close\n", report.as_of));
    text.push_str(&form.table(&names, 2, &rows)?);
    Ok(text)
}

/// R8 in the form asked for.
fn velocity(out: Out, report: &Velocity) -> Result<String, Failure> {
    if let Some(text) = machine(out, report)? {
        return Ok(text);
    }
    let form = Form::new(out);
    let mut rows: Vec<Vec<String>> = report
        .stages
        .iter()
        .map(|stage| {
            let (visits, open) = (stage.visits.to_string(), stage.open.to_string());
            let (all, mean) = (form.time(Some(stage.seconds)), form.time(stage.mean_seconds));
            vec![stage.stage.clone(), visits, open, all, mean]
        })
        .collect();
    if form.csv {
        // Of won deals the mean is that of the whole way.
        let closed = |name: &str, deals: i64, mean| {
            vec![name.to_owned(), deals.to_string(), String::new(), String::new(), form.time(mean)]
        };
        rows.push(closed("won", report.won, report.mean_cycle_seconds));
        rows.push(closed("lost", report.lost, None));
    }
    let mut text = String::new();
    form.say(&mut text, &format!("Velocity of {}{}\n", report.pipeline, period(report.from, report.to)));
    let names = if form.csv {
        ["stage", "visits", "open", "seconds", "mean_seconds"]
    } else {
        ["stage", "visits", "open", "time", "mean_time"]
    };
    text.push_str(&form.table(&names, 1, &rows)?);
    let rate = report.win_rate.map_or_else(String::new, |_| format!(", win rate {}", form.part(report.win_rate)));
    form.say(&mut text, &format!("\n{} won, {} lost{rate}", report.won, report.lost));
    if report.mean_cycle_seconds.is_some() {
        form.say(&mut text, &format!("A won deal took {} on average", form.time(report.mean_cycle_seconds)));
    }
    Ok(text)
}
