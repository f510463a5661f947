//! Checks the books: every running sum against the rows that it sums, every document against its rules.
//!
//! The commands keep the books right; what is found here came from elsewhere, or is a fault of theirs. Documents are read in
//! pages, each with the rows that refer to it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use uuid::Uuid;

use super::check_rules::{Findings, InvoiceRows, NoteRows, PaymentRows};
use super::{
    Allocation, CreditNote, CreditNoteLine, DocumentKind, Invoice, InvoiceLine, NumberSeries, Numbering, Payment,
    Refund, SeriesReset,
};
use crate::audit::AuditEntry;
use crate::crm::Session;
use crate::entity::{Col, Entity, Stored};
use crate::error::CrmError;
use crate::row::Value;
use crate::store::{Expr, Select, StoreExt as _};

/// How many documents are read at a time.
const PAGE: u32 = 1_000;

/// Something in the books that cannot be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BookFinding {
    /// The kind of record.
    pub entity: &'static str,
    /// Which one.
    pub id: Uuid,
    /// What is wrong, with the figures in minor units.
    pub problem: String,
}

impl Session<'_> {
    /// Checks the organization's books and gives everything that is wrong with them: running sums of invoices, payments and
    /// credit notes against their rows, totals against lines, statuses and days of settlement against sums, the limits of
    /// what may be applied, credited and paid back, one contact and one currency along references, and gaps in the numbers
    /// that come from a series. That numbers do not repeat, the stores see to.
    ///
    /// Documents are read one page after the other: a change made meanwhile may be found as a fault of its own.
    ///
    /// # Errors
    /// When the role may not verify the audit, or the store fails.
    pub async fn verify_books(&self) -> Result<Vec<BookFinding>, CrmError> {
        self.refresh().await?;
        self.granted(AuditEntry::TABLE.entity, "verify")?;
        let mut found = Findings::default();
        let invoices = self.check_invoices(&mut found).await?;
        self.check_payments(&mut found).await?;
        let notes = self.check_notes(&mut found).await?;
        let columns = Refund::COLUMNS;
        let of_nothing =
            Select::new(Refund::TABLE, (columns.payment_id.is_null() & columns.credit_note_id.is_null()).into());
        for refund in self.store().all::<Refund>(self.scope(), &of_nothing).await? {
            found.find(Refund::TABLE.entity, refund.id, "it is neither of a payment nor of a credit note");
        }
        for (kind, numbers) in [(DocumentKind::Invoice, &invoices), (DocumentKind::CreditNote, &notes)] {
            if let Some(series) = Numbering::of(self, kind).await? {
                gaps(&series, numbers, &mut found);
            }
        }
        Ok(found.into_findings())
    }

    /// Gives the invoices' numbers.
    async fn check_invoices(&self, found: &mut Findings) -> Result<Vec<String>, CrmError> {
        let mut numbers = Vec::new();
        let mut pages = Pages::<Invoice>::new();
        loop {
            let invoices = pages.next(self).await?;
            if invoices.is_empty() {
                return Ok(numbers);
            }
            let ids = ids(&invoices);
            let lines = self.referring(InvoiceLine::COLUMNS.invoice_id, &ids).await?;
            let rows = self.referring(Allocation::COLUMNS.invoice_id, &ids).await?;
            let notes = self.referring(CreditNote::COLUMNS.invoice_id, &ids).await?;
            let of: HashMap<Uuid, Uuid> = notes.iter().map(|note| (note.id.uuid(), note.invoice_id.uuid())).collect();
            let note_ids: Vec<Uuid> = of.keys().copied().collect();
            let note_lines = self.referring(CreditNoteLine::COLUMNS.credit_note_id, &note_ids).await?;
            let undone = rows.iter().filter(|row| row.undoes.is_some()).filter_map(|row| row.payment_id);
            let undone: Vec<Uuid> = undone.map(crate::Id::uuid).collect();
            let payments = self.store().fetch(self.scope(), Payment::TABLE, &undone).await?;
            let payments = payments.into_iter().map(Stored::<Payment>::from_row).collect::<Result<Vec<_>, _>>()?;
            let reversed: HashSet<Uuid> = payments
                .iter()
                .filter(|payment| payment.reversed_on.is_some())
                .map(|payment| payment.id.uuid())
                .collect();
            let mut lines = grouped(lines, |line| Some(line.invoice_id.uuid()));
            let mut rows = grouped(rows, |row| Some(row.invoice_id.uuid()));
            let mut notes = grouped(notes, |note| Some(note.invoice_id.uuid()));
            let mut note_lines = grouped(note_lines, |line| of.get(&line.credit_note_id.uuid()).copied());
            for invoice in &invoices {
                let id = invoice.id.uuid();
                let of = InvoiceRows {
                    lines: lines.remove(&id).unwrap_or_default(),
                    rows: rows.remove(&id).unwrap_or_default(),
                    notes: notes.remove(&id).unwrap_or_default(),
                    note_lines: note_lines.remove(&id).unwrap_or_default(),
                    reversed: &reversed,
                };
                found.invoice(invoice, &of);
                numbers.extend(invoice.number.as_ref().map(ToString::to_string));
            }
        }
    }

    async fn check_payments(&self, found: &mut Findings) -> Result<(), CrmError> {
        let mut pages = Pages::<Payment>::new();
        loop {
            let payments = pages.next(self).await?;
            if payments.is_empty() {
                return Ok(());
            }
            let ids = ids(&payments);
            let rows = self.referring(Allocation::COLUMNS.payment_id, &ids).await?;
            let refunds = self.referring(Refund::COLUMNS.payment_id, &ids).await?;
            let mut rows = grouped(rows, |row| row.payment_id.map(crate::Id::uuid));
            let mut refunds = grouped(refunds, |refund| refund.payment_id.map(crate::Id::uuid));
            for payment in &payments {
                let id = payment.id.uuid();
                let rows = rows.remove(&id).unwrap_or_default();
                found.payment(payment, &PaymentRows { rows, refunds: refunds.remove(&id).unwrap_or_default() });
            }
        }
    }

    /// Gives the credit notes' numbers.
    async fn check_notes(&self, found: &mut Findings) -> Result<Vec<String>, CrmError> {
        let mut numbers = Vec::new();
        let mut pages = Pages::<CreditNote>::new();
        loop {
            let notes = pages.next(self).await?;
            if notes.is_empty() {
                return Ok(numbers);
            }
            let ids = ids(&notes);
            let lines = self.referring(CreditNoteLine::COLUMNS.credit_note_id, &ids).await?;
            let rows = self.referring(Allocation::COLUMNS.credit_note_id, &ids).await?;
            let refunds = self.referring(Refund::COLUMNS.credit_note_id, &ids).await?;
            let mut lines = grouped(lines, |line| Some(line.credit_note_id.uuid()));
            let mut rows = grouped(rows, |row| row.credit_note_id.map(crate::Id::uuid));
            let mut refunds = grouped(refunds, |refund| refund.credit_note_id.map(crate::Id::uuid));
            for note in &notes {
                let id = note.id.uuid();
                let of = NoteRows {
                    lines: lines.remove(&id).unwrap_or_default(),
                    rows: rows.remove(&id).unwrap_or_default(),
                    refunds: refunds.remove(&id).unwrap_or_default(),
                };
                found.note(note, &of);
                numbers.extend(note.number.as_ref().map(ToString::to_string));
            }
        }
    }

    /// The rows that refer to any of these records.
    async fn referring<E: Entity, R>(&self, column: Col<E, R>, ids: &[Uuid]) -> Result<Vec<Stored<E>>, CrmError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let ids = ids.iter().copied().map(Value::Id).collect();
        let query = Select::new(E::TABLE, Expr::In(crate::store::Operand::Column(column.index()), ids));
        Ok(self.store().all(self.scope(), &query).await?)
    }
}

