//! Ids and progress tokens, which are repeated to the client: how long they may be, and which are the same.

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

use super::{bare, fault, with};
use crate::support::{TestApp, modern, on_socket};

/// A string of so many bytes in JSON.
fn text(bytes: usize) -> String {
    format!("\"{}\"", "a".repeat(bytes - 2))
}

fn ping(id: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#)
}

#[tokio::test]
async fn an_id_of_more_than_1024_bytes_is_refused_and_not_repeated() {
    let app = TestApp::start().await;
    assert_eq!(app.send(bare(ping(&text(1024)))).await.status, 200);
    for id in [text(1025), text(1 << 19), "1".repeat(1025)] {
        for message in [
            ping(&id),
            format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{}}}}"#),
            format!(
                r#"{{"jsonrpc":"2.0","method":"notifications/cancelled","params":{{"requestId":{id}}}}}"#
            ),
        ] {
            let answer = app.send(bare(message.clone())).await;
            assert!(answer.body.len() < 300);
            assert!(fault(&answer, 400, -32600).get("id").is_none());
            let batch = app.send(bare(format!("[{message},{}]", ping("1")))).await;
            assert!(batch.body.len() < 400);
            let answers = batch.json();
            assert_eq!(answers[0]["error"]["code"], -32600);
            assert_eq!(answers[0].get("id"), Some(&Value::Null));
            assert_eq!(answers[1]["id"], 1);
        }
    }
}

#[tokio::test]
async fn a_progress_token_of_more_than_1024_bytes_is_refused_under_the_id_of_its_request() {
    let app = TestApp::start().await;
    for (bytes, status) in [(1024, 200), (1025, 400)] {
        let token: Value = serde_json::from_str(&text(bytes)).unwrap();
        let params = json!({"name": "get_registry_summary", "_meta": {"progressToken": token}});
        let answer = app.send(modern("tools/call", params.clone())).await;
        assert_eq!(answer.status, status);
        let legacy = app.legacy("2025-06-18", "tools/call", params).await;
        assert_eq!(legacy.status, status);
        if status == 400 {
            for answer in [answer, legacy] {
                let message = fault(&answer, 400, -32600);
                assert_eq!(message["id"], 1);
                let said = message["error"]["message"].as_str().unwrap();
                assert!(said.contains("progressToken"), "{said}");
            }
        }
    }
}

#[tokio::test]
async fn a_socket_takes_no_longer_ids_than_http_and_skips_a_mark_too() {
    let app = TestApp::start().await;
    let (address, serving) = on_socket(&app.app).await;
    let (mut socket, _) = connect_async(format!("ws://{address}/ws")).await.unwrap();
    let long = text(1025);
    let token = format!(r#"{{"name":"get_registry_summary","_meta":{{"progressToken":{long}}}}}"#);
    let call = format!(r#"{{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{token}}}"#);
    let cancel = format!(
        r#"{{"jsonrpc":"2.0","method":"notifications/cancelled","params":{{"requestId":{long}}}}}"#
    );
    for (message, id, code) in [
        (ping(&long), None, -32600),
        (call, Some(7), -32600),
        (cancel, None, -32600),
        (format!("\u{feff}{}", ping("8")), Some(8), 0),
    ] {
        socket.send(Message::text(message)).await.unwrap();
        let told = socket.next().await.unwrap().unwrap().into_text().unwrap();
        assert!(told.len() < 400);
        let told: Value = serde_json::from_str(&told).unwrap();
        assert_eq!(told["id"].as_i64(), id, "{told}");
        assert_eq!(told["error"]["code"].as_i64().unwrap_or(0), code, "{told}");
    }
    serving.abort();
}

#[tokio::test]
async fn a_byte_order_mark_is_skipped() {
    let app = TestApp::start().await;
    for body in [ping("1"), format!("[{}]", ping("1"))] {
        let answer = app.send(bare(format!("\u{feff}{body}"))).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    fault(&app.send(bare("\u{feff}\u{feff}{}")).await, 400, -32700);
}

#[tokio::test]
async fn where_no_id_can_be_read_the_revisions_before_2025_11_25_get_null() {
    let app = TestApp::start().await;
    for (version, expected) in [
        ("2024-11-05", Some(&Value::Null)),
        ("2025-03-26", Some(&Value::Null)),
        ("2025-06-18", Some(&Value::Null)),
        ("2025-11-25", None),
        ("2026-07-28", None),
    ] {
        for (body, code) in [
            ("{", -32700),
            ("", -32700),
            ("5", -32600),
            (r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, -32600),
        ] {
            let request = with(bare(body), "mcp-protocol-version", version);
            let message = fault(&app.send(request).await, 400, code);
            assert_eq!(message.get("id"), expected, "{version}: {body}");
        }
    }
    let request = with(bare("[]"), "mcp-protocol-version", "2025-03-26");
    let message = fault(&app.send(request).await, 400, -32600);
    assert_eq!(message.get("id"), Some(&Value::Null));
}

#[tokio::test]
async fn a_batch_without_a_request_is_accepted_whatever_notifications_it_holds() {
    let app = TestApp::start().await;
    let note = |method: &str| json!({"jsonrpc": "2.0", "method": method});
    for batch in [
        json!([note("notifications/initialized")]),
        json!([note("notifications/cancelled"), note("no/such")]),
    ] {
        let answer = app.send(bare(batch.to_string())).await;
        assert_eq!(answer.status, 202, "{batch}");
        assert!(answer.body.is_empty());
    }
}
