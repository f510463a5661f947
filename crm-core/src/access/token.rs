//! Access tokens: JSON Web Tokens with HMAC-SHA-256, and nothing else.
//!
//! A token is taken if its header is exactly the one that is written here, its key is known, its signature is right, and
//! every claim is there and as it should be, to the second. It says who somebody is; what they may do is read from the
//! store, and asked again at each call of a session. There is no list of algorithms to choose from, hence none to confuse.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{AccessError, Secret};
use crate::value::Instant;

/// How long an access token is valid, in seconds.
pub const ACCESS_SECONDS: i64 = 30 * 60;
/// The fewest bytes of a key's secret.
pub const SHORTEST_KEY: usize = 32;

/// No token of ours is longer.
const LONGEST: usize = 4_096;
const ALGORITHM: &str = "HS256";
/// The type of the JWT, as RFC 9068 names it, so that no other JWT under the same key is taken for one.
const TYPE: &str = "at+jwt";
const PURPOSE: &str = "access";

/// The keys that sign access tokens, and for whom.
///
/// ```
/// use crm_core::access::TokenKeys;
///
/// let old = b"3f0c9a7e5b1d48c2a6e4907bd5f2813c";
/// let new = b"e19d4c7b20f8a35691cb7e84d2a0f653";
/// // Signs with the new key, and still takes what the old one signed.
/// let keys = TokenKeys::new("https://crm.example", "crm", "2026-06", new)?.accepting("2026-05", old)?;
/// assert!(TokenKeys::new("https://crm.example", "crm", "2026-06", b"changeme").is_err());
/// # Ok::<(), crm_core::access::AccessError>(())
/// ```
#[derive(Clone)]
pub struct TokenKeys {
    issuer: String,
    audience: String,
    /// The first one signs.
    keys: Vec<(String, Zeroizing<Vec<u8>>)>,
}

impl fmt::Debug for TokenKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<&str> = self.keys.iter().map(|(id, _)| id.as_str()).collect();
        f.debug_struct("TokenKeys")
            .field("issuer", &self.issuer)
            .field("audience", &self.audience)
            .field("keys", &ids)
            .finish()
    }
}

impl TokenKeys {
    /// Keys of an issuer for an audience; the key with this id signs.
    ///
    /// # Errors
    /// [`AccessError::WeakKey`] when the secret has fewer than 32 bytes, is a well-known one, or repeats itself;
    /// [`AccessError::KeyId`] when the id is not 1 to 64 letters, digits, dots, hyphens and underscores.
    pub fn new(issuer: &str, audience: &str, id: &str, secret: &[u8]) -> Result<Self, AccessError> {
        let keys = Self { issuer: issuer.to_owned(), audience: audience.to_owned(), keys: Vec::new() };
        keys.accepting(id, secret)
    }

    /// Takes tokens that another key signed as well: the one before, until its last token has expired, or the next one.
    ///
    /// # Errors
    /// As [`TokenKeys::new`]; [`AccessError::KeyId`] also when there is a key with this id already.
    pub fn accepting(mut self, id: &str, secret: &[u8]) -> Result<Self, AccessError> {
        let word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
        if id.is_empty() || id.len() > 64 || !id.bytes().all(word) || self.key(id).is_some() {
            return Err(AccessError::KeyId(id.to_owned()));
        }
        if is_weak(secret) {
            return Err(AccessError::WeakKey(id.to_owned()));
        }
        self.keys.push((id.to_owned(), Zeroizing::new(secret.to_vec())));
        Ok(self)
    }

    fn key(&self, id: &str) -> Option<&[u8]> {
        self.keys.iter().find(|(known, _)| known == id).map(|(_, secret)| secret.as_slice())
    }

