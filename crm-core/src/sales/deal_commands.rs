//! What is done with deals: made, moved, started, won, lost, reopened, deleted. Their fields are changed by
//! [`Update`](crate::Update).

use async_trait::async_trait;

use super::deal::{BACK, DEAL, DEAL_STAGE, Deal, DealStatus, FORWARD};
use super::pipeline_commands::{stages_of, the_default};
use super::{Lead, Pipeline, SalesError, Stage, StageChange};
use crate::access::Grant;
use crate::context::Context;
use crate::crm::{Command, Session};
use crate::crud::{self, Edit, Rules as _};
use crate::entity::{Entity, Stored};
use crate::error::CrmError;
use crate::id::Id;
use crate::store::{ChangeSet, Select, StoreExt as _};
use crate::value::{Text, ValueError};

/// Makes a deal.
#[derive(Clone, Debug, Default)]
pub struct CreateDeal {
    /// Its fields.
    pub edit: Edit<Deal>,
    /// Which way it goes; that of the stage, or else the organization's default.
    pub pipeline: Option<Id<Pipeline>>,
    /// Where it begins; at the pipeline's first stage otherwise.
    pub stage: Option<Id<Stage>>,
}

impl CreateDeal {
    /// A deal with these fields, at the beginning of the organization's default pipeline.
    pub const fn new(edit: Edit<Deal>) -> Self {
        Self { edit, pipeline: None, stage: None }
    }

    /// The deal in a stage, with the first entry of its history, added to a change-set: the rule.
    ///
    /// # Errors
    /// [`CrmError::Invalid`] with every field that is missing or refused.
    pub(super) fn write(
        edit: Edit<Deal>,
        lead: Option<Id<Lead>>,
        stage: &Stored<Stage>,
        context: &mut Context,
        changes: &mut ChangeSet,
    ) -> Result<Stored<Deal>, CrmError> {
        let columns = Deal::COLUMNS;
        let base = Edit::new()
            .set(columns.pipeline_id, stage.pipeline_id)
            .set(columns.stage_id, stage.id)
            .set(columns.opened_at, context.now())
            .set(columns.stage_entered_at, context.now())
            .set(columns.lead_id, lead);
        let deal = changes.insert(context, crud::create_on(edit, base, context)?);
        changes.insert(context, StageChange::now(None, &deal, context));
        Ok(deal)
    }
}

/// Where a new deal begins.
///
/// # Errors
/// When there is no such pipeline or stage, or the stage is another pipeline's.
pub(super) async fn beginning(
    session: &Session<'_>,
    pipeline: Option<Id<Pipeline>>,
    stage: Option<Id<Stage>>,
) -> Result<Stored<Stage>, CrmError> {
    if let Some(stage) = stage {
        let stage = named(session, stage, "stage_id").await?;
        return match pipeline {
            Some(pipeline) if pipeline != stage.pipeline_id => {
                named(session, pipeline, "pipeline_id").await?;
                Err(SalesError::OtherPipeline(stage.name.to_string()).into())
            }
            _ => Ok(stage),
        };
    }
    let pipeline = match pipeline {
        Some(pipeline) => named(session, pipeline, "pipeline_id").await?,
        None => the_default(session).await?.ok_or(SalesError::NoPipeline)?,
    };
    let first = stages_of(session, pipeline.id).await?.into_iter().next();
    first.ok_or_else(|| SalesError::NoStages(pipeline.name.to_string()).into())
}

/// The record that a command names; one that is not there is refused by field.
async fn named<E: Entity>(session: &Session<'_>, id: Id<E>, field: &str) -> Result<Stored<E>, CrmError> {
    let missing = || {
        let reason = ValueError::NotThere { entity: E::TABLE.entity, reference: id.to_string() };
        CrmError::invalid(field, reason)
    };
    session.store().get(session.scope(), id).await?.ok_or_else(missing)
}

#[async_trait]
impl Command for CreateDeal {
    type Root = Deal;
    const VERB: &'static str = "create";

    fn body(&self) -> String {
        format!("{}\n{:?}\n{:?}", self.edit.encode(), self.pipeline, self.stage)
    }

    async fn decide(
        &self,
        session: &Session<'_>,
        grant: Grant,
        context: &mut Context,
        changes: &mut ChangeSet,
    ) -> Result<Stored<Deal>, CrmError> {
        let stage = beginning(session, self.pipeline, self.stage).await?;
        let deal = Self::write(self.edit.clone(), None, &stage, context, changes)?;
        session.check_references(crud::references(&self.edit), Deal::TABLE).await?;
        session.require_own(grant, &deal)?;
        Ok(deal)
    }
}

/// Moves an open deal to another stage of its pipeline. Its own stage changes nothing and leaves no trace.
#[derive(Clone, Debug)]
pub struct MoveDeal {
    /// Which deal.
    pub id: Id<Deal>,
    /// To which stage.
    pub stage: Id<Stage>,
}

#[async_trait]
impl Command for MoveDeal {
    type Root = Deal;
    const VERB: &'static str = "move";

    fn body(&self) -> String {
        format!("{self:?}")
    }

