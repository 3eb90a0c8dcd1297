//! Whatever a mounted server says to a call, the call ends with a typed failure or a result, and the next one works.

use std::fmt::Write;
use std::time::Duration;

use bifold::{App, Config, Mount};
use serde_json::{Value, json};

use super::liar::{Answers, Era, ID, Liar, Style};
use super::modern::notes;
use super::mounting_with;
use crate::support::{TestApp, on_socket, stop_clock};

/// One thing that a server says to a call, and what becomes of the call: `ok`, or the kind of its error. A process
/// whose output names no request lets the call wait until its deadline.
struct Lie {
    name: &'static str,
    says: Vec<u8>,
    json: &'static str,
    events: &'static str,
    stdio: &'static str,
}

const INVALID: &str = "upstream_invalid_response";
const LATE: &str = "deadline_exceeded";

fn lies() -> Vec<Lie> {
    let mut lies = Vec::new();
    let mut add = |name, says: String, [json, events, stdio]: [&'static str; 3]| {
        lies.push(Lie {
            name,
            says: says.into_bytes(),
            json,
            events,
            stdio,
        });
    };
    let result =
        |result: &str| format!("{{\"jsonrpc\":\"2.0\",\"id\":{ID},\"result\":{result}}}\n");
    let text = |text: &str| {
        result(&format!(
            "{{\"content\":[{{\"type\":\"text\",\"text\":\"{text}\"}}]}}"
        ))
    };
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    let mut flood = String::new();
    for number in 0..2_000 {
        let _ = writeln!(
            flood,
            "{{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{{\"progressToken\":{ID},\"progress\":{number}}}}}\n\
             {{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":{{\"level\":\"info\",\"data\":\"{number}\"}}}}\n\
             {{\"jsonrpc\":\"2.0\",\"method\":\"notifications/unheard_of\"}}"
        );
    }
    add("truth", text("so it is"), ["ok"; 3]);
    add(
        "wrong_id",
        text("x").replace(ID, "987654"),
        [INVALID, INVALID, LATE],
    );
    add(
        "text_id",
        text("x").replace(ID, &format!("\"{ID}\"")),
        [INVALID, INVALID, LATE],
    );
    add(
        "huge_id",
        text("x").replace(ID, "1e999"),
        [INVALID, INVALID, LATE],
    );
    add("twice", text("first") + &text("second"), ["ok"; 3]);
    add(
        "both",
        result("{\"content\":[]},\"error\":{\"code\":-32000,\"message\":\"no\"}"),
        ["upstream_error"; 3],
    );
    add(
        "neither",
        format!("{{\"jsonrpc\":\"2.0\",\"id\":{ID}}}\n"),
        [INVALID; 3],
    );
    add("null", result("null"), [INVALID; 3]);
    add("number", result("5"), [INVALID; 3]);
    add("text", result("\"text\""), [INVALID; 3]);
    add("list", result("[]"), [INVALID; 3]);
    add(
        "wrong_type",
        result("{\"isError\":\"perhaps\"}"),
        [INVALID; 3],
    );
    add(
        "deep",
        result(&format!("{{\"content\":{deep}}}")),
        [INVALID; 3],
    );
    add(
        "huge_number",
        result("{\"content\":[],\"structuredContent\":{\"n\":1e99999}}"),
        ["ok"; 3],
    );
    add("flood", flood + &text("dry"), ["ok"; 3]);
    add(
        "unknown_request",
        "{\"jsonrpc\":\"2.0\",\"id\":\"q\",\"method\":\"evil/ask\",\"params\":[]}\n".to_owned()
            + &text("asked"),
        ["ok"; 3],
    );
    add("garbage", "what?\n".to_owned(), [INVALID, INVALID, LATE]);
    add(
        "half",
        "{\"jsonrpc\":\"2.0\",\"id\":\n".to_owned(),
        [INVALID, INVALID, LATE],
    );
    add("nothing", String::new(), [INVALID, INVALID, LATE]);
    add(
        "long_error",
        format!(
            "{{\"jsonrpc\":\"2.0\",\"id\":{ID},\"error\":{{\"code\":1,\"message\":\"{}\"}}}}\n",
            "x".repeat(1 << 20)
        ),
        ["upstream_error"; 3],
    );
    let mut says = text("\u{fffd}").into_bytes();
    let at = says
        .windows(3)
        .position(|it| it == "\u{fffd}".as_bytes())
        .unwrap();
    says.splice(at..at + 3, [0xff]);
    lies.push(Lie {
        name: "not_utf8",
        says,
        json: INVALID,
        events: INVALID,
        stdio: INVALID,
    });
    lies
}

fn answers() -> Answers {
    lies().into_iter().map(|it| (it.name, it.says)).collect()
}

/// Calls the tool until it answers: the clock stands still for an answer, and moves on where none is expected.
async fn outcome(app: &TestApp, tool: &str, is_late: bool) -> (String, String) {
    let params = json!({ "name": tool, "arguments": {} });
    let calling = app.mcp("tools/call", params);
    tokio::pin!(calling);
    let answer = loop {
        let a_while = async {
            for _ in 0..1_000 {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            answer = &mut calling => break answer,
            () = a_while, if is_late => tokio::time::advance(Duration::from_secs(6)).await,
        }
    };
    let text = answer.text();
    // Not every number that JSON can have is one that can be read.
    let kind = text.split("\"kind\":\"").nth(1);
    let kind = kind.and_then(|it| it.split('"').next()).unwrap_or("ok");
    (kind.to_owned(), text)
}

/// An application with the liar and a server that tells the truth. Calls take 5 seconds at most.
async fn gateway(liar: Mount) -> TestApp {
    let (address, _) = on_socket(&App::new(Config::default(), notes()).unwrap()).await;
    let honest = Mount::http("n", format!("http://{address}/mcp"));
    let mut config = Config::default();
    config.call_timeout = Duration::from_secs(5);
    mounting_with(config, [liar, honest]).await
}

async fn every_lie_ends(app: &TestApp, place: &str, expected: fn(&Lie) -> &'static str) {
    for lie in lies() {
        let wanted = expected(&lie);
        let (kind, text) = outcome(app, &format!("liar_{}", lie.name), wanted == LATE).await;
        let start: String = text.chars().take(300).collect();
        assert_eq!(kind, wanted, "{place} {}: {start}", lie.name);
        assert!(
            text.len() < 600_000,
            "{place} {}: {} bytes",
            lie.name,
            text.len()
        );
        for (tool, arguments) in [
            ("n_add", json!({ "a": 1, "b": 2 })),
            ("liar_truth", json!({})),
        ] {
            let result = app.tool(tool, arguments).await;
            assert_ne!(result["isError"], true, "after {}: {result}", lie.name);
        }
    }
    let status = app.get("/mounts").await.json();
    let liar: &Value = &status["mounts"][0];
    assert_eq!(liar["state"], "up", "{status}");
    assert_eq!(liar["reconnects"], 0, "{status}");
}

#[tokio::test]
async fn every_lie_over_http_fails_one_call_and_no_other() {
    let _stopped = stop_clock();
    for era in [Era::Modern, Era::Legacy] {
        for style in [Style::Json, Style::Events] {
            let liar = Liar {
                era,
                style,
                answers: answers(),
            };
            let address = liar.on_socket().await;
            let app = gateway(Mount::http("liar", format!("http://{address}/mcp"))).await;
            let expected = match style {
                Style::Json => |it: &Lie| it.json,
                Style::Events => |it: &Lie| it.events,
            };
            every_lie_ends(&app, &format!("{era:?} {style:?}"), expected).await;
        }
    }
}

#[cfg(all(unix, feature = "provenance"))]
#[tokio::test]
async fn every_lie_of_a_child_process_fails_one_call_and_no_other() {
    for era in [Era::Modern, Era::Legacy] {
        let stopped = stop_clock();
        let folder = super::stdio::Folder::new("liar");
        let app = gateway(super::stdio::liar(&folder, era, &answers())).await;
        every_lie_ends(&app, &format!("{era:?} stdio"), |it| it.stdio).await;
        drop(stopped);
        app.app.stop(Duration::from_secs(10)).await;
    }
}
