//! The `crm` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    crm_cli::main()
}
