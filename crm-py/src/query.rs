//! Keyword filters, orders and pages.

use crm_core::activity::Task;
use crm_core::entity::{Entity as _, Kind, Table};
use crm_core::people::Contact;
use crm_core::row::Value;
use crm_core::sales::{Deal, Lead, Tag};
use crm_core::service::Case;
use crm_core::store::{Cmp, Cursor, Direction, Expr, LARGEST_PAGE, Operand, Order, PAGE, Select};
use crm_core::value::{Currency, Email, Money, ValueError, fold, tokens};
use crm_core::{CrmError, Invalid, Row, Session};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::entities::Described;
use crate::error::{Outcome, invalid, wrong_type};
use crate::given::{Compared, column_of};
use crate::record::{Record, exposed};
use crate::value::{text, truth};

/// How a filter compares.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Operator {
    Is(Cmp),
    Ne,
    In,
    Contains,
    StartsWith,
}

/// The names of the operators, as they follow a column's name and two underscores.
const OPERATORS: [(&str, Operator); 8] = [
    ("ne", Operator::Ne),
    ("lt", Operator::Is(Cmp::Lt)),
    ("le", Operator::Is(Cmp::Le)),
    ("gt", Operator::Is(Cmp::Gt)),
    ("ge", Operator::Is(Cmp::Ge)),
    ("in", Operator::In),
    ("contains", Operator::Contains),
    ("startswith", Operator::StartsWith),
];

/// One condition as it was given. `None` among the values stands for an absent one.
struct Condition {
    field: String,
    column: usize,
    /// A column that holds the same text folded, by which it is compared.
    folded: Option<Folded>,
    operator: Operator,
    values: Vec<Option<Compared>>,
}

/// How text is folded before it is compared.
#[derive(Clone, Copy)]
enum Folded {
    Name,
    Email,
}

/// A condition on more than a column.
enum Further {
    /// Has at least one of these tags, or none of them.
    Tagged { names: Vec<String>, has: bool },
    /// Is a task or a case that is late now, or is not.
    Overdue(bool),
    /// Is a case that waits for an answer, or is not.
    Open(bool),
}

/// What a list is asked for.
pub(crate) struct Wanted {
    described: &'static Described,
    conditions: Vec<Condition>,
    further: Vec<Further>,
    search: Option<String>,
    order: Vec<Order>,
    after: Option<Cursor>,
    limit: u32,
    archived: bool,
    /// The currency that amounts without one are in, if the filters name it.
    currency: Option<String>,
}

/// The column by which a name is compared and ordered, if not its own.
fn folded(table: &'static Table, name: &str) -> Option<(usize, Folded)> {
    match name {
        "name" => Some((table.position("name_key")?, Folded::Name)),
        "title" => Some((table.position("title_key")?, Folded::Name)),
        "email" => Some((table.position("email_key")?, Folded::Email)),
        _ => None,
    }
}

/// The column that a filter or an order names.
fn named(py: Python<'_>, table: &'static Table, field: &str, name: &str) -> PyResult<(usize, Option<Folded>)> {
    if let Some((column, how)) = folded(table, name) {
        return Ok((column, Some(how)));
    }
    if let Some(column) = column_of(table, name).filter(|column| exposed(&table.columns[*column])) {
        return Ok((column, None));
    }
    let names: Vec<_> = table.columns.iter().filter(|column| exposed(column)).map(|column| column.name).collect();
    Err(invalid(py, field, ValueError::unknown_value(name, &names)))
}

impl Wanted {
    /// Reads the arguments of a list.
    pub(crate) fn read(
        described: &'static Described,
        filters: &Bound<'_, PyDict>,
        search: Option<String>,
        archived: bool,
    ) -> PyResult<Self> {
        let py = filters.py();
        let table = described.table;
        if search.is_some() && table.search_position().is_none() {
            return Err(PyTypeError::new_err(format!("a {} is not found by words", table.entity)));
        }
        let mut wanted = Self {
            described,
            conditions: Vec::with_capacity(filters.len()),
            further: Vec::new(),
            search,
            order: Vec::new(),
            after: None,
            limit: PAGE,
            archived,
            currency: None,
        };
        for (field, value) in filters {
            let field = field.cast::<PyString>()?.to_str()?.to_owned();
            if field == "currency" && !value.is_none() {
                wanted.currency = Some(text(&field, &value)?);
            }
            match further(table, &field, &value)? {
                Some(further) => wanted.further.push(further),
                None => wanted.conditions.push(condition(py, table, field, &value)?),
            }
        }
        Ok(wanted)
    }

