//! From Python: a list of contacts of which every field is read once.

use std::process::Command;

use crate::book::{self, OWNER, SLUG};
use crate::rounds::{Goal, Workload};
use crate::{Options, Outcome, peers};

pub(crate) fn run(options: &Options) -> Outcome {
    let count = options.rows(10_000);
    let Some(python) = peers::python() else { return Ok(()) };
    let has = |module: &str| {
        let imported = Command::new(&python).args(["-c", &format!("import {module}")]).output();
        imported.is_ok_and(|output| output.status.success())
    };
    let path = book::with_contacts(count)?;
    let path = path.to_string_lossy().into_owned();
    let mut workload = Workload::new(format!("python: list {count} contacts, every field read once"), "list");
    let peer = workload
        .competitor("SQLAlchemy ORM", || peers::seconds(&python, "python.py", &["sqlalchemy", &path, SLUG, OWNER]));
    if has("crm_py") {
        let library =
            workload.competitor("crm_py", || peers::seconds(&python, "python.py", &["crm", &path, SLUG, OWNER]));
        workload.goal(library, peer, Goal::AtLeast(3.0));
    } else {
        eprintln!("python: without crm_py, since {python} cannot import it (maturin develop --release in crm-py)");
    }
    workload.run(options.rounds(7))
}
