//! Invitations, verbs of `crm member`: how somebody becomes a member by their own consent.

use clap::{Arg, ArgMatches, Command};
use crm_core::access::{Invitation, NewInvitation, WithdrawInvitation};
use crm_core::entity::{Entity as _, Stored};
use crm_core::store::Query;
use crm_core::value::Email;
use crm_core::{CrmError, Session};

use super::member;
use crate::args::{self, flag, option, required, text};
use crate::error::{Done, Failure};
use crate::open::App;
use crate::output::{self, View, moment};
use crate::{records, secrets};

/// The verbs of `crm member` that are about invitations.
pub(super) const VERBS: &[&str] = &["invite", "invitations", "withdraw", "accept", "decline"];

/// Their examples.
pub(super) const EXAMPLES: &[(&str, &str)] = &[
    ("invite", "crm member invite eva@acme.example --role member --days 3"),
    ("invitations", "crm member invitations --where 'ended is null'"),
    ("withdraw", "crm member withdraw eva@acme.example"),
    ("accept", "crm member accept --text-stdin --name 'Eva Pérez'"),
    ("decline", "crm member decline --text-stdin"),
];

pub(super) fn commands() -> Vec<Command> {
    let text_arg = || flag("text_stdin", "Reads the invitation's text from standard input, instead of asking for it");
    let email = |help: &'static str| Arg::new("email").value_name("EMAIL").required(true).help(help);
    vec![
        Command::new("invite")
            .about("Invites somebody, and prints the text to send them, this once")
            .long_about(
                "Invites somebody, and prints the text to send them, this once.\n\n\
                 Send it to their address yourself: whoever shows it to `crm member accept` is taken for them.\n\n\
                 Where the output is piped or --output id asks for it, the text stands alone. An earlier invitation to the \
                 same address does not stand any more.",
            )
            .arg(email("Their e-mail address"))
            .arg(member::role())
            .arg(
                option("days", "N", "For how many days it stands: at most 30 [default: 7]")
                    .value_parser(clap::value_parser!(i64)),
            ),
        args::listing(Command::new("invitations").about("Lists the invitations"), Invitation::TABLE),
        Command::new("withdraw")
            .about("Takes an invitation back")
            .arg(email("The invited person's e-mail address, or the invitation's id")),
        Command::new("accept")
            .about("Makes the invited person a member; nobody needs to act")
            .arg(text_arg())
            .arg(option("name", "NAME", "Their name; needed for who is a member nowhere yet")),
        Command::new("decline").about("Answers an invitation with no; nobody needs to act").arg(text_arg()),
    ]
}

pub(super) async fn run(app: &App, verb: &str, args: &ArgMatches) -> Done {
    match verb {
        "invite" => invite(app, args).await,
        "invitations" => records::list::<Invitation>(app, args).await,
        "withdraw" => {
            let session = app.session().await?;
            let invitation = find(&session, text(args, "email").unwrap_or_default()).await?;
            let withdrawn = session.run(&WithdrawInvitation(invitation.id)).await?;
            records::written(app, &session, &withdrawn, "Withdrew the").await
        }
        "accept" => {
            let crm = app.database(false).await?.crm(app.clock);
            let name = args::value(args, "name")?;
            let text = secrets::read(args, "text_stdin", "invitation")?;
            let member = crm.accept_invitation(&text, name).await.map_err(|error| match error {
                CrmError::Invalid(_) => Failure::from(error).hint("Give the name with --name"),
                other => other.into(),
            })?;
            member::told(app, &**crm.store(), &member, "Accepted the invitation of").await
        }
        _ => {
            let crm = app.database(false).await?.crm(app.clock);
            crm.decline_invitation(&secrets::read(args, "text_stdin", "invitation")?).await?;
            app.out.note("Declined the invitation.");
            Ok(())
        }
    }
}

async fn invite(app: &App, args: &ArgMatches) -> Done {
    let session = app.session().await?;
    let days = args.get_one::<i64>("days").copied();
    let new = NewInvitation { email: required(args, "email")?, role: required(args, "role")?, days };
    let created = session.invite(&new).await.map_err(|error| match error {
        CrmError::Duplicate { .. } => {
            Failure::from(error).hint("`crm member set-role EMAIL ROLE` changes a member's role")
        }
        other => other.into(),
    })?;
    let invitation = &created.invitation;
    app.out.note(&format!(
        "Invited {}, {}, until {}. Send them this text; it is shown this once.",
        invitation.email,
        invitation.role,
        moment(invitation.expires_at)
    ));
    let mut view = View::full(Invitation::TABLE);
    let records = [records::record(invitation)];
    view.labels = records::labels(&session, &view.references(&records)).await?;
    output::with_secret(app.out, &view, &records[0], "text", &created.text)
}

/// The invitation with this id, or the one to this address that stands.
async fn find(session: &Session<'_>, text: &str) -> Result<Stored<Invitation>, Failure> {
    if let Ok(id) = text.parse() {
        return Ok(session.get::<Invitation>(id).await?);
    }
    let email: Email = text.parse().map_err(|reason| Failure::invalid("email", &reason))?;
    let standing = Invitation::COLUMNS.email_key.eq(&Some(email.key().to_owned()));
    let found = session.list(&Query::new(standing).limit(1)).await?.items.pop();
    let missing = || CrmError::NotFound { entity: Invitation::TABLE.entity, reference: text.to_owned() };
    Ok(found.ok_or_else(missing)?)
}
