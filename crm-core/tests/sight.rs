//! What a caller may see: of other tables through filters, and of secret columns.
#![expect(clippy::unwrap_used, reason = "these are tests")]

use crm_core::access::{
    ApiKey, Invitation, LoginSession, Membership, NewInvitation, NewKey, RemoveMember, RevokeKey, Role, SetQuota, User,
    WithdrawInvitation,
};
use crm_core::activity::{Interaction, InteractionKind};
use crm_core::entity::Entity as _;
use crm_core::people::{Contact, ContactKind};
use crm_core::sales::Lead;
use crm_core::store::{Cmp, Expr, Filter, MemoryStore, Operand, Query, StoreExt as _};
use crm_core::value::Notes;
use crm_core::{Crm, CrmError, Edit, Id, Rules, Session, Update, Value, block_on, testing};

struct World {
    crm: Crm,
    owner: Session<'static>,
    member: Session<'static>,
}

const NOTES: &str = "They want a discount of a third";

impl World {
    /// A contact of the member's with a lead of the owner's, and a contact of the owner's with a lead of the member's;
    /// both leads with notes of the owner's.
    fn new() -> Self {
        let crm = testing::crm(MemoryStore::new(), 1);
        let owner = block_on(testing::organization(&crm, "acme")).unwrap();
        let member = block_on(testing::member(&crm, &owner, Role::Member)).unwrap();
        let contacts = Contact::COLUMNS;
        for (of, lead_of) in [(&member, &owner), (&owner, &member)] {
            let contact = Edit::new().set(contacts.kind, ContactKind::Person).set(contacts.owner_id, of.user().id);
            let contact = contact.set(contacts.given_name, "Zoe".parse().ok());
            let contact = block_on(owner.create(contact)).unwrap();
            let lead = Edit::new().set(Lead::COLUMNS.contact_id, contact.id);
            let lead = lead.set(Lead::COLUMNS.assignee_id, Some(lead_of.user().id));
            let lead = block_on(owner.create(lead)).unwrap();
            let notes = Edit::new().set(Interaction::COLUMNS.kind, InteractionKind::Call);
            let notes = notes.set(Interaction::COLUMNS.notes, NOTES.parse::<Notes<10000>>().unwrap());
            block_on(owner.create(notes.about(Some(lead.id.into())))).unwrap();
        }
        Self { crm, owner, member }
    }

    fn key(&self, scopes: &str) -> Session<'static> {
        let new = NewKey::new(scopes.parse().unwrap(), Role::Viewer, scopes.parse().unwrap());
        let key = block_on(self.owner.create_key(&new)).unwrap();
        block_on(self.crm.session_with_key(&key.text)).unwrap()
    }
}

/// How many records are listed; as many as are counted.
fn found<E: Rules>(session: &Session<'_>, filter: Filter<E>) -> Result<usize, String> {
    let query = Query::new(filter);
    let listed = block_on(session.list(&query)).map(|page| page.items.len()).map_err(|error| error.to_string());
    let counted = block_on(session.count(&query)).map(|count| usize::try_from(count).unwrap());
    assert_eq!(listed, counted.map_err(|error| error.to_string()));
    listed
}

/// Contacts with a lead whose notes begin so.
fn with_notes(text: &str) -> Filter<Contact> {
    let notes = Interaction::COLUMNS.notes.starts_with(text);
    Lead::COLUMNS.contact_id.of_any(Interaction::COLUMNS.lead_id.of_any(notes))
}

#[test]
fn a_filter_sees_of_other_tables_what_the_role_may_read_of_them() {
    let World { owner, member, .. } = World::new();
    assert_eq!(found(&owner, with_notes("They want")), Ok(2));
    assert_eq!(found(&member, Filter::<Contact>::all()), Ok(1));
    assert_eq!(found(&member, with_notes("They want")), Ok(0), "the lead is another's");
    assert_eq!(found(&member, !with_notes("They want")), Ok(1), "as if there were none");
    assert_eq!(found(&member, !with_notes("They do not")), Ok(1));
    // What is one's own is seen from anywhere.
    let noted = Interaction::COLUMNS.lead_id.of_any::<Lead>(Interaction::COLUMNS.notes.starts_with("They want"));
    assert_eq!(found(&member, noted), Ok(1));

    let zoe: Filter<Lead> = Lead::COLUMNS.contact_id.refers_to(Contact::COLUMNS.given_name.starts_with("Z"));
    assert_eq!((found(&owner, zoe.clone()), found(&member, zoe.clone())), (Ok(2), Ok(0)));
    assert_eq!(found(&member, !zoe), Ok(1));
}

