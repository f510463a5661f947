//! What is done with leads and deals, besides what every record can do.

use crm_core::access::User;
use crm_core::entity::Entity as _;
use crm_core::row::Value;
use crm_core::sales::{
    AssignLead, Conversion, ConvertLead, CreateDeal, Deal, DealPlan, Lead, LoseDeal, MoveDeal, MoveLead, Pipeline,
    Stage,
};
use crm_core::value::Currency;
use crm_core::{Edit, Id, Row};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::error::{Outcome, invalid, raised};
use crate::given::{Fields, Reference};
use crate::pipelines::stage_field;
use crate::record::Record;
use crate::report::class;
use crate::session::{Session, idempotency};
use crate::value::{to_python, uuid_object};

/// What is done with leads and deals, in a session.
#[pyclass(frozen, module = "crm_py._crm_py")]
pub(crate) struct Sales(Py<Session>);

/// Where a deal is to begin, as it was given.
struct Beginning {
    pipeline: Option<Reference>,
    stage: Option<Reference>,
}

impl Beginning {
    fn read(pipeline: Option<&Bound<'_, PyAny>>, stage: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let read = |field, table, value: Option<&Bound<'_, PyAny>>| {
            value.map(|value| Reference::read(field, table, value)).transpose()
        };
        let pipeline = read("pipeline", Pipeline::TABLE, pipeline)?;
        Ok(Self { pipeline, stage: read("stage", Stage::TABLE, stage)? })
    }

    async fn resolve(
        &self,
        session: &crm_core::Session<'static>,
    ) -> Outcome<(Option<Id<Pipeline>>, Option<Id<Stage>>)> {
        let pipeline = match &self.pipeline {
            Some(pipeline) => Some(pipeline.resolve_field(session, "pipeline").await?),
            None => None,
        };
        let stage = match &self.stage {
            Some(stage) => Some(stage_field(session, pipeline, stage, "stage").await?),
            None => None,
        };
        Ok((pipeline, stage))
    }
}

/// The arguments of a conversion, as they were given.
struct GivenConversion {
    deal: Option<Reference>,
    fields: Fields,
    beginning: Beginning,
}

impl GivenConversion {
    /// The command, for whichever lead.
    async fn command(self, session: &crm_core::Session<'static>) -> Outcome<ConvertLead> {
        let (pipeline, stage) = self.beginning.resolve(session).await?;
        let deal = match self.deal {
            Some(deal) => Some(deal.resolve_field(session, "deal").await?),
            None => None,
        };
        let edit = self.fields.edit(session, &session.locale()).await?;
        Ok(ConvertLead { deal, edit, pipeline, stage, ..ConvertLead::new(Id::new(uuid::Uuid::nil())) })
    }
}

fn conversion(
    fields: &Bound<'_, PyDict>,
    deal: Option<&Bound<'_, PyAny>>,
    pipeline: Option<&Bound<'_, PyAny>>,
    stage: Option<&Bound<'_, PyAny>>,
) -> PyResult<GivenConversion> {
    if deal.is_some() && (pipeline.is_some() || stage.is_some() || !fields.is_empty()) {
        return Err(PyTypeError::new_err("deal: one that is there keeps its fields and stage; update or move it"));
    }
    Ok(GivenConversion {
        deal: deal.map(|deal| Reference::read("deal", Deal::TABLE, deal)).transpose()?,
        fields: Fields::read(Deal::TABLE, fields, true)?,
        beginning: Beginning::read(pipeline, stage)?,
    })
}

/// The fields of an edit, by name.
fn edited<'py>(py: Python<'py>, edit: &Edit<Deal>, currency: Currency) -> PyResult<Bound<'py, PyDict>> {
    let given = edit.value(Deal::COLUMNS.currency.index()).and_then(Value::as_text);
    let currency = given.and_then(|code| Currency::from_stored(code).ok()).unwrap_or(currency);
    let fields = PyDict::new(py);
    for (column, value) in edit.values() {
        let column = &Deal::TABLE.columns[*column];
        fields.set_item(column.name, to_python(py, column.kind, value, || Some(currency))?)?;
    }
    Ok(fields)
}

