//! MCP over WebSocket: on this machine with a real client, and behind API Gateway with stand-ins for what answers there.

mod bounds;
mod caller;
mod connection;
mod delivery;
mod events;
mod functions;
pub mod gateway;
mod log;
mod messages;
mod running;
pub mod signature;
mod stop;

use std::net::SocketAddr;

use bifold::{App, Config, local};
use futures_util::{SinkExt, StreamExt};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::handshake::client::{Request, Response};
use tokio_tungstenite::tungstenite::{Error, Message, client::IntoClientRequest};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::support::{MODERN, meta, pass};
use functions::{Gate, server};

/// A local server, which stops when this is dropped.
struct Served {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<()>,
    gate: Gate,
}

/// The places of a message where `_meta` may stand. One that stands twice cannot be read.
#[derive(Deserialize)]
#[expect(dead_code, reason = "they are only read")]
struct Meta {
    params: Option<MetaOnce>,
    result: Option<MetaOnce>,
    error: Option<ErrorMeta>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "it is only read")]
struct ErrorMeta {
    data: MetaOnce,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "it is only read")]
struct MetaOnce {
    #[serde(rename = "_meta")]
    meta: serde_json::Map<String, Value>,
}

/// The client of one connection.
struct Client(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Served {
    async fn start() -> Served {
        Served::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut Config)) -> Served {
        let gate = Gate::default();
        let mut config = Config::default();
        change(&mut config);
        let app = App::new(config, server(&gate)).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let shutdown = async { drop(stopped.await) };
        let serving = tokio::spawn(async { local::serve(app, listener, shutdown).await.unwrap() });
        Served {
            address,
            stop: Some(stop),
            serving,
            gate,
        }
    }

    /// A request for a connection, to change before it is sent.
    fn request(&self) -> Request {
        let url = format!("ws://{}/ws", self.address);
        url.into_client_request().unwrap()
    }

    async fn connect(&self) -> Client {
        self.try_connect(self.request()).await.unwrap().0
    }

    async fn try_connect(&self, request: Request) -> Result<(Client, Response), Box<Error>> {
        let (socket, response) = connect_async(request).await?;
        Ok((Client(socket), response))
    }

    /// Asks the server to stop.
    fn stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }
}

impl Client {
    async fn send(&mut self, message: Value) {
        self.say(Message::text(message.to_string())).await;
    }

    async fn say(&mut self, message: Message) {
        self.0.send(message).await.unwrap();
    }

    /// The next message of the server, which must be one of the protocol.
    async fn next(&mut self) -> Value {
        loop {
            match self
                .0
                .next()
                .await
                .expect("the connection is open")
                .unwrap()
            {
                Message::Text(text) => {
                    let _: Meta = serde_json::from_str(&text).expect("`_meta` stands there once");
                    return serde_json::from_str(&text).unwrap();
                }
                Message::Ping(_) => {}
                other => panic!("no message: {other:?}"),
            }
        }
    }

    /// The code with which the server closes.
    async fn closed(&mut self) -> u16 {
        match self.0.next().await.unwrap().unwrap() {
            Message::Close(Some(frame)) => frame.code.into(),
            other => panic!("not closed: {other:?}"),
        }
    }

    async fn ask(&mut self, message: Value) -> Value {
        self.send(message).await;
        self.next().await
    }

    /// Proves that the server has nothing more to say: what comes next is the answer to this.
    async fn is_quiet(&mut self) {
        let ping = json!({"jsonrpc": "2.0", "id": "quiet", "method": "ping"});
        let pong = json!({"jsonrpc": "2.0", "id": "quiet", "result": {"_meta": {"bifold/seq": 1}}});
        assert_eq!(self.ask(ping).await, pong);
    }
}

/// A request as the revisions before 2026 have it.
fn legacy(id: impl Into<Value>, method: &str, params: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id.into(), "method": method, "params": params})
}

/// A request with everything in `_meta`, which keeps what `params` has there.
fn modern(id: impl Into<Value>, method: &str, mut params: Value) -> Value {
    let mut all = meta(MODERN);
    for (key, value) in params["_meta"].as_object().into_iter().flatten() {
        all[key] = value.clone();
    }
    params["_meta"] = all;
    legacy(id, method, params)
}

/// A call of a function of either era, whose client wants to know how far it is.
fn call(id: impl Into<Value>, name: &str, arguments: Value) -> Value {
    let id = id.into();
    let params = json!({"name": name, "arguments": arguments, "_meta": {"progressToken": id}});
    legacy(id, "tools/call", params)
}

fn cancel(id: impl Into<Value>) -> Value {
    let params = json!({"requestId": id.into(), "reason": "no longer needed"});
    json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params})
}

/// The number of a message of the server.
#[track_caller]
fn seq(message: &Value) -> u64 {
    let places = ["/params", "/result", "/error/data"];
    let places = places.map(|place| format!("{place}/_meta/bifold~1seq"));
    let found = places.iter().find_map(|place| message.pointer(place));
    found
        .unwrap_or_else(|| panic!("no number: {message}"))
        .as_u64()
        .unwrap()
}

/// The same message as it would be over HTTP.
fn plain(mut message: Value) -> Value {
    for place in ["/params", "/result", "/error/data"] {
        let Some(holder) = message.pointer_mut(place) else {
            continue;
        };
        let meta = holder["_meta"].as_object_mut().unwrap();
        meta.remove("bifold/seq").unwrap();
        meta.remove("bifold/request");
        if meta.is_empty() {
            holder.as_object_mut().unwrap().remove("_meta");
        }
    }
    if message.pointer("/error/data") == Some(&json!({})) {
        message["error"].as_object_mut().unwrap().remove("data");
    }
    message
}
