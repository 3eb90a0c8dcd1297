//! What becomes of messages on their way to a client behind API Gateway, and of invocations on theirs.

use std::time::Duration;

use bifold::{App, Config, RequestInfo, Secret, Server, TimeLeft, lambda};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::gateway::{Fate, Function, message};
use super::{call, legacy, pass, seq};
use crate::support::Log;

/// The services of AWS that refused something, each with its status; nothing but a name is told of the reason.
fn refusals(log: &Log) -> Vec<(String, u64)> {
    let lines = log.lines("a request to AWS failed").into_iter();
    let told = lines.map(|line| {
        let said = line.to_string();
        assert!(!said.contains("alice"), "{said}");
        assert_eq!(
            (&line["level"], &line["code"]),
            (&json!("WARN"), &json!("SomeException"))
        );
        let service = line["service"].as_str().unwrap().to_owned();
        (service, line["status"].as_u64().unwrap())
    });
    told.collect()
}

fn numbers(told: &[Value]) -> Vec<u64> {
    told.iter().map(seq).collect()
}

#[tokio::test]
async fn what_is_throttled_is_posted_again_in_order() {
    let function = Function::start().await;
    function.gate.open("one");
    let event = function
        .handed_on(&call(1, "wait", json!({"name": "one"})))
        .await;
    let throttled = Some(Fate::Refused(429));
    function.gateway.fate([
        throttled,
        throttled,
        None,
        throttled,
        None,
        Some(Fate::Refused(503)),
    ]);
    function.invoke(&event).await;
    let told = function.gateway.messages();
    assert_eq!(numbers(&told), [1, 2, 3]);
    assert_eq!(told[2]["id"], 1);
    assert_eq!(function.gateway.requests(), 1 + 3 + 4);
}

#[tokio::test]
async fn a_message_whose_answer_is_lost_may_come_twice_under_the_same_number() {
    let function = Function::start().await;
    function.gate.open("one");
    let event = function
        .handed_on(&call(1, "wait", json!({"name": "one"})))
        .await;
    function.gateway.fate([None, Some(Fate::Broken)]);
    function.invoke(&event).await;
    assert_eq!(numbers(&function.gateway.messages()), [1, 2, 2, 3]);
}

