//! Tasks, interactions and timelines, by the rules that they come from.
#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::collections::BTreeSet;

use crm_core::access::{Membership, RemoveMember, Role, User};
use crm_core::activity::{
    CancelTask, CompleteTask, Happening, Interaction, InteractionKind, ReopenTask, Subject, TASK, Task, TaskStatus,
    Timeline, TimelineKind, TimelineOptions,
};
use crm_core::audit::AuditEntry;
use crm_core::billing::{CreateInvoice, Invoice};
use crm_core::entity::{Minor, Stored};
use crm_core::people::{Contact, ContactKind};
use crm_core::sales::{
    AssignLead, ConvertLead, CreateDeal, Deal, Lead, LoseDeal, MoveDeal, ReopenDeal, Stage, WinDeal,
};
use crm_core::store::{ChangeSet, Cursor, MemoryStore, Query, Store as _};
use crm_core::testing::TestEnvironment;
use crm_core::value::{Instant, Text};
use crm_core::{Crm, CrmError, Edit, Environment, Id, Rules, Session, block_on, testing};
use uuid::Uuid;

const DAY: i64 = 86_400;

/// A new book at noon UTC on 15 June 2026, New York's time, and its clock.
fn world() -> (Crm, Session<'static>, TestEnvironment) {
    let environment = TestEnvironment::new(1);
    let crm = Crm::new(MemoryStore::new(), environment.clone());
    let owner = block_on(testing::organization(&crm, "acme")).unwrap();
    (crm, owner, environment)
}

fn member(crm: &Crm, owner: &Session<'_>, role: Role) -> Session<'static> {
    block_on(testing::member(crm, owner, role)).unwrap()
}

/// An edit as the command line or a CSV file gives it.
fn edit<E: Rules>(session: &Session<'_>, fields: &[(&str, &str)]) -> Result<Edit<E>, CrmError> {
    Edit::parse(fields.iter().copied(), &session.locale()).map_err(CrmError::Invalid)
}

fn contact(session: &Session<'_>) -> Id<Contact> {
    let edit = Edit::new().set(Contact::COLUMNS.kind, ContactKind::Person);
    block_on(session.create(edit.set(Contact::COLUMNS.given_name, "Eva".parse().ok()))).unwrap().id
}

fn invoice(session: &Session<'_>, contact: Id<Contact>) -> Id<Invoice> {
    block_on(session.run(&CreateInvoice::draft(contact, Vec::new()))).unwrap().id
}

fn task(session: &Session<'_>, fields: &[(&str, &str)]) -> Result<Stored<Task>, CrmError> {
    block_on(session.create(edit::<Task>(session, &[&[("title", "Call back")], fields].concat())?))
}

fn log(session: &Session<'_>, about: impl Into<Subject>, at: Option<&str>) -> Result<Stored<Interaction>, CrmError> {
    let mut fields = vec![("kind", "call"), ("notes", "They will think about it")];
    fields.extend(at.map(|at| ("occurred_at", at)));
    block_on(session.create(edit::<Interaction>(session, &fields)?.about(Some(about.into()))))
}

fn change(session: &Session<'_>, id: Id<Task>, fields: &[(&str, &str)]) -> Result<Stored<Task>, CrmError> {
    block_on(session.update(id, edit(session, fields)?))
}

/// The fields that were refused.
fn refused<T: std::fmt::Debug>(result: Result<T, CrmError>) -> Vec<String> {
    match result {
        Err(CrmError::Invalid(fields)) => fields.into_iter().map(|invalid| invalid.field).collect(),
        other => panic!("{other:?}"),
    }
}

fn code<T>(result: Result<T, CrmError>) -> &'static str {
    result.map_or_else(|error| error.code().as_str(), |_| "ok")
}

fn entries(session: &Session<'_>) -> i64 {
    block_on(session.count(&Query::<AuditEntry>::all())).unwrap()
}

