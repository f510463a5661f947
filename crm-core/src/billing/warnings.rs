//! What is worth knowing about a number that was just given.

use super::series::{DocumentKind, NumberSeries};
use super::{Invoice, Numbering};
use crate::crm::Session;
use crate::entity::Stored;
use crate::error::CrmError;
use crate::store::Query;
use crate::value::Date;

/// From how many days before the end of a series' validity there is a warning.
pub const VALIDITY_DAYS: i64 = 30;

/// How many documents of later dates are looked at.
const LATER: u32 = 1_000;

/// Something about a document's number that the issuer should know. The document stands.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// The series used the share of its range from which on there is a warning.
    RangeShare {
        /// What the series numbers.
        kind: DocumentKind,
        /// How many numbers are left.
        left: i64,
        /// The share that is used, in whole percent.
        percent: i64,
        /// The last number of the range.
        last: i64,
    },
    /// The series may not be used much longer.
    ValidityEnds {
        /// What the series numbers.
        kind: DocumentKind,
        /// The last civil date on which it may be used.
        until: Date,
        /// How many days that is after the document's date.
        days: i64,
    },
    /// A document with an earlier number has a later date.
    Chronology {
        /// The earlier number.
        earlier: String,
        /// Its document's date.
        dated: Date,
    },
}

impl std::fmt::Display for Warning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::RangeShare { kind, left, percent, last } => write!(
                f,
                "the number series for documents of kind {kind} used {percent} % of its range; {left} left until {last}"
            ),
            Self::ValidityEnds { kind, until, days } => {
                write!(f, "the number series for documents of kind {kind} ends on {until}, {days} days after this one")
            }
            Self::Chronology { earlier, dated } => {
                write!(f, "{earlier} has an earlier number and a later date, {dated}")
            }
        }
    }
}

impl NumberSeries {
    /// What its range and validity say of a number that it gave.
    fn warnings(&self, number: i64, on: Date) -> Vec<Warning> {
        let mut warnings = Vec::new();
        if let (Some(share), Some(last)) = (self.warn_percent, self.last) {
            let first = i128::from(self.range_first());
            let (used, size) = (i128::from(number) - first + 1, i128::from(last) - first + 1);
            if used > 0 && used * 100 >= i128::from(share) * size {
                let percent = i64::try_from(used * 100 / size).unwrap_or(100);
                warnings.push(Warning::RangeShare { kind: self.kind, left: last - number, percent, last });
            }
        }
        if let Some(until) = self.valid_until {
            let days = until.signed_duration_since(on).num_days();
            if days <= VALIDITY_DAYS {
                warnings.push(Warning::ValidityEnds { kind: self.kind, until, days });
            }
        }
        warnings
    }
}

impl Session<'_> {
    /// What is worth knowing about an issued invoice's number. Nothing of one without a number of the series.
    ///
    /// # Errors
    /// When the role may not read invoices, or the store fails.
    pub async fn warnings(&self, invoice: &Stored<Invoice>) -> Result<Vec<Warning>, CrmError> {
        match (&invoice.number, invoice.issued_on) {
            (Some(number), Some(on)) => self.number_warnings(DocumentKind::Invoice, number, on).await,
            _ => Ok(Vec::new()),
        }
    }

    /// As [`Session::warnings`], of any kind of document with this number and civil date.
    ///
    /// # Errors
    /// When the role may not read documents of the kind, or the store fails.
    pub async fn number_warnings(&self, kind: DocumentKind, number: &str, on: Date) -> Result<Vec<Warning>, CrmError> {
        let session = self.current().await?;
        session.granted(kind.as_str(), "read")?;
        let Some(series) = Numbering::of(&session, kind).await? else { return Ok(Vec::new()) };
        let Some((year, count)) = series.read(number) else { return Ok(Vec::new()) };
        let mut warnings = series.warnings(count, on);
        // Numbers of different years of a yearly series do not come after each other.
        let earlier = |text: &str| {
            let read = series.read(text);
            read.is_some_and(|(of, other)| other < count && (series.counts_on() || of == year))
        };
        let later: Vec<(String, Date)> = match kind {
            DocumentKind::Invoice => {
                let columns = Invoice::COLUMNS;
                let query = Query::new(columns.issued_on.gt(&Some(on))).descending(columns.issued_on).limit(LATER);
                let invoices = session.list(&query).await?.items.into_iter();
                invoices
                    .filter_map(|invoice| Some((invoice.value.number?.to_string(), invoice.value.issued_on?)))
                    .collect()
            }
            _ => Vec::new(),
        };
        let found = later.into_iter().find(|(text, _)| earlier(text));
        warnings.extend(found.map(|(earlier, dated)| Warning::Chronology { earlier, dated }));
        Ok(warnings)
    }
}
