//! E-mail addresses.
//!
//! An address is shown as it was typed and compared by its key, so that `A@B.co` and `a@b.co` are
//! one account.
//!
//! ```
//! use crm_core::value::Email;
//!
//! let typed: Email = " Ana.Ruiz@Example.COM ".parse()?;
//! assert_eq!(typed.as_str(), "Ana.Ruiz@Example.COM");
//! assert_eq!(typed.key(), "ana.ruiz@example.com");
//! assert_eq!(typed, "ana.ruiz@example.com".parse()?);
//! assert!("Ana <ana@example.com>".parse::<Email>().is_err());
//! # Ok::<(), crm_core::value::ValueError>(())
//! ```

use std::{
    borrow::Cow,
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    str::FromStr,
};

use caseless::Caseless;
use email_address::{EmailAddress, Options};
use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use crate::value::{
    ValueError, serde_as_string,
    text::{has_control, is_ignorable},
};

const MAX: usize = 254;
const LOCAL_MAX: usize = 64;
const LABEL_MAX: usize = 63;
const EXPECTED: &str = "an e-mail address such as ana@example.com";

/// A syntactically valid e-mail address with a dotted domain: no display name, no bracketed IP
/// address.
///
/// Equality, order and hash are those of the [`key`](Self::key). Whether anybody reads the mailbox
/// is not known.
#[derive(Debug, Clone)]
pub struct Email {
    typed: Box<str>,
    /// Only where it differs from what was typed.
    key: Option<Box<str>>,
}

impl Email {
    /// The address as typed, without surrounding white space.
    pub fn as_str(&self) -> &str {
        &self.typed
    }

    /// The address for comparing: local part in NFKC and case-folded, domain in lower-case ASCII
    /// (IDNA). The key is an address itself, and its own key.
    pub fn key(&self) -> &str {
        self.key.as_deref().unwrap_or(&self.typed)
    }

    /// The domain of the key, in lower-case ASCII.
    pub fn domain(&self) -> &str {
        self.key().rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

impl FromStr for Email {
    type Err = ValueError;

    fn from_str(s: &str) -> Result<Self, ValueError> {
        let typed = s.trim();
        let key = match plain_key(typed) {
            Some(Cow::Borrowed(_)) => None,
            Some(Cow::Owned(key)) => Some(key),
            None => Some(full_key(typed)?).filter(|key| key != typed),
        };
        Ok(Self { typed: typed.into(), key: key.map(String::into_boxed_str) })
    }
}

impl TryFrom<&str> for Email {
    type Error = ValueError;

    fn try_from(s: &str) -> Result<Self, ValueError> {
        s.parse()
    }
}

impl PartialEq for Email {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Email {}

impl PartialOrd for Email {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Email {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(other.key())
    }
}

impl Hash for Email {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.typed)
    }
}

serde_as_string!(Email, "an e-mail address in a string");

/// The quick path, for nearly every address there is: plain ASCII words and dots on both sides.
///
/// Gives the key, borrowed if it is what was typed. `None` means that the full rules have to
/// decide.
fn plain_key(typed: &str) -> Option<Cow<'_, str>> {
    let bytes = typed.as_bytes();
    if bytes.len() > MAX {
        return None;
    }
    let at = bytes.iter().position(|byte| *byte == b'@')?;
    let (local, domain) = (&bytes[..at], &bytes[at + 1..]);
    let mut upper = false;
    let mut before = b'.';
    for &byte in local {
        let word = matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' | b'+' | b'\'');
        if !word && (byte != b'.' || before == b'.') {
            return None;
        }
        upper |= byte.is_ascii_uppercase();
        before = byte;
    }
    if before == b'.' || local.len() > LOCAL_MAX {
        return None;
    }
    let mut label_start = 0;
    before = b'.';
    for (index, &byte) in domain.iter().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => upper |= byte.is_ascii_uppercase(),
            b'-' if before != b'.' && before != b'-' => {}
            b'.' if before != b'.' && before != b'-' && index - label_start <= LABEL_MAX => {
                label_start = index + 1;
            }
            _ => return None,
        }
        before = byte;
    }
    let last = &domain[label_start..];
    if label_start == 0
        || !before.is_ascii_alphanumeric()
        || last.len() > LABEL_MAX
        || last.iter().all(u8::is_ascii_digit)
    {
        return None;
    }
    Some(if upper { typed.to_ascii_lowercase().into() } else { typed.into() })
}

