//! The table of cells: every operation, by whose records it touches, by role and by credential.
//!
//! A line is a call of an operation and whose records it names; a cell has a sign for each role, in the order owner,
//! admin, manager, member, viewer. Where something is listed or counted the sign has its number: how many records, or
//! what they are worth in minor units. Credentials with the same cells share them, and so do relations with the same lines.

use std::collections::HashMap;
use std::fmt::Write as _;

use super::{CALLS, Ids, fixtures_of, forget_contact_series, sales, stored_scopes};
use crate::access::{
    ACCESS_SECONDS, AddMember, ApiKey, DeactivateUser, EndSessions, Membership, NewKey, POLICY, RemoveMember,
    RevokeKey, Role, Secret, SetRole, User,
};
use crate::context::Environment as _;
use crate::entity::Stored;
use crate::error::{CrmError, ErrorCode};
use crate::id::Id;
use crate::store::{MemoryStore, Query};
use crate::testing::TestEnvironment;
use crate::testing::logins::{PASSWORD, World};
use crate::value::{Email, Instant};
use crate::{Crm, Session};

const ROLES: [Role; 5] = [Role::Owner, Role::Admin, Role::Manager, Role::Member, Role::Viewer];

const LEGEND: &str = "\
+ ok, +3 ok with so many records or so much money, - forbidden, s out of scope, 0 not found, ! unauthenticated, i invalid, r rule, d duplicate, c conflict
by role: owner, admin, manager, member, viewer
own: the actor owns the contact and the deal; assigned: the lead, the task and the case are the actor's; other: none is
user: opened by name; token: signed in; key: a key with every scope; unscoped: with every scope but this one
ended: sessions that were open when the membership, the sign-in or the key ended; shut: no session opens at all
";

/// Whose records a call names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Relation {
    Own,
    Assigned,
    Other,
    Foreign,
}

const RELATIONS: [(Relation, &str); 4] = [
    (Relation::Own, "own"),
    (Relation::Assigned, "assigned"),
    (Relation::Other, "other"),
    (Relation::Foreign, "foreign"),
];

/// Which credentials are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credentials {
    /// Sessions opened by name.
    Users,
    /// All: none at all, sessions opened by name, access tokens and API keys, also those that have ended.
    All,
}

/// By what somebody acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Credential {
    User,
    Token,
    Key,
    Unscoped,
}

const CREDENTIALS: [(Credential, &str); 4] = [
    (Credential::User, "user"),
    (Credential::Token, "token"),
    (Credential::Key, "key"),
    (Credential::Unscoped, "unscoped"),
];

/// The table of what the operations give, of every nth call from the first. To be compared with a reviewed one.
///
/// On a memory store, which is given then, every cell begins from the same records. Elsewhere each call has an
/// organization of its own, and what a cell has changed is written anew.
///
/// # Errors
/// When the fixtures cannot be written.
///
/// # Panics
/// When an operation of the policy has no call, what has ended opens a session, or another organization was changed.
pub async fn cells(
    world: &World,
    memory: Option<&MemoryStore>,
    credentials: Credentials,
    (first, every): (usize, usize),
) -> Result<String, CrmError> {
    for rule in POLICY {
        assert!(CALLS.iter().any(|(name, _)| *name == rule.operation), "{} has no cells", rule.operation);
    }
    let theirs = crate::testing::organization(&world.crm, "cells-theirs").await?;
    let foreign = fixtures_of(&theirs, theirs.user().id, theirs.user().id, "cells-theirs").await?;
    let before = super::dump(&theirs).await?;
    let mut table = if credentials == Credentials::All { LEGEND.to_owned() } else { String::new() };
    let mut office = Office::open(world, first, foreign.clone(), credentials).await?;
    if credentials == Credentials::All {
        office.shut(&mut table).await?;
    }
    let base = memory.map(|memory| (memory.copied(), world.clock.now()));
    for (number, (name, call)) in CALLS.iter().enumerate().skip(first).step_by(every) {
        office.operation = name;
        match memory.zip(base.as_ref()) {
            Some((memory, (base, at))) => {
                memory.take_over(base);
                turn_back(&world.clock, *at);
                office.rewind = None;
                office.open_keys(credentials).await?;
                office.rewind = Some(Rewind { memory, rows: memory.copied(), at: world.clock.now() });
            }
            None if number == first => office.open_keys(credentials).await?,
            None => {
                office = Office::open(world, number, foreign.clone(), credentials).await?;
                office.open_keys(credentials).await?;
            }
        }
        let same = CALLS[..number].iter().filter(|(other, _)| other == name).count() + 1;
        let name = format!("{name}#{same}");
        let mut lines: Vec<(Vec<&str>, String)> = Vec::new();
        for (relation, label) in RELATIONS {
            let line = office.line(call, relation, credentials).await?;
            match lines.iter_mut().find(|(_, known)| *known == line) {
                Some((labels, _)) => labels.push(label),
                None => lines.push((vec![label], line)),
            }
        }
        for (labels, line) in lines {
            let _ = writeln!(table, "{name:24} {:26} {line}", labels.join(","));
        }
        if credentials == Credentials::All {
            let _ = writeln!(table, "{name:24} {:26} {}", "ended", office.ended(call).await?);
        }
        assert_eq!(super::dump(&theirs).await?, before, "{name} changed another organization");
    }
    Ok(table)
}

