//! The rules of sales, by the scenarios that they come from.
#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::sync::Arc;

use crm_core::access::{Grant, IdempotencyKey, Role};
use crm_core::audit::AuditEntry;
use crm_core::entity::{Minor, Stored};
use crm_core::people::Contact;
use crm_core::sales::{
    AddStage, AddTag, AssignLead, ChangeStage, ConvertLead, CreateDeal, CreatePipeline, Deal, DealPlan, DealStatus,
    DeleteDeal, DeletePipeline, DeleteStage, Lead, LeadStatus, LoseDeal, MakeDefault, MoveDeal, MoveLead, NewStage,
    Pipeline, RemoveTag, ReopenDeal, ReorderStages, SalesError, Stage, StageChange, StartDeal, Tag, Tagged, WinDeal,
    plan_conversion,
};
use crm_core::store::{ChangeSet, Filter, MemoryStore, Query, StoreError};
use crm_core::testing::{self, TestEnvironment};
use crm_core::value::{Currency, Decimal6};
use crm_core::{Actor, Command as _, Context, Crm, CrmError, Edit, ErrorCode, Id, Rules, Session, block_on};

fn world() -> (TestEnvironment, Crm, Session<'static>) {
    let environment = TestEnvironment::new(1);
    let crm = Crm::new(MemoryStore::new(), environment.clone());
    let owner = block_on(testing::organization(&crm, "acme")).unwrap();
    (environment, crm, owner)
}

fn edit<E: Rules>(session: &Session<'_>, fields: &[(&str, &str)]) -> Edit<E> {
    Edit::parse(fields.iter().copied(), &session.locale()).unwrap()
}

fn contact(session: &Session<'_>, name: &str) -> Id<Contact> {
    block_on(session.create::<Contact>(edit(session, &[("kind", "person"), ("given_name", name)]))).unwrap().id
}

fn lead(session: &Session<'_>) -> Stored<Lead> {
    let contact = contact(session, "Eva");
    block_on(session.create(edit(session, &[("contact_id", &contact.to_string()), ("channel", "whatsapp")]))).unwrap()
}

fn deal(session: &Session<'_>, amount: &str) -> Stored<Deal> {
    let edit = edit(session, &[("title", "Big"), ("amount", amount)]);
    block_on(session.run(&CreateDeal::new(edit))).unwrap()
}

/// The default pipeline's stages, in order.
fn stages(session: &Session<'_>) -> Vec<Stored<Stage>> {
    let default = Stage::COLUMNS.pipeline_id.refers_to(Pipeline::COLUMNS.is_default.eq(&true));
    block_on(session.list(&Query::new(default).ascending(Stage::COLUMNS.position))).unwrap().items
}

fn history(session: &Session<'_>, deal: Id<Deal>) -> Vec<Stored<StageChange>> {
    let query = Query::new(StageChange::COLUMNS.deal_id.eq(&deal)).ascending(StageChange::COLUMNS.at);
    block_on(session.list(&query)).unwrap().items
}

fn entries(session: &Session<'_>) -> i64 {
    block_on(session.count(&Query::<AuditEntry>::all())).unwrap()
}

fn stage(name: &str, percent: u32) -> NewStage {
    NewStage { name: name.parse().unwrap(), probability: percent.into() }
}

fn refused<T: std::fmt::Debug>(result: Result<T, CrmError>) -> Vec<String> {
    match result {
        Err(CrmError::Invalid(fields)) => fields.into_iter().map(|invalid| invalid.field).collect(),
        other => panic!("{other:?}"),
    }
}

fn code<T: std::fmt::Debug>(result: Result<T, CrmError>) -> ErrorCode {
    result.unwrap_err().code()
}

