//! The random questions for reports of sales, of cases, and of billing over a period.

use serde_json::{Value as Json, json};

use super::{Dice, Made, date};
use crate::Session;
use crate::error::CrmError;
use crate::report::{
    CaseReportOptions, CohortOptions, CollectionOptions, DaysToPayOptions, DealTotalsOptions, DebtorsOptions,
    ForecastOptions, FunnelOptions, LeadCountsOptions, RevenueBy, RevenueOptions, TaxOptions, VelocityOptions,
};
use crate::value::{Date, Instant, Zone};

/// An instant of the play, which lasts less than an hour.
fn instant(dice: &mut Dice) -> Option<Instant> {
    let start = 1_781_524_800_000_000;
    let later = i64::try_from(dice.roll(3_000_000_000)).unwrap_or(0);
    Instant::from_micros(start + later).ok()
}

/// A day about that of the play, a day before, or none.
fn day(dice: &mut Dice) -> Option<Date> {
    let today = Date::from_ymd_opt(2026, 6, 15)?;
    match dice.roll(4) {
        0 => Some(today),
        1 => today.pred_opt(),
        2 => Some(date(dice)),
        _ => None,
    }
}

/// One question about billing.
async fn billing(session: &Session<'_>, dice: &mut Dice) -> String {
    let (from, to, restated) = (day(dice), day(dice), dice.once_in(3));
    let (name, answer): (_, Result<Json, CrmError>) = match dice.roll(5) {
        0 => {
            let by = *dice.pick(RevenueBy::ALL).unwrap_or(&RevenueBy::Month);
            let options = RevenueOptions { from, to, by, restated };
            ("revenue", session.revenue(&options).await.map(|report| json!(report)))
        }
        1 => {
            let options = CollectionOptions { from, to, restated };
            ("collections", session.collections(&options).await.map(|report| json!(report)))
        }
        2 => {
            let options = TaxOptions { from, to, restated };
            ("taxes", session.taxes(&options).await.map(|report| json!(report)))
        }
        3 => {
            let limit = dice.once_in(2).then(|| usize::try_from(dice.roll(4)).unwrap_or(0));
            let options = DebtorsOptions { as_of: to, limit, restated };
            ("debtors", session.debtors(&options).await.map(|report| json!(report)))
        }
        _ => {
            let options = DaysToPayOptions { from, to, per_contact: dice.once_in(2), restated };
            ("days_to_pay", session.days_to_pay(&options).await.map(|report| json!(report)))
        }
    };
    told(name, answer)
}

fn told(name: &str, answer: Result<Json, CrmError>) -> String {
    match answer {
        Ok(report) => format!("report.{name} {report}"),
        Err(error) => format!("report.{name} {}: {error}", error.code().as_str()),
    }
}

/// One question.
pub(super) async fn step(session: &Session<'_>, dice: &mut Dice, made: &Made) -> String {
    if dice.once_in(3) {
        return billing(session, dice).await;
    }
    let pipeline = if dice.once_in(3) { dice.pick(&made.sales.pipelines).copied() } else { None };
    let zone: Option<Zone> = if dice.once_in(3) { "Asia/Tokyo".parse().ok() } else { None };
    let (from, to) = (day(dice), day(dice));
    let as_of = if dice.once_in(2) { instant(dice) } else { None };
    let few = u32::try_from(dice.roll(3)).unwrap_or(0);
    let (name, answer): (_, Result<Json, CrmError>) = match dice.roll(7) {
        0 => {
            let options = LeadCountsOptions { hours: few, as_of, from, to, zone };
            ("leads", session.lead_counts(&options).await.map(|report| json!(report)))
        }
        1 => {
            let options = DealTotalsOptions { days: few, as_of: day(dice), from, to, zone };
            ("deals", session.deal_totals(&options).await.map(|report| json!(report)))
        }
        2 => {
            let options = FunnelOptions { pipeline, as_of: from, zone };
            ("funnel", session.funnel(&options).await.map(|report| json!(report)))
        }
        3 => {
            let options = CohortOptions { pipeline, from, to, zone };
            ("cohort", session.cohort(&options).await.map(|report| json!(report)))
        }
        4 => {
            let options = ForecastOptions { pipeline, as_of: from, zone };
            ("forecast", session.forecast(&options).await.map(|report| json!(report)))
        }
        5 => {
            let options = CaseReportOptions { days: few, as_of: day(dice), from, to, zone };
            ("cases", session.case_report(&options).await.map(|report| json!(report)))
        }
        _ => {
            let options = VelocityOptions { pipeline, from, to, as_of, zone };
            ("velocity", session.velocity(&options).await.map(|report| json!(report)))
        }
    };
    told(name, answer)
}
