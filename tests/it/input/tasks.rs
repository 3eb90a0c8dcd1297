//! Calls that continue as tasks, for clients that support them.

mod lifecycle;
mod limits;
mod principal;
mod questions;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bifold::{App, Content, Context, Result};
use http::Request;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::time::timeout;

use super::Client;
use crate::support::Answer;

/// The state that a working function shares with its test.
#[derive(Clone, Default)]
struct Gate {
    open: Arc<Notify>,
    working: Arc<AtomicUsize>,
}

/// Counts a working function until it is dropped.
struct Working(Arc<AtomicUsize>);

impl Drop for Working {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Gate {
    /// Continues as a task until the gate opens.
    async fn wait(self, cx: Context) -> Result<Content> {
        cx.detach().await;
        self.working.fetch_add(1, Ordering::SeqCst);
        let _working = Working(self.working.clone());
        self.open.notified().await;
        Ok(Content::text("done"))
    }

    fn working(&self) -> usize {
        self.working.load(Ordering::SeqCst)
    }
}

/// A client of `app` that supports tasks.
pub(super) fn client(app: &App) -> Client {
    Client::of(app).with_tasks()
}

/// The task id of the call.
#[track_caller]
pub(super) fn task(result: &Value) -> String {
    assert_eq!(result["resultType"], "task", "{result}");
    result["taskId"].as_str().unwrap().to_owned()
}

/// A request about a task, with the header that repeats its id.
fn about(client: &Client, method: &str, id: &str, mut more: Value) -> Request<axum::body::Body> {
    more["taskId"] = id.into();
    let mut request = client.request(method, more);
    request
        .headers_mut()
        .insert("mcp-name", id.parse().unwrap());
    request
}

async fn ask_about(client: &Client, method: &str, id: &str, more: Value) -> Answer {
    client.send(about(client, method, id, more)).await
}

/// The task as clients see it.
pub(super) async fn shown(client: &Client, id: &str) -> Value {
    let answer = ask_about(client, "tasks/get", id, json!({})).await;
    let mut message = answer.json();
    assert_eq!(message["result"]["resultType"], "complete", "{message}");
    assert_eq!(message["result"]["taskId"], id);
    message["result"].take()
}

/// The task once it has this status.
pub(super) async fn once(client: &Client, id: &str, status: &str) -> Value {
    let looking = async {
        loop {
            let task = shown(client, id).await;
            if task["status"] == status {
                return task;
            }
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(30), looking)
        .await
        .unwrap_or_else(|_| panic!("never {status}"))
}

/// Sends answers to a task, which always have the same acknowledgement.
pub(super) async fn update(client: &Client, id: &str, responses: Value) {
    let more = json!({"inputResponses": responses});
    let answer = ask_about(client, "tasks/update", id, more).await;
    assert_eq!(
        answer.json()["result"]["resultType"],
        "complete",
        "{}",
        answer.text()
    );
}

pub(super) async fn cancel(client: &Client, id: &str) {
    let answer = ask_about(client, "tasks/cancel", id, json!({})).await;
    assert_eq!(
        answer.json()["result"]["resultType"],
        "complete",
        "{}",
        answer.text()
    );
}
