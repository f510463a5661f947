//! `crm payment`: money received, and what it settles.

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, Command};
use crm_core::Session;
use crm_core::billing::{Allocate, Allocation, Invoice, Method, Payment, RecordPayment};
use crm_core::entity::{Entity as _, Stored};
use crm_core::people::Contact;
use crm_core::store::{LARGEST_PAGE, Query};
use crm_core::value::{Currency, Money, ValueError};

use super::verb;
use crate::args::{self, flag, given, group, option, text, texts};
use crate::error::{Done, Failure};
use crate::open::App;
use crate::output::{Format, Record, View, amount};
use crate::records;

pub(super) fn command() -> Command {
    group("payment", "Records money received, and what it settles")
        .subcommand(
            Command::new("record")
                .visible_alias("add")
                .about("Records a payment; what settles no invoice is the contact's credit")
                .arg(option("contact", "REF", "Who paid").required(true))
                .arg(option("amount", "AMOUNT", "How much").required(true))
                .arg(option("currency", "CODE", "The currency [default: the organization's]"))
                .arg(
                    option(
                        "invoice",
                        "REF[=AMOUNT]",
                        "An invoice that it settles, and how much of it; may be repeated",
                    )
                    .action(ArgAction::Append)
                    .conflicts_with("oldest"),
                )
                .arg(flag("oldest", "Settles the contact's open invoices, the earliest due first"))
                .arg(option("received_on", "DATE", "When it was received [default: today]"))
                .arg(method())
                .arg(option("reference", "TEXT", "The payer's or the bank's reference"))
                .arg(option("notes", "TEXT", "What else is to be said"))
                .arg(option("external_id", "TEXT", "The id in the system that it comes from"))
                .arg(args::idempotency()),
        )
        .subcommand(records::list_command::<Payment>())
        .subcommand(records::show_command::<Payment>())
}

/// The option of how something was paid.
pub(super) fn method() -> Arg {
    option("method", "METHOD", "How it was paid").value_parser(PossibleValuesParser::new(Method::NAMES))
}

pub(super) async fn run(app: &App, args: &ArgMatches) -> Done {
    let (verb, args) = verb(args)?;
    match verb {
        "list" => records::list::<Payment>(app, args).await,
        "record" => record(app, args).await,
        _ => {
            let session = app.session().await?;
            let payment = session.find::<Payment>(records::reference(args)).await?;
            show(app, &session, &payment, None).await
        }
    }
}

async fn record(app: &App, args: &ArgMatches) -> Done {
    let session = app.session().await?;
    let contact = session.find::<Contact>(text(args, "contact").unwrap_or_default()).await?;
    let currency: Currency = args::value(args, "currency")?.unwrap_or(session.locale().currency);
    let refused = |reason: ValueError| Failure::invalid("amount", &reason);
    let amount = Money::parse(text(args, "amount").unwrap_or_default(), currency).map_err(refused)?;
    let invoices = texts(args, "invoice");
    let allocate = if given(args, "oldest") {
        Allocate::Oldest
    } else if invoices.is_empty() {
        Allocate::Nothing
    } else {
        Allocate::To(shares(&session, &invoices, amount).await?)
    };
    let command = RecordPayment {
        contact: contact.id,
        amount,
        received_on: args::date(args, "received_on")?,
        method: args::value(args, "method")?,
        reference: args::value(args, "reference")?,
        notes: args::value(args, "notes")?,
        external_id: args::value(args, "external_id")?,
        allocate,
    };
    let payment = session.run_with_key(&command, args::idempotency_of(args)?.as_ref()).await?;
    show(app, &session, &payment, Some("Recorded")).await
}

/// How much goes to which invoice. An invoice without an amount gets what is left, up to what is due on it.
async fn shares(
    session: &Session<'_>,
    texts: &[&str],
    amount: Money,
) -> Result<Vec<(crm_core::Id<Invoice>, Money)>, Failure> {
    let mut left = amount.minor();
    let mut shares = Vec::with_capacity(texts.len());
    for (position, text) in (1..).zip(texts) {
        let refused = |reason: ValueError| Failure::invalid(&format!("allocations.{position}"), &reason);
        let (reference, share) = match text.rsplit_once('=') {
            Some((reference, share)) => (reference, Some(Money::parse(share, amount.currency()).map_err(refused)?)),
            None => (*text, None),
        };
        let invoice = session.find::<Invoice>(reference).await?;
        let share = share.unwrap_or_else(|| Money::new(left.min(invoice.due().0).max(0), invoice.currency));
        left = left.saturating_sub(share.minor());
        shares.push((invoice.id, share));
    }
    Ok(shares)
}

/// Shows a payment with what it settles.
pub(super) async fn show(app: &App, session: &Session<'_>, payment: &Stored<Payment>, done: Option<&str>) -> Done {
    if let Some(done) = done {
        let credit = match payment.unapplied.0 {
            0 => String::new(),
            rest => format!("; {} of it is credit", amount(Money::new(rest, payment.currency))),
        };
        app.out
            .note(&format!("{done} a payment of {}{credit}.", amount(Money::new(payment.amount.0, payment.currency))));
    }
    let machine = matches!(app.out.format, Format::Json | Format::Ndjson);
    if !machine && app.out.format != Format::Table {
        return records::print(app, session, payment, &[], "").await;
    }
    let query = Query::new(Allocation::COLUMNS.payment_id.eq(&Some(payment.id))).limit(LARGEST_PAGE);
    let parts = session.list(&query).await?.items;
    let parts: Vec<Record> = parts.iter().map(|part| Record { row: part.to_row(), title: String::new() }).collect();
    let mut view = View::of(Allocation::TABLE, ["invoice_id", "amount", "applied_on"])?;
    if machine {
        let parts: Vec<String> = parts.iter().map(|part| view.json(part, &[], None)).collect();
        return records::print(app, session, payment, &[("allocations", format!("[{}]", parts.join(",")))], "").await;
    }
    view.labels = records::labels(session, &view.references(&parts)).await?;
    let more = if parts.is_empty() { String::new() } else { format!("\n{}", view.draw(app.out, &parts)) };
    records::print(app, session, payment, &[], &more).await
}
