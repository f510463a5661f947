//! What was applied, taken back: one allocation, or a whole payment that bounced.

use std::collections::HashMap;

use async_trait::async_trait;

use super::apply::{day, live, undo};
use super::{Allocation, AllocationSource, BillingError, CreditNote, Invoice, Payment};
use crate::access::Grant;
use crate::context::Context;
use crate::crm::{Command, Session};
use crate::entity::{Entity as _, Minor, Stored};
use crate::error::CrmError;
use crate::id::Id;
use crate::store::{ChangeSet, Select, StoreExt as _};
use crate::value::{Date, Text};

/// Takes a part of a payment back from the invoice that it settles: it is the contact's credit again.
#[derive(Clone, Debug)]
pub struct UnallocatePayment {
    /// Which allocation.
    pub allocation: Id<Allocation>,
    /// On which civil day; today otherwise, never later, and not before the allocation counts.
    pub on: Option<Date>,
}

/// Takes a part of a credit note's kept credit back from the invoice that it settles.
#[derive(Clone, Debug)]
pub struct UnallocateCreditNote {
    /// Which allocation.
    pub allocation: Id<Allocation>,
    /// On which civil day; today otherwise, never later, and not before the allocation counts.
    pub on: Option<Date>,
}

/// Takes an allocation back from its invoice, if it comes from the source that the command is for.
async fn take_back(
    session: &Session<'_>,
    row: &Stored<Allocation>,
    source: AllocationSource,
    on: Option<Date>,
    context: &mut Context,
    changes: &mut ChangeSet,
) -> Result<(), CrmError> {
    if row.source != source {
        let document = row.payment_id.map(|id| format!("payment {id}"));
        let document =
            document.or_else(|| row.credit_note_id.map(|id| format!("credit note {id}"))).unwrap_or_default();
        return Err(BillingError::OtherSource { allocation: row.id.to_string(), origin: row.source, document }.into());
    }
    let undone = Select::new(Allocation::TABLE, Allocation::COLUMNS.undoes.eq(&Some(row.id)).into());
    let undone: Option<Stored<Allocation>> = session.store().first(session.scope(), undone).await?;
    if row.undoes.is_some() || undone.is_some() {
        return Err(BillingError::Undone(row.id.to_string()).into());
    }
    let invoice = required(session, row.invoice_id).await?;
    if invoice.paid.0 - row.amount.0 < invoice.given_back().0 {
        let (paid, given_back) = (invoice.money(invoice.paid), invoice.money(invoice.given_back()));
        let asked = invoice.money(row.amount);
        return Err(BillingError::GivenBack { invoice: invoice.label(), paid, given_back, asked }.into());
    }
    let on = day("on", on, invoice.day(row.applied_on), context)?;
    undo(&invoice, row, on, context, changes)?;
    Ok(())
}

/// The invoice of an allocation: it is there, since the allocation refers to it.
async fn required(session: &Session<'_>, id: Id<Invoice>) -> Result<Stored<Invoice>, CrmError> {
    let gone = || CrmError::NotFound { entity: Invoice::TABLE.entity, reference: id.to_string() };
    session.store().get(session.scope(), id).await?.ok_or_else(gone)
}

#[async_trait]
impl Command for UnallocatePayment {
    type Root = Payment;
    const VERB: &'static str = "unallocate";

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
        let row = session.load(grant, self.allocation).await?;
        take_back(session, &row, AllocationSource::Payment, self.on, context, changes).await?;
        let id = row.payment_id.ok_or_else(|| BillingError::Undone(row.id.to_string()))?;
        let before = session.load(grant, id).await?;
        let after = Payment { unapplied: Minor(before.unapplied.0 + row.amount.0), ..before.value.clone() };
        Ok(changes.update(context, &before, after))
    }
}

#[async_trait]
impl Command for UnallocateCreditNote {
    type Root = CreditNote;
    const VERB: &'static str = "unallocate";

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
        let row = session.load(grant, self.allocation).await?;
        take_back(session, &row, AllocationSource::Credit, self.on, context, changes).await?;
        let id = row.credit_note_id.ok_or_else(|| BillingError::Undone(row.id.to_string()))?;
        let before = session.load(grant, id).await?;
        let after = CreditNote { unapplied: Minor(before.unapplied.0 + row.amount.0), ..before.value.clone() };
        Ok(changes.update(context, &before, after))
    }
}

/// Reverses a payment: it bounced, or was recorded in error. The invoices that it settled are open again, or given up
/// again. What was refunded of it meanwhile the contact owes.
#[derive(Clone, Debug)]
pub struct ReversePayment {
    /// Which payment.
    pub payment: Id<Payment>,
    /// On which civil day; today otherwise, never later, and not before the payment was received.
    pub on: Option<Date>,
    /// Why.
    pub reason: Option<Text<200>>,
}

#[async_trait]
impl Command for ReversePayment {
    type Root = Payment;
    const VERB: &'static str = "reverse";

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
        let on = day("on", self.on, before.received_on, context)?;
        let after = Payment {
            unapplied: Minor(-before.refunded.0),
            reversed_on: Some(on),
            reversal_reason: self.reason.clone(),
            ..before.value.clone()
        };
        let after = changes.update(context, &before, after);
        let rows = Select::new(Allocation::TABLE, Allocation::COLUMNS.payment_id.eq(&Some(before.id)).into());
        let rows: Vec<Stored<Allocation>> = session.store().all(session.scope(), &rows).await?;
        let ids: Vec<_> = live(&rows).map(|row| row.invoice_id.uuid()).collect();
        let found = session.store().fetch(session.scope(), Invoice::TABLE, &ids).await?;
        let found = found.into_iter().map(Stored::<Invoice>::from_row);
        let mut invoices: HashMap<Id<Invoice>, Stored<Invoice>> =
            found.map(|invoice| invoice.map(|invoice| (invoice.id, invoice))).collect::<Result<_, _>>()?;
        for row in live(&rows) {
            // Several parts may have gone to one invoice: each finds it as the one before left it.
            if let Some(invoice) = invoices.get_mut(&row.invoice_id) {
                *invoice = undo(invoice, row, on, context, changes)?;
            }
        }
        Ok(after)
    }
}