/// What a conversion would do, as the class in `crm_py.reports`.
fn planned<'py>(py: Python<'py>, plan: &Conversion, currency: Currency) -> PyResult<Bound<'py, PyAny>> {
    let contact = uuid_object(py, plan.contact.uuid())?;
    let company = plan.company.map(|company| uuid_object(py, company.uuid())).transpose()?;
    let (deal, fields) = match &plan.deal {
        DealPlan::Link(deal) => (Some(uuid_object(py, deal.uuid())?), None),
        DealPlan::Create(edit) => (None, Some(edited(py, edit, currency)?)),
    };
    let missing = PyTuple::new(py, &plan.missing)?;
    let duplicates = plan.duplicates.iter().map(|deal| uuid_object(py, deal.uuid())).collect::<PyResult<Vec<_>>>()?;
    class(py, "ConversionPlan")?.call1((contact, company, deal, fields, missing, PyTuple::new(py, duplicates)?))
}

#[pymethods]
impl Sales {
    #[new]
    const fn new(session: Py<Session>) -> Self {
        Self(session)
    }

    /// Gives a lead to a member, or to nobody.
    #[pyo3(signature = (lead, assignee, *, key = None))]
    fn assign_lead(
        &self,
        py: Python<'_>,
        lead: &Bound<'_, PyAny>,
        assignee: Option<&Bound<'_, PyAny>>,
        key: Option<&str>,
    ) -> PyResult<Py<PyAny>> {
        let session = self.0.get();
        let lead = Reference::read("lead", Lead::TABLE, lead)?;
        let user = assignee.map(|user| Reference::read("assignee", User::TABLE, user)).transpose()?;
        let key = idempotency(py, key)?;
        let row = session.call(py, async {
            let id = lead.resolve(session.inner()).await?;
            let assignee = match user {
                Some(user) => Some(Id::new(user.resolve_in(session.inner(), User::TABLE, "assignee").await?)),
                None => None,
            };
            session.run(&AssignLead { id, assignee }, key.as_ref()).await
        })?;
        Record::wrap(py, Lead::TABLE, row)
    }

    /// Moves a lead to another status.
    #[pyo3(signature = (lead, status, *, key = None))]
    fn move_lead(
        &self,
        py: Python<'_>,
        lead: &Bound<'_, PyAny>,
        status: &str,
        key: Option<&str>,
    ) -> PyResult<Py<PyAny>> {
        let session = self.0.get();
        let lead = Reference::read("lead", Lead::TABLE, lead)?;
        let status = status.parse().map_err(|reason| invalid(py, "status", reason))?;
        let key = idempotency(py, key)?;
        let row = session.call(py, async {
            let id = lead.resolve(session.inner()).await?;
            session.run(&MoveLead { id, status }, key.as_ref()).await
        })?;
        Record::wrap(py, Lead::TABLE, row)
    }

    /// Converts a lead: makes a deal of it, or links it to one.
    #[pyo3(signature = (lead, fields, *, deal = None, pipeline = None, stage = None, key = None))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords")]
    fn convert_lead(
        &self,
        py: Python<'_>,
        lead: &Bound<'_, PyAny>,
        fields: &Bound<'_, PyDict>,
        deal: Option<&Bound<'_, PyAny>>,
        pipeline: Option<&Bound<'_, PyAny>>,
        stage: Option<&Bound<'_, PyAny>>,
        key: Option<&str>,
    ) -> PyResult<Py<PyAny>> {
        let session = self.0.get();
        let lead = Reference::read("lead", Lead::TABLE, lead)?;
        let given = conversion(fields, deal, pipeline, stage)?;
        let key = idempotency(py, key)?;
        let row = session.call(py, async {
            let lead = lead.resolve(session.inner()).await?;
            let command = ConvertLead { lead, ..given.command(session.inner()).await? };
            session.run(&command, key.as_ref()).await
        })?;
        Record::wrap(py, Lead::TABLE, row)
    }

