//! The printed invoice.

use serde::Serialize;

use super::{Buyer, Printable, Seller};
use crate::billing::{
    CreditNoteLine, DocumentKind, Invoice, InvoiceLine, InvoiceStatus, NumberSeries, Numbering, TaxRate, buyer, taxes,
};
use crate::crm::Session;
use crate::entity::Stored;
use crate::error::CrmError;
use crate::id::Id;
use crate::store::Query;
use crate::value::{Currency, Date, Decimal6, Money};

/// How many lines are printed at most: more than a document has.
pub(super) const LINES: u32 = 100_000;

crate::choice! {
    /// What is stamped on a document.
    pub enum Stamp {
        /// It was not issued.
        Draft = "draft",
        /// It was withdrawn.
        Void = "void",
        /// Nothing is due any more.
        Paid = "paid",
        /// It should have been paid.
        Overdue = "overdue",
    }
}

/// An invoice as it is printed. It is the same on every day but for what is paid, due and stamped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct InvoiceDocument {
    /// Who bills.
    pub seller: Seller,
    /// Who is billed, as known on issue; of a draft, as known now.
    pub buyer: Buyer,
    /// The number; drafts have none.
    pub number: Option<String>,
    /// Where it stands.
    pub status: InvoiceStatus,
    /// What is stamped on it.
    pub stamp: Option<Stamp>,
    /// The civil date on which it was printed.
    pub printed_on: Date,
    /// The civil date of issue.
    pub issued_on: Option<Date>,
    /// The civil date until which it is to be paid.
    pub due_on: Option<Date>,
    /// The currency of all amounts.
    pub currency: Currency,
    /// How many decimals amounts in it have.
    pub decimals: u32,
    /// What is billed.
    pub lines: Vec<PrintedLine>,
    /// Whether a line has a discount.
    pub discounted: bool,
    /// What is billed at each rate of tax.
    pub taxes: Vec<TaxRate>,
    /// The sum before tax.
    pub subtotal: Money,
    /// The sum of the taxes.
    pub tax: Money,
    /// What is billed.
    pub total: Money,
    /// What was paid.
    pub paid: Money,
    /// What credit notes took off what is due, if they did.
    pub offset: Option<Money>,
    /// What is to be paid: what is due, or was given up and can still be paid.
    pub due: Money,
    /// What else is to be said.
    pub notes: Option<String>,
    /// By whose authority the number was given.
    pub authorisation: Option<NumberAuthorisation>,
}

impl Printable for InvoiceDocument {
    const TEMPLATE: &'static str = "invoice.html";
}

/// A line as it is printed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PrintedLine {
    /// Its place, from 1.
    pub position: i64,
    /// What was sold.
    pub description: String,
    /// How much of it.
    pub quantity: Decimal6,
    /// The price of one unit before tax.
    pub unit_price: Decimal6,
    /// The discount in percent, if it was given as such.
    pub discount_percent: Option<Decimal6>,
    /// The discount, if there is one.
    pub discount: Option<Money>,
    /// The rate of tax, in percent.
    pub tax_percent: Decimal6,
    /// What it comes to before tax.
    pub net: Money,
    /// The tax on it.
    pub tax: Money,
}

impl From<&InvoiceLine> for PrintedLine {
    fn from(line: &InvoiceLine) -> Self {
        Self {
            position: line.position,
            description: line.description.to_string(),
            quantity: line.quantity,
            unit_price: line.unit_price,
            discount_percent: line.discount_percent,
            discount: (line.discount.0 != 0).then(|| line.money(line.discount)),
            tax_percent: line.tax_percent,
            net: line.money(line.net),
            tax: line.money(line.tax),
        }
    }
}

impl From<&CreditNoteLine> for PrintedLine {
    fn from(line: &CreditNoteLine) -> Self {
        Self {
            position: line.position,
            description: line.description.to_string(),
            quantity: line.quantity,
            unit_price: line.unit_price,
            discount_percent: line.discount_percent,
            discount: (line.discount.0 != 0).then(|| line.money(line.discount)),
            tax_percent: line.tax_percent,
            net: line.money(line.net),
            tax: line.money(line.tax),
        }
    }
}

/// What an authority allowed, as it is printed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NumberAuthorisation {
    /// The authority's reference.
    pub reference: String,
    /// The first number that is allowed.
    pub first: Option<i64>,
    /// The last number that is allowed.
    pub last: Option<i64>,
    /// The first civil date on which it holds.
    pub valid_from: Option<Date>,
    /// The last civil date on which it holds.
    pub valid_until: Option<Date>,
}

impl NumberAuthorisation {
    /// The authorisation of a series.
    pub(super) fn of(series: &NumberSeries) -> Option<Self> {
        let reference = series.authorisation.as_ref()?.to_string();
        let NumberSeries { first, last, valid_from, valid_until, .. } = *series;
        Some(Self { reference, first, last, valid_from, valid_until })
    }
}

impl Session<'_> {
    /// An invoice as it is printed today.
    ///
    /// # Errors
    /// [`CrmError::NotFound`] when there is none that the member may see.
    pub async fn invoice_document(&self, id: Id<Invoice>) -> Result<InvoiceDocument, CrmError> {
        let session = self.current().await?;
        let invoice = session.get(id).await?;
        let columns = InvoiceLine::COLUMNS;
        let query = Query::new(columns.invoice_id.eq(&id)).ascending(columns.position).limit(LINES);
        let lines = session.list(&query).await?.items;
        let buyer = match &invoice.buyer {
            Some(frozen) => Buyer::frozen(frozen),
            None => Buyer::frozen(&buyer(&session.get(invoice.contact_id).await?)),
        };
        let series = Numbering::of(&session, DocumentKind::Invoice).await?;
        let of_series = |series: &&Numbering| invoice.number.as_ref().is_some_and(|number| series.gives(number));
        let today = session.context().today();
        let rates = lines.iter().map(|line| (line.tax_percent, line.money(line.net), line.money(line.tax)));
        Ok(InvoiceDocument {
            seller: Seller::from(&session.organization().value),
            buyer,
            number: invoice.number.as_ref().map(ToString::to_string),
            status: invoice.status,
            stamp: stamp(&invoice, today),
            printed_on: today,
            issued_on: invoice.issued_on,
            due_on: invoice.due_on,
            currency: invoice.currency,
            decimals: invoice.currency.exponent(),
            taxes: taxes(rates).map_err(|reason| CrmError::invalid("lines", reason))?,
            discounted: lines.iter().any(|line| line.discount.0 != 0),
            lines: lines.iter().map(|line| PrintedLine::from(&line.value)).collect(),
            subtotal: invoice.money(invoice.subtotal),
            tax: invoice.money(invoice.tax),
            total: invoice.money(invoice.total),
            paid: invoice.money(invoice.paid),
            offset: (invoice.offset.0 != 0).then(|| invoice.money(invoice.offset)),
            due: invoice.money(invoice.receivable()),
            notes: invoice.notes.as_ref().map(ToString::to_string),
            authorisation: series.as_ref().filter(of_series).and_then(|series| NumberAuthorisation::of(series)),
        })
    }
}

fn stamp(invoice: &Stored<Invoice>, today: Date) -> Option<Stamp> {
    match invoice.status {
        InvoiceStatus::Draft => Some(Stamp::Draft),
        InvoiceStatus::Void => Some(Stamp::Void),
        InvoiceStatus::Paid => Some(Stamp::Paid),
        InvoiceStatus::Open if invoice.due_on.is_some_and(|due| due < today) => Some(Stamp::Overdue),
        InvoiceStatus::Open | InvoiceStatus::Uncollectible => None,
    }
}
