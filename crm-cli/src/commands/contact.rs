//! `crm contact`: works on contacts: people and companies.

use clap::{ArgMatches, Command};
use crm_core::people::Contact;

use super::verb;
use crate::args::group;
use crate::error::Done;
use crate::open::App;
use crate::records;

pub(super) fn command() -> Command {
    group("contact", "Works on contacts: people and companies").subcommands(records::commands::<Contact>())
}

pub(super) async fn run(app: &App, args: &ArgMatches) -> Done {
    let (verb, args) = verb(args)?;
    records::run::<Contact>(app, verb, args).await
}
