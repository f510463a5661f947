//! `crm init`: creates an organization.

use clap::{Arg, ArgMatches, Command};
use crm_core::access::Organization;
use crm_core::value::{Email, Slug, Text};
use crm_core::{CrmError, NewOrganization};
use crm_store_postgres::without_password;

use crate::args::{option, required, text, value};
use crate::config::Origin;
use crate::error::{Done, Failure};
use crate::open::{App, Database, file_of, is_server};
use crate::output::{self, Record, View};

pub(super) fn command() -> Command {
    Command::new("init")
        .about("Creates an organization, and its database if need be")
        .long_about(
            "Creates an organization with its first owner and its invoice series, and the database if need be.\n\n\
             The database, the organization and the owner become the defaults of later commands when no defaults are \
             remembered yet.\n\n\
             On PostgreSQL, give the address of the tables' owner here and, with --grant-to, the role as which all \
             later commands and programs connect. That role is granted what they need: to read and write every table, \
             but of the audit only to add entries and to fill in what sealing and erasure do. It owns nothing, and the \
             server's row-level security holds its statements to the records of one organization at a time. The role exists \
             already (CREATE ROLE name LOGIN …), is no superuser and does not bypass row-level security. Without an \
             organization's options, --grant-to does that alone, for a database that is there.",
        )
        .after_help(
            "Examples:\n  crm init --org acme --name \"Acme\" --currency USD --zone America/New_York --owner ana@acme.example\n  \
             crm init --database postgres://crm_owner@db/crm --grant-to crm_app --org acme --currency USD --zone UTC \
             --owner ana@acme.example\n  \
             crm init --database postgres://crm_owner@db/crm --grant-to crm_reports",
        )
        .arg(option("name", "NAME", "The organization's name [default: its slug]").requires("owner"))
        .arg(needed("currency", "CODE", "The currency of amounts that name none, as USD").requires("zone"))
        .arg(needed("zone", "ZONE", "The IANA time zone that tells what today is, as America/New_York").requires("owner"))
        .arg(needed("owner", "EMAIL", "The first owner's e-mail address").requires("currency"))
        .arg(option("owner_name", "NAME", "The first owner's name [default: from the address]").requires("owner"))
        .arg(option("region", "CODE", "The region of phone numbers without a country code, as US; it also picks the calendar's public holidays (BR, CO, ES, RU, VE) and the deadline rules of cases (CO)").requires("owner"))
        .arg(option("payment_days", "N", "After how many days an invoice is due [default: 30]").value_parser(clap::value_parser!(i64)))
        .arg(option("invoice_prefix", "TEXT", "What stands before the numbers of invoices").default_value("INV-"))
        .arg(option("grant_to", "ROLE", "On PostgreSQL: the existing role as which later commands and programs connect"))
}

/// An option of a new organization, which need not be given where there is none.
fn needed(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    option(name, value, help).required_unless_present("grant_to")
}

pub(super) async fn run(app: &App, args: &ArgMatches) -> Done {
    if text(args, "grant_to").is_some() && !is_server(app.settings.database()) {
        return Err(Failure::usage("A file has no roles").field("grant_to"));
    }
    if let (Some(role), None) = (text(args, "grant_to"), text(args, "owner")) {
        return grant(app, &app.database(false).await?, role).await;
    }
    // The remembered organization is that of other commands; a new one is named here.
    let (Some(slug), Some(Origin::Flag(_) | Origin::Env(_))) = (app.settings.get("org"), app.settings.origin("org"))
    else {
        return Err(Failure::usage("The new organization has no slug").field("org").hint("Give --org SLUG"));
    };
    let slug: Slug = slug.parse().map_err(|reason| Failure::invalid("org", &reason))?;
    let refused = |field: &'static str| move |reason| Failure::invalid(field, &reason);
    let name: Text<255> = text(args, "name").unwrap_or(slug.as_ref()).parse().map_err(refused("name"))?;
    let owner_email: Email = required(args, "owner")?;
    let owner_name = text(args, "owner_name").map_or_else(|| name_of(&owner_email), str::to_owned);
    let mut organization = Organization::new(slug, name, required(args, "currency")?, required(args, "zone")?);
    organization.default_region = value(args, "region")?;
    if let Some(days) = args.get_one::<i64>("payment_days") {
        organization.payment_days = *days;
    }
    let new = NewOrganization {
        organization,
        owner_email,
        owner_name: owner_name.parse().map_err(refused("owner_name"))?,
        invoice_prefix: text(args, "invoice_prefix").unwrap_or_default().to_owned(),
    };
    let database = app.database(true).await?;
    if let Some(role) = text(args, "grant_to") {
        grant(app, &database, role).await?;
    }
    let created = database.crm(app.clock).create_organization(&new).await.map_err(|error| {
        match (error, text(args, "grant_to")) {
            (error @ CrmError::Duplicate { .. }, Some(role)) => Failure::from(error)
                .hint(format!("What was to be granted is; `crm init --grant-to {role}` alone does nothing else")),
            (error, _) => error.into(),
        }
    })?;
    app.out.note(&format!(
        "Created the organization {} in {}; {} owns it.",
        created.slug,
        without_password(app.settings.database()),
        new.owner_email
    ));
    remember(app, &new)?;
    let view = View::full(<Organization as crm_core::entity::Entity>::TABLE);
    let record = Record { row: created.to_row(), title: created.name.to_string() };
    output::one(app.out, &view, &record, &[], "")
}

/// Grants a role of the server what programs need.
async fn grant(app: &App, database: &Database, role: &str) -> Done {
    database.grant(role).await?;
    app.out.note(&format!("Granted the role {role} what programs need to work with the tables."));
    Ok(())
}

/// A name for an owner who gave none: what stands before the at sign.
fn name_of(email: &Email) -> String {
    crate::error::sentence(email.as_str().split('@').next().unwrap_or_default())
}

/// Makes the new organization the default of later commands, unless something is remembered already.
fn remember(app: &App, new: &NewOrganization) -> Done {
    let mut config = crate::config::Config::load(app.settings.config.path().to_owned())?;
    if ["database", "org", "as"].iter().any(|name| config.get(name).is_some()) {
        return Ok(());
    }
    let address = app.settings.database();
    let mut kept = vec!["org", "as"];
    config.set("org", Some(new.organization.slug.as_str()))?;
    config.set("as", Some(new.owner_email.as_str()))?;
    if without_password(address) == address {
        config.set("database", Some(&absolute(address)))?;
        kept.insert(0, "database");
    }
    config.save()?;
    let path = config.path().display();
    let (last, others) = kept.split_last().map_or(("", [].as_slice()), |(last, others)| (*last, others));
    app.out.note(&format!("Remembered {} and {last} as the defaults of later commands in {path}.", others.join(", ")));
    if kept.len() < 3 {
        app.out.note("The address of the database holds a password and was not remembered: set CRM_DATABASE_URL.");
    }
    Ok(())
}

/// The address as it can be used from every folder.
fn absolute(address: &str) -> String {
    if is_server(address) {
        return address.to_owned();
    }
    let path = std::path::absolute(file_of(address)).unwrap_or_else(|_| file_of(address).into());
    path.to_string_lossy().into_owned()
}
