//! Number series: gap-free numbers, taken in the transaction that uses them.

use crate::context::Context;
use crate::crud::{Edit, Rules};
use crate::entity::{Entity, Stored};
use crate::error::Invalid;
use crate::id::Id;
use crate::row::Deferred;
use crate::store::ChangeSet;
use crate::value::{Text, ValueError};

crate::choice! {
    /// What a series numbers.
    pub enum DocumentKind {
        /// Invoices, when they are issued.
        Invoice = "invoice",
        /// Contacts, when they are created.
        Contact = "contact",
        /// Credit notes, which are issued when they are created.
        CreditNote = "credit_note",
    }
}

impl DocumentKind {
    /// Whether the number is taken when the record is created, not later.
    pub const fn on_creation(self) -> bool {
        matches!(self, Self::Contact)
    }
}

crate::entity! {
    /// A series of numbers for one kind of document.
    pub struct NumberSeries: "number_series" in "crm_number_series" as Record, Organization {
        /// What it numbers.
        pub kind: DocumentKind,
        /// What stands before the number.
        pub prefix: Option<Text<20>>,
        /// The least number of digits, 1 to 18.
        pub digits: i64,
        /// The next number.
        pub next: i64 [SERVER_OWNED COUNTER],
    }
    columns NumberSeriesColumns;
    derived { }
    unique { "crm_number_series_kind": [kind] }
    index { }
}

impl NumberSeries {
    /// The largest number that a series gives out.
    pub const LAST: i64 = 999_999_999_999_999_999;

    /// A series that begins at 1.
    ///
    /// # Errors
    /// When the prefix is too long or has control characters.
    pub fn new(kind: DocumentKind, prefix: &str, digits: i64) -> Result<Self, ValueError> {
        Ok(Self { kind, prefix: Text::optional(prefix)?, digits, next: 1 })
    }

    /// Whether the text could be a number that this series gives out.
    pub fn gives(&self, number: &str) -> bool {
        let prefix = self.prefix.as_deref().unwrap_or_default();
        let Some(digits) = number.strip_prefix(prefix) else { return false };
        let least = usize::try_from(self.digits).unwrap_or(1);
        let canonical = digits.len() == least || (digits.len() > least && !digits.starts_with('0'));
        canonical && digits.bytes().all(|byte| byte.is_ascii_digit())
    }
}

impl Stored<NumberSeries> {
    /// Takes one number for each record that the change-set writes, into this column.
    pub fn take<E: Entity>(
        &self,
        changes: &mut ChangeSet,
        records: impl ExactSizeIterator<Item = Id<E>>,
        column: usize,
    ) {
        let count = i64::try_from(records.len()).unwrap_or(i64::MAX);
        let counter = changes.count(self.id, NumberSeries::COLUMNS.next.index(), count, NumberSeries::LAST);
        let prefix = self.prefix.as_deref().unwrap_or_default();
        let digits = usize::try_from(self.digits).unwrap_or(1);
        for (offset, record) in (0..).zip(records) {
            let deferred = Deferred::Numbered { counter, offset, prefix: prefix.to_owned(), digits };
            changes.defer(record, column, deferred);
        }
    }
}

impl Rules for NumberSeries {
    const GENERAL: &'static [&'static str] = &["create", "update"];
    const NATURAL_KEYS: &'static [&'static str] = &["kind"];

    fn defaults(_: &Context) -> Edit<Self> {
        Edit::new().set(Self::COLUMNS.digits, 6).set(Self::COLUMNS.next, 1)
    }

    fn check(&mut self, before: Option<&Self>, _: &Context) -> Result<(), Vec<Invalid>> {
        let mut refused = Vec::new();
        match before {
            Some(before) if before.kind != self.kind => {
                refused.push(Invalid::new("kind", ValueError::NotAllowed { when: "the series exists" }));
            }
            _ => {}
        }
        if !(1..=18).contains(&self.digits) {
            refused.push(Invalid::new("digits", ValueError::out_of_range(1, 18)));
        }
        if refused.is_empty() { Ok(()) } else { Err(refused) }
    }
}
