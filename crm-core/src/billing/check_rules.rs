//! What must hold of a document and the rows that refer to it.

use std::collections::{BTreeMap, HashSet};

use uuid::Uuid;

use super::check::BookFinding;
use super::{
    Allocation, AllocationSource, CreditNote, CreditNoteLine, Invoice, InvoiceLine, InvoiceStatus, Payment, Refund,
};
use crate::entity::{Entity, Minor, Stored};
use crate::id::Id;
use crate::people::Contact;
use crate::value::{Currency, Date, Decimal6};

/// What was found so far.
#[derive(Default)]
pub(super) struct Findings(Vec<BookFinding>);

/// What refers to an invoice.
pub(super) struct InvoiceRows<'a> {
    pub(super) lines: Vec<Stored<InvoiceLine>>,
    pub(super) rows: Vec<Stored<Allocation>>,
    pub(super) notes: Vec<Stored<CreditNote>>,
    pub(super) note_lines: Vec<Stored<CreditNoteLine>>,
    /// Which payments were reversed, among those of which something was taken back.
    pub(super) reversed: &'a HashSet<Uuid>,
}

/// What refers to a payment.
pub(super) struct PaymentRows {
    pub(super) rows: Vec<Stored<Allocation>>,
    pub(super) refunds: Vec<Stored<Refund>>,
}

/// What refers to a credit note.
pub(super) struct NoteRows {
    pub(super) lines: Vec<Stored<CreditNoteLine>>,
    pub(super) rows: Vec<Stored<Allocation>>,
    pub(super) refunds: Vec<Stored<Refund>>,
}

/// A sum that cannot overflow: of so many rows that there are not as many.
fn sum(amounts: impl IntoIterator<Item = Minor>) -> i128 {
    amounts.into_iter().map(|amount| i128::from(amount.0)).sum()
}

fn applied(rows: &[Stored<Allocation>], which: impl Fn(AllocationSource) -> bool) -> i128 {
    sum(rows.iter().filter(|row| which(row.source)).map(|row| row.amount))
}

impl Findings {
    pub(super) fn into_findings(self) -> Vec<BookFinding> {
        self.0
    }

    pub(super) fn find<E: Entity>(&mut self, entity: &'static str, id: Id<E>, problem: impl Into<String>) {
        self.0.push(BookFinding { entity, id: id.uuid(), problem: problem.into() });
    }

    /// Something that must hold of a record.
    fn require<E: Entity>(&mut self, record: &Stored<E>, holds: bool, problem: impl FnOnce() -> String) {
        if !holds {
            self.find(E::TABLE.entity, record.id, problem());
        }
    }

    /// A figure that must be what its rows add up to.
    fn equal<E: Entity>(&mut self, record: &Stored<E>, what: &str, is: Minor, should: i128) {
        self.require(record, i128::from(is.0) == should, || format!("{what} is {}, it should be {should}", is.0));
    }

    /// A row must be in the currency of what it refers to, and of the same contact.
    fn same<E: Entity, T: Entity>(
        &mut self,
        row: &Stored<E>,
        (contact, currency): (Id<Contact>, Currency),
        of: &Stored<T>,
        (owner, expected): (Id<Contact>, Currency),
    ) {
        let other = T::TABLE.entity;
        self.require(row, currency == expected, || format!("it is in {currency}, {other} {} in {expected}", of.id));
        self.require(row, contact == owner, || format!("it is of another contact than {other} {}", of.id));
    }

    /// A row must not be of a day before that of what it refers to.
    fn not_before<E: Entity>(&mut self, row: &Stored<E>, on: Date, earliest: Option<Date>) {
        let early = earliest.is_some_and(|earliest| on < earliest);
        self.require(row, !early, || format!("its day {on} is before that of what it refers to"));
    }

