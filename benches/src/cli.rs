//! The command line, cold.

use std::hint::black_box;
use std::process::{Command, Stdio};

use crate::book::{self, OWNER, SLUG};
use crate::contacts::Fields;
use crate::rounds::{Goal, Workload, per_unit};
use crate::{Options, Outcome};

/// Starts per turn.
const STARTS: usize = 20;

/// The built `crm`, if the environment names it.
pub(crate) fn binary(program: &str) -> Option<String> {
    let binary = std::env::var("CRM_BIN").ok().filter(|path| !path.is_empty());
    if binary.is_none() {
        eprintln!("{program}: left out, since CRM_BIN does not name a built crm (cargo build --release -p crm-cli)");
    }
    binary
}

pub(crate) fn run(options: &Options) -> Outcome {
    let Some(crm) = binary("cli") else { return Ok(()) };
    let path = book::with_contacts(options.rows(100_000))?;
    let email = Fields::of(77).values[3].clone();
    let key = email.to_lowercase();
    let config = tempfile::tempdir()?;

    let url = format!("sqlite:{}", path.display());
    let mut workload = Workload::new("cli: one contact, cold", "start");
    let floor = workload.competitor("sqlite3 shell", || {
        let text = format!("SELECT * FROM crm_contact WHERE org = 1 AND email_key = '{key}'");
        started(|| {
            let mut command = Command::new("sqlite3");
            command.arg("-readonly").arg(&path).arg(&text);
            command
        })
    });
    let library = workload.competitor("crm contact show", || {
        started(|| {
            let mut command = Command::new(&crm);
            command.args(["--database", &url, "--org", SLUG, "--as", OWNER, "contact", "show", &email]);
            command.env("XDG_CONFIG_HOME", config.path()).env("XDG_DATA_HOME", config.path());
            command
        })
    });
    workload.goal(library, floor, Goal::AtMost(2.0));
    workload.run(options.rounds(9))
}

fn started(command: impl Fn() -> Command) -> Outcome<f64> {
    per_unit(STARTS, || {
        for _ in 0..STARTS {
            let output = command().stdin(Stdio::null()).output()?;
            if !output.status.success() || output.stdout.is_empty() {
                let said = String::from_utf8_lossy(&output.stderr);
                return Err(format!("ended with {} and said {said:?}", output.status).into());
            }
            black_box(output);
        }
        Ok(())
    })
}
