//! Functions that hang, panic or are cancelled: one failed call, and no internal detail in the response.

use std::sync::Arc;

use bifold::{Context, Error, JsonSchema, Result, Server, Tool};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::provenance::ask::{CallForm, ask, fail, forms_of, interrupted, put};
use crate::support::TestApp;

const SECRET: &str = "a secret in a panic";

/// Takes nothing.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

#[derive(Serialize, JsonSchema)]
struct Done {
    done: bool,
}

const DONE: Result<Done> = Ok(Done { done: true });

async fn hang(_: Context, Nothing {}: Nothing) -> Result<Done> {
    std::future::pending().await
}

async fn panic_later(_: Context, Nothing {}: Nothing) -> Result<Done> {
    tokio::task::yield_now().await;
    panic!("{SECRET}")
}

/// Panics while it creates its future.
fn panic_first(_: Context, Nothing {}: Nothing) -> std::future::Ready<Result<Done>> {
    panic!("{SECRET}")
}

fn panic_at_once(_: Context, Nothing {}: Nothing) -> Result<Done> {
    std::panic::panic_any(SECRET.to_owned())
}

/// A result that cannot be serialised.
#[derive(JsonSchema)]
struct Unspeakable {}

impl Serialize for Unspeakable {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom(SECRET))
    }
}

fn unspeakable(_: Context, Nothing {}: Nothing) -> Result<Unspeakable> {
    Ok(Unspeakable {})
}

fn fail_with_a_cause(_: Context, Nothing {}: Nothing) -> Result<Done> {
    Err(Error::failed("it is not to be").with_source(SECRET))
}

/// An application with `odd`, and with `fine`, which works.
async fn serving(odd: Tool) -> TestApp {
    let fine = Tool::sync("fine", |_: Context, Nothing {}: Nothing| DONE).get("/fine");
    TestApp::serving(Server::new("it", "1").tools(vec![odd.get("/odd"), fine])).await
}

#[tokio::test(start_paused = true)]
async fn a_function_that_hangs_has_exceeded_its_deadline() {
    // Only the deadline is waited for, so paused time jumps to it.
    let app = serving(Tool::new("odd", hang)).await;
    let patience = 4 * app.app.config().call_timeout;
    let failure = tokio::time::timeout(patience, fail(&app, "odd", json!({}))).await;
    let failure = failure.expect("each of three protocols takes the time of one call");
    assert_eq!(failure.status, Some(StatusCode::GATEWAY_TIMEOUT));
    let expected = json!({"kind": "deadline_exceeded", "retryable": true});
    assert_eq!(failure.detail, expected);
    ask(&app, "fine", json!({})).await;
}

#[tokio::test]
async fn a_panic_is_one_failed_call_and_its_message_is_not_in_the_response() {
    for odd in [
        Tool::new("odd", panic_later),
        Tool::new("odd", panic_first),
        Tool::sync("odd", panic_at_once),
        Tool::sync("odd", unspeakable),
    ] {
        let app = serving(odd).await;
        let failure = fail(&app, "odd", json!({})).await;
        assert_eq!(failure.status, Some(StatusCode::INTERNAL_SERVER_ERROR));
        let expected = json!({"kind": "internal", "retryable": false});
        assert_eq!(failure.detail, expected);
        assert_eq!(ask(&app, "fine", json!({})).await, json!({"done": true}));
        for protocol in forms_of(&app, "odd") {
            let text = put(&app, protocol, "odd", &json!({})).await.text();
            assert!(!text.contains(SECRET), "{text}");
        }
    }
}

#[tokio::test]
async fn a_failure_of_the_function_is_reported_without_its_source() {
    let app = serving(Tool::sync("odd", fail_with_a_cause)).await;
    let failure = fail(&app, "odd", json!({})).await;
    assert_eq!(failure.status, Some(StatusCode::UNPROCESSABLE_ENTITY));
    assert_eq!(failure.message, "it is not to be");
    let expected = json!({"kind": "failed", "retryable": false});
    assert_eq!(failure.detail, expected);
}

#[tokio::test]
async fn a_failure_of_the_store_is_reported_with_its_kind() {
    let unavailable = || Error::store_unavailable("the store is full");
    let too_large = || Error::value_too_large(2, 1);
    let cases: [(fn() -> Error, _, _, _); 2] = [
        (unavailable, 503, "store_unavailable", true),
        (too_large, 500, "value_too_large", false),
    ];
    for (error, status, kind, retryable) in cases {
        let odd = move |_: Context, Nothing {}: Nothing| -> Result<Done> { Err(error()) };
        let app = serving(Tool::sync("odd", odd)).await;
        let failure = fail(&app, "odd", json!({})).await;
        assert_eq!(failure.status.unwrap(), status);
        assert_eq!(
            failure.detail,
            json!({"kind": kind, "retryable": retryable})
        );
        assert_eq!(failure.message, error().message());
    }
}

#[tokio::test]
async fn a_call_whose_client_disconnects_is_dropped() {
    for protocol in [CallForm::Get, CallForm::Post, CallForm::Mcp] {
        let token = Arc::new(());
        let held = token.clone();
        let odd = Tool::new("odd", move |_: Context, Nothing {}: Nothing| {
            let held = held.clone();
            async move {
                let _held = held;
                std::future::pending::<Result<Done>>().await
            }
        });
        let app = serving(odd).await;
        let idle = Arc::strong_count(&token);
        let arguments = json!({});
        let call = put(&app, protocol, "odd", &arguments);
        interrupted(call, || Arc::strong_count(&token) > idle).await;
        assert_eq!(Arc::strong_count(&token), idle, "{protocol:?}");
        ask(&app, "fine", json!({})).await;
    }
}
