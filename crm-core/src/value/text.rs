//! Text: what may be stored, and the one fold by which text is compared and found.
//!
//! Databases disagree on case and accents, so neither is ever asked: text is folded here, into
//! stored key and search columns.
//!
//! ```
//! use crm_core::value::{ValueError, clean, fold, tokens};
//!
//! assert_eq!(clean("  Peña \u{a0}", 10)?, Some("Peña".to_owned()));
//! assert_eq!(clean(" \t ", 10)?, None);
//! assert_eq!(clean("a\0b", 10), Err(ValueError::Control));
//! assert_eq!(fold("  PEÑA   Gómez "), "pena gomez");
//! assert_eq!(fold("Ёлкин, Андрей"), "елкин, андрей");
//! assert_eq!(tokens("lucia@example.com"), ["lucia", "example", "com"]);
//! # Ok::<(), ValueError>(())
//! ```

use caseless::Caseless;
use unicode_normalization::{
    UnicodeNormalization,
    char::{canonical_combining_class, decompose_compatible, is_combining_mark},
};

use crate::value::ValueError;

/// Version of [`fold`]. Folded text is stored, so a change of the fold is a change of the on-disk
/// format: raise this, and rebuild every folded column of a database that was written under another
/// version.
pub const FOLD_VERSION: u32 = 1;

/// Longest token, in characters. Longer words are cut, so that nobody's pasted key fills an index
/// page.
const TOKEN_MAX: usize = 64;

/// Reads one line of text: trimmed of Unicode white space, and absent if nothing visible is left.
///
/// A control character inside, U+0000 above all, is [`ValueError::Control`]; more than `max_chars`
/// characters after trimming are [`ValueError::TooLong`].
pub fn clean(s: &str, max_chars: usize) -> Result<Option<String>, ValueError> {
    let text = s.trim();
    if has_control(text, |_| false) {
        return Err(ValueError::Control);
    }
    limited(text, max_chars).map(|text| text.map(str::to_owned))
}

/// Reads text of several lines: like [`clean`], but line breaks and tabs are kept, and every line
/// break becomes `\n`.
pub fn clean_multiline(s: &str, max_chars: usize) -> Result<Option<String>, ValueError> {
    let text = s.trim();
    if has_control(text, |c| matches!(c, '\n' | '\r' | '\t')) {
        return Err(ValueError::Control);
    }
    if !text.contains('\r') {
        return limited(text, max_chars).map(|text| text.map(str::to_owned));
    }
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    limited(&text, max_chars).map(|text| text.map(str::to_owned))
}

/// Whether text contains a control character (general category Cc) other than those allowed.
pub(crate) fn has_control(text: &str, allowed: impl Fn(char) -> bool) -> bool {
    if text.is_ascii() {
        return text.bytes().any(|byte| byte.is_ascii_control() && !allowed(char::from(byte)));
    }
    text.chars().any(|c| c.is_control() && !allowed(c))
}

fn limited(text: &str, max: usize) -> Result<Option<&str>, ValueError> {
    if text.len() > max {
        let got = text.chars().count();
        if got > max {
            return Err(ValueError::TooLong { max, got });
        }
    }
    Ok(Some(text).filter(|text| !text.chars().all(is_ignorable)))
}

/// Folds text for comparing and searching: equal folds mean equal for people who do not mind case
/// and accents.
///
/// In order: compatibility decomposition (NFKD); marks are removed, except that и with a breve is
/// й, a letter of its own (ё becomes е); full case folding; letters with a stroke and ligatures
/// become their plain letters (ø o, ł l, đ d, æ ae, œ oe, þ th, ß ss, ı i); typographic quotes and
/// dashes become `'`, `"` and `-`; runs of white space and control characters become one space, and
/// none at the ends; invisible characters such as soft hyphens vanish. Marks that are vowels of
/// their script, as in Hindi, stay. Folding twice changes nothing. See [`FOLD_VERSION`].
pub fn fold(s: &str) -> String {
    let text = s.trim();
    if !text.is_ascii() {
        return fold_unicode(text);
    }
    let mut before = b' ';
    let tidy = text.bytes().all(|byte| {
        let fine = byte > b' ' && byte != 0x7f || byte == b' ' && before != b' ';
        before = byte;
        fine
    });
    if tidy { text.to_ascii_lowercase() } else { fold_unicode(text) }
}

fn fold_unicode(text: &str) -> String {
    let mut fold = Fold { out: String::with_capacity(text.len()), gap: false, compose: false };
    for c in text.chars() {
        match c {
            '\0'..='\x7f' => fold.push_ascii(c),
            // Russian without the detour through tables, which takes twice as long.
            'а'..='я' => fold.push(c),
            'А'..='Я' => c.to_lowercase().for_each(|c| fold.push(c)),
            'ё' | 'Ё' => fold.push('е'),
            // Its decomposition begins with a space, but people type it as an apostrophe.
            '´' => fold.push('\''),
            _ => decompose_compatible(c, |part| fold.push_part(part)),
        }
    }
    if fold.compose { fold.out.nfc().collect() } else { fold.out }
}

