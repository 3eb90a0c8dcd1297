//! What the log says of clients behind API Gateway: one line for each event, which tells what came of it.

use std::time::Duration;

use bifold::{RequestInfo, TimeLeft, lambda};
use serde_json::{Value, json};

use super::gateway::{self, Function, message};
use super::{legacy, pass};
use crate::lambda::changed;
use crate::store::table::{Fate, Table};
use crate::support::Log;

/// The fields of the lines, one array for each.
fn said<const FIELDS: usize>(log: &Log, fields: [&str; FIELDS]) -> Vec<[Value; FIELDS]> {
    let lines = log.requests().into_iter();
    lines
        .map(|line| fields.map(|field| line[field].clone()))
        .collect()
}

#[tokio::test]
async fn what_is_refused_is_an_error() {
    let function = Function::start().await;
    let connect = |name: &str, value: &str| {
        let name = format!("/headers/{name}");
        changed("websocket_connect", &[(&name, json!(value))])
    };
    let binary = [
        ("/body", json!("AAECAw==")),
        ("/isBase64Encoded", json!(true)),
    ];
    for (event, method, status, error) in [
        (connect("X-Note", "a"), "$connect", 200, Value::Null),
        (
            connect("Origin", "https://evil.example"),
            "$connect",
            403,
            json!("forbidden_origin"),
        ),
        (
            connect("X-Note", "a\r\nb"),
            "$connect",
            400,
            json!("bad_request"),
        ),
        (
            changed("websocket_message", &binary),
            "binary",
            400,
            json!("invalid_request"),
        ),
    ] {
        let log = Log::default();
        let guard = log.keep();
        function.invoke(&event.to_string()).await;
        drop(guard);
        let outcome = if error.is_null() { "ok" } else { "error" };
        let expected = [json!(method), json!(status), json!(outcome), error];
        let fields = ["method", "status", "outcome", "error"];
        assert_eq!(said(&log, fields), [expected]);
    }
}

#[tokio::test]
async fn a_call_has_its_method_however_it_ends() {
    let function = Function::start().await;
    function.gate.open("one");
    let token = json!({"progressToken": 1});
    for (params, error) in [
        (
            json!({"name": "wait", "arguments": {"name": "one"}}),
            Value::Null,
        ),
        (
            json!({"name": "wait", "arguments": {"name": "one"}, "_meta": token}),
            Value::Null,
        ),
        (
            json!({"name": "wait", "arguments": {}}),
            json!("invalid_argument"),
        ),
        (json!({"name": "broken"}), json!("internal")),
        (json!({"name": "broken", "_meta": token}), json!("internal")),
        (
            json!({"name": "large", "arguments": {"answer": 200_000}, "_meta": token}),
            json!("answer_too_large"),
        ),
        (json!({"name": "nothing"}), json!("invalid_params")),
    ] {
        let event = function.handed_on(&legacy(1, "tools/call", params)).await;
        let log = Log::default();
        let guard = log.keep();
        function.invoke(&event).await;
        drop(guard);
        let expected = [json!("tools/call"), error];
        assert_eq!(said(&log, ["method", "error"]), [expected]);
    }
}

#[tokio::test]
async fn a_call_that_does_not_end_in_time_has_its_method_too() {
    for meta in [json!({}), json!({"progressToken": 1})] {
        // The time of the call is longer than that of its invocation, which has the last word.
        let function = Function::with(|config| {
            config.call_timeout *= 10;
            config.function = None;
        })
        .await;
        let params = json!({"name": "wait", "arguments": {"name": "one"}, "_meta": meta});
        let event = message(&legacy(1, "tools/call", params).to_string());
        let log = Log::default();
        let guard = log.keep();
        let passing = async {
            function.gate.runs(1).await;
            pass(Duration::from_secs(25)).await;
        };
        let request_info = {
            let mut info = RequestInfo::default();
            info.time_left = Some(TimeLeft::of(Duration::from_secs(60)));
            info
        };
        tokio::join!(function.invoke_for(&event, request_info), passing);
        drop(guard);
        let fields = ["method", "function", "error"];
        let line = said(&log, fields).remove(0);
        assert_eq!(
            (&line[0], &line[2]),
            (&json!("tools/call"), &json!("deadline_exceeded"))
        );
    }
}

