//! The reports of sales, handed over as the arguments of the classes in `crm_py.reports`.

use crm_core::entity::Entity as _;
use crm_core::report::{
    Cohort, CohortOptions, DealFigures, DealTotals, DealTotalsOptions, Forecast, ForecastFigures, ForecastOptions,
    Funnel, FunnelOptions, LeadCounts, LeadCountsOptions, Velocity, VelocityOptions,
};
use crm_core::sales::Pipeline;
use crm_core::value::{Date, Decimal6, ValueError};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::error::invalid;
use crate::given::Reference;
use crate::report::{class, money};
use crate::session::{Session, optional_date, parsed};
use crate::value::{instant, instant_object, uuid_object};

/// The reports of sales, in a session.
#[pyclass(frozen, module = "crm_py._crm_py")]
pub(crate) struct SalesReports(Py<Session>);

/// Rows of a report as a tuple.
pub(crate) fn tuple<'py, T>(
    py: Python<'py>,
    rows: &[T],
    object: impl Fn(&T) -> PyResult<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyTuple>> {
    PyTuple::new(py, rows.iter().map(object).collect::<PyResult<Vec<_>>>()?)
}

/// A part of a whole, or a number of days.
pub(crate) fn decimal(part: Option<Decimal6>) -> Option<rust_decimal::Decimal> {
    part.map(Decimal6::decimal)
}

/// How many hours or days.
pub(crate) fn how_many(py: Python<'_>, field: &str, number: i64) -> PyResult<u32> {
    u32::try_from(number).map_err(|_| invalid(py, field, ValueError::out_of_range(0, u32::MAX)))
}

/// A period of civil days.
pub(crate) fn period(
    from: Option<&Bound<'_, PyAny>>,
    to: Option<&Bound<'_, PyAny>>,
) -> PyResult<(Option<Date>, Option<Date>)> {
    Ok((optional_date("from_", from)?, optional_date("to", to)?))
}

fn pipeline_given(pipeline: Option<&Bound<'_, PyAny>>) -> PyResult<Option<Reference>> {
    pipeline.map(|pipeline| Reference::read("pipeline", Pipeline::TABLE, pipeline)).transpose()
}

fn leads<'py>(py: Python<'py>, report: &LeadCounts) -> PyResult<Bound<'py, PyAny>> {
    let row_class = class(py, "LeadRow")?;
    let rows = tuple(py, &report.rows, |row| {
        row_class.call1((row.status.as_str(), row.channel.as_str(), row.figures.leads, row.figures.recent))
    })?;
    let (since, as_of) = (instant_object(py, report.since)?, instant_object(py, report.as_of)?);
    class(py, "LeadCounts")?.call1((since, as_of, report.total.leads, report.total.recent, rows))
}

fn deals<'py>(py: Python<'py>, report: &DealTotals) -> PyResult<Bound<'py, PyAny>> {
    let row_class = class(py, "DealRow")?;
    let row = |status: Option<&str>, figures: &DealFigures| {
        let mean = figures.mean.map(|mean| money(py, mean)).transpose()?;
        row_class.call1((figures.currency.code(), status, figures.deals, money(py, figures.amount)?, mean, figures.new))
    };
    let totals = tuple(py, &report.totals, |figures| row(None, figures))?;
    let rows = tuple(py, &report.rows, |of| row(Some(of.status.as_str()), &of.figures))?;
    class(py, "DealTotals")?.call1((report.since, report.as_of, totals, rows))
}

fn funnel<'py>(py: Python<'py>, report: &Funnel) -> PyResult<Bound<'py, PyAny>> {
    let stage_class = class(py, "FunnelStage")?;
    let stages = tuple(py, &report.stages, |stage| {
        let amounts = tuple(py, &stage.amounts, |amount| money(py, *amount))?;
        let id = uuid_object(py, stage.stage_id.uuid())?;
        let conversion = decimal(stage.conversion);
        stage_class.call1((id, &stage.stage, stage.position, stage.open, amounts, stage.reached, conversion))
    })?;
    let id = uuid_object(py, report.pipeline_id.uuid())?;
    let conversion = decimal(report.won_conversion);
    let arguments = (report.as_of, id, &report.pipeline, report.deals, stages, report.won, conversion);
    class(py, "Funnel")?.call1(arguments)
}

