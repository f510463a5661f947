//! `crm pipeline`: the ways that deals go, and their stages.

use clap::{Arg, ArgAction, ArgMatches, Command};
use crm_core::entity::Stored;
use crm_core::sales::{
    AddStage, ChangeStage, CreatePipeline, DeletePipeline, DeleteStage, MakeDefault, NewStage, Pipeline, ReorderStages,
    Stage,
};
use crm_core::store::{LARGEST_PAGE, Query};
use crm_core::value::ValueError;
use crm_core::{Id, Session};

use super::verb;
use crate::args::{self, examples, flag, group, option, text, texts};
use crate::error::{Done, Failure};
use crate::nouns::Noun as _;
use crate::open::App;
use crate::output::{Format, Record, View};
use crate::records::{self, record};

pub(super) fn command() -> Command {
    let on = |name: &'static str, about: &'static str| {
        Command::new(name).about(about).arg(records::reference_arg::<Pipeline>())
    };
    let group = group("pipeline", "Works on pipelines: the ways that deals go, stage by stage")
        .subcommand(
            Command::new("add")
                .about("Adds a pipeline with its stages; the organization's first one is its default")
                .arg(Arg::new("name").value_name("NAME").required(true).help("Its name"))
                .arg(
                    option("stage", "NAME=PERCENT", "A stage, and how likely a deal in it is won; may be repeated")
                        .action(ArgAction::Append)
                        .required(true),
                )
                .arg(args::idempotency()),
        )
        .subcommand(records::list_command::<Pipeline>())
        .subcommand(on("show", "Shows a pipeline with its stages"))
        .subcommand(on("edit", "Renames a pipeline").arg(option("name", "TEXT", "Its name").required(true)))
        .subcommand(on("default", "Makes a pipeline the one of deals that name none"))
        .subcommand(on("delete", "Deletes a pipeline that no deal is or ever was in").arg(flag("yes", "Does not ask")))
        .subcommand(stages());
    examples(
        group,
        &[
            ("add", "crm pipeline add Partners --stage contact=20 --stage contract=60"),
            ("list", "crm pipeline list"),
            ("show", "crm pipeline show Sales"),
            ("edit", "crm pipeline edit Sales --name 'New business'"),
            ("default", "crm pipeline default Partners"),
            ("delete", "crm pipeline delete Partners --yes"),
        ],
    )
}

fn stages() -> Command {
    let on = |name: &'static str, about: &'static str| {
        Command::new(name).about(about).arg(records::reference_arg::<Pipeline>())
    };
    let stage = || Arg::new("stage").value_name("STAGE").required(true).help("The stage's name or id");
    let name = || option("name", "TEXT", "Its name");
    let probability = || option("probability", "PERCENT", "How likely a deal in it is won, 0 to 100");
    let group = group("stage", "Works on the stages of a pipeline; the pipeline is shown")
        .subcommand(on("add", "Adds a stage at the end").arg(name().required(true)).arg(probability().required(true)))
        .subcommand(on("edit", "Changes a stage").arg(stage()).arg(name()).arg(probability()))
        .subcommand(on("remove", "Deletes a stage that no deal is or ever was in").arg(stage()))
        .subcommand(
            on("reorder", "Puts the stages in another order; what happened stays as it was")
                .arg(stage().num_args(1..).help("All its stages by name or id, each once, in their new order")),
        );
    examples(
        group,
        &[
            ("add", "crm pipeline stage add Sales --name trial --probability 60"),
            ("edit", "crm pipeline stage edit Sales trial --probability 65"),
            ("remove", "crm pipeline stage remove Sales trial"),
            ("reorder", "crm pipeline stage reorder Sales lead trial qualification proposal negotiation"),
        ],
    )
}

pub(super) async fn run(app: &App, args: &ArgMatches) -> Done {
    let (verb, args) = verb(args)?;
    match verb {
        "list" | "edit" => return records::run::<Pipeline>(app, verb, args).await,
        "stage" => return run_stage(app, args).await,
        _ => {}
    }
    let session = app.session().await?;
    if verb == "add" {
        let stages = texts(args, "stage").into_iter().map(new_stage).collect::<Result<_, _>>();
        let stages = stages.map_err(|reason| Failure::invalid("stage", &reason))?;
        let command = CreatePipeline { name: args::required(args, "name")?, stages };
        let added = session.run_with_key(&command, args::idempotency_of(args)?.as_ref()).await?;
        return show(app, &session, &added, "Added").await;
    }
    let pipeline = records::find::<Pipeline>(&session, records::reference(args)).await?;
    match verb {
        "default" => {
            let after = session.run(&MakeDefault(pipeline.id)).await?;
            show(app, &session, &after, done(&pipeline, &after, "Made the default")).await
        }
        "delete" => {
            records::confirm(args, &format!("Delete the pipeline {} for good?", pipeline.name))?;
            let deleted = session.run(&DeletePipeline(pipeline.id)).await?;
            records::written(app, &session, &deleted, "Deleted").await
        }
        _ => show(app, &session, &pipeline, "").await,
    }
}

