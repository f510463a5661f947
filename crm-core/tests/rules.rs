//! The rules, by the scenarios that they come from.
#![expect(clippy::unwrap_used, reason = "these are tests")]

use crm_core::access::{AddMember, IdempotencyKey, Membership, Organization, RemoveMember, Role, SetRole};
use crm_core::audit::AuditEntry;
use crm_core::billing::{
    Allocate, CreateInvoice, DeleteInvoice, DocumentKind, Invoice, InvoiceStatus, IssueInvoice, NewLine, NumberSeries,
    Payment, Product, RecordPayment, VoidInvoice, WriteOffInvoice, due_on,
};
use crm_core::entity::{Minor, Stored};
use crm_core::people::{Contact, ContactKind};
use crm_core::report::AgeingOptions;
use crm_core::store::{Filter, MemoryStore, Query};
use crm_core::value::{Currency, Decimal6, LAST_DATE, Money, ValueError};
use crm_core::{Create, Crm, CrmError, Edit, ErrorCode, Id, NewOrganization, Rules, Session, block_on, testing};

fn world() -> (Crm, Session<'static>) {
    let crm = testing::crm(MemoryStore::new(), 1);
    let owner = block_on(testing::organization(&crm, "acme")).unwrap();
    (crm, owner)
}

/// An edit as the command line or a CSV file gives it.
fn edit<E: Rules>(session: &Session<'_>, fields: &[(&str, &str)]) -> Result<Edit<E>, CrmError> {
    Edit::parse(fields.iter().copied(), &session.locale()).map_err(CrmError::Invalid)
}

fn create<E: Rules>(session: &Session<'_>, fields: &[(&str, &str)]) -> Result<Stored<E>, CrmError> {
    block_on(session.create(edit(session, fields)?))
}

fn change<E: Rules>(session: &Session<'_>, id: Id<E>, fields: &[(&str, &str)]) -> Result<Stored<E>, CrmError> {
    block_on(session.update(id, edit(session, fields)?))
}

/// The fields that were refused.
fn refused<T: std::fmt::Debug>(result: Result<T, CrmError>) -> Vec<String> {
    match result {
        Err(CrmError::Invalid(fields)) => fields.into_iter().map(|invalid| invalid.field).collect(),
        other => panic!("{other:?}"),
    }
}

fn code<T>(result: Result<T, CrmError>) -> &'static str {
    result.map_or_else(|error| error.code().as_str(), |_| "ok")
}

fn line(price: &str) -> NewLine {
    NewLine {
        product: None,
        description: "Work".parse().ok(),
        quantity: Decimal6::ONE,
        unit_price: Some(Decimal6::parse(price).unwrap()),
        discount: None,
        tax_percent: None,
    }
}

fn contact(session: &Session<'_>) -> Id<Contact> {
    create::<Contact>(session, &[("kind", "person"), ("given_name", "Eva")]).unwrap().id
}

fn issued(session: &Session<'_>, contact: Id<Contact>, prices: &[&str]) -> Stored<Invoice> {
    let lines = prices.iter().map(|price| line(price)).collect();
    block_on(session.run(&CreateInvoice { issue: Some(None), ..CreateInvoice::draft(contact, lines) })).unwrap()
}

fn pay(contact: Id<Contact>, cents: i64, allocate: Allocate) -> RecordPayment {
    RecordPayment {
        contact,
        amount: Money::new(cents, Currency::USD),
        received_on: None,
        method: None,
        reference: None,
        notes: None,
        external_id: None,
        allocate,
    }
}

#[test]
fn a_person_and_a_company_keep_what_is_said_of_them() {
    let (_crm, acme) = world();
    let eva: Stored<Contact> =
        create(&acme, &[("kind", "person"), ("given_name", "Eva"), ("phone", "(212) 555-0123"), ("email", "Eva@X.co")])
            .unwrap();
    assert_eq!(eva.phone.as_ref().unwrap().e164(), "+12125550123");
    assert_eq!(eva.email.as_ref().unwrap().as_str(), "Eva@X.co");
    assert_eq!(eva.owner_id, Some(acme.user().id));
    let company: Stored<Contact> =
        create(&acme, &[("kind", "company"), ("company_name", "Big & Co"), ("given_name", "Luis")]).unwrap();
    assert_eq!((company.display_name().as_str(), company.given_name.as_deref()), ("Big & Co", Some("Luis")));
}

