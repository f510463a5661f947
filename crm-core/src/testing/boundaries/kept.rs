//! Sessions that a host keeps while what they rest on ends or changes: the next call of every operation knows.

use super::cells::{join, member_of, turn_back};
use super::told::{Told, outcome};
use super::{CALLS, Call, Ids, calls, day, fixtures, person, sales, stored_scopes};
use crate::access::{
    ApiRequest, CreatedKey, DeactivateUser, EndSessions, Membership, NewKey, POLICY, RemoveMember, Requester,
    ResetPassword, RevokeKey, Role, SetQuota, SetRole, Signed,
};
use crate::audit::AuditEntry;
use crate::billing::{CreateInvoice, DocumentKind};
use crate::commands::Create;
use crate::context::Environment as _;
use crate::entity::Entity as _;
use crate::error::{CrmError, ErrorCode};
use crate::id::Id;
use crate::people::Contact;
#[cfg(feature = "print")]
use crate::report::StatementOptions;
use crate::sales::{ConvertLead, Tag};
use crate::store::Query;
use crate::testing::joined;
use crate::testing::logins::{PASSWORD, World};
use crate::{Edit, Session};

/// What happens to a member who holds an access token and an API key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Event {
    /// They sign out.
    Logout,
    /// They end their sessions.
    End,
    /// They change their password.
    Change,
    /// The host sets it.
    Set,
    /// An owner resets it.
    Reset,
    /// They are deactivated.
    Deactivate,
    /// They are removed.
    Remove,
    /// They are removed and join again.
    Rejoin,
    /// The key is revoked.
    Revoke,
    /// They become viewers.
    Lower,
}

/// Each event, and whether it ends the token and the key.
const EVENTS: [(Event, bool, bool); 10] = [
    (Event::Logout, true, false),
    (Event::End, true, false),
    (Event::Change, true, false),
    (Event::Set, true, false),
    (Event::Reset, true, false),
    (Event::Deactivate, true, true),
    (Event::Remove, true, true),
    (Event::Rejoin, true, true),
    (Event::Revoke, false, true),
    (Event::Lower, false, true),
];

/// What else can be asked of a session.
const FURTHER: &[Call] = calls! {
    "contact.read" => |session, ids| session.find::<Contact>(&ids.contact.to_string());
    "contact.read" => |session, _ids| session.find::<Contact>("nobody@nowhere.example");
    "contact.read" => |session, _ids| session.count(&Query::<Contact>::all());
    "contact.read" => |session, _ids| session.visible::<Contact>("read");
    "contact.read" => |session, _ids| session.authorize("contact", "read");
    "contact.create" => |session, _ids| session.create_many(&[person()]);
    // What is refused in any case, by a rule or by the store.
    "contact.delete" => |session, ids| session.delete(ids.contact);
    "tag.create" => |session, _ids| session.create(Edit::new().set(Tag::COLUMNS.name, sales::tag("fixture")));
    "tag.create" => |session, _ids| session.create_many(&[Edit::new().set(Tag::COLUMNS.name, sales::tag("fixture"))]);
    "invoice.create" => |session, ids| session.run(&CreateInvoice::draft(ids.contact, Vec::new()));
    "invoice.read" => |session, _ids| session.number_warnings(DocumentKind::Invoice, "INV-000001", day(10));
    "lead.convert" => |session, ids| session.plan_conversion(&ConvertLead { deal: Some(ids.sales.deal), ..ConvertLead::new(ids.sales.lead) });
    "case_rule.read" => |session, _ids| session.deadline_rules(true);
    "case.recompute" => |session, _ids| session.recompute_cases(false);
    "key_usage.read" => |session, _ids| session.key_usage(None, day(28), day(1));
    "key_usage.read" => |session, _ids| session.quotas();
    "user.change_password" => |session, _ids| session.change_password(&PASSWORD.into(), &NEXT.into());
};

/// What is printed.
#[cfg(feature = "print")]
const PRINTED: &[Call] = calls! {
    "invoice.read" => |session, ids| session.invoice_document(ids.open);
    "credit_note.read" => |session, ids| session.credit_note_document(ids.billing.note);
    "report.statement" => |session, ids| session.statement_document(ids.contact, &StatementOptions { from: day(1), to: day(28), restated: false });
};
#[cfg(not(feature = "print"))]
const PRINTED: &[Call] = &[];

