//! The names that people sign in with.
//!
//! ```
//! use crm_core::value::Username;
//!
//! let name: Username = " Ana.Peña ".parse()?;
//! assert_eq!(name.as_str(), "Ana.Peña");
//! assert_eq!(name.key(), "ana.pena");
//! assert!("ana@example.com".parse::<Username>().is_err());
//! # Ok::<(), crm_core::value::ValueError>(())
//! ```

use std::{fmt, str::FromStr};

use crate::value::{ValueError, fold, serde_as_string};

const MIN: usize = 3;
const MAX: usize = 50;

/// A name of 3 to 50 letters, digits, dots, hyphens and underscores. It cannot be taken for an e-mail address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Username(Box<str>);

impl Username {
    /// The name as typed.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name for comparing: case and accents do not count.
    pub fn key(&self) -> String {
        fold(&self.0)
    }
}

impl FromStr for Username {
    type Err = ValueError;

    fn from_str(s: &str) -> Result<Self, ValueError> {
        let text = s.trim();
        let got = text.chars().count();
        let allowed = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
        if text.is_empty() {
            Err(ValueError::Blank)
        } else if !text.chars().all(allowed) || !text.chars().any(char::is_alphanumeric) {
            Err(ValueError::syntax("letters, digits, dots, hyphens and underscores such as ana.ruiz", text))
        } else if got < MIN {
            Err(ValueError::TooShort { min: MIN, got })
        } else if got > MAX {
            Err(ValueError::TooLong { max: MAX, got })
        } else {
            Ok(Self(text.into()))
        }
    }
}

impl fmt::Display for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

serde_as_string!(Username, "a user name such as \"ana.ruiz\"");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn malformed_names_are_refused() {
        for bad in ["a b c", "ana@x", "a/b", "ana\u{0}b", "...", "ana\u{200b}b", "<b>"] {
            assert!(matches!(bad.parse::<Username>(), Err(ValueError::Syntax { .. })), "{bad:?}");
        }
        assert_eq!(" ".parse::<Username>(), Err(ValueError::Blank));
        assert_eq!("ab".parse::<Username>(), Err(ValueError::TooShort { min: 3, got: 2 }));
        assert_eq!("ä".repeat(51).parse::<Username>(), Err(ValueError::TooLong { max: 50, got: 51 }));
        assert!("ä".repeat(50).parse::<Username>().is_ok());
    }

    #[test]
    fn names_are_compared_without_case_and_accents() {
        let key = |text: &str| text.parse::<Username>().unwrap().key();
        assert_eq!(key("ANA.PEÑA"), key("ana.pena"));
        assert_ne!(key("ana.pena"), key("ana-pena"));
    }
}