#[test]
fn a_company_needs_its_name_on_creation_and_on_change() {
    let (_crm, acme) = world();
    assert_eq!(refused(create::<Contact>(&acme, &[("kind", "company")])), ["company_name"]);
    let eva = contact(&acme);
    assert_eq!(refused(change(&acme, eva, &[("kind", "company")])), ["company_name"]);
    assert_eq!(refused(change(&acme, eva, &[("given_name", " ")])), ["given_name"]);
}

#[test]
fn every_refused_field_is_named_at_once() {
    let (_crm, acme) = world();
    let fields =
        [("kind", "thing"), ("email", "x y@z.c<script>"), ("phone", "12"), ("stratum", "many"), ("color", "red")];
    assert_eq!(refused(edit::<Contact>(&acme, &fields)), ["kind", "email", "phone", "stratum", "color"]);
    for (field, text) in [("stratum", "99"), ("stratum", "0"), ("given_name", ""), ("custom", "[1]")] {
        let fields = [("kind", "person"), ("given_name", "Eva"), (field, text)];
        assert_eq!(refused(create::<Contact>(&acme, &fields)), [field]);
    }
    for field in ["version", "created_at", "code", "email_claim", "search", "id"] {
        assert_eq!(refused(edit::<Contact>(&acme, &[(field, "1")])), [field], "mass assignment");
    }
}

#[test]
fn addresses_and_phones_are_unique_by_their_folded_form() {
    let (_crm, acme) = world();
    let person = |email: &'static str, phone: &'static str| {
        [("kind", "person"), ("given_name", "A"), ("email", email), ("phone", phone)]
    };
    create::<Contact>(&acme, &person("A@B.co", "+12125550123")).unwrap();
    let same_email = create::<Contact>(&acme, &person("a@b.co", ""));
    assert!(matches!(&same_email, Err(CrmError::Duplicate { entity: "contact", fields }) if fields == &["email"]));
    let same_phone = create::<Contact>(&acme, &person("", "212-555-0123"));
    assert!(matches!(&same_phone, Err(CrmError::Duplicate { fields, .. }) if fields == &["phone"]));
    let other: Stored<Contact> = create(&acme, &person("c@d.co", "")).unwrap();
    assert_eq!(code(change(&acme, other.id, &[("email", "A@b.CO")])), "duplicate");
}

#[test]
fn an_address_is_spelled_as_it_was_given_last() {
    let (_crm, acme) = world();
    let fields = [("kind", "person"), ("given_name", "Ana"), ("email", "ana.ruiz@x.example")];
    let ana: Stored<Contact> = create(&acme, &fields).unwrap();
    let spelled = change(&acme, ana.id, &[("email", "Ana.Ruiz@X.example")]).unwrap();
    assert_eq!((spelled.version, spelled.email.as_ref().unwrap().as_str()), (2, "Ana.Ruiz@X.example"));
    assert_eq!(block_on(acme.get(ana.id)).unwrap().email.as_ref().unwrap().as_str(), "Ana.Ruiz@X.example");
    assert_eq!(change(&acme, ana.id, &[("email", "Ana.Ruiz@X.example")]).unwrap().version, 2);
    assert_eq!(block_on(acme.verify(None)).unwrap().problems, 0);
}

#[test]
fn tax_numbers_are_one_with_and_without_dots() {
    let (_crm, acme) = world();
    let taxed =
        |number: &'static str| [("kind", "person"), ("given_name", "A"), ("tax_scheme", "cpf"), ("tax_number", number)];
    assert_eq!(refused(create::<Contact>(&acme, &taxed("111.111.111-11"))), ["tax_number"]);
    let stored: Stored<Contact> = create(&acme, &taxed("529.982.247-25")).unwrap();
    assert_eq!(stored.tax_number.as_deref(), Some("52998224725"));
    assert_eq!(code(create::<Contact>(&acme, &taxed("52998224725"))), "duplicate");
    assert_eq!(refused(change(&acme, stored.id, &[("tax_scheme", "")])), ["tax_scheme"]);
}

