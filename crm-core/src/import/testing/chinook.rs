//! The Chinook sample: a shop's customers, products, invoices and what was paid.

use std::fmt::Write as _;

use super::super::{Import, ImportKind, ImportReport, Mapping};
use super::{Notes, count, counts, entries, file, mapping, sum};
use crate::billing::{Allocation, Invoice, InvoiceLine, InvoiceStatus, Payment, Product};
use crate::entity::Entity as _;
use crate::people::Contact;
use crate::store::Query;
use crate::{Crm, Session};

const CUSTOMERS: &str = include_str!("../../../tests/data/chinook/customers.csv");
const PRODUCTS: &str = include_str!("../../../tests/data/chinook/products.csv");
const INVOICES: &str = include_str!("../../../tests/data/chinook/invoices.csv");
const LINES: &str = include_str!("../../../tests/data/chinook/invoice_lines.csv");

/// The customers' columns.
pub(super) fn customers_mapping() -> Mapping {
    let columns = [
        ("external_id", "CustomerId"),
        ("given_name", "FirstName"),
        ("family_name", "LastName"),
        ("company_name", "Company"),
        ("address_line", "Address"),
        ("city", "City"),
        ("region", "State"),
        ("country", "Country"),
        ("postal_code", "PostalCode"),
        ("phone", "Phone"),
        ("email", "Email"),
    ];
    let mut mapping = mapping(&columns, &[("kind", "person")]);
    mapping.values.insert("country".to_owned(), [("Czech Republic".to_owned(), "CZ".to_owned())].into());
    mapping
}

fn customers(text: &str) -> Import {
    Import {
        mapping: customers_mapping(),
        upsert_by: Some("external_id".to_owned()),
        ..file(ImportKind::Contacts, text)
    }
}

fn products() -> Import {
    let columns = [("sku", "TrackId"), ("name", "Name"), ("unit_price", "UnitPrice")];
    Import {
        mapping: mapping(&columns, &[("currency", "USD")]),
        upsert_by: Some("sku".to_owned()),
        ..file(ImportKind::Products, PRODUCTS)
    }
}

fn invoices() -> Import {
    let columns = [
        ("number", "InvoiceId"),
        ("contact_external_id", "CustomerId"),
        ("issued_on", "InvoiceDate"),
        ("total", "Total"),
    ];
    let lines =
        [("invoice", "InvoiceId"), ("product_sku", "TrackId"), ("unit_price", "UnitPrice"), ("quantity", "Quantity")];
    Import {
        mapping: mapping(&columns, &[("currency", "USD")]),
        lines: Some(Box::new(LINES.as_bytes())),
        lines_mapping: mapping(&lines, &[]),
        upsert_by: Some("number".to_owned()),
        ..file(ImportKind::Invoices, INVOICES)
    }
}

fn payments() -> Import {
    let columns = [
        ("external_id", "InvoiceId"),
        ("invoice", "InvoiceId"),
        ("contact_external_id", "CustomerId"),
        ("amount", "Total"),
        ("received_on", "InvoiceDate"),
    ];
    Import {
        mapping: mapping(&columns, &[("method", "card")]),
        upsert_by: Some("external_id".to_owned()),
        ..file(ImportKind::Payments, INVOICES)
    }
}

/// All four files; the reports in order.
async fn import_all(session: &Session<'_>) -> Vec<ImportReport> {
    let mut reports = Vec::new();
    for import in [Import { lenient: true, ..customers(CUSTOMERS) }, products(), invoices(), payments()] {
        let report = session.import(import).await.unwrap();
        assert_eq!(report.problems, [], "{report:?}");
        reports.push(report);
    }
    reports
}

