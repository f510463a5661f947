//! The language of `--where`: conditions on the columns of a table.
//!
//! ```text
//! condition  = all { "or" all }
//! all        = one { "and" one }
//! one        = "not" one | "(" condition ")" | column [test]
//! test       = ("=" | "!=" | "<" | "<=" | ">" | ">=" | "~") value
//!            | "is" ["not"] "null" | ["not"] "in" "(" value { "," value } ")"
//! value      = bare word | 'quoted text' | "quoted text"
//! ```
//!
//! Values are read as the column's kind asks for. `~` is "contains": names and e-mail addresses are compared
//! without regard to case and accents, other text byte by byte. Amounts are in the organization's currency unless
//! they name one (`'100 EUR'`), and find records in that currency alone. Logic is two-valued: a comparison with
//! an absent value is false, its negation true. A truth value may stand alone, as may `overdue` of invoices and
//! tasks, `partially_paid` of invoices, `open` and `overdue` of cases.

use std::collections::HashMap;

use crm_core::activity::Task;
use crm_core::entity::{Flags, Kind, Table};
use crm_core::row::Value;
use crm_core::service::Case;
use crm_core::store::{Cmp, Expr, Operand};
use crm_core::value::{Currency, Date, Decimal6, Email, Instant, Money, ValueError, Zone, fold, parse_date};
use uuid::Uuid;

use crate::error::Failure;
use crate::output::MICROS;

/// How deep conditions may be nested.
const DEPTH: usize = 64;
/// How many conditions may be joined with one kind of word: what SQLite can do, on every database.
const TERMS: usize = 500;

/// A condition as it was written, not yet read against a table.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    /// At least one holds.
    Or(Vec<Node>),
    /// All hold.
    And(Vec<Node>),
    /// It does not hold.
    Not(Box<Node>),
    /// The column compares so with the value.
    Compare(Word, Op, Word),
    /// The column is one of the values.
    In(Word, Vec<Word>),
    /// The column is absent.
    Null(Word),
    /// A truth value.
    Bare(Word),
}

/// A column or value, with where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    text: String,
    at: usize,
}

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    /// Equal.
    Eq,
    /// Not equal.
    Ne,
    /// Less.
    Lt,
    /// Less or equal.
    Le,
    /// Greater.
    Gt,
    /// Greater or equal.
    Ge,
    /// Contains.
    Has,
}

impl Op {
    const ALL: &'static [(&'static str, Self)] = &[
        ("!=", Self::Ne),
        ("<=", Self::Le),
        (">=", Self::Ge),
        ("==", Self::Eq),
        ("=", Self::Eq),
        ("<", Self::Lt),
        (">", Self::Gt),
        ("~", Self::Has),
    ];
}

/// What is wrong with a condition, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    at: usize,
    what: String,
    hint: Option<String>,
}

impl Wrong {
    fn new(at: usize, what: impl Into<String>) -> Self {
        Self { at, what: what.into(), hint: None }
    }
}

