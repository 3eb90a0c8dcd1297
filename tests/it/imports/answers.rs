//! What a call answers with: results as they came, and errors in the words of the API.

use bifold::testing::{Canned, Client, Fault};
use bifold::{Config, Import, Kind, Server};
use serde_json::{Value, json};

use super::{answering, api, importing, of_operation, unreached};

fn with_response(media_type: &str, schema: Value) -> Value {
    let response = json!({"description": "", "content": {media_type: {"schema": schema}}});
    of_operation("get", "/q", json!({"responses": {"200": response}}))
}

fn of_json(schema: Value) -> Value {
    with_response("application/json", schema)
}

#[tokio::test]
async fn json_passes_through_byte_for_byte_though_it_does_not_fit_its_schema() {
    let schema = json!({"type": "object", "required": ["a"], "additionalProperties": false, "properties": {
        "a": {"type": "integer"}, "b": {"type": "object", "properties": {"c": {"type": "string", "enum": ["x"]}}},
    }});
    let body = r#"{"a": "no number", "b": [1.0, 1e400], "z": null}"#;
    let api = answering(Canned::json(body)).await;
    let client = importing(&of_json(schema), &api).await;
    let rest = client.rest().post("/api/api/it", json!({})).await;
    assert_eq!((rest.status(), rest.text()), (200, body));
    let rest = client.rest().get("/api/api/it").await;
    assert_eq!((rest.status(), rest.text()), (200, body));
    let result = client.mcp().list_tools().await.unwrap().remove(0);
    let output = &result["outputSchema"];
    assert_eq!(output["type"], "object");
    // Fields are named and described, and nothing is demanded that an API may not keep to.
    assert_eq!(
        output["properties"]["a"],
        json!({"description": "Integer."})
    );
    assert_eq!(output.get("required"), None);
    let body = r#"{"a":"no number","z":null}"#;
    let api = answering(Canned::json(body)).await;
    let client = importing(
        &of_json(json!({"type": "object", "properties": {"a": {"type": "integer"}}})),
        &api,
    )
    .await;
    let result = client.mcp().call("it", json!({})).await.unwrap();
    assert_eq!(
        result.structured(),
        Some(&json!({"a": "no number", "z": null}))
    );
    assert_eq!(result.text(), body);
}

