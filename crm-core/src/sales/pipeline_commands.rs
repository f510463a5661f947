//! What is done with pipelines: they are made, and their stages added, changed, put in order, deleted.
//!
//! Stages are parts of their pipeline: every change of theirs also changes the pipeline, so that of two who
//! change them at once the second decides again on what the first has left.

use async_trait::async_trait;

use super::SalesError;
use super::pipeline::{self, NewStage, Pipeline, Stage};
use crate::access::Grant;
use crate::context::Context;
use crate::crm::{Command, Session};
use crate::crud::Rules as _;
use crate::entity::{Entity as _, Stored};
use crate::error::CrmError;
use crate::id::Id;
use crate::store::{ChangeSet, Direction, Order, Select, StoreExt as _};
use crate::value::{Decimal6, Text, ValueError};

/// Adds the pipeline that every organization begins with.
pub(crate) fn default_pipeline(context: &mut Context, changes: &mut ChangeSet) -> Result<(), CrmError> {
    let stages = [("lead", 10_u32), ("qualification", 25), ("proposal", 50), ("negotiation", 75)];
    let stages: Vec<NewStage> = stages
        .into_iter()
        .map(|(name, percent)| Ok(NewStage { name: name.parse()?, probability: percent.into() }))
        .collect::<Result<_, ValueError>>()?;
    pipeline::write(&"Sales".parse()?, true, &stages, context, changes).map(drop)
}

/// The stages of a pipeline, in order.
pub(super) async fn stages_of(session: &Session<'_>, pipeline: Id<Pipeline>) -> Result<Vec<Stored<Stage>>, CrmError> {
    let order = Order { column: Stage::COLUMNS.position.index(), direction: Direction::Ascending };
    let query = Select::new(Stage::TABLE, Stage::COLUMNS.pipeline_id.eq(&pipeline).into()).ordered(&[order]);
    Ok(session.store().all(session.scope(), &query).await?)
}

/// The organization's default pipeline, if it has one.
pub(super) async fn the_default(session: &Session<'_>) -> Result<Option<Stored<Pipeline>>, CrmError> {
    let query = Select::new(Pipeline::TABLE, Pipeline::COLUMNS.default_key.eq(&Some(1)).into());
    Ok(session.store().first(session.scope(), query).await?)
}

/// Marks a pipeline as changed, because its stages are.
fn touch(pipeline: &Stored<Pipeline>, context: &Context, changes: &mut ChangeSet) -> Stored<Pipeline> {
    let touched = Pipeline { revision: pipeline.revision + 1, ..pipeline.value.clone() };
    changes.update(context, pipeline, touched)
}

/// The stage that a command names.
async fn stage(session: &Session<'_>, id: Id<Stage>) -> Result<Stored<Stage>, CrmError> {
    let not_found = || CrmError::NotFound { entity: Stage::TABLE.entity, reference: id.to_string() };
    session.store().get(session.scope(), id).await?.ok_or_else(not_found)
}

/// Makes a pipeline with its stages, in order. The organization's first one is its default.
#[derive(Clone, Debug)]
pub struct CreatePipeline {
    /// Its name.
    pub name: Text<100>,
    /// Its stages; at least one.
    pub stages: Vec<NewStage>,
}

#[async_trait]
impl Command for CreatePipeline {
    type Root = Pipeline;
    const VERB: &'static str = "create";

    fn body(&self) -> String {
        format!("{self:?}")
    }

    async fn decide(
        &self,
        session: &Session<'_>,
        _: Grant,
        context: &mut Context,
        changes: &mut ChangeSet,
    ) -> Result<Stored<Pipeline>, CrmError> {
        let first = the_default(session).await?.is_none();
        pipeline::write(&self.name, first, &self.stages, context, changes)
    }
}

/// Makes a pipeline the organization's default.
#[derive(Clone, Debug)]
pub struct MakeDefault(pub Id<Pipeline>);

#[async_trait]
impl Command for MakeDefault {
    type Root = Pipeline;
    const VERB: &'static str = "make_default";

    fn body(&self) -> String {
        self.0.to_string()
    }

    async fn decide(
        &self,
        session: &Session<'_>,
        grant: Grant,
        context: &mut Context,
        changes: &mut ChangeSet,
    ) -> Result<Stored<Pipeline>, CrmError> {
        let before = session.load(grant, self.0).await?;
        if before.is_default {
            return Ok(before);
        }
        // First the one that was: there is never a second.
        if let Some(old) = the_default(session).await? {
            let after = Pipeline { is_default: false, ..old.value.clone() };
            changes.update(context, &old, after);
        }
        let after = Pipeline { is_default: true, ..before.value.clone() };
        Ok(changes.update(context, &before, after))
    }
}

/// Deletes a pipeline with its stages.
#[derive(Clone, Debug)]
pub struct DeletePipeline(pub Id<Pipeline>);

#[async_trait]
impl Command for DeletePipeline {
    type Root = Pipeline;
    const VERB: &'static str = "delete";

    fn body(&self) -> String {
        self.0.to_string()
    }

