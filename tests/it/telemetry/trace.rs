//! The trace of a request (W3C Trace Context), from its caller through both protocols to the upstream.

use std::collections::HashSet;

use axum::body::Body;
use bifold::{Content, Context, JsonSchema, Result, Server, Tool};
use http::{HeaderMap, Request, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Explorer, FUNCTION, PATH, header};
use crate::support::{Log, TestApp, modern};

const ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// The parts of a `traceparent`, which must be a valid one of version 00.
#[track_caller]
fn parts(headers: &HeaderMap) -> [String; 3] {
    let text = header(headers, "traceparent");
    let parts: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|it| it.len()).collect();
    assert_eq!(lengths, [2, 32, 16, 2], "{text}");
    assert_eq!(parts[0], "00");
    let digits = |it: u8| it.is_ascii_digit() || (b'a'..=b'f').contains(&it);
    assert!(parts[1..].iter().all(|it| it.bytes().all(digits)), "{text}");
    assert!(parts[1..3].iter().all(|it| it.bytes().any(|it| it != b'0')));
    [parts[1], parts[2], parts[3]].map(str::to_owned)
}

/// The headers of the upstream request for a REST request with these headers.
async fn asked(headers: &[(&str, &str)]) -> HeaderMap {
    let explorer = Explorer::start(Vec::new()).await;
    let app = explorer.app(|_| {}).await;
    let mut request = Request::get(PATH);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = app.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::OK);
    explorer.only()
}

#[tokio::test]
async fn the_trace_of_the_headers_is_propagated_to_the_upstream() {
    let headers = asked(&[
        ("traceparent", PARENT),
        ("tracestate", "congo=t61rcWkgMzE"),
        ("tracestate", "rojo=00f067aa0ba902b7"),
        ("baggage", "user=alice"),
    ])
    .await;
    let [id, span, flags] = parts(&headers);
    assert_eq!((&*id, &*flags), (ID, "01"));
    assert_ne!(span, "00f067aa0ba902b7", "it has its own span");
    let state = "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7";
    assert_eq!(header(&headers, "tracestate"), state);
    assert!(!headers.contains_key("baggage"), "it may be private");
}

#[tokio::test]
async fn the_trace_of_a_message_takes_precedence_over_that_of_the_headers() {
    let other = "00-11111111111111111111111111111111-2222222222222222-00";
    for (meta, expected) in [
        (
            json!({"traceparent": PARENT, "tracestate": "a=1"}),
            (ID, "01", "a=1"),
        ),
        (json!({"traceparent": PARENT}), (ID, "01", "")),
        (json!({}), ("11111111111111111111111111111111", "00", "b=2")),
        (
            json!({"traceparent": PARENT.to_uppercase()}),
            ("11111111111111111111111111111111", "00", "b=2"),
        ),
        (
            json!({"traceparent": 1}),
            ("11111111111111111111111111111111", "00", "b=2"),
        ),
    ] {
        for is_modern in [true, false] {
            let explorer = Explorer::start(Vec::new()).await;
            let app = explorer.app(|_| {}).await;
            let params = json!({"name": FUNCTION, "arguments": {}, "_meta": meta});
            let mut request = match is_modern {
                true => modern("tools/call", params),
                false => legacy(params),
            };
            let headers = request.headers_mut();
            headers.insert("traceparent", other.parse().unwrap());
            headers.insert("tracestate", "b=2".parse().unwrap());
            let answer = app.send(request).await;
            assert_eq!(
                answer.json()["result"]["isError"],
                false,
                "{}",
                answer.text()
            );
            let headers = explorer.only();
            let [id, _, flags] = parts(&headers);
            let found = (&*id, &*flags, header(&headers, "tracestate"));
            assert_eq!(found, expected, "{meta}");
        }
    }
}

fn legacy(params: Value) -> Request<Body> {
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
    let request = Request::post("/mcp").header("content-type", "application/json");
    request.body(body.to_string().into()).unwrap()
}

#[tokio::test]
async fn the_x_ray_header_is_used_if_there_is_no_traceparent() {
    let root = "Root=1-5759e988-bd862e3fe1be46a994272793";
    for (given, flags) in [
        (format!("{root};Parent=53995c3f42cd8ad8;Sampled=1"), "01"),
        (format!("{root};Sampled=0"), "00"),
        (
            format!("Self=1-00000000-000000000000000000000001; {root}"),
            "00",
        ),
        (format!("Sampled=?;Lineage=a:0;{root};Parent=x"), "00"),
    ] {
        let [id, _, found] = parts(&asked(&[("x-amzn-trace-id", &given)]).await);
        assert_eq!(id, "5759e988bd862e3fe1be46a994272793", "{given}");
        assert_eq!(found, flags, "{given}");
    }
    let both = asked(&[("x-amzn-trace-id", root), ("traceparent", PARENT)]).await;
    assert_eq!(parts(&both)[0], ID);
}

