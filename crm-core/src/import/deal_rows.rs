//! The rows of a file of deals, as they are read.

use std::io::Read;

use super::invoice_rows::{read, read_money};
use super::lookup::By;
use super::mapping::{Mapping, Place, Sheet};
use super::named;
use super::rows::{RawRow, Rows};
use crate::context::Context;
use crate::crud::Edit;
use crate::entity::{Locale, Minor};
use crate::error::{CrmError, Invalid};
use crate::row::Value;
use crate::sales::{Deal, DealStatus, Moment};
use crate::value::{Currency, Date, Email, Instant, Text, ValueError};

const FIELDS: &[&str] = &[
    "title",
    "owner",
    "owner_name",
    "pipeline",
    "stage",
    "status",
    "amount",
    "currency",
    "opened_on",
    "opened_at",
    "closed_on",
    "closed_at",
    "expected_close_on",
    "lost_reason",
    "external_id",
];

/// Fields of which a file has one.
const EITHER: &[(&str, &str)] = &[("owner", "owner_name"), ("opened_on", "opened_at"), ("closed_on", "closed_at")];

/// The rows of the file.
pub(super) struct DealRows {
    rows: Rows,
    pub(super) sheet: Sheet,
    /// The field that names the contact.
    pub(super) contact: Option<(usize, By)>,
    /// The field that names the product.
    pub(super) product: Option<(usize, By)>,
    locale: Locale,
    key: bool,
}

/// A row as it is read.
pub(super) struct Candidate {
    pub(super) row: RawRow,
    /// What it sets of the deal's own fields.
    pub(super) edit: Edit<Deal>,
    /// What a new deal is called that the row does not name.
    pub(super) title: Option<Text<200>>,
    pub(super) contact: String,
    pub(super) product: String,
    pub(super) owner: Option<Email>,
    pub(super) owner_name: String,
    pub(super) pipeline: String,
    pub(super) stage: String,
    pub(super) status: Option<DealStatus>,
    pub(super) opened: Option<Moment>,
    pub(super) closed: Option<Moment>,
    pub(super) lost_reason: Option<Text<500>>,
    pub(super) external_id: Option<Text<100>>,
    pub(super) refused: Vec<Invalid>,
    pub(super) warning: Option<Invalid>,
}

impl Candidate {
    fn new(row: RawRow) -> Self {
        Self {
            row,
            edit: Edit::new(),
            title: None,
            contact: String::new(),
            product: String::new(),
            owner: None,
            owner_name: String::new(),
            pipeline: String::new(),
            stage: String::new(),
            status: None,
            opened: None,
            closed: None,
            lost_reason: None,
            external_id: None,
            refused: Vec::new(),
            warning: None,
        }
    }

    pub(super) fn refuse(&mut self, field: &str, reason: ValueError) {
        self.refused.push(Invalid::new(field, reason));
    }

    /// What it sets of a new deal.
    pub(super) fn new_edit(&mut self) -> Edit<Deal> {
        let edit = std::mem::take(&mut self.edit);
        match self.title.take() {
            Some(title) => Edit::new().set(Deal::COLUMNS.title, title).merge(edit),
            None => edit,
        }
    }
}

impl DealRows {
    /// Fits the mapping to the file.
    pub(super) fn open(
        input: Box<dyn Read + Send>,
        mapping: &Mapping,
        key: bool,
        context: &Context,
    ) -> Result<Self, CrmError> {
        let names = FIELDS.iter().copied().chain(named::names(named::CONTACT)).chain(named::names(named::PRODUCT));
        let rows = Rows::open(input, mapping.delimiter, "")?;
        let sheet = Sheet::new(mapping, rows.header(), names.collect(), Place { prefix: "", optional: "" })
            .map_err(CrmError::Invalid)?;
        let contact = named::chosen(&sheet, named::CONTACT)?;
        let product = named::chosen(&sheet, named::PRODUCT)?;
        let has = |name: &str| sheet.position(name).is_some_and(|at| sheet.has(at));
        let mut refused = Vec::new();
        for (_, other) in EITHER.iter().filter(|(one, other)| has(one) && has(other)) {
            let reason = ValueError::NotAllowed { when: "another field says the same" };
            refused.push(Invalid::new(format!("columns.{other}"), reason));
        }
        if key && !has("external_id") {
            refused.push(Invalid::new("columns.external_id", ValueError::Blank));
        } else if !key && !has("title") && contact.is_none() && product.is_none() {
            // Without any of these no row can make a deal.
            refused.push(Invalid::new("columns.title", ValueError::Blank));
        }
        if !refused.is_empty() {
            return Err(CrmError::Invalid(refused));
        }
        let organization = context.organization();
        let locale = Locale { region: organization.default_region, currency: organization.default_currency };
        Ok(Self { rows, sheet, contact, product, locale, key })
    }

