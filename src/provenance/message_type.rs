//! Types of messages, as arguments.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// The type of a message: its URL, or the last word of it.
#[derive(Clone, Debug)]
pub(super) struct MessageType(pub(super) String);

impl MessageType {
    /// Whether the URL of a type is meant.
    pub(super) fn fits(&self, url: &str) -> bool {
        let (own, url) = (self.0.trim_start_matches('/'), url.trim_start_matches('/'));
        own == url
            || url
                .strip_suffix(own)
                .is_some_and(|rest| rest.ends_with('.'))
    }
}

impl<'de> Deserialize<'de> for MessageType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<MessageType, D::Error> {
        let text = <Cow<'de, str>>::deserialize(deserializer)?;
        let word = text.strip_prefix('/').unwrap_or(&text);
        let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        match (1..=128).contains(&word.len()) && word.bytes().all(is_legal) {
            true => Ok(MessageType(text.into_owned())),
            false => Err(D::Error::custom(
                "expected the type of a message such as `/cosmos.bank.v1beta1.MsgSend`",
            )),
        }
    }
}

impl JsonSchema for MessageType {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "MessageType".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^/?[A-Za-z0-9._-]{1,128}$" })
    }
}

#[cfg(test)]
mod tests {
    use super::MessageType;

    #[test]
    fn a_type_may_be_shortened_from_the_left() {
        let url = "/cosmos.bank.v1beta1.MsgSend";
        for (text, fits) in [
            (url, true),
            ("cosmos.bank.v1beta1.MsgSend", true),
            ("MsgSend", true),
            ("bank.v1beta1.MsgSend", true),
            ("Send", false),
            ("MsgMultiSend", false),
        ] {
            assert_eq!(MessageType(text.to_owned()).fits(url), fits, "{text}");
        }
    }
}
