//! Reports, computed where the rows are.
//!
//! All take an as-of date and read the present state of the database in one snapshot. Documents count
//! from their dates: an invoice from its issue, a payment from its receipt, a part of it from the day on
//! which it counts against the invoice. Figures are per currency; amounts of different currencies are never
//! added.
//!
//! What was open on a past day is found from what is open now: an invoice that was not settled by that day
//! owed its present balance and whatever was allocated to it since, less what was taken back. So one formula serves every
//! date, and for today it touches the open invoices alone. What a payment or a credit note had left is found in the same way.
//!
//! A correction counts from its own day, so that a past day shows what it showed then: a reversed payment, an allocation
//! taken back, a withdrawn invoice. Restated, it counts from the day of what it corrects: reversed payments and void invoices
//! never were, and what was taken back was never given.
//!
//! The reports of sales find a past state in the same way: in a stage was what is in it now since before then,
//! and what has left it since. Amounts, owners and expected dates are as they are now. What happened counts,
//! whether or not the deal was archived later; what is open counts unless its deal was archived by then.
//! Days, months and the ends of periods are those of a time zone, the organization's unless asked otherwise.

mod ageing;
mod billed;
mod cases;
mod collections;
mod days_to_pay;
mod deals;
mod debtors;
mod forecast;
mod funnel;
mod leads;
mod ledger;
mod names;
mod revenue;
mod stages;
mod statement;
mod summary;
mod taxes;
mod velocity;

pub use ageing::{Ageing, AgeingOptions, AgeingRow, BUCKETS};
pub use cases::{
    AnswerTimes, AnswerTimesRow, AssigneeRow, CaseChannelRow, CaseKindRow, CaseMonthRow, CaseReport, CaseReportOptions,
    CaseStatusRow, SilenceRow, Waiting,
};
pub use collections::{CollectionFigures, CollectionOptions, CollectionRow, Collections};
pub use days_to_pay::{DaysToPay, DaysToPayFigures, DaysToPayOptions, DaysToPayRow};
pub use deals::{DealFigures, DealRow, DealTotals, DealTotalsOptions};
pub use debtors::{Debtor, Debtors, DebtorsCurrency, DebtorsOptions};
pub use forecast::{Forecast, ForecastFigures, ForecastMonth, ForecastOptions};
pub use funnel::{Cohort, CohortOptions, CohortStage, Funnel, FunnelOptions, FunnelStage};
pub use leads::{LeadCounts, LeadCountsOptions, LeadFigures, LeadRow};
pub use ledger::{Entry, EntryKind};
pub use revenue::{Revenue, RevenueBy, RevenueFigures, RevenueMonth, RevenueOptions, RevenueProduct};
pub use statement::{Ledger, LedgerOptions, Statement, StatementCurrency, StatementOptions};
pub use summary::{Figures, Summary, SummaryOptions, SummaryRow};
pub use taxes::{TaxFigures, TaxMonth, TaxOptions, TaxTotals, Taxes};
pub use velocity::{StageTime, Velocity, VelocityOptions};

use crate::billing::{Allocation, CreditNote, Invoice, InvoiceStatus, Payment, Refund};
use crate::crm::Session;
use crate::crud::Rules;
use crate::entity::{Col, Field, Table};
use crate::error::CrmError;
use crate::id::Id;
use crate::people::Contact;
use crate::row::Value;
use crate::store::{Cmp, Expr, Operand, StoreError};
use crate::value::{Currency, Date, Decimal6, Instant, ValueError, Zone};

/// The parts of the as-of formula, as conditions.
#[derive(Clone, Copy)]
struct AsOf {
    date: Date,
    /// Whether corrections count from the day of what they correct.
    restated: bool,
}

impl AsOf {
    fn date(operand: Operand, cmp: Cmp, date: Date) -> Expr {
        Expr::Compare(operand, cmp, Value::Date(date))
    }

    /// By the date.
    fn by(self, operand: Operand) -> Expr {
        Self::date(operand, Cmp::Le, self.date)
    }

    /// After the date.
    fn after(self, operand: Operand) -> Expr {
        Self::date(operand, Cmp::Gt, self.date)
    }

    /// Invoices issued by the date. Drafts with a planned date are not issued.
    fn issued(self) -> Expr {
        let columns = Invoice::COLUMNS;
        self.by(columns.issued_on.operand()).and(columns.status.ne(&InvoiceStatus::Draft).into())
    }

