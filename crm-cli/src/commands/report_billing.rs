//! `crm report revenue|collections|taxes|debtors|days-to-pay`: what was sold, what came in, and who owes.

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgMatches, Command};
use crm_core::Session;
use crm_core::report::{
    CollectionFigures, CollectionOptions, Collections, DaysToPay, DaysToPayFigures, DaysToPayOptions, Debtors,
    DebtorsOptions, Revenue, RevenueBy, RevenueFigures, RevenueOptions, TaxFigures, TaxOptions, Taxes,
};
use crm_core::value::{Date, Decimal6};

use super::report::machine;
use super::report_sales::{Form, period};
use crate::args::{date, flag, given, option, value};
use crate::error::Failure;
use crate::output::Out;

/// The option of how corrections count.
pub(super) fn restated() -> Arg {
    flag("restated", "Counts corrections from the day of what they correct: what was reversed or void never was")
}

/// The reports, as commands.
pub(super) fn commands() -> Vec<Command> {
    let over = |command: Command| {
        command
            .arg(option("from", "DATE", "The first day [default: that of the first document]"))
            .arg(option("to", "DATE", "The last day [default: that of the last document]").visible_alias("as-of"))
            .arg(restated())
    };
    let by = option("by", "WHAT", "By what it is told apart [default: month]")
        .value_parser(PossibleValuesParser::new(RevenueBy::NAMES));
    let limit = option("limit", "N", "How many contacts of each currency at most [default: all]");
    vec![
        over(Command::new("revenue").about("What was sold: invoiced less withdrawn and credited, by month or product"))
            .arg(by)
            .after_help("Example: crm report revenue --from 2026-01-01 --by product -o csv"),
        over(Command::new("collections").about("The money that came in and went out again, by month and method"))
            .after_help("Example: crm report collections --from 2026-01-01 --to 2026-03-31"),
        over(Command::new("taxes").about("The taxes on what was invoiced and credited, by month and rate"))
            .after_help("Example: crm report taxes --from 2026-01-01 --to 2026-03-31 -o csv"),
        Command::new("debtors")
            .about("Who owes something, those who owe most first")
            .arg(option("as_of", "DATE", "As of which day [default: today]"))
            .arg(limit.value_parser(clap::value_parser!(u32).range(1..)))
            .arg(restated())
            .after_help("Example: crm report debtors --limit 10"),
        over(Command::new("days-to-pay").about("How many days invoices took to be paid on average"))
            .arg(flag("per_contact", "The figures of each contact"))
            .after_help("Example: crm report days-to-pay --from 2026-01-01 --per-contact"),
    ]
}

/// The report in the form asked for; `None` if it is none of these.
pub(super) async fn run(
    out: Out,
    session: &Session<'_>,
    verb: &str,
    args: &ArgMatches,
) -> Result<Option<String>, Failure> {
    let (from, to, restated) = (date(args, "from")?, date(args, "to")?, given(args, "restated"));
    Ok(Some(match verb {
        "revenue" => {
            let by = value(args, "by")?.unwrap_or(RevenueBy::Month);
            revenue(out, &session.revenue(&RevenueOptions { from, to, by, restated }).await?)?
        }
        "collections" => collections(out, &session.collections(&CollectionOptions { from, to, restated }).await?)?,
        "taxes" => taxes(out, &session.taxes(&TaxOptions { from, to, restated }).await?)?,
        "debtors" => {
            let limit = args.get_one::<u32>("limit").and_then(|limit| usize::try_from(*limit).ok());
            let options = DebtorsOptions { as_of: date(args, "as_of")?, limit, restated };
            debtors(out, &session.debtors(&options).await?)?
        }
        "days-to-pay" => {
            let options = DaysToPayOptions { from, to, per_contact: given(args, "per_contact"), restated };
            days_to_pay(out, &session.days_to_pay(&options).await?)?
        }
        _ => return Ok(None),
    }))
}

/// A title, and rows under it; the first `words` columns are no numbers.
fn titled(form: Form, title: &str, names: &[&str], words: usize, rows: &[Vec<String>]) -> Result<String, Failure> {
    let mut text = String::new();
    if rows.is_empty() && !form.csv {
        form.say(&mut text, &format!("{title}: nothing"));
        return Ok(text);
    }
    form.say(&mut text, &format!("{title}\n"));
    text.push_str(&form.table(names, words, rows)?);
    Ok(text)
}

