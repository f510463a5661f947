//! Whether the tests that `docs/asvs.md` names exist.

use std::fs;
use std::path::Path;

use crate::error::{About, Stop};

/// The page, relative to the root of the workspace.
const PAGE: &str = "docs/asvs.md";

/// The tests that the page names and that are not there.
pub(crate) fn check(root: &Path) -> Result<Vec<String>, Stop> {
    let page = root.join(PAGE);
    let text = fs::read_to_string(&page).about(|| format!("read {}", page.display()))?;
    let faults = missing(&text, |path| fs::read_to_string(root.join(path)).ok());
    Ok(faults.into_iter().map(|test| format!("{PAGE}: there is no test {test}")).collect())
}

/// The tests, `PATH::FUNCTION` in backquotes, of which the file or the function is missing.
fn missing(page: &str, read: impl Fn(&str) -> Option<String>) -> Vec<&str> {
    let named = page.split('`').skip(1).step_by(2).filter(|code| code.contains(".rs::"));
    named
        .filter(|code| {
            let (path, function) = code.split_once("::").unwrap_or_default();
            !read(path).is_some_and(|source| has_test(&source, function))
        })
        .collect()
}

/// Whether a source has a function with a test's attribute before it.
fn has_test(source: &str, function: &str) -> bool {
    let declared = format!("fn {function}(");
    source.match_indices(&declared).any(|(at, _)| {
        // What stands between it and the item before it.
        let before = source[..at].rsplit('}').next().unwrap_or_default();
        before.contains("#[test]") || before.contains("#[tokio::test")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_test_that_the_page_names_exists() {
        assert_eq!(check(&crate::system::root()).unwrap(), [] as [&str; 0]);
    }

    #[test]
    fn a_test_that_is_not_there_is_found() {
        let page = "| 1 | `a.rs::one`, `a.rs::two` | `a.rs::three` `b.rs::one` `Plain::code` `a.rs::four` |";
        let source =
            "#[test]\nfn one() {}\nfn two() {}\n#[tokio::test(flavor = \"x\")]\nasync fn three() {}\nfn four_and() {}";
        let read = |path: &str| (path == "a.rs").then(|| source.to_owned());
        assert_eq!(missing(page, read), ["a.rs::two", "b.rs::one", "a.rs::four"]);
    }
}
