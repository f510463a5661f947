//! Revenue: what was invoiced less what was withdrawn and credited, by month or by product.

use std::collections::BTreeMap;

use serde::Serialize;

use super::billed::{self, Billed, Documents, Invoices};
use super::{Period, currency_of, plus, read};
use crate::billing::{CreditNote, CreditNoteLine, Invoice, InvoiceLine, Product};
use crate::crm::Session;
use crate::entity::{Entity as _, Stored};
use crate::error::CrmError;
use crate::id::Id;
use crate::store::Totals;
use crate::value::{Currency, Date, Decimal6, Money, fold};

/// How many products one query asks for.
const ASKED: usize = 10_000;

crate::choice! {
    /// By what revenue is told apart.
    pub enum RevenueBy {
        /// By civil month.
        Month = "month",
        /// By product.
        Product = "product",
    }
}

/// What the report covers.
#[derive(Clone, Copy, Debug)]
pub struct RevenueOptions {
    /// The first civil day; that of the first document otherwise.
    pub from: Option<Date>,
    /// The last civil day; that of the last document otherwise.
    pub to: Option<Date>,
    /// By what it is told apart.
    pub by: RevenueBy,
    /// Whether corrections count from the day of what they correct: void invoices never were.
    pub restated: bool,
}

impl Default for RevenueOptions {
    /// All of it, by month.
    fn default() -> Self {
        Self { from: None, to: None, by: RevenueBy::Month, restated: false }
    }
}

/// What was sold over a period. Invoices and credit notes count on their days of issue. An invoice that was withdrawn counts
/// on its day of issue all the same and is taken back on the day of its withdrawal, so that a past month stays what it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Revenue {
    /// The first civil day, if there is one.
    pub from: Option<Date>,
    /// The last civil day, if there is one.
    pub to: Option<Date>,
    /// The figures of each currency, by its code.
    pub totals: Vec<RevenueFigures>,
    /// By currency and month: those that had any, if asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by_month: Option<Vec<RevenueMonth>>,
    /// By currency and product, those with the largest totals first, if asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by_product: Option<Vec<RevenueProduct>>,
}

/// The figures of one currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RevenueFigures {
    /// The currency.
    pub currency: Currency,
    /// What was invoiced, before tax.
    pub invoiced: Money,
    /// What was withdrawn, before tax.
    pub void: Money,
    /// What was credited, before tax.
    pub credited: Money,
    /// What is left: invoiced less void less credited.
    pub net: Money,
    /// The tax on it.
    pub tax: Money,
    /// Both.
    pub total: Money,
}

/// The revenue of a month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RevenueMonth {
    /// The month's first day.
    pub month: Date,
    /// The figures.
    #[serde(flatten)]
    pub figures: RevenueFigures,
}

/// The revenue of a product.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RevenueProduct {
    /// The product; absent for the lines without one.
    pub product_id: Option<Id<Product>>,
    /// Its name.
    pub product: Option<String>,
    /// Its stock keeping unit.
    pub sku: Option<String>,
    /// How much of it was sold, less what was withdrawn and credited.
    pub quantity: Decimal6,
    /// The figures.
    #[serde(flatten)]
    pub figures: RevenueFigures,
}

/// The figures in minor units, and the quantity in millionths.
#[derive(Clone, Copy, Default)]
struct Sums {
    invoiced: i64,
    void: i64,
    credited: i64,
    tax: i64,
    quantity: i64,
}

impl Sums {
    fn add(&mut self, billed: Billed, totals: &Totals<'_>, with_quantity: bool) -> Result<(), CrmError> {
        let net = match billed {
            Billed::Invoiced => &mut self.invoiced,
            Billed::Withdrawn => &mut self.void,
            Billed::Credited => &mut self.credited,
        };
        plus(net, totals.number(0))?;
        plus(&mut self.tax, billed.sign() * totals.number(1))?;
        let quantity = if with_quantity { totals.number(2) } else { 0 };
        plus(&mut self.quantity, billed.sign() * quantity)
    }

    const fn net(&self) -> i64 {
        self.invoiced - self.void - self.credited
    }

