//! Payments and what they settle.

use async_trait::async_trait;

use super::allocation::own_contact;
use super::{Allocation, BillingError, Invoice, InvoiceEvent, InvoiceStatus};
use crate::access::{Grant, User};
use crate::context::Context;
use crate::crm::{Command, Session};
use crate::crud::Rules;
use crate::entity::{Entity as _, Minor, Stored};
use crate::error::CrmError;
use crate::id::Id;
use crate::people::Contact;
use crate::store::{ChangeSet, Direction, Expr, Order, Select, StoreExt as _};
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
        /// How much of it settles no invoice.
        pub unapplied: Minor [SERVER_OWNED],
        /// The civil date on which it was received.
        pub received_on: Date,
        /// How it was paid.
        pub method: Option<Method>,
        /// The payer's or the bank's reference.
        pub reference: Option<Text<100>>,
        /// What else is to be said.
        pub notes: Option<Notes<2000>>,
        /// The id in the system that it was imported from.
        pub external_id: Option<Text<100>>,
    }
    columns PaymentColumns;
    derived { }
    unique { "crm_payment_external_id": [external_id] }
    index {
        "crm_payment_contact": [contact_id, currency, received_on, amount, unapplied],
        "crm_payment_totals": [currency, received_on, amount, unapplied],
    }
}

impl Rules for Payment {
    const NATURAL_KEYS: &'static [&'static str] = &["external_id"];

    fn own(user: Id<User>) -> Expr {
        own_contact(Self::COLUMNS.contact_id.index(), user)
    }
}

/// What a payment settles.
#[derive(Clone, Debug, PartialEq)]
pub enum Allocate {
    /// Nothing: all of it is the contact's credit.
    Nothing,
    /// The contact's open invoices in the payment's currency, the earliest due first; the rest is credit.
    Oldest,
    /// These amounts of these invoices; the rest is credit.
    To(Vec<(Id<Invoice>, Money)>),
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
        let shares = self.shares(invoices)?;
        let spent: i64 = shares.iter().map(|(_, share)| share).sum();
        let payment = changes.insert(
            context,
            Payment {
                contact_id: self.contact,
                currency: self.amount.currency(),
                amount: Minor(self.amount.minor()),
                unapplied: Minor(self.amount.minor() - spent),
                received_on,
                method: self.method,
                reference: self.reference.clone(),
                notes: self.notes.clone(),
                external_id: self.external_id.clone(),
            },
        );
        for (invoice, share) in shares {
            settle(&payment, invoice, share, received_on, context, changes)?;
        }
        Ok(payment)
    }

    /// How much goes to which invoice.
    fn shares<'a>(&self, invoices: &'a [Stored<Invoice>]) -> Result<Vec<(&'a Stored<Invoice>, i64)>, CrmError> {
        let mut rest = self.amount.minor();
        match &self.allocate {
            Allocate::Nothing => Ok(Vec::new()),
            Allocate::Oldest => Ok(invoices
                .iter()
                .map(|invoice| {
                    let share = rest.min(invoice.due().0);
                    rest -= share;
                    (invoice, share)
                })
                .filter(|(_, share)| *share > 0)
                .collect()),
            Allocate::To(shares) => {
                let mut asked = Money::zero(self.amount.currency());
                let mut found: Vec<(&Stored<Invoice>, i64)> = Vec::new();
                for (position, (id, share)) in (1..).zip(shares) {
                    let field = format!("allocations.{position}");
                    let missing = || ValueError::NotThere { entity: Invoice::TABLE.entity, reference: id.to_string() };
                    let invoice = invoices.iter().find(|invoice| invoice.id == *id);
                    let invoice = invoice.ok_or_else(|| CrmError::invalid(&field, missing()))?;
                    if !share.is_positive() {
                        return Err(CrmError::invalid(field, ValueError::NotPositive));
                    }
                    if invoice.currency != share.currency() || share.currency() != self.amount.currency() {
                        let (invoice, expected) = (invoice.label(), invoice.currency);
                        return Err(BillingError::OtherCurrency { invoice, expected, given: share.currency() }.into());
                    }
                    if invoice.contact_id != self.contact {
                        return Err(BillingError::OtherContact(invoice.label()).into());
                    }
                    asked = asked.checked_add(*share).map_err(|reason| CrmError::invalid(&field, reason))?;
                    match found.iter_mut().find(|(known, _)| known.id == *id) {
                        Some(known) => known.1 += share.minor(),
                        None => found.push((invoice, share.minor())),
                    }
                }
                if asked.minor() > self.amount.minor() {
                    return Err(BillingError::MoreThanPaid { asked, amount: self.amount }.into());
                }
                Ok(found)
            }
        }
    }
}

/// Lets a part of a payment settle an invoice.
fn settle(
    payment: &Stored<Payment>,
    invoice: &Stored<Invoice>,
    share: i64,
    applied_on: Date,
    context: &mut Context,
    changes: &mut ChangeSet,
) -> Result<(), CrmError> {
    let settled = invoice.after(InvoiceEvent::Pay)?;
    if share > invoice.due().0 {
        let (asked, due) = (Money::new(share, invoice.currency), invoice.money(invoice.due()));
        return Err(BillingError::MoreThanDue { invoice: invoice.label(), asked, due }.into());
    }
    let mut after = invoice.value.clone();
    after.paid.0 += share;
    if after.paid == after.total {
        after.status = settled;
        after.settled_on = Some(last_day(invoice, applied_on));
    } else {
        after.status = InvoiceStatus::Open;
    }
    changes.update(context, invoice, after);
    changes.insert(
        context,
        Allocation {
            payment_id: payment.id,
            invoice_id: invoice.id,
            contact_id: invoice.contact_id,
            currency: invoice.currency,
            amount: Minor(share),
            applied_on: last_day(invoice, applied_on),
        },
    );
    Ok(())
}

/// An advance counts against an invoice from the day of its issue, not before.
fn last_day(invoice: &Invoice, applied_on: Date) -> Date {
    invoice.issued_on.map_or(applied_on, |issued_on| issued_on.max(applied_on))
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
        let invoices = match &self.allocate {
            Allocate::Nothing => Vec::new(),
            Allocate::To(shares) => {
                let ids: Vec<_> = shares.iter().map(|(id, _)| id.uuid()).collect();
                let rows = session.store().fetch(session.scope(), Invoice::TABLE, &ids).await?;
                rows.into_iter().map(Stored::from_row).collect::<Result<_, _>>()?
            }
            Allocate::Oldest => open_invoices(session, contact.id, self.amount.currency()).await?,
        };
        self.write(&invoices, context, changes)
    }
}

/// A contact's open invoices in a currency, the earliest due first.
async fn open_invoices(
    session: &Session<'_>,
    contact: Id<Contact>,
    currency: Currency,
) -> Result<Vec<Stored<Invoice>>, CrmError> {
    let columns = Invoice::COLUMNS;
    let filter =
        columns.contact_id.eq(&contact) & columns.currency.eq(&currency) & columns.status.eq(&InvoiceStatus::Open);
    let order = Order { column: columns.due_on.index(), direction: Direction::Ascending };
    Ok(session.store().all(session.scope(), &Select::new(Invoice::TABLE, filter.into()).ordered(&[order])).await?)
}
