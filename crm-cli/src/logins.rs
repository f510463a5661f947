//! Logins that the command line keeps, one for each organization of each database, and the keys that sign their tokens.
//!
//! Both are files of the data folder that only their owner may open: `logins.toml` and `signing-keys.toml`. The keys are
//! made at the first login, of the system's randomness; a key that another one has replaced is taken for as long as the
//! last token that it signed is valid.

use std::fmt::Write as _;
use std::fs::File;
use std::path::{Path, PathBuf};

use crm_core::access::{ACCESS_SECONDS, Secret, Signed, TokenKeys};
use crm_core::value::Instant;
use crm_core::{CrmError, Environment};
use crm_store_postgres::without_password;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::config::folders;
use crate::error::{Done, Failure};
use crate::open::{Clock, file_of, is_server};
use crate::private;

/// Who issues the tokens of the command line, and for whom: nobody else.
const ISSUER: &str = "crm-cli";

/// A login that is kept.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Login {
    /// Which database, without passwords.
    pub(crate) database: String,
    /// Which organization, by its slug.
    pub(crate) org: String,
    /// Who, by address.
    pub(crate) user: String,
    #[serde(with = "secret")]
    access: Secret,
    #[serde(with = "secret")]
    refresh: Secret,
    #[serde(with = "instant")]
    expires_at: Instant,
    #[serde(with = "instant")]
    refresh_expires_at: Instant,
}

impl Login {
    /// The login that came of signing in.
    pub(crate) fn new(database: String, org: String, signed: &Signed) -> Self {
        Self {
            database,
            org,
            user: signed.user.email.to_string(),
            access: signed.access.clone(),
            refresh: signed.refresh.clone(),
            expires_at: signed.expires_at,
            refresh_expires_at: signed.refresh_expires_at,
        }
    }

    /// The access token, while it is valid.
    pub(crate) fn access_at(&self, now: Instant) -> Option<&Secret> {
        (now < self.expires_at).then_some(&self.access)
    }

    /// The refresh token.
    pub(crate) const fn refresh(&self) -> &Secret {
        &self.refresh
    }

    /// When the login ends unless it is used before.
    pub(crate) const fn ends_at(&self) -> Instant {
        self.refresh_expires_at
    }

    fn is_of(&self, database: &str, org: &str) -> bool {
        self.database == database && self.org == org
    }
}

mod secret {
    use crm_core::access::Secret;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(secret.expose())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
        String::deserialize(deserializer).map(Secret::from)
    }
}

mod instant {
    use crm_core::value::Instant;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature is serde's")]
    pub(super) fn serialize<S: Serializer>(instant: &Instant, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(instant)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Instant, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(|_| D::Error::custom("no instant"))
    }
}

/// How a database is told from others: the path of a file, the address of a server without its passwords.
pub(crate) fn place(address: &str) -> String {
    if is_server(address) {
        return without_password(address);
    }
    let path = file_of(address);
    let whole = std::fs::canonicalize(path).or_else(|_| std::path::absolute(path));
    whole.unwrap_or_else(|_| path.into()).to_string_lossy().into_owned()
}

/// The logins that are kept.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Logins {
    #[serde(default, rename = "login")]
    all: Vec<Login>,
}

impl Logins {
    fn path() -> Result<PathBuf, Failure> {
        Ok(folders()?.1.join("logins.toml"))
    }

    /// Reads them.
    pub(crate) fn load() -> Result<Self, Failure> {
        load(&Self::path()?)
    }

    /// Reads them to change them: no other process does until the file that is given is dropped.
    pub(crate) fn change() -> Result<(File, Self), Failure> {
        let path = Self::path()?;
        Ok((private::lock(&path)?, load(&path)?))
    }

    /// The login to an organization of a database; without an organization, the only one to that database.
    pub(crate) fn find(&self, database: &str, org: Option<&str>) -> Option<&Login> {
        let mut found = self.all.iter().filter(|login| login.is_of(database, org.unwrap_or(&login.org)));
        let first = found.next();
        first.filter(|_| found.next().is_none())
    }

    /// Takes the login to an organization of a database out.
    pub(crate) fn remove(&mut self, database: &str, org: &str) -> Option<Login> {
        let at = self.all.iter().position(|login| login.is_of(database, org))?;
        Some(self.all.remove(at))
    }

    /// Keeps a login instead of the one to the same place.
    pub(crate) fn put(&mut self, login: Login) -> Option<Login> {
        let before = self.remove(&login.database, &login.org);
        self.all.push(login);
        before
    }

    /// How many there are.
    pub(crate) const fn count(&self) -> usize {
        self.all.len()
    }

    /// Writes them.
    pub(crate) fn save(&self) -> Done {
        save(&Self::path()?, self)
    }
}

/// A key that signs tokens.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SigningKey {
    id: String,
    #[serde(with = "secret")]
    secret: Secret,
    /// Until when its tokens are taken, once another key has replaced it.
    #[serde(default, with = "optional_instant", skip_serializing_if = "Option::is_none")]
    replaced_until: Option<Instant>,
}

mod optional_instant {
    use crm_core::value::Instant;
    use serde::{Deserializer, Serializer};

