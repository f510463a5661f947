//! Random work: commands, lists and reports of several members of two organizations. Played on two stores
//! it must leave the same transcript, word for word.

mod access;
mod activity;
mod billing;
mod cases;
mod privacy;
mod reports;
mod sales;
mod series;
mod users;

use std::fmt::Write as _;

use crate::access::{AccessError, AddMember, IdempotencyKey, Membership, RemoveMember, Role, SetRole};
use crate::activity::Task;
use crate::billing::{
    Allocate, CreateInvoice, DeleteInvoice, Discount, Invoice, InvoiceStatus, IssueInvoice, Method, NewLine, Product,
    RecordPayment, UpdateInvoice, VoidInvoice, WriteOffInvoice,
};
use crate::crud::{Rules, to_json};
use crate::encode::encode_row;
use crate::entity::{Entity, Stored, Tenancy};
use crate::error::CrmError;
use crate::id::Id;
use crate::people::{Contact, ContactKind};
use crate::report::{AgeingOptions, LedgerOptions, StatementOptions, SummaryOptions};
use crate::sales::{Deal, Lead};
use crate::schema::TABLES;
use crate::service::Case;
use crate::store::{ChangeSet, Cursor, Direction, Expr, Filter, Query, Seal, Select};
use crate::value::{Date, Decimal6, Email, Money, Patch};
use crate::{Crm, Edit, Session};

/// A small, fast, repeatable source of numbers (`SplitMix64`).
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// The dice of a seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `sides`.
    ///
    /// # Panics
    /// When there are no sides.
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }

    /// One of these.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        if of.is_empty() { None } else { of.get(usize::try_from(self.roll(of.len() as u64)).unwrap_or(0)) }
    }

    /// Whether something that happens once in `of` times happens.
    pub fn once_in(&mut self, of: u64) -> bool {
        self.roll(of) == 0
    }
}

/// Names with accents, folds and characters that are special somewhere.
const NAMES: &[&str] = &[
    "Ana",
    "Ángela",
    "Ёлкин",
    "Straße",
    "José%",
    "O'Brien",
    "a_b",
    "\"quoted\"",
    "Ærø",
    "Luís",
    "Łukasz",
    "Zoë",
    "ÅSE",
    "ñandú",
    "back\\slash",
    "李",
    "𝒳",
];
const PHONES: &[&str] = &["+1 415 555 2671", "(212) 555-0123", "+57 321 1234567", "12", "+49 30 901820", ""];

/// Everything that the play has made so far, of both organizations, so that either may name the other's.
#[derive(Default)]
struct Made {
    contacts: Vec<Id<Contact>>,
    products: Vec<Id<Product>>,
    invoices: Vec<Id<Invoice>>,
    billing: billing::MadeBilling,
    tasks: Vec<Id<Task>>,
    members: Vec<Id<Membership>>,
    cursors: Vec<Cursor>,
    sales: sales::MadeSales,
    cases: cases::MadeCases,
    access: access::MadeAccess,
}

/// Plays so many steps and gives the transcript: every answer, then every row.
///
/// # Errors
/// Only when the organizations cannot be made; refusals are part of the transcript.
pub async fn play(crm: &Crm, seed: u64, steps: u32) -> Result<String, CrmError> {
    let mut dice = Dice::new(seed);
    let mut sessions = Vec::new();
    for slug in ["here", "there"] {
        let owner = super::organization(crm, slug).await?;
        for role in [Role::Admin, Role::Manager, Role::Member, Role::Viewer] {
            sessions.push(super::member(crm, &owner, role).await?);
        }
        sessions.push(owner);
    }
    let mut made = Made::default();
    for session in [&sessions[4], &sessions[9]] {
        made.sales.note(session).await?;
    }
    cases::settle(&sessions[4]).await?;
    let mut transcript = String::new();
    for step in 0..steps {
        let at = usize::try_from(dice.roll(sessions.len() as u64)).unwrap_or(0);
        let line = play_step(crm, &sessions[at], &mut dice, &mut made).await;
        let _ = writeln!(transcript, "{step} {} {line}", sessions[at].user().email);
    }
    for session in [&sessions[4], &sessions[9]] {
        dump(session, &mut transcript).await?;
    }
    Ok(transcript)
}

