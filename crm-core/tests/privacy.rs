//! What is stored about a contact, given out and erased, on the memory store.
#![expect(clippy::unwrap_used, reason = "these are tests")]

use crm_core::access::Role;
use crm_core::activity::{Interaction, InteractionKind};
use crm_core::audit::AuditEntry;
use crm_core::billing::{Allocate, CreateInvoice, NewLine, RecordPayment, VoidInvoice};
use crm_core::entity::{Entity as _, Table};
use crm_core::people::{Contact, ContactKind};
use crm_core::privacy::PrivacyError;
use crm_core::row::{Row, Value};
use crm_core::store::{Change, ChangeSet, Expr, MemoryStore, Query, Select};
use crm_core::testing::{self, privacy};
use crm_core::value::{Decimal6, Document, Money, Notes};
use crm_core::{CrmError, Edit, Id, Session, block_on};

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