#[test]
fn due_dates_before_today_are_refused_and_old_ones_stand_in_nobodys_way() {
    let (_crm, owner, clock) = world();
    assert_eq!(refused(task(&owner, &[("due_on", "2026-06-14")])), ["due_on"]);
    // Two in the morning in UTC is the day before in New York.
    assert_eq!(refused(task(&owner, &[("due_at", "2026-06-15T02:00:00Z")])), ["due_at"]);
    assert!(task(&owner, &[("due_at", "2026-06-15T05:00:00Z")]).is_ok());
    let due = task(&owner, &[("due_on", "2026-06-15")]).unwrap();
    assert_eq!(refused(change(&owner, due.id, &[("due_at", "2026-06-20T00:00:00Z")])), ["due_at"]);
    clock.advance(3 * DAY);
    assert_eq!(change(&owner, due.id, &[("title", "Call again")]).unwrap().due_on, due.due_on);
    assert!(change(&owner, due.id, &[("due_on", "2026-06-15"), ("description", "as it was")]).is_ok());
    assert_eq!(refused(change(&owner, due.id, &[("due_on", "2026-06-17")])), ["due_on"]);
    assert!(change(&owner, due.id, &[("due_on", "2026-06-18")]).is_ok());
    assert!(change(&owner, due.id, &[("due_on", ""), ("due_at", "2026-06-20T00:00:00Z")]).is_ok());
}

#[test]
fn every_event_in_every_status_does_what_the_machine_says_and_the_same_status_leaves_no_trace() {
    let (_crm, owner, _) = world();
    let run = |event, id| {
        block_on(async {
            match event {
                "completed" => owner.run(&CompleteTask(id)).await,
                "cancelled" => owner.run(&CancelTask(id)).await,
                _ => owner.run(&ReopenTask(id)).await,
            }
        })
    };
    let events =
        [("completed", TaskStatus::Done), ("cancelled", TaskStatus::Cancelled), ("reopened", TaskStatus::Open)];
    for from in TaskStatus::ALL {
        for (event, to) in events {
            let mut before = task(&owner, &[]).unwrap();
            match from {
                TaskStatus::Open => {}
                TaskStatus::Done => before = run("completed", before.id).unwrap(),
                TaskStatus::Cancelled => before = run("cancelled", before.id).unwrap(),
            }
            let seen = entries(&owner);
            let result = run(event, before.id);
            if *from == to {
                assert_eq!((&result.unwrap(), entries(&owner)), (&before, seen), "{from} {event}");
            } else if let Some(step) = TASK.find(from.as_str(), event) {
                let after = result.unwrap();
                assert_eq!((after.status, after.status.as_str()), (to, step.to), "{from} {event}");
                assert_eq!(after.done_at.is_some(), to == TaskStatus::Done, "{from} {event}");
                assert_eq!((after.version, entries(&owner)), (before.version + 1, seen + 1), "{from} {event}");
            } else {
                assert_eq!(code(result), "rule", "{from} {event}");
            }
        }
    }
    assert_eq!(TASK.moves.len(), 4, "of the six that lead elsewhere, two are refused");
    assert_eq!(refused(edit::<Task>(&owner, &[("status", "done"), ("done_at", "")])), ["status", "done_at"]);
}

#[test]
fn overdue_is_told_for_a_moment_by_filter_and_method_alike() {
    let (_crm, owner, _) = world();
    for fields in [
        &[("due_on", "2026-06-15")][..],
        &[("due_on", "2026-06-16")],
        &[("due_at", "2026-06-15T05:00:00Z")],
        &[("due_at", "2026-06-16T23:00:00Z")],
        &[],
    ] {
        let open = task(&owner, fields).unwrap();
        let done = task(&owner, fields).unwrap();
        block_on(owner.run(&CompleteTask(done.id))).unwrap();
        assert_eq!(open.status, TaskStatus::Open);
    }
    let zone = owner.organization().time_zone;
    let all = block_on(owner.list(&Query::<Task>::all())).unwrap().items;
    for (now, late) in [
        ("2026-06-15T04:59:59Z", 0),
        ("2026-06-15T05:00:00.000001Z", 1),
        ("2026-06-16T03:59:59Z", 1),
        ("2026-06-16T04:00:00Z", 2),
        ("2026-06-17T03:00:00Z", 3),
        ("2026-06-17T04:00:00Z", 4),
    ] {
        let now: Instant = now.parse().unwrap();
        let today = zone.date_at(now);
        let query = Query::new(Task::overdue(now, today));
        let found: Vec<_> = block_on(owner.list(&query)).unwrap().items.iter().map(|task| task.id).collect();
        assert_eq!(found.len(), late, "{now}");
        let told = all.iter().filter(|task| task.is_overdue(now, today)).map(|task| task.id);
        assert_eq!(found, told.collect::<Vec<_>>(), "{now}");
    }
}