    /// Invoices that are void as of the date.
    fn void(self) -> Expr {
        let columns = Invoice::COLUMNS;
        if self.restated {
            columns.status.eq(&InvoiceStatus::Void).into()
        } else {
            self.by(columns.voided_on.operand())
        }
    }

    /// Invoices on which something was due after the date.
    fn open(self) -> Expr {
        let columns = Invoice::COLUMNS;
        let open = self.after(columns.open_until.operand());
        if self.restated { open.and(columns.status.ne(&InvoiceStatus::Void).into()) } else { open }
    }

    /// Allocations that count only after the date.
    fn later(self) -> Expr {
        let columns = Allocation::COLUMNS;
        let later = self.after(columns.applied_on.operand());
        // A row never counts earlier when it is not restated, so the index of that day serves both.
        if self.restated { later.and(self.after(columns.restated_on.operand())) } else { later }
    }

    /// Allocations that count only after the date, on invoices issued by it.
    fn later_on_issued(self) -> Expr {
        self.later().and(self.by(Allocation::COLUMNS.invoice_id.via(Invoice::COLUMNS.issued_on)))
    }

    /// Payments received by the date.
    fn received(self) -> Expr {
        self.by(Payment::COLUMNS.received_on.operand())
    }

    /// Payments that were reversed only after the date.
    fn still_stood(self) -> Expr {
        if self.restated { Expr::False } else { self.after(Payment::COLUMNS.reversed_on.operand()) }
    }

    /// What comes of a payment received, or of a credit note issued, by the date.
    fn of_document<E>(self, payment: Col<E, Option<Id<Payment>>>, note: Col<E, Option<Id<CreditNote>>>) -> Expr {
        let received = self.by(payment.via(Payment::COLUMNS.received_on));
        Expr::Or(vec![received, self.by(note.via(CreditNote::COLUMNS.issued_on))])
    }
}

/// The civil days that a report of billing covers, and how corrections count.
#[derive(Clone, Copy)]
struct Period {
    from: Option<Date>,
    to: Option<Date>,
    /// Whether corrections count from the day of what they correct.
    restated: bool,
}

impl Period {
    /// # Errors
    /// [`CrmError::Invalid`] when it ends before it begins.
    fn new(from: Option<Date>, to: Option<Date>, restated: bool) -> Result<Self, CrmError> {
        ordered(from, to)?;
        Ok(Self { from, to, restated })
    }

    fn holds(&self, day: Date) -> bool {
        self.from.is_none_or(|from| from <= day) && self.to.is_none_or(|to| day <= to)
    }

    fn within(&self, operand: &Operand) -> Expr {
        let bound = |cmp, day: Option<Date>| day.map_or(Expr::True, |day| AsOf::date(operand.clone(), cmp, day));
        let within = bound(Cmp::Ge, self.from).and(bound(Cmp::Le, self.to));
        // Unbounded, it is any day at all.
        if within == Expr::True { Expr::Not(Box::new(Expr::IsNull(operand.clone()))) } else { within }
    }

    /// Invoices issued in the period, by their day of issue and their status, wherever these stand. Restated, void ones
    /// never were.
    fn issued(&self, day: &Operand, status: Operand) -> Expr {
        let never = [InvoiceStatus::Draft, InvoiceStatus::Void];
        let never = if self.restated { &never[..] } else { &never[..1] };
        let never = Expr::In(status, never.iter().map(InvoiceStatus::store).collect());
        self.within(day).and(Expr::Not(Box::new(never)))
    }

    /// Records that a correction in the period took back, by the day of that correction.
    fn taken_back(&self, day: &Operand) -> Expr {
        if self.restated { Expr::False } else { self.within(day) }
    }
}

/// The member's right to a report, as conditions on the records that it reads.
struct Visible {
    contacts: Expr,
    invoices: Expr,
    allocations: Expr,
    payments: Expr,
    credit_notes: Expr,
    refunds: Expr,
}

impl Session<'_> {
    /// The member's right to a report of billing.
    async fn reported(&self, verb: &str) -> Result<Visible, CrmError> {
        let (_, grant) = self.authorize("report", verb).await?;
        Ok(Visible {
            contacts: self.within_grant::<Contact>(grant),
            invoices: self.within_grant::<Invoice>(grant),
            allocations: self.within_grant::<Allocation>(grant),
            payments: self.within_grant::<Payment>(grant),
            credit_notes: self.within_grant::<CreditNote>(grant),
            refunds: self.within_grant::<Refund>(grant),
        })
    }
}

