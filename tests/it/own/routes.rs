//! Own routes beside those of the library: which comes first, and what all have in common.

use axum::Router;
use axum::extract::{Path, Request};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::{get, post};
use bifold::{Context, Server};
use http::StatusCode;
use serde_json::json;

use crate::support::TestApp;

async fn app(routes: Router) -> TestApp {
    TestApp::serving(Server::new("weather", "1.0.0").routes(routes)).await
}

#[tokio::test]
async fn the_paths_of_the_library_come_first_and_the_index_may_be_replaced() {
    let ours = async || "ours";
    let routes = Router::new()
        .route("/", get(ours))
        .route("/health", get(ours))
        .route("/mcp", get(ours))
        .route("/api/extra/{name}", get(ours))
        .route(
            "/files/{*path}",
            get(|Path(path): Path<String>| async move { path }),
        )
        .route("/trailing/", get(ours))
        .route("/items", post(async |body: String| body));
    let app = app(routes).await;
    for (path, status, said) in [
        ("/", 200, "ours"),
        ("/health", 200, "\"name\":\"weather\""),
        ("/mcp", 405, ""),
        ("/api/extra/a", 200, "ours"),
        ("/files/a/b.txt", 200, "a/b.txt"),
        ("/files/a//b%41.txt", 200, "a//bA.txt"),
        ("/trailing/", 200, "ours"),
        ("/docs", 200, "<!doctype html>"),
        ("/nowhere", 404, "urn:bifold:problem:not_found"),
        ("/api/nothing", 404, "there is no function `nothing`"),
        ("/items", 405, ""),
    ] {
        let answer = app.get(path).await;
        let text = answer.text();
        assert_eq!(answer.status.as_u16(), status, "{path}: {text}");
        assert!(
            text.to_lowercase().contains(said) || text.contains(said),
            "{path}: {text}"
        );
        assert!(!answer.header("x-request-id").is_empty(), "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
    }
    let answer = app.post("/items", r#"{"a":1}"#).await;
    assert_eq!(answer.json(), json!({"a": 1}));
}

#[tokio::test]
async fn without_a_route_for_it_the_index_is_the_one_of_the_library() {
    let with = app(Router::new().route("/other", get(async || "other"))).await;
    let without = TestApp::serving(Server::new("weather", "1.0.0")).await;
    assert_eq!(with.get("/").await.text(), without.get("/").await.text());
}

#[tokio::test]
async fn a_fallback_of_ones_own_answers_what_nothing_else_does() {
    let routes = Router::new().fallback(async || (StatusCode::NOT_FOUND, "our own page"));
    let app = app(routes).await;
    let answer = app.get("/nowhere").await;
    assert_eq!(
        (answer.status.as_u16(), answer.text().as_str()),
        (404, "our own page")
    );
    assert_eq!(app.get("/health").await.status, 200);
}

#[tokio::test]
async fn a_panic_of_a_route_fails_only_its_own_request() {
    async fn panics() -> &'static str {
        panic!("a defect")
    }
    let app = app(Router::new().route("/panics", get(panics))).await;
    let answer = app.get("/panics").await;
    assert_eq!(answer.status, 500);
    let problem = answer.json();
    assert_eq!(problem["type"], "urn:bifold:problem:internal");
    assert_eq!(problem["request_id"], answer.header("x-request-id"));
    assert_eq!(app.get("/health").await.status, 200);
}

#[tokio::test]
async fn the_last_layer_is_the_outermost_and_sees_every_response() {
    async fn inner(request: Request, next: Next) -> Response {
        let mut response = next.run(request).await;
        response
            .headers_mut()
            .insert("x-by", "inner".parse().unwrap());
        response
    }
    async fn outer(request: Request, next: Next) -> Response {
        let mut response = next.run(request).await;
        let by = format!("outer({})", response.headers()["x-by"].to_str().unwrap());
        response.headers_mut().insert("x-by", by.parse().unwrap());
        response
    }
    let server = Server::new("weather", "1.0.0");
    let app = TestApp::serving(server.layer(from_fn(inner)).layer(from_fn(outer))).await;
    for path in ["/health", "/docs", "/openapi.json", "/nowhere"] {
        assert_eq!(app.get(path).await.header("x-by"), "outer(inner)", "{path}");
    }
    let ping = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
    let answer = app.post("/mcp", ping).await;
    assert_eq!(answer.header("x-by"), "outer(inner)");
    assert_eq!(answer.json()["result"], json!({}));
}

#[tokio::test]
async fn a_layer_that_puts_another_request_in_place_of_the_one_it_got_still_reaches_the_application()
 {
    async fn rewritten(request: Request, next: Next) -> Response {
        let (mut parts, body) = request.into_parts();
        parts.uri = "/health".parse().unwrap();
        parts.extensions.remove::<Context>();
        next.run(Request::from_parts(parts, body)).await
    }
    let server = Server::new("weather", "1.0.0").layer(from_fn(rewritten));
    let app = TestApp::serving(server).await;
    assert_eq!(app.get("/anything").await.json()["name"], "weather");
}
