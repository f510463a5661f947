//! Colombia's national holidays.
//!
//! Law 51 of 1983, articles 1 and 2, lists them and moves most to the Monday after; the numbers of days after
//! Easter include that move (Ascension 39 + 4, Corpus Christi 60 + 4, Sacred Heart 68 + 3). Law 2578 of 2026
//! adds Our Lady of Chiquinquirá, moved likewise, from 2026 on.

use super::rule::{BuiltIn, HolidayRule, On};

pub(super) const COLOMBIA: BuiltIn = BuiltIn {
    code: "CO",
    version: "2026.1",
    rules: &[
        HolidayRule::new("Año Nuevo", On::Fixed(1, 1)),
        HolidayRule::new("Día de los Reyes Magos", On::Monday(1, 6)),
        HolidayRule::new("Día de San José", On::Monday(3, 19)),
        HolidayRule::new("Jueves Santo", On::Easter(-3)),
        HolidayRule::new("Viernes Santo", On::Easter(-2)),
        HolidayRule::new("Día del Trabajo", On::Fixed(5, 1)),
        HolidayRule::new("Ascensión del señor", On::Easter(43)),
        HolidayRule::new("Corpus Christi", On::Easter(64)),
        HolidayRule::new("Sagrado Corazón", On::Easter(71)),
        HolidayRule::new("San Pedro y San Pablo", On::Monday(6, 29)),
        HolidayRule::new("Día de Nuestra Señora del Rosario de Chiquinquirá", On::Monday(7, 9)).since(2026),
        HolidayRule::new("Día de la Independencia", On::Fixed(7, 20)),
        HolidayRule::new("Batalla de Boyacá", On::Fixed(8, 7)),
        HolidayRule::new("La Asunción", On::Monday(8, 15)),
        HolidayRule::new("Día de la Raza", On::Monday(10, 12)),
        HolidayRule::new("Día de Todos los Santos", On::Monday(11, 1)),
        HolidayRule::new("Independencia de Cartagena", On::Monday(11, 11)),
        HolidayRule::new("La Inmaculada Concepción", On::Fixed(12, 8)),
        HolidayRule::new("Navidad", On::Fixed(12, 25)),
    ],
    working: &[],
};
