//! Countries and territories of ISO 3166-1.
//!
//! ```
//! use crm_core::value::Country;
//!
//! let brazil: Country = "Brasil".parse()?;
//! assert_eq!((brazil.code(), brazil.name()), ("BR", "Brazil"));
//! assert_eq!("usa".parse::<Country>()?.code(), "US");
//! assert!("Atlantis".parse::<Country>().is_err());
//! # Ok::<(), crm_core::value::ValueError>(())
//! ```

use std::{collections::HashMap, fmt, str::FromStr, sync::LazyLock};

use crate::value::{ValueError, error::excerpt, serde_as_string, tokens};

/// A country or territory with an officially assigned ISO 3166-1 code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Country(
    /// Index into `COUNTRIES`, which is sorted by code. Never stored: the code is.
    u8,
);

impl Country {
    /// The two-letter code (alpha-2), in capitals.
    pub fn code(&self) -> &'static str {
        COUNTRIES[usize::from(self.0)].0
    }

    /// The three-letter code (alpha-3), in capitals.
    pub fn alpha3(&self) -> &'static str {
        COUNTRIES[usize::from(self.0)].1
    }

    /// The usual English name.
    pub fn name(&self) -> &'static str {
        COUNTRIES[usize::from(self.0)].2
    }

    /// The country with a two-letter code in capitals, if there is one.
    pub fn from_code(code: &str) -> Option<Self> {
        let index = COUNTRIES.binary_search_by(|row| row.0.cmp(code)).ok()?;
        u8::try_from(index).ok().map(Self)
    }

    /// Every country, in the order of the codes.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..u8::MAX).take(COUNTRIES.len()).map(Self)
    }
}

impl FromStr for Country {
    type Err = ValueError;

