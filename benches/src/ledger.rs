//! A million invoices with what was paid on them, credited, bounced and paid back: records as the engine would have written them.

use std::path::{Path, PathBuf};

use chrono::{Days, NaiveDate};
use crm_core::billing::{Allocation, AllocationSource, CreditNote, Invoice, InvoiceStatus, Method, Payment, Refund};
use crm_core::entity::{Entity, Minor};
use crm_core::people::Contact;
use crm_core::store::Query;
use crm_core::value::{Currency, Instant};
use crm_core::{Crm, Id, Row, SystemEnvironment};
use crm_store_sqlite::Durability;
use uuid::Uuid;

use crate::contacts::{fields, mix};
use crate::deals::all;
use crate::rows::{self, Filled, stored};
use crate::{Outcome, book, pg};

/// How many contacts share the invoices.
pub(crate) const CONTACTS: usize = 50_000;
/// The last day of the book.
pub(crate) const AS_OF: NaiveDate = NaiveDate::from_ymd_opt(2026, 11, 1).expect("a date");
/// How many days the book covers.
const SPAN: u64 = 730;

/// An id that grows with the number, in the layout of version 7.
pub(crate) fn id(kind: u64, number: usize) -> Uuid {
    let counted = u128::from(1_700_000_000_000 + number as u64) << 80;
    Uuid::from_u128(
        counted | 7_u128 << 76 | 2_u128 << 62 | u128::from(kind) << 48 | u128::from(mix(number as u64) & 0xffff_ffff),
    )
}

fn after(date: NaiveDate, days: u64) -> NaiveDate {
    date.checked_add_days(Days::new(days)).unwrap_or(date).min(AS_OF)
}

/// Days since 1970-01-01.
pub(crate) fn days(date: NaiveDate) -> i64 {
    i64::from(crm_core::value::days_of(date))
}

/// The tables that are filled, in this order.
#[derive(Default)]
struct Rows {
    invoices: Vec<Row>,
    payments: Vec<Row>,
    notes: Vec<Row>,
    allocations: Vec<Row>,
    refunds: Vec<Row>,
}

/// One invoice, and what is told of everything that belongs to it.
struct Entry {
    number: usize,
    invoice: Uuid,
    contact: Id<Contact>,
    currency: Currency,
    at: Instant,
}

impl Rows {
    fn of(numbers: std::ops::Range<usize>, of: usize, contacts: &[Uuid]) -> Outcome<Self> {
        let mut rows = Self::default();
        for number in numbers {
            rows.add(number, of, contacts)?;
        }
        Ok(rows)
    }

