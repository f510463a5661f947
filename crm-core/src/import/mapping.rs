//! Which column of a file holds which field.

use std::collections::BTreeMap;

use csv::StringRecord;
use serde::{Deserialize, Deserializer};

use super::{Problem, cell};
use crate::error::Invalid;
use crate::value::ValueError;

/// Says where the fields of a file come from. Front ends read it from TOML.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mapping {
    /// The field and the header of its column. If there is none, columns that are named like a field hold it, and
    /// others are not read, which a warning tells.
    pub columns: BTreeMap<String, String>,
    /// Fields that have the same text in every row.
    pub constants: BTreeMap<String, String>,
    /// Per field, texts of cells and what is read in their place.
    pub values: BTreeMap<String, BTreeMap<String, String>>,
    /// What stands between the cells; otherwise told from the header: a comma, a semicolon or a tab.
    pub delimiter: Option<char>,
    /// How dates are written, as in `%d/%m/%Y`; otherwise `2026-01-31`, with or without a time of midnight. Where there
    /// are several formats, a date is refused that two of them read differently. In TOML one text, or a list.
    #[serde(deserialize_with = "one_or_more")]
    pub date_format: Vec<String>,
    /// Whether decimals are written with a comma, `0,99`.
    pub decimal_comma: bool,
}

/// Reads one text or a list of them.
fn one_or_more<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "expected a text or a list of texts")]
    enum Texts {
        One(String),
        More(Vec<String>),
    }
    Ok(match Texts::deserialize(deserializer)? {
        Texts::One(text) => vec![text],
        Texts::More(texts) => texts,
    })
}

/// A mapping that fits a header.
pub(super) struct Sheet {
    header: Vec<String>,
    names: Vec<&'static str>,
    /// By the position of the field among the names.
    sources: Vec<Option<Source>>,
    /// Columns that are named like no field, where their names alone tell what they hold.
    unread: Vec<Problem>,
    pub(super) date_format: Vec<String>,
    pub(super) decimal_comma: bool,
}

struct Source {
    origin: Origin,
    replaced: BTreeMap<String, String>,
}

enum Origin {
    Cell(usize),
    Constant(String),
}

/// Whose mapping it is: errors name the place.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// What stands before the name of a mapping's part.
    pub(super) prefix: &'static str,
    /// What may be left out at the beginning of a field's name.
    pub(super) optional: &'static str,
}

impl Sheet {
    /// Fits a mapping to a header.
    ///
    /// # Errors
    /// Every column that is not there or there twice, and every field that is unknown or given twice.
    pub(super) fn new(
        mapping: &Mapping,
        header: &StringRecord,
        names: Vec<&'static str>,
        place: Place,
    ) -> Result<Self, Vec<Invalid>> {
        let header: Vec<String> = header.iter().map(|name| name.trim().to_owned()).collect();
        let mut fit = Fit { header: &header, names: &names, place, refused: Vec::new() };
        let mut sources: Vec<Option<Source>> = names.iter().map(|_| None).collect();
        for (field, column) in &mapping.columns {
            if let (Some(at), Some(cell)) = (fit.field("columns", field, &sources), fit.cell(field, column)) {
                sources[at] = Some(Source { origin: Origin::Cell(cell), replaced: BTreeMap::new() });
            }
        }
        if mapping.columns.is_empty() {
            for (cell, name) in header.iter().enumerate() {
                let Some(at) = fit.known(name) else { continue };
                if sources[at].is_some() {
                    fit.refuse("columns", name, ValueError::Repeated { got: name.clone(), line: 1 });
                }
                sources[at] = Some(Source { origin: Origin::Cell(cell), replaced: BTreeMap::new() });
            }
        }
        for (field, text) in &mapping.constants {
            if let Some(at) = fit.field("constants", field, &sources) {
                sources[at] = Some(Source { origin: Origin::Constant(text.clone()), replaced: BTreeMap::new() });
            }
        }
        for (field, replaced) in &mapping.values {
            match fit.known(field).map(|at| &mut sources[at]) {
                Some(Some(source)) => source.replaced.clone_from(replaced),
                Some(None) => fit.refuse("values", field, ValueError::NotAllowed { when: "no column holds the field" }),
                None => fit.unknown("values", field),
            }
        }
        if mapping.columns.is_empty() && mapping.constants.is_empty() && sources.iter().all(Option::is_none) {
            let reason = ValueError::NotThere { entity: "column", reference: "that is named like a field".to_owned() };
            fit.refused.push(Invalid::new(format!("{}columns", place.prefix), reason));
        }
        if let Some(format) = mapping.date_format.iter().find(|format| !cell::is_date_format(format)) {
            let reason = ValueError::syntax("a format of dates such as %Y-%m-%d", format);
            fit.refused.push(Invalid::new(format!("{}date_format", place.prefix), reason));
        }
        if !fit.refused.is_empty() {
            return Err(fit.refused);
        }
        let unknown = |name: &&String| mapping.columns.is_empty() && !name.is_empty() && fit.known(name).is_none();
        let unread = header.iter().filter(unknown).map(|name| Problem {
            line: 1,
            field: format!("{}{name}", place.optional),
            reason: "no field has this name: the column is not read".to_owned(),
            got: String::new(),
        });
        let unread = unread.collect();
        let (date_format, decimal_comma) = (mapping.date_format.clone(), mapping.decimal_comma);
        Ok(Self { header, names, sources, unread, date_format, decimal_comma })
    }