impl From<Wrong> for Failure {
    fn from(wrong: Wrong) -> Self {
        Self::usage(format!("The condition is wrong at character {}: {}", wrong.at + 1, wrong.what))
            .field("where")
            .hint(wrong.hint.unwrap_or_else(|| "`crm help where` explains conditions".to_owned()))
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Word(String),
    Quoted(String),
    Op(Op),
    Open,
    Close,
    Comma,
}

fn scan(text: &str) -> Result<Vec<(usize, Token)>, Wrong> {
    let letters: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < letters.len() {
        let (start, letter) = (at, letters[at]);
        let rest = &letters[at..];
        let op = Op::ALL.iter().find(|(sign, _)| sign.chars().eq(rest.iter().copied().take(sign.len())));
        let token = if letter.is_whitespace() {
            at += 1;
            continue;
        } else if let Some((sign, op)) = op {
            at += sign.len();
            Token::Op(*op)
        } else if let Some(token) = single(letter) {
            at += 1;
            token
        } else if letter == '\'' || letter == '"' {
            let mut quoted = String::new();
            loop {
                at += 1;
                match (letters.get(at), letters.get(at + 1)) {
                    (None, _) => return Err(Wrong::new(start, "the quotation mark is not closed")),
                    (Some(end), Some(next)) if *end == letter && *next == letter => {
                        quoted.push(letter);
                        at += 1;
                    }
                    (Some(end), _) if *end == letter => break,
                    (Some(other), _) => quoted.push(*other),
                }
            }
            at += 1;
            Token::Quoted(quoted)
        } else if letter == '!' {
            return Err(Wrong::new(at, "expected != here"));
        } else {
            let ends = |c: &char| c.is_whitespace() || single(*c).is_some() || "=<>~!'\"".contains(*c);
            let word: String = rest.iter().take_while(|c| !ends(c)).collect();
            at += word.chars().count();
            Token::Word(word)
        };
        tokens.push((start, token));
    }
    Ok(tokens)
}

const fn single(letter: char) -> Option<Token> {
    match letter {
        '(' => Some(Token::Open),
        ')' => Some(Token::Close),
        ',' => Some(Token::Comma),
        _ => None,
    }
}

struct Parser {
    tokens: Vec<(usize, Token)>,
    next: usize,
    end: usize,
}

/// Reads a condition.
///
/// # Errors
/// What is wrong with it, and where.
pub(crate) fn parse(text: &str) -> Result<Node, Wrong> {
    let mut parser = Parser { tokens: scan(text)?, next: 0, end: text.chars().count() };
    let node = parser.any(0)?;
    match parser.peek() {
        None => Ok(node),
        Some((at, _)) => Err(Wrong::new(*at, "expected and, or, or the end")),
    }
}

impl Parser {
    fn peek(&self) -> Option<&(usize, Token)> {
        self.tokens.get(self.next)
    }

    fn at(&self) -> usize {
        self.peek().map_or(self.end, |(at, _)| *at)
    }

    /// Takes the keyword if it is next.
    fn keyword(&mut self, keyword: &str) -> bool {
        let found = matches!(self.peek(), Some((_, Token::Word(word))) if word.eq_ignore_ascii_case(keyword));
        self.next += usize::from(found);
        found
    }

    fn take(&mut self, token: &Token) -> bool {
        let found = self.peek().is_some_and(|(_, next)| next == token);
        self.next += usize::from(found);
        found
    }

    fn any(&mut self, depth: usize) -> Result<Node, Wrong> {
        if depth > DEPTH {
            return Err(Wrong::new(self.at(), "the condition is nested too deeply"));
        }
        let mut nodes = vec![self.all(depth)?];
        while self.keyword("or") {
            nodes.push(self.all(depth)?);
            self.limited(&nodes)?;
        }
        Ok(if nodes.len() == 1 { nodes.remove(0) } else { Node::Or(nodes) })
    }

    fn limited(&self, nodes: &[Node]) -> Result<(), Wrong> {
        if nodes.len() <= TERMS {
            return Ok(());
        }
        Err(Wrong::new(self.at(), format!("more than {TERMS} conditions; a list with in may be longer")))
    }

    fn all(&mut self, depth: usize) -> Result<Node, Wrong> {
        let mut nodes = vec![self.one(depth)?];
        while self.keyword("and") {
            nodes.push(self.one(depth)?);
            self.limited(&nodes)?;
        }
        Ok(if nodes.len() == 1 { nodes.remove(0) } else { Node::And(nodes) })
    }

    fn one(&mut self, depth: usize) -> Result<Node, Wrong> {
        if depth > DEPTH {
            return Err(Wrong::new(self.at(), "the condition is nested too deeply"));
        }
        if self.keyword("not") {
            return Ok(Node::Not(Box::new(self.one(depth + 1)?)));
        }
        if self.take(&Token::Open) {
            let node = self.any(depth + 1)?;
            return if self.take(&Token::Close) { Ok(node) } else { Err(Wrong::new(self.at(), "expected )")) };
        }
        let column = match self.peek() {
            Some((at, Token::Word(word))) if !is_keyword(word) => Word { text: word.clone(), at: *at },
            _ => return Err(Wrong::new(self.at(), "expected a column")),
        };
        self.next += 1;
        if self.keyword("is") {
            let not = self.keyword("not");
            if !self.keyword("null") {
                return Err(Wrong::new(self.at(), "expected null"));
            }
            let node = Node::Null(column);
            return Ok(if not { Node::Not(Box::new(node)) } else { node });
        }
        let before = self.next;
        let not = self.keyword("not");
        if self.keyword("in") {
            let node = Node::In(column, self.list()?);
            return Ok(if not { Node::Not(Box::new(node)) } else { node });
        }
        self.next = before;
        if let Some((_, Token::Op(op))) = self.peek() {
            let op = *op;
            self.next += 1;
            return Ok(Node::Compare(column, op, self.value()?));
        }
        Ok(Node::Bare(column))
    }

