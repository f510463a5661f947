//! R1, the financial summary.

use std::collections::BTreeMap;

use serde::Serialize;

use super::names::Named;
use super::{AsOf, currency_of};
use crate::billing::{Allocation, AllocationSource, CreditNote, Invoice, InvoiceStatus, Payment, Refund};
use crate::crm::Session;
use crate::entity::Entity as _;
use crate::error::CrmError;
use crate::field::Minor;
use crate::id::Id;
use crate::people::Contact;
use crate::row::{Row, Value};
use crate::store::{Aggregate, Cmp, Expr, Group, Measure, Operand, Totals};
use crate::value::{Currency, Date, Money};

/// What the summary covers.
#[derive(Clone, Copy, Debug, Default)]
pub struct SummaryOptions {
    /// As of which civil date; today otherwise.
    pub as_of: Option<Date>,
    /// Whether void invoices count as billed and in the number of invoices.
    pub include_void: bool,
    /// Whether each contact gets its own figures.
    pub per_contact: bool,
    /// Whether corrections count from the day of what they correct.
    pub restated: bool,
}

/// R1: what was billed, paid and is due.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// As of which civil date.
    pub as_of: Date,
    /// How many contacts are not archived.
    pub contacts: i64,
    /// The figures of each currency, by its code.
    pub totals: Vec<Figures>,
    /// The figures of each contact and currency, by the contact's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_contact: Option<Vec<SummaryRow>>,
}

/// The figures of one currency. Billed = paid + offset + pending + uncollectible.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Figures {
    /// The currency.
    pub currency: Currency,
    /// How many invoices were issued, void ones left out unless asked for.
    pub invoices: i64,
    /// What was billed on them.
    pub billed: Money,
    /// What was paid on them.
    pub paid: Money,
    /// What credit notes took off what was due on them.
    pub offset: Money,
    /// What is due on them.
    pub pending: Money,
    /// What of it is overdue: the due date has passed.
    pub overdue: Money,
    /// What was given up.
    pub uncollectible: Money,
    /// What was billed and withdrawn again.
    pub void: Money,
    /// What payments and credit notes have left for the contacts. Less than nothing is what was refunded of payments that
    /// were reversed.
    pub credit: Money,
}

/// One contact's figures in one currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SummaryRow {
    /// The contact.
    pub contact_id: Id<Contact>,
    /// The contact's name.
    pub contact: String,
    /// The contact's e-mail address.
    pub email: Option<String>,
    /// The figures.
    #[serde(flatten)]
    pub figures: Figures,
}

/// The columns that are summed, in minor units.
#[derive(Clone, Copy, Default)]
struct Sums {
    invoices: i64,
    billed: i64,
    paid: i64,
    /// What is neither paid nor taken off, whatever became of it.
    balance: i64,
    pending: i64,
    overdue: i64,
    uncollectible: i64,
    void_count: i64,
    void: i64,
    credit: i64,
}

impl Session<'_> {
    /// R1: what was billed, paid and is due, overall and per contact.
    ///
    /// # Errors
    /// When the role may not see it, or the store fails.
    pub async fn summary(&self, options: &SummaryOptions) -> Result<Summary, CrmError> {
        let visible = self.reported("summary").await?;
        let date = options.as_of.unwrap_or_else(|| self.context().today());
        let as_of = AsOf { date, restated: options.restated };
        let per_contact = options.per_contact;
        let active = Expr::IsNull(Contact::COLUMNS.archived_at.operand());
        let queries = [
            Aggregate::new(Contact::TABLE, active.and(visible.contacts)).measure(Measure::Count),
            invoice_sums(as_of, visible.invoices, per_contact),
            later_sums(as_of, visible.allocations.clone(), per_contact),
            payment_credit(as_of, visible.payments, per_contact),
            note_credit(as_of, visible.credit_notes, per_contact),
            later_credit(as_of, visible.allocations, per_contact),
            later_refunds(as_of, visible.refunds, per_contact),
        ];
        let answers = self.store().aggregate(self.scope(), &queries).await?;
        let count = answers[0].first().and_then(|row| row[0].as_int()).unwrap_or(0);
        let sums = combine(&queries, &answers)?;

        let mut totals: BTreeMap<Currency, Sums> = BTreeMap::new();
        for ((currency, _), sums) in &sums {
            totals.entry(*currency).or_default().add(sums);
        }
        let totals = totals.iter().map(|(currency, sums)| sums.figures(*currency, options.include_void)).collect();
        let per_contact = if options.per_contact { Some(self.rows(sums, options.include_void).await?) } else { None };
        Ok(Summary { as_of: date, contacts: count, totals, per_contact })
    }

    async fn rows(
        &self,
        sums: BTreeMap<(Currency, Value), Sums>,
        include_void: bool,
    ) -> Result<Vec<SummaryRow>, CrmError> {
        let names = self.names(sums.keys().filter_map(|(_, contact)| contact.as_id()).collect()).await?;
        let mut rows: Vec<_> = sums
            .into_iter()
            .filter_map(|((currency, contact), sums)| {
                let id = Id::new(contact.as_id()?);
                let Named { key, name, email } = names.get(&id.uuid()).cloned().unwrap_or_default();
                let figures = sums.figures(currency, include_void);
                Some((key, SummaryRow { contact_id: id, contact: name, email, figures }))
            })
            .collect();
        rows.sort_by(|(left, l), (right, r)| {
            left.cmp(right).then(l.contact_id.cmp(&r.contact_id)).then(l.figures.currency.cmp(&r.figures.currency))
        });
        Ok(rows.into_iter().map(|(_, row)| row).collect())
    }
}

