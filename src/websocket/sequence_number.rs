//! The sequence number of a message, and the request that it belongs to.

use serde_json::value::RawValue;

use crate::mcp::{Outgoing, Part};

/// The key in `_meta` of the sequence number within the request.
const SEQ: &str = "bifold/seq";

/// The key in `_meta` of the request's id, in a notification or a request of the server.
const REQUEST: &str = "bifold/request";

/// The message with its sequence number in `_meta`; a notification or a request of the server also gets the id of the
/// `request` that it belongs to.
pub(super) fn numbered(message: &Outgoing, number: u64, request: Option<&RawValue>) -> String {
    let request = request.filter(|_| message.part() != Part::Response);
    message.with_meta(&match request {
        Some(request) => format!(r#""{SEQ}":{number},"{REQUEST}":{request}"#),
        None => format!(r#""{SEQ}":{number}"#),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::value::to_raw_value;
    use serde_json::{Value, json};

    use super::*;

    #[track_caller]
    fn numbered_is(message: &Outgoing, expected: Value) {
        let id = to_raw_value("one").unwrap();
        let text = numbered(message, 7, Some(&id));
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), expected);
        // A duplicate key would be hidden by decoding into a map.
        assert_eq!(text.matches("\"_meta\"").count(), 1, "{text}");
    }

    fn result(result: Value) -> Outgoing {
        let [id, result] = [json!("one"), result].map(|it| to_raw_value(&it).unwrap());
        Outgoing::of_result(&id, &result)
    }

    #[test]
    fn the_number_stands_where_the_schemas_leave_room_for_it() {
        let seq = json!({"bifold/seq": 7});
        let told = json!({"bifold/seq": 7, "bifold/request": "one"});
        numbered_is(
            &Outgoing::of_method("m", None, &json!({})),
            json!({"jsonrpc": "2.0", "method": "m", "params": {"_meta": told}}),
        );
        numbered_is(
            &Outgoing::of_method("m", None, &json!({"a": 1})),
            json!({"jsonrpc": "2.0", "method": "m", "params": {"a": 1, "_meta": told}}),
        );
        numbered_is(
            &Outgoing::of_method("m", Some("q"), &json!({"a": 1, "_meta": {"b": 2}})),
            json!({"jsonrpc": "2.0", "method": "m", "id": "q", "params": {"a": 1, "_meta":
                {"b": 2, "bifold/seq": 7, "bifold/request": "one"}}}),
        );
        for empty in [json!({}), json!({"_meta": {}})] {
            numbered_is(
                &result(empty),
                json!({"jsonrpc": "2.0", "id": "one", "result": {"_meta": seq}}),
            );
        }
        numbered_is(
            &result(json!({"_meta": {"b": 2}, "a": {"c": {}}})),
            json!({"jsonrpc": "2.0", "id": "one", "result":
                {"a": {"c": {}}, "_meta": {"b": 2, "bifold/seq": 7}}}),
        );
        let error = json!({"code": 1, "message": "m"});
        numbered_is(
            &Outgoing::of_error(None, &error, None::<&Value>),
            json!({"jsonrpc": "2.0", "error": {"code": 1, "message": "m", "data": {"_meta": seq}}}),
        );
        numbered_is(
            &Outgoing::of_error(None, &error, Some(&json!({"kind": "k"}))),
            json!({"jsonrpc": "2.0", "error":
                {"code": 1, "message": "m", "data": {"kind": "k", "_meta": seq}}}),
        );
    }

    #[test]
    fn what_a_function_said_stays_as_it_was_written() {
        let said = r#"{"structuredContent":{"b":1.0,"a":12345678901234567890123}}"#;
        let said = RawValue::from_string(said.to_owned()).unwrap();
        let text = numbered(&Outgoing::of_result(RawValue::NULL, &said), 1, None);
        assert!(
            text.contains(r#""structuredContent":{"b":1.0,"a":12345678901234567890123}"#),
            "{text}"
        );
    }
}
