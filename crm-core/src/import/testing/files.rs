//! Files as they come.

use std::fmt::Write as _;

use super::super::{Import, ImportKind};
use super::{Notes, count, counts, entries, fields, file, mapping, people, places};
use crate::access::Role;
use crate::billing::{DocumentKind, NumberSeries, Product};
use crate::error::{CrmError, ErrorCode};
use crate::people::Contact;
use crate::store::Query;
use crate::{Crm, Edit, Session};

pub(super) async fn files_come_in_many_forms(_: &Crm, session: &Session<'static>) {
    let files: &[&[u8]] = &[
        b"given_name,email\nAda,a1@x.example\nBob,b1@x.example",
        b"\xef\xbb\xbfgiven_name;email\r\nAda;a2@x.example\r\nBob;b2@x.example\r\n",
        b"given_name\temail\nAda\ta3@x.example\nBob\tb3@x.example\n",
        b"\n\n\"given_name\" , email \nAda,  a4@x.example \n\n\"Bob\",b4@x.example\n\n",
        b"email,notes,given_name\na5@x.example,\"one\r\ntwo, \"\"three\"\"\",Ada\nb5@x.example,,Bob\n",
    ];
    for (number, text) in files.iter().enumerate() {
        let report = session.import(people(text)).await.unwrap();
        assert_eq!(counts(&report), (2, 0, 0, 0, true), "file {number}: {report:?}");
    }
    assert_eq!(count::<Contact>(session).await, 10);
    let ada = session.find::<Contact>("a5@x.example").await.unwrap();
    assert_eq!(ada.notes.as_ref().unwrap().as_str(), "one\ntwo, \"three\"");
    let given = mapping(&[("given_name", "a"), ("email", "b")], &[("kind", "person")]);
    let import = Import { mapping: super::Mapping { delimiter: Some('|'), ..given }, ..people("a|b\nEva|e@x.example") };
    assert_eq!(session.import(import).await.unwrap().created, 1);
    // Decimals with a comma, and dates in another order.
    let text = "name;unit_price\nThing;1234,50\n";
    let commas = super::Mapping { decimal_comma: true, ..super::Mapping::default() };
    let report = session.import(Import { mapping: commas, ..file(ImportKind::Products, text) }).await.unwrap();
    assert_eq!(report.created, 1, "{report:?}");
    let thing = session.list(&Query::<Product>::all()).await.unwrap().items.remove(0);
    assert_eq!(thing.unit_price.to_string(), "1234.5");
}

pub(super) async fn rows_that_cannot_be_read_are_named(_: &Crm, session: &Session<'static>) {
    let text = b"given_name,email,notes\nAda,a@x.example,\n\nBob,b@x.example\nCy,c@x.example,,,\n\"D\n\xff\",d@x.example,n\nEva,e@x.example,caf\xe9\nFay,no address,\n,g@x.example,x\nHal,h@x.example,\n";
    let notes = Notes::default();
    let report = session.import(Import { observer: Box::new(notes.clone()), ..people(text) }).await.unwrap();
    assert_eq!(counts(&report), (2, 0, 0, 6, false));
    let expected = [(4, "row"), (5, "row"), (6, "given_name"), (8, "notes"), (9, "email"), (10, "given_name")];
    assert_eq!(places(&report), expected);
    assert_eq!(report.problems[0].reason, "is stated as 3 cells in the header, but comes to 2 in the row");
    assert!(report.problems[2].reason.contains("text in UTF-8"), "{:?}", report.problems[2]);
    assert_eq!(report.problems[4].got, "no address");
    let heard = notes.0.lock().unwrap();
    assert_eq!(heard.refused.iter().map(|(line, ..)| *line).collect::<Vec<_>>(), [4, 5, 6, 8, 9, 10]);
    assert_eq!(heard.refused[0].1, ["Bob", "b@x.example"]);
}

