//! Phone numbers.
//!
//! A number is stored in E.164 form (`+`, country code, number) and only if it is valid in its
//! country's numbering plan. The default region serves numbers in national form only: a number with
//! a leading `+` says its country itself.
//!
//! ```
//! use crm_core::value::{Phone, Region, ValueError};
//!
//! let colombia: Region = "CO".parse()?;
//! assert_eq!(Phone::parse("(601) 234-5678", Some(colombia))?.e164(), "+576012345678");
//! assert_eq!(Phone::parse("+1 415 555 2671", Some(colombia))?.e164(), "+14155552671");
//! assert!(matches!(Phone::parse("601 2345678", None), Err(ValueError::PhoneRegion { .. })));
//! assert!(matches!(Phone::parse("12", Some(colombia)), Err(ValueError::PhoneInvalid { .. })));
//! # Ok::<(), ValueError>(())
//! ```

use std::{fmt, str::FromStr};

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumber, PhoneNumberFormat};

use crate::value::{Country, ValueError, error::excerpt, serde_as_string};

const E164: &str = "a phone number in E.164 form such as +573211234567";

/// A valid phone number in E.164 form.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Phone(Box<str>);

impl Phone {
    /// Reads a number as people write it.
    ///
    /// `default_region` is where a number without a country code is dialled from.
    /// [`ValueError::PhoneRegion`] when it would be needed and is absent;
    /// [`ValueError::PhoneInvalid`] when no such number exists. An extension is not part of E.164
    /// and is dropped.
    pub fn parse(input: &str, default_region: Option<Region>) -> Result<Self, ValueError> {
        let text = input.trim();
        if text.is_empty() {
            return Err(ValueError::Blank);
        }
        // Who is looked up by an e-mail address need not wait until the numbering plans are read.
        if text.contains('@') {
            let region = default_region.map(|region| region.as_str().to_owned());
            return Err(ValueError::PhoneInvalid { got: excerpt(text), region });
        }
        // Without the region the library cannot fall back to it when the country code after the
        // plus is unknown.
        let region = default_region.filter(|_| !is_international(text));
        if let Some((number, true)) = e164(text, region) {
            return Ok(Self(number.into()));
        }
        if region.is_none() && !is_international(text) && text.bytes().filter(u8::is_ascii_digit).count() > 1 {
            return Err(ValueError::PhoneRegion { got: excerpt(text) });
        }
        Err(ValueError::PhoneInvalid { got: excerpt(text), region: region.map(|region| region.as_str().to_owned()) })
    }

    /// Reads a number from storage: E.164 form is checked, the numbering plan is not, since plans
    /// change and what was valid once has to stay readable.
    pub fn from_e164(number: &str) -> Result<Self, ValueError> {
        match number.as_bytes() {
            [b'+', b'1'..=b'9', rest @ ..] if (3..=17).contains(&rest.len()) && rest.iter().all(u8::is_ascii_digit) => {
                Ok(Self(number.into()))
            }
            _ => Err(ValueError::syntax(E164, number)),
        }
    }

    /// The number in E.164 form: `+` and digits only.
    pub fn e164(&self) -> &str {
        &self.0
    }

    /// The number as people of its country expect it from abroad, such as `+57 321 1234567`.
    pub fn international(&self) -> String {
        PhoneNumber::parse(&*self.0, None).map_or_else(
            |_| self.0.to_string(),
            |number| number.format_as(PhoneNumberFormat::International).into_owned(),
        )
    }
}

/// Formats a number as E.164 and says whether it is valid, or gives `None` when it does not read as
/// a number at all.
///
/// This is the phone library without our rules on top, for reports on numbers that [`Phone::parse`]
/// refuses.
pub fn e164(input: &str, region: Option<Region>) -> Option<(String, bool)> {
    let number = PhoneNumber::parse(input, region.and_then(Region::library)).ok()?;
    Some((number.format_as(PhoneNumberFormat::E164).into_owned(), number.is_valid()))
}

/// Whether a number says its country itself: the first dialled character is a plus, or its RFC 3966
/// context begins with one.
fn is_international(text: &str) -> bool {
    let first = text.chars().find(|c| matches!(c, '+' | '＋') || c.is_numeric());
    matches!(first, Some('+' | '＋')) || text.contains(";phone-context=+")
}

impl FromStr for Phone {
    type Err = ValueError;

