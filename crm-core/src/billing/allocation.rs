//! Which part of a payment settles which invoice.

use super::{Invoice, Payment};
use crate::access::User;
use crate::crud::{Rules, column_is};
use crate::entity::Minor;
use crate::id::Id;
use crate::people::Contact;
use crate::row::Value;
use crate::store::Expr;
use crate::value::{Currency, Date};

crate::entity! {
    /// A part of a payment that settles an invoice. Written once; reports as of a past day add up the
    /// allocations of that day and before.
    pub struct Allocation: "allocation" in "crm_allocation" as Entry, Organization {
        /// Of which payment.
        pub payment_id: Id<Payment> [SERVER_OWNED] => Payment,
        /// To which invoice.
        pub invoice_id: Id<Invoice> [SERVER_OWNED] => Invoice,
        /// Whose.
        pub contact_id: Id<Contact> [SERVER_OWNED] => Contact,
        /// The currency of both.
        pub currency: Currency [SERVER_OWNED],
        /// How much.
        pub amount: Minor [SERVER_OWNED],
        /// From which day it counts.
        pub applied_on: Date [SERVER_OWNED],
    }
    columns AllocationColumns;
    derived { }
    unique { }
    index {
        "crm_allocation_payment_id": [payment_id],
        "crm_allocation_invoice_id": [invoice_id],
        "crm_allocation_contact_id": [contact_id],
        "crm_allocation_applied_on": [applied_on],
    }
}

impl Rules for Allocation {
    fn own(user: Id<User>) -> Expr {
        own_contact(Self::COLUMNS.contact_id.index(), user)
    }
}

/// The condition that a record's contact is the member's own.
pub(crate) fn own_contact(column: usize, user: Id<User>) -> Expr {
    let owner = column_is(Contact::COLUMNS.owner_id.index(), Value::Id(user.uuid()));
    Expr::Related { reference: column, filter: Box::new(owner) }
}
