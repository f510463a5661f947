//! Invitations: how somebody becomes a member by their own consent. The host sends the text; whoever shows it has read the
//! mail that it was sent to.
//!
//! An invitation is worth as much as the member who sent it: it opens nothing once that member could not send it any more.

use async_trait::async_trait;

use super::api_key::members_only;
use super::membership::{end_left_over, join, owners_only};
use super::opaque::{self, SecretHash};
use super::{Grant, Membership, Organization, Rights, Role, Secret, User, policy};
use crate::context::{Actor, Context};
use crate::crm::{Command, Crm, Session, named};
use crate::crud::Rules;
use crate::entity::{Entity as _, Stored};
use crate::error::CrmError;
use crate::id::Id;
use crate::store::{ChangeSet, Scope, Select, StoreError, StoreExt as _};
use crate::value::{Email, Instant, Text, ValueError};

/// What the text of every invitation begins with.
const TAG: &str = "crminv";

/// How long an invitation stands unless it is said otherwise, and at most, in days.
const DAYS: i64 = 7;
const MOST_DAYS: i64 = 30;

const DAY: i64 = 86_400_000_000;

/// The address in invitations of whom nothing is known any more; by RFC 2606 it can be nobody's.
pub(crate) const NOBODYS: &str = "erased@erased.invalid";

/// How often an answer is tried again when something changed meanwhile.
const TRIES: u32 = 10;

crate::choice! {
    /// How an invitation ended.
    pub enum InvitationEnd {
        /// The invited person became a member.
        Accepted = "accepted",
        /// They did not want to.
        Declined = "declined",
        /// It was taken back, or another one took its place.
        Withdrawn = "withdrawn",
    }
}

crate::entity! {
    /// An invitation to become a member.
    pub struct Invitation: "invitation" in "crm_invitation" as Record, Organization {
        /// Who is invited.
        pub email: Email [SERVER_OWNED PERSONAL],
        /// To which role.
        pub role: Role [SERVER_OWNED],
        /// The part of its text that may be seen.
        pub prefix: String [SERVER_OWNED],
        /// SHA-256 of its text.
        pub hash: Option<SecretHash> [SECRET SERVER_OWNED],
        /// Who invites.
        pub invited_by: Id<User> [SERVER_OWNED] => User,
        /// From when on it does not stand any more.
        pub expires_at: Instant [SERVER_OWNED],
        /// How it ended, if it was answered or withdrawn.
        pub ended: Option<InvitationEnd> [SERVER_OWNED],
        /// When it ended so.
        pub ended_at: Option<Instant> [SERVER_OWNED],
    }
    columns InvitationColumns;
    derived {
        /// The address as it is compared, as long as the invitation has not ended.
        email_key: Option<String> = |it: &Invitation| it.ended.is_none().then(|| it.email.key().to_owned()),
    }
    unique {
        "crm_invitation_email": [email_key],
        "crm_invitation_prefix": [prefix],
    }
    index { }
}

impl Rules for Invitation {}

const fn invalid() -> CrmError {
    CrmError::BadCredential("the invitation")
}

impl Invitation {
    /// The invitation, taken back.
    pub(super) fn withdrawn(&self, at: Instant) -> Self {
        self.ended(InvitationEnd::Withdrawn, at)
    }

    fn ended(&self, end: InvitationEnd, at: Instant) -> Self {
        Self { ended: Some(end), ended_at: Some(at), ..self.clone() }
    }

    /// Whether it can be accepted at this instant.
    pub(crate) fn stands(&self, at: Instant) -> bool {
        self.ended.is_none() && at < self.expires_at
    }

    /// The invitation without the address that it was sent to; if it stood until now, it does not any more.
    pub(crate) fn erased(&self, at: Instant) -> Result<Self, ValueError> {
        let ended = if self.ended.is_none() { self.ended(InvitationEnd::Withdrawn, at) } else { self.clone() };
        Ok(Self { email: NOBODYS.parse()?, ..ended })
    }
}