/// The groups of every query: the currency, and the contact where asked for.
fn grouped(query: Aggregate, currency: Operand, contact: Operand, per_contact: bool) -> Aggregate {
    // The contact leads where there is one, as in the indexes.
    let query = if per_contact { query.by(Group::Value(contact)) } else { query };
    query.by(Group::Value(currency))
}

fn invoice_sums(as_of: AsOf, visible: Expr, per_contact: bool) -> Aggregate {
    let columns = Invoice::COLUMNS;
    let query = Aggregate::new(Invoice::TABLE, as_of.issued().and(visible));
    let total = || Measure::Sum(columns.total.operand());
    let balance = || Measure::Sum(columns.balance.operand());
    // A given-up invoice counts as such from the day on which it was settled, until it is void.
    let settled = as_of.by(columns.settled_on.operand());
    let given_up = columns.status.is_in(&[InvoiceStatus::Uncollectible, InvoiceStatus::Void]);
    let given_up = settled.clone().and(given_up.into()).and(Expr::Not(Box::new(as_of.void())));
    let open = Expr::Not(Box::new(settled));
    let open = if as_of.restated { open.and(Expr::Not(Box::new(as_of.void()))) } else { open };
    let late = AsOf::date(columns.due_on.operand(), Cmp::Lt, as_of.date);
    grouped(query, columns.currency.operand(), columns.contact_id.operand(), per_contact)
        .measure(Measure::Count)
        .measure(total())
        .measure_where(Measure::Count, as_of.void())
        .measure_where(total(), as_of.void())
        // Nothing is paid on a void invoice, and nothing taken off it.
        .measure(Measure::Sum(columns.paid.operand()))
        .measure(balance())
        .measure_where(balance(), open.clone())
        .measure_where(balance(), open.and(late))
        .measure_where(balance(), given_up)
}

/// What was applied since, by what it changed. Nothing is applied to an invoice that is settled, unless it was given up.
fn later_sums(as_of: AsOf, visible: Expr, per_contact: bool) -> Aggregate {
    let columns = Allocation::COLUMNS;
    let query = Aggregate::new(Allocation::TABLE, as_of.later_on_issued().and(visible));
    let invoices = Invoice::COLUMNS;
    let late = AsOf::date(columns.invoice_id.via(invoices.due_on), Cmp::Lt, as_of.date);
    let given_up = as_of.by(columns.invoice_id.via(invoices.settled_on));
    let open = Expr::Not(Box::new(given_up.clone()));
    let amount = || Measure::Sum(columns.amount.operand());
    grouped(query, columns.currency.operand(), columns.contact_id.operand(), per_contact)
        .measure_where(amount(), columns.source.ne(&AllocationSource::Offset))
        .measure(amount())
        .measure_where(amount(), open.clone())
        .measure_where(amount(), open.and(late))
        .measure_where(amount(), given_up)
}

/// What payments have left now, and what those had that were reversed since.
pub(super) fn payment_credit(as_of: AsOf, visible: Expr, per_contact: bool) -> Aggregate {
    let columns = Payment::COLUMNS;
    let reversed = as_of.still_stood();
    let some = Expr::Or(vec![columns.unapplied.ne(&Minor(0)).into(), reversed.clone()]);
    let query = Aggregate::new(Payment::TABLE, as_of.received().and(some).and(visible));
    grouped(query, columns.currency.operand(), columns.contact_id.operand(), per_contact)
        .measure(Measure::Sum(columns.unapplied.operand()))
        .measure_where(Measure::Sum(columns.amount.operand()), reversed)
}

