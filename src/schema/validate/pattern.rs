//! Patterns as ECMA-262 writes them, matched in a time that grows with the length of the text.

use regex_lite::{Regex, RegexBuilder};

/// What a compiled pattern may take, in bytes: each character of a text is compared with all of it.
const MAX_SIZE: usize = 1 << 20;

/// White space in ECMA-262 beside that of ASCII.
const SPACES: &str =
    r"\s\x0B\u{FEFF}\u{A0}\u{1680}\u{2000}-\u{200A}\u{2028}\u{2029}\u{202F}\u{205F}\u{3000}";

const ANY: &str = "(?s:.)";

/// A pattern that may match anywhere in a text.
pub(super) struct Pattern {
    source: String,
    regex: Regex,
}

/// Rewrites a pattern of ECMA-262 in the language of the matcher.
struct Writer<'p> {
    rest: std::iter::Peekable<std::str::Chars<'p>>,
    text: String,
}

impl Pattern {
    /// # Errors
    /// What the pattern has that cannot be matched.
    pub(super) fn of(source: &str) -> Result<Pattern, String> {
        let text = Writer::translate(source)?;
        let regex = RegexBuilder::new(&text).size_limit(MAX_SIZE).build();
        Ok(Pattern {
            source: source.to_owned(),
            regex: regex.map_err(|error| format!("cannot be enforced: {error}"))?,
        })
    }

    pub(super) fn source(&self) -> &str {
        &self.source
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }
}

impl Writer<'_> {
    fn translate(source: &str) -> Result<String, String> {
        let mut writer = Writer {
            rest: source.chars().peekable(),
            text: String::with_capacity(source.len()),
        };
        while let Some(character) = writer.rest.next() {
            match character {
                '\\' => writer.escape(false)?,
                '.' => writer.text.push_str(r"[^\n\r\u{2028}\u{2029}]"),
                '[' => writer.class()?,
                '(' => writer.group()?,
                plain => writer.text.push(plain),
            }
        }
        Ok(writer.text)
    }

    fn starts(&mut self, with: &str) -> bool {
        let mut ahead = self.rest.clone();
        with.chars().all(|it| ahead.next() == Some(it))
    }

    fn group(&mut self) -> Result<(), String> {
        self.text.push('(');
        if !self.starts("?") || self.starts("?:") {
            return Ok(());
        }
        match self.starts("?<") && !self.starts("?<=") && !self.starts("?<!") {
            true => Ok(()),
            false => Err(refusal("a group that looks around or sets flags")),
        }
    }

    fn class(&mut self) -> Result<(), String> {
        for whole in [
            r"\s\S]", r"\S\s]", r"\d\D]", r"\D\d]", r"\w\W]", r"\W\w]", "^]",
        ] {
            if self.starts(whole) {
                self.rest.by_ref().nth(whole.len() - 1);
                self.text.push_str(ANY);
                return Ok(());
            }
        }
        self.text.push('[');
        if self.rest.next_if_eq(&'^').is_some() {
            self.text.push('^');
        }
        if self.starts("]") {
            return Err(refusal("an empty class"));
        }
        while let Some(character) = self.rest.next() {
            match character {
                ']' => {
                    self.text.push(']');
                    return Ok(());
                }
                '\\' => self.escape(true)?,
                // Between two of these, the matcher would subtract or intersect.
                '[' | '&' | '~' => self.text.extend(['\\', character]),
                '-' if self.starts("-") => self.text.push_str(r"\-"),
                plain => self.text.push(plain),
            }
        }
        Err(refusal("a class without an end"))
    }

    fn escape(&mut self, in_class: bool) -> Result<(), String> {
        let Some(character) = self.rest.next() else {
            return Err(refusal("a `\\` at the end"));
        };
        match (character, in_class) {
            ('s', true) => self.text.push_str(SPACES),
            ('s', false) => self.text.push_str(&format!("[{SPACES}]")),
            ('S', false) => self.text.push_str(&format!("[^{SPACES}]")),
            ('b', true) => self.text.push_str(r"\x08"),
            ('d' | 'D' | 'w' | 'W' | 'n' | 'r' | 't' | 'f' | 'v', _) | ('b' | 'B', false) => {
                self.text.extend(['\\', character]);
            }
            ('0', _) => self.text.push_str(r"\x00"),
            ('x', _) => self.code(2)?,
            ('u', _) => self.code(4)?,
            ('/', _) => self.text.push('/'),
            (mark, _) if mark.is_ascii_punctuation() => self.text.extend(['\\', mark]),
            (other, _) => return Err(refusal(&format!("`\\{other}`"))),
        }
        Ok(())
    }

    /// A character by its number.
    fn code(&mut self, digits: usize) -> Result<(), String> {
        let number = match self.rest.next_if_eq(&'{') {
            Some(_) => self.hex(8, true)?,
            None => self.hex(digits, false)?,
        };
        let number = match number {
            0xD800..0xDC00 if self.starts("\\u") => {
                self.rest.by_ref().nth(1);
                let low = self.hex(4, false)?;
                0x10000 + ((number - 0xD800) << 10) + (low.wrapping_sub(0xDC00) & 0x3FF)
            }
            whole => whole,
        };
        if char::from_u32(number).is_none() {
            return Err(refusal("half of a surrogate pair"));
        }
        self.text.push_str(&format!("\\u{{{number:X}}}"));
        Ok(())
    }

    fn hex(&mut self, most: usize, braced: bool) -> Result<u32, String> {
        let mut digits = String::new();
        while digits.len() < most
            && let Some(digit) = self.rest.next_if(char::is_ascii_hexdigit)
        {
            digits.push(digit);
        }
        let is_closed = match braced {
            true => self.rest.next_if_eq(&'}').is_some(),
            false => digits.len() == most,
        };
        let number = u32::from_str_radix(&digits, 16).ok();
        number
            .filter(|_| is_closed)
            .ok_or_else(|| refusal("a character by a number that is none"))
    }
}

fn refusal(what: &str) -> String {
    format!(
        "cannot be enforced: it has {what}, which is not matched in linear time or is not ECMA-262"
    )
}
