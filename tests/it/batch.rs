//! The batch function: the limits of each call and of the whole batch, and the report.

mod listing;
mod time;
mod upstream;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bifold::provenance::replay::{PLAIN, VESTING};
use bifold::{Content, Context, Error, JsonSchema, Result, Server, Tool, batch};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::support::{Answer, TestApp, modern};

/// Answers with its number and the data of its request.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Echo {
    /// Any number.
    #[serde(default)]
    number: u32,
}

/// Answers after some time.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Slow {
    /// Milliseconds.
    ms: u64,
}

/// Fails.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Bad {
    /// `fail`, `tired` or `panic`.
    how: String,
}

#[derive(Serialize, JsonSchema)]
struct Echoed {
    number: u32,
    request_id: String,
}

/// How many slow functions run, and the maximum so far.
#[derive(Clone, Default)]
struct Running {
    now: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
    echoes: Arc<AtomicUsize>,
}

fn echo(cx: Context, Echo { number }: Echo) -> Result<Echoed> {
    cx.state::<Running>()?
        .echoes
        .fetch_add(1, Ordering::Relaxed);
    cx.progress(0.5, None, "a call's own progress is not reported");
    let request_id = cx.request_id().to_owned();
    Ok(Echoed { number, request_id })
}

async fn slow(cx: Context, Slow { ms }: Slow) -> Result<Content> {
    let running = cx.state::<Running>()?;
    let now = running.now.fetch_add(1, Ordering::Relaxed) + 1;
    running.most.fetch_max(now, Ordering::Relaxed);
    sleep(Duration::from_millis(ms)).await;
    running.now.fetch_sub(1, Ordering::Relaxed);
    Ok(Content::text(format!("{ms} ms")))
}

async fn bad(_: Context, Bad { how }: Bad) -> Result<Content> {
    match how.as_str() {
        "fail" => Err(Error::failed("it would not work").with_source("secret detail")),
        "tired" => Err(Error::failed("it did not work").tries(3)),
        _ => panic!("secret defect"),
    }
}

async fn serving(running: &Running) -> TestApp {
    let tools = vec![
        Tool::sync("echo", echo).get("/echo/{number}"),
        Tool::new("slow", slow).post("/slowly"),
        Tool::new("bad", bad).post("/badly"),
        batch::tool(),
    ];
    let server = Server::new("batch", "1.0.0").state(running.clone());
    TestApp::serving(server.tools(tools)).await
}

fn call(name: &str, arguments: Value) -> Value {
    json!({"name": name, "arguments": arguments})
}

fn echoes(count: usize) -> Vec<Value> {
    (0..count)
        .map(|n| call("echo", json!({"number": n})))
        .collect()
}

async fn post(app: &TestApp, arguments: Value) -> Answer {
    app.post("/api/batch", arguments.to_string()).await
}

