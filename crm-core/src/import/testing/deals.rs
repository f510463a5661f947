//! Deals, their history, and what becomes of them in later files.

use super::super::{Import, ImportKind, Mapping};
use super::{count, counts, entries, fields, file, mapping, places};
use crate::access::{AddMember, Role};
use crate::audit::AuditEntry;
use crate::entity::Stored;
use crate::people::Contact;
use crate::sales::{CreatePipeline, Deal, DealStatus, NewStage, Stage, StageChange};
use crate::store::Query;
use crate::value::Decimal6;
use crate::{Crm, Session};

fn deals(text: &str) -> Import {
    file(ImportKind::Deals, text)
}

fn keyed(text: &str) -> Import {
    Import { upsert_by: Some("external_id".to_owned()), ..deals(text) }
}

/// Two companies of nearly the same name and one of its own, and three products, two with the same name.
async fn companies_and_products(session: &Session<'_>) {
    let companies = "kind,company_name,external_id\ncompany,Acme Ltd,a1\ncompany,ACME  LTD,a2\ncompany,Öl & Söhne,a3\n";
    assert_eq!(session.import(file(ImportKind::Contacts, companies)).await.unwrap().created, 3);
    let products = "name,sku,unit_price\nChair,C1,1\nChair,C2,1\nTable,T1,1\n";
    assert_eq!(session.import(file(ImportKind::Products, products)).await.unwrap().created, 3);
}

async fn deal(session: &Session<'_>, external_id: &str) -> Stored<Deal> {
    session.find::<Deal>(external_id).await.unwrap()
}

/// The steps of a deal: stage, status and day in UTC of each, whether it was imported, and how long the visit was.
async fn steps(session: &Session<'_>, external_id: &str) -> Vec<String> {
    let id = deal(session, external_id).await.id;
    let columns = StageChange::COLUMNS;
    let query = Query::new(columns.deal_id.eq(&id)).ascending(columns.at);
    let mut steps = Vec::new();
    for step in session.list(&query).await.unwrap().items {
        let stage = session.get::<Stage>(step.to_stage_id).await.unwrap();
        let days = step.visit_seconds.map(|seconds| format!(" after {} days", seconds / 86_400)).unwrap_or_default();
        let imported = if step.imported { "" } else { " here" };
        steps.push(format!("{} {} on {}{days}{imported}", stage.name, step.to_status, &step.at.to_string()[..10]));
    }
    steps
}

