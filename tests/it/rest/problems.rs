//! Problems and the headers that every answer carries.

use bifold::testing::Canned;
use http::{Request, StatusCode};

use super::{problem, request, wallet_path};
use crate::support::{Answer, TestApp};

/// An answer to a request that brings an id of its own.
async fn with_id(app: &TestApp, path: &str, id: &[u8]) -> Answer {
    let request = Request::get(path).header("x-request-id", id);
    app.send(request.body(axum::body::Body::empty()).unwrap())
        .await
}

#[tokio::test]
async fn a_problem_says_what_was_wrong_where_and_what_to_do() {
    let app = TestApp::start().await;
    let problem = problem(
        &app.get("/api/account_info/pb1").await,
        400,
        "invalid_argument",
    );
    let keys: Vec<&String> = problem.as_object().unwrap().keys().collect();
    let expected = [
        "detail",
        "field",
        "kind",
        "request_id",
        "retryable",
        "status",
        "title",
        "type",
    ];
    assert_eq!(keys, expected);
    assert_eq!(problem["field"], "wallet_address");
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .contains("wallet_address")
    );
}

#[tokio::test]
async fn a_failed_upstream_is_a_bad_gateway_that_names_it_and_nothing_of_what_it_said() {
    let app = TestApp::start().await;
    let broken = Canned::status(500, "text/html", "<h1>secret stack trace</h1>");
    app.replay.answer("/explorer", broken);
    let answer = app.get("/api/current_hash_statistics").await;
    let problem = problem(&answer, 502, "upstream_error");
    assert_eq!(problem["upstream"]["name"], "explorer");
    assert_eq!(problem["upstream"]["status"], 500);
    assert_eq!(problem["retryable"], true);
    assert!(!answer.text().contains("secret"), "{}", answer.text());
}

#[tokio::test]
async fn an_upstream_that_wants_fewer_requests_is_passed_on_with_the_time_to_wait() {
    let app = TestApp::start().await;
    let busy = Canned::status(429, "application/json", "{}").header("retry-after", "7");
    app.replay.answer("/explorer", busy);
    let answer = app.get("/api/current_hash_statistics").await;
    let problem = problem(&answer, 503, "rate_limited");
    assert_eq!(answer.header("retry-after"), "7");
    assert_eq!(problem["retry_after_ms"], 7000);
}

#[tokio::test]
async fn a_sane_request_id_of_the_caller_is_kept() {
    let app = TestApp::start().await;
    let longest = "x".repeat(64);
    for id in [
        "1",
        "2f6b1c1e-9d5c-4d0e-8f3e-1f7b5a0d9c11",
        "a_B-9.z",
        &longest,
    ] {
        for path in ["/health", "/api/registry_summary", "/nothing", "/mcp"] {
            let answer = with_id(&app, path, id.as_bytes()).await;
            assert_eq!(answer.header("x-request-id"), id, "{path}");
        }
        let problem = with_id(&app, "/nothing", id.as_bytes()).await.json();
        assert_eq!(problem["request_id"], id);
    }
}

#[tokio::test]
async fn a_request_id_that_could_do_harm_in_a_log_is_replaced() {
    let app = TestApp::start().await;
    let too_long = "x".repeat(65);
    for id in [
        b"".as_slice(),
        b"a b",
        b"a\tb",
        b"a\"b",
        b"a/b",
        b"a;b",
        b"{\"level\":\"ERROR\"}",
        b"\xe9",
        too_long.as_bytes(),
    ] {
        let made_up = with_id(&app, "/health", id).await;
        let made_up = made_up.header("x-request-id");
        assert_eq!(made_up.len(), 32, "{made_up}");
        assert!(
            made_up.bytes().all(|byte| byte.is_ascii_hexdigit()),
            "{made_up}"
        );
    }
}

#[tokio::test]
async fn requests_without_an_id_get_different_ones() {
    let app = TestApp::start().await;
    let (one, other) = (app.get("/health").await, app.get("/health").await);
    assert_ne!(one.header("x-request-id"), other.header("x-request-id"));
}

#[tokio::test]
async fn every_answer_says_where_the_time_went() {
    let app = TestApp::start().await;
    let wallet = wallet_path();
    for (method, path, calls) in [
        ("GET", "/health", 0),
        ("GET", "/nothing", 0),
        ("DELETE", "/health", 0),
        ("GET", "/mcp", 0),
        ("GET", "/api/current_hash_statistics", 1),
        ("GET", wallet.as_str(), 2),
    ] {
        app.replay.forget();
        let answer = app.send(request(method, path)).await;
        let timing = answer.header("server-timing").to_owned();
        let (total, rest) = timing.split_once(", upstream;dur=").unwrap();
        let total: f64 = total.strip_prefix("total;dur=").unwrap().parse().unwrap();
        let (upstream, desc) = rest.split_once(';').unwrap();
        let upstream: f64 = upstream.parse().unwrap();
        assert!(total >= 0.0 && upstream >= 0.0, "{timing}");
        let seen = app.replay.seen().len();
        assert_eq!(desc, format!("desc=\"{seen} calls\""), "{path}");
        assert!(seen <= calls, "{path} asked {seen} times");
        assert_eq!(seen == 0, calls == 0, "{path}");
    }
}

#[tokio::test]
async fn nothing_of_another_framework_shows_through() {
    let app = TestApp::start().await;
    for (method, path, status) in [
        ("GET", "/nothing", StatusCode::NOT_FOUND),
        ("POST", "/docs", StatusCode::METHOD_NOT_ALLOWED),
        ("GET", "/api/account_info/%ff", StatusCode::BAD_REQUEST),
    ] {
        let answer = app.send(request(method, path)).await;
        assert_eq!(answer.status, status);
        assert_eq!(
            answer.header("content-type"),
            "application/problem+json",
            "{path}"
        );
    }
}
