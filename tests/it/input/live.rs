//! 2025 clients are asked on the stream of their call, and answer in a separate POST while the function waits.

mod given_up;
mod principal;

use std::time::Duration;

use bifold::{App, Content, Context, RequestInfo, Result, Sampling, TimeLeft, Tool};
use http::StatusCode;
use serde_json::{Value, json};
use tokio::time::{Instant, advance, sleep};

use super::{
    Events, accept, ask, configured, function, greet, kind, legacy, named, posted, reply, serving,
    text, told,
};
use crate::support::{Answer, serve};

const LATEST: &str = "2025-11-25";

async fn post(app: &App, message: Value) -> Answer {
    Answer::read(serve(app, posted(LATEST, message), RequestInfo::default()).await).await
}

/// Whether the message cancels the question.
fn takes_back(message: &Value, question: &Value) -> bool {
    let is_told = message["method"] == "notifications/cancelled" && message.get("id").is_none();
    is_told && message["params"]["requestId"] == question["id"]
}

/// Asks, and returns the outcome.
async fn try_greet(cx: Context) -> Result<Content> {
    match ask(&cx, "name", "What is your name?").await {
        Ok(name) => Ok(Content::text(name)),
        Err(error) => Ok(told(&error)),
    }
}

#[tokio::test]
async fn a_function_asks_on_the_stream_and_gets_the_answer_from_another_post() {
    let app = serving(vec![function("greet", greet)]);
    for version in ["2025-06-18", LATEST] {
        let mut events = Events::open(&app, legacy(version, "greet")).await;
        let question = events.next().await;
        assert_eq!(question["jsonrpc"], "2.0");
        assert_eq!(question["method"], "elicitation/create");
        assert_eq!(question["params"]["message"], "What is your name?");
        assert_eq!(
            question["id"].as_str().unwrap().len(),
            32,
            "nobody can guess it"
        );
        let answer = reply(&app, &question, named("Ada")).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED);
        assert!(answer.body.is_empty());
        let last = events.next().await;
        assert_eq!(last["id"], 7);
        assert_eq!(text(&last["result"]), "Hello, Ada!");
        assert!(last["result"].get("resultType").is_none());
        assert!(events.has_ended().await);
        assert_eq!(app.store().held(), 0);
    }
}

#[tokio::test]
async fn every_question_has_its_form_and_several_are_open_at_once() {
    let app = serving(vec![function("all", async |cx| {
        let (name, answer, roots, visited) = tokio::try_join!(
            ask(&cx, "same", "What is your name?"),
            cx.sample("same", Sampling::new("Why?", 5)),
            cx.roots("same"),
            cx.visit("same", "Look", "https://example.com/")
        )?;
        let roots = roots.len();
        Ok(Content::text(format!(
            "{name} {} {roots} {visited:?}",
            answer.text()
        )))
    })]);
    let mut events = Events::open(&app, legacy(LATEST, "all")).await;
    let mut asked = Vec::new();
    for _ in 0..4 {
        asked.push(events.next().await);
    }
    asked.sort_by_key(|it| it["method"].to_string() + &it["params"]["mode"].to_string());
    let [page, form, roots, sampling] = &asked[..] else {
        panic!("{asked:?}")
    };
    let id = page["params"]["elicitationId"].as_str().unwrap();
    let expected = json!({"mode": "url", "message": "Look", "url": "https://example.com/", "elicitationId": id});
    assert_eq!(page["params"], expected);
    assert!(!id.is_empty());
    assert_eq!(roots["method"], "roots/list");
    // In the reverse order.
    let content = json!({"type": "text", "text": "because"});
    for (question, result) in [
        (page, json!({"action": "decline"})),
        (roots, json!({"roots": []})),
        (
            sampling,
            json!({"role": "assistant", "content": content, "model": "m"}),
        ),
        (form, named("Ada")),
    ] {
        assert_eq!(
            reply(&app, question, result).await.status,
            StatusCode::ACCEPTED
        );
    }
    assert_eq!(
        text(&events.next().await["result"]),
        "Ada because 0 Declined"
    );
    assert_eq!(app.store().held(), 0);
}

