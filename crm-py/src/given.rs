//! What callers give: fields, references and lines, read before a call and resolved within it.

use crm_core::access::{Invitation, Membership, User};
use crm_core::billing::{Invoice, NewLine};
use crm_core::crud::Rules;
use crm_core::entity::{Column, Entity as _, Kind, Locale, Stored, Table};
use crm_core::people::Contact;
use crm_core::row::Value;
use crm_core::store::{Query, Select, StoreExt as _};
use crm_core::value::{Currency, Email, ValueError};
use crm_core::{CrmError, Edit, Id, Invalid, Session};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use uuid::Uuid;

use crate::error::{Outcome, invalid, wrong_type};
use crate::money::Money;
use crate::record::Record;
use crate::value::{date, decimal_text, decimal6, instant, integer, json_dumps, text, truth, uuid};

/// A record as a caller names it.
#[derive(Clone, Debug)]
pub(crate) enum Reference {
    /// By its id.
    Id(Uuid),
    /// By a natural key.
    Key(String),
}

impl Reference {
    /// Reads a record, a UUID, or text with either an id or a natural key.
    pub(crate) fn read(field: &str, target: &'static Table, value: &Bound<'_, PyAny>) -> PyResult<Self> {
        if let Ok(record) = value.cast::<Record>() {
            let record = record.get();
            if record.table != target {
                return Err(wrong_type(field, &format!("a record of kind {}", target.entity), value));
            }
            return Ok(Self::Id(target.id(&record.row)));
        }
        if let Some(id) = uuid(value)? {
            return Ok(Self::Id(id));
        }
        let Ok(key) = value.cast::<PyString>() else {
            return Err(wrong_type(field, &format!("a {}, UUID or str", target.entity), value));
        };
        let key = key.to_str()?.trim();
        Ok(Uuid::parse_str(key).map_or_else(|_| Self::Key(key.to_owned()), Self::Id))
    }

    /// The id of the record that is named; one that is not there is not found.
    pub(crate) async fn resolve<E: Rules>(&self, session: &Session<'_>) -> Outcome<Id<E>> {
        match self {
            Self::Id(id) => Ok(Id::new(*id)),
            Self::Key(key) => Ok(session.find::<E>(key).await?.id),
        }
    }

    /// As [`Reference::resolve`], for a field of a command: what is not there makes the field invalid.
    pub(crate) async fn resolve_field<E: Rules>(&self, session: &Session<'_>, field: &str) -> Outcome<Id<E>> {
        self.resolve(session).await.map_err(|error| missing(error, field))
    }

    /// The user that is named, by id or e-mail address.
    async fn resolve_user(&self, session: &Session<'_>) -> Outcome<Uuid> {
        let key = match self {
            Self::Id(id) => return Ok(*id),
            Self::Key(key) => key,
        };
        Ok(user_by_email(session, key).await?.id.uuid())
    }

    /// The membership that is named: by its id, its user's id, or its user's e-mail address.
    pub(crate) async fn resolve_member(&self, session: &Session<'_>) -> Outcome<Id<Membership>> {
        let user = match self {
            Self::Key(key) => user_by_email(session, key).await?.id,
            Self::Id(id) => match session.get::<Membership>(Id::new(*id)).await {
                Ok(member) => return Ok(member.id),
                Err(CrmError::NotFound { .. }) => Id::new(*id),
                Err(other) => return Err(other),
            },
        };
        let filter =
            Membership::COLUMNS.user_id.eq(&user).into_expr().and(session.visible::<Membership>("read").await?);
        let member =
            session.store().first::<Membership>(session.scope(), Select::new(Membership::TABLE, filter)).await?;
        let not_found = || CrmError::NotFound { entity: Membership::TABLE.entity, reference: self.shown() };
        Ok(member.ok_or_else(not_found)?.id)
    }

    /// The invitation that is named: by its id, or by the address that it was made for, where it stands.
    pub(crate) async fn resolve_invitation(&self, session: &Session<'_>) -> Outcome<Id<Invitation>> {
        let key = match self {
            Self::Id(id) => return Ok(Id::new(*id)),
            Self::Key(key) => key,
        };
        let not_found = || CrmError::NotFound { entity: Invitation::TABLE.entity, reference: self.shown() };
        let email: Email = key.parse().map_err(|_| not_found())?;
        let standing = Invitation::COLUMNS.email_key.eq(&Some(email.key().to_owned()));
        let found = session.list(&Query::new(standing).limit(1)).await?.items;
        Ok(found.first().ok_or_else(not_found)?.id)
    }

