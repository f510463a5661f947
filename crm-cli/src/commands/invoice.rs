//! `crm invoice`: invoices from the draft to their end.

use clap::{Arg, ArgAction, ArgMatches, Command};
use crm_core::Session;
use crm_core::billing::{
    Allocate, Allocation, CreateInvoice, DeleteInvoice, Invoice, InvoiceLine, InvoiceStatus, IssueInvoice,
    RecordPayment, UpdateInvoice, VoidInvoice, WriteOffInvoice,
};
use crm_core::entity::{Entity as _, Stored};
use crm_core::people::Contact;
use crm_core::store::{LARGEST_PAGE, Query};
use crm_core::value::{Currency, Money, parse_date};

use super::{invoice_lines, verb};
use crate::args::{self, flag, given, group, option, text, texts};
use crate::error::{Done, Failure};
use crate::nouns::Noun as _;
use crate::open::App;
use crate::output::{Format, Record, View, amount};
use crate::records;

const LINE: &str = "A line, as \"DESCRIPTION|QUANTITY|PRICE|TAX%\" or sku=…,qty=…,price=…,tax=…; may be repeated";

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
        .subcommand(on("void", "Withdraws an issued invoice on which nothing was paid"))
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
            show(app, &session, &issued, Some("Issued")).await
        }
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
    show(app, session, &created, Some(if issue { "Issued" } else { "Drafted" })).await
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
        None => invoice.money(invoice.due()),
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
        _ => format!("{} is due", self::amount(invoice.money(invoice.due()))),
    };
    app.out.note(&format!("Recorded {} on invoice {}: {rest}.", self::amount(payment.amount_paid()), invoice.label()));
    super::payment::show(app, session, &payment, None).await
}

/// Shows an invoice with its lines and what was paid on it.
async fn show(app: &App, session: &Session<'_>, invoice: &Stored<Invoice>, done: Option<&str>) -> Done {
    if let Some(done) = done {
        app.out.note(&format!("{done} invoice {}.", Invoice::title(invoice)));
    }
    let machine = matches!(app.out.format, Format::Json | Format::Ndjson);
    if !machine && app.out.format != Format::Table {
        return records::print(app, session, invoice, &[], "").await;
    }
    let lines = Query::new(InvoiceLine::COLUMNS.invoice_id.eq(&invoice.id)).ascending(InvoiceLine::COLUMNS.position);
    let lines = session.list(&lines.limit(LARGEST_PAGE)).await?.items;
    let paid = Query::new(Allocation::COLUMNS.invoice_id.eq(&invoice.id)).ascending(Allocation::COLUMNS.applied_on);
    let paid = session.list(&paid.limit(LARGEST_PAGE)).await?.items;
    let lines: Vec<Record> = lines.iter().map(|line| Record { row: line.to_row(), title: String::new() }).collect();
    let paid: Vec<Record> = paid.iter().map(|part| Record { row: part.to_row(), title: String::new() }).collect();
    if machine {
        let view = View::of(
            InvoiceLine::TABLE,
            ["position", "product_id", "description", "quantity", "unit_price", "tax_percent", "net", "tax"],
        )?;
        let payments = View::of(Allocation::TABLE, ["payment_id", "amount", "applied_on"])?;
        let array = |view: &View, records: &[Record]| {
            let records: Vec<String> = records.iter().map(|record| view.json(record, &[], None)).collect();
            format!("[{}]", records.join(","))
        };
        let extra = [("lines", array(&view, &lines)), ("payments", array(&payments, &paid))];
        return records::print(app, session, invoice, &extra, "").await;
    }
    let mut more = String::from("\n");
    let view = View::of(
        InvoiceLine::TABLE,
        ["position", "description", "quantity", "unit_price", "tax_percent", "net", "tax"],
    )?;
    more.push_str(&view.draw(app.out, &lines));
    if !paid.is_empty() {
        let view = View::of(Allocation::TABLE, ["applied_on", "amount", "payment_id"])?;
        more.push('\n');
        more.push_str(&view.draw(app.out, &paid));
    }
    records::print(app, session, invoice, &[], &more).await
}

/// What a payment is of.
trait Paid {
    fn amount_paid(&self) -> Money;
}

impl Paid for Stored<crm_core::billing::Payment> {
    fn amount_paid(&self) -> Money {
        Money::new(self.amount.0, self.currency)
    }
}