#[tokio::test]
async fn the_first_answer_counts_and_no_other() {
    let app = serving(vec![function("greet", greet)]);
    let mut events = Events::open(&app, legacy(LATEST, "greet")).await;
    let question = events.next().await;
    assert_eq!(
        reply(&app, &question, named("Ada")).await.status,
        StatusCode::ACCEPTED
    );
    for _ in 0..2 {
        let second = reply(&app, &question, named("Eve")).await;
        assert_eq!(second.status, StatusCode::BAD_REQUEST);
        assert_eq!(second.json()["error"]["code"], -32600);
    }
    assert_eq!(text(&events.next().await["result"]), "Hello, Ada!");
    assert_eq!(
        reply(&app, &question, named("Eve")).await.status,
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test]
async fn an_answer_without_an_open_question_is_refused() {
    let app = serving(vec![function("greet", greet)]);
    let mut events = Events::open(&app, legacy(LATEST, "greet")).await;
    let question = events.next().await;
    let id = question["id"].as_str().unwrap();
    for id in [
        json!("nobody"),
        json!(1),
        json!(""),
        json!(format!("mail#{id}")),
        json!(id.to_uppercase()),
        json!(null),
    ] {
        let answer = post(&app, json!({"jsonrpc": "2.0", "id": id, "result": {}})).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{id}");
    }
    let both =
        json!({"jsonrpc": "2.0", "id": id, "result": {}, "error": {"code": 1, "message": ""}});
    assert_eq!(post(&app, both).await.status, StatusCode::BAD_REQUEST);
    // The expected answer may write its id in another form with the same meaning.
    let text_of = format!(
        "{{\"jsonrpc\":\"2.0\",\"id\":\"\\u{:04x}{}\",\"result\":{}}}",
        id.as_bytes()[0],
        &id[1..],
        named("Ada")
    );
    let request = posted(LATEST, json!({})).map(|_| axum::body::Body::from(text_of));
    assert_eq!(
        serve(&app, request, RequestInfo::default()).await.status(),
        StatusCode::ACCEPTED
    );
    assert_eq!(text(&events.next().await["result"]), "Hello, Ada!");
}

#[tokio::test]
async fn an_answer_in_a_batch_counts_too() {
    let app = serving(vec![function("roots", async |cx| {
        Ok(Content::text(cx.roots("roots").await?[0].uri.clone()))
    })]);
    let mut events = Events::open(&app, legacy("2025-03-26", "roots")).await;
    let question = events.next().await;
    let result = json!({"roots": [{"uri": "file:///a"}]});
    let batch = json!([
        {"jsonrpc": "2.0", "id": question["id"], "result": result},
        {"jsonrpc": "2.0", "id": 1, "method": "ping"},
    ]);
    let request = posted("2025-03-26", batch);
    let answer = Answer::read(serve(&app, request, RequestInfo::default()).await)
        .await
        .json();
    assert_eq!(answer, json!([{"jsonrpc": "2.0", "id": 1, "result": {}}]));
    assert_eq!(text(&events.next().await["result"]), "file:///a");
}

#[tokio::test]
async fn an_unusable_answer_is_an_error_for_the_function() {
    let app = serving(vec![function("greet", try_greet)]);
    let refusal = json!({"error": {"code": -32601, "message": "Method not found"}});
    for (answer, said) in [
        (refusal, "was refused"),
        (
            json!({"error": {"code": "x"}}),
            "got no response of the protocol",
        ),
        (json!({"result": null}), "got no response of the protocol"),
        (json!({"result": 5}), "got an answer of the wrong type"),
        (
            json!({"result": {"action": "accept"}}),
            "got an answer of the wrong type",
        ),
        (
            json!({"result": accept(json!({"name": 5}))}),
            "got an answer of the wrong type",
        ),
    ] {
        let mut events = Events::open(&app, legacy(LATEST, "greet")).await;
        let question = events.next().await;
        let mut message = answer.clone();
        message["jsonrpc"] = "2.0".into();
        message["id"] = question["id"].clone();
        assert_eq!(
            post(&app, message).await.status,
            StatusCode::ACCEPTED,
            "{answer}"
        );
        let last = events.next().await;
        let expected = format!("unanswered: the question `name` to the client {said}");
        assert_eq!(text(&last["result"]), expected);
        assert!(
            !last.to_string().contains("Method not found"),
            "that is for the log"
        );
    }
    assert_eq!(app.store().held(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_user_may_take_longer_than_the_call_but_not_than_the_setting() {
    let app = configured(vec![function("greet", try_greet)], |config| {
        config.call_timeout = Duration::from_secs(30);
        config.input_timeout = Duration::from_secs(300);
    });
    let since = Instant::now();
    let mut events = Events::open(&app, legacy(LATEST, "greet")).await;
    let question = events.next().await;
    advance(Duration::from_secs(299)).await;
    assert_eq!(
        reply(&app, &question, named("Ada")).await.status,
        StatusCode::ACCEPTED
    );
    assert_eq!(text(&events.next().await["result"]), "Ada");
    let mut events = Events::open(&app, legacy(LATEST, "greet")).await;
    let question = events.next().await;
    assert!(takes_back(&events.next().await, &question));
    let said = text(&events.next().await["result"]).to_owned();
    assert_eq!(
        said,
        "unanswered: the question `name` to the client was not answered in time"
    );
    assert_eq!(since.elapsed().as_secs(), 599);
    assert_eq!(
        reply(&app, &question, named("Ada")).await.status,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(app.store().held(), 0);
}

#[tokio::test(start_paused = true)]
async fn only_the_time_of_the_user_is_not_counted() {
    let app = configured(
        vec![function("slow", async |cx| {
            sleep(Duration::from_secs(20)).await;
            ask(&cx, "name", "What is your name?").await?;
            let left = cx.deadline().remaining();
            sleep(Duration::from_secs(20)).await;
            Ok(Content::text(format!("{left:?}")))
        })],
        |config| config.call_timeout = Duration::from_secs(30),
    );
    let mut events = Events::open(&app, legacy(LATEST, "slow")).await;
    let question = events.next().await;
    advance(Duration::from_secs(120)).await;
    reply(&app, &question, named("Ada")).await;
    let since = Instant::now();
    let last = events.next().await;
    assert_eq!(kind(&last["result"]), "deadline_exceeded");
    assert_eq!(since.elapsed().as_secs(), 10, "what was left of the 30 s");
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_invocation_also_limits_the_user() {
    let app = configured(vec![function("greet", greet)], |config| {
        config.stream_margin = Duration::from_secs(1);
    });
    let since = Instant::now();
    let request_info = {
        let mut info = RequestInfo::default();
        info.time_left = Some(TimeLeft::of(Duration::from_secs(61)));
        info
    };
    let response = serve(&app, legacy(LATEST, "greet"), request_info).await;
    let mut events = Events(response.into_body().into_data_stream());
    let question = events.next().await;
    assert!(takes_back(&events.next().await, &question));
    assert_eq!(kind(&events.next().await["result"]), "deadline_exceeded");
    assert_eq!(since.elapsed().as_secs(), 60);
    assert_eq!(app.store().held(), 0);
}

#[tokio::test]
async fn a_client_is_asked_only_what_its_revision_supports() {
    let tools: Vec<Tool> = vec![
        function("elicit", greet),
        function("visit", async |cx| {
            cx.visit("page", "Look", "https://example.com/").await?;
            Ok(Content::default())
        }),
        function("roots", async |cx| {
            cx.roots("roots").await?;
            Ok(Content::default())
        }),
    ];
    let app = serving(tools);
    for (version, known) in [
        ("2024-11-05", vec!["roots"]),
        ("2025-03-26", vec!["roots"]),
        ("2025-06-18", vec!["roots", "elicit"]),
        (LATEST, vec!["roots", "elicit", "visit"]),
    ] {
        for name in ["roots", "elicit", "visit"] {
            let response = serve(&app, legacy(version, name), RequestInfo::default()).await;
            let is_stream = response.headers()["content-type"] == "text/event-stream";
            assert_eq!(is_stream, known.contains(&name), "{version} {name}");
        }
    }
    assert_eq!(app.store().held(), 0);
}

#[tokio::test]
async fn a_repeated_question_is_asked_again() {
    let app = serving(vec![function("insist", async |cx| {
        let first = ask(&cx, "name", "Name?").await?;
        Ok(Content::text(first + &ask(&cx, "name", "Name?").await?))
    })]);
    let mut events = Events::open(&app, legacy(LATEST, "insist")).await;
    for name in ["A", "B"] {
        let question = events.next().await;
        reply(&app, &question, named(name)).await;
    }
    assert_eq!(text(&events.next().await["result"]), "AB");
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_waits_for_a_user_sends_heartbeats() {
    use futures_util::StreamExt;
    let app = serving(vec![function("greet", greet)]);
    let since = Instant::now();
    let mut events = Events::open(&app, legacy(LATEST, "greet")).await;
    events.next().await;
    for passed in [15, 30, 45] {
        assert_eq!(events.0.next().await.unwrap().unwrap(), ": keep-alive\n\n");
        assert_eq!(since.elapsed().as_secs(), passed);
    }
}
