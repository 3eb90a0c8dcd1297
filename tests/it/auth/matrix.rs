//! Every way to call a guarded function, by every kind of caller.

use axum::body::Body;
use bifold::{App, Content, Context, JsonSchema, Prompt, Resource, Result, Server, Tool};
use futures_util::{SinkExt, StreamExt};
use http::{HeaderMap, Request, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use super::attacks::connect;
use super::issuer::{Issuer, Key};
use super::{ask, bearer, call, closed, get, open, trusting};
use crate::support::{MODERN, meta, modern, on_socket};

/// The functions of a server with a public one beside the guarded ones, also as a prompt and a resource.
fn everything() -> (Server, super::Runs) {
    let (server, runs) = open();
    let guarded = || super::tool("guarded").scopes(&["notes:write"]);
    let server = server
        .prompts(vec![Prompt::new(guarded())])
        .resources(vec![Resource::new("notes://all", "text/plain", guarded())]);
    (server, runs)
}

fn legacy(version: &str, body: Value) -> Request<Body> {
    let request = Request::post("/mcp")
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream")
        .header("mcp-protocol-version", version);
    request.body(body.to_string().into()).unwrap()
}

fn posted(path: &str, body: Value) -> Request<Body> {
    let request = Request::post(path).header("content-type", "application/json");
    request.body(body.to_string().into()).unwrap()
}

/// Every request that runs a function with the scope `notes:write`.
fn ways() -> Vec<(&'static str, Request<Body>)> {
    let tool = |id: u32, name: &str| json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": name}});
    let many = json!({"calls": [{"name": "open"}, {"name": "write"}]});
    let mut tracked = json!({"name": "write", "arguments": {}});
    tracked["_meta"]["progressToken"] = 1.into();
    vec![
        ("tools/call", call("write", json!({}))),
        ("tools/call with progress", modern("tools/call", tracked)),
        (
            "tools/call of 2025-11-25",
            legacy("2025-11-25", tool(1, "write")),
        ),
        (
            "tools/call of 2024-11-05",
            legacy("2024-11-05", tool(1, "write")),
        ),
        (
            "batch of 2025-03-26",
            legacy("2025-03-26", json!([tool(1, "open"), tool(2, "write")])),
        ),
        ("call_many on MCP", call("call_many", many.clone())),
        (
            "prompts/get",
            modern("prompts/get", json!({"name": "guarded"})),
        ),
        (
            "resources/read",
            modern("resources/read", json!({"uri": "notes://all"})),
        ),
        ("GET", get("/api/write")),
        (
            "HEAD",
            Request::head("/api/write").body(Body::empty()).unwrap(),
        ),
        ("POST", posted("/api/write", json!({}))),
        ("call_many on REST", posted("/api/batch", many)),
    ]
}

#[tokio::test]
async fn every_way_to_call_is_held_to_the_scopes_of_the_function() {
    let issuer = Issuer::start(Key::ed()).await;
    let (server, runs) = everything();
    let app = trusting(server, &issuer);
    let callers = [
        ("nobody", HeaderMap::new(), StatusCode::UNAUTHORIZED),
        (
            "wrong scope",
            bearer(&issuer.token("notes:read")),
            StatusCode::FORBIDDEN,
        ),
        (
            "right scope",
            bearer(&issuer.token("notes:write")),
            StatusCode::OK,
        ),
    ];
    for (caller, headers, expected) in callers {
        for (way, request) in ways() {
            let before = runs.count();
            let answer = ask(&app, request, &headers).await;
            assert_eq!(
                answer.status,
                expected,
                "{caller}, {way}: {}",
                answer.text()
            );
            let challenge = answer.header("www-authenticate");
            match expected {
                StatusCode::OK => {
                    assert!(runs.count() > before, "{caller}, {way}");
                    assert_eq!(challenge, "", "{way}");
                    continue;
                }
                StatusCode::FORBIDDEN => {
                    assert!(
                        challenge.contains("error=\"insufficient_scope\""),
                        "{way}: {challenge}"
                    );
                    assert!(
                        challenge.contains("scope=\"notes:read notes:write\""),
                        "{way}: {challenge}"
                    );
                }
                _ => assert!(
                    challenge.contains("scope=\"notes:write\""),
                    "{way}: {challenge}"
                ),
            }
            assert!(challenge.contains(
                "resource_metadata=\"https://notes.example/.well-known/oauth-protected-resource/"
            ));
            assert_eq!(runs.count(), before, "{caller}, {way}: no function runs");
            if way != "HEAD" {
                let words = match expected {
                    StatusCode::FORBIDDEN => "needs the scopes `notes:write`",
                    _ => "needs an authenticated caller",
                };
                assert!(answer.text().contains(words), "{way}: {}", answer.text());
            }
        }
    }
}

#[tokio::test]
async fn a_function_that_calls_another_is_held_to_its_scopes() {
    /// Calls another function.
    #[derive(Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    struct Nested {}

    async fn nested(cx: Context, Nested {}: Nested) -> Result<Content> {
        let registry = bifold::Registry::of(&cx)?;
        let error = registry.call_named("write", cx, "{}").await.err();
        Ok(Content::text(error.map_or("ran".to_owned(), |it| {
            it.kind().as_str().to_owned()
        })))
    }
    let issuer = Issuer::start(Key::ed()).await;
    let (server, runs) = closed();
    let app = trusting(
        server.tools(vec![Tool::new("nested", nested).get("/nested")]),
        &issuer,
    );
    for (scope, expected) in [("notes:read", "insufficient_scope"), ("notes:write", "ran")] {
        let headers = bearer(&issuer.token(scope));
        for request in [call("nested", json!({})), get("/api/nested")] {
            let answer = ask(&app, request, &headers).await;
            assert_eq!(answer.status, StatusCode::OK);
            assert_eq!(super::text(&answer), expected);
        }
    }
    assert_eq!(runs.count(), 2);
}

#[tokio::test]
async fn a_program_that_embeds_the_application_is_held_to_nothing() {
    let issuer = Issuer::start(Key::ed()).await;
    let (server, runs) = closed();
    let app = trusting(server, &issuer);
    app.invoke("write", "{}").await.unwrap();
    assert_eq!(runs.count(), 1);
}

#[tokio::test]
async fn one_challenge_names_the_scopes_of_the_whole_operation() {
    let issuer = Issuer::start(Key::ed()).await;
    let app = trusting(closed().0, &issuer);
    let headers = bearer(&issuer.token("profile offline_access"));
    let many = json!({"calls": [{"name": "write"}, {"name": "read"}, {"name": "no_such"}]});
    for request in [call("call_many", many.clone()), posted("/api/batch", many)] {
        let answer = ask(&app, request, &headers).await;
        let challenge = answer.header("www-authenticate");
        let scope = "scope=\"notes:read notes:write profile\"";
        assert!(challenge.contains(scope), "{challenge}");
    }
}

#[tokio::test]
async fn only_public_functions_and_lists_are_open_to_everybody() {
    let issuer = Issuer::start(Key::ed()).await;
    let (server, runs) = everything();
    let app = trusting(server, &issuer);
    for request in [call("open", json!({})), get("/api/open")] {
        let answer = ask(&app, request, &HeaderMap::new()).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    }
    assert_eq!(runs.count(), 2);
    for method in ["tools/list", "server/discover", "prompts/list"] {
        let answer = ask(&app, modern(method, json!({})), &HeaderMap::new()).await;
        assert_eq!(answer.status, StatusCode::OK, "{method}");
    }
    let listen = modern(
        "subscriptions/listen",
        json!({"notifications": {"toolsListChanged": true}}),
    );
    let answer = ask(&app, listen, &HeaderMap::new()).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    for path in ["/health", "/docs", "/openapi.json", "/"] {
        assert_eq!(
            ask(&app, get(path), &HeaderMap::new()).await.status,
            StatusCode::OK,
            "{path}"
        );
    }
    let unknown = ask(&app, get("/api/no_such"), &HeaderMap::new()).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_server_without_public_functions_is_closed_to_those_it_does_not_know() {
    let issuer = Issuer::start(Key::ed()).await;
    let app = trusting(closed().0, &issuer);
    let initialize = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": "2025-11-25"}});
    for request in [
        modern("tools/list", json!({})),
        modern("server/discover", json!({})),
        legacy("2025-11-25", initialize),
        legacy(
            "2025-11-25",
            json!({"jsonrpc": "2.0", "method": "notifications/initialized"}),
        ),
        get("/mcp"),
    ] {
        let answer = ask(&app, request, &HeaderMap::new()).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        let challenge = answer.header("www-authenticate");
        let metadata = "https://notes.example/.well-known/oauth-protected-resource/mcp";
        assert_eq!(
            challenge,
            format!("Bearer resource_metadata=\"{metadata}\"")
        );
        assert_eq!(answer.json()["error"]["code"], 401);
    }
    let headers = bearer(&issuer.token(""));
    let answer = ask(&app, modern("tools/list", json!({})), &headers).await;
    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test]
async fn the_frames_of_a_websocket_are_held_to_the_same_rules() {
    let issuer = Issuer::start(Key::ed()).await;
    let (server, runs) = closed();
    let app = trusting(server, &issuer);
    let (address, serving) = on_socket(&app).await;
    let url = format!("ws://{address}/ws");
    let refused = connect(&url, &HeaderMap::new()).await;
    assert_eq!(refused, Some(StatusCode::UNAUTHORIZED));
    for (scope, code) in [("notes:read", Some(403)), ("notes:write", None)] {
        let mut request = (&*url).into_client_request().unwrap();
        request.headers_mut().extend(bearer(&issuer.token(scope)));
        let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
        let params = json!({"name": "write", "arguments": {}, "_meta": meta(MODERN)});
        let frame = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
        socket.send(Message::text(frame.to_string())).await.unwrap();
        let message = socket.next().await.unwrap().unwrap().into_text().unwrap();
        let message: Value = serde_json::from_str(&message).unwrap();
        assert_eq!(
            message["error"]["code"].as_i64(),
            code,
            "{scope}: {message}"
        );
    }
    assert_eq!(runs.count(), 1);
    serving.abort();
}

#[tokio::test]
async fn the_frames_of_an_expired_token_are_refused() {
    let issuer = Issuer::start(Key::ed()).await;
    let (server, runs) = closed();
    let app = trusting(server, &issuer);
    let (address, serving) = on_socket(&app).await;
    let (header, mut claims) = issuer.valid("notes:write");
    // It counts for a minute more, of which one second is left.
    claims["exp"] = json!(super::issuer::now() - 58);
    let token = issuer.key.token(&header, &claims);
    let mut request = format!("ws://{address}/ws").into_client_request().unwrap();
    request.headers_mut().extend(bearer(&token));
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
    while super::issuer::now() < claims["exp"].as_i64().unwrap() + 60 {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let params = json!({"name": "write", "arguments": {}, "_meta": meta(MODERN)});
    let frame = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
    socket.send(Message::text(frame.to_string())).await.unwrap();
    let message = socket.next().await.unwrap().unwrap().into_text().unwrap();
    let message: Value = serde_json::from_str(&message).unwrap();
    assert_eq!(message["error"]["code"], 401, "{message}");
    assert_eq!(runs.count(), 0);
    serving.abort();
}

/// The answers to requests with credentials are kept by no shared cache.
#[tokio::test]
async fn answers_to_callers_are_private() {
    let issuer = Issuer::start(Key::ed()).await;
    let open = App::new(bifold::Config::default(), closed().0).unwrap();
    let guarded = trusting(closed().0, &issuer);
    let headers = bearer(&issuer.token("notes:read"));
    for app in [open, guarded] {
        let answer = ask(&app, get("/api/read"), &headers).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert!(!answer.header("cache-control").contains("public"));
        let mut varies = answer.headers.get_all("vary").iter();
        let varies = varies.any(|it| {
            it.to_str()
                .unwrap()
                .to_lowercase()
                .contains("authorization")
        });
        assert!(varies, "{:?}", answer.headers);
        assert_ne!(answer.header("etag"), "");
    }
}
