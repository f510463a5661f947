//! Taxes by rate and month: what was invoiced, what was credited, and the difference.

use std::collections::BTreeMap;

use serde::Serialize;

use super::billed::{self, Billed, Documents, Invoices};
use super::{Period, currency_of, plus, read};
use crate::billing::{CreditNoteLine, Invoice, InvoiceLine};
use crate::crm::Session;
use crate::entity::Entity as _;
use crate::error::CrmError;
use crate::store::Totals;
use crate::value::{Currency, Date, Decimal6, Money};

/// What the report covers.
#[derive(Clone, Copy, Debug, Default)]
pub struct TaxOptions {
    /// The first civil day; that of the first document otherwise.
    pub from: Option<Date>,
    /// The last civil day; that of the last document otherwise.
    pub to: Option<Date>,
    /// Whether corrections count from the day of what they correct: void invoices never were.
    pub restated: bool,
}

/// The taxes on what was sold over a period. Invoices and credit notes count on their days of issue; what was withdrawn is
/// taken off what was invoiced on the day of the withdrawal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Taxes {
    /// The first civil day, if there is one.
    pub from: Option<Date>,
    /// The last civil day, if there is one.
    pub to: Option<Date>,
    /// By currency and rate.
    pub totals: Vec<TaxTotals>,
    /// By currency, month and rate: those that had any.
    pub months: Vec<TaxMonth>,
}

/// The figures of one currency at one rate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TaxFigures {
    /// The currency.
    pub currency: Currency,
    /// What was invoiced before tax, less what was withdrawn.
    pub invoiced: Money,
    /// The tax on it.
    pub invoiced_tax: Money,
    /// What was credited before tax.
    pub credited: Money,
    /// The tax on it.
    pub credited_tax: Money,
    /// What is left to be taxed: invoiced less credited.
    pub net: Money,
    /// The tax on it.
    pub tax: Money,
}

/// The taxes of the whole period at one rate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TaxTotals {
    /// The rate, in percent.
    pub percent: Decimal6,
    /// The figures.
    #[serde(flatten)]
    pub figures: TaxFigures,
}

/// The taxes of a month at one rate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TaxMonth {
    /// The month's first day.
    pub month: Date,
    /// The rate, in percent.
    pub percent: Decimal6,
    /// The figures.
    #[serde(flatten)]
    pub figures: TaxFigures,
}

/// The figures in minor units.
#[derive(Clone, Copy, Default)]
struct Sums {
    invoiced: i64,
    invoiced_tax: i64,
    credited: i64,
    credited_tax: i64,
}

impl Sums {
    fn add(&mut self, billed: Billed, totals: &Totals<'_>) -> Result<(), CrmError> {
        let (net, tax, sign) = match billed {
            Billed::Invoiced | Billed::Withdrawn => (&mut self.invoiced, &mut self.invoiced_tax, billed.sign()),
            Billed::Credited => (&mut self.credited, &mut self.credited_tax, 1),
        };
        plus(net, sign * totals.number(0))?;
        plus(tax, sign * totals.number(1))
    }

    fn figures(&self, currency: Currency) -> TaxFigures {
        let money = |minor| Money::new(minor, currency);
        TaxFigures {
            currency,
            invoiced: money(self.invoiced),
            invoiced_tax: money(self.invoiced_tax),
            credited: money(self.credited),
            credited_tax: money(self.credited_tax),
            net: money(self.invoiced - self.credited),
            tax: money(self.invoiced_tax - self.credited_tax),
        }
    }
}

impl Session<'_> {
    /// Taxes by rate and month: what was invoiced, what was credited, and the difference.
    ///
    /// # Errors
    /// When the role may not see it; [`CrmError::Invalid`] when the period ends before it begins.
    pub async fn taxes(&self, options: &TaxOptions) -> Result<Taxes, CrmError> {
        let session = self.current().await?;
        let TaxOptions { from, to, restated } = *options;
        let lines = session.reported_on::<InvoiceLine>("taxes").await?;
        let lines = Invoices::lines(lines, InvoiceLine::COLUMNS.tax_percent.operand());
        let notes = session.reported_on::<CreditNoteLine>("taxes").await?;
        let notes = Documents::credit_note_lines(notes, CreditNoteLine::COLUMNS.tax_percent.operand());
        let queries = billed::queries(&Period::new(from, to, restated)?, &lines, &notes, true);
        let answers = session.store().aggregate(session.scope(), &queries).await?;

        let mut totals: BTreeMap<(Currency, Decimal6), Sums> = BTreeMap::new();
        let mut months: BTreeMap<(Currency, Date, Decimal6), Sums> = BTreeMap::new();
        for (billed, row) in billed::rows(&queries, &answers) {
            let currency = currency_of(row.group(0))?;
            let month = read(row.group(1), Invoice::TABLE, "issued_on")?;
            let percent = read(row.group(2), InvoiceLine::TABLE, "tax_percent")?;
            totals.entry((currency, percent)).or_default().add(billed, &row)?;
            months.entry((currency, month, percent)).or_default().add(billed, &row)?;
        }
        let total = |((currency, percent), sums): (_, Sums)| TaxTotals { percent, figures: sums.figures(currency) };
        let month = |((currency, month, percent), sums): (_, Sums)| TaxMonth {
            month,
            percent,
            figures: sums.figures(currency),
        };
        Ok(Taxes {
            from,
            to,
            totals: totals.into_iter().map(total).collect(),
            months: months.into_iter().map(month).collect(),
        })
    }
}
