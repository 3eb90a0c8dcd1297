//! What one caller holds is of no use to another: request states, tasks, pending questions and subscriptions.

use axum::body::Body;
use bifold::{App, Content, Context, Elicited, JsonSchema, Result, Server, Tool, Topic, Update};
use futures_util::StreamExt;
use http::{HeaderMap, Request, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::issuer::{Issuer, Key};
use super::{ask, bearer, trusting};
use crate::support::{Answer, modern, serve};

/// Takes nothing.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

#[derive(Deserialize, JsonSchema)]
struct Name {
    name: String,
}

async fn greet(cx: Context, Nothing {}: Nothing) -> Result<Content> {
    match cx.elicit::<Name>("name", "Who are you?").await? {
        Elicited::Accepted(Name { name }) => Ok(Content::text(format!("Hello, {name}!"))),
        _ => Ok(Content::text("Hello!")),
    }
}

async fn wait(cx: Context, Nothing {}: Nothing) -> Result<Content> {
    cx.detach().await;
    std::future::pending().await
}

fn server() -> Server {
    let scopes = ["notes:write"];
    Server::new("notes", "1.0.0")
        .tools(vec![
            Tool::new("greet", greet).scopes(&scopes),
            Tool::new("wait", wait).task().scopes(&scopes),
        ])
        .announces(&[Topic::Tools])
}

/// Another principal, the same one with too few scopes, and nobody.
struct Callers {
    ada: HeaderMap,
    others: [(&'static str, HeaderMap); 3],
}

impl Callers {
    fn of(issuer: &Issuer) -> Callers {
        let token = |subject, scope| bearer(&issuer.token_of(subject, scope));
        Callers {
            ada: token("ada", "notes:write"),
            others: [
                ("another principal", token("eve", "notes:write")),
                ("the wrong scope", token("ada", "notes:read")),
                ("no credentials", HeaderMap::new()),
            ],
        }
    }
}

/// A request of a client that can be asked, and has tasks.
fn request(method: &str, mut params: Value) -> Request<Body> {
    let capabilities = json!({
        "elicitation": {"form": {}},
        "extensions": {"io.modelcontextprotocol/tasks": {}},
    });
    params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = capabilities;
    let about = params["taskId"].as_str().map(str::to_owned);
    let mut request = modern(method, params);
    if let Some(id) = about {
        let headers = request.headers_mut();
        headers.insert("mcp-name", id.parse().unwrap());
    }
    request
}

fn posted(message: &Value) -> Request<Body> {
    let request = Request::post("/mcp")
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream")
        .header("mcp-protocol-version", "2025-11-25");
    request.body(message.to_string().into()).unwrap()
}

/// The refusal of each of the others: a status, and the code of the error.
async fn refusals(app: &App, callers: &Callers, request: impl Fn() -> Request<Body>) -> Vec<Value> {
    let mut refusals = Vec::new();
    for (_, headers) in &callers.others {
        let answer = ask(app, request(), headers).await;
        refusals.push(json!([
            answer.status.as_u16(),
            answer.json()["error"]["code"]
        ]));
    }
    refusals
}

#[tokio::test]
async fn a_request_state_continues_the_call_of_its_own_principal_alone() {
    let issuer = Issuer::start(Key::ed()).await;
    let (app, callers) = (trusting(server(), &issuer), Callers::of(&issuer));
    let call = json!({"name": "greet", "arguments": {}});
    let asked = ask(&app, request("tools/call", call.clone()), &callers.ada).await;
    let mut answered = call;
    answered["requestState"] = asked.json()["result"]["requestState"].clone();
    answered["inputResponses"] = json!({"name": {"action": "accept", "content": {"name": "Ada"}}});
    let again = || request("tools/call", answered.clone());
    assert_eq!(
        refusals(&app, &callers, again).await,
        [json!([200, -32602]), json!([403, 403]), json!([401, 401])]
    );
    let done = ask(&app, again(), &callers.ada).await;
    assert_eq!(super::text(&done), "Hello, Ada!");
}

#[tokio::test]
async fn a_task_is_shown_changed_and_cancelled_for_its_own_principal_alone() {
    let issuer = Issuer::start(Key::ed()).await;
    let (app, callers) = (trusting(server(), &issuer), Callers::of(&issuer));
    let call = json!({"name": "wait", "arguments": {}});
    let begun = ask(&app, request("tools/call", call), &callers.ada).await;
    let id = begun.json()["result"]["taskId"].clone();
    assert!(id.is_string(), "{}", begun.text());
    for method in ["tasks/get", "tasks/update", "tasks/cancel"] {
        for (who, headers) in &callers.others {
            // The scopes of the call were those of its beginning; who reads the task is still the same principal.
            if *who == "the wrong scope" {
                continue;
            }
            let about = json!({"taskId": id, "inputResponses": {}});
            let answer = ask(&app, request(method, about), headers).await;
            let expected = match headers.is_empty() {
                true => (StatusCode::UNAUTHORIZED, 401),
                false => (StatusCode::OK, -32602),
            };
            let code = answer.json()["error"]["code"].as_i64().unwrap();
            assert_eq!((answer.status, code), expected, "{who} {method}");
        }
    }
    for (method, status) in [("tasks/get", "working"), ("tasks/cancel", "")] {
        let answer = ask(&app, request(method, json!({"taskId": id})), &callers.ada).await;
        let result = &answer.json()["result"];
        assert_eq!(result["status"].as_str().unwrap_or(""), status, "{result}");
    }
    app.close();
}

#[tokio::test]
async fn a_pending_question_is_answered_by_its_own_principal_alone() {
    let issuer = Issuer::start(Key::ed()).await;
    let (app, callers) = (trusting(server(), &issuer), Callers::of(&issuer));
    let call =
        json!({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": "greet"}});
    let mut events = stream(&app, posted(&call), &callers.ada).await;
    let question = events.next().await;
    let content = json!({"action": "accept", "content": {"name": "Ada"}});
    let answer = json!({"jsonrpc": "2.0", "id": question["id"], "result": content});
    for ((who, headers), expected) in callers.others.iter().zip([400, 202, 401]) {
        // A message that calls no function needs no scope, so the same principal may answer.
        if *who == "the wrong scope" {
            continue;
        }
        let refused = ask(&app, posted(&answer), headers).await;
        assert_eq!(refused.status.as_u16(), expected, "{who}");
    }
    let accepted = ask(&app, posted(&answer), &callers.ada).await;
    assert_eq!(accepted.status, StatusCode::ACCEPTED);
    let result = events.next().await;
    let text = &result["result"]["content"][0]["text"];
    assert_eq!(text, "Hello, Ada!", "{result}");
}

#[tokio::test]
async fn a_subscription_is_ended_by_no_other_caller() {
    let issuer = Issuer::start(Key::ed()).await;
    let (app, callers) = (trusting(server(), &issuer), Callers::of(&issuer));
    let filter = json!({"notifications": {"toolsListChanged": true}});
    let listening = request("subscriptions/listen", filter);
    let mut events = stream(&app, listening, &callers.ada).await;
    let first = events.next().await;
    assert_eq!(first["method"], "notifications/subscriptions/acknowledged");
    let cancelled = json!({
        "jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1},
    });
    for (_, headers) in &callers.others {
        ask(&app, posted(&cancelled), headers).await;
    }
    app.context().announce(Update::Tools);
    let changed = events.next().await;
    assert_eq!(changed["method"], "notifications/tools/list_changed");
}

/// The messages of a stream.
struct Events(axum::body::BodyDataStream);

impl Events {
    async fn next(&mut self) -> Value {
        loop {
            let piece = self.0.next().await.expect("the stream goes on").unwrap();
            let text = std::str::from_utf8(&piece).unwrap();
            if let Some(data) = text.strip_prefix("event: message\ndata: ") {
                return serde_json::from_str(data).unwrap();
            }
        }
    }
}

async fn stream(app: &App, mut request: Request<Body>, headers: &HeaderMap) -> Events {
    request.headers_mut().extend(headers.clone());
    let response = serve(app, request, bifold::RequestInfo::default()).await;
    if response.headers()["content-type"] != "text/event-stream" {
        panic!("{}", Answer::read(response).await.text());
    }
    Events(response.into_body().into_data_stream())
}
