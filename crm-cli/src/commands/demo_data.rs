//! The people, places and things of the demonstration. All of it is made up; addresses are at example.com, phone
//! numbers next to the examples of their countries' numbering plans.

/// A country with its people.
pub(super) struct Locale {
    /// The ISO code of the country.
    pub(super) country: &'static str,
    /// The cities.
    pub(super) cities: &'static [&'static str],
    /// Given names, with how they are written in addresses.
    pub(super) given: &'static [(&'static str, &'static str)],
    /// Family names, with how they are written in addresses.
    pub(super) family: &'static [(&'static str, &'static str)],
    /// What phone numbers begin with; two digits are added.
    pub(super) phone: &'static str,
    /// Names of companies.
    pub(super) companies: &'static [&'static str],
}

/// The countries, with how often each one is drawn.
pub(super) const LOCALES: &[(u64, Locale)] = &[
    (
        30,
        Locale {
            country: "CO",
            cities: &["Bogotá", "Medellín", "Cali", "Cartagena"],
            given: &[
                ("Lucía", "lucia"),
                ("Andrés", "andres"),
                ("Camila", "camila"),
                ("Sofía", "sofia"),
                ("Mateo", "mateo"),
                ("Íñigo", "inigo"),
                ("Valentina", "valentina"),
                ("José", "jose"),
            ],
            family: &[
                ("Pérez", "perez"),
                ("Gómez", "gomez"),
                ("Núñez", "nunez"),
                ("Rodríguez", "rodriguez"),
                ("Muñoz", "munoz"),
                ("Castaño", "castano"),
                ("Díaz", "diaz"),
            ],
            phone: "+5732112345",
            companies: &["Café del Ándes S.A.S.", "Ferretería El Tornillo"],
        },
    ),
    (
        22,
        Locale {
            country: "BR",
            cities: &["São Paulo", "Curitiba", "Goiânia", "Recife"],
            given: &[
                ("João", "joao"),
                ("Beatriz", "beatriz"),
                ("Antônio", "antonio"),
                ("Conceição", "conceicao"),
                ("Lívia", "livia"),
                ("Gabriel", "gabriel"),
            ],
            family: &[
                ("Silva", "silva"),
                ("Gonçalves", "goncalves"),
                ("Araújo", "araujo"),
                ("Magalhães", "magalhaes"),
                ("Simões", "simoes"),
                ("Costa", "costa"),
            ],
            phone: "+55119612345",
            companies: &["Padaria Três Irmãos Ltda.", "Construções Aurora"],
        },
    ),
    (
        18,
        Locale {
            country: "RU",
            cities: &["Москва", "Казань", "Томск", "Королёв"],
            given: &[
                ("Анна", "anna"),
                ("Пётр", "petr"),
                ("Елена", "elena"),
                ("Алексей", "aleksei"),
                ("Наталья", "natalya"),
                ("Семён", "semen"),
            ],
            family: &[
                ("Черных", "chernykh"),
                ("Савченко", "savchenko"),
                ("Чайка", "chaika"),
                ("Морозенко", "morozenko"),
                ("Живаго", "zhivago"),
                ("Щербина", "shcherbina"),
            ],
            phone: "+791234567",
            companies: &["ООО «Ромашка»"],
        },
    ),
    (
        30,
        Locale {
            country: "US",
            cities: &["New York", "Boston", "Austin", "Portland"],
            given: &[
                ("Grace", "grace"),
                ("Oliver", "oliver"),
                ("Zoë", "zoe"),
                ("Henry", "henry"),
                ("Maya", "maya"),
                ("Liam", "liam"),
                ("Ruth", "ruth"),
            ],
            family: &[
                ("O'Neill", "oneill"),
                ("Carter", "carter"),
                ("Brontë", "bronte"),
                ("Nguyen", "nguyen"),
                ("Whitfield", "whitfield"),
                ("Day-Lewis", "day-lewis"),
                ("Brooks", "brooks"),
            ],
            phone: "+121255501",
            companies: &["Lighthouse Books Inc.", "Maple & Sons", "Blue Harbor Café"],
        },
    ),
];

