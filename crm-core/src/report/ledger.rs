//! What happened on a contact's account, one entry for each event.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::Serialize;

use super::{AsOf, Period, currency_of};
use crate::billing::{Allocation, CreditNote, Invoice, InvoiceStatus, Payment, Refund};
use crate::crm::Session;
use crate::entity::{Col, Entity, Minor, Stored};
use crate::error::CrmError;
use crate::id::Id;
use crate::people::Contact;
use crate::store::{Aggregate, Expr, Filter, Group, Measure, Operand, Select, StoreExt as _, Totals};
use crate::value::{Currency, Date, Money};

crate::choice! {
    /// What an entry of a contact's account is. Within a day they come in this order, sales first, so that a balance is
    /// not a credit for a moment only.
    pub enum EntryKind {
        /// An invoice was issued.
        Sale = "sale",
        /// An invoice was withdrawn.
        Void = "void",
        /// An invoice was given up: nothing more is expected.
        WriteOff = "write_off",
        /// Something was paid on an invoice that was given up, or lost again.
        Recovery = "recovery",
        /// A payment was received.
        Payment = "payment",
        /// A payment was reversed.
        Reversal = "reversal",
        /// A credit note was issued.
        CreditNote = "credit_note",
        /// Money was paid back.
        Refund = "refund",
    }
}

/// One entry of a contact's account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// The civil date.
    pub on: Date,
    /// What it is.
    pub kind: EntryKind,
    /// The document's number, or the reference of a payment or refund.
    pub reference: Option<String>,
    /// What it adds to what is owed; payments take away.
    pub amount: Money,
    /// What is owed after it.
    pub balance: Money,
}

/// Something that happened, before its balance is known.
pub(super) struct Event {
    pub(super) currency: Currency,
    pub(super) on: Date,
    pub(super) kind: EntryKind,
    pub(super) reference: Option<String>,
    pub(super) amount: i64,
}

impl Event {
    /// Where it stands among the others.
    pub(super) fn place(&self) -> (Date, EntryKind, &Option<String>) {
        (self.on, self.kind, &self.reference)
    }
}

fn text(text: Option<&impl ToString>) -> Option<String> {
    text.map(ToString::to_string)
}