    fn figures(&self, currency: Currency) -> RevenueFigures {
        let money = |minor| Money::new(minor, currency);
        RevenueFigures {
            currency,
            invoiced: money(self.invoiced),
            void: money(self.void),
            credited: money(self.credited),
            net: money(self.net()),
            tax: money(self.tax),
            total: money(self.net() + self.tax),
        }
    }
}

impl Session<'_> {
    /// What was invoiced less what was withdrawn and credited, by month or by product.
    ///
    /// # Errors
    /// When the role may not see it; [`CrmError::Invalid`] when the period ends before it begins.
    pub async fn revenue(&self, options: &RevenueOptions) -> Result<Revenue, CrmError> {
        let session = self.current().await?;
        let RevenueOptions { from, to, by, restated } = *options;
        let invoices = session.reported_on::<Invoice>("revenue").await?;
        let period = Period::new(from, to, restated)?;
        let by_month = by == RevenueBy::Month;
        let queries = if by_month {
            let notes = Documents::credit_notes(session.reported_on::<CreditNote>("revenue").await?);
            billed::queries(&period, &Invoices::whole(invoices), &notes, by_month)
        } else {
            let product = InvoiceLine::COLUMNS.product_id.operand();
            let lines = Invoices::lines(session.reported_on::<InvoiceLine>("revenue").await?, product);
            let product = CreditNoteLine::COLUMNS.product_id.operand();
            let notes = Documents::credit_note_lines(session.reported_on::<CreditNoteLine>("revenue").await?, product);
            billed::queries(&period, &lines, &notes, by_month)
        };
        let answers = session.store().aggregate(session.scope(), &queries).await?;

        let mut totals: BTreeMap<Currency, Sums> = BTreeMap::new();
        let mut months: BTreeMap<(Currency, Date), Sums> = BTreeMap::new();
        let mut products: BTreeMap<(Currency, Option<Id<Product>>), Sums> = BTreeMap::new();
        for (billed, row) in billed::rows(&queries, &answers) {
            let currency = currency_of(row.group(0))?;
            totals.entry(currency).or_default().add(billed, &row, false)?;
            if by_month {
                let month = read(row.group(1), Invoice::TABLE, "issued_on")?;
                months.entry((currency, month)).or_default().add(billed, &row, false)?;
            } else {
                let product = read(row.group(1), InvoiceLine::TABLE, "product_id")?;
                products.entry((currency, product)).or_default().add(billed, &row, true)?;
            }
        }
        let month = |((currency, month), sums): (_, Sums)| RevenueMonth { month, figures: sums.figures(currency) };
        let by_product = if by_month { None } else { Some(session.sold(products).await?) };
        Ok(Revenue {
            from,
            to,
            totals: totals.into_iter().map(|(currency, sums)| sums.figures(currency)).collect(),
            by_month: by_month.then(|| months.into_iter().map(month).collect()),
            by_product,
        })
    }

    /// The rows of products: the largest totals of a currency first, then by name; lines without a product last.
    async fn sold(
        &self,
        sums: BTreeMap<(Currency, Option<Id<Product>>), Sums>,
    ) -> Result<Vec<RevenueProduct>, CrmError> {
        let mut ids: Vec<_> = sums.keys().filter_map(|(_, product)| *product).map(Id::uuid).collect();
        ids.sort_unstable();
        ids.dedup();
        let mut named = BTreeMap::new();
        for ids in ids.chunks(ASKED) {
            for row in self.store().fetch(self.scope(), Product::TABLE, ids).await? {
                let product = Stored::<Product>::from_row(row)?;
                named.insert(product.id, product);
            }
        }
        let row = |((currency, product_id), sums): ((Currency, Option<Id<Product>>), Sums)| {
            let product = product_id.and_then(|id| named.get(&id));
            RevenueProduct {
                product_id,
                product: product.map(|product| product.name.to_string()),
                sku: product.and_then(|product| product.sku.as_ref()).map(ToString::to_string),
                quantity: Decimal6::from_micros(sums.quantity),
                figures: sums.figures(currency),
            }
        };
        let mut rows: Vec<RevenueProduct> = sums.into_iter().map(row).collect();
        rows.sort_by_cached_key(|row| {
            let total = std::cmp::Reverse(row.figures.total.minor());
            let name = row.product.as_deref().map(fold);
            (row.figures.currency, row.product_id.is_none(), total, name, row.product_id)
        });
        Ok(rows)
    }
}