    /// Invoice number so many of so many, with its payment. Of every hundred about two are credited, and on one a payment
    /// bounced.
    fn add(&mut self, number: usize, of: usize, contacts: &[Uuid]) -> Outcome {
        let random = mix(number as u64 ^ 0x00c0_ffee);
        let place = usize::try_from(mix(random) % contacts.len() as u64)?;
        let begin = AS_OF.checked_sub_days(Days::new(SPAN)).unwrap_or(AS_OF);
        let issued = after(begin, number as u64 * SPAN / of as u64);
        let total = i64::try_from(500 + random % 200_000)?;
        let settled = after(issued, 1 + (random >> 40) % 60);
        let status = match random >> 32 & 127 {
            0..6 => InvoiceStatus::Draft,
            6..30 => InvoiceStatus::Open,
            30..115 => InvoiceStatus::Paid,
            115..121 => InvoiceStatus::Void,
            _ => InvoiceStatus::Uncollectible,
        };
        let entry = Entry {
            number,
            invoice: id(1, number),
            contact: Id::new(contacts[place]),
            currency: if place.is_multiple_of(10) { "EUR" } else { "USD" }.parse()?,
            at: Instant::from_micros(days(issued) * 86_400_000_000)?,
        };
        let (is_draft, is_open) = (status == InvoiceStatus::Draft, status == InvoiceStatus::Open);
        let mut invoice = Invoice {
            number: if is_draft { None } else { Some(format!("INV-{number:06}").parse()?) },
            contact_id: entry.contact,
            currency: entry.currency,
            status,
            issued_on: (!is_draft).then_some(issued),
            due_on: (!is_draft).then(|| issued.checked_add_days(Days::new(30)).unwrap_or(issued)),
            subtotal: Minor(total),
            tax: Minor(0),
            total: Minor(total),
            paid: Minor(0),
            offset: Minor(0),
            credited: Minor(0),
            applied_on: None,
            written_off_on: (status == InvoiceStatus::Uncollectible).then_some(settled),
            voided_on: (status == InvoiceStatus::Void).then_some(settled),
            reopened_on: None,
            settled_on: (!is_draft && !is_open).then_some(settled),
            buyer: None,
            notes: None,
            external_id: None,
        };
        // What belongs to the invoice comes after it, as what refers to it.
        let mut parts = Self::default();
        if matches!(status, InvoiceStatus::Open | InvoiceStatus::Paid) {
            let chance = mix(random ^ 1);
            if chance.is_multiple_of(50) {
                parts.credit(&entry, &mut invoice, chance >> 8, settled)?;
            }
            if mix(random ^ 2).is_multiple_of(100) {
                parts.bounce(&entry, &mut invoice, issued);
            }
        }
        let paid = match status {
            InvoiceStatus::Paid => total - invoice.offset.0,
            InvoiceStatus::Open if random.is_multiple_of(8) => total / 3,
            InvoiceStatus::Uncollectible if random.is_multiple_of(8) => total / 4,
            _ => 0,
        };
        if paid > 0 {
            let on = if is_open { after(issued, 5) } else { settled };
            let unapplied = if number.is_multiple_of(50) { 100 } else { 0 };
            let payment = parts.payment(&entry, 2, paid + unapplied, unapplied, on, None);
            parts.allocate(&entry, 3, AllocationSource::Payment, (Some(payment), None), (paid, on, None));
            invoice.paid = Minor(paid);
            invoice.applied_on = invoice.applied_on.max(Some(on));
        }
        self.invoices.push(stored(entry.invoice, invoice, entry.at).to_row());
        self.payments.append(&mut parts.payments);
        self.notes.append(&mut parts.notes);
        self.allocations.append(&mut parts.allocations);
        self.refunds.append(&mut parts.refunds);
        Ok(())
    }

    /// A credit note: a part of what is due is taken off, or half of what was paid is paid back or kept.
    fn credit(&mut self, entry: &Entry, invoice: &mut Invoice, way: u64, settled: NaiveDate) -> Outcome {
        let (offset, refund, credit) = match way % 3 {
            _ if invoice.status == InvoiceStatus::Open => (invoice.total.0 / 5, 0, 0),
            0 => (invoice.total.0 / 5, 0, 0),
            1 => (0, invoice.total.0 / 2, 0),
            _ => (0, 0, invoice.total.0 / 2),
        };
        let total = offset + refund + credit;
        let note = id(7, entry.number);
        let of = CreditNote {
            number: Some(format!("CN-{:06}", entry.number).parse()?),
            invoice_id: Id::new(entry.invoice),
            contact_id: entry.contact,
            currency: entry.currency,
            issued_on: settled,
            reason: "Returned".parse()?,
            subtotal: Minor(total),
            tax: Minor(0),
            total: Minor(total),
            refund: Minor(refund),
            credit: Minor(credit),
            offset: Minor(offset),
            unapplied: Minor(credit),
            refunded: Minor(0),
            buyer: None,
            notes: None,
            external_id: None,
        };
        self.notes.push(stored(note, of, entry.at).to_row());
        if offset > 0 {
            self.allocate(entry, 8, AllocationSource::Offset, (None, Some(Id::new(note))), (offset, settled, None));
            invoice.applied_on = invoice.applied_on.max(Some(settled));
        }
        if refund > 0 {
            let of = Refund {
                contact_id: entry.contact,
                currency: entry.currency,
                amount: Minor(refund),
                refunded_on: settled,
                method: Some(Method::Transfer),
                reference: None,
                notes: None,
                payment_id: None,
                credit_note_id: Some(Id::new(note)),
                external_id: None,
            };
            self.refunds.push(stored(id(9, entry.number), of, entry.at).to_row());
        }
        (invoice.offset, invoice.credited) = (Minor(offset), Minor(total));
        Ok(())
    }

    /// A payment of half of it on the day of issue, reversed on the next day.
    fn bounce(&mut self, entry: &Entry, invoice: &mut Invoice, issued: NaiveDate) {
        let (half, reversed) = (invoice.total.0 / 2, after(issued, 1));
        let payment = self.payment(entry, 4, half, 0, issued, Some(reversed));
        self.allocate(entry, 5, AllocationSource::Payment, (Some(payment), None), (half, issued, None));
        self.allocate(entry, 6, AllocationSource::Payment, (Some(payment), None), (-half, reversed, Some(issued)));
        invoice.reopened_on = Some(reversed);
        invoice.applied_on = invoice.applied_on.max(Some(reversed));
    }