/// The full rules: the `email_address` crate for the syntax, IDNA for the domain.
fn full_key(typed: &str) -> Result<String, ValueError> {
    let syntax = || ValueError::syntax(EXPECTED, typed);
    if typed.is_empty() {
        return Err(ValueError::Blank);
    }
    let got = typed.chars().count();
    if got > MAX {
        return Err(ValueError::TooLong { max: MAX, got });
    }
    if has_control(typed, |_| false) {
        return Err(ValueError::Control);
    }
    // Invisible characters make two addresses out of what looks like one.
    if typed.chars().any(is_ignorable) {
        return Err(syntax());
    }
    let (local, domain) = typed.rsplit_once('@').ok_or_else(syntax)?;
    let domain = Uts46::new()
        .to_ascii(domain.as_bytes(), AsciiDenyList::STD3, Hyphens::CheckFirstLast, DnsLength::Verify)
        .map_err(|_| syntax())?;
    let (_, last) = domain.rsplit_once('.').ok_or_else(syntax)?;
    if last.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(syntax());
    }
    let local: String = local.nfc().collect();
    let folded = unquoted(&folded(&local));
    let key = format!("{folded}@{domain}");
    for part in [&local, &folded] {
        let options = Options::default().with_required_tld().without_display_text().without_domain_literal();
        EmailAddress::parse_with_options(&format!("{}@{domain}", lettered(part)), options).map_err(|_| syntax())?;
        if part.len() > LOCAL_MAX {
            return Err(syntax());
        }
    }
    let got = key.chars().count();
    if got > MAX {
        return Err(ValueError::TooLong { max: MAX, got });
    }
    Ok(key)
}

/// A local part in NFKC and case-folded. Each can undo the other for a few letters, hence the
/// repetition.
fn folded(local: &str) -> String {
    if local.is_ascii() {
        return local.to_ascii_lowercase();
    }
    let mut text = local.to_owned();
    for _ in 0..4 {
        let next: String = text.nfkc().default_case_fold().nfkc().collect();
        if next == text {
            break;
        }
        text = next;
    }
    text
}

