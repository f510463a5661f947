//! Whether a secret or something personal stands in what the tests logged and printed.
//!
//! While `CRM_TEST_LOG` names a folder, each process of the tests writes there what it logs and which values it handles;
//! `crm-core/src/testing/trace.rs` describes the files. Here every value of every test is looked for in what every test
//! logged and, where nextest kept it, printed. What programs write to their standard error may name people, who have asked
//! for it; only secrets are looked for there.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{About, Stop};

/// Names the folder to the tests.
pub(crate) const VARIABLE: &str = "CRM_TEST_LOG";

/// The profile of nextest that keeps what tests print, `.config/nextest.toml`.
pub(crate) const PROFILE: &str = "xtask";

/// What a value begins with decides whether a place in a text is worth a closer look.
const BEGINNING: usize = 8;

/// Secrets that tests try and that are our own words as well: the name of a column and of an option, and what tests write
/// where something sensible is expected. Neither opens anything.
const WORDS: &[&str] = &["password", "nonsense"];

/// Fewer processes, lines, values or outputs of tests mean that recording does not work.
const FEWEST: Counted = Counted { processes: 100, lines: 200, values: 10_000, outputs: 100 };

/// How much was searched, and for how many values.
#[derive(Debug, Default, PartialEq, Eq, Clone, Copy)]
struct Counted {
    processes: usize,
    lines: usize,
    values: usize,
    outputs: usize,
}

/// What the tests left to be searched: texts, each with the first test that it is from.
#[derive(Default)]
struct Records {
    processes: usize,
    /// Logged.
    lines: BTreeMap<String, String>,
    /// Written by programs to their standard error.
    complaints: BTreeMap<String, String>,
    /// Printed by tests that passed; whoever fails shows what it compared.
    outputs: Vec<(String, String)>,
    /// The columns of values, by value.
    secrets: BTreeMap<String, String>,
    personal: BTreeMap<String, String>,
}

/// Makes an empty folder for what the tests are going to log, and forgets what others printed.
pub(crate) fn folder(target: &Path, root: &Path) -> Result<PathBuf, Stop> {
    let folder = target.join("xtask-logs");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).about(|| format!("create {}", folder.display()))?;
    let _ = fs::remove_file(report(root));
    Ok(folder)
}

/// Where nextest writes what the tests printed, wherever cargo builds.
fn report(root: &Path) -> PathBuf {
    root.join("target/nextest").join(PROFILE).join("junit.xml")
}

/// Searches what the tests logged and printed; `printed` says that nextest kept the latter.
pub(crate) fn check(folder: &Path, root: &Path, printed: bool) -> Result<Vec<String>, Stop> {
    let mut records = Records::default();
    for file in fs::read_dir(folder).about(|| format!("read {}", folder.display()))? {
        let path = file.about(|| format!("read {}", folder.display()))?.path();
        let bytes = fs::read(&path).about(|| format!("read {}", path.display()))?;
        records.read(&String::from_utf8_lossy(&bytes));
    }
    if printed {
        let path = report(root);
        let text = fs::read_to_string(&path).about(|| format!("read {}", path.display()))?;
        records.outputs = outputs(&text);
    }
    let counted = records.counted();
    let Counted { processes, lines, values, outputs } = counted;
    eprintln!(
        "{values} values were looked for in {lines} lines of {processes} processes and the output of {outputs} tests"
    );
    let mut faults: Vec<String> = records.leaks().into_iter().collect();
    faults.extend(too_few(counted, printed));
    Ok(faults)
}

/// What was hardly recorded.
fn too_few(counted: Counted, printed: bool) -> Vec<String> {
    let mut pairs = vec![
        (counted.processes, FEWEST.processes, "processes"),
        (counted.lines, FEWEST.lines, "logged lines"),
        (counted.values, FEWEST.values, "values"),
    ];
    if printed {
        pairs.push((counted.outputs, FEWEST.outputs, "outputs of tests"));
    }
    let few = pairs.into_iter().filter(|(count, fewest, _)| count < fewest);
    few.map(|(count, fewest, what)| format!("only {count} {what} were recorded, and not {fewest}")).collect()
}

impl Records {
    fn counted(&self) -> Counted {
        Counted {
            processes: self.processes,
            lines: self.lines.len(),
            values: self.secrets.len() + self.personal.len(),
            outputs: self.outputs.len(),
        }
    }

