//! Mounted MCP servers: their functions are ours on every protocol, whatever the era of the server or of the client.

mod credentials;
mod eras;
mod faults;
#[cfg(unix)]
mod kept;
pub mod legacy;
pub mod liar;
mod lies;
pub mod modern;
mod not_passed_on;
#[cfg(all(unix, feature = "provenance"))]
mod principals;
#[cfg(all(unix, feature = "provenance"))]
mod reloads;
#[cfg(unix)]
mod restarts;
#[cfg(all(unix, feature = "provenance"))]
pub mod stdio;
mod storms;

use std::sync::Arc;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use bifold::{App, Config, Context, Mount, Principal, RequestInfo, Server};
use serde_json::{Value, json};

use crate::support::{Answer, TestApp, modern, serve};

/// An application that mounts these servers, and has nothing of its own.
pub async fn mounting(mounts: impl IntoIterator<Item = Mount>) -> TestApp {
    mounting_with(Config::default(), mounts).await
}

/// The same with these settings.
async fn mounting_with(config: Config, mounts: impl IntoIterator<Item = Mount>) -> TestApp {
    let server = mounts
        .into_iter()
        .fold(Server::new("gateway", "1.0.0"), Server::mount);
    TestApp::of(App::new(config, server).unwrap()).await
}

/// The names in one of the lists.
async fn names(app: &TestApp, method: &str, list: &str, key: &str) -> Vec<String> {
    let answer = app.mcp(method, json!({})).await.json();
    let entries = answer["result"][list].as_array();
    let entries = entries.unwrap_or_else(|| panic!("{answer}")).iter();
    entries
        .map(|it| it[key].as_str().unwrap().to_owned())
        .collect()
}

async fn tools(app: &TestApp) -> Vec<String> {
    names(app, "tools/list", "tools", "name").await
}

/// The state of the only mount.
pub async fn status(app: &TestApp) -> Value {
    app.get("/mounts").await.json()["mounts"][0].take()
}

/// Waits until the state of mounted servers is as `wanted` says. What is waited for needs no time to pass.
async fn until(app: &TestApp, wanted: impl Fn(&Value) -> bool) -> Value {
    for _ in 0..100_000 {
        let status = app.get("/mounts").await.json();
        if wanted(&status["mounts"]) {
            return status;
        }
        tokio::task::yield_now().await;
    }
    panic!("{}", app.get("/mounts").await.text());
}

/// A layer that takes the principal from a header.
async fn named(request: Request, next: Next) -> Response {
    let user = request.headers().get("x-user");
    let user = user.map(|it| it.to_str().unwrap().to_owned());
    let cx = request.extensions().get::<Context>().unwrap();
    if let Some(user) = user {
        cx.identify(Principal::new(user));
    }
    next.run(request).await
}

/// The result of a call of that principal, who has credentials that are not for the mounted server.
async fn call_as(app: &TestApp, user: &str, tool: &str) -> Value {
    let mut request = modern("tools/call", json!({ "name": tool, "arguments": {} }));
    let headers = request.headers_mut();
    headers.insert("x-user", user.parse().unwrap());
    headers.insert("x-api-key", "secret".parse().unwrap());
    let response = serve(&app.app, request, RequestInfo::default()).await;
    Answer::read(response).await.json()["result"].take()
}

type Shared<T> = Arc<std::sync::Mutex<T>>;
