//! Debtors: who owes most.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use uuid::Uuid;

use super::names::Named;
use super::summary::{later_credit, later_refunds, note_credit, payment_credit};
use super::{AsOf, Visible, corrupt, currency_of, plus, read};
use crate::billing::{Allocation, Invoice};
use crate::crm::Session;
use crate::entity::Entity as _;
use crate::error::CrmError;
use crate::id::Id;
use crate::people::Contact;
use crate::row::{Row, Value};
use crate::store::{Aggregate, Cmp, Filter, Group, Measure, Operand, Totals};
use crate::value::{Currency, Date, Money};

/// What the report covers.
#[derive(Clone, Copy, Debug, Default)]
pub struct DebtorsOptions {
    /// As of which civil date; today otherwise.
    pub as_of: Option<Date>,
    /// How many contacts of each currency at most; all otherwise.
    pub limit: Option<usize>,
    /// Whether corrections count from the day of what they correct.
    pub restated: bool,
}

/// The contacts that owe something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Debtors {
    /// As of which civil date.
    pub as_of: Date,
    /// One part per currency, by its code.
    pub currencies: Vec<DebtorsCurrency>,
}

/// The contacts that owe something in one currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DebtorsCurrency {
    /// The currency.
    pub currency: Currency,
    /// How many owe something.
    pub contacts: i64,
    /// What they owe together.
    pub pending: Money,
    /// What of it is overdue.
    pub overdue: Money,
    /// The contacts: those that owe most first, then by name. As many as were asked for.
    pub debtors: Vec<Debtor>,
}

/// A contact that owes something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Debtor {
    /// The contact.
    pub contact_id: Id<Contact>,
    /// The contact's name.
    pub contact: String,
    /// The contact's e-mail address.
    pub email: Option<String>,
    /// What is due on invoices.
    pub pending: Money,
    /// What of it is overdue: the due date has passed.
    pub overdue: Money,
    /// What payments and credit notes have left for the contact, not taken off what is pending.
    pub credit: Money,
    /// The earliest due date of what is pending.
    pub oldest_due_on: Option<Date>,
    /// How many days that was before the report's date; 0 if it was not.
    pub days_late: i64,
}

/// What a contact owes in a currency, in minor units.
#[derive(Clone, Copy, Default)]
struct Owed {
    pending: i64,
    overdue: i64,
    credit: i64,
    oldest: Option<Date>,
}

impl Owed {
    fn due(&mut self, day: Option<Date>) {
        self.oldest = self.oldest.into_iter().chain(day).min();
    }
}

type Sums = BTreeMap<(Currency, Uuid), Owed>;

impl Session<'_> {
    /// The contacts that owe something, those that owe most first.
    ///
    /// # Errors
    /// When the role may not see it, or the store fails.
    pub async fn debtors(&self, options: &DebtorsOptions) -> Result<Debtors, CrmError> {
        let visible = self.reported("debtors").await?;
        let date = options.as_of.unwrap_or_else(|| self.context().today());
        let as_of = AsOf { date, restated: options.restated };
        let queries = queries(as_of, visible);
        let answers = self.store().aggregate(self.scope(), &queries).await?;
        let mut found: BTreeMap<Currency, Vec<(Uuid, Owed)>> = BTreeMap::new();
        for ((currency, contact), owed) in combine(&queries, &answers)? {
            if owed.pending > 0 {
                found.entry(currency).or_default().push((contact, owed));
            }
        }
        let mut currencies = Vec::with_capacity(found.len());
        for (currency, contacts) in found {
            currencies.push(self.debtors_in(currency, contacts, date, options.limit).await?);
        }
        Ok(Debtors { as_of: date, currencies })
    }

    /// The part of a currency.
    async fn debtors_in(
        &self,
        currency: Currency,
        mut contacts: Vec<(Uuid, Owed)>,
        date: Date,
        limit: Option<usize>,
    ) -> Result<DebtorsCurrency, CrmError> {
        let money = |minor| Money::new(minor, currency);
        let (mut pending, mut overdue) = (0, 0);
        for (_, owed) in &contacts {
            plus(&mut pending, owed.pending)?;
            plus(&mut overdue, owed.overdue)?;
        }
        let count = i64::try_from(contacts.len()).unwrap_or(i64::MAX);
        contacts.sort_by_key(|(_, owed)| std::cmp::Reverse(owed.pending));
        // Of those that owe as much as the last one asked for, the names decide.
        let limit = limit.unwrap_or(contacts.len());
        let least = limit.checked_sub(1).map_or(i64::MAX, |last| contacts.get(last).map_or(0, |(_, o)| o.pending));
        contacts.retain(|(_, owed)| owed.pending >= least);
        let names = self.names(contacts.iter().map(|(contact, _)| *contact).collect()).await?;
        let mut rows: Vec<(String, Debtor)> = contacts
            .into_iter()
            .map(|(contact, owed)| {
                let Named { key, name, email } = names.get(&contact).cloned().unwrap_or_default();
                let late = owed.oldest.map_or(0, |due| (date - due).num_days());
                let debtor = Debtor {
                    contact_id: Id::new(contact),
                    contact: name,
                    email,
                    pending: money(owed.pending),
                    overdue: money(owed.overdue),
                    credit: money(owed.credit),
                    oldest_due_on: owed.oldest,
                    days_late: late.max(0),
                };
                (key, debtor)
            })
            .collect();
        rows.sort_by(|(left, l), (right, r)| {
            let most = r.pending.minor().cmp(&l.pending.minor());
            most.then_with(|| left.cmp(right)).then(l.contact_id.cmp(&r.contact_id))
        });
        rows.truncate(limit);
        let debtors = rows.into_iter().map(|(_, debtor)| debtor).collect();
        Ok(DebtorsCurrency { currency, contacts: count, pending: money(pending), overdue: money(overdue), debtors })
    }
}