#[tokio::test]
async fn a_malformed_traceparent_is_ignored() {
    let mut ids = HashSet::new();
    let zeros = "00-00000000000000000000000000000000-00f067aa0ba902b7-01";
    let no_span = "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01";
    let root = "1-5759e988-bd862e3fe1be46a994272793";
    for (name, value) in [
        ("traceparent", ""),
        ("traceparent", zeros),
        ("traceparent", no_span),
        ("traceparent", &PARENT.to_uppercase()),
        ("traceparent", &PARENT.replace("00-", "ff-")),
        ("traceparent", &PARENT.replace("00-", "0-")),
        ("traceparent", &PARENT.replace('-', "")),
        ("traceparent", &format!("{PARENT}-more")),
        (
            "traceparent",
            &format!("01{}", &PARENT[2..].replace("-01", "-+1")),
        ),
        ("traceparent", &PARENT[..54]),
        ("x-amzn-trace-id", root),
        ("x-amzn-trace-id", &format!("Root=2{}", &root[1..])),
        ("x-amzn-trace-id", &format!("Root={}0", root)),
        (
            "x-amzn-trace-id",
            "Root=1-00000000-000000000000000000000000",
        ),
    ] {
        let headers = asked(&[(name, value), ("tracestate", "a=1")]).await;
        let [id, ..] = parts(&headers);
        assert!(!value.contains(&id), "{value}");
        assert_eq!(header(&headers, "tracestate"), "", "{value}");
        assert!(ids.insert(id), "each request is a trace of its own");
    }
    let twice = asked(&[("traceparent", PARENT), ("traceparent", PARENT)]).await;
    assert_ne!(parts(&twice)[0], ID);
}

#[tokio::test]
async fn later_versions_of_traceparent_are_read_as_far_as_version_00() {
    for value in [
        format!("cc{}", &PARENT[2..]),
        format!("01{}-more", &PARENT[2..]),
    ] {
        assert_eq!(parts(&asked(&[("traceparent", &value)]).await)[0], ID);
    }
}

#[tokio::test]
async fn a_malformed_or_too_long_tracestate_is_dropped() {
    let long = format!("a={}", "1".repeat(511));
    for state in ["a", "A=1", "a=1,b", "=1", "a=1=2", &long] {
        let headers = asked(&[("traceparent", PARENT), ("tracestate", state)]).await;
        assert_eq!(parts(&headers)[0], ID);
        assert_eq!(header(&headers, "tracestate"), "", "{state}");
    }
    let odd = "a=1, b-2*/_@c=x y ,,d=";
    let headers = asked(&[("traceparent", PARENT), ("tracestate", odd)]).await;
    assert_eq!(header(&headers, "tracestate"), odd);
}

#[tokio::test]
async fn each_try_has_its_own_span() {
    let explorer = Explorer::start(vec![StatusCode::SERVICE_UNAVAILABLE]).await;
    let app = explorer.app(|config| config.upstream_tries = 2).await;
    let request = Request::get(PATH).header("traceparent", PARENT);
    let answer = app.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::OK);
    let asked = explorer.asked.lock().unwrap();
    let tries: Vec<[String; 3]> = asked.iter().map(parts).collect();
    assert_eq!(tries.len(), 2);
    assert_eq!([&*tries[0][0], &*tries[1][0]], [ID, ID]);
    assert_ne!(tries[0][1], tries[1][1]);
}

#[tokio::test]
async fn calls_of_a_batch_belong_to_its_trace() {
    let explorer = Explorer::start(Vec::new()).await;
    let app = explorer.app(|_| {}).await;
    let calls = json!({"calls": [{"name": FUNCTION}]});
    let params = json!({"name": "call_many", "arguments": calls, "_meta": {"traceparent": PARENT}});
    let answer = app.mcp("tools/call", params).await;
    assert_eq!(answer.json()["result"]["structuredContent"]["succeeded"], 1);
    assert_eq!(parts(&explorer.only())[0], ID);
}

/// Takes long.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Long {}

async fn long(cx: Context, Long {}: Long) -> Result<Content> {
    cx.detach().await;
    Ok(Content::text("There."))
}

#[tokio::test]
async fn the_log_names_the_trace_of_a_request_and_of_its_task() {
    let tools = vec![Tool::new("long", long).task()];
    let app = TestApp::serving(Server::new("it", "1").tools(tools)).await;
    let log = Log::default();
    let _guard = log.keep();
    let tasks = json!({"extensions": {"io.modelcontextprotocol/tasks": {}}});
    let meta = json!({"traceparent": PARENT, "io.modelcontextprotocol/clientCapabilities": tasks});
    let mut request = modern(
        "tools/call",
        json!({"name": "long", "arguments": {}, "_meta": meta}),
    );
    request
        .headers_mut()
        .insert("x-request-id", "mine".parse().unwrap());
    let answer = app.send(request).await;
    assert_eq!(answer.json()["result"]["resultType"], "task");
    while log.lines("task").is_empty() {
        tokio::task::yield_now().await;
    }
    let lines = [log.requests(), log.lines("task")].concat();
    assert_eq!(lines.len(), 2);
    for (line, protocol) in lines.iter().zip(["mcp", "task"]) {
        assert_eq!(line["protocol"], protocol, "{line}");
        assert_eq!(line["function"], "long", "{line}");
        assert_eq!(line["outcome"], "ok", "{line}");
        assert_eq!(line["trace_id"], ID, "{line}");
        assert_eq!(line["request_id"], "mine", "{line}");
    }
    assert_eq!(lines[0]["method"], "tools/call");
    assert!(lines[1].get("status").is_none());
}
