//! Filters: data that two interpreters read, the memory store and `crm-sql`.
//!
//! Logic is two-valued. A comparison with an absent value is false, and its negation true:
//! `not(eq(x))` finds absent values too, unlike SQL's.

use std::marker::PhantomData;

use crate::entity::{Col, Entity, Field, Table};
use crate::id::Id;
use crate::row::Value;
use crate::value::{Decimal6, Instant, fold, tokens};

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cmp {
    /// Equal.
    Eq,
    /// Less.
    Lt,
    /// Less or equal.
    Le,
    /// Greater.
    Gt,
    /// Greater or equal.
    Ge,
}

/// What a filter, a group or a measure looks at.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Operand {
    /// A column, by its position in the table.
    Column(usize),
    /// A column of the record that a reference column points to.
    Via {
        /// The reference column's position in the table.
        reference: usize,
        /// The column's position in the referenced table.
        column: usize,
    },
    /// The first less the second, both whole numbers, both dates (then in days) or both instants (then in
    /// whole seconds, what is left over cut off).
    Difference(Box<Operand>, Box<Operand>),
    /// An instant, the same for every row.
    Instant(Instant),
    /// A share of a whole number, rounded half away from zero.
    Share(Box<Operand>, Share),
    /// The number, from 1, of the last of these conditions that any row of another table fulfils that points
    /// here; 0 if there is none. A row that fulfils several counts for the last of them.
    Rank {
        /// The other table.
        table: &'static Table,
        /// Its reference column's position.
        reference: usize,
        /// Which of its rows are looked at.
        filter: Box<Expr>,
        /// The conditions on them.
        ranks: Vec<Expr>,
    },
}

/// A part of a whole: from 0 to 100 percent. No larger, so that it never leaves 64 bits and needs no check
/// in a database: only the sum of shares can.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Share(i64);

impl Share {
    /// How many parts the whole has: millionths of a percent.
    pub const WHOLE: i64 = 100_000_000;

    /// So many percent; none if that is less than nothing or more than the whole.
    pub fn percent(percent: Decimal6) -> Option<Self> {
        (0..=Self::WHOLE).contains(&percent.micros()).then_some(Self(percent.micros()))
    }

    /// How many of [`WHOLE`](Self::WHOLE) parts it is.
    pub const fn parts(self) -> i64 {
        self.0
    }

    /// The share of a number, rounded half away from zero.
    pub const fn of(self, number: i64) -> i64 {
        // The multiples of the whole first: neither product leaves 64 bits.
        let half = if number < 0 { -Self::WHOLE / 2 } else { Self::WHOLE / 2 };
        number / Self::WHOLE * self.0 + (number % Self::WHOLE * self.0 + half) / Self::WHOLE
    }
}

/// A condition on the rows of one table.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Expr {
    /// Every row.
    True,
    /// No row.
    False,
    /// The operand compares so with the value; false if either is absent.
    Compare(Operand, Cmp, Value),
    /// The operand is one of the values; false if it is absent.
    In(Operand, Vec<Value>),
    /// The operand is absent.
    IsNull(Operand),
    /// The text starts with this, byte for byte.
    StartsWith(Operand, String),
    /// The text contains this, byte for byte.
    Contains(Operand, String),
    /// Every word of the folded text begins a word of the record's searchable text. The words are
    /// as [`tokens`] gives them; no words find every row.
    Search(Vec<String>),
    /// All hold.
    And(Vec<Expr>),
    /// At least one holds.
    Or(Vec<Expr>),
    /// It does not hold.
    Not(Box<Expr>),
    /// The record that the reference column points to fulfils the condition.
    Related {
        /// The reference column's position.
        reference: usize,
        /// The condition on the referenced table.
        filter: Box<Expr>,
    },
    /// At least one row of another table points here and fulfils the condition.
    Has {
        /// The other table.
        table: &'static Table,
        /// Its reference column's position.
        reference: usize,
        /// The condition on the other table.
        filter: Box<Expr>,
    },
}

impl std::hash::Hash for Table {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl Expr {
    /// Both hold.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::True, expr) | (expr, Self::True) => expr,
            (Self::False, _) | (_, Self::False) => Self::False,
            (Self::And(mut all), Self::And(more)) => {
                all.extend(more);
                Self::And(all)
            }
            (Self::And(mut all), expr) | (expr, Self::And(mut all)) => {
                all.push(expr);
                Self::And(all)
            }
            (left, right) => Self::And(vec![left, right]),
        }
    }

    /// The column at this position equals the value.
    pub fn eq(column: usize, value: Value) -> Self {
        Self::Compare(Operand::Column(column), Cmp::Eq, value)
    }
}

/// A typed condition on records of `E`; erased to [`Expr`].
///
/// ```
/// use crm_core::people::Contact;
/// use crm_core::store::Filter;
/// let columns = Contact::COLUMNS;
/// let filter = columns.stratum.ge(&Some(3)) & !columns.email_key.is_null();
/// ```
#[derive(Clone, Debug)]
pub struct Filter<E> {
    expr: Expr,
    entity: PhantomData<fn() -> E>,
}

impl<E> Filter<E> {
    /// Takes an erased condition on the table of `E`.
    pub const fn new(expr: Expr) -> Self {
        Self { expr, entity: PhantomData }
    }

    /// Every record.
    pub const fn all() -> Self {
        Self::new(Expr::True)
    }

    /// Records whose searchable text has, for each word given, a word that begins with it; case and
    /// accents do not count.
    pub fn search(text: &str) -> Self {
        Self::new(Expr::Search(tokens(text)))
    }

