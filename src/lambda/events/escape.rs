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

/// Bytes that are looked at together.
const BLOCK: usize = 16;

/// Adds the text as a string, with its quotes.
pub(crate) fn string(json: &mut Vec<u8>, text: &str) {
    json.push(b'"');
    for block in text.as_bytes().chunks(BLOCK) {
        // Without an early end, so that all bytes are compared at once.
        let is_special = |byte: u8| byte < 0x20 || byte == b'"' || byte == b'\\';
        match block
            .iter()
            .fold(false, |any, &byte| any | is_special(byte))
        {
            false => json.extend_from_slice(block),
            true => block.iter().for_each(|&byte| character(json, byte)),
        }
    }
    json.push(b'"');
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
        for text in ["", "plain", "{\"a\":\"b\\\\c\"}", "größe 😀", &all] {
            let mut json = Vec::new();
            string(&mut json, text);
            assert_eq!(
                String::from_utf8(json).unwrap(),
                serde_json::to_string(text).unwrap()
            );
        }
    }
}
