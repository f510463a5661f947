//! Whether a dependency has a known vulnerability, by a local copy of the `RustSec` advisory database.
//!
//! The rules are those of the database: a version is vulnerable unless one of an advisory's patched or unaffected ranges
//! has it; a withdrawn advisory says nothing; an informational one (unmaintained, unsound, notice) is told and fails nothing.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use semver::{Version, VersionReq};
use toml::{Table, Value};

use crate::error::{About, Stop};
use crate::session::{Output, Session};

/// How to get a database.
const HOW: &str = "to check for known vulnerabilities, clone https://github.com/RustSec/advisory-db to \
                   ~/.cargo/advisory-db, or name a clone in CRM_ADVISORY_DB";

/// Where the database is, if there is one.
pub(crate) fn database() -> Result<PathBuf, String> {
    let named = env::var_os("CRM_ADVISORY_DB").filter(|path| !path.is_empty()).map(PathBuf::from);
    let home = env::var_os("CARGO_HOME").map(PathBuf::from).or_else(cargo_home);
    match named.or_else(|| Some(home?.join("advisory-db"))) {
        Some(path) if path.join("crates").is_dir() => Ok(path),
        Some(path) => Err(format!("NOT CHECKED, {} is no advisory database: {HOW}", path.display())),
        None => Err(format!("NOT CHECKED, there is no home folder: {HOW}")),
    }
}

fn cargo_home() -> Option<PathBuf> {
    Some(PathBuf::from(env::var_os("HOME")?).join(".cargo"))
}

/// A package of the lock file.
struct Package {
    name: String,
    version: Version,
}

/// What the database says of a package.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Clear,
    Informational(String),
    Vulnerable(String),
}

/// Prints the date of the database and what is informational; gives the vulnerabilities.
pub(crate) fn check(session: &Session, root: &Path, database: &Path) -> Result<Vec<String>, Stop> {
    let mut git = Command::new("git");
    git.arg("-C").arg(database).args(["log", "-1", "--format=%cs"]);
    let dated = session.run(&mut git, Output::Kept)?;
    let date = if dated.status.success() { dated.text.trim().to_owned() } else { "of an unknown date".to_owned() };
    let lock = root.join("Cargo.lock");
    let packages = packages(&fs::read_to_string(&lock).about(|| format!("read {}", lock.display()))?)?;
    eprintln!("{} packages, advisory database {date} in {}", packages.len(), database.display());
    let mut faults = Vec::new();
    for package in &packages {
        for path in advisories(&database.join("crates").join(&package.name))? {
            let text = fs::read_to_string(&path).about(|| format!("read {}", path.display()))?;
            let verdict = judge(&text, package);
            match verdict.map_err(|reason| Stop::failed(format!("{}: {reason}", path.display())))? {
                Verdict::Clear => {}
                Verdict::Informational(told) => eprintln!("note: {told}"),
                Verdict::Vulnerable(told) => faults.push(told),
            }
        }
    }
    Ok(faults)
}

/// The advisories about a package, in order.
fn advisories(folder: &Path) -> Result<Vec<PathBuf>, Stop> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let read = || format!("read {}", folder.display());
    let entries = fs::read_dir(folder).about(read)?.collect::<Result<Vec<_>, _>>().about(read)?;
    let mut paths: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    paths.sort();
    Ok(paths)
}

/// The packages of a lock file that come from a registry.
fn packages(lock: &str) -> Result<Vec<Package>, Stop> {
    let wrong = |reason: String| Stop::failed(format!("Cargo.lock: {reason}"));
    let lock: Table = lock.parse().map_err(|error: toml::de::Error| wrong(error.to_string()))?;
    let all = lock.get("package").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let mut packages = Vec::new();
    for package in all.iter().filter(|package| package.get("source").is_some()) {
        let text =
            |key| package.get(key).and_then(Value::as_str).ok_or_else(|| wrong(format!("a package without {key}")));
        let version = text("version")?.parse().map_err(|error: semver::Error| wrong(error.to_string()))?;
        packages.push(Package { name: text("name")?.to_owned(), version });
    }
    if packages.is_empty() { Err(wrong("it has no packages".to_owned())) } else { Ok(packages) }
}