    /// The id of a record of this table.
    pub(crate) async fn resolve_in(&self, session: &Session<'_>, target: &'static Table, field: &str) -> Outcome<Uuid> {
        let resolved = match self {
            Self::Id(id) => Ok(*id),
            Self::Key(_) if target == User::TABLE => self.resolve_user(session).await,
            Self::Key(_) if target == Contact::TABLE => self.resolve::<Contact>(session).await.map(Id::uuid),
            Self::Key(_) if target == Invoice::TABLE => self.resolve::<Invoice>(session).await.map(Id::uuid),
            Self::Key(key) => crate::entities::for_entity!(target.entity, E => {
                session.find::<E>(key).await.map(|record| record.id.uuid())
            }),
        };
        resolved.map_err(|error| missing(error, field))
    }

    /// As it was given.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Id(id) => id.to_string(),
            Self::Key(key) => key.clone(),
        }
    }
}

/// Users are known by their address, and only to organizations that they belong to.
async fn user_by_email(session: &Session<'_>, key: &str) -> Outcome<Stored<User>> {
    let not_found = || CrmError::NotFound { entity: User::TABLE.entity, reference: key.to_owned() };
    let email: Email = key.parse().map_err(|_| not_found())?;
    let query = Select::new(User::TABLE, User::COLUMNS.email_key.eq(&email.key().to_owned()).into());
    let user = session.store().first::<User>(session.scope(), query).await?.ok_or_else(not_found)?;
    let member = Membership::COLUMNS.user_id.eq(&user.id).into_expr().and(session.visible::<Membership>("read").await?);
    let query = Select::new(Membership::TABLE, member);
    session.store().first::<Membership>(session.scope(), query).await?.ok_or_else(not_found)?;
    Ok(user)
}

/// What is not there makes the field invalid that names it.
pub(crate) fn missing(error: CrmError, field: &str) -> CrmError {
    match error {
        CrmError::NotFound { entity, reference } => {
            CrmError::invalid(field, ValueError::NotThere { entity, reference })
        }
        other => other,
    }
}

/// One field as it was given.
enum Given {
    /// Text that the engine reads, blank to clear.
    Text(String),
    /// A record.
    Reference(&'static Table, Reference),
}

/// Fields as they were given, by column.
#[derive(Default)]
pub(crate) struct Fields {
    given: Vec<(&'static str, Given)>,
    refused: Vec<Invalid>,
    /// The currency that amounts were given with.
    currency: Option<Currency>,
    /// Whether amounts were given without one.
    plain_amounts: bool,
}

/// The column that a field names: `owner` stands for `owner_id`.
pub(crate) fn column_of(table: &'static Table, name: &str) -> Option<usize> {
    table.position(name).or_else(|| table.position(&format!("{name}_id")))
}

impl Fields {
    /// Reads keyword arguments. On creation a field that must have a value and is `None` counts as not given.
    pub(crate) fn read(table: &'static Table, fields: &Bound<'_, PyDict>, creating: bool) -> PyResult<Self> {
        let mut read = Self { given: Vec::with_capacity(fields.len()), ..Self::default() };
        for (name, value) in fields {
            let name = name.cast::<PyString>()?.to_str()?.to_owned();
            let Some(position) = column_of(table, &name) else {
                let settable =
                    table.columns.iter().filter(|column| !column.flags.contains(crm_core::entity::Flags::SERVER_OWNED));
                let settable: Vec<_> = settable.map(|column| column.name).collect();
                read.refused.push(Invalid::new(&name, ValueError::unknown_value(&name, &settable)));
                continue;
            };
            let column = &table.columns[position];
            if value.is_none() {
                if !creating || column.nullable {
                    read.given.push((column.name, Given::Text(String::new())));
                }
                continue;
            }
            if column.kind == Kind::Money {
                read.amount(&value);
            }
            let given = match column.target() {
                Some(target) => Given::Reference(target, Reference::read(&name, target, &value)?),
                None => Given::Text(field_text(&name, column, &value)?),
            };
            read.given.push((column.name, given));
        }
        read.agree(creating);
        Ok(read)
    }

    /// Takes note of the currency that an amount is in.
    fn amount(&mut self, value: &Bound<'_, PyAny>) {
        let Ok(money) = value.cast::<Money>() else {
            self.plain_amounts = true;
            return;
        };
        let right = money.get().0.currency();
        match self.currency {
            Some(left) if left != right => self.mismatch(left, right),
            _ => self.currency = Some(right),
        }
    }

