//! The steps of the play that concern API keys, quotas and invitations.

use std::fmt::Write as _;

use super::{Dice, Made, contact, pairs, told};
use crate::access::{
    ApiKey, Invitation, NewInvitation, NewKey, RevokeKey, Role, Scopes, Secret, SetQuota, WithdrawInvitation,
};
use crate::billing::Product;
use crate::commands::Create;
use crate::crud::{Edit, to_json};
use crate::error::CrmError;
use crate::id::Id;
use crate::{Crm, Session};

/// The keys and invitations that were made.
#[derive(Default)]
pub(super) struct MadeAccess {
    keys: Vec<(Id<ApiKey>, Secret)>,
    invitations: Vec<(Id<Invitation>, Secret)>,
}

const SCOPES: &[&str] = &["*.read contact.*", "contact.create deal.read", "product.create", "contact.create api_key.*"];

fn new_key(session: &Session<'_>, dice: &mut Dice) -> NewKey {
    let alias = format!("Key {}", dice.roll(9)).parse().expect("a valid alias");
    let scopes: Scopes = dice.pick(SCOPES).copied().unwrap_or_default().parse().expect("known scopes");
    let role = *dice.pick(Role::ALL).unwrap_or(&Role::Viewer);
    let end = session.context().now().checked_add_micros(900_000_000).ok();
    let per_day = i64::try_from(dice.roll(3)).unwrap_or(0);
    let quotas = vec![("contact.create".to_owned(), per_day)];
    NewKey { expires_at: end.filter(|_| dice.once_in(6)), quotas, ..NewKey::new(alias, role, scopes) }
}

pub(super) async fn step(crm: &Crm, session: &Session<'_>, dice: &mut Dice, made: &mut Made) -> String {
    let key = dice.pick(&made.access.keys).cloned();
    match (dice.roll(10), key) {
        (0, Some((id, _))) => format!("api_key.revoke {}", told(session.run(&RevokeKey(id)).await).0),
        (1, Some((key, _))) => {
            let operation =
                (*dice.pick(&["contact.create", "product.create", "contact.read"]).unwrap_or(&"")).to_owned();
            let per_day = (!dice.once_in(3)).then(|| i64::try_from(dice.roll(4)).unwrap_or(0) - 1);
            format!("api_key.set_quota {}", told(session.run(&SetQuota { key, operation, per_day }).await).0)
        }
        (2..=5, Some((_, text))) => work(crm, &text, dice, made).await,
        (6..=8, _) => invitation(crm, session, dice, made).await,
        _ => match session.create_key(&new_key(session, dice)).await {
            Ok(created) => {
                made.access.keys.push((created.key.id, created.text));
                format!("api_key.create {}", to_json(&created.key))
            }
            Err(error) => format!("api_key.create {}", refused(&error)),
        },
    }
}

fn refused(error: &CrmError) -> String {
    format!("{}: {error}", error.code().as_str())
}

/// What a program does with a key.
async fn work(crm: &Crm, text: &Secret, dice: &mut Dice, made: &mut Made) -> String {
    let session = match crm.session_with_key(text).await {
        Ok(session) => session,
        Err(error) => return format!("key {}", refused(&error)),
    };
    let mut out = String::new();
    if dice.once_in(4) {
        let product: Edit<Product> = pairs(&[("name", "Thing".to_owned()), ("unit_price", "1".to_owned())]);
        let _ = write!(out, "key product.create {}", told(session.create(product).await).0);
    } else {
        match session.run_counted(&Create(contact(dice, made)), None).await {
            Ok(counted) => {
                made.contacts.push(counted.record.id);
                let left = serde_json::json!(counted.quotas);
                let _ = write!(out, "key contact.create {} left {left}", to_json(&counted.record));
            }
            Err(error) => {
                let _ = write!(out, "key contact.create {}", refused(&error));
            }
        }
    }
    match session.quotas().await {
        Ok(left) => format!("{out} quotas {} now", serde_json::json!(left)),
        Err(error) => format!("{out} quotas {}", refused(&error)),
    }
}

async fn invitation(crm: &Crm, session: &Session<'_>, dice: &mut Dice, made: &mut Made) -> String {
    let known = dice.pick(&made.access.invitations).cloned();
    match (dice.roll(6), known) {
        (0, Some((id, _))) => {
            format!("invitation.withdraw {}", told(session.run(&WithdrawInvitation(id)).await).0)
        }
        (1 | 2, Some((_, text))) => {
            let name = (!dice.once_in(4)).then(|| "New One".parse().ok()).flatten();
            let (line, member) = told(crm.accept_invitation(&text, name).await);
            made.members.extend(member.map(|member| member.id));
            format!("invitation.accept {line}")
        }
        (3, Some((_, text))) => {
            let answer = crm.decline_invitation(&text).await;
            format!("invitation.decline {}", answer.map_or_else(|error| refused(&error), |()| "ok".to_owned()))
        }
        _ => {
            let Ok(email) = format!("new{}@example.com", dice.roll(16)).parse() else { return String::new() };
            let role = *dice.pick(Role::ALL).unwrap_or(&Role::Viewer);
            let days = dice.once_in(4).then(|| i64::try_from(dice.roll(40)).unwrap_or(0));
            match session.invite(&NewInvitation { email, role, days }).await {
                Ok(created) => {
                    made.access.invitations.push((created.invitation.id, created.text));
                    format!("invitation.create {}", to_json(&created.invitation))
                }
                Err(error) => format!("invitation.create {}", refused(&error)),
            }
        }
    }
}