    /// Adds the records of one process.
    fn read(&mut self, text: &str) {
        let mut test = "";
        self.processes += 1;
        // What follows the last U+0000 is a record that the end of its process cut off.
        let whole = text.rfind('\0').map_or("", |end| &text[..end]);
        for record in whole.split('\0') {
            let mut letters = record.chars();
            let (letter, rest) = (letters.next(), letters.as_str());
            let keep = |values: &mut BTreeMap<String, String>| {
                if let Some((column, value)) = rest.split_once('\u{1}')
                    && value.len() >= BEGINNING
                    && !WORDS.contains(&value)
                {
                    values.entry(value.to_owned()).or_insert_with(|| column.to_owned());
                }
            };
            match letter {
                Some('T') => test = rest,
                Some('L') => drop(self.lines.entry(rest.to_owned()).or_insert_with(|| test.to_owned())),
                Some('E') => drop(self.complaints.entry(rest.to_owned()).or_insert_with(|| test.to_owned())),
                Some('S') => keep(&mut self.secrets),
                Some('P') => keep(&mut self.personal),
                _ => {}
            }
        }
    }

    /// The leaks, without what leaked.
    fn leaks(&self) -> BTreeSet<String> {
        let secrets = Needles::new(self.secrets.iter());
        let personal = Needles::new(self.personal.iter());
        let mut leaks = BTreeSet::new();
        let mut search = |needles: &Needles<'_>, text: &str, test: &str, place: &str| {
            let columns = needles.columns_in(text);
            leaks.extend(columns.into_iter().map(|column| format!("{test}: a value of {column} was {place}")));
        };
        for (line, test) in &self.lines {
            let place = format!("logged by {}", line.split(' ').next().unwrap_or_default());
            search(&secrets, line, test, &place);
            search(&personal, line, test, &place);
        }
        for (test, output) in &self.outputs {
            search(&secrets, output, test, "printed");
            search(&personal, output, test, "printed");
        }
        for (complaint, test) in &self.complaints {
            search(&secrets, complaint, test, "written to standard error");
        }
        leaks
    }
}

/// Values to look for, of which none begins with another: at one place there is one at most, and it is the last that is not
/// greater than the rest of the text.
struct Needles<'a> {
    sorted: Vec<(&'a str, &'a str)>,
    beginnings: HashSet<&'a [u8]>,
}

impl<'a> Needles<'a> {
    /// From values in their order, with their columns.
    fn new(values: impl Iterator<Item = (&'a String, &'a String)>) -> Self {
        let mut sorted: Vec<(&str, &str)> = Vec::new();
        for (value, column) in values {
            if !sorted.last().is_some_and(|(last, _)| value.starts_with(last)) {
                sorted.push((value, column));
            }
        }
        let beginnings = sorted.iter().map(|(value, _)| &value.as_bytes()[..BEGINNING]).collect();
        Self { sorted, beginnings }
    }

    /// The columns of the values that stand in a text.
    fn columns_in(&self, text: &str) -> BTreeSet<&'a str> {
        let places = text.as_bytes().windows(BEGINNING).enumerate();
        let likely = places.filter(|(at, window)| text.is_char_boundary(*at) && self.beginnings.contains(window));
        let found = likely.filter_map(|(at, _)| {
            let rest = &text[at..];
            let last = self.sorted.partition_point(|(value, _)| *value <= rest).checked_sub(1)?;
            let (value, column) = self.sorted[last];
            rest.starts_with(value).then_some(column)
        });
        found.collect()
    }
}

/// What the tests printed, of a report in `JUnit`'s form, but those that failed.
fn outputs(report: &str) -> Vec<(String, String)> {
    let cases = report.split("<testcase ").skip(1).filter(|case| !case.contains("<failure"));
    let attribute = |case: &str, name: &str| {
        let (_, rest) = case.split_once(&format!("{name}=\""))?;
        Some(plain(rest.split('"').next()?))
    };
    let read = |case: &str| {
        let (class, name) = (attribute(case, "classname")?, attribute(case, " name")?);
        let (_, inside) = case.split_once('>')?;
        // The runner says the test's own name.
        Some((format!("{class} {name}"), plain(inside).replace(&format!("test {name} ..."), "")))
    };
    // The name comes first, right behind what was split at.
    cases.filter_map(|case| read(&format!(" {case}"))).collect()
}

