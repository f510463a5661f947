//! The erasure of a contact.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use serde::Serialize;

use super::known_as::KnownAs;
use super::reach::Reach;
use super::{PrivacyError, known_by};
use crate::access::{ApiRequest, Grant, Invitation, require_withdrawable};
use crate::audit::ERASING;
use crate::billing::{CreditNote, Invoice, InvoiceStatus, Payment};
use crate::context::Context;
use crate::crm::{Command, Seat, Session};
use crate::crud::{self, Edit};
use crate::entity::{Entity as _, Flags, Stored, Table};
use crate::error::CrmError;
use crate::id::Id;
use crate::people::{Contact, ContactKind};
use crate::row::{Row, Value};
use crate::sales::Tagging;
use crate::service::{Case, CaseStatus};
use crate::store::{Abort, Change, ChangeSet, Feed, Forgotten, Guard, Store, StoreError, fresh};

/// Why records are retained.
const LAW: &str = "records of accounting are kept as the law requires";

/// What became of the records about a contact.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Erased {
    /// How many records of each entity were erased; none the second time.
    pub erased: BTreeMap<&'static str, u64>,
    /// How many records that had been deleted before are forgotten by the audit as well.
    pub deleted_before: u64,
    /// What is kept, and why.
    pub kept: Vec<Kept>,
    /// Whether nothing of what was erased is left in the store's files; of a server's, whether it was asked to clean its
    /// tables. Otherwise others were reading an older state, or the store is within a transaction: [`Session::purge`] later;
    /// or the role does not own the tables, whose owner purges.
    pub purged: bool,
}

/// Records that are kept as they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Kept {
    /// The kind of record.
    pub entity: &'static str,
    /// How many.
    pub records: u64,
    /// Why.
    pub reason: &'static str,
}

/// What came of an erasure, left by its feed.
type Outcome = Arc<Mutex<Option<Result<Erased, CrmError>>>>;

/// Erases a contact.
struct EraseContact {
    id: Id<Contact>,
    outcome: Outcome,
}

#[async_trait]
impl Command for EraseContact {
    type Root = Contact;
    const VERB: &'static str = "erase";

    fn body(&self) -> String {
        self.id.to_string()
    }

    async fn decide(
        &self,
        session: &Session<'_>,
        _: Grant,
        context: &mut Context,
        changes: &mut ChangeSet,
    ) -> Result<Stored<Contact>, CrmError> {
        let reach = session.reach(self.id).await?;
        require_settled(&reach)?;
        let again = reach.contact.as_ref().is_none_or(|contact| contact.erased_at.is_some());
        // Here the audit still tells what it was.
        let known_as = session.known_as(&reach).await?;
        // For a contact that was deleted stands one that has nothing but its id.
        let nobody = Edit::new().set(Contact::COLUMNS.kind, ContactKind::Person);
        let nobody = nobody.set(Contact::COLUMNS.given_name, "[erased]".parse().ok());
        let mut erased = match &reach.contact {
            Some(contact) => contact.clone(),
            None => fresh(context, self.id, crud::create(&nobody, context)?),
        };
        if let Some(before) = reach.contact.filter(|_| again) {
            changes.require_unchanged(&before);
        } else if !again {
            let before = erased;
            let row = before.to_row();
            let mut after = successor(Contact::TABLE, &row, context)?;
            let now = Value::Instant(context.now());
            after[Contact::COLUMNS.erased_at.index()] = now.clone();
            let archived = Contact::COLUMNS.archived_at.index();
            if after[archived].is_null() {
                after[archived] = now;
            }
            erased = Stored::from_row(after.clone())?;
            rewrite(changes, Contact::TABLE, row, after);
        }
        // Whoever writes about the contact waits for this change from here on, or is found by the feed.
        let (seat, context, outcome) = (session.seat(), context.clone(), Arc::clone(&self.outcome));
        changes.feed = Some(Box::new(Rest { id: self.id, known_as, again, seat, context, outcome, done: false }));
        Ok(erased)
    }
}

/// The erasure of all that is about a contact, decided within the transaction that has erased the contact itself.
struct Rest {
    id: Id<Contact>,
    known_as: KnownAs,
    again: bool,
    seat: Seat,
    context: Context,
    outcome: Outcome,
    done: bool,
}

