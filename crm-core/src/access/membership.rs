//! Memberships: who belongs to an organization, and in which role.
//!
//! The last owner is safe without a count: only an owner may make, change or remove an owner, nobody
//! touches their own membership, and every command is guarded by the actor's own membership. So whoever
//! removes an owner is an owner, and stays one in the same transaction.

use async_trait::async_trait;

use super::api_key::members_only;
use super::{AccessError, ApiKey, Grant, Invitation, LoginSession, Organization, User};
use crate::context::Context;
use crate::crm::{Command, Session};
use crate::crud::Rules;
use crate::entity::{Entity as _, Stored};
use crate::error::CrmError;
use crate::id::Id;
use crate::store::{ChangeSet, Scope, Select, Store, StoreExt as _};
use crate::value::{Email, Text, ValueError};

crate::choice! {
    /// What a member may do; see [`POLICY`](super::POLICY).
    pub enum Role {
        /// Everything.
        Owner = "owner",
        /// Everything but touching owners.
        Admin = "admin",
        /// All business records.
        Manager = "manager",
        /// Records of their own.
        Member = "member",
        /// Reads everything, writes nothing.
        Viewer = "viewer",
    }
}

impl Role {
    /// Its place in the policy's columns.
    pub const fn position(self) -> usize {
        self as usize
    }

    /// Whether whoever has this role may do all that the other role may. An owner alone covers owners; a member does not
    /// cover viewers, who read everything.
    pub fn covers(self, other: Self) -> bool {
        let (own, others) = (self.position(), other.position());
        (self == Self::Owner || other != Self::Owner)
            && super::POLICY.iter().all(|rule| rule.grants[others] <= rule.grants[own])
    }
}

crate::entity! {
    /// One user's membership of one organization.
    pub struct Membership: "membership" in "crm_membership" as Record, Organization {
        /// Who.
        pub user_id: Id<User> => User,
        /// In which role.
        pub role: Role,
    }
    columns MembershipColumns;
    derived { }
    unique { "crm_membership_user_id": [user_id] }
    index { }
}

impl Rules for Membership {}

/// Makes somebody a new user and a member. Whoever is a user already, also one who is a member nowhere any more, is
/// refused as [`AccessError::KnownUser`] and joins by an invitation alone: only they read what is sent to their address.
#[derive(Clone, Debug)]
pub struct AddMember {
    /// Their address.
    pub email: Email,
    /// Their name; it is required.
    pub full_name: Option<Text<255>>,
    /// Their role.
    pub role: Role,
}

#[async_trait]
impl Command for AddMember {
    type Root = Membership;
    const VERB: &'static str = "add";

    fn body(&self) -> String {
        let name = self.full_name.as_deref().unwrap_or_default();
        format!("{}\n{name}\n{}", self.email.key(), self.role)
    }

    async fn decide(
        &self,
        session: &Session<'_>,
        _: Grant,
        context: &mut Context,
        changes: &mut ChangeSet,
    ) -> Result<Stored<Membership>, CrmError> {
        members_only(context)?;
        owners_only(context, &[self.role])?;
        let (store, scope) = (session.store(), session.scope());
        let named = User::COLUMNS.email_key.eq(&self.email.key().to_owned());
        if store.first::<User>(Scope::SYSTEM, Select::new(User::TABLE, named.clone().into())).await?.is_some() {
            let member = Select::new(Membership::TABLE, Membership::COLUMNS.user_id.refers_to(named).into());
            return Err(match store.first::<Membership>(scope, member).await? {
                Some(_) => CrmError::Duplicate { entity: Membership::TABLE.entity, fields: vec!["email"] },
                None => AccessError::KnownUser(self.email.to_string()).into(),
            });
        }
        let full_name = self.full_name.clone();
        let full_name = full_name.ok_or_else(|| CrmError::invalid("full_name", ValueError::Blank))?;
        let user = changes.insert(context, User::new(self.email.clone(), full_name));
        Ok(changes.insert(context, Membership { user_id: user.id, role: self.role }))
    }
}

/// Counts one membership more of somebody who is a user already.
///
/// What an admin of another organization had in hand goes: a password that they gave, which they know and may have
/// changed since in the user's name, with the user name, and the name that they wrote if the user gives one. Somebody who
/// was deactivated and is a member nowhere acts again: whoever deactivated them has no say any more.
///
/// # Errors
/// [`AccessError::Deactivated`] while they are a member elsewhere.
pub(crate) fn join(
    user: &Stored<User>,
    full_name: Option<&Text<255>>,
    context: &Context,
    changes: &mut ChangeSet,
) -> Result<(), AccessError> {
    if !user.active && user.memberships > 0 {
        return Err(AccessError::Deactivated(user.email.to_string()));
    }
    if user.password_given || !user.active {
        let full_name = full_name.unwrap_or(&user.full_name).clone();
        let email = user.email.clone();
        let own = User { epoch: user.epoch + 1, memberships: user.memberships, ..User::new(email, full_name) };
        changes.update(context, user, own);
    } else {
        changes.require_unchanged(user);
    }
    let most = if user.active { i64::MAX } else { 1 };
    changes.count(user.id, User::COLUMNS.memberships.index(), 1, most);
    changes.reach_beyond(user);
    Ok(())
}

