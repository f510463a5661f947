//! Joining an organization: what an account brings along, and what it leaves behind.

use super::{PASSWORD, World, person};
use crate::access::{
    AccessError, ApiKey, DeactivateUser, InvitationEnd, LoginSession, Membership, NewInvitation, NewKey, RemoveMember,
    ResetPassword, Role, Secret, SetUsername, User,
};
use crate::entity::{Entity as _, Stored};
use crate::error::CrmError;
use crate::store::{ChangeSet, Query, Scope, Select, StoreExt as _};
use crate::testing::{joined, new_organization, organization};
use crate::value::Instant;

impl World {
    /// A user as stored now.
    async fn user(&self, user: &Stored<User>) -> Result<Stored<User>, CrmError> {
        let gone = || CrmError::NotFound { entity: User::TABLE.entity, reference: user.id.to_string() };
        self.crm.store().get(Scope::SYSTEM, user.id).await?.ok_or_else(gone)
    }
}

/// What an admin gave is good for nothing once its user belongs to another organization, also when it was changed since: it
/// may have been the admin who changed it.
pub(super) async fn what_was_given_goes(world: &World) -> Result<(), CrmError> {
    let given: Secret = "given by an admin".into();
    for way in ["invited", "owner", "changed", "changed and owner"] {
        let slug = format!("given-{}", way.replace(' ', "-"));
        let other = format!("joined-{slug}");
        let sessions = world.organization(&slug).await?;
        let user = sessions[3].user();
        let of = Membership::COLUMNS.user_id.eq(&user.id);
        let member = sessions[0].list(&Query::new(of)).await?.items.remove(0).id;
        sessions[1].run(&ResetPassword { member, password: given.clone() }).await?;
        let mut signed = world.login(&slug, user.email.as_str(), given.expose()).await?;
        let changed: Secret = "chosen by whoever knew it".into();
        if way.starts_with("changed") {
            let session = world.crm.session_with_token(signed.access.expose()).await?;
            session.change_password(&given, &changed).await?;
            signed = world.login(&slug, user.email.as_str(), changed.expose()).await?;
        }
        let session = world.crm.session_with_token(signed.access.expose()).await?;
        session.run(&SetUsername(Some(format!("squatter.{slug}").parse()?))).await?;
        if way.ends_with("owner") {
            let mut new = new_organization(&other)?;
            new.owner_email = user.email.clone();
            new.owner_name = "Their Own Name".parse()?;
            world.crm.create_organization(&new).await?;
        } else {
            let owner = organization(&world.crm, &other).await?;
            let new = NewInvitation { email: user.email.clone(), role: Role::Admin, days: None };
            let text = owner.invite(&new).await?.text;
            world.crm.accept_invitation(&text, "Their Own Name".parse().ok()).await?;
        }
        for slug in [&slug, &other] {
            for password in [&given, &changed] {
                assert!(world.login(slug, user.email.as_str(), password.expose()).await.is_err(), "{way}");
            }
        }
        assert!(!world.opens(&signed).await? && !world.refreshes(&signed.refresh).await?, "{way}");
        let now = world.user(&user).await?;
        assert_eq!((&*now.full_name, &now.username, now.memberships), ("Their Own Name", &None, 2), "{way}");
        world.clock.advance(3_600);
        let own: Secret = "chosen by oneself".into();
        world.crm.set_password(&user.email, &own).await?;
        world.login(&other, user.email.as_str(), own.expose()).await?;
        // What the host sets stays, and so does what its user makes of it.
        let session = world.crm.session(&other.parse()?, &user.email).await?;
        session.change_password(&own, &PASSWORD.into()).await?;
        joined(&world.crm, &organization(&world.crm, &format!("third-{slug}")).await?, &user.email, Role::Viewer)
            .await?;
        world.login(&other, user.email.as_str(), PASSWORD).await?;
    }
    Ok(())
}

