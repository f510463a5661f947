//! Cases: the petitions, complaints and claims of contacts, and their status machine.

use super::deadline::{Silence, Topic};
use super::{Calendar, CaseRule};
use crate::access::User;
use crate::context::Context;
use crate::crud::{Edit, Rules, column_is};
use crate::entity::{Entity as _, Stored};
use crate::error::{CrmError, Invalid};
use crate::id::Id;
use crate::people::Contact;
use crate::row::Value;
use crate::status::{Machine, Move};
use crate::store::{Expr, Filter};
use crate::value::{Date, Instant, LAST_DATE, Notes, Text, ValueError};

crate::choice! {
    /// What a contact wants.
    pub enum CaseKind {
        /// Something to be done or told.
        Petition = "petition",
        /// Dissatisfaction with how somebody was treated.
        Complaint = "complaint",
        /// Dissatisfaction with what was billed or delivered.
        Claim = "claim",
        /// An idea.
        Suggestion = "suggestion",
        /// Something that happened, such as a leak or a misconduct.
        Report = "report",
    }
}

crate::choice! {
    /// How a case came in.
    pub enum CaseChannel {
        /// A web form.
        Web = "web",
        /// An e-mail.
        Email = "email",
        /// A call.
        Phone = "phone",
        /// At the counter.
        InPerson = "in_person",
        /// A letter.
        Letter = "letter",
        /// WhatsApp.
        Whatsapp = "whatsapp",
        /// Another way.
        Other = "other",
    }
}

crate::choice! {
    /// How much a case presses.
    pub enum CasePriority {
        /// It can wait.
        Low = "low",
        /// As any other.
        Normal = "normal",
        /// Before others.
        High = "high",
        /// At once.
        Urgent = "urgent",
    }
}

crate::choice! {
    /// Where a case stands. `overdue` is computed for a day, `paused` shows in a field of its own.
    pub enum CaseStatus {
        /// Nobody has worked on it.
        Received = "received",
        /// Somebody works on it.
        InProgress = "in_progress",
        /// It has an answer.
        Answered = "answered",
        /// It is over.
        Closed = "closed",
    }
}

impl CaseStatus {
    /// Whether it waits for an answer.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Received | Self::InProgress)
    }
}

const fn step(
    from: CaseStatus,
    event: &'static str,
    to: CaseStatus,
    operation: &'static str,
    effect: &'static str,
) -> Move {
    Move::new(from.as_str(), event, to.as_str(), operation, effect)
}

use CaseStatus::{Answered, Closed, InProgress, Received};

/// What can happen to a case. What leaves the status as it is, is written down in the case's history as well.
pub static CASE: Machine = Machine {
    name: "case",
    states: CaseStatus::NAMES,
    moves: &[
        step(Received, "assigned", InProgress, "case.assign", "somebody works on it; nobody leaves it as it is"),
        step(InProgress, "assigned", InProgress, "case.assign", ""),
        step(Answered, "assigned", Answered, "case.assign", ""),
        step(Received, "transferred", InProgress, "case.transfer", "to another office, which is named"),
        step(InProgress, "transferred", InProgress, "case.transfer", "to another office, which is named"),
        step(Received, "paused", InProgress, "case.pause", "what is missing is named; the clock stops"),
        step(InProgress, "paused", InProgress, "case.pause", "what is missing is named; the clock stops"),
        step(InProgress, "completed", InProgress, "case.complete", "the clock goes on"),
        step(Received, "extended", InProgress, "case.extend", "until the due date, within the rule, with a reason"),
        step(InProgress, "extended", InProgress, "case.extend", "until the due date, within the rule, with a reason"),
        step(Received, "answered", Answered, "case.answer", "a text is asked for; not while the clock stands"),
        step(InProgress, "answered", Answered, "case.answer", "a text is asked for; not while the clock stands"),
        step(Answered, "answered", Answered, "case.answer", "a further answer; the date of the first one stays"),
        step(Answered, "notified", Answered, "case.notify", "with the proof of delivery"),
        step(Answered, "reopened", InProgress, "case.reopen", "the date of the answer is cleared; the due date stands"),
        step(Closed, "reopened", InProgress, "case.reopen", "the date of the answer is cleared; the due date stands"),
        step(Answered, "appealed", InProgress, "case.appeal", "a new term begins, by the rule in force"),
        step(Closed, "appealed", InProgress, "case.appeal", "a new term begins, by the rule in force"),
        step(Received, "closed", Closed, "case.close", "without an answer; a reason is asked for"),
        step(InProgress, "closed", Closed, "case.close", "without an answer; a reason is asked for"),
        step(Answered, "closed", Closed, "case.close", ""),
    ],
};

