//! Errors of the application's own, and of other crates, on every protocol.

use std::num::ParseIntError;

use bifold::{Capability, Content, Context, Error, JsonSchema, Kind, Result, Server, Tool, batch};
use futures_util::{SinkExt, StreamExt};
use http::{Request, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{MODERN, TestApp, meta, modern, on_socket};

const NOTE_EXISTS: Kind = Kind::custom(409, "note_exists");

/// An error of the application's own.
enum Mine {
    Exists(u8),
    Parse(ParseIntError),
}

impl From<Mine> for Error {
    fn from(error: Mine) -> Error {
        match error {
            Mine::Exists(id) => Error::new(NOTE_EXISTS, "there is a note with this title")
                .with_field("title")
                .with_data(json!({ "id": id })),
            Mine::Parse(error) => error.into(),
        }
    }
}

/// Which error is wanted.
#[derive(Deserialize, JsonSchema)]
struct Fail {
    /// The HTTP status.
    status: u16,
}

fn of_status(Fail { status }: Fail) -> Result<()> {
    const MESSAGE: &str = "as it was asked for";
    Err(match status {
        401 => Error::unauthorized("who_are_you", MESSAGE),
        402 => Error::payment_required("pay_first", MESSAGE),
        403 => Error::forbidden("not_yours", MESSAGE),
        409 => Error::conflict("exists", MESSAGE),
        410 => Error::gone("was_deleted", MESSAGE),
        412 => Error::precondition_failed("changed", MESSAGE),
        422 => Error::unprocessable("too_odd", MESSAGE),
        429 => Error::too_many_requests("too_fast", MESSAGE)
            .retry_after(std::time::Duration::from_millis(1500)),
        503 => Error::unavailable("later", MESSAGE),
        status => Error::custom(status, "other", MESSAGE),
    })
}

async fn mine() -> Result<String, Mine> {
    Err(Mine::Exists(7))
}

fn theirs() -> Result<u8, Mine> {
    "secret".parse::<u8>().map_err(Mine::Parse)
}

fn of_io() -> Result<()> {
    Err(std::io::Error::other("secret"))?
}

fn of_json() -> Result<u8> {
    Ok(serde_json::from_str("secret")?)
}

fn of_box() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    Err("secret".into())
}

fn of_number() -> Result<u8> {
    Ok("secret".parse::<u8>()?)
}

fn of_any() -> Result<u8> {
    let received: Result<u8, _> = Err(std::sync::mpsc::RecvError);
    received.map_err(Error::from_std)
}

fn of_panic() -> u8 {
    panic!("secret")
}

fn misnamed() -> Result<()> {
    Err(Error::conflict("Not A Name", "secret"))
}

async fn late(cx: Context) -> Result<Content> {
    cx.detach().await;
    Err(Mine::Exists(7).into())
}

async fn serving() -> TestApp {
    let tools = [
        Tool::new("mine", mine).errors([(NOTE_EXISTS, "A note has this title")]),
        Tool::new("theirs", theirs),
        Tool::new("of_io", of_io),
        Tool::new("of_json", of_json),
        Tool::new("of_box", of_box),
        Tool::new("of_number", of_number),
        Tool::new("of_any", of_any),
        Tool::new("of_panic", of_panic),
        Tool::new("misnamed", misnamed),
    ];
    let tools = tools.map(|tool| {
        let path = format!("/{}", tool.name());
        tool.describe("Fails.").get(path)
    });
    let server = Server::new("errors", "1.0.0")
        .tools(tools)
        .tool(Tool::new("of_status", of_status).get("/of_status/{status}"))
        .tool(Tool::new("late", late).describe("Fails later.").task())
        .tool(batch::tool());
    TestApp::serving(server).await
}

/// The machine-readable part of the error of `mine`.
fn detail() -> Value {
    json!({"kind": "note_exists", "field": "title", "retryable": false, "status": 409, "data": {"id": 7}})
}

#[tokio::test]
async fn an_own_error_has_its_kind_status_field_and_data_on_rest() {
    let app = serving().await;
    for answer in [
        app.get("/api/mine").await,
        app.post("/api/mine", "{}").await,
    ] {
        assert_eq!(answer.status, 409);
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert_eq!(answer.text().matches("\"status\"").count(), 1);
        let mut problem = answer.json();
        problem["request_id"].take();
        assert_eq!(
            problem,
            json!({
                "type": "urn:bifold:problem:note_exists", "title": "Conflict", "status": 409,
                "detail": "there is a note with this title", "kind": "note_exists", "field": "title",
                "retryable": false, "data": {"id": 7}, "request_id": null,
            })
        );
    }
}

#[tokio::test]
async fn an_own_error_has_its_kind_field_and_data_on_mcp() {
    let app = serving().await;
    let result = app.tool("mine", json!({})).await;
    assert_eq!(result["isError"], true);
    assert_eq!(result["_meta"]["bifold/error"], detail());
    assert_eq!(
        result["content"],
        json!([
            {"type": "text", "text": "there is a note with this title"},
            {"type": "text", "text": "{\"id\":7}"},
        ])
    );
}

