//! The steps of a run: announced as they begin, summed up at the end.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use crate::counts::{Counts, Runner};
use crate::error::Stop;
use crate::session::Finished;

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    Passed,
    Failed,
    /// Not run, with the reason.
    Skipped(String),
}

struct Step {
    name: String,
    outcome: Outcome,
    time: Duration,
    counts: Option<Counts>,
}

/// What has been run so far.
pub(crate) struct Report {
    fail_fast: bool,
    steps: Vec<Step>,
}

impl Report {
    pub(crate) fn new(fail_fast: bool) -> Self {
        Self { fail_fast, steps: Vec::new() }
    }

    /// Runs one step. Only a signal ends the run; whatever else goes wrong is a failed step, and `None`.
    pub(crate) fn step<T>(
        &mut self,
        name: &str,
        description: &str,
        body: impl FnOnce() -> Result<T, Stop>,
    ) -> Result<Option<T>, Stop> {
        self.measure(name, description, || Ok((Outcome::Passed, None, body()?)))
    }

    /// Runs one step that is a program, whose tests `runner` can count. Says whether it succeeded.
    pub(crate) fn program(
        &mut self,
        name: &str,
        description: &str,
        runner: Option<Runner>,
        body: impl FnOnce() -> Result<Finished, Stop>,
    ) -> Result<bool, Stop> {
        let success = self.measure(name, description, || {
            let finished = body()?;
            let counts = runner.and_then(|runner| runner.counts(&finished.text));
            let success = if !finished.status.success() {
                eprintln!("error: {description} ended with {}", finished.status);
                false
            } else if runner.is_some() && counts.is_none() {
                eprintln!("error: the output of {description} tells no number of tests");
                false
            } else {
                true
            };
            let outcome = if success { Outcome::Passed } else { Outcome::Failed };
            Ok((outcome, counts, success))
        })?;
        Ok(success == Some(true))
    }

    fn measure<T>(
        &mut self,
        name: &str,
        description: &str,
        body: impl FnOnce() -> Result<(Outcome, Option<Counts>, T), Stop>,
    ) -> Result<Option<T>, Stop> {
        if self.fail_fast && self.failed() {
            self.skip(name, "an earlier step failed");
            return Ok(None);
        }
        eprintln!("\n== {name}: {description}");
        let begun = Instant::now();
        let (outcome, counts, value) = match body() {
            Ok((outcome, counts, value)) => (outcome, counts, Some(value)),
            Err(Stop::Failed(reason)) => {
                eprintln!("error: {reason}");
                (Outcome::Failed, None, None)
            }
            Err(interrupted @ Stop::Interrupted(_)) => return Err(interrupted),
        };
        let time = begun.elapsed();
        let verb = if outcome == Outcome::Passed { "passed in" } else { "FAILED after" };
        eprintln!("== {name}: {verb} {}", duration(time));
        self.steps.push(Step { name: name.to_owned(), outcome, time, counts });
        Ok(value)
    }

    /// Records a step that is not run.
    pub(crate) fn skip(&mut self, name: &str, reason: &str) {
        eprintln!("\n== {name}: skipped, {reason}");
        self.steps.push(Step {
            name: name.to_owned(),
            outcome: Outcome::Skipped(reason.to_owned()),
            time: Duration::ZERO,
            counts: None,
        });
    }

    pub(crate) fn failed(&self) -> bool {
        self.steps.iter().any(|step| step.outcome == Outcome::Failed)
    }

    /// The tests of all steps; a step that failed for another reason than a test counts as one failure.
    pub(crate) fn total(&self) -> Counts {
        let mut total = Counts::default();
        for step in &self.steps {
            let mut counts = step.counts.unwrap_or_default();
            if step.outcome == Outcome::Failed {
                counts.failed = counts.failed.max(1);
            }
            total += counts;
        }
        total
    }

    /// A line for each step.
    pub(crate) fn table(&self) -> String {
        let width = self.steps.iter().map(|step| step.name.len()).max().unwrap_or(0).max(4);
        let mut table = format!(
            "{:<width$}  {:<7}  {:>12}  {:>6}  {:>6}  {:>7}\n",
            "step", "result", "time", "passed", "failed", "skipped"
        );
        for step in &self.steps {
            let (result, reason) = match &step.outcome {
                Outcome::Passed => ("ok", ""),
                Outcome::Failed => ("FAILED", ""),
                Outcome::Skipped(reason) => ("skipped", reason.as_str()),
            };
            let cells = match (&step.counts, reason) {
                (Some(counts), _) => format!("{:>6}  {:>6}  {:>7}", counts.passed, counts.failed, counts.skipped),
                (None, reason) => reason.to_owned(),
            };
            let line = format!("{:<width$}  {result:<7}  {:>12}  {cells}", step.name, duration(step.time));
            let _ = writeln!(table, "{}", line.trim_end());
        }
        table
    }
}

/// A time as a person says it.
fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    if seconds < 60 {
        format!("{seconds}.{} s", time.subsec_millis() / 100)
    } else {
        format!("{} min {:02} s", seconds / 60, seconds % 60)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::process::ExitStatus;

    use super::*;

    fn finished(code: i32, text: &str) -> Finished {
        Finished { status: ExitStatus::from_raw(code << 8), text: text.to_owned() }
    }

    #[test]
    fn the_total_adds_tests_and_failed_steps() {
        let mut report = Report::new(false);
        report.program("fmt", "", None, || Ok(finished(1, ""))).unwrap();
        report
            .program("tests", "", Some(Runner::Cargo), || {
                Ok(finished(1, "test result: FAILED. 3 passed; 2 failed; 1 ignored"))
            })
            .unwrap();
        report.step::<()>("postgres", "", || Err(Stop::failed("not installed"))).unwrap();
        report.skip("python", "not built yet");
        assert_eq!(report.total(), Counts { passed: 3, failed: 4, skipped: 1 });
        assert!(report.failed());
        assert_eq!(report.table().lines().count(), 5);
        assert!(report.table().contains("not built yet"));
    }

    #[test]
    fn success_without_a_number_is_a_failure() {
        let mut report = Report::new(false);
        report.program("tests", "", Some(Runner::Nextest), || Ok(finished(0, "hello"))).unwrap();
        assert!(report.failed());
    }

    #[test]
    fn nothing_is_run_after_a_failure_when_told_so() {
        let mut report = Report::new(true);
        report.program("fmt", "", None, || Ok(finished(1, ""))).unwrap();
        let ran = report.program("clippy", "", None, || panic!("it was run")).unwrap();
        assert!(!ran);
    }

    #[test]
    fn a_signal_ends_the_run() {
        let mut report = Report::new(false);
        let stop = report.step::<()>("fmt", "", || Err(Stop::Interrupted(2)));
        assert!(matches!(stop, Err(Stop::Interrupted(2))));
    }
}