pub(super) async fn deals_come_with_their_history(crm: &Crm, session: &Session<'static>) {
    companies_and_products(session).await;
    let member = crate::testing::member(crm, session, Role::Member).await.unwrap();
    let text = "external_id,title,contact_name,product_sku,owner_name,stage,status,amount,currency,opened_on,closed_on,expected_close_on,lost_reason\n\
        d1,,ol & SOHNE,T1,the MEMBER,proposal,won,1000.50,,2025-12-31,2026-01-31,,given for all\n\
        d2,Big one,,,,lead,lost,,EUR,2026-01-01,2026-02-01,,too dear\n\
        d3,,,T1,,Qualification,in_progress,20,,2026-03-08,,2026-09-01,given for all\n\
        d4,Fresh,,,,,,,,,,,\n";
    let report = session.import(deals(text)).await.unwrap();
    assert_eq!(counts(&report), (4, 0, 0, 0, true), "{report:?}");
    let won = deal(session, "d1").await;
    assert_eq!((won.title.as_str(), won.status, won.amount.0), ("Öl & Söhne: Table", DealStatus::Won, 100_050));
    assert_eq!((won.owner_id, won.version), (member.user().id, 1));
    assert_eq!(won.opened_at.to_string(), "2025-12-31T05:00:00.000000Z", "midnight in New York");
    assert_eq!(won.closed_at.map(|at| at.to_string()).as_deref(), Some("2026-01-31T05:00:00.000000Z"));
    assert_eq!((won.stage_entered_at, &won.lost_reason), (won.opened_at, &None));
    let expected = ["proposal in_progress on 2025-12-31", "proposal won on 2026-01-31 after 31 days"];
    assert_eq!(steps(session, "d1").await, expected);
    let lost = deal(session, "d2").await;
    assert_eq!((lost.currency.code(), lost.amount.0, lost.lost_reason.as_deref()), ("EUR", 0, Some("too dear")));
    assert_eq!(lost.owner_id, session.user().id);
    let open = deal(session, "d3").await;
    assert_eq!((open.title.as_str(), open.status, open.closed_at), ("Table", DealStatus::InProgress, None));
    assert_eq!(open.expected_close_on.map(|day| day.to_string()).as_deref(), Some("2026-09-01"));
    assert_eq!(steps(session, "d3").await, ["qualification in_progress on 2026-03-08"]);
    let fresh = deal(session, "d4").await;
    assert_eq!((fresh.status, fresh.opened_at), (DealStatus::New, fresh.created_at));
    assert_eq!(steps(session, "d4").await, ["lead new on 2026-06-15"]);
    // The audit says where they come from.
    let imported = AuditEntry::COLUMNS.command.eq(&"deal.import".to_owned());
    assert_eq!(session.count(&Query::new(imported)).await.unwrap(), 4 + 6);
    assert_eq!(session.verify(None).await.unwrap().problems, 0);
    // What is not written, and headers that do not fit.
    let dry = Import { dry_run: true, ..deals("title\nOne\n") };
    assert_eq!(counts(&session.import(dry).await.unwrap()), (1, 0, 0, 0, false));
    assert_eq!(count::<Deal>(session).await, 4);
    assert_eq!(places(&session.import(deals(text)).await.unwrap()).len(), 4, "the ids are taken");
    assert_eq!(fields(session.import(deals("title,contact,contact_name\n")).await), ["columns.contact_name"]);
    assert_eq!(fields(session.import(deals("title,owner,owner_name\n")).await), ["columns.owner_name"]);
    assert_eq!(fields(session.import(deals("title,opened_on,opened_at\n")).await), ["columns.opened_at"]);
    assert_eq!(fields(session.import(deals("amount\n")).await), ["columns.title"]);
    assert_eq!(fields(session.import(keyed("title\n")).await), ["columns.external_id"]);
}