#[test]
fn blank_clears_absent_stays_and_no_change_leaves_no_trace() {
    let (_crm, acme) = world();
    let fields = [("kind", "person"), ("given_name", "Eva"), ("city", "Cali"), ("postal_code", "760001")];
    let eva: Stored<Contact> = create(&acme, &fields).unwrap();
    let moved = change(&acme, eva.id, &[("city", "")]).unwrap();
    assert_eq!((moved.city.as_deref(), moved.postal_code.as_deref(), moved.version), (None, Some("760001"), 2));
    let same = change(&acme, eva.id, &[("postal_code", "760001")]).unwrap();
    assert_eq!(same.version, 2);
    let history = block_on(acme.list(&Query::new(AuditEntry::COLUMNS.record_id.eq(&eva.id.uuid())))).unwrap();
    assert_eq!(history.items.len(), 2);
}

#[test]
fn archived_contacts_leave_lists_and_come_back_and_used_ones_cannot_be_deleted() {
    let (_crm, acme) = world();
    let eva = contact(&acme);
    block_on(acme.archive(eva)).unwrap();
    assert_eq!(block_on(acme.count(&Query::<Contact>::all())).unwrap(), 0);
    assert_eq!(block_on(acme.count(&Query::<Contact>::all().with_archived())).unwrap(), 1);
    block_on(acme.restore(eva)).unwrap();
    assert_eq!(block_on(acme.count(&Query::<Contact>::all())).unwrap(), 1);
    issued(&acme, eva, &["1"]);
    let refused = block_on(acme.delete(eva));
    assert!(matches!(refused, Err(CrmError::Referenced { entity: "contact", .. })), "{refused:?}");
}

#[test]
fn search_takes_special_characters_literally() {
    let (_crm, acme) = world();
    for name in ["Martínez", "100%", "a_b", "(x)"] {
        create::<Contact>(&acme, &[("kind", "person"), ("given_name", name)]).unwrap();
    }
    let count = |filter: Filter<Contact>| block_on(acme.count(&Query::new(filter))).unwrap();
    assert_eq!(count(Filter::search("martinez")), 1);
    assert_eq!(count(Filter::search("MARTI")), 1);
    let name = Contact::COLUMNS.name_key;
    assert_eq!((count(name.contains("%")), count(name.contains("_")), count(name.contains("("))), (1, 1, 1));
}

#[test]
fn a_reference_that_is_not_there_or_a_stranger_as_owner_is_refused_by_field() {
    let (crm, acme) = world();
    let nobody = uuid::Uuid::from_u128(9).to_string();
    let with = |field: &str, id: &str| {
        refused(create::<Contact>(&acme, &[("kind", "person"), ("given_name", "A"), (field, id)]))
    };
    assert_eq!(with("company_id", &nobody), ["company_id"]);
    assert_eq!(with("owner_id", &nobody), ["owner_id"]);
    let other = block_on(testing::organization(&crm, "other")).unwrap();
    assert_eq!(with("owner_id", &other.user().id.to_string()), ["owner_id"]);
    assert_eq!(with("company_id", &contact(&other).to_string()), ["company_id"]);
}

#[test]
fn natural_keys_find_and_ambiguous_ones_list_the_candidates() {
    let (_crm, acme) = world();
    let eva: Stored<Contact> = create(
        &acme,
        &[
            ("kind", "person"),
            ("given_name", "Eva"),
            ("email", "eva@x.co"),
            ("phone", "212 555 0123"),
            ("account_number", "777"),
        ],
    )
    .unwrap();
    for reference in ["EVA@X.CO", "+12125550123", "777", &eva.id.to_string()] {
        assert_eq!(block_on(acme.find::<Contact>(reference)).unwrap().id, eva.id, "{reference}");
    }
    assert_eq!(code(block_on(acme.find::<Contact>("nobody@x.co"))), "not_found");
    create::<Contact>(&acme, &[("kind", "person"), ("given_name", "B"), ("external_id", "777")]).unwrap();
    let several = block_on(acme.find::<Contact>("777"));
    assert!(matches!(several, Err(CrmError::Ambiguous { candidates, .. }) if candidates.len() == 2));
}

