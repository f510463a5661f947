//! The lines of an invoice.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::entity::Minor;
use crate::error::Invalid;
use crate::id::Id;
use crate::value::{Currency, Decimal6, Money, Text, ValueError, line_total, percent_of};

use super::{Invoice, Product, product::check_tax};

crate::entity! {
    /// One line of an invoice: so much of something at a price. Each amount is rounded once, half away from zero, and
    /// the next is computed of it, so that printed figures add up.
    pub struct InvoiceLine: "invoice_line" in "crm_invoice_line" as Entry, Organization {
        /// Of which invoice.
        pub invoice_id: Id<Invoice> [SERVER_OWNED] => Invoice,
        /// Its place in the invoice, from 1.
        pub position: i64 [SERVER_OWNED],
        /// What was sold, if it is a product of the catalogue.
        pub product_id: Option<Id<Product>> => Product,
        /// What was sold, in words.
        pub description: Text<500> [PERSONAL],
        /// How much of it.
        pub quantity: Decimal6,
        /// The price of one unit before tax.
        pub unit_price: Decimal6,
        /// The discount in percent, if it was given as such.
        pub discount_percent: Option<Decimal6>,
        /// The discount, rounded.
        pub discount: Minor [SERVER_OWNED],
        /// The rate of tax, in percent.
        pub tax_percent: Decimal6,
        /// The currency of the invoice.
        pub currency: Currency [SERVER_OWNED],
        /// Quantity times unit price, rounded, less the discount.
        pub net: Minor [SERVER_OWNED],
        /// The tax on it, rounded.
        pub tax: Minor [SERVER_OWNED],
    }
    columns InvoiceLineColumns;
    derived { }
    unique { "crm_invoice_line_position": [invoice_id, position] }
    index { "crm_invoice_line_product_id": [product_id] }
}

/// What is taken off a line before tax.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Discount {
    /// So many percent of quantity times unit price, 0 to 100.
    Percent(Decimal6),
    /// So much in the invoice's currency, at most quantity times unit price.
    Amount(Decimal6),
}

impl Discount {
    /// The discount in percent, if it is one.
    pub const fn percent(self) -> Option<Decimal6> {
        match self {
            Self::Percent(percent) => Some(percent),
            Self::Amount(_) => None,
        }
    }

    /// The discount as two fields say it.
    ///
    /// # Errors
    /// When both are given; the field is `discount`.
    pub fn of(percent: Option<Decimal6>, amount: Option<Decimal6>) -> Result<Option<Self>, Invalid> {
        match (percent, amount) {
            (Some(_), Some(_)) => {
                Err(Invalid::new("discount", ValueError::NotAllowed { when: "there is a discount in percent" }))
            }
            (Some(percent), None) => Ok(Some(Self::Percent(percent))),
            (None, amount) => Ok(amount.map(Self::Amount)),
        }
    }

    /// What it takes off, rounded, with the field that is refused.
    fn off(self, gross: Money) -> Result<Money, (&'static str, ValueError)> {
        match self {
            Self::Percent(percent) => {
                if let Some(reason) = check_tax(percent) {
                    return Err(("discount_percent", reason));
                }
                percent_of(gross, percent).map_err(|reason| ("discount_percent", reason))
            }
            Self::Amount(amount) => {
                let off = line_total(Decimal6::ONE, amount, gross.currency()).map_err(|reason| ("discount", reason))?;
                if amount < Decimal6::ZERO {
                    return Err(("discount", ValueError::Negative));
                }
                if off.minor() > gross.minor() {
                    return Err(("discount", ValueError::out_of_range(Money::zero(gross.currency()), gross)));
                }
                Ok(off)
            }
        }
    }
}

/// A line as it is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct NewLine {
    /// What is sold, if it is a product of the catalogue; what the line leaves out comes from it.
    pub product: Option<Id<Product>>,
    /// What is sold, in words; the product's name otherwise.
    pub description: Option<Text<500>>,
    /// How much of it.
    pub quantity: Decimal6,
    /// The price of one unit before tax; the product's otherwise.
    pub unit_price: Option<Decimal6>,
    /// What is taken off.
    pub discount: Option<Discount>,
    /// The rate of tax in percent; the product's otherwise, or none.
    pub tax_percent: Option<Decimal6>,
}

