//! The library's records and reports beside the model's.

use std::collections::BTreeMap;
use std::fmt::Debug;

use super::Played;
use super::books::{Fund, totals};
use super::figures::{AsOf, Entry, Figures};
use crate::billing::{Allocation, CreditNote, Invoice, Payment, Refund};
use crate::entity::{Entity, Minor, Stored};
use crate::report::{AgeingOptions, AgeingRow, LedgerOptions, SummaryOptions};
use crate::store::{Expr, Select, StoreExt as _};
use crate::value::{Currency, Money};

/// Notes a difference.
fn equal<T: PartialEq + Debug>(found: &mut Vec<String>, what: impl FnOnce() -> String, is: &T, should: &T) {
    if is != should {
        found.push(format!("{}: {is:?}, by the model {should:?}", what()));
    }
}

fn wide<const N: usize>(amounts: [Minor; N]) -> [i128; N] {
    amounts.map(|amount| i128::from(amount.0))
}

fn minor(money: &Money) -> i128 {
    i128::from(money.minor())
}

/// The buckets of an ageing.
fn buckets(row: &AgeingRow) -> [i128; 5] {
    [&row.current, &row.days_1_30, &row.days_31_60, &row.days_61_90, &row.days_over_90].map(minor)
}

/// The figures of a summary; the buckets stand in the ageing.
fn figures(of: &crate::report::Figures) -> Figures {
    Figures {
        invoices: i128::from(of.invoices),
        billed: minor(&of.billed),
        paid: minor(&of.paid),
        offset: minor(&of.offset),
        pending: minor(&of.pending),
        overdue: minor(&of.overdue),
        uncollectible: minor(&of.uncollectible),
        void: minor(&of.void),
        credit: minor(&of.credit),
        buckets: [0; 5],
    }
}

impl Played {
    pub(super) async fn all<E: Entity>(&self) -> Vec<Stored<E>> {
        self.session.store().all(self.session.scope(), &Select::new(E::TABLE, Expr::True)).await.unwrap()
    }

    /// All in which the library and the model differ, reports as of these days included.
    pub(super) async fn differences(&mut self, days: &[crate::value::Date]) -> Vec<String> {
        let mut found = Vec::new();
        self.invoices_differ(&mut found).await;
        self.funds_differ(&mut found).await;
        self.rows_differ(&mut found).await;
        let wrong = self.session.verify_books().await.unwrap();
        equal(&mut found, || "verify_books".to_owned(), &wrong, &Vec::new());
        for day in days {
            for restated in [false, true] {
                self.reports_differ(AsOf { day: *day, restated }, &mut found).await;
            }
        }
        found
    }

    async fn invoices_differ(&self, found: &mut Vec<String>) {
        let invoices: BTreeMap<_, _> = self.all::<Invoice>().await.into_iter().map(|i| (i.id, i.value)).collect();
        let books = &self.books;
        for (at, doc) in books.invoices.iter().enumerate() {
            let Some(is) = invoices.get(&self.invoices[at]) else {
                equal(found, || format!("invoice {at} is there"), &false, &!doc.deleted);
                continue;
            };
            let (paid, offset) = books.paid_and_offset(at);
            let [subtotal, tax, total] = totals(&doc.lines);
            equal(
                found,
                || format!("invoice {at}: subtotal, tax, total, paid, offset, credited"),
                &wide([is.subtotal, is.tax, is.total, is.paid, is.offset, is.credited]),
                &[subtotal, tax, total, paid, offset, books.credited(at)],
            );
            equal(
                found,
                || format!("invoice {at}: contact, currency, status, number"),
                &(is.contact_id, is.currency, is.status, is.number.as_ref().map(ToString::to_string)),
                &(self.contacts[doc.contact], doc.currency, books.status(at), doc.number.clone()),
            );
            equal(
                found,
                || format!("invoice {at}: days of issue, term, application, settlement, write-off, withdrawal"),
                &[is.issued_on, is.due_on, is.applied_on, is.settled_on, is.written_off_on, is.voided_on],
                &[
                    doc.issued_on,
                    doc.due_on,
                    books.applied_on(at),
                    books.settled_on(at),
                    doc.written_off_on,
                    doc.voided_on,
                ],
            );
        }
        let expected = books.invoices.iter().filter(|doc| !doc.deleted).count();
        equal(found, || "invoices".to_owned(), &invoices.len(), &expected);
    }

    async fn funds_differ(&self, found: &mut Vec<String>) {
        let books = &self.books;
        let payments: BTreeMap<_, _> = self.all::<Payment>().await.into_iter().map(|p| (p.id, p.value)).collect();
        equal(found, || "payments".to_owned(), &payments.len(), &books.payments.len());
        for (at, doc) in books.payments.iter().enumerate() {
            let Some(is) = payments.get(&self.payments[at]) else {
                found.push(format!("payment {at} is not there"));
                continue;
            };
            let fund = Fund::Payment(at);
            equal(
                found,
                || format!("payment {at}: amount, unapplied, refunded"),
                &wide([is.amount, is.unapplied, is.refunded]),
                &[doc.amount, books.unapplied(fund), books.refunded(fund)],
            );
            equal(
                found,
                || format!("payment {at}: contact, currency, days"),
                &(is.contact_id, is.currency, is.received_on, is.reversed_on),
                &(self.contacts[doc.contact], doc.currency, doc.received_on, doc.reversed_on),
            );
        }
        let notes: BTreeMap<_, _> = self.all::<CreditNote>().await.into_iter().map(|n| (n.id, n.value)).collect();
        equal(found, || "credit notes".to_owned(), &notes.len(), &books.notes.len());
        for (at, doc) in books.notes.iter().enumerate() {
            let Some(is) = notes.get(&self.notes[at]) else {
                found.push(format!("credit note {at} is not there"));
                continue;
            };
            let fund = Fund::Note(at);
            let [subtotal, tax, total] = totals(&doc.lines);
            equal(
                found,
                || format!("credit note {at}: subtotal, tax, total, parts, unapplied, refunded"),
                &wide([is.subtotal, is.tax, is.total, is.refund, is.credit, is.offset, is.unapplied, is.refunded]),
                &[
                    subtotal,
                    tax,
                    total,
                    doc.refund,
                    doc.credit,
                    doc.offset,
                    books.unapplied(fund),
                    books.refunded(fund),
                ],
            );
            let (contact, currency, issued_on) = books.party(fund);
            equal(
                found,
                || format!("credit note {at}: contact, currency, invoice, number, day"),
                &(is.contact_id, is.currency, is.invoice_id, is.number.as_ref().map(ToString::to_string), is.issued_on),
                &(self.contacts[contact], currency, self.invoices[doc.invoice], Some(doc.number.clone()), issued_on),
            );
        }
    }

