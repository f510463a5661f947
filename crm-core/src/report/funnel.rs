//! R6, the funnel: how far deals come, of all of them as of a date and of those that began in a period.

use std::collections::BTreeMap;

use serde::Serialize;

use super::stages::{Answered, StageRow, Visits};
use super::{between, currency_of, end_of, period, plus, ratio};
use crate::crm::Session;
use crate::entity::Entity as _;
use crate::error::CrmError;
use crate::id::Id;
use crate::sales::{Deal, DealStatus, Pipeline, Stage, StageChange};
use crate::store::{Aggregate, Expr, Group, Measure, Operand};
use crate::value::{Currency, Date, Decimal6, Instant, Money, Zone};

/// Which funnel.
#[derive(Clone, Copy, Debug, Default)]
pub struct FunnelOptions {
    /// Of which pipeline; of the organization's default otherwise.
    pub pipeline: Option<Id<Pipeline>>,
    /// As of the end of which civil day; today otherwise.
    pub as_of: Option<Date>,
    /// The zone of the day; the organization's otherwise.
    pub zone: Option<Zone>,
}

/// R6: where the deals of a pipeline stand at the end of a day, and how far all of them had come by then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Funnel {
    /// As of which civil date.
    pub as_of: Date,
    /// Of which pipeline.
    pub pipeline_id: Id<Pipeline>,
    /// Its name.
    pub pipeline: String,
    /// How many deals had begun.
    pub deals: i64,
    /// The stages, in order.
    pub stages: Vec<FunnelStage>,
    /// How many deals were ever won, opened again or not.
    pub won: i64,
    /// What part of the deals that reached the last stage were won; absent without any.
    pub won_conversion: Option<Decimal6>,
}

/// One stage of a funnel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FunnelStage {
    /// The stage.
    pub stage_id: Id<Stage>,
    /// Its name.
    pub stage: String,
    /// Its place.
    pub position: i64,
    /// How many open deals are in it.
    pub open: i64,
    /// What they are worth, by currency.
    pub amounts: Vec<Money>,
    /// How many deals reached it: were in it or a later one, or were won.
    pub reached: i64,
    /// What part of the deals that reached the stage before reached it; absent in the first, and without any.
    pub conversion: Option<Decimal6>,
}

/// Which deals' way.
#[derive(Clone, Copy, Debug, Default)]
pub struct CohortOptions {
    /// Of which pipeline; of the organization's default otherwise.
    pub pipeline: Option<Id<Pipeline>>,
    /// Only deals that began on this civil day or later.
    pub from: Option<Date>,
    /// Only deals that began on this civil day or earlier.
    pub to: Option<Date>,
    /// The zone of the days; the organization's otherwise.
    pub zone: Option<Zone>,
}

/// R6: how far the deals came that began in a period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cohort {
    /// The first civil day, if there is one.
    pub from: Option<Date>,
    /// The last civil day, if there is one.
    pub to: Option<Date>,
    /// Of which pipeline.
    pub pipeline_id: Id<Pipeline>,
    /// Its name.
    pub pipeline: String,
    /// How many deals began.
    pub deals: i64,
    /// The stages, in order.
    pub stages: Vec<CohortStage>,
    /// How many of the deals are won now.
    pub won: i64,
    /// How many of them are lost now.
    pub lost: i64,
    /// How many of them are open now.
    pub open: i64,
}

/// One stage on a cohort's way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CohortStage {
    /// The stage.
    pub stage_id: Id<Stage>,
    /// Its name.
    pub stage: String,
    /// Its place.
    pub position: i64,
    /// How many deals ever reached it: were in it or a later one, or were won.
    pub reached: i64,
    /// What part of the deals that reached the stage before reached it; absent in the first, and without any.
    pub conversion: Option<Decimal6>,
}

/// How far a deal came by an instant: the number of the farthest stage, or one more if it was won.
fn farthest(stages: &[StageRow], until: Option<Instant>) -> Operand {
    let columns = StageChange::COLUMNS;
    let mut ranks: Vec<Expr> = stages.iter().map(|stage| columns.to_stage_id.eq(&stage.id).into()).collect();
    ranks.push(columns.to_status.eq(&DealStatus::Won).into());
    let filter = Box::new(between(&columns.at.operand(), None, until));
    Operand::Rank { table: StageChange::TABLE, reference: columns.deal_id.index(), filter, ranks }
}

/// How many deals reached each stage, and how many were won, from their numbers by how far they came, and the number of
/// those that are won, whose steps need not be looked at.
fn reached(answered: &Answered, query: usize, group: usize, won: i64) -> Result<Vec<i64>, CrmError> {
    let mut reached = vec![won; answered.stages.len() + 1];
    for totals in answered.rows(query) {
        let rank = totals.group(group).as_int().and_then(|rank| usize::try_from(rank).ok()).unwrap_or(0);
        for reached in reached.iter_mut().take(rank) {
            plus(reached, totals.number(0))?;
        }
    }
    Ok(reached)
}

/// The answer to a query for one number.
fn count(answered: &Answered, query: usize) -> i64 {
    answered.rows(query).next().map_or(0, |totals| totals.number(0))
}

/// What part of the deals that reached the step before reached this one.
fn conversion(reached: &[i64], step: usize) -> Option<Decimal6> {
    ratio(reached[step], *reached.get(step.checked_sub(1)?)?)
}

