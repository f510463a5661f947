//! The statements that matter find their index.

#![allow(clippy::unwrap_used, reason = "these are tests")]

use crm_core::Id;
use crm_core::activity::{Interaction, Task};
use crm_core::audit::AuditEntry;
use crm_core::billing::{Invoice, InvoiceLine, InvoiceStatus};
use crm_core::entity::Entity as _;
use crm_core::people::Contact;
use crm_core::row::Value;
use crm_core::sales::{Deal, StageChange};
use crm_core::store::{Aggregate, Direction, Expr, Filter, Group, Measure, Order, Query, Scope, Select};
use crm_core::value::Instant;
use crm_sql::{Dialect, Statement};
use crm_store_sqlite::{SqliteOptions, SqliteStore};
use uuid::Uuid;

fn plan(statement: &Statement) -> String {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("crm.db");
    SqliteStore::open(path.to_str().unwrap(), SqliteOptions::default()).unwrap();
    let connection = rusqlite::Connection::open(path).unwrap();
    let mut prepared = connection.prepare(&format!("EXPLAIN QUERY PLAN {}", statement.sql)).unwrap();
    let lines = prepared.raw_query().mapped(|row| row.get::<_, String>(3)).collect::<Result<Vec<_>, _>>();
    lines.unwrap().join("\n")
}

fn selected(query: &Select) -> String {
    plan(&crm_sql::select(Dialect::Sqlite, Scope::for_tests(1), query).unwrap())
}

#[test]
fn a_record_is_found_by_its_key() {
    let ids = [Uuid::from_u128(1)];
    let found = plan(&crm_sql::fetch(Dialect::Sqlite, Scope::for_tests(1), Contact::TABLE, &ids).unwrap());
    assert_eq!(found, "SEARCH t0 USING INDEX sqlite_autoindex_crm_contact_1 (org=? AND id=?)");
    let found = plan(&crm_sql::fetch(Dialect::Sqlite, Scope::for_tests(1), Invoice::TABLE, &ids).unwrap());
    assert_eq!(found, "SEARCH t0 USING PRIMARY KEY (org=? AND id=?)");
}

#[test]
fn pages_need_no_sorting_and_go_on_from_their_place() {
    let id = Value::Id(Uuid::from_u128(1));
    let mut query = Query::<Contact>::all().to_select().unwrap();
    assert_eq!(selected(&query), "SEARCH t0 USING INDEX sqlite_autoindex_crm_contact_1 (org=?)");
    query.after = Some(vec![id.clone()]);
    assert_eq!(selected(&query), "SEARCH t0 USING INDEX sqlite_autoindex_crm_contact_1 (org=? AND id>?)");
    for query in [Query::all().ascending(Contact::COLUMNS.name_key), Query::all().descending(Contact::COLUMNS.name_key)]
    {
        let mut query = query.to_select().unwrap();
        assert_eq!(selected(&query), "SEARCH t0 USING INDEX crm_contact_name_key (org=?)");
        query.after = Some(vec![Value::Text("ana".into()), id.clone()]);
        let found = selected(&query);
        assert!(found.starts_with("SEARCH t0 USING INDEX crm_contact_name_key (org=? AND (name_key,id)"), "{found}");
        assert!(!found.contains("TEMP B-TREE"), "{found}");
    }
}

#[test]
fn natural_keys_and_the_audits_chain_find_the_indexes_that_leave_absent_values_out() {
    let numbered = Select::new(Invoice::TABLE, Invoice::COLUMNS.number.eq(&"INV-1".parse().ok()).into());
    let found = selected(&numbered);
    assert!(found.contains("crm_invoice_number (org=? AND number=?)"), "{found}");
    let columns = AuditEntry::COLUMNS;
    let order = Order { column: columns.seq.index(), direction: Direction::Ascending };
    let mut chain = Select::new(AuditEntry::TABLE, (!columns.seq.is_null()).into_expr()).ordered(&[order]).limited(9);
    chain.after = Some(vec![Value::Int(5), Value::Id(Uuid::from_u128(1))]);
    assert_eq!(selected(&chain), "SEARCH t0 USING INDEX crm_audit_entry_seq (org=? AND (seq,id)>(?,?))");
}

#[test]
fn prefixes_references_and_words_find_their_index() {
    let starts =
        Select { order: Vec::new(), ..Select::new(Contact::TABLE, Contact::COLUMNS.name_key.starts_with("a").into()) };
    let found = selected(&starts);
    assert!(found.contains("crm_contact_name_key (org=? AND name_key>? AND name_key<?)"), "{found}");
    let lines =
        Select::new(InvoiceLine::TABLE, InvoiceLine::COLUMNS.invoice_id.eq(&Id::new(Uuid::from_u128(1))).into());
    let found = selected(&lines);
    assert!(found.contains("crm_invoice_line_position (org=? AND invoice_id=?)"), "{found}");
    let theirs = Query::new(Invoice::COLUMNS.contact_id.eq(&Id::new(Uuid::from_u128(1)))).to_select().unwrap();
    let found = selected(&theirs);
    assert!(found.contains("crm_invoice_contact (org=? AND contact_id=?)"), "{found}");
    let words = Query::new(Filter::<Contact>::search("ana")).to_select().unwrap();
    let found = selected(&words);
    assert!(found.contains("SEARCH t0 USING INTEGER PRIMARY KEY (rowid=?)"), "{found}");
}

