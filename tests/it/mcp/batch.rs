//! Batches, which revision 2025-03-26 has and no other.

use http::StatusCode;
use serde_json::{Value, json};

use super::{bare, fault, with};
use crate::support::{MODERN, TestApp};

fn ping(id: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": "ping"})
}

fn note() -> Value {
    json!({"jsonrpc": "2.0", "method": "notifications/initialized"})
}

#[tokio::test]
async fn the_answers_come_in_the_order_of_the_requests() {
    let app = TestApp::start().await;
    let call = json!({
        "jsonrpc": "2.0", "id": "slow", "method": "tools/call",
        "params": {"name": "fetch_current_hash_statistics", "arguments": {}},
    });
    let mut batch = vec![call, note()];
    batch.extend((0..40).map(|id| ping(json!(id))));
    let body = Value::Array(batch).to_string();
    for request in [
        bare(body.clone()),
        with(bare(body.clone()), "mcp-protocol-version", "2025-03-26"),
    ] {
        let answer = app.send(request).await;
        assert_eq!(answer.status, StatusCode::OK);
        let answers = answer.json();
        let ids: Vec<&Value> = answers
            .as_array()
            .unwrap()
            .iter()
            .map(|it| &it["id"])
            .collect();
        assert_eq!(ids[0], "slow");
        assert!((0..40).eq(ids[1..].iter().map(|id| id.as_u64().unwrap())));
        let result = &answers[0]["result"];
        assert_eq!(result["isError"], false);
        assert!(
            result.get("structuredContent").is_none(),
            "2025-03-26 has none"
        );
    }
}

#[tokio::test]
async fn a_batch_of_notifications_is_accepted_without_a_body() {
    let app = TestApp::start().await;
    let answer = app.send(bare(json!([note(), note()]).to_string())).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    assert!(answer.body.is_empty());
}

#[tokio::test]
async fn a_bad_member_costs_the_others_nothing() {
    let app = TestApp::start().await;
    let initialize = json!({
        "jsonrpc": "2.0", "id": 2, "method": "initialize",
        "params": {"protocolVersion": "2025-03-26"},
    });
    let unknown = json!({"jsonrpc": "2.0", "id": 3, "method": "no/such"});
    let nested = json!([ping(json!(9))]);
    let batch = json!([ping(json!(1)), initialize, unknown, 5, nested, {"id": 4}, ping(json!(6))]);
    let answer = app.send(bare(batch.to_string())).await;
    assert_eq!(answer.status, StatusCode::OK);
    let answers = answer.json();
    let told: Vec<(Option<u64>, Option<i64>)> = answers
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["id"].as_u64(), it["error"]["code"].as_i64()))
        .collect();
    let expected = [
        (Some(1), None),
        (Some(2), Some(-32600)),
        (Some(3), Some(-32601)),
        (None, Some(-32600)),
        (None, Some(-32600)),
        (Some(4), Some(-32600)),
        (Some(6), None),
    ];
    assert_eq!(told, expected);
    assert!(
        answers[1]["error"]["message"]
            .as_str()
            .unwrap()
            .contains("batch")
    );
}

#[tokio::test]
async fn an_empty_batch_is_no_message() {
    let app = TestApp::start().await;
    let message = fault(&app.send(bare(" [ ] ")).await, 400, -32600);
    assert!(message.get("id").is_none());
}

#[tokio::test]
async fn the_other_revisions_have_no_batches() {
    let app = TestApp::start().await;
    let body = json!([ping(json!(1))]).to_string();
    for version in [
        "2024-11-05",
        "2025-06-18",
        "2025-11-25",
        MODERN,
        "1999-01-01",
    ] {
        let request = with(bare(body.clone()), "mcp-protocol-version", version);
        let message = fault(&app.send(request).await, 400, -32600);
        let has_null = matches!(version, "2024-11-05" | "2025-06-18");
        assert_eq!(message.get("id"), has_null.then_some(&Value::Null));
        assert!(
            message["error"]["message"]
                .as_str()
                .unwrap()
                .contains(version)
        );
    }
}

#[tokio::test]
async fn a_batch_has_a_size_beyond_which_it_is_refused_whole() {
    let app = TestApp::start().await;
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
    for (size, status) in [(100, 200), (101, 400)] {
        let body = serde_json::to_string(&vec![&ping; size]).unwrap();
        assert_eq!(app.send(bare(body)).await.status.as_u16(), status, "{size}");
    }
}
