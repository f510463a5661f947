//! Where secrets must not be: printed, told, exported, or in the audit.

use super::{PASSWORD, World};
use crate::Edit;
use crate::access::{IdempotencyKey, Membership, ResetPassword, Secret, User};
use crate::audit::AuditEntry;
use crate::crud::to_json;
use crate::encode::{encode_row, encode_value};
use crate::entity::{Entity as _, Flags, Tenancy};
use crate::error::CrmError;
use crate::schema::TABLES;
use crate::store::{ChangeSet, Expr, Query, Scope, Select, StoreExt as _};
use crate::value::ValueError;

/// Sets, changes and resets passwords and signs in, and looks for the secrets in all that comes out.
///
/// # Errors
/// When the store fails.
///
/// # Panics
/// When a secret is where it must not be.
pub async fn secrets_stay_secret(world: &World) -> Result<(), CrmError> {
    let sessions = world.organization("canary").await?;
    let (owner, name) = (&sessions[0], "member@canary.example");
    let canaries: [Secret; 3] = ["canary-the-first".into(), "canary-the-second".into(), "canary-the-third".into()];
    let mut told = String::new();
    let mut tell = |text: String| told.push_str(&text);

    world.crm.set_password(&name.parse()?, &canaries[0]).await?;
    let signed = world.login("canary", name, canaries[0].expose()).await?;
    tell(format!("{signed:?}"));
    let session = world.crm.session_with_token(signed.access.expose()).await?;
    assert_eq!(session.user().password_hash, None);
    tell(format!("{:?} {}", session.user(), to_json(&session.user())));
    tell(format!("{:?}", session.change_password(&canaries[1], &canaries[2]).await));
    let changed = session.change_password(&canaries[0], &canaries[1]).await?;
    assert_eq!(changed.password_hash, None);
    tell(format!("{changed:?} {}", to_json(&changed)));
    let member = owner.list(&Query::new(Membership::COLUMNS.user_id.eq(&changed.id))).await?.items.remove(0).id;
    let reset = ResetPassword { member, password: canaries[2].clone() };
    let key: IdempotencyKey = "canary".parse()?;
    for _ in 0..2 {
        let answer = owner.run_with_key(&reset, Some(&key)).await?;
        assert_eq!(answer.password_hash, None);
        tell(format!("{reset:?} {answer:?} {}", to_json(&answer)));
    }
    let weak = ResetPassword { member, password: "canary".into() };
    tell(format!("{:?}", owner.run(&weak).await.map(drop).map_err(|error| (error.to_string(), error))));
    tell(format!("{:?}", world.login("canary", name, canaries[0].expose()).await));
    let signed_again = world.login("canary", name, canaries[2].expose()).await?;
    let next = world.crm.refresh(&signed_again.refresh).await?;
    tell(format!("{next:?}"));

    // What a secret column holds cannot be set by text, and stands in no description of a change.
    let field = Edit::<User>::parse([("password_hash", "canary")], &owner.locale());
    assert!(field.is_err_and(|refused| refused[0].reason == ValueError::ReadOnly));
    let stored = Select::new(User::TABLE, User::COLUMNS.email_key.eq(&name.to_owned()).into());
    let stored = world.crm.store().first::<User>(Scope::SYSTEM, stored).await?.ok_or(CrmError::LoginRefused)?;
    let mut changes = ChangeSet::new(owner.context().stamp("test"));
    changes.update(&owner.context(), &stored, User { active: false, ..stored.value.clone() });
    tell(format!("{changes:?} {stored:?} {}", to_json(&stored)));
    tell(format!("{:?}", world.crm.token_keys()?));

    // Every row as it is exported, the audit included; and what was stored, which the search must not find.
    let mut hidden = Vec::new();
    for table in TABLES {
        let scope = if table.tenancy == Tenancy::Global { Scope::SYSTEM } else { owner.scope() };
        for row in world.crm.store().select(scope, &Select::new(table, Expr::True)).await? {
            tell(encode_row(table, &row));
            for (column, value) in table.columns.iter().zip(&row) {
                if column.flags.contains(Flags::SECRET) && !value.is_null() {
                    hidden.push(encode_value(column.kind, value).to_string().replace('"', ""));
                }
            }
        }
    }
    assert!(hidden.len() > 5, "{}", hidden.len());
    let entries = owner.list(&Query::new(AuditEntry::COLUMNS.entity.eq(&"user".to_owned()))).await?;
    assert!(entries.items.iter().any(|entry| entry.command == "user.reset_password"));
    let tokens = [&signed, &signed_again, &next].into_iter().flat_map(|signed| [&signed.access, &signed.refresh]);
    let secrets = canaries.iter().chain(tokens).map(|secret| secret.expose().to_owned());
    for secret in secrets.chain(hidden).chain([PASSWORD.to_owned(), "$argon2id$".to_owned()]) {
        assert!(!told.contains(&secret), "{secret} came out");
    }
    Ok(())
}
