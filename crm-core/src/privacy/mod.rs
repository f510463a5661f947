//! Privacy: what is stored about a contact, given out and erased.
//!
//! What is about a contact follows from the references of the table descriptions; what of it is personal, from
//! their `PERSONAL` flags. An erasure takes these values out of the records, out of the audit's entries about them, which
//! the chain knows by salted hashes, and out of what idempotency keys have kept; and then asks the store to leave nothing
//! of it in its files. What the law wants kept stays as it is: issued invoices, credit notes, payments and what joins
//! them ([`Rules::retained`](crate::crud::Rules::retained)).
//!
//! Invitations and the log of API keys' requests refer to no contact, but know one by its e-mail address or name; they are
//! part of both by any that the contact has or had and that no other contact has now, also when it is a user's. The user's
//! account is not: a user is no contact. What somebody wrote about the contact into another one's free text is not found.

mod erase;
mod export;
mod known_as;
mod living;
pub(crate) mod reach;
mod retention;
mod traces;

use uuid::Uuid;

pub use erase::{Erased, Kept};
pub use export::{ContactExport, ExportedEntry};
pub(crate) use living::{Meanwhile, require_unerased};

use crate::access::Role;
use crate::id::Id;
use crate::people::Contact;

/// A rule of privacy that a command would break.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PrivacyError {
    /// The contact was erased: nothing personal is written about it any more.
    #[error("contact {0} was erased: it cannot be changed, and nothing can be added to it")]
    Erased(Id<Contact>),
    /// Invoices are still to be paid.
    #[error("invoices are still to be paid: {}; have them paid, void them or write them off first", list(.0))]
    OpenInvoices(Vec<String>),
    /// Payments or credit notes hold credit that is not spent.
    #[error("there is credit that is not spent: {}; apply it to invoices or refund it first", list(.0))]
    UnspentCredit(Vec<String>),
    /// Cases are not closed.
    #[error("cases are not closed: {}; answer and close them first", list(.0))]
    OpenCases(Vec<String>),
    /// An invitation to the contact stands, in a role that the actor may not withdraw.
    #[error("an invitation to the contact's address as {0} stands, and it is not yours to withdraw; have {by} withdraw it first", by = if *.0 == Role::Owner { "an owner" } else { "an admin" })]
    StandingInvitation(Role),
}

fn list(numbers: &[String]) -> String {
    numbers.join(", ")
}

/// The number by which people know a document, or its id.
fn known_by(number: Option<&str>, entity: &str, id: Uuid) -> String {
    number.map_or_else(|| format!("{entity} {id}"), str::to_owned)
}
