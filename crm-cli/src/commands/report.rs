//! `crm report`: the financial summary, the ageing of receivables, the statement of a contact; and the reports of
//! sales, of cases and the others of billing, which stand in `report_sales`, `report_cases` and `report_billing`.

use std::fmt::Write as _;

use clap::{Arg, ArgMatches, Command};
use crm_core::people::Contact;
use crm_core::report::{
    Ageing, AgeingOptions, AgeingRow, BUCKETS, Figures, Statement, StatementCurrency, StatementOptions, Summary,
    SummaryOptions,
};
use crm_core::value::{Date, Money};
use serde::Serialize;

use super::{print, report_billing, report_cases, report_sales, verb};
use crate::args::{date, examples, flag, given, group, option, text};
use crate::error::{Done, Failure};
use crate::open::App;
use crate::output::{self, Format, Out, amount, bare};

pub(super) fn command() -> Command {
    let as_of = || option("as_of", "DATE", "As of which day [default: today]");
    let per_contact = || flag("per_contact", "The figures of each contact");
    let restated = report_billing::restated;
    let group = group("report", "Reports: computed from what is in the database now, per currency")
        .subcommand(
            Command::new("summary")
                .about("What was billed, paid and is due")
                .arg(as_of())
                .arg(per_contact())
                .arg(flag("include_void", "Counts void invoices as billed"))
                .arg(restated()),
        )
        .subcommand(
            Command::new("ageing")
                .about("What is due, by how late it is")
                .arg(as_of())
                .arg(per_contact())
                .arg(restated()),
        )
        .subcommand(
            print::options(Command::new("statement"))
                .about("What a contact was billed and paid over a period")
                .arg(
                    Arg::new("ref")
                        .value_name("CONTACT")
                        .required(true)
                        .help("The contact's id, e-mail, phone, account number or code"),
                )
                .arg(option("from", "DATE", "The first day [default: a year before the last]"))
                .arg(option("to", "DATE", "The last day [default: today]").visible_alias("as-of"))
                .arg(restated()),
        )
        // Billing.
        .subcommands(report_billing::commands())
        .subcommands(report_sales::commands())
        .subcommand(report_cases::command());
    examples(
        group,
        &[
            ("summary", "crm report summary --per-contact -o csv"),
            ("ageing", "crm report ageing --as-of 2026-03-31 --restated"),
            ("statement", "crm report statement eva@example.com --from 2026-01-01 --to 2026-03-31"),
        ],
    )
}

pub(super) async fn run(app: &App, args: &ArgMatches) -> Done {
    let (verb, args) = verb(args)?;
    let session = app.session().await?;
    if let Some(text) = report_sales::run(app.out, &session, verb, args).await? {
        return app.out.data(&text);
    }
    // Billing.
    if let Some(text) = report_billing::run(app.out, &session, verb, args).await? {
        return app.out.data(&text);
    }
    let restated = given(args, "restated");
    match verb {
        "cases" => app.out.data(&report_cases::run(app.out, &session, args).await?),
        "summary" => {
            let options = SummaryOptions {
                as_of: date(args, "as_of")?,
                include_void: given(args, "include_void"),
                per_contact: given(args, "per_contact"),
                restated,
            };
            app.out.data(&summary(app.out, &session.summary(&options).await?)?)
        }
        "ageing" => {
            let report = session
                .ageing(&AgeingOptions {
                    as_of: date(args, "as_of")?,
                    per_contact: given(args, "per_contact"),
                    restated,
                })
                .await?;
            app.out.data(&ageing(app.out, &report)?)
        }
        _ => {
            let contact = session.find::<Contact>(text(args, "ref").unwrap_or_default()).await?;
            let to = date(args, "to")?.unwrap_or_else(|| session.context().today());
            let year = || to.checked_sub_days(chrono::Days::new(365)).unwrap_or(to);
            let from = date(args, "from")?.unwrap_or_else(year);
            let options = StatementOptions { from, to, restated };
            if print::is_wanted(args) {
                return print::write(app, args, &session.statement_document(contact.id, &options).await?);
            }
            let report = session.statement(contact.id, &options).await?;
            app.out.data(&statement(app.out, &report)?)
        }
    }
}

