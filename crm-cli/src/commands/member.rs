//! `crm member`: who belongs to the organization, and in which role. Invitations are in a file of their own.

use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Arg, ArgMatches, Command};
use crm_core::access::{AddMember, Membership, RemoveMember, Role, SetRole, User};
use crm_core::entity::{Entity as _, Stored};
use crm_core::store::{Query, Scope, Store, StoreExt as _};
use crm_core::{CrmError, Session};
use serde::Serialize;

use super::{invitation, verb};
use crate::args::{self, group, option, required, text};
use crate::error::{Done, Failure};
use crate::open::App;
use crate::{output, records};

/// A member as people know them.
#[derive(Serialize)]
struct Member {
    id: String,
    email: String,
    full_name: String,
    role: Role,
    active: bool,
    user_id: String,
}

pub(super) fn command() -> Command {
    let group = group("member", "Works on the organization's members")
        .subcommand(
            Command::new("add")
                .about("Makes somebody a new user and a member; who is a user already is invited")
                .arg(Arg::new("member").value_name("EMAIL").required(true).help("Their e-mail address"))
                .arg(role())
                .arg(option("name", "NAME", "Their name; required"))
                .arg(args::idempotency()),
        )
        .subcommand(Command::new("list").about("Lists the members"))
        .subcommand(
            Command::new("set-role")
                .about("Changes a member's role")
                .arg(argument())
                .arg(Arg::new("role").value_name("ROLE").required(true).value_parser(roles()).help("The new role")),
        )
        .subcommand(Command::new("remove").about("Ends a membership; what the member did stays").arg(argument()))
        .subcommands(invitation::commands());
    args::examples(group, invitation::EXAMPLES)
}

/// The option of a member.
pub(super) fn argument() -> Arg {
    Arg::new("member").value_name("EMAIL").required(true).help("The member's e-mail address, or the membership's id")
}

/// The option of somebody's role.
pub(super) fn role() -> Arg {
    option("role", "ROLE", "Their role").required(true).value_parser(roles())
}

/// What a role may be, and what it means.
pub(super) fn roles() -> PossibleValuesParser {
    PossibleValuesParser::new(Role::ALL.iter().map(|role| {
        PossibleValue::new(role.as_str()).help(match role {
            Role::Owner => "Everything, owners too",
            Role::Admin => "Everything but touching owners: settings, members, keys, deleting, erasing",
            Role::Manager => "Works on all records; no settings, members or keys",
            Role::Member => "Works on records that they own or are assigned to, and sees no others",
            Role::Viewer => "Reads all records, writes nothing",
        })
    }))
}

pub(super) async fn run(app: &App, args: &ArgMatches) -> Done {
    let (verb, args) = verb(args)?;
    if invitation::VERBS.contains(&verb) {
        return invitation::run(app, verb, args).await;
    }
    let session = app.session().await?;
    match verb {
        "add" => {
            let command = AddMember {
                email: required(args, "member").map_err(|failure| failure.field("email"))?,
                full_name: args::value(args, "name")?,
                role: required(args, "role")?,
            };
            let key = args::idempotency_of(args)?;
            let added = session.run_with_key(&command, key.as_ref()).await.map_err(|error| match error {
                CrmError::Invalid(_) => Failure::from(error).hint("Give their name with --name"),
                CrmError::Duplicate { .. } => {
                    Failure::from(error).hint("`crm member set-role EMAIL ROLE` changes a member's role")
                }
                other => other.into(),
            })?;
            show(app, &session, &added, "Added the member").await
        }
        "set-role" => {
            let member = find(&session, text(args, "member").unwrap_or_default()).await?;
            let changed = session.run(&SetRole { member: member.id, role: required(args, "role")? }).await?;
            show(app, &session, &changed, "Changed the member").await
        }
        "remove" => {
            let member = find(&session, text(args, "member").unwrap_or_default()).await?;
            let removed = session.run(&RemoveMember { member: member.id }).await?;
            show(app, &session, &removed, "Removed the member").await
        }
        _ => {
            let query = Query::<Membership>::all().limit(crm_core::store::LARGEST_PAGE);
            let page = session.list(&query).await?;
            let members = described(session.store(), &page.items).await?;
            print(app, &members)
        }
    }
}

/// The membership of a user, by address or by its own id.
pub(super) async fn find(session: &Session<'_>, text: &str) -> Result<Stored<Membership>, Failure> {
    if let Ok(id) = text.parse() {
        return Ok(session.get::<Membership>(id).await?);
    }
    let user = records::user(session, text).await?;
    let query = Query::new(Membership::COLUMNS.user_id.eq(&user.id)).limit(1);
    let found = session.list(&query).await?.items.pop();
    let missing = || CrmError::NotFound { entity: Membership::TABLE.entity, reference: text.to_owned() };
    Ok(found.ok_or_else(missing)?)
}

async fn described(store: &dyn Store, members: &[Stored<Membership>]) -> Result<Vec<Member>, Failure> {
    let mut described = Vec::with_capacity(members.len());
    for member in members {
        // One who was removed just now is no longer the organization's.
        let user = store.get::<User>(Scope::SYSTEM, member.user_id).await?;
        let user = user.as_ref();
        described.push(Member {
            id: member.id.to_string(),
            email: user.map(|user| user.email.to_string()).unwrap_or_default(),
            full_name: user.map(|user| user.full_name.to_string()).unwrap_or_default(),
            role: member.role,
            active: user.is_some_and(|user| user.active),
            user_id: member.user_id.to_string(),
        });
    }
    described.sort_by(|left, right| left.email.cmp(&right.email));
    Ok(described)
}

async fn show(app: &App, session: &Session<'_>, member: &Stored<Membership>, done: &str) -> Done {
    told(app, session.store(), member, done).await
}

/// Says what was done and shows the member.
pub(super) async fn told(app: &App, store: &dyn Store, member: &Stored<Membership>, done: &str) -> Done {
    let members = described(store, std::slice::from_ref(member)).await?;
    if let Some(member) = members.first() {
        app.out.note(&format!("{done} {}, {}.", member.email, member.role));
    }
    match (app.out.format, members.first()) {
        (output::Format::Json, Some(member)) => app.out.data(&format!("{}\n", output::pretty(member)?)),
        _ => print(app, &members),
    }
}

fn print(app: &App, members: &[Member]) -> Done {
    if app.out.format == output::Format::Table {
        return output::items(app.out, members, &["email", "full_name", "role", "active"], &[], |member| {
            let active = if member.active { "yes" } else { "no" };
            vec![member.email.clone(), member.full_name.clone(), member.role.to_string(), active.to_owned()]
        });
    }
    output::items(app.out, members, &["id", "email", "full_name", "role", "active", "user_id"], &[], |member| {
        vec![
            member.id.clone(),
            member.email.clone(),
            member.full_name.clone(),
            member.role.to_string(),
            member.active.to_string(),
            member.user_id.clone(),
        ]
    })
}
