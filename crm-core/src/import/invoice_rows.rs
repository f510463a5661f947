//! The rows of a file of invoices, gathered into one draft for each invoice.

use std::io::Read;

use csv::StringRecord;

use super::cell;
use super::line_file::LineFile;
use super::lookup::By;
use super::mapping::{Mapping, Place, Sheet};
use super::named;
use super::output::{Output, Refusal};
use super::rows::{RawRow, Rows};
use crate::billing::{Discount, NewLine};
use crate::entity::{Field, Locale};
use crate::error::{CrmError, Invalid};
use crate::value::{Currency, Date, Decimal6, Money, Notes, Text, ValueError};

/// How many lines an invoice may have; more are a column that is mapped wrongly.
pub(super) const MOST_LINES: usize = 10_000;

/// The fields of a line.
pub(super) const LINE_FIELDS: &[&str] = &[
    "line.description",
    "line.product_sku",
    "line.quantity",
    "line.unit_price",
    "line.discount_percent",
    "line.discount",
    "line.tax_percent",
];

const FIELDS: &[&str] = &["number", "issued_on", "due_on", "currency", "total", "notes", "external_id"];

/// An invoice as the file has it.
pub(super) struct Draft {
    /// Its rows; the first says what is the same for all.
    pub(super) rows: Vec<RawRow>,
    /// Its rows in the file of lines, if there is one.
    pub(super) line_rows: Vec<RawRow>,
    /// Its number and its external id as text, by which its lines name it.
    pub(super) keys: Vec<String>,
    /// Its lines, one for each row.
    pub(super) lines: Vec<LineSpec>,
    /// What is wrong with it.
    pub(super) refusals: Vec<Refusal>,
    /// Everything else that it says.
    pub(super) fields: Fields,
}

/// What an invoice says of itself.
#[derive(Default)]
pub(super) struct Fields {
    pub(super) number: Option<Text<50>>,
    pub(super) external_id: Option<Text<100>>,
    pub(super) contact: String,
    pub(super) currency: Option<Currency>,
    pub(super) issued_on: Option<Date>,
    pub(super) due_on: Option<Date>,
    pub(super) total: Option<Money>,
    pub(super) notes: Option<Notes<2000>>,
}

/// A line as the file has it.
pub(super) struct LineSpec {
    /// The product's code.
    pub(super) sku: Option<Text<100>>,
    /// Everything else.
    pub(super) line: NewLine,
}

impl Draft {
    /// The first line of the file that speaks of it.
    pub(super) fn line(&self) -> u64 {
        self.rows.first().map_or(0, |row| row.line)
    }

    /// The row of the line at this position.
    pub(super) fn line_row(&self, position: usize) -> Option<&RawRow> {
        if self.line_rows.is_empty() { self.rows.get(position) } else { self.line_rows.get(position) }
    }
}

/// Reads one field of a row, and notes what is wrong with it.
pub(super) fn read<T: Field>(
    sheet: &Sheet,
    record: &StringRecord,
    name: &str,
    locale: &Locale,
    refused: &mut Vec<Invalid>,
) -> Option<T> {
    let text = sheet.given(record, sheet.position(name)?)?;
    match cell::plain(text, T::KIND, sheet).and_then(|text| T::parse(&text, locale)) {
        Ok(value) => Some(value),
        Err(reason) => {
            refused.push(Invalid::new(name, reason));
            None
        }
    }
}

/// Reads an amount in a currency.
pub(super) fn read_money(
    sheet: &Sheet,
    record: &StringRecord,
    name: &str,
    currency: Currency,
    refused: &mut Vec<Invalid>,
) -> Option<Money> {
    let text = sheet.given(record, sheet.position(name)?)?;
    Money::parse(&cell::decimal(text, sheet), currency).map_err(|reason| refused.push(Invalid::new(name, reason))).ok()
}

