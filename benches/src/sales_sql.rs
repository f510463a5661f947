//! The reports of sales as a careful hand writes them, for both databases, and their figures, which must be the library's.

use std::collections::BTreeMap;

use chrono::{Datelike as _, Days, NaiveDate};
use crm_core::report::{
    Cohort, CohortOptions, Forecast, ForecastFigures, ForecastOptions, Funnel, FunnelOptions, Velocity, VelocityOptions,
};
use crm_core::value::{Instant, Money, Zone};
use crm_core::{Session, Value};
use uuid::Uuid;

use crate::Outcome;
use crate::hand::{Cells as _, Database};
use crate::ledger::{AS_OF, days};

/// A report, by name.
pub(crate) const REPORTS: [&str; 4] = ["funnel", "cohort", "forecast", "velocity"];

/// Figures by what they are of.
pub(crate) type Sums = BTreeMap<String, [i64; 5]>;

/// The report by the library.
pub(crate) async fn library(name: &str, session: &Session<'_>) -> Outcome<Sums> {
    Ok(match name {
        "funnel" => of_funnel(&session.funnel(&FunnelOptions { as_of: Some(AS_OF), ..Default::default() }).await?),
        "cohort" => of_cohort(&session.cohort(&CohortOptions { from: Some(FROM), ..Default::default() }).await?),
        "forecast" => {
            of_forecast(&session.forecast(&ForecastOptions { as_of: Some(AS_OF), ..Default::default() }).await?)
        }
        _ => of_velocity(&session.velocity(&VelocityOptions { to: Some(AS_OF), ..Default::default() }).await?),
    })
}

/// The report by hand.
pub(crate) fn by_hand<D: Database>(name: &str, zone: Zone, database: &mut D) -> Outcome<Sums> {
    database.begin()?;
    let frame = Frame::read(zone, database)?;
    let sums = match name {
        "funnel" => funnel(&frame, database)?,
        "cohort" => cohort(&frame, database)?,
        "forecast" => forecast(&frame, database)?,
        _ => velocity(&frame, database)?,
    };
    database.end()?;
    Ok(sums)
}

/// The first day of the cohort.
const FROM: NaiveDate = NaiveDate::from_ymd_opt(2025, 11, 1).expect("a date");

/// The default pipeline with its four stages, and the instants that the reports ask for.
struct Frame {
    pipeline: Uuid,
    stages: Vec<(Uuid, i64)>,
    /// The first instant after the day.
    until: Instant,
    /// The first instant of its month.
    month: Instant,
    /// The first instant of the cohort.
    from: Instant,
}

impl Frame {
    fn read<D: Database>(zone: Zone, database: &mut D) -> Outcome<Self> {
        let text = "SELECT s.pipeline_id, s.id, s.probability FROM crm_stage s \
                    JOIN crm_pipeline p ON p.org = s.org AND p.id = s.pipeline_id \
                    WHERE p.org = 1 AND p.default_key = 1 ORDER BY s.position";
        let rows = database.ask(text, &[], |row| Ok((id(row.id(0)?)?, id(row.id(1)?)?, row.number(2)?)))?;
        Ok(Self {
            pipeline: rows.first().ok_or("there is no pipeline")?.0,
            stages: rows.iter().map(|(_, stage, probability)| (*stage, *probability)).collect(),
            until: zone.start_of(AS_OF + Days::new(1)),
            month: zone.start_of(AS_OF.with_day(1).unwrap_or(AS_OF)),
            from: zone.start_of(FROM),
        })
    }

    /// The instant, then the stages in their order.
    fn values(&self, at: Instant) -> Vec<Value> {
        let stages = self.stages.iter().map(|(stage, _)| Value::Id(*stage));
        std::iter::once(Value::Instant(at)).chain(stages).collect()
    }

    fn place(&self, stage: Uuid) -> Outcome<usize> {
        Ok(self.stages.iter().position(|(id, _)| *id == stage).ok_or("a stage of another pipeline")?)
    }
}

/// Adds up how many deals reached each stage, and how many were won, from their number by how far they came.
fn reached(sums: &mut Sums, rank: i64, deals: i64) {
    let label = |step: i64| if step == 5 { "won ever".to_owned() } else { format!("reached {}", step - 1) };
    (1..=rank).for_each(|step| sums.entry(label(step)).or_default()[0] += deals);
}

fn id(found: Option<Uuid>) -> Outcome<Uuid> {
    Ok(found.ok_or("an id is absent")?)
}

