//! Row-level security of what stands above organizations: users, logins and the organizations themselves.

#![allow(clippy::unwrap_used, reason = "these are tests")]

mod common;
#[path = "common/fenced.rs"]
mod fenced;

use common::execute;
use crm_core::access::{AccessError, AddMember, LoginSession, Membership, RemoveMember, Role};
use crm_core::entity::Entity as _;
use crm_core::store::{Query, Scope, Select, StoreExt as _};
use crm_core::testing::logins::{PASSWORD, World};
use crm_core::testing::{joined, member, organization};
use crm_core::{CrmError, NewOrganization, Session};
use fenced::Fenced;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

/// What row-level security answers to a row that it does not let in.
const OUTSIDE: &str = "42501";
/// The organizations' keys.
const KEYS: [i64; 3] = [1, 2, 3];

/// Three organizations, whose members have signed in, and one user who is a member of the first two.
struct Book {
    fenced: Fenced,
    world: World,
    owners: Vec<Session<'static>>,
}

async fn book() -> Book {
    let fenced = Fenced::new().await;
    let world = World::new(fenced.store().await);
    let mut owners = Vec::new();
    for slug in ["one", "two", "three"] {
        let owner = organization(&world.crm, slug).await.unwrap();
        member(&world.crm, &owner, Role::Member).await.unwrap();
        owners.push(owner);
    }
    let shared = "member@two.example".parse().unwrap();
    joined(&world.crm, &owners[0], &shared, Role::Viewer).await.unwrap();
    for (slug, name) in [
        ("one", "owner@one.example"),
        ("one", "member@two.example"),
        ("two", "member@two.example"),
        ("three", "owner@three.example"),
    ] {
        world.crm.set_password(&name.parse().unwrap(), &PASSWORD.into()).await.unwrap();
        world.login(slug, name, PASSWORD).await.unwrap();
    }
    Book { fenced, world, owners }
}

async fn texts(connection: &mut PgConnection, sql: &str) -> Vec<String> {
    sqlx::query_scalar::<_, String>(AssertSqlSafe(sql.to_owned())).fetch_all(connection).await.unwrap()
}

async fn number(connection: &mut PgConnection, sql: &str) -> i64 {
    sqlx::query_scalar::<_, i64>(AssertSqlSafe(sql.to_owned())).fetch_one(connection).await.unwrap()
}

/// How many rows a statement changes; it is taken back.
async fn changed(connection: &mut PgConnection, sql: &str) -> u64 {
    execute(connection, "SAVEPOINT s").await;
    let result = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut *connection).await.unwrap();
    execute(connection, "ROLLBACK TO SAVEPOINT s").await;
    result.rows_affected()
}

/// The SQLSTATE with which a statement is refused.
async fn refusal(connection: &mut PgConnection, sql: &str) -> String {
    execute(connection, "SAVEPOINT s").await;
    let refused = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut *connection).await.unwrap_err();
    execute(connection, "ROLLBACK TO SAVEPOINT s").await;
    refused.as_database_error().unwrap().code().unwrap().into_owned()
}

/// Who is seen.
const USERS: &str = "SELECT email FROM crm_user ORDER BY email";

