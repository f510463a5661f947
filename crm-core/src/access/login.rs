//! Signing in: a password becomes tokens, tokens become sessions.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::login_session::Use;
use super::opaque::SecretHash;
use super::throttle::{self, Attempt};
use super::token::{ACCESS_SECONDS, Bearer};
use super::{LoginSession, Membership, Organization, RefreshToken, Role, Secret, TokenKeys, User};
#[cfg(doc)]
use crate::access::AccessError;
use crate::acting::LoginAtWork;
use crate::context::{Actor, Context};
use crate::crm::{Crm, Session, TRIES};
use crate::entity::{Entity as _, Stored};
use crate::error::CrmError;
use crate::id::Id;
use crate::store::{ChangeSet, Scope, Select, StoreError, StoreExt as _};
use crate::value::{Email, Instant, Slug, Text, Username, fold};

/// How long a refresh token can be used, in seconds.
pub const REFRESH_SECONDS: i64 = 7 * 24 * 3_600;
/// How long a session lasts at most, however often it is refreshed, in seconds.
pub const SESSION_SECONDS: i64 = 30 * 24 * 3_600;

/// What refresh tokens begin with, so that scanners for leaked secrets know them.
const PREFIX: &str = "crmr_";
/// How many rows without meaning a login removes at most.
const SWEEP: u32 = 500;

/// Somebody who wants to sign in.
#[derive(Clone, Debug)]
pub struct Login {
    /// To which organization.
    pub organization: Slug,
    /// Their address or user name.
    pub name: String,
    /// Their password.
    pub password: Secret,
    /// Where they come from, such as a network address. Without it nobody can be told from anybody else who tries: who keeps
    /// guessing at an account then keeps its user waiting, half a minute after every guess.
    pub source: Option<Text<200>>,
}

/// Somebody who has signed in.
#[derive(Clone, Debug)]
pub struct Signed {
    /// Opens sessions until it expires.
    pub access: Secret,
    /// Gives the next pair of tokens, once.
    pub refresh: Secret,
    /// When the access token expires.
    pub expires_at: Instant,
    /// When the refresh token expires.
    pub refresh_expires_at: Instant,
    /// Who signed in.
    pub user: Stored<User>,
    /// In which role.
    pub role: Role,
}

/// Who signed in, as it was just read.
struct Person {
    organization: Stored<Organization>,
    user: Stored<User>,
    membership: Stored<Membership>,
}

impl Crm {
    /// Signs somebody in with a password.
    ///
    /// Whatever is wrong, the answer is the same, and so is the work: one password hash, and the same reads and writes.
    /// Hashing takes tens of milliseconds of computation; an asynchronous host may want to call this where that harms nobody.
    ///
    /// # Errors
    /// [`CrmError::LoginRefused`]; [`CrmError::Throttled`] after too many failures;
    /// [`AccessError::NoTokenKeys`] when the book was given no keys.
    pub async fn login(&self, login: &Login) -> Result<Signed, CrmError> {
        let keys = self.token_keys()?;
        let source = login.source.as_deref();
        let user = self.store().first::<User>(Scope::SYSTEM, named(&login.name)).await?;
        let attempt = Attempt::new("login", &account(user.as_ref(), &login.name), source);
        throttle::charge(&**self.store(), self.environment(), &attempt).await?;
        let query = Select::new(Organization::TABLE, Organization::COLUMNS.slug.eq(&login.organization).into());
        let organization = self.store().first::<Organization>(Scope::SYSTEM, query).await?;
        let mut checked = user.as_ref().and_then(|user| user.password_hash.clone());
        let right = self.hasher().verify(&login.password, checked.as_ref());
        let (true, Some(organization), Some(user)) = (right, organization, user) else {
            return Err(CrmError::LoginRefused);
        };
        for _ in 0..TRIES {
            let person = self.person(organization.id, user.id).await?;
            let person = person.ok_or(CrmError::LoginRefused)?;
            // The password must still be theirs; another login may have hashed it anew meanwhile.
            if person.user.password_hash != checked {
                checked.clone_from(&person.user.password_hash);
                if !self.hasher().verify(&login.password, checked.as_ref()) {
                    return Err(CrmError::LoginRefused);
                }
            }
            let mut context = self.context_of(&person);
            let now = context.now();
            let mut changes = ChangeSet::new(context.stamp("user.login"));
            changes.require_unchanged(&person.membership);
            if checked.as_ref().is_some_and(|hash| self.hasher().is_outdated(hash)) {
                let hash = self.hasher().hash(&login.password, &**self.environment());
                let rehashed = User { password_hash: Some(hash), ..person.user.value.clone() };
                changes.update(&context, &person.user, rehashed);
            } else {
                changes.require_unchanged(&person.user);
            }
            throttle::clear(&**self.store(), &attempt, &context, &mut changes).await?;
            self.sweep(person.user.id, now, &mut changes).await?;
            let session = LoginSession {
                user_id: person.user.id,
                organization_id: person.organization.id,
                epoch: person.user.epoch,
                generation: 1,
                rotated_at: now,
                ends_at: later(now, SESSION_SECONDS),
                revoked_at: None,
            };
            let session = changes.insert(&mut context, session);
            let signed = issue(keys, &person, &session, &mut context, &mut changes);
            if self.applied(&person.organization, changes).await? {
                return Ok(signed);
            }
        }
        Err(CrmError::Conflict { entity: User::TABLE.entity, reference: user.id.to_string() })
    }

