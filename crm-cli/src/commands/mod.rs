//! The commands: one file each.

mod audit;
mod completion;
mod config;
mod contact;
mod deal;
mod demo;
mod demo_data;
mod demo_sales;
mod doctor;
mod help;
mod import;
mod init;
mod invoice;
mod invoice_lines;
mod lead;
mod lead_convert;
mod log;
mod machine;
mod member;
mod org;
mod payment;
mod pipeline;
mod product;
mod report;
mod report_sales;
mod series;
mod tag;
mod task;
mod timeline;

use clap::{ArgMatches, Command};

use crate::error::{Done, Failure};
use crate::open::App;

/// Every command, in the order of the help.
pub(crate) fn all() -> Vec<Command> {
    vec![
        init::command(),
        demo::command(),
        contact::command(),
        lead::command(),
        deal::command(),
        task::command(),
        log::command(),
        timeline::command(),
        tag::command(),
        product::command(),
        invoice::command(),
        payment::command(),
        import::command(),
        report::command(),
        member::command(),
        org::command(),
        series::command(),
        pipeline::command(),
        machine::command(),
        audit::command(),
        doctor::command(),
        config::command(),
        completion::command(),
        completion::man_command(),
        help::command(),
    ]
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
        "task" => task::run(app, args).await,
        "log" => log::run(app, args).await,
        "timeline" => timeline::run(app, args).await,
        "tag" => tag::run(app, args).await,
        "product" => product::run(app, args).await,
        "invoice" => invoice::run(app, args).await,
        "payment" => payment::run(app, args).await,
        "import" => import::run(app, args).await,
        "report" => report::run(app, args).await,
        "member" => member::run(app, args).await,
        "org" => org::run(app, args).await,
        "series" => series::run(app, args).await,
        "pipeline" => pipeline::run(app, args).await,
        "machine" => machine::run(app, args),
        "audit" => audit::run(app, args).await,
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
