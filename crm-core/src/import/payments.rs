//! Payments, decided by the chunk. Payments of one invoice see each other's effect.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::Read;
use std::sync::Arc;

use async_trait::async_trait;

use super::feed::{CHUNK, Chunks, Step, upsert_key};
use super::invoice_rows::{read, read_money};
use super::invoices::Differences;
use super::lookup::{By, Found, references};
use super::mapping::{Mapping, Place, Sheet};
use super::named;
use super::output::{Reason, Refusal};
use super::records::refusal;
use super::rows::{RawRow, Rows};
use super::unique::{Claim, Claims, Given, rows_with};
use crate::billing::{Allocate, BillingError, Invoice, InvoiceStatus, Payment, RecordPayment};
use crate::context::Context;
use crate::crm::Session;
use crate::crud::Rules as _;
use crate::entity::{Entity as _, Field as _, Locale, Stored};
use crate::error::{CrmError, Invalid};
use crate::id::Id;
use crate::people::Contact;
use crate::row::Value;
use crate::store::{ChangeSet, Direction, Order, Select, StoreExt as _};
use crate::value::{Currency, Money, Text, ValueError, excerpt};

const FIELDS: &[&str] =
    &["amount", "currency", "received_on", "method", "reference", "notes", "external_id", "invoice", "allocate"];

crate::choice! {
    /// What a payment settles that names no invoice.
    pub enum Settle {
        /// Nothing: it is the contact's credit.
        Nothing = "none",
        /// The contact's open invoices, the earliest due first.
        Oldest = "oldest",
    }
}

/// The file of payments.
pub(super) struct Payments {
    rows: Rows,
    sheet: Sheet,
    contact: Option<(usize, By)>,
    locale: Locale,
    key: bool,
    claims: Claims,
    given: Given,
}

/// A row as it is read.
struct Candidate {
    row: RawRow,
    command: Option<RecordPayment>,
    contact: String,
    invoice: String,
    settle: Settle,
    external_id: Option<Text<100>>,
    refusals: Vec<Refusal>,
}

/// The invoices of a chunk as they are after its payments so far.
#[derive(Default)]
struct Open {
    invoices: HashMap<Id<Invoice>, Stored<Invoice>>,
    /// A contact's open invoices in the order in which payments settle them.
    oldest: HashMap<(Id<Contact>, Currency), Vec<Id<Invoice>>>,
}

impl Payments {
    pub(super) fn open(
        input: Box<dyn Read + Send>,
        mapping: &Mapping,
        upsert_by: Option<&str>,
        context: &Context,
    ) -> Result<Self, CrmError> {
        let key = upsert_key(upsert_by, Payment::NATURAL_KEYS)?;
        let names = FIELDS.iter().copied().chain(named::names(named::CONTACT)).collect();
        let rows = Rows::open(input, mapping.delimiter, "")?;
        let sheet =
            Sheet::new(mapping, rows.header(), names, Place { prefix: "", optional: "" }).map_err(CrmError::Invalid)?;
        let contact = named::chosen(&sheet, named::CONTACT)?;
        let has = |name: &str| sheet.position(name).is_some_and(|at| sheet.has(at));
        let mut missing = Vec::new();
        missing.extend((contact.is_none() && !has("invoice")).then_some("contact"));
        missing.extend((!has("amount")).then_some("amount"));
        missing.extend(key.filter(|key| !has(key)));
        if !missing.is_empty() {
            let invalid = |name: &str| Invalid::new(format!("columns.{name}"), ValueError::Blank);
            return Err(CrmError::Invalid(missing.into_iter().map(invalid).collect()));
        }
        let organization = context.organization();
        let locale = Locale { region: organization.default_region, currency: organization.default_currency };
        let claims = Claims::of(Payment::TABLE, &[]);
        Ok(Self { rows, sheet, contact, locale, key: key.is_some(), claims, given: Given::default() })
    }

