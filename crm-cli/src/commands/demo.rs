//! `crm demo`: a fresh book with made-up data, to look around.

use std::path::{Path, PathBuf};

use clap::{ArgMatches, Command, ValueHint};
use crm_core::access::{AddMember, Organization, Role};
use crm_core::billing::{
    Allocate, CreateInvoice, Invoice, Method, NewLine, Product, RecordPayment, VoidInvoice, WriteOffInvoice,
};
use crm_core::entity::Stored;
use crm_core::people::Contact;
use crm_core::report::{Ageing, AgeingOptions, Funnel, FunnelOptions, Summary, SummaryOptions};
use crm_core::value::{Currency, Date, Decimal6, Money, Slug, ValueError};
use crm_core::{CrmError, Edit, NewOrganization, Session};
use crm_store_sqlite::Durability;
use serde::Serialize;

use super::demo_data::{Dice, THINGS};
use super::{demo_sales, report, report_sales};
use crate::args::{option, text};
use crate::error::{Done, Failure};
use crate::open::{self, App};
use crate::output::{self, Format};

const CONTACTS: usize = 60;
const INVOICES: usize = 200;
const SLUG: &str = "demo";
const OWNER: &str = "ana@example.com";

pub(super) fn command() -> Command {
    Command::new("demo")
        .about("Makes a fresh database with made-up data, and shows its reports")
        .long_about(
            "Makes a fresh database with made-up contacts, leads, deals, products, and invoices and payments of the last \
             year in a folder of its own, and shows the financial summary, the ageing of receivables and the funnel of deals. The same seed gives the \
             same data.",
        )
        .arg(
            option(
                "dir",
                "DIR",
                "The folder; one with a number behind it if it is taken [default: crm-demo in the temporary folder]",
            )
            .value_hint(ValueHint::DirPath),
        )
        .arg(
            option("seed", "N", "What the data is drawn from")
                .value_parser(clap::value_parser!(u64))
                .default_value("1"),
        )
}

/// What the demonstration gives, for machines.
#[derive(Serialize)]
struct Shown<'a> {
    directory: &'a str,
    database: &'a str,
    org: &'static str,
    #[serde(rename = "as")]
    acting_as: &'static str,
    summary: Summary,
    ageing: Ageing,
    funnel: Funnel,
}

pub(super) async fn run(app: &App, args: &ArgMatches) -> Done {
    let wanted = text(args, "dir").map_or_else(|| std::env::temp_dir().join("crm-demo"), PathBuf::from);
    let directory = fresh(&wanted)?;
    let address = directory.join("crm.db").to_string_lossy().into_owned();
    // A demonstration need not survive the loss of power.
    let database = open::open(&address, true, Durability::Normal).await?;
    let crm = database.crm(app.clock);
    let slug: Slug = SLUG.parse().map_err(CrmError::from)?;
    let owner = OWNER.parse().map_err(CrmError::from)?;
    crm.create_organization(&organization(slug.clone()).map_err(CrmError::from)?).await?;
    let session = crm.session(&slug, &owner).await?;
    let mut dice = Dice::new(args.get_one::<u64>("seed").copied().unwrap_or(1));
    let contacts = contacts(&session, &mut dice).await?;
    let products = products(&session).await?;
    bill(&session, &mut dice, &contacts, &products).await?;
    demo_sales::sell(&session, &mut dice, &contacts).await?;

    let summary = session.summary(&SummaryOptions::default()).await?;
    let ageing = session.ageing(&AgeingOptions::default()).await?;
    let funnel = session.funnel(&FunnelOptions::default()).await?;
    let shown = directory.display().to_string();
    app.out.note(&format!("The demonstration is in {shown}."));
    match app.out.format {
        Format::Json | Format::Ndjson => {
            let all =
                Shown { directory: &shown, database: &address, org: SLUG, acting_as: OWNER, summary, ageing, funnel };
            let text = if app.out.format == Format::Json { output::pretty(&all)? } else { output::json(&all)? };
            app.out.data(&format!("{text}\n"))?;
        }
        Format::Id => app.out.data(&format!("{address}\n"))?,
        Format::Table | Format::Csv => {
            let reports = [
                report::summary(app.out, &summary)?,
                report::ageing(app.out, &ageing)?,
                report_sales::funnel(app.out, &funnel)?,
            ];
            app.out.data(&reports.join("\n"))?;
        }
    }
    app.out.note(&format!(
        "\nTry next:\n  export CRM_DATABASE_URL={} CRM_ORG={SLUG} CRM_AS={OWNER}\n  crm contact list --search perez\n  \
         crm deal list --where is_open --sort -amount\n  crm task list --sort due_on\n  crm machine show deal\n  \
         crm invoice list --where overdue --sort due_on\n  crm report statement {}\n  crm report ageing --per-contact\n  \
         crm report forecast\n  crm audit verify",
        quoted(&address),
        contacts[0].email.as_ref().map_or("", |email| email.as_str()),
    ));
    Ok(())
}

