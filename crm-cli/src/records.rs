//! Plain records: added, listed, shown, edited, archived, restored and deleted alike.
//!
//! Everything here derives from an entity's table and from what its noun adds (`nouns`).

use std::collections::HashMap;
use std::io::IsTerminal as _;

use clap::{Arg, ArgAction, ArgMatches, Command};
use crm_core::access::{ApiKey, Membership, User};
use crm_core::activity::Task;
use crm_core::billing::{CreditNote, Invoice, Payment, Product};
use crm_core::entity::{Entity, Flags, Shape, Stored};
use crm_core::people::Contact;
use crm_core::row::Value;
use crm_core::sales::{Deal, Lead, Pipeline, Stage, Tag};
use crm_core::service::{Calendar, Case};
use crm_core::store::{Direction, Expr, Filter, Operand, Query, Scope, Select, StoreExt as _};
use crm_core::value::{Email, fold};
use crm_core::{Archive, Create, CrmError, Delete, Edit, Restore, Session, Update};
use uuid::Uuid;

use crate::args::{self, given, text, texts};
use crate::error::{Done, Failure};
use crate::filter;
use crate::nouns::Noun;
use crate::open::App;
use crate::output::{self, Format, List, Record, View};

/// A record as it is shown.
pub(crate) fn record<E: Noun>(stored: &Stored<E>) -> Record {
    Record { row: stored.to_row(), title: E::title(stored) }
}

/// The command that adds a record.
pub(crate) fn add_command<E: Noun>() -> Command {
    let command = Command::new("add").about(format!("Adds a {}", E::NAME)).arg(args::idempotency());
    args::settable(command, E::TABLE)
}

/// The command that lists records.
pub(crate) fn list_command<E: Noun>() -> Command {
    let command = args::listing(Command::new("list").about(format!("Lists {}", output::plural(E::NAME))), E::TABLE);
    match E::TAGGED {
        Some(_) => command
            .arg(args::option("tag", "TAG", "Only records with this tag; may be repeated").action(ArgAction::Append)),
        None => command,
    }
}

/// The command that shows a record.
pub(crate) fn show_command<E: Noun>() -> Command {
    Command::new("show").about(format!("Shows a {}", E::NAME)).arg(reference_arg::<E>())
}

/// The option of the record that a command is about.
pub(crate) fn reference_arg<E: Noun>() -> Arg {
    let name = E::FOLDED.map(|key| key.trim_end_matches("_key")).filter(|name| !E::NATURAL_KEYS.contains(name));
    let keys: Vec<&str> = E::NATURAL_KEYS.iter().copied().chain(name).collect();
    args::reference(&keys)
}

/// The commands of a plain record, as its shape allows.
pub(crate) fn commands<E: Noun>() -> Vec<Command> {
    let on = |name: &'static str, about: String| Command::new(name).about(about).arg(reference_arg::<E>());
    let edit = on("edit", format!("Changes a {}; an empty value clears a field", E::NAME));
    let mut commands =
        vec![add_command::<E>(), list_command::<E>(), show_command::<E>(), args::settable(edit, E::TABLE)];
    if E::TABLE.shape == Shape::Archivable {
        commands.push(on("archive", format!("Archives a {}: it leaves the lists and keeps its history", E::NAME)));
        commands.push(on("restore", format!("Restores an archived {}", E::NAME)));
        commands.push(
            on("delete", format!("Deletes a {} for good; refused while others refer to it", E::NAME))
                .arg(args::flag("yes", "Does not ask")),
        );
    }
    commands
}

/// Carries out one of [`commands`].
pub(crate) async fn run<E: Noun>(app: &App, verb: &str, args: &ArgMatches) -> Done {
    match verb {
        "add" => add::<E>(app, args).await,
        "list" => list::<E>(app, args).await,
        "edit" => edit::<E>(app, args).await,
        "archive" | "restore" | "delete" => end::<E>(app, verb, args).await,
        _ => show::<E>(app, args).await,
    }
}