/// The records of a table, a page at a time.
struct Pages<E> {
    query: Select,
    entity: std::marker::PhantomData<fn() -> E>,
}

impl<E: Entity> Pages<E> {
    fn new() -> Self {
        Self { query: Select::new(E::TABLE, Expr::True).limited(PAGE), entity: std::marker::PhantomData }
    }

    /// The next page; none when there are no more.
    async fn next(&mut self, session: &Session<'_>) -> Result<Vec<Stored<E>>, CrmError> {
        let rows = session.store().select(session.scope(), &self.query).await?;
        if let Some(last) = rows.last() {
            self.query.after = Some(self.query.place(last));
        }
        Ok(rows.into_iter().map(Stored::from_row).collect::<Result<_, _>>()?)
    }
}

fn ids<E>(records: &[Stored<E>]) -> Vec<Uuid> {
    records.iter().map(|record| record.id.uuid()).collect()
}

/// The rows by the record that they refer to.
fn grouped<E>(rows: Vec<Stored<E>>, of: impl Fn(&Stored<E>) -> Option<Uuid>) -> HashMap<Uuid, Vec<Stored<E>>> {
    let mut groups: HashMap<Uuid, Vec<Stored<E>>> = HashMap::new();
    for row in rows {
        if let Some(id) = of(&row) {
            groups.entry(id).or_default().push(row);
        }
    }
    groups
}

/// Finds numbers that a series gave out and that no document has: from the first one that looks as the series' numbers do now
/// up to the last one given out.
fn gaps(series: &Numbering, numbers: &[String], found: &mut Findings) {
    let mut years: BTreeMap<Option<i64>, BTreeSet<i64>> = BTreeMap::new();
    for (year, number) in numbers.iter().filter(|number| series.gives(number)).filter_map(|number| series.read(number))
    {
        years.entry(year.filter(|_| series.reset == SeriesReset::Year)).or_default().insert(number);
    }
    let mut find = |problem: String| found.find(NumberSeries::TABLE.entity, series.id, problem);
    for (year, mut taken) in years {
        // Numbers of an earlier range or prefix are not counted on.
        taken.retain(|number| *number >= series.range_first());
        let Some(first) = taken.first().copied() else { continue };
        let prefix = series.prefix.as_deref().unwrap_or_default();
        let of = year.map_or_else(|| format!("of {prefix}"), |year| format!("of {prefix} in {year}"));
        let next = series.next_in(year);
        for number in taken.range(next..) {
            find(format!("number {number} {of} was not given out yet: {next} is next"));
        }
        let mut expected = first;
        for number in taken.into_iter().chain(std::iter::once(next)) {
            if number > expected {
                find(format!("numbers {expected} to {} {of} are missing", number - 1));
            }
            expected = number + 1;
        }
    }
}