pub(super) async fn chinook_is_imported_whole(_: &Crm, session: &Session<'static>) {
    let before = entries(session).await;
    let refused = session.import(customers(CUSTOMERS)).await.unwrap();
    assert_eq!(counts(&refused), (56, 0, 0, 3, false));
    assert_eq!(count::<Contact>(session).await, 0);
    assert_eq!(entries(session).await, before);
    for problem in &refused.problems {
        assert_eq!(problem.field, "phone");
        let line = CUSTOMERS.lines().nth(usize::try_from(problem.line).unwrap() - 1).unwrap();
        assert!(line.contains(&problem.got) && problem.got.starts_with('+'), "{problem:?}");
        assert!(problem.reason.contains("not a valid phone number"), "{problem:?}");
    }

    let reports = import_all(session).await;
    let created: Vec<_> = reports.iter().map(counts).collect();
    assert_eq!(created, [(59, 0, 0, 0, true), (1984, 0, 0, 0, true), (412, 0, 0, 0, true), (412, 0, 0, 0, true)]);
    assert_eq!(reports[0].warnings, refused.problems);
    let phones = session.count(&Query::new(!Contact::COLUMNS.phone.is_null())).await.unwrap();
    let raw = session.count(&Query::new(!Contact::COLUMNS.phone_raw.is_null())).await.unwrap();
    assert_eq!((phones, raw), (55, 3));
    let prague = session.find::<Contact>("frantisekw@jetbrains.com").await.unwrap();
    assert_eq!(prague.country.map(|country| country.code()), Some("CZ"));
    assert_eq!(prague.phone.as_ref().map(|phone| phone.e164().to_owned()).as_deref(), Some("+420241725555"));
    assert_eq!(prague.version, 1);

    assert_eq!((count::<Invoice>(session).await, count::<InvoiceLine>(session).await), (412, 2240));
    for column in ["total", "paid", "subtotal"] {
        assert_eq!(sum(session, Invoice::TABLE, column).await, 232_860, "{column}");
    }
    assert_eq!(sum(session, Allocation::TABLE, "amount").await, 232_860);
    let paid = session.count(&Query::new(Invoice::COLUMNS.status.eq(&InvoiceStatus::Paid))).await.unwrap();
    assert_eq!((paid, count::<Payment>(session).await), (412, 412));
    let first = session.find::<Invoice>("1").await.unwrap();
    assert_eq!(first.issued_on.map(|day| day.to_string()).as_deref(), Some("2021-01-01"));
    assert!(first.buyer.as_ref().unwrap().as_str().contains("Köhler"));
    assert_eq!(first.version, 2, "issued with its first version, then paid");
    let line = session.list(&Query::new(InvoiceLine::COLUMNS.invoice_id.eq(&first.id))).await.unwrap().items.remove(0);
    assert_eq!(line.description.as_str(), "Balls to the Wall");
    assert_eq!(session.get(line.product_id.unwrap()).await.unwrap().sku.as_deref(), Some("2"));
    assert!(session.verify(None).await.unwrap().problems == 0);
}

pub(super) async fn a_second_run_changes_nothing(_: &Crm, session: &Session<'static>) {
    import_all(session).await;
    let before = entries(session).await;
    let notes = Notes::default();
    let reports = import_all(session).await;
    let again: Vec<_> = reports.iter().map(counts).collect();
    assert_eq!(again, [(0, 0, 59, 0, true), (0, 0, 1984, 0, true), (0, 0, 412, 0, true), (0, 0, 412, 0, true)]);
    assert_eq!(entries(session).await, before);
    assert_eq!(count::<Product>(session).await, 1984);

    // One cell changes one record.
    let changed = CUSTOMERS.replace("Theodor-Heuss-Straße 34", "Neue Straße 1");
    let import = Import { lenient: true, observer: Box::new(notes.clone()), ..customers(&changed) };
    let report = session.import(import).await.unwrap();
    assert_eq!(counts(&report), (0, 1, 58, 0, true));
    assert_eq!(entries(session).await, before + 1);
    let contact = session.find::<Contact>("leonekohler@surfeu.de").await.unwrap();
    assert_eq!((contact.version, contact.address_line.as_deref()), (2, Some("Neue Straße 1")));
    let heard = notes.0.lock().unwrap();
    assert_eq!((heard.rows, heard.header[0].as_str(), heard.refused.len()), (59, "CustomerId", 0));
}

pub(super) async fn broken_rows_refuse_the_whole_file(_: &Crm, session: &Session<'static>) {
    // Every third row gets an address that is none.
    let mut broken = String::new();
    let mut lines = Vec::new();
    for (number, line) in (1..).zip(CUSTOMERS.lines()) {
        if number > 1 && number % 3 == 2 {
            lines.push(number);
            writeln!(broken, "{}", line.replacen('@', " at ", 1)).unwrap();
        } else {
            writeln!(broken, "{line}").unwrap();
        }
    }
    assert_eq!(lines.len(), 20);
    let notes = Notes::default();
    let before = entries(session).await;
    let import = Import { lenient: true, observer: Box::new(notes.clone()), ..customers(&broken) };
    let report = session.import(Import { upsert_by: None, ..import }).await.unwrap();
    assert_eq!(counts(&report), (39, 0, 0, 20, false));
    let problems: Vec<_> = report.problems.iter().map(|problem| problem.line).collect();
    assert_eq!(problems, lines);
    for problem in &report.problems {
        assert_eq!(problem.field, "email");
        assert!(problem.got.contains(" at ") && problem.reason.contains("expected an e-mail address"), "{problem:?}");
    }
    assert_eq!((count::<Contact>(session).await, entries(session).await), (0, before));
    let heard = notes.0.lock().unwrap();
    assert_eq!(heard.refused.len(), 20);
    assert_eq!(heard.refused[0].1.len(), heard.header.len());
}
