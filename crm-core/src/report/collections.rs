//! Collections: the money that came in and went out again, by month and method.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Period, currency_of, plus, read};
use crate::billing::{Method, Payment, Refund};
use crate::crm::Session;
use crate::entity::{Entity as _, Table};
use crate::error::CrmError;
use crate::store::{Aggregate, Expr, Group, Measure, Operand, Totals};
use crate::value::{Currency, Date, Money};

/// What the report covers.
#[derive(Clone, Copy, Debug, Default)]
pub struct CollectionOptions {
    /// The first civil day; that of the first payment or refund otherwise.
    pub from: Option<Date>,
    /// The last civil day; that of the last payment or refund otherwise.
    pub to: Option<Date>,
    /// Whether corrections count from the day of what they correct: reversed payments never were.
    pub restated: bool,
}

/// The money that came in over a period. A payment counts on the day of its receipt and, reversed, is taken back on the day
/// of the reversal; a refund counts on its own day, by its own method, whatever became of the payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Collections {
    /// The first civil day, if there is one.
    pub from: Option<Date>,
    /// The last civil day, if there is one.
    pub to: Option<Date>,
    /// The figures of each currency, by its code.
    pub totals: Vec<CollectionFigures>,
    /// By currency, month and method: those that had any. Money without a known method comes last.
    pub rows: Vec<CollectionRow>,
}

/// The figures of one currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CollectionFigures {
    /// The currency.
    pub currency: Currency,
    /// How many payments were received.
    pub payments: i64,
    /// What was received.
    pub received: Money,
    /// What was reversed of this or of earlier payments.
    pub reversed: Money,
    /// What was paid back.
    pub refunded: Money,
    /// What is left: received less reversed less refunded.
    pub net: Money,
}

/// What came in in a month by a method.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CollectionRow {
    /// The month's first day.
    pub month: Date,
    /// How it was paid, if that is known.
    pub method: Option<Method>,
    /// The figures.
    #[serde(flatten)]
    pub figures: CollectionFigures,
}

/// The figures in minor units.
#[derive(Clone, Copy, Default)]
struct Sums {
    payments: i64,
    received: i64,
    reversed: i64,
    refunded: i64,
}

impl Sums {
    /// Adds a row of the query with this number.
    fn add(&mut self, query: usize, totals: &Totals<'_>) -> Result<(), CrmError> {
        let sum = match query {
            0 => {
                plus(&mut self.payments, totals.number(1))?;
                &mut self.received
            }
            1 => &mut self.reversed,
            _ => &mut self.refunded,
        };
        plus(sum, totals.number(0))
    }

    fn figures(&self, currency: Currency) -> CollectionFigures {
        let money = |minor| Money::new(minor, currency);
        CollectionFigures {
            currency,
            payments: self.payments,
            received: money(self.received),
            reversed: money(self.reversed),
            refunded: money(self.refunded),
            net: money(self.received - self.reversed - self.refunded),
        }
    }
}

/// What comes to so much in each currency and month, and by each method.
fn monthly(table: &'static Table, filter: Expr, [currency, day, method, amount]: [Operand; 4]) -> Aggregate {
    Aggregate::new(table, filter)
        .by(Group::Value(currency))
        .by(Group::Month(day))
        .by(Group::Value(method))
        .measure(Measure::Sum(amount))
}

impl Session<'_> {
    /// What was received, reversed and paid back, by month and method.
    ///
    /// # Errors
    /// When the role may not see it; [`CrmError::Invalid`] when the period ends before it begins.
    pub async fn collections(&self, options: &CollectionOptions) -> Result<Collections, CrmError> {
        let CollectionOptions { from, to, restated } = *options;
        let visible = self.reported("collections").await?;
        let period = Period::new(from, to, restated)?;
        let columns = Payment::COLUMNS;
        let payments = |day: Operand, filter: Expr| {
            let operands = [columns.currency.operand(), day, columns.method.operand(), columns.amount.operand()];
            monthly(Payment::TABLE, filter.and(visible.payments.clone()), operands)
        };
        let (received_on, reversed_on) = (columns.received_on.operand(), columns.reversed_on.operand());
        let received = period.within(&received_on);
        let received = if restated { received.and(columns.reversed_on.is_null().into()) } else { received };
        let columns = Refund::COLUMNS;
        let refunded_on = columns.refunded_on.operand();
        let refunded = period.within(&refunded_on).and(visible.refunds);
        let operands = [columns.currency.operand(), refunded_on, columns.method.operand(), columns.amount.operand()];
        let queries = [
            payments(received_on, received).measure(Measure::Count),
            payments(reversed_on.clone(), period.taken_back(&reversed_on)),
            monthly(Refund::TABLE, refunded, operands),
        ];
        let answers = self.store().aggregate(self.scope(), &queries).await?;

        let mut totals: BTreeMap<Currency, Sums> = BTreeMap::new();
        let mut rows: BTreeMap<(Currency, Date, bool, Option<Method>), Sums> = BTreeMap::new();
        for (number, (query, answer)) in queries.iter().zip(&answers).enumerate() {
            for row in answer {
                let row = Totals::new(query, row);
                let currency = currency_of(row.group(0))?;
                let month = read(row.group(1), query.table, "received_on")?;
                let method: Option<Method> = read(row.group(2), query.table, "method")?;
                totals.entry(currency).or_default().add(number, &row)?;
                rows.entry((currency, month, method.is_none(), method)).or_default().add(number, &row)?;
            }
        }
        let row = |((currency, month, _, method), sums): (_, Sums)| CollectionRow {
            month,
            method,
            figures: sums.figures(currency),
        };
        Ok(Collections {
            from,
            to,
            totals: totals.into_iter().map(|(currency, sums)| sums.figures(currency)).collect(),
            rows: rows.into_iter().map(row).collect(),
        })
    }
}
