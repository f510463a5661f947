//! The lines of an invoice.

use crate::entity::Minor;
use crate::error::Invalid;
use crate::id::Id;
use crate::value::{Currency, Decimal6, Money, Text, ValueError, line_total, percent_of};

use super::{Invoice, Product, product::check_tax};

crate::entity! {
    /// One line of an invoice: so much of something at a price. Amounts are rounded once per line, half away
    /// from zero.
    pub struct InvoiceLine: "invoice_line" in "crm_invoice_line" as Entry, Organization {
        /// Of which invoice.
        pub invoice_id: Id<Invoice> [SERVER_OWNED] => Invoice,
        /// Its place in the invoice, from 1.
        pub position: i64 [SERVER_OWNED],
        /// What was sold, if it is a product of the catalogue.
        pub product_id: Option<Id<Product>> => Product,
        /// What was sold, in words.
        pub description: Text<500>,
        /// How much of it.
        pub quantity: Decimal6,
        /// The price of one unit before tax.
        pub unit_price: Decimal6,
        /// The rate of tax, in percent.
        pub tax_percent: Decimal6,
        /// The currency of the invoice.
        pub currency: Currency [SERVER_OWNED],
        /// Quantity times unit price, rounded.
        pub net: Minor [SERVER_OWNED],
        /// The tax on it, rounded.
        pub tax: Minor [SERVER_OWNED],
    }
    columns InvoiceLineColumns;
    derived { }
    unique { "crm_invoice_line_position": [invoice_id, position] }
    index { "crm_invoice_line_product_id": [product_id] }
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
    /// The rate of tax in percent; the product's otherwise, or none.
    pub tax_percent: Option<Decimal6>,
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
        let amounts = || -> Result<(Money, Money), ValueError> {
            let net = line_total(self.quantity, unit_price, currency)?;
            Ok((net, percent_of(net, tax_percent)?))
        };
        let field = || format!("lines.{position}.quantity");
        let (net, tax) = amounts().map_err(|reason| vec![Invalid::new(field(), reason)])?;
        Ok(InvoiceLine {
            invoice_id: invoice,
            position: i64::try_from(position).unwrap_or(i64::MAX),
            product_id: self.product,
            description,
            quantity: self.quantity,
            unit_price,
            tax_percent,
            currency,
            net: Minor(net.minor()),
            tax: Minor(tax.minor()),
        })
    }
}
