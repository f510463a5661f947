//! Tax numbers, with the check-digit rule of each scheme.
//!
//! The number is kept without punctuation, so that a formatted and a bare one are the same; it is
//! printed as people of its country write it.
//!
//! ```
//! use crm_core::value::{TaxId, TaxScheme, ValueError};
//!
//! let cpf = TaxId::parse(TaxScheme::Cpf, "529.982.247-25")?;
//! assert_eq!(cpf.number(), "52998224725");
//! assert_eq!(cpf.to_string(), "529.982.247-25");
//! assert_eq!(cpf, TaxId::parse(TaxScheme::Cpf, "52998224725")?);
//! assert_eq!(TaxId::parse(TaxScheme::Cpf, "111.111.111-11"), Err(ValueError::CheckDigits { scheme: "CPF" }));
//! # Ok::<(), ValueError>(())
//! ```

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _, ser::SerializeStruct};

use crate::value::{Country, ValueError, clean, serde_as_string};

const OTHER_MAX: usize = 32;

/// Whose rule a tax number follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TaxScheme {
    /// Brazil, natural persons: 11 digits, the last two check digits.
    Cpf,
    /// Brazil, companies: 12 digits or (from July 2026) letters and 2 check digits.
    Cnpj,
    /// Colombia: up to 15 digits and one check digit (DIAN).
    Nit,
    /// Value added tax number: country prefix and 2 to 12 letters or digits. Its check digits
    /// differ by country and are not verified.
    Vat,
    /// Anything else, as text of at most 32 characters.
    Other,
}

impl TaxScheme {
    /// Every scheme, in order.
    pub const ALL: &'static [Self] = &[Self::Cpf, Self::Cnpj, Self::Nit, Self::Vat, Self::Other];
    /// The names of all schemes, in order.
    pub const NAMES: &'static [&'static str] = &["cpf", "cnpj", "nit", "vat", "other"];

    /// The name in storage and in every front end.
    pub const fn as_str(self) -> &'static str {
        Self::NAMES[self as usize]
    }
}

impl FromStr for TaxScheme {
    type Err = ValueError;

    fn from_str(s: &str) -> Result<Self, ValueError> {
        let text = s.trim();
        let named = Self::ALL.iter().find(|scheme| scheme.as_str() == text);
        named.copied().ok_or_else(|| ValueError::unknown_value(text, Self::NAMES))
    }
}

impl fmt::Display for TaxScheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

serde_as_string!(TaxScheme, "one of \"cpf\", \"cnpj\", \"nit\", \"vat\" and \"other\"");

/// A tax number that passes the rule of its scheme.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaxId {
    scheme: TaxScheme,
    number: Box<str>,
}

impl TaxId {
    /// Reads a number, with or without its usual punctuation.
    ///
    /// [`ValueError::CheckDigits`] when the digits do not belong together, [`ValueError::Syntax`]
    /// when there are too few, too many or others than the scheme has.
    pub fn parse(scheme: TaxScheme, s: &str) -> Result<Self, ValueError> {
        let text = clean(s, 64)?.ok_or(ValueError::Blank)?;
        let number = match scheme {
            TaxScheme::Cpf => cpf(&text)?,
            TaxScheme::Cnpj => cnpj(&text)?,
            TaxScheme::Nit => nit(&text)?,
            TaxScheme::Vat => vat(&text)?,
            TaxScheme::Other => clean(&text, OTHER_MAX)?.ok_or(ValueError::Blank)?,
        };
        Ok(Self { scheme, number: number.into() })
    }

    /// The scheme.
    pub const fn scheme(&self) -> TaxScheme {
        self.scheme
    }

    /// The number without punctuation and in capitals: the form to store and compare.
    pub fn number(&self) -> &str {
        &self.number
    }
}

/// The characters of a number without its punctuation, in capitals.
fn bare(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '.' | '-' | '/' | '‐' | '‑' | '–'))
        .map(|c| c.to_ascii_uppercase())
        .collect()
}

/// Weighted sum of digits, where a letter counts as its ASCII code less that of `0`.
fn weighted(digits: &[u8], weights: impl Iterator<Item = u32>) -> u32 {
    digits.iter().rev().zip(weights).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum()
}

/// The check digit of the Brazilian numbers: eleven less the remainder, and 0 for ten and eleven.
fn modulus_11(digits: &[u8], last_weight: u32) -> u8 {
    let rest = weighted(digits, (2..=last_weight).cycle()) % 11;
    if rest < 2 { b'0' } else { b'0' + u8::try_from(11 - rest).expect("at most nine") }
}

/// Verifies two check digits at the end. Repetitions such as 111.111.111-11 pass the arithmetic and
/// are issued to nobody.
fn brazilian(number: String, last_weight: u32, scheme: &'static str) -> Result<String, ValueError> {
    let bytes = number.as_bytes();
    let (first, second) = (bytes.len() - 2, bytes.len() - 1);
    let right = modulus_11(&bytes[..first], last_weight) == bytes[first]
        && modulus_11(&bytes[..second], last_weight) == bytes[second];
    if right && bytes.iter().any(|byte| *byte != bytes[0]) {
        Ok(number)
    } else {
        Err(ValueError::CheckDigits { scheme })
    }
}