async fn add<E: Noun>(app: &App, args: &ArgMatches) -> Done {
    let session = app.session().await?;
    let mut fields = fields::<E>(&session, args).await?;
    E::complete(&mut fields);
    let edit = read(&session, &fields)?;
    let stored = session.run_with_key(&Create::<E>(edit), args::idempotency_of(args)?.as_ref()).await?;
    written(app, &session, &stored, "Added").await
}

async fn edit<E: Noun>(app: &App, args: &ArgMatches) -> Done {
    let session = app.session().await?;
    let fields = fields::<E>(&session, args).await?;
    if fields.is_empty() {
        return Err(
            Failure::usage("Nothing is to be changed").hint(format!("`crm {} edit --help` shows the fields", E::NAME))
        );
    }
    let edit = read(&session, &fields)?;
    let before = find::<E>(&session, reference(args)).await?;
    change(app, &session, &before, &Update { id: before.id, edit }, "Changed").await
}

/// Carries out a command on a record, and tells what came of it.
pub(crate) async fn change<E: Noun, C: crm_core::Command<Root = E>>(
    app: &App,
    session: &Session<'_>,
    before: &Stored<E>,
    command: &C,
    done: &str,
) -> Done {
    let stored = session.run(command).await?;
    written(app, session, &stored, if stored.version == before.version { "Left as it was:" } else { done }).await
}

async fn end<E: Noun>(app: &App, verb: &str, args: &ArgMatches) -> Done {
    let session = app.session().await?;
    let before = find::<E>(&session, reference(args)).await?;
    let stored = match verb {
        "archive" => session.run(&Archive(before.id)).await?,
        "restore" => session.run(&Restore(before.id)).await?,
        _ => {
            confirm(args, &format!("Delete the {} {} for good?", E::NAME, E::title(&before)))?;
            session.run(&Delete(before.id)).await?
        }
    };
    let done = match verb {
        "archive" => "Archived",
        "restore" => "Restored",
        _ => "Deleted",
    };
    written(app, &session, &stored, done).await
}

async fn show<E: Noun>(app: &App, args: &ArgMatches) -> Done {
    let session = app.session().await?;
    let stored = find::<E>(&session, reference(args)).await?;
    print(app, &session, &stored, &[], "").await
}

/// The record that answers to the text: an id, a natural key, or the name that no other record has.
pub(crate) async fn find<E: Noun>(session: &Session<'_>, text: &str) -> Result<Stored<E>, Failure> {
    match (session.find::<E>(text).await, E::FOLDED) {
        (Err(CrmError::NotFound { .. }), Some(key)) => {
            let named = Expr::eq(E::TABLE.expect_position(key), Value::Text(fold(text)));
            only(session, Filter::new(named), text).await
        }
        (found, _) => Ok(found?),
    }
}

/// The one record that fulfils the filter.
pub(crate) async fn only<E: Noun>(session: &Session<'_>, filter: Filter<E>, text: &str) -> Result<Stored<E>, Failure> {
    let (entity, reference) = (E::TABLE.entity, text.to_owned());
    let found = session.list(&Query::new(filter).with_archived().limit(10)).await?.items;
    match <[_; 1]>::try_from(found) {
        Ok([one]) => Ok(one),
        Err(none) if none.is_empty() => Err(CrmError::NotFound { entity, reference }.into()),
        Err(several) => {
            let candidates = several.iter().map(|record| record.id.to_string()).collect();
            Err(CrmError::Ambiguous { entity, reference, candidates }.into())
        }
    }
}

/// The text of the command's reference.
pub(crate) fn reference(args: &ArgMatches) -> &str {
    text(args, "ref").unwrap_or_default()
}

/// Asks before something cannot be undone, if there is somebody to ask.
pub(crate) fn confirm(args: &ArgMatches, question: &str) -> Done {
    let asks = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    if given(args, "yes") || !asks {
        return Ok(());
    }
    output::say(&format!("{question} [y/N]"));
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    if matches!(answer.trim().to_lowercase().as_str(), "y" | "yes") {
        Ok(())
    } else {
        Err(Failure::failed("Nothing was done"))
    }
}

