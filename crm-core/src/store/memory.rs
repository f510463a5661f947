//! The memory store: the model that every other store is held to.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use chrono::Datelike as _;
use uuid::Uuid;

use super::{
    Abort, Aggregate, Applied, Change, ChangeSet, Direction, Expr, Group, Measure, Operand, Scope, Select, Store,
    StoreError,
};
use crate::audit::{self, AuditEntry};
use crate::entity::{Entity as _, Table, Tenancy};
use crate::row::{Row, Value};
use crate::schema::TABLES;

/// One organization's rows of one table, or a global table's.
type Rows = BTreeMap<Uuid, Row>;
/// All rows, by table and organization key; 0 for global tables.
type Data = HashMap<(&'static str, i64), Rows>;

/// Keeps rows in memory, with the uniques, references and bounds of the descriptions. Cheap to clone; the
/// clones share their rows.
#[derive(Clone, Default)]
pub struct MemoryStore {
    data: Arc<Mutex<Data>>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// A store of its own with the same rows.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn copied(&self) -> Self {
        Self { data: Arc::new(Mutex::new(self.lock().clone())) }
    }

    /// Takes over the rows of another store, and forgets its own.
    #[cfg(feature = "testing")]
    pub fn take_over(&self, other: &Self) {
        let rows = other.lock().clone();
        *self.lock() = rows;
    }

    fn lock(&self) -> MutexGuard<'_, Data> {
        self.data.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn fetch(&self, scope: Scope, table: &'static Table, ids: &[Uuid]) -> Result<Vec<Row>, StoreError> {
        fetch(&self.lock(), scope, table, ids)
    }

    async fn select(&self, scope: Scope, query: &Select) -> Result<Vec<Row>, StoreError> {
        select(&self.lock(), scope, query)
    }

    async fn aggregate(&self, scope: Scope, queries: &[Aggregate]) -> Result<Vec<Vec<Row>>, StoreError> {
        let data = self.lock();
        queries.iter().map(|query| aggregate(&data, scope, query)).collect()
    }

    async fn apply(&self, scope: Scope, mut changes: ChangeSet) -> Result<Applied, StoreError> {
        let Some(mut feed) = changes.feed.take() else {
            return Draft::new(&mut self.lock()).apply(scope, changes);
        };
        // A feed works on a copy, which replaces the original when it ends; others wait meanwhile only in
        // that their writes would be lost, so a changed original is a conflict.
        let before = self.lock().clone();
        let draft = Self { data: Arc::new(Mutex::new(before.clone())) };
        let mut total = draft.apply(scope, changes).await?;
        loop {
            match feed.next(&draft).await {
                Ok(Some(chunk)) => {
                    let applied = draft.apply(scope, chunk).await?;
                    total.rows += applied.rows;
                    total.counters.extend(applied.counters);
                }
                Ok(None) => break,
                Err(Abort::Withdrawn) => return Err(StoreError::Aborted),
                Err(Abort::Store(error)) => return Err(error),
            }
        }
        let mut data = self.lock();
        if *data != before {
            return Err(StoreError::Unavailable("another change-set was applied meanwhile".into()));
        }
        data.clone_from(&draft.lock());
        Ok(total)
    }

    /// There are no files.
    async fn purge(&self) -> Result<bool, StoreError> {
        Ok(true)
    }
}

/// The key under which a table's rows stand for a scope.
fn space(scope: Scope, table: &'static Table) -> Result<(&'static str, i64), StoreError> {
    match table.tenancy {
        Tenancy::Global => Ok((table.name, 0)),
        Tenancy::Organization if scope.is_system() && *table != *AuditEntry::TABLE => {
            Err(StoreError::Scope { table: table.name })
        }
        Tenancy::Organization => Ok((table.name, scope.key())),
    }
}

fn fetch(data: &Data, scope: Scope, table: &'static Table, ids: &[Uuid]) -> Result<Vec<Row>, StoreError> {
    let Some(rows) = data.get(&space(scope, table)?) else { return Ok(Vec::new()) };
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    Ok(ids.iter().filter_map(|id| rows.get(id).cloned()).collect())
}

