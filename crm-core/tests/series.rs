//! Number series: prefixes, years, ranges, validity, warnings.
#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::fmt::Write as _;

use crm_core::billing::{
    BillingError, CreateInvoice, Invoice, NewLine, NumberSeries, SeriesYear, VoidInvoice, Warning,
};
use crm_core::entity::{Entity as _, Stored};
use crm_core::import::{Import, ImportKind};
use crm_core::people::Contact;
use crm_core::store::{Expr, Filter, MemoryStore, Query, Select, StoreExt as _};
use crm_core::value::{Date, Decimal6, parse_date};
use crm_core::{Crm, CrmError, Edit, Id, Rules, Session, block_on, testing};

struct World {
    crm: Crm,
    session: Session<'static>,
    series: Id<NumberSeries>,
    contact: Id<Contact>,
}

/// An organization whose series of invoices has these fields. Today is 15 June 2026.
fn world(fields: &[(&str, &str)]) -> World {
    let crm = testing::crm(MemoryStore::new(), 1);
    let session = block_on(testing::organization(&crm, "acme")).unwrap();
    let series = block_on(session.list(&Query::<NumberSeries>::all())).unwrap().items[0].id;
    let contact = create::<Contact>(&session, &[("kind", "person"), ("given_name", "Eva")]).id;
    let world = World { crm, session, series, contact };
    world.change(fields).unwrap();
    world
}

fn edit<E: Rules>(session: &Session<'_>, fields: &[(&str, &str)]) -> Edit<E> {
    Edit::parse(fields.iter().copied(), &session.locale()).unwrap()
}

fn create<E: Rules>(session: &Session<'_>, fields: &[(&str, &str)]) -> Stored<E> {
    block_on(session.create(edit(session, fields))).unwrap()
}

fn day(text: &str) -> Date {
    parse_date(text).unwrap()
}

impl World {
    fn change(&self, fields: &[(&str, &str)]) -> Result<Stored<NumberSeries>, CrmError> {
        block_on(self.session.update(self.series, edit(&self.session, fields)))
    }

    fn refused(&self, fields: &[(&str, &str)]) -> Vec<String> {
        match self.change(fields) {
            Err(CrmError::Invalid(fields)) => fields.into_iter().map(|invalid| invalid.field).collect(),
            other => panic!("{other:?}"),
        }
    }

    fn draft(&self, on: &str) -> CreateInvoice {
        let line = NewLine {
            product: None,
            description: "Work".parse().ok(),
            quantity: Decimal6::ONE,
            unit_price: Some(Decimal6::ONE),
            discount: None,
            tax_percent: None,
        };
        CreateInvoice { issued_on: Some(day(on)), ..CreateInvoice::draft(self.contact, vec![line]) }
    }

    fn issue(&self, on: &str) -> Result<Stored<Invoice>, CrmError> {
        block_on(self.session.run(&CreateInvoice { issue: Some(None), ..self.draft(on) }))
    }

    fn supply(&self, number: &str) -> Result<Stored<Invoice>, CrmError> {
        block_on(self.session.run(&CreateInvoice { issue: Some(number.parse().ok()), ..self.draft("2026-06-15") }))
    }

    fn number(&self, on: &str) -> String {
        self.issue(on).unwrap().number.clone().unwrap().to_string()
    }

