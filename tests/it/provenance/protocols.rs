//! Every function on both protocols gives the same answers on both: cold, warm, in turns and concurrently.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use serde_json::Value;

use super::ask::{CallForm, answer, samples};
use crate::support::TestApp;

const FORMS: [CallForm; 3] = [CallForm::Get, CallForm::Post, CallForm::Mcp];

/// Every function on both protocols, each with valid arguments.
fn questions(app: &TestApp) -> Vec<(String, Value)> {
    let registry = app.app.registry();
    let tools = registry.tools().iter();
    let dual = tools.filter(|tool| tool.on_mcp() && tool.on_rest());
    let questions: Vec<_> = dual
        .map(|tool| (tool.name().to_owned(), samples(app, tool.name())))
        .collect();
    assert!(questions.len() >= 35);
    questions
}

/// The answers of a fresh application, one first call per function.
async fn cold(protocol: CallForm) -> BTreeMap<String, String> {
    let mut answers = BTreeMap::new();
    for (name, arguments) in questions(&TestApp::core().await) {
        let fresh = TestApp::core().await;
        let text = answer(&fresh, protocol, &name, &arguments).await;
        answers.insert(name, text);
    }
    answers
}

#[tokio::test]
async fn the_first_answer_of_a_process_is_the_same_on_every_protocol() {
    let expected = cold(CallForm::Get).await;
    assert_eq!(cold(CallForm::Post).await, expected);
    assert_eq!(cold(CallForm::Mcp).await, expected);
}

#[tokio::test]
async fn later_answers_equal_those_of_a_fresh_process_on_every_protocol() {
    let expected = cold(CallForm::Mcp).await;
    let app = TestApp::core().await;
    let questions = questions(&app);
    // One form after the other, then all forms in turns.
    for protocol in FORMS {
        for (name, arguments) in &questions {
            let text = answer(&app, protocol, name, arguments).await;
            assert_eq!(text, expected[name], "{name} by {protocol:?}");
        }
    }
    for (name, arguments) in questions.iter().rev() {
        for protocol in FORMS {
            let text = answer(&app, protocol, name, arguments).await;
            assert_eq!(text, expected[name], "{name} by {protocol:?}");
        }
    }
}

#[tokio::test]
async fn fifty_calls_at_once_do_not_mix_their_answers() {
    let expected = cold(CallForm::Get).await;
    let app = TestApp::core().await;
    let questions = questions(&app);
    let calls = (0..50).map(|number| {
        let (name, arguments) = &questions[number % questions.len()];
        // The forms advance at another pace than the functions, so that every pair occurs.
        let protocol = FORMS[number / questions.len() % FORMS.len()];
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