#[test]
fn an_organization_begins_with_a_pipeline() {
    let (_, _, acme) = world();
    let stages = stages(&acme);
    let told: Vec<_> = stages.iter().map(|stage| format!("{} {}", stage.name, stage.probability)).collect();
    assert_eq!(told, ["lead 10", "qualification 25", "proposal 50", "negotiation 75"]);
    let default = block_on(acme.find::<Pipeline>("Sales")).unwrap();
    assert!(default.is_default);
    assert_eq!(code(block_on(acme.run(&DeletePipeline(default.id)))), ErrorCode::Rule, "the default cannot be deleted");
}

#[test]
fn a_lead_begins_new_with_its_creator_and_moves_by_its_machine() {
    let (_, crm, acme) = world();
    let eva = lead(&acme);
    assert_eq!((eva.status, eva.created_by), (LeadStatus::New, Some(acme.user().id.uuid())));
    let to = |session: &Session<'_>, status| block_on(session.run(&MoveLead { id: eva.id, status }));
    assert_eq!(to(&acme, LeadStatus::Quoted).unwrap().status, LeadStatus::Quoted);
    assert_eq!(code(to(&acme, LeadStatus::Contacted)), ErrorCode::Rule);
    let before = entries(&acme);
    assert_eq!(to(&acme, LeadStatus::Quoted).unwrap().version, 2);
    assert_eq!(entries(&acme), before, "the same status leaves no trace");
    to(&acme, LeadStatus::Discarded).unwrap();
    assert_eq!(entries(&acme), before + 1);
    let member = block_on(testing::member(&crm, &acme, Role::Member)).unwrap();
    block_on(acme.run(&AssignLead { id: eva.id, assignee: Some(member.user().id) })).unwrap();
    assert!(matches!(
        to(&member, LeadStatus::New),
        Err(CrmError::Forbidden { operation, .. }) if operation == "lead.reopen"
    ));
    assert_eq!(to(&acme, LeadStatus::New).unwrap().status, LeadStatus::New);
}

#[test]
fn leads_are_assigned_to_active_members_only_and_unassigned_by_nobody() {
    let (_, crm, acme) = world();
    let eva = lead(&acme);
    let assign = |assignee| block_on(acme.run(&AssignLead { id: eva.id, assignee }));
    assert_eq!(refused(assign(Some(Id::new(uuid::Uuid::from_u128(9))))), ["assignee_id"]);
    let member = block_on(testing::member(&crm, &acme, Role::Member)).unwrap();
    assert_eq!(block_on(member.get(eva.id)).unwrap_err().code(), ErrorCode::NotFound);
    assign(Some(member.user().id)).unwrap();
    assert_eq!(block_on(member.get(eva.id)).unwrap().assignee_id, Some(member.user().id));
    assert_eq!(assign(None).unwrap().assignee_id, None);
    // A user who may not act any more.
    let user = member.user();
    let mut context = acme.context();
    let mut changes = ChangeSet::new(context.stamp("test"));
    let inactive = crm_core::access::User { active: false, ..user.value.clone() };
    changes.update(&context, &user, inactive);
    block_on(acme.store().apply(acme.scope(), changes)).unwrap();
    assert_eq!(refused(assign(Some(user.id))), ["assignee_id"]);
}