#[test]
fn only_an_active_member_is_assigned() {
    let (crm, owner, _) = world();
    let manager = member(&crm, &owner, Role::Manager);
    assert_eq!(task(&owner, &[]).unwrap().assignee_id, owner.user().id);
    let given = task(&owner, &[("assignee_id", &manager.user().id.to_string())]).unwrap();
    assert_eq!(given.assignee_id, manager.user().id);
    let stranger = Id::<User>::new(Uuid::from_u128(9)).to_string();
    assert_eq!(refused(task(&owner, &[("assignee_id", &stranger)])), ["assignee_id"]);
    assert_eq!(refused(task(&owner, &[("assignee_id", "")])), ["assignee_id"]);

    // Somebody who may not act at all stays a member, but gets no work.
    let user = manager.user();
    let mut changes = ChangeSet::new(owner.context().stamp("test"));
    changes.update(&owner.context(), &user, User { active: false, ..user.value.clone() });
    block_on(crm.store().apply(owner.scope(), changes)).unwrap();
    assert_eq!(refused(task(&owner, &[("assignee_id", &user.id.to_string())])), ["assignee_id"]);
    assert!(change(&owner, given.id, &[("title", "Still theirs")]).is_ok());

    let viewer = member(&crm, &owner, Role::Viewer).user().id;
    let query = Query::new(Membership::COLUMNS.user_id.eq(&viewer));
    let theirs = block_on(owner.list(&query)).unwrap().items[0].id;
    assert!(task(&owner, &[("assignee_id", &viewer.to_string())]).is_ok());
    block_on(owner.run(&RemoveMember { member: theirs })).unwrap();
    assert_eq!(refused(task(&owner, &[("assignee_id", &viewer.to_string())])), ["assignee_id"]);
}

#[test]
fn a_task_has_one_subject_at_most_and_an_interaction_exactly_one() {
    let (_crm, owner, _) = world();
    let contact = contact(&owner);
    let invoice = invoice(&owner, contact);
    let (contact_id, invoice_id) = (contact.to_string(), invoice.to_string());
    let both = [("contact_id", contact_id.as_str()), ("invoice_id", invoice_id.as_str())];
    assert_eq!(refused(task(&owner, &both)), ["invoice_id"]);
    let about = task(&owner, &both[..1]).unwrap();
    let moved = block_on(owner.update(about.id, Edit::new().about(Some(invoice.into())))).unwrap();
    assert_eq!((moved.contact_id, moved.invoice_id), (None, Some(invoice)));

    let said = [("kind", "note"), ("notes", "Said nothing")];
    let create = |fields: &[(&str, &str)]| block_on(owner.create(edit::<Interaction>(&owner, fields)?));
    assert_eq!(refused(create(&said)), ["subject"]);
    assert_eq!(refused(create(&[&said[..], &both[..]].concat())), ["invoice_id"]);
    assert!(create(&[&said[..], &both[1..]].concat()).is_ok());
    assert_eq!(Subject::named("contact", contact.uuid()), Some(contact.into()));
    assert_eq!(Subject::named("product", contact.uuid()), None);
}

