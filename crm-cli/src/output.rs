//! What goes to standard output, in every form: tables for people, JSON, NDJSON, CSV and ids for machines.
//!
//! The forms of records derive from their [`Table`]. Machine forms are exact and complete: every column that is
//! neither secret nor derived, in the table's order, amounts with their currency, decimals as text, instants as
//! RFC 3339. Tables for people show less, name referenced records instead of their ids, and group digits.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{self, IsTerminal as _, Write as _};

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table as Grid, presets};
use crm_core::access::{Secret, User};
use crm_core::encode::{write_text, write_value};
use crm_core::entity::{Column, Entity as _, Flags, Kind, Table};
use crm_core::row::{Row, Value};
use crm_core::sales::Deal;
use crm_core::value::{Currency, Instant, Money};
use serde::Serialize;
use uuid::Uuid;

use crate::error::{Done, Failure};

/// The form of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// A table for people.
    Table,
    /// JSON: an array of a list, an object of one record or report.
    Json,
    /// One JSON object per line.
    Ndjson,
    /// Comma-separated values with a header.
    Csv,
    /// Ids alone, one per line.
    Id,
}

impl Format {
    /// The names of all forms.
    pub(crate) const NAMES: [&'static str; 5] = ["table", "json", "ndjson", "csv", "id"];
}

/// How a command speaks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Out {
    /// The form of the output.
    pub(crate) format: Format,
    /// Whether notes and warnings are left out.
    pub(crate) quiet: bool,
    /// Whether more is told.
    pub(crate) verbose: bool,
    /// Whether CSV cells that a spreadsheet would take for formulas are quoted with an apostrophe.
    pub(crate) excel_safe: bool,
}

#[expect(clippy::unused_self, reason = "commands speak through this value, whatever it knows")]
impl Out {
    /// Writes to standard output.
    pub(crate) fn data(self, text: &str) -> Done {
        let mut stdout = io::stdout().lock();
        stdout.write_all(text.as_bytes())?;
        stdout.flush()?;
        Ok(())
    }

    /// Says something about what was done, unless asked to be quiet.
    pub(crate) fn note(self, text: &str) {
        if !self.quiet {
            say(text);
        }
    }

    /// Warns of something that is no failure, unless asked to be quiet.
    pub(crate) fn warn(self, text: &str) {
        let style = anstyle::AnsiColor::Yellow.on_default().bold();
        self.note(&format!("{style}Warning:{style:#} {text}"));
    }

    /// Says what a failure consists of, before it is told.
    pub(crate) fn problem(self, text: &str) {
        let style = anstyle::AnsiColor::Red.on_default().bold();
        say(&format!("{style}Problem:{style:#} {text}"));
    }

    /// Whether people read the output as it comes.
    pub(crate) fn is_terminal(self) -> bool {
        io::stdout().is_terminal()
    }

    /// Begins a CSV text with this header.
    pub(crate) fn csv<'a>(self, header: impl IntoIterator<Item = &'a str>) -> Result<Csv, Failure> {
        let mut csv = Csv { writer: csv::Writer::from_writer(Vec::new()), excel_safe: self.excel_safe };
        csv.row(header)?;
        Ok(csv)
    }

    /// Writes a grid, as people read it.
    pub(crate) fn grid(self, header: &[&str], right: &[usize], rows: &[Vec<String>]) -> Done {
        self.data(&self.draw(header, right, rows))
    }

    /// A grid as text. It is fitted to a terminal's width; elsewhere nothing is ever cut or wrapped.
    pub(crate) fn draw(self, header: &[&str], right: &[usize], rows: &[Vec<String>]) -> String {
        let mut grid = Grid::new();
        grid.load_style(presets::UTF8_HORIZONTAL_ONLY);
        grid.style_mut().row_separator = comfy_table::LineStyle::none();
        if let Some((_, width)) = console::Term::stdout().size_checked().filter(|_| self.is_terminal()) {
            grid.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
        }
        let cell = |(at, text): (usize, &str)| {
            let side = if right.contains(&at) { CellAlignment::Right } else { CellAlignment::Left };
            Cell::new(text).set_alignment(side)
        };
        grid.set_header(header.iter().copied().enumerate().map(cell).collect::<Vec<_>>());
        for row in rows {
            grid.add_row(row.iter().map(String::as_str).enumerate().map(cell).collect::<Vec<_>>());
        }
        let mut text = grid.trim_fmt();
        text.push('\n');
        text
    }

    /// Names and values beneath each other, as people read one record.
    pub(crate) fn fields(fields: &[(&str, String)]) -> String {
        let width = fields.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        let mut out = String::new();
        for (name, value) in fields {
            let gap = " ".repeat(width - name.chars().count());
            for (at, line) in value.lines().enumerate() {
                let _ = match at {
                    0 => writeln!(out, "{name}{gap}  {line}"),
                    _ => writeln!(out, "{}  {line}", " ".repeat(width)),
                };
            }
        }
        out
    }
}

