//! R3, a contact's statement of account.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{AsOf, currency_of};
use crate::billing::{Invoice, InvoiceStatus, Payment};
use crate::crm::Session;
use crate::entity::{Entity as _, Stored};
use crate::error::CrmError;
use crate::id::Id;
use crate::people::Contact;
use crate::row::Value;
use crate::store::{Aggregate, Cmp, Expr, Group, Measure, Select, StoreExt as _, Totals};
use crate::value::{Currency, Date, Money, ValueError};

crate::choice! {
    /// What an entry of a statement is.
    pub enum EntryKind {
        /// An invoice was issued.
        Invoice = "invoice",
        /// An invoice was withdrawn.
        Void = "void",
        /// An invoice was given up.
        WriteOff = "write_off",
        /// A payment was received.
        Payment = "payment",
    }
}

/// R3: what a contact was billed and paid over a period, with the balances before and after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Statement {
    /// Whose.
    pub contact_id: Id<Contact>,
    /// The contact's name.
    pub contact: String,
    /// The first civil day.
    pub from: Date,
    /// The last civil day.
    pub to: Date,
    /// One part per currency, by its code.
    pub currencies: Vec<StatementCurrency>,
}

/// The part of a statement in one currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StatementCurrency {
    /// The currency.
    pub currency: Currency,
    /// What the contact owed before the first day; less than nothing is a credit.
    pub opening: Money,
    /// What happened, by date.
    pub entries: Vec<Entry>,
    /// What the contact owes after the last day.
    pub closing: Money,
}

/// One entry of a statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// The civil date.
    pub on: Date,
    /// What it is.
    pub kind: EntryKind,
    /// The invoice's number or the payment's reference.
    pub reference: Option<String>,
    /// What it adds to what is owed; payments take away.
    pub amount: Money,
    /// What is owed after it.
    pub balance: Money,
}

/// Something that happened, before its balance is known.
struct Event {
    currency: Currency,
    on: Date,
    kind: EntryKind,
    reference: Option<String>,
    amount: i64,
}

impl Event {
    fn place(&self) -> (Date, EntryKind, &Option<String>) {
        (self.on, self.kind, &self.reference)
    }
}

