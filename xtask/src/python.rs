//! Python: an interpreter, and virtual environments with the packages that a list of requirements names.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::{About, Stop};
use crate::session::{Output, Session};
use crate::system;

/// The lowest version that the package supports; see `requires-python` in `crm-py/pyproject.toml`.
const OLDEST: (u32, u32) = (3, 11);

/// An interpreter that is new enough.
#[derive(Debug, Clone)]
pub(crate) struct Python {
    pub(crate) path: PathBuf,
    version: String,
}

impl Python {
    /// Finds an interpreter in `PATH`.
    pub(crate) fn find(session: &Session) -> Result<Self, Stop> {
        let mut seen = Vec::new();
        let versioned = (OLDEST.1..=OLDEST.1 + 9).rev().map(|minor| format!("python3.{minor}"));
        for name in ["python3".to_owned(), "python".to_owned()].into_iter().chain(versioned) {
            let Some(path) = system::which(&name) else {
                continue;
            };
            // A launcher may choose by folder or environment; what it chose is asked for by name.
            let script = "import sys; print(sys.version.split()[0]); print(sys.executable)";
            let answer = session.run(Command::new(&path).args(["-c", script]), Output::Kept)?;
            let mut lines = answer.text.lines();
            let (Some(version), Some(path)) = (lines.next(), lines.next()) else {
                continue;
            };
            if is_new_enough(version) {
                return Ok(Self { path: PathBuf::from(path), version: version.to_owned() });
            }
            seen.push(format!("{name} is {version}"));
        }
        let (major, minor) = OLDEST;
        let seen = if seen.is_empty() { "there is none".to_owned() } else { seen.join(", ") };
        Err(Stop::failed(format!(
            "Python {major}.{minor} or newer is needed, and {seen}. Install it (Debian and Ubuntu: \
             `apt-get install python3 python3-venv`; anywhere: https://www.python.org/downloads/)"
        )))
    }

    /// The environment `folder` with exactly the packages of `requirements`; made anew when either changes.
    pub(crate) fn environment(
        &self,
        session: &Session,
        folder: &Path,
        requirements: &Path,
    ) -> Result<Environment, Stop> {
        let wanted = fs::read_to_string(requirements).about(|| format!("read {}", requirements.display()))?;
        let wanted = format!("{} {}\n{wanted}", self.version, self.path.display());
        let stamp = folder.join("xtask-requirements.txt");
        let environment = Environment { folder: folder.to_path_buf() };
        if fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) && system::is_program(&environment.python()) {
            return Ok(environment);
        }
        if folder.exists() {
            fs::remove_dir_all(folder).about(|| format!("delete {}", folder.display()))?;
        }
        self.create(session, folder)?;
        eprintln!("installing the packages of {}", requirements.display());
        session.succeed(environment.pip("install").arg("-r").arg(requirements), Output::Kept)?;
        // Last, so that an interrupted installation is begun again.
        fs::write(&stamp, wanted).about(|| format!("write {}", stamp.display()))?;
        Ok(environment)
    }

    fn create(&self, session: &Session, folder: &Path) -> Result<(), Stop> {
        let python = || Command::new(&self.path);
        let has = |modules: &str| -> Result<bool, Stop> {
            let script = format!("import {modules}");
            let answer = session.run(python().args(["-c", &script]), Output::Kept)?;
            Ok(answer.status.success())
        };
        // Debian keeps the part of `venv` that brings pip in a package of its own.
        if !has("venv, ensurepip")? && system::has_apt() {
            system::apt_install(session, &["python3-venv"])?;
        }
        if has("venv, ensurepip")? {
            session.succeed(python().args(["-m", "venv"]).arg(folder), Output::Kept)?;
            return Ok(());
        }
        let help = "install the rest of Python's `venv` (Debian and Ubuntu: `apt-get install python3-venv`)";
        if !has("venv, pip")? {
            return Err(Stop::failed(format!(
                "{} cannot make a virtual environment with pip; {help}",
                self.path.display()
            )));
        }
        eprintln!("this Python cannot put pip into a virtual environment: using its own pip to do so");
        session.succeed(python().args(["-m", "venv", "--without-pip"]).arg(folder), Output::Kept)?;
        let mut pip = python();
        pip.args(["-m", "pip", "--python"]).arg(folder.join("bin/python"));
        pip.args(["install", "pip"]);
        session.succeed(&mut pip, Output::Kept).map_err(|stop| match stop {
            Stop::Failed(reason) => Stop::Failed(format!("{reason}\n{help}")),
            interrupted @ Stop::Interrupted(_) => interrupted,
        })?;
        Ok(())
    }
}

fn is_new_enough(version: &str) -> bool {
    let mut numbers = version.split('.').map(|part| part.parse::<u32>().ok());
    match (numbers.next().flatten(), numbers.next().flatten()) {
        (Some(major), Some(minor)) => (major, minor) >= OLDEST,
        _ => false,
    }
}

/// A virtual environment that is ready for use.
pub(crate) struct Environment {
    folder: PathBuf,
}

impl Environment {
    pub(crate) fn python(&self) -> PathBuf {
        self.folder.join("bin/python")
    }

    /// `python -m MODULE` in this environment and no other.
    pub(crate) fn module(&self, module: &str) -> Command {
        let mut command = Command::new(self.python());
        command.args(["-m", module]);
        command.env("VIRTUAL_ENV", &self.folder);
        command.env_remove("PYTHONHOME").env_remove("PYTHONPATH");
        system::clean(&mut command);
        command
    }

    pub(crate) fn pip(&self, command: &str) -> Command {
        let mut pip = self.module("pip");
        pip.args([command, "--quiet", "--disable-pip-version-check", "--no-input"]);
        pip
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        for (version, expected) in [
            ("3.11.2", true),
            ("3.9.18", false),
            ("3.100.0", true),
            ("4.0.1", true),
            ("2.7.18", false),
            ("3.15.0b1", true),
            ("", false),
        ] {
            assert_eq!(is_new_enough(version), expected, "{version}");
        }
    }
}
