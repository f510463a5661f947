//! `crm deal`: what contacts may buy, on its way through a pipeline.

use clap::{Arg, ArgMatches, Command};
use crm_core::Session;
use crm_core::entity::Entity as _;
use crm_core::sales::{
    CreateDeal, Deal, DeleteDeal, LoseDeal, MoveDeal, Pipeline, ReopenDeal, StageChange, StartDeal, WinDeal,
};

use super::{pipeline, verb};
use crate::args::{self, examples, group, option, text};
use crate::error::Done;
use crate::open::App;
use crate::records;

pub(super) fn command() -> Command {
    let on =
        |name: &'static str, about: &'static str| Command::new(name).about(about).arg(records::reference_arg::<Deal>());
    let history = args::listing(on("history", "Lists the steps of a deal, the first one first"), StageChange::TABLE);
    let group = group("deal", "Works on deals: what contacts may buy, on its way through a pipeline")
        .subcommands(records::commands::<Deal>())
        .mut_subcommand("add", pipeline::way)
        .mut_subcommand("delete", |command| command.about("Deletes a deal with its history for good"))
        .subcommand(on("start", "Says that somebody works on a new deal"))
        .subcommand(
            on("stage", "Moves an open deal to another stage of its pipeline")
                .arg(Arg::new("stage").value_name("STAGE").required(true).help("The stage's name or id")),
        )
        .subcommand(on("win", "Wins an open deal that has an amount"))
        .subcommand(on("lose", "Gives up an open deal").arg(option("reason", "TEXT", "Why it is lost").required(true)))
        .subcommand(on("reopen", "Opens a deal again that was won or lost"))
        .subcommand(history);
    examples(
        group,
        &[
            ("add", "crm deal add --title 'Big order' --contact eva@example.com --amount 1200 --stage proposal"),
            ("list", "crm deal list --where 'is_open and owner = ana@example.com' --sort -amount"),
            ("show", "crm deal show 'Big order'"),
            ("edit", "crm deal edit 'Big order' --amount 1500 --expected-close-on 2026-09-30"),
            ("start", "crm deal start 'Big order'"),
            ("stage", "crm deal stage 'Big order' negotiation"),
            ("win", "crm deal win 'Big order'"),
            ("lose", "crm deal lose 'Big order' --reason 'Too expensive'"),
            ("reopen", "crm deal reopen 'Big order'"),
            ("history", "crm deal history 'Big order' -o csv"),
            ("archive", "crm deal archive 'Big order'"),
            ("restore", "crm deal restore 'Big order'"),
            ("delete", "crm deal delete 'Big order' --yes"),
        ],
    )
}

pub(super) async fn run(app: &App, args: &ArgMatches) -> Done {
    let (verb, args) = verb(args)?;
    if matches!(verb, "list" | "show" | "edit" | "archive" | "restore") {
        return records::run::<Deal>(app, verb, args).await;
    }
    let session = app.session().await?;
    if verb == "add" {
        return add(app, &session, args).await;
    }
    let deal = records::find::<Deal>(&session, records::reference(args)).await?;
    match verb {
        "start" => records::change(app, &session, &deal, &StartDeal(deal.id), "Started").await,
        "stage" => {
            let pipeline = session.get::<Pipeline>(deal.pipeline_id).await?;
            let stage = pipeline::stage(&session, &pipeline, text(args, "stage").unwrap_or_default()).await?;
            let command = MoveDeal { id: deal.id, stage: stage.id };
            records::change(app, &session, &deal, &command, &format!("Moved to {}:", stage.name)).await
        }
        "win" => records::change(app, &session, &deal, &WinDeal(deal.id), "Won").await,
        "lose" => {
            let command = LoseDeal { id: deal.id, reason: args::required(args, "reason")? };
            records::change(app, &session, &deal, &command, "Lost").await
        }
        "reopen" => records::change(app, &session, &deal, &ReopenDeal(deal.id), "Reopened").await,
        "delete" => {
            records::confirm(args, &format!("Delete the deal {} with its history for good?", deal.title))?;
            let deleted = session.run(&DeleteDeal(deal.id)).await?;
            records::written(app, &session, &deleted, "Deleted").await
        }
        _ => {
            let columns = StageChange::COLUMNS;
            let query = records::query(&session, args, columns.deal_id.eq(&deal.id)).await?;
            let query = if text(args, "sort").is_none() { query.ascending(columns.at) } else { query };
            records::pages(app, &session, query, args).await
        }
    }
}

async fn add(app: &App, session: &Session<'_>, args: &ArgMatches) -> Done {
    let (pipeline, stage) = pipeline::beginning(session, args).await?;
    let command = CreateDeal { edit: records::edit_of(session, args).await?, pipeline, stage };
    let added = session.run_with_key(&command, args::idempotency_of(args)?.as_ref()).await?;
    records::written(app, session, &added, "Added").await
}