    /// What the file calls a field of a deal.
    pub(super) fn field<'a>(&self, name: &'a str) -> &'a str {
        let has = |name: &str| self.sheet.position(name).is_some_and(|at| self.sheet.has(at));
        match name {
            "opened_at" if !has(name) => "opened_on",
            "closed_at" if !has(name) => "closed_on",
            other => other,
        }
    }

    /// The next row; nothing at the end.
    pub(super) fn next(&mut self) -> Result<Option<Candidate>, CrmError> {
        Ok(self.rows.next()?.map(|row| self.parse(row)))
    }

    /// Reads a row's cells; what it refers to comes later.
    fn parse(&self, row: RawRow) -> Candidate {
        let mut candidate = Candidate::new(row);
        let (sheet, record, locale) = (&self.sheet, &candidate.row.record, &self.locale);
        if let Some(fault) = &candidate.row.fault {
            candidate.refused.push(fault.invalid(sheet, record));
            return candidate;
        }
        let columns = Deal::COLUMNS;
        let mut refused = Vec::new();
        let text = |field: usize| sheet.given(record, field).unwrap_or_default().to_owned();
        let named = |name: &str| sheet.position(name).map(text).unwrap_or_default();
        candidate.owner_name = named("owner_name");
        candidate.pipeline = named("pipeline");
        candidate.stage = named("stage");
        // Fields that a blank cell clears.
        let mut edit = Edit::new();
        for (chosen, text, column) in [
            (self.contact, &mut candidate.contact, columns.contact_id.index()),
            (self.product, &mut candidate.product, columns.product_id.index()),
        ] {
            let Some((field, _)) = chosen else { continue };
            sheet.given(record, field).unwrap_or_default().clone_into(text);
            edit.put(column, Value::Null);
        }
        if sheet.position("expected_close_on").is_some_and(|at| sheet.has(at)) {
            let expected: Option<Date> = read(sheet, record, "expected_close_on", locale, &mut refused);
            edit = edit.set(columns.expected_close_on, expected);
        }
        if let Some(title) = read::<Text<200>>(sheet, record, "title", locale, &mut refused) {
            edit = edit.set(columns.title, title);
        }
        let currency: Option<Currency> = read(sheet, record, "currency", locale, &mut refused);
        let money = currency.unwrap_or(locale.currency);
        let amount = read_money(sheet, record, "amount", money, &mut refused);
        if let Some(amount) = amount {
            edit = edit.set(columns.amount, Minor(amount.minor()));
        }
        if amount.is_some() || currency.is_some() {
            edit = edit.set(columns.currency, money);
        }
        candidate.external_id = read(sheet, record, "external_id", locale, &mut refused);
        if let Some(id) = &candidate.external_id {
            edit = edit.set(columns.external_id, Some(id.clone()));
        } else if self.key && refused.iter().all(|invalid| invalid.field != "external_id") {
            refused.push(Invalid::new("external_id", ValueError::Blank));
        }
        candidate.edit = edit;
        candidate.owner = read(sheet, record, "owner", locale, &mut refused);
        candidate.status = read(sheet, record, "status", locale, &mut refused);
        candidate.lost_reason = read(sheet, record, "lost_reason", locale, &mut refused);
        let mut moment = |on: &str, at: &str| {
            let day = read::<Date>(sheet, record, on, locale, &mut refused).map(Moment::Day);
            day.or_else(|| read::<Instant>(sheet, record, at, locale, &mut refused).map(Moment::At))
        };
        candidate.opened = moment("opened_on", "opened_at");
        candidate.closed = moment("closed_on", "closed_at");
        candidate.refused = refused;
        candidate
    }
}