impl Rest {
    async fn decide(&mut self, view: &dyn Store) -> Result<(Erased, ChangeSet), CrmError> {
        let session = self.seat.on(view);
        let reach = session.reach(self.id).await?;
        require_settled(&reach)?;
        let mut changes = ChangeSet::new(self.context.stamp(ERASING));
        let mut told = erase(&reach, self.again, &self.context, &mut changes)?;
        session.look_back(&reach, &mut changes.forgotten).await?;
        let others = session.others(&self.known_as).await?;
        let invitations = session.invitations_of(&self.known_as, &others).await?;
        let requests = session.requests_of(&self.known_as, &others).await?;
        let mut ids = reach.ids();
        ids.extend(invitations.iter().map(|row| Invitation::TABLE.id(row)));
        session.forget_results(&ids, &mut changes).await?;
        for (table, rows) in [(Invitation::TABLE, &invitations), (ApiRequest::TABLE, &requests)] {
            if !rows.is_empty() {
                told.erased.insert(table.entity, rows.len() as u64);
            }
        }
        for row in invitations {
            let before = Stored::<Invitation>::from_row(row)?;
            if before.stands(self.context.now()) && require_withdrawable(&before, &self.context).is_err() {
                return Err(PrivacyError::StandingInvitation(before.role).into());
            }
            let after = before.erased(self.context.now())?;
            changes.forgotten.push(Forgotten {
                table: Invitation::TABLE,
                id: before.id.uuid(),
                since: 0,
                deleted_at: None,
            });
            changes.update(&self.context, &before, after);
        }
        let columns = ApiRequest::COLUMNS;
        for before in requests {
            let mut after = before.clone();
            after[columns.name.index()] = Value::Null;
            after[columns.email.index()] = Value::Null;
            changes.rewrite(ApiRequest::TABLE, before, after);
        }
        Ok((told, changes))
    }
}

#[async_trait]
impl Feed for Rest {
    async fn next(&mut self, view: &dyn Store) -> Result<Option<ChangeSet>, Abort> {
        if std::mem::replace(&mut self.done, true) {
            return Ok(None);
        }
        let (outcome, answer) = match self.decide(view).await {
            Ok((told, changes)) => (Ok(told), Ok(Some(changes).filter(|changes| !changes.is_empty()))),
            Err(error) => (Err(error), Err(Abort::Withdrawn)),
        };
        *self.outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
        answer
    }
}

/// Refuses while there are claims for which it must be known who it is.
fn require_settled(reach: &Reach) -> Result<(), CrmError> {
    let mut open = Vec::new();
    for invoice in reach.records::<Invoice>() {
        let invoice = invoice?;
        if invoice.status == InvoiceStatus::Open {
            open.push(known_by(invoice.number.as_deref(), "invoice", invoice.id.uuid()));
        }
    }
    if !open.is_empty() {
        return Err(PrivacyError::OpenInvoices(open).into());
    }
    for payment in reach.records::<Payment>() {
        let payment = payment?;
        if payment.unapplied.0 > 0 && payment.reversed_on.is_none() {
            open.push(known_by(None, "payment", payment.id.uuid()));
        }
    }
    for note in reach.records::<CreditNote>() {
        let note = note?;
        if note.unapplied.0 > 0 {
            open.push(known_by(note.number.as_deref(), "credit note", note.id.uuid()));
        }
    }
    if !open.is_empty() {
        return Err(PrivacyError::UnspentCredit(open).into());
    }
    for case in reach.records::<Case>() {
        let case = case?;
        if case.status != CaseStatus::Closed {
            open.push(known_by(case.number.as_deref(), "case", case.id.uuid()));
        }
    }
    if open.is_empty() { Ok(()) } else { Err(PrivacyError::OpenCases(open).into()) }
}

