//! The history of deals: one entry for every step, from which funnel and velocity are computed.

use uuid::Uuid;

use super::{Deal, DealStatus, Pipeline, Stage};
use crate::access::User;
use crate::context::Context;
use crate::crud::Rules;
use crate::entity::Stored;
use crate::id::Id;
use crate::store::Expr;
use crate::value::Instant;

crate::entity! {
    /// A step of a deal: its creation, a move to another stage, its being won, lost or reopened. Written once.
    ///
    /// A deal visits its stage from its creation, a move or a reopening until the next move, or until it is won
    /// or lost.
    pub struct StageChange: "stage_change" in "crm_stage_change" as Entry, Organization {
        /// Of which deal.
        pub deal_id: Id<Deal> [SERVER_OWNED] => Deal,
        /// In which pipeline.
        pub pipeline_id: Id<Pipeline> [SERVER_OWNED] => Pipeline,
        /// The stage that it was in; absent on creation.
        pub from_stage_id: Option<Id<Stage>> [SERVER_OWNED] => Stage,
        /// The stage that it is in.
        pub to_stage_id: Id<Stage> [SERVER_OWNED] => Stage,
        /// The status that it had; absent on creation.
        pub from_status: Option<DealStatus> [SERVER_OWNED],
        /// The status that it has.
        pub to_status: DealStatus [SERVER_OWNED],
        /// When the visit that now ends began; absent on creation and when the deal is reopened.
        pub entered_at: Option<Instant> [SERVER_OWNED],
        /// When it happened.
        pub at: Instant [SERVER_OWNED],
        /// Who did it; the system has no id.
        pub by_id: Option<Uuid> [SERVER_OWNED],
        /// Whether it was imported and not done here.
        pub imported: bool [SERVER_OWNED],
        /// How many whole seconds the visit took that now ends; absent where `entered_at` is.
        pub visit_seconds: Option<i64> [SERVER_OWNED],
    }
    columns StageChangeColumns;
    derived { }
    unique { }
    index {
        "crm_stage_change_deal_id": [deal_id, at, id, to_stage_id, to_status],
        "crm_stage_change_left": [from_stage_id, at, visit_seconds],
    }
}

impl StageChange {
    /// The step from a deal as it was, if it was there, to what it is `at` an instant.
    pub fn between(before: Option<&Deal>, deal: Id<Deal>, after: &Deal, at: Instant, by: Option<Uuid>) -> Self {
        let visit = before.filter(|before| before.status.is_open());
        let entered_at = visit.map(|before| before.stage_entered_at);
        Self {
            deal_id: deal,
            pipeline_id: after.pipeline_id,
            from_stage_id: before.map(|before| before.stage_id),
            to_stage_id: after.stage_id,
            from_status: before.map(|before| before.status),
            to_status: after.status,
            entered_at,
            at,
            by_id: by,
            imported: false,
            visit_seconds: entered_at.map(|entered_at| seconds(entered_at, at)),
        }
    }

    /// The step that a command makes now.
    pub(super) fn now(before: Option<&Deal>, after: &Stored<Deal>, context: &Context) -> Self {
        Self::between(before, after.id, &after.value, context.now(), context.actor().user().map(Id::uuid))
    }
}

/// The whole seconds between two instants; none when a clock went back.
fn seconds(from: Instant, to: Instant) -> i64 {
    (to.micros().saturating_sub(from.micros()) / 1_000_000).max(0)
}

impl Rules for StageChange {
    fn own(user: Id<User>) -> Expr {
        let reference = Self::COLUMNS.deal_id.index();
        Expr::Related { reference, filter: Box::new(Deal::own(user)) }
    }
}
