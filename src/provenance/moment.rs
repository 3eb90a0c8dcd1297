//! Times of upstreams: they carry no zone and mean UTC, and their fraction of a second is kept.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use crate::clock::Timestamp;

/// The maximum number of digits of a fraction: nanoseconds.
const MAX_DIGITS: usize = 9;

/// A time of an upstream, RFC 3339 with `Z`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(super) struct Moment {
    text: String,
    #[serde(skip)]
    at: Timestamp,
}

impl Moment {
    /// The time in whole seconds.
    pub(super) fn at(&self) -> Timestamp {
        self.at
    }

    fn parse(text: &str) -> Result<Moment, String> {
        let at = Timestamp::parse(text)?;
        let fraction = text.split_once('.').map_or("", |it| it.1);
        let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
        let fraction = &fraction[..digits.min(MAX_DIGITS)];
        let whole = at.to_string();
        let whole = whole.trim_end_matches('Z');
        let text = match fraction {
            "" => format!("{whole}Z"),
            fraction => format!("{whole}.{fraction}Z"),
        };
        Ok(Moment { text, at })
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Moment, D::Error> {
        let text = <Cow<'de, str>>::deserialize(deserializer)?;
        Moment::parse(&text).map_err(D::Error::custom)
    }
}

impl JsonSchema for Moment {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Moment".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date-time" })
    }
}

#[cfg(test)]
mod tests {
    use super::Moment;

    #[test]
    fn writes_utc_and_keeps_the_fraction() {
        for (given, expected) in [
            ("2025-07-22T12:00:04.123", "2025-07-22T12:00:04.123Z"),
            (
                "2023-03-16T17:05:27.529586273Z",
                "2023-03-16T17:05:27.529586273Z",
            ),
            ("2025-07-20T15:00", "2025-07-20T15:00:00Z"),
            ("2025-07-20 15:00:00", "2025-07-20T15:00:00Z"),
            ("2025-07-22T14:00:04.5+02:00", "2025-07-22T12:00:04.5Z"),
        ] {
            assert_eq!(Moment::parse(given).unwrap().text, expected);
        }
        for text in ["", "soon", "2025-07-20", "2025-07-20T15"] {
            assert!(Moment::parse(text).is_err(), "{text}");
        }
    }
}
