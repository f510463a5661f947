//! `crm invoice`: invoices from the draft to their end.

use clap::{Arg, ArgAction, ArgMatches, Command};
use crm_core::Session;
use crm_core::billing::{
    Allocate, Allocation, CreateInvoice, CreditNote, DeleteInvoice, Invoice, InvoiceLine, InvoiceStatus, IssueInvoice,
    RecordPayment, UpdateInvoice, VoidInvoice, Warning, WriteOffInvoice, taxes,
};
use crm_core::entity::Stored;
use crm_core::people::Contact;
use crm_core::store::Query;
use crm_core::value::{Currency, Money, parse_date};

use super::{allocation, invoice_lines, print, verb};
use crate::args::{self, flag, given, group, option, text, texts};
use crate::beneath::{Beneath, PARTS};
use crate::error::{Done, Failure};
use crate::nouns::Noun as _;
use crate::open::App;
use crate::output::amount;
use crate::records;

/// The help of a line.
pub(super) const LINE: &str =
    "A line, as \"DESCRIPTION|QUANTITY|PRICE|TAX%|DISCOUNT\" or sku=…,qty=…,price=…,discount=…,tax=…; may be repeated";

pub(super) fn command() -> Command {
    let on = |name: &'static str, about: &'static str| {
        Command::new(name).about(about).arg(args::reference(&["number", "external_id"]))
    };
    let lines = || option("line", "LINE", LINE).action(ArgAction::Append);
    let terms = |command: Command| {
        command
            .arg(option("issued_on", "DATE", "The date of issue [default: the day on which it is issued]"))
            .arg(option("due_on", "DATE", "Until when it is to be paid [default: the organization's term]"))
            .arg(option("notes", "TEXT", "What else is to be said"))
    };
    let number = || option("number", "NUMBER", "The number, instead of the series' next one");
    group("invoice", "Works on invoices")
        .subcommand(terms(
            Command::new("create")
                .visible_alias("add")
                .about("Writes an invoice: a draft, or issued at once")
                .after_help("`crm help lines` explains the forms of a line.")
                .arg(option("contact", "REF", "Who is billed").required(true))
                .arg(lines())
                .arg(flag("issue", "Issues it at once"))
                .arg(number().requires("issue"))
                .arg(option("currency", "CODE", "The currency [default: the organization's]"))
                .arg(option("total", "AMOUNT", "What the total must come to; refused otherwise"))
                .arg(option("external_id", "TEXT", "The id in the system that it comes from"))
                .arg(args::idempotency()),
        ))
        .subcommand(records::list_command::<Invoice>())
        .subcommand(on("show", "Shows an invoice with its lines and what was paid on it"))
        .subcommand(terms(
            on("edit", "Changes a draft; an empty value clears a field")
                .arg(option("contact", "REF", "Who is billed"))
                .arg(lines().help("All its lines anew, as in create; may be repeated")),
        ))
        .subcommand(on("issue", "Issues a draft: it gets its number and becomes binding").arg(number()))
        .subcommand(
            on("pay", "Records a payment of what is due on it")
                .arg(option("amount", "AMOUNT", "How much [default: all that is due]"))
                .arg(option("received_on", "DATE", "When it was received [default: today]"))
                .arg(super::payment::method())
                .arg(option("reference", "TEXT", "The payer's or the bank's reference"))
                // Without an amount the same command would not be the same the second time.
                .arg(args::idempotency().requires("amount")),
        )
        .subcommand(print::command(
            args::reference(&["number", "external_id"]),
            "Writes an invoice as a page that is ready to be printed",
        ))
        .subcommand(on("void", "Withdraws an issued invoice of which nothing was paid or credited"))
        .subcommand(on("write-off", "Gives up what is due on an open invoice"))
        .subcommand(
            on("delete", "Deletes a draft")
                .arg(Arg::new("yes").long("yes").action(ArgAction::SetTrue).help("Does not ask")),
        )
}

pub(super) async fn run(app: &App, args: &ArgMatches) -> Done {
    let (verb, args) = verb(args)?;
    if verb == "list" {
        return records::list::<Invoice>(app, args).await;
    }
    let session = app.session().await?;
    if verb == "create" {
        return create(app, &session, args).await;
    }
    let invoice = session.find::<Invoice>(records::reference(args)).await?;
    match verb {
        "edit" => edit(app, &session, &invoice, args).await,
        "issue" => {
            let issued = session.run(&IssueInvoice { id: invoice.id, number: args::value(args, "number")? }).await?;
            show(app, &session, &issued, Some("Issued")).await?;
            warn(app, &session.warnings(&issued).await?);
            Ok(())
        }
        "print" => print::write(app, args, &session.invoice_document(invoice.id).await?),
        "pay" => pay(app, &session, &invoice, args).await,
        "void" => show(app, &session, &session.run(&VoidInvoice(invoice.id)).await?, Some("Voided")).await,
        "write-off" => show(app, &session, &session.run(&WriteOffInvoice(invoice.id)).await?, Some("Wrote off")).await,
        "delete" => {
            records::confirm(args, &format!("Delete the invoice {} for good?", invoice.label()))?;
            let deleted = session.run(&DeleteInvoice(invoice.id)).await?;
            records::written(app, &session, &deleted, "Deleted").await
        }
        _ => show(app, &session, &invoice, None).await,
    }
}

