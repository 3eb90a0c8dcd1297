//! A server of an earlier era with sessions, made by hand: it is asked to do what real ones do, and what they do wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::routing::any;
use futures_util::StreamExt;
use http::{HeaderMap, Method, Response, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio_stream_of::ReceiverStream;

use super::Shared;

mod tokio_stream_of {
    //! A channel as a stream of body parts.

    use std::pin::Pin;
    use std::task::{Context, Poll};

    use futures_util::Stream;
    use tokio::sync::mpsc::UnboundedReceiver;

    pub struct ReceiverStream(pub UnboundedReceiver<String>);

    impl Stream for ReceiverStream {
        type Item = String;

        fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<String>> {
            self.0.poll_recv(cx)
        }
    }
}

/// A server with sessions, and what it has seen. Clones are the same server.
#[derive(Clone, Default)]
pub struct Legacy(Arc<Inner>);

#[derive(Default)]
struct Inner {
    sessions: Shared<BTreeSet<String>>,
    /// The requests and notifications: the session, and the message.
    seen: Shared<Vec<(String, Value)>>,
    tools: Shared<Vec<Value>>,
    /// The answers to questions of the server.
    answers: Shared<BTreeMap<String, oneshot::Sender<Value>>>,
    /// The streams on which it says that its lists have changed.
    streams: Shared<Vec<mpsc::UnboundedSender<String>>>,
    /// Sets the calls of `wait` free.
    free: watch::Sender<bool>,
    has_no_sessions: Shared<bool>,
    /// Whether the next call ends the server, which is started again at once.
    crashes: Shared<bool>,
    /// The calls that have run.
    runs: Shared<usize>,
}

impl Legacy {
    /// With tools of these names.
    pub fn with_tools(names: &[&str]) -> Legacy {
        let legacy = Legacy::default();
        legacy.set_tools(names);
        legacy
    }

    pub fn set_tools(&self, names: &[&str]) {
        let tools = names.iter().map(|name| {
            json!({ "name": name, "description": "Of a server of an earlier era.", "inputSchema": { "type": "object" } })
        });
        *self.0.tools.lock().unwrap() = tools.collect();
    }

    /// Lists exactly these entries.
    pub fn set_entries(&self, entries: Vec<Value>) {
        *self.0.tools.lock().unwrap() = entries;
    }

    /// Tells everybody who listens that the tools have changed.
    pub fn announce(&self) {
        let changed = json!({ "jsonrpc": "2.0", "method": "notifications/tools/list_changed" });
        for stream in self.0.streams.lock().unwrap().iter() {
            let _ = stream.send(event(&changed));
        }
    }

    /// Forgets all sessions, as in a restart.
    pub fn restart(&self) {
        self.0.sessions.lock().unwrap().clear();
        self.0.streams.lock().unwrap().clear();
    }

    /// Opens no sessions from now on.
    pub fn without_sessions(self) -> Legacy {
        *self.0.has_no_sessions.lock().unwrap() = true;
        self
    }

    /// Crashes in the middle of the next call, and is there again at once.
    pub fn crash(&self) {
        *self.0.crashes.lock().unwrap() = true;
    }

    /// How many calls have run.
    pub fn runs(&self) -> usize {
        *self.0.runs.lock().unwrap()
    }

    /// Sets the calls of `wait` free.
    pub fn set_free(&self) {
        self.0.free.send_replace(true);
    }

    /// What was seen of a method: each session, and the parameters.
    pub fn seen(&self, method: &str) -> Vec<(String, Value)> {
        let seen = self.0.seen.lock().unwrap();
        let of_method = seen.iter().filter(|it| it.1["method"] == method);
        of_method
            .map(|(session, it)| (session.clone(), it["params"].clone()))
            .collect()
    }

    /// How many messages were seen.
    pub fn asked(&self) -> usize {
        self.0.seen.lock().unwrap().len()
    }

    pub fn streams(&self) -> usize {
        self.0.streams.lock().unwrap().len()
    }

    pub fn sessions(&self) -> usize {
        self.0.sessions.lock().unwrap().len()
    }

    /// Serves on a socket of this machine.
    pub async fn on_socket(&self) -> (SocketAddr, JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        (address, self.serve(listener))
    }

    pub fn serve(&self, listener: TcpListener) -> JoinHandle<()> {
        let router = Router::new()
            .route("/mcp", any(answer))
            .with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() })
    }
}

fn event(message: &Value) -> String {
    format!("id: 1\ndata: {message}\n\n")
}

fn plain(status: StatusCode, body: &Value) -> Response<Body> {
    let response = Response::builder()
        .status(status)
        .header("content-type", "application/json");
    response.body(body.to_string().into()).unwrap()
}

fn empty(status: StatusCode) -> Response<Body> {
    Response::builder()
        .status(status)
        .body(Body::empty())
        .unwrap()
}

/// A stream of events, and where they come from.
fn stream() -> (mpsc::UnboundedSender<String>, Response<Body>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let parts = ReceiverStream(receiver).map(|it| Ok::<_, Infallible>(Bytes::from(it)));
    let response = Response::builder().header("content-type", "text/event-stream");
    (sender, response.body(Body::from_stream(parts)).unwrap())
}

