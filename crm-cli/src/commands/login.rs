//! `crm login`, `crm logout`, `crm whoami`: who is at work on the command line.

use clap::{Arg, ArgMatches, Command};
use crm_core::CrmError;
use crm_core::access::{Login as Credentials, QuotaLeft, Role};
use crm_core::value::{Instant, Text};
use serde::Serialize;

use crate::acting::{self, Acting, How};
use crate::args::{flag, given, text};
use crate::error::{Done, Failure};
use crate::logins::{self, Login, Logins};
use crate::open::App;
use crate::output::{self, Format, moment};
use crate::secrets;

pub(super) fn command() -> Command {
    Command::new("login")
        .about("Signs in with a password; later commands act as who signed in")
        .long_about(
            "Signs in with a password; later commands act as who signed in.\n\n\
             It holds for the organization and the database that were chosen, for 30 days at most, and ends when no command has \
             renewed it for 7 days, as one does half an hour after the last. Tokens, never the password, are kept in logins.toml in the data folder, and the keys that \
             sign them in signing-keys.toml; only their owner may open these files.\n\n\
             Who acts is decided by the first of: --as, an API key (--key-stdin or CRM_KEY), CRM_AS, the login, the \
             setting `as`. Whoever can open an SQLite file can act as anybody with --as: the file's permissions are the \
             fence there, and on PostgreSQL the database role is. A login proves who somebody is to others who cannot.",
        )
        .after_help("Example: crm login ana@acme.example --org acme")
        .arg(
            Arg::new("name")
                .value_name("NAME")
                .help("The e-mail address or the user name; without it the one of --as, CRM_AS or the setting"),
        )
        .arg(secrets::password_arg())
        .arg(flag("rotate_keys", "Signs with a new key from now on; tokens of the old one stay valid until they expire"))
}

pub(super) fn logout_command() -> Command {
    Command::new("logout")
        .about("Ends the login to the organization, and with it all its tokens")
        .after_help("Example: crm logout --org acme")
}

pub(super) fn whoami_command() -> Command {
    Command::new("whoami")
        .about("Tells who acts, in which role, and how that is known; exit code 4 when it is nobody")
        .long_about(
            "Tells who acts, in which role, and how that is known; exit code 4 when it is nobody.\n\n\
             Of an API key it tells the scopes, when it ends, and what is left of its quotas: how often it may still do what \
             until the next UTC day begins. What a command took from a quota is told after it, too, unless with --quiet.",
        )
        .after_help("Example: crm whoami -o json")
}

pub(super) async fn run(app: &App, args: &ArgMatches) -> Done {
    let org = app.org()?;
    let name = text(args, "name").or_else(|| app.settings.get("as"));
    let missing = || Failure::usage("Nobody is named").field("name").hint("Give the address or the user name");
    let name = name.ok_or_else(missing)?.to_owned();
    let crm = app.crm_with_logins(given(args, "rotate_keys")).await?;
    let password = secrets::read(args, "password_stdin", "password")?;
    let credentials = Credentials { organization: org.clone(), name, password, source: source() };
    let signed = crm.login(&credentials).await?;
    let login = Login::new(logins::place(app.settings.database()), org.to_string(), &signed);
    let (_held, mut logins) = Logins::change()?;
    let before = logins.put(login.clone());
    logins.save()?;
    if let Some(before) = before {
        revoke(&crm, &before).await?;
    }
    app.out.note(&format!("Signed in to {org} as {}, {}.", login.user, signed.role));
    for name in [acting::KEY, "CRM_AS"] {
        if std::env::var_os(name).is_some_and(|value| !value.is_empty()) {
            app.out.warn(&format!("{name} is set and goes before the login."));
        }
    }
    let session = crm.session_with_token(signed.access.expose()).await?;
    print(app, &Identity::of(&session, &How::Login(login.ends_at()), None))
}

/// Where the command is given: the user and the machine. Guesses are counted by it, so that who guesses here does not keep
/// the account's user waiting elsewhere.
#[cfg(unix)]
fn source() -> Option<Text<200>> {
    let machine = rustix::system::uname();
    let user = rustix::process::getuid().as_raw();
    format!("{user}@{}", machine.nodename().to_string_lossy()).parse().ok()
}

#[cfg(not(unix))]
fn source() -> Option<Text<200>> {
    let named = |name| std::env::var(name).unwrap_or_default();
    format!("{}@{}", named("USERNAME"), named("COMPUTERNAME")).parse().ok()
}

pub(super) async fn logout(app: &App) -> Done {
    let Some(login) = app.login()? else {
        app.out.note("Nobody is signed in.");
        return Ok(());
    };
    forget(app, &login).await?;
    app.out.note(&format!("Signed {} out of {}.", login.user, login.org));
    Ok(())
}

/// Ends a login and forgets it. What is in the file is ended, since another process may have renewed it.
async fn forget(app: &App, login: &Login) -> Done {
    let (_held, mut logins) = Logins::change()?;
    if let Some(kept) = logins.remove(&login.database, &login.org) {
        let crm = app.database(false).await?.crm(app.clock);
        revoke(&crm, &kept).await?;
        logins.save()?;
    }
    Ok(())
}

/// Forgets the login by which a command was given that ended it.
pub(super) async fn ended(app: &App) -> Done {
    let login = app.login()?.filter(|_| app.acting.get().is_some_and(|acting| matches!(acting.how, How::Login(_))));
    match login {
        Some(login) => forget(app, &login).await,
        None => Ok(()),
    }
}

