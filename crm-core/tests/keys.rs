//! API keys, quotas and the request log.
#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use crm_core::access::{
    AccessError, ActivateUser, AddMember, ApiKey, ApiRequest, CreatedKey, DeactivateUser, EndSessions, Idempotency,
    KeyUsage, KeyUsageLine, Membership, NewInvitation, NewKey, POLICY, RemoveMember, Requester, RevokeKey, Role,
    Secret, SetQuota, SetRole, SetUsername, WithdrawInvitation,
};
use crm_core::activity::TimelineOptions;
use crm_core::audit::{ActorKind, AuditEntry};
use crm_core::billing::{BillingError, CreateInvoice, DocumentKind, NewLine, NumberSeries};
use crm_core::context::Environment as _;
use crm_core::crud::to_json;
use crm_core::encode::encode_row;
use crm_core::entity::{Entity as _, Table, Tenancy};
use crm_core::import::{Import, ImportKind};
use crm_core::people::{Contact, ContactKind};
use crm_core::report::{ForecastOptions, StatementOptions};
use crm_core::schema::TABLES;
use crm_core::store::{Aggregate, Applied, ChangeSet, Expr, MemoryStore, Query, Scope, Select, Store, StoreError};
use crm_core::testing::quota::{self, QuotaRace};
use crm_core::testing::{self, TestEnvironment, boundaries, logins};
use crm_core::value::Decimal6;
use crm_core::{Create, Crm, CrmError, Edit, ErrorCode, Row, Session, block_on};
use uuid::Uuid;

fn new_key(role: Role, scopes: &str) -> NewKey {
    NewKey::new("Web shop".parse().unwrap(), role, scopes.parse().unwrap())
}

fn person(name: &str) -> Edit<Contact> {
    Edit::new().set(Contact::COLUMNS.kind, ContactKind::Person).set(Contact::COLUMNS.given_name, name.parse().ok())
}

struct World {
    crm: Crm,
    environment: TestEnvironment,
    owner: Session<'static>,
}

impl World {
    fn new() -> Self {
        Self::on(MemoryStore::new())
    }

    fn on(store: impl Store + 'static) -> Self {
        let environment = TestEnvironment::new(1);
        let crm = Crm::new(store, environment.clone());
        let owner = block_on(testing::organization(&crm, "acme")).unwrap();
        Self { crm, environment, owner }
    }

    fn member(&self, role: Role) -> Session<'static> {
        block_on(testing::member(&self.crm, &self.owner, role)).unwrap()
    }

    fn key(&self, new: &NewKey) -> CreatedKey {
        block_on(self.owner.create_key(new)).unwrap()
    }

    fn open(&self, key: &CreatedKey) -> Result<Session<'static>, CrmError> {
        block_on(self.crm.session_with_key(&key.text))
    }
}

fn is_no_credential<T>(result: Result<T, CrmError>) -> bool {
    matches!(result, Err(error @ CrmError::BadCredential(_)) if error.code() == ErrorCode::Unauthenticated)
}

#[test]
fn callers_around_the_limit_and_across_midnight_get_exactly_the_limit() {
    let trials = quota::trials();
    let mut crossed = 0;
    for first in (0..trials).step_by(32) {
        let race = block_on(QuotaRace::new(MemoryStore::new(), "race")).unwrap();
        crossed += quota::threads(&race, first..trials.min(first + 32)).unwrap();
    }
    assert!(crossed > 0, "no trial crossed midnight");
}

/// A store that counts what it is asked.
struct Asked(MemoryStore, Arc<AtomicUsize>);

#[async_trait]
impl Store for Asked {
    async fn fetch(&self, scope: Scope, table: &'static Table, ids: &[Uuid]) -> Result<Vec<Row>, StoreError> {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.fetch(scope, table, ids).await
    }

    async fn select(&self, scope: Scope, query: &Select) -> Result<Vec<Row>, StoreError> {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.select(scope, query).await
    }

    async fn aggregate(&self, scope: Scope, queries: &[Aggregate]) -> Result<Vec<Vec<Row>>, StoreError> {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.aggregate(scope, queries).await
    }

    async fn apply(&self, scope: Scope, changes: ChangeSet) -> Result<Applied, StoreError> {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.apply(scope, changes).await
    }
}

