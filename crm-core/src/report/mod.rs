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

mod ageing;
mod names;
mod statement;
mod summary;

pub use ageing::{Ageing, AgeingRow, BUCKETS};
pub use statement::{Entry, EntryKind, Statement, StatementCurrency};
pub use summary::{Figures, Summary, SummaryOptions, SummaryRow};

use crate::access::Grant;
use crate::billing::{Allocation, Invoice, Payment};
use crate::crm::Session;
use crate::crud::Rules as _;
use crate::entity::Field as _;
use crate::error::CrmError;
use crate::people::Contact;
use crate::row::Value;
use crate::store::{Cmp, Expr, Operand, StoreError};
use crate::value::{Currency, Date};

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
        let (_, grant) = crate::access::policy::authorize(self.role(), "report", verb)?;
        let user = self.acting().user.id;
        Ok(match grant {
            Grant::All => [Expr::True, Expr::True, Expr::True, Expr::True],
            Grant::Own => [Contact::own(user), Invoice::own(user), Allocation::own(user), Payment::own(user)],
            Grant::Never => [Expr::False, Expr::False, Expr::False, Expr::False],
        })
    }
}

/// Reads a group's currency.
fn currency_of(value: &Value) -> Result<Currency, CrmError> {
    Currency::load(value.clone()).map_err(|reason| corrupt("crm_invoice", "currency", &reason))
}

/// A figure's group that holds what its column cannot.
fn corrupt(table: &'static str, column: &'static str, reason: &impl ToString) -> CrmError {
    StoreError::Corrupt { table, column, id: None, reason: reason.to_string() }.into()
}
