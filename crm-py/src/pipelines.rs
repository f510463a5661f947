//! What is done with pipelines and their stages, besides what every record can do.

use crm_core::entity::{Entity as _, Stored};
use crm_core::sales::{AddStage, ChangeStage, CreatePipeline, DeleteStage, NewStage, Pipeline, ReorderStages, Stage};
use crm_core::store::{Select, StoreExt as _};
use crm_core::value::{ValueError, fold};
use crm_core::{CrmError, Id};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::error::{Outcome, invalid, wrong_type};
use crate::given::{Reference, missing};
use crate::record::Record;
use crate::session::{Session, idempotency, parsed};
use crate::value::{decimal6, text};

/// What is done with pipelines, in a session.
#[pyclass(frozen, module = "crm_py._crm_py")]
pub(crate) struct Pipelines(Py<Session>);

/// The stage of a pipeline, or of any, that answers to an id or a name. An id that is not there is left to the command,
/// which may have been carried out before.
async fn stage_of(
    session: &crm_core::Session<'static>,
    pipeline: Option<Id<Pipeline>>,
    stage: &Reference,
) -> Outcome<Id<Stage>> {
    let (entity, reference) = (Stage::TABLE.entity, stage.shown());
    let in_pipeline = |stage: &Stored<Stage>| pipeline.is_none_or(|pipeline| pipeline == stage.pipeline_id);
    let name = match stage {
        Reference::Id(id) => {
            let found = session.store().get::<Stage>(session.scope(), Id::new(*id)).await?;
            return match found {
                Some(stage) if !in_pipeline(&stage) => Err(CrmError::NotFound { entity, reference }),
                _ => Ok(Id::new(*id)),
            };
        }
        Reference::Key(name) => fold(name),
    };
    let filter = Stage::COLUMNS.name_key.eq(&name).into_expr().and(session.visible::<Stage>("read").await?);
    let mut found: Vec<Stored<Stage>> =
        session.store().all(session.scope(), &Select::new(Stage::TABLE, filter)).await?;
    found.retain(in_pipeline);
    match found.as_slice() {
        [one] => Ok(one.id),
        [] => Err(CrmError::NotFound { entity, reference }),
        several => {
            let candidates = several.iter().map(|stage| stage.id.to_string()).collect();
            Err(CrmError::Ambiguous { entity, reference, candidates })
        }
    }
}

/// The stage that a field of a command names; the command checks ids itself.
pub(crate) async fn stage_field(
    session: &crm_core::Session<'static>,
    pipeline: Option<Id<Pipeline>>,
    stage: &Reference,
    field: &str,
) -> Outcome<Id<Stage>> {
    match stage {
        Reference::Id(id) => Ok(Id::new(*id)),
        Reference::Key(_) => stage_of(session, pipeline, stage).await.map_err(|error| missing(error, field)),
    }
}

/// A stage to be made, of a mapping; `prefix` is put before the names of its fields.
fn new_stage(prefix: &str, given: &Bound<'_, PyAny>) -> PyResult<NewStage> {
    const NAMES: [&str; 2] = ["name", "probability"];
    let py = given.py();
    let Ok(given) = given.cast::<PyDict>() else { return Err(wrong_type("stages", "a sequence of mappings", given)) };
    let field_of = |name: &str| format!("{prefix}{name}");
    for name in given.keys() {
        let name = name.cast::<PyString>()?.to_str()?.to_owned();
        if !NAMES.contains(&name.as_str()) {
            return Err(invalid(py, &field_of(&name), ValueError::unknown_value(&name, &NAMES)));
        }
    }
    let required = |name: &str| {
        let value = given.get_item(name)?.filter(|value| !value.is_none());
        value.ok_or_else(|| invalid(py, &field_of(name), ValueError::Blank))
    };
    let name = text(&field_of("name"), &required("name")?)?;
    Ok(NewStage {
        name: name.parse().map_err(|reason| invalid(py, &field_of("name"), reason))?,
        probability: decimal6(&field_of("probability"), &required("probability")?)?,
    })
}

#[pymethods]
impl Pipelines {
    #[new]
    const fn new(session: Py<Session>) -> Self {
        Self(session)
    }

    /// Makes a pipeline with its stages.
    #[pyo3(signature = (name, stages, *, key = None))]
    fn create(&self, py: Python<'_>, name: &str, stages: &Bound<'_, PyAny>, key: Option<&str>) -> PyResult<Py<PyAny>> {
        let session = self.0.get();
        let name = name.parse().map_err(|reason| invalid(py, "name", reason))?;
        let stages =
            (1..).zip(stages.try_iter()?).map(|(place, stage)| new_stage(&format!("stages.{place}."), &stage?));
        let command = CreatePipeline { name, stages: stages.collect::<PyResult<_>>()? };
        let key = idempotency(py, key)?;
        let row = session.call(py, async { session.run(&command, key.as_ref()).await })?;
        Record::wrap(py, Pipeline::TABLE, row)
    }