async fn run_stage(app: &App, args: &ArgMatches) -> Done {
    let (verb, args) = verb(args)?;
    let session = app.session().await?;
    let pipeline = records::find::<Pipeline>(&session, records::reference(args)).await?;
    let mut named = Vec::new();
    if verb != "add" {
        for name in texts(args, "stage") {
            named.push(stage(&session, &pipeline, name).await?.id);
        }
    }
    let after = match (verb, named.as_slice()) {
        ("edit", [stage]) => {
            let (name, probability) = (args::value(args, "name")?, args::value(args, "probability")?);
            session.run(&ChangeStage { stage: *stage, name, probability }).await?
        }
        ("remove", [stage]) => session.run(&DeleteStage(*stage)).await?,
        ("reorder", _) => session.run(&ReorderStages { pipeline: pipeline.id, order: named }).await?,
        _ => {
            let (name, probability) = (args::required(args, "name")?, args::required(args, "probability")?);
            session.run(&AddStage { pipeline: pipeline.id, stage: NewStage { name, probability } }).await?
        }
    };
    show(app, &session, &after, done(&pipeline, &after, "Changed")).await
}

fn done(before: &Stored<Pipeline>, after: &Stored<Pipeline>, done: &'static str) -> &'static str {
    if before.version == after.version { "Left as it was:" } else { done }
}

/// Reads `NAME=PERCENT`.
fn new_stage(text: &str) -> Result<NewStage, ValueError> {
    let (name, percent) = text.rsplit_once('=').ok_or_else(|| ValueError::syntax("NAME=PERCENT", text))?;
    Ok(NewStage { name: name.parse()?, probability: percent.trim_end_matches('%').parse()? })
}

/// The stage of a pipeline with this name or id.
pub(super) async fn stage(
    session: &Session<'_>,
    pipeline: &Stored<Pipeline>,
    text: &str,
) -> Result<Stored<Stage>, Failure> {
    let columns = Stage::COLUMNS;
    let called = match text.parse() {
        Ok(id) => columns.id.eq(&id),
        Err(_) => columns.name_key.eq(&crm_core::value::fold(text)),
    };
    records::only(session, columns.pipeline_id.eq(&pipeline.id) & called, text).await
}

/// Shows a pipeline with its stages.
async fn show(app: &App, session: &Session<'_>, pipeline: &Stored<Pipeline>, done: &str) -> Done {
    if !done.is_empty() {
        app.out.note(&format!("{done} pipeline {}.", pipeline.name));
    }
    let columns = Stage::COLUMNS;
    let stages = Query::new(columns.pipeline_id.eq(&pipeline.id)).ascending(columns.position).limit(LARGEST_PAGE);
    let stages: Vec<Record> = session.list(&stages).await?.items.iter().map(record).collect();
    let view = View::of(<Stage as crm_core::entity::Entity>::TABLE, Stage::LIST.iter().copied())?;
    if app.out.format == Format::Table {
        let more = format!("\n{}", view.draw(app.out, &stages));
        return records::print(app, session, pipeline, &[], &more).await;
    }
    let view = View::of(view.table, ["id", "position", "name", "probability"])?;
    let stages: Vec<String> = stages.iter().map(|stage| view.json(stage, &[], None)).collect();
    records::print(app, session, pipeline, &[("stages", format!("[{}]", stages.join(",")))], "").await
}

/// The options of where a new deal begins.
pub(super) fn way(command: Command) -> Command {
    command
        .arg(option("pipeline", "PIPELINE", "Which way it goes [default: the organization's default pipeline]"))
        .arg(option("stage", "STAGE", "Where it begins [default: the pipeline's first stage]"))
}

/// Where a new deal begins, as the options say.
pub(super) async fn beginning(
    session: &Session<'_>,
    args: &ArgMatches,
) -> Result<(Option<Id<Pipeline>>, Option<Id<Stage>>), Failure> {
    let pipeline = match text(args, "pipeline") {
        Some(name) => Some(records::find::<Pipeline>(session, name).await?),
        None => None,
    };
    let stage = match (text(args, "stage"), &pipeline) {
        (Some(name), Some(pipeline)) => Some(stage(session, pipeline, name).await?.id),
        (Some(name), None) => Some(records::find::<Stage>(session, name).await?.id),
        (None, _) => None,
    };
    Ok((pipeline.map(|pipeline| pipeline.id), stage))
}
