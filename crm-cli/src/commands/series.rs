//! `crm series`: works on the series that give documents their numbers.

use clap::{ArgMatches, Command};
use crm_core::billing::NumberSeries;

use super::verb;
use crate::args::group;
use crate::error::Done;
use crate::open::App;
use crate::records;

pub(super) fn command() -> Command {
    group("series", "Works on the series that give documents their numbers")
        .subcommands(records::commands::<NumberSeries>())
}

pub(super) async fn run(app: &App, args: &ArgMatches) -> Done {
    let (verb, args) = verb(args)?;
    records::run::<NumberSeries>(app, verb, args).await
}
