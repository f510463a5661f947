//! Text with a limit, parsed once.

use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{ValueError, clean, clean_multiline};
use crate::entity::{Field, Kind, Locale};
use crate::row::Value;

/// Declares one of the two bounded text types.
macro_rules! bounded {
    ($(#[$meta:meta])* $name:ident, $clean:path) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name<const MAX: usize>(String);

        impl<const MAX: usize> $name<MAX> {
            /// Parses; text that is blank after trimming is absent.
            pub fn optional(text: &str) -> Result<Option<Self>, ValueError> {
                Ok($clean(text, MAX)?.map(Self))
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl<const MAX: usize> FromStr for $name<MAX> {
            type Err = ValueError;
            fn from_str(text: &str) -> Result<Self, ValueError> {
                Self::optional(text)?.ok_or(ValueError::Blank)
            }
        }

        impl<const MAX: usize> Deref for $name<MAX> {
            type Target = str;
            fn deref(&self) -> &str {
                &self.0
            }
        }

        impl<const MAX: usize> fmt::Display for $name<MAX> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl<const MAX: usize> Serialize for $name<MAX> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de, const MAX: usize> Deserialize<'de> for $name<MAX> {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }

        impl<const MAX: usize> Field for $name<MAX> {
            const KIND: Kind = Kind::Text;
            fn store(&self) -> Value {
                Value::Text(self.0.clone())
            }
            fn load(value: Value) -> Result<Self, ValueError> {
                String::load(value).map(Self)
            }
            fn parse(text: &str, _: &Locale) -> Result<Self, ValueError> {
                text.parse()
            }
        }
    };
}

bounded!(
    /// One line of text: trimmed, not blank, without control characters, at most `MAX` characters.
    Text,
    clean
);
bounded!(
    /// Several lines of text: like [`Text`], with line breaks and tabs.
    Notes,
    clean_multiline
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_counted_in_characters() {
        assert_eq!("áé".parse::<Text<2>>().unwrap().as_str(), "áé");
        assert_eq!("abc".parse::<Text<2>>(), Err(ValueError::TooLong { max: 2, got: 3 }));
        assert_eq!("  ".parse::<Text<2>>(), Err(ValueError::Blank));
        assert_eq!(Text::<2>::optional(" "), Ok(None));
        assert!("a\nb".parse::<Text<9>>().is_err());
        assert_eq!("a\r\nb".parse::<Notes<9>>().unwrap().as_str(), "a\nb");
    }
}
