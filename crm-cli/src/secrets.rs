//! Secrets that people type or programs pipe in. None is ever taken from the command line, where others can see it.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _};

use clap::{Arg, ArgMatches};
use crm_core::access::Secret;
use zeroize::Zeroizing;

use crate::args::{flag, given};
use crate::error::Failure;
use crate::output;

/// The longest line that is read, in bytes: longer than any password may be.
const LONGEST: usize = 64 * 1_024;

/// The option that reads a password from standard input.
pub(crate) fn password_arg() -> Arg {
    flag("password_stdin", "Reads the password from the next line of standard input, instead of asking for it")
}

/// A line of standard input, without its end; what follows stays to be read.
fn line(what: &str) -> Result<Secret, Failure> {
    // Of its full size from the start: a buffer that grows leaves what it held behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST));
    io::stdin().lock().take(LONGEST as u64).read_until(b'\n', &mut bytes)?;
    let text = str::from_utf8(&bytes).map_err(|_| Failure::refused(format!("The {what} is not text in UTF-8")))?;
    let text = text.strip_suffix('\n').unwrap_or(text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    if text.is_empty() {
        return Err(Failure::usage(format!("Standard input has no line with the {what}")));
    }
    Ok(Secret::from(text))
}

/// An API key: the first line of standard input, or asked for on the terminal.
pub(crate) fn key() -> Result<Secret, Failure> {
    let what = "API key";
    if io::stdin().is_terminal() && io::stderr().is_terminal() { ask(what) } else { line(what) }
}

/// A secret from standard input if an option says so, else asked for on the terminal, where it is not shown.
pub(crate) fn read(args: &ArgMatches, option: &'static str, what: &str) -> Result<Secret, Failure> {
    if io::stdin().is_terminal() && io::stderr().is_terminal() {
        return ask(what);
    }
    if given(args, option) && !io::stdin().is_terminal() {
        return line(what);
    }
    let flag = option.replace('_', "-");
    let failure = Failure::usage(format!("There is no terminal to ask for the {what} on"));
    Err(failure.hint(format!("Give --{flag} and write it to standard input")).field(flag))
}

/// A new password: from standard input, or asked for twice.
pub(crate) fn new_password(args: &ArgMatches) -> Result<Secret, Failure> {
    let first = read(args, "password_stdin", "new password")?;
    if io::stdin().is_terminal() && ask("new password again")? != first {
        return Err(Failure::refused("The two passwords differ"));
    }
    Ok(first)
}

fn ask(what: &str) -> Result<Secret, Failure> {
    terminal::remember();
    output::say(&format!("{}:", crate::error::sentence(what)));
    let text = console::Term::stderr().read_secure_line()?;
    if text.is_empty() { Err(Failure::usage(format!("No {what} was given"))) } else { Ok(text.into()) }
}

/// Lets the terminal show again what is typed, when the program ends while it asks for a secret.
pub(crate) fn restore_terminal() {
    terminal::restore();
}

#[cfg(unix)]
mod terminal {
    use std::io;
    use std::sync::OnceLock;

    use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};

    static BEFORE: OnceLock<Termios> = OnceLock::new();

    pub(super) fn remember() {
        if let Ok(state) = tcgetattr(io::stdin()) {
            let _ = BEFORE.set(state);
        }
    }

    pub(super) fn restore() {
        if let Some(state) = BEFORE.get() {
            // There is nothing to be done about a terminal that has gone.
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, state);
        }
    }
}

#[cfg(not(unix))]
mod terminal {
    pub(super) const fn remember() {}
    pub(super) const fn restore() {}
}
