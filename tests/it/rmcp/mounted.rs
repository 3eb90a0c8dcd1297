//! The Rust SDK's client uses a mounted server through a gateway, in all combinations of their eras.

use std::future::pending;

use axum::body::Body;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use bifold::Mount;
use http::StatusCode;
use rmcp::model::{CallToolRequest, ClientRequest};
use rmcp::service::PeerRequestOptions;
use tokio::sync::watch;

use super::*;
use crate::mounts::modern::notes;
use crate::mounts::{mounting, status};

/// What has become of a call that never ends by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Unknown,
    Begun,
    Dropped,
}

/// Says that the call is dropped.
struct Running(watch::Sender<Stage>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.send_replace(Stage::Dropped);
    }
}

/// What is mounted: notes, a tool that asks for everything, and one that never ends.
fn mounted(stage: &watch::Sender<Stage>) -> Server {
    let stage = stage.clone();
    let wait = move |_: Context, _: Nothing| {
        let running = Running(stage.clone());
        async move {
            running.0.send_replace(Stage::Begun);
            pending::<Result<Content>>().await
        }
    };
    notes().tools([Tool::new("question", ask), Tool::new("wait", wait)])
}

/// Makes the server one of an earlier era: it does not know the later one.
async fn older(request: Request, next: Next) -> Response {
    match request.headers().get("mcp-protocol-version") {
        Some(version) if version == MODERN => Response::builder()
            .status(StatusCode::BAD_REQUEST)
            .body(Body::from("an unknown revision"))
            .unwrap(),
        _ => next.run(request).await,
    }
}

#[tokio::test]
async fn it_uses_a_mounted_server_in_all_combinations_of_their_eras() {
    for server_revision in [MODERN, "2025-11-25"] {
        for (lifecycle, revision) in lifecycles() {
            let stage = watch::Sender::new(Stage::Unknown);
            let mut server = mounted(&stage);
            if server_revision != MODERN {
                server = server.layer(from_fn(older));
            }
            let (address, _) = on_socket(&App::new(Config::default(), server).unwrap()).await;
            let gateway = mounting([Mount::http("n", format!("http://{address}/mcp"))]).await;
            let host = Host::new(json!({"elicitation": {}, "sampling": {}, "roots": {}}));
            let client = connected(gateway.app.clone(), lifecycle, host.clone()).await;
            assert_eq!(at(client.peer_info(), "/protocolVersion"), revision);
            uses(&client, &host, &stage).await;
            assert_eq!(status(&gateway).await["revision"], server_revision);
            client.cancel().await.unwrap();
        }
    }
}

async fn uses(
    client: &RunningService<RoleClient, Host>,
    host: &Host,
    stage: &watch::Sender<Stage>,
) {
    let tools = client.list_all_tools().await.unwrap();
    let names: Vec<_> = tools.iter().map(|it| &*it.name).collect();
    let expected = [
        "n_add",
        "n_fail",
        "n_linked",
        "n_ask",
        "n_tell",
        "n_question",
        "n_wait",
    ];
    assert_eq!(names, expected);
    let called = call("n_add", json!({"a": 20, "b": 3}));
    let sum = client.call_tool(called).await.unwrap();
    assert_eq!(at(sum, "/structuredContent/sum"), 23);
    let failed = client.call_tool(call("n_fail", json!({}))).await.unwrap();
    assert_eq!(at(&failed, "/isError"), true);
    assert_eq!(at(failed, "/content/0/text"), "it cannot be done");

    let documents = client.list_all_resources().await.unwrap();
    assert_eq!(at(documents, "/0/uri"), "ui://n/sum");
    let templates = client.list_all_resource_templates().await.unwrap();
    assert_eq!(at(templates, "/0/uriTemplate"), "note://n/{id}");
    let read = ReadResourceRequestParams::new("note://n/7");
    let document = client.read_resource(read).await.unwrap();
    assert_eq!(at(&document, "/contents/0/uri"), "note://n/7");
    assert_eq!(at(document, "/contents/0/text"), "note 7");

    let prompts = client.list_all_prompts().await.unwrap();
    assert_eq!(at(prompts, "/0/name"), "n_note");
    let asked = GetPromptRequestParams::new("n_note").with_arguments(wire(json!({"id": "7"})));
    let prompt = client.get_prompt(asked).await.unwrap();
    assert_eq!(at(prompt, "/messages/0/content/text"), "note 7");
    let proposed = client.complete_prompt_simple("n_note", "id", "x").await;
    assert_eq!(proposed.unwrap(), ["x1", "x2"]);
    let proposed = client.complete_resource_simple("note://n/{id}", "id", "y");
    assert_eq!(proposed.await.unwrap(), ["y1", "y2"]);

    client.call_tool(call("n_tell", json!({}))).await.unwrap();
    let heard = std::mem::take(&mut *host.heard.lock().unwrap());
    assert_eq!(at(heard, "/0/message"), "half");

    let answer = client.call_tool(call("n_question", json!({}))).await;
    let text = at(answer.unwrap(), "/content/0/text");
    assert_eq!(text, "Ada in Paris at file:///project");

    let request = CallToolRequest::new(call("n_wait", json!({})));
    let request = ClientRequest::CallToolRequest(request);
    let sent = client.send_cancellable_request(request, PeerRequestOptions::no_options());
    let running = sent.await.unwrap();
    let reached = async |wanted: Stage| {
        stage
            .subscribe()
            .wait_for(|it| *it == wanted)
            .await
            .unwrap();
    };
    reached(Stage::Begun).await;
    running.cancel(None).await.unwrap();
    reached(Stage::Dropped).await;
    let called = call("n_add", json!({"a": 1, "b": 1}));
    let sum = client.call_tool(called).await.unwrap();
    assert_eq!(at(sum, "/structuredContent/sum"), 2);
}
