//! What is done to users: passwords, names, deactivation.
//!
//! A user stands above organizations, so an organization's admins may only touch those who are members of theirs and of
//! no other: else whoever makes somebody a member could take over what they have elsewhere.

use std::sync::Arc;

use async_trait::async_trait;

use super::api_key::members_only;
use super::membership::{not_oneself, owners_only};
use super::throttle::{self, Attempt};
use super::{AccessError, Grant, Membership, PasswordHash, Secret, User, check_password};
use crate::context::Context;
use crate::crm::{Command, Crm, Session, TRIES};
use crate::crud::Rules;
use crate::entity::{Entity as _, Stored};
use crate::error::CrmError;
use crate::id::Id;
use crate::store::{ChangeSet, Scope, Select, StoreError, StoreExt as _};
use crate::value::{Email, Instant, Username};

impl Crm {
    /// Sets a user's password and ends their sessions, for a host that knows for itself who asks: on a first start, or
    /// once it has seen that the address is theirs. What others guessed until now keeps the user waiting no more, so that
    /// whoever is kept out by guesses gets in: by a login right after this.
    ///
    /// # Errors
    /// [`CrmError::NotFound`] when there is no such user; [`CrmError::Invalid`] when the password is refused.
    pub async fn set_password(&self, email: &Email, password: &Secret) -> Result<(), CrmError> {
        let change = |user: &User, now| {
            refuse_weak(password, user)?;
            Ok(with_password(user, self.hasher().hash(password, &**self.environment()), now, false))
        };
        self.change_user("user.set_password", email, change).await
    }

    /// Lets a user act again who was deactivated, for a host that knows for itself who asks. Whoever deactivated them may
    /// have had no right to their address, or be gone.
    ///
    /// # Errors
    /// [`CrmError::NotFound`] when there is no such user.
    pub async fn activate_user(&self, email: &Email) -> Result<(), CrmError> {
        let change = |user: &User, _| Ok(User { active: true, ..user.clone() });
        self.change_user("user.activate", email, change).await
    }