/// The table on a store, and on a memory store. That one does not return to where it was either, since others cannot: a cell
/// may need what an earlier one has used up, such as credit or an idempotency key.
///
/// # Errors
/// As [`cells`].
pub async fn cells_beside(
    world: &World,
    credentials: Credentials,
    calls: (usize, usize),
) -> Result<[String; 2], CrmError> {
    let here = cells(world, None, credentials, calls).await?;
    Ok([here, cells(&World::new(MemoryStore::new()), None, credentials, calls).await?])
}

/// The rows to which a memory store returns after a cell has changed them, and when that was.
struct Rewind<'a> {
    memory: &'a MemoryStore,
    rows: MemoryStore,
    at: Instant,
}

/// An organization in which calls are tried by everybody.
struct Office<'a> {
    world: &'a World,
    rewind: Option<Rewind<'a>>,
    operation: &'static str,
    slug: String,
    owner: Session<'static>,
    /// Who writes the records: another owner, whose they are not.
    writer: Session<'static>,
    emails: Vec<Email>,
    /// A member whose records are nobody else's.
    somebody: Id<User>,
    tokens: HashMap<usize, Secret>,
    keys: HashMap<(usize, bool), Secret>,
    /// Sessions that were open when what opened them ended.
    ended: Vec<[Session<'static>; 3]>,
    /// Records as they were written, by whose they are.
    records: HashMap<(Id<User>, Relation), Ids>,
    foreign: Ids,
    count: usize,
}

impl<'a> Office<'a> {
    async fn open(world: &'a World, number: usize, foreign: Ids, which: Credentials) -> Result<Self, CrmError> {
        let slug = format!("cells-{number}");
        let owner = crate::testing::organization(&world.crm, &slug).await?;
        let mut emails = vec![owner.user().email.clone()];
        for role in &ROLES[1..] {
            emails.push(crate::testing::member(&world.crm, &owner, *role).await?.user().email.clone());
        }
        let somebody = join(&owner, &format!("somebody@{slug}.example"), Role::Manager).await?;
        let writer = format!("writer@{slug}.example");
        join(&owner, &writer, Role::Owner).await?;
        let writer = world.crm.session(&slug.parse()?, &writer.parse()?).await?;
        let mut office = Self {
            world,
            rewind: None,
            operation: CALLS[number].0,
            slug,
            owner,
            writer,
            emails,
            somebody,
            tokens: HashMap::new(),
            keys: HashMap::new(),
            ended: Vec::new(),
            records: HashMap::new(),
            foreign,
            count: 1_000 * number,
        };
        for (relation, _) in RELATIONS {
            for role in 0..ROLES.len() {
                let user = office.session(role, Credential::User).await?.user().id;
                office.ids(office.whose(user, relation), relation).await?;
            }
        }
        for role in 0..ROLES.len() {
            if which == Credentials::All {
                office.crm().set_password(&office.emails[role], &PASSWORD.into()).await?;
                let ended = office.end(role).await?;
                office.ended.push(ended);
                office.session(role, Credential::Token).await?;
            }
        }
        Ok(office)
    }

