//! Imports of CSV files: contacts, products, invoices with their lines, payments, deals.
//!
//! An import is one change-set, given chunk by chunk: all or nothing, in memory that does not depend on the
//! number of rows. Every row is read and checked even when an earlier one was refused, so that one run tells
//! all that is wrong. Whatever a row refers to is looked up for a whole chunk at once.
//!
//! A [`Mapping`] says which column holds which field. As TOML, for the contacts of the Chinook sample:
//!
//! ```toml
//! [columns]
//! external_id = "CustomerId"
//! given_name = "FirstName"
//! family_name = "LastName"
//! company_name = "Company"
//! address_line = "Address"
//! city = "City"
//! region = "State"
//! country = "Country"
//! postal_code = "PostalCode"
//! phone = "Phone"
//! email = "Email"
//!
//! [constants]
//! kind = "person"
//!
//! [values.country]
//! "Czech Republic" = "CZ"
//! ```
//!
//! its products, invoices and their lines (a second file in the same order), and payments:
//!
//! ```toml
//! # products
//! columns = { sku = "TrackId", name = "Name", unit_price = "UnitPrice" }
//! constants = { currency = "USD" }
//! # invoices
//! columns = { number = "InvoiceId", contact_external_id = "CustomerId", issued_on = "InvoiceDate", total = "Total" }
//! constants = { currency = "USD" }
//! # lines_mapping of the invoices
//! columns = { invoice = "InvoiceId", product_sku = "TrackId", unit_price = "UnitPrice", quantity = "Quantity" }
//! # payments
//! columns = { external_id = "InvoiceId", invoice = "InvoiceId", contact_external_id = "CustomerId", amount = "Total", received_on = "InvoiceDate" }
//! ```
//!
//! ```
//! use crm_core::access::Organization;
//! use crm_core::import::{Import, ImportKind, Mapping};
//! use crm_core::store::MemoryStore;
//! use crm_core::{Crm, NewOrganization, SystemEnvironment};
//!
//! # fn main() -> Result<(), crm_core::CrmError> {
//! # crm_core::block_on(async {
//! # let crm = Crm::new(MemoryStore::new(), SystemEnvironment);
//! # let acme = Organization::new("acme".parse()?, "Acme".parse()?, "USD".parse()?, "America/New_York".parse()?);
//! # crm.create_organization(&NewOrganization {
//! #     organization: acme,
//! #     owner_email: "ana@acme.example".parse()?,
//! #     owner_name: "Ana".parse()?,
//! #     invoice_prefix: "INV-".into(),
//! # })
//! # .await?;
//! # let session = crm.session(&"acme".parse()?, &"ana@acme.example".parse()?).await?;
//! let file = "given_name,email,plz\nEva,eva@example.com,1010\nAdam,adam@example,1020\n";
//! let mapping = Mapping { constants: [("kind".to_owned(), "person".to_owned())].into(), ..Mapping::default() };
//! let report = session.import(Import { mapping, ..Import::new(ImportKind::Contacts, file.as_bytes()) }).await?;
//! assert_eq!((report.read, report.refused, report.written), (2, 1, false));
//! assert_eq!((report.problems[0].line, &*report.problems[0].field), (3, "email"));
//! assert_eq!(report.warnings[0].field, "plz");
//! # Ok(())
//! # })
//! # }
//! ```
//!
//! # What is in a row
//!
//! - Contacts and products: every field that may be set, and `owner`, a member's e-mail address. A blank cell
//!   clears the field; where a new record has a default, such as its owner, a blank cell leaves it alone. With
//!   `upsert_by = "code"`, `code` names the contact.
//! - Invoices: `number` (absent: the series' next), one of `contact`, `contact_id`, `contact_external_id`,
//!   `contact_email`, `contact_phone`, `contact_account_number`, `contact_code`, `contact_name` (folded; one that
//!   several have is refused), then `issued_on`, `due_on`, `currency`, `total` (refused if it contradicts the lines), `notes`, `external_id`; and per line
//!   `line.description`, `line.product_sku`, `line.quantity` (absent: 1), `line.unit_price`,
//!   `line.discount_percent` or `line.discount` (an amount), `line.tax_percent`. Consecutive rows with the same number and external id are one invoice. In a file of
//!   lines the prefix may be left out, and `invoice` is the number or external id of the invoice.
//! - Payments: the contact as above (absent: the invoice's), `amount`, `currency`, `received_on`, `method`,
//!   `reference`, `notes`, `external_id`, `invoice` (the number or external id of the invoice that it settles),
//!   or `allocate`, which is `oldest` or `none`.
//! - Deals: `title` (absent: the names of contact and product, as in `Acme: Chairs`), the contact as above, one of
//!   `product`, `product_id`, `product_sku`, `product_external_id`, `product_name`, one of `owner`, a member's e-mail
//!   address, and `owner_name`, the full name (absent: who imports), `pipeline` and `stage` by name (absent: the
//!   default one, and its first), `status` (absent: `new`), `amount`, `currency`, `expected_close_on`, `external_id`,
//!   `lost_reason` (read of lost deals alone), and since when: `opened_on` or `opened_at`, and of those won or lost
//!   `closed_on` or `closed_at` (absent: now). A day counts from its first instant in the organization's zone.
//!
//! Issued documents do not change: with `upsert_by`, an invoice or payment that is there already is compared,
//! and one that differs is refused.
//!
//! # The history of deals
//!
//! A deal begins in its stage, in progress unless it is new, and ends there: these are the steps of its history, and
//! they are marked as imported. Only admins and owners may give dates. With `upsert_by = "external_id"`, an open deal
//! that is there already is changed, moved and closed as the file says; what has happened is not rewritten, so that
//! another day of opening is told as a warning, and a closed deal that the file has as closed otherwise is refused.
//! Of what there is by default, such as title, owner, amount and stage, a blank cell leaves alone what is there.