    /// Exchanges a refresh token for the next pair of tokens.
    ///
    /// Each token can be used once. The one before the present one may be used again for ten seconds, in case the
    /// reply was lost; the use of any older one means that two have it, and ends the session for both.
    ///
    /// # Errors
    /// [`CrmError::TokenRefused`] when the token is none of ours, has expired or been used, or the session has ended;
    /// [`AccessError::NoTokenKeys`] when the book was given no keys.
    pub async fn refresh(&self, token: &Secret) -> Result<Signed, CrmError> {
        let keys = self.token_keys()?;
        for _ in 0..TRIES {
            let (token, session) = self.refresh_token(token).await?;
            let now = self.environment().now();
            let verdict = session.judge(&token, now);
            if verdict == Use::Reused {
                self.revoke(&session).await?;
            }
            if matches!(verdict, Use::Reused | Use::Ended) {
                return Err(CrmError::TokenRefused);
            }
            let person = self.person(session.organization_id, session.user_id).await?;
            let person = person.filter(|person| person.user.epoch == session.epoch).ok_or(CrmError::TokenRefused)?;
            let mut context = self.context_of(&person);
            let mut changes = ChangeSet::new(context.stamp("user.refresh"));
            changes.require_unchanged(&person.membership);
            changes.require_unchanged(&person.user);
            let session = if verdict == Use::Rotates {
                let generation = session.generation + 1;
                let next = LoginSession { generation, rotated_at: context.now(), ..session.value.clone() };
                changes.update(&context, &session, next)
            } else {
                changes.require_unchanged(&session);
                session
            };
            let signed = issue(keys, &person, &session, &mut context, &mut changes);
            if self.applied(&person.organization, changes).await? {
                return Ok(signed);
            }
        }
        Err(CrmError::Conflict { entity: LoginSession::TABLE.entity, reference: String::new() })
    }

    /// Ends the session of a refresh token, with all its tokens. One that has ended stays ended.
    ///
    /// # Errors
    /// [`CrmError::TokenRefused`] when the token is none of ours.
    pub async fn logout(&self, token: &Secret) -> Result<(), CrmError> {
        let (_, session) = self.refresh_token(token).await?;
        self.revoke(&session).await
    }

