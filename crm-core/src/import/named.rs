//! The fields by which a row names the records that it refers to.

use super::lookup::By;
use super::mapping::Sheet;
use crate::error::{CrmError, Invalid};
use crate::value::ValueError;

/// Fields that name the same record, with how each refers.
pub(super) type Fields = [(&'static str, By)];

/// The fields that name a contact.
pub(super) const CONTACT: &Fields = &[
    ("contact", By::Any(&["external_id", "email", "account_number", "code"])),
    ("contact_id", By::Id),
    ("contact_external_id", By::Key("external_id")),
    ("contact_email", By::Key("email")),
    ("contact_phone", By::Key("phone")),
    ("contact_account_number", By::Key("account_number")),
    ("contact_code", By::Key("code")),
    ("contact_name", By::Key("name")),
];

/// The fields that name a product.
pub(super) const PRODUCT: &Fields = &[
    ("product", By::Any(&["sku", "external_id"])),
    ("product_id", By::Id),
    ("product_sku", By::Key("sku")),
    ("product_external_id", By::Key("external_id")),
    ("product_name", By::Key("name")),
];

/// The names of the fields.
pub(super) fn names(fields: &Fields) -> impl Iterator<Item = &'static str> {
    fields.iter().map(|(name, _)| *name)
}

/// The field that the sheet has, and how it refers; nothing if it has none.
///
/// # Errors
/// When the sheet has several.
pub(super) fn chosen(sheet: &Sheet, fields: &Fields) -> Result<Option<(usize, By)>, CrmError> {
    let has = |(name, by): &(&'static str, By)| sheet.position(name).filter(|at| sheet.has(*at)).map(|at| (at, *by));
    let mut given = fields.iter().filter_map(has);
    let first = given.next();
    match given.next() {
        None => Ok(first),
        Some((second, _)) => {
            let reason = ValueError::NotAllowed { when: "another field names the same record" };
            Err(CrmError::Invalid(vec![Invalid::new(format!("columns.{}", sheet.name(second)), reason)]))
        }
    }
}
