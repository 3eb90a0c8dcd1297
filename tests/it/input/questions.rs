//! Each answer belongs to its question, whatever a function asks, how often and with which text.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bifold::{Content, Kind, Result};
use serde_json::json;

use super::{Client, answered, ask, configured, function, named, questions, serving, text, told};

/// Asks until the answer is valid.
async fn insist(cx: bifold::Context) -> Result<Content> {
    loop {
        let name = ask(&cx, "name", "A short name?").await?;
        if name.len() < 4 {
            return Ok(Content::text(name));
        }
    }
}

#[tokio::test]
async fn a_repeated_question_needs_a_new_answer() {
    let client = Client::of(&serving(vec![function("insist", insist)]));
    let mut result = client.call("insist", json!({})).await;
    for name in ["Augusta", "Byron", "Lovelace", "Ada"] {
        assert_eq!(
            questions(&result),
            json!({"name": "A short name?"}),
            "before {name}"
        );
        result = client
            .call("insist", answered(&result, json!({"name": named(name)})))
            .await;
    }
    assert_eq!(text(&result), "Ada");
    // Without the request state each call begins again, and its single answer counts once.
    let long = json!({"inputResponses": {"name": named("Augusta")}});
    let result = client.call("insist", long).await;
    assert_eq!(questions(&result), json!({"name": "A short name?"}));
}

#[tokio::test]
async fn a_different_question_under_the_same_key_is_asked_too() {
    let client = Client::of(&serving(vec![function("three", async |cx| {
        let first = ask(&cx, "name", "First name?").await?;
        let last = ask(&cx, "name", "Last name?").await?;
        let town = ask(&cx, "town", "Which town?").await?;
        Ok(Content::text(format!("{first} {last} of {town}")))
    })]));
    let mut result = client.call("three", json!({})).await;
    for (key, question, name) in [
        ("name", "First name?", "Ada"),
        ("name", "Last name?", "Lovelace"),
        ("town", "Which town?", "London"),
    ] {
        assert_eq!(questions(&result), json!({key: question}));
        result = client
            .call("three", answered(&result, json!({key: named(name)})))
            .await;
    }
    assert_eq!(text(&result), "Ada Lovelace of London");
}

#[tokio::test]
async fn of_several_questions_at_once_under_one_key_each_has_its_round() {
    let client = Client::of(&serving(vec![function("both", async |cx| {
        let (first, last) = tokio::try_join!(
            ask(&cx, "name", "First name?"),
            ask(&cx, "name", "Last name?")
        )?;
        Ok(Content::text(format!("{first} {last}")))
    })]));
    let mut result = client.call("both", json!({})).await;
    for (question, name) in [("First name?", "Ada"), ("Last name?", "Lovelace")] {
        assert_eq!(questions(&result), json!({"name": question}));
        result = client
            .call("both", answered(&result, json!({"name": named(name)})))
            .await;
    }
    assert_eq!(text(&result), "Ada Lovelace");
}

#[tokio::test]
async fn a_changed_question_is_asked_with_its_new_text() {
    let price = Arc::new(AtomicUsize::new(100));
    let now = price.clone();
    let client = Client::of(&serving(vec![function("buy", move |cx| {
        let text = format!("Buy for {}?", now.load(Ordering::Relaxed));
        async move { Ok(Content::text(ask(&cx, "price", &text).await?)) }
    })]));
    let mut result = client.call("buy", json!({})).await;
    let state = result["requestState"].as_str().unwrap().len();
    for price_now in [101, 102, 103, 104] {
        price.store(price_now, Ordering::Relaxed);
        result = client
            .call("buy", answered(&result, json!({"price": named("yes")})))
            .await;
        assert_eq!(
            questions(&result),
            json!({"price": format!("Buy for {price_now}?")})
        );
        assert_eq!(
            result["requestState"].as_str().unwrap().len(),
            state,
            "it does not grow"
        );
    }
    let last = client
        .call("buy", answered(&result, json!({"price": named("yes")})))
        .await;
    assert_eq!(text(&last), "yes");
}

