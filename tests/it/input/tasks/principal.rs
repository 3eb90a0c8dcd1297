//! Which clients get a task, and which may read it.

use bifold::{
    App, Capability, Config, Content, Context, Prompt, RequestInfo, Result, Server, Tool,
};
use http::StatusCode;
use serde_json::{Value, json};

use super::{Gate, about, ask_about, cancel, client, once, shown, task};
use crate::input::{Client, TASKS, configured, function, greet, legacy, serving, text};
use crate::support::{Answer, serve};

async fn detached(cx: Context) -> Result<Content> {
    cx.detach().await;
    Ok(Content::text("done"))
}

fn long() -> Tool {
    function("long", detached).task()
}

#[tokio::test]
async fn a_client_without_tasks_waits_for_the_result() {
    let app = serving(vec![long()]);
    let without = Client::of(&app);
    assert_eq!(text(&without.call("long", json!({})).await), "done");
    assert_eq!(
        text(&without.with(json!({})).call("long", json!({})).await),
        "done"
    );
    for version in ["2024-11-05", "2025-06-18", "2025-11-25"] {
        let response = serve(&app, legacy(version, "long"), RequestInfo::default()).await;
        let answer = Answer::read(response).await.json();
        assert_eq!(answer["result"]["content"][0]["text"], "done", "{version}");
    }
    assert_eq!(app.store().held(), 0);
}

#[tokio::test]
async fn only_tools_that_declare_it_become_tasks() {
    let tools = vec![long(), function("short", detached)];
    let prompts = vec![Prompt::new(function("prompt", detached).task())];
    let server = Server::new("asking", "1.0.0").tools(tools).prompts(prompts);
    let client = client(&App::new(Config::default(), server).unwrap());
    task(&client.call("long", json!({})).await);
    assert_eq!(text(&client.call("short", json!({})).await), "done");
    let answer = client
        .ask("prompts/get", json!({"name": "prompt"}))
        .await
        .json();
    assert_eq!(
        answer["result"]["messages"][0]["content"]["text"], "done",
        "{answer}"
    );
}

#[tokio::test]
async fn a_tool_that_requires_tasks_refuses_other_clients() {
    let app = serving(vec![
        function("long", detached)
            .task()
            .requires(Capability::Tasks),
    ]);
    let answer = Client::of(&app)
        .ask("tools/call", json!({"name": "long"}))
        .await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    let error = &answer.json()["error"];
    assert_eq!(error["code"], -32021);
    let required = json!({"requiredCapabilities": {"extensions": {TASKS: {}}}});
    assert_eq!(error["data"], required);
    task(&client(&app).call("long", json!({})).await);
}

#[tokio::test]
async fn the_server_declares_tasks_where_it_has_them() {
    for (app, has) in [
        (serving(vec![long()]), true),
        (serving(vec![function("short", detached)]), false),
        (
            serving(vec![
                long().rest_only().get("/long"),
                function("short", detached),
            ]),
            false,
        ),
        (
            configured(vec![long()], |it| it.function = Some("frozen".into())),
            false,
        ),
    ] {
        let client = client(&app);
        let discovered = client.ask("server/discover", json!({})).await.json();
        let extensions = &discovered["result"]["capabilities"]["extensions"];
        let expected = if has { json!({TASKS: {}}) } else { Value::Null };
        assert_eq!(extensions, &expected);
        for method in ["tasks/get", "tasks/update", "tasks/cancel"] {
            let answer = ask_about(&client, method, "none", json!({})).await;
            let code = if has { (200, -32602) } else { (404, -32601) };
            let given = answer.json()["error"]["code"].as_i64().unwrap();
            assert_eq!((answer.status.as_u16(), given), code, "{method}");
        }
    }
}

#[tokio::test]
async fn a_process_that_is_frozen_between_requests_answers_at_once() {
    let client = client(&configured(vec![long()], |it| {
        it.function = Some("frozen".into())
    }));
    assert_eq!(text(&client.call("long", json!({})).await), "done");
}

