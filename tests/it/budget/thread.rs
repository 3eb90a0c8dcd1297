//! A request yields the thread between two of its calls.

use std::sync::atomic::Ordering;

use serde_json::json;
use tokio::task::yield_now;

use super::{Done, batch_of, calls_of, serving};

/// What other requests had done before each call, in one thread with a request that makes many calls.
async fn turns(app: &crate::support::TestApp, done: &Done, way: &str) -> Vec<usize> {
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
