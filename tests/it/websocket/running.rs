//! Calls that run: several at a time, cancelled, left, and brought to an end.

use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use super::{Served, call, cancel, legacy, modern, seq};

#[tokio::test]
async fn several_run_at_once_and_each_keeps_its_own_order() {
    let served = Served::start().await;
    let mut client = served.connect().await;
    for id in ["a", "b"] {
        let report = client.ask(call(id, "wait", json!({"name": id}))).await;
        assert_eq!(
            (seq(&report), &report["params"]["progressToken"]),
            (1, &json!(id))
        );
    }
    assert_eq!(served.gate.running(), 2);
    client.is_quiet().await;
    for id in ["b", "a"] {
        served.gate.open(id);
        let (report, end) = (client.next().await, client.next().await);
        assert_eq!(
            (seq(&report), &report["params"]["progressToken"]),
            (2, &json!(id))
        );
        assert_eq!((seq(&end), &end["id"]), (3, &json!(id)));
    }
    client.is_quiet().await;
}

#[tokio::test]
async fn a_cancelled_request_ends_without_a_response() {
    let served = Served::start().await;
    let mut client = served.connect().await;
    let params = json!({"name": "wait", "arguments": {"name": "b"}, "_meta": {"progressToken": 1}});
    for (message, cancellation) in [
        (
            call("é", "wait", json!({"name": "a"})),
            r#""\u00e9""#.to_owned(),
        ),
        (modern(7, "tools/call", params), "7".to_owned()),
    ] {
        client.ask(message.clone()).await;
        assert_eq!(served.gate.running(), 1);
        // The id of another is none of this one, nor is it the same of another type.
        client.send(cancel("7")).await;
        client.is_quiet().await;
        assert_eq!(served.gate.running(), 1);
        let text = cancel(0).to_string().replace(
            r#""requestId":0"#,
            &format!(r#""requestId":{cancellation}"#),
        );
        client.say(Message::text(text)).await;
        client.is_quiet().await;
        assert_eq!(served.gate.running(), 0);
    }
}

#[tokio::test]
async fn the_id_of_a_cancelled_request_may_be_used_again() {
    let served = Served::start().await;
    let mut client = served.connect().await;
    for _ in 0..20 {
        client.ask(call(1, "wait", json!({"name": "a"}))).await;
        client.send(cancel(1)).await;
    }
    client.is_quiet().await;
    served.gate.open("a");
    client.send(call(1, "wait", json!({"name": "a"}))).await;
    for expected in 1..=3 {
        assert_eq!(seq(&client.next().await), expected);
    }
    client.is_quiet().await;
}

#[tokio::test]
async fn who_closes_or_hangs_up_takes_the_calls_along() {
    let served = Served::start().await;
    for is_orderly in [true, false] {
        let mut client = served.connect().await;
        client.ask(call(1, "wait", json!({"name": "a"}))).await;
        client.ask(call(2, "wait", json!({"name": "a"}))).await;
        assert_eq!(served.gate.running(), 2);
        if is_orderly {
            client.0.close(None).await.unwrap();
            // The server says that it has understood.
            let understood = client.0.next().await.unwrap().unwrap();
            assert!(matches!(understood, Message::Close(None)), "{understood:?}");
        }
        drop(client);
        served.gate.runs(0).await;
    }
}

#[tokio::test]
async fn an_id_that_is_still_in_use_is_refused_without_ending_its_request() {
    let served = Served::start().await;
    let mut client = served.connect().await;
    client.ask(call(1, "wait", json!({"name": "a"}))).await;
    let refused = client.ask(legacy(1, "ping", json!({}))).await;
    assert_eq!(
        (&refused["error"]["code"], refused.get("id")),
        (&json!(-32600), None)
    );
    assert_eq!(served.gate.running(), 1);
    served.gate.open("a");
    assert_eq!(seq(&client.next().await), 2);
    assert_eq!(client.next().await["id"], 1);
    // Afterwards it is free.
    let pong = client.ask(legacy(1, "ping", json!({}))).await;
    assert_eq!(pong["id"], 1);
}

#[tokio::test]
async fn more_than_sixteen_at_once_are_refused() {
    let served = Served::start().await;
    let mut client = served.connect().await;
    for id in 0..16 {
        client.ask(call(id, "wait", json!({"name": "a"}))).await;
    }
    let refused = client.ask(call(16, "wait", json!({"name": "a"}))).await;
    assert_eq!((&refused["id"], seq(&refused)), (&json!(16), 1));
    assert_eq!(refused["error"]["data"]["kind"], "busy");
    assert_eq!(refused["error"]["data"]["retryable"], true);
    assert_eq!(served.gate.running(), 16);
    // Another client has its own sixteen.
    let mut other = served.connect().await;
    other.ask(call(1, "wait", json!({"name": "a"}))).await;
    client.send(cancel(3)).await;
    let report = client.ask(call(16, "wait", json!({"name": "a"}))).await;
    assert_eq!(report["params"]["progressToken"], 16);
}

#[tokio::test]
async fn a_server_that_stops_ends_what_runs_and_takes_no_more() {
    let mut served = Served::start().await;
    let mut idle = served.connect().await;
    let mut client = served.connect().await;
    client.ask(call(1, "wait", json!({"name": "a"}))).await;
    served.stop();
    assert_eq!(idle.closed().await, 1001);
    let refused = client.ask(legacy(2, "tools/list", json!({}))).await;
    assert_eq!(refused["error"]["data"]["kind"], "busy");
    served.gate.open("a");
    assert_eq!(seq(&client.next().await), 2);
    assert_eq!(client.next().await["id"], 1);
    assert_eq!(client.closed().await, 1001);
    served.serving.await.unwrap();
}

#[tokio::test]
async fn ids_that_differ_only_beyond_64_bits_are_two() {
    let served = Served::start().await;
    let mut client = served.connect().await;
    let ids = ["18446744073709551617", "18446744073709551618"];
    for id in ids {
        let text = call(0, "wait", json!({"name": id})).to_string();
        let text = text.replace(r#""id":0"#, &format!(r#""id":{id}"#));
        client.say(Message::text(text)).await;
        assert_eq!(client.next().await["method"], "notifications/progress");
    }
    assert_eq!(served.gate.running(), 2);
    let text = cancel(0).to_string();
    let text = text.replace(r#":0"#, &format!(":{}", ids[0]));
    client.say(Message::text(text)).await;
    client.is_quiet().await;
    assert_eq!(served.gate.running(), 1);
}

#[tokio::test]
async fn a_request_is_cancelled_by_any_way_to_write_its_id() {
    let served = Served::start().await;
    let mut client = served.connect().await;
    let with_id =
        |message: Value, id: &str| Message::text(message.to_string().replace("\"#\"", id));
    for (id, other) in [("2", "2.0"), ("2.0", "2"), ("1e1", "10")] {
        let running = call("#", "wait", json!({"name": "a"}));
        client.say(with_id(running.clone(), id)).await;
        client.next().await;
        assert_eq!(served.gate.running(), 1);
        client.say(with_id(running, other)).await;
        let twice = client.next().await;
        assert_eq!(twice["error"]["code"], -32600, "{twice}");
        client.say(with_id(cancel("#"), other)).await;
        client.is_quiet().await;
        assert_eq!(served.gate.running(), 0);
    }
}
