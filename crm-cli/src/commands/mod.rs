//! The commands: one file each.

mod allocation;
mod audit;
mod calendar;
mod case;
mod completion;
mod config;
mod contact;
mod credit_note;
mod deadline_rule;
mod deal;
mod demo;
mod demo_data;
mod demo_sales;
mod doctor;
mod help;
mod import;
mod init;
mod invitation;
mod invoice;
mod invoice_lines;
mod key;
mod key_usage;
mod lead;
mod lead_convert;
mod ledger;
mod log;
mod login;
mod machine;
mod member;
#[cfg(test)]
mod named;
mod org;
mod payment;
mod pipeline;
mod print;
mod privacy;
mod product;
mod refund;
mod report;
mod report_billing;
mod report_cases;
mod report_sales;
mod series;
mod tag;
mod task;
mod timeline;
mod user;

use std::ffi::OsString;

use clap::{ArgMatches, Command};

use crate::error::{Done, Failure};
use crate::open::App;

/// Describes a command.
type Describe = fn() -> Command;

/// Every command by its name, in the order of the help.
const ALL: &[(&str, Describe)] = &[
    ("init", init::command),
    ("demo", demo::command),
    ("contact", contact::command),
    ("lead", lead::command),
    ("deal", deal::command),
    ("case", case::command),
    ("task", task::command),
    ("log", log::command),
    ("timeline", timeline::command),
    ("tag", tag::command),
    ("product", product::command),
    ("invoice", invoice::command),
    // Billing.
    ("payment", payment::command),
    ("credit-note", credit_note::command),
    ("refund", refund::command),
    ("ledger", ledger::command),
    ("import", import::command),
    ("report", report::command),
    // Access.
    ("login", login::command),
    ("logout", login::logout_command),
    ("whoami", login::whoami_command),
    ("user", user::command),
    ("member", member::command),
    ("key", key::command),
    ("org", org::command),
    ("series", series::command),
    ("pipeline", pipeline::command),
    ("calendar", calendar::command),
    ("deadline-rule", deadline_rule::command),
    ("machine", machine::command),
    ("audit", audit::command),
    ("privacy", privacy::command),
    ("doctor", doctor::command),
    ("config", config::command),
    ("completion", completion::command),
    ("man", completion::man_command),
    ("help", help::command),
];

/// Every command.
pub(crate) fn all() -> Vec<Command> {
    ALL.iter().map(|(_, command)| command()).collect()
}

/// The commands that the arguments can mean: those whose names are among them, or all where a command is not to be seen
/// or shows the others. To describe every command takes longer than most of them take.
pub(crate) fn among(arguments: &[OsString]) -> Vec<Command> {
    let given = |name: &str| arguments.iter().skip(1).any(|argument| argument == name);
    let named: Vec<Command> = ALL.iter().filter(|(name, _)| given(name)).map(|(_, command)| command()).collect();
    if named.is_empty() || ["help", "--help", "-h", "completion", "man"].into_iter().any(given) { all() } else { named }
}

/// Whether there is a command of these two words.
pub(crate) fn has(name: &str, verb: &str) -> bool {
    let group = ALL.iter().find(|(known, _)| *known == name);
    group.is_some_and(|(_, command)| command().find_subcommand(verb).is_some())
}

/// Carries out the command that was given.
pub(crate) async fn run(app: &App, matches: &ArgMatches) -> Done {
    let Some((name, args)) = matches.subcommand() else { return Err(Failure::usage("No command was given")) };
    match name {
        "init" => init::run(app, args).await,
        "demo" => demo::run(app, args).await,
        "contact" => contact::run(app, args).await,
        "lead" => lead::run(app, args).await,
        "deal" => deal::run(app, args).await,
        "case" => case::run(app, args).await,
        "task" => task::run(app, args).await,
        "log" => log::run(app, args).await,
        "timeline" => timeline::run(app, args).await,
        "tag" => tag::run(app, args).await,
        "product" => product::run(app, args).await,
        "invoice" => invoice::run(app, args).await,
        // Billing.
        "payment" => payment::run(app, args).await,
        "credit-note" => credit_note::run(app, args).await,
        "refund" => refund::run(app, args).await,
        "ledger" => ledger::run(app, args).await,
        "import" => import::run(app, args).await,
        "report" => report::run(app, args).await,
        // Access.
        "login" => login::run(app, args).await,
        "logout" => login::logout(app).await,
        "whoami" => login::whoami(app).await,
        "user" => user::run(app, args).await,
        "member" => member::run(app, args).await,
        "key" => key::run(app, args).await,
        "org" => org::run(app, args).await,
        "series" => series::run(app, args).await,
        "pipeline" => pipeline::run(app, args).await,
        "calendar" => calendar::run(app, args).await,
        "deadline-rule" => deadline_rule::run(app, args).await,
        "machine" => machine::run(app, args),
        "audit" => audit::run(app, args).await,
        "privacy" => privacy::run(app, args).await,
        "doctor" => doctor::run(app).await,
        "config" => config::run(app, args),
        "completion" => completion::run(app, args),
        "man" => completion::man(app, args),
        _ => help::run(app, args),
    }
}

/// The verb of a group and its arguments; the parser requires one.
pub(crate) fn verb(args: &ArgMatches) -> Result<(&str, &ArgMatches), Failure> {
    args.subcommand().ok_or_else(|| Failure::usage("No command was given"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_found_by_their_own_names_wherever_they_stand() {
        for (name, command) in ALL {
            assert_eq!(command().get_name(), *name);
        }
        let count = |arguments: &[&str]| among(&arguments.iter().map(OsString::from).collect::<Vec<_>>()).len();
        assert_eq!(count(&["crm", "--org", "deal", "contact", "list"]), 2);
        for all in [&["crm"][..], &["crm", "cntact", "list"], &["crm", "help", "contact"], &["crm", "contact", "-h"]] {
            assert_eq!(count(all), ALL.len(), "{all:?}");
        }
    }
}
