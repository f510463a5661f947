//! How a lead becomes a deal: first a plan that anybody may look at, then one commit.

use async_trait::async_trait;

use super::deal_commands::{CreateDeal, beginning};
use super::lead::{CONVERTED, LEAD, Lead, LeadStatus};
use super::{Deal, Pipeline, SalesError, Stage};
use crate::access::{Grant, policy};
use crate::context::Context;
use crate::crm::{Command, Session};
use crate::crud::{self, Edit};
use crate::entity::{Entity as _, Stored};
use crate::error::{CrmError, Invalid};
use crate::id::Id;
use crate::people::{Contact, ContactKind};
use crate::store::{ChangeSet, Select, StoreExt as _};
use crate::value::{Text, ValueError};

/// How many possible duplicates a plan names at most.
const DUPLICATES: u32 = 20;

/// Makes a deal of an open lead, or links it to a deal that is there, and closes it.
#[derive(Clone, Debug)]
pub struct ConvertLead {
    /// Which lead.
    pub lead: Id<Lead>,
    /// The deal to link it to; a new one otherwise.
    pub deal: Option<Id<Deal>>,
    /// The new deal's fields. Its title is the contact's name and its owner the lead's assignee, unless they are
    /// given; its contact is the lead's in any case.
    pub edit: Edit<Deal>,
    /// Which way the new deal goes; that of the stage, or else the organization's default.
    pub pipeline: Option<Id<Pipeline>>,
    /// Where the new deal begins; at the pipeline's first stage otherwise.
    pub stage: Option<Id<Stage>>,
}

impl ConvertLead {
    /// Makes a deal of a lead, at the beginning of the organization's default pipeline.
    pub const fn new(lead: Id<Lead>) -> Self {
        Self { lead, deal: None, edit: Edit::new(), pipeline: None, stage: None }
    }
}

/// What a conversion would do.
#[derive(Clone, Debug, PartialEq)]
pub struct Conversion {
    /// With whom the deal will be.
    pub contact: Id<Contact>,
    /// The company that the contact is or works for, if it is known.
    pub company: Option<Id<Contact>>,
    /// The deal.
    pub deal: DealPlan,
    /// The deal's fields that must be given first.
    pub missing: Vec<&'static str>,
    /// Open deals with the same contact or its company, which may be the same matter.
    pub duplicates: Vec<Id<Deal>>,
}

/// The deal of a conversion.
#[derive(Clone, Debug, PartialEq)]
pub enum DealPlan {
    /// A deal that is there.
    Link(Id<Deal>),
    /// A new one with these fields.
    Create(Edit<Deal>),
}

/// What the conversion of a lead would do, given its contact and the open deals of contact and company: the rule.
///
/// # Errors
/// [`SalesError`] when the lead was converted before, or the deal is another lead's or contact's;
/// [`CrmError::Status`] when the lead is not open.
pub fn plan_conversion(
    command: &ConvertLead,
    lead: &Stored<Lead>,
    contact: &Stored<Contact>,
    link: Option<&Stored<Deal>>,
    open: &[Stored<Deal>],
    context: &Context,
) -> Result<Conversion, CrmError> {
    if let Some(deal) = lead.deal_id {
        return Err(SalesError::Converted { lead: lead.id.to_string(), deal: deal.to_string() }.into());
    }
    LEAD.step(lead.id, lead.status.as_str(), CONVERTED, context.rights())?;
    let company = if contact.kind == ContactKind::Company { Some(contact.id) } else { contact.company_id };
    let mut missing = Vec::new();
    let deal = if let Some(deal) = link {
        if let Some(other) = deal.lead_id {
            return Err(SalesError::OtherLead { deal: deal.id.to_string(), lead: other.to_string() }.into());
        }
        if deal.contact_id.is_some_and(|with| with != contact.id && Some(with) != company) {
            return Err(SalesError::OtherContact(deal.id.to_string()).into());
        }
        DealPlan::Link(deal.id)
    } else {
        let columns = Deal::COLUMNS;
        let mut edit = Edit::new();
        // A name that is too long for a title is cut.
        let name: String = contact.display_name().chars().take(200).collect();
        if let Ok(title) = name.parse::<Text<200>>() {
            edit = edit.set(columns.title, title);
        }
        if let Some(owner) = lead.assignee_id.or(context.actor().user()) {
            edit = edit.set(columns.owner_id, owner);
        }
        let edit = edit.merge(command.edit.clone()).set(columns.contact_id, Some(contact.id));
        let lacks = |column: usize| edit.value(column).is_none_or(crate::Value::is_null);
        missing.extend(lacks(columns.title.index()).then_some("title"));
        missing.extend(lacks(columns.owner_id.index()).then_some("owner_id"));
        DealPlan::Create(edit)
    };
    let same = |deal: &&Stored<Deal>| link.is_none_or(|link| link.id != deal.id);
    let duplicates = open.iter().filter(same).map(|deal| deal.id).collect();
    Ok(Conversion { contact: contact.id, company, deal, missing, duplicates })
}

