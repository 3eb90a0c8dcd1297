//! A server of an older revision, or of none, that answers as it is told and keeps what it was asked.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::response::Response;
use http::HeaderMap;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// One request.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: String,
    pub path: String,
    pub headers: HeaderMap,
    /// Its body; null where it is not JSON.
    pub body: Value,
    pub text: String,
}

impl Asked {
    /// The value of a header; empty if it is absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |it| it.to_str().unwrap())
    }

    /// The JSON-RPC method, or else the HTTP method.
    pub fn what(&self) -> &str {
        self.body["method"].as_str().unwrap_or(&self.method)
    }
}

/// A server, which stops when it is dropped.
pub struct Peer {
    pub address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
    serving: JoinHandle<()>,
}

impl Peer {
    /// Answers every request with what `answer` returns.
    pub async fn start(
        answer: impl Fn(&Asked) -> Response + Clone + Send + Sync + 'static,
    ) -> Peer {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let kept = asked.clone();
        let handle = move |request: Request| {
            let (answer, kept) = (answer.clone(), kept.clone());
            async move {
                let (head, body) = request.into_parts();
                let text = to_bytes(body, 1 << 20).await.unwrap();
                let asked = Asked {
                    method: head.method.to_string(),
                    path: head.uri.to_string(),
                    headers: head.headers,
                    body: serde_json::from_slice(&text).unwrap_or_default(),
                    text: String::from_utf8(text.to_vec()).unwrap(),
                };
                kept.lock().unwrap().push(asked.clone());
                answer(&asked)
            }
        };
        let router = Router::new().fallback(handle);
        let serving = tokio::spawn(async { axum::serve(listener, router).await.unwrap() });
        Peer {
            address,
            asked,
            serving,
        }
    }

    /// All requests so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// A response of this status, type and body.
pub fn respond(status: u16, kind: &str, body: impl Into<Body>) -> Response {
    let response = Response::builder()
        .status(status)
        .header("content-type", kind);
    response.body(body.into()).unwrap()
}

/// The result of a request as JSON.
pub fn result(asked: &Asked, result: Value) -> Response {
    let message = serde_json::json!({"jsonrpc": "2.0", "id": asked.body["id"], "result": result});
    respond(200, "application/json", message.to_string())
}
