//! Renders operands and conditions.

use std::fmt::Write as _;

use crm_core::entity::{Kind, Table, Tenancy};
use crm_core::row::Value;
use crm_core::store::{Cmp, Expr, Operand, Scope, Share, StoreError};

/// For which database text is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// SQLite, with placeholders `?1`.
    Sqlite,
    /// PostgreSQL, with placeholders `$1`.
    Postgres,
}

/// A value for a placeholder.
#[derive(Clone, Debug, PartialEq)]
pub enum Bind {
    /// One value of a column's kind.
    One(Kind, Value),
    /// An array of values of a column's kind; PostgreSQL only.
    Many(Kind, Vec<Value>),
    /// The organization's key, a 64-bit integer.
    Org(i64),
    /// A text.
    Text(String),
    /// A 64-bit integer.
    Int(i64),
}

/// Text with placeholders, and the values for them: placeholder N takes the value at N - 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// The text.
    pub sql: String,
    /// The values.
    pub binds: Vec<Bind>,
}

/// Writes a column's name as an identifier, whatever words the database reserves.
pub fn quote(name: &str) -> String {
    format!("\"{name}\"")
}

/// Refuses a tenant table in the system scope, the audit excepted: what happens above organizations stands there under
/// the key 0.
///
/// # Errors
/// [`StoreError::Scope`].
pub fn scoped(scope: Scope, table: &Table) -> Result<(), StoreError> {
    if scope.is_system() && table.tenancy == Tenancy::Organization && table.name != crate::ddl::AUDIT {
        return Err(StoreError::Scope { table: table.name });
    }
    Ok(())
}

/// The longest list that SQLite gets as single placeholders; longer ones are bound as one JSON array.
const LONGEST_LIST: usize = 256;

/// One table of a statement, under the alias `t` and its number.
#[derive(Clone, Copy)]
pub(crate) struct Frame {
    pub(crate) table: &'static Table,
    alias: usize,
}

impl Frame {
    /// A column, with the alias.
    pub(crate) fn column(self, position: usize) -> String {
        self.named(self.table.columns[position].name)
    }

    /// What stands before a column's name.
    pub(crate) fn prefix(self) -> String {
        format!("t{}.\"", self.alias)
    }

    fn named(self, name: &str) -> String {
        format!("t{}.\"{name}\"", self.alias)
    }
}

/// Collects the values while text is written.
pub(crate) struct Renderer {
    pub(crate) dialect: Dialect,
    scope: Scope,
    binds: Vec<Bind>,
    org: Option<String>,
    frames: usize,
    joins: Option<Joins>,
}

/// What the first table of a statement is joined with.
#[derive(Default)]
struct Joins {
    /// The columns of the first table that refer to joined records.
    references: Vec<(usize, Frame)>,
    text: String,
}

impl Renderer {
    pub(crate) const fn new(dialect: Dialect, scope: Scope) -> Self {
        Self { dialect, scope, binds: Vec::new(), org: None, frames: 0, joins: None }
    }

    /// From now on what the first table refers to is joined, not looked up row by row: what PostgreSQL does best over
    /// many rows. SQLite looks up in either form.
    pub(crate) fn join_references(&mut self) {
        self.joins = Some(Joins::default());
    }

    /// The text of the joins, to stand behind the first table.
    pub(crate) fn joins(&self) -> &str {
        self.joins.as_ref().map_or("", |joins| &joins.text)
    }

    /// The joined table for a reference of the first table, if references are joined.
    fn referred(
        &mut self,
        frame: Frame,
        reference: usize,
        target: &'static Table,
    ) -> Result<Option<Frame>, StoreError> {
        let Some(joins) = self.joins.as_ref().filter(|_| frame.alias == 0) else { return Ok(None) };
        if let Some((_, joined)) = joins.references.iter().find(|(known, _)| *known == reference) {
            return Ok(Some(*joined));
        }
        let (joined, from, mut conditions) = self.open(target)?;
        conditions.push(format!("{} = {}", joined.column(0), frame.column(reference)));
        let joins = self.joins.get_or_insert_default();
        let _ = write!(joins.text, " LEFT JOIN {from} ON {}", conditions.join(" AND "));
        joins.references.push((reference, joined));
        Ok(Some(joined))
    }

