//! Exact decimals with six places, for quantities, unit prices and rates.
//!
//! ```
//! use crm_core::value::Decimal6;
//!
//! let rate = Decimal6::parse("0.190")?;
//! assert_eq!(rate.micros(), 190_000);
//! assert_eq!(rate.to_string(), "0.19");
//! assert!(Decimal6::parse("0.1234567").is_err());
//! # Ok::<(), crm_core::value::ValueError>(())
//! ```

use std::{fmt, str::FromStr};

use rust_decimal::Decimal;

use crate::value::{ValueError, serde_as_string};

const PLACES: u32 = 6;
const UNIT: i64 = 1_000_000;

/// A decimal number with at most six places, from about -9.2 to 9.2 million million. Stored as a
/// 64-bit count of millionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Decimal6(i64);

impl Decimal6 {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// One whole.
    pub const ONE: Self = Self(UNIT);
    /// One hundred, the whole of a percentage.
    pub const HUNDRED: Self = Self(100 * UNIT);

    /// Makes a number from a count of millionths, as it is stored.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Reads plain decimal notation: an optional minus, digits, and a point only with digits on
    /// both sides.
    ///
    /// No exponent, no thousands separator, no `NaN`. More than six places are an error unless the
    /// rest are zeros.
    pub fn parse(s: &str) -> Result<Self, ValueError> {
        scaled(s, PLACES).map(Self)
    }

    /// The number in millionths.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// The same number as a [`Decimal`], without trailing zeros.
    pub fn decimal(self) -> Decimal {
        Decimal::new(self.0, PLACES).normalize()
    }

    /// Whether this is zero.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Whether this is below zero.
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// Whether this is above zero.
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// The exact sum, or [`ValueError::Overflow`].
    pub fn checked_add(self, other: Self) -> Result<Self, ValueError> {
        self.0.checked_add(other.0).map(Self).ok_or(ValueError::Overflow)
    }

    /// The exact difference, or [`ValueError::Overflow`].
    pub fn checked_sub(self, other: Self) -> Result<Self, ValueError> {
        self.0.checked_sub(other.0).map(Self).ok_or(ValueError::Overflow)
    }

    /// The negated number, or [`ValueError::Overflow`].
    pub fn checked_neg(self) -> Result<Self, ValueError> {
        self.0.checked_neg().map(Self).ok_or(ValueError::Overflow)
    }

    /// The exact product: [`ValueError::TooManyDecimals`] when it needs more than six places,
    /// [`ValueError::Overflow`] when it is too large. Products that become money are rounded by
    /// [`line_total`](crate::value::line_total) instead.
    pub fn checked_mul(self, other: Self) -> Result<Self, ValueError> {
        let product = i128::from(self.0) * i128::from(other.0);
        let unit = i128::from(UNIT);
        if product % unit != 0 {
            let places =
                Decimal::try_from_i128_with_scale(product, 2 * PLACES).map_or(2 * PLACES, |d| d.normalize().scale());
            return Err(ValueError::TooManyDecimals { allowed: PLACES, got: places });
        }
        i64::try_from(product / unit).map(Self).map_err(|_| ValueError::Overflow)
    }
}

impl TryFrom<Decimal> for Decimal6 {
    type Error = ValueError;

    fn try_from(value: Decimal) -> Result<Self, ValueError> {
        let value = value.normalize();
        if value.scale() > PLACES {
            return Err(ValueError::TooManyDecimals { allowed: PLACES, got: value.scale() });
        }
        value
            .mantissa()
            .checked_mul(10_i128.pow(PLACES - value.scale()))
            .and_then(|micros| i64::try_from(micros).ok())
            .map(Self)
            .ok_or(ValueError::Overflow)
    }
}

impl From<u32> for Decimal6 {
    fn from(whole: u32) -> Self {
        Self(i64::from(whole) * UNIT)
    }
}

impl FromStr for Decimal6 {
    type Err = ValueError;

    fn from_str(s: &str) -> Result<Self, ValueError> {
        Self::parse(s)
    }
}

impl fmt::Display for Decimal6 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut places = PLACES;
        let mut value = self.0;
        while places > 0 && value % 10 == 0 {
            value /= 10;
            places -= 1;
        }
        f.pad(plain(value, places, &mut [0; PLAIN_MAX]))
    }
}

serde_as_string!(Decimal6, "a decimal number in a string, such as \"1.5\"");

const PLAIN: &str = "a plain decimal number such as 1234.50";

/// Reads plain decimal notation as a count of `10^-places`.
pub(crate) fn scaled(s: &str, places: u32) -> Result<i64, ValueError> {
    let text = s.trim();
    if text.is_empty() {
        return Err(ValueError::Blank);
    }
    let syntax = || ValueError::syntax(PLAIN, text);
    let (negative, unsigned) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, fraction) = match unsigned.split_once('.') {
        Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
        Some(_) => return Err(syntax()),
        None => (unsigned, ""),
    };
    if whole.is_empty() || !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit()) {
        return Err(syntax());
    }
    let fraction = fraction.trim_end_matches('0');
    let given = u32::try_from(fraction.len()).unwrap_or(u32::MAX);
    let missing = places.checked_sub(given).ok_or(ValueError::TooManyDecimals { allowed: places, got: given })?;
    // Downwards from zero, because the negative range of an integer is the larger one.
    whole
        .bytes()
        .chain(fraction.bytes())
        .try_fold(0_i64, |sum, digit| sum.checked_mul(10)?.checked_sub(i64::from(digit - b'0')))
        .and_then(|value| value.checked_mul(10_i64.checked_pow(missing)?))
        .and_then(|value| if negative { Some(value) } else { value.checked_neg() })
        .ok_or(ValueError::Overflow)
}