/// Whoever was deactivated joins again once they are a member nowhere, or the host says so.
pub(super) async fn who_was_deactivated(world: &World) -> Result<(), CrmError> {
    let sessions = world.organization("off").await?;
    let user = sessions[3].user();
    let of = Membership::COLUMNS.user_id.eq(&user.id);
    let member = sessions[0].list(&Query::new(of)).await?.items.remove(0).id;
    sessions[0].run(&DeactivateUser(member)).await?;
    // Who has them as a member may have had reason to.
    let elsewhere = organization(&world.crm, "off-elsewhere").await?;
    let new = NewInvitation { email: user.email.clone(), role: Role::Viewer, days: None };
    let text = elsewhere.invite(&new).await?.text;
    let refused = world.crm.accept_invitation(&text, None).await;
    assert!(matches!(refused, Err(CrmError::BadCredential(_))), "{refused:?}");
    let mut owned = new_organization("off-owned")?;
    owned.owner_email = user.email.clone();
    let refused = world.crm.create_organization(&owned).await;
    assert!(matches!(refused, Err(CrmError::Access(AccessError::Deactivated(_)))), "{refused:?}");
    assert!(!world.user(&user).await?.active);

    sessions[0].run(&RemoveMember { member }).await?;
    world.crm.accept_invitation(&text, None).await?;
    let back = world.user(&user).await?;
    assert!(back.active && back.password_hash.is_none(), "{back:?}");
    assert_eq!(back.memberships, 1);
    assert!(world.login("off-elsewhere", user.email.as_str(), PASSWORD).await.is_err());

    // Somebody made the account, and shut it, before its user came.
    let squatted = world.organization("squat").await?[3].user();
    let owner = world.crm.session(&"squat".parse()?, &"owner@squat.example".parse()?).await?;
    let of = Membership::COLUMNS.user_id.eq(&squatted.id);
    let member = owner.list(&Query::new(of)).await?.items.remove(0).id;
    owner.run(&DeactivateUser(member)).await?;
    let unknown = world.crm.activate_user(&"nobody@squat.example".parse()?).await;
    assert!(matches!(unknown, Err(CrmError::NotFound { entity: "user", .. })), "{unknown:?}");
    world.crm.activate_user(&squatted.email).await?;
    joined(&world.crm, &elsewhere, &squatted.email, Role::Viewer).await?;
    Ok(())
}

/// Keys, logins and invitations of an earlier membership do not revive with a new one, also those that were made while it
/// ended, or were too many to end with it.
pub(super) async fn nothing_revives(world: &World) -> Result<(), CrmError> {
    let sessions = world.organization("revive").await?;
    let (owner, admin) = (&sessions[0], &sessions[1]);
    let user = admin.user();
    let of = Membership::COLUMNS.user_id.eq(&user.id);
    let member = owner.list(&Query::new(of)).await?.items.remove(0).id;
    let key = admin.create_key(&NewKey::new("Old".parse()?, Role::Admin, "contact.*".parse()?)).await?;
    let signed = world.login("revive", user.email.as_str(), PASSWORD).await?;
    let new = NewInvitation { email: "guest@revive.example".parse()?, role: Role::Viewer, days: Some(30) };
    let sent = admin.invite(&new).await?;
    let login = Select::new(LoginSession::TABLE, LoginSession::COLUMNS.user_id.eq(&user.id).into());
    let login = world.crm.store().all::<LoginSession>(owner.scope(), &login).await?.remove(0);
    owner.run(&RemoveMember { member }).await?;
    let store = world.crm.store();
    let withdrawn = store.get(owner.scope(), sent.invitation.id).await?.and_then(|invitation| invitation.ended);
    assert_eq!(withdrawn, Some(InvitationEnd::Withdrawn));

    // As if they had slipped through.
    let mut context = owner.context();
    let mut changes = ChangeSet::new(context.stamp("test.slip"));
    let revoked = store.get(owner.scope(), key.key.id).await?.ok_or(CrmError::BadCredential("the key"))?;
    changes.update(&context, &revoked, ApiKey { revoked_at: None, ..revoked.value.clone() });
    for _ in 0..2_001 {
        changes.insert(&mut context, login.value.clone());
    }
    store.apply(owner.scope(), changes).await?;

    joined(&world.crm, owner, &user.email, Role::Admin).await?;
    let refused = world.crm.session_with_key(&key.text).await;
    assert!(matches!(refused, Err(CrmError::BadCredential(_))), "{:?}", refused.map(drop));
    assert!(!world.opens(&signed).await? && !world.refreshes(&signed.refresh).await?);
    let refused = world.crm.accept_invitation(&sent.text, "Guest".parse().ok()).await;
    assert!(matches!(refused, Err(CrmError::BadCredential(_))), "{refused:?}");
    let now: Instant = world.crm.environment().now();
    let columns = LoginSession::COLUMNS;
    let open = columns.user_id.eq(&user.id) & columns.ends_at.gt(&now) & columns.revoked_at.is_null();
    let open = Select::new(LoginSession::TABLE, open.into());
    assert_eq!(world.crm.store().all::<LoginSession>(owner.scope(), &open).await?.len(), 0);
    // A new one is as good as any.
    let signed = world.login("revive", user.email.as_str(), PASSWORD).await?;
    world.crm.session_with_token(signed.access.expose()).await?.create(person()).await?;
    Ok(())
}