    pub(crate) fn finish(self, sql: String) -> Statement {
        Statement { sql, binds: self.binds }
    }

    /// Binds a value and gives its placeholder.
    pub(crate) fn bind(&mut self, bind: Bind) -> String {
        self.binds.push(bind);
        let sign = match self.dialect {
            Dialect::Sqlite => '?',
            Dialect::Postgres => '$',
        };
        format!("{sign}{}", self.binds.len())
    }

    fn org(&mut self) -> String {
        if let Some(org) = &self.org {
            return org.clone();
        }
        let org = self.bind(Bind::Org(self.scope.key()));
        self.org.insert(org).clone()
    }

    /// Opens a table: its alias, `table AS tN`, and the condition that keeps it to the organization.
    pub(crate) fn open(&mut self, table: &'static Table) -> Result<(Frame, String, Vec<String>), StoreError> {
        scoped(self.scope, table)?;
        let frame = Frame { table, alias: self.frames };
        self.frames += 1;
        let conditions = match table.tenancy {
            Tenancy::Organization => vec![format!("{} = {}", frame.named("org"), self.org())],
            Tenancy::Global => Vec::new(),
        };
        Ok((frame, format!("{} AS t{}", table.name, frame.alias), conditions))
    }

    /// What an operand holds.
    pub(crate) fn kind(table: &'static Table, operand: &Operand) -> Kind {
        match operand {
            Operand::Column(position) => table.columns[*position].kind,
            Operand::Via { reference, column } => {
                table.columns[*reference].target().map_or(Kind::Int, |target| target.columns[*column].kind)
            }
            Operand::Share(whole, _) => Self::kind(table, whole),
            Operand::Instant(_) => Kind::Instant,
            Operand::Difference(..) | Operand::Rank { .. } => Kind::Int,
        }
    }

    /// Whether an operand may be absent.
    pub(crate) fn nullable(table: &'static Table, operand: &Operand) -> bool {
        match operand {
            Operand::Column(position) => table.columns[*position].nullable,
            Operand::Via { reference, column } => {
                let reference = &table.columns[*reference];
                reference.nullable || reference.target().is_none_or(|target| target.columns[*column].nullable)
            }
            Operand::Difference(left, right) => Self::nullable(table, left) || Self::nullable(table, right),
            Operand::Share(whole, _) => Self::nullable(table, whole),
            Operand::Instant(_) | Operand::Rank { .. } => false,
        }
    }

    pub(crate) fn operand(&mut self, frame: Frame, operand: &Operand) -> Result<String, StoreError> {
        Ok(match operand {
            Operand::Column(position) => frame.column(*position),
            Operand::Via { reference, column } => {
                let Some(target) = frame.table.columns[*reference].target() else { return Ok("NULL".to_owned()) };
                if let Some(joined) = self.referred(frame, *reference, target)? {
                    return Ok(joined.column(*column));
                }
                let (inner, from, mut conditions) = self.open(target)?;
                conditions.push(format!("{} = {}", inner.column(0), frame.column(*reference)));
                format!("(SELECT {} FROM {from} WHERE {})", inner.column(*column), conditions.join(" AND "))
            }
            Operand::Difference(left, right) => {
                let instants = Self::kind(frame.table, left) == Kind::Instant;
                let difference = format!("({} - {})", self.operand(frame, left)?, self.operand(frame, right)?);
                match (self.dialect, instants) {
                    (Dialect::Sqlite, false) => difference,
                    (Dialect::Sqlite, true) => format!("({difference} / 1000000)"),
                    // Dates differ by a 32-bit number.
                    (Dialect::Postgres, false) => format!("{difference}::BIGINT"),
                    (Dialect::Postgres, true) => format!("trunc(EXTRACT(EPOCH FROM {difference}))::BIGINT"),
                }
            }
            Operand::Instant(instant) => self.bind(Bind::One(Kind::Instant, Value::Instant(*instant))),
            Operand::Share(whole, share) => {
                // As `Share::of`: in whole numbers and within 64 bits, whatever the amount.
                let (of, whole) = (self.operand(frame, whole)?, Share::WHOLE);
                let (parts, half) = (self.bind(Bind::Int(share.parts())), whole / 2);
                format!(
                    "({of} / {whole} * {parts} + ({of} % {whole} * {parts} + CASE WHEN {of} < 0 THEN -{half} ELSE {half} \
                     END) / {whole})"
                )
            }
            Operand::Rank { table, reference, filter, ranks } => self.rank(frame, table, *reference, filter, ranks)?,
        })
    }