#[test]
fn contacts_are_numbered_when_there_is_a_series_for_them() {
    let (crm, acme) = world();
    create::<NumberSeries>(&acme, &[("kind", "contact"), ("prefix", "C-")]).unwrap();
    let acme = block_on(crm.session(&"acme".parse().unwrap(), &acme.user().email)).unwrap();
    let one: Stored<Contact> = create(&acme, &[("kind", "person"), ("given_name", "A")]).unwrap();
    assert_eq!(one.code.as_deref(), Some("C-000001"));
    let edits = ["B", "C"].map(|name| edit(&acme, &[("kind", "person"), ("given_name", name)]).unwrap());
    let more = block_on(acme.create_many::<Contact>(&edits)).unwrap();
    assert_eq!(more.iter().map(|c| c.code.as_deref().unwrap()).collect::<Vec<_>>(), ["C-000002", "C-000003"]);
    assert_eq!(block_on(acme.find::<Contact>("C-000003")).unwrap().id, more[1].id);
}

#[test]
fn products_refuse_negative_prices_and_unknown_kinds() {
    let (_crm, acme) = world();
    assert_eq!(refused(create::<Product>(&acme, &[("name", "X"), ("unit_price", "-1")])), ["unit_price"]);
    assert_eq!(refused(edit::<Product>(&acme, &[("kind", "ProductType.SERVICO")])), ["kind"]);
    assert_eq!(refused(edit::<Product>(&acme, &[("unit_price", "0.0000001")])), ["unit_price"]);
    let product: Stored<Product> =
        create(&acme, &[("name", "X"), ("unit_price", "9.99"), ("kind", "service")]).unwrap();
    assert_eq!((product.kind.as_str(), product.currency), ("service", Currency::USD));
    assert_eq!(refused(change(&acme, product.id, &[("tax_percent", "101")])), ["tax_percent"]);
}

#[test]
fn totals_are_sums_of_rounded_lines_and_a_contradicting_total_is_refused() {
    let (_crm, acme) = world();
    let eva = contact(&acme);
    let lines: Vec<NewLine> = ["25000", "30000", "10000", "10000"].map(line).to_vec();
    let stated = |cents| CreateInvoice {
        total: Some(Money::new(cents, Currency::USD)),
        ..CreateInvoice::draft(eva, lines.clone())
    };
    assert_eq!(block_on(acme.run(&stated(7_500_000))).unwrap().total, Minor(7_500_000));
    assert_eq!(refused(block_on(acme.run(&stated(7_499_999)))), ["total"]);
    // Half a cent goes away from zero, line by line.
    let half =
        block_on(acme.run(&CreateInvoice::draft(eva, vec![line("10.005"), line("2.675"), line("0.004")]))).unwrap();
    assert_eq!(half.total, Minor(1_001 + 268));
    let taxed = NewLine { tax_percent: Some(Decimal6::parse("19").unwrap()), ..line("0.99") };
    let taxed = block_on(acme.run(&CreateInvoice::draft(eva, vec![taxed.clone(), taxed]))).unwrap();
    assert_eq!((taxed.subtotal, taxed.tax, taxed.total), (Minor(198), Minor(38), Minor(236)));
}