#[test]
fn pipelines_are_data_with_distinct_names_and_one_default() {
    let (_, crm, acme) = world();
    let create =
        |name: &str, stages: Vec<NewStage>| block_on(acme.run(&CreatePipeline { name: name.parse().unwrap(), stages }));
    assert_eq!(code(create("SALES", vec![stage("a", 1)])), ErrorCode::Duplicate);
    assert_eq!(refused(create("Partners", vec![])), ["stages"]);
    assert_eq!(refused(create("Partners", vec![stage("a", 1), stage("b", 101)])), ["stages.2.probability"]);
    assert_eq!(code(create("Partners", vec![stage("a", 1), stage("A", 2)])), ErrorCode::Duplicate);
    let partners = create("Partners", vec![stage("a", 1), stage("b", 100)]).unwrap();
    assert!(!partners.is_default);
    assert!(block_on(acme.run(&MakeDefault(partners.id))).unwrap().is_default);
    assert!(!block_on(acme.find::<Pipeline>("Sales")).unwrap().is_default);
    let first = stages(&acme).swap_remove(0);
    assert_eq!(&*first.name, "a");
    let big = deal(&acme, "1");
    assert_eq!((big.pipeline_id, big.stage_id), (partners.id, first.id));
    let sales = block_on(acme.find::<Pipeline>("Sales")).unwrap();
    block_on(acme.run(&DeletePipeline(sales.id))).unwrap();
    let manager = block_on(testing::member(&crm, &acme, Role::Manager)).unwrap();
    let add = AddStage { pipeline: partners.id, stage: stage("c", 50) };
    assert_eq!(code(block_on(manager.run(&add))), ErrorCode::Forbidden);
    assert_eq!(block_on(acme.run(&add)).unwrap().version, 3);
}

#[test]
fn stages_in_use_stay_and_reordering_rewrites_positions_only() {
    let (_, _, acme) = world();
    let big = deal(&acme, "1");
    let all = stages(&acme);
    assert_eq!(code(block_on(acme.run(&DeleteStage(all[0].id)))), ErrorCode::Conflict);
    block_on(acme.run(&MoveDeal { id: big.id, stage: all[1].id })).unwrap();
    assert_eq!(code(block_on(acme.run(&DeleteStage(all[0].id)))), ErrorCode::Conflict, "the deal's history has it");
    block_on(acme.run(&DeleteStage(all[2].id))).unwrap();
    let told = history(&acme, big.id);
    let order = vec![all[3].id, all[1].id, all[0].id];
    let reorder = |order: &[_]| {
        let order = order.to_vec();
        block_on(acme.run(&ReorderStages { pipeline: big.pipeline_id, order }))
    };
    assert_eq!(refused(reorder(&order[..2])), ["order"]);
    assert_eq!(refused(reorder(&[order[0], order[0], order[1]])), ["order"]);
    assert_eq!(refused(reorder(&[order[0], all[2].id, order[1]])), ["order.2"]);
    let once = reorder(&order).unwrap();
    assert_eq!(stages(&acme).iter().map(|stage| stage.id).collect::<Vec<_>>(), order);
    assert_eq!(history(&acme, big.id), told);
    assert_eq!(reorder(&order).unwrap().version, once.version, "the same order changes nothing");
    let change = ChangeStage { stage: order[0], name: None, probability: Some(Decimal6::parse("12.345678").unwrap()) };
    assert_eq!(block_on(acme.run(&change)).unwrap().version, once.version + 1);
    assert_eq!(block_on(acme.get(order[0])).unwrap().probability.to_string(), "12.345678");
}

#[test]
fn two_who_change_a_pipelines_stages_at_once_do_not_mix() {
    let (_, _, acme) = world();
    let all = stages(&acme);
    let pipeline = all[0].pipeline_id;
    let order = [3, 2, 1, 0].map(|at| all[at].id).to_vec();
    let (add, reorder) = (AddStage { pipeline, stage: stage("late", 90) }, ReorderStages { pipeline, order });
    let decided = |verb| {
        let mut context = acme.context();
        let changes = ChangeSet::new(context.stamp(verb));
        (context, changes)
    };
    let ((mut here, mut first), (mut there, mut second)) = (decided("add"), decided("reorder"));
    block_on(add.decide(&acme, Grant::All, &mut here, &mut first)).unwrap();
    block_on(reorder.decide(&acme, Grant::All, &mut there, &mut second)).unwrap();
    block_on(acme.store().apply(acme.scope(), first)).unwrap();
    assert!(matches!(block_on(acme.store().apply(acme.scope(), second)), Err(StoreError::Conflict { .. })));
    assert_eq!(refused(block_on(acme.run(&reorder))), ["order"], "decided again, a stage is left out");
}

