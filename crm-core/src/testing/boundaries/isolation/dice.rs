//! Random arguments: ids, texts, places and conditions, now ours, now the other organization's, now nobody's.

use uuid::Uuid;

use super::super::{CALLS, Ids};
use super::CANARY;
use super::asked::{Asked, General, KINDS};
use crate::access::{Idempotency, IdempotencyKey};
use crate::activity::Subject;
use crate::audit::AuditEntry;
use crate::entity::{Entity as _, Flags, Kind, Table};
use crate::error::CrmError;
use crate::import::ImportKind;
use crate::row::{Row, Value};
use crate::sales::{Deal, Lead};
use crate::schema::TABLES;
use crate::store::{Cmp, Cursor, Direction, Expr, Operand, Order, Select};
use crate::testing::script::Dice;
use crate::value::tokens;

/// What columns of an import's row hold a reference, and what else the row needs.
const IMPORTS: &[(ImportKind, &str, &str, &[&str])] = &[
    (
        ImportKind::Contacts,
        "kind,given_name",
        "person,Eva",
        &["company_id", "owner_id", "owner", "email", "external_id", "account_number"],
    ),
    (ImportKind::Products, "name,unit_price", "Thing,1", &["sku", "external_id"]),
    (
        ImportKind::Invoices,
        "line.description,line.unit_price",
        "Work,1",
        &[
            "contact",
            "contact_id",
            "contact_external_id",
            "contact_email",
            "contact_phone",
            "contact_account_number",
            "contact_code",
            "contact_name",
        ],
    ),
    (
        ImportKind::Payments,
        "amount,received_on",
        "1,2026-06-10",
        &[
            "invoice",
            "contact",
            "contact_id",
            "contact_external_id",
            "contact_email",
            "contact_phone",
            "contact_account_number",
            "contact_name",
        ],
    ),
    (
        ImportKind::Deals,
        "title,amount",
        "Something,1",
        &[
            "contact",
            "contact_id",
            "contact_email",
            "product",
            "product_id",
            "product_sku",
            "product_external_id",
            "product_name",
            "owner",
            "owner_name",
            "pipeline",
            "stage",
            "external_id",
        ],
    ),
];

