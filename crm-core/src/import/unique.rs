//! Unique values, looked up for a chunk at once: in the store, earlier in the chunk, earlier in the file.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher, Hash as _, Hasher};
use std::mem;

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
const REMEMBERED: usize = 1 << 18;

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
    let mut found = Vec::new();
    if values.len() > ASKED {
        // A value in two queries would find its rows twice.
        values.sort_unstable();
        values.dedup();
    }
    while !values.is_empty() {
        let rest = values.split_off(values.len().min(ASKED));
        let any = Expr::In(Operand::Column(column), mem::replace(&mut values, rest));
        let query = Select::new(table, filter.clone().and(any));
        found.extend(session.store().select(session.scope(), &query).await?);
    }
    Ok(found)
}

/// Things by a hash of their key, which is not hashed again.
type ByHash<T> = HashMap<u64, T, BuildHasherDefault<Hashed>>;

/// Takes a hash for what it is.
#[derive(Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        // Only ever asked for whole numbers.
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

/// A unique set of columns.
struct Unique {
    columns: Vec<usize>,
    /// The field that people know for it.
    field: &'static str,
}

/// A record that wants its unique values.
pub(super) struct Claim<'a> {
    /// The line of its row.
    pub(super) line: u64,
    /// Its id, if it is there already or has been drawn.
    pub(super) id: Uuid,
    /// The row; only the columns of unique sets are looked at.
    pub(super) row: Cow<'a, Row>,
}

/// The unique sets of a table, and what the file had of them so far.
pub(super) struct Claims {
    table: &'static Table,
    uniques: Vec<Unique>,
    /// Lines by the hash of unique set and values. Only consulted for values that the store holds.
    seen: ByHash<u64>,
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
        Self { table, uniques: uniques.collect(), seen: ByHash::default(), hasher: BuildHasherDefault::default() }
    }

    /// Checks the claims in order. A record that is refused claims nothing.
    pub(super) async fn check(
        &mut self,
        session: &Session<'_>,
        claims: &[Claim<'_>],
    ) -> Result<Vec<Vec<Invalid>>, CrmError> {
        let mut refused: Vec<Vec<Invalid>> = claims.iter().map(|_| Vec::new()).collect();
        // By unique set, the hash of the values that each claim wants.
        let mut hashes = Vec::with_capacity(self.uniques.len());
        let mut held = Vec::with_capacity(self.uniques.len());
        for (index, unique) in self.uniques.iter().enumerate() {
            let hash = |claim: &Claim<'_>| unique.is_held(&claim.row).then(|| self.hash(index, &claim.row));
            hashes.push(claims.iter().map(hash).collect::<Vec<_>>());
            held.push(self.held(session, index, claims).await?);
        }
        let mut claimed: ByHash<&Claim<'_>> = ByHash::default();
        for (at, (claim, refused)) in claims.iter().zip(&mut refused).enumerate() {
            for (index, unique) in self.uniques.iter().enumerate() {
                let Some(hash) = hashes[index][at] else { continue };
                let earlier = claimed.get(&hash).filter(|other| unique.same(&claim.row, &other.row));
                let holder = held[index].get(&hash).filter(|row| unique.same(&claim.row, row));
                let holder = holder.map(|row| self.table.id(row)).filter(|holder| *holder != claim.id);
                // A holder of an earlier chunk is told by its line.
                let seen = || holder.and_then(|_| self.seen.get(&hash).copied());
                let earlier = earlier.map(|other| other.line).or_else(seen);
                let got = || text(unique.columns.last().map(|column| &claim.row[*column]));
                let reason = match (earlier, holder) {
                    (Some(line), _) => ValueError::Repeated { got: got(), line },
                    (None, Some(by)) => ValueError::Taken { entity: self.table.entity, by: by.to_string(), got: got() },
                    (None, None) => continue,
                };
                refused.push(Invalid::new(unique.field, reason));
            }
            if refused.is_empty() {
                claimed.extend(hashes.iter().filter_map(|hashes| hashes[at]).map(|hash| (hash, claim)));
            }
        }
        if self.seen.len() + claimed.len() <= REMEMBERED {
            self.seen.extend(claimed.into_iter().map(|(hash, claim)| (hash, claim.line)));
        }
        Ok(refused)
    }

    /// Who holds the values of one unique set that are claimed, by their hash.
    async fn held(&self, session: &Session<'_>, index: usize, claims: &[Claim<'_>]) -> Result<ByHash<Row>, CrmError> {
        let unique = &self.uniques[index];
        let Some((last, leading)) = unique.columns.split_last() else { return Ok(ByHash::default()) };
        // One query for each value of the leading columns, so that the index serves it; there are few.
        let mut wanted: BTreeMap<Vec<&Value>, Vec<Value>> = BTreeMap::new();
        for claim in claims.iter().filter(|claim| unique.is_held(&claim.row)) {
            let before = leading.iter().map(|column| &claim.row[*column]).collect();
            wanted.entry(before).or_default().push(claim.row[*last].clone());
        }
        let mut held = ByHash::default();
        for (before, values) in wanted {
            let fixed = leading.iter().zip(before).map(|(at, value)| Expr::eq(*at, value.clone()));
            let filter = fixed.fold(Expr::True, Expr::and);
            for row in rows_where(session, self.table, filter, *last, values).await? {
                held.insert(self.hash(index, &row), row);
            }
        }
        Ok(held)
    }

    fn hash(&self, index: usize, row: &Row) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        index.hash(&mut hasher);
        for column in &self.uniques[index].columns {
            row[*column].hash(&mut hasher);
        }
        hasher.finish()
    }
}

impl Unique {
    /// Whether a row has a value of each of the columns; absent values are never the same.
    fn is_held(&self, row: &Row) -> bool {
        !self.columns.iter().any(|column| row[*column].is_null())
    }

    fn same(&self, row: &Row, other: &Row) -> bool {
        self.columns.iter().all(|column| row[*column] == other[*column])
    }
}

/// Keys of rows by which existing records are found, and where in the file each was first given.
#[derive(Default)]
pub(super) struct Given {
    lines: ByHash<u64>,
    hasher: BuildHasherDefault<DefaultHasher>,
}

impl Given {
    /// Whether later keys are no longer remembered.
    pub(super) fn is_full(&self) -> bool {
        self.lines.len() >= REMEMBERED
    }

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