    /// Opens the session of an access token.
    ///
    /// The token only says who somebody is: that they are active, still a member, in which role, and that nothing has
    /// ended their sessions is read from the store now.
    ///
    /// The session ends with the token, the login, the user's sessions and the membership, and its role is the member's as
    /// it is, on the next call: a read asks first whether anything was revoked or changed, in one statement, a write in its
    /// own transaction. Settings and number series are as last read: a host that keeps a session for long opens another and
    /// calls [`Session::renew`].
    ///
    /// # Errors
    /// [`CrmError::TokenRefused`] when the token is forged, expired or not valid any more;
    /// [`AccessError::NoTokenKeys`] when the book was given no keys.
    pub async fn session_with_token(&self, token: &str) -> Result<Session<'static>, CrmError> {
        let refused = || CrmError::TokenRefused;
        let verified = self.token_keys()?.verify(token, self.environment().now());
        let (bearer, expires_at) = verified.ok_or_else(refused)?;
        let session = self.store().get(Scope::SYSTEM, Id::<LoginSession>::new(bearer.session)).await?;
        let session = session.ok_or_else(refused)?;
        let now = self.environment().now();
        let going_on = session.revoked_at.is_none() && now < session.ends_at && session.epoch == bearer.epoch;
        let theirs = session.user_id.uuid() == bearer.user && session.organization_id.uuid() == bearer.organization;
        if !going_on || !theirs {
            return Err(refused());
        }
        let person = self.person(session.organization_id, session.user_id).await?.ok_or_else(refused)?;
        if person.membership.id.uuid() != bearer.membership || person.user.epoch != bearer.epoch {
            return Err(refused());
        }
        let expires_at = expires_at.min(session.ends_at);
        self.open(person.organization, person.user, Some(LoginAtWork { session, expires_at })).await
    }

    /// Removes what is left of a user's sessions that have ended by themselves.
    async fn sweep(&self, user: Id<User>, now: Instant, changes: &mut ChangeSet) -> Result<(), CrmError> {
        let columns = LoginSession::COLUMNS;
        let ended = (columns.user_id.eq(&user) & columns.ends_at.le(&now)).into_expr();
        let ended = Select::new(LoginSession::TABLE, ended).limited(1);
        let Some(session) = self.store().first::<LoginSession>(Scope::SYSTEM, ended).await? else { return Ok(()) };
        let tokens = RefreshToken::COLUMNS.session_id.eq(&session.id).into();
        let tokens = Select::new(RefreshToken::TABLE, tokens).limited(SWEEP);
        let tokens = self.store().all::<RefreshToken>(Scope::SYSTEM, &tokens).await?;
        for token in &tokens {
            changes.reach_beyond(token);
            changes.delete(token);
        }
        if tokens.len() < SWEEP as usize {
            changes.reach_beyond(&session);
            changes.delete(&session);
        }
        Ok(())
    }

    /// The token with its session, if it is one that was given out.
    async fn refresh_token(&self, token: &Secret) -> Result<(Stored<RefreshToken>, Stored<LoginSession>), CrmError> {
        let refused = || CrmError::TokenRefused;
        let hash = hash_of(token.expose()).ok_or_else(refused)?;
        let query = Select::new(RefreshToken::TABLE, RefreshToken::COLUMNS.hash.eq(&hash).into());
        let token = self.store().first::<RefreshToken>(Scope::SYSTEM, query).await?.ok_or_else(refused)?;
        let session = self.store().get(Scope::SYSTEM, token.session_id).await?.ok_or_else(refused)?;
        Ok((token, session))
    }

    async fn revoke(&self, session: &Stored<LoginSession>) -> Result<(), CrmError> {
        let mut session = session.clone();
        for _ in 0..TRIES {
            if session.revoked_at.is_some() {
                return Ok(());
            }
            let mut context = Context::system(Arc::clone(self.environment()));
            let mut changes = ChangeSet::new(context.stamp("user.logout"));
            let ended = LoginSession { revoked_at: Some(context.now()), ..session.value.clone() };
            changes.update(&context, &session, ended);
            match self.store().apply(Scope::SYSTEM, changes).await {
                Ok(_) => return Ok(()),
                Err(StoreError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
            session = match self.store().get(Scope::SYSTEM, session.id).await? {
                Some(session) => session,
                None => return Ok(()),
            };
        }
        Err(CrmError::Conflict { entity: LoginSession::TABLE.entity, reference: session.id.to_string() })
    }

    /// An active user with their membership of an organization.
    async fn person(&self, organization: Id<Organization>, user: Id<User>) -> Result<Option<Person>, CrmError> {
        let Some(organization) = self.store().get(Scope::SYSTEM, organization).await? else { return Ok(None) };
        let Some(user) = self.store().get(Scope::SYSTEM, user).await? else { return Ok(None) };
        let scope = Scope::organization(organization.key);
        let query = Select::new(Membership::TABLE, Membership::COLUMNS.user_id.eq(&user.id).into());
        let membership = self.store().first::<Membership>(scope, query).await?;
        Ok(membership.filter(|_| user.active).map(|membership| Person { organization, user, membership }))
    }

    fn context_of(&self, person: &Person) -> Context {
        let organization = Arc::new(person.organization.value.clone());
        let actor = Actor::User(person.user.id);
        Context::new(Arc::clone(self.environment()), actor, person.membership.role, organization)
    }

    /// Applies; false when something changed meanwhile.
    async fn applied(&self, organization: &Stored<Organization>, changes: ChangeSet) -> Result<bool, CrmError> {
        match self.store().apply(Scope::organization(organization.key), changes).await {
            Ok(_) => Ok(true),
            Err(StoreError::Conflict { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

/// The next pair of tokens of a session.
fn issue(
    keys: &TokenKeys,
    person: &Person,
    session: &Stored<LoginSession>,
    context: &mut Context,
    changes: &mut ChangeSet,
) -> Signed {
    let now = context.now();
    let mut bytes = Zeroizing::new([0; 32]);
    context.fill_random(&mut *bytes);
    let refresh = Secret::from(format!("{PREFIX}{}", BASE64.encode(*bytes)));
    let refresh_expires_at = later(now, REFRESH_SECONDS).min(session.ends_at);
    let token = RefreshToken {
        hash: SecretHash::of(*bytes),
        session_id: session.id,
        generation: session.generation,
        expires_at: refresh_expires_at,
    };
    changes.insert(context, token);
    let bearer = Bearer {
        user: person.user.id.uuid(),
        organization: person.organization.id.uuid(),
        membership: person.membership.id.uuid(),
        session: session.id.uuid(),
        epoch: session.epoch,
    };
    Signed {
        access: keys.sign(&bearer, context.new_id(), now),
        refresh,
        expires_at: later(now, ACCESS_SECONDS),
        refresh_expires_at,
        user: Stored { value: User { password_hash: None, ..person.user.value.clone() }, ..person.user.clone() },
        role: person.membership.role,
    }
}

/// SHA-256 of a refresh token's random bytes, if it has the form of one.
fn hash_of(token: &str) -> Option<SecretHash> {
    let text = token.strip_prefix(PREFIX).filter(|text| text.len() == 43)?;
    let bytes = Zeroizing::new(BASE64.decode(text).ok()?);
    Some(SecretHash::of(&*bytes))
}

/// By what guesses at an account are counted: the user's id, whichever of their names was given. If there is no such user,
/// the name as it is compared: as an address, or else as a user name.
fn account(user: Option<&Stored<User>>, name: &str) -> String {
    let compared = || name.parse::<Email>().map_or_else(|_| fold(name), |email| email.key().to_owned());
    user.map_or_else(compared, |user| user.id.to_string())
}

/// The user with this address or user name.
fn named(name: &str) -> Select {
    let columns = User::COLUMNS;
    let filter = match (name.parse::<Email>(), name.parse::<Username>()) {
        (Ok(email), _) => columns.email_key.eq(&email.key().to_owned()),
        // Nobody's, if it is neither: the look-up is made all the same.
        (_, Ok(username)) => columns.username_key.eq(&Some(username.key())),
        (Err(_), Err(_)) => columns.id.eq(&Id::new(Uuid::nil())),
    };
    Select::new(User::TABLE, filter.into())
}

fn later(now: Instant, seconds: i64) -> Instant {
    Instant::clamped(now.micros().saturating_add(seconds.saturating_mul(1_000_000)))
}