/// Reads the line that a row has.
pub(super) fn read_line(sheet: &Sheet, record: &StringRecord, locale: &Locale, refused: &mut Vec<Invalid>) -> LineSpec {
    let percent = read(sheet, record, "line.discount_percent", locale, refused);
    let discount = Discount::of(percent, read(sheet, record, "line.discount", locale, refused));
    let discount = discount.unwrap_or_else(|invalid| {
        refused.push(Invalid { field: format!("line.{}", invalid.field), ..invalid });
        None
    });
    LineSpec {
        sku: read(sheet, record, "line.product_sku", locale, refused),
        line: NewLine {
            product: None,
            description: read(sheet, record, "line.description", locale, refused),
            quantity: read(sheet, record, "line.quantity", locale, refused).unwrap_or(Decimal6::ONE),
            unit_price: read(sheet, record, "line.unit_price", locale, refused),
            discount,
            tax_percent: read(sheet, record, "line.tax_percent", locale, refused),
        },
    }
}

/// The file of invoices, and that of their lines if there is one.
pub(super) struct InvoiceRows {
    rows: Rows,
    pub(super) sheet: Sheet,
    pub(super) lines: Option<LineFile>,
    /// The field that names the contact.
    pub(super) contact: (usize, By),
    locale: Locale,
    /// The row after the last draft.
    ahead: Option<RawRow>,
}

impl InvoiceRows {
    pub(super) fn open(
        input: Box<dyn Read + Send>,
        mapping: &Mapping,
        lines: Option<(Box<dyn Read + Send>, &Mapping)>,
        locale: Locale,
    ) -> Result<Self, CrmError> {
        let mut names: Vec<&'static str> = FIELDS.to_vec();
        names.extend(named::names(named::CONTACT));
        if lines.is_none() {
            names.extend(LINE_FIELDS);
        }
        let rows = Rows::open(input, mapping.delimiter, "")?;
        let sheet =
            Sheet::new(mapping, rows.header(), names, Place { prefix: "", optional: "" }).map_err(CrmError::Invalid)?;
        let contact = named::chosen(&sheet, named::CONTACT)?
            .ok_or_else(|| CrmError::invalid("columns.contact", ValueError::Blank))?;
        let lines = lines.map(|(input, mapping)| LineFile::open(input, mapping)).transpose()?;
        let has = |name: &&str| sheet.position(name).is_some_and(|at| sheet.has(at));
        if lines.is_none() && !LINE_FIELDS.iter().any(has) {
            return Err(CrmError::invalid("lines", ValueError::Blank));
        }
        if lines.is_some() && !["number", "external_id"].iter().any(has) {
            return Err(CrmError::invalid("columns.number", ValueError::Blank));
        }
        Ok(Self { rows, sheet, lines, contact, locale, ahead: None })
    }

    /// Whether lines stand in a file of their own.
    pub(super) const fn has_line_file(&self) -> bool {
        self.lines.is_some()
    }

    fn row(&mut self, output: &mut Output) -> Result<Option<RawRow>, CrmError> {
        if let Some(row) = self.ahead.take() {
            return Ok(Some(row));
        }
        let row = self.rows.next()?;
        if row.is_some() {
            output.read();
        }
        Ok(row)
    }

    /// The texts by which lines may name the invoice of a row.
    fn keys(&self, record: &StringRecord) -> Vec<String> {
        let given =
            ["number", "external_id"].iter().filter_map(|name| self.sheet.given(record, self.sheet.position(name)?));
        given.map(str::to_owned).collect()
    }

