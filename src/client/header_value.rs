//! A text as the value of a header, as revision 2026-07-28 repeats parts of the body in headers.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;

/// The text, in base64 where a header could not carry it unchanged.
pub(crate) fn header_value(text: &str) -> Option<HeaderValue> {
    let is_visible = text.bytes().all(|it| matches!(it, b' '..=b'~'));
    let is_trimmed = text.trim_ascii() == text;
    let is_encoded = text.starts_with("=?base64?") && text.ends_with("?=");
    let plain = HeaderValue::from_str(text).ok();
    let encoded = || HeaderValue::try_from(format!("=?base64?{}?=", STANDARD.encode(text))).ok();
    plain
        .filter(|_| is_visible && is_trimmed && !is_encoded)
        .or_else(encoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_header_cannot_carry_is_sent_in_base64() {
        for (text, expected) in [
            ("plain", "plain"),
            ("a b", "a b"),
            (" a", "=?base64?IGE=?="),
            ("ä", "=?base64?w6Q=?="),
            ("a\nb", "=?base64?YQpi?="),
            ("=?base64?x?=", "=?base64?PT9iYXNlNjQ/eD89?="),
        ] {
            assert_eq!(header_value(text).unwrap(), expected, "{text:?}");
        }
    }
}
