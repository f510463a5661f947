//! What the calls of sales need.

use std::fmt::Display;

use uuid::Uuid;

use crate::access::User;
use crate::entity::{Entity as _, Minor, Stored};
use crate::error::CrmError;
use crate::id::Id;
use crate::import::ImportKind;
use crate::people::Contact;
use crate::sales::{
    AddTag, ConvertLead, CreateDeal, CreatePipeline, Deal, DeletePipeline, Lead, LeadStatus, LoseDeal, MoveDeal,
    MoveLead, NewStage, Pipeline, ReorderStages, Stage, StageChange, Tag, Tagged, Tagging,
};
use crate::store::{Query, Select, StoreExt as _};
use crate::value::{Decimal6, Text};
use crate::{Edit, Session};

/// One record of each kind that a call may name.
#[derive(Clone, Debug)]
pub(super) struct Ids {
    pub(super) pipeline: Id<Pipeline>,
    /// The pipeline's first stage, in which `deal` is.
    pub(super) first: Id<Stage>,
    /// Its second stage, in which no deal ever was.
    pub(super) second: Id<Stage>,
    /// Its last stage, in which `late` and `lost` are.
    pub(super) end: Id<Stage>,
    pub(super) lead: Id<Lead>,
    pub(super) discarded: Id<Lead>,
    pub(super) deal: Id<Deal>,
    pub(super) late: Id<Deal>,
    pub(super) lost: Id<Deal>,
    pub(super) step: Id<StageChange>,
    pub(super) tag: Id<Tag>,
    /// A tag on nothing.
    pub(super) unused: Id<Tag>,
    pub(super) tagging: Id<Tagging>,
}

impl Ids {
    /// The same id everywhere.
    pub(super) fn all(id: Uuid) -> Self {
        Self {
            pipeline: Id::new(id),
            first: Id::new(id),
            second: Id::new(id),
            end: Id::new(id),
            lead: Id::new(id),
            discarded: Id::new(id),
            deal: Id::new(id),
            late: Id::new(id),
            lost: Id::new(id),
            step: Id::new(id),
            tag: Id::new(id),
            unused: Id::new(id),
            tagging: Id::new(id),
        }
    }

    super::mixed!(pipeline, first, second, end, lead, discarded, deal, late, lost, step, tag, unused, tagging);
}

/// A pipeline of its own with three stages, deals owned by `owner`, and leads assigned to `assignee`.
pub(super) async fn fixtures(
    session: &Session<'_>,
    owner: Id<User>,
    assignee: Id<User>,
    contact: Id<Contact>,
    label: &str,
) -> Result<Ids, CrmError> {
    let name = format!("Way {label}").parse()?;
    let stages = ["early", "middle", "end"].map(stage).to_vec();
    let pipeline = session.run(&CreatePipeline { name, stages }).await?;
    let query = Query::new(Stage::COLUMNS.pipeline_id.eq(&pipeline.id)).ascending(Stage::COLUMNS.position);
    let stages: Vec<Id<Stage>> = session.list(&query).await?.items.iter().map(|stage| stage.id).collect();
    let &[first, second, end] = stages.as_slice() else {
        return Err(CrmError::NotFound { entity: "stage", reference: label.to_owned() });
    };
    let owned = deal().set(Deal::COLUMNS.owner_id, owner);
    let create = |stage| CreateDeal { stage: Some(stage), ..CreateDeal::new(owned.clone()) };
    let deal = session.run(&create(first)).await?;
    let late = session.run(&create(end)).await?;
    let lost = session.run(&create(end)).await?;
    session.run(&LoseDeal { id: lost.id, reason: reason() }).await?;
    let assigned = lead(contact).set(Lead::COLUMNS.assignee_id, Some(assignee));
    let open = session.create(assigned.clone()).await?;
    let discarded = session.create(assigned).await?;
    session.run(&MoveLead { id: discarded.id, status: LeadStatus::Discarded }).await?;
    let tagging = session.run(&AddTag { tag: tag("fixture"), record: Tagged::Deal(deal.id) }).await?;
    let unused = session.create(Edit::new().set(Tag::COLUMNS.name, tag(&format!("unused {label}")))).await?;
    let steps = session.list(&Query::new(StageChange::COLUMNS.deal_id.eq(&deal.id))).await?;
    Ok(Ids {
        pipeline: pipeline.id,
        first,
        second,
        end,
        lead: open.id,
        discarded: discarded.id,
        deal: deal.id,
        late: late.id,
        lost: lost.id,
        step: steps.items.first().map_or(Id::new(Uuid::from_u128(2)), |step| step.id),
        tag: tagging.tag_id,
        unused: unused.id,
        tagging: tagging.id,
    })
}

