//! `crm credit-note`: what is credited of invoices.

use clap::{Arg, ArgAction, ArgGroup, ArgMatches, Command};
use crm_core::Session;
use crm_core::billing::{
    AllocateCreditNote, Allocation, CreateCreditNote, CreditNote, CreditNoteLine, Credited, DocumentKind, Invoice,
    Refund, Split, UnallocateCreditNote, taxes,
};
use crm_core::entity::{Minor, Stored};
use crm_core::store::Query;
use crm_core::value::{Currency, Money};

use super::{allocation, invoice, invoice_lines, payment, print, refund, verb};
use crate::args::{self, date, examples, flag, group, option, text, texts};
use crate::beneath::Beneath;
use crate::error::{Done, Failure};
use crate::nouns::Noun as _;
use crate::open::App;
use crate::output::amount;
use crate::records;

pub(super) fn command() -> Command {
    let note = records::reference_arg::<CreditNote>;
    let group = group("credit-note", "Credits invoices, in part or as a whole")
        .subcommand(create_command())
        .subcommand(records::list_command::<CreditNote>())
        .subcommand(
            records::show_command::<CreditNote>().about("Shows a credit note with its lines and what it settles"),
        )
        .subcommand(allocation::command(note(), "Settles invoices with what is left of the credit that was kept"))
        .subcommand(allocation::undo_command(
            "Takes a part of the credit back from its invoice: it is credit again",
            "The allocation's id, as `crm credit-note show` shows it",
        ))
        .subcommand(print::command(note(), "Writes a credit note as a page that is ready to be printed"));
    examples(
        group,
        &[
            ("create", "crm credit-note create INV-000007 --amount 50 --reason 'Broken on arrival'"),
            ("list", "crm credit-note list --where 'unapplied > 0' --sort -issued_on"),
            ("show", "crm credit-note show CN-000001"),
            ("print", "crm credit-note print CN-000001 --html credit-note.html"),
            ("allocate", "crm credit-note allocate CN-000001 --oldest"),
            ("unallocate", "crm credit-note unallocate 0197c3a0-0000-7000-8000-000000000002"),
        ],
    )
}

fn create_command() -> Command {
    let invoice = Arg::new("ref").value_name("INVOICE").required(true).help("The invoice's id, number or external id");
    Command::new("create")
        .visible_alias("add")
        .about("Credits an open or paid invoice: off what is due first, the rest is kept, unless said otherwise")
        .arg(invoice)
        .arg(flag("everything", "Credits everything that is not credited yet"))
        .arg(option("amount", "AMOUNT", "Credits an amount with its tax, spread over the invoice's rates of tax"))
        .arg(option("line", "LINE", invoice::LINE).action(ArgAction::Append))
        .group(ArgGroup::new("credited").args(["everything", "amount", "line"]).required(true))
        .arg(option("reason", "TEXT", "Why").required(true))
        .arg(option("refund", "AMOUNT", "How much of it is paid back at once [default: nothing]"))
        .arg(option("credit", "AMOUNT", "How much is kept as the contact's credit [default: what the others leave]"))
        .arg(option("offset", "AMOUNT", "How much is taken off what is due [default: as much as is due]"))
        .arg(option("issued_on", "DATE", "The date of issue [default: today]"))
        .arg(option("number", "NUMBER", "The number, instead of the series' next one"))
        .arg(payment::method().help("How the refund is paid"))
        .arg(option("reference", "TEXT", "The bank's reference of the refund"))
        .arg(option("notes", "TEXT", "What else is to be said"))
        .arg(option("external_id", "TEXT", "The id in the system that it comes from"))
        .arg(args::idempotency())
}