fn told<E: Entity>(result: Result<Stored<E>, CrmError>) -> (String, Option<Stored<E>>) {
    match result {
        Ok(stored) => (to_json(&stored), Some(stored)),
        Err(error) => (format!("{}: {error}", error.code().as_str()), None),
    }
}

async fn play_step(crm: &Crm, session: &Session<'_>, dice: &mut Dice, made: &mut Made) -> String {
    match dice.roll(58) {
        0..=3 => {
            let (line, contact) = told(session.create(contact(dice, made)).await);
            made.contacts.extend(contact.map(|contact| contact.id));
            format!("contact.create {line}")
        }
        4 | 5 => {
            let Some(id) = dice.pick(&made.contacts).copied() else { return String::new() };
            let (verb, result) = match dice.roll(6) {
                0 => ("archive", session.archive(id).await),
                1 => ("restore", session.restore(id).await),
                2 => ("delete", session.delete(id).await),
                _ => ("update", session.update(id, contact_change(dice, made)).await),
            };
            format!("contact.{verb} {}", told(result).0)
        }
        6 => {
            let (line, product) = told(session.create(product(dice)).await);
            made.products.extend(product.map(|product| product.id));
            format!("product.create {line}")
        }
        7..=9 => {
            let Some(contact) = dice.pick(&made.contacts).copied() else { return String::new() };
            let (line, invoice) = told(session.run(&invoice(contact, dice, made)).await);
            made.invoices.extend(invoice.map(|invoice| invoice.id));
            format!("invoice.create {line}")
        }
        10..=12 => invoice_step(session, dice, made).await,
        13 | 14 => payment_step(session, dice, made).await,
        15 => member_step(crm, session, dice, made).await,
        16 => list_step::<Contact>(session, dice, made, contact_filter).await,
        17 => list_step::<Invoice>(session, dice, made, invoice_filter).await,
        18 => {
            let options = SummaryOptions {
                as_of: Some(date(dice)),
                include_void: dice.once_in(2),
                per_contact: dice.once_in(2),
                restated: dice.once_in(3),
            };
            match session.summary(&options).await {
                Ok(summary) => format!("report.summary {}", serde_json::json!(summary)),
                Err(error) => format!("report.summary {error}"),
            }
        }
        19 => report_step(session, dice, made).await,
        20 => list_step::<Deal>(session, dice, made, sales::deal_filter).await,
        21 => list_step::<Lead>(session, dice, made, sales::lead_filter).await,
        22 => activity::interaction_step(session, dice, made).await,
        23 | 24 => activity::task_step(session, dice, made).await,
        25 => activity::timeline_step(session, dice, made).await,
        36 => series::step(session, dice, made).await,
        // Cases.
        45..=51 => cases::step(session, dice, made).await.unwrap_or_default(),
        52 => list_step::<Case>(session, dice, made, cases::filter).await,
        26 | 27 => reports::step(session, dice, made).await,
        28..=35 => billing::step(session, dice, made).await.unwrap_or_default(),
        // Access.
        53..=55 => access::step(crm, session, dice, made).await,
        56 => users::step(session, dice, made).await,
        // Privacy.
        57 => privacy::step(session, dice, made).await.unwrap_or_default(),
        _ => sales::step(session, dice, made).await.unwrap_or_default(),
    }
}

async fn report_step(session: &Session<'_>, dice: &mut Dice, made: &Made) -> String {
    if dice.once_in(2) {
        let options =
            AgeingOptions { as_of: Some(date(dice)), per_contact: dice.once_in(2), restated: dice.once_in(3) };
        return match session.ageing(&options).await {
            Ok(ageing) => format!("report.ageing {}", serde_json::json!(ageing)),
            Err(error) => format!("report.ageing {error}"),
        };
    }
    let Some(contact) = dice.pick(&made.contacts).copied() else { return String::new() };
    let (from, to, restated) = (date(dice), date(dice), dice.once_in(3));
    if dice.once_in(3) {
        let options =
            LedgerOptions { from: dice.once_in(2).then_some(from), to: dice.once_in(2).then_some(to), restated };
        return match session.ledger(contact, &options).await {
            Ok(ledger) => format!("report.ledger {}", serde_json::json!(ledger)),
            Err(error) => format!("report.ledger {error}"),
        };
    }
    match session.statement(contact, &StatementOptions { from, to, restated }).await {
        Ok(statement) => format!("report.statement {}", serde_json::json!(statement)),
        Err(error) => format!("report.statement {error}"),
    }
}