/// A report for machines, if that is what is asked for.
pub(super) fn machine<T: Serialize>(out: Out, report: &T) -> Result<Option<String>, Failure> {
    Ok(match out.format {
        Format::Json => Some(format!("{}\n", output::pretty(report)?)),
        Format::Ndjson => Some(format!("{}\n", output::json(report)?)),
        Format::Id => {
            return Err(Failure::usage("A report has no ids").field("output").hint("Give -o table, json or csv"));
        }
        Format::Table | Format::Csv => None,
    })
}

/// Rows of names and amounts: exact with a currency column of its own in CSV, as people read them otherwise.
fn rows(
    out: Out,
    names: &[&str],
    headings: &[&str],
    lines: &[(Vec<String>, Vec<Money>)],
    amounts: &[&str],
) -> Result<String, Failure> {
    if out.format == Format::Csv {
        let mut csv = out.csv(names.iter().chain(amounts).copied())?;
        for (cells, money) in lines {
            let money: Vec<String> = money.iter().copied().map(bare).collect();
            csv.row(cells.iter().chain(&money).map(String::as_str))?;
        }
        return csv.take();
    }
    let right: Vec<usize> = (0..headings.len()).filter(|at| *at >= headings.len() - amounts.len()).collect();
    let table: Vec<Vec<String>> = lines
        .iter()
        .map(|(cells, money)| cells.iter().cloned().chain(money.iter().copied().map(amount)).collect())
        .collect();
    Ok(out.draw(headings, &right, &table))
}

const FIGURES: [&str; 8] = ["billed", "paid", "offset", "pending", "overdue", "uncollectible", "void", "credit"];

fn figures(figures: &Figures) -> Vec<Money> {
    vec![
        figures.billed,
        figures.paid,
        figures.offset,
        figures.pending,
        figures.overdue,
        figures.uncollectible,
        figures.void,
        figures.credit,
    ]
}

/// R1 in the form asked for.
pub(super) fn summary(out: Out, report: &Summary) -> Result<String, Failure> {
    if let Some(text) = machine(out, report)? {
        return Ok(text);
    }
    let csv = out.format == Format::Csv;
    let mut text = String::new();
    if let (Some(per_contact), true) = (&report.per_contact, csv) {
        let lines: Vec<_> = per_contact
            .iter()
            .map(|row| {
                let cells = vec![
                    row.contact_id.to_string(),
                    row.contact.clone(),
                    row.email.clone().unwrap_or_default(),
                    row.figures.currency.to_string(),
                    row.figures.invoices.to_string(),
                ];
                (cells, figures(&row.figures))
            })
            .collect();
        return rows(out, &["contact_id", "contact", "email", "currency", "invoices"], &[], &lines, &FIGURES);
    }
    if csv {
        let lines: Vec<_> = report
            .totals
            .iter()
            .map(|total| (vec![total.currency.to_string(), total.invoices.to_string()], figures(total)))
            .collect();
        return rows(out, &["currency", "invoices"], &[], &lines, &FIGURES);
    }
    let contacts = if report.contacts == 1 { "contact" } else { "contacts" };
    let _ = writeln!(text, "Financial summary as of {}: {} {contacts}\n", report.as_of, report.contacts);
    // A currency is a column: there are many figures and few currencies.
    let headings: Vec<String> =
        std::iter::once(String::new()).chain(report.totals.iter().map(|total| total.currency.to_string())).collect();
    let headings: Vec<&str> = headings.iter().map(String::as_str).collect();
    let mut lines = vec![
        std::iter::once("Invoices".to_owned())
            .chain(report.totals.iter().map(|total| total.invoices.to_string()))
            .collect::<Vec<_>>(),
    ];
    for (at, name) in FIGURES.iter().enumerate() {
        let cells = report.totals.iter().map(|total| amount(figures(total)[at]));
        lines.push(std::iter::once(crate::error::sentence(name)).chain(cells).collect());
    }
    let right: Vec<usize> = (1..headings.len()).collect();
    text.push_str(&out.draw(&headings, &right, &lines));
    if let Some(per_contact) = &report.per_contact {
        let lines: Vec<_> = per_contact
            .iter()
            .map(|row| {
                let all = figures(&row.figures);
                (
                    vec![row.contact.clone(), row.figures.invoices.to_string()],
                    vec![all[0], all[1], all[2], all[3], all[4], all[7]],
                )
            })
            .collect();
        text.push('\n');
        let headings = ["Contact", "Invoices", "Billed", "Paid", "Offset", "Pending", "Overdue", "Credit"];
        text.push_str(&rows(
            out,
            &[],
            &headings,
            &lines,
            &["billed", "paid", "offset", "pending", "overdue", "credit"],
        )?);
    }
    Ok(text)
}

