//! Tasks on Lambda: one invocation returns the handle, and invokes the function again to do the work.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use bifold::{
    App, Capability, Config, Content, Context, Elicited, Error, JsonSchema, Key, RequestInfo,
    Result, Server, TimeLeft, Tool, lambda,
};
use http::{HeaderMap, Request, Response, Uri};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::store::table::{Fate, Table};
use crate::support::{Log, modern, serve};

/// Greets by a name that it asks for, after long work.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Greet {
    /// How to greet.
    greeting: String,
}

#[derive(Deserialize, JsonSchema)]
struct Name {
    name: String,
}

/// The number of times that the work was done.
type Works = Arc<AtomicUsize>;

async fn greet(cx: Context, Greet { greeting }: Greet) -> Result<Content> {
    let Elicited::Accepted(Name { name }) = cx.elicit("name", "Who are you?").await? else {
        return Err(Error::failed("nobody to greet"));
    };
    cx.detach().await;
    cx.state::<Works>()?.fetch_add(1, Ordering::SeqCst);
    Ok(Content::text(format!("{greeting}, {name}!")))
}

/// An instance of the function, with its own memory.
fn instance(table: &Table, invoke: &str, works: &Works) -> App {
    let mut config = table.settings();
    config.function = Some("greeter".to_owned());
    config.state_keys = vec![Key::new([7; 32])];
    let lambda = ("lambda".to_owned(), invoke.to_owned());
    config.aws.endpoint_urls.extend([lambda]);
    let tool = Tool::new("greet", greet).task();
    let tool = tool.requires(Capability::Tasks);
    let server = Server::new("greeter", "1.0.0");
    App::new(config, server.tools(vec![tool]).state(works.clone())).unwrap()
}

