//! What every plain record can do: be created, changed, archived, restored, deleted.
//!
//! A change is an [`Edit`]: the fields to set or clear, every other field left alone. It comes typed from
//! Rust, or as text by field name from a command line, a CSV file or Python; both end in the same values.
//! An entity adds its rules in [`Rules::check`], which runs on creation and on every change alike.

use std::marker::PhantomData;

use crate::access::{Organization, User};
use crate::context::Context;
use crate::encode::{encode_row, write_text, write_value};
use crate::entity::{Col, Entity, Field, FieldError, Flags, Kind, Locale, Stored};
use crate::error::{CrmError, Invalid};
use crate::id::Id;
use crate::row::{Row, Value};
use crate::store::{Expr, Operand};
use crate::value::{Currency, Patch, ValueError};

/// The rules of a plain record.
pub trait Rules: Entity {
    /// Checks a record before it is created or changed, and sets the fields that only rules set.
    ///
    /// # Errors
    /// Every field that is refused, with its reason.
    fn check(&mut self, before: Option<&Self>, context: &Context) -> Result<(), Vec<Invalid>> {
        let _ = (before, context);
        Ok(())
    }

    /// The values that a new record starts from, before the edit is applied.
    fn defaults(context: &Context) -> Edit<Self> {
        let _ = context;
        Edit::new()
    }

    /// The records that a member owns or is assigned to; none unless the entity says so.
    fn own(user: Id<User>) -> Expr {
        let _ = user;
        Expr::False
    }

    /// The records of a global table that belong to an organization; none unless the entity says so. Tables of
    /// organizations need none: the store keeps them apart.
    fn of_organization(organization: Id<Organization>) -> Expr {
        let _ = organization;
        Expr::False
    }

    /// The records that the law wants kept as they are, although a person in them is erased; none unless the entity says
    /// so.
    fn retained() -> Expr {
        Expr::False
    }

    /// The verbs of the general commands that serve the entity: `create`, `update`, `archive`, `restore`, `delete`. The
    /// others are refused, whatever the role: what has rules beyond its own fields, such as an invoice with its lines,
    /// has commands of its own, and nothing gets around them.
    const GENERAL: &'static [&'static str] = &[];

    /// The columns by which people address a record, besides its id, with how the text is read.
    const NATURAL_KEYS: &'static [&'static str] = &[];

    /// The folded name that one record in force has, where others may have had it before: it means the one in force.
    const NAME_IN_FORCE: Option<&'static str> = None;
}

/// Every verb of the general commands.
pub const EVERY_VERB: &[&str] = &["create", "update", "archive", "restore", "delete"];

/// Refuses a general command that does not serve the entity.
///
/// # Errors
/// [`CrmError::NotGeneral`].
pub(crate) fn require_general<E: Rules>(verb: &'static str) -> Result<(), CrmError> {
    if E::GENERAL.contains(&verb) { Ok(()) } else { Err(CrmError::NotGeneral { entity: E::TABLE.entity, verb }) }
}

/// Fields to set or clear; every other field is left alone.
#[derive(Clone, Debug, PartialEq)]
pub struct Edit<E> {
    /// Column positions and their new values.
    values: Vec<(usize, Value)>,
    /// The currency in which typed amounts were read, if there were any.
    currency: Option<Currency>,
    entity: PhantomData<fn() -> E>,
}

impl<E: Entity> Default for Edit<E> {
    fn default() -> Self {
        Self::new()
    }
}

impl<E: Entity> Edit<E> {
    /// Changes nothing.
    pub const fn new() -> Self {
        Self { values: Vec::new(), currency: None, entity: PhantomData }
    }

    /// Changes nothing yet, and has room for so many fields.
    pub(crate) fn with_capacity(fields: usize) -> Self {
        Self { values: Vec::with_capacity(fields), currency: None, entity: PhantomData }
    }

    /// Sets a field; an absent value clears it.
    #[must_use]
    pub fn set<T: Field>(mut self, column: Col<E, T>, value: impl Into<T>) -> Self {
        self.put(column.index(), value.into().store());
        self
    }

    /// Applies a three-state patch to an optional field.
    #[must_use]
    pub fn patch<T: Field>(self, column: Col<E, Option<T>>, patch: Patch<T>) -> Self {
        match patch {
            Patch::Keep => self,
            Patch::Clear => self.set(column, None),
            Patch::Set(value) => self.set(column, Some(value)),
        }
    }

    pub(crate) fn put(&mut self, column: usize, value: Value) {
        match self.values.iter_mut().find(|(known, _)| *known == column) {
            Some(known) => known.1 = value,
            None => self.values.push((column, value)),
        }
    }