#[tokio::test]
async fn a_call_of_which_nobody_knows_whether_it_has_run_is_refused() {
    let table = Table::start().await;
    let function = Function::sharing(&table).await;
    let event = function
        .handed_on(&legacy(1, "tools/call", json!({"name": "wait"})))
        .await;
    table.fate(&[Fate::Refused(400, "AccessDeniedException")]);
    let log = Log::default();
    let guard = log.keep();
    function.invoke(&event).await;
    drop(guard);
    let told = function.gateway.messages();
    assert_eq!(told[0]["error"]["data"]["kind"], "internal");
    let expected = [json!("tools/call"), json!("internal"), json!(502)];
    assert_eq!(said(&log, ["method", "error", "status"]), [expected]);
}

#[tokio::test]
async fn a_call_that_is_handed_on_stays_in_its_trace() {
    const ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    let function = Function::start().await;
    function.gate.open("one");
    let named = json!({"traceparent": format!("00-{ID}-00f067aa0ba902b7-01"), "tracestate": "a=1"});
    for (meta, expected) in [(json!({}), None), (named, Some(ID))] {
        let log = Log::default();
        let guard = log.keep();
        let params = json!({"name": "wait", "arguments": {"name": "one"}, "_meta": meta});
        let event = function.handed_on(&legacy(1, "tools/call", params)).await;
        function.invoke(&event).await;
        let mut forged: Value = serde_json::from_str(&event).unwrap();
        let call = &mut forged["bifold"]["frame"];
        assert_eq!(call["tracestate"].as_str(), expected.map(|_| "a=1"));
        // Nobody has a place in such a trace; the call is run all the same, and here in the one that it names itself.
        call["traceparent"] = json!("00-0-0-\n");
        call["job"] = json!(format!("another {expected:?}"));
        function.invoke(&forged.to_string()).await;
        drop(guard);
        let lines = said(&log, ["method", "trace_id"]);
        let methods = ["continuation", "tools/call", "tools/call"];
        assert_eq!(lines.len(), methods.len());
        for (line, method) in lines.iter().zip(methods) {
            assert_eq!(line[0], method);
        }
        assert_eq!(lines[0][1], lines[1][1]);
        assert_eq!(lines[0][1] == lines[2][1], expected.is_some());
        if let Some(id) = expected {
            assert_eq!(lines[0][1], id);
        }
    }
}

#[tokio::test]
async fn a_second_delivery_of_a_call_has_a_line_of_its_own() {
    let function = Function::start().await;
    function.gate.open("one");
    let params = json!({"name": "wait", "arguments": {"name": "one"}});
    let event = function.handed_on(&legacy(1, "tools/call", params)).await;
    let log = Log::default();
    let guard = log.keep();
    for _ in 0..2 {
        function.invoke(&event).await;
    }
    drop(guard);
    let expected = [Value::Null, json!("repeated")].map(|it| [json!("tools/call"), it]);
    assert_eq!(said(&log, ["method", "error"]), expected);
}

#[tokio::test]
async fn a_call_of_which_nobody_knows_whether_it_was_handed_on_is_refused_by_nobody() {
    let table = Table::start().await;
    let function = Function::sharing(&table).await;
    let frame = message(&legacy(1, "tools/call", json!({"name": "wait"})).to_string());
    function.gateway.fate([Some(gateway::Fate::Refused(403))]);
    table.fate(&[Fate::Refused(400, "AccessDeniedException")]);
    let log = Log::default();
    let guard = log.keep();
    let failure = lambda::answer(&function.app.app, &frame, RequestInfo::default()).await;
    drop(guard);
    let failure = failure.err().unwrap().to_string();
    let unknown = "it is unknown whether the call was handed on";
    assert!(failure.ends_with(unknown), "{failure}");
    assert_eq!(function.gateway.messages(), [Value::Null; 0]);
    let expected = [json!("continuation"), json!("internal"), json!(502)];
    assert_eq!(said(&log, ["method", "error", "status"]), [expected]);
}
