//! Passwords: how they are hashed, and which ones are refused.
//!
//! Argon2id with at least 19 MiB of memory, two passes and one lane, the least that the OWASP Password Storage Cheat
//! Sheet allows. A password is normalized (NFC) and taken whole: nothing of it is cut off.

use std::fmt;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use subtle::ConstantTimeEq as _;
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

use super::{AccessError, Secret, User};
use crate::context::Environment;
use crate::entity::{Field, Kind, Locale};
use crate::row::Value;
use crate::value::{ValueError, fold};

/// The fewest characters of a password, after normalization.
pub const SHORTEST_PASSWORD: usize = 8;
/// The most characters of a password, after normalization.
pub const LONGEST_PASSWORD: usize = 1_024;

/// A character has no more bytes than this, and normalization makes three of one at most.
const LONGEST_BYTES: usize = LONGEST_PASSWORD * 4 * 3;

/// A hashed password with its salt and parameters, as a PHC string. It is never printed or given out.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(Secret);

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl Field for PasswordHash {
    const KIND: Kind = Kind::Text;
    fn store(&self) -> Value {
        Value::Text(self.0.expose().to_owned())
    }
    fn load(value: Value) -> Result<Self, ValueError> {
        match value {
            Value::Text(text) => Ok(Self(text.into())),
            _ => Err(ValueError::syntax("a hashed password", "another kind of value")),
        }
    }
    fn parse(_: &str, _: &Locale) -> Result<Self, ValueError> {
        Err(ValueError::ReadOnly)
    }
}

/// What one hash costs: memory, passes over it, and lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordCost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl Default for PasswordCost {
    fn default() -> Self {
        Self { memory_kib: 19_456, passes: 2, lanes: 1 }
    }
}

impl PasswordCost {
    /// So many KiB of memory, passes and lanes, none fewer than the default's.
    ///
    /// # Errors
    /// [`AccessError::WeakCost`] when less is asked for, or more than the function takes.
    pub fn new(memory_kib: u32, passes: u32, lanes: u32) -> Result<Self, AccessError> {
        let cost = Self { memory_kib, passes, lanes };
        if cost.is_below(Self::default()) || cost.params().is_none() { Err(AccessError::WeakCost) } else { Ok(cost) }
    }

    /// The least that the function takes, for tests that sign in often.
    #[cfg(feature = "testing")]
    pub const fn for_tests() -> Self {
        Self { memory_kib: 8, passes: 1, lanes: 1 }
    }

    fn params(self) -> Option<Params> {
        Params::new(self.memory_kib, self.passes, self.lanes, Some(32)).ok()
    }

    /// How long a hash takes: so many KiB are written.
    fn work(self) -> u64 {
        u64::from(self.memory_kib) * u64::from(self.passes)
    }

    /// What has to be computed besides a hash of a lesser cost for the work of this one; none when so little is missing that
    /// no hash costs it.
    fn padding(self, lesser: Self) -> Option<Self> {
        let missing = self.work().checked_sub(lesser.work())?;
        let memory_kib = u32::try_from(missing / u64::from(self.passes)).ok()?;
        let padding = Self { memory_kib, ..self };
        padding.params().map(|_| padding)
    }

    /// Whether anything of it is less.
    const fn is_below(self, other: Self) -> bool {
        self.memory_kib < other.memory_kib || self.passes < other.passes || self.lanes < other.lanes
    }
}

/// Hashes and checks passwords at one cost.
pub(crate) struct Hasher {
    cost: PasswordCost,
    computed: AtomicU64,
}

impl Hasher {
    pub(crate) const fn new(cost: PasswordCost) -> Self {
        Self { cost, computed: AtomicU64::new(0) }
    }

