//! What PostgreSQL is told to write.

#![allow(clippy::unwrap_used, reason = "these are tests")]

use std::sync::Arc;

use crm_core::access::{Organization, Role};
use crm_core::audit;
use crm_core::billing::{DocumentKind, NumberSeries};
use crm_core::entity::{Entity as _, Stored};
use crm_core::store::{ChangeSet, Counter, Scope};
use crm_core::testing::TestEnvironment;
use crm_core::value::{Currency, Zone};
use crm_core::{Actor, Context};
use crm_sql::write_postgres::{self, Param, SLICE};

const ORG: Scope = Scope::for_tests(7);

fn context() -> Context {
    let organization = Organization::new("acme".parse().unwrap(), "Acme".parse().unwrap(), Currency::USD, Zone::UTC);
    Context::new(Arc::new(TestEnvironment::new(1)), Actor::System, Role::Owner, Arc::new(organization))
}

fn series(prefix: &str) -> NumberSeries {
    NumberSeries::new(DocumentKind::Contact, prefix, 6).unwrap()
}

fn inserted(context: &mut Context, count: usize) -> (ChangeSet, Vec<Stored<NumberSeries>>) {
    let mut changes = ChangeSet::new(context.stamp("test"));
    let made = (0..count).map(|_| changes.insert(context, series("A"))).collect();
    (changes, made)
}

fn text(changes: &ChangeSet) -> String {
    let entries = audit::entries(changes);
    write_postgres::write(ORG, &changes.guards, &changes.changes, &entries).sql
}

#[test]
fn an_update_is_one_statement_that_sets_what_differs() {
    let mut context = context();
    let (_, made) = inserted(&mut context, 2);
    let mut changes = ChangeSet::new(context.stamp("test"));
    changes.require_unchanged(&made[1]);
    changes.update(&context, &made[0], series("B"));
    let sql = text(&changes);
    let expected = "WITH g0 AS (SELECT 1 FROM crm_number_series AS t, UNNEST($1::uuid[], $3::bigint[]) AS u(id, v) WHERE \
                    t.org = $2::bigint AND t.\"id\" = u.id AND t.\"version\" = u.v FOR SHARE OF t),\n\
                    w1 AS (UPDATE crm_number_series AS t SET \"prefix\" = $6::text, \"version\" = $7::bigint WHERE t.org = $2::bigint AND t.\"id\" = $4::uuid AND t.\"version\" = $5::bigint AND \
                    (SELECT crm_expect(count(*), cardinality($1)::bigint, 'g0'::text) FROM g0) RETURNING 1)\n\
                    INSERT INTO crm_audit_entry (";
    assert!(sql.starts_with(expected), "{sql}");
    assert!(sql.ends_with("WHERE (SELECT crm_expect(count(*), 1::bigint, 'w1'::text) FROM w1)"), "{sql}");
}

#[test]
fn the_text_depends_on_the_shape_and_not_on_the_number_of_rows() {
    let mut context = context();
    let texts: Vec<String> = [1, 2, 50].map(|count| text(&inserted(&mut context, count).0)).to_vec();
    assert_ne!(texts[0], texts[1]);
    assert_eq!(texts[1], texts[2]);
}

#[test]
fn no_value_stands_in_the_text() {
    let mut context = context();
    let mut changes = ChangeSet::new(context.stamp("test"));
    let made = changes.insert(&mut context, series("'; DROP"));
    let written = text(&changes);
    assert!(!written.contains("DROP") && !written.contains(&made.id.to_string()), "{written}");
    // A counter's own text holds whole numbers and an id, and nothing that was typed.
    let counter = Counter {
        table: NumberSeries::TABLE,
        id: made.id.uuid(),
        column: NumberSeries::COLUMNS.next.index(),
        by: 1,
        max: i64::MAX,
    };
    assert_eq!(
        write_postgres::advance(ORG, &counter),
        format!(
            "UPDATE crm_number_series SET \"next\" = \"next\" + (1) WHERE org = 7 AND \"id\" = '{}'::uuid AND \
             \"next\" <= (9223372036854775806) RETURNING \"next\" - (1)",
            made.id
        )
    );
}

#[test]
fn counters_are_left_alone_by_updates() {
    let mut context = context();
    let (_, made) = inserted(&mut context, 1);
    let mut changes = ChangeSet::new(context.stamp("test"));
    changes.update(&context, &made[0], NumberSeries { next: 99, ..series("B") });
    assert!(!text(&changes).contains("\"next\""));
}

#[test]
fn a_guard_on_what_is_written_anyway_is_left_out() {
    let mut context = context();
    let (_, made) = inserted(&mut context, 1);
    let mut changes = ChangeSet::new(context.stamp("test"));
    changes.require_unchanged(&made[0]);
    changes.update(&context, &made[0], series("B"));
    assert!(!text(&changes).contains("FOR SHARE"));
}

#[test]
fn slices_are_bounded_and_have_each_record_once() {
    let mut context = context();
    assert!(write_postgres::slices(&[]).is_empty());
    let (changes, made) = inserted(&mut context, SLICE + 1);
    assert_eq!(write_postgres::slices(&changes.changes), [0..SLICE, SLICE..SLICE + 1]);
    let mut changes = ChangeSet::new(context.stamp("test"));
    changes.delete(&made[0]);
    changes.delete(&made[1]);
    changes.delete(&made[0]);
    assert_eq!(write_postgres::slices(&changes.changes), [0..2, 2..3]);
}

#[test]
fn rows_of_one_table_keep_their_order_of_kinds() {
    let mut context = context();
    let (_, made) = inserted(&mut context, 2);
    let mut changes = ChangeSet::new(context.stamp("test"));
    changes.delete(&made[0]);
    changes.insert(&mut context, series("A"));
    changes.delete(&made[1]);
    let sql = text(&changes);
    let at = |what: &str| sql.find(what).unwrap_or_else(|| panic!("{what} in {sql}"));
    assert!(at("w0 AS (DELETE") < at("w1 AS (INSERT") && at("w1 AS (INSERT") < at("w2 AS (DELETE"));
    assert!(sql.contains("FROM w0") && sql.contains("FROM w1") && sql.contains("FROM w2"));
}

#[test]
fn what_a_check_expected_is_found_by_its_name() {
    let mut context = context();
    let (_, made) = inserted(&mut context, 2);
    let mut changes = ChangeSet::new(context.stamp("test"));
    for made in &made {
        changes.delete(made);
    }
    let entries = audit::entries(&changes);
    let write = write_postgres::write(ORG, &[], &changes.changes, &entries);
    let expected = write.expected("w0").unwrap();
    assert_eq!((expected.ids.len(), expected.versions.as_slice()), (2, &[1, 1][..]));
    assert!(write.expected("w1").is_none());
    assert!(write.params.contains(&Param::Org(7)));
    let lookup = write_postgres::unmatched(ORG, expected);
    assert!(lookup.sql.contains("IS DISTINCT FROM u.v LIMIT 1"), "{}", lookup.sql);
}
