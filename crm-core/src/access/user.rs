//! Users: people who may be members of organizations.

use crate::value::{Email, Text};

crate::entity! {
    /// A person who can act. What they may do, their memberships say.
    pub struct User: "user" in "crm_user" as Record, Global {
        /// The address they are known by.
        pub email: Email [PERSONAL],
        /// Their name.
        pub full_name: Text<255> [PERSONAL],
        /// Whether they may act at all.
        pub active: bool,
    }
    columns UserColumns;
    derived {
        /// The address as it is compared.
        email_key: String = |user: &User| user.email.key().to_owned(),
    }
    unique { "crm_user_email_key": [email_key] }
    index { }
}
