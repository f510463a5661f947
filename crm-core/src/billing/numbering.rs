//! Takes numbers from a series, within the change-set of the documents that they are for.

use std::ops::Deref;

use chrono::Datelike as _;
use uuid::Uuid;

use super::series::{DocumentKind, NumberSeries, SeriesReset, SeriesYear};
use super::{BillingError, Validity};
use crate::context::Context;
use crate::crm::Session;
use crate::entity::{Entity, Stored, Table};
use crate::error::CrmError;
use crate::id::Id;
use crate::row::{Deferred, Value};
use crate::store::{Change, ChangeSet, Select, StoreExt as _};
use crate::value::Date;

/// How many years of a series are read at most.
const YEARS: u32 = 1_000;

/// A series with the years that were opened.
#[derive(Clone, Debug)]
pub struct Numbering {
    series: Stored<NumberSeries>,
    years: Vec<Stored<SeriesYear>>,
}

impl Deref for Numbering {
    type Target = Stored<NumberSeries>;

    fn deref(&self) -> &Stored<NumberSeries> {
        &self.series
    }
}

impl Numbering {
    /// The series of this kind, if the organization has one, as the store has it now.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn of(session: &Session<'_>, kind: DocumentKind) -> Result<Option<Self>, CrmError> {
        let query = Select::new(NumberSeries::TABLE, NumberSeries::COLUMNS.kind.eq(&kind).into());
        match session.store().first(session.scope(), query).await? {
            Some(series) => Self::with_years(session, series).await.map(Some),
            None => Ok(None),
        }
    }

    /// A series that was read before, with its years as the store has them now.
    pub(crate) async fn with_years(session: &Session<'_>, series: Stored<NumberSeries>) -> Result<Self, CrmError> {
        let years = match series.reset {
            SeriesReset::Never => Vec::new(),
            SeriesReset::Year => {
                let query = Select::new(SeriesYear::TABLE, SeriesYear::COLUMNS.series_id.eq(&series.id).into());
                session.store().all(session.scope(), &query.limited(YEARS)).await?
            }
        };
        Ok(Self { series, years })
    }

    /// Takes one number for each record that the change-set writes, into this column. All are of this civil date.
    ///
    /// # Errors
    /// [`BillingError::SeriesValidity`] on a day on which the series may not be used, [`BillingError::NoNumberLeft`] when
    /// its range is used up. When others use it up meanwhile, applying the change-set says so.
    pub fn take<E: Entity>(
        &self,
        context: &mut Context,
        changes: &mut ChangeSet,
        records: impl ExactSizeIterator<Item = Id<E>>,
        column: usize,
        on: Date,
    ) -> Result<(), BillingError> {
        self.require_valid(on)?;
        let count = i64::try_from(records.len()).unwrap_or(i64::MAX);
        let Ok(prefix) = self.parsed().map(|prefix| prefix.on(on)) else {
            return Err(BillingError::NoSeries(self.kind));
        };
        let digits = usize::try_from(self.digits).unwrap_or(1);
        let next = NumberSeries::COLUMNS.next.index();
        let (counter, offset) = match self.reset {
            SeriesReset::Never => count_on(changes, self.series.id, next, count, self.range_last() + 1),
            SeriesReset::Year => {
                let year = i64::from(on.year());
                if let Some(opened) = self.years.iter().find(|opened| opened.year == year) {
                    count_on(changes, self.series.id, next, count, i64::MAX);
                    let next = SeriesYear::COLUMNS.next.index();
                    count_on(changes, opened.id, next, count, self.range_last() + 1)
                } else {
                    let first = self.open(context, changes, year, count)?;
                    count_on(changes, self.series.id, next, count, i64::MAX);
                    for (number, record) in (first..).zip(records) {
                        changes.put(record, column, Value::Text(format!("{prefix}{number:0digits$}")));
                    }
                    return Ok(());
                }
            }
        };
        for (offset, record) in (offset..).zip(records) {
            changes.defer(record, column, Deferred::Numbered { counter, offset, prefix: prefix.clone(), digits });
        }
        Ok(())
    }

    /// Opens a year, or counts on in one that this change-set opens, and gives the first of so many numbers. Of two who
    /// open a year at once the second is refused by its unique key, before its numbers are, and decides again.
    fn open(&self, context: &mut Context, changes: &mut ChangeSet, year: i64, count: i64) -> Result<i64, BillingError> {
        let columns = SeriesYear::COLUMNS;
        let key =
            [(columns.series_id.index(), Value::Id(self.series.id.uuid())), (columns.year.index(), Value::Int(year))];
        let opened = changes.changes.iter_mut().find_map(|change| match change {
            Change::Insert { table, row } if *table == SeriesYear::TABLE => {
                key.iter().all(|(column, value)| row[*column] == *value).then(|| &mut row[columns.next.index()])
            }
            _ => None,
        });
        let first = opened.as_ref().and_then(|next| next.as_int()).unwrap_or_else(|| self.begins(year));
        if first.checked_add(count).is_none_or(|next| next - 1 > self.range_last()) {
            return Err(self.used_up());
        }
        match opened {
            Some(next) => *next = Value::Int(first + count),
            None => {
                changes.insert_first(context, SeriesYear { series_id: self.series.id, year, next: first + count });
            }
        }
        Ok(first)
    }

    /// The next number, of a yearly series in this year.
    pub(super) fn next_in(&self, year: Option<i64>) -> i64 {
        match year {
            None => self.next,
            Some(year) => {
                let opened = self.years.iter().find(|opened| opened.year == year);
                opened.map_or_else(|| self.begins(year), |opened| opened.next)
            }
        }
    }

    fn require_valid(&self, on: Date) -> Result<(), BillingError> {
        let validity = Validity { from: self.valid_from, until: self.valid_until };
        if validity.contains(on) { Ok(()) } else { Err(BillingError::SeriesValidity { kind: self.kind, on, validity }) }
    }
}

impl NumberSeries {
    /// The refusal to number another document.
    fn used_up(&self) -> BillingError {
        BillingError::NoNumberLeft { kind: self.kind, first: self.range_first(), last: self.range_last() }
    }
}

/// Takes so many values of a counter, and gives the counter's index and the offset of the first. Values of one counter
/// are taken at once: a store advances each counter in a round trip of its own.
fn count_on<E: Entity>(changes: &mut ChangeSet, id: Id<E>, column: usize, by: i64, max: i64) -> (usize, i64) {
    let same = |known: &crate::store::Counter| known.id == id.uuid() && known.column == column && known.max == max;
    match changes.counters.iter().position(same) {
        Some(index) => {
            let known = &mut changes.counters[index];
            let offset = known.by;
            known.by = known.by.saturating_add(by);
            (index, offset)
        }
        None => (changes.count(id, column, by, max), 0),
    }
}

/// The rule behind a counter's limit, if the counter is that of a series.
pub(crate) async fn used_up(session: &Session<'_>, table: &str, id: Uuid) -> Result<Option<BillingError>, CrmError> {
    let is = |known: &Table| known.name == table;
    let series = if is(NumberSeries::TABLE) {
        Some(Id::new(id))
    } else if is(SeriesYear::TABLE) {
        session.store().get(session.scope(), Id::<SeriesYear>::new(id)).await?.map(|year| year.series_id)
    } else {
        None
    };
    let Some(series) = series else { return Ok(None) };
    Ok(session.store().get(session.scope(), series).await?.map(|series| series.used_up()))
}
