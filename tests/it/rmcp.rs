//! The Rust SDK's client, from other hands, in either era and over a socket.

#![expect(
    deprecated,
    reason = "the SDK marks what the newest revision would rather not have"
)]

mod authorization;
#[cfg(feature = "mounts")]
mod mounted;

use std::sync::{Arc, Mutex};

use bifold::provenance::replay::VESTING;
use bifold::{
    App, Config, Content, Context, Elicited, Error, JsonSchema, Level, Result, Sampling, Server,
    Tool,
};
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, ClientConfig, CreateMessageRequestParams,
    CreateMessageResult, ElicitRequestParams, ElicitResult, ErrorData, GetPromptRequestParams,
    GetTaskParams, Implementation, ListRootsResult, LoggingLevel, LoggingMessageNotificationParam,
    ProgressNotificationParam, ProtocolVersion, ReadResourceRequestParams, RequestMetaObject,
    SetLevelRequestParams, UpdateTaskParams,
};
use rmcp::service::{NotificationContext, RequestContext, RunningService};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::{ClientHandler, ClientLifecycleMode, ClientServiceExt, RoleClient};
use rustls::RootCertStore;
use rustls::crypto::ring;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::support::{MODERN, TestApp, on_socket};

/// Takes nothing.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

#[derive(Deserialize, JsonSchema)]
struct Name {
    name: String,
}

async fn name(cx: &Context) -> Result<String> {
    match cx.elicit("name", "Who are you?").await? {
        Elicited::Accepted(Name { name }) => Ok(name),
        Elicited::Declined | Elicited::Cancelled => Err(Error::failed("nobody says")),
    }
}

async fn ask(cx: Context, _: Nothing) -> Result<Content> {
    let (name, sampled, roots) = tokio::try_join!(
        name(&cx),
        cx.sample("capital", Sampling::new("The capital of France?", 10)),
        cx.roots("roots"),
    )?;
    let (capital, root) = (sampled.text(), &roots[0].uri);
    Ok(Content::text(format!("{name} in {capital} at {root}")))
}

fn tell(cx: Context, _: Nothing) -> Result<Content> {
    cx.progress(1.0, Some(2.0), "half");
    cx.log(Level::Debug, "too small");
    cx.log(Level::Warning, "beware");
    Ok(Content::text("told"))
}

async fn long(cx: Context, _: Nothing) -> Result<Content> {
    cx.detach().await;
    Ok(Content::text(format!("It was long, {}.", name(&cx).await?)))
}

fn talkative() -> App {
    let server = Server::new("talkative", "1").tools(vec![
        Tool::new("ask", ask),
        Tool::sync("tell", tell),
        Tool::new("long", long).task(),
    ]);
    App::new(Config::default(), server).unwrap()
}

/// What a client is asked for is answered, what it hears is kept.
#[derive(Clone, Default)]
struct Host {
    capabilities: Value,
    heard: Arc<Mutex<Vec<Value>>>,
}

impl Host {
    fn new(capabilities: Value) -> Host {
        Host {
            capabilities,
            ..Host::default()
        }
    }

    fn hear(&self, notification: impl Serialize) {
        self.heard.lock().unwrap().push(json!(notification));
    }
}

/// A type of the SDK, most of which have private parts, from its form on the wire.
fn wire<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

impl ClientHandler for Host {
    fn get_info(&self) -> ClientConfig {
        let capabilities = wire(self.capabilities.clone());
        ClientConfig::new(capabilities, Implementation::new("it", "1"))
    }

    async fn create_elicitation(
        &self,
        _: ElicitRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        Ok(wire(accepted()))
    }

