//! Deals and their two machines: the status, and the way through the stages.

use super::{Lead, Pipeline, Stage};
use crate::access::User;
use crate::billing::Product;
use crate::context::Context;
use crate::crud::{Edit, Rules, column_is};
use crate::entity::Minor;
use crate::error::Invalid;
use crate::id::Id;
use crate::people::Contact;
use crate::row::Value;
use crate::status::{Machine, Move};
use crate::store::Expr;
use crate::value::{Currency, Date, Instant, Money, Text, ValueError, fold};

crate::choice! {
    /// Where a deal stands, whatever its stage.
    pub enum DealStatus {
        /// Nothing has happened yet.
        New = "new",
        /// Somebody works on it.
        InProgress = "in_progress",
        /// The contact buys.
        Won = "won",
        /// The contact does not buy.
        Lost = "lost",
    }
}

impl DealStatus {
    /// Whether it is neither won nor lost.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::New | Self::InProgress)
    }
}

const fn step(
    from: DealStatus,
    event: &'static str,
    to: DealStatus,
    operation: &'static str,
    effect: &'static str,
) -> Move {
    Move::new(from.as_str(), event, to.as_str(), operation, effect)
}

/// What can happen to a deal's status.
pub static DEAL: Machine = Machine {
    name: "deal",
    states: DealStatus::NAMES,
    moves: &[
        step(DealStatus::New, "started", DealStatus::InProgress, "deal.start", "also by the first move of stage"),
        step(DealStatus::New, "won", DealStatus::Won, "deal.win", "the amount is above zero; the visit ends"),
        step(DealStatus::InProgress, "won", DealStatus::Won, "deal.win", "the amount is above zero; the visit ends"),
        step(DealStatus::New, "lost", DealStatus::Lost, "deal.lose", "a reason is asked for; the visit ends"),
        step(DealStatus::InProgress, "lost", DealStatus::Lost, "deal.lose", "a reason is asked for; the visit ends"),
        step(DealStatus::Won, "reopened", DealStatus::InProgress, "deal.reopen", "a new visit of the stage begins"),
        step(DealStatus::Lost, "reopened", DealStatus::InProgress, "deal.reopen", "a new visit of the stage begins"),
    ],
};

/// The event of a deal that goes to a later stage.
pub(super) const FORWARD: &str = "moved forward";
/// The event of a deal that goes to an earlier stage.
pub(super) const BACK: &str = "moved back";

/// Whether a deal may change its stage: an open one, forward freely.
pub static DEAL_STAGE: Machine = Machine {
    name: "deal_stage",
    states: &["open", "closed"],
    moves: &[
        Move::new("open", FORWARD, "open", "deal.move", "a new deal is in progress then"),
        Move::new("open", BACK, "open", "deal.move_back", "a new deal is in progress then"),
    ],
};

crate::entity! {
    /// Something that a contact may buy, on its way through a pipeline.
    pub struct Deal: "deal" in "crm_deal" as Archivable, Organization {
        /// What it is about.
        pub title: Text<200> [PERSONAL],
        /// With whom.
        pub contact_id: Option<Id<Contact>> => Contact,
        /// The member who works on it.
        pub owner_id: Id<User> => User,
        /// The currency of the amount.
        pub currency: Currency,
        /// What it is worth; 0 while that is not known.
        pub amount: Minor,
        /// Which way it goes.
        pub pipeline_id: Id<Pipeline> [SERVER_OWNED] => Pipeline,
        /// How far it has come.
        pub stage_id: Id<Stage> [SERVER_OWNED] => Stage,
        /// Where it stands.
        pub status: DealStatus [SERVER_OWNED],
        /// The civil date on which it is expected to be won.
        pub expected_close_on: Option<Date>,
        /// When it began: on creation, or earlier if it was imported.
        pub opened_at: Instant [SERVER_OWNED],
        /// When it was won or lost.
        pub closed_at: Option<Instant> [SERVER_OWNED],
        /// Why it was lost.
        pub lost_reason: Option<Text<500>> [SERVER_OWNED PERSONAL],
        /// What would be bought.
        pub product_id: Option<Id<Product>> => Product,
        /// The lead that it came of.
        pub lead_id: Option<Id<Lead>> [SERVER_OWNED] => Lead,
        /// When the present visit of its stage began, or of a closed deal the last one.
        pub stage_entered_at: Instant [SERVER_OWNED],
        /// The id in the system that it was imported from.
        pub external_id: Option<Text<100>> [PERSONAL],
    }
    columns DealColumns;
    derived {
        /// The title as it is compared.
        title_key: String = |deal: &Deal| fold(&deal.title),
        /// Whether it is neither won nor lost.
        is_open: bool = |deal: &Deal| deal.status.is_open(),
    }
    unique {
        "crm_deal_external_id": [external_id],
        "crm_deal_lead_id": [lead_id],
    }
    index {
        "crm_deal_owner_id": [owner_id, is_open, amount, id],
        "crm_deal_amount": [is_open, amount, id],
        "crm_deal_contact_id": [contact_id],
        "crm_deal_stage": [stage_id, is_open, currency, expected_close_on, amount, stage_entered_at, archived_at],
        "crm_deal_totals": [currency, status, opened_at, amount, archived_at],
        "crm_deal_closed": [pipeline_id, status, closed_at, opened_at, id],
        "crm_deal_pipeline_id": [pipeline_id, id, status, closed_at, opened_at],
    }
}

impl Deal {
    /// What it is worth.
    pub const fn money(&self) -> Money {
        Money::new(self.amount.0, self.currency)
    }
}

impl Rules for Deal {
    const GENERAL: &'static [&'static str] = &["update", "archive", "restore"];
    const NATURAL_KEYS: &'static [&'static str] = &["external_id"];

    fn defaults(context: &Context) -> Edit<Self> {
        let columns = Self::COLUMNS;
        let edit = Edit::new()
            .set(columns.currency, context.currency())
            .set(columns.amount, Minor(0))
            .set(columns.status, DealStatus::New);
        match context.actor().user() {
            Some(user) => edit.set(columns.owner_id, user),
            None => edit,
        }
    }

    fn own(user: Id<User>) -> Expr {
        column_is(Self::COLUMNS.owner_id.index(), Value::Id(user.uuid()))
    }

    fn check(&mut self, before: Option<&Self>, context: &Context) -> Result<(), Vec<Invalid>> {
        let mut refused = Vec::new();
        let mut refuse = |field: &str, reason| refused.push(Invalid::new(field, reason));
        match self.status {
            _ if self.amount.0 < 0 => refuse("amount", ValueError::Negative),
            DealStatus::Won if self.amount.0 == 0 => refuse("amount", ValueError::NotPositive),
            DealStatus::Lost if self.lost_reason.is_none() => refuse("lost_reason", ValueError::Blank),
            _ => {}
        }
        // The same minor units would be another amount.
        if let Some(before) = before
            && before.currency.exponent() != self.currency.exponent()
            && before.amount == self.amount
            && self.amount.0 != 0
        {
            refuse("currency", ValueError::NotAllowed { when: "the amount is not given anew" });
        }
        if self.status != DealStatus::Lost {
            self.lost_reason = None;
        }
        let closed_at = self.closed_at.unwrap_or_else(|| context.now());
        self.closed_at = (!self.status.is_open()).then_some(closed_at);
        if refused.is_empty() { Ok(()) } else { Err(refused) }
    }
}
