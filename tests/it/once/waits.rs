//! Calls that are repeated while the first one runs.

use std::time::Duration;

use axum::body::Body;
use bifold::{RequestInfo, TimeLeft};
use futures_util::future::join_all;
use http::Request;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};

use super::{mcp, rest, result, serving};
use crate::support::{Answer, modern, serve};

/// A request for a function, with a key and arguments.
type Build = fn(&str, &str, &Value) -> Request<Body>;

#[tokio::test(start_paused = true)]
async fn a_call_that_is_repeated_while_it_runs_waits_for_the_first_answer() {
    let (app, effects) = serving().await;
    let arguments = json!({"id": 7, "seconds": 20});
    let since = Instant::now();
    let calls = (0..5).map(|_| app.send(rest("pay", "k", &arguments)));
    let others = (0..5).map(|_| app.send(mcp("pay", "k", &arguments)));
    let (answers, others) = tokio::join!(join_all(calls), join_all(others));
    assert_eq!(since.elapsed(), Duration::from_secs(20));
    assert_eq!(effects.paid(), [(7, 1)].into());
    for answer in &answers {
        assert_eq!(
            (answer.status.as_u16(), answer.text()),
            (200, answers[0].text())
        );
    }
    for answer in &others {
        assert_eq!(result(answer)["structuredContent"], answers[0].json());
    }
    let replayed = answers
        .iter()
        .filter(|it| it.header("idempotent-replayed") == "true");
    assert!(replayed.count() >= 4);
}

#[tokio::test(start_paused = true)]
async fn a_call_goes_on_when_its_client_has_gone() {
    let (app, effects) = serving().await;
    for (id, build) in [(7, rest as Build), (8, mcp as Build)] {
        let key = format!("k{id}");
        let arguments = json!({"id": id, "seconds": 20});
        let gone = timeout(
            Duration::from_secs(1),
            app.send(build("pay", &key, &arguments)),
        )
        .await;
        assert!(gone.is_err());
        let since = Instant::now();
        let answer = app.send(rest("pay", &key, &arguments)).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("idempotent-replayed")),
            (200, "true")
        );
        assert_eq!(since.elapsed(), Duration::from_secs(19));
        assert_eq!(answer.json()["id"], id);
    }
    assert_eq!(effects.paid(), [(7, 1), (8, 1)].into());
}

#[tokio::test(start_paused = true)]
async fn who_cannot_wait_any_longer_is_told_that_the_call_still_runs() {
    let (app, effects) = serving().await;
    let arguments = json!({"id": 7, "seconds": 20});
    let brief = async || {
        let mut info = RequestInfo::default();
        info.time_left = Some(TimeLeft::of(Duration::from_secs(5)));
        Answer::read(serve(&app.app, rest("pay", "k", &arguments), info).await).await
    };
    let (first, second) = tokio::join!(app.send(rest("pay", "k", &arguments)), brief());
    assert_eq!(first.status, 200);
    assert_eq!(second.status, 409, "{}", second.text());
    assert_eq!(second.json()["kind"], "idempotency_key_in_use");
    assert_eq!(second.json()["retryable"], true);
    assert_eq!(second.header("retry-after"), "1");
    assert_eq!(effects.paid(), [(7, 1)].into());
}

#[tokio::test]
async fn a_function_that_asks_its_client_has_its_effect_once_in_all_rounds() {
    let (app, effects) = serving().await;
    let call = async |extra: Value| {
        let mut params = json!({"name": "confirmed", "arguments": {}, "_meta": {
            "bifold/idempotencyKey": "k",
            "io.modelcontextprotocol/clientCapabilities": {"elicitation": {"form": {}}},
        }});
        for (name, value) in extra.as_object().unwrap() {
            params[name] = value.clone();
        }
        let answer = app.send(modern("tools/call", params)).await;
        result(&answer)
    };
    let asked = call(json!({})).await;
    assert_eq!(asked["resultType"], "input_required", "{asked}");
    let answer = json!({"consent": {"action": "accept", "content": {"yes": true}}});
    let next = json!({"inputResponses": answer, "requestState": asked["requestState"]});
    let done = call(next.clone()).await;
    assert_eq!(done["content"][0]["text"], "receipt 1", "{done}");
    for extra in [next, json!({})] {
        let again = call(extra).await;
        assert_eq!(again["content"], done["content"], "{again}");
    }
    assert_eq!(effects.paid(), [(0, 1)].into());
}