    async fn decide(
        &self,
        session: &Session<'_>,
        grant: Grant,
        _: &mut Context,
        changes: &mut ChangeSet,
    ) -> Result<Stored<Pipeline>, CrmError> {
        let before = session.load(grant, self.0).await?;
        if before.is_default {
            return Err(SalesError::DefaultPipeline(before.name.to_string()).into());
        }
        // Stages first: they refer to the pipeline.
        for stage in &stages_of(session, before.id).await? {
            changes.delete(stage);
        }
        changes.delete(&before);
        Ok(before)
    }
}

/// Adds a stage to a pipeline, at its end.
#[derive(Clone, Debug)]
pub struct AddStage {
    /// To which pipeline.
    pub pipeline: Id<Pipeline>,
    /// What is added.
    pub stage: NewStage,
}

#[async_trait]
impl Command for AddStage {
    type Root = Pipeline;
    const VERB: &'static str = "add_stage";

    fn body(&self) -> String {
        format!("{self:?}")
    }

    async fn decide(
        &self,
        session: &Session<'_>,
        grant: Grant,
        context: &mut Context,
        changes: &mut ChangeSet,
    ) -> Result<Stored<Pipeline>, CrmError> {
        let before = session.load(grant, self.pipeline).await?;
        let last = stages_of(session, before.id).await?.last().map_or(0, |stage| stage.position);
        let after = touch(&before, context, changes);
        let added = self.stage.write(before.id, last + 1, context, changes);
        added.map_err(|invalid| CrmError::Invalid(vec![invalid]))?;
        Ok(after)
    }
}

/// Changes a stage's name or probability. What is absent stays.
#[derive(Clone, Debug)]
pub struct ChangeStage {
    /// Which stage.
    pub stage: Id<Stage>,
    /// Its name.
    pub name: Option<Text<100>>,
    /// How likely a deal in it is won, in percent, 0 to 100.
    pub probability: Option<Decimal6>,
}

#[async_trait]
impl Command for ChangeStage {
    type Root = Pipeline;
    const VERB: &'static str = "change_stage";

    fn body(&self) -> String {
        format!("{self:?}")
    }

    async fn decide(
        &self,
        session: &Session<'_>,
        grant: Grant,
        context: &mut Context,
        changes: &mut ChangeSet,
    ) -> Result<Stored<Pipeline>, CrmError> {
        let before = stage(session, self.stage).await?;
        let pipeline = session.load(grant, before.pipeline_id).await?;
        let mut after = before.value.clone();
        after.name = self.name.clone().unwrap_or(after.name);
        after.probability = self.probability.unwrap_or(after.probability);
        after.check(Some(&before.value), context).map_err(CrmError::Invalid)?;
        if after == before.value {
            return Ok(pipeline);
        }
        changes.update(context, &before, after);
        Ok(touch(&pipeline, context, changes))
    }
}

/// Puts a pipeline's stages in another order. Only their positions change; what happened stays as it was.
#[derive(Clone, Debug)]
pub struct ReorderStages {
    /// Which pipeline.
    pub pipeline: Id<Pipeline>,
    /// All of its stages, each once.
    pub order: Vec<Id<Stage>>,
}

#[async_trait]
impl Command for ReorderStages {
    type Root = Pipeline;
    const VERB: &'static str = "reorder";

    fn body(&self) -> String {
        format!("{self:?}")
    }

    async fn decide(
        &self,
        session: &Session<'_>,
        grant: Grant,
        context: &mut Context,
        changes: &mut ChangeSet,
    ) -> Result<Stored<Pipeline>, CrmError> {
        let before = session.load(grant, self.pipeline).await?;
        let stages = stages_of(session, before.id).await?;
        let mut moved = false;
        for (position, id) in (1..).zip(&self.order) {
            let missing = || ValueError::NotThere { entity: Stage::TABLE.entity, reference: id.to_string() };
            let stage = stages.iter().find(|stage| stage.id == *id);
            let stage = stage.ok_or_else(|| CrmError::invalid(format!("order.{position}"), missing()))?;
            let after = Stage { position, ..stage.value.clone() };
            moved |= changes.update(context, stage, after).version != stage.version;
        }
        let mut distinct = self.order.clone();
        distinct.sort_unstable();
        distinct.dedup();
        if distinct.len() != stages.len() || self.order.len() != stages.len() {
            let reason = ValueError::NotAllowed { when: "a stage is left out or named twice" };
            return Err(CrmError::invalid("order", reason));
        }
        Ok(if moved { touch(&before, context, changes) } else { before })
    }
}

/// Deletes a stage that no deal is or ever was in.
#[derive(Clone, Debug)]
pub struct DeleteStage(pub Id<Stage>);

#[async_trait]
impl Command for DeleteStage {
    type Root = Pipeline;
    const VERB: &'static str = "delete_stage";

    fn body(&self) -> String {
        self.0.to_string()
    }

    async fn decide(
        &self,
        session: &Session<'_>,
        grant: Grant,
        context: &mut Context,
        changes: &mut ChangeSet,
    ) -> Result<Stored<Pipeline>, CrmError> {
        let gone = stage(session, self.0).await?;
        let pipeline = session.load(grant, gone.pipeline_id).await?;
        if stages_of(session, pipeline.id).await?.len() < 2 {
            return Err(SalesError::NoStages(pipeline.name.to_string()).into());
        }
        changes.delete(&gone);
        Ok(touch(&pipeline, context, changes))
    }
}