    async fn decide(
        &self,
        session: &Session<'_>,
        grant: Grant,
        context: &mut Context,
        changes: &mut ChangeSet,
    ) -> Result<Stored<Deal>, CrmError> {
        let before = session.load(grant, self.id).await?;
        if before.stage_id == self.stage {
            return Ok(before);
        }
        let to = named(session, self.stage, "stage_id").await?;
        if to.pipeline_id != before.pipeline_id {
            return Err(SalesError::OtherPipeline(to.name.to_string()).into());
        }
        let from = named(session, before.stage_id, "stage_id").await?;
        let event = if to.position > from.position { FORWARD } else { BACK };
        let state = if before.status.is_open() { "open" } else { "closed" };
        DEAL_STAGE.step(&before.title, state, event, context.rights())?;
        // Which way it goes depends on the stages' places.
        changes.require_unchanged(&from);
        changes.require_unchanged(&to);
        let status = DealStatus::InProgress;
        let after = Deal { stage_id: to.id, status, stage_entered_at: context.now(), ..before.value.clone() };
        recorded(&before, after, context, changes)
    }
}

/// Checks a deal as it is to be, and adds it with the entry of its history to a change-set.
fn recorded(
    before: &Stored<Deal>,
    mut after: Deal,
    context: &mut Context,
    changes: &mut ChangeSet,
) -> Result<Stored<Deal>, CrmError> {
    after.check(Some(&before.value), context).map_err(CrmError::Invalid)?;
    let after = changes.update(context, before, after);
    changes.insert(context, StageChange::now(Some(&before.value), &after, context));
    Ok(after)
}

/// Says that somebody works on a new deal.
#[derive(Clone, Debug)]
pub struct StartDeal(pub Id<Deal>);

#[async_trait]
impl Command for StartDeal {
    type Root = Deal;
    const VERB: &'static str = "start";

    fn body(&self) -> String {
        self.0.to_string()
    }

    async fn decide(
        &self,
        session: &Session<'_>,
        grant: Grant,
        context: &mut Context,
        changes: &mut ChangeSet,
    ) -> Result<Stored<Deal>, CrmError> {
        let before = session.load(grant, self.0).await?;
        DEAL.step(&before.title, before.status.as_str(), "started", context.rights())?;
        let after = Deal { status: DealStatus::InProgress, ..before.value.clone() };
        Ok(changes.update(context, &before, after))
    }
}

/// Wins an open deal that has an amount.
#[derive(Clone, Debug)]
pub struct WinDeal(pub Id<Deal>);

#[async_trait]
impl Command for WinDeal {
    type Root = Deal;
    const VERB: &'static str = "win";

    fn body(&self) -> String {
        self.0.to_string()
    }

    async fn decide(
        &self,
        session: &Session<'_>,
        grant: Grant,
        context: &mut Context,
        changes: &mut ChangeSet,
    ) -> Result<Stored<Deal>, CrmError> {
        let before = session.load(grant, self.0).await?;
        DEAL.step(&before.title, before.status.as_str(), "won", context.rights())?;
        recorded(&before, Deal { status: DealStatus::Won, ..before.value.clone() }, context, changes)
    }
}

/// Gives up an open deal.
#[derive(Clone, Debug)]
pub struct LoseDeal {
    /// Which deal.
    pub id: Id<Deal>,
    /// Why it is lost.
    pub reason: Text<500>,
}

#[async_trait]
impl Command for LoseDeal {
    type Root = Deal;
    const VERB: &'static str = "lose";

    fn body(&self) -> String {
        format!("{self:?}")
    }

    async fn decide(
        &self,
        session: &Session<'_>,
        grant: Grant,
        context: &mut Context,
        changes: &mut ChangeSet,
    ) -> Result<Stored<Deal>, CrmError> {
        let before = session.load(grant, self.id).await?;
        DEAL.step(&before.title, before.status.as_str(), "lost", context.rights())?;
        let lost_reason = Some(self.reason.clone());
        recorded(&before, Deal { status: DealStatus::Lost, lost_reason, ..before.value.clone() }, context, changes)
    }
}

/// Opens a deal again that was won or lost, in the stage that it was in.
#[derive(Clone, Debug)]
pub struct ReopenDeal(pub Id<Deal>);

#[async_trait]
impl Command for ReopenDeal {
    type Root = Deal;
    const VERB: &'static str = "reopen";

    fn body(&self) -> String {
        self.0.to_string()
    }

    async fn decide(
        &self,
        session: &Session<'_>,
        grant: Grant,
        context: &mut Context,
        changes: &mut ChangeSet,
    ) -> Result<Stored<Deal>, CrmError> {
        let before = session.load(grant, self.0).await?;
        DEAL.step(&before.title, before.status.as_str(), "reopened", context.rights())?;
        let after = Deal { status: DealStatus::InProgress, stage_entered_at: context.now(), ..before.value.clone() };
        recorded(&before, after, context, changes)
    }
}

/// Deletes a deal with its history. A lead that it came of may be converted again.
#[derive(Clone, Debug)]
pub struct DeleteDeal(pub Id<Deal>);

#[async_trait]
impl Command for DeleteDeal {
    type Root = Deal;
    const VERB: &'static str = "delete";

    fn body(&self) -> String {
        self.0.to_string()
    }

    async fn decide(
        &self,
        session: &Session<'_>,
        grant: Grant,
        context: &mut Context,
        changes: &mut ChangeSet,
    ) -> Result<Stored<Deal>, CrmError> {
        let before = session.load(grant, self.0).await?;
        let query = Select::new(StageChange::TABLE, StageChange::COLUMNS.deal_id.eq(&before.id).into());
        for step in &session.store().all::<StageChange>(session.scope(), &query).await? {
            changes.delete(step);
        }
        if let Some(lead) = before.lead_id
            && let Some(lead) = session.store().get(session.scope(), lead).await?
        {
            let after = Lead { deal_id: None, ..lead.value.clone() };
            changes.update(context, &lead, after);
        }
        changes.delete(&before);
        Ok(before)
    }
}