/// Writes a line to standard error, coloured where that is wanted.
pub(crate) fn say(text: &str) {
    // There is nobody left to tell when standard error is gone.
    let _ = writeln!(anstream::stderr().lock(), "{text}");
}

/// A CSV text that is being written.
pub(crate) struct Csv {
    writer: csv::Writer<Vec<u8>>,
    excel_safe: bool,
}

impl Csv {
    /// Adds a row.
    pub(crate) fn row<'a>(&mut self, cells: impl IntoIterator<Item = &'a str>) -> Done {
        for cell in cells {
            if self.excel_safe && cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
                self.writer.write_field(format!("'{cell}")).map_err(broken)?;
            } else {
                self.writer.write_field(cell).map_err(broken)?;
            }
        }
        self.writer.write_record(None::<&[u8]>).map_err(broken)
    }

    /// The text so far, taken out.
    pub(crate) fn take(&mut self) -> Result<String, Failure> {
        let full = std::mem::replace(&mut self.writer, csv::Writer::from_writer(Vec::new()));
        let bytes = full.into_inner().map_err(|error| Failure::from(error.into_error()))?;
        String::from_utf8(bytes).map_err(|error| Failure::failed(error.to_string()))
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is the function of a `map_err`")]
fn broken(error: csv::Error) -> Failure {
    Failure::failed(error.to_string())
}

/// A record as it is shown: its row, and the name by which people know it.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    /// Its values, in the order of the table.
    pub(crate) row: Row,
    /// Its name.
    pub(crate) title: String,
}

/// One column of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    /// A column of the table.
    Column(usize),
    /// A column that counts microseconds since 1970, as an instant.
    Moment(usize),
    /// The record's name.
    Title,
}

/// How the names of columns end that count microseconds since 1970; 0 is never.
pub(crate) const MICROS: &str = "_micros";

fn instant_of(row: &Row, at: usize) -> Option<Instant> {
    row[at].as_int().filter(|micros| *micros != 0).and_then(|micros| Instant::from_micros(micros).ok())
}

/// Columns that only rules write and that say nothing that another column does not say.
fn is_internal(column: &Column) -> bool {
    column.flags.contains(Flags::SECRET) || column.name.ends_with("_claim")
}

/// The table that a column refers to. Who did something is a user, although the store does not hold it to that.
fn refers_to(column: &Column) -> Option<&'static Table> {
    match column.name {
        "created_by" | "actor_id" | "by_id" | "assignee_id" => Some(User::TABLE),
        // A lead's refers back to the one that refers to it, so its table cannot say so.
        "deal_id" => Some(Deal::TABLE),
        _ => column.target(),
    }
}

/// How records of a table are shown.
#[derive(Clone, Debug)]
pub(crate) struct View {
    /// The table.
    pub(crate) table: &'static Table,
    /// The columns, with the names that they are shown under.
    pub(crate) columns: Vec<(String, Shown)>,
    /// The names of referenced records, for people.
    pub(crate) labels: HashMap<Uuid, String>,
}