    fn rank(
        &mut self,
        frame: Frame,
        table: &'static Table,
        reference: usize,
        filter: &Expr,
        ranks: &[Expr],
    ) -> Result<String, StoreError> {
        let joining = self.joins.is_some() && frame.alias == 0;
        let (inner, from, mut conditions) = self.open(table)?;
        let mut cases = String::new();
        for (number, rank) in ranks.iter().enumerate().rev() {
            let _ = write!(cases, " WHEN {} THEN {}", self.expr(inner, rank)?, number + 1);
        }
        if !joining {
            conditions.push(format!("{} = {}", inner.column(reference), frame.column(0)));
        }
        if *filter != Expr::True {
            conditions.push(self.grouped(inner, filter)?);
        }
        let conditions = conditions.join(" AND ");
        // Without a rank there is still a column.
        let cases = if cases.is_empty() { "0".to_owned() } else { format!("CASE{cases} ELSE 0 END") };
        if joining {
            // All ranks at once, then one for each record.
            let (of, ranked) = (inner.column(reference), format!("r{}", inner.alias));
            let _ = write!(
                self.joins.get_or_insert_default().text,
                " LEFT JOIN (SELECT {of} AS of, max({cases})::BIGINT AS rank FROM {from} WHERE {conditions} GROUP BY {of}) \
                 AS {ranked} ON {ranked}.of = {}",
                frame.column(0)
            );
            return Ok(format!("COALESCE({ranked}.rank, 0)"));
        }
        let rank = format!("COALESCE((SELECT max({cases}) FROM {from} WHERE {conditions}), 0)");
        Ok(match self.dialect {
            Dialect::Sqlite => rank,
            Dialect::Postgres => format!("{rank}::BIGINT"),
        })
    }

    /// Renders a condition. It may be null where it does not hold; only a negation tells the two apart, and writes
    /// `IS NOT TRUE`.
    pub(crate) fn expr(&mut self, frame: Frame, expr: &Expr) -> Result<String, StoreError> {
        Ok(match expr {
            Expr::True => "TRUE".to_owned(),
            Expr::False | Expr::Compare(_, _, Value::Null) => "FALSE".to_owned(),
            Expr::Compare(operand, cmp, value) => {
                let left = self.operand(frame, operand)?;
                let right = self.bind(Bind::One(Self::kind(frame.table, operand), value.clone()));
                format!("{left} {} {right}", sign(*cmp))
            }
            Expr::In(operand, values) => self.list(frame, operand, values)?,
            Expr::IsNull(operand) => format!("{} IS NULL", self.operand(frame, operand)?),
            Expr::StartsWith(operand, text) => self.starts_with(frame, operand, text)?,
            Expr::Contains(operand, text) => {
                let operand = self.operand(frame, operand)?;
                let function = match self.dialect {
                    Dialect::Sqlite => "instr",
                    Dialect::Postgres => "strpos",
                };
                format!("{function}({operand}, {}) > 0", self.bind(Bind::Text(text.clone())))
            }
            Expr::Search(words) => self.search(frame, words),
            Expr::And(all) => self.joined(frame, all, " AND ", "TRUE")?,
            Expr::Or(any) => self.joined(frame, any, " OR ", "FALSE")?,
            Expr::Not(inner) => match &**inner {
                Expr::IsNull(operand) => format!("{} IS NOT NULL", self.operand(frame, operand)?),
                inner => format!("(({}) IS NOT TRUE)", self.expr(frame, inner)?),
            },
            Expr::Related { reference, filter } => {
                let Some(target) = frame.table.columns[*reference].target() else { return Ok("FALSE".to_owned()) };
                let (inner, from, mut conditions) = self.open(target)?;
                conditions.push(format!("{} = {}", inner.column(0), frame.column(*reference)));
                self.exists(inner, &from, conditions, filter)?
            }
            Expr::Has { table, reference, filter } => {
                let (inner, from, mut conditions) = self.open(table)?;
                conditions.push(format!("{} = {}", inner.column(*reference), frame.column(0)));
                self.exists(inner, &from, conditions, filter)?
            }
        })
    }