/// Folded text under construction.
struct Fold {
    out: String,
    /// Whether white space came after the last character.
    gap: bool,
    /// Whether there are syllables to put together again, as in Korean and Japanese.
    compose: bool,
}

impl Fold {
    fn push_ascii(&mut self, c: char) {
        if c <= ' ' || c == '\x7f' {
            self.gap = true;
        } else {
            self.push(c.to_ascii_lowercase());
        }
    }

    fn push(&mut self, c: char) {
        if self.gap {
            self.gap = false;
            if !self.out.is_empty() {
                self.out.push(' ');
            }
        }
        self.out.push(c);
    }

    /// Takes one character of a decomposition.
    fn push_part(&mut self, c: char) {
        match c {
            '\0'..='\x7f' => self.push_ascii(c),
            '\u{306}' => {
                if !self.gap && self.out.ends_with('и') {
                    self.out.pop();
                    self.out.push('й');
                }
            }
            _ if is_stripped(c) || is_ignorable(c) => {}
            _ if c.is_whitespace() || c.is_control() => self.gap = true,
            _ => {
                self.compose |= c >= '\u{900}';
                for folded in std::iter::once(c).default_case_fold() {
                    self.push_folded(folded);
                }
            }
        }
    }

    /// Takes one character after case folding.
    fn push_folded(&mut self, c: char) {
        let plain = match c {
            'ø' => "o",
            'ł' => "l",
            'đ' | 'ð' => "d",
            'æ' => "ae",
            'œ' => "oe",
            'þ' => "th",
            'ı' => "i",
            'ħ' => "h",
            'ŧ' => "t",
            'ŋ' => "n",
            '‘' | '’' | '‛' | 'ʼ' | '′' => "'",
            '“' | '”' | '„' | '‟' | '″' => "\"",
            '‐' | '‑' | '‒' | '–' | '—' | '―' | '−' => "-",
            other => return self.push(other),
        };
        plain.chars().for_each(|c| self.push(c));
    }
}

/// Whether the fold removes a mark: every mark that sits on a letter, but neither the voicing of
/// Japanese syllables nor the dependent vowels of Indic scripts, without which the word would be
/// another one.
fn is_stripped(c: char) -> bool {
    if !is_combining_mark(c) {
        return false;
    }
    match canonical_combining_class(c) {
        8 => false,
        0 => !c.is_alphanumeric(),
        _ => true,
    }
}

