//! A request yields the thread between two of its calls.

use std::sync::atomic::Ordering;

use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use tokio::task::yield_now;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

use super::{Done, batch_of, calls_of, serving};
use crate::support::{TestApp, on_socket};

/// What other requests had done before each call, in one thread with a request that makes many calls.
async fn turns(app: &TestApp, done: &Done, way: &str) -> Vec<usize> {
    done.seen.lock().unwrap().clear();
    let others = done.others.clone();
    let other = tokio::spawn(async move {
        loop {
            others.fetch_add(1, Ordering::Relaxed);
            yield_now().await;
        }
    });
    let calls = calls_of("count", json!({}), 100).to_string();
    match way {
        "call_many" => drop(app.post("/api/batch", calls).await),
        "relay" => drop(app.get("/api/relay/100").await),
        _ => {
            let params = json!({"name": "count", "arguments": {}});
            drop(batch_of(app, "tools/call", &params, 100).await);
        }
    }
    other.abort();
    done.seen.lock().unwrap().clone()
}

#[tokio::test]
async fn a_request_with_many_calls_yields_to_other_requests_between_them() {
    let done = Done::default();
    let app = serving(&done, 5 << 20).await;
    for way in ["call_many", "relay", "messages"] {
        let seen = turns(&app, &done, way).await;
        assert_eq!(seen.len(), 100, "{way}");
        // Eight messages of a batch begin at the same time.
        let most = if way == "messages" { 8 } else { 2 };
        for calls in seen.windows(most + 1) {
            assert!(calls[0] < calls[most], "{way}: {seen:?}");
        }
    }
}

/// Sends that many calls in one piece on one connection, and reads their answers.
async fn calls_on_a_socket(app: &TestApp, count: usize) {
    let (address, serving) = on_socket(&app.app).await;
    let connected = connect_async(format!("ws://{address}/ws")).await;
    let mut socket = connected.unwrap().0;
    for id in 0..count {
        let call = json!({"jsonrpc": "2.0", "id": id, "method": "tools/call",
            "params": {"name": "count", "arguments": {}}});
        socket.feed(Message::text(call.to_string())).await.unwrap();
    }
    socket.flush().await.unwrap();
    for _ in 0..count {
        socket.next().await.unwrap().unwrap();
    }
    serving.abort();
}

#[tokio::test]
async fn one_connection_with_many_messages_lets_others_have_the_thread_between_them() {
    let done = Done::default();
    let app = serving(&done, 5 << 20).await;
    let others = done.others.clone();
    let other = tokio::spawn(async move {
        loop {
            others.fetch_add(1, Ordering::Relaxed);
            yield_now().await;
        }
    });
    calls_on_a_socket(&app, 16).await;
    other.abort();
    let seen = done.seen.lock().unwrap().clone();
    assert_eq!(seen.len(), 16);
    for calls in seen.windows(3) {
        assert!(calls[0] < calls[2], "{seen:?}");
    }
}

#[tokio::test]
async fn the_health_check_answers_while_a_request_makes_many_calls() {
    let done = Done::default();
    let app = serving(&done, 5 << 20).await;
    let calls = calls_of("count", json!({}), 200).to_string();
    let health = async {
        let answer = app.get("/health").await;
        (answer.status, done.calls())
    };
    // The batch is polled first; without yielding it would make all its calls first.
    let (batch, (status, calls)) = tokio::join!(biased; app.post("/api/batch", calls), health);
    assert_eq!((batch.status.as_u16(), status.as_u16()), (200, 200));
    assert!(calls <= 2, "{calls} calls stood before it");
    assert_eq!(done.calls(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_makes_calls_after_its_deadline_ends() {
    let done = Done::default();
    let app = serving(&done, 5 << 20).await;
    let late = async {
        while done.calls() < 50 {
            yield_now().await;
        }
        tokio::time::advance(std::time::Duration::from_secs(60)).await;
    };
    let (answer, ()) = tokio::join!(app.get("/api/relay/200"), late);
    assert_eq!(answer.status, 504, "{}", answer.text());
    assert!(done.calls() < 60, "{}", done.calls());
}