    fn exists(
        &mut self,
        inner: Frame,
        from: &str,
        mut conditions: Vec<String>,
        filter: &Expr,
    ) -> Result<String, StoreError> {
        if *filter != Expr::True {
            conditions.push(self.grouped(inner, filter)?);
        }
        Ok(format!("EXISTS (SELECT 1 FROM {from} WHERE {})", conditions.join(" AND ")))
    }

    /// A condition that can stand among others joined by `AND`.
    pub(crate) fn grouped(&mut self, frame: Frame, expr: &Expr) -> Result<String, StoreError> {
        let text = self.expr(frame, expr)?;
        Ok(match expr {
            Expr::Or(any) if any.len() > 1 => format!("({text})"),
            _ => text,
        })
    }

    fn joined(&mut self, frame: Frame, parts: &[Expr], by: &str, none: &str) -> Result<String, StoreError> {
        if parts.is_empty() {
            return Ok(none.to_owned());
        }
        let parts = parts
            .iter()
            .map(|part| {
                let text = self.expr(frame, part)?;
                let composed = matches!(part, Expr::And(_) | Expr::Or(_));
                Ok(if composed && parts.len() > 1 { format!("({text})") } else { text })
            })
            .collect::<Result<Vec<_>, StoreError>>()?;
        Ok(parts.join(by))
    }

    fn list(&mut self, frame: Frame, operand: &Operand, values: &[Value]) -> Result<String, StoreError> {
        let values: Vec<Value> = values.iter().filter(|value| !value.is_null()).cloned().collect();
        if values.is_empty() {
            return Ok("FALSE".to_owned());
        }
        let kind = Self::kind(frame.table, operand);
        let left = self.operand(frame, operand)?;
        Ok(format!("{left} {}", self.one_of(kind, values)))
    }

    /// `= ANY($1)` or `IN (?1, ?2)`. SQLite's lists are filled up to a power of two, so that few texts are prepared.
    pub(crate) fn one_of(&mut self, kind: Kind, mut values: Vec<Value>) -> String {
        if self.dialect == Dialect::Postgres {
            return format!("= ANY({})", self.bind(Bind::Many(kind, values)));
        }
        if values.len() > LONGEST_LIST {
            return self.json_list(kind, &values);
        }
        let last = values.last().cloned().unwrap_or(Value::Null);
        values.resize(values.len().next_power_of_two(), last);
        let places: Vec<String> = values.into_iter().map(|value| self.bind(Bind::One(kind, value))).collect();
        format!("IN ({})", places.join(", "))
    }

    fn json_list(&mut self, kind: Kind, values: &[Value]) -> String {
        let mut text = String::with_capacity(values.len() * 24);
        for value in values {
            text.push(if text.is_empty() { '[' } else { ',' });
            json_value(&mut text, value);
        }
        text.push(']');
        let element = match kind {
            Kind::Id | Kind::Bytes => "unhex(value)",
            _ => "value",
        };
        format!("IN (SELECT {element} FROM json_each({}))", self.bind(Bind::Text(text)))
    }