    /// How many hashes were computed.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn computed(&self) -> u64 {
        self.computed.load(Ordering::Relaxed)
    }

    /// Hashes a password with a new salt.
    pub(crate) fn hash(&self, password: &Secret, environment: &dyn Environment) -> PasswordHash {
        let mut salt = [0; 16];
        environment.fill_random(&mut salt);
        let PasswordCost { memory_kib, passes, lanes } = self.cost;
        let hash = self.compute(self.cost, password, &salt);
        let (salt, hash) = (BASE64.encode(salt), BASE64.encode(*hash));
        PasswordHash(format!("$argon2id$v=19$m={memory_kib},t={passes},p={lanes}${salt}${hash}").into())
    }

    /// Whether the password is the one that was hashed. Without a hash the work is the same, and the answer no. So it is with
    /// one that was made when hashes cost less: another is computed for what is missing.
    pub(crate) fn verify(&self, password: &Secret, hash: Option<&PasswordHash>) -> bool {
        let parts = hash.and_then(Parts::of);
        let (cost, salt) = parts.as_ref().map_or((self.cost, [0; 16].as_slice()), |parts| (parts.cost, &parts.salt));
        let computed = self.compute(cost, password, salt);
        if let Some(padding) = self.cost.padding(cost) {
            std::hint::black_box(self.compute(padding, password, &[0; 16]));
        }
        let whole = password.expose().len() <= LONGEST_BYTES;
        parts.is_some_and(|parts| parts.hash.ct_eq(&*computed).into()) && whole
    }

    /// Whether a password that was just checked should be hashed again, because hashes have come to cost more.
    pub(crate) fn is_outdated(&self, hash: &PasswordHash) -> bool {
        Parts::of(hash).is_none_or(|parts| parts.cost.is_below(self.cost))
    }

    fn compute(&self, cost: PasswordCost, password: &Secret, salt: &[u8]) -> Zeroizing<[u8; 32]> {
        self.computed.fetch_add(1, Ordering::Relaxed);
        let mut out = Zeroizing::new([0; 32]);
        // A longer text is no password; it costs what a short one costs, and does not match.
        let text = if password.expose().len() > LONGEST_BYTES { "" } else { password.expose() };
        let text = normalized(text);
        let params = cost.params().unwrap_or_default();
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        argon2.hash_password_into(text.as_bytes(), salt, &mut *out).expect("a checked cost, and a salt of 16 bytes");
        out
    }
}

/// What a PHC string holds.
struct Parts {
    cost: PasswordCost,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

impl Parts {
    /// Reads the strings that [`Hasher::hash`] writes, and no others.
    fn of(hash: &PasswordHash) -> Option<Self> {
        let rest = hash.0.expose().strip_prefix("$argon2id$v=19$m=")?;
        let (memory, rest) = rest.split_once(",t=")?;
        let (passes, rest) = rest.split_once(",p=")?;
        let (lanes, rest) = rest.split_once('$')?;
        let (salt, hash) = rest.split_once('$')?;
        let number = |text: &str| text.parse::<u32>().ok();
        let cost = PasswordCost { memory_kib: number(memory)?, passes: number(passes)?, lanes: number(lanes)? };
        cost.params()?;
        let (salt, hash) = (BASE64.decode(salt).ok()?, BASE64.decode(hash).ok()?);
        (salt.len() == 16 && hash.len() == 32).then_some(Self { cost, salt, hash })
    }
}

fn normalized(text: &str) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::with_capacity(text.len() * 3));
    out.extend(text.nfc());
    out
}

/// The most common passwords, folded and in order: none of them keeps anybody out.
static COMMON: LazyLock<Vec<&str>> =
    LazyLock::new(|| include_str!("common_passwords.txt").lines().filter(|line| !line.starts_with('#')).collect());

/// What stands for them in other languages than the list's, folded.
const ELSEWHERE: &[&str] = &[
    "administrador",
    "administrator",
    "contrasena",
    "contrasena1",
    "contrasena123",
    "letmein123",
    "motdepasse1",
    "passwort1",
    "passwort123",
    "senha123",
    "senha1234",
    "teamo123",
    "пароль12",
    "пароль123",
    "привет123",
    "йцукенгш",
    "йцукен123",
];

