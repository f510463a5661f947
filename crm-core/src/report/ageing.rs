//! R2, the ageing of receivables.

use std::collections::BTreeMap;

use chrono::Days;
use serde::Serialize;

use super::names::Named;
use super::{AsOf, currency_of};
use crate::billing::{Allocation, Invoice};
use crate::crm::Session;
use crate::entity::Entity as _;
use crate::error::CrmError;
use crate::id::Id;
use crate::people::Contact;
use crate::row::Value;
use crate::store::{Aggregate, Cmp, Expr, Group, Measure, Operand, Totals};
use crate::value::{Currency, Date, Money};

/// The buckets' names: not yet due, then by days past the due date.
pub const BUCKETS: [&str; 5] = ["current", "1-30", "31-60", "61-90", "90+"];

/// What the ageing covers.
#[derive(Clone, Copy, Debug, Default)]
pub struct AgeingOptions {
    /// As of which civil date; today otherwise.
    pub as_of: Option<Date>,
    /// Whether each contact gets its own row.
    pub per_contact: bool,
    /// Whether corrections count from the day of what they correct.
    pub restated: bool,
}

/// R2: what is due, by how late it is. The buckets add up to the open balances.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ageing {
    /// As of which civil date.
    pub as_of: Date,
    /// The rows of each currency, by its code.
    pub totals: Vec<AgeingRow>,
    /// The rows of each contact and currency, by the contact's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_contact: Option<Vec<AgeingRow>>,
}

/// What is due in one currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AgeingRow {
    /// The contact, in rows of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact_id: Option<Id<Contact>>,
    /// The contact's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
    /// The currency.
    pub currency: Currency,
    /// Not yet due on the date.
    pub current: Money,
    /// 1 to 30 days late.
    pub days_1_30: Money,
    /// 31 to 60 days late.
    pub days_31_60: Money,
    /// 61 to 90 days late.
    pub days_61_90: Money,
    /// More than 90 days late.
    pub days_over_90: Money,
    /// All of them.
    pub total: Money,
}

/// The buckets of each contact, where asked for, and currency, in minor units.
type Aged = BTreeMap<(Value, Currency), [i64; 5]>;

impl Session<'_> {
    /// R2: what is due, by how late it is.
    ///
    /// # Errors
    /// When the role may not see it, or the store fails.
    pub async fn ageing(&self, options: &AgeingOptions) -> Result<Ageing, CrmError> {
        let visible = self.reported("ageing").await?;
        let date = options.as_of.unwrap_or_else(|| self.context().today());
        let as_of = AsOf { date, restated: options.restated };
        let sums = self.aged(as_of, visible.invoices, visible.allocations, options.per_contact).await?;
        let totals = totals(&sums);
        let per_contact = if options.per_contact { Some(self.aged_contacts(sums).await?) } else { None };
        Ok(Ageing { as_of: date, totals, per_contact })
    }

    /// What is due from one contact on a day, for its statement.
    #[cfg(feature = "print")]
    pub(crate) async fn ageing_of(
        &self,
        contact: Id<Contact>,
        date: Date,
        restated: bool,
    ) -> Result<Vec<AgeingRow>, CrmError> {
        let visible = self.reported("statement").await?;
        let invoices = visible.invoices.and(Invoice::COLUMNS.contact_id.eq(&contact).into());
        let allocations = visible.allocations.and(Allocation::COLUMNS.contact_id.eq(&contact).into());
        Ok(totals(&self.aged(AsOf { date, restated }, invoices, allocations, false).await?))
    }

    /// What is due by currency and bucket, and by contact if asked for, on such invoices with such allocations.
    async fn aged(&self, as_of: AsOf, invoices: Expr, allocations: Expr, per_contact: bool) -> Result<Aged, CrmError> {
        let date = as_of.date;
        let columns = Invoice::COLUMNS;
        // Open invoices come from the index that begins with the day up to which they are open.
        let issued = as_of.by(columns.issued_on.operand());
        // Grouping by that day as well keeps them in the index's order: nothing is sorted.
        let open = Aggregate::new(Invoice::TABLE, as_of.open().and(issued).and(invoices))
            .by(Group::Value(columns.open_until.operand()));
        let open = grouped(open, columns.currency.operand(), columns.contact_id.operand(), per_contact);
        let open = buckets(open, date, &columns.due_on.operand(), &columns.balance.operand());
        let allocated = Allocation::COLUMNS;
        let still_open = as_of.after(allocated.invoice_id.via(columns.open_until));
        // What was allocated since to invoices that were open on the date, later settled or not: an
        // invoice settled since is open until after the date as well.
        let later = Aggregate::new(Allocation::TABLE, as_of.later_on_issued().and(still_open).and(allocations));
        let later = grouped(later, allocated.currency.operand(), allocated.contact_id.operand(), per_contact);
        let later = buckets(later, date, &allocated.invoice_id.via(columns.due_on), &allocated.amount.operand());

        let queries = [open, later];
        let answers = self.store().aggregate(self.scope(), &queries).await?;
        let mut sums = Aged::new();
        for (query, rows) in queries.iter().zip(&answers) {
            for row in rows {
                let totals = Totals::new(query, row);
                let last = query.groups.len() - 1;
                let (currency, contact) = if per_contact { (last - 1, Some(last)) } else { (last, None) };
                let currency = currency_of(totals.group(currency))?;
                let contact = contact.map_or(Value::Null, |contact| totals.group(contact).clone());
                let buckets = sums.entry((contact, currency)).or_default();
                for (number, bucket) in buckets.iter_mut().enumerate() {
                    *bucket += totals.number(number);
                }
            }
        }
        // An invoice without anything due, such as one of zero, makes no row.
        sums.retain(|_, buckets| buckets.iter().any(|bucket| *bucket != 0));
        Ok(sums)
    }

    async fn aged_contacts(&self, sums: Aged) -> Result<Vec<AgeingRow>, CrmError> {
        let names = self.names(sums.keys().filter_map(|(contact, _)| contact.as_id()).collect()).await?;
        let mut rows: Vec<(String, AgeingRow)> = sums
            .into_iter()
            .filter_map(|((contact, currency), buckets)| {
                let id = contact.as_id()?;
                let Named { key, name, .. } = names.get(&id).cloned().unwrap_or_default();
                Some((key, row(Some((Id::new(id), name)), currency, buckets)))
            })
            .collect();
        rows.sort_by(|(left, l), (right, r)| {
            left.cmp(right).then(l.contact_id.cmp(&r.contact_id)).then(l.currency.cmp(&r.currency))
        });
        let rows = rows.into_iter().map(|(_, row)| row).collect();
        Ok(rows)
    }
}