impl Session<'_> {
    /// The member's right to a report, as a condition on records of `E`.
    async fn reported_on<E: Rules>(&self, verb: &str) -> Result<Expr, CrmError> {
        let (_, grant) = self.authorize("report", verb).await?;
        Ok(self.within_grant::<E>(grant))
    }

    /// The zone that was asked for, or the organization's.
    fn zone(&self, asked: Option<Zone>) -> Zone {
        asked.unwrap_or_else(|| self.organization().time_zone)
    }

    /// The date that was asked for, or today's in the zone.
    fn day(&self, asked: Option<Date>, zone: Zone) -> Date {
        asked.unwrap_or_else(|| zone.date_at(self.context().now()))
    }
}

/// The first instant after a civil day.
fn end_of(day: Date, zone: Zone) -> Instant {
    day.succ_opt().map_or(Instant::MAX, |next| zone.start_of(next))
}

/// Refuses a period that ends before it begins.
fn ordered(from: Option<Date>, to: Option<Date>) -> Result<(), CrmError> {
    match (from, to) {
        (Some(from), Some(to)) if to < from => {
            Err(CrmError::invalid("to", ValueError::Before { earliest: from, got: to }))
        }
        _ => Ok(()),
    }
}

/// The instants at which a period of civil days begins and is over, where it does.
///
/// # Errors
/// [`CrmError::Invalid`] when it ends before it begins.
fn period(from: Option<Date>, to: Option<Date>, zone: Zone) -> Result<(Option<Instant>, Option<Instant>), CrmError> {
    ordered(from, to)?;
    Ok((from.map(|from| zone.start_of(from)), to.map(|to| end_of(to, zone))))
}

/// From the first instant on and before the second.
fn between(operand: &Operand, from: Option<Instant>, until: Option<Instant>) -> Expr {
    let bound = |cmp, at: Instant| Expr::Compare(operand.clone(), cmp, Value::Instant(at));
    let from = from.map_or(Expr::True, |from| bound(Cmp::Ge, from));
    from.and(until.map_or(Expr::True, |until| bound(Cmp::Lt, until)))
}

/// Adds two sums.
fn plus(sum: &mut i64, more: i64) -> Result<(), CrmError> {
    *sum = sum.checked_add(more).ok_or(StoreError::Overflow)?;
    Ok(())
}

/// A sum by a count, rounded half away from zero; none of nothing.
fn mean(sum: i64, count: i64) -> Option<i64> {
    let (sum, count) = (i128::from(sum), i128::from(count));
    let half = if sum < 0 { -count } else { count };
    (count > 0).then(|| i64::try_from((2 * sum + half) / (2 * count)).unwrap_or(i64::MAX))
}

/// A part of a whole with six places, rounded half away from zero; none of nothing.
fn ratio(part: i64, whole: i64) -> Option<Decimal6> {
    mean(part.saturating_mul(1_000_000), whole).map(Decimal6::from_micros)
}

/// Reads a group's value, in which a column of the table stands.
fn read<T: Field>(value: &Value, table: &'static Table, column: &'static str) -> Result<T, CrmError> {
    T::load(value.clone()).map_err(|reason| corrupt(table.name, column, &reason))
}

/// Reads a group's currency.
fn currency_of(value: &Value) -> Result<Currency, CrmError> {
    Currency::load(value.clone()).map_err(|reason| corrupt("crm_invoice", "currency", &reason))
}

/// A figure's group that holds what its column cannot.
fn corrupt(table: &'static str, column: &'static str, reason: &impl ToString) -> CrmError {
    StoreError::Corrupt { table, column, id: None, reason: reason.to_string() }.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_round_half_away_from_zero() {
        for (sum, count, expected) in [
            (5, 2, Some(3)),
            (-5, 2, Some(-3)),
            (4, 3, Some(1)),
            (i64::MAX, 1, Some(i64::MAX)),
            (0, 5, Some(0)),
            (1, 0, None),
        ] {
            assert_eq!(mean(sum, count), expected, "{sum} by {count}");
        }
        assert_eq!(ratio(2, 3).unwrap().to_string(), "0.666667");
        assert_eq!(ratio(0, 0), None);
    }
}