fn cohort<'py>(py: Python<'py>, report: &Cohort) -> PyResult<Bound<'py, PyAny>> {
    let stage_class = class(py, "CohortStage")?;
    let stages = tuple(py, &report.stages, |stage| {
        let id = uuid_object(py, stage.stage_id.uuid())?;
        stage_class.call1((id, &stage.stage, stage.position, stage.reached, decimal(stage.conversion)))
    })?;
    let id = uuid_object(py, report.pipeline_id.uuid())?;
    class(py, "Cohort")?.call1((
        report.from,
        report.to,
        id,
        &report.pipeline,
        report.deals,
        stages,
        report.won,
        report.lost,
        report.open,
    ))
}

fn forecast<'py>(py: Python<'py>, report: &Forecast) -> PyResult<Bound<'py, PyAny>> {
    let (figures_class, month_class) = (class(py, "ForecastFigures")?, class(py, "ForecastMonth")?);
    let figures = |row: &ForecastFigures| {
        figures_class.call1((
            row.currency.code(),
            row.deals,
            money(py, row.amount)?,
            money(py, row.weighted)?,
            row.unlikely_deals,
            money(py, row.unlikely)?,
        ))
    };
    let months = tuple(py, &report.months, |month| {
        month_class.call1((month.month, figures(&month.figures)?, month.won_deals, money(py, month.won)?))
    })?;
    let [slipped, undated, totals] =
        [&report.slipped, &report.undated, &report.totals].map(|rows| tuple(py, rows, figures));
    class(py, "Forecast")?.call1((report.as_of, months, slipped?, undated?, totals?))
}

fn velocity<'py>(py: Python<'py>, report: &Velocity) -> PyResult<Bound<'py, PyAny>> {
    let stage_class = class(py, "StageTime")?;
    let stages = tuple(py, &report.stages, |stage| {
        let id = uuid_object(py, stage.stage_id.uuid())?;
        let name = &stage.stage;
        stage_class.call1((id, name, stage.position, stage.visits, stage.open, stage.seconds, stage.mean_seconds))
    })?;
    class(py, "Velocity")?.call1((
        report.from,
        report.to,
        instant_object(py, report.as_of)?,
        uuid_object(py, report.pipeline_id.uuid())?,
        &report.pipeline,
        stages,
        report.won,
        report.lost,
        decimal(report.win_rate),
        report.mean_cycle_seconds,
    ))
}

#[pymethods]
impl SalesReports {
    #[new]
    const fn new(session: Py<Session>) -> Self {
        Self(session)
    }

