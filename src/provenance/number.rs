//! Whole numbers in upstream JSON: a number of any size, or a string of digits.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// A whole number of at most 128 bits; an integer in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Integer(pub(super) u128);

/// The exact text of a JSON number or string; a conversion through `f64` would lose digits.
pub(super) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Cow<'de, str>, D::Error> {
    let raw = <&'de RawValue>::deserialize(deserializer)?.get();
    match raw.as_bytes().first() {
        Some(b'"') => serde_json::from_str::<Quoted<'_>>(raw)
            .map(|it| it.0.into_owned().into())
            .map_err(D::Error::custom),
        Some(b'-' | b'0'..=b'9') => Ok(raw.into()),
        _ => Err(D::Error::custom("expected a number or a string")),
    }
}

/// Like [`text`], for a field that may be missing or null.
pub(super) fn lenient_text<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    struct Text<'a>(#[serde(borrow, deserialize_with = "text")] Cow<'a, str>);
    Ok(Option::<Text<'_>>::deserialize(deserializer)?.map(|text| text.0.into_owned()))
}

#[derive(Deserialize)]
struct Quoted<'a>(#[serde(borrow)] Cow<'a, str>);

/// Parses `text` as a whole number.
pub(super) fn whole(text: &str) -> Result<u128, String> {
    let is_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = if is_digits { text.parse().ok() } else { None };
    number.ok_or_else(|| {
        "expected a whole number that is not negative and has at most 128 bits".to_owned()
    })
}

impl<'de> Deserialize<'de> for Integer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Integer, D::Error> {
        whole(&text(deserializer)?)
            .map(Integer)
            .map_err(D::Error::custom)
    }
}

impl Serialize for Integer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u128(self.0)
    }
}

impl JsonSchema for Integer {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Integer".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 0 })
    }
}
