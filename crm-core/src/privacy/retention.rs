//! What is not kept for ever: bytes of what was erased, and the log of API keys' requests.

use crate::access::{ApiRequest, Organization, members_only};
use crate::audit::AuditEntry;
use crate::crm::Session;
use crate::entity::Entity as _;
use crate::error::CrmError;
use crate::store::{Change, ChangeSet, Select};
use crate::value::{Date, ValueError};

/// How many rows go in one change-set.
const PAGE: u32 = 1_000;

impl Session<'_> {
    /// The operation, if a member may carry it out and no API key is at work; that one asked for it is logged.
    async fn authorize_member(&self, entity: &str, verb: &str) -> Result<&'static str, CrmError> {
        let member = members_only(&self.context()).map_err(CrmError::from);
        let outcome = self.granted(entity, verb).and_then(|(operation, _)| member.map(|()| operation));
        if let Err(refused) = &outcome {
            self.log_apart(entity, verb, Some(refused)).await;
        }
        outcome
    }

    /// Asks the store to leave nothing in its files of what was erased, deleted or overwritten; false while others read an
    /// older state, and within a transaction. On SQLite the whole file is written anew. On PostgreSQL the server's own
    /// files, its log and its backups are its administrator's, and a role that does not own the tables gets false: their
    /// owner purges.
    ///
    /// # Errors
    /// [`CrmError::Forbidden`] for members below admins; [`MembersOnly`](crate::access::AccessError::MembersOnly) for API keys.
    pub async fn purge(&self) -> Result<bool, CrmError> {
        self.refresh().await?;
        self.authorize_member(Organization::TABLE.entity, "purge").await?;
        Ok(self.purge_files().await)
    }

    /// Whether something that was erased may still be in the store's files, since the purge that follows an erasure could
    /// not be carried out or the process ended before it: then [`Session::purge`] is due. Always false on PostgreSQL, which
    /// cleans its tables by itself and whose files are its administrator's.
    ///
    /// # Errors
    /// [`CrmError::Forbidden`] for members below admins; when the store fails.
    pub async fn is_purge_due(&self) -> Result<bool, CrmError> {
        self.refresh().await?;
        self.granted(AuditEntry::TABLE.entity, "verify")?;
        Ok(self.store().is_purge_due().await?)
    }

    /// A failure leaves what was erased erased, and the rest to a later purge.
    pub(super) async fn purge_files(&self) -> bool {
        self.store().purge().await.unwrap_or(false)
    }

    /// Deletes the log of API keys' requests from before a day in the organization's zone, and tells how many there were.
    ///
    /// # Errors
    /// [`CrmError::Forbidden`] for members below admins; [`MembersOnly`](crate::access::AccessError::MembersOnly) for API keys, which could empty their
    /// own log; [`CrmError::Invalid`] for a day in the future; when the store fails, with what was deleted until then gone.
    pub async fn purge_requests(&self, before: Date) -> Result<u64, CrmError> {
        self.refresh().await?;
        let table = ApiRequest::TABLE;
        let mut deleted = 0;
        loop {
            let acting = self.acting();
            let operation = self.authorize_member(table.entity, "purge").await?;
            let context = self.context();
            if before > context.today() {
                return Err(CrmError::invalid("before", ValueError::After { latest: context.today(), got: before }));
            }
            let start = self.organization().time_zone.start_of(before);
            let old = Select::new(table, ApiRequest::COLUMNS.at.lt(&start).into()).limited(PAGE);
            let rows = self.store().select(self.scope(), &old).await?;
            if rows.is_empty() {
                return Ok(deleted);
            }
            let mut changes = ChangeSet::new(self.context().stamp(operation));
            acting.guard(&mut changes);
            changes.changes.extend(rows.into_iter().map(|before| Change::Delete { table, before }));
            match self.store().apply(self.scope(), changes).await {
                Ok(applied) => deleted += applied.rows,
                // Someone else deletes them, or the member's rights have changed.
                Err(crate::store::StoreError::Conflict { .. }) => self.refresh().await?,
                Err(error) => return Err(error.into()),
            }
        }
    }
}
