//! What an API key may do: operations of the policy by name, or all of an entity, or all reads.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use super::POLICY;
use crate::entity::{Field, Kind, Locale};
use crate::row::Value;
use crate::value::ValueError;

/// The scopes of an API key: `contact.create`, `contact.*`, `*.read`. As text they are separated by spaces. No scope lets a
/// key manage keys, quotas, members, invitations or users; it may end itself.
///
/// ```
/// use crm_core::access::Scopes;
///
/// let scopes: Scopes = "*.read contact.*".parse()?;
/// assert!(scopes.allow("deal", "read") && scopes.allow("contact", "delete"));
/// assert!(!scopes.allow("deal", "delete"));
/// assert!("contact.explode".parse::<Scopes>().is_err());
/// # Ok::<(), crm_core::value::ValueError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scopes(BTreeSet<String>);

impl Scopes {
    /// Whether one of them names the operation.
    pub fn allow(&self, entity: &str, verb: &str) -> bool {
        self.0.iter().any(|scope| covers(scope, entity, verb))
    }

    /// Each of them, sorted.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

fn covers(scope: &str, entity: &str, verb: &str) -> bool {
    match scope.split_once('.') {
        Some(("*", "read")) => verb == "read",
        Some((named, "*")) => named == entity,
        Some((named, action)) => named == entity && action == verb,
        None => false,
    }
}

impl FromStr for Scopes {
    type Err = ValueError;

    /// Reads scopes separated by white space or commas. One that names no operation of the policy, or only what is for
    /// members alone, is refused, so that a slip of the pen does not go unnoticed.
    fn from_str(text: &str) -> Result<Self, ValueError> {
        let words = text.split(|c: char| c == ',' || c.is_whitespace()).filter(|word| !word.is_empty());
        let scopes: BTreeSet<String> = words.map(str::to_owned).collect();
        let operations =
            || POLICY.iter().filter(|rule| rule.is_for_keys()).filter_map(|rule| rule.operation.split_once('.'));
        if let Some(wrong) = scopes.iter().find(|scope| !operations().any(|(entity, verb)| covers(scope, entity, verb)))
        {
            return Err(ValueError::syntax("scopes such as contact.create, contact.* or *.read", wrong));
        }
        if scopes.is_empty() { Err(ValueError::Blank) } else { Ok(Self(scopes)) }
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, scope) in self.iter().enumerate() {
            let gap = if position == 0 { "" } else { " " };
            write!(f, "{gap}{scope}")?;
        }
        Ok(())
    }
}

impl Field for Scopes {
    const KIND: Kind = Kind::Text;
    fn store(&self) -> Value {
        Value::Text(self.to_string())
    }
    /// What was written stays readable when the policy has lost an operation; it then allows nothing.
    fn load(value: Value) -> Result<Self, ValueError> {
        String::load(value).map(|text| Self(text.split(' ').map(str::to_owned).collect()))
    }
    fn parse(text: &str, _: &Locale) -> Result<Self, ValueError> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_name_operations_and_nothing_else() {
        for wrong in [
            "",
            "contact",
            "contact.explode",
            "nothing.read",
            "*.delete",
            "*.*",
            "*",
            "contact.*.read",
            ".",
            "membership.add",
        ] {
            assert!(wrong.parse::<Scopes>().is_err(), "{wrong}");
        }
        let scopes: Scopes = "contact.create,contact.read  contact.read\n*.read".parse().unwrap();
        assert_eq!(scopes.to_string(), "*.read contact.create contact.read");
        assert_eq!(Scopes::load(scopes.store()).unwrap(), scopes);
    }

    #[test]
    fn a_scope_reaches_no_further_than_its_words() {
        let scopes: Scopes = "contact.*".parse().unwrap();
        assert!(scopes.allow("contact", "delete") && !scopes.allow("contac", "delete"));
        let scopes: Scopes = "deal.move".parse().unwrap();
        assert!(scopes.allow("deal", "move") && !scopes.allow("deal", "move_back") && !scopes.allow("deal", "read"));
        let scopes: Scopes = "*.read".parse().unwrap();
        assert!(scopes.allow("api_key", "read") && !scopes.allow("contact", "update"));
    }
}
