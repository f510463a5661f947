//! Who may do what: organizations, users, memberships, roles and the policy.

mod api_key;
mod idempotency;
mod invitation;
mod login;
mod login_session;
mod membership;
pub(crate) mod opaque;
mod organization;
mod password;
pub mod policy;
mod quota;
mod request_log;
mod scope;
mod secret;
mod throttle;
mod token;
mod user;
mod user_commands;

pub use api_key::{ApiKey, ApiKeyColumns, CreatedKey, DEFAULT_QUOTA, NewKey, RevokeKey};
pub(crate) use api_key::{invalid as invalid_key, members_only, require_covered};
pub(crate) use idempotency::body_hash;
pub use idempotency::{Idempotency, IdempotencyColumns, IdempotencyKey};
pub use invitation::{
    CreatedInvitation, Invitation, InvitationColumns, InvitationEnd, NewInvitation, WithdrawInvitation,
};
pub(crate) use invitation::{NOBODYS, require_withdrawable};
pub use login::{Login, REFRESH_SECONDS, SESSION_SECONDS, Signed};
pub use login_session::{LoginSession, LoginSessionColumns, RefreshToken, RefreshTokenColumns};
pub(crate) use membership::join;
pub use membership::{AddMember, Membership, MembershipColumns, RemoveMember, Role, SetRole};
pub use opaque::SecretHash;
pub(crate) use organization::PAYMENT_DAYS;
pub use organization::{Organization, OrganizationColumns};
pub(crate) use password::Hasher;
pub use password::{LONGEST_PASSWORD, PasswordCost, PasswordHash, SHORTEST_PASSWORD, check_password};
pub use policy::{Grant, POLICY, Rights, Rule};
pub(crate) use quota::{Charge, QUOTAS, left};
pub use quota::{Counted, KeyQuota, KeyQuotaColumns, KeyUsage, KeyUsageColumns, KeyUsageLine, QuotaLeft, SetQuota};
pub use request_log::{ApiRequest, ApiRequestColumns, Requester};
pub use scope::Scopes;
pub use secret::Secret;
pub use throttle::{LoginThrottle, LoginThrottleColumns};
pub use token::{ACCESS_SECONDS, SHORTEST_KEY, TokenKeys};
pub use user::{User, UserColumns};
pub use user_commands::{ActivateUser, DeactivateUser, EndSessions, ResetPassword, SetUsername};

/// A rule of access that a command would break.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AccessError {
    /// Nobody changes their own role or removes themselves.
    #[error("nobody changes or removes their own membership")]
    OwnMembership,
    /// Only owners make, change or remove owners.
    #[error("only an owner may make, change or remove an owner")]
    OwnersOnly,
    /// A key is made in a role that its maker's own covers.
    #[error("your own role does not cover {0}")]
    BeyondOwnRole(Role),
    /// API keys and their quotas, members, invitations, users and passwords are managed by members, not by keys; and
    /// members purge files and logs.
    #[error("an API key manages neither API keys nor members, and purges nothing")]
    MembersOnly,
    /// The invitation was answered already.
    #[error("the invitation was {0} already")]
    InvitationEnded(InvitationEnd),
    /// The user is not an active member.
    #[error("{0} is not an active member of this organization")]
    NotMember(String),
    // Users.
    /// Only who is no user yet is added; whoever is one becomes a member by their own consent.
    #[error("{0} has an account already: invite them")]
    KnownUser(String),
    /// The user was deactivated, and is a member of an organization that may have had reason to.
    #[error("{0} was deactivated")]
    Deactivated(String),
    /// The current password is not the one that was given.
    #[error("the current password is wrong")]
    WrongPassword,
    /// The user is a member of other organizations as well, so that only they may touch their account.
    #[error("the user is a member of other organizations too: nobody else may touch their account")]
    SharedUser,
    /// Hashes of passwords may not cost less than the documented least, nor more than there can be.
    #[error("passwords cannot be hashed at this cost")]
    WeakCost,
    /// Tokens were asked for, and the book has no keys to sign them.
    #[error("there are no keys to sign tokens with")]
    NoTokenKeys,
    /// A key's id is malformed or taken.
    #[error("{0:?} cannot be the id of a key")]
    KeyId(String),
    /// A key's secret is short, well known, or hardly varies.
    #[error("the secret of key {0:?} can be guessed: 32 random bytes are needed")]
    WeakKey(String),
}
