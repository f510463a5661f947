//! Rows and the values in them: what crosses the border between core and a store.

use uuid::Uuid;

use crate::value::{Date, Instant};

/// One stored value. Which variant a column holds follows from its [`Kind`](crate::entity::Kind).
///
/// The order is the order of every store: numbers and instants by size, text by bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// Nothing.
    Null,
    /// A truth value.
    Bool(bool),
    /// A whole number: counts, minor units of money, millionths of a decimal.
    Int(i64),
    /// Text, JSON included.
    Text(String),
    /// A civil date.
    Date(Date),
    /// An instant in microseconds.
    Instant(Instant),
    /// An identifier.
    Id(Uuid),
    /// Bytes, such as a hash.
    Bytes(Vec<u8>),
    /// A value that only the transaction knows; see [`Deferred`]. Boxed: it is rare, and every value has the
    /// largest one's size.
    Deferred(Box<Deferred>),
}

impl Value {
    /// Whether there is nothing.
    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The whole number, if it is one.
    pub const fn as_int(&self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(*number),
            _ => None,
        }
    }

    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The identifier, if it is one.
    pub const fn as_id(&self) -> Option<Uuid> {
        match self {
            Self::Id(id) => Some(*id),
            _ => None,
        }
    }
}

/// A value that is known only once the transaction runs. It stands in a change-set; no stored row
/// ever holds one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Deferred {
    /// The number that the change-set's counter with this index gave out, as text: `prefix`
    /// followed by the number with at least `digits` digits.
    Numbered {
        /// Index into the change-set's counters.
        counter: usize,
        /// Added to the number that the counter had before.
        offset: i64,
        /// What stands before the number.
        prefix: String,
        /// The least number of digits.
        digits: usize,
    },
    /// The final row of the change with this index, encoded as JSON.
    RowOf {
        /// Index into the change-set's changes.
        change: usize,
    },
}

impl Deferred {
    /// The text of a number, once the counters are known; nothing for other deferred values or a counter
    /// that is not there.
    pub fn number(&self, counters: &[i64]) -> Option<String> {
        match self {
            Self::Numbered { counter, offset, prefix, digits } => {
                let number = counters.get(*counter)?.checked_add(*offset)?;
                Some(format!("{prefix}{number:0digits$}", digits = *digits))
            }
            Self::RowOf { .. } => None,
        }
    }
}

/// The values of one record, in the order of its table's columns.
pub type Row = Vec<Value>;
