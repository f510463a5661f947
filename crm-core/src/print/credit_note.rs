//! The printed credit note.

use serde::Serialize;

use super::invoice::{LINES, NumberAuthorisation, PrintedLine};
use super::{Buyer, Printable, Seller};
use crate::billing::{CreditNote, CreditNoteLine, DocumentKind, Numbering, TaxRate, buyer, taxes};
use crate::crm::Session;
use crate::error::CrmError;
use crate::id::Id;
use crate::store::Query;
use crate::value::{Currency, Date, Money};

/// A credit note as it is printed: the same on every day, but for the day itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CreditNoteDocument {
    /// Who credits.
    pub seller: Seller,
    /// Who is credited, as the invoice names them.
    pub buyer: Buyer,
    /// The number.
    pub number: Option<String>,
    /// The number of the invoice that is credited.
    pub invoice: Option<String>,
    /// The civil date of that invoice.
    pub invoice_issued_on: Option<Date>,
    /// The civil date on which it was printed.
    pub printed_on: Date,
    /// The civil date of issue.
    pub issued_on: Date,
    /// Why it was issued.
    pub reason: String,
    /// The currency of all amounts.
    pub currency: Currency,
    /// How many decimals amounts in it have.
    pub decimals: u32,
    /// What is credited.
    pub lines: Vec<PrintedLine>,
    /// Whether a line has a discount.
    pub discounted: bool,
    /// What is credited at each rate of tax.
    pub taxes: Vec<TaxRate>,
    /// The sum before tax.
    pub subtotal: Money,
    /// The sum of the taxes.
    pub tax: Money,
    /// What is credited: refund, credit and offset.
    pub total: Money,
    /// What of it was paid back at once.
    pub refund: Money,
    /// What of it was kept as the buyer's credit.
    pub credit: Money,
    /// What of it was taken off what was due on the invoice.
    pub offset: Money,
    /// What else is to be said.
    pub notes: Option<String>,
    /// By whose authority the number was given.
    pub authorisation: Option<NumberAuthorisation>,
}

impl Printable for CreditNoteDocument {
    const TEMPLATE: &'static str = "credit_note.html";
}

impl Session<'_> {
    /// A credit note as it is printed today.
    ///
    /// # Errors
    /// [`CrmError::NotFound`] when there is none that the member may see.
    pub async fn credit_note_document(&self, id: Id<CreditNote>) -> Result<CreditNoteDocument, CrmError> {
        let session = self.current().await?;
        let note = session.get(id).await?;
        let invoice = session.get(note.invoice_id).await?;
        let columns = CreditNoteLine::COLUMNS;
        let query = Query::new(columns.credit_note_id.eq(&id)).ascending(columns.position).limit(LINES);
        let lines = session.list(&query).await?.items;
        let buyer = match &note.buyer {
            Some(frozen) => Buyer::frozen(frozen),
            None => Buyer::frozen(&buyer(&session.get(note.contact_id).await?)),
        };
        let series = Numbering::of(&session, DocumentKind::CreditNote).await?;
        let of_series = |series: &&Numbering| note.number.as_ref().is_some_and(|number| series.gives(number));
        let rates = lines.iter().map(|line| (line.tax_percent, line.money(line.net), line.money(line.tax)));
        Ok(CreditNoteDocument {
            seller: Seller::from(&session.organization().value),
            buyer,
            number: note.number.as_ref().map(ToString::to_string),
            invoice: invoice.number.as_ref().map(ToString::to_string),
            invoice_issued_on: invoice.issued_on,
            printed_on: session.context().today(),
            issued_on: note.issued_on,
            reason: note.reason.to_string(),
            currency: note.currency,
            decimals: note.currency.exponent(),
            taxes: taxes(rates).map_err(|reason| CrmError::invalid("lines", reason))?,
            discounted: lines.iter().any(|line| line.discount.0 != 0),
            lines: lines.iter().map(|line| PrintedLine::from(&line.value)).collect(),
            subtotal: note.money(note.subtotal),
            tax: note.money(note.tax),
            total: note.money(note.total),
            refund: note.money(note.refund),
            credit: note.money(note.credit),
            offset: note.money(note.offset),
            notes: note.notes.as_ref().map(ToString::to_string),
            authorisation: series.as_ref().filter(of_series).and_then(|series| NumberAuthorisation::of(series)),
        })
    }
}