    /// Reads a row's cells; what it refers to comes later.
    fn parse(&self, row: RawRow) -> Candidate {
        let mut refused = Vec::new();
        let (sheet, record) = (&self.sheet, &row.record);
        let mut candidate = (None, String::new(), String::new(), Settle::Nothing, None);
        if let Some(fault) = &row.fault {
            refused.push(fault.invalid(sheet, record));
        } else {
            let locale = &self.locale;
            let text = |field: usize| sheet.given(record, field).unwrap_or_default().to_owned();
            let external_id: Option<Text<100>> = read(sheet, record, "external_id", locale, &mut refused);
            let currency = read(sheet, record, "currency", locale, &mut refused).unwrap_or(locale.currency);
            let amount = read_money(sheet, record, "amount", currency, &mut refused);
            if amount.is_none() && refused.iter().all(|invalid| invalid.field != "amount") {
                refused.push(Invalid::new("amount", ValueError::Blank));
            }
            let command = RecordPayment {
                contact: Id::new(uuid::Uuid::nil()),
                amount: amount.unwrap_or(Money::zero(currency)),
                received_on: read(sheet, record, "received_on", locale, &mut refused),
                method: read(sheet, record, "method", locale, &mut refused),
                reference: read(sheet, record, "reference", locale, &mut refused),
                notes: read(sheet, record, "notes", locale, &mut refused),
                external_id: external_id.clone(),
                allocate: Allocate::Nothing,
            };
            let contact = self.contact.map(|(field, _)| text(field)).unwrap_or_default();
            let invoice = sheet.position("invoice").map(text).unwrap_or_default();
            if contact.is_empty() && invoice.is_empty() {
                let field = self.contact.map_or("contact", |(field, _)| sheet.name(field));
                refused.push(Invalid::new(field, ValueError::Blank));
            }
            if self.key && external_id.is_none() && refused.iter().all(|invalid| invalid.field != "external_id") {
                refused.push(Invalid::new("external_id", ValueError::Blank));
            }
            let settle = read(sheet, record, "allocate", locale, &mut refused).unwrap_or(Settle::Nothing);
            if settle == Settle::Oldest && !invoice.is_empty() {
                refused.push(Invalid::new("allocate", ValueError::NotAllowed { when: "an invoice is named" }));
            }
            candidate = (Some(command), contact, invoice, settle, external_id);
        }
        let refusals = refused.into_iter().map(|invalid| refusal(sheet, row.line, record, invalid)).collect();
        let (command, contact, invoice, settle, external_id) = candidate;
        Candidate { row, command, contact, invoice, settle, external_id, refusals }
    }

    fn refuse(&self, candidate: &mut Candidate, field: &str, reason: ValueError) {
        let row = &candidate.row;
        candidate.refusals.push(refusal(&self.sheet, row.line, &row.record, Invalid::new(field, reason)));
    }

    /// Puts the contact and the invoice in.
    fn refer(&self, candidate: &mut Candidate, contacts: &Found<Contact>, invoices: &Found<Invoice>) {
        let invoice = match invoices.get(&candidate.invoice) {
            Some(Ok(invoice)) => Some(invoice),
            Some(Err(reason)) => {
                self.refuse(candidate, "invoice", reason.clone());
                None
            }
            None => None,
        };
        let contact = match contacts.get(&candidate.contact) {
            Some(Ok(contact)) => Some(contact.id),
            Some(Err(reason)) => {
                let field = self.contact.map_or("contact", |(field, _)| self.sheet.name(field));
                self.refuse(candidate, field, reason.clone());
                None
            }
            None => invoice.map(|invoice| invoice.contact_id),
        };
        if let (Some(command), Some(contact)) = (&mut candidate.command, contact) {
            command.contact = contact;
        }
        if let (Some(command), Some(invoice)) = (&mut candidate.command, invoice) {
            command.allocate = Allocate::To(vec![(invoice.id, command.amount)]);
        }
    }

    /// The payments that the external ids name.
    async fn known(
        &self,
        session: &Session<'_>,
        candidates: &[Candidate],
    ) -> Result<HashMap<String, Stored<Payment>>, CrmError> {
        let mut known = HashMap::new();
        if self.key {
            let column = Payment::COLUMNS.external_id.index();
            let ids = candidates.iter().filter_map(|candidate| candidate.external_id.as_ref());
            let values = ids.map(|id| Value::Text(id.to_string())).collect();
            for row in rows_with(session, Payment::TABLE, column, values).await? {
                let text = row[column].as_text().unwrap_or_default().to_owned();
                known.insert(text, Stored::from_row(row)?);
            }
        }
        Ok(known)
    }