#[test]
fn a_deal_has_its_owner_currency_and_first_stage_unless_told_otherwise() {
    let (_, _, acme) = world();
    let big = block_on(acme.run(&CreateDeal::new(edit(&acme, &[("title", "Big")])))).unwrap();
    let all = stages(&acme);
    assert_eq!((big.owner_id, big.currency, big.amount), (acme.user().id, Currency::USD, Minor(0)));
    assert_eq!((big.stage_id, big.status, big.closed_at), (all[0].id, DealStatus::New, None));
    assert_eq!(refused(block_on(acme.run(&CreateDeal::new(Edit::new())))), ["title"]);
    let negative = CreateDeal::new(edit(&acme, &[("title", "Bad"), ("amount", "-1")]));
    assert_eq!(refused(block_on(acme.run(&negative))), ["amount"]);
    // The general commands can do nothing that only a deal's own may.
    assert_eq!(code(block_on(acme.create::<Deal>(edit(&acme, &[("title", "Bad")])))), ErrorCode::Rule);
    let forbidden = Edit::new().set(Deal::COLUMNS.stage_id, all[1].id).set(Deal::COLUMNS.status, DealStatus::Won);
    assert_eq!(refused(block_on(acme.update(big.id, forbidden))), ["stage_id", "status"]);
    assert_eq!(code(block_on(acme.delete(big.id))), ErrorCode::Rule);
    let other =
        block_on(acme.run(&CreatePipeline { name: "Other".parse().unwrap(), stages: vec![stage("x", 5)] })).unwrap();
    let crossed = CreateDeal {
        pipeline: Some(other.id),
        stage: Some(all[0].id),
        ..CreateDeal::new(edit(&acme, &[("title", "Bad")]))
    };
    assert!(matches!(block_on(acme.run(&crossed)), Err(CrmError::Sales(SalesError::OtherPipeline(_)))));
    let foreign = stages_of(&acme, other.id);
    let moved = block_on(acme.run(&MoveDeal { id: big.id, stage: foreign[0].id }));
    assert!(matches!(moved, Err(CrmError::Sales(SalesError::OtherPipeline(_)))));
}

fn stages_of(session: &Session<'_>, pipeline: Id<Pipeline>) -> Vec<Stored<Stage>> {
    block_on(session.list(&Query::new(Stage::COLUMNS.pipeline_id.eq(&pipeline)))).unwrap().items
}

#[test]
fn amounts_are_read_in_the_deals_own_currency() {
    let (_, _, acme) = world();
    let yen = edit(&acme, &[("title", "Yen"), ("currency", "JPY"), ("amount", "1000")]);
    let yen = block_on(acme.run(&CreateDeal::new(yen))).unwrap();
    assert_eq!(yen.amount, Minor(1_000));
    // Read in dollars, 2000 would be 200,000 yen.
    assert_eq!(refused(block_on(acme.update(yen.id, edit(&acme, &[("amount", "2000")])))), ["currency"]);
    let update = edit(&acme, &[("amount", "2000"), ("currency", "JPY")]);
    assert_eq!(block_on(acme.update(yen.id, update)).unwrap().amount, Minor(2_000));
    assert_eq!(refused(block_on(acme.update(yen.id, edit(&acme, &[("currency", "USD")])))), ["currency"]);
}

