//! Statements that read rows.

use crm_core::entity::{Column, Kind, Table};
use crm_core::row::Value;
use crm_core::store::{Direction, Expr, Operand, Order, Scope, Select, StoreError};
use uuid::Uuid;

use crate::render::{Bind, Dialect, Frame, Renderer, Statement};

/// The rows with these ids, in any order, each once.
///
/// # Errors
/// [`StoreError::Scope`] for a tenant table in the system scope.
pub fn fetch(dialect: Dialect, scope: Scope, table: &'static Table, ids: &[Uuid]) -> Result<Statement, StoreError> {
    let mut renderer = Renderer::new(dialect, scope);
    let (frame, from, mut conditions) = renderer.open(table)?;
    let id = frame.column(0);
    let ids: Vec<Value> = ids.iter().copied().map(Value::Id).collect();
    conditions.push(if ids.is_empty() {
        "FALSE".to_owned()
    } else {
        format!("{id} {}", renderer.one_of(Kind::Id, ids))
    });
    let sql = format!("SELECT {} FROM {from} WHERE {}", columns(frame), conditions.join(" AND "));
    Ok(renderer.finish(sql))
}

/// The rows that a query asks for, in its order.
///
/// # Errors
/// [`StoreError::Scope`] for a tenant table in the system scope.
pub fn select(dialect: Dialect, scope: Scope, query: &Select) -> Result<Statement, StoreError> {
    let mut renderer = Renderer::new(dialect, scope);
    let (frame, from, mut conditions) = renderer.open(query.table)?;
    if query.filter != Expr::True {
        conditions.push(renderer.grouped(frame, &query.filter)?);
    }
    if let Some(after) = &query.after {
        conditions.push(later(&mut renderer, frame, query, after));
    }
    let mut sql = format!("SELECT {} FROM {from}", columns(frame));
    if !conditions.is_empty() {
        sql.push_str(" WHERE ");
        sql.push_str(&conditions.join(" AND "));
    }
    let terms: Vec<String> = query
        .order
        .iter()
        .map(|term| {
            let suffix = order_suffix(dialect, term.direction, nullable(query, term.column));
            format!("{}{suffix}", frame.column(term.column))
        })
        .collect();
    if !terms.is_empty() {
        sql.push_str(" ORDER BY ");
        sql.push_str(&terms.join(", "));
    }
    if let Some(limit) = query.limit {
        sql.push_str(" LIMIT ");
        sql.push_str(&match dialect {
            Dialect::Sqlite => renderer.bind(Bind::Int(i64::from(limit))),
            // A limit that its planner does not know, PostgreSQL takes for a tenth of the rows, and rather plans a page
            // anew each time, which costs more than reading it.
            Dialect::Postgres => limit.to_string(),
        });
    }
    Ok(renderer.finish(sql))
}

fn columns(frame: Frame) -> String {
    // Not formatted column by column: this is a good part of what reading one record costs.
    let prefix = frame.prefix();
    let mut text = String::with_capacity(frame.table.columns.len() * 20);
    for position in 0..frame.table.columns.len() {
        if position > 0 {
            text.push_str(", ");
        }
        text.push_str(&prefix);
        text.push_str(frame.table.columns[position].name);
        text.push('"');
    }
    text
}

/// Whether a column of the rows that a query asks for may be absent: not where the query asks for something that absent
/// values do not fulfil.
fn nullable(query: &Select, column: usize) -> bool {
    query.table.columns[column].nullable && !requires(&query.filter, column)
}

fn requires(filter: &Expr, column: usize) -> bool {
    let is = |operand: &Operand| *operand == Operand::Column(column);
    match filter {
        Expr::Compare(operand, ..)
        | Expr::In(operand, _)
        | Expr::StartsWith(operand, _)
        | Expr::Contains(operand, _) => is(operand),
        Expr::Not(inner) => matches!(&**inner, Expr::IsNull(operand) if is(operand)),
        Expr::And(all) => all.iter().any(|expr| requires(expr, column)),
        Expr::Or(any) => !any.is_empty() && any.iter().all(|expr| requires(expr, column)),
        _ => false,
    }
}

/// Absent values come last; where the database would do so by itself, nothing is said, so that indexes serve.
pub(crate) const fn order_suffix(dialect: Dialect, direction: Direction, nullable: bool) -> &'static str {
    match (direction, nullable, dialect) {
        (Direction::Ascending, true, Dialect::Sqlite) => " NULLS LAST",
        (Direction::Ascending, ..) => "",
        (Direction::Descending, true, Dialect::Postgres) => " DESC NULLS LAST",
        (Direction::Descending, ..) => " DESC",
    }
}

/// Only rows after this place of the order.
fn later(renderer: &mut Renderer, frame: Frame, query: &Select, place: &[Value]) -> String {
    let terms: Vec<(Order, &'static Column, &Value)> =
        query.order.iter().zip(place).map(|(term, value)| (*term, &frame.table.columns[term.column], value)).collect();
    let one_way = terms.windows(2).all(|pair| pair[0].0.direction == pair[1].0.direction);
    if let Some((first, ..)) = terms.first()
        && one_way
        && terms.iter().all(|(term, _, value)| !nullable(query, term.column) && !value.is_null())
    {
        let sign = beyond(first.direction);
        let left: Vec<String> = terms.iter().map(|(term, ..)| frame.column(term.column)).collect();
        let right: Vec<String> =
            terms.iter().map(|(_, column, value)| renderer.bind(Bind::One(column.kind, (*value).clone()))).collect();
        return format!("({}) {sign} ({})", left.join(", "), right.join(", "));
    }
    // Later in one term, equal in all before it. Each value is bound once.
    let mut alternatives: Vec<String> = Vec::new();
    let mut equal: Vec<String> = Vec::new();
    // What all alternatives have in common, said once more so that an index on the first column leads to the place.
    let mut bound_first = String::new();
    for (term, column, value) in terms {
        let name = frame.column(term.column);
        let nullable = nullable(query, term.column);
        if value.is_null() {
            // Nothing comes after an absent value but other absent ones.
            equal.push(format!("{name} IS NULL"));
            continue;
        }
        let bound = renderer.bind(Bind::One(column.kind, value.clone()));
        if alternatives.is_empty() && equal.is_empty() && !nullable {
            bound_first = format!("{name} {}= {bound} AND ", beyond(term.direction));
        }
        let mut beyond = format!("{name} {} {bound}", beyond(term.direction));
        if nullable {
            beyond = format!("({beyond} OR {name} IS NULL)");
        }
        let mut all = equal.clone();
        all.push(beyond);
        alternatives.push(all.join(" AND "));
        equal.push(format!("{name} = {bound}"));
    }
    match alternatives.len() {
        0 => "FALSE".to_owned(),
        1 => alternatives.remove(0),
        _ => format!("{bound_first}({})", alternatives.join(" OR ")),
    }
}

const fn beyond(direction: Direction) -> char {
    match direction {
        Direction::Ascending => '>',
        Direction::Descending => '<',
    }
}
