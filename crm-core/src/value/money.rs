//! Exact amounts of money.
//!
//! An amount is a whole number of minor units (cents) and an ISO 4217 currency; there is no
//! floating-point number anywhere. What is typed must fit the currency, since dropping digits
//! silently is how books stop adding up. What is computed is rounded by one function only,
//! [`round_half_away`], once per line; totals are sums of rounded lines.
//!
//! ```
//! use crm_core::value::{Currency, Decimal6, Money, line_total};
//!
//! let eur: Currency = "eur".parse()?;
//! let net = line_total(Decimal6::parse("2.5")?, Decimal6::parse("0.99")?, eur)?;
//! assert_eq!(net.to_string(), "2.48 EUR");
//! assert_eq!(net.checked_add(Money::parse("0.02", eur)?)?.minor(), 250);
//! assert!(net.checked_add(Money::zero("USD".parse()?)).is_err());
//! assert!(Money::parse("10.005", eur).is_err());
//! # Ok::<(), crm_core::value::ValueError>(())
//! ```

use std::{cmp::Ordering, fmt};

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _, ser::SerializeStruct};

pub use crate::value::currency::Currency;
use crate::value::{
    Decimal6, ValueError,
    decimal::{PLAIN_MAX, plain, scaled},
};

/// An exact amount in one currency.
///
/// Amounts that are typed, read or computed for a line are at most [`MAX_MINOR`](Self::MAX_MINOR)
/// minor units in either direction; sums may go on to the ends of 64 bits, and beyond them are
/// [`ValueError::Overflow`]. Amounts have no order of their own, because those of two currencies
/// have none: see [`checked_cmp`](Self::checked_cmp).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    minor: i64,
    currency: Currency,
}

impl Money {
    /// The largest single amount, in minor units: ninety million million in a currency with two
    /// places.
    ///
    /// A thousand such amounts still sum within 64 bits, on every database; and each is below 2^53,
    /// so that spreadsheets and other programs that only know floating-point numbers show it
    /// exactly.
    pub const MAX_MINOR: i64 = 9_000_000_000_000_000;

    /// Makes an amount from minor units, as it is stored or summed up. The limit for single amounts
    /// is not applied here.
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Nothing, in a currency.
    pub const fn zero(currency: Currency) -> Self {
        Self { minor: 0, currency }
    }

    /// Makes an amount from a decimal that the currency can express exactly; trailing zeros do not
    /// count.
    ///
    /// More digits are [`ValueError::TooManyDecimals`], never a rounding; see [`round_half_away`]
    /// for computed amounts.
    pub fn from_decimal(value: Decimal, currency: Currency) -> Result<Self, ValueError> {
        let value = value.normalize();
        let allowed = currency.exponent();
        if value.scale() > allowed {
            return Err(ValueError::TooManyDecimals { allowed, got: value.scale() });
        }
        round_half_away(value, currency)
    }

    /// Reads plain decimal notation: an optional minus, digits, and a point only with digits on
    /// both sides.
    ///
    /// No exponent, no `NaN`, no separators of thousands: `1,234` is a thousand to some and one and
    /// a bit to others.
    pub fn parse(s: &str, currency: Currency) -> Result<Self, ValueError> {
        capped(scaled(s, currency.exponent())?.into(), currency)
    }

    /// The amount in minor units, such as cents.
    pub const fn minor(&self) -> i64 {
        self.minor
    }

    /// The currency.
    pub const fn currency(&self) -> Currency {
        self.currency
    }

    /// The amount as a decimal with exactly as many places as the currency has.
    pub fn decimal(&self) -> Decimal {
        Decimal::new(self.minor, self.currency.exponent())
    }

    /// Whether this is nothing.
    pub const fn is_zero(&self) -> bool {
        self.minor == 0
    }

    /// Whether this is below zero.
    pub const fn is_negative(&self) -> bool {
        self.minor < 0
    }

    /// Whether this is above zero.
    pub const fn is_positive(&self) -> bool {
        self.minor > 0
    }

    /// The sum, or [`ValueError::CurrencyMismatch`] or [`ValueError::Overflow`].
    pub fn checked_add(self, other: Self) -> Result<Self, ValueError> {
        self.same_currency(other)?;
        self.with(self.minor.checked_add(other.minor))
    }