pub(super) fn stage(name: &str) -> NewStage {
    NewStage { name: name.parse().expect("the tests' names are valid"), probability: Decimal6::HUNDRED }
}

pub(super) fn tag(name: &str) -> Text<50> {
    name.parse().expect("the tests' names are valid")
}

pub(super) fn reason() -> Text<500> {
    "too dear".parse().expect("the tests' reasons are valid")
}

/// A pipeline that [`forget_pipeline`] takes away again.
pub(super) fn another_pipeline() -> CreatePipeline {
    CreatePipeline { name: "Another".parse().expect("the tests' names are valid"), stages: vec![stage("only")] }
}

/// Deletes the pipeline that a call made, so that the next role may make it as well.
pub(super) async fn forget_pipeline(owner: &Session<'_>) -> Result<(), CrmError> {
    let query = Select::new(Pipeline::TABLE, Pipeline::COLUMNS.name_key.eq(&"another".to_owned()).into());
    let made: Option<Stored<Pipeline>> = owner.store().first(owner.scope(), query).await?;
    match made {
        Some(made) => owner.run(&DeletePipeline(made.id)).await.map(drop),
        None => Ok(()),
    }
}

pub(super) fn rename(name: &str) -> Edit<Pipeline> {
    match name.parse::<Text<100>>() {
        Ok(name) => Edit::new().set(Pipeline::COLUMNS.name, name),
        Err(_) => Edit::new(),
    }
}

/// Imports a deal with this in a column.
pub(super) async fn import_deal(session: &Session<'_>, column: &str, cell: impl Display) -> Result<(), CrmError> {
    let text = format!("title,{column}\nSomething,{cell}\n");
    super::import(session, ImportKind::Deals, text).await.map_err(|error| match error {
        CrmError::NotFound { entity, reference } if reference.contains("the role may not") => {
            CrmError::Forbidden { operation: format!("{entity}.import_past"), role: session.role() }
        }
        other => other,
    })
}

pub(in crate::testing) fn lead(contact: Id<Contact>) -> Edit<Lead> {
    Edit::new().set(Lead::COLUMNS.contact_id, contact)
}

pub(in crate::testing) fn deal() -> Edit<Deal> {
    let edit = Edit::new().set(Deal::COLUMNS.amount, Minor(100));
    match "Something".parse::<Text<200>>() {
        Ok(title) => edit.set(Deal::COLUMNS.title, title),
        Err(_) => edit,
    }
}

/// A lead with a contact of the session's own, for calls whose other argument is in question.
async fn own_lead(session: &Session<'_>) -> Result<Stored<Lead>, CrmError> {
    session.create(lead(super::own_contact(session).await?)).await
}

pub(super) async fn lead_of(session: &Session<'_>, user: Id<User>) -> Result<(), CrmError> {
    let edit = lead(super::own_contact(session).await?).set(Lead::COLUMNS.assignee_id, Some(user));
    session.create(edit).await.map(drop)
}

pub(super) async fn lead_to(session: &Session<'_>, contact: Id<Contact>) -> Result<(), CrmError> {
    let own = own_lead(session).await?;
    session.update(own.id, lead(contact)).await.map(drop)
}

pub(super) async fn convert_to(
    session: &Session<'_>,
    deal: Option<Id<Deal>>,
    pipeline: Option<Id<Pipeline>>,
    stage: Option<Id<Stage>>,
) -> Result<(), CrmError> {
    let own = own_lead(session).await?;
    session.run(&ConvertLead { deal, pipeline, stage, ..ConvertLead::new(own.id) }).await.map(drop)
}

pub(super) async fn deal_with(session: &Session<'_>, edit: Edit<Deal>) -> Result<(), CrmError> {
    let own = session.run(&CreateDeal::new(deal())).await?;
    session.update(own.id, edit).await.map(drop)
}

pub(super) async fn move_own(session: &Session<'_>, stage: Id<Stage>) -> Result<(), CrmError> {
    let own = session.run(&CreateDeal::new(deal())).await?;
    session.run(&MoveDeal { id: own.id, stage }).await.map(drop)
}

pub(super) async fn reorder_own(session: &Session<'_>, stage: Id<Stage>) -> Result<(), CrmError> {
    let own = session.list(&Query::new(Pipeline::COLUMNS.is_default.eq(&true))).await?;
    let pipeline = own.items.first().map_or(Id::new(Uuid::from_u128(1)), |pipeline| pipeline.id);
    session.run(&ReorderStages { pipeline, order: vec![stage] }).await.map(drop)
}
