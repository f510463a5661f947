//! R8, velocity: how long deals stay in each stage, how many are won, and how long that takes.

use serde::Serialize;

use super::stages::Visits;
use super::{between, mean, period, plus, ratio};
use crate::crm::Session;
use crate::entity::Entity as _;
use crate::error::CrmError;
use crate::id::Id;
use crate::sales::{Deal, DealStatus, Pipeline, Stage, StageChange};
use crate::store::{Aggregate, Expr, Group, Measure, Operand};
use crate::value::{Date, Decimal6, Instant, Zone};

/// What the velocity covers.
#[derive(Clone, Copy, Debug, Default)]
pub struct VelocityOptions {
    /// Of which pipeline; of the organization's default otherwise.
    pub pipeline: Option<Id<Pipeline>>,
    /// Only visits that ended and deals that were closed on this civil day or later.
    pub from: Option<Date>,
    /// Nothing after this civil day.
    pub to: Option<Date>,
    /// Nothing from this instant on; now otherwise. Open visits last until then, or until the last day is over if
    /// that is earlier.
    pub as_of: Option<Instant>,
    /// The zone of the days; the organization's otherwise.
    pub zone: Option<Zone>,
}

/// R8: how fast the deals of a pipeline go. Times are whole seconds, means rounded half away from zero.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Velocity {
    /// The first civil day, if there is one.
    pub from: Option<Date>,
    /// The last civil day, if there is one.
    pub to: Option<Date>,
    /// The instant at which the period is over, until which open visits last.
    pub as_of: Instant,
    /// Of which pipeline.
    pub pipeline_id: Id<Pipeline>,
    /// Its name.
    pub pipeline: String,
    /// The stages, in order.
    pub stages: Vec<StageTime>,
    /// How many deals were won in the period and still are. A deal that was closed several times counts by the last
    /// time, one that is open again not at all.
    pub won: i64,
    /// How many deals were lost in the period and still are.
    pub lost: i64,
    /// What part of both was won; absent without any.
    pub win_rate: Option<Decimal6>,
    /// How many seconds a won deal took from its beginning on average; absent without one.
    pub mean_cycle_seconds: Option<i64>,
}

/// The visits of one stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StageTime {
    /// The stage.
    pub stage_id: Id<Stage>,
    /// Its name.
    pub stage: String,
    /// Its place.
    pub position: i64,
    /// How many visits: those that ended in the period, and those open at its end. A deal that comes back visits
    /// the stage again; one that skips it does not visit it.
    pub visits: i64,
    /// How many of them were open.
    pub open: i64,
    /// How many seconds they took together.
    pub seconds: i64,
    /// How many seconds they took on average; absent without one.
    pub mean_seconds: Option<i64>,
}

/// The seconds from an operand to an instant.
fn until(from: Operand, to: Instant) -> Operand {
    Operand::Difference(Box::new(Operand::Instant(to)), Box::new(from))
}

impl Session<'_> {
    /// R8: how long deals stay in each stage, how many are won, and how long that takes.
    ///
    /// # Errors
    /// When the role may not see it; [`CrmError::NotFound`] when there is no such pipeline;
    /// [`CrmError::Invalid`] when the period ends before it begins.
    pub async fn velocity(&self, options: &VelocityOptions) -> Result<Velocity, CrmError> {
        let session = self.current().await?;
        let (deals, steps) =
            (session.reported_on::<Deal>("velocity").await?, session.reported_on::<StageChange>("velocity").await?);
        let pipeline = session.reported_pipeline(options.pipeline).await?;
        let (from, over) = period(options.from, options.to, session.zone(options.zone))?;
        let as_of = options.as_of.unwrap_or_else(|| session.context().now());
        let as_of = over.map_or(as_of, |over| over.min(as_of));
        let visits = Visits { until: as_of, deals: deals.clone(), steps: steps.clone() };
        let (deal, step) = (Deal::COLUMNS, StageChange::COLUMNS);
        let closed = |status| {
            let when = between(&deal.closed_at.operand(), from, Some(as_of));
            let of = deal.pipeline_id.eq(&pipeline.id) & deal.status.eq(&status);
            Aggregate::new(Deal::TABLE, of.into_expr().and(when).and(deals.clone())).measure(Measure::Count)
        };
        let cycle = Operand::Difference(Box::new(deal.closed_at.operand()), Box::new(deal.opened_at.operand()));
        let answered = session
            .by_stage(Some(pipeline.id), |stages| {
                let ids: Vec<Id<Stage>> = stages.iter().map(|stage| stage.id).collect();
                let left = step.from_stage_id.is_in(&ids.iter().copied().map(Some).collect::<Vec<_>>());
                let ended = between(&step.at.operand(), from, Some(as_of));
                let ended = left.into_expr().and(ended).and((!step.visit_seconds.is_null()).into());
                let ended = timed(StageChange::TABLE, ended.and(steps.clone()), step.from_stage_id.operand());
                let lasting = timed(Deal::TABLE, visits.lasting(&ids), deal.stage_id.operand());
                let since = timed(StageChange::TABLE, visits.ended(&ids), step.from_stage_id.operand());
                vec![
                    ended.measure(Measure::Sum(step.visit_seconds.operand())),
                    lasting.measure(Measure::Sum(until(deal.stage_entered_at.operand(), as_of))),
                    since.measure(Measure::Sum(until(step.entered_at.operand(), as_of))),
                    closed(DealStatus::Won).measure(Measure::Sum(cycle.clone())),
                    closed(DealStatus::Lost),
                ]
            })
            .await?;
        // Visits, open ones, seconds.
        let mut sums = vec![[0; 3]; answered.stages.len()];
        for (query, open) in [(0, false), (1, true), (2, true)] {
            for totals in answered.rows(query) {
                let Some(place) = answered.place(totals.group(0)) else { continue };
                let [visits, still_open, seconds] = &mut sums[place];
                plus(visits, totals.number(0))?;
                plus(still_open, if open { totals.number(0) } else { 0 })?;
                plus(seconds, totals.number(1))?;
            }
        }
        let stage = |(stage, [visits, open, seconds]): (&super::stages::StageRow, [i64; 3])| StageTime {
            stage_id: stage.id,
            stage: stage.name.clone(),
            position: stage.position,
            visits,
            open,
            seconds,
            mean_seconds: mean(seconds, visits),
        };
        let (won, cycle) = answered.rows(3).next().map_or((0, 0), |totals| (totals.number(0), totals.number(1)));
        let lost = answered.rows(4).next().map_or(0, |totals| totals.number(0));
        Ok(Velocity {
            from: options.from,
            to: options.to,
            as_of,
            pipeline_id: pipeline.id,
            pipeline: pipeline.name.to_string(),
            stages: answered.stages.iter().zip(sums).map(stage).collect(),
            won,
            lost,
            win_rate: ratio(won, won + lost),
            mean_cycle_seconds: mean(cycle, won),
        })
    }
}

/// Visits by their stage.
fn timed(table: &'static crate::entity::Table, visits: Expr, stage: Operand) -> Aggregate {
    Aggregate::new(table, visits).by(Group::Value(stage)).measure(Measure::Count)
}
