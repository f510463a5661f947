//! Just enough of Rust's lexical grammar to look for words in code and not in comments or strings.

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Word,
    Number,
    /// One character of punctuation; `::` is two of them.
    Punct,
    /// A string, byte string, C string, character or byte: the text is its inside.
    Literal,
    Lifetime,
}

/// A token with the line that it begins on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) text: String,
    pub(crate) line: usize,
}

impl Token {
    /// Whether this is the word or the punctuation mark `text`.
    pub(crate) fn is(&self, text: &str) -> bool {
        matches!(self.kind, Kind::Word | Kind::Punct) && self.text == text
    }
}

/// Splits Rust source into tokens. Source that does not compile gives some tokens, never a panic.
pub(crate) fn tokens(source: &str) -> Vec<Token> {
    let mut lexer = Lexer { chars: source.chars().collect(), at: 0, line: 1, tokens: Vec::new() };
    while lexer.at < lexer.chars.len() {
        lexer.step();
    }
    lexer.tokens
}

struct Lexer {
    chars: Vec<char>,
    at: usize,
    line: usize,
    tokens: Vec<Token>,
}

impl Lexer {
    fn peek(&self, ahead: usize) -> char {
        self.chars.get(self.at + ahead).copied().unwrap_or('\0')
    }

    fn bump(&mut self) -> char {
        let c = self.peek(0);
        if c == '\n' {
            self.line += 1;
        }
        self.at += 1;
        c
    }

    fn push(&mut self, kind: Kind, text: String, line: usize) {
        self.tokens.push(Token { kind, text, line });
    }

    fn step(&mut self) {
        let (c, line) = (self.peek(0), self.line);
        match c {
            '/' if self.peek(1) == '/' => {
                while self.at < self.chars.len() && self.peek(0) != '\n' {
                    self.bump();
                }
            }
            '/' if self.peek(1) == '*' => self.block_comment(),
            '"' => self.string(),
            '\'' => self.quote(),
            _ if c.is_whitespace() => {
                self.bump();
            }
            _ if c.is_ascii_digit() => self.number(),
            _ if is_word(c) => self.word(),
            _ => {
                self.bump();
                self.push(Kind::Punct, c.to_string(), line);
            }
        }
    }

    fn block_comment(&mut self) {
        let mut depth = 0;
        while self.at < self.chars.len() {
            match (self.peek(0), self.peek(1)) {
                ('/', '*') => depth += 1,
                ('*', '/') => depth -= 1,
                _ => {
                    self.bump();
                    continue;
                }
            }
            self.bump();
            self.bump();
            if depth == 0 {
                return;
            }
        }
    }

    fn string(&mut self) {
        let line = self.line;
        let mut text = String::new();
        self.bump();
        while self.at < self.chars.len() {
            match self.bump() {
                '"' => break,
                '\\' => {
                    self.bump();
                }
                c => text.push(c),
            }
        }
        self.push(Kind::Literal, text, line);
    }

    fn raw_string(&mut self) {
        let line = self.line;
        let mut hashes = 0;
        while self.peek(0) == '#' {
            self.bump();
            hashes += 1;
        }
        self.bump(); // the opening quote
        let mut text = String::new();
        while self.at < self.chars.len() {
            if self.peek(0) == '"' && (1..=hashes).all(|ahead| self.peek(ahead) == '#') {
                for _ in 0..=hashes {
                    self.bump();
                }
                break;
            }
            text.push(self.bump());
        }
        self.push(Kind::Literal, text, line);
    }

    /// A character or a lifetime.
    fn quote(&mut self) {
        let line = self.line;
        self.bump();
        if self.peek(0) != '\\' && self.peek(1) != '\'' && is_word(self.peek(0)) {
            let text = self.take_word();
            self.push(Kind::Lifetime, text, line);
            return;
        }
        let mut text = String::new();
        while self.at < self.chars.len() {
            match self.bump() {
                '\'' if !text.is_empty() => break,
                '\\' => {
                    self.bump();
                    text.push(' ');
                }
                c => text.push(c),
            }
        }
        self.push(Kind::Literal, text, line);
    }