/// Says what was done and shows the record.
pub(crate) async fn written<E: Noun>(app: &App, session: &Session<'_>, stored: &Stored<E>, done: &str) -> Done {
    app.out.note(&format!("{done} {} {}.", E::NAME, E::title(stored)));
    print(app, session, stored, &[], "").await
}

/// Shows one record, with further members for machines and further text for people.
pub(crate) async fn print<E: Noun>(
    app: &App,
    session: &Session<'_>,
    stored: &Stored<E>,
    extra: &[(&str, String)],
    more: &str,
) -> Done {
    let records = [record(stored)];
    let mut view = View::full(E::TABLE);
    if app.out.format == Format::Table {
        view = View::sheet_of(E::TABLE);
        view.labels = labels(session, &view.references(&records)).await?;
    }
    output::one(app.out, &view, &records[0], extra, more)
}

/// The change that the command line asks for, with references resolved to ids.
pub(crate) async fn edit_of<E: Noun>(session: &Session<'_>, args: &ArgMatches) -> Result<Edit<E>, Failure> {
    read(session, &fields::<E>(session, args).await?)
}

/// The fields that the command line gives, with references resolved to ids.
async fn fields<E: Noun>(session: &Session<'_>, args: &ArgMatches) -> Result<Vec<(&'static str, String)>, Failure> {
    let mut fields = Vec::new();
    for column in E::TABLE.columns.iter().filter(|column| !column.flags.contains(Flags::SERVER_OWNED)) {
        let Some(text) = text(args, column.name) else { continue };
        let text = match column.target() {
            Some(target) if !text.trim().is_empty() => {
                resolve(session, target.entity, text).await.map_err(|failure| failure.field(column.name))?.to_string()
            }
            _ => text.to_owned(),
        };
        fields.push((column.name, text));
    }
    Ok(fields)
}

fn read<E: Noun>(session: &Session<'_>, fields: &[(&'static str, String)]) -> Result<Edit<E>, Failure> {
    let texts = fields.iter().map(|(name, text)| (*name, text.as_str()));
    Edit::parse(texts, &session.locale()).map_err(|refused| CrmError::Invalid(refused).into())
}

/// The id of the record of this kind that answers to the text.
pub(crate) async fn resolve(session: &Session<'_>, entity: &str, text: &str) -> Result<Uuid, Failure> {
    Ok(match entity {
        "contact" => session.find::<Contact>(text).await?.id.uuid(),
        "product" => session.find::<Product>(text).await?.id.uuid(),
        "invoice" => session.find::<Invoice>(text).await?.id.uuid(),
        // Billing.
        "payment" => session.find::<Payment>(text).await?.id.uuid(),
        "credit_note" => session.find::<CreditNote>(text).await?.id.uuid(),
        "lead" => find::<Lead>(session, text).await?.id.uuid(),
        "deal" => find::<Deal>(session, text).await?.id.uuid(),
        "pipeline" => find::<Pipeline>(session, text).await?.id.uuid(),
        "stage" => find::<Stage>(session, text).await?.id.uuid(),
        "task" => find::<Task>(session, text).await?.id.uuid(),
        "tag" => find::<Tag>(session, text).await?.id.uuid(),
        "case" => find::<Case>(session, text).await?.id.uuid(),
        // Access.
        "api_key" => session.find::<ApiKey>(text).await?.id.uuid(),
        "user" => match Uuid::parse_str(text.trim()) {
            Ok(id) => id,
            Err(_) => user(session, text).await?.id.uuid(),
        },
        _ => Uuid::parse_str(text.trim())
            .map_err(|_| Failure::invalid("id", &crm_core::value::ValueError::syntax("an id", text)))?,
    })
}

