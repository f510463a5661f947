//! Users: people who may be members of organizations.

use super::PasswordHash;
use crate::value::{Email, Instant, Text, Username};

crate::entity! {
    /// A person who can act. What they may do, their memberships say.
    pub struct User: "user" in "crm_user" as Record, Global {
        /// The address they are known by.
        pub email: Email [PERSONAL],
        /// The name they may sign in with instead.
        pub username: Option<Username> [PERSONAL],
        /// Their name.
        pub full_name: Text<255> [PERSONAL],
        /// Whether they may act at all.
        pub active: bool,
        /// What their password is checked against; who has none cannot sign in.
        pub password_hash: Option<PasswordHash> [SECRET SERVER_OWNED],
        /// When the password was last set.
        pub password_changed_at: Option<Instant> [SERVER_OWNED],
        /// Whether an admin gave them the password, and may know it still.
        pub password_given: bool [SERVER_OWNED],
        /// Counts what ends all sessions: a new password, a deactivation, signing out everywhere.
        pub epoch: i64 [SERVER_OWNED],
        /// How many organizations they are a member of.
        pub memberships: i64 [SERVER_OWNED COUNTER],
    }
    columns UserColumns;
    derived {
        /// The address as it is compared.
        email_key: String = |user: &User| user.email.key().to_owned(),
        /// The user name as it is compared.
        username_key: Option<String> = |user: &User| user.username.as_ref().map(Username::key),
    }
    unique {
        "crm_user_email_key": [email_key],
        "crm_user_username_key": [username_key],
    }
    index { }
}

impl User {
    /// An active user without a password, who is a member of one organization.
    pub const fn new(email: Email, full_name: Text<255>) -> Self {
        Self {
            email,
            username: None,
            full_name,
            active: true,
            password_hash: None,
            password_changed_at: None,
            password_given: false,
            epoch: 0,
            memberships: 1,
        }
    }
}