#[test]
fn winning_needs_an_amount_and_keeps_it_losing_a_reason_reopening_a_manager() {
    let (_, crm, acme) = world();
    let member = block_on(testing::member(&crm, &acme, Role::Member)).unwrap();
    let big = deal(&member, "0");
    assert_eq!(refused(block_on(member.run(&WinDeal(big.id)))), ["amount"]);
    block_on(member.update(big.id, edit(&acme, &[("amount", "10.50")]))).unwrap();
    let won = block_on(member.run(&WinDeal(big.id))).unwrap();
    assert_eq!((won.status, won.closed_at, won.status.is_open()), (DealStatus::Won, Some(won.updated_at), false));
    assert_eq!(refused(block_on(member.update(big.id, edit(&acme, &[("amount", "0")])))), ["amount"]);
    assert_eq!(code(block_on(member.run(&StartDeal(big.id)))), ErrorCode::Rule);
    assert_eq!(code(block_on(member.run(&MoveDeal { id: big.id, stage: stages(&acme)[1].id }))), ErrorCode::Rule);
    assert_eq!(code(block_on(member.run(&ReopenDeal(big.id)))), ErrorCode::Forbidden);
    let open = block_on(acme.run(&ReopenDeal(big.id))).unwrap();
    assert_eq!((open.status, open.closed_at), (DealStatus::InProgress, None));
    let lose = LoseDeal { id: big.id, reason: "too dear".parse().unwrap() };
    assert_eq!(block_on(member.run(&lose)).unwrap().lost_reason.as_deref(), Some("too dear"));
    assert_eq!(code(block_on(member.run(&lose))), ErrorCode::Rule);
    assert_eq!(block_on(acme.run(&ReopenDeal(big.id))).unwrap().lost_reason, None);
}

#[test]
fn stages_go_forward_freely_and_back_for_admins_only() {
    let (_, crm, acme) = world();
    let all = stages(&acme);
    for (role, back) in [(Role::Admin, true), (Role::Manager, false), (Role::Member, false)] {
        let session = block_on(testing::member(&crm, &acme, role)).unwrap();
        let big = deal(&session, "1");
        let to = |at: usize| block_on(session.run(&MoveDeal { id: big.id, stage: all[at].id }));
        let moved = to(2).unwrap();
        assert_eq!((moved.status, moved.stage_entered_at), (DealStatus::InProgress, moved.updated_at));
        let before = entries(&acme);
        assert_eq!(to(2).unwrap().version, moved.version);
        assert_eq!(entries(&acme), before, "the same stage leaves no trace");
        assert_eq!(to(0).is_ok(), back, "{role}");
    }
}

