//! R1, the financial summary.

use std::collections::BTreeMap;

use serde::Serialize;

use super::names::Named;
use super::{AsOf, currency_of};
use crate::billing::{Allocation, Invoice, InvoiceStatus, Payment};
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

/// The figures of one currency. Billed = paid + pending + uncollectible.
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
    /// What is due on them.
    pub pending: Money,
    /// What of it is overdue: the due date has passed.
    pub overdue: Money,
    /// What was given up.
    pub uncollectible: Money,
    /// What was billed and withdrawn again.
    pub void: Money,
    /// What was received and settles no invoice.
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
        let [contacts, invoices, allocations, payments] = self.reported("summary")?;
        let date = options.as_of.unwrap_or_else(|| self.context().today());
        let as_of = AsOf { date };
        let active = Expr::IsNull(Contact::COLUMNS.archived_at.operand());
        let queries = [
            Aggregate::new(Contact::TABLE, active.and(contacts)).measure(Measure::Count),
            invoice_sums(&as_of, invoices, options.per_contact),
            later_sums(&as_of, allocations.clone(), options.per_contact),
            credit_sums(&as_of, payments, options.per_contact),
            later_credit_sums(&as_of, allocations, options.per_contact),
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

fn invoice_sums(as_of: &AsOf, visible: Expr, per_contact: bool) -> Aggregate {
    let columns = Invoice::COLUMNS;
    let query = Aggregate::new(Invoice::TABLE, as_of.issued().and(visible));
    let total = || Measure::Sum(columns.total.operand());
    // What is due is total less paid: no column that the index lacks.
    let due = || {
        let (total, paid) = (columns.total.operand(), columns.paid.operand());
        Measure::Sum(Operand::Difference(Box::new(total), Box::new(paid)))
    };
    // A void or given-up invoice counts as such from the day on which it was settled.
    let settled = Expr::Compare(columns.settled_on.operand(), Cmp::Le, Value::Date(as_of.date));
    let by_then = |status: InvoiceStatus| Expr::from(columns.status.eq(&status)).and(settled.clone());
    let open = || Expr::Not(Box::new(settled.clone()));
    let late = Expr::Compare(columns.due_on.operand(), Cmp::Lt, Value::Date(as_of.date));
    grouped(query, columns.currency.operand(), columns.contact_id.operand(), per_contact)
        .measure(Measure::Count)
        .measure(total())
        .measure_where(Measure::Count, by_then(InvoiceStatus::Void))
        .measure_where(total(), by_then(InvoiceStatus::Void))
        // Nothing was ever paid on a void invoice.
        .measure(Measure::Sum(columns.paid.operand()))
        .measure_where(due(), open())
        .measure_where(due(), open().and(late))
        .measure_where(due(), by_then(InvoiceStatus::Uncollectible))
}

fn later_sums(as_of: &AsOf, visible: Expr, per_contact: bool) -> Aggregate {
    let columns = Allocation::COLUMNS;
    let query = Aggregate::new(Allocation::TABLE, as_of.later().and(visible));
    let due_on = columns.invoice_id.via(Invoice::COLUMNS.due_on);
    let late = Expr::Compare(due_on, Cmp::Lt, Value::Date(as_of.date));
    let amount = || Measure::Sum(columns.amount.operand());
    grouped(query, columns.currency.operand(), columns.contact_id.operand(), per_contact)
        .measure(amount())
        .measure_where(amount(), late)
}

fn credit_sums(as_of: &AsOf, visible: Expr, per_contact: bool) -> Aggregate {
    let columns = Payment::COLUMNS;
    let unapplied = Expr::from(columns.unapplied.ne(&Minor(0)));
    let query = Aggregate::new(Payment::TABLE, as_of.received().and(unapplied).and(visible));
    grouped(query, columns.currency.operand(), columns.contact_id.operand(), per_contact)
        .measure(Measure::Sum(columns.unapplied.operand()))
}

fn later_credit_sums(as_of: &AsOf, visible: Expr, per_contact: bool) -> Aggregate {
    let columns = Allocation::COLUMNS;
    let received = columns.payment_id.via(Payment::COLUMNS.received_on);
    let filter = Expr::Compare(columns.applied_on.operand(), Cmp::Gt, Value::Date(as_of.date)).and(Expr::Compare(
        received,
        Cmp::Le,
        Value::Date(as_of.date),
    ));
    let query = Aggregate::new(Allocation::TABLE, filter.and(visible));
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
                    sum.pending = totals.number(5);
                    sum.overdue = totals.number(6);
                    sum.uncollectible = totals.number(7);
                }
                2 => {
                    sum.paid -= totals.number(0);
                    sum.pending += totals.number(0);
                    sum.overdue += totals.number(1);
                }
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
            pending: money(self.pending),
            overdue: money(self.overdue),
            uncollectible: money(self.uncollectible),
            void: money(self.void),
            credit: money(self.credit),
        }
    }
}
