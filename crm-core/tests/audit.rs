//! Users are verified against the entries of all chains, on the memory store.
#![expect(clippy::unwrap_used, reason = "these are tests")]

use crm_core::access::{EndSessions, RemoveMember, Role, User};
use crm_core::audit::AuditEntry;
use crm_core::entity::{Entity as _, Stored};
use crm_core::row::{Row, Value};
use crm_core::store::{Change, ChangeSet, MemoryStore, Scope, Select, StoreExt as _};
use crm_core::{Crm, Session, block_on, testing};

async fn problems(crm: &Crm) -> Vec<String> {
    let found = crm.verify_users().await.unwrap();
    assert_eq!(found.problems, found.findings.len() as u64);
    found.findings.into_iter().map(|finding| finding.problem).collect()
}

/// The entries of an organization's chain about a user.
async fn entries(session: &Session<'_>, user: &Stored<User>) -> Vec<Row> {
    let of_user = AuditEntry::COLUMNS.record_id.eq(&user.id.uuid()).into();
    session.store().select(session.scope(), &Select::new(AuditEntry::TABLE, of_user)).await.unwrap()
}

async fn apply(session: &Session<'_>, change: impl FnOnce(&mut ChangeSet)) {
    let mut changes = ChangeSet::new(session.context().stamp("test"));
    change(&mut changes);
    session.store().apply(session.scope(), changes).await.unwrap();
}

#[test]
fn users_are_as_the_newest_entry_of_all_chains_left_them() {
    block_on(async {
        let crm = testing::crm(MemoryStore::new(), 1);
        let here = testing::organization(&crm, "here").await.unwrap();
        let there = testing::organization(&crm, "there").await.unwrap();
        let email = here.user().email.clone();
        let member = testing::joined(&crm, &there, &email, Role::Admin).await.unwrap();
        // Each chain knows a version that the others do not.
        here.run(&EndSessions).await.unwrap();
        let elsewhere = crm.session(&"there".parse().unwrap(), &email).await.unwrap();
        elsewhere.run(&EndSessions).await.unwrap();
        assert_eq!(there.verify(None).await.unwrap().problems, 0);
        crm.set_password(&email, &"correct horse battery staple".into()).await.unwrap();
        assert_eq!(problems(&crm).await, Vec::<String>::new());
        assert_eq!(here.verify(None).await.unwrap().problems, 0);
        there.run(&RemoveMember { member: member.id }).await.unwrap();
        assert_eq!(problems(&crm).await, Vec::<String>::new());

        let column = User::COLUMNS.memberships.index();
        apply(&here, |changes| {
            changes.count(here.user().id, column, 1, 9);
        })
        .await;
        assert_eq!(problems(&crm).await, ["the user is a member of 1 organizations, not of 2"]);
        apply(&here, |changes| {
            changes.count(here.user().id, column, -1, 9);
        })
        .await;
        assert_eq!(problems(&crm).await, Vec::<String>::new());

        // Another chain repeats what one tells.
        let repeated = entries(&there, &here.user()).await.remove(0);
        let mut copy = repeated.clone();
        copy[0] = Value::Id(here.context().new_id());
        for column in [AuditEntry::COLUMNS.seq.index(), AuditEntry::COLUMNS.hash.index()] {
            copy[column] = Value::Null;
        }
        let copies = |table| Change::Insert { table, row: copy.clone() };
        apply(&here, |changes| changes.changes.push(copies(AuditEntry::TABLE))).await;
        let version = AuditEntry::COLUMNS.record_version.index();
        let problem = format!("more than one entry tells of version {}", repeated[version].as_int().unwrap());
        assert_eq!(problems(&crm).await, [problem]);
        let taken_back = Change::Delete { table: AuditEntry::TABLE, before: copy.clone() };
        apply(&here, |changes| changes.changes.push(taken_back)).await;
        assert_eq!(problems(&crm).await, Vec::<String>::new());

        let removed = |rows: Vec<Row>| {
            move |changes: &mut ChangeSet| {
                let rows = rows.into_iter().map(|before| Change::Delete { table: AuditEntry::TABLE, before });
                changes.changes.extend(rows);
            }
        };
        apply(&there, removed(entries(&there, &there.user()).await)).await;
        assert_eq!(problems(&crm).await, ["the record has no entry"]);
        let user = crm.store().get(Scope::SYSTEM, there.user().id).await.unwrap().unwrap();
        // An entry of a later version, as of a change that was taken back.
        let newer = User { epoch: user.epoch + 1, ..user.value.clone() };
        apply(&there, |changes| drop(changes.update(&there.context(), &user, newer))).await;
        assert_eq!(problems(&crm).await, ["no entry tells of version 1"]);
        apply(&there, removed(entries(&there, &user).await)).await;
        assert_eq!(problems(&crm).await, ["the record has no entry"]);
    });
}
