//! `crm user`: the acting user's own account, and what admins do to those of their members.

use clap::{Arg, ArgMatches, Command};
use crm_core::access::{ActivateUser, DeactivateUser, EndSessions, Membership, ResetPassword, SetUsername, User};
use crm_core::entity::{Entity as _, Stored};
use crm_core::store::{Scope, Select, StoreExt as _};
use crm_core::value::{Email, Username};
use crm_core::{Crm, CrmError, Session};

use super::{login, member, verb};
use crate::args::{examples, group, required, text};
use crate::error::{Done, Failure};
use crate::open::App;
use crate::output::{self, Record, View};
use crate::secrets;

/// What members see of each other.
const PUBLIC: &[&str] = &["id", "email", "full_name", "active"];

/// What is shown of a user to themselves and to those who may touch their account.
const SHOWN: &[&str] =
    &["id", "email", "username", "full_name", "active", "password_changed_at", "created_at", "updated_at", "version"];

const EXAMPLES: &[(&str, &str)] = &[
    ("show", "crm user show"),
    ("set-username", "crm user set-username ana"),
    ("change-password", "crm user change-password"),
    ("end-sessions", "crm user end-sessions"),
    ("reset-password", "crm user reset-password vera@acme.example"),
    ("deactivate", "crm user deactivate vera@acme.example"),
    ("activate", "crm user activate vera@acme.example"),
    ("set-password", "crm user set-password ana@acme.example"),
    ("set-active", "crm user set-active vera@acme.example"),
];

pub(super) fn command() -> Command {
    let of_member = |name: &'static str, about: &'static str| Command::new(name).about(about).arg(member::argument());
    let user = group("user", "Works on the accounts of users: names, passwords, logins")
        .subcommand(
            Command::new("show")
                .about("Shows the acting user's account, or a member's")
                .arg(member::argument().required(false)),
        )
        .subcommand(
            Command::new("set-username").about("Sets the name that the acting user may sign in with").arg(
                Arg::new("username").value_name("NAME").required(true).help("The user name; an empty one clears it"),
            ),
        )
        .subcommand(
            Command::new("change-password")
                .about("Changes the acting user's password, and ends all their logins")
                .long_about(
                    "Changes the acting user's password, and ends all their logins.\n\n\
                     With --password-stdin, the first line is the current password and the second the new one.",
                )
                .arg(secrets::password_arg()),
        )
        .subcommand(Command::new("end-sessions").about("Ends all logins of the acting user"))
        .subcommand(
            of_member("reset-password", "Gives a member a new password, and ends their logins")
                .arg(secrets::password_arg()),
        )
        .subcommand(of_member("deactivate", "Keeps a member from acting at all, and ends their logins"))
        .subcommand(of_member("activate", "Lets a member act again"))
        .subcommand(
            Command::new("set-password")
                .about("Sets a user's password and ends their logins, without anybody acting")
                .long_about(
                    "Sets a user's password and ends their logins, without anybody acting.\n\n\
                     This is for whoever keeps the database: for the first password of all, and when nobody can sign in \
                     any more. Whoever can open the database can do it.",
                )
                .arg(email())
                .arg(secrets::password_arg()),
        )
        .subcommand(
            Command::new("set-active")
                .about("Lets a user act again who was deactivated, without anybody acting")
                .long_about(
                    "Lets a user act again who was deactivated, without anybody acting.\n\n\
                     This is for whoever keeps the database: an organization may have made and shut an account whose \
                     address is somebody else's. Who is a member nowhere any more is simply invited.",
                )
                .arg(email()),
        );
    examples(user, EXAMPLES)
}

fn email() -> Arg {
    Arg::new("email").value_name("EMAIL").required(true).help("The user's e-mail address")
}