fn date(dice: &mut Dice) -> Date {
    let day = u32::try_from(dice.roll(28) + 1).unwrap_or(1);
    let month = u32::try_from(dice.roll(3) + 4).unwrap_or(4);
    Date::from_ymd_opt(2026, month, day).unwrap_or_default()
}

fn pairs<E: Entity>(session_fields: &[(&str, String)]) -> Edit<E> {
    let locale = crate::entity::Locale { region: "US".parse().ok(), currency: crate::value::Currency::USD };
    // A field that is refused is left out; the command then says what is missing.
    let parsed =
        session_fields.iter().filter_map(|(field, text)| Edit::<E>::parse([(*field, text.as_str())], &locale).ok());
    parsed.fold(Edit::new(), Edit::merge)
}

fn contact(dice: &mut Dice, made: &Made) -> Edit<Contact> {
    let name = dice.pick(NAMES).copied().unwrap_or_default();
    let mut fields = vec![("kind", if dice.once_in(3) { "company" } else { "person" }.to_owned())];
    if !dice.once_in(8) {
        fields.push(("given_name", name.to_owned()));
    }
    if dice.once_in(2) {
        fields.push(("company_name", format!("{name} & Co {}", dice.roll(9))));
    }
    if !dice.once_in(4) {
        fields.push(("email", format!("P{}@Example.com", dice.roll(60))));
    }
    if dice.once_in(2) {
        fields.push(("phone", dice.pick(PHONES).copied().unwrap_or_default().to_owned()));
    }
    if dice.once_in(3) {
        fields.push(("account_number", format!("A{}", dice.roll(30))));
    }
    if dice.once_in(3) {
        fields.push(("stratum", dice.roll(9).to_string()));
        fields.push(("payment_days", (dice.roll(90) * 50).to_string()));
    }
    if dice.once_in(6)
        && let Some(company) = dice.pick(&made.contacts)
    {
        fields.push(("company_id", company.to_string()));
    }
    pairs(&fields)
}

fn contact_change(dice: &mut Dice, made: &Made) -> Edit<Contact> {
    match dice.roll(5) {
        0 => pairs(&[("email", String::new()), ("city", "Bogotá".to_owned())]),
        1 => pairs(&[("phone", dice.pick(PHONES).copied().unwrap_or_default().to_owned())]),
        2 => Edit::new().set(Contact::COLUMNS.kind, ContactKind::Company),
        3 => Edit::new(),
        _ => contact(dice, made),
    }
}

fn product(dice: &mut Dice) -> Edit<Product> {
    pairs(&[
        ("name", dice.pick(NAMES).copied().unwrap_or_default().to_owned()),
        ("sku", format!("S{}", dice.roll(12))),
        (
            "unit_price",
            ["0", "9.99", "10.005", "0.000001", "2.675"][usize::try_from(dice.roll(5)).unwrap_or(0)].to_owned(),
        ),
        ("tax_percent", ["0", "19", "7.5", "101"][usize::try_from(dice.roll(4)).unwrap_or(0)].to_owned()),
    ])
}

fn lines(dice: &mut Dice, made: &Made) -> Vec<NewLine> {
    (0..dice.roll(4))
        .map(|_| NewLine {
            product: if dice.once_in(2) { dice.pick(&made.products).copied() } else { None },
            description: dice.pick(NAMES).and_then(|name| name.parse().ok()).filter(|_| !dice.once_in(6)),
            quantity: Decimal6::from_micros(i64::try_from(dice.roll(5)).unwrap_or(0) * 500_000),
            unit_price: (!dice.once_in(5))
                .then(|| Decimal6::from_micros(i64::try_from(dice.roll(40_000_000)).unwrap_or(0))),
            discount: match dice.roll(6) {
                0 => Some(Discount::Percent(Decimal6::from_micros(
                    i64::try_from(dice.roll(110)).unwrap_or(0) * 1_000_000,
                ))),
                1 => Some(Discount::Amount(Decimal6::from_micros(i64::try_from(dice.roll(8_000_000)).unwrap_or(0)))),
                _ => None,
            },
            tax_percent: dice.once_in(2).then(|| Decimal6::from_micros(19_000_000)),
        })
        .collect()
}

