//! The command line: global options, options that several commands share, and how values are taken from them.

use std::ffi::OsString;
use std::str::FromStr;

use clap::builder::{PossibleValue, PossibleValuesParser, Styles};
use clap::{Arg, ArgAction, ArgMatches, Command, ValueHint};
use crm_core::access::IdempotencyKey;
use crm_core::entity::{Column, Flags, Kind, Shape, Table};
use crm_core::value::{Date, Patch, ValueError, parse_date};

use crate::error::Failure;
use crate::output::Format;

/// The whole command line.
pub(crate) fn command() -> Command {
    root().subcommands(crate::commands::all())
}

/// As much of the command line as these arguments can mean.
pub(crate) fn command_for(arguments: &[OsString]) -> Command {
    root().subcommands(crate::commands::among(arguments))
}

fn root() -> Command {
    let global = |arg: Arg| arg.global(true).help_heading("Global options");
    Command::new("crm")
        .version(env!("CARGO_PKG_VERSION"))
        .long_version(format!(
            "{} (schema {}, SQLite {})",
            env!("CARGO_PKG_VERSION"),
            crm_core::schema::VERSION,
            rusqlite::version()
        ))
        .about("Keeps contacts, deals, invoices and payments in one file, or in PostgreSQL")
        .long_about(
            "Keeps contacts, leads, deals, cases, tasks, products, invoices and payments of an organization, in one SQLite \
             file or in PostgreSQL.\n\n\
             Start with `crm demo` to look around, or with `crm init` for a book of your own.",
        )
        .after_help("`crm help exit-codes`, `crm help where`, `crm help lines`, `crm help templates` and `crm help environment` tell more.")
        .styles(Styles::styled())
        .subcommand_required(true)
        .arg_required_else_help(true)
        .disable_help_subcommand(true)
        .arg(global(
            Arg::new("database")
                .long("database")
                .value_name("URL")
                .env("CRM_DATABASE_URL")
                .hide_env_values(true)
                .value_hint(ValueHint::AnyPath)
                .help(
                    "The database: a path, sqlite:PATH or postgres://USER@HOST/NAME; a server's password is read from \
                     PGPASSWORD or ~/.pgpass",
                ),
        ))
        .arg(global(
            Arg::new("org").long("org").value_name("SLUG").env("CRM_ORG").help("The organization to work in"),
        ))
        .arg(global(
            Arg::new("as")
                .long("as")
                .value_name("EMAIL")
                .env("CRM_AS")
                .value_hint(ValueHint::EmailAddress)
                .help("The acting member; the audit names them"),
        ))
        .arg(global(
            Arg::new("key_stdin")
                .long("key-stdin")
                .action(ArgAction::SetTrue)
                .help("Acts through an API key, read from the first line of standard input; see also CRM_KEY"),
        ))
        .arg(global(
            Arg::new("output")
                .short('o')
                .long("output")
                .value_name("FORM")
                .env("CRM_OUTPUT")
                .value_parser(PossibleValuesParser::new(Format::NAMES))
                .help("The form of the output [default: table]"),
        ))
        .arg(global(
            Arg::new("color")
                .long("color")
                .value_name("WHEN")
                .env("CRM_COLOR")
                .value_parser(["auto", "always", "never"])
                .help("Whether messages are coloured [default: auto]"),
        ))
        .arg(global(
            Arg::new("excel_safe")
                .long("excel-safe")
                .action(ArgAction::SetTrue)
                .help("In CSV, disarms cells that a spreadsheet would take for formulas"),
        ))
        .arg(global(
            Arg::new("quiet").short('q').long("quiet").action(ArgAction::SetTrue).help("Says nothing but errors: no notes, no warnings"),
        ))
        .arg(global(
            Arg::new("verbose")
                .short('v')
                .long("verbose")
                .action(ArgAction::SetTrue)
                .conflicts_with("quiet")
                .help("Tells what lies behind an error"),
        ))
}

/// A group of commands about one thing.
pub(crate) fn group(name: &'static str, about: &'static str) -> Command {
    Command::new(name).about(about).subcommand_required(true).arg_required_else_help(true)
}