/// Source: Receita Federal, Cadastro de Pessoas Físicas.
fn cpf(text: &str) -> Result<String, ValueError> {
    let number = bare(text);
    if number.len() != 11 || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(ValueError::syntax("a CPF of 11 digits such as 529.982.247-25", text));
    }
    brazilian(number, 11, "CPF")
}

/// Source: Receita Federal, Instrução Normativa 2.229/2024: letters as of July 2026, check digits
/// stay digits.
fn cnpj(text: &str) -> Result<String, ValueError> {
    let number = bare(text);
    let form = number.len() == 14
        && number.bytes().take(12).all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
        && number.bytes().skip(12).all(|byte| byte.is_ascii_digit());
    if !form {
        return Err(ValueError::syntax(
            "a CNPJ of 12 letters or digits and 2 check digits such as 11.222.333/0001-81",
            text,
        ));
    }
    brazilian(number, 9, "CNPJ")
}

/// Source: DIAN, Orden Administrativa 4 de 1989: primes as weights from the right, modulus 11.
fn nit(text: &str) -> Result<String, ValueError> {
    const WEIGHTS: [u32; 15] = [3, 7, 13, 17, 19, 23, 29, 37, 41, 43, 47, 53, 59, 67, 71];
    let all = bare(text);
    let number = all.trim_start_matches('0');
    if !(6..=16).contains(&number.len()) || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(ValueError::syntax("a NIT with its check digit such as 800.197.268-4", text));
    }
    let (base, check) = number.as_bytes().split_at(number.len() - 1);
    let rest = weighted(base, WEIGHTS.into_iter()) % 11;
    let digit = if rest > 1 { 11 - rest } else { rest };
    if u32::from(check[0] - b'0') == digit {
        Ok(number.to_owned())
    } else {
        Err(ValueError::CheckDigits { scheme: "NIT" })
    }
}

/// Source: Directive 2006/112/EC, article 215, and the formats of the Commission's VIES service.
/// Greece is `EL`, Northern Ireland `XI`.
fn vat(text: &str) -> Result<String, ValueError> {
    let syntax = || ValueError::syntax("a VAT number with its country such as ESB12345674", text);
    let number = bare(text);
    let rest = number.get(2..).ok_or_else(syntax)?;
    let form = (2..=12).contains(&rest.len())
        && rest.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
        && rest.bytes().any(|byte| byte.is_ascii_digit());
    match &number[..2] {
        _ if !form => Err(syntax()),
        "GR" => Ok(format!("EL{rest}")),
        "EL" | "XI" => Ok(number),
        prefix if Country::from_code(prefix).is_some() => Ok(number),
        _ => Err(syntax()),
    }
}

impl fmt::Display for TaxId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n = &*self.number;
        match self.scheme {
            TaxScheme::Cpf => f.pad(&format!("{}.{}.{}-{}", &n[..3], &n[3..6], &n[6..9], &n[9..])),
            TaxScheme::Cnpj => f.pad(&format!("{}.{}.{}/{}-{}", &n[..2], &n[2..5], &n[5..8], &n[8..12], &n[12..])),
            TaxScheme::Nit => {
                let (base, check) = n.split_at(n.len() - 1);
                let mut out = String::with_capacity(n.len() + 6);
                for (index, digit) in base.chars().enumerate() {
                    if index > 0 && (base.len() - index).is_multiple_of(3) {
                        out.push('.');
                    }
                    out.push(digit);
                }
                f.pad(&format!("{out}-{check}"))
            }
            TaxScheme::Vat | TaxScheme::Other => f.pad(n),
        }
    }
}

impl Serialize for TaxId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("TaxId", 2)?;
        fields.serialize_field("scheme", &self.scheme)?;
        fields.serialize_field("number", &*self.number)?;
        fields.end()
    }
}

