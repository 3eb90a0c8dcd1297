//! The end of the binary as a Lambda function: by a signal, and by a failed start.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::platform::{Platform, after};
use crate::lambda::{changed, event};

/// The time between the signal and the kill of the process by the platform.
const GRACE: Duration = Duration::from_millis(500);

/// An event whose function sends a request to the explorer.
fn asking() -> String {
    let fields = [
        ("/rawPath", json!("/api/current_hash_statistics")),
        ("/rawQueryString", json!("")),
        ("/queryStringParameters", json!(null)),
    ];
    changed("function_url_rest", &fields).to_string()
}

#[tokio::test]
async fn a_signal_ends_an_idle_function_at_once_and_in_good_order() {
    let mut platform = Platform::start(&[]).await;
    platform.extension().await;
    let outcome = platform.invoke(&event("function_url_mcp")).await;
    assert_eq!(outcome.kind, "response");
    let (status, took) = platform.terminate().await;
    assert!(status.success(), "{status}");
    assert!(took < GRACE, "{took:?}");
    // The log is complete.
    let log = platform.stop().await;
    let lines: Vec<Value> = log
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(lines.iter().any(|line| line["request_id"] == outcome.id));
    let last = lines.last().unwrap()["message"].as_str().unwrap();
    assert!(last.starts_with("stopping"), "{last}");
}

#[tokio::test]
async fn a_hanging_call_does_not_delay_the_shutdown_and_its_caller_gets_an_error() {
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", upstream.local_addr().unwrap());
    let mut platform = Platform::bare(&[("BIFOLD_EXPLORER_URL", &url)], true).await;
    let id = platform.hand_out(after(60_000), &asking());
    let _asked = upstream.accept().await.unwrap();
    let (status, took) = platform.terminate().await;
    assert!(status.success(), "{status}");
    assert!(took < GRACE, "{took:?}");
    let told = platform.begun().await.whole().await;
    assert_eq!((told.id, &*told.kind), (id.clone(), "error"));
    assert_eq!(told.body["errorType"], "Stopped");
    let log = platform.stop().await;
    let line: Value = serde_json::from_str(log.last().unwrap()).unwrap();
    assert_eq!(line["request_id"], id, "{line}");
    assert_eq!(line["error"], "cancelled", "{line}");
    assert_eq!(line["message"], "request", "{line}");
}

#[tokio::test]
async fn a_platform_without_extensions_works_too() {
    let mut platform = Platform::bare(&[("BIFOLD_REPLAY", "true")], false).await;
    let outcome = platform.invoke(&event("function_url_mcp")).await;
    assert_eq!(outcome.body["statusCode"], 200);
    let (status, took) = platform.terminate().await;
    assert!(status.success(), "{status}");
    assert!(took < GRACE, "{took:?}");
}

#[tokio::test]
async fn a_failed_start_is_reported_to_the_platform() {
    let mut platform = Platform::bare(&[("BIFOLD_CALL_TIMEOUT_MS", "soon")], true).await;
    let outcome = platform.begun().await;
    assert_eq!(
        outcome.headers["lambda-runtime-function-error-type"],
        "Function.StartFailed"
    );
    let outcome = outcome.whole().await;
    assert_eq!(outcome.kind, "init");
    assert_eq!(outcome.body["errorType"], "StartFailed");
    let said = outcome.body["errorMessage"].as_str().unwrap();
    assert!(said.contains("`BIFOLD_CALL_TIMEOUT_MS`"), "{said}");
    assert_eq!(platform.ended().await.code(), Some(1));
}