/// The rows of currencies.
fn totals(sums: &Aged) -> Vec<AgeingRow> {
    let mut totals: BTreeMap<Currency, [i64; 5]> = BTreeMap::new();
    for ((_, currency), buckets) in sums {
        let sum = totals.entry(*currency).or_default();
        sum.iter_mut().zip(buckets).for_each(|(sum, bucket)| *sum += bucket);
    }
    totals.into_iter().map(|(currency, buckets)| row(None, currency, buckets)).collect()
}

fn grouped(query: Aggregate, currency: Operand, contact: Operand, per_contact: bool) -> Aggregate {
    let query = query.by(Group::Value(currency));
    if per_contact { query.by(Group::Value(contact)) } else { query }
}

/// One sum per bucket. Sums over ranges of the due date need no sorting, unlike a group by bucket.
fn buckets(query: Aggregate, date: Date, due_on: &Operand, amount: &Operand) -> Aggregate {
    let before = |days| date.checked_sub_days(Days::new(days)).unwrap_or(Date::MIN);
    // Due on the date itself is current; so many days late is due so many days before.
    let bounds = [(None, Some(date)), (Some(date), Some(before(30))), (Some(before(30)), Some(before(60)))];
    let bounds = bounds.into_iter().chain([(Some(before(60)), Some(before(90))), (Some(before(90)), None)]);
    bounds.fold(query, |query, (until, from)| {
        let mut filter = Expr::True;
        if let Some(from) = from {
            filter = filter.and(Expr::Compare(due_on.clone(), Cmp::Ge, Value::Date(from)));
        }
        if let Some(until) = until {
            filter = filter.and(Expr::Compare(due_on.clone(), Cmp::Lt, Value::Date(until)));
        }
        query.measure_where(Measure::Sum(amount.clone()), filter)
    })
}

fn row(contact: Option<(Id<Contact>, String)>, currency: Currency, buckets: [i64; 5]) -> AgeingRow {
    let money = |minor| Money::new(minor, currency);
    let [current, late_30, late_60, late_90, over_90] = buckets.map(money);
    let (contact_id, contact) = contact.unzip();
    AgeingRow {
        contact_id,
        contact,
        currency,
        current,
        days_1_30: late_30,
        days_31_60: late_60,
        days_61_90: late_90,
        days_over_90: over_90,
        total: money(buckets.iter().sum()),
    }
}
