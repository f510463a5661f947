//! `crm key`: the API keys by which programs work in the organization.

use clap::{Arg, ArgAction, ArgMatches, Command};
use crm_core::access::{ApiKey, KeyQuota, NewKey, POLICY, RevokeKey, Role, Rule, Scopes};
use crm_core::entity::{Entity as _, Stored};
use crm_core::store::{Filter, Query};
use crm_core::value::{Instant, ValueError, parse_date};
use crm_core::{CrmError, Session};
use serde::Serialize;

use super::{key_usage, member, verb};
use crate::args::{examples, flag, given, group, option, required, text, texts};
use crate::beneath::{Beneath, PARTS};
use crate::error::{Done, Failure};
use crate::open::App;
use crate::output::{self, View};
use crate::records;

/// A day in microseconds.
const DAY: i64 = 86_400_000_000;

const EXAMPLES: &[(&str, &str)] = &[
    ("create", "crm key create website --role member --scope contact.create --scope *.read --quota contact.create=100"),
    ("scopes", "crm key scopes contact"),
    ("list", "crm key list --revoked"),
    ("show", "crm key show website"),
    ("revoke", "crm key revoke website"),
    ("usage", "crm key usage website --from 2026-06-01"),
    ("quota", "crm key quota website contact.create 50"),
    ("log", "crm key log website --where 'outcome != ok'"),
];

pub(super) fn command() -> Command {
    let create = Command::new("create")
        .about("Makes a key that works for the acting member, and prints its text, this once")
        .long_about(
            "Makes a key that works for the acting member, and prints its text, this once.\n\n\
             Where the output is piped or --output id asks for it, the text stands alone. Programs give it in CRM_KEY or \
             with --key-stdin.\n\n\
             A key may do what its role may, and of that only what a --scope names: an operation, as contact.create; all \
             operations on one kind of record, as contact.*; or all reading, as *.read. There are no other \
             wildcards. `crm key scopes` lists every operation with the roles that may do it. What a \
             key may do ends with what its member may do.",
        )
        .arg(Arg::new("alias").value_name("ALIAS").required(true).help("What people call it"))
        .arg(member::role().help("Its role, at most that of the acting member"))
        .arg(
            option("scope", "SCOPE", "What it may do, as contact.create, contact.* or *.read; may be repeated")
                .long_help(
                    "What it may do: an operation, as contact.create; all operations on one kind of record, as contact.*; \
                     or all reading, as *.read. May be repeated. `crm key scopes` lists the operations.",
                )
                .required(true)
                .action(ArgAction::Append),
        )
        .arg(option("expires", "DATE|DAYS", "The last day on which it works, or after how many days it ends"))
        .arg(
            option("quota", "OPERATION=N", "How often it may do something in one UTC day, or `none`; may be repeated")
                .long_help(
                    "How often it may do something in one UTC day, or `none`; may be repeated. A key may create 35 \
                     contacts a day unless another number is given, or contact.create=none; quotas of other operations leave \
                     that as it is.",
                )
                .action(ArgAction::Append),
        );
    let on = |name: &'static str, about: &'static str| Command::new(name).about(about).arg(argument().required(true));
    let scopes = Command::new("scopes")
        .about("Lists the operations that a key's scopes can name, the roles that may do them, and which a quota can count")
        .arg(Arg::new("kind").value_name("KIND").help("Only those on this kind of record, as contact"));
    let list = records::list_command::<ApiKey>().arg(flag("revoked", "Revoked keys too"));
    let group = group("key", "Works on the API keys by which programs work in the organization")
        .subcommand(create)
        .subcommand(scopes)
        .subcommand(list)
        .subcommand(on("show", "Shows a key with its quotas"))
        .subcommand(on("revoke", "Ends a key for good; what it did stays"))
        .subcommands(key_usage::commands());
    examples(group, EXAMPLES)
}

/// The option of a key.
pub(super) fn argument() -> Arg {
    Arg::new("key").value_name("KEY").help("Its alias, its visible prefix or its id")
}

pub(super) async fn run(app: &App, args: &ArgMatches) -> Done {
    let (verb, args) = verb(args)?;
    if verb == "scopes" {
        return scopes(app, text(args, "kind"));
    }
    let session = app.session().await?;
    match verb {
        "create" => create(app, &session, args).await,
        "list" => {
            let all = given(args, "revoked");
            let among = if all { Filter::all() } else { ApiKey::COLUMNS.revoked_at.is_null() };
            let query = records::query(&session, args, among).await?;
            records::pages::<ApiKey>(app, &session, query, args).await
        }
        "show" => show(app, &session, &of(&session, args).await?).await,
        "revoke" => {
            let key = of(&session, args).await?;
            let revoked = session.run(&RevokeKey(key.id)).await?;
            records::written(app, &session, &revoked, "Revoked the").await
        }
        other => key_usage::run(app, &session, other, args).await,
    }
}

/// The key that the command is about.
pub(super) async fn of(session: &Session<'_>, args: &ArgMatches) -> Result<Stored<ApiKey>, Failure> {
    Ok(session.find(text(args, "key").unwrap_or_default().trim()).await?)
}