async fn create(app: &App, session: &Session<'_>, args: &ArgMatches) -> Done {
    let contact = session.find::<Contact>(text(args, "contact").unwrap_or_default()).await?;
    let lines = invoice_lines::read(session, &texts(args, "line")).await?;
    let currency: Option<Currency> = args::value(args, "currency")?;
    let total = text(args, "total")
        .map(|text| Money::parse(text, currency.unwrap_or(session.locale().currency)))
        .transpose()
        .map_err(|reason| Failure::invalid("total", &reason))?;
    let issue = given(args, "issue");
    let command = CreateInvoice {
        currency,
        issued_on: args::date(args, "issued_on")?,
        due_on: args::date(args, "due_on")?,
        total,
        notes: args::value(args, "notes")?,
        external_id: args::value(args, "external_id")?,
        issue: if issue { Some(args::value(args, "number")?) } else { None },
        ..CreateInvoice::draft(contact.id, lines)
    };
    let created = session.run_with_key(&command, args::idempotency_of(args)?.as_ref()).await?;
    show(app, session, &created, Some(if issue { "Issued" } else { "Drafted" })).await?;
    warn(app, &session.warnings(&created).await?);
    Ok(())
}

async fn edit(app: &App, session: &Session<'_>, invoice: &Stored<Invoice>, args: &ArgMatches) -> Done {
    let contact = match text(args, "contact") {
        Some(reference) => Some(session.find::<Contact>(reference).await?.id),
        None => None,
    };
    let lines = texts(args, "line");
    let lines = if lines.is_empty() { None } else { Some(invoice_lines::read(session, &lines).await?) };
    let command = UpdateInvoice {
        id: invoice.id,
        contact,
        issued_on: args::patch(args, "issued_on", parse_date)?,
        due_on: args::patch(args, "due_on", parse_date)?,
        lines,
        notes: args::patch(args, "notes", str::parse)?,
    };
    show(app, session, &session.run(&command).await?, Some("Changed")).await
}

async fn pay(app: &App, session: &Session<'_>, invoice: &Stored<Invoice>, args: &ArgMatches) -> Done {
    let amount = match text(args, "amount") {
        Some(text) => Money::parse(text, invoice.currency).map_err(|reason| Failure::invalid("amount", &reason))?,
        None => invoice.money(invoice.receivable()),
    };
    if amount.is_zero() && text(args, "amount").is_none() {
        // The machine says why nothing is due.
        invoice.after(crm_core::billing::InvoiceEvent::Pay).map_err(crm_core::CrmError::from)?;
    }
    let command = RecordPayment {
        contact: invoice.contact_id,
        amount,
        received_on: args::date(args, "received_on")?,
        method: args::value(args, "method")?,
        reference: args::value(args, "reference")?,
        notes: None,
        external_id: None,
        allocate: Allocate::To(vec![(invoice.id, amount)]),
    };
    let payment = session.run_with_key(&command, args::idempotency_of(args)?.as_ref()).await?;
    let invoice = session.get::<Invoice>(invoice.id).await?;
    let rest = match invoice.status {
        InvoiceStatus::Paid => "it is paid".to_owned(),
        _ => format!("{} is due", self::amount(invoice.money(invoice.receivable()))),
    };
    let paid = self::amount(payment.money(payment.amount));
    app.out.note(&format!("Recorded {paid} on invoice {}: {rest}.", invoice.label()));
    super::payment::show(app, session, &payment, None).await
}

/// Says what is worth knowing about a number that was just given.
pub(super) fn warn(app: &App, warnings: &[Warning]) {
    for warning in warnings {
        app.out.warn(&format!("{}.", crate::error::sentence(&warning.to_string())));
    }
}

/// Shows an invoice with its lines, what was paid on it and what was credited of it.
async fn show(app: &App, session: &Session<'_>, invoice: &Stored<Invoice>, done: Option<&str>) -> Done {
    if let Some(done) = done {
        app.out.note(&format!("{done} invoice {}.", Invoice::title(invoice)));
    }
    let columns = InvoiceLine::COLUMNS;
    let lines = Query::new(columns.invoice_id.eq(&invoice.id)).ascending(columns.position);
    let mut beneath = Beneath::new(app, session);
    beneath
        .part(
            "lines",
            lines.clone(),
            &[
                "id",
                "position",
                "product_id",
                "description",
                "quantity",
                "unit_price",
                "discount_percent",
                "discount",
                "tax_percent",
                "net",
                "tax",
            ],
            &["position", "description", "quantity", "unit_price", "discount", "tax_percent", "net", "tax"],
        )
        .await?;
    let lines = session.list(&lines.limit(PARTS)).await?.items;
    let rates = taxes(lines.iter().map(|line| (line.tax_percent, line.money(line.net), line.money(line.tax))));
    beneath.taxes(&rates.map_err(|reason| Failure::invalid("lines", &reason))?)?;
    let of = Allocation::COLUMNS.invoice_id.eq(&invoice.id);
    allocation::show(&mut beneath, of, &["applied_on", "source", "amount", "payment_id", "credit_note_id", "undoes"])
        .await?;
    let columns = CreditNote::COLUMNS;
    let notes = Query::new(columns.invoice_id.eq(&invoice.id)).ascending(columns.issued_on);
    let machine = ["id", "number", "issued_on", "total", "refund", "credit", "offset", "reason"];
    beneath.part("credit_notes", notes, &machine, &machine[1..]).await?;
    beneath.print(invoice).await
}
