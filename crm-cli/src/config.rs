//! Remembered defaults, and where each setting comes from.
//!
//! A setting is taken from the command line, else from the environment, else from the configuration file, else from
//! the built-in default; `crm config list --show-origin` tells which it was.

use std::collections::BTreeMap;
use std::env;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use clap::ArgMatches;
use clap::parser::ValueSource;
use crm_core::value::{Email, Slug};
use etcetera::{AppStrategy as _, AppStrategyArgs};

use crate::error::Failure;
use crate::private;

/// One setting that can be remembered.
pub(crate) struct Key {
    /// Its name, on the command line and in the file.
    pub(crate) name: &'static str,
    /// Its environment variable.
    pub(crate) env: &'static str,
    /// What it is.
    pub(crate) doc: &'static str,
}

/// Every setting that can be remembered.
pub(crate) const KEYS: &[Key] = &[
    Key { name: "database", env: "CRM_DATABASE_URL", doc: "The database: a path, sqlite:PATH or postgres://…" },
    Key { name: "org", env: "CRM_ORG", doc: "The organization to work in, by its slug" },
    Key { name: "as", env: "CRM_AS", doc: "The acting member, by e-mail address" },
    Key { name: "output", env: "CRM_OUTPUT", doc: "The form of the output: table, json, ndjson, csv or id" },
    Key { name: "color", env: "CRM_COLOR", doc: "Whether messages are coloured: auto, always or never" },
];

/// Where a setting comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// An option of the command line.
    Flag(&'static str),
    /// An environment variable.
    Env(&'static str),
    /// The configuration file.
    File(PathBuf),
    /// Nobody said anything.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) => write!(f, "option --{name}"),
            Self::Env(name) => write!(f, "environment {name}"),
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Default => f.write_str("default"),
        }
    }
}

/// The configuration file.
#[derive(Debug, Default)]
pub(crate) struct Config {
    path: PathBuf,
    values: BTreeMap<String, String>,
}

impl Config {
    /// Reads the file; one that is not there remembers nothing.
    pub(crate) fn load(path: PathBuf) -> Result<Self, Failure> {
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(Failure::failed(format!("Cannot read {}: {error}", path.display()))),
        };
        if text.is_empty() {
            return Ok(Self { path, values: BTreeMap::new() });
        }
        let wrong = |what: String| {
            Failure::usage(format!("The configuration file {} is wrong: {what}", path.display()))
                .hint("Correct the file, or delete it")
        };
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| wrong(error.message().to_owned()))?;
        let mut values = BTreeMap::new();
        for (name, value) in table {
            let key = key(&name).map_err(|failure| {
                let hint = failure.hint.unwrap_or_default();
                wrong(format!("there is no setting {name:?}")).field(name.clone()).hint(hint)
            })?;
            let toml::Value::String(value) = value else { return Err(wrong(format!("{name} must be text in quotes"))) };
            check(key, &value).map_err(|failure| wrong(failure.message))?;
            values.insert(name, value);
        }
        Ok(Self { path, values })
    }

    /// The file's path.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What is remembered of a setting.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// Remembers a setting, or forgets it.
    pub(crate) fn set(&mut self, name: &str, value: Option<&str>) -> Result<(), Failure> {
        let key = key(name)?;
        match value {
            Some(value) => {
                check(key, value)?;
                self.values.insert(key.name.to_owned(), value.trim().to_owned());
            }
            None => {
                self.values.remove(key.name);
            }
        }
        Ok(())
    }

    /// Writes the file, whole or not at all. Only its owner may read it: an address may hold a password.
    pub(crate) fn save(&self) -> Result<(), Failure> {
        let table: toml::Table =
            self.values.iter().map(|(name, value)| (name.clone(), toml::Value::String(value.clone()))).collect();
        private::write(&self.path, &table.to_string())
    }
}

/// The setting with this name.
pub(crate) fn key(name: &str) -> Result<&'static Key, Failure> {
    KEYS.iter().find(|key| key.name == name).ok_or_else(|| {
        let names: Vec<&str> = KEYS.iter().map(|key| key.name).collect();
        let failure = Failure::usage(format!("There is no setting {name:?}")).field(name);
        match nearest(name, &names) {
            Some(near) => failure.hint(format!("Did you mean {near:?}? The settings are {}", names.join(", "))),
            None => failure.hint(format!("The settings are {}", names.join(", "))),
        }
    })
}

fn check(key: &Key, value: &str) -> Result<(), Failure> {
    let one_of = |allowed: &[&str]| {
        let wrong = || {
            Failure::usage(format!("The setting {} cannot be {value:?}", key.name))
                .field(key.name)
                .hint(format!("It is one of {}", allowed.join(", ")))
        };
        if allowed.contains(&value) { Ok(()) } else { Err(wrong()) }
    };
    let refused = |reason| Failure::invalid(key.name, &reason);
    match key.name {
        "org" => value.parse::<Slug>().map(drop).map_err(refused),
        "as" => value.parse::<Email>().map(drop).map_err(refused),
        "output" => one_of(&crate::output::Format::NAMES),
        "color" => one_of(&["auto", "always", "never"]),
        _ if value.trim().is_empty() => Err(refused(crm_core::value::ValueError::Blank)),
        _ => Ok(()),
    }
}

