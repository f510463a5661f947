//! The timeline of a record: everything that happened to it, newest first.
//!
//! Each source (interactions, tasks, steps of a deal or a case, audit entries) is asked for one page in its own keyset order, later ones for
//! nothing older than what fills the page already, and the pages are merged here. A page costs the same wherever it stands, however
//! long the timeline is.

use std::cmp::Reverse;
use std::fmt::Write as _;

use uuid::Uuid;

use super::{About, Interaction, Subject, Task};
use crate::access::User;
use crate::audit::{Action, AuditEntry, FORGOTTEN_SINCE};
use crate::crm::{Session, field_of};
use crate::crud::{column_is, to_json};
use crate::encode::write_text;
use crate::entity::{Entity, Stored};
use crate::error::CrmError;
use crate::id::Id;
use crate::row::{Row, Value};
use crate::sales::StageChange;
use crate::service::CaseEvent;
use crate::store::{Cmp, Cursor, Direction, Expr, Filter, Operand, Order, PAGE, Select, StoreError};
use crate::value::{Instant, ValueError};

crate::choice! {
    /// What an item of a timeline is, in the order in which items of one instant stand.
    pub enum TimelineKind {
        /// An interaction.
        Interaction = "interaction",
        /// A task, at the instant of its creation.
        Task = "task",
        /// A step of a deal.
        StageChange = "stage_change",
        /// A step of a case.
        CaseEvent = "case_event",
        /// Another change of the record itself.
        Change = "change",
    }
}

/// How many items a page of a timeline has at most.
pub const LARGEST_TIMELINE: u32 = 1_000;

/// Which page of a timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimelineOptions {
    /// After the page that gave this cursor; the newest items otherwise.
    pub after: Option<Cursor>,
    /// At most so many items, 1 to [`LARGEST_TIMELINE`]; other numbers are moved into this range.
    pub limit: u32,
}

impl Default for TimelineOptions {
    fn default() -> Self {
        Self { after: None, limit: PAGE }
    }
}

/// A page of a timeline.
#[derive(Clone, Debug, PartialEq)]
pub struct Timeline {
    /// The items, newest first.
    pub items: Vec<TimelineItem>,
    /// Where to go on, if there is more.
    pub next: Option<Cursor>,
}

/// One item of a timeline.
#[derive(Clone, Debug, PartialEq)]
pub struct TimelineItem {
    /// When it happened.
    pub at: Instant,
    /// What happened.
    pub what: Happening,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Happening {
    /// People met.
    Interaction(Stored<Interaction>),
    /// A task was given; it stands as it is now.
    Task(Stored<Task>),
    /// A deal was created, moved to another stage, won, lost or reopened.
    StageChange(Stored<StageChange>),
    /// A case came in, was assigned, answered, closed, or another step of it.
    CaseEvent(Stored<CaseEvent>),
    /// The record itself was created or changed in another way.
    Change(RecordChange),
}

/// What a timeline tells of an audit entry: who did what when, and to which fields, but no values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordChange {
    /// Names the audit entry.
    pub id: Id<AuditEntry>,
    /// What kind of record was changed.
    pub entity: String,
    /// Which record.
    pub record_id: Uuid,
    /// Who did it; the system has no id.
    pub actor_id: Option<Id<User>>,
    /// The command that did it.
    pub command: String,
    /// The names of the fields that were set or changed; none once their values are erased.
    pub fields: Vec<String>,
}

impl Happening {
    /// What kind it is.
    pub const fn kind(&self) -> TimelineKind {
        match self {
            Self::Interaction(_) => TimelineKind::Interaction,
            Self::Task(_) => TimelineKind::Task,
            Self::StageChange(_) => TimelineKind::StageChange,
            Self::CaseEvent(_) => TimelineKind::CaseEvent,
            Self::Change(_) => TimelineKind::Change,
        }
    }
}

impl TimelineItem {
    /// The item as JSON: its instant, its kind, and the record or change.
    pub fn to_json(&self) -> String {
        let record = match &self.what {
            Happening::Interaction(interaction) => to_json(interaction),
            Happening::Task(task) => to_json(task),
            Happening::StageChange(step) => to_json(step),
            Happening::CaseEvent(step) => to_json(step),
            Happening::Change(change) => change.to_json(),
        };
        format!("{{\"at\":\"{}\",\"kind\":\"{}\",\"record\":{record}}}", self.at, self.what.kind())
    }
}

impl RecordChange {
    fn of(entry: Stored<AuditEntry>) -> Self {
        let changes = entry.changes.as_ref().and_then(|changes| changes.json().ok());
        let mut fields: Vec<String> = Vec::new();
        for name in changes.as_ref().and_then(serde_json::Value::as_object).into_iter().flat_map(|object| object.keys())
        {
            let name = field_of(name);
            if name != FORGOTTEN_SINCE && !fields.iter().any(|known| known == name) {
                fields.push(name.to_owned());
            }
        }
        let AuditEntry { entity, record_id, actor_id, command, .. } = entry.value;
        Self { id: entry.id, entity, record_id, actor_id: actor_id.map(Id::new), command, fields }
    }