    /// The record is in the currency of its amounts: a new one becomes so, one that is there must be.
    fn agree(&mut self, creating: bool) {
        let Some(left) = self.currency else { return };
        let given = self.given.iter().find_map(|(name, given)| match given {
            Given::Text(text) if *name == "currency" => Some(text.parse::<Currency>()),
            _ => None,
        });
        match given {
            Some(Ok(right)) if right != left => self.mismatch(left, right),
            None if creating => self.given.push(("currency", Given::Text(left.code().to_owned()))),
            _ => {}
        }
    }

    fn mismatch(&mut self, left: Currency, right: Currency) {
        self.refused.push(Invalid::new("currency", ValueError::CurrencyMismatch { left, right }));
    }

    /// Whether amounts are given whose currency only the record that is changed knows.
    pub(crate) fn in_currency_of_record(&self) -> bool {
        self.plain_amounts && self.currency.is_none() && self.given.iter().all(|(name, _)| *name != "currency")
    }

    /// The edit that they make.
    pub(crate) async fn edit<E: Rules>(self, session: &Session<'_>, locale: &Locale) -> Outcome<Edit<E>> {
        let locale = Locale { currency: self.currency.unwrap_or(locale.currency), ..locale.clone() };
        let mut texts = Vec::with_capacity(self.given.len());
        for (name, given) in self.given {
            let text = match given {
                Given::Text(text) => text,
                Given::Reference(target, reference) => reference.resolve_in(session, target, name).await?.to_string(),
            };
            texts.push((name, text));
        }
        let mut refused = self.refused;
        match Edit::parse(texts.iter().map(|(name, text)| (*name, text.as_str())), &locale) {
            Ok(edit) if refused.is_empty() => Ok(edit),
            Ok(_) => Err(CrmError::Invalid(refused)),
            Err(more) => {
                refused.extend(more);
                Err(CrmError::Invalid(refused))
            }
        }
    }
}

/// A field's value as text for the engine, of the type that the column has.
fn field_text(field: &str, column: &Column, value: &Bound<'_, PyAny>) -> PyResult<String> {
    let py = value.py();
    Ok(match column.kind {
        Kind::Text | Kind::Enum(_) => text(field, value)?,
        Kind::Money => match value.cast::<Money>() {
            Ok(money) => money.get().0.decimal().to_string(),
            Err(_) => decimal_text(field, value)?,
        },
        Kind::Decimal => decimal_text(field, value)?,
        Kind::Int => integer(field, value)?.to_string(),
        Kind::Bool => truth(field, value)?.to_string(),
        Kind::Date => date(field, value)?.to_string(),
        Kind::Instant => instant(field, value)?.to_string(),
        Kind::Json => json_dumps(py)?.call1((value,))?.extract()?,
        Kind::Id => match uuid(value)? {
            Some(id) => id.to_string(),
            None => text(field, value)?,
        },
        Kind::Bytes => return Err(invalid(py, field, ValueError::ReadOnly)),
    })
}

/// A value to compare a column with; text as the engine reads it.
pub(crate) enum Compared {
    /// As it is stored.
    Value(Value),
    /// To be read by the engine, as it would be on writing.
    Text(String),
    /// An amount whose currency says which rows are meant.
    Money(crm_core::value::Money),
    /// An amount in the currency of the filter.
    Amount(String),
    /// A record.
    Reference(&'static Table, Reference),
}

impl Compared {
    /// Reads what a column is compared with.
    pub(crate) fn read(field: &str, column: &Column, value: &Bound<'_, PyAny>) -> PyResult<Self> {
        Ok(match column.kind {
            Kind::Text => Self::Text(text(field, value)?),
            Kind::Enum(names) => {
                let text = text(field, value)?;
                if !names.contains(&text.as_str()) {
                    return Err(invalid(value.py(), field, ValueError::unknown_value(&text, names)));
                }
                Self::Value(Value::Text(text))
            }
            Kind::Money => match value.cast::<Money>() {
                Ok(money) => Self::Money(money.get().0),
                Err(_) => Self::Amount(decimal_text(field, value)?),
            },
            Kind::Decimal => Self::Value(Value::Int(decimal6(field, value)?.micros())),
            Kind::Int => Self::Value(Value::Int(integer(field, value)?)),
            Kind::Bool => Self::Value(Value::Bool(truth(field, value)?)),
            Kind::Date => Self::Value(Value::Date(date(field, value)?)),
            Kind::Instant => Self::Value(Value::Instant(instant(field, value)?)),
            Kind::Id => match column.target() {
                Some(target) => Self::Reference(target, Reference::read(field, target, value)?),
                None => match (uuid(value)?, value.cast::<Record>()) {
                    (Some(id), _) => Self::Value(Value::Id(id)),
                    (None, Ok(record)) => Self::Value(Value::Id(record.get().table.id(&record.get().row))),
                    (None, Err(_)) => {
                        let id = text(field, value)?;
                        let id = Uuid::parse_str(&id);
                        let id = id.map_err(|_| invalid(value.py(), field, ValueError::syntax("a UUID", "this text")));
                        Self::Value(Value::Id(id?))
                    }
                },
            },
            Kind::Bytes => Self::Value(Value::Bytes(value.extract()?)),
            Kind::Json => {
                return Err(pyo3::exceptions::PyTypeError::new_err(format!(
                    "{field}: a document can only be compared with None"
                )));
            }
        })
    }
}

/// A line of an invoice as it was given.
pub(crate) struct GivenLine {
    product: Option<Reference>,
    line: NewLine,
}

/// Reads the lines of an invoice, each a mapping.
pub(crate) fn lines(lines: &Bound<'_, PyAny>) -> PyResult<Vec<GivenLine>> {
    if lines.cast::<PyString>().is_ok() || lines.cast::<PyDict>().is_ok() {
        return Err(wrong_type("lines", "a sequence of mappings", lines));
    }
    (1..).zip(lines.try_iter()?).map(|(position, line)| read_line(position, &line?)).collect()
}

fn read_line(position: usize, given: &Bound<'_, PyAny>) -> PyResult<GivenLine> {
    const NAMES: [&str; 7] =
        ["product", "description", "quantity", "unit_price", "discount_percent", "discount", "tax_percent"];
    let py = given.py();
    let whole = format!("lines.{position}");
    let Ok(given) = given.cast::<PyDict>() else { return Err(wrong_type(&whole, "dict", given)) };
    let mut product = None;
    let mut quantity = None;
    let (mut percent, mut amount) = (None, None);
    let mut line = NewLine {
        product: None,
        description: None,
        quantity: crm_core::value::Decimal6::ZERO,
        unit_price: None,
        discount: None,
        tax_percent: None,
    };
    for (name, value) in given {
        let name = name.cast::<PyString>()?.to_str()?.to_owned();
        let field = format!("{whole}.{name}");
        if !NAMES.contains(&name.as_str()) {
            return Err(invalid(py, &field, ValueError::unknown_value(&name, &NAMES)));
        }
        if value.is_none() {
            continue;
        }
        match name.as_str() {
            "product" => product = Some(Reference::read(&field, crm_core::billing::Product::TABLE, &value)?),
            "description" => {
                let text = text(&field, &value)?;
                line.description =
                    crm_core::value::Text::optional(&text).map_err(|reason| invalid(py, &field, reason))?;
            }
            "quantity" => quantity = Some(decimal6(&field, &value)?),
            "unit_price" => line.unit_price = Some(decimal6(&field, &value)?),
            "discount_percent" => percent = Some(decimal6(&field, &value)?),
            "discount" => amount = Some(decimal6(&field, &value)?),
            _ => line.tax_percent = Some(decimal6(&field, &value)?),
        }
    }
    let refused = |refused: Invalid| invalid(py, &format!("{whole}.{}", refused.field), refused.reason);
    line.discount = crm_core::billing::Discount::of(percent, amount).map_err(refused)?;
    line.quantity = quantity.ok_or_else(|| invalid(py, &format!("{whole}.quantity"), ValueError::Blank))?;
    Ok(GivenLine { product, line })
}

/// The lines with their products found.
pub(crate) async fn resolve_lines(session: &Session<'_>, lines: Vec<GivenLine>) -> Outcome<Vec<NewLine>> {
    let mut resolved = Vec::with_capacity(lines.len());
    for (position, given) in (1..).zip(lines) {
        let mut line = given.line;
        if let Some(product) = given.product {
            line.product = Some(product.resolve_field(session, &format!("lines.{position}.product")).await?);
        }
        resolved.push(line);
    }
    Ok(resolved)
}
