//! Rate limits of callers, per class of functions and in total.

use std::net::IpAddr;
use std::time::Duration;

use axum::body::Body;
use bifold::{App, Principal, RequestInfo};
use http::{Request, StatusCode};
use serde_json::json;

use super::{app, call, closed, config, get};
use crate::support::{Answer, serve};

async fn ask(app: &App, request: Request<Body>, caller: &str) -> Answer {
    let mut info = RequestInfo::default();
    match caller.parse::<IpAddr>() {
        Ok(address) => info.peer = Some(address),
        Err(_) => info.principal = Some(Principal::new(caller)),
    }
    Answer::read(serve(app, request, info).await).await
}

#[tokio::test(start_paused = true)]
async fn each_principal_or_else_network_has_its_own_allowance() {
    let app = app(closed().0, &[("BIFOLD_RATE_LIMIT", "3/m")]);
    for caller in ["ada", "eve", "192.0.2.1", "2001:db8::1"] {
        for left in [2, 1, 0] {
            let answer = ask(&app, get("/api/any"), caller).await;
            assert_eq!(answer.status, StatusCode::OK, "{caller}");
            assert_eq!(answer.header("ratelimit-policy"), "\"caller\";q=3;w=60");
            let reset = (3 - left) * 20;
            assert_eq!(
                answer.header("ratelimit"),
                format!("\"caller\";r={left};t={reset}")
            );
        }
        let answer = ask(&app, get("/api/any"), caller).await;
        assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(answer.header("retry-after"), "20");
        assert_eq!(answer.header("ratelimit"), "\"caller\";r=0;t=60");
        assert_eq!(answer.json()["kind"], "too_many_requests");
        assert_eq!(answer.json()["retry_after_ms"], 20_000);
    }
    // All addresses of one network share an allowance.
    assert_eq!(
        ask(&app, get("/api/any"), "2001:db8::2").await.status,
        StatusCode::TOO_MANY_REQUESTS
    );
    tokio::time::advance(Duration::from_secs(20)).await;
    assert_eq!(
        ask(&app, get("/api/any"), "ada").await.status,
        StatusCode::OK
    );
    assert_eq!(
        ask(&app, get("/api/any"), "ada").await.status,
        StatusCode::TOO_MANY_REQUESTS
    );
}

#[tokio::test(start_paused = true)]
async fn a_refusal_on_mcp_is_a_typed_error() {
    let app = app(closed().0, &[("BIFOLD_RATE_LIMIT", "1/h")]);
    assert_eq!(
        ask(&app, call("any", json!({})), "ada").await.status,
        StatusCode::OK
    );
    let answer = ask(&app, call("any", json!({})), "ada").await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(answer.header("retry-after"), "3600");
    let error = &answer.json()["error"];
    assert_eq!(error["code"], 429);
    assert_eq!(error["data"]["kind"], "too_many_requests");
    assert_eq!(error["data"]["retry_after_ms"], 3_600_000);
}

#[tokio::test(start_paused = true)]
async fn classes_and_the_total_have_limits_of_their_own() {
    let settings = [
        ("BIFOLD_RATE_LIMIT_CLASSES", "read=1/m,system=2/m"),
        ("BIFOLD_RATE_LIMIT_TOTAL", "4/m"),
    ];
    let app = app(closed().0, &settings);
    let ok = StatusCode::OK;
    let refused = StatusCode::TOO_MANY_REQUESTS;
    for (path, caller, status) in [
        ("/api/read", "ada", ok),
        ("/api/read", "ada", refused),
        ("/api/read", "eve", ok),
        ("/api/any", "ada", ok),
        ("/api/any", "ada", ok),
        ("/api/any", "ada", refused),
        ("/api/any", "new", refused),
    ] {
        assert_eq!(
            ask(&app, get(path), caller).await.status,
            status,
            "{path} {caller}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn each_call_of_many_counts() {
    let app = app(closed().0, &[("BIFOLD_RATE_LIMIT", "3/m")]);
    let calls: Vec<_> = (0..5).map(|_| json!({"name": "any"})).collect();
    let request = Request::post("/api/batch").header("content-type", "application/json");
    let request = request
        .body(json!({"calls": calls}).to_string().into())
        .unwrap();
    let answer = ask(&app, request, "ada").await;
    assert_eq!(answer.status, StatusCode::OK);
    let report = answer.json();
    assert_eq!(report["succeeded"], 3, "{report}");
    assert_eq!(report["failures"][0]["kind"], "too_many_requests");
}

#[test]
fn rates_are_calls_per_period() {
    for (value, is_taken) in [
        ("100/m", true),
        ("1/d", true),
        ("0/s", false),
        ("10", false),
        ("10/w", false),
        ("-1/s", false),
    ] {
        let variables = [("BIFOLD_RATE_LIMIT".to_owned(), value.to_owned())];
        let config = bifold::Config::from_vars(variables.into_iter(), &[]);
        assert_eq!(config.is_ok(), is_taken, "{value}");
    }
    let limits = config(&[("BIFOLD_RATE_LIMIT_CLASSES", "a=1/s, b=2/h")]).rate_limit_classes;
    assert_eq!(limits["b"].calls, 2);
    assert_eq!(limits["b"].period, Duration::from_secs(3600));
}