    /// Reads a two- or three-letter code, an English name or a common variant of one, or the name
    /// in the country's own language for the usual ones. Case, accents, punctuation, word order
    /// and "the", "of", "and" do not matter.
    fn from_str(s: &str) -> Result<Self, ValueError> {
        let text = s.trim();
        if text.is_empty() {
            return Err(ValueError::Blank);
        }
        let code = text.replace('.', "").to_ascii_uppercase();
        let found = match code.len() {
            2 => Self::from_code(&code),
            3 => Self::all().find(|country| country.alpha3() == code),
            _ => None,
        };
        found.or_else(|| NAMES.get(&key(text)).copied()).ok_or_else(|| ValueError::UnknownCountry(excerpt(text)))
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Country({})", self.code())
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

serde_as_string!(Country, "an ISO 3166 country code or name such as \"CO\"");

/// Every name and variant by its key.
static NAMES: LazyLock<HashMap<String, Country>> = LazyLock::new(|| {
    let names = COUNTRIES.iter().map(|(code, _, name)| (*code, *name));
    let variants = VARIANTS.iter().flat_map(|(code, variants)| variants.iter().map(|name| (*code, *name)));
    names.chain(variants).filter_map(|(code, name)| Some((key(name), Country::from_code(code)?))).collect()
});

/// What two ways to write a country's name have in common: its words, folded and sorted, without
/// the filling ones.
fn key(name: &str) -> String {
    let mut words = tokens(&name.replace(['.', '\'', '’'], ""));
    words.retain(|word| !matches!(word.as_str(), "the" | "of" | "and"));
    for word in &mut words {
        if word == "st" {
            "saint".clone_into(word);
        }
    }
    words.sort_unstable();
    words.join(" ")
}

/// Alpha-2 code, alpha-3 code and usual English name, sorted by the first. Source: ISO 3166-1.
#[rustfmt::skip]
const COUNTRIES: [(&str, &str, &str); 249] = [
    ("AD", "AND", "Andorra"),
    ("AE", "ARE", "United Arab Emirates"),
    ("AF", "AFG", "Afghanistan"),
    ("AG", "ATG", "Antigua and Barbuda"),
    ("AI", "AIA", "Anguilla"),
    ("AL", "ALB", "Albania"),
    ("AM", "ARM", "Armenia"),
    ("AO", "AGO", "Angola"),
    ("AQ", "ATA", "Antarctica"),
    ("AR", "ARG", "Argentina"),
    ("AS", "ASM", "American Samoa"),
    ("AT", "AUT", "Austria"),
    ("AU", "AUS", "Australia"),
    ("AW", "ABW", "Aruba"),
    ("AX", "ALA", "Åland Islands"),
    ("AZ", "AZE", "Azerbaijan"),
    ("BA", "BIH", "Bosnia and Herzegovina"),
    ("BB", "BRB", "Barbados"),
    ("BD", "BGD", "Bangladesh"),
    ("BE", "BEL", "Belgium"),
    ("BF", "BFA", "Burkina Faso"),
    ("BG", "BGR", "Bulgaria"),
    ("BH", "BHR", "Bahrain"),
    ("BI", "BDI", "Burundi"),
    ("BJ", "BEN", "Benin"),
    ("BL", "BLM", "Saint Barthélemy"),
    ("BM", "BMU", "Bermuda"),
    ("BN", "BRN", "Brunei"),
    ("BO", "BOL", "Bolivia"),
    ("BQ", "BES", "Bonaire, Sint Eustatius and Saba"),
    ("BR", "BRA", "Brazil"),
    ("BS", "BHS", "Bahamas"),
    ("BT", "BTN", "Bhutan"),
    ("BV", "BVT", "Bouvet Island"),
    ("BW", "BWA", "Botswana"),
    ("BY", "BLR", "Belarus"),
    ("BZ", "BLZ", "Belize"),
    ("CA", "CAN", "Canada"),
    ("CC", "CCK", "Cocos (Keeling) Islands"),
    ("CD", "COD", "Democratic Republic of the Congo"),
    ("CF", "CAF", "Central African Republic"),
    ("CG", "COG", "Republic of the Congo"),
    ("CH", "CHE", "Switzerland"),
    ("CI", "CIV", "Côte d'Ivoire"),
    ("CK", "COK", "Cook Islands"),
    ("CL", "CHL", "Chile"),
    ("CM", "CMR", "Cameroon"),
    ("CN", "CHN", "China"),
    ("CO", "COL", "Colombia"),
    ("CR", "CRI", "Costa Rica"),
    ("CU", "CUB", "Cuba"),
    ("CV", "CPV", "Cabo Verde"),
    ("CW", "CUW", "Curaçao"),
    ("CX", "CXR", "Christmas Island"),
    ("CY", "CYP", "Cyprus"),
    ("CZ", "CZE", "Czechia"),
    ("DE", "DEU", "Germany"),
    ("DJ", "DJI", "Djibouti"),
    ("DK", "DNK", "Denmark"),
    ("DM", "DMA", "Dominica"),
    ("DO", "DOM", "Dominican Republic"),
    ("DZ", "DZA", "Algeria"),
    ("EC", "ECU", "Ecuador"),
    ("EE", "EST", "Estonia"),
    ("EG", "EGY", "Egypt"),
    ("EH", "ESH", "Western Sahara"),
    ("ER", "ERI", "Eritrea"),
    ("ES", "ESP", "Spain"),
    ("ET", "ETH", "Ethiopia"),
    ("FI", "FIN", "Finland"),
    ("FJ", "FJI", "Fiji"),
    ("FK", "FLK", "Falkland Islands"),
    ("FM", "FSM", "Micronesia"),
    ("FO", "FRO", "Faroe Islands"),
    ("FR", "FRA", "France"),
    ("GA", "GAB", "Gabon"),
    ("GB", "GBR", "United Kingdom"),
    ("GD", "GRD", "Grenada"),
    ("GE", "GEO", "Georgia"),
    ("GF", "GUF", "French Guiana"),
    ("GG", "GGY", "Guernsey"),
    ("GH", "GHA", "Ghana"),
    ("GI", "GIB", "Gibraltar"),
    ("GL", "GRL", "Greenland"),
    ("GM", "GMB", "Gambia"),
    ("GN", "GIN", "Guinea"),
    ("GP", "GLP", "Guadeloupe"),
    ("GQ", "GNQ", "Equatorial Guinea"),
    ("GR", "GRC", "Greece"),
    ("GS", "SGS", "South Georgia and the South Sandwich Islands"),
    ("GT", "GTM", "Guatemala"),
    ("GU", "GUM", "Guam"),
    ("GW", "GNB", "Guinea-Bissau"),
    ("GY", "GUY", "Guyana"),
    ("HK", "HKG", "Hong Kong"),
    ("HM", "HMD", "Heard Island and McDonald Islands"),
    ("HN", "HND", "Honduras"),
    ("HR", "HRV", "Croatia"),
    ("HT", "HTI", "Haiti"),
    ("HU", "HUN", "Hungary"),
    ("ID", "IDN", "Indonesia"),
    ("IE", "IRL", "Ireland"),
    ("IL", "ISR", "Israel"),
    ("IM", "IMN", "Isle of Man"),
    ("IN", "IND", "India"),
    ("IO", "IOT", "British Indian Ocean Territory"),
    ("IQ", "IRQ", "Iraq"),
    ("IR", "IRN", "Iran"),
    ("IS", "ISL", "Iceland"),
    ("IT", "ITA", "Italy"),
    ("JE", "JEY", "Jersey"),
    ("JM", "JAM", "Jamaica"),
    ("JO", "JOR", "Jordan"),
    ("JP", "JPN", "Japan"),
    ("KE", "KEN", "Kenya"),
    ("KG", "KGZ", "Kyrgyzstan"),
    ("KH", "KHM", "Cambodia"),
    ("KI", "KIR", "Kiribati"),
    ("KM", "COM", "Comoros"),
    ("KN", "KNA", "Saint Kitts and Nevis"),
    ("KP", "PRK", "North Korea"),
    ("KR", "KOR", "South Korea"),
    ("KW", "KWT", "Kuwait"),
    ("KY", "CYM", "Cayman Islands"),
    ("KZ", "KAZ", "Kazakhstan"),
    ("LA", "LAO", "Laos"),
    ("LB", "LBN", "Lebanon"),
    ("LC", "LCA", "Saint Lucia"),
    ("LI", "LIE", "Liechtenstein"),
    ("LK", "LKA", "Sri Lanka"),
    ("LR", "LBR", "Liberia"),
    ("LS", "LSO", "Lesotho"),
    ("LT", "LTU", "Lithuania"),
    ("LU", "LUX", "Luxembourg"),
    ("LV", "LVA", "Latvia"),
    ("LY", "LBY", "Libya"),
    ("MA", "MAR", "Morocco"),
    ("MC", "MCO", "Monaco"),
    ("MD", "MDA", "Moldova"),
    ("ME", "MNE", "Montenegro"),
    ("MF", "MAF", "Saint Martin (French part)"),
    ("MG", "MDG", "Madagascar"),
    ("MH", "MHL", "Marshall Islands"),
    ("MK", "MKD", "North Macedonia"),
    ("ML", "MLI", "Mali"),
    ("MM", "MMR", "Myanmar"),
    ("MN", "MNG", "Mongolia"),
    ("MO", "MAC", "Macao"),
    ("MP", "MNP", "Northern Mariana Islands"),
    ("MQ", "MTQ", "Martinique"),
    ("MR", "MRT", "Mauritania"),
    ("MS", "MSR", "Montserrat"),
    ("MT", "MLT", "Malta"),
    ("MU", "MUS", "Mauritius"),
    ("MV", "MDV", "Maldives"),
    ("MW", "MWI", "Malawi"),
    ("MX", "MEX", "Mexico"),
    ("MY", "MYS", "Malaysia"),
    ("MZ", "MOZ", "Mozambique"),
    ("NA", "NAM", "Namibia"),
    ("NC", "NCL", "New Caledonia"),
    ("NE", "NER", "Niger"),
    ("NF", "NFK", "Norfolk Island"),
    ("NG", "NGA", "Nigeria"),
    ("NI", "NIC", "Nicaragua"),
    ("NL", "NLD", "Netherlands"),
    ("NO", "NOR", "Norway"),
    ("NP", "NPL", "Nepal"),
    ("NR", "NRU", "Nauru"),
    ("NU", "NIU", "Niue"),
    ("NZ", "NZL", "New Zealand"),
    ("OM", "OMN", "Oman"),
    ("PA", "PAN", "Panama"),
    ("PE", "PER", "Peru"),
    ("PF", "PYF", "French Polynesia"),
    ("PG", "PNG", "Papua New Guinea"),
    ("PH", "PHL", "Philippines"),
    ("PK", "PAK", "Pakistan"),
    ("PL", "POL", "Poland"),
    ("PM", "SPM", "Saint Pierre and Miquelon"),
    ("PN", "PCN", "Pitcairn"),
    ("PR", "PRI", "Puerto Rico"),
    ("PS", "PSE", "Palestine"),
    ("PT", "PRT", "Portugal"),
    ("PW", "PLW", "Palau"),
    ("PY", "PRY", "Paraguay"),
    ("QA", "QAT", "Qatar"),
    ("RE", "REU", "Réunion"),
    ("RO", "ROU", "Romania"),
    ("RS", "SRB", "Serbia"),
    ("RU", "RUS", "Russia"),
    ("RW", "RWA", "Rwanda"),
    ("SA", "SAU", "Saudi Arabia"),
    ("SB", "SLB", "Solomon Islands"),
    ("SC", "SYC", "Seychelles"),
    ("SD", "SDN", "Sudan"),
    ("SE", "SWE", "Sweden"),
    ("SG", "SGP", "Singapore"),
    ("SH", "SHN", "Saint Helena, Ascension and Tristan da Cunha"),
    ("SI", "SVN", "Slovenia"),
    ("SJ", "SJM", "Svalbard and Jan Mayen"),
    ("SK", "SVK", "Slovakia"),
    ("SL", "SLE", "Sierra Leone"),
    ("SM", "SMR", "San Marino"),
    ("SN", "SEN", "Senegal"),
    ("SO", "SOM", "Somalia"),
    ("SR", "SUR", "Suriname"),
    ("SS", "SSD", "South Sudan"),
    ("ST", "STP", "Sao Tome and Principe"),
    ("SV", "SLV", "El Salvador"),
    ("SX", "SXM", "Sint Maarten (Dutch part)"),
    ("SY", "SYR", "Syria"),
    ("SZ", "SWZ", "Eswatini"),
    ("TC", "TCA", "Turks and Caicos Islands"),
    ("TD", "TCD", "Chad"),
    ("TF", "ATF", "French Southern Territories"),
    ("TG", "TGO", "Togo"),
    ("TH", "THA", "Thailand"),
    ("TJ", "TJK", "Tajikistan"),
    ("TK", "TKL", "Tokelau"),
    ("TL", "TLS", "Timor-Leste"),
    ("TM", "TKM", "Turkmenistan"),
    ("TN", "TUN", "Tunisia"),
    ("TO", "TON", "Tonga"),
    ("TR", "TUR", "Türkiye"),
    ("TT", "TTO", "Trinidad and Tobago"),
    ("TV", "TUV", "Tuvalu"),
    ("TW", "TWN", "Taiwan"),
    ("TZ", "TZA", "Tanzania"),
    ("UA", "UKR", "Ukraine"),
    ("UG", "UGA", "Uganda"),
    ("UM", "UMI", "United States Minor Outlying Islands"),
    ("US", "USA", "United States"),
    ("UY", "URY", "Uruguay"),
    ("UZ", "UZB", "Uzbekistan"),
    ("VA", "VAT", "Vatican City"),
    ("VC", "VCT", "Saint Vincent and the Grenadines"),
    ("VE", "VEN", "Venezuela"),
    ("VG", "VGB", "British Virgin Islands"),
    ("VI", "VIR", "U.S. Virgin Islands"),
    ("VN", "VNM", "Vietnam"),
    ("VU", "VUT", "Vanuatu"),
    ("WF", "WLF", "Wallis and Futuna"),
    ("WS", "WSM", "Samoa"),
    ("YE", "YEM", "Yemen"),
    ("YT", "MYT", "Mayotte"),
    ("ZA", "ZAF", "South Africa"),
    ("ZM", "ZMB", "Zambia"),
    ("ZW", "ZWE", "Zimbabwe"),
];

/// Other ways to write a country's name: the formal one of ISO 3166-1, former and colloquial ones, and the common ones in Spanish,
/// Portuguese, Russian and the country's own language.
#[rustfmt::skip]
const VARIANTS: &[(&str, &[&str])] = &[
    ("AE", &["Emiratos Árabes Unidos", "UAE"]),
    ("AG", &["Antigua & Barbuda"]),
    ("AR", &["Argentine Republic"]),
    ("AS", &["Samoa (American)"]),
    ("AT", &["Austria Österreich", "Österreich"]),
    ("BA", &["Bosnia", "Bosnia & Herzegovina"]),
    ("BE", &["Belgique", "België", "Bélgica"]),
    ("BL", &["St Barthelemy"]),
    ("BN", &["Brunei Darussalam"]),
    ("BO", &["Bolivia, Plurinational State of"]),
    ("BQ", &["Caribbean NL"]),
    ("BR", &["Brasil"]),
    ("BY", &["Bielorrusia", "Беларусь", "Белоруссия"]),
    ("CD", &["Congo (Dem. Rep.)", "Congo, The Democratic Republic of the", "DR Congo"]),
    ("CF", &["Central African Rep."]),
    ("CG", &["Congo", "Congo (Rep.)"]),
    ("CH", &["Schweiz", "Suisse", "Suiza", "Suíça"]),
    ("CI", &["Costa de Marfil", "Cote d Ivoire", "Ivory Coast"]),
    ("CN", &["PRC", "People's Republic of China"]),
    ("CV", &["Cape Verde"]),
    ("CZ", &["Chequia", "Czech Republic", "República Checa"]),
    ("DE", &["Alemanha", "Alemania", "Deutschland", "Германия"]),
    ("DK", &["Danmark", "Dinamarca"]),
    ("DO", &["República Dominicana"]),
    ("EG", &["Egipto"]),
    ("ES", &["Espanha", "España", "Испания"]),
    ("FI", &["Finlandia", "Suomi"]),
    ("FK", &["Falkland Islands (Malvinas)"]),
    ("FM", &["Micronesia, Federated States of"]),
    ("FR", &["Francia", "França", "Франция"]),
    ("GB", &["Britain", "Britain (UK)", "England", "Great Britain", "Inglaterra", "Northern Ireland", "Reino Unido", "Scotland", "UK", "United Kingdom of Great Britain and Northern Ireland", "Wales"]),
    ("GR", &["Grecia", "Grécia", "Hellas"]),
    ("GS", &["South Georgia & the South Sandwich Islands"]),
    ("HM", &["Heard Island & McDonald Islands"]),
    ("HU", &["Hungria", "Hungría", "Magyarország"]),
    ("IE", &["Irlanda", "Éire"]),
    ("IN", &["Bharat"]),
    ("IR", &["Iran, Islamic Republic of", "Irán"]),
    ("IT", &["Italia", "Itália", "Италия"]),
    ("JP", &["Japão", "Japón"]),
    ("KN", &["St Kitts & Nevis"]),
    ("KP", &["Korea (North)", "Korea, Democratic People's Republic of"]),
    ("KR", &["Corea del Sur", "Korea", "Korea (South)", "Korea, Republic of", "Republic of Korea"]),
    ("KZ", &["Kazajistán", "Казахстан"]),
    ("LA", &["Lao People's Democratic Republic"]),
    ("LC", &["St Lucia"]),
    ("LU", &["Luxemburgo"]),
    ("MA", &["Marrocos", "Marruecos"]),
    ("MD", &["Moldova, Republic of"]),
    ("MF", &["St Martin (French)"]),
    ("MM", &["Myanmar (Burma)"]),
    ("MO", &["Macau"]),
    ("MX", &["México"]),
    ("NL", &["Holanda", "Holland", "Kingdom of the Netherlands", "Nederland", "Países Baixos", "Países Bajos", "The Netherlands"]),
    ("NO", &["Norge", "Noruega"]),
    ("NZ", &["Nueva Zelanda"]),
    ("PA", &["Panamá"]),
    ("PE", &["Perú"]),
    ("PL", &["Polonia", "Polska", "Polônia"]),
    ("PM", &["St Pierre & Miquelon"]),
    ("PS", &["Palestine, State of"]),
    ("PT", &["Portuguese Republic"]),
    ("RO", &["România", "Rumania"]),
    ("RU", &["Rusia", "Russian Federation", "Rússia", "РФ", "Российская Федерация", "Россия"]),
    ("SA", &["Arabia Saudita", "KSA"]),
    ("SE", &["Suecia", "Suécia", "Sverige"]),
    ("SH", &["St Helena"]),
    ("SJ", &["Svalbard & Jan Mayen"]),
    ("ST", &["Sao Tome & Principe"]),
    ("SX", &["St Maarten (Dutch)"]),
    ("SY", &["Syrian Arab Republic"]),
    ("SZ", &["Eswatini (Swaziland)", "Swaziland"]),
    ("TC", &["Turks & Caicos Is"]),
    ("TF", &["French S. Terr."]),
    ("TL", &["East Timor"]),
    ("TR", &["Turkey", "Turquía"]),
    ("TT", &["Trinidad & Tobago"]),
    ("TW", &["Taiwan, Province of China"]),
    ("TZ", &["Tanzania, United Republic of"]),
    ("UA", &["Ucrania", "Украина", "Україна"]),
    ("UM", &["US minor outlying islands"]),
    ("US", &["America", "EEUU", "EUA", "Estados Unidos", "Estados Unidos de América", "USA", "United States of America", "США"]),
    ("UY", &["Uruguai"]),
    ("VA", &["Holy See", "Holy See (Vatican City State)", "Vatican"]),
    ("VC", &["St Vincent"]),
    ("VE", &["República Bolivariana de Venezuela", "Venezuela, Bolivarian Republic of"]),
    ("VG", &["Virgin Islands (UK)", "Virgin Islands, British"]),
    ("VI", &["Virgin Islands (US)", "Virgin Islands, U.S."]),
    ("VN", &["Viet Nam"]),
    ("WF", &["Wallis & Futuna"]),
    ("WS", &["Samoa (western)"]),
    ("ZA", &["RSA", "Sudáfrica", "África do Sul"]),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn the_table_is_complete_sorted_and_unambiguous() {
        assert!(COUNTRIES.is_sorted_by(|a, b| a.0 < b.0));
        assert!(COUNTRIES.iter().all(|row| row.0.len() == 2 && row.1.len() == 3 && !row.2.is_empty()));
        assert_eq!(Country::all().count(), 249);
        let names = COUNTRIES.iter().map(|(code, _, name)| (*code, *name));
        let variants = VARIANTS.iter().flat_map(|(code, names)| names.iter().map(|name| (*code, *name)));
        let mut meanings = BTreeMap::new();
        for (code, name) in names.chain(variants) {
            assert!(Country::from_code(code).is_some(), "{code}");
            let before = meanings.insert(key(name), code);
            assert!(before.is_none_or(|before| before == code), "{name} is {before:?} and {code}");
            assert_eq!(name.parse::<Country>().map(|country| country.code()), Ok(code), "{name}");
        }
        for country in Country::all() {
            for text in [country.code(), country.alpha3(), country.name(), &country.code().to_lowercase()] {
                assert_eq!(text.parse(), Ok(country), "{text}");
            }
            assert_eq!(serde_json::from_str::<Country>(&serde_json::to_string(&country).unwrap()).unwrap(), country);
        }
    }

    #[test]
    fn countries_are_found_as_people_write_them() {
        for (text, code) in [
            ("USA", "US"),
            ("U.S.A.", "US"),
            ("u.s.", "US"),
            ("the United States of America", "US"),
            ("EE.UU.", "US"),
            ("UK", "GB"),
            ("england", "GB"),
            ("Czech Republic", "CZ"),
            ("Brasil", "BR"),
            ("ESPAÑA", "ES"),
            ("espana", "ES"),
            ("Россия", "RU"),
            ("Russian Federation", "RU"),
            ("Korea, Republic of", "KR"),
            ("Republic of Korea", "KR"),
            ("DR Congo", "CD"),
            ("Congo, the Democratic Republic of the", "CD"),
            ("Venezuela (Bolivarian Republic of)", "VE"),
            ("St. Lucia", "LC"),
            ("Trinidad & Tobago", "TT"),
            ("Côte d’Ivoire", "CI"),
            ("Curacao", "CW"),
            ("Viet Nam", "VN"),
            (" méxico ", "MX"),
        ] {
            assert_eq!(text.parse::<Country>().map(|country| country.code()), Ok(code), "{text}");
        }
        for bad in ["Atlantis", "XX", "ZZZ", "1", "-", "Республика", "Nowhere, Republic of"] {
            assert_eq!(bad.parse::<Country>(), Err(ValueError::UnknownCountry(bad.to_owned())));
        }
        assert_eq!(" ".parse::<Country>(), Err(ValueError::Blank));
    }
}