fn invoice(contact: Id<Contact>, dice: &mut Dice, made: &Made) -> CreateInvoice {
    let number = dice.once_in(5).then(|| format!("X-{}", dice.roll(9)).parse().ok()).flatten();
    CreateInvoice {
        currency: dice.once_in(5).then_some(crate::value::Currency::EUR),
        issued_on: dice.once_in(2).then(|| date(dice)),
        due_on: dice.once_in(4).then(|| date(dice)),
        issue: (!dice.once_in(3)).then_some(number),
        ..CreateInvoice::draft(contact, lines(dice, made))
    }
}

async fn invoice_step(session: &Session<'_>, dice: &mut Dice, made: &mut Made) -> String {
    let Some(id) = dice.pick(&made.invoices).copied() else { return String::new() };
    let (verb, result) = match dice.roll(8) {
        0 => ("void", session.run(&VoidInvoice(id)).await),
        1 => ("write_off", session.run(&WriteOffInvoice(id)).await),
        2 => ("delete", session.run(&DeleteInvoice(id)).await),
        3 => {
            let lines = dice.once_in(2).then(|| lines(dice, made));
            let due_on = if dice.once_in(2) { Patch::Set(date(dice)) } else { Patch::Clear };
            let (issued_on, notes) = (Patch::Keep, Patch::Set("bitte\nzahlen".parse().expect("a valid note")));
            ("update", session.run(&UpdateInvoice { id, contact: None, issued_on, due_on, lines, notes }).await)
        }
        _ => ("issue", session.run(&IssueInvoice { id, number: None }).await),
    };
    format!("invoice.{verb} {}", told(result).0)
}

async fn payment_step(session: &Session<'_>, dice: &mut Dice, made: &mut Made) -> String {
    let Some(mut contact) = dice.pick(&made.contacts).copied() else { return String::new() };
    let amount = Money::new(i64::try_from(dice.roll(5_000)).unwrap_or(0), crate::value::Currency::USD);
    let allocate = match dice.roll(3) {
        0 => Allocate::Nothing,
        1 => Allocate::Oldest,
        _ => {
            let invoice = dice.pick(&made.invoices).copied();
            if let Some(id) = invoice
                && let Ok(invoice) = session.get(id).await
            {
                contact = invoice.contact_id;
            }
            Allocate::To(invoice.map(|id| (id, amount)).into_iter().collect())
        }
    };
    let command = RecordPayment {
        contact,
        amount,
        received_on: dice.once_in(2).then(|| date(dice)),
        method: Some(Method::Transfer),
        reference: None,
        notes: None,
        external_id: None,
        allocate,
    };
    let key: Option<IdempotencyKey> = dice.once_in(3).then(|| format!("key {}", dice.roll(20)).parse().ok()).flatten();
    let (line, payment) = told(session.run_with_key(&command, key.as_ref()).await);
    made.billing.payments.extend(payment.map(|payment| payment.id));
    format!("payment.record {line}")
}

async fn member_step(crm: &Crm, session: &Session<'_>, dice: &mut Dice, made: &mut Made) -> String {
    let role = *dice.pick(Role::ALL).unwrap_or(&Role::Viewer);
    if let Some(member) = dice.pick(&made.members).copied()
        && dice.once_in(2)
    {
        let (verb, result) = if dice.once_in(3) {
            ("remove", session.run(&RemoveMember { member }).await)
        } else {
            ("set_role", session.run(&SetRole { member, role }).await)
        };
        return format!("membership.{verb} {}", told(result).0);
    }
    let email = format!("new{}@example.com", dice.roll(10)).parse::<Email>();
    let Ok(email) = email else { return String::new() };
    let full_name = if dice.once_in(4) { None } else { "New One".parse().ok() };
    let added = session.run(&AddMember { email: email.clone(), full_name, role }).await;
    // Whoever was a member before comes back by an invitation.
    let added = match added {
        Err(CrmError::Access(AccessError::KnownUser(_))) => super::joined(crm, session, &email, role).await,
        added => added,
    };
    let (line, member) = told(added);
    made.members.extend(member.map(|member| member.id));
    format!("membership.add {line}")
}

