//! Measures the library against what the machine can do and against what a user would take instead.
//!
//! `cargo run --release -p crm-benches -- NAME... [--rounds N] [--rows N]`, or `cargo xtask bench NAME...`, which also
//! starts a PostgreSQL and prepares Python. `README.md` says what is compared with what.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program that prints tables")]
#![expect(clippy::disallowed_types, reason = "times and rates are measured in floats; no amount is")]

mod bare;
mod billing;
mod book;
mod bulk;
mod cases;
mod cases_sql;
mod cli;
mod contacts;
mod deals;
mod fence;
mod hand;
mod import;
mod ledger;
mod peers;
mod petitions;
mod pg;
mod postgres;
mod python;
mod read;
mod replay;
mod reports;
mod rounds;
mod rows;
mod sales;
mod sales_reads;
mod sales_sql;
mod single;
mod sums;

use std::error::Error;
use std::process::{Command, ExitCode};

/// Whatever goes wrong ends the program.
pub(crate) type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

/// What the command line asks for.
pub(crate) struct Options {
    /// How often each competitor runs.
    pub(crate) rounds: Option<usize>,
    /// How many rows; each program has its own number otherwise.
    pub(crate) rows: Option<usize>,
    /// Whether this process is held on one core.
    pub(crate) pinned: bool,
}

impl Options {
    pub(crate) fn rounds(&self, usual: usize) -> usize {
        self.rounds.unwrap_or(usual).max(1)
    }

    pub(crate) fn rows(&self, usual: usize) -> usize {
        self.rows.unwrap_or(usual).max(1)
    }

    pub(crate) const fn regime(&self) -> &'static str {
        if self.pinned { "pinned to one core" } else { "free" }
    }
}

type Program = fn(&Options) -> Outcome;

/// The programs, and whether each also runs pinned to one core.
const PROGRAMS: &[(&str, Program, bool)] = &[
    ("bulk", bulk::run, false),
    ("single", single::run, true),
    ("read", read::run, true),
    ("reports", reports::run, false),
    ("sales", sales::run, false),
    ("billing", billing::run, true),
    ("cases", cases::run, false),
    ("postgres", postgres::run, false),
    ("fence", fence::run, false),
    ("import", import::run, false),
    ("cli", cli::run, false),
    ("python", python::run, false),
];

fn main() -> ExitCode {
    match measured() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn measured() -> Outcome {
    let mut options = Options { rounds: None, rows: None, pinned: false };
    let mut names = Vec::new();
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut number = || -> Outcome<usize> {
            let text = words.next().ok_or_else(|| format!("{word} needs a number"))?;
            Ok(text.parse().map_err(|_| format!("{text:?} is no number"))?)
        };
        match word.as_str() {
            "--rounds" => options.rounds = Some(number()?),
            "--rows" => options.rows = Some(number()?),
            "--pinned" => options.pinned = true,
            name => names.push(name.to_owned()),
        }
    }
    let known: Vec<&str> = PROGRAMS.iter().map(|(name, ..)| *name).collect();
    if let Some(unknown) = names.iter().find(|name| !known.contains(&name.as_str())) {
        return Err(format!("there is no {unknown:?}; there are {}", known.join(", ")).into());
    }
    for (name, program, both) in PROGRAMS {
        if names.is_empty() || names.iter().any(|asked| asked == name) {
            program(&options)?;
            if *both && !options.pinned {
                pinned(name, &options)?;
            }
        }
    }
    Ok(())
}

/// The same program again, held on one core: on a busy or small machine the hops between threads cost
/// something else there.
fn pinned(name: &str, options: &Options) -> Outcome {
    let mut command = Command::new("taskset");
    command.args(["-c", "0"]).arg(std::env::current_exe()?).args([name, "--pinned"]);
    for (flag, number) in [("--rounds", options.rounds), ("--rows", options.rows)] {
        if let Some(number) = number {
            command.arg(flag).arg(number.to_string());
        }
    }
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{name}, pinned, ended with {status}").into()),
        Err(error) => {
            eprintln!("not pinned: {error}");
            Ok(())
        }
    }
}
