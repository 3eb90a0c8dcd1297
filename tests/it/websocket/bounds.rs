//! Frames that are not a message, or too large for one.

use serde_json::json;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use super::{Served, call, legacy, seq};

#[tokio::test]
async fn a_frame_that_is_no_message_is_refused_and_the_connection_goes_on() {
    let served = Served::with(|config| config.max_request_bytes = 200).await;
    let mut client = served.connect().await;
    let ping = legacy(1, "ping", json!({}));
    for (frame, code, id) in [
        (Message::text(""), -32700, None),
        (Message::text("{"), -32700, None),
        (Message::text("5"), -32600, None),
        (Message::text("[]"), -32600, None),
        (Message::text(json!([ping]).to_string()), -32600, None),
        (
            Message::text(r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#),
            -32600,
            Some(json!(1)),
        ),
        (
            Message::text(r#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#),
            -32600,
            None,
        ),
        (Message::binary(ping.to_string()), -32600, None),
        (Message::text(" ".repeat(201)), -32600, None),
        (Message::text(" ".repeat(800)), -32600, None),
    ] {
        client.say(frame.clone()).await;
        let refused = client.next().await;
        assert_eq!(refused["error"]["code"], code, "{frame} {refused}");
        assert_eq!(refused.get("id"), id.as_ref(), "{frame} {refused}");
        assert_eq!(seq(&refused), 1);
        client.is_quiet().await;
    }
    let text = ping.to_string();
    let whole = format!("{text}{}", " ".repeat(200 - text.len()));
    client.say(Message::text(whole)).await;
    assert_eq!(client.next().await["id"], 1);
}

#[tokio::test]
async fn what_a_message_names_is_repeated_in_excerpts() {
    let served = Served::start().await;
    let mut client = served.connect().await;
    let long = "x".repeat(100_000);
    for (method, params) in [
        (&*long, json!({})),
        ("tools/call", json!({"name": long})),
        (
            "tools/call",
            json!({"name": "wait", "arguments": {long.clone(): 1}}),
        ),
        (
            "tools/call",
            json!({"name": "wait", "arguments": {"name": {long.clone(): 1}}}),
        ),
        ("tools/list", json!({"cursor": long})),
    ] {
        let refused = client.ask(legacy(1, method, params)).await.to_string();
        assert!(refused.len() < 1024, "{} bytes", refused.len());
        assert!(!refused.contains(&long[..201]), "{refused}");
    }
}

#[tokio::test]
async fn what_is_far_too_large_or_no_text_closes_the_connection() {
    let served = Served::with(|config| config.max_request_bytes = 200).await;
    let not_utf8 = Frame::message(vec![0xff], OpCode::Data(Data::Text), true);
    for (frame, code) in [
        (Message::text(" ".repeat(801)), 1009),
        (Message::Frame(not_utf8), 1007),
    ] {
        let mut client = served.connect().await;
        client.ask(call(1, "wait", json!({"name": "a"}))).await;
        client.say(frame).await;
        assert_eq!(client.closed().await, code);
        served.gate.runs(0).await;
    }
}

#[tokio::test]
async fn an_answer_of_any_size_fits_on_this_machine() {
    let served = Served::start().await;
    let mut client = served.connect().await;
    let arguments = json!({"answer": 3 << 20, "log": 1 << 20});
    let log = client.ask(call(1, "large", arguments)).await;
    assert_eq!(log["params"]["data"].as_str().unwrap().len(), 1 << 20);
    assert_eq!(seq(&client.next().await), 2);
    let end = client.next().await;
    let text = end["result"]["content"][0]["text"].as_str().unwrap();
    assert_eq!((seq(&end), text.len()), (3, 3 << 20));
}