    #[expect(clippy::ref_option, reason = "the signature is serde's")]
    pub(super) fn serialize<S: Serializer>(instant: &Option<Instant>, serializer: S) -> Result<S::Ok, S::Error> {
        match instant {
            Some(instant) => serializer.collect_str(instant),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Instant>, D::Error> {
        super::instant::deserialize(deserializer).map(Some)
    }
}

/// The keys of the command line, the present one first.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SigningKeys {
    #[serde(default, rename = "key")]
    all: Vec<SigningKey>,
}

impl SigningKey {
    /// A key of the system's randomness.
    fn new(clock: Clock) -> Self {
        Self { id: hex::<8>(clock), secret: Secret::from(hex::<32>(clock)), replaced_until: None }
    }
}

/// So many random bytes in hexadecimal digits.
fn hex<const BYTES: usize>(clock: Clock) -> String {
    let mut bytes = Zeroizing::new([0; BYTES]);
    clock.fill_random(&mut *bytes);
    bytes.iter().fold(String::with_capacity(2 * BYTES), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The keys that sign and check tokens; they are made when there are none yet, or when the present one is to be replaced.
pub(crate) fn signing_keys(clock: Clock, replace: bool) -> Result<TokenKeys, Failure> {
    let path = folders()?.1.join("signing-keys.toml");
    let mut keys: SigningKeys = load(&path)?;
    if keys.all.is_empty() || replace {
        let _held = private::lock(&path)?;
        keys = load(&path)?;
        if keys.all.is_empty() || replace {
            let now = clock.now();
            keys.all.retain(|key| key.replaced_until.is_none_or(|end| now < end));
            let end = now.checked_add_micros(ACCESS_SECONDS * 1_000_000).map_err(CrmError::from)?;
            keys.all.iter_mut().for_each(|key| key.replaced_until = key.replaced_until.or(Some(end)));
            keys.all.insert(0, SigningKey::new(clock));
            save(&path, &keys)?;
        }
    }
    let refused = |error: &dyn std::fmt::Display| {
        Failure::failed(format!("The keys in {} cannot be used: {error}", path.display()))
            .hint("Delete the file: the next login makes new ones")
    };
    let now = clock.now();
    let mut valid = keys.all.iter().filter(|key| key.replaced_until.is_none_or(|end| now < end));
    let present = valid.next().ok_or_else(|| refused(&"none of them is present"))?;
    let made = TokenKeys::new(ISSUER, ISSUER, &present.id, present.secret.expose().as_bytes());
    valid
        .try_fold(made.map_err(|error| refused(&error))?, |keys, key| {
            keys.accepting(&key.id, key.secret.expose().as_bytes())
        })
        .map_err(|error| refused(&error))
}

/// Reads a file of secrets. What is wrong with it is not quoted: it would be a secret.
fn load<T: Default + for<'de> Deserialize<'de>>(path: &Path) -> Result<T, Failure> {
    let Some(text) = private::read(path)? else { return Ok(T::default()) };
    toml::from_str(&text).map_err(|_| {
        Failure::failed(format!("The file {} is damaged", path.display()))
            .hint("Delete it and sign in again: `crm login`")
    })
}

fn save(path: &Path, value: &impl Serialize) -> Done {
    let text = toml::to_string(value).map_err(|_| Failure::failed(format!("Cannot write {}", path.display())))?;
    let text = Zeroizing::new(text);
    private::write(path, &text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(database: &str, org: &str, refresh: &str) -> Login {
        let at = "2026-06-15T12:00:00Z".parse().unwrap();
        Login {
            database: database.to_owned(),
            org: org.to_owned(),
            user: "ana@acme.example".to_owned(),
            access: "access".into(),
            refresh: refresh.into(),
            expires_at: at,
            refresh_expires_at: at,
        }
    }

    #[test]
    fn a_login_is_found_by_its_place() {
        let mut logins = Logins::default();
        assert!(logins.put(login("/a.db", "acme", "1")).is_none());
        assert!(logins.put(login("/b.db", "acme", "2")).is_none());
        assert!(logins.find("/a.db", None).is_some_and(|found| found.refresh == "1".into()));
        assert!(logins.put(login("/a.db", "other", "3")).is_none());
        assert!(logins.find("/a.db", None).is_none());
        assert!(logins.find("/a.db", Some("other")).is_some_and(|found| found.refresh == "3".into()));
        assert!(logins.find("/b.db", Some("other")).is_none());
        assert!(logins.put(login("/a.db", "acme", "4")).is_some_and(|before| before.refresh == "1".into()));
        assert!(logins.remove("/a.db", "acme").is_some_and(|removed| removed.refresh == "4".into()));
        assert!(logins.remove("/a.db", "acme").is_none());
    }

    #[test]
    fn logins_are_written_and_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logins.toml");
        let mut logins = Logins::default();
        logins.put(login("/a.db", "acme", "one"));
        logins.put(login("/b.db", "acme", "two"));
        save(&path, &logins).unwrap();
        let read: Logins = load(&path).unwrap();
        assert_eq!(toml::to_string(&read).unwrap(), toml::to_string(&logins).unwrap());
        private::write(&path, "[[login]]\ndatabase = 'canary'\n").unwrap();
        let failure = load::<Logins>(&path).err().unwrap();
        assert!(failure.message.ends_with("is damaged") && !failure.to_json().contains("canary"), "{failure:?}");
    }

    #[test]
    fn databases_are_told_apart_without_their_passwords() {
        assert_eq!(place("postgres://ana:secret@h/crm?schema=a"), "postgres://ana:***@h/crm?schema=a");
        assert_eq!(place("sqlite:///nowhere/acme.db"), "/nowhere/acme.db");
        assert!(Path::new(&place("acme.db")).is_absolute());
    }
}
