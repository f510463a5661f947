//! What the calls of cases need.

use uuid::Uuid;

use super::own_contact;
use crate::access::User;
use crate::error::CrmError;
use crate::id::Id;
use crate::people::Contact;
use crate::service::calendar::OverrideKind;
use crate::service::deadline::Topic;
use crate::service::{
    AnswerCase, Calendar, CalendarDay, Case, CaseEvent, CaseKind, CaseRule, OpenCase, PauseCase, SetCalendar, SetDay,
};
use crate::store::Query;
use crate::value::{Date, Notes, Text};
use crate::{Edit, Session};

/// One record of each kind that a call may name.
#[derive(Clone, Debug)]
pub(super) struct Ids {
    pub(super) calendar: Id<Calendar>,
    pub(super) rule: Id<CaseRule>,
    /// A rule to which nothing refers.
    pub(super) unused: Id<CaseRule>,
    pub(super) case: Id<Case>,
    pub(super) paused: Id<Case>,
    pub(super) answered: Id<Case>,
    pub(super) event: Id<CaseEvent>,
}

impl Ids {
    /// The same id everywhere.
    pub(super) fn all(id: Uuid) -> Self {
        Self {
            calendar: Id::new(id),
            rule: Id::new(id),
            unused: Id::new(id),
            case: Id::new(id),
            paused: Id::new(id),
            answered: Id::new(id),
            event: Id::new(id),
        }
    }

    super::mixed!(calendar, rule, unused, case, paused, answered, event);
}

/// Rules, and cases of the contact on which `owner` works.
pub(super) async fn fixtures(
    session: &Session<'_>,
    owner: Id<User>,
    contact: Id<Contact>,
    label: &str,
) -> Result<Ids, CrmError> {
    let rule = session.create(self::rule(label, Topic::Information)).await?.id;
    let unused = session.create(self::rule(&format!("{label}-unused"), Topic::DataClaim)).await?.id;
    let open = OpenCase { edit: case(contact), assignee: Some(owner) };
    let case = session.run(&open).await?.id;
    let paused = session.run(&open).await?.id;
    session.run(&PauseCase { id: paused, missing: words() }).await?;
    let answered = session.run(&open).await?.id;
    session.run(&AnswerCase { id: answered, text: words() }).await?;
    let events = session.list(&Query::new(CaseEvent::COLUMNS.case_id.eq(&case))).await?.items;
    let event = events.first().map_or(Id::new(Uuid::from_u128(2)), |event| event.id);
    let calendar = session.calendar().await?.id;
    Ok(Ids { calendar, rule, unused, case, paused, answered, event })
}

/// A rule of two days.
pub(super) fn rule(code: &str, topic: Topic) -> Edit<CaseRule> {
    let columns = CaseRule::COLUMNS;
    let text = |text: &str| text.parse::<Text<60>>().expect("the tests' labels are short");
    let source: Text<500> = "A promise".parse().expect("a valid source");
    Edit::new()
        .set(columns.code, text(code))
        .set(columns.rule_version, text("1"))
        .set(columns.topic, topic)
        .set(columns.base_days, 2)
        .set(columns.largest_extension, crate::service::deadline::Extension::TimesBase(2))
        .set(columns.source, source)
}

/// A case of a contact.
pub(in crate::testing) fn case(contact: Id<Contact>) -> Edit<Case> {
    let columns = Case::COLUMNS;
    let subject: Text<100> = "Bill too high".parse().expect("a valid subject");
    let description: Notes<10000> = "Twice that of January.".parse().expect("a valid description");
    Edit::new()
        .set(columns.kind, CaseKind::Claim)
        .set(columns.topic, Topic::Information)
        .set(columns.subject, subject)
        .set(columns.description, description)
        .set(columns.contact_id, contact)
}

/// An answer, a reason, a proof.
pub(super) fn words() -> Notes<10000> {
    "So it is.".parse().expect("a valid text")
}

/// Another zone for the calendar.
pub(super) fn another_zone() -> SetCalendar {
    SetCalendar(Edit::new().set(Calendar::COLUMNS.zone, crate::value::Zone::UTC))
}

/// A holiday.
pub(super) fn holiday(on: Date) -> SetDay {
    SetDay(CalendarDay { on, kind: OverrideKind::Holiday, name: "Feast".parse().expect("a valid name") })
}

/// Opens a case of the session's own contact.
pub(super) async fn open_own(session: &Session<'_>, assignee: Option<Id<User>>) -> Result<Id<Case>, CrmError> {
    let contact = own_contact(session).await?;
    Ok(session.run(&OpenCase { edit: case(contact), assignee }).await?.id)
}

/// Turns a case of the session's own to another contact.
pub(super) async fn turn_to(session: &Session<'_>, contact: Id<Contact>) -> Result<(), CrmError> {
    let id = open_own(session, None).await?;
    session.update(id, Edit::new().set(Case::COLUMNS.contact_id, contact)).await.map(drop)
}