    /// A token for the bearer, valid from now.
    pub(crate) fn sign(&self, bearer: &Bearer, id: Uuid, now: Instant) -> Secret {
        let issued = seconds(now);
        let claims = Claims {
            iss: self.issuer.clone(),
            aud: self.audience.clone(),
            typ: PURPOSE.to_owned(),
            sub: bearer.user,
            org: bearer.organization,
            mem: bearer.membership,
            sid: bearer.session,
            epoch: bearer.epoch,
            jti: id,
            iat: issued,
            nbf: issued,
            exp: issued + ACCESS_SECONDS,
        };
        let (kid, secret) = &self.keys[0];
        let header = Header { alg: ALGORITHM.to_owned(), typ: TYPE.to_owned(), kid: kid.clone() };
        let (header, claims) = (encoded(&header), encoded(&claims));
        let signed = format!("{header}.{claims}");
        let signature = BASE64.encode(mac(secret, &signed).finalize().into_bytes());
        format!("{signed}.{signature}").into()
    }

    /// Who bears a token, and when it expires, if it is one of ours and valid now.
    pub(crate) fn verify(&self, token: &str, now: Instant) -> Option<(Bearer, Instant)> {
        if token.len() > LONGEST {
            return None;
        }
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let header: Header = decoded(header)?;
        if header.alg != ALGORITHM || header.typ != TYPE {
            return None;
        }
        let secret = self.key(&header.kid)?;
        // In constant time.
        mac(secret, signed).verify_slice(&BASE64.decode(signature).ok()?).ok()?;
        let claims: Claims = decoded(claims)?;
        let now = seconds(now);
        let named = claims.iss == self.issuer && claims.aud == self.audience && claims.typ == PURPOSE;
        let timely = claims.iat <= now && claims.nbf <= now && now < claims.exp;
        let expires_at = Instant::clamped(claims.exp.saturating_mul(1_000_000));
        let bearer = Bearer {
            user: claims.sub,
            organization: claims.org,
            membership: claims.mem,
            session: claims.sid,
            epoch: claims.epoch,
        };
        (named && timely).then_some((bearer, expires_at))
    }
}

/// Whom a token names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bearer {
    pub(crate) user: Uuid,
    pub(crate) organization: Uuid,
    pub(crate) membership: Uuid,
    pub(crate) session: Uuid,
    pub(crate) epoch: i64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    typ: String,
    kid: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Claims {
    iss: String,
    aud: String,
    typ: String,
    sub: Uuid,
    org: Uuid,
    mem: Uuid,
    sid: Uuid,
    epoch: i64,
    jti: Uuid,
    iat: i64,
    nbf: i64,
    exp: i64,
}

const fn seconds(at: Instant) -> i64 {
    at.micros().div_euclid(1_000_000)
}

fn encoded(part: &impl Serialize) -> String {
    BASE64.encode(serde_json::to_vec(part).expect("texts and numbers can be written as JSON"))
}

fn decoded<T: for<'de> Deserialize<'de>>(part: &str) -> Option<T> {
    serde_json::from_slice(&BASE64.decode(part).ok()?).ok()
}

fn mac(secret: &[u8], text: &str) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("a key of any length is taken");
    mac.update(text.as_bytes());
    mac
}

/// Words that stand in the keys of examples and templates.
const WELL_KNOWN: &[&str] = &[
    "secret",
    "sample",
    "replace",
    "placeholder",
    "key-here",
    "key_here",
    "keyhere",
    "your-",
    "your_",
    "my-32",
    "my_32",
    "jwttoken",
    "signtoken",
    "isthekey",
    "signingkey",
    "signing-key",
    "signing_key",
    "jwt-key",
    "jwt_key",
    "jwtkey",
    "correcthorse",
    "abcdefgh",
    "letmein",
    "iloveyou",
    "lorem ipsum",
    "changeme",
    "change-me",
    "change_me",
    "password",
    "example",
    "default",
    "insecure",
    "12345678",
    "qwertyui",
];

/// Keys that look random, and that are copied from where they are printed: those of RFC 7515, of a tutorial of
/// `FastAPI`, and of two of Spring Security. Each is refused as it stands here and as the bytes that it encodes.
const PRINTED: &[&str] = &[
    "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
    "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
    "404E635266556A586E3272357538782F413F4428472B4B6250645367566B5970",
    "5367566B59703373367639792F423F4528482B4D6251655468576D5A71347437",
];

