//! `crm import`: reads CSV files into the book.

use std::fs::File;
use std::io::{self, IsTerminal as _, Read, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use clap::{Arg, ArgMatches, Command, ValueHint};
use crm_core::Invalid;
use crm_core::import::{Import, ImportKind, ImportReport, Mapping, Observer, Problem};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Deserialize as _;

use super::verb;
use crate::args::{flag, given, group, option, text};
use crate::error::{Done, Failure};
use crate::open::App;
use crate::output::{self, Format, Out};

const MAP: &str = "\
A map file says which column of the file holds which field, in TOML:

  [columns]                     # the field, and the header of its column
  given_name = \"FirstName\"
  [constants]                   # the same in every row
  kind = \"person\"
  [values.country]              # what to read for a cell's text
  \"UK\" = \"GB\"

delimiter, date_format (\"%d/%m/%Y\", or a list) and decimal_comma tell how the file is
written; of several formats all that fit a date must read it alike. For invoices,
[lines.columns] and so on map the file of lines. Without a map, columns are taken by the
names of the fields, and a warning names those that are not read.";

const INVOICES: &str = "\
Fields are number, the contact as one of contact, contact_id, contact_external_id,
contact_email, contact_phone, contact_account_number, contact_code and contact_name, then
issued_on, due_on, currency, total (refused if the lines come to another one), notes,
external_id; and per line line.description, line.product_sku, line.quantity,
line.unit_price, line.discount_percent or line.discount, and line.tax_percent. Rows with
the same number that follow one another are one invoice. In a file of lines, invoice is
the number or the external_id of the invoice.";

const PAYMENTS: &str = "\
Fields are the contact as one of contact, contact_id, contact_external_id, contact_email,
contact_phone, contact_account_number, contact_code and contact_name, then amount,
currency, received_on, method, reference, notes, external_id, and invoice, the number or
external_id of the invoice that it settles, or allocate, which is oldest or none.";

const DEALS: &str = "\
Fields are title (else the names of contact and product), the contact as for invoices, the
product as one of product, product_id, product_sku, product_external_id and product_name,
owner, a member's e-mail address, or owner_name, the full name, then pipeline, stage,
status, amount, currency, expected_close_on, external_id, lost_reason (of lost deals
alone), and since when: opened_on or opened_at, closed_on or closed_at. Only owners and
admins may give these dates; the steps of the history are marked as imported. With
--upsert-by external_id, open deals that are there are changed, moved and closed.";

pub(super) fn command() -> Command {
    let kind = |name: &'static str, about: &'static str, fields: &str| {
        Command::new(name)
            .about(about)
            .arg(
                Arg::new("file")
                    .value_name("FILE")
                    .required(true)
                    .value_hint(ValueHint::FilePath)
                    .help("The CSV file; - for standard input"),
            )
            .arg(option("map", "FILE", "Which column holds which field").value_hint(ValueHint::FilePath))
            .arg(option("upsert_by", "KEY", "A natural key: rows that are there already are compared and changed"))
            .arg(flag("dry_run", "Does everything, and writes nothing"))
            .arg(flag("lenient", "Keeps phone numbers that cannot be read as they are, and tells which"))
            .arg(flag("skip_refused", "Writes the good rows although others are refused"))
            .arg(
                option("rejects", "FILE", "Writes the refused rows to a file, with the reasons in a last column")
                    .value_hint(ValueHint::FilePath),
            )
            .after_help(format!("{fields}\n\n{MAP}"))
    };
    group("import", "Reads CSV files into the book, all or nothing")
        .subcommand(kind(
            "contacts",
            "Reads people and companies",
            "Fields are the options of `crm contact add`, and owner, a member's e-mail address.",
        ))
        .subcommand(kind("products", "Reads products and services", "Fields are the options of `crm product add`."))
        .subcommand(
            kind("invoices", "Reads issued invoices with their lines", INVOICES)
                .arg(
                    option("lines", "FILE", "The lines, in the order of the invoices; else they stand in FILE itself")
                        .value_hint(ValueHint::FilePath),
                )
                .arg(
                    option("lines_map", "FILE", "Which column of the file of lines holds which field")
                        .value_hint(ValueHint::FilePath)
                        .requires("lines"),
                ),
        )
        .subcommand(kind("payments", "Reads payments received", PAYMENTS))
        .subcommand(kind("deals", "Reads deals with their history", DEALS))
}

pub(super) async fn run(app: &App, args: &ArgMatches) -> Done {
    let (verb, args) = verb(args)?;
    let kind: ImportKind = verb.parse().map_err(|reason| Failure::invalid("kind", &reason))?;
    let (mapping, lines) = map(text(args, "map"))?;
    let lines_mapping = match text(args, "lines_map") {
        Some(path) => map(Some(path))?.0,
        None => lines.unwrap_or_default(),
    };
    if let Some(rejects) = text(args, "rejects") {
        for read in ["file", "lines"].into_iter().filter_map(|name| text(args, name)) {
            if is_same_file(rejects, read) {
                return Err(Failure::usage(format!("--rejects would overwrite {read}, which is read")));
            }
        }
    }
    let rejects = text(args, "rejects").map(Rejects::create).transpose()?;
    let rejects = Arc::new(Mutex::new(rejects));
    let bar = bar(app.out);
    let watch = Watch { bar: bar.clone(), rejects: Arc::clone(&rejects) };
    let input = input(text(args, "file").unwrap_or_default())?;
    let second = text(args, "lines").map(self::input).transpose()?;
    let session = app.session().await?;
    let report = session
        .import(Import {
            lines: second,
            lines_mapping,
            mapping,
            upsert_by: text(args, "upsert_by").map(str::to_owned),
            dry_run: given(args, "dry_run"),
            lenient: given(args, "lenient"),
            skip_refused: given(args, "skip_refused"),
            observer: Box::new(watch),
            ..Import::new(kind, input)
        })
        .await;
    bar.finish_and_clear();
    let report = report.map_err(|error| {
        let failure = Failure::from(error);
        if failure.hint.is_none() && failure.field.is_some() {
            failure.hint(format!("`crm import {kind} --help` explains map files"))
        } else {
            failure
        }
    })?;
    if let Some(rejects) = rejects.lock().unwrap_or_else(PoisonError::into_inner).take() {
        rejects.finish()?;
    }
    tell(app.out, kind, &report)?;
    // A dry run that would have skipped them has done what it was asked for.
    let skipped = report.dry_run && given(args, "skip_refused");
    if report.refused > 0 && !report.written && !skipped {
        let rows = if report.refused == 1 { "row was" } else { "rows were" };
        return Err(Failure::refused(format!("{} {rows} refused; nothing was written", report.refused))
            .hint("Correct them, or give --skip-refused to write the others"));
    }
    Ok(())
}

/// Opens a file, or standard input.
fn input(path: &str) -> Result<Box<dyn Read + Send>, Failure> {
    if path == "-" {
        if io::stdin().is_terminal() {
            return Err(Failure::usage("Nothing is piped into standard input")
                .hint("Give a file, or pipe one in: crm import contacts - < contacts.csv"));
        }
        return Ok(Box::new(io::stdin()));
    }
    Ok(Box::new(File::open(path).map_err(|error| unreadable(path, &error))?))
}

/// A file that cannot be read.
pub(super) fn unreadable(path: &str, error: &io::Error) -> Failure {
    let message = format!("Cannot read {path}: {error}");
    if error.kind() == io::ErrorKind::NotFound { Failure::not_found(message) } else { Failure::failed(message) }
}

/// Reads a map file: the mapping of the file, and that of the lines if there is one.
fn map(path: Option<&str>) -> Result<(Mapping, Option<Mapping>), Failure> {
    let Some(path) = path else { return Ok((Mapping::default(), None)) };
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(path, &error))?;
    let wrong = |error: &toml::de::Error| {
        Failure::usage(format!("The map file {path} is wrong: {}", error.message()))
            .field("map")
            .hint("`crm import contacts --help` explains map files")
    };
    let mut table: toml::Table = text.parse().map_err(|error| wrong(&error))?;
    let lines = table.remove("lines").map(Mapping::deserialize).transpose().map_err(|error| wrong(&error))?;
    Ok((Mapping::deserialize(table).map_err(|error| wrong(&error))?, lines))
}

/// A progress bar on a terminal, nothing elsewhere.
fn bar(out: Out) -> ProgressBar {
    if out.quiet || !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{spinner} {human_pos} rows, {per_sec}") {
        bar.set_style(style);
    }
    bar
}

