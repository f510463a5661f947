//! The history of cases: one entry for every step, answers among them.

use uuid::Uuid;

use super::Case;
use crate::access::User;
use crate::crud::Rules;
use crate::id::Id;
use crate::store::Expr;
use crate::value::{Date, Instant, Notes};

crate::choice! {
    /// What happened to a case.
    pub enum CaseEventKind {
        /// It came in.
        Received = "received",
        /// It was given to somebody, or to nobody.
        Assigned = "assigned",
        /// The contact was told that something is missing; the clock stops.
        IncompleteNotice = "incomplete_notice",
        /// What was missing came in; the clock goes on.
        Completed = "completed",
        /// It was passed on to another office.
        Transferred = "transferred",
        /// It got more time.
        Extended = "extended",
        /// It got an answer.
        Answered = "answered",
        /// The contact was told of the answer.
        Notified = "notified",
        /// It was opened again.
        Reopened = "reopened",
        /// The contact appealed against the answer.
        Appealed = "appealed",
        /// It was closed.
        Closed = "closed",
        /// Its due date was computed again, by another state of the calendar, or by a rule that it got.
        Recomputed = "recomputed",
    }
}

crate::entity! {
    /// A step of a case. Written once, never changed.
    pub struct CaseEvent: "case_event" in "crm_case_event" as Entry, Organization {
        /// Of which case.
        pub case_id: Id<Case> [SERVER_OWNED] => Case,
        /// What happened.
        pub kind: CaseEventKind [SERVER_OWNED],
        /// When it was written down; later than the step before it, even if the clock went back.
        pub at: Instant [SERVER_OWNED],
        /// The civil date, in the zone of the case's calendar; of a receipt, that on which the case came in.
        pub on: Date [SERVER_OWNED],
        /// Who did it; the system has no id.
        pub by_id: Option<Uuid> [SERVER_OWNED],
        /// The answer, the reason, the proof, what is missing, the other office.
        pub text: Option<Notes<10000>> [SERVER_OWNED PERSONAL],
        /// The due date before it.
        pub from_due_on: Option<Date> [SERVER_OWNED],
        /// The due date after it.
        pub to_due_on: Option<Date> [SERVER_OWNED],
        /// Who works on the case since then.
        pub assignee_id: Option<Id<User>> [SERVER_OWNED],
        /// How many days an extension added.
        pub days: Option<i64> [SERVER_OWNED],
    }
    columns CaseEventColumns;
    derived { }
    unique { }
    index { "crm_case_event_case_id": [case_id, at, id] }
}

impl Rules for CaseEvent {
    fn own(user: Id<User>) -> Expr {
        let reference = Self::COLUMNS.case_id.index();
        Expr::Related { reference, filter: Box::new(Case::own(user)) }
    }
}
