//! A million invoices, with the payments that settle them: rows as the engine would have written them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use chrono::{Days, NaiveDate};
use crm_core::people::Contact;
use crm_core::{Crm, SystemEnvironment};
use crm_store_sqlite::Durability;
use uuid::Uuid;

use crate::Outcome;
use crate::book;
use crate::contacts::{fields, mix};

/// How many contacts share the invoices.
pub(crate) const CONTACTS: usize = 50_000;
/// The last day of the book.
pub(crate) const AS_OF: NaiveDate = NaiveDate::from_ymd_opt(2026, 11, 1).expect("a date");
/// How many days the book covers.
const SPAN: u64 = 730;

/// Invoice number so many.
pub(crate) struct Invoice {
    pub(crate) id: Uuid,
    pub(crate) number: Option<String>,
    pub(crate) contact: usize,
    pub(crate) currency: &'static str,
    pub(crate) status: &'static str,
    pub(crate) issued_on: Option<NaiveDate>,
    pub(crate) due_on: Option<NaiveDate>,
    pub(crate) total: i64,
    pub(crate) paid: i64,
    pub(crate) settled_on: Option<NaiveDate>,
}

/// The payment and the allocation that settle an invoice or a part of it.
pub(crate) struct Payment {
    pub(crate) id: Uuid,
    pub(crate) allocation: Uuid,
    pub(crate) amount: i64,
    pub(crate) unapplied: i64,
    pub(crate) on: NaiveDate,
}

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

impl Invoice {
    pub(crate) fn of(number: usize, of: usize) -> Self {
        let random = mix(number as u64 ^ 0x00c0_ffee);
        let contact = usize::try_from(mix(random) % CONTACTS as u64).unwrap_or(0);
        let begin = AS_OF.checked_sub_days(Days::new(SPAN)).unwrap_or(AS_OF);
        let issued = after(begin, number as u64 * SPAN / of as u64);
        let total = i64::try_from(500 + random % 200_000).unwrap_or(500);
        let (status, paid) = match random >> 32 & 127 {
            0..6 => ("draft", 0),
            6..30 => ("open", if random.is_multiple_of(8) { total / 3 } else { 0 }),
            30..115 => ("paid", total),
            115..121 => ("void", 0),
            _ => ("uncollectible", if random.is_multiple_of(8) { total / 4 } else { 0 }),
        };
        let is_draft = status == "draft";
        let settled = after(issued, 1 + (random >> 40) % 60);
        Self {
            id: id(1, number),
            number: (!is_draft).then(|| format!("INV-{number:06}")),
            contact,
            currency: if contact.is_multiple_of(10) { "EUR" } else { "USD" },
            status,
            issued_on: (!is_draft).then_some(issued),
            due_on: (!is_draft).then(|| issued.checked_add_days(Days::new(30)).unwrap_or(issued)),
            total,
            paid,
            settled_on: (!matches!(status, "draft" | "open")).then_some(settled),
        }
    }

    pub(crate) fn open_until(&self) -> NaiveDate {
        let far = if self.status == "draft" {
            NaiveDate::from_ymd_opt(1, 1, 1)
        } else {
            NaiveDate::from_ymd_opt(9999, 12, 31)
        };
        self.settled_on.or(far).unwrap_or(AS_OF)
    }

    /// What paid it.
    pub(crate) fn payment(&self, number: usize) -> Option<Payment> {
        let issued = self.issued_on?;
        (self.paid > 0).then(|| {
            let unapplied = if number.is_multiple_of(50) { 100 } else { 0 };
            let on = self.settled_on.unwrap_or_else(|| after(issued, 5));
            Payment { id: id(2, number), allocation: id(3, number), amount: self.paid + unapplied, unapplied, on }
        })
    }
}

/// Days since 1970-01-01.
pub(crate) fn days(date: NaiveDate) -> i64 {
    i64::from(crm_core::value::days_of(date))
}

/// A SQLite file with so many invoices.
pub(crate) fn sqlite(count: usize) -> Outcome<PathBuf> {
    book::kept(&format!("invoices-{count}"), |path| {
        book::runtime()?.block_on(async {
            let store = book::open(path, Durability::Normal)?;
            book::create(&Crm::new(store.clone(), SystemEnvironment)).await?;
            contacts(&book::session(store.clone()).await?).await?;
            insert(path, count)?;
            store.checkpoint().await?;
            Ok(store.close().await?)
        })
    })
}

/// The contacts, by the library.
pub(crate) async fn contacts(session: &crm_core::Session<'_>) -> Outcome {
    for first in (0..CONTACTS).step_by(10_000) {
        let fields = fields(first..first + 10_000);
        let edits = fields.iter().map(|fields| fields.parsed(session)).collect::<Outcome<Vec<_>>>()?;
        session.create_many::<Contact>(&edits).await?;
    }
    Ok(())
}

