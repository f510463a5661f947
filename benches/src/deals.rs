//! Deals with the steps of their way, and a contact with a long history: records as the engine would have written them.

use std::path::{Path, PathBuf};

use chrono::Days;
use crm_core::access::{AddMember, Role};
use crm_core::activity::{Interaction, InteractionKind, Task, TaskStatus};
use crm_core::audit::{Action, ActorKind, AuditEntry};
use crm_core::entity::{Entity, Minor, Stored};
use crm_core::sales::{Deal, DealStatus, Pipeline, Stage, StageChange};
use crm_core::store::Query;
use crm_core::value::{Document, Instant};
use crm_core::{Crm, Id, Row, Rules, Session, SystemEnvironment};
use crm_store_sqlite::Durability;
use uuid::Uuid;

use crate::contacts::mix;
use crate::ledger::{self, AS_OF, days, id};
use crate::rows::{self, Filled, pick, stored};
use crate::{Outcome, book, pg};

/// How many members share the deals.
pub(crate) const MEMBERS: usize = 20;
/// How many entries the timeline of the first contact has, about.
pub(crate) const ENTRIES: usize = 10_000;
/// How many days the deals and the history cover.
const SPAN: u64 = 730;
const DAY: i64 = 86_400_000_000;

/// The address of a member.
pub(crate) fn member(number: usize) -> String {
    format!("member{number}@acme.example")
}

/// What deals refer to.
struct Frame {
    pipeline: Uuid,
    /// In their order.
    stages: Vec<Uuid>,
    members: Vec<Uuid>,
    contacts: Vec<Uuid>,
}

impl Frame {
    /// Makes members and contacts by the library.
    async fn make(session: &Session<'_>) -> Outcome<Self> {
        let members = members(session).await?;
        let contacts = ledger::contacts(session).await?;
        let pipeline = all::<Pipeline>(session, Query::all()).await?[0];
        let stages = all(session, Query::all().ascending(Stage::COLUMNS.position)).await?;
        Ok(Self { pipeline, stages, members, contacts })
    }
}

/// Adds the members.
pub(crate) async fn members(session: &Session<'_>) -> Outcome<Vec<Uuid>> {
    let mut members = Vec::new();
    for number in 0..MEMBERS {
        let full_name = Some(format!("Member {number}").parse()?);
        let add = AddMember { email: member(number).parse()?, full_name, role: Role::Member };
        members.push(session.run(&add).await?.user_id.uuid());
    }
    Ok(members)
}

/// The ids of all records of a query.
pub(crate) async fn all<E: Rules>(session: &Session<'_>, query: Query<E>) -> Outcome<Vec<Uuid>> {
    let mut ids = Vec::new();
    let mut after = None;
    loop {
        let page = session.list(&query.clone().limit(10_000).after(after)).await?;
        ids.extend(page.items.iter().map(|record| record.id.uuid()));
        after = page.next;
        if after.is_none() {
            return Ok(ids);
        }
    }
}

/// So many microseconds after the beginning of the book, before its end.
fn instant(micros: i64) -> Outcome<Instant> {
    Ok(Instant::from_micros((days(AS_OF) - SPAN.cast_signed()) * DAY + micros)?)
}

/// Noon of the last day.
fn end() -> Outcome<Instant> {
    instant(SPAN.cast_signed() * DAY + DAY / 2)
}