    /// Adds a stage at the end of a pipeline.
    #[pyo3(signature = (pipeline, stage, *, key = None))]
    fn add_stage(
        &self,
        py: Python<'_>,
        pipeline: &Bound<'_, PyAny>,
        stage: &Bound<'_, PyAny>,
        key: Option<&str>,
    ) -> PyResult<Py<PyAny>> {
        let session = self.0.get();
        let pipeline = Reference::read("pipeline", Pipeline::TABLE, pipeline)?;
        let stage = new_stage("", stage)?;
        let key = idempotency(py, key)?;
        let row = session.call(py, async {
            let pipeline = pipeline.resolve(session.inner()).await?;
            session.run(&AddStage { pipeline, stage }, key.as_ref()).await
        })?;
        Record::wrap(py, Pipeline::TABLE, row)
    }

    /// Changes a stage's name or probability.
    #[pyo3(signature = (pipeline, stage, *, name = None, probability = None, key = None))]
    fn update_stage(
        &self,
        py: Python<'_>,
        pipeline: &Bound<'_, PyAny>,
        stage: &Bound<'_, PyAny>,
        name: Option<&str>,
        probability: Option<&Bound<'_, PyAny>>,
        key: Option<&str>,
    ) -> PyResult<Py<PyAny>> {
        let session = self.0.get();
        let pipeline = Reference::read("pipeline", Pipeline::TABLE, pipeline)?;
        let stage = Reference::read("stage", Stage::TABLE, stage)?;
        let name = parsed(py, "name", name)?;
        let probability = probability.map(|value| decimal6("probability", value)).transpose()?;
        let key = idempotency(py, key)?;
        let row = session.call(py, async {
            let pipeline = pipeline.resolve(session.inner()).await?;
            let stage = stage_of(session.inner(), Some(pipeline), &stage).await?;
            session.run(&ChangeStage { stage, name, probability }, key.as_ref()).await
        })?;
        Record::wrap(py, Pipeline::TABLE, row)
    }

    /// Deletes a stage.
    #[pyo3(signature = (pipeline, stage, *, key = None))]
    fn remove_stage(
        &self,
        py: Python<'_>,
        pipeline: &Bound<'_, PyAny>,
        stage: &Bound<'_, PyAny>,
        key: Option<&str>,
    ) -> PyResult<Py<PyAny>> {
        let session = self.0.get();
        let pipeline = Reference::read("pipeline", Pipeline::TABLE, pipeline)?;
        let stage = Reference::read("stage", Stage::TABLE, stage)?;
        let key = idempotency(py, key)?;
        let row = session.call(py, async {
            let pipeline = pipeline.resolve(session.inner()).await?;
            let stage = stage_of(session.inner(), Some(pipeline), &stage).await?;
            session.run(&DeleteStage(stage), key.as_ref()).await
        })?;
        Record::wrap(py, Pipeline::TABLE, row)
    }

    /// Puts the stages of a pipeline in another order.
    #[pyo3(signature = (pipeline, order, *, key = None))]
    fn reorder(
        &self,
        py: Python<'_>,
        pipeline: &Bound<'_, PyAny>,
        order: &Bound<'_, PyAny>,
        key: Option<&str>,
    ) -> PyResult<Py<PyAny>> {
        let session = self.0.get();
        let pipeline = Reference::read("pipeline", Pipeline::TABLE, pipeline)?;
        if order.cast::<PyString>().is_ok() {
            return Err(wrong_type("order", "a sequence", order));
        }
        let stages = order.try_iter()?.map(|stage| Reference::read("order", Stage::TABLE, &stage?));
        let stages: Vec<Reference> = stages.collect::<PyResult<_>>()?;
        let key = idempotency(py, key)?;
        let row = session.call(py, async {
            let pipeline = pipeline.resolve(session.inner()).await?;
            let mut order = Vec::with_capacity(stages.len());
            for (place, stage) in (1..).zip(&stages) {
                let field = format!("order.{place}");
                order.push(stage_field(session.inner(), Some(pipeline), stage, &field).await?);
            }
            session.run(&ReorderStages { pipeline, order }, key.as_ref()).await
        })?;
        Record::wrap(py, Pipeline::TABLE, row)
    }
}
