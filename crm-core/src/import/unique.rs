//! Unique values, looked up for a chunk at once: in the store, earlier in the chunk, earlier in the file.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};

use uuid::Uuid;

use crate::crm::{Session, field_of};
use crate::entity::Table;
use crate::error::{CrmError, Invalid};
use crate::row::{Row, Value};
use crate::store::{Expr, Operand, Select};
use crate::value::{ValueError, excerpt};

/// How many values one query asks for.
const ASKED: usize = 1_000;
/// How many values of earlier chunks are remembered with their lines.
const REMEMBERED: usize = 1 << 20;

/// The rows whose column holds one of the values.
pub(super) async fn rows_with(
    session: &Session<'_>,
    table: &'static Table,
    column: usize,
    values: Vec<Value>,
) -> Result<Vec<Row>, CrmError> {
    rows_where(session, table, Expr::True, column, values).await
}

async fn rows_where(
    session: &Session<'_>,
    table: &'static Table,
    filter: Expr,
    column: usize,
    mut values: Vec<Value>,
) -> Result<Vec<Row>, CrmError> {
    values.sort_unstable();
    values.dedup();
    let mut found = Vec::new();
    for part in values.chunks(ASKED) {
        let any = Expr::In(Operand::Column(column), part.to_vec());
        let query = Select::new(table, filter.clone().and(any));
        found.extend(session.store().select(session.scope(), &query).await?);
    }
    Ok(found)
}

/// A unique set of columns.
struct Unique {
    columns: Vec<usize>,
    /// The field that people know for it.
    field: &'static str,
}

/// What a record would hold of each unique set; nothing where a column is absent.
pub(super) type Keys = Vec<Option<Vec<Value>>>;

/// A record that wants its unique values.
pub(super) struct Claim {
    /// The line of its row.
    pub(super) line: u64,
    /// Its id, if it is there already or has been drawn.
    pub(super) id: Uuid,
    /// What it wants to hold.
    pub(super) keys: Keys,
}

/// The unique sets of a table, and what the file had of them so far.
pub(super) struct Claims {
    table: &'static Table,
    uniques: Vec<Unique>,
    /// Lines by the hash of unique set and values. Only consulted for values that the store holds.
    seen: HashMap<u64, u64>,
    hasher: BuildHasherDefault<DefaultHasher>,
}

impl Claims {
    /// All unique sets of a table but those of these columns, which only the store fills.
    pub(super) fn of(table: &'static Table, without: &[&str]) -> Self {
        let uniques = table.uniques.iter().filter(|unique| !unique.columns.iter().any(|name| without.contains(name)));
        let uniques = uniques.map(|unique| Unique {
            columns: unique.columns.iter().map(|name| table.expect_position(name)).collect(),
            field: unique.columns.last().copied().map_or("id", field_of),
        });
        Self { table, uniques: uniques.collect(), seen: HashMap::new(), hasher: BuildHasherDefault::default() }
    }

    /// What a row holds of each unique set.
    pub(super) fn keys(&self, row: &Row) -> Keys {
        let of = |unique: &Unique| {
            let values = unique.columns.iter().map(|at| &row[*at]);
            if values.clone().any(Value::is_null) { None } else { Some(values.cloned().collect()) }
        };
        self.uniques.iter().map(of).collect()
    }

