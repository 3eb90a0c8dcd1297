//! The head of an answer: its status and its headers, in the fields that the event's front door reads.

use std::collections::BTreeMap;

use http::HeaderName;
use http::header::{CONTENT_LENGTH, SET_COOKIE};
use http::response::Parts;
use serde::Serialize;

use super::door::Door;

/// The status and the headers.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Head {
    status_code: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_description: Option<String>,
    headers: BTreeMap<String, String>,
    multi_value_headers: BTreeMap<String, Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cookies: Option<Vec<String>>,
}

impl Head {
    pub(super) fn new(door: Door, parts: &Parts) -> Head {
        let reason = parts.status.canonical_reason().unwrap_or_default();
        let mut head = Head {
            status_code: parts.status.as_u16(),
            status_description: door
                .has_reason()
                .then(|| format!("{} {reason}", parts.status.as_u16())),
            headers: BTreeMap::new(),
            multi_value_headers: BTreeMap::new(),
            cookies: door.has_cookies().then(Vec::new),
        };
        for (name, value) in &parts.headers {
            // The platform counts the length itself, and renames the header where it comes from a function.
            if name != CONTENT_LENGTH {
                let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
                head.add(door, name, value);
            }
        }
        head
    }

    fn add(&mut self, door: Door, name: &HeaderName, value: String) {
        if door.has_lists() {
            let lines = self.multi_value_headers.entry(name.to_string());
            return lines.or_default().push(value);
        }
        if name != SET_COOKIE {
            // A list on one line means the same as its parts on several.
            let line = self.headers.entry(name.to_string());
            line.and_modify(|line| *line = format!("{line}, {value}"))
                .or_insert(value);
            return;
        }
        match &mut self.cookies {
            Some(cookies) => cookies.push(value),
            // That is not so of cookies: the last one stays.
            None => drop(self.headers.insert(name.to_string(), value)),
        }
    }
}