pub(super) async fn run(app: &App, args: &ArgMatches) -> Done {
    let (verb, args) = verb(args)?;
    if verb == "list" {
        return records::list::<CreditNote>(app, args).await;
    }
    let session = app.session().await?;
    if verb == "create" {
        return create(app, &session, args).await;
    }
    let key = args::idempotency_of(args)?;
    let on = date(args, "on")?;
    if verb == "unallocate" {
        let command = UnallocateCreditNote { allocation: args::required(args, "ref")?, on };
        let note = session.run_with_key(&command, key.as_ref()).await?;
        return show(app, &session, &note, Some("Took back a part of")).await;
    }
    let note = session.find::<CreditNote>(records::reference(args)).await?;
    match verb {
        "allocate" => {
            let allocate = allocation::read(&session, args, note.money(note.unapplied)).await?;
            let command = AllocateCreditNote { credit_note: note.id, allocate, on };
            show(app, &session, &session.run_with_key(&command, key.as_ref()).await?, Some("Allocated")).await
        }
        "print" => print::write(app, args, &session.credit_note_document(note.id).await?),
        _ => show(app, &session, &note, None).await,
    }
}

async fn create(app: &App, session: &Session<'_>, args: &ArgMatches) -> Done {
    let invoice = session.find::<Invoice>(records::reference(args)).await?;
    let money = |name: &str| money(args, name, invoice.currency);
    let lines = texts(args, "line");
    let credited = match money("amount")? {
        Some(amount) => Credited::Amount(amount),
        None if lines.is_empty() => Credited::All,
        None => Credited::Lines(invoice_lines::read(session, &lines).await?),
    };
    let command = CreateCreditNote {
        invoice: invoice.id,
        credited,
        split: Split { refund: money("refund")?, credit: money("credit")?, offset: money("offset")? },
        reason: args::required(args, "reason")?,
        issued_on: date(args, "issued_on")?,
        number: args::value(args, "number")?,
        method: args::value(args, "method")?,
        reference: args::value(args, "reference")?,
        notes: args::value(args, "notes")?,
        external_id: args::value(args, "external_id")?,
    };
    let note = session.run_with_key(&command, args::idempotency_of(args)?.as_ref()).await?;
    let parts = [("refunded", note.refund), ("kept as credit", note.credit), ("taken off what was due", note.offset)];
    let parts = parts.into_iter().filter(|(_, part)| *part != Minor(0));
    let parts: Vec<String> = parts.map(|(what, part)| format!("{} {what}", amount(note.money(part)))).collect();
    app.out.note(&format!("Issued credit note {}: {}.", CreditNote::title(&note), parts.join(", ")));
    show(app, session, &note, None).await?;
    match &note.number {
        Some(number) => {
            let warnings = session.number_warnings(DocumentKind::CreditNote, number, note.issued_on).await?;
            invoice::warn(app, &warnings);
            Ok(())
        }
        None => Ok(()),
    }
}

/// The amount of an option, in a currency.
fn money(args: &ArgMatches, name: &str, currency: Currency) -> Result<Option<Money>, Failure> {
    let money = text(args, name).map(|text| Money::parse(text, currency)).transpose();
    money.map_err(|reason| Failure::invalid(name, &reason))
}

/// Shows a credit note with its lines and what it settles.
async fn show(app: &App, session: &Session<'_>, note: &Stored<CreditNote>, done: Option<&str>) -> Done {
    if let Some(done) = done {
        let left = match note.unapplied {
            Minor(0) => String::new(),
            left => format!("; {} of it is credit", amount(note.money(left))),
        };
        app.out.note(&format!("{done} credit note {}{left}.", CreditNote::title(note)));
    }
    let columns = CreditNoteLine::COLUMNS;
    let lines = Query::new(columns.credit_note_id.eq(&note.id)).ascending(columns.position);
    let mut beneath = Beneath::new(app, session);
    beneath
        .part(
            "lines",
            lines.clone(),
            &[
                "position",
                "invoice_line_id",
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
    let lines = session.list(&lines.limit(crate::beneath::PARTS)).await?.items;
    let money = |amount| note.money(amount);
    let rates = taxes(lines.iter().map(|line| (line.tax_percent, money(line.net), money(line.tax))));
    beneath.taxes(&rates.map_err(|reason| Failure::invalid("lines", &reason))?)?;
    let of = Allocation::COLUMNS.credit_note_id.eq(&Some(note.id));
    allocation::show(&mut beneath, of, &["applied_on", "source", "invoice_id", "amount", "id", "undoes"]).await?;
    refund::show(&mut beneath, Refund::COLUMNS.credit_note_id.eq(&Some(note.id))).await?;
    beneath.print(note).await
}