/// Adds what the erasure of all that is about a contact writes. Of a contact that was erased before, only what came in since.
fn erase(reach: &Reach, again: bool, context: &Context, changes: &mut ChangeSet) -> Result<Erased, CrmError> {
    let mut told = Erased::default();
    if !again {
        told.erased.insert(Contact::TABLE.entity, 1);
    }
    for group in &reach.groups {
        let table = group.table;
        let (mut erased, mut kept) = (0, 0);
        for (row, retained) in group.rows.values() {
            if *retained {
                kept += 1;
                if table.version_position().is_some() {
                    // The claims were judged by it.
                    changes.guards.push(Guard { table, id: table.id(row), version: table.version(row) });
                }
            } else if *table == *Tagging::TABLE {
                changes.changes.push(Change::Delete { table, before: row.clone() });
                erased += 1;
            } else if table.is_personal() && !(again && table.erased(row)? == *row) {
                let after = successor(table, row, context)?;
                rewrite(changes, table, row.clone(), after);
                erased += 1;
            }
        }
        if erased > 0 {
            told.erased.insert(table.entity, erased);
        }
        if kept > 0 {
            told.kept.push(Kept { entity: table.entity, records: kept, reason: LAW });
        }
    }
    for gone in reach.deleted.iter().filter(|gone| gone.table.is_personal()) {
        told.deleted_before += 1;
        changes.forgotten.push(Forgotten { table: gone.table, id: gone.id, since: 0, deleted_at: Some(gone.version) });
    }
    Ok(told)
}

/// The next version of a row, without what is personal.
fn successor(table: &'static Table, row: &Row, context: &Context) -> Result<Row, CrmError> {
    let mut after = table.erased(row)?;
    if let (Some(version), Some(updated)) = (table.version_position(), table.updated_position()) {
        after[version] = Value::Int(table.version(row) + 1);
        after[updated] = Value::Instant(context.now());
    }
    Ok(after)
}

fn rewrite(changes: &mut ChangeSet, table: &'static Table, before: Row, after: Row) {
    changes.forgotten.push(Forgotten { table, id: table.id(&before), since: 0, deleted_at: None });
    changes.rewrite(table, before, after);
}

impl Table {
    /// Whether any column is personal.
    pub(super) fn is_personal(&self) -> bool {
        self.columns.iter().any(|column| column.flags.contains(Flags::PERSONAL))
    }

    /// The row without what is personal: absent, or `[erased]` where it may not be absent. Derived columns follow.
    ///
    /// # Errors
    /// When the row is not of this table.
    fn erased(&self, row: &Row) -> Result<Row, CrmError> {
        let clear = |(column, value): (&crate::entity::Column, &Value)| {
            if !column.flags.contains(Flags::PERSONAL) {
                value.clone()
            } else if column.nullable {
                Value::Null
            } else {
                Value::Text("[erased]".to_owned())
            }
        };
        Ok((self.rederive)(self.columns.iter().zip(row).map(clear).collect())?)
    }
}

impl Session<'_> {
    /// Erases a contact: takes what is personal out of it, of all records about it and of the audit's entries about them,
    /// archives it, and lets nothing new be written about it. What the law wants kept stays as it is. A second time erases
    /// what an import that ran meanwhile has brought in, mostly nothing. Of a contact that was deleted, the audit forgets
    /// what it still tells.
    ///
    /// # Errors
    /// [`PrivacyError`] while invoices are to be paid, credit is not spent, cases are not closed, or an invitation stands that
    /// the actor may not withdraw; and as [`Session::run`].
    pub async fn erase_contact(&self, id: Id<Contact>) -> Result<Erased, CrmError> {
        let outcome = Outcome::default();
        let answer = self.run(&EraseContact { id, outcome: Arc::clone(&outcome) }).await;
        let outcome = outcome.lock().unwrap_or_else(PoisonError::into_inner).take();
        let told = match (answer, outcome) {
            (Err(CrmError::Store(StoreError::Aborted)), Some(Err(refused))) => return Err(refused),
            (Ok(_), Some(Ok(told))) => told,
            (Err(error), _) => return Err(error),
            // A store that commits a feed without having read it to its end breaks its contract.
            (Ok(_), _) => {
                return Err(StoreError::Backend("the erasure's feed was not read to its end".into()).into());
            }
        };
        Ok(Erased { purged: self.purge_files().await, ..told })
    }
}
