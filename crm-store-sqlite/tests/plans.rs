//! The statements that matter find their index.

#![allow(clippy::unwrap_used, reason = "these are tests")]

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use crm_core::access::{NewKey, Role};
use crm_core::activity::{Interaction, Task};
use crm_core::audit::AuditEntry;
use crm_core::billing::{Invoice, InvoiceLine, InvoiceStatus};
use crm_core::entity::{Entity as _, Table};
use crm_core::people::Contact;
use crm_core::report::{
    AgeingOptions, CaseReportOptions, CohortOptions, DealTotalsOptions, ForecastOptions, FunnelOptions,
    LeadCountsOptions, SummaryOptions, VelocityOptions,
};
use crm_core::row::{Row, Value};
use crm_core::sales::{Deal, Stage, StageChange};
use crm_core::service::{Case, CaseEvent};
use crm_core::store::{
    Aggregate, Applied, ChangeSet, Direction, Expr, Filter, Group, Measure, MemoryStore, Order, Query, Scope, Select,
    Store, StoreError,
};
use crm_core::testing::logins::{PASSWORD, World};
use crm_core::value::Instant;
use crm_core::{Id, Session, testing};
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

/// What a report asks of its store.
fn asked(report: impl AsyncFnOnce(&Session<'_>)) -> Vec<Aggregate> {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let crm = testing::crm(Spy { asked: Arc::clone(&asked), ..Spy::default() }, 1);
    crm_core::block_on(async {
        let session = testing::organization(&crm, "here").await.unwrap();
        asked.lock().unwrap().clear();
        report(&session).await;
    });
    let mut asked = asked.lock().unwrap();
    asked.drain(..).filter(|query| *query.table != *Stage::TABLE).collect()
}

/// A store that notes what figures and rows it is asked for.
#[derive(Default)]
struct Spy {
    store: MemoryStore,
    asked: Arc<Mutex<Vec<Aggregate>>>,
    selected: Arc<Mutex<Vec<Select>>>,
}

#[async_trait]
impl Store for Spy {
    async fn fetch(&self, scope: Scope, table: &'static Table, ids: &[Uuid]) -> Result<Vec<Row>, StoreError> {
        self.store.fetch(scope, table, ids).await
    }

    async fn select(&self, scope: Scope, query: &Select) -> Result<Vec<Row>, StoreError> {
        self.selected.lock().unwrap().push(query.clone());
        self.store.select(scope, query).await
    }

    async fn aggregate(&self, scope: Scope, queries: &[Aggregate]) -> Result<Vec<Vec<Row>>, StoreError> {
        self.asked.lock().unwrap().extend(queries.iter().cloned());
        self.store.aggregate(scope, queries).await
    }

    async fn apply(&self, scope: Scope, changes: ChangeSet) -> Result<Applied, StoreError> {
        self.store.apply(scope, changes).await
    }
}

#[test]
fn what_a_credential_rests_on_is_found_by_keys() {
    let rows = Arc::default();
    let world = World::new(Spy { selected: Arc::clone(&rows), ..Spy::default() });
    let sessions = crm_core::block_on(async {
        let owner = testing::organization(&world.crm, "here").await.unwrap();
        world.crm.set_password(&owner.user().email, &PASSWORD.into()).await.unwrap();
        let signed = world.login("here", "owner@here.example", PASSWORD).await.unwrap();
        let new = NewKey::new("key".parse().unwrap(), Role::Owner, "*.read".parse().unwrap());
        let key = owner.create_key(&new).await.unwrap();
        let token = world.crm.session_with_token(signed.access.expose()).await.unwrap();
        [token, world.crm.session_with_key(&key.text).await.unwrap()]
    });
    let user = "SEARCH t0 USING PRIMARY KEY (org=? AND id=?)\nSEARCH t1 EXISTS USING PRIMARY KEY (id=?)";
    for (session, credential) in sessions.iter().zip(["id=?", "org=? AND id=?"]) {
        rows.lock().unwrap().clear();
        crm_core::block_on(session.get(session.organization().id)).unwrap();
        let found = selected(&rows.lock().unwrap()[0]);
        assert_eq!(found, format!("{user}\nSEARCH t2 EXISTS USING PRIMARY KEY ({credential})"));
    }
}

/// The invoices, payments and credit notes are walked in the order of the groups, without a look at the rows; what
/// happened since the day is looked up by its day: for the present that is nothing.
#[test]
fn the_reports_of_billing_are_read_from_indexes() {
    let per_contact = SummaryOptions { per_contact: true, ..SummaryOptions::default() };
    let totals = asked(async |session| drop(session.summary(&SummaryOptions::default()).await.unwrap()));
    let contacts = asked(async |session| drop(session.summary(&per_contact).await.unwrap()));
    let ageing = asked(async |session| drop(session.ageing(&AgeingOptions::default()).await.unwrap()));
    let later = "INDEX crm_allocation_applied_on (org=? AND applied_on>?)";
    for (query, expected, ordered) in [
        (&totals[1], "COVERING INDEX crm_invoice_totals (org=?", true),
        (&totals[2], later, false),
        (&totals[3], "COVERING INDEX crm_payment_totals (org=?", true),
        (&totals[4], "COVERING INDEX crm_credit_note_totals (org=?", true),
        (&totals[5], later, false),
        (&totals[6], "INDEX crm_refund_refunded_on (org=? AND refunded_on>?)", false),
        (&contacts[1], "COVERING INDEX crm_invoice_contact (org=?", true),
        (&contacts[3], "COVERING INDEX crm_payment_contact (org=?", true),
        (&contacts[4], "COVERING INDEX crm_credit_note_contact (org=?", true),
        (&ageing[0], "COVERING INDEX crm_invoice_open (org=? AND open_until>?)", true),
        (&ageing[1], later, false),
    ] {
        let found = plan(&crm_sql::aggregate(Dialect::Sqlite, Scope::for_tests(1), query).unwrap());
        assert!(found.contains(expected), "{expected}: {found}");
        assert!(!ordered || !found.contains("TEMP B-TREE FOR GROUP BY"), "{expected}: {found}");
    }
}

/// The figures as of now, as a manager sees them. What left a stage since then is looked up by its time: for the present
/// that is nothing. Only what no index can order is sorted: how far deals came, and the currencies of those last ones.
#[test]
fn the_reports_of_sales_are_read_from_indexes() {
    let leads = asked(async |session| drop(session.lead_counts(&LeadCountsOptions::default()).await.unwrap()));
    let deals = asked(async |session| drop(session.deal_totals(&DealTotalsOptions::default()).await.unwrap()));
    let funnel = asked(async |session| drop(session.funnel(&FunnelOptions::default()).await.unwrap()));
    let cohort = asked(async |session| drop(session.cohort(&CohortOptions::default()).await.unwrap()));
    let forecast = asked(async |session| drop(session.forecast(&ForecastOptions::default()).await.unwrap()));
    let velocity = asked(async |session| drop(session.velocity(&VelocityOptions::default()).await.unwrap()));
    let in_stage = "COVERING INDEX crm_deal_stage (org=? AND stage_id=? AND is_open=?)";
    let left_since = "INDEX crm_stage_change_left (org=? AND from_stage_id=? AND at>?)";
    let steps = "COVERING INDEX crm_stage_change_deal_id (org=? AND deal_id=?";
    // In the order of the steps' index, so that their pages are read one after the other.
    let by_deal = "COVERING INDEX crm_deal_pipeline_id (org=? AND pipeline_id=?)";
    let of_pipeline = "(org=? AND pipeline_id=?)";
    let of_status = "COVERING INDEX crm_deal_closed (org=? AND pipeline_id=? AND status=?)";
    let closed = "COVERING INDEX crm_deal_closed (org=? AND pipeline_id=? AND status=? AND closed_at<?)";
    let of_month = "INDEX crm_deal_closed (org=? AND pipeline_id=? AND status=? AND closed_at>? AND closed_at<?)";
    let ended = "COVERING INDEX crm_stage_change_left (org=? AND from_stage_id=? AND at<?)";
    for (query, expected, ordered) in [
        (&leads[0], "COVERING INDEX crm_lead_status (org=?)", true),
        (&deals[0], "COVERING INDEX crm_deal_totals (org=?)", true),
        (&funnel[0], in_stage, true),
        (&funnel[1], left_since, false),
        (&funnel[2], steps, false),
        (&funnel[2], by_deal, false),
        (&funnel[3], closed, true),
        (&cohort[0], steps, false),
        (&cohort[0], of_pipeline, false),
        (&cohort[1], of_status, true),
        (&forecast[0], in_stage, true),
        (&forecast[1], left_since, false),
        (&forecast[8], of_month, false),
        (&velocity[0], ended, true),
        (&velocity[1], in_stage, true),
        (&velocity[2], left_since, true),
        (&velocity[3], closed, true),
        (&velocity[4], closed, true),
    ] {
        let found = plan(&crm_sql::aggregate(Dialect::Sqlite, Scope::for_tests(1), query).unwrap());
        assert!(found.contains(expected), "{expected}: {found}");
        assert!(!ordered || !found.contains("TEMP B-TREE FOR GROUP BY"), "{expected}: {found}");
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

/// What is due this week is a walk of an index; so is the report, but for the few open cases, which are sorted.
#[test]
fn cases_that_are_due_and_their_report_are_read_from_indexes() {
    let day = |text: &str| crm_core::value::parse_date(text).unwrap();
    let week = Query::new(Case::due(day("2026-06-15"), day("2026-06-19"))).ascending(Case::COLUMNS.due_on);
    let mut week = week.to_select().unwrap();
    let found = selected(&week);
    assert_eq!(found, "SEARCH t0 USING INDEX crm_case_due (org=? AND open_until=? AND due_on>? AND due_on<?)");
    week.after = Some(vec![Value::Date(day("2026-06-16")), Value::Id(Uuid::from_u128(1))]);
    let found = selected(&week);
    assert!(found.starts_with("SEARCH t0 USING INDEX crm_case_due (org=? AND open_until=? AND"), "{found}");
    assert!(!found.contains("TEMP B-TREE"), "{found}");
    let user = Some(Id::new(Uuid::from_u128(1)));
    let theirs = Query::new(Case::open() & Case::COLUMNS.assignee_id.eq(&user)).ascending(Case::COLUMNS.due_on);
    let found = selected(&theirs.to_select().unwrap());
    assert!(found.contains("crm_case_assignee (org=? AND assignee_id=? AND open_until=?)"), "{found}");
    let steps = Query::new(CaseEvent::COLUMNS.case_id.eq(&Id::new(Uuid::from_u128(1))));
    let found = selected(&steps.ascending(CaseEvent::COLUMNS.at).to_select().unwrap());
    assert_eq!(found, "SEARCH t0 USING INDEX crm_case_event_case_id (org=? AND case_id=?)");

    let report = asked(async |session| drop(session.case_report(&CaseReportOptions::default()).await.unwrap()));
    for (query, expected, ordered) in [
        (&report[0], "COVERING INDEX crm_case_totals (org=?)", true),
        (&report[1], "COVERING INDEX crm_case_answered (org=?)", true),
        (&report[2], "COVERING INDEX crm_case_due (org=? AND open_until>?)", false),
    ] {
        let found = plan(&crm_sql::aggregate(Dialect::Sqlite, Scope::for_tests(1), query).unwrap());
        assert!(found.contains(expected), "{expected}: {found}");
        assert!(!ordered || !found.contains("TEMP B-TREE FOR GROUP BY"), "{expected}: {found}");
    }
}
