//! Dates in UTC, such as `2025-07-01`.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::{Duration, Month, OffsetDateTime};

use crate::clock::Timestamp;

/// A date without a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Date(time::Date);

impl Date {
    /// The date of a time in UTC; `None` for a time that no calendar has.
    pub(super) fn of(at: Timestamp) -> Option<Date> {
        let moment = OffsetDateTime::from_unix_timestamp(at.unix()).ok()?;
        Some(Date(moment.date()))
    }

    /// So many days earlier, but not before the year 0.
    pub(super) fn before(self, days: i64) -> Date {
        let first = time::Date::from_ordinal_date(0, 1).unwrap_or(self.0);
        let earlier = self.0.checked_sub(Duration::days(days));
        Date(earlier.unwrap_or(first).max(first))
    }

    /// The number of days from `from` to this date, both included.
    pub(super) fn days_since(self, from: Date) -> i64 {
        (self.0 - from.0).whole_days() + 1
    }

    fn parse(text: &str) -> Option<Date> {
        let is_digits = |part: &str| part.bytes().all(|it| it.is_ascii_digit());
        let mut parts = text.split('-');
        let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
        let has_form = parts.next().is_none()
            && (year.len(), month.len(), day.len()) == (4, 2, 2)
            && [year, month, day].into_iter().all(is_digits);
        if !has_form {
            return None;
        }
        let month = Month::try_from(month.parse::<u8>().ok()?).ok()?;
        let date = time::Date::from_calendar_date(year.parse().ok()?, month, day.parse().ok()?);
        date.ok().map(Date)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.0.to_calendar_date();
        write!(f, "{year:04}-{:02}-{day:02}", u8::from(month))
    }
}

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Date, D::Error> {
        let text = <Cow<'de, str>>::deserialize(deserializer)?;
        let wrong = || D::Error::custom("expected a date such as `2025-07-01`");
        Date::parse(&text).ok_or_else(wrong)
    }
}

impl JsonSchema for Date {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Date".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date" })
    }
}

#[cfg(test)]
mod tests {
    use super::Date;

    #[test]
    fn takes_calendar_dates_and_nothing_else() {
        for text in ["2025-07-01", "2024-02-29", "0000-01-01", "9999-12-31"] {
            assert_eq!(Date::parse(text).unwrap().to_string(), text);
        }
        for text in [
            "",
            "2025-7-1",
            "2025-02-29",
            "2025-13-01",
            "2025-07-32",
            "20250701",
            "2025-07-01T00:00:00Z",
            "2025-07-01-",
            "+025-07-01",
            "12025-07-01",
            "2025-07-ä",
        ] {
            assert_eq!(Date::parse(text), None, "{text}");
        }
    }

    #[test]
    fn counts_days_with_both_ends() {
        let date = Date::parse("2025-03-01").unwrap();
        assert_eq!(date.before(1).to_string(), "2025-02-28");
        assert_eq!(date.days_since(date.before(30)), 31);
        assert_eq!(date.before(800_000).to_string(), "0000-01-01");
        assert_eq!(date.before(1 << 40).to_string(), "0000-01-01");
    }
}