/// Ends a login; one that is not known any more has ended.
async fn revoke(crm: &crm_core::Crm, login: &Login) -> Done {
    match crm.logout(login.refresh()).await {
        Ok(()) | Err(CrmError::TokenRefused) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn whoami(app: &App) -> Done {
    let Acting { session, how, .. } = app.acting().await?;
    let quotas = if matches!(how, How::Key(_)) { Some(session.quotas().await?) } else { None };
    print(app, &Identity::of(session, how, quotas))
}

/// Who acts, and how that is known.
#[derive(Serialize)]
struct Identity {
    organization: String,
    email: String,
    full_name: String,
    username: Option<String>,
    role: Role,
    /// `option`, `environment`, `configuration`, `key` or `login`.
    how: &'static str,
    /// Where it was said.
    origin: String,
    /// The name of the API key.
    key: Option<String>,
    /// What the API key may do.
    scopes: Option<Vec<String>>,
    /// When the key or the login ends.
    expires_at: Option<String>,
    /// What is left of the API key's quotas.
    quotas: Option<Vec<Quota>>,
}

/// What is left of a quota.
#[derive(Serialize)]
struct Quota {
    operation: String,
    limit: i64,
    used: i64,
    remaining: i64,
    resets_at: Instant,
    /// For people.
    #[serde(skip)]
    sentence: String,
}

impl From<QuotaLeft> for Quota {
    fn from(left: QuotaLeft) -> Self {
        let (remaining, sentence) = (left.remaining(), acting::sentence_of(&left));
        let QuotaLeft { operation, limit, used, resets_at } = left;
        Self { operation, limit, used, remaining, resets_at, sentence }
    }
}

impl Identity {
    fn of(session: &crm_core::Session<'_>, how: &How, quotas: Option<Vec<QuotaLeft>>) -> Self {
        use crate::config::Origin;

        let (user, key) = (session.user(), session.key());
        let (word, origin, ends): (_, _, Option<Instant>) = match how {
            How::Named(origin) => {
                let word = match origin {
                    Origin::Flag(_) => "option",
                    Origin::Env(_) => "environment",
                    _ => "configuration",
                };
                (word, origin.to_string(), None)
            }
            How::Key(origin) => ("key", origin.to_string(), key.as_ref().and_then(|key| key.expires_at)),
            How::Login(ends) => ("login", "crm login".to_owned(), Some(*ends)),
        };
        Self {
            organization: session.organization().slug.to_string(),
            email: user.email.to_string(),
            full_name: user.full_name.to_string(),
            username: user.username.as_ref().map(ToString::to_string),
            role: session.role(),
            how: word,
            origin,
            scopes: key.as_ref().map(|key| key.scopes.iter().map(str::to_owned).collect()),
            key: key.map(|key| key.alias.to_string()),
            expires_at: ends.map(|ends| ends.to_string()),
            quotas: quotas.map(|quotas| quotas.into_iter().map(Quota::from).collect()),
        }
    }
}

fn print(app: &App, who: &Identity) -> Done {
    let optional = |text: &Option<String>| text.clone().unwrap_or_default();
    match app.out.format {
        Format::Json => app.out.data(&format!("{}\n", output::pretty(who)?)),
        Format::Ndjson => app.out.data(&format!("{}\n", output::json(who)?)),
        Format::Id => app.out.data(&format!("{}\n", who.email)),
        Format::Csv => {
            let mut csv = app.out.csv([
                "organization",
                "email",
                "full_name",
                "username",
                "role",
                "how",
                "origin",
                "key",
                "scopes",
                "expires_at",
                "quotas",
            ])?;
            // As an option of `crm key create` takes them, with what is left.
            let quotas = who.quotas.iter().flatten().map(|quota| format!("{}={}", quota.operation, quota.remaining));
            let quotas = quotas.collect::<Vec<_>>().join(" ");
            let scopes = who.scopes.as_ref().map(|scopes| scopes.join(" "));
            let (role, username, key) = (who.role.to_string(), optional(&who.username), optional(&who.key));
            csv.row([
                who.organization.as_str(),
                &who.email,
                &who.full_name,
                &username,
                &role,
                who.how,
                &who.origin,
                &key,
                &optional(&scopes),
                &optional(&who.expires_at),
                &quotas,
            ])?;
            app.out.data(&csv.take()?)
        }
        Format::Table => {
            let mut fields = vec![
                ("Organization", who.organization.clone()),
                ("Email", who.email.clone()),
                ("Full name", who.full_name.clone()),
                ("Username", optional(&who.username)),
                ("Role", who.role.to_string()),
                ("How", format!("{} ({})", who.how, who.origin)),
                ("Key", optional(&who.key)),
                ("Scopes", who.scopes.as_ref().map(|scopes| scopes.join(" ")).unwrap_or_default()),
            ];
            let ends = who.expires_at.as_deref().and_then(|text| text.parse().ok());
            fields.push(("Expires at", ends.map(moment).unwrap_or_default()));
            let quotas: Vec<&str> = who.quotas.iter().flatten().map(|quota| quota.sentence.as_str()).collect();
            fields.push(("Quotas", quotas.join("\n")));
            fields.retain(|(_, value)| !value.is_empty());
            app.out.data(&output::Out::fields(&fields))
        }
    }
}
