//! Cases of what the audit tells of changes, and what it forgets.

use super::{World, contact};
use crate::access::{Membership, Role, User};
use crate::audit;
use crate::entity::Entity as _;
use crate::people::Contact;
use crate::store::{ChangeSet, Forgotten, Scope, Seal, StoreExt as _};

pub(super) async fn audit_follows_every_change(world: &mut World<'_>) {
    let first = world.contacts(&["one"]).await.remove(0);
    let mut changes = world.changes();
    let second = changes.update(&world.context, &first, contact("two"));
    world.store.apply(world.scope, changes).await.unwrap();
    let mut changes = world.changes();
    changes.delete(&second);
    world.store.apply(world.scope, changes).await.unwrap();
    let entries = world.entries().await;
    let entries: Vec<_> = entries.iter().filter(|entry| entry.record_id == first.id.uuid()).collect();
    let told: Vec<_> = entries
        .iter()
        .map(|entry| (entry.action.as_str(), entry.record_version, entry.changes.as_ref().unwrap().as_str().to_owned()))
        .collect();
    assert_eq!(told[0].0, "insert");
    assert!(told[0].2.contains(r#""given_name":"one""#), "{told:?}");
    assert_eq!(told[1], ("update", 2, r#"{"given_name":["one","two"]}"#.to_owned()));
    assert_eq!((told[2].0, told[2].1), ("delete", 2));
    assert!(entries.iter().all(|entry| entry.command == "test" && entry.entity == "contact"));
}

pub(super) async fn secrets_and_derived_columns_stay_out_of_the_audit(world: &mut World<'_>) {
    world.contacts(&["Zoë"]).await;
    for entry in world.entries().await {
        let text = entry.changes.as_ref().unwrap().as_str().to_owned();
        assert!(!text.contains("name_key") && !text.contains("search"), "{text}");
    }
    let mut changes = world.changes();
    let email = format!("case-{}@example.com", world.scope.key()).parse().unwrap();
    let user = User::new(email, "A user".parse().unwrap());
    let user = changes.insert(&mut world.context, user);
    changes.insert(&mut world.context, Membership { user_id: user.id, role: Role::Viewer });
    world.store.apply(world.scope, changes).await.unwrap();
    assert_eq!(world.store.get(Scope::SYSTEM, user.id).await.unwrap(), Some(user));
}

pub(super) async fn the_chain_verifies(world: &mut World<'_>) {
    for name in ["a", "b", "c"] {
        world.contacts(&[name, name]).await;
    }
    let mut seal = world.changes();
    seal.seal = Some(Seal { limit: 1_000 });
    world.store.apply(world.scope, seal).await.unwrap();
    let report = audit::verify(world.store, world.scope, None).await.unwrap();
    // Six contacts and the organization itself.
    assert_eq!((report.entries, report.unsealed, report.records), (7, 0, 7));
    assert_eq!(report.findings, []);
    assert_eq!(report.head.seq, 7);
    let anchored = audit::verify(world.store, world.scope, Some(&report.head)).await.unwrap();
    assert_eq!(anchored.findings, []);
    let ahead = audit::Head { seq: 8, ..report.head };
    assert_eq!(audit::verify(world.store, world.scope, Some(&ahead)).await.unwrap().problems, 1);
}

pub(super) async fn what_was_deleted_is_forgotten(world: &mut World<'_>) {
    let first = world.contacts(&["one"]).await.remove(0);
    let mut changes = world.changes();
    changes.delete(&first);
    world.store.apply(world.scope, changes).await.unwrap();
    // There is nothing to write but the entry that accounts for it.
    let mut changes = ChangeSet::new(world.context.stamp(audit::ERASING));
    let deleted_at = Some(first.version);
    changes.forgotten.push(Forgotten { table: Contact::TABLE, id: first.id.uuid(), since: 0, deleted_at });
    world.store.apply(world.scope, changes).await.unwrap();
    let entries = world.entries().await;
    let told = entries.iter().filter(|entry| entry.record_id == first.id.uuid());
    let told: Vec<_> = told.map(|entry| (entry.action.as_str(), entry.changes.is_some())).collect();
    assert_eq!(told, [("insert", false), ("delete", false), ("update", true)]);
    let report = audit::verify(world.store, world.scope, None).await.unwrap();
    assert_eq!(report.findings, []);
}