/// What an advisory, TOML in a Markdown file, says of a package.
fn judge(text: &str, package: &Package) -> Result<Verdict, String> {
    let front = text.split_once("```toml").and_then(|(_, rest)| rest.split_once("```"));
    let (front, prose) = front.ok_or("it has no TOML in front")?;
    let front: Table = front.parse().map_err(|error: toml::de::Error| error.to_string())?;
    let advisory = front.get("advisory").and_then(Value::as_table).ok_or("it has no advisory")?;
    if advisory.contains_key("withdrawn") {
        return Ok(Verdict::Clear);
    }
    for list in ["patched", "unaffected"] {
        let ranges = front.get("versions").and_then(|versions| versions.get(list)).and_then(Value::as_array);
        for range in ranges.into_iter().flatten() {
            let range = range.as_str().ok_or("a range is not text")?;
            let range: VersionReq = range.parse().map_err(|error| format!("{range}: {error}"))?;
            if range.matches(&package.version) {
                return Ok(Verdict::Clear);
            }
        }
    }
    let id = advisory.get("id").and_then(Value::as_str).ok_or("it has no id")?;
    let title = prose.lines().find_map(|line| line.strip_prefix("# ")).unwrap_or("without a title");
    let told = format!("{} {}: {id}, {title}", package.name, package.version);
    Ok(match advisory.get("informational").and_then(Value::as_str) {
        Some(kind) => Verdict::Informational(format!("{told} ({kind})")),
        None => Verdict::Vulnerable(told),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advisory(more: &str, versions: &str) -> String {
        format!(
            "```toml\n[advisory]\nid = \"RUSTSEC-2020-0001\"\n{more}\n[versions]\n{versions}\n```\n\n# It breaks\n\nBadly.\n"
        )
    }

    fn verdict(more: &str, versions: &str, version: &str) -> Verdict {
        let package = Package { name: "some".to_owned(), version: version.parse().unwrap() };
        judge(&advisory(more, versions), &package).unwrap()
    }

    #[test]
    fn a_version_is_vulnerable_unless_a_range_has_it() {
        let versions = "patched = [\n  \"^1.2.5\",\n  \">= 2.0.1, < 3\",\n]\nunaffected = [\"< 1.1.0\"]";
        let clear = |version| verdict("", versions, version) == Verdict::Clear;
        for version in ["1.0.9", "0.1.0", "1.2.5", "1.9.0", "2.0.1", "2.5.0"] {
            assert!(clear(version), "{version}");
        }
        for version in ["1.1.0", "1.2.4", "2.0.0", "3.0.0", "2.0.1-rc.1"] {
            assert!(!clear(version), "{version}");
        }
        let told = Verdict::Vulnerable("some 9.0.0: RUSTSEC-2020-0001, It breaks".to_owned());
        assert_eq!(verdict("", "patched = []", "9.0.0"), told);
    }

    #[test]
    fn what_is_withdrawn_says_nothing_and_what_is_informational_is_told() {
        assert_eq!(verdict("withdrawn = \"2021-01-01\"", "patched = []", "1.0.0"), Verdict::Clear);
        let told = verdict("informational = \"unmaintained\"", "patched = []", "1.0.0");
        assert_eq!(told, Verdict::Informational("some 1.0.0: RUSTSEC-2020-0001, It breaks (unmaintained)".to_owned()));
    }

    #[test]
    fn what_cannot_be_read_is_an_error() {
        let package = Package { name: "some".to_owned(), version: Version::new(1, 0, 0) };
        for text in ["", "```toml\n[advisory\n```", "```toml\n[versions]\n```", &advisory("", "patched = [\"one\"]")] {
            assert!(judge(text, &package).is_err(), "{text}");
        }
        assert!(packages("").is_err());
    }

    #[test]
    fn packages_of_the_workspace_itself_are_left_out() {
        let lock = "[[package]]\nname = \"own\"\nversion = \"0.1.0\"\n\n[[package]]\nname = \"some\"\n\
                    version = \"1.2.3\"\nsource = \"registry\"\n";
        let found: Vec<_> =
            packages(lock).unwrap().into_iter().map(|of| format!("{} {}", of.name, of.version)).collect();
        assert_eq!(found, ["some 1.2.3"]);
    }
}
