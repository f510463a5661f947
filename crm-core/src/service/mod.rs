//! What a business owes to those who write to it: cases with deadlines that explain themselves.
//!
//! A [`calendar`] says which days count, a [`deadline`] rule how many of them there are. Both are data, and
//! due dates are plain functions of them: the same case gives the same date on every machine, at any time.
//!
//! A [`Case`] keeps the rule and the state of the organization's [`Calendar`] by which it was opened. Every step leaves
//! a [`CaseEvent`]; which step may follow which is written down in [`CASE`].
//!
//! ```
//! use crm_core::people::Contact;
//! use crm_core::service::{AnswerCase, Case, CaseKind, CaseStatus, OpenCase};
//! use crm_core::{Edit, Id, Session};
//!
//! async fn leak(session: &Session<'_>, contact: Id<Contact>) -> Result<(), crm_core::CrmError> {
//!     let columns = Case::COLUMNS;
//!     let edit = Edit::new()
//!         .set(columns.kind, CaseKind::Report)
//!         .set(columns.contact_id, contact)
//!         .set(columns.subject, "A leak".parse::<crm_core::value::Text<100>>()?)
//!         .set(columns.description, "Water comes out of the street.".parse::<crm_core::value::Notes<10000>>()?);
//!     let case = session.run(&OpenCase::new(edit)).await?;
//!     println!("{} is due {:?}", case.label(), case.due_on);
//!     let case = session.run(&AnswerCase { id: case.id, text: "It is repaired.".parse()? }).await?;
//!     assert_eq!(case.status, CaseStatus::Answered);
//!     Ok(())
//! }
//! ```

pub mod calendar;
mod case;
mod case_answer;
mod case_clock;
mod case_event;
mod case_open;
mod case_rule;
mod case_work;
pub mod deadline;
mod explain;
mod own_calendar;
mod recompute;

pub use case::{CASE, Case, CaseChannel, CaseColumns, CaseKind, CasePriority, CaseStatus};
pub use case_answer::{AnswerCase, AppealCase, CloseCase, NotifyCase, ReopenCase};
pub use case_clock::{CompleteCase, ExtendBy, ExtendCase, PauseCase};
pub use case_event::{CaseEvent, CaseEventColumns, CaseEventKind};
pub use case_open::{AssignCase, OpenCase, TransferCase};
pub use case_rule::{CaseRule, CaseRuleColumns, KnownRule};
pub(crate) use own_calendar::first_calendar;
pub use own_calendar::{Calendar, CalendarColumns, CalendarDay, ClearDay, SetCalendar, SetDay};
pub use recompute::{MovedCase, Recomputed};

use crate::value::Date;

/// A rule of cases that a command would break.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ServiceError {
    /// The organization has no calendar.
    #[error("the organization has no business calendar")]
    NoCalendar,
    /// The case has no rule, and so no due date.
    #[error("case {0} has no deadline rule")]
    NoRule(String),
    /// The case rests on a rule that is not there any more.
    #[error("case {case} rests on rule {rule}, which is not known")]
    RuleGone {
        /// Which case, by number.
        case: String,
        /// The rule's code.
        rule: String,
    },
    /// The clock of the case stands.
    #[error("case {case} is paused since {since}: something is missing")]
    Paused {
        /// Which case, by number.
        case: String,
        /// Since which civil date.
        since: Date,
    },
    /// The clock of the case does not stand.
    #[error("case {0} is not paused")]
    NotPaused(String),
    /// It had to be done by the due date.
    #[error("case {case} was due on {due_on}: it is too late for that")]
    Late {
        /// Which case, by number.
        case: String,
        /// Its due date.
        due_on: Date,
    },
    /// The extension is beyond what the rule allows.
    #[error("{asked} more days are too many for case {case}: its rule allows {largest}, it had {had}")]
    BeyondExtension {
        /// Which case, by number.
        case: String,
        /// How many days were asked for.
        asked: i64,
        /// How many the rule allows in all.
        largest: i64,
        /// How many it had.
        had: i64,
    },
    /// The calendar gives no answer.
    #[error(transparent)]
    Calendar(#[from] calendar::CalendarError),
    /// There is no deadline.
    #[error(transparent)]
    Deadline(#[from] deadline::DeadlineError),
}
