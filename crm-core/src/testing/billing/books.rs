//! The model's books: documents with dates, and a list of what was applied and taken back. Nothing is summed up before it is
//! asked for.

use std::collections::BTreeMap;

use super::act::Act;
use super::amounts::Line;
use crate::billing::{AllocationSource, InvoiceStatus};
use crate::value::{Currency, Date};

/// An invoice.
#[derive(Clone, Debug)]
pub(super) struct InvoiceDoc {
    pub(super) contact: usize,
    pub(super) currency: Currency,
    pub(super) lines: Vec<Line>,
    pub(super) number: Option<String>,
    /// Whether it was issued; its days are plans before.
    pub(super) issued: bool,
    pub(super) issued_on: Option<Date>,
    pub(super) due_on: Option<Date>,
    pub(super) written_off_on: Option<Date>,
    pub(super) voided_on: Option<Date>,
    pub(super) deleted: bool,
}

/// A payment.
#[derive(Clone, Debug)]
pub(super) struct PaymentDoc {
    pub(super) contact: usize,
    pub(super) currency: Currency,
    pub(super) amount: i128,
    pub(super) received_on: Date,
    pub(super) reversed_on: Option<Date>,
}

/// A credit note.
#[derive(Clone, Debug)]
pub(super) struct NoteDoc {
    pub(super) invoice: usize,
    pub(super) number: String,
    pub(super) issued_on: Date,
    pub(super) lines: Vec<Line>,
    pub(super) refund: i128,
    pub(super) credit: i128,
    pub(super) offset: i128,
}

/// Whose money is applied or paid back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fund {
    Payment(usize),
    Note(usize),
}

/// Money paid back.
#[derive(Clone, Debug)]
pub(super) struct RefundDoc {
    pub(super) of: Fund,
    pub(super) amount: i128,
    pub(super) on: Date,
    /// Whether a credit note paid it back at its issue.
    pub(super) at_once: bool,
}

/// Something applied to an invoice, or taken back.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Applied {
    pub(super) of: Fund,
    pub(super) source: AllocationSource,
    pub(super) invoice: usize,
    pub(super) amount: i128,
    pub(super) on: Date,
    pub(super) restated_on: Date,
    pub(super) undoes: Option<usize>,
    pub(super) written_off: bool,
}

/// Everything.
#[derive(Debug, Default)]
pub(super) struct Books {
    pub(super) invoices: Vec<InvoiceDoc>,
    pub(super) payments: Vec<PaymentDoc>,
    pub(super) notes: Vec<NoteDoc>,
    pub(super) refunds: Vec<RefundDoc>,
    pub(super) applied: Vec<Applied>,
    /// How many numbers the series of invoices gave out.
    pub(super) numbered: usize,
    /// What was carried out under which key.
    pub(super) keys: BTreeMap<u64, Act>,
}

/// The sum before tax, the taxes, and both.
pub(super) fn totals(lines: &[Line]) -> [i128; 3] {
    let (net, tax): (i128, i128) = (lines.iter().map(|l| l.net).sum(), lines.iter().map(|l| l.tax).sum());
    [net, tax, net + tax]
}

impl Books {
    pub(super) fn total(&self, invoice: usize) -> i128 {
        totals(&self.invoices[invoice].lines)[2]
    }

    pub(super) fn rows(&self, invoice: usize) -> impl Iterator<Item = &Applied> {
        self.applied.iter().filter(move |row| row.invoice == invoice)
    }

    /// What was paid on an invoice, and what was taken off it.
    pub(super) fn paid_and_offset(&self, invoice: usize) -> (i128, i128) {
        let (offset, paid): (Vec<&Applied>, _) =
            self.rows(invoice).partition(|row| row.source == AllocationSource::Offset);
        let sum = |rows: Vec<&Applied>| rows.iter().map(|row| row.amount).sum();
        (sum(paid), sum(offset))
    }

    pub(super) fn notes_of(&self, invoice: usize) -> impl Iterator<Item = &NoteDoc> {
        self.notes.iter().filter(move |note| note.invoice == invoice)
    }

    pub(super) fn credited(&self, invoice: usize) -> i128 {
        self.notes_of(invoice).map(|note| totals(&note.lines)[2]).sum()
    }

    /// What credit notes gave back of what was paid.
    pub(super) fn given_back(&self, invoice: usize) -> i128 {
        self.notes_of(invoice).map(|note| note.refund + note.credit).sum()
    }

    pub(super) fn balance(&self, invoice: usize) -> i128 {
        let (paid, offset) = self.paid_and_offset(invoice);
        self.total(invoice) - paid - offset
    }

