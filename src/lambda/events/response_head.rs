//! The head of a response: its status and its headers, in the fields that the event's integration reads.

use std::collections::BTreeMap;

use http::HeaderName;
use http::header::{CONTENT_LENGTH, SET_COOKIE};
use http::response::Parts;
use serde::Serialize;

use crate::lambda::events::integration::Integration;

/// The status and the headers.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ResponseHead {
    status_code: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_description: Option<String>,
    headers: BTreeMap<String, String>,
    multi_value_headers: BTreeMap<String, Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cookies: Option<Vec<String>>,
}

impl ResponseHead {
    pub(crate) fn new(integration: Integration, parts: &Parts) -> ResponseHead {
        let reason = parts.status.canonical_reason().unwrap_or_default();
        let mut head = ResponseHead {
            status_code: parts.status.as_u16(),
            status_description: integration
                .has_status_description()
                .then(|| format!("{} {reason}", parts.status.as_u16())),
            headers: BTreeMap::new(),
            multi_value_headers: BTreeMap::new(),
            cookies: integration.has_cookies().then(Vec::new),
        };
        for (name, value) in &parts.headers {
            // The platform sets the length itself, and renames the header when a function sends it.
            if name != CONTENT_LENGTH {
                let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
                head.add(integration, name, value);
            }
        }
        head
    }

    fn add(&mut self, integration: Integration, name: &HeaderName, value: String) {
        if integration.has_multi_value_headers() {
            let lines = self.multi_value_headers.entry(name.to_string());
            return lines.or_default().push(value);
        }
        if name != SET_COOKIE {
            // A comma-separated list means the same as several lines of the header.
            let line = self.headers.entry(name.to_string());
            line.and_modify(|line| *line = format!("{line}, {value}"))
                .or_insert(value);
            return;
        }
        match &mut self.cookies {
            Some(cookies) => cookies.push(value),
            // Cookies cannot be joined, so only the last one is kept.
            None => drop(self.headers.insert(name.to_string(), value)),
        }
    }
}