#[test]
fn interactions_are_written_once_by_their_author_and_never_in_a_kind_of_the_systems_own() {
    let (_crm, owner, _) = world();
    let contact = contact(&owner);
    let written = log(&owner, contact, None).unwrap();
    assert_eq!(written.author_id, owner.user().id);
    assert!(written.occurred_at < owner.context().now());
    for kind in TimelineKind::NAMES.iter().chain(&["system"]) {
        assert_eq!(refused(edit::<Interaction>(&owner, &[("kind", kind)])), ["kind"], "{kind}");
    }
    let author = owner.user().id.to_string();
    assert_eq!(refused(edit::<Interaction>(&owner, &[("author_id", &author)])), ["author_id"]);
    let forged = Edit::new().set(Interaction::COLUMNS.author_id, owner.user().id);
    assert_eq!(refused(block_on(owner.create(forged))), ["author_id", "kind", "notes"]);
    assert_eq!(refused(log(&owner, contact, Some("2026-06-16T12:00:00Z"))), ["occurred_at"]);
    assert!(log(&owner, contact, Some("1999-06-16T12:00:00Z")).is_ok());
    let about = |notes: &str| {
        let fields = [("kind", "note"), ("notes", notes)];
        Ok::<_, CrmError>(edit::<Interaction>(&owner, &fields)?.about(Some(contact.into())))
    };
    assert_eq!(refused(block_on(owner.create(about("  yes.  ").unwrap()))), ["notes"]);
    assert!(block_on(owner.create(about(" ñandú ").unwrap())).is_ok());
    assert!(block_on(owner.create(about(&"x".repeat(10_000)).unwrap())).is_ok());
    assert_eq!(refused(about(&"x".repeat(10_001))), ["notes"]);
    let changed = Edit::new().set(Interaction::COLUMNS.kind, InteractionKind::Visit);
    assert_eq!(code(block_on(owner.update(written.id, changed))), "forbidden");
    assert_eq!(code(block_on(owner.delete(written.id))), "forbidden");
    assert_eq!(code(block_on(owner.archive(written.id))), "forbidden");
    assert_eq!(code(block_on(owner.delete(contact))), "conflict", "it has a history");
}

#[test]
fn members_see_and_work_on_their_own_and_others_are_as_random_ids() {
    let (crm, owner, _) = world();
    let ana = member(&crm, &owner, Role::Member);
    let (theirs, others) = (contact(&ana), contact(&owner));
    let bill = invoice(&owner, others);
    let user = ana.user().id.to_string();

    let assigned = task(&owner, &[("assignee_id", &user), ("contact_id", &others.to_string())]).unwrap();
    let hidden = task(&owner, &[("contact_id", &theirs.to_string())]).unwrap();
    let created = task(&ana, &[("assignee_id", &owner.user().id.to_string())]).unwrap();
    let seen: Vec<_> = block_on(ana.list(&Query::<Task>::all())).unwrap().items.iter().map(|task| task.id).collect();
    assert_eq!(seen, [assigned.id, created.id]);
    assert_eq!(block_on(ana.count(&Query::<Task>::all())).unwrap(), 2);
    for id in [assigned.id, created.id] {
        assert!(block_on(ana.run(&CompleteTask(id))).is_ok());
    }
    assert_eq!(code(block_on(ana.run(&CompleteTask(hidden.id)))), "not_found");
    assert_eq!(code(block_on(ana.delete(assigned.id))), "forbidden");

    let on_theirs = log(&owner, theirs, None).unwrap();
    let on_others = log(&owner, others, None).unwrap();
    let on_bill = log(&owner, bill, None).unwrap();
    assert!(block_on(ana.get(on_theirs.id)).is_ok());
    assert_eq!(code(block_on(ana.get(on_others.id))), "not_found");
    assert_eq!(code(block_on(ana.get(on_bill.id))), "not_found");
    assert_eq!(block_on(ana.count(&Query::<Interaction>::all())).unwrap(), 1);

    // What a member may not see is named as what is not there.
    let random = Id::<Contact>::new(Uuid::from_u128(9));
    let told = |result: Result<(), CrmError>, id: &str| result.unwrap_err().to_string().replace(id, "ID");
    let answer = |id: Id<Contact>| {
        let text = id.to_string();
        [
            told(log(&ana, id, None).map(drop), &text),
            told(task(&ana, &[("contact_id", &text)]).map(drop), &text),
            told(change(&ana, created.id, &[("contact_id", &text)]).map(drop), &text),
            told(block_on(ana.timeline(id, &TimelineOptions::default())).map(drop), &text),
        ]
    };
    assert_eq!(answer(others), answer(random));

    // What a member wrote stays theirs to read when the record goes to somebody else.
    let own = log(&ana, theirs, None).unwrap();
    let handed = Edit::new().set(Contact::COLUMNS.owner_id, Some(owner.user().id));
    block_on(owner.update(theirs, handed)).unwrap();
    assert!(block_on(ana.get(own.id)).is_ok());
    assert_eq!(code(block_on(ana.get(on_theirs.id))), "not_found");
    assert_eq!(code(log(&ana, theirs, None)), "invalid");
}

