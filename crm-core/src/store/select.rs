//! Queries for rows: a filter, an order, a place to go on from, a limit.

use super::cursor::Cursor;
use super::expr::{Expr, Filter};
use crate::entity::{Col, Entity, Table};
use crate::row::{Row, Value};

/// Which way an order runs. Absent values come last both ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From small to large.
    Ascending,
    /// From large to small.
    Descending,
}

/// One term of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Order {
    /// The column's position in the table.
    pub column: usize,
    /// Which way.
    pub direction: Direction,
}

/// A query for rows, as a store gets it.
#[derive(Clone, Debug)]
pub struct Select {
    /// Of which table.
    pub table: &'static Table,
    /// Which rows.
    pub filter: Expr,
    /// In which order. [`Select::new`] and [`Select::ordered`] end it with the id, so that it is
    /// total.
    pub order: Vec<Order>,
    /// Only rows after this one: its values of the order's columns.
    pub after: Option<Vec<Value>>,
    /// At most so many.
    pub limit: Option<u32>,
}

impl Select {
    /// All rows that fulfil the filter, in the order of their ids.
    pub fn new(table: &'static Table, filter: Expr) -> Self {
        let order = vec![Order { column: 0, direction: Direction::Ascending }];
        Self { table, filter, order, after: None, limit: None }
    }

    /// In this order, then by id in the direction of the last term.
    #[must_use]
    pub fn ordered(mut self, terms: &[Order]) -> Self {
        let last = terms.last().map_or(Direction::Ascending, |term| term.direction);
        self.order = terms.to_vec();
        if !terms.iter().any(|term| term.column == 0) {
            self.order.push(Order { column: 0, direction: last });
        }
        self
    }

    /// At most so many.
    #[must_use]
    pub fn limited(mut self, limit: u32) -> Self {
        self.limit = Some(limit);
        self
    }

    /// The values by which a row has its place in the order.
    pub fn place(&self, row: &Row) -> Vec<Value> {
        self.order.iter().map(|term| row[term.column].clone()).collect()
    }
}

/// A query for records of `E`, as a caller writes it.
///
/// ```
/// use crm_core::people::Contact;
/// use crm_core::store::{Filter, Query};
/// let query = Query::new(Filter::<Contact>::search("luc mart")).ascending(Contact::COLUMNS.name_key).limit(20);
/// ```
#[derive(Clone, Debug)]
pub struct Query<E> {
    pub(crate) filter: Filter<E>,
    pub(crate) order: Vec<Order>,
    pub(crate) after: Option<Cursor>,
    pub(crate) limit: u32,
    pub(crate) archived: bool,
}

/// How many records a page has unless asked otherwise.
pub const PAGE: u32 = 50;
/// How many records a page has at most.
pub const LARGEST_PAGE: u32 = 10_000;

impl<E: Entity> Query<E> {
    /// The records that fulfil the filter, archived ones left out, in the order of their creation.
    pub const fn new(filter: Filter<E>) -> Self {
        Self { filter, order: Vec::new(), after: None, limit: PAGE, archived: false }
    }

    /// Every record that is not archived.
    pub const fn all() -> Self {
        Self::new(Filter::all())
    }

    /// Orders by the column, small values first.
    #[must_use]
    pub fn ascending<T>(self, column: Col<E, T>) -> Self {
        self.order(column.index(), Direction::Ascending)
    }

    /// Orders by the column, large values first.
    #[must_use]
    pub fn descending<T>(self, column: Col<E, T>) -> Self {
        self.order(column.index(), Direction::Descending)
    }

    /// Orders by the column at this position of the table.
    #[must_use]
    pub fn order(mut self, column: usize, direction: Direction) -> Self {
        self.order.push(Order { column, direction });
        self
    }

    /// Goes on after the page that gave this cursor.
    #[must_use]
    pub fn after(mut self, cursor: Option<Cursor>) -> Self {
        self.after = cursor;
        self
    }

    /// At most so many records, up to [`LARGEST_PAGE`].
    #[must_use]
    pub const fn limit(mut self, limit: u32) -> Self {
        self.limit = if limit < LARGEST_PAGE { limit } else { LARGEST_PAGE };
        self
    }

    /// Archived records too.
    #[must_use]
    pub const fn with_archived(mut self) -> Self {
        self.archived = true;
        self
    }

    /// The query as a store gets it, with the cursor read.
    ///
    /// # Errors
    /// When the cursor comes from another order or table, or is no cursor at all.
    pub fn to_select(&self) -> Result<Select, crate::value::ValueError> {
        let mut filter = self.filter.clone().into_expr();
        if let Some(archived) = E::TABLE.archived_position()
            && !self.archived
        {
            filter = filter.and(Expr::IsNull(super::Operand::Column(archived)));
        }
        let mut select = Select::new(E::TABLE, filter).ordered(&self.order).limited(self.limit);
        if let Some(cursor) = &self.after {
            select.after = Some(cursor.read(&select)?);
        }
        Ok(select)
    }
}
