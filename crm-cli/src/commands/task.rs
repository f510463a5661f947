//! `crm task`: what is to be done, by whom, until when.

use clap::{ArgMatches, Command};
use crm_core::activity::{CancelTask, CompleteTask, ReopenTask, Task};

use super::verb;
use crate::args::{self, examples, group};
use crate::error::Done;
use crate::open::App;
use crate::records;

pub(super) fn command() -> Command {
    let on =
        |name: &'static str, about: &'static str| Command::new(name).about(about).arg(records::reference_arg::<Task>());
    let group = group("task", "Works on tasks: what is to be done, by whom, until when")
        .subcommands(records::commands::<Task>())
        .subcommand(on("done", "Says that a task is done"))
        .subcommand(on("cancel", "Says that a task is not to be done any more"))
        .subcommand(on("reopen", "Says that a task is to be done after all, or again"))
        .subcommand(on("delete", "Deletes a task for good").arg(args::flag("yes", "Does not ask")));
    examples(
        group,
        &[
            ("add", "crm task add --title 'Call back' --deal 'Big order' --due-on 2026-03-01"),
            ("list", "crm task list --where overdue --sort due_on"),
            ("show", "crm task show 01a2b3c4-d5e6-7f80-9123-456789abcdef"),
            ("edit", "crm task edit 01a2b3c4-d5e6-7f80-9123-456789abcdef --assignee ana@example.com"),
            ("done", "crm task done 01a2b3c4-d5e6-7f80-9123-456789abcdef"),
            ("cancel", "crm task cancel 01a2b3c4-d5e6-7f80-9123-456789abcdef"),
            ("reopen", "crm task reopen 01a2b3c4-d5e6-7f80-9123-456789abcdef"),
            ("delete", "crm task delete 01a2b3c4-d5e6-7f80-9123-456789abcdef --yes"),
        ],
    )
}

pub(super) async fn run(app: &App, args: &ArgMatches) -> Done {
    let (verb, args) = verb(args)?;
    if !matches!(verb, "done" | "cancel" | "reopen") {
        return records::run::<Task>(app, verb, args).await;
    }
    let session = app.session().await?;
    let task = records::find::<Task>(&session, records::reference(args)).await?;
    match verb {
        "done" => records::change(app, &session, &task, &CompleteTask(task.id), "Finished").await,
        "cancel" => records::change(app, &session, &task, &CancelTask(task.id), "Cancelled").await,
        _ => records::change(app, &session, &task, &ReopenTask(task.id), "Reopened").await,
    }
}
