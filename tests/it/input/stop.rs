//! The shutdown: open questions are not awaited, and tasks have a moment to finish.

use std::time::Duration;

use bifold::{App, Content, Context, RequestInfo, Result, Tool, local};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep};

use super::tasks::{client, once, shown, task};
use super::{Events, ask, configured, function, greet, kind, legacy, named, reply, serving, text};
use crate::support::{Answer, serve};

/// Serves the application and stops it at once; returns the time until it has ended.
async fn stop(app: &App) -> Duration {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let since = Instant::now();
    local::serve(app.clone(), listener, std::future::ready(()))
        .await
        .unwrap();
    since.elapsed()
}

/// Works for this long, as a task.
fn working(seconds: u64) -> Tool {
    function("work", move |cx| async move {
        cx.detach().await;
        sleep(Duration::from_secs(seconds)).await;
        Ok(Content::text("done"))
    })
    .task()
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waits_for_its_client_ends_at_once() {
    let app = serving(vec![function("greet", greet)]);
    let mut events = Events::open(&app, legacy("2025-11-25", "greet")).await;
    let question = events.next().await;
    let since = Instant::now();
    app.close();
    let cancelled = events.next().await;
    assert_eq!(cancelled["method"], "notifications/cancelled");
    assert_eq!(cancelled["params"]["requestId"], question["id"]);
    let last = events.next().await;
    assert_eq!(kind(&last["result"]), "busy");
    let error = &last["result"]["_meta"]["bifold/error"];
    assert_eq!(error["retryable"], true);
    assert!(events.has_ended().await);
    assert_eq!(since.elapsed(), Duration::ZERO);
    assert_eq!(reply(&app, &question, named("Ada")).await.status, 400);
    assert_eq!(app.store().held(), 0);
    // A call from before the shutdown that starts only now cannot ask.
    let late = serve(&app, legacy("2025-11-25", "greet"), RequestInfo::default()).await;
    let late = Answer::read(late).await.json();
    assert_eq!(kind(&late["result"]), "busy");
    assert_eq!(app.store().held(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_process_waits_for_a_task_that_soon_ends() {
    let app = serving(vec![working(3)]);
    let client = client(&app);
    let id = task(&client.call("work", json!({})).await);
    let took = stop(&app).await;
    assert!((2_990..3_010).contains(&took.as_millis()), "{took:?}");
    let done = shown(&client, &id).await;
    assert_eq!(text(&done["result"]), "done");
}

#[tokio::test(start_paused = true)]
async fn a_task_that_takes_longer_fails_and_says_why() {
    for (limit, moment) in [(30, 5), (2, 2)] {
        let app = configured(vec![working(3_600)], |config| {
            config.call_timeout = Duration::from_secs(limit);
        });
        let client = client(&app);
        let id = task(&client.call("work", json!({})).await);
        let took = stop(&app).await.as_millis();
        assert!((moment * 1_000 - 10..moment * 1_000 + 10).contains(&took));
        let failed = shown(&client, &id).await;
        assert_eq!(failed["status"], "failed");
        assert_eq!(failed["error"]["code"], -32603);
        let said = "the task could not be ended in time: the server is stopping; call again";
        assert_eq!(failed["error"]["message"], said);
        assert_eq!(failed["error"]["data"]["kind"], "busy");
    }
}

#[tokio::test(start_paused = true)]
async fn a_task_that_asks_is_not_waited_for_any_longer() {
    let asking = async |cx: Context| -> Result<Content> {
        cx.detach().await;
        Ok(Content::text(ask(&cx, "name", "Name?").await?))
    };
    let app = serving(vec![function("asking", asking).task()]);
    let client = client(&app);
    let id = task(&client.call("asking", json!({})).await);
    once(&client, &id, "input_required").await;
    let took = stop(&app).await;
    assert!((4_990..5_010).contains(&took.as_millis()), "{took:?}");
    let failed = shown(&client, &id).await;
    assert_eq!(failed["status"], "failed");
    assert!(failed.get("inputRequests").is_none(), "{failed}");
}

#[tokio::test(start_paused = true)]
async fn no_new_tasks_start_during_the_shutdown() {
    let app = serving(vec![working(1)]);
    app.close();
    let result = client(&app).call("work", json!({})).await;
    assert_eq!(text(&result), "done");
    assert_eq!(app.store().held(), 0);
}

#[tokio::test(start_paused = true)]
async fn without_a_task_the_process_ends_at_once() {
    assert!(stop(&serving(vec![working(1)])).await < Duration::from_millis(10));
}