fn select(data: &Data, scope: Scope, query: &Select) -> Result<Vec<Row>, StoreError> {
    let Some(rows) = data.get(&space(scope, query.table)?) else { return Ok(Vec::new()) };
    let eval = Eval { data, scope };
    let mut found: Vec<&Row> = rows.values().filter(|row| eval.holds(query.table, row, &query.filter)).collect();
    let compare = |left: &[Value], right: &[Value]| {
        query.order.iter().zip(left.iter().zip(right)).fold(std::cmp::Ordering::Equal, |known, (term, (l, r))| {
            known.then_with(|| compare_last(l, r, term.direction))
        })
    };
    found.sort_by(|left, right| compare(&query.place(left), &query.place(right)));
    if let Some(after) = &query.after {
        found.retain(|row| compare(&query.place(row), after).is_gt());
    }
    let limit = query.limit.map_or(usize::MAX, |limit| limit as usize);
    Ok(found.into_iter().take(limit).cloned().collect())
}

/// Compares in a direction, absent values last both ways.
fn compare_last(left: &Value, right: &Value, direction: Direction) -> std::cmp::Ordering {
    left.is_null().cmp(&right.is_null()).then_with(|| match direction {
        Direction::Ascending => left.cmp(right),
        Direction::Descending => right.cmp(left),
    })
}

fn aggregate(data: &Data, scope: Scope, query: &Aggregate) -> Result<Vec<Row>, StoreError> {
    let space = space(scope, query.table)?;
    let eval = Eval { data, scope };
    let none = Rows::new();
    let rows = data.get(&space).unwrap_or(&none);
    let mut groups: BTreeMap<Vec<(bool, Value)>, Vec<&Row>> = BTreeMap::new();
    if query.groups.is_empty() {
        groups.insert(Vec::new(), Vec::new());
    }
    for row in rows.values().filter(|row| eval.holds(query.table, row, &query.filter)) {
        let key = query.groups.iter().map(|group| {
            let value = eval.group(query.table, row, group);
            (value.is_null(), value)
        });
        groups.entry(key.collect()).or_default().push(row);
    }
    groups
        .into_iter()
        .map(|(key, rows)| {
            let mut out: Row = key.into_iter().map(|(_, value)| value).collect();
            for measured in &query.measures {
                let rows = rows.iter().copied().filter(|row| eval.holds(query.table, row, &measured.filter));
                out.push(eval.measure(query.table, rows, &measured.measure)?);
            }
            Ok(out)
        })
        .collect()
}

/// Evaluates conditions and operands on rows.
struct Eval<'a> {
    data: &'a Data,
    scope: Scope,
}