pub(super) async fn headers_must_fit(_: &Crm, session: &Session<'static>) {
    let try_with = |columns: &[(&str, &str)], constants: &[(&str, &str)], text: &str| {
        session.import(Import { mapping: mapping(columns, constants), ..file(ImportKind::Contacts, text) })
    };
    let kind = [("kind", "person")];
    assert_eq!(fields(try_with(&[("email", "Mail")], &kind, "E-Mail\n").await), ["columns.email"]);
    assert_eq!(fields(try_with(&[("mail", "Mail")], &kind, "Mail\n").await), ["columns.mail"]);
    assert_eq!(fields(try_with(&[("code", "Mail")], &kind, "Mail\n").await), ["columns.code"]);
    assert_eq!(fields(try_with(&[("email", "Mail")], &kind, "Mail,Mail\n").await), ["columns.email"]);
    assert_eq!(fields(try_with(&[("kind", "K")], &kind, "K\n").await), ["constants.kind"]);
    assert_eq!(fields(try_with(&[], &kind, "email,email\n").await), ["columns.email"]);
    assert_eq!(fields(try_with(&[], &[], "a,b\n").await), ["columns"]);
    assert_eq!(fields(try_with(&[], &[], "email\n").await), ["columns.kind"]);
    assert_eq!(fields(try_with(&[], &kind, "").await), ["header"]);
    let keyed = |key: &str| Import { upsert_by: Some(key.to_owned()), ..people("given_name\nAda\n") };
    assert_eq!(fields(session.import(keyed("email")).await), ["columns.email"]);
    match session.import(keyed("given_name")).await {
        Err(error @ CrmError::Invalid(_)) => {
            assert!(error.to_string().contains("email, phone, account_number, code, external_id"), "{error}");
        }
        other => panic!("{other:?}"),
    }
    let mut bad = people("given_name\nAda\n");
    bad.mapping.date_format = vec!["%Q".to_owned()];
    assert_eq!(fields(session.import(bad).await), ["date_format"]);
    let lines: Box<dyn std::io::Read + Send> = Box::new(b"invoice\n".as_slice());
    assert_eq!(fields(session.import(Import { lines: Some(lines), ..people("given_name\n") }).await), ["lines"]);
    assert_eq!(count::<Contact>(session).await, 0);
}

pub(super) async fn columns_that_are_not_read_are_told(_: &Crm, session: &Session<'static>) {
    let text = "given_name,emial,,email\nAda,x,y,ada@x.example\n";
    let report = session.import(people(text)).await.unwrap();
    let told: Vec<_> = report.warnings.iter().map(|warning| (warning.line, &*warning.field)).collect();
    assert_eq!((told, report.written), (vec![(1, "emial")], true), "{report:?}");
    // A mapping leaves out what it does not name, knowingly.
    let given = mapping(&[("given_name", "given_name")], &[("kind", "person")]);
    let report = session.import(Import { mapping: given, ..people(text) }).await.unwrap();
    assert_eq!((report.warnings.len(), report.written), (0, true), "{report:?}");
    // Of the file of lines as well.
    let lines: Box<dyn std::io::Read + Send> = Box::new(b"invoice,quantity,unit_prize\n".as_slice());
    let invoices = Import { lines: Some(lines), ..file(ImportKind::Invoices, "contact_email,number\n") };
    let report = session.import(invoices).await.unwrap();
    assert_eq!(report.warnings.iter().map(|warning| &*warning.field).collect::<Vec<_>>(), ["line.unit_prize"]);
}

pub(super) async fn a_dry_run_writes_nothing(_: &Crm, session: &Session<'static>) {
    let before = entries(session).await;
    let mut text = String::from("given_name,email\n");
    (0..2_500).for_each(|row| writeln!(text, "Dry,dry{row}@x.example").unwrap());
    let dry = session.import(Import { dry_run: true, ..people(&text) }).await.unwrap();
    assert_eq!((dry.dry_run, counts(&dry)), (true, (2_500, 0, 0, 0, false)));
    assert_eq!((count::<Contact>(session).await, entries(session).await), (0, before));
    let wet = session.import(people(&text)).await.unwrap();
    assert_eq!((wet.dry_run, counts(&wet)), (false, (2_500, 0, 0, 0, true)));
    let dry = session.import(Import { dry_run: true, ..people(&text) }).await.unwrap();
    assert_eq!((dry.refused, dry.problems.len(), dry.further_problems), (2_500, 1_000, 1_500));
    assert_eq!(count::<Contact>(session).await, 2_500);
}

pub(super) async fn duplicates_are_refused_by_line(_: &Crm, session: &Session<'static>) {
    session.import(people("given_name,email\nOld,old@x.example\n")).await.unwrap();
    let mut text = String::from("given_name,email,account_number\nNew,OLD@x.example,\nOne,one@x.example,77\n");
    text.push_str("Two,One@X.example,\nThree,three@x.example,77\n");
    // The line comes from a chunk that is in the store already.
    (0..2_000).for_each(|row| writeln!(text, "Row,row{row}@x.example,").unwrap());
    text.push_str("Late,ONE@x.example,\n");
    let report = session.import(people(&text)).await.unwrap();
    assert_eq!(counts(&report), (2_001, 0, 0, 4, false));
    let told: Vec<_> =
        report.problems.iter().map(|problem| (problem.line, problem.field.as_str(), problem.reason.as_str())).collect();
    assert_eq!(told[0].0, 2);
    assert!(told[0].1 == "email" && told[0].2.contains("is taken by contact"), "{told:?}");
    assert_eq!(told[1], (4, "email", "\"one@x.example\" was given before, in line 3"));
    assert_eq!(told[2], (5, "account_number", "\"77\" was given before, in line 3"));
    assert_eq!(told[3], (2006, "email", "\"one@x.example\" was given before, in line 3"));
    assert_eq!(count::<Contact>(session).await, 1);
    // With a key, a row that comes again would change what the file itself wrote.
    let keyed = |text: &str| Import { upsert_by: Some("email".to_owned()), ..people(text) };
    let report = session.import(keyed("given_name,email\nA,x@x.example\nB,X@x.example\n")).await.unwrap();
    assert_eq!(places(&report), [(3, "email")]);
    // Tax numbers are unique together with their kind.
    let text = "given_name,tax_scheme,tax_number\nA,other,1-1\nB,other,11\nC,other,1-1\n";
    let report = session.import(people(text)).await.unwrap();
    assert!(places(&report).contains(&(4, "tax_number")), "{report:?}");
}

