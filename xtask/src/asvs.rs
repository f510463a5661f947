//! Whether `docs/asvs.md` shows what it claims: what is met has a test, and the tests that it names exist.

use std::fs;
use std::path::Path;

use crate::error::{About, Stop};

/// The page, relative to the root of the workspace.
const PAGE: &str = "docs/asvs.md";

/// What is met, and a test shows it.
const MET: &str = "met";
/// The one state that needs no word more: the page says what it means.
const HOST: &str = "host";
/// What else the state of a requirement can be, each with its reason.
const OTHERS: &[&str] = &["met, not shown", "partly", "not met"];

/// What is wrong with the page.
pub(crate) fn check(root: &Path) -> Result<Vec<String>, Stop> {
    let page = root.join(PAGE);
    let text = fs::read_to_string(&page).about(|| format!("read {}", page.display()))?;
    let mut faults = unshown(&text);
    let missing = missing(&text, |path| fs::read_to_string(root.join(path)).ok());
    faults.extend(missing.into_iter().map(|test| format!("there is no test {test}")));
    Ok(faults.into_iter().map(|fault| format!("{PAGE}: {fault}")).collect())
}

/// The rows, `| item | level | asks | state | shown by |`, of which the state is none, or is not borne out by the last cell.
fn unshown(page: &str) -> Vec<String> {
    let rows = page.lines().filter(|line| line.starts_with('|') && !line.starts_with("|---"));
    let fault = |row: &str| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let &[item, _, _, state, shown] = cells.as_slice() else { return Some(format!("not five cells: {row}")) };
        match state {
            "state" | HOST => None,
            MET if tests(shown).next().is_none() => Some(format!("{item} is met, and no test is named")),
            MET => None,
            _ if !OTHERS.contains(&state) => Some(format!("{item} has no state `{state}`")),
            _ if shown.is_empty() => Some(format!("{item} is {state}, and it is not said why")),
            _ => None,
        }
    };
    rows.filter_map(fault).collect()
}

/// The tests that a text names, `PATH::FUNCTION` in backquotes.
fn tests(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2).filter(|code| code.contains(".rs::"))
}

/// The tests that a page names of which the file or the function is missing.
fn missing(page: &str, read: impl Fn(&str) -> Option<String>) -> Vec<&str> {
    tests(page)
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
    fn the_page_names_tests_for_what_is_met_and_they_exist() {
        assert_eq!(check(&crate::system::root()).unwrap(), [] as [&str; 0]);
    }

    #[test]
    fn what_is_met_without_a_test_is_found() {
        let page = "\
prose
| item | level | asks | state | shown by |
|---|---|---|---|---|
| 1.1 | 1 | a | met | `a.rs::one`: it does |
| 1.2 | 1 | a | met | there is no such rule |
| 1.3 | 1 | a | met |  |
| 1.4 | 1 | a | met | `one` in `a.rs` |
| 1.5 | 1 | `a.rs::one` | met | as before |
| 1.6 | 1 | a | met where it can be | `a.rs::one` |
| 1.7 | 1 | a | Met | `a.rs::one` |
| 1.8 | 1 | a | met, not shown | there is no such rule |
| 1.9 | 1 | a | partly | |
| 1.10 | 1 | a | host | |
| 1.11 | 1 | a | not met | why |
| 1.12 | 1 | met | `a.rs::one` |
|1.13|1|a|met||";
        assert_eq!(
            unshown(page),
            [
                "1.2 is met, and no test is named",
                "1.3 is met, and no test is named",
                "1.4 is met, and no test is named",
                "1.5 is met, and no test is named",
                "1.6 has no state `met where it can be`",
                "1.7 has no state `Met`",
                "1.9 is partly, and it is not said why",
                "not five cells: | 1.12 | 1 | met | `a.rs::one` |",
                "not five cells: |1.13|1|a|met||",
            ]
        );
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