    async fn change_user(
        &self,
        command: &'static str,
        email: &Email,
        change: impl Fn(&User, Instant) -> Result<User, CrmError>,
    ) -> Result<(), CrmError> {
        for _ in 0..TRIES {
            let known = Select::new(User::TABLE, User::COLUMNS.email_key.eq(&email.key().to_owned()).into());
            let user = self.store().first::<User>(Scope::SYSTEM, known).await?;
            let not_found = || CrmError::NotFound { entity: User::TABLE.entity, reference: email.to_string() };
            let user = user.ok_or_else(not_found)?;
            let mut context = Context::system(Arc::clone(self.environment()));
            let mut changes = ChangeSet::new(context.stamp(command));
            let changed = change(&user, context.now())?;
            changes.update(&context, &user, changed);
            throttle::forgive(&**self.store(), &user.id.to_string(), &mut changes).await?;
            match self.store().apply(Scope::SYSTEM, changes).await {
                Ok(_) => return Ok(()),
                Err(StoreError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(CrmError::Conflict { entity: User::TABLE.entity, reference: email.to_string() })
    }
}

impl Session<'_> {
    /// Changes the acting user's password and ends all their sessions, this one too. Wrong guesses of the current
    /// password are throttled as those of a login.
    ///
    /// # Errors
    /// [`AccessError::WrongPassword`]; [`CrmError::Invalid`] when the new one is refused; [`CrmError::Throttled`].
    pub async fn change_password(&self, current: &Secret, new: &Secret) -> Result<Stored<User>, CrmError> {
        self.authorize(User::TABLE.entity, ChangePassword::VERB).await?;
        // Before it is counted: a key must not keep its member from changing their password.
        members_only(&self.context())?;
        let attempt = Attempt::new("change_password", &self.user().id.to_string(), None);
        throttle::charge(self.store(), self.environment(), &attempt).await?;
        self.run(&ChangePassword { current: current.clone(), new: new.clone(), attempt }).await
    }
}

/// Changes one's own password; [`Session::change_password`] counts the attempts.
struct ChangePassword {
    current: Secret,
    new: Secret,
    attempt: Attempt,
}

#[async_trait]
impl Command for ChangePassword {
    type Root = User;
    const VERB: &'static str = "change_password";

    /// Nothing: a hash of a password must not be kept with an idempotency key.
    fn body(&self) -> String {
        String::new()
    }

    async fn decide(
        &self,
        session: &Session<'_>,
        _: Grant,
        context: &mut Context,
        changes: &mut ChangeSet,
    ) -> Result<Stored<User>, CrmError> {
        let user = oneself(session, context).await?;
        if !session.hasher().verify(&self.current, user.password_hash.as_ref()) {
            return Err(AccessError::WrongPassword.into());
        }
        refuse_weak(&self.new, &user)?;
        throttle::clear(session.store(), &self.attempt, context, changes).await?;
        let hash = session.hasher().hash(&self.new, context.environment());
        // Whoever was given a password may be whoever gave it: that has not changed.
        let changed = with_password(&user, hash, context.now(), user.password_given);
        Ok(changes.update(context, &user, changed))
    }
}

/// Sets, changes or clears the acting user's user name.
#[derive(Clone, Debug)]
pub struct SetUsername(pub Option<Username>);

#[async_trait]
impl Command for SetUsername {
    type Root = User;
    const VERB: &'static str = "set_username";

    fn body(&self) -> String {
        self.0.as_ref().map(ToString::to_string).unwrap_or_default()
    }

    async fn decide(
        &self,
        session: &Session<'_>,
        _: Grant,
        context: &mut Context,
        changes: &mut ChangeSet,
    ) -> Result<Stored<User>, CrmError> {
        let user = oneself(session, context).await?;
        let changed = User { username: self.0.clone(), ..user.value.clone() };
        Ok(changes.update(context, &user, changed))
    }
}

/// Ends all sessions of the acting user, this one too.
#[derive(Clone, Debug)]
pub struct EndSessions;

#[async_trait]
impl Command for EndSessions {
    type Root = User;
    const VERB: &'static str = "end_sessions";

    fn body(&self) -> String {
        String::new()
    }

    async fn decide(
        &self,
        session: &Session<'_>,
        _: Grant,
        context: &mut Context,
        changes: &mut ChangeSet,
    ) -> Result<Stored<User>, CrmError> {
        let user = oneself(session, context).await?;
        let changed = User { epoch: user.epoch + 1, ..user.value.clone() };
        Ok(changes.update(context, &user, changed))
    }
}

/// Gives a member a new password and ends their sessions. It is good for this organization alone: it goes once they become
/// a member of another one.
#[derive(Clone, Debug)]
pub struct ResetPassword {
    /// Whose.
    pub member: Id<Membership>,
    /// The new one.
    pub password: Secret,
}

#[async_trait]
impl Command for ResetPassword {
    type Root = User;
    const VERB: &'static str = "reset_password";

    /// Without the password: a hash of it must not be kept with an idempotency key.
    fn body(&self) -> String {
        self.member.to_string()
    }

    async fn decide(
        &self,
        session: &Session<'_>,
        _: Grant,
        context: &mut Context,
        changes: &mut ChangeSet,
    ) -> Result<Stored<User>, CrmError> {
        let (_, user) = another(session, context, changes, self.member).await?;
        refuse_weak(&self.password, &user)?;
        let hash = session.hasher().hash(&self.password, context.environment());
        let changed = with_password(&user, hash, context.now(), true);
        Ok(changes.update(context, &user, changed))
    }
}

/// Keeps a member from acting at all, and ends their sessions.
#[derive(Clone, Debug)]
pub struct DeactivateUser(pub Id<Membership>);

#[async_trait]
impl Command for DeactivateUser {
    type Root = User;
    const VERB: &'static str = "deactivate";

    fn body(&self) -> String {
        self.0.to_string()
    }

    async fn decide(
        &self,
        session: &Session<'_>,
        _: Grant,
        context: &mut Context,
        changes: &mut ChangeSet,
    ) -> Result<Stored<User>, CrmError> {
        let (member, user) = another(session, context, changes, self.0).await?;
        if user.active {
            // Every session rests on the membership, also one that the host has opened by name.
            changes.touch(context, &member);
        }
        let epoch = user.epoch + i64::from(user.active);
        Ok(changes.update(context, &user, User { active: false, epoch, ..user.value.clone() }))
    }
}

/// Lets a member act again.
#[derive(Clone, Debug)]
pub struct ActivateUser(pub Id<Membership>);

#[async_trait]
impl Command for ActivateUser {
    type Root = User;
    const VERB: &'static str = "activate";

    fn body(&self) -> String {
        self.0.to_string()
    }

    async fn decide(
        &self,
        session: &Session<'_>,
        _: Grant,
        context: &mut Context,
        changes: &mut ChangeSet,
    ) -> Result<Stored<User>, CrmError> {
        let (_, user) = another(session, context, changes, self.0).await?;
        Ok(changes.update(context, &user, User { active: true, ..user.value.clone() }))
    }
}

impl Rules for User {}

/// The acting user, as stored now; API keys touch no users.
async fn oneself(session: &Session<'_>, context: &Context) -> Result<Stored<User>, CrmError> {
    members_only(context)?;
    let acting = session.user();
    let stranger = || CrmError::Unauthenticated(acting.email.to_string());
    let user = session.store().get(session.scope(), acting.id).await?.ok_or_else(stranger)?;
    session.require_epoch(&user)?;
    Ok(user)
}

/// Another membership and its user, whom the acting user may touch; API keys may touch none.
async fn another(
    session: &Session<'_>,
    context: &Context,
    changes: &mut ChangeSet,
    member: Id<Membership>,
) -> Result<(Stored<Membership>, Stored<User>), CrmError> {
    members_only(context)?;
    let member = session.load::<Membership>(Grant::All, member).await?;
    not_oneself(context, &member)?;
    owners_only(context, &[member.role])?;
    changes.require_unchanged(&member);
    let gone = || CrmError::NotFound { entity: User::TABLE.entity, reference: member.user_id.to_string() };
    let user = session.store().get(session.scope(), member.user_id).await?.ok_or_else(gone)?;
    if user.memberships > 1 {
        return Err(AccessError::SharedUser.into());
    }
    // So it must be still when this is written, and the number is outside the user's version.
    changes.count(user.id, User::COLUMNS.memberships.index(), 0, 1);
    Ok((member, user))
}

fn refuse_weak(password: &Secret, user: &User) -> Result<(), CrmError> {
    check_password(password, user).map_err(|reason| CrmError::invalid("password", reason))
}

fn with_password(user: &User, hash: PasswordHash, now: Instant, given: bool) -> User {
    let epoch = user.epoch + 1;
    let (password_hash, password_changed_at) = (Some(hash), Some(now));
    User { password_hash, password_changed_at, password_given: given, epoch, ..user.clone() }
}