/// A month: its first day for machines.
fn month(form: Form, month: Date) -> String {
    if form.csv { month.to_string() } else { month.format("%Y-%m").to_string() }
}

/// What the sums of all rows are called. CSV leaves them out: they are no rows of their own.
const ALL: &str = "all";

fn revenue(out: Out, report: &Revenue) -> Result<String, Failure> {
    if let Some(text) = machine(out, report)? {
        return Ok(text);
    }
    let form = Form::new(out);
    let cells = |mut cells: Vec<String>, figures: &RevenueFigures| {
        cells.insert(0, figures.currency.to_string());
        let RevenueFigures { invoiced, void, credited, net, tax, total, .. } = *figures;
        cells.extend([invoiced, void, credited, net, tax, total].map(|money| form.money(money)));
        cells
    };
    let title = format!("Revenue{}", period(report.from, report.to));
    let sums = ["invoiced", "void", "credited", "net", "tax", "total"];
    if let Some(products) = &report.by_product {
        let of = |id: String, product: Option<String>, sku: Option<String>, quantity: Option<Decimal6>| {
            let quantity = quantity.map_or_else(String::new, |quantity| quantity.to_string());
            let cells = [product.unwrap_or_default(), sku.unwrap_or_default(), quantity];
            (form.csv).then_some(id).into_iter().chain(cells).collect()
        };
        let mut rows: Vec<Vec<String>> = products
            .iter()
            .map(|row| {
                let id = row.product_id.map(|id| id.to_string()).unwrap_or_default();
                let product = row.product.clone().or_else(|| (!form.csv).then(|| "without a product".to_owned()));
                cells(of(id, product, row.sku.clone(), Some(row.quantity)), &row.figures)
            })
            .collect();
        let all = |figures| cells(of(String::new(), Some(ALL.to_owned()), None, None), figures);
        rows.extend(report.totals.iter().filter(|_| !form.csv).map(all));
        let names: &[&str] = if form.csv {
            &["currency", "product_id", "product", "sku", "quantity"]
        } else {
            &["currency", "product", "sku", "quantity"]
        };
        return titled(form, &title, &[names, &sums].concat(), names.len() - 1, &rows);
    }
    let months = report.by_month.iter().flatten();
    let mut rows: Vec<_> = months.map(|row| cells(vec![month(form, row.month)], &row.figures)).collect();
    rows.extend(report.totals.iter().filter(|_| !form.csv).map(|total| cells(vec![ALL.to_owned()], total)));
    titled(form, &title, &[&["currency", "month"], &sums[..]].concat(), 2, &rows)
}

fn collections(out: Out, report: &Collections) -> Result<String, Failure> {
    if let Some(text) = machine(out, report)? {
        return Ok(text);
    }
    let form = Form::new(out);
    let cells = |month: String, method: String, figures: &CollectionFigures| {
        let mut cells = vec![figures.currency.to_string(), month, method, figures.payments.to_string()];
        let CollectionFigures { received, reversed, refunded, net, .. } = *figures;
        cells.extend([received, reversed, refunded, net].map(|money| form.money(money)));
        cells
    };
    let mut rows: Vec<Vec<String>> = report
        .rows
        .iter()
        .map(|row| {
            let method = row.method.map(|method| method.to_string()).unwrap_or_default();
            cells(month(form, row.month), method, &row.figures)
        })
        .collect();
    let all = |figures| cells(ALL.to_owned(), String::new(), figures);
    rows.extend(report.totals.iter().filter(|_| !form.csv).map(all));
    let names = ["currency", "month", "method", "payments", "received", "reversed", "refunded", "net"];
    titled(form, &format!("Collections{}", period(report.from, report.to)), &names, 3, &rows)
}

fn taxes(out: Out, report: &Taxes) -> Result<String, Failure> {
    if let Some(text) = machine(out, report)? {
        return Ok(text);
    }
    let form = Form::new(out);
    let cells = |month: String, percent: Decimal6, figures: &TaxFigures| {
        let percent = if form.csv { percent.to_string() } else { format!("{percent} %") };
        let mut cells = vec![figures.currency.to_string(), month, percent];
        let TaxFigures { invoiced, invoiced_tax, credited, credited_tax, net, tax, .. } = *figures;
        cells.extend([invoiced, invoiced_tax, credited, credited_tax, net, tax].map(|money| form.money(money)));
        cells
    };
    let months = report.months.iter();
    let mut rows: Vec<_> = months.map(|row| cells(month(form, row.month), row.percent, &row.figures)).collect();
    let all = report.totals.iter().filter(|_| !form.csv);
    rows.extend(all.map(|total| cells(ALL.to_owned(), total.percent, &total.figures)));
    let names =
        ["currency", "month", "tax_percent", "invoiced", "invoiced_tax", "credited", "credited_tax", "net", "tax"];
    titled(form, &format!("Taxes{}", period(report.from, report.to)), &names, 2, &rows)
}

