//! A message of the server, encoded once, with the place where a connection adds fields to `_meta`.

use serde::Serialize;
use serde_json::value::RawValue;

/// The beginning of an object that has `_meta`. It is always the first field: the types declare it first, and the keys
/// of a [`serde_json::Value`] are sorted.
const META: &[u8] = br#"{"_meta":{"#;

/// The role of a message for its request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Part {
    /// A notification, which the client may miss.
    Notification,
    /// A request that the call waits for.
    Question,
    /// The response.
    Response,
}

/// One JSON-RPC message on one line.
#[derive(Debug)]
pub struct Outgoing {
    json: Vec<u8>,
    part: Part,
    place: Place,
}

/// Where fields are added to `_meta`.
#[derive(Debug)]
struct Place {
    /// The offset of the insertion.
    offset: usize,
    /// The JSON around the inserted fields.
    before: &'static str,
    after: &'static str,
}

impl Outgoing {
    /// A notification, or a request with an id.
    pub(crate) fn of_method(
        method: &'static str,
        id: Option<&str>,
        params: &impl Serialize,
    ) -> Outgoing {
        let mut json = br#"{"jsonrpc":"2.0""#.to_vec();
        if let Some(id) = id {
            field(&mut json, "id", &id);
        }
        field(&mut json, "method", &method);
        let start = field(&mut json, "params", params);
        let place = Place::in_object(&json, start);
        json.push(b'}');
        let part = match id {
            Some(_) => Part::Question,
            None => Part::Notification,
        };
        Outgoing { json, part, place }
    }

    /// A response with a result, an object.
    pub(crate) fn of_result(id: &RawValue, result: &RawValue) -> Outgoing {
        let mut json = Vec::with_capacity(id.get().len() + result.get().len() + 48);
        json.extend_from_slice(br#"{"jsonrpc":"2.0""#);
        raw(&mut json, "id", id);
        let start = raw(&mut json, "result", result);
        let place = Place::in_object(&json, start);
        json.push(b'}');
        Outgoing {
            json,
            part: Part::Response,
            place,
        }
    }

    /// An error response: an object with code and message, and its data.
    pub(crate) fn of_error(
        id: Option<&RawValue>,
        error: &impl Serialize,
        data: Option<&impl Serialize>,
    ) -> Outgoing {
        let mut json = br#"{"jsonrpc":"2.0""#.to_vec();
        if let Some(id) = id {
            raw(&mut json, "id", id);
        }
        field(&mut json, "error", error);
        // The data is written before the end of the object.
        json.pop();
        let place = match data {
            Some(data) => {
                let start = field(&mut json, "data", data);
                Place::in_object(&json, start)
            }
            None => Place {
                offset: json.len(),
                before: r#","data":{"_meta":{"#,
                after: "}}",
            },
        };
        json.extend_from_slice(b"}}");
        Outgoing {
            json,
            part: Part::Response,
            place,
        }
    }

    /// The role of the message for its request.
    pub fn part(&self) -> Part {
        self.part
    }

    /// The message as text.
    pub fn json(&self) -> &[u8] {
        &self.json
    }

    /// The length of the message in bytes.
    pub fn into_json(self) -> Vec<u8> {
        self.json
    }

    /// The message as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.json.clone()).expect("JSON that was encoded here is UTF-8")
    }

    /// The message with additional fields in `_meta` of its `params`, its `result`, or the `data` of its `error`.
    /// `fields` is the JSON between the braces of an object.
    pub(crate) fn with_meta(&self, fields: &str) -> String {
        let Place {
            offset,
            before,
            after,
        } = self.place;
        let (head, rest) = self.json.split_at(offset);
        let parts = [
            head,
            before.as_bytes(),
            fields.as_bytes(),
            after.as_bytes(),
            rest,
        ];
        String::from_utf8(parts.concat()).expect("JSON that was encoded here is UTF-8")
    }
}

impl Place {
    /// The insertion point in the object that begins at `start` and is the last one in `json`.
    fn in_object(json: &[u8], start: usize) -> Place {
        let object = &json[start..];
        let (opening, before, end) = match object.starts_with(META) {
            true => (META.len(), "", ""),
            false => (1, r#""_meta":{"#, "}"),
        };
        let is_empty = object.get(opening) == Some(&b'}');
        let after = match (end, is_empty) {
            ("", false) => ",",
            ("", true) => "",
            (_, false) => "},",
            (_, true) => "}",
        };
        Place {
            offset: start + opening,
            before,
            after,
        }
    }
}

/// Writes a field that is not the first one, and returns where its value begins.
fn field(json: &mut Vec<u8>, key: &str, value: &impl Serialize) -> usize {
    let start = name(json, key);
    serde_json::to_writer(&mut *json, value).expect("what is sent is texts, numbers and JSON");
    start
}

/// Like [`field`], for a value that is JSON already.
fn raw(json: &mut Vec<u8>, key: &str, value: &RawValue) -> usize {
    let start = name(json, key);
    json.extend_from_slice(value.get().as_bytes());
    start
}

fn name(json: &mut Vec<u8>, key: &str) -> usize {
    for part in [",\"", key, "\":"] {
        json.extend_from_slice(part.as_bytes());
    }
    json.len()
}
