//! Refunds: money paid back to a contact.

use async_trait::async_trait;

use super::allocation::own_contact;
use super::apply::{day, taken_back_on};
use super::{Allocation, BillingError, CreditNote, Method, Payment};
use crate::access::{Grant, User};
use crate::context::Context;
use crate::crm::{Command, Session};
use crate::crud::Rules;
use crate::entity::{Minor, Stored};
use crate::error::CrmError;
use crate::id::Id;
use crate::people::Contact;
use crate::store::{ChangeSet, Expr};
use crate::value::{Currency, Date, Money, Notes, Text, ValueError};

crate::entity! {
    /// Money paid back to a contact: of what a payment has left, or of a credit note. Never changed.
    pub struct Refund: "refund" in "crm_refund" as Record, Organization {
        /// Who is paid back.
        pub contact_id: Id<Contact> [SERVER_OWNED] => Contact,
        /// The currency of the amount.
        pub currency: Currency [SERVER_OWNED],
        /// How much.
        pub amount: Minor [SERVER_OWNED],
        /// The civil date on which it was paid back.
        pub refunded_on: Date [SERVER_OWNED],
        /// How it was paid back.
        pub method: Option<Method> [SERVER_OWNED],
        /// The bank's reference.
        pub reference: Option<Text<100>> [SERVER_OWNED PERSONAL],
        /// What else is to be said.
        pub notes: Option<Notes<2000>> [SERVER_OWNED PERSONAL],
        /// Of which payment, if it is one's.
        pub payment_id: Option<Id<Payment>> [SERVER_OWNED] => Payment,
        /// Of which credit note, if it is one's.
        pub credit_note_id: Option<Id<CreditNote>> [SERVER_OWNED] => CreditNote,
        /// The id in the system that it was imported from.
        pub external_id: Option<Text<100>> [SERVER_OWNED PERSONAL],
    }
    columns RefundColumns;
    derived { }
    unique { "crm_refund_external_id": [external_id] }
    index {
        "crm_refund_contact": [contact_id, currency, refunded_on, amount],
        "crm_refund_refunded_on": [refunded_on, currency, contact_id, amount],
        "crm_refund_payment_id": [payment_id],
        "crm_refund_credit_note_id": [credit_note_id],
    }
}

impl Rules for Refund {
    const NATURAL_KEYS: &'static [&'static str] = &["external_id"];

    fn own(user: Id<User>) -> Expr {
        own_contact(Self::COLUMNS.contact_id.index(), user)
    }

    fn retained() -> Expr {
        Expr::True
    }
}

/// Of what a refund is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefundOf {
    /// Of what a payment has left.
    Payment(Id<Payment>),
    /// Of what is left of the credit that a credit note kept.
    CreditNote(Id<CreditNote>),
}

/// Records money paid back.
#[derive(Clone, Debug)]
pub struct RecordRefund {
    /// Of what.
    pub of: RefundOf,
    /// How much.
    pub amount: Money,
    /// The civil date on which it was paid back; today otherwise, never later, and not before that of the payment or note.
    pub refunded_on: Option<Date>,
    /// How it was paid back.
    pub method: Option<Method>,
    /// The bank's reference.
    pub reference: Option<Text<100>>,
    /// What else is to be said.
    pub notes: Option<Notes<2000>>,
    /// The id in the system that it comes from.
    pub external_id: Option<Text<100>>,
}

impl RecordRefund {
    /// A refund of today, with nothing else said of it.
    pub const fn new(of: RefundOf, amount: Money) -> Self {
        Self { of, amount, refunded_on: None, method: None, reference: None, notes: None, external_id: None }
    }

    /// Refuses an amount that is nothing, in another currency, or more than is left.
    fn check(&self, document: impl FnOnce() -> String, rest: Money) -> Result<(), CrmError> {
        if !self.amount.is_positive() {
            return Err(CrmError::invalid("amount", ValueError::NotPositive));
        }
        let (left, right) = (self.amount.currency(), rest.currency());
        if left != right {
            return Err(CrmError::invalid("amount", ValueError::CurrencyMismatch { left, right }));
        }
        if self.amount.minor() > rest.minor() {
            return Err(BillingError::MoreThanLeft { document: document(), asked: self.amount, rest }.into());
        }
        Ok(())
    }
}

#[async_trait]
impl Command for RecordRefund {
    type Root = Refund;
    const VERB: &'static str = "record";

    fn body(&self) -> String {
        format!("{self:?}")
    }

    async fn decide(
        &self,
        session: &Session<'_>,
        grant: Grant,
        context: &mut Context,
        changes: &mut ChangeSet,
    ) -> Result<Stored<Refund>, CrmError> {
        let amount = self.amount.minor();
        let columns = Allocation::COLUMNS;
        let (contact_id, earliest, theirs, payment_id, credit_note_id) = match self.of {
            RefundOf::Payment(id) => {
                let payment = session.load(grant, id).await?;
                payment.require_standing()?;
                self.check(|| payment.label(), payment.money(payment.unapplied))?;
                let mut after = payment.value.clone();
                after.unapplied.0 -= amount;
                after.refunded.0 += amount;
                changes.update(context, &payment, after);
                (payment.contact_id, payment.received_on, columns.payment_id.eq(&Some(id)), Some(id), None)
            }
            RefundOf::CreditNote(id) => {
                let note = session.load(grant, id).await?;
                self.check(|| note.label(), note.money(note.unapplied))?;
                let mut after = note.value.clone();
                after.unapplied.0 -= amount;
                after.refunded.0 += amount;
                changes.update(context, &note, after);
                (note.contact_id, note.issued_on, columns.credit_note_id.eq(&Some(id)), None, Some(id))
            }
        };
        let earliest = taken_back_on(session, theirs.into()).await?.unwrap_or(earliest).max(earliest);
        let refund = Refund {
            contact_id,
            currency: self.amount.currency(),
            amount: Minor(amount),
            refunded_on: day("refunded_on", self.refunded_on, earliest, context)?,
            method: self.method,
            reference: self.reference.clone(),
            notes: self.notes.clone(),
            payment_id,
            credit_note_id,
            external_id: self.external_id.clone(),
        };
        Ok(changes.insert(context, refund))
    }
}
