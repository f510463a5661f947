//! The sales pipeline sample: companies, products, agents, and their opportunities with two dates each.

use super::super::{Import, ImportKind, Mapping};
use super::{count, counts, entries, file, mapping};
use crate::access::{AddMember, Membership, Role};
use crate::entity::Entity as _;
use crate::people::Contact;
use crate::sales::{CreatePipeline, Deal, DealStatus, NewStage, Stage, StageChange};
use crate::store::{Aggregate, Measure, Operand, Query};
use crate::{Crm, Session};

const ACCOUNTS: &str = include_str!("../../../tests/data/sales-pipeline/accounts.csv");
const PRODUCTS: &str = include_str!("../../../tests/data/sales-pipeline/products.csv");
const TEAMS: &str = include_str!("../../../tests/data/sales-pipeline/sales_teams.csv");
const OPPORTUNITIES: &str = include_str!("../../../tests/data/sales-pipeline/sales_pipeline.csv");

/// Texts of a field and what is read in their place.
fn replace(mapping: &mut Mapping, field: &str, values: &[(&str, &str)]) {
    let values = values.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned())).collect();
    mapping.values.insert(field.to_owned(), values);
}

fn accounts() -> Import {
    let columns = [("external_id", "account"), ("company_name", "account"), ("country", "office_location")];
    let mut mapping = mapping(&columns, &[("kind", "company")]);
    replace(&mut mapping, "country", &[("Philipines", "PH")]);
    Import { mapping, upsert_by: Some("external_id".to_owned()), ..file(ImportKind::Contacts, ACCOUNTS) }
}

fn products() -> Import {
    let columns = [("sku", "product"), ("name", "product"), ("unit_price", "sales_price")];
    Import {
        mapping: mapping(&columns, &[("currency", "USD")]),
        upsert_by: Some("sku".to_owned()),
        ..file(ImportKind::Products, PRODUCTS)
    }
}

fn opportunities(text: &str) -> Import {
    let columns = [
        ("external_id", "opportunity_id"),
        ("owner_name", "sales_agent"),
        ("product_name", "product"),
        ("contact_name", "account"),
        ("stage", "deal_stage"),
        ("status", "deal_stage"),
        ("opened_on", "engage_date"),
        ("closed_on", "close_date"),
        ("amount", "close_value"),
    ];
    let constants = [("pipeline", "Opportunities"), ("currency", "USD"), ("lost_reason", "not recorded")];
    let mut mapping = mapping(&columns, &constants);
    replace(&mut mapping, "product_name", &[("GTXPro", "GTX Pro")]);
    replace(&mut mapping, "stage", &[("Won", "Engaging"), ("Lost", "Engaging")]);
    let statuses = [("Prospecting", "new"), ("Engaging", "in_progress"), ("Won", "won"), ("Lost", "lost")];
    replace(&mut mapping, "status", &statuses);
    mapping.date_format = vec!["%d-%m-%y".to_owned(), "%Y-%m-%d".to_owned()];
    Import { mapping, upsert_by: Some("external_id".to_owned()), ..file(ImportKind::Deals, text) }
}

/// The agents as members, and the pipeline.
async fn prepare(session: &Session<'_>) {
    let slug = &session.organization().slug;
    for line in TEAMS.lines().skip(1) {
        let name = line.split(',').next().unwrap();
        let email = format!("{}@{slug}.example", name.to_lowercase().replace(' ', ".")).parse().unwrap();
        let full_name = name.parse().ok();
        session.run(&AddMember { email, full_name, role: Role::Member }).await.unwrap();
    }
    let stage = |name: &str, percent: u32| NewStage { name: name.parse().unwrap(), probability: percent.into() };
    let stages = vec![stage("Prospecting", 30), stage("Engaging", 63)];
    session.run(&CreatePipeline { name: "Opportunities".parse().unwrap(), stages }).await.unwrap();
    assert_eq!(counts(&session.import(accounts()).await.unwrap()), (85, 0, 0, 0, true));
    assert_eq!(counts(&session.import(products()).await.unwrap()), (7, 0, 0, 0, true));
}

