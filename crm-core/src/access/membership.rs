//! Memberships: who belongs to an organization, and in which role.
//!
//! The last owner is safe without a count: only an owner may make, change or remove an owner, nobody
//! touches their own membership, and every command is guarded by the actor's own membership. So whoever
//! removes an owner is an owner, and stays one in the same transaction.

use async_trait::async_trait;

use super::api_key::members_only;
use super::{AccessError, ApiKey, Grant, LoginSession, User};
use crate::context::Context;
use crate::crm::{Command, Session};
use crate::crud::Rules;
use crate::entity::{Entity as _, Stored};
use crate::error::CrmError;
use crate::id::Id;
use crate::store::{ChangeSet, Scope, Select, StoreExt as _};
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

/// Counts one membership more of somebody who is a user already. A password that an admin of another organization gave
/// them goes, for that admin knows it.
pub(crate) fn join(user: &Stored<User>, context: &Context, changes: &mut ChangeSet) {
    if user.password_given {
        let forgotten =
            User { password_hash: None, password_given: false, epoch: user.epoch + 1, ..user.value.clone() };
        changes.update(context, user, forgotten);
    } else {
        changes.require_unchanged(user);
    }
    changes.count(user.id, User::COLUMNS.memberships.index(), 1, i64::MAX);
    changes.reach_beyond(user);
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

/// How many API keys, and how many login sessions, of one member are ended with a membership at most.
const CREDENTIALS: u32 = 10_000;

/// Ends a membership, and with it the member's API keys and login sessions here: they do not revive with a new one. What
/// the member did stays.
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
        end_credentials(session, context, changes, member.user_id).await?;
        changes.delete(&member);
        Ok(member)
    }
}

/// Revokes a member's API keys and ends their login sessions, all of this organization.
async fn end_credentials(
    session: &Session<'_>,
    context: &Context,
    changes: &mut ChangeSet,
    user: Id<User>,
) -> Result<(), CrmError> {
    let (store, now) = (session.store(), context.now());
    let columns = ApiKey::COLUMNS;
    let keys = (columns.user_id.eq(&user) & columns.revoked_at.is_null()).into();
    let keys = Select::new(ApiKey::TABLE, keys).limited(CREDENTIALS);
    for key in store.all::<ApiKey>(session.scope(), &keys).await? {
        changes.update(context, &key, ApiKey { revoked_at: Some(now), ..key.value.clone() });
    }
    let columns = LoginSession::COLUMNS;
    let here = columns.organization_id.eq(&session.organization().id);
    let open = columns.user_id.eq(&user) & columns.ends_at.gt(&now) & here & columns.revoked_at.is_null();
    let open = Select::new(LoginSession::TABLE, open.into()).limited(CREDENTIALS);
    for login in store.all::<LoginSession>(session.scope(), &open).await? {
        changes.update(context, &login, LoginSession { revoked_at: Some(now), ..login.value.clone() });
    }
    Ok(())
}

pub(super) fn not_oneself(context: &Context, member: &Stored<Membership>) -> Result<(), AccessError> {
    if context.actor().user() == Some(member.user_id) { Err(AccessError::OwnMembership) } else { Ok(()) }
}

/// Owners are made, changed and removed by owners.
pub(crate) fn owners_only(context: &Context, roles: &[Role]) -> Result<(), AccessError> {
    let touches_owner = roles.contains(&Role::Owner);
    if touches_owner && context.role() != Role::Owner { Err(AccessError::OwnersOnly) } else { Ok(()) }
}