impl InvoiceLine {
    /// Quantity times unit price, rounded.
    pub const fn gross(&self) -> Minor {
        Minor(self.net.0 + self.discount.0)
    }

    /// The amount in the line's currency.
    pub const fn money(&self, amount: Minor) -> Money {
        Money::new(amount.0, self.currency)
    }
}

impl NewLine {
    /// The line that this makes of an invoice.
    ///
    /// # Errors
    /// Every field that is missing or refused.
    pub fn build(
        &self,
        invoice: Id<Invoice>,
        position: usize,
        currency: Currency,
        product: Option<&Product>,
    ) -> Result<InvoiceLine, Vec<Invalid>> {
        let mut refused = Vec::new();
        let mut refuse = |field: &str, reason| refused.push(Invalid::new(format!("lines.{position}.{field}"), reason));
        let priced = product.filter(|product| product.currency == currency);
        if product.is_some() && priced.is_none() && self.unit_price.is_none() {
            refuse("unit_price", ValueError::Blank);
        }
        let name = || product.and_then(|product| product.name.parse().ok());
        let description = self.description.clone().or_else(name);
        let unit_price = self.unit_price.or_else(|| priced.map(|product| product.unit_price));
        let tax_percent = self.tax_percent.or_else(|| product.map(|product| product.tax_percent)).unwrap_or_default();
        if description.is_none() {
            refuse("description", ValueError::Blank);
        }
        match unit_price {
            None if product.is_none() => refuse("unit_price", ValueError::Blank),
            Some(price) if price < Decimal6::ZERO => refuse("unit_price", ValueError::Negative),
            _ => {}
        }
        if self.quantity <= Decimal6::ZERO {
            refuse("quantity", ValueError::NotPositive);
        }
        if let Some(reason) = check_tax(tax_percent) {
            refuse("tax_percent", reason);
        }
        let (Some(description), Some(unit_price), true) = (description, unit_price, refused.is_empty()) else {
            return Err(refused);
        };
        let amounts = || -> Result<(Money, Money, Money), (&'static str, ValueError)> {
            let of_quantity = |reason| ("quantity", reason);
            let gross = line_total(self.quantity, unit_price, currency).map_err(of_quantity)?;
            let off = self.discount.map_or(Ok(Money::zero(currency)), |discount| discount.off(gross))?;
            let net = gross.checked_sub(off).map_err(of_quantity)?;
            Ok((off, net, percent_of(net, tax_percent).map_err(of_quantity)?))
        };
        let named = |(field, reason)| vec![Invalid::new(format!("lines.{position}.{field}"), reason)];
        let (discount, net, tax) = amounts().map_err(named)?;
        Ok(InvoiceLine {
            invoice_id: invoice,
            position: i64::try_from(position).unwrap_or(i64::MAX),
            product_id: self.product,
            description,
            quantity: self.quantity,
            unit_price,
            discount_percent: self.discount.and_then(Discount::percent),
            discount: Minor(discount.minor()),
            tax_percent,
            currency,
            net: Minor(net.minor()),
            tax: Minor(tax.minor()),
        })
    }
}

/// What is billed at one rate of tax.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct TaxRate {
    /// The rate, in percent.
    pub percent: Decimal6,
    /// The sum of the lines before tax.
    pub net: Money,
    /// The sum of the lines' rounded taxes.
    pub tax: Money,
}

/// Sums lines, given by rate, net and tax, for each rate of tax; the lowest rate first.
///
/// # Errors
/// When a sum is larger than any amount may be, or the currencies differ.
pub fn taxes(lines: impl IntoIterator<Item = (Decimal6, Money, Money)>) -> Result<Vec<TaxRate>, ValueError> {
    let mut rates = BTreeMap::<Decimal6, TaxRate>::new();
    for (percent, net, tax) in lines {
        match rates.entry(percent) {
            Entry::Vacant(rate) => {
                rate.insert(TaxRate { percent, net, tax });
            }
            Entry::Occupied(mut rate) => {
                let sum = rate.get_mut();
                (sum.net, sum.tax) = (sum.net.checked_add(net)?, sum.tax.checked_add(tax)?);
            }
        }
    }
    Ok(rates.into_values().collect())
}