    /// Reads a number with a country code, that is, without a default region.
    fn from_str(s: &str) -> Result<Self, ValueError> {
        Self::parse(s, None)
    }
}

impl fmt::Display for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

serde_as_string!(Phone, "a phone number with its country code in a string, such as \"+573211234567\"");

/// A region with a numbering plan, by its two-letter code: where numbers without a country code are
/// dialled from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Region([u8; 2]);

impl Region {
    /// The two-letter code, in capitals.
    #[expect(clippy::missing_panics_doc, reason = "every code was parsed")]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("a region code is two ASCII letters")
    }

    /// Reads a code from storage: its form is checked, not whether it has a numbering plan. Reading the plans takes
    /// longer than everything else that a short command does.
    pub fn from_stored(code: &str) -> Result<Self, ValueError> {
        match code.as_bytes() {
            [first, second] if first.is_ascii_uppercase() && second.is_ascii_uppercase() => Ok(Self([*first, *second])),
            _ => Err(ValueError::syntax("a two-letter code of a region in capitals", code)),
        }
    }

    fn library(self) -> Option<rlibphonenumber::Region> {
        rlibphonenumber::Region::from_code(self.as_str()).ok()
    }
}

impl FromStr for Region {
    type Err = ValueError;

    fn from_str(s: &str) -> Result<Self, ValueError> {
        let text = s.trim();
        if text.is_empty() {
            return Err(ValueError::Blank);
        }
        let syntax = || ValueError::syntax("a two-letter code of a region with phone numbers such as CO", text);
        let code: [u8; 2] = text.to_ascii_uppercase().as_bytes().try_into().map_err(|_| syntax())?;
        let known = rlibphonenumber::Region::from_code(text).ok();
        let known = known.and_then(|region| PHONE_NUMBER_UTIL.get_country_code_for_region(region));
        known.map(|_| Self(code)).ok_or_else(syntax)
    }
}

impl TryFrom<Country> for Region {
    type Error = ValueError;