impl Eval<'_> {
    fn related(&self, table: &'static Table, row: &Row, reference: usize) -> Option<(&'static Table, &Row)> {
        let target = table.columns[reference].target()?;
        let id = row[reference].as_id()?;
        Some((target, self.data.get(&space(self.scope, target).ok()?)?.get(&id)?))
    }

    fn operand(&self, table: &'static Table, row: &Row, operand: &Operand) -> Value {
        match operand {
            Operand::Column(column) => row[*column].clone(),
            Operand::Via { reference, column } => {
                self.related(table, row, *reference).map_or(Value::Null, |(_, row)| row[*column].clone())
            }
            Operand::Difference(left, right) => {
                match (self.operand(table, row, left), self.operand(table, row, right)) {
                    (Value::Int(left), Value::Int(right)) => left.checked_sub(right).map_or(Value::Null, Value::Int),
                    (Value::Date(left), Value::Date(right)) => Value::Int((left - right).num_days()),
                    (Value::Instant(left), Value::Instant(right)) => {
                        Value::Int((left.micros() - right.micros()) / 1_000_000)
                    }
                    _ => Value::Null,
                }
            }
            Operand::Instant(instant) => Value::Instant(*instant),
            Operand::Share(whole, share) => {
                self.operand(table, row, whole).as_int().map_or(Value::Null, |whole| Value::Int(share.of(whole)))
            }
            Operand::Rank { table: other, reference, filter, ranks } => {
                let rows = space(self.scope, other).ok().and_then(|space| self.data.get(&space));
                let rows = rows.into_iter().flat_map(BTreeMap::values).filter(|child| child[*reference] == row[0]);
                let rows = rows.filter(|child| self.holds(other, child, filter));
                let ranked = |child| ranks.iter().rposition(|rank| self.holds(other, child, rank));
                let last = rows.filter_map(ranked).max().map_or(0, |last| last + 1);
                Value::Int(i64::try_from(last).unwrap_or(i64::MAX))
            }
        }
    }

    fn holds(&self, table: &'static Table, row: &Row, expr: &Expr) -> bool {
        match expr {
            Expr::True => true,
            Expr::False => false,
            Expr::Compare(operand, cmp, value) => cmp.holds(&self.operand(table, row, operand), value),
            Expr::In(operand, values) => {
                let found = self.operand(table, row, operand);
                !found.is_null() && values.contains(&found)
            }
            Expr::IsNull(operand) => self.operand(table, row, operand).is_null(),
            Expr::StartsWith(operand, text) => {
                self.operand(table, row, operand).as_text().is_some_and(|value| value.starts_with(text.as_str()))
            }
            Expr::Contains(operand, text) => {
                self.operand(table, row, operand).as_text().is_some_and(|value| value.contains(text.as_str()))
            }
            Expr::Search(words) => {
                let text = table.search_position().and_then(|at| row[at].as_text()).unwrap_or_default();
                words.iter().all(|word| text.split(' ').any(|token| token.starts_with(word.as_str())))
            }
            Expr::And(all) => all.iter().all(|expr| self.holds(table, row, expr)),
            Expr::Or(any) => any.iter().any(|expr| self.holds(table, row, expr)),
            Expr::Not(expr) => !self.holds(table, row, expr),
            Expr::Related { reference, filter } => {
                self.related(table, row, *reference).is_some_and(|(target, row)| self.holds(target, row, filter))
            }
            Expr::Has { table: other, reference, filter } => {
                let Some(rows) = space(self.scope, other).ok().and_then(|space| self.data.get(&space)) else {
                    return false;
                };
                rows.values().any(|child| child[*reference] == row[0] && self.holds(other, child, filter))
            }
        }
    }

    fn group(&self, table: &'static Table, row: &Row, group: &Group) -> Value {
        match group {
            Group::Value(operand) => self.operand(table, row, operand),
            Group::Month(operand) => match self.operand(table, row, operand) {
                Value::Date(date) => date.with_day(1).map_or(Value::Null, Value::Date),
                _ => Value::Null,
            },
            Group::Buckets(operand, bucket) => {
                let value = self.operand(table, row, operand);
                if value.is_null() {
                    return Value::Null;
                }
                let below = bucket.bounds.partition_point(|bound| *bound <= value);
                Value::Int(i64::try_from(below).unwrap_or(i64::MAX))
            }
        }
    }

    fn measure<'r>(
        &self,
        table: &'static Table,
        rows: impl Iterator<Item = &'r Row>,
        measure: &Measure,
    ) -> Result<Value, StoreError> {
        let values = |operand| rows_values(self, table, operand);
        Ok(match measure {
            Measure::Count => Value::Int(i64::try_from(rows.count()).unwrap_or(i64::MAX)),
            Measure::Sum(operand) => {
                let numbers = rows.filter_map(|row| values(operand)(row).as_int());
                let sum: i128 = numbers.map(i128::from).sum();
                Value::Int(i64::try_from(sum).map_err(|_| StoreError::Overflow)?)
            }
            Measure::Min(operand) => rows.map(values(operand)).filter(|v| !v.is_null()).min().unwrap_or(Value::Null),
            Measure::Max(operand) => rows.map(values(operand)).filter(|v| !v.is_null()).max().unwrap_or(Value::Null),
        })
    }
}

fn rows_values<'a>(eval: &'a Eval<'a>, table: &'static Table, operand: &'a Operand) -> impl Fn(&Row) -> Value + 'a {
    move |row| eval.operand(table, row, operand)
}

impl super::Cmp {
    /// Whether two values compare so; an absent one never does.
    pub(crate) fn holds(self, left: &Value, right: &Value) -> bool {
        if left.is_null() || right.is_null() {
            return false;
        }
        let order = left.cmp(right);
        match self {
            Self::Eq => order.is_eq(),
            Self::Lt => order.is_lt(),
            Self::Le => order.is_le(),
            Self::Gt => order.is_gt(),
            Self::Ge => order.is_ge(),
        }
    }
}