mod cell;
mod deal_rows;
mod deals;
mod feed;
mod invoice_rows;
mod invoices;
mod line_file;
mod lookup;
mod mapping;
mod named;
mod output;
mod payments;
mod records;
mod rows;
#[cfg(feature = "testing")]
pub mod testing;
mod unique;

use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;

use crate::access::Grant;
use crate::billing::{Invoice, Payment, Product};
use crate::crm::{Session, named};
use crate::entity::{Entity, Table};
use crate::error::{CrmError, Invalid};
use crate::people::Contact;
use crate::sales::Deal;
use crate::store::{ChangeSet, StoreError};
pub use mapping::Mapping;
pub use payments::Settle;

crate::choice! {
    /// What a file holds.
    pub enum ImportKind {
        /// People and companies.
        Contacts = "contacts",
        /// Products and services.
        Products = "products",
        /// Invoices with their lines; they are issued.
        Invoices = "invoices",
        /// Payments received.
        Payments = "payments",
        /// Deals, with when they were opened and closed.
        Deals = "deals",
    }
}

impl ImportKind {
    /// The table of its records.
    pub const fn table(self) -> &'static Table {
        match self {
            Self::Contacts => Contact::TABLE,
            Self::Products => Product::TABLE,
            Self::Invoices => Invoice::TABLE,
            Self::Payments => Payment::TABLE,
            Self::Deals => Deal::TABLE,
        }
    }
}

/// What is told while an import runs.
pub trait Observer: Send {
    /// So many rows were read.
    fn progress(&mut self, rows_read: u64) {
        let _ = rows_read;
    }

    /// A row was refused, as it was read. An invoice of several rows is refused with all of them; the reasons
    /// come with each.
    fn refused(&mut self, line: u64, record: &[String], reasons: &[Invalid]) {
        let _ = (line, record, reasons);
    }

    /// The names of the columns; told once, before any row.
    fn header(&mut self, header: &[String]) {
        let _ = header;
    }

    /// A row of the file of lines was refused for itself: its invoice does not come, or came before.
    fn refused_line(&mut self, line: u64, record: &[String], reasons: &[Invalid]) {
        let _ = (line, record, reasons);
    }
}

/// Wants to be told nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoObserver;

impl Observer for NoObserver {}

/// A file to import, and how.
pub struct Import {
    /// What it holds.
    pub kind: ImportKind,
    /// The file: CSV with a header, in UTF-8.
    pub input: Box<dyn Read + Send>,
    /// For invoices: a second file with their lines, in the order of the invoices.
    pub lines: Option<Box<dyn Read + Send>>,
    /// Which columns the lines have.
    pub lines_mapping: Mapping,
    /// Which columns the file has.
    pub mapping: Mapping,
    /// A natural key: rows whose key is there already change that record instead of making one.
    pub upsert_by: Option<String>,
    /// Everything is done, and withdrawn at the end.
    pub dry_run: bool,
    /// Phone numbers that cannot be read are kept as they are and reported as warnings.
    pub lenient: bool,
    /// Good rows are written although others are refused.
    pub skip_refused: bool,
    /// Is told of the progress.
    pub observer: Box<dyn Observer>,
}

