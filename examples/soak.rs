//! Mixed calls on both protocols against a recorded upstream with faults, for a while: no wrong answer, no hang, no growth.
//!
//! `cargo run --release --example soak -- --seconds 120`

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::body::Body;
use bifold::provenance::replay::{MOVING, PLAIN, Replay, VESTING};
use bifold::{App, Config, RequestInfo, provenance};
use clap::Parser;
use http::Request;
use serde_json::{Value, json};

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[derive(Parser)]
struct Options {
    /// How long to call.
    #[arg(long, default_value_t = 120)]
    seconds: u64,
    /// Callers at the same time.
    #[arg(long, default_value_t = 16)]
    callers: usize,
    /// What goes wrong upstream, as `BIFOLD_REPLAY_FAULTS` takes it.
    #[arg(
        long,
        default_value = "explorer=500@4,explorer=reset@4,explorer=truncate@4,explorer=delay:50@4,explorer=shape@4,\
                                 lcd=429:1@10,lcd=503@10,exchange=garbage@10,exchange=type@5,exchange=slow:50@5"
    )]
    faults: String,
}

/// What was seen so far.
#[derive(Default)]
struct Tally {
    good: u64,
    partial: u64,
    failed: BTreeMap<String, u64>,
    wrong: Vec<String>,
    slowest: Duration,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let options = Options::parse();
    let truth = Arc::new(truth().await?);
    let replay = Replay::start().await?;
    replay.follow(Replay::faults(&options.faults)?);
    let mut config = Config::default();
    replay.configure(&mut config);
    // A small cache and short calls, so that the upstream is asked often and waits do not hide faults.
    config.cache_bytes = 8 << 10;
    config.call_timeout = Duration::from_secs(5);
    let app = App::new(config, provenance::server())?;
    let tally = Arc::new(Mutex::new(Tally::default()));
    let until = Instant::now() + Duration::from_secs(options.seconds);
    println!("{}", process("at start"));
    let mut callers = tokio::task::JoinSet::new();
    for caller in 0..options.callers {
        callers.spawn(call(
            app.clone(),
            truth.clone(),
            tally.clone(),
            until,
            caller,
        ));
    }
    let mut requests = 0;
    let quarter = Instant::now() + Duration::from_secs(options.seconds) / 4;
    let mut is_quarter_told = false;
    while Instant::now() < until {
        tokio::time::sleep(Duration::from_millis(250)).await;
        // What the upstream was asked is only counted: the list of it must not be the growth that is looked for.
        requests += replay.seen().len();
        replay.forget();
        if !is_quarter_told && Instant::now() > quarter {
            is_quarter_told = true;
            println!("{}", process("after a quarter"));
        }
    }
    while callers.join_next().await.transpose()?.is_some() {}
    println!("{}", process("at the end"));
    let tally = tally.lock().map_err(|_| "a caller panicked")?;
    println!(
        "{} good, {} partial, failed {:?}, slowest {:?}, upstream requests {requests}",
        tally.good, tally.partial, tally.failed, tally.slowest,
    );
    match tally.wrong.first() {
        Some(wrong) => {
            Err(format!("{} wrong answers, the first: {wrong}", tally.wrong.len()).into())
        }
        None => Ok(()),
    }
}

/// One call with the answer it has when nothing goes wrong.
struct Case {
    name: &'static str,
    arguments: Value,
    path: String,
    expected: Value,
}

