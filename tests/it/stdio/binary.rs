//! The command `stdio` of the binary.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::Command;

use super::{call, legacy};
use crate::process::alone;

fn command() -> Command {
    let mut command = alone(Command::new(env!("CARGO_BIN_EXE_bifold")));
    command.args(["stdio", "--replay"]).stdin(Stdio::piped());
    command
}

#[tokio::test]
async fn messages_go_to_standard_output_and_the_log_to_standard_error() {
    let mut command = command();
    command.env("BIFOLD_METRICS_NAMESPACE", "it");
    let mut process = command.spawn().unwrap();
    let mut input = process.stdin.take().unwrap();
    let mut output = BufReader::new(process.stdout.take().unwrap()).lines();
    let price = json!({"token_pair": "HASH-USD", "last_number_of_trades": 2});
    for message in [
        legacy(1, "initialize", json!({"protocolVersion": "2025-11-25"})),
        json!({"jsonrpc": "2.0", "method": "notifications/initialized"}),
        call(2, "fetch_last_crypto_token_price", price),
    ] {
        let line = format!("{message}\n");
        input.write_all(line.as_bytes()).await.unwrap();
    }
    let mut told: Vec<Value> = Vec::new();
    for _ in 0..2 {
        let line = output.next_line().await.unwrap().unwrap();
        told.push(serde_json::from_str(&line).unwrap());
    }
    told.sort_by_key(|it| it["id"].as_u64());
    assert_eq!(told[0]["result"]["serverInfo"]["name"], "bifold");
    let trades = &told[1]["result"]["structuredContent"]["trades"];
    assert_eq!(trades.as_array().unwrap().len(), 2);
    drop(input);
    assert!(process.wait().await.unwrap().success());
    assert_eq!(output.next_line().await.unwrap(), None);
    let mut log = String::new();
    let mut stderr = process.stderr.take().unwrap();
    stderr.read_to_string(&mut log).await.unwrap();
    assert!(
        log.contains("function=\"fetch_last_crypto_token_price\""),
        "{log}"
    );
    assert!(!log.contains("listens on"), "{log}");
}

#[tokio::test]
async fn it_ends_at_a_signal_though_the_input_is_open() {
    let mut process = command().spawn().unwrap();
    let mut input = process.stdin.take().unwrap();
    let ping = legacy(1, "ping", json!({}));
    let line = format!("{ping}\n");
    input.write_all(line.as_bytes()).await.unwrap();
    let mut output = BufReader::new(process.stdout.take().unwrap()).lines();
    output.next_line().await.unwrap().unwrap();
    let kill = format!("kill -TERM {}", process.id().unwrap());
    let sent = Command::new("sh").args(["-c", &kill]).status().await;
    assert!(sent.unwrap().success());
    assert!(process.wait().await.unwrap().success());
}

#[tokio::test]
async fn with_nothing_to_read_it_ends_at_once() {
    let output = command().stdin(Stdio::null()).output().await.unwrap();
    assert!(output.status.success() && output.stdout.is_empty());
}
