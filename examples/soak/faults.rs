//! Calls with faulty upstreams: each answer must be correct, or name what is missing, or be a typed failure.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::body::Body;
use bifold::provenance::replay::Replay;
use bifold::{App, Config, provenance};
use http::Request;
use serde_json::Value;

use crate::cases::{self, Case, result, truth};
use crate::{Failure, Options, process};

/// The results so far.
#[derive(Default)]
struct Results {
    good: u64,
    partial: u64,
    failed: BTreeMap<String, u64>,
    wrong: Vec<String>,
    slowest: Duration,
}

/// Calls for `seconds`.
///
/// # Errors
/// An answer was wrong.
pub async fn run(options: &Options, seconds: u64) -> Result<(), Failure> {
    let truth = Arc::new(truth().await?);
    let replay = Replay::start().await?;
    replay.plan_faults(Replay::faults(&options.faults)?);
    let mut config = Config::default();
    replay.configure(&mut config);
    // A small cache and short calls, so that many upstream requests are sent and waits do not hide faults.
    config.cache_bytes = 8 << 10;
    config.call_timeout = Duration::from_secs(5);
    let app = App::new(config, provenance::server())?;
    let results = Arc::new(Mutex::new(Results::default()));
    let until = Instant::now() + Duration::from_secs(seconds);
    println!("{}", process::own("at start"));
    let mut callers = tokio::task::JoinSet::new();
    for caller in 0..options.callers {
        callers.spawn(call(
            app.clone(),
            truth.clone(),
            results.clone(),
            until,
            caller,
        ));
    }
    let mut requests = 0;
    let quarter = Instant::now() + Duration::from_secs(seconds) / 4;
    let mut is_quarter_told = false;
    while Instant::now() < until {
        tokio::time::sleep(Duration::from_millis(250)).await;
        // The recorded requests are only counted and cleared, so that their list does not look like a memory leak.
        requests += replay.seen().len();
        replay.forget();
        if !is_quarter_told && Instant::now() > quarter {
            is_quarter_told = true;
            println!("{}", process::own("after a quarter"));
        }
    }
    while callers.join_next().await.transpose()?.is_some() {}
    println!("{}", process::own("at the end"));
    let results = results.lock().map_err(|_| "a caller panicked")?;
    println!(
        "faults: {} good, {} partial, failed {:?}, slowest {:?}, upstream requests {requests}",
        results.good, results.partial, results.failed, results.slowest,
    );
    match results.wrong.first() {
        Some(wrong) => {
            Err(format!("{} wrong answers, the first: {wrong}", results.wrong.len()).into())
        }
        None => Ok(()),
    }
}

async fn call(
    app: App,
    cases: Arc<Vec<Case>>,
    results: Arc<Mutex<Results>>,
    until: Instant,
    caller: usize,
) {
    let mut turn = caller;
    while Instant::now() < until {
        turn += 7;
        let case = &cases[turn % cases.len()];
        let since = Instant::now();
        let answer = match turn.is_multiple_of(2) && case.on_mcp {
            true => tool(&app, case).await,
            false => get(&app, &case.path).await,
        };
        let mut results = results.lock().expect("no caller panics while it counts");
        results.slowest = results.slowest.max(since.elapsed());
        match answer {
            Ok((200, body)) if body == case.expected => results.good += 1,
            Ok((200, body)) if is_honest_part(&body, &case.expected) => results.partial += 1,
            Ok((502..=504, body)) => {
                *results.failed.entry(body["kind"].to_string()).or_default() += 1
            }
            other => results.wrong.push(format!("{}: {other:?}", case.path)),
        }
    }
}

/// Whether the answer names a missing part and is correct in all other parts.
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
    cases::send(app, Request::get(path).body(Body::empty())?).await
}

async fn tool(app: &App, case: &Case) -> Result<(u16, Value), Failure> {
    let request = Request::post("/mcp").header("content-type", "application/json");
    let body = case.message(1).to_string();
    let (_, message) = cases::send(app, request.body(body.into())?).await?;
    Ok(result(message))
}
