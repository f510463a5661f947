//! Reports, computed where the rows are.
//!
//! All take an as-of date and read the present state of the database in one snapshot. Documents count
//! from their dates: an invoice from its issue, a payment from its receipt, a part of it from the day on
//! which it counts against the invoice. Figures are per currency; amounts of different currencies are never
//! added.
//!
//! What was open on a past day is found from what is open now: an invoice that was not settled by that day
//! owed its present balance and whatever was allocated to it since. So one formula serves every date, and
//! for today it touches the open invoices alone.
//!
//! The reports of sales find a past state in the same way: in a stage was what is in it now since before then,
//! and what has left it since. Amounts, owners and expected dates are as they are now. What happened counts,
//! whether or not the deal was archived later; what is open counts unless its deal was archived by then.
//! Days, months and the ends of periods are those of a time zone, the organization's unless asked otherwise.

mod ageing;
mod deals;
mod forecast;
mod funnel;
mod leads;
mod names;
mod stages;
mod statement;
mod summary;
mod velocity;

pub use ageing::{Ageing, AgeingRow, BUCKETS};
pub use deals::{DealFigures, DealRow, DealTotals, DealTotalsOptions};
pub use forecast::{Forecast, ForecastFigures, ForecastMonth, ForecastOptions};
pub use funnel::{Cohort, CohortOptions, CohortStage, Funnel, FunnelOptions, FunnelStage};
pub use leads::{LeadCounts, LeadCountsOptions, LeadFigures, LeadRow};
pub use statement::{Entry, EntryKind, Statement, StatementCurrency};
pub use summary::{Figures, Summary, SummaryOptions, SummaryRow};
pub use velocity::{StageTime, Velocity, VelocityOptions};

use crate::access::Grant;
use crate::billing::{Allocation, Invoice, Payment};
use crate::crm::Session;
use crate::crud::Rules;
use crate::entity::Field as _;
use crate::error::CrmError;
use crate::people::Contact;
use crate::row::Value;
use crate::store::{Cmp, Expr, Operand, StoreError};
use crate::value::{Currency, Date, Decimal6, Instant, ValueError, Zone};

/// The parts of the as-of formula, as conditions.
struct AsOf {
    date: Date,
}

impl AsOf {
    fn date(operand: Operand, cmp: Cmp, date: Date) -> Expr {
        Expr::Compare(operand, cmp, Value::Date(date))
    }

    /// Invoices issued by the date. Drafts with a planned date are not issued.
    fn issued(&self) -> Expr {
        let columns = Invoice::COLUMNS;
        let issued = Self::date(columns.issued_on.operand(), Cmp::Le, self.date);
        issued.and(columns.status.ne(&crate::billing::InvoiceStatus::Draft).into())
    }

    /// Invoices on which something was due after the date.
    fn open(&self) -> Expr {
        Self::date(Invoice::COLUMNS.open_until.operand(), Cmp::Gt, self.date)
    }

    /// Allocations that count only after the date, on invoices issued by it.
    fn later(&self) -> Expr {
        let columns = Allocation::COLUMNS;
        Self::date(columns.applied_on.operand(), Cmp::Gt, self.date).and(Self::date(
            columns.invoice_id.via(Invoice::COLUMNS.issued_on),
            Cmp::Le,
            self.date,
        ))
    }

    /// Payments received by the date.
    fn received(&self) -> Expr {
        Self::date(Payment::COLUMNS.received_on.operand(), Cmp::Le, self.date)
    }
}

impl Session<'_> {
    /// The member's right to a report, as conditions on contacts, invoices, allocations and payments.
    fn reported(&self, verb: &str) -> Result<[Expr; 4], CrmError> {
        let (_, grant) = self.authorize("report", verb)?;
        let user = self.acting().user.id;
        Ok(match grant {
            Grant::All => [Expr::True, Expr::True, Expr::True, Expr::True],
            Grant::Own => [Contact::own(user), Invoice::own(user), Allocation::own(user), Payment::own(user)],
            Grant::Never => [Expr::False, Expr::False, Expr::False, Expr::False],
        })
    }
}

impl Session<'_> {
    /// The member's right to a report, as a condition on records of `E`.
    fn reported_on<E: Rules>(&self, verb: &str) -> Result<Expr, CrmError> {
        let (_, grant) = self.authorize("report", verb)?;
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

/// The instants at which a period of civil days begins and is over, where it does.
///
/// # Errors
/// [`CrmError::Invalid`] when it ends before it begins.
fn period(from: Option<Date>, to: Option<Date>, zone: Zone) -> Result<(Option<Instant>, Option<Instant>), CrmError> {
    if let (Some(from), Some(to)) = (from, to)
        && to < from
    {
        return Err(CrmError::invalid("to", ValueError::Before { earliest: from, got: to }));
    }
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