impl Session<'_> {
    /// R6: where the deals of a pipeline stand, and how far they came.
    ///
    /// # Errors
    /// When the role may not see it; [`CrmError::NotFound`] when there is no such pipeline.
    pub async fn funnel(&self, options: &FunnelOptions) -> Result<Funnel, CrmError> {
        let session = self.current().await?;
        let (deals, steps) =
            (session.reported_on::<Deal>("funnel").await?, session.reported_on::<StageChange>("funnel").await?);
        let pipeline = session.reported_pipeline(options.pipeline).await?;
        let zone = session.zone(options.zone);
        let as_of = session.day(options.as_of, zone);
        let until = end_of(as_of, zone);
        let visits = Visits { until, deals: deals.clone(), steps };
        let answered = session
            .by_stage(Some(pipeline.id), |stages| {
                let ids: Vec<Id<Stage>> = stages.iter().map(|stage| stage.id).collect();
                let (deal, step) = (Deal::COLUMNS, StageChange::COLUMNS);
                let lasting = Aggregate::new(Deal::TABLE, visits.lasting(&ids))
                    .by(Group::Value(deal.stage_id.operand()))
                    .by(Group::Value(deal.currency.operand()))
                    .measure(Measure::Count)
                    .measure(Measure::Sum(deal.amount.operand()));
                let ended = Aggregate::new(StageChange::TABLE, visits.ended(&ids))
                    .by(Group::Value(step.from_stage_id.operand()))
                    .by(Group::Value(step.deal_id.via(deal.currency)))
                    .measure(Measure::Count)
                    .measure(Measure::Sum(step.deal_id.via(deal.amount)));
                let began = between(&deal.opened_at.operand(), None, Some(until));
                let all = deal.pipeline_id.eq(&pipeline.id).into_expr().and(began).and(deals.clone());
                let won = deal.status.eq(&DealStatus::Won) & deal.closed_at.lt(&Some(until));
                let ranked = Aggregate::new(Deal::TABLE, all.clone().and((!won.clone()).into()))
                    .by(Group::Value(farthest(stages, Some(until))))
                    .measure(Measure::Count);
                let won = Aggregate::new(Deal::TABLE, all.and(won.into())).measure(Measure::Count);
                vec![lasting, ended, ranked, won]
            })
            .await?;
        let won = count(&answered, 3);
        let reached = reached(&answered, 2, 0, won)?;
        let mut stages: Vec<FunnelStage> = (0..)
            .zip(&answered.stages)
            .map(|(place, stage)| FunnelStage {
                stage_id: stage.id,
                stage: stage.name.clone(),
                position: stage.position,
                open: 0,
                amounts: Vec::new(),
                reached: reached[place],
                conversion: conversion(&reached, place),
            })
            .collect();
        let mut amounts: Vec<BTreeMap<Currency, i64>> = vec![BTreeMap::new(); stages.len()];
        for totals in answered.rows(0).chain(answered.rows(1)) {
            let Some(place) = answered.place(totals.group(0)) else { continue };
            let (stage, currency) = (&mut stages[place], currency_of(totals.group(1))?);
            plus(&mut stage.open, totals.number(0))?;
            plus(amounts[place].entry(currency).or_default(), totals.number(1))?;
        }
        for (stage, amounts) in stages.iter_mut().zip(amounts) {
            stage.amounts = amounts.into_iter().map(|(currency, minor)| Money::new(minor, currency)).collect();
        }
        let mut all = won;
        for totals in answered.rows(2) {
            plus(&mut all, totals.number(0))?;
        }
        Ok(Funnel {
            as_of,
            pipeline_id: pipeline.id,
            pipeline: pipeline.name.to_string(),
            deals: all,
            won: reached[stages.len()],
            won_conversion: conversion(&reached, stages.len()),
            stages,
        })
    }

    /// R6: how far the deals came that began in a period, and what became of them.
    ///
    /// # Errors
    /// When the role may not see it; [`CrmError::NotFound`] when there is no such pipeline;
    /// [`CrmError::Invalid`] when the period ends before it begins.
    pub async fn cohort(&self, options: &CohortOptions) -> Result<Cohort, CrmError> {
        let session = self.current().await?;
        let deals = session.reported_on::<Deal>("funnel").await?;
        let pipeline = session.reported_pipeline(options.pipeline).await?;
        let (from, until) = period(options.from, options.to, session.zone(options.zone))?;
        let columns = Deal::COLUMNS;
        let began = between(&columns.opened_at.operand(), from, until);
        let of = columns.pipeline_id.eq(&pipeline.id).into_expr().and(began).and(deals);
        let answered = session
            .by_stage(Some(pipeline.id), |stages| {
                let won = columns.status.eq(&DealStatus::Won);
                let ranked = Aggregate::new(Deal::TABLE, of.clone().and((!won.clone()).into()))
                    .by(Group::Value(columns.status.operand()))
                    .by(Group::Value(farthest(stages, None)))
                    .measure(Measure::Count);
                vec![ranked, Aggregate::new(Deal::TABLE, of.clone().and(won.into())).measure(Measure::Count)]
            })
            .await?;
        let won = count(&answered, 1);
        let reached = reached(&answered, 0, 1, won)?;
        let stages = (0..)
            .zip(&answered.stages)
            .map(|(place, stage)| CohortStage {
                stage_id: stage.id,
                stage: stage.name.clone(),
                position: stage.position,
                reached: reached[place],
                conversion: conversion(&reached, place),
            })
            .collect();
        let [mut lost, mut open] = [0; 2];
        for totals in answered.rows(0) {
            let is_lost = totals.group(0).as_text() == Some(DealStatus::Lost.as_str());
            plus(if is_lost { &mut lost } else { &mut open }, totals.number(0))?;
        }
        Ok(Cohort {
            from: options.from,
            to: options.to,
            pipeline_id: pipeline.id,
            pipeline: pipeline.name.to_string(),
            deals: won + lost + open,
            stages,
            won,
            lost,
            open,
        })
    }
}