    fn list(&mut self) -> Result<Vec<Word>, Wrong> {
        if !self.take(&Token::Open) {
            return Err(Wrong::new(self.at(), "expected ( and a list of values"));
        }
        let mut values = vec![self.value()?];
        while self.take(&Token::Comma) {
            values.push(self.value()?);
        }
        if self.take(&Token::Close) { Ok(values) } else { Err(Wrong::new(self.at(), "expected , or )")) }
    }

    fn value(&mut self) -> Result<Word, Wrong> {
        let word = match self.peek() {
            Some((at, Token::Word(word))) if is_keyword(word) => {
                return Err(Wrong::new(*at, format!("expected a value; quote {word} if it is meant as text")));
            }
            Some((at, Token::Word(text) | Token::Quoted(text))) => Word { text: text.clone(), at: *at },
            _ => return Err(Wrong::new(self.at(), "expected a value")),
        };
        self.next += 1;
        Ok(word)
    }
}

fn is_keyword(word: &str) -> bool {
    ["and", "or", "not", "is", "in", "null"].iter().any(|keyword| word.eq_ignore_ascii_case(keyword))
}

/// Reads what a person typed for a column.
pub(crate) type Reader<'a> = &'a (dyn Fn(usize, &str) -> Result<Value, ValueError> + Sync);

/// What decides how a condition is read.
pub(crate) struct Scene<'a> {
    /// The table.
    pub(crate) table: &'static Table,
    /// Reads the values of the entity's own columns.
    pub(crate) read: Reader<'a>,
    /// The currency of amounts that name none.
    pub(crate) currency: Currency,
    /// The civil date of today.
    pub(crate) today: Date,
    /// The instant.
    pub(crate) now: Instant,
    /// The zone in which days begin.
    pub(crate) zone: Zone,
    /// Records that were named by natural keys: by column and text.
    pub(crate) found: &'a HashMap<(usize, String), Uuid>,
}

/// The column that a name stands for: itself, or `NAME_id`.
pub(crate) fn position(table: &Table, name: &str) -> Option<usize> {
    let at = table.position(name).or_else(|| table.position(&format!("{name}_id")))?;
    (!table.columns[at].flags.contains(Flags::SECRET)).then_some(at)
}

/// The column of microseconds that stands for an instant of this name; 0 of it is never.
pub(crate) fn counted(table: &Table, name: &str) -> Option<usize> {
    if table.position(name).is_some() {
        return None;
    }
    table.position(&format!("{}{MICROS}", name.strip_suffix("_at")?))
}

/// The folded twin of a column, by which it is compared and sorted. A twin that is there for some records only, such as
/// the alias of keys in force, does not stand for a column that all have.
pub(crate) fn folded(table: &Table, name: &str) -> Option<usize> {
    let key = table.position(&format!("{name}_key"))?;
    let whole = table.position(name).is_some_and(|at| !table.columns[at].nullable);
    (!whole || !table.columns[key].nullable).then_some(key)
}

/// The texts that name records in columns that refer to them.
pub(crate) fn named(table: &'static Table, node: &Node) -> Vec<(usize, String)> {
    let mut names = Vec::new();
    collect(table, node, &mut names);
    names
}

fn collect(table: &'static Table, node: &Node, names: &mut Vec<(usize, String)>) {
    let mut add = |column: &Word, values: &[Word]| {
        let Some(at) = position(table, &column.text) else { return };
        if table.columns[at].target().is_some() {
            let texts = values.iter().filter(|value| Uuid::parse_str(&value.text).is_err());
            names.extend(texts.map(|value| (at, value.text.clone())));
        }
    };
    match node {
        Node::Or(nodes) | Node::And(nodes) => nodes.iter().for_each(|node| collect(table, node, names)),
        Node::Not(node) => collect(table, node, names),
        Node::Compare(column, _, value) => add(column, std::slice::from_ref(value)),
        Node::In(column, values) => add(column, values),
        Node::Null(_) | Node::Bare(_) => {}
    }
}

