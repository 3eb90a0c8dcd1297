//! Clients behind API Gateway: connections that begin and end, frames, and calls that are handed on.

use std::time::Duration;

use bifold::{RequestInfo, TimeLeft, lambda};
use serde_json::{Value, json};

use super::gateway::{Function, disconnect, message};
use super::{call, cancel, legacy, modern, pass, plain, seq};
use crate::lambda::{changed, event};
use crate::store::table::{Fate, Table};
use crate::support::Log;

#[tokio::test]
async fn a_connection_is_taken_from_who_may_and_nothing_is_posted_to_it() {
    let function = Function::with(|config| {
        config.allowed_origins = vec!["https://admitted.example".to_owned()];
    })
    .await;
    let connect = |name: &str, value: &str| {
        let name = format!("/headers/{name}");
        changed("websocket_connect", &[(&name, json!(value))]).to_string()
    };
    let answer = |status: u16| json!({"statusCode": status, "headers": {"X-Content-Type-Options": "nosniff"}});
    let (ok, invalid, forbidden) = (answer(200), answer(400), answer(403));
    let mut mcp = answer(200);
    mcp["headers"]["Sec-WebSocket-Protocol"] = json!("mcp");
    for (event, expected) in [
        (event("websocket_connect").to_string(), &ok),
        (connect("Origin", "https://admitted.example"), &ok),
        (
            connect(
                "Origin",
                "https://abcdef123.execute-api.eu-west-1.amazonaws.com",
            ),
            &ok,
        ),
        (connect("Origin", "https://evil.example"), &forbidden),
        (connect("origin", "null"), &forbidden),
        (connect("X-Note", "a\r\nb"), &invalid),
        (connect("Sec-WebSocket-Protocol", "graphql-ws, mcp"), &mcp),
        (connect("sec-websocket-protocol", "mcp2"), &ok),
    ] {
        assert_eq!(function.invoke(&event).await, *expected, "{event}");
    }
    assert_eq!(function.gateway.requests(), 0);
}

#[tokio::test]
async fn what_runs_no_function_is_answered_at_once_as_over_http() {
    let function = Function::start().await;
    for (method, params) in [
        ("initialize", json!({"protocolVersion": "2025-06-18"})),
        ("ping", json!({})),
        ("tools/list", json!({})),
        ("no/such", json!({})),
    ] {
        let frame = legacy(1, method, params);
        function.frame(&frame).await;
        let told = function.gateway.take_messages();
        assert_eq!((told.len(), seq(&told[0])), (1, 1));
        let expected = function.app.post("/mcp", frame.to_string()).await.json();
        assert_eq!(plain(told[0].clone()), expected);
    }
    function
        .frame(&modern("a", "server/discover", json!({})))
        .await;
    assert_eq!(
        function.gateway.messages()[0]["result"]["resultType"],
        "complete"
    );
    let none = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    function.frame(&none).await;
    assert_eq!(function.gateway.requests(), 5);
}