/// Whether a secret is one of the printed keys.
fn is_printed(secret: &[u8]) -> bool {
    let hexadecimal = |key: &str| {
        let bytes = (0..key.len()).step_by(2).map(|at| u8::from_str_radix(key.get(at..at + 2)?, 16).ok());
        bytes.collect::<Option<Vec<u8>>>()
    };
    PRINTED.iter().any(|key| {
        let bytes = hexadecimal(key).or_else(|| BASE64.decode(key).ok());
        key.as_bytes().eq_ignore_ascii_case(secret) || bytes.is_some_and(|bytes| bytes == secret)
    })
}

/// Whether a secret is too short, well known, or hardly varies.
fn is_weak(secret: &[u8]) -> bool {
    let text = String::from_utf8_lossy(secret).to_lowercase();
    let mut bytes = secret.to_vec();
    bytes.sort_unstable();
    bytes.dedup();
    let repeats = (1..=secret.len() / 2).any(|period| secret.iter().zip(&secret[period..]).all(|(a, b)| a == b));
    let counts_up = secret.windows(2).all(|pair| pair[1] == pair[0].wrapping_add(1));
    secret.len() < SHORTEST_KEY
        || bytes.len() < 8
        || repeats
        || counts_up
        || WELL_KNOWN.iter().any(|word| text.contains(word))
        || is_printed(secret)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;

    const KEY: &[u8] = b"3f0c9a7e5b1d48c2a6e4907bd5f2813c";
    const OTHER: &[u8] = b"e19d4c7b20f8a35691cb7e84d2a0f653";

    fn keys() -> TokenKeys {
        TokenKeys::new("https://crm.example", "crm", "k1", KEY).unwrap()
    }

    fn bearer() -> Bearer {
        let id = Uuid::from_u128;
        Bearer { user: id(1), organization: id(2), membership: id(3), session: id(4), epoch: 5 }
    }

    /// What the tokens here say that are issued at second 1000.
    fn valid_one() -> (Bearer, Instant) {
        (bearer(), at(2_800))
    }

    fn at(seconds: i64) -> Instant {
        Instant::from_micros(seconds * 1_000_000).unwrap()
    }

    fn part(json: &Json) -> String {
        BASE64.encode(json.to_string())
    }

    fn signed(secret: &[u8], header: &Json, claims: &Json) -> String {
        raw(secret, &part(header), &part(claims))
    }

    fn raw(secret: &[u8], header: &str, claims: &str) -> String {
        let text = format!("{header}.{claims}");
        let signature = BASE64.encode(mac(secret, &text).finalize().into_bytes());
        format!("{text}.{signature}")
    }

    fn header() -> Json {
        json!({"alg": "HS256", "typ": "at+jwt", "kid": "k1"})
    }

    fn claims() -> Json {
        let id = |number: u128| Uuid::from_u128(number).to_string();
        json!({
            "iss": "https://crm.example", "aud": "crm", "typ": "access", "sub": id(1), "org": id(2), "mem": id(3),
            "sid": id(4), "epoch": 5, "jti": id(6), "iat": 1_000, "nbf": 1_000, "exp": 2_800,
        })
    }

    fn with(mut json: Json, name: &str, value: Json) -> Json {
        json[name] = value;
        json
    }

    fn without(mut json: Json, name: &str) -> Json {
        json.as_object_mut().unwrap().remove(name);
        json
    }

    #[test]
    fn a_token_is_valid_from_the_second_it_is_issued_to_the_last_before_it_expires() {
        let token = keys().sign(&bearer(), Uuid::from_u128(6), at(1_000));
        for (now, valid) in [(999, false), (1_000, true), (2_799, true), (2_800, false), (2_801, false)] {
            let found = keys().verify(token.expose(), at(now));
            assert_eq!(found, valid.then(valid_one), "at {now}");
        }
    }

    #[test]
    fn forged_tokens_are_refused() {
        let good = signed(KEY, &header(), &claims());
        assert_eq!(keys().verify(&good, at(1_500)), Some(valid_one()), "the pattern is one that would be taken");
        let head = |name: &str, value: Json| signed(KEY, &with(header(), name, value), &claims());
        let claim = |name: &str, value: Json| signed(KEY, &header(), &with(claims(), name, value));
        let parts: Vec<&str> = good.split('.').collect();
        let [head_part, claims_part, signature] = parts[..] else { panic!("three parts") };
        let none = part(&json!({"alg": "none", "typ": "at+jwt", "kid": "k1"}));
        let mut flipped = BASE64.decode(signature).unwrap();
        flipped[0] ^= 1;
        let twice = claims().to_string().replacen('{', r#"{"sub":"00000000-0000-0000-0000-000000000001","#, 1);
        let mut forged = vec![
            ("empty", String::new()),
            ("a word", "token".to_owned()),
            ("dots", "..".to_owned()),
            ("no signature", format!("{head_part}.{claims_part}")),
            ("an empty signature", format!("{head_part}.{claims_part}.")),
            ("a signature cut short", format!("{head_part}.{claims_part}.{}", &signature[..signature.len() - 2])),
            ("a signature of one byte", format!("{head_part}.{claims_part}.AA")),
            ("a flipped bit", format!("{head_part}.{claims_part}.{}", BASE64.encode(&flipped))),
            ("padding", format!("{good}=")),
            ("a space", format!(" {good}")),
            ("a line break", format!("{good}\n")),
            ("a part more", format!("{good}.{signature}")),
            ("a part less", format!("{claims_part}.{signature}")),
            ("alg none, unsigned", format!("{none}.{claims_part}.")),
            ("alg none, signed", raw(KEY, &none, claims_part)),
            ("alg None", head("alg", json!("None"))),
            ("alg in small letters", head("alg", json!("hs256"))),
            ("alg HS512", head("alg", json!("HS512"))),
            ("alg RS256", head("alg", json!("RS256"))),
            ("alg ES256", head("alg", json!("ES256"))),
            ("a list of algs", head("alg", json!(["HS256"]))),
            ("no alg", signed(KEY, &without(header(), "alg"), &claims())),
            ("another typ", head("typ", json!("JWT"))),
            ("typ of a refresh token", head("typ", json!("rt+jwt"))),
            ("no typ", signed(KEY, &without(header(), "typ"), &claims())),
            ("another kid", head("kid", json!("k2"))),
            ("a kid that is a path", head("kid", json!("../../dev/null"))),
            ("no kid", signed(KEY, &without(header(), "kid"), &claims())),
            ("a key in the header", head("jwk", json!({"kty": "oct", "k": "AAAA"}))),
            ("a place for keys in the header", head("jku", json!("https://evil.example"))),
            ("another key", signed(OTHER, &header(), &claims())),
            ("an empty key", signed(b"", &header(), &claims())),
            ("other claims under the same signature", {
                let other = part(&with(claims(), "sub", json!(Uuid::from_u128(9))));
                format!("{head_part}.{other}.{signature}")
            }),
            ("another issuer", claim("iss", json!("https://evil.example"))),
            ("another audience", claim("aud", json!("other"))),
            ("a list of audiences", claim("aud", json!(["crm", "other"]))),
            ("a refresh token's claims", claim("typ", json!("refresh"))),
            ("not yet valid", claim("nbf", json!(1_501))),
            ("issued in the future", claim("iat", json!(1_501))),
            ("expired a second ago", claim("exp", json!(1_499))),
            ("expiring now", claim("exp", json!(1_500))),
            ("exp as text", claim("exp", json!("2800"))),
            ("exp as a fraction", claim("exp", json!(2_800.5))),
            ("exp beyond 64 bits", claim("exp", json!(1e30))),
            ("a claim more", claim("role", json!("owner"))),
            ("sub that is no id", claim("sub", json!("1"))),
            ("sub that is nothing", claim("sub", Json::Null)),
            ("a claim twice", raw(KEY, head_part, &BASE64.encode(twice))),
            ("claims that are a list", raw(KEY, head_part, &BASE64.encode("[]"))),
            ("claims that are no JSON", raw(KEY, head_part, &BASE64.encode("{"))),
            ("claims that are no base64", raw(KEY, head_part, "!!!!")),
            ("too long", raw(KEY, head_part, &part(&with(claims(), "iss", json!("x".repeat(5_000)))))),
        ];
        for name in ["iss", "aud", "typ", "sub", "org", "mem", "sid", "epoch", "jti", "iat", "nbf", "exp"] {
            forged.push((name, signed(KEY, &header(), &without(claims(), name))));
        }
        assert!(forged.len() >= 60, "{}", forged.len());
        for (what, token) in forged {
            assert_eq!(keys().verify(&token, at(1_500)), None, "{what}");
        }
        // Every single character matters.
        for at_char in 0..good.len() {
            let mut bytes = good.clone().into_bytes();
            bytes[at_char] = if bytes[at_char] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            assert_eq!(keys().verify(&changed, at(1_500)), None, "character {at_char}");
        }
    }

    #[test]
    fn keys_are_rotated_by_their_ids() {
        let old = keys().sign(&bearer(), Uuid::nil(), at(1_000));
        let both = TokenKeys::new("https://crm.example", "crm", "k2", OTHER).unwrap().accepting("k1", KEY).unwrap();
        let new = both.sign(&bearer(), Uuid::nil(), at(1_000));
        assert_eq!(both.verify(old.expose(), at(1_000)), Some(valid_one()));
        assert_eq!(both.verify(new.expose(), at(1_000)), Some(valid_one()));
        assert_eq!(keys().verify(new.expose(), at(1_000)), None);
        let renamed = TokenKeys::new("https://crm.example", "crm", "k1", OTHER).unwrap();
        assert_eq!(renamed.verify(old.expose(), at(1_000)), None);
    }

    #[test]
    fn weak_and_well_known_secrets_are_refused() {
        let long = |word: &str| word.repeat(64 / word.len() + 1);
        let counted: Vec<u8> = (0..64).collect();
        for weak in [
            &b""[..],
            b"3f0c9a7e5b1d48c2a6e4907bd5f2813",
            &[0; 64],
            &[0xff; 64],
            &counted,
            long("changeme").as_bytes(),
            long("ab").as_bytes(),
            long("3f0c9a7e5b1d48c2").as_bytes(),
            b"your-256-bit-secret-goes-in-here-please",
            b"My_Super_SECRET_key_for_the_jwt_tokens",
            b"CHANGE_ME_in_production_0123_please_do",
            b"abcabcabddddddabcabcabddddddabccbaabcd",
            b"thisisasamplekeyforjwttokens1234",
            b"your-very-long-and-random-key-here-32",
            b"TopSigningKey-replace-this-in-production",
            b"my-32-character-ultra-secure-and-ultra-long-key",
            b"ThisIsTheKeyThatISignTokensWith!",
            b"09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
            b"404e635266556a586e3272357538782f413f4428472b4b6250645367566b5970",
            b"@NcRfUjXn2r5u8x/A?D(G+KbPdSgVkYp",
            &BASE64
                .decode("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow")
                .unwrap(),
        ] {
            let refused = TokenKeys::new("i", "a", "k", weak).map(drop);
            assert_eq!(refused, Err(AccessError::WeakKey("k".to_owned())), "{}", String::from_utf8_lossy(weak));
        }
        for id in ["", "a b", "../k", "é", &"k".repeat(65)] {
            assert_eq!(TokenKeys::new("i", "a", id, KEY).map(drop), Err(AccessError::KeyId(id.to_owned())));
        }
        assert!(keys().accepting("k1", OTHER).is_err(), "an id names one key");
    }

    #[test]
    fn keys_do_not_show_their_secrets() {
        let text = format!("{:?}", keys());
        assert!(text.contains("k1") && !text.contains("3f0c"), "{text}");
    }
}