    /// The erased condition.
    pub fn into_expr(self) -> Expr {
        self.expr
    }
}

impl<E> From<Filter<E>> for Expr {
    fn from(filter: Filter<E>) -> Self {
        filter.expr
    }
}

impl<E> std::ops::BitAnd for Filter<E> {
    type Output = Self;
    fn bitand(self, other: Self) -> Self {
        Self::new(self.expr.and(other.expr))
    }
}

impl<E> std::ops::BitOr for Filter<E> {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self::new(Expr::Or(vec![self.expr, other.expr]))
    }
}

impl<E> std::ops::Not for Filter<E> {
    type Output = Self;
    fn not(self) -> Self {
        Self::new(Expr::Not(Box::new(self.expr)))
    }
}

impl<E, T: Field> Col<E, T> {
    /// The column as an operand.
    pub const fn operand(self) -> Operand {
        Operand::Column(self.index())
    }

    fn compare(self, cmp: Cmp, value: &T) -> Filter<E> {
        Filter::new(match value.store() {
            Value::Null => Expr::False,
            value => Expr::Compare(self.operand(), cmp, value),
        })
    }

    /// Equals the value; an absent one equals nothing.
    pub fn eq(self, value: &T) -> Filter<E> {
        self.compare(Cmp::Eq, value)
    }

    /// Differs from the value; absent values differ from every value.
    pub fn ne(self, value: &T) -> Filter<E> {
        !self.eq(value)
    }

    /// Is less than the value.
    pub fn lt(self, value: &T) -> Filter<E> {
        self.compare(Cmp::Lt, value)
    }

    /// Is at most the value.
    pub fn le(self, value: &T) -> Filter<E> {
        self.compare(Cmp::Le, value)
    }

    /// Is greater than the value.
    pub fn gt(self, value: &T) -> Filter<E> {
        self.compare(Cmp::Gt, value)
    }

    /// Is at least the value.
    pub fn ge(self, value: &T) -> Filter<E> {
        self.compare(Cmp::Ge, value)
    }

    /// Is one of the values.
    pub fn is_in(self, values: &[T]) -> Filter<E> {
        Filter::new(Expr::In(self.operand(), values.iter().map(Field::store).filter(|v| !v.is_null()).collect()))
    }

    /// Is absent.
    pub fn is_null(self) -> Filter<E> {
        Filter::new(Expr::IsNull(self.operand()))
    }

    /// Is a text that starts with this, byte for byte.
    pub fn starts_with(self, text: &str) -> Filter<E> {
        Filter::new(Expr::StartsWith(self.operand(), text.to_owned()))
    }

    /// Is a text that contains this, byte for byte; fold the text first to compare with a folded
    /// column.
    pub fn contains(self, text: &str) -> Filter<E> {
        Filter::new(Expr::Contains(self.operand(), text.to_owned()))
    }

    /// Is a folded text that contains this, whatever its case and accents.
    pub fn contains_folded(self, text: &str) -> Filter<E> {
        self.contains(&fold(text))
    }
}

/// A column that may point to a record of `T`.
trait Reference<T> {}
impl<T> Reference<T> for Id<T> {}
impl<T> Reference<T> for Option<Id<T>> {}

#[expect(private_bounds, reason = "the two forms of a reference are fixed")]
impl<E, R> Col<E, R> {
    /// Points to a record that fulfils the condition.
    pub fn refers_to<T: Entity>(self, filter: Filter<T>) -> Filter<E>
    where
        R: Reference<T>,
    {
        Filter::new(Expr::Related { reference: self.index(), filter: Box::new(filter.into_expr()) })
    }

    /// Is the reference of at least one record that fulfils the condition: `column.of_any(filter)` on a
    /// child's column gives a filter on the parent.
    pub fn of_any<T: Entity>(self, filter: Filter<E>) -> Filter<T>
    where
        E: Entity,
        R: Reference<T>,
    {
        Filter::new(Expr::Has { table: E::TABLE, reference: self.index(), filter: Box::new(filter.into_expr()) })
    }

    /// A column of the record that this one points to.
    pub fn via<T: Entity, V>(self, column: Col<T, V>) -> Operand
    where
        R: Reference<T>,
    {
        Operand::Via { reference: self.index(), column: column.index() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(percent: &str) -> Share {
        Share::percent(percent.parse().unwrap()).unwrap()
    }

    #[test]
    fn shares_round_half_away_from_zero() {
        for (percent, number, expected) in [
            ("50", 1, 1),
            ("50", -1, -1),
            ("50", 3, 2),
            ("49.999999", 1, 0),
            ("12.5", 4, 1),
            ("12.5", 3, 0),
            ("0", i64::MAX, 0),
            ("100", i64::MAX, i64::MAX),
            ("100", i64::MIN, i64::MIN),
            ("50", i64::MAX, 4_611_686_018_427_387_904),
            ("50", i64::MIN, -4_611_686_018_427_387_904),
            ("0.000001", 50_000_000, 1),
            ("0.000001", 49_999_999, 0),
        ] {
            assert_eq!(share(percent).of(number), expected, "{percent} % of {number}");
        }
    }

    #[test]
    fn a_share_is_no_more_than_the_whole() {
        assert_eq!(Share::percent(Decimal6::from_micros(Share::WHOLE + 1)), None);
        assert_eq!(Share::percent(Decimal6::from_micros(-1)), None);
    }
}