    /// Reads the order, the place to go on from, and the size of a page.
    pub(crate) fn page(
        mut self,
        py: Python<'_>,
        order_by: &[String],
        after: Option<&str>,
        limit: Option<i64>,
    ) -> PyResult<Self> {
        for term in order_by {
            let (name, direction) = match term.strip_prefix('-') {
                Some(name) => (name, Direction::Descending),
                None => (term.as_str(), Direction::Ascending),
            };
            let (column, _) = named(py, self.described.table, "order_by", name)?;
            self.order.push(Order { column, direction });
        }
        self.after = after.map(str::parse).transpose().map_err(|reason| invalid(py, "after", reason))?;
        if let Some(limit) = limit {
            let size = u32::try_from(limit).ok().filter(|size| (1..=LARGEST_PAGE).contains(size));
            self.limit = size.ok_or_else(|| invalid(py, "limit", ValueError::out_of_range(1, LARGEST_PAGE)))?;
        }
        Ok(self)
    }

    /// The filter, as a store reads it.
    pub(crate) async fn filter(&self, session: &Session<'_>) -> Outcome<Expr> {
        let mut filter = Expr::True;
        for condition in &self.conditions {
            filter = filter.and(self.condition(session, condition).await?);
        }
        for further in &self.further {
            filter = filter.and(self.further(session, further));
        }
        if let Some(search) = &self.search {
            filter = filter.and(Expr::Search(tokens(search)));
        }
        if let Some(column) = self.described.table.archived_position()
            && !self.archived
        {
            filter = filter.and(Expr::IsNull(Operand::Column(column)));
        }
        Ok(filter)
    }

    fn further(&self, session: &Session<'_>, further: &Further) -> Expr {
        let (expr, holds) = match further {
            Further::Tagged { names, has } => (Expr::Or(names.iter().map(|name| self.tagged(name)).collect()), has),
            Further::Overdue(is) => {
                let context = session.context();
                let expr = match self.described.table {
                    table if table == Case::TABLE => Case::overdue(context.today()).into_expr(),
                    _ => Task::overdue(context.now(), context.today()).into_expr(),
                };
                (expr, is)
            }
            Further::Open(is) => (Case::open().into_expr(), is),
        };
        if *holds { expr } else { Expr::Not(Box::new(expr)) }
    }

    /// The records of this kind that have a tag.
    fn tagged(&self, name: &str) -> Expr {
        match self.described.table {
            table if table == Contact::TABLE => Tag::on_contacts(name).into(),
            table if table == Lead::TABLE => Tag::on_leads(name).into(),
            _ => Tag::on_deals(name).into(),
        }
    }

    async fn condition(&self, session: &Session<'_>, condition: &Condition) -> Outcome<Expr> {
        let operand = || Operand::Column(condition.column);
        let cmp = match condition.operator {
            Operator::Is(cmp) => cmp,
            _ => Cmp::Eq,
        };
        let mut any = Vec::with_capacity(1);
        let mut values = Vec::new();
        for value in &condition.values {
            let Some(value) = value else {
                any.push(Expr::IsNull(operand()));
                continue;
            };
            let (value, currency) = self.value(session, condition, value).await?;
            // Blank text is absent. No text that is stored has a NUL, and not every database takes one in a question.
            let nul = value.as_text().is_some_and(|text| text.contains('\0'));
            let compared = match (condition.operator, value) {
                (_, Value::Null) if cmp == Cmp::Eq => Expr::IsNull(operand()),
                (_, Value::Null) => Expr::False,
                (_, _) if nul => Expr::False,
                (Operator::Contains, Value::Text(text)) => Expr::Contains(operand(), text),
                (Operator::StartsWith, Value::Text(text)) => Expr::StartsWith(operand(), text),
                (Operator::In, value) if currency.is_none() => {
                    values.push(value);
                    continue;
                }
                (_, value) => Expr::Compare(operand(), cmp, value),
            };
            // Amounts mean something in their own currency alone.
            let within = match (currency, self.described.table.position("currency")) {
                (Some(currency), Some(column)) => Expr::eq(column, Value::Text(currency.code().to_owned())),
                _ => Expr::True,
            };
            any.push(within.and(compared));
        }
        if !values.is_empty() {
            any.push(Expr::In(operand(), values));
        }
        let expr = match any.len() {
            0 => Expr::False,
            1 => any.remove(0),
            _ => Expr::Or(any),
        };
        Ok(if condition.operator == Operator::Ne { Expr::Not(Box::new(expr)) } else { expr })
    }

    async fn value(
        &self,
        session: &Session<'_>,
        condition: &Condition,
        value: &Compared,
    ) -> Outcome<(Value, Option<Currency>)> {
        let field = condition.field.as_str();
        let refused = |reason| CrmError::Invalid(vec![Invalid::new(field, reason)]);
        let in_part = matches!(condition.operator, Operator::Contains | Operator::StartsWith);
        Ok(match value {
            Compared::Value(value) => (value.clone(), None),
            Compared::Text(text) => {
                let value = match condition.folded {
                    Some(Folded::Name) => fold(text),
                    Some(Folded::Email) if in_part => fold(text),
                    // What is no address is nobody's.
                    Some(Folded::Email) => text.parse::<Email>().map_err(refused)?.key().to_owned(),
                    None if in_part => text.clone(),
                    None => {
                        let parsed = (self.described.parse)(condition.column, text, &session.locale());
                        return match parsed {
                            Ok(value) => Ok((value, None)),
                            // Columns that only the engine writes hold plain text.
                            Err(ValueError::ReadOnly) => Ok((Value::Text(text.clone()), None)),
                            Err(reason) => Err(refused(reason)),
                        };
                    }
                };
                (Value::Text(value), None)
            }
            Compared::Money(money) => (Value::Int(money.minor()), Some(money.currency())),
            Compared::Amount(text) => {
                let currency = match &self.currency {
                    Some(code) => code.parse().map_err(|reason| CrmError::invalid("currency", reason))?,
                    None => session.locale().currency,
                };
                let money = Money::parse(text, currency).map_err(refused)?;
                (Value::Int(money.minor()), Some(currency))
            }
            Compared::Reference(target, reference) => {
                (Value::Id(reference.resolve_in(session, target, field).await?), None)
            }
        })
    }

