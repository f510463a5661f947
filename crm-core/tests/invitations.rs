//! Invitations: who may send one, and what opens it.
#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::fmt::Write as _;

use crm_core::access::{
    AccessError, AddMember, CreatedInvitation, Invitation, InvitationEnd, Membership, NewInvitation, NewKey,
    RemoveMember, Role, SetRole, User, WithdrawInvitation,
};
use crm_core::entity::{Entity as _, Stored, Tenancy};
use crm_core::schema::TABLES;
use crm_core::store::{Expr, MemoryStore, Query, Select, StoreExt as _};
use crm_core::testing::{self, TestEnvironment};
use crm_core::value::{Email, Text};
use crm_core::{Crm, CrmError, ErrorCode, Session, block_on};

struct World {
    crm: Crm,
    environment: TestEnvironment,
    owner: Session<'static>,
}

fn world() -> World {
    let environment = TestEnvironment::new(1);
    let crm = Crm::new(MemoryStore::new(), environment.clone());
    let owner = block_on(testing::organization(&crm, "acme")).unwrap();
    World { crm, environment, owner }
}

fn eva() -> Email {
    "eva@example.com".parse().unwrap()
}

fn name() -> Option<Text<255>> {
    "Eva".parse().ok()
}

impl World {
    fn invite(&self, role: Role) -> CreatedInvitation {
        block_on(self.owner.invite(&NewInvitation { email: eva(), role, days: None })).unwrap()
    }

    fn accept(&self, invitation: &CreatedInvitation) -> Result<Stored<Membership>, CrmError> {
        block_on(self.crm.accept_invitation(&invitation.text, name()))
    }

    fn state(&self, invitation: &CreatedInvitation) -> Option<InvitationEnd> {
        block_on(self.owner.get(invitation.invitation.id)).unwrap().ended
    }

    fn member(&self, session: &Session<'_>) -> crm_core::Id<Membership> {
        let of_user = Membership::COLUMNS.user_id.eq(&session.user().id);
        block_on(self.owner.list(&Query::new(of_user))).unwrap().items[0].id
    }
}

fn is_no_credential<T>(result: Result<T, CrmError>) -> bool {
    matches!(result, Err(error @ CrmError::BadCredential(_)) if error.code() == ErrorCode::Unauthenticated)
}

#[test]
fn whoever_accepts_becomes_a_member_once() {
    let world = world();
    let invitation = world.invite(Role::Manager);
    assert!(matches!(
        block_on(world.crm.accept_invitation(&invitation.text, None)),
        Err(CrmError::Invalid(refused)) if refused[0].field == "full_name"
    ));
    assert_eq!(world.accept(&invitation).unwrap().role, Role::Manager);
    let session = block_on(world.crm.session(&"acme".parse().unwrap(), &eva())).unwrap();
    assert_eq!((session.role(), session.user().full_name.as_str()), (Role::Manager, "Eva"));
    assert_eq!(world.state(&invitation), Some(InvitationEnd::Accepted));
    assert!(is_no_credential(world.accept(&invitation)));
    assert!(is_no_credential(block_on(world.crm.decline_invitation(&invitation.text))));
    let again = block_on(world.owner.invite(&NewInvitation { email: eva(), role: Role::Admin, days: None }));
    assert_eq!(again.unwrap_err().code(), ErrorCode::Duplicate);
    let late = block_on(world.owner.run(&WithdrawInvitation(invitation.invitation.id)));
    assert!(matches!(late, Err(CrmError::Access(AccessError::InvitationEnded(InvitationEnd::Accepted)))));
    assert!(block_on(world.owner.verify(None)).unwrap().findings.is_empty());
}

#[test]
fn a_user_of_another_organization_joins_as_who_they_are() {
    let world = world();
    let there = block_on(testing::organization(&world.crm, "there")).unwrap();
    let new = NewInvitation { email: there.user().email.clone(), role: Role::Viewer, days: None };
    let invitation = block_on(world.owner.invite(&new)).unwrap();
    let member = block_on(world.crm.accept_invitation(&invitation.text, None)).unwrap();
    assert_eq!((member.user_id, member.role), (there.user().id, Role::Viewer));
    // It opens this organization alone.
    assert_eq!(block_on(there.count(&Query::<Membership>::all())).unwrap(), 1);
}