#[tokio::test]
async fn an_organization_sees_itself_its_members_and_the_logins_to_it() {
    let Book { fenced, .. } = book().await;
    let mut host = fenced.host().await;
    let members = [
        &["member@one.example", "member@two.example", "owner@one.example"][..],
        &["member@two.example", "owner@two.example"],
        &["member@three.example", "owner@three.example"],
    ];
    for ((key, slug), members) in KEYS.into_iter().zip(["one", "two", "three"]).zip(members) {
        let mut transaction = host.begin().await.unwrap();
        execute(&mut transaction, &format!("SET LOCAL crm.org = '{key}'")).await;
        assert_eq!(texts(&mut transaction, "SELECT slug FROM crm_organization").await, [slug]);
        assert_eq!(texts(&mut transaction, USERS).await, members);
        let logins = "SELECT count(*) FROM crm_login_session";
        let own = format!("{logins} WHERE organization_id = (SELECT id FROM crm_organization WHERE key = {key})");
        assert_eq!(number(&mut transaction, logins).await, fenced.database.number(&own).await);
        for table in ["crm_refresh_token", "crm_login_throttle"] {
            let all = format!("SELECT count(*) FROM {table}");
            assert_eq!(number(&mut transaction, &all).await, 0, "{table}");
            assert!(fenced.database.number(&all).await > 0, "{table}");
        }
        transaction.rollback().await.unwrap();
    }
    assert_eq!(fenced.database.number("SELECT count(*) FROM crm_login_session").await, 4);
    // Without an organization, or for one that is not there, there is nothing; above them all there is everything.
    for (key, users, organizations) in [("", 0, 0), ("99", 0, 0), ("0", 6, 3)] {
        let mut transaction = host.begin().await.unwrap();
        execute(&mut transaction, &format!("SET LOCAL crm.org = '{key}'")).await;
        assert_eq!(number(&mut transaction, "SELECT count(*) FROM crm_user").await, users, "{key}");
        assert_eq!(number(&mut transaction, "SELECT count(*) FROM crm_organization").await, organizations, "{key}");
        transaction.rollback().await.unwrap();
    }
}

#[tokio::test]
async fn an_organization_changes_nothing_of_others() {
    let Book { fenced, owners, .. } = book().await;
    let mut host = fenced.host().await;
    execute(&mut host, "BEGIN; SET LOCAL crm.org = '1'").await;
    for (forgetful, rows) in [
        ("UPDATE crm_organization SET name = 'taken'", 1),
        ("UPDATE crm_user SET password_hash = 'taken'", 3),
        ("UPDATE crm_login_session SET revoked_at = NULL", 2),
        ("UPDATE crm_refresh_token SET generation = 1", 0),
        ("UPDATE crm_login_throttle SET failures = 0", 0),
        ("DELETE FROM crm_refresh_token", 0),
        ("DELETE FROM crm_login_throttle", 0),
    ] {
        assert_eq!(changed(&mut host, forgetful).await, rows, "{forgetful}");
    }
    let [own, other] = [&owners[0], &owners[1]].map(|owner| owner.organization().id.to_string());
    let [user, stranger] = [&owners[0], &owners[1]].map(|owner| owner.user().id.to_string());
    let session = texts(&mut host, "SELECT id::text FROM crm_login_session LIMIT 1").await.remove(0);
    let stamps = "version, created_at, updated_at";
    let login = |organization: &str| {
        format!(
            "INSERT INTO crm_login_session (id, user_id, organization_id, epoch, generation, rotated_at, ends_at, {stamps}) \
             VALUES (gen_random_uuid(), '{user}', '{organization}', 1, 1, now(), now(), 1, now(), now())"
        )
    };
    assert_eq!(changed(&mut host, &login(&own)).await, 1);
    for text in [
        "UPDATE crm_organization SET key = 99".to_owned(),
        format!("UPDATE crm_user SET id = gen_random_uuid() WHERE id = '{user}'"),
        format!("UPDATE crm_login_session SET organization_id = '{other}'"),
        login(&other),
        format!(
            "INSERT INTO crm_user (id, email, email_key, full_name, active, epoch, memberships, {stamps}) \
             VALUES (gen_random_uuid(), 'new', 'new', 'New', TRUE, 0, 1, 1, now(), now())"
        ),
        format!(
            "INSERT INTO crm_refresh_token (id, hash, session_id, generation, expires_at) \
             VALUES (gen_random_uuid(), '\\x00', '{session}', 1, now())"
        ),
        format!(
            "INSERT INTO crm_login_throttle (id, key, failures, since, known, expires_at, {stamps}) \
             VALUES (gen_random_uuid(), '\\x00', 0, now(), FALSE, now(), 1, now(), now())"
        ),
    ] {
        assert_eq!(refusal(&mut host, &text).await, OUTSIDE, "{text}");
    }
    // What is named can be touched, and nothing else.
    execute(&mut host, &format!("SET LOCAL crm.beyond = '{stranger}'")).await;
    let seen = ["member@one.example", "member@two.example", "owner@one.example", "owner@two.example"];
    assert_eq!(texts(&mut host, USERS).await, seen);
    assert_eq!(changed(&mut host, "UPDATE crm_user SET memberships = 1").await, 4);
    execute(&mut host, "SET LOCAL crm.beyond = ''").await;
    assert_eq!(texts(&mut host, USERS).await.len(), 3);
}