#[test]
fn dates_that_a_database_could_not_hold_are_refused_or_kept_within() {
    let (crm, owner) = world();
    let contact = contact(&owner);
    let issued_on = |day| CreateInvoice {
        issued_on: Some(day),
        issue: Some(None),
        ..CreateInvoice::draft(contact, vec![line("10")])
    };
    assert_eq!(due_on(LAST_DATE, 30), LAST_DATE, "30 days later there is none");
    let tomorrow = owner.context().today().succ_opt().unwrap();
    assert_eq!(refused(block_on(owner.run(&issued_on(tomorrow)))), ["issued_on"]);
    let planned = CreateInvoice { issue: None, ..issued_on(tomorrow) };
    assert_eq!(block_on(owner.run(&planned)).unwrap().issued_on, Some(tomorrow));
    let after = CreateInvoice { issue: None, ..issued_on(LAST_DATE.succ_opt().unwrap()) };
    assert_eq!(refused(block_on(owner.run(&after))), ["issued_on"]);
    let organization = Organization { payment_days: 99_999_999, ..owner.organization().value.clone() };
    let new = NewOrganization {
        organization: Organization { slug: "late".parse().unwrap(), ..organization },
        owner_email: "late@acme.example".parse().unwrap(),
        owner_name: "Late".parse().unwrap(),
        invoice_prefix: "L-".into(),
    };
    assert_eq!(refused(block_on(crm.create_organization(&new))), ["payment_days"]);
}

#[test]
fn general_commands_do_not_get_around_the_rules_of_invoices() {
    let (_, owner) = world();
    let invoice = issued(&owner, contact(&owner), &["10"]);
    let columns = Invoice::COLUMNS;
    let later = Edit::new().set(columns.due_on, None);
    assert_eq!(code(block_on(owner.update(invoice.id, later.clone()))), "rule");
    assert_eq!(code(block_on(owner.delete(invoice.id))), "rule");
    assert_eq!(code(block_on(owner.create(later.clone()))), "rule");
    assert_eq!(code(block_on(owner.create_many(&[later]))), "rule");
    assert_eq!(block_on(owner.get(invoice.id)).unwrap(), invoice);
}

#[test]
fn lines_are_refused_by_place_and_field() {
    let (_crm, acme) = world();
    let eva = contact(&acme);
    let bad = NewLine { description: None, quantity: Decimal6::ZERO, unit_price: None, ..line("1") };
    let negative = NewLine { quantity: Decimal6::parse("-1").unwrap(), ..line("-2") };
    let answer = block_on(acme.run(&CreateInvoice::draft(eva, vec![line("1"), bad, negative])));
    assert_eq!(
        refused(answer),
        ["lines.2.description", "lines.2.unit_price", "lines.2.quantity", "lines.3.unit_price", "lines.3.quantity"]
    );
    let due = CreateInvoice {
        issued_on: Some("2026-06-10".parse().unwrap()),
        due_on: Some("2026-06-09".parse().unwrap()),
        ..CreateInvoice::draft(eva, vec![line("1")])
    };
    assert_eq!(refused(block_on(acme.run(&due))), ["due_on"]);
}

#[test]
fn numbers_are_taken_on_issue_and_never_by_drafts() {
    let (_crm, acme) = world();
    let eva = contact(&acme);
    let draft = block_on(acme.run(&CreateInvoice::draft(eva, vec![line("1")]))).unwrap();
    assert_eq!(draft.number, None);
    let second = block_on(acme.run(&CreateInvoice::draft(eva, vec![line("1")]))).unwrap();
    block_on(acme.run(&DeleteInvoice(second.id))).unwrap();
    let first = issued(&acme, eva, &["1"]);
    assert_eq!(first.number.as_deref(), Some("INV-000001"));
    let draft = block_on(acme.run(&IssueInvoice { id: draft.id, number: None })).unwrap();
    assert_eq!(draft.number.as_deref(), Some("INV-000002"));
    assert_eq!(draft.due_on.unwrap() - draft.issued_on.unwrap(), chrono::Duration::days(30));
    assert!(draft.buyer.as_ref().unwrap().as_str().contains("\"name\":\"Eva\""));
    assert_eq!(code(block_on(acme.run(&IssueInvoice { id: draft.id, number: None }))), "rule");
    assert_eq!(code(block_on(acme.run(&DeleteInvoice(draft.id)))), "rule");
    // A void number is not used again.
    block_on(acme.run(&VoidInvoice(draft.id))).unwrap();
    assert_eq!(issued(&acme, eva, &["1"]).number.as_deref(), Some("INV-000003"));
    let empty = block_on(acme.run(&CreateInvoice::draft(eva, vec![]))).unwrap();
    assert_eq!(code(block_on(acme.run(&IssueInvoice { id: empty.id, number: None }))), "rule");
}