    pub(super) fn invoice(&mut self, invoice: &Stored<Invoice>, of: &InvoiceRows<'_>) {
        let party = (invoice.contact_id, invoice.currency);
        self.equal(invoice, "subtotal", invoice.subtotal, sum(of.lines.iter().map(|line| line.net)));
        self.equal(invoice, "tax", invoice.tax, sum(of.lines.iter().map(|line| line.tax)));
        self.equal(invoice, "total", invoice.total, sum([invoice.subtotal, invoice.tax]));
        for line in &of.lines {
            self.same(line, (invoice.contact_id, line.currency), invoice, party);
        }
        let paid = applied(&of.rows, |source| source != AllocationSource::Offset);
        let offset = applied(&of.rows, |source| source == AllocationSource::Offset);
        self.equal(invoice, "paid", invoice.paid, paid);
        self.equal(invoice, "offset", invoice.offset, offset);
        self.equal(invoice, "credited", invoice.credited, sum(of.notes.iter().map(|note| note.total)));
        let last = of.rows.iter().map(|row| row.applied_on).max();
        self.require(invoice, invoice.applied_on == last, || {
            format!("applied_on is {:?}, the latest of its rows is {last:?}", invoice.applied_on)
        });
        let taken_back = of.rows.iter().filter(|row| row.undoes.is_some()).map(|row| row.applied_on).max();
        self.require(invoice, invoice.reopened_on == taken_back, || {
            format!("reopened_on is {:?}, the latest of what was taken back is {taken_back:?}", invoice.reopened_on)
        });
        for row in &of.rows {
            self.same(row, (row.contact_id, row.currency), invoice, party);
            self.not_before(row, row.applied_on, invoice.issued_on);
            self.allocation(row, &of.rows);
            // On the day itself it may have come before or after.
            let given_up = match invoice.written_off_on {
                Some(day) if row.written_off => day <= row.applied_on,
                Some(day) => row.applied_on <= day,
                None => !row.written_off,
            };
            self.require(row, given_up, || "whether its invoice was given up contradicts the days of both".to_owned());
        }
        for note in &of.notes {
            self.same(note, (note.contact_id, note.currency), invoice, party);
            self.not_before(note, note.issued_on, invoice.issued_on);
        }
        self.limits(invoice, of);
        if invoice.status == InvoiceStatus::Draft {
            self.require(invoice, of.rows.is_empty() && of.notes.is_empty(), || {
                "something was applied to a draft, or credited of it".to_owned()
            });
            self.require(invoice, invoice.number.is_none(), || "a draft has a number".to_owned());
            return;
        }
        self.require(invoice, invoice.number.is_some(), || "it was issued without a number".to_owned());
        let standing = invoice.value.clone().standing();
        self.require(invoice, invoice.status == standing.status, || {
            format!("it is {}, by its sums and days {}", invoice.status, standing.status)
        });
        self.require(invoice, invoice.settled_on == standing.settled_on, || {
            format!("settled_on is {:?}, by its sums and days {:?}", invoice.settled_on, standing.settled_on)
        });
        let untouched = invoice.paid == Minor(0) && invoice.credited == Minor(0);
        self.require(invoice, invoice.voided_on.is_none() || untouched, || {
            "it is void, although something was paid or credited".to_owned()
        });
        self.require(invoice, invoice.due_on >= invoice.issued_on, || "it was due before it was issued".to_owned());
    }

    /// What may be applied to an invoice and credited of it.
    fn limits(&mut self, invoice: &Stored<Invoice>, of: &InvoiceRows<'_>) {
        let (paid, offset) = (i128::from(invoice.paid.0), i128::from(invoice.offset.0));
        let (credited, total) = (i128::from(invoice.credited.0), i128::from(invoice.total.0));
        self.require(invoice, paid >= 0 && offset >= 0, || {
            format!("less than nothing is paid or offset: {paid}, {offset}")
        });
        self.require(invoice, paid + offset <= total, || {
            format!("{paid} paid and {offset} offset are more than its total {total}")
        });
        self.require(invoice, credited <= total, || format!("{credited} credited is more than its total {total}"));
        // A payment that bounces is a fact, even if it was given back meanwhile.
        let bounced = of.rows.iter().filter(|row| row.undoes.is_some());
        let bounced = bounced.filter(|row| row.payment_id.is_some_and(|id| of.reversed.contains(&id.uuid())));
        let received = paid - sum(bounced.map(|row| row.amount));
        self.require(invoice, credited - offset <= received, || {
            format!("{} was refunded and kept, only {received} was paid", credited - offset)
        });
        let mut left: BTreeMap<Decimal6, i128> = BTreeMap::new();
        for line in &of.lines {
            *left.entry(line.tax_percent).or_default() += i128::from(line.net.0);
        }
        for line in &of.note_lines {
            *left.entry(line.tax_percent).or_default() -= i128::from(line.net.0);
        }
        for (percent, left) in left {
            self.require(invoice, left >= 0, || format!("{} more is credited at {percent} % than was billed", -left));
        }
    }