    /// Checks the claims in order. A record that is refused claims nothing.
    pub(super) async fn check(
        &mut self,
        session: &Session<'_>,
        claims: &[Claim],
    ) -> Result<Vec<Vec<Invalid>>, CrmError> {
        let mut refused: Vec<Vec<Invalid>> = claims.iter().map(|_| Vec::new()).collect();
        let mut held = Vec::with_capacity(self.uniques.len());
        for index in 0..self.uniques.len() {
            held.push(self.held(session, index, claims).await?);
        }
        let mut claimed: HashMap<(usize, &[Value]), u64> = HashMap::new();
        for (claim, refused) in claims.iter().zip(&mut refused) {
            for (index, key) in claim.keys.iter().enumerate() {
                let Some(key) = key else { continue };
                let earlier = claimed.get(&(index, key.as_slice())).copied();
                let holder = held[index].get(key.as_slice()).copied().filter(|holder| *holder != claim.id);
                // A holder of an earlier chunk is told by its line.
                let earlier = earlier.or_else(|| holder.and_then(|_| self.seen(index, key)));
                let got = || text(key.last());
                let reason = match (earlier, holder) {
                    (Some(line), _) => ValueError::Repeated { got: got(), line },
                    (None, Some(by)) => ValueError::Taken { entity: self.table.entity, by: by.to_string(), got: got() },
                    (None, None) => continue,
                };
                refused.push(Invalid::new(self.uniques[index].field, reason));
            }
            if refused.is_empty() {
                for (index, key) in claim.keys.iter().enumerate() {
                    if let Some(key) = key {
                        claimed.insert((index, key), claim.line);
                    }
                }
            }
        }
        let claimed: Vec<(u64, u64)> =
            claimed.iter().map(|((index, key), line)| (self.hash(*index, key), *line)).collect();
        self.remember(claimed);
        Ok(refused)
    }

    /// Who holds the values of one unique set that are claimed.
    async fn held(
        &self,
        session: &Session<'_>,
        index: usize,
        claims: &[Claim],
    ) -> Result<HashMap<Vec<Value>, Uuid>, CrmError> {
        let unique = &self.uniques[index];
        let Some((last, leading)) = unique.columns.split_last() else { return Ok(HashMap::new()) };
        // One query for each value of the leading columns, so that the index serves it; there are few.
        let mut wanted: HashMap<&[Value], Vec<Value>> = HashMap::new();
        for key in claims.iter().filter_map(|claim| claim.keys[index].as_ref()) {
            if let Some((value, before)) = key.split_last() {
                wanted.entry(before).or_default().push(value.clone());
            }
        }
        let mut held = HashMap::new();
        for (before, values) in wanted {
            let fixed = leading.iter().zip(before).map(|(at, value)| Expr::eq(*at, value.clone()));
            let filter = fixed.fold(Expr::True, Expr::and);
            for row in rows_where(session, self.table, filter, *last, values).await? {
                let key = unique.columns.iter().map(|at| row[*at].clone()).collect();
                held.insert(key, self.table.id(&row));
            }
        }
        Ok(held)
    }

    fn hash(&self, index: usize, key: &[Value]) -> u64 {
        self.hasher.hash_one((index, key))
    }

    fn seen(&self, index: usize, key: &[Value]) -> Option<u64> {
        self.seen.get(&self.hash(index, key)).copied()
    }

    fn remember(&mut self, claimed: Vec<(u64, u64)>) {
        if self.seen.len() + claimed.len() <= REMEMBERED {
            self.seen.extend(claimed);
        }
    }
}

/// Keys of rows by which existing records are found, and where in the file each was first given.
#[derive(Default)]
pub(super) struct Given {
    lines: HashMap<u64, u64>,
    hasher: BuildHasherDefault<DefaultHasher>,
}

impl Given {
    /// The line that had the key before; otherwise notes this one.
    pub(super) fn before(&mut self, key: &Value, line: u64) -> Option<u64> {
        let hash = self.hasher.hash_one(key);
        match self.lines.get(&hash) {
            Some(first) if *first != line => Some(*first),
            Some(_) => None,
            None => {
                if self.lines.len() < REMEMBERED {
                    self.lines.insert(hash, line);
                }
                None
            }
        }
    }
}

/// A key's value for people.
fn text(value: Option<&Value>) -> String {
    match value {
        Some(Value::Text(text)) => excerpt(text),
        Some(other) => excerpt(&format!("{other:?}")),
        None => String::new(),
    }
}
