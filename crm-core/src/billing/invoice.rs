//! Invoices and their status machine.

use crate::access::User;
use crate::crud::Rules;
use crate::entity::{Minor, Stored};
use crate::id::Id;
use crate::people::Contact;
use crate::status::{Machine, Move};
use crate::store::Expr;
use crate::value::{Currency, Date, Document, Money, Notes, Text};

use super::BillingError;
use super::allocation::own_contact;

crate::choice! {
    /// Where an invoice stands. `overdue` and `partially_paid` are computed for a date, never stored.
    pub enum InvoiceStatus {
        /// Being written; it has no number.
        Draft = "draft",
        /// Issued and not fully paid.
        Open = "open",
        /// Fully paid.
        Paid = "paid",
        /// Withdrawn after issue; its number stays used.
        Void = "void",
        /// Given up.
        Uncollectible = "uncollectible",
    }
}

crate::choice! {
    /// What happens to an invoice.
    pub enum InvoiceEvent {
        /// Its lines or terms are changed.
        Edit = "changed",
        /// It gets its number and becomes binding.
        Issue = "issued",
        /// A payment is allocated to it.
        Pay = "paid",
        /// Some of it, or all, is credited.
        Credit = "credited",
        /// What was paid on it is taken back.
        Reopen = "reopened",
        /// It is withdrawn.
        Void = "voided",
        /// It is given up.
        WriteOff = "written off",
        /// It is deleted.
        Delete = "deleted",
    }
}

const fn step(
    from: InvoiceStatus,
    event: InvoiceEvent,
    to: InvoiceStatus,
    operation: &'static str,
    effect: &'static str,
) -> Move {
    Move::new(from.as_str(), event.as_str(), to.as_str(), operation, effect)
}

const UNTOUCHED: &str = "if nothing was paid or credited";
const REOPENED: &str = "also by payment.reverse; uncollectible if it was given up";

/// What can happen to an invoice.
pub static INVOICE: Machine = Machine {
    name: "invoice",
    states: InvoiceStatus::NAMES,
    moves: &[
        step(InvoiceStatus::Draft, InvoiceEvent::Edit, InvoiceStatus::Draft, "invoice.update", ""),
        step(InvoiceStatus::Draft, InvoiceEvent::Issue, InvoiceStatus::Open, "invoice.issue", "it gets its number"),
        step(InvoiceStatus::Draft, InvoiceEvent::Delete, InvoiceStatus::Draft, "invoice.delete", "it is gone"),
        step(InvoiceStatus::Open, InvoiceEvent::Pay, InvoiceStatus::Paid, "payment.record", "once nothing is due"),
        step(
            InvoiceStatus::Open,
            InvoiceEvent::Credit,
            InvoiceStatus::Open,
            "credit_note.create",
            "paid if nothing is due",
        ),
        step(InvoiceStatus::Open, InvoiceEvent::Void, InvoiceStatus::Void, "invoice.void", UNTOUCHED),
        step(InvoiceStatus::Open, InvoiceEvent::WriteOff, InvoiceStatus::Uncollectible, "invoice.write_off", ""),
        step(InvoiceStatus::Paid, InvoiceEvent::Credit, InvoiceStatus::Paid, "credit_note.create", "refunded or kept"),
        step(InvoiceStatus::Paid, InvoiceEvent::Reopen, InvoiceStatus::Open, "payment.unallocate", REOPENED),
        step(
            InvoiceStatus::Uncollectible,
            InvoiceEvent::Pay,
            InvoiceStatus::Paid,
            "payment.record",
            "once nothing is due",
        ),
        step(InvoiceStatus::Uncollectible, InvoiceEvent::Void, InvoiceStatus::Void, "invoice.void", UNTOUCHED),
    ],
};

