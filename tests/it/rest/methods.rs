//! The methods of paths: which are taken, where their arguments stand, and what is said of the others.

use axum::body::Body;
use bifold::{App, Config, Context, JsonSchema, RequestInfo, Result, Server, Tool};
use http::{Request, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{problem, request, wrong_argument};
use crate::lambda::answer;
use crate::support::{Answer, Log, TestApp};

/// Repeats a note.
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Note {
    /// The number of the note.
    id: u32,
    /// Its text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

/// Repeats a city.
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct City {
    /// Its name.
    city: String,
}

/// Compares cities.
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Compare {
    /// Their names.
    cities: Vec<String>,
}

pub async fn note(_: Context, note: Note) -> Result<Note> {
    Ok(note)
}

async fn city(_: Context, city: City) -> Result<City> {
    Ok(city)
}

async fn compare(_: Context, compare: Compare) -> Result<Compare> {
    Ok(compare)
}

fn server() -> Server {
    Server::new("notes", "1.0.0").tools(vec![
        Tool::new("read_note", note).get("/notes/{id}"),
        Tool::new("write_note", note)
            .post("/notes/{id}")
            .status(201),
        Tool::new("replace_note", note).put("/notes/{id}"),
        Tool::new("change_note", note).patch("/notes/{id}"),
        Tool::new("delete_note", note)
            .delete("/notes/{id}")
            .without_name_path(),
        Tool::new("weather", city).get("/weather/{city}"),
        Tool::new("compare_weather", compare).post("/weather/compare"),
    ])
}

async fn app() -> TestApp {
    TestApp::serving(server()).await
}

fn with_body(method: &str, path: &str, body: &'static str) -> Request<Body> {
    let request = Request::builder().method(method).uri(path);
    let request = request.header("content-type", "application/json");
    request.body(body.into()).unwrap()
}

#[track_caller]
fn assert_note(answer: &Answer, status: u16, expected: Value) {
    assert_eq!(answer.status.as_u16(), status, "{}", answer.text());
    assert_eq!(answer.json(), expected);
}

#[tokio::test]
async fn every_method_reaches_its_function_with_arguments_from_path_and_query_or_body() {
    let app = app().await;
    let body = r#"{"text":"x"}"#;
    let expected = json!({"id": 7, "text": "x"});
    for (method, path, body, status) in [
        ("GET", "/api/notes/7?text=x", "", 200),
        ("DELETE", "/api/notes/7?text=x", "", 200),
        ("POST", "/api/notes/7", body, 201),
        ("PUT", "/api/notes/7", body, 200),
        ("PATCH", "/api/notes/7", body, 200),
    ] {
        let answer = app.send(with_body(method, path, body)).await;
        assert_note(&answer, status, expected.clone());
    }
    let without_fields = app.send(with_body("PUT", "/api/notes/7", " { } ")).await;
    assert_note(&without_fields, 200, json!({"id": 7}));
    let without_body = app.send(request("PUT", "/api/notes/7")).await;
    assert_note(&without_body, 200, json!({"id": 7}));
    let head = app.send(request("HEAD", "/api/notes/7")).await;
    assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0));
}