    /// Notes where a payment that is there differs from what the file says.
    fn compare(&self, candidate: &mut Candidate, known: &Stored<Payment>) {
        let Some(command) = &candidate.command else { return };
        let mut differ = Differences::default();
        let contact = self.contact.map_or("invoice", |(field, _)| self.sheet.name(field));
        differ.unless_equal(contact, &command.contact, &known.contact_id);
        let stored = Money::new(known.amount.0, known.currency);
        differ.unless_equal("amount", &command.amount, &stored);
        differ.unless_given_equal("received_on", command.received_on.as_ref(), Some(&known.received_on));
        for invalid in differ.0 {
            self.refuse(candidate, &invalid.field, invalid.reason);
        }
    }

    async fn claim(
        &mut self,
        session: &Session<'_>,
        candidates: &mut [Candidate],
        new: &[usize],
    ) -> Result<(), CrmError> {
        let claims: Vec<Claim> = new
            .iter()
            .map(|at| {
                let mut row = vec![Value::Null; Payment::TABLE.columns.len()];
                row[Payment::COLUMNS.external_id.index()] = candidates[*at].external_id.store();
                Claim { line: candidates[*at].row.line, id: uuid::Uuid::nil(), row: Cow::Owned(row) }
            })
            .collect();
        let refused = self.claims.check(session, &claims).await?;
        for (at, refused) in new.iter().zip(refused) {
            for invalid in refused {
                self.refuse(&mut candidates[*at], &invalid.field, invalid.reason);
            }
        }
        Ok(())
    }

    /// Records a payment, or takes back what was begun of it.
    fn write(
        &self,
        candidate: &mut Candidate,
        open: &mut Open,
        context: &mut Context,
        changes: &mut ChangeSet,
    ) -> Result<(), CrmError> {
        let Some(command) = &mut candidate.command else { return Ok(()) };
        let invoices = match &command.allocate {
            Allocate::To(shares) => shares.iter().filter_map(|(id, _)| open.invoices.get(id)).cloned().collect(),
            _ if candidate.settle == Settle::Oldest => {
                command.allocate = Allocate::Oldest;
                open.of(command.contact, command.amount)
            }
            _ => Vec::new(),
        };
        let mark = (changes.changes.len(), changes.counters.len());
        match command.write(&invoices, context, changes) {
            Ok(_) => open.refresh(&invoices, changes),
            Err(error) => {
                // It fails before it changes an invoice, so that there are only inserts to take back.
                changes.rewind(mark.0, mark.1);
                self.note(candidate, error)
            }
        }
    }

    fn note(&self, candidate: &mut Candidate, error: CrmError) -> Result<(), CrmError> {
        match error {
            CrmError::Invalid(fields) => {
                for invalid in fields {
                    let field =
                        if invalid.field.starts_with("allocations.") { "invoice" } else { invalid.field.as_str() };
                    self.refuse(candidate, field, invalid.reason);
                }
                Ok(())
            }
            CrmError::Billing(error) => {
                let field = match &error {
                    BillingError::MoreThanDue { .. } => "amount",
                    BillingError::OtherCurrency { .. } => "currency",
                    _ => "invoice",
                };
                let got = excerpt(self.sheet.cell(&candidate.row.record, field));
                let (line, field) = (candidate.row.line, field.to_owned());
                candidate.refusals.push(Refusal { line, field, reason: Reason::Billing(error), got });
                Ok(())
            }
            other => Err(other),
        }
    }
}

impl Open {
    /// The invoices that the chunk's payments may settle.
    async fn load(session: &Session<'_>, candidates: &[Candidate], named: &Found<Invoice>) -> Result<Self, CrmError> {
        let mut open = Self::default();
        for invoice in named.values().flatten() {
            open.invoices.insert(invoice.id, (**invoice).clone());
        }
        let oldest = candidates.iter().filter(|candidate| candidate.settle == Settle::Oldest);
        let mut contacts: Vec<Id<Contact>> =
            oldest.filter_map(|candidate| candidate.command.as_ref()).map(|command| command.contact).collect();
        contacts.sort_unstable();
        contacts.dedup();
        if contacts.is_empty() {
            return Ok(open);
        }
        let columns = Invoice::COLUMNS;
        let filter = columns.contact_id.is_in(&contacts) & columns.status.eq(&InvoiceStatus::Open);
        let order = Order { column: columns.due_on.index(), direction: Direction::Ascending };
        let query = Select::new(Invoice::TABLE, filter.into()).ordered(&[order]);
        let invoices: Vec<Stored<Invoice>> = session.store().all(session.scope(), &query).await?;
        for invoice in invoices {
            open.oldest.entry((invoice.contact_id, invoice.currency)).or_default().push(invoice.id);
            open.invoices.insert(invoice.id, invoice);
        }
        Ok(open)
    }