/// Checks a new password of a user: its length, that it is no common one, also with punctuation around it, nor one character
/// alone, and that it is neither the address nor the
/// user name.
///
/// # Errors
/// What is wrong with it, without the password.
pub fn check_password(password: &Secret, user: &User) -> Result<(), ValueError> {
    let text = password.expose();
    if text.len() > LONGEST_BYTES {
        return Err(ValueError::TooLong { max: LONGEST_PASSWORD, got: text.chars().count() });
    }
    let text = normalized(text);
    let got = text.chars().count();
    if got < SHORTEST_PASSWORD {
        return Err(ValueError::TooShort { min: SHORTEST_PASSWORD, got });
    }
    if got > LONGEST_PASSWORD {
        return Err(ValueError::TooLong { max: LONGEST_PASSWORD, got });
    }
    let folded = Zeroizing::new(fold(&text));
    let bare = folded.trim_matches(|c: char| !c.is_alphanumeric());
    let repeated = folded.chars().all(|c| folded.starts_with(c));
    if repeated || [&folded, bare].iter().any(|text| COMMON.binary_search(text).is_ok() || ELSEWHERE.contains(text)) {
        return Err(ValueError::NotAllowed { when: "it is one of the most common passwords" });
    }
    let email = fold(user.email.as_str());
    let names = [user.email.key(), email.split('@').next().unwrap_or_default(), &email];
    let username = user.username.as_ref().is_some_and(|name| name.key() == *folded);
    if username || names.contains(&folded.as_str()) {
        return Err(ValueError::NotAllowed { when: "it is the address or the user name" });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed;

    impl Environment for Fixed {
        fn now(&self) -> crate::value::Instant {
            crate::value::Instant::EPOCH
        }
        fn new_id(&self) -> uuid::Uuid {
            uuid::Uuid::nil()
        }
        fn fill_random(&self, bytes: &mut [u8]) {
            bytes.fill(7);
        }
    }

    fn user() -> User {
        let mut user = User::new("Ana.Ruiz@example.com".parse().unwrap(), "Ana".parse().unwrap());
        user.username = Some("árbol.viejo".parse().unwrap());
        user
    }

    #[test]
    fn the_list_of_common_passwords_is_sorted_folded_and_long_enough_to_matter() {
        assert!(COMMON.len() >= 3_000);
        assert!(
            COMMON.is_sorted() && COMMON.iter().all(|word| fold(word) == **word && word.len() >= SHORTEST_PASSWORD)
        );
        assert!(ELSEWHERE.iter().all(|word| fold(word) == **word && !COMMON.contains(word)));
    }

    #[test]
    fn passwords_are_refused_that_are_short_long_common_or_the_users_own_name() {
        let check = |text: &str| check_password(&text.into(), &user());
        assert_eq!(check("sieben7"), Err(ValueError::TooShort { min: 8, got: 7 }));
        // Seven characters once the accents are composed.
        assert_eq!(check("e\u{301}e\u{301}e\u{301}e\u{301}abc"), Err(ValueError::TooShort { min: 8, got: 7 }));
        assert_eq!(check(&"é".repeat(1_025)), Err(ValueError::TooLong { max: 1_024, got: 1_025 }));
        assert_eq!(check(&"x".repeat(100_000)), Err(ValueError::TooLong { max: 1_024, got: 100_000 }));
        for common in [
            "password",
            "PassWord",
            " pässwörd",
            "qwertyuiop",
            "iloveyou",
            "trustno1",
            "zzzzzzzz",
            "Password1!",
            "!!letmein1",
            "Contraseña",
            "ПАРОЛЬ123",
            "Йцукенгш",
        ] {
            assert!(
                matches!(check(common), Err(ValueError::NotAllowed { when }) if when.contains("common")),
                "{common}"
            );
        }
        for own in ["ana.ruiz@example.com", "ANA.RUIZ@EXAMPLE.COM", "Ana.Ruiz", "ARBOL.VIEJO", "árbol.viejo"] {
            assert!(matches!(check(own), Err(ValueError::NotAllowed { when }) if when.contains("name")), "{own}");
        }
        let seldom = ["correct horse", "k8#mQ2zz", &"éa".repeat(512), "\u{1f600}\u{1f600}\u{1f600}\u{1f600}abcd"];
        for fine in seldom {
            assert_eq!(check(fine), Ok(()), "{fine}");
        }
    }

    #[test]
    fn a_hash_is_checked_by_the_whole_password_in_any_spelling_of_its_characters() {
        let hasher = Hasher::new(PasswordCost::default());
        let long = "x".repeat(80);
        let hash = hasher.hash(&format!("{long}a").as_str().into(), &Fixed);
        assert!(hash.0.expose().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", hash.0.expose());
        assert!(hasher.verify(&format!("{long}a").as_str().into(), Some(&hash)));
        assert!(!hasher.verify(&format!("{long}b").as_str().into(), Some(&hash)));
        let accent = hasher.hash(&"corazón fuerte".into(), &Fixed);
        assert!(hasher.verify(&"corazo\u{301}n fuerte".into(), Some(&accent)));
        assert!(!hasher.verify(&"corazon fuerte".into(), Some(&accent)));
        assert_eq!(format!("{accent:?}"), "[secret]");
    }

    #[test]
    fn every_check_computes_one_hash() {
        let hasher = Hasher::new(PasswordCost::for_tests());
        let hash = hasher.hash(&"correct horse".into(), &Fixed);
        let broken = PasswordHash("$argon2id$v=19$m=8,t=1,p=1$AAAA$AAAA".into());
        let too_long: Secret = "x".repeat(1_000_000).into();
        let checks: [(&Secret, Option<&PasswordHash>, bool); 5] = [
            (&"correct horse".into(), Some(&hash), true),
            (&"wrong horse".into(), Some(&hash), false),
            (&"correct horse".into(), None, false),
            (&"correct horse".into(), Some(&broken), false),
            (&too_long, Some(&hash), false),
        ];
        for (password, hash, expected) in checks {
            let before = hasher.computed();
            assert_eq!(hasher.verify(password, hash), expected);
            assert_eq!(hasher.computed() - before, 1);
        }
        let empty = hasher.hash(&"".into(), &Fixed);
        assert!(!hasher.verify(&too_long, Some(&empty)), "a text that is too long is not taken for an empty one");
    }

    #[test]
    fn hashes_are_outdated_once_they_cost_less_than_they_should() {
        let cheap = Hasher::new(PasswordCost::for_tests());
        let dear = Hasher::new(PasswordCost { memory_kib: 16, passes: 1, lanes: 1 });
        let hash = cheap.hash(&"correct horse".into(), &Fixed);
        assert!(!cheap.is_outdated(&hash) && dear.is_outdated(&hash));
        assert!(dear.verify(&"correct horse".into(), Some(&hash)), "an old hash is still checked");
        assert!(!cheap.is_outdated(&dear.hash(&"correct horse".into(), &Fixed)));
    }

    #[test]
    fn a_hash_that_cost_less_is_checked_with_the_same_work() {
        let cost = |memory_kib, passes, lanes| PasswordCost { memory_kib, passes, lanes };
        for (before, now) in [
            (cost(19_456, 2, 1), cost(19_456, 3, 1)),
            (cost(19_456, 2, 1), cost(65_536, 3, 1)),
            (cost(19_456, 2, 1), cost(47_104, 2, 4)),
            (cost(8, 1, 1), cost(19_456, 2, 1)),
            (cost(65_536, 2, 1), cost(32_768, 5, 1)),
        ] {
            let padding = now.padding(before).unwrap();
            let (spent, due) = (before.work() + padding.work(), now.work());
            assert!(spent <= due && due - spent < u64::from(now.passes), "{before:?}, {now:?}: {spent} of {due}");
        }
        assert_eq!(cost(19_456, 2, 1).padding(cost(19_456, 2, 1)), None);
        assert_eq!(cost(19_456, 2, 1).padding(cost(65_536, 3, 1)), None);
        let old = Hasher::new(PasswordCost::for_tests()).hash(&"correct horse".into(), &Fixed);
        let hasher = Hasher::new(cost(64, 2, 1));
        for (password, hash, right, hashes) in [
            ("correct horse", Some(&old), true, 2),
            ("wrong horse", Some(&old), false, 2),
            ("wrong horse", None, false, 1),
        ] {
            let before = hasher.computed();
            assert_eq!(hasher.verify(&password.into(), hash), right);
            assert_eq!(hasher.computed() - before, hashes);
        }
    }

    #[test]
    fn no_cost_below_the_default_is_taken() {
        for (memory, passes, lanes) in [(19_455, 2, 1), (19_456, 1, 1), (1_000_000, 1, 1), (19_456, 2, 0)] {
            assert_eq!(PasswordCost::new(memory, passes, lanes), Err(AccessError::WeakCost));
        }
        assert!(PasswordCost::new(65_536, 3, 1).is_ok());
    }
}
