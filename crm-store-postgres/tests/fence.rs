//! Row-level security: what the database itself keeps apart, whatever a statement forgets.

#![allow(clippy::unwrap_used, reason = "these are tests")]

mod common;
#[path = "common/fenced.rs"]
mod fenced;
#[path = "common/line.rs"]
mod line;

use std::time::Duration;

use common::{World, contact, contacts, execute};
use crm_core::Edit;
use crm_core::billing::{DocumentKind, NumberSeries};
use crm_core::entity::{Entity as _, Stored, Table, Tenancy};
use crm_core::people::{Contact, ContactKind};
use crm_core::schema::{TABLES, VERSION};
use crm_core::store::{ChangeSet, Expr, Select, Store, StoreError, StoreExt as _};
use crm_core::testing::{self, script};
use crm_store_postgres::{GrantError, NotGranted, PostgresStore};
use fenced::Fenced;
use line::Line;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

async fn number(connection: &mut PgConnection, sql: &str) -> i64 {
    sqlx::query_scalar::<_, i64>(AssertSqlSafe(sql.to_owned())).fetch_one(connection).await.unwrap()
}

/// The SQLSTATE with which a statement is refused, in a savepoint where there is a transaction.
async fn refusal(connection: &mut PgConnection, sql: &str) -> String {
    let refused = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(connection).await.unwrap_err();
    refused.as_database_error().unwrap().code().unwrap().into_owned()
}

/// The setting as a connection has it.
async fn setting(connection: &mut PgConnection) -> String {
    let setting: Option<String> =
        sqlx::query_scalar("SELECT current_setting('crm.org', TRUE)").fetch_one(connection).await.unwrap();
    setting.unwrap_or_default()
}

fn renamed(world: &mut World, before: &Stored<Contact>, name: &str) -> ChangeSet {
    let mut changes = world.changes();
    changes.update(&world.context, before, Contact { given_name: Some(name.parse().unwrap()), ..before.value.clone() });
    changes
}

/// What row-level security answers to a row that it does not let in.
const OUTSIDE: &str = "42501";

/// The condition that a row is an organization's own; under key 0 all are that stand above organizations.
fn own(table: &Table, org: i64) -> String {
    match (table.tenancy, table.name, org) {
        (Tenancy::Organization, ..) => format!("org = {org}"),
        (Tenancy::Global, _, 0) => "TRUE".to_owned(),
        (_, "crm_organization", _) => format!("key = {org}"),
        (_, "crm_user", _) => format!("id IN (SELECT user_id FROM crm_membership WHERE org = {org})"),
        (_, "crm_login_session", _) => {
            format!("organization_id = (SELECT id FROM crm_organization WHERE key = {org})")
        }
        _ => "FALSE".to_owned(),
    }
}

#[tokio::test]
async fn raw_sql_sees_and_inserts_what_belongs_to_its_organization_and_without_one_nothing() {
    let fenced = Fenced::new().await;
    let store = fenced.store().await;
    let crm = testing::crm(store.clone(), 1);
    for seed in 0..3 {
        let slug = format!("more-{seed}");
        testing::organization(&crm, &slug).await.unwrap();
    }
    script::play(&crm, 1, 600).await.unwrap();
    store.close().await.unwrap();
    let mut host = fenced.host().await;
    let organizations = fenced.database.number("SELECT max(key) FROM crm_organization").await;
    assert!(organizations >= 4);
    let mut filled = 0;
    for table in TABLES.iter().copied() {
        let (name, tenant) = (table.name, table.tenancy == Tenancy::Organization);
        let all = format!("SELECT count(*) FROM {name}");
        let total = fenced.database.number(&all).await;
        filled += u32::from(total > 0);
        assert_eq!(number(&mut host, &all).await, 0, "{name}");
        let columns = if tenant { "org, id" } else { "id" };
        let row = |org: i64| {
            let org = if tenant { format!("{org}, ") } else { String::new() };
            format!("INSERT INTO {name} ({columns}) VALUES ({org}'00000000-0000-0000-0000-000000000001')")
        };
        assert_eq!(refusal(&mut host, &row(1)).await, OUTSIDE, "{name}");
        let mut seen = 0;
        for org in 0..=organizations {
            let mut transaction = host.begin().await.unwrap();
            execute(&mut transaction, &format!("SET LOCAL crm.org = '{org}'")).await;
            let found = number(&mut transaction, &all).await;
            let own = format!("{all} WHERE {}", own(table, org));
            assert_eq!(found, fenced.database.number(&own).await, "{name} of {org}");
            seen += found;
            if tenant || org > 0 {
                assert_eq!(refusal(&mut transaction, &row(org + 1)).await, OUTSIDE, "{name} of {org}");
            }
            transaction.rollback().await.unwrap();
        }
        if tenant {
            assert_eq!(seen, total, "{name}");
        }
    }
    assert!(filled > 20, "{filled} tables have rows");
}

