//! Currencies of ISO 4217.
//!
//! ```
//! use crm_core::value::{Currency, ValueError};
//!
//! let euro: Currency = "eur".parse()?;
//! assert_eq!((euro.code(), euro.exponent()), ("EUR", 2));
//! assert!("XAU".parse::<Currency>().is_err(), "gold has no minor unit");
//! let kuna = "HRK".parse::<Currency>();
//! assert!(matches!(kuna, Err(ValueError::WithdrawnCurrency { .. })));
//! # Ok::<(), ValueError>(())
//! ```

use std::{fmt, str::FromStr, sync::LazyLock};

use iso_currency::IntoEnumIterator;

use crate::value::{Date, ValueError, error::excerpt, serde_as_string};

/// An ISO 4217 currency in which amounts can be stated: it has minor units, and is no test or metal
/// code. New input is in circulation besides; see [`from_stored`](Self::from_stored).
///
/// The order is that of the codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency {
    code: [u8; 3],
    exponent: u8,
}

/// Every usable currency, withdrawn ones included, in order: the ISO table of the `iso_currency`
/// crate and our own list.
static CURRENCIES: LazyLock<Vec<Currency>> = LazyLock::new(|| {
    let current = iso_currency::Currency::iter().filter(|currency| !currency.is_special()).filter_map(|currency| {
        let code = currency.code().as_bytes().try_into().ok()?;
        let exponent = u8::try_from(currency.exponent()?).ok()?;
        Some(Currency { code, exponent })
    });
    let withdrawn = WITHDRAWN.iter().filter_map(|(code, exponent, ..)| {
        let code = code.as_bytes().try_into().ok()?;
        Some(Currency { code, exponent: *exponent })
    });
    let mut all: Vec<_> = current.chain(withdrawn).collect();
    all.sort_unstable();
    all.dedup_by_key(|currency| currency.code);
    all
});

/// Codes that ISO 4217 has moved to its list of historic denominations: the decimal places, and
/// year, month and day on which each was no longer legal tender, or ISO's own date where the issuer
/// named none. The ISO table of the library keeps some of them, and drops them when it pleases.
const WITHDRAWN: [(&str, u8, i32, u32, u32); 11] = [
    ("ANG", 2, 2025, 7, 1),
    ("BGN", 2, 2026, 2, 1),
    ("BYR", 0, 2017, 1, 1),
    ("CUC", 2, 2021, 7, 1),
    ("EEK", 2, 2011, 1, 15),
    ("HRK", 2, 2023, 1, 15),
    ("LTL", 2, 2015, 1, 16),
    ("LVL", 2, 2014, 1, 15),
    ("SLL", 2, 2024, 4, 1),
    ("VEF", 2, 2018, 8, 20),
    ("ZWL", 2, 2024, 9, 1),
];

impl Currency {
    /// Brazilian real.
    pub const BRL: Self = Self { code: *b"BRL", exponent: 2 };
    /// Colombian peso.
    pub const COP: Self = Self { code: *b"COP", exponent: 2 };
    /// Euro.
    pub const EUR: Self = Self { code: *b"EUR", exponent: 2 };
    /// United States dollar.
    pub const USD: Self = Self { code: *b"USD", exponent: 2 };

    /// The three-letter code, in capitals.
    #[expect(clippy::missing_panics_doc, reason = "every code comes from the table")]
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.code).expect("a currency code is three ASCII letters")
    }

    /// How many decimal places amounts have: 2 for EUR, 0 for JPY, 3 for KWD.
    pub const fn exponent(&self) -> u32 {
        self.exponent as u32
    }

    /// The English name, such as `Euro`; for some withdrawn currencies the code.
    pub fn name(&self) -> String {
        iso_currency::Currency::from_code(self.code())
            .map_or_else(|| self.code().to_owned(), |currency| currency.name().to_owned())
    }

    /// Every currency in circulation, in the order of the codes.
    pub fn all() -> impl Iterator<Item = Self> {
        CURRENCIES.iter().copied().filter(|currency| withdrawn(&currency.code).is_none())
    }

    /// Reads a code from storage: one that was in circulation when it was written, and may have
    /// been withdrawn since.
    ///
    /// New input goes through `parse`, which refuses withdrawn currencies.
    pub fn from_stored(code: &str) -> Result<Self, ValueError> {
        let unknown = || ValueError::UnknownCurrency(excerpt(code));
        let mut wanted: [u8; 3] = code.as_bytes().try_into().map_err(|_| unknown())?;
        wanted.make_ascii_uppercase();
        let at = CURRENCIES.binary_search_by(|currency| currency.code.cmp(&wanted)).map_err(|_| unknown())?;
        Ok(CURRENCIES[at])
    }
}

/// When a currency was withdrawn, if it was.
fn withdrawn(code: &[u8]) -> Option<Date> {
    let (.., year, month, day) = WITHDRAWN.iter().find(|(gone, ..)| gone.as_bytes() == code)?;
    Date::from_ymd_opt(*year, *month, *day)
}

impl FromStr for Currency {
    type Err = ValueError;

    /// Reads a code in any case. Withdrawn currencies, and codes without minor units such as `XAU`,
    /// are refused.
    fn from_str(s: &str) -> Result<Self, ValueError> {
        let text = s.trim();
        if text.is_empty() {
            return Err(ValueError::Blank);
        }
        let code = text.to_ascii_uppercase();
        match withdrawn(code.as_bytes()) {
            Some(on) => Err(ValueError::WithdrawnCurrency { code, on }),
            None => Self::from_stored(text),
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

serde_as_string!(Currency, "an ISO 4217 currency code such as \"EUR\"");

#[cfg(test)]
mod tests {
    use super::*;

    fn currency(code: &str) -> Currency {
        code.parse().unwrap()
    }

    #[test]
    fn empty_unknown_metal_and_withdrawn_currencies_are_refused() {
        assert_eq!("".parse::<Currency>(), Err(ValueError::Blank));
        for bad in ["XAU", "XXX", "XTS", "ZZZ", "EURO", "E", "€", "ÉUR", "eu"] {
            assert_eq!(bad.parse::<Currency>(), Err(ValueError::UnknownCurrency(bad.to_owned())), "{bad}");
        }
        for (code, exponent, ..) in WITHDRAWN {
            let stored = Currency::from_stored(code);
            assert_eq!(stored.map(|currency| currency.exponent()), Ok(u32::from(exponent)));
            assert!(
                matches!(code.to_lowercase().parse::<Currency>(), Err(ValueError::WithdrawnCurrency { .. })),
                "{code}"
            );
        }
        assert!(Currency::all().all(|currency| currency.to_string().parse() == Ok(currency)));
        assert!(Currency::all().count() > 150 && Currency::all().is_sorted());
        assert!("VES".parse::<Currency>().is_ok(), "both bolivar codes are in use");
    }

    #[test]
    fn constants_agree_with_the_table() {
        for constant in [Currency::BRL, Currency::COP, Currency::EUR, Currency::USD] {
            assert_eq!(currency(&constant.code().to_lowercase()), constant);
        }
        assert_eq!((currency("KWD").exponent(), currency("CLF").exponent()), (3, 4));
        assert_eq!(Currency::EUR.name(), "Euro");
    }

    #[test]
    fn json_is_checked() {
        assert_eq!(serde_json::to_string(&Currency::EUR).unwrap(), "\"EUR\"");
        assert_eq!(serde_json::from_str::<Currency>("\"eur\"").unwrap(), Currency::EUR);
        assert!(serde_json::from_str::<Currency>("\"\"").is_err());
        assert!(serde_json::from_str::<Currency>("978").is_err());
    }
}