/// Any of the conditions: a list, where all of them compare the same thing.
fn one_of(any: Vec<Expr>) -> Expr {
    let Some(Expr::Compare(operand, Cmp::Eq, _)) = any.first() else { return Expr::Or(any) };
    let operand = operand.clone();
    let value = |expr: &Expr| match expr {
        Expr::Compare(other, Cmp::Eq, value) if *other == operand => Some(value.clone()),
        _ => None,
    };
    match any.iter().map(value).collect() {
        Some(values) => Expr::In(operand, values),
        None => Expr::Or(any),
    }
}

impl Scene<'_> {
    /// The condition as a store understands it.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub(crate) fn condition(&self, node: &Node) -> Result<Expr, Wrong> {
        Ok(match node {
            Node::Or(nodes) => Expr::Or(nodes.iter().map(|node| self.condition(node)).collect::<Result<_, _>>()?),
            Node::And(nodes) => Expr::And(nodes.iter().map(|node| self.condition(node)).collect::<Result<_, _>>()?),
            Node::Not(node) => Expr::Not(Box::new(self.condition(node)?)),
            Node::Compare(column, op, value) => self.compare(column, *op, value)?,
            Node::In(column, values) => {
                let any: Vec<Expr> =
                    values.iter().map(|value| self.compare(column, Op::Eq, value)).collect::<Result<_, _>>()?;
                one_of(any)
            }
            Node::Null(column) => match counted(self.table, &column.text) {
                Some(at) => Expr::eq(at, Value::Int(0)),
                None => Expr::IsNull(Operand::Column(self.column(column)?)),
            },
            Node::Bare(word) => self.bare(word)?,
        })
    }

    fn column(&self, word: &Word) -> Result<usize, Wrong> {
        let by_name = || (word.text == "name").then(|| folded(self.table, "name")).flatten();
        position(self.table, &word.text).or_else(by_name).ok_or_else(|| {
            let failure = crate::output::unknown_column(self.table, &word.text);
            let message = failure.message.replacen("There", "there", 1);
            Wrong { hint: failure.hint, ..Wrong::new(word.at, message) }
        })
    }

    /// A truth value that stands alone.
    fn bare(&self, word: &Word) -> Result<Expr, Wrong> {
        if let Some(expr) = self.state(&word.text) {
            return Ok(expr);
        }
        let at = self.column(word)?;
        match self.table.columns[at].kind {
            Kind::Bool => Ok(Expr::eq(at, Value::Bool(true))),
            _ => Err(Wrong::new(word.at + word.text.chars().count(), "expected a comparison such as = or ~")),
        }
    }

    /// The states of invoices, tasks and cases that are computed for a day.
    fn state(&self, name: &str) -> Option<Expr> {
        let column = |name: &str| self.table.expect_position(name);
        let open = || Expr::eq(column("status"), Value::Text("open".into()));
        Some(match (self.table.entity, name) {
            ("invoice", "overdue") => {
                open().and(Expr::Compare(Operand::Column(column("due_on")), Cmp::Lt, Value::Date(self.today)))
            }
            ("invoice", "partially_paid") => {
                open().and(Expr::Compare(Operand::Column(column("paid")), Cmp::Gt, Value::Int(0)))
            }
            ("task", "overdue") => Task::overdue(self.now, self.today).into_expr(),
            ("case", "open") => Case::open().into_expr(),
            ("case", "overdue") => Case::overdue(self.today).into_expr(),
            _ => return None,
        })
    }

    fn compare(&self, column: &Word, op: Op, value: &Word) -> Result<Expr, Wrong> {
        if let Some(state) = self.state(&column.text) {
            return match (op, value.text.as_str()) {
                (Op::Eq, "true" | "yes") | (Op::Ne, "false" | "no") => Ok(state),
                (Op::Eq, "false" | "no") | (Op::Ne, "true" | "yes") => Ok(Expr::Not(Box::new(state))),
                _ => Err(Wrong::new(value.at, format!("{} is true or false", column.text))),
            };
        }
        let refuse = |reason: ValueError| Wrong::new(value.at, format!("{}: {reason}", column.text));
        if let Some(at) = counted(self.table, &column.text).filter(|_| op != Op::Has) {
            let test = self.instant(at, op, &value.text, |instant| Value::Int(instant.micros())).map_err(refuse)?;
            // What is absent fulfils no comparison but that it is not equal.
            let never = Expr::eq(at, Value::Int(0));
            return Ok(if op == Op::Ne { test } else { Expr::Not(Box::new(never)).and(test) });
        }
        let at = self.column(column)?;
        let kind = self.table.columns[at].kind;
        if op == Op::Has {
            return self.contains(at, column, value);
        }
        let ordered = !matches!(kind, Kind::Id | Kind::Bool | Kind::Enum(_) | Kind::Json | Kind::Bytes);
        if !ordered && !matches!(op, Op::Eq | Op::Ne) {
            let what = format!("{} can be compared with =, != and in only", column.text);
            return Err(Wrong::new(column.at, what));
        }
        match kind {
            Kind::Money => self.money(at, op, &value.text).map_err(refuse),
            Kind::Instant => self.instant(at, op, &value.text, Value::Instant).map_err(refuse),
            _ => {
                let (at, read) = self.value(at, &column.text, &value.text).map_err(refuse)?;
                Ok(with(at, op, read))
            }
        }
    }

    /// The column to compare and the value to compare it with.
    fn value(&self, at: usize, name: &str, text: &str) -> Result<(usize, Value), ValueError> {
        let column = &self.table.columns[at];
        if let Some(key) = folded(self.table, name) {
            return Ok(match name {
                "email" => (key, Value::Text(text.parse::<Email>()?.key().to_owned())),
                _ => (key, Value::Text(fold(text))),
            });
        }
        if let Some(id) = self.found.get(&(at, text.to_owned())) {
            return Ok((at, Value::Id(*id)));
        }
        let value = match (self.read)(at, text) {
            Err(ValueError::ReadOnly) => match column.kind {
                Kind::Id => Value::Id(Uuid::parse_str(text.trim()).map_err(|_| ValueError::syntax("an id", text))?),
                Kind::Int => Value::Int(text.trim().parse().map_err(|_| ValueError::syntax("a whole number", text))?),
                Kind::Decimal => Value::Int(Decimal6::parse(text)?.micros()),
                Kind::Date => Value::Date(parse_date(text)?),
                Kind::Text if column.name.ends_with("_key") => Value::Text(fold(text)),
                Kind::Text => Value::Text(text.to_owned()),
                _ => return Err(ValueError::ReadOnly),
            },
            other => other?,
        };
        // Blank text reads as absent, which nothing compares with.
        if value.is_null() { Err(ValueError::Blank) } else { Ok((at, value)) }
    }

    fn contains(&self, at: usize, column: &Word, value: &Word) -> Result<Expr, Wrong> {
        if let Some(key) = folded(self.table, &column.text) {
            return Ok(Expr::Contains(Operand::Column(key), fold(&value.text)));
        }
        let text = match (column.text.as_str(), self.table.columns[at].kind) {
            ("phone", _) => value.text.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect(),
            (name, Kind::Text) if name.ends_with("_key") => fold(&value.text),
            (_, Kind::Text | Kind::Json) => value.text.clone(),
            _ => return Err(Wrong::new(column.at, format!("{} is no text, so it contains nothing", column.text))),
        };
        if text.is_empty() {
            return Err(Wrong::new(value.at, "expected some text to look for"));
        }
        Ok(Expr::Contains(Operand::Column(at), text))
    }

    fn money(&self, at: usize, op: Op, text: &str) -> Result<Expr, ValueError> {
        let (amount, currency) = match text.trim().rsplit_once(' ') {
            Some((amount, code)) => (amount, code.parse()?),
            None => (text, self.currency),
        };
        let minor = Money::parse(amount, currency)?.minor();
        let of_currency = || {
            let column = self.table.expect_position("currency");
            Expr::eq(column, Value::Text(currency.to_string()))
        };
        Ok(match op {
            Op::Ne => Expr::Not(Box::new(of_currency().and(with(at, Op::Eq, Value::Int(minor))))),
            op => of_currency().and(with(at, op, Value::Int(minor))),
        })
    }

    /// An instant compares with another one, or with a whole day in the organization's zone.
    fn instant(&self, at: usize, op: Op, text: &str, stored: fn(Instant) -> Value) -> Result<Expr, ValueError> {
        if let Ok(instant) = text.parse::<Instant>() {
            return Ok(with(at, op, stored(instant)));
        }
        let day = parse_date(text)?;
        let start = || stored(self.zone.start_of(day));
        let end = || stored(self.zone.start_of(day.succ_opt().unwrap_or(day)));
        let within = || with(at, Op::Ge, start()).and(with(at, Op::Lt, end()));
        Ok(match op {
            Op::Lt => with(at, Op::Lt, start()),
            Op::Le => with(at, Op::Lt, end()),
            Op::Gt => with(at, Op::Ge, end()),
            Op::Ge => with(at, Op::Ge, start()),
            Op::Ne => Expr::Not(Box::new(within())),
            Op::Eq | Op::Has => within(),
        })
    }
}

