//! What came of a call, and how much it gives.
//!
//! An answer in which there is nothing is another answer than one with somebody's records in it: where something is
//! listed or counted, the tables of what everybody gets say how many.

use crate::access::{CreatedInvitation, CreatedKey, Grant};
use crate::activity::Timeline;
use crate::audit::Verification;
use crate::entity::Stored;
use crate::error::CrmError;
use crate::id::Id;
use crate::privacy::{ContactExport, Erased};
use crate::report::{
    Ageing, CaseReport, Cohort, Collections, DaysToPay, DealTotals, Debtors, Forecast, Funnel, LeadCounts, Ledger,
    Revenue, Statement, Summary, Taxes, Velocity,
};
use crate::sales::Conversion;
use crate::service::Recomputed;
use crate::service::deadline::Explanation;
use crate::store::{Expr, Page};

/// What a call was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Told {
    /// All of it.
    pub(super) text: String,
    /// How much it lists or counts, if it does.
    pub(super) amount: Option<i64>,
}

impl Told {
    pub(super) fn new(answer: &(impl Amount + std::fmt::Debug)) -> Self {
        Self { text: format!("{answer:?}"), amount: answer.amount() }
    }
}

/// What an answer lists or counts: the records, or else their worth in minor units.
pub(super) trait Amount {
    /// None when it is one thing, not many.
    fn amount(&self) -> Option<i64> {
        None
    }
}

macro_rules! one {
    ($($answer:ty),+ $(,)?) => { $(impl Amount for $answer {})+ };
}
one!((), bool, Expr, (&str, Grant), CreatedInvitation, CreatedKey, Conversion, Explanation, Verification);
#[cfg(feature = "print")]
one!(crate::print::InvoiceDocument, crate::print::CreditNoteDocument, crate::print::StatementDocument);

impl<E> Amount for Stored<E> {}
impl<E> Amount for Id<E> {}

macro_rules! many {
    ($($answer:ty: |$it:ident| $amount:expr;)+) => {
        $(impl Amount for $answer {
            fn amount(&self) -> Option<i64> {
                let $it = self;
                Some($amount)
            }
        })+
    };
}
many! {
    i64: |count| *count;
    u64: |count| count.cast_signed();
    Timeline: |page| many(&page.items);
    Recomputed: |told| many(&told.moved);
    ContactExport: |export| export.records.values().map(|records| many(records)).sum();
    Erased: |told| told.erased.values().copied().map(u64::cast_signed).sum();
    Summary: |report| report.totals.iter().map(|of| of.invoices).sum();
    Ageing: |report| report.totals.iter().map(|of| of.total.minor()).sum();
    Statement: |report| report.currencies.iter().map(|of| many(&of.entries)).sum();
    Ledger: |report| report.currencies.iter().map(|of| many(&of.entries)).sum();
    Revenue: |report| report.totals.iter().map(|of| of.total.minor()).sum();
    Collections: |report| report.totals.iter().map(|of| of.payments).sum();
    Taxes: |report| report.totals.iter().map(|of| of.figures.net.minor()).sum();
    Debtors: |report| report.currencies.iter().map(|of| of.contacts).sum();
    DaysToPay: |report| report.totals.iter().map(|of| of.invoices).sum();
    LeadCounts: |report| report.total.leads;
    DealTotals: |report| report.totals.iter().map(|of| of.deals).sum();
    Funnel: |report| report.deals;
    Cohort: |report| report.deals;
    Forecast: |report| report.totals.iter().map(|of| of.deals).sum();
    Velocity: |report| report.stages.iter().map(|of| of.visits).sum();
    CaseReport: |report| report.cases;
}

impl<E> Amount for Page<E> {
    fn amount(&self) -> Option<i64> {
        Some(many(&self.items))
    }
}

impl<T> Amount for Vec<T> {
    fn amount(&self) -> Option<i64> {
        Some(many(self))
    }
}

fn many<T>(items: &[T]) -> i64 {
    i64::try_from(items.len()).unwrap_or(i64::MAX)
}

/// How a call ended: `ok`, with how much was given, or the error's code.
pub(super) fn outcome(answer: &Result<Told, CrmError>) -> String {
    match answer {
        Ok(Told { amount: Some(amount), .. }) => format!("ok:{amount}"),
        Ok(_) => "ok".to_owned(),
        Err(error) => error.code().as_str().to_owned(),
    }
}
