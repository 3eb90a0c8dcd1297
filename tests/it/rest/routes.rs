//! Which method and which path reaches which function, and what is said where none is reached.

use bifold::provenance::replay::VESTING;
use http::StatusCode;
use serde_json::{Value, json};

use super::{problem, request, wallet_path};
use crate::support::TestApp;

#[tokio::test]
async fn a_function_answers_get_and_post_with_the_same_bytes() {
    let app = TestApp::start().await;
    let pair = "last_number_of_trades=2";
    for (path, name, arguments) in [
        (
            wallet_path(),
            "fetch_account_info",
            json!({"wallet_address": VESTING}),
        ),
        (
            "/api/registry_summary".into(),
            "get_registry_summary",
            json!({}),
        ),
        (
            format!("/api/crypto_token_price/HASH-USD?{pair}"),
            "fetch_last_crypto_token_price",
            json!({"token_pair": "HASH-USD", "last_number_of_trades": 2}),
        ),
        (
            format!("/api/crypto_token_price?token_pair=HASH-USD&{pair}"),
            "fetch_last_crypto_token_price",
            json!({"last_number_of_trades": 2, "token_pair": "HASH-USD"}),
        ),
    ] {
        let by_get = app.get(&path).await;
        assert_eq!(by_get.status, StatusCode::OK, "{}", by_get.text());
        assert_eq!(by_get.header("content-type"), "application/json");
        let by_post = app
            .post(&format!("/api/{name}"), arguments.to_string())
            .await;
        assert_eq!(by_post.status, StatusCode::OK, "{}", by_post.text());
        assert_eq!(by_get.text(), by_post.text());
    }
}

#[tokio::test]
async fn the_body_is_the_structured_content_of_the_same_call_over_mcp() {
    let app = TestApp::start().await;
    let result = app
        .tool("fetch_account_info", json!({"wallet_address": VESTING}))
        .await;
    let body = app.get(&wallet_path()).await.text();
    assert_eq!(result["content"][0]["text"], body);
    assert_eq!(
        result["structuredContent"].to_string(),
        serde_json::from_str::<Value>(&body).unwrap().to_string()
    );
}

#[tokio::test]
async fn every_rest_function_has_its_routes() {
    let app = TestApp::start().await;
    for tool in app
        .app
        .registry()
        .tools()
        .iter()
        .filter(|tool| tool.on_rest())
    {
        let own = format!("/api/{}", tool.name());
        let mut paths: Vec<(String, &str)> = tool
            .paths()
            .map(|path| (format!("/api{path}"), "GET,HEAD"))
            .collect();
        // A path may be the name of its function, which takes POST.
        match paths.iter_mut().find(|it| it.0 == own) {
            Some(path) => path.1 = "GET,HEAD,POST",
            None => paths.push((own, "POST")),
        }
        for (path, allowed) in paths {
            let answer = app
                .send(request("DELETE", &path.replace(['{', '}'], "x")))
                .await;
            assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
            assert_eq!(answer.header("allow"), allowed, "{path}");
        }
    }
}

#[tokio::test]
async fn a_method_that_a_path_does_not_take_is_refused_with_those_it_takes() {
    let app = TestApp::start().await;
    let wallet = wallet_path();
    for (method, path, allowed) in [
        ("POST", wallet.as_str(), "GET,HEAD"),
        ("PUT", "/api/registry_summary", "GET,HEAD"),
        ("OPTIONS", "/api/registry_summary", "GET,HEAD"),
        ("GET", "/api/fetch_account_info", "POST"),
        ("HEAD", "/api/fetch_account_info", "POST"),
        ("DELETE", "/api/fetch_account_info", "POST"),
        ("POST", "/openapi.json", "GET,HEAD"),
        ("POST", "/docs", "GET,HEAD"),
        ("POST", "/docs/app", "GET,HEAD"),
        ("PUT", "/health", "GET,HEAD"),
        ("PATCH", "/", "GET,HEAD"),
    ] {
        let answer = app.send(request(method, path)).await;
        assert_eq!(answer.header("allow"), allowed, "{method} {path}");
        match method {
            "HEAD" => assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED),
            _ => drop(problem(&answer, 405, "method_not_allowed")),
        }
    }
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let app = TestApp::start().await;
    let wallet = wallet_path();
    for path in [
        "/",
        "/health",
        "/docs",
        "/docs/app",
        "/openapi.json",
        "/api/registry_summary",
        &wallet,
    ] {
        let answer = app.send(request("HEAD", path)).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        assert!(answer.body.is_empty(), "{path}");
        assert_ne!(answer.header("content-type"), "", "{path}");
    }
    let answer = app
        .send(request("HEAD", "/api/account_info/pb1nosuch"))
        .await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.body.is_empty());
}