const AGES: [&str; 6] = ["current", "days_1_30", "days_31_60", "days_61_90", "days_over_90", "total"];

/// R2 in the form asked for.
pub(super) fn ageing(out: Out, report: &Ageing) -> Result<String, Failure> {
    if let Some(text) = machine(out, report)? {
        return Ok(text);
    }
    let ages =
        |row: &AgeingRow| vec![row.current, row.days_1_30, row.days_31_60, row.days_61_90, row.days_over_90, row.total];
    let contact = |row: &AgeingRow| row.contact.clone().unwrap_or_default();
    let id = |row: &AgeingRow| row.contact_id.map(|id| id.to_string()).unwrap_or_default();
    if out.format == Format::Csv {
        let rows_of: Vec<_> = match &report.per_contact {
            Some(rows) => {
                rows.iter().map(|row| (vec![id(row), contact(row), row.currency.to_string()], ages(row))).collect()
            }
            None => report.totals.iter().map(|row| (vec![row.currency.to_string()], ages(row))).collect(),
        };
        let names: &[&str] =
            if report.per_contact.is_some() { &["contact_id", "contact", "currency"] } else { &["currency"] };
        return rows(out, names, &[], &rows_of, &AGES);
    }
    let mut lines: Vec<_> = report.per_contact.iter().flatten().map(|row| (vec![contact(row)], ages(row))).collect();
    lines.extend(report.totals.iter().map(|row| (vec![format!("All in {}", row.currency)], ages(row))));
    let mut headings = vec!["Due"];
    headings.extend(BUCKETS);
    headings[1] = "Not yet";
    headings.push("Total");
    if lines.is_empty() {
        return Ok(format!("Nothing is due as of {}.\n", report.as_of));
    }
    let text = rows(out, &[], &headings, &lines, &AGES)?;
    Ok(format!("Receivables by days late, as of {}\n\n{text}", report.as_of))
}

/// R3 in the form asked for.
fn statement(out: Out, report: &Statement) -> Result<String, Failure> {
    if let Some(text) = machine(out, report)? {
        return Ok(text);
    }
    let title = format!("Statement of {} from {} to {}", report.contact, report.from, report.to);
    account(out, &title, (Some(report.from), Some(report.to)), &report.currencies)
}

/// What happened on an account, with the balances at the days that it begins and ends with.
pub(super) fn account(
    out: Out,
    title: &str,
    (from, to): (Option<Date>, Option<Date>),
    currencies: &[StatementCurrency],
) -> Result<String, Failure> {
    let mut csv = Vec::new();
    let mut text = format!("{title}\n");
    let edge = |day: Option<Date>, kind: &str, balance: Money| {
        day.map(|day| (vec![day.to_string(), kind.to_owned(), String::new()], vec![balance, balance]))
    };
    for part in currencies {
        let entries = part.entries.iter().map(|entry| {
            let cells = vec![entry.on.to_string(), entry.kind.to_string(), entry.reference.clone().unwrap_or_default()];
            (cells, vec![entry.amount, entry.balance])
        });
        let opening = edge(from, "opening", part.opening);
        let lines: Vec<_> = opening.into_iter().chain(entries).chain(edge(to, "closing", part.closing)).collect();
        if out.format == Format::Csv {
            csv.extend(lines.into_iter().map(|(mut cells, money)| {
                cells.insert(0, part.currency.to_string());
                (cells, money)
            }));
            continue;
        }
        let table: Vec<Vec<String>> = lines
            .iter()
            .map(|(cells, money)| {
                let mut cells = cells.clone();
                let edge = matches!(cells[1].as_str(), "opening" | "closing");
                cells[1] = crate::error::sentence(&cells[1].replace('_', " "));
                cells.push(if edge { String::new() } else { amount(money[0]) });
                cells.push(amount(money[1]));
                cells
            })
            .collect();
        text.push('\n');
        text.push_str(&out.draw(&["Date", "What", "Reference", "Amount", "Balance"], &[3, 4], &table));
    }
    if out.format == Format::Csv {
        return rows(out, &["currency", "on", "kind", "reference"], &[], &csv, &["amount", "balance"]);
    }
    if currencies.is_empty() {
        text.push_str("\nNothing was billed or paid.\n");
    }
    Ok(text)
}