    /// What is to be told of columns that are not read, though no mapping leaves them out.
    pub(super) fn unread(&self) -> impl Iterator<Item = Problem> + '_ {
        self.unread.iter().cloned()
    }

    /// The names of the file's columns.
    pub(super) fn header(&self) -> &[String] {
        &self.header
    }

    /// Whether the field comes from anywhere.
    pub(super) fn has(&self, field: usize) -> bool {
        self.sources[field].is_some()
    }

    /// Whether the field has the same text in every row.
    pub(super) fn is_constant(&self, field: usize) -> bool {
        matches!(&self.sources[field], Some(Source { origin: Origin::Constant(_), .. }))
    }

    /// The name of a field.
    pub(super) fn name(&self, field: usize) -> &'static str {
        self.names[field]
    }

    /// The position of a field.
    pub(super) fn position(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| *known == name)
    }

    /// A field's text in a row, trimmed; nothing if the field does not come from anywhere.
    pub(super) fn text<'a>(&'a self, record: &'a StringRecord, field: usize) -> Option<&'a str> {
        let source = self.sources[field].as_ref()?;
        let text = match &source.origin {
            Origin::Cell(at) => record.get(*at).unwrap_or_default(),
            Origin::Constant(text) => text,
        };
        let text = text.trim();
        if source.replaced.is_empty() {
            return Some(text);
        }
        Some(source.replaced.get(text).map_or(text, |text| text.trim()))
    }

    /// A field's text in a row, if it is not blank.
    pub(super) fn given<'a>(&'a self, record: &'a StringRecord, field: usize) -> Option<&'a str> {
        self.text(record, field).filter(|text| !text.is_empty())
    }

    /// The text of a field's cell as it stands in the file, for reports.
    pub(super) fn cell<'a>(&'a self, record: &'a StringRecord, field: &str) -> &'a str {
        let source = self.position(field).and_then(|at| self.sources[at].as_ref());
        match source.map(|source| &source.origin) {
            Some(Origin::Cell(at)) => record.get(*at).unwrap_or_default(),
            Some(Origin::Constant(text)) => text,
            None => "",
        }
    }

    /// What to call the column at a position: its field, or its header.
    pub(super) fn called(&self, cell: usize) -> &str {
        let holds =
            |source: &Option<Source>| matches!(source, Some(Source { origin: Origin::Cell(at), .. }) if *at == cell);
        match self.sources.iter().position(holds) {
            Some(field) => self.names[field],
            None => self.header.get(cell).map_or("row", String::as_str),
        }
    }
}

struct Fit<'a> {
    header: &'a [String],
    names: &'a [&'static str],
    place: Place,
    refused: Vec<Invalid>,
}

impl Fit<'_> {
    fn refuse(&mut self, part: &str, field: &str, reason: ValueError) {
        self.refused.push(Invalid::new(format!("{}{part}.{field}", self.place.prefix), reason));
    }

    fn unknown(&mut self, part: &str, field: &str) {
        self.refuse(part, field, ValueError::unknown_value(field, self.names));
    }

    fn known(&self, field: &str) -> Option<usize> {
        let prefix = self.place.optional;
        let named = |name: &str| name == field || name.strip_prefix(prefix).is_some_and(|bare| bare == field);
        self.names.iter().position(|name| named(name))
    }

    fn field(&mut self, part: &str, field: &str, sources: &[Option<Source>]) -> Option<usize> {
        let Some(at) = self.known(field) else {
            self.unknown(part, field);
            return None;
        };
        if sources[at].is_some() {
            self.refuse(part, field, ValueError::NotAllowed { when: "the field is given already" });
            return None;
        }
        Some(at)
    }

    fn cell(&mut self, field: &str, column: &str) -> Option<usize> {
        let mut found = self.header.iter().enumerate().filter(|(_, name)| **name == column.trim());
        let (first, more) = (found.next(), found.next().is_some());
        let reason = match first {
            Some((at, _)) if !more => return Some(at),
            Some(_) => ValueError::Repeated { got: column.to_owned(), line: 1 },
            None => ValueError::NotThere { entity: "column", reference: column.to_owned() },
        };
        self.refuse("columns", field, reason);
        None
    }
}
