//! What is stored about a contact, given out and erased, on the memory store.
#![expect(clippy::unwrap_used, reason = "these are tests")]

use crm_core::access::{
    AccessError, ApiRequest, CreatedKey, IdempotencyKey, InvitationEnd, NewInvitation, NewKey, Organization, Requester,
    Role, SetQuota, WithdrawInvitation,
};
use crm_core::activity::{Interaction, InteractionKind, Task};
use crm_core::audit::AuditEntry;
use crm_core::billing::{Allocate, CreateInvoice, NewLine, RecordPayment, VoidInvoice};
use crm_core::entity::{Entity as _, Kind, Minor, Table};
use crm_core::people::{Contact, ContactKind};
use crm_core::privacy::PrivacyError;
use crm_core::row::{Row, Value};
use crm_core::sales::{CreateDeal, Deal};
use crm_core::schema::TABLES;
use crm_core::store::{Change, ChangeSet, Expr, MemoryStore, Query, Select};
use crm_core::testing::{self, privacy};
use crm_core::value::{Currency, Decimal6, Document, Email, Money, Notes, Text};
use crm_core::{Create, CrmError, Edit, Id, NewOrganization, Session, block_on};

fn ana() -> Edit<Contact> {
    let columns = Contact::COLUMNS;
    let named = Edit::new().set(columns.kind, ContactKind::Person).set(columns.given_name, "Ana".parse().ok());
    named.set(columns.custom, Some(Document::new(&serde_json::json!({ "shoe": "41" }))))
}

fn line() -> NewLine {
    NewLine {
        product: None,
        description: "Work".parse().ok(),
        quantity: Decimal6::ONE,
        unit_price: Some(Decimal6::from_micros(10_000_000)),
        discount: None,
        tax_percent: None,
    }
}

fn pay(contact: Id<Contact>, minor: i64, allocate: Allocate) -> RecordPayment {
    RecordPayment {
        contact,
        amount: Money::new(minor, "USD".parse().unwrap()),
        received_on: None,
        method: None,
        reference: None,
        notes: None,
        external_id: None,
        allocate,
    }
}

async fn rows(session: &Session<'_>, table: &'static Table) -> Vec<Row> {
    session.store().select(session.scope(), &Select::new(table, Expr::True)).await.unwrap()
}

/// Writes an entry of the audit as somebody with the database at hand would.
async fn tamper(session: &Session<'_>, before: &Row, change: impl Fn(&mut Row)) {
    let mut after = before.clone();
    change(&mut after);
    let mut changes = ChangeSet::new(session.context().stamp("test"));
    changes.changes.push(Change::Update { table: AuditEntry::TABLE, before: before.clone(), after });
    session.store().apply(session.scope(), changes).await.unwrap();
}

#[test]
fn nothing_is_left_of_an_erased_contact() {
    block_on(async {
        let planted = privacy::plant(&testing::crm(MemoryStore::new(), 1), "acme").await.unwrap();
        assert!(privacy::erase(&planted).await.unwrap());
    });
}

#[test]
fn claims_are_settled_before_a_contact_is_erased() {
    block_on(async {
        let session = testing::organization(&testing::crm(MemoryStore::new(), 1), "acme").await.unwrap();
        let contact = session.create(ana()).await.unwrap().id;
        let issued = CreateInvoice { issue: Some(None), ..CreateInvoice::draft(contact, vec![line()]) };
        let invoice = session.run(&issued).await.unwrap();
        let number = invoice.number.as_ref().unwrap().to_string();
        let before = privacy::dump(&session).await.unwrap();
        let refused = session.erase_contact(contact).await.unwrap_err();
        assert!(matches!(&refused, CrmError::Privacy(PrivacyError::OpenInvoices(open)) if *open == [number]));
        assert_eq!(refused.code().as_str(), "rule");
        assert_eq!(privacy::dump(&session).await.unwrap(), before, "nothing of it is written");

        session.run(&VoidInvoice(invoice.id)).await.unwrap();
        let credit = session.run(&pay(contact, 500, Allocate::Nothing)).await.unwrap();
        let refused = session.erase_contact(contact).await.unwrap_err();
        let named = format!("payment {}", credit.id);
        assert!(matches!(&refused, CrmError::Privacy(PrivacyError::UnspentCredit(of)) if *of == [named]), "{refused}");
    });
}

