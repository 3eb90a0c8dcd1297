//! Streams of the binary as a Lambda function: when chunks are sent, how streams end, and that nothing runs after them.

use std::time::Duration;

use bifold::provenance::replay::Replay;
use http::HeaderMap;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::platform::{Platform, Post, after};
use crate::lambda::{changed, event};

const STATISTICS: &str =
    include_str!("../../../src/provenance/replay/recorded/explorer_v3_utility_token_stats.json");

/// A function behind a streaming URL, one of whose upstreams is this test.
struct Function {
    platform: Platform,
    upstream: TcpListener,
    _replay: Replay,
}

impl Function {
    async fn start(settings: &[(&str, &str)]) -> Function {
        let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let replay = Replay::start().await.unwrap();
        let explorer = format!("http://{}", upstream.local_addr().unwrap());
        let (exchange, lcd) = (replay.url("exchange"), replay.url("lcd"));
        let own = [
            ("BIFOLD_INVOKE_MODE", "response_stream"),
            ("BIFOLD_EXPLORER_URL", &explorer),
            ("BIFOLD_EXCHANGE_URL", &exchange),
            ("BIFOLD_LCD_URL", &lcd),
            ("BIFOLD_CACHE_BYTES", "0"),
        ];
        let platform = Platform::bare(&[own.as_slice(), settings].concat(), true).await;
        Function {
            platform,
            upstream,
            _replay: replay,
        }
    }

    /// The request of a function to this test, read completely and not yet answered.
    async fn asked(&self) -> TcpStream {
        let asked = timeout(Duration::from_secs(20), self.upstream.accept()).await;
        let (mut socket, _) = asked.expect("the function asks for nothing").unwrap();
        let mut lines = BufReader::new(&mut socket).lines();
        while !lines.next_line().await.unwrap().unwrap().is_empty() {}
        socket
    }

    /// Reads the chunks of a call until it waits for this test.
    async fn until_it_waits(&self, post: &mut Post) -> (Vec<Value>, TcpStream) {
        let mut told = Vec::new();
        while told.len() < 5 {
            told.push(message(&post.piece().await.unwrap()));
        }
        (told, self.asked().await)
    }
}

/// Responds to a request of a function.
async fn give(mut socket: TcpStream) {
    let length = STATISTICS.len();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    );
    socket
        .write_all((head + STATISTICS).as_bytes())
        .await
        .unwrap();
}

/// A call with progress of an aggregate with six parts, five of which do not need this test.
fn overview() -> String {
    let mut event = event("function_url_mcp");
    event["headers"]["mcp-name"] = json!("fetch_market_overview_summary");
    let mut body: Value = serde_json::from_str(event["body"].as_str().unwrap()).unwrap();
    body["params"]["name"] = json!("fetch_market_overview_summary");
    body["params"]["_meta"]["progressToken"] = json!(1);
    event["body"] = json!(body.to_string());
    event.to_string()
}

/// A plain request through an integration that does not stream.
fn health() -> Value {
    changed("http_api_v2", &[("/rawPath", json!("/health"))])
}

#[track_caller]
fn message(event: &str) -> Value {
    let data = event.strip_prefix("event: message\ndata: ");
    let data = data.unwrap_or_else(|| panic!("no message: {event:?}"));
    serde_json::from_str(data).unwrap()
}

/// Reads the head of a streamed response, and checks what is posted before it.
async fn head(post: &mut Post) -> Value {
    let header = |headers: &HeaderMap, name| headers[name].to_str().unwrap().to_owned();
    for (name, expected) in [
        ("lambda-runtime-function-response-mode", "streaming"),
        ("transfer-encoding", "chunked"),
        (
            "content-type",
            "application/vnd.awslambda.http-integration-response",
        ),
    ] {
        assert_eq!(header(&post.headers, name), expected);
    }
    let head = post.piece().await.unwrap();
    // Each is a separate chunk, as `cargo lambda watch` needs it.
    assert_eq!(post.piece().await.unwrap(), "\0".repeat(8));
    serde_json::from_str(&head).unwrap()
}

#[tokio::test]
async fn progress_leaves_while_the_function_waits_and_the_invocation_ends_with_the_stream() {
    let mut function = Function::start(&[]).await;
    for round in 1..=2 {
        let id = function.platform.hand_out(after(60_000), &overview());
        let mut post = function.platform.begun().await;
        assert_eq!((&post.id, &*post.kind), (&id, "response"));
        let head = head(&mut post).await;
        assert_eq!(head["statusCode"], 200, "{head}");
        assert_eq!(head["headers"]["content-type"], "text/event-stream");
        let (told, socket) = function.until_it_waits(&mut post).await;
        for (place, message) in told.iter().enumerate() {
            assert_eq!(
                message["params"]["progress"],
                (place + 1) as f64,
                "{message}"
            );
        }
        // The next invocation is ready, but waits until this one has ended.
        function
            .platform
            .hand_out(after(60_000), &event("function_url_mcp").to_string());
        give(socket).await;
        let (rest, trailers) = post.rest().await;
        assert!(trailers.is_empty(), "{trailers:?}");
        let last = rest.split_inclusive("\n\n").last().unwrap();
        assert_eq!(message(last)["result"]["isError"], false, "{rest}");
        let mut plain = function.platform.begun().await;
        assert_ne!(plain.id, id);
        plain.rest().await;
        assert_eq!(function.platform.overlaps(), 0, "round {round}");
    }
}

