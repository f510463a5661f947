//! JSON documents with sorted keys.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::ValueError;
use crate::entity::{Field, Kind, Locale};
use crate::row::Value;

/// A JSON document as canonical text: keys sorted, no white space. The same document is the same text
/// on every database.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Document(String);

impl Document {
    /// Wraps text that is canonical already.
    pub(crate) const fn from_canonical(text: String) -> Self {
        Self(text)
    }

    /// The canonical text of a JSON value.
    pub fn new(json: &serde_json::Value) -> Self {
        Self(json.to_string())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The JSON value.
    ///
    /// # Errors
    /// When the stored text is no JSON.
    pub fn json(&self) -> Result<serde_json::Value, ValueError> {
        serde_json::from_str(&self.0).map_err(|_| ValueError::syntax("a JSON document", &self.0))
    }
}

impl Field for Document {
    const KIND: Kind = Kind::Json;
    fn store(&self) -> Value {
        Value::Text(self.0.clone())
    }
    fn load(value: Value) -> Result<Self, ValueError> {
        String::load(value).map(Self)
    }
    fn parse(text: &str, _: &Locale) -> Result<Self, ValueError> {
        let json: serde_json::Value =
            serde_json::from_str(text).map_err(|_| ValueError::syntax("a JSON document", text))?;
        Ok(Self::new(&json))
    }
}

impl Serialize for Document {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.json().map_err(serde::ser::Error::custom)?.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serde_json::Value::deserialize(deserializer).map(|json| Self::new(&json))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_sorted() {
        let json: serde_json::Value = serde_json::from_str(r#"{"b": 1, "a": [true, null]}"#).unwrap();
        assert_eq!(Document::new(&json).as_str(), r#"{"a":[true,null],"b":1}"#);
    }
}
