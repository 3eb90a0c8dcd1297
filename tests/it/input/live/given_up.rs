//! Questions that are cancelled.

use std::time::Duration;

use bifold::Content;
use http::StatusCode;
use tokio::time::{Instant, sleep};

use super::{LATEST, takes_back};
use crate::input::{Events, ask, function, greet, legacy, named, reply, serving, text};

#[tokio::test]
async fn a_disconnected_client_leaves_no_open_question() {
    let app = serving(vec![function("greet", greet)]);
    let mut events = Events::open(&app, legacy(LATEST, "greet")).await;
    let question = events.next().await;
    assert_ne!(app.store().held(), 0);
    drop(events);
    assert_eq!(app.store().held(), 0);
    assert_eq!(
        reply(&app, &question, named("Ada")).await.status,
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_question_is_forgotten_while_the_function_continues() {
    let app = serving(vec![function("hurry", async |cx| {
        let hurried = tokio::time::timeout(Duration::from_secs(5), ask(&cx, "name", "Quick?"));
        assert!(hurried.await.is_err());
        cx.log(bifold::Level::Info, "gave up");
        sleep(Duration::from_secs(5)).await;
        Ok(Content::text("without"))
    })]);
    let mut events = Events::open(&app, legacy(LATEST, "hurry")).await;
    let question = events.next().await;
    assert_eq!(events.next().await["params"]["data"], "gave up");
    let since = Instant::now();
    assert!(takes_back(&events.next().await, &question));
    assert_eq!(since.elapsed(), Duration::ZERO, "the function goes on");
    assert_eq!(text(&events.next().await["result"]), "without");
    assert_eq!(
        reply(&app, &question, named("Ada")).await.status,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(app.store().held(), 0);
}

#[tokio::test]
async fn only_unanswered_questions_are_cancelled() {
    let app = serving(vec![function("race", async |cx| {
        let (first, second) = (ask(&cx, "a", "A?"), ask(&cx, "b", "B?"));
        let name = tokio::select! {
            name = first => name?,
            name = second => name?,
        };
        Ok(Content::text(name))
    })]);
    let mut events = Events::open(&app, legacy(LATEST, "race")).await;
    let (answered, given_up) = (events.next().await, events.next().await);
    reply(&app, &answered, named("Ada")).await;
    assert!(takes_back(&events.next().await, &given_up));
    assert_eq!(app.store().held(), 0, "it can no longer be answered");
    assert_eq!(text(&events.next().await["result"]), "Ada");
    assert!(events.has_ended().await);
}
