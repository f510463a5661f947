//! What a business bills and is paid.

mod allocate;
mod allocation;
mod apply;
mod check;
mod check_rules;
mod credit_note;
mod credit_note_commands;
mod credit_note_lines;
mod invoice;
mod invoice_commands;
mod line;
mod numbering;
mod payment;
mod prefix;
mod product;
mod refund;
mod reverse;
mod series;
mod warnings;

pub use allocate::{Allocate, AllocateCreditNote, AllocatePayment};
pub use allocation::{Allocation, AllocationColumns, AllocationSource};
pub use check::BookFinding;
pub use credit_note::{CreditNote, CreditNoteColumns, CreditNoteLine, CreditNoteLineColumns};
pub use credit_note_commands::{CreateCreditNote, Credited, Split};
pub use invoice::{INVOICE, Invoice, InvoiceColumns, InvoiceEvent, InvoiceStatus};
#[cfg(feature = "print")]
pub(crate) use invoice_commands::buyer;
pub use invoice_commands::{
    CreateInvoice, DeleteInvoice, IssueInvoice, UpdateInvoice, VoidInvoice, WriteOffInvoice, due_on, issue, totals,
};
pub use line::{Discount, InvoiceLine, InvoiceLineColumns, NewLine, TaxRate, taxes};
pub use numbering::Numbering;
pub(crate) use numbering::used_up;
pub use payment::{Method, Payment, PaymentColumns, RecordPayment};
pub use product::{Product, ProductColumns, ProductKind};
pub use refund::{RecordRefund, Refund, RefundColumns, RefundOf};
pub use reverse::{ReversePayment, UnallocateCreditNote, UnallocatePayment};
pub use series::{DocumentKind, NumberSeries, NumberSeriesColumns, SeriesReset, SeriesYear, SeriesYearColumns};
pub use warnings::{VALIDITY_DAYS, Warning};

use crate::value::{Currency, Date, Decimal6, Money};