/// How many deals have a status, and what they are worth in cents.
async fn worth(session: &Session<'_>, status: DealStatus) -> (i64, i64) {
    let filter = Deal::COLUMNS.status.eq(&status).into();
    let sum = Measure::Sum(Operand::Column(Deal::COLUMNS.amount.index()));
    let query = Aggregate::new(Deal::TABLE, filter).measure(Measure::Count).measure(sum);
    let row = session.store().aggregate(session.scope(), &[query]).await.unwrap().remove(0).remove(0);
    (row[0].as_int().unwrap(), row[1].as_int().unwrap())
}

pub(super) async fn the_sales_pipeline_is_imported_whole(_: &Crm, session: &Session<'static>) {
    prepare(session).await;
    let report = session.import(opportunities(OPPORTUNITIES)).await.unwrap();
    assert_eq!(counts(&report), (8_800, 0, 0, 0, true), "{:?}", report.problems.first());
    assert_eq!(worth(session, DealStatus::Won).await, (4_238, 1_000_553_400));
    assert_eq!(worth(session, DealStatus::Lost).await, (2_473, 0));
    assert_eq!(worth(session, DealStatus::InProgress).await, (1_589, 0));
    assert_eq!(worth(session, DealStatus::New).await, (500, 0));
    assert_eq!(count::<StageChange>(session).await, 8_800 + 4_238 + 2_473);
    let alone = session.count(&Query::new(Deal::COLUMNS.contact_id.is_null())).await.unwrap();
    assert_eq!((alone, count::<Contact>(session).await, count::<Membership>(session).await), (1_425, 85, 36));
    let first = session.find::<Deal>("1C1I7A6R").await.unwrap();
    assert_eq!((first.title.as_str(), first.amount.0), ("Cancity: GTX Plus Basic", 105_400));
    assert_eq!(first.opened_at.to_string(), "2016-10-20T04:00:00.000000Z");
    assert_eq!(first.closed_at.unwrap().to_string(), "2017-03-01T05:00:00.000000Z");
    assert_eq!(session.get::<Stage>(first.stage_id).await.unwrap().name.as_str(), "Engaging");
    let step =
        session.list(&Query::new(StageChange::COLUMNS.deal_id.eq(&first.id))).await.unwrap().items.pop().unwrap();
    // From midnight to midnight, over a winter time that began: 132 days and an hour.
    assert_eq!((step.visit_seconds, step.imported), (Some(132 * 86_400 + 3_600), true));

    let before = entries(session).await;
    let again = session.import(opportunities(OPPORTUNITIES)).await.unwrap();
    assert_eq!(counts(&again), (0, 0, 8_800, 0, true), "{:?}", again.problems.first());
    assert_eq!(entries(session).await, before);
    // An open deal that is won since.
    let open = OPPORTUNITIES.lines().find(|line| line.contains(",Engaging,")).unwrap();
    let won = open.replace(",Engaging,", ",Won,").replace(",,,Q", ",2017-12-31,77,Q");
    let header = OPPORTUNITIES.lines().next().unwrap();
    let report = session.import(opportunities(&format!("{header}\n{won}\n"))).await.unwrap();
    assert_eq!(counts(&report), (0, 1, 0, 0, true), "{report:?}");
    assert_eq!(worth(session, DealStatus::Won).await, (4_239, 1_000_561_100));
    assert_eq!(entries(session).await, before + 2);
}

pub(super) async fn broken_opportunities_refuse_the_whole_file(_: &Crm, session: &Session<'static>) {
    prepare(session).await;
    let head: Vec<&str> = OPPORTUNITIES.lines().take(60).collect();
    let text = head.join("\n").replace("GTX Plus Basic", "GTX Minus Basic").replace("20-10-16", "20-13-16");
    let report = session.import(opportunities(&text)).await.unwrap();
    assert!(!report.written && report.refused > 2, "{report:?}");
    let wrong = report.problems.iter().all(|problem| match problem.field.as_str() {
        "product_name" => problem.got == "GTX Minus Basic",
        field => field == "opened_on" && problem.got == "20-13-16",
    });
    assert!(wrong, "{report:?}");
    assert_eq!(count::<Deal>(session).await, 0);
}
