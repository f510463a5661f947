//! API keys: how programs work in an organization, each within a role, some scopes and quotas.
//!
//! A key works for the member who made it and for no longer than that member belongs to the organization in a role that
//! covers the key's. Its text is shown once; its hash is stored.

use async_trait::async_trait;

use super::opaque::{self, SecretHash};
use super::{AccessError, Grant, KeyQuota, Membership, Role, Scopes, Secret, User};
use crate::context::{Actor, Context};
use crate::crm::{Command, Session};
use crate::crud::Rules;
use crate::entity::{Entity as _, Stored};
use crate::error::CrmError;
use crate::id::Id;
use crate::store::{ChangeSet, Select, StoreError, StoreExt as _};
use crate::value::{Instant, Text, ValueError, fold};

/// What the text of every key begins with.
pub(crate) const TAG: &str = "crm";

/// The operation that a new key may do a limited number of times a day unless it is said otherwise, and how often.
pub const DEFAULT_QUOTA: (&str, i64) = ("contact.create", 35);

/// How often its use is noted at most, in microseconds.
const MINUTE: i64 = 60_000_000;

crate::entity! {
    /// A key by which a program works in an organization.
    pub struct ApiKey: "api_key" in "crm_api_key" as Record, Organization {
        /// What people call it; one key in force has a name.
        pub alias: Text<100> [SERVER_OWNED],
        /// The part of its text that may be seen.
        pub prefix: String [SERVER_OWNED],
        /// SHA-256 of its text.
        pub hash: Option<SecretHash> [SECRET SERVER_OWNED],
        /// For whom it works: the member who made it.
        pub user_id: Id<User> [SERVER_OWNED] => User,
        /// In which role.
        pub role: Role [SERVER_OWNED],
        /// What of that it may do.
        pub scopes: Scopes [SERVER_OWNED],
        /// From when on it does not work any more.
        pub expires_at: Option<Instant> [SERVER_OWNED],
        /// When it was revoked.
        pub revoked_at: Option<Instant> [SERVER_OWNED],
        /// Counts the changes of its quotas.
        pub quota_revision: i64 [SERVER_OWNED],
        /// When it was last used, to the minute: microseconds since 1970, 0 before its first use.
        pub last_used_micros: i64 [SERVER_OWNED COUNTER],
    }
    columns ApiKeyColumns;
    derived {
        /// The alias as it is compared, while the key is not revoked.
        alias_key: Option<String> = |key: &ApiKey| key.revoked_at.is_none().then(|| fold(&key.alias)),
    }
    unique {
        "crm_api_key_alias": [alias_key],
        "crm_api_key_prefix": [prefix],
    }
    index { "crm_api_key_user": [user_id] }
}

impl Rules for ApiKey {
    const NATURAL_KEYS: &'static [&'static str] = &["prefix", "alias"];
    const NAME_IN_FORCE: Option<&'static str> = Some("alias_key");
}

impl ApiKey {
    /// When it was last used, to the minute; absent before its first use.
    pub fn last_used_at(&self) -> Option<Instant> {
        if self.last_used_micros == 0 { None } else { Instant::from_micros(self.last_used_micros).ok() }
    }

    /// Whether it works at this instant, as far as it alone decides.
    pub fn is_valid_at(&self, now: Instant) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }

    /// Refuses a key that does not work at this instant.
    pub(crate) fn require_valid(&self, now: Instant) -> Result<(), CrmError> {
        if self.is_valid_at(now) { Ok(()) } else { Err(invalid()) }
    }
}

/// A key that does not let anybody in; why is not told.
pub(crate) const fn invalid() -> CrmError {
    CrmError::BadCredential("the API key")
}

/// Keys manage neither keys and quotas nor members, invitations and users, whatever their scopes: what a key may do ends
/// with it, and whoever has stolen one gets nothing by it that outlives it. A key may end itself.
pub(crate) fn members_only(context: &Context) -> Result<(), AccessError> {
    if matches!(context.actor(), Actor::Key { .. }) { Err(AccessError::MembersOnly) } else { Ok(()) }
}

/// What a new key needs.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// What people call it.
    pub alias: Text<100>,
    /// In which role it works, at most that of its maker.
    pub role: Role,
    /// What of that it may do.
    pub scopes: Scopes,
    /// From when on it does not work any more.
    pub expires_at: Option<Instant>,
    /// What it may do how often in one UTC day; the rest it may do without limit.
    pub quotas: Vec<(String, i64)>,
}

impl NewKey {
    /// A key that does not expire and has the usual quota.
    pub fn new(alias: Text<100>, role: Role, scopes: Scopes) -> Self {
        let (operation, per_day) = DEFAULT_QUOTA;
        Self { alias, role, scopes, expires_at: None, quotas: vec![(operation.to_owned(), per_day)] }
    }
}

/// A key that was just made. Its text is not kept: it is shown now or never.
#[derive(Clone, Debug)]
pub struct CreatedKey {
    /// The key.
    pub key: Stored<ApiKey>,
    /// Its text.
    pub text: Secret,
}

/// Makes a key.
struct CreateKey<'a> {
    new: &'a NewKey,
    prefix: String,
    hash: SecretHash,
}