#[test]
fn what_is_not_seen_is_absent_where_it_is_compared() {
    let World { owner, member, .. } = World::new();
    let via = || Lead::COLUMNS.contact_id.via(Contact::COLUMNS.given_name);
    let name = Value::Text("Zoe".to_owned());
    for (what, test, seen, unseen) in [
        ("=", Expr::Compare(via(), Cmp::Eq, name.clone()), 2, 0),
        ("in", Expr::In(via(), vec![name]), 2, 0),
        ("starts", Expr::StartsWith(via(), "Z".to_owned()), 2, 0),
        ("contains", Expr::Contains(via(), "o".to_owned()), 2, 0),
        ("null", Expr::IsNull(via()), 0, 1),
        ("not null", Expr::Not(Box::new(Expr::IsNull(via()))), 2, 0),
    ] {
        let filter = || Filter::<Lead>::new(test.clone());
        assert_eq!((found(&owner, filter()), found(&member, filter())), (Ok(seen), Ok(unseen)), "{what}");
    }
    let created = Contact::TABLE.expect_position("created_at");
    let at = Operand::Via { reference: Lead::COLUMNS.contact_id.index(), column: created };
    let age = Operand::Difference(Box::new(at.clone()), Box::new(at));
    let age = || Filter::<Lead>::new(Expr::Compare(age.clone(), Cmp::Eq, Value::Int(0)));
    assert_eq!((found(&owner, age()), found(&member, age())), (Ok(2), Ok(0)));

    let reference = Lead::COLUMNS.contact_id.index();
    let ranks = vec![Expr::True];
    let rank = Operand::Rank { table: Lead::TABLE, reference, filter: Box::new(Expr::True), ranks };
    let rank = || Filter::<Contact>::new(Expr::Compare(rank.clone(), Cmp::Eq, Value::Int(1)));
    assert_eq!((found(&owner, rank()), found(&member, rank())), (Ok(2), Ok(0)));
}

#[test]
fn a_filter_asks_for_the_scopes_of_all_that_it_looks_at() {
    let world = World::new();
    let out = |operation: &str| Err(CrmError::OutOfScope { operation: operation.to_owned() }.to_string());
    let key = world.key("contact.read");
    assert_eq!(found(&key, Filter::<Contact>::all()), Ok(2));
    assert_eq!(found(&key, with_notes("They")), out("lead.read"));
    assert_eq!(found(&world.key("contact.read lead.read"), !with_notes("They")), out("interaction.read"));
    assert_eq!(found(&world.key("contact.read lead.read interaction.read"), with_notes("They")), Ok(2));
    let via = Lead::COLUMNS.contact_id.via(Contact::COLUMNS.given_name);
    assert_eq!(found(&world.key("lead.read"), Filter::<Lead>::new(Expr::IsNull(via))), out("contact.read"));
    let owned = || Contact::COLUMNS.owner_id.refers_to(User::COLUMNS.active.eq(&true));
    assert_eq!(found(&key, owned()), out("membership.read"));
    assert_eq!(found(&world.key("contact.* membership.read"), owned()), Ok(2));
}

#[test]
fn a_filter_does_not_look_beyond_the_organization() {
    let World { crm, owner, member } = World::new();
    let elsewhere = block_on(testing::organization(&crm, "beta")).unwrap();
    let email = owner.user().email.clone();
    block_on(testing::joined(&crm, &elsewhere, &email, Role::Owner)).unwrap();
    // Where somebody is signed in is nobody's business.
    let organization = LoginSession::COLUMNS.organization_id.eq(&elsewhere.organization().id);
    let there: Filter<User> = LoginSession::COLUMNS.user_id.of_any(organization);
    let refused = found(&owner, Membership::COLUMNS.user_id.refers_to(there)).unwrap_err();
    assert!(refused.contains("login_session.read"), "{refused}");
    let many = User::COLUMNS.memberships.ge(&2);
    let refused = found(&owner, Membership::COLUMNS.user_id.refers_to(many)).unwrap_err();
    assert_eq!(refused, "memberships: is not allowed when only rules know the column");
    // Who has left is none of the organization's users any more.
    let columns = Membership::COLUMNS;
    let member: Id<User> = member.user().id;
    let theirs = || Lead::COLUMNS.assignee_id.refers_to(User::COLUMNS.id.eq(&member));
    assert_eq!(found(&elsewhere, columns.user_id.refers_to(User::COLUMNS.active.eq(&true))), Ok(2));
    assert_eq!(found(&owner, theirs()), Ok(1));
    let membership = block_on(owner.list(&Query::new(columns.user_id.eq(&member)))).unwrap().items.remove(0).id;
    block_on(owner.run(&RemoveMember { member: membership })).unwrap();
    assert_eq!(found(&owner, theirs()), Ok(0));
}