    /// The difference, or [`ValueError::CurrencyMismatch`] or [`ValueError::Overflow`].
    pub fn checked_sub(self, other: Self) -> Result<Self, ValueError> {
        self.same_currency(other)?;
        self.with(self.minor.checked_sub(other.minor))
    }

    /// The opposite amount, or [`ValueError::Overflow`].
    pub fn checked_neg(self) -> Result<Self, ValueError> {
        self.with(self.minor.checked_neg())
    }

    /// How this compares with another amount, or [`ValueError::CurrencyMismatch`].
    pub fn checked_cmp(self, other: Self) -> Result<Ordering, ValueError> {
        self.same_currency(other)?;
        Ok(self.minor.cmp(&other.minor))
    }

    /// The sum of amounts, zero if there are none, or [`ValueError::CurrencyMismatch`] or
    /// [`ValueError::Overflow`].
    pub fn checked_sum(currency: Currency, amounts: impl IntoIterator<Item = Self>) -> Result<Self, ValueError> {
        amounts.into_iter().try_fold(Self::zero(currency), Self::checked_add)
    }

    /// Splits this amount in proportion to weights, without losing or inventing a minor unit.
    ///
    /// Largest remainder: each part is cut off towards zero, and the units left over go one each to
    /// the parts that lost most, the earlier of equals first. [`ValueError::NoWeights`] when
    /// all weights are zero or there are none.
    pub fn allocate(&self, weights: &[u64]) -> Result<Vec<Self>, ValueError> {
        let whole: u128 = weights.iter().copied().map(u128::from).sum();
        if whole == 0 {
            return Err(ValueError::NoWeights);
        }
        let amount = u128::from(self.minor.unsigned_abs());
        // A product of two 64-bit numbers fits into 128 bits.
        let mut parts: Vec<(u128, u128)> = weights
            .iter()
            .map(|weight| (amount * u128::from(*weight) / whole, amount * u128::from(*weight) % whole))
            .collect();
        let given: u128 = parts.iter().map(|(part, _)| part).sum();
        let mut order: Vec<usize> = (0..parts.len()).collect();
        order.sort_by_key(|index| std::cmp::Reverse(parts[*index].1));
        let left_over = usize::try_from(amount - given).map_err(|_| ValueError::Overflow)?;
        for index in order.into_iter().take(left_over) {
            parts[index].0 += 1;
        }
        parts
            .into_iter()
            .map(|(part, _)| {
                let part = i128::try_from(part).map_err(|_| ValueError::Overflow)?;
                let signed = if self.minor < 0 { -part } else { part };
                self.with(i64::try_from(signed).ok())
            })
            .collect()
    }

    fn same_currency(self, other: Self) -> Result<(), ValueError> {
        if self.currency == other.currency {
            Ok(())
        } else {
            Err(ValueError::CurrencyMismatch { left: self.currency, right: other.currency })
        }
    }

    fn with(self, minor: Option<i64>) -> Result<Self, ValueError> {
        minor.map(|minor| Self { minor, ..self }).ok_or(ValueError::Overflow)
    }
}

/// Rounds a computed amount to the minor unit of its currency, half away from zero (commercial
/// rounding).
///
/// This is the only place where money is rounded: 10.005 becomes 10.01, 2.675 becomes 2.68, and
/// -10.005 becomes -10.01.
pub fn round_half_away(value: Decimal, currency: Currency) -> Result<Money, ValueError> {
    rounded(value.mantissa(), value.scale(), currency)
}

/// So many percent of an amount, exact and then rounded once by the rule of [`round_half_away`].
///
/// [`ValueError::Overflow`] when the result is larger than any single amount may be.
pub fn percent_of(amount: Money, percent: Decimal6) -> Result<Money, ValueError> {
    // Two 64-bit factors always fit into 128 bits. The scale is that of the amount, and six places
    // of the percentage, and two for the hundred.
    let exact = i128::from(amount.minor) * i128::from(percent.micros());
    rounded(exact, amount.currency.exponent() + 8, amount.currency)
}