    async fn create_message(
        &self,
        _: CreateMessageRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<CreateMessageResult, ErrorData> {
        let content = json!({"type": "text", "text": "Paris"});
        Ok(wire(
            json!({"role": "assistant", "content": content, "model": "none"}),
        ))
    }

    async fn list_roots(
        &self,
        _: RequestContext<RoleClient>,
    ) -> Result<ListRootsResult, ErrorData> {
        Ok(wire(json!({"roots": [{"uri": "file:///project"}]})))
    }

    async fn on_progress(
        &self,
        params: ProgressNotificationParam,
        _: NotificationContext<RoleClient>,
    ) {
        self.hear(params);
    }

    async fn on_logging_message(
        &self,
        params: LoggingMessageNotificationParam,
        _: NotificationContext<RoleClient>,
    ) {
        self.hear(params);
    }
}

fn accepted() -> Value {
    json!({"action": "accept", "content": {"name": "Ada"}})
}

/// The ways in which the client opens a connection, and the revision that it agrees on.
fn lifecycles() -> [(ClientLifecycleMode, &'static str); 3] {
    let preferred_versions = vec![ProtocolVersion::V_2026_07_28];
    let discover = ClientLifecycleMode::Discover {
        preferred_versions: preferred_versions.clone(),
    };
    let auto = ClientLifecycleMode::Auto {
        preferred_versions,
        legacy_version: None,
    };
    [
        (ClientLifecycleMode::Initialize, "2025-11-25"),
        (discover, MODERN),
        (auto, MODERN),
    ]
}

/// A client of that application, which is served until the test ends.
async fn connected(
    app: App,
    lifecycle: ClientLifecycleMode,
    host: Host,
) -> RunningService<RoleClient, Host> {
    let (address, _) = on_socket(&app).await;
    let uri = format!("http://{address}/mcp");
    let config = StreamableHttpClientTransportConfig::with_uri(uri);
    let transport = StreamableHttpClientTransport::with_client(plain(), config);
    host.serve_with_lifecycle(transport, lifecycle)
        .await
        .unwrap()
}

/// An HTTP client that trusts nobody, which loopback does not need.
pub fn plain() -> reqwest::Client {
    let config = rustls::ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    let builder = reqwest::Client::builder().tls_backend_preconfigured(config);
    builder.no_proxy().build().unwrap()
}

fn call(name: &'static str, arguments: Value) -> CallToolRequestParams {
    CallToolRequestParams::new(name).with_arguments(wire(arguments))
}

/// The part of something of the SDK that is at that place of its form on the wire.
fn at(value: impl Serialize, place: &str) -> Value {
    let value = json!(value);
    value
        .pointer(place)
        .unwrap_or_else(|| panic!("{place} of {value}"))
        .clone()
}

#[tokio::test]
async fn it_lists_calls_reads_fills_in_and_completes() {
    for (lifecycle, revision) in lifecycles() {
        let app = TestApp::plane().await;
        let client = connected(app.app.clone(), lifecycle, Host::new(json!({}))).await;
        assert_eq!(at(client.peer_info(), "/protocolVersion"), revision);

        let tools = client.list_all_tools().await.unwrap();
        assert_eq!(tools[0].name, "fetch_account_info");
        let called = call("fetch_account_info", json!({"wallet_address": VESTING}));
        let account = client.call_tool(called).await.unwrap();
        assert_eq!(at(account, "/structuredContent/account_is_vesting"), true);
        let called = call("fetch_account_info", json!({"wallet_address": "x"}));
        let refused = client.call_tool(called).await.unwrap();
        assert_eq!(at(refused, "/isError"), true);

        let documents = client.list_all_resources().await.unwrap();
        assert_eq!(at(documents, "/0/uri"), "bifold://system-context");
        let templates = client.list_all_resource_templates().await.unwrap();
        let template = "wallet://{wallet_address}/summary";
        assert_eq!(at(templates, "/0/uriTemplate"), template);
        let uri = format!("wallet://{VESTING}/summary");
        let read = ReadResourceRequestParams::new(&uri);
        let document = client.read_resource(read).await.unwrap();
        assert_eq!(at(document, "/contents/0/uri"), uri);

        let prompts = client.list_all_prompts().await.unwrap();
        assert_eq!(at(prompts, "/2/name"), "market_briefing");
        let asked = GetPromptRequestParams::new("market_briefing");
        let asked = asked.with_arguments(wire(json!({"token_pair": "HASH-USDC"})));
        let text = at(
            client.get_prompt(asked).await.unwrap(),
            "/messages/0/content/text",
        );
        assert!(text.as_str().unwrap().contains("HASH-USDC"), "{text}");
        let proposed = client.complete_prompt_simple("market_briefing", "token_pair", "hash");
        assert_eq!(proposed.await.unwrap(), ["HASH-USD", "HASH-USDC"]);
        client.cancel().await.unwrap();
    }
}

#[tokio::test]
async fn it_is_asked_and_told() {
    for (lifecycle, revision) in lifecycles() {
        let host = Host::new(json!({"elicitation": {}, "sampling": {}, "roots": {}}));
        let client = connected(talkative(), lifecycle, host.clone()).await;
        let answer = client.call_tool(call("ask", json!({}))).await.unwrap();
        let text = at(answer, "/content/0/text");
        assert_eq!(text, "Ada in Paris at file:///project", "{revision}");

        let mut told = call("tell", json!({}));
        if revision == MODERN {
            let mut meta = RequestMetaObject::new();
            meta.set_log_level(LoggingLevel::Info);
            told.meta = Some(meta);
        } else {
            let level = SetLevelRequestParams::new(LoggingLevel::Info);
            client.set_level(level).await.unwrap();
        }
        client.call_tool(told).await.unwrap();
        let heard = std::mem::take(&mut *host.heard.lock().unwrap());
        assert_eq!(heard.len(), 2, "{heard:?} at {revision}");
        assert_eq!(at(&heard, "/0/message"), "half");
        assert_eq!(at(&heard, "/1/data"), "beware");
        client.cancel().await.unwrap();
    }
}

#[tokio::test]
async fn it_runs_a_task_that_asks() {
    let tasks = json!({"io.modelcontextprotocol/tasks": {}});
    for (lifecycle, revision) in lifecycles() {
        if revision != MODERN {
            continue;
        }
        let host = Host::new(json!({"elicitation": {}, "extensions": tasks}));
        let client = connected(talkative(), lifecycle, host).await;
        let started = client.call_tool_once(call("long", json!({}))).await;
        let CallToolResponse::Task(started) = started.unwrap() else {
            panic!("a client that knows tasks gets one");
        };
        let id = started.task.task_id;
        let mut answered = false;
        let result = loop {
            let state = json!(client.get_task(GetTaskParams::new(&id)).await.unwrap());
            match state["status"].as_str().unwrap() {
                "completed" => break state,
                "input_required" if !answered => {
                    assert!(state["inputRequests"]["name"].is_object(), "{state}");
                    let answers = wire(json!({"name": accepted()}));
                    let update = UpdateTaskParams::new(&id, answers);
                    client.update_task(update).await.unwrap();
                    answered = true;
                }
                status => assert!(["working", "input_required"].contains(&status), "{state}"),
            }
        };
        assert!(answered);
        assert_eq!(at(result, "/result/content/0/text"), "It was long, Ada.");
        client.cancel().await.unwrap();
    }
}
