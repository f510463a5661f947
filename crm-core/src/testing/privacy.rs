//! A contact with a canary in every personal field of all that is about it, to be erased, and to be looked for afterwards.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use super::boundaries::{call, case, day, deal_edit, lead_edit, person, task};
use crate::access::{IdempotencyKey, NewInvitation, NewKey, Requester, Role, WithdrawInvitation};
use crate::billing::{Allocate, CreateInvoice, DeleteInvoice, Invoice, NewLine, RecordPayment};
use crate::commands::Update;
use crate::encode::encode_row;
use crate::entity::{Entity as _, Flags, Table, Tenancy};
use crate::error::CrmError;
use crate::id::Id;
use crate::import::{Import, ImportKind};
use crate::people::Contact;
use crate::privacy::PrivacyError;
use crate::row::{Row, Value};
use crate::sales::{AddTag, CreateDeal, Lead, Tagged};
use crate::schema::TABLES;
use crate::service::{Case, CloseCase, OpenCase};
use crate::store::{Change, ChangeSet, Expr, Filter, Query, Select};
use crate::value::{Decimal6, Email, Money, Text};
use crate::{Crm, Session};

/// A contact with canaries.
#[derive(Clone)]
pub struct Planted {
    /// The organization's owner.
    pub session: Session<'static>,
    /// The contact.
    pub contact: Id<Contact>,
    /// A lead of the contact.
    pub lead: Id<Lead>,
    /// A closed case of the contact.
    pub case: Id<Case>,
    /// An issued and paid invoice, whose buyer is `Kept Buyer`.
    pub invoice: Id<Invoice>,
    /// What may not be found anywhere once the contact is erased, in small letters.
    pub canaries: Vec<String>,
}

/// Draws canaries: no two begin alike, so that an index that leaves out what its terms have in common keeps most of each.
struct Birds {
    count: u64,
    drawn: Vec<String>,
}

/// How many characters of a canary are looked for: its end, which no compression of common beginnings takes.
const LOOKED_FOR: usize = 10;

impl Birds {
    fn bytes(&mut self) -> [u8; 32] {
        self.count += 1;
        Sha256::digest(format!("canary {}", self.count)).into()
    }

    /// Sixteen small letters.
    fn word(&mut self) -> String {
        let word: String = self.bytes()[..16].iter().map(|byte| char::from(b'a' + byte % 26)).collect();
        self.drawn.push(word[16 - LOOKED_FOR..].to_owned());
        word
    }

    /// Seven digits.
    fn digits(&mut self) -> String {
        let digits: String = self.bytes()[..7].iter().map(|byte| char::from(b'0' + byte % 10)).collect();
        self.drawn.push(digits.clone());
        digits
    }

    /// The row with a canary in every personal column that can hold one.
    fn sing(&mut self, table: &'static Table, row: &Row) -> Row {
        let mut row = row.clone();
        for (column, value) in table.columns.iter().zip(&mut row) {
            if !column.flags.contains(Flags::PERSONAL) {
                continue;
            }
            let text = match column.name {
                "email" | "email_claim" => format!("{}@canary.example", self.word()),
                "phone" | "phone_claim" => format!("+1415{}", self.digits()),
                "custom" | "buyer" => format!("{{\"{}\":\"{}\"}}", self.word(), self.word()),
                // None of these can hold a word.
                "country" | "company_id" | "stratum" => continue,
                "tax_scheme" => "other".to_owned(),
                _ => self.word(),
            };
            *value = Value::Text(text);
        }
        row
    }
}

/// Writes canaries over every personal field of every record about the contact that is not retained.
async fn overwrite(session: &Session<'_>, contact: Id<Contact>, birds: &mut Birds) -> Result<(), CrmError> {
    let reach = session.reach(contact).await?;
    let mut context = session.context();
    let mut changes = ChangeSet::new(session.context().stamp("contact.update"));
    let groups = reach.groups.iter().flat_map(|group| group.rows.values().map(move |row| (group.table, row)));
    let erasable = groups.filter(|(_, (_, retained))| !retained).map(|(table, (row, _))| (table, row.clone()));
    for (table, before) in reach.contact.iter().map(|of| (Contact::TABLE, of.to_row())).chain(erasable) {
        let mut after = birds.sing(table, &before);
        if let (Some(version), Some(updated)) = (table.version_position(), table.updated_position()) {
            after[version] = Value::Int(table.version(&before) + 1);
            after[updated] = Value::Instant(context.now());
            changes.rewrite(table, before, (table.rederive)(after)?);
        } else {
            // What is written once is written anew.
            after[0] = Value::Id(context.new_id());
            changes.changes.push(Change::Delete { table, before });
            changes.changes.push(Change::Insert { table, row: (table.rederive)(after)? });
        }
    }
    session.store().apply(session.scope(), changes).await?;
    Ok(())
}

