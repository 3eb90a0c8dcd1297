//! The end of a process on Lambda, while it has clients behind API Gateway: each of their calls has one end.

use std::time::Duration;

use serde_json::{Value, json};

use super::gateway::{Fate, Function};
use super::{call, legacy, pass, seq};
use crate::support::Log;

/// What a call has that still runs when its process is asked to end.
const MOMENT: Duration = Duration::from_millis(200);

/// The end of a request that its process did not come to, as the client is told it.
#[track_caller]
fn assert_stopped(end: &Value, number: u64, what: &str) {
    let said = format!("the call {what}: the server is stopping; call again");
    assert_eq!((seq(end), &end["id"]), (number, &json!(1)), "{end}");
    assert_eq!(end["error"]["message"], said);
    let data = &end["error"]["data"];
    assert_eq!(
        (&data["kind"], &data["retryable"]),
        (&json!("busy"), &json!(true))
    );
}

#[tokio::test]
async fn a_call_that_still_runs_is_ended_and_its_client_told() {
    let function = Function::start().await;
    let event = function
        .handed_on(&call(1, "wait", json!({"name": "one"})))
        .await;
    let log = Log::default();
    let guard = log.keep();
    let stopping = async {
        function.gateway.told(1).await;
        function.app.app.close();
        pass(MOMENT).await;
    };
    let (answer, ()) = tokio::join!(function.invoke(&event), stopping);
    drop(guard);
    assert_eq!((answer, function.gate.running()), (Value::Null, 0));
    let told = function.gateway.messages();
    assert_eq!(told.len(), 2);
    assert_stopped(&told[1], 2, "could not be ended");
    let lines = log.requests();
    let said = ["method", "function", "error"].map(|field| lines[0][field].clone());
    assert_eq!(said, [json!("tools/call"), json!("wait"), json!("busy")]);
    assert_eq!(lines.len(), 1);
}

#[tokio::test]
async fn a_call_that_ends_in_time_has_its_own_end() {
    let function = Function::start().await;
    let event = function
        .handed_on(&call(1, "wait", json!({"name": "one"})))
        .await;
    let stopping = async {
        function.gateway.told(1).await;
        function.app.app.close();
        tokio::task::yield_now().await;
        assert_eq!(function.gate.running(), 1);
        function.gate.open("one");
    };
    tokio::join!(function.invoke(&event), stopping);
    let told = function.gateway.messages();
    assert_eq!((told.len(), seq(&told[2])), (3, 3));
    assert_eq!(told[2]["result"]["content"][0]["text"], "one is through.");
}

#[tokio::test]
async fn an_end_that_is_on_its_way_is_the_only_one() {
    let function = Function::start().await;
    function.gate.open("one");
    let params = json!({"name": "wait", "arguments": {"name": "one"}});
    let event = function.handed_on(&legacy(1, "tools/call", params)).await;
    // It may have arrived, for all that is known.
    function.gateway.fate([Some(Fate::Hung)]);
    let stopping = async {
        function.gateway.asked(2).await;
        function.app.app.close();
        pass(2 * MOMENT).await;
        tokio::task::yield_now().await;
        pass(Duration::from_secs(5)).await;
        function.gateway.given_up(1).await;
        pass(Duration::from_secs(2)).await;
    };
    tokio::join!(function.invoke(&event), stopping);
    let told = function.gateway.messages();
    assert_eq!((told.len(), seq(&told[0])), (1, 1));
    assert_eq!(told[0]["result"]["content"][0]["text"], "one is through.");
}

#[tokio::test]
async fn a_message_that_hangs_does_not_hold_up_the_end() {
    let function = Function::start().await;
    let event = function
        .handed_on(&call(1, "wait", json!({"name": "one"})))
        .await;
    function.gateway.fate([Some(Fate::Hung)]);
    let stopping = async {
        function.gateway.asked(2).await;
        function.app.app.close();
        pass(MOMENT).await;
    };
    tokio::join!(function.invoke(&event), stopping);
    let told = function.gateway.messages();
    assert_eq!(told.len(), 1);
    // The first one may have arrived.
    assert_stopped(&told[0], 2, "could not be ended");
}
