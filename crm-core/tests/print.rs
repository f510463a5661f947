//! Printed documents.
#![expect(clippy::unwrap_used, reason = "these are tests")]

use crm_core::access::{Organization, Role};
use crm_core::billing::{
    Allocate, CreateCreditNote, CreateInvoice, CreditNote, Credited, Discount, Invoice, NewLine, NumberSeries,
    RecordPayment, Split, VoidInvoice,
};
use crm_core::entity::Stored;
use crm_core::people::Contact;
use crm_core::print::{InvoiceDocument, PrintError, StatementDocument, render};
use crm_core::report::StatementOptions;
use crm_core::store::{MemoryStore, Query};
use crm_core::value::{Currency, Decimal6, Money, parse_date};
use crm_core::{Edit, Id, Rules, Session, block_on, testing};

fn edit<E: Rules>(session: &Session<'_>, fields: &[(&str, &str)]) -> Edit<E> {
    Edit::parse(fields.iter().copied(), &session.locale()).unwrap()
}

fn change<E: Rules>(session: &Session<'_>, id: Id<E>, fields: &[(&str, &str)]) -> Stored<E> {
    block_on(session.update(id, edit(session, fields))).unwrap()
}

/// An organization that says everything of itself, and a contact whose data are as hostile as may be.
fn world() -> (Session<'static>, Id<Contact>) {
    let crm = testing::crm(MemoryStore::new(), 1);
    let session = block_on(testing::organization(&crm, "acme")).unwrap();
    let fields = [
        ("legal_name", "Acme & Söhne <GmbH>"),
        ("tax_number", "DE 123 456 789"),
        ("address", "Hauptstraße 1\n10115 Berlin"),
        ("email", "billing@acme.example"),
        ("phone", "+49 30 901820"),
        ("website", "acme.example"),
        ("document_footer", "IBAN DE02 1203 0000 0000 2020 51\nThank you."),
    ];
    change::<Organization>(&session, session.organization().id, &fields);
    let series = block_on(session.list(&Query::<NumberSeries>::all())).unwrap().items[0].id;
    let fields =
        [("authorisation", "Resolution 18764"), ("last", "5000"), ("valid_from", "2026-01-01"), ("prefix", "R{year}-")];
    change::<NumberSeries>(&session, series, &fields);
    let contact = edit::<Contact>(
        &session,
        &[
            ("kind", "company"),
            ("company_name", "<script>alert(1)</script>"),
            ("address_line", "\"Quay\" 7"),
            ("city", "Cali"),
            ("postal_code", "760001"),
            ("country", "CO"),
            ("tax_scheme", "other"),
            ("tax_number", "A'1"),
            ("account_number", "{{ 7*7 }}"),
        ],
    );
    let contact = block_on(session.create(contact)).unwrap().id;
    // The session reads the organization's data anew.
    let session = block_on(crm.session(&"acme".parse().unwrap(), &session.user().email)).unwrap();
    (session, contact)
}

fn line(description: &str, quantity: &str, price: &str, discount: Option<Discount>, tax: &str) -> NewLine {
    NewLine {
        product: None,
        description: description.parse().ok(),
        quantity: Decimal6::parse(quantity).unwrap(),
        unit_price: Decimal6::parse(price).ok(),
        discount,
        tax_percent: Decimal6::parse(tax).ok(),
    }
}

fn draft(contact: Id<Contact>) -> CreateInvoice {
    let ten = Discount::Percent(Decimal6::parse("10").unwrap());
    CreateInvoice {
        issued_on: parse_date("2026-04-30").ok(),
        due_on: parse_date("2026-05-30").ok(),
        notes: "First line.\nSecond <b>line</b>.".parse().ok(),
        ..CreateInvoice::draft(
            contact,
            vec![
                line("Consulting", "1200", "80.5", Some(ten), "19"),
                line("A <i>book</i> & more", "2", "10.005", None, "7"),
                line("Rate of 0.0375 a piece", "1000000", "0.0375", None, "19"),
            ],
        )
    }
}

fn create(session: &Session<'_>, command: &CreateInvoice) -> Stored<Invoice> {
    block_on(session.run(command)).unwrap()
}

fn issued(session: &Session<'_>, contact: Id<Contact>) -> Stored<Invoice> {
    create(session, &CreateInvoice { issue: Some(None), ..draft(contact) })
}

fn document(session: &Session<'_>, id: Id<Invoice>) -> InvoiceDocument {
    block_on(session.invoice_document(id)).unwrap()
}

fn pay(session: &Session<'_>, contact: Id<Contact>, invoice: Id<Invoice>, amount: Money) {
    let payment = RecordPayment {
        contact,
        amount,
        received_on: None,
        method: None,
        reference: None,
        notes: None,
        external_id: None,
        allocate: Allocate::To(vec![(invoice, amount)]),
    };
    block_on(session.run(&payment)).unwrap();
}

#[test]
fn an_invoice_is_printed() {
    let (session, contact) = world();
    let invoice = issued(&session, contact);
    pay(&session, contact, invoice.id, Money::new(100_000, Currency::USD));
    let document = document(&session, invoice.id);
    insta::assert_snapshot!("invoice", render(None, &document).unwrap());
    insta::assert_json_snapshot!("invoice_json", document);
}

