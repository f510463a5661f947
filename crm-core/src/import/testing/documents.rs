//! Invoices and payments.

use std::fmt::Write as _;

use super::super::{Import, ImportKind};
use super::{Notes, count, counts, entries, file, mapping, people, places};
use crate::billing::{Invoice, InvoiceLine, InvoiceStatus, Payment};
use crate::people::Contact;
use crate::store::Query;
use crate::{Crm, Session};

/// Three people, `c1` to `c3`.
async fn contacts(session: &Session<'_>) {
    let text = "given_name,external_id,email\nAda,c1,a@x.example\nBob,c2,b@x.example\nCy,c3,c@x.example\n";
    assert_eq!(session.import(people(text)).await.unwrap().created, 3);
}

fn invoices(text: &str) -> Import {
    file(ImportKind::Invoices, text)
}

fn payments(text: &str) -> Import {
    file(ImportKind::Payments, text)
}

/// Invoices and their lines, with columns named like fields.
fn joined(text: &str, lines: &str) -> Import {
    Import { lines: Some(Box::new(std::io::Cursor::new(lines.to_owned()))), ..invoices(text) }
}

pub(super) async fn invoices_of_several_rows(_: &Crm, session: &Session<'static>) {
    contacts(session).await;
    let header =
        "number,contact,issued_on,due_on,total,line.description,line.quantity,line.unit_price,line.tax_percent\n";
    let text = format!(
        "{header}A1,c1,2026-01-05,2026-02-05,32.10,Work,2,10,10\nA1,,,,,Travel,,10.10,0\nA2,b@x.example,2026-01-06 00:00:00,,,Thing,,5,\n"
    );
    let report = session.import(invoices(&text)).await.unwrap();
    assert_eq!((report.read, counts(&report)), (3, (2, 0, 0, 0, true)), "{report:?}");
    let first = session.find::<Invoice>("A1").await.unwrap();
    assert_eq!((first.subtotal.0, first.tax.0, first.total.0, first.status), (3_010, 200, 3_210, InvoiceStatus::Open));
    assert_eq!((first.version, first.due_on.unwrap().to_string()), (1, "2026-02-05".to_owned()));
    let second = session.find::<Invoice>("A2").await.unwrap();
    assert_eq!(second.due_on.unwrap().to_string(), "2026-02-05", "the organization's term");
    assert_eq!(session.get(second.contact_id).await.unwrap().external_id.as_deref(), Some("c2"));
    let keyed = |text: &str| Import { upsert_by: Some("number".to_owned()), ..invoices(text) };
    assert_eq!(counts(&session.import(keyed(&text)).await.unwrap()), (0, 0, 2, 0, true));
    // Rows of one invoice must not contradict each other.
    let text = format!("{header}A3,c1,2026-01-05,,,Work,2,10,10\nA3,c2,2026-01-06,,,Travel,,10,0\n");
    let report = session.import(invoices(&text)).await.unwrap();
    assert_eq!(places(&report), [(3, "issued_on"), (3, "contact")]);
    assert_eq!(report.refused, 2);
}

