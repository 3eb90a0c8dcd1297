//! Mounted MCP servers: their functions are ours on every protocol, whatever the era of the server or of the client.

mod credentials;
mod eras;
mod faults;
#[cfg(unix)]
mod kept;
pub mod legacy;
pub mod modern;
mod not_passed_on;
#[cfg(unix)]
mod restarts;
#[cfg(all(unix, feature = "provenance"))]
mod stdio;

use std::sync::Arc;

use bifold::{App, Config, Mount, Server};
use serde_json::{Value, json};

use crate::support::TestApp;

/// An application that mounts these servers, and has nothing of its own.
pub async fn mounting(mounts: impl IntoIterator<Item = Mount>) -> TestApp {
    let server = mounts
        .into_iter()
        .fold(Server::new("gateway", "1.0.0"), Server::mount);
    TestApp::of(App::new(Config::default(), server).unwrap()).await
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

type Shared<T> = Arc<std::sync::Mutex<T>>;
