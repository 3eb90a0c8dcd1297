//! One application, and short ways to ask it.

#[cfg(feature = "provenance")]
mod bundled;
pub mod peers;
mod transcript;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use axum::body::Body;
#[cfg(feature = "provenance")]
use bifold::provenance::replay::Replay;
use bifold::{App, Config, RequestInfo, Server, local};
use http::{HeaderMap, Request, Response, StatusCode};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinHandle;

/// The revision whose requests carry everything in `_meta`.
pub const MODERN: &str = "2026-07-28";

/// An application, and the recorded upstream that its bundled functions ask.
pub struct TestApp {
    pub app: App,
    #[cfg(feature = "provenance")]
    pub replay: Replay,
}

/// A complete HTTP response.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl TestApp {
    /// Another server on the same library, which asks no upstream.
    pub async fn serving(server: Server) -> TestApp {
        TestApp::of(App::new(Config::default(), server).unwrap()).await
    }

    /// That application, which asks no upstream.
    pub async fn of(app: App) -> TestApp {
        TestApp {
            app,
            #[cfg(feature = "provenance")]
            replay: Replay::start().await.unwrap(),
        }
    }

    /// Any request.
    pub async fn send(&self, request: Request<Body>) -> Answer {
        Answer::read(serve(&self.app, request, RequestInfo::default()).await).await
    }

    /// `GET path`.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap())
            .await
    }

    /// `POST path` with a JSON body.
    pub async fn post(&self, path: &str, body: impl Into<Body>) -> Answer {
        let request = Request::post(path).header("content-type", "application/json");
        self.send(request.body(body.into()).unwrap()).await
    }

    /// A modern MCP request with all its headers; `params` gets its `_meta`.
    pub async fn mcp(&self, method: &str, params: Value) -> Answer {
        self.send(modern(method, params)).await
    }

    /// A legacy MCP request of that revision.
    pub async fn legacy(&self, version: &str, method: &str, params: Value) -> Answer {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let request = Request::post("/mcp")
            .header("content-type", "application/json")
            .header("mcp-protocol-version", version);
        self.send(request.body(body.to_string().into()).unwrap())
            .await
    }

    /// The `result` of a modern `tools/call`.
    pub async fn tool(&self, name: &str, arguments: Value) -> Value {
        let params = json!({"name": name, "arguments": arguments});
        let answer = self.mcp("tools/call", params).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        answer.json()["result"].take()
    }
}

impl Answer {
    /// Reads a response to its end.
    pub async fn read(response: Response<Body>) -> Answer {
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap().into();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body,
        }
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

/// The response to any request, not read yet.
pub async fn serve(app: &App, request: Request<Body>, request_info: RequestInfo) -> Response<Body> {
    let (request, exchange) = transcript::heard(request);
    transcript::said(app.serve(request, request_info).await, exchange)
}

/// Serves the application on a socket of this machine, until it is aborted.
pub async fn on_socket(app: &App) -> (SocketAddr, JoinHandle<io::Result<()>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = local::serve(app.clone(), listener, std::future::pending());
    (address, tokio::spawn(serving))
}

/// The log, as JSON lines.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// Records the log of this thread while the guard exists.
    pub fn keep(&self) -> tracing::subscriber::DefaultGuard {
        // A second subscriber that never ends: with only one, the first thread that reaches a log line decides for all
        // threads whether the line is enabled, and the threads of other tests have no subscriber.
        static SECOND: OnceLock<tracing::Dispatch> = OnceLock::new();
        SECOND.get_or_init(|| {
            let nowhere = tracing_subscriber::fmt().with_writer(io::sink);
            tracing::Dispatch::new(nowhere.finish())
        });
        let log = self.clone();
        let subscriber = tracing_subscriber::fmt()
            .json()
            .flatten_event(true)
            .with_writer(move || log.clone());
        let guard = tracing::subscriber::set_default(subscriber.finish());
        tracing::callsite::rebuild_interest_cache();
        guard
    }

    /// All of it.
    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    /// The lines of requests.
    pub fn requests(&self) -> Vec<Value> {
        self.lines("request")
    }

    /// The lines with that message.
    pub fn lines(&self, message: &str) -> Vec<Value> {
        let text = self.text();
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
        lines
            .filter(|it: &Value| it["message"] == message)
            .collect()
    }
}

/// A modern MCP request with all its headers, to change before it is sent; `_meta` of `params` keeps what it has.
pub fn modern(method: &str, mut params: Value) -> Request<Body> {
    let mut meta = meta(MODERN);
    for (key, value) in params["_meta"].as_object().into_iter().flatten() {
        meta[key] = value.clone();
    }
    params["_meta"] = meta;
    let about = params["name"].as_str().or(params["uri"].as_str());
    let name = about.unwrap_or("").to_owned();
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    let mut request = Request::post("/mcp")
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream")
        .header("mcp-protocol-version", MODERN)
        .header("mcp-method", method);
    if matches!(method, "tools/call" | "prompts/get" | "resources/read") {
        request = request.header("mcp-name", name);
    }
    request.body(body.to_string().into()).unwrap()
}

/// The `_meta` that a modern request must carry.
pub fn meta(version: &str) -> Value {
    json!({
        "io.modelcontextprotocol/protocolVersion": version,
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "it", "version": "1"},
    })
}

/// Advances the time at once. Afterwards time runs again, because sockets do not work with a paused clock.
pub async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

/// The clock of tokio, stopped until this is dropped: it moves by `tokio::time::advance` alone.
pub struct StoppedClock {
    _held: std::sync::mpsc::Sender<()>,
}

/// Stops the clock of the test, also while everything waits for a socket: tokio moves a paused clock on when all tasks
/// are idle, but not while a blocking task runs.
pub fn stop_clock() -> StoppedClock {
    let (held, until_dropped) = std::sync::mpsc::channel();
    tokio::task::spawn_blocking(move || until_dropped.recv());
    tokio::time::pause();
    StoppedClock { _held: held }
}

impl Drop for StoppedClock {
    fn drop(&mut self) {
        tokio::time::resume();
    }
}

/// A URL that refuses connections as long as the socket is kept: its port is taken, and nobody listens.
pub fn refusing() -> (String, TcpSocket) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    (format!("http://{}", socket.local_addr().unwrap()), socket)
}
