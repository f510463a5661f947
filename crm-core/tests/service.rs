//! The rules of cases, by the scenarios that they come from.
#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use crm_core::access::{ApiRequest, NewKey, Organization, RevokeKey, Role};
use crm_core::activity::{Happening, TimelineOptions};
use crm_core::audit::AuditEntry;
use crm_core::entity::Stored;
use crm_core::people::Contact;
use crm_core::report::CaseReportOptions;
use crm_core::service::calendar::OverrideKind;
use crm_core::service::deadline::{RULES, Silence};
use crm_core::service::{
    AnswerCase, AppealCase, AssignCase, CalendarDay, Case, CaseEvent, CaseEventKind, CaseRule, CaseStatus, ClearDay,
    CloseCase, CompleteCase, ExtendBy, ExtendCase, NotifyCase, OpenCase, PauseCase, ReopenCase, ServiceError,
    SetCalendar, SetDay, TransferCase,
};
use crm_core::store::{MemoryStore, Query};
use crm_core::testing::{self, TestEnvironment};
use crm_core::value::{Date, Instant};
use crm_core::{Crm, CrmError, Edit, Environment, ErrorCode, Id, NewOrganization, Rules, Session, block_on};

/// A clock that is set.
#[derive(Clone)]
struct Clock {
    micros: Arc<AtomicI64>,
    ids: TestEnvironment,
}

impl Environment for Clock {
    fn now(&self) -> Instant {
        Instant::from_micros(self.micros.load(Ordering::Relaxed)).unwrap()
    }

    fn new_id(&self) -> uuid::Uuid {
        self.ids.new_id()
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        self.ids.fill_random(bytes);
    }
}

impl Clock {
    fn set(&self, at: &str) {
        let at: Instant = at.parse().unwrap();
        self.micros.store(at.micros(), Ordering::Relaxed);
    }
}

struct World {
    clock: Clock,
    crm: Crm,
    owner: Session<'static>,
    contact: Id<Contact>,
}

/// A water utility in Bogotá, at noon on Tuesday 2026-03-03.
fn world() -> World {
    let clock = Clock { micros: Arc::default(), ids: TestEnvironment::new(1) };
    clock.set("2026-03-03T12:00:00-05:00");
    let crm = Crm::new(MemoryStore::new(), clock.clone());
    let (currency, zone) = ("COP".parse().unwrap(), "America/Bogota".parse().unwrap());
    let mut organization = Organization::new("aguas".parse().unwrap(), "Aguas".parse().unwrap(), currency, zone);
    organization.default_region = Some("CO".parse().unwrap());
    let owner_email = "owner@aguas.example".parse().unwrap();
    let new = NewOrganization {
        organization,
        owner_email,
        owner_name: "Olga".parse().unwrap(),
        invoice_prefix: String::new(),
    };
    block_on(crm.create_organization(&new)).unwrap();
    let owner = block_on(crm.session(&"aguas".parse().unwrap(), &new.owner_email)).unwrap();
    let fields = [("kind", "person"), ("given_name", "Eva"), ("account_number", "4711")];
    let contact = block_on(owner.create::<Contact>(edit(&owner, &fields))).unwrap().id;
    World { clock, crm, owner, contact }
}

fn edit<E: Rules>(session: &Session<'_>, fields: &[(&str, &str)]) -> Edit<E> {
    Edit::parse(fields.iter().copied(), &session.locale()).unwrap()
}

fn date(text: &str) -> Date {
    crm_core::value::parse_date(text).unwrap()
}

impl World {
    fn try_open(&self, session: &Session<'_>, fields: &[(&str, &str)]) -> Result<Stored<Case>, CrmError> {
        let contact = self.contact.to_string();
        let mut all = vec![
            ("kind", "claim"),
            ("subject", "Bill too high"),
            ("description", "The bill of February is twice that of January."),
            ("contact_id", &*contact),
        ];
        for field in fields {
            all.retain(|known| known.0 != field.0);
            all.push(*field);
        }
        block_on(session.run(&OpenCase::new(edit(session, &all))))
    }

    fn open(&self, fields: &[(&str, &str)]) -> Stored<Case> {
        self.try_open(&self.owner, fields).unwrap()
    }

    fn extend(&self, case: &Stored<Case>, by: ExtendBy) -> Result<Stored<Case>, CrmError> {
        let reason = "The meter has to be tested.".parse().unwrap();
        block_on(self.owner.run(&ExtendCase { id: case.id, by, reason }))
    }

    fn answer(&self, case: &Stored<Case>, text: &str) -> Result<Stored<Case>, CrmError> {
        block_on(self.owner.run(&AnswerCase { id: case.id, text: text.parse().unwrap() }))
    }

    fn pause(&self, case: &Stored<Case>) -> Result<Stored<Case>, CrmError> {
        block_on(self.owner.run(&PauseCase { id: case.id, missing: "A copy of the bill.".parse().unwrap() }))
    }

