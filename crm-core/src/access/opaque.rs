//! The text of API keys and invitations: opaque credentials of 256 random bits that name the organization they belong to
//! and can be checked for slips before anything is looked up.
//!
//! `TAG_PREFIX_SECRETCHECK`: a tag such as `crm`; a prefix that may be seen, made of the organization's number in base 62
//! and eight random characters; the secret, 43 characters of base 62; and six characters of CRC-32 (ISO 3309) over all
//! that comes before. What is stored is the prefix and SHA-256 of the whole: the secret has more entropy than a hash can
//! be searched for, so that a slow hash would add nothing.

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::Secret;
use crate::context::Environment;
use crate::entity::{Field, Kind, Locale};
use crate::row::Value;
use crate::store::Scope;
use crate::value::ValueError;

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const RANDOM: usize = 8;
const SECRET: usize = 43;
const CHECK: usize = 6;

/// SHA-256 of a credential. Printed, it tells nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretHash(Vec<u8>);

impl SecretHash {
    pub(super) fn of(credential: impl AsRef<[u8]>) -> Self {
        Self(Sha256::digest(credential).to_vec())
    }

    /// Compares in a time that does not depend on where they differ.
    pub(crate) fn matches(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl std::fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretHash(..)")
    }
}

impl Field for SecretHash {
    const KIND: Kind = Kind::Bytes;
    fn store(&self) -> Value {
        Value::Bytes(self.0.clone())
    }
    fn load(value: Value) -> Result<Self, ValueError> {
        Vec::load(value).map(Self)
    }
    fn parse(_: &str, _: &Locale) -> Result<Self, ValueError> {
        Err(ValueError::ReadOnly)
    }
}

/// A new credential: what its holder gets, and what is stored.
pub(crate) struct Minted {
    pub(crate) text: Secret,
    pub(crate) prefix: String,
    pub(crate) hash: SecretHash,
}

/// Makes a credential of an organization.
pub(crate) fn mint(tag: &str, scope: Scope, environment: &dyn Environment) -> Minted {
    let mut random = [0; 8];
    environment.fill_random(&mut random);
    let mut bits = Zeroizing::new([0; 32]);
    environment.fill_random(&mut *bits);
    let number = scope.key().to_be_bytes();
    let prefix = format!("{}{}", base62(&number, 0), &base62(&random, RANDOM + 3)[3..]);
    let mut text = format!("{tag}_{prefix}_{}", base62(&*bits, SECRET));
    text.push_str(&base62(&crc32(text.as_bytes()).to_be_bytes(), CHECK));
    let hash = SecretHash::of(&text);
    Minted { text: Secret::from(text), prefix, hash }
}

/// What a credential says of itself.
pub(crate) struct Claimed<'a> {
    pub(crate) scope: Scope,
    pub(crate) prefix: &'a str,
    pub(crate) hash: SecretHash,
}

/// Reads a credential; none when it is not one of this kind or was not copied faithfully.
pub(crate) fn read<'a>(tag: &str, text: &'a str) -> Option<Claimed<'a>> {
    let (prefix, secret) = text.strip_prefix(tag)?.strip_prefix('_')?.split_once('_')?;
    let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    // An organization's number has eleven digits at most.
    if !plain(prefix) || !plain(secret) || secret.len() != SECRET + CHECK || prefix.len() > RANDOM + 11 {
        return None;
    }
    let (body, check) = text.split_at(text.len() - CHECK);
    if base62(&crc32(body.as_bytes()).to_be_bytes(), CHECK) != check {
        return None;
    }
    let number = prefix.len().checked_sub(RANDOM).and_then(|end| prefix.get(..end))?;
    let number = number.bytes().try_fold(0_i64, |sum, byte| {
        let digit = DIGITS.iter().position(|known| *known == byte)?;
        sum.checked_mul(62)?.checked_add(i64::try_from(digit).ok()?)
    })?;
    (number > 0).then(|| Claimed { scope: Scope::organization(number), prefix, hash: SecretHash::of(text) })
}