#[tokio::test]
async fn who_joins_and_leaves_is_let_in_and_out() {
    let Book { fenced, world, owners } = book().await;
    let (crm, store) = (&world.crm, world.crm.store());
    // Somebody who is a user already becomes an owner, is invited, and leaves again.
    let known = NewOrganization {
        organization: crm_core::access::Organization::new(
            "four".parse().unwrap(),
            "Four".parse().unwrap(),
            "USD".parse().unwrap(),
            "UTC".parse().unwrap(),
        ),
        owner_email: "owner@one.example".parse().unwrap(),
        owner_name: "Olivia Owner".parse().unwrap(),
        invoice_prefix: "INV-".to_owned(),
    };
    crm.create_organization(&known).await.unwrap();
    let four = crm.session(&"four".parse().unwrap(), &known.owner_email).await.unwrap();
    let email = "member@three.example".parse().unwrap();
    let member = joined(crm, &four, &email, Role::Manager).await.unwrap();
    let refused =
        four.run(&AddMember { email: "owner@two.example".parse().unwrap(), full_name: None, role: Role::Viewer }).await;
    assert!(matches!(&refused, Err(CrmError::Access(AccessError::KnownUser(_)))), "{refused:?}");
    let theirs = crm.session(&"four".parse().unwrap(), &email).await.unwrap();
    four.run(&RemoveMember { member: member.id }).await.unwrap();
    let after = theirs.create(testing_contact()).await;
    assert!(matches!(&after, Err(CrmError::Unauthenticated(_))), "{after:?}");
    // A new user of the second, who leaves it: the second's chain tells of somebody who is not its any more.
    let new = AddMember {
        email: "new@two.example".parse().unwrap(),
        full_name: Some("New".parse().unwrap()),
        role: Role::Viewer,
    };
    let new = owners[1].run(&new).await.unwrap();
    owners[1].run(&RemoveMember { member: new.id }).await.unwrap();
    for session in owners.iter().chain([&four]) {
        assert_eq!(session.verify(None).await.unwrap().findings, []);
    }
    assert_eq!(crm.verify_users().await.unwrap().findings, []);
    assert!(store.get(Scope::SYSTEM, new.user_id).await.unwrap().is_some());
    assert!(store.get(owners[1].scope(), new.user_id).await.unwrap().is_none());
    // What right passwords were charged for is taken back.
    assert!(fenced.database.number("SELECT count(*) FROM crm_login_throttle").await > 0);
    assert_eq!(fenced.database.number("SELECT sum(failures)::bigint FROM crm_login_throttle").await, 0);
    // A login removes what is left of the user's sessions elsewhere.
    world.clock.advance(31 * 86_400);
    let all = Query::<LoginSession>::all();
    let before = store.count(Scope::SYSTEM, &all).await.unwrap();
    world.login("two", "member@two.example", PASSWORD).await.unwrap();
    world.login("two", "member@two.example", PASSWORD).await.unwrap();
    assert_eq!(store.count(Scope::SYSTEM, &all).await.unwrap(), before);
}

fn testing_contact() -> crm_core::Edit<crm_core::people::Contact> {
    let fields = [("kind", "person"), ("given_name", "Eva")];
    let locale = crm_core::entity::Locale { region: None, currency: "USD".parse().unwrap() };
    crm_core::Edit::parse(fields, &locale).unwrap()
}