pub(super) async fn deals_that_are_there_follow_the_file(crm: &Crm, session: &Session<'static>) {
    let header = "external_id,title,stage,status,amount,opened_on,closed_on,lost_reason\n";
    let first = format!(
        "{header}u1,A,lead,new,10,2026-01-05,,\nu2,B,qualification,in_progress,10,2026-01-05,,\nu3,C,lead,new,10,,,\n\
         u4,D,proposal,won,10,2026-01-05,2026-02-05,\n"
    );
    assert_eq!(counts(&session.import(keyed(&first)).await.unwrap()), (4, 0, 0, 0, true));
    let before = entries(session).await;
    assert_eq!(counts(&session.import(keyed(&first)).await.unwrap()), (0, 0, 4, 0, true));
    assert_eq!(entries(session).await, before);

    let changed = format!(
        "{header}u1,A,proposal,won,12,2026-01-05,2026-03-05,\nu2,B,qualification,lost,10,2026-01-05,2026-03-06,no budget\n\
         u3,,qualification,in_progress,10,2026-01-02,,\nu4,D,proposal,won,11,,,\n"
    );
    for expected in [(0, 4, 0, 0, true), (0, 0, 4, 0, true)] {
        let report = session.import(keyed(&changed)).await.unwrap();
        assert_eq!(counts(&report), expected, "{report:?}");
        let warnings: Vec<_> = report.warnings.iter().map(|told| (told.line, &*told.field, &*told.got)).collect();
        assert_eq!(warnings, [(4, "opened_on", "2026-01-02")]);
    }
    let expected = [
        "lead new on 2026-01-05",
        "proposal in_progress on 2026-03-05 after 59 days",
        "proposal won on 2026-03-05 after 0 days",
    ];
    assert_eq!(steps(session, "u1").await, expected);
    assert_eq!(steps(session, "u2").await[1], "qualification lost on 2026-03-06 after 60 days");
    let expected = ["lead new on 2026-06-15", "qualification in_progress on 2026-06-15 after 0 days"];
    assert_eq!(steps(session, "u3").await, expected);
    let late = deal(session, "u4").await;
    assert_eq!((late.amount.0, late.version, steps(session, "u4").await.len()), (1_100, 2, 2));

    let stages = vec![NewStage { name: "only".parse().unwrap(), probability: Decimal6::ZERO }];
    session.run(&CreatePipeline { name: "Other".parse().unwrap(), stages }).await.unwrap();
    for (text, expected) in [
        ("external_id,status,lost_reason\nu4,lost,x\n", vec![(2, "status")]),
        ("external_id,stage\nu4,lead\n", vec![(2, "stage")]),
        ("external_id,status,closed_on\nu4,won,2026-02-06\n", vec![(2, "closed_on")]),
        ("external_id,status,lost_reason\nu2,lost,other\n", vec![(2, "lost_reason")]),
        ("external_id,amount\nu4,0\n", vec![(2, "amount")]),
        ("external_id,status\nu3,new\n", vec![(2, "status")]),
        ("external_id,status,closed_on\nu3,won,2026-06-01\n", vec![(2, "closed_on")]),
        ("external_id,status,closed_at\nu3,won,2026-06-01T00:00:00Z\n", vec![(2, "closed_at")]),
        ("external_id,status\nu3,lost\n", vec![(2, "lost_reason")]),
        ("external_id,pipeline\nu3,other\n", vec![(2, "pipeline")]),
        ("external_id,title\nu3,C\nu3,D\n", vec![(3, "external_id")]),
        ("external_id,title\n,C\n", vec![(2, "external_id")]),
    ] {
        let report = session.import(keyed(text)).await.unwrap();
        assert_eq!(places(&report), expected, "{text}{report:?}");
    }
    // A new deal that goes to another stage is new no longer.
    let text = "external_id,title,stage,status\nu5,E,lead,new\n";
    assert_eq!(session.import(keyed(text)).await.unwrap().created, 1);
    let report = session.import(keyed(&text.replace("lead", "proposal"))).await.unwrap();
    assert_eq!(places(&report), [(2, "status")]);
    assert_eq!(session.import(keyed("external_id,stage\nu5,proposal\n")).await.unwrap().updated, 1);
    assert_eq!(deal(session, "u5").await.status, DealStatus::InProgress);

    // Managers import what is, admins also what was.
    let manager = crate::testing::member(crm, session, Role::Manager).await.unwrap();
    let back = "external_id,stage\nu3,lead\n";
    assert_eq!(places(&manager.import(keyed(back)).await.unwrap()), [(2, "stage")]);
    let dated = "external_id,title,status,amount,opened_on,closed_on\nm1,M,won,5,2026-06-01,2026-06-02\n";
    let report = manager.import(keyed(dated)).await.unwrap();
    assert_eq!(places(&report), [(2, "opened_on"), (2, "closed_on")]);
    assert_eq!(report.problems[0].reason, "is not allowed when the role may not import history");
    let text = "external_id,title,status,amount\nm1,M,won,5\nm2,N,new,\n";
    assert_eq!(counts(&manager.import(keyed(text)).await.unwrap()), (2, 0, 0, 0, true));
    let admin = crate::testing::member(crm, session, Role::Admin).await.unwrap();
    assert_eq!(counts(&admin.import(keyed(back)).await.unwrap()), (0, 1, 0, 0, true));
    let text = format!("{header}x1,X,lead,won,1,2020-02-29,2020-03-01,\n");
    assert_eq!(counts(&admin.import(keyed(&text)).await.unwrap()), (1, 0, 0, 0, true));
}

