//! Sessions that began with a login, and the refresh tokens by which they go on.
//!
//! A refresh token is random and stored as its SHA-256. Each is of a generation of its session. Using one of the present
//! generation begins the next one. Using one of the generation before, within the grace after that, gives one more
//! of the present generation and changes nothing: the first reply was lost, or two were sent at once. Anything else is
//! a token that somebody kept, and ends the session.

use super::User;
use super::opaque::SecretHash;
use crate::access::Organization;
use crate::id::Id;
use crate::value::Instant;

crate::entity! {
    /// What began with a login and ends with a logout, a reused token, or by itself.
    pub struct LoginSession: "login_session" in "crm_login_session" as Record, Global, unaudited {
        /// Whose.
        pub user_id: Id<User> [SERVER_OWNED] => User,
        /// In which organization.
        pub organization_id: Id<Organization> [SERVER_OWNED] => Organization,
        /// The user's epoch when it began.
        pub epoch: i64 [SERVER_OWNED],
        /// The present generation of its refresh tokens.
        pub generation: i64 [SERVER_OWNED],
        /// When that generation began.
        pub rotated_at: Instant [SERVER_OWNED],
        /// When it ends at the latest.
        pub ends_at: Instant [SERVER_OWNED],
        /// When it was ended before.
        pub revoked_at: Option<Instant> [SERVER_OWNED],
    }
    columns LoginSessionColumns;
    derived { }
    unique { }
    index { "crm_login_session_user_id": [user_id, ends_at] }
}

crate::entity! {
    /// A token that was given out to go on with a session. It stays while the session does: who shows an old one is found out.
    pub struct RefreshToken: "refresh_token" in "crm_refresh_token" as Entry, Global, unaudited {
        /// SHA-256 of the token.
        pub hash: SecretHash [SECRET SERVER_OWNED],
        /// Of which session.
        pub session_id: Id<LoginSession> [SERVER_OWNED] => LoginSession,
        /// Of which generation.
        pub generation: i64 [SERVER_OWNED],
        /// Until when it can be used.
        pub expires_at: Instant [SERVER_OWNED],
    }
    columns RefreshTokenColumns;
    derived { }
    unique { "crm_refresh_token_hash": [hash] }
    index { "crm_refresh_token_session_id": [session_id] }
}

/// How long after a generation began one of the generation before may still be used.
const GRACE: i64 = 10_000_000;

/// What the use of a refresh token means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// It is of the present generation: the next one begins.
    Rotates,
    /// It is of the generation before, just now: the reply was lost.
    Lost,
    /// It has been used before.
    Reused,
    /// It, or the session, has ended.
    Ended,
}

impl LoginSession {
    /// What the use of one of its tokens means now.
    pub(crate) fn judge(&self, token: &RefreshToken, now: Instant) -> Use {
        let lost = token.generation == self.generation - 1 && now.micros() - self.rotated_at.micros() <= GRACE;
        if self.revoked_at.is_some() || self.ends_at <= now {
            Use::Ended
        } else if token.generation < self.generation && !lost {
            Use::Reused
        } else if token.expires_at <= now {
            Use::Ended
        } else if lost {
            Use::Lost
        } else {
            Use::Rotates
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn at(seconds: i64) -> Instant {
        Instant::from_micros(seconds * 1_000_000).unwrap()
    }

    fn token(generation: i64) -> RefreshToken {
        RefreshToken { hash: SecretHash::of(""), session_id: Id::new(Uuid::nil()), generation, expires_at: at(1_000) }
    }

    #[test]
    fn only_the_generation_before_is_spared_and_only_for_ten_seconds() {
        let session = LoginSession {
            user_id: Id::new(Uuid::nil()),
            organization_id: Id::new(Uuid::nil()),
            epoch: 0,
            generation: 5,
            rotated_at: at(100),
            ends_at: at(10_000),
            revoked_at: None,
        };
        assert_eq!(session.judge(&token(5), at(100)), Use::Rotates);
        assert_eq!(session.judge(&token(4), at(110)), Use::Lost);
        assert_eq!(session.judge(&token(4), at(111)), Use::Reused);
        for old in 0..4 {
            assert_eq!(session.judge(&token(old), at(100)), Use::Reused);
        }
        // An expired token that was never used harms nobody; one that was used is a stolen one still.
        assert_eq!(session.judge(&token(5), at(1_000)), Use::Ended);
        assert_eq!(session.judge(&token(3), at(1_000)), Use::Reused);
        assert_eq!(session.judge(&token(5), at(10_000)), Use::Ended);
        assert_eq!(LoginSession { revoked_at: Some(at(1)), ..session }.judge(&token(5), at(100)), Use::Ended);
    }
}