pub(super) async fn lines_in_another_order_are_refused(_: &Crm, session: &Session<'static>) {
    contacts(session).await;
    let text = "external_id,contact\ni1,c1\ni2,c1\ni3,c2\ni4,c2\n";
    let lines = "invoice,description,unit_price\ni1,A,1\ni1,B,2\ni9,orphan,1\ni2,C,3\ni4,D,4\ni1,late,5\n,blank,1\n";
    let notes = Notes::default();
    let import = Import { observer: Box::new(notes.clone()), ..joined(text, lines) };
    let report = session.import(import).await.unwrap();
    assert_eq!(counts(&report), (3, 0, 0, 4, false), "{report:?}");
    let expected = [(4, "line.invoice"), (7, "line.invoice"), (8, "line.invoice"), (4, "lines")];
    assert_eq!(places(&report), expected);
    assert_eq!(report.problems[0].reason, "there is no invoice i9");
    assert!(report.problems[1].reason.contains("its invoice came before"), "{:?}", report.problems[1]);
    {
        let heard = notes.0.lock().unwrap();
        assert_eq!(heard.lines[0], (4, ["i9", "orphan", "1"].map(str::to_owned).to_vec()));
        assert_eq!(heard.refused.len(), 1);
    }
    assert_eq!(count::<Invoice>(session).await, 0);
    // A broken line refuses its invoice, not the others.
    let lines = "invoice,description,unit_price\ni1,A,1\ni1,B,x\ni2,C\ni3,C,3\ni4,D,-4\n";
    let report = session.import(Import { skip_refused: true, ..joined(text, lines) }).await.unwrap();
    assert_eq!(counts(&report), (1, 0, 0, 3, true), "{report:?}");
    assert_eq!(places(&report), [(3, "line.unit_price"), (4, "line.row"), (6, "line.unit_price")]);
    assert_eq!((report.problems[0].got.as_str(), report.problems[2].got.as_str()), ("x", "-4"));
    // Many chunks.
    let (mut text, mut lines) =
        (String::from("external_id,contact\n"), String::from("line.invoice,line.description,line.unit_price\n"));
    for number in 0..2_600 {
        writeln!(text, "m{number},c{}", number % 3 + 1).unwrap();
        (0..=number % 3).for_each(|line| writeln!(lines, "m{number},L{line},1.5").unwrap());
    }
    let report = session.import(joined(&text, &lines)).await.unwrap();
    assert_eq!(counts(&report), (2_600, 0, 0, 0, true), "{:?}", report.problems);
    assert_eq!(count::<InvoiceLine>(session).await, 1 + 5_199);
}

pub(super) async fn issued_documents_do_not_change(_: &Crm, session: &Session<'static>) {
    contacts(session).await;
    let text = "number,contact,issued_on,line.description,line.unit_price\nN1,c1,2026-01-05,Work,10\nN2,c2,2026-01-06,Work,10\n";
    session.import(invoices(text)).await.unwrap();
    let before = entries(session).await;
    let keyed = |text: String| Import { upsert_by: Some("number".to_owned()), ..invoices(&text) };
    for (from, to, expected) in [
        ("c1", "c3", vec![(2, "contact")]),
        ("01-05", "01-07", vec![(2, "issued_on")]),
        ("Work,10\nN2", "Work,11\nN2", vec![(2, "total"), (2, "line.unit_price")]),
        ("Work,10\nN2", "Rest,10\nN2", vec![(2, "line.description")]),
        ("N2", "N1", vec![(3, "issued_on"), (3, "contact")]),
    ] {
        let report = session.import(keyed(text.replace(from, to))).await.unwrap();
        assert_eq!(places(&report), expected, "{from} as {to}");
    }
    assert_eq!(counts(&session.import(keyed(text.to_owned())).await.unwrap()), (0, 0, 2, 0, true));
    // Without a key the number is taken; one that comes again later in the file is too.
    let report = session.import(invoices(text)).await.unwrap();
    assert_eq!(places(&report), [(2, "number"), (3, "number")]);
    let again = "number,contact,line.description,line.unit_price\nN3,c1,A,1\nN4,c1,A,1\nN3,c1,A,1\n";
    let report = session.import(invoices(again)).await.unwrap();
    assert_eq!(places(&report), [(4, "number")]);
    assert_eq!(report.problems[0].reason, "\"N3\" was given before, in line 2");
    let paid = "external_id,contact,amount,received_on\np1,c1,5,2026-01-10\n";
    session.import(payments(paid)).await.unwrap();
    let keyed = |text: String| Import { upsert_by: Some("external_id".to_owned()), ..payments(&text) };
    assert_eq!(counts(&session.import(keyed(paid.to_owned())).await.unwrap()), (0, 0, 1, 0, true));
    for (from, to, field) in [("c1", "c2", "contact"), (",5,", ",6,", "amount"), ("01-10", "01-11", "received_on")] {
        let report = session.import(keyed(paid.replace(from, to))).await.unwrap();
        assert_eq!(places(&report), [(2, field)], "{from} as {to}");
    }
    assert_eq!(places(&session.import(payments(paid)).await.unwrap()), [(2, "external_id")]);
    assert_eq!(entries(session).await, before + 1);
}

