//! Files that only their owner may read: the configuration, the logins, the keys that sign them.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::error::{Done, Failure};

/// The text of a file of secrets; none when it is not there.
///
/// # Errors
/// When others than its owner may open it: what is in it may be known to them.
pub(crate) fn read(path: &Path) -> Result<Option<Zeroizing<String>>, Failure> {
    let failed = |error: io::Error| Failure::failed(format!("Cannot read {}: {error}", path.display()));
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    require_private(&file, path)?;
    // Of its full size from the start: a buffer that grows leaves what it held behind.
    let size = file.metadata().map_err(failed)?.len();
    let mut text = Zeroizing::new(String::with_capacity(usize::try_from(size).unwrap_or(0) + 64));
    file.read_to_string(&mut text).map_err(failed)?;
    Ok(Some(text))
}

#[cfg(unix)]
fn require_private(file: &File, path: &Path) -> Done {
    use std::os::unix::fs::MetadataExt as _;

    let mode = file.metadata().map_err(|error| Failure::failed(format!("Cannot read {}: {error}", path.display())))?;
    let others = mode.mode() & 0o077;
    if others == 0 {
        return Ok(());
    }
    Err(Failure::failed(format!("Others may open {}, which holds secrets", path.display()))
        .hint(format!("If nobody has read it, `chmod 600 {0}`; else delete it and sign in again", path.display())))
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "it may fail elsewhere")]
fn require_private(_: &File, _: &Path) -> Done {
    Ok(())
}

/// Writes a file, whole or not at all, that only its owner may open. A link is followed.
///
/// # Errors
/// When something else than a file is there, which another one in its place would take away from others.
pub(crate) fn write(path: &Path, text: &str) -> Done {
    let failed = |error: io::Error| Failure::failed(format!("Cannot write {}: {error}", path.display()));
    let target = match fs::metadata(path) {
        Ok(there) if there.is_file() => fs::canonicalize(path).map_err(failed)?,
        Ok(_) => return Err(Failure::failed(format!("Cannot write {}: it is there, and no file", path.display()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_path_buf(),
        Err(error) => return Err(failed(error)),
    };
    let path = target.as_path();
    let folder = folder_of(path);
    fs::create_dir_all(folder).map_err(failed)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = folder.join(format!(".{name}.{}.tmp", std::process::id()));
    let write = || -> io::Result<()> {
        // A file that is there already could be somebody else's.
        match fs::remove_file(&beside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = private(OpenOptions::new().write(true).create_new(true)).open(&beside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, path)
    };
    write().map_err(|error| {
        // What is left of it would be a secret without an owner.
        let _ = fs::remove_file(&beside);
        failed(error)
    })
}

/// Waits until no other process changes the file, and keeps others waiting until it is dropped. Where files cannot be
/// locked nobody waits: tokens that two exchange at once are both good.
pub(crate) fn lock(path: &Path) -> Result<File, Failure> {
    let path: PathBuf = path.with_extension("lock");
    let failed = |error: io::Error| Failure::failed(format!("Cannot lock {}: {error}", path.display()));
    fs::create_dir_all(folder_of(&path)).map_err(failed)?;
    let file = private(OpenOptions::new().write(true).create(true).truncate(false)).open(&path).map_err(failed)?;
    match file.lock() {
        Err(error) if error.kind() != io::ErrorKind::Unsupported => Err(failed(error)),
        _ => Ok(file),
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("."))
}

#[cfg(unix)]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600)
}

#[cfg(not(unix))]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_file_that_others_may_open_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/secret.toml");
        assert_eq!(read(&path).unwrap(), None);
        write(&path, "a secret").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let text = |path: &Path| read(path).unwrap().map(|text| text.to_string());
        assert_eq!(text(&path).as_deref(), Some("a secret"));
        for mode in [0o640, 0o604, 0o620, 0o601] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let failure = read(&path).unwrap_err();
            assert!(failure.message.starts_with("Others may open"), "{mode:o} {}", failure.message);
        }
        // What is written anew is private again.
        write(&path, "another").unwrap();
        assert_eq!(text(&path).as_deref(), Some("another"));
        assert_eq!(fs::read_dir(folder.path().join("deep")).unwrap().count(), 1);
        // What a link leads to is written, and what is no file stays.
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        write(&link, "through the link").unwrap();
        assert!(link.is_symlink());
        assert_eq!(text(&path).as_deref(), Some("through the link"));
        for taken in [folder.path().join("deep"), "/dev/null".into()] {
            let failure = write(&taken, "lost").unwrap_err();
            assert!(failure.message.ends_with("it is there, and no file"), "{}", failure.message);
        }
    }

    #[test]
    fn one_at_a_time_changes_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret.toml");
        let held = lock(&path).unwrap();
        let other = File::options().write(true).open(path.with_extension("lock")).unwrap();
        assert!(other.try_lock().is_err());
        drop(held);
        assert!(other.try_lock().is_ok());
    }
}