impl View {
    /// Every column for machines.
    pub(crate) fn full(table: &'static Table) -> Self {
        let shown = |column: &Column| !is_internal(column) && !column.flags.contains(Flags::DERIVED);
        let columns = table.columns.iter().enumerate().filter(|(_, column)| shown(column));
        let columns = columns.map(|(at, column)| match column.name.strip_suffix(MICROS) {
            Some(name) => (format!("{name}_at"), Shown::Moment(at)),
            None => (column.name.to_owned(), Shown::Column(at)),
        });
        Self { table, columns: columns.collect(), labels: HashMap::new() }
    }

    /// Every column for people: those for machines, and amounts that are computed.
    pub(crate) fn sheet_of(table: &'static Table) -> Self {
        let mut view = Self::full(table);
        for (at, column) in table.columns.iter().enumerate() {
            if column.kind == Kind::Money && column.flags.contains(Flags::DERIVED) {
                view.columns.push((column.name.to_owned(), Shown::Column(at)));
            }
        }
        view.columns.sort_by_key(|(_, shown)| match shown {
            Shown::Column(at) | Shown::Moment(at) => *at,
            Shown::Title => 0,
        });
        view
    }

    /// The columns with these names. `name` is the record's name where the table has no such column, `contact` may
    /// stand for `contact_id`.
    pub(crate) fn of<'a>(table: &'static Table, names: impl IntoIterator<Item = &'a str>) -> Result<Self, Failure> {
        let columns: Result<Vec<_>, Failure> = names
            .into_iter()
            .map(str::trim)
            .filter(|name| !name.is_empty())
            .map(|name| Ok((name.to_owned(), Self::column(table, name)?)))
            .collect();
        Ok(Self { table, columns: columns?, labels: HashMap::new() })
    }

    fn column(table: &'static Table, name: &str) -> Result<Shown, Failure> {
        let found = table.position(name).or_else(|| table.position(&format!("{name}_id")));
        let counted = name.strip_suffix("_at").and_then(|name| table.position(&format!("{name}{MICROS}")));
        match found.filter(|at| !is_internal(&table.columns[*at])) {
            Some(at) => Ok(Shown::Column(at)),
            None if let Some(at) = counted => Ok(Shown::Moment(at)),
            None if name == "name" || name == table.entity => Ok(Shown::Title),
            None => Err(unknown_column(table, name).field("columns")),
        }
    }

    /// The ids that these records refer to in the columns shown, with the columns.
    pub(crate) fn references(&self, records: &[Record]) -> Vec<(&'static Table, Uuid)> {
        let mut found = Vec::new();
        for (_, shown) in &self.columns {
            let Shown::Column(at) = shown else { continue };
            let Some(target) = refers_to(&self.table.columns[*at]) else { continue };
            for id in records.iter().filter_map(|record| record.row[*at].as_id()) {
                if !found.contains(&(target, id)) {
                    found.push((target, id));
                }
            }
        }
        found
    }

    /// A record's cell, exact.
    fn plain(&self, record: &Record, shown: Shown) -> String {
        match shown {
            Shown::Title => record.title.clone(),
            Shown::Moment(at) => instant_of(&record.row, at).map(|at| at.to_string()).unwrap_or_default(),
            Shown::Column(at) => plain(self.table, &record.row, at),
        }
    }

    /// A record's cell, for people.
    pub(crate) fn human(&self, record: &Record, shown: Shown) -> String {
        let at = match shown {
            Shown::Title => return record.title.clone(),
            Shown::Moment(at) => return instant_of(&record.row, at).map(moment).unwrap_or_default(),
            Shown::Column(at) => at,
        };
        let column = &self.table.columns[at];
        match &record.row[at] {
            Value::Id(id) => self.labels.get(id).cloned().unwrap_or_else(|| id.to_string()),
            Value::Int(minor) if column.kind == Kind::Money => match currency_of(self.table, &record.row) {
                Some(currency) => amount(Money::new(*minor, currency)),
                None => minor.to_string(),
            },
            Value::Instant(instant) => moment(*instant),
            Value::Text(text) if column.kind == Kind::Json => pretty_document(text),
            _ => self.plain(record, shown),
        }
    }

    /// A record as a JSON object on one line, or on several with this indentation.
    pub(crate) fn json(&self, record: &Record, extra: &[(&str, String)], indent: Option<usize>) -> String {
        let mut out = String::from("{");
        let mut first = true;
        let gap = indent.map(|indent| format!("\n{}", " ".repeat(indent + 2)));
        let mut name = |out: &mut String, name: &str| {
            if !std::mem::take(&mut first) {
                out.push(',');
            }
            out.push_str(gap.as_deref().unwrap_or_default());
            write_text(out, name);
            out.push_str(if gap.is_some() { ": " } else { ":" });
        };
        for (key, shown) in &self.columns {
            name(&mut out, key);
            match shown {
                Shown::Title => write_text(&mut out, &record.title),
                Shown::Moment(at) => match instant_of(&record.row, *at) {
                    Some(instant) => write_text(&mut out, &instant.to_string()),
                    None => out.push_str("null"),
                },
                Shown::Column(at) => json_cell(&mut out, self.table, &record.row, *at),
            }
        }
        for (key, json) in extra {
            name(&mut out, key);
            out.push_str(json);
        }
        if let Some(indent) = indent {
            out.push('\n');
            out.push_str(&" ".repeat(indent));
        }
        out.push('}');
        out
    }

    /// The header of the columns.
    pub(crate) fn header(&self) -> Vec<&str> {
        self.columns.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// The record's cells, exact.
    pub(crate) fn cells(&self, record: &Record) -> Vec<String> {
        self.columns.iter().map(|(_, shown)| self.plain(record, *shown)).collect()
    }

    /// Records as a grid for people.
    pub(crate) fn draw(&self, out: Out, records: &[Record]) -> String {
        let number = |shown: &Shown| match shown {
            Shown::Column(at) => matches!(self.table.columns[*at].kind, Kind::Money | Kind::Decimal | Kind::Int),
            Shown::Title | Shown::Moment(_) => false,
        };
        let right: Vec<usize> =
            self.columns.iter().enumerate().filter(|(_, (_, shown))| number(shown)).map(|(at, _)| at).collect();
        let header: Vec<String> = self.columns.iter().map(|(name, _)| heading(name)).collect();
        let header: Vec<&str> = header.iter().map(String::as_str).collect();
        let rows: Vec<Vec<String>> = records
            .iter()
            .map(|record| self.columns.iter().map(|(_, shown)| self.human(record, *shown)).collect())
            .collect();
        out.draw(&header, &right, &rows)
    }

    /// One record for people: each field that is there.
    pub(crate) fn sheet(&self, record: &Record) -> String {
        let there = |shown: &Shown| match shown {
            Shown::Column(at) => !record.row[*at].is_null(),
            Shown::Moment(at) => instant_of(&record.row, *at).is_some(),
            Shown::Title => true,
        };
        let names: Vec<(String, String)> = self
            .columns
            .iter()
            .filter(|(_, shown)| there(shown))
            .map(|(name, shown)| (heading(name), self.human(record, *shown)))
            .collect();
        let fields: Vec<(&str, String)> = names.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
        Out::fields(&fields)
    }
}