/// What passwords are changed to.
const NEXT: &str = "another fine horse";

/// How many calls were made, and of these how many in sessions that had ended.
#[derive(Clone, Copy, Debug, Default)]
pub struct Kept {
    /// All.
    pub calls: usize,
    /// In sessions that had ended.
    pub refused: usize,
}

/// Keeps sessions that a token and a key opened, lets each event happen, and makes every nth call in them, each in a
/// session that has done nothing since: where the credential opens no session any more, the kept one gives nothing and
/// writes nothing; where it opens one of another role, the kept one answers as that does.
///
/// # Errors
/// When the fixtures cannot be written.
///
/// # Panics
/// When a session does what it may not do any more.
pub async fn kept(world: &World, every: usize) -> Result<Kept, CrmError> {
    let owner = crate::testing::organization(&world.crm, "kept").await?;
    let ids = fixtures(&owner, owner.user().id, "kept").await?;
    let calls = || CALLS.iter().filter(|(name, _)| *name != "user.change_password").chain(FURTHER).chain(PRINTED);
    let mut told = Kept::default();
    for (number, (event, token_ends, key_ends)) in EVENTS.into_iter().enumerate() {
        let held = Held::begin(world, &owner, event).await?;
        let sessions = [held.by_token().await?, held.by_key().await?];
        // A command that was carried out under a key, and that is among the calls.
        let ids = Ids { key: format!("key {event:?}").parse()?, ..ids.clone() };
        sessions[0].run_with_key(&Create(person()), Some(&ids.key)).await?;
        held.happen(&owner).await?;
        let (again, at) = ([held.by_token().await, held.by_key().await], world.clock.now());
        let before = dump(&owner).await?;
        for ((session, fresh), ends) in sessions.iter().zip(again).zip([token_ends, key_ends]) {
            assert_eq!(fresh.is_err(), ends, "whether a session opens after {event:?}");
            if fresh.as_ref().is_ok_and(|fresh| fresh.role() == Role::Owner) {
                session.get(ids.contact).await?;
                continue;
            }
            // A user may change their own name and password in every role.
            let tried = calls().filter(|(name, _)| fresh.is_err() || !name.starts_with("user."));
            for (name, call) in tried.skip(number % every).step_by(every) {
                let answer = call(&as_it_was(session), &ids).await;
                told.calls += 1;
                if let Ok(fresh) = &fresh {
                    assert_eq!(outcome(&answer), outcome(&call(fresh, &ids).await), "{name} after {event:?}");
                } else {
                    told.refused += 1;
                    let code = answer.as_ref().map(drop).map_err(CrmError::code);
                    assert_eq!(code, Err(ErrorCode::Unauthenticated), "{name} after {event:?}: {answer:?}");
                }
                turn_back(&world.clock, at);
            }
        }
        assert!(dump(&owner).await? == before, "something was written after {event:?}");
    }
    raised(world, &owner).await?;
    limited(world, &owner).await?;
    Ok(told)
}

/// A session that has read what this one has, and goes on by itself.
fn as_it_was(session: &Session<'static>) -> Session<'static> {
    session.requested_by(&Requester::default())
}

/// Every row of the organization, but for the log of what keys asked for.
async fn dump(owner: &Session<'_>) -> Result<String, CrmError> {
    let rows = super::dump(owner).await?;
    Ok(rows.lines().filter(|row| !row.starts_with(ApiRequest::TABLE.entity)).collect::<Vec<_>>().join("\n"))
}

/// A member with a token and a key.
struct Held<'a> {
    world: &'a World,
    event: Event,
    member: Id<Membership>,
    signed: Signed,
    key: CreatedKey,
}

impl<'a> Held<'a> {
    /// An owner, who may do everything.
    async fn begin(world: &'a World, owner: &Session<'_>, event: Event) -> Result<Self, CrmError> {
        let email = format!("{event:?}@kept.example").to_lowercase();
        let user = join(owner, &email, Role::Owner).await?;
        let member = member_of(owner, user).await?.id;
        world.crm.set_password(&email.parse()?, &PASSWORD.into()).await?;
        let signed = world.login("kept", &email, PASSWORD).await?;
        let session = world.crm.session_with_token(signed.access.expose()).await?;
        let key = session.create_key(&all_scopes(&email, Vec::new())?).await?;
        Ok(Self { world, event, member, signed, key })
    }

