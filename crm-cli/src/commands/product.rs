//! `crm product`: works on products and services.

use clap::{ArgMatches, Command};
use crm_core::billing::Product;

use super::verb;
use crate::args::group;
use crate::error::Done;
use crate::open::App;
use crate::records;

pub(super) fn command() -> Command {
    group("product", "Works on products and services").subcommands(records::commands::<Product>())
}

pub(super) async fn run(app: &App, args: &ArgMatches) -> Done {
    let (verb, args) = verb(args)?;
    records::run::<Product>(app, verb, args).await
}
