//! What an import has to say: its report, and what its observer is told.

use csv::StringRecord;

use super::rows::RawRow;
use super::{ImportReport, Observer, PROBLEMS, Problem};
use crate::billing::BillingError;
use crate::error::{CrmError, Invalid};
use crate::value::{ValueError, excerpt};

/// Why a row, or a row of its invoice, is refused.
pub(super) struct Refusal {
    /// At which line.
    pub(super) line: u64,
    /// Which field.
    pub(super) field: String,
    /// Why.
    pub(super) reason: Reason,
    /// The cell's text.
    pub(super) got: String,
}

/// A reason to refuse.
pub(super) enum Reason {
    /// The value.
    Value(ValueError),
    /// A rule of billing.
    Billing(BillingError),
}

impl Refusal {
    pub(super) fn new(line: u64, invalid: Invalid, got: &str) -> Self {
        Self { line, field: invalid.field, reason: Reason::Value(invalid.reason), got: excerpt(got) }
    }

    fn invalid(&self) -> Invalid {
        let reason = match &self.reason {
            Reason::Value(reason) => reason.clone(),
            Reason::Billing(error) => match error {
                BillingError::OtherCurrency { expected, given, .. } => {
                    ValueError::CurrencyMismatch { left: *expected, right: *given }
                }
                BillingError::MoreThanDue { due, .. } => ValueError::out_of_range(0, due),
                BillingError::OtherContact(_) => ValueError::NotAllowed { when: "the invoice is of another contact" },
                BillingError::NoLines(_) => ValueError::Blank,
                BillingError::NoSeries(_) => ValueError::NotAllowed { when: "there is no series to number it" },
                _ => ValueError::NotAllowed { when: "the invoice is not open" },
            },
        };
        Invalid::new(self.field.clone(), reason)
    }

    pub(super) fn problem(&self) -> Problem {
        let reason = match &self.reason {
            Reason::Value(reason) => reason.to_string(),
            Reason::Billing(error) => error.to_string(),
        };
        Problem { line: self.line, field: self.field.clone(), reason, got: self.got.clone() }
    }
}

/// The refused fields of a row; anything else goes on as an error.
pub(super) fn refused_fields(error: CrmError) -> Result<Vec<Invalid>, CrmError> {
    match error {
        CrmError::Invalid(fields) => Ok(fields),
        other => Err(other),
    }
}

/// Gathers the report and tells the observer.
pub(super) struct Output {
    pub(super) observer: Box<dyn Observer>,
    pub(super) report: ImportReport,
}

impl Output {
    /// One row was read.
    pub(super) fn read(&mut self) {
        self.report.read += 1;
    }

    /// A row is refused.
    pub(super) fn refuse(&mut self, row: &RawRow, refusals: &[Refusal]) {
        self.refuse_all(std::slice::from_ref(row), refusals);
    }

    /// Rows that belong together are refused together.
    pub(super) fn refuse_all(&mut self, rows: &[RawRow], refusals: &[Refusal]) {
        self.note(refusals);
        let reasons: Vec<Invalid> = refusals.iter().map(Refusal::invalid).collect();
        for row in rows {
            self.report.refused += 1;
            self.observer.refused(row.line, &texts(&row.record), &reasons);
        }
    }

    /// A row of the file of lines is refused for itself.
    pub(super) fn refuse_line(&mut self, row: &RawRow, refusals: &[Refusal]) {
        self.note(refusals);
        let reasons: Vec<Invalid> = refusals.iter().map(Refusal::invalid).collect();
        self.report.refused += 1;
        self.observer.refused_line(row.line, &texts(&row.record), &reasons);
    }

    fn note(&mut self, refusals: &[Refusal]) {
        let room = PROBLEMS.saturating_sub(self.report.problems.len());
        self.report.problems.extend(refusals.iter().take(room).map(Refusal::problem));
        self.report.further_problems += refusals.len().saturating_sub(room) as u64;
    }

    /// Something is kept although it is wrong.
    pub(super) fn warn(&mut self, warning: Problem) {
        if self.report.warnings.len() < PROBLEMS {
            self.report.warnings.push(warning);
        } else {
            self.report.further_warnings += 1;
        }
    }
}

fn texts(record: &StringRecord) -> Vec<String> {
    record.iter().map(str::to_owned).collect()
}
