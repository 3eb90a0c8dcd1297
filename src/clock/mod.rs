//! The wall clock: whole seconds of UTC, from the system or fixed.

mod deadline;
mod time_left;

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

pub use deadline::{Countdown, Deadline};
pub use time_left::TimeLeft;

/// A moment in whole seconds since 1970-01-01T00:00:00Z; RFC 3339 with `Z` on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(i64);

/// Where the present moment comes from.
#[derive(Clone, Copy, Debug, Default)]
pub enum Clock {
    /// The system's clock.
    #[default]
    System,
    /// A clock that stands still, so that recorded data keeps its meaning.
    Fixed(Timestamp),
}

impl Clock {
    /// The present moment.
    pub fn now(self) -> Timestamp {
        match self {
            Clock::Fixed(at) => at,
            Clock::System => {
                let since = SystemTime::now()
                    .duration_since(UNIX_EPOCH)
                    .unwrap_or_default();
                Timestamp(since.as_secs() as i64)
            }
        }
    }
}

impl Timestamp {
    /// The moment `seconds` after 1970-01-01T00:00:00Z, if its year is between 0 and 9999.
    pub fn from_unix(seconds: i64) -> Option<Timestamp> {
        let moment = OffsetDateTime::from_unix_timestamp(seconds).ok()?;
        (0..=9999)
            .contains(&moment.year())
            .then_some(Timestamp(seconds))
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    pub fn unix(self) -> i64 {
        self.0
    }

    /// Reads an RFC 3339 date and time; a missing zone is UTC, a fraction of a second is cut.
    ///
    /// # Errors
    /// A sentence for the caller where `text` is something else.
    pub fn parse(text: &str) -> Result<Timestamp, String> {
        let wrong = || {
            format!(
                "expected an RFC 3339 date and time such as `2025-11-18T12:00:00Z`, got `{}`",
                clip(text)
            )
        };
        // The parser takes a few separators; the standard's own is the only one that every client reads alike.
        if !matches!(text.as_bytes().get(10), Some(b'T' | b't')) {
            return Err(wrong());
        }
        let has_zone = text.ends_with(['Z', 'z']) || text[11..].contains(['+', '-']);
        let parsed = match has_zone {
            true => OffsetDateTime::parse(text, &Rfc3339),
            false => OffsetDateTime::parse(&format!("{text}Z"), &Rfc3339),
        };
        let moment = parsed.map_err(|_| wrong())?;
        let whole = moment.replace_nanosecond(0).map_err(|_| wrong())?;
        Timestamp::from_unix(whole.unix_timestamp()).ok_or_else(wrong)
    }
}

/// The beginning of `text`, short enough to repeat in an error.
fn clip(text: &str) -> String {
    text.chars().take(40).collect()
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment = OffsetDateTime::from_unix_timestamp(self.0).map_err(|_| fmt::Error)?;
        f.write_str(
            &moment
                .to_offset(UtcOffset::UTC)
                .format(&Rfc3339)
                .map_err(|_| fmt::Error)?,
        )
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Timestamp::parse(&text).map_err(D::Error::custom)
    }
}

impl JsonSchema for Timestamp {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Timestamp".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date-time" })
    }
}

#[cfg(test)]
mod tests {
    use super::Timestamp;

    #[test]
    fn reads_zones_and_cuts_fractions() {
        let noon = Timestamp::parse("2025-11-18T12:00:00Z").unwrap();
        assert_eq!(noon.unix(), 1_763_467_200);
        for text in [
            "2025-11-18T12:00:00",
            "2025-11-18T12:00:00.999",
            "2025-11-18T13:00:00+01:00",
            "2025-11-18t12:00:00z",
        ] {
            assert_eq!(Timestamp::parse(text), Ok(noon), "{text}");
        }
        assert_eq!(
            Timestamp::parse("1969-12-31T23:59:59.5Z").unwrap().unix(),
            -1
        );
        assert_eq!(noon.to_string(), "2025-11-18T12:00:00Z");
    }

    #[test]
    fn refuses_what_is_no_date_and_time() {
        for text in [
            "",
            "2025-11-18",
            "2025-11-18 12:00:00Z",
            "2025-13-01T00:00:00Z",
            "2025-11-18T12:00",
            "20251118T120000Z",
            "9999-12-31T23:59:59-01:00",
            "äääääT",
        ] {
            assert!(Timestamp::parse(text).is_err(), "{text}");
        }
    }
}
