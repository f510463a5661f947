//! The commands, as sequences of steps.

use std::env;
use std::fs;
use std::io::IsTerminal;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus};

use crate::advisories;
use crate::counts::Runner;
use crate::error::{About, Stop};
use crate::leaks;
use crate::lint::RULES;
use crate::postgres::Server;
use crate::python::{Environment, Python};
use crate::report::Report;
use crate::session::{Output, Session, shown};
use crate::system;
use crate::target::Target;

/// crm-py links against Python, so its tests are Python's; see [`python_steps`].
const NOT_PYTHON: [&str; 4] = ["--workspace", "--exclude", "crm-py", "--no-fail-fast"];

/// What the steps of one run share.
struct Context<'a> {
    session: &'a Session,
    root: PathBuf,
    target: Target,
    python: Result<Python, Stop>,
    server: Option<Server<'a>>,
}

impl Context<'_> {
    fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = system::cargo(&self.root);
        command.args(arguments);
        if std::io::stderr().is_terminal() && env::var_os("NO_COLOR").is_none() {
            command.env("CARGO_TERM_COLOR", "always"); // its output passes through us
        }
        self.equip(&mut command);
        command
    }

    /// Gives a command the environment in which everything is built and tested.
    fn equip(&self, command: &mut Command) {
        command.env("CARGO_TARGET_DIR", &self.target.path);
        if let Ok(python) = &self.python {
            // The same interpreter in every step, or pyo3 is built again and again.
            command.env("PYO3_PYTHON", &python.path);
        }
        if let Some(server) = &self.server {
            server.announce(command);
        }
    }
}

/// `cargo xtask check`, and with `python`, `cargo xtask test`.
pub(crate) fn check(session: &Session, python: bool, fail_fast: bool, shared_target: bool) -> Result<ExitCode, Stop> {
    let root = system::root();
    let shared = shared_target || env::var("CI").is_ok_and(|value| value == "true");
    let mut context = Context {
        session,
        target: Target::choose(session, &root, shared)?,
        python: Python::find(session),
        server: None,
        root,
    };
    session.proceed()?;
    eprintln!("build output goes to {}", context.target.path.display());
    system::ensure_rust_components(session, &context.root)?;

    let mut report = Report::new(fail_fast);
    let outcome = all_steps(&mut context, &mut report, python);
    drop(context); // the server is gone before the summary, which is the last thing to be read
    outcome?;
    eprintln!("\n{}", report.table());
    let total = report.total();
    println!("{} passed, {} failed", total.passed, total.failed);
    Ok(ExitCode::from(u8::from(report.failed())))
}

fn all_steps(context: &mut Context<'_>, report: &mut Report, python: bool) -> Result<(), Stop> {
    source_steps(context, report)?;
    let session = context.session;
    context.server = report.step("postgresql", "a server for the tests", || Server::get(session, false))?;
    rust_steps(context, report)?;
    if python {
        python_steps(context, report)?;
    }
    if context.server.as_ref().and_then(Server::sessions) == Some(0) {
        eprintln!("\nNOTE: no test has connected to PostgreSQL.");
    }
    Ok(())
}

/// Runs a program as a step, described by its command line.
fn run(
    session: &Session,
    report: &mut Report,
    name: &str,
    runner: Option<Runner>,
    mut command: Command,
) -> Result<bool, Stop> {
    let description = shown(&command);
    report.program(name, &description, runner, || session.run(&mut command, Output::Relayed))
}

/// Fails when there are faults.
fn broken(faults: &[String], what: &str) -> Result<(), Stop> {
    if faults.is_empty() { Ok(()) } else { Err(Stop::failed(format!("{what}:\n{}", faults.join("\n")))) }
}

