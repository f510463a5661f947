//! Days to pay: how long it took until invoices were paid.

use std::collections::BTreeMap;

use serde::Serialize;
use uuid::Uuid;

use super::names::Named;
use super::{AsOf, Period, corrupt, currency_of, plus, ratio, read};
use crate::billing::{Allocation, AllocationSource, Invoice, InvoiceStatus};
use crate::crm::Session;
use crate::entity::{Entity as _, Minor};
use crate::error::CrmError;
use crate::id::Id;
use crate::people::Contact;
use crate::store::{Aggregate, Expr, Filter, Group, Measure, Operand, Totals};
use crate::value::{Currency, Date, Decimal6};

/// What the report covers.
#[derive(Clone, Copy, Debug, Default)]
pub struct DaysToPayOptions {
    /// The first civil day on which an invoice was settled; that of the first one otherwise.
    pub from: Option<Date>,
    /// The last such day, as of which the report is; that of the last one otherwise.
    pub to: Option<Date>,
    /// Whether each contact gets its own row.
    pub per_contact: bool,
    /// Whether corrections count from the day of what they correct: what was taken back was never paid.
    pub restated: bool,
}

/// How long it took until invoices were paid that were settled in a period. An invoice counts if nothing was due on it at the
/// end of the period and something was paid on it: one that was credited in full does not, and none that was given up.
/// It was settled on the latest day of what was applied to it by then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DaysToPay {
    /// The first civil day, if there is one.
    pub from: Option<Date>,
    /// The last civil day, if there is one.
    pub to: Option<Date>,
    /// The figures of each currency, by its code.
    pub totals: Vec<DaysToPayFigures>,
    /// The figures of each contact and currency, by the contact's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_contact: Option<Vec<DaysToPayRow>>,
}

/// The figures of one currency. Means are rounded half away from zero to six places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct DaysToPayFigures {
    /// The currency.
    pub currency: Currency,
    /// How many invoices were settled.
    pub invoices: i64,
    /// How many days after their issue on average.
    pub mean_days: Decimal6,
    /// How many days after their due dates on average; less than nothing is before.
    pub mean_days_late: Decimal6,
}

/// One contact's figures in one currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DaysToPayRow {
    /// The contact.
    pub contact_id: Id<Contact>,
    /// The contact's name.
    pub contact: String,
    /// The figures.
    #[serde(flatten)]
    pub figures: DaysToPayFigures,
}

/// How many invoices, and how many days they took together.
#[derive(Clone, Copy, Default)]
struct Sums {
    invoices: i64,
    days: i64,
    late: i64,
}

impl Sums {
    fn add(&mut self, other: Self) -> Result<(), CrmError> {
        plus(&mut self.invoices, other.invoices)?;
        plus(&mut self.days, other.days)?;
        plus(&mut self.late, other.late)
    }

    fn figures(&self, currency: Currency) -> Option<DaysToPayFigures> {
        let (mean_days, mean_days_late) = (ratio(self.days, self.invoices)?, ratio(self.late, self.invoices)?);
        Some(DaysToPayFigures { currency, invoices: self.invoices, mean_days, mean_days_late })
    }
}

impl Session<'_> {
    /// How long it took until invoices were paid that were settled in a period.
    ///
    /// # Errors
    /// When the role may not see it; [`CrmError::Invalid`] when the period ends before it begins.
    pub async fn days_to_pay(&self, options: &DaysToPayOptions) -> Result<DaysToPay, CrmError> {
        let DaysToPayOptions { from, to, per_contact, restated } = *options;
        let visible = self.reported("days_to_pay").await?;
        let period = Period::new(from, to, restated)?;
        let queries = [paid(&period, visible.invoices), corrected(&period, visible.allocations)];
        let answers = self.store().aggregate(self.scope(), &queries).await?;
        let mut sums: BTreeMap<(Currency, Uuid), Sums> = BTreeMap::new();
        for (number, (query, rows)) in queries.iter().zip(&answers).enumerate() {
            for row in rows {
                let totals = Totals::new(query, row);
                let none = || corrupt(Invoice::TABLE.name, "contact_id", &"no contact");
                let key = (currency_of(totals.group(0))?, totals.group(1).as_id().ok_or_else(none)?);
                let found = match number {
                    0 => {
                        let [invoices, days, late] = [0, 1, 2].map(|measure| totals.number(measure));
                        Some(Sums { invoices, days, late })
                    }
                    _ => settled(&period, &totals)?,
                };
                if let Some(found) = found {
                    sums.entry(key).or_default().add(found)?;
                }
            }
        }
        let mut totals: BTreeMap<Currency, Sums> = BTreeMap::new();
        for ((currency, _), sums) in &sums {
            totals.entry(*currency).or_default().add(*sums)?;
        }
        let totals = totals.into_iter().filter_map(|(currency, sums)| sums.figures(currency)).collect();
        let per_contact = if per_contact { Some(self.payers(sums).await?) } else { None };
        Ok(DaysToPay { from, to, totals, per_contact })
    }

    /// The rows of contacts, by name.
    async fn payers(&self, sums: BTreeMap<(Currency, Uuid), Sums>) -> Result<Vec<DaysToPayRow>, CrmError> {
        let names = self.names(sums.keys().map(|(_, contact)| *contact).collect()).await?;
        let mut rows: Vec<(String, DaysToPayRow)> = sums
            .into_iter()
            .filter_map(|((currency, contact), sums)| {
                let Named { key, name, .. } = names.get(&contact).cloned().unwrap_or_default();
                let figures = sums.figures(currency)?;
                Some((key, DaysToPayRow { contact_id: Id::new(contact), contact: name, figures }))
            })
            .collect();
        rows.sort_by(|(left, l), (right, r)| {
            left.cmp(right).then(l.contact_id.cmp(&r.contact_id)).then(l.figures.currency.cmp(&r.figures.currency))
        });
        Ok(rows.into_iter().map(|(_, row)| row).collect())
    }
}