impl Session<'_> {
    /// What the contact owed at the end of a day, per currency: what was billed, less what was withdrawn or given up, less what
    /// was paid and credited, and what was paid back.
    pub(super) async fn balances(
        &self,
        contact: Id<Contact>,
        as_of: AsOf,
    ) -> Result<BTreeMap<Currency, i64>, CrmError> {
        let sum = |operand: Operand| Measure::Sum(operand);
        let invoices = Invoice::COLUMNS;
        let theirs = Expr::from(invoices.contact_id.eq(&contact)).and(as_of.issued());
        let theirs = if as_of.restated { theirs.and(invoices.status.ne(&InvoiceStatus::Void).into()) } else { theirs };
        // Nothing is left of an invoice that is settled but what was withdrawn or given up.
        let billed = Aggregate::new(Invoice::TABLE, theirs)
            .by(Group::Value(invoices.currency.operand()))
            .measure(sum(invoices.total.operand()))
            .measure_where(sum(invoices.balance.operand()), as_of.by(invoices.settled_on.operand()));
        let rows = Allocation::COLUMNS;
        let given_up = as_of.by(rows.invoice_id.via(invoices.settled_on));
        let recovered = Expr::from(rows.contact_id.eq(&contact)).and(as_of.later_on_issued()).and(given_up);
        let recovered = Aggregate::new(Allocation::TABLE, recovered)
            .by(Group::Value(rows.currency.operand()))
            .measure(sum(rows.amount.operand()));
        let payments = Payment::COLUMNS;
        let stood = payments.reversed_on.is_null().into_expr();
        let stood = if as_of.restated { stood } else { Expr::Or(vec![stood, as_of.still_stood()]) };
        let paid = Expr::from(payments.contact_id.eq(&contact)).and(as_of.received()).and(stood);
        let paid = Aggregate::new(Payment::TABLE, paid)
            .by(Group::Value(payments.currency.operand()))
            .measure(sum(payments.amount.operand()));
        let notes = CreditNote::COLUMNS;
        let credited = Expr::from(notes.contact_id.eq(&contact)).and(as_of.by(notes.issued_on.operand()));
        let credited = Aggregate::new(CreditNote::TABLE, credited)
            .by(Group::Value(notes.currency.operand()))
            .measure(sum(notes.total.operand()));
        let refunds = Refund::COLUMNS;
        let refunded = Expr::from(refunds.contact_id.eq(&contact)).and(as_of.by(refunds.refunded_on.operand()));
        let refunded = Aggregate::new(Refund::TABLE, refunded)
            .by(Group::Value(refunds.currency.operand()))
            .measure(sum(refunds.amount.operand()));
        let queries = [billed, recovered, paid, credited, refunded];
        let answers = self.store().aggregate(self.scope(), &queries).await?;
        let mut balances = BTreeMap::new();
        for (number, (query, rows)) in queries.iter().zip(&answers).enumerate() {
            for row in rows {
                let totals = Totals::new(query, row);
                let balance: &mut i64 = balances.entry(currency_of(totals.group(0))?).or_default();
                *balance += match number {
                    0 => totals.number(0) - totals.number(1),
                    4 => totals.number(0),
                    _ => -totals.number(0),
                };
            }
        }
        Ok(balances)
    }

    /// What happened in the period.
    pub(super) async fn events(&self, contact: Id<Contact>, period: Period) -> Result<Vec<Event>, CrmError> {
        let mut events = Vec::new();
        self.sales(contact, period, &mut events).await?;
        for payment in self
            .theirs(
                Payment::COLUMNS.contact_id,
                contact,
                &[Payment::COLUMNS.received_on.operand(), Payment::COLUMNS.reversed_on.operand()],
                period,
            )
            .await?
        {
            if period.restated && payment.reversed_on.is_some() {
                continue;
            }
            let mut event = |on, kind, amount| {
                let reference = text(payment.reference.as_ref());
                events.push(Event { currency: payment.currency, on, kind, reference, amount });
            };
            event(payment.received_on, EntryKind::Payment, -payment.amount.0);
            if let Some(on) = payment.reversed_on {
                event(on, EntryKind::Reversal, payment.amount.0);
            }
        }
        let issued_on = [CreditNote::COLUMNS.issued_on.operand()];
        for note in self.theirs(CreditNote::COLUMNS.contact_id, contact, &issued_on, period).await? {
            let reference = text(note.number.as_ref());
            let (currency, on, amount) = (note.currency, note.issued_on, -note.total.0);
            events.push(Event { currency, on, kind: EntryKind::CreditNote, reference, amount });
        }
        let refunded_on = [Refund::COLUMNS.refunded_on.operand()];
        for refund in self.theirs(Refund::COLUMNS.contact_id, contact, &refunded_on, period).await? {
            let reference = text(refund.reference.as_ref());
            let (currency, on, amount) = (refund.currency, refund.refunded_on, refund.amount.0);
            events.push(Event { currency, on, kind: EntryKind::Refund, reference, amount });
        }
        events.retain(|event| period.holds(event.on));
        Ok(events)
    }

    /// A contact's records with any of these days in the period.
    async fn theirs<E: Entity>(
        &self,
        owner: Col<E, Id<Contact>>,
        contact: Id<Contact>,
        days: &[Operand],
        period: Period,
    ) -> Result<Vec<Stored<E>>, CrmError> {
        let within = Filter::new(Expr::Or(days.iter().map(|day| period.within(day)).collect()));
        let query = Select::new(E::TABLE, (owner.eq(&contact) & within).into());
        Ok(self.store().all(self.scope(), &query).await?)
    }

    /// What happened to invoices.
    async fn sales(&self, contact: Id<Contact>, period: Period, events: &mut Vec<Event>) -> Result<(), CrmError> {
        let columns = Invoice::COLUMNS;
        let days = [columns.issued_on.operand(), columns.written_off_on.operand(), columns.voided_on.operand()];
        let mut invoices = self.theirs(columns.contact_id, contact, &days, period).await?;
        let rows = self.recoveries(contact, period.restated).await?;
        // What came in later, on invoices of which nothing else happened in the period.
        let known: HashSet<_> = invoices.iter().map(|invoice| invoice.id).collect();
        let others = rows.iter().filter(|row| period.holds(row.applied_on) && !known.contains(&row.invoice_id));
        let others: Vec<_> = others.map(|row| row.invoice_id.uuid()).collect();
        for row in self.store().fetch(self.scope(), Invoice::TABLE, &others).await? {
            invoices.push(Stored::from_row(row)?);
        }
        let mut recovered: HashMap<Id<Invoice>, Vec<&Stored<Allocation>>> = HashMap::new();
        for row in &rows {
            recovered.entry(row.invoice_id).or_default().push(row);
        }
        let billed = |invoice: &Stored<Invoice>| match invoice.status {
            InvoiceStatus::Draft => false,
            InvoiceStatus::Void => !period.restated,
            _ => true,
        };
        for invoice in invoices.iter().filter(|invoice| billed(invoice)) {
            let recovered = recovered.get(&invoice.id).map_or(&[][..], Vec::as_slice);
            let mut event = |on: Option<Date>, kind, Minor(amount): Minor| {
                let reference = text(invoice.number.as_ref());
                events.extend(on.map(|on| Event { currency: invoice.currency, on, kind, reference, amount }));
            };
            event(invoice.issued_on, EntryKind::Sale, invoice.total);
            // What was given up is what is open now, and what came in since.
            let since: i64 = recovered.iter().map(|row| row.amount.0).sum();
            event(invoice.written_off_on, EntryKind::WriteOff, Minor(-(invoice.balance().0 + since)));
            for row in recovered {
                event(Some(row.applied_on), EntryKind::Recovery, row.amount);
            }
            if invoice.written_off_on.is_none() {
                event(invoice.voided_on, EntryKind::Void, Minor(-invoice.total.0));
            }
        }
        Ok(())
    }

    /// What was applied to the contact's invoices that were given up, and taken back; restated, what was not taken back.
    async fn recoveries(&self, contact: Id<Contact>, restated: bool) -> Result<Vec<Stored<Allocation>>, CrmError> {
        let columns = Allocation::COLUMNS;
        let filter = columns.contact_id.eq(&contact) & columns.written_off.eq(&true);
        let mut rows: Vec<Stored<Allocation>> =
            self.store().all(self.scope(), &Select::new(Allocation::TABLE, filter.into())).await?;
        if restated {
            let undone: HashSet<_> = rows.iter().filter_map(|row| row.undoes).collect();
            rows.retain(|row| row.undoes.is_none() && !undone.contains(&row.id));
        }
        Ok(rows)
    }
}