/// Text as a shell takes it.
fn quoted(text: &str) -> String {
    let plain = text.chars().all(|c| c.is_ascii_alphanumeric() || "/._-:".contains(c));
    if plain { text.to_owned() } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

/// Makes a folder that was not there: the one wanted, or one with a number behind its name.
fn fresh(wanted: &Path) -> Result<PathBuf, Failure> {
    let failed = |error: std::io::Error| Failure::failed(format!("Cannot create {}: {error}", wanted.display()));
    if let Some(parent) = wanted.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        std::fs::create_dir_all(parent).map_err(failed)?;
    }
    let empty = |path: &Path| std::fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none());
    if empty(wanted) {
        return std::path::absolute(wanted).map_err(failed);
    }
    for number in 1..10_000 {
        let mut name = wanted.as_os_str().to_owned();
        if number > 1 {
            name.push(format!("-{number}"));
        }
        match std::fs::create_dir(&name) {
            Ok(()) => return std::path::absolute(&name).map_err(failed),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(failed(error)),
        }
    }
    Err(Failure::failed(format!("There are too many folders like {}", wanted.display()))
        .hint("Give another one with --dir"))
}

fn organization(slug: Slug) -> Result<NewOrganization, ValueError> {
    let mut organization =
        Organization::new(slug, "Andes Coffee Traders".parse()?, "USD".parse()?, "America/New_York".parse()?);
    organization.default_region = Some("US".parse()?);
    Ok(NewOrganization {
        organization,
        owner_email: OWNER.parse()?,
        owner_name: "Ana Morales".parse()?,
        invoice_prefix: "INV-".to_owned(),
    })
}

/// The fields of a record that is made up.
pub(super) fn edit<E: crm_core::entity::Entity>(
    session: &Session<'_>,
    fields: &[(&str, &str)],
) -> Result<Edit<E>, Failure> {
    Edit::parse(fields.iter().copied(), &session.locale()).map_err(|refused| CrmError::Invalid(refused).into())
}

async fn contacts(session: &Session<'_>, dice: &mut Dice) -> Result<Vec<Stored<Contact>>, Failure> {
    let member = |email: &str, name: &str, role| -> Result<AddMember, ValueError> {
        Ok(AddMember { email: email.parse()?, full_name: Some(name.parse()?), role })
    };
    session.run(&member("luis@example.com", "Luis Ortega", Role::Manager).map_err(CrmError::from)?).await?;
    session.run(&member("vera@example.com", "Vera Lind", Role::Viewer).map_err(CrmError::from)?).await?;
    let mut edits = Vec::with_capacity(CONTACTS);
    let mut used: Vec<String> = Vec::new();
    let sources = ["web", "whatsapp", "instagram", "email", "phone", "referral", "manual"];
    while edits.len() < CONTACTS {
        let locale = dice.locale();
        let (given, given_latin) = dice.of(locale.given);
        let (family, family_latin) = dice.of(locale.family);
        let email = format!("{given_latin}.{family_latin}@example.com");
        let phone = format!("{}{:02}", locale.phone, dice.below(100));
        let company = *dice.of(locale.companies);
        // Every sixth one is a company, as long as there are any left.
        let is_company = dice.below(6) == 0 && !used.iter().any(|known| known == company);
        let name = if is_company { company.to_owned() } else { email.clone() };
        if used.contains(&name) || used.contains(&phone) || used.contains(&email) {
            continue;
        }
        let mut fields = vec![
            ("kind", if is_company { "company" } else { "person" }),
            ("given_name", *given),
            ("family_name", *family),
            ("email", email.as_str()),
            ("city", *dice.of(locale.cities)),
            ("country", locale.country),
            ("source", *dice.of(&sources)),
        ];
        if is_company {
            fields.push(("company_name", company));
        }
        if dice.below(10) > 0 {
            fields.push(("phone", phone.as_str()));
        }
        edits.push(edit::<Contact>(session, &fields)?);
        used.extend([name, phone, email.clone()]);
    }
    Ok(session.create_many(&edits).await?)
}

async fn products(session: &Session<'_>) -> Result<Vec<Stored<Product>>, Failure> {
    let edits: Result<Vec<_>, Failure> = THINGS
        .iter()
        .map(|thing| {
            let fields = [
                ("sku", thing.sku),
                ("name", thing.name),
                ("kind", thing.kind),
                ("unit_price", thing.price),
                ("tax_percent", thing.tax),
            ];
            edit::<Product>(session, &fields)
        })
        .collect();
    Ok(session.create_many(&edits?).await?)
}