/// A column's name as people read it.
fn heading(name: &str) -> String {
    let name = name.strip_suffix("_id").filter(|rest| *rest != "external").unwrap_or(name);
    crate::error::sentence(&name.replace('_', " "))
}

/// The name of a kind of record, in sentences.
pub(crate) fn noun(entity: &str) -> &str {
    match entity {
        "membership" => "member",
        "number_series" => "series",
        "audit_entry" => "entry",
        // Billing.
        "invoice_line" | "credit_note_line" => "line",
        "credit_note" => "credit note",
        "stage_change" => "step",
        "deal_stage" => "deal",
        "case_event" => "event",
        "case_rule" => "deadline-rule",
        // Access.
        "api_key" => "key",
        "api_request" => "request",
        other => other,
    }
}

/// The name of several records of a kind, in sentences.
pub(crate) fn plural(entity: &str) -> String {
    match noun(entity) {
        "series" => "series".to_owned(),
        "entry" => "entries".to_owned(),
        other => format!("{other}s"),
    }
}

/// The error of a column that is not there.
pub(crate) fn unknown_column(table: &Table, name: &str) -> Failure {
    let known = table.columns.iter().filter(|column| !is_internal(column) && column.name != "search");
    let known: Vec<String> = known
        .map(|column| {
            column.name.strip_suffix(MICROS).map_or_else(|| column.name.to_owned(), |name| format!("{name}_at"))
        })
        .collect();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let failure = Failure::usage(format!("There is no column {name:?} of {}", plural(table.entity)));
    match crate::config::nearest(name, &known) {
        Some(near) => failure.hint(format!("Did you mean {near}? There are {}", known.join(", "))),
        None => failure.hint(format!("There are {}", known.join(", "))),
    }
}

