//! What payments and credit notes settle: the options of the commands that say it, and how it is shown.

use clap::{Arg, ArgAction, ArgGroup, ArgMatches, Command};
use crm_core::billing::{Allocate, Allocation, Invoice};
use crm_core::store::{Filter, Query};
use crm_core::value::{Money, ValueError};
use crm_core::{Id, Session};

use crate::args::{flag, given, option, texts};
use crate::beneath::Beneath;
use crate::error::{Done, Failure};

/// The options of what is settled.
pub(super) fn options() -> [Arg; 2] {
    let invoice = option("invoice", "REF[=AMOUNT]", "An invoice that it settles, and how much of it; may be repeated")
        .action(ArgAction::Append)
        .conflicts_with("oldest");
    [invoice, flag("oldest", "Settles the contact's open invoices, the earliest due first")]
}

/// The command that allocates what a document has left.
pub(super) fn command(document: Arg, about: &'static str) -> Command {
    Command::new("allocate")
        .about(about)
        .arg(document)
        .args(options())
        .group(ArgGroup::new("settled").args(["invoice", "oldest"]).required(true))
        .arg(option("on", "DATE", "From which day it counts [default: today]"))
        .arg(crate::args::idempotency())
}

/// The command that takes an allocation back.
pub(super) fn undo_command(about: &'static str, shows: &'static str) -> Command {
    Command::new("unallocate")
        .about(about)
        .arg(Arg::new("ref").value_name("ALLOCATION").required(true).help(shows))
        .arg(option("on", "DATE", "From which day it counts [default: today]"))
        .arg(crate::args::idempotency())
}

/// What is to be settled of so much money.
pub(super) async fn read(session: &Session<'_>, args: &ArgMatches, money: Money) -> Result<Allocate, Failure> {
    if given(args, "oldest") {
        return Ok(Allocate::Oldest);
    }
    let invoices = texts(args, "invoice");
    if invoices.is_empty() { Ok(Allocate::Nothing) } else { Ok(Allocate::To(shares(session, &invoices, money).await?)) }
}

/// How much goes to which invoice. An invoice without an amount gets what is left, up to what can be paid on it.
async fn shares(session: &Session<'_>, texts: &[&str], money: Money) -> Result<Vec<(Id<Invoice>, Money)>, Failure> {
    let mut left = money.minor();
    let mut shares = Vec::with_capacity(texts.len());
    for (position, text) in (1..).zip(texts) {
        let refused = |reason: ValueError| Failure::invalid(&format!("allocations.{position}"), &reason);
        let (reference, share) = match text.rsplit_once('=') {
            Some((reference, share)) => (reference, Some(Money::parse(share, money.currency()).map_err(refused)?)),
            None => (*text, None),
        };
        let invoice = session.find::<Invoice>(reference).await?;
        let share = share.unwrap_or_else(|| Money::new(left.min(invoice.receivable().0).max(0), invoice.currency));
        left = left.saturating_sub(share.minor());
        shares.push((invoice.id, share));
    }
    Ok(shares)
}

/// Adds the allocations of a document to what is shown of it.
pub(super) async fn show(beneath: &mut Beneath<'_>, of: Filter<Allocation>, people: &[&str]) -> Done {
    let query = Query::new(of).ascending(Allocation::COLUMNS.applied_on);
    let machine =
        ["id", "source", "payment_id", "credit_note_id", "invoice_id", "amount", "applied_on", "undoes", "written_off"];
    beneath.part("allocations", query, &machine, people).await
}
