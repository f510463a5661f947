//! Values that are parsed once and right ever after.
//!
//! Each type here can only be made by a constructor that checks, keeps its fields private, and has
//! one written form that parses back to the same value. Nothing here reads a clock, a locale, the
//! environment or a floating-point number. Every refusal is a [`ValueError`] that says what was
//! wrong and what is expected.
//!
//! ```
//! use crm_core::value::{Currency, Email, Money, Phone, Region};
//!
//! let price = Money::parse("120", "eur".parse::<Currency>()?)?;
//! assert_eq!(price.to_string(), "120.00 EUR");
//! assert_eq!("Lucía@Café.es".parse::<Email>()?.key(), "lucía@xn--caf-dma.es");
//! let region: Region = "CO".parse()?;
//! assert_eq!(Phone::parse("321 123 4567", Some(region))?.e164(), "+573211234567");
//! assert_eq!(Phone::parse("+1 415 555 2671", Some(region))?.e164(), "+14155552671");
//! # Ok::<(), crm_core::value::ValueError>(())
//! ```

mod bounded;
pub mod country;
pub mod currency;
pub mod date;
pub mod decimal;
mod document;
pub mod email;
pub mod error;
pub mod instant;
pub mod money;
pub mod patch;
pub mod phone;
pub mod slug;
pub mod tax_id;
pub mod text;
pub mod username;
pub mod zone;

pub use bounded::{Notes, Text};
pub use country::Country;
pub use currency::Currency;
pub(crate) use date::is_storable;
pub use date::{Date, LAST_DATE, parse_date};
pub use decimal::Decimal6;
pub use document::Document;
pub use email::Email;
pub use error::ValueError;
pub(crate) use error::excerpt;
pub use instant::{Instant, days_of};
pub use money::{Money, line_total, percent_of, round_half_away};
pub use patch::Patch;
pub use phone::{Phone, Region, e164};
pub use slug::Slug;
pub use tax_id::{TaxId, TaxScheme};
pub use text::{FOLD_VERSION, clean, clean_multiline, fold, folded_tokens, tokens};
pub use username::Username;
pub use zone::Zone;

/// Implements `Serialize` through `Display` and `Deserialize` through `FromStr` for a type whose
/// written form is a string.
///
/// Only strings are accepted: a JSON number, boolean or null is refused with the expectation given.
macro_rules! serde_as_string {
    ($type:ty, $expecting:literal) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Text;
                impl serde::de::Visitor<'_> for Text {
                    type Value = $type;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str($expecting)
                    }

                    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<$type, E> {
                        value.parse().map_err(E::custom)
                    }
                }
                deserializer.deserialize_str(Text)
            }
        }
    };
}
pub(crate) use serde_as_string;