/// The whole timeline, page by page.
fn paged(session: &Session<'_>, subject: impl Into<Subject>, limit: u32) -> Timeline {
    let subject = subject.into();
    let mut options = TimelineOptions { after: None, limit };
    let mut items = Vec::new();
    loop {
        let page = block_on(session.timeline(subject, &options)).unwrap();
        assert!(page.items.len() <= limit as usize);
        items.extend(page.items);
        let Some(next) = page.next else { return Timeline { items, next: None } };
        // A cursor is text between two calls.
        options.after = Some(next.to_string().parse().unwrap());
    }
}

fn kinds(timeline: &Timeline) -> Vec<TimelineKind> {
    timeline.items.iter().map(|item| item.what.kind()).collect()
}

#[test]
fn a_timeline_tells_all_that_happened_once_newest_first() {
    use TimelineKind::{Change, Interaction, Task};
    let (_crm, owner, _) = world();
    let subject = contact(&owner);
    let elsewhere = contact(&owner);
    log(&owner, subject, None).unwrap();
    let given = task(&owner, &[("contact_id", &subject.to_string())]).unwrap();
    block_on(owner.run(&CompleteTask(given.id))).unwrap();
    log(&owner, elsewhere, None).unwrap();
    let edit = Edit::parse([("email", "eva@example.com"), ("city", "Bogotá")], &owner.locale()).unwrap();
    block_on(owner.update::<Contact>(subject, edit)).unwrap();
    log(&owner, subject, Some("2026-01-01T00:00:00Z")).unwrap();

    let timeline = paged(&owner, subject, 50);
    assert_eq!(kinds(&timeline), [Change, Task, Interaction, Change, Interaction]);
    assert!(timeline.items.windows(2).all(|pair| pair[0].at >= pair[1].at));
    let Happening::Task(task) = &timeline.items[1].what else { panic!("{timeline:?}") };
    assert_eq!(task.status, TaskStatus::Done);
    let Happening::Change(changed) = &timeline.items[0].what else { panic!("{timeline:?}") };
    assert_eq!(changed.command, "contact.update");
    assert_eq!(changed.actor_id, Some(owner.user().id));
    assert_eq!(changed.fields, ["city", "email"]);
    let json: serde_json::Value = serde_json::from_str(&timeline.items[0].to_json()).unwrap();
    assert_eq!(json["record"]["fields"], serde_json::json!(["city", "email"]));
    assert!(!timeline.items[0].to_json().contains("example.com"), "no values");
    for limit in 1..=6 {
        assert_eq!(paged(&owner, subject, limit), timeline, "in pages of {limit}");
    }
    let first = TimelineOptions { after: None, limit: 0 };
    assert_eq!(block_on(owner.timeline(subject, &first)).unwrap().items.len(), 1);

    let next = block_on(owner.timeline(subject, &first)).unwrap().next;
    let other = TimelineOptions { after: next, limit: 9 };
    assert_eq!(refused(block_on(owner.timeline(elsewhere, &other))), ["after"]);
    let list = block_on(owner.list(&Query::<Contact>::all().limit(1))).unwrap().next;
    for cursor in [list, Some("nonsense".parse::<Cursor>().unwrap())] {
        let other = TimelineOptions { after: cursor, limit: 9 };
        assert_eq!(refused(block_on(owner.timeline(subject, &other))), ["after"]);
    }
}