/// Open deals by stage and currency, in the order of the index.
const OPEN: &str = "\
    SELECT stage_id, currency, count(*), CAST(sum(amount) AS BIGINT) FROM crm_deal \
    WHERE org = 1 AND stage_id IN (?2, ?3, ?4, ?5) AND is_open = TRUE AND stage_entered_at < ?1 \
    AND (archived_at IS NULL OR archived_at >= ?1) GROUP BY stage_id, currency";

/// Those that have left the stage since.
const LEFT: &str = "\
    SELECT c.from_stage_id, d.currency, count(*), CAST(sum(d.amount) AS BIGINT) FROM crm_stage_change c \
    JOIN crm_deal d ON d.org = c.org AND d.id = c.deal_id \
    WHERE c.org = 1 AND c.from_stage_id IN (?2, ?3, ?4, ?5) AND c.at >= ?1 AND c.entered_at < ?1 \
    AND (d.archived_at IS NULL OR d.archived_at >= ?1) GROUP BY c.from_stage_id, d.currency";

/// How far a deal came: the number of the farthest stage, or 5 when it was won.
const FARTHEST: &str = "max(CASE WHEN to_status = 'won' THEN 5 WHEN to_stage_id = ?5 THEN 4 WHEN to_stage_id = ?4 THEN 3 \
    WHEN to_stage_id = ?3 THEN 2 WHEN to_stage_id = ?2 THEN 1 ELSE 0 END)";

fn funnel<D: Database>(frame: &Frame, database: &mut D) -> Outcome<Sums> {
    let mut sums = Sums::new();
    for text in [OPEN, LEFT] {
        let mut add = |row: &D::Row<'_>| {
            let (stage, currency) = (frame.place(id(row.id(0)?)?)?, row.text(1)?.unwrap_or_default());
            let (deals, amount) = (row.number(2)?, row.number(3)?);
            sums.entry(format!("open {stage}")).or_default()[0] += deals;
            sums.entry(format!("open {stage} {currency}")).or_default()[0] += amount;
            Ok(())
        };
        database.ask(text, &frame.values(frame.until), &mut add)?;
    }
    let text = format!(
        "SELECT rank, count(*) FROM (SELECT CAST({FARTHEST} AS BIGINT) AS rank FROM crm_stage_change \
         WHERE org = 1 AND at < ?1 GROUP BY deal_id) s WHERE rank > 0 GROUP BY rank"
    );
    database.ask(&text, &frame.values(frame.until), |row| {
        reached(&mut sums, row.number(0)?, row.number(1)?);
        sums.entry("deals".to_owned()).or_default()[0] += row.number(1)?;
        Ok(())
    })?;
    Ok(sums)
}

fn cohort<D: Database>(frame: &Frame, database: &mut D) -> Outcome<Sums> {
    let text = format!(
        "SELECT status, rank, count(*) FROM (SELECT d.status, (SELECT CAST({FARTHEST} AS BIGINT) FROM crm_stage_change c \
         WHERE c.org = 1 AND c.deal_id = d.id) AS rank FROM crm_deal d \
         WHERE d.org = 1 AND d.pipeline_id = ?6 AND d.opened_at >= ?1) s GROUP BY status, rank"
    );
    let mut values = frame.values(frame.from);
    values.push(Value::Id(frame.pipeline));
    let mut sums = Sums::new();
    database.ask(&text, &values, |row| {
        let status = match row.text(0)?.unwrap_or_default() {
            closed if matches!(&*closed, "won" | "lost") => closed,
            _ => "open".to_owned(),
        };
        let deals = row.number(2)?;
        reached(&mut sums, row.number(1)?, deals);
        sums.entry(status).or_default()[0] += deals;
        Ok(())
    })?;
    sums.remove("won ever");
    Ok(sums)
}

/// Open deals by stage, currency and day, in the order of the index; ?6 to ?9 are the stages' probabilities.
const LIKELY: &str = "\
    SELECT stage_id, currency, expected_close_on, count(*), CAST(sum(amount) AS BIGINT), \
    CAST(sum((amount * CASE stage_id WHEN ?2 THEN ?6 WHEN ?3 THEN ?7 WHEN ?4 THEN ?8 ELSE ?9 END + 50000000) / 100000000) \
    AS BIGINT) FROM crm_deal WHERE org = 1 AND stage_id IN (?2, ?3, ?4, ?5) AND is_open = TRUE AND stage_entered_at < ?1 \
    AND (archived_at IS NULL OR archived_at >= ?1) GROUP BY stage_id, currency, expected_close_on";