/// Shows an example beneath the help of commands of a group.
pub(crate) fn examples(group: Command, examples: &[(&'static str, &'static str)]) -> Command {
    let show = |group: Command, (name, example): &(&'static str, &str)| {
        let example = format!("Example: {example}");
        group.mut_subcommand(name, |command| command.after_help(example))
    };
    examples.iter().fold(group, show)
}

/// An option with a value.
pub(crate) fn option(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name.replace('_', "-")).value_name(value).help(help)
}

/// An option without a value.
pub(crate) fn flag(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name.replace('_', "-")).action(ArgAction::SetTrue).help(help)
}

/// The record that a command is about.
pub(crate) fn reference(keys: &[&str]) -> Arg {
    let keys: Vec<String> = keys.iter().map(|key| key.replace('_', " ")).collect();
    let help = if keys.is_empty() { "Its id".to_owned() } else { format!("Its id, or its {}", keys.join(", ")) };
    Arg::new("ref").value_name("REF").required(true).help(help)
}

/// The key that makes a command safe to send twice.
pub(crate) fn idempotency() -> Arg {
    Arg::new("idempotency")
        .long("key")
        .value_name("KEY")
        .help("Makes the command safe to send twice: the same key gives the first result again")
}

/// The idempotency key, if one was given.
pub(crate) fn idempotency_of(args: &ArgMatches) -> Result<Option<IdempotencyKey>, Failure> {
    text(args, "idempotency").map(str::parse).transpose().map_err(|reason| Failure::invalid("key", &reason))
}

/// An option for each column that callers may set.
pub(crate) fn settable(command: Command, table: &'static Table) -> Command {
    settable_but(command, table, "")
}

/// An option for each column that callers may set, but for one.
pub(crate) fn settable_but(mut command: Command, table: &'static Table, but: &str) -> Command {
    let settable = |column: &&Column| !column.flags.contains(Flags::SERVER_OWNED) && column.name != but;
    for column in table.columns.iter().filter(settable) {
        let mut arg = Arg::new(column.name)
            .long(column.name.replace('_', "-"))
            .value_name(value_name(column))
            .help(column.doc.trim_end_matches('.'));
        if column.references.is_some()
            && let Some(short) = column.name.strip_suffix("_id")
        {
            arg = arg.visible_alias(short);
        }
        if let Kind::Enum(names) = column.kind {
            // An empty value clears the field.
            let names = names.iter().map(PossibleValue::new).chain([PossibleValue::new("").hide(true)]);
            arg = arg.value_parser(PossibleValuesParser::new(names));
        }
        command = command.arg(arg);
    }
    command
}

fn value_name(column: &Column) -> &'static str {
    match column.kind {
        Kind::Id if column.target().is_some_and(|table| table.entity == "user") => "EMAIL",
        Kind::Id => "REF",
        Kind::Bool => "BOOL",
        Kind::Int => "N",
        Kind::Money => "AMOUNT",
        Kind::Decimal => "NUMBER",
        Kind::Enum(_) => "CHOICE",
        Kind::Json => "JSON",
        Kind::Date => "DATE",
        Kind::Instant => "INSTANT",
        Kind::Text | Kind::Bytes => match column.name {
            "currency" | "default_currency" => "CODE",
            _ => "TEXT",
        },
    }
}

/// The options of every list.
pub(crate) fn listing(mut command: Command, table: &'static Table) -> Command {
    command = command
        .arg(option("where", "CONDITION", "Only records that fulfil the condition; see `crm help where`"))
        .arg(
            option("sort", "COLUMNS", "Columns to sort by; a leading - sorts downwards: name,-created_at")
                .allow_hyphen_values(true),
        )
        .arg(
            option("limit", "N", "At most so many")
                .value_parser(clap::value_parser!(u32).range(1..=i64::from(crm_core::store::LARGEST_PAGE)))
                .default_value("50"),
        )
        .arg(option("after", "CURSOR", "Goes on after the page that gave this cursor"))
        .arg(flag("all", "Every record, not only one page").conflicts_with("after"))
        .arg(option("columns", "COLUMNS", "The columns to show, separated by commas"));
    if table.search_position().is_some() {
        command = command.arg(option("search", "TEXT", "Only records with words that begin like these"));
    }
    if table.shape == Shape::Archivable {
        command = command.arg(flag("archived", "Archived records too"));
    }
    command
}

