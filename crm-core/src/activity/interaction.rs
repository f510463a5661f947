//! Interactions: what was said and done with people. Written once, never changed.

use super::About as _;
use super::Subject;
use super::subject::further_subjects;
use crate::access::User;
use crate::billing::Invoice;
use crate::context::Context;
use crate::crud::{Edit, Rules, column_is};
use crate::error::Invalid;
use crate::id::Id;
use crate::people::Contact;
use crate::row::Value;
use crate::sales::{Deal, Lead};
use crate::service::Case;
use crate::store::Expr;
use crate::value::{Instant, Notes, ValueError};

crate::choice! {
    /// How people met. What the program itself records has kinds of its own, in the timeline, that nobody can write.
    pub enum InteractionKind {
        /// A call.
        Call = "call",
        /// An e-mail.
        Email = "email",
        /// A meeting.
        Meeting = "meeting",
        /// A message.
        Message = "message",
        /// A visit.
        Visit = "visit",
        /// A note.
        Note = "note",
        /// A comment.
        Comment = "comment",
    }
}

crate::entity! {
    /// Something that was said or done about a record.
    pub struct Interaction: "interaction" in "crm_interaction" as Entry, Organization {
        /// The contact that it is about.
        pub contact_id: Option<Id<Contact>> => Contact,
        /// The lead that it is about.
        pub lead_id: Option<Id<Lead>> => Lead,
        /// The deal that it is about.
        pub deal_id: Option<Id<Deal>> => Deal,
        /// The invoice that it is about.
        pub invoice_id: Option<Id<Invoice>> => Invoice,
        /// The case that it is about.
        pub case_id: Option<Id<Case>> => Case,
        /// How people met.
        pub kind: InteractionKind,
        /// When it happened; not in the future.
        pub occurred_at: Instant,
        /// What was said, in 5 to 10,000 characters.
        pub notes: Notes<10000> [PERSONAL],
        /// Who wrote it down.
        pub author_id: Id<User> [SERVER_OWNED] => User,
    }
    columns InteractionColumns;
    derived { }
    unique { }
    index {
        "crm_interaction_contact": [contact_id, occurred_at, id],
        "crm_interaction_lead": [lead_id, occurred_at, id],
        "crm_interaction_deal": [deal_id, occurred_at, id],
        "crm_interaction_invoice": [invoice_id, occurred_at, id],
        "crm_interaction_case": [case_id, occurred_at, id],
        "crm_interaction_author": [author_id, occurred_at, id],
    }
}

/// How many characters the notes have at least.
const SHORTEST_NOTES: usize = 5;

impl Rules for Interaction {
    const GENERAL: &'static [&'static str] = &["create"];
    fn defaults(context: &Context) -> Edit<Self> {
        let edit = Edit::new().set(Self::COLUMNS.occurred_at, context.now());
        match context.actor().user() {
            Some(user) => edit.set(Self::COLUMNS.author_id, user),
            None => edit,
        }
    }

    fn own(user: Id<User>) -> Expr {
        let written = column_is(Self::COLUMNS.author_id.index(), Value::Id(user.uuid()));
        Expr::Or(vec![written, Subject::own::<Self>(user)])
    }

    fn check(&mut self, _: Option<&Self>, context: &Context) -> Result<(), Vec<Invalid>> {
        let mut refused: Vec<Invalid> = further_subjects(self).collect();
        if self.subject().is_none() {
            refused.push(Invalid::new("subject", ValueError::Blank));
        }
        if self.occurred_at > context.now() {
            refused.push(Invalid::new("occurred_at", ValueError::NotAllowed { when: "it lies in the future" }));
        }
        let got = self.notes.chars().count();
        if got < SHORTEST_NOTES {
            refused.push(Invalid::new("notes", ValueError::TooShort { min: SHORTEST_NOTES, got }));
        }
        if refused.is_empty() { Ok(()) } else { Err(refused) }
    }
}