#[test]
fn every_value_is_escaped_and_nothing_is_loaded_or_run() {
    let (session, contact) = world();
    let html = render(None, &document(&session, issued(&session, contact).id)).unwrap();
    for raw in ["<script", "<i>", "<b>", "<GmbH>", "\"Quay\"", "A'1", "http", "url(", "@import", "src=", "href="] {
        assert!(!html.contains(raw), "{raw}");
    }
    // What looks like a template in a value is text.
    assert!(html.contains("Account {{ 7*7 }}"), "{html}");
}

#[test]
fn the_stamp_says_where_the_invoice_stands() {
    let (session, contact) = world();
    let stamp = |id| {
        let html = render(None, &document(&session, id)).unwrap();
        let (_, rest) = html.split_once("<p class=\"stamp ")?;
        Some(rest.split_once('"').unwrap().0.to_owned())
    };
    assert_eq!(stamp(create(&session, &draft(contact)).id).as_deref(), Some("draft"));
    let late = issued(&session, contact);
    assert_eq!(stamp(late.id).as_deref(), Some("overdue"));
    pay(&session, contact, late.id, late.money(late.total));
    assert_eq!(stamp(late.id).as_deref(), Some("paid"));
    let open = CreateInvoice { due_on: parse_date("2026-06-15").ok(), issue: Some(None), ..draft(contact) };
    let open = create(&session, &open);
    assert_eq!(stamp(open.id), None);
    block_on(session.run(&VoidInvoice(open.id))).unwrap();
    assert_eq!(stamp(open.id).as_deref(), Some("void"));
}

#[test]
fn a_document_shows_the_buyer_as_of_its_issue() {
    let (session, contact) = world();
    let (before, draft) = (issued(&session, contact), create(&session, &draft(contact)));
    change(&session, contact, &[("company_name", "New Name")]);
    assert_eq!(document(&session, before.id).buyer.name, "<script>alert(1)</script>");
    assert_eq!(document(&session, draft.id).buyer.name, "New Name");
}

#[test]
fn a_document_is_only_for_those_who_may_read_the_invoice() {
    let (session, contact) = world();
    let invoice = issued(&session, contact).id;
    let crm = testing::crm(MemoryStore::new(), 2);
    let (owner, other) = (block_on(testing::organization(&crm, "a1")), block_on(testing::organization(&crm, "b2")));
    let (owner, other) = (owner.unwrap(), other.unwrap());
    let fields = [("kind", "person"), ("given_name", "Eva")];
    let contact = block_on(owner.create::<Contact>(edit(&owner, &fields))).unwrap().id;
    let mine = issued(&owner, contact).id;
    let member = block_on(testing::member(&crm, &owner, Role::Member)).unwrap();
    for (session, id) in [(&other, mine), (&owner, invoice), (&member, mine)] {
        let refused = block_on(session.invoice_document(id)).unwrap_err();
        assert_eq!(refused.code().as_str(), "not_found");
    }
}

#[test]
fn an_authorisation_is_printed_on_numbers_of_the_series_alone() {
    let (session, contact) = world();
    let supplied = CreateInvoice { issue: Some("X-1".parse().ok()), ..draft(contact) };
    assert_eq!(document(&session, create(&session, &supplied).id).authorisation, None);
    let reference = document(&session, issued(&session, contact).id).authorisation.unwrap().reference;
    assert_eq!(reference, "Resolution 18764");
}

#[test]
fn a_users_template_is_used_and_a_wrong_one_named_by_line() {
    let (session, contact) = world();
    let document = document(&session, issued(&session, contact).id);
    let own = "{% extends 'layout.html' %}{% block title %}{{ number }}{% endblock %}";
    let html = render(Some(own), &document).unwrap();
    assert!(html.contains("<title>R2026-000001</title>") && html.contains("Acme &amp; Söhne"), "{html}");
    assert_eq!(
        render(Some("{{ total|amount }} {{ seller.name }}"), &document).unwrap(),
        "148,105.01 Acme &amp; Söhne &lt;GmbH&gt;"
    );
    let wrong = |template| match render(Some(template), &document).unwrap_err() {
        PrintError::Template { template: None, line, reason } => (line, reason),
        other => panic!("{other:?}"),
    };
    let cases = [
        ("a\n{% if number %}", 2, "syntax error"),
        ("a\n\n{{ nmber }}", 3, "undefined value"),
        ("{{ seller.naem }}", 1, "undefined value"),
        ("\n{{ notes|amount }}", 2, "invalid operation"),
        ("\n{{ number|shout }}", 2, "unknown filter"),
        ("\n{% include 'no.html' %}", 2, "template not found"),
    ];
    for (template, line, reason) in cases {
        let (found, said) = wrong(template);
        assert!(found == Some(line) && said.contains(reason), "{template}: {found:?} {said}");
    }
}

