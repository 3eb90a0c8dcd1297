//! The end of a call: tasks that the function has spawned can send nothing more, and no function blocks the thread.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bifold::{Content, Context, Level, Result};
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, yield_now};
use tokio::time::{Instant, timeout};

use super::{
    Client, Events, answered, ask, configured, function, kind, legacy, named, questions, serving,
    text,
};

type Left<T> = Arc<Mutex<Option<JoinHandle<T>>>>;

fn take<T>(left: &Left<T>) -> JoinHandle<T> {
    left.lock().unwrap().take().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_question_of_a_spawned_task_fails_at_once_after_the_call() {
    let left: Left<Result<String>> = Left::default();
    let kept = left.clone();
    let (open, gate) = oneshot::channel::<()>();
    let gate = Arc::new(Mutex::new(Some(gate)));
    let app = serving(vec![
        function("leave", move |cx| {
            let gate = gate.lock().unwrap().take().unwrap();
            let behind = async move {
                let _ = gate.await;
                // After the call, nothing could make it a task, so it would wait for ever.
                cx.detach().await;
                cx.progress(1.0, None, "nobody hears it");
                ask(&cx, "name", "Anybody?").await
            };
            *kept.lock().unwrap() = Some(tokio::spawn(behind));
            async { Ok(Content::text("gone")) }
        })
        .task(),
    ]);
    let client = Client::of(&app).with_tasks();
    assert_eq!(text(&client.call("leave", json!({})).await), "gone");
    let since = Instant::now();
    open.send(()).unwrap();
    let error = take(&left).await.unwrap().unwrap_err();
    assert_eq!(error.kind(), bifold::Kind::Unanswered);
    assert_eq!(since.elapsed(), Duration::ZERO);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_spawned_task_that_keeps_sending_messages_does_not_delay_the_end() {
    let left: Left<()> = Left::default();
    let kept = left.clone();
    let app = serving(vec![function("leave", move |cx: Context| {
        let talking = cx.clone();
        let behind = async move {
            loop {
                talking.log(Level::Error, "and another thing");
                yield_now().await;
            }
        };
        cx.log(Level::Error, "goodbye");
        *kept.lock().unwrap() = Some(tokio::spawn(behind));
        async { Ok(Content::text("gone")) }
    })]);
    let mut events = Events::open(&app, legacy("2025-11-25", "leave")).await;
    let end = async {
        loop {
            let message = events.next().await;
            if message.get("result").is_some() {
                return message;
            }
        }
    };
    let last = timeout(Duration::from_secs(30), end).await.unwrap();
    assert_eq!(text(&last["result"]), "gone");
    assert!(events.has_ended().await);
    take(&left).abort();
}

#[tokio::test]
async fn a_function_that_never_stops_sending_messages_ends_at_its_deadline() {
    let busy = function("busy", async |cx| {
        loop {
            // Not more than the last report, so it is not sent.
            cx.progress(1.0, None, "still here");
            yield_now().await;
        }
    });
    let app = configured(vec![busy], |config| {
        config.call_timeout = Duration::from_millis(50)
    });
    let params = json!({"_meta": {"progressToken": 1}, "name": "busy"});
    let client = Client::of(&app);
    let mut events = Events::open(&app, client.request("tools/call", params)).await;
    assert_eq!(events.next().await["params"]["progress"], 1.0);
    assert_eq!(kind(&events.next().await["result"]), "deadline_exceeded");
}

#[tokio::test]
async fn a_function_that_sends_messages_while_it_asks_still_gets_its_round() {
    let busy = function("busy", async |cx| {
        let talking = async {
            loop {
                cx.progress(1.0, None, "still here");
                yield_now().await;
            }
        };
        tokio::select! {
            name = ask(&cx, "name", "What is your name?") => Ok(Content::text(name?)),
            () = talking => unreachable!("it never ends"),
        }
    });
    let client = Client::of(&serving(vec![busy]));
    let params = |more: Value| {
        let mut params = more;
        params["name"] = "busy".into();
        params["_meta"]["progressToken"] = 1.into();
        client.request("tools/call", params)
    };
    let mut events = Events::open(&client.app, params(json!({}))).await;
    assert_eq!(events.next().await["params"]["progress"], 1.0);
    let first = events.next().await["result"].take();
    assert_eq!(questions(&first), json!({"name": "What is your name?"}));
    let said = answered(&first, json!({"name": named("Ada")}));
    let mut events = Events::open(&client.app, params(said)).await;
    let mut last = events.next().await;
    if last.get("result").is_none() {
        last = events.next().await;
    }
    assert_eq!(text(&last["result"]), "Ada");
}

#[tokio::test]
async fn a_question_of_a_spawned_task_does_not_replace_the_result() {
    let left: Left<Result<String>> = Left::default();
    let kept = left.clone();
    let client = Client::of(&serving(vec![function("leave", move |cx| {
        let kept = kept.clone();
        async move {
            let asking = cx.clone();
            let behind = async move { ask(&asking, "name", "Anybody?").await };
            *kept.lock().unwrap() = Some(tokio::spawn(behind));
            // One yield for the task to ask, one for the driver to take the question.
            yield_now().await;
            yield_now().await;
            cx.progress(1.0, None, "goodbye");
            Ok(Content::text("gone"))
        }
    })]));
    let params = json!({"name": "leave", "_meta": {"progressToken": 1}});
    let mut events = Events::open(&client.app, client.request("tools/call", params)).await;
    assert_eq!(events.next().await["params"]["message"], "goodbye");
    assert_eq!(text(&events.next().await["result"]), "gone");
    drop(events);
    assert!(take(&left).await.unwrap().is_err());
}