#[async_trait]
impl Command for CreateKey<'_> {
    type Root = ApiKey;
    const VERB: &'static str = "create";

    fn body(&self) -> String {
        self.new.alias.to_string()
    }

    async fn decide(
        &self,
        session: &Session<'_>,
        _: Grant,
        context: &mut Context,
        changes: &mut ChangeSet,
    ) -> Result<Stored<ApiKey>, CrmError> {
        members_only(context)?;
        let NewKey { alias, role, scopes, expires_at, quotas } = self.new;
        if !context.role().covers(*role) {
            return Err(AccessError::BeyondOwnRole(*role).into());
        }
        if expires_at.is_some_and(|end| end <= context.now()) {
            return Err(CrmError::invalid("expires_at", ValueError::NotAllowed { when: "it is past already" }));
        }
        let key = ApiKey {
            alias: alias.clone(),
            prefix: self.prefix.clone(),
            hash: Some(self.hash.clone()),
            user_id: session.user().id,
            role: *role,
            scopes: scopes.clone(),
            expires_at: *expires_at,
            revoked_at: None,
            quota_revision: 0,
            last_used_micros: 0,
        };
        let key = changes.insert(context, key);
        for (operation, per_day) in quotas {
            changes.insert(context, KeyQuota::new(key.id, operation, *per_day)?);
        }
        Ok(key)
    }
}

/// Ends a key for good; what it did stays. A key ends itself and no other.
#[derive(Clone, Debug)]
pub struct RevokeKey(pub Id<ApiKey>);

#[async_trait]
impl Command for RevokeKey {
    type Root = ApiKey;
    const VERB: &'static str = "revoke";

    fn body(&self) -> String {
        self.0.to_string()
    }

    async fn decide(
        &self,
        session: &Session<'_>,
        grant: Grant,
        context: &mut Context,
        changes: &mut ChangeSet,
    ) -> Result<Stored<ApiKey>, CrmError> {
        if !matches!(context.actor(), Actor::Key { id, .. } if id == self.0) {
            members_only(context)?;
        }
        let key = session.load(grant, self.0).await?;
        super::membership::owners_only(context, &[key.role])?;
        let revoked_at = key.revoked_at.or(Some(context.now()));
        Ok(changes.update(context, &key, ApiKey { revoked_at, ..key.value.clone() }))
    }
}

impl Session<'_> {
    /// Makes a key that works for the member who is at work here, and gives its text, which is shown this once.
    ///
    /// # Errors
    /// [`AccessError::BeyondOwnRole`] when the member's own role does not cover the key's, [`AccessError::MembersOnly`]
    /// when a key is at work, [`CrmError::Duplicate`] when another key in force has the alias.
    pub async fn create_key(&self, new: &NewKey) -> Result<CreatedKey, CrmError> {
        let minted = opaque::mint(TAG, self.scope(), &**self.environment());
        let key = self.run(&CreateKey { new, prefix: minted.prefix, hash: minted.hash }).await?;
        Ok(CreatedKey { key, text: minted.text })
    }
}

impl crate::Crm {
    /// Opens an organization for an API key.
    ///
    /// The session is that of the member who made the key, in the key's role and scopes. It ends with the key, the user and
    /// the membership, and the key's quotas are as they are, on the next call: a read asks first whether anything was
    /// revoked or changed, in one statement, a write in its own transaction. When the key expires, the session does nothing
    /// any more. Settings and number series are as last read: a host that keeps a session for long opens another and calls
    /// [`Session::renew`].
    ///
    /// # Errors
    /// [`CrmError::BadCredential`] when the text is not that of a key, the key is unknown, has expired or was revoked, or
    /// its member does not belong to the organization any more, or in a role that does not cover the key's.
    pub async fn session_with_key(&self, text: &Secret) -> Result<Session<'static>, CrmError> {
        let claimed = opaque::read(TAG, text.expose()).ok_or_else(invalid)?;
        let query = Select::new(ApiKey::TABLE, ApiKey::COLUMNS.prefix.eq(&claimed.prefix.to_owned()).into());
        let key = self.store().first::<ApiKey>(claimed.scope, query).await?.ok_or_else(invalid)?;
        if !key.hash.as_ref().is_some_and(|hash| hash.matches(&claimed.hash)) {
            return Err(invalid());
        }
        let session = self.session_of_key(claimed.scope, key).await?;
        session.touch().await?;
        Ok(session)
    }
}

impl Session<'_> {
    /// Notes that the key is used, at most once in a minute. The counter goes forward to this instant and no further, so
    /// that many may do this at once.
    async fn touch(&self) -> Result<(), CrmError> {
        let Some(key) = self.key() else { return Ok(()) };
        let mut context = self.context();
        let now = context.now().micros();
        let passed = now - key.last_used_micros;
        if passed < MINUTE {
            return Ok(());
        }
        let mut changes = ChangeSet::new(context.stamp("api_key.use"));
        changes.count(key.id, ApiKey::COLUMNS.last_used_micros.index(), passed, now);
        match self.store().apply(self.scope(), changes).await {
            Ok(_) | Err(StoreError::Limit { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// Checks that a key may work for a member now.
pub(crate) fn require_covered(key: &ApiKey, membership: &Membership, now: Instant) -> Result<(), CrmError> {
    key.require_valid(now)?;
    if membership.user_id == key.user_id && membership.role.covers(key.role) { Ok(()) } else { Err(invalid()) }
}
