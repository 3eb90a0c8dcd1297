//! Hostile clients that try to exhaust the server; the number of each kind is limited, and each one sends little.

use std::future::pending;
use std::time::Duration;

use bifold::provenance::replay::PERIODIC;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::Failure;
use crate::scene::Scene;

/// A kind of client.
pub struct Kind {
    pub name: &'static str,
    /// The number of concurrent clients of this kind.
    pub clients: usize,
    /// The attack that one client repeats.
    pub attack: fn(Scene) -> BoxFuture<'static, Result<(), Failure>>,
}

macro_rules! kinds {
    ($($name:literal $clients:literal $attack:ident),* $(,)?) => {
        [$(Kind { name: $name, clients: $clients, attack: |scene| $attack(scene).boxed() }),*]
    };
}

/// The maximum body is one megabyte; a little of it is reserved for the rest of the message.
const MEGABYTE: usize = (1 << 20) - 1_000;

/// How long a client stays connected if the server does not disconnect it.
const STAY: Duration = Duration::from_secs(40);

/// The pause of a client that is refused at once.
const PAUSE: Duration = Duration::from_millis(100);

/// All kinds.
fn kinds() -> [Kind; 11] {
    kinds![
        "slow" 20 read_slowly,
        "never" 40 never_read,
        "pings" 4 flood_with_pings,
        "nested" 2 nest_calls,
        "batches" 2 multiply_answers,
        "names" 4 name_at_length,
        "bodies" 40 hold_body,
        "connections" 300 hold_connection,
        "early" 4 send_too_much,
        "hung" 8 ask_what_hangs,
        "invented" 2 invent_pairs,
    ]
}

/// The kinds of a list such as `pings,bodies`, or of `all` or `none`.
///
/// # Errors
/// The list contains an unknown name.
pub fn chosen(list: &str) -> Result<Vec<Kind>, Failure> {
    let (all, wanted): (_, Vec<&str>) = (kinds(), list.split(',').collect());
    let unknown = wanted.iter().find(|name| {
        !["all", "none"].contains(*name) && !all.iter().any(|kind| kind.name == **name)
    });
    if let Some(unknown) = unknown {
        let names = all.map(|kind| kind.name).join(" ");
        return Err(format!("there is no hostile client `{unknown}`, there are: {names}").into());
    }
    let is_wanted = |kind: &Kind| wanted.contains(&"all") || wanted.contains(&kind.name);
    Ok(all.into_iter().filter(is_wanted).collect())
}

/// Repeats the attack until the time is over, ignoring its errors.
pub async fn attack(kind: fn(Scene) -> BoxFuture<'static, Result<(), Failure>>, scene: Scene) {
    while scene.is_running() {
        if kind(scene.clone()).await.is_err() {
            sleep(PAUSE).await;
        }
    }
}

fn call(name: &str, arguments: Value) -> Value {
    let params = json!({ "name": name, "arguments": arguments });
    json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params })
}

/// A batch of as many messages as the server accepts.
fn batch(message: &Value) -> Value {
    Value::Array(vec![message.clone(); 100])
}