    /// The next invoice, without the lines that stand in another file.
    pub(super) fn draft(&mut self, output: &mut Output) -> Result<Option<Draft>, CrmError> {
        let Some(first) = self.row(output)? else { return Ok(None) };
        let keys = self.keys(&first.record);
        let mut draft = self.begin(first, keys);
        if self.has_line_file() {
            return Ok(Some(draft));
        }
        let mut more = true;
        self.add_line(&mut draft, 0);
        while more && !draft.keys.is_empty() {
            let Some(row) = self.row(output)? else { break };
            more = row.fault.is_none() && self.keys(&row.record) == draft.keys;
            if !more {
                self.ahead = Some(row);
            } else if draft.rows.len() == MOST_LINES {
                too_many(&mut draft, row.line);
            } else if draft.rows.len() < MOST_LINES {
                self.check_same(&mut draft, &row);
                draft.rows.push(row);
                let at = draft.rows.len() - 1;
                self.add_line(&mut draft, at);
            }
        }
        Ok(Some(draft))
    }

    fn begin(&self, row: RawRow, keys: Vec<String>) -> Draft {
        let mut refused = Vec::new();
        let mut fields = Fields::default();
        let (sheet, record) = (&self.sheet, &row.record);
        if let Some(fault) = &row.fault {
            refused.push(fault.invalid(sheet, record));
        } else {
            fields.number = read(sheet, record, "number", &self.locale, &mut refused);
            fields.external_id = read(sheet, record, "external_id", &self.locale, &mut refused);
            fields.currency = read(sheet, record, "currency", &self.locale, &mut refused);
            fields.issued_on = read(sheet, record, "issued_on", &self.locale, &mut refused);
            fields.due_on = read(sheet, record, "due_on", &self.locale, &mut refused);
            fields.notes = read(sheet, record, "notes", &self.locale, &mut refused);
            let currency = fields.currency.unwrap_or(self.locale.currency);
            fields.total = read_money(sheet, record, "total", currency, &mut refused);
            match sheet.given(record, self.contact.0) {
                Some(text) => text.clone_into(&mut fields.contact),
                None => refused.push(Invalid::new(sheet.name(self.contact.0), ValueError::Blank)),
            }
        }
        let refusals = refused.into_iter().map(|invalid| self.refusal(&row, invalid)).collect();
        Draft { rows: vec![row], line_rows: Vec::new(), keys, lines: Vec::new(), refusals, fields }
    }

    /// Reads the line of a row of the draft.
    fn add_line(&self, draft: &mut Draft, at: usize) {
        let row = &draft.rows[at];
        if row.fault.is_some() {
            return;
        }
        let mut refused = Vec::new();
        let line = read_line(&self.sheet, &row.record, &self.locale, &mut refused);
        draft.lines.push(line);
        draft.refusals.extend(refused.into_iter().map(|invalid| self.refusal(row, invalid)));
    }

    /// What a further row says of the whole invoice must be what the first one says.
    fn check_same(&self, draft: &mut Draft, row: &RawRow) {
        let names = FIELDS.iter().copied().chain([self.sheet.name(self.contact.0)]);
        for name in names.filter(|name| *name != "notes") {
            let Some(at) = self.sheet.position(name) else { continue };
            let first = self.sheet.text(&draft.rows[0].record, at).unwrap_or_default();
            let Some(text) = self.sheet.given(&row.record, at).filter(|text| *text != first) else { continue };
            let reason = ValueError::NotEqual {
                stated: crate::value::excerpt(text),
                computed: format!("{} in line {}", crate::value::excerpt(first), draft.rows[0].line),
            };
            draft.refusals.push(Refusal::new(row.line, Invalid::new(name, reason), text));
        }
    }

    /// A refused field of a row of this file.
    pub(super) fn refusal(&self, row: &RawRow, invalid: Invalid) -> Refusal {
        super::records::refusal(&self.sheet, row.line, &row.record, invalid)
    }
}

/// Refuses an invoice with more lines than there can be.
pub(super) fn too_many(draft: &mut Draft, line: u64) {
    let noted = draft.refusals.iter().any(|refusal| refusal.field == "lines");
    if !noted {
        let reason = ValueError::out_of_range(1, MOST_LINES);
        draft.refusals.push(Refusal::new(line, Invalid::new("lines", reason), ""));
    }
}
