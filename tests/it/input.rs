//! Messages and questions of functions to their client while they run, in both protocol eras.

mod capabilities;
mod end;
mod forms;
mod heal;
mod leftovers;
mod live;
mod log;
mod questions;
mod rounds;
mod share;
mod state;
mod stop;
mod tasks;

use axum::body::{Body, BodyDataStream};
use bifold::{
    App, Config, Content, Context, Elicited, Error, JsonSchema, RequestInfo, Result, Server, Tool,
};
use futures_util::StreamExt;
use http::Request;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::support::{Answer, modern, serve};

const CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
const TASKS: &str = "io.modelcontextprotocol/tasks";

/// Asks for no arguments.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

#[derive(Deserialize, JsonSchema)]
struct Name {
    name: String,
}

/// A function without arguments.
fn function<Fut>(name: &'static str, run: impl Fn(Context) -> Fut + Send + Sync + 'static) -> Tool
where
    Fut: Future<Output = Result<Content>> + Send + 'static,
{
    Tool::new(name, move |cx, Nothing {}| run(cx))
}

/// Asks for a name under that key, with that text.
async fn ask(cx: &Context, key: &str, text: &str) -> Result<String> {
    match cx.elicit::<Name>(key, text).await? {
        Elicited::Accepted(Name { name }) => Ok(name),
        Elicited::Declined => Ok("declined".to_owned()),
        Elicited::Cancelled => Ok("cancelled".to_owned()),
    }
}

/// Greets by the name that the client gives.
async fn greet(cx: Context) -> Result<Content> {
    let name = ask(&cx, "name", "What is your name?").await?;
    Ok(Content::text(format!("Hello, {name}!")))
}

fn serving(tools: Vec<Tool>) -> App {
    configured(tools, |_| {})
}

fn configured(tools: Vec<Tool>, change: impl FnOnce(&mut Config)) -> App {
    let mut config = Config::default();
    change(&mut config);
    App::new(config, Server::new("asking", "1.0.0").tools(tools)).unwrap()
}

/// A client of 2026.
#[derive(Clone)]
struct Client {
    app: App,
    capabilities: Value,
    principal: Option<String>,
}

/// The answer to a form.
fn accept(content: Value) -> Value {
    json!({"action": "accept", "content": content})
}

fn named(name: &str) -> Value {
    accept(json!({"name": name}))
}

impl Client {
    /// A client with all capabilities except for tasks.
    fn of(app: &App) -> Client {
        let capabilities =
            json!({"elicitation": {"form": {}, "url": {}}, "sampling": {}, "roots": {}});
        Client {
            app: app.clone(),
            capabilities,
            principal: None,
        }
    }

    fn with(mut self, capabilities: Value) -> Client {
        self.capabilities = capabilities;
        self
    }

    /// The same client with tasks.
    fn with_tasks(mut self) -> Client {
        self.capabilities["extensions"] = json!({TASKS: {}});
        self
    }

    fn of_principal(mut self, principal: &str) -> Client {
        self.principal = Some(principal.to_owned());
        self
    }

    fn request(&self, method: &str, mut params: Value) -> Request<Body> {
        params["_meta"][CAPABILITIES] = self.capabilities.clone();
        modern(method, params)
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        let request_info = {
            let mut info = RequestInfo::default();
            info.principal = self.principal.clone().map(bifold::Principal::new);
            info
        };
        Answer::read(serve(&self.app, request, request_info).await).await
    }

    async fn ask(&self, method: &str, params: Value) -> Answer {
        self.send(self.request(method, params)).await
    }

    /// The result of a call; `params` are the parameters besides the name.
    #[track_caller]
    fn call(&self, name: &str, params: Value) -> impl Future<Output = Value> {
        let mut params = params;
        params["name"] = name.into();
        let place = std::panic::Location::caller();
        async move {
            let answer = self.ask("tools/call", params).await;
            let mut message = answer.json();
            assert!(message.get("result").is_some(), "{place}: {message}");
            message["result"].take()
        }
    }

    /// The error code and the HTTP status of the call.
    async fn refusal(&self, name: &str, mut params: Value) -> (u16, i64) {
        params["name"] = name.into();
        let answer = self.ask("tools/call", params).await;
        let message = answer.json();
        let code = message["error"]["code"].as_i64();
        (
            answer.status.as_u16(),
            code.unwrap_or_else(|| panic!("{message}")),
        )
    }
}

/// The text of a result that must be a success.
#[track_caller]
fn text(result: &Value) -> &str {
    assert_eq!(result["isError"], false, "{result}");
    let text = result["content"][0]["text"].as_str();
    text.unwrap_or_else(|| panic!("{result}"))
}

/// The error kind of a failed result.
#[track_caller]
fn kind(result: &Value) -> &str {
    assert_eq!(result["isError"], true, "{result}");
    result["_meta"]["bifold/error"]["kind"].as_str().unwrap()
}

/// The message of each question by its key, in a result that asks for input.
#[track_caller]
fn questions(result: &Value) -> Value {
    assert_eq!(result["resultType"], "input_required", "{result}");
    let requests = result["inputRequests"].as_object();
    let messages = requests.unwrap().iter();
    messages
        .map(|(key, it)| (key.clone(), it["params"]["message"].clone()))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// The parameters that continue a call.
fn answered(result: &Value, responses: Value) -> Value {
    json!({"inputResponses": responses, "requestState": result["requestState"]})
}

/// A call of a 2025 client, which is asked on a stream.
fn legacy(version: &str, name: &str) -> Request<Body> {
    posted(
        version,
        json!({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": name}}),
    )
}

/// A message of a 2025 client that accepts events.
fn posted(version: &str, message: Value) -> Request<Body> {
    let request = Request::post("/mcp")
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream")
        .header("mcp-protocol-version", version);
    request.body(message.to_string().into()).unwrap()
}

/// The messages of a body, which is read as far as the test needs.
struct Events(BodyDataStream);

impl Events {
    async fn open(app: &App, request: Request<Body>) -> Events {
        let response = serve(app, request, RequestInfo::default()).await;
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Events(response.into_body().into_data_stream())
    }

    /// The next message; comments are skipped.
    async fn next(&mut self) -> Value {
        loop {
            let piece = self
                .0
                .next()
                .await
                .expect("the stream has not ended")
                .unwrap();
            let event = std::str::from_utf8(&piece).unwrap();
            if event.starts_with(':') {
                continue;
            }
            let data = event.strip_prefix("event: message\ndata: ");
            let data = data.and_then(|rest| rest.strip_suffix("\n\n"));
            let data = data.unwrap_or_else(|| panic!("no event: {event:?}"));
            assert!(!data.contains(['\n', '\r']), "{data:?}");
            return serde_json::from_str(data).unwrap();
        }
    }

    async fn has_ended(&mut self) -> bool {
        self.0.next().await.is_none()
    }
}

/// Answers a question like a 2025 client, in a separate POST.
async fn reply(app: &App, question: &Value, result: Value) -> Answer {
    let message = json!({"jsonrpc": "2.0", "id": question["id"], "result": result});
    Answer::read(serve(app, posted("2025-11-25", message), RequestInfo::default()).await).await
}

/// Returns the outcome of a question as text, also where it is an error.
fn told(error: &Error) -> Content {
    Content::text(format!("{}: {error}", error.kind().as_str()))
}
