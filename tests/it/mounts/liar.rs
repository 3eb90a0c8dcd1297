//! A server that says to each call exactly what it is told to, over both transports and in both eras.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::routing::post;
use futures_util::stream;
use http::{Response, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// What stands for the id of the request in what a server says.
pub const ID: &str = "@ID@";

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Era {
    Modern,
    Legacy,
}

/// How a server answers over HTTP.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Style {
    /// One body; several messages are a batch.
    Json,
    /// A stream of events, each with one message.
    Events,
}

/// The tools by name, and the lines that are the answer to a call of each.
pub type Answers = Vec<(&'static str, Vec<u8>)>;

/// A server over HTTP.
pub struct Liar {
    pub era: Era,
    pub style: Style,
    pub answers: Answers,
}

impl Liar {
    /// Serves on a socket of this machine.
    pub async fn on_socket(self) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new()
            .route("/mcp", post(answer))
            .with_state(Arc::new(self));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        address
    }
}

async fn answer(State(liar): State<Arc<Liar>>, body: Bytes) -> Response<Body> {
    let message: Value = serde_json::from_slice(&body).unwrap();
    let Some(id) = message.get("id").filter(|_| message["method"].is_string()) else {
        return response(StatusCode::ACCEPTED, "application/json", Body::empty());
    };
    let method = message["method"].as_str().unwrap();
    if method != "tools/call" {
        let said = opening(method, liar.era, &liar.answers).replace(ID, &id.to_string());
        return response(StatusCode::OK, "application/json", said.into());
    }
    let name = message["params"]["name"].as_str().unwrap();
    let said = &liar.answers.iter().find(|it| it.0 == name).unwrap().1;
    let said = with_id(said, &id.to_string());
    let lines: Vec<&[u8]> = said
        .split(|it| *it == b'\n')
        .filter(|it| !it.is_empty())
        .collect();
    match liar.style {
        Style::Json => {
            let body = match lines.len() {
                0 | 1 => lines.concat(),
                _ => [&b"["[..], &lines.join(&b","[..]), b"]"].concat(),
            };
            response(StatusCode::OK, "application/json", body.into())
        }
        Style::Events => {
            let events = lines
                .into_iter()
                .map(|it| [b"data: ", it, b"\n\n"].concat());
            let parts: Vec<_> = events
                .map(|it| Ok::<_, Infallible>(Bytes::from(it)))
                .collect();
            let body = Body::from_stream(stream::iter(parts));
            response(StatusCode::OK, "text/event-stream", body)
        }
    }
}

fn response(status: StatusCode, content_type: &str, body: Body) -> Response<Body> {
    let response = Response::builder().status(status);
    let response = response.header("content-type", content_type);
    response.body(body).unwrap()
}

/// What the server says before the first call.
pub fn opening(method: &str, era: Era, answers: &Answers) -> String {
    let result = |result: Value| json!({ "jsonrpc": "2.0", "id": 0, "result": result });
    let capabilities = json!({ "tools": { "listChanged": true } });
    let said = match (method, era) {
        ("server/discover", Era::Modern) => result(json!({
            "supportedVersions": ["2026-07-28"],
            "capabilities": { "tools": {} },
            "serverInfo": { "name": "liar", "version": "1" },
        })),
        ("initialize", Era::Legacy) => result(json!({
            "protocolVersion": "2025-06-18",
            "capabilities": capabilities,
            "serverInfo": { "name": "liar", "version": "1" },
        })),
        ("tools/list", _) => {
            let tools = answers
                .iter()
                .map(|it| json!({ "name": it.0, "inputSchema": { "type": "object" } }));
            result(json!({ "tools": tools.collect::<Vec<_>>() }))
        }
        _ => {
            json!({ "jsonrpc": "2.0", "id": 0, "error": { "code": -32601, "message": "no such method" } })
        }
    };
    said.to_string()
        .replace("\"id\":0", &format!("\"id\":{ID}"))
}

fn with_id(said: &[u8], id: &str) -> Vec<u8> {
    let mut whole = Vec::new();
    let mut rest = said;
    while let Some(at) = rest.windows(ID.len()).position(|it| it == ID.as_bytes()) {
        whole.extend_from_slice(&rest[..at]);
        whole.extend_from_slice(id.as_bytes());
        rest = &rest[at + ID.len()..];
    }
    whole.extend_from_slice(rest);
    whole
}
