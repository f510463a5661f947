//! A file of its own for the lines of invoices, joined while both are read in the same order.

use std::collections::{HashMap, HashSet};
use std::io::Read;
use std::mem;

use super::invoice_rows::{Draft, LINE_FIELDS, MOST_LINES, read_line, too_many};
use super::mapping::{Mapping, Place, Sheet};
use super::output::{Output, Refusal};
use super::rows::{RawRow, Rows};
use crate::entity::Locale;
use crate::error::{CrmError, Invalid};
use crate::value::{ValueError, excerpt};

/// The field that names the invoice.
const INVOICE: &str = "line.invoice";

/// The file of lines.
pub(super) struct LineFile {
    rows: Rows,
    pub(super) sheet: Sheet,
    /// The field that names the invoice.
    invoice: usize,
    /// The row that comes next.
    ahead: Option<RawRow>,
    /// Keys of invoices that came lately: those of this chunk and of the one before.
    past: [HashSet<String>; 2],
}

impl LineFile {
    pub(super) fn open(input: Box<dyn Read + Send>, mapping: &Mapping) -> Result<Self, CrmError> {
        let rows = Rows::open(input, mapping.delimiter, "lines_mapping.")?;
        let names = [INVOICE].iter().chain(LINE_FIELDS).copied().collect();
        let place = Place { prefix: "lines_mapping.", optional: "line." };
        let sheet = Sheet::new(mapping, rows.header(), names, place).map_err(CrmError::Invalid)?;
        let invoice = sheet.position(INVOICE).filter(|at| sheet.has(*at));
        let invoice = invoice.ok_or_else(|| CrmError::invalid("lines_mapping.columns.invoice", ValueError::Blank))?;
        Ok(Self { rows, sheet, invoice, ahead: None, past: Default::default() })
    }

    fn peek(&mut self) -> Result<Option<&RawRow>, CrmError> {
        if self.ahead.is_none() {
            self.ahead = self.rows.next()?;
        }
        Ok(self.ahead.as_ref())
    }

    /// A chunk begins: what came two chunks ago is forgotten.
    pub(super) fn begin_chunk(&mut self) {
        let [last, before] = &mut self.past;
        mem::swap(last, before);
        last.clear();
    }

    /// Gives a draft its lines: the ones that come next and name it. `later` counts the keys of the drafts after
    /// it. A line whose invoice neither is this one nor comes later is refused.
    pub(super) fn attach(
        &mut self,
        draft: &mut Draft,
        later: &HashMap<String, u32>,
        locale: &Locale,
        output: &mut Output,
    ) -> Result<(), CrmError> {
        loop {
            let invoice = self.invoice;
            self.peek()?;
            let Some(row) = self.ahead.take() else { break };
            let key = self.sheet.given(&row.record, invoice).unwrap_or_default();
            if draft.keys.iter().any(|known| known == key) || (row.fault.is_some() && !later.contains_key(key)) {
                self.take(draft, row, locale);
            } else if later.contains_key(key) {
                self.ahead = Some(row);
                break;
            } else {
                self.refuse(&row, output);
            }
        }
        self.past[0].extend(draft.keys.iter().cloned());
        Ok(())
    }

    fn take(&self, draft: &mut Draft, row: RawRow, locale: &Locale) {
        if draft.line_rows.len() >= MOST_LINES {
            too_many(draft, draft.line());
            return;
        }
        let mut refused = Vec::new();
        match &row.fault {
            Some(fault) => {
                let mut invalid = fault.invalid(&self.sheet, &row.record);
                if invalid.field == "row" {
                    "line.row".clone_into(&mut invalid.field);
                }
                refused.push(invalid);
            }
            None => draft.lines.push(read_line(&self.sheet, &row.record, locale, &mut refused)),
        }
        draft.refusals.extend(refused.into_iter().map(|invalid| self.refusal(&row, invalid)));
        draft.line_rows.push(row);
    }

    /// Refuses a line whose invoice does not come.
    fn refuse(&self, row: &RawRow, output: &mut Output) {
        let key = self.sheet.given(&row.record, self.invoice).unwrap_or_default();
        let reason = if key.is_empty() {
            ValueError::Blank
        } else if self.past.iter().any(|past| past.contains(key)) {
            ValueError::NotAllowed { when: "its invoice came before: both files must be in the same order" }
        } else {
            ValueError::NotThere { entity: "invoice", reference: excerpt(key) }
        };
        output.refuse_line(row, &[self.refusal(row, Invalid::new(INVOICE, reason))]);
    }

    /// Refuses all lines that are left.
    pub(super) fn finish(&mut self, output: &mut Output) -> Result<(), CrmError> {
        while self.peek()?.is_some() {
            if let Some(row) = self.ahead.take() {
                self.refuse(&row, output);
            }
        }
        Ok(())
    }

    /// A refused field of a row of this file.
    pub(super) fn refusal(&self, row: &RawRow, invalid: Invalid) -> Refusal {
        super::records::refusal(&self.sheet, row.line, &row.record, invalid)
    }
}
