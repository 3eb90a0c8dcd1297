//! Keys: what they look like, and which call they belong to.

use axum::extract::Request as AxumRequest;
use axum::middleware::{Next, from_fn};
use bifold::{App, Config, Context, Principal};
use http::Request;
use serde_json::json;

use super::{Effects, mcp, rest, result, server, serving};
use crate::support::TestApp;

#[tokio::test]
async fn a_call_that_is_repeated_gets_the_first_answer_on_either_protocol() {
    let (app, effects) = serving().await;
    let arguments = json!({"id": 7});
    let first = app.send(rest("pay", "k-1", &arguments)).await;
    assert_eq!(first.status, 200, "{}", first.text());
    assert_eq!(first.header("idempotent-replayed"), "");
    // The same arguments, written in another way, and the key in the quotes of the draft.
    let again = app
        .send(rest("pay", "\"k-1\"", &json!({"bytes": null, "id": 7})))
        .await;
    assert_eq!(
        (again.text(), again.header("idempotent-replayed")),
        (first.text(), "true")
    );
    let put = Request::post("/api/payments/7").header("idempotency-key", "k-1");
    let by_path = app.send(put.body("".into()).unwrap()).await;
    assert_eq!(by_path.text(), first.text());
    let on_mcp = result(&app.send(mcp("pay", "k-1", &arguments)).await);
    assert_eq!(on_mcp["structuredContent"], first.json());
    assert_eq!(
        on_mcp["_meta"]["bifold/idempotency"],
        json!({"replayed": true})
    );
    assert_eq!(effects.paid(), [(7, 1)].into());
    // Another key, and none, are other calls.
    for request in [
        rest("pay", "k-2", &arguments),
        rest("pay", "k-1", &arguments),
    ] {
        app.send(request).await;
    }
    app.post("/api/pay", arguments.to_string()).await;
    assert_eq!(effects.paid(), [(7, 3)].into());
}

#[tokio::test]
async fn a_key_of_another_call_is_refused() {
    let (app, effects) = serving().await;
    app.send(rest("pay", "k", &json!({"id": 7}))).await;
    for (name, arguments) in [
        ("pay", json!({"id": 8})),
        ("pay", json!({"id": 7, "bytes": 1})),
        ("refund", json!({"id": 7})),
    ] {
        let refused = app.send(rest(name, "k", &arguments)).await;
        assert_eq!(refused.status, 422, "{}", refused.text());
        assert_eq!(refused.json()["kind"], "idempotency_key_reused");
        let on_mcp = result(&app.send(mcp(name, "k", &arguments)).await);
        assert_eq!(on_mcp["isError"], true);
        assert_eq!(
            on_mcp["_meta"]["bifold/error"]["kind"],
            "idempotency_key_reused"
        );
        assert_eq!(on_mcp["content"][0]["text"], refused.json()["detail"]);
    }
    assert_eq!(effects.paid(), [(7, 1)].into());
}

#[tokio::test]
async fn a_malformed_key_is_refused_before_the_function_runs() {
    let (app, effects) = serving().await;
    let arguments = json!({"id": 7});
    for key in [
        "",
        "\"\"",
        "a b",
        "\"a",
        "\"a\"b\"",
        "\"a\\b\"",
        "\"a b\"",
        &"k".repeat(256),
    ] {
        let refused = app.send(rest("pay", key, &arguments)).await;
        assert_eq!(refused.status, 400, "{key}: {}", refused.text());
        assert_eq!(refused.json()["field"], "Idempotency-Key", "{key}");
        let refused = app.send(mcp("pay", key, &arguments)).await.json();
        assert_eq!(refused["error"]["code"], -32602, "{key}: {refused}");
    }
    for key in [json!(7), json!(["k"]), json!({})] {
        let meta = json!({"bifold/idempotencyKey": key});
        let params = json!({"name": "pay", "arguments": arguments, "_meta": meta});
        let refused = app.mcp("tools/call", params).await.json();
        assert_eq!(refused["error"]["code"], -32602, "{refused}");
    }
    let twice = Request::post("/api/pay")
        .header("content-type", "application/json")
        .header("idempotency-key", "a")
        .header("idempotency-key", "a");
    let refused = app
        .send(twice.body(arguments.to_string().into()).unwrap())
        .await;
    assert_eq!(
        refused.json()["field"],
        "Idempotency-Key",
        "{}",
        refused.text()
    );
    assert!(effects.paid().is_empty());
    let long = "k".repeat(255);
    for key in ["\"a\\\"b\"", "!#$%&'()*+,-./:;<=>?@[]^_`{|}~", &long] {
        assert_eq!(
            app.send(rest("pay", key, &arguments)).await.status,
            200,
            "{key}"
        );
    }
}

#[tokio::test]
async fn each_principal_has_keys_of_its_own() {
    async fn identify(cx: Context, request: AxumRequest, next: Next) -> axum::response::Response {
        if let Some(name) = request.headers().get("x-name") {
            cx.identify(Principal::new(name.to_str().unwrap()));
        }
        next.run(request).await
    }
    let effects = Effects::default();
    let server = server(&effects).layer(from_fn(identify));
    let app = TestApp::of(App::new(Config::default(), server).unwrap()).await;
    let mut texts = Vec::new();
    for name in ["ann", "bob", "ann"] {
        let mut request = rest("pay", "k", &json!({"id": 7}));
        request
            .headers_mut()
            .insert("x-name", name.parse().unwrap());
        texts.push(app.send(request).await.text());
    }
    assert_eq!(texts[0], texts[2]);
    assert_ne!(texts[0], texts[1]);
    assert_eq!(effects.paid(), [(7, 2)].into());
}

#[tokio::test]
async fn a_function_that_changes_nothing_needs_no_key_and_keeps_no_answer() {
    let (app, effects) = serving().await;
    for _ in 0..2 {
        let looked = app.send(rest("look", "k", &json!({"id": 7}))).await;
        assert_eq!(looked.header("idempotent-replayed"), "");
    }
    assert_eq!(effects.tries(), 2);
}

#[tokio::test]
async fn the_openapi_document_and_preflights_have_the_header() {
    let (app, _) = serving().await;
    let document = app.get("/openapi.json").await.json();
    let has = |path: &str, method: &str| {
        let operation = &document["paths"][path][method];
        let parameters = operation["parameters"].as_array();
        let mut parameters = parameters.into_iter().flatten();
        let is_there = parameters.any(|it| it["name"] == "Idempotency-Key" && it["in"] == "header");
        assert_eq!(
            is_there,
            operation["responses"].get("409").is_some(),
            "{path} {method}"
        );
        is_there
    };
    for (path, method, expected) in [
        ("/api/payments/{id}", "post", true),
        ("/api/payments/{id}", "delete", true),
        ("/api/payments/{id}", "get", false),
        ("/api/pay", "post", true),
        ("/api/look", "post", false),
    ] {
        assert_eq!(has(path, method), expected, "{path} {method}");
    }
}
