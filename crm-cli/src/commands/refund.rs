//! `crm refund`: money paid back.

use clap::{ArgGroup, ArgMatches, Command};
use crm_core::billing::{CreditNote, Payment, RecordRefund, Refund, RefundOf};
use crm_core::store::{Filter, Query};
use crm_core::value::Money;

use super::{payment, verb};
use crate::args::{self, date, examples, group, option, text};
use crate::beneath::Beneath;
use crate::error::{Done, Failure};
use crate::open::App;
use crate::output::amount;
use crate::records;

pub(super) fn command() -> Command {
    let group = group("refund", "Records money paid back")
        .subcommand(
            Command::new("record")
                .visible_alias("add")
                .about("Records money paid back, of what a payment or a credit note has left")
                .arg(option("payment", "REF", "Of which payment"))
                .arg(option("credit_note", "REF", "Of which credit note"))
                .group(ArgGroup::new("of").args(["payment", "credit_note"]).required(true))
                .arg(option("amount", "AMOUNT", "How much [default: all that is left]"))
                .arg(option("refunded_on", "DATE", "When it was paid back [default: today]"))
                .arg(payment::method().help("How it was paid back"))
                .arg(option("reference", "TEXT", "The bank's reference"))
                .arg(option("notes", "TEXT", "What else is to be said"))
                .arg(option("external_id", "TEXT", "The id in the system that it comes from"))
                // Without an amount the same command would not be the same the second time.
                .arg(args::idempotency().requires("amount")),
        )
        .subcommand(records::list_command::<Refund>())
        .subcommand(records::show_command::<Refund>());
    examples(
        group,
        &[
            ("record", "crm refund record --credit-note CN-000001 --amount 25 --method transfer"),
            ("list", "crm refund list --where 'contact = eva@example.com' -o csv"),
            ("show", "crm refund show 0197c3a0-0000-7000-8000-000000000003"),
        ],
    )
}

pub(super) async fn run(app: &App, args: &ArgMatches) -> Done {
    let (verb, args) = verb(args)?;
    if verb != "record" {
        return records::run::<Refund>(app, verb, args).await;
    }
    let session = app.session().await?;
    let (of, left) = if let Some(reference) = text(args, "payment") {
        let payment = session.find::<Payment>(reference).await?;
        (RefundOf::Payment(payment.id), payment.money(payment.unapplied))
    } else {
        let note = session.find::<CreditNote>(text(args, "credit_note").unwrap_or_default()).await?;
        (RefundOf::CreditNote(note.id), note.money(note.unapplied))
    };
    let given = text(args, "amount").map(|text| Money::parse(text, left.currency())).transpose();
    let command = RecordRefund {
        of,
        amount: given.map_err(|reason| Failure::invalid("amount", &reason))?.unwrap_or(left),
        refunded_on: date(args, "refunded_on")?,
        method: args::value(args, "method")?,
        reference: args::value(args, "reference")?,
        notes: args::value(args, "notes")?,
        external_id: args::value(args, "external_id")?,
    };
    let refund = session.run_with_key(&command, args::idempotency_of(args)?.as_ref()).await?;
    app.out.note(&format!("Recorded a refund of {}.", amount(Money::new(refund.amount.0, refund.currency))));
    records::print(app, &session, &refund, &[], "").await
}

/// Adds the refunds of a document to what is shown of it.
pub(super) async fn show(beneath: &mut Beneath<'_>, of: Filter<Refund>) -> Done {
    let query = Query::new(of).ascending(Refund::COLUMNS.refunded_on);
    let columns = ["id", "amount", "refunded_on", "method", "reference"];
    beneath.part("refunds", query, &columns, &["refunded_on", "amount", "method", "reference", "id"]).await
}
