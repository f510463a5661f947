//! Products and services that can be sold.

use crate::context::Context;
use crate::crud::{EVERY_VERB, Edit, Rules};
use crate::error::Invalid;
use crate::value::{Currency, Decimal6, Notes, Text, ValueError, tokens};

crate::choice! {
    /// What is sold.
    pub enum ProductKind {
        /// A thing.
        Product = "product",
        /// A service.
        Service = "service",
    }
}

crate::entity! {
    /// Something the organization sells.
    pub struct Product: "product" in "crm_product" as Archivable, Organization {
        /// Its name.
        pub name: Text<255> [SEARCHABLE],
        /// The stock keeping unit: the organization's own code for it.
        pub sku: Option<Text<100>> [SEARCHABLE],
        /// Whether it is a thing or a service.
        pub kind: ProductKind,
        /// The price of one unit before tax, with at most six decimals.
        pub unit_price: Decimal6,
        /// The currency of the price.
        pub currency: Currency,
        /// The rate of tax on it, in percent.
        pub tax_percent: Decimal6,
        /// What it is.
        pub description: Option<Notes<2000>>,
        /// The id in the system that it was imported from.
        pub external_id: Option<Text<100>>,
    }
    columns ProductColumns;
    derived {
        /// The name as it is sorted.
        name_key: String = |product: &Product| crate::value::fold(&product.name),
        /// The words by which it is found.
        search: String = Product::search_words,
    }
    unique {
        "crm_product_sku": [sku],
        "crm_product_external_id": [external_id],
    }
    index { "crm_product_name_key": [name_key, id] }
}

impl Product {
    fn search_words(&self) -> String {
        let mut words = tokens(&self.name);
        words.extend(self.sku.iter().flat_map(|sku| tokens(sku)));
        words.join(" ")
    }
}

impl Rules for Product {
    const GENERAL: &'static [&'static str] = EVERY_VERB;
    const NATURAL_KEYS: &'static [&'static str] = &["sku", "external_id"];

    fn defaults(context: &Context) -> Edit<Self> {
        let columns = Self::COLUMNS;
        Edit::new()
            .set(columns.kind, ProductKind::Product)
            .set(columns.currency, context.currency())
            .set(columns.tax_percent, Decimal6::ZERO)
    }

    fn check(&mut self, _: Option<&Self>, _: &Context) -> Result<(), Vec<Invalid>> {
        let mut refused = Vec::new();
        if self.unit_price < Decimal6::ZERO {
            refused.push(Invalid::new("unit_price", ValueError::Negative));
        }
        refused.extend(check_tax(self.tax_percent).map(|reason| Invalid::new("tax_percent", reason)));
        if refused.is_empty() { Ok(()) } else { Err(refused) }
    }
}

/// What is wrong with a rate of tax, if anything is.
pub(crate) fn check_tax(percent: Decimal6) -> Option<ValueError> {
    let most = Decimal6::from_micros(100_000_000);
    (percent < Decimal6::ZERO || percent > most).then(|| ValueError::out_of_range(0, 100))
}