    /// Text that starts so lies between it and its successor, in the order of bytes: exact, and served by an index.
    fn starts_with(&mut self, frame: Frame, operand: &Operand, text: &str) -> Result<String, StoreError> {
        let operand = self.operand(frame, operand)?;
        let from = self.bind(Bind::Text(text.to_owned()));
        Ok(match successor(text) {
            Some(to) => format!("({operand} >= {from} AND {operand} < {})", self.bind(Bind::Text(to))),
            None => format!("{operand} >= {from}"),
        })
    }

    fn search(&mut self, frame: Frame, words: &[String]) -> String {
        if words.is_empty() {
            return "TRUE".to_owned();
        }
        if frame.table.search_position().is_none() {
            return "FALSE".to_owned();
        }
        let org = match frame.table.tenancy {
            Tenancy::Organization => self.scope.key(),
            Tenancy::Global => 0,
        };
        match self.dialect {
            Dialect::Sqlite => {
                let words: Vec<String> = words.iter().map(|word| format!("\"{}\"*", plain(word))).collect();
                let query = self.bind(Bind::Text(format!("org:o{org} AND search:({})", words.join(" AND "))));
                let index = crate::ddl::search_table(frame.table);
                format!("{} IN (SELECT rowid FROM {index} WHERE {index} MATCH {query})", frame.named("rid"))
            }
            Dialect::Postgres => {
                let mut query = format!("'@{org}'");
                for word in words {
                    query.push_str(" & '");
                    query.push_str(&plain(word));
                    query.push_str("':*");
                }
                let query = self.bind(Bind::Text(query));
                let vector = crate::ddl::search_vector(frame.table, &format!("t{}.", frame.alias));
                format!("{vector} @@ {query}::tsquery")
            }
        }
    }
}

/// A word without anything that means something to a search language. Words are alphanumeric already; a caller
/// that writes its own conditions may not know.
fn plain(word: &str) -> String {
    word.chars().filter(|c| c.is_alphanumeric()).collect()
}

const fn sign(cmp: Cmp) -> &'static str {
    match cmp {
        Cmp::Eq => "=",
        Cmp::Lt => "<",
        Cmp::Le => "<=",
        Cmp::Gt => ">",
        Cmp::Ge => ">=",
    }
}

/// The least text that is greater than every text that starts with this one, if there is one.
fn successor(text: &str) -> Option<String> {
    let mut chars: Vec<char> = text.chars().collect();
    while let Some(last) = chars.pop() {
        // Surrogates are no characters; the range skips them.
        if let Some(next) = (last..=char::MAX).nth(1) {
            chars.push(next);
            return Some(chars.into_iter().collect());
        }
    }
    None
}

fn json_value(out: &mut String, value: &Value) {
    let _ = match value {
        Value::Bool(truth) => write!(out, "{}", i32::from(*truth)),
        Value::Int(number) => write!(out, "{number}"),
        Value::Text(text) => {
            crm_core::encode::write_text(out, text);
            Ok(())
        }
        Value::Date(date) => write!(out, "{}", days(*date)),
        Value::Instant(instant) => write!(out, "{}", instant.micros()),
        Value::Id(id) => write!(out, "\"{}\"", id.as_simple()),
        Value::Bytes(bytes) => {
            out.push('"');
            let written = bytes.iter().try_for_each(|byte| write!(out, "{byte:02x}"));
            out.push('"');
            written
        }
        Value::Null | Value::Deferred(_) => write!(out, "null"),
    };
}

fn days(date: crm_core::value::Date) -> i64 {
    i64::from(crm_core::value::days_of(date))
}

#[cfg(test)]
mod tests {
    use super::successor;

    #[test]
    fn successors_bound_prefixes() {
        assert_eq!(successor("ab").as_deref(), Some("ac"));
        assert_eq!(successor("a\u{10FFFF}").as_deref(), Some("b"));
        assert_eq!(successor("\u{D7FF}").as_deref(), Some("\u{E000}"));
        assert_eq!(successor("\u{10FFFF}"), None);
        assert_eq!(successor(""), None);
    }
}