impl Session<'_> {
    /// R3: what a contact was billed and paid over a period.
    ///
    /// # Errors
    /// [`CrmError::NotFound`] when there is no such contact that the member may see;
    /// [`CrmError::Invalid`] when the period ends before it begins.
    pub async fn statement(&self, contact: Id<Contact>, from: Date, to: Date) -> Result<Statement, CrmError> {
        if to < from {
            return Err(CrmError::invalid("to", ValueError::Before { earliest: from, got: to }));
        }
        self.reported("statement")?;
        let contact = self.get(contact).await?;
        let opening = self.balances(contact.id, from.pred_opt().unwrap_or(from)).await?;
        let mut currencies: BTreeMap<Currency, (i64, Vec<Event>)> =
            opening.into_iter().map(|(currency, balance)| (currency, (balance, Vec::new()))).collect();
        for event in self.events(contact.id, from, to).await? {
            currencies.entry(event.currency).or_default().1.push(event);
        }
        let currencies = currencies
            .into_iter()
            .map(|(currency, (opening, mut entries))| {
                // Within a day invoices come first, so that a balance is not a credit for a moment only.
                entries.sort_by(|left, right| left.place().cmp(&right.place()));
                let mut balance = opening;
                let entries = entries.into_iter().map(|Event { on, kind, reference, amount, .. }| {
                    balance += amount;
                    let (amount, balance) = (Money::new(amount, currency), Money::new(balance, currency));
                    Entry { on, kind, reference, amount, balance }
                });
                let entries = entries.collect();
                let opening = Money::new(opening, currency);
                StatementCurrency { currency, opening, entries, closing: Money::new(balance, currency) }
            })
            .collect();
        Ok(Statement { contact_id: contact.id, contact: contact.display_name(), from, to, currencies })
    }

    /// What the contact owed at the end of a day, per currency.
    async fn balances(&self, contact: Id<Contact>, day: Date) -> Result<BTreeMap<Currency, i64>, CrmError> {
        let as_of = AsOf { date: day };
        let invoices = Invoice::COLUMNS;
        let theirs = Expr::from(invoices.contact_id.eq(&contact));
        let settled = AsOf::date(invoices.settled_on.operand(), Cmp::Le, day);
        let statuses = [InvoiceStatus::Void, InvoiceStatus::Uncollectible];
        let gone = Expr::from(invoices.status.is_in(&statuses)).and(settled);
        let due =
            crate::store::Operand::Difference(Box::new(invoices.total.operand()), Box::new(invoices.paid.operand()));
        let billed = Aggregate::new(Invoice::TABLE, theirs.and(as_of.issued()))
            .by(Group::Value(invoices.currency.operand()))
            .measure(Measure::Sum(invoices.total.operand()))
            .measure_where(Measure::Sum(due), gone);
        let payments = Payment::COLUMNS;
        let paid = Aggregate::new(Payment::TABLE, Expr::from(payments.contact_id.eq(&contact)).and(as_of.received()))
            .by(Group::Value(payments.currency.operand()))
            .measure(Measure::Sum(payments.amount.operand()));
        let queries = [billed, paid];
        let answers = self.store().aggregate(self.scope(), &queries).await?;
        let mut balances = BTreeMap::new();
        for (number, (query, rows)) in queries.iter().zip(&answers).enumerate() {
            for row in rows {
                let totals = Totals::new(query, row);
                let balance: &mut i64 = balances.entry(currency_of(totals.group(0))?).or_default();
                *balance += if number == 0 { totals.number(0) - totals.number(1) } else { -totals.number(0) };
            }
        }
        Ok(balances)
    }

    /// What happened in the period.
    async fn events(&self, contact: Id<Contact>, from: Date, to: Date) -> Result<Vec<Event>, CrmError> {
        let within = |operand: crate::store::Operand| {
            let first = Expr::Compare(operand.clone(), Cmp::Ge, Value::Date(from));
            first.and(Expr::Compare(operand, Cmp::Le, Value::Date(to)))
        };
        let columns = Invoice::COLUMNS;
        let either = Expr::Or(vec![within(columns.issued_on.operand()), within(columns.settled_on.operand())]);
        let drafts = Expr::from(columns.status.ne(&InvoiceStatus::Draft));
        let filter = Expr::from(columns.contact_id.eq(&contact)).and(either).and(drafts);
        let invoices: Vec<Stored<Invoice>> =
            self.store().all(self.scope(), &Select::new(Invoice::TABLE, filter)).await?;
        let mut entries = Vec::new();
        for invoice in &invoices {
            let number = invoice.number.as_ref().map(ToString::to_string);
            if let Some(on) = invoice.issued_on.filter(|on| (from..=to).contains(on)) {
                let (currency, amount) = (invoice.currency, invoice.total.0);
                entries.push(Event { currency, on, kind: EntryKind::Invoice, reference: number.clone(), amount });
            }
            let gone = match invoice.status {
                InvoiceStatus::Void => Some(EntryKind::Void),
                InvoiceStatus::Uncollectible => Some(EntryKind::WriteOff),
                _ => None,
            };
            if let (Some(kind), Some(on)) = (gone, invoice.settled_on.filter(|on| (from..=to).contains(on))) {
                let (currency, amount) = (invoice.currency, invoice.paid.0 - invoice.total.0);
                entries.push(Event { currency, on, kind, reference: number, amount });
            }
        }
        let columns = Payment::COLUMNS;
        let filter = Expr::from(columns.contact_id.eq(&contact)).and(within(columns.received_on.operand()));
        let payments: Vec<Stored<Payment>> =
            self.store().all(self.scope(), &Select::new(Payment::TABLE, filter)).await?;
        entries.extend(payments.iter().map(|payment| {
            let reference = payment.reference.as_ref().map(ToString::to_string);
            let (currency, on, amount) = (payment.currency, payment.received_on, -payment.amount.0);
            Event { currency, on, kind: EntryKind::Payment, reference, amount }
        }));
        Ok(entries)
    }
}
