//! Signing in on a store: what is let in, what ends it, and how fast one may guess.

mod forgeries;
mod guesses;
mod joining;
mod secrets;

use std::sync::Arc;

pub use forgeries::forgeries;
pub use guesses::guesses;
pub use secrets::secrets_stay_secret;

use super::{TestEnvironment, joined, member, organization, with_logins};
use crate::access::{
    AccessError, ActivateUser, AddMember, DeactivateUser, EndSessions, Login, LoginSession, Membership, PasswordCost,
    RefreshToken, RemoveMember, ResetPassword, Role, Secret, SetRole, SetUsername, Signed, TokenKeys, User,
};
use crate::entity::Entity as _;
use crate::error::{CrmError, ErrorCode};
use crate::id::Id;
use crate::people::Contact;
use crate::store::{Query, Scope, Select, Store, StoreExt as _};
use crate::{Crm, Edit, Session};

/// The password of everybody who has one, unless it is said otherwise.
pub const PASSWORD: &str = "correct horse battery";

/// A book whose clock the test moves.
pub struct World {
    /// The book.
    pub crm: Crm,
    /// Its clock.
    pub clock: TestEnvironment,
}

impl World {
    /// A book on an empty store.
    pub fn new(store: impl Store + 'static) -> Self {
        let clock = TestEnvironment::new(1);
        Self { crm: with_logins(Crm::new(store, clock.clone())), clock }
    }