/// Requests megabytes with a few kilobytes, several times on one connection. Data beyond the socket buffers stays in
/// the server's memory.
async fn ask_for_much(scene: &Scene) -> Result<TcpStream, Failure> {
    let body = batch(&call("fetch_market_overview_summary", json!({}))).to_string();
    let length = body.len();
    let mut socket = scene.connect_narrow().await?;
    let head = format!(
        "POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    );
    for _ in 0..3 {
        socket.write_all(head.as_bytes()).await?;
        socket.write_all(body.as_bytes()).await?;
    }
    Ok(socket)
}

/// Reads a large answer slowly.
async fn read_slowly(scene: Scene) -> Result<(), Failure> {
    let mut socket = ask_for_much(&scene).await?;
    let mut some = [0; 1024];
    while socket.read(&mut some).await? > 0 {
        sleep(PAUSE).await;
    }
    Ok(())
}

/// Requests large answers and reads nothing.
async fn never_read(scene: Scene) -> Result<(), Failure> {
    let socket = ask_for_much(&scene).await?;
    sleep(STAY).await;
    drop(socket);
    Ok(())
}

/// Sends pings on a WebSocket and reads no pong.
async fn flood_with_pings(scene: Scene) -> Result<(), Failure> {
    let mut socket = scene.connect_narrow().await?;
    let upgrade = "GET /ws HTTP/1.1\r\nhost: localhost\r\nupgrade: websocket\r\nconnection: upgrade\r\n\
                   sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    socket.write_all(upgrade.as_bytes()).await?;
    let mut ping = vec![0x89, 0x80 | 125];
    ping.resize(2 + 4 + 125, 0);
    let pings = ping.repeat(500);
    // A client that does not read does not notice that it was disconnected.
    timeout(STAY, async {
        while scene.is_running() {
            socket.write_all(&pings).await?;
        }
        Ok(())
    })
    .await?
}

/// Calls a function that calls many functions, each of which calls many.
async fn nest_calls(scene: Scene) -> Result<(), Failure> {
    let inner = json!({ "function_name": "get_registry_introspection", "repeat": 20 });
    let calls = json!([{ "name": "mcp_test_server", "arguments": inner }]);
    let calls = vec![calls[0].clone(); 200];
    let outer =
        json!({ "function_name": "call_many", "arguments": { "calls": calls }, "repeat": 20 });
    scene.post(&call("mcp_test_server", outer)).await?;
    Ok(())
}

/// Sends a full batch of requests, whose answers are a hundred times as large.
async fn multiply_answers(scene: Scene) -> Result<(), Failure> {
    let calls = vec![json!({ "name": "get_registry_introspection" }); 200];
    let large = call("call_many", json!({ "calls": calls }));
    scene.post(&batch(&large)).await?;
    sleep(PAUSE).await;
    Ok(())
}

/// Sends names of a megabyte in every place for a name.
async fn name_at_length(scene: Scene) -> Result<(), Failure> {
    let long = "x".repeat(MEGABYTE);
    let ping = |id: &str, method: &str| json!({ "jsonrpc": "2.0", "id": id, "method": method });
    let mut told = call(
        "mcp_test_server",
        json!({ "function_name": "get_registry_summary", "repeat": 20 }),
    );
    told["params"]["_meta"] = json!({ "progressToken": long });
    for body in [
        call(&long, json!({})),
        call("get_registry_summary", json!({ &long: 1 })),
        call("mcp_test_server", json!({ "function_name": long })),
        ping(&long, "ping"),
        ping("a", &long),
        told,
    ] {
        scene.post(&body).await?;
    }
    Ok(())
}

/// Sends all of a large body except the last byte.
async fn hold_body(scene: Scene) -> Result<(), Failure> {
    let mut socket = scene.connect().await?;
    let head =
        format!("POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-length: {MEGABYTE}\r\n\r\n");
    socket.write_all(head.as_bytes()).await?;
    socket.write_all(&vec![b' '; MEGABYTE - 1]).await?;
    // Until the server closes the connection.
    drop(timeout(STAY, socket.read_u8()).await);
    Ok(())
}

/// Opens a connection and sends nothing.
async fn hold_connection(scene: Scene) -> Result<(), Failure> {
    let mut socket = scene.connect().await?;
    drop(timeout(STAY, socket.read_u8()).await);
    sleep(PAUSE).await;
    Ok(())
}

/// Sends ten times the maximum body to an unknown path.
async fn send_too_much(scene: Scene) -> Result<(), Failure> {
    let mut socket = scene.connect().await?;
    let length = 10 * MEGABYTE;
    let head =
        format!("POST /nowhere HTTP/1.1\r\nhost: localhost\r\ncontent-length: {length}\r\n\r\n");
    socket.write_all(head.as_bytes()).await?;
    for _ in 0..10 {
        socket.write_all(&vec![b' '; MEGABYTE]).await?;
    }
    drop(timeout(STAY, socket.read_u8()).await);
    sleep(PAUSE).await;
    Ok(())
}

/// Requests data from a hanging path, and other data of the same upstream.
async fn ask_what_hangs(scene: Scene) -> Result<(), Failure> {
    let path = format!("/api/delegated_rewards_amount/{PERIODIC}");
    scene.connection().await?.get(&path).await?;
    sleep(PAUSE).await;
    Ok(())
}

/// Requests the prices of invented pairs.
async fn invent_pairs(scene: Scene) -> Result<(), Failure> {
    let pair = || format!("X{:08X}-USD", fastrand::u32(..));
    let one = || json!({ "name": "fetch_last_crypto_token_price", "arguments": { "token_pair": pair() } });
    let calls: Vec<Value> = (0..200).map(|_| one()).collect();
    scene
        .post(&call("call_many", json!({ "calls": calls })))
        .await?;
    Ok(())
}

/// Connections that request large answers and read nothing while the future is held.
pub async fn stay_unread(scene: Scene) {
    let mut held = Vec::new();
    for _ in 0..20 {
        held.extend(ask_for_much(&scene).await.ok());
    }
    pending().await
}
