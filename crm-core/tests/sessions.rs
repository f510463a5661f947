//! Sessions that are kept: they end with the credential that opened them.
#![expect(clippy::unwrap_used, reason = "these are tests")]

use crm_core::access::{ActivateUser, DeactivateUser, Membership, NewKey, Role, Signed};
use crm_core::import::{Import, ImportKind};
use crm_core::people::{Contact, ContactKind};
use crm_core::store::{MemoryStore, Query};
use crm_core::testing::boundaries::kept;
use crm_core::testing::logins::{PASSWORD, World};
use crm_core::{CrmError, Edit, Session, block_on, testing};

const HALF_AN_HOUR: i64 = 1_800;

fn world() -> (World, Session<'static>) {
    let world = World::new(MemoryStore::new());
    let owner = block_on(testing::organization(&world.crm, "acme")).unwrap();
    block_on(world.crm.set_password(&owner.user().email, &PASSWORD.into())).unwrap();
    (world, owner)
}

fn login(world: &World) -> Signed {
    block_on(world.login("acme", "owner@acme.example", PASSWORD)).unwrap()
}

fn open(world: &World, signed: &Signed) -> Session<'static> {
    block_on(world.crm.session_with_token(signed.access.expose())).unwrap()
}

fn person() -> Edit<Contact> {
    let columns = Contact::COLUMNS;
    Edit::new().set(columns.kind, ContactKind::Person).set(columns.given_name, "Eva".parse().ok())
}

fn is_refused<T>(result: &Result<T, CrmError>) -> bool {
    matches!(result, Err(CrmError::TokenRefused))
}

#[test]
fn a_session_ends_with_its_token() {
    let (world, _) = world();
    let signed = login(&world);
    let session = open(&world, &signed);
    world.clock.advance(HALF_AN_HOUR - 10);
    block_on(session.create(person())).unwrap();
    world.clock.advance(10);
    assert!(is_refused(&block_on(session.create(person()))));
    assert!(is_refused(&block_on(session.create_many(&[person()]))));
    assert!(is_refused(&block_on(session.list(&Query::<Contact>::all()))));
    // The next token goes on with it.
    let next = block_on(world.crm.refresh(&signed.refresh)).unwrap();
    session.renew(&open(&world, &next)).unwrap();
    block_on(session.create(person())).unwrap();
    world.clock.advance(HALF_AN_HOUR);
    assert!(is_refused(&block_on(session.create(person()))));
}

#[test]
fn a_session_that_was_opened_by_name_writes_no_more_once_its_user_is_deactivated() {
    let (world, owner) = world();
    let member = block_on(testing::member(&world.crm, &owner, Role::Manager)).unwrap();
    let with_notes = |notes: &str| person().set(Contact::COLUMNS.notes, notes.parse().ok());
    block_on(member.create(with_notes("before"))).unwrap();
    let of_member = Membership::COLUMNS.user_id.eq(&member.user().id);
    let id = block_on(owner.list(&Query::new(of_member))).unwrap().items[0].id;
    block_on(owner.run(&DeactivateUser(id))).unwrap();
    for refused in [block_on(member.create(person())).err(), block_on(member.create_many(&[person()])).err()] {
        assert!(matches!(refused, Some(CrmError::Unauthenticated(_))), "{refused:?}");
    }
    block_on(owner.run(&ActivateUser(id))).unwrap();
    let again = block_on(world.crm.session(&"acme".parse().unwrap(), &member.user().email)).unwrap();
    block_on(again.create(with_notes("after"))).unwrap();
    assert_eq!(block_on(owner.verify(None)).unwrap().problems, 0);
    assert_eq!(block_on(world.crm.verify_users()).unwrap().problems, 0);
}

#[test]
fn a_session_writes_on_while_its_login_is_refreshed_and_not_after_logout() {
    let (world, owner) = world();
    let signed = login(&world);
    let (session, other) = (open(&world, &signed), open(&world, &login(&world)));
    let next = block_on(world.crm.refresh(&signed.refresh)).unwrap();
    let contact = block_on(session.create(person())).unwrap().id;
    block_on(world.crm.logout(&next.refresh)).unwrap();
    assert!(is_refused(&block_on(session.create(person()))));
    assert!(is_refused(&block_on(session.create_many(&[person()]))));
    let file = std::io::Cursor::new("kind,given_name\nperson,Eva\n");
    assert!(is_refused(&block_on(session.import(Import::new(ImportKind::Contacts, file)))));
    assert_eq!(block_on(owner.count(&Query::<Contact>::all())).unwrap(), 1);
    // Another login is not concerned.
    block_on(other.create(person())).unwrap();
    assert_eq!(block_on(other.export_contact(contact)).unwrap().organization, "acme");
}

#[test]
fn what_tells_or_purges_everything_asks_first_who_acts() {
    let (world, owner) = world();
    let contact = block_on(owner.create(person())).unwrap().id;
    let signed = login(&world);
    let sessions = [(); 4].map(|()| open(&world, &signed));
    block_on(world.crm.logout(&signed.refresh)).unwrap();
    assert!(is_refused(&block_on(sessions[0].export_contact(contact))));
    assert!(is_refused(&block_on(sessions[1].verify(None))));
    assert!(is_refused(&block_on(sessions[2].verify_books())));
    assert!(is_refused(&block_on(sessions[3].purge())));
}

#[test]
fn a_session_ends_with_its_key() {
    let (world, owner) = world();
    let expires_at = Some("2026-06-15T13:00:00Z".parse().unwrap());
    let new = NewKey::new("shop".parse().unwrap(), Role::Manager, "contact.*".parse().unwrap());
    let key = block_on(owner.create_key(&NewKey { expires_at, ..new })).unwrap();
    let session = block_on(world.crm.session_with_key(&key.text)).unwrap();
    block_on(session.create(person())).unwrap();
    world.clock.advance(3_600);
    for refused in [
        block_on(session.create(person())).map(drop),
        block_on(session.create_many(&[person()])).map(drop),
        block_on(session.list(&Query::<Contact>::all())).map(drop),
    ] {
        assert!(matches!(refused, Err(CrmError::BadCredential(_))), "{refused:?}");
    }
}

#[test]
fn what_is_revoked_or_changed_counts_on_the_next_call_of_every_operation() {
    let told = block_on(kept(&World::new(MemoryStore::new()), 1)).unwrap();
    assert!(told.refused > 2_000, "{told:?}");
}
