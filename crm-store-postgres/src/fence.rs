//! Row-level security, the second fence: the database itself keeps each statement to one organization.
//!
//! A statement behind it sees the rows of the organization that the setting `crm.org` names, and none without it. Of what
//! stands above organizations it sees what is the organization's own, its members for example, and the single rows that
//! the setting `crm.beyond` names: those that the change-set adds and those that it says it must touch. The settings are
//! made for one transaction (`SET LOCAL`) and end with it, however that ends, so that no connection carries them to its
//! next user. Superusers and roles with BYPASSRLS are not fenced: for them nothing is set, and a unit of work stays one
//! statement.

use std::ops::{Deref, DerefMut};

use crm_core::entity::Tenancy;
use crm_core::store::{Change, ChangeSet, Scope};
use futures_util::FutureExt as _;
use sqlx::postgres::PgRow;
use sqlx::{Connection as _, PgConnection, PgTransaction};
use tokio::task::unconstrained;
use uuid::Uuid;

use crate::decode;
use crate::execute::{begun, simple};

/// What tells whether a connection is fenced, and the organization that it is set to; it fails nowhere.
pub(crate) const ASK: &str = "SELECT row_security_active(to_regclass('crm_contact')), current_setting('crm.org', TRUE)";

/// The text that sets the organization for the rest of the transaction. Only a whole number is written into it.
pub(crate) fn set(key: Option<i64>) -> String {
    format!("SET LOCAL crm.org = '{}'", key.map(|key| key.to_string()).unwrap_or_default())
}

/// The text that lets what follows in the transaction at these rows above organizations, whosever they are, and at no
/// others. Only ids are written into it.
pub(crate) fn set_beyond(ids: &[Uuid]) -> String {
    let ids: Vec<String> = ids.iter().map(Uuid::to_string).collect();
    format!("SET LOCAL crm.beyond = '{}'", ids.join(","))
}

/// The rows above organizations that a change-set is let at besides its organization's own: those that it names and those
/// that it adds, such as a user before there is a membership. Above organizations there is nothing beyond.
pub(crate) fn beyond(scope: Scope, changes: &ChangeSet) -> Vec<Uuid> {
    if scope.is_system() {
        return Vec::new();
    }
    let added = changes.changes.iter().filter_map(|change| match change {
        Change::Insert { table, .. } if table.tenancy == Tenancy::Global => Some(change.id()),
        _ => None,
    });
    changes.beyond.iter().copied().chain(added).collect()
}

/// Whether the store's role is fenced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fence {
    Absent,
    Present,
}

impl Fence {
    /// From an answer in text form.
    pub(crate) fn of(row: &PgRow, at: usize) -> Self {
        if decode::text(row, at).as_deref() == Some("t") { Self::Present } else { Self::Absent }
    }

    /// The text that begins a transaction in which the organization's rows can be seen and written.
    pub(crate) fn begin(self, scope: Scope) -> String {
        match self {
            Self::Absent => "BEGIN".to_owned(),
            Self::Present => format!("BEGIN; {}", set(Some(scope.key()))),
        }
    }

    /// The same, for a change-set.
    pub(crate) fn begin_for(self, scope: Scope, changes: &ChangeSet) -> String {
        let begin = self.begin(scope);
        match self {
            Self::Absent => begin,
            Self::Present => match &*beyond(scope, changes) {
                [] => begin,
                ids => format!("{begin}; {}", set_beyond(ids)),
            },
        }
    }

    /// The connection in a state to read the organization's rows.
    pub(crate) async fn open(self, connection: &mut PgConnection, scope: Scope) -> Result<Reading<'_>, sqlx::Error> {
        Ok(match self {
            Self::Absent => Reading::Bare(connection),
            Self::Present => {
                let text = format!("BEGIN READ ONLY; {}", set(Some(scope.key())));
                Reading::Within(begun(connection, text).await?)
            }
        })
    }
}