/// The user with this address.
async fn stored(crm: &Crm, email: &Email) -> Result<Stored<User>, CrmError> {
    let known = Select::new(User::TABLE, User::COLUMNS.email_key.eq(&email.key().to_owned()).into());
    let user = crm.store().first::<User>(Scope::SYSTEM, known).await?;
    user.ok_or_else(|| CrmError::NotFound { entity: User::TABLE.entity, reference: email.to_string() })
}

pub(super) async fn run(app: &App, args: &ArgMatches) -> Done {
    let (verb, args) = verb(args)?;
    match verb {
        "set-username" => {
            let name = text(args, "username").unwrap_or_default();
            let name: Option<Username> = if name.trim().is_empty() { None } else { Some(required(args, "username")?) };
            let changed = app.session().await?.run(&SetUsername(name)).await?;
            written(app, &changed, "Changed the user name of")
        }
        "change-password" => {
            let session = app.session().await?;
            let current = secrets::read(args, "password_stdin", "current password")?;
            let changed = session.change_password(&current, &secrets::new_password(args)?).await?;
            login::ended(app).await?;
            written(app, &changed, "Changed the password and ended all logins of")
        }
        "end-sessions" => {
            let changed = app.session().await?.run(&EndSessions).await?;
            login::ended(app).await?;
            written(app, &changed, "Ended all logins of")
        }
        "reset-password" => {
            let session = app.session().await?;
            let member = theirs(&session, args).await?.id;
            let command = ResetPassword { member, password: secrets::new_password(args)? };
            written(app, &session.run(&command).await?, "Set the password and ended all logins of")
        }
        "deactivate" => {
            let session = app.session().await?;
            let command = DeactivateUser(theirs(&session, args).await?.id);
            written(app, &session.run(&command).await?, "Deactivated")
        }
        "activate" => {
            let session = app.session().await?;
            let command = ActivateUser(theirs(&session, args).await?.id);
            written(app, &session.run(&command).await?, "Activated")
        }
        "set-password" => {
            let email: Email = required(args, "email")?;
            let crm = app.database(false).await?.crm(app.clock);
            crm.set_password(&email, &secrets::new_password(args)?).await?;
            written(app, &stored(&crm, &email).await?, "Set the password and ended all logins of")
        }
        "set-active" => {
            let email: Email = required(args, "email")?;
            let crm = app.database(false).await?.crm(app.clock);
            crm.activate_user(&email).await?;
            written(app, &stored(&crm, &email).await?, "Activated")
        }
        _ => show(app, args).await,
    }
}

async fn theirs(session: &Session<'_>, args: &ArgMatches) -> Result<Stored<Membership>, Failure> {
    member::find(session, text(args, "member").unwrap_or_default()).await
}

async fn show(app: &App, args: &ArgMatches) -> Done {
    let session = app.session().await?;
    // An API key is no user, whoever made it.
    let by_key = session.key().is_some();
    if text(args, "member").is_none() {
        return print_columns(app, &session.user(), if by_key { PUBLIC } else { SHOWN });
    }
    let member = theirs(&session, args).await?;
    let missing = || CrmError::NotFound { entity: User::TABLE.entity, reference: member.user_id.to_string() };
    let user = session.store().get::<User>(session.scope(), member.user_id).await?.ok_or_else(missing)?;
    let own = !by_key && user.id == session.user().id;
    let all = own || session.authorize(User::TABLE.entity, "reset_password").await.is_ok();
    print_columns(app, &user, if all { SHOWN } else { PUBLIC })
}

fn written(app: &App, user: &Stored<User>, done: &str) -> Done {
    app.out.note(&format!("{done} {}.", user.email));
    print(app, user)
}

fn print(app: &App, user: &Stored<User>) -> Done {
    print_columns(app, user, SHOWN)
}

fn print_columns(app: &App, user: &Stored<User>, columns: &[&str]) -> Done {
    let view = View::of(User::TABLE, columns.iter().copied())?;
    output::one(app.out, &view, &Record { row: user.to_row(), title: user.full_name.to_string() }, &[], "")
}