/// How many characters the subject has at least.
const SHORTEST_SUBJECT: usize = 3;
/// How many characters the description has at least.
const SHORTEST_DESCRIPTION: usize = 10;

crate::entity! {
    /// A petition, complaint, claim, suggestion or report of a contact, with the date until which it is to be answered.
    ///
    /// The rule and the calendar are those of the day on which it was opened (or appealed): a later change of either moves
    /// no open case, unless it is recomputed. What happened to it, its answers among that, is in its events.
    pub struct Case: "case" in "crm_case" as Record, Organization {
        /// The number, from the organization's series for cases.
        pub number: Option<Text<50>> [SERVER_OWNED],
        /// What the contact wants.
        pub kind: CaseKind,
        /// What the law calls it, which picks the rule of its due date; fixed when it is opened.
        pub topic: Topic,
        /// How it came in.
        pub channel: CaseChannel,
        /// What it is about, in 3 to 100 characters.
        pub subject: Text<100> [PERSONAL],
        /// What the contact says, in 10 to 10,000 characters.
        pub description: Notes<10000> [PERSONAL],
        /// Whose it is.
        pub contact_id: Id<Contact> => Contact,
        /// The customer's account that it is about; the contact's unless another one is given.
        pub account_number: Option<Text<50>> [PERSONAL],
        /// The member who works on it.
        pub assignee_id: Option<Id<User>> [SERVER_OWNED] => User,
        /// How much it presses.
        pub priority: CasePriority,
        /// Where it stands.
        pub status: CaseStatus [SERVER_OWNED],
        /// When it came in; fixed when it is opened.
        pub received_at: Instant,
        /// The civil day on which the receipt counts: after the last hour of a business day, or on another day, that is
        /// the next business day.
        pub received_on: Date [SERVER_OWNED],
        /// The first day of the month in which it came in, in the zone of its calendar.
        pub received_month: Date [SERVER_OWNED],
        /// The instant from which the term counts: the receipt, or the last appeal.
        pub counted_at: Instant [SERVER_OWNED],
        /// The state of the organization's calendar by which days are counted.
        pub calendar_id: Id<Calendar> [SERVER_OWNED] => Calendar,
        /// The calendar's version, by name.
        pub calendar_version: Text<100> [SERVER_OWNED],
        /// The rule of the due date; without one there is none.
        pub rule_code: Option<Text<60>> [SERVER_OWNED],
        /// The rule's version.
        pub rule_version: Option<Text<60>> [SERVER_OWNED],
        /// The rule, if it is one of the organization's own.
        pub rule_id: Option<Id<CaseRule>> [SERVER_OWNED] => CaseRule,
        /// How many days the rule gives.
        pub base_days: Option<i64> [SERVER_OWNED],
        /// How many days were added by extensions.
        pub extension_days: i64 [SERVER_OWNED],
        /// The civil date by whose end it is to be answered; absent without a rule, and while the clock stands.
        pub due_on: Option<Date> [SERVER_OWNED],
        /// The civil date since which the clock stands, because something is missing.
        pub paused_since: Option<Date> [SERVER_OWNED],
        /// What it means in law when no answer is given in time.
        pub silence: Silence [SERVER_OWNED],
        /// The last answer; all of them are in the events.
        pub answer: Option<Notes<10000>> [SERVER_OWNED PERSONAL],
        /// The civil date of the first answer since it came in or was reopened.
        pub answered_on: Option<Date> [SERVER_OWNED],
        /// The civil date of its very first answer.
        pub first_answered_on: Option<Date> [SERVER_OWNED],
        /// How many business days the very first answer took, days on which the clock stood left out.
        pub answer_days: Option<i64> [SERVER_OWNED],
        /// Whether an answer was late: the first one since it came in, was reopened or appealed came after the due date.
        /// Once late, it stays so.
        pub answered_late: Option<bool> [SERVER_OWNED],
        /// The civil date on which the contact was told of the answer.
        pub notified_on: Option<Date> [SERVER_OWNED],
        /// The civil date on which it was closed.
        pub closed_on: Option<Date> [SERVER_OWNED],
        /// The id in the system that it was imported from.
        pub external_id: Option<Text<100>> [PERSONAL],
    }
    columns CaseColumns;
    derived {
        /// The civil date up to which it waits for an answer: that of the answer or of closing, or the last one of all.
        open_until: Date = Case::open_until,
    }
    unique {
        "crm_case_number": [number],
        "crm_case_external_id": [external_id],
    }
    index {
        "crm_case_contact": [contact_id, received_at, id],
        "crm_case_due": [open_until, due_on, id, silence, assignee_id, paused_since, received_at],
        "crm_case_assignee": [assignee_id, open_until, due_on, id, silence, paused_since, received_at],
        "crm_case_created_by": [created_by],
        "crm_case_totals": [received_month, kind, status, channel, received_at],
        "crm_case_answered": [kind, answer_days, answered_late, first_answered_on, received_at],
    }
}