/// A thing that is sold.
pub(super) struct Thing {
    /// Its stock keeping unit.
    pub(super) sku: &'static str,
    /// Its name.
    pub(super) name: &'static str,
    /// What kind it is.
    pub(super) kind: &'static str,
    /// The price of one unit.
    pub(super) price: &'static str,
    /// The rate of tax.
    pub(super) tax: &'static str,
    /// How many of them are bought at most.
    pub(super) most: u64,
}

const fn thing(
    sku: &'static str,
    name: &'static str,
    kind: &'static str,
    price: &'static str,
    tax: &'static str,
    most: u64,
) -> Thing {
    Thing { sku, name, kind, price, tax, most }
}

/// Everything that is sold.
pub(super) const THINGS: &[Thing] = &[
    thing("COF-250", "Coffee beans, 250 g", "product", "9.90", "0", 12),
    thing("COF-1000", "Coffee beans, 1 kg", "product", "34.50", "0", 8),
    thing("CUP-RED", "Cup, red", "product", "12.00", "8.875", 6),
    thing("CUP-BLU", "Cup, blue", "product", "12.00", "8.875", 6),
    thing("GRD-01", "Hand grinder", "product", "89.00", "8.875", 2),
    thing("MAC-02", "Espresso machine", "product", "649.00", "8.875", 1),
    thing("FLT-100", "Paper filters, 100", "product", "4.75", "8.875", 10),
    thing("MLK-OAT", "Oat milk, 1 l", "product", "2.35", "0", 24),
    thing("SRV-CLEAN", "Machine cleaning", "service", "75.00", "0", 2),
    thing("SRV-TRAIN", "Barista training, per hour", "service", "60.00", "0", 8),
    thing("SRV-RENT", "Machine rental, per month", "service", "120.00", "8.875", 3),
    thing("SRV-REPAIR", "Repair, per hour", "service", "95.00", "8.875", 4),
];

/// What was said to leads.
pub(super) const TALKS: &[&str] = &[
    "Asked for the price list and for samples",
    "Wants to taste the new harvest before ordering",
    "Buys elsewhere until the end of the year",
    "Will talk to the other owners and come back",
];

/// Why deals are lost.
pub(super) const REASONS: &[&str] = &["Too expensive", "Bought elsewhere", "No answer any more"];

/// Numbers that look random and are the same in every run: splitmix64.
#[derive(Clone, Debug)]
pub(super) struct Dice(u64);

impl Dice {
    /// Dice that always fall alike for the same seed.
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below a bound, which is at least 1.
    pub(super) const fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    /// One of a list, which is not empty.
    pub(super) fn of<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        let length = u64::try_from(list.len()).unwrap_or(1);
        let at = usize::try_from(self.below(length.max(1))).unwrap_or(0);
        &list[at]
    }

    /// A country, by how often each one is drawn.
    pub(super) fn locale(&mut self) -> &'static Locale {
        let mut left = self.below(LOCALES.iter().map(|(weight, _)| weight).sum());
        for (weight, locale) in LOCALES {
            match left.checked_sub(*weight) {
                Some(rest) => left = rest,
                None => return locale,
            }
        }
        &LOCALES[0].1
    }
}

#[cfg(test)]
mod tests {
    use crm_core::value::{Email, Phone};

    use super::*;

    #[test]
    fn phones_addresses_and_prices_are_valid() {
        for (_, locale) in LOCALES {
            for end in [0, 7, 50, 99] {
                let number = format!("{}{end:02}", locale.phone);
                assert!(Phone::parse(&number, None).is_ok(), "{number}");
            }
            for (_, given) in locale.given {
                for (_, family) in locale.family {
                    assert!(format!("{given}.{family}@example.com").parse::<Email>().is_ok());
                }
            }
            assert!(locale.country.parse::<crm_core::value::Country>().is_ok());
        }
        for thing in THINGS {
            assert!(crm_core::value::Decimal6::parse(thing.price).is_ok(), "{}", thing.sku);
        }
    }

    #[test]
    fn dice_fall_alike_for_the_same_seed() {
        let roll = |seed| {
            (0..5)
                .map({
                    let mut dice = Dice::new(seed);
                    move |_| dice.below(1_000)
                })
                .collect::<Vec<_>>()
        };
        assert_eq!(roll(7), roll(7));
        assert_ne!(roll(7), roll(8));
    }
}