    /// An organization whose owner and four members have passwords.
    async fn organization(&self, slug: &str) -> Result<Vec<Session<'static>>, CrmError> {
        let owner = organization(&self.crm, slug).await?;
        let mut sessions = vec![owner.clone()];
        for role in [Role::Admin, Role::Manager, Role::Member, Role::Viewer] {
            sessions.push(member(&self.crm, &owner, role).await?);
        }
        for session in &sessions {
            self.crm.set_password(&session.user().email, &PASSWORD.into()).await?;
        }
        Ok(sessions)
    }

    /// Signs in from a place of the name's own.
    pub async fn login(&self, slug: &str, name: &str, password: &str) -> Result<Signed, CrmError> {
        self.login_from(slug, name, password, Some(&format!("home of {}", name.to_lowercase()))).await
    }

    async fn login_from(
        &self,
        slug: &str,
        name: &str,
        password: &str,
        source: Option<&str>,
    ) -> Result<Signed, CrmError> {
        let login = Login {
            organization: slug.parse()?,
            name: name.to_owned(),
            password: password.into(),
            source: source.map(str::parse).transpose()?,
        };
        self.crm.login(&login).await
    }

    /// Whether an access token opens a session.
    async fn opens(&self, signed: &Signed) -> Result<bool, CrmError> {
        match self.crm.session_with_token(signed.access.expose()).await {
            Ok(session) => Ok(session.user().id == signed.user.id),
            Err(CrmError::TokenRefused) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Whether a refresh token gives another pair; it is used up.
    async fn refreshes(&self, token: &Secret) -> Result<bool, CrmError> {
        match self.crm.refresh(token).await {
            Ok(_) => Ok(true),
            Err(CrmError::TokenRefused) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// Everything here, on an empty store.
///
/// # Errors
/// When the store fails.
///
/// # Panics
/// When something is not as it should be.
pub async fn suite(store: impl Store + 'static) -> Result<(), CrmError> {
    let world = World::new(store);
    who_signs_in(&world).await?;
    refusals_are_alike(&world).await?;
    what_ends_sessions(&world).await?;
    roles_change_at_once(&world).await?;
    ancestors_end_the_session(&world).await?;
    lost_replies(&world).await?;
    tokens_expire(&world).await?;
    tokens_of_others(&world).await?;
    assert_eq!(forgeries(&world).await?, 104, "as many ways as are told in the documents");
    passwords(&world).await?;
    whom_admins_touch(&world).await?;
    joining::what_was_given_goes(&world).await?;
    joining::who_was_deactivated(&world).await?;
    joining::nothing_revives(&world).await?;
    hashes_rise(&world).await?;
    secrets_stay_secret(&world).await?;
    guesses(&world).await
}

async fn who_signs_in(world: &World) -> Result<(), CrmError> {
    let sessions = world.organization("signing").await?;
    sessions[1].run(&SetUsername(Some("Ádmin.One".parse()?))).await?;
    for name in ["admin@signing.example", "ADMIN@Signing.Example", "Ádmin.One", "admin.one"] {
        let signed = world.login("signing", name, PASSWORD).await?;
        assert_eq!((signed.role, signed.user.id), (Role::Admin, sessions[1].user().id), "{name}");
        let session = world.crm.session_with_token(signed.access.expose()).await?;
        assert_eq!((session.role(), session.user().id), (Role::Admin, signed.user.id));
        assert_eq!(session.organization().slug.as_str(), "signing");
        session.create(person()).await?;
        session.list(&Query::<Contact>::all()).await?;
    }
    let taken = sessions[2].run(&SetUsername(Some("ADMIN.ONE".parse()?))).await;
    assert!(
        matches!(&taken, Err(CrmError::Duplicate { entity: "user", fields }) if fields == &["username"]),
        "{taken:?}"
    );
    // Without keys nobody can sign in, and nothing is guessed about them.
    let bare = Crm::new(Arc::clone(world.crm.store()), world.clock.clone());
    let login = Login { organization: "signing".parse()?, name: "x".into(), password: PASSWORD.into(), source: None };
    assert!(matches!(bare.login(&login).await, Err(CrmError::Access(AccessError::NoTokenKeys))));
    Ok(())
}

fn person() -> Edit<Contact> {
    let columns = Contact::COLUMNS;
    Edit::new().set(columns.kind, crate::people::ContactKind::Person).set(columns.given_name, "Eva".parse().ok())
}

/// One answer, one hash, whatever is wrong.
async fn refusals_are_alike(world: &World) -> Result<(), CrmError> {
    let sessions = world.organization("alike").await?;
    world.organization("elsewhere").await?;
    let members = sessions[0].list(&Query::<Membership>::all()).await?.items;
    let of = |at: usize| members.iter().find(|member| member.user_id == sessions[at].user().id).map(|member| member.id);
    let gone = |at: usize| of(at).ok_or_else(|| CrmError::LoginRefused);
    sessions[0].run(&DeactivateUser(gone(4)?)).await?;
    sessions[0].run(&RemoveMember { member: gone(3)? }).await?;
    let add = AddMember { email: "bare@alike.example".parse()?, full_name: "Bare".parse().ok(), role: Role::Viewer };
    sessions[0].run(&add).await?;
    let long = "x".repeat(100_000);
    let refused = [
        ("a wrong password", "alike", "owner@alike.example", "wrong horse battery"),
        ("the beginning of the password", "alike", "owner@alike.example", "correct horse"),
        ("the password and more", "alike", "owner@alike.example", "correct horse battery!"),
        ("an empty password", "alike", "owner@alike.example", ""),
        ("a very long password", "alike", "owner@alike.example", &long),
        ("an unknown address", "alike", "nobody@alike.example", PASSWORD),
        ("an unknown user name", "alike", "nobody", PASSWORD),
        ("no name", "alike", "", PASSWORD),
        ("a name that is none", "alike", "' OR 1=1 --", PASSWORD),
        ("a very long name", "alike", &long, PASSWORD),
        ("an unknown organization", "nowhere", "owner@alike.example", PASSWORD),
        ("another organization", "elsewhere", "owner@alike.example", PASSWORD),
        ("a deactivated user", "alike", "viewer@alike.example", PASSWORD),
        ("a removed member", "alike", "member@alike.example", PASSWORD),
        ("a member without a password", "alike", "bare@alike.example", PASSWORD),
    ];
    for (number, (what, slug, name, password)) in refused.into_iter().enumerate() {
        let before = world.crm.hashes_computed();
        let answer = world.login_from(slug, name, password, Some(&format!("place {number}"))).await;
        let told = answer.as_ref().map(drop).map_err(ToString::to_string);
        assert_eq!(told, Err("the name or the password is wrong".to_owned()), "{what}");
        assert_eq!(answer.map(drop).map_err(|error| error.code()), Err(ErrorCode::Unauthenticated), "{what}");
        assert_eq!(world.crm.hashes_computed() - before, 1, "{what}");
    }
    let before = world.crm.hashes_computed();
    world.login("alike", "owner@alike.example", PASSWORD).await?;
    assert_eq!(world.crm.hashes_computed() - before, 1, "the right password");
    Ok(())
}

/// What ends the sessions of a member, each of whom holds tokens and an open session.
async fn what_ends_sessions(world: &World) -> Result<(), CrmError> {
    for (number, what) in
        ["logout", "end", "change", "set", "reset", "deactivate", "remove", "re-add"].into_iter().enumerate()
    {
        let slug = format!("ends-{number}");
        let sessions = world.organization(&slug).await?;
        let (owner, name) = (&sessions[0], format!("member@{slug}.example"));
        let (signed, other) = (world.login(&slug, &name, PASSWORD).await?, world.login(&slug, &name, PASSWORD).await?);
        let bystander = world.login(&slug, &format!("viewer@{slug}.example"), PASSWORD).await?;
        let open = world.crm.session_with_token(signed.access.expose()).await?;
        open.create(person()).await?;
        let of = Membership::COLUMNS.user_id.eq(&signed.user.id);
        let member = owner.list(&Query::new(of)).await?.items.remove(0).id;
        let next: Secret = "another fine horse".into();
        match what {
            "logout" => world.crm.logout(&signed.refresh).await?,
            "end" => drop(open.run(&EndSessions).await?),
            "change" => drop(open.change_password(&PASSWORD.into(), &next).await?),
            "set" => world.crm.set_password(&signed.user.email, &next).await?,
            "reset" => drop(owner.run(&ResetPassword { member, password: next.clone() }).await?),
            "deactivate" => drop(owner.run(&DeactivateUser(member)).await?),
            "remove" => {
                owner.run(&RemoveMember { member }).await?;
            }
            _ => {
                owner.run(&RemoveMember { member }).await?;
                joined(&world.crm, owner, &signed.user.email, Role::Owner).await?;
            }
        }
        assert!(!world.opens(&signed).await?, "{what}");
        assert!(world.opens(&bystander).await?, "{what}");
        // Whoever signs out stays signed in elsewhere.
        assert_eq!(world.opens(&other).await?, what == "logout", "{what}");
        assert_eq!(world.refreshes(&other.refresh).await?, what == "logout", "{what}");
        assert!(!world.refreshes(&signed.refresh).await?, "{what}");
        let refused = open.create(person()).await;
        let code = refused.map(drop).map_err(|error| error.code());
        assert_eq!(code, Err(ErrorCode::Unauthenticated), "a session that was open when {what}");
        let old = world.login(&slug, &name, PASSWORD).await.is_ok();
        assert_eq!(old, matches!(what, "logout" | "end" | "re-add"), "{what}");
        if matches!(what, "change" | "set" | "reset") {
            world.login(&slug, &name, next.expose()).await?;
        }
        if what == "deactivate" {
            owner.run(&ActivateUser(member)).await?;
            assert!(!world.opens(&signed).await?, "what was ended stays ended");
            world.login(&slug, &name, PASSWORD).await?;
        }
    }
    Ok(())
}

async fn roles_change_at_once(world: &World) -> Result<(), CrmError> {
    let sessions = world.organization("roles").await?;
    let signed = world.login("roles", "manager@roles.example", PASSWORD).await?;
    let of = Membership::COLUMNS.user_id.eq(&signed.user.id);
    let member = sessions[0].list(&Query::new(of)).await?.items.remove(0).id;
    let open = world.crm.session_with_token(signed.access.expose()).await?;
    sessions[0].run(&SetRole { member, role: Role::Viewer }).await?;
    assert_eq!(world.crm.session_with_token(signed.access.expose()).await?.role(), Role::Viewer);
    assert_eq!(world.crm.refresh(&signed.refresh).await?.role, Role::Viewer);
    let refused = open.create(person()).await.map(drop).map_err(|error| error.code());
    assert_eq!(refused, Err(ErrorCode::Forbidden), "an open session writes in its new role");
    Ok(())
}

/// How often the chain below is refreshed.
const LENGTH: usize = 12;

/// A chain of refresh tokens: the use of any but the last two ends the session.
async fn ancestors_end_the_session(world: &World) -> Result<(), CrmError> {
    world.organization("chain").await?;
    for ancestor in 0..LENGTH {
        let mut chain = vec![world.login("chain", "member@chain.example", PASSWORD).await?];
        for at in 0..LENGTH {
            chain.push(world.crm.refresh(&chain[at].refresh).await?);
            world.clock.advance(60);
        }
        assert!(world.opens(&chain[LENGTH]).await?);
        assert!(!world.refreshes(&chain[ancestor].refresh).await?, "ancestor {ancestor}");
        for signed in &chain {
            assert!(!world.opens(signed).await? && !world.refreshes(&signed.refresh).await?, "after {ancestor}");
        }
    }
    // Even within the grace, only the last but one is spared.
    let first = world.login("chain", "member@chain.example", PASSWORD).await?;
    let second = world.crm.refresh(&first.refresh).await?;
    let third = world.crm.refresh(&second.refresh).await?;
    assert!(!world.refreshes(&first.refresh).await?);
    assert!(!world.opens(&third).await?);
    Ok(())
}

async fn lost_replies(world: &World) -> Result<(), CrmError> {
    world.organization("lost").await?;
    let first = world.login("lost", "member@lost.example", PASSWORD).await?;
    let lost = world.crm.refresh(&first.refresh).await?;
    let again = world.crm.refresh(&first.refresh).await?;
    assert_ne!(lost.refresh, again.refresh);
    for signed in [&first, &lost, &again] {
        assert!(world.opens(signed).await?, "nothing is invalidated");
    }
    // Both replies arrived after all: the one that is used later than the grace is one too many.
    let next = world.crm.refresh(&again.refresh).await?;
    world.clock.advance(60);
    assert!(!world.refreshes(&lost.refresh).await?);
    assert!(!world.opens(&next).await? && !world.refreshes(&next.refresh).await?);

    let first = world.login("lost", "member@lost.example", PASSWORD).await?;
    let next = world.crm.refresh(&first.refresh).await?;
    world.clock.advance(11);
    assert!(!world.refreshes(&first.refresh).await?, "the grace is over");
    assert!(!world.opens(&next).await?);
    Ok(())
}

async fn tokens_expire(world: &World) -> Result<(), CrmError> {
    world.organization("expiry").await?;
    let name = "member@expiry.example";
    let signed = world.login("expiry", name, PASSWORD).await?;
    world.clock.advance(30 * 60 + 1);
    assert!(!world.opens(&signed).await?, "after half an hour");
    world.clock.advance(6 * 86_400);
    let next = world.crm.refresh(&signed.refresh).await?;
    assert!(world.opens(&next).await?);
    world.clock.advance(7 * 86_400);
    assert!(!world.refreshes(&next.refresh).await?, "after a week");
    // However often it is refreshed, a session ends.
    let mut signed = world.login("expiry", name, PASSWORD).await?;
    for _ in 0..5 {
        world.clock.advance(5 * 86_400);
        signed = world.crm.refresh(&signed.refresh).await?;
    }
    world.clock.advance(5 * 86_400);
    assert!(!world.refreshes(&signed.refresh).await?, "after thirty days");
    // The next login removes what is left of it.
    let all = Query::<LoginSession>::all();
    let before = world.crm.store().count(Scope::SYSTEM, &all).await?;
    world.login("expiry", name, PASSWORD).await?;
    assert_eq!(world.crm.store().count(Scope::SYSTEM, &all).await?, before, "one came and one went");
    Ok(())
}

/// What others hold, and what is no token at all.
async fn tokens_of_others(world: &World) -> Result<(), CrmError> {
    world.organization("ours").await?;
    let signed = world.login("ours", "member@ours.example", PASSWORD).await?;
    let stranger = World::new(crate::store::MemoryStore::new());
    stranger.organization("ours").await?;
    stranger.clock.advance(world.crm.environment().now().micros() / 1_000_000);
    assert!(!stranger.opens(&signed).await? && !stranger.refreshes(&signed.refresh).await?, "another book");
    let other = TokenKeys::new("https://crm.example", "crm", "k1", b"e19d4c7b20f8a35691cb7e84d2a0f653")?;
    let other =
        Crm::new(Arc::clone(world.crm.store()), world.clock.clone()).with_logins(other, PasswordCost::for_tests());
    assert!(matches!(other.session_with_token(signed.access.expose()).await, Err(CrmError::TokenRefused)));
    // Each kind of token where the other is asked for, and what is neither.
    let (access, refresh) = (signed.access.expose(), signed.refresh.expose());
    let long = "A".repeat(43);
    let none = ["", "crmr_", refresh, &refresh[..refresh.len() - 1], &format!("{refresh}A"), &refresh[5..], &long];
    for text in none {
        assert!(matches!(world.crm.session_with_token(text).await, Err(CrmError::TokenRefused)), "{text}");
    }
    let none = ["", "crmr_", access, &refresh[..refresh.len() - 1], &format!("{refresh}A"), &refresh[5..]];
    for text in none.into_iter().chain([&*format!("crmr_{long}"), &refresh.to_uppercase(), &format!(" {refresh}")]) {
        assert!(matches!(world.crm.refresh(&text.into()).await, Err(CrmError::TokenRefused)), "{text}");
        assert!(matches!(world.crm.logout(&text.into()).await, Err(CrmError::TokenRefused)), "{text}");
    }
    assert!(world.opens(&signed).await? && world.refreshes(&signed.refresh).await?, "none of this did any harm");
    Ok(())
}

async fn passwords(world: &World) -> Result<(), CrmError> {
    let sessions = world.organization("change").await?;
    let member = &sessions[3];
    for weak in ["short", "password123", "member@change.example"] {
        let refused = member.change_password(&PASSWORD.into(), &weak.into()).await;
        assert!(matches!(&refused, Err(CrmError::Invalid(fields)) if fields[0].field == "password"), "{refused:?}");
        let refused = world.crm.set_password(&member.user().email, &weak.into()).await;
        assert!(matches!(&refused, Err(CrmError::Invalid(_))), "{refused:?}");
    }
    // Who holds a session and not the password cannot try them all.
    let mut throttled = 0;
    for _ in 0..40 {
        match member.change_password(&"wrong horse battery".into(), &"another fine horse".into()).await {
            Err(CrmError::Access(AccessError::WrongPassword)) => {}
            Err(CrmError::Throttled { .. }) => throttled += 1,
            other => panic!("{other:?}"),
        }
    }
    assert!(throttled > 20, "{throttled} of 40");
    world.clock.advance(3_600);
    member.change_password(&PASSWORD.into(), &"another fine horse".into()).await?;
    world.login("change", "member@change.example", "another fine horse").await?;
    Ok(())
}

/// Admins do not touch owners, nobody resets their own password, and who belongs to two organizations is touched by
/// neither.
async fn whom_admins_touch(world: &World) -> Result<(), CrmError> {
    let sessions = world.organization("touch").await?;
    let others = world.organization("touch-too").await?;
    let members = sessions[0].list(&Query::<Membership>::all()).await?.items;
    let of = |at: usize| {
        let mine = members.iter().find(|member| member.user_id == sessions[at].user().id);
        mine.map_or(Id::new(uuid::Uuid::nil()), |member| member.id)
    };
    let reset = |member| ResetPassword { member, password: "another fine horse".into() };
    let admin = &sessions[1];
    let refused = admin.run(&reset(of(0))).await;
    assert!(matches!(refused, Err(CrmError::Access(AccessError::OwnersOnly))), "{refused:?}");
    let refused = admin.run(&DeactivateUser(of(0))).await;
    assert!(matches!(refused, Err(CrmError::Access(AccessError::OwnersOnly))), "{refused:?}");
    let refused = admin.run(&reset(of(1))).await;
    assert!(matches!(refused, Err(CrmError::Access(AccessError::OwnMembership))), "{refused:?}");
    let refused = sessions[0].run(&DeactivateUser(of(0))).await;
    assert!(matches!(refused, Err(CrmError::Access(AccessError::OwnMembership))), "{refused:?}");

    // The other organization makes this one's member theirs too, and gets no hold of them.
    let email = sessions[3].user().email.clone();
    let shared = joined(&world.crm, &others[0], &email, Role::Viewer).await?;
    for (session, member) in [(&others[0], shared.id), (&sessions[0], of(3))] {
        for refused in [
            session.run(&reset(member)).await,
            session.run(&DeactivateUser(member)).await,
            session.run(&ActivateUser(member)).await,
        ] {
            assert!(matches!(refused, Err(CrmError::Access(AccessError::SharedUser))), "{refused:?}");
        }
    }
    others[0].run(&RemoveMember { member: shared.id }).await?;
    sessions[0].run(&reset(of(3))).await?;
    world.login("touch", email.as_str(), "another fine horse").await?;
    Ok(())
}

async fn hashes_rise(world: &World) -> Result<(), CrmError> {
    world.organization("rise").await?;
    let keys = || TokenKeys::new("https://crm.example", "crm", "k1", b"3f0c9a7e5b1d48c2a6e4907bd5f2813c");
    let dear = Crm::new(Arc::clone(world.crm.store()), world.clock.clone());
    let dear = World { crm: dear.with_logins(keys()?, PasswordCost::default()), clock: world.clock.clone() };
    let name = "member@rise.example";
    let stored = || async {
        let query = Select::new(User::TABLE, User::COLUMNS.email_key.eq(&name.to_owned()).into());
        let user = world.crm.store().first::<User>(Scope::SYSTEM, query).await?;
        Ok::<_, CrmError>(user.and_then(|user| user.value.password_hash))
    };
    let before = stored().await?;
    assert!(dear.login("rise", name, "wrong horse battery").await.is_err());
    assert_eq!(stored().await?, before, "a wrong password changes nothing");
    let signed = dear.login("rise", name, PASSWORD).await?;
    let after = stored().await?;
    assert_ne!(after, before);
    assert!(dear.opens(&signed).await?, "a new hash of the same password ends nothing");
    dear.login("rise", name, PASSWORD).await?;
    assert_eq!(stored().await?, after, "and it is made once");
    Ok(())
}

/// Refreshes one token twice at once, as often as asked: both get a pair that works, one of them by the next
/// generation and the other by the grace.
///
/// # Errors
/// When the store fails.
///
/// # Panics
/// When a refresh was refused or more than one generation began.
pub async fn double_refresh<F, T>(world: &World, rounds: u32, both: F) -> Result<(), CrmError>
where
    F: Fn(Crm, Secret) -> T,
    T: Future<Output = [Result<Signed, CrmError>; 2]>,
{
    world.organization("double").await?;
    let mut signed = world.login("double", "member@double.example", PASSWORD).await?;
    for round in 1..=rounds {
        let [left, right] = both(world.crm.clone(), signed.refresh.clone()).await;
        let (left, right) = (left?, right?);
        assert_ne!(left.refresh, right.refresh, "round {round}");
        assert!(world.opens(&left).await? && world.opens(&right).await?, "round {round}");
        let session = LoginSession::COLUMNS.user_id.eq(&signed.user.id);
        let session =
            world.crm.store().first::<LoginSession>(Scope::SYSTEM, Select::new(LoginSession::TABLE, session.into()));
        let session = session.await?.ok_or(CrmError::TokenRefused)?;
        assert_eq!((session.generation, session.revoked_at), (i64::from(round) + 1, None), "round {round}");
        let tokens = Query::new(RefreshToken::COLUMNS.session_id.eq(&session.id));
        assert_eq!(world.crm.store().count(Scope::SYSTEM, &tokens).await?, 1 + 2 * i64::from(round));
        signed = left;
        world.clock.advance(60);
    }
    Ok(())
}