#[test]
fn contents_that_are_gone_are_found_unless_an_erasure_accounts_for_them() {
    block_on(async {
        let session = testing::organization(&testing::crm(MemoryStore::new(), 1), "acme").await.unwrap();
        let erased = session.create(ana()).await.unwrap().id;
        let other = session.create(ana()).await.unwrap().id;
        session.erase_contact(erased).await.unwrap();
        assert_eq!(session.verify(None).await.unwrap().problems, 0);
        let columns = AuditEntry::COLUMNS;
        let (changes, salt) = (columns.changes.index(), columns.salt.index());
        for entry in rows(&session, AuditEntry::TABLE).await {
            let of_erased = entry[columns.record_id.index()] == Value::Id(erased.uuid());
            if of_erased && entry[changes].is_null() {
                // Something else in their place is found all the same.
                for at in [changes, salt] {
                    let other = if at == salt { Value::Bytes(vec![1; 16]) } else { Value::Text("{}".to_owned()) };
                    tamper(&session, &entry, |row| row[at] = other.clone()).await;
                    assert_eq!(session.verify(None).await.unwrap().problems, 1);
                    tamper(&session, &entry, |_| ()).await;
                }
                continue;
            }
            // Emptied, with and without the salt, another salt, no salt.
            let faults: [&dyn Fn(&mut Row); 4] = [
                &|row| {
                    row[changes] = Value::Null;
                    row[salt] = Value::Null;
                },
                &|row| row[changes] = Value::Null,
                &|row| row[salt] = Value::Null,
                &|row| row[salt] = Value::Bytes(vec![1; 16]),
            ];
            for (number, fault) in faults.into_iter().enumerate() {
                tamper(&session, &entry, fault).await;
                let found = session.verify(None).await.unwrap();
                assert!(found.problems > 0, "fault {number} of {entry:?}");
                tamper(&session, &entry, |_| ()).await;
            }
        }
        assert_eq!(session.verify(None).await.unwrap().problems, 0);
        assert!(session.get(other).await.is_ok());
    });
}

#[test]
fn hashes_of_the_same_values_differ_and_cannot_be_guessed() {
    block_on(async {
        let session = testing::organization(&testing::crm(MemoryStore::new(), 1), "acme").await.unwrap();
        session.create_many(&[ana(), ana()]).await.unwrap();
        let columns = AuditEntry::COLUMNS;
        let entries = rows(&session, AuditEntry::TABLE).await;
        let distinct = |at: usize| {
            let values: Vec<String> = entries.iter().map(|row| format!("{:?}", row[at])).collect();
            values.iter().collect::<std::collections::HashSet<_>>().len()
        };
        for at in [columns.changes_hash.index(), columns.digest.index(), columns.salt.index()] {
            assert_eq!(distinct(at), entries.len());
        }
        assert!(distinct(columns.changes.index()) < entries.len(), "two have the same contents");
    });
}

#[test]
fn an_export_has_all_that_is_about_the_contact_and_nothing_of_others() {
    block_on(async {
        let crm = testing::crm(MemoryStore::new(), 1);
        let session = testing::organization(&crm, "acme").await.unwrap();
        let contact = session.create(ana()).await.unwrap().id;
        let other = session.create(ana()).await.unwrap().id;
        let columns = Interaction::COLUMNS;
        let call = |of: Id<Contact>, notes: &str| {
            let edit = Edit::new().set(columns.kind, InteractionKind::Call).about(Some(of.into()));
            edit.set(columns.notes, notes.parse::<Notes<10_000>>().unwrap())
        };
        let many: Vec<_> = (0..2_500).map(|number| call(contact, &format!("Call number {number}"))).collect();
        session.create_many(&many).await.unwrap();
        session.create(call(other, "Somebody else's")).await.unwrap();
        let export = session.export_contact(contact).await.unwrap();
        assert_eq!(export.organization, "acme");
        assert_eq!(export.contact["given_name"], "Ana");
        assert_eq!(export.contact["custom"]["shoe"], "41");
        assert_eq!(export.records["interaction"].len(), 2_500);
        assert_eq!(export.audit.len(), 2_501);
        assert_eq!(export.audit[0].command, "contact.create");
        let text = serde_json::json!(export).to_string();
        assert!(!text.contains("Somebody else") && !text.contains(&other.to_string()));
        let again = session.export_contact(contact).await.unwrap();
        assert_eq!(again.records, export.records);
        assert_eq!(again.audit, export.audit);
        for role in [Role::Manager, Role::Member, Role::Viewer] {
            let session = testing::member(&crm, &session, role).await.unwrap();
            assert!(matches!(session.export_contact(contact).await, Err(CrmError::Forbidden { .. })));
            assert!(matches!(session.erase_contact(contact).await, Err(CrmError::Forbidden { .. })));
        }
        session.erase_contact(contact).await.unwrap();
        let erased = session.list(&Query::new(columns.contact_id.eq(&Some(contact))).limit(1)).await.unwrap();
        assert_eq!(erased.items[0].notes.as_str(), "[erased]");
    });
}