#[tokio::test]
async fn a_frame_that_is_no_message_is_refused() {
    let function = Function::start().await;
    for (text, code) in [
        ("{", -32700),
        ("[]", -32600),
        (r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#, -32600),
    ] {
        function.text(text).await;
        let told = function.gateway.take_messages();
        assert_eq!((told.len(), &told[0]["error"]["code"]), (1, &json!(code)));
    }
    let binary = [
        ("/body", json!("AAECAw==")),
        ("/isBase64Encoded", json!(true)),
    ];
    let binary = changed("websocket_message", &binary);
    function.invoke(&binary.to_string()).await;
    assert_eq!(function.gateway.messages()[0]["error"]["code"], -32600);
}

#[tokio::test]
async fn a_call_is_handed_on_and_answered_by_the_invocation_that_runs_it() {
    let function = Function::start().await;
    function.gate.open("one");
    let old = call("a", "wait", json!({"name": "one"}));
    let params =
        json!({"name": "wait", "arguments": {"name": "one"}, "_meta": {"progressToken": "a"}});
    for frame in [old, modern("a", "tools/call", params)] {
        let event = function.handed_on(&frame).await;
        assert_eq!(
            function.gateway.messages(),
            [Value::Null; 0],
            "nothing runs yet"
        );
        let parsed: Value = serde_json::from_str(&event).unwrap();
        assert_eq!(parsed["bifold"]["frame"]["message"], frame);
        function.invoke(&event).await;
        let told = function.gateway.take_messages();
        let numbers: Vec<u64> = told.iter().map(seq).collect();
        assert_eq!(numbers, [1, 2, 3]);
        assert_eq!(told[0]["params"]["_meta"]["bifold/request"], "a");
        assert_eq!(told[1]["params"]["progress"], 2.0);
        assert_eq!(told[2]["id"], "a");
        assert_eq!(told[2]["result"]["content"][0]["text"], "one is through.");
    }
}

#[tokio::test]
async fn a_call_that_is_delivered_twice_runs_once() {
    let function = Function::start().await;
    function.gate.open("one");
    let frame = call(1, "wait", json!({"name": "one"}));
    let event = function.handed_on(&frame).await;
    for expected in [3, 0] {
        assert_eq!(function.invoke(&event).await, Value::Null);
        assert_eq!(function.gateway.take_messages().len(), expected);
    }
    // The same frame once more is another call.
    assert_eq!(function.ask(&frame).await.len(), 3);
}

#[tokio::test]
async fn without_a_name_to_invoke_a_call_is_run_where_it_came() {
    let function = Function::with(|config| config.function = None).await;
    function.gate.open("one");
    function
        .frame(&call(1, "wait", json!({"name": "one"})))
        .await;
    assert_eq!(function.gateway.messages().len(), 3);
    assert!(function.gateway.take_events().is_empty());
}

#[tokio::test]
async fn a_client_that_cancels_or_is_gone_ends_its_call() {
    for end in [message(&cancel("a").to_string()), disconnect()] {
        let function = Function::start().await;
        let event = function
            .handed_on(&call("a", "wait", json!({"name": "one"})))
            .await;
        let other = function
            .handed_on(&call("b", "wait", json!({"name": "one"})))
            .await;
        let is_cancelled = end != disconnect();
        let ended = async {
            function.gateway.told(2).await;
            assert_eq!(function.gate.running(), 2);
            function.invoke(&end).await;
            function.gate.runs(usize::from(is_cancelled)).await;
            function.invoke(&disconnect()).await;
        };
        tokio::join!(function.invoke(&event), function.invoke(&other), ended);
        assert_eq!(function.gate.running(), 0);
        assert_eq!(
            function.gateway.take_messages().len(),
            2,
            "the first reports, and no end"
        );
    }
}

#[tokio::test]
async fn a_call_that_is_cancelled_before_it_runs_says_nothing() {
    let function = Function::start().await;
    function.gate.open("one");
    let event = function
        .handed_on(&call(1, "wait", json!({"name": "one"})))
        .await;
    function.frame(&cancel(1)).await;
    function.invoke(&event).await;
    assert_eq!(function.gateway.requests(), 1, "the invocation alone");
}

#[tokio::test]
async fn a_call_that_nobody_wants_before_it_runs_is_not_begun() {
    for shares in [false, true] {
        for ends in [vec![cancel(1)], vec![], vec![cancel(2)]] {
            let table = Table::start().await;
            let function = match shares {
                true => Function::sharing(&table).await,
                false => Function::start().await,
            };
            function.gate.open("one");
            let event = function
                .handed_on(&call(1, "wait", json!({"name": "one"})))
                .await;
            if ends != [cancel(1)] {
                function.invoke(&disconnect()).await;
            }
            // What comes after the end does not undo it.
            for end in ends {
                function.frame(&end).await;
            }
            let log = Log::default();
            let guard = log.keep();
            function.invoke(&event).await;
            drop(guard);
            assert_eq!(function.gateway.requests(), 1, "the invocation alone");
            let lines = log.requests();
            let said = ["method", "error", "upstream_calls"].map(|it| lines[0][it].clone());
            assert_eq!(said, [json!("tools/call"), json!("cancelled"), json!(0)]);
            assert_eq!(lines.len(), 1);
        }
    }
}

#[tokio::test]
async fn a_call_is_begun_though_nobody_can_note_that_it_is_not_wanted() {
    let table = Table::start().await;
    let function = Function::sharing(&table).await;
    function.gate.open("one");
    let event = function
        .handed_on(&call(1, "wait", json!({"name": "one"})))
        .await;
    // The first write is the claim, the second the record of the connection.
    table.fate(&[Fate::Good, Fate::Refused(400, "AccessDeniedException")]);
    function.invoke(&event).await;
    assert_eq!(function.gateway.messages().len(), 3);
}

#[tokio::test]
async fn a_question_is_answered_by_a_frame_of_another_invocation() {
    let function = Function::start().await;
    let event = function
        .handed_on(&legacy(1, "tools/call", json!({"name": "ask"})))
        .await;
    let answers = async {
        let question = function.gateway.told(1).await.remove(0);
        assert_eq!(question["method"], "elicitation/create");
        assert_eq!(
            question["params"]["_meta"],
            json!({"bifold/seq": 1, "bifold/request": 1})
        );
        let accepted = json!({"action": "accept", "content": {"sure": true}});
        let answer = json!({"jsonrpc": "2.0", "id": question["id"], "result": accepted});
        function.frame(&answer).await;
    };
    tokio::join!(function.invoke(&event), answers);
    let told = function.gateway.messages();
    assert_eq!((told.len(), seq(&told[1])), (2, 2));
    assert_eq!(told[1]["result"]["content"][0]["text"], "Sure.");
}

#[tokio::test]
async fn a_call_that_runs_out_of_time_has_an_end() {
    let function = Function::with(|config| config.call_timeout *= 10).await;
    let params = json!({"name": "wait", "arguments": {"name": "one"}});
    let event = function.handed_on(&legacy(1, "tools/call", params)).await;
    let request_info = {
        let mut info = RequestInfo::default();
        info.time_left = Some(TimeLeft::of(Duration::from_secs(60)));
        info
    };
    let passing = async {
        function.gate.runs(1).await;
        pass(Duration::from_secs(44)).await;
        tokio::task::yield_now().await;
        assert_eq!(function.gate.running(), 1);
        pass(Duration::from_secs(2)).await;
    };
    tokio::join!(function.invoke_for(&event, request_info), passing);
    let told = function.gateway.messages();
    assert_eq!((told.len(), seq(&told[0])), (1, 1));
    let error = &told[0]["result"]["_meta"]["bifold/error"];
    assert_eq!(error["kind"], "deadline_exceeded");
    assert_eq!(function.gate.running(), 0);
}

/// The timeout answer to the call with id 1, the only frame that the client was told.
#[track_caller]
fn assert_late(told: &[Value]) {
    let text = "the time limit of this call was reached before a result was ready";
    let detail = json!({"kind": "deadline_exceeded", "retryable": true});
    let meta = json!({"bifold/error": detail, "bifold/seq": 1});
    let content = json!([{"type": "text", "text": text}]);
    let result = json!({"content": content, "isError": true, "_meta": meta});
    assert_eq!(told, [json!({"jsonrpc": "2.0", "id": 1, "result": result})]);
}

#[tokio::test]
async fn a_frame_that_comes_within_its_margin_is_answered_so_and_not_handed_on() {
    let function = Function::start().await;
    function.gate.open("one");
    let frame = call(1, "wait", json!({"name": "one"}));
    // API Gateway gives 29 s, a quarter of which is the margin.
    for (left, seen, is_late) in [
        (200, 0, true),
        (7_000, 900_000, true),
        (7_000, 0, false),
        (7_500, 900_000, false),
    ] {
        let request_info = arriving(left, seen);
        let answer = function
            .invoke_for(&message(&frame.to_string()), request_info)
            .await;
        assert_eq!(answer, json!({"statusCode": 200}));
        let told = function.gateway.take_messages();
        let events = function.gateway.take_events();
        assert_eq!(events.len(), usize::from(!is_late), "{left} of {seen}");
        match is_late {
            true => assert_late(&told),
            false => assert_eq!(told, [Value::Null; 0]),
        }
    }
}

#[tokio::test]
async fn a_call_whose_own_invocation_comes_late_is_answered_so_and_not_begun() {
    let function = Function::start().await;
    let frame = call(1, "wait", json!({"name": "one"}));
    for (left, seen) in [(200, 0), (6_000, 900_000), (20_000, 900_000)] {
        let event = function.handed_on(&frame).await;
        let answer = function.invoke_for(&event, arriving(left, seen)).await;
        assert_eq!(answer, Value::Null);
        assert_late(&function.gateway.take_messages());
    }
    assert_eq!(function.gate.begun(), 0);
}

/// An invocation with so many milliseconds left of a timeout of which so many were seen.
fn arriving(left: u64, seen: u64) -> RequestInfo {
    let time_left = TimeLeft::of(Duration::from_millis(left));
    let mut request_info = RequestInfo::default();
    request_info.time_left = Some(time_left.out_of(Duration::from_millis(seen)));
    request_info
}

#[tokio::test]
async fn nobody_else_can_make_such_events() {
    let function = Function::start().await;
    let frame = call(1, "wait", json!({"name": "one"}));
    let event = function.handed_on(&frame).await;
    // What clients send is wrapped, as a body or as a frame.
    let mut over_http = crate::lambda::event("function_url_mcp");
    over_http["body"] = json!(event);
    let answer = function.invoke(&over_http.to_string()).await;
    assert_eq!(answer["statusCode"], 400);
    function.text(&event).await;
    assert_eq!(function.gateway.take_messages()[0]["error"]["code"], -32600);
    assert_eq!(function.gate.running(), 0);
}

#[tokio::test]
async fn an_event_does_not_choose_who_gets_signed_requests() {
    let function = Function::with(|config| config.ws_endpoint = None).await;
    for domain in [
        "127.0.0.1",
        "evil.example",
        "abcdef123.execute-api.us-east-1.amazonaws.com",
    ] {
        let fields = [
            ("/requestContext/domainName", json!(domain)),
            ("/body", json!(legacy(1, "ping", json!({})).to_string())),
        ];
        let event = changed("websocket_message", &fields).to_string();
        let failure = lambda::answer(&function.app.app, &event, RequestInfo::default()).await;
        let failure = failure.err().unwrap();
        assert_eq!(failure.kind(), "Undelivered");
        assert!(
            failure.to_string().contains("BIFOLD_WS_ENDPOINT"),
            "{failure}"
        );
    }
}
