//! Where build output goes, and who may write there.

use std::collections::hash_map::DefaultHasher;
use std::env;
use std::fs::{self, File, TryLockError};
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};

use crate::error::{About, Stop};
use crate::session::{Output, Session};
use crate::system;

/// The target directory of one run, locked for as long as this value lives.
pub(crate) struct Target {
    pub(crate) path: PathBuf,
    _lock: File,
}

impl Target {
    /// Chooses and locks a target directory.
    ///
    /// With `shared`, it lies outside the clone, so that a fresh clone finds its dependencies compiled. What was
    /// built from the workspace itself is forgotten first: cargo tells fresh from stale by file times, and those
    /// of another clone prove nothing.
    pub(crate) fn choose(session: &Session, root: &Path, shared: bool) -> Result<Self, Stop> {
        let own = env::var_os("CARGO_TARGET_DIR").filter(|path| !path.is_empty()).map(|path| root.join(path));
        if !shared {
            return Self::wait_for(own.unwrap_or_else(|| root.join("target")));
        }
        let path = match own {
            Some(path) => path,
            None => match cache(session)? {
                Some(path) => path,
                None => return Self::wait_for(root.join("target")),
            },
        };
        let lock = match open_lock(&path) {
            Ok(lock) => lock,
            Err(stop) => {
                eprintln!("{stop}; building inside the clone instead");
                return Self::wait_for(root.join("target"));
            }
        };
        match lock.try_lock() {
            Ok(()) => {
                let target = Self { path, _lock: lock };
                target.forget_workspace(session, root)?;
                Ok(target)
            }
            Err(TryLockError::WouldBlock) => {
                eprintln!("another run is using {}; building inside the clone instead", path.display());
                Self::wait_for(root.join("target"))
            }
            Err(TryLockError::Error(error)) => Err(error).about(|| format!("lock {}", path.display())),
        }
    }

    fn wait_for(path: PathBuf) -> Result<Self, Stop> {
        let lock = open_lock(&path)?;
        if let Err(TryLockError::WouldBlock) = lock.try_lock() {
            eprintln!("waiting for another run that is using {}", path.display());
        }
        lock.lock().about(|| format!("lock {}", path.display()))?;
        Ok(Self { path, _lock: lock })
    }

    fn forget_workspace(&self, session: &Session, root: &Path) -> Result<(), Stop> {
        for profile in ["dev", "release"] {
            let mut command = system::cargo(root);
            command.args(["clean", "--workspace", "--quiet", "--profile", profile]);
            command.env("CARGO_TARGET_DIR", &self.path);
            session.succeed(&mut command, Output::Kept)?;
        }
        // Cargo leaves the documentation alone; that of a removed crate would stay for ever.
        let _ = fs::remove_dir_all(self.path.join("doc"));
        Ok(())
    }
}

fn open_lock(target: &Path) -> Result<File, Stop> {
    fs::create_dir_all(target).about(|| format!("create {}", target.display()))?;
    let path = target.join("xtask.lock");
    File::options().create(true).truncate(false).write(true).open(&path).about(|| format!("open {}", path.display()))
}

/// A directory of this user for this compiler, where the machine keeps such things.
fn cache(session: &Session) -> Result<Option<PathBuf>, Stop> {
    let base = env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| Some(env::home_dir()?.join(".cache")));
    let Some(base) = base else { return Ok(None) };
    let mut rustc = std::process::Command::new(env::var_os("RUSTC").unwrap_or("rustc".into()));
    let version = session.succeed(rustc.arg("-vV"), Output::Kept)?.text;
    let mut hasher = DefaultHasher::new();
    (version, rustix::process::geteuid().as_raw()).hash(&mut hasher);
    Ok(Some(base.join("crm-target").join(format!("{:016x}", hasher.finish()))))
}