#[test]
fn supplied_numbers_are_unique_and_not_the_seriess_own() {
    let (_crm, acme) = world();
    let eva = contact(&acme);
    let supplied = |number: &str| CreateInvoice {
        issue: Some(Some(number.parse().unwrap())),
        ..CreateInvoice::draft(eva, vec![line("1")])
    };
    assert_eq!(block_on(acme.run(&supplied("2021/1"))).unwrap().number.as_deref(), Some("2021/1"));
    assert_eq!(code(block_on(acme.run(&supplied("2021/1")))), "duplicate");
    assert_eq!(refused(block_on(acme.run(&supplied("INV-000007")))), ["number"]);
    assert_eq!(code(block_on(acme.run(&supplied("INV-7")))), "ok");
}

#[test]
fn payments_settle_partly_wholly_and_leave_a_credit() {
    let (_crm, acme) = world();
    let eva = contact(&acme);
    let invoice = issued(&acme, eva, &["50"]);
    let to = |cents| Allocate::To(vec![(invoice.id, Money::new(cents, Currency::USD))]);
    block_on(acme.run(&pay(eva, 1_000, to(1_000)))).unwrap();
    let open = block_on(acme.get(invoice.id)).unwrap();
    assert_eq!((open.status, open.due()), (InvoiceStatus::Open, Minor(4_000)));
    assert_eq!(code(block_on(acme.run(&pay(eva, 4_001, to(4_001))))), "rule");
    assert_eq!(code(block_on(acme.run(&pay(eva, 100, to(200))))), "rule");
    assert_eq!(code(block_on(acme.run(&VoidInvoice(invoice.id)))), "rule");
    let rest = block_on(acme.run(&pay(eva, 5_000, Allocate::Oldest))).unwrap();
    assert_eq!(rest.unapplied, Minor(1_000));
    let paid = block_on(acme.get(invoice.id)).unwrap();
    assert_eq!(
        (paid.status, paid.paid, paid.settled_on),
        (InvoiceStatus::Paid, Minor(5_000), Some(acme.context().today()))
    );
    assert_eq!(code(block_on(acme.run(&pay(eva, 1, to(1))))), "rule");
    assert_eq!(code(block_on(acme.run(&WriteOffInvoice(invoice.id)))), "rule");
    let summary = block_on(acme.summary(&crm_core::report::SummaryOptions::default())).unwrap();
    assert_eq!(summary.totals[0].credit, Money::new(1_000, Currency::USD));
}

#[test]
fn payments_are_refused_by_field() {
    let (_crm, acme) = world();
    let eva = contact(&acme);
    let tomorrow = acme.context().today().succ_opt();
    for (command, field) in [
        (pay(eva, 0, Allocate::Nothing), "amount"),
        (pay(eva, -5, Allocate::Nothing), "amount"),
        (RecordPayment { received_on: tomorrow, ..pay(eva, 5, Allocate::Nothing) }, "received_on"),
        (pay(Id::new(uuid::Uuid::from_u128(9)), 5, Allocate::Nothing), "contact"),
    ] {
        assert_eq!(refused(block_on(acme.run(&command))), [field]);
    }
    assert!(Money::parse("NaN", Currency::USD).is_err());
    assert_eq!(Money::parse("10.005", Currency::USD), Err(ValueError::TooManyDecimals { allowed: 2, got: 3 }));
    let invoice = issued(&acme, eva, &["5"]);
    let other = contact(&acme);
    let theirs = Allocate::To(vec![(invoice.id, Money::new(5, Currency::USD))]);
    assert_eq!(code(block_on(acme.run(&pay(other, 5, theirs)))), "rule");
    let euros = Allocate::To(vec![(invoice.id, Money::new(5, Currency::EUR))]);
    assert_eq!(code(block_on(acme.run(&pay(eva, 5, euros)))), "rule");
}

