//! What the calls of keys and invitations need.

use uuid::Uuid;

use crate::access::{ApiKey, ApiRequest, Invitation, KeyQuota, KeyUsage, NewInvitation, NewKey, Role, Scopes};
use crate::entity::Field as _;
use crate::error::CrmError;
use crate::id::Id;
use crate::row::Value;
use crate::store::{ChangeSet, Query};
use crate::value::Zone;
use crate::{Crm, Session};

/// One record of each kind that a call may name.
#[derive(Clone, Debug)]
pub(super) struct Ids {
    pub(super) key: Id<ApiKey>,
    pub(super) quota: Id<KeyQuota>,
    pub(super) usage: Id<KeyUsage>,
    pub(super) request: Id<ApiRequest>,
    pub(super) invitation: Id<Invitation>,
}

impl Ids {
    /// The same id everywhere.
    pub(super) fn all(id: Uuid) -> Self {
        Self { key: Id::new(id), quota: Id::new(id), usage: Id::new(id), request: Id::new(id), invitation: Id::new(id) }
    }

    super::mixed!(key, quota, usage, request, invitation);
}

/// A key of the session's member, with what it did, and an invitation.
pub(super) async fn fixtures(session: &Session<'_>, label: &str) -> Result<Ids, CrmError> {
    let key = session.create_key(&key(&format!("fixture {label}"))).await?.key;
    let quotas = session.list(&Query::new(KeyQuota::COLUMNS.key_id.eq(&key.id))).await?;
    let mut context = session.context();
    let mut changes = ChangeSet::new(context.stamp("test"));
    let (key_id, operation, day) = (key.id, "contact.create".to_owned(), super::day(15));
    let usage = changes.insert(&mut context, KeyUsage { key_id, operation: operation.clone(), day, used: 1 }).id;
    let (at, outcome) = (Zone::UTC.start_of(super::day(10)), "ok".to_owned());
    let request = ApiRequest { key_id, at, operation, name: None, email: None, application_id: None, outcome };
    let request = changes.insert(&mut context, request).id;
    session.store().apply(session.scope(), changes).await?;
    let invitation = session.invite(&invitation(&format!("{label}@invited.example"))).await?.invitation.id;
    let quota = quotas.items.first().map_or(Id::new(Uuid::from_u128(2)), |quota| quota.id);
    Ok(Ids { key: key.id, quota, usage, request, invitation })
}

/// Scopes as a database may have them: those, too, that no key is given, since they are for members alone.
///
/// # Errors
/// When the text is none.
pub fn stored_scopes(text: &str) -> Result<Scopes, CrmError> {
    Scopes::load(Value::Text(text.to_owned())).map_err(|reason| CrmError::invalid("scopes", reason))
}

/// A session of a new key of the owner's with these scopes and without quotas.
pub(super) async fn session(
    crm: &Crm,
    owner: &Session<'_>,
    alias: &str,
    scopes: &str,
) -> Result<Session<'static>, CrmError> {
    let new = NewKey::new(alias.parse()?, Role::Owner, stored_scopes(scopes)?);
    let created = owner.create_key(&NewKey { quotas: Vec::new(), ..new }).await?;
    crm.session_with_key(&created.text).await
}

/// A key that reads and makes contacts.
pub(super) fn key(alias: &str) -> NewKey {
    let alias = alias.parse().expect("a valid alias");
    NewKey::new(alias, Role::Viewer, "*.read contact.create".parse().expect("known scopes"))
}

/// An invitation to read.
pub(super) fn invitation(email: &str) -> NewInvitation {
    NewInvitation { email: email.parse().expect("a valid address"), role: Role::Viewer, days: None }
}