/// Nobody makes somebody else's user a member: not of another organization, nor one who left, nor one who was ended.
#[test]
fn users_are_not_added_but_invited() {
    let world = world();
    let there = block_on(testing::organization(&world.crm, "there")).unwrap();
    let gone = block_on(testing::member(&world.crm, &there, Role::Viewer)).unwrap();
    let asleep = block_on(testing::member(&world.crm, &there, Role::Member)).unwrap();
    let of_gone = Membership::COLUMNS.user_id.eq(&gone.user().id);
    let member = block_on(there.list(&Query::new(of_gone))).unwrap().items[0].id;
    block_on(there.run(&RemoveMember { member })).unwrap();
    deactivate(&world, &asleep.user());
    let add = |email: &Email| {
        block_on(world.owner.run(&AddMember { email: email.clone(), full_name: name(), role: Role::Viewer }))
    };
    for user in [there.user(), gone.user(), asleep.user()] {
        let refused = add(&user.email).unwrap_err();
        let told = format!("{} has an account already: invite them", user.email);
        assert!(
            matches!(refused, CrmError::Access(AccessError::KnownUser(_))) && refused.to_string() == told,
            "{refused}"
        );
    }
    let refused = add(&world.owner.user().email).unwrap_err();
    assert!(matches!(refused, CrmError::Duplicate { entity: "membership", .. }), "{refused}");
    assert_eq!(block_on(world.owner.count(&Query::<Membership>::all())).unwrap(), 1);
    assert_eq!(
        block_on(testing::joined(&world.crm, &world.owner, &gone.user().email, Role::Viewer)).unwrap().role,
        Role::Viewer
    );
}

#[test]
fn what_has_expired_ended_or_is_another_text_opens_nothing() {
    let world = world();
    let declined = world.invite(Role::Viewer);
    block_on(world.crm.decline_invitation(&declined.text)).unwrap();
    assert_eq!(world.state(&declined), Some(InvitationEnd::Declined));
    let replaced = world.invite(Role::Viewer);
    let withdrawn = world.invite(Role::Manager);
    assert_eq!(world.state(&replaced), Some(InvitationEnd::Withdrawn));
    block_on(world.owner.run(&WithdrawInvitation(withdrawn.invitation.id))).unwrap();
    block_on(world.owner.run(&WithdrawInvitation(withdrawn.invitation.id))).unwrap();
    let key =
        block_on(world.owner.create_key(&NewKey::new("key".parse().unwrap(), Role::Viewer, "*.read".parse().unwrap())));
    for text in [&declined.text, &replaced.text, &withdrawn.text, &key.unwrap().text, &"crminv_1_x".into()] {
        assert!(is_no_credential(block_on(world.crm.accept_invitation(text, name()))));
    }
    let expiring = world.invite(Role::Viewer);
    assert!(is_no_credential(block_on(world.crm.session_with_key(&expiring.text))));
    world.environment.advance(7 * 86_400);
    assert!(is_no_credential(world.accept(&expiring)));
    assert_eq!(block_on(world.owner.count(&Query::<Membership>::all())).unwrap(), 1);
    for days in [0, -1, 31] {
        let new = NewInvitation { email: eva(), role: Role::Viewer, days: Some(days) };
        assert_eq!(block_on(world.owner.invite(&new)).unwrap_err().code(), ErrorCode::Invalid);
    }
}

#[test]
fn an_invitation_is_worth_as_much_as_who_sent_it() {
    for ending in ["demoted", "removed", "inactive", "none"] {
        let world = world();
        let admin = block_on(testing::member(&world.crm, &world.owner, Role::Admin)).unwrap();
        let invitation =
            block_on(admin.invite(&NewInvitation { email: eva(), role: Role::Admin, days: None })).unwrap();
        let member = world.member(&admin);
        match ending {
            "demoted" => drop(block_on(world.owner.run(&SetRole { member, role: Role::Manager })).unwrap()),
            "removed" => drop(block_on(world.owner.run(&RemoveMember { member })).unwrap()),
            "inactive" => deactivate(&world, &admin.user()),
            _ => {}
        }
        assert_eq!(is_no_credential(world.accept(&invitation)), ending != "none", "{ending}");
    }
}

