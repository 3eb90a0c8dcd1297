//! What the platform does that ends the loop of `lambda_runtime`, or one of its workers: invocations are taken all the same.

use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};

use super::platform::{Platform, after};
use crate::lambda::{changed, event};

/// JSON, as the platform demands of a client context, but not of the shape that `lambda_runtime` knows.
const CONTEXT: &str = r#"{"custom":{"a":{"b":1}}}"#;

const FOUR: (&str, &str) = ("AWS_LAMBDA_MAX_CONCURRENCY", "4");

fn plain() -> Value {
    event("function_url_mcp")
}

/// A function whose upstream is this test.
async fn start(settings: &[(&str, &str)]) -> (Platform, TcpListener) {
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", upstream.local_addr().unwrap());
    let own = [
        ("BIFOLD_EXPLORER_URL", &*url),
        ("BIFOLD_UPSTREAM_TRIES", "1"),
    ];
    let platform = Platform::bare(&[&own, settings].concat(), true).await;
    (platform, upstream)
}

/// Has an invocation for each of these wallets wait for the upstream.
async fn hang(
    platform: &mut Platform,
    upstream: &TcpListener,
    wallets: std::ops::Range<u8>,
) -> Vec<TcpStream> {
    let times = wallets.len();
    for number in wallets {
        let wallet =
            bech32::encode::<bech32::Bech32>(bech32::Hrp::parse("pb").unwrap(), &[number; 20]);
        let path = json!(format!("/prod/api/account_info/{}", wallet.unwrap()));
        let event = changed("http_api_v2", &[("/rawPath", path)]);
        platform.hand_out(after(60_000), &event.to_string());
    }
    let mut asked = Vec::new();
    while asked.len() < times {
        asked.push(upstream.accept().await.unwrap().0);
    }
    asked
}

/// The lines of the log with this message.
fn lines(log: &[String], message: &str) -> Vec<Value> {
    let lines = log.iter().map(|it| serde_json::from_str(it).unwrap());
    lines
        .filter(|it: &Value| it["message"].as_str().unwrap().contains(message))
        .collect()
}

#[tokio::test]
async fn all_workers_take_invocations_after_the_platform_has_refused_requests() {
    let (mut platform, upstream) = start(&[FOUR]).await;
    platform.invoke(&plain()).await;
    platform.refuse(6);
    for _ in 0..8 {
        assert_eq!(platform.invoke(&plain()).await.kind, "response");
    }
    // Three invocations wait, and the fourth worker answers meanwhile.
    let _asked = hang(&mut platform, &upstream, 0..3).await;
    assert_eq!(platform.invoke(&plain()).await.kind, "response");
    assert!(!lines(&platform.stop().await, "it is replaced").is_empty());
}

#[tokio::test]
async fn a_platform_that_refuses_every_request_ends_the_process() {
    for settings in [&[][..], &[FOUR]] {
        let mut platform = Platform::refusing(settings, true, usize::MAX).await;
        assert_eq!(platform.ended().await.code(), Some(1));
        let log = platform.stop().await;
        let last = lines(&log, "the platform gives no more invocations");
        let said = last[0]["error"].as_str().unwrap();
        assert!(said.contains("500"), "{said}");
        assert!(log.len() < 80, "{}", log.join("\n"));
    }
}

#[tokio::test]
async fn an_invocation_that_the_loop_cannot_read_is_answered() {
    let mut platform = Platform::start(&[]).await;
    let deadline = Some(after(60_000));
    let ping = r#"{"source":"serverless-plugin-warmup","custom":{"a":{"b":1}}}"#;
    for (deadline, context, kind) in [
        (deadline, Some(CONTEXT), 200),
        (deadline, Some("{"), 200),
        (deadline, Some(ping), 0),
        (None, None, 200),
    ] {
        let id = platform.hand_out_with(deadline, context, &plain().to_string());
        let outcome = platform.begun().await.whole().await;
        assert_eq!((&outcome.id, &*outcome.kind), (&id, "response"));
        assert_eq!(outcome.body["statusCode"].as_u64().unwrap_or(0), kind);
        // Then the loop continues.
        assert_eq!(platform.invoke(&plain()).await.kind, "response");
    }
    let told = lines(&platform.stop().await, "the loop of `lambda_runtime` ended");
    assert_eq!(told.len(), 4, "{told:?}");
}

#[tokio::test]
async fn other_invocations_are_answered_when_one_cannot_be_read() {
    let (mut platform, upstream) = start(&[FOUR]).await;
    let _running = hang(&mut platform, &upstream, 0..1).await;
    for _ in 0..3 {
        platform.hand_out_with(Some(after(60_000)), Some(CONTEXT), &plain().to_string());
    }
    // There are four workers again: two more invocations wait, and another one is answered.
    let _asked = hang(&mut platform, &upstream, 1..3).await;
    let id = platform.hand_out(after(60_000), &plain().to_string());
    loop {
        // One that a replacement has taken is answered too.
        let outcome = platform.begun().await.whole().await;
        assert_eq!(outcome.kind, "response");
        if outcome.id == id {
            break;
        }
    }
    let told = lines(&platform.stop().await, "may leave an invocation unanswered");
    assert!((1..=3).contains(&told.len()), "{told:?}");
}

#[tokio::test]
async fn a_function_with_a_snapshot_takes_invocations_once_it_is_restored() {
    let snapshot = ("AWS_LAMBDA_INITIALIZATION_TYPE", "snap-start");
    let mut platform = Platform::start(&[snapshot]).await;
    platform.snapshot().await;
    assert_eq!(platform.requests(), 0);
    platform.restore();
    for _ in 0..2 {
        assert_eq!(platform.invoke(&plain()).await.kind, "response");
    }
}
