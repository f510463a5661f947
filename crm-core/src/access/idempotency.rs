//! Keys that make a command safe to send twice.

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::value::{Document, Instant, Text, ValueError};

crate::entity! {
    /// A command that was carried out under a key, with its result.
    pub struct Idempotency: "idempotency" in "crm_idempotency" as Entry, Organization, unaudited {
        /// The caller's key.
        pub key: Text<200> [SERVER_OWNED],
        /// SHA-256 of the command's name, actor and body.
        pub body_hash: Vec<u8> [SERVER_OWNED],
        /// When the command was carried out.
        pub at: Instant [SERVER_OWNED],
        /// The record that the command gave back.
        pub result: Document [SERVER_OWNED PERSONAL],
        /// Its id, by which the results of a record that is erased are found; absent in rows older than it.
        pub record_id: Option<Uuid> [SERVER_OWNED],
    }
    columns IdempotencyColumns;
    derived { }
    unique { "crm_idempotency_key": [key] }
    index { "crm_idempotency_record": [record_id] }
}

/// A caller's key for one command: the same key with the same command gives the first result, with another
/// command an error.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(Text<200>);

impl IdempotencyKey {
    /// The key as text.
    pub const fn text(&self) -> &Text<200> {
        &self.0
    }
}

impl std::str::FromStr for IdempotencyKey {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        text.parse().map(Self)
    }
}

/// SHA-256 over parts, each with its length.
pub(crate) fn body_hash(parts: &[&[u8]]) -> Vec<u8> {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.finalize().to_vec()
}