#[test]
fn totals_come_from_a_covering_index_in_its_order() {
    let columns = Invoice::COLUMNS;
    let query = Aggregate::new(Invoice::TABLE, Expr::True)
        .by(Group::Value(columns.currency.operand()))
        .by(Group::Value(columns.status.operand()))
        .measure(Measure::Count)
        .measure(Measure::Sum(columns.total.operand()));
    let found = plan(&crm_sql::aggregate(Dialect::Sqlite, Scope::for_tests(1), &query).unwrap());
    assert_eq!(found, "SEARCH t0 USING COVERING INDEX crm_invoice_totals (org=?)");
    let open: Expr = columns.status.eq(&InvoiceStatus::Open).into();
    let query = Aggregate::new(Invoice::TABLE, open).measure(Measure::Sum(columns.balance.operand()));
    let found = plan(&crm_sql::aggregate(Dialect::Sqlite, Scope::for_tests(1), &query).unwrap());
    assert!(!found.contains("SCAN"), "{found}");
}

#[test]
fn a_members_open_deals_by_amount_are_a_walk_along_their_index() {
    let columns = Deal::COLUMNS;
    let mine = columns.owner_id.eq(&Id::new(Uuid::from_u128(1))) & columns.is_open.eq(&true);
    let mut query = Query::new(mine).descending(columns.amount).to_select().unwrap();
    let found = selected(&query);
    assert_eq!(found, "SEARCH t0 USING INDEX crm_deal_owner_id (org=? AND owner_id=? AND is_open=?)");
    query.after = Some(vec![Value::Int(1_000), Value::Id(Uuid::from_u128(1))]);
    let found = selected(&query);
    assert!(found.contains("crm_deal_owner_id (org=? AND owner_id=? AND is_open=? AND (amount,id)"), "{found}");
    assert!(!found.contains("TEMP B-TREE"), "{found}");
    let query = Query::new(columns.is_open.eq(&true)).descending(columns.amount).to_select().unwrap();
    assert_eq!(selected(&query), "SEARCH t0 USING INDEX crm_deal_amount (org=? AND is_open=?)");
}

#[test]
fn funnel_velocity_and_totals_of_deals_are_read_from_indexes_alone() {
    let columns = StageChange::COLUMNS;
    let velocity = Aggregate::new(StageChange::TABLE, Expr::True)
        .by(Group::Value(columns.from_stage_id.operand()))
        .measure(Measure::Count)
        .measure(Measure::Sum(columns.visit_seconds.operand()));
    let entered = Aggregate::new(StageChange::TABLE, Expr::True)
        .by(Group::Value(columns.to_stage_id.operand()))
        .by(Group::Value(columns.to_status.operand()))
        .measure(Measure::Count)
        .measure(Measure::Min(columns.at.operand()));
    let deal = Deal::COLUMNS;
    let funnel = Aggregate::new(Deal::TABLE, deal.archived_at.is_null().into())
        .by(Group::Value(deal.stage_id.operand()))
        .by(Group::Value(deal.status.operand()))
        .by(Group::Value(deal.currency.operand()))
        .measure(Measure::Count)
        .measure(Measure::Sum(deal.amount.operand()));
    let totals = Aggregate::new(Deal::TABLE, deal.archived_at.is_null().into())
        .by(Group::Value(deal.currency.operand()))
        .by(Group::Value(deal.status.operand()))
        .measure(Measure::Count)
        .measure(Measure::Sum(deal.amount.operand()));
    for (query, index) in [
        (velocity, "crm_stage_change_left"),
        (entered, "crm_stage_change_entered"),
        (funnel, "crm_deal_stage"),
        (totals, "crm_deal_totals"),
    ] {
        let found = plan(&crm_sql::aggregate(Dialect::Sqlite, Scope::for_tests(1), &query).unwrap());
        assert!(found.contains(&format!("COVERING INDEX {index} ")), "{index}: {found}");
        assert!(!found.contains("TEMP B-TREE FOR GROUP BY"), "{index}: {found}");
    }
}

#[test]
fn a_page_of_a_timeline_is_a_walk_of_an_index_in_every_source() {
    let contact = Some(Id::new(Uuid::from_u128(1)));
    let place = vec![Value::Instant(Instant::EPOCH), Value::Id(Uuid::max())];
    let interactions = Query::new(Interaction::COLUMNS.contact_id.eq(&contact));
    let tasks = Query::new(Task::COLUMNS.contact_id.eq(&contact));
    let changes = Query::new(AuditEntry::COLUMNS.record_id.eq(&Uuid::from_u128(1)));
    let steps = Query::new(StageChange::COLUMNS.deal_id.eq(&Id::new(Uuid::from_u128(1))));
    let sources = [
        (
            interactions.descending(Interaction::COLUMNS.occurred_at).to_select().unwrap(),
            "crm_interaction_contact (org=? AND contact_id=? AND (occurred_at,id)<(?,?))",
        ),
        (
            tasks.descending(Task::COLUMNS.created_at).to_select().unwrap(),
            "crm_task_contact (org=? AND contact_id=? AND (created_at,id)<(?,?))",
        ),
        (
            changes.descending(AuditEntry::COLUMNS.at).to_select().unwrap(),
            "crm_audit_entry_record (org=? AND record_id=? AND (at,id)<(?,?))",
        ),
        (
            steps.descending(StageChange::COLUMNS.at).to_select().unwrap(),
            "crm_stage_change_deal_id (org=? AND deal_id=? AND (at,id)<(?,?))",
        ),
    ];
    for (source, index) in sources {
        let found = selected(&Select { after: Some(place.clone()), ..source.clone() });
        assert_eq!(found, format!("SEARCH t0 USING INDEX {index}"));
        let first = selected(&source);
        assert!(!first.contains("TEMP B-TREE"), "{first}");
    }
}
