//! Keys that make a command safe to send twice.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::context::Environment;
use crate::crm::{Command, Session};
use crate::encode::decode_row;
use crate::entity::{Entity as _, Stored};
use crate::error::CrmError;
use crate::store::{Select, StoreError, StoreExt as _};
use crate::value::{Document, Instant, Text, ValueError};

/// The result that is left once it was forgotten.
const NOTHING: &str = "{}";

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

    /// Reads a key. Those that begin with `forgotten:` stand for keys whose results were forgotten.
    fn from_str(text: &str) -> Result<Self, ValueError> {
        let key: Text<200> = text.parse()?;
        if key.starts_with(FORGOTTEN) {
            return Err(ValueError::NotAllowed { when: "it begins with \"forgotten:\"" });
        }
        Ok(Self(key))
    }
}

/// What keys begin with whose results were forgotten.
const FORGOTTEN: &str = "forgotten:";

/// The text under which a key stands whose result was forgotten: it may have named somebody.
fn forgotten_key(key: &Text<200>) -> Text<200> {
    let hash = body_hash(&[b"forgotten", key.as_bytes()]);
    let text = hash.iter().fold(FORGOTTEN.to_owned(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    });
    text.parse().expect("a text of 74 characters")
}

impl Idempotency {
    /// What is left once the record is erased or deleted: a use of the key by a command that nobody sends again.
    pub(crate) fn forgotten(self, environment: &dyn Environment) -> Self {
        let mut hash = vec![0; 32];
        environment.fill_random(&mut hash);
        Self {
            key: forgotten_key(&self.key),
            body_hash: hash,
            result: Document::from_canonical(NOTHING.to_owned()),
            ..self
        }
    }

    pub(crate) fn is_forgotten(&self) -> bool {
        self.result.as_str() == NOTHING
    }
}

impl Session<'_> {
    /// The first result of a command that was already carried out under the key, unless the record is one that the member
    /// may not see any more.
    pub(crate) async fn repeated<C: Command>(
        &self,
        command: &C,
        key: &IdempotencyKey,
    ) -> Result<Option<Stored<C::Root>>, CrmError> {
        let (operation, _) = self.granted(C::Root::TABLE.entity, C::VERB)?;
        let either = [key.text().clone(), forgotten_key(key.text())];
        let query = Select::new(Idempotency::TABLE, Idempotency::COLUMNS.key.is_in(&either).into());
        let Some(known) = self.store().first::<Idempotency>(self.scope(), query).await? else { return Ok(None) };
        if known.body_hash != self.body_hash(operation, command) {
            return Err(CrmError::KeyReused(key.text().to_string()));
        }
        let row = decode_row(C::Root::TABLE, known.result.as_str()).map_err(|reason| StoreError::Corrupt {
            table: Idempotency::TABLE.name,
            column: "result",
            id: Some(known.id.uuid()),
            reason: reason.to_string(),
        })?;
        let first = Stored::from_row(row)?;
        self.require_seen(&first).await?;
        Ok(Some(first))
    }

    pub(crate) fn body_hash<C: Command>(&self, operation: &str, command: &C) -> Vec<u8> {
        let user = self.acting().user.id.uuid();
        body_hash(&[operation.as_bytes(), user.as_bytes(), command.body().as_bytes()])
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
