//! Texts become strings of JSON: the whole body of a response, which is mostly JSON with a quote every few bytes.

/// What stands for each byte: itself for 0, else `\` and this, or `u` for a code of four digits.
const ESCAPES: [u8; 256] = {
    let mut escapes = [0; 256];
    let mut control = 0;
    while control < 0x20 {
        escapes[control] = b'u';
        control += 1;
    }
    escapes[0x08] = b'b';
    escapes[b'\t' as usize] = b't';
    escapes[b'\n' as usize] = b'n';
    escapes[0x0c] = b'f';
    escapes[b'\r' as usize] = b'r';
    escapes[b'"' as usize] = b'"';
    escapes[b'\\' as usize] = b'\\';
    escapes
};

/// Bytes that are counted together, so many that their count fits into a byte.
const BLOCK: usize = 255;

/// Adds the text as a string, with its quotes.
pub(crate) fn string(json: &mut Vec<u8>, text: &str) {
    let text = text.as_bytes();
    json.push(b'"');
    match text.iter().fold(false, |any, &byte| any | (byte < 0x20)) {
        true => text.iter().for_each(|&byte| character(json, byte)),
        false => quoted(json, text),
    }
    json.push(b'"');
}

/// The quotes and backslashes of a text.
fn marks(text: &[u8]) -> usize {
    let mark = |byte: &u8| u8::from(is_mark(*byte));
    let blocks = text.chunks(BLOCK);
    let counts = blocks.map(|block| block.iter().map(mark).sum::<u8>());
    counts.map(usize::from).sum()
}

fn is_mark(byte: u8) -> bool {
    (byte == b'"') | (byte == b'\\')
}

/// A text without control characters, into room of exactly its length.
fn quoted(json: &mut Vec<u8>, text: &[u8]) {
    let start = json.len();
    json.resize(start + text.len() + marks(text), b'\\');
    let mut place = start;
    for &byte in text {
        place += usize::from(is_mark(byte));
        if let Some(free) = json.get_mut(place) {
            *free = byte;
        }
        place += 1;
    }
}

fn character(json: &mut Vec<u8>, byte: u8) {
    match ESCAPES[usize::from(byte)] {
        0 => json.push(byte),
        b'u' => json.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
        escape => json.extend_from_slice(&[b'\\', escape]),
    }
}

#[cfg(test)]
mod tests {
    use super::string;

    #[test]
    fn every_character_is_written_as_serde_json_writes_it() {
        let all: String = (0..0x180).filter_map(char::from_u32).collect();
        let long = "\"ä\\".repeat(300);
        for text in ["", "plain", "{\"a\":\"b\\\\c\"}", "größe 😀", &all, &long] {
            let mut json = Vec::new();
            string(&mut json, text);
            assert_eq!(
                String::from_utf8(json).unwrap(),
                serde_json::to_string(text).unwrap()
            );
        }
    }
}