/// What an export has under this name, wherever it is.
fn named(json: &serde_json::Value, name: &str, found: &mut Vec<serde_json::Value>) {
    match json {
        serde_json::Value::Object(fields) => {
            found.extend(fields.get(name).cloned());
            fields.values().for_each(|json| named(json, name, found));
        }
        serde_json::Value::Array(items) => items.iter().for_each(|json| named(json, name, found)),
        _ => {}
    }
}

#[test]
fn amounts_are_exported_with_their_currency() {
    use serde_json::json;
    block_on(async {
        let session = testing::organization(&testing::crm(MemoryStore::new(), 1), "acme").await.unwrap();
        let contact = session.create(ana()).await.unwrap().id;
        let issued = CreateInvoice { issue: Some(None), ..CreateInvoice::draft(contact, vec![line()]) };
        let invoice = session.run(&issued).await.unwrap().id;
        let usd = |amount: &str| json!({ "amount": amount, "currency": "USD" });
        let partly = Allocate::To(vec![(invoice, Money::new(250, "USD".parse().unwrap()))]);
        session.run(&pay(contact, 300, partly)).await.unwrap();
        let columns = Deal::COLUMNS;
        let edit = Edit::new()
            .set(columns.title, "Chairs".parse::<Text<200>>().unwrap())
            .set(columns.contact_id, Some(contact));
        let edit = edit.set(columns.amount, Minor(123_456));
        let deal = session.run(&CreateDeal::new(edit)).await.unwrap().id;
        let yen =
            Edit::new().set(columns.currency, "JPY".parse::<Currency>().unwrap()).set(columns.amount, Minor(5_000));
        session.update(deal, yen).await.unwrap();
        session.update(deal, Edit::new().set(columns.amount, Minor(6_000))).await.unwrap();

        let export = json!(session.export_contact(contact).await.unwrap());
        assert_eq!(export["records"]["invoice"][0]["total"], usd("10.00"));
        assert_eq!(export["records"]["invoice"][0]["balance"], usd("7.50"));
        assert_eq!(export["records"]["invoice_line"][0]["net"], usd("10.00"));
        assert_eq!(export["records"]["deal"][0]["amount"], json!({ "amount": "6000", "currency": "JPY" }));
        let entry = |entity: &str, action: &str, number: usize| {
            let all = export["audit"].as_array().unwrap().iter();
            let mut of = all.filter(|entry| entry["entity"] == entity && entry["action"] == action);
            of.nth(number).unwrap()["changes"].clone()
        };
        assert_eq!(entry("invoice", "insert", 0)["total"], usd("10.00"));
        assert_eq!(entry("invoice", "update", 0)["paid"], json!([usd("0.00"), usd("2.50")]));
        assert_eq!(entry("deal", "insert", 0)["amount"], usd("1234.56"));
        let yen = |amount: &str| json!({ "amount": amount, "currency": "JPY" });
        assert_eq!(entry("deal", "update", 0)["amount"], json!([usd("1234.56"), yen("5000")]));
        assert_eq!(entry("deal", "update", 1)["amount"], json!([yen("5000"), yen("6000")]));

        // Nowhere else is one in minor units.
        for table in TABLES {
            for column in table.columns.iter().filter(|column| column.kind == Kind::Money) {
                assert!(table.position("currency").is_some(), "{table:?}.{}", column.name);
                let mut found = Vec::new();
                named(&export, column.name, &mut found);
                let bare =
                    found.iter().flat_map(|json| json.as_array().map_or(std::slice::from_ref(json), Vec::as_slice));
                let bare: Vec<_> = bare.filter(|json| json.is_number()).collect();
                assert!(bare.is_empty(), "{table:?}.{} {bare:?}", column.name);
            }
        }
    });
}

