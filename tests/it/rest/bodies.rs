//! Bodies that are forms: their texts are typed by the schema, and pages of other origins may not send them.

use axum::body::Body;
use bifold::{App, Config, Context, JsonSchema, RequestInfo, Result, Server, Tool};
use http::Request;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{post_as, problem, wrong_argument};
use crate::support::{Answer, TestApp};

const FORM: &str = "application/x-www-form-urlencoded";

/// Repeats an order.
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Order {
    /// The number of the order.
    id: u32,
    /// What is ordered.
    items: Vec<String>,
    /// Whether it is urgent.
    #[serde(default)]
    urgent: bool,
    /// Where it goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    address: Option<Address>,
}

/// An address.
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Address {
    /// The city.
    city: String,
}

async fn order(_: Context, order: Order) -> Result<Order> {
    Ok(order)
}

fn server() -> Server {
    let tool = Tool::new("order", order).post("/orders/{id}");
    Server::new("orders", "1.0.0").tools(vec![tool])
}

async fn app() -> TestApp {
    TestApp::serving(server()).await
}

#[track_caller]
fn assert_json(answer: &Answer, expected: Value) {
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json(), expected);
}

#[tokio::test]
async fn the_texts_of_a_form_are_typed_by_the_schema() {
    let app = app().await;
    let expected =
        json!({"id": 1, "items": ["a b", "c"], "urgent": true, "address": {"city": "ü"}});
    let address = "address=%7B%22city%22%3A%22%C3%BC%22%7D";
    for (path, body) in [
        (
            "/api/orders/1",
            format!("items=a+b&items=c&urgent=true&{address}"),
        ),
        (
            "/api/order",
            format!("id=1&items=a%20b&{address}&urgent=true&items=c"),
        ),
    ] {
        for kind in [FORM, "Application/X-WWW-Form-Urlencoded; charset=UTF-8"] {
            assert_json(&post_as(&app, path, kind, &body).await, expected.clone());
        }
    }
}

#[tokio::test]
async fn a_form_that_is_wrong_is_refused_with_its_field() {
    let app = app().await;
    for (body, field) in [
        ("items=a&urgent=yes", "urgent"),
        ("items=a&urgent=true&urgent=true", "urgent"),
        ("items=a&id=1", "id"),
        ("items=a&other=1", "other"),
        ("items=a&address=x", "address"),
        ("items=a&address=%7B%22city%22%3A5%7D", "address.city"),
        ("urgent=true", "items"),
        ("items=%ff", "$"),
    ] {
        wrong_argument(&post_as(&app, "/api/orders/1", FORM, body).await, field);
    }
    let bytes = Request::post("/api/orders/1")
        .header("content-type", FORM)
        .body(Body::from(b"items=\xff".to_vec()))
        .unwrap();
    wrong_argument(&app.send(bytes).await, "$");
}

#[tokio::test]
async fn a_form_is_bounded_as_json_is() {
    let mut config = Config::default();
    config.max_request_bytes = 64;
    let app = TestApp::of(App::new(config, server()).unwrap()).await;
    let body = format!("items={}", "x".repeat(60));
    let answer = post_as(&app, "/api/orders/1", FORM, &body).await;
    problem(&answer, 413, "payload_too_large");
}

#[tokio::test]
async fn a_long_form_of_one_list_is_read_in_one_pass() {
    let app = app().await;
    let body = "items=a&".repeat(20_000);
    let answer = post_as(&app, "/api/orders/1", FORM, &body).await;
    assert_eq!(answer.json()["items"].as_array().unwrap().len(), 20_000);
}

#[tokio::test]
async fn another_type_is_refused_with_those_that_are_taken() {
    let app = app().await;
    let answer = post_as(&app, "/api/orders/1", "text/plain", "items=a").await;
    let problem = problem(&answer, 415, "unsupported_media_type");
    let detail = problem["detail"].as_str().unwrap();
    for kind in ["`Content-Type: application/json`", FORM] {
        assert!(detail.contains(kind), "{detail}");
    }
    assert!(!detail.contains("multipart"), "{detail}");
}

#[tokio::test]
async fn a_page_of_another_origin_cannot_send_a_form() {
    let listed = "https://listed.example";
    let mut config = Config::default();
    config.allowed_origins = vec![listed.to_owned()];
    let app = App::new(config, server()).unwrap();
    for (origin, kind, body, status) in [
        ("https://other.example", FORM, "items=a", 403),
        ("null", FORM, "items=a", 403),
        (listed, FORM, "items=a", 200),
        (
            "https://other.example",
            "application/json",
            r#"{"items":[]}"#,
            200,
        ),
    ] {
        let request = Request::post("/api/orders/1")
            .header("origin", origin)
            .header("content-type", kind)
            .body(body.into())
            .unwrap();
        let answer = Answer::read(app.serve(request, RequestInfo::default()).await).await;
        assert_eq!(answer.status, status, "{origin} {kind}: {}", answer.text());
        if status == 403 {
            problem(&answer, 403, "forbidden_origin");
        }
    }
}
