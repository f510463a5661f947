//! The chores of this workspace, as `cargo xtask COMMAND`.
//!
//! One program instead of shell scripts, so that a developer's machine and CI run the very same steps and the
//! steps themselves are tested. It needs a Rust toolchain and a C compiler; whatever else a step needs
//! (PostgreSQL, a Python environment) it finds, installs where it may, or names.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "talking to the terminal is what this program is for")]

mod advisories;
mod asvs;
mod counts;
mod error;
mod fixtures;
mod leaks;
mod lexer;
mod licences;
mod lint;
mod postgres;
mod python;
mod report;
mod session;
mod steps;
mod system;
mod target;

use std::process::ExitCode;

use error::Stop;
use session::Session;

const USAGE: &str = "\
Usage: cargo xtask COMMAND

Commands:
  test [--fail-fast] [--shared-target]   everything that a change must pass
  check [--fail-fast] [--shared-target]  the quick part: format, lints, Rust tests, documentation
  postgres [--durable] -- CMD...         runs CMD with CRM_TEST_POSTGRES_URL set to a throw-away PostgreSQL
  bench [--shared-target] [NAME...]      runs the benchmarks, or those named, on a durable PostgreSQL;
                                         options of theirs go after `--`

Options:
  --fail-fast      stop at the first step that fails
  --shared-target  keep build output outside the clone, for the next run; the default when CI=true
  --durable        leave fsync on, as a production server has it

When CRM_TEST_POSTGRES_URL is set, that server is used and none is started.";

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
enum Task {
    Help,
    Check { python: bool, fail_fast: bool, shared_target: bool },
    Postgres { durable: bool, command: Vec<String> },
    Bench { shared_target: bool, names: Vec<String> },
}

fn parse(arguments: &[String]) -> Result<Task, String> {
    let Some((command, rest)) = arguments.split_first() else {
        return Err("a command is missing".to_owned());
    };
    let (options, positional) = match rest.iter().position(|word| word == "--") {
        Some(at) => (&rest[..at], &rest[at + 1..]),
        None => (rest, &[][..]),
    };
    let mut flags: Vec<&str> = Vec::new();
    let mut words: Vec<String> = Vec::new();
    for option in options {
        if option == "--help" || option == "-h" {
            return Ok(Task::Help);
        }
        if option.starts_with('-') {
            flags.push(option);
        } else {
            words.push(option.clone());
        }
    }
    words.extend_from_slice(positional);
    let mut flag = |name: &str| {
        let before = flags.len();
        flags.retain(|other| *other != name);
        flags.len() < before
    };
    let task = match command.as_str() {
        "help" | "--help" | "-h" => Task::Help,
        "test" | "check" => {
            if let Some(word) = words.first() {
                return Err(format!("`{command}` takes no argument `{word}`"));
            }
            Task::Check {
                python: command == "test",
                fail_fast: flag("--fail-fast"),
                shared_target: flag("--shared-target"),
            }
        }
        "postgres" => {
            if words.is_empty() {
                return Err("`postgres` needs a command after `--`".to_owned());
            }
            Task::Postgres { durable: flag("--durable"), command: words }
        }
        "bench" => {
            flag("--durable"); // always on: a benchmark without fsync measures something that nobody runs
            Task::Bench { shared_target: flag("--shared-target"), names: words }
        }
        other => return Err(format!("there is no command `{other}`")),
    };
    match flags.first() {
        Some(unknown) => Err(format!("`{command}` has no option `{unknown}`")),
        None => Ok(task),
    }
}

fn run(task: Task) -> Result<ExitCode, Stop> {
    match task {
        Task::Help => {
            println!("{USAGE}");
            Ok(ExitCode::SUCCESS)
        }
        Task::Check { python, fail_fast, shared_target } => {
            steps::check(&Session::start()?, python, fail_fast, shared_target)
        }
        Task::Postgres { durable, command } => steps::with_postgres(&Session::start()?, durable, &command),
        Task::Bench { shared_target, names } => steps::bench(&Session::start()?, shared_target, &names),
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let task = match parse(&arguments) {
        Ok(task) => task,
        Err(message) => {
            eprintln!("error: {message}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match run(task) {
        Ok(code) => code,
        Err(stop) => {
            eprintln!("error: {stop}");
            ExitCode::from(stop.exit_code())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Task, String> {
        parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn words_after_the_dashes_belong_to_the_command() {
        assert_eq!(
            parsed("postgres --durable -- psql -c x"),
            Ok(Task::Postgres { durable: true, command: ["psql", "-c", "x"].map(str::to_owned).to_vec() })
        );
        assert_eq!(
            parsed("bench floor --shared-target"),
            Ok(Task::Bench { shared_target: true, names: vec!["floor".to_owned()] })
        );
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for line in ["", "tset", "test --fail-fats", "test core", "postgres --"] {
            assert!(parsed(line).is_err(), "`{line}` was accepted");
        }
        assert_eq!(parsed("test --help"), Ok(Task::Help));
    }
}