#[tokio::test]
async fn a_client_that_is_gone_ends_the_call_at_its_next_message() {
    let function = Function::start().await;
    for delivered in 0..2 {
        let event = function
            .handed_on(&call(1, "wait", json!({"name": "one"})))
            .await;
        let before = function.gateway.requests();
        function.gateway.fate(vec![None; delivered]);
        function.gateway.fate([Some(Fate::Refused(410))]);
        let opened = async {
            if delivered == 1 {
                function.gateway.told(1).await;
                function.gate.open("one");
            }
        };
        tokio::join!(function.invoke(&event), opened);
        assert_eq!(function.gate.running(), 0);
        assert_eq!(function.gateway.take_messages().len(), delivered);
        assert_eq!(
            function.gateway.requests(),
            before + delivered + 1,
            "nothing is posted after"
        );
    }
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_refused_in_its_place() {
    let function = Function::start().await;
    let small = function.ask(&call(1, "large", json!({"answer": 10}))).await;
    let around = small[1].to_string().len() - 10;
    let fits = 131_072 - around;
    for (answer, log, kind) in [
        (fits, 0, None),
        (fits + 1, 0, Some("answer_too_large")),
        (1 << 20, 0, Some("answer_too_large")),
        // A log entry that is too large is left out, and no number is missing.
        (10, 200_000, None),
    ] {
        let arguments = json!({"answer": answer, "log": log});
        let told = function.ask(&call(1, "large", arguments)).await;
        assert_eq!(numbers(&told), [1, 2]);
        assert_eq!(told[0]["method"], "notifications/progress");
        let detail = &told[1]["error"]["data"];
        assert_eq!(detail["kind"].as_str(), kind, "{answer}");
        if kind.is_some() {
            assert_eq!(
                (&told[1]["id"], &detail["retryable"]),
                (&json!(1), &json!(false))
            );
            let said = told[1]["error"]["message"].as_str().unwrap();
            assert!(said.contains("131072"), "{said}");
        }
    }
}

#[tokio::test]
async fn an_answer_that_api_gateway_finds_too_large_is_refused_in_its_place() {
    let function = Function::start().await;
    let event = function
        .handed_on(&call(1, "large", json!({"answer": 10})))
        .await;
    function.gateway.fate([None, Some(Fate::Refused(413))]);
    function.invoke(&event).await;
    let told = function.gateway.messages();
    assert_eq!(numbers(&told), [1, 2]);
    assert_eq!(told[1]["error"]["data"]["kind"], "answer_too_large");
    // It says nothing of a limit that was kept.
    let said = told[1]["error"]["message"].as_str().unwrap();
    let (who, what) = said.split_once(" of ").unwrap();
    assert_eq!(who, "API Gateway refuses a message");
    let bytes = what.strip_suffix(" bytes; ask for less at a time, or over HTTP");
    let bytes: usize = bytes.unwrap().parse().unwrap();
    assert!((10..1_000).contains(&bytes), "{said}");
}

#[tokio::test]
async fn a_notification_that_cannot_be_posted_is_left_out_and_the_call_goes_on() {
    let function = Function::start().await;
    function.gate.open("one");
    // What API Gateway finds too large has not arrived, so its number is free; all else may have.
    for (status, expected) in [(413, [1, 2]), (403, [2, 3])] {
        let event = function
            .handed_on(&call(1, "wait", json!({"name": "one"})))
            .await;
        function.gateway.fate([Some(Fate::Refused(status))]);
        function.invoke(&event).await;
        let told = function.gateway.take_messages();
        assert_eq!(numbers(&told), expected, "{status}");
        let text = &told[1]["result"]["content"][0]["text"];
        assert_eq!(text, "one is through.");
    }
}

#[tokio::test]
async fn notifications_that_nobody_takes_do_not_spend_the_time_of_the_call() {
    let function = Function::start().await;
    let event = function
        .handed_on(&call(1, "wait", json!({"name": "one"})))
        .await;
    let since = Instant::now();
    function.gateway.fate([Some(Fate::Hung), Some(Fate::Hung)]);
    let passing = async {
        function.gateway.asked(2).await;
        pass(Duration::from_secs(5)).await;
        function.gate.open("one");
        function.gateway.asked(3).await;
        pass(Duration::from_millis(500)).await;
    };
    tokio::join!(function.invoke(&event), passing);
    assert_eq!(numbers(&function.gateway.messages()), [3]);
    assert!(since.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn a_question_that_cannot_be_posted_ends_the_call_and_its_client_is_told() {
    let function = Function::start().await;
    for (status, number, kind) in [(403, 2, "internal"), (413, 1, "answer_too_large")] {
        let event = function
            .handed_on(&legacy(1, "tools/call", json!({"name": "ask"})))
            .await;
        function.gateway.fate([Some(Fate::Refused(status))]);
        function.invoke(&event).await;
        let told = function.gateway.take_messages();
        assert_eq!((numbers(&told), &told[0]["id"]), (vec![number], &json!(1)));
        assert_eq!(told[0]["error"]["data"]["kind"], kind);
    }
}

#[tokio::test]
async fn a_response_is_tried_until_the_last_moment() {
    let function = Function::start().await;
    function.gate.open("one");
    let params = json!({"name": "wait", "arguments": {"name": "one"}});
    let event = function.handed_on(&legacy(1, "tools/call", params)).await;
    let tries = 8;
    function.gateway.fate(vec![Some(Fate::Hung); tries]);
    let request_info = {
        let mut info = RequestInfo::default();
        info.time_left = Some(TimeLeft::of(Duration::from_secs(120)));
        info
    };
    let since = Instant::now();
    let passing = async {
        for request in 0..tries {
            function.gateway.asked(2 + request).await;
            pass(Duration::from_secs(5)).await;
            function.gateway.given_up(1 + request).await;
            // The wait before the next try.
            pass(Duration::from_secs(2)).await;
        }
    };
    tokio::join!(function.invoke_for(&event, request_info), passing);
    assert_eq!(numbers(&function.gateway.messages()), [1]);
    assert!(since.elapsed() > Duration::from_secs(40));
}

#[tokio::test]
async fn a_response_that_may_not_be_posted_fails_the_invocation_and_the_log_says_why() {
    let function = Function::start().await;
    function.gate.open("one");
    let event = function
        .handed_on(&call(1, "wait", json!({"name": "one"})))
        .await;
    let log = Log::default();
    let guard = log.keep();
    function
        .gateway
        .fate([None, None, Some(Fate::Refused(403)), Some(Fate::Hung)]);
    let failure = lambda::answer(&function.app.app, &event, RequestInfo::default()).await;
    drop(guard);
    let failure = failure.err().unwrap();
    assert_eq!(failure.kind(), "NotResumed");
    assert!(failure.to_string().contains("role"), "{failure}");
    assert_eq!(numbers(&function.gateway.messages()), [1, 2]);
    assert_eq!(function.gate.running(), 0);
    let line = log.requests().remove(0);
    let said = ["level", "function", "error", "status"].map(|field| line[field].clone());
    let expected = [
        json!("WARN"),
        json!("wait"),
        json!("undelivered"),
        json!(502),
    ];
    assert_eq!(said, expected);
    assert_eq!(refusals(&log), [("execute-api".into(), 403)]);
}

#[tokio::test]
async fn what_is_signed_with_another_secret_is_posted_to_nobody() {
    let function = Function::with(|config| {
        config.aws.secret_access_key = Some(Secret::new("another"));
    })
    .await;
    let ping = message(&legacy(1, "ping", json!({})).to_string());
    let failure = lambda::answer(&function.app.app, &ping, RequestInfo::default()).await;
    assert_eq!(failure.err().unwrap().kind(), "Undelivered");
    assert_eq!(function.gateway.messages(), [Value::Null; 0]);
}

#[test]
fn an_endpoint_without_credentials_stops_the_start() {
    let mut config = Config::default();
    config.ws_endpoint = Some("https://ws.example.com/ws".to_owned());
    let refused = App::new(config, Server::new("it", "1")).err().unwrap();
    let said = refused.to_string();
    assert!(
        said.contains("BIFOLD_WS_ENDPOINT") && said.contains("AWS_REGION"),
        "{said}"
    );
}

#[tokio::test]
async fn a_call_that_cannot_be_handed_on_is_refused() {
    let function = Function::start().await;
    let log = Log::default();
    let guard = log.keep();
    function.gateway.fate([Some(Fate::Refused(403))]);
    function
        .frame(&call(1, "wait", json!({"name": "one"})))
        .await;
    drop(guard);
    let told = function.gateway.messages();
    assert_eq!(
        (told.len(), seq(&told[0]), &told[0]["id"]),
        (1, 1, &json!(1))
    );
    assert_eq!(told[0]["error"]["code"], -32603);
    let said = told[0]["error"]["message"].as_str().unwrap();
    assert!(said.ends_with("the call was not begun"), "{said}");
    assert!(function.gateway.take_events().is_empty());
    assert_eq!(refusals(&log), [("lambda".into(), 403)]);
}

#[tokio::test]
async fn an_invocation_whose_answer_is_lost_may_be_taken_twice_and_runs_once() {
    let function = Function::start().await;
    function.gate.open("one");
    function
        .gateway
        .fate([Some(Fate::Refused(429)), Some(Fate::Broken)]);
    let frame = call(1, "wait", json!({"name": "one"})).to_string();
    function.invoke(&message(&frame)).await;
    let events = function.gateway.take_events();
    assert_eq!(events.len(), 2);
    for event in events {
        function.invoke(&event).await;
    }
    assert_eq!(numbers(&function.gateway.messages()), [1, 2, 3]);
}