async fn truth() -> Result<Vec<Case>, Failure> {
    let replay = Replay::start().await?;
    let mut config = Config::default();
    replay.configure(&mut config);
    let app = App::new(config, provenance::server())?;
    let mut cases = Vec::new();
    for tool in app
        .registry()
        .tools()
        .iter()
        .filter(|tool| tool.path().is_some())
    {
        let path = tool.path().unwrap_or_default();
        let wallets = if tool.is_required("wallet_address") {
            vec![VESTING, PLAIN, MOVING]
        } else {
            vec![""]
        };
        for wallet in wallets {
            let path = format!(
                "/api{}",
                path.replace("{wallet_address}", wallet)
                    .replace("{token_pair}", "HASH-USD")
            );
            let arguments = if wallet.is_empty() {
                json!({})
            } else {
                json!({ "wallet_address": wallet })
            };
            let (status, expected) = get(&app, &path).await?;
            assert_eq!(status, 200, "{path}");
            cases.push(Case {
                name: tool.name(),
                arguments,
                path,
                expected,
            });
        }
    }
    Ok(cases)
}

async fn call(
    app: App,
    cases: Arc<Vec<Case>>,
    tally: Arc<Mutex<Tally>>,
    until: Instant,
    caller: usize,
) {
    let mut turn = caller;
    while Instant::now() < until {
        turn += 7;
        let case = &cases[turn % cases.len()];
        let since = Instant::now();
        let is_mcp = turn.is_multiple_of(2)
            && app
                .registry()
                .get(case.name)
                .is_some_and(|tool| tool.on_mcp());
        let answer = if is_mcp {
            tool(&app, case).await
        } else {
            get(&app, &case.path).await
        };
        let mut tally = tally.lock().expect("no caller panics while it counts");
        tally.slowest = tally.slowest.max(since.elapsed());
        match answer {
            Ok((200, body)) if body == case.expected => tally.good += 1,
            Ok((200, body)) if is_honest_part(&body, &case.expected) => tally.partial += 1,
            Ok((502..=504, body)) => {
                *tally.failed.entry(body["kind"].to_string()).or_default() += 1
            }
            other => tally.wrong.push(format!("{}: {other:?}", case.path)),
        }
    }
}

/// Whether the answer says that a part is missing and is right in all that it does say.
fn is_honest_part(body: &Value, expected: &Value) -> bool {
    let lost = |it: &Value| {
        it["incomplete"]
            .as_array()
            .is_some_and(|parts| !parts.is_empty())
    };
    lost(body) && agrees(body, expected)
}

fn agrees(found: &Value, expected: &Value) -> bool {
    match (found, expected) {
        (Value::Null, _) => true,
        (Value::Object(found), Value::Object(expected)) => found
            .iter()
            .filter(|(key, _)| *key != "incomplete")
            .all(|(key, value)| agrees(value, expected.get(key).unwrap_or(&Value::Null))),
        (found, expected) => found == expected,
    }
}

async fn get(app: &App, path: &str) -> Result<(u16, Value), Failure> {
    send(app, Request::get(path).body(Body::empty())?).await
}

/// The same over MCP, with the status that REST would have.
async fn tool(app: &App, case: &Case) -> Result<(u16, Value), Failure> {
    let params = json!({ "name": case.name, "arguments": case.arguments });
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
    let request = Request::post("/mcp").header("content-type", "application/json");
    let (status, mut body) = send(app, request.body(body.to_string().into())?).await?;
    match body["result"]["isError"].as_bool() {
        Some(false) => Ok((status, body["result"]["structuredContent"].take())),
        _ => Ok((502, body["result"]["_meta"]["bifold/error"].take())),
    }
}

async fn send(app: &App, request: Request<Body>) -> Result<(u16, Value), Failure> {
    let response = app.serve(request, RequestInfo::default()).await;
    let status = response.status().as_u16();
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await?;
    Ok((status, serde_json::from_slice(&body)?))
}

/// Memory, tasks and descriptors of this process.
fn process(when: &str) -> String {
    let memory = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let memory = memory
        .lines()
        .find(|line| line.starts_with("VmRSS"))
        .unwrap_or("")
        .to_owned();
    let descriptors = std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
    let tasks = tokio::runtime::Handle::current()
        .metrics()
        .num_alive_tasks();
    json!({ "when": when, "memory": memory, "descriptors": descriptors, "tasks": tasks })
        .to_string()
}
