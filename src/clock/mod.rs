//! Time: the clock in whole seconds of UTC, deadlines, the waits between attempts, and when something last happened.

mod backoff;
mod deadline;
mod last_time;
mod throttle;
mod time_left;

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

use crate::error::excerpt::excerpt;
use crate::schema::DECODED;
pub(crate) use backoff::Backoff;
pub use deadline::{Countdown, Deadline};
pub(crate) use last_time::LastTime;
pub(crate) use throttle::Throttle;
pub use time_left::TimeLeft;
pub(crate) use time_left::time_until;

/// A time in whole seconds since 1970-01-01T00:00:00Z, written as RFC 3339 with `Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(i64);

/// The source of the current time.
#[derive(Clone, Copy, Debug, Default)]
pub enum Clock {
    /// The system's clock.
    #[default]
    System,
    /// A fixed time, at which recorded data is valid.
    Fixed(Timestamp),
}

impl Clock {
    /// The current time.
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
    /// The time `seconds` after 1970-01-01T00:00:00Z, if its year is between 0 and 9999.
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

    /// Parses an RFC 3339 date and time, and common variants: a space instead of the `T`, no seconds, a zone such as
    /// `+0100` or `+01`. A missing zone means UTC; fractions of a second are dropped.
    ///
    /// # Errors
    /// A message for the caller if `text` has another form.
    pub fn parse(text: &str) -> Result<Timestamp, String> {
        let written = standard(text).ok_or_else(|| wrong(text))?;
        let moment = OffsetDateTime::parse(&written, &Rfc3339).map_err(|_| wrong(text))?;
        let whole = moment.replace_nanosecond(0).map_err(|_| wrong(text))?;
        Timestamp::from_unix(whole.unix_timestamp()).ok_or_else(|| wrong(text))
    }
}

#[cold]
fn wrong(text: &str) -> String {
    let advice = match lost_plus(text) {
        true => "; a `+` in a query is written `%2B`",
        false => "",
    };
    format!(
        "expected an RFC 3339 date and time such as `2025-11-18T12:00:00Z`, got `{}`{advice}",
        excerpt(text)
    )
}

/// Rewrites a variant into the form of RFC 3339, without checking the values; `None` if it has another form.
fn standard(text: &str) -> Option<String> {
    let (date, rest) = text.split_at_checked(10)?;
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let zone = rest.find(['Z', 'z', '+', '-']).unwrap_or(rest.len());
    let (time, zone) = rest.split_at(zone);
    let seconds = if time.len() == 5 { ":00" } else { "" };
    let (sign, digits) = zone.split_at(zone.len().min(1));
    let zone = match (sign, digits.len()) {
        ("" | "Z" | "z", 0) => "Z".to_owned(),
        ("+" | "-", 2) => format!("{zone}:00"),
        ("+" | "-", 4) => format!("{sign}{}:{}", digits.get(..2)?, digits.get(2..)?),
        _ => zone.to_owned(),
    };
    Some(format!("{date}T{time}{seconds}{zone}"))
}

/// Whether the zone begins with a space instead of a `+`: in a query, a `+` means a space.
fn lost_plus(text: &str) -> bool {
    let Some((rest, zone)) = text.rsplit_once(' ') else {
        return false;
    };
    let restored = standard(&format!("{rest}+{zone}"));
    restored.is_some_and(|it| OffsetDateTime::parse(&it, &Rfc3339).is_ok())
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
        json_schema!({ "type": "string", "format": "date-time", DECODED: true })
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
            "2025-11-18T12:00:00+0000",
            "2025-11-18T12:00:00+00",
            "2025-11-18T12:00:00-00:00",
            "2025-11-18T08:30:00-0330",
            "2025-11-18T08:30:00.5-0330",
            "2025-11-18T13:00:00+01",
            "2025-11-18T12:00Z",
            "2025-11-18T12:00",
            "2025-11-18T13:00+01:00",
            "2025-11-18T13:00+0100",
            "2025-11-18T13:00+01",
            "2025-11-18 12:00:00",
            "2025-11-18 12:00:00Z",
            "2025-11-18 12:00",
            "2025-11-18 13:00+01",
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
    fn a_leap_second_is_the_second_before_it() {
        for text in ["2016-12-31T23:59:60Z", "2017-01-01 00:59:60+01"] {
            let moment = Timestamp::parse(text).unwrap();
            assert_eq!(moment.to_string(), "2016-12-31T23:59:59Z");
        }
    }

    #[test]
    fn refuses_what_is_no_date_and_time() {
        for text in [
            "",
            " ",
            "2025-11-18",
            "2025-11-18 ",
            "2025-11-18T",
            "2025-11-18T12",
            "2025-11-18T12Z",
            "2025-11-18T12+01",
            "2025-11-18T12:00:",
            "2025-11-18T12:0",
            "2025-11-18T12:00.5",
            "2025-11-18  12:00:00",
            "2025-11-18_12:00:00",
            "2025-11-18T12:00:00 Z",
            "2025-11-18T12:00:00Z ",
            "2025-11-18T12:00:00 UTC",
            "2025-11-18T12:00:00ZZ",
            "2025-11-18T12:00:00Z+01:00",
            "2025-11-18T12:00:00+",
            "2025-11-18T12:00:00+1",
            "2025-11-18T12:00:00+100",
            "2025-11-18T12:00:00+01:0",
            "2025-11-18T12:00:00+01:00:00",
            "2025-11-18T12:00:00+2400",
            "2025-11-18T12:00:00+0060",
            "2025-11-18T12:00:00+ä1",
            "2025-11-18T12:00:00+äa",
            "2025-11-18T12:00:00+aé1",
            "2025-11-18T24:00:00Z",
            "2025-13-01T00:00:00Z",
            "20251118T120000Z",
            "9999-12-31T23:59:59-01:00",
            "äääääT",
            "äääää 12:00:00",
        ] {
            let refusal = Timestamp::parse(text).unwrap_err();
            assert!(!refusal.contains("%2B"), "{text}: {refusal}");
        }
    }

    #[test]
    fn a_plus_that_was_read_as_a_space_is_named() {
        for text in [
            "2025-11-18T12:00:00 00:00",
            "2025-11-18T12:00:00 0000",
            "2025-11-18T12:00:00 02",
            "2025-11-18T12:00 02:00",
            "2025-11-18 12:00:00 02:00",
            "2025-11-18 12:00 02",
            "2025-11-18T12:00:00.25 02:00",
        ] {
            let refusal = Timestamp::parse(text).unwrap_err();
            assert!(refusal.contains("`%2B`"), "{text}: {refusal}");
        }
    }
}
