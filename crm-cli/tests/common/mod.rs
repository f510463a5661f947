//! Runs the `crm` of this build in a folder of its own and keeps what it said.

#![allow(dead_code, reason = "each test program uses a part of it")]
#![allow(clippy::unwrap_used, reason = "these are tests")]

use std::cell::{Cell, RefCell};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crm_core::testing::trace;

/// A folder with a configuration and a database of its own, at a fixed time.
pub(crate) struct Sandbox {
    directory: tempfile::TempDir,
    database: Option<String>,
    now: Cell<&'static str>,
    variables: RefCell<Vec<(&'static str, String)>>,
}

/// Noon of 15 June 2026 in UTC.
const NOW: &str = "2026-06-15T12:00:00Z";

/// What a run said.
pub(crate) struct Ran {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) code: Option<i32>,
    line: String,
}

impl Sandbox {
    /// A new one, at noon of 15 June 2026 in UTC.
    pub(crate) fn new() -> Self {
        Self::with(None)
    }

    /// A new one on a database elsewhere.
    pub(crate) fn on(database: &str) -> Self {
        Self::with(Some(database.to_owned()))
    }

    fn with(database: Option<String>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        Self { directory, database, now: Cell::new(NOW), variables: RefCell::default() }
    }

    /// One with the organization `acme` in it, owned by `ana@acme.example`.
    pub(crate) fn acme() -> Self {
        let sandbox = Self::new();
        sandbox.init();
        sandbox
    }

    /// Sets the clock for what follows.
    pub(crate) fn clock(&self, now: &'static str) {
        self.now.set(now);
    }

    /// Sets a variable of the environment for what follows; without a value, removes it.
    pub(crate) fn variable(&self, name: &'static str, value: Option<&str>) {
        let mut variables = self.variables.borrow_mut();
        variables.retain(|(known, _)| *known != name);
        variables.extend(value.map(|value| (name, value.to_owned())));
    }

    /// Creates the organization `acme`.
    pub(crate) fn init(&self) {
        let init = "init --org acme --name Acme --currency USD --zone America/New_York --owner ana@acme.example";
        self.ok(init);
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// The command with these arguments, ready to run.
    pub(crate) fn command<S: AsRef<str>>(&self, arguments: &[S]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_crm"));
        command.args(arguments.iter().map(AsRef::as_ref)).current_dir(self.path());
        let ours = |name: &str| name.starts_with("CRM_") && name != trace::VARIABLE;
        for (name, _) in std::env::vars_os().filter(|(name, _)| ours(&name.to_string_lossy())) {
            command.env_remove(name);
        }
        // There is no logger: whoever asks for logs gets what the snapshots show.
        command.env("RUST_LOG", "trace");
        for name in ["NO_COLOR", "COLUMNS"] {
            command.env_remove(name);
        }
        command.env("CRM_HOME", self.path()).env("CRM_NOW", self.now.get());
        command.env("TMPDIR", self.path());
        if let Some(database) = &self.database {
            command.env("CRM_DATABASE_URL", database);
        }
        command.envs(self.variables.borrow().iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs with these arguments and this standard input.
    pub(crate) fn run_with<S: AsRef<str>>(&self, arguments: &[S], input: &str) -> Ran {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // A command that does not read its input has closed it by now.
        let _ = stdin.write_all(input.as_bytes());
        drop(stdin);
        let output = child.wait_with_output().unwrap();
        let line = arguments.iter().map(|argument| quoted(argument.as_ref())).collect::<Vec<_>>().join(" ");
        let stderr = String::from_utf8(output.stderr).unwrap();
        trace::complained(&stderr);
        Ran { stdout: String::from_utf8(output.stdout).unwrap(), stderr, code: output.status.code(), line }
    }

    /// Runs a line; words are parted by spaces, and kept together by single quotes.
    pub(crate) fn run(&self, line: &str) -> Ran {
        self.run_with(&words(line), "")
    }

    /// Runs a line with this standard input.
    pub(crate) fn fed(&self, line: &str, input: &str) -> Ran {
        self.run_with(&words(line), input)
    }

    /// Runs a line that must succeed, at an instant.
    pub(crate) fn at(&self, now: &str, line: &str) {
        let output = self.command(&words(line)).env("CRM_NOW", now).output().unwrap();
        assert!(output.status.success(), "crm {line}\n{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Runs a line that must succeed, and gives its standard output.
    pub(crate) fn ok(&self, line: &str) -> String {
        let ran = self.run(line);
        assert_eq!(ran.code, Some(0), "crm {line}\n{}{}", ran.stdout, ran.stderr);
        ran.stdout
    }

    /// Everything that the lines said, one after the other.
    pub(crate) fn transcript(&self, lines: &[&str]) -> String {
        lines.iter().map(|line| self.run(line).to_string()).collect::<Vec<_>>().join("\n")
    }

    /// Compares with a snapshot, with what differs from run to run replaced.
    pub(crate) fn check(&self, name: &str, text: &str) {
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path("../snapshots");
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.add_filter(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "[ID]");
        settings.add_filter(r"\b[0-9a-f]{64}\b", "[HASH]");
        settings.add_filter(r"\b[0-9a-f]{32}\b", "[SALT]");
        settings.add_filter(r"--after [A-Za-z0-9_-]+", "--after [CURSOR]");
        settings.add_filter(r"SQLite \d+\.\d+\.\d+", "SQLite [VERSION]");
        let path = std::fs::canonicalize(self.path()).unwrap();
        for path in [self.path(), &path] {
            settings.add_filter(&path.to_string_lossy().replace('.', r"\."), "[DIR]");
        }
        settings.bind(|| insta::assert_snapshot!(name, text));
    }
}

impl std::fmt::Display for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = format!("$ crm {}\n", self.line);
        text.push_str(&self.stdout);
        for line in self.stderr.lines() {
            let _ = writeln!(text, "! {line}");
        }
        if self.code != Some(0) {
            let _ = writeln!(text, "exit {:?}", self.code.unwrap_or(-1));
        }
        f.write_str(&text)
    }
}

fn quoted(word: &str) -> String {
    if word.is_empty() || word.contains([' ', '|', '(', '=', '"']) { format!("'{word}'") } else { word.to_owned() }
}

pub(crate) fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quoted = false;
    for letter in line.chars() {
        match letter {
            '\'' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            ' ' if !quoted => words.extend(word.take()),
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    words
}

/// What differs from run to run: ids, and hashes over them.
pub(crate) fn without_ids(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.char_indices().map(|(at, _)| at).find(|at| is_id(&rest[*at..])) {
        out.push_str(&rest[..at]);
        out.push_str("[ID]");
        rest = &rest[at + 36..];
    }
    out.push_str(rest);
    out
}

fn is_id(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= 36
        && bytes[..36].iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}