/// The report on these calls.
async fn report(app: &TestApp, arguments: Value) -> Value {
    let answer = post(app, arguments).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

/// The error kind of each call; null if it succeeded.
fn kinds(report: &Value) -> Vec<&Value> {
    let results = report["results"].as_array().unwrap();
    results.iter().map(|it| &it["error"]["kind"]).collect()
}

#[tokio::test]
async fn a_failure_affects_only_its_own_call() {
    let app = serving(&Running::default()).await;
    let calls = json!([
        call("echo", json!({"number": 1})),
        call("ecko", json!({})),
        call("echo", json!({"number": "one"})),
        call("echo", json!({"numbre": 1})),
        call("bad", json!({"how": "fail"})),
        call("bad", json!({"how": "tired"})),
        call("bad", json!({"how": "panic"})),
        {"name": "echo"},
    ]);
    let answer = post(&app, json!({"calls": calls})).await;
    assert_eq!(answer.status, 200);
    assert!(!answer.text().contains("secret"), "{}", answer.text());
    let report = answer.json();
    let kinds = kinds(&report);
    let expected = [
        Value::Null,
        json!("unknown_function"),
        json!("invalid_argument"),
        json!("invalid_argument"),
        json!("failed"),
        json!("failed"),
        json!("internal"),
        Value::Null,
    ];
    assert_eq!(kinds, expected.iter().collect::<Vec<_>>());
    assert_eq!(
        (&report["total"], &report["succeeded"]),
        (&json!(8), &json!(2))
    );
    assert_eq!(report["failed"], 6);
    let results = &report["results"];
    assert!(
        results[1]["error"]["message"]
            .as_str()
            .unwrap()
            .contains("`echo`")
    );
    assert_eq!(results[2]["error"]["field"], "number");
    assert_eq!(results[3]["error"]["field"], "numbre");
    assert_eq!(results[4]["error"]["retryable"], false);
    assert!(results[4].get("result").is_none());
    let failures = report["failures"].as_array().unwrap();
    let places: Vec<&Value> = failures.iter().map(|it| &it["index"]).collect();
    assert_eq!(places, [1, 2, 3, 4, 5, 6]);
    assert_eq!(
        failures[4],
        json!({"index": 5, "name": "bad", "kind": "failed", "message": "it did not work", "attempts": 3})
    );
    assert_eq!(failures[3]["attempts"], 1);
}

#[tokio::test]
async fn two_hundred_calls_are_accepted_and_one_more_is_refused() {
    let running = Running::default();
    let app = serving(&running).await;
    let full = report(&app, json!({"calls": echoes(200)})).await;
    assert_eq!(full["succeeded"], 200);
    for (index, item) in full["results"].as_array().unwrap().iter().enumerate() {
        assert_eq!(item["result"]["number"], index);
    }
    let refused = post(&app, json!({"calls": echoes(201)})).await;
    assert_eq!(refused.status, 400);
    assert_eq!(refused.json()["kind"], "invalid_argument");
    assert_eq!(refused.json()["field"], "calls");
    let result = app.tool("call_many", json!({"calls": echoes(201)})).await;
    assert_eq!(result["isError"], true);
    assert_eq!(result["_meta"]["bifold/error"]["field"], "calls");
    assert_eq!(running.echoes.load(Ordering::Relaxed), 200);
}

#[tokio::test]
async fn an_empty_batch_has_an_empty_report() {
    let app = serving(&Running::default()).await;
    let empty = json!({"total": 0, "succeeded": 0, "failed": 0, "results": [], "failures": []});
    assert_eq!(report(&app, json!({"calls": []})).await, empty);
}

#[tokio::test]
async fn a_batch_inside_a_batch_is_refused_under_every_name() {
    let app = TestApp::start().await;
    let inner = json!({"calls": [{"name": "get_registry_summary"}]});
    let hidden = json!({"function_name": "call_many", "arguments": inner});
    let calls = [
        call("call_many", inner),
        call("mcp_test_server", hidden.clone()),
        call("get_registry_summary", json!({})),
    ];
    let result = app.tool("call_many", json!({"calls": calls})).await;
    let report = &result["structuredContent"];
    assert_eq!(report["results"][0]["error"]["kind"], "invalid_argument");
    assert_eq!(report["results"][0]["error"]["field"], "calls");
    assert_eq!(report["results"][1]["error"]["kind"], "invalid_argument");
    assert_eq!(report["results"][1]["error"]["field"], "function_name");
    assert_eq!(report["results"][2]["ok"], true);
    let result = app.tool("mcp_test_server", hidden).await;
    let report = &result["structuredContent"];
    assert_eq!(report["successful_calls"], 0);
    assert_eq!(report["errors"][0]["kind"], "invalid_argument");
}

#[tokio::test]
async fn a_batch_runs_only_functions_of_its_protocol() {
    let app = TestApp::start().await;
    let wallet = json!({"wallet_address": PLAIN});
    let calls = json!({"calls": [
        call("mcp_warmup_ping", json!({})),
        call("mcp_test_server", json!({"function_name": "mcp_warmup_ping"})),
        call("fetch_delegated_staked_amount", wallet),
        call("get_registry_summary", json!({})),
    ]});
    let unknown = json!("unknown_function");
    let by_rest = report(&app, calls.clone()).await;
    assert_eq!(
        kinds(&by_rest),
        [&unknown, &unknown, &Value::Null, &Value::Null]
    );
    let by_mcp = app.tool("call_many", calls).await["structuredContent"].take();
    assert_eq!(
        kinds(&by_mcp),
        [
            &Value::Null,
            &json!("invalid_argument"),
            &unknown,
            &Value::Null
        ]
    );
    let hidden = json!({"function_name": "fetch_delegated_staked_amount"});
    let result = app.tool("mcp_test_server", hidden).await;
    assert_eq!(result["_meta"]["bifold/error"]["field"], "function_name");
}

#[tokio::test]
async fn invalid_arguments_are_refused_with_their_path() {
    let app = serving(&Running::default()).await;
    for (arguments, field) in [
        (json!({}), "calls"),
        (json!({"calls": {}}), "calls"),
        (json!({"calls": [{}]}), "calls[0].name"),
        (json!({"calls": [{"name": 5}]}), "calls[0].name"),
        (
            json!({"calls": [{"name": "echo"}, {"name": "echo", "args": {}}]}),
            "calls[1].args",
        ),
        (
            json!({"calls": [{"name": "echo", "arguments": [1]}]}),
            "calls[0].arguments",
        ),
        (
            json!({"calls": [], "item_timeout_ms": 0}),
            "item_timeout_ms",
        ),
        (
            json!({"calls": [], "item_timeout_ms": 900_001}),
            "item_timeout_ms",
        ),
        (json!({"calls": [], "timeout": 1}), "timeout"),
    ] {
        let answer = post(&app, arguments.clone()).await;
        assert_eq!(answer.status, 400, "{arguments}");
        assert_eq!(answer.json()["field"], field, "{arguments}");
    }
}

#[tokio::test]
async fn both_protocols_and_both_paths_give_the_same_report_byte_for_byte() {
    let app = TestApp::start().await;
    let calls = [
        call(
            "fetch_complete_wallet_summary",
            json!({"wallet_address": VESTING}),
        ),
        call(
            "fetch_total_delegation_data",
            json!({"wallet_address": PLAIN}),
        ),
        call("fetch_current_hash_statistics", json!({})),
        call("fetch_account_info", json!({"wallet_address": "pb1"})),
    ];
    let arguments = json!({"calls": calls});
    let short = post(&app, arguments.clone()).await;
    let long = app.post("/api/call_many", arguments.to_string()).await;
    assert_eq!(short.text(), long.text());
    let result = app.tool("call_many", arguments).await;
    assert_eq!(result["structuredContent"], short.json());
    assert_eq!(result["content"][0]["text"], short.text());
    for path in [
        format!("/api/complete_wallet_summary/{VESTING}"),
        format!("/api/total_delegation_data/{PLAIN}"),
        "/api/current_hash_statistics".to_owned(),
    ] {
        let alone = app.get(&path).await.text();
        assert!(
            short.text().contains(&format!("\"result\":{alone}}}")),
            "{path}"
        );
    }
    assert_eq!(app.get("/api/batch").await.status, 405);
}

#[tokio::test]
async fn all_calls_belong_to_the_request_of_the_batch() {
    let app = serving(&Running::default()).await;
    let answer = post(&app, json!({"calls": echoes(2)})).await;
    for item in answer.json()["results"].as_array().unwrap() {
        assert_eq!(item["result"]["request_id"], answer.header("x-request-id"));
    }
}

#[tokio::test(start_paused = true)]
async fn progress_is_reported_after_each_call() {
    let app = serving(&Running::default()).await;
    let calls = [
        call("slow", json!({"ms": 20})),
        call("echo", json!({})),
        call("nothing", json!({})),
    ];
    let params =
        json!({"name": "call_many", "arguments": {"calls": calls}, "_meta": {"progressToken": 1}});
    let answer = app.send(modern("tools/call", params)).await.text();
    let events = answer.trim_end().split("\n\n");
    let events = events.map(|it| it.strip_prefix("event: message\ndata: ").unwrap());
    let events: Vec<Value> = events.map(|it| serde_json::from_str(it).unwrap()).collect();
    let told: Vec<Value> = events[..3].iter().map(|it| it["params"].clone()).collect();
    let expected = [(1.0, "echo"), (2.0, "nothing"), (3.0, "slow")].map(
        |(done, name)| json!({"progressToken": 1, "progress": done, "total": 3.0, "message": name}),
    );
    assert_eq!(told, expected);
    assert_eq!(events[3]["result"]["structuredContent"]["succeeded"], 2);
    assert_eq!(events.len(), 4);
}
