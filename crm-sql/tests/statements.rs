//! Every shape of statement, in both dialects.

#![allow(clippy::unwrap_used, reason = "these are tests")]

use std::fmt::Write as _;

use crm_core::access::{Membership, User};
use crm_core::audit::AuditEntry;
use crm_core::billing::{Allocation, Invoice, InvoiceLine, InvoiceStatus, NumberSeries, Payment, Product};
use crm_core::entity::{Entity as _, Kind, Minor};
use crm_core::people::Contact;
use crm_core::row::Value;
use crm_core::schema::TABLES;
use crm_core::store::{
    Aggregate, Bucket, Cmp, Direction, Expr, Filter, Group, Measure, Operand, Order, Scope, Select, Share, StoreError,
};
use crm_core::value::{Date, Instant};
use crm_sql::{Bind, Dialect, Statement};
use uuid::Uuid;

const ORGANIZATION: Scope = Scope::for_tests(12);

fn both(statement: impl Fn(Dialect) -> Result<Statement, StoreError>) -> String {
    let mut out = String::new();
    for dialect in [Dialect::Sqlite, Dialect::Postgres] {
        let statement = statement(dialect).unwrap();
        let sign = if dialect == Dialect::Sqlite { '?' } else { '$' };
        for number in 1..=statement.binds.len() {
            assert!(statement.sql.contains(&format!("{sign}{number}")), "{number} is bound for nothing: {statement:?}");
        }
        let _ = writeln!(out, "{dialect:?}: {}", statement.sql);
        for bind in &statement.binds {
            let _ = writeln!(out, "    {bind:?}");
        }
    }
    out
}

/// What stands after the list of columns.
fn selected(query: &Select) -> String {
    both(|dialect| {
        let mut statement = crm_sql::select(dialect, ORGANIZATION, query)?;
        let from = statement.sql.find(" FROM ").unwrap();
        statement.sql = format!("SELECT …{}", &statement.sql[from..]);
        Ok(statement)
    })
}

fn filtered<E: crm_core::entity::Entity>(filter: Filter<E>) -> String {
    selected(&Select { order: Vec::new(), ..Select::new(E::TABLE, filter.into_expr()) })
}

fn day(day: u32) -> Date {
    Date::from_ymd_opt(2026, 1, day).unwrap()
}

#[test]
fn rows_are_fetched_by_their_ids() {
    let ids: Vec<Uuid> = (1..=3).map(Uuid::from_u128).collect();
    insta::assert_snapshot!("fetch", both(|dialect| crm_sql::fetch(dialect, ORGANIZATION, Product::TABLE, &ids)));
    insta::assert_snapshot!("fetch_global", both(|dialect| crm_sql::fetch(dialect, Scope::SYSTEM, User::TABLE, &ids)));
    insta::assert_snapshot!("fetch_none", both(|dialect| crm_sql::fetch(dialect, ORGANIZATION, Product::TABLE, &[])));
}

#[test]
fn long_lists_are_one_value() {
    let ids: Vec<Uuid> = (1..=257).map(Uuid::from_u128).collect();
    let statement = crm_sql::fetch(Dialect::Sqlite, ORGANIZATION, Product::TABLE, &ids).unwrap();
    assert_eq!(statement.binds.len(), 2);
    assert!(statement.sql.contains("IN (SELECT unhex(value) FROM json_each(?2))"), "{}", statement.sql);
    let number = InvoiceLine::COLUMNS.position.index();
    let values = (0..300).map(Value::Int).collect();
    let query = Select::new(InvoiceLine::TABLE, Expr::In(Operand::Column(number), values));
    let statement = crm_sql::select(Dialect::Sqlite, ORGANIZATION, &query).unwrap();
    assert!(statement.sql.contains("IN (SELECT value FROM json_each(?2))"), "{}", statement.sql);
}

#[test]
fn the_text_depends_on_the_shape_alone() {
    let text = |count: i64| {
        let values = (0..count).map(Value::Int).collect();
        let list = Expr::In(Operand::Column(InvoiceLine::COLUMNS.position.index()), values);
        [Dialect::Sqlite, Dialect::Postgres].map(|dialect| {
            crm_sql::select(dialect, ORGANIZATION, &Select::new(InvoiceLine::TABLE, list.clone())).unwrap().sql
        })
    };
    assert_eq!(text(5), text(8));
    assert_eq!(text(300), text(301));
}

