//! Russia's national holidays.
//!
//! Labour Code, article 112 (the New Year holidays of 1 to 6 and 8 January by Federal Law 35-FZ of 2012). A holiday on a
//! day of rest gives the next working day off, or the one that the government's yearly decree names instead, which can
//! also exchange a Saturday for a Monday: those Saturdays are working days. The lists hold what was decreed, up to
//! 2027; later years have the fixed days alone until their decree, and an organization enters it as overrides.

use super::rule::{BuiltIn, HolidayRule, On};

pub(super) const RUSSIA: BuiltIn = BuiltIn {
    code: "RU",
    version: "2027.1",
    rules: &[
        HolidayRule::new("Новогодние каникулы", On::Fixed(1, 1)),
        HolidayRule::new("Новогодние каникулы", On::Fixed(1, 2)),
        HolidayRule::new("Новогодние каникулы", On::Fixed(1, 3)),
        HolidayRule::new("Новогодние каникулы", On::Fixed(1, 4)),
        HolidayRule::new("Новогодние каникулы", On::Fixed(1, 5)),
        HolidayRule::new("Новогодние каникулы", On::Fixed(1, 6)),
        HolidayRule::new("Новогодние каникулы", On::Fixed(1, 8)),
        HolidayRule::new("Рождество Христово", On::Fixed(1, 7)),
        HolidayRule::new("День защитника Отечества", On::Fixed(2, 23)),
        HolidayRule::new("День защитника Отечества", On::Days(DEFENDERS_DAY)),
        HolidayRule::new("Международный женский день", On::Fixed(3, 8)),
        HolidayRule::new("Международный женский день", On::Days(WOMENS_DAY)),
        HolidayRule::new("Праздник Весны и Труда", On::Fixed(5, 1)),
        HolidayRule::new("Праздник Весны и Труда", On::Days(LABOUR_DAY)),
        HolidayRule::new("День Победы", On::Fixed(5, 9)),
        HolidayRule::new("День Победы", On::Days(VICTORY_DAY)),
        HolidayRule::new("День России", On::Fixed(6, 12)),
        HolidayRule::new("День России", On::Days(RUSSIA_DAY)),
        HolidayRule::new("День народного единства", On::Fixed(11, 4)),
        HolidayRule::new("День народного единства", On::Days(UNITY_DAY)),
        HolidayRule::new("Выходной день", On::Days(EXCHANGED)),
    ],
    working: WORKING,
};

/// Monday after 23 February on a day of rest.
const DEFENDERS_DAY: &[(i32, u32, u32)] = &[(2020, 2, 24)];
/// Monday after 8 March on a day of rest.
const WOMENS_DAY: &[(i32, u32, u32)] = &[(2015, 3, 9), (2020, 3, 9), (2026, 3, 9)];
/// Monday after 1 May on a day of rest.
const LABOUR_DAY: &[(i32, u32, u32)] = &[(2016, 5, 2), (2021, 5, 3), (2022, 5, 2), (2027, 5, 3)];
/// Monday after 9 May on a day of rest.
const VICTORY_DAY: &[(i32, u32, u32)] = &[(2015, 5, 11), (2020, 5, 11), (2021, 5, 10), (2026, 5, 11), (2027, 5, 10)];
/// Monday after 12 June on a day of rest.
const RUSSIA_DAY: &[(i32, u32, u32)] = &[(2016, 6, 13), (2021, 6, 14), (2022, 6, 13), (2027, 6, 14)];
/// Monday after 4 November on a day of rest.
const UNITY_DAY: &[(i32, u32, u32)] = &[(2017, 11, 6), (2018, 11, 5), (2023, 11, 6)];
/// Days off that the government's yearly resolutions exchanged for a day of rest elsewhere.
const EXCHANGED: &[(i32, u32, u32)] = &[
    (2015, 1, 9),
    (2015, 5, 4),
    (2016, 2, 22),
    (2016, 3, 7),
    (2016, 5, 3),
    // Resolution 756 of 2016-08-04.
    (2017, 2, 24),
    (2017, 5, 8),
    // Resolution 1250 of 2017-10-14.
    (2018, 3, 9),
    (2018, 4, 30),
    (2018, 5, 2),
    (2018, 6, 11),
    (2018, 12, 31),
    // Resolution 1163 of 2018-10-01.
    (2019, 5, 2),
    (2019, 5, 3),
    (2019, 5, 10),
    (2020, 5, 4),
    (2020, 5, 5),
    (2021, 2, 22),
    (2021, 11, 5),
    (2021, 12, 31),
    (2022, 3, 7),
    (2022, 5, 3),
    (2022, 5, 10),
    // Resolution 1505 of 2022-08-29.
    (2023, 2, 24),
    (2023, 5, 8),
    // Resolution 1314 of 2023-08-10.
    (2024, 4, 29),
    (2024, 4, 30),
    (2024, 5, 10),
    (2024, 12, 30),
    (2024, 12, 31),
    // Resolution 1335 of 2024-10-04.
    (2025, 5, 2),
    (2025, 5, 8),
    (2025, 6, 13),
    (2025, 11, 3),
    (2025, 12, 31),
    (2026, 1, 9),
    (2026, 12, 31),
    (2027, 2, 22),
    (2027, 11, 5),
    (2027, 12, 31),
];
/// Saturdays that were exchanged for another day.
const WORKING: &[(i32, u32, u32)] = &[
    (2016, 2, 20),
    (2018, 4, 28),
    (2018, 6, 9),
    (2018, 12, 29),
    (2021, 2, 20),
    (2022, 3, 5),
    (2024, 4, 27),
    (2024, 11, 2),
    (2024, 12, 28),
    (2025, 11, 1),
    (2027, 2, 20),
];