    /// The region of a country; uninhabited territories such as Bouvet Island have none.
    fn try_from(country: Country) -> Result<Self, ValueError> {
        country.code().parse()
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

serde_as_string!(Region, "a two-letter region code such as \"CO\"");

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CORPUS: &str = include_str!("../../tests/data/phone-corpus.tsv");

    /// Region, input, expected E.164 or `ERR` for what does not read as a number at all, validity.
    /// From Google's Python port.
    fn corpus() -> impl Iterator<Item = (Region, &'static str, &'static str, bool)> {
        CORPUS.lines().map(|line| {
            let fields: Vec<_> = line.split('\t').collect();
            (fields[0].parse().unwrap(), fields[1], fields[2], fields[3] == "true")
        })
    }

    #[test]
    fn every_row_of_the_corpus_is_right() {
        assert_eq!(corpus().count(), 1164);
        for (region, input, expected, valid) in corpus() {
            let got = e164(input, Some(region)).unwrap_or(("ERR".to_owned(), false));
            assert_eq!((got.0.as_str(), got.1), (expected, valid), "{region} {input}");
            match Phone::parse(input, Some(region)) {
                Ok(phone) => assert!(valid && phone.e164() == expected, "{region} {input} {phone}"),
                Err(error) => assert!(!valid, "{region} {input} {error}"),
            }
        }
    }

    #[test]
    fn a_plus_is_never_overridden_by_the_default_region() {
        let argentina: Region = "AR".parse().unwrap();
        for (input, expected) in [
            ("+1 415 555 2671", "+14155552671"),
            ("+49 1511 2345678", "+4915112345678"),
            ("+33 6 12 34 56 78", "+33612345678"),
            ("+34 612 34 56 78", "+34612345678"),
            ("（＋５７）３２１ １２３４５６７", "+573211234567"),
            ("tel:+57-321-1234567", "+573211234567"),
            ("tel:321-1234567;phone-context=+57", "+573211234567"),
        ] {
            for region in [None, Some(argentina), Some("US".parse().unwrap())] {
                assert_eq!(Phone::parse(input, region).unwrap().e164(), expected, "{input}");
            }
        }
        // Neither is an unknown country code: without the plus this would be a valid number in
        // Argentina.
        assert!(Phone::parse("011 4123-4567", Some(argentina)).is_ok());
        assert!(Phone::parse("+011 4123-4567", Some(argentina)).is_err());
    }

    #[test]
    fn twelve_is_not_a_phone_number() {
        let venezuela: Region = "VE".parse().unwrap();
        for bad in ["12", "0", "abc", "+", "+12", "123456", "+99912345678", "\u{0}", "１２"] {
            for region in [None, Some(venezuela)] {
                assert!(Phone::parse(bad, region).is_err(), "{bad}");
            }
        }
        assert_eq!(Phone::parse("  ", None), Err(ValueError::Blank));
        assert!(matches!(Phone::parse("0414 123 4567", None), Err(ValueError::PhoneRegion { .. })));
        assert!(Phone::parse(&"1".repeat(100_000), Some(venezuela)).is_err());
    }

    #[test]
    fn the_number_that_other_libraries_corrupt() {
        for input in ["+7 800 123-45-67", "8 800 123-45-67", "8 (800) 123 45 67", "+78001234567"] {
            assert_eq!(Phone::parse(input, Some("RU".parse().unwrap())).unwrap().e164(), "+78001234567");
        }
    }

    #[test]
    fn regions_are_those_with_numbering_plans() {
        assert_eq!("co".parse::<Region>().unwrap().as_str(), "CO");
        for bad in ["ZZ", "BV", "COL", "57", "001", "Ñ", ""] {
            assert!(bad.parse::<Region>().is_err(), "{bad}");
        }
    }

    #[test]
    fn stored_numbers_stay_readable() {
        assert_eq!(Phone::from_e164("+99912345678").unwrap().e164(), "+99912345678");
        for bad in ["573211234567", "+", "+0123456", "+57 321", "+12a4567", "", "+1234567890123456789"] {
            assert!(Phone::from_e164(bad).is_err(), "{bad}");
        }
        assert_eq!("+57 3211234567".parse::<Phone>().unwrap().international(), "+57 321 1234567");
        assert_eq!(serde_json::to_string(&Phone::from_e164("+573211234567").unwrap()).unwrap(), "\"+573211234567\"");
        assert!(serde_json::from_str::<Phone>("573211234567").is_err());
    }

    fn check(input: &str, region: Option<Region>, other: Option<Region>) -> Result<(), TestCaseError> {
        if let Ok(phone) = Phone::parse(input, region) {
            prop_assert_eq!(Phone::parse(phone.e164(), other), Ok(phone.clone()), "{}", input);
            prop_assert_eq!(Phone::from_e164(phone.e164()), Ok(phone.clone()));
            prop_assert_eq!(Phone::parse(&phone.international(), other), Ok(phone));
        }
        Ok(())
    }

    #[test]
    fn normalising_the_corpus_twice_changes_nothing() {
        let regions: Vec<_> = corpus().map(|row| row.0).collect();
        for (index, (region, input, ..)) in corpus().enumerate() {
            check(input, Some(region), None).unwrap();
            check(input, Some(region), Some(regions[index * 7 % regions.len()])).unwrap();
        }
    }

    #[test]
    fn normalising_example_numbers_of_every_region_twice_changes_nothing() {
        let regions: Vec<_> = PHONE_NUMBER_UTIL.get_supported_regions().collect();
        assert!(regions.len() > 240);
        for region in regions {
            let ours: Region = region.to_string().parse().unwrap();
            if let Ok(number) = PHONE_NUMBER_UTIL.get_example_number(region) {
                for format in [
                    PhoneNumberFormat::E164,
                    PhoneNumberFormat::National,
                    PhoneNumberFormat::International,
                    PhoneNumberFormat::RFC3966,
                ] {
                    let text = number.format_as(format);
                    assert_eq!(
                        Phone::parse(&text, Some(ours)).unwrap().e164(),
                        number.format_as(PhoneNumberFormat::E164),
                        "{text}"
                    );
                    check(&text, Some(ours), Some("CO".parse().unwrap())).unwrap();
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3000))]
        #[test]
        fn normalising_twice_changes_nothing(input in "\\+?[0-9() .-]{5,18}|\\+?[0-9]{7,13}", row in 0..1164_usize, other in 0..1164_usize) {
            let region = |row| corpus().nth(row).map(|row| row.0);
            check(&input, region(row), region(other))?;
        }

        #[test]
        fn any_text_is_read_or_refused(input in "\\PC{0,30}") {
            let _ = Phone::parse(&input, Some(Region(*b"CO")));
            let _ = Phone::parse(&input, None);
        }
    }
}