/// Whether a character is invisible by Unicode's `Default_Ignorable_Code_Point`: soft hyphen,
/// zero-width and direction marks, variation selectors, fillers.
pub(crate) fn is_ignorable(c: char) -> bool {
    c > '\u{ac}'
        && matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// Splits text into the words of the search index: folded, at everything that is neither letter nor
/// digit, at most 64 characters each, in order, repetitions included.
pub fn tokens(s: &str) -> Vec<String> {
    let folded = fold(s);
    folded_tokens(&folded).map(str::to_owned).collect()
}

/// Splits text that is folded already into the words that [`tokens`] gives, without copying them.
pub fn folded_tokens(folded: &str) -> impl Iterator<Item = &str> {
    folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(|word| {
        let cut = if word.len() > TOKEN_MAX { word.char_indices().nth(TOKEN_MAX) } else { None };
        cut.map_or(word, |(end, _)| &word[..end])
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn nul_and_control_characters_are_refused() {
        for bad in ["a\0b", "\0", "a\nb", "a\tb", "a\u{1b}[0m", "a\u{7f}", "é\u{85}a", "ñ\0"] {
            assert_eq!(clean(bad, 100), Err(ValueError::Control), "{bad:?}");
        }
        assert_eq!(clean_multiline("a\0b", 100), Err(ValueError::Control));
        assert_eq!(clean_multiline("a\u{b}b", 100), Err(ValueError::Control));
        assert_eq!(clean_multiline(" a\r\nb\rc\td \n", 100), Ok(Some("a\nb\nc\td".to_owned())));
    }

    #[test]
    fn blank_is_absent() {
        for blank in ["", " ", "\t\n", "\u{a0}\u{2003}\u{3000}", "\u{200b}", " \u{feff} "] {
            assert_eq!(clean(blank, 10), Ok(None), "{blank:?}");
            assert_eq!(clean_multiline(blank, 10), Ok(None), "{blank:?}");
        }
    }

    #[test]
    fn length_is_counted_in_characters_after_trimming() {
        assert_eq!(clean("  ñandú  ", 5), Ok(Some("ñandú".to_owned())));
        assert_eq!(clean("ñandúes", 5), Err(ValueError::TooLong { max: 5, got: 7 }));
        assert_eq!(clean_multiline("a\r\nb", 3), Ok(Some("a\nb".to_owned())));
    }

    #[test]
    fn the_fold_of_names_in_many_scripts() {
        for (text, folded) in [
            ("María José Ñandú", "maria jose nandu"),
            ("ação São Paulo", "acao sao paulo"),
            ("Ёлка и Йод, ЙЎ", "елка и йод, йу"),
            ("и\u{306}", "й"),
            ("И\u{301}\u{306}", "й"),
            ("Їжак", "іжак"),
            ("Øyvind Łukasz Đorđe", "oyvind lukasz dorde"),
            ("Straße STRASSE ẞ", "strasse strasse ss"),
            ("Æsir Œuvre Þór Guðrún", "aesir oeuvre thor gudrun"),
            ("İstanbul ISPARTA ılık", "istanbul isparta ilik"),
            ("ﬁne ①２ ㎏", "fine 12 kg"),
            ("Σίσυφος ΣΊΣΥΦΟΣ", "σισυφοσ σισυφοσ"),
            ("O’Brien O´Brien", "o'brien o'brien"),
            ("a\u{a0}\u{2003}\t b", "a b"),
            ("co\u{ad}operate\u{200b}", "cooperate"),
            ("김철수", "김철수"),
            ("ガンダム", "ガンダム"),
            ("हिन्दी", "हिनदी"),
            ("  x \0 y  ", "x y"),
            ("¨", ""),
        ] {
            assert_eq!(fold(text), folded, "{text}");
        }
    }

    #[test]
    fn every_character_folds_to_something_stable() {
        let planes = ('\0'..='\u{323af}').chain('\u{e0000}'..='\u{e0fff}');
        for c in planes {
            let once = fold(&format!("a{c}b"));
            assert_eq!(fold(&once), once, "U+{:04X}", u32::from(c));
            assert!(once.starts_with('a') && once.ends_with('b'));
        }
    }

    /// The fold is part of the on-disk format. If this fails, either undo the change or raise
    /// `FOLD_VERSION`.
    #[test]
    fn the_fold_is_what_version_1_stored() {
        let mut hash = Sha256::new();
        let blocks = [
            '\0'..='\u{6ff}',
            '\u{1e00}'..='\u{206f}',
            '\u{2c60}'..='\u{2c7f}',
            '\u{3040}'..='\u{30ff}',
            '\u{ff00}'..='\u{ffef}',
        ];
        for c in blocks.into_iter().flatten() {
            hash.update(fold(&format!("{c}|")));
        }
        let begins_with = u64::from_be_bytes(hash.finalize()[..8].try_into().unwrap());
        assert_eq!((FOLD_VERSION, begins_with), (1, 0xb678_e377_e4a9_5d84));
    }

    #[test]
    fn tokens_are_words_in_order_and_bounded() {
        assert_eq!(tokens("Lucía@Email.com, +57 321"), ["lucia", "email", "com", "57", "321"]);
        assert_eq!(tokens("100%_off 'a''b' — ab12"), ["100", "off", "a", "b", "ab12"]);
        assert_eq!(tokens("हिन्दी"), ["हिनदी"]);
        assert!(tokens(" -- ").is_empty());
        assert_eq!(tokens(&"ñ".repeat(100)), ["n".repeat(64)]);
        assert_eq!(tokens(&"й".repeat(100)), ["й".repeat(64)]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn folding_twice_changes_nothing(text in "\\PC{0,40}|[a-zA-Z \t]{0,30}|[\u{400}-\u{460}\u{300}-\u{30f} ]{0,30}|[\u{1100}-\u{11ff}\u{3040}-\u{30ff}\u{900}-\u{9ff} ]{0,20}") {
            let once = fold(&text);
            prop_assert_eq!(fold(&once), once);
        }

        #[test]
        fn any_characters_fold_stably(text: Vec<char>) {
            let once = fold(&String::from_iter(&text));
            prop_assert_eq!(fold(&once), once);
        }

        #[test]
        fn both_paths_agree_on_ascii(text in "[ -~\t\n\0]{0,60}") {
            prop_assert_eq!(fold(&text), fold_unicode(&text));
        }

        #[test]
        fn composed_and_decomposed_text_fold_alike(text in "\\PC{0,30}") {
            prop_assert_eq!(fold(&text.nfc().collect::<String>()), fold(&text.nfd().collect::<String>()));
        }

        #[test]
        fn tokens_of_tokens_are_the_tokens(text in "\\PC{0,60}") {
            let words = tokens(&text);
            prop_assert_eq!(&tokens(&words.join(" ")), &words);
        }

        #[test]
        fn cleaning_twice_changes_nothing(text in "\\PC{0,40}|[ \r\n\ta]{0,20}") {
            for clean in [clean, clean_multiline] {
                if let Ok(Some(once)) = clean(&text, 50) {
                    prop_assert_eq!(clean(&once, 50), Ok(Some(once)));
                }
            }
        }
    }
}