/// A connection that reads. Behind the fence it is in a transaction; dropping this queues the transaction's end, which
/// [`sent`] then sends.
pub(crate) enum Reading<'a> {
    Bare(&'a mut PgConnection),
    Within(PgTransaction<'a>),
}

impl Deref for Reading<'_> {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        match self {
            Self::Bare(connection) => connection,
            Self::Within(transaction) => transaction,
        }
    }
}

impl DerefMut for Reading<'_> {
    fn deref_mut(&mut self) -> &mut PgConnection {
        match self {
            Self::Bare(connection) => connection,
            Self::Within(transaction) => transaction,
        }
    }
}

/// Sends what is queued, without waiting for the answer: the next user of the connection reads that first, and what had
/// been read is right whatever it says. False if the connection is of no more use.
///
/// Everything sent before has been answered, so the line has room for these few bytes, and one attempt, which nothing
/// may interrupt, writes them. The driver's flush goes on to the answer; giving that up halfway is safe, since it takes
/// whole messages only.
pub(crate) async fn sent(connection: &mut PgConnection) -> bool {
    if !connection.should_flush() {
        return true;
    }
    match unconstrained(connection.flush()).now_or_never() {
        Some(result) => result.is_ok(),
        None if connection.should_flush() => connection.flush().await.is_ok(),
        None => true,
    }
}

/// What is known of the fence on a host's connection, whose role need not be the store's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// Nothing yet.
    Nothing,
    /// There is none.
    Absent,
    /// There is one, and the transaction is set to this organization.
    Set(Option<i64>),
}

impl Known {
    /// From the answer to [`ASK`].
    pub(crate) fn of(row: &PgRow) -> Self {
        match Fence::of(row, 0) {
            Fence::Absent => Self::Absent,
            // Whatever else a host may have written there shows no rows either.
            Fence::Present => Self::Set(decode::text(row, 1).and_then(|key| key.parse().ok())),
        }
    }

    /// Whether there is a fence.
    pub(crate) const fn is_fenced(self) -> bool {
        matches!(self, Self::Set(_))
    }

    /// Whether another organization must be set for this scope.
    pub(crate) fn differs(self, scope: Scope) -> bool {
        matches!(self, Self::Set(key) if key != Some(scope.key()))
    }
}

/// How a call on a host's connection was begun, and so how it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Opened {
    how: How,
    /// What was known, and set, before.
    before: Known,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    /// A savepoint of this name in the host's transaction.
    Savepoint(&'static str),
    /// A transaction, since there was none.
    Transaction,
}

impl Opened {
    /// Whether this is a transaction of its own.
    pub(crate) fn is_transaction(self) -> bool {
        self.how == How::Transaction
    }
}

/// A host's connection.
pub(crate) struct Host<'a> {
    pub(crate) connection: &'a mut PgConnection,
    pub(crate) known: Known,
}

