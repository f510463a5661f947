//! Documents as files: pages that are ready to be printed, and the JSON that they are made of.

use std::path::Path;

use clap::{ArgGroup, ArgMatches, Command, ValueHint};
use crm_core::print::{Printable, render};

use crate::args::{option, text};
use crate::error::{Done, Failure};
use crate::open::App;
use crate::output;

/// The name that stands for standard output.
const STDOUT: &str = "-";

/// The options of where a document is written to.
pub(super) fn options(command: Command) -> Command {
    let file = |name: &'static str, help: &'static str| option(name, "FILE", help).value_hint(ValueHint::FilePath);
    command
        .arg(file("html", "Writes the page, ready to be printed; - is standard output"))
        .arg(file("json", "Writes what stands on the page; - is standard output"))
        .arg(file("template", "A template of your own instead of the built-in one").requires("html"))
}

/// The command that prints a document.
pub(super) fn command(document: clap::Arg, about: &'static str) -> Command {
    options(Command::new("print").about(about).arg(document))
        .group(ArgGroup::new("printed").args(["html", "json"]).required(true).multiple(true))
}

/// Whether a document is to be written.
pub(super) fn is_wanted(args: &ArgMatches) -> bool {
    text(args, "html").is_some() || text(args, "json").is_some()
}

/// Writes a document to the files that were named.
pub(super) fn write<D: Printable>(app: &App, args: &ArgMatches, document: &D) -> Done {
    let (html, json) = (text(args, "html"), text(args, "json"));
    if html.is_some() && html == json {
        return Err(Failure::usage("The page and its JSON cannot go to the same place").field("json"));
    }
    if let Some(file) = html {
        let own = text(args, "template").map(read).transpose()?;
        put(app, file, &render(own.as_deref(), document)?)?;
    }
    match json {
        Some(file) => put(app, file, &format!("{}\n", output::pretty(document)?)),
        None => Ok(()),
    }
}

fn read(file: &str) -> Result<String, Failure> {
    let failed = |error| Failure::not_found(format!("Cannot read the template {file}: {error}")).field("template");
    std::fs::read_to_string(file).map_err(failed)
}

fn put(app: &App, file: &str, text: &str) -> Done {
    if file == STDOUT {
        return app.out.data(text);
    }
    std::fs::write(Path::new(file), text).map_err(|error| Failure::failed(format!("Cannot write {file}: {error}")))?;
    app.out.note(&format!("Wrote {file}."));
    Ok(())
}