#[test]
fn a_member_sees_the_timeline_of_an_own_record_without_the_audits_values_and_others_tasks() {
    use TimelineKind::{Change, Interaction, Task};
    let (crm, owner, _) = world();
    let ana = member(&crm, &owner, Role::Member);
    let subject = contact(&ana);
    let about = subject.to_string();
    task(&owner, &[("contact_id", &about)]).unwrap();
    task(&owner, &[("contact_id", &about), ("assignee_id", &ana.user().id.to_string())]).unwrap();
    log(&owner, subject, None).unwrap();
    assert_eq!(code(block_on(ana.list(&Query::<AuditEntry>::all()))), "forbidden");
    assert_eq!(kinds(&paged(&ana, subject, 1)), [Interaction, Task, Change]);
    assert_eq!(kinds(&paged(&owner, subject, 1)), [Interaction, Task, Task, Change]);
    let bill = invoice(&owner, subject);
    assert_eq!(kinds(&paged(&ana, bill, 9)), [Change]);
    let viewer = member(&crm, &owner, Role::Viewer);
    assert_eq!(paged(&viewer, subject, 9), paged(&owner, subject, 9));
}

/// A deal that came of a lead, with a history of its own.
fn converted(session: &Session<'_>) -> (Id<Lead>, Id<Deal>) {
    let edit = Edit::new().set(Lead::COLUMNS.contact_id, contact(session));
    let lead = block_on(session.create(edit)).unwrap().id;
    log(session, lead, None).unwrap();
    let deal = block_on(session.run(&ConvertLead::new(lead))).unwrap().deal_id.unwrap();
    (lead, deal)
}

#[test]
fn a_deals_timeline_tells_each_step_once_and_the_history_of_its_lead() {
    use TimelineKind::{Change, Interaction, StageChange, Task};
    let (crm, owner, _) = world();
    let (lead, deal) = converted(&owner);
    let stages = block_on(owner.list(&Query::<Stage>::all().ascending(Stage::COLUMNS.position))).unwrap().items;
    block_on(owner.run(&MoveDeal { id: deal, stage: stages[1].id })).unwrap();
    task(&owner, &[("deal_id", &deal.to_string())]).unwrap();
    let amount = Edit::new().set(Deal::COLUMNS.amount, Minor(100));
    block_on(owner.update(deal, amount)).unwrap();
    block_on(owner.run(&WinDeal(deal))).unwrap();
    log(&owner, lead, None).unwrap();

    let timeline = paged(&owner, deal, 50);
    // The lead's conversion and the deal's creation are one command at one instant, of two records.
    let expected = [Interaction, StageChange, Change, Task, StageChange, StageChange, Change, Interaction, Change];
    assert_eq!(kinds(&timeline), expected);
    let commands = |timeline: &Timeline| {
        let changes = timeline.items.iter().filter_map(|item| match &item.what {
            Happening::Change(change) => Some((change.command.clone(), change.entity.clone())),
            _ => None,
        });
        changes.collect::<Vec<_>>()
    };
    let told = [("deal.update", "deal"), ("lead.convert", "lead"), ("lead.create", "lead")];
    assert_eq!(commands(&timeline), told.map(|(command, entity)| (command.to_owned(), entity.to_owned())));
    for limit in 1..=10 {
        assert_eq!(paged(&owner, deal, limit), timeline, "in pages of {limit}");
    }
    assert_eq!(kinds(&paged(&owner, lead, 50)), [Interaction, Change, Interaction, Change]);

    // Whoever works on the deal alone does not see the lead's history.
    let ana = member(&crm, &owner, Role::Member);
    block_on(owner.update(deal, Edit::new().set(Deal::COLUMNS.owner_id, ana.user().id))).unwrap();
    assert_eq!(kinds(&paged(&ana, deal, 2)), [Change, StageChange, Change, StageChange, StageChange]);
    assert_eq!(code(block_on(ana.timeline(lead, &TimelineOptions::default()))), "not_found");
    block_on(owner.run(&AssignLead { id: lead, assignee: Some(ana.user().id) })).unwrap();
    assert_eq!(paged(&ana, deal, 3).items.len(), 5 + 5);
}

