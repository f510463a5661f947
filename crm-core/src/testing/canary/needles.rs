//! What must not come out: every value of a flagged column, in every form in which it could be printed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::access::Organization;
use crate::access::opaque;
use crate::entity::{Column, Entity as _, Flags, Kind, Table, Tenancy};
use crate::error::CrmError;
use crate::row::Value;
use crate::schema::TABLES;
use crate::store::{Expr, Scope, Select, Store};

/// What stands in every planted value.
pub(super) const MARKER: &str = "kanarie";

/// What is planted as a number to call.
pub(super) const NUMBER: &str = "+14155550142";

/// Shorter values stand in other words.
pub(in crate::testing) const SHORTEST: usize = 8;

/// Columns whose values hold no word: too short to be looked for, of a few values, or random.
const WORDLESS: &[(&str, &str)] = &[
    ("contact", "company_id"),
    ("contact", "country"),
    ("contact", "tax_scheme"),
    ("contact", "stratum"),
    ("audit_entry", "salt"),
];

/// The values to look for.
#[derive(Default)]
pub(super) struct Needles {
    secrets: BTreeSet<String>,
    personal: BTreeSet<String>,
    /// Which columns had a canary.
    covered: BTreeMap<(&'static str, &'static str), bool>,
}

/// Whether a column's values must not come out.
fn is_flagged(column: &Column) -> bool {
    column.flags.contains(Flags::SECRET) || column.flags.contains(Flags::PERSONAL)
}

/// Whether a column may repeat what flagged ones hold.
fn repeats(table: &Table, column: &Column) -> bool {
    column.flags.contains(Flags::DERIVED)
        && matches!(column.kind, Kind::Text)
        && table.columns.iter().any(|other| other.flags.contains(Flags::PERSONAL))
}

/// Whether a column's values hold no word.
pub(in crate::testing) fn is_wordless(table: &Table, column: &Column) -> bool {
    WORDLESS.contains(&(table.entity, column.name))
}

/// Whether a text is a number to call in E.164 form, and not a short one.
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or_default();
    digits.len() > SHORTEST && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// How a value could be printed.
fn forms(value: &Value) -> Vec<String> {
    match value {
        // Of a number to call its end, since nobody writes the country code at home.
        Value::Text(text) if is_number(text) => vec![text.clone(), text[text.len() - SHORTEST..].to_owned()],
        Value::Text(text) => vec![text.clone()],
        Value::Bytes(bytes) => {
            let hex = bytes.iter().fold(String::new(), |mut text, byte| {
                let _ = write!(text, "{byte:02x}");
                text
            });
            let list = format!("{:?}", &bytes[..bytes.len().min(6)]);
            vec![hex.to_uppercase(), hex, list.trim_end_matches(']').to_owned()]
        }
        _ => Vec::new(),
    }
}

/// The positions of the columns whose values must not come out.
fn flagged(table: &'static Table) -> impl Iterator<Item = usize> {
    let columns = table.columns.iter().enumerate();
    columns.filter(|(_, column)| is_flagged(column) || repeats(table, column)).map(|(at, _)| at)
}

/// What of a row must not come out, in every form that is long enough to be looked for: its column, whether it is a
/// secret, and the form.
pub(in crate::testing) fn in_row(
    table: &'static Table,
    row: &[Value],
) -> impl Iterator<Item = (&'static Column, bool, String)> {
    flagged(table).flat_map(move |at| {
        let column = &table.columns[at];
        let long = forms(&row[at]).into_iter().filter(|form| form.len() >= SHORTEST);
        long.map(move |form| (column, column.flags.contains(Flags::SECRET), form))
    })
}

impl Needles {
    /// Adds what a store holds.
    pub(super) async fn collect(&mut self, store: &dyn Store) -> Result<(), CrmError> {
        let all = Select::new(Organization::TABLE, Expr::True);
        let organizations = store.select(Scope::SYSTEM, &all).await?;
        let keys = organizations.iter().filter_map(|row| row[Organization::COLUMNS.key.index()].as_int());
        let scopes: Vec<Scope> = keys.map(Scope::organization).collect();
        for table in TABLES.iter().copied() {
            let of_table: &[Scope] = if table.tenancy == Tenancy::Global { &[Scope::SYSTEM] } else { &scopes };
            for scope in of_table.iter().filter(|_| flagged(table).next().is_some()) {
                for row in store.select(*scope, &Select::new(table, Expr::True)).await? {
                    for (column, secret, form) in in_row(table, &row) {
                        self.add(table, column, secret, form);
                    }
                }
            }
        }
        Ok(())
    }

    fn add(&mut self, table: &'static Table, column: &'static Column, secret: bool, form: String) {
        let needles = if secret { &mut self.secrets } else { &mut self.personal };
        let marked = form.to_lowercase().contains(MARKER) || form == NUMBER || secret;
        *self.covered.entry((table.entity, column.name)).or_default() |= marked;
        needles.insert(form);
    }

    /// Every flagged column of every table had a canary.
    pub(super) fn cover_every_flagged_column(&self) {
        for table in TABLES {
            for column in table.columns.iter().filter(|column| is_flagged(column)) {
                let name = (table.entity, column.name);
                let covered = self.covered.get(&name).copied().unwrap_or_default() || is_wordless(table, column);
                assert!(covered, "no canary was in {}.{}", name.0, name.1);
            }
        }
    }

    /// The secrets that a text holds.
    pub(super) fn secrets_in<'a>(&'a self, text: &'a str) -> Vec<&'a str> {
        let mut found: Vec<&str> =
            self.secrets.iter().map(String::as_str).filter(|needle| text.contains(needle)).collect();
        found.extend(["$argon2id$", super::logins::PASSWORD].iter().filter(|needle| text.contains(**needle)));
        // Keys, invitations and tokens are known by their form.
        let words = text.split(|c: char| !c.is_ascii_alphanumeric() && !"_-.".contains(c));
        found.extend(words.filter(|word| {
            let key = ["crm", "crminv"].iter().any(|tag| opaque::read(tag, word).is_some());
            key || word.starts_with("eyJ") || (word.starts_with("crmr_") && word.len() > 40)
        }));
        found
    }

    /// The secrets and personal values that a text holds.
    pub(super) fn all_in(&self, text: &str) -> Vec<&str> {
        let mut found: Vec<&str> =
            self.personal.iter().map(String::as_str).filter(|needle| text.contains(needle)).collect();
        if text.to_lowercase().contains(MARKER) {
            found.push(MARKER);
        }
        // What the text holds is not told again, but for the needles themselves.
        found.extend(self.secrets.iter().map(String::as_str).filter(|needle| text.contains(needle)));
        if !self.secrets_in(text).is_empty() {
            found.push("a secret");
        }
        found
    }
}