/// What is dealt from.
pub(super) struct Hand {
    pub(super) dice: Dice,
    pub(super) mine: Ids,
    pub(super) theirs: Ids,
    /// Our rows and theirs, as they were at first.
    pub(super) rows: [Vec<(&'static Table, Row)>; 2],
    /// Whether something of theirs was dealt.
    pub(super) foreign: bool,
}

impl Hand {
    /// A random call.
    pub(super) fn ask(&mut self, number: u64) -> Result<Asked, CrmError> {
        Ok(match self.dice.roll(20) {
            0..8 => Asked::Operation(self.below(CALLS.len()), Box::new(self.ids(number)?)),
            8..16 => {
                let kind = self.below(KINDS.len());
                Asked::General(kind, self.general(KINDS[kind].0)?)
            }
            16 | 17 => self.import(),
            18 => {
                let table = self.one_of(&["contact", "lead", "deal", "invoice", "case"]);
                let table = crate::schema::table(table).unwrap_or(Deal::TABLE);
                let subject =
                    Subject::named(table.entity, self.id(table)).unwrap_or(Subject::Deal(self.mine.sales.deal));
                let after = self.dice.once_in(3).then(|| self.theirs.cursor.clone());
                Asked::Timeline(subject, after)
            }
            _ if self.dice.once_in(3) => Asked::Number(self.text()),
            _ => {
                let leads = (0..=self.dice.roll(3)).map(|_| self.id(Lead::TABLE)).collect();
                Asked::Convert(leads, self.dice.once_in(2).then(|| self.id(Deal::TABLE)))
            }
        })
    }

    fn below(&mut self, sides: usize) -> usize {
        usize::try_from(self.dice.roll(sides as u64)).unwrap_or(0)
    }

    fn one_of(&mut self, words: &[&'static str]) -> &'static str {
        words[self.below(words.len())]
    }

    /// Ids for the call of an operation: ours, and in some places another's or nobody's.
    fn ids(&mut self, number: u64) -> Result<Ids, CrmError> {
        let other = if self.dice.once_in(8) { Ids::all(self.nobody())? } else { self.theirs.clone() };
        let often = [1, 2, 4, 8][self.below(4)];
        let (dice, foreign) = (&mut self.dice, &mut self.foreign);
        let ids = self.mine.mixed(&other, &mut || {
            let other = dice.once_in(often);
            *foreign |= other;
            other
        });
        Ok(Ids { email: format!("new-{number}@members.example"), ..ids })
    }

    fn nobody(&mut self) -> Uuid {
        Uuid::from_u64_pair(self.dice.roll(u64::MAX), self.dice.roll(u64::MAX))
    }

    /// A row of a table: theirs twice as often as ours.
    fn row(&mut self, table: &Table) -> Option<Row> {
        let whose = usize::from(!self.dice.once_in(3));
        let rows: Vec<&Row> = self.rows[whose].iter().filter(|(of, _)| *of == table).map(|(_, row)| row).collect();
        let row = self.dice.pick(&rows).map(|row| (*row).clone());
        self.foreign |= whose == 1 && row.is_some();
        row
    }

    fn id(&mut self, table: &Table) -> Uuid {
        let row = if self.dice.once_in(10) { None } else { self.row(table) };
        row.map_or_else(|| self.nobody(), |row| table.id(&row))
    }

    /// Something that somebody wrote: a name, a number, an address.
    fn text(&mut self) -> String {
        let mut text = String::new();
        while text.is_empty() {
            let table = TABLES[self.below(TABLES.len())];
            text = self.text_of(table);
        }
        text
    }

    /// A text from a row of a table; empty if there is none.
    fn text_of(&mut self, table: &Table) -> String {
        let Some(row) = self.row(table) else { return String::new() };
        let open = table.columns.iter().zip(&row).filter(|(column, _)| !column.flags.contains(Flags::SECRET));
        let texts: Vec<String> = open.filter_map(|(_, value)| value.as_text().map(str::to_owned)).collect();
        self.dice.pick(&texts).cloned().unwrap_or_default()
    }

    fn general(&mut self, table: &'static Table) -> Result<General, CrmError> {
        Ok(match self.dice.roll(14) {
            0 => General::Get(self.id(table)),
            1 => General::Find(if self.dice.once_in(3) { self.id(table).to_string() } else { self.text_of(table) }),
            2..6 => {
                let (order, after) = self.place(table);
                General::List(self.condition(table, 2), order, after)
            }
            6 | 7 => General::Count(self.condition(table, 3)),
            8 => General::Create(self.values(table, true), self.key()?),
            9 => General::CreateMany((0..=self.dice.roll(2)).map(|_| self.values(table, true)).collect()),
            10 => General::Update(self.id(table), self.values(table, false), self.key()?),
            11 => General::Archive(self.id(table)),
            12 => General::Restore(self.id(table)),
            _ => General::Delete(self.id(table)),
        })
    }

    /// An idempotency key that somebody has used.
    fn key(&mut self) -> Result<Option<IdempotencyKey>, CrmError> {
        if !self.dice.once_in(3) {
            return Ok(None);
        }
        let column = Idempotency::COLUMNS.key.index();
        let row = self.row(Idempotency::TABLE);
        let key = row.and_then(|row| row[column].as_text().map(str::to_owned));
        Ok(key.map(|key| key.parse()).transpose()?)
    }

    /// An order, and perhaps a place in it.
    fn place(&mut self, table: &'static Table) -> (Vec<Order>, Option<Cursor>) {
        let mut order = Vec::new();
        for _ in 0..self.dice.roll(3) {
            let column = self.below(table.columns.len());
            let direction = if self.dice.once_in(2) { Direction::Ascending } else { Direction::Descending };
            let plain = !table.columns[column].flags.contains(Flags::SECRET) && !is_sealed_later(table, column);
            if plain && order.iter().all(|term: &Order| term.column != column) {
                order.push(Order { column, direction });
            }
        }
        let select = Select::new(table, Expr::True).ordered(&order);
        let row = if self.dice.once_in(2) { self.row(table) } else { None };
        let after = row.map(|row| Cursor::new(&select, &select.place(&row)));
        (order, after)
    }

    /// Values for a record: those of a row, with references to somebody's records.
    fn values(&mut self, table: &'static Table, new: bool) -> Vec<(usize, Value)> {
        let row = if new { self.row(table) } else { None };
        let mut values = Vec::new();
        for (at, column) in table.columns.iter().enumerate().skip(1) {
            if column.flags.contains(Flags::SERVER_OWNED) && !self.dice.once_in(20) {
                continue;
            }
            match (column.target(), &row) {
                (Some(target), _) if self.dice.once_in(2) => values.push((at, Value::Id(self.id(target)))),
                // The canary is for them alone.
                (_, Some(row)) if row[at].as_text().is_some_and(|text| text.to_lowercase().contains(CANARY)) => {}
                (_, Some(row)) if !row[at].is_null() => values.push((at, row[at].clone())),
                _ => {}
            }
        }
        values
    }

    /// A condition on a table's rows.
    fn condition(&mut self, table: &'static Table, depth: u32) -> Expr {
        let sides = if depth == 0 { 4 } else { 9 };
        match self.dice.roll(sides) {
            0..3 => self.comparison(table),
            3 if table.search_position().is_some() => {
                let words = tokens(&self.text());
                Expr::Search(words.into_iter().take(2).collect())
            }
            3 => Expr::True,
            4 => Expr::Not(Box::new(self.condition(table, depth - 1))),
            5 => Expr::And(vec![self.condition(table, depth - 1), self.condition(table, depth - 1)]),
            6 => Expr::Or(vec![self.condition(table, depth - 1), self.condition(table, depth - 1)]),
            7 => {
                let references: Vec<(usize, &'static Table)> =
                    table.columns.iter().enumerate().filter_map(|(at, column)| Some((at, column.target()?))).collect();
                match self.dice.pick(&references).copied() {
                    Some((reference, target)) => {
                        Expr::Related { reference, filter: Box::new(self.condition(target, depth - 1)) }
                    }
                    None => Expr::True,
                }
            }
            _ => {
                let mut children = Vec::new();
                for &child in TABLES {
                    let to_table = |(_, column): &(usize, &crate::entity::Column)| column.target() == Some(table);
                    let columns = child.columns.iter().enumerate().filter(to_table);
                    children.extend(columns.map(|(reference, _)| (child, reference)));
                }
                match self.dice.pick(&children).copied() {
                    Some((child, reference)) => {
                        let filter = Box::new(self.condition(child, depth - 1));
                        Expr::Has { table: child, reference, filter }
                    }
                    None => Expr::True,
                }
            }
        }
    }

    /// A column compared with what a row has in it.
    fn comparison(&mut self, table: &'static Table) -> Expr {
        let at = self.below(table.columns.len());
        let (column, operand) = (&table.columns[at], Operand::Column(at));
        let value = match (column.target(), self.row(table)) {
            (Some(target), _) => Value::Id(self.id(target)),
            (None, Some(row)) => row[at].clone(),
            (None, None) => Value::Null,
        };
        if is_sealed_later(table, at) {
            return Expr::True;
        }
        if value.is_null() || column.flags.contains(Flags::SECRET) || matches!(column.kind, Kind::Bytes | Kind::Json) {
            return Expr::IsNull(operand);
        }
        if matches!(column.kind, Kind::Bool | Kind::Enum(_)) {
            return Expr::Compare(operand, Cmp::Eq, value);
        }
        match (self.dice.roll(6), value.as_text()) {
            (0, Some(text)) => Expr::StartsWith(operand, text.chars().take(5).collect()),
            (1, Some(text)) => Expr::Contains(operand, text.chars().take(5).collect()),
            (0, None) => Expr::In(operand, vec![value]),
            (1, None) => Expr::Compare(operand, Cmp::Le, value),
            (2, _) => Expr::Compare(operand, Cmp::Gt, value),
            _ => Expr::Compare(operand, Cmp::Eq, value),
        }
    }

    /// A file with one row that refers to somebody's record.
    fn import(&mut self) -> Asked {
        let (kind, names, cells, references) = IMPORTS[self.below(IMPORTS.len())];
        let column = self.one_of(references);
        let table = match column.split('_').next() {
            Some("contact" | "company") => "contact",
            Some("owner") => "user",
            Some(name) if crate::schema::table(name).is_some() => name,
            _ => kind.table().entity,
        };
        let table = crate::schema::table(table).unwrap_or(kind.table());
        let cell = if column.ends_with("_id") || self.dice.once_in(3) {
            self.id(table).to_string()
        } else {
            self.text_of(table).replace([',', '"', '\n', '\r'], " ")
        };
        let keys = ["external_id", "code", "email", "sku", "number"];
        let upsert_by = if self.dice.once_in(4) { Some(self.one_of(&keys).to_owned()) } else { None };
        Asked::Import(kind, format!("{names},{column}\n{cells},{cell}\n"), upsert_by)
    }
}

/// Whether a store fills the column when it suits it.
fn is_sealed_later(table: &Table, column: usize) -> bool {
    let columns = AuditEntry::COLUMNS;
    *table == *AuditEntry::TABLE && (column == columns.seq.index() || column == columns.hash.index())
}