pub(super) async fn a_file_without_rows_is_fine(_: &Crm, session: &Session<'static>) {
    let before = entries(session).await;
    for text in ["given_name,email", "given_name,email\n", "\n\ngiven_name,email\r\n\r\n"] {
        let report = session.import(people(text)).await.unwrap();
        assert_eq!((report.read, counts(&report)), (0, (0, 0, 0, 0, true)));
    }
    let invoices = file(ImportKind::Invoices, "number,contact,line.description\n");
    assert_eq!(session.import(invoices).await.unwrap().read, 0);
    assert_eq!(session.import(file(ImportKind::Payments, "contact,amount\n")).await.unwrap().read, 0);
    assert_eq!(entries(session).await, before);
}

pub(super) async fn good_rows_are_kept_if_asked(_: &Crm, session: &Session<'static>) {
    let text = "given_name,email,phone\nAda,a@x.example,12\nBob,b@x.example,+14155552671\nCy,b@x.example,\nDora,d@x.example,\n";
    let report = session.import(Import { skip_refused: true, ..people(text) }).await.unwrap();
    assert_eq!(counts(&report), (2, 0, 0, 2, true));
    assert_eq!(places(&report), [(2, "phone"), (4, "email")]);
    assert_eq!(count::<Contact>(session).await, 2);
}

pub(super) async fn every_natural_key_finds_its_record(_: &Crm, session: &Session<'static>) {
    let text = "given_name,email,phone,account_number,external_id\nAda,Ada@X.example,(415) 555-2671,A-1,e1\nBob,b@x.example,,A-2,e2\n";
    session.import(people(text)).await.unwrap();
    let files = [
        ("email", "email,city\nADA@x.example,One\n"),
        ("phone", "phone,city\n+1 415 555 2671,Two\n"),
        ("account_number", "account_number,city\nA-1,Three\n"),
        ("external_id", "external_id,city\n e1 ,Four\n"),
    ];
    for (version, (key, text)) in (2..).zip(files) {
        for (updated, unchanged) in [(1, 0), (0, 1)] {
            let import = || Import { upsert_by: Some(key.to_owned()), ..file(ImportKind::Contacts, text) };
            let report = session.import(import()).await.unwrap();
            assert_eq!(counts(&report), (0, updated, unchanged, 0, true), "{key}");
        }
        assert_eq!(session.find::<Contact>("e1").await.unwrap().version, version);
    }
    // A row without the key could never be found again; one with a new key makes a record.
    let mixed = "external_id,given_name,kind\n,Nobody,person\ne3,Eva,person\n";
    let import = Import { upsert_by: Some("external_id".to_owned()), ..file(ImportKind::Contacts, mixed) };
    assert_eq!(places(&session.import(import).await.unwrap()), [(2, "external_id")]);
    let import =
        Import { upsert_by: Some("external_id".to_owned()), skip_refused: true, ..file(ImportKind::Contacts, mixed) };
    assert_eq!(counts(&session.import(import).await.unwrap()), (1, 0, 0, 1, true));
    // Taking another's unique value is refused.
    let import = Import {
        upsert_by: Some("external_id".to_owned()),
        ..file(ImportKind::Contacts, "external_id,email\ne2,ada@x.example\n")
    };
    let report = session.import(import).await.unwrap();
    assert_eq!(places(&report), [(2, "email")]);
    assert!(report.problems[0].reason.contains("is taken by contact"));
}

