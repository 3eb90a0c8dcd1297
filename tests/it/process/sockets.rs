//! The binary as a Lambda function whose clients are behind a WebSocket API.

use serde_json::{Value, json};

use super::platform::{Platform, TRACE};
use crate::lambda::{changed, event};
use crate::ws::gateway::Gateway;

#[tokio::test]
async fn it_serves_a_connection_from_its_begin_to_its_end() {
    let gateway = Gateway::start().await;
    let variables = gateway.variables();
    let variables: Vec<(&str, &str)> = variables.iter().map(|it| (it.0, &*it.1)).collect();
    let mut platform = Platform::start(&variables).await;
    let accepted = json!({"statusCode": 200});
    let connect = platform.invoke(&event("websocket_connect")).await;
    assert_eq!(connect.body, accepted, "{connect:?}");
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
        22
    );
    let disconnect = platform.invoke(&event("websocket_disconnect")).await;
    assert_eq!(disconnect.body, accepted);
    let lines = platform.stop().await;
    let mut said = Vec::new();
    for line in &lines {
        let line: Value = serde_json::from_str(line).unwrap();
        if line["face"] == "ws" {
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
