//! Who may do what: organizations, users, memberships, roles and the policy.

mod idempotency;
mod membership;
mod organization;
pub mod policy;
mod secret;
mod user;

pub(crate) use idempotency::body_hash;
pub use idempotency::{Idempotency, IdempotencyColumns, IdempotencyKey};
pub use membership::{AddMember, Membership, MembershipColumns, RemoveMember, Role, SetRole};
pub use organization::{Organization, OrganizationColumns};
pub use policy::{Grant, POLICY, Rule};
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
    /// The user is not an active member.
    #[error("{0} is not an active member of this organization")]
    NotMember(String),
}
