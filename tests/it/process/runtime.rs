//! The binary as a Lambda function, driven through the Runtime API.

use bifold::provenance::replay::VESTING;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::binary;
use super::log::is_open;
use super::platform::{Outcome, Platform, TRACE, after};
use crate::lambda::{changed, event};

/// The body of a response that must have this status.
#[track_caller]
fn answered(outcome: &Outcome, status: u64) -> Value {
    assert_eq!(outcome.kind, "response", "{outcome:?}");
    assert_eq!(outcome.body["statusCode"], status, "{outcome:?}");
    serde_json::from_str(outcome.body["body"].as_str().unwrap()).unwrap()
}

/// A modern call of a function without arguments.
fn call(name: &str) -> Value {
    let mut event = event("function_url_mcp");
    event["headers"]["mcp-name"] = json!(name);
    let body = event["body"].as_str().unwrap();
    event["body"] = json!(body.replace("get_registry_summary", name));
    event
}

/// The next log line of a request; no line before it may contain a wallet address either.
async fn request_line(platform: &mut Platform) -> Value {
    loop {
        let line = platform.line().await;
        assert!(!line.to_string().contains(VESTING), "{line}");
        if line["message"] == "request" {
            return line;
        }
    }
}

#[tokio::test]
async fn it_answers_mcp_and_rest() {
    let mut platform = Platform::start(&[]).await;
    let message = answered(&platform.invoke(&event("function_url_mcp")).await, 200);
    assert_eq!(
        message["result"]["structuredContent"]["total_functions"],
        43
    );
    let price = answered(&platform.invoke(&event("rest_api_rest")).await, 200);
    assert_eq!(price["token_pair"], "HASH-USD");
    let account = answered(&platform.invoke(&event("http_api_v2")).await, 200);
    assert!(account["account_type"].is_string(), "{account}");
}

#[tokio::test]
async fn one_initialisation_serves_many_invocations() {
    let mut platform = Platform::start(&[]).await;
    for (round, status) in ["cold", "warm", "warm"].into_iter().enumerate() {
        let message = answered(&platform.invoke(&call("mcp_warmup_ping")).await, 200);
        let pong = &message["result"]["structuredContent"];
        assert_eq!(pong["status"], status);
        assert_eq!(pong["invocations"], round + 1);
    }
}

#[tokio::test]
async fn a_failed_invocation_does_not_end_the_process() {
    let mut platform = Platform::start(&[]).await;
    let unknown = platform.invoke(&json!({"Records": []})).await;
    assert_eq!(unknown.kind, "error", "{unknown:?}");
    assert_eq!(unknown.body["errorType"], "UnknownEvent");
    let said = unknown.body["errorMessage"].as_str().unwrap();
    assert!(said.contains("Function URL"), "{said}");
    let line = request_line(&mut platform).await;
    assert_eq!(line["request_id"], unknown.id, "{line}");
    assert_eq!(line["status"], 400, "{line}");
    assert_eq!(line["trace_id"], TRACE, "{line}");
    let hostile = [
        ("/rawQueryString", json!("a=\u{1} \"<>\r\n")),
        ("/headers/host", json!("user@host:port")),
    ];
    let hostile = changed("function_url_rest", &hostile);
    let problem = answered(&platform.invoke(&hostile).await, 400);
    assert_eq!(problem["type"], "urn:bifold:problem:bad_request");
    answered(&platform.invoke(&event("function_url_mcp")).await, 200);
    assert!(platform.is_running());
}

#[tokio::test]
async fn a_deadline_in_1970_counts_as_no_deadline() {
    let mut platform = Platform::start(&[]).await;
    let payload = event("http_api_v2").to_string();
    for deadline in [0, 600_000] {
        let outcome = platform.invoke_until(deadline, &payload).await;
        answered(&outcome, 200);
    }
}

