//! The capabilities that a client needs, and the error where it lacks one.

use bifold::{Capability, Content, Prompt, Resource, Result, Sampling, Server, Tool, batch};
use http::StatusCode;
use serde_json::{Value, json};

use super::{Client, function, greet, serving, text};
use crate::support::TestApp;

/// One function for each kind of question.
fn all() -> Vec<Tool> {
    let said = |_: Vec<bifold::Root>| Ok(Content::text("asked"));
    vec![
        function("elicit", greet),
        function("visit", async |cx| {
            cx.visit("page", "Look", "https://example.com/").await?;
            Ok(Content::text("asked"))
        }),
        function("sample", async |cx| {
            Ok(Content::text(
                cx.sample("q", Sampling::new("Why?", 5)).await?.text(),
            ))
        }),
        function(
            "roots",
            move |cx| async move { said(cx.roots("roots").await?) },
        ),
    ]
}

#[tokio::test]
async fn a_client_without_the_capability_is_told_what_to_declare() {
    let client = Client::of(&serving(all()));
    let form = json!({"elicitation": {}});
    let page = json!({"elicitation": {"url": {}}});
    for (name, declared, required) in [
        ("elicit", json!({}), Some(&form)),
        ("elicit", json!({"sampling": {}, "roots": {}}), Some(&form)),
        ("elicit", page.clone(), Some(&form)),
        ("elicit", json!({"elicitation": null}), Some(&form)),
        ("elicit", form.clone(), None),
        ("elicit", json!({"elicitation": {"form": {}}}), None),
        (
            "elicit",
            json!({"elicitation": {"form": {}, "url": {}}}),
            None,
        ),
        ("elicit", json!({"elicitation": {"future": {}}}), None),
        ("visit", form.clone(), Some(&page)),
        ("visit", page.clone(), None),
        ("sample", form.clone(), Some(&json!({"sampling": {}}))),
        ("sample", json!({"sampling": {"tools": {}}}), None),
        ("roots", form.clone(), Some(&json!({"roots": {}}))),
        ("roots", json!({"roots": {"listChanged": true}}), None),
    ] {
        let client = client.clone().with(declared.clone());
        let answer = client.ask("tools/call", json!({"name": name})).await;
        let message = answer.json();
        match required {
            None => assert_eq!(
                message["result"]["resultType"], "input_required",
                "{declared}"
            ),
            Some(required) => {
                assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{name} {declared}");
                assert_eq!(message["error"]["code"], -32021);
                assert_eq!(&message["error"]["data"]["requiredCapabilities"], required);
            }
        }
    }
}

#[tokio::test]
async fn both_elicitation_modes_are_named_together() {
    let tool = function("both", greet)
        .requires(Capability::UrlElicitation)
        .requires(Capability::Elicitation);
    let client = Client::of(&serving(vec![tool])).with(json!({}));
    let answer = client
        .ask("tools/call", json!({"name": "both"}))
        .await
        .json();
    let required = &answer["error"]["data"]["requiredCapabilities"];
    assert_eq!(required, &json!({"elicitation": {"form": {}, "url": {}}}));
    let declared = client.with(required.clone());
    let result = declared.call("both", json!({})).await;
    assert_eq!(result["resultType"], "input_required");
}

#[tokio::test]
async fn prompts_and_documents_refuse_the_same_way() {
    let server = Server::new("asking", "1.0.0")
        .prompts(vec![
            Prompt::new(function("dynamic", greet)),
            Prompt::new(function("fixed", greet).requires(Capability::Elicitation)),
        ])
        .resources(vec![
            Resource::new("test://dynamic", "text/plain", function("one", greet)),
            Resource::new(
                "test://fixed",
                "text/plain",
                function("two", greet).requires(Capability::Elicitation),
            ),
        ]);
    let app = TestApp::serving(server).await;
    for (method, params) in [
        ("prompts/get", json!({"name": "dynamic"})),
        ("prompts/get", json!({"name": "fixed"})),
        ("resources/read", json!({"uri": "test://dynamic"})),
        ("resources/read", json!({"uri": "test://fixed"})),
    ] {
        let answer = app.mcp(method, params.clone()).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{method} {params}");
        let error = &answer.json()["error"];
        assert_eq!(error["code"], -32021);
        let required = json!({"requiredCapabilities": {"elicitation": {}}});
        assert_eq!(error["data"], required);
    }
}