/// Longest output of [`plain`]: a sign, nineteen digits, a point, and a zero before it.
pub(crate) const PLAIN_MAX: usize = 24;

/// Writes a count of `10^-places` in plain decimal notation, with exactly that many places.
pub(crate) fn plain(value: i64, places: u32, buffer: &mut [u8; PLAIN_MAX]) -> &str {
    let mut rest = value.unsigned_abs();
    let mut at = PLAIN_MAX;
    let mut written = 0;
    while rest > 0 || written <= places {
        if written == places && places > 0 {
            at -= 1;
            buffer[at] = b'.';
        }
        at -= 1;
        buffer[at] = b'0' + u8::try_from(rest % 10).expect("a digit is below ten");
        rest /= 10;
        written += 1;
    }
    if value < 0 {
        at -= 1;
        buffer[at] = b'-';
    }
    std::str::from_utf8(&buffer[at..]).expect("only ASCII was written")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn printed_plain_and_without_trailing_zeros() {
        for (micros, text) in
            [(1_500_000, "1.5"), (990_000, "0.99"), (3_000_000, "3"), (0, "0"), (-1, "-0.000001"), (100_000_000, "100")]
        {
            assert_eq!(Decimal6::from_micros(micros).to_string(), text);
        }
        assert_eq!(Decimal6::from_micros(i64::MIN).to_string(), "-9223372036854.775808");
        assert_eq!(Decimal6::parse("-9223372036854.775808"), Ok(Decimal6::from_micros(i64::MIN)));
    }

    #[test]
    fn only_plain_notation_is_read() {
        for bad in
            ["1e3", "NaN", "inf", "1,5", "1_000", "1.", ".5", "+1", "--1", "1.2.3", "0x10", "１", "1 000", "-", "."]
        {
            assert!(matches!(Decimal6::parse(bad), Err(ValueError::Syntax { .. })), "{bad}");
        }
        assert_eq!(Decimal6::parse(" "), Err(ValueError::Blank));
        assert_eq!(Decimal6::parse("-0"), Ok(Decimal6::ZERO));
        assert_eq!(Decimal6::parse("1.50000000000000000000000000000"), Ok(Decimal6::from_micros(1_500_000)));
        assert_eq!(Decimal6::parse("0.0000001"), Err(ValueError::TooManyDecimals { allowed: 6, got: 7 }));
        assert_eq!(Decimal6::parse("9223372036854.775808"), Err(ValueError::Overflow));
        assert_eq!(Decimal6::parse(&"9".repeat(400)), Err(ValueError::Overflow));
    }

    #[test]
    fn products_are_exact_or_refused() {
        let third = Decimal6::parse("0.001").unwrap();
        assert_eq!(third.checked_mul(third), Ok(Decimal6::from_micros(1)));
        assert_eq!(
            Decimal6::from_micros(1).checked_mul(third),
            Err(ValueError::TooManyDecimals { allowed: 6, got: 9 })
        );
        assert_eq!(Decimal6::from_micros(i64::MAX).checked_mul(Decimal6::HUNDRED), Err(ValueError::Overflow));
        assert_eq!(Decimal6::from_micros(i64::MAX).checked_add(Decimal6::ONE), Err(ValueError::Overflow));
        assert_eq!(Decimal6::from_micros(i64::MIN).checked_neg(), Err(ValueError::Overflow));
    }

    #[test]
    fn json_is_a_string_and_numbers_are_refused() {
        assert_eq!(serde_json::to_string(&Decimal6::parse("1.50").unwrap()).unwrap(), "\"1.5\"");
        assert!(serde_json::from_str::<Decimal6>("1.5").is_err());
        assert!(serde_json::from_str::<Decimal6>("1").is_err());
        assert_eq!(serde_json::from_str::<Decimal6>("\"1.5\"").unwrap().micros(), 1_500_000);
    }

    proptest! {
        #[test]
        fn text_and_decimal_round_trip(micros: i64) {
            let value = Decimal6::from_micros(micros);
            prop_assert_eq!(Decimal6::parse(&value.to_string()), Ok(value));
            prop_assert_eq!(Decimal6::try_from(value.decimal()), Ok(value));
            prop_assert_eq!(value.to_string(), value.decimal().to_string());
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[-+0-9.e ]{0,30}") {
            if let Ok(value) = Decimal6::parse(&text) {
                prop_assert_eq!(Some(value.decimal()), text.trim().parse::<Decimal>().ok().map(|d| d.normalize()));
            }
        }
    }
}
