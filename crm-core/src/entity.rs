//! The description of an entity, from which everything else derives.
//!
//! An entity is a struct plus a [`Table`]: columns with their kinds, references, uniques and
//! flags. The [`entity!`](crate::entity!) macro writes both from one declaration. Stores, filters,
//! audit entries, exports and the check of a database's schema read the table and never the struct.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use uuid::Uuid;

use crate::id::Id;
use crate::row::{Row, Value};
use crate::store::StoreError;
use crate::value::{Instant, ValueError};

pub use crate::field::{Field, Locale, Minor};

/// Describes how an entity is stored.
pub struct Table {
    /// The name in every database, with the `crm_` prefix.
    pub name: &'static str,
    /// The entity's name in errors, audit entries and front ends.
    pub entity: &'static str,
    /// Whether rows belong to an organization.
    pub tenancy: Tenancy,
    /// Which common columns follow the entity's own.
    pub shape: Shape,
    /// All columns but the organization's key: `id` first, then the entity's own, then the common
    /// ones.
    pub columns: &'static [Column],
    /// Sets of columns that are unique, within the organization where there is one.
    pub uniques: &'static [Index],
    /// Further indexes.
    pub indexes: &'static [Index],
    /// Whether changes leave audit entries.
    pub audited: bool,
    /// Rebuilds a row's derived columns; the row must be of this table.
    pub rederive: fn(Row) -> Result<Row, StoreError>,
}

/// Whether a table's rows belong to organizations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tenancy {
    /// Each row belongs to one organization; the primary key is `(org, id)`.
    Organization,
    /// Rows stand above organizations; the primary key is `id`.
    Global,
}

/// Which common columns a table has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `id` alone: written once with its parent or appended, never changed on its own.
    Entry,
    /// `id` and `version, created_at, created_by, updated_at`.
    Record,
    /// A record that can be archived: `archived_at` besides.
    Archivable,
}

/// Describes one column.
#[derive(Debug)]
pub struct Column {
    /// The name in every database and in every front end.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Whether it may be absent.
    pub nullable: bool,
    /// Gives the table whose record it points to; see [`Column::target`].
    pub references: Option<fn() -> &'static Table>,
    /// What else is known of it.
    pub flags: Flags,
    /// One sentence for users.
    pub doc: &'static str,
}

impl Column {
    /// The table whose record it points to.
    pub fn target(&self) -> Option<&'static Table> {
        self.references.map(|table| table())
    }
}

/// What a column holds, and with it how each database stores it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An identifier.
    Id,
    /// A truth value.
    Bool,
    /// A whole number of 64 bits.
    Int,
    /// Minor units of the currency in the same row's `currency` column.
    Money,
    /// A decimal with six places, as whole millionths.
    Decimal,
    /// Text.
    Text,
    /// One of a fixed set of words.
    Enum(&'static [&'static str]),
    /// A JSON document, as text with sorted keys.
    Json,
    /// A civil date.
    Date,
    /// An instant in microseconds.
    Instant,
    /// Bytes.
    Bytes,
}

/// What else is known of a column.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Flags(u8);

impl Flags {
    /// No flag.
    pub const NONE: Self = Self(0);
    /// Its words are found by full-text search.
    pub const SEARCHABLE: Self = Self(1);
    /// It tells something of a person; erasure clears it.
    pub const PERSONAL: Self = Self(2);
    /// It is never shown, exported or audited.
    pub const SECRET: Self = Self(4);
    /// Only rules write it; imports and front ends may not.
    pub const SERVER_OWNED: Self = Self(8);
    /// It is computed from the other columns.
    pub const DERIVED: Self = Self(16);
    /// It is advanced by counters, outside versions and audit.
    pub const COUNTER: Self = Self(32);

    /// Whether every flag of `other` is set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both sets of flags.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [
            (Self::SEARCHABLE, "searchable"),
            (Self::PERSONAL, "personal"),
            (Self::SECRET, "secret"),
            (Self::SERVER_OWNED, "server_owned"),
            (Self::DERIVED, "derived"),
            (Self::COUNTER, "counter"),
        ];
        f.debug_set().entries(names.iter().filter(|(flag, _)| self.contains(*flag)).map(|(_, name)| name)).finish()
    }
}

/// A named set of columns, unique or merely indexed. The organization's key always leads.
#[derive(Debug)]
pub struct Index {
    /// The name in every database.
    pub name: &'static str,
    /// The columns by name, in order.
    pub columns: &'static [&'static str],
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Table({})", self.name)
    }
}