#[test]
fn comparisons() {
    let columns = Invoice::COLUMNS;
    insta::assert_snapshot!("equal", filtered(columns.status.eq(&InvoiceStatus::Open)));
    insta::assert_snapshot!("not_equal", filtered(columns.number.ne(&"INV-1'".parse().ok())));
    insta::assert_snapshot!("range", filtered(columns.due_on.ge(&Some(day(1))) & columns.due_on.lt(&Some(day(31)))));
    insta::assert_snapshot!(
        "one_of",
        filtered(columns.status.is_in(&[InvoiceStatus::Open, InvoiceStatus::Paid, InvoiceStatus::Void]))
    );
    insta::assert_snapshot!("one_of_none", filtered(columns.status.is_in(&[])));
    insta::assert_snapshot!("null", filtered(columns.number.is_null() & !columns.due_on.is_null()));
    insta::assert_snapshot!("null_equals_nothing", filtered(columns.number.eq(&None)));
    insta::assert_snapshot!("difference", {
        let difference = Operand::Difference(Box::new(columns.due_on.operand()), Box::new(columns.issued_on.operand()));
        filtered(Filter::<Invoice>::new(Expr::Compare(difference, Cmp::Gt, Value::Int(30))))
    });
}

#[test]
fn texts() {
    let columns = Contact::COLUMNS;
    insta::assert_snapshot!("starts_with", filtered(columns.name_key.starts_with("50%_")));
    insta::assert_snapshot!("contains", filtered(columns.name_key.contains("50%_")));
    insta::assert_snapshot!("search", filtered(Filter::<Contact>::search("Luc Márt")));
    insta::assert_snapshot!("search_nothing", filtered(Filter::<Contact>::search(" ")));
    // Words from anywhere cannot speak the language of the index.
    let words = vec!["a\"* OR org:o1".to_owned(), "b' | c".to_owned()];
    insta::assert_snapshot!("search_injected", filtered(Filter::<Contact>::new(Expr::Search(words))));
}

#[test]
fn connectives_are_two_valued() {
    let columns = Invoice::COLUMNS;
    let filter = (columns.status.eq(&InvoiceStatus::Open) | columns.number.is_null())
        & !(columns.due_on.lt(&Some(day(1))) & columns.total.gt(&crm_core::entity::Minor(5)));
    insta::assert_snapshot!("connectives", filtered(filter));
    insta::assert_snapshot!(
        "no_terms",
        filtered(Filter::<Invoice>::new(Expr::And(vec![Expr::Or(Vec::new()), Expr::And(Vec::new())])))
    );
}

#[test]
fn other_tables() {
    let contacts = Contact::COLUMNS;
    let related = Invoice::COLUMNS.contact_id.refers_to(contacts.kind.eq(&crm_core::people::ContactKind::Company));
    insta::assert_snapshot!("related", filtered(related));
    let nested =
        Invoice::COLUMNS.contact_id.refers_to(contacts.company_id.refers_to(Filter::<Contact>::search("acme")));
    insta::assert_snapshot!("related_twice", filtered(nested));
    insta::assert_snapshot!("global", filtered(Membership::COLUMNS.user_id.refers_to(User::COLUMNS.active.eq(&true))));
    let has = Invoice::COLUMNS.contact_id.of_any::<Contact>(Invoice::COLUMNS.status.eq(&InvoiceStatus::Open));
    insta::assert_snapshot!("has", filtered(has));
    let via = Expr::StartsWith(Allocation::COLUMNS.invoice_id.via(Invoice::COLUMNS.number), "INV".into());
    insta::assert_snapshot!("via", filtered(Filter::<Allocation>::new(via)));
}

#[test]
fn orders_and_places() {
    let columns = Invoice::COLUMNS;
    let term = |column: usize, direction| Order { column, direction };
    let id = Value::Id(Uuid::from_u128(9));
    let query = |order: &[Order], after: Option<Vec<Value>>| {
        selected(&Select { after, ..Select::new(Invoice::TABLE, Expr::True).ordered(order).limited(50) })
    };
    let (up, down) = (Direction::Ascending, Direction::Descending);
    insta::assert_snapshot!("first_page", query(&[], None));
    insta::assert_snapshot!("next_page", query(&[], Some(vec![id.clone()])));
    let total = [term(columns.total.index(), down)];
    insta::assert_snapshot!("one_way", query(&total, Some(vec![Value::Int(5), id.clone()])));
    let nullable = [term(columns.due_on.index(), up)];
    insta::assert_snapshot!("nulls_last", query(&nullable, Some(vec![Value::Date(day(3)), id.clone()])));
    insta::assert_snapshot!("among_nulls", query(&nullable, Some(vec![Value::Null, id.clone()])));
    let nullable = [term(columns.due_on.index(), down)];
    insta::assert_snapshot!("nulls_last_down", query(&nullable, Some(vec![Value::Date(day(3)), id.clone()])));
    let mixed = [term(columns.status.index(), up), term(columns.created_at.index(), down)];
    let place = vec![Value::Text("open".into()), Value::Instant(Instant::EPOCH), id];
    insta::assert_snapshot!("two_ways", query(&mixed, Some(place)));
}