/// The invoice with 1,000 paid of it; 500 of that is refunded, 200 kept, and 300 taken off what is due.
fn credited(session: &Session<'_>, contact: Id<Contact>) -> Stored<CreditNote> {
    let invoice = issued(session, contact);
    pay(session, contact, invoice.id, Money::new(100_000, Currency::USD));
    let parts = [50_000, 20_000, 30_000].map(|cents| Some(Money::new(cents, Currency::USD)));
    let [refund, credit, offset] = parts;
    let amount = Credited::Amount(Money::new(100_000, Currency::USD));
    let note = CreateCreditNote::new(invoice.id, amount, "Damaged <i>on</i> arrival".parse().unwrap());
    let note = CreateCreditNote { split: Split { refund, credit, offset }, ..note };
    block_on(session.run(&note)).unwrap()
}

#[test]
fn a_credit_note_is_printed() {
    let (session, contact) = world();
    let note = credited(&session, contact);
    let document = block_on(session.credit_note_document(note.id)).unwrap();
    assert_eq!(document.total.minor(), 100_000);
    let parts = [document.refund, document.credit, document.offset].map(|part| part.minor());
    assert_eq!(parts, [50_000, 20_000, 30_000]);
    let html = render(None, &document).unwrap();
    assert!(!html.contains("<i>") && !html.contains("<script"), "{html}");
    insta::assert_snapshot!("credit_note", html);
    insta::assert_json_snapshot!("credit_note_json", document);
    assert_eq!(
        render(Some("{{ number }}: {{ refund|amount }}"), &document).unwrap().split_once(": ").unwrap().1,
        "500.00"
    );
}

fn statement(session: &Session<'_>, contact: Id<Contact>, from: &str, to: &str) -> StatementDocument {
    let (from, to) = (parse_date(from).unwrap(), parse_date(to).unwrap());
    block_on(session.statement_document(contact, &StatementOptions { from, to, restated: false })).unwrap()
}

#[test]
fn a_statement_is_printed() {
    let (session, contact) = world();
    credited(&session, contact);
    let euros = CreateInvoice { currency: Some(Currency::EUR), issue: Some(None), ..draft(contact) };
    create(&session, &euros);
    let document = statement(&session, contact, "2026-05-01", "2026-06-15");
    for account in &document.accounts {
        let due = account.ageing.as_ref().unwrap().total;
        assert_eq!(account.closing, due.checked_sub(account.credit).unwrap());
    }
    let credit: Vec<_> = document.accounts.iter().map(|account| account.credit.minor()).collect();
    assert_eq!(credit, [0, 20_000]);
    let html = render(None, &document).unwrap();
    assert!(!html.contains("<i>") && !html.contains("<script"), "{html}");
    insta::assert_snapshot!("statement", html);
    insta::assert_json_snapshot!("statement_json", document);
    assert_eq!(
        render(Some("{{ accounts|length }} {{ seller.name }}"), &document).unwrap(),
        "2 Acme &amp; Söhne &lt;GmbH&gt;"
    );
}

/// A statement of a past period says what was due at its end, whatever was paid since, and nothing of other contacts.
#[test]
fn a_statement_says_what_was_due_at_its_end() {
    let (session, contact) = world();
    let other = edit::<Contact>(&session, &[("kind", "person"), ("given_name", "Eva")]);
    let other = block_on(session.create(other)).unwrap().id;
    let invoice = issued(&session, contact);
    issued(&session, other);
    pay(&session, contact, invoice.id, invoice.money(invoice.total));
    let before = statement(&session, contact, "2026-04-01", "2026-06-14").accounts.remove(0);
    let ageing = before.ageing.unwrap();
    assert_eq!((ageing.total, ageing.days_1_30), (invoice.money(invoice.total), invoice.money(invoice.total)));
    assert_eq!((before.closing, before.credit.minor()), (invoice.money(invoice.total), 0));
    let after = statement(&session, contact, "2026-04-01", "2026-06-15").accounts.remove(0);
    assert_eq!((after.closing.minor(), after.ageing, after.entries.len()), (0, None, 2));
    let nothing = statement(&session, contact, "2026-01-01", "2026-01-31");
    assert!(render(None, &nothing).unwrap().contains("Nothing happened on this account."));
}

#[test]
fn credit_notes_and_statements_are_only_for_those_who_may_read_them() {
    let crm = testing::crm(MemoryStore::new(), 2);
    let (owner, other) = (block_on(testing::organization(&crm, "a1")), block_on(testing::organization(&crm, "b2")));
    let (owner, other) = (owner.unwrap(), other.unwrap());
    let fields = [("kind", "person"), ("given_name", "Eva")];
    let contact = block_on(owner.create::<Contact>(edit(&owner, &fields))).unwrap().id;
    let note = credited(&owner, contact).id;
    let member = block_on(testing::member(&crm, &owner, Role::Member)).unwrap();
    let from = parse_date("2026-01-01").unwrap();
    for session in [&other, &member] {
        let refused = block_on(session.credit_note_document(note)).unwrap_err();
        assert_eq!(refused.code().as_str(), "not_found");
        let options = StatementOptions { from, to: from, restated: false };
        let refused = block_on(session.statement_document(contact, &options)).unwrap_err();
        assert_eq!(refused.code().as_str(), "not_found");
    }
}
