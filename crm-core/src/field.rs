//! The types that columns can hold: how each is stored, read back, and read from what a person typed.

use uuid::Uuid;

use crate::entity::Kind;
use crate::id::Id;
use crate::row::Value;
use crate::value::{
    Country, Currency, Date, Decimal6, Email, Instant, Money, Phone, Region, Slug, TaxScheme, Username, ValueError,
    Zone, parse_date,
};

/// A type that a column can hold.
pub trait Field: Sized {
    /// How it is stored.
    const KIND: Kind;
    /// Whether it may be absent.
    const NULLABLE: bool = false;
    /// The stored form.
    fn store(&self) -> Value;
    /// Reads the stored form back.
    fn load(value: Value) -> Result<Self, ValueError>;
    /// Reads what a person typed.
    fn parse(text: &str, locale: &Locale) -> Result<Self, ValueError>;
}

/// What decides how typed text is read.
#[derive(Clone, Debug)]
pub struct Locale {
    /// The region of phone numbers without a country code.
    pub region: Option<Region>,
    /// The currency of amounts.
    pub currency: Currency,
}

/// An amount in minor units of the currency that stands in the same record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Minor(pub i64);

impl Field for Minor {
    const KIND: Kind = Kind::Money;
    fn store(&self) -> Value {
        Value::Int(self.0)
    }
    fn load(value: Value) -> Result<Self, ValueError> {
        i64::load(value).map(Self)
    }
    fn parse(text: &str, locale: &Locale) -> Result<Self, ValueError> {
        Money::parse(text, locale.currency).map(|money| Self(money.minor()))
    }
}

/// Says that a stored value was not of the expected kind.
fn unexpected<T>(expected: &'static str, value: &Value) -> Result<T, ValueError> {
    Err(ValueError::syntax(expected, &format!("{value:?}")))
}

impl Field for bool {
    const KIND: Kind = Kind::Bool;
    fn store(&self) -> Value {
        Value::Bool(*self)
    }
    fn load(value: Value) -> Result<Self, ValueError> {
        match value {
            Value::Bool(truth) => Ok(truth),
            other => unexpected("a truth value", &other),
        }
    }
    fn parse(text: &str, locale: &Locale) -> Result<Self, ValueError> {
        let _ = locale;
        match text.trim().to_ascii_lowercase().as_str() {
            "true" | "yes" | "1" => Ok(true),
            "false" | "no" | "0" => Ok(false),
            other => Err(ValueError::unknown_value(other, &["true", "false"])),
        }
    }
}

impl Field for i64 {
    const KIND: Kind = Kind::Int;
    fn store(&self) -> Value {
        Value::Int(*self)
    }
    fn load(value: Value) -> Result<Self, ValueError> {
        match value {
            Value::Int(number) => Ok(number),
            other => unexpected("a whole number", &other),
        }
    }
    fn parse(text: &str, locale: &Locale) -> Result<Self, ValueError> {
        let _ = locale;
        text.trim().parse().map_err(|_| ValueError::syntax("a whole number", text))
    }
}

impl Field for String {
    const KIND: Kind = Kind::Text;
    fn store(&self) -> Value {
        Value::Text(self.clone())
    }
    fn load(value: Value) -> Result<Self, ValueError> {
        match value {
            Value::Text(text) => Ok(text),
            other => unexpected("text", &other),
        }
    }
    fn parse(text: &str, locale: &Locale) -> Result<Self, ValueError> {
        let _ = locale;
        Ok(text.to_owned())
    }
}

impl Field for Vec<u8> {
    const KIND: Kind = Kind::Bytes;
    fn store(&self) -> Value {
        Value::Bytes(self.clone())
    }
    fn load(value: Value) -> Result<Self, ValueError> {
        match value {
            Value::Bytes(bytes) => Ok(bytes),
            other => unexpected("bytes", &other),
        }
    }
    fn parse(text: &str, locale: &Locale) -> Result<Self, ValueError> {
        let _ = (text, locale);
        Err(ValueError::ReadOnly)
    }
}

impl Field for Date {
    const KIND: Kind = Kind::Date;
    fn store(&self) -> Value {
        Value::Date(*self)
    }
    fn load(value: Value) -> Result<Self, ValueError> {
        match value {
            Value::Date(date) => Ok(date),
            other => unexpected("a date", &other),
        }
    }
    fn parse(text: &str, locale: &Locale) -> Result<Self, ValueError> {
        let _ = locale;
        parse_date(text)
    }
}

