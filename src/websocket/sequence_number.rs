//! The number that a message carries, and for which request it is sent.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

/// The number of a message among those of its request, in `_meta`.
const SEQ: &str = "bifold/seq";

/// The id of that request, in `_meta` of what is no response.
const REQUEST: &str = "bifold/request";

/// The fields of an object, as they stand.
type Fields = BTreeMap<String, Box<RawValue>>;

/// What a message is to its request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Something that the client may miss.
    Notification,
    /// Something that the call waits on.
    Question,
    /// The end.
    Response,
}

/// The message with `number` in the `_meta` of its `params`, of its `result`, or of the `data` of its `error`; what is
/// no response says there too to which `request` it belongs.
pub(super) fn add_sequence_number(
    message: &[u8],
    number: u64,
    request: Option<&RawValue>,
) -> (String, Part) {
    let mut message: Fields =
        serde_json::from_slice(message).expect("a message of this server is an object");
    let has = |key| message.contains_key(key);
    let (part, path): (_, &[&str]) = match (has("method"), has("id")) {
        (true, false) => (Part::Notification, &["params", "_meta"]),
        (true, true) => (Part::Question, &["params", "_meta"]),
        (false, _) if has("error") => (Part::Response, &["error", "data", "_meta"]),
        (false, _) => (Part::Response, &["result", "_meta"]),
    };
    let mut marks = Fields::from([(SEQ.to_owned(), raw(&number))]);
    if let Some(request) = request.filter(|_| part != Part::Response) {
        marks.insert(REQUEST.to_owned(), request.to_owned());
    }
    put(&mut message, path, marks);
    (raw(&message).get().to_owned(), part)
}

/// Adds the marks to the object at the end of the path, and makes objects on the way where there are none.
fn put(fields: &mut Fields, path: &[&str], marks: Fields) {
    let [key, rest @ ..] = path else {
        fields.extend(marks);
        return;
    };
    let inner = fields.remove(*key);
    let inner = inner.and_then(|it| serde_json::from_str(it.get()).ok());
    let mut inner: Fields = inner.unwrap_or_default();
    put(&mut inner, rest, marks);
    fields.insert((*key).to_owned(), raw(&inner));
}

fn raw(value: &impl Serialize) -> Box<RawValue> {
    to_raw_value(value).expect("numbers and fields of JSON are JSON")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[track_caller]
    fn stamped(message: Value, expected: Value, part: Part) {
        let id = to_raw_value("one").unwrap();
        let (text, found) = add_sequence_number(message.to_string().as_bytes(), 7, Some(&id));
        let found = (serde_json::from_str::<Value>(&text).unwrap(), found);
        assert_eq!(found, (expected, part));
    }

    #[test]
    fn the_number_stands_where_the_schemas_leave_room_for_it() {
        let seq = json!({"bifold/seq": 7});
        let told = json!({"bifold/seq": 7, "bifold/request": "one"});
        stamped(
            json!({"method": "m"}),
            json!({"method": "m", "params": {"_meta": told}}),
            Part::Notification,
        );
        stamped(
            json!({"method": "m", "id": 1, "params": {"a": 1, "_meta": {"b": 2}}}),
            json!({"method": "m", "id": 1, "params": {"a": 1, "_meta":
                {"b": 2, "bifold/seq": 7, "bifold/request": "one"}}}),
            Part::Question,
        );
        stamped(
            json!({"id": "one", "result": {}}),
            json!({"id": "one", "result": {"_meta": seq}}),
            Part::Response,
        );
        stamped(
            json!({"error": {"code": 1, "message": "m"}}),
            json!({"error": {"code": 1, "message": "m", "data": {"_meta": seq}}}),
            Part::Response,
        );
        stamped(
            json!({"error": {"code": 1, "message": "m", "data": {"kind": "k"}}}),
            json!({"error": {"code": 1, "message": "m", "data": {"kind": "k", "_meta": seq}}}),
            Part::Response,
        );
    }

    #[test]
    fn what_a_function_said_stays_as_it_was_written() {
        let said = r#"{"result":{"structuredContent":{"b":1.0,"a":12345678901234567890123}}}"#;
        let (text, _) = add_sequence_number(said.as_bytes(), 1, None);
        assert!(
            text.contains(r#""structuredContent":{"b":1.0,"a":12345678901234567890123}"#),
            "{text}"
        );
    }
}