/// Whom to invite.
#[derive(Clone, Debug)]
pub struct NewInvitation {
    /// Their address.
    pub email: Email,
    /// Their role.
    pub role: Role,
    /// For how many days the invitation stands: 7 unless it is said otherwise, at most 30.
    pub days: Option<i64>,
}

/// An invitation that was just made. Its text is not kept: it is sent now or never.
#[derive(Clone, Debug)]
pub struct CreatedInvitation {
    /// The invitation.
    pub invitation: Stored<Invitation>,
    /// Its text.
    pub text: Secret,
}

struct Invite<'a> {
    new: &'a NewInvitation,
    prefix: String,
    hash: SecretHash,
}

#[async_trait]
impl Command for Invite<'_> {
    type Root = Invitation;
    const VERB: &'static str = "create";

    fn body(&self) -> String {
        self.new.email.key().to_owned()
    }

    async fn decide(
        &self,
        session: &Session<'_>,
        _: Grant,
        context: &mut Context,
        changes: &mut ChangeSet,
    ) -> Result<Stored<Invitation>, CrmError> {
        members_only(context)?;
        let NewInvitation { email, role, days } = self.new;
        owners_only(context, &[*role])?;
        let days = days.unwrap_or(DAYS);
        if !(1..=MOST_DAYS).contains(&days) {
            return Err(CrmError::invalid("days", ValueError::out_of_range(1, MOST_DAYS)));
        }
        let (store, scope) = (session.store(), session.scope());
        let invited = User::COLUMNS.email_key.eq(&email.key().to_owned());
        let member = Membership::COLUMNS.user_id.refers_to(invited);
        if store.first::<Membership>(scope, Select::new(Membership::TABLE, member.into())).await?.is_some() {
            return Err(CrmError::Duplicate { entity: Membership::TABLE.entity, fields: vec!["email"] });
        }
        let standing = Invitation::COLUMNS.email_key.eq(&Some(email.key().to_owned()));
        let standing = Select::new(Invitation::TABLE, standing.into());
        if let Some(earlier) = store.first::<Invitation>(scope, standing).await? {
            owners_only(context, &[earlier.role])?;
            changes.update(context, &earlier, earlier.ended(InvitationEnd::Withdrawn, context.now()));
        }
        let invitation = Invitation {
            email: email.clone(),
            role: *role,
            prefix: self.prefix.clone(),
            hash: Some(self.hash.clone()),
            invited_by: session.user().id,
            expires_at: context.now().checked_add_micros(days * DAY)?,
            ended: None,
            ended_at: None,
        };
        Ok(changes.insert(context, invitation))
    }
}

/// Refuses who may not take an invitation back: API keys, and of an invitation to own all but owners.
pub(crate) fn require_withdrawable(invitation: &Invitation, context: &Context) -> Result<(), super::AccessError> {
    members_only(context)?;
    owners_only(context, &[invitation.role])
}

/// Takes an invitation back.
#[derive(Clone, Debug)]
pub struct WithdrawInvitation(pub Id<Invitation>);

#[async_trait]
impl Command for WithdrawInvitation {
    type Root = Invitation;
    const VERB: &'static str = "withdraw";

    fn body(&self) -> String {
        self.0.to_string()
    }

    async fn decide(
        &self,
        session: &Session<'_>,
        grant: Grant,
        context: &mut Context,
        changes: &mut ChangeSet,
    ) -> Result<Stored<Invitation>, CrmError> {
        members_only(context)?;
        let invitation = session.load(grant, self.0).await?;
        require_withdrawable(&invitation, context)?;
        match invitation.ended {
            Some(InvitationEnd::Withdrawn) => Ok(invitation),
            Some(end) => Err(super::AccessError::InvitationEnded(end).into()),
            None => {
                let ended = invitation.ended(InvitationEnd::Withdrawn, context.now());
                Ok(changes.update(context, &invitation, ended))
            }
        }
    }
}