/// What credit notes have left now.
pub(super) fn note_credit(as_of: AsOf, visible: Expr, per_contact: bool) -> Aggregate {
    let columns = CreditNote::COLUMNS;
    let some = Expr::from(columns.unapplied.ne(&Minor(0)));
    let query = Aggregate::new(CreditNote::TABLE, as_of.by(columns.issued_on.operand()).and(some).and(visible));
    grouped(query, columns.currency.operand(), columns.contact_id.operand(), per_contact)
        .measure(Measure::Sum(columns.unapplied.operand()))
}

/// What of it was applied since.
pub(super) fn later_credit(as_of: AsOf, visible: Expr, per_contact: bool) -> Aggregate {
    let columns = Allocation::COLUMNS;
    let kept = columns.source.ne(&AllocationSource::Offset);
    let of = as_of.of_document(columns.payment_id, columns.credit_note_id);
    let query = Aggregate::new(Allocation::TABLE, as_of.later().and(kept.into()).and(of).and(visible));
    grouped(query, columns.currency.operand(), columns.contact_id.operand(), per_contact)
        .measure(Measure::Sum(columns.amount.operand()))
}

/// What of it was paid back since. What a credit note paid back at once was never left.
pub(super) fn later_refunds(as_of: AsOf, visible: Expr, per_contact: bool) -> Aggregate {
    let columns = Refund::COLUMNS;
    let of = as_of.of_document(columns.payment_id, columns.credit_note_id);
    let query = Aggregate::new(Refund::TABLE, as_of.after(columns.refunded_on.operand()).and(of).and(visible));
    grouped(query, columns.currency.operand(), columns.contact_id.operand(), per_contact)
        .measure(Measure::Sum(columns.amount.operand()))
}

/// Adds the answers up by currency and contact.
fn combine(queries: &[Aggregate], answers: &[Vec<Row>]) -> Result<BTreeMap<(Currency, Value), Sums>, CrmError> {
    let mut sums: BTreeMap<(Currency, Value), Sums> = BTreeMap::new();
    for (number, (query, rows)) in queries.iter().zip(answers).enumerate().skip(1) {
        for row in rows {
            let totals = Totals::new(query, row);
            let currency = currency_of(totals.group(query.groups.len() - 1))?;
            let contact = if query.groups.len() > 1 { totals.group(0).clone() } else { Value::Null };
            let sum = sums.entry((currency, contact)).or_default();
            match number {
                1 => {
                    sum.invoices = totals.number(0);
                    sum.billed = totals.number(1);
                    sum.void_count = totals.number(2);
                    sum.void = totals.number(3);
                    sum.paid = totals.number(4);
                    sum.balance = totals.number(5);
                    sum.pending = totals.number(6);
                    sum.overdue = totals.number(7);
                    sum.uncollectible = totals.number(8);
                }
                2 => {
                    sum.paid -= totals.number(0);
                    sum.balance += totals.number(1);
                    sum.pending += totals.number(2);
                    sum.overdue += totals.number(3);
                    sum.uncollectible += totals.number(4);
                }
                3 => sum.credit += totals.number(0) + totals.number(1),
                _ => sum.credit += totals.number(0),
            }
        }
    }
    Ok(sums)
}

impl Sums {
    fn add(&mut self, other: &Self) {
        self.invoices += other.invoices;
        self.billed += other.billed;
        self.paid += other.paid;
        self.balance += other.balance;
        self.pending += other.pending;
        self.overdue += other.overdue;
        self.uncollectible += other.uncollectible;
        self.void_count += other.void_count;
        self.void += other.void;
        self.credit += other.credit;
    }

    fn figures(&self, currency: Currency, include_void: bool) -> Figures {
        let money = |minor| Money::new(minor, currency);
        let (void_count, void) = if include_void { (0, 0) } else { (self.void_count, self.void) };
        Figures {
            currency,
            invoices: self.invoices - void_count,
            billed: money(self.billed - void),
            paid: money(self.paid),
            offset: money(self.billed - self.paid - self.balance),
            pending: money(self.pending),
            overdue: money(self.overdue),
            uncollectible: money(self.uncollectible),
            void: money(self.void),
            credit: money(self.credit),
        }
    }
}