#[tokio::test]
async fn a_program_that_calls_over_rest_cannot_be_asked() {
    let app = TestApp::serving(Server::new("asking", "1.0.0").tools(vec![
        function("greet", greet).get("/greet"),
        function("long", detached).task().get("/long"),
    ]))
    .await;
    for answer in [
        app.get("/api/greet").await,
        app.post("/api/greet", "{}").await,
    ] {
        assert_eq!(answer.status, StatusCode::NOT_IMPLEMENTED);
        assert_eq!(answer.header("content-type"), "application/problem+json");
        let problem = answer.json();
        assert!(
            problem["type"]
                .as_str()
                .unwrap()
                .ends_with("missing_capability"),
            "{problem}"
        );
        assert!(
            problem["detail"]
                .as_str()
                .unwrap()
                .contains("`elicitation`"),
            "{problem}"
        );
    }
    assert_eq!(
        app.get("/api/long").await.status,
        StatusCode::OK,
        "`detach` does nothing there"
    );
}

async fn detached(cx: bifold::Context) -> Result<Content> {
    cx.detach().await;
    Ok(Content::text(format!("{}", cx.can(Capability::Tasks))))
}

#[tokio::test]
async fn a_part_of_a_call_cannot_ask_and_the_other_parts_continue() {
    let tools = vec![
        batch::tool(),
        function("greet", greet),
        function("long", detached).task(),
    ];
    let client = Client::of(&serving(tools)).with_tasks();
    let calls = json!({"calls": [{"name": "greet"}, {"name": "long"}, {"name": "greet"}]});
    let result = client.call("call_many", json!({"arguments": calls})).await;
    let report = &result["structuredContent"];
    let kinds: Vec<&Value> = (0..3)
        .map(|it| &report["results"][it]["error"]["kind"])
        .collect();
    assert_eq!(
        kinds,
        [
            &json!("missing_capability"),
            &Value::Null,
            &json!("missing_capability")
        ]
    );
    assert_eq!(report["succeeded"], 1);
    // The batch itself does not become a task either.
    assert_eq!(result["resultType"], "complete");
}

#[tokio::test]
async fn a_function_can_see_the_capabilities_of_its_client() {
    let list = |cx: &bifold::Context| {
        let all = [
            Capability::Elicitation,
            Capability::UrlElicitation,
            Capability::Sampling,
            Capability::Roots,
            Capability::Tasks,
        ];
        let can: Vec<_> = all
            .into_iter()
            .filter(|it| cx.can(*it))
            .map(Capability::as_str)
            .collect();
        can.join(" ")
    };
    let tool = function("can", move |cx| {
        let text = list(&cx);
        async move { Ok(Content::text(text)) }
    });
    let client = Client::of(&serving(vec![tool]));
    for (declared, expected) in [
        (json!({}), ""),
        (json!({"elicitation": {}}), "elicitation"),
        (json!({"elicitation": {"url": {}}}), "elicitation.url"),
        (json!({"sampling": {}, "roots": {}}), "sampling roots"),
        (
            json!({"extensions": {super::TASKS: {}, "other/one": {}}}),
            super::TASKS,
        ),
        (
            json!({"extensions": {"other/one": {}}, "experimental": {"x": 1}}),
            "",
        ),
    ] {
        let result = client
            .clone()
            .with(declared.clone())
            .call("can", json!({}))
            .await;
        assert_eq!(text(&result), expected, "{declared}");
    }
}
