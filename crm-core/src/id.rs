//! Identifiers that know which entity they point to.
//!
//! An [`Id<E>`] is a UUID version 7 ([RFC 9562]): ordered by creation, made by the caller's
//! [`Environment`](crate::Environment) and never by a database.
//!
//! [RFC 9562]: https://www.rfc-editor.org/rfc/rfc9562

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use crate::value::ValueError;

/// Identifies one record of the entity `E`.
pub struct Id<E> {
    uuid: Uuid,
    entity: PhantomData<fn() -> E>,
}

impl<E> Id<E> {
    /// Wraps a UUID that is known to name a record of `E`.
    pub const fn new(uuid: Uuid) -> Self {
        Self { uuid, entity: PhantomData }
    }

    /// The UUID itself.
    pub const fn uuid(self) -> Uuid {
        self.uuid
    }
}

impl<E> Clone for Id<E> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<E> Copy for Id<E> {}
impl<E> PartialEq for Id<E> {
    fn eq(&self, other: &Self) -> bool {
        self.uuid == other.uuid
    }
}
impl<E> Eq for Id<E> {}
impl<E> PartialOrd for Id<E> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl<E> Ord for Id<E> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.uuid.cmp(&other.uuid)
    }
}
impl<E> Hash for Id<E> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.uuid.hash(state);
    }
}
impl<E> fmt::Debug for Id<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl<E> fmt::Display for Id<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.uuid.as_hyphenated(), f)
    }
}
impl<E> FromStr for Id<E> {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        Uuid::parse_str(text.trim()).map(Self::new).map_err(|_| ValueError::syntax("a UUID", text))
    }
}
impl<E> Serialize for Id<E> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
impl<'de, E> Deserialize<'de> for Id<E> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Thing;

    #[test]
    fn text_round_trips_and_nonsense_is_refused() {
        let id: Id<Thing> = "0190163d-8694-739b-aea5-966c26f8ad91".parse().unwrap();
        assert_eq!(id.to_string().parse::<Id<Thing>>().unwrap(), id);
        assert!("nonsense".parse::<Id<Thing>>().is_err());
    }
}