impl PartialEq for Table {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}
impl Eq for Table {}

/// The common columns in the order in which they follow an entity's own.
const VERSION: usize = 0;
const CREATED_AT: usize = 1;
const UPDATED_AT: usize = 3;
const ARCHIVED_AT: usize = 4;

impl Table {
    /// The position of the column with this name.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// The position of a column that a description names; the tests of the list of tables check
    /// that every such name exists.
    ///
    /// # Panics
    /// When the table has no such column.
    pub fn expect_position(&self, name: &str) -> usize {
        self.position(name).unwrap_or_else(|| panic!("table {} has no column {name}", self.name))
    }

    /// How many common columns follow the entity's own.
    const fn common(&self) -> usize {
        match self.shape {
            Shape::Entry => 0,
            Shape::Record => 4,
            Shape::Archivable => 5,
        }
    }

    /// The position of the version, for tables whose rows change.
    pub const fn version_position(&self) -> Option<usize> {
        match self.shape {
            Shape::Entry => None,
            _ => Some(self.columns.len() - self.common() + VERSION),
        }
    }

    /// The position of the instant of archiving, for tables whose records can be archived.
    pub const fn archived_position(&self) -> Option<usize> {
        match self.shape {
            Shape::Archivable => Some(self.columns.len() - self.common() + ARCHIVED_AT),
            _ => None,
        }
    }

    /// The position of the instant of the last change.
    pub const fn updated_position(&self) -> Option<usize> {
        match self.shape {
            Shape::Entry => None,
            _ => Some(self.columns.len() - self.common() + UPDATED_AT),
        }
    }

    /// The position of the instant of creation.
    pub const fn created_position(&self) -> Option<usize> {
        match self.shape {
            Shape::Entry => None,
            _ => Some(self.columns.len() - self.common() + CREATED_AT),
        }
    }

    /// The position of the column that holds the words for full-text search.
    pub fn search_position(&self) -> Option<usize> {
        self.columns.iter().position(|column| column.name == "search" && column.flags.contains(Flags::DERIVED))
    }

    /// The version of a row; 1 for rows that never change.
    pub fn version(&self, row: &[Value]) -> i64 {
        self.version_position().and_then(|at| row[at].as_int()).unwrap_or(1)
    }

    /// The identifier of a row.
    ///
    /// # Panics
    /// When the row is not of this table: its first value is always its id.
    pub fn id(&self, row: &[Value]) -> Uuid {
        row[0].as_id().expect("the first value of a row is its id")
    }
}

/// An entity: a struct with a table. Implemented by [`entity!`](crate::entity!).
pub trait Entity: Sized + Clone + fmt::Debug + PartialEq + Send + Sync + 'static {
    /// Its description.
    const TABLE: &'static Table;
    /// Appends its own columns and the derived ones.
    fn write(&self, row: &mut Row);
    /// Takes its own columns from an iterator over a row, in order, skipping the derived ones.
    fn read(values: &mut dyn Iterator<Item = Value>) -> Result<Self, FieldError>;
    /// Reads what a person typed into the column at this position, one of its own.
    fn parse(column: usize, text: &str, locale: &Locale) -> Result<Value, ValueError>;
}

/// A column whose stored value could not be read.
#[derive(Debug)]
pub struct FieldError {
    /// The column.
    pub column: &'static str,
    /// What was wrong.
    pub error: ValueError,
}

/// Takes the next value of a row as a field; used by [`entity!`](crate::entity!).
#[doc(hidden)]
pub fn take<T: Field>(values: &mut dyn Iterator<Item = Value>, column: &'static str) -> Result<T, FieldError> {
    T::load(values.next().unwrap_or(Value::Null)).map_err(|error| FieldError { column, error })
}

/// A record as it is in the store: the entity with its id, version and history.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored<E> {
    /// Names the record.
    pub id: Id<E>,
    /// Counts its changes, from 1.
    pub version: i64,
    /// When it was created.
    pub created_at: Instant,
    /// Who created it; the system has no id.
    pub created_by: Option<Uuid>,
    /// When it was last changed.
    pub updated_at: Instant,
    /// When it was archived, if it is.
    pub archived_at: Option<Instant>,
    /// The record's own fields.
    pub value: E,
}

impl<E> Deref for Stored<E> {
    type Target = E;

