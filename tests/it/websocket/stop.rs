//! The end of a process on Lambda, while it has clients behind API Gateway: each of their calls has one end.

use std::time::Duration;

use serde_json::{Value, json};

use super::gateway::{Fate, Function};
use super::{call, legacy, pass, seq};
use crate::store::table::{self, Table};
use crate::support::Log;

/// What a call has that still runs when its process is asked to end.
const MOMENT: Duration = Duration::from_millis(200);

/// A call that waits until the test lets it go on.
fn waiting() -> Value {
    call(1, "wait", json!({"name": "one"}))
}

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
    let event = function.handed_on(&waiting()).await;
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
    let event = function.handed_on(&waiting()).await;
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
    let event = function.handed_on(&waiting()).await;
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

#[tokio::test]
async fn a_frame_that_is_still_being_handed_on_is_refused() {
    let function = Function::start().await;
    function.gateway.fate([Some(Fate::Hung)]);
    let log = Log::default();
    let guard = log.keep();
    let stopping = async {
        function.gateway.asked(1).await;
        function.app.app.close();
        pass(MOMENT).await;
    };
    let frame = waiting();
    tokio::join!(function.frame(&frame), stopping);
    drop(guard);
    let told = function.gateway.messages();
    assert_eq!(told.len(), 1);
    assert_stopped(&told[0], 1, "was not begun");
    assert_eq!(lines(&log), [line("continuation", "busy", 502)]);
}

#[tokio::test]
async fn a_frame_that_has_been_handed_on_for_all_that_is_heard_of_it_has_one_end() {
    let function = Function::start().await;
    function.gate.open("one");
    // Lambda has taken it, and the answer is lost.
    let fates = [Some(Fate::Broken), Some(Fate::Hung)];
    function.gateway.fate(fates);
    let log = Log::default();
    let guard = log.keep();
    let stopping = async {
        function.gateway.asked(2).await;
        let event = function.gateway.take_events().remove(0);
        function.invoke(&event).await;
        function.app.app.close();
        pass(MOMENT).await;
    };
    let frame = waiting();
    tokio::join!(function.frame(&frame), stopping);
    drop(guard);
    let told = function.gateway.messages();
    let numbers: Vec<u64> = told.iter().map(seq).collect();
    assert_eq!(numbers, [1, 2, 3]);
    let handed_on = [json!("continuation"), Value::Null, json!(202)];
    assert_eq!(lines(&log)[1], handed_on);
}

#[tokio::test]
async fn a_call_whose_beginning_cannot_be_noted_is_refused() {
    // The first write is the claim, the second the record of the connection.
    for noted in 0..2 {
        let table = Table::start().await;
        let function = Function::sharing(&table).await;
        let event = function.handed_on(&waiting()).await;
        table.fate(&vec![table::Fate::Good; noted]);
        table.fate(&[table::Fate::Hung]);
        let log = Log::default();
        let guard = log.keep();
        let stopping = async {
            table.asked("PutItem", noted + 1).await;
            function.app.app.close();
            pass(MOMENT).await;
        };
        tokio::join!(function.invoke(&event), stopping);
        drop(guard);
        let told = function.gateway.messages();
        assert_eq!(told.len(), 1);
        assert_stopped(&told[0], 1, "was not begun");
        assert_eq!(lines(&log), [line("tools/call", "busy", 502)]);
        assert_eq!(function.gate.begun(), 0);
    }
}

#[tokio::test]
async fn what_its_process_drops_has_a_line() {
    let table = Table::start().await;
    let function = Function::sharing(&table).await;
    let frame = waiting();
    let event = function.handed_on(&frame).await;
    let log = Log::default();
    let guard = log.keep();
    table.fate(&[table::Fate::Hung]);
    tokio::select! {
        _ = function.invoke(&event) => panic!("nobody knows whether it may begin"),
        () = table.asked("PutItem", 1) => {}
    }
    function.gateway.fate([Some(Fate::Hung)]);
    tokio::select! {
        () = function.frame(&frame) => panic!("nobody has taken it"),
        () = function.gateway.asked(2) => {}
    }
    drop(guard);
    let expected = ["tools/call", "continuation"].map(|it| line(it, "cancelled", 200));
    assert_eq!(lines(&log), expected);
    assert_eq!(function.gateway.messages(), [Value::Null; 0]);
}

/// What the log says of each request.
fn lines(log: &Log) -> Vec<[Value; 3]> {
    let lines = log.requests().into_iter();
    lines
        .map(|line| ["method", "error", "status"].map(|field| line[field].clone()))
        .collect()
}

fn line(method: &str, error: &str, status: u16) -> [Value; 3] {
    [json!(method), json!(error), json!(status)]
}
