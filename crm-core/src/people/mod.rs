//! Whom a business knows.

mod contact;

pub use contact::{Contact, ContactColumns, ContactKind, Source};