#[tokio::test]
async fn an_argument_stands_in_one_place_and_the_message_says_in_which() {
    let app = app().await;
    for (method, path, body, field, said) in [
        (
            "PUT",
            "/api/notes/7",
            r#"{"id":7}"#,
            "id",
            "the path, not in the body",
        ),
        ("PUT", "/api/notes/7?text=x", "{}", "text", "in the body"),
        ("PUT", "/api/notes/x", "{}", "id", "whole number"),
        ("PUT", "/api/notes/7", r#"{"text":5}"#, "text", ""),
        ("PUT", "/api/notes/7", r#"{"other":5}"#, "other", ""),
        ("PUT", "/api/notes/7", "[1]", "$", "object"),
        ("PUT", "/api/notes/7", "{", "$", "JSON"),
        ("DELETE", "/api/notes/7?id=7", "", "id", "more than once"),
        ("DELETE", "/api/notes/%ff", "", "$", "UTF-8"),
    ] {
        let answer = app.send(with_body(method, path, body)).await;
        let problem = wrong_argument(&answer, field);
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(said), "{method} {path} {body}: {detail}");
    }
}

#[tokio::test]
async fn other_methods_are_refused_with_all_that_the_path_takes() {
    let app = app().await;
    for (method, path, allowed) in [
        ("TRACE", "/api/notes/7", "GET,HEAD,POST,PUT,PATCH,DELETE"),
        ("OPTIONS", "/api/notes/7", "GET,HEAD,POST,PUT,PATCH,DELETE"),
        ("PUT", "/api/weather/berlin", "GET,HEAD"),
        ("PUT", "/api/weather/compare", "GET,HEAD,POST"),
        ("GET", "/api/read_note", "POST"),
    ] {
        let answer = app.send(request(method, path)).await;
        problem(&answer, 405, "method_not_allowed");
        assert_eq!(answer.header("allow"), allowed, "{method} {path}");
    }
}

#[tokio::test]
async fn a_path_of_one_method_does_not_hide_that_of_another() {
    let app = app().await;
    let compared = app
        .post("/api/weather/compare", r#"{"cities":["a","b"]}"#)
        .await;
    assert_eq!(compared.json(), json!({"cities": ["a", "b"]}));
    let named = app.get("/api/weather/compare").await;
    assert_eq!(named.json(), json!({"city": "compare"}));
}

#[tokio::test]
async fn the_path_of_the_name_can_be_taken_away() {
    let app = app().await;
    let by_name = app.post("/api/read_note", r#"{"id":7}"#).await;
    assert_note(&by_name, 200, json!({"id": 7}));
    let answer = app.post("/api/delete_note", r#"{"id":7}"#).await;
    problem(&answer, 404, "unknown_function");
    let document = app.get("/openapi.json").await.json();
    assert!(document["paths"].get("/api/delete_note").is_none());
    assert!(document["paths"]["/api/notes/{id}"]["delete"].is_object());
}

#[tokio::test]
async fn every_method_works_through_a_lambda_event() {
    let app = app().await;
    for (method, status) in [("PUT", 200), ("PATCH", 200), ("POST", 201), ("DELETE", 200)] {
        let event = json!({
            "version": "2.0",
            "rawPath": "/api/notes/7",
            "rawQueryString": "",
            "headers": {"content-type": "application/json"},
            "requestContext": {"http": {"method": method, "path": "/api/notes/7"}},
            "body": "{}",
            "isBase64Encoded": false,
        });
        let reply = answer(&app, &event).await;
        assert_eq!(reply.status(), status, "{method}");
        assert_eq!(reply.json(), json!({"id": 7}), "{method}");
    }
}

#[tokio::test]
async fn the_access_line_names_the_method() {
    let log = Log::default();
    let _kept = log.keep();
    let app = app().await;
    for method in ["PUT", "PATCH", "DELETE"] {
        app.send(request(method, "/api/notes/7")).await;
        let lines = log.requests();
        assert_eq!(lines.last().unwrap()["method"], method);
    }
}

#[tokio::test]
async fn a_preflight_lists_the_methods_of_the_functions() {
    let mut config = Config::default();
    config.allowed_origins = vec!["https://page.example".to_owned()];
    let app = App::new(config, server()).unwrap();
    let preflight = Request::options("/api/notes/7")
        .header("origin", "https://page.example")
        .header("access-control-request-method", "DELETE")
        .body(Body::empty())
        .unwrap();
    let response = app.serve(preflight, RequestInfo::default()).await;
    assert_eq!(response.status(), StatusCode::NO_CONTENT);
    let methods = &response.headers()["access-control-allow-methods"];
    assert_eq!(methods, "GET, POST, DELETE, PATCH, PUT");
}