fn deactivate(world: &World, user: &Stored<User>) {
    let mut context = world.owner.context();
    let mut changes = crm_core::store::ChangeSet::new(context.stamp("test"));
    changes.update(&context, user, User { active: false, ..user.value.clone() });
    block_on(world.crm.store().apply(world.owner.scope(), changes)).unwrap();
}

#[test]
fn who_may_not_act_does_not_join() {
    let world = world();
    let there = block_on(testing::organization(&world.crm, "there")).unwrap();
    let new = NewInvitation { email: there.user().email.clone(), role: Role::Viewer, days: None };
    let invitation = block_on(world.owner.invite(&new)).unwrap();
    deactivate(&world, &there.user());
    assert!(is_no_credential(world.accept(&invitation)));
}

#[test]
fn owners_are_invited_by_owners_and_nobody_is_invited_by_managers() {
    let world = world();
    let admin = block_on(testing::member(&world.crm, &world.owner, Role::Admin)).unwrap();
    let owner = NewInvitation { email: eva(), role: Role::Owner, days: None };
    assert!(matches!(block_on(admin.invite(&owner)), Err(CrmError::Access(AccessError::OwnersOnly))));
    let invitation = world.invite(Role::Owner);
    // Nor withdrawn or replaced by others.
    let id = invitation.invitation.id;
    assert!(matches!(block_on(admin.run(&WithdrawInvitation(id))), Err(CrmError::Access(AccessError::OwnersOnly))));
    let lesser = NewInvitation { role: Role::Viewer, ..owner.clone() };
    assert!(matches!(block_on(admin.invite(&lesser)), Err(CrmError::Access(AccessError::OwnersOnly))));
    assert_eq!(world.accept(&invitation).unwrap().role, Role::Owner);
    let manager = block_on(testing::member(&world.crm, &world.owner, Role::Manager)).unwrap();
    assert_eq!(block_on(manager.invite(&lesser)).unwrap_err().code(), ErrorCode::Forbidden);
}

#[test]
fn of_many_who_answer_at_once_one_is_heard() {
    for _ in 0..20 {
        let world = world();
        let invitation = world.invite(Role::Viewer);
        let heard: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..16)
                .map(|number| {
                    let (world, invitation) = (&world, &invitation);
                    scope.spawn(move || match number % 2 {
                        0 => world.accept(invitation).is_ok(),
                        _ => block_on(world.crm.decline_invitation(&invitation.text)).is_ok(),
                    })
                })
                .collect();
            threads.into_iter().map(|thread| usize::from(thread.join().unwrap())).sum()
        });
        assert_eq!(heard, 1);
        let members = block_on(world.owner.count(&Query::<Membership>::all())).unwrap();
        assert_eq!(members == 2, world.state(&invitation) == Some(InvitationEnd::Accepted));
    }
}

#[test]
fn the_text_of_an_invitation_appears_nowhere() {
    let world = world();
    let invitation = world.invite(Role::Viewer);
    world.accept(&invitation).unwrap();
    let secret = invitation.text.expose().rsplit('_').next().unwrap();
    let mut seen = format!("{invitation:?} {}", crm_core::crud::to_json(&invitation.invitation));
    for table in TABLES.iter().copied().filter(|table| table.tenancy == Tenancy::Organization) {
        let rows = block_on(world.crm.store().select(world.owner.scope(), &Select::new(table, Expr::True))).unwrap();
        let _ = write!(seen, "{rows:?}");
    }
    assert!(seen.contains(&invitation.invitation.prefix) && !seen.contains(&secret[..12]));
    let stored = block_on(world.crm.store().get::<Invitation>(world.owner.scope(), invitation.invitation.id)).unwrap();
    assert!(stored.unwrap().hash.is_some() && Invitation::TABLE.audited);
}