    fn crm(&self) -> &'a Crm {
        &self.world.crm
    }

    /// Makes the keys of the operation that is tried.
    async fn open_keys(&mut self, which: Credentials) -> Result<(), CrmError> {
        if which == Credentials::All {
            for (role, scoped) in (0..ROLES.len()).flat_map(|role| [(role, true), (role, false)]) {
                let (_, text) = self.key(role, scoped).await?;
                self.keys.insert((role, scoped), text);
            }
        }
        Ok(())
    }

    /// A session of a role by a credential.
    async fn session(&mut self, role: usize, by: Credential) -> Result<Session<'static>, CrmError> {
        match by {
            Credential::User => self.crm().session(&self.slug.parse()?, &self.emails[role]).await,
            Credential::Token => {
                if let Some(token) = self.tokens.get(&role)
                    && let Ok(session) = self.crm().session_with_token(token.expose()).await
                {
                    return Ok(session);
                }
                let signed = self.world.login(&self.slug, self.emails[role].as_str(), PASSWORD).await?;
                let session = self.crm().session_with_token(signed.access.expose()).await?;
                self.tokens.insert(role, signed.access);
                Ok(session)
            }
            Credential::Key => self.crm().session_with_key(&self.keys[&(role, true)]).await,
            Credential::Unscoped => self.crm().session_with_key(&self.keys[&(role, false)]).await,
        }
    }

    /// A key of the owner's in a role, with every scope, or with every scope but the operation's own.
    async fn key(&mut self, role: usize, scoped: bool) -> Result<(Id<ApiKey>, Secret), CrmError> {
        self.count += 1;
        let scopes = POLICY.iter().map(|rule| rule.operation).filter(|name| scoped || *name != self.operation);
        let scopes = stored_scopes(&scopes.collect::<Vec<_>>().join(" "))?;
        let new = NewKey::new(format!("cell {}", self.count).parse()?, ROLES[role], scopes);
        let created = self.owner.create_key(&NewKey { quotas: Vec::new(), ..new }).await?;
        Ok((created.key.id, created.text))
    }

    /// Who has the records of a relation to a user: those of others are the same for all.
    fn whose(&self, user: Id<User>, relation: Relation) -> Id<User> {
        if relation == Relation::Other { self.somebody } else { user }
    }

    /// What a call names.
    async fn ids(&mut self, user: Id<User>, relation: Relation) -> Result<Ids, CrmError> {
        self.count += 1;
        let label = format!("cell-{}", self.count);
        let email = format!("{label}@cells.example");
        if relation == Relation::Foreign {
            return Ok(Ids { email, ..self.foreign.clone() });
        }
        if !self.records.contains_key(&(user, relation)) {
            let (owner, assignee) = match relation {
                Relation::Own => (user, self.somebody),
                Relation::Assigned => (self.somebody, user),
                Relation::Other | Relation::Foreign => (self.somebody, self.somebody),
            };
            // A viewer has what was theirs in another role.
            let member = member_of(&self.owner, user).await?;
            let viewer = member.role == Role::Viewer;
            if viewer {
                self.owner.run(&SetRole { member: member.id, role: Role::Manager }).await?;
            }
            let mut ids = fixtures_of(&self.writer, owner, assignee, &label).await?;
            if viewer {
                self.owner.run(&SetRole { member: member.id, role: Role::Viewer }).await?;
            }
            if relation != Relation::Other {
                ids.user = user;
            }
            if relation == Relation::Own {
                ids.member = member.id;
            }
            self.records.insert((user, relation), ids);
        }
        Ok(Ids { email, ..self.records[&(user, relation)].clone() })
    }

    /// The cells of a relation.
    async fn line(&mut self, call: &Action, relation: Relation, which: Credentials) -> Result<String, CrmError> {
        let mut cells = Vec::new();
        for (credential, label) in CREDENTIALS {
            if which == Credentials::Users && credential != Credential::User {
                continue;
            }
            let mut signs = Vec::new();
            for role in 0..ROLES.len() {
                let session = self.session(role, credential).await?;
                signs.push(self.sign(call, &session, relation).await?);
            }
            cells.push((label, cell(&signs)));
        }
        Ok(grouped(&cells))
    }

    /// What comes of a call.
    async fn sign(&mut self, call: &Action, session: &Session<'_>, relation: Relation) -> Result<String, CrmError> {
        let whose = self.whose(session.user().id, relation);
        let ids = self.ids(whose, relation).await?;
        let answer = call(session, &ids).await;
        let (entity, verb) = self.operation.split_once('.').unwrap_or_default();
        let reads = verb == "read" || entity == "report";
        if answer.is_ok() && !reads {
            self.undo(whose, relation).await?;
            if self.rewind.is_none() && matches!(self.operation, "user.change_password" | "user.reset_password") {
                self.crm().set_password(&session.user().email, &PASSWORD.into()).await?;
            }
        }
        Ok(sign(answer.as_ref().map(|told| told.amount)))
    }

    /// Undoes what a call did, or lets the next one have other records.
    async fn undo(&mut self, whose: Id<User>, relation: Relation) -> Result<(), CrmError> {
        if let Some(Rewind { memory, rows, at }) = &self.rewind {
            memory.take_over(rows);
            turn_back(&self.world.clock, *at);
            return Ok(());
        }
        self.records.remove(&(whose, relation));
        match self.operation {
            "number_series.create" => forget_contact_series(&self.owner).await,
            "pipeline.create" => sales::forget_pipeline(&self.owner).await,
            _ => Ok(()),
        }
    }

    /// Sessions of a member who left, of one whose sessions were ended, and of a key that was revoked.
    async fn end(&mut self, role: usize) -> Result<[Session<'static>; 3], CrmError> {
        let gone = format!("gone{role}@{}.example", self.slug);
        let user = join(&self.owner, &gone, ROLES[role]).await?;
        let left = self.crm().session(&self.slug.parse()?, &gone.parse()?).await?;
        let member = member_of(&self.owner, user).await?.id;
        self.owner.run(&RemoveMember { member }).await?;

        let out = self.session(role, Credential::Token).await?;
        self.session(role, Credential::User).await?.run(&EndSessions).await?;

        let (key, text) = self.key(role, true).await?;
        let revoked = self.crm().session_with_key(&text).await?;
        self.owner.run(&RevokeKey(key)).await?;
        Ok([left, out, revoked])
    }

    /// The cells of sessions that were open when what opened them ended.
    async fn ended(&mut self, call: &Action) -> Result<String, CrmError> {
        let mut signs = [Vec::new(), Vec::new(), Vec::new()];
        for role in 0..ROLES.len() {
            for (at, signs) in signs.iter_mut().enumerate() {
                let session = self.ended[role][at].clone();
                signs.push(self.sign(call, &session, Relation::Other).await?);
            }
        }
        let [left, signed_out, revoked] = signs.map(|signs| cell(&signs));
        Ok(grouped(&[("left", left), ("signed_out", signed_out), ("revoked", revoked)]))
    }

    /// Tries what opens no session, whatever is to be done in it.
    async fn shut(&self, table: &mut String) -> Result<(), CrmError> {
        let (crm, slug) = (self.crm(), self.slug.parse()?);
        let asleep = format!("asleep@{slug}.example");
        let member = member_of(&self.owner, join(&self.owner, &asleep, Role::Owner).await?).await?.id;
        self.owner.run(&DeactivateUser(member)).await?;
        let name = self.emails[0].as_str();
        let out = self.world.login(&self.slug, name, PASSWORD).await?;
        crm.logout(&out.refresh).await?;
        let old = self.world.login(&self.slug, name, PASSWORD).await?;
        let key = |alias: &str| Ok::<_, CrmError>(NewKey::new(alias.parse()?, Role::Owner, "*.read".parse()?));
        let revoked = self.owner.create_key(&key("revoked")?).await?;
        self.owner.run(&RevokeKey(revoked.key.id)).await?;
        let expires_at = Some(old.expires_at);
        let expired = self.owner.create_key(&NewKey { expires_at, ..key("expired")? }).await?;
        self.world.clock.advance(ACCESS_SECONDS);
        let gone = format!("gone1@{slug}.example");
        let lines = [
            ("nobody", crm.session(&slug, &"nobody@nowhere.example".parse()?).await),
            ("member of another", crm.session(&slug, &"owner@cells-theirs.example".parse()?).await),
            ("member who left", crm.session(&slug, &gone.parse()?).await),
            ("deactivated", crm.session(&slug, &asleep.parse()?).await),
            ("token signed out", crm.session_with_token(out.access.expose()).await),
            ("token expired", crm.session_with_token(old.access.expose()).await),
            ("refresh token", crm.session_with_token(old.refresh.expose()).await),
            ("key as token", crm.session_with_token(expired.text.expose()).await),
            ("token as key", crm.session_with_key(&old.access).await),
            ("key expired", crm.session_with_key(&expired.text).await),
            ("key revoked", crm.session_with_key(&revoked.text).await),
        ];
        for (label, answer) in lines {
            assert!(answer.is_err(), "{label} opens a session");
            let _ = writeln!(table, "{:24} {label:26} {}", "shut", sign(answer.as_ref().map(|_| None)));
        }
        // Sessions that are open end with their tokens as well.
        self.world.clock.advance(-ACCESS_SECONDS);
        Ok(())
    }
}

