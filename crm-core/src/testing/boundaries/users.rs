//! What the calls that concern users need.

use crate::Session;
use crate::access::{Membership, ResetPassword, SetUsername, User};
use crate::error::CrmError;
use crate::id::Id;
use crate::store::{ChangeSet, Scope, StoreExt as _};

/// Changes the password of the session's own user, who is given one first.
pub(super) async fn change_password(session: &Session<'_>) -> Result<(), CrmError> {
    let id = session.user().id;
    let gone = || CrmError::NotFound { entity: "user", reference: id.to_string() };
    let user = session.store().get(Scope::SYSTEM, id).await?.ok_or_else(gone)?;
    let mut context = session.context();
    let mut changes = ChangeSet::new(context.stamp("test"));
    let hash = session.hasher().hash(&"the first one".into(), context.environment());
    changes.update(&context, &user, User { password_hash: Some(hash), ..user.value.clone() });
    session.store().apply(session.scope(), changes).await?;
    session.change_password(&"the first one".into(), &"the second one".into()).await.map(drop)
}

/// Gives the session's own user the local part of an address as user name.
pub(super) fn rename(email: &str) -> SetUsername {
    SetUsername(email.split('@').next().and_then(|name| name.parse().ok()))
}

pub(super) fn reset(member: Id<Membership>) -> ResetPassword {
    ResetPassword { member, password: "given by an admin".into() }
}