    async fn rows_differ(&self, found: &mut Vec<String>) {
        let books = &self.books;
        let rows = self.all::<Allocation>().await;
        equal(found, || "allocations".to_owned(), &rows.len(), &books.applied.len());
        let of = |fund: Fund| match fund {
            Fund::Payment(at) => (Some(self.payments[at]), None),
            Fund::Note(at) => (None, Some(self.notes[at])),
        };
        for (at, (is, should)) in rows.iter().zip(&books.applied).enumerate() {
            let (contact, currency, _) = books.party(should.of);
            let undoes = should.undoes.and_then(|row| rows.get(row)).map(|row| row.id);
            equal(
                found,
                || format!("allocation {at}"),
                &(
                    (is.payment_id, is.credit_note_id),
                    (is.invoice_id, is.contact_id, is.currency),
                    (is.source, i128::from(is.amount.0), is.applied_on, is.restated_on, is.undoes, is.written_off),
                ),
                &(
                    of(should.of),
                    (self.invoices[should.invoice], self.contacts[contact], currency),
                    (should.source, should.amount, should.on, should.restated_on, undoes, should.written_off),
                ),
            );
        }
        let refunds = self.all::<Refund>().await;
        equal(found, || "refunds".to_owned(), &refunds.len(), &books.refunds.len());
        for (at, (is, should)) in refunds.iter().zip(&books.refunds).enumerate() {
            let (contact, currency, _) = books.party(should.of);
            equal(
                found,
                || format!("refund {at}"),
                &(
                    (is.payment_id, is.credit_note_id),
                    (is.contact_id, is.currency, i128::from(is.amount.0), is.refunded_on),
                ),
                &(of(should.of), (self.contacts[contact], currency, should.amount, should.on)),
            );
        }
    }

    async fn reports_differ(&mut self, as_of: AsOf, found: &mut Vec<String>) {
        let AsOf { day, restated } = as_of;
        let about = format!("as of {day}, restated: {restated}");
        let options = SummaryOptions { as_of: Some(day), include_void: false, per_contact: true, restated };
        let summary = self.session.summary(&options).await.unwrap();
        let ageing = AgeingOptions { as_of: Some(day), per_contact: true, restated };
        let ageing = self.session.ageing(&ageing).await.unwrap();
        equal(found, || format!("contacts {about}"), &summary.contacts, &3);

        let mut is: BTreeMap<Currency, Figures> = summary.totals.iter().map(|f| (f.currency, figures(f))).collect();
        for row in &ageing.totals {
            is.entry(row.currency).or_default().buckets = buckets(row);
        }
        is.retain(|_, figures| *figures != Figures::default());
        let should = self.books.figures(as_of, None);
        equal(found, || format!("figures {about}"), &is, &should);
        self.tally.figures += 10 * u64::try_from(should.len()).unwrap();

        for (at, contact) in self.contacts.iter().enumerate() {
            let theirs = summary.per_contact.iter().flatten().filter(|row| row.contact_id == *contact);
            let mut is: BTreeMap<Currency, Figures> =
                theirs.map(|row| (row.figures.currency, figures(&row.figures))).collect();
            for row in ageing.per_contact.iter().flatten().filter(|row| row.contact_id == Some(*contact)) {
                is.entry(row.currency).or_default().buckets = buckets(row);
            }
            is.retain(|_, figures| *figures != Figures::default());
            let should = self.books.figures(as_of, Some(at));
            equal(found, || format!("figures of contact {at} {about}"), &is, &should);

            let options = LedgerOptions { from: None, to: Some(day), restated };
            let ledger = self.session.ledger(*contact, &options).await.unwrap();
            let mut entries: BTreeMap<Currency, Vec<Entry>> = BTreeMap::new();
            for part in &ledger.currencies {
                let of = part.entries.iter();
                let of = of.map(|entry| (entry.on, entry.kind, entry.reference.clone(), minor(&entry.amount)));
                let mut of: Vec<Entry> = of.collect();
                let sum: i128 = of.iter().map(|(.., amount)| amount).sum();
                let figures = should.get(&part.currency).copied().unwrap_or_default();
                equal(found, || format!("balance of contact {at} {about}"), &minor(&part.closing), &sum);
                equal(
                    found,
                    || format!("pending less credit of contact {at} {about}"),
                    &sum,
                    &(figures.pending - figures.credit),
                );
                of.sort();
                if !of.is_empty() {
                    entries.insert(part.currency, of);
                }
            }
            equal(found, || format!("ledger of contact {at} {about}"), &entries, &self.books.ledger(as_of, at));
        }
    }
}