/// Whether both paths lead to one file that is there.
fn is_same_file(one: &str, other: &str) -> bool {
    match (Path::new(one).canonicalize(), Path::new(other).canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}

/// Watches an import: moves the bar and keeps the refused rows.
struct Watch {
    bar: ProgressBar,
    rejects: Arc<Mutex<Option<Rejects>>>,
}

impl Watch {
    fn reject(&self, write: impl FnOnce(&mut Rejects)) {
        if let Some(rejects) = self.rejects.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            write(rejects);
        }
    }
}

impl Observer for Watch {
    fn progress(&mut self, rows_read: u64) {
        self.bar.set_position(rows_read);
    }

    fn header(&mut self, header: &[String]) {
        self.reject(|rejects| rejects.row(header, "problem"));
    }

    fn refused(&mut self, _: u64, record: &[String], reasons: &[Invalid]) {
        let reasons: Vec<String> = reasons.iter().map(ToString::to_string).collect();
        self.reject(|rejects| rejects.row(record, &reasons.join("; ")));
    }
}

/// The file of refused rows. It has its name only when it is whole.
struct Rejects {
    path: PathBuf,
    part: PathBuf,
    writer: csv::Writer<File>,
    failed: Option<csv::Error>,
}

impl Rejects {
    fn create(path: &str) -> Result<Self, Failure> {
        let path = Path::new(path).to_path_buf();
        let mut part = path.clone().into_os_string();
        part.push(".part");
        let part = PathBuf::from(part);
        let file = File::create(&part)
            .map_err(|error| Failure::failed(format!("Cannot write {}: {error}", part.display())))?;
        let writer = csv::WriterBuilder::new().flexible(true).from_writer(file);
        Ok(Self { path, part, writer, failed: None })
    }