fn currency_of(table: &Table, row: &Row) -> Option<Currency> {
    let text = row[table.position("currency")?].as_text()?;
    Currency::from_stored(text).ok()
}

/// An amount without its currency, exact.
pub(crate) fn bare(money: Money) -> String {
    let text = money.to_string();
    text.rsplit_once(' ').map_or_else(|| text.clone(), |(amount, _)| amount.to_owned())
}

/// An amount as people read it: `2,328.60 USD`.
pub(crate) fn amount(money: Money) -> String {
    let text = bare(money);
    let (sign, digits) = text.strip_prefix('-').map_or(("", text.as_str()), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(whole, rest)| (whole, Some(rest)));
    let mut out = String::from(sign);
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if let Some(fraction) = fraction {
        let _ = write!(out, ".{fraction}");
    }
    let _ = write!(out, " {}", money.currency());
    out
}

/// An instant as people read it.
pub(crate) fn moment(instant: Instant) -> String {
    instant.datetime().format("%Y-%m-%d %H:%M:%S UTC").to_string()
}

fn plain(table: &Table, row: &Row, at: usize) -> String {
    let column = &table.columns[at];
    match &row[at] {
        Value::Null => String::new(),
        Value::Text(text) => text.clone(),
        Value::Int(minor) if column.kind == Kind::Money => match currency_of(table, row) {
            Some(currency) => bare(Money::new(*minor, currency)),
            None => minor.to_string(),
        },
        value => {
            let mut out = String::new();
            write_value(&mut out, column.kind, value);
            out.trim_matches('"').to_owned()
        }
    }
}

/// Appends a cell as JSON: amounts as objects, everything else as the audit and archives write it.
fn json_cell(out: &mut String, table: &Table, row: &Row, at: usize) {
    let column = &table.columns[at];
    match (&row[at], column.kind) {
        (Value::Int(minor), Kind::Money) => match currency_of(table, row) {
            Some(currency) => {
                let _ = write!(out, r#"{{"amount":"{}","currency":"{currency}"}}"#, bare(Money::new(*minor, currency)));
            }
            None => out.push_str("null"),
        },
        (value, kind) => write_value(out, kind, value),
    }
}

/// A JSON object as `key: value` lines, an array of objects with a line for each.
fn pretty_document(text: &str) -> String {
    fn fields(object: &serde_json::Map<String, serde_json::Value>, between: &str) -> String {
        let field = |(key, value): (&String, &serde_json::Value)| match value {
            serde_json::Value::String(text) => format!("{key}: {text}"),
            other => format!("{key}: {other}"),
        };
        object.iter().map(field).collect::<Vec<_>>().join(between)
    }
    match serde_json::from_str::<serde_json::Value>(text) {
        Ok(serde_json::Value::Object(object)) => fields(&object, "\n"),
        Ok(serde_json::Value::Array(items)) if items.is_empty() => "none".to_owned(),
        Ok(serde_json::Value::Array(items)) if items.iter().all(serde_json::Value::is_object) => {
            let lines = items.iter().filter_map(|item| item.as_object()).map(|object| fields(object, ", "));
            lines.collect::<Vec<_>>().join("\n")
        }
        _ => text.to_owned(),
    }
}

/// Writes a list page by page, so that it never stands in memory whole.
pub(crate) struct List<'a> {
    out: Out,
    view: &'a View,
    csv: Option<Csv>,
    any: bool,
}