/// The member with this e-mail address. Users who are no members of this organization are not told from those who are
/// not there at all.
pub(crate) async fn user(session: &Session<'_>, email: &str) -> Result<Stored<User>, Failure> {
    let address: Email = email.parse().map_err(|reason| Failure::invalid("email", &reason))?;
    let query = Select::new(User::TABLE, User::COLUMNS.email_key.eq(&address.key().to_owned()).into());
    let missing = || CrmError::NotFound { entity: Membership::TABLE.entity, reference: email.to_owned() };
    let user = session.store().first::<User>(session.scope(), query).await?.ok_or_else(missing)?;
    let member = Query::new(Membership::COLUMNS.user_id.eq(&user.id)).limit(1);
    if session.list(&member).await?.items.is_empty() {
        return Err(missing().into());
    }
    Ok(user)
}

/// The names of records, as far as the member may see them.
pub(crate) async fn labels(
    session: &Session<'_>,
    references: &[(&'static crm_core::entity::Table, Uuid)],
) -> Result<HashMap<Uuid, String>, Failure> {
    let mut labels = HashMap::new();
    let ids = |entity: &str| -> Vec<Uuid> {
        references.iter().filter(|(table, _)| table.entity == entity).map(|(_, id)| *id).collect()
    };
    named::<Contact>(session, ids("contact"), &mut labels).await?;
    named::<Product>(session, ids("product"), &mut labels).await?;
    named::<Invoice>(session, ids("invoice"), &mut labels).await?;
    named::<CreditNote>(session, ids("credit_note"), &mut labels).await?;
    named::<Lead>(session, ids("lead"), &mut labels).await?;
    named::<Deal>(session, ids("deal"), &mut labels).await?;
    named::<Pipeline>(session, ids("pipeline"), &mut labels).await?;
    named::<Stage>(session, ids("stage"), &mut labels).await?;
    named::<Case>(session, ids("case"), &mut labels).await?;
    named::<Calendar>(session, ids("calendar"), &mut labels).await?;
    named::<ApiKey>(session, ids("api_key"), &mut labels).await?;
    let users = ids("user");
    if !users.is_empty() {
        for row in session.store().fetch(Scope::SYSTEM, User::TABLE, &users).await? {
            let user = Stored::<User>::from_row(row)?;
            labels.insert(user.id.uuid(), user.email.to_string());
        }
    }
    Ok(labels)
}

async fn named<E: Noun>(session: &Session<'_>, ids: Vec<Uuid>, labels: &mut HashMap<Uuid, String>) -> Done {
    for ids in ids.chunks(1_000) {
        let ids = Expr::In(Operand::Column(0), ids.iter().copied().map(Value::Id).collect());
        let query = Query::<E>::new(Filter::new(ids)).with_archived().limit(1_000);
        match session.list(&query).await {
            Ok(page) => labels.extend(page.items.iter().map(|stored| (stored.id.uuid(), E::title(stored)))),
            // Who may not read them sees their ids.
            Err(CrmError::Forbidden { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// The query that the options of a list ask for, among the records that fulfil a filter.
pub(crate) async fn query<E: Entity>(
    session: &Session<'_>,
    args: &ArgMatches,
    among: Filter<E>,
) -> Result<Query<E>, Failure> {
    let table = E::TABLE;
    let mut expr = among.into_expr();
    if let Some(condition) = text(args, "where") {
        let node = filter::parse(condition)?;
        let mut found = HashMap::new();
        for (at, name) in filter::named(table, &node) {
            let Some(target) = table.columns[at].target() else { continue };
            let id = resolve(session, target.entity, &name).await?;
            found.insert((at, name), id);
        }
        let locale = session.locale();
        let organization = session.organization();
        let context = session.context();
        let scene = filter::Scene {
            table,
            read: &|column, text| E::parse(column, text, &locale),
            currency: locale.currency,
            today: context.today(),
            now: context.now(),
            zone: organization.time_zone,
            found: &found,
        };
        expr = expr.and(scene.condition(&node)?);
    }
    if let Some(words) = text(args, "search") {
        expr = expr.and(Filter::<E>::search(words).into_expr());
    }
    let mut query = Query::<E>::new(Filter::new(expr)).limit(limit(args));
    if given(args, "archived") {
        query = query.with_archived();
    }
    for term in text(args, "sort").unwrap_or_default().split(',').map(str::trim).filter(|term| !term.is_empty()) {
        let (name, direction) = match term.strip_prefix('-') {
            Some(name) => (name, Direction::Descending),
            None => (term, Direction::Ascending),
        };
        let found = filter::folded(table, name).or_else(|| filter::position(table, name));
        let found = found.or_else(|| filter::counted(table, name));
        let unknown = || output::unknown_column(table, name).field("sort");
        query = query.order(found.ok_or_else(unknown)?, direction);
    }
    let cursor = text(args, "after").map(str::parse).transpose();
    Ok(query.after(cursor.map_err(|reason| Failure::invalid("after", &reason))?))
}

fn limit(args: &ArgMatches) -> u32 {
    if given(args, "all") {
        1_000
    } else {
        args.try_get_one::<u32>("limit").ok().flatten().copied().unwrap_or(crm_core::store::PAGE)
    }
}

/// The columns that a list shows.
pub(crate) fn view(
    app: &App,
    table: &'static crm_core::entity::Table,
    usual: &[&str],
    args: &ArgMatches,
) -> Result<View, Failure> {
    match text(args, "columns") {
        Some(columns) => View::of(table, columns.split(',')),
        None if app.out.format == Format::Table => View::of(table, usual.iter().copied()),
        None => Ok(View::full(table)),
    }
}

/// Says how a list goes on.
pub(crate) fn note_next(app: &App, next: Option<&crm_core::store::Cursor>) {
    if let Some(next) = next {
        app.out.note(&format!("There is more: --after {next}"));
    }
}

/// Lists records.
pub(crate) async fn list<E: Noun>(app: &App, args: &ArgMatches) -> Done {
    let session = app.session().await?;
    let tags = texts(args, "tag");
    let tagged = E::TAGGED.iter().flat_map(|tagged| tags.iter().map(|tag| tagged(tag)));
    let query = query(&session, args, tagged.fold(Filter::all(), |all, one| all & one)).await?;
    pages::<E>(app, &session, query, args).await
}

/// Lists the records of a query.
pub(crate) async fn pages<E: Noun>(app: &App, session: &Session<'_>, mut query: Query<E>, args: &ArgMatches) -> Done {
    let mut view = view(app, E::TABLE, E::LIST, args)?;
    let all = given(args, "all");
    let mut gathered = Vec::new();
    // A grid is drawn whole, so that its columns are as wide as they must be; other forms are written as they come.
    let grid = app.out.format == Format::Table;
    loop {
        let page = session.list(&query).await?;
        let records: Vec<Record> = page.items.iter().map(record).collect();
        if grid {
            view.labels.extend(labels(session, &view.references(&records)).await?);
        }
        gathered.push(records);
        match page.next {
            Some(next) if all && grid => query = query.after(Some(next)),
            next => return rest(app, session, &view, gathered, query, next, all).await,
        }
    }
}

/// Writes what was gathered and, unless it is a grid, page by page whatever follows.
async fn rest<E: Noun>(
    app: &App,
    session: &Session<'_>,
    view: &View,
    gathered: Vec<Vec<Record>>,
    mut query: Query<E>,
    mut next: Option<crm_core::store::Cursor>,
    all: bool,
) -> Done {
    let mut list = List::new(app.out, view);
    list.page(&gathered.concat())?;
    drop(gathered);
    while all && next.is_some() {
        query = query.after(next);
        let page = session.list(&query).await?;
        list.page(&page.items.iter().map(record).collect::<Vec<_>>())?;
        next = page.next;
    }
    list.end()?;
    note_next(app, next.as_ref());
    Ok(())
}