    fn complete(&self, case: &Stored<Case>) -> Result<Stored<Case>, CrmError> {
        block_on(self.owner.run(&CompleteCase { id: case.id, text: None }))
    }

    fn close(&self, case: &Stored<Case>, reason: Option<&str>) -> Result<Stored<Case>, CrmError> {
        let reason = reason.map(|reason| reason.parse().unwrap());
        block_on(self.owner.run(&CloseCase { id: case.id, reason }))
    }

    fn reopen(&self, case: &Stored<Case>) -> Result<Stored<Case>, CrmError> {
        block_on(self.owner.run(&ReopenCase { id: case.id, reason: "It was answered wrongly.".parse().unwrap() }))
    }

    fn holiday(&self, on: &str) {
        let day = CalendarDay { on: date(on), kind: OverrideKind::Holiday, name: "Strike".parse().unwrap() };
        block_on(self.owner.run(&SetDay(day))).unwrap();
    }

    fn events(&self, case: &Stored<Case>) -> Vec<Stored<CaseEvent>> {
        let query = Query::new(CaseEvent::COLUMNS.case_id.eq(&case.id)).ascending(CaseEvent::COLUMNS.at);
        block_on(self.owner.list(&query)).unwrap().items
    }

    fn kinds(&self, case: &Stored<Case>) -> Vec<CaseEventKind> {
        self.events(case).iter().map(|event| event.kind).collect()
    }
}

fn refused<T: std::fmt::Debug>(result: Result<T, CrmError>) -> Vec<String> {
    match result {
        Err(CrmError::Invalid(fields)) => fields.into_iter().map(|invalid| invalid.field).collect(),
        other => panic!("{other:?}"),
    }
}