/// What can be said without running anything.
fn source_steps(context: &Context<'_>, report: &mut Report) -> Result<(), Stop> {
    let session = context.session;
    run(session, report, "fmt", None, context.cargo(&["fmt", "--all", "--check"]))?;
    for rule in RULES {
        report.step(rule.name, rule.demand, || broken(&(rule.check)(session, &context.root)?, "the rule is broken"))?;
    }
    match advisories::database() {
        Ok(database) => drop(report.step("advisories", "no known vulnerability in Cargo.lock", || {
            broken(&advisories::check(session, &context.root, &database)?, "there are known vulnerabilities")
        })?),
        Err(reason) => report.skip("advisories", &reason),
    }
    let mut clippy = context.cargo(&["clippy", "--workspace", "--all-targets", "--all-features", "--keep-going"]);
    if context.python.is_err() {
        eprintln!("\nclippy leaves out crm-py, for want of Python");
        clippy.args(["--exclude", "crm-py"]);
    }
    clippy.args(["--", "-D", "warnings"]);
    run(session, report, "clippy", None, clippy)?;
    Ok(())
}

/// The Rust tests and the documentation.
fn rust_steps(context: &Context<'_>, report: &mut Report) -> Result<(), Stop> {
    let session = context.session;
    // The benchmarks too, so that they cannot rot; below they are left out. What does not build here may still
    // leave the tests alone, so they are run in any case.
    let mut build = context.cargo(&["build", "--all-targets", "--keep-going"]);
    build.args(&NOT_PYTHON[..3]).args(["--features", "testing,print"]);
    run(session, report, "build", None, build)?;

    let nextest = session.run(&mut context.cargo(&["nextest", "--version"]), Output::Kept)?.status.success();
    let (mut tests, runner) = if nextest {
        let arguments = ["nextest", "run", "--no-tests=pass", "--profile", leaks::PROFILE];
        (context.cargo(&arguments), Runner::Nextest)
    } else {
        (context.cargo(&["test", "--all-targets"]), Runner::Cargo)
    };
    let selection = ["--exclude", "crm-benches", "--features", "testing,print"];
    tests.args(NOT_PYTHON).args(selection);
    let logs = leaks::folder(&context.target.path, &context.root)?;
    tests.env(leaks::VARIABLE, &logs);
    run(session, report, "tests", Some(runner), tests)?;
    let mut examples = context.cargo(&["test", "--doc"]);
    examples.args(NOT_PYTHON).args(selection);
    examples.env(leaks::VARIABLE, &logs);
    run(session, report, "doc tests", Some(Runner::Cargo), examples)?;
    report.step("leaks", "nothing secret or personal in what the tests logged and printed", || {
        broken(&leaks::check(&logs, &context.root, nextest)?, "it is there")
    })?;

    let mut doc = context.cargo(&["doc", "--no-deps", "--workspace", "--all-features"]);
    if context.python.is_err() {
        doc.args(["--exclude", "crm-py"]);
    }
    doc.env("RUSTDOCFLAGS", "-D warnings");
    run(session, report, "doc", None, doc)?;
    Ok(())
}

/// The Python package: built as it is shipped, installed, then checked and tested from outside.
fn python_steps(context: &Context<'_>, report: &mut Report) -> Result<(), Stop> {
    let session = context.session;
    let package = context.root.join("crm-py");
    if !package.join("pyproject.toml").is_file() {
        report.skip("python", "NOT BUILT YET: there is no crm-py/pyproject.toml");
        return Ok(());
    }
    let environment = report.step("python environment", "crm-py/requirements-dev.txt", || {
        let python = match &context.python {
            Ok(python) => python,
            Err(stop) => return Err(Stop::failed(stop.to_string())),
        };
        let folder = context.target.path.join("xtask-venv");
        let requirements = package.join("requirements-dev.txt");
        python.environment(session, &folder, &requirements)
    })?;
    let Some(environment) = environment else {
        report.skip("python", "there is no environment");
        return Ok(());
    };
    let installed =
        report.step("python build", "a wheel, installed", || install_wheel(context, &environment, &package))?;
    if installed.is_none() {
        report.skip("python", "the package is not built");
        return Ok(());
    }

    let in_package = |module: &str, arguments: &[&str]| {
        let mut command = environment.module(module);
        command.args(arguments).current_dir(&package);
        context.equip(&mut command);
        command
    };
    let mut stubtest = in_package("mypy.stubtest", &["crm_py"]);
    if package.join("stubtest-allowlist.txt").is_file() {
        stubtest.args(["--allowlist", "stubtest-allowlist.txt"]);
    }
    run(session, report, "python stubtest", None, stubtest)?;
    let mypy = in_package("mypy", &["python", "tests"]);
    run(session, report, "python mypy", None, mypy)?;
    let pytest = in_package("pytest", &["tests"]);
    run(session, report, "python tests", Some(Runner::Pytest), pytest)?;
    Ok(())
}

