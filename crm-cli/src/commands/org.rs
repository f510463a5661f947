//! `crm org`: the organization's settings.

use clap::{ArgMatches, Command};
use crm_core::access::Organization;
use crm_core::entity::{Entity as _, Stored};
use crm_core::{CrmError, Edit, Update};

use super::verb;
use crate::args::{self, group, text};
use crate::error::{Done, Failure};
use crate::open::App;
use crate::output::{self, Record, View};

pub(super) fn command() -> Command {
    let edit = Command::new("edit").about("Changes the organization's settings");
    let mut edit = args::settable(edit, Organization::TABLE);
    // The slug stands in scripts and addresses; it stays.
    edit = edit.mut_arg("slug", |arg| arg.hide(true));
    group("org", "Works on the organization's settings")
        .subcommand(Command::new("show").about("Shows the organization"))
        .subcommand(
            Command::new("list")
                .about("Lists the organizations of the database; by a key or a login its own")
                .long_about(
                    "Lists the organizations of the database. An API key or a login reaches one organization, and sees no \
                     other.",
                ),
        )
        .subcommand(edit)
}

pub(super) async fn run(app: &App, args: &ArgMatches) -> Done {
    let (verb, args) = verb(args)?;
    match verb {
        "list" => {
            let organizations = if app.is_by_credential()? {
                vec![app.session().await?.organization()]
            } else {
                app.database(false).await?.crm(app.clock).organizations().await?
            };
            let usual = ["slug", "name", "default_currency", "time_zone"];
            let view = crate::records::view(app, Organization::TABLE, &usual, args)?;
            let mut list = output::List::new(app.out, &view);
            list.page(&organizations.iter().map(record).collect::<Vec<_>>())?;
            list.end()
        }
        "edit" => {
            let session = app.session().await?;
            let names = crm_core::crud::settable::<Organization>();
            let fields: Vec<(&str, &str)> =
                names.into_iter().filter_map(|name| text(args, name).map(|value| (name, value))).collect();
            if fields.is_empty() {
                return Err(Failure::usage("Nothing is to be changed").hint("`crm org edit --help` shows the settings"));
            }
            let edit = Edit::parse(fields, &session.locale()).map_err(CrmError::Invalid)?;
            let changed = session.run(&Update::<Organization> { id: session.organization().id, edit }).await?;
            app.out.note(&format!("Changed the organization {}.", changed.slug));
            show(app, &changed)
        }
        _ => show(app, &app.session().await?.organization()),
    }
}

fn record(organization: &Stored<Organization>) -> Record {
    Record { row: organization.to_row(), title: organization.name.to_string() }
}

fn show(app: &App, organization: &Stored<Organization>) -> Done {
    output::one(app.out, &View::full(Organization::TABLE), &record(organization), &[], "")
}