#[test]
fn the_same_key_gives_the_first_result_and_another_command_is_refused() {
    let (_crm, acme) = world();
    let eva = contact(&acme);
    let key: IdempotencyKey = "order 7".parse().unwrap();
    let first = block_on(acme.run_with_key(&pay(eva, 500, Allocate::Nothing), Some(&key))).unwrap();
    let again = block_on(acme.run_with_key(&pay(eva, 500, Allocate::Nothing), Some(&key))).unwrap();
    assert_eq!(first, again);
    assert_eq!(block_on(acme.count(&Query::<Payment>::all())).unwrap(), 1);
    let other = block_on(acme.run_with_key(&pay(eva, 501, Allocate::Nothing), Some(&key)));
    assert!(matches!(other, Err(CrmError::KeyReused(_))), "{other:?}");
    // The result holds the number that the series gave, and stays the first one.
    let key: IdempotencyKey = "invoice 1".parse().unwrap();
    let issue = CreateInvoice { issue: Some(None), ..CreateInvoice::draft(eva, vec![line("1")]) };
    let first = block_on(acme.run_with_key(&issue, Some(&key))).unwrap();
    assert_eq!(first.number.as_deref(), Some("INV-000001"));
    block_on(acme.run(&VoidInvoice(first.id))).unwrap();
    assert_eq!(block_on(acme.run_with_key(&issue, Some(&key))).unwrap(), first);
    // A refused command does not use the key up.
    let key: IdempotencyKey = "contact".parse().unwrap();
    let nameless = Create(Edit::<Contact>::new().set(Contact::COLUMNS.kind, ContactKind::Person));
    assert_eq!(code(block_on(acme.run_with_key(&nameless, Some(&key)))), "invalid");
    let named = Create(edit::<Contact>(&acme, &[("kind", "person"), ("given_name", "A")]).unwrap());
    assert_eq!(code(block_on(acme.run_with_key(&named, Some(&key)))), "ok");
}

#[test]
fn a_changed_role_works_on_the_next_write_and_a_removed_member_is_out() {
    let (crm, owner) = world();
    let manager = block_on(testing::member(&crm, &owner, Role::Manager)).unwrap();
    let membership = block_on(owner.list(&Query::new(Membership::COLUMNS.user_id.eq(&manager.user().id)))).unwrap();
    let member = membership.items[0].id;
    contact(&manager);
    block_on(owner.run(&SetRole { member, role: Role::Viewer })).unwrap();
    let fields = [("kind", "person"), ("given_name", "B")];
    assert_eq!(code(create::<Contact>(&manager, &fields)), "forbidden");
    block_on(owner.run(&SetRole { member, role: Role::Manager })).unwrap();
    let again = block_on(crm.session(&"acme".parse().unwrap(), &manager.user().email)).unwrap();
    block_on(owner.run(&RemoveMember { member })).unwrap();
    assert_eq!(code(create::<Contact>(&again, &fields)), "unauthenticated");
    assert!(block_on(crm.session(&"acme".parse().unwrap(), &manager.user().email)).is_err());
    // What they did stays in the audit.
    let theirs = AuditEntry::COLUMNS.actor_id.eq(&Some(manager.user().id.uuid()));
    assert_eq!(block_on(owner.count(&Query::new(theirs))).unwrap(), 1);
}

