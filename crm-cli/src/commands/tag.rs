//! `crm tag`: words on contacts, leads and deals, by which they are found.

use clap::{Arg, ArgMatches, Command};
use crm_core::Session;
use crm_core::activity::Subject;
use crm_core::sales::{AddTag, RemoveTag, Tag, Tagged, Tagging};
use crm_core::store::Filter;
use crm_core::value::Text;

use super::verb;
use crate::args::{examples, group, text, texts};
use crate::error::{Done, Failure};
use crate::open::App;
use crate::{args, records, subject};

pub(super) fn command() -> Command {
    let tags = || Arg::new("tag").value_name("TAG").num_args(1..).required(true).help("The tags");
    let on = |name: &'static str, about: &'static str| {
        Command::new(name).about(about).arg(subject::argument().required(true)).arg(tags())
    };
    let list = Command::new("list").about("Lists the tags: all, or those of a record").arg(subject::argument());
    let group = group("tag", "Puts tags on contacts, leads and deals; their lists take --tag")
        .subcommand(on("add", "Puts tags on a record; the record's tags are shown"))
        .subcommand(on("remove", "Takes tags off a record; the record's tags are shown"))
        .subcommand(args::listing(list, <Tag as crm_core::entity::Entity>::TABLE));
    examples(
        group,
        &[
            ("add", "crm tag add deal:'Big order' urgent"),
            ("remove", "crm tag remove eva@example.com newsletter"),
            ("list", "crm tag list eva@example.com"),
        ],
    )
}

pub(super) async fn run(app: &App, args: &ArgMatches) -> Done {
    let (verb, args) = verb(args)?;
    let session = app.session().await?;
    let record = match text(args, "record") {
        Some(text) => Some(find(&session, text).await?),
        None => None,
    };
    if let (Some(record), "add" | "remove") = (record, verb) {
        for tag in texts(args, "tag") {
            let tag: Text<50> = tag.parse().map_err(|reason| Failure::invalid("tag", &reason))?;
            match verb {
                "add" => session.run(&AddTag { tag, record }).await?,
                _ => session.run(&RemoveTag { tag, record }).await?,
            };
        }
    }
    let on = record.map_or_else(Filter::<Tag>::all, |record| Tagging::COLUMNS.tag_id.of_any(record.taggings()));
    let query = records::query(&session, args, on).await?;
    let query = if text(args, "sort").is_none() { query.ascending(Tag::COLUMNS.name_key) } else { query };
    records::pages(app, &session, query, args).await
}

/// The record that a text names, if it can have tags.
async fn find(session: &Session<'_>, text: &str) -> Result<Tagged, Failure> {
    match subject::find(session, text).await? {
        Subject::Contact(id) => Ok(Tagged::Contact(id)),
        Subject::Lead(id) => Ok(Tagged::Lead(id)),
        Subject::Deal(id) => Ok(Tagged::Deal(id)),
        _ => Err(Failure::usage("Tags stand on contacts, leads and deals").field("record")),
    }
}