async fn answer(
    State(legacy): State<Legacy>,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let session = headers
        .get("mcp-session-id")
        .map_or("", |it| it.to_str().unwrap())
        .to_owned();
    let has_no_sessions = *legacy.0.has_no_sessions.lock().unwrap();
    let is_known = has_no_sessions || legacy.0.sessions.lock().unwrap().contains(&session);
    if method == Method::DELETE {
        legacy.0.sessions.lock().unwrap().remove(&session);
        return empty(StatusCode::OK);
    }
    if method == Method::GET {
        let (sender, response) = stream();
        legacy.0.streams.lock().unwrap().push(sender);
        return response;
    }
    let message: Value = serde_json::from_slice(&body).unwrap();
    legacy
        .0
        .seen
        .lock()
        .unwrap()
        .push((session.clone(), message.clone()));
    let id = message["id"].clone();
    let said = |result: Value| json!({ "jsonrpc": "2.0", "id": id, "result": result });
    if message["method"] == "initialize" {
        let result = json!({
            "protocolVersion": "2025-06-18",
            "capabilities": { "tools": { "listChanged": true } },
            "serverInfo": { "name": "legacy", "version": "1" },
        });
        let mut response = plain(StatusCode::OK, &said(result));
        if has_no_sessions {
            return response;
        }
        let session = format!("s{}", legacy.0.seen.lock().unwrap().len());
        legacy.0.sessions.lock().unwrap().insert(session.clone());
        response
            .headers_mut()
            .insert("mcp-session-id", session.parse().unwrap());
        return response;
    }
    if !is_known {
        let error = json!({ "jsonrpc": "2.0", "id": null, "error": { "code": -32000, "message": "No valid session" } });
        let status = if session.is_empty() {
            StatusCode::BAD_REQUEST
        } else {
            StatusCode::NOT_FOUND
        };
        return plain(status, &error);
    }
    if message.get("result").is_some() || message.get("error").is_some() {
        let id = message["id"].as_str().unwrap().to_owned();
        if let Some(waiting) = legacy.0.answers.lock().unwrap().remove(&id) {
            let _ = waiting.send(message);
        }
        return empty(StatusCode::ACCEPTED);
    }
    match message["method"].as_str().unwrap() {
        "tools/list" => plain(
            StatusCode::OK,
            &said(json!({ "tools": *legacy.0.tools.lock().unwrap() })),
        ),
        "tools/call" => call(&legacy, &session, &message),
        _ => empty(StatusCode::ACCEPTED),
    }
}

fn call(legacy: &Legacy, session: &str, message: &Value) -> Response<Body> {
    let (id, name) = (
        message["id"].clone(),
        message["params"]["name"].as_str().unwrap(),
    );
    let token = message["params"]["_meta"]["progressToken"].clone();
    let result = move |text: String| {
        let content = json!([{ "type": "text", "text": text }]);
        json!({ "jsonrpc": "2.0", "id": id, "result": { "content": content } })
    };
    *legacy.0.runs.lock().unwrap() += 1;
    if std::mem::take(&mut *legacy.0.crashes.lock().unwrap()) {
        legacy.restart();
        let cut = futures_util::stream::iter([Err::<Bytes, _>("the server is gone")]);
        return Response::new(Body::from_stream(cut));
    }
    let (sender, response) = stream();
    match name {
        "session" => return plain(StatusCode::OK, &result(session.to_owned())),
        "lie" => {
            let lie = json!({ "jsonrpc": "2.0", "id": 987_654, "result": { "content": [] } });
            return plain(StatusCode::OK, &lie);
        }
        "garbage" => return plain(StatusCode::OK, &json!("what?")),
        "die" => drop(sender.send("data: {\"jsonrpc\":".to_owned())),
        "wait" => {
            let legacy = legacy.clone();
            tokio::spawn(async move {
                let _ = legacy.0.free.subscribe().wait_for(|it| *it).await;
                let _ = sender.send(event(&result("free".to_owned())));
            });
        }
        "progress" => {
            let params =
                json!({ "progressToken": token, "progress": 1, "total": 2, "message": "half" });
            let report =
                json!({ "jsonrpc": "2.0", "method": "notifications/progress", "params": params });
            let params = json!({ "level": "warning", "logger": "x", "data": { "be": "ware" } });
            let log =
                json!({ "jsonrpc": "2.0", "method": "notifications/message", "params": params });
            for message in [&report, &log, &result("done".to_owned())] {
                sender.send(event(message)).unwrap();
            }
        }
        "ask" => {
            let asked = ask(&sender);
            let (waiting, answered) = oneshot::channel();
            legacy.0.answers.lock().unwrap().insert(asked, waiting);

            tokio::spawn(async move {
                let answer = answered.await.unwrap();
                let text = match answer.get("result") {
                    Some(it) => it["content"]["name"]
                        .as_str()
                        .unwrap_or("declined")
                        .to_owned(),
                    None => answer["error"]["message"].as_str().unwrap().to_owned(),
                };
                let _ = sender.send(event(&result(text)));
            });
        }
        _ => return plain(StatusCode::OK, &result(format!("called {name}"))),
    }
    response
}

/// Asks the client for a name.
fn ask(sender: &mpsc::UnboundedSender<String>) -> String {
    let id = format!("q{:x}", fastrand::u64(..));
    let schema = json!({ "type": "object", "properties": { "name": { "type": "string" } } });
    let params = json!({ "message": "Who are you?", "requestedSchema": schema });
    let question =
        json!({ "jsonrpc": "2.0", "id": id, "method": "elicitation/create", "params": params });
    sender.send(event(&question)).unwrap();
    id
}