/// The text of an option.
pub(crate) fn text<'a>(args: &'a ArgMatches, name: &str) -> Option<&'a str> {
    args.try_get_one::<String>(name).ok().flatten().map(String::as_str)
}

/// The texts of an option that may be repeated.
pub(crate) fn texts<'a>(args: &'a ArgMatches, name: &str) -> Vec<&'a str> {
    let values = args.try_get_many::<String>(name).ok().flatten();
    values.map(|values| values.map(String::as_str).collect()).unwrap_or_default()
}

/// Whether an option without a value was given.
pub(crate) fn given(args: &ArgMatches, name: &str) -> bool {
    args.try_get_one::<bool>(name).ok().flatten().copied().unwrap_or(false)
}

/// The value of an option, read.
pub(crate) fn value<T: FromStr<Err = ValueError>>(args: &ArgMatches, name: &str) -> Result<Option<T>, Failure> {
    text(args, name).map(str::parse).transpose().map_err(|reason| Failure::invalid(name, &reason))
}

/// The value of an option that the parser requires.
pub(crate) fn required<T: FromStr<Err = ValueError>>(args: &ArgMatches, name: &str) -> Result<T, Failure> {
    value(args, name)?.ok_or_else(|| Failure::invalid(name, &ValueError::Blank))
}

/// The date of an option.
pub(crate) fn date(args: &ArgMatches, name: &str) -> Result<Option<Date>, Failure> {
    text(args, name).map(parse_date).transpose().map_err(|reason| Failure::invalid(name, &reason))
}

/// A three-state change: absent, empty to clear, or a value.
pub(crate) fn patch<T>(
    args: &ArgMatches,
    name: &str,
    read: impl FnOnce(&str) -> Result<T, ValueError>,
) -> Result<Patch<T>, Failure> {
    match text(args, name) {
        None => Ok(Patch::Keep),
        Some(text) if text.trim().is_empty() => Ok(Patch::Clear),
        Some(text) => read(text).map(Patch::Set).map_err(|reason| Failure::invalid(name, &reason)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        command().debug_assert();
    }

    /// Every example that a help text shows, with `'…'` around words that have spaces.
    #[test]
    fn the_examples_are_read_by_the_parser() {
        fn collect(command: &Command, examples: &mut Vec<String>) {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            examples.extend(help.lines().filter_map(|line| line.strip_prefix("Example: ")).map(str::to_owned));
            command.get_subcommands().for_each(|command| collect(command, examples));
        }
        let mut examples = Vec::new();
        collect(&command(), &mut examples);
        assert!(examples.len() > 40, "{}", examples.len());
        for example in examples {
            let words = example.split('\'').enumerate().flat_map(|(at, part)| {
                let quoted = at % 2 == 1;
                let parts: Vec<&str> = if quoted { vec![part] } else { part.split(' ').collect() };
                parts.into_iter().map(move |part| (quoted, part)).collect::<Vec<_>>()
            });
            let mut line: Vec<String> = Vec::new();
            for (quoted, word) in words {
                // What touches a quotation mark belongs to the same word.
                match line.last_mut() {
                    Some(last) if quoted => last.push_str(word),
                    _ => line.push(word.to_owned()),
                }
            }
            line.retain(|word| !word.is_empty());
            if let Err(error) = command().try_get_matches_from(&line) {
                panic!("{example}\n{line:?}\n{error}");
            }
        }
    }

    #[test]
    fn every_settable_column_is_an_option() {
        let mut add = settable(Command::new("add"), <crm_core::people::Contact as crm_core::entity::Entity>::TABLE);
        let help = add.render_help().to_string();
        for name in crm_core::crud::settable::<crm_core::people::Contact>() {
            assert!(help.contains(&format!("--{}", name.replace('_', "-"))), "{name}");
        }
        assert!(!help.contains("--code"));
    }
}
