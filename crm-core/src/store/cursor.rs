//! Opaque places in an order, to go on from.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;

use super::select::{Direction, Select};
use crate::encode::{decode_value, encode_value};
use crate::row::Value;
use crate::value::ValueError;

/// A place in an order. It is opaque, holds no position but values, and stays good while rows come and
/// go.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Cursor(String);

impl Cursor {
    /// The place of a row with these values of the order's columns.
    pub fn new(select: &Select, place: &[Value]) -> Self {
        let values: Vec<serde_json::Value> = select
            .order
            .iter()
            .zip(place)
            .map(|(term, value)| encode_value(select.table.columns[term.column].kind, value))
            .collect();
        Self::encode(&serde_json::json!([signature(select), values]))
    }

    /// A cursor that says this.
    pub(crate) fn encode(place: &serde_json::Value) -> Self {
        Self(URL_SAFE_NO_PAD.encode(place.to_string()))
    }

    /// What a cursor says, if it is one and says something of this type.
    pub(crate) fn decode<T: DeserializeOwned>(&self) -> Option<T> {
        let bytes = URL_SAFE_NO_PAD.decode(&self.0).ok()?;
        serde_json::from_slice(&bytes).ok()
    }

    /// The values of the order's columns.
    ///
    /// # Errors
    /// When the cursor comes from another order or table, or is no cursor at all.
    pub fn read(&self, select: &Select) -> Result<Vec<Value>, ValueError> {
        let wrong = || ValueError::syntax("a cursor of the same list in the same order", &self.0);
        let (signed, values): (String, Vec<serde_json::Value>) = self.decode().ok_or_else(wrong)?;
        if signed != signature(select) || values.len() != select.order.len() {
            return Err(wrong());
        }
        select
            .order
            .iter()
            .zip(values)
            .map(|(term, value)| {
                let column = &select.table.columns[term.column];
                let value = decode_value(column.kind, value).map_err(|_| wrong())?;
                if value.is_null() && !column.nullable { Err(wrong()) } else { Ok(value) }
            })
            .collect()
    }
}

/// Names the table and the order that a cursor belongs to.
fn signature(select: &Select) -> String {
    let mut text = select.table.entity.to_owned();
    for term in &select.order {
        text.push(if term.direction == Direction::Ascending { '+' } else { '-' });
        text.push_str(select.table.columns[term.column].name);
    }
    text
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Cursor {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        Ok(Self(text.trim().to_owned()))
    }
}
