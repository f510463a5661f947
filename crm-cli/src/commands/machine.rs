//! `crm machine`: the state machines, as tables and diagrams.

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgMatches, Command};
use crm_core::access::Role;
use crm_core::status::{MACHINES, Machine, Move};

use super::verb;
use crate::args::{examples, group, text};
use crate::error::{Done, Failure};
use crate::open::App;
use crate::output::{self, Format};

/// The forms of one machine.
const FORMS: [&str; 6] = ["table", "json", "ndjson", "csv", "dot", "mermaid"];

pub(super) fn command() -> Command {
    let names = MACHINES.iter().map(|machine| machine.name);
    let show = Command::new("show")
        .about("Shows every move of a machine, and the roles that may make it")
        .arg(
            Arg::new("name")
                .value_name("NAME")
                .required(true)
                .value_parser(PossibleValuesParser::new(names))
                .help("Which machine"),
        )
        // Takes the place of the global option: diagrams are forms of their own.
        .arg(
            Arg::new("output")
                .short('o')
                .long("output")
                .value_name("FORM")
                .env("CRM_OUTPUT")
                .value_parser(PossibleValuesParser::new(FORMS))
                .help("The form of the output; dot is Graphviz [default: table]"),
        );
    let group = group("machine", "Shows what can happen to a record's status, and who may do it")
        .subcommand(Command::new("list").about("Lists the machines"))
        .subcommand(show);
    examples(group, &[("list", "crm machine list"), ("show", "crm machine show deal -o mermaid")])
}

pub(super) fn run(app: &App, args: &ArgMatches) -> Done {
    let (verb, args) = verb(args)?;
    if verb == "list" {
        return output::items(app.out, MACHINES, &["name", "states", "moves"], &[2], |machine| {
            vec![machine.name.to_owned(), machine.states.join(" "), machine.moves.len().to_string()]
        });
    }
    let name = text(args, "name").unwrap_or_default();
    let machine = crm_core::status::machine(name);
    let machine = machine.ok_or_else(|| Failure::not_found(format!("There is no machine {name}")))?;
    match (text(args, "output"), app.out.format) {
        (Some("dot"), _) => app.out.data(&machine.dot()),
        (Some("mermaid"), _) => app.out.data(&machine.mermaid()),
        (_, Format::Json) => app.out.data(&format!("{}\n", output::pretty(machine)?)),
        _ => moves(app, machine),
    }
}

fn moves(app: &App, machine: &Machine) -> Done {
    output::items(
        app.out,
        machine.moves,
        &["from", "event", "to", "operation", "roles", "effect"],
        &[],
        |step: &Move| {
            let roles: Vec<&str> = step.roles().into_iter().map(Role::as_str).collect();
            let cells = [step.from, step.event, step.to, step.operation, &roles.join(" "), step.effect];
            cells.map(str::to_owned).to_vec()
        },
    )
}