impl<'a> List<'a> {
    /// Begins a list.
    pub(crate) const fn new(out: Out, view: &'a View) -> Self {
        Self { out, view, csv: None, any: false }
    }

    /// Writes a page.
    pub(crate) fn page(&mut self, records: &[Record]) -> Done {
        let view = self.view;
        let mut text = String::new();
        match self.out.format {
            Format::Table => {
                if !records.is_empty() || !self.any {
                    text = view.draw(self.out, records);
                }
                self.any = true;
            }
            Format::Json => {
                for record in records {
                    text.push_str(if std::mem::replace(&mut self.any, true) { ",\n" } else { "[\n" });
                    text.push_str(&view.json(record, &[], None));
                }
            }
            Format::Ndjson => {
                for record in records {
                    text.push_str(&view.json(record, &[], None));
                    text.push('\n');
                }
            }
            Format::Id => {
                for record in records {
                    let _ = writeln!(text, "{}", view.table.id(&record.row));
                }
            }
            Format::Csv => {
                if self.csv.is_none() {
                    self.csv = Some(self.out.csv(view.header())?);
                }
                if let Some(csv) = &mut self.csv {
                    for record in records {
                        csv.row(view.cells(record).iter().map(String::as_str))?;
                    }
                    text = csv.take()?;
                }
            }
        }
        self.out.data(&text)
    }

    /// Ends the list.
    pub(crate) fn end(self) -> Done {
        match self.out.format {
            Format::Json if self.any => self.out.data("\n]\n"),
            Format::Json => self.out.data("[]\n"),
            _ => Ok(()),
        }
    }
}

/// Writes one record; `extra` are further members of its JSON object, `more` what people see beneath it.
pub(crate) fn one(out: Out, view: &View, record: &Record, extra: &[(&str, String)], more: &str) -> Done {
    out.data(&match out.format {
        Format::Table => format!("{}{more}", view.sheet(record)),
        Format::Json => format!("{}\n", view.json(record, extra, Some(0))),
        Format::Ndjson => format!("{}\n", view.json(record, extra, None)),
        Format::Id => format!("{}\n", view.table.id(&record.row)),
        Format::Csv => {
            let mut csv = out.csv(view.header())?;
            csv.row(view.cells(record).iter().map(String::as_str))?;
            csv.take()?
        }
    })
}

/// Writes one record with a secret that is shown this once: the secret alone where ids are asked for or people do not
/// read along, else beneath the record or among its members under this name.
pub(crate) fn with_secret(out: Out, view: &View, record: &Record, name: &str, secret: &Secret) -> Done {
    let text = secret.expose();
    match out.format {
        Format::Table if out.is_terminal() => {
            let name = heading(name);
            one(out, view, record, &[], &format!("\n{}", Out::fields(&[(&name, text.to_owned())])))
        }
        Format::Table | Format::Id => out.data(&format!("{text}\n")),
        Format::Csv => {
            let mut csv = out.csv(view.header().into_iter().chain([name]))?;
            let cells = view.cells(record);
            csv.row(cells.iter().map(String::as_str).chain([text]))?;
            out.data(&csv.take()?)
        }
        Format::Json | Format::Ndjson => {
            let mut json = String::new();
            write_text(&mut json, text);
            one(out, view, record, &[(name, json)], "")
        }
    }
}

