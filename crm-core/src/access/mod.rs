//! Who may do what: organizations, users, memberships, roles and the policy.

mod idempotency;
mod login;
mod login_session;
mod membership;
mod organization;
mod password;
pub mod policy;
mod secret;
mod throttle;
mod token;
mod user;
mod user_commands;

pub(crate) use idempotency::body_hash;
pub use idempotency::{Idempotency, IdempotencyColumns, IdempotencyKey};
pub use login::{Login, REFRESH_SECONDS, SESSION_SECONDS, Signed};
pub use login_session::{LoginSession, LoginSessionColumns, RefreshToken, RefreshTokenColumns};
pub use membership::{AddMember, Membership, MembershipColumns, RemoveMember, Role, SetRole};
pub use organization::{Organization, OrganizationColumns};
pub(crate) use password::Hasher;
pub use password::{LONGEST_PASSWORD, PasswordCost, PasswordHash, SHORTEST_PASSWORD, check_password};
pub use policy::{Grant, POLICY, Rule};
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
    /// The user is not an active member.
    #[error("{0} is not an active member of this organization")]
    NotMember(String),
    // Users.
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