#[test]
fn a_key_with_a_wrong_checksum_never_reaches_the_store() {
    let asked = Arc::new(AtomicUsize::new(0));
    let world = World::on(Asked(MemoryStore::new(), Arc::clone(&asked)));
    let text = world.key(&new_key(Role::Viewer, "*.read")).text;
    let text = text.expose();
    let before = asked.load(Ordering::Relaxed);
    for at in 0..text.len() {
        let other = if text.as_bytes()[at] == b'x' { 'y' } else { 'x' };
        let slip = format!("{}{other}{}", &text[..at], &text[at + 1..]);
        assert!(is_no_credential(block_on(world.crm.session_with_key(&slip.as_str().into()))), "{at}");
    }
    for nonsense in ["", "crm", "crm_", "crm__", "nonsense", &text[1..], &text[..text.len() - 1]] {
        assert!(is_no_credential(block_on(world.crm.session_with_key(&nonsense.into()))), "{nonsense}");
    }
    assert_eq!(asked.load(Ordering::Relaxed), before);
    // The counter counts: a good key is looked up.
    block_on(world.crm.session_with_key(&text.into())).unwrap();
    assert!(asked.load(Ordering::Relaxed) > before);
}

/// Whether a credential still holds is one question; a write asks it in what it writes, and a host that vouches asks none.
#[test]
fn a_credential_costs_a_read_one_statement_and_a_write_none() {
    let asked = Arc::new(AtomicUsize::new(0));
    let world = logins::World::new(Asked(MemoryStore::new(), Arc::clone(&asked)));
    block_on(async {
        let owner = testing::organization(&world.crm, "acme").await?;
        world.crm.set_password(&owner.user().email, &logins::PASSWORD.into()).await?;
        let signed = world.login("acme", "owner@acme.example", logins::PASSWORD).await?;
        let scopes = "*.read report.* contact.* lead.*";
        let key = owner.create_key(&NewKey { quotas: Vec::new(), ..new_key(Role::Owner, scopes) }).await?;
        let sessions = [
            owner.clone(),
            world.crm.session_with_token(signed.access.expose()).await?,
            world.crm.session_with_key(&key.text).await?,
        ];
        let (contact, today) = (owner.create(person("Eva")).await?.id, owner.context().today());
        let mut costs: Vec<Vec<usize>> = Vec::new();
        for (session, stratum) in sessions.iter().zip(1..) {
            let mut counts = vec![asked.load(Ordering::Relaxed)];
            let mut note = || counts.push(asked.load(Ordering::Relaxed));
            session.get(contact).await?;
            note();
            assert!(session.find::<Contact>("nobody@example.org").await.is_err());
            note();
            session.list(&Query::<Contact>::all()).await?;
            note();
            session.count(&Query::<Contact>::all()).await?;
            note();
            session.timeline(contact, &TimelineOptions::default()).await?;
            note();
            session.statement(contact, &StatementOptions { from: today, to: today, restated: false }).await?;
            note();
            session.forecast(&ForecastOptions::default()).await?;
            note();
            session.deadline_rules(true).await?;
            note();
            session.key_usage(Some(key.key.id), today, today).await?;
            note();
            session.create(person("Ada")).await?;
            note();
            session.update(contact, Edit::new().set(Contact::COLUMNS.stratum, Some(stratum))).await?;
            note();
            costs.push(counts.windows(2).map(|pair| pair[1] - pair[0]).collect());
        }
        let [by_name, token, key] = &costs[..] else { panic!("three sessions") };
        let more = |of: &[usize]| of.iter().zip(by_name).map(|(cost, by_name)| cost - by_name).collect::<Vec<_>>();
        assert_eq!(by_name[0], 1, "a look-up by id is one statement");
        assert_eq!(more(token), [1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0]);
        assert_eq!(more(key), more(token));
        Ok::<_, CrmError>(())
    })
    .unwrap();
}