pub(super) async fn invoices_take_numbers_from_the_series(_: &Crm, session: &Session<'static>) {
    contacts(session).await;
    let mut text = String::from("external_id,number,contact,line.description,line.unit_price\n");
    for number in 1..=1_100 {
        let own = if number % 100 == 0 { format!("OLD-{number}") } else { String::new() };
        writeln!(text, "x{number},{own},c1,Work,1").unwrap();
    }
    let report = session.import(invoices(&text)).await.unwrap();
    assert_eq!(counts(&report), (1_100, 0, 0, 0, true), "{:?}", report.problems);
    let number = |invoice: &Invoice| invoice.number.as_ref().unwrap().to_string();
    assert_eq!(number(&session.find::<Invoice>("x1").await.unwrap()), "INV-000001");
    assert_eq!(number(&session.find::<Invoice>("x99").await.unwrap()), "INV-000099");
    assert_eq!(number(&session.find::<Invoice>("x100").await.unwrap()), "OLD-100");
    assert_eq!(number(&session.find::<Invoice>("x101").await.unwrap()), "INV-000100");
    assert_eq!(number(&session.find::<Invoice>("x1099").await.unwrap()), "INV-001089");
    let keyed = Import { upsert_by: Some("external_id".to_owned()), ..invoices(&text) };
    assert_eq!(session.import(keyed).await.unwrap().unchanged, 1_100);
    let report =
        session.import(invoices("number,contact,line.description,line.unit_price\nINV-009000,c1,A,1\n")).await.unwrap();
    assert_eq!(places(&report), [(2, "number")]);
}

pub(super) async fn payments_see_each_other(_: &Crm, session: &Session<'static>) {
    contacts(session).await;
    let text = "number,contact,issued_on,line.description,line.unit_price\nP1,c1,2026-01-05,Work,100\nP2,c2,2026-01-02,Work,50\nP3,c2,2026-01-01,Work,30\n";
    session.import(invoices(text)).await.unwrap();
    let text = "invoice,amount,received_on,reference\nP1,40,2026-02-01,r1\nP1,40,2026-02-02,r2\nP1,40,2026-02-03,r3\n";
    let report = session.import(payments(text)).await.unwrap();
    assert_eq!(places(&report), [(4, "amount")]);
    assert_eq!(report.problems[0].reason, "40.00 USD is more than the 20.00 USD due on invoice P1");
    assert_eq!(count::<Payment>(session).await, 0);
    let report = session.import(payments(&text.replace("P1,40,2026-02-03", "P1,20,2026-02-03"))).await.unwrap();
    assert_eq!(counts(&report), (3, 0, 0, 0, true), "{report:?}");
    let invoice = session.find::<Invoice>("P1").await.unwrap();
    assert_eq!((invoice.status, invoice.paid.0, invoice.version), (InvoiceStatus::Paid, 10_000, 2));
    let text = "contact_email,amount,allocate\nb@x.example,10,oldest\nb@x.example,25,oldest\nb@x.example,7,none\nb@x.example,8,\n";
    assert_eq!(session.import(payments(text)).await.unwrap().created, 4);
    let paid = |invoice: &Invoice| (invoice.paid.0, invoice.status);
    assert_eq!(paid(&session.find::<Invoice>("P3").await.unwrap()), (3_000, InvoiceStatus::Paid));
    assert_eq!(paid(&session.find::<Invoice>("P2").await.unwrap()), (500, InvoiceStatus::Open));
    // Refused ones leave nothing behind while the others go on.
    let text = "invoice,contact,amount\nP2,c1,5\nP1,c1,5\nnone,c1,5\nP2,c2,0\nP2,c2,-1\nP2,c2,x\n,,5\nP2,,5\n";
    let report = session.import(Import { skip_refused: true, ..payments(text) }).await.unwrap();
    assert_eq!(counts(&report), (1, 0, 0, 7, true), "{report:?}");
    let expected =
        [(2, "invoice"), (3, "invoice"), (4, "invoice"), (5, "amount"), (6, "amount"), (7, "amount"), (8, "contact")];
    assert_eq!(places(&report), expected);
    assert_eq!(paid(&session.find::<Invoice>("P2").await.unwrap()), (1_000, InvoiceStatus::Open));
    assert_eq!(count::<Payment>(session).await, 8);
    assert_eq!(session.verify(None).await.unwrap().problems, 0);
}