/// The first day of a day's month.
pub(super) fn first_of_month(day: Date) -> Date {
    use chrono::Datelike as _;
    day.with_day(1).unwrap_or(day)
}

impl Case {
    /// Cases that wait for an answer.
    pub fn open() -> Filter<Self> {
        Self::COLUMNS.open_until.eq(&LAST_DATE)
    }

    /// Open cases that are to be answered on one of these civil days, the last included.
    pub fn due(from: Date, to: Date) -> Filter<Self> {
        let due_on = Self::COLUMNS.due_on;
        Self::open() & due_on.ge(&Some(from)) & due_on.le(&Some(to))
    }

    /// Open cases whose due date has passed on this civil day.
    pub fn overdue(today: Date) -> Filter<Self> {
        Self::open() & Self::COLUMNS.due_on.lt(&Some(today))
    }

    /// Whether it is open and its due date has passed on this civil day.
    pub fn is_overdue(&self, today: Date) -> bool {
        self.status.is_open() && self.due_on.is_some_and(|due| due < today)
    }

    fn open_until(&self) -> Date {
        match self.status {
            Received | InProgress => LAST_DATE,
            Answered | Closed => self.answered_on.or(self.closed_on).unwrap_or(LAST_DATE),
        }
    }
}

impl Stored<Case> {
    /// How people name it: by number.
    pub fn label(&self) -> String {
        self.number.as_ref().map_or_else(|| self.id.to_string(), ToString::to_string)
    }

    /// The status after an event by somebody in the context's role.
    ///
    /// # Errors
    /// When there is no such move, or the role may not make it.
    pub(super) fn after(&self, event: &'static str, context: &Context) -> Result<CaseStatus, CrmError> {
        let step = CASE.step(self.label(), self.status.as_str(), event, context.rights())?;
        step.to.parse().map_err(|reason| CrmError::invalid("status", reason))
    }
}

impl Rules for Case {
    const GENERAL: &'static [&'static str] = &["update"];
    const NATURAL_KEYS: &'static [&'static str] = &["number", "external_id"];

    fn defaults(context: &Context) -> Edit<Self> {
        let columns = Self::COLUMNS;
        Edit::new()
            .set(columns.channel, CaseChannel::Other)
            .set(columns.priority, CasePriority::Normal)
            .set(columns.status, Received)
            .set(columns.received_at, context.now())
            .set(columns.extension_days, 0)
    }

    fn own(user: Id<User>) -> Expr {
        let is = |column| column_is(column, Value::Id(user.uuid()));
        Expr::Or(vec![is(Self::COLUMNS.assignee_id.index()), is(Self::TABLE.expect_position("created_by"))])
    }

    fn check(&mut self, before: Option<&Self>, context: &Context) -> Result<(), Vec<Invalid>> {
        let mut refused = Vec::new();
        let mut refuse = |field: &str, reason| refused.push(Invalid::new(field, reason));
        if let Some(before) = before {
            let when = "the case is open already";
            if before.topic != self.topic {
                refuse("topic", ValueError::NotAllowed { when });
            }
            if before.received_at != self.received_at {
                refuse("received_at", ValueError::NotAllowed { when });
            }
            if before.status == Closed && before != self {
                refuse("status", ValueError::NotAllowed { when: "the case is closed" });
            }
        }
        if self.received_at > context.now() {
            refuse("received_at", ValueError::NotAllowed { when: "it lies in the future" });
        }
        for (field, text, min) in
            [("subject", &*self.subject, SHORTEST_SUBJECT), ("description", &*self.description, SHORTEST_DESCRIPTION)]
        {
            let got = text.chars().count();
            if got < min {
                refuse(field, ValueError::TooShort { min, got });
            }
        }
        if refused.is_empty() { Ok(()) } else { Err(refused) }
    }
}