/// Shows a key with its quotas.
pub(super) async fn show(app: &App, session: &Session<'_>, key: &Stored<ApiKey>) -> Done {
    let mut beneath = Beneath::new(app, session);
    let quotas = Query::new(KeyQuota::COLUMNS.key_id.eq(&key.id)).ascending(KeyQuota::COLUMNS.operation).limit(PARTS);
    beneath.part("quotas", quotas, &["operation", "per_day"], &["operation", "per_day"]).await?;
    beneath.print(key).await
}

/// An operation that a key's scopes can name.
#[derive(Serialize)]
struct Nameable {
    operation: &'static str,
    roles: Vec<Role>,
    quota: bool,
}

fn scopes(app: &App, kind: Option<&str>) -> Done {
    let of_kind = |rule: &&Rule| kind.is_none_or(|kind| rule.operation.split('.').next() == Some(kind));
    let rules = || POLICY.iter().filter(|rule| rule.is_for_keys());
    let listed: Vec<Nameable> = rules()
        .filter(of_kind)
        .map(|rule| Nameable { operation: rule.operation, roles: rule.roles(), quota: rule.is_counted() })
        .collect();
    if let Some(kind) = kind.filter(|_| listed.is_empty()) {
        let mut kinds: Vec<&str> = rules().filter_map(|rule| rule.operation.split('.').next()).collect();
        kinds.sort_unstable();
        kinds.dedup();
        return Err(Failure::not_found(format!("There is no operation on {kind}"))
            .hint(format!("There are {}", kinds.join(", "))));
    }
    output::items(app.out, &listed, &["operation", "roles", "quota"], &[], |operation| {
        let roles: Vec<&str> = operation.roles.iter().map(|role| role.as_str()).collect();
        let quota = if operation.quota { "yes" } else { "no" };
        vec![operation.operation.to_owned(), roles.join(" "), quota.to_owned()]
    })
}

async fn create(app: &App, session: &Session<'_>, args: &ArgMatches) -> Done {
    let scopes: Scopes = texts(args, "scope").join(" ").parse().map_err(unknown_scope)?;
    let mut new = NewKey::new(required(args, "alias")?, required(args, "role")?, scopes);
    new.expires_at = text(args, "expires").map(|text| end(session, text)).transpose()?;
    let mut limited = Vec::new();
    for quota in texts(args, "quota") {
        let wrong = || Failure::invalid("quota", &ValueError::syntax("a quota such as contact.create=35", quota));
        let (operation, number) = quota.split_once('=').ok_or_else(wrong)?;
        new.quotas.retain(|(known, _)| known != operation.trim());
        if let Some(number) = key_usage::per_day(number)? {
            new.quotas.push((operation.trim().to_owned(), number));
            limited.push(operation.trim());
        }
    }
    let created = session.create_key(&new).await.map_err(|error| match error {
        CrmError::Duplicate { .. } => {
            Failure::from(error).hint("Choose another name, or end the other one with `crm key revoke`")
        }
        other => other.into(),
    })?;
    warn_of_useless(app, &new, &limited);
    app.out.note(&format!("Made the key {}. Keep its text now; it is shown this once.", created.key.alias));
    let mut view = View::full(ApiKey::TABLE);
    let records = [records::record(&created.key)];
    view.labels = records::labels(session, &view.references(&records)).await?;
    output::with_secret(app.out, &view, &records[0], "text", &created.text)
}

/// Warns of scopes and quotas that a new key has no use for.
fn warn_of_useless(app: &App, new: &NewKey, limited: &[&str]) {
    let role = new.role;
    let allowed = |scopes: &Scopes, rule: &Rule| {
        let named = rule.operation.split_once('.').is_some_and(|(entity, verb)| scopes.allow(entity, verb));
        named && rule.is_for_keys() && rule.roles().contains(&role)
    };
    for scope in new.scopes.iter() {
        let alone = scope.parse::<Scopes>();
        if alone.is_ok_and(|alone| !POLICY.iter().any(|rule| allowed(&alone, rule))) {
            app.out.warn(&format!("The scope {scope} allows nothing: the role {role} may do nothing of it."));
        }
    }
    for operation in limited {
        if !POLICY.iter().any(|rule| rule.operation == *operation && allowed(&new.scopes, rule)) {
            app.out.warn(&format!(
                "The key may not do {operation}: its quota limits nothing but what other operations create."
            ));
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is the function of a `map_err`")]
fn unknown_scope(reason: ValueError) -> Failure {
    Failure::invalid("scope", &reason).hint("`crm key scopes` lists what there is")
}

/// When a key ends: with a day of the organization's zone, or after so many times 24 hours.
fn end(session: &Session<'_>, text: &str) -> Result<Instant, Failure> {
    let refused = |reason| Failure::invalid("expires", &reason);
    if let Ok(days) = text.trim().parse::<i64>() {
        let micros = days.checked_mul(DAY).ok_or_else(|| refused(ValueError::Overflow))?;
        return session.context().now().checked_add_micros(micros).map_err(refused);
    }
    let date = parse_date(text).map_err(refused)?;
    let next = date.succ_opt().ok_or_else(|| refused(ValueError::syntax("a date such as 2026-12-31", text)))?;
    Ok(session.organization().time_zone.start_of(next))
}