fn with(at: usize, op: Op, value: Value) -> Expr {
    let compare = |cmp| Expr::Compare(Operand::Column(at), cmp, value);
    match op {
        Op::Eq | Op::Has => compare(Cmp::Eq),
        Op::Ne => Expr::Not(Box::new(compare(Cmp::Eq))),
        Op::Lt => compare(Cmp::Lt),
        Op::Le => compare(Cmp::Le),
        Op::Gt => compare(Cmp::Gt),
        Op::Ge => compare(Cmp::Ge),
    }
}

#[cfg(test)]
mod tests {
    use crm_core::billing::Invoice;
    use crm_core::entity::{Entity, Locale};
    use crm_core::people::Contact;
    use proptest::prelude::*;

    use super::*;

    fn read<E: Entity>(text: &str) -> Result<Expr, Wrong> {
        let locale = Locale { region: None, currency: "USD".parse().unwrap() };
        let found =
            HashMap::from([((E::TABLE.position("contact_id").unwrap_or(999), "ana".into()), Uuid::from_u128(7))]);
        let scene = Scene {
            table: E::TABLE,
            read: &|column, text| E::parse(column, text, &locale),
            currency: locale.currency,
            today: parse_date("2026-03-01").unwrap(),
            now: "2026-03-01T12:00:00Z".parse().unwrap(),
            zone: "America/New_York".parse().unwrap(),
            found: &found,
        };
        scene.condition(&parse(text)?)
    }

