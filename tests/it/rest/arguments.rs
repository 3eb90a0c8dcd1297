//! Arguments: from the path, the query and the body, and every way in which they are wrong.

use bifold::{Context, JsonSchema, Result, Server, Tool};
use http::{Request, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{post_as, problem, wallet_path, wrong_argument};
use crate::support::{Answer, TestApp};

/// Repeats its arguments.
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Echo {
    /// A text.
    text: String,
    /// A whole number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    whole: Option<i64>,
    /// A number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    number: Option<f64>,
    /// A yes or no.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    flag: Option<bool>,
}

async fn echo(_: Context, echo: Echo) -> Result<Echo> {
    Ok(echo)
}

/// A server whose one function repeats its arguments, at `/api/say`.
pub async fn echoing() -> TestApp {
    let tool = Tool::new("echo", echo).get("/say/{text}").also_get("/say");
    TestApp::serving(Server::new("echo", "1.0.0").tools(vec![tool])).await
}

#[track_caller]
fn assert_echo(answer: &Answer, expected: serde_json::Value) {
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    assert_eq!(answer.json(), expected);
}

#[tokio::test]
async fn texts_of_a_url_are_typed_by_the_schema() {
    let app = echoing().await;
    for (path, expected) in [
        ("/api/say/5", json!({"text": "5"})),
        ("/api/say/true", json!({"text": "true"})),
        ("/api/say?text=", json!({"text": ""})),
        ("/api/say?text", json!({"text": ""})),
        ("/api/say?&text=a&&", json!({"text": "a"})),
        ("/api/say?text=a=b", json!({"text": "a=b"})),
        ("/api/say?text=a+b%2Bc%20d", json!({"text": "a b+c d"})),
        ("/api/say/a+b%2Bc", json!({"text": "a+b+c"})),
        ("/api/say?%74ext=%22%5C%0a", json!({"text": "\"\\\n"})),
        ("/api/say?text=gr%C3%B6%C3%9Fe", json!({"text": "größe"})),
        ("/api/say?text=100%", json!({"text": "100%"})),
        (
            "/api/say/x?whole=-5&number=2.5&flag=true",
            json!({"text": "x", "whole": -5, "number": 2.5, "flag": true}),
        ),
        ("/api/say/x?whole=2.0", json!({"text": "x", "whole": 2})),
        ("/api/say/x?whole=-1e2", json!({"text": "x", "whole": -100})),
        (
            "/api/say/x?number=1e2&flag=false",
            json!({"text": "x", "number": 100.0, "flag": false}),
        ),
    ] {
        assert_echo(&app.get(path).await, expected);
    }
}

#[tokio::test]
async fn a_text_that_is_not_of_its_type_is_refused() {
    let app = echoing().await;
    for (query, field) in [
        ("whole=", "whole"),
        ("whole=x", "whole"),
        ("whole=5x", "whole"),
        ("whole=+5", "whole"),
        ("whole=%205", "whole"),
        ("whole=0x10", "whole"),
        ("whole=1.5", "whole"),
        ("whole=null", "whole"),
        ("whole=%225%22", "whole"),
        ("whole=99999999999999999999", "whole"),
        ("number=NaN", "number"),
        ("number=inf", "number"),
        ("number=1e999", "number"),
        ("flag=1", "flag"),
        ("flag=True", "flag"),
        ("flag=", "flag"),
    ] {
        wrong_argument(&app.get(&format!("/api/say/x?{query}")).await, field);
    }
}

#[tokio::test]
async fn a_key_of_a_query_must_be_known_and_stand_once() {
    let app = echoing().await;
    for (path, field) in [
        ("/api/say/x?other=1", "other"),
        ("/api/say/x?Whole=1", "Whole"),
        ("/api/say/x?=1", ""),
        ("/api/say/x?whole[]=1", "whole[]"),
        ("/api/say/x?whole=1&whole=1", "whole"),
        ("/api/say/x?text=y", "text"),
        ("/api/say?text=x&text=y", "text"),
        ("/api/say", "text"),
        ("/api/say?text=%ff", "$"),
        ("/api/say?%ff=x", "$"),
    ] {
        wrong_argument(&app.get(path).await, field);
    }
    let twice = wrong_argument(&app.get("/api/say?text=x&text=y").await, "text");
    assert!(
        twice["detail"].as_str().unwrap().contains("more than once"),
        "{twice}"
    );
    let known = wrong_argument(&app.get("/api/say/x?other=1").await, "other");
    assert!(
        known["detail"].as_str().unwrap().contains("`whole`"),
        "{known}"
    );
}

#[tokio::test]
async fn a_function_without_parameters_says_so() {
    let app = TestApp::start().await;
    let problem = wrong_argument(&app.get("/api/registry_summary?a=1").await, "a");
    assert!(
        problem["detail"].as_str().unwrap().contains("takes none"),
        "{problem}"
    );
}

#[tokio::test]
async fn a_query_on_a_post_is_refused_with_its_key() {
    let app = echoing().await;
    for (path, field) in [
        ("/api/echo?text=x", "text"),
        ("/api/echo?text", "text"),
        ("/api/echo?whole=1&text=x", "whole"),
    ] {
        wrong_argument(&app.post(path, r#"{"text":"x"}"#).await, field);
    }
    assert_echo(
        &app.post("/api/echo?", r#"{"text":"x"}"#).await,
        json!({"text": "x"}),
    );
}

#[tokio::test]
async fn no_body_is_no_arguments() {
    let app = TestApp::start().await;
    let path = "/api/get_registry_summary";
    let expected = app.get("/api/registry_summary").await.text();
    assert_eq!(app.post(path, "").await.text(), expected);
    assert_eq!(app.post(path, " {} \n").await.text(), expected);
    let without_type = Request::post(path).body(axum::body::Body::empty()).unwrap();
    assert_eq!(app.send(without_type).await.text(), expected);
    wrong_argument(
        &app.post("/api/fetch_account_info", "").await,
        "wallet_address",
    );
}

#[tokio::test]
async fn a_body_that_is_no_object_is_refused_as_a_whole() {
    let app = echoing().await;
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    for body in ["[]", r#"["x"]"#, r#""x""#, "null", "5", "true", &deep] {
        wrong_argument(&app.post("/api/echo", body.to_owned()).await, "$");
    }
}

#[tokio::test]
async fn a_body_that_is_not_json_is_refused_as_a_whole() {
    let app = echoing().await;
    for body in [
        b"{".as_slice(),
        b" ",
        b"{\"text\":\"x\"} y",
        b"{\"text\":\"x\",}",
        b"{'text':'x'}",
        b"text=x",
        b"{\"text\":\"\xff\"}",
        b"\xef\xbb\xbf{\"text\":\"x\"}",
    ] {
        wrong_argument(&app.post("/api/echo", body.to_vec()).await, "$");
    }
}

#[tokio::test]
async fn a_field_that_is_wrong_is_named() {
    let app = echoing().await;
    for (body, field) in [
        ("{}", "text"),
        (r#"{"text":5}"#, "text"),
        (r#"{"text":null}"#, "text"),
        (r#"{"text":"x","text":"y"}"#, "text"),
        (r#"{"text":"x","other":1}"#, "other"),
        (r#"{"text":"x","whole":"5"}"#, "whole"),
        (r#"{"text":"x","whole":5.5}"#, "whole"),
        (r#"{"text":"x","flag":1}"#, "flag"),
    ] {
        wrong_argument(&app.post("/api/echo", body).await, field);
    }
}

#[tokio::test]
async fn a_body_of_another_type_is_refused() {
    let app = echoing().await;
    for kind in [
        "text/plain",
        "multipart/form-data; boundary=x",
        "application/octet-stream",
        "application/jsonp",
        "",
    ] {
        let answer = post_as(&app, "/api/echo", kind, r#"{"text":"x"}"#).await;
        problem(&answer, 415, "unsupported_media_type");
    }
    let untyped = Request::post("/api/echo")
        .body(r#"{"text":"x"}"#.into())
        .unwrap();
    problem(&app.send(untyped).await, 415, "unsupported_media_type");
    for kind in ["application/json; charset=utf-8", "APPLICATION/JSON"] {
        let answer = post_as(&app, "/api/echo", kind, r#"{"text":"x"}"#).await;
        assert_echo(&answer, json!({"text": "x"}));
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_too_large() {
    let app = TestApp::with(|config| config.max_request_bytes = 64).await;
    let path = "/api/get_registry_summary";
    let at_limit = format!("{{}}{}", " ".repeat(62));
    assert_eq!(
        app.post(path, at_limit.clone()).await.status,
        StatusCode::OK
    );
    let answer = app.post(path, format!("{at_limit} ")).await;
    let problem = problem(&answer, 413, "payload_too_large");
    assert!(
        problem["detail"].as_str().unwrap().contains("64"),
        "{problem}"
    );
}

#[tokio::test]
async fn a_path_parameter_cannot_stand_in_the_query_too() {
    let app = TestApp::start().await;
    let path = format!("{}?wallet_address=x", wallet_path());
    wrong_argument(&app.get(&path).await, "wallet_address");
    assert!(app.replay.seen().is_empty());
}
