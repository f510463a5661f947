//! The lines of an invoice as they stand on the command line; `crm help lines` explains them.

use crm_core::billing::{Discount, NewLine, Product};
use crm_core::value::{Decimal6, ValueError};
use crm_core::{CrmError, Session};

use crate::error::Failure;

/// A line as it was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Written<'a> {
    product: Option<&'a str>,
    description: Option<String>,
    quantity: Option<&'a str>,
    price: Option<&'a str>,
    discount: Option<&'a str>,
    tax: Option<&'a str>,
}

/// Reads the lines, with their products looked up.
pub(super) async fn read(session: &Session<'_>, texts: &[&str]) -> Result<Vec<NewLine>, Failure> {
    let mut lines = Vec::with_capacity(texts.len());
    for (position, text) in (1..).zip(texts) {
        let refused = |field: &str, reason: &ValueError| Failure::invalid(&format!("lines.{position}.{field}"), reason);
        let written =
            split(text).map_err(|reason| refused("line", &reason).hint("`crm help lines` explains the forms"))?;
        let product = match written.product {
            Some(reference) => match session.find::<Product>(reference).await {
                Ok(product) => Some(product.id),
                Err(CrmError::NotFound { entity, reference }) => {
                    return Err(refused("product", &ValueError::NotThere { entity, reference })
                        .hint("`crm product list` shows what there is"));
                }
                Err(other) => return Err(other.into()),
            },
            None => None,
        };
        let number = |field: &str, text: Option<&str>| {
            text.map(Decimal6::parse).transpose().map_err(|reason| refused(field, &reason))
        };
        let discount = match written.discount.map(|text| (text, text.trim().strip_suffix('%'))) {
            Some((_, Some(percent))) => number("discount", Some(percent))?.map(Discount::Percent),
            Some((amount, None)) => number("discount", Some(amount))?.map(Discount::Amount),
            None => None,
        };
        let description = written.description.map(|text| text.parse()).transpose();
        lines.push(NewLine {
            product,
            description: description.map_err(|reason| refused("description", &reason))?,
            quantity: number("quantity", written.quantity)?.unwrap_or(Decimal6::ONE),
            unit_price: number("unit_price", written.price)?,
            discount,
            tax_percent: number("tax_percent", written.tax.map(|tax| tax.trim().trim_end_matches('%')))?,
        });
    }
    Ok(lines)
}

/// Takes a line apart.
fn split(text: &str) -> Result<Written<'_>, ValueError> {
    let blank = |part: &str| part.trim().is_empty();
    let pairs = text.split(',').next().is_some_and(|first| key(first).is_some());
    if !pairs || (text.contains('|') && !text.contains('=')) {
        let parts: Vec<&str> = text.split('|').collect();
        if parts.len() > 5 || blank(parts[0]) {
            return Err(ValueError::syntax("a line as DESCRIPTION|QUANTITY|PRICE|TAX%|DISCOUNT", text));
        }
        let part = |at: usize| parts.get(at).copied().filter(|part| !blank(part));
        let description = Some(parts[0].trim().to_owned());
        return Ok(Written {
            product: None,
            description,
            quantity: part(1),
            price: part(2),
            tax: part(3),
            discount: part(4),
        });
    }
    // A part without a key of its own belongs to the one before it: descriptions may hold commas.
    let mut found: Vec<(&str, usize, usize)> = Vec::new();
    let mut start = 0;
    for part in text.split(',') {
        match key(part) {
            Some((name, value)) => found.push((name, start + (part.len() - value.len()), start + part.len())),
            None => {
                if let Some(last) = found.last_mut() {
                    last.2 = start + part.len();
                }
            }
        }
        start += part.len() + 1;
    }
    let mut written = Written::default();
    for (name, from, to) in found {
        let value = &text[from..to];
        match name {
            "sku" | "product" => written.product = Some(value.trim()),
            "desc" | "description" => written.description = Some(value.trim().to_owned()),
            "qty" | "quantity" => written.quantity = Some(value),
            "price" => written.price = Some(value),
            "discount" => written.discount = Some(value),
            _ => written.tax = Some(value),
        }
    }
    Ok(written)
}

/// The key that a part begins with, and what follows it.
fn key(part: &str) -> Option<(&str, &str)> {
    let (name, value) = part.split_once('=')?;
    let known = ["sku", "product", "desc", "description", "qty", "quantity", "price", "discount", "tax"];
    known.contains(&name.trim()).then(|| (name.trim(), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_taken_apart() {
        let written = split("Consulting|1.5|80|19%").unwrap();
        assert_eq!(written.description.as_deref(), Some("Consulting"));
        assert_eq!((written.quantity, written.price, written.tax), (Some("1.5"), Some("80"), Some("19%")));
        let written = split("Consulting||80").unwrap();
        assert_eq!((written.quantity, written.price, written.tax), (None, Some("80"), None));
        let written = split("sku=HAT-01,qty=2").unwrap();
        assert_eq!((written.product, written.quantity, written.description), (Some("HAT-01"), Some("2"), None));
        let written = split("desc=Hats, caps = more,price=3").unwrap();
        assert_eq!((written.description.as_deref(), written.price), (Some("Hats, caps = more"), Some("3")));
        let written = split("price=3,desc=a|b").unwrap();
        assert_eq!((written.description.as_deref(), written.price), (Some("a|b"), Some("3")));
        let written = split("Consulting|2|80|19%|10%").unwrap();
        assert_eq!((written.tax, written.discount), (Some("19%"), Some("10%")));
        assert_eq!(split("Consulting||80||5.50").unwrap().discount, Some("5.50"));
        assert_eq!(split("sku=HAT-01,discount=5.50").unwrap().discount, Some("5.50"));
        assert!(split("a|1|2|3|4|5").is_err());
        assert!(split("|1|2").is_err());
        assert!(split("").is_err());
    }
}
