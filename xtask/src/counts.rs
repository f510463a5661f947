//! How many tests passed and failed, read from what the test runners print.

use std::ops::AddAssign;

/// The result of one test runner, or the sum of several.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

/// A test runner whose output is understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Runner {
    /// `cargo nextest run`: one `Summary` line at the end.
    Nextest,
    /// `cargo test`: a `test result:` line for each program.
    Cargo,
    /// `pytest`: one line at the end that tells the time.
    Pytest,
}

impl Runner {
    /// The counts, or `None` when the runner did not get as far as running tests.
    pub(crate) fn counts(self, text: &str) -> Option<Counts> {
        match self {
            Self::Nextest => text
                .lines()
                .rev()
                .filter(|line| line.trim_start().starts_with("Summary ["))
                .find_map(|line| tally(line.split_once(" run: ")?.1)),
            Self::Cargo => text
                .lines()
                .filter_map(|line| line.strip_prefix("test result: "))
                .filter_map(|line| tally(line.split_once(". ")?.1))
                .reduce(|mut sum, counts| {
                    sum += counts;
                    sum
                }),
            Self::Pytest => text.lines().rev().find_map(|line| {
                let line = line.trim_matches(|c| c == '=' || c == ' ');
                let (counts, time) = line.rsplit_once(" in ")?;
                if !time.starts_with(|c: char| c.is_ascii_digit()) || !time.contains('s') {
                    return None;
                }
                if counts == "no tests ran" {
                    return Some(Counts::default());
                }
                tally(counts)
            }),
        }
    }
}

/// Reads `3 passed (1 slow), 1 failed`, the form that all three share.
fn tally(text: &str) -> Option<Counts> {
    let mut counts = Counts::default();
    let mut depth = 0_u32;
    let text: String = text
        .chars()
        .filter(|&c| {
            match c {
                '(' => depth += 1,
                ')' => depth = depth.saturating_sub(1),
                _ => return depth == 0,
            }
            false
        })
        .collect();
    let mut known = false;
    for part in text.split([',', ';']) {
        let Some((number, word)) = part.trim().split_once(' ') else {
            continue;
        };
        let Ok(number) = number.parse::<u64>() else {
            continue;
        };
        let slot = match word.trim_end() {
            "passed" | "xpassed" => &mut counts.passed,
            "failed" | "timed out" | "exec failed" | "error" | "errors" => &mut counts.failed,
            "skipped" | "ignored" | "xfailed" => &mut counts.skipped,
            _ => continue, // filtered out, measured, deselected, warnings
        };
        *slot += number;
        known = true;
    }
    known.then_some(counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::unnecessary_wraps, reason = "it is what the runners return")]
    fn counts(passed: u64, failed: u64, skipped: u64) -> Option<Counts> {
        Some(Counts { passed, failed, skipped })
    }

    #[test]
    fn nextest() {
        let green = "────────────\n     Summary [   0.005s] 2 tests run: 2 passed (1 slow), 3 skipped\n";
        assert_eq!(Runner::Nextest.counts(green), counts(2, 0, 3));
        let red = "     Summary [   1.200s] 6/9 tests run: 2 passed, 1 failed, 2 timed out, 1 exec failed, 0 skipped\n        FAIL crm-core a\nerror: test run failed\n";
        assert_eq!(Runner::Nextest.counts(red), counts(2, 4, 0));
        let one = "     Summary [   0.100s] 1 test run: 1 passed (1 leaky), 0 skipped";
        assert_eq!(Runner::Nextest.counts(one), counts(1, 0, 0));
        let none = "     Summary [   0.000s] 0 tests run: 0 passed, 0 skipped";
        assert_eq!(Runner::Nextest.counts(none), counts(0, 0, 0));
        assert_eq!(Runner::Nextest.counts("error: could not compile"), None);
    }

    #[test]
    fn cargo_adds_the_programs_up() {
        let text = "\nrunning 2 tests\ntest a ... ok\n
test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 4 filtered out; finished in 0.00s\n
test result: FAILED. 1 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.10s\n
all doctests ran in 0.52s; merged doctests compilation took 0.31s\n";
        assert_eq!(Runner::Cargo.counts(text), counts(3, 3, 1));
        assert_eq!(Runner::Cargo.counts("error[E0425]: cannot find"), None);
    }

    #[test]
    fn pytest() {
        for (text, expected) in [
            ("tests/a.py ..\n\n====== 12 passed in 0.34s ======\n", counts(12, 0, 0)),
            (
                "== 1 failed, 3 passed, 2 skipped, 1 xfailed, 4 warnings, 2 errors in 75.01s (0:01:15) ==",
                counts(3, 3, 3),
            ),
            ("5 passed, 1 deselected in 0.10s", counts(5, 0, 0)),
            ("======= no tests ran in 0.01s =======", counts(0, 0, 0)),
            ("=== 1 error in 0.20s ===", counts(0, 1, 0)),
            ("ERROR: file or directory not found: tests\n", None),
        ] {
            assert_eq!(Runner::Pytest.counts(text), expected, "{text}");
        }
    }
}
