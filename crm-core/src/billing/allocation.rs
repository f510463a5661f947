//! What was applied to which invoice, and what was taken back.

use super::{CreditNote, Invoice, Payment};
use crate::access::User;
use crate::crud::{Rules, column_is};
use crate::entity::Minor;
use crate::id::Id;
use crate::people::Contact;
use crate::row::Value;
use crate::store::Expr;
use crate::value::{Currency, Date};

crate::choice! {
    /// Where the money of an allocation comes from.
    pub enum AllocationSource {
        /// A payment.
        Payment = "payment",
        /// The credit that a credit note kept for the contact.
        Credit = "credit",
        /// The part of a credit note that took off what was due on its invoice.
        Offset = "offset",
    }
}

crate::entity! {
    /// An amount applied to an invoice, or taken back from it. Written once: what is undone is a row of its own with the
    /// opposite amount, so that reports as of a past day add up the rows of that day and before.
    pub struct Allocation: "allocation" in "crm_allocation" as Entry, Organization {
        /// Of which payment, if it is one's.
        pub payment_id: Option<Id<Payment>> [SERVER_OWNED] => Payment,
        /// Of which credit note, if it is one's.
        pub credit_note_id: Option<Id<CreditNote>> [SERVER_OWNED] => CreditNote,
        /// To which invoice.
        pub invoice_id: Id<Invoice> [SERVER_OWNED] => Invoice,
        /// Whose.
        pub contact_id: Id<Contact> [SERVER_OWNED] => Contact,
        /// The currency of both.
        pub currency: Currency [SERVER_OWNED],
        /// Where the money comes from.
        pub source: AllocationSource [SERVER_OWNED],
        /// How much; less than nothing when it undoes another.
        pub amount: Minor [SERVER_OWNED],
        /// From which civil day it counts.
        pub applied_on: Date [SERVER_OWNED],
        /// From which civil day it counts when corrections count from the day of what they correct.
        pub restated_on: Date [SERVER_OWNED],
        /// Which other it undoes, in full.
        pub undoes: Option<Id<Allocation>> [SERVER_OWNED] => Allocation,
        /// Whether the invoice was given up at that time: what was recovered, or lost again.
        pub written_off: bool [SERVER_OWNED],
    }
    columns AllocationColumns;
    derived { }
    unique { "crm_allocation_undoes": [undoes] }
    index {
        "crm_allocation_payment_id": [payment_id],
        "crm_allocation_credit_note_id": [credit_note_id],
        "crm_allocation_invoice_id": [invoice_id],
        "crm_allocation_contact_id": [contact_id],
        "crm_allocation_applied_on": [applied_on],
    }
}

impl Rules for Allocation {
    fn own(user: Id<User>) -> Expr {
        own_contact(Self::COLUMNS.contact_id.index(), user)
    }

    fn retained() -> Expr {
        Expr::True
    }
}

/// The condition that a record's contact is the member's own.
pub(crate) fn own_contact(column: usize, user: Id<User>) -> Expr {
    let owner = column_is(Contact::COLUMNS.owner_id.index(), Value::Id(user.uuid()));
    Expr::Related { reference: column, filter: Box::new(owner) }
}