/// A year of invoices, with what became of each.
async fn bill(
    session: &Session<'_>,
    dice: &mut Dice,
    contacts: &[Stored<Contact>],
    products: &[Stored<Product>],
) -> Done {
    let today = session.context().today();
    let ago = |days: u64| today.checked_sub_days(chrono::Days::new(days)).unwrap_or(today);
    // In the order of their dates, so that the numbers are too.
    let mut ages: Vec<u64> = (0..INVOICES).map(|_| dice.below(365)).collect();
    ages.sort_unstable_by(|left, right| right.cmp(left));
    let euro: Currency = "EUR".parse().map_err(CrmError::from)?;
    for age in ages {
        let contact = dice.of(contacts);
        let issued_on = ago(age);
        let in_euro = dice.below(12) == 0;
        let lines = if in_euro { consulting(dice).map_err(CrmError::from)? } else { lines(dice, products) };
        let draft = dice.below(25) == 0 && age < 40;
        let command = CreateInvoice {
            issued_on: (!draft).then_some(issued_on),
            currency: in_euro.then_some(euro),
            issue: (!draft).then_some(None),
            ..CreateInvoice::draft(contact.id, lines)
        };
        let invoice = session.run(&command).await?;
        if draft {
            continue;
        }
        match dice.below(100) {
            0..5 => {
                session.run(&VoidInvoice(invoice.id)).await?;
            }
            5..8 if age > 120 => {
                session.run(&WriteOffInvoice(invoice.id)).await?;
            }
            8..20 => {
                let part = Money::new(invoice.total.0 * 2 / 5, invoice.currency);
                pay(session, dice, &invoice, part, issued_on, today).await?;
            }
            20..82 => pay(session, dice, &invoice, invoice.money(invoice.total), issued_on, today).await?,
            // The others wait, and are overdue after a month.
            _ => {}
        }
    }
    // Two customers have paid in advance.
    for contact in &contacts[..2] {
        let amount = Money::new(15_000, session.locale().currency);
        session.run(&payment(contact.id, amount, ago(3), Method::Transfer, Allocate::Nothing)).await?;
    }
    Ok(())
}

fn lines(dice: &mut Dice, products: &[Stored<Product>]) -> Vec<NewLine> {
    (0..=dice.below(4))
        .map(|_| {
            let product = dice.of(products);
            let most =
                THINGS.iter().find(|thing| product.sku.as_deref() == Some(thing.sku)).map_or(1, |thing| thing.most);
            let quantity = Decimal6::from(u32::try_from(1 + dice.below(most)).unwrap_or(1));
            NewLine {
                product: Some(product.id),
                description: None,
                quantity,
                unit_price: None,
                discount: None,
                tax_percent: None,
            }
        })
        .collect()
}

/// Work that is billed in another currency, by the quarter of an hour.
fn consulting(dice: &mut Dice) -> Result<Vec<NewLine>, ValueError> {
    let quarters = i64::try_from(2 + dice.below(30)).unwrap_or(2);
    Ok(vec![NewLine {
        product: None,
        description: Some("Consulting, per hour".parse()?),
        quantity: Decimal6::from_micros(quarters * 250_000),
        unit_price: Some(Decimal6::parse("72.50")?),
        discount: None,
        tax_percent: Some(Decimal6::parse("21")?),
    }])
}

/// Records a payment some weeks after the issue, but never in the future.
async fn pay(
    session: &Session<'_>,
    dice: &mut Dice,
    invoice: &Stored<Invoice>,
    amount: Money,
    issued_on: Date,
    today: Date,
) -> Done {
    let days = chrono::Days::new(2 + dice.below(45));
    let received_on = issued_on.checked_add_days(days).unwrap_or(today);
    if received_on > today || !amount.is_positive() {
        return Ok(());
    }
    let method = *dice.of(Method::ALL);
    let allocate = Allocate::To(vec![(invoice.id, amount)]);
    session.run(&payment(invoice.contact_id, amount, received_on, method, allocate)).await?;
    Ok(())
}

const fn payment(
    contact: crm_core::Id<Contact>,
    amount: Money,
    received_on: Date,
    method: Method,
    allocate: Allocate,
) -> RecordPayment {
    RecordPayment {
        contact,
        amount,
        received_on: Some(received_on),
        method: Some(method),
        reference: None,
        notes: None,
        external_id: None,
        allocate,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_always_fresh() {
        let directory = tempfile::tempdir().unwrap();
        let wanted = directory.path().join("a/demo");
        let first = fresh(&wanted).unwrap();
        std::fs::write(first.join("crm.db"), "").unwrap();
        let second = fresh(&wanted).unwrap();
        assert_eq!((first, second), (wanted.clone(), directory.path().join("a/demo-2")));
        let empty = directory.path().join("empty");
        std::fs::create_dir(&empty).unwrap();
        assert_eq!(fresh(&empty).unwrap(), empty);
    }

    #[test]
    fn addresses_are_quoted_for_a_shell() {
        assert_eq!(quoted("/tmp/a.db"), "/tmp/a.db");
        assert_eq!(quoted("/tmp/my db's"), "'/tmp/my db'\\''s'");
    }
}