pub(super) async fn blank_cells_clear_what_has_no_default(_: &Crm, session: &Session<'static>) {
    session.import(people("given_name,external_id,city,owner_id\nAda,e1,Lima,\n")).await.unwrap();
    let ada = session.find::<Contact>("e1").await.unwrap();
    assert_eq!(ada.owner_id, Some(session.user().id));
    let text = "given_name,external_id,city,owner_id\nAda,e1,,\n";
    let report = session.import(Import { upsert_by: Some("external_id".to_owned()), ..people(text) }).await.unwrap();
    assert_eq!(report.updated, 1);
    let ada = session.find::<Contact>("e1").await.unwrap();
    assert_eq!((ada.city.clone(), ada.owner_id), (None, Some(session.user().id)));
    let products = "name,sku,unit_price,kind,currency,tax_percent\nThing,t,1.5,,,\n";
    assert_eq!(session.import(file(ImportKind::Products, products)).await.unwrap().created, 1);
    // The row's own country reads the phone before the organization's does.
    let text = "given_name,external_id,phone,country\nLuz,e2,321 1234567,Colombia\nJoe,e3,415 555 2671,\n";
    assert_eq!(session.import(people(text)).await.unwrap().created, 2);
    let phone = |contact: &Contact| contact.phone.as_ref().map(|phone| phone.e164().to_owned());
    assert_eq!(phone(&session.find::<Contact>("e2").await.unwrap()).as_deref(), Some("+573211234567"));
    assert_eq!(phone(&session.find::<Contact>("e3").await.unwrap()).as_deref(), Some("+14155552671"));
}

pub(super) async fn owners_are_members(crm: &Crm, session: &Session<'static>) {
    let member = crate::testing::member(crm, session, Role::Member).await.unwrap();
    let address = member.user().email.to_string();
    let text = format!("given_name,external_id,owner\nAda,e1,{}\nBob,e2,\n", address.to_uppercase());
    assert_eq!(session.import(people(&text)).await.unwrap().created, 2);
    assert_eq!(session.find::<Contact>("e1").await.unwrap().owner_id, Some(member.user().id));
    assert_eq!(session.find::<Contact>("e2").await.unwrap().owner_id, Some(session.user().id));
    let stranger = uuid::Uuid::from_u128(9);
    let text =
        format!("given_name,owner,company_id\nAda,nobody@x.example,\nBob,{address},{stranger}\nCy,,{stranger}\n");
    let report = session.import(people(&text)).await.unwrap();
    assert_eq!(places(&report), [(2, "owner"), (3, "company_id"), (4, "company_id")]);
}

pub(super) async fn numbers_come_from_the_series(_: &Crm, session: &Session<'static>) {
    let columns = NumberSeries::COLUMNS;
    let series = Edit::new().set(columns.kind, DocumentKind::Contact).set(columns.prefix, "C-".parse().ok());
    session.create::<NumberSeries>(series).await.unwrap();
    let mut text = String::from("given_name,external_id\n");
    (1..=1_200).for_each(|row| writeln!(text, "Row,e{row}").unwrap());
    assert_eq!(session.import(people(&text)).await.unwrap().created, 1_200);
    assert_eq!(session.find::<Contact>("C-000001").await.unwrap().external_id.as_deref(), Some("e1"));
    assert_eq!(session.find::<Contact>("C-001200").await.unwrap().external_id.as_deref(), Some("e1200"));
    let by_code = |text: &str| Import { upsert_by: Some("code".to_owned()), ..file(ImportKind::Contacts, text) };
    let report = session.import(by_code("code,city\nC-000002,Lima\nC-009999,Quito\n")).await.unwrap();
    assert_eq!(places(&report), [(3, "code")]);
    let report = session.import(by_code("code,city\nC-000002,Lima\n")).await.unwrap();
    assert_eq!(counts(&report), (0, 1, 0, 0, true));
}

pub(super) async fn a_borrowed_session_imports_too(crm: &Crm, session: &Session<'static>) {
    let store = crm.store();
    let borrowed = session.on(&**store);
    assert_eq!(borrowed.import(people("given_name\nAda\n")).await.unwrap().created, 1);
    assert_eq!(count::<Contact>(session).await, 1);
}

pub(super) async fn only_those_who_may_import(crm: &Crm, session: &Session<'static>) {
    for role in [Role::Member, Role::Viewer] {
        let member = crate::testing::member(crm, session, role).await.unwrap();
        let refused = member.import(people("given_name\nAda\n")).await;
        assert_eq!(refused.map_err(|error| error.code()), Err(ErrorCode::Forbidden));
    }
    let manager = crate::testing::member(crm, session, Role::Manager).await.unwrap();
    assert_eq!(manager.import(people("given_name\nAda\n")).await.unwrap().created, 1);
    // Failing input is an error, and nothing is written.
    let torn = Import { input: Box::new(Torn(false)), ..people("") };
    assert!(matches!(session.import(torn).await, Err(CrmError::Input(_))));
    assert_eq!(count::<Contact>(session).await, 1);
}

/// Gives the beginning of a file, then fails.
struct Torn(bool);
impl std::io::Read for Torn {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let text = b"given_name\nEva\n";
        if std::mem::replace(&mut self.0, true) {
            return Err(std::io::Error::other("torn"));
        }
        buffer[..text.len()].copy_from_slice(text);
        Ok(text.len())
    }
}