/// Deal number so many of so many, with its steps.
fn deal(number: usize, of: usize, frame: &Frame) -> Outcome<(Stored<Deal>, Vec<Stored<StageChange>>)> {
    let random = mix(number as u64 ^ 0xdea1);
    let begun = instant(i64::try_from(number as u64 * SPAN * 86_400 / of as u64)? * 1_000_000)?;
    let expected = AS_OF - Days::new(SPAN) + Days::new(number as u64 * SPAN / of as u64 + 30 + (random >> 8) % 90);
    let contact = pick(&frame.contacts, random >> 16);
    let new = Deal {
        title: format!("Deal {number}").parse()?,
        contact_id: Some(Id::new(contact)),
        owner_id: Id::new(pick(&frame.members, random)),
        currency: if random.is_multiple_of(10) { "EUR" } else { "USD" }.parse()?,
        amount: Minor(i64::try_from(500 + (random >> 4) % 2_000_000)?),
        pipeline_id: Id::new(frame.pipeline),
        stage_id: Id::new(frame.stages[0]),
        status: DealStatus::New,
        expected_close_on: (!(random >> 32).is_multiple_of(8)).then_some(expected),
        opened_at: begun,
        closed_at: None,
        lost_reason: None,
        product_id: None,
        lead_id: None,
        stage_entered_at: begun,
        external_id: Some(format!("D-{number}").parse()?),
    };
    let deal_id = id(4, number);
    let step = |steps: &mut Vec<Stored<StageChange>>, before: Option<&Deal>, after: &Deal, at| {
        let step = StageChange::between(before, Id::new(deal_id), after, at, Some(after.owner_id.uuid()));
        steps.push(stored(id(5 + steps.len() as u64, number), step, at));
    };
    let (mut steps, mut now, mut stage, mut at) = (Vec::new(), new, 0, begun);
    step(&mut steps, None, &now, at);
    for turn in 1.. {
        let random = mix(random ^ turn);
        at = at.checked_add_micros((1 + (random >> 8).cast_signed().rem_euclid(20 * 86_400)) * 1_000_000)?;
        if at >= end()? {
            break;
        }
        let mut after = now.clone();
        let last = frame.stages.len() - 1;
        match (random % 16, now.status.is_open()) {
            (0, false) => {
                after.status = DealStatus::InProgress;
                (after.closed_at, after.lost_reason, after.stage_entered_at) = (None, None, at);
            }
            (_, false) | (0..2, true) => break,
            (2..4, true) => {
                (after.status, after.closed_at) = (DealStatus::Lost, Some(at));
                after.lost_reason = Some("No budget".parse()?);
            }
            (_, true) if stage == last => (after.status, after.closed_at) = (DealStatus::Won, Some(at)),
            (by, true) => {
                stage = last.min(stage + if by == 4 { 2 } else { 1 });
                after.status = DealStatus::InProgress;
                (after.stage_id, after.stage_entered_at) = (Id::new(frame.stages[stage]), at);
            }
        }
        step(&mut steps, Some(&now), &after, at);
        now = after;
    }
    let mut deal = stored(deal_id, now, begun);
    deal.archived_at = (random >> 40).is_multiple_of(64).then_some(end()?);
    Ok((deal, steps))
}

/// The tables that are filled, in this order.
#[derive(Default)]
struct Rows {
    deals: Vec<Row>,
    steps: Vec<Row>,
    interactions: Vec<Row>,
    tasks: Vec<Row>,
    entries: Vec<Row>,
}

impl Rows {
    fn deals(&mut self, numbers: std::ops::Range<usize>, of: usize, frame: &Frame) -> Outcome {
        for number in numbers {
            let (deal, steps) = deal(number, of, frame)?;
            self.deals.push(deal.to_row());
            self.steps.extend(steps.iter().map(Stored::to_row));
        }
        Ok(())
    }

    /// One interaction for each contact and a task for every fifth, and of the first contact a whole history: six parts
    /// interactions, three tasks, one changes. `sealed` is the number of the audit's last entry.
    fn activity(&mut self, frame: &Frame, sealed: i64) -> Outcome {
        for (number, contact) in frame.contacts.iter().enumerate().skip(1) {
            let at = instant(i64::try_from(mix(number as u64) % (SPAN * 86_400))? * 1_000_000)?;
            self.interaction(number, *contact, at, frame)?;
            if number.is_multiple_of(5) {
                self.task(number, *contact, at, frame)?;
            }
        }
        let contact = frame.contacts[0];
        for entry in 0..ENTRIES {
            let number = frame.contacts.len() + entry;
            let at = instant(SPAN.cast_signed() * DAY / i64::try_from(ENTRIES)? * i64::try_from(entry)?)?;
            match mix(number as u64) % 10 {
                0..6 => self.interaction(number, contact, at, frame)?,
                6..9 => self.task(number, contact, at, frame)?,
                _ => self.entry(number, contact, at, sealed, frame)?,
            }
        }
        Ok(())
    }

    fn interaction(&mut self, number: usize, contact: Uuid, at: Instant, frame: &Frame) -> Outcome {
        let random = mix(number as u64 ^ 0x1a1c);
        let notes =
            format!("Call {number}: they ask for a price of {} and want to hear from us in May.", random % 1_000);
        let interaction = Interaction {
            contact_id: Some(Id::new(contact)),
            lead_id: None,
            deal_id: None,
            invoice_id: None,
            case_id: None,
            kind: pick(InteractionKind::ALL, random),
            occurred_at: at,
            notes: notes.parse()?,
            author_id: Id::new(pick(&frame.members, random)),
        };
        self.interactions.push(stored(id(1, number), interaction, at).to_row());
        Ok(())
    }