#[tokio::test]
async fn what_is_not_an_object_is_wrapped_as_its_schema_says_on_mcp() {
    for (schema, body, expected) in [
        (
            json!({"type": "array", "items": {"type": "integer"}}),
            "[1,2]",
            json!({"result": [1, 2]}),
        ),
        (
            json!({"type": "array", "items": {}}),
            r#"{"a":1}"#,
            json!({"result": {"a": 1}}),
        ),
        (json!({"type": "object"}), "[1]", json!({"result": [1]})),
        (json!({"type": "object"}), r#"{"a":1}"#, json!({"a": 1})),
        (json!({"type": "string"}), r#""x""#, json!({"result": "x"})),
    ] {
        let api = answering(Canned::json(body)).await;
        let client = importing(&of_json(schema.clone()), &api).await;
        let result = client.mcp().call("it", json!({})).await.unwrap();
        assert_eq!(result.structured(), Some(&expected), "{schema} {body}");
        let published = client.mcp().list_tools().await.unwrap().remove(0)["outputSchema"].take();
        assert_eq!(published["type"], "object", "{schema}");
        let required = published.get("required").and_then(Value::as_array);
        for name in required.into_iter().flatten().filter_map(Value::as_str) {
            assert!(expected.get(name).is_some(), "{schema} {body}");
        }
    }
}

#[tokio::test]
async fn texts_and_bytes_keep_their_media_type() {
    let api = answering(Canned::bytes("image/png", &b"\x89PNG"[..])).await;
    let client = importing(&with_response("image/png", json!({})), &api).await;
    let rest = client.rest().post("/api/api/it", json!({})).await;
    assert_eq!(
        (rest.header("content-type"), &rest.bytes()[..]),
        ("image/png", &b"\x89PNG"[..])
    );
    let result = client.mcp().call("it", json!({})).await.unwrap();
    assert_eq!(result.content()[0]["type"], "image");
    let api = answering(Canned::status(200, "text/csv", "a,b\n")).await;
    let client = importing(&with_response("text/csv", json!({})), &api).await;
    assert_eq!(
        client.rest().post("/api/api/it", json!({})).await.text(),
        "a,b\n"
    );
    assert_eq!(super::last(&api).header("accept"), Some("text/csv"));
}

#[tokio::test]
async fn without_a_declared_response_whatever_comes_is_the_result() {
    let document = of_operation(
        "delete",
        "/q",
        json!({"responses": {"204": {"description": "gone"}}}),
    );
    for (canned, expected) in [
        (Canned::status(204, "", ""), json!(null)),
        (Canned::json(r#"{"a":1}"#), json!({"a": 1})),
    ] {
        let api = answering(canned).await;
        let client = importing(&document, &api).await;
        assert_eq!(client.call("it", json!({})).await.unwrap(), expected);
        assert!(!client.mcp().call("it", json!({})).await.unwrap().is_error());
    }
    let api = answering(Canned::status(200, "text/plain", "done")).await;
    let client = importing(&document, &api).await;
    let result = client.mcp().call("it", json!({})).await.unwrap();
    assert!(result.content()[0].to_string().contains("done"));
}

#[tokio::test]
async fn json_is_read_whatever_its_type_is_called_and_nothing_is_null() {
    for (canned, expected) in [
        (Canned::status(200, "text/plain", "[1]"), json!([1])),
        (Canned::status(200, "", "[1]"), json!([1])),
        (Canned::status(204, "", ""), json!(null)),
    ] {
        let api = answering(canned).await;
        let client = importing(&of_json(json!({})), &api).await;
        assert_eq!(client.call("it", json!({})).await.unwrap(), expected);
    }
}

#[tokio::test]
async fn a_body_that_is_not_json_is_a_failure_of_the_upstream() {
    for canned in [
        Canned::status(200, "text/html", "<html>"),
        Canned::json("{broken"),
    ] {
        let api = answering(canned).await;
        let client = importing(&of_json(json!({"type": "object"})), &api).await;
        let error = client.call("it", json!({})).await.unwrap_err();
        assert_eq!(error.kind(), Kind::UpstreamInvalidResponse);
    }
}

/// The status and the body of an API, and the kind and the end of the message of the error.
type Refusal = (u16, &'static str, &'static str, &'static str);

#[tokio::test]
async fn a_refusal_is_an_error_with_the_message_of_the_api() {
    let rows: [Refusal; 13] = [
        (
            400,
            r#"{"message":"bad name"}"#,
            "invalid_argument",
            "answered with HTTP 400: bad name",
        ),
        (
            422,
            r#"{"message":"Validation Failed","errors":[{"field":"a","message":"is required"}]}"#,
            "invalid_argument",
            "answered with HTTP 422: Validation Failed (is required)",
        ),
        (
            404,
            r#"{"error":{"message":"no such pet"}}"#,
            "not_found",
            "answered with HTTP 404: no such pet",
        ),
        (
            409,
            r#"{"detail":"exists"}"#,
            "conflict",
            "answered with HTTP 409: exists",
        ),
        (
            401,
            r#"{"error":"invalid_token","error_description":"expired"}"#,
            "upstream_error",
            "answered with HTTP 401: expired",
        ),
        (
            403,
            r#"{"title":"Forbidden"}"#,
            "upstream_error",
            "answered with HTTP 403: Forbidden",
        ),
        (
            418,
            "I am a teapot",
            "upstream_error",
            "answered with HTTP 418: I am a teapot",
        ),
        (
            400,
            "<html><body>Bad</body></html>",
            "invalid_argument",
            "answered with HTTP 400",
        ),
        (400, "", "invalid_argument", "answered with HTTP 400"),
        (
            400,
            r#"{"code":7}"#,
            "invalid_argument",
            r#"answered with HTTP 400: {"code":7}"#,
        ),
        (
            400,
            r#"{"errors":{"name":["too long"]}}"#,
            "invalid_argument",
            "answered with HTTP 400: name: too long",
        ),
        (
            500,
            r#"{"message":"internal secret"}"#,
            "upstream_error",
            "answered with HTTP 500",
        ),
        (
            429,
            r#"{"message":"slow down"}"#,
            "rate_limited",
            "limits the request rate (HTTP 429)",
        ),
    ];
    for (status, body, kind, message) in rows {
        let api = answering(Canned::status(status, "application/json", body)).await;
        let mut config = Config::default();
        config.upstream_tries = 1;
        config
            .upstream_urls
            .insert("api".to_owned(), api.url("api"));
        let server = Server::new("it", "1.0.0").openapi(unreached(&of_json(json!({}))));
        let client = Client::with(config, server).await.unwrap();
        let error = client.call("it", json!({})).await.unwrap_err();
        assert_eq!(error.kind().as_str(), kind, "{status} {body}");
        assert_eq!(error.message(), format!("upstream `api` {message}"));
        let result = client.mcp().call("it", json!({})).await.unwrap();
        assert!(result.is_error());
        assert!(result.text().contains(message), "{}", result.text());
    }
}

#[tokio::test]
async fn the_message_of_an_api_is_bounded_and_on_one_line() {
    let body = json!({"message": format!("a\r\nb\u{1b}[31m {}", "x".repeat(100_000))}).to_string();
    let api = answering(Canned::status(400, "application/json", body)).await;
    let client = importing(&of_json(json!({})), &api).await;
    let error = client.call("it", json!({})).await.unwrap_err();
    assert!(error.message().chars().count() < 500);
    assert!(!error.message().contains(|it: char| it.is_control()));
}

#[tokio::test]
async fn safe_requests_are_tried_again_and_others_are_not() {
    let document = super::document(json!({"/q": {
        "get": {"operationId": "read", "responses": {"200": {"description": "", "content": {"application/json": {}}}}},
        "post": {"operationId": "write"},
    }}));
    let api = api()
        .on_get("/q")
        .times(1)
        .status(503)
        .on_get("/q")
        .json(json!([1]))
        .on_post("/q")
        .status(503)
        .start()
        .await
        .unwrap();
    let mut config = Config::default();
    api.configure(&mut config);
    let server = Server::new("it", "1.0.0").openapi(unreached(&document));
    let client = Client::with(config, server).await.unwrap();
    assert_eq!(client.call("read", json!({})).await.unwrap(), json!([1]));
    assert_eq!(api.count("GET", "/q"), 2);
    assert!(client.call("write", json!({})).await.is_err());
    assert_eq!(api.count("POST", "/q"), 1);
}

#[tokio::test(start_paused = true)]
async fn an_api_that_hangs_costs_a_call_its_time_and_no_more() {
    let api = answering(Canned::json("{}").fault(Fault::Hang)).await;
    let client = importing(&of_json(json!({})), &api).await;
    let error = client.call("it", json!({})).await.unwrap_err();
    assert!(
        matches!(error.kind(), Kind::UpstreamTimeout | Kind::DeadlineExceeded),
        "{error}"
    );
}

#[tokio::test]
async fn responses_are_cached_where_the_import_says_so() {
    for (seconds, requests) in [(0, 2), (60, 1)] {
        let api = answering(Canned::json("{}")).await;
        let import = Import::text(of_json(json!({})).to_string())
            .name("api")
            .base_url(api.url("api"));
        let policy = bifold::upstream::CachePolicy::seconds(seconds, 0);
        let client = super::started(import.cache_for(policy)).await;
        for _ in 0..2 {
            client.call("it", json!({})).await.unwrap();
        }
        assert_eq!(api.received().len(), requests);
    }
}

#[tokio::test]
async fn a_failing_part_of_an_api_leaves_the_others_alone() {
    let document = super::document(json!({
        "/bad/{id}": {"get": {"operationId": "bad"}},
        "/good": {"get": {"operationId": "good"}},
    }));
    let api = api()
        .on_get("/bad/{id}")
        .status(500)
        .on_get("/good")
        .json(json!("fine"))
        .start()
        .await
        .unwrap();
    let mut config = Config::default();
    config.upstream_tries = 1;
    api.configure(&mut config);
    let server = Server::new("it", "1.0.0").openapi(unreached(&document));
    let client = Client::with(config, server).await.unwrap();
    // The network is asked only by calls.
    assert_eq!(api.received().len(), 0);
    for id in 0..10 {
        assert!(
            client
                .call("bad", json!({"id": id.to_string()}))
                .await
                .is_err()
        );
    }
    // After five failures in a row the circuit breaker asks no more, of that part.
    assert_eq!(api.received().len(), 5);
    assert_eq!(client.call("good", json!({})).await.unwrap(), json!("fine"));
}
