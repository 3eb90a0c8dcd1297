//! Messages of both eras, with the answers that they have over HTTP.

use serde_json::{Value, json};

use super::{Served, call, legacy, modern, plain, seq};
use crate::support::{self, TestApp};

#[tokio::test]
async fn clients_of_both_eras_are_answered_as_over_http() {
    let served = Served::start().await;
    let http = TestApp::serving(super::server(&served.gate)).await;
    let mut client = served.connect().await;
    let initialize = json!({"protocolVersion": "2025-06-18", "capabilities": {},
        "clientInfo": {"name": "it", "version": "1"}});
    let name = json!({"name": "large", "arguments": {"answer": 3}});
    let wrong = json!({"name": "large", "arguments": {"answer": 1_000_000_001}});
    let missing = json!({"name": "nothing"});
    for (method, params) in [
        ("initialize", &initialize),
        ("ping", &json!({})),
        ("tools/list", &json!({})),
        ("tools/call", &name),
        ("tools/call", &wrong),
        ("tools/call", &missing),
        ("tools/call", &json!({})),
        ("no/such", &json!({})),
    ] {
        let body = legacy(1, method, params.clone());
        let answer = client.ask(body.clone()).await;
        assert_eq!(seq(&answer), 1);
        let expected = http.post("/mcp", body.to_string()).await.json();
        assert_eq!(plain(answer), expected, "{method}");
    }
    for (method, params) in [
        ("server/discover", &json!({})),
        ("tools/list", &json!({})),
        ("tools/call", &name),
        ("tools/call", &missing),
        ("no/such", &json!({})),
    ] {
        let answer = client.ask(modern(1, method, params.clone())).await;
        assert_eq!(seq(&answer), 1);
        let expected = http.send(support::modern(method, params.clone())).await;
        assert_eq!(plain(answer), expected.json(), "{method}");
    }
}

#[tokio::test]
async fn arguments_are_checked_as_over_http() {
    let served = Served::start().await;
    let mut client = served.connect().await;
    let wrong = json!({"name": "large", "arguments": {"answer": 1_000_000_001}});
    let answer = client.ask(modern(1, "tools/call", wrong)).await;
    let error = &answer["result"]["_meta"]["bifold/error"];
    assert_eq!(error["field"], "answer", "{answer}");
    let said = answer["result"]["content"][0]["text"].as_str().unwrap();
    assert_eq!(said, "`answer`: must be from 0 to 1000000000");
}

#[tokio::test]
async fn reports_come_in_order_and_numbered_then_the_response_then_nothing() {
    let served = Served::start().await;
    let mut client = served.connect().await;
    let old = call("a", "wait", json!({"name": "one"}));
    let params =
        json!({"name": "wait", "arguments": {"name": "one"}, "_meta": {"progressToken": "a"}});
    served.gate.open("one");
    for message in [old, modern("a", "tools/call", params)] {
        let frames = [
            client.ask(message).await,
            client.next().await,
            client.next().await,
        ];
        for (place, frame) in frames.iter().enumerate() {
            assert_eq!(seq(frame), place as u64 + 1, "{frame}");
        }
        let [first, second, last] = frames;
        let report = |progress: f64| {
            json!({"jsonrpc": "2.0", "method": "notifications/progress", "params":
                {"progressToken": "a", "progress": progress, "total": 2.0, "message": "one"}})
        };
        assert_eq!(first["params"]["_meta"]["bifold/request"], "a");
        assert_eq!(plain(first), report(1.0));
        assert_eq!(plain(second), report(2.0));
        assert_eq!(last["id"], "a");
        assert_eq!(last["result"]["content"][0]["text"], "one is through.");
        client.is_quiet().await;
    }
}

#[tokio::test]
async fn a_call_that_breaks_off_has_an_end_too() {
    let served = Served::start().await;
    let mut client = served.connect().await;
    let report = client.ask(call(1, "broken", json!({}))).await;
    assert_eq!(
        (seq(&report), &report["method"]),
        (1, &json!("notifications/progress"))
    );
    let end = client.next().await;
    assert_eq!((seq(&end), &end["id"]), (2, &json!(1)));
    assert_eq!(end["result"]["isError"], true);
    client.is_quiet().await;
}

#[tokio::test]
async fn a_client_of_2025_answers_questions_on_the_same_connection() {
    let served = Served::start().await;
    let mut client = served.connect().await;
    let question = client
        .ask(legacy("a", "tools/call", json!({"name": "ask"})))
        .await;
    assert_eq!(question["method"], "elicitation/create");
    assert_eq!(
        question["params"]["_meta"],
        json!({"bifold/seq": 1, "bifold/request": "a"})
    );
    let accepted = json!({"action": "accept", "content": {"sure": true}});
    let answer = json!({"jsonrpc": "2.0", "id": question["id"], "result": accepted});
    let end = client.ask(answer.clone()).await;
    assert_eq!((seq(&end), &end["id"]), (2, &json!("a")));
    assert_eq!(end["result"]["content"][0]["text"], "Sure.");
    // The same answer once more is one to nothing.
    let late = client.ask(answer).await;
    assert_eq!(
        (&late["error"]["code"], late.get("id")),
        (&json!(-32600), None)
    );
}

#[tokio::test]
async fn a_client_of_2026_answers_questions_with_another_round() {
    let served = Served::start().await;
    let mut client = served.connect().await;
    let capable = json!({"io.modelcontextprotocol/clientCapabilities": {"elicitation": {}}});
    let round = |id: u32, more: Value| {
        let mut params = json!({"name": "ask", "_meta": capable});
        for (key, value) in more.as_object().unwrap() {
            params[key] = value.clone();
        }
        modern(id, "tools/call", params)
    };
    let first = client.ask(round(1, json!({}))).await;
    assert_eq!(first["result"]["resultType"], "input_required");
    let said = json!({"sure": {"action": "accept", "content": {"sure": true}}});
    let state = &first["result"]["requestState"];
    let second = json!({"inputResponses": said, "requestState": state});
    let second = client.ask(round(2, second)).await;
    assert_eq!(second["result"]["content"][0]["text"], "Sure.");
}

#[tokio::test]
async fn notifications_are_not_answered() {
    let served = Served::start().await;
    let mut client = served.connect().await;
    for method in [
        "notifications/initialized",
        "notifications/cancelled",
        "no/such",
    ] {
        client
            .send(json!({"jsonrpc": "2.0", "method": method}))
            .await;
    }
    client.is_quiet().await;
}