    /// This edit, then the other one.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        self.currency = other.currency.or(self.currency);
        other.values.into_iter().for_each(|(column, value)| self.put(column, value));
        self
    }

    /// The new value of a column, if the edit changes it.
    pub fn value(&self, column: usize) -> Option<&Value> {
        self.values.iter().find(|(known, _)| *known == column).map(|(_, value)| value)
    }

    /// The columns that are changed, with their new values.
    pub fn values(&self) -> &[(usize, Value)] {
        &self.values
    }

    /// Whether nothing is changed.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Reads typed text by field name; blank text clears a field.
    ///
    /// # Errors
    /// Every field that is not there, may not be set, or whose text is refused.
    pub fn parse<'a>(
        fields: impl IntoIterator<Item = (&'a str, &'a str)>,
        locale: &Locale,
    ) -> Result<Self, Vec<Invalid>> {
        let mut locale = locale.clone();
        let fields: Vec<_> = fields.into_iter().collect();
        // Amounts are read in the currency that the same input gives.
        if let Some((_, text)) = fields.iter().find(|(name, _)| *name == "currency")
            && let Ok(currency) = text.parse()
        {
            locale.currency = currency;
        }
        let mut edit = Self::new();
        let mut refused = Vec::new();
        for (name, text) in fields {
            match Self::parse_field(name, text, &locale) {
                Ok((column, value)) => {
                    if E::TABLE.columns[column].kind == Kind::Money {
                        edit.currency = Some(locale.currency);
                    }
                    edit.put(column, value);
                }
                Err(reason) => refused.push(Invalid::new(name, reason)),
            }
        }
        if refused.is_empty() { Ok(edit) } else { Err(refused) }
    }

    fn parse_field(name: &str, text: &str, locale: &Locale) -> Result<(usize, Value), ValueError> {
        let unknown = || ValueError::unknown_value(name, &settable::<E>());
        let column = E::TABLE.position(name).ok_or_else(unknown)?;
        if E::TABLE.columns[column].flags.contains(Flags::SERVER_OWNED) {
            return Err(ValueError::ReadOnly);
        }
        E::parse(column, text, locale).map(|value| (column, value))
    }

    /// The fields that only rules may set and that this edit sets.
    pub(crate) fn forbidden(&self) -> impl Iterator<Item = Invalid> + '_ {
        self.values
            .iter()
            .map(|(column, _)| &E::TABLE.columns[*column])
            .filter(|column| column.flags.contains(Flags::SERVER_OWNED))
            .map(|column| Invalid::new(column.name, ValueError::ReadOnly))
    }

    /// The edit as JSON: the body of an idempotent command.
    pub(crate) fn encode(&self) -> String {
        let mut values = self.values.clone();
        values.sort_by_key(|(column, _)| *column);
        let mut out = String::from("{");
        for (column, value) in &values {
            let column = &E::TABLE.columns[*column];
            write_text(&mut out, column.name);
            out.push(':');
            write_value(&mut out, column.kind, value);
            out.push(',');
        }
        out.push('}');
        out
    }
}

/// The names of the columns that callers may set.
pub fn settable<E: Entity>() -> Vec<&'static str> {
    let settable = |flags: Flags| !flags.contains(Flags::SERVER_OWNED);
    E::TABLE.columns.iter().filter(|column| settable(column.flags)).map(|column| column.name).collect()
}

/// The record that an edit makes of nothing, checked.
///
/// # Errors
/// [`CrmError::Invalid`] with every field that is missing or refused.
pub fn create<E: Rules>(edit: &Edit<E>, context: &Context) -> Result<E, CrmError> {
    create_from(edit.clone(), context)
}

/// As [`create`], of an edit that is not needed any more.
pub(crate) fn create_from<E: Rules>(edit: Edit<E>, context: &Context) -> Result<E, CrmError> {
    create_on(edit, Edit::new(), context)
}

/// As [`create_from`], on values besides the defaults that only rules set.
pub(crate) fn create_on<E: Rules>(edit: Edit<E>, base: Edit<E>, context: &Context) -> Result<E, CrmError> {
    let mut row: Row = vec![Value::Null; E::TABLE.columns.len()];
    for (column, value) in E::defaults(context).merge(base).values {
        row[column] = value;
    }
    build(edit, row, None, context)
}

/// The record that an edit makes of a stored one, checked.
///
/// # Errors
/// [`CrmError::Invalid`] with every field that is refused.
pub fn change<E: Rules>(before: &Stored<E>, edit: &Edit<E>, context: &Context) -> Result<E, CrmError> {
    build(edit.clone(), before.to_row(), Some(&before.value), context)
}

fn build<E: Rules>(edit: Edit<E>, mut row: Row, before: Option<&E>, context: &Context) -> Result<E, CrmError> {
    let mut refused: Vec<Invalid> = edit.forbidden().collect();
    for (column, value) in edit.values {
        row[column] = value;
    }
    // Typed amounts were read with the decimals of a currency; in another one they would be other amounts.
    if let (Some(right), Some(column)) = (edit.currency, E::TABLE.position("currency"))
        && let Ok(left) = Currency::load(row[column].clone())
        && left != right
    {
        refused.push(Invalid::new("currency", ValueError::CurrencyMismatch { left, right }));
    }
    // Fields that are required and absent; those that only rules set get theirs from `check`.
    for (column, value) in E::TABLE.columns.iter().zip(&mut row).skip(1) {
        if value.is_null() && !column.nullable && !column.flags.contains(Flags::SERVER_OWNED) {
            refused.push(Invalid::new(column.name, ValueError::Blank));
        }
    }
    if !refused.is_empty() {
        return Err(CrmError::Invalid(refused));
    }
    let mut record = E::read(&mut row.into_iter().skip(1))
        .map_err(|FieldError { column, error }| CrmError::invalid(column, error))?;
    record.check(before, context).map_err(CrmError::Invalid)?;
    Ok(record)
}

/// The references that an edit sets, with the columns that hold them.
pub(crate) fn references<E: Entity>(edit: &Edit<E>) -> impl Iterator<Item = (usize, uuid::Uuid)> + '_ {
    edit.values
        .iter()
        .filter(|(column, _)| E::TABLE.columns[*column].references.is_some())
        .filter_map(|(column, value)| value.as_id().map(|id| (*column, id)))
}

/// A record as JSON, exact, by field name.
pub fn to_json<E: Entity>(stored: &Stored<E>) -> String {
    encode_row(E::TABLE, &stored.to_row())
}

/// The condition that a column has this value.
pub(crate) fn column_is(column: usize, value: Value) -> Expr {
    Expr::Compare(Operand::Column(column), crate::store::Cmp::Eq, value)
}
