//! Spain's national holidays: those that every autonomous community has.
//!
//! Royal Decree 2001/1983, article 45, and the list of the year in the Boletín Oficial. A holiday on a Sunday is
//! none for the country as a whole: each community chooses whether and where it goes. What a community or a town
//! adds belongs into an organization's overrides.

use super::rule::{BuiltIn, HolidayRule, On};

pub(super) const SPAIN: BuiltIn = BuiltIn {
    code: "ES",
    version: "2026.1",
    rules: &[
        HolidayRule::new("Año Nuevo", On::NotSunday(1, 1)),
        HolidayRule::new("Epifanía del Señor", On::NotSunday(1, 6)),
        HolidayRule::new("Viernes Santo", On::Easter(-2)),
        HolidayRule::new("Fiesta del Trabajo", On::NotSunday(5, 1)),
        HolidayRule::new("Asunción de la Virgen", On::NotSunday(8, 15)),
        HolidayRule::new("Fiesta Nacional de España", On::NotSunday(10, 12)),
        HolidayRule::new("Todos los Santos", On::NotSunday(11, 1)),
        HolidayRule::new("Día de la Constitución Española", On::NotSunday(12, 6)),
        HolidayRule::new("Inmaculada Concepción", On::NotSunday(12, 8)),
        HolidayRule::new("Natividad del Señor", On::NotSunday(12, 25)),
    ],
    working: &[],
};