#[test]
fn owners_are_touched_by_owners_only_and_nobody_touches_themselves() {
    let (crm, owner) = world();
    let admin = block_on(testing::member(&crm, &owner, Role::Admin)).unwrap();
    let of = |session: &Session<'_>| {
        let found = block_on(owner.list(&Query::new(Membership::COLUMNS.user_id.eq(&session.user().id)))).unwrap();
        found.items[0].id
    };
    let (owners, admins) = (of(&owner), of(&admin));
    assert_eq!(code(block_on(admin.run(&SetRole { member: owners, role: Role::Viewer }))), "rule");
    assert_eq!(code(block_on(admin.run(&RemoveMember { member: owners }))), "rule");
    assert_eq!(code(block_on(admin.run(&SetRole { member: admins, role: Role::Owner }))), "rule");
    assert_eq!(code(block_on(owner.run(&SetRole { member: owners, role: Role::Admin }))), "rule");
    assert_eq!(code(block_on(owner.run(&RemoveMember { member: owners }))), "rule");
    let add = |email: &str, role| AddMember { email: email.parse().unwrap(), full_name: "N".parse().ok(), role };
    assert_eq!(code(block_on(admin.run(&add("x@x.co", Role::Owner)))), "rule");
    assert_eq!(code(block_on(admin.run(&add("x@x.co", Role::Viewer)))), "ok");
    assert_eq!(code(block_on(admin.run(&add("X@X.co", Role::Member)))), "duplicate");
    // Two owners cannot both go: each is guarded by the other's membership.
    block_on(owner.run(&SetRole { member: admins, role: Role::Owner })).unwrap();
    let second = block_on(crm.session(&"acme".parse().unwrap(), &admin.user().email)).unwrap();
    block_on(second.run(&RemoveMember { member: owners })).unwrap();
    assert_eq!(code(block_on(owner.run(&RemoveMember { member: admins }))), "unauthenticated");
}

#[test]
fn members_see_and_count_their_own_alone() {
    let (crm, owner) = world();
    let member = block_on(testing::member(&crm, &owner, Role::Member)).unwrap();
    let (mine, theirs) = (contact(&member), contact(&owner));
    issued(&owner, theirs, &["10"]);
    issued(&owner, mine, &["5"]);
    assert_eq!(block_on(member.count(&Query::<Contact>::all())).unwrap(), 1);
    assert_eq!(block_on(member.count(&Query::<Invoice>::all())).unwrap(), 1);
    let summary = block_on(member.summary(&crm_core::report::SummaryOptions::default())).unwrap();
    assert_eq!((summary.contacts, summary.totals[0].billed.minor()), (1, 500));
    assert_eq!(
        block_on(member.ageing(&AgeingOptions { per_contact: true, ..Default::default() })).unwrap().totals[0]
            .total
            .minor(),
        500
    );
    assert_eq!(code(block_on(member.get(theirs))), "not_found");
    assert_eq!(code(change(&member, theirs, &[("city", "Cali")])), "not_found");
    assert_eq!(code(change(&member, mine, &[("owner_id", &owner.user().id.to_string())])), "forbidden");
}

#[test]
fn a_slug_is_taken_once_and_a_stranger_is_no_member() {
    let (crm, _acme) = world();
    let again = block_on(testing::organization(&crm, "acme"));
    assert!(matches!(again, Err(CrmError::Duplicate { entity: "organization", ref fields }) if fields == &["slug"]));
    let slug = "acme".parse().unwrap();
    assert_eq!(code(block_on(crm.session(&slug, &"nobody@x.co".parse().unwrap()))), "unauthenticated");
    assert_eq!(code(block_on(crm.session(&"nowhere".parse().unwrap(), &"nobody@x.co".parse().unwrap()))), "not_found");
}

#[test]
fn settings_that_other_records_rest_on_are_fixed() {
    let (_crm, acme) = world();
    let id = acme.organization().id;
    assert_eq!(refused(change(&acme, id, &[("unique_emails", "false")])), ["unique_emails"]);
    assert_eq!(refused(change(&acme, id, &[("payment_days", "-1")])), ["payment_days"]);
    assert_eq!(change(&acme, id, &[("payment_days", "14")]).unwrap().payment_days, 14);
    let series = block_on(acme.list(&Query::<NumberSeries>::all())).unwrap().items.remove(0);
    assert_eq!(refused(change(&acme, series.id, &[("kind", "contact")])), ["kind"]);
    assert_eq!(refused(edit::<NumberSeries>(&acme, &[("next", "1")])), ["next"]);
    assert_eq!(series.kind, DocumentKind::Invoice);
    assert_eq!(ErrorCode::Rule.as_str(), "rule");
}
