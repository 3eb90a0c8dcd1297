//! The lifecycle of a task: what it shows while it runs, and how it may end.

use std::time::Duration;

use bifold::{Clock, Content, Error, Timestamp};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{Gate, cancel, client, once, shown, task};
use crate::input::{Events, configured, function, kind, serving, text};

#[tokio::test]
async fn a_call_that_detaches_is_a_handle_then_a_result() {
    let gate = Gate::default();
    let waiting = gate.clone();
    let tool = function("wait", move |cx| waiting.clone().wait(cx)).task();
    let app = configured(vec![tool], |config| {
        config.clock = Clock::Fixed(Timestamp::parse("2026-11-21T10:00:00Z").unwrap());
    });
    let client = client(&app);
    let created = client.call("wait", json!({})).await;
    let id = task(&created);
    assert_eq!(id.len(), 32, "nobody can guess it");
    let seed = json!({
        "resultType": "task",
        "taskId": id,
        "status": "working",
        "createdAt": "2026-11-21T10:00:00Z",
        "lastUpdatedAt": "2026-11-21T10:00:00Z",
        "ttlMs": 3_600_000,
        "pollIntervalMs": 1_000,
        "_meta": created["_meta"],
    });
    assert_eq!(created, seed);
    let server = &created["_meta"]["io.modelcontextprotocol/serverInfo"];
    assert_eq!(server["name"], "asking");
    let mut working = shown(&client, &id).await;
    assert_eq!(working["resultType"].take(), "complete");
    working["resultType"] = "task".into();
    assert_eq!(working, seed);
    gate.open.notify_one();
    let done = once(&client, &id, "completed").await;
    assert_eq!(text(&done["result"]), "done");
    assert_eq!(done["result"]["resultType"], "complete");
    assert!(done.get("error").is_none() && done.get("inputRequests").is_none());
    assert_eq!(
        shown(&client, &id).await,
        done,
        "what has ended does not change"
    );
    assert_eq!(gate.working(), 0);
}

#[tokio::test]
async fn cancelling_stops_the_work_and_nothing_else_is_ever_shown() {
    let gate = Gate::default();
    let waiting = gate.clone();
    let app = serving(vec![
        function("wait", move |cx| waiting.clone().wait(cx)).task(),
    ]);
    let client = client(&app);
    let id = task(&client.call("wait", json!({})).await);
    while gate.working() == 0 {
        tokio::task::yield_now().await;
    }
    cancel(&client, &id).await;
    let cancelled = once(&client, &id, "cancelled").await;
    while gate.working() > 0 {
        tokio::task::yield_now().await;
    }
    gate.open.notify_one();
    cancel(&client, &id).await;
    assert_eq!(shown(&client, &id).await, cancelled);
    assert!(cancelled.get("result").is_none());
}

#[tokio::test]
async fn a_failure_is_a_result_and_a_defect_an_error() {
    let app = serving(vec![
        function("fail", async |cx| {
            cx.detach().await;
            Err(Error::failed("it would not work").with_source("a secret"))
        })
        .task(),
        function("defect", async |cx| {
            cx.detach().await;
            Err(Error::internal("it is broken").with_source("a secret"))
        })
        .task(),
        function("panic", async |cx| {
            cx.detach().await;
            panic!("a secret")
        })
        .task(),
        function("incapable", async |cx| {
            cx.detach().await;
            cx.roots("roots").await?;
            Ok(Content::default())
        })
        .task(),
    ]);
    let client = client(&app);
    let mut incapable = client.clone();
    incapable
        .capabilities
        .as_object_mut()
        .unwrap()
        .remove("roots");
    let id = task(&client.call("fail", json!({})).await);
    let ended = once(&client, &id, "completed").await;
    assert_eq!(kind(&ended["result"]), "failed");
    for (client, name, code) in [
        (&client, "defect", -32603),
        (&client, "panic", -32603),
        (&incapable, "incapable", -32021),
    ] {
        let id = task(&client.call(name, json!({})).await);
        let ended = once(client, &id, "failed").await;
        assert_eq!(ended["error"]["code"], code, "{ended}");
        assert!(ended["error"]["message"].is_string() && ended.get("result").is_none());
        assert!(!ended.to_string().contains("secret"));
    }
}

#[tokio::test(start_paused = true)]
async fn progress_is_shown_while_the_task_runs_and_not_afterwards() {
    let app = serving(vec![
        function("steps", async |cx| {
            cx.detach().await;
            cx.progress(1.0, Some(3.0), "first");
            sleep(Duration::from_millis(10)).await;
            cx.progress(2.0, Some(3.0), "second");
            cx.progress(2.5, Some(3.0), "");
            sleep(Duration::from_secs(60)).await;
            Ok(Content::text("done"))
        })
        .task(),
    ]);
    let client = client(&app);
    let id = task(&client.call("steps", json!({})).await);
    let message = async || shown(&client, &id).await["statusMessage"].take();
    assert_eq!(message().await, Value::Null);
    sleep(Duration::from_millis(5)).await;
    assert_eq!(message().await, "first");
    sleep(Duration::from_millis(15)).await;
    assert_eq!(message().await, "first", "not more often than clients look");
    sleep(Duration::from_secs(1)).await;
    assert_eq!(message().await, "second", "the last one is not lost");
    sleep(Duration::from_secs(60)).await;
    assert_eq!(message().await, Value::Null);
    assert_eq!(shown(&client, &id).await["status"], "completed");
}

#[tokio::test]
async fn the_stream_of_a_call_ends_with_the_handle() {
    let app = serving(vec![
        function("steps", async |cx| {
            cx.progress(1.0, None, "before");
            cx.detach().await;
            cx.progress(2.0, None, "after");
            Ok(Content::text("done"))
        })
        .task(),
    ]);
    let client = client(&app);
    let params = json!({"name": "steps", "_meta": {"progressToken": "t"}});
    let mut events = Events::open(&app, client.request("tools/call", params)).await;
    assert_eq!(events.next().await["params"]["message"], "before");
    let id = task(&events.next().await["result"]);
    assert!(events.has_ended().await);
    once(&client, &id, "completed").await;
}

#[tokio::test]
async fn a_function_that_detaches_twice_or_not_at_all_or_takes_it_back_is_one_call() {
    let app = serving(vec![
        function("twice", async |cx| {
            tokio::join!(cx.detach(), cx.detach());
            cx.detach().await;
            Ok(Content::text("done"))
        })
        .task(),
        function("never", async |_| Ok(Content::text("done"))).task(),
        function("taken_back", async |cx| {
            tokio::select! {
                biased;
                () = cx.detach() => unreachable!("the other one is ready"),
                () = std::future::ready(()) => Ok(Content::text("done")),
            }
        })
        .task(),
    ]);
    let client = client(&app);
    let id = task(&client.call("twice", json!({})).await);
    assert_eq!(
        text(&once(&client, &id, "completed").await["result"]),
        "done"
    );
    for name in ["never", "taken_back"] {
        assert_eq!(text(&client.call(name, json!({})).await), "done", "{name}");
    }
}