/// Text of XML as it is meant.
fn plain(text: &str) -> String {
    let marks = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")];
    marks.iter().fold(text.to_owned(), |text, (mark, meant)| text.replace(mark, meant))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a process would have written.
    fn process(test: &str, records: &[&str]) -> String {
        format!("T{test}\0{}\0", records.join("\0"))
    }

    fn leaks(processes: &[String]) -> Vec<String> {
        let mut records = Records::default();
        for text in processes {
            records.read(text);
        }
        records.leaks().into_iter().collect()
    }

    #[test]
    fn a_value_of_one_test_is_found_in_the_log_of_another() {
        let values = ["Pcontact.email\u{1}éva@acme.example", "Pcontact.email\u{1}éva@acme.example.org"];
        let kept = process("core keeps", &values);
        let harmless = process("core logs", &["Lsqlx::query INSERT INTO crm_contact", "Lsqlx::query éva@acme"]);
        assert_eq!(leaks(&[kept.clone(), harmless.clone()]), [] as [&str; 0]);
        let leaky = process("core leaks", &["Lsqlx::query (éva@acme.example.org)"]);
        let found = leaks(&[leaky, harmless, kept]);
        assert_eq!(found, ["core leaks: a value of contact.email was logged by sqlx::query"]);
    }

    #[test]
    fn the_right_one_of_many_values_is_found() {
        let values: Vec<String> =
            (0..200).map(|number| format!("Pcontact.c{number}\u{1}person number {number}!")).collect();
        let kept = process("core keeps", &values.iter().map(String::as_str).collect::<Vec<_>>());
        for (text, found) in
            [("a person number 42!", Some("c42!")), ("person number 7", None), ("person number 199!!", Some("c199"))]
        {
            let logged = process("core logs", &[&format!("Lt {text}")]);
            let found =
                found.map(|of| format!("core logs: a value of contact.{} was logged by t", of.trim_end_matches('!')));
            assert_eq!(leaks(&[kept.clone(), logged]), Vec::from_iter(found), "{text}");
        }
    }

    #[test]
    fn standard_error_may_name_people_and_no_secret() {
        let records = ["Suser.password_hash\u{1}$argon2id$v=19", "Pcontact.email\u{1}eva@acme.example"];
        let kept = process("cli keeps", &records);
        let told = process("cli tells", &["Ethere is no contact eva@acme.example"]);
        assert_eq!(leaks(&[kept.clone(), told]), [] as [&str; 0]);
        let leaky = process("cli leaks", &["Ehash $argon2id$v=19$m"]);
        assert_eq!(leaks(&[kept, leaky]), ["cli leaks: a value of user.password_hash was written to standard error"]);
    }

    #[test]
    fn what_was_printed_is_read_from_the_report() {
        let report = "<testsuite><testcase name=\"a::b\" classname=\"core::lib\" time=\"0.1\">\
                      <system-out>test a::b ... ok x &lt;y&gt; &amp;amp; z</system-out></testcase>\n\
                      <testcase name=\"c\" classname=\"core\"><failure>eva@acme.example</failure></testcase></testsuite>";
        let printed = outputs(report);
        assert_eq!(printed.len(), 1);
        assert_eq!(printed[0].0, "core::lib a::b");
        assert!(printed[0].1.contains("<system-out> ok x <y> &amp; z"), "{printed:?}");
    }

    #[test]
    fn a_planted_leak_is_found_in_a_folder_and_so_is_an_empty_one() {
        let target = std::env::temp_dir().join(format!("xtask-leaks-{}", std::process::id()));
        let logs = folder(&target, &target).unwrap();
        let few = check(&logs, &target, false).unwrap();
        assert_eq!(few.len(), 3, "{few:?}");
        fs::write(logs.join("1-0"), process("core a", &["Suser.password_hash\u{1}$argon2id$v=19"])).unwrap();
        fs::write(logs.join("2-0"), process("core b", &["Lcrm said $argon2id$v=19$"])).unwrap();
        fs::write(logs.join("3-0"), "Tcore c\0Lcrm whole\0Lcrm cut off $argon2id$v=19$").unwrap();
        fs::create_dir_all(report(&target).parent().unwrap()).unwrap();
        let printed = "<testcase name=\"d\" classname=\"core\"><system-err>$argon2id$v=19</system-err></testcase>";
        fs::write(report(&target), printed).unwrap();
        let found = check(&logs, &target, true).unwrap();
        fs::remove_dir_all(&target).unwrap();
        let [logged, shown] = [
            "core b: a value of user.password_hash was logged by crm",
            "core d: a value of user.password_hash was printed",
        ];
        assert_eq!(found[..2], [logged, shown], "{found:?}");
        assert_eq!(found.len(), 6, "{found:?}");
    }
}