impl<'de> Deserialize<'de> for TaxId {
    /// Reads `{"scheme": "cpf", "number": "529.982.247-25"}`. A JSON number is refused: it has lost
    /// its leading zeros.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Fields {
            scheme: TaxScheme,
            number: String,
        }
        let Fields { scheme, number } = Fields::deserialize(deserializer)?;
        Self::parse(scheme, &number).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number(scheme: TaxScheme, text: &str) -> Result<String, ValueError> {
        TaxId::parse(scheme, text).map(|id| id.number().to_owned())
    }

    #[test]
    fn formatted_and_bare_numbers_are_the_same() {
        for (scheme, text, bare, printed) in [
            (TaxScheme::Cpf, "529.982.247-25", "52998224725", "529.982.247-25"),
            (TaxScheme::Cpf, " 111 444 777 35 ", "11144477735", "111.444.777-35"),
            (TaxScheme::Cnpj, "11.222.333/0001-81", "11222333000181", "11.222.333/0001-81"),
            (TaxScheme::Cnpj, "12.abc.345/01de-35", "12ABC34501DE35", "12.ABC.345/01DE-35"),
            (TaxScheme::Nit, "800.197.268-4", "8001972684", "800.197.268-4"),
            (TaxScheme::Nit, "08909039388", "8909039388", "890.903.938-8"),
            (TaxScheme::Nit, "899.999.068-1", "8999990681", "899.999.068-1"),
            (TaxScheme::Nit, "860002964-4", "8600029644", "860.002.964-4"),
            (TaxScheme::Vat, "es b-12345674", "ESB12345674", "ESB12345674"),
            (TaxScheme::Vat, "GR 123456789", "EL123456789", "EL123456789"),
            (TaxScheme::Other, " RUC 20-1 ", "RUC 20-1", "RUC 20-1"),
        ] {
            let id = TaxId::parse(scheme, text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!((id.number(), id.to_string().as_str()), (bare, printed));
            assert_eq!(TaxId::parse(scheme, printed), Ok(id.clone()));
            assert_eq!(TaxId::parse(scheme, bare), Ok(id));
        }
    }

    #[test]
    fn a_cpf_of_one_repeated_digit_is_refused() {
        for digit in '0'..='9' {
            let repeated = |count| digit.to_string().repeat(count);
            assert_eq!(number(TaxScheme::Cpf, &repeated(11)), Err(ValueError::CheckDigits { scheme: "CPF" }));
            assert_eq!(number(TaxScheme::Cnpj, &repeated(14)), Err(ValueError::CheckDigits { scheme: "CNPJ" }));
        }
    }

    #[test]
    fn every_single_wrong_digit_is_found() {
        for (scheme, right) in
            [(TaxScheme::Cpf, "52998224725"), (TaxScheme::Cnpj, "11222333000181"), (TaxScheme::Nit, "8001972684")]
        {
            for at in 0..right.len() {
                for digit in '1'..='9' {
                    let mut wrong = right.to_owned();
                    wrong.replace_range(at..=at, &digit.to_string());
                    assert!(wrong == right || TaxId::parse(scheme, &wrong).is_err(), "{wrong}");
                }
            }
        }
    }

    #[test]
    fn other_forms_are_refused() {
        for (scheme, bad) in [
            (TaxScheme::Cpf, "5299822472"),
            (TaxScheme::Cpf, "529982247255"),
            (TaxScheme::Cpf, "52998224７25"),
            (TaxScheme::Cpf, "ABC.982.247-25"),
            (TaxScheme::Cnpj, "11.222.333/0001-8A"),
            (TaxScheme::Cnpj, "ÑÑ.222.333/0001-81"),
            (TaxScheme::Nit, "00000000"),
            (TaxScheme::Nit, "12345678901234567"),
            (TaxScheme::Nit, "8001972684a"),
            (TaxScheme::Vat, "12345674"),
            (TaxScheme::Vat, "ZZ12345674"),
            (TaxScheme::Vat, "ES"),
            (TaxScheme::Vat, "ES1"),
            (TaxScheme::Vat, "España"),
            (TaxScheme::Vat, "ESPANA"),
            (TaxScheme::Vat, "é1234"),
        ] {
            assert!(matches!(number(scheme, bad), Err(ValueError::Syntax { .. })), "{bad}");
        }
        assert_eq!(number(TaxScheme::Other, " "), Err(ValueError::Blank));
        assert_eq!(number(TaxScheme::Other, "a\0"), Err(ValueError::Control));
        assert_eq!(number(TaxScheme::Other, &"a".repeat(33)), Err(ValueError::TooLong { max: 32, got: 33 }));
    }

    #[test]
    fn json_keeps_leading_zeros() {
        let id = TaxId::parse(TaxScheme::Cpf, "012.345.678-90").unwrap();
        let json = r#"{"scheme":"cpf","number":"01234567890"}"#;
        assert_eq!(serde_json::to_string(&id).unwrap(), json);
        assert_eq!(serde_json::from_str::<TaxId>(json).unwrap(), id);
        assert!(serde_json::from_str::<TaxId>(r#"{"scheme":"cpf","number":1234567890}"#).is_err());
        assert!(serde_json::from_str::<TaxId>(r#"{"scheme":"ssn","number":"1"}"#).is_err());
        for scheme in TaxScheme::ALL {
            assert_eq!(scheme.as_str().parse(), Ok(*scheme));
        }
    }

    proptest! {
        #[test]
        fn reading_twice_changes_nothing(text in "[0-9]{5,17}|[A-Z]{2}[0-9A-Z]{1,12}|[0-9A-Z]{12}[0-9]{2}|\\PC{0,20}", scheme in 0..5_usize) {
            let scheme = TaxScheme::ALL[scheme];
            if let Ok(id) = TaxId::parse(scheme, &text) {
                prop_assert_eq!(TaxId::parse(scheme, id.number()), Ok(id.clone()));
                prop_assert_eq!(TaxId::parse(scheme, &id.to_string()), Ok(id));
            }
        }
    }
}
