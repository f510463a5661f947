//! The conformance suite: what every store must do, written once.
//!
//! ```
//! use crm_core::store::{MemoryStore, conformance};
//! crm_core::block_on(conformance::suite(&MemoryStore::new()));
//! ```
//!
//! A failing case panics with its name. Each case works in an organization of its own, so one store serves
//! them all.

#![expect(clippy::unwrap_used, reason = "a case that cannot go on has failed")]

mod audited;
mod operands;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;

use self::audited::{
    audit_follows_every_change, secrets_and_derived_columns_stay_out_of_the_audit, the_chain_verifies,
    what_was_deleted_is_forgotten,
};
use self::operands::{instants_differ_by_whole_seconds, ranks_are_those_of_the_best_child, shares_are_exact};
use super::{
    Abort, Aggregate, Bucket, ChangeSet, Direction, Expr, Feed, Filter, Group, Measure, Operand, Order, Query, Scope,
    Select, Store, StoreError, StoreExt as _,
};
use crate::access::{Organization, Role};
use crate::audit::AuditEntry;
use crate::billing::{DocumentKind, Invoice, NumberSeries, Payment};
use crate::context::{Actor, Context};
use crate::entity::{Entity as _, Minor, Stored};
use crate::id::Id;
use crate::people::{Contact, ContactKind};
use crate::row::{Deferred, Value};
use crate::testing::TestEnvironment;
use crate::value::{Currency, Date, Instant, Zone};

/// A case's world: a store, an organization in it, and a clock.
pub struct World<'a> {
    store: &'a dyn Store,
    scope: Scope,
    other: Scope,
    context: Context,
}

type Case = for<'w> fn(&'w mut World<'_>) -> Pin<Box<dyn Future<Output = ()> + Send + 'w>>;

/// Lists cases by name.
macro_rules! cases {
    ($($name:ident),* $(,)?) => {
        /// Every case, with its name.
        const CASES: &[(&str, Case)] = &[$((stringify!($name), |world| Box::pin($name(world)))),*];
    };
}
cases![
    values_round_trip,
    fetch_leaves_out_what_is_not_there,
    organizations_are_apart,
    tenant_tables_want_an_organization,
    versions_are_checked,
    a_refused_change_set_leaves_nothing,
    guards_are_checked,
    counters_count_within_bounds,
    an_update_leaves_counters_alone,
    numbers_come_from_counters,
    duplicates_name_table_and_columns,
    absent_values_are_never_duplicates,
    references_hold,
    a_reference_to_another_organization_is_refused,
    filters_are_two_valued,
    text_is_compared_by_bytes,
    search_finds_beginnings_of_words,
    absent_values_come_last,
    pages_follow_each_other,
    related_records_filter,
    aggregates_group_and_sum,
    an_aggregate_without_rows_has_one,
    sums_overflow_typed,
    shares_are_exact,
    instants_differ_by_whole_seconds,
    ranks_are_those_of_the_best_child,
    audit_follows_every_change,
    secrets_and_derived_columns_stay_out_of_the_audit,
    the_chain_verifies,
    what_was_deleted_is_forgotten,
    a_feed_is_all_or_nothing,
    a_feed_sees_what_it_wrote,
    many_rows_in_one_change_set,
];

/// Runs every case on the store, which may hold other organizations already.
///
/// # Panics
/// When the store does not do what it must; the message names the case.
pub async fn suite(store: &dyn Store) {
    for (name, case) in CASES {
        let mut world = World::new(store, name).await;
        // A panic inside tells what differed; this tells in which case.
        let told = Told(name);
        case(&mut world).await;
        std::mem::forget(told);
    }
}