#[tokio::test]
async fn an_unknown_function_is_named_with_the_nearest_one() {
    let app = TestApp::start().await;
    for (path, near) in [
        ("/api/fetch_acount_info", "`fetch_account_info`"),
        ("/api/get_registry_sumary", "`get_registry_summary`"),
        ("/api/GET_REGISTRY_SUMMARY", "`get_registry_summary`"),
    ] {
        for method in ["GET", "POST"] {
            let answer = app.send(request(method, path)).await;
            let problem = problem(&answer, 404, "unknown_function");
            assert_eq!(problem["kind"], "unknown_function");
            assert!(
                problem["detail"].as_str().unwrap().contains(near),
                "{problem}"
            );
        }
    }
    let far = problem(&app.get("/api/zzz").await, 404, "unknown_function");
    assert!(
        !far["detail"].as_str().unwrap().contains("did you mean"),
        "{far}"
    );
}

#[tokio::test]
async fn a_function_that_is_on_mcp_only_has_no_path_and_is_not_proposed() {
    let app = TestApp::start().await;
    for name in ["mcp_warmup_ping", "mcp_test_server"] {
        for method in ["GET", "POST"] {
            let answer = app.send(request(method, &format!("/api/{name}"))).await;
            let problem = problem(&answer, 404, "unknown_function");
            let said = problem["detail"].as_str().unwrap();
            let (_, proposed) = said.split_once(';').unwrap_or((said, ""));
            assert!(!proposed.contains("`mcp_"), "{said}");
        }
    }
}

#[tokio::test]
async fn an_unknown_path_is_not_found() {
    let app = TestApp::start().await;
    for path in [
        "/nothing",
        "/api",
        "/api/",
        "/health/x",
        "/openapi.yaml",
        "/.well-known/x",
    ] {
        problem(&app.get(path).await, 404, "not_found");
    }
}

#[tokio::test]
async fn a_trailing_slash_is_the_same_path() {
    let app = TestApp::start().await;
    for path in ["/api/registry_summary".to_owned(), wallet_path()] {
        let answer = app.get(&format!("{path}/")).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.text(), app.get(&path).await.text(), "{path}");
    }
    // An argument that is not there is not an empty one.
    problem(
        &app.get("/api/account_info/").await,
        404,
        "unknown_function",
    );
}

#[tokio::test]
async fn tricks_in_a_path_reach_nothing() {
    let app = TestApp::start().await;
    for path in [
        "/api/../mcp",
        "/api/%2e%2e/mcp",
        "/api/%2E%2E/health",
        "/api/./registry_summary",
        "/api/registry_summary%00",
        "/api/registry_summary%2F",
        "/api/..%2f..%2fetc/passwd",
        "/api/%ff",
        "/api/%",
    ] {
        let answer = app.get(path).await;
        // One part below `/api` is taken for the name of a function, more of them for a path.
        let class = match path.matches('/').count() {
            2 => "unknown_function",
            _ => "not_found",
        };
        problem(&answer, 404, class);
    }
    assert!(app.replay.seen().is_empty());
}

#[tokio::test]
async fn tricks_in_a_path_parameter_are_a_wrong_argument() {
    let app = TestApp::start().await;
    for (value, field) in [
        ("..", "wallet_address"),
        ("%2e%2e", "wallet_address"),
        ("..%2f..%2fstats", "wallet_address"),
        ("%2F", "wallet_address"),
        ("%00", "wallet_address"),
        ("%0d%0aHost:%20x", "wallet_address"),
        ("%3Fa=b", "wallet_address"),
        ("%zz", "wallet_address"),
        ("%ff", "$"),
        ("%c3%28", "$"),
    ] {
        let answer = app.get(&format!("/api/account_info/{value}")).await;
        super::wrong_argument(&answer, field);
    }
    assert!(app.replay.seen().is_empty(), "{:?}", app.replay.seen());
}

#[tokio::test]
async fn a_path_parameter_is_percent_decoded_once() {
    let app = TestApp::start().await;
    let escaped = VESTING.replacen('p', "%70", 1);
    let answer = app.get(&format!("/api/account_info/{escaped}")).await;
    assert_eq!(answer.text(), app.get(&wallet_path()).await.text());
    let twice = VESTING.replacen('p', "%2570", 1);
    super::wrong_argument(
        &app.get(&format!("/api/account_info/{twice}")).await,
        "wallet_address",
    );
}
