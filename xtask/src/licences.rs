//! Whether every dependency's licence is one of those that were reviewed.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::error::{About, Stop};
use crate::session::{Output, Session};
use crate::system;

/// The reviewed licences, relative to the root of the workspace.
const REVIEWED: &str = "xtask/licences.txt";

/// The dependencies of every target and feature whose licences were not reviewed.
pub(crate) fn check(session: &Session, root: &Path) -> Result<Vec<String>, Stop> {
    let path = root.join(REVIEWED);
    let reviewed = fs::read_to_string(&path).about(|| format!("read {}", path.display()))?;
    let mut tree = system::cargo(root);
    tree.args(["tree", "--workspace", "--all-features", "--target", "all", "-e", "normal,build,dev"]);
    tree.args(["--prefix", "none", "--no-dedupe", "--format", "{p}\t{l}"]);
    Ok(faults(&session.succeed(&mut tree, Output::Kept)?.text, &reviewed))
}

/// The packages of a tree, `NAME VERSION…<tab>LICENCE` a line, that are under a licence which is not on the list.
fn faults(tree: &str, reviewed: &str) -> Vec<String> {
    let reviewed: Vec<&str> =
        reviewed.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    let mut found = BTreeSet::new();
    for line in tree.lines() {
        let Some((package, licence)) = line.split_once('\t') else { continue };
        let licence = licence.trim();
        if !is_allowed(licence, &reviewed) {
            let told = if licence.is_empty() { "names no licence" } else { licence };
            found.insert(format!("{}: {told}; see {REVIEWED}", package.trim_end_matches(" (proc-macro)")));
        }
    }
    found.into_iter().collect()
}

/// Whether an SPDX expression can be satisfied with these licences. `/` is an older way to write OR.
fn is_allowed(expression: &str, reviewed: &[&str]) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    let allowed = any(&words, &mut at, reviewed);
    allowed == Some(true) && at == words.len()
}

/// `all (OR all)*`; none when it is no expression.
fn any(words: &[&str], at: &mut usize, reviewed: &[&str]) -> Option<bool> {
    let mut allowed = all(words, at, reviewed)?;
    while words.get(*at) == Some(&"OR") {
        *at += 1;
        allowed |= all(words, at, reviewed)?;
    }
    Some(allowed)
}

/// `one (AND one)*`, which binds closer.
fn all(words: &[&str], at: &mut usize, reviewed: &[&str]) -> Option<bool> {
    let mut allowed = one(words, at, reviewed)?;
    while words.get(*at) == Some(&"AND") {
        *at += 1;
        allowed &= one(words, at, reviewed)?;
    }
    Some(allowed)
}

/// A licence, perhaps with an exception, or an expression in parentheses.
fn one(words: &[&str], at: &mut usize, reviewed: &[&str]) -> Option<bool> {
    let word = *words.get(*at)?;
    *at += 1;
    if word == "(" {
        let allowed = any(words, at, reviewed)?;
        let closed = words.get(*at) == Some(&")");
        *at += 1;
        return closed.then_some(allowed);
    }
    if ["OR", "AND", "WITH", ")"].contains(&word) {
        return None;
    }
    if words.get(*at) == Some(&"WITH") {
        let licence = format!("{word} WITH {}", words.get(*at + 1)?);
        *at += 2;
        return Some(reviewed.contains(&licence.as_str()));
    }
    Some(reviewed.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &[&str] = &["MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "Unicode-3.0"];

    #[test]
    fn one_of_alternatives_suffices_and_all_of_a_sum_are_needed() {
        for allowed in [
            "MIT",
            "MIT OR GPL-3.0-only",
            "GPL-3.0-only/MIT",
            "Apache-2.0 / GPL-3.0-only",
            "(MIT OR Apache-2.0) AND Unicode-3.0",
            "GPL-3.0-only OR MIT AND Unicode-3.0",
            "Apache-2.0 WITH LLVM-exception OR GPL-2.0-only",
        ] {
            assert!(is_allowed(allowed, LIST), "{allowed}");
        }
        for refused in [
            "",
            "GPL-3.0-only",
            "MIT AND GPL-3.0-only",
            "(MIT OR Apache-2.0) AND GPL-3.0-only",
            "MIT AND GPL-3.0-only OR BSD-4-Clause",
            "MIT WITH LLVM-exception",
            "mit",
            "MIT MIT",
            "MIT OR",
            "(MIT",
            "MIT)",
            "OR MIT",
            "MIT WITH",
        ] {
            assert!(!is_allowed(refused, LIST), "{refused}");
        }
    }

    #[test]
    fn a_new_licence_is_told_with_its_package_and_once() {
        let tree = "good v1.0.0\tMIT\nbad v2.0.0 (proc-macro)\tGPL-3.0-only\nbad v2.0.0 (proc-macro)\tGPL-3.0-only\nnone v3.0.0\t\n\n";
        let found = faults(tree, "# why\nMIT\n\n");
        assert_eq!(
            found,
            [
                "bad v2.0.0: GPL-3.0-only; see xtask/licences.txt",
                "none v3.0.0: names no licence; see xtask/licences.txt"
            ]
        );
    }
}