impl Expr {
    /// Whether the condition holds for a row by itself; what looks at other rows does not.
    pub(crate) fn holds(&self, row: &Row) -> bool {
        match self {
            Self::True => true,
            Self::Compare(Operand::Column(column), cmp, value) => cmp.holds(&row[*column], value),
            Self::And(all) => all.iter().all(|expr| expr.holds(row)),
            Self::Or(any) => any.iter().any(|expr| expr.holds(row)),
            _ => false,
        }
    }
}

/// The data with what is being applied, and what was there before.
struct Draft<'a> {
    data: &'a mut Data,
    before: Vec<((&'static str, i64), Uuid, Option<Row>)>,
}

impl<'a> Draft<'a> {
    const fn new(data: &'a mut Data) -> Self {
        Self { data, before: Vec::new() }
    }

    /// Applies all or nothing.
    fn apply(mut self, scope: Scope, changes: ChangeSet) -> Result<Applied, StoreError> {
        let applied = self.write_all(scope, changes);
        if applied.is_err() {
            for (space, id, row) in self.before.into_iter().rev() {
                let rows = self.data.entry(space).or_default();
                match row {
                    Some(row) => rows.insert(id, row),
                    None => rows.remove(&id),
                };
            }
        }
        applied
    }

    fn put(&mut self, space: (&'static str, i64), id: Uuid, row: Option<Row>) {
        let rows = self.data.entry(space).or_default();
        let before = match row {
            Some(row) => rows.insert(id, row),
            None => rows.remove(&id),
        };
        self.before.push((space, id, before));
    }

    fn write_all(&mut self, scope: Scope, mut changes: ChangeSet) -> Result<Applied, StoreError> {
        for guard in &changes.guards {
            let row = self.data.get(&space(scope, guard.table)?).and_then(|rows| rows.get(&guard.id));
            if row.is_none_or(|row| guard.table.version(row) != guard.version) {
                return Err(StoreError::Conflict { table: guard.table.name, id: guard.id });
            }
        }
        let mut counters = Vec::with_capacity(changes.counters.len());
        for counter in &changes.counters {
            let conflict = || StoreError::Conflict { table: counter.table.name, id: counter.id };
            let space = space(scope, counter.table)?;
            let found = self.data.get(&space).and_then(|rows| rows.get(&counter.id));
            let mut row = found.cloned().ok_or_else(conflict)?;
            let before = row[counter.column].as_int().unwrap_or(0);
            let after = before.checked_add(counter.by).filter(|after| *after <= counter.max);
            let column = counter.table.columns[counter.column].name;
            let limit = StoreError::Limit { table: counter.table.name, column, id: counter.id };
            row[counter.column] = Value::Int(after.ok_or(limit)?);
            self.put(space, counter.id, Some(row));
            counters.push(before);
        }
        changes.resolve(&counters)?;
        for change in &changes.changes {
            self.write(scope, change)?;
        }
        check(self.data, scope, &changes)?;
        self.forget(scope, &changes);
        let mut entries = audit::entries(&changes);
        if !entries.is_empty() {
            let space = (AuditEntry::TABLE.name, scope.key());
            audit::seal(self.data.get(&space).map(last_link).unwrap_or_default(), &mut entries);
            for row in entries {
                self.put(space, AuditEntry::TABLE.id(&row), Some(row));
            }
        }
        Ok(Applied { counters, rows: changes.changes.len() as u64, sealed: 0 })
    }

    /// Takes the contents out of the entries of records that the audit is to forget.
    fn forget(&mut self, scope: Scope, changes: &ChangeSet) {
        if changes.forgotten.is_empty() {
            return;
        }
        let columns = AuditEntry::COLUMNS;
        let forgotten: HashMap<Uuid, i64> = changes.forgotten.iter().map(|of| (of.id, of.since)).collect();
        let space = (AuditEntry::TABLE.name, scope.key());
        let of_forgotten = |row: &&Row| {
            let since = row[columns.record_id.index()].as_id().and_then(|id| forgotten.get(&id));
            since.is_some_and(|since| row[columns.record_version.index()].as_int() >= Some(*since))
        };
        let rows: Vec<Row> =
            self.data.get(&space).map_or_else(Vec::new, |rows| rows.values().filter(of_forgotten).cloned().collect());
        for mut row in rows {
            row[columns.changes.index()] = Value::Null;
            row[columns.salt.index()] = Value::Null;
            self.put(space, AuditEntry::TABLE.id(&row), Some(row));
        }
    }

    fn write(&mut self, scope: Scope, change: &Change) -> Result<(), StoreError> {
        let (table, id) = (change.table(), change.id());
        let space = space(scope, table)?;
        let stored = self.data.get(&space).and_then(|rows| rows.get(&id));
        let unchanged = |before: &Row| stored.filter(|row| table.version(row) == table.version(before));
        let conflict = || StoreError::Conflict { table: table.name, id };
        let row = match change {
            Change::Insert { .. } if stored.is_some() => {
                return Err(StoreError::Duplicate { table: table.name, columns: vec!["id"] });
            }
            Change::Insert { row, .. } => Some(row.clone()),
            Change::Update { before, after, .. } => {
                let mut row = unchanged(before).ok_or_else(conflict)?.clone();
                for (at, column) in table.columns.iter().enumerate() {
                    // Counters are outside versions: an update never takes them back.
                    if !column.flags.contains(crate::entity::Flags::COUNTER) {
                        row[at] = after[at].clone();
                    }
                }
                Some(row)
            }
            Change::Delete { before, .. } => {
                unchanged(before).ok_or_else(conflict)?;
                None
            }
        };
        self.put(space, id, row);
        Ok(())
    }
}

fn last_link(rows: &Rows) -> audit::Link {
    let columns = AuditEntry::COLUMNS;
    let last = rows.values().max_by_key(|row| row[columns.seq.index()].as_int());
    last.and_then(|row| match (&row[columns.seq.index()], &row[columns.hash.index()]) {
        (Value::Int(seq), Value::Bytes(hash)) => Some(audit::Link { seq: *seq, hash: hash.clone() }),
        _ => None,
    })
    .unwrap_or_default()
}

/// Checks uniques of the tables that were written, and references to and from the rows.
fn check(data: &Data, scope: Scope, changes: &ChangeSet) -> Result<(), StoreError> {
    let mut written: Vec<&'static Table> = changes.changes.iter().map(Change::table).collect();
    written.sort_by_key(|table| table.name);
    written.dedup();
    for table in &written {
        let Some(rows) = data.get(&space(scope, table)?) else { continue };
        for unique in table.uniques {
            let columns: Vec<usize> = unique.columns.iter().map(|name| table.expect_position(name)).collect();
            let key = |row: &Row| columns.iter().map(|at| row[*at].clone()).collect::<Vec<_>>();
            let fresh = changes.changes.iter().filter(|change| change.table() == *table);
            let fresh = fresh.filter_map(|change| rows.get(&change.id())).map(key);
            let mut claimed: HashMap<_, u32> =
                fresh.filter(|key| !key.iter().any(Value::is_null)).map(|k| (k, 0)).collect();
            if claimed.is_empty() {
                continue;
            }
            for row in rows.values().filter(|row| !row[columns[0]].is_null()) {
                if let Some(count) = claimed.get_mut(&key(row)) {
                    *count += 1;
                    if *count > 1 {
                        return Err(StoreError::Duplicate { table: table.name, columns: unique.columns.to_vec() });
                    }
                }
            }
        }
    }
    for change in &changes.changes {
        let table = change.table();
        if let Change::Delete { .. } = change {
            let referring = TABLES.iter().any(|other| refers(data, scope, other, table, change.id()));
            if referring {
                return Err(StoreError::Referenced { table: table.name });
            }
            continue;
        }
        for (column, value) in table.columns.iter().zip(change.row()) {
            if let (Some(target), Value::Id(id)) = (column.target(), value) {
                let there = data.get(&space(scope, target)?).is_some_and(|rows| rows.contains_key(id));
                if !there {
                    return Err(StoreError::Referenced { table: table.name });
                }
            }
        }
    }
    Ok(())
}

/// Whether any row of `other` refers to this record.
fn refers(data: &Data, scope: Scope, other: &'static Table, target: &Table, id: Uuid) -> bool {
    let Some(rows) = space(scope, other).ok().and_then(|space| data.get(&space)) else { return false };
    let columns =
        other.columns.iter().enumerate().filter(|(_, column)| column.target().is_some_and(|table| table == target));
    columns.into_iter().any(|(at, _)| rows.values().any(|row| row[at] == Value::Id(id)))
}