/// Lets the clock show an earlier instant again.
pub(super) fn turn_back(clock: &TestEnvironment, to: Instant) {
    clock.advance((to.micros() - clock.now().micros()) / 1_000_000);
}

/// A call without its name.
type Action = for<'a> fn(&'a Session<'a>, &'a Ids) -> super::Answer<'a>;

pub(super) async fn join(owner: &Session<'_>, email: &str, role: Role) -> Result<Id<User>, CrmError> {
    let add = AddMember { email: email.parse()?, full_name: Some("Some Body".parse()?), role };
    Ok(owner.run(&add).await?.user_id)
}

pub(super) async fn member_of(owner: &Session<'_>, user: Id<User>) -> Result<Stored<Membership>, CrmError> {
    let mut found = owner.list(&Query::new(Membership::COLUMNS.user_id.eq(&user))).await?.items;
    let gone = || CrmError::NotFound { entity: "membership", reference: user.to_string() };
    found.pop().ok_or_else(gone)
}

/// The cells as text, equal ones together.
fn grouped(cells: &[(&str, String)]) -> String {
    let mut groups: Vec<(Vec<&str>, &str)> = Vec::new();
    for (label, cell) in cells {
        match groups.iter_mut().find(|(_, known)| known == cell) {
            Some((labels, _)) => labels.push(label),
            None => groups.push((vec![label], cell)),
        }
    }
    let groups = groups.into_iter().map(|(labels, cell)| format!("{}={cell}", labels.join(",")));
    groups.collect::<Vec<_>>().join(" ")
}

/// The signs of all roles; with numbers among them, parted.
fn cell(signs: &[String]) -> String {
    signs.join(if signs.iter().any(|sign| sign.len() > 1) { "|" } else { "" })
}

/// The sign of an answer with an amount, if it is one of many.
fn sign(answer: Result<Option<i64>, &CrmError>) -> String {
    let error = match answer {
        Ok(amount) => return amount.map_or_else(|| "+".to_owned(), |amount| format!("+{amount}")),
        Err(error) => error,
    };
    let sign = match error.code() {
        _ if matches!(error, CrmError::OutOfScope { .. }) => "s",
        ErrorCode::Forbidden => "-",
        ErrorCode::NotFound => "0",
        ErrorCode::Unauthenticated => "!",
        ErrorCode::Invalid => "i",
        ErrorCode::Rule => "r",
        ErrorCode::Duplicate => "d",
        ErrorCode::Conflict => "c",
        _ => "?",
    };
    sign.to_owned()
}
