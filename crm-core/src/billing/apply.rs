//! Money applied to an invoice and taken back: the one place where its sums, its status and its days change.

use super::{Allocation, AllocationSource, BillingError, CreditNote, Invoice, InvoiceEvent, InvoiceStatus, Payment};
use crate::context::Context;
use crate::crm::Session;
use crate::entity::{Entity as _, Minor, Stored};
use crate::error::CrmError;
use crate::id::Id;
use crate::row::Value;
use crate::store::{Aggregate, ChangeSet, Expr, Measure};
use crate::value::{Date, Money, ValueError};

/// What is applied to an invoice.
#[derive(Clone, Copy, Debug)]
pub(super) enum Source {
    /// A payment's money.
    Payment(Id<Payment>),
    /// The credit that a note kept.
    Credit(Id<CreditNote>),
    /// What a note takes off its own invoice.
    Offset(Id<CreditNote>),
}

impl Source {
    const fn kind(self) -> AllocationSource {
        match self {
            Self::Payment(_) => AllocationSource::Payment,
            Self::Credit(_) => AllocationSource::Credit,
            Self::Offset(_) => AllocationSource::Offset,
        }
    }
}

impl Invoice {
    /// An issued invoice with the status and the day of settlement that follow from its sums and days.
    #[must_use]
    pub(super) fn standing(mut self) -> Self {
        self.status = if self.voided_on.is_some() {
            InvoiceStatus::Void
        } else if self.balance() == Minor(0) {
            InvoiceStatus::Paid
        } else if self.written_off_on.is_some() {
            InvoiceStatus::Uncollectible
        } else {
            InvoiceStatus::Open
        };
        // Given up, it stays settled from then on, whatever comes in later. Paid, it is so from the latest day on which
        // anything counts, not from the day of what happened to be recorded last.
        self.settled_on = match self.status {
            InvoiceStatus::Draft | InvoiceStatus::Open => None,
            _ => self.written_off_on.or(self.voided_on).or(self.applied_on).or(self.issued_on),
        };
        self
    }

    /// With so much more applied to it, or less.
    fn with(mut self, source: AllocationSource, amount: i64, on: Date) -> Self {
        match source {
            AllocationSource::Offset => self.offset.0 += amount,
            AllocationSource::Payment | AllocationSource::Credit => self.paid.0 += amount,
        }
        self.applied_on = self.applied_on.max(Some(on));
        self.standing()
    }

    /// The day from which something counts if nothing is taken back: not before that of its issue, nor before it was
    /// given up.
    pub(super) fn day(&self, on: Date) -> Date {
        self.issued_on.into_iter().chain(self.written_off_on).fold(on, Date::max)
    }
}

/// Applies an amount to an invoice.
///
/// # Errors
/// [`BillingError`] when the invoice's status does not allow it, or less is due.
pub(super) fn apply(
    invoice: &Stored<Invoice>,
    source: Source,
    amount: i64,
    on: Date,
    context: &mut Context,
    changes: &mut ChangeSet,
) -> Result<Stored<Invoice>, CrmError> {
    let (event, due, payment_id, credit_note_id) = match source {
        Source::Payment(id) => (InvoiceEvent::Pay, invoice.receivable(), Some(id), None),
        Source::Credit(id) => (InvoiceEvent::Pay, invoice.receivable(), None, Some(id)),
        Source::Offset(id) => (InvoiceEvent::Credit, invoice.due(), None, Some(id)),
    };
    invoice.after(event)?;
    if amount > due.0 {
        let (asked, due) = (Money::new(amount, invoice.currency), invoice.money(due));
        return Err(BillingError::MoreThanDue { invoice: invoice.label(), asked, due }.into());
    }
    let restated_on = invoice.day(on);
    // What takes the place of something that was taken back does not count beside it.
    let on = restated_on.max(invoice.reopened_on.unwrap_or(restated_on));
    let after = changes.update(context, invoice, invoice.value.clone().with(source.kind(), amount, on));
    let row = Allocation {
        payment_id,
        credit_note_id,
        invoice_id: invoice.id,
        contact_id: invoice.contact_id,
        currency: invoice.currency,
        source: source.kind(),
        amount: Minor(amount),
        applied_on: on,
        restated_on,
        undoes: None,
        written_off: invoice.written_off_on.is_some(),
    };
    changes.insert(context, row);
    Ok(after)
}

/// Takes back what was applied to an invoice, in full; never before the day from which that counts.
///
/// # Errors
/// [`BillingError::Status`] when the machine has no such move.
pub(super) fn undo(
    invoice: &Stored<Invoice>,
    row: &Stored<Allocation>,
    on: Date,
    context: &mut Context,
    changes: &mut ChangeSet,
) -> Result<Stored<Invoice>, CrmError> {
    if invoice.status == InvoiceStatus::Paid {
        invoice.after(InvoiceEvent::Reopen)?;
    }
    let on = invoice.day(on).max(row.applied_on);
    let amount = -row.amount.0;
    let mut reopened = invoice.value.clone().with(row.source, amount, on);
    reopened.reopened_on = reopened.reopened_on.max(Some(on));
    let after = changes.update(context, invoice, reopened);
    let undone = Allocation {
        amount: Minor(amount),
        applied_on: on,
        restated_on: row.restated_on,
        undoes: Some(row.id),
        written_off: invoice.written_off_on.is_some(),
        ..row.value.clone()
    };
    changes.insert(context, undone);
    Ok(after)
}

