//! Texts become strings of JSON: a whole body, or a whole result, which is mostly JSON with a quote every few bytes.

use serde_json::value::RawValue;

use super::encode::raw;

/// What stands for each control character: `\` and this, or `u` for a code of four digits.
const CONTROLS: [u8; 0x20] = {
    let mut escapes = [b'u'; 0x20];
    escapes[0x08] = b'b';
    escapes[b'\t' as usize] = b't';
    escapes[b'\n' as usize] = b'n';
    escapes[0x0c] = b'f';
    escapes[b'\r' as usize] = b'r';
    escapes
};

/// Each byte of a word is 1.
const ONES: u64 = u64::MAX / 0xff;
/// The high bit of each byte of a word.
const HIGH: u64 = ONES << 7;

/// The bytes that are collected before they are added.
const BLOCK: usize = 512;
/// The most that a word adds: a backslash before each byte, and what is written behind the last one.
const MOST: usize = 24;

/// Bytes on their way into a buffer, which are added many at a time.
struct Block {
    /// With room for a word at every place.
    bytes: [u8; BLOCK + 8],
    end: usize,
}

/// Adds the text as a string, with its quotes.
pub(crate) fn string(json: &mut Vec<u8>, text: &str) {
    json.reserve(text.len() + text.len() / 4 + 2);
    json.push(b'"');
    let (words, rest) = text.as_bytes().as_chunks();
    let mut block = Block {
        bytes: [0; BLOCK + 8],
        end: 0,
    };
    for bytes in words {
        let word = u64::from_le_bytes(*bytes);
        // A byte below 0x20 borrows; one that follows it may seem to be one too.
        if word.wrapping_sub(ONES * 0x20) & !word & HIGH == 0 {
            block.add(json, word);
        } else {
            block.flush(json);
            bytes.iter().for_each(|&byte| character(json, byte));
        }
    }
    block.flush(json);
    rest.iter().for_each(|&byte| character(json, byte));
    json.push(b'"');
}

/// The text as a string of JSON.
pub(crate) fn quoted(text: &str) -> Box<RawValue> {
    let mut json = Vec::new();
    string(&mut json, text);
    raw(json).expect("an escaped text is JSON")
}

impl Block {
    /// Adds eight bytes without control characters, each mark with a backslash before it.
    fn add(&mut self, json: &mut Vec<u8>, word: u64) {
        if self.end > BLOCK - MOST {
            self.flush(json);
        }
        self.put(self.end, word);
        let mut marks = !(differ(word, b'"') & differ(word, b'\\')) & HIGH;
        let mut start = self.end;
        while marks != 0 {
            // The mark and what follows it move by one.
            let before = marks.trailing_zeros() as usize / 8;
            self.bytes[(start + before) % BLOCK] = b'\\';
            start += 1;
            self.put(start + before, word >> (8 * before));
            marks &= marks - 1;
        }
        self.end = start + 8;
    }

    /// `place` is below `BLOCK`; the remainder spares a check.
    fn put(&mut self, place: usize, word: u64) {
        let place = place % BLOCK;
        self.bytes[place..place + 8].copy_from_slice(&word.to_le_bytes());
    }

    fn flush(&mut self, json: &mut Vec<u8>) {
        json.extend_from_slice(&self.bytes[..self.end]);
        self.end = 0;
    }
}

/// The high bit of each byte of the word that is not `byte`; the other bits say nothing.
fn differ(word: u64, byte: u8) -> u64 {
    let different = word ^ (ONES * u64::from(byte));
    // A carry into the high bit says that one of the others is set.
    ((different & !HIGH) + !HIGH) | different
}

fn character(json: &mut Vec<u8>, byte: u8) {
    match byte {
        b'"' | b'\\' => json.extend_from_slice(&[b'\\', byte]),
        0x20.. => json.push(byte),
        _ => match CONTROLS[usize::from(byte)] {
            b'u' => json.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            escape => json.extend_from_slice(&[b'\\', escape]),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::{quoted, string};

    #[test]
    fn every_character_is_written_as_serde_json_writes_it() {
        let all: String = (0..0x180).filter_map(char::from_u32).collect();
        let long = "\"ä\\".repeat(300);
        let json = "{\"a\":\"b\\\\c\"},".repeat(100);
        for text in [
            "",
            "plain",
            &json,
            "größe 😀",
            &all,
            &long,
            &"\"".repeat(2_000),
        ] {
            // Every character is once in every place of a word.
            for shift in 0..8 {
                let text = " ".repeat(shift) + text;
                let mut json = Vec::new();
                string(&mut json, &text);
                let expected = serde_json::to_string(&text).unwrap();
                assert_eq!(String::from_utf8(json).unwrap(), expected);
                assert_eq!(quoted(&text).get(), expected);
            }
        }
    }
}
