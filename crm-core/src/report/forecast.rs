//! R7, the forecast: what open deals are likely to bring, and when.

use std::collections::BTreeMap;

use chrono::Datelike as _;
use serde::Serialize;

use super::stages::Visits;
use super::{between, currency_of, end_of, plus};
use crate::crm::Session;
use crate::entity::Entity as _;
use crate::error::CrmError;
use crate::id::Id;
use crate::row::Value;
use crate::sales::{Deal, DealStatus, Pipeline, StageChange};
use crate::store::{Aggregate, Group, Measure, Operand, Share};
use crate::value::{Currency, Date, Money, Zone};

/// What the forecast covers.
#[derive(Clone, Copy, Debug, Default)]
pub struct ForecastOptions {
    /// Of which pipeline; of all otherwise.
    pub pipeline: Option<Id<Pipeline>>,
    /// As of the end of which civil day; today otherwise.
    pub as_of: Option<Date>,
    /// The zone of the day; the organization's otherwise.
    pub zone: Option<Zone>,
}

/// R7: what the deals that were open at the end of a day are likely to bring. A deal's amount is weighted with its
/// stage's probability and rounded half away from zero; then the deals are summed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Forecast {
    /// As of which civil date.
    pub as_of: Date,
    /// Deals that are expected to close on the date or later, by month and currency.
    pub months: Vec<ForecastMonth>,
    /// Deals that should have closed before the date, by currency.
    pub slipped: Vec<ForecastFigures>,
    /// Deals without an expected date, by currency.
    pub undated: Vec<ForecastFigures>,
    /// All open deals, by currency.
    pub totals: Vec<ForecastFigures>,
}

/// What is expected of one month in one currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ForecastMonth {
    /// The month's first day.
    pub month: Date,
    /// What is expected.
    #[serde(flatten)]
    pub figures: ForecastFigures,
    /// How many deals were won in the month up to the end of the date and still are; only the date's own month
    /// can have any.
    pub won_deals: i64,
    /// What they are worth.
    pub won: Money,
}

/// Open deals of one currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ForecastFigures {
    /// The currency.
    pub currency: Currency,
    /// How many.
    pub deals: i64,
    /// What they are worth.
    pub amount: Money,
    /// What they are likely to bring.
    pub weighted: Money,
    /// How many of them are in a stage without a probability: one of 0. They bring nothing.
    pub unlikely_deals: i64,
    /// What those are worth.
    pub unlikely: Money,
}

/// Deals, amount, weighted, deals and amount without a probability.
type Sums = [i64; 5];

fn figures(currency: Currency, [deals, amount, weighted, unlikely_deals, unlikely]: Sums) -> ForecastFigures {
    let [amount, weighted, unlikely] = [amount, weighted, unlikely].map(|minor| Money::new(minor, currency));
    ForecastFigures { currency, deals, amount, weighted, unlikely_deals, unlikely }
}

fn add(sums: &mut Sums, more: Sums) -> Result<(), CrmError> {
    sums.iter_mut().zip(more).try_for_each(|(sum, more)| plus(sum, more))
}

fn listed(sums: BTreeMap<Currency, Sums>) -> Vec<ForecastFigures> {
    sums.into_iter().map(|(currency, sums)| figures(currency, sums)).collect()
}

/// Visits by currency and expected date. Grouping by day rather than month keeps an index's order.
fn weighed(query: Aggregate, [currency, expected, amount]: [Operand; 3], share: Share) -> Aggregate {
    query
        .by(Group::Value(currency))
        .by(Group::Value(expected))
        .measure(Measure::Count)
        .measure(Measure::Sum(amount.clone()))
        .measure(Measure::Sum(Operand::Share(Box::new(amount), share)))
}

