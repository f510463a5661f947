//! The fields by which a document names its contact.

use super::lookup::By;
use super::mapping::Sheet;
use crate::error::{CrmError, Invalid};
use crate::value::ValueError;

/// The fields, with how each refers.
const FIELDS: &[(&str, By)] = &[
    ("contact", By::Any(&["external_id", "email", "account_number", "code"])),
    ("contact_id", By::Id),
    ("contact_external_id", By::Key("external_id")),
    ("contact_email", By::Key("email")),
    ("contact_phone", By::Key("phone")),
    ("contact_account_number", By::Key("account_number")),
    ("contact_code", By::Key("code")),
];

/// The names of the fields.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    FIELDS.iter().map(|(name, _)| *name)
}

/// The field that the sheet has, and how it refers; nothing if it has none.
///
/// # Errors
/// When the sheet has several.
pub(super) fn chosen(sheet: &Sheet) -> Result<Option<(usize, By)>, CrmError> {
    let has = |(name, by): &(&'static str, By)| sheet.position(name).filter(|at| sheet.has(*at)).map(|at| (at, *by));
    let mut given = FIELDS.iter().filter_map(has);
    let first = given.next();
    match given.next() {
        None => Ok(first),
        Some((second, _)) => {
            let reason = ValueError::NotAllowed { when: "another field names the contact" };
            Err(CrmError::Invalid(vec![Invalid::new(format!("columns.{}", sheet.name(second)), reason)]))
        }
    }
}
