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
use crate::value::{
    Country, Currency, Date, Decimal6, Email, Instant, Money, Phone, Region, Slug, TaxScheme, ValueError, Zone,
    parse_date,
};

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

/// A type that a column can hold.
pub trait Field: Sized {
    /// How it is stored.
    const KIND: Kind;
    /// Whether it may be absent.
    const NULLABLE: bool = false;
    /// The stored form.
    fn store(&self) -> Value;
    /// Reads the stored form back.
    fn load(value: Value) -> Result<Self, ValueError>;
    /// Reads what a person typed.
    fn parse(text: &str, locale: &Locale) -> Result<Self, ValueError>;
}

/// What decides how typed text is read.
#[derive(Clone, Debug)]
pub struct Locale {
    /// The region of phone numbers without a country code.
    pub region: Option<Region>,
    /// The currency of amounts.
    pub currency: Currency,
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

/// An amount in minor units of the currency that stands in the same record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Minor(pub i64);

impl Field for Minor {
    const KIND: Kind = Kind::Money;
    fn store(&self) -> Value {
        Value::Int(self.0)
    }
    fn load(value: Value) -> Result<Self, ValueError> {
        i64::load(value).map(Self)
    }
    fn parse(text: &str, locale: &Locale) -> Result<Self, ValueError> {
        Money::parse(text, locale.currency).map(|money| Self(money.minor()))
    }
}

/// Says that a stored value was not of the expected kind.
fn unexpected<T>(expected: &'static str, value: &Value) -> Result<T, ValueError> {
    Err(ValueError::syntax(expected, &format!("{value:?}")))
}

impl Field for bool {
    const KIND: Kind = Kind::Bool;
    fn store(&self) -> Value {
        Value::Bool(*self)
    }
    fn load(value: Value) -> Result<Self, ValueError> {
        match value {
            Value::Bool(truth) => Ok(truth),
            other => unexpected("a truth value", &other),
        }
    }
    fn parse(text: &str, locale: &Locale) -> Result<Self, ValueError> {
        let _ = locale;
        match text.trim().to_ascii_lowercase().as_str() {
            "true" | "yes" | "1" => Ok(true),
            "false" | "no" | "0" => Ok(false),
            other => Err(ValueError::unknown_value(other, &["true", "false"])),
        }
    }
}

impl Field for i64 {
    const KIND: Kind = Kind::Int;
    fn store(&self) -> Value {
        Value::Int(*self)
    }
    fn load(value: Value) -> Result<Self, ValueError> {
        match value {
            Value::Int(number) => Ok(number),
            other => unexpected("a whole number", &other),
        }
    }
    fn parse(text: &str, locale: &Locale) -> Result<Self, ValueError> {
        let _ = locale;
        text.trim().parse().map_err(|_| ValueError::syntax("a whole number", text))
    }
}

impl Field for String {
    const KIND: Kind = Kind::Text;
    fn store(&self) -> Value {
        Value::Text(self.clone())
    }
    fn load(value: Value) -> Result<Self, ValueError> {
        match value {
            Value::Text(text) => Ok(text),
            other => unexpected("text", &other),
        }
    }
    fn parse(text: &str, locale: &Locale) -> Result<Self, ValueError> {
        let _ = locale;
        Ok(text.to_owned())
    }
}

impl Field for Vec<u8> {
    const KIND: Kind = Kind::Bytes;
    fn store(&self) -> Value {
        Value::Bytes(self.clone())
    }
    fn load(value: Value) -> Result<Self, ValueError> {
        match value {
            Value::Bytes(bytes) => Ok(bytes),
            other => unexpected("bytes", &other),
        }
    }
    fn parse(text: &str, locale: &Locale) -> Result<Self, ValueError> {
        let _ = (text, locale);
        Err(ValueError::ReadOnly)
    }
}

impl Field for Date {
    const KIND: Kind = Kind::Date;
    fn store(&self) -> Value {
        Value::Date(*self)
    }
    fn load(value: Value) -> Result<Self, ValueError> {
        match value {
            Value::Date(date) => Ok(date),
            other => unexpected("a date", &other),
        }
    }
    fn parse(text: &str, locale: &Locale) -> Result<Self, ValueError> {
        let _ = locale;
        parse_date(text)
    }
}

impl Field for Instant {
    const KIND: Kind = Kind::Instant;
    fn store(&self) -> Value {
        Value::Instant(*self)
    }
    fn load(value: Value) -> Result<Self, ValueError> {
        match value {
            Value::Instant(instant) => Ok(instant),
            other => unexpected("an instant", &other),
        }
    }
    fn parse(text: &str, locale: &Locale) -> Result<Self, ValueError> {
        let _ = locale;
        text.parse()
    }
}

impl Field for Uuid {
    const KIND: Kind = Kind::Id;
    fn store(&self) -> Value {
        Value::Id(*self)
    }
    fn load(value: Value) -> Result<Self, ValueError> {
        match value {
            Value::Id(id) => Ok(id),
            other => unexpected("an id", &other),
        }
    }
    fn parse(text: &str, locale: &Locale) -> Result<Self, ValueError> {
        let _ = locale;
        Self::parse_str(text.trim()).map_err(|_| ValueError::syntax("a UUID", text))
    }
}

impl<E> Field for Id<E> {
    const KIND: Kind = Kind::Id;
    fn store(&self) -> Value {
        Value::Id(self.uuid())
    }
    fn load(value: Value) -> Result<Self, ValueError> {
        Uuid::load(value).map(Self::new)
    }
    fn parse(text: &str, locale: &Locale) -> Result<Self, ValueError> {
        let _ = locale;
        text.parse()
    }
}

impl Field for Decimal6 {
    const KIND: Kind = Kind::Decimal;
    fn store(&self) -> Value {
        Value::Int(self.micros())
    }
    fn load(value: Value) -> Result<Self, ValueError> {
        i64::load(value).map(Self::from_micros)
    }
    fn parse(text: &str, locale: &Locale) -> Result<Self, ValueError> {
        let _ = locale;
        Self::parse(text)
    }
}

impl<T: Field> Field for Option<T> {
    const KIND: Kind = T::KIND;
    const NULLABLE: bool = true;
    fn store(&self) -> Value {
        self.as_ref().map_or(Value::Null, Field::store)
    }
    fn load(value: Value) -> Result<Self, ValueError> {
        match value {
            Value::Null => Ok(None),
            value => T::load(value).map(Some),
        }
    }
    fn parse(text: &str, locale: &Locale) -> Result<Self, ValueError> {
        if text.trim().is_empty() { Ok(None) } else { T::parse(text, locale).map(Some) }
    }
}

/// Stores a type as its text form.
macro_rules! text_field {
    ($($type:ty),*) => {$(
        impl Field for $type {
            const KIND: Kind = Kind::Text;
            fn store(&self) -> Value {
                Value::Text(self.to_string())
            }
            fn load(value: Value) -> Result<Self, ValueError> {
                match value {
                    Value::Text(text) => text.parse(),
                    other => unexpected("text", &other),
                }
            }
            fn parse(text: &str, locale: &Locale) -> Result<Self, ValueError> {
                let _ = locale;
                text.parse()
            }
        }
    )*};
}
text_field!(Email, Country, Slug, Zone, TaxScheme);

impl Field for Region {
    const KIND: Kind = Kind::Text;
    fn store(&self) -> Value {
        Value::Text(self.to_string())
    }
    fn load(value: Value) -> Result<Self, ValueError> {
        match value {
            Value::Text(text) => Self::from_stored(&text),
            other => unexpected("text", &other),
        }
    }
    fn parse(text: &str, locale: &Locale) -> Result<Self, ValueError> {
        let _ = locale;
        text.parse()
    }
}

impl Field for Currency {
    const KIND: Kind = Kind::Text;
    fn store(&self) -> Value {
        Value::Text(self.code().to_owned())
    }
    fn load(value: Value) -> Result<Self, ValueError> {
        match value {
            // What was written stays readable when the currency is withdrawn.
            Value::Text(text) => Self::from_stored(&text),
            other => unexpected("text", &other),
        }
    }
    fn parse(text: &str, _: &Locale) -> Result<Self, ValueError> {
        text.parse()
    }
}

impl Field for Phone {
    const KIND: Kind = Kind::Text;
    fn store(&self) -> Value {
        Value::Text(self.e164().to_owned())
    }
    fn load(value: Value) -> Result<Self, ValueError> {
        match value {
            Value::Text(text) => Self::from_e164(&text),
            other => unexpected("text", &other),
        }
    }
    fn parse(text: &str, locale: &Locale) -> Result<Self, ValueError> {
        Self::parse(text, locale.region)
    }
}

/// Declares an enum whose values have fixed names in storage and in every front end.
///
/// ```
/// crm_core::choice! {
///     /// The size of a thing.
///     pub enum Size {
///         /// Small.
///         Small = "small",
///         /// Large.
///         Large = "large",
///     }
/// }
/// assert_eq!("large".parse::<Size>().unwrap(), Size::Large);
/// assert!("huge".parse::<Size>().is_err());
/// ```
#[macro_export]
macro_rules! choice {
    ($(#[$meta:meta])* $vis:vis enum $name:ident { $($(#[$vmeta:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $vis enum $name { $($(#[$vmeta])* $variant),+ }

        impl $name {
            /// Every value, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// The names of all values, in order.
            pub const NAMES: &'static [&'static str] = &[$($text),+];

            /// Its name in storage and in every front end.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::value::ValueError;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text.trim() {
                    $($text => Ok(Self::$variant),)+
                    other => Err($crate::value::ValueError::unknown_value(other, Self::NAMES)),
                }
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl $crate::entity::Field for $name {
            const KIND: $crate::entity::Kind = $crate::entity::Kind::Enum(Self::NAMES);
            fn store(&self) -> $crate::row::Value {
                $crate::row::Value::Text(self.as_str().to_owned())
            }
            fn load(value: $crate::row::Value) -> Result<Self, $crate::value::ValueError> {
                <String as $crate::entity::Field>::load(value)?.parse()
            }
            fn parse(text: &str, _: &$crate::entity::Locale) -> Result<Self, $crate::value::ValueError> {
                text.parse()
            }
        }
    };
}

/// Declares an entity: the struct, its table and its typed columns.
///
/// ```
/// use crm_core::value::Email;
/// crm_core::entity! {
///     /// A subscriber of a newsletter.
///     pub struct Subscriber: "subscriber" in "crm_subscriber" as Record, Organization {
///         /// Where the newsletter goes.
///         pub email: Email [PERSONAL SEARCHABLE],
///     }
///     columns SubscriberColumns;
///     derived {
///         /// The address as it is compared.
///         email_key: String = |s: &Subscriber| s.email.key().to_owned(),
///     }
///     unique { "crm_subscriber_email_key": [email_key] }
///     index { }
/// }
/// use crm_core::entity::Entity;
/// assert_eq!(Subscriber::TABLE.columns[1].name, "email");
/// ```
#[macro_export]
macro_rules! entity {
    (
        $(#[$meta:meta])*
        pub struct $name:ident: $entity:literal in $table:literal as $shape:ident, $tenancy:ident $(, $audit:ident)? {
            $(
                $(#[doc = $doc:literal])*
                pub $field:ident: $type:ty $([$($flag:ident)*])? $(=> $target:ty)?
            ),* $(,)?
        }
        columns $columns:ident;
        derived { $($(#[doc = $ddoc:literal])* $dfield:ident: $dtype:ty = $derive:expr),* $(,)? }
        unique { $($uname:literal: [$($ucol:ident),+]),* $(,)? }
        index { $($iname:literal: [$($icol:ident),+]),* $(,)? }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name {
            $($(#[doc = $doc])* pub $field: $type,)*
        }

        #[doc = concat!("The typed columns of [`", stringify!($name), "`].")]
        #[derive(Clone, Copy)]
        pub struct $columns {
            /// Names the record.
            pub id: $crate::entity::Col<$name, $crate::Id<$name>>,
            $($(#[doc = $doc])* pub $field: $crate::entity::Col<$name, $type>,)*
            $($(#[doc = $ddoc])* pub $dfield: $crate::entity::Col<$name, $dtype>,)*
            /// When the record was created.
            pub created_at: $crate::entity::Col<$name, $crate::value::Instant>,
            /// When the record was last changed.
            pub updated_at: $crate::entity::Col<$name, $crate::value::Instant>,
            /// When the record was archived.
            pub archived_at: $crate::entity::Col<$name, Option<$crate::value::Instant>>,
        }

        impl $name {
            /// The typed columns, for filters and orders.
            pub const COLUMNS: $columns = {
                let at = 0usize;
                $(let at = at + 1; let $field = $crate::entity::Col::at(at);)*
                $(let at = at + 1; let $dfield = $crate::entity::Col::at(at);)*
                $columns {
                    id: $crate::entity::Col::at(0),
                    $($field,)*
                    $($dfield,)*
                    created_at: $crate::entity::Col::at(at + 2),
                    updated_at: $crate::entity::Col::at(at + 4),
                    archived_at: $crate::entity::Col::at(at + 5),
                }
            };
        }

        impl $crate::entity::Entity for $name {
            const TABLE: &'static $crate::entity::Table = {
                static COLUMNS: &[$crate::entity::Column] = $crate::entity!(@columns $shape [
                    $crate::entity::Column {
                        name: "id", kind: $crate::entity::Kind::Id, nullable: false, references: None,
                        flags: $crate::entity::Flags::SERVER_OWNED, doc: "Names the record.",
                    },
                    $($crate::entity::Column {
                        name: stringify!($field),
                        kind: <$type as $crate::entity::Field>::KIND,
                        nullable: <$type as $crate::entity::Field>::NULLABLE,
                        references: $crate::entity!(@target $($target)?),
                        flags: $crate::entity::Flags::NONE $($(.with($crate::entity::Flags::$flag))*)?,
                        doc: concat!($($doc),*).trim_ascii(),
                    },)*
                    $($crate::entity::Column {
                        name: stringify!($dfield),
                        kind: <$dtype as $crate::entity::Field>::KIND,
                        nullable: <$dtype as $crate::entity::Field>::NULLABLE,
                        references: None,
                        flags: $crate::entity::Flags::DERIVED.with($crate::entity::Flags::SERVER_OWNED),
                        doc: concat!($($ddoc),*).trim_ascii(),
                    },)*
                ]);
                static TABLE: $crate::entity::Table = $crate::entity::Table {
                    name: $table,
                    entity: $entity,
                    tenancy: $crate::entity::Tenancy::$tenancy,
                    shape: $crate::entity::Shape::$shape,
                    columns: COLUMNS,
                    uniques: &[$($crate::entity::Index { name: $uname, columns: &[$(stringify!($ucol)),+] },)*],
                    indexes: &[$($crate::entity::Index { name: $iname, columns: &[$(stringify!($icol)),+] },)*],
                    audited: $crate::entity!(@audited $($audit)?),
                    rederive: $crate::entity::rederive::<$name>,
                };
                &TABLE
            };

            fn write(&self, row: &mut $crate::row::Row) {
                $(row.push($crate::entity::Field::store(&self.$field));)*
                $(row.push({
                    let derive: fn(&Self) -> $dtype = $derive;
                    $crate::entity::Field::store(&derive(self))
                });)*
            }

            fn read(
                values: &mut dyn Iterator<Item = $crate::row::Value>,
            ) -> Result<Self, $crate::entity::FieldError> {
                let entity = Self { $($field: $crate::entity::take(values, stringify!($field))?,)* };
                $(let _: Option<$crate::row::Value> = { let _ = stringify!($dfield); values.next() };)*
                Ok(entity)
            }

            fn parse(
                column: usize,
                text: &str,
                locale: &$crate::entity::Locale,
            ) -> Result<$crate::row::Value, $crate::value::ValueError> {
                $(if column == Self::COLUMNS.$field.index() {
                    return <$type as $crate::entity::Field>::parse(text, locale)
                        .map(|value| $crate::entity::Field::store(&value));
                })*
                let _ = (text, locale);
                Err($crate::value::ValueError::ReadOnly)
            }
        }
    };
    (@target) => { None };
    (@target $target:ty) => { Some(|| <$target as $crate::entity::Entity>::TABLE) };
    (@audited) => { true };
    (@audited unaudited) => { false };
    (@columns Entry [$($column:expr,)*]) => { &[$($column,)*] };
    (@columns Record [$($column:expr,)*]) => { &[
        $($column,)*
        $crate::entity::common::VERSION, $crate::entity::common::CREATED_AT,
        $crate::entity::common::CREATED_BY, $crate::entity::common::UPDATED_AT,
    ] };
    (@columns Archivable [$($column:expr,)*]) => { &[
        $($column,)*
        $crate::entity::common::VERSION, $crate::entity::common::CREATED_AT,
        $crate::entity::common::CREATED_BY, $crate::entity::common::UPDATED_AT,
        $crate::entity::common::ARCHIVED_AT,
    ] };
}

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