/// The total of a line: the exact product of quantity and unit price, rounded once by the rule of
/// [`round_half_away`].
pub fn line_total(quantity: Decimal6, unit_price: Decimal6, currency: Currency) -> Result<Money, ValueError> {
    // Two 64-bit factors always fit into 128 bits, and six places each make twelve.
    rounded(i128::from(quantity.micros()) * i128::from(unit_price.micros()), 12, currency)
}

/// Rounds `value / 10^scale` to minor units.
fn rounded(value: i128, scale: u32, currency: Currency) -> Result<Money, ValueError> {
    let exponent = currency.exponent();
    let minor = if let Some(surplus) = scale.checked_sub(exponent) {
        let unit = 10_i128.checked_pow(surplus).ok_or(ValueError::Overflow)?;
        let (whole, rest) = (value / unit, value % unit);
        // The rest of a truncating division has the sign of the value.
        if rest.unsigned_abs() >= unit.unsigned_abs().div_ceil(2) { whole + rest.signum() } else { whole }
    } else {
        value.checked_mul(10_i128.pow(exponent - scale)).ok_or(ValueError::Overflow)?
    };
    capped(minor, currency)
}

/// Applies the limit for single amounts.
fn capped(minor: i128, currency: Currency) -> Result<Money, ValueError> {
    let minor = i64::try_from(minor).map_err(|_| ValueError::Overflow)?;
    if (-Money::MAX_MINOR..=Money::MAX_MINOR).contains(&minor) {
        Ok(Money { minor, currency })
    } else {
        Err(ValueError::Overflow)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(plain(self.minor, self.currency.exponent(), &mut [0; PLAIN_MAX]))?;
        f.write_str(" ")?;
        f.write_str(self.currency.code())
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Money", 2)?;
        fields.serialize_field("amount", plain(self.minor, self.currency.exponent(), &mut [0; PLAIN_MAX]))?;
        fields.serialize_field("currency", &self.currency)?;
        fields.end()
    }
}