#[test]
fn figures() {
    let columns = Invoice::COLUMNS;
    let answered = |query: &Aggregate| both(|dialect| crm_sql::aggregate(dialect, ORGANIZATION, query));
    let all = || Aggregate::new(Invoice::TABLE, Expr::True);
    insta::assert_snapshot!("count", answered(&all().measure(Measure::Count)));
    insta::assert_snapshot!("nothing_asked", answered(&all()));
    let open: Expr = columns.status.eq(&InvoiceStatus::Open).into();
    insta::assert_snapshot!(
        "measures",
        answered(
            &Aggregate::new(Invoice::TABLE, open.clone())
                .by(Group::Value(columns.currency.operand()))
                .measure(Measure::Sum(columns.total.operand()))
                .measure_where(Measure::Sum(columns.total.operand()), open)
                .measure(Measure::Min(columns.due_on.operand()))
                .measure(Measure::Max(columns.id.operand()))
        )
    );
    insta::assert_snapshot!(
        "groups",
        answered(
            &all()
                .by(Group::Month(columns.due_on.operand()))
                .by(Group::Value(columns.contact_id.via(Contact::COLUMNS.kind)))
                .measure(Measure::Count)
        )
    );
    let bounds = (1..=4).map(|number| Value::Date(day(number * 7))).collect();
    let by_age = all().by(Group::Buckets(columns.due_on.operand(), Bucket { bounds })).measure(Measure::Count);
    insta::assert_snapshot!("ranges", answered(&by_age));
    assert_eq!(crm_sql::output_kinds(&by_age), [Kind::Int, Kind::Int]);
    let paid = Payment::COLUMNS;
    let rank = Operand::Rank {
        table: Payment::TABLE,
        reference: paid.contact_id.index(),
        filter: Box::new(paid.received_on.lt(&day(31)).into()),
        ranks: vec![paid.amount.ge(&Minor(10)).into(), paid.amount.ge(&Minor(100)).into()],
    };
    let age = Operand::Difference(
        Box::new(Operand::Instant(Instant::EPOCH)),
        Box::new(Contact::COLUMNS.created_at.operand()),
    );
    let ranked = Aggregate::new(Contact::TABLE, Expr::True).by(Group::Value(rank)).measure(Measure::Sum(age));
    insta::assert_snapshot!("rank_and_seconds", answered(&ranked));
    assert_eq!(crm_sql::output_kinds(&ranked), [Kind::Int, Kind::Int]);
    let share = Share::percent("12.5".parse().unwrap()).unwrap();
    let part = Operand::Share(Box::new(columns.total.operand()), share);
    insta::assert_snapshot!("share", answered(&all().measure(Measure::Sum(part))));
    let none = all().by(Group::Buckets(columns.total.operand(), Bucket { bounds: Vec::new() }));
    insta::assert_snapshot!("no_bounds", answered(&none));
}

#[test]
fn tenant_tables_want_an_organization_wherever_they_stand() {
    let plain = Select::new(Contact::TABLE, Expr::True);
    let inside = Select::new(
        User::TABLE,
        Expr::Has {
            table: Membership::TABLE,
            reference: Membership::COLUMNS.user_id.index(),
            filter: Box::new(Expr::True),
        },
    );
    for dialect in [Dialect::Sqlite, Dialect::Postgres] {
        for query in [&plain, &inside] {
            let refused = crm_sql::select(dialect, Scope::SYSTEM, query);
            assert!(matches!(refused, Err(StoreError::Scope { .. })), "{refused:?}");
        }
        // The audit keeps what happens above organizations under the key 0.
        let audit = crm_sql::select(dialect, Scope::SYSTEM, &Select::new(AuditEntry::TABLE, Expr::True)).unwrap();
        assert_eq!(audit.binds[0], Bind::Org(0));
    }
}

#[test]
fn writes_for_sqlite() {
    use crm_sql::write_sqlite as write;
    let columns = Payment::COLUMNS;
    let texts = [
        write::insert(Payment::TABLE, 1),
        write::insert(Payment::TABLE, 2),
        write::update(Payment::TABLE, &[columns.unapplied.index(), columns.notes.index()]),
        write::update(AuditEntry::TABLE, &[]),
        write::delete(Payment::TABLE),
        write::delete(InvoiceLine::TABLE),
        write::guard(User::TABLE),
        write::counter(NumberSeries::TABLE, NumberSeries::COLUMNS.next.index()),
        write::feed_search(Contact::TABLE),
        write::unfeed_search(Contact::TABLE),
        write::unsealed(AuditEntry::TABLE),
    ];
    insta::assert_snapshot!("writes_for_sqlite", texts.join("\n"));
}

#[test]
fn schemas() {
    insta::assert_snapshot!("schema_sqlite", crm_sql::create_schema(Dialect::Sqlite, TABLES));
    insta::assert_snapshot!("schema_postgres", crm_sql::create_schema(Dialect::Postgres, TABLES));
}
