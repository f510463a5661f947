//! Tags: words that members put on contacts, leads and deals.

use async_trait::async_trait;

use super::{Deal, Lead, SalesError};
use crate::access::{Grant, User};
use crate::context::Context;
use crate::crm::{Command, Session};
use crate::crud::Rules;
use crate::entity::{Entity as _, Stored};
use crate::error::CrmError;
use crate::id::Id;
use crate::people::Contact;
use crate::store::{ChangeSet, Expr, Filter, Select, StoreExt as _};
use crate::value::{Text, fold};

crate::entity! {
    /// A word that records can be found by.
    pub struct Tag: "tag" in "crm_tag" as Record, Organization {
        /// The word or words.
        pub name: Text<50>,
    }
    columns TagColumns;
    derived {
        /// The name as it is compared.
        name_key: String = |tag: &Tag| fold(&tag.name),
    }
    unique { "crm_tag_name_key": [name_key] }
    index { }
}

impl Rules for Tag {
    const GENERAL: &'static [&'static str] = &["create", "update", "delete"];
    const NATURAL_KEYS: &'static [&'static str] = &["name"];
}

crate::entity! {
    /// A tag on a record: on a contact, a lead or a deal, exactly one of them.
    pub struct Tagging: "tagging" in "crm_tagging" as Record, Organization {
        /// Which tag.
        pub tag_id: Id<Tag> [SERVER_OWNED] => Tag,
        /// On which contact.
        pub contact_id: Option<Id<Contact>> [SERVER_OWNED] => Contact,
        /// On which lead.
        pub lead_id: Option<Id<Lead>> [SERVER_OWNED] => Lead,
        /// On which deal.
        pub deal_id: Option<Id<Deal>> [SERVER_OWNED] => Deal,
    }
    columns TaggingColumns;
    derived { }
    unique {
        "crm_tagging_contact_id": [contact_id, tag_id],
        "crm_tagging_lead_id": [lead_id, tag_id],
        "crm_tagging_deal_id": [deal_id, tag_id],
    }
    index { "crm_tagging_tag_id": [tag_id, contact_id, lead_id, deal_id] }
}

impl Rules for Tagging {
    fn own(user: Id<User>) -> Expr {
        let on = |reference, own: Expr| Expr::Related { reference, filter: Box::new(own) };
        Expr::Or(vec![
            on(Self::COLUMNS.contact_id.index(), Contact::own(user)),
            on(Self::COLUMNS.lead_id.index(), Lead::own(user)),
            on(Self::COLUMNS.deal_id.index(), Deal::own(user)),
        ])
    }
}

impl Tagging {
    fn new(tag: Id<Tag>, record: Tagged) -> Self {
        let mut tagging = Self { tag_id: tag, contact_id: None, lead_id: None, deal_id: None };
        match record {
            Tagged::Contact(id) => tagging.contact_id = Some(id),
            Tagged::Lead(id) => tagging.lead_id = Some(id),
            Tagged::Deal(id) => tagging.deal_id = Some(id),
        }
        tagging
    }
}

impl Tag {
    fn named(name: &str) -> Filter<Self> {
        Self::COLUMNS.name_key.eq(&fold(name))
    }

    /// The contacts that have the tag.
    pub fn on_contacts(name: &str) -> Filter<Contact> {
        let columns = Tagging::COLUMNS;
        columns.contact_id.of_any(columns.tag_id.refers_to(Self::named(name)))
    }

    /// The leads that have the tag.
    pub fn on_leads(name: &str) -> Filter<Lead> {
        let columns = Tagging::COLUMNS;
        columns.lead_id.of_any(columns.tag_id.refers_to(Self::named(name)))
    }

    /// The deals that have the tag.
    pub fn on_deals(name: &str) -> Filter<Deal> {
        let columns = Tagging::COLUMNS;
        columns.deal_id.of_any(columns.tag_id.refers_to(Self::named(name)))
    }
}

/// A record that can have tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tagged {
    /// A contact.
    Contact(Id<Contact>),
    /// A lead.
    Lead(Id<Lead>),
    /// A deal.
    Deal(Id<Deal>),
}

impl Tagged {
    /// The taggings of the record.
    pub fn taggings(self) -> Filter<Tagging> {
        let columns = Tagging::COLUMNS;
        match self {
            Self::Contact(id) => columns.contact_id.eq(&Some(id)),
            Self::Lead(id) => columns.lead_id.eq(&Some(id)),
            Self::Deal(id) => columns.deal_id.eq(&Some(id)),
        }
    }

    /// Refuses a record that is not there within a grant.
    async fn require(self, session: &Session<'_>, grant: Grant) -> Result<(), CrmError> {
        match self {
            Self::Contact(id) => session.load(grant, id).await.map(drop),
            Self::Lead(id) => session.load(grant, id).await.map(drop),
            Self::Deal(id) => session.load(grant, id).await.map(drop),
        }
    }

    /// The record's tagging with this tag, if it has it.
    async fn tagging(self, session: &Session<'_>, tag: Id<Tag>) -> Result<Option<Stored<Tagging>>, CrmError> {
        let filter = self.taggings() & Tagging::COLUMNS.tag_id.eq(&tag);
        Ok(session.store().first(session.scope(), Select::new(Tagging::TABLE, filter.into())).await?)
    }
}

/// The tag of this name, if there is one.
async fn tag(session: &Session<'_>, name: &str) -> Result<Option<Stored<Tag>>, CrmError> {
    Ok(session.store().first(session.scope(), Select::new(Tag::TABLE, Tag::named(name).into())).await?)
}

/// Puts a tag on a record; a tag that is not there is made. A second time changes nothing.
#[derive(Clone, Debug)]
pub struct AddTag {
    /// Which tag, by name.
    pub tag: Text<50>,
    /// On which record.
    pub record: Tagged,
}

#[async_trait]
impl Command for AddTag {
    type Root = Tagging;
    const VERB: &'static str = "add";

    fn body(&self) -> String {
        format!("{self:?}")
    }

    async fn decide(
        &self,
        session: &Session<'_>,
        grant: Grant,
        context: &mut Context,
        changes: &mut ChangeSet,
    ) -> Result<Stored<Tagging>, CrmError> {
        self.record.require(session, grant).await?;
        let tag = match tag(session, &self.tag).await? {
            Some(tag) => {
                if let Some(known) = self.record.tagging(session, tag.id).await? {
                    return Ok(known);
                }
                tag
            }
            None => changes.insert(context, Tag { name: self.tag.clone() }),
        };
        Ok(changes.insert(context, Tagging::new(tag.id, self.record)))
    }
}

/// Takes a tag off a record.
#[derive(Clone, Debug)]
pub struct RemoveTag {
    /// Which tag, by name.
    pub tag: Text<50>,
    /// Off which record.
    pub record: Tagged,
}

#[async_trait]
impl Command for RemoveTag {
    type Root = Tagging;
    const VERB: &'static str = "remove";

    fn body(&self) -> String {
        format!("{self:?}")
    }

    async fn decide(
        &self,
        session: &Session<'_>,
        grant: Grant,
        _: &mut Context,
        changes: &mut ChangeSet,
    ) -> Result<Stored<Tagging>, CrmError> {
        self.record.require(session, grant).await?;
        let absent = || SalesError::NotTagged(self.tag.to_string());
        let tag = tag(session, &self.tag).await?.ok_or_else(absent)?;
        let tagging = self.record.tagging(session, tag.id).await?.ok_or_else(absent)?;
        changes.delete(&tagging);
        Ok(tagging)
    }
}