#[test]
fn a_well_formed_key_of_another_book_is_not_valid() {
    let world = World::new();
    let elsewhere = Crm::new(MemoryStore::new(), TestEnvironment::new(2));
    let owner = block_on(testing::organization(&elsewhere, "acme")).unwrap();
    let key = block_on(owner.create_key(&new_key(Role::Owner, "contact.*"))).unwrap();
    assert!(is_no_credential(world.open(&key)));
    // As many organizations as the key counts are not there either.
    block_on(testing::organization(&elsewhere, "second")).unwrap();
    let second = block_on(elsewhere.session(&"second".parse().unwrap(), &"owner@second.example".parse().unwrap()));
    let key = block_on(second.unwrap().create_key(&new_key(Role::Owner, "contact.*"))).unwrap();
    assert!(is_no_credential(world.open(&key)));
}

#[test]
fn the_default_quota_is_35_contacts_a_day_and_the_rest_is_told() {
    let world = World::new();
    let key = world.key(&new_key(Role::Manager, "contact.*"));
    let session = world.open(&key).unwrap();
    for used in 1..=35 {
        let counted = block_on(session.run_counted(&Create(person("Eva")), None)).unwrap();
        let [left] = counted.quotas.as_slice() else { panic!("{:?}", counted.quotas) };
        assert_eq!((left.limit, left.used, left.remaining()), (35, used, 35 - used));
        assert_eq!(left.resets_at, "2026-06-16T00:00:00Z".parse().unwrap());
    }
    let refused = block_on(session.create(person("Eva"))).unwrap_err();
    assert_eq!(refused.code(), ErrorCode::Throttled);
    assert_eq!(
        refused.to_string(),
        "the API key may do contact.create 35 times a day: again from 2026-06-16T00:00:00.000000Z"
    );
    let left = block_on(session.quotas()).unwrap();
    assert_eq!((left.len(), left[0].remaining()), (1, 0));
    // Other operations, members and days are not concerned.
    let contact = block_on(session.list(&Query::<Contact>::all())).unwrap().items[0].id;
    block_on(session.update(contact, person("Adam"))).unwrap();
    block_on(world.owner.create(person("Eva"))).unwrap();
    world.environment.advance(86_400);
    block_on(session.create(person("Eva"))).unwrap();
    assert_eq!(block_on(session.quotas()).unwrap()[0].used, 1);
    let day = |text: &str| crm_core::value::parse_date(text).unwrap();
    let lines = block_on(world.owner.key_usage(None, day("2026-06-15"), day("2026-06-16"))).unwrap();
    let lines: Vec<_> = lines.iter().map(|line| (line.day, line.alias.as_str(), line.used)).collect();
    assert_eq!(lines, [(day("2026-06-15"), "Web shop", 35), (day("2026-06-16"), "Web shop", 1)]);
    assert!(block_on(world.owner.key_usage(None, day("2026-06-16"), day("2026-06-15"))).is_err());
    // A key that was not used has its quota all the same, today and as long as it works.
    let unused = NewKey::new("Unused".parse().unwrap(), Role::Member, "*.read".parse().unwrap());
    let unused = block_on(world.owner.create_key(&unused)).unwrap().key.id;
    let usage = |from: &str, to: &str| block_on(world.owner.key_usage(Some(unused), day(from), day(to))).unwrap();
    let lines = usage("2026-06-15", "2026-06-16");
    let resets_at = "2026-06-17T00:00:00Z".parse().unwrap();
    let (operation, alias) = ("contact.create".to_owned(), "Unused".to_owned());
    let line = KeyUsageLine {
        day: day("2026-06-16"),
        key_id: unused,
        alias,
        operation,
        used: 0,
        per_day: Some(35),
        resets_at,
    };
    assert_eq!(lines, [line]);
    assert!(usage("2026-06-15", "2026-06-15").is_empty() && usage("2026-06-17", "2026-06-18").is_empty());
    block_on(world.owner.run(&RevokeKey(unused))).unwrap();
    assert!(usage("2026-06-16", "2026-06-16").is_empty());
}

