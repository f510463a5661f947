//! Leads: who might become a customer.

use async_trait::async_trait;

use super::Deal;
use crate::access::{Grant, User};
use crate::context::Context;
use crate::crm::{Command, Session};
use crate::crud::{self, EVERY_VERB, Edit, Rules, column_is};
use crate::entity::{Entity as _, Stored};
use crate::error::CrmError;
use crate::id::Id;
use crate::people::Contact;
use crate::row::Value;
use crate::status::{Machine, Move};
use crate::store::{ChangeSet, Expr};
use crate::value::{Notes, Text};

crate::choice! {
    /// By which way a lead came.
    pub enum Channel {
        /// The web site.
        Web = "web",
        /// WhatsApp.
        Whatsapp = "whatsapp",
        /// Instagram.
        Instagram = "instagram",
        /// An e-mail.
        Email = "email",
        /// A call.
        Phone = "phone",
        /// Someone recommended us.
        Referral = "referral",
        /// Entered by hand.
        Manual = "manual",
    }
}

crate::choice! {
    /// Where a lead stands.
    pub enum LeadStatus {
        /// Nobody has talked to them.
        New = "new",
        /// Somebody has.
        Contacted = "contacted",
        /// They have an offer.
        Quoted = "quoted",
        /// It came to something: a deal or a sale.
        Closed = "closed",
        /// It came to nothing.
        Discarded = "discarded",
    }
}

const fn step(from: LeadStatus, to: LeadStatus, operation: &'static str, effect: &'static str) -> Move {
    Move::new(from.as_str(), to.as_str(), to.as_str(), operation, effect)
}

/// The event of a lead that becomes a deal.
pub(super) const CONVERTED: &str = "converted";

const fn converted(from: LeadStatus) -> Move {
    Move::new(from.as_str(), CONVERTED, LeadStatus::Closed.as_str(), "lead.convert", "a deal comes of it")
}

/// What can happen to a lead: the events are the statuses that it gets.
pub static LEAD: Machine = Machine {
    name: "lead",
    states: LeadStatus::NAMES,
    moves: &[
        step(LeadStatus::New, LeadStatus::Contacted, "lead.move", ""),
        step(LeadStatus::New, LeadStatus::Quoted, "lead.move", ""),
        step(LeadStatus::New, LeadStatus::Closed, "lead.move", ""),
        step(LeadStatus::New, LeadStatus::Discarded, "lead.move", ""),
        converted(LeadStatus::New),
        step(LeadStatus::Contacted, LeadStatus::Quoted, "lead.move", ""),
        step(LeadStatus::Contacted, LeadStatus::Closed, "lead.move", ""),
        step(LeadStatus::Contacted, LeadStatus::Discarded, "lead.move", ""),
        converted(LeadStatus::Contacted),
        step(LeadStatus::Quoted, LeadStatus::Closed, "lead.move", ""),
        step(LeadStatus::Quoted, LeadStatus::Discarded, "lead.move", ""),
        converted(LeadStatus::Quoted),
        step(LeadStatus::Closed, LeadStatus::New, "lead.reopen", "a deal that came of it stays"),
        step(LeadStatus::Closed, LeadStatus::Contacted, "lead.reopen", "a deal that came of it stays"),
        step(LeadStatus::Closed, LeadStatus::Quoted, "lead.reopen", "a deal that came of it stays"),
        step(LeadStatus::Discarded, LeadStatus::New, "lead.reopen", ""),
        step(LeadStatus::Discarded, LeadStatus::Contacted, "lead.reopen", ""),
        step(LeadStatus::Discarded, LeadStatus::Quoted, "lead.reopen", ""),
    ],
};

crate::entity! {
    /// A contact's interest in buying something.
    pub struct Lead: "lead" in "crm_lead" as Archivable, Organization {
        /// Whose.
        pub contact_id: Id<Contact> => Contact,
        /// By which way it came.
        pub channel: Channel,
        /// Where it stands.
        pub status: LeadStatus [SERVER_OWNED],
        /// The member who works on it.
        pub assignee_id: Option<Id<User>> => User,
        /// What those who distribute the work have to say.
        pub admin_notes: Option<Notes<10000>> [PERSONAL],
        /// What those who sell have to say.
        pub sales_notes: Option<Notes<10000>> [PERSONAL],
        /// The deal that came of it; the deal refers back to the lead.
        pub deal_id: Option<Id<Deal>> [SERVER_OWNED],
        /// The id in the system that it was imported from.
        pub external_id: Option<Text<100>> [PERSONAL],
    }
    columns LeadColumns;
    derived { }
    unique { "crm_lead_external_id": [external_id] }
    index {
        "crm_lead_contact_id": [contact_id],
        "crm_lead_assignee_id": [assignee_id, status],
        "crm_lead_created_by": [created_by],
        "crm_lead_status": [status, channel, created_at, archived_at],
        "crm_lead_created_at": [created_at, id],
    }
}

impl Rules for Lead {
    const GENERAL: &'static [&'static str] = EVERY_VERB;
    const NATURAL_KEYS: &'static [&'static str] = &["external_id"];

    fn defaults(_: &Context) -> Edit<Self> {
        Edit::new().set(Self::COLUMNS.channel, Channel::Manual).set(Self::COLUMNS.status, LeadStatus::New)
    }

    fn own(user: Id<User>) -> Expr {
        let is = |column| column_is(column, Value::Id(user.uuid()));
        Expr::Or(vec![is(Self::COLUMNS.assignee_id.index()), is(Self::TABLE.expect_position("created_by"))])
    }
}

/// Gives a lead to an active member, or to nobody.
#[derive(Clone, Debug)]
pub struct AssignLead {
    /// Which lead.
    pub id: Id<Lead>,
    /// To whom.
    pub assignee: Option<Id<User>>,
}

#[async_trait]
impl Command for AssignLead {
    type Root = Lead;
    const VERB: &'static str = "assign";

    fn body(&self) -> String {
        format!("{self:?}")
    }

    async fn decide(
        &self,
        session: &Session<'_>,
        grant: Grant,
        context: &mut Context,
        changes: &mut ChangeSet,
    ) -> Result<Stored<Lead>, CrmError> {
        let before = session.load(grant, self.id).await?;
        let edit = Edit::new().set(Lead::COLUMNS.assignee_id, self.assignee);
        session.check_references(crud::references(&edit), Lead::TABLE).await?;
        let after = changes.update(context, &before, crud::change(&before, &edit, context)?);
        session.require_own(grant, &after)?;
        Ok(after)
    }
}

/// Moves a lead to another status. Its own status changes nothing and leaves no trace.
#[derive(Clone, Debug)]
pub struct MoveLead {
    /// Which lead.
    pub id: Id<Lead>,
    /// To which status.
    pub status: LeadStatus,
}

#[async_trait]
impl Command for MoveLead {
    type Root = Lead;
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
    ) -> Result<Stored<Lead>, CrmError> {
        let before = session.load(grant, self.id).await?;
        if before.status == self.status {
            return Ok(before);
        }
        LEAD.step(before.id, before.status.as_str(), self.status.as_str(), context.rights())?;
        let after = Lead { status: self.status, ..before.value.clone() };
        Ok(changes.update(context, &before, after))
    }
}
