//! Made-up contacts, as text: what a form or a file gives.

use std::fmt::Write as _;

use crm_core::people::Contact;
use crm_core::{Edit, Session};

use crate::Outcome;

const GIVEN: [&str; 16] = [
    "José",
    "Lucía",
    "Ana",
    "Владимир",
    "Zoë",
    "Ángel",
    "Maria",
    "Søren",
    "Eva",
    "John",
    "Fátima",
    "Łukasz",
    "Chloé",
    "Renée",
    "Miguel",
    "Yulia",
];
const FAMILY: [&str; 16] = [
    "Martínez",
    "Quintanilla",
    "Müller",
    "O'Brien",
    "Núñez",
    "Ferreira",
    "Петров",
    "Smith",
    "Åkesson",
    "Gonçalves",
    "Rossi",
    "Dvořák",
    "Kowalska",
    "Peña",
    "Silva",
    "Lefèvre",
];
const INITIALS: [&str; 8] = ["A.", "B.", "C.", "D.", "E.", "F.", "G.", "H."];
const CITIES: [&str; 8] = ["Bogotá", "São Paulo", "Boston", "Medellín", "Valencia", "Kraków", "Orlando", "Caracas"];

/// A number that looks random and is the same in every run.
pub(crate) const fn mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

fn pick<const N: usize>(from: &[&'static str; N], number: u64) -> &'static str {
    from[usize::try_from(number % N as u64).unwrap_or(0)]
}

/// The fields of one contact. Addresses and phone numbers are unique; the phones are valid.
pub(crate) struct Fields {
    pub(crate) names: [&'static str; 9],
    pub(crate) values: [String; 9],
}

impl Fields {
    pub(crate) fn of(number: usize) -> Self {
        let random = mix(number as u64);
        let (given, family) = (pick(&GIVEN, random), pick(&FAMILY, random >> 8));
        let mut email = String::with_capacity(40);
        let letters = random.to_string();
        let _ = write!(email, "Contact.{number}.{}@Example{}.com", &letters[..4], random % 500);
        // 212 55x xxxx and so on: 100 area codes are not needed, seven free digits of one are ten million.
        let phone =
            format!("({}) {}-{:04}", AREAS[number / 8_000_000 % 4], 200 + number / 10_000 % 800, number % 10_000);
        Self {
            names: [
                "kind",
                "given_name",
                "family_name",
                "email",
                "phone",
                "address_line",
                "city",
                "country",
                "postal_code",
            ],
            values: [
                "person".to_owned(),
                format!("{given} {}", pick(&INITIALS, random >> 16)),
                format!("{family} {}", pick(&FAMILY, random >> 24)),
                email,
                phone,
                format!("Calle {} # {}-{}", random % 180, random % 97, random % 60),
                pick(&CITIES, random >> 32).to_owned(),
                "US".to_owned(),
                format!("{:05}", random % 100_000),
            ],
        }
    }

    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.names.iter().copied().zip(self.values.iter().map(String::as_str))
    }

    /// Read and checked, as a form's input is.
    pub(crate) fn parsed(&self, session: &Session<'_>) -> Outcome<Edit<Contact>> {
        Edit::parse(self.pairs(), &session.locale())
            .map_err(|refused| format!("a contact was refused: {:?}", refused.first()).into())
    }
}

/// Area codes whose every number from 200-0000 on is valid.
const AREAS: [&str; 4] = ["212", "213", "312", "415"];

/// A run of contacts.
pub(crate) fn fields(numbers: std::ops::Range<usize>) -> Vec<Fields> {
    numbers.map(Fields::of).collect()
}