    /// What the conversion of a lead would do.
    #[pyo3(signature = (lead, fields, *, deal = None, pipeline = None, stage = None))]
    fn plan_conversion<'py>(
        &self,
        py: Python<'py>,
        lead: &Bound<'py, PyAny>,
        fields: &Bound<'py, PyDict>,
        deal: Option<&Bound<'py, PyAny>>,
        pipeline: Option<&Bound<'py, PyAny>>,
        stage: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let session = self.0.get();
        let lead = Reference::read("lead", Lead::TABLE, lead)?;
        let given = conversion(fields, deal, pipeline, stage)?;
        let plan = session.call(py, async {
            let lead = lead.resolve(session.inner()).await?;
            let command = ConvertLead { lead, ..given.command(session.inner()).await? };
            session.inner().plan_conversion(&command).await
        })?;
        planned(py, &plan, session.inner().locale().currency)
    }

    /// Converts many leads alike, each in a commit of its own: what came of each, a lead or an exception.
    #[pyo3(signature = (leads, fields, *, pipeline = None, stage = None))]
    fn convert_leads(
        &self,
        py: Python<'_>,
        leads: &Bound<'_, PyAny>,
        fields: &Bound<'_, PyDict>,
        pipeline: Option<&Bound<'_, PyAny>>,
        stage: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Vec<Py<PyAny>>> {
        let session = self.0.get();
        let leads = leads.try_iter()?.map(|lead| Reference::read("leads", Lead::TABLE, &lead?));
        let leads: Vec<Reference> = leads.collect::<PyResult<_>>()?;
        let given = conversion(fields, None, pipeline, stage)?;
        let outcomes: Vec<Outcome<Row>> = session.call(py, async {
            let command = given.command(session.inner()).await?;
            let mut outcomes = Vec::with_capacity(leads.len());
            for lead in &leads {
                outcomes.push(match lead.resolve(session.inner()).await {
                    Ok(lead) => session.run(&ConvertLead { lead, ..command.clone() }, None).await,
                    Err(error) => Err(error),
                });
            }
            Ok(outcomes)
        })?;
        let object = |outcome| match outcome {
            Ok(row) => Record::wrap(py, Lead::TABLE, row),
            Err(error) => Ok(raised(py, &error).into_value(py).into_any()),
        };
        outcomes.into_iter().map(object).collect()
    }

    /// Makes a deal.
    #[pyo3(signature = (fields, *, pipeline = None, stage = None, key = None))]
    fn create_deal(
        &self,
        py: Python<'_>,
        fields: &Bound<'_, PyDict>,
        pipeline: Option<&Bound<'_, PyAny>>,
        stage: Option<&Bound<'_, PyAny>>,
        key: Option<&str>,
    ) -> PyResult<Py<PyAny>> {
        let session = self.0.get();
        let fields = Fields::read(Deal::TABLE, fields, true)?;
        let beginning = Beginning::read(pipeline, stage)?;
        let key = idempotency(py, key)?;
        let row = session.call(py, async {
            let (pipeline, stage) = beginning.resolve(session.inner()).await?;
            let edit = fields.edit(session.inner(), &session.inner().locale()).await?;
            session.run(&CreateDeal { edit, pipeline, stage }, key.as_ref()).await
        })?;
        Record::wrap(py, Deal::TABLE, row)
    }

    /// Moves a deal to another stage of its pipeline.
    #[pyo3(signature = (deal, stage, *, key = None))]
    fn move_deal(
        &self,
        py: Python<'_>,
        deal: &Bound<'_, PyAny>,
        stage: &Bound<'_, PyAny>,
        key: Option<&str>,
    ) -> PyResult<Py<PyAny>> {
        let session = self.0.get();
        let deal = Reference::read("deal", Deal::TABLE, deal)?;
        let stage = Reference::read("stage", Stage::TABLE, stage)?;
        let key = idempotency(py, key)?;
        let row = session.call(py, async {
            let id = deal.resolve::<Deal>(session.inner()).await?;
            let pipeline = match stage {
                Reference::Id(_) => None,
                Reference::Key(_) => Some(session.inner().get(id).await?.pipeline_id),
            };
            let stage = stage_field(session.inner(), pipeline, &stage, "stage").await?;
            session.run(&MoveDeal { id, stage }, key.as_ref()).await
        })?;
        Record::wrap(py, Deal::TABLE, row)
    }

    /// Gives up a deal.
    #[pyo3(signature = (deal, reason, *, key = None))]
    fn lose_deal(
        &self,
        py: Python<'_>,
        deal: &Bound<'_, PyAny>,
        reason: &str,
        key: Option<&str>,
    ) -> PyResult<Py<PyAny>> {
        let session = self.0.get();
        let deal = Reference::read("deal", Deal::TABLE, deal)?;
        let reason = reason.parse().map_err(|refused| invalid(py, "reason", refused))?;
        let key = idempotency(py, key)?;
        let row = session.call(py, async {
            let id = deal.resolve(session.inner()).await?;
            session.run(&LoseDeal { id, reason }, key.as_ref()).await
        })?;
        Record::wrap(py, Deal::TABLE, row)
    }
}
