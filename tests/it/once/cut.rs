//! Connections that are cut at any point.

use std::net::SocketAddr;

use bifold::{App, Config};
use futures_util::StreamExt;
use futures_util::stream;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::yield_now;

use super::{Effects, server};
use crate::store::table::Table;
use crate::support::{MODERN, meta, on_socket};

/// Servers, and the beginning of the keys that they are sent.
struct Bank {
    addresses: Vec<SocketAddr>,
    keys: String,
}

/// Where a connection is cut: after so many bytes of the request, some turns of the others later, or after so many bytes of
/// the response.
#[derive(Clone, Copy, Debug)]
enum Cut {
    Request(usize),
    Waiting(u32),
    Response(usize),
    Never,
}

/// The bytes of a call, on REST or on MCP.
fn request(id: u32, keys: &str) -> Vec<u8> {
    let arguments = json!({"id": id, "turns": id % 7});
    let key = format!("{keys}-{id}");
    let (path, headers, body) = match id % 2 {
        0 => (
            "/api/pay",
            format!("idempotency-key: \"{key}\"\r\n"),
            arguments,
        ),
        _ => {
            let mut meta = meta(MODERN);
            meta["bifold/idempotencyKey"] = key.into();
            let params = json!({"name": "pay", "arguments": arguments, "_meta": meta});
            let headers = format!(
                "accept: application/json, text/event-stream\r\nmcp-protocol-version: {MODERN}\r\n\
                 mcp-method: tools/call\r\nmcp-name: pay\r\n"
            );
            let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
            ("/mcp", headers, body)
        }
    };
    let body = body.to_string();
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n{headers}\r\n"
    );
    [head, body].concat().into_bytes()
}

/// Sends the call over a new connection; what comes back before the cut.
async fn send(address: SocketAddr, request: &[u8], cut: Cut) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let most = match cut {
        Cut::Request(bytes) => bytes % request.len(),
        _ => request.len(),
    };
    stream.write_all(&request[..most]).await.unwrap();
    let mut response = Vec::new();
    match cut {
        Cut::Request(_) => {}
        Cut::Waiting(turns) => {
            for _ in 0..turns {
                yield_now().await;
            }
        }
        Cut::Response(bytes) => {
            let mut part = vec![0; bytes];
            let _ = stream.read_exact(&mut part).await;
        }
        Cut::Never => drop(stream.read_to_end(&mut response).await.unwrap()),
    }
    response
}

/// The receipt in a response.
fn receipt(response: &[u8]) -> Value {
    let text = String::from_utf8_lossy(response);
    let (head, body) = text
        .split_once("\r\n\r\n")
        .unwrap_or_else(|| panic!("{text}"));
    assert!(head.starts_with("HTTP/1.1 200"), "{text}");
    let body: Value = serde_json::from_str(body).unwrap_or_else(|_| panic!("{text}"));
    match body.get("result") {
        Some(result) => result["structuredContent"].clone(),
        None => body,
    }
}

impl Bank {
    /// Makes so many calls, and each of them three times, by another server each time: twice cut at a random point, and
    /// then as a whole. The receipts of the third times.
    async fn pay(&self, calls: u32) -> Vec<(u32, Value)> {
        let mut random = fastrand::Rng::with_seed(20_260_728);
        let mut cut = || match random.u8(..3) {
            0 => Cut::Request(random.usize(..1000)),
            1 => Cut::Waiting(random.u32(..30)),
            _ => Cut::Response(random.usize(1..200)),
        };
        let calls: Vec<_> = (0..calls)
            .map(|id| (id, [cut(), cut(), Cut::Never]))
            .collect();
        let receipts = stream::iter(calls).map(|(id, cuts)| async move {
            let request = request(id, &self.keys);
            let mut last = Vec::new();
            for (turn, cut) in cuts.into_iter().enumerate() {
                let address = self.addresses[turn % self.addresses.len()];
                last = send(address, &request, cut).await;
            }
            (id, receipt(&last))
        });
        receipts.buffered(20).collect().await
    }
}

/// Every payment was made once, and each receipt is that of its payment.
fn check(calls: u32, effects: &Effects, receipts: Vec<(u32, Value)>) {
    let paid = effects.paid();
    assert_eq!(paid.len(), calls as usize);
    assert!(paid.values().all(|times| *times == 1), "{paid:?}");
    let mut numbers: Vec<u64> = Vec::new();
    for (id, receipt) in receipts {
        assert_eq!(receipt["id"], id);
        numbers.push(receipt["number"].as_u64().unwrap());
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=u64::from(calls)).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_thousand_calls_that_are_sent_three_times_each_have_their_effect_once() {
    let effects = Effects::default();
    let app = App::new(Config::default(), server(&effects)).unwrap();
    let (address, serving) = on_socket(&app).await;
    let bank = Bank {
        addresses: vec![address],
        keys: "call".to_owned(),
    };
    check(1000, &effects, bank.pay(1000).await);
    serving.abort();
}

/// A hundred calls to two processes that share a table.
async fn pay_in_two_processes(config: Config) {
    let effects = Effects::default();
    let mut bank = Bank {
        addresses: Vec::new(),
        keys: format!("{:032x}", fastrand::u128(..)),
    };
    let mut serving = Vec::new();
    for _ in 0..2 {
        let app = App::new(config.clone(), server(&effects)).unwrap();
        let (address, task) = on_socket(&app).await;
        bank.addresses.push(address);
        serving.push(task);
    }
    check(100, &effects, bank.pay(100).await);
    serving.iter().for_each(|it| it.abort());
}

/// A client may go while its key is being claimed.
#[tokio::test]
async fn a_hundred_calls_to_two_processes_have_their_effect_once() {
    let table = Table::start().await;
    pay_in_two_processes(table.settings()).await;
}

/// `BIFOLD_TABLE`, `AWS_REGION`, the credentials and perhaps `AWS_ENDPOINT_URL_DYNAMODB` say where the table is.
#[tokio::test]
#[ignore = "needs a table at DynamoDB or an emulator"]
async fn a_hundred_calls_have_their_effect_once_where_others_made_the_table() {
    let config = Config::from_env().unwrap();
    assert!(config.table.is_some(), "`BIFOLD_TABLE` is not set");
    pay_in_two_processes(config).await;
}