fn contact_filter(dice: &mut Dice) -> Query<Contact> {
    let columns = Contact::COLUMNS;
    let name = *dice.pick(NAMES).unwrap_or(&"");
    let filter = match dice.roll(6) {
        0 => Filter::search(name),
        1 => columns.name_key.contains_folded(name),
        2 => columns.email_key.starts_with("p1"),
        3 => !columns.stratum.ge(&Some(3)),
        4 => columns.company_id.refers_to(columns.kind.eq(&ContactKind::Company)),
        _ => Invoice::COLUMNS.contact_id.of_any(Invoice::COLUMNS.status.ne(&InvoiceStatus::Draft)),
    };
    let query = Query::new(filter).limit(u32::try_from(dice.roll(6) + 1).unwrap_or(1));
    match dice.roll(4) {
        0 => query.ascending(columns.name_key),
        1 => query.descending(columns.email_key),
        2 => query.ascending(columns.stratum).descending(columns.created_at),
        _ => query.with_archived(),
    }
}

fn invoice_filter(dice: &mut Dice) -> Query<Invoice> {
    let columns = Invoice::COLUMNS;
    let status = *dice.pick(InvoiceStatus::ALL).unwrap_or(&InvoiceStatus::Open);
    let filter = match dice.roll(4) {
        0 => columns.status.eq(&status),
        1 => columns.due_on.lt(&Some(date(dice))) | columns.number.is_null(),
        2 => columns.status.is_in(&[InvoiceStatus::Open, status]),
        _ => !(columns.contact_id.refers_to(Filter::<Contact>::search("a")) & columns.number.starts_with("INV")),
    };
    let query = Query::new(filter).limit(u32::try_from(dice.roll(6) + 1).unwrap_or(1));
    let column = [columns.total.index(), columns.due_on.index(), columns.number.index()];
    let direction = if dice.once_in(2) { Direction::Ascending } else { Direction::Descending };
    query.order(*dice.pick(&column).unwrap_or(&0), direction)
}

async fn list_step<E: Rules>(
    session: &Session<'_>,
    dice: &mut Dice,
    made: &mut Made,
    filter: fn(&mut Dice) -> Query<E>,
) -> String {
    let mut query = filter(dice);
    if dice.once_in(5) {
        // Another list's cursor is refused, or belongs to the same order.
        query = query.after(dice.pick(&made.cursors).cloned());
    }
    let mut out = format!("{}.list", E::TABLE.entity);
    for _ in 0..4 {
        match session.list(&query).await {
            Ok(page) => {
                page.items.iter().for_each(|item| {
                    let _ = write!(out, " {}", item.id);
                });
                let Some(next) = page.next else { break };
                made.cursors.push(next.clone());
                query = query.after(Some(next));
                out.push_str(" |");
            }
            Err(error) => return format!("{out} {}: {error}", error.code().as_str()),
        }
    }
    match session.count(&query).await {
        Ok(count) => format!("{out} of {count}"),
        Err(error) => format!("{out} {error}"),
    }
}

/// Appends every row that the organization has, the sealed audit included.
async fn dump(session: &Session<'_>, out: &mut String) -> Result<(), CrmError> {
    let mut seal = ChangeSet::new(session.context().stamp("audit_entry.seal"));
    seal.seal = Some(Seal { limit: 1_000_000 });
    session.store().apply(session.scope(), seal).await?;
    for table in TABLES.iter().filter(|table| table.tenancy == Tenancy::Organization) {
        for row in session.store().select(session.scope(), &Select::new(table, Expr::True)).await? {
            let _ = writeln!(out, "{} {}", table.entity, encode_row(table, &row));
        }
    }
    let verified = crate::audit::verify(session.store(), session.scope(), None).await?;
    let _ = writeln!(out, "verified {} {} {:?}", verified.entries, verified.records, verified.findings);
    Ok(())
}