/// Allocations that take another back.
fn undoing() -> Filter<Allocation> {
    !Allocation::COLUMNS.undoes.is_null()
}

/// Invoices that are paid, of which nothing was ever taken back: they stay settled since their day.
fn paid(period: &Period, visible: Expr) -> Aggregate {
    let columns = Invoice::COLUMNS;
    let paid = columns.status.eq(&InvoiceStatus::Paid) & columns.paid.gt(&Minor(0)) & columns.written_off_on.is_null();
    let paid = paid & !Allocation::COLUMNS.invoice_id.of_any(undoing());
    let settled_on = columns.settled_on.operand();
    let settled = period.within(&settled_on);
    let since = |day| Measure::Sum(Operand::Difference(Box::new(settled_on.clone()), Box::new(day)));
    Aggregate::new(Invoice::TABLE, paid.into_expr().and(settled).and(visible))
        .by(Group::Value(columns.currency.operand()))
        .by(Group::Value(columns.contact_id.operand()))
        .measure(Measure::Count)
        .measure(since(columns.issued_on.operand()))
        .measure(since(columns.due_on.operand()))
}

/// What was applied by the end of the period to each invoice of which something was taken back at any time: there are few.
fn corrected(period: &Period, visible: Expr) -> Aggregate {
    let (columns, invoice) = (Allocation::COLUMNS, Invoice::COLUMNS);
    let of: Filter<Allocation> = columns.invoice_id.refers_to(columns.invoice_id.of_any::<Invoice>(undoing()));
    let day = if period.restated { columns.restated_on.operand() } else { columns.applied_on.operand() };
    let counted = Period { from: None, ..*period }.within(&day).and(visible);
    // Restated, neither what was taken back counts nor that it was.
    let live = columns.undoes.is_null() & !columns.undoes.of_any::<Allocation>(Filter::all());
    let counted = if period.restated { counted.and(live.into()) } else { counted };
    let given_up = columns.invoice_id.via(invoice.written_off_on);
    let given_up = period.to.map_or_else(
        || Expr::Not(Box::new(Expr::IsNull(given_up.clone()))),
        |date| AsOf { date, restated: period.restated }.by(given_up.clone()),
    );
    let amount = || Measure::Sum(columns.amount.operand());
    Aggregate::new(Allocation::TABLE, of.into_expr().and(counted).and(Expr::Not(Box::new(given_up))))
        .by(Group::Value(columns.currency.operand()))
        .by(Group::Value(columns.contact_id.operand()))
        .by(Group::Value(columns.invoice_id.operand()))
        .by(Group::Value(columns.invoice_id.via(invoice.total)))
        .by(Group::Value(columns.invoice_id.via(invoice.issued_on)))
        .by(Group::Value(columns.invoice_id.via(invoice.due_on)))
        .measure(amount())
        .measure_where(amount(), columns.source.ne(&AllocationSource::Offset))
        .measure(Measure::Max(day))
}

/// How long an invoice of [`corrected`] took, if it was settled in the period.
fn settled(period: &Period, totals: &Totals<'_>) -> Result<Option<Sums>, CrmError> {
    let day = |value, column| read::<Option<Date>>(value, Invoice::TABLE, column);
    let days =
        (day(totals.value(2), "settled_on")?, day(totals.group(4), "issued_on")?, day(totals.group(5), "due_on")?);
    let (Some(settled_on), Some(issued_on), Some(due_on)) = days else { return Ok(None) };
    let nothing_due = totals.group(3).as_int() == Some(totals.number(0));
    Ok((nothing_due && totals.number(1) > 0 && period.holds(settled_on)).then(|| Sums {
        invoices: 1,
        days: (settled_on - issued_on).num_days(),
        late: (settled_on - due_on).num_days(),
    }))
}