impl<'de> Deserialize<'de> for Money {
    /// Reads `{"amount": "120.00", "currency": "EUR"}`; an amount that is a JSON number is refused.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Fields {
            amount: String,
            currency: Currency,
        }
        let Fields { amount, currency } = Fields::deserialize(deserializer)?;
        Self::parse(&amount, currency).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn currency(code: &str) -> Currency {
        code.parse().unwrap()
    }

    fn jpy() -> Currency {
        currency("JPY")
    }

    fn eur(text: &str) -> Result<Money, ValueError> {
        Money::parse(text, Currency::EUR)
    }

    fn rounded_eur(text: &str) -> String {
        round_half_away(text.parse().unwrap(), Currency::EUR).unwrap().to_string()
    }

    #[test]
    fn computed_amounts_round_half_away_from_zero() {
        for (value, expected) in [
            ("10.005", "10.01 EUR"),
            ("2.675", "2.68 EUR"),
            ("-10.005", "-10.01 EUR"),
            ("10.004999999999999999", "10.00 EUR"),
            ("-5.005", "-5.01 EUR"),
            ("0.005", "0.01 EUR"),
            ("-0.0049", "0.00 EUR"),
            ("0.0000000000000000000000000001", "0.00 EUR"),
            ("120", "120.00 EUR"),
        ] {
            assert_eq!(rounded_eur(value), expected);
        }
        assert_eq!(round_half_away("0.5".parse().unwrap(), jpy()).unwrap().to_string(), "1 JPY");
        assert_eq!(round_half_away("1.00049".parse().unwrap(), currency("KWD")).unwrap().to_string(), "1.000 KWD");
        assert_eq!(round_half_away(Decimal::MAX, Currency::EUR), Err(ValueError::Overflow));
        assert_eq!(round_half_away(Decimal::MIN, jpy()), Err(ValueError::Overflow));
    }

    #[test]
    fn typed_10_005_is_refused_and_not_rounded() {
        assert_eq!(eur("10.005"), Err(ValueError::TooManyDecimals { allowed: 2, got: 3 }));
        assert_eq!(eur("10.0100000").map(|money| money.minor()), Ok(1001));
        let exact = |text: &str, currency| Money::from_decimal(text.parse().unwrap(), currency);
        assert_eq!(exact("10.005", Currency::EUR), Err(ValueError::TooManyDecimals { allowed: 2, got: 3 }));
        assert_eq!(exact("10.500", Currency::EUR).map(|money| money.minor()), Ok(1050));
        assert_eq!(exact("10.5", jpy()), Err(ValueError::TooManyDecimals { allowed: 0, got: 1 }));
        assert_eq!(Money::parse("10.0", jpy()).map(|money| money.minor()), Ok(10));
    }

    #[test]
    fn nan_exponents_and_separators_are_refused() {
        for bad in ["NaN", "inf", "1e3", "1,234.50", "1.234,50", "1_000", "1 000", "€5", "5 EUR", "", "٣"] {
            assert!(eur(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn amounts_beyond_the_limit_are_a_typed_error() {
        assert_eq!(eur("90000000000000.00").map(|money| money.minor()), Ok(Money::MAX_MINOR));
        assert_eq!(eur("90000000000000.01"), Err(ValueError::Overflow));
        assert_eq!(eur("-90000000000000.01"), Err(ValueError::Overflow));
        assert_eq!(eur("99999999999999999999999999"), Err(ValueError::Overflow));
        assert_eq!(Money::from_decimal(Decimal::MAX, Currency::EUR), Err(ValueError::Overflow));
        let most = Money::new(Money::MAX_MINOR, Currency::EUR);
        assert!(Money::checked_sum(Currency::EUR, vec![most; 1000]).is_ok());
        assert_eq!(Money::checked_sum(Currency::EUR, vec![most; 1025]), Err(ValueError::Overflow));
        assert_eq!(Money::new(i64::MIN, Currency::EUR).checked_neg(), Err(ValueError::Overflow));
        assert_eq!(Money::new(i64::MIN, Currency::EUR).to_string(), "-92233720368547758.08 EUR");
        assert_eq!(Money::new(i64::MIN, Currency::EUR).decimal().to_string(), "-92233720368547758.08");
    }

    #[test]
    fn currencies_are_never_added_together() {
        let (euro, dollar) = (Money::new(1, Currency::EUR), Money::new(1, Currency::USD));
        let mismatch = ValueError::CurrencyMismatch { left: Currency::EUR, right: Currency::USD };
        assert_eq!(euro.checked_add(dollar), Err(mismatch.clone()));
        assert_eq!(euro.checked_sub(dollar), Err(mismatch.clone()));
        assert_eq!(euro.checked_cmp(dollar), Err(mismatch));
        assert!(Money::checked_sum(Currency::EUR, [euro, dollar]).is_err());
    }

    #[test]
    fn json_amounts_are_text() {
        let money = eur("120").unwrap();
        let json = r#"{"amount":"120.00","currency":"EUR"}"#;
        assert_eq!(serde_json::to_string(&money).unwrap(), json);
        assert_eq!(serde_json::from_str::<Money>(json).unwrap(), money);
        for bad in [
            r#"{"amount":120.00,"currency":"EUR"}"#,
            r#"{"amount":120,"currency":"EUR"}"#,
            r#"{"amount":"120.005","currency":"EUR"}"#,
            r#"{"amount":"120","currency":""}"#,
            r#"{"amount":"120"}"#,
            r#"{"amount":"120","currency":"EUR","rate":"1"}"#,
            r#"{"amount":null,"currency":"EUR"}"#,
            r#""120.00 EUR""#,
        ] {
            assert!(serde_json::from_str::<Money>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn line_totals_are_exact_before_the_one_rounding() {
        let total = |quantity, price| {
            line_total(Decimal6::parse(quantity).unwrap(), Decimal6::parse(price).unwrap(), Currency::EUR)
        };
        assert_eq!(total("3", "0.333333").unwrap().minor(), 100);
        assert_eq!(total("1", "10.005").unwrap().minor(), 1001);
        assert_eq!(total("-1", "2.675").unwrap().minor(), -268);
        assert_eq!(total("0.1", "0.05").unwrap().minor(), 1);
        assert_eq!(total("0.000001", "0.000001").unwrap().minor(), 0);
        assert_eq!(total("9223372036854", "9223372036854"), Err(ValueError::Overflow));
    }

    #[test]
    fn percentages_are_exact_before_the_one_rounding() {
        let percent = |minor, percent| {
            percent_of(Money::new(minor, Currency::EUR), Decimal6::parse(percent).unwrap()).map(|money| money.minor())
        };
        assert_eq!(percent(10_000, "19"), Ok(1_900));
        assert_eq!(percent(50, "19"), Ok(10));
        assert_eq!(percent(-50, "19"), Ok(-10));
        assert_eq!(percent(1, "50"), Ok(1));
        assert_eq!(percent(1, "49.999999"), Ok(0));
        assert_eq!(percent(4_999_999_999_999_999, "100.000001"), Ok(5_000_000_049_999_999));
        assert_eq!(percent(Money::MAX_MINOR, "100"), Ok(Money::MAX_MINOR));
        assert_eq!(percent(Money::MAX_MINOR, "100.000001"), Err(ValueError::Overflow));
        assert_eq!(percent(i64::MIN, "9223372036854"), Err(ValueError::Overflow));
    }

    #[test]
    fn splitting_by_no_weights_is_an_error() {
        let money = Money::new(100, Currency::EUR);
        assert_eq!(money.allocate(&[]), Err(ValueError::NoWeights));
        assert_eq!(money.allocate(&[0, 0]), Err(ValueError::NoWeights));
        let thirds: Vec<_> = money.allocate(&[1, 1, 1]).unwrap().iter().map(Money::minor).collect();
        assert_eq!(thirds, [34, 33, 33]);
        let refund: Vec<_> =
            Money::new(-5, Currency::EUR).allocate(&[7, 3]).unwrap().iter().map(Money::minor).collect();
        assert_eq!(refund, [-4, -1]);
        assert!(Money::new(i64::MIN, jpy()).allocate(&[u64::MAX, u64::MAX]).is_ok());
    }

    proptest! {
        #[test]
        fn parts_sum_to_the_whole(minor: i64, weights in proptest::collection::vec(0..u64::MAX, 1..20)) {
            prop_assume!(weights.iter().any(|weight| *weight > 0));
            let money = Money::new(minor, Currency::EUR);
            let parts = money.allocate(&weights).unwrap();
            prop_assert_eq!(Money::checked_sum(Currency::EUR, parts.iter().copied()), Ok(money));
            for (part, weight) in parts.iter().zip(&weights) {
                prop_assert!(*weight > 0 || part.is_zero());
            }
        }

        #[test]
        fn text_and_json_round_trip(minor in -Money::MAX_MINOR..=Money::MAX_MINOR, index: prop::sample::Index) {
            let all: Vec<_> = Currency::all().collect();
            let currency = *index.get(&all);
            let money = Money::new(minor, currency);
            let text = money.to_string();
            prop_assert_eq!(Money::parse(text.strip_suffix(currency.code()).unwrap(), currency), Ok(money));
            prop_assert_eq!(Money::from_decimal(money.decimal(), currency), Ok(money));
            prop_assert_eq!(money.decimal().scale(), currency.exponent());
            prop_assert_eq!(format!("{} {}", money.decimal(), currency), text);
            prop_assert_eq!(serde_json::from_str::<Money>(&serde_json::to_string(&money).unwrap()).unwrap(), money);
        }

        #[test]
        fn rounding_agrees_with_the_decimal_library(mantissa in -1_000_000_000_000_000_000_i64..1_000_000_000_000_000_000, scale in 0..=18_u32) {
            let value = Decimal::new(mantissa, scale);
            let library = value.round_dp_with_strategy(2, rust_decimal::RoundingStrategy::MidpointAwayFromZero);
            if let Ok(money) = round_half_away(value, Currency::EUR) {
                prop_assert_eq!(money.decimal(), library);
            } else {
                prop_assert!(library.abs() > Decimal::new(Money::MAX_MINOR, 2));
            }
        }

        #[test]
        fn line_totals_are_the_rounded_product(quantity in -1_000_000_000_000_i64..1_000_000_000_000, price in -1_000_000_000_000_i64..1_000_000_000_000) {
            let (quantity, price) = (Decimal6::from_micros(quantity), Decimal6::from_micros(price));
            prop_assert_eq!(line_total(quantity, price, Currency::EUR), round_half_away(quantity.decimal() * price.decimal(), Currency::EUR));
        }
    }
}