fn rule<T: std::fmt::Debug>(result: Result<T, CrmError>) -> ServiceError {
    match result {
        Err(CrmError::Service(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_case_gets_its_number_its_rule_and_its_due_date() {
    let world = world();
    let case = world.open(&[]);
    assert_eq!(case.number.as_deref(), Some("PQR-20260303-0001"));
    assert_eq!(case.account_number.as_deref(), Some("4711"), "the contact's, unless another one is given");
    assert_eq!((case.rule_code.as_deref(), case.base_days), (Some("CO-GENERAL"), Some(15)));
    assert_eq!((case.status, case.silence), (CaseStatus::Received, Silence::Negative));
    // 4 to 20 March are 13 business days, Monday 23 is San José; 24 and 25 are the last ones.
    assert_eq!(case.due_on, Some(date("2026-03-25")));
    assert_eq!(world.kinds(&case), [CaseEventKind::Received]);
    let second = world.open(&[("topic", "information"), ("account_number", "99")]);
    assert_eq!(second.number.as_deref(), Some("PQR-20260303-0002"));
    assert_eq!((second.due_on, second.account_number.as_deref()), (Some(date("2026-03-17")), Some("99")));
    let utility: Edit<_> = edit(&world.owner, &[("topic", "utilities")]);
    block_on(world.owner.run(&SetCalendar(utility))).unwrap();
    let third = world.open(&[]);
    assert_eq!((third.rule_code.as_deref(), third.silence), (Some("CO-UTILITIES"), Silence::Positive));
}

#[test]
fn what_is_too_short_or_lies_in_the_future_is_refused_by_field() {
    let world = world();
    let try_open = |fields: &[(&str, &str)]| world.try_open(&world.owner, fields);
    assert_eq!(refused(try_open(&[("subject", "ab"), ("description", "too short")])), ["subject", "description"]);
    assert_eq!(refused(try_open(&[("received_at", "2026-03-03T12:00:01-05:00")])), ["received_at"]);
    assert_eq!(refused(try_open(&[("contact_id", "0190163d-8694-739b-aea5-966c26f8ad91")])), ["contact_id"]);
    let late = try_open(&[("received_at", "2026-02-27T20:00:00-05:00")]).unwrap();
    assert_eq!((late.received_on, late.received_month), (date("2026-03-02"), date("2026-02-01")));
}

#[test]
fn a_case_keeps_what_it_was_opened_with() {
    let world = world();
    let case = world.open(&[]);
    let update = |fields: &[(&str, &str)]| block_on(world.owner.update(case.id, edit(&world.owner, fields)));
    assert_eq!(refused(update(&[("topic", "information")])), ["topic"]);
    assert_eq!(refused(update(&[("received_at", "2026-03-01T12:00:00Z")])), ["received_at"]);
    assert_eq!(
        &*update(&[("subject", "Bill far too high"), ("priority", "high")]).unwrap().subject,
        "Bill far too high"
    );
    world.answer(&case, "It is corrected.").unwrap();
    world.close(&case, None).unwrap();
    assert_eq!(refused(update(&[("priority", "low")])), ["status"]);
}

#[test]
fn without_a_series_a_case_is_refused() {
    let world = world();
    let slug = "old".parse().unwrap();
    let old = block_on(testing::organization(&world.crm, "old")).unwrap();
    let series = block_on(old.list(&Query::<crm_core::billing::NumberSeries>::all())).unwrap().items;
    let mut changes = crm_core::store::ChangeSet::new(old.context().stamp("test"));
    for series in &series {
        changes.delete(series);
    }
    block_on(old.store().apply(old.scope(), changes)).unwrap();
    let fields = [("kind", "person"), ("given_name", "Eva")];
    let contact = block_on(old.create::<Contact>(edit(&old, &fields))).unwrap().id;
    let session = block_on(world.crm.session(&slug, &"owner@old.example".parse().unwrap())).unwrap();
    let refused = world.try_open(&session, &[("contact_id", &contact.to_string())]).unwrap_err();
    assert_eq!(refused.to_string(), "the organization has no number series for documents of kind case");
}

#[test]
fn an_organization_without_a_country_of_ours_has_no_legal_deadlines_but_its_own() {
    let world = world();
    let acme = block_on(testing::organization(&world.crm, "acme")).unwrap();
    assert_eq!(block_on(acme.calendar()).unwrap().base, None);
    let fields = [("kind", "person"), ("given_name", "Eva")];
    let contact = block_on(acme.create::<Contact>(edit(&acme, &fields))).unwrap().id.to_string();
    let open = || world.try_open(&acme, &[("contact_id", &contact)]).unwrap();
    let case = open();
    assert_eq!((case.rule_code.as_deref(), case.due_on), (None, None));
    assert_eq!(rule(block_on(acme.explain_case(case.id))), ServiceError::NoRule(case.label()));
    let extend = ExtendCase { id: case.id, by: ExtendBy::Days(1), reason: "More work.".parse().unwrap() };
    assert_eq!(rule(block_on(acme.run(&extend))), ServiceError::NoRule(case.label()));
    let own = [
        ("code", "PROMISE"),
        ("rule_version", "1"),
        ("topic", "general"),
        ("base_days", "2"),
        ("largest_extension", "x2"),
        ("source", "Our own promise to customers"),
    ];
    let own = block_on(acme.create::<CaseRule>(edit(&acme, &own))).unwrap();
    let known = |all| block_on(acme.deadline_rules(all)).unwrap();
    assert_eq!(
        known(false).iter().map(|known| (known.id, &*known.rule.code)).collect::<Vec<_>>(),
        [(Some(own.id), "PROMISE")]
    );
    assert_eq!(known(true).len(), 1 + RULES.len());
    let case = open();
    assert_eq!((case.rule_code.as_deref(), case.due_on), (Some("PROMISE"), Some(date("2026-03-05"))));
    assert!(block_on(acme.explain_case(case.id)).unwrap().to_string().contains("Our own promise to customers"));
    let change = |fields: &[(&str, &str)]| block_on(acme.update(own.id, edit(&acme, fields)));
    assert_eq!(refused(change(&[("base_days", "9")])), ["code"], "cases rest on it");
    change(&[("valid_until", "2026-03-03")]).unwrap();
    assert_eq!(block_on(acme.explain_case(case.id)).unwrap().due_on, case.due_on, "the case keeps it");
    assert_eq!(block_on(acme.delete(own.id)).unwrap_err().code(), ErrorCode::Conflict);
}

#[test]
fn the_organizations_own_rule_stands_in_the_place_of_the_built_in_one() {
    let world = world();
    let own = [
        ("code", "CO-GENERAL"),
        ("rule_version", "ours"),
        ("topic", "general"),
        ("base_days", "5"),
        ("source", "Resolution 1"),
        ("valid_from", "2026-03-04"),
    ];
    let own = block_on(world.owner.create::<CaseRule>(edit(&world.owner, &own))).unwrap();
    let known = block_on(world.owner.deadline_rules(false)).unwrap();
    assert_eq!((known[0].id, &*known[0].rule.version, known.len()), (Some(own.id), "ours", 1 + RULES.len()));
    assert!(known[1..].iter().all(|known| known.id.is_none() && known.rule.jurisdiction == "CO"));
    assert_eq!(world.open(&[]).base_days, Some(15), "it is not in force yet");
    world.clock.set("2026-03-04T09:00:00-05:00");
    let case = world.open(&[]);
    assert_eq!((case.rule_version.as_deref(), case.due_on), (Some("ours"), Some(date("2026-03-11"))));
}

#[test]
fn an_extension_after_the_due_date_is_refused() {
    let world = world();
    let case = world.open(&[]);
    world.clock.set("2026-03-25T23:59:59-05:00");
    let extended = world.extend(&case, ExtendBy::Days(1)).unwrap();
    assert_eq!(extended.due_on, Some(date("2026-03-26")));
    world.clock.set("2026-03-27T00:00:00-05:00");
    let late = ServiceError::Late { case: case.label(), due_on: date("2026-03-26") };
    assert_eq!(rule(world.extend(&case, ExtendBy::Days(1))), late);
}

#[test]
fn an_extension_beyond_the_factor_is_refused() {
    let world = world();
    let case = world.open(&[]);
    let beyond = |asked, had| ServiceError::BeyondExtension { case: case.label(), asked, largest: 15, had };
    assert_eq!(rule(world.extend(&case, ExtendBy::Days(16))), beyond(16, 0));
    assert_eq!(refused(world.extend(&case, ExtendBy::Days(0))), ["days"]);
    world.extend(&case, ExtendBy::Days(10)).unwrap();
    assert_eq!(rule(world.extend(&case, ExtendBy::Days(6))), beyond(6, 10));
    let whole = world.extend(&case, ExtendBy::Days(5)).unwrap();
    // Holy Week is 30 March to 5 April 2026 with two holidays.
    assert_eq!((whole.extension_days, whole.due_on), (15, Some(date("2026-04-17"))));
    let kinds = [CaseEventKind::Received, CaseEventKind::Extended, CaseEventKind::Extended];
    assert_eq!(world.kinds(&case), kinds);
    let last = world.events(&case).pop().unwrap();
    assert_eq!((last.days, last.to_due_on), (Some(5), whole.due_on));
    assert_eq!(last.text.as_deref(), Some("The meter has to be tested."));
}

#[test]
fn an_extension_may_name_its_date() {
    let world = world();
    let case = world.open(&[]);
    let to = |day: &str| world.extend(&case, ExtendBy::To(date(day)));
    assert_eq!(refused(to("2026-03-25")), ["to"], "it moves nothing");
    assert_eq!(refused(to("2026-03-28")), ["to"], "a Saturday");
    let extended = to("2026-03-30").unwrap();
    assert_eq!((extended.extension_days, extended.due_on), (3, Some(date("2026-03-30"))));
}

#[test]
fn the_clock_stops_and_restarts() {
    let world = world();
    let case = world.open(&[]);
    // Three days were counted: 4, 5 and 6 March.
    world.clock.set("2026-03-06T10:00:00-05:00");
    let paused = world.pause(&case).unwrap();
    assert_eq!((paused.due_on, paused.paused_since), (None, Some(date("2026-03-06"))));
    let stands = ServiceError::Paused { case: case.label(), since: date("2026-03-06") };
    assert_eq!(rule(world.pause(&case)), stands);
    assert_eq!(rule(world.extend(&case, ExtendBy::Days(1))), stands);
    assert_eq!(rule(world.answer(&case, "No.")), stands);
    world.clock.set("2026-03-13T10:00:00-05:00");
    let completed = world.complete(&case).unwrap();
    // Twelve are left: 16 to 20 March are five, 24 to 27 nine, 30 and 31 eleven, 1 April twelve.
    assert_eq!((completed.due_on, completed.paused_since), (Some(date("2026-04-01")), None));
    assert_eq!(rule(world.complete(&case)), ServiceError::NotPaused(case.label()));
    let explained = block_on(world.owner.explain_case(case.id)).unwrap();
    assert_eq!((explained.due_on, explained.pauses.len()), (completed.due_on, 1));
    world.clock.set("2026-03-17T10:00:00-05:00");
    let answered = world.answer(&case, "It is corrected.").unwrap();
    assert_eq!(answered.answer_days, Some(5), "three before the pause, two after it");
    world.clock.set("2026-04-02T10:00:00-05:00");
    let other = world.open(&[("received_at", "2026-03-03T12:00:00-05:00")]);
    let late = ServiceError::Late { case: other.label(), due_on: date("2026-03-25") };
    assert_eq!(rule(world.pause(&other)), late, "a term that is over does not stop");
}

#[test]
fn a_paused_case_that_is_closed_and_reopened_has_the_days_that_were_left() {
    let world = world();
    let case = world.open(&[]);
    world.clock.set("2026-03-06T10:00:00-05:00");
    world.pause(&case).unwrap();
    world.clock.set("2026-03-13T10:00:00-05:00");
    let closed = world.close(&case, Some("Nothing came in.")).unwrap();
    assert_eq!((closed.paused_since, closed.closed_on), (None, Some(date("2026-03-13"))));
    let reopened = world.reopen(&case).unwrap();
    assert_eq!((reopened.due_on, reopened.closed_on), (Some(date("2026-04-01")), None));
    let explained = block_on(world.owner.explain_case(case.id)).unwrap();
    assert_eq!(explained.due_on, reopened.due_on);
    let text = explained.to_string();
    assert!(text.contains("Paused after Fri 2026-03-06 until it was closed on Fri 2026-03-13"), "{text}");
}

#[test]
fn recomputing_takes_paused_cases_along() {
    let world = world();
    let case = world.open(&[]);
    world.clock.set("2026-03-06T10:00:00-05:00");
    world.pause(&case).unwrap();
    world.holiday("2026-03-24");
    let shown = block_on(world.owner.recompute_cases(true)).unwrap();
    assert_eq!((shown.cases, shown.applied, shown.moved.len()), (1, true, 1));
    let moved = &shown.moved[0];
    assert_eq!((moved.paused_since, moved.from_due_on, moved.to_due_on), (Some(date("2026-03-06")), None, None));
    world.clock.set("2026-03-13T10:00:00-05:00");
    // Without the holiday it would be 1 April.
    assert_eq!(world.complete(&case).unwrap().due_on, Some(date("2026-04-06")));
}

#[test]
fn a_case_without_a_rule_gets_one_when_there_is_one() {
    let world = world();
    let acme = block_on(testing::organization(&world.crm, "acme")).unwrap();
    let fields = [("kind", "person"), ("given_name", "Eva")];
    let contact = block_on(acme.create::<Contact>(edit(&acme, &fields))).unwrap().id.to_string();
    let case = world.try_open(&acme, &[("contact_id", &contact)]).unwrap();
    let recompute = |apply| block_on(acme.recompute_cases(apply)).unwrap();
    assert_eq!((case.due_on, recompute(true).cases), (None, 0), "there is none");
    world.clock.set("2026-03-05T12:00:00-05:00");
    let own = [("code", "PROMISE"), ("rule_version", "1"), ("topic", "general"), ("base_days", "8"), ("source", "Us")];
    let own = block_on(acme.create::<CaseRule>(edit(&acme, &own))).unwrap();
    assert_eq!(own.valid_from, date("2026-03-05"), "it begins after the receipt");
    let shown = recompute(false);
    let moved = &shown.moved[0];
    assert_eq!((moved.from_due_on, moved.to_due_on), (None, Some(date("2026-03-13"))));
    assert_eq!(block_on(acme.get(case.id)).unwrap(), case, "shown only");
    assert!(recompute(true).applied);
    let after = block_on(acme.get(case.id)).unwrap();
    assert_eq!((after.rule_id, after.base_days, after.due_on), (Some(own.id), Some(8), moved.to_due_on));
    assert_eq!(block_on(acme.explain_case(case.id)).unwrap().due_on, after.due_on);
    assert_eq!(recompute(true).cases, 0);
}

#[test]
fn steps_are_in_the_order_of_the_commands_when_the_clock_goes_back() {
    use CaseEventKind::{Answered, Appealed, Completed, IncompleteNotice, Received};
    let world = world();
    let case = world.open(&[]);
    world.clock.set("2026-03-06T15:00:00-05:00");
    world.pause(&case).unwrap();
    world.clock.set("2026-03-06T15:00:02-05:00");
    world.complete(&case).unwrap();
    world.clock.set("2026-03-06T15:00:01-05:00");
    world.pause(&case).unwrap();
    world.clock.set("2026-03-13T10:00:00-05:00");
    let completed = world.complete(&case).unwrap();
    assert_eq!(completed.due_on, Some(date("2026-04-01")), "as if it had stood once");
    assert_eq!(block_on(world.owner.explain_case(case.id)).unwrap().pauses.len(), 2);
    world.answer(&case, "No.").unwrap();
    world.clock.set("2026-03-12T10:00:00-05:00");
    let appeal = AppealCase { id: case.id, grounds: "The meter is broken.".parse().unwrap() };
    let appealed = block_on(world.owner.run(&appeal)).unwrap();
    assert_eq!(block_on(world.owner.explain_case(case.id)).unwrap().pauses, [], "those before the appeal are over");
    assert_eq!(appealed.counted_at, world.events(&case).last().unwrap().at);
    let kinds = [Received, IncompleteNotice, Completed, IncompleteNotice, Completed, Answered, Appealed];
    assert_eq!(world.kinds(&case), kinds);
}

#[test]
fn a_calendar_change_does_not_move_open_cases_and_recompute_shows_the_difference_first() {
    let world = world();
    let case = world.open(&[]);
    let far = world.open(&[("topic", "information")]);
    let answered = world.open(&[]);
    world.answer(&answered, "It is corrected.").unwrap();
    world.holiday("2026-03-24");
    assert_eq!(block_on(world.owner.get(case.id)).unwrap(), case);
    assert_eq!(block_on(world.owner.explain_case(case.id)).unwrap().due_on, case.due_on);
    let extended = world.extend(&case, ExtendBy::Days(1)).unwrap();
    assert_eq!(extended.due_on, Some(date("2026-03-26")), "by the calendar that the case keeps");

    let shown = block_on(world.owner.recompute_cases(false)).unwrap();
    assert_eq!((shown.cases, shown.applied, shown.moved.len()), (2, false, 1));
    let moved = &shown.moved[0];
    assert_eq!(
        (moved.case_id, moved.from_due_on, moved.to_due_on),
        (case.id, extended.due_on, Some(date("2026-03-27")))
    );
    assert_eq!(block_on(world.owner.get(case.id)).unwrap(), extended, "shown only");

    let applied = block_on(world.owner.recompute_cases(true)).unwrap();
    assert_eq!((applied.applied, &applied.moved), (true, &shown.moved));
    let after = block_on(world.owner.get(case.id)).unwrap();
    assert_eq!(after.due_on, Some(date("2026-03-27")));
    assert_eq!(block_on(world.owner.explain_case(case.id)).unwrap().due_on, after.due_on);
    let kept = block_on(world.owner.get(far.id)).unwrap();
    assert_eq!((kept.due_on, &kept.calendar_version), (far.due_on, &after.calendar_version), "it takes the calendar");
    assert_eq!(world.events(&case).last().unwrap().kind, CaseEventKind::Recomputed);
    let again = block_on(world.owner.recompute_cases(true)).unwrap();
    assert_eq!((again.applied, again.cases, again.moved.len()), (false, 0, 0));
    block_on(world.owner.run(&ClearDay(date("2026-03-24")))).unwrap();
    assert_eq!(block_on(world.owner.recompute_cases(false)).unwrap().moved[0].to_due_on, extended.due_on);
}

#[test]
fn what_a_key_recomputes_is_counted_and_logged_and_ends_with_the_key() {
    let world = world();
    let case = world.open(&[]);
    let key = |alias: &str, scopes: &str, per_day| {
        let new = NewKey::new(alias.parse().unwrap(), Role::Admin, scopes.parse().unwrap());
        let quotas = vec![("case.recompute".to_owned(), per_day)];
        let key = block_on(world.owner.create_key(&NewKey { quotas, ..new })).unwrap();
        (key.key.id, block_on(world.crm.session_with_key(&key.text)).unwrap())
    };
    let (_, reads) = key("reads", "case.read", 5);
    let (ended, revoked) = key("revoked", "case.recompute", 5);
    let (id, session) = key("nightly", "case.recompute", 1);
    world.holiday("2026-03-24");
    assert!(matches!(block_on(reads.recompute_cases(false)), Err(CrmError::OutOfScope { .. })));
    block_on(world.owner.run(&RevokeKey(ended))).unwrap();
    assert!(matches!(block_on(revoked.recompute_cases(true)), Err(CrmError::BadCredential(_))));
    assert_eq!(block_on(world.owner.get(case.id)).unwrap(), case);

    assert!(!block_on(session.recompute_cases(false)).unwrap().applied);
    assert!(block_on(session.recompute_cases(true)).unwrap().applied);
    block_on(world.owner.run(&ClearDay(date("2026-03-24")))).unwrap();
    assert_eq!(block_on(session.recompute_cases(true)).unwrap_err().code(), ErrorCode::Throttled);
    assert_eq!(block_on(world.owner.get(case.id)).unwrap().version, case.version + 1);
    let of_key = Query::new(ApiRequest::COLUMNS.key_id.eq(&id)).ascending(ApiRequest::COLUMNS.at);
    let log = block_on(world.owner.list(&of_key)).unwrap().items;
    assert!(log.iter().all(|asked| asked.operation == "case.recompute"));
    assert_eq!(log.iter().map(|asked| asked.outcome.as_str()).collect::<Vec<_>>(), ["ok", "ok", "throttled"]);
}

#[test]
fn a_calendar_is_a_series_of_states() {
    let world = world();
    let first = block_on(world.owner.calendar()).unwrap();
    assert_eq!((first.revision, first.base.map(|base| base.code())), (1, Some("CO")));
    world.holiday("2026-03-24");
    world.holiday("2026-03-24");
    let second = block_on(world.owner.calendar()).unwrap();
    assert_eq!((second.revision, second.overrides().unwrap().len()), (2, 1), "the same day again changes nothing");
    let before = block_on(world.owner.get(first.id)).unwrap();
    assert_eq!((before.is_current, before.overrides().unwrap().len()), (false, 0));
    let set = |fields: &[(&str, &str)]| block_on(world.owner.run(&SetCalendar(edit(&world.owner, fields))));
    assert_eq!(refused(set(&[("base", "US")])), ["base"]);
    let third = set(&[("week", "mon-fri 08:00-12:00 14:00-18:00; sat 08:00-12:00")]).unwrap();
    assert_eq!((third.revision, third.overrides().unwrap().len()), (3, 1));
    // Saturdays count now, and so does what comes on one in the morning.
    let case = world.open(&[("topic", "information")]);
    assert_eq!(case.due_on, Some(date("2026-03-14")));
}

#[test]
fn an_answer_needs_a_text_and_several_are_kept() {
    let world = world();
    let case = world.open(&[]);
    assert!("  ".parse::<crm_core::value::Notes<10000>>().is_err(), "no command without a text can be made");
    world.clock.set("2026-03-05T10:00:00-05:00");
    let first = world.answer(&case, "It is corrected.").unwrap();
    assert_eq!(
        (first.status, first.answered_on, first.answer_days),
        (CaseStatus::Answered, Some(date("2026-03-05")), Some(2))
    );
    assert_eq!(first.answered_late, Some(false));
    world.clock.set("2026-03-10T10:00:00-05:00");
    let second = world.answer(&case, "And here is the new bill.").unwrap();
    assert_eq!((second.answered_on, second.answer_days), (first.answered_on, Some(2)), "the first one counts");
    assert_eq!(second.answer.as_deref(), Some("And here is the new bill."));
    world.answer(&case, "And here is the new bill.").unwrap();
    let answers = world.events(&case).into_iter().filter(|event| event.kind == CaseEventKind::Answered);
    let answers: Vec<_> = answers.map(|event| event.text.clone().unwrap().to_string()).collect();
    assert_eq!(answers, ["It is corrected.", "And here is the new bill.", "And here is the new bill."]);
    let notified = NotifyCase { id: case.id, proof: "Guide 123".parse().unwrap() };
    assert_eq!(block_on(world.owner.run(&notified)).unwrap().notified_on, Some(date("2026-03-10")));
}

#[test]
fn reopening_clears_the_answer_date_and_keeps_history() {
    let world = world();
    let case = world.open(&[]);
    world.clock.set("2026-03-26T10:00:00-05:00");
    let answered = world.answer(&case, "No.").unwrap();
    assert_eq!((answered.answered_late, answered.answer_days), (Some(true), Some(16)));
    let closed = world.close(&case, None).unwrap();
    assert!(!closed.is_overdue(date("2026-04-01")));
    let reopened = world.reopen(&case).unwrap();
    assert_eq!((reopened.status, reopened.answered_on, reopened.closed_on), (CaseStatus::InProgress, None, None));
    assert_eq!(reopened.due_on, case.due_on, "nobody gains time");
    assert!(reopened.is_overdue(date("2026-03-26")));
    assert_eq!((reopened.answer_days, reopened.first_answered_on), (Some(16), answered.answered_on));
    let kinds = [CaseEventKind::Received, CaseEventKind::Answered, CaseEventKind::Closed, CaseEventKind::Reopened];
    assert_eq!(world.kinds(&case), kinds);
    assert_eq!(world.events(&case)[1].text.as_deref(), Some("No."));
}

#[test]
fn an_appeal_begins_a_new_term() {
    let world = world();
    let case = world.open(&[]);
    world.extend(&case, ExtendBy::Days(5)).unwrap();
    world.clock.set("2026-03-06T10:00:00-05:00");
    world.pause(&case).unwrap();
    world.complete(&case).unwrap();
    world.answer(&case, "No.").unwrap();
    world.clock.set("2026-04-06T10:00:00-05:00");
    let appeal = AppealCase { id: case.id, grounds: "The meter is broken.".parse().unwrap() };
    let appealed = block_on(world.owner.run(&appeal)).unwrap();
    assert_eq!((appealed.status, appealed.extension_days), (CaseStatus::InProgress, 0));
    assert_eq!(appealed.due_on, Some(date("2026-04-27")), "fifteen business days after 6 April");
    let explained = block_on(world.owner.explain_case(case.id)).unwrap();
    assert_eq!((explained.due_on, explained.pauses.len()), (appealed.due_on, 0));
    let text = explained.to_string();
    let began = "Appealed Mon 2026-04-06 at 10:00\nThe term began with this appeal; the case was received at first on \
                 Tue 2026-03-03\n";
    assert!(text.contains(began), "{text}");
}

#[test]
fn a_late_answer_to_an_appeal_is_late_and_stays_so() {
    let world = world();
    let case = world.open(&[]);
    assert_eq!(world.answer(&case, "No.").unwrap().answered_late, Some(false));
    let appeal = || {
        let grounds = "The meter is broken.".parse().unwrap();
        block_on(world.owner.run(&AppealCase { id: case.id, grounds })).unwrap()
    };
    let appealed = appeal();
    assert_eq!((appealed.due_on, appealed.answered_late), (Some(date("2026-03-25")), Some(false)));
    world.clock.set("2026-03-26T10:00:00-05:00");
    let late = world.answer(&case, "No again.").unwrap();
    assert_eq!((late.answered_late, late.answer_days), (Some(true), Some(0)), "the days are those of the first one");
    let report = block_on(world.owner.case_report(&CaseReportOptions::default())).unwrap();
    assert_eq!((report.answers.answered, report.answers.late), (1, 1));
    appeal();
    assert_eq!(world.answer(&case, "Still no.").unwrap().answered_late, Some(true));
    let other = world.open(&[]);
    world.answer(&other, "Yes.").unwrap();
    world.clock.set("2026-06-01T10:00:00-05:00");
    assert_eq!(
        world.answer(&other, "And more.").unwrap().answered_late,
        Some(false),
        "a further answer is no late one"
    );
}

#[test]
fn closing_without_an_answer_needs_a_reason() {
    let world = world();
    let case = world.open(&[]);
    assert_eq!(refused(world.close(&case, None)), ["reason"]);
    assert_eq!(world.close(&case, Some("Withdrawn.")).unwrap().status, CaseStatus::Closed);
    assert_eq!(world.answer(&case, "Late.").unwrap_err().code(), ErrorCode::Rule);
}

#[test]
fn members_work_on_what_is_theirs() {
    let world = world();
    let member = block_on(testing::member(&world.crm, &world.owner, Role::Member)).unwrap();
    let case = world.open(&[]);
    assert_eq!(block_on(member.get(case.id)).unwrap_err().code(), ErrorCode::NotFound);
    let assign = |assignee| block_on(world.owner.run(&AssignCase { id: case.id, assignee }));
    assert_eq!(refused(assign(Some(Id::new(uuid::Uuid::from_u128(9))))), ["assignee_id"]);
    let viewer = block_on(testing::member(&world.crm, &world.owner, Role::Viewer)).unwrap();
    assert_eq!(refused(assign(Some(viewer.user().id))), ["assignee_id"]);
    let contact = ("contact_id", &*world.contact.to_string());
    let fields = [("kind", "claim"), ("subject", "A leak"), ("description", "Water in the street."), contact];
    let opened = OpenCase { edit: edit(&world.owner, &fields), assignee: Some(viewer.user().id) };
    assert_eq!(refused(block_on(world.owner.run(&opened))), ["assignee_id"]);
    let assigned = assign(Some(member.user().id)).unwrap();
    assert_eq!(assigned.status, CaseStatus::InProgress);
    let entries = || block_on(world.owner.count(&Query::<AuditEntry>::all())).unwrap();
    let before = entries();
    assert_eq!(assign(Some(member.user().id)).unwrap(), assigned);
    assert_eq!(entries(), before, "the same again leaves no trace");
    assert_eq!(block_on(member.get(case.id)).unwrap().id, case.id);
    assert_eq!(world.events(&case).len(), 2);
    assert_eq!(block_on(member.count(&Query::<CaseEvent>::all())).unwrap(), 2);
    let transfer = TransferCase { id: case.id, to: "The sewage company: it is theirs.".parse().unwrap() };
    block_on(member.run(&transfer)).unwrap();
    let own = block_on(member.create::<Contact>(edit(&member, &[("kind", "person"), ("given_name", "Ana")]))).unwrap();
    let opened = world.try_open(&member, &[("contact_id", &own.id.to_string())]).unwrap();
    assert_eq!(opened.created_by, Some(member.user().id.uuid()));
    assert_eq!(refused(world.try_open(&member, &[])), ["contact_id"], "another's contact");
    let reopen = ReopenCase { id: case.id, reason: "It was wrong.".parse().unwrap() };
    assert_eq!(block_on(member.run(&reopen)).unwrap_err().code(), ErrorCode::Forbidden);
}

#[test]
fn a_timeline_tells_the_steps_of_a_case_once() {
    let world = world();
    let case = world.open(&[]);
    world.clock.set("2026-03-04T10:00:00-05:00");
    world.answer(&case, "It is corrected.").unwrap();
    block_on(world.owner.update(case.id, edit::<Case>(&world.owner, &[("priority", "low")]))).unwrap();
    let timeline = block_on(world.owner.timeline(case.id, &TimelineOptions::default())).unwrap();
    let told: Vec<_> = timeline
        .items
        .iter()
        .map(|item| match &item.what {
            Happening::CaseEvent(event) => event.kind.as_str(),
            Happening::Change(change) => &change.command,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(told, ["answered", "case.update", "received"]);
}

#[test]
fn an_explanation_names_every_day_the_rule_and_the_versions() {
    let world = world();
    let case = world.open(&[]);
    let explained = block_on(world.owner.explain_case(case.id)).unwrap();
    assert_eq!(explained.due_on, case.due_on);
    assert_eq!(explained.counted.len(), 15);
    let text = explained.to_string();
    for part in ["CO-GENERAL", "Law 1755", "San José", "America/Bogota", "not legal advice", &*case.calendar_version] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn dated_situations_played_through_cases_are_due_when_they_were_worked_out_to_be() {
    let played = block_on(testing::due_dates::check(&testing::crm(MemoryStore::new(), 1))).unwrap();
    assert!(played >= 500, "{played}");
}