crate::entity! {
    /// A claim on a contact for things sold.
    pub struct Invoice: "invoice" in "crm_invoice" as Record, Organization {
        /// The number: taken from the series on issue, or supplied and unique.
        pub number: Option<Text<50>> [SERVER_OWNED],
        /// Who is billed.
        pub contact_id: Id<Contact> => Contact,
        /// The currency of all its amounts.
        pub currency: Currency,
        /// Where it stands.
        pub status: InvoiceStatus [SERVER_OWNED],
        /// The civil date of issue.
        pub issued_on: Option<Date>,
        /// The civil date until which it is to be paid; not before the date of issue.
        pub due_on: Option<Date>,
        /// The sum of the lines before tax.
        pub subtotal: Minor [SERVER_OWNED],
        /// The sum of the lines' taxes.
        pub tax: Minor [SERVER_OWNED],
        /// What is billed: subtotal and tax.
        pub total: Minor [SERVER_OWNED],
        /// What was paid on it, by payments and by credit that credit notes kept.
        pub paid: Minor [SERVER_OWNED],
        /// What credit notes took off what is due on it.
        pub offset: Minor [SERVER_OWNED],
        /// The sum of its credit notes' totals.
        pub credited: Minor [SERVER_OWNED],
        /// The latest civil date on which anything was applied to it or taken back.
        pub applied_on: Option<Date> [SERVER_OWNED],
        /// The civil date on which it was given up.
        pub written_off_on: Option<Date> [SERVER_OWNED],
        /// The civil date on which it was withdrawn.
        pub voided_on: Option<Date> [SERVER_OWNED],
        /// The latest civil day on which something that was applied to it was taken back.
        pub reopened_on: Option<Date> [SERVER_OWNED],
        /// The civil date from which nothing is due on it: paid, void or given up.
        pub settled_on: Option<Date> [SERVER_OWNED],
        /// The buyer as known on issue, a JSON object.
        pub buyer: Option<Document> [SERVER_OWNED PERSONAL],
        /// What else is to be said.
        pub notes: Option<Notes<2000>> [PERSONAL],
        /// The id in the system that it was imported from.
        pub external_id: Option<Text<100>> [PERSONAL],
    }
    columns InvoiceColumns;
    derived {
        /// What is neither paid nor taken off: total less paid less offset.
        balance: Minor = Invoice::balance,
        /// The civil date up to which something is due on it: that of settlement, or the last one of all;
        /// the first one of all for drafts.
        open_until: Date = Invoice::open_until,
    }
    unique {
        "crm_invoice_number": [number],
        "crm_invoice_external_id": [external_id],
    }
    index {
        "crm_invoice_contact": [contact_id, currency, status, issued_on, settled_on, due_on, total, paid, balance, voided_on],
        "crm_invoice_totals": [currency, status, issued_on, settled_on, due_on, total, paid, balance, voided_on],
        "crm_invoice_open": [open_until, currency, contact_id, due_on, issued_on, balance],
    }
}

impl Invoice {
    /// The amount in the invoice's currency.
    pub const fn money(&self, amount: Minor) -> Money {
        Money::new(amount.0, self.currency)
    }

    /// What is neither paid nor taken off.
    pub const fn balance(&self) -> Minor {
        Minor(self.total.0 - self.paid.0 - self.offset.0)
    }

    /// What is due on it, if it is open.
    pub const fn due(&self) -> Minor {
        match self.status {
            InvoiceStatus::Open => self.balance(),
            _ => Minor(0),
        }
    }

    /// What can still be paid on it: what is due, and what was given up.
    pub const fn receivable(&self) -> Minor {
        match self.status {
            InvoiceStatus::Open | InvoiceStatus::Uncollectible => self.balance(),
            _ => Minor(0),
        }
    }

    /// What its credit notes gave back of what was paid: refunded, or kept as credit.
    pub const fn given_back(&self) -> Minor {
        Minor(self.credited.0 - self.offset.0)
    }

    fn open_until(&self) -> Date {
        match (self.status, self.settled_on) {
            (InvoiceStatus::Draft, _) => FIRST_DAY,
            (_, Some(day)) => day,
            (_, None) => LAST_DAY,
        }
    }
}

/// The first day of all, for what was never open.
const FIRST_DAY: Date = match Date::from_ymd_opt(1, 1, 1) {
    Some(day) => day,
    None => Date::MIN,
};
/// The last day of all, for what is open still.
const LAST_DAY: Date = match Date::from_ymd_opt(9999, 12, 31) {
    Some(day) => day,
    None => Date::MAX,
};

impl Stored<Invoice> {
    /// How people name it: by number, or by id while it has none.
    pub fn label(&self) -> String {
        self.number.as_ref().map_or_else(|| self.id.to_string(), ToString::to_string)
    }

    /// The status after an event.
    ///
    /// # Errors
    /// [`BillingError::Status`] when the machine does not allow it.
    pub fn after(&self, event: InvoiceEvent) -> Result<InvoiceStatus, BillingError> {
        let step = INVOICE.find(self.status.as_str(), event.as_str());
        let refused = || BillingError::Status { invoice: self.label(), status: self.status, event };
        step.and_then(|step| step.to.parse().ok()).ok_or_else(refused)
    }
}

impl Rules for Invoice {
    const NATURAL_KEYS: &'static [&'static str] = &["number", "external_id"];

    fn own(user: Id<User>) -> Expr {
        own_contact(Self::COLUMNS.contact_id.index(), user)
    }

    /// Drafts are not binding.
    fn retained() -> Expr {
        Self::COLUMNS.status.ne(&InvoiceStatus::Draft).into()
    }
}

impl Rules for super::InvoiceLine {
    fn own(user: Id<User>) -> Expr {
        let reference = Self::COLUMNS.invoice_id.index();
        Expr::Related { reference, filter: Box::new(Invoice::own(user)) }
    }

    fn retained() -> Expr {
        Expr::Related { reference: Self::COLUMNS.invoice_id.index(), filter: Box::new(Invoice::retained()) }
    }
}
