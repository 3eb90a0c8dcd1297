//! A message of this server: encoded once, with the place where a connection adds fields to its `_meta`.

use serde::Serialize;
use serde_json::value::RawValue;

/// How an object begins that has `_meta`, which stands first wherever it stands: the types have it first, and the keys
/// of a [`serde_json::Value`] are sorted.
const META: &[u8] = br#"{"_meta":{"#;

/// What a message is to the request that it is sent for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Part {
    /// Something that the client may miss.
    Notification,
    /// Something that the call waits on.
    Question,
    /// The end.
    Response,
}

/// One JSON-RPC message on one line.
#[derive(Debug)]
pub struct Outgoing {
    json: Vec<u8>,
    part: Part,
    place: Place,
}

/// Where fields of `_meta` go.
#[derive(Debug)]
struct Place {
    /// The bytes before them.
    offset: usize,
    /// What stands around them.
    before: &'static str,
    after: &'static str,
}

impl Outgoing {
    /// A notification, or a question under that id.
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

    /// The response with that result, an object.
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

    /// The response with an error: an object with a code and a message, and the data that goes into it.
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
        // The data goes before the end of the object.
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

    /// What it is to its request.
    pub fn part(&self) -> Part {
        self.part
    }

    /// The message.
    pub fn json(&self) -> &[u8] {
        &self.json
    }

    /// The bytes of the message.
    pub fn into_json(self) -> Vec<u8> {
        self.json
    }

    /// The message with these fields too in the `_meta` of its `params`, of its `result`, or of the `data` of its
    /// `error`. They are written as they stand within an object.
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
    /// In the object that begins at `start`, the last one in `json` so far.
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

/// Adds a field that is not the first one, and says where its value begins.
fn field(json: &mut Vec<u8>, key: &str, value: &impl Serialize) -> usize {
    let start = name(json, key);
    serde_json::to_writer(&mut *json, value).expect("what is sent is texts, numbers and JSON");
    start
}

/// The same of a value that is JSON already.
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