fn debtors(out: Out, report: &Debtors) -> Result<String, Failure> {
    if let Some(text) = machine(out, report)? {
        return Ok(text);
    }
    let form = Form::new(out);
    let mut rows = Vec::new();
    for part in &report.currencies {
        for debtor in &part.debtors {
            let (email, oldest) = (debtor.email.clone(), debtor.oldest_due_on.map(|day| day.to_string()));
            let mut cells = vec![part.currency.to_string()];
            if form.csv {
                cells.push(debtor.contact_id.to_string());
            }
            cells.extend([debtor.contact.clone(), email.unwrap_or_default(), oldest.unwrap_or_default()]);
            cells.push(debtor.days_late.to_string());
            cells.extend([debtor.pending, debtor.overdue, debtor.credit].map(|money| form.money(money)));
            rows.push(cells);
        }
        if !form.csv {
            let all = if part.contacts == 1 { "1 contact".to_owned() } else { format!("{} contacts", part.contacts) };
            let sums = [part.pending, part.overdue].map(|money| form.money(money));
            let [pending, overdue] = sums;
            let none = String::new;
            rows.push(vec![part.currency.to_string(), all, none(), none(), none(), pending, overdue, none()]);
        }
    }
    let names: &[&str] = if form.csv {
        &["currency", "contact_id", "contact", "email", "oldest_due_on"]
    } else {
        &["currency", "contact", "email", "oldest_due_on"]
    };
    let sums = ["days_late", "pending", "overdue", "credit"];
    titled(form, &format!("Debtors as of {}", report.as_of), &[names, &sums].concat(), names.len(), &rows)
}

fn days_to_pay(out: Out, report: &DaysToPay) -> Result<String, Failure> {
    if let Some(text) = machine(out, report)? {
        return Ok(text);
    }
    let form = Form::new(out);
    // People read tenths of a day.
    let days = |days: Decimal6| if form.csv { days.to_string() } else { tenths(days) };
    let cells = |mut cells: Vec<String>, figures: &DaysToPayFigures| {
        cells.insert(0, figures.currency.to_string());
        cells.extend([figures.invoices.to_string(), days(figures.mean_days), days(figures.mean_days_late)]);
        cells
    };
    let title = format!("Days to pay{}", period(report.from, report.to));
    let sums = ["invoices", "mean_days", "mean_days_late"];
    let Some(contacts) = &report.per_contact else {
        let rows: Vec<_> = report.totals.iter().map(|total| cells(Vec::new(), total)).collect();
        return titled(form, &title, &[&["currency"], &sums[..]].concat(), 1, &rows);
    };
    let of = |id: String, contact: String| (form.csv).then_some(id).into_iter().chain([contact]).collect();
    let rows = contacts.iter().map(|row| cells(of(row.contact_id.to_string(), row.contact.clone()), &row.figures));
    let all = report.totals.iter().filter(|_| !form.csv);
    let rows: Vec<_> = rows.chain(all.map(|total| cells(of(String::new(), ALL.to_owned()), total))).collect();
    let names: &[&str] = if form.csv { &["currency", "contact_id", "contact"] } else { &["currency", "contact"] };
    titled(form, &title, &[names, &sums].concat(), names.len(), &rows)
}

/// A number with one decimal, rounded half away from zero.
fn tenths(number: Decimal6) -> String {
    let micros = number.micros();
    let tenths = (micros.abs() + 50_000) / 100_000;
    let sign = if micros < 0 && tenths != 0 { "-" } else { "" };
    format!("{sign}{}.{}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_read_tenths() {
        for (number, shown) in
            [("12.34", "12.3"), ("12.35", "12.4"), ("-0.05", "-0.1"), ("-0.04", "0.0"), ("0", "0.0"), ("-7.25", "-7.3")]
        {
            assert_eq!(tenths(Decimal6::parse(number).unwrap()), shown, "{number}");
        }
    }
}