#[test]
fn no_step_of_a_deal_is_told_a_second_time_by_the_audit() {
    let (_crm, owner, _) = world();
    let columns = Deal::COLUMNS;
    let edit = Edit::new().set(columns.title, "Boat".parse::<Text<200>>().unwrap()).set(columns.amount, Minor(100));
    let deal = block_on(owner.run(&CreateDeal::new(edit))).unwrap();
    let stages = block_on(owner.list(&Query::<Stage>::all().ascending(Stage::COLUMNS.position))).unwrap().items;
    for stage in [1, 0] {
        block_on(owner.run(&MoveDeal { id: deal.id, stage: stages[stage].id })).unwrap();
    }
    block_on(owner.run(&LoseDeal { id: deal.id, reason: "too late".parse().unwrap() })).unwrap();
    block_on(owner.run(&ReopenDeal(deal.id))).unwrap();
    block_on(owner.run(&WinDeal(deal.id))).unwrap();
    assert_eq!(kinds(&paged(&owner, deal.id, 2)), [TimelineKind::StageChange; 6]);
    block_on(owner.archive(deal.id)).unwrap();
    assert_eq!(kinds(&paged(&owner, deal.id, 2))[..2], [TimelineKind::Change, TimelineKind::StageChange]);
}

#[test]
fn a_deal_linked_to_a_lead_tells_of_the_link() {
    let (_crm, owner, _) = world();
    let title = Edit::new().set(Deal::COLUMNS.title, "Boat".parse::<Text<200>>().unwrap());
    let deal = block_on(owner.run(&CreateDeal::new(title))).unwrap().id;
    let lead = block_on(owner.create(Edit::new().set(Lead::COLUMNS.contact_id, contact(&owner)))).unwrap().id;
    block_on(owner.run(&ConvertLead { deal: Some(deal), ..ConvertLead::new(lead) })).unwrap();
    let linked = paged(&owner, deal, 9).items.into_iter().filter(|item| match &item.what {
        Happening::Change(change) => change.command == "lead.convert" && change.entity == "deal",
        _ => false,
    });
    assert_eq!(linked.count(), 1);
}

/// A clock that stands still.
struct Still(TestEnvironment);

impl Environment for Still {
    fn now(&self) -> Instant {
        Instant::EPOCH
    }

    fn new_id(&self) -> Uuid {
        self.0.new_id()
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        self.0.fill_random(bytes);
    }
}

#[test]
fn pages_lose_and_repeat_nothing_when_everything_happens_at_one_instant() {
    let crm = Crm::new(MemoryStore::new(), Still(TestEnvironment::new(1)));
    let owner = block_on(testing::organization(&crm, "acme")).unwrap();
    let subject = contact(&owner);
    for number in 0..7 {
        log(&owner, subject, None).unwrap();
        task(&owner, &[("contact_id", &subject.to_string())]).unwrap();
        let edit = Edit::new().set(Contact::COLUMNS.stratum, Some(number % 6 + 1));
        block_on(owner.update(subject, edit)).unwrap();
    }
    let whole = paged(&owner, subject, 100);
    let texts: BTreeSet<String> = whole.items.iter().map(crm_core::activity::TimelineItem::to_json).collect();
    assert_eq!((whole.items.len(), texts.len()), (7 + 7 + 8, 7 + 7 + 8));
    for limit in [1, 2, 3, 6, 7, 8, 13, 14, 15, 21, 22, 23] {
        assert_eq!(paged(&owner, subject, limit), whole, "in pages of {limit}");
    }
}