/// Writes things that are no records of a table: their JSON is that of `serde`, their cells are the same for people
/// and for CSV, and the first cell stands for the id.
pub(crate) fn items<T: Serialize>(
    out: Out,
    items: &[T],
    header: &[&str],
    right: &[usize],
    cells: impl Fn(&T) -> Vec<String>,
) -> Done {
    rows(out, items, header, right, json, cells)
}

/// As [`items`], with a JSON text of their own.
pub(crate) fn rows<T>(
    out: Out,
    items: &[T],
    header: &[&str],
    right: &[usize],
    json: impl Fn(&T) -> Result<String, Failure>,
    cells: impl Fn(&T) -> Vec<String>,
) -> Done {
    let mut text = String::new();
    match out.format {
        Format::Table => {
            let names: Vec<String> = header.iter().map(|name| heading(name)).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            return out.grid(&names, right, &items.iter().map(cells).collect::<Vec<_>>());
        }
        Format::Json | Format::Ndjson => {
            let lines: Vec<String> = items.iter().map(json).collect::<Result<_, _>>()?;
            text = match out.format {
                Format::Ndjson => lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect(),
                _ if lines.is_empty() => "[]\n".to_owned(),
                _ => format!("[\n{}\n]\n", lines.join(",\n")),
            };
        }
        Format::Id => {
            for item in items {
                let _ = writeln!(text, "{}", cells(item).first().map_or("", String::as_str));
            }
        }
        Format::Csv => {
            let mut csv = out.csv(header.iter().copied())?;
            for item in items {
                csv.row(cells(item).iter().map(String::as_str))?;
            }
            text = csv.take()?;
        }
    }
    out.data(&text)
}

/// A thing as JSON on one line.
pub(crate) fn json<T: Serialize + ?Sized>(item: &T) -> Result<String, Failure> {
    serde_json::to_string(item).map_err(|error| Failure::failed(format!("Cannot write JSON: {error}")))
}

/// A thing as JSON on as many lines as people like.
pub(crate) fn pretty<T: Serialize + ?Sized>(item: &T) -> Result<String, Failure> {
    serde_json::to_string_pretty(item).map_err(|error| Failure::failed(format!("Cannot write JSON: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn out(format: Format) -> Out {
        Out { format, quiet: false, verbose: false, excel_safe: false }
    }

    #[test]
    fn amounts_are_grouped_for_people_only() {
        for (minor, currency, shown) in
            [(232_860, "USD", "2,328.60 USD"), (-1_234_567_890, "EUR", "-12,345,678.90 EUR"), (999, "JPY", "999 JPY")]
        {
            assert_eq!(amount(Money::new(minor, currency.parse().unwrap())), shown);
        }
        assert_eq!(bare(Money::new(232_860, "USD".parse().unwrap())), "2328.60");
    }

    #[test]
    fn cells_that_look_like_formulas_are_disarmed_on_demand() {
        let row = ["=1+1", "+57 1", "-1", "@x", "a=b", "\tx"];
        let mut exact = out(Format::Csv).csv(row).unwrap();
        assert_eq!(exact.take().unwrap(), "=1+1,+57 1,-1,@x,a=b,\tx\n");
        let mut safe = Out { excel_safe: true, ..out(Format::Csv) }.csv(row).unwrap();
        assert_eq!(safe.take().unwrap(), "'=1+1,'+57 1,'-1,'@x,a=b,'\tx\n");
    }

    #[test]
    fn grids_are_never_cut_where_no_terminal_is() {
        let long = "x".repeat(400);
        let text = out(Format::Table).draw(&["A", "B"], &[1], &[vec![long.clone(), "1".into()]]);
        assert!(text.contains(&long));
    }

    #[test]
    fn machine_forms_leave_out_what_is_derived_or_internal() {
        let view = View::full(crm_core::people::Contact::TABLE);
        let names = view.header();
        assert!(names.contains(&"email") && names.contains(&"version"));
        assert!(!names.iter().any(|name| ["search", "name_key", "email_key", "email_claim"].contains(name)));
    }
}