/// Open invoices, what was applied to them since, those of them of which something was taken back since, and credit.
///
/// An invoice can be among the open ones that had nothing due on the date: it was paid by then, and what was paid was taken
/// back since. Its due date does not count, so such invoices are looked at one by one.
fn queries(as_of: AsOf, visible: Visible) -> [Aggregate; 8] {
    let (invoices, rows) = (Invoice::COLUMNS, Allocation::COLUMNS);
    let open = as_of.open().and(as_of.by(invoices.issued_on.operand())).and(visible.invoices);
    let corrected = (!rows.undoes.is_null()).into_expr().and(as_of.after(rows.applied_on.operand()));
    let corrected = rows.invoice_id.of_any::<Invoice>(Filter::new(corrected));
    let late = |due_on: Operand| AsOf::date(due_on, Cmp::Lt, as_of.date);
    let still_open = as_of.after(rows.invoice_id.via(invoices.open_until));
    let later = as_of.later_on_issued().and(still_open).and(visible.allocations.clone());
    let balance = || Measure::Sum(invoices.balance.operand());
    let amount = || Measure::Sum(rows.amount.operand());
    [
        Aggregate::new(Invoice::TABLE, open.clone())
            .by(Group::Value(invoices.contact_id.operand()))
            .by(Group::Value(invoices.currency.operand()))
            .measure(balance())
            .measure_where(balance(), late(invoices.due_on.operand()))
            .measure_where(Measure::Min(invoices.due_on.operand()), !corrected.clone()),
        Aggregate::new(Allocation::TABLE, later.clone())
            .by(Group::Value(rows.contact_id.operand()))
            .by(Group::Value(rows.currency.operand()))
            .measure(amount())
            .measure_where(amount(), late(rows.invoice_id.via(invoices.due_on))),
        payment_credit(as_of, visible.payments, true),
        note_credit(as_of, visible.credit_notes, true),
        later_credit(as_of, visible.allocations, true),
        later_refunds(as_of, visible.refunds, true),
        Aggregate::new(Invoice::TABLE, open.and(corrected.clone().into()))
            .by(Group::Value(invoices.contact_id.operand()))
            .by(Group::Value(invoices.currency.operand()))
            .by(Group::Value(Operand::Column(0)))
            .by(Group::Value(invoices.due_on.operand()))
            .measure(balance()),
        Aggregate::new(Allocation::TABLE, later.and(rows.invoice_id.refers_to(corrected).into()))
            .by(Group::Value(rows.invoice_id.operand()))
            .measure(amount()),
    ]
}

/// Adds the answers up by currency and contact.
fn combine(queries: &[Aggregate; 8], answers: &[Vec<Row>]) -> Result<Sums, CrmError> {
    let mut sums = Sums::new();
    for (number, (query, rows)) in queries.iter().zip(answers).enumerate().take(6) {
        for row in rows {
            let totals = Totals::new(query, row);
            let owed = sums.entry(of(&totals)?).or_default();
            match number {
                0 | 1 => {
                    plus(&mut owed.pending, totals.number(0))?;
                    plus(&mut owed.overdue, totals.number(1))?;
                    if number == 0 {
                        owed.due(read(totals.value(2), Invoice::TABLE, "due_on")?);
                    }
                }
                2 => [0, 1].into_iter().try_for_each(|measure| plus(&mut owed.credit, totals.number(measure)))?,
                _ => plus(&mut owed.credit, totals.number(0))?,
            }
        }
    }
    let [.., corrected, applied] = queries;
    let [.., rows, later] = answers else { return Ok(sums) };
    let later: HashMap<&Value, i64> = later.iter().map(|row| (&row[0], Totals::new(applied, row).number(0))).collect();
    for row in rows {
        let totals = Totals::new(corrected, row);
        let since = later.get(totals.group(2)).copied().unwrap_or(0);
        if totals.number(0) + since != 0 {
            sums.entry(of(&totals)?).or_default().due(read(totals.group(3), Invoice::TABLE, "due_on")?);
        }
    }
    Ok(sums)
}

/// The currency and the contact of a row, by which every query groups first.
fn of(totals: &Totals<'_>) -> Result<(Currency, Uuid), CrmError> {
    let none = || corrupt(Invoice::TABLE.name, "contact_id", &"no contact");
    Ok((currency_of(totals.group(1))?, totals.group(0).as_id().ok_or_else(none)?))
}