fn line(text: &str) -> NewLine {
    NewLine {
        product: None,
        description: text.parse().ok(),
        quantity: Decimal6::ONE,
        unit_price: Some(Decimal6::from_micros(10_000_000)),
        discount: None,
        tax_percent: None,
    }
}

async fn import(session: &Session<'_>, text: String) -> Result<(), CrmError> {
    let import = Import::new(ImportKind::Contacts, std::io::Cursor::new(text));
    session.import(Import { upsert_by: Some("external_id".to_owned()), ..import }).await.map(drop)
}

/// Invites the contact, who does not want to, is invited again, not any more, and again.
async fn invite(crm: &Crm, session: &Session<'_>, contact: Id<Contact>) -> Result<(), CrmError> {
    let email = session.get(contact).await?.value.email.map(|email| email.to_string()).unwrap_or_default();
    let invite = async |email: &str| {
        let (role, days) = (Role::Viewer, None);
        session.invite(&NewInvitation { email: email.parse()?, role, days }).await
    };
    let declined = invite(&email).await?;
    crm.decline_invitation(&declined.text).await?;
    let withdrawn = invite(&email.to_uppercase()).await?;
    // The key keeps what was withdrawn, with the address.
    let key: IdempotencyKey = format!("withdraw {}", withdrawn.invitation.id).parse()?;
    session.run_with_key(&WithdrawInvitation(withdrawn.invitation.id), Some(&key)).await?;
    invite(&email).await.map(drop)
}

/// Has a program with an API key say that the contact asks for something: with the address, with the name alone, and with
/// both in one.
async fn ask(program: &Session<'_>, contact: Id<Contact>) -> Result<(), CrmError> {
    let Contact { given_name, family_name, email, .. } = program.get(contact).await?.value;
    let full = [given_name, family_name].into_iter().flatten().map(|name| name.to_string()).collect::<Vec<_>>();
    let name: Option<Text<255>> = full.join(" ").to_uppercase().parse().ok();
    let both = format!("{} <{}>", full.join(" "), email.as_ref().map(Email::as_str).unwrap_or_default());
    for (name, email) in [(None, email), (name, None), (both.parse().ok(), None)] {
        let asked = program.requested_by(&Requester { name, email, application_id: None });
        asked.create(person()).await?;
    }
    Ok(())
}

/// Makes an organization with a contact and everything that can be about one, with canaries in all of it: imported,
/// changed several times, in records that were deleted, in what idempotency keys keep, and in invitations and requests that
/// know the contact by what it was called before.
///
/// # Errors
/// When the store fails.
pub async fn plant(crm: &Crm, slug: &str) -> Result<Planted, CrmError> {
    let session = super::organization(crm, slug).await?;
    let mut seed = [0; 8];
    crm.environment().fill_random(&mut seed);
    let mut birds = Birds { count: u64::from_le_bytes(seed), drawn: Vec::new() };
    let columns = Contact::COLUMNS;
    // Others, between whose words the contact's stand in every index.
    for name in ["Amalia", "Kurt", "Zenobia"] {
        session.create(person().set(columns.family_name, name.parse().ok())).await?;
    }
    let buyer = person().set(columns.given_name, "Kept".parse().ok()).set(columns.family_name, "Buyer".parse().ok());
    let contact = session.create(buyer.set(columns.external_id, "import-1".parse().ok())).await?.id;
    let issued = CreateInvoice { issue: Some(None), ..CreateInvoice::draft(contact, vec![line("Work")]) };
    let invoice = session.run(&issued).await?.id;
    let amount = Money::new(1_000, "USD".parse()?);
    let (method, reference, notes, external_id) = (None, None, None, None);
    let allocate = Allocate::To(vec![(invoice, amount)]);
    let received_on = Some(day(10));
    session
        .run(&RecordPayment { contact, amount, received_on, method, reference, notes, external_id, allocate })
        .await?;
    import(&session, format!("external_id,kind,given_name\nimport-1,person,{}\n", birds.word())).await?;

    session.run(&CreateInvoice::draft(contact, vec![line(&birds.word())])).await?;
    let dropped = session.run(&CreateInvoice::draft(contact, vec![line(&birds.word())])).await?;
    session.run(&DeleteInvoice(dropped.id)).await?;
    let lead = session.create(lead_edit(contact)).await?.id;
    let deal = deal_edit().set(crate::sales::Deal::COLUMNS.contact_id, Some(contact));
    let deal = session.run(&CreateDeal::new(deal)).await?.id;
    let case = session.run(&OpenCase::new(case(contact))).await?.id;
    for record in [Tagged::Contact(contact), Tagged::Lead(lead), Tagged::Deal(deal)] {
        session.run(&AddTag { tag: "vip".parse()?, record }).await?;
    }
    let subjects = [contact.into(), lead.into(), deal.into(), case.into(), invoice.into()];
    for subject in subjects {
        session.create(task().about(Some(subject))).await?;
        session.create(call().about(Some(subject))).await?;
        let title = birds.word().parse::<crate::value::Text<200>>()?;
        let task = task().about(Some(subject)).set(crate::activity::Task::COLUMNS.title, title);
        let task = session.create(task).await?;
        session.delete(task.id).await?;
    }
    session.run(&CloseCase { id: case, reason: birds.word().parse().ok() }).await?;
    let shop = NewKey::new("Web shop".parse()?, Role::Admin, "contact.*".parse()?);
    let program = crm.session_with_key(&session.create_key(&shop).await?.text).await?;
    for _ in 0..3 {
        overwrite(&session, contact, &mut birds).await?;
        invite(crm, &session, contact).await?;
        ask(&program, contact).await?;
    }
    let key: IdempotencyKey = birds.word().parse()?;
    let edit = crate::Edit::new().set(columns.city, birds.word().parse().ok());
    session.run_with_key(&Update { id: contact, edit }, Some(&key)).await?;
    overwrite(&session, contact, &mut birds).await?;
    invite(crm, &session, contact).await?;
    Ok(Planted { session, contact, lead, case, invoice, canaries: birds.drawn })
}