    fn deref(&self) -> &E {
        &self.value
    }
}

impl<E: Entity> Stored<E> {
    /// Whether its value is this one to the letter: e-mail addresses that differ in case alone are equal, and not the same.
    pub(crate) fn has(&self, value: &E) -> bool {
        self.value == *value && self.to_row() == Self { value: value.clone(), ..self.clone() }.to_row()
    }

    /// The row that is stored.
    pub fn to_row(&self) -> Row {
        let mut row = Vec::with_capacity(E::TABLE.columns.len());
        row.push(Value::Id(self.id.uuid()));
        self.value.write(&mut row);
        if E::TABLE.shape != Shape::Entry {
            row.push(Value::Int(self.version));
            row.push(Value::Instant(self.created_at));
            row.push(self.created_by.map_or(Value::Null, Value::Id));
            row.push(Value::Instant(self.updated_at));
        }
        if E::TABLE.shape == Shape::Archivable {
            row.push(self.archived_at.map_or(Value::Null, Value::Instant));
        }
        debug_assert_eq!(row.len(), E::TABLE.columns.len(), "row of {}", E::TABLE.name);
        row
    }

    /// Reads a row of this entity's table.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] with table, column and id when a value is not of its kind.
    pub fn from_row(row: Row) -> Result<Self, StoreError> {
        let table = E::TABLE;
        let corrupt = |column: &'static str, id: Option<Uuid>, reason: String| StoreError::Corrupt {
            table: table.name,
            column,
            id,
            reason,
        };
        if row.len() != table.columns.len() {
            return Err(corrupt("id", None, format!("{} values instead of {}", row.len(), table.columns.len())));
        }
        let mut values = row.into_iter();
        let id = match values.next() {
            Some(Value::Id(id)) => id,
            other => return Err(corrupt("id", None, format!("not an id: {other:?}"))),
        };
        let bad = |e: FieldError| corrupt(e.column, Some(id), e.error.to_string());
        let value = E::read(&mut values).map_err(bad)?;
        let mut stored = Self {
            id: Id::new(id),
            version: 1,
            created_at: Instant::EPOCH,
            created_by: None,
            updated_at: Instant::EPOCH,
            archived_at: None,
            value,
        };
        if table.shape != Shape::Entry {
            stored.version = take(&mut values, "version").map_err(bad)?;
            stored.created_at = take(&mut values, "created_at").map_err(bad)?;
            stored.created_by = take(&mut values, "created_by").map_err(bad)?;
            stored.updated_at = take(&mut values, "updated_at").map_err(bad)?;
        }
        if table.shape == Shape::Archivable {
            stored.archived_at = take(&mut values, "archived_at").map_err(bad)?;
        }
        Ok(stored)
    }
}

/// Rebuilds the derived columns of a row; the value of [`Table::rederive`].
#[doc(hidden)]
pub fn rederive<E: Entity>(row: Row) -> Result<Row, StoreError> {
    Stored::<E>::from_row(row).map(|stored| stored.to_row())
}

/// A typed column of the entity `E`, for filters and orders.
pub struct Col<E, T> {
    index: usize,
    types: PhantomData<fn() -> (E, T)>,
}

impl<E, T> Col<E, T> {
    /// The column at this position of the entity's table.
    pub const fn at(index: usize) -> Self {
        Self { index, types: PhantomData }
    }

    /// Its position in the table.
    pub const fn index(self) -> usize {
        self.index
    }
}

impl<E, T> Clone for Col<E, T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<E, T> Copy for Col<E, T> {}

/// The common columns; used by [`entity!`](crate::entity!).
#[doc(hidden)]
pub mod common {
    use super::{Column, Flags, Kind};

    const fn column(name: &'static str, kind: Kind, nullable: bool, doc: &'static str) -> Column {
        Column { name, kind, nullable, references: None, flags: Flags::SERVER_OWNED, doc }
    }

    pub const VERSION: Column = column("version", Kind::Int, false, "Counts the changes, from 1.");
    pub const CREATED_AT: Column = column("created_at", Kind::Instant, false, "When it was created.");
    pub const CREATED_BY: Column = column("created_by", Kind::Id, true, "Who created it.");
    pub const UPDATED_AT: Column = column("updated_at", Kind::Instant, false, "When it was last changed.");
    pub const ARCHIVED_AT: Column = column("archived_at", Kind::Instant, true, "When it was archived.");
}