impl Session<'_> {
    /// Invites somebody, and gives the text to send them, which is shown this once. An earlier invitation to the same
    /// address does not stand any more.
    ///
    /// # Errors
    /// [`CrmError::Duplicate`] when they are a member already; only owners invite owners.
    pub async fn invite(&self, new: &NewInvitation) -> Result<CreatedInvitation, CrmError> {
        let minted = opaque::mint(TAG, self.scope(), &**self.environment());
        let invitation = self.run(&Invite { new, prefix: minted.prefix, hash: minted.hash }).await?;
        Ok(CreatedInvitation { invitation, text: minted.text })
    }
}

/// An invitation that stands, with what it rests on.
struct Standing {
    scope: Scope,
    organization: Stored<Organization>,
    invitation: Stored<Invitation>,
    inviter: Stored<Membership>,
}

/// What is said to an invitation.
#[async_trait]
trait Reply: Sync {
    /// What it gives.
    type Given;
    /// How the invitation ends.
    const END: InvitationEnd;

    /// Adds what follows of it to what is written.
    async fn decide(
        &self,
        crm: &Crm,
        context: &mut Context,
        changes: &mut ChangeSet,
        standing: &Standing,
    ) -> Result<Self::Given, CrmError>;
}

struct Accept {
    full_name: Option<Text<255>>,
}

#[async_trait]
impl Reply for Accept {
    type Given = Stored<Membership>;
    const END: InvitationEnd = InvitationEnd::Accepted;

    async fn decide(
        &self,
        crm: &Crm,
        context: &mut Context,
        changes: &mut ChangeSet,
        standing: &Standing,
    ) -> Result<Stored<Membership>, CrmError> {
        let email = &standing.invitation.email;
        let known = Select::new(User::TABLE, User::COLUMNS.email_key.eq(&email.key().to_owned()).into());
        let user = if let Some(user) = crm.store().first::<User>(Scope::SYSTEM, known).await? {
            let (store, scope) = (&**crm.store(), standing.scope);
            let member = Select::new(Membership::TABLE, Membership::COLUMNS.user_id.eq(&user.id).into());
            if store.first::<Membership>(scope, member).await?.is_some() {
                return Err(CrmError::Duplicate { entity: Membership::TABLE.entity, fields: vec!["user_id"] });
            }
            join(&user, self.full_name.as_ref(), context, changes).map_err(|_| invalid())?;
            end_left_over(store, scope, context, user.id, changes).await?;
            user.id
        } else {
            let full_name = self.full_name.clone();
            let full_name = full_name.ok_or_else(|| CrmError::invalid("full_name", ValueError::Blank))?;
            changes.insert(context, User::new(email.clone(), full_name)).id
        };
        Ok(changes.insert(context, Membership { user_id: user, role: standing.invitation.role }))
    }
}

struct Decline;

#[async_trait]
impl Reply for Decline {
    type Given = ();
    const END: InvitationEnd = InvitationEnd::Declined;

    async fn decide(&self, _: &Crm, _: &mut Context, _: &mut ChangeSet, _: &Standing) -> Result<(), CrmError> {
        Ok(())
    }
}

