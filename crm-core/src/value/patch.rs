//! Changes of a field that tell "leave it" from "empty it".
//!
//! ```
//! use crm_core::value::Patch;
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize)]
//! struct EditContact {
//!     #[serde(default, skip_serializing_if = "Patch::is_keep")]
//!     phone: Patch<String>,
//! }
//!
//! let read = |json| serde_json::from_str::<EditContact>(json).map(|edit| edit.phone);
//! assert_eq!(read("{}")?, Patch::Keep);
//! assert_eq!(read(r#"{"phone": null}"#)?, Patch::Clear);
//! assert_eq!(read(r#"{"phone": "12"}"#)?, Patch::Set("12".to_owned()));
//! # Ok::<(), serde_json::Error>(())
//! ```

use serde::{Deserialize, Deserializer, Serialize, Serializer, ser::Error as _};

/// What a command does with one optional field: absent, null, or a value.
///
/// There is no `From<Option<T>>`: whether `None` means [`Keep`](Self::Keep) or
/// [`Clear`](Self::Clear) is exactly what this type exists to say, and guessing it is how fields
/// become impossible to empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Patch<T> {
    /// The field stays as it is.
    #[default]
    Keep,
    /// The field becomes empty.
    Clear,
    /// The field gets this value.
    Set(T),
}

impl<T> Patch<T> {
    /// Whether nothing is asked for.
    pub const fn is_keep(&self) -> bool {
        matches!(self, Self::Keep)
    }

    /// The value to set, if any.
    pub const fn value(&self) -> Option<&T> {
        match self {
            Self::Set(value) => Some(value),
            Self::Keep | Self::Clear => None,
        }
    }

    /// The field after this change, given the field before it.
    pub fn apply(self, before: Option<T>) -> Option<T> {
        match self {
            Self::Keep => before,
            Self::Clear => None,
            Self::Set(value) => Some(value),
        }
    }

    /// The same change with a reference to its value.
    pub const fn as_ref(&self) -> Patch<&T> {
        match self {
            Self::Keep => Patch::Keep,
            Self::Clear => Patch::Clear,
            Self::Set(value) => Patch::Set(value),
        }
    }

    /// The same change of a converted value.
    pub fn map<U>(self, convert: impl FnOnce(T) -> U) -> Patch<U> {
        match self {
            Self::Keep => Patch::Keep,
            Self::Clear => Patch::Clear,
            Self::Set(value) => Patch::Set(convert(value)),
        }
    }

    /// The same change of a converted value, or the error of the conversion.
    pub fn try_map<U, E>(self, convert: impl FnOnce(T) -> Result<U, E>) -> Result<Patch<U>, E> {
        Ok(match self {
            Self::Keep => Patch::Keep,
            Self::Clear => Patch::Clear,
            Self::Set(value) => Patch::Set(convert(value)?),
        })
    }

    /// Like [`try_map`](Self::try_map) where the conversion may find that nothing is left, as with
    /// blank text, which clears.
    pub fn try_and_then<U, E>(self, convert: impl FnOnce(T) -> Result<Option<U>, E>) -> Result<Patch<U>, E> {
        Ok(match self {
            Self::Keep => Patch::Keep,
            Self::Clear => Patch::Clear,
            Self::Set(value) => convert(value)?.map_or(Patch::Clear, Patch::Set),
        })
    }
}

impl<T: Serialize> Serialize for Patch<T> {
    /// Writes null or the value. A `Keep` has no JSON form other than absence: its field needs
    /// `#[serde(default, skip_serializing_if = "Patch::is_keep")]`, and without it this is an error
    /// rather than a silent null.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Keep => Err(S::Error::custom("a field that is to be kept must be skipped")),
            Self::Clear => serializer.serialize_none(),
            Self::Set(value) => value.serialize(serializer),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Self::Clear, Self::Set))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Edit {
        #[serde(default, skip_serializing_if = "Patch::is_keep")]
        note: Patch<u8>,
    }

    #[test]
    fn null_clears_and_absence_keeps() {
        for (json, patch, after) in [
            ("{}", Patch::Keep, Some(1)),
            (r#"{"note":null}"#, Patch::Clear, None),
            (r#"{"note":2}"#, Patch::Set(2), Some(2)),
        ] {
            let edit: Edit = serde_json::from_str(json).unwrap();
            assert_eq!(edit, Edit { note: patch });
            assert_eq!(serde_json::to_string(&edit).unwrap(), json);
            assert_eq!(edit.note.apply(Some(1)), after);
        }
        assert!(serde_json::from_str::<Edit>(r#"{"note":"x"}"#).is_err());
    }

    #[test]
    fn a_forgotten_skip_is_an_error_and_not_a_clear() {
        assert!(serde_json::to_string(&Patch::<u8>::Keep).is_err());
    }

    #[test]
    fn conversions_keep_the_state() {
        assert_eq!(Patch::Set(2).map(|n| n + 1), Patch::Set(3));
        assert_eq!(Patch::<u8>::Clear.map(|n| n + 1), Patch::Clear);
        assert_eq!(Patch::Set("x").try_map(str::parse::<u8>).ok(), None);
        assert_eq!(Patch::Set("7").try_map(str::parse::<u8>), Ok(Patch::Set(7)));
        assert_eq!(Patch::Set(" ").try_and_then(|text| crate::value::clean(text, 9)), Ok(Patch::Clear));
        assert_eq!(Patch::Set(1).as_ref().value(), Some(&&1));
    }
}