#[test]
fn what_is_refused_or_repeated_is_not_counted_and_what_creates_is() {
    let world = World::new();
    let mut new = new_key(Role::Manager, "contact.*");
    new.quotas = vec![("contact.create".to_owned(), 5)];
    let session = world.open(&world.key(&new)).unwrap();
    let used = || block_on(session.quotas()).unwrap()[0].used;
    let mail = person("Eva").set(Contact::COLUMNS.email, "eva@example.com".parse().ok());
    let key = "once".parse().unwrap();
    block_on(session.run_with_key(&Create(mail.clone()), Some(&key))).unwrap();
    block_on(session.run_with_key(&Create(mail.clone()), Some(&key))).unwrap();
    assert_eq!(used(), 1);
    assert_eq!(block_on(session.create(mail)).unwrap_err().code(), ErrorCode::Duplicate);
    assert_eq!(block_on(session.create(Edit::<Contact>::new())).unwrap_err().code(), ErrorCode::Invalid);
    assert_eq!(used(), 1);
    // Many at once and imports are no way around it.
    block_on(session.create_many(&[person("Adam"), person("Ada")])).unwrap();
    assert_eq!(used(), 3);
    let many = [person("A"), person("B"), person("C")];
    assert_eq!(block_on(session.create_many(&many)).unwrap_err().code(), ErrorCode::Throttled);
    let file = |rows: usize| format!("kind,given_name\n{}", "person,Eva\n".repeat(rows));
    let import = |rows| {
        let input = std::io::Cursor::new(file(rows));
        block_on(session.import(Import::new(ImportKind::Contacts, input)))
    };
    assert_eq!(import(3).unwrap_err().code(), ErrorCode::Throttled);
    assert_eq!(used(), 3);
    let dry = Import { dry_run: true, ..Import::new(ImportKind::Contacts, std::io::Cursor::new(file(2))) };
    assert!(!block_on(session.import(dry)).unwrap().written);
    assert_eq!(used(), 3);
    assert!(import(2).unwrap().written);
    assert_eq!((used(), block_on(session.count(&Query::<Contact>::all())).unwrap()), (5, 5));
}

#[test]
fn a_quota_and_a_series_that_run_out_are_told_apart_and_take_nothing_of_each_other() {
    let world = World::new();
    let contact = block_on(world.owner.create(person("Eva"))).unwrap().id;
    let of_invoices = Query::new(NumberSeries::COLUMNS.kind.eq(&DocumentKind::Invoice));
    let series = block_on(world.owner.list(&of_invoices)).unwrap().items[0].id;
    let last = |last| {
        let edit = Edit::new().set(NumberSeries::COLUMNS.last, Some(last));
        block_on(world.owner.update(series, edit)).unwrap();
    };
    last(2);
    let quotas = vec![("invoice.create".to_owned(), 3)];
    let key = NewKey { quotas, ..new_key(Role::Manager, "contact.read invoice.create invoice.issue") };
    let session = world.open(&world.key(&key)).unwrap();
    let line = NewLine {
        product: None,
        description: "Work".parse().ok(),
        quantity: Decimal6::ONE,
        unit_price: Some(Decimal6::ONE),
        discount: None,
        tax_percent: None,
    };
    let invoice = CreateInvoice { issue: Some(None), ..CreateInvoice::draft(contact, vec![line]) };
    let number = |session: &Session<'_>| {
        let issued = block_on(session.run(&invoice))?;
        Ok::<_, CrmError>(issued.value.number.map(|number| number.to_string()).unwrap_or_default())
    };
    let used = || block_on(session.quotas()).unwrap()[0].used;
    assert_eq!([number(&session).unwrap(), number(&session).unwrap()], ["INV-000001", "INV-000002"]);
    let none_left = number(&session).unwrap_err();
    assert!(matches!(none_left, CrmError::Billing(BillingError::NoNumberLeft { last: 2, .. })), "{none_left}");
    assert_eq!(used(), 2);
    last(9);
    assert_eq!(number(&session).unwrap(), "INV-000003");
    let exceeded = number(&session).unwrap_err();
    assert!(matches!(exceeded, CrmError::QuotaExceeded { limit: 3, .. }), "{exceeded}");
    assert_eq!((number(&world.owner).unwrap(), used()), ("INV-000004".to_owned(), 3));
}

#[test]
fn payments_are_counted_however_they_are_recorded() {
    let world = World::new();
    let contact = block_on(world.owner.create(person("Eva"))).unwrap().id;
    let quotas = vec![("payment.record".to_owned(), 2)];
    let key = NewKey { quotas, ..new_key(Role::Manager, "*.read payment.import") };
    let session = world.open(&world.key(&key)).unwrap();
    let import = |rows: usize| {
        let rows = format!("{contact},1,2026-06-10\n").repeat(rows);
        let file = format!("contact_id,amount,received_on\n{rows}");
        block_on(session.import(Import::new(ImportKind::Payments, std::io::Cursor::new(file))))
    };
    assert_eq!(import(3).unwrap_err().code(), ErrorCode::Throttled);
    assert_eq!(import(2).unwrap().created, 2);
    assert_eq!(import(1).unwrap_err().code(), ErrorCode::Throttled);
}

