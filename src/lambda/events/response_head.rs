//! The head of a response: its status and its headers, in the fields that the event's integration reads.

use std::borrow::Cow;

use http::header::{CONTENT_LENGTH, SET_COOKIE};
use http::response::Parts;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::lambda::events::integration::Integration;

/// The status and the headers, written straight from the response.
pub(crate) struct ResponseHead<'p> {
    integration: Integration,
    parts: &'p Parts,
}

/// Every header on one line. A list on one line means the same as its parts on several; that is not so of cookies, of
/// which the last one stays where they have no field of their own.
struct Lines<'p> {
    headers: &'p HeaderMap,
    has_cookies: bool,
}

/// Every header with all of its lines.
struct Lists<'p>(&'p HeaderMap);

/// The lines of one header.
struct Values<'p>(&'p HeaderMap, &'p HeaderName);

/// No header at all.
#[derive(Serialize)]
struct Empty {}

impl<'p> ResponseHead<'p> {
    pub(crate) fn new(integration: Integration, parts: &'p Parts) -> ResponseHead<'p> {
        ResponseHead { integration, parts }
    }
}

impl Serialize for ResponseHead<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (status, headers) = (self.parts.status, &self.parts.headers);
        let mut head = serializer.serialize_map(None)?;
        head.serialize_entry("statusCode", &status.as_u16())?;
        if self.integration.has_status_description() {
            let reason = status.canonical_reason().unwrap_or_default();
            let description = format!("{} {reason}", status.as_u16());
            head.serialize_entry("statusDescription", &description)?;
        }
        let has_cookies = self.integration.has_cookies();
        if self.integration.has_multi_value_headers() {
            head.serialize_entry("headers", &Empty {})?;
            head.serialize_entry("multiValueHeaders", &Lists(headers))?;
        } else {
            let lines = Lines {
                headers,
                has_cookies,
            };
            head.serialize_entry("headers", &lines)?;
            head.serialize_entry("multiValueHeaders", &Empty {})?;
        }
        if has_cookies {
            head.serialize_entry("cookies", &Values(headers, &SET_COOKIE))?;
        }
        head.end()
    }
}

impl Serialize for Lines<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let is_sent = |it: &HeaderName| !self.has_cookies || *it != SET_COOKIE;
        if self.headers.keys_len() == self.headers.len() {
            // Nearly always; then no header is looked up.
            let lines = self.headers.iter();
            let lines = lines.filter(|it| *it.0 != CONTENT_LENGTH && is_sent(it.0));
            return serializer.collect_map(lines.map(|(name, line)| (name.as_str(), text(line))));
        }
        let names = names(self.headers).filter(|it| is_sent(it));
        serializer.collect_map(names.map(|name| (name.as_str(), self.line(name))))
    }
}

impl Lines<'_> {
    fn line(&self, name: &HeaderName) -> Cow<'_, str> {
        let mut values = self.headers.get_all(name).iter().map(text);
        let first = values.next().unwrap_or_default();
        values.fold(first, |line, value| match *name == SET_COOKIE {
            true => value,
            false => format!("{line}, {value}").into(),
        })
    }
}

impl Serialize for Lists<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let names = names(self.0);
        serializer.collect_map(names.map(|name| (name.as_str(), Values(self.0, name))))
    }
}

impl Serialize for Values<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.get_all(self.1).iter().map(text))
    }
}

/// The platform counts the length itself, and renames the header where it comes from a function.
fn names(headers: &HeaderMap) -> impl Iterator<Item = &HeaderName> {
    headers.keys().filter(|name| **name != CONTENT_LENGTH)
}

fn text(value: &HeaderValue) -> Cow<'_, str> {
    // Nearly all of them are ASCII, of which this checks many bytes at a time.
    match std::str::from_utf8(value.as_bytes()) {
        Ok(text) => text.into(),
        Err(_) => String::from_utf8_lossy(value.as_bytes()),
    }
}
