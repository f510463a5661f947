//! Venezuela's national holidays.
//!
//! The law of national holidays of 1971-06-22 and article 184 of the labour law of 2012 (LOTTT), which adds
//! Carnival, Holy Week's Thursday and Friday and the days around Christmas and New Year; Family Day by
//! decree since 2024. Single days were decreed year by year.

use super::rule::{BuiltIn, HolidayRule, On};

pub(super) const VENEZUELA: BuiltIn = BuiltIn {
    code: "VE",
    version: "2026.1",
    rules: &[
        HolidayRule::new("Año Nuevo", On::Fixed(1, 1)),
        HolidayRule::new("Lunes de Carnaval", On::Easter(-48)),
        HolidayRule::new("Martes de Carnaval", On::Easter(-47)),
        HolidayRule::new("Jueves Santo", On::Easter(-3)),
        HolidayRule::new("Viernes Santo", On::Easter(-2)),
        HolidayRule::new("Declaración de la Independencia", On::Fixed(4, 19)),
        HolidayRule::new("Dia Mundial del Trabajador", On::Fixed(5, 1)),
        HolidayRule::new("Día de la Familia", On::Fixed(5, 15)).since(2024),
        HolidayRule::new("Batalla de Carabobo", On::Fixed(6, 24)),
        HolidayRule::new("Día de la Independencia", On::Fixed(7, 5)),
        HolidayRule::new("Natalicio de Simón Bolívar", On::Fixed(7, 24)),
        HolidayRule::new("Día de la Resistencia Indígena", On::Fixed(10, 12)),
        HolidayRule::new("Nochebuena", On::Fixed(12, 24)),
        HolidayRule::new("Día de Navidad", On::Fixed(12, 25)),
        HolidayRule::new("Fiesta de Fin de Año", On::Fixed(12, 31)),
        HolidayRule::new("Fiesta Nacional", On::Days(DECREED)),
        HolidayRule::new(
            "Canonización de José Gregorio Hernández y la Madre Carmen Rendiles",
            On::Days(&[(2025, 10, 19), (2025, 10, 20)]),
        ),
    ],
    working: &[],
};

/// Days without work that the government decreed one by one.
const DECREED: &[(i32, u32, u32)] = &[
    // Holy Week.
    (2016, 3, 21),
    (2016, 3, 22),
    (2016, 3, 23),
    // Fridays without work to save electricity, and the Monday before 19 April.
    (2016, 4, 8),
    (2016, 4, 15),
    (2016, 4, 18),
    (2016, 4, 22),
    (2016, 4, 29),
    (2016, 5, 6),
    (2016, 5, 13),
    (2016, 5, 20),
    (2016, 5, 27),
    // Holy Week.
    (2017, 4, 10),
    (2017, 4, 11),
    (2017, 4, 12),
    // The monetary reform.
    (2018, 8, 20),
    // The days before Carnival.
    (2019, 2, 28),
    (2019, 3, 1),
    // The power cuts.
    (2019, 3, 11),
    (2019, 3, 12),
    (2019, 3, 26),
];