#[test]
fn a_changed_quota_holds_for_open_sessions() {
    let world = World::new();
    let key = world.key(&new_key(Role::Manager, "contact.*"));
    let session = world.open(&key).unwrap();
    let set = |operation: &str, per_day| {
        block_on(world.owner.run(&SetQuota { key: key.key.id, operation: operation.to_owned(), per_day }))
    };
    block_on(session.create(person("Eva"))).unwrap();
    set("contact.create", Some(1)).unwrap();
    assert_eq!(block_on(session.create(person("Eva"))).unwrap_err().code(), ErrorCode::Throttled);
    // A session that knows of one only is told of the new one.
    set("contact.create", Some(2)).unwrap();
    block_on(session.create(person("Eva"))).unwrap();
    set("contact.create", None).unwrap();
    let contact = block_on(session.create(person("Eva"))).unwrap().id;
    assert!(block_on(session.quotas()).unwrap().is_empty());
    set("contact.update", Some(0)).unwrap();
    assert_eq!(block_on(session.update(contact, person("Ada"))).unwrap_err().code(), ErrorCode::Throttled);
    for (operation, per_day) in [("contact.read", Some(1)), ("nothing.at_all", None), ("contact.create", Some(-1))] {
        assert_eq!(set(operation, per_day).unwrap_err().code(), ErrorCode::Invalid, "{operation}");
    }
}

#[test]
fn an_expired_or_revoked_key_ends_at_once() {
    let world = World::new();
    let end = world.environment.now().checked_add_micros(3_600_000_000).ok();
    let key = world.key(&NewKey { expires_at: end, ..new_key(Role::Manager, "contact.*") });
    let session = world.open(&key).unwrap();
    let contact = block_on(session.create(person("Eva"))).unwrap().id;
    world.environment.advance(3_600);
    assert!(is_no_credential(world.open(&key)));
    assert!(is_no_credential(block_on(session.get(contact))));
    assert!(is_no_credential(block_on(session.create(person("Eva")))));
    let past = NewKey { expires_at: end, ..new_key(Role::Manager, "contact.*") };
    assert_eq!(block_on(world.owner.create_key(&past)).unwrap_err().code(), ErrorCode::Invalid);

    // One key in force has a name.
    assert!(block_on(world.owner.create_key(&new_key(Role::Viewer, "*.read"))).is_err());
    block_on(world.owner.run(&RevokeKey(key.key.id))).unwrap();
    let key = world.key(&new_key(Role::Manager, "contact.*"));
    let session = world.open(&key).unwrap();
    let revoked = block_on(world.owner.run(&RevokeKey(key.key.id))).unwrap();
    assert_eq!(block_on(world.owner.run(&RevokeKey(key.key.id))).unwrap(), revoked);
    assert!(is_no_credential(world.open(&key)));
    assert!(is_no_credential(block_on(session.create(person("Eva")))));
    assert_eq!(block_on(world.owner.count(&Query::<Contact>::all())).unwrap(), 1);
}

