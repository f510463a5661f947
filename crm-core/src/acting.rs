//! Who is at work in a session: a member, perhaps through an API key.

use std::sync::{Arc, PoisonError};

use crate::access::{
    ApiKey, KeyQuota, Membership, Organization, QUOTAS, Requester, Rights, Role, Scopes, User, require_covered,
};
use crate::billing::NumberSeries;
use crate::crm::{Session, concealed};
use crate::entity::{Entity as _, Stored};
use crate::error::CrmError;
use crate::store::{Expr, Scope, Select, Store, StoreExt as _};
use crate::value::Instant;

/// How many number series are read at most: one for each kind of document, and no more than a short read gives.
const SERIES: u32 = 100;

/// Reads who acts for whom.
pub(crate) async fn acting(
    store: &dyn Store,
    scope: Scope,
    organization: Stored<Organization>,
    user: Stored<User>,
) -> Result<Acting, CrmError> {
    let stranger = || CrmError::Unauthenticated(user.email.to_string());
    let query = Select::new(Membership::TABLE, Membership::COLUMNS.user_id.eq(&user.id).into());
    let membership = store.first::<Membership>(scope, query).await?.ok_or_else(stranger)?;
    if !user.active {
        return Err(stranger());
    }
    let series = store.all(scope, &Select::new(NumberSeries::TABLE, Expr::True).limited(SERIES)).await?;
    let value = Arc::new(organization.value.clone());
    Ok(Acting { organization, value, user: concealed(user)?, membership, series, key: None })
}

/// Who acts for whom, as last read.
#[derive(Clone)]
pub(crate) struct Acting {
    pub(crate) organization: Stored<Organization>,
    pub(crate) value: Arc<Organization>,
    pub(crate) user: Stored<User>,
    pub(crate) membership: Stored<Membership>,
    pub(crate) series: Vec<Stored<NumberSeries>>,
    /// The API key through which the member acts, if it is one.
    pub(crate) key: Option<KeyAtWork>,
}

/// An API key at work, as last read.
#[derive(Clone)]
pub(crate) struct KeyAtWork {
    pub(crate) key: Stored<ApiKey>,
    pub(crate) scopes: Arc<Scopes>,
    pub(crate) quotas: Vec<Stored<KeyQuota>>,
    pub(crate) requester: Requester,
}

impl Acting {
    /// The same through an API key.
    pub(crate) async fn through(
        self,
        store: &dyn Store,
        scope: Scope,
        key: Stored<ApiKey>,
        now: Instant,
    ) -> Result<Self, CrmError> {
        require_covered(&key, &self.membership, now)?;
        let of_key = Select::new(KeyQuota::TABLE, KeyQuota::COLUMNS.key_id.eq(&key.id).into());
        let quotas = store.all(scope, &of_key.limited(QUOTAS)).await?;
        let key = concealed(key)?;
        let (scopes, requester) = (Arc::new(key.scopes.clone()), Requester::default());
        Ok(Self { key: Some(KeyAtWork { key, scopes, quotas, requester }), ..self })
    }

    pub(crate) fn role(&self) -> Role {
        self.key.as_ref().map_or(self.membership.role, |at_work| at_work.key.role)
    }

    pub(crate) fn scopes(&self) -> Option<&Arc<Scopes>> {
        self.key.as_ref().map(|at_work| &at_work.scopes)
    }

    pub(crate) fn rights(&self) -> Rights<'_> {
        Rights::within(self.role(), self.key.as_ref().map(|at_work| &*at_work.scopes))
    }
}

impl Session<'_> {
    /// Goes on with what a session that was opened just now for the same member has read: the organization, the role,
    /// the quotas. For a host that keeps a session for more than one piece of work, and opens one before each to see
    /// that the credential is still good.
    ///
    /// # Errors
    /// [`CrmError::Unauthenticated`] when the other session is another member's, another API key's or of another login.
    pub fn renew(&self, opened: &Session<'_>) -> Result<(), CrmError> {
        let (before, now) = (self.acting(), opened.acting());
        let key = |acting: &Acting| acting.key.as_ref().map(|at_work| at_work.key.id);
        let who = |acting: &Acting| (acting.organization.id, acting.user.id, key(acting));
        if who(&before) != who(&now) || self.epoch != opened.epoch {
            return Err(CrmError::Unauthenticated(now.user.email.to_string()));
        }
        *self.acting.write().unwrap_or_else(PoisonError::into_inner) = now;
        Ok(())
    }
}
