//! `crm payment`: money received, and what it settles.

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgMatches, Command};
use crm_core::Session;
use crm_core::billing::{
    AllocatePayment, Allocation, Method, Payment, RecordPayment, Refund, ReversePayment, UnallocatePayment,
};
use crm_core::entity::{Minor, Stored};
use crm_core::people::Contact;
use crm_core::value::{Currency, Money, ValueError};

use super::{allocation, refund, verb};
use crate::args::{self, date, examples, group, option, text};
use crate::beneath::Beneath;
use crate::error::{Done, Failure};
use crate::open::App;
use crate::output::amount;
use crate::records;

pub(super) fn command() -> Command {
    let payment = records::reference_arg::<Payment>;
    let group = group("payment", "Records money received, and what it settles")
        .subcommand(
            Command::new("record")
                .visible_alias("add")
                .about("Records a payment; what settles no invoice is the contact's credit")
                .arg(option("contact", "REF", "Who paid").required(true))
                .arg(option("amount", "AMOUNT", "How much").required(true))
                .arg(option("currency", "CODE", "The currency [default: the organization's]"))
                .args(allocation::options())
                .arg(option("received_on", "DATE", "When it was received [default: today]"))
                .arg(method())
                .arg(option("reference", "TEXT", "The payer's or the bank's reference"))
                .arg(option("notes", "TEXT", "What else is to be said"))
                .arg(option("external_id", "TEXT", "The id in the system that it comes from"))
                .arg(args::idempotency()),
        )
        .subcommand(records::list_command::<Payment>())
        .subcommand(records::show_command::<Payment>())
        .subcommand(allocation::command(payment(), "Settles invoices with what is left of a payment"))
        .subcommand(allocation::undo_command(
            "Takes a part of a payment back from its invoice: it is credit again",
            "The allocation's id, as `crm payment show` shows it",
        ))
        .subcommand(
            Command::new("reverse")
                .about("Reverses a payment that bounced or was recorded in error; its invoices are open again")
                .arg(payment())
                .arg(option("reason", "TEXT", "Why"))
                .arg(option("on", "DATE", "On which day [default: today]"))
                .arg(args::idempotency()),
        );
    examples(
        group,
        &[
            ("record", "crm payment record --contact eva@example.com --amount 500 --oldest --method transfer"),
            ("list", "crm payment list --where 'unapplied > 0' --sort -received_on"),
            ("show", "crm payment show 0197c3a0-0000-7000-8000-000000000001"),
            ("allocate", "crm payment allocate 0197c3a0-0000-7000-8000-000000000001 --invoice INV-000007=120.50"),
            ("unallocate", "crm payment unallocate 0197c3a0-0000-7000-8000-000000000002"),
            ("reverse", "crm payment reverse 0197c3a0-0000-7000-8000-000000000001 --reason 'No funds'"),
        ],
    )
}

/// The option of how something was paid.
pub(super) fn method() -> Arg {
    option("method", "METHOD", "How it was paid").value_parser(PossibleValuesParser::new(Method::NAMES))
}

pub(super) async fn run(app: &App, args: &ArgMatches) -> Done {
    let (verb, args) = verb(args)?;
    match verb {
        "list" => return records::list::<Payment>(app, args).await,
        "record" => return record(app, args).await,
        _ => {}
    }
    let session = app.session().await?;
    let key = args::idempotency_of(args)?;
    let on = date(args, "on")?;
    if verb == "unallocate" {
        let command = UnallocatePayment { allocation: args::required(args, "ref")?, on };
        let payment = session.run_with_key(&command, key.as_ref()).await?;
        return show(app, &session, &payment, Some("Took back a part of")).await;
    }
    let payment = session.find::<Payment>(records::reference(args)).await?;
    match verb {
        "allocate" => {
            let allocate = allocation::read(&session, args, payment.money(payment.unapplied)).await?;
            let command = AllocatePayment { payment: payment.id, allocate, on };
            show(app, &session, &session.run_with_key(&command, key.as_ref()).await?, Some("Allocated")).await
        }
        "reverse" => {
            let command = ReversePayment { payment: payment.id, on, reason: args::value(args, "reason")? };
            show(app, &session, &session.run_with_key(&command, key.as_ref()).await?, Some("Reversed")).await
        }
        _ => show(app, &session, &payment, None).await,
    }
}

async fn record(app: &App, args: &ArgMatches) -> Done {
    let session = app.session().await?;
    let contact = session.find::<Contact>(text(args, "contact").unwrap_or_default()).await?;
    let currency: Currency = args::value(args, "currency")?.unwrap_or(session.locale().currency);
    let refused = |reason: ValueError| Failure::invalid("amount", &reason);
    let amount = Money::parse(text(args, "amount").unwrap_or_default(), currency).map_err(refused)?;
    let command = RecordPayment {
        contact: contact.id,
        amount,
        received_on: args::date(args, "received_on")?,
        method: args::value(args, "method")?,
        reference: args::value(args, "reference")?,
        notes: args::value(args, "notes")?,
        external_id: args::value(args, "external_id")?,
        allocate: allocation::read(&session, args, amount).await?,
    };
    let payment = session.run_with_key(&command, args::idempotency_of(args)?.as_ref()).await?;
    show(app, &session, &payment, Some("Recorded")).await
}

/// Shows a payment with what it settles.
pub(super) async fn show(app: &App, session: &Session<'_>, payment: &Stored<Payment>, done: Option<&str>) -> Done {
    if let Some(done) = done {
        let credit = match payment.unapplied.0 {
            0 => String::new(),
            owed @ ..0 => format!("; {} of it was refunded and is owed", amount(payment.money(Minor(-owed)))),
            _ => format!("; {} of it is credit", amount(payment.money(payment.unapplied))),
        };
        app.out.note(&format!("{done} a payment of {}{credit}.", amount(payment.money(payment.amount))));
    }
    let of = Allocation::COLUMNS.payment_id.eq(&Some(payment.id));
    let mut beneath = Beneath::new(app, session);
    allocation::show(&mut beneath, of, &["applied_on", "invoice_id", "amount", "id", "undoes"]).await?;
    refund::show(&mut beneath, Refund::COLUMNS.payment_id.eq(&Some(payment.id))).await?;
    beneath.print(payment).await
}
