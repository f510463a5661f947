//! What is left of payments and credit notes, allocated to invoices: at once, or later.

use async_trait::async_trait;

use super::apply::{Source, apply, day, taken_back_on};
use super::{Allocation, BillingError, CreditNote, Invoice, InvoiceStatus, Payment};
use crate::access::Grant;
use crate::context::Context;
use crate::crm::{Command, Session};
use crate::entity::{Entity as _, Minor, Stored};
use crate::error::CrmError;
use crate::id::Id;
use crate::people::Contact;
use crate::store::{ChangeSet, Direction, Order, Select, StoreExt as _};
use crate::value::{Currency, Date, Money, ValueError};

/// How much goes to which invoice, in minor units.
pub(super) type Shares<'a> = Vec<(&'a Stored<Invoice>, i64)>;

/// What money settles.
#[derive(Clone, Debug, PartialEq)]
pub enum Allocate {
    /// Nothing: all of it is the contact's credit.
    Nothing,
    /// The contact's open invoices in the payment's currency, the earliest due first; the rest is credit.
    Oldest,
    /// These amounts of these invoices; the rest is credit.
    To(Vec<(Id<Invoice>, Money)>),
}

impl Allocate {
    /// The invoices that it may settle, in the order in which it does.
    pub(super) async fn invoices(
        &self,
        session: &Session<'_>,
        contact: Id<Contact>,
        currency: Currency,
    ) -> Result<Vec<Stored<Invoice>>, CrmError> {
        match self {
            Self::Nothing => Ok(Vec::new()),
            Self::To(shares) => {
                let ids: Vec<_> = shares.iter().map(|(id, _)| id.uuid()).collect();
                let rows = session.store().fetch(session.scope(), Invoice::TABLE, &ids).await?;
                Ok(rows.into_iter().map(Stored::from_row).collect::<Result<_, _>>()?)
            }
            Self::Oldest => {
                let columns = Invoice::COLUMNS;
                let filter = columns.contact_id.eq(&contact)
                    & columns.currency.eq(&currency)
                    & columns.status.eq(&InvoiceStatus::Open);
                let order = Order { column: columns.due_on.index(), direction: Direction::Ascending };
                let query = Select::new(Invoice::TABLE, filter.into()).ordered(&[order]);
                Ok(session.store().all(session.scope(), &query).await?)
            }
        }
    }

    /// How much goes to which invoice, of so much money of a contact. That it is no more than there is, is checked by the
    /// caller, and that no more than is due, when it is applied.
    pub(super) fn shares<'a>(
        &self,
        contact: Id<Contact>,
        money: Money,
        invoices: &'a [Stored<Invoice>],
    ) -> Result<Shares<'a>, CrmError> {
        let mut rest = money.minor();
        let shares = match self {
            Self::Nothing => return Ok(Vec::new()),
            Self::Oldest => {
                let shares = invoices.iter().map(|invoice| {
                    let share = rest.min(invoice.due().0);
                    rest -= share;
                    (invoice, share)
                });
                return Ok(shares.filter(|(_, share)| *share > 0).collect());
            }
            Self::To(shares) => shares,
        };
        let mut asked = Money::zero(money.currency());
        let mut found: Shares<'_> = Vec::new();
        for (position, (id, share)) in (1..).zip(shares) {
            let field = format!("allocations.{position}");
            let missing = || ValueError::NotThere { entity: Invoice::TABLE.entity, reference: id.to_string() };
            let invoice = invoices.iter().find(|invoice| invoice.id == *id);
            let invoice = invoice.ok_or_else(|| CrmError::invalid(&field, missing()))?;
            if !share.is_positive() {
                return Err(CrmError::invalid(field, ValueError::NotPositive));
            }
            if invoice.currency != share.currency() || share.currency() != money.currency() {
                let (invoice, expected) = (invoice.label(), invoice.currency);
                return Err(BillingError::OtherCurrency { invoice, expected, given: share.currency() }.into());
            }
            if invoice.contact_id != contact {
                return Err(BillingError::OtherContact(invoice.label()).into());
            }
            asked = asked.checked_add(*share).map_err(|reason| CrmError::invalid(&field, reason))?;
            match found.iter_mut().find(|(known, _)| known.id == *id) {
                Some(known) => known.1 += share.minor(),
                None => found.push((invoice, share.minor())),
            }
        }
        Ok(found)
    }

    /// How much of what a document has left goes to which invoice, and the sum.
    fn of_rest<'a>(
        &self,
        document: impl FnOnce() -> String,
        contact: Id<Contact>,
        rest: Money,
        invoices: &'a [Stored<Invoice>],
    ) -> Result<(Shares<'a>, i64), CrmError> {
        let shares = self.shares(contact, rest, invoices)?;
        let spent: i64 = shares.iter().map(|(_, share)| share).sum();
        if spent > rest.minor() {
            let asked = Money::new(spent, rest.currency());
            return Err(BillingError::MoreThanLeft { document: document(), asked, rest }.into());
        }
        Ok((shares, spent))
    }
}