#[test]
fn a_key_does_no_more_than_its_role_and_lives_no_longer_than_its_maker() {
    let world = World::new();
    let session = world.open(&world.key(&new_key(Role::Viewer, "contact.*"))).unwrap();
    let refused = block_on(session.create(person("Eva"))).unwrap_err();
    assert!(matches!(refused, CrmError::Forbidden { role: Role::Viewer, .. }), "{refused}");
    let admin = world.member(Role::Admin);
    let beyond = block_on(admin.create_key(&new_key(Role::Owner, "contact.*"))).unwrap_err();
    assert!(matches!(beyond, CrmError::Access(AccessError::BeyondOwnRole(Role::Owner))), "{beyond}");
    let role = |role| {
        let of_admin = Membership::COLUMNS.user_id.eq(&admin.user().id);
        let member = block_on(world.owner.list(&Query::new(of_admin))).unwrap().items[0].id;
        block_on(world.owner.run(&SetRole { member, role })).unwrap();
    };
    let named = |alias: &str, role| NewKey { alias: alias.parse().unwrap(), ..new_key(role, "contact.*") };
    let [reads, works] = [named("reads", Role::Viewer), named("works", Role::Manager)]
        .map(|new| block_on(admin.create_key(&new)).unwrap());
    let open = world.open(&works).unwrap();
    role(Role::Manager);
    assert!(world.open(&reads).is_ok() && world.open(&works).is_ok());
    assert!(block_on(open.create(person("Eva"))).is_ok());
    // A member sees less than a viewer.
    role(Role::Member);
    assert!(is_no_credential(world.open(&reads)) && is_no_credential(world.open(&works)));
    assert!(is_no_credential(block_on(open.create(person("Eva")))));
    let member = world.member(Role::Manager);
    assert_eq!(block_on(member.create_key(&named("no", Role::Manager))).unwrap_err().code(), ErrorCode::Forbidden);
}

#[test]
fn the_keys_of_a_member_end_with_the_membership_for_good() {
    let world = World::new();
    let admin = world.member(Role::Admin);
    let key = block_on(admin.create_key(&new_key(Role::Viewer, "*.read"))).unwrap();
    let kept = world.key(&NewKey { alias: "kept".parse().unwrap(), ..new_key(Role::Viewer, "*.read") });
    let of_admin = Membership::COLUMNS.user_id.eq(&admin.user().id);
    let member = block_on(world.owner.list(&Query::new(of_admin))).unwrap().items[0].id;
    block_on(world.owner.run(&RemoveMember { member })).unwrap();
    assert!(block_on(world.owner.get(key.key.id)).unwrap().revoked_at.is_some());
    block_on(testing::joined(&world.crm, &world.owner, &admin.user().email, Role::Owner)).unwrap();
    assert!(is_no_credential(world.open(&key)));
    assert!(world.open(&kept).is_ok());
}

#[test]
fn a_kept_session_goes_on_with_what_a_new_one_has_read() {
    let world = World::new();
    let kept = world.member(Role::Manager);
    let of_kept = Membership::COLUMNS.user_id.eq(&kept.user().id);
    let member = block_on(world.owner.list(&Query::new(of_kept))).unwrap().items[0].id;
    block_on(world.owner.run(&SetRole { member, role: Role::Viewer })).unwrap();
    let again = block_on(world.crm.session(&kept.organization().slug, &kept.user().email)).unwrap();
    assert_eq!(kept.role(), Role::Manager);
    kept.renew(&again).unwrap();
    assert_eq!(kept.role(), Role::Viewer);
    // Not with anybody else's, nor with what the same member reads through a key.
    let key = world.open(&world.key(&new_key(Role::Manager, "contact.*"))).unwrap();
    for (kept, other) in [(&kept, &world.owner), (&world.owner, &key), (&key, &world.owner)] {
        let refused = kept.renew(other).unwrap_err();
        assert!(matches!(refused, CrmError::Unauthenticated(_)), "{refused}");
    }
    assert_eq!((kept.role(), world.owner.role(), key.role()), (Role::Viewer, Role::Owner, Role::Manager));
}