#[tokio::test]
async fn a_disconnected_caller_ends_the_function_and_not_the_process() {
    let mut function = Function::start(&[]).await;
    function.platform.hand_out(after(60_000), &overview());
    let mut post = function.platform.begun().await;
    head(&mut post).await;
    let (_, mut socket) = function.until_it_waits(&mut post).await;
    function.platform.hang_up();
    // The request that the function waited for is cancelled.
    assert_eq!(socket.read(&mut [0; 1]).await.unwrap(), 0);
    // The line about the response that was not delivered stands before or after the one of the request.
    let line = loop {
        let line = function.platform.line().await;
        if line["protocol"] == "mcp" {
            break line;
        }
    };
    assert_eq!(line["error"], "cancelled", "{line}");
    function
        .platform
        .hand_out(after(60_000), &event("function_url_mcp").to_string());
    let mut next = function.platform.begun().await;
    assert_eq!(head(&mut next).await["statusCode"], 200);
    assert_eq!(function.platform.overlaps(), 0);
}

#[tokio::test]
async fn a_running_stream_ends_with_an_error_when_the_process_stops() {
    let mut function = Function::start(&[]).await;
    let id = function.platform.hand_out(after(60_000), &overview());
    let mut post = function.platform.begun().await;
    head(&mut post).await;
    let (_, mut socket) = function.until_it_waits(&mut post).await;
    let (status, _) = function.platform.terminate().await;
    assert!(status.success(), "{status}");
    let (rest, trailers) = post.rest().await;
    let last = rest.strip_prefix("event: error\ndata: ").unwrap();
    let error: Value = serde_json::from_str(last).unwrap();
    assert_eq!(error["errorType"], "Stopped");
    let kind = &trailers["lambda-runtime-function-error-type"];
    assert_eq!(kind, "Function.Stopped");
    assert_eq!(socket.read(&mut [0; 1]).await.unwrap(), 0);
    let log = function.platform.stop().await;
    let lines = log.iter().map(|it| serde_json::from_str(it).unwrap());
    let lines: Vec<Value> = lines.collect();
    let line = lines
        .iter()
        .find(|it| it["request_id"] == id && it["protocol"] == "mcp");
    assert_eq!(line.unwrap()["error"], "cancelled", "{lines:?}");
}

#[tokio::test]
async fn a_stream_that_waits_too_long_ends_before_its_invocation_does() {
    let mut function = Function::start(&[]).await;
    // The time of the start does not count for the call.
    let health = health().to_string();
    function.platform.invoke_until(after(1_900), &health).await;
    // Of a timeout of two seconds a quarter is the margin.
    let deadline = after(1_900);
    function.platform.hand_out(deadline, &overview());
    let mut post = function.platform.begun().await;
    head(&mut post).await;
    let (_, mut socket) = function.until_it_waits(&mut post).await;
    let (rest, trailers) = post.rest().await;
    assert!(after(0) < deadline, "the stream outlived its invocation");
    assert!(trailers.is_empty(), "{trailers:?}");
    let response = message(rest.split_inclusive("\n\n").last().unwrap());
    let result = &response["result"];
    // The aggregate either names the part that was late, or reports the deadline.
    let late = result["structuredContent"]["incomplete"].is_array();
    let over = result["_meta"]["bifold/error"]["kind"] == "deadline_exceeded";
    assert!(late || over, "{response}");
    assert_eq!(socket.read(&mut [0; 1]).await.unwrap(), 0);
}

#[tokio::test]
async fn a_stream_within_its_margin_fails_at_once() {
    let mut function = Function::start(&[]).await;
    let health = health().to_string();
    function
        .platform
        .invoke_until(after(900_000), &health)
        .await;
    function.platform.line().await;
    function.platform.hand_out(after(20_000), &overview());
    let mut post = function.platform.begun().await;
    assert_eq!(head(&mut post).await["statusCode"], 200);
    let (body, trailers) = post.rest().await;
    assert!(trailers.is_empty(), "{trailers:?}");
    let response = message(&body);
    let detail = &response["result"]["_meta"]["bifold/error"];
    assert_eq!(detail["kind"], "deadline_exceeded", "{response}");
    let line = function.platform.line().await;
    assert_eq!(line["upstream_calls"], 0, "{line}");
    // The margin of plain calls leaves enough time for those.
    let rest = event("function_url_rest").to_string();
    function.platform.hand_out(after(20_000), &rest);
    let mut plain = function.platform.begun().await;
    assert_eq!(head(&mut plain).await["statusCode"], 200);
}

#[tokio::test]
async fn a_plain_answer_on_a_streaming_url_is_streamed_at_once() {
    let mut function = Function::start(&[]).await;
    function
        .platform
        .hand_out(after(60_000), &event("function_url_rest").to_string());
    let mut post = function.platform.begun().await;
    assert_eq!(
        head(&mut post).await["headers"]["content-type"],
        "application/json"
    );
    let (body, trailers) = post.rest().await;
    let price: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(price["token_pair"], "HASH-USD");
    assert!(trailers.is_empty());
    // Other integrations of the same process are answered whole.
    let whole = function.platform.invoke(&health()).await;
    assert_eq!(whole.body["statusCode"], 200, "{whole:?}");
}