    /// As many of a contact's oldest invoices as the amount can settle.
    fn of(&self, contact: Id<Contact>, amount: Money) -> Vec<Stored<Invoice>> {
        let Some(ids) = self.oldest.get(&(contact, amount.currency())) else { return Vec::new() };
        let mut rest = amount.minor();
        let due = ids.iter().filter_map(|id| self.invoices.get(id)).filter(|invoice| invoice.due().0 > 0);
        let enough = due.take_while(|invoice| {
            let needed = rest > 0;
            rest -= invoice.due().0;
            needed
        });
        enough.cloned().collect()
    }

    /// Keeps the invoices as the change-set now has them.
    fn refresh(&mut self, invoices: &[Stored<Invoice>], changes: &ChangeSet) -> Result<(), CrmError> {
        for invoice in invoices {
            if let Some(position) = changes.position(invoice.id) {
                let after = Stored::from_row(changes.changes[position].row().clone())?;
                self.invoices.insert(invoice.id, after);
            }
        }
        Ok(())
    }
}

#[async_trait]
impl Chunks for Payments {
    fn sheets(&self) -> Vec<&Sheet> {
        vec![&self.sheet]
    }

    async fn next(&mut self, step: &mut Step<'_>) -> Result<bool, CrmError> {
        let mut candidates = Vec::with_capacity(CHUNK);
        while candidates.len() < CHUNK {
            let Some(row) = self.rows.next()? else { break };
            step.output.read();
            candidates.push(self.parse(row));
        }
        if candidates.is_empty() {
            return Ok(false);
        }
        let texts = |of: fn(&Candidate) -> &String| {
            candidates.iter().map(of).filter(|text| !text.is_empty()).cloned().collect::<Vec<_>>()
        };
        let (named_contacts, named_invoices) = (texts(|row| &row.contact), texts(|row| &row.invoice));
        let by = self.contact.map_or(By::Id, |(_, by)| by);
        let contacts: Found<Contact> = references(step.session, by, named_contacts).await?;
        let by = By::Any(Invoice::NATURAL_KEYS);
        let invoices: HashMap<String, Result<Arc<Stored<Invoice>>, ValueError>> =
            references(step.session, by, named_invoices).await?;
        let known = self.known(step.session, &candidates).await?;
        let mut new = Vec::new();
        for (at, candidate) in candidates.iter_mut().enumerate() {
            self.refer(candidate, &contacts, &invoices);
            if let (true, Some(id)) = (self.key, candidate.external_id.clone())
                && let Some(line) = self.given.before(&Value::Text(id.to_string()), candidate.row.line)
            {
                self.refuse(candidate, "external_id", ValueError::Repeated { got: excerpt(&id), line });
            }
            let there = candidate.external_id.as_ref().and_then(|id| known.get(id.as_str()));
            if candidate.refusals.is_empty() {
                match there {
                    Some(there) => self.compare(candidate, there),
                    None => new.push(at),
                }
            }
        }
        self.claim(step.session, &mut candidates, &new).await?;
        let mut open = Open::load(step.session, &candidates, &invoices).await?;
        let mut new = new.into_iter().peekable();
        for (at, mut candidate) in candidates.into_iter().enumerate() {
            let is_new = new.next_if_eq(&at).is_some();
            if is_new && candidate.refusals.is_empty() {
                self.write(&mut candidate, &mut open, step.context, step.changes)?;
            }
            let report = &mut step.output.report;
            if !candidate.refusals.is_empty() {
                step.output.refuse(&candidate.row, &candidate.refusals);
            } else if is_new {
                report.created += 1;
            } else {
                report.unchanged += 1;
            }
        }
        Ok(true)
    }
}
