//! The binary as a Lambda function whose clients are behind a WebSocket API.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::platform::{Platform, TRACE, after};
use crate::lambda::{changed, event};
use crate::websocket::gateway::Gateway;

#[tokio::test]
async fn it_serves_a_connection_from_connect_to_disconnect() {
    let gateway = Gateway::start().await;
    let variables = gateway.variables();
    let variables: Vec<(&str, &str)> = variables.iter().map(|it| (it.0, &*it.1)).collect();
    let mut platform = Platform::start(&variables).await;
    let accepted = json!({"statusCode": 200});
    let connect = platform.invoke(&event("websocket_connect")).await;
    assert_eq!(connect.body["statusCode"], 200, "{connect:?}");
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "get_registry_summary"}});
    let frame = changed("websocket_message", &[("/body", json!(call.to_string()))]);
    let handed_on = platform.invoke(&frame).await;
    assert_eq!(
        (handed_on.kind.as_str(), &handed_on.body),
        ("response", &accepted)
    );
    let events = gateway.take_events();
    assert_eq!((events.len(), gateway.messages().len()), (1, 0));
    let continuation: Value = serde_json::from_str(&events[0]).unwrap();
    let done = platform.invoke(&continuation).await;
    assert_eq!((done.kind.as_str(), &done.body), ("response", &Value::Null));
    let told = gateway.messages();
    assert_eq!(told.len(), 1);
    assert_eq!(
        told[0]["result"]["structuredContent"]["total_functions"],
        43
    );
    let disconnect = platform.invoke(&event("websocket_disconnect")).await;
    assert_eq!(disconnect.body, accepted);
    let lines = platform.stop().await;
    let mut said = Vec::new();
    for line in &lines {
        let line: Value = serde_json::from_str(line).unwrap();
        if line["protocol"] == "ws" {
            assert_eq!(line["trace_id"], TRACE, "{line}");
            said.push(["method", "function", "status"].map(|field| line[field].clone()));
        }
    }
    let expected = [
        [json!("$connect"), Value::Null, json!(200)],
        [json!("continuation"), Value::Null, json!(202)],
        [
            json!("tools/call"),
            json!("get_registry_summary"),
            json!(200),
        ],
        [json!("$disconnect"), Value::Null, json!(200)],
    ];
    assert_eq!(said, expected);
}

#[tokio::test]
async fn a_signal_ends_a_deferred_call_and_its_client_gets_one_error() {
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", upstream.local_addr().unwrap());
    let gateway = Gateway::start().await;
    let variables = gateway.variables();
    let mut variables: Vec<(&str, &str)> = variables.iter().map(|it| (it.0, &*it.1)).collect();
    variables.push(("BIFOLD_EXPLORER_URL", &url));
    let mut platform = Platform::bare(&variables, true).await;
    let params = json!({"name": "fetch_current_hash_statistics", "arguments": {}});
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
    let frame = changed("websocket_message", &[("/body", json!(call.to_string()))]);
    platform.invoke(&frame).await;
    let id = platform.hand_out(after(60_000), &gateway.take_events()[0]);
    let _asked = upstream.accept().await.unwrap();
    let (status, took) = platform.terminate().await;
    assert!(status.success(), "{status}");
    assert!(took < Duration::from_millis(500), "{took:?}");
    let told = gateway.messages();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0]["error"]["data"]["kind"], "busy", "{told:?}");
    let done = platform.begun().await.whole().await;
    assert_eq!((done.id, &*done.kind), (id.clone(), "response"));
    let log = platform.stop().await;
    let lines = log.iter().map(|line| serde_json::from_str(line).unwrap());
    let lines: Vec<Value> = lines.filter(|it: &Value| it["request_id"] == id).collect();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!(lines[0]["error"], "busy", "{lines:?}");
}
