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
    /// Chooses and locks a target directory; with `shared`, one outside the clone, so that a fresh clone finds its
    /// dependencies compiled.
    pub(crate) fn choose(session: &Session, root: &Path, shared: bool) -> Result<Self, Stop> {
        let inside = root.join("target");
        let own = env::var_os("CARGO_TARGET_DIR").filter(|path| !path.is_empty()).map(|path| root.join(path));
        let path = match own {
            Some(path) => path,
            None if shared => cache(session)?.unwrap_or_else(|| inside.clone()),
            None => inside.clone(),
        };
        let target = if shared && path != inside {
            Self::try_lock(path).or_else(|stop| {
                eprintln!("{stop}; building inside the clone instead");
                Self::wait_for(inside)
            })?
        } else {
            Self::wait_for(path)?
        };
        target.settle(session, root, shared)?;
        Ok(target)
    }

    fn try_lock(path: PathBuf) -> Result<Self, Stop> {
        let lock = open_lock(&path)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path, _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(Stop::failed(format!("another run is using {}", path.display()))),
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

    /// Forgets what another clone has built from its own sources: cargo tells fresh from stale by file times, and
    /// those of another clone prove nothing. A shared directory may even have served an earlier clone at this
    /// very path.
    fn settle(&self, session: &Session, root: &Path, shared: bool) -> Result<(), Stop> {
        if self.path.starts_with(root) {
            return Ok(());
        }
        let record = self.path.join("xtask-clone.txt");
        let clone = root.display().to_string();
        if shared || fs::read_to_string(&record).is_ok_and(|last| last != clone) {
            self.forget_workspace(session, root)?;
        }
        fs::write(&record, clone).about(|| format!("write {}", record.display()))
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
