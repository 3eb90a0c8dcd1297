//! One upstream request for all concurrent calls with the same path.

use std::sync::Arc;
use std::time::Duration;

use bifold::testing::Fault;
use futures_util::future::join_all;
use http::StatusCode;
use serde_json::json;

use super::{STATS, STATS_UPSTREAM, failing, stats};
use crate::support::TestApp;

#[tokio::test]
async fn a_thousand_concurrent_calls_share_one_upstream_request() {
    let app = TestApp::plane().await;
    app.replay.answer(
        STATS_UPSTREAM,
        stats("11").fault(Fault::Delay(Duration::from_millis(50))),
    );
    let answers = join_all((0..1000).map(|_| app.get(STATS))).await;
    assert!(answers.iter().all(|answer| answer.status == StatusCode::OK));
    assert_eq!(app.replay.seen().len(), 1);
}

#[tokio::test]
async fn the_call_that_started_a_shared_request_may_be_cancelled() {
    let app = TestApp::plane().await;
    app.replay.answer(
        STATS_UPSTREAM,
        stats("11").fault(Fault::Delay(Duration::from_millis(50))),
    );
    let mut leader = Box::pin(app.get(STATS));
    let mut follower = Box::pin(app.get(STATS));
    assert!(futures_util::poll!(&mut leader).is_pending());
    assert!(futures_util::poll!(&mut follower).is_pending());
    drop(leader);
    assert_eq!(follower.await.status, StatusCode::OK);
    assert_eq!(app.replay.seen().len(), 1);
}

#[tokio::test]
async fn a_shared_request_is_cancelled_with_its_last_call() {
    let app = TestApp::plane().await;
    app.replay
        .answer_times(STATS_UPSTREAM, stats("11").fault(Fault::Hang), 1);
    let mut only = Box::pin(app.get(STATS));
    while app.replay.seen().is_empty() {
        assert!(futures_util::poll!(&mut only).is_pending());
        tokio::task::yield_now().await;
    }
    drop(only);
    // If the request still ran, the call would join it and hang.
    assert_eq!(app.get(STATS).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_failure_reaches_all_waiting_calls_and_is_not_cached() {
    let app = TestApp::plane().await;
    app.replay.answer_times(
        STATS_UPSTREAM,
        failing().fault(Fault::Delay(Duration::from_millis(50))),
        1,
    );
    let answers = join_all((0..10).map(|_| app.get(STATS))).await;
    assert!(
        answers
            .iter()
            .all(|answer| answer.status == StatusCode::BAD_GATEWAY)
    );
    assert_eq!(app.replay.seen().len(), 1);
    assert_eq!(app.get(STATS).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_call_that_joins_a_request_keeps_its_own_deadline() {
    let app = TestApp::plane().await;
    app.replay.answer(
        STATS_UPSTREAM,
        stats("11").fault(Fault::Delay(Duration::from_millis(300))),
    );
    let calls = json!([{"name": "fetch_current_hash_statistics"}]);
    let hurried = json!({"calls": calls, "item_timeout_ms": 100}).to_string();
    let (_, patient) = tokio::join!(app.post("/api/batch", hurried), app.get(STATS));
    assert_eq!(patient.status, StatusCode::OK);
    assert_eq!(app.replay.seen().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_calls_on_many_threads_share_one_request() {
    let mut more = 0;
    for _ in 0..150 {
        let app = Arc::new(TestApp::plane().await);
        let tasks: Vec<_> = (0..64)
            .map(|_| {
                let app = app.clone();
                tokio::spawn(async move { app.get(STATS).await.status })
            })
            .collect();
        for task in tasks {
            assert_eq!(task.await.unwrap(), StatusCode::OK);
        }
        if app.replay.seen().len() != 1 {
            more += 1;
        }
    }
    assert_eq!(more, 0, "of 150 rounds had more than one upstream request");
}
