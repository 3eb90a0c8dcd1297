//! Every function that is on both protocols answers the same on both: cold, warm, in turns and all at once.

use std::collections::BTreeMap;

use bifold::provenance::replay::VESTING;
use futures_util::future::join_all;
use serde_json::{Map, Value, json};

use super::ask::{Face, answer};
use crate::support::TestApp;

const FACES: [Face; 3] = [Face::Get, Face::Post, Face::Mcp];

/// Every function on both protocols, each with arguments that it takes.
fn questions(app: &TestApp) -> Vec<(String, Value)> {
    let registry = app.app.registry();
    let tools = registry.tools().iter();
    let dual = tools.filter(|tool| tool.on_mcp() && tool.on_rest());
    let questions: Vec<_> = dual
        .map(|tool| {
            let names = tool.parameters().into_iter().flat_map(Map::keys);
            let arguments: Map<String, Value> = names
                .filter_map(|name| Some((name.clone(), sample(name)?)))
                .collect();
            (tool.name().to_owned(), Value::from(arguments))
        })
        .collect();
    assert!(questions.len() >= 14);
    questions
}

fn sample(parameter: &str) -> Option<Value> {
    match parameter {
        "wallet_address" => Some(json!(VESTING)),
        "token_pair" => Some(json!("HASH-USD")),
        "last_number_of_trades" => Some(json!(2)),
        "date_time" => Some(json!("2026-11-21T00:00:00Z")),
        _ => None,
    }
}

/// What a fresh application answers to each function, by its first call.
async fn cold(protocol: Face) -> BTreeMap<String, String> {
    let mut answers = BTreeMap::new();
    for (name, arguments) in questions(&TestApp::core().await) {
        let fresh = TestApp::core().await;
        let text = answer(&fresh, protocol, &name, &arguments).await;
        answers.insert(name, text);
    }
    answers
}

#[tokio::test]
async fn the_first_answer_of_a_process_is_the_same_on_every_face() {
    let expected = cold(Face::Get).await;
    assert_eq!(cold(Face::Post).await, expected);
    assert_eq!(cold(Face::Mcp).await, expected);
}

#[tokio::test]
async fn later_answers_are_those_of_a_fresh_process_on_every_face() {
    let expected = cold(Face::Mcp).await;
    let app = TestApp::core().await;
    let questions = questions(&app);
    // Face by protocol, then all protocols in turns.
    for protocol in FACES {
        for (name, arguments) in &questions {
            let text = answer(&app, protocol, name, arguments).await;
            assert_eq!(text, expected[name], "{name} by {protocol:?}");
        }
    }
    for (name, arguments) in questions.iter().rev() {
        for protocol in FACES {
            let text = answer(&app, protocol, name, arguments).await;
            assert_eq!(text, expected[name], "{name} by {protocol:?}");
        }
    }
}

#[tokio::test]
async fn fifty_calls_at_once_do_not_mix_their_answers() {
    let expected = cold(Face::Get).await;
    let app = TestApp::core().await;
    let questions = questions(&app);
    let calls = (0..50).map(|number| {
        let (name, arguments) = &questions[number % questions.len()];
        // The protocols turn at another pace than the functions, so that every pair of them comes up.
        let protocol = FACES[number / questions.len() % FACES.len()];
        let app = &app;
        async move {
            (
                name.clone(),
                protocol,
                answer(app, protocol, name, arguments).await,
            )
        }
    });
    for (name, protocol, text) in join_all(calls).await {
        assert_eq!(text, expected[&name], "{name} by {protocol:?}");
    }
}