    fn to_json(&self) -> String {
        let mut out =
            format!("{{\"id\":\"{}\",\"entity\":\"{}\",\"record_id\":\"{}\",", self.id, self.entity, self.record_id);
        let _ = match self.actor_id {
            Some(actor) => write!(out, "\"actor_id\":\"{actor}\","),
            None => write!(out, "\"actor_id\":null,"),
        };
        let _ = write!(out, "\"command\":\"{}\",\"fields\":[", self.command);
        for (position, field) in self.fields.iter().enumerate() {
            if position > 0 {
                out.push(',');
            }
            write_text(&mut out, field);
        }
        out.push_str("]}");
        out
    }
}

/// Where an item has its place: newest first, then by kind, then by id downwards.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    at: Reverse<Instant>,
    kind: TimelineKind,
    id: Reverse<Uuid>,
}

impl Place {
    /// The cursor of a place in a record's timeline.
    fn cursor(self, subject: Subject) -> Cursor {
        Cursor::encode(&serde_json::json!([signature(subject), self.at.0, self.kind, self.id.0.to_string()]))
    }

    fn read(cursor: &Cursor, subject: Subject) -> Result<Self, ValueError> {
        let wrong = || ValueError::syntax("a cursor of the same timeline", &cursor.to_string());
        let (signed, at, kind, id): (String, Instant, TimelineKind, Id<()>) = cursor.decode().ok_or_else(wrong)?;
        if signed != signature(subject) {
            return Err(wrong());
        }
        Ok(Self { at: Reverse(at), kind, id: Reverse(id.uuid()) })
    }
}

/// Names the timeline that a cursor belongs to.
fn signature(subject: Subject) -> String {
    format!("timeline {subject}")
}

/// One of the queries that a timeline is merged from.
struct Source {
    kind: TimelineKind,
    /// The column that holds the instant.
    at: usize,
    select: Select,
}

impl Source {
    fn new<E: Entity>(kind: TimelineKind, at: usize, filter: Expr) -> Self {
        let newest = Order { column: at, direction: Direction::Descending };
        Self { kind, at, select: Select::new(E::TABLE, filter).ordered(&[newest]) }
    }

    /// Records about the subject.
    fn about<E: About>(kind: TimelineKind, at: usize, subject: Subject) -> Self {
        let column = E::TABLE.expect_position(subject.column());
        Self::new::<E>(kind, at, column_is(column, Value::Id(subject.uuid())))
    }

    /// Only what comes after a place of the merged order. Of the items at the place's very instant, those of a kind that
    /// stands before its own have been shown, those of a later kind have not.
    fn after(&mut self, place: Place) {
        let id = match self.kind.cmp(&place.kind) {
            std::cmp::Ordering::Less => Uuid::nil(),
            std::cmp::Ordering::Equal => place.id.0,
            std::cmp::Ordering::Greater => Uuid::max(),
        };
        self.select.after = Some(vec![Value::Instant(place.at.0), Value::Id(id)]);
    }

    /// Only what happened at an instant or later.
    fn since(&mut self, at: Instant) {
        let late = Expr::Compare(Operand::Column(self.at), Cmp::Ge, Value::Instant(at));
        self.select.filter = std::mem::replace(&mut self.select.filter, Expr::True).and(late);
    }

    fn place(&self, row: &Row) -> Result<Place, StoreError> {
        let Value::Instant(at) = row[self.at] else {
            let table = self.select.table;
            let (column, reason) = (table.columns[self.at].name, "not an instant".to_owned());
            return Err(StoreError::Corrupt { table: table.name, column, id: Some(table.id(row)), reason });
        };
        Ok(Place { at: Reverse(at), kind: self.kind, id: Reverse(self.select.table.id(row)) })
    }
}