    fn task(&mut self, number: usize, contact: Uuid, at: Instant, frame: &Frame) -> Outcome {
        let random = mix(number as u64 ^ 0x7a5c);
        let done = random.is_multiple_of(3).then_some(at);
        let task = Task {
            title: format!("Send offer {number}").parse()?,
            contact_id: Some(Id::new(contact)),
            lead_id: None,
            deal_id: None,
            invoice_id: None,
            case_id: None,
            description: None,
            due_on: Some(AS_OF + Days::new(random % 60)),
            due_at: None,
            assignee_id: Id::new(pick(&frame.members, random)),
            status: if done.is_some() { TaskStatus::Done } else { TaskStatus::Open },
            done_at: done,
        };
        self.tasks.push(stored(id(2, number), task, at).to_row());
        Ok(())
    }

    /// As the audit keeps it, but for the chain and the digests, which nothing here reads.
    fn entry(&mut self, number: usize, contact: Uuid, at: Instant, sealed: i64, frame: &Frame) -> Outcome {
        let changes = serde_json::json!({ "city": ["Bogotá", "Medellín"], "notes": [format!("Note {number}"), null] });
        let count = i64::try_from(self.entries.len())? + 1;
        let entry = AuditEntry {
            seq: Some(sealed + count),
            at,
            actor_kind: ActorKind::User,
            actor_id: Some(pick(&frame.members, number as u64)),
            command: "contact.update".to_owned(),
            entity: "contact".to_owned(),
            record_id: contact,
            action: Action::Update,
            record_version: 1 + count,
            changes: Some(Document::new(&changes)),
            changes_hash: vec![0; 32],
            digest: vec![0; 32],
            hash: Some(vec![0; 32]),
            salt: Some(vec![0; 16]),
        };
        self.entries.push(stored(id(3, number), entry, at).to_row());
        Ok(())
    }

    fn tables(&self) -> [Filled<'_>; 5] {
        [
            (Deal::TABLE, &self.deals),
            (StageChange::TABLE, &self.steps),
            (Interaction::TABLE, &self.interactions),
            (Task::TABLE, &self.tasks),
            (AuditEntry::TABLE, &self.entries),
        ]
    }
}

const LAST_SEALED: &str = "SELECT COALESCE(max(seq), 0) FROM crm_audit_entry WHERE org = 1";

/// A SQLite file with so many deals, and the long history.
pub(crate) fn sqlite(count: usize) -> Outcome<PathBuf> {
    book::kept(&format!("deals-{count}"), |path| {
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
    let sealed = connection.query_row(LAST_SEALED, [], |row| row.get(0))?;
    let transaction = connection.transaction()?;
    for first in (0..count).step_by(10_000) {
        let mut rows = Rows::default();
        rows.deals(first..count.min(first + 10_000), count, frame)?;
        rows::insert(&transaction, &rows.tables())?;
    }
    let mut rows = Rows::default();
    rows.activity(frame, sealed)?;
    rows::insert(&transaction, &rows.tables())?;
    Ok(transaction.commit()?)
}

/// The same in a schema of PostgreSQL.
pub(crate) async fn postgres(url: &str, schema: &str, count: usize) -> Outcome {
    eprintln!("filling PostgreSQL with {count} deals");
    let store = pg::fresh_in(url, schema).await?;
    let frame = Frame::make(&book::session(store.clone()).await?).await?;
    store.close().await?;
    let mut connection = pg::connect_to(url, schema).await?;
    let sealed = sqlx::query_scalar::<_, i64>(LAST_SEALED).fetch_one(&mut connection).await?;
    for first in (0..count).step_by(10_000) {
        let mut rows = Rows::default();
        rows.deals(first..count.min(first + 10_000), count, &frame)?;
        rows::copy(&mut connection, &rows.tables()).await?;
    }
    let mut rows = Rows::default();
    rows.activity(&frame, sealed)?;
    rows::copy(&mut connection, &rows.tables()).await?;
    pg::say(&mut connection, "VACUUM ANALYZE").await
}
