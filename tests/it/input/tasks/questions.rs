//! The questions of a task: its record shows them, and clients answer them in separate requests.

use std::time::Duration;

use bifold::{Content, Tool};
use serde_json::{Value, json};

use super::{cancel, client, once, shown, task, update};
use crate::input::{accept, answered, ask, function, kind, named, questions, serving, text};

/// The message of each open question by its key.
fn open(task: &Value) -> Value {
    let requests = task["inputRequests"].as_object().unwrap().iter();
    let messages = requests.map(|(key, it)| (key.clone(), it["params"]["message"].clone()));
    messages.collect::<serde_json::Map<_, _>>().into()
}

/// A task that asks for a name.
fn named_task() -> Tool {
    let asking = function("ask", async |cx| {
        cx.detach().await;
        Ok(Content::text(ask(&cx, "name", "Name?").await?))
    });
    asking.task()
}

#[tokio::test]
async fn a_task_asks_several_things_and_takes_the_answers_as_they_come() {
    let app = serving(vec![
        function("both", async |cx| {
            cx.detach().await;
            let (first, last) =
                tokio::try_join!(ask(&cx, "first", "First?"), ask(&cx, "last", "Last?"))?;
            let town = ask(&cx, "town", "Town?").await?;
            Ok(Content::text(format!("{first} {last} of {town}")))
        })
        .task(),
    ]);
    let client = client(&app);
    let id = task(&client.call("both", json!({})).await);
    let asking = once(&client, &id, "input_required").await;
    assert_eq!(open(&asking), json!({"first": "First?", "last": "Last?"}));
    assert_eq!(
        asking["inputRequests"]["first"]["method"],
        "elicitation/create"
    );
    update(
        &client,
        &id,
        json!({"last": named("Lovelace"), "unknown": named("Eve")}),
    )
    .await;
    let asking = once(&client, &id, "input_required").await;
    assert_eq!(
        open(&asking),
        json!({"first": "First?"}),
        "a part of the answers is one"
    );
    // A second answer is ignored.
    update(&client, &id, json!({"last": named("Byron")})).await;
    update(&client, &id, json!({})).await;
    update(&client, &id, json!({"first": named("Ada")})).await;
    while shown(&client, &id).await["inputRequests"]["town"].is_null() {
        tokio::task::yield_now().await;
    }
    update(
        &client,
        &id,
        json!({"first": named("Eve"), "town": named("London")}),
    )
    .await;
    let done = once(&client, &id, "completed").await;
    assert_eq!(text(&done["result"]), "Ada Lovelace of London");
    update(&client, &id, json!({"town": named("Paris")})).await;
    assert_eq!(shown(&client, &id).await, done);
}

#[tokio::test]
async fn each_question_of_a_task_has_its_own_key() {
    let app = serving(vec![
        function("insist", async |cx| {
            cx.detach().await;
            let first = ask(&cx, "name", "Name?").await?;
            let (again, at_once, other) = tokio::try_join!(
                ask(&cx, "name", "Name?"),
                ask(&cx, "name", "Name?"),
                ask(&cx, "name-2", "Other?")
            )?;
            Ok(Content::text([first, again, at_once, other].join(" ")))
        })
        .task(),
    ]);
    let client = client(&app);
    let id = task(&client.call("insist", json!({})).await);
    let asking = once(&client, &id, "input_required").await;
    assert_eq!(open(&asking), json!({"name": "Name?"}));
    update(&client, &id, json!({"name": named("A")})).await;
    let asking = once(&client, &id, "input_required").await;
    let keys = json!({"name-2": "Name?", "name-3": "Name?", "name-2-2": "Other?"});
    assert_eq!(open(&asking), keys);
    update(&client, &id, json!({"name": named("X"), "name-2-2": named("D"), "name-3": named("C"), "name-2": named("B")})).await;
    assert_eq!(
        text(&once(&client, &id, "completed").await["result"]),
        "A B C D"
    );
}

#[tokio::test]
async fn an_unusable_answer_is_asked_for_again() {
    let app = serving(vec![named_task()]);
    let client = client(&app);
    let id = task(&client.call("ask", json!({})).await);
    once(&client, &id, "input_required").await;
    update(&client, &id, json!({"name": accept(json!({"name": 5}))})).await;
    let again = once(&client, &id, "input_required").await;
    assert_eq!(open(&again), json!({"name-2": "Name?"}));
    update(&client, &id, json!({"name-2": "no answer at all"})).await;
    let again = once(&client, &id, "input_required").await;
    assert_eq!(open(&again), json!({"name-3": "Name?"}));
    update(&client, &id, json!({"name-3": named("Ada")})).await;
    assert_eq!(
        text(&once(&client, &id, "completed").await["result"]),
        "Ada"
    );
}

