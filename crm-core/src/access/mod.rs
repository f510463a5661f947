//! Who may do what: organizations, users, memberships, roles and the policy.

mod api_key;
mod idempotency;
mod invitation;
mod membership;
mod opaque;
mod organization;
pub mod policy;
mod quota;
mod request_log;
mod scope;
mod secret;
mod user;

pub use api_key::{ApiKey, ApiKeyColumns, CreatedKey, DEFAULT_QUOTA, NewKey, RevokeKey};
pub(crate) use api_key::{invalid as invalid_key, require_covered};
pub(crate) use idempotency::body_hash;
pub use idempotency::{Idempotency, IdempotencyColumns, IdempotencyKey};
pub use invitation::{
    CreatedInvitation, Invitation, InvitationColumns, InvitationEnd, NewInvitation, WithdrawInvitation,
};
pub use membership::{AddMember, Membership, MembershipColumns, RemoveMember, Role, SetRole};
pub use opaque::SecretHash;
pub use organization::{Organization, OrganizationColumns};
pub use policy::{Grant, POLICY, Rights, Rule};
pub use quota::{
    Counted, KeyQuota, KeyQuotaColumns, KeyUsage, KeyUsageColumns, KeyUsageLine, QuotaLeft, SetQuota,
};
pub(crate) use quota::{Charge, QUOTAS, left};
pub use request_log::{ApiRequest, ApiRequestColumns, Requester};
pub use scope::Scopes;
pub use secret::Secret;
pub use user::{User, UserColumns};

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
    /// API keys and their quotas are managed by members, not by keys.
    #[error("API keys are managed by members, not by API keys")]
    MembersOnly,
    /// The invitation was answered already.
    #[error("the invitation was {0} already")]
    InvitationEnded(InvitationEnd),
    /// The user is not an active member.
    #[error("{0} is not an active member of this organization")]
    NotMember(String),
}
