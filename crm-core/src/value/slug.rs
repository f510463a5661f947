//! Short names for addresses and paths.
//!
//! ```
//! use crm_core::value::Slug;
//!
//! assert_eq!("acme-2".parse::<Slug>()?.as_str(), "acme-2");
//! assert!("Acme".parse::<Slug>().is_err());
//! # Ok::<(), crm_core::value::ValueError>(())
//! ```

use std::{fmt, str::FromStr};

use crate::value::{ValueError, serde_as_string};

const MIN: usize = 2;
const MAX: usize = 64;

/// A name of 2 to 64 characters from `a-z`, `0-9` and `-`, not beginning with `-`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slug(Box<str>);

impl Slug {
    /// The slug as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Slug {
    type Err = ValueError;

    /// Reads a slug exactly; capitals are refused, not changed, so that one name has one spelling.
    fn from_str(s: &str) -> Result<Self, ValueError> {
        let text = s.trim();
        let got = text.chars().count();
        let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
        if text.is_empty() {
            Err(ValueError::Blank)
        } else if text.starts_with('-') || !text.bytes().all(allowed) {
            Err(ValueError::syntax("lower-case letters a-z, digits and inner hyphens such as acme-2", text))
        } else if got < MIN {
            Err(ValueError::TooShort { min: MIN, got })
        } else if got > MAX {
            Err(ValueError::TooLong { max: MAX, got })
        } else {
            Ok(Self(text.into()))
        }
    }
}

impl AsRef<str> for Slug {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

serde_as_string!(Slug, "a slug such as \"acme-2\"");

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn malformed_slugs_are_refused() {
        for bad in ["-a", "a_b", "Acme", "café", "a b", "a/b", "..", "%2e", "a\0"] {
            assert!(matches!(bad.parse::<Slug>(), Err(ValueError::Syntax { .. })), "{bad}");
        }
        assert_eq!(" ".parse::<Slug>(), Err(ValueError::Blank));
        assert_eq!("a".parse::<Slug>(), Err(ValueError::TooShort { min: 2, got: 1 }));
        assert_eq!("a".repeat(65).parse::<Slug>(), Err(ValueError::TooLong { max: 64, got: 65 }));
        assert!("a".repeat(64).parse::<Slug>().is_ok());
        assert!(serde_json::from_str::<Slug>("\"A\"").is_err());
    }

    proptest! {
        #[test]
        fn slugs_round_trip(text in "[a-z0-9][a-z0-9-]{1,63}") {
            let slug: Slug = text.parse().unwrap();
            prop_assert_eq!(slug.as_str(), &text);
            prop_assert_eq!(serde_json::from_str::<Slug>(&serde_json::to_string(&slug).unwrap()).unwrap(), slug);
        }
    }
}