/// Reads what a plan rests on, and makes it.
async fn plan(
    session: &Session<'_>,
    grant: Grant,
    command: &ConvertLead,
    context: &Context,
) -> Result<(Stored<Lead>, Option<Stored<Deal>>, Conversion), CrmError> {
    let lead = session.load(grant, command.lead).await?;
    let gone = || CrmError::NotFound { entity: Contact::TABLE.entity, reference: lead.contact_id.to_string() };
    let contact = session.store().get(session.scope(), lead.contact_id).await?.ok_or_else(gone)?;
    let link = match command.deal {
        Some(deal) => Some(session.load(session.granted("deal", "update")?.1, deal).await?),
        None => None,
    };
    let columns = Deal::COLUMNS;
    let filter = columns.contact_id.is_in(&[Some(contact.id), contact.company_id])
        & columns.is_open.eq(&true)
        & columns.archived_at.is_null();
    let visible = session.visible::<Deal>("read").await?;
    let query = Select::new(Deal::TABLE, filter.into_expr().and(visible)).limited(DUPLICATES);
    let open: Vec<Stored<Deal>> = session.store().all(session.scope(), &query).await?;
    let conversion = plan_conversion(command, &lead, &contact, link.as_ref(), &open, context)?;
    Ok((lead, link, conversion))
}

#[async_trait]
impl Command for ConvertLead {
    type Root = Lead;
    const VERB: &'static str = "convert";

    fn body(&self) -> String {
        let Self { lead, deal, edit, pipeline, stage } = self;
        format!("{lead}\n{deal:?}\n{}\n{pipeline:?}\n{stage:?}", edit.encode())
    }

    async fn decide(
        &self,
        session: &Session<'_>,
        grant: Grant,
        context: &mut Context,
        changes: &mut ChangeSet,
    ) -> Result<Stored<Lead>, CrmError> {
        let (lead, link, conversion) = plan(session, grant, self, context).await?;
        if !conversion.missing.is_empty() {
            let missing = conversion.missing.into_iter();
            return Err(CrmError::Invalid(missing.map(|field| Invalid::new(field, ValueError::Blank)).collect()));
        }
        let deal = match (conversion.deal, link) {
            (DealPlan::Create(edit), _) => {
                let (_, grant) = policy::authorize(context.rights(), Deal::TABLE.entity, "create")?;
                let stage = beginning(session, self.pipeline, self.stage).await?;
                // The contact is the lead's, whether or not the member may see it otherwise.
                let references = crud::references(&edit);
                let given = Deal::COLUMNS.contact_id.index();
                let contact = conversion.contact.uuid();
                let others = references.filter(|(column, id)| *column != given || *id != contact);
                session.check_references(others, Deal::TABLE).await?;
                let deal = CreateDeal::write(edit, Some(lead.id), &stage, context, changes)?;
                session.require_own(grant, &deal)?;
                deal.id
            }
            (DealPlan::Link(id), Some(deal)) => {
                let contact_id = deal.contact_id.or(Some(conversion.contact));
                let after = Deal { lead_id: Some(lead.id), contact_id, ..deal.value.clone() };
                changes.update(context, &deal, after);
                id
            }
            (DealPlan::Link(id), None) => {
                return Err(CrmError::NotFound { entity: Deal::TABLE.entity, reference: id.to_string() });
            }
        };
        let after = Lead { status: LeadStatus::Closed, deal_id: Some(deal), ..lead.value.clone() };
        Ok(changes.update(context, &lead, after))
    }
}

impl Session<'_> {
    /// What the conversion of a lead would do; nothing is written.
    ///
    /// # Errors
    /// As [`plan_conversion`]; [`CrmError::NotFound`] when the member may not see the lead or the deal.
    pub async fn plan_conversion(&self, command: &ConvertLead) -> Result<Conversion, CrmError> {
        let session = self.current().await?;
        let (_, grant) = session.granted(Lead::TABLE.entity, ConvertLead::VERB)?;
        plan(&session, grant, command, &session.context()).await.map(|(_, _, conversion)| conversion)
    }

    /// Converts many leads, each in a commit of its own, and tells what came of each, in order. Sent again, those
    /// that were converted are told as such.
    pub async fn convert_leads(&self, commands: &[ConvertLead]) -> Vec<Result<Stored<Lead>, CrmError>> {
        let mut outcomes = Vec::with_capacity(commands.len());
        for command in commands {
            outcomes.push(self.run(command).await);
        }
        outcomes
    }
}
