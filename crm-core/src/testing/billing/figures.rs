//! What the model's reports say: every figure added up from what counted at the end of the day.

use std::collections::BTreeMap;

use super::books::{Applied, Books, Fund, totals};
use crate::billing::AllocationSource;
use crate::report::EntryKind;
use crate::value::{Currency, Date};

/// The figures of one currency, in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Figures {
    pub(super) invoices: i128,
    pub(super) billed: i128,
    pub(super) paid: i128,
    pub(super) offset: i128,
    pub(super) pending: i128,
    pub(super) overdue: i128,
    pub(super) uncollectible: i128,
    pub(super) void: i128,
    pub(super) credit: i128,
    /// What is pending, by how late it is.
    pub(super) buckets: [i128; 5],
}

/// One entry of a contact's account: the day, what it is, the document's number, the amount.
pub(super) type Entry = (Date, EntryKind, Option<String>, i128);

/// As of which day, and how corrections count.
#[derive(Clone, Copy, Debug)]
pub(super) struct AsOf {
    pub(super) day: Date,
    pub(super) restated: bool,
}

impl AsOf {
    fn counts(self, row: &Applied) -> bool {
        self.day >= if self.restated { row.restated_on } else { row.on }
    }

    /// Whether a correction of that day counts.
    fn corrected(self, on: Option<Date>) -> bool {
        on.is_some_and(|on| self.restated || on <= self.day)
    }

    fn sum<'a>(self, rows: impl Iterator<Item = &'a Applied>) -> i128 {
        rows.filter(|row| self.counts(row)).map(|row| row.amount).sum()
    }
}

impl Books {
    /// The figures of each currency, of one contact or of all.
    pub(super) fn figures(&self, as_of: AsOf, contact: Option<usize>) -> BTreeMap<Currency, Figures> {
        let mut found: BTreeMap<Currency, Figures> = BTreeMap::new();
        for (at, doc) in self.invoices.iter().enumerate() {
            let theirs = contact.is_none_or(|contact| contact == doc.contact);
            if theirs && doc.issued && doc.issued_on <= Some(as_of.day) {
                self.invoice_figures(as_of, at, found.entry(doc.currency).or_default());
            }
        }
        let payments = (0..self.payments.len()).map(Fund::Payment);
        for fund in payments.chain((0..self.notes.len()).map(Fund::Note)) {
            let (owner, currency, since) = self.party(fund);
            if contact.is_some_and(|contact| contact != owner) || since > as_of.day {
                continue;
            }
            let had = match fund {
                Fund::Payment(at) if as_of.corrected(self.payments[at].reversed_on) => 0,
                Fund::Payment(at) => self.payments[at].amount,
                Fund::Note(at) => self.notes[at].credit,
            };
            let rows = self.applied.iter().filter(|row| row.of == fund && row.source != AllocationSource::Offset);
            let refunds = self.refunds.iter().filter(|refund| refund.of == fund && !refund.at_once);
            let refunded: i128 = refunds.filter(|refund| refund.on <= as_of.day).map(|refund| refund.amount).sum();
            found.entry(currency).or_default().credit += had - as_of.sum(rows) - refunded;
        }
        found.retain(|_, figures| *figures != Figures::default());
        found
    }

    fn invoice_figures(&self, as_of: AsOf, at: usize, figures: &mut Figures) {
        let doc = &self.invoices[at];
        let total = self.total(at);
        if as_of.corrected(doc.voided_on) {
            figures.void += total;
            return;
        }
        let offset = as_of.sum(self.rows(at).filter(|row| row.source == AllocationSource::Offset));
        let paid = as_of.sum(self.rows(at)) - offset;
        let balance = total - paid - offset;
        figures.invoices += 1;
        figures.billed += total;
        figures.paid += paid;
        figures.offset += offset;
        if doc.written_off_on.is_some_and(|on| on <= as_of.day) {
            figures.uncollectible += balance;
            return;
        }
        figures.pending += balance;
        let late = doc.due_on.map_or(0, |due| (as_of.day - due).num_days());
        let bucket = match late {
            ..=0 => 0,
            1..=30 => 1,
            31..=60 => 2,
            61..=90 => 3,
            _ => 4,
        };
        figures.buckets[bucket] += balance;
        if bucket > 0 {
            figures.overdue += balance;
        }
    }

    /// A contact's account up to a day, by currency.
    pub(super) fn ledger(&self, as_of: AsOf, contact: usize) -> BTreeMap<Currency, Vec<Entry>> {
        let mut found: BTreeMap<Currency, Vec<Entry>> = BTreeMap::new();
        let mut add = |currency: Currency, on: Option<Date>, kind, number: Option<&str>, amount: i128| {
            let entry = on.filter(|on| *on <= as_of.day).map(|on| (on, kind, number.map(str::to_owned), amount));
            found.entry(currency).or_default().extend(entry);
        };
        for (at, doc) in self.invoices.iter().enumerate() {
            let stands = doc.issued && !(as_of.restated && doc.voided_on.is_some());
            if doc.contact != contact || !stands {
                continue;
            }
            let number = doc.number.as_deref();
            add(doc.currency, doc.issued_on, EntryKind::Sale, number, self.total(at));
            // Restated, what was taken back was never given.
            let rows = (0..self.applied.len()).filter(|row| self.applied[*row].invoice == at);
            let rows = rows.filter(|row| !as_of.restated || self.is_live(*row)).map(|row| &self.applied[row]);
            let (after, before): (Vec<&Applied>, Vec<&Applied>) = rows.partition(|row| row.written_off);
            let balance = self.total(at) - before.iter().map(|row| row.amount).sum::<i128>();
            add(doc.currency, doc.written_off_on, EntryKind::WriteOff, number, -balance);
            for row in after {
                add(doc.currency, Some(row.on), EntryKind::Recovery, number, row.amount);
            }
            if doc.written_off_on.is_none() {
                add(doc.currency, doc.voided_on, EntryKind::Void, number, -self.total(at));
            }
        }
        for payment in self.payments.iter().filter(|payment| payment.contact == contact) {
            if as_of.restated && payment.reversed_on.is_some() {
                continue;
            }
            add(payment.currency, Some(payment.received_on), EntryKind::Payment, None, -payment.amount);
            add(payment.currency, payment.reversed_on, EntryKind::Reversal, None, payment.amount);
        }
        for note in self.notes.iter().filter(|note| self.invoices[note.invoice].contact == contact) {
            let [_, _, total] = totals(&note.lines);
            let currency = self.invoices[note.invoice].currency;
            add(currency, Some(note.issued_on), EntryKind::CreditNote, Some(&note.number), -total);
        }
        for refund in &self.refunds {
            let (owner, currency, _) = self.party(refund.of);
            if owner == contact {
                add(currency, Some(refund.on), EntryKind::Refund, None, refund.amount);
            }
        }
        found.retain(|_, entries| !entries.is_empty());
        for entries in found.values_mut() {
            entries.sort();
        }
        found
    }
}
