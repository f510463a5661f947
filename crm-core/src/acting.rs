//! Who is at work in a session: a member, perhaps through an API key.

use std::sync::{Arc, PoisonError};

use crate::access::{
    ApiKey, Grant, KeyQuota, LoginSession, Membership, Organization, QUOTAS, Requester, Rights, Role, Scopes, User,
    invalid_key, policy, require_covered,
};
use crate::billing::NumberSeries;
use crate::crm::Session;
use crate::crud::column_is;
use crate::entity::{Entity as _, Stored};
use crate::error::CrmError;
use crate::row::Value;
use crate::sight::concealed;
use crate::store::{ChangeSet, Expr, Guard, Scope, Select, Store, StoreExt as _};
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

    /// What the session rests on, each as last read: the membership, and what a credential rests on: its user and itself.
    fn basis(&self) -> Vec<Guard> {
        let (key, login) = (self.key.as_ref(), self.login.as_ref());
        let user = (key.is_some() || login.is_some()).then(|| Guard::of(&self.user));
        let key = key.map(|at_work| Guard::of(&at_work.key));
        let login = login.map(|login| Guard::of(&login.session));
        [Some(Guard::of(&self.membership)), key, user, login].into_iter().flatten().collect()
    }

    /// Finds the membership if all that a credential's session rests on is as it was read. Of a session that the host opened
    /// by name nothing is asked.
    fn unchanged(&self) -> Option<Select> {
        let mut basis = self.basis().into_iter();
        let membership = as_read(&basis.next()?);
        let credential = basis.map(|guard| match guard.table {
            table if *table == *User::TABLE => as_read(&guard),
            table => {
                let (reference, filter) = (table.expect_position("user_id"), Box::new(as_read(&guard)));
                Expr::Has { table, reference, filter }
            }
        });
        let credential = credential.fold(Expr::True, Expr::and);
        let reference = Membership::COLUMNS.user_id.index();
        let of_credential = credential != Expr::True;
        let credential = Expr::Related { reference, filter: Box::new(credential) };
        of_credential.then(|| Select::new(Membership::TABLE, membership.and(credential)).limited(1))
    }

    /// Demands that what the actor may do is still so when the change-set is applied, and that they have not signed out.
    pub(crate) fn guard(&self, changes: &mut ChangeSet) {
        self.guard_where(changes, |_| true);
    }

    /// The same without the login: for what takes so long that refreshing it must not have to wait.
    pub(crate) fn guard_member(&self, changes: &mut ChangeSet) {
        self.guard_where(changes, |guard| *guard.table != *LoginSession::TABLE);
    }

    fn guard_where(&self, changes: &mut ChangeSet, wanted: impl Fn(&Guard) -> bool) {
        // What the change-set changes itself is checked anyway.
        let others = self.basis().into_iter().filter(|guard| changes.written(guard.table, guard.id).is_none());
        let guards: Vec<Guard> = others.filter(wanted).collect();
        changes.guards.extend(guards);
    }
}

/// The condition that a record is at the version that was read.
fn as_read(guard: &Guard) -> Expr {
    let version = guard.table.version_position().map(|at| column_is(at, Value::Int(guard.version)));
    column_is(0, Value::Id(guard.id)).and(version.unwrap_or(Expr::True))
}

impl Session<'_> {
    /// How far the actor's right to an operation goes. If a credential opened the session, by what is in force now: it is
    /// asked whether anything was revoked or changed.
    ///
    /// # Errors
    /// [`CrmError::Forbidden`] when the role gives none, [`CrmError::OutOfScope`] when the API key's scopes do not name it;
    /// [`CrmError::BadCredential`], [`CrmError::TokenRefused`] or [`CrmError::Unauthenticated`] when the key, the access
    /// token, the user or the membership does not hold any more.
    pub async fn authorize(&self, entity: &str, verb: &str) -> Result<(&'static str, Grant), CrmError> {
        self.require_current().await?;
        self.granted(entity, verb)
    }

    /// As [`Session::authorize`], of who acts as last read: for calls that have asked, or whose change-set will.
    pub(crate) fn granted(&self, entity: &str, verb: &str) -> Result<(&'static str, Grant), CrmError> {
        self.granted_to(&self.acting(), entity, verb)
    }

    /// As [`Session::granted`], of who acted when the decision began.
    pub(crate) fn granted_to(
        &self,
        acting: &Acting,
        entity: &str,
        verb: &str,
    ) -> Result<(&'static str, Grant), CrmError> {
        self.require_unexpired(acting)?;
        policy::authorize(acting.rights(), entity, verb)
    }

    fn require_unexpired(&self, acting: &Acting) -> Result<(), CrmError> {
        if let Some(at_work) = &acting.key {
            at_work.key.require_valid(self.environment().now())?;
        }
        match &acting.login {
            Some(login) if login.expires_at <= self.environment().now() => Err(CrmError::TokenRefused),
            _ => Ok(()),
        }
    }

    /// Demands that a credential which opened the session still holds. Who acts is read again if anything has changed.
    ///
    /// # Errors
    /// As [`Session::authorize`], but for the rights.
    pub(crate) async fn require_current(&self) -> Result<(), CrmError> {
        if !self.is_checked() {
            let acting = self.acting();
            self.require_unexpired(&acting)?;
            self.is_still(&acting).await?;
        }
        Ok(())
    }

    /// The same session for the rest of a call, once it was demanded that it is current.
    pub(crate) async fn current(&self) -> Result<Self, CrmError> {
        self.require_current().await?;
        Ok(self.checked())
    }

    /// Whether all that a credential's session rests on is as it was read; if not, who acts is read again.
    ///
    /// # Errors
    /// [`CrmError::Unauthenticated`], [`CrmError::TokenRefused`] or [`CrmError::BadCredential`] when nobody does any more.
    pub(crate) async fn is_still(&self, acting: &Acting) -> Result<bool, CrmError> {
        let Some(query) = acting.unchanged() else { return Ok(true) };
        let unchanged = !self.store().select(self.scope(), &query).await?.is_empty();
        if !unchanged {
            self.refresh().await?;
        }
        Ok(unchanged)
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
    /// the quotas. For a host that keeps a session for more than one piece of work and wants the organization's settings as
    /// they are, or the role of a member for whom it vouches itself.
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
