//! Whom a business knows.

mod contact;

pub(crate) use contact::display_name;
pub use contact::{Contact, ContactColumns, ContactKind, Source};