#[test]
fn what_a_deleted_contact_left_is_exported_and_erased() {
    block_on(async {
        let session = testing::organization(&testing::crm(MemoryStore::new(), 1), "acme").await.unwrap();
        let key: IdempotencyKey = "first".parse().unwrap();
        let contact = session.run_with_key(&Create(ana()), Some(&key)).await.unwrap().id;
        session.delete(contact).await.unwrap();
        let again = session.run_with_key(&Create(ana()), Some(&key)).await;
        assert!(matches!(again, Err(CrmError::KeyReused(_))), "{again:?}");
        let export = session.export_contact(contact).await.unwrap();
        assert_eq!(export.contact["given_name"], "Ana");
        assert_eq!(export.audit.len(), 2);
        let told = session.erase_contact(contact).await.unwrap();
        assert_eq!((told.deleted_before, told.erased.len()), (1, 0));
        let left = privacy::dump(&session).await.unwrap();
        assert!(!left.contains("Ana") && !left.contains("shoe"), "{left}");
        let verified = session.verify(None).await.unwrap();
        assert_eq!(verified.problems, 0, "{:?}", verified.findings);
        let told = session.erase_contact(contact).await.unwrap();
        assert_eq!(told.deleted_before, 0);
        assert!(session.export_contact(contact).await.unwrap().contact.is_null());
        let nobody = session.erase_contact(Id::new(uuid::Uuid::from_u128(9))).await;
        assert!(matches!(nobody, Err(CrmError::NotFound { .. })), "{nobody:?}");
    });
}