    /// R4, leads by status and channel.
    #[pyo3(signature = (*, hours = 24, as_of = None, from_ = None, to = None, zone = None))]
    fn leads<'py>(
        &self,
        py: Python<'py>,
        hours: i64,
        as_of: Option<&Bound<'py, PyAny>>,
        from_: Option<&Bound<'py, PyAny>>,
        to: Option<&Bound<'py, PyAny>>,
        zone: Option<&str>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let session = self.0.get();
        let as_of = as_of.map(|as_of| instant("as_of", as_of)).transpose()?;
        let (from, to) = period(from_, to)?;
        let hours = how_many(py, "hours", hours)?;
        let options = LeadCountsOptions { hours, as_of, from, to, zone: parsed(py, "zone", zone)? };
        leads(py, &session.call(py, session.inner().lead_counts(&options))?)
    }

    /// R5, deals by status.
    #[pyo3(signature = (*, days = 30, as_of = None, from_ = None, to = None, zone = None))]
    fn deals<'py>(
        &self,
        py: Python<'py>,
        days: i64,
        as_of: Option<&Bound<'py, PyAny>>,
        from_: Option<&Bound<'py, PyAny>>,
        to: Option<&Bound<'py, PyAny>>,
        zone: Option<&str>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let session = self.0.get();
        let as_of = optional_date("as_of", as_of)?;
        let (from, to) = period(from_, to)?;
        let days = how_many(py, "days", days)?;
        let options = DealTotalsOptions { days, as_of, from, to, zone: parsed(py, "zone", zone)? };
        deals(py, &session.call(py, session.inner().deal_totals(&options))?)
    }

    /// R6, where the deals of a pipeline stand and how far they came.
    #[pyo3(signature = (*, pipeline = None, as_of = None, zone = None))]
    fn funnel<'py>(
        &self,
        py: Python<'py>,
        pipeline: Option<&Bound<'py, PyAny>>,
        as_of: Option<&Bound<'py, PyAny>>,
        zone: Option<&str>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let session = self.0.get();
        let pipeline = pipeline_given(pipeline)?;
        let as_of = optional_date("as_of", as_of)?;
        let mut options = FunnelOptions { as_of, zone: parsed(py, "zone", zone)?, ..FunnelOptions::default() };
        let report = session.call(py, async {
            if let Some(pipeline) = pipeline {
                options.pipeline = Some(pipeline.resolve(session.inner()).await?);
            }
            session.inner().funnel(&options).await
        })?;
        funnel(py, &report)
    }

    /// R6, how far the deals came that began in a period.
    #[pyo3(signature = (*, pipeline = None, from_ = None, to = None, zone = None))]
    fn cohort<'py>(
        &self,
        py: Python<'py>,
        pipeline: Option<&Bound<'py, PyAny>>,
        from_: Option<&Bound<'py, PyAny>>,
        to: Option<&Bound<'py, PyAny>>,
        zone: Option<&str>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let session = self.0.get();
        let pipeline = pipeline_given(pipeline)?;
        let (from, to) = period(from_, to)?;
        let mut options = CohortOptions { from, to, zone: parsed(py, "zone", zone)?, ..CohortOptions::default() };
        let report = session.call(py, async {
            if let Some(pipeline) = pipeline {
                options.pipeline = Some(pipeline.resolve(session.inner()).await?);
            }
            session.inner().cohort(&options).await
        })?;
        cohort(py, &report)
    }

    /// R7, what open deals are likely to bring.
    #[pyo3(signature = (*, pipeline = None, as_of = None, zone = None))]
    fn forecast<'py>(
        &self,
        py: Python<'py>,
        pipeline: Option<&Bound<'py, PyAny>>,
        as_of: Option<&Bound<'py, PyAny>>,
        zone: Option<&str>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let session = self.0.get();
        let pipeline = pipeline_given(pipeline)?;
        let as_of = optional_date("as_of", as_of)?;
        let mut options = ForecastOptions { as_of, zone: parsed(py, "zone", zone)?, ..ForecastOptions::default() };
        let report = session.call(py, async {
            if let Some(pipeline) = pipeline {
                options.pipeline = Some(pipeline.resolve(session.inner()).await?);
            }
            session.inner().forecast(&options).await
        })?;
        forecast(py, &report)
    }

    /// R8, how fast the deals of a pipeline go.
    #[pyo3(signature = (*, pipeline = None, from_ = None, to = None, as_of = None, zone = None))]
    fn velocity<'py>(
        &self,
        py: Python<'py>,
        pipeline: Option<&Bound<'py, PyAny>>,
        from_: Option<&Bound<'py, PyAny>>,
        to: Option<&Bound<'py, PyAny>>,
        as_of: Option<&Bound<'py, PyAny>>,
        zone: Option<&str>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let session = self.0.get();
        let pipeline = pipeline_given(pipeline)?;
        let (from, to) = period(from_, to)?;
        let as_of = as_of.map(|as_of| instant("as_of", as_of)).transpose()?;
        let zone = parsed(py, "zone", zone)?;
        let mut options = VelocityOptions { from, to, as_of, zone, ..VelocityOptions::default() };
        let report = session.call(py, async {
            if let Some(pipeline) = pipeline {
                options.pipeline = Some(pipeline.resolve(session.inner()).await?);
            }
            session.inner().velocity(&options).await
        })?;
        velocity(py, &report)
    }
}