#[tokio::test]
async fn a_hosts_transaction_is_let_at_nobody_for_longer_than_a_call_takes() {
    let Book { fenced, owners, .. } = book().await;
    let store = fenced.store().await;
    let mut host = fenced.host().await;
    let mut transaction = host.begin().await.unwrap();
    execute(&mut transaction, "SET LOCAL crm.org = '1'").await;
    for (email, accepted) in [("new@one.example", true), ("owner@three.example", false), ("new@one.example", false)] {
        {
            let within = store.within(&mut transaction);
            let new = AddMember {
                email: email.parse().unwrap(),
                full_name: Some("New".parse().unwrap()),
                role: Role::Viewer,
            };
            let added = owners[0].on(&within).run(&new).await;
            assert_eq!(added.is_ok(), accepted, "{email}: {added:?}");
        }
        let beyond = "SELECT coalesce(current_setting('crm.beyond', TRUE), '')";
        assert_eq!(texts(&mut transaction, beyond).await, [""], "{email}");
        assert_eq!(texts(&mut transaction, "SELECT current_setting('crm.org')").await, ["1"]);
        assert_eq!(texts(&mut transaction, USERS).await.len(), 4, "{email}");
    }
    transaction.commit().await.unwrap();
    let added = Membership::COLUMNS.role.eq(&Role::Viewer);
    let added = Select::new(Membership::TABLE, added.into());
    assert_eq!(store.all::<Membership>(owners[0].scope(), &added).await.unwrap().len(), 2);
}

#[tokio::test]
async fn indexes_serve_what_the_policies_ask_for() {
    let Book { fenced, .. } = book().await;
    let mut admin = fenced.database.host().await;
    let fill = "INSERT INTO crm_user (id, email, email_key, full_name, active, epoch, memberships, version, created_at, updated_at) \
                SELECT gen_random_uuid(), 'u' || i, 'u' || i, 'U', TRUE, 0, 1, 1, now(), now() FROM generate_series(1, 9000) AS i; \
                INSERT INTO crm_membership (org, id, user_id, role, version, created_at, updated_at) \
                SELECT 1 + length(email_key) % 3, gen_random_uuid(), id, 'viewer', 1, now(), now() FROM crm_user \
                WHERE email_key LIKE 'u%'; \
                INSERT INTO crm_login_session (id, user_id, organization_id, epoch, generation, rotated_at, ends_at, version, \
                created_at, updated_at) SELECT gen_random_uuid(), m.user_id, o.id, 1, 1, now(), now(), 1, now(), now() \
                FROM crm_membership AS m JOIN crm_organization AS o ON o.key = m.org; \
                ANALYZE crm_user; ANALYZE crm_membership; ANALYZE crm_login_session";
    execute(&mut admin, fill).await;
    let mut host = fenced.host().await;
    execute(&mut host, "BEGIN; SET LOCAL crm.org = '2'").await;
    let id = "'00000000-0000-0000-0000-000000000001'";
    for (query, indexes) in [
        (format!("SELECT * FROM crm_user WHERE id = {id}"), &["crm_user_pkey", "crm_membership_user_id"][..]),
        ("SELECT * FROM crm_user WHERE email_key = 'u1'".to_owned(), &["crm_user_email_key", "crm_membership_user_id"]),
        (format!("SELECT 1 FROM crm_user WHERE id = {id} AND version = 1 FOR SHARE"), &["crm_user_pkey"]),
        (format!("SELECT 1 FROM crm_login_session WHERE id = {id} FOR SHARE"), &["crm_login_session_pkey"]),
        ("SELECT * FROM crm_organization WHERE slug = 'two'".to_owned(), &[]),
    ] {
        let explain = format!("EXPLAIN (COSTS OFF) {query}");
        let plan = texts(&mut host, &explain).await.join("\n");
        for index in indexes {
            assert!(plan.contains(index), "{index}: {plan}");
        }
        assert!(!plan.contains("Seq Scan on crm_user") && !plan.contains("Seq Scan on crm_login"), "{plan}");
    }
}
