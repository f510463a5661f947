//! Credit notes: what is credited of an issued invoice.

use super::allocation::own_contact;
use super::{Invoice, InvoiceLine, Product};
use crate::access::User;
use crate::crud::Rules;
use crate::entity::{Minor, Stored};
use crate::id::Id;
use crate::people::Contact;
use crate::store::Expr;
use crate::value::{Currency, Date, Decimal6, Document, Money, Notes, Text};

crate::entity! {
    /// A part of an invoice, or all of it, credited. It is refunded, kept as the contact's credit, and taken off what is
    /// due: refund + credit + offset = total. Issued when it is created; never changed or deleted.
    pub struct CreditNote: "credit_note" in "crm_credit_note" as Record, Organization {
        /// The number: taken from the series of credit notes, or supplied and unique.
        pub number: Option<Text<50>> [SERVER_OWNED],
        /// Of which invoice.
        pub invoice_id: Id<Invoice> [SERVER_OWNED] => Invoice,
        /// Who is credited.
        pub contact_id: Id<Contact> [SERVER_OWNED] => Contact,
        /// The currency of all its amounts.
        pub currency: Currency [SERVER_OWNED],
        /// The civil date of issue.
        pub issued_on: Date [SERVER_OWNED],
        /// Why.
        pub reason: Text<500> [SERVER_OWNED PERSONAL],
        /// The sum of the lines before tax.
        pub subtotal: Minor [SERVER_OWNED],
        /// The sum of the lines' taxes.
        pub tax: Minor [SERVER_OWNED],
        /// What is credited: subtotal and tax.
        pub total: Minor [SERVER_OWNED],
        /// What of it was paid back at once.
        pub refund: Minor [SERVER_OWNED],
        /// What of it was kept as the contact's credit.
        pub credit: Minor [SERVER_OWNED],
        /// What of it was taken off what was due on the invoice.
        pub offset: Minor [SERVER_OWNED],
        /// What is left of the credit: not applied to invoices and not paid back later.
        pub unapplied: Minor [SERVER_OWNED],
        /// What of the credit was paid back later.
        pub refunded: Minor [SERVER_OWNED],
        /// The buyer as the invoice names it, a JSON object.
        pub buyer: Option<Document> [SERVER_OWNED PERSONAL],
        /// What else is to be said.
        pub notes: Option<Notes<2000>> [SERVER_OWNED PERSONAL],
        /// The id in the system that it was imported from.
        pub external_id: Option<Text<100>> [SERVER_OWNED PERSONAL],
    }
    columns CreditNoteColumns;
    derived { }
    unique {
        "crm_credit_note_number": [number],
        "crm_credit_note_external_id": [external_id],
    }
    index {
        "crm_credit_note_invoice_id": [invoice_id],
        "crm_credit_note_contact": [contact_id, currency, issued_on, total, unapplied],
        "crm_credit_note_totals": [currency, issued_on, unapplied],
    }
}

crate::entity! {
    /// One line of a credit note.
    pub struct CreditNoteLine: "credit_note_line" in "crm_credit_note_line" as Entry, Organization {
        /// Of which credit note.
        pub credit_note_id: Id<CreditNote> [SERVER_OWNED] => CreditNote,
        /// Its place in the credit note, from 1.
        pub position: i64 [SERVER_OWNED],
        /// Which line of the invoice it credits, if it is one as it stands.
        pub invoice_line_id: Option<Id<InvoiceLine>> [SERVER_OWNED] => InvoiceLine,
        /// What is credited, if it is a product of the catalogue.
        pub product_id: Option<Id<Product>> [SERVER_OWNED] => Product,
        /// What is credited, in words.
        pub description: Text<500> [SERVER_OWNED PERSONAL],
        /// How much of it.
        pub quantity: Decimal6 [SERVER_OWNED],
        /// The price of one unit before tax.
        pub unit_price: Decimal6 [SERVER_OWNED],
        /// The discount in percent, if it was given as such.
        pub discount_percent: Option<Decimal6> [SERVER_OWNED],
        /// The discount, rounded.
        pub discount: Minor [SERVER_OWNED],
        /// The rate of tax, in percent.
        pub tax_percent: Decimal6 [SERVER_OWNED],
        /// The currency of the credit note.
        pub currency: Currency [SERVER_OWNED],
        /// What is credited before tax.
        pub net: Minor [SERVER_OWNED],
        /// The tax on it.
        pub tax: Minor [SERVER_OWNED],
    }
    columns CreditNoteLineColumns;
    derived { }
    unique { "crm_credit_note_line_position": [credit_note_id, position] }
    index {
        "crm_credit_note_line_product_id": [product_id],
        "crm_credit_note_line_invoice_line_id": [invoice_line_id],
    }
}

impl CreditNote {
    /// The amount in the note's currency.
    pub const fn money(&self, amount: Minor) -> Money {
        Money::new(amount.0, self.currency)
    }
}

impl CreditNoteLine {
    /// The amount in the line's currency.
    pub const fn money(&self, amount: Minor) -> Money {
        Money::new(amount.0, self.currency)
    }
}

impl Stored<CreditNote> {
    /// How people name it: by number, or by id.
    pub fn label(&self) -> String {
        let name = self.number.as_ref().map_or_else(|| self.id.to_string(), ToString::to_string);
        format!("credit note {name}")
    }
}

impl Rules for CreditNote {
    const NATURAL_KEYS: &'static [&'static str] = &["number", "external_id"];

    fn own(user: Id<User>) -> Expr {
        own_contact(Self::COLUMNS.contact_id.index(), user)
    }

    fn retained() -> Expr {
        Expr::True
    }
}

impl Rules for CreditNoteLine {
    fn own(user: Id<User>) -> Expr {
        let reference = Self::COLUMNS.credit_note_id.index();
        Expr::Related { reference, filter: Box::new(CreditNote::own(user)) }
    }

    fn retained() -> Expr {
        Expr::True
    }
}