/// The word of a list that is spelt most like another one, if any is like it at all.
pub(crate) fn nearest<'a>(word: &str, words: &[&'a str]) -> Option<&'a str> {
    let near = words.iter().map(|other| (distance(word, other), *other)).min_by_key(|(distance, _)| *distance)?;
    (near.0 <= 2.max(word.chars().count() / 3)).then_some(near.1)
}

/// How many letters must be changed, added or left out to make one word of another.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.chars().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, b) in right.iter().enumerate() {
            let substituted = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[right.len()]
}

/// The folders of configuration and data: `CRM_HOME` for both if it is set, else those of the XDG specification.
pub(crate) fn folders() -> Result<(PathBuf, PathBuf), Failure> {
    if let Some(home) = env::var_os("CRM_HOME").filter(|home| !home.is_empty()) {
        return Ok((PathBuf::from(&home), PathBuf::from(home)));
    }
    let app = AppStrategyArgs { top_level_domain: String::new(), author: String::new(), app_name: "crm".to_owned() };
    let strategy = etcetera::choose_app_strategy(app)
        .map_err(|_| Failure::failed("The home directory cannot be found").hint("Set HOME or CRM_HOME"))?;
    Ok((strategy.config_dir(), strategy.data_dir()))
}

/// The settings that a command runs under.
#[derive(Debug)]
pub(crate) struct Settings {
    /// The configuration file.
    pub(crate) config: Config,
    values: BTreeMap<&'static str, (String, Origin)>,
}

impl Settings {
    /// Gathers them from the command line, the environment, the file and the defaults.
    pub(crate) fn gather(matches: &ArgMatches) -> Result<Self, Failure> {
        let (configuration, data) = folders()?;
        let config = Config::load(configuration.join("config.toml"))?;
        let mut values = BTreeMap::new();
        for key in KEYS {
            let given = matches.try_get_one::<String>(key.name).ok().flatten();
            let source = matches.value_source(key.name);
            let value = match (given, source) {
                (Some(value), Some(ValueSource::CommandLine)) => Some((value.clone(), Origin::Flag(key.name))),
                (Some(value), Some(ValueSource::EnvVariable)) if !value.trim().is_empty() => {
                    Some((value.clone(), Origin::Env(key.env)))
                }
                _ => config.get(key.name).map(|value| (value.to_owned(), Origin::File(config.path().to_owned()))),
            };
            let value = value.or_else(|| {
                let default = match key.name {
                    "database" => data.join("crm.db").to_string_lossy().into_owned(),
                    "output" => "table".to_owned(),
                    "color" => "auto".to_owned(),
                    _ => return None,
                };
                Some((default, Origin::Default))
            });
            values.extend(value.map(|value| (key.name, value)));
        }
        Ok(Self { config, values })
    }

    /// A setting's value.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(|(value, _)| value.as_str())
    }

    /// Where a setting comes from, if anybody said anything.
    pub(crate) fn origin(&self, name: &str) -> Option<&Origin> {
        self.values.get(name).map(|(_, origin)| origin)
    }

    /// The address of the database.
    pub(crate) fn database(&self) -> &str {
        self.get("database").unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_setting_is_answered_with_the_nearest_one() {
        let failure = key("databse").err().unwrap();
        assert_eq!(failure.exit, 2);
        assert!(failure.hint.unwrap().starts_with("Did you mean \"database\"?"));
        assert!(!key("zzzzzzzz").err().unwrap().hint.unwrap().contains("Did you mean"));
    }

    #[test]
    fn distances_are_those_of_levenshtein() {
        for (left, right, expected) in [("", "", 0), ("", "abc", 3), ("kitten", "sitting", 3), ("as", "sa", 2)] {
            assert_eq!(distance(left, right), expected, "{left} {right}");
            assert_eq!(distance(right, left), expected, "{right} {left}");
        }
    }

    #[test]
    fn the_file_is_read_checked_and_written() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("deep/config.toml");
        let mut config = Config::load(path.clone()).unwrap();
        config.set("org", Some("acme")).unwrap();
        config.set("as", Some("ana@acme.example")).unwrap();
        assert_eq!(config.set("org", Some("No Slug")).unwrap_err().exit, 5);
        assert_eq!(config.set("output", Some("xml")).unwrap_err().exit, 2);
        config.save().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "as = \"ana@acme.example\"\norg = \"acme\"\n");
        let mut config = Config::load(path.clone()).unwrap();
        assert_eq!(config.get("org"), Some("acme"));
        config.set("org", None).unwrap();
        assert_eq!(config.get("org"), None);
        fs::write(&path, "orgg = \"acme\"\n").unwrap();
        let failure = Config::load(path).unwrap_err();
        assert!(failure.hint.unwrap().contains("Did you mean \"org\"?"));
    }
}