#[tokio::test]
async fn no_row_is_changed_in_or_moved_to_another_organization() {
    let fenced = Fenced::new().await;
    let store = fenced.store().await;
    let (mut one, mut other) = (World::new(&store, 1).await, World::new(&store, 2).await);
    let mine = one.contact(&store, "mine").await;
    let theirs = other.contact(&store, "theirs").await;
    store.close().await.unwrap();
    let mut host = fenced.host().await;
    let begin = "BEGIN; SET LOCAL crm.org = '1'";
    for forgetful in ["UPDATE crm_contact SET given_name = 'taken'", "DELETE FROM crm_contact"] {
        execute(&mut host, begin).await;
        let text = format!("WITH w AS ({forgetful} RETURNING id) SELECT count(*) FROM w");
        assert_eq!(number(&mut host, &text).await, 1, "{forgetful}");
        execute(&mut host, "ROLLBACK").await;
    }
    execute(&mut host, begin).await;
    let by_id = format!("SELECT count(*) FROM crm_contact WHERE id = '{}'", theirs.id);
    assert_eq!(number(&mut host, &by_id).await, 0);
    let moved = format!("UPDATE crm_contact SET org = 2 WHERE id = '{}'", mine.id);
    assert_eq!(refusal(&mut host, &moved).await, OUTSIDE);
    execute(&mut host, "ROLLBACK").await;
    assert_eq!(fenced.database.number("SELECT count(*) FROM crm_contact WHERE org = 1").await, 1);
}