#[tokio::test]
async fn without_time_left_the_response_is_an_error_and_nothing_runs() {
    let mut platform = Platform::start(&[]).await;
    let payload = event("http_api_v2").to_string();
    let outcome = platform.invoke_until(after(0) - 1_000, &payload).await;
    let problem = answered(&outcome, 504);
    assert_eq!(problem["type"], "urn:bifold:problem:deadline_exceeded");
    let line = request_line(&mut platform).await;
    assert_eq!(line["upstream_calls"], 0, "{line}");
}

#[tokio::test]
async fn a_plain_call_within_its_margin_fails_at_once() {
    for at_once in ["1", "4"] {
        let mut platform = Platform::start(&[("AWS_LAMBDA_MAX_CONCURRENCY", at_once)]).await;
        let payload = event("http_api_v2").to_string();
        // Only one thing is known about the timeout: it is at least one second.
        let fresh = platform.invoke_until(after(200), &payload).await;
        let whole = platform.invoke_until(after(30_000), &payload).await;
        let mut late = vec![fresh];
        answered(&whole, 200);
        for _ in 0..8 {
            // With a shorter known timeout this would be enough time.
            late.push(platform.invoke_until(after(450), &payload).await);
        }
        for outcome in late {
            let problem = answered(&outcome, 504);
            assert_eq!(problem["type"], "urn:bifold:problem:deadline_exceeded");
        }
        let mut calls = Vec::new();
        for _ in 0..10 {
            let line = request_line(&mut platform).await;
            calls.push(line["upstream_calls"].as_u64().unwrap());
        }
        assert_eq!(calls, [0, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
    }
}

#[tokio::test]
async fn each_request_is_one_json_line_without_a_wallet_address() {
    let mut platform = Platform::start(&[]).await;
    let broken = json!(format!("/prod/api/account_info/{VESTING}x"));
    let wallet = json!(format!("wallet_address={VESTING}"));
    for (event, protocol, function, status, is_cold) in [
        (
            event("http_api_v2"),
            "rest",
            Some("fetch_account_info"),
            200,
            true,
        ),
        (
            changed("http_api_v2", &[("/rawPath", broken)]),
            "rest",
            Some("fetch_account_info"),
            400,
            false,
        ),
        (
            changed("http_api_v2", &[("/rawQueryString", wallet)]),
            "rest",
            Some("fetch_account_info"),
            400,
            false,
        ),
        (
            call("get_registry_summary"),
            "mcp",
            Some("get_registry_summary"),
            200,
            false,
        ),
        (
            changed("http_api_v2", &[("/rawPath", json!(format!("/{VESTING}")))]),
            "site",
            None,
            404,
            false,
        ),
        (
            changed(
                "http_api_v2",
                &[("/rawPath", json!(format!("/api/{VESTING}")))],
            ),
            "rest",
            None,
            404,
            false,
        ),
    ] {
        let outcome = platform.invoke(&event).await;
        let line = request_line(&mut platform).await;
        assert_eq!(line["request_id"], outcome.id, "{line}");
        assert_eq!(line["cold_start"], is_cold, "{line}");
        assert_eq!(line["protocol"], protocol, "{line}");
        assert_eq!(line["status"], status, "{line}");
        assert_eq!(
            line.get("function").and_then(Value::as_str),
            function,
            "{line}"
        );
        assert_eq!(line["outcome"] == "ok", status == 200, "{line}");
        assert!(
            line["duration_ms"].is_number() && line["upstream_calls"].is_u64(),
            "{line}"
        );
        for field in ["timestamp", "level"] {
            assert!(line[field].is_string(), "{line}");
        }
    }
    let rest = platform.stop().await;
    assert!(
        rest.is_empty(),
        "more than one line for a request: {rest:?}"
    );
}

#[tokio::test]
async fn a_refused_event_is_logged_too() {
    let mut platform = Platform::start(&[]).await;
    let hostile = changed("function_url_rest", &[("/headers/host", json!("a b"))]);
    let outcome = platform.invoke(&hostile).await;
    answered(&outcome, 400);
    // A second request, so that reading the log ends even where the first one is missing.
    platform.invoke(&event("function_url_mcp")).await;
    let line = request_line(&mut platform).await;
    assert_eq!(
        line["request_id"], outcome.id,
        "the first line is of another request: {line}"
    );
    assert_eq!(line["status"], 400);
    assert_eq!(line["trace_id"], TRACE, "{line}");
}

#[tokio::test]
async fn several_invocations_may_run_at_once_where_the_platform_says_so() {
    let mut platform = Platform::start(&[("AWS_LAMBDA_MAX_CONCURRENCY", "4")]).await;
    for _ in 0..8 {
        answered(&platform.invoke(&event("function_url_mcp")).await, 200);
    }
}

#[tokio::test]
async fn invocations_that_run_at_once_do_not_wait_for_each_other() {
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", upstream.local_addr().unwrap());
    let settings = [
        ("AWS_LAMBDA_MAX_CONCURRENCY", "4"),
        ("BIFOLD_EXPLORER_URL", &url),
        ("BIFOLD_UPSTREAM_TRIES", "1"),
    ];
    let mut platform = Platform::bare(&settings, true).await;
    // Three hang in functions with different upstream requests, and the fourth is answered meanwhile.
    for number in 0..3 {
        let wallet =
            bech32::encode::<bech32::Bech32>(bech32::Hrp::parse("pb").unwrap(), &[number; 20]);
        let path = json!(format!("/prod/api/account_info/{}", wallet.unwrap()));
        let event = changed("http_api_v2", &[("/rawPath", path)]);
        platform.hand_out(after(60_000), &event.to_string());
    }
    let mut asked = Vec::new();
    while asked.len() < 3 {
        asked.push(upstream.accept().await.unwrap());
    }
    answered(&platform.invoke(&event("function_url_mcp")).await, 200);
    assert_eq!(platform.most_at_once(), 4);
    // Each of the others gets its own response.
    drop(upstream);
    drop(asked);
    let mut ids = Vec::new();
    for _ in 0..3 {
        let outcome = platform.begun().await.whole().await;
        answered(&outcome, 502);
        ids.push(outcome.id);
    }
    ids.sort();
    let expected = (1..=3).map(|number| format!("00000000-0000-4000-8000-{number:012}"));
    assert_eq!(ids, expected.collect::<Vec<_>>());
}

#[tokio::test]
async fn a_failed_start_logs_its_reason() {
    let api = ("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9");
    let name = ("AWS_LAMBDA_FUNCTION_NAME", "bifold");
    let (size, version) = (
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_VERSION",
    );
    for (settings, said) in [
        (vec![api], "AWS_LAMBDA_FUNCTION_NAME"),
        (vec![api, name, (version, "1")], size),
        (vec![api, name, (version, "1"), (size, "small")], "`small`"),
        (vec![api, name, (size, "128")], version),
        (
            vec![("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9/with/a/path")],
            "`127.0.0.1:9/with/a/path`",
        ),
        (vec![api, ("BIFOLD_REPLAY", "yes")], "BIFOLD_REPLAY"),
        (vec![api, ("BIFOLD_EXPLORER_URL", "explorer")], "`explorer`"),
    ] {
        let output = binary().envs(settings).output().await.unwrap();
        assert_eq!(output.status.code(), Some(1));
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.contains(said), "{said}: {stderr}");
        assert!(!stderr.contains("panicked"), "{said}: {stderr}");
    }
}

#[tokio::test]
async fn a_function_that_checks_no_callers_warns_of_that_at_its_start() {
    let key = format!("ci {}", "0".repeat(64));
    for (settings, warns) in [(vec![], true), (vec![("BIFOLD_API_KEYS", &*key)], false)] {
        let mut platform = Platform::start(&settings).await;
        platform.invoke(&event("function_url_mcp")).await;
        let mut warnings = 0;
        loop {
            let line = platform.any_line().await;
            if is_open(&line) {
                assert_eq!(line["level"], "WARN");
                warnings += 1;
            }
            if line["message"] == "request" {
                break;
            }
        }
        assert_eq!(warnings, usize::from(warns));
    }
}
