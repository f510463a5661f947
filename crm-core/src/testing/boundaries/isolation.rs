//! Organizations do not interfere: whatever is asked in one, with whatever arguments, its answers and its records are
//! what they are when the other is not there at all.
//!
//! Two books begin alike. In one of them another organization lives beside ours. Random calls are made in both, with
//! ids, texts, cursors and idempotency keys of the other organization, which in the second book are nowhere. Every
//! answer must be the same to the letter.

mod asked;
mod dice;

use std::fmt::Write as _;

use asked::Asked;
use dice::Hand;

use super::{Ids, dump, fixtures, stored_scopes};
use crate::access::{NewKey, POLICY, Role, User};
use crate::encode::encode_row;
use crate::entity::{Entity as _, Table, Tenancy};
use crate::error::CrmError;
use crate::people::Contact;
use crate::row::{Row, Value};
use crate::schema::TABLES;
use crate::store::{Expr, Scope, Select, Store};
use crate::testing::script::Dice;
use crate::testing::{TestEnvironment, with_logins};
use crate::{Crm, Edit, Session};

/// A word in the other organization's records, and nowhere else.
const CANARY: &str = "kanarienvogel";

/// What came of random calls.
#[derive(Clone, Debug, Default)]
pub struct Isolation {
    /// How many calls were made.
    pub calls: u64,
    /// How many of them named something of the other organization.
    pub foreign: u64,
    /// How many calls were answered.
    pub answered: u64,
    /// How many were refused.
    pub refused: u64,
    /// What tells that there is another organization. There should be none.
    pub leaks: Vec<String>,
}

impl Isolation {
    /// Demands that nothing leaked, and that the calls could have shown it.
    ///
    /// # Panics
    /// When something leaked, or almost all calls were refused, or almost none named anything of the other organization.
    pub fn require(&self) {
        assert!(self.leaks.is_empty(), "{}", self.leaks.join("\n"));
        assert!(self.answered * 5 > self.calls && self.refused * 5 > self.calls, "{self:?}");
        assert!(self.foreign * 2 > self.calls, "{self:?}");
    }

    /// Adds what came of more calls.
    pub fn add(&mut self, other: Self) {
        self.calls += other.calls;
        self.foreign += other.foreign;
        self.answered += other.answered;
        self.refused += other.refused;
        self.leaks.extend(other.leaks);
    }
}

/// The seeds of the rounds of [`ROUND`] calls that are to be played: for 400 calls, or as many as `CRM_TEST_CALLS` says, from
/// `CRM_TEST_SEED` on.
pub fn rounds() -> std::ops::Range<u64> {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let first = number("CRM_TEST_SEED").unwrap_or(0);
    first..first + number("CRM_TEST_CALLS").unwrap_or(400_u64).div_ceil(ROUND)
}

/// How many calls are made in two empty stores, before they are used up.
pub const ROUND: u64 = 200;

/// Our organization in one of the books.
struct House {
    sessions: Vec<Session<'static>>,
    ids: Ids,
}

impl House {
    async fn new(crm: &Crm) -> Result<Self, CrmError> {
        let owner = crate::testing::organization(crm, "mine").await?;
        let mut sessions = vec![owner.clone()];
        for role in [Role::Admin, Role::Manager, Role::Member, Role::Viewer] {
            sessions.push(crate::testing::member(crm, &owner, role).await?);
        }
        let scopes = POLICY.iter().map(|rule| rule.operation).collect::<Vec<_>>().join(" ");
        let key = NewKey { quotas: Vec::new(), ..NewKey::new("all".parse()?, Role::Owner, stored_scopes(&scopes)?) };
        sessions.push(crm.session_with_key(&owner.create_key(&key).await?.text).await?);
        let ids = fixtures(&owner, sessions[3].user().id, "mine").await?;
        Ok(Self { sessions, ids })
    }
}