    fn wrong<E: Entity>(text: &str) -> String {
        let wrong = read::<E>(text).unwrap_err();
        format!("{} {}", wrong.at + 1, wrong.what)
    }

    #[test]
    fn conditions_are_read_as_the_columns_ask() {
        let status = Invoice::TABLE.expect_position("status");
        let open = || Expr::eq(status, Value::Text("open".into()));
        assert_eq!(read::<Invoice>("status=open").unwrap(), open());
        assert_eq!(read::<Invoice>("NOT (status = 'open')").unwrap(), Expr::Not(Box::new(open())));
        assert_eq!(read::<Invoice>("status in (open, \"paid\")").unwrap(), {
            Expr::In(Operand::Column(status), vec![Value::Text("open".into()), Value::Text("paid".into())])
        });
        let total = Invoice::TABLE.expect_position("total");
        let money = Expr::Compare(Operand::Column(total), Cmp::Ge, Value::Int(10_000));
        let currency = |code: &str| Expr::eq(Invoice::TABLE.expect_position("currency"), Value::Text(code.into()));
        assert_eq!(read::<Invoice>("total>=100").unwrap(), currency("USD").and(money.clone()));
        assert_eq!(read::<Invoice>("total >= '100.00 EUR'").unwrap(), currency("EUR").and(money));
        let contact = Invoice::TABLE.expect_position("contact_id");
        assert_eq!(read::<Invoice>("contact = ana").unwrap(), Expr::eq(contact, Value::Id(Uuid::from_u128(7))));
        let notes = Operand::Column(Invoice::TABLE.expect_position("notes"));
        assert_eq!(read::<Invoice>("notes is not null").unwrap(), Expr::Not(Box::new(Expr::IsNull(notes))));
        assert!(matches!(read::<Invoice>("overdue and not partially_paid").unwrap(), Expr::And(_)));
    }

    #[test]
    fn a_twin_of_some_records_stands_for_none() {
        use crm_core::access::{ApiKey, Invitation, User};
        use crm_core::entity::Entity as _;

        assert!(folded(ApiKey::TABLE, "alias").is_none() && folded(Invitation::TABLE, "email").is_none());
        assert!(folded(User::TABLE, "email").is_some() && folded(User::TABLE, "username").is_some());
        assert!(folded(crm_core::people::Contact::TABLE, "email").is_some());
    }