fn insert(path: &Path, count: usize) -> Outcome {
    let mut connection = book::connect(path, Some(Durability::Normal))?;
    connection.execute_batch("PRAGMA cache_size = -262144")?;
    let ids = "SELECT id FROM crm_contact WHERE org = 1 ORDER BY id";
    let ids: Vec<[u8; 16]> =
        connection.prepare(ids)?.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    let transaction = connection.transaction()?;
    {
        let mut invoice = transaction.prepare(
            "INSERT INTO crm_invoice (org, id, number, contact_id, currency, status, issued_on, due_on, subtotal, tax, \
             total, paid, \"offset\", credited, written_off_on, voided_on, settled_on, balance, open_until, \
             version, created_at, updated_at) VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, ?8, ?9, 0, 0, \
             CASE ?5 WHEN 'uncollectible' THEN ?10 END, CASE ?5 WHEN 'void' THEN ?10 END, ?10, ?8 - ?9, ?11, 1, 0, 0)",
        )?;
        let mut payment = transaction.prepare(
            "INSERT INTO crm_payment (org, id, contact_id, currency, amount, unapplied, refunded, received_on, version, \
             created_at, updated_at) VALUES (1, ?1, ?2, ?3, ?4, ?5, 0, ?6, 1, 0, 0)",
        )?;
        let mut allocation = transaction.prepare(
            "INSERT INTO crm_allocation (org, id, payment_id, invoice_id, contact_id, currency, source, amount, applied_on, \
             restated_on, written_off) VALUES (1, ?1, ?2, ?3, ?4, ?5, 'payment', ?6, ?7, ?7, 0)",
        )?;
        for number in 0..count {
            let row = Invoice::of(number, count);
            let contact = ids[row.contact];
            invoice.execute((
                row.id.as_bytes(),
                &row.number,
                contact,
                row.currency,
                row.status,
                row.issued_on.map(days),
                row.due_on.map(days),
                row.total,
                row.paid,
                row.settled_on.map(days),
                days(row.open_until()),
            ))?;
            if let Some(paid) = row.payment(number) {
                let on = days(paid.on);
                payment.execute((paid.id.as_bytes(), contact, row.currency, paid.amount, paid.unapplied, on))?;
                let (of, to) = (paid.id.as_bytes(), row.id.as_bytes());
                allocation.execute((paid.allocation.as_bytes(), of, to, contact, row.currency, row.paid, on))?;
            }
        }
    }
    Ok(transaction.commit()?)
}

/// The columns of the tables as [`copy_lines`] gives them.
pub(crate) const COPIES: [&str; 3] = [
    "crm_invoice (org, id, number, contact_id, currency, status, issued_on, due_on, subtotal, tax, total, paid, \"offset\", credited, \
     written_off_on, voided_on, settled_on, balance, open_until, version, created_at, updated_at)",
    "crm_payment (org, id, contact_id, currency, amount, unapplied, refunded, received_on, version, created_at, updated_at)",
    "crm_allocation (org, id, payment_id, invoice_id, contact_id, currency, source, amount, applied_on, restated_on, \
     written_off)",
];

/// Adds the rows of one invoice to the texts that PostgreSQL is to copy in.
pub(crate) fn copy_lines(number: usize, count: usize, contacts: &[Uuid], out: &mut [String; 3]) {
    const AT: &str = "1\t2026-01-01 00:00:00+00\t2026-01-01 00:00:00+00";
    let row = Invoice::of(number, count);
    let text = |date: Option<NaiveDate>| date.map_or_else(|| "\\N".to_owned(), |date| date.to_string());
    let contact = contacts[row.contact];
    let _ = writeln!(
        out[0],
        "1\t{}\t{}\t{contact}\t{}\t{}\t{}\t{}\t{}\t0\t{}\t{}\t0\t0\t{}\t{}\t{}\t{}\t{}\t{AT}",
        row.id,
        row.number.as_deref().unwrap_or("\\N"),
        row.currency,
        row.status,
        text(row.issued_on),
        text(row.due_on),
        row.total,
        row.total,
        row.paid,
        text(row.settled_on.filter(|_| row.status == "uncollectible")),
        text(row.settled_on.filter(|_| row.status == "void")),
        text(row.settled_on),
        row.total - row.paid,
        row.open_until(),
    );
    if let Some(paid) = row.payment(number) {
        let (currency, on) = (row.currency, paid.on);
        let (amount, unapplied) = (paid.amount, paid.unapplied);
        let _ = writeln!(out[1], "1\t{}\t{contact}\t{currency}\t{amount}\t{unapplied}\t0\t{on}\t{AT}", paid.id);
        let (of, to) = (paid.id, row.id);
        let _ = writeln!(
            out[2],
            "1\t{}\t{of}\t{to}\t{contact}\t{currency}\tpayment\t{}\t{on}\t{on}\tf",
            paid.allocation, row.paid
        );
    }
}
