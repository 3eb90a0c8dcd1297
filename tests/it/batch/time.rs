//! The time of a batch: concurrency, the time limit of each call, and the deadline of the batch.

use std::sync::atomic::Ordering;
use std::time::Duration;

use bifold::Config;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Running, call, echoes, kinds, report, serving};

#[tokio::test(start_paused = true)]
async fn results_have_the_order_of_the_calls_however_long_each_takes() {
    let app = serving(&Running::default()).await;
    let calls = [
        call("slow", json!({"ms": 300})),
        call("echo", json!({"number": 1})),
        call("slow", json!({"ms": 20})),
        call("slow", json!({"ms": 10})),
    ];
    let report = report(&app, json!({"calls": calls})).await;
    for (index, call) in calls.iter().enumerate() {
        let item = &report["results"][index];
        assert_eq!(item["index"], index);
        assert_eq!(item["name"], call["name"]);
        assert_eq!(item["ok"], true);
        assert!(item.get("error").is_none());
    }
    assert_eq!(report["results"][1]["result"]["number"], 1);
    assert_eq!(report["results"][2]["result"][0]["text"], "20 ms");
    assert_eq!(report["total"], 4);
    assert_eq!(report["succeeded"], 4);
    assert_eq!(report["failed"], 0);
    assert_eq!(report["failures"], json!([]));
}

#[tokio::test(start_paused = true)]
async fn eight_calls_run_concurrently_and_a_slow_one_delays_no_other() {
    let running = Running::default();
    let app = serving(&running).await;
    let since = Instant::now();
    let calls = vec![call("slow", json!({"ms": 100})); 20];
    assert_eq!(report(&app, json!({"calls": calls})).await["succeeded"], 20);
    assert_eq!(running.most.load(Ordering::Relaxed), 8);
    assert_eq!(since.elapsed().as_millis() / 10, 30, "three rounds");

    let since = Instant::now();
    let mut calls = vec![call("slow", json!({"ms": 100})); 15];
    calls[0] = call("slow", json!({"ms": 200}));
    assert_eq!(report(&app, json!({"calls": calls})).await["succeeded"], 15);
    assert_eq!(
        since.elapsed().as_millis() / 10,
        20,
        "two rounds beside the first"
    );
}

#[tokio::test(start_paused = true)]
async fn each_call_has_its_own_time_limit_and_finished_results_are_kept() {
    let app = serving(&Running::default()).await;
    let since = Instant::now();
    let calls = [
        call("slow", json!({"ms": 60_000})),
        call("slow", json!({"ms": 40})),
        call("echo", json!({})),
    ];
    let report = report(&app, json!({"calls": calls, "item_timeout_ms": 50})).await;
    assert!(
        since.elapsed() < Duration::from_millis(60),
        "{:?}",
        since.elapsed()
    );
    let late = json!("deadline_exceeded");
    assert_eq!(kinds(&report), [&late, &Value::Null, &Value::Null]);
    assert_eq!(report["results"][0]["error"]["retryable"], true);
    assert_eq!(report["failures"][0]["attempts"], 1);
}

#[tokio::test(start_paused = true)]
async fn the_time_limit_of_a_call_starts_when_the_call_starts() {
    let app = serving(&Running::default()).await;
    let calls = vec![call("slow", json!({"ms": 40})); 24];
    let report = report(&app, json!({"calls": calls, "item_timeout_ms": 50})).await;
    assert_eq!(report["succeeded"], 24);
}

#[tokio::test(start_paused = true)]
async fn the_batch_ends_before_its_deadline_with_the_finished_results() {
    let running = Running::default();
    let app = serving(&running).await;
    let since = Instant::now();
    let mut calls = vec![call("echo", json!({})), call("slow", json!({"ms": 20}))];
    calls.extend(vec![call("slow", json!({"ms": 3_600_000})); 8]);
    calls.extend(echoes(3));
    let report = report(&app, json!({"calls": calls, "item_timeout_ms": 900_000})).await;
    assert!(since.elapsed() < Config::default().call_timeout);
    assert_eq!(
        (&report["succeeded"], &report["failed"]),
        (&json!(2), &json!(11))
    );
    for failure in report["failures"].as_array().unwrap() {
        assert_eq!(failure["kind"], "deadline_exceeded");
        let never_began = failure["name"] == "echo";
        assert_eq!(failure["attempts"], if never_began { 0 } else { 1 });
    }
    assert_eq!(running.echoes.load(Ordering::Relaxed), 1);
}
