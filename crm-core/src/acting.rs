//! Who is at work in a session: a member, perhaps through an API key.

use std::sync::{Arc, PoisonError};

use crate::access::{
    ApiKey, Grant, KeyQuota, LoginSession, Membership, Organization, QUOTAS, Requester, Rights, Role, Scopes, User,
    invalid_key, policy, require_covered,
};
use crate::billing::NumberSeries;
use crate::crm::Session;
use crate::entity::{Entity as _, Stored};
use crate::error::CrmError;
use crate::sight::concealed;
use crate::store::{ChangeSet, Expr, Scope, Select, Store, StoreExt as _};
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
    Ok(Acting { organization, value, user: concealed(user)?, membership, series, key: None, login: None })
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
    /// The login with which the member began, if it is known.
    pub(crate) login: Option<LoginAtWork>,
}

/// A login at work, as last read.
#[derive(Clone)]
pub(crate) struct LoginAtWork {
    pub(crate) session: Stored<LoginSession>,
    /// When the access token expires.
    pub(crate) expires_at: Instant,
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

    /// Demands that what the actor may do is still so when the change-set is applied, and that they have not signed out.
    pub(crate) fn guard(&self, changes: &mut ChangeSet) {
        self.guard_member(changes);
        if let Some(login) = &self.login {
            changes.require_unchanged(&login.session);
        }
    }

    /// The same without the login: for what takes so long that refreshing it must not have to wait.
    pub(crate) fn guard_member(&self, changes: &mut ChangeSet) {
        changes.require_unchanged(&self.membership);
        if let Some(at_work) = self.key.as_ref().filter(|at_work| changes.position(at_work.key.id).is_none()) {
            changes.require_unchanged(&at_work.key);
        }
        // A change of the user themselves is checked by itself.
        let signed_in = self.login.is_some() || self.key.is_some();
        if signed_in && changes.position(self.user.id).is_none() {
            changes.require_unchanged(&self.user);
        }
    }
}

impl Session<'_> {
    /// How far the actor's right to an operation goes.
    ///
    /// # Errors
    /// [`CrmError::Forbidden`] when the role gives none, [`CrmError::OutOfScope`] when the API key's scopes do not name it,
    /// [`CrmError::BadCredential`] when the key has expired, [`CrmError::TokenRefused`] when the access token has.
    pub fn authorize(&self, entity: &str, verb: &str) -> Result<(&'static str, Grant), CrmError> {
        self.authorize_as(&self.acting(), entity, verb)
    }

    /// As [`Session::authorize`], of who acted when the decision began.
    pub(crate) fn authorize_as(
        &self,
        acting: &Acting,
        entity: &str,
        verb: &str,
    ) -> Result<(&'static str, Grant), CrmError> {
        if let Some(at_work) = &acting.key {
            at_work.key.require_valid(self.environment().now())?;
        }
        if acting.login.as_ref().is_some_and(|login| login.expires_at <= self.environment().now()) {
            return Err(CrmError::TokenRefused);
        }
        policy::authorize(acting.rights(), entity, verb)
    }

    /// Reads again who acts.
    ///
    /// # Errors
    /// [`CrmError::Unauthenticated`], [`CrmError::TokenRefused`] or [`CrmError::BadCredential`] when nobody does any more.
    pub(crate) async fn refresh(&self) -> Result<(), CrmError> {
        // On the heap: callers would hold all that it reads in futures of their own.
        Box::pin(self.read_again()).await
    }

    async fn read_again(&self) -> Result<(), CrmError> {
        let acting = self.acting();
        let stranger = || CrmError::Unauthenticated(acting.user.email.to_string());
        let organization = self.store().get(self.scope(), acting.organization.id).await?.ok_or_else(stranger)?;
        let user = self.store().get(Scope::SYSTEM, acting.user.id).await?.ok_or_else(stranger)?;
        self.require_epoch(&user)?;
        let mut fresh = self::acting(self.store(), self.scope(), organization, user).await?;
        if let Some(KeyAtWork { key, requester, .. }) = &acting.key {
            let key = self.store().get(self.scope(), key.id).await?.ok_or_else(invalid_key)?;
            fresh = fresh.through(self.store(), self.scope(), key, self.environment().now()).await?;
            fresh.key.iter_mut().for_each(|at_work| at_work.requester = requester.clone());
        }
        if let Some(LoginAtWork { session, expires_at }) = &acting.login {
            let session = self.store().get(self.scope(), session.id).await?;
            let session = session.filter(|session| session.revoked_at.is_none()).ok_or(CrmError::TokenRefused)?;
            // A token names one membership; a later one of the same user is not it.
            if fresh.membership.id != acting.membership.id {
                return Err(CrmError::TokenRefused);
            }
            fresh.login = Some(LoginAtWork { session, expires_at: *expires_at });
        }
        *self.acting.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(fresh);
        Ok(())
    }

    /// Refuses a user whose sessions have been ended since they signed in.
    pub(crate) fn require_epoch(&self, user: &User) -> Result<(), CrmError> {
        match &self.acting().login {
            Some(login) if login.session.epoch != user.epoch => Err(CrmError::TokenRefused),
            _ => Ok(()),
        }
    }

    /// Goes on with what a session that was opened just now for the same member has read: the organization, the role,
    /// the quotas. For a host that keeps a session for more than one piece of work, and opens one before each to see
    /// that the credential is still good.
    ///
    /// # Errors
    /// [`CrmError::Unauthenticated`] when the other session is another member's or another API key's, or the member's
    /// sessions were ended between the two.
    pub fn renew(&self, opened: &Session<'_>) -> Result<(), CrmError> {
        let (before, now) = (self.acting(), opened.acting());
        let key = |acting: &Acting| acting.key.as_ref().map(|at_work| at_work.key.id);
        let who = |acting: &Acting| (acting.organization.id, acting.user.id, key(acting));
        let epoch = |acting: &Acting| acting.login.as_ref().map(|login| login.session.epoch);
        if who(&before) != who(&now) || epoch(&before) != epoch(&now) {
            return Err(CrmError::Unauthenticated(now.user.email.to_string()));
        }
        *self.acting.write().unwrap_or_else(PoisonError::into_inner) = now;
        Ok(())
    }
}