    fn rule(&self, on: &str) -> BillingError {
        match self.issue(on) {
            Err(CrmError::Billing(error)) => error,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_prefix_takes_its_parts_from_the_documents_date() {
    let world = world(&[("prefix", "F{year}{month}-"), ("digits", "3")]);
    assert_eq!(world.number("2026-06-15"), "F202606-001");
    assert_eq!(world.number("2025-12-31"), "F202512-002");
    world.change(&[("prefix", "{date}/")]).unwrap();
    assert_eq!(world.number("2026-06-15"), "20260615/003");
    assert_eq!(world.refused(&[("prefix", "{day}")]), ["prefix"]);
    assert_eq!(world.refused(&[("prefix", "a prefix of twenty-one")]), ["prefix"]);
}

#[test]
fn a_yearly_series_begins_again_with_each_year_of_the_documents() {
    let world = world(&[("prefix", "{year}-"), ("reset", "year"), ("digits", "4"), ("start", "57")]);
    // The year of today goes on with the old book, the others begin at 1.
    assert_eq!(world.number("2026-01-01"), "2026-0057");
    assert_eq!(world.number("2025-12-31"), "2025-0001");
    assert_eq!(world.number("2026-06-14"), "2026-0058");
    assert_eq!(world.number("2025-01-01"), "2025-0002");
    assert_eq!(world.number("2024-01-01"), "2024-0001");
    let years: Vec<Stored<SeriesYear>> =
        block_on(world.session.store().all(world.session.scope(), &Select::new(SeriesYear::TABLE, Expr::True)))
            .unwrap();
    let mut years: Vec<_> = years.iter().map(|opened| (opened.year, opened.next)).collect();
    years.sort_unstable();
    assert_eq!(years, [(2024, 2), (2025, 3), (2026, 59)]);
    // Numbers that the series gives out are not supplied; those of the old book are.
    assert!(matches!(world.supply("2026-0099"), Err(CrmError::Invalid(_))));
    assert_eq!(world.supply("2026-0056").unwrap().number.as_deref(), Some("2026-0056"));
    assert_eq!(world.refused(&[("prefix", "F-")]), ["prefix"]);
}

#[test]
fn a_refused_invoice_opens_no_year() {
    let world = world(&[("prefix", "{year}-"), ("reset", "year"), ("last", "2")]);
    let mut edit = world.draft("2026-06-15");
    edit.lines.clear();
    assert!(block_on(world.session.run(&CreateInvoice { issue: Some(None), ..edit })).is_err());
    let years = Select::new(SeriesYear::TABLE, Expr::True);
    let years: Vec<Stored<SeriesYear>> = block_on(world.session.store().all(world.session.scope(), &years)).unwrap();
    assert!(years.is_empty());
    // A draft that is deleted, and a void invoice: no number is lost, none is used again.
    let first = world.issue("2026-06-15").unwrap();
    block_on(world.session.run(&VoidInvoice(first.id))).unwrap();
    assert_eq!((first.number.as_deref(), &*world.number("2026-06-15")), (Some("2026-000001"), "2026-000002"));
}

#[test]
fn a_range_that_is_used_up_says_so() {
    let world = world(&[("first", "100"), ("last", "102")]);
    for expected in ["INV-000100", "INV-000101", "INV-000102"] {
        assert_eq!(world.number("2026-06-15"), expected);
    }
    let refused = world.rule("2026-06-15");
    assert!(matches!(refused, BillingError::NoNumberLeft { first: 100, last: 102, .. }), "{refused}");
    // The authority allows more, under the same prefix.
    world.change(&[("first", "500"), ("last", "501")]).unwrap();
    assert_eq!(world.number("2026-06-15"), "INV-000500");
    assert_eq!(world.refused(&[("last", "499")]), ["last"]);
    // In a year of its own, opened or not.
    let yearly = self::world(&[("prefix", "{year}-"), ("reset", "year"), ("last", "1")]);
    yearly.issue("2026-06-15").unwrap();
    assert!(matches!(yearly.rule("2026-06-15"), BillingError::NoNumberLeft { first: 1, last: 1, .. }));
    yearly.issue("2025-06-15").unwrap();
}

#[test]
fn issuing_outside_the_validity_is_refused() {
    let world = world(&[("valid_from", "2025-01-01"), ("valid_until", "2025-12-31")]);
    for outside in ["2024-12-31", "2026-01-01"] {
        let refused = world.rule(outside);
        assert!(matches!(refused, BillingError::SeriesValidity { on, .. } if on == day(outside)), "{refused}");
        assert!(refused.to_string().ends_with(&format!("from 2025-01-01 until 2025-12-31, not on {outside}")));
    }
    assert_eq!(world.number("2025-01-01"), "INV-000001");
    assert_eq!(world.number("2025-12-31"), "INV-000002");
    assert_eq!(world.refused(&[("valid_until", "2024-12-31")]), ["valid_until"]);
}

#[test]
fn a_series_continues_an_old_book() {
    let world = world(&[("start", "1001")]);
    assert_eq!(world.supply("INV-001000").unwrap().number.as_deref(), Some("INV-001000"));
    assert!(matches!(world.supply("INV-001001"), Err(CrmError::Invalid(_))));
    // Until it gave a number it may begin elsewhere.
    assert_eq!(world.change(&[("start", "11")]).unwrap().next, 11);
    assert_eq!(world.number("2026-06-15"), "INV-000011");
    let now = block_on(world.session.get(world.series)).unwrap();
    assert_eq!(now.next, 12);
}

#[test]
fn what_could_repeat_a_number_is_fixed_once_one_was_given() {
    let world = world(&[("prefix", "A1"), ("digits", "1")]);
    world.issue("2026-06-15").unwrap();
    assert_eq!(world.refused(&[("start", "7")]), ["start"]);
    assert_eq!(world.refused(&[("reset", "year"), ("prefix", "B{year}-")]), ["reset"]);
    // A15 would be given as the fifteenth, and as the fifth before.
    assert_eq!(world.refused(&[("prefix", "A")]), ["prefix"]);
    world.change(&[("prefix", "B-")]).unwrap();
    assert_eq!(world.number("2026-06-15"), "B-2");
}

#[test]
fn what_was_issued_is_warned_about() {
    let world = world(&[("last", "10"), ("warn_percent", "20"), ("valid_until", "2026-07-15")]);
    let warnings = |invoice: &Stored<Invoice>| block_on(world.session.warnings(invoice)).unwrap();
    let first = world.issue("2026-06-14").unwrap();
    assert_eq!(warnings(&first), []);
    let second = world.issue("2026-06-15").unwrap();
    let [Warning::RangeShare { left: 8, percent: 20, last: 10, .. }, Warning::ValidityEnds { days: 30, .. }] =
        warnings(&second)[..]
    else {
        panic!("{:?}", warnings(&second));
    };
    // The second one has a later date and an earlier number than the third.
    let third = world.issue("2026-06-13").unwrap();
    let last = warnings(&third).pop().unwrap();
    assert_eq!(last, Warning::Chronology { earlier: "INV-000002".into(), dated: day("2026-06-15") });
    assert_eq!(last.to_string(), "INV-000002 has an earlier number and a later date, 2026-06-15");
    assert_eq!(warnings(&first), []);
}

#[test]
fn a_yearly_series_numbers_contacts_and_imports() {
    let world = world(&[("prefix", "{year}-"), ("reset", "year")]);
    create::<NumberSeries>(&world.session, &[("kind", "contact"), ("prefix", "K{year}-"), ("reset", "year")]);
    let email = world.session.user().email.clone();
    let session = block_on(world.crm.session(&"acme".parse().unwrap(), &email)).unwrap();
    let person = [("kind", "person"), ("given_name", "B")];
    // The first of a year open it; the others count on.
    for codes in [["K2026-000001", "K2026-000002"], ["K2026-000003", "K2026-000004"]] {
        let many = block_on(session.create_many::<Contact>(&[edit(&session, &person), edit(&session, &person)]));
        let many = many.unwrap();
        assert_eq!([many[0].code.as_deref(), many[1].code.as_deref()], codes.map(Some));
    }
    assert_eq!(create::<Contact>(&session, &person).code.as_deref(), Some("K2026-000005"));
    // Found by its number, be it put in or counted, and nothing in the book contradicts another.
    for code in ["K2026-000001", "K2026-000004", "k2026-000005"] {
        let found = block_on(session.list(&Query::new(Filter::<Contact>::search(code)))).unwrap().items;
        assert_eq!(found.len(), 1, "{code}");
    }
    assert_eq!(block_on(session.verify(None)).unwrap().findings, []);
    // More rows than one chunk has; the first invoice of each year opens it.
    let mut rows = String::from("contact_id,issued_on,line.description,line.unit_price\n");
    for number in 0..2_500 {
        writeln!(rows, "{},{}-03-01,Work,1", world.contact, 2024 + number % 3).unwrap();
    }
    let report = block_on(session.import(Import::new(ImportKind::Invoices, std::io::Cursor::new(rows)))).unwrap();
    assert_eq!((report.created, report.written), (2_500, true));
    let query = Query::<Invoice>::all().limit(10_000);
    let numbers = block_on(session.list(&query)).unwrap().items;
    let mut numbers: Vec<_> = numbers.iter().map(|invoice| invoice.number.clone().unwrap().to_string()).collect();
    numbers.sort_unstable();
    let count = |year: i64| 2_500 / 3 + i64::from(year < 2025);
    let expected = (2024..2027).flat_map(|year| (1..=count(year)).map(move |number| format!("{year}-{number:06}")));
    assert_eq!(numbers, expected.collect::<Vec<_>>());
}