/// A number in base 62, with leading zeros up to a width.
fn base62(bytes: &[u8], width: usize) -> String {
    let mut number = bytes.to_vec();
    let mut digits = Vec::with_capacity(width);
    while number.iter().any(|byte| *byte != 0) {
        let rest = number.iter_mut().fold(0_u32, |rest, byte| {
            let value = rest << 8 | u32::from(*byte);
            *byte = u8::try_from(value / 62).unwrap_or(u8::MAX);
            value % 62
        });
        digits.push(char::from(DIGITS[rest as usize]));
    }
    while digits.len() < width {
        digits.push('0');
    }
    digits.iter().rev().collect()
}

/// CRC-32 with the polynomial of ISO 3309.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::Mutex;

    use uuid::Uuid;

    use super::*;
    use crate::testing::TestEnvironment;
    use crate::value::Instant;

    #[test]
    fn the_checksum_and_the_digits_are_the_standard_ones() {
        // The check value of the catalogue of CRCs, CRC-32/ISO-HDLC.
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(base62(&[0, 61], 0), "z");
        assert_eq!(base62(&[0, 62], 4), "0010");
        assert_eq!(base62(&[255; 32], SECRET).len(), SECRET);
        assert_eq!(base62(&[0; 32], SECRET), "0".repeat(SECRET));
    }

    #[test]
    fn a_credential_reads_back_and_every_slip_is_found() {
        let minted = mint("crm", Scope::organization(12_345), &TestEnvironment::new(1));
        let text = minted.text.expose();
        let claimed = read("crm", text).unwrap();
        assert_eq!((claimed.scope.key(), claimed.prefix), (12_345, &*minted.prefix));
        assert!(claimed.hash.matches(&minted.hash));
        assert!(read("crminv", text).is_none() && read("", text).is_none());
        for at in 0..text.len() {
            for other in ["0", "a", "_", "é", ""] {
                let changed = format!("{}{other}{}", &text[..at], &text[at + 1..]);
                assert!(changed == text || read("crm", &changed).is_none(), "{at} {other}");
            }
            if text.as_bytes()[at..].len() > 1 && text.as_bytes()[at] != text.as_bytes()[at + 1] {
                let mut swapped = text.as_bytes().to_vec();
                swapped.swap(at, at + 1);
                assert!(read("crm", &String::from_utf8(swapped).unwrap()).is_none(), "{at} swapped");
            }
        }
        assert!(read("crm", "").is_none() && read("crm", "crm__").is_none());
    }

    /// All differ, and each place of their secrets takes every digit that it can: the first of 62 is 60 at most, for
    /// there are 2 to the 256th secrets.
    #[test]
    fn secrets_are_random() {
        let environment = TestEnvironment::new(1);
        let minted: Vec<_> = (0..999).map(|_| mint("crm", Scope::organization(1), &environment)).collect();
        let secrets: Vec<&[u8]> = minted
            .iter()
            .map(|one| {
                let (_, secret) = one.text.expose().rsplit_once('_').unwrap();
                &secret.as_bytes()[..SECRET]
            })
            .collect();
        assert_eq!(secrets.iter().collect::<HashSet<_>>().len(), 999);
        assert_eq!(minted.iter().map(|one| &one.prefix).collect::<HashSet<_>>().len(), 999);
        let digits = |at: usize| secrets.iter().map(|secret| secret[at]).collect::<HashSet<_>>().len();
        assert!((0..SECRET).all(|at| digits(at) >= 61));
        let first = &minted[0];
        assert!(minted[1..].iter().all(|other| !other.hash.matches(&first.hash)));
    }

    #[test]
    fn a_secret_takes_256_bits_of_its_own() {
        /// Notes how much was asked for.
        struct Asked(TestEnvironment, Mutex<Vec<usize>>);
        impl Environment for Asked {
            fn now(&self) -> Instant {
                self.0.now()
            }
            fn new_id(&self) -> Uuid {
                self.0.new_id()
            }
            fn fill_random(&self, bytes: &mut [u8]) {
                self.1.lock().unwrap().push(bytes.len());
                self.0.fill_random(bytes);
            }
        }
        let environment = Asked(TestEnvironment::new(1), Mutex::default());
        mint("crm", Scope::organization(1), &environment);
        assert_eq!(*environment.1.lock().unwrap(), [8, 32]);
    }
}