#[test]
fn an_invitation_to_the_contacts_address_is_erased_and_a_users_account_is_not() {
    block_on(async {
        let crm = testing::crm(MemoryStore::new(), 1);
        let session = testing::organization(&crm, "acme").await.unwrap();
        let email = |text: &str| text.parse::<Email>().unwrap();
        let address = Some(email("ana@example.com"));
        let contact = session.create(ana().set(Contact::COLUMNS.email, address)).await.unwrap().id;
        let invite = async |text: &str| {
            let new = NewInvitation { email: email(text), role: Role::Viewer, days: None };
            session.invite(&new).await.unwrap()
        };
        let accepted = invite("Ana@Example.com").await;
        crm.accept_invitation(&accepted.text, "Ana".parse().ok()).await.unwrap();
        let other = invite("eva@example.com").await.invitation;

        let export = session.export_contact(contact).await.unwrap();
        assert_eq!(export.records["invitation"].len(), 1);
        assert_eq!(export.records["invitation"][0]["email"], "Ana@Example.com");
        assert!(export.records["invitation"][0].get("hash").is_none());
        assert!(export.audit.iter().any(|entry| entry.command == "invitation.create"));
        assert!(!serde_json::json!(export).to_string().contains("eva@"));

        assert_eq!(session.erase_contact(contact).await.unwrap().erased.get("invitation"), Some(&1));
        let left = session.get(accepted.invitation.id).await.unwrap();
        assert_eq!(
            (left.email.to_string().as_str(), left.ended),
            ("erased@erased.invalid", Some(InvitationEnd::Accepted))
        );
        assert_eq!(session.get(other.id).await.unwrap().value, other.value);
        // A user is no contact: what the audit tells of the account stays.
        let dump = privacy::dump(&session).await.unwrap().to_lowercase();
        let left: Vec<&str> = dump.lines().filter(|line| line.contains("ana@")).collect();
        assert!(left.len() == 1 && left[0].contains(r#""entity":"user""#), "{left:?}");
        crm.session(&"acme".parse().unwrap(), &email("ana@example.com")).await.unwrap();
        assert_eq!(session.verify(None).await.unwrap().problems, 0);
        assert_eq!(crm.verify_users().await.unwrap().problems, 0);
    });
}

#[test]
fn an_invitation_that_stands_ends_with_the_erasure() {
    block_on(async {
        let crm = testing::crm(MemoryStore::new(), 1);
        let session = testing::organization(&crm, "acme").await.unwrap();
        // Two at once: what is left of them are no two of one address.
        for name in ["ana", "eva"] {
            let email: Email = format!("{name}@example.com").parse().unwrap();
            let edit = ana().set(Contact::COLUMNS.email, Some(email.clone()));
            let contact = session.create(edit).await.unwrap().id;
            let new = NewInvitation { email, role: Role::Viewer, days: None };
            let invited = session.invite(&new).await.unwrap();
            session.erase_contact(contact).await.unwrap();
            let ended = session.get(invited.invitation.id).await.unwrap().ended;
            assert_eq!(ended, Some(InvitationEnd::Withdrawn));
            let answer = crm.accept_invitation(&invited.text, "Ana".parse().ok()).await;
            assert!(matches!(answer, Err(CrmError::BadCredential(_))), "{answer:?}");
        }
    });
}

#[test]
fn a_command_sent_again_after_the_erasure_is_refused() {
    block_on(async {
        let session = testing::organization(&testing::crm(MemoryStore::new(), 1), "acme").await.unwrap();
        let key: IdempotencyKey = "ana@example.com".parse().unwrap();
        let contact = session.run_with_key(&Create(ana()), Some(&key)).await.unwrap().id;
        session.erase_contact(contact).await.unwrap();
        let again = session.run_with_key(&Create(ana()), Some(&key)).await;
        assert!(matches!(again, Err(CrmError::KeyReused(_))), "{again:?}");
        assert!(!privacy::dump(&session).await.unwrap().contains("ana@"));
    });
}

#[test]
fn the_past_of_a_record_before_it_came_to_the_contact_is_kept() {
    block_on(async {
        let session = testing::organization(&testing::crm(MemoryStore::new(), 1), "acme").await.unwrap();
        let (first, straw) = (session.create(ana()).await.unwrap().id, session.create(ana()).await.unwrap().id);
        let titled = |title: &str| {
            let title = title.parse::<crm_core::value::Text<200>>().unwrap();
            Edit::new().set(Task::COLUMNS.title, title)
        };
        let task = session.create(titled("Promise").about(Some(first.into()))).await.unwrap().id;
        session.update(task, titled("Refund")).await.unwrap();
        session.update(task, titled("Straw").about(Some(straw.into()))).await.unwrap();
        session.update(task, titled("Man")).await.unwrap();
        session.erase_contact(straw).await.unwrap();
        let columns = AuditEntry::COLUMNS;
        let of_task = || async {
            let mut of_task = rows(&session, AuditEntry::TABLE).await;
            of_task.retain(|row| row[columns.record_id.index()] == Value::Id(task.uuid()));
            of_task.sort_by_key(|row| row[columns.seq.index()].as_int());
            of_task
        };
        let entries = of_task().await;
        let kept: Vec<bool> = entries.iter().map(|row| !row[columns.changes.index()].is_null()).collect();
        assert_eq!(kept, [true, true, false, false, true]);
        let left = privacy::dump(&session).await.unwrap();
        assert!(left.contains("Promise") && !left.contains("Straw") && !left.contains("Man"), "{left}");
        assert_eq!(session.verify(None).await.unwrap().problems, 0);
        // The erasure accounts for what it took, and for nothing else.
        let blank = |row: &mut Row| {
            row[columns.changes.index()] = Value::Null;
            row[columns.salt.index()] = Value::Null;
        };
        tamper(&session, &entries[1], blank).await;
        assert_eq!(session.verify(None).await.unwrap().problems, 1);
        tamper(&session, &entries[1], |_| ()).await;

        // A second erasure accounts for its own part.
        session.erase_contact(first).await.unwrap();
        assert_eq!(session.verify(None).await.unwrap().problems, 0);
    });
}

#[test]
fn the_past_of_a_record_that_was_nobodys_goes_with_the_contact() {
    block_on(async {
        let session = testing::organization(&testing::crm(MemoryStore::new(), 1), "acme").await.unwrap();
        let (first, last) = (session.create(ana()).await.unwrap().id, session.create(ana()).await.unwrap().id);
        let titled = |title: &str| {
            let title = title.parse::<crm_core::value::Text<200>>().unwrap();
            Edit::new().set(Task::COLUMNS.title, title)
        };
        // Written before it was about anybody.
        let early = session.create(titled("Early")).await.unwrap().id;
        session.update(early, titled("Later").about(Some(last.into()))).await.unwrap();
        // Of the first contact, then nobody's, then of the last.
        let passed = session.create(titled("Promise").about(Some(first.into()))).await.unwrap().id;
        session.update(passed, titled("Between").about(None)).await.unwrap();
        session.update(passed, titled("Now").about(Some(last.into()))).await.unwrap();
        session.erase_contact(last).await.unwrap();
        let left = privacy::dump(&session).await.unwrap();
        assert!(left.contains("Promise"), "{left}");
        for word in ["Early", "Later", "Now"] {
            assert!(!left.contains(word), "{word}: {left}");
        }
        assert_eq!(session.verify(None).await.unwrap().problems, 0);
    });
}

/// A new key of the organization's owner.
async fn new_key(session: &Session<'_>) -> CreatedKey {
    let new = NewKey::new(
        "Web shop".parse().unwrap(),
        Role::Admin,
        "contact.*,organization.*,api_request.*".parse().unwrap(),
    );
    session.create_key(&new).await.unwrap()
}

#[test]
fn logged_requests_of_the_contacts_address_are_exported_and_blanked() {
    block_on(async {
        let crm = testing::crm(MemoryStore::new(), 1);
        let session = testing::organization(&crm, "acme").await.unwrap();
        let columns = Contact::COLUMNS;
        let contact = session.create(ana().set(columns.email, "Ana@Example.com".parse().ok())).await.unwrap().id;
        let requester =
            Requester { name: "Ana".parse().ok(), email: "ana@EXAMPLE.com".parse().ok(), application_id: None };
        let theirs = crm.session_with_key(&new_key(&session).await.text).await.unwrap().requested_by(&requester);
        theirs.update(contact, Edit::new().set(columns.city, "Here".parse().ok())).await.unwrap();
        let other = theirs.requested_by(&Requester { email: "eva@example.com".parse().ok(), ..Requester::default() });
        other.update(contact, Edit::new().set(columns.city, "There".parse().ok())).await.unwrap();
        let export = session.export_contact(contact).await.unwrap();
        assert_eq!(export.records["api_request"].len(), 1);
        assert_eq!(export.records["api_request"][0]["name"], "Ana");
        session.erase_contact(contact).await.unwrap();
        let logged = session.list(&Query::<ApiRequest>::all()).await.unwrap().items;
        let told: Vec<_> =
            logged.iter().map(|of| (of.name.is_some(), of.email.as_ref().map(ToString::to_string))).collect();
        assert_eq!(told, [(false, None), (false, Some("eva@example.com".to_owned()))]);
    });
}

#[test]
fn what_a_contact_was_known_as_is_the_contacts_unless_it_is_anothers_now() {
    block_on(async {
        let crm = testing::crm(MemoryStore::new(), 1);
        let session = testing::organization(&crm, "acme").await.unwrap();
        let columns = Contact::COLUMNS;
        let named = |family: &str, email: &str| {
            ana().set(columns.family_name, family.parse().ok()).set(columns.email, email.parse().ok())
        };
        let contact = session.create(named("Arias", "first@example.com")).await.unwrap().id;
        let requests = crm.session_with_key(&new_key(&session).await.text).await.unwrap();
        let ask = async |name: &str, email: &str| {
            let requester = Requester { name: name.parse().ok(), email: email.parse().ok(), application_id: None };
            let edit = Edit::new().set(columns.given_name, "Somebody".parse().ok());
            let edit = edit.set(columns.kind, ContactKind::Person);
            requests.requested_by(&requester).create(edit).await.unwrap();
        };
        let invite = async |email: &str| {
            let new = NewInvitation { email: email.parse().unwrap(), role: Role::Viewer, days: None };
            session.invite(&new).await.unwrap();
        };
        for email in ["first@example.com", "second@example.com"] {
            invite(email).await;
            ask("", email).await;
        }
        ask("ANA  Árias", "").await;
        ask("Ana Arias", "else@example.com").await;
        ask("Ana Arias", "third@example.com").await;
        ask("Ana Arias", "first@example.com").await;
        ask("Ana <SECOND@example.com>", "").await;
        ask("Ana Duarte", "").await;
        ask("Ana Beltrán", "").await;
        ask("Ana", "").await;
        for (family, email) in [("Beltrán", "second@example.com"), ("Castro", "last@example.com")] {
            session.update(contact, named(family, email)).await.unwrap();
        }
        // The first address, and the second name, have passed to others; an address beside the first name never was its own,
        // and the third name is that of a company's contact person.
        session.update(contact, named("Duarte", "second@example.com")).await.unwrap();
        let company = named("Duarte", "company@example.com").set(columns.kind, ContactKind::Company);
        session.create(company.set(columns.company_name, "Kaz Ltd".parse().ok())).await.unwrap();
        let heirs = [named("Eiras", "first@example.com"), named("Beltrán", "third@example.com")];
        session.create_many(&heirs).await.unwrap();

        let export = session.export_contact(contact).await.unwrap();
        let of = |entity: &str, field: &str| -> Vec<String> {
            export.records[entity].iter().map(|json| json[field].as_str().unwrap_or_default().to_owned()).collect()
        };
        assert_eq!(of("invitation", "email"), ["second@example.com"]);
        assert_eq!(of("api_request", "email"), ["second@example.com", "", "first@example.com", ""]);
        let names = ["", "ANA  Árias", "Ana Arias", "Ana <SECOND@example.com>"];
        assert_eq!(of("api_request", "name"), names);

        let told = session.erase_contact(contact).await.unwrap().erased;
        assert_eq!((told.get("invitation"), told.get("api_request")), (Some(&1), Some(&4)));
        let logged = session.list(&Query::<ApiRequest>::all()).await.unwrap().items;
        let left = logged.iter().filter_map(|of| Some((of.name.as_deref(), of.email.as_ref()?.as_str())));
        assert_eq!(
            left.collect::<Vec<_>>(),
            [
                (None, "first@example.com"),
                (Some("Ana Arias"), "else@example.com"),
                (Some("Ana Arias"), "third@example.com")
            ]
        );
        let names: Vec<_> = logged.iter().filter(|of| of.email.is_none()).filter_map(|of| of.name.as_deref()).collect();
        assert_eq!(names, ["Ana Duarte", "Ana Beltrán", "Ana"]);

        // A deleted contact's address is free at once: what bears it is the next one's.
        let deleted = session.create(named("Evora", "passed@example.com")).await.unwrap().id;
        invite("passed@example.com").await;
        session.delete(deleted).await.unwrap();
        let heir = session.create(named("Franco", "passed@example.com")).await.unwrap().id;
        assert_eq!(session.erase_contact(deleted).await.unwrap().erased.get("invitation"), None);
        assert_eq!(session.erase_contact(heir).await.unwrap().erased.get("invitation"), Some(&1));
        assert_eq!(session.verify(None).await.unwrap().problems, 0);
    });
}

#[test]
fn an_address_that_two_have_is_neithers_until_one_has_it() {
    block_on(async {
        let crm = testing::crm(MemoryStore::new(), 1);
        let parsed = |text: &str| text.parse::<Email>().unwrap();
        let (slug, name) = ("acme".parse().unwrap(), "Acme".parse().unwrap());
        let organization = Organization::new(slug, name, "USD".parse().unwrap(), "UTC".parse().unwrap());
        let new = NewOrganization {
            organization: Organization { unique_emails: false, ..organization },
            owner_email: parsed("owner@acme.example"),
            owner_name: "Olivia".parse().unwrap(),
            invoice_prefix: "INV-".to_owned(),
        };
        crm.create_organization(&new).await.unwrap();
        let session = crm.session(&new.organization.slug, &new.owner_email).await.unwrap();
        let email = parsed("family@example.com");
        let edit = |name: &str| {
            let edit = ana().set(Contact::COLUMNS.given_name, name.parse().ok());
            session.create(edit.set(Contact::COLUMNS.email, Some(email.clone())))
        };
        let (ana, bob) = (edit("Ana").await.unwrap().id, edit("Bob").await.unwrap().id);
        let new = NewInvitation { email: email.clone(), role: Role::Viewer, days: None };
        session.invite(&new).await.unwrap();
        let key = crm.session_with_key(&new_key(&session).await.text).await.unwrap();
        for name in ["Ana", "Bob"] {
            let asked = Requester { name: name.parse().ok(), email: Some(email.clone()), application_id: None };
            key.requested_by(&asked)
                .update(ana, Edit::new().set(Contact::COLUMNS.city, name.parse().ok()))
                .await
                .unwrap();
        }
        let told = session.erase_contact(ana).await.unwrap().erased;
        assert_eq!((told.get("invitation"), told.get("api_request")), (None, Some(&1)), "by name");
        let told = session.erase_contact(bob).await.unwrap().erased;
        assert_eq!((told.get("invitation"), told.get("api_request")), (Some(&1), Some(&1)));
    });
}

#[test]
fn whoever_claims_nobodys_address_reaches_no_erased_invitation() {
    block_on(async {
        let session = testing::organization(&testing::crm(MemoryStore::new(), 1), "acme").await.unwrap();
        let with = |email: &str| ana().set(Contact::COLUMNS.email, email.parse().ok());
        let new = NewInvitation { email: "bob@example.com".parse().unwrap(), role: Role::Viewer, days: None };
        session.invite(&new).await.unwrap();
        let bob = session.create(with("bob@example.com")).await.unwrap().id;
        session.erase_contact(bob).await.unwrap();
        let claims = session.create(with("erased@erased.invalid")).await.unwrap().id;
        assert!(!session.export_contact(claims).await.unwrap().records.contains_key("invitation"));
        assert_eq!(session.erase_contact(claims).await.unwrap().erased.get("invitation"), None);
        let verified = session.verify(None).await.unwrap();
        assert_eq!(verified.problems, 0, "{:?}", verified.findings);
    });
}

#[test]
fn an_erasure_withdraws_no_invitation_that_its_actor_may_not_withdraw() {
    block_on(async {
        let crm = testing::crm(MemoryStore::new(), 1);
        let owner = testing::organization(&crm, "acme").await.unwrap();
        let admin = testing::member(&crm, &owner, Role::Admin).await.unwrap();
        let key = crm.session_with_key(&new_key(&owner).await.text).await.unwrap();
        let invite = async |email: &str, role: Role| {
            let new = NewInvitation { email: email.parse().unwrap(), role, days: None };
            let invited = owner.invite(&new).await.unwrap().invitation.id;
            (invited, owner.create(ana().set(Contact::COLUMNS.email, email.parse().ok())).await.unwrap().id)
        };
        let (to_own, future_owner) = invite("owner@example.com", Role::Owner).await;
        let (_, future_viewer) = invite("viewer@example.com", Role::Viewer).await;
        let before = privacy::dump(&owner).await.unwrap();
        let refused = admin.erase_contact(future_owner).await.unwrap_err();
        assert!(matches!(refused, CrmError::Privacy(PrivacyError::StandingInvitation(Role::Owner))), "{refused}");
        assert!(refused.to_string().contains("have an owner withdraw it first"), "{refused}");
        assert_eq!(privacy::dump(&owner).await.unwrap(), before, "nothing of it is written");
        let refused = key.erase_contact(future_viewer).await.unwrap_err();
        assert!(matches!(refused, CrmError::Privacy(PrivacyError::StandingInvitation(Role::Viewer))), "{refused}");
        assert!(refused.to_string().contains("have an admin withdraw it first"), "{refused}");
        admin.erase_contact(future_viewer).await.unwrap();
        owner.run(&WithdrawInvitation(to_own)).await.unwrap();
        admin.erase_contact(future_owner).await.unwrap();
    });
}

#[test]
fn no_idempotency_key_stands_in_the_way_of_an_erasure() {
    let reserved = "forgotten:0000".parse::<IdempotencyKey>();
    assert!(reserved.is_err(), "{reserved:?}");
    assert!("Forgotten".parse::<IdempotencyKey>().is_ok());
}

#[test]
fn what_is_asked_about_an_erased_contact_is_logged_without_a_name() {
    block_on(async {
        let crm = testing::crm(MemoryStore::new(), 1);
        let session = testing::organization(&crm, "acme").await.unwrap();
        let contact =
            session.create(ana().set(Contact::COLUMNS.email, "ana@example.com".parse().ok())).await.unwrap().id;
        let asked = Requester {
            name: "Ana".parse().ok(),
            email: "ana@example.com".parse().ok(),
            application_id: "web".parse().ok(),
        };
        let key = crm.session_with_key(&new_key(&session).await.text).await.unwrap().requested_by(&asked);
        key.erase_contact(contact).await.unwrap();
        key.erase_contact(contact).await.unwrap();
        key.update(contact, Edit::new().set(Contact::COLUMNS.city, "Here".parse().ok())).await.unwrap_err();
        key.export_contact(contact).await.unwrap();
        let logged = session.list(&Query::<ApiRequest>::all()).await.unwrap().items;
        let told: Vec<_> =
            logged.iter().map(|of| (of.operation.as_str(), of.name.is_some() || of.email.is_some())).collect();
        let erased = ("contact.erase", false);
        assert_eq!(told, [erased, erased, ("contact.update", false), ("contact.export_personal", false)]);
        assert!(logged.iter().all(|of| of.application_id.as_deref() == Some("web")), "{logged:?}");
    });
}

#[test]
fn what_keys_export_is_logged_and_counted_and_they_purge_nothing() {
    block_on(async {
        let crm = testing::crm(MemoryStore::new(), 1);
        let session = testing::organization(&crm, "acme").await.unwrap();
        let contact = session.create(ana()).await.unwrap().id;
        let created = new_key(&session).await;
        let operation = "contact.export_personal".to_owned();
        session.run(&SetQuota { key: created.key.id, operation, per_day: Some(1) }).await.unwrap();
        let theirs = crm.session_with_key(&created.text).await.unwrap();
        theirs.export_contact(contact).await.unwrap();
        let refused = theirs.export_contact(contact).await;
        assert!(matches!(refused, Err(CrmError::QuotaExceeded { .. })), "{refused:?}");
        let missing = theirs.export_contact(Id::new(uuid::Uuid::from_u128(9))).await;
        assert!(matches!(missing, Err(CrmError::NotFound { .. })), "{missing:?}");
        let today = "2026-06-15".parse().unwrap();
        for refused in [theirs.purge().await.err(), theirs.purge_requests(today).await.err()] {
            assert!(matches!(refused, Some(CrmError::Access(AccessError::MembersOnly))), "{refused:?}");
        }
        let logged = session.list(&Query::<ApiRequest>::all()).await.unwrap().items;
        let told: Vec<(&str, &str)> = logged.iter().map(|of| (of.operation.as_str(), of.outcome.as_str())).collect();
        let expected = [
            ("contact.export_personal", "ok"),
            ("contact.export_personal", "throttled"),
            ("contact.export_personal", "not_found"),
            ("organization.purge", "rule"),
            ("api_request.purge", "rule"),
        ];
        assert_eq!(told, expected);
        let tomorrow = session.purge_requests("2026-06-16".parse().unwrap()).await;
        assert!(matches!(tomorrow, Err(CrmError::Invalid(_))), "{tomorrow:?}");
        assert_eq!(session.purge_requests(today).await.unwrap(), 0);
    });
}
