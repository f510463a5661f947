//! Programs in Python, one process per turn.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::Outcome;

/// The interpreter with the peers' packages, if there is one.
pub(crate) fn python() -> Option<String> {
    let python = std::env::var("CRM_BENCH_PYTHON").ok().filter(|path| !path.is_empty());
    if python.is_none() {
        eprintln!("CRM_BENCH_PYTHON is not set: without the peers in Python (`cargo xtask bench` sets it)");
    }
    python
}

/// Runs a peer, which prints the seconds that its work took.
pub(crate) fn seconds(python: &str, peer: &str, arguments: &[&str]) -> Outcome<f64> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers").join(peer);
    let output = Command::new(python).arg(script).args(arguments).stderr(Stdio::inherit()).output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let seconds = text.lines().last().and_then(|line| line.trim().parse().ok());
    seconds.ok_or_else(|| format!("{peer} ended with {} and said {text:?}", output.status).into())
}