impl Session<'_> {
    /// A page of the timeline of a record: interactions, tasks, the steps of a deal or case and other changes of the record,
    /// newest first. A deal's has the history of the lead that it came of as well, for those who may see the lead.
    /// Members see the tasks that are theirs, and of the audit no more than [`RecordChange`] tells.
    ///
    /// # Errors
    /// [`CrmError::NotFound`] when there is no such record that the member may see; [`CrmError::Invalid`] when the
    /// cursor belongs to another timeline.
    pub async fn timeline(
        &self,
        subject: impl Into<Subject> + Send,
        options: &TimelineOptions,
    ) -> Result<Timeline, CrmError> {
        let subject = subject.into();
        let session = self.current().await?;
        let trail = session.trail(subject).await?;
        let limit = options.limit.clamp(1, LARGEST_TIMELINE);
        let after = options.after.as_ref().map(|cursor| Place::read(cursor, subject)).transpose();
        let after = after.map_err(|reason| CrmError::invalid("after", reason))?;

        let mut found: Vec<(Place, Row)> = Vec::new();
        for mut source in session.sources(&trail).await? {
            if let Some(place) = after {
                source.after(place);
            }
            // Nothing older than a page that is full, and one more, is on it.
            if let Some((oldest, _)) = found.get(limit as usize) {
                source.since(oldest.at.0);
            }
            source.select.limit = Some(limit + 1);
            for row in self.store().select(self.scope(), &source.select).await? {
                found.push((source.place(&row)?, row));
            }
            found.sort_unstable_by_key(|(place, _)| *place);
            found.truncate(limit as usize + 1);
        }
        let more = found.len() > limit as usize;
        found.truncate(limit as usize);
        let last = found.last().map(|(place, _)| *place);
        let next = last.filter(|_| more).map(|place| place.cursor(subject));
        let items = found.into_iter().map(|(place, row)| item(place, row)).collect::<Result<_, _>>()?;
        Ok(Timeline { items, next })
    }

    /// The record and what else its timeline tells of: of a deal, the lead that it came of.
    async fn trail(&self, subject: Subject) -> Result<Vec<Subject>, CrmError> {
        let Subject::Deal(deal) = subject else {
            subject.require(self).await?;
            return Ok(vec![subject]);
        };
        let lead = self.get(deal).await?.lead_id.map(Subject::from);
        let mut trail = vec![subject];
        if let Some(lead) = lead {
            match lead.require(self).await {
                Ok(()) => trail.push(lead),
                Err(CrmError::NotFound { .. } | CrmError::Forbidden { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(trail)
    }

    /// The queries that the timeline of records is merged from; the member may see the records.
    async fn sources(&self, trail: &[Subject]) -> Result<Vec<Source>, CrmError> {
        // Whoever may see a record may see every interaction about it; a task is its own people's.
        self.granted(Interaction::TABLE.entity, "read")?;
        let own_tasks = self.visible::<Task>("read").await?;
        let (occurred, created) = (Interaction::COLUMNS.occurred_at.index(), Task::COLUMNS.created_at.index());
        let mut sources = Vec::with_capacity(trail.len() * TimelineKind::ALL.len());
        for subject in trail {
            sources.push(Source::about::<Interaction>(TimelineKind::Interaction, occurred, *subject));
            let mut tasks = Source::about::<Task>(TimelineKind::Task, created, *subject);
            tasks.select.filter = tasks.select.filter.and(own_tasks.clone());
            sources.push(tasks);
            let columns = AuditEntry::COLUMNS;
            let mut entries = columns.record_id.eq(&subject.uuid());
            if let Subject::Deal(deal) = subject {
                self.visible::<StageChange>("read").await?;
                let columns = StageChange::COLUMNS;
                let steps = columns.deal_id.eq(deal).into();
                sources.push(Source::new::<StageChange>(TimelineKind::StageChange, columns.at.index(), steps));
                entries = entries & !told_by_steps();
            }
            if let Subject::Case(case) = subject {
                self.visible::<CaseEvent>("read").await?;
                let columns = CaseEvent::COLUMNS;
                let steps = columns.case_id.eq(case).into();
                sources.push(Source::new::<CaseEvent>(TimelineKind::CaseEvent, columns.at.index(), steps));
                // Every command on a case leaves a step of it, but for the general change of its fields.
                entries = entries & AuditEntry::COLUMNS.command.eq(&"case.update".to_owned());
            }
            sources.push(Source::new::<AuditEntry>(TimelineKind::Change, columns.at.index(), entries.into()));
        }
        Ok(sources)
    }
}

/// The entries of a deal's audit whose changes a step of the deal tells of already.
fn told_by_steps() -> Filter<AuditEntry> {
    let columns = AuditEntry::COLUMNS;
    let moved = ["deal.move", "deal.win", "deal.lose", "deal.reopen"].map(str::to_owned);
    let made = ["deal.create", "lead.convert"].map(str::to_owned);
    columns.command.is_in(&moved) | (columns.action.eq(&Action::Insert) & columns.command.is_in(&made))
}

fn item(place: Place, row: Row) -> Result<TimelineItem, StoreError> {
    let what = match place.kind {
        TimelineKind::Interaction => Happening::Interaction(Stored::from_row(row)?),
        TimelineKind::Task => Happening::Task(Stored::from_row(row)?),
        TimelineKind::StageChange => Happening::StageChange(Stored::from_row(row)?),
        TimelineKind::CaseEvent => Happening::CaseEvent(Stored::from_row(row)?),
        TimelineKind::Change => Happening::Change(RecordChange::of(Stored::from_row(row)?)),
    };
    Ok(TimelineItem { at: place.at.0, what })
}