    fn payment(
        &mut self,
        entry: &Entry,
        kind: u64,
        amount: i64,
        unapplied: i64,
        on: NaiveDate,
        reversed: Option<NaiveDate>,
    ) -> Id<Payment> {
        let payment = Payment {
            contact_id: entry.contact,
            currency: entry.currency,
            amount: Minor(amount),
            unapplied: Minor(unapplied),
            refunded: Minor(0),
            received_on: on,
            reversed_on: reversed,
            reversal_reason: None,
            method: Some(Method::Transfer),
            reference: None,
            notes: None,
            external_id: None,
        };
        let row = stored(id(kind, entry.number), payment, entry.at);
        self.payments.push(row.to_row());
        row.id
    }

    /// So much of a payment or a credit note on the invoice from a day on; what undoes the row before it also has that
    /// row's day.
    fn allocate(
        &mut self,
        entry: &Entry,
        kind: u64,
        source: AllocationSource,
        (payment_id, credit_note_id): (Option<Id<Payment>>, Option<Id<CreditNote>>),
        (amount, on, undone): (i64, NaiveDate, Option<NaiveDate>),
    ) {
        let row = Allocation {
            payment_id,
            credit_note_id,
            invoice_id: Id::new(entry.invoice),
            contact_id: entry.contact,
            currency: entry.currency,
            source,
            amount: Minor(amount),
            applied_on: on,
            restated_on: undone.unwrap_or(on),
            undoes: undone.map(|_| Id::new(id(kind - 1, entry.number))),
            written_off: false,
        };
        self.allocations.push(stored(id(kind, entry.number), row, entry.at).to_row());
    }

    fn tables(&self) -> [Filled<'_>; 5] {
        [
            (Invoice::TABLE, &self.invoices),
            (Payment::TABLE, &self.payments),
            (CreditNote::TABLE, &self.notes),
            (Allocation::TABLE, &self.allocations),
            (Refund::TABLE, &self.refunds),
        ]
    }
}

/// How many invoices are made at a time.
const CHUNK: usize = 20_000;

/// A SQLite file with so many invoices.
pub(crate) fn sqlite(count: usize) -> Outcome<PathBuf> {
    book::kept(&format!("invoices-{count}"), |path| {
        book::runtime()?.block_on(async {
            let store = book::open(path, Durability::Normal)?;
            book::create(&Crm::new(store.clone(), SystemEnvironment)).await?;
            let ids = contacts(&book::session(store.clone()).await?).await?;
            fill_sqlite(path, count, &ids)?;
            store.checkpoint().await?;
            Ok(store.close().await?)
        })
    })
}

/// The contacts, by the library.
pub(crate) async fn contacts(session: &crm_core::Session<'_>) -> Outcome<Vec<Uuid>> {
    for first in (0..CONTACTS).step_by(10_000) {
        let fields = fields(first..first + 10_000);
        let edits = fields.iter().map(|fields| fields.parsed(session)).collect::<Outcome<Vec<_>>>()?;
        session.create_many::<Contact>(&edits).await?;
    }
    all::<Contact>(session, Query::all()).await
}

fn fill_sqlite(path: &Path, count: usize, contacts: &[Uuid]) -> Outcome {
    let mut connection = book::connect(path, Some(Durability::Normal))?;
    connection.execute_batch("PRAGMA cache_size = -262144")?;
    let transaction = connection.transaction()?;
    for first in (0..count).step_by(CHUNK) {
        let rows = Rows::of(first..count.min(first + CHUNK), count, contacts)?;
        rows::insert(&transaction, &rows.tables())?;
    }
    Ok(transaction.commit()?)
}

/// The same in PostgreSQL.
pub(crate) async fn postgres(url: &str, count: usize) -> Outcome {
    eprintln!("filling PostgreSQL with {count} invoices");
    let store = pg::fresh(url).await?;
    let contacts = contacts(&book::session(store.clone()).await?).await?;
    store.close().await?;
    let mut connection = pg::connect(url).await?;
    for first in (0..count).step_by(CHUNK) {
        let rows = Rows::of(first..count.min(first + CHUNK), count, &contacts)?;
        rows::copy(&mut connection, &rows.tables()).await?;
    }
    pg::say(&mut connection, "VACUUM ANALYZE").await
}
