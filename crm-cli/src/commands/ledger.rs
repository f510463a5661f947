//! `crm ledger`: everything that ever happened on a contact's account.

use clap::{Arg, ArgMatches, Command};
use crm_core::people::Contact;
use crm_core::report::{Ledger, LedgerOptions};

use super::report::{account, machine};
use super::report_billing::restated;
use crate::args::{date, given, option};
use crate::error::{Done, Failure};
use crate::open::App;
use crate::output::Out;
use crate::records;

pub(super) fn command() -> Command {
    let contact = Arg::new("ref").value_name("CONTACT").required(true);
    Command::new("ledger")
        .about("Shows a contact's account: sales, payments, credit notes, refunds, and the balance")
        .arg(contact.help("The contact's id, e-mail, phone, account number or code"))
        .arg(option("from", "DATE", "The first day [default: that of the first entry]"))
        .arg(option("to", "DATE", "The last day [default: that of the last entry]").visible_alias("as-of"))
        .arg(restated())
        .after_help("Example: crm ledger eva@example.com --from 2026-01-01 -o csv")
}

pub(super) async fn run(app: &App, args: &ArgMatches) -> Done {
    let session = app.session().await?;
    let contact = session.find::<Contact>(records::reference(args)).await?;
    let options = LedgerOptions { from: date(args, "from")?, to: date(args, "to")?, restated: given(args, "restated") };
    app.out.data(&ledger(app.out, &session.ledger(contact.id, &options).await?)?)
}

fn ledger(out: Out, report: &Ledger) -> Result<String, Failure> {
    if let Some(text) = machine(out, report)? {
        return Ok(text);
    }
    let title = format!("Account of {}{}", report.contact, super::report_sales::period(report.from, report.to));
    account(out, &title, (report.from, report.to), &report.currencies)
}
