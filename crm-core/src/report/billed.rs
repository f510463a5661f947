//! What was invoiced, withdrawn and credited over a period, by document or by line.

use super::Period;
use crate::billing::{CreditNote, CreditNoteLine, Invoice, InvoiceLine};
use crate::entity::{Entity as _, Table};
use crate::row::Row;
use crate::store::{Aggregate, Expr, Group, Measure, Operand, Totals};

/// Invoices or credit notes, or the lines of either.
pub(super) struct Documents {
    table: &'static Table,
    /// Those that the member may see.
    visible: Expr,
    currency: Operand,
    /// The civil date of issue.
    issued_on: Operand,
    /// What is summed.
    sums: Vec<Operand>,
    /// By what rows are grouped last.
    key: Option<Operand>,
}

/// Invoices, or their lines.
pub(super) struct Invoices {
    documents: Documents,
    status: Operand,
    voided_on: Operand,
}

impl Invoices {
    /// Whole invoices: what they come to before tax, and the tax.
    pub(super) fn whole(visible: Expr) -> Self {
        let columns = Invoice::COLUMNS;
        let documents = Documents {
            table: Invoice::TABLE,
            visible,
            currency: columns.currency.operand(),
            issued_on: columns.issued_on.operand(),
            sums: vec![columns.subtotal.operand(), columns.tax.operand()],
            key: None,
        };
        Self { documents, status: columns.status.operand(), voided_on: columns.voided_on.operand() }
    }

    /// Their lines: what they come to before tax, the tax, and how much was sold.
    pub(super) fn lines(visible: Expr, key: Operand) -> Self {
        let (columns, invoice) = (InvoiceLine::COLUMNS, Invoice::COLUMNS);
        let documents = Documents {
            table: InvoiceLine::TABLE,
            visible,
            currency: columns.currency.operand(),
            issued_on: columns.invoice_id.via(invoice.issued_on),
            sums: vec![columns.net.operand(), columns.tax.operand(), columns.quantity.operand()],
            key: Some(key),
        };
        let via = columns.invoice_id;
        Self { documents, status: via.via(invoice.status), voided_on: via.via(invoice.voided_on) }
    }
}

impl Documents {
    /// Whole credit notes: what they come to before tax, and the tax.
    pub(super) fn credit_notes(visible: Expr) -> Self {
        let columns = CreditNote::COLUMNS;
        Self {
            table: CreditNote::TABLE,
            visible,
            currency: columns.currency.operand(),
            issued_on: columns.issued_on.operand(),
            sums: vec![columns.subtotal.operand(), columns.tax.operand()],
            key: None,
        }
    }

    /// Their lines: what they come to before tax, the tax, and how much was credited.
    pub(super) fn credit_note_lines(visible: Expr, key: Operand) -> Self {
        let columns = CreditNoteLine::COLUMNS;
        Self {
            table: CreditNoteLine::TABLE,
            visible,
            currency: columns.currency.operand(),
            issued_on: columns.credit_note_id.via(CreditNote::COLUMNS.issued_on),
            sums: vec![columns.net.operand(), columns.tax.operand(), columns.quantity.operand()],
            key: Some(key),
        }
    }

    /// Those that fulfil the condition, by currency, then by month of the day if asked for, then by the key if there is one.
    fn query(&self, filter: Expr, day: &Operand, by_month: bool) -> Aggregate {
        let mut query =
            Aggregate::new(self.table, filter.and(self.visible.clone())).by(Group::Value(self.currency.clone()));
        if by_month {
            query = query.by(Group::Month(day.clone()));
        }
        if let Some(key) = &self.key {
            query = query.by(Group::Value(key.clone()));
        }
        self.sums.iter().fold(query, |query, sum| query.measure(Measure::Sum(sum.clone())))
    }
}

/// What the rows of the queries of [`queries`] are.
#[derive(Clone, Copy)]
pub(super) enum Billed {
    /// Invoiced, by the day of issue.
    Invoiced,
    /// Withdrawn, by that day.
    Withdrawn,
    /// Credited, by the day of the credit note.
    Credited,
}

impl Billed {
    /// In the order of the queries.
    pub(super) const ALL: [Self; 3] = [Self::Invoiced, Self::Withdrawn, Self::Credited];

    /// Whether it is taken off what was invoiced.
    pub(super) const fn sign(self) -> i64 {
        match self {
            Self::Invoiced => 1,
            Self::Withdrawn | Self::Credited => -1,
        }
    }
}

/// What was invoiced in the period, withdrawn in it, and credited in it: by currency, month if asked for, and key.
pub(super) fn queries(period: &Period, invoices: &Invoices, notes: &Documents, by_month: bool) -> [Aggregate; 3] {
    let Invoices { documents, status, voided_on } = invoices;
    let issued = period.issued(&documents.issued_on, status.clone());
    [
        documents.query(issued, &documents.issued_on, by_month),
        documents.query(period.taken_back(voided_on), voided_on, by_month),
        notes.query(period.within(&notes.issued_on), &notes.issued_on, by_month),
    ]
}

/// The rows of the answers, with what they are.
pub(super) fn rows<'a>(
    queries: &'a [Aggregate; 3],
    answers: &'a [Vec<Row>],
) -> impl Iterator<Item = (Billed, Totals<'a>)> {
    let answers = Billed::ALL.into_iter().zip(queries).zip(answers);
    answers.flat_map(|((billed, query), rows)| rows.iter().map(move |row| (billed, Totals::new(query, row))))
}