#[tokio::test]
async fn a_client_without_tasks_may_not_read_one() {
    let app = serving(vec![long()]);
    let id = task(&client(&app).call("long", json!({})).await);
    for declared in [
        json!({}),
        json!({"elicitation": {}}),
        json!({"extensions": {}}),
    ] {
        let without = Client::of(&app).with(declared);
        for method in ["tasks/get", "tasks/update", "tasks/cancel"] {
            let answer = ask_about(&without, method, &id, json!({"inputResponses": {}})).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{method}");
            let error = &answer.json()["error"];
            assert_eq!(error["code"], -32021);
            let required = json!({"extensions": {TASKS: {}}});
            assert_eq!(error["data"]["requiredCapabilities"], required);
        }
    }
}

#[tokio::test]
async fn the_task_of_another_principal_is_not_found() {
    let gate = Gate::default();
    let waiting = gate.clone();
    let app = serving(vec![
        function("wait", move |cx| waiting.clone().wait(cx)).task(),
    ]);
    let (ada, eve) = (
        client(&app).of_principal("ada"),
        client(&app).of_principal("eve"),
    );
    let id = task(&ada.call("wait", json!({})).await);
    for method in ["tasks/get", "tasks/update", "tasks/cancel"] {
        for stranger in [&eve, &client(&app)] {
            let foreign = ask_about(stranger, method, &id, json!({})).await;
            let unknown = ask_about(stranger, method, &"0".repeat(32), json!({})).await;
            assert_eq!(foreign.status, StatusCode::OK);
            assert_eq!(foreign.text(), unknown.text());
            assert_eq!(foreign.json()["error"]["code"], -32602, "{method}");
        }
    }
    assert_eq!(
        shown(&ada, &id).await["status"],
        "working",
        "nobody has cancelled it"
    );
    // A task without an owner does not belong to every principal.
    let ours = task(&client(&app).call("wait", json!({})).await);
    let answer = ask_about(&ada, "tasks/get", &ours, json!({})).await;
    assert_eq!(answer.json()["error"]["code"], -32602);
    cancel(&ada, &id).await;
    once(&ada, &id, "cancelled").await;
}

#[tokio::test]
async fn the_header_must_repeat_the_id() {
    let app = serving(vec![long()]);
    let client = client(&app);
    let id = task(&client.call("long", json!({})).await);
    for method in ["tasks/get", "tasks/update", "tasks/cancel"] {
        for header in [None, Some("another"), Some("")] {
            let mut request = about(&client, method, &id, json!({}));
            match header {
                None => drop(request.headers_mut().remove("mcp-name")),
                Some(it) => drop(
                    request
                        .headers_mut()
                        .insert("mcp-name", it.parse().unwrap()),
                ),
            }
            let answer = client.send(request).await;
            assert_eq!(
                answer.status,
                StatusCode::BAD_REQUEST,
                "{method} {header:?}"
            );
            assert_eq!(answer.json()["error"]["code"], -32020);
        }
    }
}

#[tokio::test]
async fn parameters_that_cannot_be_read_are_refused() {
    let app = serving(vec![long(), function("greet", greet)]);
    let client = client(&app);
    let id = task(&client.call("long", json!({})).await);
    for more in [
        json!({}),
        json!({"inputResponses": null}),
        json!({"inputResponses": []}),
        json!({"inputResponses": "x"}),
    ] {
        let answer = ask_about(&client, "tasks/update", &id, more.clone()).await;
        assert_eq!(answer.json()["error"]["code"], -32602, "{more}");
    }
    for params in [json!({}), json!({"taskId": null}), json!({"taskId": 5})] {
        let answer = client.ask("tasks/get", params.clone()).await;
        assert_eq!(answer.json()["error"]["code"], -32602, "{params}");
    }
}
