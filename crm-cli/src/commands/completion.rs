//! `crm completion` and `crm man`: what a shell and `man` need to know of the command line.

use std::path::Path;

use clap::{Arg, ArgMatches, Command, ValueHint};
use clap_complete::Shell;

use crate::args::text;
use crate::error::{Done, Failure};
use crate::open::App;

pub(super) fn command() -> Command {
    Command::new("completion")
        .about("Prints the completion script of a shell")
        .after_help("Example:\n  crm completion bash > ~/.local/share/bash-completion/completions/crm")
        .arg(
            Arg::new("shell")
                .value_name("SHELL")
                .required(true)
                .value_parser(clap::value_parser!(Shell))
                .help("The shell"),
        )
}

pub(super) fn man_command() -> Command {
    Command::new("man").about("Writes the manual pages").arg(
        Arg::new("dir")
            .value_name("DIR")
            .required(true)
            .value_hint(ValueHint::DirPath)
            .help("The folder to write them to"),
    )
}

pub(super) fn run(app: &App, args: &ArgMatches) -> Done {
    let Some(shell) = args.get_one::<Shell>("shell") else { return Err(Failure::usage("No shell was given")) };
    let mut script = Vec::new();
    clap_complete::generate(*shell, &mut crate::args::command(), "crm", &mut script);
    app.out.data(&String::from_utf8_lossy(&script))
}

pub(super) fn man(app: &App, args: &ArgMatches) -> Done {
    let directory = Path::new(text(args, "dir").unwrap_or_default());
    let failed = |error: std::io::Error| Failure::failed(format!("Cannot write to {}: {error}", directory.display()));
    std::fs::create_dir_all(directory).map_err(failed)?;
    clap_mangen::generate_to(crate::args::command(), directory).map_err(failed)?;
    let pages = std::fs::read_dir(directory).map_err(failed)?.count();
    app.out.note(&format!("There are {pages} manual pages in {}.", directory.display()));
    Ok(())
}