    fn row(&mut self, cells: &[String], last: &str) {
        let row = cells.iter().map(String::as_str).chain([last]);
        if let Err(error) = self.writer.write_record(row) {
            self.failed.get_or_insert(error);
        }
    }

    fn finish(self) -> Done {
        let path = self.path.display().to_string();
        let failed = |error: &dyn std::fmt::Display| Failure::failed(format!("Cannot write {path}: {error}"));
        if let Some(error) = self.failed {
            return Err(failed(&error));
        }
        let mut file = self.writer.into_inner().map_err(|error| failed(error.error()))?;
        file.flush().and_then(|()| std::fs::rename(&self.part, &self.path)).map_err(|error| failed(&error))
    }
}

/// Tells what came of it.
fn tell(out: Out, kind: ImportKind, report: &ImportReport) -> Done {
    let told = |problem: &Problem| {
        let clear = problem.got.is_empty() || problem.reason.contains(&format!("{:?}", problem.got));
        let got = if clear { String::new() } else { format!(" (got {:?})", problem.got) };
        format!("Line {}, {}: {}{got}.", problem.line, problem.field, problem.reason)
    };
    for problem in &report.problems {
        output::say(&told(problem));
    }
    if report.further_problems > 0 {
        output::say(&format!("There are {} problems besides.", report.further_problems));
    }
    for warning in &report.warnings {
        out.warn(&told(warning));
    }
    if report.further_warnings > 0 {
        out.warn(&format!("There are {} warnings besides.", report.further_warnings));
    }
    let counts = [
        ("read", report.read),
        ("created", report.created),
        ("updated", report.updated),
        ("unchanged", report.unchanged),
        ("refused", report.refused),
    ];
    let written = if report.written { "yes" } else { "no" };
    out.data(&match out.format {
        Format::Json => format!("{}\n", output::pretty(report)?),
        Format::Ndjson => format!("{}\n", output::json(report)?),
        Format::Id => String::new(),
        Format::Csv => {
            let mut csv = out.csv(counts.iter().map(|(name, _)| *name).chain(["written"]))?;
            let numbers: Vec<String> = counts.iter().map(|(_, count)| count.to_string()).collect();
            csv.row(numbers.iter().map(String::as_str).chain([written]))?;
            csv.take()?
        }
        Format::Table => {
            let name = |name: &str| match name {
                "created" if !report.written => "To create".to_owned(),
                "updated" if !report.written => "To update".to_owned(),
                other => crate::error::sentence(other),
            };
            let mut fields: Vec<(String, String)> =
                counts.iter().map(|(field, count)| (name(field), count.to_string())).collect();
            fields.push(("Written".to_owned(), written.to_owned()));
            let fields: Vec<(&str, String)> =
                fields.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
            Out::fields(&fields)
        }
    })?;
    if report.dry_run {
        out.note(&format!("This was a dry run: no {kind} were written."));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn map_files_may_hold_that_of_the_lines() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("map.toml");
        std::fs::write(&path, "[columns]\nnumber = \"No\"\n[lines.columns]\ninvoice = \"No\"\n").unwrap();
        let (mapping, lines) = map(path.to_str()).unwrap();
        assert_eq!(mapping.columns["number"], "No");
        assert_eq!(lines.unwrap().columns["invoice"], "No");
        std::fs::write(&path, "[colums]\nnumber = \"No\"\n").unwrap();
        let failure = map(path.to_str()).unwrap_err();
        assert_eq!(failure.exit, 2);
        assert!(failure.message.contains("colums"), "{}", failure.message);
        assert_eq!(map(Some("nowhere.toml")).unwrap_err().exit, 3);
    }
}