/// A rule of billing that a command would break.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BillingError {
    /// The invoice's status does not allow it.
    #[error("invoice {invoice} is {status} and cannot be {event}")]
    Status {
        /// Which invoice, by number or id.
        invoice: String,
        /// Its status.
        status: InvoiceStatus,
        /// What was asked for.
        event: InvoiceEvent,
    },
    /// An invoice without lines cannot be issued.
    #[error("invoice {0} has no lines")]
    NoLines(String),
    /// Something was paid on the invoice.
    #[error("invoice {invoice} has {paid} paid on it")]
    Paid {
        /// Which invoice.
        invoice: String,
        /// How much.
        paid: Money,
    },
    /// More would be allocated to an invoice than is due on it.
    #[error("{asked} is more than the {due} due on invoice {invoice}")]
    MoreThanDue {
        /// Which invoice.
        invoice: String,
        /// How much was asked for.
        asked: Money,
        /// How much is due.
        due: Money,
    },
    /// More would be allocated than the payment has.
    #[error("{asked} is allocated of a payment of {amount}")]
    MoreThanPaid {
        /// How much is allocated.
        asked: Money,
        /// How much was paid.
        amount: Money,
    },
    /// The payment and the invoice are in different currencies.
    #[error("invoice {invoice} is in {expected}, the payment in {given}")]
    OtherCurrency {
        /// Which invoice.
        invoice: String,
        /// The invoice's currency.
        expected: Currency,
        /// The payment's currency.
        given: Currency,
    },
    /// The payment and the invoice are of different contacts.
    #[error("invoice {0} is of another contact")]
    OtherContact(String),
    /// Credit notes were made of the invoice.
    #[error("invoice {invoice} has {credited} credited of it")]
    Credited {
        /// Which invoice.
        invoice: String,
        /// How much.
        credited: Money,
    },
    /// More would be taken than a payment or a credit note has left.
    #[error("{asked} is more than the {rest} that {document} has left")]
    MoreThanLeft {
        /// Which payment or credit note.
        document: String,
        /// How much was asked for.
        asked: Money,
        /// How much is left.
        rest: Money,
    },
    /// The payment was reversed.
    #[error("payment {payment} was reversed on {on}")]
    Reversed {
        /// Which payment.
        payment: String,
        /// When.
        on: Date,
    },
    /// The allocation is undone already, or undoes another.
    #[error("allocation {0} is undone already or undoes another")]
    Undone(String),
    /// The allocation is not of the kind of document that the command is for.
    #[error("allocation {allocation} comes from the {origin} of {document}")]
    OtherSource {
        /// Which allocation.
        allocation: String,
        /// Where its money comes from.
        origin: AllocationSource,
        /// Of which payment or credit note.
        document: String,
    },
    /// Credit notes gave back what was paid: it cannot be taken off the invoice.
    #[error(
        "{given_back} of the {paid} paid on invoice {invoice} was given back by credit notes: {asked} cannot be taken off it"
    )]
    GivenBack {
        /// Which invoice.
        invoice: String,
        /// How much is paid on it.
        paid: Money,
        /// How much credit notes refunded or kept of that.
        given_back: Money,
        /// How much was asked for.
        asked: Money,
    },
    /// Everything on the invoice is credited.
    #[error("invoice {0} is credited in full")]
    NothingToCredit(String),
    /// More would be credited than is left of the invoice.
    #[error("{asked} is more than the {left} of invoice {invoice} that is not credited yet")]
    MoreThanBilled {
        /// Which invoice.
        invoice: String,
        /// How much was asked for.
        asked: Money,
        /// How much is left.
        left: Money,
    },
    /// More would be credited at a rate of tax than is left of what was billed at it.
    #[error("{asked} before {percent} % tax is more than the {left} of invoice {invoice} that is not credited yet")]
    MoreThanBilledAt {
        /// Which invoice.
        invoice: String,
        /// The rate of tax, in percent.
        percent: Decimal6,
        /// How much was asked for, before tax.
        asked: Money,
        /// How much is left, before tax.
        left: Money,
    },
    /// More would be refunded or kept as credit than was paid and not given back.
    #[error("{asked} is more than the {left} paid on invoice {invoice} and not given back yet")]
    MoreThanReceived {
        /// Which invoice.
        invoice: String,
        /// How much would be refunded and kept.
        asked: Money,
        /// How much was paid and not given back.
        left: Money,
    },
    /// The parts of a credit note do not add up to it.
    #[error("refund, credit and offset add up to {parts}, the credit note to {total}")]
    Split {
        /// The sum of the parts.
        parts: Money,
        /// The note's total.
        total: Money,
    },
    /// The organization has no series to take a number from.
    #[error("the organization has no number series for documents of kind {0}")]
    NoSeries(DocumentKind),
    // Series.
    /// The series gave every number of its range.
    #[error("the number series for documents of kind {kind} has no number left between {first} and {last}")]
    NoNumberLeft {
        /// What the series numbers.
        kind: DocumentKind,
        /// The first number of its range.
        first: i64,
        /// The last number of its range.
        last: i64,
    },
    /// The series may not be used on the day.
    #[error("the number series for documents of kind {kind} is valid {validity}, not on {on}")]
    SeriesValidity {
        /// What the series numbers.
        kind: DocumentKind,
        /// The document's civil date.
        on: Date,
        /// When the series may be used.
        validity: Validity,
    },
}

/// The civil dates from one to another, both included, as far as there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// The first day.
    pub from: Option<Date>,
    /// The last day.
    pub until: Option<Date>,
}

impl Validity {
    /// Whether the day is one of them.
    pub fn contains(self, day: Date) -> bool {
        self.from.is_none_or(|from| from <= day) && self.until.is_none_or(|until| day <= until)
    }
}

impl std::fmt::Display for Validity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.from, self.until) {
            (Some(from), Some(until)) => write!(f, "from {from} until {until}"),
            (Some(from), None) => write!(f, "from {from} on"),
            (None, Some(until)) => write!(f, "until {until}"),
            (None, None) => f.write_str("always"),
        }
    }
}