    /// A page of rows, and where to go on.
    pub(crate) async fn rows(&self, session: &Session<'_>, visible: Expr) -> Outcome<(Vec<Row>, Option<String>)> {
        let filter = self.filter(session).await?.and(visible);
        let mut select = Select::new(self.described.table, filter).ordered(&self.order).limited(self.limit + 1);
        if let Some(cursor) = &self.after {
            select.after = Some(cursor.read(&select).map_err(|reason| CrmError::invalid("after", reason))?);
        }
        let mut rows = session.store().select(session.scope(), &select).await?;
        let size = self.limit as usize;
        let more = rows.len() > size;
        rows.truncate(size);
        let last = rows.last().filter(|_| more);
        let next = last.map(|row| Cursor::new(&select, &select.place(row)).to_string());
        Ok((rows, next))
    }
}

/// Reads a condition on more than a column, if it is one.
fn further(table: &'static Table, field: &str, value: &Bound<'_, PyAny>) -> PyResult<Option<Further>> {
    if field == "open" && table == Case::TABLE {
        return Ok(Some(Further::Open(truth(field, value)?)));
    }
    if field == "overdue" && [Task::TABLE, Case::TABLE].contains(&table) {
        return Ok(Some(Further::Overdue(truth(field, value)?)));
    }
    if ![Contact::TABLE, Lead::TABLE, Deal::TABLE].contains(&table) {
        return Ok(None);
    }
    let (names, has) = match field {
        "tag" => (vec![tag_name(field, value)?], true),
        "tag__ne" => (vec![tag_name(field, value)?], false),
        "tag__in" if value.cast::<PyString>().is_ok() => return Err(wrong_type(field, "a sequence", value)),
        "tag__in" => (value.try_iter()?.map(|tag| tag_name(field, &tag?)).collect::<PyResult<_>>()?, true),
        _ => return Ok(None),
    };
    Ok(Some(Further::Tagged { names, has }))
}

/// The name of a tag, given as it is or by the tag itself.
pub(crate) fn tag_name(field: &str, value: &Bound<'_, PyAny>) -> PyResult<String> {
    if let Ok(record) = value.cast::<Record>()
        && let record = record.get()
        && record.table == Tag::TABLE
        && let Some(name) = record.row[Tag::COLUMNS.name.index()].as_text()
    {
        return Ok(name.to_owned());
    }
    value.cast::<PyString>().map_err(|_| wrong_type(field, "a tag or str", value))?.extract()
}

fn condition(py: Python<'_>, table: &'static Table, field: String, value: &Bound<'_, PyAny>) -> PyResult<Condition> {
    let (name, operator) = match field.rsplit_once("__") {
        Some((name, operator)) => {
            let known = OPERATORS.iter().find(|(known, _)| *known == operator);
            let names: Vec<_> = OPERATORS.iter().map(|(name, _)| *name).collect();
            let unknown = || invalid(py, &field, ValueError::unknown_value(operator, &names));
            (name, known.ok_or_else(unknown)?.1)
        }
        None => (field.as_str(), Operator::Is(Cmp::Eq)),
    };
    let (column, folded) = named(py, table, &field, name)?;
    let described = &table.columns[column];
    if matches!(operator, Operator::Contains | Operator::StartsWith) && described.kind != Kind::Text {
        return Err(PyTypeError::new_err(format!("{field}: {name} is not text")));
    }
    let read = |value: &Bound<'_, PyAny>| -> PyResult<Option<Compared>> {
        if value.is_none() { Ok(None) } else { Compared::read(&field, described, value).map(Some) }
    };
    let values = if operator == Operator::In {
        if value.cast::<PyString>().is_ok() || value.is_none() {
            return Err(wrong_type(&field, "a sequence", value));
        }
        value.try_iter()?.map(|value| read(&value?)).collect::<PyResult<_>>()?
    } else {
        let value = read(value)?;
        let equality = matches!(operator, Operator::Is(Cmp::Eq) | Operator::Ne);
        if value.is_none() && !equality {
            return Err(PyTypeError::new_err(format!("{field}: nothing can be compared with None but equality")));
        }
        vec![value]
    };
    Ok(Condition { field, column, folded, operator, values })
}