/// Names the case when its test panics.
struct Told(&'static str);

impl Drop for Told {
    #[expect(clippy::print_stderr, reason = "tells a test's reader which case failed")]
    fn drop(&mut self) {
        eprintln!("conformance case failed: {}", self.0);
    }
}

impl<'a> World<'a> {
    async fn new(store: &'a dyn Store, case: &str) -> World<'a> {
        let largest =
            Aggregate::new(Organization::TABLE, Expr::True).measure(Measure::Max(Organization::COLUMNS.key.operand()));
        let answers = store.aggregate(Scope::SYSTEM, &[largest]).await.unwrap();
        let key = answers[0][0][0].as_int().unwrap_or(0) + 1;
        let seed = u32::try_from(key).unwrap() + 500_000;
        let environment = Arc::new(TestEnvironment::new(seed));
        let slug = |key: i64| format!("{}-{key}", &case.replace('_', "-")[..case.len().min(40)].trim_end_matches('-'));
        let organization = |key: i64| Organization {
            key,
            ..Organization::new(slug(key).parse().unwrap(), "Case".parse().unwrap(), Currency::USD, Zone::UTC)
        };
        let (scope, other) = (Scope::organization(key), Scope::organization(key + 1));
        let mut context = Context::new(environment, Actor::System, Role::Owner, Arc::new(organization(key)));
        for (scope, key) in [(scope, key), (other, key + 1)] {
            let mut changes = ChangeSet::new(context.stamp("test"));
            changes.insert(&mut context, organization(key));
            store.apply(scope, changes).await.unwrap();
        }
        World { store, scope, other, context }
    }

    fn changes(&mut self) -> ChangeSet {
        ChangeSet::new(self.context.stamp("test"))
    }

    /// Writes new contacts, given by name.
    async fn contacts(&mut self, names: &[&str]) -> Vec<Stored<Contact>> {
        let mut changes = self.changes();
        let contacts = names.iter().map(|name| changes.insert(&mut self.context, contact(name))).collect();
        self.store.apply(self.scope, changes).await.unwrap();
        contacts
    }

    /// Writes a series.
    async fn series(&mut self) -> Stored<NumberSeries> {
        let mut changes = self.changes();
        let series = NumberSeries::new(DocumentKind::Invoice, "N-", 3).unwrap();
        let series = changes.insert(&mut self.context, series);
        self.store.apply(self.scope, changes).await.unwrap();
        series
    }

    async fn names(&self, filter: Filter<Contact>) -> Vec<String> {
        let query = Query::new(filter).ascending(Contact::COLUMNS.created_at).to_select().unwrap();
        let found: Vec<Stored<Contact>> = self.store.all(self.scope, &query).await.unwrap();
        found.iter().map(|contact| contact.display_name()).collect()
    }

    async fn entries(&self) -> Vec<Stored<AuditEntry>> {
        let all = Select::new(AuditEntry::TABLE, Expr::True);
        self.store.all(self.scope, &all).await.unwrap()
    }
}

fn contact(name: &str) -> Contact {
    Contact {
        kind: ContactKind::Person,
        given_name: Some(name.parse().unwrap()),
        family_name: None,
        company_name: None,
        company_id: None,
        email: None,
        phone: None,
        phone_raw: None,
        address_line: None,
        city: None,
        region: None,
        postal_code: None,
        country: None,
        tax_scheme: None,
        tax_number: None,
        account_number: None,
        stratum: None,
        payment_days: None,
        code: None,
        external_id: None,
        instagram: None,
        owner_id: None,
        source: None,
        notes: None,
        custom: None,
        email_claim: None,
        phone_claim: None,
        erased_at: None,
    }
}

fn payment(contact: Id<Contact>, amount: i64, day: u32, currency: Currency) -> Payment {
    Payment {
        contact_id: contact,
        currency,
        amount: Minor(amount),
        unapplied: Minor(amount / 2),
        refunded: Minor(0),
        reversed_on: None,
        reversal_reason: None,
        received_on: Date::from_ymd_opt(2026, 1 + day / 28, 1 + day % 28).unwrap(),
        method: None,
        reference: None,
        notes: None,
        external_id: None,
    }
}

fn conflict_of<E>(result: &Result<E, StoreError>) -> bool {
    matches!(result, Err(StoreError::Conflict { .. }))
}

async fn values_round_trip(world: &mut World<'_>) {
    let mut value = contact("Zoë \"O'Brien\" \\ % _ 李 𝒳 ё");
    value.email = Some("Zoë@Example.com".parse().unwrap());
    value.phone = Some("+573211234567".parse::<crate::value::Phone>().unwrap());
    value.stratum = Some(-9_000_000_000_000_000_000);
    value.notes = Some("two\nlines\tand a tab".parse().unwrap());
    value.custom = Some(crate::value::Document::new(&serde_json::json!({"b": [1, null, "x"], "a": {"ñ": true}})));
    let mut changes = world.changes();
    let written = changes.insert(&mut world.context, value);
    let day = changes.insert(&mut world.context, payment(written.id, 9_000_000_000_000_000, 40, Currency::EUR));
    world.store.apply(world.scope, changes).await.unwrap();
    assert_eq!(world.store.get(world.scope, written.id).await.unwrap(), Some(written.clone()));
    assert_eq!(world.store.get(world.scope, day.id).await.unwrap(), Some(day));
    let rows = world.store.fetch(world.scope, Contact::TABLE, &[written.id.uuid()]).await.unwrap();
    assert_eq!(rows, [written.to_row()]);
    // Instants keep their microseconds, and the extremes of dates survive.
    for (from, to) in [((1, 1, 1), (9999, 12, 31)), ((1969, 12, 31), (2024, 2, 29))] {
        let mut changes = world.changes();
        let mut extreme = payment(written.id, 1, 0, Currency::USD);
        extreme.received_on = Date::from_ymd_opt(from.0, from.1, from.2).unwrap();
        let mut first = changes.insert(&mut world.context, extreme.clone());
        extreme.received_on = Date::from_ymd_opt(to.0, to.1, to.2).unwrap();
        let last = changes.insert(&mut world.context, extreme);
        first.created_at = Instant::from_micros(1_781_524_800_123_457).unwrap();
        changes.changes[0] = super::Change::Insert { table: Payment::TABLE, row: first.to_row() };
        world.store.apply(world.scope, changes).await.unwrap();
        assert_eq!(world.store.get(world.scope, first.id).await.unwrap(), Some(first));
        assert_eq!(world.store.get(world.scope, last.id).await.unwrap(), Some(last));
    }
}

async fn fetch_leaves_out_what_is_not_there(world: &mut World<'_>) {
    let contacts = world.contacts(&["a", "b"]).await;
    let ids = [contacts[1].id.uuid(), world.context.new_id(), contacts[0].id.uuid(), contacts[1].id.uuid()];
    assert_eq!(world.store.fetch(world.scope, Contact::TABLE, &ids).await.unwrap().len(), 2);
    assert!(world.store.fetch(world.scope, Contact::TABLE, &[]).await.unwrap().is_empty());
}

async fn organizations_are_apart(world: &mut World<'_>) {
    let mine = world.contacts(&["mine"]).await.remove(0);
    let theirs = world.other;
    assert_eq!(world.store.get(theirs, mine.id).await.unwrap(), None);
    assert!(world.store.select(theirs, &Select::new(Contact::TABLE, Expr::True)).await.unwrap().is_empty());
    let count = Aggregate::new(Contact::TABLE, Expr::True).measure(Measure::Count);
    assert_eq!(world.store.aggregate(theirs, &[count]).await.unwrap(), [vec![vec![Value::Int(0)]]]);
    let mut changes = world.changes();
    changes.update(&world.context, &mine, contact("stolen"));
    assert!(conflict_of(&world.store.apply(theirs, changes).await));
    let mut changes = world.changes();
    changes.delete(&mine);
    assert!(conflict_of(&world.store.apply(theirs, changes).await));
    assert_eq!(world.store.get(world.scope, mine.id).await.unwrap(), Some(mine));
}

async fn tenant_tables_want_an_organization(world: &mut World<'_>) {
    let query = Select::new(Contact::TABLE, Expr::True);
    let asked = world.store.select(Scope::SYSTEM, &query).await;
    assert!(matches!(asked, Err(StoreError::Scope { .. })), "{asked:?}");
    let asked = world.store.fetch(Scope::SYSTEM, Contact::TABLE, &[world.context.new_id()]).await;
    assert!(matches!(asked, Err(StoreError::Scope { .. })), "{asked:?}");
}

async fn versions_are_checked(world: &mut World<'_>) {
    let first = world.contacts(&["one"]).await.remove(0);
    let mut changes = world.changes();
    let second = changes.update(&world.context, &first, contact("two"));
    world.store.apply(world.scope, changes).await.unwrap();
    assert_eq!(second.version, 2);
    let mut changes = world.changes();
    changes.update(&world.context, &first, contact("three"));
    let refused = world.store.apply(world.scope, changes).await;
    assert!(
        matches!(refused, Err(StoreError::Conflict { table: "crm_contact", id }) if id == first.id.uuid()),
        "{refused:?}"
    );
    let mut changes = world.changes();
    changes.delete(&first);
    assert!(conflict_of(&world.store.apply(world.scope, changes).await));
    assert_eq!(world.store.get(world.scope, first.id).await.unwrap(), Some(second));
}

async fn a_refused_change_set_leaves_nothing(world: &mut World<'_>) {
    let known = world.contacts(&["known"]).await.remove(0);
    let entries = world.entries().await.len();
    let mut changes = world.changes();
    let fresh = changes.insert(&mut world.context, contact("fresh"));
    let stale = Stored { version: 7, ..known.clone() };
    changes.update(&world.context, &stale, contact("changed"));
    assert!(conflict_of(&world.store.apply(world.scope, changes).await));
    assert_eq!(world.store.get(world.scope, fresh.id).await.unwrap(), None);
    assert_eq!(world.entries().await.len(), entries);
}

async fn guards_are_checked(world: &mut World<'_>) {
    let basis = world.contacts(&["basis"]).await.remove(0);
    let mut changes = world.changes();
    changes.require_unchanged(&basis);
    changes.insert(&mut world.context, contact("first"));
    world.store.apply(world.scope, changes).await.unwrap();
    let stale = Stored { version: 2, ..basis.clone() };
    let gone = Stored { id: Id::new(world.context.new_id()), ..basis };
    for wrong in [stale, gone] {
        let mut changes = world.changes();
        changes.require_unchanged(&wrong);
        changes.insert(&mut world.context, contact("second"));
        let refused = world.store.apply(world.scope, changes).await;
        assert!(matches!(refused, Err(StoreError::Conflict { id, .. }) if id == wrong.id.uuid()), "{refused:?}");
    }
    assert_eq!(world.names(Filter::all()).await, ["basis", "first"]);
}

async fn counters_count_within_bounds(world: &mut World<'_>) {
    let series = world.series().await;
    let next = NumberSeries::COLUMNS.next.index();
    let mut changes = world.changes();
    changes.count(series.id, next, 2, 5);
    changes.count(series.id, next, 2, 5);
    assert_eq!(world.store.apply(world.scope, changes).await.unwrap().counters, [1, 3]);
    let mut changes = world.changes();
    changes.count(series.id, next, 1, 5);
    let refused = world.store.apply(world.scope, changes).await;
    assert!(matches!(refused, Err(StoreError::Limit { column: "next", .. })), "{refused:?}");
    let mut changes = world.changes();
    changes.count(Id::<NumberSeries>::new(world.context.new_id()), next, 1, 5);
    assert!(conflict_of(&world.store.apply(world.scope, changes).await));
    // A change-set that is refused later gives its numbers back.
    let mut changes = world.changes();
    changes.count(series.id, next, 1, 100);
    changes.require_unchanged(&Stored { version: 9, ..series.clone() });
    assert!(conflict_of(&world.store.apply(world.scope, changes).await));
    assert_eq!(world.store.get(world.scope, series.id).await.unwrap().unwrap().next, 5);
}

async fn an_update_leaves_counters_alone(world: &mut World<'_>) {
    let before = world.series().await;
    let mut changes = world.changes();
    changes.count(before.id, NumberSeries::COLUMNS.next.index(), 1, 100);
    world.store.apply(world.scope, changes).await.unwrap();
    // Decided on the series as it was before it counted on.
    let mut changes = world.changes();
    changes.update(&world.context, &before, NumberSeries { digits: 9, ..before.value.clone() });
    world.store.apply(world.scope, changes).await.unwrap();
    let after = world.store.get(world.scope, before.id).await.unwrap().unwrap();
    assert_eq!((after.next, after.digits, after.version), (2, 9, 2));
}

async fn numbers_come_from_counters(world: &mut World<'_>) {
    let series = world.series().await;
    let mut changes = world.changes();
    let counter = changes.count(series.id, NumberSeries::COLUMNS.next.index(), 2, 100);
    let mut ids = Vec::new();
    for (offset, name) in [(0, "first"), (1, "second")] {
        let written = changes.insert(&mut world.context, contact(name));
        let deferred = Deferred::Numbered { counter, offset, prefix: "C-".to_owned(), digits: 4 };
        changes.defer(written.id, Contact::COLUMNS.code.index(), deferred);
        ids.push(written.id);
    }
    world.store.apply(world.scope, changes).await.unwrap();
    for (id, code) in ids.into_iter().zip(["C-0001", "C-0002"]) {
        let contact = world.store.get(world.scope, id).await.unwrap().unwrap();
        assert_eq!(contact.code.as_deref(), Some(code));
    }
    let told = world.entries().await;
    assert!(told.iter().any(|entry| entry.changes.as_ref().is_some_and(|text| text.as_str().contains("C-0002"))));
}

async fn duplicates_name_table_and_columns(world: &mut World<'_>) {
    let numbered = |scheme: &str| Contact {
        account_number: Some("A1".parse().unwrap()),
        tax_scheme: Some(scheme.parse().unwrap()),
        tax_number: Some("1".parse().unwrap()),
        ..contact("x")
    };
    let mut changes = world.changes();
    let first = changes.insert(&mut world.context, numbered("other"));
    world.store.apply(world.scope, changes).await.unwrap();
    let mut changes = world.changes();
    changes.insert(&mut world.context, numbered("vat"));
    let refused = world.store.apply(world.scope, changes).await;
    let expected = |columns: &[&str], refused: &Result<_, StoreError>| match refused {
        Err(StoreError::Duplicate { table: "crm_contact", columns: found }) => found == columns,
        _ => false,
    };
    assert!(expected(&["account_number"], &refused), "{refused:?}");
    let mut changes = world.changes();
    changes.insert(&mut world.context, Contact { account_number: None, ..numbered("other") });
    let refused = world.store.apply(world.scope, changes).await;
    assert!(expected(&["tax_scheme", "tax_number"], &refused), "{refused:?}");
    let mut changes = world.changes();
    changes.insert_as(&world.context, first.id, contact("same id"));
    let refused = world.store.apply(world.scope, changes).await;
    assert!(expected(&["id"], &refused), "{refused:?}");
    // Another organization may have the same.
    let mut changes = world.changes();
    changes.insert(&mut world.context, numbered("other"));
    world.store.apply(world.other, changes).await.unwrap();
}

async fn absent_values_are_never_duplicates(world: &mut World<'_>) {
    let mut changes = world.changes();
    for name in ["a", "b"] {
        let half = Contact { tax_number: Some("1".parse().unwrap()), ..contact(name) };
        changes.insert(&mut world.context, half);
    }
    world.store.apply(world.scope, changes).await.unwrap();
}

async fn references_hold(world: &mut World<'_>) {
    let company = world.contacts(&["company"]).await.remove(0);
    let mut changes = world.changes();
    let employee = Contact { company_id: Some(company.id), ..contact("employee") };
    let employee = changes.insert(&mut world.context, employee);
    world.store.apply(world.scope, changes).await.unwrap();
    let mut changes = world.changes();
    changes.delete(&company);
    let refused = world.store.apply(world.scope, changes).await;
    assert!(matches!(refused, Err(StoreError::Referenced { .. })), "{refused:?}");
    let mut changes = world.changes();
    let nobody = Some(Id::new(world.context.new_id()));
    changes.update(&world.context, &employee, Contact { company_id: nobody, ..employee.value.clone() });
    let refused = world.store.apply(world.scope, changes).await;
    assert!(matches!(refused, Err(StoreError::Referenced { .. })), "{refused:?}");
    let mut changes = world.changes();
    changes.delete(&employee);
    changes.delete(&company);
    world.store.apply(world.scope, changes).await.unwrap();
    assert!(world.names(Filter::all()).await.is_empty());
}

async fn a_reference_to_another_organization_is_refused(world: &mut World<'_>) {
    let mine = world.contacts(&["mine"]).await.remove(0);
    let mut changes = world.changes();
    changes.insert(&mut world.context, Contact { company_id: Some(mine.id), ..contact("theirs") });
    let refused = world.store.apply(world.other, changes).await;
    assert!(matches!(refused, Err(StoreError::Referenced { .. })), "{refused:?}");
}

async fn filters_are_two_valued(world: &mut World<'_>) {
    let mut changes = world.changes();
    for (name, stratum) in [("none", None), ("two", Some(2)), ("five", Some(5))] {
        changes.insert(&mut world.context, Contact { stratum, ..contact(name) });
    }
    world.store.apply(world.scope, changes).await.unwrap();
    let stratum = Contact::COLUMNS.stratum;
    let (two, five) = (Some(2), Some(5));
    for (filter, expected) in [
        (stratum.eq(&two), vec!["two"]),
        (stratum.ne(&two), vec!["none", "five"]),
        (!stratum.lt(&five), vec!["none", "five"]),
        (stratum.ge(&two) & !stratum.is_null(), vec!["two", "five"]),
        (stratum.eq(&None), vec![]),
        (!(stratum.eq(&two) | stratum.is_null()), vec!["five"]),
        (!stratum.is_in(&[two, None]), vec!["none", "five"]),
        (stratum.is_in(&[]), vec![]),
        (!!stratum.gt(&two), vec!["five"]),
    ] {
        assert_eq!(world.names(filter.clone()).await, expected, "{filter:?}");
    }
}

async fn text_is_compared_by_bytes(world: &mut World<'_>) {
    world.contacts(&["ÁRBOL", "árbol", "ABC", "abc", "100%", "1000", "a_b", "axb", "'; --"]).await;
    let name = Contact::COLUMNS.given_name;
    for (filter, expected) in [
        (name.contains("ABC"), vec!["ABC"]),
        (name.starts_with("ár"), vec!["árbol"]),
        (name.contains("0%"), vec!["100%"]),
        (name.starts_with("a_"), vec!["a_b"]),
        (name.contains("'; --"), vec!["'; --"]),
        (name.lt(&Some("B".parse().unwrap())), vec!["ABC", "100%", "1000", "'; --"]),
        (name.starts_with(""), vec!["ÁRBOL", "árbol", "ABC", "abc", "100%", "1000", "a_b", "axb", "'; --"]),
    ] {
        assert_eq!(world.names(filter.clone()).await, expected, "{filter:?}");
    }
    // The folded key is the same whatever the database thinks of case.
    assert_eq!(world.names(Contact::COLUMNS.name_key.contains_folded("ÁRBOL")).await, ["ÁRBOL", "árbol"]);
}

async fn search_finds_beginnings_of_words(world: &mut World<'_>) {
    let found = world.contacts(&["Lucía Martínez", "Ёлкин Йорк", "O'Brien AND NOT", "Straße 12"]).await;
    for (text, expected) in [
        ("luc mart", vec!["Lucía Martínez"]),
        ("MARTINEZ", vec!["Lucía Martínez"]),
        ("елк", vec!["Ёлкин Йорк"]),
        ("иорк", vec![]),
        ("йорк", vec!["Ёлкин Йорк"]),
        ("o'bri", vec!["O'Brien AND NOT"]),
        ("and not", vec!["O'Brien AND NOT"]),
        ("strasse", vec!["Straße 12"]),
        ("artinez", vec![]),
        ("\"*", vec!["Lucía Martínez", "Ёлкин Йорк", "O'Brien AND NOT", "Straße 12"]),
        ("luc елк", vec![]),
    ] {
        assert_eq!(world.names(Filter::search(text)).await, expected, "{text}");
    }
    // The words follow the record: changed, deleted.
    let mut changes = world.changes();
    changes.update(&world.context, &found[0], contact("Renata"));
    changes.delete(&found[3]);
    world.store.apply(world.scope, changes).await.unwrap();
    assert_eq!(world.names(Filter::search("renata")).await, ["Renata"]);
    assert!(world.names(Filter::search("lucia")).await.is_empty());
    assert!(world.names(Filter::search("strasse")).await.is_empty());
}

async fn absent_values_come_last(world: &mut World<'_>) {
    let mut changes = world.changes();
    for (name, stratum) in [("none", None), ("two", Some(2)), ("five", Some(5)), ("nothing", None)] {
        changes.insert(&mut world.context, Contact { stratum, ..contact(name) });
    }
    world.store.apply(world.scope, changes).await.unwrap();
    let column = Contact::COLUMNS.stratum.index();
    for (direction, expected) in [
        (Direction::Ascending, ["two", "five", "none", "nothing"]),
        (Direction::Descending, ["five", "two", "nothing", "none"]),
    ] {
        let query = Query::<Contact>::all().order(column, direction);
        for limit in 1..=4 {
            let mut query = query.clone().limit(limit);
            let mut names = Vec::new();
            loop {
                let page = world.store.page::<Contact>(world.scope, &query.to_select().unwrap()).await.unwrap();
                names.extend(page.items.iter().map(|contact| contact.display_name()));
                let Some(next) = page.next else { break };
                query = query.after(Some(next));
            }
            assert_eq!(names, expected, "{direction:?} by {limit}");
        }
    }
}

async fn pages_follow_each_other(world: &mut World<'_>) {
    let names: Vec<String> = (0..25).map(|number| format!("n{:02}", number / 3)).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    world.contacts(&names).await;
    let (name, created) = (Contact::COLUMNS.name_key.index(), Contact::COLUMNS.created_at.index());
    let both = [Direction::Ascending, Direction::Descending];
    for first in both {
        for second in both {
            let terms = [Order { column: name, direction: first }, Order { column: created, direction: second }];
            let all = Select::new(Contact::TABLE, Expr::True).ordered(&terms);
            let expected = world.store.select(world.scope, &all).await.unwrap();
            let mut found = Vec::new();
            let mut query = all.clone().limited(4);
            loop {
                let rows = world.store.select(world.scope, &query).await.unwrap();
                let Some(last) = rows.last() else { break };
                query.after = Some(query.place(last));
                found.extend(rows);
            }
            assert_eq!(found, expected, "{terms:?}");
            assert_eq!(found.len(), 25);
        }
    }
}

async fn related_records_filter(world: &mut World<'_>) {
    let companies = world.contacts(&["Big", "Small"]).await;
    let mut changes = world.changes();
    for (name, company) in [("Ana", 0), ("Eva", 1)] {
        let employee = Contact { company_id: Some(companies[company].id), ..contact(name) };
        changes.insert(&mut world.context, employee);
    }
    changes.insert(&mut world.context, payment(companies[0].id, 10, 0, Currency::USD));
    world.store.apply(world.scope, changes).await.unwrap();
    let columns = Contact::COLUMNS;
    let of_big = columns.company_id.refers_to(columns.name_key.eq(&"big".to_owned()));
    assert_eq!(world.names(of_big.clone()).await, ["Ana"]);
    assert_eq!(world.names(!of_big).await, ["Big", "Small", "Eva"]);
    let paid = Payment::COLUMNS.contact_id.of_any(Payment::COLUMNS.amount.ge(&Minor(10)));
    assert_eq!(world.names(paid).await, ["Big"]);
    let employs = columns.company_id.of_any::<Contact>(columns.name_key.starts_with("e"));
    assert_eq!(world.names(employs).await, ["Small"]);
}

async fn aggregates_group_and_sum(world: &mut World<'_>) {
    let contacts = world.contacts(&["a", "b"]).await;
    let mut changes = world.changes();
    for (contact, amount, day, currency) in [
        (0, 100, 0, Currency::USD),
        (0, 50, 30, Currency::USD),
        (1, 7, 5, Currency::EUR),
        (1, 1, 40, Currency::USD),
        (0, 2, 27, Currency::EUR),
    ] {
        changes.insert(&mut world.context, payment(contacts[contact].id, amount, day, currency));
    }
    world.store.apply(world.scope, changes).await.unwrap();
    let columns = Payment::COLUMNS;
    let sum = || Measure::Sum(columns.amount.operand());
    let text = |text: &str| Value::Text(text.to_owned());
    let day = |month, day| Value::Date(Date::from_ymd_opt(2026, month, day).unwrap());
    let by_month = Aggregate::new(Payment::TABLE, Expr::True)
        .by(Group::Value(columns.currency.operand()))
        .by(Group::Month(columns.received_on.operand()))
        .measure(Measure::Count)
        .measure(sum());
    let bounds = vec![Value::Int(2), Value::Int(50), Value::Int(100)];
    let by_size = Aggregate::new(Payment::TABLE, columns.currency.ne(&Currency::EUR).into())
        .by(Group::Buckets(columns.amount.operand(), Bucket { bounds }))
        .measure_where(sum(), columns.contact_id.eq(&contacts[0].id))
        .measure(Measure::Min(columns.received_on.operand()));
    let applied = Operand::Difference(Box::new(columns.amount.operand()), Box::new(columns.unapplied.operand()));
    let by_name = Aggregate::new(Payment::TABLE, Expr::True)
        .by(Group::Value(columns.contact_id.via(Contact::COLUMNS.name_key)))
        .measure(Measure::Sum(applied))
        .measure(Measure::Max(columns.amount.operand()));
    let queries = [by_month, by_size, by_name];
    let answers = world.store.aggregate(world.scope, &queries).await.unwrap();
    assert_eq!(
        answers[0],
        [
            vec![text("EUR"), day(1, 1), Value::Int(2), Value::Int(9)],
            vec![text("USD"), day(1, 1), Value::Int(1), Value::Int(100)],
            vec![text("USD"), day(2, 1), Value::Int(2), Value::Int(51)],
        ]
    );
    assert_eq!(
        answers[1],
        [
            vec![Value::Int(0), Value::Int(0), day(2, 13)],
            vec![Value::Int(2), Value::Int(50), day(2, 3)],
            vec![Value::Int(3), Value::Int(100), day(1, 1)],
        ]
    );
    assert_eq!(
        answers[2],
        [vec![text("a"), Value::Int(76), Value::Int(100)], vec![text("b"), Value::Int(5), Value::Int(7)]]
    );
}

async fn an_aggregate_without_rows_has_one(world: &mut World<'_>) {
    let columns = Payment::COLUMNS;
    let query = Aggregate::new(Payment::TABLE, Expr::True)
        .measure(Measure::Count)
        .measure(Measure::Sum(columns.amount.operand()))
        .measure(Measure::Max(columns.received_on.operand()));
    let grouped = query.clone().by(Group::Value(columns.currency.operand()));
    let answers = world.store.aggregate(world.scope, &[query, grouped]).await.unwrap();
    assert_eq!(answers, [vec![vec![Value::Int(0), Value::Int(0), Value::Null]], vec![]]);
}

async fn sums_overflow_typed(world: &mut World<'_>) {
    let mut changes = world.changes();
    for name in ["a", "b"] {
        changes.insert(&mut world.context, Contact { stratum: Some(i64::MAX), ..contact(name) });
    }
    world.store.apply(world.scope, changes).await.unwrap();
    let query = Aggregate::new(Contact::TABLE, Expr::True).measure(Measure::Sum(Contact::COLUMNS.stratum.operand()));
    let refused = world.store.aggregate(world.scope, &[query]).await;
    assert!(matches!(refused, Err(StoreError::Overflow)), "{refused:?}");
}

/// Gives so many chunks of one contact each, then ends as told.
struct Chunks {
    context: Context,
    left: u32,
    end: fn() -> Result<Option<ChangeSet>, Abort>,
    scope: Scope,
}

#[async_trait]
impl Feed for Chunks {
    async fn next(&mut self, view: &dyn Store) -> Result<Option<ChangeSet>, Abort> {
        let seen = view.select(self.scope, &Select::new(Contact::TABLE, Expr::True)).await?.len();
        if self.left == 0 {
            return (self.end)();
        }
        self.left -= 1;
        let mut changes = ChangeSet::new(self.context.stamp("test"));
        changes.insert(&mut self.context, contact(&format!("after {seen}")));
        Ok(Some(changes))
    }
}

async fn a_feed_is_all_or_nothing(world: &mut World<'_>) {
    let feed = |world: &World<'_>, end| Chunks { context: world.context.clone(), left: 3, end, scope: world.scope };
    let withdrawn = Box::new(feed(world, || Err(Abort::Withdrawn)));
    let changes = ChangeSet::streamed(world.context.stamp("test"), withdrawn);
    let refused = world.store.apply(world.scope, changes).await;
    assert!(matches!(refused, Err(StoreError::Aborted)), "{refused:?}");
    let failed = Box::new(feed(world, || Err(Abort::Store(StoreError::Overflow))));
    let changes = ChangeSet::streamed(world.context.stamp("test"), failed);
    let refused = world.store.apply(world.scope, changes).await;
    assert!(matches!(refused, Err(StoreError::Overflow)), "{refused:?}");
    assert!(world.names(Filter::all()).await.is_empty());
    assert_eq!(world.entries().await.len(), 1);
}

async fn a_feed_sees_what_it_wrote(world: &mut World<'_>) {
    let chunks = Chunks { context: world.context.clone(), left: 3, end: || Ok(None), scope: world.scope };
    let changes = ChangeSet::streamed(world.context.stamp("test"), Box::new(chunks));
    assert_eq!(world.store.apply(world.scope, changes).await.unwrap().rows, 3);
    assert_eq!(world.names(Filter::all()).await, ["after 0", "after 1", "after 2"]);
    assert_eq!(world.entries().await.len(), 4);
}

async fn many_rows_in_one_change_set(world: &mut World<'_>) {
    let names: Vec<String> = (0..2_345).map(|number| format!("many {number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let written = world.contacts(&names).await;
    let count = Aggregate::new(Contact::TABLE, Expr::True).measure(Measure::Count);
    let answers = world.store.aggregate(world.scope, &[count]).await.unwrap();
    assert_eq!(answers[0][0], [Value::Int(2_345)]);
    assert_eq!(world.names(Filter::search("2344")).await, ["many 2344"]);
    let mut changes = world.changes();
    for (number, stored) in written.iter().enumerate() {
        if number % 2 == 0 {
            changes.update(&world.context, stored, contact("even"));
        } else {
            changes.delete(stored);
        }
    }
    world.store.apply(world.scope, changes).await.unwrap();
    let rows = world.store.select(world.scope, &Select::new(Contact::TABLE, Expr::True)).await.unwrap();
    assert_eq!(rows.len(), 1_173);
    let ids: Vec<_> = rows.iter().map(|row| Contact::TABLE.id(row)).collect();
    assert_eq!(world.store.fetch(world.scope, Contact::TABLE, &ids).await.unwrap().len(), 1_173);
    assert_eq!(world.store.select(world.scope, &Select::new(Invoice::TABLE, Expr::True)).await.unwrap().len(), 0);
}
