//! Statements that compute figures.

use crm_core::entity::Kind;
use crm_core::store::{Aggregate, Direction, Expr, Group, Measure, Measured, Scope, StoreError};

use crate::render::{Bind, Dialect, Frame, Renderer, Statement};
use crate::select::order_suffix;

/// One row per group: the groups' values, then the measures', ordered by the groups with absent values last.
///
/// # Errors
/// [`StoreError::Scope`] for a tenant table in the system scope.
pub fn aggregate(dialect: Dialect, scope: Scope, query: &Aggregate) -> Result<Statement, StoreError> {
    let mut renderer = Renderer::new(dialect, scope);
    let (frame, from, mut conditions) = renderer.open(query.table)?;
    if dialect == Dialect::Postgres {
        renderer.join_references();
    }
    let mut outputs = Vec::with_capacity(query.groups.len() + query.measures.len());
    let mut order = Vec::with_capacity(query.groups.len());
    for (index, group) in query.groups.iter().enumerate() {
        outputs.push(group_text(&mut renderer, frame, group)?);
        let (Group::Value(operand) | Group::Month(operand) | Group::Buckets(operand, _)) = group;
        let nullable = Renderer::nullable(query.table, operand);
        order.push(format!("{}{}", index + 1, order_suffix(dialect, Direction::Ascending, nullable)));
    }
    for measured in &query.measures {
        outputs.push(measure_text(&mut renderer, frame, measured)?);
    }
    if outputs.is_empty() {
        // A row with nothing in it still has to come.
        outputs.push("count(*)".to_owned());
    }
    if query.filter != Expr::True {
        conditions.push(renderer.grouped(frame, &query.filter)?);
    }
    let mut sql = format!("SELECT {} FROM {from}{}", outputs.join(", "), renderer.joins());
    if !conditions.is_empty() {
        sql.push_str(" WHERE ");
        sql.push_str(&conditions.join(" AND "));
    }
    if !query.groups.is_empty() {
        let groups: Vec<String> = (1..=query.groups.len()).map(|number| number.to_string()).collect();
        sql.push_str(" GROUP BY ");
        sql.push_str(&groups.join(", "));
        sql.push_str(" ORDER BY ");
        sql.push_str(&order.join(", "));
    }
    Ok(renderer.finish(sql))
}

/// What the columns of an aggregate's rows hold.
pub fn output_kinds(query: &Aggregate) -> Vec<Kind> {
    let groups = query.groups.iter().map(|group| match group {
        Group::Value(operand) => Renderer::kind(query.table, operand),
        Group::Month(_) => Kind::Date,
        Group::Buckets(..) => Kind::Int,
    });
    let measures = query.measures.iter().map(|measured| match &measured.measure {
        Measure::Count | Measure::Sum(_) => Kind::Int,
        Measure::Min(operand) | Measure::Max(operand) => Renderer::kind(query.table, operand),
    });
    groups.chain(measures).collect()
}

fn group_text(renderer: &mut Renderer, frame: Frame, group: &Group) -> Result<String, StoreError> {
    Ok(match group {
        Group::Value(operand) => renderer.operand(frame, operand)?,
        Group::Month(operand) => {
            let date = renderer.operand(frame, operand)?;
            match renderer.dialect {
                Dialect::Sqlite => format!("unixepoch({date} * 86400, 'unixepoch', 'start of month') / 86400"),
                Dialect::Postgres => format!("date_trunc('month', {date}::TIMESTAMP)::DATE"),
            }
        }
        Group::Buckets(operand, bucket) => {
            let kind = Renderer::kind(frame.table, operand);
            let text = renderer.operand(frame, operand)?;
            match renderer.dialect {
                Dialect::Sqlite => {
                    let bounds: Vec<String> =
                        bucket.bounds.iter().map(|bound| renderer.bind(Bind::One(kind, bound.clone()))).collect();
                    let ranges = ranges(&text, &bounds, 0);
                    if Renderer::nullable(frame.table, operand) {
                        format!("CASE WHEN {text} IS NOT NULL THEN {ranges} END")
                    } else {
                        ranges
                    }
                }
                Dialect::Postgres => {
                    let bounds = renderer.bind(Bind::Many(kind, bucket.bounds.clone()));
                    format!("width_bucket({text}, {bounds})::BIGINT")
                }
            }
        }
    })
}

/// Which range a value falls into, found by halving.
fn ranges(value: &str, bounds: &[String], first: usize) -> String {
    if bounds.is_empty() {
        return first.to_string();
    }
    let middle = bounds.len() / 2;
    let below = ranges(value, &bounds[..middle], first);
    let above = ranges(value, &bounds[middle + 1..], first + middle + 1);
    format!("CASE WHEN {value} < {} THEN {below} ELSE {above} END", bounds[middle])
}

fn measure_text(renderer: &mut Renderer, frame: Frame, measured: &Measured) -> Result<String, StoreError> {
    let operand = match &measured.measure {
        Measure::Count => None,
        Measure::Sum(operand) | Measure::Min(operand) | Measure::Max(operand) => {
            Some((renderer.operand(frame, operand)?, Renderer::kind(frame.table, operand)))
        }
    };
    let filter = match &measured.filter {
        Expr::True => String::new(),
        filter => format!(" FILTER (WHERE {})", renderer.expr(frame, filter)?),
    };
    let Some((operand, kind)) = operand else { return Ok(format!("count(*){filter}")) };
    let extreme = |name: &str| extreme(renderer.dialect, name, &operand, kind, &filter);
    Ok(match &measured.measure {
        Measure::Count | Measure::Sum(_) => match renderer.dialect {
            Dialect::Sqlite => format!("COALESCE(sum({operand}){filter}, 0)"),
            Dialect::Postgres => format!("COALESCE(sum({operand}){filter}, 0)::BIGINT"),
        },
        Measure::Min(_) => extreme("min"),
        Measure::Max(_) => extreme("max"),
    })
}

/// The smallest or largest value. PostgreSQL 15 has neither for ids, truth values and bytes, so that their text, which
/// has the same order, stands for them.
fn extreme(dialect: Dialect, name: &str, operand: &str, kind: Kind, filter: &str) -> String {
    match (dialect, kind) {
        (Dialect::Postgres, Kind::Id) => format!("({name}({operand}::TEXT COLLATE \"C\"){filter})::UUID"),
        (Dialect::Postgres, Kind::Bool) => format!("({name}({operand}::INT){filter})::BOOLEAN"),
        (Dialect::Postgres, Kind::Bytes) => {
            format!("decode({name}(encode({operand}, 'hex') COLLATE \"C\"){filter}, 'hex')")
        }
        _ => format!("{name}({operand}){filter}"),
    }
}

#[cfg(test)]
mod tests {
    use super::ranges;

    #[test]
    fn ranges_are_halved() {
        let bounds: Vec<String> = (1..=3).map(|n| format!("?{n}")).collect();
        assert_eq!(
            ranges("x", &bounds, 0),
            "CASE WHEN x < ?2 THEN CASE WHEN x < ?1 THEN 0 ELSE 1 END ELSE CASE WHEN x < ?3 THEN 2 ELSE 3 END END"
        );
        assert_eq!(ranges("x", &[], 0), "0");
    }
}
