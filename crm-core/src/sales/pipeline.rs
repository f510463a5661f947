//! Pipelines and their stages: the way that deals go, as data of the organization.

use crate::context::Context;
use crate::crud::Rules;
use crate::entity::Stored;
use crate::error::{CrmError, Invalid};
use crate::id::Id;
use crate::store::ChangeSet;
use crate::value::{Decimal6, Text, ValueError, fold};

crate::entity! {
    /// A way that deals go, stage by stage.
    pub struct Pipeline: "pipeline" in "crm_pipeline" as Record, Organization {
        /// Its name.
        pub name: Text<100>,
        /// Whether deals that name no pipeline go this way; the organization has one such pipeline.
        pub is_default: bool [SERVER_OWNED],
        /// Counts the changes of its stages, so that two who change them at once do not mix.
        pub revision: i64 [SERVER_OWNED],
    }
    columns PipelineColumns;
    derived {
        /// The name as it is compared.
        name_key: String = |pipeline: &Pipeline| fold(&pipeline.name),
        /// 1 for the organization's default, otherwise absent.
        default_key: Option<i64> = |pipeline: &Pipeline| pipeline.is_default.then_some(1),
    }
    unique {
        "crm_pipeline_name_key": [name_key],
        "crm_pipeline_default_key": [default_key],
    }
    index { }
}

impl Rules for Pipeline {
    const GENERAL: &'static [&'static str] = &["update"];
    const NATURAL_KEYS: &'static [&'static str] = &["name"];
}

crate::entity! {
    /// A stage of a pipeline.
    pub struct Stage: "stage" in "crm_stage" as Record, Organization {
        /// Of which pipeline.
        pub pipeline_id: Id<Pipeline> [SERVER_OWNED] => Pipeline,
        /// Its name.
        pub name: Text<100>,
        /// Its place in the pipeline, from 1.
        pub position: i64 [SERVER_OWNED],
        /// How likely a deal in this stage is won, in percent, 0 to 100.
        pub probability: Decimal6,
    }
    columns StageColumns;
    derived {
        /// The name as it is compared.
        name_key: String = |stage: &Stage| fold(&stage.name),
    }
    unique { "crm_stage_name_key": [pipeline_id, name_key] }
    index { "crm_stage_position": [pipeline_id, position] }
}

impl Rules for Stage {
    const NATURAL_KEYS: &'static [&'static str] = &["name"];

    fn check(&mut self, _: Option<&Self>, _: &Context) -> Result<(), Vec<Invalid>> {
        if self.probability.is_negative() || self.probability > Decimal6::HUNDRED {
            return Err(vec![Invalid::new("probability", ValueError::out_of_range(0, 100))]);
        }
        Ok(())
    }
}

/// A stage to be made.
#[derive(Clone, Debug)]
pub struct NewStage {
    /// Its name.
    pub name: Text<100>,
    /// How likely a deal in this stage is won, in percent, 0 to 100.
    pub probability: Decimal6,
}

impl NewStage {
    /// The stage of a pipeline at a place, added to a change-set.
    ///
    /// # Errors
    /// When the probability is no percentage.
    pub(super) fn write(
        &self,
        pipeline: Id<Pipeline>,
        position: i64,
        context: &mut Context,
        changes: &mut ChangeSet,
    ) -> Result<Stored<Stage>, Invalid> {
        let (name, probability) = (self.name.clone(), self.probability);
        let mut stage = Stage { pipeline_id: pipeline, name, position, probability };
        stage.check(None, context).map_err(|mut refused| refused.remove(0))?;
        Ok(changes.insert(context, stage))
    }
}

/// A pipeline with its stages, added to a change-set.
///
/// # Errors
/// [`CrmError::Invalid`] when it has no stage, or one that is refused.
pub(super) fn write(
    name: &Text<100>,
    is_default: bool,
    stages: &[NewStage],
    context: &mut Context,
    changes: &mut ChangeSet,
) -> Result<Stored<Pipeline>, CrmError> {
    if stages.is_empty() {
        return Err(CrmError::invalid("stages", ValueError::Blank));
    }
    let pipeline = changes.insert(context, Pipeline { name: name.clone(), is_default, revision: 1 });
    let mut refused = Vec::new();
    for (position, stage) in (1..).zip(stages) {
        if let Err(invalid) = stage.write(pipeline.id, position, context, changes) {
            refused.push(Invalid::new(format!("stages.{position}.{}", invalid.field), invalid.reason));
        }
    }
    if refused.is_empty() { Ok(pipeline) } else { Err(CrmError::Invalid(refused)) }
}