/// Which of the canaries stand in these bytes, in large or small letters, in UTF-8 or UTF-16.
pub fn found_in(bytes: &[u8], canaries: &[String]) -> Vec<String> {
    let mut bytes = bytes.to_ascii_lowercase();
    let found = |bytes: &[u8]| -> Vec<String> {
        let text = String::from_utf8_lossy(bytes);
        canaries.iter().filter(|canary| text.contains(canary.as_str())).cloned().collect()
    };
    let mut all = found(&bytes);
    // UTF-16 is the same without the zeros between.
    bytes.retain(|byte| *byte != 0);
    all.extend(found(&bytes));
    all.sort();
    all.dedup();
    all
}

/// Every row that the organization has, as text.
///
/// # Errors
/// When the store fails.
pub async fn dump(session: &Session<'_>) -> Result<String, CrmError> {
    let mut out = String::new();
    for table in TABLES.iter().filter(|table| table.tenancy == Tenancy::Organization) {
        for row in session.store().select(session.scope(), &Select::new(table, Expr::True)).await? {
            let _ = writeln!(out, "{} {}", table.entity, encode_row(table, &row));
        }
    }
    Ok(out)
}

fn refused<T: std::fmt::Debug>(planted: &Planted, answer: &Result<T, CrmError>) {
    let erased = PrivacyError::Erased(planted.contact);
    assert!(matches!(answer, Err(CrmError::Privacy(found)) if *found == erased), "{answer:?}");
}

