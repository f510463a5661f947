//! R5, deals by status.

use std::collections::{BTreeMap, BTreeSet};

use chrono::Days;
use serde::Serialize;

use super::{between, currency_of, end_of, mean, period, plus};
use crate::crm::Session;
use crate::entity::Entity as _;
use crate::error::CrmError;
use crate::sales::{Deal, DealStatus};
use crate::store::{Aggregate, Expr, Group, Measure, Totals};
use crate::value::{Currency, Date, Money, Zone};

/// What the totals cover.
#[derive(Clone, Copy, Debug)]
pub struct DealTotalsOptions {
    /// How many civil days, the last of them included, a deal is a new one.
    pub days: u32,
    /// The last of these days; today otherwise.
    pub as_of: Option<Date>,
    /// Only deals that began on this civil day or later.
    pub from: Option<Date>,
    /// Only deals that began on this civil day or earlier.
    pub to: Option<Date>,
    /// The zone of the days; the organization's otherwise.
    pub zone: Option<Zone>,
}

impl Default for DealTotalsOptions {
    /// All deals, new ones of the last 30 days.
    fn default() -> Self {
        Self { days: 30, as_of: None, from: None, to: None, zone: None }
    }
}

/// R5: the deals as they stand now, archived ones left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DealTotals {
    /// The first civil day on which a deal is a new one.
    pub since: Date,
    /// The last.
    pub as_of: Date,
    /// All deals of each currency, by its code.
    pub totals: Vec<DealFigures>,
    /// One row for each currency and status, those without a deal too; the organization's currency is always
    /// there.
    pub rows: Vec<DealRow>,
}

/// The deals of one currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct DealFigures {
    /// The currency.
    pub currency: Currency,
    /// How many.
    pub deals: i64,
    /// What they are worth together.
    pub amount: Money,
    /// What they are worth on average, rounded half away from zero; absent without a deal.
    pub mean: Option<Money>,
    /// How many of them are new.
    pub new: i64,
}

/// The deals of one status and currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct DealRow {
    /// The status.
    pub status: DealStatus,
    /// How many there are, and what they are worth.
    #[serde(flatten)]
    pub figures: DealFigures,
}

/// Number, sum in minor units, number of new ones.
type Sums = [i64; 3];

fn figures(currency: Currency, [deals, amount, new]: Sums) -> DealFigures {
    let money = |minor| Money::new(minor, currency);
    DealFigures { currency, deals, amount: money(amount), mean: mean(amount, deals).map(money), new }
}

impl Session<'_> {
    /// R5: how many deals there are and what they are worth, by status and currency, and how many are new.
    ///
    /// # Errors
    /// When the role may not see it; [`CrmError::Invalid`] when the period ends before it begins.
    pub async fn deal_totals(&self, options: &DealTotalsOptions) -> Result<DealTotals, CrmError> {
        let visible = self.reported_on::<Deal>("deals").await?;
        let zone = self.zone(options.zone);
        let (from, until) = period(options.from, options.to, zone)?;
        let as_of = self.day(options.as_of, zone);
        // No days end the day before they begin.
        let first = as_of.checked_add_days(Days::new(1)).unwrap_or(Date::MAX);
        let since = first.checked_sub_days(Days::new(options.days.into())).unwrap_or(Date::MIN);
        let columns = Deal::COLUMNS;
        let began = columns.opened_at.operand();
        let new = between(&began, Some(zone.start_of(since)), Some(end_of(as_of, zone)));
        let filter = Expr::IsNull(columns.archived_at.operand()).and(between(&began, from, until)).and(visible);
        let query = Aggregate::new(Deal::TABLE, filter)
            .by(Group::Value(columns.currency.operand()))
            .by(Group::Value(columns.status.operand()))
            .measure(Measure::Count)
            .measure(Measure::Sum(columns.amount.operand()))
            .measure_where(Measure::Count, new);
        let answer = self.store().aggregate(self.scope(), std::slice::from_ref(&query)).await?.swap_remove(0);
        let mut currencies = BTreeSet::from([self.organization().default_currency]);
        let mut found: BTreeMap<(Currency, &str), Sums> = BTreeMap::new();
        for row in &answer {
            let totals = Totals::new(&query, row);
            let currency = currency_of(totals.group(0))?;
            currencies.insert(currency);
            let status = totals.group(1).as_text().unwrap_or_default();
            found.insert((currency, status), [totals.number(0), totals.number(1), totals.number(2)]);
        }
        let (mut totals, mut rows) = (Vec::new(), Vec::new());
        for currency in currencies {
            let mut all: Sums = [0; 3];
            for status in DealStatus::ALL.iter().copied() {
                let sums = found.get(&(currency, status.as_str())).copied().unwrap_or_default();
                for (all, more) in all.iter_mut().zip(sums) {
                    plus(all, more)?;
                }
                rows.push(DealRow { status, figures: figures(currency, sums) });
            }
            totals.push(figures(currency, all));
        }
        Ok(DealTotals { since, as_of, totals, rows })
    }
}