    #[test]
    fn names_are_compared_folded() {
        let key = Operand::Column(Contact::TABLE.expect_position("name_key"));
        assert_eq!(read::<Contact>("name ~ 'PÉREZ'").unwrap(), Expr::Contains(key, "perez".into()));
        let email = Contact::TABLE.expect_position("email_key");
        assert_eq!(
            read::<Contact>("email=Ana@Example.COM").unwrap(),
            Expr::eq(email, Value::Text("ana@example.com".into()))
        );
    }

    #[test]
    fn days_are_whole_days_of_the_organization() {
        let at = Operand::Column(Contact::TABLE.expect_position("created_at"));
        let midnight = Value::Instant("2026-03-02T05:00:00Z".parse().unwrap());
        assert_eq!(read::<Contact>("created_at > 2026-03-01").unwrap(), Expr::Compare(at, Cmp::Ge, midnight));
    }

    #[test]
    fn counted_microseconds_are_asked_for_as_the_instant_that_is_shown() {
        use crm_core::access::ApiKey;

        let at = ApiKey::TABLE.expect_position("last_used_micros");
        let never = || Expr::eq(at, Value::Int(0));
        let used = || Expr::Not(Box::new(never()));
        assert_eq!(read::<ApiKey>("last_used_at is null").unwrap(), never());
        assert_eq!(read::<ApiKey>("last_used_at is not null").unwrap(), used());
        let before = |instant: &str| {
            let micros = instant.parse::<Instant>().unwrap().micros();
            used().and(Expr::Compare(Operand::Column(at), Cmp::Lt, Value::Int(micros)))
        };
        assert_eq!(read::<ApiKey>("last_used_at < 2026-03-01").unwrap(), before("2026-03-01T05:00:00Z"));
        let exact = "last_used_at < 2026-03-01T09:30:00Z";
        assert_eq!(read::<ApiKey>(exact).unwrap(), before("2026-03-01T09:30:00Z"));
        assert!(matches!(read::<ApiKey>("last_used_at != 2026-03-01").unwrap(), Expr::Not(_)));
        assert!(wrong::<ApiKey>("last_used_at ~ 2026").contains("there is no column"));
        let hint = read::<ApiKey>("last_usd_at is null").unwrap_err().hint.unwrap();
        assert!(hint.starts_with("Did you mean last_used_at?") && !hint.contains("micros"), "{hint}");
    }

    #[test]
    fn errors_name_the_column_and_the_place() {
        insta::assert_snapshot!(
            [
                wrong::<Invoice>("statsu = open"),
                wrong::<Invoice>("status = opened"),
                wrong::<Invoice>("status < open"),
                wrong::<Invoice>("total >= much"),
                wrong::<Invoice>("total >= 1.005"),
                wrong::<Invoice>("due_on = 01/02/2026"),
                wrong::<Invoice>("status = open and"),
                wrong::<Invoice>("status = open total = 1"),
                wrong::<Invoice>("(status = open"),
                wrong::<Invoice>("status in open"),
                wrong::<Invoice>("status = null"),
                wrong::<Invoice>("number = 'x"),
                wrong::<Invoice>("total"),
                wrong::<Invoice>(""),
                wrong::<Invoice>("status ! open"),
                wrong::<Invoice>("total ~ 1"),
            ]
            .join("\n")
        );
    }

    #[test]
    fn deep_nesting_is_refused_and_not_run_into() {
        let deep = format!("{}status=open{}", "(".repeat(100_000), ")".repeat(100_000));
        assert!(parse(&deep).unwrap_err().what.contains("nested"));
        let nots = "not ".repeat(100_000);
        assert!(parse(&nots).unwrap_err().what.contains("nested"));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[a-z_=<>~!()', \"0-9.]{0,40}") {
            let _ = read::<Invoice>(&text);
        }

        #[test]
        fn quoted_text_comes_back_whole(text in "\\PC{1,30}") {
            let quoted = format!("number = '{}'", text.replace('\'', "''"));
            match parse(&quoted) {
                Ok(Node::Compare(_, Op::Eq, value)) => prop_assert_eq!(value.text, text),
                other => prop_assert!(false, "{:?}", other),
            }
        }
    }
}