/// The rows that are neither undone by another of them nor undo one.
pub(super) fn live(rows: &[Stored<Allocation>]) -> impl Iterator<Item = &Stored<Allocation>> {
    let undone: std::collections::HashSet<_> = rows.iter().filter_map(|row| row.undoes).collect();
    rows.iter().filter(move |row| row.undoes.is_none() && !undone.contains(&row.id))
}

/// The latest day on which something was taken back of what these allocations applied. What is taken back can be used from
/// then on, not before: on no day is more of a document used than it has.
pub(super) async fn taken_back_on(session: &Session<'_>, of: Expr) -> Result<Option<Date>, CrmError> {
    let columns = Allocation::COLUMNS;
    let undoing = Expr::Not(Box::new(Expr::IsNull(columns.undoes.operand())));
    let query = Aggregate::new(Allocation::TABLE, of.and(undoing)).measure(Measure::Max(columns.applied_on.operand()));
    let answers = session.store().aggregate(session.scope(), &[query]).await?;
    let latest = answers.first().and_then(|rows| rows.first()).map(|row| &row[0]);
    Ok(match latest {
        Some(Value::Date(day)) => Some(*day),
        _ => None,
    })
}

/// The day on which something is done: today unless asked otherwise, never later, and not before the day of what it is
/// done to.
///
/// # Errors
/// [`CrmError::Invalid`] with the field.
pub(super) fn day(field: &str, asked: Option<Date>, earliest: Date, context: &Context) -> Result<Date, CrmError> {
    let today = context.today();
    match asked {
        None => Ok(today.max(earliest)),
        Some(got) if got > today => Err(CrmError::invalid(field, ValueError::After { latest: today, got })),
        Some(got) if got < earliest => Err(CrmError::invalid(field, ValueError::Before { earliest, got })),
        Some(day) => Ok(day),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Currency;

    fn day(day: u32) -> Date {
        Date::from_ymd_opt(2026, 6, day).unwrap()
    }

    fn invoice(total: i64) -> Invoice {
        Invoice {
            number: None,
            contact_id: Id::new(uuid::Uuid::nil()),
            currency: Currency::USD,
            status: InvoiceStatus::Open,
            issued_on: Some(day(1)),
            due_on: Some(day(30)),
            subtotal: Minor(total),
            tax: Minor(0),
            total: Minor(total),
            paid: Minor(0),
            offset: Minor(0),
            credited: Minor(0),
            applied_on: None,
            written_off_on: None,
            voided_on: None,
            reopened_on: None,
            settled_on: None,
            buyer: None,
            notes: None,
            external_id: None,
        }
    }

    /// What is recorded late but counts early leaves the day of settlement where the last part was paid.
    #[test]
    fn an_invoice_is_settled_on_the_latest_day_of_what_paid_it() {
        let paid =
            invoice(100).with(AllocationSource::Payment, 60, day(10)).with(AllocationSource::Payment, 40, day(5));
        assert_eq!((paid.status, paid.settled_on), (InvoiceStatus::Paid, Some(day(10))));
        let reopened = paid.with(AllocationSource::Payment, -60, day(12));
        assert_eq!((reopened.status, reopened.settled_on, reopened.due()), (InvoiceStatus::Open, None, Minor(60)));
    }

    #[test]
    fn an_invoice_that_was_given_up_stays_settled_from_that_day() {
        let given_up = Invoice { written_off_on: Some(day(10)), ..invoice(100) }.standing();
        assert_eq!((given_up.status, given_up.settled_on), (InvoiceStatus::Uncollectible, Some(day(10))));
        let part = given_up.with(AllocationSource::Payment, 30, day(12));
        assert_eq!((part.status, part.due(), part.receivable()), (InvoiceStatus::Uncollectible, Minor(0), Minor(70)));
        let paid = part.with(AllocationSource::Payment, 70, day(14));
        assert_eq!((paid.status, paid.settled_on), (InvoiceStatus::Paid, Some(day(10))));
        let lost = paid.with(AllocationSource::Payment, -70, day(15));
        assert_eq!((lost.status, lost.settled_on), (InvoiceStatus::Uncollectible, Some(day(10))));
        let void = Invoice { voided_on: Some(day(16)), written_off_on: Some(day(10)), ..invoice(100) }.standing();
        assert_eq!((void.status, void.settled_on), (InvoiceStatus::Void, Some(day(10))));
    }

    #[test]
    fn an_offset_is_not_paid_and_settles_all_the_same() {
        let credited = invoice(50).with(AllocationSource::Offset, 10, day(3));
        assert_eq!((credited.due(), credited.paid, credited.status), (Minor(40), Minor(0), InvoiceStatus::Open));
        let settled = credited.with(AllocationSource::Offset, 40, day(4));
        assert_eq!((settled.status, settled.paid, settled.settled_on), (InvoiceStatus::Paid, Minor(0), Some(day(4))));
    }
}