impl Session<'_> {
    /// R7: what open deals are likely to bring, by month of their expected close and currency.
    ///
    /// # Errors
    /// When the role may not see it; [`CrmError::NotFound`] when there is no such pipeline.
    pub async fn forecast(&self, options: &ForecastOptions) -> Result<Forecast, CrmError> {
        let session = self.current().await?;
        let (deals, steps) =
            (session.reported_on::<Deal>("forecast").await?, session.reported_on::<StageChange>("forecast").await?);
        if let Some(pipeline) = options.pipeline {
            session.get(pipeline).await?;
        }
        let zone = session.zone(options.zone);
        let as_of = session.day(options.as_of, zone);
        let this_month = as_of.with_day(1).unwrap_or(as_of);
        let until = end_of(as_of, zone);
        let visits = Visits { until, deals: deals.clone(), steps };
        let (deal, step) = (Deal::COLUMNS, StageChange::COLUMNS);
        // Each stage's deals are asked for by themselves, so that their probability is a number in the query and
        // not looked up for every deal.
        let answered = session
            .by_stage(options.pipeline, |stages| {
                let mut queries = Vec::with_capacity(2 * stages.len() + 1);
                for stage in stages {
                    let share = Share::percent(stage.probability).unwrap_or_default();
                    let lasting = Aggregate::new(Deal::TABLE, visits.lasting(&[stage.id]));
                    let own = [deal.currency.operand(), deal.expected_close_on.operand(), deal.amount.operand()];
                    queries.push(weighed(lasting, own, share));
                    let ended = Aggregate::new(StageChange::TABLE, visits.ended(&[stage.id]));
                    let of = step.deal_id;
                    let deals = [of.via(deal.currency), of.via(deal.expected_close_on), of.via(deal.amount)];
                    queries.push(weighed(ended, deals, share));
                }
                let mut pipelines: Vec<Id<Pipeline>> = stages.iter().map(|stage| stage.pipeline).collect();
                pipelines.dedup();
                let won = deal.pipeline_id.is_in(&pipelines) & deal.status.eq(&DealStatus::Won);
                let when = between(&deal.closed_at.operand(), Some(zone.start_of(this_month)), Some(until));
                let won = won.into_expr().and(when).and(deals.clone());
                let won = Aggregate::new(Deal::TABLE, won).by(Group::Value(deal.currency.operand()));
                queries.push(won.measure(Measure::Count).measure(Measure::Sum(deal.amount.operand())));
                queries
            })
            .await?;
        let mut months: BTreeMap<(Date, Currency), (Sums, [i64; 2])> = BTreeMap::new();
        let [mut slipped, mut undated, mut totals] = [const { BTreeMap::<Currency, Sums>::new() }; 3];
        for (place, stage) in answered.stages.iter().enumerate() {
            for row in answered.rows(2 * place).chain(answered.rows(2 * place + 1)) {
                let currency = currency_of(row.group(0))?;
                let [deals, amount, weighted] = [row.number(0), row.number(1), row.number(2)];
                let unlikely = if stage.probability.is_zero() { [deals, amount] } else { [0, 0] };
                let sums = [deals, amount, weighted, unlikely[0], unlikely[1]];
                add(totals.entry(currency).or_default(), sums)?;
                match row.group(1) {
                    Value::Date(day) if *day < as_of => add(slipped.entry(currency).or_default(), sums)?,
                    Value::Date(day) => {
                        let month = day.with_day(1).unwrap_or(*day);
                        add(&mut months.entry((month, currency)).or_default().0, sums)?;
                    }
                    _ => add(undated.entry(currency).or_default(), sums)?,
                }
            }
        }
        for row in answered.rows(2 * answered.stages.len()) {
            let currency = currency_of(row.group(0))?;
            months.entry((this_month, currency)).or_default().1 = [row.number(0), row.number(1)];
        }
        let months = months.into_iter().map(|((month, currency), (sums, [won_deals, won]))| ForecastMonth {
            month,
            figures: figures(currency, sums),
            won_deals,
            won: Money::new(won, currency),
        });
        Ok(Forecast {
            as_of,
            months: months.collect(),
            slipped: listed(slipped),
            undated: listed(undated),
            totals: listed(totals),
        })
    }
}