    /// An allocation among those of its invoice.
    fn allocation(&mut self, row: &Stored<Allocation>, others: &[Stored<Allocation>]) {
        let of = match row.source {
            AllocationSource::Payment => row.payment_id.is_some() && row.credit_note_id.is_none(),
            AllocationSource::Credit | AllocationSource::Offset => {
                row.payment_id.is_none() && row.credit_note_id.is_some()
            }
        };
        self.require(row, of, || format!("its source is {}, and it refers to something else", row.source));
        let Some(undoes) = row.undoes else {
            self.require(row, row.amount.0 > 0, || format!("it applies {}", row.amount.0));
            // What takes the place of something waits for the day on which that was taken back.
            let waited = others.iter().any(|other| other.undoes.is_some() && other.applied_on == row.applied_on);
            let restated = row.restated_on == row.applied_on || (waited && row.restated_on < row.applied_on);
            self.require(row, restated, || "it is restated, undoes nothing and takes nothing's place".to_owned());
            return;
        };
        let undone = others.iter().find(|other| other.id == undoes);
        let holds = undone.is_some_and(|undone| {
            undone.undoes.is_none()
                && undone.amount.0 == -row.amount.0
                && undone.restated_on == row.restated_on
                && undone.applied_on <= row.applied_on
                && (undone.source, undone.payment_id, undone.credit_note_id)
                    == (row.source, row.payment_id, row.credit_note_id)
        });
        self.require(row, holds, || format!("it does not undo allocation {undoes} as that stands"));
    }

    pub(super) fn payment(&mut self, payment: &Stored<Payment>, of: &PaymentRows) {
        let party = (payment.contact_id, payment.currency);
        let applied = sum(of.rows.iter().map(|row| row.amount));
        let refunded = sum(of.refunds.iter().map(|refund| refund.amount));
        let stands = if payment.reversed_on.is_some() { 0 } else { i128::from(payment.amount.0) };
        self.equal(payment, "refunded", payment.refunded, refunded);
        self.equal(payment, "unapplied", payment.unapplied, stands - applied - refunded);
        self.require(payment, payment.amount.0 > 0, || format!("{} was received", payment.amount.0));
        self.require(payment, payment.reversed_on.is_some() || payment.unapplied.0 >= 0, || {
            format!("{applied} applied and {refunded} refunded are more than its amount {}", payment.amount.0)
        });
        self.require(payment, payment.reversed_on.is_none() || applied == 0, || {
            format!("it is reversed, and {applied} of it is applied")
        });
        for row in &of.rows {
            self.same(row, (row.contact_id, row.currency), payment, party);
            self.not_before(row, row.applied_on, Some(payment.received_on));
        }
        for refund in &of.refunds {
            self.refund(refund, payment, party, payment.received_on);
        }
    }

    pub(super) fn note(&mut self, note: &Stored<CreditNote>, of: &NoteRows) {
        let party = (note.contact_id, note.currency);
        self.equal(note, "subtotal", note.subtotal, sum(of.lines.iter().map(|line| line.net)));
        self.equal(note, "tax", note.tax, sum(of.lines.iter().map(|line| line.tax)));
        self.equal(note, "total", note.total, sum([note.subtotal, note.tax]));
        self.equal(
            note,
            "total of refund, credit and offset",
            note.total,
            sum([note.refund, note.credit, note.offset]),
        );
        let parts = [note.refund, note.credit, note.offset].iter().all(|part| part.0 >= 0);
        self.require(note, parts && note.total.0 > 0, || "it or a part of it is less than nothing".to_owned());
        self.require(note, note.number.is_some(), || "it was issued without a number".to_owned());
        let offset = applied(&of.rows, |source| source == AllocationSource::Offset);
        let kept = applied(&of.rows, |source| source != AllocationSource::Offset);
        let refunded = sum(of.refunds.iter().map(|refund| refund.amount));
        self.equal(note, "offset", note.offset, offset);
        self.equal(note, "refunded", note.refunded, refunded - i128::from(note.refund.0));
        self.equal(note, "unapplied", note.unapplied, sum([note.credit]) - kept - i128::from(note.refunded.0));
        self.require(note, note.unapplied.0 >= 0, || format!("{kept} applied is more than it kept"));
        for line in &of.lines {
            self.same(line, (note.contact_id, line.currency), note, party);
        }
        for row in &of.rows {
            self.same(row, (row.contact_id, row.currency), note, party);
            self.not_before(row, row.applied_on, Some(note.issued_on));
        }
        for refund in &of.refunds {
            self.refund(refund, note, party, note.issued_on);
        }
    }

    fn refund<T: Entity>(
        &mut self,
        refund: &Stored<Refund>,
        of: &Stored<T>,
        party: (Id<Contact>, Currency),
        day: Date,
    ) {
        self.same(refund, (refund.contact_id, refund.currency), of, party);
        self.not_before(refund, refund.refunded_on, Some(day));
        self.require(refund, refund.amount.0 > 0, || format!("{} was paid back", refund.amount.0));
        self.require(refund, refund.payment_id.is_some() != refund.credit_note_id.is_some(), || {
            "it is of a payment and of a credit note".to_owned()
        });
    }
}