#[tokio::test]
async fn unused_answers_are_not_kept() {
    let runs = Arc::new(AtomicUsize::new(0));
    let client = Client::of(&serving(vec![function("wander", move |cx| {
        let run = runs.fetch_add(1, Ordering::Relaxed);
        async move {
            ask(&cx, "fixed", "Always the same?").await?;
            Ok(Content::text(
                ask(&cx, "moving", &format!("Number {run}?")).await?,
            ))
        }
    })]));
    let mut result = client.call("wander", json!({})).await;
    let mut sizes = Vec::new();
    for _ in 0..6 {
        let responses = json!({"fixed": named("yes"), "moving": named("yes")});
        result = client.call("wander", answered(&result, responses)).await;
        sizes.push(result["requestState"].as_str().unwrap().len());
    }
    assert_eq!(sizes, [sizes[0]; 6]);
}

#[tokio::test]
async fn a_cancelled_question_is_not_asked() {
    let client = Client::of(&serving(vec![function("give_up", async |cx| {
        tokio::select! {
            biased;
            name = ask(&cx, "name", "What is your name?") => return Ok(Content::text(name?)),
            () = std::future::ready(()) => {}
        }
        tokio::task::yield_now().await;
        let town = ask(&cx, "town", "Which town?").await?;
        Ok(Content::text(format!("nobody of {town}")))
    })]));
    let first = client.call("give_up", json!({})).await;
    assert_eq!(questions(&first), json!({"town": "Which town?"}));
    let last = client
        .call(
            "give_up",
            answered(&first, json!({"town": named("London")})),
        )
        .await;
    assert_eq!(text(&last), "nobody of London");
}

#[tokio::test]
async fn a_function_may_continue_without_an_answer() {
    let client = Client::of(&serving(vec![function("either", async |cx| {
        match ask(&cx, "name", "What is your name?").await {
            Ok(name) => Ok(Content::text(name)),
            Err(error) if error.kind() == Kind::MissingCapability => Ok(told(&error)),
            Err(error) => Err(error),
        }
    })]));
    let result = client
        .with(json!({"roots": {}}))
        .call("either", json!({}))
        .await;
    assert!(
        text(&result).starts_with("missing_capability: "),
        "{result}"
    );
}

#[tokio::test]
async fn too_large_request_state_is_refused_before_the_next_question() {
    let asking = function("both", async |cx| {
        let first = ask(&cx, "first", "First?").await?;
        Ok(Content::text(first + &ask(&cx, "last", "Last?").await?))
    });
    let client = Client::of(&configured(vec![asking], |config| {
        config.max_request_bytes = 8_000
    }));
    let first = client.call("both", json!({})).await;
    let said = |length: usize| answered(&first, json!({"first": named(&"x".repeat(length))}));
    let second = client.call("both", said(2_000)).await;
    let last = client
        .call("both", answered(&second, json!({"last": named("!")})))
        .await;
    assert_eq!(text(&last).len(), 2_001);
    let mut params = said(4_000);
    params["name"] = "both".into();
    let answer = client.ask("tools/call", params).await.json();
    assert_eq!(
        answer["error"]["data"]["kind"], "value_too_large",
        "{answer}"
    );
}

#[tokio::test]
async fn texts_that_look_like_json_or_events_are_unchanged() {
    let hard = "a\nb\r\nc \" \\ \u{2028} \u{0} data: x\n\nevent: message é 🦀";
    let client = Client::of(&serving(vec![function("echo", |cx| async move {
        Ok(Content::text(ask(&cx, "k\n\"é", "say\nit").await?))
    })]));
    let first = client.call("echo", json!({})).await;
    assert_eq!(questions(&first), json!({"k\n\"é": "say\nit"}));
    let last = client
        .call("echo", answered(&first, json!({"k\n\"é": named(hard)})))
        .await;
    assert_eq!(text(&last), hard);
}