/// Those that have left the stage since.
const LIKELY_LEFT: &str = "\
    SELECT c.from_stage_id, d.currency, d.expected_close_on, count(*), CAST(sum(d.amount) AS BIGINT), \
    CAST(sum((d.amount * CASE c.from_stage_id WHEN ?2 THEN ?6 WHEN ?3 THEN ?7 WHEN ?4 THEN ?8 ELSE ?9 END + 50000000) \
    / 100000000) AS BIGINT) FROM crm_stage_change c JOIN crm_deal d ON d.org = c.org AND d.id = c.deal_id \
    WHERE c.org = 1 AND c.from_stage_id IN (?2, ?3, ?4, ?5) AND c.at >= ?1 AND c.entered_at < ?1 \
    AND (d.archived_at IS NULL OR d.archived_at >= ?1) GROUP BY c.from_stage_id, d.currency, d.expected_close_on";

/// Deals won in the month.
const WON: &str = "\
    SELECT currency, count(*), CAST(sum(amount) AS BIGINT) FROM crm_deal \
    WHERE org = 1 AND pipeline_id = ?3 AND status = 'won' AND closed_at >= ?1 AND closed_at < ?2 GROUP BY currency";

/// The month of a day since 1970-01-01, or what else its deals are.
fn month(day: Option<i64>) -> String {
    match day {
        None => "undated".to_owned(),
        Some(day) if day < days(AS_OF) => "slipped".to_owned(),
        Some(day) => (AS_OF + Days::new((day - days(AS_OF)).cast_unsigned())).format("%Y-%m").to_string(),
    }
}

fn forecast<D: Database>(frame: &Frame, database: &mut D) -> Outcome<Sums> {
    let mut values = frame.values(frame.until);
    values.extend(frame.stages.iter().map(|(_, probability)| Value::Int(*probability)));
    let mut sums = Sums::new();
    let mut months = BTreeMap::new();
    for text in [LIKELY, LIKELY_LEFT] {
        let mut add = |row: &D::Row<'_>| {
            let stage = id(row.id(0)?)?;
            let (deals, amount, weighted) = (row.number(3)?, row.number(4)?, row.number(5)?);
            let unlikely = frame.stages.contains(&(stage, 0));
            let figures =
                [deals, amount, weighted, if unlikely { deals } else { 0 }, if unlikely { amount } else { 0 }];
            let currency = row.text(1)?.unwrap_or_default();
            let sums = months.entry((row.date(2)?, currency)).or_insert([0; 5]);
            sums.iter_mut().zip(figures).for_each(|(sum, more)| *sum += more);
            Ok(())
        };
        database.ask(text, &values, &mut add)?;
    }
    for ((day, currency), figures) in months {
        for of in [format!("{} {currency}", month(day)), format!("total {currency}")] {
            let sums = sums.entry(of).or_default();
            sums.iter_mut().zip(figures).for_each(|(sum, more)| *sum += more);
        }
    }
    let values = [Value::Instant(frame.month), Value::Instant(frame.until), Value::Id(frame.pipeline)];
    database.ask(WON, &values, |row| {
        let figures = [row.number(1)?, row.number(2)?, 0, 0, 0];
        sums.insert(format!("won {}", row.text(0)?.unwrap_or_default()), figures);
        Ok(())
    })?;
    Ok(sums)
}