/// Makes [`ROUND`] random calls in two empty stores, and ends with the first leak.
///
/// # Errors
/// When a store fails or the fixtures cannot be written.
pub async fn isolation(
    shared: impl Store + Clone + 'static,
    alone: impl Store + 'static,
    seed: u64,
) -> Result<Isolation, CrmError> {
    let ours = House::new(&with_logins(Crm::new(shared.clone(), TestEnvironment::new(1)))).await?;
    let model = House::new(&with_logins(Crm::new(alone, TestEnvironment::new(1)))).await?;
    let elsewhere = with_logins(Crm::new(shared, TestEnvironment::new(2)));
    let theirs = crate::testing::organization(&elsewhere, "theirs").await?;
    let foreign = fixtures(&theirs, theirs.user().id, "theirs").await?;
    plant_canaries(&theirs, &foreign).await?;
    let rows = [rows(&ours.sessions[0]).await?, rows(&theirs).await?];
    let before = whole(&theirs).await?;
    let mut hand = Hand { dice: Dice::new(seed), mine: ours.ids.clone(), theirs: foreign, rows, foreign: false };
    let mut found = Isolation::default();
    let mut written = false;
    for number in 0..ROUND {
        hand.foreign = false;
        let asked = hand.ask(number)?;
        let actor = usize::try_from(hand.dice.roll(ours.sessions.len() as u64)).unwrap_or(0);
        let left = told(asked.of(&ours.sessions[actor]).await, &asked);
        let right = told(asked.of(&model.sessions[actor]).await, &asked);
        found.calls += 1;
        found.foreign += u64::from(hand.foreign);
        match &left {
            Ok(_) => found.answered += 1,
            Err(_) => found.refused += 1,
        }
        // What we have written ourselves may come back.
        written |= left.is_ok() && format!("{asked:?}").contains(CANARY);
        let tells = !written && matches!(&left, Ok(text) if text.contains(CANARY));
        if left != right || tells {
            found.leaks.push(format!("seed {seed}, call {number}, {asked:?}:\n  shared {left:?}\n  alone  {right:?}"));
            return Ok(found);
        }
    }
    let (left, right) = (dump(&ours.sessions[0]).await?, dump(&model.sessions[0]).await?);
    if let Some((left, right)) = left.lines().zip(right.lines()).find(|(left, right)| left != right) {
        found.leaks.push(format!("seed {seed}, our records:\n  shared {left}\n  alone  {right}"));
    } else if left.len() != right.len() {
        found.leaks.push(format!("seed {seed}: we have other records than alone"));
    }
    if whole(&theirs).await? != before {
        found.leaks.push(format!("seed {seed}: the other organization was changed"));
    }
    Ok(found)
}

/// An answer as it is compared.
fn told(answer: Result<String, CrmError>, asked: &Asked) -> Result<String, String> {
    match answer {
        // Entries are sealed whenever it suits the store.
        Ok(_) if asked.is_of_audit() => Ok(String::new()),
        Ok(text) => Ok(text),
        Err(error) => Err(format!("{} {error}", error.code().as_str())),
    }
}

/// Writes the canary wherever people write something.
async fn plant_canaries(theirs: &Session<'_>, ids: &Ids) -> Result<(), CrmError> {
    let fields = [
        ("given_name", CANARY),
        ("family_name", "Kanarienvogel"),
        ("email", "kanarienvogel@canary.example"),
        ("phone", "+12025550143"),
        ("external_id", "kanarienvogel-1"),
        ("account_number", "kanarienvogel-2"),
        ("notes", CANARY),
        ("city", CANARY),
    ];
    theirs.update(ids.contact, parsed::<Contact>(theirs, &fields)?).await?;
    let fields = [("name", CANARY), ("sku", "kanarienvogel-3"), ("external_id", "kanarienvogel-4")];
    theirs.update(ids.product, parsed(theirs, &fields)?).await?;
    theirs.update(ids.sales.deal, parsed(theirs, &[("title", CANARY), ("external_id", "kanarienvogel-5")])?).await?;
    theirs.update(ids.sales.lead, parsed(theirs, &[("sales_notes", CANARY)])?).await?;
    theirs.update(ids.sales.tag, parsed(theirs, &[("name", CANARY)])?).await?;
    theirs.update(ids.sales.pipeline, parsed(theirs, &[("name", CANARY)])?).await?;
    theirs.update(ids.activity.task, parsed(theirs, &[("title", CANARY)])?).await?;
    theirs.update(ids.cases.case, parsed(theirs, &[("account_number", "kanarienvogel-6")])?).await?;
    theirs.update(ids.organization, parsed(theirs, &[("name", CANARY)])?).await.map(drop)
}

fn parsed<E: crate::Rules>(session: &Session<'_>, fields: &[(&str, &str)]) -> Result<Edit<E>, CrmError> {
    Edit::parse(fields.iter().copied(), &session.locale()).map_err(CrmError::Invalid)
}

/// Every row of an organization, with its table.
async fn rows(session: &Session<'_>) -> Result<Vec<(&'static Table, Row)>, CrmError> {
    let mut rows = Vec::new();
    for &table in TABLES.iter().filter(|table| table.tenancy == Tenancy::Organization) {
        let found = session.store().select(session.scope(), &Select::new(table, Expr::True)).await?;
        rows.extend(found.into_iter().map(|row| (table, row)));
    }
    Ok(rows)
}

/// Every row of an organization, and those of its settings and its users.
async fn whole(session: &Session<'_>) -> Result<String, CrmError> {
    let mut text = dump(session).await?;
    let organization = Value::Id(session.organization().id.uuid());
    let of = Select::new(crate::access::Organization::TABLE, Expr::eq(0, organization));
    let mut globals =
        session.store().select(Scope::SYSTEM, &of).await?.into_iter().map(|row| (of.table, row)).collect::<Vec<_>>();
    let members: Vec<Value> = rows(session)
        .await?
        .into_iter()
        .filter(|(table, _)| table.entity == "membership")
        .map(|(_, row)| row[1].clone())
        .collect();
    let users = Select::new(User::TABLE, Expr::In(crate::store::Operand::Column(0), members));
    globals.extend(session.store().select(Scope::SYSTEM, &users).await?.into_iter().map(|row| (users.table, row)));
    for (table, row) in globals {
        let _ = writeln!(text, "{} {}", table.entity, encode_row(table, &row));
    }
    Ok(text)
}