    async fn by_token(&self) -> Result<Session<'static>, CrmError> {
        self.world.crm.session_with_token(self.signed.access.expose()).await
    }

    async fn by_key(&self) -> Result<Session<'static>, CrmError> {
        self.world.crm.session_with_key(&self.key.text).await
    }

    async fn happen(&self, owner: &Session<'_>) -> Result<(), CrmError> {
        let (crm, member, email) = (&self.world.crm, self.member, &self.signed.user.email);
        let remove = RemoveMember { member };
        match self.event {
            Event::Logout => crm.logout(&self.signed.refresh).await?,
            Event::End => self.by_token().await?.run(&EndSessions).await.map(drop)?,
            Event::Change => self.by_token().await?.change_password(&PASSWORD.into(), &NEXT.into()).await.map(drop)?,
            Event::Set => crm.set_password(email, &NEXT.into()).await?,
            Event::Reset => owner.run(&ResetPassword { member, password: NEXT.into() }).await.map(drop)?,
            Event::Deactivate => owner.run(&DeactivateUser(member)).await.map(drop)?,
            Event::Remove => owner.run(&remove).await.map(drop)?,
            Event::Rejoin => {
                owner.run(&remove).await?;
                joined(crm, owner, email, Role::Owner).await?;
            }
            Event::Revoke => owner.run(&RevokeKey(self.key.key.id)).await.map(drop)?,
            Event::Lower => owner.run(&SetRole { member, role: Role::Viewer }).await.map(drop)?,
        }
        Ok(())
    }
}

/// An owner's key to everything.
fn all_scopes(alias: &str, quotas: Vec<(String, i64)>) -> Result<NewKey, CrmError> {
    let scopes: Vec<&str> = POLICY.iter().map(|rule| rule.operation).collect();
    Ok(NewKey { quotas, ..NewKey::new(alias.parse()?, Role::Owner, stored_scopes(&scopes.join(" "))?) })
}

/// A role that is raised counts at once as well.
async fn raised(world: &World, owner: &Session<'_>) -> Result<(), CrmError> {
    let email = "raised@kept.example";
    let member = member_of(owner, join(owner, email, Role::Viewer).await?).await?.id;
    world.crm.set_password(&email.parse()?, &PASSWORD.into()).await?;
    let signed = world.login("kept", email, PASSWORD).await?;
    let session = world.crm.session_with_token(signed.access.expose()).await?;
    let refused = session.create(person()).await.map(drop);
    assert!(matches!(refused, Err(CrmError::Forbidden { .. })), "{refused:?}");
    let [creates, creates_many, reads] = [(); 3].map(|()| as_it_was(&session));
    owner.run(&SetRole { member, role: Role::Admin }).await?;
    creates.create(person()).await?;
    creates_many.create_many(&[person()]).await?;
    reads.list(&Query::<AuditEntry>::all()).await?;
    Ok(())
}

/// A key's quota counts as it is now.
async fn limited(world: &World, owner: &Session<'_>) -> Result<(), CrmError> {
    let operation = "contact.create";
    let key = owner.create_key(&all_scopes("limited", vec![(operation.to_owned(), 1)])?).await?;
    let session = world.crm.session_with_key(&key.text).await?;
    session.create(person()).await?;
    let [creates, tells] = [(); 2].map(|()| as_it_was(&session));
    owner.run(&SetQuota { key: key.key.id, operation: operation.to_owned(), per_day: Some(2) }).await?;
    creates.create(person()).await?;
    let refused = creates.create(person()).await.map(drop);
    assert!(matches!(refused, Err(CrmError::QuotaExceeded { limit: 2, .. })), "{refused:?}");
    let left: Vec<(i64, i64)> = tells.quotas().await?.iter().map(|quota| (quota.limit, quota.used)).collect();
    assert_eq!(left, [(2, 2)]);
    Ok(())
}