/// Changes a member's role.
#[derive(Clone, Debug)]
pub struct SetRole {
    /// Whose.
    pub member: Id<Membership>,
    /// To what.
    pub role: Role,
}

#[async_trait]
impl Command for SetRole {
    type Root = Membership;
    const VERB: &'static str = "set_role";

    fn body(&self) -> String {
        format!("{}\n{}", self.member, self.role)
    }

    async fn decide(
        &self,
        session: &Session<'_>,
        grant: Grant,
        context: &mut Context,
        changes: &mut ChangeSet,
    ) -> Result<Stored<Membership>, CrmError> {
        members_only(context)?;
        let member = session.load::<Membership>(grant, self.member).await?;
        not_oneself(context, &member)?;
        owners_only(context, &[member.role, self.role])?;
        let changed = Membership { role: self.role, ..member.value.clone() };
        Ok(changes.update(context, &member, changed))
    }
}

/// How many API keys, login sessions or invitations of one member are ended at once.
const CREDENTIALS: u32 = 1_000;

/// Ends a membership, and with it the member's API keys, login sessions and invitations here: they do not revive with a
/// new one. What the member did stays.
#[derive(Clone, Debug)]
pub struct RemoveMember {
    /// Whose.
    pub member: Id<Membership>,
}

#[async_trait]
impl Command for RemoveMember {
    type Root = Membership;
    const VERB: &'static str = "remove";

    fn body(&self) -> String {
        self.member.to_string()
    }

    async fn decide(
        &self,
        session: &Session<'_>,
        grant: Grant,
        context: &mut Context,
        changes: &mut ChangeSet,
    ) -> Result<Stored<Membership>, CrmError> {
        members_only(context)?;
        let member = session.load::<Membership>(grant, self.member).await?;
        not_oneself(context, &member)?;
        owners_only(context, &[member.role])?;
        changes.count(member.user_id, User::COLUMNS.memberships.index(), -1, i64::MAX);
        // What is made meanwhile, or is too much at once, ends before a new membership begins.
        end_credentials(session.store(), session.scope(), context, member.user_id, changes).await?;
        changes.delete(&member);
        Ok(member)
    }
}

/// Ends what is left of a former member, before they join again. Nothing is added to it meanwhile: whoever makes a key, signs
/// in or invites demands their membership in the same transaction, and there is none.
pub(super) async fn end_left_over(
    store: &dyn Store,
    scope: Scope,
    context: &mut Context,
    user: Id<User>,
    changes: &mut ChangeSet,
) -> Result<(), CrmError> {
    loop {
        let mut some = ChangeSet::new(context.stamp(changes.stamp.command));
        if !end_credentials(store, scope, context, user, &mut some).await? {
            break;
        }
        store.apply(scope, some).await?;
    }
    end_credentials(store, scope, context, user, changes).await?;
    Ok(())
}

/// Revokes a member's API keys, ends their login sessions and withdraws their invitations, all of this organization; says
/// whether there may be more of them.
async fn end_credentials(
    store: &dyn Store,
    scope: Scope,
    context: &Context,
    user: Id<User>,
    changes: &mut ChangeSet,
) -> Result<bool, CrmError> {
    let now = context.now();
    let columns = ApiKey::COLUMNS;
    let keys = (columns.user_id.eq(&user) & columns.revoked_at.is_null()).into();
    let keys = store.all::<ApiKey>(scope, &Select::new(ApiKey::TABLE, keys).limited(CREDENTIALS)).await?;
    for key in &keys {
        changes.update(context, key, ApiKey { revoked_at: Some(now), ..key.value.clone() });
    }
    let columns = LoginSession::COLUMNS;
    let here = Organization::COLUMNS.key.eq(&scope.key());
    let open = columns.user_id.eq(&user) & columns.ends_at.gt(&now) & columns.revoked_at.is_null();
    let open = open & columns.organization_id.refers_to(here);
    let open = Select::new(LoginSession::TABLE, open.into()).limited(CREDENTIALS);
    let logins = store.all::<LoginSession>(scope, &open).await?;
    for login in &logins {
        changes.update(context, login, LoginSession { revoked_at: Some(now), ..login.value.clone() });
    }
    let columns = Invitation::COLUMNS;
    let standing = (columns.invited_by.eq(&user) & columns.ended.is_null() & columns.expires_at.gt(&now)).into();
    let sent = store.all::<Invitation>(scope, &Select::new(Invitation::TABLE, standing).limited(CREDENTIALS)).await?;
    for invitation in &sent {
        changes.update(context, invitation, invitation.withdrawn(now));
    }
    Ok([keys.len(), logins.len(), sent.len()].contains(&(CREDENTIALS as usize)))
}

pub(super) fn not_oneself(context: &Context, member: &Stored<Membership>) -> Result<(), AccessError> {
    if context.actor().user() == Some(member.user_id) { Err(AccessError::OwnMembership) } else { Ok(()) }
}

/// Owners are made, changed and removed by owners.
pub(crate) fn owners_only(context: &Context, roles: &[Role]) -> Result<(), AccessError> {
    let touches_owner = roles.contains(&Role::Owner);
    if touches_owner && context.role() != Role::Owner { Err(AccessError::OwnersOnly) } else { Ok(()) }
}