pub(super) async fn broken_documents_are_named(_: &Crm, session: &Session<'static>) {
    contacts(session).await;
    let header = "number,contact,issued_on,due_on,currency,total,line.description,line.product_sku,line.quantity,line.unit_price";
    let rows = [
        ("B1,nobody,,,,,Work,,1,1", "contact"),
        ("B2,c1,05/01/2026,,,,Work,,1,1", "issued_on"),
        ("B3,c1,2026-01-05,2026-01-04,,,Work,,1,1", "due_on"),
        ("B4,c1,,,XXX,,Work,,1,1", "currency"),
        ("B5,c1,,,,2,Work,,1,1", "total"),
        ("B6,c1,,,,,Work,nosuch,1,1", "line.product_sku"),
        ("B7,c1,,,,,Work,,0,1", "line.quantity"),
        ("B8,c1,,,,,,,1,1", "line.description"),
        ("B9,c1,,,,,Work,,1,", "line.unit_price"),
        ("B10,,,,,,Work,,1,1", "contact"),
        ("B11,c1,,,JPY,1.5,Work,,1,1", "total"),
    ];
    let mut text = format!("{header}\n");
    for (row, _) in &rows {
        writeln!(text, "{row}").unwrap();
    }
    text.push_str("B12,c1,,,,,Good,,1,1\n");
    let report = session.import(invoices(&text)).await.unwrap();
    let expected: Vec<_> = (2..).zip(rows.iter().map(|(_, field)| *field)).collect();
    assert_eq!(places(&report), expected, "{report:?}");
    assert_eq!(counts(&report), (1, 0, 0, 11, false));
    assert_eq!(report.problems[4].reason, "is stated as 2.00 USD, but comes to 1.00 USD");
    assert_eq!(count::<Invoice>(session).await, 0);
    let report = session.import(Import { skip_refused: true, ..invoices(&text) }).await.unwrap();
    assert_eq!(counts(&report), (1, 0, 0, 11, true));
    assert_eq!((count::<Invoice>(session).await, count::<InvoiceLine>(session).await), (1, 1));
    let dated = super::Mapping { date_format: vec!["%d/%m/%Y".to_owned()], ..super::Mapping::default() };
    let text = "number,contact,issued_on,line.description,line.unit_price\nD1,c1,05/01/2026,Work,1\n";
    assert_eq!(session.import(Import { mapping: dated, ..invoices(text) }).await.unwrap().created, 1);
    assert_eq!(session.find::<Invoice>("D1").await.unwrap().issued_on.unwrap().to_string(), "2026-01-05");
    let wrong = mapping(&[("contact", "a"), ("contact_email", "a")], &[]);
    let refused = session.import(Import { mapping: wrong, ..invoices("a\n") }).await;
    assert_eq!(super::fields(refused), ["columns.contact_email"]);
    assert_eq!(super::fields(session.import(invoices("number,contact\n")).await), ["lines"]);
    assert_eq!(super::fields(session.import(payments("notes\n")).await), ["columns.contact", "columns.amount"]);
    let open = session.count(&Query::new(Invoice::COLUMNS.status.eq(&InvoiceStatus::Open))).await.unwrap();
    assert_eq!((open, count::<Contact>(session).await), (2, 3));
}