/// Erases a planted contact and checks what is to be seen of it through the store afterwards.
///
/// # Errors
/// When the store fails.
///
/// # Panics
/// When anything is left, or what is to be kept is not.
pub async fn erase(planted: &Planted) -> Result<bool, CrmError> {
    let Planted { session, contact, lead, case, invoice, canaries } = planted;
    let before = dump(session).await?;
    let there = found_in(before.as_bytes(), canaries);
    assert_eq!(there.len(), canaries.len(), "all are there before");
    let head = session.verify(None).await?;
    assert_eq!(head.problems, 0, "{:?}", head.findings);
    let export = session.export_contact(*contact).await?;
    assert_eq!(export.records["invitation"].len(), 12, "{export:?}");
    assert_eq!(export.audit.iter().filter(|entry| entry.entity == "invitation").count(), 20, "{export:?}");
    assert_eq!(export.records["api_request"].len(), 9, "{export:?}");
    let tags: Vec<_> = export.records["tag"].iter().map(|tag| tag["name"].as_str()).collect();
    assert_eq!(tags, [Some("vip")], "once, for contact, lead and deal");
    let told = session.erase_contact(*contact).await?;
    for entity in ["contact", "lead", "deal", "case", "case_event", "task", "interaction", "invoice", "tagging"] {
        assert!(told.erased.contains_key(entity), "{entity} in {told:?}");
    }
    assert_eq!((told.erased.get("invitation"), told.erased.get("api_request")), (Some(&12), Some(&9)), "{told:?}");
    assert!(told.kept.iter().any(|kept| kept.entity == "payment" && kept.records == 1), "{told:?}");
    assert!(told.deleted_before >= 7, "{told:?}");

    assert_eq!(found_in(dump(session).await?.as_bytes(), canaries), Vec::<String>::new());
    let verified = session.verify(Some(&head.head)).await?;
    assert_eq!(verified.problems, 0, "{:?}", verified.findings);
    assert!(session.verify_books().await?.is_empty());
    for canary in canaries {
        let words = Query::<Contact>::new(Filter::search(canary)).with_archived();
        assert!(session.list(&words).await?.items.is_empty(), "{canary}");
    }
    let export = session.export_contact(*contact).await?;
    assert!(export.erased_at.is_some() && export.records.contains_key("invoice"));
    assert_eq!(found_in(serde_json::json!(export).to_string().as_bytes(), canaries), Vec::<String>::new());
    let kept = session.get(*invoice).await?;
    assert!(kept.buyer.as_ref().is_some_and(|buyer| buyer.as_str().contains("Kept Buyer")), "{kept:?}");

    let columns = Contact::COLUMNS;
    refused(planted, &session.update(*contact, crate::Edit::new().set(columns.city, "Here".parse().ok())).await);
    refused(planted, &session.restore(*contact).await);
    refused(planted, &session.create(lead_edit(*contact)).await);
    refused(planted, &session.create(task().about(Some((*lead).into()))).await);
    refused(planted, &session.create(task().about(Some((*invoice).into()))).await);
    refused(planted, &session.create(call().about(Some((*case).into()))).await);
    refused(planted, &session.create_many(&[call().about(Some((*contact).into()))]).await);
    refused(planted, &session.run(&OpenCase::new(self::case(*contact))).await);
    refused(planted, &session.run(&CreateInvoice::draft(*contact, vec![line("Work")])).await);
    refused(planted, &session.run(&AddTag { tag: "vip".parse()?, record: Tagged::Lead(*lead) }).await);
    let notes = crate::Edit::new().set(Lead::COLUMNS.sales_notes, "Still here".parse().ok());
    refused(planted, &session.update(*lead, notes).await);

    let before = dump(session).await?;
    let again = session.erase_contact(*contact).await?;
    assert!(again.erased.is_empty() && again.deleted_before == 0, "{again:?}");
    assert_eq!(dump(session).await?, before, "the second time changes nothing");
    Ok(told.purged)
}

/// Checks an organization after its planted contact was erased while others wrote these words about it: nothing came back.
///
/// # Errors
/// When the store fails otherwise.
///
/// # Panics
/// When anything is left.
pub async fn after_race(planted: &Planted, words: &[String]) -> Result<(), CrmError> {
    let session = &planted.session;
    let all: Vec<String> = planted.canaries.iter().chain(words).cloned().collect();
    assert_eq!(found_in(dump(session).await?.as_bytes(), &all), Vec::<String>::new());
    let verified = session.verify(None).await?;
    assert_eq!(verified.problems, 0, "{:?}", verified.findings);
    Ok(())
}

/// One change of the contact or of what is about it, with this word in it; whether it was accepted. Erased is the only
/// reason to refuse it.
///
/// # Errors
/// Any other refusal.
pub async fn intrude(planted: &Planted, step: usize, word: &str) -> Result<bool, CrmError> {
    let session = &planted.session;
    let notes = || word.parse().ok();
    let answer = match step % 5 {
        0 => {
            let edit = crate::Edit::new().set(Contact::COLUMNS.notes, notes());
            session.update(planted.contact, edit).await.map(drop)
        }
        1 => {
            let edit = crate::Edit::new().set(Lead::COLUMNS.sales_notes, notes());
            session.update(planted.lead, edit).await.map(drop)
        }
        2 => {
            let title = word.parse::<crate::value::Text<200>>()?;
            let edit = task().about(Some(planted.invoice.into())).set(crate::activity::Task::COLUMNS.title, title);
            session.create(edit).await.map(drop)
        }
        3 => {
            let edit = call().about(Some(planted.lead.into()));
            let text = word.parse::<crate::value::Notes<10000>>()?;
            session.create(edit.set(crate::activity::Interaction::COLUMNS.notes, text)).await.map(drop)
        }
        _ => {
            let edit = lead_edit(planted.contact).set(Lead::COLUMNS.admin_notes, notes());
            session.create(edit).await.map(drop)
        }
    };
    match answer {
        Ok(()) => Ok(true),
        Err(CrmError::Privacy(PrivacyError::Erased(_))) => Ok(false),
        Err(other) => Err(other),
    }
}