impl Host<'_> {
    /// Finds out about the fence, unless it is known.
    pub(crate) async fn ask(&mut self) -> Result<(), sqlx::Error> {
        if self.known == Known::Nothing {
            let rows = simple(self.connection, ASK).await?;
            self.learn(&rows);
        }
        Ok(())
    }

    fn learn(&mut self, rows: &[PgRow]) {
        if let Some(row) = rows.first() {
            self.known = Known::of(row);
        }
    }

    /// Opens a savepoint, or a transaction where there is none to have one in; what follows sees the organization's
    /// rows, until [`undo`](Self::undo) or [`keep`](Self::keep).
    pub(crate) async fn open(&mut self, name: &'static str, scope: Scope) -> Result<Opened, sqlx::Error> {
        let also = match self.known {
            Known::Nothing => format!("; {ASK}"),
            known if known.differs(scope) => format!("; {}", set(Some(scope.key()))),
            Known::Absent | Known::Set(_) => String::new(),
        };
        let (how, rows) = match simple(self.connection, format!("SAVEPOINT {name}{also}")).await {
            Ok(rows) => (How::Savepoint(name), rows),
            Err(error) if crate::error::is_outside(&error) => {
                (How::Transaction, simple(self.connection, format!("BEGIN{also}")).await?)
            }
            Err(error) => return Err(error),
        };
        if self.known == Known::Nothing {
            self.learn(&rows);
            if self.known.differs(scope) {
                simple(self.connection, set(Some(scope.key()))).await?;
            }
        }
        let before = self.known;
        if before.differs(scope) {
            self.known = Known::Set(Some(scope.key()));
        }
        Ok(Opened { how, before })
    }

    /// Takes back what came after the opening, the setting included.
    pub(crate) async fn undo(&mut self, opened: Opened) -> Result<(), sqlx::Error> {
        let text = match opened.how {
            How::Savepoint(name) => format!("ROLLBACK TO SAVEPOINT {name}; RELEASE SAVEPOINT {name}"),
            How::Transaction => "ROLLBACK".to_owned(),
        };
        simple(self.connection, text).await?;
        self.known = opened.before;
        Ok(())
    }

    /// Keeps what came after the opening, but for the setting, which is as before.
    pub(crate) async fn keep(&mut self, opened: Opened) -> Result<(), sqlx::Error> {
        let text = match (opened.how, opened.before) {
            (How::Savepoint(name), Known::Set(key)) if self.known != opened.before => {
                format!("{}; RELEASE SAVEPOINT {name}", set(key))
            }
            (How::Savepoint(name), _) => format!("RELEASE SAVEPOINT {name}"),
            (How::Transaction, _) => "COMMIT".to_owned(),
        };
        simple(self.connection, text).await?;
        self.known = opened.before;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "SELECT current_setting('crm.org', TRUE)";

    /// The source of this crate that may send statements, and its migrations.
    const TEXTS: &[&str] = &[
        include_str!("execute.rs"),
        include_str!("grant.rs"),
        include_str!("host.rs"),
        include_str!("lib.rs"),
        include_str!("migrate.rs"),
        include_str!("options.rs"),
        include_str!("pool.rs"),
        include_str!("seal.rs"),
        include_str!("../migrations/0006_row_security.sql"),
        include_str!("../migrations/0008_closer_fence.sql"),
    ];

    #[test]
    fn the_organization_is_set_in_one_place_and_for_one_transaction() {
        assert_eq!(set(Some(7)), "SET LOCAL crm.org = '7'");
        assert_eq!(set(None), "SET LOCAL crm.org = ''");
        assert_eq!(set_beyond(&[]), "SET LOCAL crm.beyond = ''");
        let ids = [Uuid::nil(), Uuid::max()];
        assert_eq!(set_beyond(&ids), format!("SET LOCAL crm.beyond = '{},{}'", Uuid::nil(), Uuid::max()));
        for text in TEXTS {
            let code: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
            for word in ["set_config", "SET crm", "SET SESSION", "SET LOCAL"] {
                assert!(!code.iter().any(|line| line.contains(word)), "{word}");
            }
        }
    }

    /// Behind the fence whatever the role, on a connection to the server that the tests use.
    #[tokio::test]
    async fn a_read_leaves_nothing_set_and_no_transaction_open() -> Result<(), sqlx::Error> {
        let url = std::env::var("CRM_TEST_POSTGRES_URL").expect("the address of a PostgreSQL for tests");
        let mut connection = PgConnection::connect(&url).await?;
        let scope = Scope::for_tests(7);
        let inside = {
            let mut reading = Fence::Present.open(&mut connection, scope).await?;
            let rows = simple(&mut reading, KEY).await?;
            decode::text(&rows[0], 0)
        };
        assert_eq!(inside.as_deref(), Some("7"));
        assert!(connection.should_flush());
        assert!(sent(&mut connection).await && !connection.should_flush());
        assert_eq!(decode::text(&simple(&mut connection, KEY).await?[0], 0).as_deref(), Some(""));
        // A statement that fails, and a reader that goes away before it sends the end.
        {
            let mut reading = Fence::Present.open(&mut connection, scope).await?;
            assert!(simple(&mut reading, "SELECT nothing").await.is_err());
        }
        assert!(sent(&mut connection).await);
        drop(Fence::Present.open(&mut connection, scope).await?);
        assert_eq!(decode::text(&simple(&mut connection, KEY).await?[0], 0).as_deref(), Some(""));
        Ok(())
    }
}