impl Field for Instant {
    const KIND: Kind = Kind::Instant;
    fn store(&self) -> Value {
        Value::Instant(*self)
    }
    fn load(value: Value) -> Result<Self, ValueError> {
        match value {
            Value::Instant(instant) => Ok(instant),
            other => unexpected("an instant", &other),
        }
    }
    fn parse(text: &str, locale: &Locale) -> Result<Self, ValueError> {
        let _ = locale;
        text.parse()
    }
}

impl Field for Uuid {
    const KIND: Kind = Kind::Id;
    fn store(&self) -> Value {
        Value::Id(*self)
    }
    fn load(value: Value) -> Result<Self, ValueError> {
        match value {
            Value::Id(id) => Ok(id),
            other => unexpected("an id", &other),
        }
    }
    fn parse(text: &str, locale: &Locale) -> Result<Self, ValueError> {
        let _ = locale;
        Self::parse_str(text.trim()).map_err(|_| ValueError::syntax("a UUID", text))
    }
}

impl<E> Field for Id<E> {
    const KIND: Kind = Kind::Id;
    fn store(&self) -> Value {
        Value::Id(self.uuid())
    }
    fn load(value: Value) -> Result<Self, ValueError> {
        Uuid::load(value).map(Self::new)
    }
    fn parse(text: &str, locale: &Locale) -> Result<Self, ValueError> {
        let _ = locale;
        text.parse()
    }
}

impl Field for Decimal6 {
    const KIND: Kind = Kind::Decimal;
    fn store(&self) -> Value {
        Value::Int(self.micros())
    }
    fn load(value: Value) -> Result<Self, ValueError> {
        i64::load(value).map(Self::from_micros)
    }
    fn parse(text: &str, locale: &Locale) -> Result<Self, ValueError> {
        let _ = locale;
        Self::parse(text)
    }
}

impl<T: Field> Field for Option<T> {
    const KIND: Kind = T::KIND;
    const NULLABLE: bool = true;
    fn store(&self) -> Value {
        self.as_ref().map_or(Value::Null, Field::store)
    }
    fn load(value: Value) -> Result<Self, ValueError> {
        match value {
            Value::Null => Ok(None),
            value => T::load(value).map(Some),
        }
    }
    fn parse(text: &str, locale: &Locale) -> Result<Self, ValueError> {
        if text.trim().is_empty() { Ok(None) } else { T::parse(text, locale).map(Some) }
    }
}

/// Stores a type as its text form.
macro_rules! text_field {
    ($($type:ty),*) => {$(
        impl Field for $type {
            const KIND: Kind = Kind::Text;
            fn store(&self) -> Value {
                Value::Text(self.to_string())
            }
            fn load(value: Value) -> Result<Self, ValueError> {
                match value {
                    Value::Text(text) => text.parse(),
                    other => unexpected("text", &other),
                }
            }
            fn parse(text: &str, locale: &Locale) -> Result<Self, ValueError> {
                let _ = locale;
                text.parse()
            }
        }
    )*};
}
text_field!(Email, Country, Slug, Username, Zone, TaxScheme);

impl Field for Region {
    const KIND: Kind = Kind::Text;
    fn store(&self) -> Value {
        Value::Text(self.to_string())
    }
    fn load(value: Value) -> Result<Self, ValueError> {
        match value {
            Value::Text(text) => Self::from_stored(&text),
            other => unexpected("text", &other),
        }
    }
    fn parse(text: &str, locale: &Locale) -> Result<Self, ValueError> {
        let _ = locale;
        text.parse()
    }
}

impl Field for Currency {
    const KIND: Kind = Kind::Text;
    fn store(&self) -> Value {
        Value::Text(self.code().to_owned())
    }
    fn load(value: Value) -> Result<Self, ValueError> {
        match value {
            // What was written stays readable when the currency is withdrawn.
            Value::Text(text) => Self::from_stored(&text),
            other => unexpected("text", &other),
        }
    }
    fn parse(text: &str, _: &Locale) -> Result<Self, ValueError> {
        text.parse()
    }
}

impl Field for Phone {
    const KIND: Kind = Kind::Text;
    fn store(&self) -> Value {
        Value::Text(self.e164().to_owned())
    }
    fn load(value: Value) -> Result<Self, ValueError> {
        match value {
            Value::Text(text) => Self::from_e164(&text),
            other => unexpected("text", &other),
        }
    }
    fn parse(text: &str, locale: &Locale) -> Result<Self, ValueError> {
        Self::parse(text, locale.region)
    }
}