/// Installs the wheel and not the source folder: that is what users get, with its stubs and its marker file.
fn install_wheel(context: &Context<'_>, environment: &Environment, package: &Path) -> Result<(), Stop> {
    let session = context.session;
    let wheels = context.target.path.join("xtask-wheels");
    let _ = fs::remove_dir_all(&wheels);
    let mut maturin = environment.module("maturin");
    maturin.args(["build", "--release", "--interpreter"]);
    maturin.arg(environment.python()).arg("--out").arg(&wheels);
    if cfg!(target_os = "linux") {
        maturin.args(["--compatibility", "linux"]); // it is for this machine
    }
    maturin.current_dir(package);
    context.equip(&mut maturin);
    session.succeed(&mut maturin, Output::Relayed)?;
    let mut pip = environment.pip("install");
    pip.args(["--force-reinstall", "--no-deps"]);
    for entry in fs::read_dir(&wheels).about(|| format!("read {}", wheels.display()))? {
        pip.arg(entry.about(|| format!("read {}", wheels.display()))?.path());
    }
    session.succeed(&mut pip, Output::Kept)?;
    Ok(())
}

/// `cargo xtask postgres`.
pub(crate) fn with_postgres(session: &Session, durable: bool, words: &[String]) -> Result<ExitCode, Stop> {
    let server = Server::get(session, durable)?;
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]);
    system::clean(&mut command);
    server.announce(&mut command);
    let finished = session.run(&mut command, Output::Terminal)?;
    Ok(exit_code(finished.status))
}

/// `cargo xtask bench`: with all that the programs measure or compare with.
pub(crate) fn bench(session: &Session, shared_target: bool, names: &[String]) -> Result<ExitCode, Stop> {
    let root = system::root();
    let target = Target::choose(session, &root, shared_target)?;
    let context = Context { session, target, python: Python::find(session), server: None, root };
    let folder = context.target.path.join("xtask-venv-benches");
    let environment = match &context.python {
        Ok(python) => python.environment(session, &folder, &context.root.join("benches/requirements.txt"))?,
        Err(stop) => return Err(Stop::failed(stop.to_string())),
    };
    if names.is_empty() || names.iter().any(|name| name == "python") {
        install_wheel(&context, &environment, &context.root.join("crm-py"))?;
    }
    let mut build = context.cargo(&["build", "--release", "--package", "crm-benches", "--package", "crm-cli"]);
    session.succeed(&mut build, Output::Relayed)?;
    let server = Server::get(session, true)?;
    let release = context.target.path.join("release");
    let mut command = Command::new(release.join("crm-benches"));
    command.args(names).env("CRM_BENCH_PYTHON", environment.python()).env("CRM_BIN", release.join("crm"));
    server.announce(&mut command);
    let finished = session.run(&mut command, Output::Terminal)?;
    Ok(exit_code(finished.status))
}

/// The exit code of a program as our own, the way a shell would tell it.
fn exit_code(status: ExitStatus) -> ExitCode {
    let code = status.code().or_else(|| Some(128 + status.signal()?)).and_then(|code| u8::try_from(code).ok());
    ExitCode::from(code.unwrap_or(1))
}