/// A fake of the Invoke API, and the events that it received.
async fn platform(status: u16) -> (String, UnboundedReceiver<String>) {
    let (sender, events) = unbounded_channel();
    let answer = move |uri: Uri, headers: HeaderMap, body: Bytes| {
        let sender = sender.clone();
        async move {
            assert_eq!(uri.path(), "/2015-03-31/functions/greeter/invocations");
            assert_eq!(headers["x-amz-invocation-type"], "Event");
            let signature = headers["authorization"].to_str().unwrap();
            assert!(signature.contains("/eu-west-1/lambda/aws4_request"));
            sender
                .send(String::from_utf8(body.into()).unwrap())
                .unwrap();
            Response::builder()
                .status(status)
                .body(Body::empty())
                .unwrap()
        }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(axum::serve(listener, Router::new().fallback(answer)).into_future());
    (url, events)
}

fn request(method: &str, mut params: Value) -> Request<Body> {
    params["_meta"] = json!({
        "io.modelcontextprotocol/clientCapabilities": {
            "elicitation": {},
            "extensions": {"io.modelcontextprotocol/tasks": {}},
        },
    });
    let id = params["taskId"].as_str().map(str::to_owned);
    let mut request = modern(method, params);
    if let Some(id) = id {
        request
            .headers_mut()
            .insert("mcp-name", id.parse().unwrap());
    }
    request
}

async fn ask(app: &App, method: &str, params: Value) -> Value {
    read(serve(app, request(method, params), RequestInfo::default()).await).await
}

async fn read(response: Response<Body>) -> Value {
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await;
    serde_json::from_slice(&body.unwrap()).unwrap()
}

/// Calls the tool on one instance, and answers its question on another.
async fn call(first: &App, second: &App) -> Value {
    let mut params = json!({"name": "greet", "arguments": {"greeting": "Hello"}});
    let asked = ask(first, "tools/call", params.clone()).await;
    assert_eq!(asked["result"]["resultType"], "input_required", "{asked}");
    params["requestState"] = asked["result"]["requestState"].clone();
    params["inputResponses"] = json!({"name": {"action": "accept", "content": {"name": "Ada"}}});
    ask(second, "tools/call", params).await
}

#[tokio::test]
async fn another_invocation_resumes_the_task_once_with_the_known_answers() {
    let (table, works) = (Table::start().await, Works::default());
    let (url, mut events) = platform(202).await;
    let instances = [0; 3].map(|_| instance(&table, &url, &works));

    let created = call(&instances[0], &instances[1]).await;
    assert_eq!(created["result"]["resultType"], "task", "{created}");
    let id = &created["result"]["taskId"];
    let event = events.recv().await.unwrap();
    let working = ask(&instances[0], "tasks/get", json!({"taskId": id})).await;
    assert_eq!(working["result"]["status"], "working", "{working}");
    assert_eq!(works.load(Ordering::SeqCst), 0);

    for _ in 0..2 {
        let reply = lambda::answer(&instances[2], &event, RequestInfo::default()).await;
        assert!(!reply.unwrap().is_streamed());
    }
    let done = ask(&instances[1], "tasks/get", json!({"taskId": id})).await;
    assert_eq!(done["result"]["status"], "completed", "{done}");
    let text = &done["result"]["result"]["content"][0]["text"];
    assert_eq!(*text, "Hello, Ada!");
    assert_eq!(works.load(Ordering::SeqCst), 1);
    assert!(
        events.is_empty(),
        "work that goes on is not handed on again"
    );
}

#[tokio::test]
async fn a_late_invocation_fails_the_task_without_running_it() {
    let (table, works) = (Table::start().await, Works::default());
    let (url, mut events) = platform(202).await;
    let app = instance(&table, &url, &works);
    let late = || {
        let mut info = RequestInfo::default();
        info.time_left = Some(TimeLeft::of(Duration::from_millis(200)));
        info
    };
    let created = call(&app, &app).await;
    let id = &created["result"]["taskId"];
    let event = events.recv().await.unwrap();
    lambda::answer(&app, &event, late()).await.unwrap();
    let done = ask(&app, "tasks/get", json!({"taskId": id})).await;
    assert_eq!(done["result"]["status"], "completed", "{done}");
    let result = &done["result"]["result"];
    let detail = json!({"kind": "deadline_exceeded", "retryable": true});
    assert_eq!(result["isError"], true);
    assert_eq!(result["_meta"]["bifold/error"], detail);
    assert_eq!(works.load(Ordering::SeqCst), 0);

    // A call this late does not become a task, and the table is not used.
    let asked = table.operations().len();
    for method in ["tasks/get", "tasks/cancel"] {
        let request = request(method, json!({"taskId": id}));
        let answer = read(serve(&app, request, late()).await).await;
        assert_eq!(answer["error"]["data"], detail, "{answer}");
    }
    assert_eq!(table.operations().len(), asked);
}

#[tokio::test]
async fn a_task_whose_process_ends_before_it_is_stored_is_logged() {
    let (table, works) = (Table::start().await, Works::default());
    let (url, mut events) = platform(202).await;
    let app = instance(&table, &url, &works);
    call(&app, &app).await;
    let event = events.recv().await.unwrap();
    // The task is stored, but its end cannot be written.
    table.fate(&[Fate::Good, Fate::Good, Fate::Hung]);
    let reads = table.count("GetItem");
    let log = Log::default();
    let guard = log.keep();
    tokio::select! {
        _ = lambda::answer(&app, &event, RequestInfo::default()) => panic!("it is not noted yet"),
        () = table.asked("GetItem", reads + 2) => {}
    }
    drop(guard);
    assert_eq!(works.load(Ordering::SeqCst), 1);
    let lines = log.lines("task");
    let said = ["protocol", "function", "error"].map(|field| lines[0][field].clone());
    assert_eq!(said, [json!("task"), json!("greet"), json!("cancelled")]);
    assert_eq!(lines.len(), 1);
}

#[tokio::test]
async fn a_platform_that_refuses_fails_the_call_and_leaves_no_task() {
    let (table, works) = (Table::start().await, Works::default());
    let (url, _events) = platform(403).await;
    let app = instance(&table, &url, &works);
    let failed = call(&app, &app).await;
    assert_eq!(failed["error"]["code"], -32603, "{failed}");
    assert_eq!(table.len(), 0);
    assert_eq!(works.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn without_a_table_there_are_no_tasks_on_lambda() {
    let mut config = Config::default();
    config.function = Some("greeter".to_owned());
    let tools = vec![Tool::new("greet", greet).task()];
    let app = App::new(config, Server::new("greeter", "1.0.0").tools(tools)).unwrap();
    let answer = ask(&app, "tasks/get", json!({"taskId": "none"})).await;
    assert_eq!(answer["error"]["code"], -32601);
    let discovered = ask(&app, "server/discover", json!({})).await;
    let capabilities = &discovered["result"]["capabilities"];
    assert_eq!(capabilities.get("extensions"), None, "{discovered}");
}