pub(super) async fn broken_deals_are_named(_: &Crm, session: &Session<'static>) {
    companies_and_products(session).await;
    let header =
        "external_id,title,contact,product_name,owner,pipeline,stage,status,amount,opened_on,closed_on,lost_reason";
    let cases = [
        ("b1,X,nobody@x.example,,,,,,,,,", "contact", "there is no contact nobody@x.example"),
        ("b2,X,,chair,,,,,,,,", "product_name", "several records answer to it"),
        ("b3,X,,,ghost@x.example,,,,,,,", "owner", "there is no member ghost@x.example"),
        ("b4,X,,,,Nowhere,,,,,,", "pipeline", "there is no pipeline Nowhere"),
        ("b5,X,,,,,nowhere,,,,,", "stage", "there is no stage nowhere"),
        ("b6,X,,,,,,maybe,,,,", "status", "unknown value \"maybe\""),
        ("b7,X,,,,,,won,0,2026-01-01,2026-01-02,", "amount", "must be more than zero"),
        ("b8,X,,,,,,lost,1,2026-01-01,2026-01-02,", "lost_reason", "must not be blank"),
        ("b9,X,,,,,,won,1,2026-01-03,2026-01-02,", "closed_on", "the deal began later"),
        ("b10,X,,,,,,won,1,2026-01-01,2026-12-01,", "closed_on", "it lies ahead"),
        ("b11,X,,,,,,new,1,2027-01-01,,", "opened_on", "it lies ahead"),
        ("b12,X,,,,,,new,1,2026-01-01,2026-01-02,", "closed_on", "the deal is open"),
        ("b13,X,,,,,,won,1,,2026-01-02,", "opened_on", "must not be blank"),
        ("b14,,,,,,,,1,,,", "title", "must not be blank"),
        ("b15,X,,,,,,,-1,,,", "amount", "must not be negative"),
        ("b16,X,,,,,,,1,20-10-16,,", "opened_on", "expected a date"),
        ("b17,X,,,,,,,1.005,,,", "amount", "decimal places"),
        ("b18,X,,,,,,,,,,", "", ""),
        ("b18,X,,,,,,,,,,", "external_id", "was given before, in line 19"),
    ];
    let rows: Vec<&str> = cases.iter().map(|(row, ..)| *row).collect();
    let text = format!("{header}\n{}\n", rows.join("\n"));
    let before = entries(session).await;
    let report = session.import(deals(&text)).await.unwrap();
    assert_eq!(counts(&report), (1, 0, 0, 18, false), "{report:?}");
    let wrong = (2..).zip(cases).filter(|(_, (_, field, _))| !field.is_empty());
    let expected: Vec<(u64, &str)> = wrong.clone().map(|(line, (_, field, _))| (line, field)).collect();
    assert_eq!(places(&report), expected);
    for (problem, (_, (.., reason))) in report.problems.iter().zip(wrong) {
        assert!(problem.reason.contains(reason), "{problem:?}");
    }
    assert_eq!((count::<Deal>(session).await, entries(session).await), (0, before));
    let report = session.import(Import { skip_refused: true, ..deals(&text) }).await.unwrap();
    assert_eq!(counts(&report), (1, 0, 0, 18, true));
    assert_eq!(count::<StageChange>(session).await, 1);
    // Names that several have.
    let report = session.import(deals("title,contact_name\nX,acme ltd\nX,nobody\n")).await.unwrap();
    assert_eq!(places(&report), [(2, "contact_name"), (3, "contact_name")]);
    for name in ["one", "two"] {
        let email = format!("{name}@{}.example", session.organization().slug);
        let (email, full_name) = (email.parse().unwrap(), "Same Name".parse().ok());
        session.run(&AddMember { email, full_name, role: Role::Member }).await.unwrap();
    }
    let report = session.import(deals("title,owner_name\nX,same name\nX,Nobody\n")).await.unwrap();
    assert_eq!(places(&report), [(2, "owner_name"), (3, "owner_name")]);
    // Dates in two formats, and one that each reads differently.
    let formats = ["%d-%m-%y", "%m-%d-%y"].map(str::to_owned).to_vec();
    let dated =
        |text| Import { mapping: Mapping { date_format: formats.clone(), ..Mapping::default() }, ..deals(text) };
    let report = session.import(dated("title,opened_on\nA,20-10-16\nB,10-20-16\nC,07-07-17\n")).await.unwrap();
    assert_eq!(counts(&report), (3, 0, 0, 0, true), "{report:?}");
    let report = session.import(dated("title,opened_on\nA,01-02-17\n")).await.unwrap();
    assert_eq!(places(&report), [(2, "opened_on")]);
    // A company's name names the contact of other documents too.
    let import = file(ImportKind::Payments, "contact_name,amount,received_on\nol & sohne,5,2026-01-10\n");
    assert_eq!(session.import(import).await.unwrap().created, 1);
    assert_eq!(count::<Contact>(session).await, 3);
    let other = mapping(&[("title", "What")], &[("lost_reason", "unknown"), ("status", "lost")]);
    let report = session.import(Import { mapping: other, ..deals("What\nChairs\n") }).await.unwrap();
    assert_eq!(counts(&report), (1, 0, 0, 0, true), "closed now: {report:?}");
}