    fn word(&mut self) {
        let line = self.line;
        let text = self.take_word();
        match (text.as_str(), self.peek(0)) {
            ("b" | "c", '"') => self.string(),
            ("b", '\'') => self.quote(),
            ("r" | "br" | "cr", '"') => self.raw_string(),
            ("r" | "br" | "cr", '#') => {
                let mut ahead = 1;
                while self.peek(ahead) == '#' {
                    ahead += 1;
                }
                if self.peek(ahead) == '"' {
                    self.raw_string();
                } else if text == "r" && is_word(self.peek(1)) {
                    self.bump();
                    let text = self.take_word(); // a raw identifier
                    self.push(Kind::Word, text, line);
                } else {
                    self.push(Kind::Word, text, line);
                }
            }
            _ => self.push(Kind::Word, text, line),
        }
    }

    fn take_word(&mut self) -> String {
        let mut text = String::new();
        while is_word(self.peek(0)) || self.peek(0).is_ascii_digit() {
            text.push(self.bump());
        }
        text
    }

    fn number(&mut self) {
        let line = self.line;
        let tuple_index = self.tokens.last().is_some_and(|last| last.is("."));
        let mut text = self.take_word();
        if !tuple_index && self.peek(0) == '.' && self.peek(1) != '.' && !is_word(self.peek(1)) {
            text.push(self.bump());
            text.push_str(&self.take_word());
        }
        let exponent = text.ends_with(['e', 'E']) && !text.starts_with("0x");
        if exponent && matches!(self.peek(0), '+' | '-') && self.peek(1).is_ascii_digit() {
            text.push(self.bump());
            text.push_str(&self.take_word());
        }
        self.push(Kind::Number, text, line);
    }
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphabetic()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(source: &str) -> Vec<String> {
        tokens(source).into_iter().map(|token| token.text).collect()
    }

    #[test]
    fn comments_are_not_code() {
        assert_eq!(texts("a // f64\n/* f64 /* nested */ f64 */ b /// f64"), ["a", "b"]);
    }

    #[test]
    fn literals_are_one_token() {
        let source = r##"x("f64 \" f64", r#"f64 " f64"#, b"f64", br"f64", 'f', b'\'', '\u{1F}', '"') f64"##;
        let found = tokens(source);
        assert!(found.last().is_some_and(|last| last.is("f64")));
        assert_eq!(found.iter().filter(|token| token.is("f64")).count(), 1);
        assert_eq!(found.iter().filter(|token| token.kind == Kind::Literal).count(), 8);
    }

    #[test]
    fn lifetimes_and_raw_names() {
        assert_eq!(
            texts("fn f<'a>(x: &'a str, r#type: T)"),
            ["fn", "f", "<", "a", ">", "(", "x", ":", "&", "a", "str", ",", "type", ":", "T", ")"]
        );
        assert_eq!(texts("'static: loop {}")[0], "static");
    }

    #[test]
    fn numbers() {
        assert_eq!(
            texts("1.5 1..2 1.max(2) x.0.1 2.5e-3 0xfe"),
            ["1.5", "1", ".", ".", "2", "1", ".", "max", "(", "2", ")", "x", ".", "0", ".", "1", "2.5e-3", "0xfe"]
        );
    }

    #[test]
    fn lines_are_counted_through_everything() {
        let source = "\"a\nb\" /* \n */ x\n'\\n' y";
        let lines: Vec<_> = tokens(source).into_iter().map(|token| (token.text, token.line)).collect();
        assert_eq!(lines[1], ("x".to_owned(), 3));
        assert_eq!(lines[3], ("y".to_owned(), 4));
    }

    #[test]
    fn unfinished_source_ends() {
        for source in ["\"abc", "r#\"abc", "/* abc", "'", "b'", "1e"] {
            tokens(source);
        }
    }
}