#[test]
fn keys_manage_no_keys_and_admins_no_keys_of_owners() {
    let world = World::new();
    let key = world.key(&new_key(Role::Owner, "api_key.* membership.* contact.read"));
    let session = world.open(&key).unwrap();
    let another = NewKey { alias: "another".parse().unwrap(), ..new_key(Role::Viewer, "contact.read") };
    let refused = block_on(session.create_key(&another)).unwrap_err();
    assert!(matches!(refused, CrmError::Access(AccessError::MembersOnly)), "{refused}");
    let more = SetQuota { key: key.key.id, operation: "contact.create".to_owned(), per_day: None };
    let refused = block_on(session.run(&more)).unwrap_err();
    assert!(matches!(refused, CrmError::Access(AccessError::MembersOnly)), "{refused}");
    // Nor the membership of the member they work for.
    let own = block_on(session.list(&Query::<Membership>::all())).unwrap().items[0].id;
    let refused = block_on(session.run(&SetRole { member: own, role: Role::Viewer })).unwrap_err();
    assert!(matches!(refused, CrmError::Access(AccessError::MembersOnly)), "{refused}");
    // Nor members, invitations and users, though they have the scopes: what they did would outlive them.
    let all: Vec<&str> = POLICY.iter().map(|rule| rule.operation).collect();
    let scopes = boundaries::stored_scopes(&all.join(" ")).unwrap();
    let all = NewKey { alias: "all".parse().unwrap(), scopes, ..new_key(Role::Owner, "*.read") };
    let all = world.open(&world.key(&all)).unwrap();
    let admin = world.member(Role::Admin);
    let of_admin = Membership::COLUMNS.user_id.eq(&admin.user().id);
    let member = block_on(world.owner.list(&Query::new(of_admin))).unwrap().items[0].id;
    let new = NewInvitation { email: "eva@example.com".parse().unwrap(), role: Role::Admin, days: None };
    let invitation = block_on(world.owner.invite(&new)).unwrap().invitation.id;
    let add = AddMember { email: "new@example.com".parse().unwrap(), full_name: "N".parse().ok(), role: Role::Owner };
    for refused in [
        block_on(all.invite(&new)).map(drop),
        block_on(all.run(&WithdrawInvitation(invitation))).map(drop),
        block_on(all.run(&add)).map(drop),
        block_on(all.run(&SetRole { member, role: Role::Owner })).map(drop),
        block_on(all.run(&RemoveMember { member })).map(drop),
        block_on(all.run(&SetUsername("taken.over".parse().ok()))).map(drop),
        block_on(all.run(&EndSessions)).map(drop),
        block_on(all.run(&DeactivateUser(member))).map(drop),
        block_on(all.run(&ActivateUser(member))).map(drop),
        block_on(all.run(&RevokeKey(key.key.id))).map(drop),
    ] {
        assert!(matches!(refused, Err(CrmError::Access(AccessError::MembersOnly))), "{refused:?}");
    }
    for refused in [block_on(admin.run(&RevokeKey(key.key.id))), block_on(admin.run(&more))] {
        assert!(matches!(refused, Err(CrmError::Access(AccessError::OwnersOnly))), "{refused:?}");
    }
    // A program that has lost its key can end it itself.
    block_on(session.run(&RevokeKey(key.key.id))).unwrap();
    assert!(is_no_credential(world.open(&key)));
}

#[test]
fn the_secret_of_a_key_appears_nowhere() {
    let world = World::new();
    let key = world.key(&new_key(Role::Owner, "*.read contact.* api_key.revoke"));
    let session = world.open(&key).unwrap();
    block_on(session.create(person("Eva"))).unwrap();
    block_on(session.create(Edit::<Contact>::new())).unwrap_err();
    let again = "again".parse().unwrap();
    let revoked = block_on(world.owner.run_with_key(&RevokeKey(key.key.id), Some(&again))).unwrap();
    assert_eq!(block_on(world.owner.run_with_key(&RevokeKey(key.key.id), Some(&again))).unwrap().id, revoked.id);
    let mut seen = format!("{key:?} {} {revoked:?} {} {:?}", key.text, to_json(&revoked), world.open(&key).err());
    let stored = |table: &'static Table| {
        block_on(world.crm.store().select(world.owner.scope(), &Select::new(table, Expr::True))).unwrap()
    };
    let mut hash = Vec::new();
    for table in TABLES.iter().copied().filter(|table| table.tenancy == Tenancy::Organization) {
        for row in stored(table) {
            seen.push_str(&encode_row(table, &row));
            if *table == *ApiKey::TABLE {
                hash.push(row[ApiKey::COLUMNS.hash.index()].clone());
            } else {
                let _ = write!(seen, "{row:?}");
            }
        }
    }
    assert!(
        seen.contains("\"key\"") && !stored(Idempotency::TABLE).is_empty() && !stored(AuditEntry::TABLE).is_empty()
    );
    let secret = key.text.expose().rsplit('_').next().unwrap();
    assert!(!seen.contains(&secret[..12]) && !seen.contains(&secret[20..32]), "{seen}");
    let [crm_core::Value::Bytes(hash)] = hash.as_slice() else { panic!("{hash:?}") };
    let hex = hash.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    assert!(!seen.contains(&hex) && !seen.contains(&format!("{hash:?}")) && hash.len() == 32);
}