#[tokio::test]
async fn questions_before_the_task_are_asked_in_rounds() {
    let app = serving(vec![
        function("order", async |cx| {
            let what = ask(&cx, "what", "What?").await?;
            cx.detach().await;
            let when = ask(&cx, "when", "When?").await?;
            Ok(Content::text(format!("{what} {when}")))
        })
        .task(),
        function("at_once", async |cx| {
            let ask = async {
                let said = ask(&cx, "what", "What?").await;
                cx.roots("roots").await?;
                said
            };
            let (what, ()) = tokio::join!(ask, cx.detach());
            Ok(Content::text(what?))
        })
        .task(),
    ]);
    let client = client(&app);
    let first = client.call("order", json!({})).await;
    assert_eq!(questions(&first), json!({"what": "What?"}));
    let id = task(
        &client
            .call("order", answered(&first, json!({"what": named("Tea")})))
            .await,
    );
    once(&client, &id, "input_required").await;
    update(&client, &id, json!({"when": named("now")})).await;
    assert_eq!(
        text(&once(&client, &id, "completed").await["result"]),
        "Tea now"
    );

    let first = client.call("at_once", json!({})).await;
    assert_eq!(
        questions(&first),
        json!({"what": "What?"}),
        "no question is lost to the task"
    );
    let said = answered(&first, json!({"what": named("Tea")}));
    let id = task(&client.call("at_once", said).await);
    once(&client, &id, "input_required").await;
    update(&client, &id, json!({"roots": {"roots": []}})).await;
    assert_eq!(
        text(&once(&client, &id, "completed").await["result"]),
        "Tea"
    );
}

#[tokio::test]
async fn a_cancelled_task_has_no_open_questions() {
    let app = serving(vec![named_task()]);
    let client = client(&app);
    let id = task(&client.call("ask", json!({})).await);
    once(&client, &id, "input_required").await;
    cancel(&client, &id).await;
    update(&client, &id, json!({"name": named("Ada")})).await;
    let cancelled = shown(&client, &id).await;
    assert_eq!(cancelled["status"], "cancelled");
    assert!(cancelled.get("inputRequests").is_none() && cancelled.get("result").is_none());
}

#[tokio::test(start_paused = true)]
async fn a_refusal_of_the_user_reaches_the_function() {
    let app = serving(vec![
        function("ask", async |cx| {
            cx.detach().await;
            let patience = Duration::from_secs(5);
            let hurried = tokio::time::timeout(patience, ask(&cx, "quick", "Quick?")).await;
            assert!(hurried.is_err());
            match ask(&cx, "name", "Name?").await?.as_str() {
                "declined" => Err(bifold::Error::failed("the user says no")),
                name => Ok(Content::text(name)),
            }
        })
        .task(),
    ]);
    let client = client(&app);
    let id = task(&client.call("ask", json!({})).await);
    while shown(&client, &id).await["inputRequests"]["name"].is_null() {
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    let asking = shown(&client, &id).await;
    assert_eq!(
        open(&asking),
        json!({"name": "Name?"}),
        "what is given up is not shown"
    );
    // An answer to a cancelled question does no harm.
    update(
        &client,
        &id,
        json!({"quick": named("late"), "name": {"action": "decline"}}),
    )
    .await;
    assert_eq!(
        kind(&once(&client, &id, "completed").await["result"]),
        "failed"
    );
}

#[tokio::test(start_paused = true)]
async fn a_task_that_cancels_its_question_continues() {
    let app = serving(vec![
        function("hurry", async |cx| {
            cx.detach().await;
            let patience = Duration::from_secs(5);
            let first = tokio::time::timeout(patience, ask(&cx, "a", "A?"));
            let second = tokio::time::timeout(2 * patience, ask(&cx, "b", "B?"));
            let (first, second) = tokio::join!(first, second);
            assert!(first.is_err() && second.is_err());
            tokio::time::sleep(patience).await;
            Ok(Content::text("without"))
        })
        .task(),
    ]);
    let client = client(&app);
    let id = task(&client.call("hurry", json!({})).await);
    let asking = once(&client, &id, "input_required").await;
    assert_eq!(open(&asking), json!({"a": "A?", "b": "B?"}));
    let mut seen = Vec::new();
    while shown(&client, &id).await["status"] != "completed" {
        let task = shown(&client, &id).await;
        let now = (task["status"].clone(), task["inputRequests"].clone());
        if seen.last() != Some(&now) {
            seen.push(now);
        }
        tokio::time::advance(Duration::from_millis(100)).await;
    }
    let b = asking["inputRequests"]["b"].clone();
    let expected = [
        (json!("input_required"), asking["inputRequests"].clone()),
        (json!("input_required"), json!({ "b": b })),
        (json!("working"), Value::Null),
    ];
    assert_eq!(seen, expected);
}
