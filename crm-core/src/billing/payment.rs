//! Payments, and how they are recorded.

use async_trait::async_trait;

use super::allocation::own_contact;
use super::apply::{Source, apply};
use super::{Allocate, BillingError, Invoice};
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

crate::choice! {
    /// How something was paid.
    pub enum Method {
        /// In cash.
        Cash = "cash",
        /// By card.
        Card = "card",
        /// By bank transfer.
        Transfer = "transfer",
        /// By direct debit.
        DirectDebit = "direct_debit",
        /// By check.
        Check = "check",
        /// In another way.
        Other = "other",
    }
}

crate::entity! {
    /// Money received from a contact. What settles no invoice is the contact's credit.
    pub struct Payment: "payment" in "crm_payment" as Record, Organization {
        /// Who paid.
        pub contact_id: Id<Contact> => Contact,
        /// The currency of the amount.
        pub currency: Currency,
        /// How much.
        pub amount: Minor,
        /// How much of it is left: not applied to invoices and not paid back. A reversed payment has nothing left, less
        /// what was paid back of it: that much the contact owes.
        pub unapplied: Minor [SERVER_OWNED],
        /// What of it was paid back.
        pub refunded: Minor [SERVER_OWNED],
        /// The civil date on which it was received.
        pub received_on: Date,
        /// The civil date on which it was reversed: it bounced, or was recorded in error.
        pub reversed_on: Option<Date> [SERVER_OWNED],
        /// Why it was reversed.
        pub reversal_reason: Option<Text<200>> [SERVER_OWNED PERSONAL],
        /// How it was paid.
        pub method: Option<Method>,
        /// The payer's or the bank's reference.
        pub reference: Option<Text<100>> [PERSONAL],
        /// What else is to be said.
        pub notes: Option<Notes<2000>> [PERSONAL],
        /// The id in the system that it was imported from.
        pub external_id: Option<Text<100>> [PERSONAL],
    }
    columns PaymentColumns;
    derived { }
    unique { "crm_payment_external_id": [external_id] }
    index {
        "crm_payment_contact": [contact_id, currency, received_on, amount, unapplied, reversed_on],
        "crm_payment_totals": [currency, received_on, amount, unapplied, reversed_on],
    }
}

impl Rules for Payment {
    const NATURAL_KEYS: &'static [&'static str] = &["external_id"];

    fn own(user: Id<User>) -> Expr {
        own_contact(Self::COLUMNS.contact_id.index(), user)
    }

    fn retained() -> Expr {
        Expr::True
    }
}

impl Payment {
    /// The amount in the payment's currency.
    pub const fn money(&self, amount: Minor) -> Money {
        Money::new(amount.0, self.currency)
    }
}

impl Stored<Payment> {
    /// How errors name it.
    pub fn label(&self) -> String {
        format!("payment {}", self.id)
    }

    /// Refuses one that was reversed.
    pub(super) fn require_standing(&self) -> Result<(), BillingError> {
        match self.reversed_on {
            Some(on) => Err(BillingError::Reversed { payment: self.id.to_string(), on }),
            None => Ok(()),
        }
    }
}

/// Records money received.
#[derive(Clone, Debug)]
pub struct RecordPayment {
    /// Who paid.
    pub contact: Id<Contact>,
    /// How much.
    pub amount: Money,
    /// The civil date on which it was received; today otherwise, never later.
    pub received_on: Option<Date>,
    /// How it was paid.
    pub method: Option<Method>,
    /// The payer's or the bank's reference.
    pub reference: Option<Text<100>>,
    /// What else is to be said.
    pub notes: Option<Notes<2000>>,
    /// The id in the system that it comes from.
    pub external_id: Option<Text<100>>,
    /// What it settles.
    pub allocate: Allocate,
}

impl RecordPayment {
    /// The payment and its allocations, added to a change-set: the rule. `invoices` are those that it may
    /// settle, for [`Allocate::Oldest`] in that order.
    ///
    /// # Errors
    /// [`CrmError::Invalid`] for a field, [`BillingError`] when it settles what it cannot.
    pub fn write(
        &self,
        invoices: &[Stored<Invoice>],
        context: &mut Context,
        changes: &mut ChangeSet,
    ) -> Result<Stored<Payment>, CrmError> {
        let today = context.today();
        let received_on = self.received_on.unwrap_or(today);
        if received_on > today {
            return Err(CrmError::invalid("received_on", ValueError::After { latest: today, got: received_on }));
        }
        if !self.amount.is_positive() {
            return Err(CrmError::invalid("amount", ValueError::NotPositive));
        }
        let shares = self.allocate.shares(self.contact, self.amount, invoices)?;
        let spent: i64 = shares.iter().map(|(_, share)| share).sum();
        if spent > self.amount.minor() {
            let asked = Money::new(spent, self.amount.currency());
            return Err(BillingError::MoreThanPaid { asked, amount: self.amount }.into());
        }
        let payment = changes.insert(
            context,
            Payment {
                contact_id: self.contact,
                currency: self.amount.currency(),
                amount: Minor(self.amount.minor()),
                unapplied: Minor(self.amount.minor() - spent),
                refunded: Minor(0),
                received_on,
                reversed_on: None,
                reversal_reason: None,
                method: self.method,
                reference: self.reference.clone(),
                notes: self.notes.clone(),
                external_id: self.external_id.clone(),
            },
        );
        for (invoice, share) in shares {
            apply(invoice, Source::Payment(payment.id), share, received_on, context, changes)?;
        }
        Ok(payment)
    }
}

#[async_trait]
impl Command for RecordPayment {
    type Root = Payment;
    const VERB: &'static str = "record";

    fn body(&self) -> String {
        format!("{self:?}")
    }

    async fn decide(
        &self,
        session: &Session<'_>,
        _: Grant,
        context: &mut Context,
        changes: &mut ChangeSet,
    ) -> Result<Stored<Payment>, CrmError> {
        let contact = super::invoice_commands::required(session, self.contact, "contact").await?;
        let invoices = self.allocate.invoices(session, contact.id, self.amount.currency()).await?;
        self.write(&invoices, context, changes)
    }
}