#[test]
fn what_a_key_does_is_the_keys_in_the_audit_and_its_members_elsewhere() {
    let world = World::new();
    let key = world.key(&new_key(Role::Manager, "contact.*"));
    let contact = block_on(world.open(&key).unwrap().create(person("Eva"))).unwrap();
    let owner = world.owner.user().id;
    assert_eq!((contact.created_by, contact.owner_id), (Some(owner.uuid()), Some(owner)));
    let entries =
        block_on(world.owner.list(&Query::new(AuditEntry::COLUMNS.record_id.eq(&contact.id.uuid())))).unwrap();
    assert_eq!((entries.items[0].actor_kind, entries.items[0].actor_id), (ActorKind::Key, Some(key.key.id.uuid())));
    assert!(block_on(world.owner.verify(None)).unwrap().findings.is_empty());
}

#[test]
fn requests_are_logged_with_who_asks_and_what_came_of_it() {
    let world = World::new();
    let mut new = new_key(Role::Manager, "contact.create contact.import");
    new.quotas = vec![("contact.create".to_owned(), 2)];
    let requester = Requester {
        name: "Luz".parse().ok(),
        email: "luz@shop.example".parse().ok(),
        application_id: "shop-7".parse().ok(),
    };
    let key = world.key(&new);
    let session = world.open(&key).unwrap().requested_by(&requester);
    let begun = world.environment.now();
    let eva = block_on(session.create(person("Eva"))).unwrap().id;
    block_on(session.create(Edit::<Contact>::new())).unwrap_err();
    block_on(session.update(eva, person("Ada"))).unwrap_err();
    block_on(session.create_many(&[person("Ada"), person("Adam")])).unwrap_err();
    block_on(session.create_many(&[person("Ada")])).unwrap();
    block_on(session.import(Import::new(ImportKind::Contacts, "kind,given_name\nperson,X\n".as_bytes()))).unwrap_err();
    let ended = world.environment.now();
    let log = block_on(world.owner.list(&Query::<ApiRequest>::all().ascending(ApiRequest::COLUMNS.at))).unwrap();
    let told: Vec<_> = log.items.iter().map(|asked| (asked.operation.as_str(), asked.outcome.as_str())).collect();
    assert_eq!(
        told,
        [
            ("contact.create", "ok"),
            ("contact.create", "invalid"),
            ("contact.update", "forbidden"),
            ("contact.create", "throttled"),
            ("contact.create", "ok"),
            ("contact.import", "throttled"),
        ]
    );
    for asked in &log.items {
        let who = Requester {
            name: asked.name.clone(),
            email: asked.email.clone(),
            application_id: asked.application_id.clone(),
        };
        assert_eq!(who, requester);
        assert_eq!(asked.key_id, key.key.id);
        assert!(begun < asked.at && asked.at < ended, "{begun} {} {ended}", asked.at);
    }
    assert!(log.items.is_sorted_by(|one, next| one.at < next.at));
}

#[test]
fn last_use_is_noted_once_a_minute() {
    let world = World::new();
    let key = world.key(&new_key(Role::Viewer, "*.read"));
    let last = || block_on(world.owner.get(key.key.id)).unwrap().last_used_at();
    assert_eq!(last(), None);
    world.open(&key).unwrap();
    let first = last().unwrap();
    world.open(&key).unwrap();
    assert_eq!(last(), Some(first));
    world.environment.advance(60);
    world.open(&key).unwrap();
    assert!(last().unwrap() > first);
    assert_eq!(block_on(world.owner.get(key.key.id)).unwrap().version, 1);
}

#[test]
fn usage_is_read_by_admins_alone() {
    let world = World::new();
    let manager = world.member(Role::Manager);
    let day = crm_core::value::parse_date("2026-06-15").unwrap();
    assert_eq!(block_on(manager.key_usage(None, day, day)).unwrap_err().code(), ErrorCode::Forbidden);
    assert_eq!(block_on(manager.list(&Query::<KeyUsage>::all())).unwrap_err().code(), ErrorCode::Forbidden);
    assert!(block_on(manager.quotas()).unwrap().is_empty());
    let text = Secret::from("crm_x");
    assert!(is_no_credential(block_on(world.crm.session_with_key(&text))));
}
