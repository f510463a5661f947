//! The `crm` command: the CRM engine on the command line.
//!
//! Data goes to standard output and everything else to standard error; errors are one sentence and a hint, and each
//! kind has its exit code. A command is a file of `commands`; what they share stands beside it: the options
//! (`args`), remembered defaults (`config`), the database (`open`), who acts (`acting`, `logins`), secrets (`secrets`,
//! `private`), the forms of the output (`output`), the language of `--where` (`filter`), plain records (`records`,
//! `nouns`), the parts beneath a record (`beneath`), records of any kind (`subject`) and the sentences of errors (`error`).

mod acting;
mod args;
mod beneath;
mod commands;
mod config;
mod error;
mod filter;
mod logins;
mod nouns;
mod open;
mod output;
mod private;
mod records;
mod secrets;
mod subject;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::ErrorKind;

use crate::error::{Done, Failure};
use crate::open::App;

/// Runs the command line of this process.
///
/// An interrupt ends the process with exit code 130 at once; what was not committed by then is rolled back.
pub fn main() -> ExitCode {
    // Without the handler an interrupt ends the process just the same, only with another code.
    let _ = ctrlc::set_handler(|| {
        secrets::restore_terminal();
        std::process::exit(130)
    });
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let json = wants_json(&arguments);
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Ended::Told(code)) => ExitCode::from(code),
        Err(Ended::Failed(failure, out)) => {
            tell(&failure, out.map_or(json, |(json, _)| json), out.is_some_and(|(_, verbose)| verbose));
            ExitCode::from(failure.exit)
        }
    }
}

/// Why a run ended without success.
enum Ended {
    /// Everything has been said.
    Told(u8),
    /// A command failed; whether it speaks JSON and tells more, if it came to know.
    Failed(Failure, Option<(bool, bool)>),
}

fn run(arguments: Vec<OsString>) -> Result<(), Ended> {
    let json = wants_json(&arguments);
    let matches = args::command_for(&arguments).try_get_matches_from(arguments).map_err(|error| usage(&error, json))?;
    let app = App::new(&matches).map_err(|failure| Ended::Failed(failure, None))?;
    let result = if open::is_server(app.settings.database()) {
        // The driver of PostgreSQL needs a runtime; nothing else does, so nothing else pays for one.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        match runtime {
            Ok(runtime) => runtime.block_on(carry_out(&app, &matches)),
            Err(error) => Err(error.into()),
        }
    } else {
        crm_core::block_on(carry_out(&app, &matches))
    };
    let speech = (app.out.format == output::Format::Json || app.out.format == output::Format::Ndjson, app.out.verbose);
    result.map_err(|failure| Ended::Failed(failure, Some(speech)))
}

async fn carry_out(app: &App, matches: &clap::ArgMatches) -> Done {
    let done = commands::run(app, matches).await;
    if done.is_ok() {
        app.tell_quotas().await;
    }
    let closed = app.close().await;
    done.and(closed)
}

/// What the parser has to say: help and versions on standard output, errors on standard error.
fn usage(error: &clap::Error, json: bool) -> Ended {
    let help = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    if json && !help {
        let text = error.render().to_string();
        let message = text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
        let failure = Failure::usage(error::sentence(&message)).hint("`crm help` shows the commands and their options");
        return Ended::Failed(failure, None);
    }
    // There is nobody left to tell when the stream is gone.
    let _ = error.print();
    Ended::Told(if help { 0 } else { 2 })
}

/// Says why a command failed: a sentence and a hint, or an object for machines.
fn tell(failure: &Failure, json: bool, verbose: bool) {
    if failure.is_quiet() {
        return;
    }
    if json {
        output::say(&failure.to_json());
        return;
    }
    let stop = |text: &str| if text.ends_with(['.', '?', '!', '…']) { "" } else { "." };
    let red = anstyle::AnsiColor::Red.on_default().bold();
    let cyan = anstyle::AnsiColor::Cyan.on_default().bold();
    output::say(&format!("{red}Error:{red:#} {}{}", failure.message, stop(&failure.message)));
    if verbose {
        for cause in &failure.causes {
            output::say(&format!("Caused by: {cause}"));
        }
    }
    if let Some(hint) = &failure.hint {
        output::say(&format!("{cyan}Hint:{cyan:#} {hint}{}", stop(hint)));
    }
}

/// Whether errors are to be objects, told from the raw command line: an error of the parser knows no options.
fn wants_json(arguments: &[OsString]) -> bool {
    let mut arguments = arguments.iter().filter_map(|argument| argument.to_str()).peekable();
    while let Some(argument) = arguments.next() {
        let form = match argument {
            "-o" | "--output" => arguments.peek().copied(),
            other => other.strip_prefix("--output=").or_else(|| other.strip_prefix("-o")),
        };
        if matches!(form, Some("json" | "=json" | "ndjson" | "=ndjson")) {
            return true;
        }
    }
    std::env::var("CRM_OUTPUT").is_ok_and(|form| form == "json" || form == "ndjson")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machine_errors_are_asked_for_in_every_spelling() {
        let wants = |line: &str| wants_json(&line.split(' ').map(OsString::from).collect::<Vec<_>>());
        for line in ["crm -o json x", "crm x --output json", "crm x --output=json", "crm -ojson", "crm -o ndjson"] {
            assert!(wants(line), "{line}");
        }
        for line in ["crm x", "crm -o csv", "crm x json"] {
            assert!(!wants(line), "{line}");
        }
    }
}
