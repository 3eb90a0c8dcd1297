//! Hashes: 32 bytes, in upper case hexadecimal.

use std::borrow::Cow;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// The hash of a transaction, in upper case.
#[derive(Clone, Debug)]
pub(super) struct TxHash(pub(super) String);

/// The hash of a block as its source writes it, in upper case hexadecimal; base64 is decoded.
pub(super) fn upper(written: &str) -> Option<String> {
    match STANDARD.decode(written) {
        Ok(bytes) if bytes.len() == 32 => Some(hexadecimal(&bytes)),
        _ if written.is_empty() => None,
        _ => Some(written.to_ascii_uppercase()),
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing into a string cannot fail.
        let _ = write!(text, "{byte:02X}");
        text
    })
}

impl<'de> Deserialize<'de> for TxHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<TxHash, D::Error> {
        let text = <Cow<'de, str>>::deserialize(deserializer)?;
        match text.len() == 64 && text.bytes().all(|it| it.is_ascii_hexdigit()) {
            true => Ok(TxHash(text.to_ascii_uppercase())),
            false => Err(D::Error::custom(
                "expected the hash of a transaction: 64 hexadecimal digits",
            )),
        }
    }
}

impl JsonSchema for TxHash {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "TxHash".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^[0-9A-Fa-f]{64}$",
            "examples": ["E26475835422235396AC4A72AB55B4320F5D8F0F5DD88AD73F69026C7BA8DA8C"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::upper;

    #[test]
    fn both_sources_give_upper_case_hexadecimal() {
        let zeros = "0".repeat(62) + "2A";
        for (written, hash) in [
            (
                "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAACo=",
                zeros.as_str(),
            ),
            ("e5b1", "E5B1"),
        ] {
            assert_eq!(upper(written).as_deref(), Some(hash));
        }
        assert_eq!(upper(""), None);
    }
}