impl Crm {
    /// Makes the invited person a member, and a user if they are none yet.
    ///
    /// The text is all that is asked for: whoever shows it is taken for whom it was sent to. So the host sends it to the
    /// address, and does not leave it to the member who invites: they could accept it for somebody whose account another
    /// organization looks after, which then could not touch it any more.
    ///
    /// A password that an admin of another organization gave them goes with the user name, also if it was changed since, and
    /// their sessions end, for that admin may know it still; a name that they give now takes the place of the one that they
    /// had. They sign in again once the host has set them a password ([`Crm::set_password`]), having seen that the address is
    /// theirs, as it has when they show the invitation. Somebody who was deactivated and is a member nowhere acts again.
    ///
    /// API keys, logins and invitations that are left of an earlier membership here end.
    ///
    /// # Errors
    /// [`CrmError::BadCredential`] when the invitation is unknown, has expired or ended, the member who sent it could not
    /// send it any more, or the invited user may not act; [`CrmError::Invalid`] when a new user has no name;
    /// [`CrmError::Duplicate`] when they are a member already.
    pub async fn accept_invitation(
        &self,
        text: &Secret,
        full_name: Option<Text<255>>,
    ) -> Result<Stored<Membership>, CrmError> {
        self.answer(text, &Accept { full_name }).await
    }

    /// Answers an invitation with no.
    ///
    /// # Errors
    /// [`CrmError::BadCredential`] when the invitation is unknown, has expired or ended.
    pub async fn decline_invitation(&self, text: &Secret) -> Result<(), CrmError> {
        self.answer(text, &Decline).await
    }

    async fn answer<R: Reply>(&self, text: &Secret, reply: &R) -> Result<R::Given, CrmError> {
        for _ in 0..TRIES {
            let standing = self.standing(text).await?;
            let organization = std::sync::Arc::new(standing.organization.value.clone());
            let environment = std::sync::Arc::clone(self.environment());
            let mut context = Context::new(environment, Actor::System, standing.invitation.role, organization);
            let mut changes = ChangeSet::new(context.stamp("invitation.answer"));
            let given = reply.decide(self, &mut context, &mut changes, &standing).await?;
            changes.require_unchanged(&standing.inviter);
            let ended = standing.invitation.ended(R::END, context.now());
            changes.update(&context, &standing.invitation, ended);
            match self.store().apply(standing.scope, changes).await {
                Ok(_) => return Ok(given),
                // Somebody was faster: the next round finds what they did.
                Err(StoreError::Conflict { .. }) => {}
                Err(StoreError::Duplicate { table, .. }) if table == User::TABLE.name => {}
                Err(error) => return Err(named(error, "")),
            }
        }
        Err(CrmError::Conflict { entity: Invitation::TABLE.entity, reference: String::new() })
    }

    async fn standing(&self, text: &Secret) -> Result<Standing, CrmError> {
        let claimed = opaque::read(TAG, text.expose()).ok_or_else(invalid)?;
        let scope = claimed.scope;
        let by_prefix = Invitation::COLUMNS.prefix.eq(&claimed.prefix.to_owned());
        let by_prefix = Select::new(Invitation::TABLE, by_prefix.into());
        let invitation = self.store().first::<Invitation>(scope, by_prefix).await?.ok_or_else(invalid)?;
        let known = invitation.hash.as_ref().is_some_and(|hash| hash.matches(&claimed.hash));
        if !known || invitation.ended.is_some() || invitation.expires_at <= self.environment().now() {
            return Err(invalid());
        }
        let by_key = Select::new(Organization::TABLE, Organization::COLUMNS.key.eq(&scope.key()).into());
        let organization = self.store().first::<Organization>(scope, by_key).await?.ok_or_else(invalid)?;
        let user = self.store().get(scope, invitation.invited_by).await?.filter(|user| user.active);
        let of_inviter = Membership::COLUMNS.user_id.eq(&invitation.invited_by);
        let of_inviter = Select::new(Membership::TABLE, of_inviter.into());
        let inviter = self.store().first::<Membership>(scope, of_inviter).await?;
        let inviter = inviter.filter(|_| user.is_some()).ok_or_else(invalid)?;
        let may = policy::authorize(Rights::of(inviter.role), Invitation::TABLE.entity, Invite::VERB).is_ok();
        let owner = invitation.role != Role::Owner || inviter.role == Role::Owner;
        if may && owner { Ok(Standing { scope, organization, invitation, inviter }) } else { Err(invalid()) }
    }
}