#[tokio::test]
async fn two_organizations_share_a_pool_of_one_connection() {
    let fenced = Fenced::new().await;
    let store = fenced.store_with(fenced.options().max_connections(1)).await;
    let (one, other) = (World::new(&store, 1).await, World::new(&store, 2).await);
    let tasks: Vec<_> = [one.clone(), other.clone()]
        .into_iter()
        .map(|mut world| {
            let store = store.clone();
            tokio::spawn(async move {
                for count in 1..=40 {
                    let made = world.contact(&store, "n").await;
                    assert!(store.get(world.scope, made.id).await.unwrap().is_some());
                    assert_eq!(contacts(&store, world.scope).await, count);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let stale = store.get(other.scope, one.clone().contact(&store, "mine").await.id).await.unwrap();
    assert!(stale.is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_connection_stays_in_a_transaction_after_answers_refusals_and_cancellations() {
    let fenced = Fenced::new().await;
    let options = fenced.options().max_connections(3).application_name(&fenced.database.schema);
    let store = fenced.store_with(options.seal_after(Duration::from_hours(1))).await;
    let mut world = World::new(&store, 1).await;
    fenced.database.until_idle().await;
    let made = world.contact(&store, "answer").await;
    fenced.database.until_idle().await;
    assert!(store.get(world.scope, made.id).await.unwrap().is_some());
    fenced.database.until_idle().await;
    // Refusals: of one record, of many, of a value that the database cannot hold.
    let stale = renamed(&mut world, &Stored { version: 7, ..made.clone() }, "stale");
    assert!(store.apply(world.scope, stale).await.unwrap_err().is_conflict());
    fenced.database.until_idle().await;
    let other = world.contact(&store, "other").await;
    let mut many = world.changes();
    many.require_unchanged(&other);
    many.require_unchanged(&Stored { version: 7, ..made.clone() });
    let refused = store.apply(world.scope, many).await;
    assert!(matches!(refused, Err(StoreError::Conflict { id, .. }) if id == made.id.uuid()), "{refused:?}");
    fenced.database.until_idle().await;
    let nul = Expr::Contains(Contact::COLUMNS.name_key.operand(), "\0".to_owned());
    assert!(store.select(world.scope, &Select::new(Contact::TABLE, nul)).await.is_err());
    // Cancellations swallow no later change-set.
    let series = {
        let mut changes = world.changes();
        let series = changes.insert(&mut world.context, NumberSeries::new(DocumentKind::Contact, "C-", 6).unwrap());
        store.apply(world.scope, changes).await.unwrap();
        series
    };
    for round in 0..200_u64 {
        let (mut changes, _) = world.one(contact("cancelled"));
        if round % 2 == 0 {
            changes.count(series.id, NumberSeries::COLUMNS.next.index(), 1, i64::MAX);
        }
        let patience = Duration::from_micros(20 * (round % 60));
        let _ = tokio::time::timeout(patience, store.apply(world.scope, changes)).await;
        let _ = tokio::time::timeout(patience, store.get(world.scope, made.id)).await;
    }
    for _ in 0..20 {
        world.contact(&store, "kept").await;
    }
    fenced.database.until_idle().await;
    let kept = "SELECT count(*) FROM crm_contact WHERE given_name = 'kept'";
    assert_eq!(fenced.database.number(kept).await, 20);
    let entries = "SELECT count(*) FROM crm_audit_entry WHERE entity = 'contact'";
    assert_eq!(fenced.database.number(entries).await, contacts(&store, world.scope).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outcome_is_unknown_only_when_the_commits_answer_is_lost() {
    let fenced = Fenced::new().await;
    let url = Fenced::url(&fenced.role);
    let line = Line::new(&url).await;
    let options = fenced.options().acquire_timeout(Duration::from_secs(5));
    let store = PostgresStore::connect(&line.url(&url), options).await.unwrap();
    let mut world = World::new(&store, 1).await;
    world.contact(&store, "before").await;
    for (at, known) in [(&b"SET LOCAL"[..], true), (b"COMMIT", false)] {
        let (changes, _) = world.one(contact("lost answer"));
        line.cut_at(at);
        let lost = store.apply(world.scope, changes).await;
        if known {
            assert!(matches!(lost, Err(StoreError::Unavailable(_))), "{lost:?}");
        } else {
            assert!(matches!(lost, Err(StoreError::OutcomeUnknown(_))), "{lost:?}");
        }
        line.mend();
    }
    // The commit whose answer was lost was one.
    fenced.database.until("SELECT count(*) FROM crm_contact", |count| count == 2).await;
    assert_eq!(contacts(&store, world.scope).await, 2);
    // A read is tried again on another connection.
    line.cut_at(b"SET LOCAL");
    let unread = store.select(world.scope, &Select::new(Contact::TABLE, Expr::True)).await;
    assert!(matches!(unread, Err(StoreError::Unavailable(_))), "{unread:?}");
    line.mend();
    assert_eq!(contacts(&store, world.scope).await, 2);
}

#[tokio::test]
async fn a_host_keeps_its_own_setting_whatever_is_done_within_its_transaction() {
    let fenced = Fenced::new().await;
    let store = fenced.store().await;
    let (mut one, mut other) = (World::new(&store, 1).await, World::new(&store, 2).await);
    let mine = one.contact(&store, "mine").await;
    for (before, also) in [("", ""), ("2", "SET LOCAL crm.org = '2'"), ("1", "SET LOCAL crm.org = '1'")] {
        let mut host = fenced.host().await;
        let mut transaction = host.begin().await.unwrap();
        execute(&mut transaction, also).await;
        {
            let within = store.within(&mut transaction);
            assert!(within.get(one.scope, mine.id).await.unwrap().is_some());
            assert!(within.get(other.scope, mine.id).await.unwrap().is_none());
        }
        assert_eq!(setting(&mut transaction).await, before);
        for world in [&mut one, &mut other] {
            let (changes, made) = world.one(contact("inside"));
            store.apply_in(&mut transaction, world.scope, changes).await.unwrap();
            assert_eq!(setting(&mut transaction).await, before);
            assert!(store.within(&mut transaction).get(world.scope, made.id).await.unwrap().is_some());
            let stale = renamed(world, &Stored { version: 7, ..made.clone() }, "stale");
            let refused = store.apply_in(&mut transaction, world.scope, stale).await;
            assert!(refused.unwrap_err().is_conflict());
            assert_eq!(setting(&mut transaction).await, before);
            assert_eq!(contacts(&store.within(&mut transaction), world.scope).await, world_count(world));
            assert_eq!(setting(&mut transaction).await, before);
        }
        // A read that fails is undone, and the host goes on.
        let nul = Expr::Contains(Contact::COLUMNS.name_key.operand(), "\0".to_owned());
        let third = crm_core::store::Scope::for_tests(3);
        assert!(store.within(&mut transaction).select(third, &Select::new(Contact::TABLE, nul)).await.is_err());
        assert_eq!(setting(&mut transaction).await, before);
        transaction.rollback().await.unwrap();
        assert_eq!(setting(&mut host).await, "");
        // Outside a transaction nothing is set either.
        assert!(store.within(&mut host).get(one.scope, mine.id).await.unwrap().is_some());
        assert_eq!(setting(&mut host).await, "");
    }
}

/// How many contacts a world of that test has inside.
fn world_count(world: &World) -> i64 {
    if world.scope.key() == 1 { 2 } else { 1 }
}

#[tokio::test]
async fn the_hosts_role_decides_and_not_the_stores() {
    let fenced = Fenced::new().await;
    let free = fenced.database.store().await;
    let held = fenced.store().await;
    assert_eq!((free.is_fenced(), held.is_fenced(), fenced.owner_store().await.is_fenced()), (false, true, true));
    let mut world = World::new(&free, 1).await;
    let made = world.contact(&free, "made").await;
    for store in [&free, &held] {
        for mut host in [fenced.host().await, fenced.database.host().await] {
            let mut transaction = host.begin().await.unwrap();
            {
                let within = store.within(&mut transaction);
                assert!(within.get(world.scope, made.id).await.unwrap().is_some());
                assert_eq!(contacts(&within, world.scope).await, 1);
                let (changes, _) = world.one(contact("inside"));
                within.apply(world.scope, changes).await.unwrap();
                assert_eq!(contacts(&within, world.scope).await, 2);
            }
            transaction.rollback().await.unwrap();
        }
    }
}

#[tokio::test]
async fn indexes_serve_what_the_policy_asks_for() {
    let fenced = Fenced::new().await;
    let store = fenced.store().await;
    for key in 1..=3 {
        World::new(&store, key).await;
    }
    let mut admin = fenced.database.host().await;
    let fill = "INSERT INTO crm_contact (org, id, kind, name_key, search, version, created_at, updated_at) \
                SELECT org, gen_random_uuid(), 'person', 'n' || i, 'n' || i, 1, now(), now() \
                FROM generate_series(1, 3) AS org, generate_series(1, 2000) AS i; ANALYZE crm_contact";
    execute(&mut admin, fill).await;
    let mut host = fenced.host().await;
    execute(&mut host, "BEGIN; SET LOCAL crm.org = '2'").await;
    let id = "'00000000-0000-0000-0000-000000000001'";
    for (query, index) in [
        (format!("SELECT * FROM crm_contact WHERE org = 2 AND id = {id}"), "crm_contact_pkey"),
        (format!("SELECT * FROM crm_contact WHERE org = 2 AND id > {id} ORDER BY id LIMIT 50"), "crm_contact_pkey"),
        ("SELECT * FROM crm_contact WHERE org = 2 AND email_key = 'x'".to_owned(), "crm_contact_email_key"),
        // What a statement forgets, the policy's own condition finds by an index.
        (format!("SELECT * FROM crm_contact WHERE id = {id}"), "crm_contact_pkey"),
        ("SELECT count(*) FROM crm_contact WHERE owner_id IS NULL".to_owned(), "Index Cond: (org = (NULLIF("),
    ] {
        let explain = format!("EXPLAIN (COSTS OFF) {query}");
        let plan: Vec<String> = sqlx::query_scalar(AssertSqlSafe(explain)).fetch_all(&mut host).await.unwrap();
        let plan = plan.join("\n");
        assert!(plan.contains(index) && plan.contains("Index Cond: ("), "{plan}");
        // The function has become a part of the statement.
        assert!(plan.contains("current_setting") && !plan.contains("crm_current_org"), "{plan}");
    }
}

#[tokio::test]
async fn a_role_is_granted_what_the_store_needs_and_no_more() {
    let fenced = Fenced::new().await;
    let store = fenced.store().await;
    World::new(&store, 1).await.contact(&store, "x").await;
    let mut host = fenced.host().await;
    execute(&mut host, "BEGIN; SET LOCAL crm.org = '1'").await;
    let denied = [
        "DELETE FROM crm_audit_entry",
        "UPDATE crm_audit_entry SET actor_id = NULL",
        "UPDATE crm_audit_entry SET org = 1",
        "DELETE FROM crm_user",
        "DELETE FROM crm_organization",
        "TRUNCATE crm_contact",
        "DROP TABLE crm_contact",
        "ALTER TABLE crm_contact ADD COLUMN x int",
        "ALTER TABLE crm_contact DISABLE ROW LEVEL SECURITY",
        "DROP POLICY crm_fence ON crm_contact",
        "CREATE TABLE mine (x int)",
        "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "UPDATE crm_migration SET version = 1",
        "DELETE FROM crm_migration",
        "CREATE TRIGGER x BEFORE INSERT ON crm_contact FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    ];
    for text in denied {
        execute(&mut host, "SAVEPOINT s").await;
        assert_eq!(refusal(&mut host, text).await, OUTSIDE, "{text}");
        execute(&mut host, "ROLLBACK TO SAVEPOINT s").await;
    }
    // What was granted by hand, and is not needed, is taken back.
    execute(&mut fenced.host_of(&fenced.owner).await, &format!("GRANT DELETE ON crm_audit_entry TO {}", fenced.role))
        .await;
    fenced.owner_store().await.grant(&fenced.role).await.unwrap();
    assert_eq!(refusal(&mut fenced.host().await, "DELETE FROM crm_audit_entry").await, OUTSIDE);
}

#[tokio::test]
async fn a_role_that_was_not_granted_is_told_so() {
    let fenced = Fenced::empty().await;
    let owner = fenced.owner_store().await;
    let refused = async || match PostgresStore::connect(&Fenced::url(&fenced.role), fenced.options()).await {
        Err(StoreError::Backend(source)) => source.downcast_ref::<NotGranted>().cloned(),
        _ => None,
    };
    let told = Some(NotGranted { role: fenced.role.clone() });
    // It may not look into the schema, then not into the tables.
    assert_eq!(refused().await, told);
    let usage = format!("GRANT USAGE ON SCHEMA {} TO {}", fenced.database.schema, fenced.role);
    execute(&mut fenced.host_of(&fenced.owner).await, &usage).await;
    assert_eq!(refused().await, told);
    owner.grant(&fenced.role).await.unwrap();
    assert_eq!(fenced.store().await.schema_version().await.unwrap(), VERSION);
}

#[tokio::test]
async fn a_role_that_does_not_own_the_tables_does_not_claim_to_have_purged_them() {
    let fenced = Fenced::new().await;
    let owner = testing::crm(fenced.owner_store().await, 1);
    let session = testing::organization(&owner, "acme").await.unwrap();
    assert!(session.purge().await.unwrap());
    let theirs = testing::crm(fenced.store().await, 2);
    let email = "owner@acme.example".parse().unwrap();
    assert!(!theirs.session(&"acme".parse().unwrap(), &email).await.unwrap().purge().await.unwrap());
}

#[tokio::test]
async fn roles_that_nothing_would_hold_are_refused() {
    let fenced = Fenced::new().await;
    let owner = fenced.owner_store().await;
    for nobody in ["nobody\"; DROP TABLE crm_contact; --", "public", ""] {
        let refused = owner.grant(nobody).await;
        assert!(matches!(&refused, Err(GrantError::NoRole(name)) if name == nobody), "{refused:?}");
    }
    let me: String =
        sqlx::query_scalar("SELECT current_user::text").fetch_one(&mut fenced.database.host().await).await.unwrap();
    for free in [&fenced.owner, &me] {
        let refused = owner.grant(free).await;
        assert!(matches!(&refused, Err(GrantError::Privileged(name)) if name == free), "{refused:?}");
    }
    let refused = fenced.store().await.grant(&fenced.role).await;
    assert!(matches!(refused, Err(GrantError::NotOwner)), "{refused:?}");
    // Before PostgreSQL 16 whoever makes roles may make itself a member of any.
    let mut host = fenced.database.host().await;
    let maker = format!("{}_maker", fenced.role);
    execute(&mut host, &format!("CREATE ROLE {maker} CREATEROLE")).await;
    let (refused, version) = (owner.grant(&maker).await, sqlx::query_scalar("SHOW server_version_num"));
    let version: String = version.fetch_one(&mut host).await.unwrap();
    execute(&mut host, &format!("DROP OWNED BY {maker}; DROP ROLE {maker}")).await;
    let is_refused = matches!(&refused, Err(GrantError::Privileged(name)) if *name == maker);
    assert_eq!(is_refused, version.parse::<u32>().unwrap() < 160_000, "{refused:?}");
    // A role of an awkward name, which is dropped again.
    let awkward = format!("{} \"; x", fenced.role);
    let quoted = format!("\"{}\"", awkward.replace('"', "\"\""));
    execute(&mut host, &format!("CREATE ROLE {quoted}")).await;
    let granted = owner.grant(&awkward).await;
    execute(&mut host, &format!("DROP OWNED BY {quoted}; DROP ROLE {quoted}")).await;
    granted.unwrap();
}

#[tokio::test]
async fn only_the_owner_brings_a_schema_up_to_date() {
    let fenced = Fenced::new().await;
    let mut host = fenced.database.host().await;
    // As it was before the last migration.
    execute(&mut host, &format!("DELETE FROM crm_migration WHERE version = {VERSION}")).await;
    let refused = PostgresStore::connect(&Fenced::url(&fenced.role), fenced.options()).await;
    let found = VERSION - 1;
    assert!(matches!(refused, Err(StoreError::Schema { found: f, known: VERSION }) if f == found), "{refused:?}");
    let text = refused.unwrap_err().to_string();
    assert!(text.contains("owner"), "{text}");
}

/// Six wait for one who had the address first and gives it up: then they wait for each other in a circle, which the
/// server breaks after a second. Whoever fails queues, so that it does not go on like this.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_of_many_makes_a_contact_and_the_others_are_told_soon() {
    let fenced = Fenced::new().await;
    let first = fenced.store().await;
    testing::organization(&testing::crm(first.clone(), 1), "race").await.unwrap();
    let session = async |store, seed| {
        let crm = testing::crm(store, seed);
        crm.session(&"race".parse().unwrap(), &"owner@race.example".parse().unwrap()).await.unwrap()
    };
    let columns = Contact::COLUMNS;
    let eva = Edit::new().set(columns.kind, ContactKind::Person).set(columns.given_name, "Eva".parse().ok());
    let eva = eva.set(columns.email, "eva@example.com".parse().ok());
    let mut host = fenced.host().await;
    let mut transaction = host.begin().await.unwrap();
    {
        let within = first.within(&mut transaction);
        let session = session(first.clone(), 2).await;
        session.on(&within).create::<Contact>(eva.clone()).await.unwrap();
    }
    let mut tasks = Vec::new();
    for seed in 3..9 {
        // A process has a store of its own.
        let (session, eva) = (session(fenced.store().await, seed).await, eva.clone());
        tasks.push(tokio::spawn(async move { session.create::<Contact>(eva).await.map(drop) }));
    }
    let waiting =
        format!("SELECT count(*) FROM pg_stat_activity WHERE usename = '{}' AND wait_event_type = 'Lock'", fenced.role);
    fenced.database.until(&waiting, |waiting| waiting == 6).await;
    transaction.rollback().await.unwrap();
    let mut outcomes = Vec::new();
    for task in tasks {
        let outcome = tokio::time::timeout(Duration::from_secs(30), task).await.unwrap().unwrap();
        outcomes.push(outcome.map_err(|error| error.code().as_str()));
    }
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Err("duplicate")).count(), 5, "{outcomes:?}");
}