fn velocity<D: Database>(frame: &Frame, database: &mut D) -> Outcome<Sums> {
    let ended = "SELECT from_stage_id, count(*), CAST(sum(visit_seconds) AS BIGINT) FROM crm_stage_change \
                 WHERE org = 1 AND from_stage_id IN (?2, ?3, ?4, ?5) AND at < ?1 AND visit_seconds IS NOT NULL \
                 GROUP BY from_stage_id";
    let lasting = format!(
        "SELECT stage_id, count(*), CAST(sum({}) AS BIGINT) FROM crm_deal \
         WHERE org = 1 AND stage_id IN (?2, ?3, ?4, ?5) AND is_open = TRUE AND stage_entered_at < ?1 \
         AND (archived_at IS NULL OR archived_at >= ?1) GROUP BY stage_id",
        D::seconds("stage_entered_at", "?1")
    );
    let since = format!(
        "SELECT c.from_stage_id, count(*), CAST(sum({}) AS BIGINT) FROM crm_stage_change c \
         JOIN crm_deal d ON d.org = c.org AND d.id = c.deal_id \
         WHERE c.org = 1 AND c.from_stage_id IN (?2, ?3, ?4, ?5) AND c.at >= ?1 AND c.entered_at < ?1 \
         AND (d.archived_at IS NULL OR d.archived_at >= ?1) GROUP BY c.from_stage_id",
        D::seconds("c.entered_at", "?1")
    );
    let mut sums = Sums::new();
    for (text, open) in [(ended, false), (&*lasting, true), (&*since, true)] {
        let mut add = |row: &D::Row<'_>| {
            let visits = row.number(1)?;
            let sums = sums.entry(format!("stage {}", frame.place(id(row.id(0)?)?)?)).or_default();
            sums[0] += visits;
            sums[1] += if open { visits } else { 0 };
            sums[2] += row.number(2)?;
            Ok(())
        };
        database.ask(text, &frame.values(frame.until), &mut add)?;
    }
    let closed = format!(
        "SELECT status, count(*), CAST(sum(CASE status WHEN 'won' THEN {} END) AS BIGINT) FROM crm_deal \
         WHERE org = 1 AND pipeline_id = ?2 AND status IN ('won', 'lost') AND closed_at < ?1 GROUP BY status",
        D::seconds("opened_at", "closed_at")
    );
    database.ask(&closed, &[Value::Instant(frame.until), Value::Id(frame.pipeline)], |row| {
        let (status, deals, seconds) = (row.text(0)?.unwrap_or_default(), row.number(1)?, row.number(2)?);
        // A mean is compared, as the library gives it.
        let mean = if status == "won" { (2 * seconds + deals) / (2 * deals) } else { 0 };
        sums.insert(status, [deals, mean, 0, 0, 0]);
        Ok(())
    })?;
    Ok(sums)
}

fn one(number: i64) -> [i64; 5] {
    [number, 0, 0, 0, 0]
}

fn of_funnel(funnel: &Funnel) -> Sums {
    let mut sums = Sums::from([("deals".to_owned(), one(funnel.deals)), ("won ever".to_owned(), one(funnel.won))]);
    for (place, stage) in funnel.stages.iter().enumerate() {
        sums.insert(format!("open {place}"), one(stage.open));
        sums.insert(format!("reached {place}"), one(stage.reached));
        for amount in &stage.amounts {
            sums.insert(format!("open {place} {}", amount.currency()), one(amount.minor()));
        }
    }
    sums
}

/// How many were ever won it does not tell.
fn of_cohort(cohort: &Cohort) -> Sums {
    let of = [("won", cohort.won), ("lost", cohort.lost), ("open", cohort.open)];
    let mut sums: Sums = of.map(|(name, deals)| (name.to_owned(), one(deals))).into();
    for (place, stage) in cohort.stages.iter().enumerate() {
        sums.insert(format!("reached {place}"), one(stage.reached));
    }
    sums
}

fn of_forecast(forecast: &Forecast) -> Sums {
    fn figures(figures: &ForecastFigures) -> [i64; 5] {
        let minor = |money: Money| money.minor();
        let [amount, weighted, unlikely] = [figures.amount, figures.weighted, figures.unlikely].map(minor);
        [figures.deals, amount, weighted, figures.unlikely_deals, unlikely]
    }
    let mut sums = Sums::new();
    for (name, all) in [("slipped", &forecast.slipped), ("undated", &forecast.undated), ("total", &forecast.totals)] {
        sums.extend(all.iter().map(|row| (format!("{name} {}", row.currency), figures(row))));
    }
    for month in &forecast.months {
        let currency = month.figures.currency;
        sums.insert(format!("{} {currency}", month.month.format("%Y-%m")), figures(&month.figures));
        if month.won_deals > 0 {
            sums.insert(format!("won {currency}"), [month.won_deals, month.won.minor(), 0, 0, 0]);
        }
    }
    sums
}

fn of_velocity(velocity: &Velocity) -> Sums {
    let won = [velocity.won, velocity.mean_cycle_seconds.unwrap_or(0), 0, 0, 0];
    let mut sums = Sums::from([("won".to_owned(), won), ("lost".to_owned(), one(velocity.lost))]);
    for (place, stage) in velocity.stages.iter().enumerate() {
        sums.insert(format!("stage {place}"), [stage.visits, stage.open, stage.seconds, 0, 0]);
    }
    sums
}
