//! The time limit of a task, and how long it is kept.

use std::time::Duration;

use bifold::Content;
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::{ask_about, client, once, shown, task, update};
use crate::input::{ask, configured, function, kind, named, text};

const HOUR: Duration = Duration::from_secs(3_600);

/// Works for this long, as a task.
fn working(time: Duration) -> bifold::Tool {
    function("work", move |cx| async move {
        cx.detach().await;
        sleep(time).await;
        Ok(Content::text("done"))
    })
    .task()
}

#[tokio::test(start_paused = true)]
async fn a_task_has_its_own_time_and_not_that_of_the_call() {
    let app = configured(vec![working(Duration::from_secs(60))], |config| {
        config.call_timeout = Duration::from_secs(30);
        config.task_timeout = Duration::from_secs(90);
    });
    let client = client(&app);
    let id = task(&client.call("work", json!({})).await);
    sleep(Duration::from_secs(59)).await;
    assert_eq!(shown(&client, &id).await["status"], "working");
    sleep(Duration::from_secs(2)).await;
    assert_eq!(text(&shown(&client, &id).await["result"]), "done");
}

#[tokio::test(start_paused = true)]
async fn a_task_that_takes_too_long_fails_like_a_call() {
    let app = configured(vec![working(HOUR)], |config| {
        config.task_timeout = Duration::from_secs(90);
    });
    let client = client(&app);
    let id = task(&client.call("work", json!({})).await);
    sleep(Duration::from_secs(89)).await;
    assert_eq!(shown(&client, &id).await["status"], "working");
    sleep(Duration::from_secs(2)).await;
    let ended = shown(&client, &id).await;
    assert_eq!(ended["status"], "completed");
    assert_eq!(kind(&ended["result"]), "deadline_exceeded");
}

#[tokio::test(start_paused = true)]
async fn the_time_limit_of_a_task_pauses_while_a_question_is_open() {
    let tool = function("work", async |cx| {
        cx.detach().await;
        sleep(Duration::from_secs(50)).await;
        ask(&cx, "name", "What is your name?").await?;
        sleep(Duration::from_secs(50)).await;
        Ok(Content::text("done"))
    });
    let app = configured(vec![tool.task()], |config| {
        config.task_timeout = Duration::from_secs(90);
        config.input_timeout = Duration::from_secs(600);
    });
    let client = client(&app);
    let id = task(&client.call("work", json!({})).await);
    sleep(Duration::from_secs(51)).await;
    assert_eq!(shown(&client, &id).await["status"], "input_required");
    sleep(Duration::from_secs(500)).await;
    update(&client, &id, json!({"name": named("Ada")})).await;
    sleep(Duration::from_secs(39)).await;
    assert_eq!(shown(&client, &id).await["status"], "working");
    sleep(Duration::from_secs(2)).await;
    assert_eq!(
        kind(&shown(&client, &id).await["result"]),
        "deadline_exceeded"
    );
}

#[tokio::test(start_paused = true)]
async fn a_question_of_a_task_has_a_time_limit() {
    let tool = function("ask", async |cx| {
        cx.detach().await;
        Ok(Content::text(ask(&cx, "name", "What is your name?").await?))
    });
    let app = configured(vec![tool.task()], |config| {
        config.input_timeout = Duration::from_secs(60);
    });
    let client = client(&app);
    let id = task(&client.call("ask", json!({})).await);
    sleep(Duration::from_secs(61)).await;
    let ended = shown(&client, &id).await;
    assert_eq!(kind(&ended["result"]), "unanswered");
    assert!(ended.get("inputRequests").is_none());
}

#[tokio::test(start_paused = true)]
async fn a_finished_task_is_kept_for_one_hour() {
    let app = configured(vec![working(Duration::from_secs(1))], |_| {});
    let client = client(&app);
    let id = task(&client.call("work", json!({})).await);
    sleep(Duration::from_secs(2)).await;
    sleep(HOUR - Duration::from_secs(3)).await;
    assert_eq!(shown(&client, &id).await["status"], "completed");
    sleep(Duration::from_secs(3)).await;
    let answer = ask_about(&client, "tasks/get", &id, json!({})).await.json();
    assert_eq!(answer["error"]["code"], -32602);
    assert_eq!(app.store().held(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_running_task_is_kept_even_without_activity() {
    let app = configured(vec![working(3 * HOUR)], |config| {
        config.task_timeout = 4 * HOUR
    });
    let client = client(&app);
    let since = Instant::now();
    let id = task(&client.call("work", json!({})).await);
    sleep(2 * HOUR + HOUR / 2).await;
    assert_eq!(shown(&client, &id).await["status"], "working");
    sleep(HOUR).await;
    assert_eq!(
        text(&once(&client, &id, "completed").await["result"]),
        "done"
    );
    assert!(since.elapsed() > 3 * HOUR);
}