#[test]
fn a_secret_column_is_refused_wherever_it_stands() {
    let World { owner, .. } = World::new();
    let hash = ApiKey::COLUMNS.hash;
    let told = |column: &str| Err(format!("{column}: is not allowed when the column is secret"));
    let ordered = block_on(owner.list(&Query::all().ascending(hash))).map(|page| page.items.len());
    assert_eq!(ordered.map_err(|error| error.to_string()), told("hash"));
    assert_eq!(found(&owner, !hash.is_null()), told("hash"));
    let password = User::COLUMNS.password_hash.starts_with("$argon2id$");
    assert_eq!(found(&owner, Membership::COLUMNS.user_id.refers_to(password.clone())), told("password_hash"));
    let others = ApiKey::COLUMNS.user_id.refers_to(password) | ApiKey::COLUMNS.alias.starts_with("a");
    assert_eq!(found(&owner, others & ApiKey::COLUMNS.prefix.starts_with("b")), told("password_hash"));
    let via = Membership::COLUMNS.user_id.via(User::COLUMNS.password_hash);
    assert_eq!(found(&owner, Filter::<Membership>::new(Expr::IsNull(via))), told("password_hash"));
    let keys: Filter<User> = ApiKey::COLUMNS.user_id.of_any(hash.is_null());
    assert_eq!(found(&owner, Membership::COLUMNS.user_id.refers_to(keys)), told("hash"));
    let open = Membership::COLUMNS.user_id.refers_to(User::COLUMNS.active.eq(&true));
    assert_eq!(found(&owner, open), Ok(2));
}

#[test]
fn no_read_gives_a_hash_and_no_write_loses_one() {
    let World { crm, owner, .. } = World::new();
    let new = NewKey::new("shop".parse().unwrap(), Role::Viewer, "*.read".parse().unwrap());
    let key = block_on(owner.create_key(&new)).unwrap().key.id;
    let invitation = NewInvitation { email: "eva@example.com".parse().unwrap(), role: Role::Viewer, days: None };
    let invitation = block_on(owner.invite(&invitation)).unwrap().invitation.id;
    let hidden = || {
        let listed = block_on(owner.list(&Query::<ApiKey>::all())).unwrap().items.remove(0).value.hash;
        let keys = [block_on(owner.get(key)), block_on(owner.find("shop")), block_on(owner.find(&key.to_string()))];
        let keys = keys.map(|key| key.unwrap().value.hash);
        let listed_invitation = block_on(owner.list(&Query::<Invitation>::all())).unwrap().items.remove(0).value.hash;
        let invitation = block_on(owner.get(invitation)).unwrap().value.hash;
        [listed, listed_invitation, invitation].iter().chain(&keys).all(Option::is_none)
    };
    assert!(hidden());
    let kept = || {
        let (store, scope) = (crm.store(), owner.scope());
        let hash = block_on(store.get(scope, key)).unwrap().unwrap().value.hash;
        (hash.unwrap(), block_on(store.get(scope, invitation)).unwrap().unwrap().value.hash.unwrap())
    };
    let before = kept();
    let quota = SetQuota { key, operation: "contact.create".to_owned(), per_day: Some(1) };
    block_on(owner.run(&quota)).unwrap();
    block_on(owner.run(&RevokeKey(key))).unwrap();
    block_on(owner.run(&WithdrawInvitation(invitation))).unwrap();
    assert_eq!(kept(), before);
    let found = [block_on(owner.get(key)), block_on(owner.find(&key.to_string()))];
    assert!(found.iter().all(|key| key.as_ref().unwrap().hash.is_none()));
}

#[test]
fn a_repeated_command_gives_what_may_still_be_seen() {
    let World { owner, member, .. } = World::new();
    let columns = Contact::COLUMNS;
    let own = block_on(member.list(&Query::<Contact>::all())).unwrap().items.remove(0).id;
    let update = Update { id: own, edit: Edit::new().set(columns.family_name, "Stone".parse().ok()) };
    let key = "once".parse().unwrap();
    let again = || block_on(member.run_with_key(&update, Some(&key)));
    let first = again().unwrap();
    assert_eq!(again().unwrap(), first);
    let give = |to: Id<User>| block_on(owner.update(own, Edit::new().set(columns.owner_id, to))).unwrap();
    give(owner.user().id);
    assert!(matches!(again(), Err(CrmError::NotFound { entity: "contact", .. })));
    give(member.user().id);
    assert_eq!(again().unwrap(), first);
}
