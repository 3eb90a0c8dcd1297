//! Decimal amounts as arguments: digits with at most one point, without a sign and without an exponent.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::decimal::Decimal;
use super::exact::Exact;

/// The maximum number of digits.
const MAX_DIGITS: usize = 60;

/// A decimal that is not negative.
#[derive(Clone, Debug)]
pub(super) struct Plain(Exact);

impl Plain {
    /// The exact value.
    pub(super) fn exact(self) -> Exact {
        self.0
    }

    fn parse(text: &str) -> Option<Plain> {
        let is_plain = text.bytes().all(|it| it.is_ascii_digit() || it == b'.');
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        if !is_plain || digits > MAX_DIGITS {
            return None;
        }
        Exact::of(&Decimal::parse(text).ok()?).map(Plain)
    }
}

impl<'de> Deserialize<'de> for Plain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Plain, D::Error> {
        let text = <Cow<'de, str>>::deserialize(deserializer)?;
        Plain::parse(&text).ok_or_else(|| {
            D::Error::custom(format!(
                "expected a decimal such as `1.5`, without a sign or an exponent and with at most {MAX_DIGITS} digits"
            ))
        })
    }
}

impl JsonSchema for Plain {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Plain".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        // With a point, 61 characters are 60 digits.
        json_schema!({
            "type": "string",
            "pattern": "^[0-9]{1,60}(\\.[0-9]{1,60})?$",
            "maxLength": MAX_DIGITS + 1,
        })
    }
}