#[tokio::test]
async fn an_own_error_loses_nothing_in_a_batch_a_websocket_message_and_a_task() {
    let app = serving().await;
    let batch = app
        .post("/api/batch", r#"{"calls": [{"name": "mine"}]}"#)
        .await
        .json();
    let mut expected = detail();
    expected["message"] = "there is a note with this title".into();
    assert_eq!(batch["results"][0]["error"], expected);
    assert_eq!(batch["failures"][0]["kind"], "note_exists");

    let (address, serving) = on_socket(&app.app).await;
    let (mut socket, _) = tokio_tungstenite::connect_async(format!("ws://{address}/ws"))
        .await
        .unwrap();
    let params = json!({"name": "mine", "arguments": {}, "_meta": meta(MODERN)});
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
    socket.send(Message::text(call.to_string())).await.unwrap();
    let said = socket.next().await.unwrap().unwrap();
    let said: Value = serde_json::from_str(said.to_text().unwrap()).unwrap();
    assert_eq!(said["result"]["_meta"]["bifold/error"], detail());
    serving.abort();

    let task = ended_task(&app).await;
    assert_eq!(task["result"]["_meta"]["bifold/error"], detail(), "{task}");
}

/// The task of a call of `late`, once it has ended.
async fn ended_task(app: &TestApp) -> Value {
    let capabilities = Capability::declare(&[Capability::Tasks]);
    let with = |mut params: Value| {
        params["_meta"] = json!({"io.modelcontextprotocol/clientCapabilities": capabilities});
        params
    };
    let call = with(json!({"name": "late", "arguments": {}}));
    let begun = app.send(modern("tools/call", call)).await.json();
    let id = begun["result"]["taskId"]
        .as_str()
        .unwrap_or_else(|| panic!("{begun}"))
        .to_owned();
    loop {
        let mut request: Request<_> = modern("tasks/get", with(json!({"taskId": id})));
        request
            .headers_mut()
            .insert("mcp-name", id.parse().unwrap());
        let shown = app.send(request).await.json();
        if shown["result"]["status"] != "working" {
            return shown["result"].clone();
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn each_status_has_a_constructor() {
    let app = serving().await;
    for status in [
        401, 402, 403, 409, 410, 412, 422, 429, 503, 400, 418, 451, 500, 599,
    ] {
        let answer = app.get(&format!("/api/of_status/{status}")).await;
        let problem = answer.json();
        assert_eq!(answer.status, status, "{problem}");
        assert_eq!(problem["detail"], "as it was asked for");
        let is_later = matches!(status, 429 | 503);
        assert_eq!(problem["retryable"], is_later, "{problem}");
        let expected = match status {
            429 => "2",
            503 => "1",
            _ => "",
        };
        assert_eq!(answer.header("retry-after"), expected, "{problem}");
    }
}

#[tokio::test]
async fn a_status_or_a_name_that_cannot_be_reported_is_a_defect() {
    let app = serving().await;
    for path in [
        "of_status/200",
        "of_status/399",
        "of_status/600",
        "misnamed",
    ] {
        let answer = app.get(&format!("/api/{path}")).await;
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR, "{path}");
        assert_eq!(answer.json()["kind"], "internal", "{path}");
        assert!(!answer.text().contains("secret"), "{path}");
    }
}

#[tokio::test]
async fn the_errors_of_other_crates_are_internal_and_say_nothing() {
    let app = serving().await;
    for name in [
        "theirs",
        "of_io",
        "of_json",
        "of_box",
        "of_number",
        "of_any",
        "of_panic",
    ] {
        let answer = app.get(&format!("/api/{name}")).await;
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR, "{name}");
        assert_eq!(answer.json()["kind"], "internal", "{name}");
        let result = app.tool(name, json!({})).await;
        assert_eq!(
            result["_meta"]["bifold/error"]["kind"], "internal",
            "{name}"
        );
        let said = format!("{}{result}", answer.text());
        for secret in ["secret", "invalid digit", "receiving", "expected value"] {
            assert!(!said.contains(secret), "{name}: {said}");
        }
        let error = app.app.invoke(name, "{}").await.err().unwrap();
        assert!(std::error::Error::source(&error).is_some(), "{name}");
    }
}

#[tokio::test]
async fn declared_errors_stand_in_the_openapi_document() {
    let app = serving().await;
    let registry = app.app.registry();
    let declared = registry.get("mine").unwrap().declared_errors();
    let read: Vec<_> = declared.iter().map(|it| (it.kind(), it.when())).collect();
    assert_eq!(read, [(NOTE_EXISTS, "A note has this title")]);
    let document = app.get("/openapi.json").await.json();
    let response = &document["paths"]["/api/mine"]["get"]["responses"]["409"];
    assert_eq!(
        response["description"],
        "`note_exists`: A note has this title"
    );
    let schema = &response["content"]["application/problem+json"]["schema"];
    assert_eq!(schema["$ref"], "#/components/schemas/Problem");
}
