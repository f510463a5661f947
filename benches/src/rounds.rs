//! Competitors take turns: every round runs all of them, every second round in the reverse order.

use std::time::{Duration, Instant};

use crate::Outcome;

/// How a competitor takes its turn: the seconds that one unit of work took.
type Turn<'a> = Box<dyn FnMut() -> Outcome<f64> + 'a>;

/// What is asked of a ratio.
#[derive(Clone, Copy)]
pub(crate) enum Goal {
    /// At least so many times as fast.
    AtLeast(f64),
    /// At most so many times as slow.
    AtMost(f64),
}

/// One workload.
pub(crate) struct Workload<'a> {
    title: String,
    unit: &'static str,
    competitors: Vec<(String, Turn<'a>)>,
    goals: Vec<(usize, usize, Goal)>,
}

impl<'a> Workload<'a> {
    /// `unit` is what one unit of work is: "row", "call".
    pub(crate) fn new(title: impl Into<String>, unit: &'static str) -> Self {
        Self { title: title.into(), unit, competitors: Vec::new(), goals: Vec::new() }
    }

    /// Adds a competitor and gives its number.
    pub(crate) fn competitor(&mut self, name: impl Into<String>, turn: impl FnMut() -> Outcome<f64> + 'a) -> usize {
        self.competitors.push((name.into(), Box::new(turn)));
        self.competitors.len() - 1
    }

    /// What is asked of one competitor, compared with another.
    pub(crate) fn goal(&mut self, of: usize, against: usize, goal: Goal) {
        self.goals.push((of, against, goal));
    }

    /// Runs all of them and prints the table. One round before the first warms up and is not counted, unless there is
    /// only one.
    pub(crate) fn run(mut self, rounds: usize) -> Outcome {
        let mut seconds = vec![Vec::with_capacity(rounds); self.competitors.len()];
        let warm_up = usize::from(rounds > 1);
        for round in 0..rounds + warm_up {
            let mut order: Vec<usize> = (0..self.competitors.len()).collect();
            if round % 2 == 1 {
                order.reverse();
            }
            for at in order {
                let (name, turn) = &mut self.competitors[at];
                let took = turn().map_err(|error| format!("{}: {name}: {error}", self.title))?;
                if round >= warm_up {
                    seconds[at].push(took);
                }
            }
        }
        self.print(&mut seconds);
        Ok(())
    }

    fn print(&self, seconds: &mut [Vec<f64>]) {
        let medians: Vec<f64> = seconds.iter_mut().map(|times| median(times)).collect();
        println!("\n### {}\n", self.title);
        println!("| competitor | median per {} | [min..max] | {}s/s | goal | reached |", self.unit, self.unit);
        println!("|---|---|---|---|---|---|");
        for (at, (name, _)) in self.competitors.iter().enumerate() {
            let goals: Vec<(String, String)> = self
                .goals
                .iter()
                .filter(|(of, ..)| *of == at)
                .map(|(_, against, goal)| {
                    let other = &self.competitors[*against].0;
                    match goal {
                        Goal::AtLeast(ratio) => {
                            let reached = medians[*against] / medians[at];
                            (format!("≥ {ratio} × {other}"), verdict(reached, reached >= *ratio))
                        }
                        Goal::AtMost(ratio) => {
                            let reached = medians[at] / medians[*against];
                            (format!("≤ {ratio} × the time of {other}"), verdict(reached, reached <= *ratio))
                        }
                    }
                })
                .collect();
            let (asked, reached): (Vec<String>, Vec<String>) = goals.into_iter().unzip();
            let times = &seconds[at];
            println!(
                "| {name} | {} | [{}..{}] | {:.0} | {} | {} |",
                shown(medians[at]),
                shown(times[0]),
                shown(times[times.len() - 1]),
                1.0 / medians[at],
                asked.join("; "),
                reached.join("; ")
            );
        }
    }
}

fn verdict(reached: f64, met: bool) -> String {
    format!("{reached:.2}{}", if met { "" } else { " (missed)" })
}

/// The middle one; sorts them.
pub(crate) fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    let middle = times.len() / 2;
    if times.len() % 2 == 1 { times[middle] } else { f64::midpoint(times[middle - 1], times[middle]) }
}

/// A time as people read it.
pub(crate) fn shown(seconds: f64) -> String {
    if seconds >= 1.0 {
        format!("{seconds:.2} s")
    } else if seconds >= 0.001 {
        format!("{:.2} ms", seconds * 1e3)
    } else {
        format!("{:.2} µs", seconds * 1e6)
    }
}

/// The seconds per unit of some work.
pub(crate) fn per_unit(units: usize, work: impl FnOnce() -> Outcome) -> Outcome<f64> {
    let begun = Instant::now();
    work()?;
    Ok(each(begun.elapsed(), units))
}

/// The seconds of each of so many.
#[expect(clippy::cast_precision_loss, reason = "counts of rows")]
pub(crate) fn each(elapsed: Duration, units: usize) -> f64 {
    elapsed.as_secs_f64() / units as f64
}