impl Import {
    /// A file whose columns are named like the fields; every row makes a record, all or nothing.
    pub fn new(kind: ImportKind, input: impl Read + Send + 'static) -> Self {
        Self {
            kind,
            input: Box::new(input),
            lines: None,
            lines_mapping: Mapping::default(),
            mapping: Mapping::default(),
            upsert_by: None,
            dry_run: false,
            lenient: false,
            skip_refused: false,
            observer: Box::new(NoObserver),
        }
    }
}

impl std::fmt::Debug for Import {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Import")
            .field("kind", &self.kind)
            .field("lines", &self.lines.is_some())
            .field("upsert_by", &self.upsert_by)
            .field("dry_run", &self.dry_run)
            .finish_non_exhaustive()
    }
}

/// One thing that is wrong with a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The line of the file at which the row begins; the header's is 1. Fields that begin with `line.` are
    /// of the file of lines, where there is one.
    pub line: u64,
    /// The field; `row` for the row as a whole.
    pub field: String,
    /// What is wrong.
    pub reason: String,
    /// The cell's text, shortened.
    pub got: String,
}

/// How many problems and how many warnings a report names.
pub const PROBLEMS: usize = 1_000;

/// What came of an import.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ImportReport {
    /// How many rows were read; not counting the lines of invoices in a file of their own.
    pub read: u64,
    /// How many records were created.
    pub created: u64,
    /// How many records were changed.
    pub updated: u64,
    /// How many records were as the file has them.
    pub unchanged: u64,
    /// How many rows were refused, in either file.
    pub refused: u64,
    /// What is wrong with them: the first [`PROBLEMS`].
    pub problems: Vec<Problem>,
    /// How many problems there are besides.
    pub further_problems: u64,
    /// What was kept although something is wrong with it, and columns that were not read since no field has their name: the
    /// first [`PROBLEMS`].
    pub warnings: Vec<Problem>,
    /// How many warnings there are besides.
    pub further_warnings: u64,
    /// Whether nothing was to be written.
    pub dry_run: bool,
    /// Whether it was written: not in a dry run, and not when a row was refused, unless asked to skip those.
    pub written: bool,
}

impl Session<'_> {
    /// Imports a file, all or nothing. Refused rows are no error but a report that says that nothing was
    /// written.
    ///
    /// # Errors
    /// [`CrmError::Forbidden`]; [`CrmError::Invalid`] when the mapping and the header do not fit;
    /// [`CrmError::Input`] when the file cannot be read; [`CrmError::Duplicate`] when someone else took a unique
    /// value meanwhile; and when the store fails. Nothing is written then.
    pub async fn import(&self, import: Import) -> Result<ImportReport, CrmError> {
        let table = import.kind.table();
        let outcome = self.import_file(import).await;
        self.log_apart(table.entity, "import", outcome.as_ref().err()).await;
        outcome
    }

    async fn import_file(&self, import: Import) -> Result<ImportReport, CrmError> {
        let table = import.kind.table();
        self.refresh().await?;
        let acting = self.acting();
        let (operation, grant) = self.granted(table.entity, "import")?;
        if grant != Grant::All {
            return Err(CrmError::Forbidden { operation: operation.to_owned(), role: self.role() });
        }
        let mut context = self.context();
        let outcome = Arc::new(Mutex::new(None));
        let feed = feed::ImportFeed::open(import, self.seat(), context.clone(), operation, Arc::clone(&outcome))?;
        let mut changes = ChangeSet::streamed(context.stamp(operation), Box::new(feed));
        acting.guard_member(&mut changes);
        self.open_usage(&mut context).await?;
        self.charge(&mut context, &mut changes, false).await?;
        let applied = self.store().apply(self.scope(), changes).await;
        let outcome = outcome.lock().unwrap_or_else(PoisonError::into_inner).take();
        match (applied, outcome) {
            (_, Some(Err(error))) => Err(error),
            (Ok(_), Some(Ok(report))) => Ok(ImportReport { written: true, ..report }),
            (Err(StoreError::Aborted), Some(Ok(report))) => Ok(report),
            (Err(error), _) => Err(self.refused(error, "").await),
            // A store that commits a feed without having read it to its end breaks its contract.
            (Ok(_), None) => Err(StoreError::Backend("the import's feed was not read to its end".into()).into()),
        }
    }
}
