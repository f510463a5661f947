//! What is installed on this machine, and how to get what is not.

use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::Stop;
use crate::session::{Output, Session};

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    let xtask =
        env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    xtask.parent().expect("xtask is a folder of the workspace").to_path_buf()
}

/// Cargo in the workspace, as a shell would start it.
///
/// `cargo run` has described this package in the environment. Build scripts watch some of those variables, so
/// handing them on would rebuild half of the tree whenever a shell and this program take turns.
pub(crate) fn cargo(root: &Path) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    clean(&mut command);
    command
}

/// Removes what `cargo run` has added to the environment.
pub(crate) fn clean(command: &mut Command) {
    for (name, _) in env::vars_os() {
        let Some(text) = name.to_str() else { continue };
        if text.starts_with("CARGO_PKG_")
            || text.starts_with("CARGO_MANIFEST_")
            || ["CARGO_BIN_NAME", "CARGO_CRATE_NAME", "CARGO_PRIMARY_PACKAGE"].contains(&text)
        {
            command.env_remove(&name);
        }
    }
}

/// Removes the variables that change where a PostgreSQL program connects, or how.
pub(crate) fn without_postgres_settings(command: &mut Command) {
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("PG")) {
            command.env_remove(&name);
        }
    }
}

/// The first program of that name in `PATH`.
pub(crate) fn which(name: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?).map(|folder| folder.join(name)).find(|path| is_program(path))
}

/// Whether `path` is a file that can be run.
pub(crate) fn is_program(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

pub(crate) fn is_superuser() -> bool {
    rustix::process::geteuid().is_root()
}

/// A user and group to become, because some programs refuse to run as the superuser.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Account {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

/// The account that runs the database when we are the superuser.
pub(crate) fn database_account(session: &Session) -> Result<Account, Stop> {
    for name in ["postgres", "nobody"] {
        let id = |flag: &str| -> Result<Option<u32>, Stop> {
            let found = session.run(Command::new("id").args([flag, name]), Output::Kept)?;
            Ok(found.text.trim().parse().ok())
        };
        if let (Some(uid), Some(gid)) = (id("-u")?, id("-g")?) {
            return Ok(Account { uid, gid });
        }
    }
    Err(Stop::failed(
        "PostgreSQL does not run as the superuser, and there is no user `postgres` or `nobody` to run it as",
    ))
}

/// Whether packages can be installed here.
pub(crate) fn has_apt() -> bool {
    is_superuser() && which("apt-get").is_some()
}

/// Installs Debian packages.
pub(crate) fn apt_install(session: &Session, packages: &[&str]) -> Result<(), Stop> {
    eprintln!("installing {} with apt-get", packages.join(", "));
    let apt = || {
        let mut command = Command::new("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive");
        command
    };
    session.succeed(apt().args(["-q", "update"]), Output::Kept)?;
    session.succeed(apt().args(["-q", "install", "-y", "--no-install-recommends"]).args(packages), Output::Kept)?;
    Ok(())
}

/// Adds rustfmt and clippy to a toolchain that came without them.
pub(crate) fn ensure_rust_components(session: &Session, root: &Path) -> Result<(), Stop> {
    for (tool, component) in [("fmt", "rustfmt"), ("clippy", "clippy")] {
        let found = session.run(cargo(root).args([tool, "--version"]), Output::Kept)?;
        if found.status.success() {
            continue;
        }
        let Some(rustup) = which("rustup") else {
            eprintln!("`cargo {tool}` is missing and there is no rustup to install it with");
            continue;
        };
        eprintln!("installing {component} with rustup");
        let mut command = Command::new(rustup);
        command.args(["component", "add", component]).current_dir(root);
        session.run(&mut command, Output::Relayed)?;
    }
    Ok(())
}