/// Allocates what is left of a payment: an advance, or what was paid too much.
#[derive(Clone, Debug)]
pub struct AllocatePayment {
    /// Which payment.
    pub payment: Id<Payment>,
    /// What it settles.
    pub allocate: Allocate,
    /// From which civil day it counts; today otherwise, never later, and not before the payment was received or something was taken back
    /// of it.
    pub on: Option<Date>,
}

#[async_trait]
impl Command for AllocatePayment {
    type Root = Payment;
    const VERB: &'static str = "allocate";

    fn body(&self) -> String {
        format!("{self:?}")
    }

    async fn decide(
        &self,
        session: &Session<'_>,
        grant: Grant,
        context: &mut Context,
        changes: &mut ChangeSet,
    ) -> Result<Stored<Payment>, CrmError> {
        let before = session.load(grant, self.payment).await?;
        before.require_standing()?;
        let theirs = Allocation::COLUMNS.payment_id.eq(&Some(before.id));
        let earliest = taken_back_on(session, theirs.into()).await?.unwrap_or(before.received_on);
        let on = day("on", self.on, earliest.max(before.received_on), context)?;
        let invoices = self.allocate.invoices(session, before.contact_id, before.currency).await?;
        let rest = before.money(before.unapplied);
        let (shares, spent) = self.allocate.of_rest(|| before.label(), before.contact_id, rest, &invoices)?;
        let after = Payment { unapplied: Minor(before.unapplied.0 - spent), ..before.value.clone() };
        let after = changes.update(context, &before, after);
        for (invoice, share) in shares {
            apply(invoice, Source::Payment(before.id), share, on, context, changes)?;
        }
        Ok(after)
    }
}

/// Allocates what is left of the credit that a credit note kept.
#[derive(Clone, Debug)]
pub struct AllocateCreditNote {
    /// Which credit note.
    pub credit_note: Id<CreditNote>,
    /// What it settles.
    pub allocate: Allocate,
    /// From which civil day it counts; today otherwise, never later, and not before the note was issued or something was taken back of it.
    pub on: Option<Date>,
}

#[async_trait]
impl Command for AllocateCreditNote {
    type Root = CreditNote;
    const VERB: &'static str = "allocate";

    fn body(&self) -> String {
        format!("{self:?}")
    }

    async fn decide(
        &self,
        session: &Session<'_>,
        grant: Grant,
        context: &mut Context,
        changes: &mut ChangeSet,
    ) -> Result<Stored<CreditNote>, CrmError> {
        let before = session.load(grant, self.credit_note).await?;
        let theirs = Allocation::COLUMNS.credit_note_id.eq(&Some(before.id));
        let earliest = taken_back_on(session, theirs.into()).await?.unwrap_or(before.issued_on);
        let on = day("on", self.on, earliest.max(before.issued_on), context)?;
        let invoices = self.allocate.invoices(session, before.contact_id, before.currency).await?;
        let rest = before.money(before.unapplied);
        let (shares, spent) = self.allocate.of_rest(|| before.label(), before.contact_id, rest, &invoices)?;
        let after = CreditNote { unapplied: Minor(before.unapplied.0 - spent), ..before.value.clone() };
        let after = changes.update(context, &before, after);
        for (invoice, share) in shares {
            apply(invoice, Source::Credit(before.id), share, on, context, changes)?;
        }
        Ok(after)
    }
}
