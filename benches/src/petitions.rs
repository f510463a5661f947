//! A million cases: records as the engine would have written them.

use std::path::{Path, PathBuf};

use chrono::{Datelike as _, Days, NaiveDate};
use crm_core::entity::Entity;
use crm_core::service::deadline::{Silence, Topic};
use crm_core::service::{Calendar, Case, CaseChannel, CaseKind, CasePriority, CaseStatus};
use crm_core::store::Query;
use crm_core::value::Instant;
use crm_core::{Crm, Id, Row, Session, SystemEnvironment};
use crm_store_sqlite::Durability;
use uuid::Uuid;

use crate::contacts::mix;
use crate::ledger::{self, AS_OF, days, id};
use crate::rows::{self, pick, stored};
use crate::{Outcome, book, deals, pg};

/// How many days the cases cover.
const SPAN: u64 = 730;
/// How many cases are made at a time.
const CHUNK: usize = 20_000;

/// What cases refer to.
struct Frame {
    calendar: Uuid,
    members: Vec<Uuid>,
    contacts: Vec<Uuid>,
}

impl Frame {
    /// Makes members and contacts by the library.
    async fn make(session: &Session<'_>) -> Outcome<Self> {
        let members = deals::members(session).await?;
        let contacts = ledger::contacts(session).await?;
        Ok(Self { calendar: deals::all::<Calendar>(session, Query::all()).await?[0], members, contacts })
    }
}

fn later(day: NaiveDate, days: u64) -> NaiveDate {
    day + Days::new(days)
}

/// Business days as the days of whole weeks.
const fn civil(business: u64) -> u64 {
    business * 7 / 5
}

/// Case number so many of so many. One in fifty is never answered; the others are after up to 18 business days.
fn case(number: usize, of: usize, frame: &Frame) -> Outcome<Row> {
    let random = mix(number as u64 ^ 0xca5e);
    let received_on = later(AS_OF, number as u64 * SPAN / of as u64) - Days::new(SPAN - 1);
    // In the afternoon, so that the day is the same in all zones of the book.
    let seconds = 50_400 + (random >> 12).cast_signed().rem_euclid(28_800);
    let received_at = Instant::from_micros((days(received_on) * 86_400 + seconds) * 1_000_000)?;
    let topic = pick(Topic::ALL, random >> 8);
    let base = match topic {
        Topic::Information | Topic::DataConsultation => 10,
        Topic::Consultation => 30,
        _ => 15,
    };
    let extension = if (random >> 20).is_multiple_of(20) { 10 } else { 0 };
    let has_rule = !(random >> 24).is_multiple_of(50);
    let due_on = later(received_on, civil(base + extension));
    let took = 1 + (random >> 28) % 18;
    let answered_on = later(received_on, civil(took));
    let is_answered = answered_on <= AS_OF && !(random >> 36).is_multiple_of(50);
    let is_dropped = !is_answered && (random >> 40).is_multiple_of(16);
    let status = match random >> 44 & 3 {
        0 if is_answered => CaseStatus::Answered,
        _ if is_answered || is_dropped => CaseStatus::Closed,
        0 => CaseStatus::Received,
        _ => CaseStatus::InProgress,
    };
    let is_paused = status == CaseStatus::InProgress && (random >> 48).is_multiple_of(32);
    let answered = is_answered.then_some(answered_on);
    let case = Case {
        number: Some(format!("PQR-{}-{number:07}", received_on.format("%Y%m%d")).parse()?),
        kind: pick(CaseKind::ALL, random),
        topic,
        channel: pick(CaseChannel::ALL, random >> 4),
        subject: format!("Meter {} was not read", random % 90_000).parse()?,
        description: format!(
            "The bill of {} shows {} m3, but nobody came to read the meter, and the house stood empty for the whole month.",
            received_on,
            random % 60
        )
        .parse()?,
        contact_id: Id::new(pick(&frame.contacts, random >> 16)),
        account_number: Some(format!("{:08}", random % 100_000_000).parse()?),
        assignee_id: (status != CaseStatus::Received).then(|| Id::new(pick(&frame.members, random >> 6))),
        priority: pick(CasePriority::ALL, random >> 52),
        status,
        received_at,
        received_on,
        received_month: received_on.with_day(1).unwrap_or(received_on),
        counted_at: received_at,
        calendar_id: Id::new(frame.calendar),
        calendar_version: "CO 1".parse()?,
        rule_code: if has_rule { Some("co.petition".parse()?) } else { None },
        rule_version: if has_rule { Some("1".parse()?) } else { None },
        rule_id: None,
        base_days: if has_rule { Some(i64::try_from(base)?) } else { None },
        extension_days: i64::try_from(extension)?,
        due_on: (has_rule && !is_paused).then_some(due_on),
        paused_since: is_paused.then(|| later(received_on, 2).min(AS_OF)),
        silence: if has_rule { pick(Silence::ALL, random >> 56) } else { Silence::None },
        answer: if is_answered { Some(format!("The meter was read again; bill {number} is corrected.").parse()?) } else { None },
        answered_on: answered,
        first_answered_on: answered,
        answer_days: if is_answered { Some(i64::try_from(took)?) } else { None },
        answered_late: answered.map(|day| has_rule && day > due_on),
        notified_on: answered,
        closed_on: (status == CaseStatus::Closed).then_some(if is_answered { answered_on } else { received_on }),
        external_id: None,
    };
    Ok(stored(id(10, number), case, received_at).to_row())
}

fn cases(first: usize, count: usize, frame: &Frame) -> Outcome<Vec<Row>> {
    (first..count.min(first + CHUNK)).map(|number| case(number, count, frame)).collect()
}

/// A SQLite file with so many cases.
pub(crate) fn sqlite(count: usize) -> Outcome<PathBuf> {
    book::kept(&format!("cases-{count}"), |path| {
        book::runtime()?.block_on(async {
            let store = book::open(path, Durability::Normal)?;
            book::create(&Crm::new(store.clone(), SystemEnvironment)).await?;
            let frame = Frame::make(&book::session(store.clone()).await?).await?;
            fill_sqlite(path, count, &frame)?;
            store.checkpoint().await?;
            Ok(store.close().await?)
        })
    })
}

fn fill_sqlite(path: &Path, count: usize, frame: &Frame) -> Outcome {
    let mut connection = book::connect(path, Some(Durability::Normal))?;
    connection.execute_batch("PRAGMA cache_size = -262144")?;
    let transaction = connection.transaction()?;
    for first in (0..count).step_by(CHUNK) {
        rows::insert(&transaction, &[(Case::TABLE, &cases(first, count, frame)?)])?;
    }
    Ok(transaction.commit()?)
}

/// The same in PostgreSQL.
pub(crate) async fn postgres(url: &str, count: usize) -> Outcome {
    eprintln!("filling PostgreSQL with {count} cases");
    let store = pg::fresh(url).await?;
    let frame = Frame::make(&book::session(store.clone()).await?).await?;
    store.close().await?;
    let mut connection = pg::connect(url).await?;
    for first in (0..count).step_by(CHUNK) {
        rows::copy(&mut connection, &[(Case::TABLE, &cases(first, count, &frame)?)]).await?;
    }
    pg::say(&mut connection, "VACUUM ANALYZE").await
}