    pub(super) fn status(&self, invoice: usize) -> InvoiceStatus {
        let doc = &self.invoices[invoice];
        match (doc.issued, self.balance(invoice), doc.written_off_on, doc.voided_on) {
            (false, ..) => InvoiceStatus::Draft,
            (_, _, _, Some(_)) => InvoiceStatus::Void,
            (_, 0, ..) => InvoiceStatus::Paid,
            (_, _, Some(_), _) => InvoiceStatus::Uncollectible,
            _ => InvoiceStatus::Open,
        }
    }

    /// The latest day of anything applied to an invoice or taken back.
    pub(super) fn applied_on(&self, invoice: usize) -> Option<Date> {
        self.rows(invoice).map(|row| row.on).max()
    }

    /// The latest day on which something was taken back of what was applied to an invoice: what takes its place counts
    /// from then on.
    pub(super) fn reopened_on(&self, invoice: usize) -> Date {
        self.rows(invoice).filter(|row| row.undoes.is_some()).map(|row| row.on).max().unwrap_or(Date::MIN)
    }

    /// The latest day on which something was taken back of what a payment or credit note was applied to.
    pub(super) fn taken_back_of(&self, fund: Fund) -> Date {
        let theirs = self.applied.iter().filter(|row| row.of == fund && row.undoes.is_some());
        theirs.map(|row| row.on).max().unwrap_or(Date::MIN)
    }

    /// From which day nothing is due.
    pub(super) fn settled_on(&self, invoice: usize) -> Option<Date> {
        let doc = &self.invoices[invoice];
        match self.status(invoice) {
            InvoiceStatus::Draft | InvoiceStatus::Open => None,
            InvoiceStatus::Uncollectible => doc.written_off_on,
            InvoiceStatus::Void => doc.written_off_on.or(doc.voided_on),
            InvoiceStatus::Paid => doc.written_off_on.or(self.applied_on(invoice)).or(doc.issued_on),
        }
    }

    /// The first day on which something may be done to an issued invoice.
    pub(super) fn earliest(&self, invoice: usize) -> Date {
        let doc = &self.invoices[invoice];
        doc.issued_on.into_iter().chain(doc.written_off_on).max().unwrap_or(Date::MIN)
    }

    /// Whose a payment or credit note is, in which currency, and from which day.
    pub(super) fn party(&self, fund: Fund) -> (usize, Currency, Date) {
        match fund {
            Fund::Payment(at) => {
                let payment = &self.payments[at];
                (payment.contact, payment.currency, payment.received_on)
            }
            Fund::Note(at) => {
                let note = &self.notes[at];
                let invoice = &self.invoices[note.invoice];
                (invoice.contact, invoice.currency, note.issued_on)
            }
        }
    }

    /// What of a payment, or of the credit that a note kept, was paid back later.
    pub(super) fn refunded(&self, fund: Fund) -> i128 {
        self.refunds.iter().filter(|refund| refund.of == fund && !refund.at_once).map(|refund| refund.amount).sum()
    }

    /// What of a payment, or of the credit that a note kept, is left.
    pub(super) fn unapplied(&self, fund: Fund) -> i128 {
        let had = match fund {
            Fund::Payment(at) => match &self.payments[at] {
                payment if payment.reversed_on.is_some() => 0,
                payment => payment.amount,
            },
            Fund::Note(at) => self.notes[at].credit,
        };
        let rows = self.applied.iter().filter(|row| row.of == fund && row.source != AllocationSource::Offset);
        had - rows.map(|row| row.amount).sum::<i128>() - self.refunded(fund)
    }

    pub(super) fn is_reversed(&self, fund: Fund) -> bool {
        matches!(fund, Fund::Payment(at) if self.payments[at].reversed_on.is_some())
    }

    /// Whether a row undoes nothing and was not undone.
    pub(super) fn is_live(&self, row: usize) -> bool {
        self.applied[row].undoes.is_none() && self.applied.iter().all(|other| other.undoes != Some(row))
    }

    /// The open invoices of a contact in a currency, the earliest due first.
    pub(super) fn oldest(&self, contact: usize, currency: Currency) -> Vec<usize> {
        let mut open: Vec<usize> = (0..self.invoices.len())
            .filter(|at| (self.invoices[*at].contact, self.invoices[*at].currency) == (contact, currency))
            .filter(|at| self.status(*at) == InvoiceStatus::Open)
            .collect();
        open.sort_by_key(|at| (self.invoices[*at].due_on, *at));
        open
    }
}