#[test]
fn every_step_has_one_entry_with_the_visit_that_it_ends() {
    let (environment, _, acme) = world();
    let all = stages(&acme);
    let big = deal(&acme, "1");
    // Every look at the clock takes a second; a command looks once.
    environment.advance(99);
    block_on(acme.run(&StartDeal(big.id))).unwrap();
    block_on(acme.run(&MoveDeal { id: big.id, stage: all[1].id })).unwrap();
    environment.advance(49);
    block_on(acme.run(&WinDeal(big.id))).unwrap();
    environment.advance(1_000);
    block_on(acme.run(&ReopenDeal(big.id))).unwrap();
    environment.advance(9);
    block_on(acme.run(&LoseDeal { id: big.id, reason: "no".parse().unwrap() })).unwrap();
    let steps = history(&acme, big.id);
    let told: Vec<_> = steps
        .iter()
        .map(|step| {
            let stage = |id| all.iter().position(|stage| stage.id == id).unwrap();
            let status = step.from_status.map(DealStatus::as_str);
            (
                step.from_stage_id.map(stage),
                stage(step.to_stage_id),
                status,
                step.to_status.as_str(),
                step.visit_seconds,
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (None, 0, None, "new", None),
            (Some(0), 1, Some("in_progress"), "in_progress", Some(101)),
            (Some(1), 1, Some("in_progress"), "won", Some(50)),
            (Some(1), 1, Some("won"), "in_progress", None),
            (Some(1), 1, Some("in_progress"), "lost", Some(10)),
        ]
    );
    assert!(steps.iter().all(|step| !step.imported && step.by_id == Some(acme.user().id.uuid())));
    for pair in steps.windows(2) {
        let visit = pair[1].entered_at.is_some();
        assert_eq!(visit, pair[1].visit_seconds.is_some());
        assert!(!visit || pair[1].entered_at == Some(pair[0].at));
    }
    block_on(acme.run(&DeleteDeal(big.id))).unwrap();
    assert_eq!(history(&acme, big.id), []);
}

#[test]
fn a_lead_is_converted_once() {
    let (_, _, acme) = world();
    let eva = lead(&acme);
    let key: IdempotencyKey = "once".parse().unwrap();
    let convert = ConvertLead { edit: edit(&acme, &[("amount", "12")]), ..ConvertLead::new(eva.id) };
    let plan = block_on(acme.plan_conversion(&convert)).unwrap();
    assert_eq!(
        (plan.contact, plan.company, &*plan.missing, &*plan.duplicates),
        (eva.contact_id, None, &[][..], &[][..])
    );
    let before = entries(&acme);
    let closed = block_on(acme.run_with_key(&convert, Some(&key))).unwrap();
    assert_eq!(entries(&acme), before + 3, "the deal, the first step and the lead");
    let made = block_on(acme.get(closed.deal_id.unwrap())).unwrap();
    assert_eq!(
        (closed.status, made.lead_id, made.contact_id),
        (LeadStatus::Closed, Some(eva.id), Some(eva.contact_id))
    );
    assert_eq!((&*made.title, made.amount), ("Eva", Minor(1_200)));
    assert_eq!(block_on(acme.run_with_key(&convert, Some(&key))).unwrap(), closed);
    match block_on(acme.run(&convert)) {
        Err(CrmError::Sales(SalesError::Converted { deal, .. })) => assert_eq!(deal, made.id.to_string()),
        other => panic!("{other:?}"),
    }
    // A second lead of the contact may be the same matter.
    let again = block_on(acme.create(Edit::new().set(Lead::COLUMNS.contact_id, eva.contact_id))).unwrap();
    let plan = block_on(acme.plan_conversion(&ConvertLead::new(again.id))).unwrap();
    assert_eq!(plan.duplicates, [made.id]);
    let linked = ConvertLead { deal: Some(made.id), ..ConvertLead::new(again.id) };
    assert!(matches!(block_on(acme.run(&linked)), Err(CrmError::Sales(SalesError::OtherLead { .. }))));
    let free = deal(&acme, "1");
    let linked = ConvertLead { deal: Some(free.id), ..linked };
    assert_eq!(block_on(acme.plan_conversion(&linked)).unwrap().deal, DealPlan::Link(free.id));
    block_on(acme.run(&linked)).unwrap();
    let free = block_on(acme.get(free.id)).unwrap();
    assert_eq!((free.lead_id, free.contact_id), (Some(again.id), Some(eva.contact_id)));
    // A deal that is gone leaves its lead to be converted again, once that is opened.
    block_on(acme.run(&DeleteDeal(made.id))).unwrap();
    assert_eq!(block_on(acme.get(eva.id)).unwrap().deal_id, None);
    assert!(matches!(block_on(acme.run(&convert)), Err(CrmError::Status(_))));
    block_on(acme.run(&MoveLead { id: eva.id, status: LeadStatus::New })).unwrap();
    block_on(acme.run(&convert)).unwrap();
}

#[test]
fn conversions_name_what_is_missing_and_refuse_anothers_deal() {
    let (environment, crm, acme) = world();
    let eva = lead(&acme);
    // The program itself owns nothing.
    let (organization, contact_of) = (acme.organization(), block_on(acme.get(eva.contact_id)).unwrap());
    let system = Context::new(Arc::new(environment), Actor::System, Role::Owner, Arc::new(organization.value));
    let plan = plan_conversion(&ConvertLead::new(eva.id), &eva, &contact_of, None, &[], &system).unwrap();
    assert_eq!(plan.missing, ["owner_id"]);
    let adam = contact(&acme, "Adam");
    let with_adam = CreateDeal::new(edit(&acme, &[("title", "Adam's"), ("contact_id", &adam.to_string())]));
    let with_adam = block_on(acme.run(&with_adam)).unwrap();
    let link = ConvertLead { deal: Some(with_adam.id), ..ConvertLead::new(eva.id) };
    assert!(matches!(block_on(acme.run(&link)), Err(CrmError::Sales(SalesError::OtherContact(_)))));
    let member = block_on(testing::member(&crm, &acme, Role::Member)).unwrap();
    assert_eq!(code(block_on(member.run(&ConvertLead::new(eva.id)))), ErrorCode::NotFound);
    block_on(acme.run(&AssignLead { id: eva.id, assignee: Some(member.user().id) })).unwrap();
    // The member does not see the contact, but works on the lead.
    let closed = block_on(member.run(&ConvertLead::new(eva.id))).unwrap();
    assert_eq!(block_on(member.get(closed.deal_id.unwrap())).unwrap().owner_id, member.user().id);
}

#[test]
fn many_conversions_have_an_outcome_each() {
    let (_, _, acme) = world();
    let (one, two) = (lead(&acme), lead(&acme));
    block_on(acme.run(&MoveLead { id: two.id, status: LeadStatus::Discarded })).unwrap();
    let commands = [one.id, two.id, one.id].map(ConvertLead::new);
    let told: Vec<_> = block_on(acme.convert_leads(&commands))
        .into_iter()
        .map(|outcome| outcome.map_or_else(|error| error.code().as_str(), |lead| lead.status.as_str()))
        .collect();
    assert_eq!(told, ["closed", "rule", "rule"]);
}

#[test]
fn tags_are_made_put_on_found_by_and_taken_off() {
    let (_, crm, acme) = world();
    let (eva, big) = (lead(&acme), deal(&acme, "1"));
    let tag = |name: &str, record| block_on(acme.run(&AddTag { tag: name.parse().unwrap(), record }));
    let first = tag("Été", Tagged::Deal(big.id)).unwrap();
    let before = entries(&acme);
    assert_eq!(tag("ETE", Tagged::Deal(big.id)).unwrap(), first, "names are folded");
    assert_eq!(entries(&acme), before);
    assert_eq!(tag("été", Tagged::Lead(eva.id)).unwrap().tag_id, first.tag_id);
    tag("été", Tagged::Contact(eva.contact_id)).unwrap();
    assert_eq!(block_on(acme.count(&Query::<Tag>::all())).unwrap(), 1);
    assert_eq!(block_on(acme.list(&Query::new(Tag::on_deals("ÉTÉ")))).unwrap().items[0].id, big.id);
    assert_eq!(block_on(acme.list(&Query::new(Tag::on_leads("été")))).unwrap().items[0].id, eva.id);
    assert_eq!(block_on(acme.count(&Query::new(Tag::on_contacts("été")))).unwrap(), 1);
    assert_eq!(block_on(acme.count(&Query::new(Tag::on_contacts("hiver")))).unwrap(), 0);
    assert_eq!(block_on(acme.count(&Query::new(!Tag::on_leads("été")))).unwrap(), 0);
    assert_eq!(code(block_on(acme.delete(first.tag_id))), ErrorCode::Conflict);
    let member = block_on(testing::member(&crm, &acme, Role::Member)).unwrap();
    let add = AddTag { tag: "hiver".parse().unwrap(), record: Tagged::Deal(big.id) };
    assert_eq!(code(block_on(member.run(&add))), ErrorCode::NotFound);
    assert_eq!(block_on(member.count(&Query::new(Filter::<crm_core::sales::Tagging>::all()))).unwrap(), 0);
    let remove = RemoveTag { tag: "été".parse().unwrap(), record: Tagged::Deal(big.id) };
    block_on(acme.run(&remove)).unwrap();
    assert!(matches!(block_on(acme.run(&remove)), Err(CrmError::Sales(SalesError::NotTagged(_)))));
}

#[test]
fn every_state_event_and_role_does_what_the_machines_say() {
    block_on(testing::machines::every_move(&testing::crm(MemoryStore::new(), 1))).unwrap();
}
