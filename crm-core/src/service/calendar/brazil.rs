//! Brazil's national holidays.
//!
//! Law 662 of 1949 (with Law 10.607 of 2002), Law 6.802 of 1980 (Our Lady of Aparecida), Law 9.093 of 1995 with
//! the custom of Good Friday, Law 14.759 of 2023 (20 November, from 2024). Carnival, Corpus Christi and the other
//! optional days of the federal service are no holidays: an organization that observes them adds them.

use super::rule::{BuiltIn, HolidayRule, On};

pub(super) const BRAZIL: BuiltIn = BuiltIn {
    code: "BR",
    version: "2026.1",
    rules: &[
        HolidayRule::new("Confraternização Universal", On::Fixed(1, 1)),
        HolidayRule::new("Sexta-feira Santa", On::Easter(-2)),
        HolidayRule::new("Tiradentes", On::Fixed(4, 21)),
        HolidayRule::new("Dia do Trabalhador", On::Fixed(5, 1)),
        HolidayRule::new("Independência do Brasil", On::Fixed(9, 7)),
        HolidayRule::new("Nossa Senhora Aparecida", On::Fixed(10, 12)),
        HolidayRule::new("Finados", On::Fixed(11, 2)),
        HolidayRule::new("Proclamação da República", On::Fixed(11, 15)),
        HolidayRule::new("Dia Nacional de Zumbi e da Consciência Negra", On::Fixed(11, 20)).since(2024),
        HolidayRule::new("Natal", On::Fixed(12, 25)),
    ],
    working: &[],
};