/// A local part without needless quotes: `"ana"@example.com` is the mailbox `ana@example.com` (RFC
/// 5321, 4.1.2).
fn unquoted(local: &str) -> String {
    let Some(inner) = local.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return local.to_owned();
    };
    let mut plain = String::with_capacity(inner.len());
    let mut quoted = String::with_capacity(local.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        let c = if c == '\\' { chars.next().unwrap_or(c) } else { c };
        plain.push(c);
        if matches!(c, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    if !plain.starts_with('"') && EmailAddress::is_valid_local_part(&lettered(&plain)) {
        plain
    } else {
        format!("\"{quoted}\"")
    }
}

/// A local part with a letter in place of each mark: marks are parts of words in many scripts,
/// which the `email_address` crate does not know.
fn lettered(local: &str) -> String {
    local.chars().map(|c| if is_combining_mark(c) { 'a' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(text: &str) -> Result<String, ValueError> {
        text.parse::<Email>().map(|email| email.key().to_owned())
    }

    #[test]
    fn markup_and_display_names_are_refused() {
        for bad in [
            "x y@z.c<script>",
            "x@z.c<script>",
            "x y@z.co",
            "A <a@b.co>",
            "<a@b.co>",
            "notanemail",
            "nope",
            "a@b",
            "a@localhost",
            "user@[127.0.0.1]",
            "user@127.0.0.1",
            "@b.co",
            "a@",
            "a@@b.co",
            "a@b@c.co",
            "a..b@c.co",
            ".a@c.co",
            "a.@c.co",
            "a@.co",
            "a@b..co",
            "a@b.co.",
            "a@-b.co",
            "a@b-.co",
            "a@b_c.co",
            "a@b.123",
            "a@b.co, c@d.co",
            "a@b.co;c@d.co",
            "mailto:a@b.co",
            "a\u{200b}b@c.co",
            "a\u{ff20}b@c.co",
            "a@xn--zz.co",
            "a@b%c.co",
            "a@b/c.co",
            "\"\"@b.co",
            "\"@b.co",
        ] {
            assert!(matches!(bad.parse::<Email>(), Err(ValueError::Syntax { .. })), "{bad}");
        }
        assert_eq!(key(" "), Err(ValueError::Blank));
        assert_eq!(key("a\0@b.co"), Err(ValueError::Control));
        assert_eq!(key("a@b.co\nc@d.co"), Err(ValueError::Control));
    }

    #[test]
    fn case_does_not_make_two_accounts() {
        let typed: Email = "A@Ex.com".parse().unwrap();
        assert_eq!(typed.to_string(), "A@Ex.com");
        assert_eq!(typed, "a@ex.com".parse().unwrap());
        assert_eq!(key("ÁRBOL@EXAMPLE.com"), key("árbol@example.COM"));
        assert_eq!(key("straße@x.de"), key("STRASSE@x.de"));
    }

    #[test]
    fn keys_of_unusual_addresses() {
        for (text, expected) in [
            ("Lucía@Café.es", "lucía@xn--caf-dma.es"),
            ("lucía@xn--caf-dma.es", "lucía@xn--caf-dma.es"),
            ("lucí\u{301}a@cafe\u{301}.es", "lucí\u{301}a@xn--caf-dma.es"),
            ("jose\u{301}@x.co", "josé@x.co"),
            ("ИВАН@почта.рф", "иван@xn--80a1acny.xn--p1ai"),
            ("a@例え。jp", "a@xn--r8jz45g.jp"),
            ("संपर्क@डाटामेल.भारत", "संपर्क@xn--c2bd4bq1db8d.xn--h2brj9c"),
            ("ＡＢ@x.co", "ab@x.co"),
            ("\"Ana\"@x.co", "ana@x.co"),
            ("\"a\\na\"@x.co", "ana@x.co"),
            ("\"a b\"@x.co", "\"a b\"@x.co"),
            ("a+b_c-d'e!#$%&*/=?^`{|}~@x-y.co", "a+b_c-d'e!#$%&*/=?^`{|}~@x-y.co"),
            ("a@r3---sn.example.com", "a@r3---sn.example.com"),
            ("a@1.2.3.co", "a@1.2.3.co"),
        ] {
            assert_eq!(key(text).as_deref(), Ok(expected), "{text}");
            assert_eq!(key(expected).as_deref(), Ok(expected), "{expected}");
        }
    }

    #[test]
    fn lengths_are_those_of_smtp() {
        let local = "a".repeat(64);
        let domain = format!("{}.{}.{}", "b".repeat(63), "c".repeat(63), "d".repeat(61));
        assert_eq!(format!("{local}@{domain}").len(), 254);
        assert!(key(&format!("{local}@{domain}")).is_ok());
        assert_eq!(key(&format!("{local}@{domain}d")), Err(ValueError::TooLong { max: 254, got: 255 }));
        assert!(key(&format!("{local}a@b.co")).is_err());
        assert!(key(&format!("a@{}.co", "b".repeat(64))).is_err());
        assert!(key(&"a@b.".repeat(100_000)).is_err());
    }

    #[test]
    fn json_is_checked() {
        let email: Email = serde_json::from_str("\"Ana@X.co\"").unwrap();
        assert_eq!(serde_json::to_string(&email).unwrap(), "\"Ana@X.co\"");
        assert!(serde_json::from_str::<Email>("\"x y@z.c<script>\"").is_err());
        assert!(serde_json::from_str::<Email>("null").is_err());
    }

    fn check(text: &str) -> Result<(), TestCaseError> {
        if let Some(quick) = plain_key(text) {
            prop_assert_eq!(full_key(text), Ok(quick.into_owned()), "{}", text);
        }
        if let Ok(email) = text.parse::<Email>() {
            let again: Email = email.key().parse().unwrap();
            prop_assert_eq!(again.key(), email.key());
            prop_assert_eq!(again.as_str(), email.key());
            prop_assert_eq!(email.to_string().parse::<Email>().unwrap(), email);
        }
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3000))]
        #[test]
        fn both_paths_agree_on_addresses(text in "[a-zA-Z0-9._+'-]{1,66}@[a-zA-Z0-9.-]{1,30}\\.[a-zA-Z0-9-]{1,5}") {
            check(&text)?;
        }

        #[test]
        fn both_paths_agree_on_short_text(text in "[aB1.@_-]{1,10}@[aB1.-]{1,10}|[ -~]{0,12}") {
            check(&text)?;
        }

        #[test]
        fn keys_are_their_own_keys(text in "\\PC{1,10}@[\\PC&&[^@]]{1,10}\\.(co|рф|भारत)|[\\p{L}\\p{M}]{1,8}@[\\p{L}]{1,8}\\.com|\"[a\\\\\" b.]{1,6}\"@x.co") {
            check(&text)?;
        }
    }
}
