//! Queries for figures: groups and measures, computed where the rows are.

use super::expr::{Expr, Operand};
use crate::entity::Table;
use crate::row::{Row, Value};

/// By what rows are grouped.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Group {
    /// By the operand's value; absent is a group of its own.
    Value(Operand),
    /// By the civil month of a date: the date of the month's first day.
    Month(Operand),
    /// By the range that the operand's value falls into; see [`Bucket`].
    Buckets(Operand, Bucket),
}

/// Ranges of values: with ascending bounds b0, b1, …, range 0 is below b0, range n at or above
/// b(n-1) and below b(n). Absent values are a group of their own, [`Value::Null`]. Civil months and
/// days of an instant in a time zone are ranges between the instants at which they start
/// ([`Zone::month_starts`](crate::value::Zone::month_starts)), so that every database uses the
/// same time zone data.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Bucket {
    /// The bounds, ascending.
    pub bounds: Vec<Value>,
}

/// What is computed for each group.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Measure {
    /// How many rows.
    Count,
    /// The sum of a whole number; 0 of no rows. Amounts are summed per currency by grouping.
    Sum(Operand),
    /// The smallest value, if there is one.
    Min(Operand),
    /// The largest value, if there is one.
    Max(Operand),
}

/// A measure over the rows that fulfil a further condition.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Measured {
    /// What is computed.
    pub measure: Measure,
    /// Over which of the group's rows.
    pub filter: Expr,
}

/// A query for figures, as a store gets it. The answer has one row per group: the groups' values,
/// then the measures', ordered by the groups ascending with absent values last. Without groups it
/// has exactly one row.
#[derive(Clone, Debug)]
pub struct Aggregate {
    /// Of which table.
    pub table: &'static Table,
    /// Over which rows.
    pub filter: Expr,
    /// By what.
    pub groups: Vec<Group>,
    /// What.
    pub measures: Vec<Measured>,
}

impl Aggregate {
    /// Over all rows that fulfil the filter.
    pub const fn new(table: &'static Table, filter: Expr) -> Self {
        Self { table, filter, groups: Vec::new(), measures: Vec::new() }
    }

    /// Groups further.
    #[must_use]
    pub fn by(mut self, group: Group) -> Self {
        self.groups.push(group);
        self
    }

    /// Computes further.
    #[must_use]
    pub fn measure(self, measure: Measure) -> Self {
        self.measure_where(measure, Expr::True)
    }

    /// Computes further, over the rows that fulfil the condition.
    #[must_use]
    pub fn measure_where(mut self, measure: Measure, filter: impl Into<Expr>) -> Self {
        self.measures.push(Measured { measure, filter: filter.into() });
        self
    }
}

/// Reads the rows of an aggregate.
pub struct Totals<'a> {
    row: &'a Row,
    groups: usize,
}

impl<'a> Totals<'a> {
    /// A row of the answer to this query.
    pub const fn new(query: &Aggregate, row: &'a Row) -> Self {
        Self { row, groups: query.groups.len() }
    }

    /// The value of the group with this index.
    pub fn group(&self, index: usize) -> &'a Value {
        &self.row[index]
    }

    /// The measure with this index, as a whole number; 0 if there was nothing to measure.
    pub fn number(&self, index: usize) -> i64 {
        self.row[self.groups + index].as_int().unwrap_or(0)
    }

    /// The measure with this index.
    pub fn value(&self, index: usize) -> &'a Value {
        &self.row[self.groups + index]
    }
}
